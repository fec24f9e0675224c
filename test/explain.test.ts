/** What `explain` says, in values and in words: the default lab, and small labs for what the default has not. */

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { formatExplanation } from "../src/cli/explain.ts";
import { formatMermaid } from "../src/cli/explain-mermaid.ts";
import { allUp, type DatacenterStates } from "../src/cloud/states.ts";
import { findTenant } from "../src/cloud/tenant-table.ts";
import { datacenterId } from "../src/cloud/topology.ts";
import type { Settings } from "../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../src/config/load.ts";
import { parseType } from "../src/dns/iana.ts";
import { parseName } from "../src/dns/name.ts";
import { type Explanation, explain } from "../src/explain.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import { parsePrefix } from "../src/ip.ts";
import { buildSnapshot, type Snapshot, withStates } from "../src/snapshot.ts";
import type { Tried } from "../src/tried.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-explain-"));
afterAll(() => rmSync(folder, { recursive: true }));

const geoip = openGeoip(writeMmdb({ "8.8.0.0/16": { country_code: "US" } }));

function load(path: string, settings: Partial<Settings> = {}, database = true): Snapshot {
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const { configuration } = loaded;
  const merged = { ...configuration, settings: { ...configuration.settings, ...settings } };
  return buildSnapshot(merged, database ? geoip : undefined);
}

let files = 0;
function lab(yaml: string, settings: Partial<Settings> = {}): Snapshot {
  const path = join(folder, `${++files}.yaml`);
  writeFileSync(path, yaml);
  return load(path, settings);
}

const defaultPath = join(import.meta.dirname, "../config/geodns365.yaml");
const defaultLab = load(defaultPath);

function ask(
  snapshot: Snapshot,
  name: string,
  type = "A",
  from = "10.1.0.0/16",
  tenant?: string,
): Explanation {
  const qname = parseName(name);
  const qtype = parseType(type);
  const prefix = parsePrefix(from);
  if (typeof qname === "string" || qtype === undefined || typeof prefix === "string") throw new Error(name);
  const found = tenant === undefined ? undefined : findTenant(snapshot.configuration.clouds, tenant);
  return explain(snapshot, { qname, qtype, from: prefix, tenant: found });
}

const words = (explanation: Explanation): string => [...formatExplanation(explanation)].join("\n");

test("at an edge the tenant's datacenter is behind the addresses, not at them", () => {
  const edges = load(join(import.meta.dirname, "scenarios/fixtures/edges.yaml"));
  expect(words(ask(edges, "contoso.sharepoint.com."))).toContain(
    "which passes on to the tenant's own datacenter, Worldwide/dub.",
  );
  expect(words(ask(defaultLab, "contoso.sharepoint.com."))).toContain(
    "In the datacenter that answers: it is the tenant's own.",
  );
});

const nothingToConnectTo = "No address came back, so there is nothing to connect to.";

describe("Outlook from behind a VPN", () => {
  const told = ask(defaultLab, "outlook.office365.com", "A", "10.9.0.0/16", "contoso");

  test("is told in five steps", () => {
    expect([...words(told).matchAll(/^(\d)\. (.+)$/gm)].map(([line]) => line)).toEqual([
      "1. Who asks",
      "2. Where that is",
      "3. Which datacenter",
      "4. The names and addresses that come back",
      "5. Where the data is",
    ]);
  });

  test("is told in values", () => {
    expect(told).toMatchObject({
      location: { rule: "network", name: "seattle-vpn", kind: "vpn", place: { city: "Seattle" } },
      stop: undefined,
      decision: { service: "exchange", datacenter: "Worldwide/eat", reason: "nearest" },
      scope: { prefixLength: 16, prefix: "10.9.0.0/16" },
      secondHop: { tenant: "contoso", frontEnd: "Worldwide/eat", target: "Worldwide/dub" },
    });
    expect(told.decision?.candidates).toHaveLength(22);
  });

  test("an ExpressRoute network has a whole sentence too", () => {
    const text = words(ask(defaultLab, "outlook.office365.com", "A", "10.8.0.0/16"));
    expect(text).toMatch(/^ {3}ExpressRoute.*the answer is the ordinary one\.$/m);
  });
});

describe("what is no lookup, or finds nothing, is told as such", () => {
  test.each([
    ["AXFR", "None: a zone transfer, which this server does not do."],
    ["IXFR", "None: a zone transfer, which this server does not do."],
    ["MAILA", "None: an obsolete type, which is not looked up."],
    ["OPT", "None: a type that no zone holds."],
    ["TXT", "None: the name has no records of this type."],
  ])("office365.com %s", (type, line) => {
    const text = words(ask(defaultLab, "office365.com", type));
    expect(text).toContain(`   ${line}\n`);
    expect(text).toContain(nothingToConnectTo);
    expect(text).not.toContain("in no zone");
    expect(text).not.toContain("the records are the same");
  });

  test.each([
    ["www.example.com", "REFUSED", "None: the name is in no zone served here."],
    ["nobody.sharepoint.com", "NXDOMAIN", "None: the name does not exist."],
  ])("%s is %s", (name, rcode, line) => {
    const told = ask(defaultLab, name);
    expect(told.rcode).toBe(rcode);
    expect(words(told)).toContain(`   ${line}\n`);
    expect(words(told)).toContain(nothingToConnectTo);
  });

  test.each(["MX", "NS"])("outlook.com %s leads to no connection", (type) => {
    expect(words(ask(defaultLab, "outlook.com", type))).toContain(nothingToConnectTo);
  });

  test("a tailored name asked for its CNAME has a decision and no connection", () => {
    const told = ask(defaultLab, "portal.geo.office.com", "CNAME");
    expect(told.decision?.datacenter).toBe("Worldwide/lhr");
    expect(words(told)).toContain(nothingToConnectTo);
  });
});

