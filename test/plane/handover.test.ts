/** The ring between a worker thread and the main thread, held against a plain queue. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type HandedOver, HandoverReader, HandoverWriter, newHandover } from "../../src/plane/handover.ts";
import { PEER } from "../../src/transport/batch.ts";

interface Message {
  readonly octets: Uint8Array;
  readonly socket: number;
  readonly ticket: number;
  readonly receivedAt: number;
  readonly peer: Uint8Array;
}

const pattern = Uint8Array.from({ length: 65_535 + 256 }, (_, i) => (i * 7) & 0xff);

/** Messages that tell each other apart by every octet. */
const messageOf = (length: number, seed: number): Message => ({
  octets: pattern.subarray(seed & 0xff, (seed & 0xff) + length),
  socket: seed % 1000,
  ticket: seed & 0x7fffffff,
  receivedAt: seed / 3 + 1e12,
  peer: pattern.subarray(seed & 0xff, (seed & 0xff) + PEER.octets),
});

/** A writer whose messages stand somewhere in larger memory. */
function write(
  writer: HandoverWriter,
  { octets, socket, ticket, receivedAt, peer }: Message,
  at: number,
): boolean {
  const around = new Uint8Array(at + octets.length + 9).fill(0xee);
  around.set(octets, at);
  const peers = new Uint8Array(2 * PEER.octets).fill(0xdd);
  peers.set(peer, PEER.octets);
  const about = { socket, ticket, receivedAt, peer: peers, peerAt: PEER.octets };
  return writer.write(around, at, at + octets.length, about);
}

/** Whether what was taken is this message, part by part. */
const isIt = (handed: HandedOver | undefined, message: Message | undefined): boolean =>
  handed !== undefined &&
  message !== undefined &&
  handed.message.equals(message.octets) &&
  handed.peer.equals(message.peer) &&
  handed.socket === message.socket &&
  handed.ticket === message.ticket &&
  handed.receivedAt === message.receivedAt;

const length = fc.oneof(
  { weight: 3, arbitrary: fc.nat(600) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 5, 65_507, 65_535) },
  { weight: 2, arbitrary: fc.integer({ min: 20_000, max: 65_535 }) },
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("write"),
      lengths: fc.array(length, { minLength: 1, maxLength: 60, size: "max" }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("read"), count: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("read all") }) },
);

test("gives what was put in, in order and whole, whatever its length, and says what there was no room for", () => {
  let refused = 0;
  let wraps = 0;
  const property = fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
    const memory = newHandover();
    let signals = 0;
    const writer = new HandoverWriter(memory, () => {
      signals++;
    });
    const reader = new HandoverReader(memory);
    const queue: Message[] = [];
    let dropped = 0;
    let octets = 0;
    let seed = 0;
    for (const each of steps) {
      if (each.kind === "write") {
        for (const size of each.lengths) {
          const message = messageOf(size, ++seed);
          const before = signals;
          const isFirst = queue.length === 0;
          if (write(writer, message, seed % 5)) {
            queue.push(message);
            octets += size;
            // Who reads is told at the latest when there was nothing left.
            if (isFirst) expect(signals).toBe(before + 1);
          } else dropped++;
        }
      } else {
        let left = each.kind === "read" ? each.count : Number.POSITIVE_INFINITY;
        if (left === 0) continue;
        // A reader that stops in the middle has taken what it was given, and nothing else.
        for (const handed of reader.drain()) {
          expect(isIt(handed, queue.shift())).toBe(true);
          if (--left === 0) break;
        }
        if (left > 0) expect(queue.length).toBe(0);
      }
      expect(reader.dropped).toBe(dropped);
    }
    for (const handed of reader.drain()) expect(isIt(handed, queue.shift())).toBe(true);
    expect(queue.length).toBe(0);
    refused += dropped;
    if (octets > 4 << 20) wraps++;
  });
  fc.assert(property, { numRuns: 20 });
  expect(refused).toBeGreaterThan(0);
  expect(wraps).toBeGreaterThan(0);
});

test("is full of large messages after 63, and has room again for each one that is read", () => {
  const memory = newHandover();
  const writer = new HandoverWriter(memory, () => {});
  const reader = new HandoverReader(memory);
  let count = 0;
  while (write(writer, messageOf(65_535, count), 0)) count++;
  expect(count).toBe(63);
  expect(reader.dropped).toBe(1);
  for (let i = 0; i < 200; i++) {
    for (const handed of reader.drain()) {
      expect(isIt(handed, messageOf(65_535, i))).toBe(true);
      break;
    }
    // One that wraps needs what is left at the end, too.
    while (!write(writer, messageOf(65_535, count), 0)) {
      const [next] = reader.drain();
      expect(isIt(next, messageOf(65_535, ++i))).toBe(true);
    }
    count++;
  }
});

test("signals once for all that is written until somebody looks", () => {
  const memory = newHandover();
  let signals = 0;
  const writer = new HandoverWriter(memory, () => {
    signals++;
  });
  const reader = new HandoverReader(memory);
  for (let i = 0; i < 10; i++) write(writer, messageOf(20, i), 0);
  expect(signals).toBe(1);
  expect([...reader.drain()].length).toBe(10);
  write(writer, messageOf(20, 10), 0);
  expect(signals).toBe(2);
  // What comes while somebody reads is read by them or signalled.
  let seen = 0;
  for (const _ of reader.drain()) {
    seen++;
    if (seen < 5) write(writer, messageOf(20, seen), 0);
  }
  expect(seen).toBe(5);
});
