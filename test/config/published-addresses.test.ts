// Blocks of published prefixes: which addresses they give, and that none is given twice.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publishedAddresses } from "../../src/config/published-addresses.ts";
import { addressBits, formatAddress, type IpPrefix, parsePrefix, prefixContains } from "../../src/ip.ts";

const prefixes = (text: string): readonly IpPrefix[] =>
  text.split(" ").map((each) => {
    const prefix = parsePrefix(each);
    if (typeof prefix === "string") throw new Error(prefix);
    return prefix;
  });

describe("publishedAddresses", () => {
  test.each<
    readonly [name: string, prefixes: string, block: string, slice: number, count: number, found: string]
  >([
    ["the first slice of the first block", "40.96.0.0/13", "0/16", 0, 2, "40.96.0.1 40.96.0.2"],
    ["a slice is a sixteenth of a block", "40.96.0.0/13", "0/16", 1, 1, "40.96.8.1"],
    ["blocks follow one another", "40.96.0.0/13", "15/16", 0, 1, "40.103.128.1"],
    ["a block has a power of two", "40.96.0.0/13", "1/54", 0, 1, "40.96.32.1"],
    ["the next prefix comes after the last address", "40.96.0.0/24 52.96.0.0/24", "1/2", 0, 1, "52.96.0.1"],
    ["of a small block all services have the same", "192.0.2.0/25", "1/2", 7, 2, "192.0.2.64 192.0.2.65"],
    [
      "a block can go on in another prefix",
      "192.0.2.0/31 192.0.2.8/31",
      "0/1",
      3,
      3,
      "192.0.2.0 192.0.2.1 192.0.2.8",
    ],
    [
      "single addresses in their order",
      "13.107.138.8 13.107.136.8",
      "0/1",
      2,
      2,
      "13.107.138.8 13.107.136.8",
    ],
    ["IPv6", "2603:1026::/36 2603:1036::/36", "1/2", 1, 1, "2603:1036:100::1"],
  ])("%s", (_name, text, block, slice, count, found) => {
    const [index = 0, of = 0] = block.split("/").map(Number);
    const addresses = publishedAddresses(prefixes(text), { index, of }, { slice, count });
    expect("tooFew" in addresses ? addresses : addresses.map(formatAddress).join(" ")).toEqual(found);
  });

  test.each([
    ["192.0.2.0/30", 2, 3, 4n],
    ["192.0.2.1 192.0.2.2 192.0.2.3", 4, 1, 3n],
    ["2001:db8::/127", 1, 3, 2n],
  ])("%s has too few addresses for %i blocks of %i", (text, of, count, tooFew) => {
    expect(publishedAddresses(prefixes(text), { index: 0, of }, { slice: 0, count })).toEqual({ tooFew });
  });

  test("no two blocks share an address, nor two slices of a block that has them, and all are of the prefixes", () => {
    // Disjoint prefixes of one family: the first octet tells them apart.
    const lists = fc
      .uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 })
      .chain((firsts) =>
        fc.tuple(
          ...firsts.map((first) =>
            fc.integer({ min: 22, max: 30 }).map((length) => `${first}.0.0.0/${length}`),
          ),
        ),
      );
    fc.assert(
      fc.property(
        lists,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 15 }),
        (texts, of, count) => {
          const list = prefixes(texts.join(" "));
          const total = list.reduce(
            (sum, { family, length }) => sum + 2 ** (addressBits(family) - length),
            0,
          );
          const isSliced = total / of >= 256;
          const seen = new Set<string>();
          for (let index = 0; index < of; index++) {
            for (const slice of isSliced ? [0, 7, 15] : [7]) {
              const found = publishedAddresses(list, { index, of }, { slice, count });
              if ("tooFew" in found) {
                expect(total / of).toBeLessThan(count);
                return;
              }
              for (const octets of found) {
                expect(list.some((prefix) => prefixContains(prefix, { family: 4, octets }))).toBe(true);
                expect(seen.has(formatAddress(octets))).toBe(false);
                seen.add(formatAddress(octets));
              }
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
