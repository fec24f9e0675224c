/**
 * A number for every address of both families. IPv6 addresses that hold an IPv4 address have the number of that one: the
 * table of family 6 leaves their blocks to that of family 4, which is looked up in their stead and copied nowhere.
 */

import { type AddressFamily, type IpAddress, ipv4Blocks, ipv4OffsetIn } from "../ip.ts";
import {
  ELSEWHERE,
  lookup,
  lookupRange,
  type PrefixMatch,
  type PrefixTable,
  prefixLengthAt,
  valueAt,
  wordAt,
} from "./prefix-table.ts";
import {
  combineTables,
  mapValues,
  overlayPrefixes,
  type PrefixValue,
  uniformTable,
} from "./prefix-table-builder.ts";

export interface FamilyTables {
  readonly family4: PrefixTable;
  /**
   * ELSEWHERE in the blocks whose addresses hold an IPv4 address. Where all of IPv4 has one number, the blocks have it
   * here, so that they are no bounds of wider prefixes.
   */
  readonly family6: PrefixTable;
}

/** The same number for every address. */
export const uniformTables = (value: number): FamilyTables => ({
  family4: uniformTable(4, value),
  family6: uniformTable(6, value),
});

/** Tables of two families that know nothing of each other. */
export function joinFamilies(family4: PrefixTable, family6: PrefixTable): FamilyTables {
  return { family4, family6: overlayPrefixes(family6, blocksOf(family4)) };
}

/** The same addresses with other values. */
export function mapTables(
  { family4, family6 }: FamilyTables,
  newValue: (value: number) => number,
): FamilyTables {
  const mapped4 = mapValues(family4, newValue);
  const ofBlocks = blockValue(mapped4);
  return {
    family4: mapped4,
    family6: mapValues(family6, (value) => (value === ELSEWHERE ? ofBlocks : newValue(value))),
  };
}

/**
 * The tables with prefixes of both families laid over them; where they overlap, the longest one counts. None may lie in a
 * block whose addresses hold an IPv4 address.
 */
export function overlayTables(base: FamilyTables, prefixes: readonly PrefixValue[]): FamilyTables {
  const ofFamily4 = prefixes.filter(({ prefix }) => prefix.family === 4);
  const ofFamily6 = prefixes.filter(({ prefix }) => prefix.family === 6);
  const family4 = ofFamily4.length === 0 ? base.family4 : overlayPrefixes(base.family4, ofFamily4);
  const isSame = ofFamily6.length === 0 && blockValue(family4) === blockValue(base.family4);
  return {
    family4,
    family6: isSame ? base.family6 : overlayPrefixes(base.family6, [...ofFamily6, ...blocksOf(family4)]),
  };
}

/** The tables whose values are made from those of two. */
export function combineFamilies(
  a: FamilyTables,
  b: FamilyTables,
  newValue: (a: number, b: number) => number,
): FamilyTables {
  const family4 = combineTables(a.family4, b.family4, newValue);
  const family6 = combineTables(a.family6, b.family6, newValue);
  const ofBlocks = blockValue(family4);
  return {
    family4,
    family6: ofBlocks === ELSEWHERE ? family6 : overlayPrefixes(family6, blocksOf(family4)),
  };
}

/** The value of an address, and the length of the widest prefix of its own family that has no other. */
export function lookupAddress(tables: FamilyTables, { family, octets }: IpAddress): PrefixMatch {
  const table = family === 4 ? tables.family4 : tables.family6;
  const found = lookup(table, octets);
  if (found.value !== ELSEWHERE || family === 4) return found;
  const offset = ipv4OffsetOf(octets, 0);
  const inner = lookup(tables.family4, octets, offset);
  return { value: inner.value, prefixLength: offset * 8 + inner.prefixLength };
}

/** How many addresses of family 4 a lookup remembers; a power of two. */
const REMEMBERED = 256;

/**
 * The same for the hot path: what was found stands in its fields, and nothing is allocated. It remembers the last IPv4
 * addresses, since the same resolvers ask again and again.
 */
export class AddressLookup {
  value = 0;
  prefixLength = 0;
  readonly #words = new Uint32Array(REMEMBERED);
  readonly #tables: (FamilyTables | undefined)[] = Array.from({ length: REMEMBERED });
  readonly #values = new Uint32Array(REMEMBERED);
  readonly #prefixLengths = new Uint8Array(REMEMBERED);

  /** Looks up the address of a family whose octets begin at `at`. */
  find(tables: FamilyTables, family: AddressFamily, octets: Uint8Array, at: number): void {
    if (family === 6) {
      this.#search(tables, family, octets, at);
      return;
    }
    const word = wordAt(octets, at);
    const slot = Math.imul(word, 0x9e3779b1) >>> 24;
    if (this.#words[slot] === word && this.#tables[slot] === tables) {
      this.value = this.#values[slot] ?? 0;
      this.prefixLength = this.#prefixLengths[slot] ?? 0;
      return;
    }
    this.#search(tables, family, octets, at);
    this.#words[slot] = word;
    this.#tables[slot] = tables;
    this.#values[slot] = this.value;
    this.#prefixLengths[slot] = this.prefixLength;
  }

  #search({ family4, family6 }: FamilyTables, family: AddressFamily, octets: Uint8Array, at: number): void {
    const table = family === 4 ? family4 : family6;
    const range = lookupRange(table, octets, at);
    const value = valueAt(table, range);
    if (value !== ELSEWHERE || family === 4) {
      this.value = value;
      this.prefixLength = prefixLengthAt(table, range, octets, at);
      return;
    }
    // A client subnet too short to hold a bit of the IPv4 address is, like any other, located by its first address; the
    // scope is then longer than its source prefix length, which RFC 7871 §7.2.1 provides for.
    const offset = ipv4OffsetOf(octets, at);
    const inner = lookupRange(family4, octets, at + offset);
    this.value = valueAt(family4, inner);
    this.prefixLength = offset * 8 + prefixLengthAt(family4, inner, octets, at + offset);
  }
}

function ipv4OffsetOf(octets: Uint8Array, at: number): number {
  const offset = ipv4OffsetIn(octets, at);
  if (offset < 0) throw new Error("an address is left to family 4 that holds none of it");
  return offset;
}

/** What family 6 has for addresses that hold an IPv4 address. */
const blockValue = (family4: PrefixTable): number =>
  family4.rangeCount === 1 ? valueAt(family4, 0) : ELSEWHERE;

function blocksOf(family4: PrefixTable): readonly PrefixValue[] {
  const value = blockValue(family4);
  return ipv4Blocks.map(({ prefix }) => ({ prefix, value }));
}
