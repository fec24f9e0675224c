// A zone's serial moves with its content and only then, over restarts too.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withState } from "../../src/cloud/states.ts";
import { alternativesOf } from "../../src/config/build-zones.ts";
import { formatConfigError } from "../../src/config/load.ts";
import { TYPE } from "../../src/dns/iana.ts";

import { loadSnapshot } from "../../src/load-snapshot.ts";
import { type Snapshot, withStates } from "../../src/snapshot.ts";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import { digestOfZone, nextSerials, serialAfter } from "../../src/state/serials.ts";
import type { StoredState } from "../../src/state/stored-state.ts";
import { serialOf, zonesOfRecords } from "../../src/zone/zone.ts";

const networks = `networks:
  east: { prefixes: [192.0.2.0/24], place: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] } }
  west: { prefixes: [198.51.100.0/24], place: { city: Chicago, country: US, coordinates: [41.88, -87.63] } }
`;

const tyo = `tyo: { city: Tokyo, country: JP, coordinates: [35.68, 139.69], geo: JPN, roles: [front-end, tenants], addresses: [198.18.1.0/24] }`;
const chi = `chi: { city: Chicago, country: US, coordinates: [41.88, -87.63], geo: NAM, roles: [front-end, tenants], addresses: [198.18.2.0/24, "2001:db8:f002::/48"] }`;

const web = `web:
    policy: nearest-datacenter
    names: [www.shop.example]
    ttl: 300
    chain: [{ name: "{datacenter}.shop.example", ttl: 60 }]
    addresses: { slice: 0, count: 2 }`;
const api = `api:
    policy: nearest-datacenter
    names: [api.shop.example]
    ttl: 30
    addresses: { slice: 2, count: 1 }`;
const mail = `mail:
    policy: active-datacenter
    names: ["{tenant}.mail.example"]
    ttl: 120
    addresses: { slice: 1, count: 1 }`;

const cloud = `cloud: Shop
zones: [shop.example, mail.example]
datacenters:
  ${tyo}
  ${chi}
services:
  ${web}
  ${api}
  ${mail}
`;

const acme = "acme: { cloud: Shop, geo: JPN, active: tyo, standby: chi }";
const bolt = "bolt: { cloud: Shop, geo: NAM, active: chi }";
const tenants = `tenants:
  ${acme}
`;

const settings = `geoip: { database: none }
zones: [lab.example, given.example]
records:
  lab.example:
    - "www 300 A 192.0.2.25"
    - "www 300 A 192.0.2.26"
    - "@ MX 10 www"
  given.example:
    - "@ 3600 SOA ns1 hostmaster 2026010100 3600 600 604800 60"
    - "www A 192.0.2.25"
tailored:
  lab.example:
    geo:
      ttl: 90
      networks: { 10.0.0.0/8: [A 192.0.2.8], east: [A 192.0.2.9] }
      countries: { DE: [A 192.0.2.49] }
      default: [A 192.0.2.98, A 192.0.2.99]
    near: { nearest: { tyo: [A 192.0.2.81], chi: [A 192.0.2.82] } }
`;

const lab = [settings, networks, cloud, tenants].join("---\n");

const replaced = (text: string, from: string, to: string): string => {
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  return text.replace(from, to);
};
const swapped = (text: string, a: string, b: string): string =>
  replaced(replaced(replaced(text, a, "\0"), b, a), "\0", b);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "geodns365-serials-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function load(text: string, keepState: boolean): Promise<Snapshot> {
  const path = join(folder, "lab.yaml");
  writeFileSync(path, text);
  const loaded = await loadSnapshot(path, { keepState });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  expect(loaded.warnings).toEqual([]);
  return loaded.snapshot;
}

const start = (text: string): Promise<Snapshot> => load(text, true);

const serials = ({ configuration }: Snapshot): Readonly<Record<string, number>> =>
  Object.fromEntries(zonesOfRecords(configuration.zones).map(({ apex, soa }) => [apex, serialOf(soa)]));

const first = { "lab.example.": 1, "given.example.": 2026010100, "shop.example.": 1, "mail.example.": 1 };

test("the first start counts from 1, and a given serial is that", async () => {
  expect(serials(await start(lab))).toEqual(first);
});

