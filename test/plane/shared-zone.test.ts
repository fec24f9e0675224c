/**
 * Two clouds with names of the very same form in one zone: each makes those of its own tenants alone, on the long path and
 * in worker threads.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { answer } from "../../src/answer.ts";
import { AnswerCache } from "../../src/answer-cache.ts";
import { allUp, withState } from "../../src/cloud/states.ts";
import { datacenterId } from "../../src/cloud/topology.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { decodeMessage } from "../../src/dns/decode.ts";
import { CLASS, RCODE, TYPE } from "../../src/dns/iana.ts";
import { formatRecord } from "../../src/dns/message.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { parseAddress } from "../../src/ip.ts";
import { FastPath, type FastSource } from "../../src/plane/fast-path.ts";
import { buildSnapshot, type Snapshot, withStates } from "../../src/snapshot.ts";
import type { Source } from "../../src/trace.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-shared-zone-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What tells the answers of one cloud from those of the other. */
const ofClouds = {
  Sea: { network: "198.18.1", ttl: 10 },
  Sky: { network: "198.18.2", ttl: 20 },
} as const;
type CloudName = keyof typeof ofClouds;

const place = "city: London, country: GB, coordinates: [51.51, -0.13], roles: [front-end, tenants]";
const cloud = (name: string, { network, ttl }: (typeof ofClouds)[CloudName]) => `
cloud: ${name}
zones: [{ zone: mail.example, shared: true }]
datacenters:
  one: { ${place}, addresses: [${network}1.0/24] }
  two: { ${place}, addresses: [${network}2.0/24] }
services:
  hosts: { policy: active-datacenter, names: ["{tenant}.mail.example"], ttl: ${ttl}, addresses: { slice: 0, count: 1 } }
  domains: { policy: active-datacenter, names: ["{domainKey}.in.mail.example"], ttl: ${ttl}, addresses: { slice: 1, count: 1 } }
  old:
    { policy: active-datacenter, names: ["{tenant}-old.mail.example"], ttl: 60, chain: [{ name: "{tenant}.mail.example" }] }
`;

interface Tenant {
  readonly label: string;
  readonly cloud: CloudName;
}

/** Labels of both clouds, in turns and with lengths in common. */
const tenants: readonly Tenant[] = Array.from({ length: 80 }, (_, i) => ({
  label: `${"shoal".slice(0, i % 6)}${i}`,
  cloud: i % 3 === 0 ? "Sea" : "Sky",
}));

function configOf(of: readonly Tenant[], settings = ""): ReturnType<typeof loadConfig> {
  const lines = of.map(
    ({ label, cloud }) =>
      `  ${JSON.stringify(label)}: { cloud: ${cloud}, geo: EUR, active: one, standby: two, domains: ["${label}.example"] }\n`,
  );
  const documents = [
    `geoip: { database: none }\n${settings}`,
    cloud("Sea", ofClouds.Sea),
    cloud("Sky", ofClouds.Sky),
    `tenants:\n${lines.join("")}`,
  ];
  writeFileSync(join(folder, "lab.yaml"), documents.join("---\n"));
  return loadConfig(join(folder, "lab.yaml"));
}

function snapshotOf(of: readonly Tenant[], settings?: string): Snapshot {
  const loaded = configOf(of, settings);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return buildSnapshot(loaded.configuration, undefined);
}

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
const memory = new ArrayBuffer(8192);
const output = { octets: new Uint8Array(memory), words: new Int32Array(memory) };

const queryFor = (name: string): Uint8Array =>
  renderQuery(
    { qname: nameOctets(nameOf(name)), qtype: TYPE.A, qclass: CLASS.IN },
    { id: 7, recursionDesired: false, edns: undefined },
  );

/** The answer of the long path, kept for worker threads. */
function answerOf(snapshot: Snapshot, name: string, cache = new AnswerCache(snapshot)): readonly string[] {
  const query = queryFor(name);
  const answered = answer(snapshot, query, source, 0);
  if (answered.kind !== "answered") throw new Error("nothing here is scripted");
  cache.keep(query, answered);
  return recordsOf(answered.octets ?? new Uint8Array());
}

