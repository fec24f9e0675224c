/** Partitions made up by hand, for tests. */

import type { Partition, PlacedCell } from "../../src/audit/partition.ts";
import { prefixContains } from "../../src/ip.ts";
import { prefix } from "../geo/prefixes.ts";

/** A prefix and its list, and the scope that its addresses are told where that is another. */
export type Entry = readonly [prefix: string, list: number, scope?: number];

/** The list of the longest prefix that holds an address. */
export function partition(entries: readonly Entry[]): Partition<PlacedCell> {
  const parsed = entries.map(([text, list, scope]) => ({ prefix: prefix(text), list, scope }));
  const family = parsed[0]?.prefix.family ?? 4;
  return { family, cellAt };

  function cellAt(octets: Uint8Array): PlacedCell {
    const [found] = parsed
      .filter((each) => prefixContains(each.prefix, { family, octets }))
      .toSorted((a, b) => b.prefix.length - a.prefix.length);
    if (found === undefined) throw new Error(`no entry holds ${octets.join(".")}`);
    return { list: found.list, prefixLength: found.scope ?? found.prefix.length, where: "somewhere" };
  }
}

/** The cells of 10.0.0.0/8 with list 1 in a space of list 0, worked out by hand. */
export const tens: readonly Entry[] = [
  ["0.0.0.0/5", 0],
  ["8.0.0.0/7", 0],
  ["10.0.0.0/8", 1],
  ["11.0.0.0/8", 0],
  ["12.0.0.0/6", 0],
  ["16.0.0.0/4", 0],
  ["32.0.0.0/3", 0],
  ["64.0.0.0/2", 0],
  ["128.0.0.0/1", 0],
];

export const without = (entries: readonly Entry[], ...prefixes: readonly string[]): readonly Entry[] =>
  entries.filter(([text]) => !prefixes.includes(text));