describe("a serial moves on by one with", () => {
  const shop = { "shop.example.": 2 };
  const both = { "shop.example.": 2, "mail.example.": 2 };
  test.each<[what: string, changed: string, moved: Readonly<Record<string, number>>]>([
    ["a record changed", replaced(lab, "192.0.2.26", "192.0.2.27"), { "lab.example.": 2 }],
    ["a record added", replaced(lab, `- "@ MX`, `- "new A 192.0.2.1"\n    - "@ MX`), { "lab.example.": 2 }],
    ["a record gone", replaced(lab, `    - "www 300 A 192.0.2.26"\n`, ""), { "lab.example.": 2 }],
    [
      "a type changed, its RDATA the same",
      replaced(lab, `"@ MX 10 www"`, String.raw`'@ TYPE65400 \# 19 000a03777777036c6162076578616d706c6500'`),
      { "lab.example.": 2 },
    ],
    ["a TTL changed", lab.replaceAll("www 300", "www 301"), { "lab.example.": 2 }],
    [
      "the name servers' addresses",
      replaced(lab, "geoip:", "server: { nameservers: { ns1: [198.18.0.1], ns2: [198.18.0.2] } }\ngeoip:"),
      { "lab.example.": 2, ...both },
    ],
    ["the TTL of a name with rules", replaced(lab, "ttl: 90", "ttl: 91"), { "lab.example.": 2 }],
    ["a record of a rule", replaced(lab, "A 192.0.2.49", "A 192.0.2.50"), { "lab.example.": 2 }],
    ["the prefix of a rule", replaced(lab, "10.0.0.0/8", "10.0.0.0/9"), { "lab.example.": 2 }],
    ["the country of a rule", replaced(lab, "DE:", "AT:"), { "lab.example.": 2 }],
    [
      "the records of two rules exchanged",
      swapped(lab, "A 192.0.2.8]", "A 192.0.2.9]"),
      { "lab.example.": 2 },
    ],
    [
      "the records of two datacenters exchanged",
      swapped(lab, "A 192.0.2.81]", "A 192.0.2.82]"),
      { "lab.example.": 2 },
    ],
    ["a rule gone", replaced(lab, "      countries: { DE: [A 192.0.2.49] }\n", ""), { "lab.example.": 2 }],
    ["the TTL of a tailored name", replaced(lab, "ttl: 300", "ttl: 301"), shop],
    ["the TTL inside a chain", replaced(lab, "ttl: 60", "ttl: 61"), shop],
    ["the names of a chain", replaced(lab, "{datacenter}.shop", "{datacenter}-fe.shop"), shop],
    [
      "a link more in a chain",
      replaced(lab, "chain: [", `chain: [{ name: geo.shop.example, ttl: 9 }, `),
      shop,
    ],
    ["the number of addresses", replaced(lab, "slice: 2, count: 1", "slice: 2, count: 3"), shop],
    [
      "the slice of addresses",
      replaced(lab, "slice: 1, count: 1", "slice: 3, count: 1"),
      { "mail.example.": 2 },
    ],
    ["the pool of a datacenter", replaced(lab, "198.18.1.0/24", "198.18.3.0/24"), both],
    ["a pool of the other family", replaced(lab, `, "2001:db8:f002::/48"`, ""), both],
    [
      "a datacenter more",
      replaced(
        lab,
        `  ${chi}`,
        `  ${chi}\n  ${chi.replace("chi:", "ord:").replace("198.18.2.0/24", "198.18.4.0/24").replace("f002", "f004")}`,
      ),
      shop,
    ],
    [
      "a datacenter no longer a front end",
      replaced(lab, "JPN, roles: [front-end, tenants]", "JPN, roles: [tenants]"),
      shop,
    ],
    ["a tenant more", replaced(lab, acme, `${acme}\n  ${bolt}`), { "mail.example.": 2 }],
    ["a tenant gone", replaced(lab, tenants, "tenants: {}\n"), { "mail.example.": 2 }],
    ["a standby gone", replaced(lab, ", standby: chi", ""), { "mail.example.": 2 }],
    [
      "the active datacenter changed",
      replaced(lab, "active: tyo, standby: chi", "active: chi, standby: tyo"),
      { "mail.example.": 2 },
    ],
  ])("%s", async (_what, changed, moved) => {
    await start(lab);
    expect(serials(await start(changed))).toEqual({ ...first, ...moved });
    expect(serials(await start(changed))).toEqual({ ...first, ...moved });
  });
});

describe("a serial stays with", () => {
  test.each<[what: string, same: string]>([
    ["nothing changed", lab],
    ["records in another order", swapped(lab, `"www 300 A 192.0.2.25"`, `"@ MX 10 www"`)],
    ["addresses in another order", swapped(lab, "192.0.2.25", "192.0.2.26")],
    ["zones in another order", replaced(lab, "[lab.example, given.example]", "[given.example, lab.example]")],
    ["datacenters in another order", swapped(lab, tyo, chi)],
    ["services in another order", swapped(lab, web, mail)],
    ["documents in another order", [tenants, cloud, networks, settings].join("---\n")],
    ["an owner name spelled otherwise", replaced(lab, "api.shop", "API.Shop")],
    ["a network moved, that a rule names too", replaced(lab, "192.0.2.0/24", "203.0.113.0/24")],
    ["rules in another order", swapped(lab, "10.0.0.0/8: [A 192.0.2.8]", "east: [A 192.0.2.9]")],
    ["records of a rule in another order", swapped(lab, "A 192.0.2.98", "A 192.0.2.99")],
    ["a comment", `# nothing\n${lab}`],
    ["settings that answer otherwise", `server: { answer: first-cname }\n${lab}`],
    [
      "the same datacenter named as a candidate",
      replaced(lab, "ttl: 30\n", "ttl: 30\n    datacenters: [chi, tyo]\n"),
    ],
  ])("%s", async (_what, same) => {
    await start(lab);
    expect(serials(await start(same))).toEqual(first);
  });

  test("tenants in another order", async () => {
    const two = replaced(lab, acme, `${acme}\n  ${bolt}`);
    await start(two);
    expect(serials(await start(swapped(two, acme, bolt)))).toEqual(first);
  });

  test("states of datacenters", async () => {
    const snapshot = await start(lab);
    const [down] = snapshot.configuration.clouds.flatMap(({ datacenters }) => datacenters);
    if (down === undefined) throw new Error("there is no datacenter");
    const outage = withStates(snapshot, withState(snapshot.states, down.id, "down"));
    expect(serials(outage)).toEqual(first);
    const { zones } = outage.configuration;
    expect(nextSerials(zones, stored().zones, alternativesOf).changed).toBe(false);
  });

  test("its own count: the serial is no part of what it counts", async () => {
    await start(lab);
    const { zones } = (await start(replaced(lab, "192.0.2.26", "192.0.2.27"))).configuration;
    const zone = zonesOfRecords(zones).find(({ apex }) => apex === "lab.example.");
    expect(zone && digestOfZone(zone, alternativesOf)).toBe(stored().zones["lab.example."]?.digest);
    expect(zone && serialOf(zone.soa)).toBe(2);
  });
});

