// Tenants from CSV: the same as from YAML, with every error at its line and column, and no more of them than can be read.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { choosable } from "../../src/cloud/chain.ts";
import { initialDomainOf } from "../../src/cloud/service.ts";
import type { Configuration } from "../../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { nameOf } from "../../src/dns/name.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";

const lab = `server: { listen: ["127.0.0.1:0"] }
geoip: { database: none }
---
cloud: Lab
zones: [lab.example, mail.example]
records:
  lab.example: ["taken A 192.0.2.1", "cut NS ns.other.example.", "www.beside A 192.0.2.2", "*.wild A 192.0.2.3"]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51, 0], geo: GBR, roles: [front-end, tenants], addresses: [198.18.1.0/24] }
  cdg: { city: Paris, country: FR, coordinates: [49, 2], geo: "EUR, west", roles: [front-end], addresses: [198.18.2.0/24] }
  ams: { city: Amsterdam, country: NL, coordinates: [52, 5], geo: EUR, roles: [tenants], addresses: [198.18.3.0/24] }
services:
  share:
    policy: active-datacenter
    names: ["{tenant}.lab.example"]
    ttl: 60
    addresses: { slice: 1, count: 2 }
  share-forms:
    policy: active-datacenter
    names: ["{tenant}-my.lab.example", "{tenant}-files.lab.example"]
    ttl: 60
    chain: [{ name: "{tenant}.lab.example" }]
  mail-exchanger:
    policy: active-datacenter
    names: ["{domainKey}.mail.example"]
    ttl: 10
    addresses: { slice: 2, count: 1 }
---
`;

const folder = mkdtempSync(join(tmpdir(), "geodns365-tenants-"));
afterAll(() => rmSync(folder, { recursive: true }));
let folders = 0;

function load(
  csv: string | Buffer,
  tenants = "tenantFiles: [tenants.csv]\n",
  change: (text: string) => string = (text) => text,
): Loaded {
  const at = join(folder, String(++folders));
  mkdirSync(at);
  writeFileSync(join(at, "lab.yaml"), `${change(lab)}${tenants}`);
  writeFileSync(join(at, "tenants.csv"), csv);
  const loaded = loadConfig(join(at, "lab.yaml"));
  if (loaded.kind === "loaded") return { configuration: loaded.configuration, errors: [], at };
  const errors = loaded.errors.map(
    ({ place: { file, line, column }, message }) =>
      `${file.startsWith(at) ? file.slice(at.length + 1) : file}:${line}:${column}: ${message.replaceAll(new RegExp(`[^ ]*/${folders}/`, "g"), "")}`,
  );
  return { configuration: undefined, errors, at, shown: loaded.errors.map(formatConfigError) };
}

interface Loaded {
  readonly configuration: Configuration | undefined;
  readonly errors: readonly string[];
  readonly at: string;
  readonly shown?: readonly string[];
}

const tenantsIn = ({ configuration, errors }: Loaded): readonly unknown[] => {
  if (configuration === undefined) throw new Error(errors.join("\n"));
  return configuration.clouds.flatMap(({ tenants }) =>
    Array.from(tenants, ({ active, standby, ...tenant }) => ({
      ...tenant,
      active: active.id,
      standby: standby?.id,
    })),
  );
};

const plain = { failover: "automatic", failback: "manual", standby: undefined, domains: [] };
const contoso = { ...plain, tenant: "contoso", label: "contoso", geo: "EUR", active: "Lab/ams", slot: 0 };

