// Configurations without an error that are not meant so, and what is said of them: every warning, with its place.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type LintRule, lintRuleNames } from "../../src/config/lint-rules.ts";
import { type LintReport, lint } from "../../src/lint/lint.ts";
import { loadSnapshot } from "../../src/load-snapshot.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A lab without a warning; a case changes pieces of it, and keeps its line numbers where it can. */
const soundLab = `geoip: { database: none }
server: { stateFile: none }
defaultLocation: { city: Oslo, country: "NO", coordinates: [59.91, 10.75] }
---
networks:
  london: { prefixes: [10.1.0.0/16], place: { city: London, country: GB, coordinates: [51.51, -0.13] } }
  paris: { prefixes: [10.2.0.0/16], place: { city: Paris, country: FR, coordinates: [48.86, 2.35] } }
---
cloud: Worldwide
zones: [lab.example]
records: { lab.example: ["www A 192.0.2.1", "web CNAME www"] }
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.51, -0.13], roles: [front-end, tenants], addresses: [198.18.1.0/24] }
  cdg: { city: Paris, country: FR, coordinates: [48.86, 2.35], roles: [front-end, tenants], addresses: [198.18.2.0/24] }
  osl: { city: Oslo, country: "NO", coordinates: [59.91, 10.75], roles: [front-end], addresses: [198.18.3.0/24] }
services:
  mail:
    policy: nearest-datacenter
    names: [mail.lab.example]
    ttl: 300
    chain: [{ name: "{datacenter}.mail.lab.example", ttl: 600 }]
    addresses: { slice: 0, count: 1 }
  share:
    policy: active-datacenter
    names: ["{tenant}.lab.example"]
    ttl: 60
    addresses: { slice: 1, count: 1 }
---
tenants:
  contoso: { cloud: Worldwide, geo: GBR, active: lhr, standby: cdg }
`;

/** A sovereign cloud beside it. */
const sovereign = `---
cloud: China
zones: [cn.example, { zone: common.example, shared: true }]
records: { cn.example: ["portal A 198.19.1.1"], common.example: ["x A 192.0.2.1"] }
datacenters:
  bjs: { city: Beijing, country: CN, coordinates: [39.9, 116.41], roles: [front-end], addresses: [198.19.1.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.cn.example], ttl: 60, chain: [{ name: portal.cn.example }] }
`;

async function lintLab(text: string, silenced: readonly LintRule[] = []): Promise<LintReport> {
  const path = join(folder, "lab.yaml");
  writeFileSync(path, text);
  const loaded = await loadSnapshot(path, { keepBackground: true });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  if (loaded.background === undefined) throw new Error("nothing is known of its places");
  return lint(loaded.snapshot, loaded.background, new Set(silenced));
}

const linesOf = ({ warnings }: LintReport): readonly string[] =>
  warnings.map(({ rule, place: { file, line, column }, message }) => {
    const name = file.slice(folder.length + 1);
    return `${name === "lab.yaml" ? "" : `${name}:`}${line}:${column} ${rule}: ${message}`;
  });

/** The sound lab with pieces of it replaced, each of which must be there. */
function changed(changes: readonly (readonly [piece: string, replacement: string])[], more = ""): string {
  return changes.reduce((text, [piece, replacement]) => {
    if (!text.includes(piece)) throw new Error(`the lab has no "${piece}"`);
    return text.replace(piece, replacement);
  }, soundLab + more);
}

const longChain = Array.from({ length: 9 }, (_, i) => `"c${i} CNAME ${i === 8 ? "www" : `c${i + 1}`}"`);

/** The words for the rest of that chain. */
const wayTo = (first: number): string =>
  `and some resolvers follow no more than 8: ${longChain
    .slice(first)
    .map((_, i) => `c${i + first}.lab.example.`)
    .join(" ")} www.lab.example.`;

