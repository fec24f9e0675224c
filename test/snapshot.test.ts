/** Rules of tailored names over random networks: the answer is that of the rule, and its scope is exact. */

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRule, type RecordsName, type Rules, shapeOf } from "../src/cloud/record-rules.ts";
import type { TailoredName } from "../src/cloud/tailored-name.ts";
import type { Configuration, Network } from "../src/config/configuration.ts";
import { loadConfig } from "../src/config/load.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { parseRecordLine } from "../src/dns/record-line.ts";
import {
  addressBits,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  prefixContains,
  prefixOf,
} from "../src/ip.ts";
import { buildSnapshot, ruleClass, type Snapshot } from "../src/snapshot.ts";
import { ZoneBuilder } from "../src/zone/zone.ts";
import {
  address,
  family,
  holding,
  innermost,
  octetsOf,
  prefix,
  prefixIn,
  toNumber,
  toOctets,
  turnsOf,
} from "./geo/prefixes.ts";

const loaded = loadConfig(join(import.meta.dirname, "scenarios/fixtures/plain-zone.yaml"));
if (loaded.kind === "errors") throw new Error("the fixture has errors");
const { configuration } = loaded;

const apex = nameOf("lab.example");
const soa = record("@ SOA ns1 hostmaster 1 2 3 4 5");

function record(line: string) {
  const rrset = parseRecordLine(line, nameOctets(apex), 60);
  if (typeof rrset === "string") throw new Error(rrset);
  return rrset;
}

/** The list that holds one address, 192.0.2.N; of 0 it is empty. */
const listOf = (n: number) => (n === 0 ? [] : [record(`geo A 192.0.2.${n}`)]);

function recordsName(label: string, rules: Rules): RecordsName {
  return { kind: "records", name: nameOf(`${label}.lab.example`), rules, types: new Set([1]) };
}

function snapshotOf(names: readonly RecordsName[], changes: Partial<Configuration> = {}): Snapshot {
  const builder = new ZoneBuilder<TailoredName>(apex);
  builder.addRRset(soa);
  for (const tailored of names) builder.addTailored(tailored.name, tailored, tailored.types);
  return buildSnapshot(
    { ...configuration, zones: new Map([[apex, builder.build()]]), ...changes },
    undefined,
  );
}

const noRules: Rules = {
  networks: [],
  countries: new Map(),
  continents: new Map(),
  otherwise: { kind: "no-rule" },
};

const codes = ["DE", "FR", "US"] as const;

/** Nested prefixes of both families, some listed with a list and some networks in a country. */
const lab = fc.record({
  listed: fc.array(fc.tuple(family.chain(prefixIn), fc.integer({ min: 0, max: 3 })), { maxLength: 12 }),
  networks: fc.array(fc.tuple(family.chain(prefixIn), fc.constantFrom(...codes)), { maxLength: 6 }),
  germany: fc.integer({ min: 0, max: 3 }),
  otherwise: fc.integer({ min: 0, max: 3 }),
});
type Lab = typeof lab extends fc.Arbitrary<infer T> ? T : never;

/** Each prefix once. */
const unique = <T>(pairs: readonly (readonly [IpPrefix, T])[]): readonly (readonly [IpPrefix, T])[] => [
  ...new Map(pairs.map((pair) => [formatPrefix(pair[0]), pair])).values(),
];

function longest<T>(pairs: readonly (readonly [IpPrefix, T])[], at: IpAddress): T | undefined {
  return pairs
    .filter(([each]) => prefixContains(each, at))
    .toSorted(([a], [b]) => b.length - a.length)[0]?.[1];
}

function buildLab({ listed, networks, germany, otherwise }: Lab) {
  const listedOnce = unique(listed);
  const networksOnce = unique(networks);
  const name = recordsName("geo", {
    networks: listedOnce.map(([each, n]) => ({ network: undefined, prefix: each, list: listOf(n) })),
    countries: new Map([["DE", listOf(germany)]]),
    continents: new Map(),
    otherwise: { kind: "default", list: listOf(otherwise) },
  });
  const places: readonly Network[] = networksOnce.map(([each, country], i) => ({
    name: `network-${i}`,
    kind: "office",
    prefixes: [each],
    place: { country, coordinates: [0, 0] },
  }));
  const snapshot = snapshotOf([name], { networks: places });
  /** The number of the list by the plainest reading of the rules; the default location is in no rule's country. */
  const naive = (asked: IpAddress): number => {
    const at = innermost(asked);
    return longest(listedOnce, at) ?? (longest(networksOnce, at) === "DE" ? germany : otherwise);
  };
  return { name, snapshot, naive, prefixes: [...listedOnce, ...networksOnce].map(([each]) => each) };
}

