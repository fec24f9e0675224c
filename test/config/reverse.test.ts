// PTR records: one for each address that an answer can hold, and a host behind each that has the address.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { reverseName } from "../../src/config/build-reverse.ts";
import { alternativesOf } from "../../src/config/build-zones.ts";
import type { Configuration } from "../../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { TYPE } from "../../src/dns/iana.ts";
import { formatRRset, type RRset } from "../../src/dns/message.ts";
import { formatName, nameOf } from "../../src/dns/name.ts";
import { formatAddress, parseAddress } from "../../src/ip.ts";
import { lookup } from "../../src/zone/lookup.ts";
import { findZone, zonesOfRecords } from "../../src/zone/zone.ts";

const defaultLab = resolve(import.meta.dirname, "../../config/geodns365.yaml");
const folder = mkdtempSync(join(tmpdir(), "geodns365-reverse-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

function load(text: string, files: Readonly<Record<string, string>> = {}): Configuration {
  const root = join(folder, String(count++));
  mkdirSync(root);
  for (const [name, content] of Object.entries({ ...files, "lab.yaml": text })) {
    writeFileSync(join(root, name), content);
  }
  const loaded = loadConfig(join(root, "lab.yaml"));
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return loaded.configuration;
}

const isAddress = ({ type }: RRset): boolean => type === TYPE.A || type === TYPE.AAAA;

/** The RRsets that a name can have, whatever is chosen. */
function rrsetsAt({ zones }: Configuration, name: string): readonly RRset[] {
  const zone = findZone(zones, nameOf(name));
  const node = zone?.kind === "records" ? zone.nodes.get(nameOf(name)) : undefined;
  const choices = node?.tailored === undefined ? [] : alternativesOf(node.tailored).choices;
  return [...(node?.rrsets.values() ?? []), ...choices.flatMap(({ rrsets }) => rrsets)];
}

/** Every address that a name of the lab can have, whatever is chosen, with the names. */
function addressesOf(lab: Configuration): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const zone of zonesOfRecords(lab.zones)) {
    for (const [name] of zone.nodes) {
      for (const { rdatas } of rrsetsAt(lab, name).filter(isAddress)) {
        for (const rdata of rdatas) {
          const text = formatAddress(rdata);
          found.set(text, [...(found.get(text) ?? []), name]);
        }
      }
    }
  }
  return found;
}

function pointers({ zones }: Configuration, address: string): readonly string[] {
  const octets = parseAddress(address)?.octets ?? new Uint8Array();
  const name = reverseName(octets);
  const zone = findZone(zones, name);
  const found = zone?.kind === "records" ? lookup(zone, name, TYPE.PTR) : undefined;
  return found?.kind === "rrset" ? found.rrset.rdatas.map(formatName) : [];
}

const all = "zones: [in-addr.arpa, ip6.arpa]\n";
const eras = (text: string): string =>
  `clouds: { Worldwide: { ${text} }, China: { addressing: published } }\n`;

