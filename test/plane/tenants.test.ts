/** Tenants share what is rendered once: what worker threads write for each is octet for octet what the long path would. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { answer } from "../../src/answer.ts";
import { AnswerCache } from "../../src/answer-cache.ts";
import { allUp, type DatacenterState, type TenantPlace, withState } from "../../src/cloud/states.ts";
import type { Datacenter } from "../../src/cloud/topology.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { parseAddress, parsePrefix } from "../../src/ip.ts";
import { FastPath, type FastSource } from "../../src/plane/fast-path.ts";
import { buildSnapshot, type Snapshot, withStates } from "../../src/snapshot.ts";
import type { Source } from "../../src/trace.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-tenants-"));
afterAll(() => rmSync(folder, { recursive: true }));

const config = join(import.meta.dirname, "../../config");
const hasExchange = (i: number): boolean => i % 7 < 3;
const hasSharepoint = (i: number): boolean => i % 11 < 4;
const datacenters = ["lhr", "ams", "dub", "boydton", "chicago", "sin"];

/** Labels of every length, some of which stand in the names of chains too. */
const labels = [
  ...["com", "Net", "sharepoint", "akadns", "A", "x1", "prod-Farm", "z".repeat(40), "y".repeat(50)],
  ...Array.from({ length: 600 }, (_, i) => `${"abcdefghij".slice(0, i % 11)}${"Tenant".slice(0, i % 7)}${i}`),
];
/** Workloads with a home of their own. */
const homes = labels.flatMap((label, i) => [
  ...(hasExchange(i) ? [`${label}/exchange`] : []),
  ...(hasSharepoint(i) ? [`${label}/sharepoint`] : []),
]);
const at = <T>(list: readonly T[], i: number): T => {
  const item = list[i % list.length];
  if (item === undefined) throw new Error("an empty list");
  return item;
};

writeFileSync(
  join(folder, "tenants.csv"),
  [
    "tenant,cloud,geo,active,standby,failover,domains,exchangeActive,exchangeStandby,sharepointActive,sharepointFailover",
    ...labels.map((label, i) => {
      const active = at(datacenters, i);
      const standby = i % 5 === 0 ? "" : at(datacenters, i + 1);
      const domains = i % 3 === 0 ? `${label}.example d${i}.test` : "";
      const exchange = hasExchange(i) ? [at(datacenters, i + 2), at(datacenters, i + 3)] : ["", ""];
      const sharepoint = hasSharepoint(i) ? [at(datacenters, i + 4), i % 2 === 0 ? "manual" : ""] : ["", ""];
      return [
        ...[label, "Worldwide", "EUR", active, standby, i % 4 === 0 ? "manual" : "automatic", domains],
        ...[...exchange, ...sharepoint],
      ].join(",");
    }),
  ].join("\n"),
);
writeFileSync(
  join(folder, "lab.yaml"),
  `include: [${config}/networks.yaml, ${config}/countries.yaml, "${config}/clouds/*.yaml", tenants.yaml]\ngeoip: { database: none }\n`,
);
writeFileSync(
  join(folder, "open.yaml"),
  "include: [lab.yaml]\nclouds: { Worldwide: { unknownTenants: { geo: EUR } } }\n",
);
writeFileSync(join(folder, "tenants.yaml"), "tenantFiles: [tenants.csv]\n");

const loaded = loadConfig(join(folder, "lab.yaml"));
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const { configuration } = loaded;
const base = buildSnapshot(configuration, undefined);
const worldwide = configuration.clouds.find(({ name }) => name === "Worldwide")?.datacenters ?? [];
const datacenter = (id: string): Datacenter => {
  const found = worldwide.find(({ shortId }) => shortId === id);
  if (found === undefined) throw new Error(id);
  return found;
};

const forms = [
  (label: string) => `${label}.sharepoint.com.`,
  (label: string) => `${label}-my.sharepoint.com.`,
  (label: string) => `${label}-admin.sharepoint.com.`,
  (label: string) => `${label}-files.sharepoint.com.`,
  (label: string) => `${label}-myfiles.sharepoint.com.`,
  (label: string) => `${label}-example.mail.protection.outlook.com.`,
];

interface Asked {
  readonly name: string;
  readonly qtype: number;
  readonly isTurned: boolean;
  readonly id: number;
  readonly subnet: string | undefined;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  name: fc
    .tuple(
      fc.constantFrom(...labels, "nobody", ...homes.filter(({ length }) => length < 40).slice(0, 20)),
      fc.constantFrom(...forms),
    )
    .map(([label, form]) => form(label)),
  qtype: fc.constantFrom(1, 1, 28, 5, 16, 15, 255),
  isTurned: fc.boolean(),
  id: fc.nat(0xffff),
  subnet: fc.constantFrom("10.1.0.0/16", "2001:db8:3::/56", undefined),
});

const loopback = parseAddress("127.0.0.1");
if (loopback === undefined) throw new Error("no address");
const source: Source = { address: loopback, port: 53, transport: "udp" };
const fastSource: FastSource = {
  isTcp: false,
  family: 4,
  octets: loopback.octets,
  at: 0,
  vantage: undefined,
  ignoresClientSubnet: false,
};

