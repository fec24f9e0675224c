/** RDATA of APL: a list of address prefixes (RFC 3123). */

import { type AddressFamily, formatAddress, parseAddress } from "../ip.ts";
import { parseDecimal, type Word } from "./presentation.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

/** Address families and how many octets their addresses have. */
const families: ReadonlyMap<number, { readonly family: AddressFamily; readonly octets: number }> = new Map([
  [1, { family: 4, octets: 4 }],
  [2, { family: 6, octets: 16 }],
] as const);

/** The flag in front of the length of the address. */
const NEGATION = 0x80;

/** Each word is `[!]family:address/prefix`. */
export function parseApl(words: readonly Word[]): Uint8Array | string {
  const octets: number[] = [];
  for (const { text } of words) {
    const [, negation = "", familyText = "", addressText = "", lengthText = ""] =
      /^(!?)(\d+):([^/]+)\/(\d+)$/.exec(text) ?? [];
    const afi = parseDecimal(familyText, 0xffff) ?? 0;
    const family = families.get(afi);
    const address = parseAddress(addressText);
    if (family === undefined || address?.family !== family.family)
      return `"${text}" is not an item like 1:192.0.2.0/24 or !2:2001:db8::/32`;
    const length = parseDecimal(lengthText, family.octets * 8);
    if (length === undefined)
      return `"${text}" has a prefix length that is not between 0 and ${family.octets * 8}`;
    // RFC 3123 §4: zero octets at the end are left out. Bits behind the prefix length are kept as BIND does.
    const used = address.octets.subarray(0, address.octets.findLastIndex((octet) => octet !== 0) + 1);
    octets.push(afi >> 8, afi & 0xff, length, used.length | (negation === "" ? 0 : NEGATION), ...used);
  }
  return Uint8Array.from(octets);
}

export function readApl(reader: WireReader): Uint8Array {
  const start = reader.offset;
  while (reader.remaining > 0) {
    const family = families.get(reader.uint16());
    const length = reader.uint8();
    const address = reader.take(reader.uint8() & ~NEGATION);
    if (address.at(-1) === 0) throw new Malformed("an address in it ends in a zero octet");
    if (family !== undefined && (address.length > family.octets || length > family.octets * 8))
      throw new Malformed("an address or prefix length in it is too long for its family");
  }
  return reader.octets.subarray(start, reader.offset);
}

/** Undefined where an item is of a family that has no presentation format. */
export function formatApl(octets: Uint8Array): string | undefined {
  const items: string[] = [];
  const reader = new WireReader(octets);
  while (reader.remaining > 0) {
    const afi = reader.uint16();
    const family = families.get(afi);
    if (family === undefined) return undefined;
    const length = reader.uint8();
    const flags = reader.uint8();
    const address = new Uint8Array(family.octets);
    address.set(reader.take(flags & ~NEGATION));
    items.push(`${(flags & NEGATION) === 0 ? "" : "!"}${afi}:${formatAddress(address)}/${length}`);
  }
  return items.join(" ");
}
