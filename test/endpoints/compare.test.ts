/** What the comparison finds in a lab of two clouds and in the default one, and that it looks at no tenant. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { CloudTenants } from "../../src/cloud/tenant-table.ts";
import type { Configuration } from "../../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { compareEndpoints, differs, type EndpointsReport } from "../../src/endpoints/compare.ts";
import { readEndpoints } from "../../src/endpoints/file.ts";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "geodns365-endpoints-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, "lab.yaml");
writeFileSync(join(folder, "api.js"), "export default () => {};");
writeFileSync(
  path,
  `zones:
  - plain.example
  - { zone: api.example, handler: api.js }
records:
  plain.example:
    - www A 192.0.2.1
    - text TXT hello
    - alias CNAME www
    - "*.wild A 192.0.2.2"
    - sub NS ns.elsewhere.example.
    - moved DNAME www
---
cloud: Home
zones: [home.example]
anycast: [192.0.2.0/24]
datacenters:
  one: { city: London, country: GB, coordinates: [51.5, -0.1], geo: GBR, roles: [front-end, tenants], addresses: [13.107.6.0/24, "2603:1006::/48"] }
  two: { city: Paris, country: FR, coordinates: [48.9, 2.4], geo: FRA, roles: [front-end], addresses: [198.51.100.0/24] }
services:
  mail:
    policy: nearest-datacenter
    names: [mail.home.example, old-mail.home.example]
    ttl: 60
    chain: [{ name: "{datacenter}-front.inner.home.example", ttl: 60 }]
    addresses: { slice: 0, count: 3 }
  edge: { policy: nearest-datacenter, names: [edge.home.example], ttl: 60, addresses: { slice: 0, count: 2, anycast: true } }
  files: { policy: active-datacenter, names: ["{tenant}.home.example", "{tenant}-my.home.example"], ttl: 60, addresses: { slice: 1, count: 1 } }
  mx: { policy: active-datacenter, names: ["{domainKey}.mx.home.example"], ttl: 60, addresses: { slice: 2, count: 1 } }
---
cloud: Away
zones: [away.example]
datacenters:
  far: { city: Beijing, country: CN, coordinates: [39.9, 116.4], geo: CHN, roles: [front-end, tenants], addresses: [198.51.101.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.away.example], ttl: 60, addresses: { slice: 0, count: 1 } }
  files: { policy: active-datacenter, names: ["{tenant}.files.away.example"], ttl: 60, addresses: { slice: 1, count: 1 } }
---
tenants:
  contoso: { cloud: Home, geo: GBR, active: one }
`,
);

const labOf = (file: string): Configuration => {
  const loaded = loadConfig(file);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return loaded.configuration;
};
const lab = labOf(path);

interface Record {
  readonly id?: number;
  readonly serviceArea?: string;
  readonly urls?: readonly string[];
  readonly ips?: readonly string[];
}

function compare(records: readonly Record[], cloudName = "Home", configuration = lab): EndpointsReport {
  const filled = records.map((record, i) => ({
    id: i + 1,
    serviceArea: "Common",
    category: "Default",
    required: true,
    ...record,
  }));
  const read = readEndpoints("endpoints.json", JSON.stringify(filled));
  if (read.kind === "errors") throw new Error(read.errors.map(formatConfigError).join("\n"));
  const cloud = configuration.clouds.find(({ name }) => name === cloudName);
  if (cloud === undefined) throw new Error(`there is no cloud ${cloudName}`);
  return compareEndpoints(read.sets, configuration, cloud);
}

describe("of a file", () => {
  test.each([
    ["mail.home.example", "a name by place"],
    ["MAIL.home.example", "the same in capitals"],
    ["one-front.inner.home.example", "a name within a chain"],
    ["contoso-my.home.example", "a tenant's name"],
    ["mail.away.example", "a name of another cloud"],
    ["www.plain.example", "a plain address"],
    ["alias.plain.example", "a CNAME"],
    ["x.y.wild.plain.example", "a name that a wildcard makes"],
    ["a.moved.plain.example", "a name that a DNAME moves"],
    ["any.api.example", "a name whose handler decides"],
    ["*.home.example", "a pattern with names by place"],
    ["*.inner.home.example", "a pattern with names within a chain"],
    ["*-my.home.example", "a pattern with names of tenants alone"],
    ["<tenant>-my.home.example", "the same, written with <tenant>"],
    ["*.example", "a pattern above all zones"],
    ["*.deep.wild.plain.example", "a pattern below a wildcard"],
    ["*.api.example", "a pattern whose names' handler decides"],
    ["*api.example", "a pattern that matches a scripted zone's apex"],
  ])("%s is served: %s", (url) => {
    expect(compare([{ urls: [url] }]).notServed).toEqual([]);
  });

  test.each([
    ["new.home.example", "a name that does not exist"],
    ["fabrikam.home.example", "the name of no tenant"],
    ["home.example", "an apex without addresses"],
    ["inner.home.example", "an empty non-terminal"],
    ["text.plain.example", "a name without addresses"],
    ["www.sub.plain.example", "a delegated name"],
    ["www.elsewhere.example", "a name in no zone"],
    ["*.mail.home.example", "a pattern below a name"],
    ["*.inner2.home.example", "a pattern where nothing is"],
    ["ns*.home.example", "a pattern that matches the zone's name servers alone"],
    ["*.sub.plain.example", "a pattern in a delegation"],
    ["*.mx.home.example", "a pattern of domains, of which no tenant has any"],
    ["*.files.away.example", "a pattern of tenants, of which the cloud has none"],
  ])("%s is not served: %s", (url) => {
    const { notServed } = compare([{ urls: [url] }]);
    expect(notServed.flatMap(({ names, patterns }) => [...names, ...patterns])).toEqual([url]);
  });

  test("what is not served is in the order of areas and ids, and counted once", () => {
    const report = compare([
      { id: 9, serviceArea: "Skype", urls: ["b.example", "mail.home.example", "*.b.example"] },
      { id: 7, serviceArea: "Exchange", urls: ["mail.home.example"] },
      { id: 5, serviceArea: "Skype", urls: ["B.example", "a.example"] },
      { id: 8, serviceArea: "Common", ips: ["192.0.2.0/24"] },
      { id: 6, serviceArea: "Common", ips: ["192.0.2.0/24"] },
    ]);
    const set = { serviceArea: "Skype", category: "Default", required: true };
    expect(report).toMatchObject({
      records: 5,
      prefixes: 1,
      names: { total: 3, missing: 2 },
      patterns: { total: 1, missing: 1 },
      notServed: [
        { ...set, id: 5, names: ["B.example", "a.example"], patterns: [] },
        { ...set, id: 9, names: ["b.example"], patterns: ["*.b.example"] },
      ],
    });
  });
});

describe("of a cloud", () => {
  test("public names outside every pattern are told by service, templates as written", () => {
    const report = compare([{ urls: ["mail.home.example", "*-my.home.example", "*.mx.home.example"] }]);
    expect(report.servedNames).toEqual({ total: 6, missing: 3 });
    expect(report.namesOutside).toEqual([
      { service: "mail", names: ["old-mail.home.example"] },
      { service: "edge", names: ["edge.home.example"] },
      { service: "files", names: ["{tenant}.home.example"] },
    ]);
    expect(compare([{ urls: ["*.home.example"] }]).namesOutside).toEqual([]);
    expect(compare([{ urls: ["*.home.example"] }], "Away").namesOutside).toHaveLength(2);
  });

  test("addresses outside every prefix are told by service and datacenter, as ranges", () => {
    const ips = ["13.107.6.0/30", "192.0.2.2/32", "2603:1006::/47"];
    const report = compare([{ ips }]);
    expect(report.addresses).toEqual({ total: 15, missing: 6, areLabAddresses: false });
    expect(report.addressesOutside).toEqual([
      { service: "mail", datacenter: "two", count: 3, ranges: ["198.51.100.1-198.51.100.3"] },
      { service: "edge", datacenter: undefined, count: 1, ranges: ["192.0.2.1"] },
      { service: "files", datacenter: "one", count: 1, ranges: ["13.107.6.17"] },
      { service: "mx", datacenter: "one", count: 1, ranges: ["13.107.6.33"] },
    ]);
  });

  test("a range has no hole", () => {
    const report = compare([{ ips: ["198.51.100.2/32"] }]);
    const ranges = report.addressesOutside.find(({ datacenter }) => datacenter === "two")?.ranges;
    expect(ranges).toEqual(["198.51.100.1", "198.51.100.3"]);
  });

  test("a file that holds it all finds nothing", () => {
    const ips = ["13.107.6.0/24", "198.51.100.0/23", "192.0.2.0/24", "2603:1006::/32"];
    const report = compare([{ urls: ["*.home.example"], ips }]);
    expect(differs(report)).toBe(false);
    expect(differs(compare([{ urls: ["*.home.example", "a.example"], ips }]))).toBe(true);
    expect(differs(compare([{ urls: ["*.home.example"], ips: ips.slice(1) }]))).toBe(true);
    expect(differs(compare([{ urls: ["mail.home.example"], ips }]))).toBe(true);
  });
});

describe("of the default lab", () => {
  const text = readFileSync(join(root, "test/fixtures/endpoints-worldwide.json"), "utf8");
  const records: readonly Record[] = JSON.parse(text);
  const defaultLab = labOf(join(root, "config/geodns365.yaml"));
  const report = compare(records, "Worldwide", defaultLab);
  const notServed = report.notServed.flatMap(({ names, patterns }) => [...names, ...patterns]);

  test("the names that people know are served", () => {
    for (const known of ["outlook.office365.com", "login.microsoftonline.com", "*.sharepoint.com"]) {
      expect(notServed).not.toContain(known);
    }
  });

  test("what it has no service for is not", () => {
    expect(notServed).toEqual(
      expect.arrayContaining(["*cdn.onenote.net", "graph.microsoft.com", "*.svc.ms"]),
    );
  });

  test("its addresses are the lab's", () => {
    const { total, missing, areLabAddresses } = report.addresses;
    expect([missing, areLabAddresses]).toEqual([total, true]);
  });

  test("no tenant is looked at", () => {
    const rows = vi.spyOn(CloudTenants.prototype, "rows");
    compare(records, "Worldwide", defaultLab);
    expect(rows).not.toHaveBeenCalled();
    rows.mockRestore();
  });
});