describe("a chain that stops before its end says so", () => {
  const zones = lab(`zones: [lab.example]
records:
  lab.example: [out CNAME www.elsewhere.example., a CNAME b, b CNAME a, sub NS ns.elsewhere.example.]
`);
  test("where it leaves the zones served", () => {
    const told = ask(zones, "out.lab.example");
    expect(told.stop?.kind).toBe("leaves");
    expect(words(told)).toContain("   It ends there: the chain leaves the zones served here.\n");
    expect(words(told)).toContain("Whoever serves the last name says where the connection ends.");
  });
  test("where it comes back to itself", () => {
    const told = ask(zones, "a.lab.example");
    expect(told.stop?.kind).toBe("loop");
    expect(words(told)).toContain("   It ends there: the chain comes back to a name it has passed.\n");
    expect(words(told)).toContain(nothingToConnectTo);
  });
  test("a referral is the same for everyone", () => {
    const text = words(ask(zones, "www.sub.lab.example"));
    expect(text).toContain("None: the name is delegated to other name servers.");
    expect(text).toContain("scope 0: the referral is the same for everyone");
  });
  test("where server.answer is first-cname", () => {
    const told = ask(load(defaultPath, { answer: "first-cname" }), "outlook.office365.com");
    expect([told.stop?.kind, told.hasAddresses]).toEqual(["first-cname", false]);
  });
});

describe("quirks of a zone", () => {
  const quirky = load(join(import.meta.dirname, "scenarios/fixtures/quirks.yaml"));

  test("where it cannot read EDNS the question is put without, as a resolver does that got FORMERR", () => {
    const told = ask(quirky, "web.mx.lab.example", "A", "10.1.0.0/16");
    expect(told.quirks).toEqual({
      zone: "mx.lab.example.",
      names: ["edns-formerr", "underscore-formerr", "new-types-notimp"],
    });
    expect([told.rcode, told.hasAddresses, told.scope.prefixLength]).toEqual(["NOERROR", true, 0]);
    const text = words(told);
    expect(text).toContain(
      "   EDNS, and so to client subnets, the zone answers FORMERR, and the resolver asks again without.\n",
    );
    expect(text).toContain(
      "   Zone mx.lab.example. has quirks: edns-formerr, underscore-formerr, new-types-notimp.\n",
    );
    expect(text).toContain(
      "scope 0: the zone cannot read EDNS, so no client subnet gets there, so --from stands for the resolver's own address",
    );
  });

  test.each([
    [
      "www.mx.lab.example",
      "HTTPS",
      "NOTIMP",
      "the zone knows no type as new as this, by its quirk new-types-notimp",
    ],
    [
      "www.old.example",
      "HTTPS",
      "NOTIMP",
      "the zone knows no type as new as this, by its quirk new-types-notimp",
    ],
    [
      "_a.mx.lab.example",
      "TXT",
      "FORMERR",
      "the zone cannot read a name with an underscore, by its quirk underscore-formerr",
    ],
  ])("%s %s is %s", (name, type, rcode, because) => {
    const told = ask(quirky, name, type);
    expect([told.rcode, told.stop?.because]).toEqual([rcode, because]);
    expect(words(told)).toContain(`   None: ${because}.\n`);
  });

  test("a chain that leads into it ends there", () => {
    const told = ask(quirky, "alias.lab.example");
    expect([told.quirks, told.stop?.kind, told.records.length]).toEqual([undefined, "quirks", 1]);
    expect(words(told)).toContain("Whoever serves the last name says where the connection ends.");
  });

  test("none are told where there are none", () => {
    expect(ask(defaultLab, "contoso-com.mail.protection.outlook.com").quirks).toBeUndefined();
  });
});

