/**
 * A number for every address of both families. IPv6 addresses that hold an IPv4 address have the number of that one: the
 * table of family 6 leaves their blocks to that of family 4, which is looked up in their stead and copied nowhere.
 */

import { findIpv4Block, type IpAddress, ipv4Blocks } from "../ip.ts";
import {
  ELSEWHERE,
  lookup,
  lookupRange,
  type PrefixMatch,
  type PrefixTable,
  prefixLengthAt,
  valueAt,
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
export function lookupAddress({ family4, family6 }: FamilyTables, address: IpAddress): PrefixMatch {
  const { family, octets } = address;
  if (family === 4) return lookup(family4, octets);
  const range = lookupRange(family6, octets, 0);
  const value = valueAt(family6, range);
  if (value !== ELSEWHERE) return { value, prefixLength: prefixLengthAt(family6, range, octets, 0) };
  // A client subnet too short to hold a bit of the IPv4 address is, like any other, located by its first address; the
  // scope is then longer than its source prefix length, which RFC 7871 §7.2.1 provides for.
  const offset = findIpv4Block(address)?.prefix.length;
  if (offset === undefined) throw new Error("an address is left to family 4 that holds none of it");
  const inner = lookup(family4, octets, offset / 8);
  return { value: inner.value, prefixLength: offset + inner.prefixLength };
}

/** What family 6 has for addresses that hold an IPv4 address. */
const blockValue = (family4: PrefixTable): number =>
  family4.rangeCount === 1 ? valueAt(family4, 0) : ELSEWHERE;

function blocksOf(family4: PrefixTable): readonly PrefixValue[] {
  const value = blockValue(family4);
  return ipv4Blocks.map(({ prefix }) => ({ prefix, value }));
}
