/** An immutable map from every address of a family to a number, with the widest prefix that shares it. */

import { type AddressFamily, addressBits, type IpPrefix } from "../ip.ts";

/**
 * Sorted, disjoint ranges that cover the whole address space; neighbours have different values.
 * Kept as ranges and not as prefixes: one binary search finds the value, and the neighbouring range on each
 * side tells how wide a prefix may be. The arrays are in shared memory, so that workers use one copy.
 */
export interface PrefixTable {
  readonly family: AddressFamily;
  /** How many ranges there are; never 0. */
  readonly rangeCount: number;
  /** The first address of each range, most significant word first: 1 word in family 4, 4 in family 6. */
  readonly starts: Uint32Array;
  readonly values: Uint16Array | Uint32Array;
}

/**
 * The value of addresses about which another table has the say; kept as all ones, whatever the size of the values.
 * Any other value is smaller.
 */
export const ELSEWHERE = 0xffffffff;

/** What a table says about one address. */
export interface PrefixMatch {
  readonly value: number;
  /** The length of the widest prefix that holds the address and in which all addresses have this value. */
  readonly prefixLength: number;
}

/** Looks up the address at `offset`; for the hot path, use the three functions below, which do not allocate. */
export function lookup(table: PrefixTable, octets: Uint8Array, offset = 0): PrefixMatch {
  const range = lookupRange(table, octets, offset);
  return { value: valueAt(table, range), prefixLength: prefixLengthAt(table, range, octets, offset) };
}

/** The index of the range that holds the address whose 4 or 16 octets begin at `offset`. */
export function lookupRange(table: PrefixTable, octets: Uint8Array, offset: number): number {
  return table.family === 4
    ? searchWords1(table.starts, table.rangeCount, wordAt(octets, offset))
    : searchWords4(
        table.starts,
        table.rangeCount,
        wordAt(octets, offset),
        wordAt(octets, offset + 4),
        wordAt(octets, offset + 8),
        wordAt(octets, offset + 12),
      );
}

/** The value of a range. */
export function valueAt({ values }: PrefixTable, range: number): number {
  const value = values[range] ?? 0;
  return value === 0xffff && values.BYTES_PER_ELEMENT === 2 ? ELSEWHERE : value;
}

/**
 * The length of the widest prefix that holds the address and lies inside its range: it may hold neither the
 * last address before the range nor the first one behind it. This is the exact scope of RFC 7871 §7.2.1.
 */
export function prefixLengthAt(
  table: PrefixTable,
  range: number,
  octets: Uint8Array,
  offset: number,
): number {
  const { family, starts, rangeCount } = table;
  const words = wordsPerAddress(family);
  let common = -1;
  if (range > 0) common = commonBitsWithPredecessor(starts, range * words, words, octets, offset);
  if (range + 1 < rangeCount) {
    common = Math.max(common, commonBits(starts, (range + 1) * words, words, octets, offset));
  }
  return common + 1;
}

/** The table as prefixes in address order, each as wide as can be. */
export function* prefixesOf(
  table: PrefixTable,
): Generator<{ readonly prefix: IpPrefix; readonly value: number }> {
  const { family } = table;
  let octets: Uint8Array | undefined = new Uint8Array(addressBits(family) / 8);
  while (octets !== undefined) {
    const { value, prefixLength } = lookup(table, octets);
    yield { prefix: { family, octets, length: prefixLength }, value };
    octets = addressBehind(octets, prefixLength);
  }
}

/** How many 32-bit words an address of the family fills. */
export const wordsPerAddress = (family: AddressFamily): 1 | 4 => (family === 4 ? 1 : 4);

/** The big-endian 32-bit word at `offset`. */
export function wordAt(octets: Uint8Array, offset: number): number {
  const high = ((octets[offset] ?? 0) << 24) | ((octets[offset + 1] ?? 0) << 16);
  return (high | ((octets[offset + 2] ?? 0) << 8) | (octets[offset + 3] ?? 0)) >>> 0;
}

/** The last range that starts at or before the address: family 4. */
function searchWords1(starts: Uint32Array, rangeCount: number, word: number): number {
  let low = 0;
  let high = rangeCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= word) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The last range that starts at or before the address: family 6. */
function searchWords4(
  starts: Uint32Array,
  rangeCount: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  let low = 0;
  let high = rangeCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const at = middle * 4;
    let start = starts[at] ?? 0;
    let word = word0;
    if (start === word) {
      start = starts[at + 1] ?? 0;
      word = word1;
      if (start === word) {
        start = starts[at + 2] ?? 0;
        word = word2;
        if (start === word) {
          start = starts[at + 3] ?? 0;
          word = word3;
        }
      }
    }
    if (start <= word) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** How many leading bits the address has in common with the one at `starts[at]`. */
function commonBits(
  starts: Uint32Array,
  at: number,
  words: number,
  octets: Uint8Array,
  offset: number,
): number {
  for (let i = 0; i < words; i++) {
    const difference = (starts[at + i] ?? 0) ^ wordAt(octets, offset + i * 4);
    if (difference !== 0) return i * 32 + Math.clz32(difference);
  }
  return words * 32;
}

/** How many leading bits the address has in common with the one before `starts[at]`, which is not 0. */
function commonBitsWithPredecessor(
  starts: Uint32Array,
  at: number,
  words: number,
  octets: Uint8Array,
  offset: number,
): number {
  // Taking 1 away turns the zero words at the end into ones, and the last word before them into itself less 1.
  let borrowing = words - 1;
  while (starts[at + borrowing] === 0) borrowing--;
  for (let i = 0; i < words; i++) {
    const start = starts[at + i] ?? 0;
    const predecessor = i < borrowing ? start : i === borrowing ? start - 1 : 0xffffffff;
    const difference = predecessor ^ wordAt(octets, offset + i * 4);
    if (difference !== 0) return i * 32 + Math.clz32(difference);
  }
  return words * 32;
}

/** The first address behind the prefix of `length` bits; undefined where the prefix ends the address space. */
export function addressBehind(octets: Uint8Array, length: number): Uint8Array | undefined {
  const behind = octets.slice();
  let step = 1 << ((8 - (length & 7)) & 7);
  for (let i = ((length + 7) >> 3) - 1; i >= 0; i--) {
    const sum = (behind[i] ?? 0) + step;
    behind[i] = sum & 0xff;
    if (sum <= 0xff) return behind;
    step = 1;
  }
  return undefined;
}