function recordsOf(octets: Uint8Array): readonly string[] {
  const message = decodeMessage(octets);
  if (typeof message === "string") throw new Error(message);
  if (message.rcode === RCODE.NXDOMAIN) return ["NXDOMAIN"];
  return message.answer.map(formatRecord);
}

/** What worker threads give, who know what was kept. */
function fastAnswerOf(fast: FastPath, name: string): readonly string[] {
  const query = queryFor(name);
  const length = fast.answer(query, 0, query.length, fastSource, 0, output, 0);
  return length === 0 ? ["not known"] : recordsOf(output.octets.subarray(0, length));
}

/** What names of a tenant hold when it is served from there: 1 or 2. */
const expected = ({ label, cloud }: Tenant, site: number): Readonly<Record<string, readonly string[]>> => {
  const { network, ttl } = ofClouds[cloud];
  const host = `${label}.mail.example. ${ttl} A ${network}${site}.1`;
  const domain = `${label}-example.in.mail.example`;
  return {
    [`${label}.mail.example`]: [host],
    [`${label}-old.mail.example`]: [`${label}-old.mail.example. 60 CNAME ${label}.mail.example.`, host],
    [domain]: [`${domain}. ${ttl} A ${network}${site}.17`],
  };
};

describe("each cloud makes the names of its own tenants", () => {
  const snapshot = snapshotOf(tenants);

  test("on the long path and in worker threads", () => {
    const cache = new AnswerCache(snapshot);
    const all = tenants.flatMap((tenant) => Object.entries(expected(tenant, 1)));
    for (const [name, records] of all) expect(answerOf(snapshot, name, cache), name).toEqual(records);
    const fast = new FastPath(cache.publish(1));
    for (const [name, records] of all) expect(fastAnswerOf(fast, name), name).toEqual(records);
  });

  test("and an outage of one moves no tenant of the other", () => {
    const states = withState(allUp, datacenterId("Sea", "one"), "down");
    const outage = withStates(snapshot, states, snapshot.tenantPlaces);
    const cache = new AnswerCache(outage);
    const all = tenants.flatMap((tenant) => Object.entries(expected(tenant, tenant.cloud === "Sea" ? 2 : 1)));
    for (const [name, records] of all) expect(answerOf(outage, name, cache), name).toEqual(records);
    const fast = new FastPath(cache.publish(1));
    for (const [name, records] of all) expect(fastAnswerOf(fast, name), name).toEqual(records);
  });

  test("each once, in all that lists the zone", () => {
    const [zone] = zonesOfRecords(snapshot.configuration.zones);
    const made = [...(zone?.nodes ?? [])].map(([name]) => name);
    for (const name of tenants.flatMap((tenant) => Object.keys(expected(tenant, 1)))) {
      expect(made.filter((each) => each === `${name}.`)).toHaveLength(1);
    }
  });

  test("and a cloud without tenants, or one that is off, makes none", () => {
    const ofSea = tenants.filter((tenant) => tenant.cloud === "Sea");
    const [sea, sky] = tenants;
    if (sea === undefined || sky === undefined) throw new Error("there is no tenant");
    for (const lab of [snapshotOf(ofSea), snapshotOf(tenants, "clouds: { Sky: { enabled: false } }\n")]) {
      expect(answerOf(lab, `${sea.label}.mail.example`)).toEqual([
        `${sea.label}.mail.example. 10 A 198.18.11.1`,
      ]);
      expect(answerOf(lab, `${sky.label}.mail.example`)).toEqual(["NXDOMAIN"]);
    }
  });

  test("and a name that both would make is told with both places", () => {
    const loaded = configOf([
      { label: "reef", cloud: "Sea" },
      { label: "reef-old", cloud: "Sky" },
    ]);
    const errors = loaded.kind === "errors" ? loaded.errors : [];
    expect(errors.map(({ message }) => message.replace(/\S*lab\.yaml/, "lab.yaml"))).toEqual([
      expect.stringMatching(/^reef-old\.mail\.example\. is made at lab\.yaml:\d+:3 already$/),
    ]);
  });
});