interface Row {
  readonly name: string;
  readonly rule: LintRule;
  readonly text: string;
  readonly warnings: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a prefix that longer ones cover",
    rule: "network-shadowed",
    text: changed([["[10.2.0.0/16]", "[10.2.0.0/16, 10.1.0.0/17, 10.1.128.0/17]"]]),
    warnings: [
      "6:24 network-shadowed: no address has 10.1.0.0/16 of london: longer prefixes of paris hold all of it",
      "13:3 front-end-unreachable: no address gets the front end Worldwide/lhr while all are up: to each address another front end is nearer",
    ],
  },
  {
    name: "a network where its addresses would be anyway",
    rule: "network-useless",
    text: changed([
      [
        "  paris:",
        '  oslo: { prefixes: [10.3.0.0/16], place: { city: Oslo, country: "NO", coordinates: [59.9, 10.8] } }\n  paris:',
      ],
    ]),
    warnings: ["7:3 network-useless: without network oslo every address would have the same answers"],
  },
  {
    name: "a network in another that is near the same",
    rule: "network-useless",
    text: changed([
      [
        "  paris:",
        "  soho: { prefixes: [10.1.7.0/24], place: { city: London, country: GB, coordinates: [51.5, -0.1] } }\n  paris:",
      ],
    ]),
    warnings: ["7:3 network-useless: without network soho every address would have the same answers"],
  },
  {
    name: "a front end that is nobody's nearest, and one that no service has",
    rule: "front-end-unreachable",
    text: changed([
      [
        "  osl: {",
        "  bcn: { city: Barcelona, country: ES, coordinates: [41.39, 2.17], roles: [front-end], addresses: [198.18.4.0/24] }\n  osl: {",
      ],
      ["    ttl: 300\n", "    ttl: 300\n    datacenters: [lhr, cdg, bcn]\n"],
    ]),
    warnings: [
      "6:3 network-useless: without network london every address would have the same answers",
      "15:3 front-end-unreachable: no address gets the front end Worldwide/bcn while all are up: to each address another front end is nearer",
      "16:3 front-end-unreachable: no address gets the front end Worldwide/osl while all are up: it is a candidate of no service",
    ],
  },
  {
    name: "a datacenter where no tenant is",
    rule: "datacenter-without-tenants",
    text: changed([
      [
        "coordinates: [59.91, 10.75], roles: [front-end]",
        "coordinates: [59.91, 10.75], roles: [front-end, tenants]",
      ],
    ]),
    warnings: ["15:3 datacenter-without-tenants: Worldwide/osl is neither active nor standby for a tenant"],
  },
  {
    name: "a CNAME, and one of a list, to what does not exist",
    rule: "cname-dangling",
    text: changed([
      ['"web CNAME www"', '"web CNAME wwww"'],
      [
        "datacenters:\n",
        "tailored: { lab.example: { by-place: { default: [CNAME gone] } } }\ndatacenters:\n",
      ],
    ]),
    warnings: [
      "11:45 cname-dangling: the CNAME of web.lab.example. leads to wwww.lab.example., which does not exist",
      "12:28 cname-dangling: the CNAME of by-place.lab.example. leads to gone.lab.example., which does not exist",
    ],
  },
  {
    name: "a CNAME and a DNAME out of the zones served, and below a delegation",
    rule: "cname-leaking",
    text: changed([
      [
        '"web CNAME www"',
        '"web CNAME www.example.org.", "d DNAME example.net.", "sub NS ns1", "below CNAME a.sub", "*.w CNAME example.com."',
      ],
    ]),
    warnings: [
      "11:45 cname-leaking: the CNAME of web.lab.example. leads out of the lab, to www.example.org., in no zone served",
      "11:75 cname-leaking: the DNAME of d.lab.example. leads out of the lab, to example.net., in no zone served",
      "11:113 cname-leaking: the CNAME of below.lab.example. leads out of the lab, to a.sub.lab.example., which is delegated",
      "11:134 cname-leaking: the CNAME of *.w.lab.example. leads out of the lab, to example.com., in no zone served",
    ],
  },
  {
    name: "nine CNAMEs from a record",
    rule: "chain-too-long",
    text: changed([['"web CNAME www"', longChain.join(", ")]]),
    warnings: [`11:45 chain-too-long: c0.lab.example. leads through 9 CNAMEs, ${wayTo(1)}`],
  },
  {
    name: "ten CNAMEs from a service that leads to such a record, which is not told of again",
    rule: "chain-too-long",
    text: changed([
      ['"web CNAME www"', longChain.join(", ")],
      [
        "  share:\n",
        "  long: { policy: nearest-datacenter, names: [long.lab.example], ttl: 60, chain: [{ name: c0.lab.example }] }\n  share:\n",
      ],
    ]),
    warnings: [`23:47 chain-too-long: long.lab.example. leads through 10 CNAMEs, ${wayTo(0)}`],
  },
  {
    name: "a tenant's chain, once for all tenants",
    rule: "chain-too-long",
    text: changed([
      ['"web CNAME www"', longChain.join(", ")],
      [
        "  share:\n",
        '  deep: { policy: active-datacenter, names: ["{tenant}-x.lab.example"], ttl: 60, chain: [{ name: c0.lab.example }] }\n  share:\n',
      ],
      [
        "standby: cdg }\n",
        "standby: cdg }\n  other: { cloud: Worldwide, geo: GBR, active: lhr, standby: cdg }\n",
      ],
    ]),
    warnings: [`23:46 chain-too-long: contoso-x.lab.example. leads through 10 CNAMEs, ${wayTo(0)}`],
  },
  {
    name: "TTLs of a service and of a list that are longer than an outage is unknown",
    rule: "ttl-beyond-probes",
    text: changed([
      ["addresses: [198.18.1.0/24] }", 'addresses: [198.18.1.0/24], probe: "tcp://127.0.0.1:1" }'],
      ["services:\n", "health: { everySeconds: 20, down: 3 }\nservices:\n"],
      [
        "datacenters:\n",
        "tailored: { lab.example: { by-place: { ttl: 61, nearest: { lhr: [A 192.0.2.1], cdg: [A 192.0.2.2] } } } }\ndatacenters:\n",
      ],
    ]),
    warnings: [
      "12:28 ttl-beyond-probes: caches keep the answer at by-place.lab.example. for 61 s, while probes find Worldwide/lhr down in 60 s; lower the TTL, or set health.ttl of the cloud",
      "22:10 ttl-beyond-probes: caches keep the answer at mail.lab.example for 300 s, while probes find Worldwide/lhr down in 60 s; lower the TTL, or set health.ttl of the cloud",
    ],
  },
  {
    name: "a tenant and a satellite without a standby",
    rule: "tenant-without-standby",
    text: changed([
      [
        "standby: cdg }\n",
        "standby: cdg,\n    satellites: { contosoFRA: { geo: FRA, active: cdg } } }\n  fabrikam: { cloud: Worldwide, geo: FRA, active: cdg }\n",
      ],
    ]),
    warnings: [
      "31:19 tenant-without-standby: contosoFRA has no standby to fail over to when Worldwide/cdg is down",
      "32:3 tenant-without-standby: fabrikam has no standby to fail over to when Worldwide/cdg is down",
    ],
  },
  {
    name: "name servers without an address",
    rule: "zone-without-addresses",
    text: changed([
      ["zones: [lab.example]", "zones: [lab.example, two.example, three.example]"],
      [
        '"web CNAME www"] }',
        '"web CNAME www"], two.example: ["@ NS ns.two.example.", "@ NS ns.elsewhere.test."], three.example: ["@ NS ns1.lab.example.", "@ NS ns2"] }',
      ],
    ]),
    warnings: [
      "11:77 zone-without-addresses: no name server of two.example. has an address here: ns.two.example., ns.elsewhere.test.",
      "11:145 zone-without-addresses: ns2.three.example., a name server of three.example., has no address",
    ],
  },
  {
    name: "names of a sovereign cloud that lead to those of another, and to its addresses",
    rule: "sovereign-leak",
    text: changed(
      [
        [
          '"portal A 198.19.1.1"',
          '"portal A 198.18.2.7", "*.w CNAME www.lab.example.", "far CNAME x.common.example."',
        ],
        ['common.example: ["x A 192.0.2.1"]', 'common.example: ["x CNAME mail.lab.example."]'],
        [
          "services:\n  mail: { policy: nearest-datacenter, names: [mail.cn.example]",
          "tailored: { cn.example: { rule: { networks: { london: [CNAME web.lab.example.] }, default: [A 192.0.2.1] } } }\nservices:\n  mail: { policy: nearest-datacenter, names: [mail.cn.example]",
        ],
      ],
      sovereign,
    ),
    warnings: [
      "34:25 sovereign-leak: mail.cn.example., a name of China, can lead by portal.cn.example. to 198.18.2.7, an address of Worldwide/cdg",
      "34:48 sovereign-leak: *.w.cn.example., a name of China, can lead to www.lab.example., a name of Worldwide",
      "34:127 sovereign-leak: far.cn.example., a name of China, can lead by x.common.example. to mail.lab.example., a name of Worldwide",
      "37:27 sovereign-leak: rule.cn.example., a name of China, can lead to web.lab.example., a name of Worldwide",
    ],
  },
];