describe("every address that an answer can hold has a PTR record, whose host has that address", () => {
  test.each([
    ["in the default lab", "", 1300],
    [
      "in other eras, with anycast edges",
      "clouds: { Worldwide: { eras: { exchange: geodns-2014, portal: anycast-2024, sharepoint: clump-2022 } } }\n",
      800,
    ],
    ["with published addresses", `${all}${eras("addressing: published")}`, 1300],
    [
      "with published addresses of other eras",
      `${all}${eras("addressing: published, eras: { exchange: mira-2025, portal: anycast-2024, login: akadns-2022, sharepoint: clump-2022, mail-exchanger: protection-2025, teams: afd-2019 }")}`,
      900,
    ],
    [
      "with published addresses of the oldest eras",
      `${all}${eras("addressing: published, eras: { exchange: geodns-2014, portal: msedge-2016, sharepoint: ipv4a-2015 }")}`,
      700,
    ],
    [
      "with addresses of the lab's own",
      `${all}clouds: { Worldwide: { datacenters: { lhr: { addresses: [10.1.0.5, "2001:db8:1::5"] } } } }\n`,
      1200,
    ],
  ])("%s", (_name, more, atLeast) => {
    const lab = load(`include: [${defaultLab}]\n${more}`);
    const addresses = addressesOf(lab);
    expect(addresses.size).toBeGreaterThan(atLeast);
    const wrong = [...addresses.keys()].flatMap((address) => {
      const hosts = pointers(lab, address);
      const confirmed = hosts.filter((host) =>
        rrsetsAt(lab, host)
          .filter(isAddress)
          .some(({ rdatas }) => rdatas.some((rdata) => formatAddress(rdata) === address)),
      );
      return hosts.length > 0 && confirmed.length === hosts.length ? [] : `${address}: ${hosts.join(" ")}`;
    });
    expect(wrong).toEqual([]);
  });

  test("and where a host's name tells the datacenter, it has that address alone for all askers", () => {
    const lab = load(`include: [${defaultLab}]\n`);
    const [host = ""] = pointers(lab, "198.18.1.3");
    expect(host).toBe("LHR-efz.ms-acdc.office.com.");
    const zone = findZone(lab.zones, nameOf(host));
    expect(zone?.kind === "records" && lookup(zone, nameOf(host), TYPE.A).kind).toBe("rrset");
  });
});

describe("published addresses", () => {
  const lab = load(`include: [${defaultLab}]\nclouds: { Worldwide: { addressing: published } }\n`);
  const addressesAt = (name: string): string =>
    rrsetsAt(lab, name)
      .filter(isAddress)
      .flatMap(({ rdatas }) => rdatas.map(formatAddress))
      .join(" ");

  test.each([
    ["LHR-efz.ms-acdc.office.com", /^40\.96\.0\.1 40\.96\.0\.2 .* 2603:1026::1 /],
    ["AMS-efz.ms-acdc.office.com", /^40\.96\.64\.1 /],
    ["mail-lhr0001.inbound.protection.outlook.com", /^104\.47\.\d+\.\d+$/],
    ["s-0005.dual-s-msedge.net", /^52\.113\.194\.132$/],
    // No prefix is published for a regional portal.
    ["LHR-portal.office.com", /^198\.18\.1\.33 198\.18\.1\.34 2001:db8:f001:2::1 2001:db8:f001:2::2$/],
    ["BJS-efz.partner.outlook.cn", /^198\.19\.1\.1 /],
  ])("%s", (name, pattern) => expect(addressesAt(name)).toMatch(pattern));

  test("are those of one datacenter each", () => {
    const owners = new Map<string, string>();
    for (const [address, names] of addressesOf(lab)) {
      for (const name of names) {
        const code = /^([a-z]{3})-(?:efz|edge|portal|home)\./.exec(name)?.[1];
        if (code !== undefined) expect(owners.get(address) ?? code).toBe(code);
        if (code !== undefined) owners.set(address, code);
      }
    }
    expect(owners.size).toBeGreaterThan(200);
  });
});

/** One datacenter, and a service at the names and with the addresses given. */
const small = (names: string, more: string, zones: string, records = ""): string => `
cloud: Lab
zones: [lab.example, ${zones}]
${records}
datacenters:
  lhr: { city: London, country: GB, coordinates: [51, 0], roles: [front-end, tenants], addresses: [198.18.1.0/24, "2001:db8:f001::/48"] }
services:
  web: { policy: nearest-datacenter, names: [${names}], ttl: 60, addresses: { slice: 0, count: 2 } }
  share: { policy: active-datacenter, names: ["{tenant}.share.lab.example"], ttl: 60, addresses: { slice: 1, count: 2${more} } }
---
tenants: { contoso: { cloud: Lab, geo: EUR, active: lhr }, hosts: { cloud: Lab, geo: EUR, active: lhr } }
`;

