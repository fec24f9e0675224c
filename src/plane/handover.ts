/**
 * Messages that a worker thread leaves to the main thread, in a ring of shared memory: one thread writes, one reads. When
 * it is full a message is dropped and counted, as a full socket buffer would.
 */

import { PEER } from "../transport/batch.ts";

/** Octets of a ring; a power of two. */
const MEMORY_OCTETS = 4 << 20;

/** Words at the start. Positions are in words and only grow; their low bits are the place. */
const WRITTEN = 0;
const READ = 1;
const SIGNALLED = 2;
const DROPPED = 3;
const HEAD_WORDS = 16;
const RING_WORDS = MEMORY_OCTETS / 4;

/** Of a record, in words: its length, or SKIP where the next one is at the start of the ring. */
const RECORD = { words: 0, octets: 1, socket: 2, ticket: 3, received: 4, peer: 6, head: 26 } as const;
const SKIP = -1;

export type HandoverMemory = SharedArrayBuffer;

export const newHandover = (): HandoverMemory => new SharedArrayBuffer((HEAD_WORDS + RING_WORDS) * 4);

/** The side of the worker. */
export class HandoverWriter {
  readonly #words: Int32Array;
  readonly #octets: Uint8Array;
  readonly #times: Float64Array;
  readonly #signal: () => void;

  /** `signal` wakes the main thread; it is called once for all that is written until that looks. */
  constructor(memory: HandoverMemory, signal: () => void) {
    this.#words = new Int32Array(memory);
    this.#octets = new Uint8Array(memory);
    this.#times = new Float64Array(memory);
    this.#signal = signal;
  }

  /**
   * Writes the message that stands in `octets` from `start` to `end`, with what its sender is known by: PEER.octets from
   * `peerAt` on in `peer`, a multiple of 4.
   */
  write(
    octets: Uint8Array,
    start: number,
    end: number,
    about: {
      readonly socket: number;
      readonly ticket: number;
      /** milliseconds, of the clock that all threads share */
      readonly receivedAt: number;
      readonly peer: Uint8Array;
      readonly peerAt: number;
    },
  ): boolean {
    const words = this.#words;
    const length = end - start;
    // Times stand on a multiple of 8 octets.
    const needed = (RECORD.head + ((length + 3) >> 2) + 1) & ~1;
    const written = words[WRITTEN] ?? 0;
    const free = RING_WORDS - ((written - Atomics.load(words, READ)) | 0);
    const place = written & (RING_WORDS - 1);
    const tail = RING_WORDS - place;
    const skipped = tail < needed ? tail : 0;
    if (needed + skipped > free) {
      Atomics.add(words, DROPPED, 1);
      return false;
    }
    if (skipped > 0) words[HEAD_WORDS + place] = SKIP;
    const at = HEAD_WORDS + (skipped > 0 ? 0 : place);
    words[at + RECORD.words] = needed;
    words[at + RECORD.octets] = length;
    words[at + RECORD.socket] = about.socket;
    words[at + RECORD.ticket] = about.ticket;
    this.#times[(at + RECORD.received) >> 1] = about.receivedAt;
    const peerAt = (at + RECORD.peer) * 4;
    for (let i = 0; i < PEER.octets; i++) this.#octets[peerAt + i] = about.peer[about.peerAt + i] ?? 0;
    const to = (at + RECORD.head) * 4;
    for (let i = 0; i < length; i++) this.#octets[to + i] = octets[start + i] ?? 0;
    Atomics.store(words, WRITTEN, (written + skipped + needed) | 0);
    if (Atomics.exchange(words, SIGNALLED, 1) === 0) this.#signal();
    return true;
  }
}

/** A message as the main thread reads it. */
export interface HandedOver {
  /** a copy */
  readonly message: Buffer;
  readonly socket: number;
  readonly ticket: number;
  readonly receivedAt: number;
  /** PEER.octets, a copy */
  readonly peer: Buffer;
}

/** The side of the main thread. */
export class HandoverReader {
  readonly #words: Int32Array;
  readonly #octets: Buffer;
  readonly #times: Float64Array;

  constructor(memory: HandoverMemory) {
    this.#words = new Int32Array(memory);
    this.#octets = Buffer.from(memory);
    this.#times = new Float64Array(memory);
  }

  /** Messages there was no room for, since the start. */
  get dropped(): number {
    return Atomics.load(this.#words, DROPPED);
  }

  /** Takes what is there; from here on the writer signals again. */
  *drain(): Generator<HandedOver> {
    const words = this.#words;
    Atomics.store(words, SIGNALLED, 0);
    for (
      let read = words[READ] ?? 0;
      read !== Atomics.load(words, WRITTEN);
      Atomics.store(words, READ, read)
    ) {
      const place = read & (RING_WORDS - 1);
      const at = HEAD_WORDS + place;
      const needed = words[at + RECORD.words] ?? SKIP;
      if (needed === SKIP) {
        read = (read + RING_WORDS - place) | 0;
        continue;
      }
      const peerAt = (at + RECORD.peer) * 4;
      const from = (at + RECORD.head) * 4;
      const taken = {
        message: Buffer.from(this.#octets.subarray(from, from + (words[at + RECORD.octets] ?? 0))),
        socket: words[at + RECORD.socket] ?? 0,
        ticket: words[at + RECORD.ticket] ?? 0,
        receivedAt: this.#times[(at + RECORD.received) >> 1] ?? 0,
        peer: Buffer.from(this.#octets.subarray(peerAt, peerAt + PEER.octets)),
      };
      read = (read + needed) | 0;
      // The writer may write over it from here on.
      Atomics.store(words, READ, read);
      yield taken;
    }
  }
}
