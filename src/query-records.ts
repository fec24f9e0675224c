/**
 * Records of the last queries in shared memory, all of one size, written by any thread. A record has a number that counts
 * up from 1; its slot is its number modulo the capacity, so whoever reads asks for a number, and is told when that has
 * been overwritten.
 */

import { MAX_NAME_OCTETS } from "./dns/name.ts";

export interface RecordsMemory {
  readonly capacity: number;
  readonly memory: SharedArrayBuffer;
}

/** A record by its parts: octets from its start. */
export const FIELD = {
  /** the mark of the record's number once it is whole; written last */
  mark: 0,
  snapshot: 4,
  /** milliseconds since 1970, as a 64-bit number */
  time: 8,
  location: 16,
  datacenter: 20,
  reason: 24,
  qtype: 28,
  qclass: 30,
  rcode: 32,
  flags: 34,
  sourceFamily: 35,
  countedFamily: 36,
  subnetFamily: 37,
  subnetLength: 38,
  scope: 39,
  source: 40,
  counted: 56,
  subnet: 72,
  qnameLength: 88,
  qname: 89,
} as const;

export const FLAG = { tcp: 1, hasQuestion: 2 } as const;

/** In the place of FAMILY, without a client subnet. */
export const NO_FAMILY = 0xff;

/** In the place of a mark, while a record is written. */
const BEING_WRITTEN = 0xffff_ffff;

/** 32 bits that stand for a number; neither 0, of a slot without a record, nor BEING_WRITTEN. */
const markOf = (number: number): number => (number % 0xffff_fffe) + 1;

/** A multiple of 8. */
const RECORD_OCTETS = (FIELD.qname + MAX_NAME_OCTETS + 7) & ~7;
/** The number of the newest record stands at the start. */
const HEAD_OCTETS = 64;

/** The views of one thread. */
export class QueryRecords {
  readonly capacity: number;
  readonly memory: SharedArrayBuffer;
  readonly octets: Uint8Array;
  readonly uint16s: Uint16Array;
  readonly uint32s: Uint32Array;
  readonly float64s: Float64Array;
  readonly #last: BigInt64Array;

  constructor({ capacity, memory }: RecordsMemory) {
    this.capacity = capacity;
    this.memory = memory;
    this.octets = new Uint8Array(memory);
    this.uint16s = new Uint16Array(memory);
    this.uint32s = new Uint32Array(memory);
    this.float64s = new Float64Array(memory);
    this.#last = new BigInt64Array(memory, 0, 1);
  }

  static create(capacity: number): QueryRecords {
    return new QueryRecords({
      capacity,
      memory: new SharedArrayBuffer(HEAD_OCTETS + capacity * RECORD_OCTETS),
    });
  }

  /** The number of the newest record; 0 before the first. It may not be whole yet. */
  get last(): number {
    return Number(Atomics.load(this.#last, 0));
  }

  /** Takes numbers for so many records; returns the first. */
  reserve(count: number): number {
    return Number(Atomics.add(this.#last, 0, BigInt(count))) + 1;
  }

  /** Where the record of a number begins, in octets. */
  startOf(number: number): number {
    return HEAD_OCTETS + (number % this.capacity) * RECORD_OCTETS;
  }

  /**
   * Marks the record that is there as no longer whole, before the one of this number is written over it. False where that
   * one is not to be written: another thread, a whole round before or behind this one, has the slot or had it later.
   */
  open(start: number, number: number): boolean {
    const at = start >> 2;
    const there = Atomics.load(this.uint32s, at);
    const isNewer = there !== 0 && ((there - markOf(number)) | 0) > 0;
    if (there === BEING_WRITTEN || isNewer) return false;
    return Atomics.compareExchange(this.uint32s, at, there, BEING_WRITTEN) === there;
  }

  /** Says that the record is whole. */
  close(start: number, number: number): void {
    Atomics.store(this.uint32s, start >> 2, markOf(number));
  }

  /**
   * Whether the record of a number is there and whole; asked again behind the reading, it says whether that was one record.
   * An exchange and not a load, which would let what was read before come after it.
   */
  isWhole(start: number, number: number): boolean {
    const mark = markOf(number);
    return Atomics.compareExchange(this.uint32s, start >> 2, mark, mark) === mark;
  }
}
