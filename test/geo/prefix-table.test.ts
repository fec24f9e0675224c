import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lookup, lookupRange, type PrefixTable, prefixesOf } from "../../src/geo/prefix-table.ts";
import {
  mapValues,
  overlayPrefixes,
  PrefixTableBuilder,
  type PrefixValue,
  uniformTable,
} from "../../src/geo/prefix-table-builder.ts";
import { type AddressFamily, addressBits, formatPrefix, prefixContains, prefixOf } from "../../src/ip.ts";
import {
  address,
  behind,
  family,
  firstOf,
  octetsOf,
  prefix,
  prefixIn,
  toNumber,
  toOctets,
} from "./prefixes.ts";

/** The table with value 0 everywhere but in the prefixes. */
const tableOf = (family: AddressFamily, prefixes: readonly PrefixValue[]): PrefixTable =>
  overlayPrefixes(uniformTable(family, 0), prefixes);

describe("lookup", () => {
  const rows: readonly {
    name: string;
    prefixes: Readonly<Record<string, number>>;
    expected: Readonly<Record<string, readonly [value: number, prefixLength: number]>>;
  }[] = [
    {
      name: "one value everywhere has length 0",
      prefixes: {},
      expected: { "0.0.0.0": [0, 0], "192.0.2.1": [0, 0], "255.255.255.255": [0, 0] },
    },
    {
      name: "a prefix of length 0",
      prefixes: { "0.0.0.0/0": 1 },
      expected: { "0.0.0.0": [1, 0], "255.255.255.255": [1, 0] },
    },
    {
      name: "a /24 in a /16: around it, the widest prefix that leaves it out",
      prefixes: { "10.1.0.0/16": 1, "10.1.128.0/24": 2 },
      expected: {
        "10.1.128.7": [2, 24],
        "10.1.129.0": [1, 24],
        "10.1.130.0": [1, 23],
        "10.1.192.0": [1, 18],
        "10.1.127.255": [1, 17],
        "10.0.0.1": [0, 16],
        "11.0.0.0": [0, 8],
        "192.0.2.1": [0, 1],
      },
    },
    {
      name: "adjacent prefixes of one value are one range",
      prefixes: { "10.0.0.0/16": 1, "10.1.0.0/16": 1 },
      expected: { "10.0.3.4": [1, 15], "10.1.3.4": [1, 15], "10.2.0.0": [0, 15] },
    },
    {
      name: "adjacent prefixes that are no one prefix keep their lengths",
      prefixes: { "10.1.0.0/16": 1, "10.2.0.0/16": 1 },
      expected: { "10.1.3.4": [1, 16], "10.2.3.4": [1, 16] },
    },
    {
      name: "a nested prefix of the same value makes no difference",
      prefixes: { "10.0.0.0/8": 1, "10.1.0.0/16": 1 },
      expected: { "10.1.0.0": [1, 8] },
    },
    {
      name: "prefixes nested three deep that end at one address",
      prefixes: { "10.0.0.0/8": 1, "10.255.0.0/16": 2, "10.255.255.0/24": 3 },
      expected: {
        "10.255.255.255": [3, 24],
        "10.255.254.0": [2, 24],
        "10.254.0.0": [1, 16],
        "11.0.0.0": [0, 8],
      },
    },
    {
      name: "host prefixes at both ends of the space",
      prefixes: { "0.0.0.0/32": 1, "255.255.255.255/32": 2 },
      expected: {
        "0.0.0.0": [1, 32],
        "0.0.0.1": [0, 32],
        "0.0.0.2": [0, 31],
        "127.255.255.255": [0, 2],
        "255.255.255.254": [0, 32],
        "255.255.255.255": [2, 32],
      },
    },
    {
      name: "a host prefix in family 6",
      prefixes: { "2001:db8::1/128": 1 },
      expected: { "2001:db8::1": [1, 128], "2001:db8::": [0, 128], "2001:db8::2": [0, 127], "::": [0, 3] },
    },
    {
      name: "both ends of family 6, and starts whose last words are zero",
      prefixes: { "::/128": 1, "ffff:ffff:ffff:ffff::/64": 2, "2001:db8::/32": 3 },
      expected: {
        "::": [1, 128],
        "::1": [0, 128],
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff": [0, 29],
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": [3, 32],
        "2001:db9::": [0, 32],
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": [2, 64],
      },
    },
  ];
  test.each(rows)("$name", ({ prefixes, expected }) => {
    const values = Object.entries(prefixes).map(([text, value]) => ({ prefix: prefix(text), value }));
    for (const [text, [value, prefixLength]] of Object.entries(expected)) {
      const { family, octets } = address(text);
      const table = tableOf(
        family,
        values.filter((entry) => entry.prefix.family === family),
      );
      expect(lookup(table, octets), text).toEqual({ value, prefixLength });
    }
  });

  test("reads the address at an offset", () => {
    const table = tableOf(4, [{ prefix: prefix("10.0.0.0/8"), value: 1 }]);
    const octets = Uint8Array.of(9, 9, 10, 1, 2, 3, 9);
    expect(lookup(table, octets, 2)).toEqual({ value: 1, prefixLength: 8 });
    expect(lookupRange(table, octets, 2)).toBe(1);
  });
});

const scenario = family.chain((family) =>
  fc.record({
    family: fc.constant(family),
    prefixes: fc.uniqueArray(fc.record({ prefix: prefixIn(family), value: fc.integer({ min: 0, max: 3 }) }), {
      maxLength: 24,
      selector: ({ prefix }) => formatPrefix(prefix),
    }),
    octets: octetsOf(family),
  }),
);