describe("whose place counts", () => {
  test("with trust none it is the resolver's own address, and the scope is 0", () => {
    const told = ask(
      load(defaultPath, { clientSubnetTrust: "none" }),
      "outlook.office365.com",
      "A",
      "10.4.0.0/16",
    );
    expect(told).toMatchObject({
      location: { name: "sydney-office" },
      decision: { datacenter: "Worldwide/syd" },
      scope: { prefixLength: 0, prefix: undefined },
    });
    expect(words(told)).toContain("client subnets are not trusted in this configuration");
    expect(words(told)).not.toContain("the client subnet that");
  });

  test("with a list it is the client subnet of a resolver in it", () => {
    const trusted = parsePrefix("192.0.2.0/24");
    if (typeof trusted === "string") throw new Error(trusted);
    const snapshot = load(defaultPath, { clientSubnetTrust: [trusted] });
    const told = ask(snapshot, "outlook.office365.com", "A", "10.4.0.0/16");
    expect([told.decision?.datacenter, told.scope.prefixLength]).toEqual(["Worldwide/syd", 16]);
    expect(words(told)).toContain("a trusted resolver (192.0.2.0/24) passes on");
  });

  const tried = ({ askers }: Explanation): readonly string[] =>
    askers.map(({ rule, outcome }) => `${rule}: ${outcome}`);
  const vantage = `vantage of a listener (${defaultLab.configuration.settings.listen.length - 2} of ${defaultLab.configuration.settings.listen.length} have one)`;

  test("what could say whose place counts is told in order", () => {
    expect(tried(ask(defaultLab, "outlook.office365.com"))).toEqual([
      "client subnet: counts",
      `${vantage}: not asked`,
      "source address: not asked",
    ]);
    const none = ask(load(defaultPath, { clientSubnetTrust: "none" }), "outlook.office365.com");
    expect(tried(none)).toEqual([
      "client subnet: passed over",
      `${vantage}: not asked`,
      "source address: counts",
    ]);
    expect(words(none)).toContain("   - client subnet: passed over, nobody who sends it is trusted\n");
  });

  test("a prefix of length 0 is not explained", () => {
    expect(() => ask(defaultLab, "outlook.office365.com", "A", "0.0.0.0/0")).toThrow("prefix length of 0");
  });

  test("GeoIP is spoken of only where a database is loaded", () => {
    const from = "203.0.113.0/24";
    expect(words(ask(defaultLab, "outlook.office365.com", "A", from))).toContain(
      "Neither a network nor GeoIP knows",
    );
    const without = words(ask(load(defaultPath, {}, false), "outlook.office365.com", "A", from));
    expect(without).toContain("and no GeoIP database is loaded, so it is at the default location");
    expect(without).not.toContain("nor GeoIP");
  });

  test("with one datacenter every address has the same list, and no tenant decides", () => {
    const one = lab(`cloud: Lab
zones: [lab.example]
datacenters:
  ams: { city: Amsterdam, country: NL, coordinates: [52, 5], geo: EUR, roles: [front-end], addresses: [198.18.1.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.lab.example], ttl: 60, addresses: { slice: 0, count: 1 } }
`);
    const { scope } = ask(one, "mail.lab.example");
    expect(scope).toMatchObject({
      prefixLength: 0,
      because: "every address has the same ordered list of datacenters at mail.lab.example.",
    });
  });
});

describe("a name with rules of its own", () => {
  const shop = lab(`zones: [lab.example]
records: { lab.example: [www CNAME geo] }
tailored:
  lab.example:
    geo:
      networks: { berlin: [A 192.0.2.10], 10.0.0.0/8: [A 192.0.2.8, TXT x] }
      countries: { US: [A 192.0.2.1] }
      continents: { AS: [A 192.0.2.2] }
      nearest: { tyo: [A 192.0.2.81], chi: [A 192.0.2.82] }
    few: { ttl: 60, networks: { berlin: [A 192.0.2.10] } }
---
networks:
  berlin: { prefixes: [10.1.0.0/16], place: { city: Berlin, country: DE, coordinates: [52.52, 13.4] } }
  osaka: { prefixes: [192.0.2.0/24], place: { city: Osaka, country: JP, coordinates: [34.69, 135.5] } }
  paris: { prefixes: [198.51.100.0/24], place: { city: Paris, country: FR, coordinates: [48.86, 2.35] } }
---
countries: { JP: { continent: AS, city: Tokyo, coordinates: [35.68, 139.69] } }
---
cloud: Shop
zones: [shop.example]
datacenters:
  tyo: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] }
  chi: { city: Chicago, country: US, coordinates: [41.88, -87.63] }
`);

  test.each([
    {
      from: "10.1.2.0/24",
      rule: {
        kind: "network",
        words: "network berlin 10.1.0.0/16",
        network: "berlin",
        prefix: "10.1.0.0/16",
      },
      records: ["A 192.0.2.10"],
      line: "network berlin 10.1.0.0/16: of the prefixes listed there it is the longest that holds the asker.",
    },
    {
      from: "10.2.0.0/24",
      rule: { kind: "network", network: undefined, prefix: "10.0.0.0/8" },
      records: ["A 192.0.2.8", 'TXT "x"'],
      line: 'That gives A 192.0.2.8, TXT "x".',
    },
    {
      from: "8.8.8.0/24",
      rule: { kind: "country", country: "US" },
      records: ["A 192.0.2.1"],
      line: "country US: no network listed there holds the asker, and the country is listed.",
    },
    {
      from: "192.0.2.0/24",
      rule: { kind: "continent", continent: "AS", country: "JP" },
      records: ["A 192.0.2.2"],
      line: "continent AS: neither a network nor the country is listed there, and the continent is.",
    },
  ])("tells the rule for $from", ({ from, rule, records, line }) => {
    const told = ask(shop, "www.lab.example", "A", from);
    expect(told.decision).toMatchObject({ kind: "records", name: "geo.lab.example.", rule, records });
    expect(words(told)).toContain(`3. Which records\n   geo.lab.example. has rules of its own\n`);
    expect(words(told)).toContain(`   ${line}\n`);
    expect(words(told)).toContain("has the same records at geo.lab.example., and one bit more would not");
    expect(words(told)).toContain("The connection ends where the name leads; there is no second hop.");
  });

  test("tells the distances where the nearest datacenter decides", () => {
    const told = ask(shop, "geo.lab.example", "A", "198.51.100.0/24");
    expect(told).toMatchObject({
      decision: { rule: undefined, datacenter: "Shop/chi", reason: "nearest", records: ["A 192.0.2.82"] },
      records: [{ record: "geo.lab.example. 3600 A 192.0.2.82", how: "by place" }],
      scope: { prefixLength: 24 },
    });
    expect(words(told)).toMatch(/^ {4}1\. Shop\/chi +\d+ km {2}up +Chicago <- chosen$/m);
    expect(words(told)).toContain(
      "   Shop/chi (Chicago): it is the nearest, and up.\n   That gives A 192.0.2.82.\n",
    );
    expect(words(told)).toContain("same ordered list of datacenters at geo.lab.example.");
  });

  test("tells that no rule holds", () => {
    const told = ask(shop, "few.lab.example", "A", "10.2.0.0/24");
    expect(told.decision).toMatchObject({ rule: { kind: "no-rule" }, reason: "no-rule", records: [] });
    expect(told.scope.prefixLength).toBe(15);
    expect(words(told)).toContain("   That gives no records.\n");
    expect(words(told)).toContain(nothingToConnectTo);
  });

  test("tells that a country has no place of its own", () => {
    const { location } = ask(shop, "geo.lab.example", "A", "8.8.8.0/24");
    expect(location).toMatchObject({ rule: "geoip", name: "US", place: { city: "Boydton" } });
    expect(location.remark).toContain("No countries document gives that country a place");
    expect(ask(defaultLab, "portal.office.com", "A", "8.8.8.0/24").location.remark).toBeUndefined();
  });
});