describe("rules over nested networks", () => {
  test("give the records of the longest listed prefix, and a scope that no wider prefix could have", () => {
    const asked: fc.Arbitrary<IpAddress> = fc.oneof(
      family.chain((each) => octetsOf(each).map((octets) => ({ family: each, octets }))),
      fc.tuple(octetsOf(4), fc.nat(2)).map(([octets, block]) => holding(octets, block)),
    );
    fc.assert(
      fc.property(lab, fc.array(asked, { minLength: 1, maxLength: 6 }), (random, addresses) => {
        const { name, snapshot, naive, prefixes } = buildLab(random);
        for (const at of addresses) {
          const { locationClass, rule } = ruleClass(snapshot, name, at);
          expect(rule?.list).toEqual(listOf(naive(at)));
          const bits = addressBits(at.family);
          // Between two of these addresses nothing changes, so they stand for all.
          const turns = turnsOf(at.family, prefixes);
          const scope = prefixOf(at, locationClass.prefixLength);
          const inside = turns.filter((turn) => prefixContains(scope, turn));
          for (const other of [{ family: at.family, octets: scope.octets }, ...inside]) {
            expect(naive(other)).toBe(naive(at));
            expect(ruleClass(snapshot, name, other).locationClass.number).toBe(locationClass.number);
          }
          if (scope.length === 0) continue;
          const wider = prefixOf(at, scope.length - 1);
          const start = toNumber(scope.octets) ^ (1n << BigInt(bits - scope.length));
          const sibling = { family: at.family, octets: toOctets(at.family, start) };
          const beside = [sibling, ...turns.filter((turn) => prefixContains(wider, turn))];
          expect(beside.some((other) => naive(other) !== naive(at))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("tables", () => {
  const rules = (first: number, second: number): Rules => ({
    ...noRules,
    networks: [
      { network: undefined, prefix: prefix("10.0.0.0/8"), list: listOf(first) },
      { network: undefined, prefix: prefix("10.1.0.0/16"), list: listOf(second) },
    ],
  });

  test("are shared by names whose rules differ in the records alone", () => {
    const names = [rules(1, 2), rules(3, 4), rules(1, 1)].map((each, i) => recordsName(`name-${i}`, each));
    const { ruleTables } = snapshotOf(names);
    const [a, b, c] = names.map((name) => ruleTables.get(name));
    expect(b).toBe(a);
    expect(c).not.toBe(a);
    expect(shapeOf(rules(3, 4)).key).toBe(shapeOf(rules(1, 2)).key);
  });

  test("are the same outside its networks for names that differ in those alone", () => {
    const country = (networks: Rules["networks"]): Rules => ({
      ...rules(1, 2),
      networks,
      countries: new Map([["DE", listOf(3)]]),
    });
    const few = recordsName("few", country([]));
    const more = recordsName("more", country(rules(1, 2).networks));
    const berlin: Network = {
      name: "berlin",
      kind: "office",
      prefixes: [prefix("192.0.2.0/24")],
      place: { country: "DE", coordinates: [0, 0] },
    };
    const { ruleTables } = snapshotOf([few, more], { networks: [berlin] });
    expect(shapeOf(more.rules).locationKey).toBe(shapeOf(few.rules).locationKey);
    expect(ruleTables.get(more)?.classes.family6).toBe(ruleTables.get(few)?.classes.family6);
  });

  test("know an IPv4-mapped address as IPv4", () => {
    const name = recordsName("geo", rules(1, 2));
    const found = ruleClass(snapshotOf([name]), name, address("::ffff:10.1.2.3"));
    expect([found.locationClass.prefixLength, found.rule?.list]).toEqual([112, listOf(2)]);
  });
});

describe("of several rules that could hold", () => {
  const rules: Rules = {
    networks: [{ network: "berlin", prefix: prefix("10.0.0.0/8"), list: listOf(1) }],
    countries: new Map([["DE", listOf(2)]]),
    continents: new Map([["EU", listOf(3)]]),
    otherwise: { kind: "default", list: listOf(4) },
  };
  const [networkRule] = rules.networks;
  test.each([
    ["network", { networkRule, country: "DE", continent: "EU" }],
    ["country", { networkRule: undefined, country: "DE", continent: "EU" }],
    ["continent", { networkRule: undefined, country: "FR", continent: "EU" }],
    ["default", { networkRule: undefined, country: "JP", continent: "AS" }],
    ["default", { networkRule: undefined, country: undefined, continent: undefined }],
  ] as const)("the %s counts at %o", (kind, where) => {
    expect(findRule(rules, where)?.kind).toBe(kind);
  });
  test("none holds where there is no default", () => {
    const where = { networkRule: undefined, country: "JP", continent: undefined };
    expect(findRule({ ...rules, otherwise: noRules.otherwise }, where)).toEqual({
      kind: "no-rule",
      list: [],
    });
  });
});
