/** The cache before the long path: octet for octet the same, whatever is asked, in whatever order, from wherever. */

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { answer } from "../src/answer.ts";
import { AnswerCache } from "../src/answer-cache.ts";
import { type DatacenterState, withState } from "../src/cloud/states.ts";
import { formatConfigError, loadConfig } from "../src/config/load.ts";
import { renderOpt } from "../src/dns/edns.ts";
import { parseType } from "../src/dns/iana.ts";
import { nameOctets } from "../src/dns/name.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import { parseAddress } from "../src/ip.ts";
import { buildSnapshot, type Snapshot, withStates } from "../src/snapshot.ts";
import type { Source } from "../src/trace.ts";
import { zonesOfRecords } from "../src/zone/zone.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";

const geoip = openGeoip(
  writeMmdb({
    "8.0.0.0/8": { country_code: "US" },
    "81.0.0.0/8": { country_code: "GB" },
    "2a00::/12": { country_code: "DE" },
  }),
);

function snapshotOf(path: string, changes: Partial<Snapshot["configuration"]["settings"]> = {}): Snapshot {
  const loaded = loadConfig(join(import.meta.dirname, path));
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const { configuration } = loaded;
  const settings = { ...configuration.settings, ...changes };
  const cookieSecrets = [new Uint8Array(16).fill(7), new Uint8Array(16).fill(9)];
  return buildSnapshot({ ...configuration, settings }, geoip, { cookieSecrets });
}

/** An option whose value is written out, as `10.1.0.0/24` in the client subnet. */
const option = (code: number, ...octets: readonly number[]) => ({ code, octets: Uint8Array.from(octets) });

interface Asked {
  readonly name: Uint8Array;
  readonly qtype: number;
  /** for each octet of the name, whether its case is turned */
  readonly turned: number;
  readonly recursionDesired: boolean;
  readonly flags: number;
  readonly edns:
    | { readonly size: number; readonly dnssecOk: boolean; readonly options: ReturnType<typeof option>[] }
    | undefined;
  readonly source: Source;
}

function messageOf({ name, qtype, turned, recursionDesired, flags, edns }: Asked): Uint8Array {
  const spelled = name.map((octet, i) => {
    const isLetter = (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a;
    return isLetter && (turned >> (i % 31)) & 1 ? octet ^ 0x20 : octet;
  });
  const opt =
    edns === undefined
      ? []
      : [
          renderOpt(
            { udpPayloadSize: edns.size, version: 0, dnssecOk: edns.dnssecOk, options: edns.options },
            0,
          ),
        ];
  const id = turned & 0xffff;
  const header = [id >> 8, id & 0xff, recursionDesired ? 1 : 0, flags, 0, 1, 0, 0, 0, 0, 0, opt.length];
  return Buffer.concat([
    Uint8Array.from(header),
    spelled,
    Uint8Array.of(qtype >> 8, qtype & 0xff, 0, 1),
    ...opt,
  ]);
}

const address = (text: string): Source["address"] => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

const listeners: readonly Pick<Source, "listener">[] = [
  {},
  { listener: { vantage: undefined, ignoresClientSubnet: true } },
  {
    listener: {
      vantage: { name: "sydney-office", address: address("10.4.0.0") },
      ignoresClientSubnet: false,
    },
  },
];

const source: fc.Arbitrary<Source> = fc
  .record({
    address: fc.constantFrom(
      ...["127.0.0.1", "10.1.0.53", "10.4.0.53", "8.8.8.8", "2001:db8:3::53", "::ffff:10.4.0.1"].map(address),
    ),
    port: fc.constant(5353),
    transport: fc.constantFrom("udp" as const, "tcp" as const),
    listener: fc.constantFrom(...listeners),
  })
  .map(({ listener, ...rest }) => ({ ...rest, ...listener }));

const subnets = [
  option(8, 0, 1, 24, 0, 10, 1, 7),
  option(8, 0, 1, 24, 0, 10, 4, 0),
  option(8, 0, 1, 32, 0, 8, 8, 8, 8),
  option(8, 0, 1, 9, 0, 81, 0),
  option(8, 0, 1, 16, 0, 172, 16),
  option(8, 0, 2, 56, 0, 0x20, 1, 0x0d, 0xb8, 0, 3, 0),
  option(8, 0, 2, 32, 0, 0x20, 2, 10, 4),
  option(8, 0, 1, 0, 0),
  option(8, 0, 0, 0, 0),
  // What is faulty or asks for more goes the long way.
  option(8, 0, 1, 24, 0, 10, 1),
  option(8, 0, 1, 24, 3, 10, 1, 7),
];
const cookie = option(10, 1, 2, 3, 4, 5, 6, 7, 8);
const others = [
  option(3),
  option(65001, 1),
  // Cookies of a client that knows no server cookie yet, one of another server, and one of a wrong length.
  cookie,
  option(10, ...cookie.octets, 1, 0, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8),
  option(10, ...cookie.octets, 1, 2),
];

const edns = fc.option(
  fc.record({
    size: fc.constantFrom(0, 512, 600, 1232, 4096),
    dnssecOk: fc.boolean(),
    options: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...subnets).map((each) => [each]) },
      { weight: 2, arbitrary: fc.constant<ReturnType<typeof option>[]>([]) },
      { weight: 3, arbitrary: fc.shuffledSubarray([...subnets.slice(0, 2), ...others]) },
    ),
  }),
  { nil: undefined },
);