describe("what is near", () => {
  const path = join(import.meta.dirname, "scenarios/fixtures/nearness.yaml");
  const shop = load(path);
  const { location } = shop.configuration.settings;
  const step3 = (told: Explanation): readonly string[] =>
    words(told)
      .split("\n")
      .filter((line) => / km |list of|spread over|spread to|: it is|None/.test(line))
      .map((line) => line.trim());

  test.each([
    {
      name: "a bias",
      asks: ["biased", "10.1.3.0/24"],
      told: [
        "1. Shop/fra    638 km  up       Frankfurt <- chosen",
        "2. Shop/lhr      0 km  up       London [bias +700 km]",
        "3. Shop/chi   6353 km  up       Chicago",
        "4. Shop/tyo   9559 km  up       Tokyo [bias -200 km]",
        "Shop/fra (Frankfurt): it is the nearest, and up.",
        "scope 22: every address in 10.1.0.0/22 has the same ordered list of datacenters at biased.shop.test., and one bit more would not",
      ],
    },
    {
      name: "a list",
      asks: ["listed", "10.2.0.0/24"],
      told: [
        "the list of country DE comes first",
        "- list of continent EU: not asked, the one of a country beats it",
        "1. Shop/chi   7083 km  up       Chicago [listed] <- chosen",
        "2. Shop/lhr    931 km  up       London [listed]",
        "3. Shop/fra    423 km  up       Frankfurt",
        "4. Shop/tyo   8917 km  up       Tokyo",
        "Shop/chi (Chicago): it is the first of that list, and up.",
        "scope 17: every address in 10.2.0.0/17 has the same ordered list of datacenters at listed.shop.test., and one bit more would not",
      ],
    },
    {
      name: "latencies, each from where it was measured",
      asks: ["measured", "10.2.9.0/24"],
      told: [
        "1. Shop/lhr    931 km  up       London [1 ms from network 10.2.9.0/24] <- chosen",
        "2. Shop/fra    423 km  up       Frankfurt",
        "3. Shop/tyo   8917 km  up       Tokyo [9 ms from network berlin-office 10.2.0.0/16]",
        "4. Shop/chi   7083 km  up       Chicago [95 ms from continent EU]",
        "Shop/lhr (London): it is the nearest, and up.",
        "scope 24: every address in 10.2.9.0/24 has the same ordered list of datacenters at measured.shop.test., and one bit more would not",
      ],
    },
    {
      name: "spreading",
      asks: ["spread", "10.1.2.0/24"],
      told: [
        "1. Shop/lhr      0 km  up       London",
        "2. Shop/fra    638 km  up       Frankfurt <- chosen",
        "3. Shop/chi   6353 km  up       Chicago",
        "4. Shop/tyo   9559 km  up       Tokyo",
        "the clients of 10.1.2.0/24 are spread over Shop/lhr (weight 2), Shop/fra (weight 1)",
        "Shop/fra (Frankfurt): the client's group is spread to it, by a hash.",
        "scope 24: every address in 10.1.2.0/24 has the same ordered list of datacenters at spread.shop.test., and is spread to the same one of them",
      ],
    },
  ])("$name", ({ asks: [name, from], told }) => {
    expect(step3(ask(shop, `${name}.shop.test`, "A", from))).toEqual(told);
  });

  test("who is not located", () => {
    const refusing = load(path, { location: { ...location, unlocated: "refused" } });
    const told = ask(refusing, "plain.shop.test", "A", "9.0.0.0/24");
    expect([told.rcode, told.location.rule, told.decision?.reason]).toEqual([
      "REFUSED",
      "unlocated",
      "unlocated",
    ]);
    expect(words(told)).toContain("Neither a network nor GeoIP knows 9.0.0.0/8, so it is not located.");
    expect(step3(told)).toEqual(["None: nothing tells where the asker is, and location.unlocated decides."]);
    expect(told.scope.because).toBe(
      "no address in 9.0.0.0/8 is located, and one bit more would hold some that are",
    );
  });

  test("a place that the configuration gives", () => {
    const given = load(path, {
      location: {
        ...location,
        countries: new Map([["US", { city: "Reno", coordinates: [39.53, -119.81] }]]),
      },
    });
    const told = ask(given, "plain.shop.test", "A", "8.8.8.0/24");
    expect(words(told)).toContain("GeoIP puts 8.8.0.0/16 in US: Reno [39.53, -119.81].");
    expect(told.location.remark).toBe("The configuration gives that place to all of US (location).");
  });
});