describe("a rule warns of", () => {
  test("nothing in a sound lab, whatever is in it", async () => {
    expect(linesOf(await lintLab(soundLab))).toEqual([]);
    expect(linesOf(await lintLab(soundLab + sovereign))).toEqual([]);
  });

  test.each(rows)("$rule: $name", async ({ text, warnings }) => {
    expect([...linesOf(await lintLab(text))].toSorted()).toEqual([...warnings].toSorted());
  });

  test("each rule has a case", () => {
    expect([...new Set(rows.map(({ rule }) => rule))].toSorted()).toEqual([...lintRuleNames].toSorted());
  });
});

describe("no warning", () => {
  test.each(rows)("by a rule that is silenced: $rule", async ({ rule, text }) => {
    const report = await lintLab(text, [rule]);
    expect(report.warnings.filter((warning) => warning.rule === rule)).toEqual([]);
    expect(report.silencedCount).toBeGreaterThan(0);
  });

  test.each([
    ["at the end of the line", "active: cdg } # lint: silence tenant-without-standby\n", ""],
    ["with others", "active: cdg } # lint: silence cname-leaking, tenant-without-standby\n", ""],
    ["above", "active: cdg }\n", "  # lint: silence tenant-without-standby\n"],
    ["above with the reason", "active: cdg }\n", "  # lint: silence tenant-without-standby\n  # a lab\n"],
  ])("where a comment silences it, %s", async (_where, end, above) => {
    const report = await lintLab(`${soundLab}${above}  fabrikam: { cloud: Worldwide, geo: FRA, ${end}`);
    expect(report).toEqual({ warnings: [], silencedCount: 1 });
  });

  test.each([
    ["by another rule", "  # lint: silence cname-leaking\n"],
    ["with something between", "  # lint: silence tenant-without-standby\n\n"],
  ])("is silenced %s", async (_where, above) => {
    const report = await lintLab(
      `${soundLab}${above}  fabrikam: { cloud: Worldwide, geo: FRA, active: cdg }\n`,
    );
    expect(report.warnings).toHaveLength(1);
  });

  test("of a network that something names", async () => {
    const oslo =
      '  oslo: { prefixes: [10.3.0.0/16], place: { city: Oslo, country: "NO", coordinates: [59.9, 10.8] } }\n  paris:';
    const named = [
      [["stateFile: none", "stateFile: none, listen: [{ address: 127.0.0.1:5300, vantage: oslo }]"]],
      [["services:\n", "nearness: { networks: { oslo: [osl] } }\nservices:\n"]],
      [
        [
          "datacenters:\n",
          "tailored: { lab.example: { by-place: { networks: { oslo: [A 192.0.2.1] } } } }\ndatacenters:\n",
        ],
      ],
    ] as const;
    for (const changes of named) {
      expect(linesOf(await lintLab(changed([["  paris:", oslo], ...changes])))).toEqual([]);
    }
    expect(
      linesOf(await lintLab(changed([["  paris:", oslo.replace("oslo: {", "oslo: { kind: vpn,")]]))),
    ).toEqual([]);
  });

  test("of TTLs that follow the probes", async () => {
    const text = changed([
      ["addresses: [198.18.1.0/24] }", 'addresses: [198.18.1.0/24], probe: "tcp://127.0.0.1:1" }'],
      ["services:\n", "health: { everySeconds: 20, down: 3, ttl: { min: 5, max: 60 } }\nservices:\n"],
    ]);
    expect(linesOf(await lintLab(text))).toEqual([]);
  });
});