const askedOf = (names: readonly Uint8Array[]): fc.Arbitrary<Asked> =>
  fc.record({
    name: fc.constantFrom(...names),
    qtype: fc.constantFrom(
      ...["A", "A", "A", "AAAA", "CNAME", "MX", "TXT", "SOA", "NS", "ANY", "HTTPS", "CAA", "AXFR", "OPT"].map(
        (text) => parseType(text) ?? 0,
      ),
    ),
    turned: fc.nat(0x7fffffff),
    recursionDesired: fc.boolean(),
    flags: fc.constantFrom(0, 0, 0, 0x20, 0x10, 0x40, 0x05),
    edns,
    source,
  });

/** Names that exist, and beside and below each one that may not. */
function namesOf({ configuration }: Snapshot, limit: number): readonly Uint8Array[] {
  const names = zonesOfRecords(configuration.zones).flatMap(({ nodes }) =>
    [...nodes].map(([name]) => nameOctets(name)),
  );
  const step = Math.max(1, Math.floor(names.length / limit));
  const some = names.filter((_, i) => i % step === 0);
  const beside = some
    .slice(0, 20)
    .flatMap((name) => (name.length < 200 ? [Uint8Array.from([1, 0x78, ...name])] : []));
  return [...some, ...beside, Uint8Array.of(0), nameOctets("www.example.org." as never)];
}

/** Plays queries through one cache, and tells how many it knew. */
function play(snapshot: Snapshot, queries: readonly Asked[], cache = new AnswerCache(snapshot)): number {
  let known = 0;
  for (const asked of queries) {
    const message = messageOf(asked);
    const expected = answer(snapshot, message, asked.source, 0);
    const found = cache.find(message, asked.source, 0);
    if (expected.kind !== "answered") {
      expect(found).toBeUndefined();
      continue;
    }
    if (found !== undefined) {
      known++;
      expect(Buffer.from(found.octets ?? [])).toEqual(Buffer.from(expected.octets ?? []));
      expect(traceOf(found.trace)).toEqual(traceOf(expected.trace));
    } else cache.keep(message, expected);
  }
  return known;
}

/** What the log and the journal tell of a query. */
function traceOf(
  trace: ReturnType<AnswerCache["find"]> extends infer A ? (A extends { trace: infer T } ? T : never) : never,
) {
  if (trace.kind !== "answer") return trace.kind;
  const { query, asker, resolution } = trace;
  const { rcode, scopePrefixLength, hops, extendedErrors, stop } = resolution;
  return {
    qname: Buffer.from(query.question.qname).toString("latin1"),
    qtype: query.question.qtype,
    header: query.header,
    clientSubnet: query.clientSubnet && {
      ...query.clientSubnet,
      addressOctets: [...query.clientSubnet.addressOctets],
    },
    asker,
    resolution: { rcode, scopePrefixLength, extendedErrors, stop },
    choices: hops.map(({ name, found, tailoring }) => [
      name,
      found,
      tailoring && [tailoring.choice, tailoring.order, tailoring.locationClass?.number],
    ]),
  };
}