describe("every rule that was tried", () => {
  const shop = load(join(import.meta.dirname, "scenarios/fixtures/nearness.yaml"));
  const tried = (each: readonly Tried[] | undefined): readonly string[] =>
    (each ?? []).map(({ rule, outcome, because }) => `${rule}: ${outcome}, ${because}`);
  const nested = lab(`networks:
  wide: { prefixes: [10.0.0.0/8], place: { city: Paris, country: FR, coordinates: [48.86, 2.35] } }
  inner: { prefixes: [10.1.0.0/16], place: { city: Berlin, country: DE, coordinates: [52.52, 13.4] } }
---
countries:
  JP: { continent: AS, city: Tokyo, coordinates: [35.68, 139.69] }
  US: { continent: NA, city: New York, coordinates: [40.71, -74.01] }
---
zones: [lab.example]
tailored:
  lab.example:
    www:
      networks: { wide: [A 192.0.2.8], 10.1.2.0/24: [A 192.0.2.9] }
      countries: { US: [A 192.0.2.1] }
      continents: { AS: [A 192.0.2.2] }
      default: [A 192.0.2.3]
`);

  test.each<[from: string, lines: readonly string[]]>([
    [
      "10.1.2.0/24",
      [
        "network inner 10.1.0.0/16: counts, of the prefixes of networks it is the longest that holds 10.1.2.0",
        "network wide 10.0.0.0/8: passed over, it holds 10.1.2.0, and is shorter",
        "GeoIP: not asked, a network beats it",
        "default location: not asked, the address is located",
      ],
    ],
    [
      "2002:a01:200::/48",
      [
        "network inner 10.1.0.0/16: counts, of the prefixes of networks it is the longest that holds 2002:a01:200::",
        "network wide 10.0.0.0/8: passed over, it holds 2002:a01:200::, and is shorter",
        "GeoIP: not asked, a network beats it",
        "default location: not asked, the address is located",
      ],
    ],
    [
      "8.8.8.0/24",
      [
        "networks: passed over, none of 2 holds 8.8.8.0",
        "GeoIP Test: counts, it says US",
        "default location: not asked, the address is located",
      ],
    ],
    [
      "203.0.113.0/24",
      [
        "networks: passed over, none of 2 holds 203.0.113.0",
        "GeoIP Test: passed over, it does not know 203.0.113.0",
        "default location: counts, nothing else knows the address",
      ],
    ],
  ])("locates %s", (from, lines) => {
    expect(tried(ask(nested, "www.lab.example", "A", from).location.tried)).toEqual(lines);
  });

  test.each<[from: string, lines: readonly string[]]>([
    [
      "10.1.2.0/24",
      [
        "network 10.1.2.0/24: counts, of the prefixes listed there it is the longest that holds the asker",
        "network wide 10.0.0.0/8: passed over, it holds the asker, and is shorter",
        "country US: not asked, the one of a network beats it",
        "continent AS: not asked, the one of a network beats it",
        "default: not asked, a rule above holds",
      ],
    ],
    [
      "8.8.8.0/24",
      [
        "networks: passed over, none of network wide 10.0.0.0/8, network 10.1.2.0/24 holds the asker",
        "country US: counts, the asker is in US",
        "continent AS: not asked, the one of a country beats it",
        "default: not asked, a rule above holds",
      ],
    ],
  ])("finds the records for %s", (from, lines) => {
    const [decision] = ask(nested, "www.lab.example", "A", from).decisions;
    expect(tried(decision?.tried)).toEqual(lines);
  });

  test.each<[name: string, from: string, lines: readonly string[]]>([
    ["plain", "10.2.0.0/24", ["distance: counts, it orders the candidates"]],
    [
      "biased",
      "10.2.0.0/24",
      ["bias: counts, Shop/lhr +700 km, Shop/tyo -200 km", "distance: counts, it orders the candidates"],
    ],
    [
      "listed",
      "10.2.0.0/24",
      [
        "list of country DE: counts, the asker is in DE",
        "list of continent EU: not asked, the one of a country beats it",
        "distance: counts, it orders those that the list leaves out",
      ],
    ],
  ])("orders the candidates of %s for %s", (name, from, lines) => {
    const [decision] = ask(shop, `${name}.shop.test`, "A", from).decisions;
    expect(tried(decision?.tried).filter((line) => !line.includes("lists of networks"))).toEqual(lines);
  });

  test.each<[states: DatacenterStates, lines: readonly string[]]>([
    [
      allUp,
      [
        "active Worldwide/dub: counts, the tenant is served there, and is up",
        "standby Worldwide/ams: not asked, active Worldwide/dub comes first, and is not down",
      ],
    ],
    [
      new Map([[datacenterId("Worldwide", "dub"), "down"]]),
      [
        "active Worldwide/dub: passed over, it is down",
        "standby Worldwide/ams: counts, it takes over, and is up",
      ],
    ],
  ])("finds a tenant's datacenter %#", (states, lines) => {
    const [decision] = ask(withStates(defaultLab, states), "contoso.sharepoint.com").decisions;
    expect(tried(decision?.tried)).toEqual(lines);
  });
});