function messageOf({ name, qtype, isTurned, id, subnet }: Asked): Uint8Array {
  const prefix = subnet === undefined ? undefined : parsePrefix(subnet);
  if (typeof prefix === "string") throw new Error(prefix);
  const spelled = isTurned ? name.toUpperCase() : name;
  return renderQuery(
    {
      qname: nameOctets(nameOf(name)).map((octet, i) => (i === 0 ? octet : spell(spelled, octet))),
      qtype,
      qclass: 1,
    },
    { id, recursionDesired: id % 2 === 0, edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix } },
  );
}

/** A letter in the case that most of the name has. */
const spell = (name: string, octet: number): number =>
  name === name.toUpperCase() && octet >= 0x61 && octet <= 0x7a ? octet - 0x20 : octet;

const memory = new ArrayBuffer(8192);
const output = { octets: new Uint8Array(memory), words: new Int32Array(memory) };

/** Plays queries, and tells how many of them the fast path knew. */
function play(snapshot: Snapshot, cache: AnswerCache, queries: readonly Asked[]): number {
  const fast = new FastPath(cache.publish(1));
  let known = 0;
  for (const query of queries) {
    const message = messageOf(query);
    const expected = answer(snapshot, message, source, 0);
    if (expected.kind !== "answered") throw new Error("nothing here is scripted");
    const length = fast.answer(message, 0, message.length, fastSource, 0, output, 0);
    if (length === 0) {
      cache.keep(message, expected);
      continue;
    }
    known++;
    const octets = Buffer.from(output.octets.subarray(0, length)).toString("hex");
    expect(octets, query.name).toBe(Buffer.from(expected.octets ?? []).toString("hex"));
  }
  return known;
}

describe("answers to tenants are those of the long path", () => {
  const changes = fc.array(
    fc.tuple(fc.constantFrom(...datacenters), fc.constantFrom<DatacenterState>("up", "draining", "down")),
    { maxLength: 6 },
  );
  const moves = fc.array(
    fc.record({
      label: fc.constantFrom(...labels, ...homes),
      active: fc.constantFrom(...datacenters),
      standby: fc.constantFrom(...datacenters, undefined),
      serving: fc.constantFrom("active" as const, "standby" as const),
    }),
    { maxLength: 30 },
  );

  test("in every state, wherever they are moved to, whatever they are called", () => {
    let known = 0;
    let all = 0;
    fc.assert(
      fc.property(
        changes,
        moves,
        fc.array(asked, { minLength: 300, maxLength: 600 }),
        (changed, moved, queries) => {
          const states = changed.reduce(
            (before, [id, state]) => withState(before, datacenter(id).id, state),
            allUp,
          );
          const places = new Map<string, TenantPlace>(
            moved.map(({ label, active, standby, serving }) => [
              label,
              {
                active: datacenter(active),
                standby: standby === undefined ? undefined : datacenter(standby),
                serving: standby === undefined ? "active" : serving,
              },
            ]),
          );
          const snapshot = withStates(base, states, places);
          known += play(snapshot, new AnswerCache(snapshot), [...queries, ...queries]);
          all += 2 * queries.length;
        },
      ),
      { numRuns: 12 },
    );
    // Names that do not exist, and the first two of each kind, are not among them.
    expect(known / all).toBeGreaterThan(0.4);
  });

  test("and those that there are not are made each time, however many are asked for", () => {
    const open = loadConfig(join(folder, "open.yaml"));
    if (open.kind === "errors") throw new Error(open.errors.map(formatConfigError).join("\n"));
    const snapshot = buildSnapshot(open.configuration, undefined);
    const cache = new AnswerCache(snapshot);
    const ask = (name: string, id: number): Asked => ({
      name,
      qtype: id % 5 === 0 ? 16 : 1,
      isTurned: false,
      id,
      subnet: undefined,
    });
    const unknown = forms.flatMap((form, f) =>
      Array.from({ length: 40 }, (_, i) => ask(form(`nobody${i}`), 40 * f + i)),
    );
    const before = new FastPath(cache.publish(1)).answers.usedOctets;
    expect(play(snapshot, cache, [...unknown, ...unknown])).toBe(0);
    expect(new FastPath(cache.publish(1)).answers.usedOctets).toBe(before);
    // Those that there are have theirs from shared memory as ever.
    const known = labels.map((label, id) => ask(`${label}-my.sharepoint.com.`, 5 * id + 1));
    play(snapshot, cache, known);
    expect(play(snapshot, cache, known)).toBe(labels.length);
  });

  test("and a few of them are enough for all", () => {
    const cache = new AnswerCache(base);
    const name = (label: string, id: number): Asked => ({
      name: `${label}-my.sharepoint.com.`,
      qtype: 1,
      isTurned: false,
      id,
      subnet: undefined,
    });
    play(base, cache, labels.map(name));
    // Of each datacenter and farm slot two were enough.
    expect(play(base, cache, labels.map(name))).toBe(labels.length);
    const kept = cache.publish(1);
    expect(new FastPath(kept).answers.usedOctets).toBeLessThan(1 << 20);
  });
});