describe("workloads with a home of their own", () => {
  const columns =
    "tenant,cloud,geo,active,standby,failover,failback,domains,exchangeActive,exchangeStandby,exchangeFailover,exchangeFailback,sharepointActive\n";
  const homesIn = ({ configuration, errors }: Loaded): readonly string[] => {
    if (configuration === undefined) throw new Error(errors.join("\n"));
    return configuration.clouds.flatMap(({ tenants }) =>
      Array.from(tenants.page(0, 100), ({ tenant, label, geo, active, standby, failover, failback, slot }) =>
        [tenant, label, geo, active.shortId, standby?.shortId, failover, failback, slot].join(" "),
      ),
    );
  };

  it("take from the tenant what is not said of them, from CSV as from YAML", () => {
    const csv = load(
      `${columns}contoso,Lab,EUR,ams,lhr,manual,automatic,contoso.com,lhr,,,,\nb,Lab,GBR,lhr,,,,,ams,lhr,automatic,automatic,ams\n"c",Lab,EUR,ams,lhr,,,,,,,,lhr\n`,
    );
    const yaml = load(
      "",
      `tenants:
  contoso: { cloud: Lab, geo: EUR, active: ams, standby: lhr, failover: manual, failback: automatic, domains: [contoso.com], workloads: { exchange: { active: lhr } } }
  b: { cloud: Lab, geo: GBR, active: lhr, workloads: { exchange: { active: ams, standby: lhr, failover: automatic, failback: automatic }, sharepoint: { active: ams } } }
  c: { cloud: Lab, geo: EUR, active: ams, standby: lhr, workloads: { sharepoint: { active: lhr } } }
`,
    );
    expect(homesIn(csv)).toEqual([
      "contoso contoso EUR ams lhr manual automatic 0",
      "contoso contoso/exchange EUR lhr ams manual automatic 0",
      "b b GBR lhr  automatic manual 5",
      "b b/exchange GBR ams lhr automatic automatic 5",
      "b b/sharepoint GBR ams  automatic manual 5",
      "c c EUR ams lhr automatic manual 2",
      "c c/sharepoint EUR lhr ams automatic manual 2",
    ]);
    expect(homesIn(yaml)).toEqual(homesIn(csv));
    // Who counts tenants counts no workloads.
    expect(csv.configuration?.clouds.map(({ tenants }) => [tenants.homeCount, [...tenants].length])).toEqual([
      [3, 3],
    ]);
  });

  it.each<[what: string, line: string, errors: readonly string[]]>([
    [
      "a home without an active datacenter",
      "a,Lab,EUR,ams,,,,,,lhr,,,\n",
      ['2:20: "exchangeActive" is empty here; a workload with a home of its own has an active datacenter'],
    ],
    [
      "an unknown datacenter",
      "a,Lab,EUR,ams,,,,,lrh,,,,\n",
      ['2:19: "lrh" is no datacenter of Lab; did you mean "lhr"?'],
    ],
    [
      "one without the role tenants",
      "a,Lab,EUR,ams,,,,,,,,,cdg\n",
      ["2:23: Lab/cdg has not the role tenants, so it can be neither active nor standby"],
    ],
    [
      "a standby that is the active one",
      "a,Lab,EUR,ams,,,,,lhr,lhr,,,\n",
      ["2:23: the standby is the active datacenter itself"],
    ],
    [
      "a mode that is none",
      "a,Lab,EUR,ams,,,,,lhr,,auto,,\n",
      ['2:24: expected automatic or manual, found "auto"; there are automatic, manual'],
    ],
    [
      "what is wrong with the tenant, told once",
      "a,Lab,EUR,asm,,,,,lhr,,,,\n",
      ['2:11: "asm" is no datacenter of Lab; did you mean "ams"?'],
    ],
    [
      "a geo that the cloud has not",
      "a,Lab,EURO,ams,,,,,lhr,,,,\n",
      ['2:7: "EURO" is the geo of no datacenter of Lab; did you mean "EUR"?'],
    ],
  ])("%s is an error", (_, line, errors) => {
    expect(load(`${columns}${line}`).errors).toEqual(errors.map((error) => `tenants.csv:${error}`));
  });

  it("count in the content of a zone where its services go by them, in whatever order tenants come", () => {
    const contentOf = (csv: string, service = "share", tenants?: string): string | undefined => {
      const { configuration, errors } = load(csv, tenants, (text) =>
        text.replace(`  ${service}:\n`, `$&    workload: sharepoint\n`),
      );
      if (configuration === undefined) throw new Error(errors.join("\n"));
      const zone = zonesOfRecords(configuration.zones).find(({ apex }) => apex === "lab.example.");
      return zone?.nodes.virtual?.digest(({ tailored }) =>
        tailored?.kind === "service"
          ? choosable(tailored)
              .map(({ id }) => id)
              .join()
          : "",
      );
    };
    const head = "tenant,cloud,geo,active,sharepointActive,exchangeActive\n";
    const [a, b] = ["a,Lab,EUR,ams,,\n", "b,Lab,EUR,ams,,\n"];
    const [aParted, bMail] = ["a,Lab,EUR,ams,lhr,\n", "b,Lab,EUR,ams,,lhr\n"];
    const plain = contentOf(`${head}${a}${b}`);
    expect(contentOf(`${head}${aParted}${b}`)).not.toBe(plain);
    expect(contentOf(`${head}${b}${aParted}`)).toBe(contentOf(`${head}${aParted}${b}`));
    expect(contentOf(`${head}${a}${bMail}`)).toBe(plain);
    expect(contentOf(`${head}${aParted}${b}`, "mail-exchanger")).toBe(plain);
  });

  it("and initial domains, the usual suffix of the cloud behind them unless they have one", () => {
    const suffixes = (text: string): string =>
      text.replace("zones: [lab", "initialDomains: [on.test, on.example]\nzones: [lab");
    const csv =
      "tenant,cloud,geo,active,satelliteOf,initialDomain\na,Lab,EUR,ams,,\nb,Lab,EUR,ams,,Other\nc,Lab,EUR,ams,,c.on.example\naGBR,Lab,GBR,lhr,a,\n";
    const { configuration, errors } = load(csv, undefined, suffixes);
    expect(errors).toEqual([]);
    expect(
      configuration?.clouds.flatMap((cloud) =>
        Array.from(cloud.tenants, (each) => initialDomainOf(cloud, each)),
      ),
    ).toEqual(["a.on.test", "other.on.test", "c.on.example", undefined]);
    const faulty = `${csv}d,Lab,EUR,ams,,other\ne,Lab,EUR,ams,,e.on.net\neGBR,Lab,GBR,lhr,a,x\nf,Lab,EUR,ams,,a\n`;
    expect(load(faulty, undefined, suffixes).errors).toEqual([
      "tenants.csv:6:16: other.on.test is the initial domain of b already, at tenants.csv:3:1",
      'tenants.csv:7:16: expected contoso, or contoso.on.test or contoso.on.example, found "e.on.net"',
      "tenants.csv:8:20: a satellite has no initial domain; it is its tenant's",
      "tenants.csv:9:1: a.on.test is the initial domain of a too, which is defined at tenants.csv:2:1",
    ]);
  });

  it("there are no others", () => {
    expect(load("tenant,cloud,geo,active,teamsActive\n").errors).toEqual([
      expect.stringContaining('"teamsActive" is no column of tenants'),
    ]);
  });
});