describe.each([
  ["the default lab", "../config/geodns365.yaml", 150],
  ["plain records, wildcards and delegations", "scenarios/fixtures/plain-zone.yaml", 100],
  ["names with rules", "scenarios/fixtures/tailored.yaml", 100],
  ["nearness of every kind", "scenarios/fixtures/nearness.yaml", 100],
  ["DNAMEs and cuts", "scenarios/fixtures/cuts.yaml", 100],
  ["zones with quirks", "scenarios/fixtures/quirks.yaml", 100],
] as const)("%s", (_, path, limit) => {
  const base = snapshotOf(path);
  const names = namesOf(base, limit);

  it.each([
    ["as configured", {}],
    ["with first-cname", { answer: "first-cname" }],
    ["with nobody trusted", { clientSubnetTrust: "none" }],
    ["with cookies demanded", { cookies: "require" }],
  ] as const)("%s", (_way, changes) => {
    const snapshot = snapshotOf(path, changes);
    let known = 0;
    fc.assert(
      fc.property(fc.array(askedOf(names), { minLength: 50, maxLength: 200 }), (queries) => {
        // Twice, so that much is known the second time.
        known += play(snapshot, [...queries, ...queries]);
      }),
      { numRuns: 15 },
    );
    expect(known).toBeGreaterThan(100);
  });

  it("messages with octets changed, cut off or added, beside the ones that are known", () => {
    const changes = fc.array(fc.tuple(fc.nat(0xffff), fc.nat(0xff)), { maxLength: 3 });
    const endings = fc.oneof(fc.constant(0), fc.integer({ min: -20, max: 20 }));
    const cache = new AnswerCache(base);
    let known = 0;
    fc.assert(
      fc.property(askedOf(names), changes, endings, (asked, changed, ending) => {
        play(base, [asked], cache);
        const sound = messageOf(asked);
        const length = Math.max(0, sound.length + ending);
        const message = Buffer.concat([sound, Buffer.alloc(20)]).subarray(0, length);
        for (const [at, octet] of changed) if (length > 0) message[at % length] = octet;
        const found = cache.find(message, asked.source, 0);
        if (found === undefined) return;
        known++;
        const expected = answer(base, message, asked.source, 0);
        expect(expected.kind).toBe("answered");
        if (expected.kind === "answered") expect(found.octets).toEqual(Buffer.from(expected.octets ?? []));
      }),
      { numRuns: 4000 },
    );
    expect(known).toBeGreaterThan(20);
  });

  it("before and after changes of state, each snapshot with a cache of its own", () => {
    const datacenters = base.configuration.clouds.flatMap((cloud) => cloud.datacenters);
    if (datacenters.length === 0) return;
    const change = fc.tuple(
      fc.constantFrom(...datacenters),
      fc.constantFrom<DatacenterState>("up", "draining", "down"),
    );
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 20 }),
        fc.array(askedOf(names), { minLength: 30, maxLength: 100 }),
        (changed, queries) => {
          const states = changed.reduce((all, [{ id }, state]) => withState(all, id, state), base.states);
          play(withStates(base, states), [...queries, ...queries]);
        },
      ),
      { numRuns: 15 },
    );
  });
});

test("what was kept goes when there is too much of it", () => {
  const snapshot = snapshotOf("scenarios/fixtures/plain-zone.yaml");
  const cache = new AnswerCache(snapshot);
  const from: Source = { address: address("192.0.2.1"), port: 53, transport: "udp" };
  const queryFor = (name: string): Asked => ({
    name: nameOctets(name as never),
    qtype: 1,
    turned: 0,
    recursionDesired: false,
    flags: 0,
    edns: undefined,
    source: from,
  });
  const names = Array.from({ length: 40_000 }, (_, i) => `n${i}.wild.lab.example.`);
  play(snapshot, names.map(queryFor), cache);
  const stillKnown = names.filter((name) => cache.find(messageOf(queryFor(name)), from, 0) !== undefined);
  expect(stillKnown.length).toBeGreaterThan(0);
  expect(stillKnown.length).toBeLessThan(names.length);
});
