// Eras of services, clouds switched on and off, and settings that want a cloud otherwise: what is in force, and what is wrong.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Cloud } from "../../src/cloud/service.ts";
import type { AddressSource } from "../../src/cloud/topology.ts";
import { readDocuments } from "../../src/config/documents.ts";
import { formatConfigError, type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { nameOf } from "../../src/dns/name.ts";
import { formatPrefix } from "../../src/ip.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";

/** Two services with eras, one that follows another; a case changes pieces of it, and so keeps its line numbers. */
const soundLab = `geoip: { database: none }
---
cloud: Lab
eras: { mail: old, share: plain }
zones: [lab.example]
anycast: [198.18.128.0/24]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51, 0], geo: GBR, region: west, roles: [front-end, tenants], addresses: [198.18.1.0/24], farms: { geo: 1, clump: 16, farm: 32 } }
  vie: { city: Vienna, country: AT, coordinates: [48, 16], geo: EUR, region: east, roles: [front-end], addresses: [198.18.2.0/24] }
services:
  mail:
    policy: nearest-datacenter
    ttl: 300
    eras:
      - { in: [oldest, old], names: [mail.lab.example], chain: [{ name: "{region}.mail.lab.example", ttl: 60 }], addresses: { slice: 0, count: 2 } }
      - { in: [new], names: [mail.lab.example], addresses: { slice: 0, count: 4 } }
  post:
    eraOf: mail
    policy: nearest-datacenter
    names: [post.lab.example]
    ttl: 60
    chain: [{ name: mail.lab.example }]
    eras: [{ in: [new], ttl: 30 }]
  share:
    policy: active-datacenter
    names: ["{tenant}.lab.example"]
    ttl: 60
    eras:
      - { in: [plain], addresses: { slice: 1, count: 2 } }
      - { in: [edge], addresses: { slice: 1, count: 1, anycast: true } }
---
tenants:
  contoso: { cloud: Lab, geo: GBR, active: lhr }
`;

type Change = readonly [from: string, to: string];
type Files = Readonly<Record<string, string>>;

/** The text with each piece, which must stand in it once, replaced. */
function changed(text: string, ...changes: readonly Change[]): string {
  return changes.reduce((before, [from, to]) => {
    const parts = before.split(from);
    if (parts.length !== 2) throw new Error(`"${from}" stands ${parts.length - 1} times in the text`);
    return parts.join(to);
  }, text);
}

const folder = mkdtempSync(join(tmpdir(), "geodns365-eras-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads the first of the files. */
function load(files: Files): LoadedConfig {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return loadConfig(join(folder, Object.keys(files)[0] ?? ""));
}

function errorsOf(files: Files): readonly string[] {
  const loaded = load(files);
  if (loaded.kind === "loaded") return [];
  return loaded.errors.map(({ place, message }) =>
    `${place.file}:${place.line}:${place.column}: ${message}`.replaceAll(`${folder}/`, ""),
  );
}

function cloudOf(files: Files): Cloud {
  const loaded = load(files);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  const [cloud] = loaded.configuration.clouds;
  if (cloud === undefined) throw new Error("there is no cloud");
  return cloud;
}

const lab = (...changes: readonly Change[]): Files => ({ "lab.yaml": changed(soundLab, ...changes) });

/** Settings that include the lab and want it otherwise. */
const adjusted = (clouds: string, ...changes: readonly Change[]): Files => ({
  "settings.yaml": `include: [lab.yaml]\nclouds:\n${clouds}\n`,
  ...lab(...changes),
});

/** Services in a line each. */
const told = ({ services }: Cloud): readonly string[] =>
  services.map(({ name, era, links, end }) => {
    const chain = links.map(({ owners, ttlSeconds }) => `${owners.map(({ text }) => text)} ${ttlSeconds}`);
    const last = end.kind === "alias" ? `> ${end.target.text}` : `> ${end.count} of ${end.kind}`;
    return [name, `(${era})`, ...chain, last].join(" ");
  });

describe("a service in an era", () => {
  test("has what stands beside its eras, and what its own says instead; in no era of its own it is not there", () => {
    expect(told(cloudOf(lab()))).toEqual([
      "mail (old) mail.lab.example 300 {region}.mail.lab.example 60 > 2 of addresses",
      "share (plain) {tenant}.lab.example 60 > 2 of addresses",
    ]);
  });

  test("follows the one that it names", () => {
    expect(told(cloudOf(lab(["mail: old", "mail: new"])))).toEqual([
      "mail (new) mail.lab.example 300 > 4 of addresses",
      "post (new) post.lab.example 30 > mail.lab.example",
      "share (plain) {tenant}.lab.example 60 > 2 of addresses",
    ]);
  });

  test("is in the one that the settings say, the others in that of the cloud's file", () => {
    expect(told(cloudOf(adjusted("  Lab: { eras: { share: edge } }")))).toEqual([
      "mail (old) mail.lab.example 300 {region}.mail.lab.example 60 > 2 of addresses",
      "share (edge) {tenant}.lab.example 60 > 1 of anycast",
    ]);
  });
});

test("settings give a datacenter another region, code, pool and farms, and the cloud another anycast pool", () => {
  const cloud = cloudOf(
    adjusted(
      `  Lab:
    anycast: [198.18.129.0/24]
    eras: { share: edge }
    datacenters:
      lhr: { region: north, code: lon, addresses: [198.18.3.0/24], farms: { geo: 2, clump: 3, farm: 4, net: 5 } }`,
    ),
  );
  expect(cloud.datacenters.map(({ shortId, region, code }) => [shortId, region, code])).toEqual([
    ["lhr", "north", "lon"],
    ["vie", "east", "VIE"],
  ]);
  expect(cloud.datacenters[0]?.addresses.map(formatPool)).toEqual(["198.18.3.0/24"]);
  expect(cloud.datacenters[0]?.farms).toEqual({ geo: 2, firstClump: 3, firstFarm: 4, net: 5 });
  const end = cloud.services.find(({ name }) => name === "share")?.end;
  expect(end?.kind === "anycast" && end.sources.map(formatPool)).toEqual(["198.18.129.0/24"]);
});

const formatPool = (source: AddressSource): string =>
  source.kind === "pool" ? formatPrefix(source.pool) : source.kind;

interface Case {
  readonly name: string;
  readonly files: Files;
  readonly errors: readonly string[];
}

const cases = (table: readonly Case[]): void => {
  test.each(table)("$name", ({ files, errors }) => expect(errorsOf(files)).toEqual(errors));
};

describe("what is wrong with eras", () => {
  cases([
    { name: "nothing in the lab that the cases change", files: lab(), errors: [] },
    {
      name: "an era that there is not",
      files: lab(["mail: old", "mail: odl"]),
      errors: ['lab.yaml:4:15: "odl" is no era of mail; did you mean "old"?'],
    },
    {
      name: "an era that there is not, in the settings",
      files: adjusted("  Lab: { eras: { mail: newer } }"),
      errors: ['settings.yaml:3:24: "newer" is no era of mail; did you mean "new"?'],
    },
    {
      name: "an era of a service that there is not, and of one that follows another",
      files: lab(["share: plain }", "share: plain, shore: plain, post: new }"]),
      errors: [
        'lab.yaml:4:34: no service "shore" has several eras; did you mean "share"?',
        'lab.yaml:4:48: no service "post" has several eras; there are mail, share',
      ],
    },
    {
      name: "a service with eras of which none is chosen",
      files: lab(["mail: old, ", ""]),
      errors: [
        'lab.yaml:14:5: eras of the cloud do not say which one "mail" is in; there are oldest, old, new',
      ],
    },
    {
      name: "eras and no choice at all",
      files: lab(["eras: { mail: old, share: plain }\n", "\n"]),
      errors: [
        'lab.yaml:14:5: eras of the cloud do not say which one "mail" is in; there are oldest, old, new',
        'lab.yaml:28:5: eras of the cloud do not say which one "share" is in; there are plain, edge',
      ],
    },
    {
      name: "eraOf without eras",
      files: lab(["    eras: [{ in: [new], ttl: 30 }]\n", ""]),
      errors: ["lab.yaml:18:5: eraOf is of a service with eras, and here are none"],
    },
    {
      name: "an era described twice, in two variants and in one",
      files: lab(["{ in: [new], names", "{ in: [old, new, new], names"]),
      errors: [
        'lab.yaml:16:16: the service is described in the era "old" already',
        'lab.yaml:16:26: the service is described in the era "new" already',
      ],
    },
    {
      name: "era beside eras",
      files: lab(["    eraOf: mail\n", "    era: new\n"]),
      errors: ["lab.yaml:18:10: the era of a service with eras is chosen in the cloud's eras"],
    },
    {
      name: "a variant without names, and one without a TTL",
      files: lab(
        ["{ in: [new], names: [mail.lab.example], addr", "{ in: [new], addr"],
        ["    names: [post.lab.example]\n    ttl: 60\n", "    names: [post.lab.example]\n\n"],
        ["[{ in: [new], ttl: 30 }]", "[{ in: [old] }, { in: [new], ttl: 30 }]"],
      ),
      errors: [
        'lab.yaml:16:9: "names" is missing here; expected a list',
        'lab.yaml:23:12: "ttl" is missing here; expected a whole number',
      ],
    },
    {
      name: "a variant for no era, and no variant",
      files: lab(["{ in: [plain], addr", "{ in: [], addr"], ["[{ in: [new], ttl: 30 }]", "[]"]),
      errors: [
        "lab.yaml:23:11: expected a list of at least 1, found a list of 0",
        "lab.yaml:29:15: expected a list of at least 1, found a list of 0",
      ],
    },
    {
      name: "a key that a variant has not",
      files: lab(["in: [plain], addr", "in: [plain], adresses: {}, addr"]),
      errors: ['lab.yaml:29:24: "adresses" is no key here; did you mean "addresses"?'],
    },
    {
      name: "what a variant in force says, where it is written",
      files: lab(["count: 2 } }\n      - { in: [new]", "count: 16 } }\n      - { in: [new]"]),
      errors: ["lab.yaml:15:144: expected at most 15, found 16"],
    },
    {
      name: "more addresses than a pool has, and a chain out of the zones, in a variant",
      files: lab(
        [
          'chain: [{ name: "{region}.mail.lab.example", ttl: 60 }]',
          'chain: [{ name: "{region}.mail.test", ttl: 60 }]',
        ],
        ["addresses: { slice: 1, count: 2 }", "addresses: { slice: 0, count: 2 }"],
      ),
      errors: [
        "lab.yaml:15:73: west.mail.test. is in no zone served; add one to zones",
        'lab.yaml:29:44: slice 0 belongs to service "mail" already',
      ],
    },
    {
      name: "nothing in a variant that is not in force",
      files: lab(["{ slice: 0, count: 4 }", "{ slice: 1, count: 4 }"]),
      errors: [],
    },
  ]);
});

describe("what is wrong with anycast", () => {
  cases([
    {
      name: "a cloud that has no pool for it",
      files: lab(["share: plain", "share: edge"], ["anycast: [198.18.128.0/24]\n", "\n"]),
      errors: ['lab.yaml:30:34: Lab\'s anycast has no addresses to give; set "anycast" of the cloud'],
    },
    {
      name: "more addresses than its pool has",
      files: lab(
        ["share: plain", "share: edge"],
        ["anycast: [198.18.128.0/24]", "anycast: [198.18.128.0/27]"],
        ["count: 1, anycast", "count: 2, anycast"],
      ),
      errors: [
        "lab.yaml:30:53: a slice of the pool of Lab's anycast, 198.18.128.0/27, has 1 addresses, not 2",
      ],
    },
    {
      name: "a pool that a datacenter has, and one of the settings",
      files: adjusted("  Lab: { anycast: [198.18.2.0/25] }"),
      errors: ["settings.yaml:3:20: 198.18.2.0/25 overlaps the pool of Lab/vie at lab.yaml:9:116"],
    },
    {
      name: "a slice of it that two services have",
      files: lab(
        ["share: plain", "share: edge"],
        [
          "  share:\n",
          "  portal: { policy: nearest-datacenter, names: [portal.lab.example], ttl: 1, addresses: { slice: 1, count: 1, anycast: true } }\n  share:\n",
        ],
      ),
      errors: ['lab.yaml:31:43: slice 1 belongs to service "portal" already'],
    },
    {
      name: "nothing where it has the slice that another has of datacenters",
      files: lab([
        "  share:\n",
        "  portal: { policy: nearest-datacenter, names: [portal.lab.example], ttl: 1, addresses: { slice: 1, count: 1, anycast: true } }\n  share:\n",
      ]),
      errors: [],
    },
  ]);
});

describe("what is wrong with names by region and net", () => {
  cases([
    {
      name: "a front end without a region",
      files: lab(["region: east, ", ""]),
      errors: ["lab.yaml:15:73: Lab/vie has no {region} for {region}.mail.lab.example"],
    },
    {
      name: "nothing with a datacenter that only holds tenants",
      files: lab(["region: east, roles: [front-end]", "roles: [tenants]"]),
      errors: [],
    },
    {
      name: "farms without a net",
      files: lab([
        "addresses: { slice: 1, count: 2 }",
        'chain: [{ name: "net{net}-{netEnd}.lab.example", ttl: 60 }], addresses: { slice: 1, count: 2 }',
      ]),
      errors: ["lab.yaml:29:40: Lab/lhr has no {net} for net{net}-{netEnd}.lab.example"],
    },
  ]);
});

describe("what is wrong with settings for clouds", () => {
  cases([
    {
      name: "a cloud that there is not",
      files: adjusted("  Lap: { enabled: false }"),
      errors: ['settings.yaml:3:3: "Lap" is no cloud; did you mean "Lab"?'],
    },
    {
      name: "a datacenter that the cloud has not",
      files: adjusted("  Lab: { datacenters: { lrh: { region: west } } }"),
      errors: ['settings.yaml:3:25: "lrh" is no datacenter of Lab; did you mean "lhr"?'],
    },
    {
      name: "a key that a datacenter has not there",
      files: adjusted("  Lab: { datacenters: { lhr: { city: Leeds } } }"),
      errors: ['settings.yaml:3:32: "city" is no key here; there are region, code, addresses, farms'],
    },
    {
      name: "a pool that another has, where the settings give it",
      files: adjusted("  Lab:\n    datacenters:\n      lhr: { addresses: [198.18.2.0/24] }"),
      errors: ["lab.yaml:9:116: 198.18.2.0/24 overlaps the pool of Lab/lhr at settings.yaml:5:26"],
    },
    {
      name: "a pool that is too small, where the settings give it",
      files: adjusted("  Lab:\n    datacenters:\n      lhr: { addresses: [198.18.3.0/28] }"),
      errors: ["settings.yaml:5:26: a pool has 16 slices, so it must be /27 or shorter"],
    },
    {
      name: "settings twice",
      files: {
        "settings.yaml":
          "include: [lab.yaml]\nclouds: { Lab: { eras: { mail: new } } }\n---\nclouds: { Lab: { enabled: false } }\n",
        ...lab(),
      },
      errors: ['settings.yaml:4:1: "clouds" is set at settings.yaml:2:1 already'],
    },
    {
      name: "nothing of what faulty settings for clouds may have said",
      files: adjusted("  Lab: { eras: { mail: new, share: plain }, enabld: true }", [
        "eras: { mail: old, share: plain }\n",
        "\n",
      ]),
      errors: ['settings.yaml:3:45: "enabld" is no key here; did you mean "enabled"?'],
    },
    {
      name: "nothing of a cloud whose file has a fault but what is wrong there",
      files: adjusted("  Lab: { eras: { mail: new } }", ["cloud: Lab\neras", "cloud: Lab\nerars"]),
      errors: ['lab.yaml:4:1: "erars" is no key here; did you mean "eras"?'],
    },
  ]);
});

/** A second cloud, switched off, with tenants in YAML and CSV. */
const otherCloud: Files = {
  "other.yaml": `cloud: Other
enabled: false
zones: [other.example]
datacenters:
  osl: { city: Oslo, country: "NO", coordinates: [60, 11], geo: NOR, roles: [front-end, tenants], addresses: [198.18.9.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.other.example], ttl: 300, addresses: { slice: 0, count: 2 } }
  share: { policy: active-datacenter, names: ["{tenant}.other.example"], ttl: 60, addresses: { slice: 1, count: 2 } }
---
tenants:
  fabrikam: { cloud: Other, geo: NOR, active: osl, domains: [fabrikam.com], satellites: { fabrikamEUR: { geo: NOR, active: osl } } }
tenantFiles: [tenants.csv]
`,
  "tenants.csv": `tenant,cloud,geo,active,satelliteOf
northwind,Other,NOR,osl,
northwindEUR,Other,NOR,osl,northwind
wingtip,Lab,GBR,lhr,
`,
};

const twoClouds = (settings: string): Files => ({
  "settings.yaml": `include: [lab.yaml, other.yaml]\n${settings}`,
  ...lab(),
  ...otherCloud,
});

describe("a cloud that is switched off", () => {
  const serves = (files: Files) => {
    const loaded = load(files);
    if (loaded.kind === "errors") return loaded.errors.map(({ message }) => message);
    const { clouds, zones } = loaded.configuration;
    return [
      [...zones.keys()].toSorted().join(" "),
      ...clouds.map(
        ({ name, tenants }) =>
          `${name}: ${Array.from(tenants, ({ label }) => label)
            .toSorted()
            .join(" ")}`,
      ),
    ];
  };

  test("has no zones and no tenants, and is no error", () => {
    expect(serves(twoClouds(""))).toEqual(["lab.example.", "Lab: contoso wingtip"]);
  });

  test("is on where the settings say so", () => {
    expect(serves(twoClouds("clouds: { Other: { enabled: true } }\n"))).toEqual([
      "lab.example. other.example.",
      "Lab: contoso wingtip",
      "Other: fabrikam fabrikamEUR northwind northwindEUR",
    ]);
  });

  test("may be one that its file has on", () => {
    expect(serves(twoClouds("clouds: { Other: { enabled: true }, Lab: { enabled: false } }\n"))).toEqual([
      "other.example.",
      "Other: fabrikam fabrikamEUR northwind northwindEUR",
    ]);
  });

  cases([
    {
      name: "leaves no zone to serve",
      files: adjusted("  Lab: { enabled: false }"),
      errors: ["settings.yaml:1:1: there is no zone to serve; list zones, or include a cloud's file"],
    },
    {
      name: "does not hide tenants of a cloud that there is not",
      files: { ...twoClouds(""), "tenants.csv": "tenant,cloud,geo,active\nnorthwind,Othr,NOR,osl\n" },
      errors: ['tenants.csv:2:11: "Othr" is no cloud; did you mean "Other"?'],
    },
  ]);
});

describe("a zone of two clouds", () => {
  const both = (ofLab: string, ofOther: string): Files => ({
    "settings.yaml": "include: [lab.yaml, other.yaml]\n",
    ...lab(["zones: [lab.example]", `zones: [${ofLab}]`]),
    ...otherCloud,
    "other.yaml": changed(
      otherCloud["other.yaml"] ?? "",
      ["enabled: false\nzones: [other.example]", `zones: [other.example, ${ofOther}]`],
      ["mail.other.example", "outlook.lab.example"],
    ),
  });

  test("that both have as shared holds names of both", () => {
    const loaded = load(both("{ zone: lab.example, shared: true }", "{ zone: lab.example, shared: true }"));
    if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
    const zone = zonesOfRecords(loaded.configuration.zones).find(({ apex }) => apex === "lab.example.");
    for (const name of ["mail.lab.example.", "outlook.lab.example."]) {
      expect(zone?.nodes.get(nameOf(name)), name).toBeDefined();
    }
  });

  cases([
    {
      name: "that the second has not as shared",
      files: both("{ zone: lab.example, shared: true }", "lab.example"),
      errors: [
        "other.yaml:2:24: zone lab.example. is defined at lab.yaml:5:9 already; it is shared there, so shared: true must stand here too",
      ],
    },
    {
      name: "that the first has not as shared",
      files: both("lab.example", "{ zone: lab.example, shared: true }"),
      errors: ["other.yaml:2:24: zone lab.example. is defined at lab.yaml:5:9 already, and not as shared"],
    },
    {
      name: "whose file the second names",
      files: {
        ...both("{ zone: lab.example, shared: true }", "{ zone: lab.example, shared: true, file: a.zone }"),
        "a.zone": "",
      },
      errors: [
        "other.yaml:2:24: zone lab.example. is defined at lab.yaml:5:9 already, where its file must be named",
      ],
    },
    {
      name: "in which both have the same name",
      files: {
        ...both("{ zone: lab.example, shared: true }", "{ zone: lab.example, shared: true }"),
        "other.yaml": changed(
          both("lab.example", "{ zone: lab.example, shared: true }")["other.yaml"] ?? "",
          ["outlook.lab.example", "mail.lab.example"],
        ),
      },
      errors: ["other.yaml:6:47: mail.lab.example. is made at lab.yaml:15:38 already"],
    },
  ]);
});

describe("the default lab", () => {
  const main = resolve(import.meta.dirname, "../../config/geodns365.yaml");
  const { documents } = readDocuments(main);
  const eras = documents.clouds.flatMap(({ value }) =>
    Object.entries(value.services).flatMap(([name, service]) =>
      (service.eras ?? []).flatMap((variant) =>
        variant.in.map((era) => JSON.stringify([value.cloud, service.eraOf ?? name, era])),
      ),
    ),
  );

  test("has eras", () => expect(new Set(eras).size).toBeGreaterThanOrEqual(18));

  test.each([...new Set(eras)])("loads in %s without an error or a warning", (each) => {
    const [cloud, service, era] = JSON.parse(each);
    const settings = { include: [main], clouds: { [cloud]: { enabled: true, eras: { [service]: era } } } };
    const loaded = load({ "era.yaml": JSON.stringify(settings) });
    if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
    expect(loaded.warnings).toEqual([]);
    const found = loaded.configuration.clouds
      .find(({ name }) => name === cloud)
      ?.services.find(({ name }) => name === service);
    expect(found?.era).toBe(era);
  });
});