describe("a PTR record", () => {
  const reverse = "18.198.in-addr.arpa, 1.0.0.f.8.b.d.0.1.0.0.2.ip6.arpa";

  test("tells the first of several names", () => {
    expect(pointers(load(small("www.lab.example, w3.lab.example", "", reverse)), "198.18.1.1")).toEqual([
      "www.lab.example.",
    ]);
  });

  test.each([
    ["tells a host of its own where each tenant has a name", "", "lhr0002.hosts.share.lab.example."],
    [
      "tells a host by the service's template",
      ", hosts: 'mail-{DATACENTER}{number}.lab.example'",
      "mail-LHR0002.lab.example.",
    ],
  ])("%s", (_name, more, host) => {
    const lab = load(small("www.lab.example", more, reverse));
    expect([pointers(lab, "198.18.1.18"), pointers(lab, "2001:db8:f001:1::2")]).toEqual([[host], [host]]);
    expect(rrsetsAt(lab, host).flatMap(formatRRset)).toEqual([
      `${host} 3600 A 198.18.1.18`,
      `${host} 3600 AAAA 2001:db8:f001:1::2`,
    ]);
    // A tenant may be called as the hosts are.
    expect(rrsetsAt(lab, "hosts.share.lab.example.").flatMap(formatRRset)).toContain(
      "hosts.share.lab.example. 60 A 198.18.1.17",
    );
  });

  test("is missing where no zone for it is served, and so is a host that only it would need", () => {
    const lab = load(small("www.lab.example", "", "18.198.in-addr.arpa"));
    expect(pointers(lab, "2001:db8:f001:1::2")).toEqual([]);
    expect(rrsetsAt(lab, "lhr0002.hosts.share.lab.example.").map(({ type }) => type)).toEqual([TYPE.A]);
    const without = load(small("www.lab.example", "", "other.example"));
    expect(rrsetsAt(without, "lhr0002.hosts.share.lab.example.")).toEqual([]);
  });

  test.each([
    ["a PTR record", '["1.1 PTR mine.lab.example."]', "198.18.1.1", ["mine.lab.example."]],
    ["a wildcard", '["* PTR any.lab.example."]', "198.18.1.2", ["any.lab.example."]],
    ["a CNAME into a delegation (RFC 2317)", '["1.1 CNAME 1.0-127.1"]', "198.18.1.1", []],
    ["a delegation", '["1 NS ns.lab.example."]', "198.18.1.1", []],
    ["another type, which is no PTR", '["1.1 TXT rack-7"]', "198.18.1.1", ["www.lab.example."]],
  ])("gives way to what the lab says: %s", (_name, lines, address, expected) => {
    const records = `records: { 18.198.in-addr.arpa: ${lines} }`;
    expect(pointers(load(small("www.lab.example", "", reverse, records)), address)).toEqual(expected);
  });

  test("gives way in a master file, and stands beside what is there", () => {
    const zone = "@ SOA ns hostmaster 1 3600 600 604800 60\n NS ns.lab.example.\n1.1 PTR mine.lab.example.\n";
    const text = small("www.lab.example", "", "{ zone: 18.198.in-addr.arpa, file: reverse.zone }");
    const lab = load(text, { "reverse.zone": `$TTL 60\n${zone}` });
    expect([pointers(lab, "198.18.1.1"), pointers(lab, "198.18.1.2")]).toEqual([
      ["mine.lab.example."],
      ["www.lab.example."],
    ]);
  });

  test("of a name server tells its name in the zone that has the record, or else in the first that has it", () => {
    const lab = load(`include: [${defaultLab}]\n`);
    expect(pointers(lab, "198.18.0.53")).toEqual(["ns1.18.198.in-addr.arpa."]);
    expect(pointers(lab, "2001:db8:f000::1:53")).toEqual(["ns2.f.8.b.d.0.1.0.0.2.ip6.arpa."]);
    const records = 'records: { 18.198.in-addr.arpa: ["@ NS ns1.lab.example."] }';
    const other = load(small("www.lab.example", "", reverse, records));
    expect(pointers(other, "198.18.0.53")).toEqual(["ns1.lab.example."]);
  });
});

test.each([
  ["198.18.1.5", "5.1.18.198.in-addr.arpa."],
  ["2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."], // RFC 3596 §2.5
])("the reverse name of %s", (address, name) => {
  expect(reverseName(parseAddress(address)?.octets ?? new Uint8Array())).toBe(name);
});