describe("a file of tenants", () => {
  it.each<[what: string, csv: string | Buffer, tenants: readonly unknown[]]>([
    ["with the least columns", "tenant,cloud,geo,active\ncontoso,Lab,EUR,ams\n", [contoso]],
    ["without a newline at its end", "tenant,cloud,geo,active\ncontoso,Lab,EUR,ams", [contoso]],
    ["with lines as Windows ends them", "tenant,cloud,geo,active\r\ncontoso,Lab,EUR,ams\r\n", [contoso]],
    ["with a mark of UTF-8", "\ufefftenant,cloud,geo,active\ncontoso,Lab,EUR,ams\n", [contoso]],
    [
      "with blanks and blank lines",
      "\n tenant , cloud,geo,active\n\n  contoso ,\tLab, EUR ,ams \n  \n",
      [contoso],
    ],
    ["with quotes", '"tenant","cloud",geo,active\n"contoso",Lab,"EUR",ams\n', [contoso]],
    [
      "with a geo that has a comma",
      'tenant,cloud,geo,active\ncontoso,Lab,"EUR, west",ams\n',
      [{ ...contoso, geo: "EUR, west" }],
    ],
    ["with its columns in another order", "active,geo,tenant,cloud\nams,EUR,contoso,Lab\n", [contoso]],
    [
      "with all columns",
      "tenant,cloud,geo,active,standby,failover,failback,slot,domains,satelliteOf\ncontoso,Lab,EUR,ams,lhr,manual,automatic,7,contoso.com; contoso.de Contoso.NL.,\ncontosoGBR,Lab,GBR,lhr,,,,,,contoso\n",
      [
        {
          ...contoso,
          standby: "Lab/lhr",
          failover: "manual",
          failback: "automatic",
          slot: 7,
          domains: ["contoso.com", "contoso.de", "contoso.nl"],
        },
        { ...contoso, label: "contosoGBR", geo: "GBR", active: "Lab/lhr", slot: 5 },
      ],
    ],
    [
      "with a satellite before its tenant",
      "tenant,cloud,geo,active,parent\ncontosoGBR,Lab,GBR,lhr,CONTOSO\ncontoso,Lab,EUR,ams,\n",
      [{ ...contoso, label: "contosoGBR", geo: "GBR", active: "Lab/lhr", slot: 5 }, contoso],
    ],
    ["with columns alone", "tenant,cloud,geo,active\n", []],
  ])("%s", (_, csv, tenants) => {
    expect(tenantsIn(load(csv))).toEqual(tenants);
  });

  it("may be longer than what is read at a time, wherever a line is cut", () => {
    const lines = Array.from(
      { length: 40_000 },
      (_, i) => `t${i}${"x".repeat(i % 40)},Lab,EUR,${i % 3 === 0 ? "lhr" : '"ams"'}`,
    );
    const { configuration } = load(`tenant,cloud,geo,active\n${lines.join("\n")}\n`);
    const tenants = configuration?.clouds[0]?.tenants;
    expect(tenants?.count).toBe(40_000);
    for (const i of [0, 1, 2, 19_999, 26_214, 39_999]) {
      const found = tenants?.find(`T${i}${"X".repeat(i % 40)}`);
      expect(found).toMatchObject({ active: { shortId: i % 3 === 0 ? "lhr" : "ams" } });
    }
  });

  it("is watched with the other files of the configuration", () => {
    const { configuration, at } = load("tenant,cloud,geo,active\n");
    expect(configuration?.namedFiles).toEqual([join(at, "tenants.csv")]);
  });

  it("has the same zones as the same tenants in YAML", () => {
    const { configuration: fromCsv } = load(
      "tenant,cloud,geo,active,standby,domains,satelliteOf\ncontoso,Lab,EUR,ams,lhr,contoso.com,\ncontosoGBR,Lab,GBR,lhr,,,contoso\nFabrikam,Lab,EUR,ams,,,\n",
    );
    const { configuration: fromYaml } = load(
      "",
      "tenants:\n  contoso: { cloud: Lab, geo: EUR, active: ams, standby: lhr, domains: [contoso.com], satellites: { contosoGBR: { geo: GBR, active: lhr } } }\n  Fabrikam: { cloud: Lab, geo: EUR, active: ams }\n",
    );
    const told = (configuration: Configuration | undefined): readonly string[] =>
      zonesOfRecords(configuration?.zones ?? new Map()).flatMap(({ nodes }) =>
        [...nodes].flatMap(([name, { rrsets, tailored }]) => [
          `${name} ${tailored === undefined ? "" : "tailored"}`,
          ...[...rrsets.values()].flatMap(formatRRset),
        ]),
      );
    expect(told(fromCsv).toSorted()).toEqual(told(fromYaml).toSorted());
    expect(told(fromCsv)).toContain("Fabrikam-my.lab.example. 60 CNAME Fabrikam.lab.example.");
  });

  it("may name a tenant like an empty non-terminal, or below a wildcard", () => {
    const { configuration, errors } = load("tenant,cloud,geo,active\nbeside,Lab,EUR,ams\nwild,Lab,EUR,ams\n");
    expect(errors).toEqual([]);
    const nodes = zonesOfRecords(configuration?.zones ?? new Map())[0]?.nodes;
    for (const name of ["beside.lab.example", "wild.lab.example"]) {
      expect(nodes?.get(nameOf(name))?.tailored).toMatchObject({ kind: "service" });
    }
    expect([...(nodes ?? [])].filter(([name]) => name === "beside.lab.example.")).toHaveLength(1);
  });
});