describe("names by region", () => {
  const old = load(join(import.meta.dirname, "scenarios/fixtures/geodns-2014.yaml"));
  const told = ask(old, "outlook.office365.com");

  test("have every decision told, of all datacenters and then of the region's", () => {
    expect(
      told.decisions.map(({ at, candidates, datacenter }) => [at, candidates.length, datacenter]),
    ).toEqual([
      ["outlook.office365.com.glbdns2.microsoft.com.", 22, "Worldwide/lhr"],
      ["outlook-emeawest.office365.com.", 4, "Worldwide/lhr"],
    ]);
    expect(told.decision).toBe(told.decisions.at(-1));
    expect(told.decisions.at(-1)).toMatchObject({ region: "emeawest", leftOut: { length: 18 } });
    const text = words(told);
    expect(text).toContain("   Decision 1, at outlook.office365.com.glbdns2.microsoft.com.:\n");
    expect(text).toContain("   the name tells the region emeawest; 18 datacenters of others are left out\n");
    expect(text).toMatch(/^ {3}outlook-emeawest\.office365\.com\. 60 A \S+ {3}; by place \(decision 2\)$/m);
  });

  test("have a chain with TTLs, and where each name is decided", () => {
    expect(
      told.chain.map(({ name, ttlSeconds, type, how, decision }) => [name, ttlSeconds, type, how, decision]),
    ).toEqual([
      ["outlook.office365.com.", 300, "CNAME", "fixed", undefined],
      ["lb.geo.office365.com.", 60, "CNAME", "fixed", undefined],
      ["outlook.office365.com.glbdns2.microsoft.com.", 60, "CNAME", "by place", 0],
      ["outlook-emeawest.office365.com.", 60, "A", "by place", 1],
    ]);
  });
});

describe("which way the connection takes", () => {
  test.each<[name: string, from: string, remark: RegExp | undefined]>([
    ["outlook.office365.com", "10.1.0.0/16", undefined],
    ["outlook.office365.com", "10.9.0.0/16", /^A client of the VPN that is elsewhere connects there/],
    ["outlook.office365.com", "10.8.0.0/16", /Microsoft peering.*a matter of routes, not of DNS/],
    ["partner.outlook.cn", "10.8.0.0/16", /^No endpoint of China is published for ExpressRoute/],
    ["outlook.com", "10.8.0.0/16", /Microsoft peering|^$/],
  ])("%s from %s", (name, from, remark) => {
    const told = ask(defaultLab, name, "A", from);
    if (remark === undefined) expect(told.remarks).toEqual([]);
    else expect(told.remarks.join("\n")).toMatch(remark);
    for (const each of told.remarks) expect(words(told)).toContain(`   ${each}`);
  });
});