const statePath = (): string => join(folder, ".geodns365/lab.state.json");

const stored = (): Pick<StoredState, "zones"> => JSON.parse(readFileSync(statePath(), "utf8")).state;

async function storeSerial(apex: string, serial: number): Promise<void> {
  const { zones } = stored();
  const { digest = "" } = zones[apex] ?? {};
  await new FileStateStore(statePath()).write({ zones: { ...zones, [apex]: { serial, digest } } });
}

describe("over restarts", () => {
  const changed = replaced(lab, "192.0.2.26", "192.0.2.27");

  test("a change back is a change", async () => {
    await start(lab);
    await start(changed);
    expect(serials(await start(lab))).toEqual({ ...first, "lab.example.": 3 });
  });

  test("a zone that was gone goes on where it was", async () => {
    await start(lab);
    await start(changed);
    const without = replaced(
      changed,
      settings.replace("192.0.2.26", "192.0.2.27"),
      "geoip: { database: none }\n",
    );
    expect(serials(await start(without))).toEqual({ "shop.example.": 1, "mail.example.": 1 });
    expect(serials(await start(changed))).toEqual({ ...first, "lab.example.": 2 });
    await start(without);
    expect(serials(await start(lab))).toEqual({ ...first, "lab.example.": 3 });
  });

  test("a serial wraps to 1 (RFC 1982 §3.1)", async () => {
    await start(lab);
    await storeSerial("lab.example.", 0xffffffff);
    expect(serials(await start(lab))).toEqual({ ...first, "lab.example.": 0xffffffff });
    expect(serials(await start(changed))).toEqual(first);
  });

  test("loading without keeping shows the next serial and leaves the file", async () => {
    expect(serials(await load(lab, false))).toEqual(first);
    expect(() => stored()).toThrow("ENOENT");
    await start(lab);
    const before = readFileSync(statePath(), "utf8");
    expect(serials(await load(changed, false))).toEqual({ ...first, "lab.example.": 2 });
    expect(readFileSync(statePath(), "utf8")).toBe(before);
  });
});

describe("a given SOA", () => {
  test("keeps its serial, whatever else changes in its zone", async () => {
    await start(lab);
    const changed = replaced(lab, `- "www A 192.0.2.25"`, `- "www A 192.0.2.99"`);
    expect(serials(await start(changed))).toEqual(first);
  });

  test("may go anywhere", async () => {
    await start(lab);
    const lower = replaced(lab, "2026010100", "7");
    expect(serials(await start(lower))).toEqual({ ...first, "given.example.": 7 });
  });

  test("that is no longer given is counted on from", async () => {
    await start(lab);
    const line = `    - "@ 3600 SOA ns1 hostmaster 2026010100 3600 600 604800 60"\n`;
    const counted = replaced(lab, line, "").replace("www A 192.0.2.25", "www A 192.0.2.99");
    expect(serials(await start(counted))).toEqual({ ...first, "given.example.": 2026010101 });
  });
});

test("the SOA at the apex and the SOA of negative answers are the same", async () => {
  await start(lab);
  const { zones } = (await start(replaced(lab, "192.0.2.26", "192.0.2.27"))).configuration;
  const zone = zonesOfRecords(zones).find(({ apex }) => apex === "lab.example.");
  expect(zone?.nodes.get(zone.apex)?.rrsets.get(TYPE.SOA)).toEqual(zone?.soa);
  expect(zone?.nodes.get(zone.apex)?.rrsets.has(TYPE.MX)).toBe(true);
});

test.each([
  [0, 1],
  [1, 2],
  [0x7fffffff, 0x80000000],
  [0xfffffffe, 0xffffffff],
  [0xffffffff, 1],
])("after %i comes %i", (serial, next) => {
  expect(serialAfter(serial)).toBe(next);
});