test("tenants of a CSV file are counted, and the first few named", async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `t${i},Worldwide,GBR,lhr,${i % 2 === 0 ? "" : "cdg"}`);
  writeFileSync(join(folder, "many.csv"), `tenant,cloud,geo,active,standby\n${lines.join("\n")}\n`);
  const report = await lintLab(`${soundLab}tenantFiles: [many.csv]\n`);
  expect(linesOf(report)).toEqual([
    "many.csv:2:1 tenant-without-standby: 500 tenants of this file have no standby: t0, t2, t4 and 497 more",
  ]);
});

test("a record of a master file has its place, and a comment there counts", async () => {
  const zone = "$TTL 60\n@ SOA ns1 host 1 60 60 60 60\n  NS ns1\nns1 A 192.0.2.1\na CNAME gone\n";
  writeFileSync(join(folder, "own.zone"), `${zone}b CNAME gone ; lint: silence cname-dangling\n`);
  const report = await lintLab(`zones: [{ zone: own.example, file: own.zone }]\ngeoip: { database: none }\n`);
  expect(linesOf(report)).toEqual([
    "own.zone:5:1 cname-dangling: the CNAME of a.own.example. leads to gone.own.example., which does not exist",
  ]);
  expect(report.silencedCount).toBe(1);
});
