/** The lists of types in NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2), and the older one in NXT (RFC 2535 §5.2). */

import { formatType, parseType } from "./iana.ts";
import { parseDecimal, type Word } from "./presentation.ts";
import { Malformed, type WireReader } from "./wire-reader.ts";

const MAX_BITMAP_OCTETS = 32;

/** A bitmap of the types that the words name, in any order; a sentence where one is no type. */
export function parseTypeBitmap(words: readonly Word[]): Uint8Array | string {
  const types = parseTypes(words);
  if (typeof types === "string") return types;
  const octets: number[] = [];
  for (const [window, lows] of Map.groupBy(types, (type) => type >> 8)) {
    const bitmap = bitsOf(lows.map((type) => type & 0xff));
    octets.push(window, bitmap.length, ...bitmap);
  }
  return Uint8Array.from(octets);
}

/** The types in ascending order. */
function parseTypes(words: readonly Word[], parse = parseType): readonly number[] | string {
  const types: number[] = [];
  for (const { text } of words) {
    const type = parse(text);
    if (type === undefined) return `"${text}" is not a type`;
    types.push(type);
  }
  return types.sort((a, b) => a - b);
}

function bitsOf(ascending: readonly number[]): Uint8Array {
  const bitmap = new Uint8Array(((ascending.at(-1) ?? 0) >> 3) + 1);
  for (const bit of ascending) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitmap;
}

/** Reads up to the end: blocks in ascending order, each of 1 to 32 octets without a zero at the end. */
export function readTypeBitmap(reader: WireReader): Uint8Array {
  const start = reader.offset;
  let last = -1;
  while (reader.remaining > 0) {
    const window = reader.uint8();
    const length = reader.uint8();
    if (window <= last) throw new Malformed("the blocks of its type bitmap are not in ascending order");
    if (length < 1 || length > MAX_BITMAP_OCTETS)
      throw new Malformed("a block of its type bitmap has no length from 1 to 32");
    if (reader.take(length).at(-1) === 0)
      throw new Malformed("a block of its type bitmap ends in a zero octet");
    last = window;
  }
  return reader.octets.subarray(start, reader.offset);
}

export function formatTypeBitmap(octets: Uint8Array): string {
  const types: string[] = [];
  for (let at = 0; at < octets.length; ) {
    const window = octets[at] ?? 0;
    const length = octets[at + 1] ?? 0;
    types.push(...typesIn(octets.subarray(at + 2, at + 2 + length), window));
    at += 2 + length;
  }
  return types.join(" ");
}

function typesIn(bitmap: Uint8Array, window: number): readonly string[] {
  const types: string[] = [];
  for (let bit = 0; bit < bitmap.length * 8; bit++) {
    if (((bitmap[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0) types.push(formatType(window * 256 + bit));
  }
  return types;
}

/** Only types 1 to 127 fit in the bitmap of an NXT. BIND also takes them as bare numbers there. */
export function parseNxtBitmap(words: readonly Word[]): Uint8Array | string {
  const types = parseTypes(words, (text) => parseType(text) ?? parseDecimal(text, 0xffff));
  if (typeof types === "string") return types;
  const outside = types.find((type) => type < 1 || type > 127);
  if (outside !== undefined)
    return `${formatType(outside)} is not among the types 1 to 127 that an NXT tells of`;
  return types.length === 0 ? Uint8Array.of() : bitsOf(types);
}

export function readNxtBitmap(reader: WireReader): Uint8Array {
  const bitmap = reader.take(reader.remaining);
  const wrong = bitmap.length > 16 || bitmap.at(-1) === 0 || ((bitmap[0] ?? 0) & 0x80) !== 0;
  if (wrong) throw new Malformed("its type bitmap is not one of the types 1 to 127");
  return bitmap;
}

export const formatNxtBitmap = (bitmap: Uint8Array): string => typesIn(bitmap, 0).join(" ");
