/** Ways to make a prefix table: range by range, from another table, or by laying prefixes over one. */

import { type AddressFamily, addressBits, type IpPrefix } from "../ip.ts";
import { ELSEWHERE, type PrefixTable, valueAt, wordAt, wordsPerAddress } from "./prefix-table.ts";

/** Collects ranges in address order and fuses neighbours that have the same value. */
export class PrefixTableBuilder {
  readonly #family: AddressFamily;
  readonly #words: number;
  #starts: Uint32Array;
  #values: Uint32Array;
  #rangeCount = 0;
  #largestValue = 0;

  constructor(family: AddressFamily, expectedRanges = 64) {
    this.#family = family;
    this.#words = wordsPerAddress(family);
    this.#starts = new Uint32Array(expectedRanges * this.#words);
    this.#values = new Uint32Array(expectedRanges);
  }

  /** Says that addresses have this value from the one at `starts[at]` on; the first must be address 0. */
  append(starts: Uint32Array, at: number, value: number): void {
    const last = this.#rangeCount - 1;
    if (last < 0 ? !isZero(starts, at, this.#words) : this.#compareWithLast(starts, at) <= 0) {
      throw new Error("ranges must begin at address 0 and ascend");
    }
    if (last >= 0 && this.#values[last] === value) return;
    if (this.#rangeCount === this.#values.length) this.#grow();
    const to = this.#rangeCount * this.#words;
    for (let i = 0; i < this.#words; i++) this.#starts[to + i] = starts[at + i] ?? 0;
    this.#values[this.#rangeCount] = value;
    this.#rangeCount++;
    if (value > this.#largestValue && value !== ELSEWHERE) this.#largestValue = value;
  }

  /** Takes over the ranges of a table from one to another, which is left out; whole, since they have no equal neighbours. */
  appendRanges(table: PrefixTable, from: number, to: number): void {
    if (from >= to) return;
    this.append(table.starts, from * this.#words, valueAt(table, from));
    const count = to - from - 1;
    if (count === 0) return;
    while (this.#rangeCount + count > this.#values.length) this.#grow();
    this.#starts.set(
      table.starts.subarray((from + 1) * this.#words, to * this.#words),
      this.#rangeCount * this.#words,
    );
    for (let range = from + 1; range < to; range++) {
      const value = valueAt(table, range);
      this.#values[this.#rangeCount++] = value;
      if (value > this.#largestValue && value !== ELSEWHERE) this.#largestValue = value;
    }
  }

  /** The table of all that was appended. */
  build(): PrefixTable {
    const rangeCount = this.#rangeCount;
    if (rangeCount === 0) throw new Error("a prefix table needs at least one range");
    return tableOf(this.#family, this.#values.subarray(0, rangeCount), this.#largestValue, (starts) =>
      starts.set(this.#starts.subarray(0, starts.length)),
    );
  }

  #compareWithLast(starts: Uint32Array, at: number): number {
    return compareAddresses(starts, at, this.#starts, (this.#rangeCount - 1) * this.#words, this.#words);
  }

  #grow(): void {
    const capacity = Math.max(64, this.#values.length * 2);
    const starts = new Uint32Array(capacity * this.#words);
    starts.set(this.#starts);
    this.#starts = starts;
    const values = new Uint32Array(capacity);
    values.set(this.#values);
    this.#values = values;
  }
}

/** The table in which every address has the same value. */
export function uniformTable(family: AddressFamily, value: number): PrefixTable {
  const builder = new PrefixTableBuilder(family, 1);
  builder.append(new Uint32Array(wordsPerAddress(family)), 0, value);
  return builder.build();
}

/** The same addresses with other values; neighbours whose values became equal are fused. */
export function mapValues(table: PrefixTable, newValue: (value: number) => number): PrefixTable {
  const { family, rangeCount, starts } = table;
  const words = wordsPerAddress(family);
  // Half a million ranges have some hundred values, and are in order: no builder need see each of them.
  const known: number[] = [];
  let elsewhere: number | undefined;
  const kept = new Uint32Array(rangeCount);
  const keptValues = new Uint32Array(rangeCount);
  let keptCount = 0;
  let largest = 0;
  let last = -1;
  for (let range = 0; range < rangeCount; range++) {
    const value = valueAt(table, range);
    let mapped = value === ELSEWHERE ? elsewhere : known[value];
    if (mapped === undefined) {
      mapped = newValue(value);
      // As an index of the array this would make a map of it.
      if (value === ELSEWHERE) elsewhere = mapped;
      else known[value] = mapped;
    }
    if (mapped === last) continue;
    if (mapped > largest && mapped !== ELSEWHERE) largest = mapped;
    last = mapped;
    kept[keptCount] = range;
    keptValues[keptCount++] = mapped;
  }
  return tableOf(family, keptValues.subarray(0, keptCount), largest, (newStarts) => {
    for (let i = 0; i < keptCount; i++) {
      const from = (kept[i] ?? 0) * words;
      for (let word = 0; word < words; word++) newStarts[i * words + word] = starts[from + word] ?? 0;
    }
  });
}

/** The table of these values; `fill` writes where each range starts. */
function tableOf(
  family: AddressFamily,
  values: Uint32Array,
  largestValue: number,
  fill: (starts: Uint32Array) => void,
): PrefixTable {
  const rangeCount = values.length;
  const starts = new Uint32Array(new SharedArrayBuffer(rangeCount * wordsPerAddress(family) * 4));
  fill(starts);
  const shared =
    largestValue < 0xffff
      ? new Uint16Array(new SharedArrayBuffer(rangeCount * 2))
      : new Uint32Array(new SharedArrayBuffer(rangeCount * 4));
  shared.set(values);
  return Object.freeze({ family, rangeCount, starts, values: shared });
}

/**
 * The table whose values are made from those of two tables of one family. What either table leaves to another one is
 * left to it.
 */
export function combineTables(
  a: PrefixTable,
  b: PrefixTable,
  newValue: (a: number, b: number) => number,
): PrefixTable {
  const { family } = a;
  const words = wordsPerAddress(family);
  const builder = new PrefixTableBuilder(family, Math.min(a.rangeCount + b.rangeCount, 1 << 16));
  let atA = 0;
  let atB = 0;
  let start = a.starts;
  let startAt = 0;
  for (;;) {
    const [valueA, valueB] = [valueAt(a, atA), valueAt(b, atB)];
    const isElsewhere = valueA === ELSEWHERE || valueB === ELSEWHERE;
    builder.append(start, startAt, isElsewhere ? ELSEWHERE : newValue(valueA, valueB));
    const isLastA = atA + 1 === a.rangeCount;
    const isLastB = atB + 1 === b.rangeCount;
    if (isLastA && isLastB) return builder.build();
    const nextA = (atA + 1) * words;
    const nextB = (atB + 1) * words;
    const order = isLastA ? 1 : isLastB ? -1 : compareAddresses(a.starts, nextA, b.starts, nextB, words);
    [start, startAt] = order <= 0 ? [a.starts, nextA] : [b.starts, nextB];
    if (order <= 0) atA++;
    if (order >= 0) atB++;
  }
}

/** A prefix and the value its addresses are to have. */
export interface PrefixValue {
  readonly prefix: IpPrefix;
  readonly value: number;
}

/** The table with prefixes of its family laid over it; where they overlap, the longest one counts. */
export function overlayPrefixes(base: PrefixTable, prefixes: readonly PrefixValue[]): PrefixTable {
  const words = wordsPerAddress(base.family);
  const boundaries = boundariesOf(prefixes);
  const builder = new PrefixTableBuilder(base.family, base.rangeCount + boundaries.length);
  let range = 0;
  let overlaid: number | undefined;
  for (const { start, value } of boundaries) {
    const next = firstRangeFrom(base, start);
    if (overlaid === undefined) builder.appendRanges(base, range, next);
    const isRangeStart =
      next < base.rangeCount && compareAddresses(start, 0, base.starts, next * words, words) === 0;
    builder.append(start, 0, value ?? valueAt(base, isRangeStart ? next : next - 1));
    range = isRangeStart ? next + 1 : next;
    overlaid = value;
  }
  if (overlaid === undefined) builder.appendRanges(base, range, base.rangeCount);
  return builder.build();
}

/** The first range that begins at an address or behind it; their number where none does. */
function firstRangeFrom({ family, rangeCount, starts }: PrefixTable, address: Uint32Array): number {
  const words = wordsPerAddress(family);
  let low = 0;
  let high = rangeCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAddresses(starts, middle * words, address, 0, words) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** From `start` on, the value of the longest prefix there; undefined where no prefix is. */
interface Boundary {
  readonly start: Uint32Array;
  readonly value: number | undefined;
}

/** Where the value of the longest prefix changes, in address order. */
function boundariesOf(prefixes: readonly PrefixValue[]): readonly Boundary[] {
  const sorted = prefixes
    .map(({ prefix, value }) => ({ start: wordsOf(prefix.octets), end: endOf(prefix), prefix, value }))
    .sort((a, b) => compareWhole(a.start, b.start) || a.prefix.length - b.prefix.length);
  const boundaries: Boundary[] = [];
  const open: (typeof sorted)[number][] = [];
  for (const inner of sorted) {
    closeUpTo(inner.start);
    add(inner.start, inner.value);
    open.push(inner);
  }
  closeUpTo(undefined);
  return boundaries;

  /** Ends the open prefixes that end at or before `limit`, the innermost first; all of them without a limit. */
  function closeUpTo(limit: Uint32Array | undefined): void {
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const { end } = last;
      if (limit !== undefined && (end === undefined || compareWhole(end, limit) > 0)) return;
      open.pop();
      if (end !== undefined) add(end, open.at(-1)?.value);
    }
  }

  /** Where several prefixes begin or end at one address, the last word is with the innermost that goes on. */
  function add(start: Uint32Array, value: number | undefined): void {
    const last = boundaries.at(-1);
    if (last !== undefined && compareWhole(last.start, start) === 0) boundaries.pop();
    boundaries.push({ start, value });
  }
}

/** An address as 32-bit words, most significant first. */
function wordsOf(octets: Uint8Array): Uint32Array {
  return Uint32Array.from({ length: octets.length / 4 }, (_, i) => wordAt(octets, i * 4));
}

/** The first address behind a prefix; undefined where the prefix ends the address space. */
function endOf(prefix: IpPrefix): Uint32Array | undefined {
  const end = wordsOf(prefix.octets);
  let step = 2 ** ((addressBits(prefix.family) - prefix.length) % 32);
  for (let i = Math.ceil(prefix.length / 32) - 1; i >= 0; i--) {
    const sum = (end[i] ?? 0) + step;
    end[i] = sum;
    if (sum <= 0xffffffff) return end;
    step = 1;
  }
  return undefined;
}

const compareWhole = (a: Uint32Array, b: Uint32Array): number => compareAddresses(a, 0, b, 0, a.length);

/** Negative, 0 or positive, as the address at `a[atA]` comes before, is, or comes behind the one at `b[atB]`. */
function compareAddresses(a: Uint32Array, atA: number, b: Uint32Array, atB: number, words: number): number {
  for (let i = 0; i < words; i++) {
    const difference = (a[atA + i] ?? 0) - (b[atB + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isZero(starts: Uint32Array, at: number, words: number): boolean {
  for (let i = 0; i < words; i++) if (starts[at + i] !== 0) return false;
  return true;
}