const header = "tenant,cloud,geo,active,standby,slot,domains,satelliteOf\n";

describe("what is wrong in a file of tenants is told with its place", () => {
  it.each<[what: string, csv: string, errors: readonly string[]]>([
    ["an unknown cloud", `${header}a,Labb,EUR,ams,,,,\n`, ['2:3: "Labb" is no cloud; did you mean "Lab"?']],
    [
      "an unknown active datacenter",
      `${header}\na,Lab,EUR,asm,,,,\n`,
      ['3:11: "asm" is no datacenter of Lab; did you mean "ams"?'],
    ],
    [
      "an unknown standby",
      `${header}a,Lab,EUR,ams,lhrr,,,\n`,
      ['2:15: "lhrr" is no datacenter of Lab; did you mean "lhr"?'],
    ],
    [
      "a datacenter without the role tenants",
      `${header}a,Lab,EUR,cdg,ams,,,\n`,
      ["2:11: Lab/cdg has not the role tenants, so it can be neither active nor standby"],
    ],
    [
      "a standby that is the active one",
      `${header}a,Lab,EUR,ams,ams,,,\n`,
      ["2:15: the standby is the active datacenter itself"],
    ],
    [
      "a faulty label",
      `${header}a_b,Lab,EUR,ams,,,,\n-a,Lab,EUR,ams,,,,\n`,
      [
        '2:1: expected letters, digits and inner hyphens, found "a_b"',
        '3:1: expected letters, digits and inner hyphens, found "-a"',
      ],
    ],
    [
      "a label too long",
      `${header}${"a".repeat(64)},Lab,EUR,ams,,,,\n`,
      ["2:1: expected at most 63 characters, found 64"],
    ],
    [
      "a label too long with what a service puts behind it",
      `${header}${"a".repeat(61)},Lab,EUR,ams,,,,\n`,
      [`2:1: "${"a".repeat(61)}-my.lab.example" has a label over 63 octets`],
    ],
    [
      "what is empty",
      `${header},Lab,,ams,,,,\n`,
      ['2:1: "tenant" is empty here; every tenant has one', '2:6: "geo" is empty here; every tenant has one'],
    ],
    [
      "a slot that is none",
      `${header}a,Lab,EUR,ams,,16,,\n`,
      ['2:16: expected a whole number from 0 to 15, found "16"'],
    ],
    [
      "a tenant twice",
      `${header}b,Lab,EUR,ams,,,,\na,Lab,EUR,ams,,,,\n\nB,Lab,EUR,ams,,,,\n`,
      ['5:1: tenant "B" is defined at tenants.csv:2:1 already'],
    ],
    [
      "a domain twice",
      `${header}a,Lab,EUR,ams,,,x.com,\nb,Lab,EUR,ams,,,y.com X.com,\n`,
      ["3:23: x.com is claimed at tenants.csv:2:17 already"],
    ],
    [
      "domains of one key",
      `${header}a,Lab,EUR,ams,,,x-y.com,\nb,Lab,EUR,ams,,,x.y.com,\n`,
      ["3:17: x.y.com and x-y.com, which is claimed at tenants.csv:2:17, would have the same names"],
    ],
    [
      "domains of one key in one cell",
      `${header}a,Lab,EUR,ams,,,x-y.com x.y.com,\n`,
      ["2:25: x.y.com and x-y.com, which stands before it, would have the same names"],
    ],
    ["a domain that is none", `${header}a,Lab,EUR,ams,,,x..com,\n`, ['2:17: "x..com" has an empty label']],
    [
      "a satellite of nobody",
      `${header}a,Lab,EUR,ams,,,,b\n`,
      ['2:18: "b" is no tenant, so it has no satellites'],
    ],
    [
      "a satellite of a satellite",
      `${header}a,Lab,EUR,ams,,,,\nb,Lab,EUR,ams,,,,a\nc,Lab,EUR,ams,,,,b\n`,
      ["4:18: b is a satellite itself; name the tenant that both belong to"],
    ],
    [
      "a satellite with domains",
      `${header}a,Lab,EUR,ams,,,,\nb,Lab,EUR,ams,,,x.com,a\n`,
      ["3:17: a satellite has no domains; they are its tenant's"],
    ],
    [
      "a tenant named like a suffix form of another",
      `${header}foo-my,Lab,EUR,ams,,,,\nfoo,Lab,EUR,ams,,,,\n`,
      ["3:1: foo-my.lab.example. is made at tenants.csv:2:1 already"],
    ],
    [
      "a tenant named like a record",
      `${header}Taken,Lab,EUR,ams,,,,\n`,
      ["2:1: taken.lab.example. has records already, so it cannot be tailored; see lab.yaml:7:17"],
    ],
    [
      "a tenant named like a delegation",
      `${header}cut,Lab,EUR,ams,,,,\n`,
      ["2:1: cut.lab.example. has records already, so it cannot be tailored; see lab.yaml:7:38"],
    ],
    [
      "a tenant named like a name server",
      `${header}ns1,Lab,EUR,ams,,,,\n`,
      ["2:1: ns1.lab.example. has records already, so it cannot be tailored"],
    ],
    ["cells too few", `${header}a,Lab,EUR\n`, ["2:7: expected 8 cells, found 3"]],
    [
      "a quote that is not closed",
      `${header}"a,Lab,EUR,ams,,,,\n`,
      ["2:1: this quote is not closed on its line"],
    ],
    [
      "an unknown column",
      "tenant,cloud,geo,activ\n",
      ['1:18: "activ" is no column of tenants; did you mean "active"?'],
    ],
    ["a column twice", "tenant,cloud,geo,active,geo\n", ['1:25: there is a column "geo" already']],
    [
      "columns missing",
      "tenant,geo\n",
      ["1:1: the first line names the columns, and cloud, active are not among them"],
    ],
    [
      "nothing at all",
      "",
      ["1:1: the file is empty; its first line names its columns: tenant,cloud,geo,active"],
    ],
  ])("%s", (_, csv, errors) => {
    expect(load(csv).errors.toSorted()).toEqual(errors.map((error) => `tenants.csv:${error}`).toSorted());
  });

  it("a tenant in YAML and in CSV", () => {
    const { errors } = load(
      `${header}Contoso,Lab,EUR,ams,,,,\n`,
      "tenants:\n  contoso: { cloud: Lab, geo: EUR, active: ams }\ntenantFiles: [tenants.csv]\n",
    );
    expect(errors).toEqual(['tenants.csv:2:1: tenant "Contoso" is defined at lab.yaml:30:3 already']);
  });

  it("a file that is not there, and one that is named twice", () => {
    const { errors } = load(header, "tenantFiles: [tenants.csv, none.csv, ./tenants.csv, .]\n");
    expect(errors).toEqual([
      'lab.yaml:29:28: "none.csv" cannot be read: there is no such file',
      'lab.yaml:29:38: "./tenants.csv" is named at lab.yaml:29:15 already',
      'lab.yaml:29:53: "." cannot be read: it is a folder; name files, as in clouds/*.yaml',
    ]);
  });

  it("with the line, and a mark under the column", () => {
    const { shown } = load(`${header}a,Lab,EUR,asm,,,,\n`);
    expect(shown?.[0]?.split("\n").slice(1)).toEqual(["  a,Lab,EUR,asm,,,,", "            ^"]);
  });

  it("a hundred times, and how often more", () => {
    for (const cells of ["Labb,EUR,ams,,,,", "Lab,EUR,asm,,,,", "Lab,EUR,ams,ams,,,"]) {
      const lines = Array.from({ length: 250 }, (_, i) => `t${i},${cells}`);
      const { errors } = load(`${header}${lines.join("\n")}\n`);
      expect(errors).toHaveLength(101);
      expect(errors.at(-1)).toMatch(/^tenants\.csv:\d+:\d+: and 150 more errors in this file$/);
    }
  });

  it("of tenants that all have the names of others, no more often", () => {
    const lines = Array.from({ length: 300 }, (_, i) => `t${i},Lab,EUR,ams,,,,\nt${i}-my,Lab,EUR,ams,,,,`);
    const { errors } = load(`${header}${lines.join("\n")}\n`);
    expect(errors).toHaveLength(101);
    expect(errors[0]).toBe("tenants.csv:2:1: t0-my.lab.example. is made at tenants.csv:3:1 already");
    expect(errors.at(-1)).toMatch(/: and 200 more errors in this file$/);
  });
});

it("whatever octets a file has, it is read to its end, with tenants or errors", () => {
  const cell = fc.oneof(
    fc.constantFrom(
      "a",
      "contoso",
      "Lab",
      "EUR",
      "ams",
      "lhr",
      "",
      '"ams"',
      '"',
      " ",
      "x.com",
      "7",
      "\u00e9",
      "\ufeff",
    ),
    fc.string({ maxLength: 6 }),
  );
  const line = fc.array(cell, { minLength: 1, maxLength: 10 }).map((cells) => cells.join(","));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), (lines, hasHeader) => {
      const { configuration, errors } = load(`${hasHeader ? header : ""}${lines.join("\n")}`);
      expect(configuration === undefined).toBe(errors.length > 0);
    }),
    { numRuns: 150 },
  );
});