describe("a drawing for Mermaid", () => {
  const drawn = (explanation: Explanation): string => [...formatMermaid(explanation)].join("\n");

  test("has the chain, its TTLs, the decision with candidates, and the second hop", () => {
    expect(drawn(ask(defaultLab, "outlook.office365.com", "A", "10.9.0.0/16", "contoso"))).toBe(
      [
        "flowchart TD",
        '  asker(["10.9.0.0/16<br/>vpn<br/>seattle-vpn<br/>Seattle"])',
        '  asker -->|"outlook.office365.com. A<br/>scope 16 (10.9.0.0/16)"| n0',
        '  n0["outlook.office365.com.<br/>zone office365.com."]',
        '  n1{{"outlook.ms-acdc.office.com.<br/>zone office.com."}}',
        '  n2["eat-efz.ms-acdc.office.com.<br/>zone office.com."]',
        '  n0 -->|"300 CNAME"| n1',
        '  n1 -->|"60 CNAME<br/>by place"| n2',
        '  n2 -->|"10 A"| n3',
        '  n3(["198.18.9.1<br/>198.18.9.2<br/>198.18.9.3<br/>198.18.9.4"])',
        '  d0{"Worldwide/exchange, nearest-datacenter<br/>Worldwide/eat (Wenatchee)<br/>it is the nearest, and up"}',
        "  n1 -.- d0",
        '  d0c0["1. Worldwide/eat<br/>153 km, up"]',
        '  d0 ==>|"chosen"| d0c0',
        '  d0c1["2. Worldwide/phx<br/>1794 km, up"]',
        "  d0 -.- d0c1",
        '  d0c2["3. Worldwide/mdw<br/>2789 km, up"]',
        "  d0 -.- d0c2",
        '  frontEnd["front end<br/>Worldwide/eat"]',
        "  n3 --> frontEnd",
        '  data[("Worldwide/dub<br/>Dublin is active for contoso")]',
        '  frontEnd -->|"proxies"| data',
      ].join("\n"),
    );
  });

  // As Mermaid's flowcharts are written, with labels in quotes that hold nothing it reads in another way.
  const text = '"(?:[\\p{L}\\p{N} .,:/()+=*_-]|#\\d+;|<br/>)*"';
  const line = new RegExp(
    `^(?:flowchart TD|  \\w+(?:\\[\\(${text}\\)\\]|\\[${text}\\]|\\(\\[${text}\\]\\)|\\{\\{${text}\\}\\}|\\{${text}\\})|  \\w+ (?:-\\.-|==>|-->)(?:\\|${text}\\|)? \\w+)$`,
    "u",
  );
  const odd = lab(String.raw`zones: [lab.example]
records:
  lab.example: ['t TXT "a ] \" ; # <b> & end | {x}"', 'q\"|]\[.lab.example. CNAME t', "out CNAME www.elsewhere.example."]
`);
  test.each<[snapshot: Snapshot, name: string, type: string]>([
    [odd, "t.lab.example", "TXT"],
    [odd, String.raw`q\"|]\[.lab.example.`, "TXT"],
    [odd, "out.lab.example", "A"],
    [odd, "none.lab.example", "A"],
    [defaultLab, "www.example.org", "A"],
    [defaultLab, "contoso.sharepoint.com", "A"],
    [defaultLab, "office365.com", "AXFR"],
  ])("is Mermaid line by line %#", (snapshot, name, type) => {
    const lines = drawn(ask(snapshot, name, type)).split("\n");
    expect(lines.filter((each) => !line.test(each))).toEqual([]);
    // No edge leads to what is not there.
    const nodes = new Set(lines.flatMap((each) => /^ {2}(\w+)[[({]/.exec(each)?.[1] ?? []));
    const ends = lines.flatMap((each) => {
      const [, from = "", to = ""] = /^ {2}(\w+) (?:-\.-|==>|-->)(?:\|.*\|)? (\w+)$/.exec(each) ?? [];
      return from === "" ? [] : [from, to];
    });
    expect(ends.filter((each) => !nodes.has(each))).toEqual([]);
  });
});

describe("marks", () => {
  test("of a name whose records are fixed", () => {
    const told = ask(defaultLab, "SYD-portal.office.com");
    expect(told.records.map(({ how, mark }) => [how, mark])).toEqual([
      ["fixed", "invented"],
      ["fixed", "invented"],
    ]);
    expect(words(told)).toContain("   SYD-portal.office.com. 60 A 198.18.14.33   ; invented name\n");
  });

  test("of names on the way, and none of published ones", () => {
    const marks = ask(defaultLab, "portal.office.com").records.map(({ mark }) => mark);
    expect(marks).toEqual([undefined, "invented", "invented", "invented"]);
    expect(ask(defaultLab, "outlook.office365.com").records.every(({ mark }) => mark === undefined)).toBe(
      true,
    );
  });

  test("of inferred datacenters", () => {
    const told = ask(defaultLab, "outlook.office365.com", "A", "10.9.0.0/16");
    const inferred = told.decision?.candidates.filter(({ mark }) => mark === "inferred").map(({ id }) => id);
    expect(inferred?.toSorted()).toEqual(["dub", "icn", "jnb", "nrt", "yyz"].map((id) => `Worldwide/${id}`));
    expect(words(told)).toContain("4. Worldwide/yyz   3325 km  up       Toronto (inferred)\n");
  });
});

describe("tenants", () => {
  test("SharePoint follows the tenant in its name, and says that another is not used", () => {
    const told = ask(defaultLab, "contoso.sharepoint.com", "A", "10.4.0.0/16", "wingtip");
    expect(told).toMatchObject({
      decision: { datacenter: "Worldwide/dub", tenant: { name: "contoso" } },
      scope: { prefixLength: 0, because: "the tenant decides, not the place" },
    });
    expect(words(told)).toContain("--tenant wingtip is not used: the name itself tells the tenant, contoso.");
  });

  test("a satellite has a datacenter of its own", () => {
    const told = ask(defaultLab, "outlook.office365.com", "A", "10.1.0.0/16", "fabrikamEUR");
    expect(told.secondHop).toMatchObject({ tenant: "fabrikamEUR", target: "Worldwide/ams" });
  });

  test("the second hop goes where the tenant's mail is, and each home is told with who serves and why", () => {
    const workloads = load(join(import.meta.dirname, "scenarios/fixtures/workloads.yaml"));
    const [dub, lhr, ams] = ["dub", "lhr", "ams"].map((id) =>
      workloads.configuration.clouds
        .flatMap(({ datacenters }) => datacenters)
        .find((each) => each.id === `Worldwide/${id}`),
    );
    if (dub === undefined || lhr === undefined || ams === undefined) throw new Error("no datacenters");
    const told = ask(workloads, "outlook.office365.com", "A", "10.2.0.0/16", "contoso");
    expect(told.secondHop).toMatchObject({
      target: lhr.id,
      because: "London is active for contoso/exchange",
    });
    expect(told.homes).toMatchObject([
      { name: "contoso", workload: undefined, geo: "EUR", active: dub.id, standby: ams.id, servedBy: dub.id },
      { name: "contoso/exchange", workload: "exchange", active: lhr.id, standby: ams.id, servedBy: lhr.id },
    ]);
    const moved = withStates(
      workloads,
      new Map([[dub.id, "down"]]),
      new Map([["contoso/exchange", { active: ams, standby: lhr, serving: "standby" }]]),
    );
    expect(words(ask(moved, "outlook.office365.com", "A", "10.2.0.0/16", "contoso"))).toContain(
      `   The client connects to the front end Worldwide/mnz, which proxies to Worldwide/lhr: London is standby for contoso/exchange.
   contoso, geo EUR: active Worldwide/dub (down), standby Worldwide/ams (up). Worldwide/ams serves: it is the standby, and Worldwide/dub is down.
   contoso/exchange, geo EUR: active Worldwide/ams (up), standby Worldwide/lhr (up). Worldwide/lhr serves: it is the standby, failed over to from Worldwide/ams; it was moved, the configuration has it at Worldwide/lhr.`,
    );
    // A satellite has its own, and a workload stands for its tenant.
    expect(
      ask(workloads, "outlook.office365.com", "A", "10.2.0.0/16", "contosoAPC/sharepoint").homes.map(
        ({ name, servedBy }) => `${name} ${servedBy}`,
      ),
    ).toEqual(["contosoAPC Worldwide/sin", "contosoAPC/sharepoint Worldwide/syd"]);
    expect(ask(workloads, "contoso-com.mail.protection.outlook.com").decision).toMatchObject({
      datacenter: lhr.id,
      tenant: { name: "contoso/exchange" },
    });
  });

  test("a tenant that there is not is told as such", () => {
    const open = load(join(import.meta.dirname, "scenarios/fixtures/unknown-tenants.yaml"));
    expect(words(ask(open, "nobody-my.sharepoint.com"))).toContain(
      "Worldwide/ams (Amsterdam): there is no tenant nobody, and unknownTenants of the cloud has such answered as one of EUR.",
    );
  });

  test("a tenant of another cloud has no second hop there", () => {
    expect(ask(defaultLab, "partner.outlook.cn", "A", "10.5.0.0/16", "contoso").secondHop).toEqual({
      tenant: "contoso",
      frontEnd: "China/bjs",
      target: undefined,
      because: "contoso is a tenant of Worldwide, which has names of its own",
    });
  });

  test("without one it is open where a front end proxies to", () => {
    expect(words(ask(defaultLab, "partner.outlook.cn"))).toContain(
      "where that proxies to is open: it depends on the tenant; name one with --tenant.",
    );
  });
});

describe("a scripted zone", () => {
  const scripted = (settings: Partial<Settings> = {}): Snapshot => {
    writeFileSync(join(folder, "api.js"), "throw new Error('it is not to be run');");
    return lab(
      `zones: [lab.example, { zone: api.example, handler: api.js }]
records: { lab.example: [alias CNAME www.api.example.] }
`,
      settings,
    );
  };

  test("is answered by its handler, which is not run, and nothing is known before", () => {
    const explanation = ask(scripted(), "www.api.example");
    expect(explanation).toMatchObject({
      rcode: "not known",
      handler: { zone: "api.example.", path: realpathSync(join(folder, "api.js")) },
      records: [],
      scope: { prefixLength: undefined },
      decision: undefined,
    });
    const text = words(explanation);
    expect(text).toContain("www.api.example. A from 10.1.0.0/16: what its handler answers\n");
    expect(text).toContain("   None: in a scripted zone its handler decides, by rules of its own.\n");
    expect(text).toMatch(/ {3}Not known: \S+api\.js answers for api\.example\., and is not asked here\.\n/);
    expect(text).toContain("   scope not known: it is what the handler says; ");
    expect(text).toContain("   What the handler answers says where the connection ends.");
  });

  test("has scope 0 where client subnets are not trusted", () => {
    const { scope } = ask(scripted({ clientSubnetTrust: "none" }), "www.api.example");
    expect(scope).toEqual({
      prefixLength: 0,
      prefix: undefined,
      because: "client subnets are not trusted in this configuration, so the handler is shown none",
    });
  });

  test("ends a chain that leads into it", () => {
    const explanation = ask(scripted(), "alias.lab.example");
    expect(explanation).toMatchObject({ rcode: "NOERROR", handler: undefined, stop: { kind: "scripted" } });
    expect(words(explanation)).toContain(
      "   It ends there: the chain leads into a scripted zone, whose handler is asked for the next name alone.\n",
    );
  });
});

describe("vantage points", () => {
  test("are told where one can ask as if from there", () => {
    const explanation = ask(defaultLab, "portal.office.com", "A", "10.4.0.0/16");
    expect(explanation.vantages).toEqual([{ listener: "127.0.1.4:5300", name: "sydney-office" }]);
    expect(words(explanation)).toContain(
      "   Who asks 127.0.1.4:5300 without a client subnet is taken to be there: it stands for sydney-office.\n",
    );
  });

  test("are those whose address lies in what was asked about", () => {
    const listenersOf = (from: string) =>
      ask(defaultLab, "portal.office.com", "A", from).vantages.map(({ name }) => name);
    expect(listenersOf("10.4.1.0/24")).toEqual([]);
    expect(listenersOf("10.4.0.0/24")).toEqual(["sydney-office"]);
    expect(listenersOf("10.2.0.0/15")).toEqual(["new-york-office", "singapore-office"]);
    expect(listenersOf("2001:db8:4::/48")).toEqual([]);
  });
});