/** The plain model: go through all prefixes and keep the longest. */
function longestMatch(prefixes: readonly PrefixValue[], family: AddressFamily, octets: Uint8Array): number {
  const holding = prefixes.filter(({ prefix }) => prefixContains(prefix, { family, octets }));
  return holding.sort((a, b) => b.prefix.length - a.prefix.length)[0]?.value ?? 0;
}

/** The addresses where the value can change, and their neighbours, within the space. */
function edges(family: AddressFamily, prefixes: readonly PrefixValue[]): readonly Uint8Array[] {
  const space = 1n << BigInt(addressBits(family));
  return [0n, space, ...prefixes.flatMap(({ prefix }) => [firstOf(prefix), behind(prefix)])]
    .flatMap((edge) => [edge - 1n, edge, edge + 1n])
    .filter((edge) => edge >= 0n && edge < space)
    .map((edge) => toOctets(family, edge));
}

describe("a table made from random nested prefixes", () => {
  test("finds the value of the longest prefix", () => {
    fc.assert(
      fc.property(scenario, ({ family, prefixes, octets }) => {
        const table = tableOf(family, prefixes);
        for (const at of [octets, ...edges(family, prefixes)]) {
          expect(lookup(table, at).value).toBe(longestMatch(prefixes, family, at));
        }
      }),
    );
  });

  // RFC 7871 §7.2.1: the scope covers all addresses with the same answer, and here no fewer.
  test("gives the widest prefix in which all addresses have one value", () => {
    fc.assert(
      fc.property(scenario, ({ family, prefixes, octets }) => {
        const table = tableOf(family, prefixes);
        // Where no edge inside a prefix has another value, nothing inside it has.
        const candidates = edges(family, prefixes);
        for (const at of [octets, ...candidates]) {
          const { value, prefixLength } = lookup(table, at);
          const isUniform = (length: number): boolean => {
            const around = prefixOf({ family, octets: at }, length);
            return candidates
              .filter((edge) => prefixContains(around, { family, octets: edge }))
              .every((edge) => longestMatch(prefixes, family, edge) === value);
          };
          expect(isUniform(prefixLength)).toBe(true);
          if (prefixLength > 0) expect(isUniform(prefixLength - 1)).toBe(false);
        }
      }),
    );
  });

  test("is read back as prefixes that cover the space in order, and make the same table again", () => {
    fc.assert(
      fc.property(scenario, ({ family, prefixes }) => {
        const table = tableOf(family, prefixes);
        const read = [...prefixesOf(table)];
        let next = 0n;
        for (const { prefix } of read) {
          expect(firstOf(prefix)).toBe(next);
          next = behind(prefix);
        }
        expect(next).toBe(1n << BigInt(addressBits(family)));
        expect(tableOf(family, read)).toEqual(table);
      }),
    );
  });

  test("is the same in whatever order the prefixes come", () => {
    fc.assert(
      fc.property(scenario, ({ family, prefixes }) => {
        expect(tableOf(family, prefixes.toReversed())).toEqual(tableOf(family, prefixes));
      }),
    );
  });

  test("has values mapped and neighbours fused as if they had been equal from the start", () => {
    fc.assert(
      fc.property(scenario, ({ family, prefixes }) => {
        const halved = (value: number): number => value >> 1;
        const expected = tableOf(
          family,
          prefixes.map(({ prefix, value }) => ({ prefix, value: halved(value) })),
        );
        expect(mapValues(tableOf(family, prefixes), halved)).toEqual(expected);
      }),
    );
  });

  test("can be laid over in two goes where the second prefixes are the longer ones", () => {
    fc.assert(
      fc.property(scenario, fc.integer({ min: 0, max: 128 }), ({ family, prefixes }, length) => {
        const base = tableOf(
          family,
          prefixes.filter(({ prefix }) => prefix.length < length),
        );
        const longer = prefixes.filter(({ prefix }) => prefix.length >= length);
        expect(overlayPrefixes(base, longer)).toEqual(tableOf(family, prefixes));
      }),
    );
  });
});

describe("the builder", () => {
  test("keeps values above 65535 and starts that need more room than expected", () => {
    const builder = new PrefixTableBuilder(4, 1);
    for (let i = 0; i < 1000; i++) builder.append(Uint32Array.of(i * 256), 0, 65_000 + i);
    const table = builder.build();
    expect(table.rangeCount).toBe(1000);
    expect(lookup(table, Uint8Array.of(0, 3, 0xe7, 0))).toEqual({ value: 65_999, prefixLength: 24 });
  });

  test.each([
    { name: "a first range that does not start at address 0", starts: [1] },
    { name: "ranges that do not ascend", starts: [0, 5, 5] },
    { name: "no ranges", starts: [] },
  ])("refuses $name", ({ starts }) => {
    const builder = new PrefixTableBuilder(4);
    expect(() => {
      for (const [i, start] of starts.entries()) builder.append(Uint32Array.of(start), 0, i);
      builder.build();
    }).toThrow();
  });

  test("puts tables in shared memory, so that workers use one copy", () => {
    const { starts, values } = uniformTable(6, 1);
    expect([starts.buffer, values.buffer].every((buffer) => buffer instanceof SharedArrayBuffer)).toBe(true);
  });
});

test("the helper that numbers octets agrees with itself", () => {
  expect(toOctets(6, toNumber(address("2001:db8::ff").octets))).toEqual(address("2001:db8::ff").octets);
});
