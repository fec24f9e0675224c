// Faulty configurations and the errors they give: every one, with its place.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { formatConfigError } from "../../src/config/load.ts";
import type { ConfigError } from "../../src/config/yaml-document.ts";
import { loadSnapshot } from "../../src/load-snapshot.ts";

/** A configuration without a fault; a case changes pieces of it, and so keeps its line numbers where it can. */
const soundLab = `server: { listen: ["127.0.0.1:0"] }
geoip: { database: none }
---
cloud: Lab
zones: [lab.example]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51, 0], geo: GBR, roles: [front-end, tenants], addresses: [198.18.1.0/24] }
  cdg: { city: Paris, country: FR, coordinates: [49, 2], geo: FRA, roles: [front-end], addresses: [198.18.2.0/24] }
  ams: { city: Amsterdam, country: NL, coordinates: [52, 5], geo: EUR, roles: [tenants], addresses: [198.18.3.0/24] }
services:
  mail:
    policy: nearest-datacenter
    names: [mail.lab.example]
    ttl: 300
    chain: [{ name: "{datacenter}.mail.lab.example", ttl: 60 }]
    addresses: { slice: 0, count: 2 }
  share:
    policy: active-datacenter
    names: ["{tenant}.lab.example"]
    ttl: 60
    addresses: { slice: 1, count: 2 }
  share-forms:
    policy: active-datacenter
    names: ["{tenant}-my.lab.example"]
    ttl: 60
    chain: [{ name: "{tenant}.lab.example" }]
---
tenants:
  contoso: { cloud: Lab, geo: EUR, active: ams, standby: lhr, domains: [contoso.example] }
---
networks:
  london-office: { prefixes: [10.1.0.0/16], place: { city: London, country: GB, coordinates: [51.51, -0.13] } }
`;

/** A second cloud, whose pool is its own. */
const secondCloud = `cloud: Other
zones: [other.example]
datacenters:
  osl: { city: Oslo, country: "NO", coordinates: [60, 11], geo: NOR, roles: [front-end], addresses: [198.18.9.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.other.example], ttl: 300, addresses: { slice: 0, count: 2 } }
`;

/** Two clouds whose MX hosts are called by domains, and a third without such, with a tenant each. */
const mailClouds = (
  [a, b, c]: readonly [string, string, string],
  zones: readonly [string, string] = ["a.example", "b.example"],
): string =>
  ["A", "B", "C"]
    .map((cloud, i) => {
      const zone = `{ zone: ${zones[i] ?? "c.example"}, shared: true }`;
      const names = i < 2 ? `"{domainKey}.${zones[i]}"` : '"{tenant}.c.example"';
      return `cloud: ${cloud}
zones: [${zone}]
datacenters: { x${i}: { city: Oslo, country: "NO", coordinates: [60, 11], geo: NOR, roles: [tenants], addresses: [198.18.${i + 1}.0/24] } }
services: { mail: { policy: active-datacenter, names: [${names}], ttl: 10, addresses: { slice: 0, count: 2 } } }
---
`;
    })
    .join("")
    .concat(
      "tenants:\n",
      ...[a, b, c].map(
        (domain, i) => `  t${i}: { cloud: ${"ABC"[i]}, geo: NOR, active: x${i}, domains: [${domain}] }\n`,
      ),
    );

type Change = readonly [from: string, to: string];

/** The text with each piece, which must stand in it once, replaced. */
function changed(text: string, ...changes: readonly Change[]): string {
  return changes.reduce((before, [from, to]) => {
    const parts = before.split(from);
    if (parts.length !== 2) throw new Error(`"${from}" stands ${parts.length - 1} times in the text`);
    return parts.join(to);
  }, text);
}

const lab = (...changes: readonly Change[]): Files => ({ "lab.yaml": changed(soundLab, ...changes) });

/** Contents by path; the first is the configuration. */
type Files = Readonly<Record<string, string | Buffer>>;

const folder = mkdtempSync(join(tmpdir(), "geodns365-errors-"));
afterAll(() => rmSync(folder, { recursive: true }));
let folders = 0;

function writeFiles(files: Files): string {
  const root = join(folder, String(folders++));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

async function loadFiles(files: Files, main = Object.keys(files)[0] ?? "lab.yaml") {
  const root = writeFiles(files);
  const loaded = await loadSnapshot(join(root, main));
  const errors: readonly ConfigError[] = loaded.kind === "errors" ? loaded.errors : [];
  const withoutRoot = (text: string): string => text.replaceAll(`${root}/`, "");
  return {
    lines: errors.map(({ place, message }) =>
      withoutRoot(`${place.file}:${place.line}:${place.column}: ${message}`),
    ),
    printed: errors.map((error) => withoutRoot(formatConfigError(error))),
  };
}

interface Case {
  readonly name: string;
  readonly files: Files;
  /** Of lab.yaml unless another file is named first. */
  readonly errors: readonly string[];
}

function testCases(cases: readonly Case[]): void {
  for (const { name, files, errors } of cases) {
    test(name, async () => {
      const expected = errors.map((error) => (/^\d/.test(error) ? `lab.yaml:${error}` : error));
      expect((await loadFiles(files)).lines).toEqual(expected);
    });
  }
}

test("the configuration that the cases change has no fault", async () => {
  expect((await loadFiles(lab())).lines).toEqual([]);
  expect(
    (await loadFiles({ ...lab(["geoip:", "include: [other.yaml]\ngeoip:"]), "other.yaml": secondCloud }))
      .lines,
  ).toEqual([]);
});

describe("quirks", () => {
  const adjusted = (quirks: string): Files =>
    lab(["geoip:", `clouds: { Lab: { quirks: ${quirks} } }\ngeoip:`]);

  testCases([
    {
      name: "in the settings, of a zone in another spelling",
      files: adjusted("{ LAB.Example.: [edns-formerr] }"),
      errors: [],
    },
    { name: "in the settings, none", files: adjusted("{ lab.example: [] }"), errors: [] },
    {
      name: "in the settings, of a zone that is none of the cloud's",
      files: adjusted("{ labb.example: [edns-formerr], mail.other.test: [] }"),
      errors: [
        '2:28: "labb.example" is no zone of Lab; did you mean "lab.example"?',
        '2:58: "mail.other.test" is no zone of Lab; there is only lab.example',
      ],
    },
    {
      name: "in the settings, one that there is not",
      files: adjusted("{ lab.example: [edns-formerror, nothing] }"),
      errors: [
        '2:42: expected edns-formerr, underscore-formerr or new-types-notimp, found "edns-formerror"; did you mean "edns-formerr"?',
        '2:58: expected edns-formerr, underscore-formerr or new-types-notimp, found "nothing"',
      ],
    },
    {
      name: "of a zone, one that there is not",
      files: { "lab.yaml": "zones:\n  - { zone: lab.example, quirks: [new-type-notimp] }\n" },
      errors: [
        '2:35: expected edns-formerr, underscore-formerr or new-types-notimp, found "new-type-notimp"; did you mean "new-types-notimp"?',
      ],
    },
    {
      name: "of a zone, no list",
      files: { "lab.yaml": "zones:\n  - { zone: lab.example, quirks: edns-formerr }\n" },
      errors: ['2:34: expected a list, found "edns-formerr"'],
    },
  ]);
});

describe("admin", () => {
  const hash = "0".repeat(64);
  const admin = (text: string): Files => lab(["geoip:", `admin: ${text}\ngeoip:`]);

  test.each([
    "off",
    "{}",
    "{ hosts: [lab.example, 192.0.2.1] }",
    '{ listen: ["127.0.0.1:5380", "[::1]:5380"] }',
    `{ listen: ["0.0.0.0:5380", "192.0.2.1:80"], tokenHash: "${hash}" }`,
  ])("%s is without a fault", async (text) => expect((await loadFiles(admin(text))).lines).toEqual([]));

  testCases([
    {
      name: "beyond loopback without the hash of a token, each address",
      files: admin('{ listen: ["127.0.0.1:5380", "0.0.0.0:5380", "[2001:db8::1]:80"] }'),
      errors: [
        '2:37: 0.0.0.0:5380 is not loopback, so a token is needed: run "geodns365 token" and set admin.tokenHash',
        '2:53: [2001:db8::1]:80 is not loopback, so a token is needed: run "geodns365 token" and set admin.tokenHash',
      ],
    },
    {
      name: "a token in the place of its hash, and no other word than that",
      files: admin('{ listen: ["0.0.0.0:5380"], tokenHash: secret }'),
      errors: [
        '2:47: expected 64 hex digits: the SHA-256 of a token; "geodns365 token" makes both, found "secret"',
      ],
    },
    {
      name: "on",
      files: admin("on"),
      errors: ['2:8: expected off, or a map with listen, tokenHash and hosts, found "on"'],
    },
    {
      name: "a key that it has not",
      files: admin("{ token: x }"),
      errors: ['2:10: "token" is no key here; there are listen, tokenHash, hosts'],
    },
    {
      name: "an address without a port, a host with one, and no address at all",
      files: admin('{ listen: ["127.0.0.1"], hosts: ["lab.example:80"] }'),
      errors: [
        '2:19: "127.0.0.1" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300',
        '2:41: expected a host name or an address, without a port, found "lab.example:80"',
      ],
    },
  ]);
});

/** A lab with two scripted zones; `change` is of the text of the first file. */
const scripted = (...changes: readonly Change[]): Files => ({
  "lab.yaml": changed(
    `geoip: { database: none }
zones:
  - lab.example
  - { zone: api.lab.example, handler: api.js, deadlineMilliseconds: 50, concurrency: 8 }
  - { zone: app.example, handler: ./scripts/app.ts }
records:
  lab.example: ["www A 192.0.2.1", "api NS ns1.api", "ns1.api A 192.0.2.2"]
`,
    ...changes,
  ),
  "api.js": "export default () => {};",
  "scripts/app.ts": "export default (): void => {};",
});

describe("scripted zones", () => {
  test("without a fault", async () => expect((await loadFiles(scripted())).lines).toEqual([]));

  testCases([
    {
      name: "a handler that is not there",
      files: scripted(["./scripts/app.ts", "./scripts/nix.ts"]),
      errors: ['5:35: "./scripts/nix.ts" is no file'],
    },
    {
      name: "a folder for a handler",
      files: scripted(["./scripts/app.ts", "scripts"]),
      errors: ['5:35: "scripts" is no file'],
    },
    {
      name: "a handler that is no module",
      files: scripted(["handler: api.js", "handler: lab.yaml"]),
      errors: ['4:39: "lab.yaml" is no module by its name; a handler ends in .js, .mjs, .ts or .mts'],
    },
    {
      name: "a handler outside the folder of the configuration",
      files: { "in/lab.yaml": scripted()["lab.yaml"] ?? "", "in/scripts/app.ts": "", "api.js": "" },
      errors: ['in/lab.yaml:4:39: "api.js" is no file'],
    },
    {
      name: "a handler outside the folder of the configuration by its path",
      files: {
        "in/lab.yaml": changed(String(scripted()["lab.yaml"]), ["handler: api.js", "handler: ../api.js"]),
        "in/scripts/app.ts": "",
        "api.js": "",
      },
      errors: [
        'in/lab.yaml:4:39: "../api.js" lies outside the folder of the configuration, where handlers must be',
      ],
    },
    {
      name: "a path from the file that names it, in the folder of the first file",
      files: {
        "lab.yaml": "geoip: { database: none }\ninclude: [sub/zones.yaml]\n",
        "sub/zones.yaml":
          "zones:\n  - { zone: a.example, handler: ../api.js }\n  - { zone: b.example, handler: api.js }\n",
        "api.js": "",
      },
      errors: ['sub/zones.yaml:3:33: "api.js" is no file'],
    },
    {
      name: "keys and values that are none",
      files: scripted(
        ["handler: api.js", "handlr: api.js"],
        ["concurrency: 8", "concurrency: eight"],
        ["app.ts }", "app.ts, deadlineMilliseconds: 9999 }"],
      ),
      errors: [
        '4:30: "handlr" is no key here; did you mean "handler"?',
        '4:85: expected a number, found "eight"',
        "5:75: expected at most 5000, found 9999",
      ],
    },
    {
      name: "no handler",
      files: scripted([", handler: ./scripts/app.ts", ""]),
      errors: ["5:5: expected file, handler, shared, wide or quirks beside zone"],
    },
    {
      name: "a handler and a file, and a deadline for a file",
      files: scripted([
        "  - lab.example\n",
        "  - { zone: lab.example, file: a.zone, concurrency: 1 }\n  - { zone: b.example, file: a.zone, handler: api.js }\n",
      ]),
      errors: [
        "3:5: a deadline and concurrency are of a handler, and here is none",
        "4:5: expected either file or handler beside zone",
      ],
    },
    {
      name: "names that are none, and what is neither name nor map",
      files: scripted(["  - lab.example\n", "  - lab..example\n  - 7\n  - [a.example]\n"]),
      errors: [
        '3:5: "lab..example" has an empty label',
        "4:5: expected a domain name, or a map with zone and file, handler, shared, wide or quirks, found 7",
        "5:5: expected a domain name, or a map with zone and file, handler, shared, wide or quirks, found a list of 1",
      ],
    },
    {
      name: "a zone twice, behind an item that is left out",
      files: scripted(
        ["  - lab.example\n", "  - lab.example\n  - 7\n"],
        ["zone: app.example", "zone: lab.example"],
      ),
      errors: [
        "4:5: expected a domain name, or a map with zone and file, handler, shared, wide or quirks, found 7",
        "6:5: zone lab.example. is defined at lab.yaml:3:5 already",
      ],
    },
    {
      name: "records of a scripted zone",
      files: scripted(["records:\n", "records:\n  app.example: []\n"]),
      errors: ["7:3: app.example. is a scripted zone, for which its handler alone answers"],
    },
    {
      name: "records in a scripted zone below their own, other than those of the zone cut",
      files: scripted(['"www A', '"api TXT x", "www.api TXT y", "www A']),
      errors: [
        "7:17: api.lab.example. lies in a zone of its own: api.lab.example. is a scripted zone, for which its handler alone answers",
        "7:30: www.api.lab.example. lies in a zone of its own: api.lab.example. is a scripted zone, for which its handler alone answers",
      ],
    },
    {
      name: "a service's name in a scripted zone",
      files: {
        "lab.yaml": changed(soundLab, [
          "zones: [lab.example]",
          "zones: [lab.example, { zone: mail.lab.example, handler: api.js }]",
        ]),
        "api.js": "",
      },
      errors: [
        "13:13: mail.lab.example. cannot be made here: mail.lab.example. is a scripted zone, for which its handler alone answers",
        "15:21: lhr.mail.lab.example. cannot be made here: mail.lab.example. is a scripted zone, for which its handler alone answers",
      ],
    },
  ]);

  test("a link that leads out of the folder", async () => {
    const root = writeFiles({
      "in/lab.yaml": scripted()["lab.yaml"] ?? "",
      "in/scripts/app.ts": "",
      "api.js": "",
    });
    symlinkSync(join(root, "api.js"), join(root, "in/api.js"));
    const loaded = await loadSnapshot(join(root, "in/lab.yaml"));
    expect(loaded.kind === "errors" ? loaded.errors.map(({ message }) => message) : []).toEqual([
      '"api.js" lies outside the folder of the configuration, where handlers must be',
    ]);
  });

  test("a CNAME may lead into one", async () => {
    const chain = changed(
      soundLab,
      ["zones: [lab.example]", "zones: [lab.example, { zone: end.example, handler: api.js }]"],
      ['    chain: [{ name: "{tenant}.lab.example" }]', '    chain: [{ name: "{tenant}.end.example" }]'],
    );
    expect((await loadFiles({ "lab.yaml": chain, "api.js": "" })).lines).toEqual([]);
  });
});

describe("vantage points", () => {
  const listen = (...items: readonly string[]): Files =>
    lab(['listen: ["127.0.0.1:0"]', `listen: [${items.join(", ")}]`]);
  const standing = (vantage: string): Files => listen(`{ address: "127.0.0.1:0", vantage: ${vantage} }`);

  testCases([
    { name: "a network", files: standing("london-office"), errors: [] },
    { name: "a prefix", files: standing("10.4.0.0/16"), errors: [] },
    { name: "a single address of the other family", files: standing('"2001:db8::1"'), errors: [] },
    {
      name: "port 0 twice, and one port on addresses of both families",
      files: listen(
        ...['"127.0.0.1:0"', '{ address: "127.0.0.1:0", vantage: london-office }'],
        ...['"0.0.0.0:53"', '"[::]:53"'],
      ),
      errors: [],
    },
    {
      name: "an unknown network",
      files: standing("londn-office"),
      errors: ['1:55: "londn-office" is neither a network nor a prefix; did you mean "london-office"?'],
    },
    {
      name: "a prefix with bits set behind its length",
      files: standing("10.4.1.0/16"),
      errors: ['1:55: "10.4.1.0/16" has bits set behind its prefix length; did you mean 10.4.0.0/16?'],
    },
    {
      name: "a prefix of no length that there is",
      files: standing("10.4.0.0/33"),
      errors: ['1:55: "10.4.0.0/33" has a prefix length that is not between 0 and 32'],
    },
    {
      name: "an empty vantage",
      files: standing('""'),
      errors: ['1:55: expected at least 1 characters, found ""'],
    },
    {
      name: "an unknown network, where networks have a fault of their own",
      files: lab(
        ['listen: ["127.0.0.1:0"]', 'listen: [{ address: "127.0.0.1:0", vantage: paris-office }]'],
        ["10.1.0.0/16", "10.1.0.0/33"],
      ),
      errors: ['32:31: "10.1.0.0/33" has a prefix length that is not between 0 and 32'],
    },
    {
      name: "an endpoint twice, in whatever form and spelling",
      files: listen(
        ...['"127.0.0.1:53"', '{ address: "127.0.0.1:53", vantage: london-office }'],
        ...['"[::1]:53"', '"[0:0::1]:53"'],
      ),
      errors: [
        "1:47: 127.0.0.1:53 is served by the listener at lab.yaml:1:20 already",
        "1:101: [0:0::1]:53 is served by the listener at lab.yaml:1:89 already",
      ],
    },
    {
      name: "an endpoint that a wildcard holds",
      files: listen('"0.0.0.0:53"', '{ address: "127.0.1.1:53", vantage: london-office }'),
      errors: ["1:45: 127.0.1.1:53 is served by the listener at lab.yaml:1:20 already"],
    },
  ]);
});

describe("YAML", () => {
  testCases([
    {
      name: "a list that is not closed",
      files: { "lab.yaml": "server: {}\nzones: [a.example, b.example\nlog: { queries: off }\n" },
      errors: ["3:1: flow sequence in block collection must be sufficiently indented and end with a ]"],
    },
    {
      name: "text before all, and only where it is lost",
      files: { "lab.yaml": " :: lab [\nserver:\n  answer: full\nzones: { a.example: {} }\n" },
      errors: ["2:1: unexpected scalar at node end"],
    },
    {
      name: "a tab as indent",
      files: { "lab.yaml": "server:\n\tanswer: full\n" },
      errors: ["2:1: tabs are not allowed as indentation"],
    },
    {
      name: "a key twice",
      files: {
        "lab.yaml": "server:\n  answer: full\n  udpPayloadSize: 1232\n  answer: full\nzones: [a.example]\n",
      },
      errors: ['4:3: "answer" is here twice; it stands at lab.yaml:2:3 already'],
    },
    {
      name: "an alias of nothing",
      files: { "lab.yaml": "zones: *lab\n" },
      errors: ["1:8: there is no anchor &lab before this alias"],
    },
    {
      name: "an alias bomb",
      files: {
        "lab.yaml": `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
`,
      },
      errors: ["1:1: the aliases multiply this document beyond bounds; write the values out"],
    },
    {
      name: "a text alone",
      files: { "lab.yaml": "just words\n" },
      errors: ['1:1: expected a map, found "just words"'],
    },
    {
      name: "a list at the top",
      files: { "lab.yaml": "- a\n- b\n" },
      errors: ["1:1: expected a map, found a list of 2"],
    },
    {
      name: "an error in a second document",
      files: { "lab.yaml": "log: { queries: off }\n---\nnetworks: {]\n" },
      errors: ["3:12: flow map in block collection must be sufficiently indented and end with a }"],
    },
  ]);
});

describe("what stands in the way of reading", () => {
  testCases([
    {
      name: "lists in lists without end",
      files: { "lab.yaml": "[".repeat(20_000) },
      errors: ["1:1: lists or maps stand in each other too deep to be read"],
    },
    {
      name: "lists in lists that are closed",
      files: { "lab.yaml": "[".repeat(20_000) + "]".repeat(20_000) },
      errors: ["1:1: lists or maps stand in each other too deep to be read"],
    },
    {
      name: "two kinds in one document",
      files: lab(["---\nnetworks:", "networks:"]),
      errors: ['28:1: "tenants" cannot stand in one document with networks; put a line --- between them'],
    },
    {
      name: "settings in a cloud's document",
      files: lab(["}\n---\ncloud:", "}\ncloud:"]),
      errors: [
        '1:1: "server" cannot stand in one document with a cloud; put a line --- between them',
        '2:1: "geoip" cannot stand in one document with a cloud; put a line --- between them',
      ],
    },
    {
      name: "a short word that is not near",
      files: lab(["active: ams", "active: bjs"]),
      errors: ['29:44: "bjs" is no datacenter of Lab; there are lhr, ams'],
    },
    {
      name: "a long value",
      files: lab(["    ttl: 300", `    ttl: ${"x".repeat(5000)}`]),
      errors: [`14:10: expected a number, found "${"x".repeat(60)}..."`],
    },
    {
      name: "a long prefix",
      files: lab(["10.1.0.0/16", "a".repeat(5000)]),
      errors: [`32:31: "${"a".repeat(60)}..." is not an address prefix like 10.1.0.0/16 or 2001:db8:1::/48`],
    },
    {
      name: "a long word in a record",
      files: lab([
        "zones: [lab.example]\n",
        `zones: [lab.example]\nrecords: { lab.example: [www A ${"1".repeat(5000)}] }\n`,
      ]),
      errors: [`6:26: "${"1".repeat(60)}..." is not an IPv4 address`],
    },
    {
      name: "a control character in a value and in a key",
      files: lab(["    ttl: 300", '    ttl: "\\e[31mred"'], ["geoip: {", 'geoip: { "\\e]0;x\\a\\u202e": 1,']),
      errors: [
        '2:10: "\\x1b]0;x\\x07\\u{202e}" is no key here; there is only database',
        '14:10: expected a number, found "\\x1b[31mred"',
      ],
    },
  ]);
});

describe("shape", () => {
  testCases([
    {
      name: "an unknown key near a known one",
      files: lab(["server: {", "server: { answr: full,"]),
      errors: ['1:11: "answr" is no key here; did you mean "answer"?'],
    },
    {
      name: "an unknown key far from all",
      files: lab(["geoip: { database: none }", "geoip: { database: none, cache: 1 }"]),
      errors: ['2:26: "cache" is no key here; there is only database'],
    },
    {
      name: "an unknown top key",
      files: { "lab.yaml": "servers: {}\nzones: [a.example]\n" },
      errors: ['1:1: "servers" is no key here; did you mean "server"?'],
    },
    {
      name: "an unknown key of a datacenter",
      files: lab(["{ city: Paris,", "{ citty: Paris,"]),
      errors: ['8:10: "citty" is no key here; did you mean "city"?'],
    },
    {
      name: "an unknown key in a list",
      files: lab(['mail.lab.example", ttl: 60 }', 'mail.lab.example", ttl: 60, infered: true }']),
      errors: ['15:63: "infered" is no key here; did you mean "inferred"?'],
    },
    {
      name: "a text for a number",
      files: lab(["    ttl: 300", "    ttl: five minutes"]),
      errors: ['14:10: expected a number, found "five minutes"'],
    },
    {
      name: "a number for a text",
      files: lab(["city: Paris", "city: 75"]),
      errors: ["8:16: expected a text, found 75; put it in quotes"],
    },
    {
      name: "a fraction for a whole number",
      files: lab(["    ttl: 300", "    ttl: 1.5"]),
      errors: ["14:10: expected a whole number, found 1.5"],
    },
    {
      name: "a number below its least",
      files: lab(["    ttl: 300", "    ttl: -1"]),
      errors: ["14:10: expected at least 0, found -1"],
    },
    {
      name: "a number above its most",
      files: lab(["slice: 1, count: 2", "slice: 16, count: 2"]),
      errors: ["21:25: expected at most 15, found 16"],
    },
    {
      name: "a map for a list",
      files: lab(["zones: [lab.example]", "zones: { lab.example: }"]),
      errors: ["5:8: expected a list, found a map"],
    },
    {
      name: "a text for a list",
      files: lab(["zones: [lab.example]", "zones: lab.example"]),
      errors: ['5:8: expected a list, found "lab.example"'],
    },
    {
      name: "an empty list",
      files: lab(["zones: [lab.example]", "zones: []"]),
      errors: ["5:8: expected a list of at least 1, found a list of 0"],
    },
    {
      name: "nothing behind a key",
      files: lab(["zones: [lab.example]", "zones:"]),
      errors: ["5:7: expected a list, found nothing"],
    },
    {
      name: "a word that is none of the choices",
      files: lab(["server: {", "server: { answer: ful,"]),
      errors: ['1:19: expected full or first-cname, found "ful"; did you mean "full"?'],
    },
    {
      name: "a word far from the choices",
      files: lab(["roles: [tenants]", "roles: [database]"]),
      errors: ['9:80: expected front-end or tenants, found "database"'],
    },
    {
      name: "a missing key",
      files: lab(["{ city: Paris, ", "{ "]),
      errors: ['8:8: "city" is missing here; expected a text'],
    },
    {
      name: "a country in lower case",
      files: lab(["country: FR", "country: fr"]),
      errors: ['8:32: expected an ISO 3166 alpha-2 code in capitals, like GB, found "fr"'],
    },
    {
      name: "NO, which YAML 1.2 takes for a text",
      files: lab(["country: FR", "country: NO"]),
      errors: [],
    },
    {
      name: "coordinates out of range",
      files: lab(["[49, 2]", "[91, 2]"]),
      errors: ["8:50: expected at most 90, found 91"],
    },
    {
      name: "coordinates with one number",
      files: lab(["[49, 2]", "[49]"]),
      errors: ["8:49: expected a list of at least 2, found a list of 1"],
    },
    {
      name: "a datacenter id with a blank",
      files: lab(["  cdg:", "  c dg:"]),
      errors: ['8:3: "c dg" cannot be a key: expected letters, digits and inner hyphens'],
    },
    {
      name: "a datacenter id in capitals",
      files: lab(["  cdg:", "  CDG:"]),
      errors: ['8:3: "CDG" must be written in lower case'],
    },
    {
      name: "a name with an empty label",
      files: lab(["names: [mail.lab.example]", "names: [mail..lab.example]"]),
      errors: ['13:13: "mail..lab.example" has an empty label'],
    },
    {
      name: "an unknown placeholder",
      files: lab(['"{datacenter}.mail', '"{datacentre}.mail']),
      errors: [
        "15:21: {datacentre} is no placeholder; there are {datacenter} {DATACENTER} {code} {region} {geo} {farmGeo} {net} {netEnd} {clump} {farm} {tenant} {domainKey} {mxLetter} {servedTenant}",
      ],
    },
    {
      name: "a listen address without a port",
      files: lab(["127.0.0.1:0", "127.0.0.1"]),
      errors: ['1:20: "127.0.0.1" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300'],
    },
    {
      name: "a vantage in the words of the command line",
      files: lab(["127.0.0.1:0", "127.0.0.1:0=london-office"]),
      errors: ['1:20: "127.0.0.1:0=london-office" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300'],
    },
    {
      name: "a listener with the endpoint for a key",
      files: lab(['"127.0.0.1:0"', '{ "127.0.0.1:0": london-office }']),
      errors: [
        '1:20: "address" is missing here; expected a text',
        '1:22: "127.0.0.1:0" is no key here; there are address, vantage, clientSubnet',
      ],
    },
    {
      name: "a listener with a port beside its address",
      files: lab(['"127.0.0.1:0"', "{ address: 127.0.0.1, port: 0 }"]),
      errors: [
        '1:31: "127.0.0.1" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300',
        '1:42: "port" is no key here; there are address, vantage, clientSubnet',
      ],
    },
    {
      name: "a listener with keys and values that are none",
      files: lab([
        '"127.0.0.1:0"',
        '{ address: "127.0.0.1:0", vantge: london-office, clientSubnet: ignored }',
      ]),
      errors: [
        '1:46: "vantge" is no key here; did you mean "vantage"?',
        '1:83: expected ignore, found "ignored"; did you mean "ignore"?',
      ],
    },
    {
      name: "a listener that is neither text nor map",
      files: lab(['"127.0.0.1:0"', "5300, [london-office]"]),
      errors: [
        "1:20: expected ADDRESS:PORT, or a map with address and, where wanted, vantage and clientSubnet: ignore, found 5300",
        "1:26: expected ADDRESS:PORT, or a map with address and, where wanted, vantage and clientSubnet: ignore, found a list of 1",
      ],
    },
    {
      name: "a name server without an address",
      files: lab(["server: {", "server: { nameservers: { ns1: [ns1.example], ns2: [192.0.2.1] },"]),
      errors: ['1:32: "ns1.example" is not an IP address'],
    },
    {
      name: "trust of neither word nor list",
      files: lab(["geoip:", "clientSubnet: { trust: al }\ngeoip:"]),
      errors: [
        '2:24: expected all, none, or a list of the prefixes of resolvers whose client subnet counts, found "al"',
      ],
    },
    {
      name: "trust with a bad prefix",
      files: lab(["geoip:", "clientSubnet: { trust: [10.0.0.0/33] }\ngeoip:"]),
      errors: ['2:25: "10.0.0.0/33" has a prefix length that is not between 0 and 32'],
    },
    {
      name: "log.queries of one",
      files: lab(["geoip:", "log: { queries: 1 }\ngeoip:"]),
      errors: ["2:17: expected at least 2, found 1"],
    },
  ]);
});

describe("prefixes", () => {
  testCases([
    {
      name: "33 bits",
      files: lab(["10.1.0.0/16", "10.1.0.0/33"]),
      errors: ['32:31: "10.1.0.0/33" has a prefix length that is not between 0 and 32'],
    },
    {
      name: "host bits set",
      files: lab(["10.1.0.0/16", "10.1.2.3/16"]),
      errors: ['32:31: "10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?'],
    },
    {
      name: "no prefix at all",
      files: lab(["10.1.0.0/16", "10.1/16"]),
      errors: ['32:31: "10.1/16" is not an address prefix like 10.1.0.0/16 or 2001:db8:1::/48'],
    },
    ...[
      ["2002:c000:200::/40", "2002::/16 (6to4)", "192.0.2.0/24"],
      ["2002:c000:201:7::/64", "2002::/16 (6to4)", "192.0.2.1/32"],
      ["64:ff9b::/96", "64:ff9b::/96 (NAT64)", "0.0.0.0/0"],
      ["::ffff:10.1.0.0/112", "::ffff:0:0/96 (IPv4-mapped)", "10.1.0.0/16"],
    ].map(([text = "", block = "", inner = ""]) => ({
      name: `${text}, whose addresses are located by the IPv4 address in them`,
      files: lab(["[10.1.0.0/16]", `["${text}"]`]),
      errors: [
        `32:31: ${text === "::ffff:10.1.0.0/112" ? "::ffff:a01:0/112" : text} lies in ${block}, where the IPv4 address in an address says where it is; write ${inner}`,
      ],
    })),
    { name: "prefixes around those", files: lab(["[10.1.0.0/16]", '["2000::/3", "::/0"]']), errors: [] },
    {
      name: "the same prefix in two networks",
      files: lab([
        "networks:\n",
        "networks:\n  paris-office: { prefixes: [192.0.2.0/24, 10.1.0.0/16], place: { city: Paris, country: FR, coordinates: [49, 2] } }\n",
      ]),
      errors: ["33:31: 10.1.0.0/16 belongs to network paris-office at lab.yaml:32:44 already"],
    },
    {
      name: "the same prefix twice in a network",
      files: lab(["[10.1.0.0/16]", "[10.1.0.0/16, 10.1.0.0/16]"]),
      errors: ["32:44: 10.1.0.0/16 belongs to network london-office at lab.yaml:32:31 already"],
    },
    {
      name: "a prefix inside another, which is fine",
      files: lab([
        "networks:\n",
        "networks:\n  paris-office: { prefixes: [10.1.1.0/24], place: { city: Paris, country: FR, coordinates: [49, 2] } }\n",
      ]),
      errors: [],
    },
    {
      name: "a pool too small for 16 slices",
      files: lab(["198.18.3.0/24", "198.18.3.0/29"]),
      errors: ["9:102: a pool has 16 slices, so it must be /27 or shorter"],
    },
    {
      name: "two pools of one family",
      files: lab(["198.18.3.0/24", "198.18.3.0/24, 198.18.4.0/24"]),
      errors: ["9:101: expected one prefix of each family, found two of one"],
    },
    {
      name: "pools that overlap in a cloud",
      files: lab(["198.18.3.0/24", "198.18.2.0/23"]),
      errors: ["9:102: 198.18.2.0/23 overlaps the pool of Lab/cdg at lab.yaml:8:100"],
    },
    {
      name: "pools that overlap across clouds",
      files: {
        ...lab(["geoip:", "include: [other.yaml]\ngeoip:"]),
        "other.yaml": changed(secondCloud, ["198.18.9.0", "198.18.1.0"]),
      },
      errors: ["8:110: 198.18.1.0/24 overlaps the pool of Other/osl at other.yaml:4:102"],
    },
    {
      name: "a name server in a pool",
      files: lab(["server: {", "server: { nameservers: { ns1: [198.18.3.53], ns2: [192.0.2.1] },"]),
      errors: ["9:102: 198.18.3.0/24 holds the address of a name server (server.nameservers)"],
    },
    {
      name: "the default name server in a pool",
      files: lab(["198.18.3.0/24", "198.18.0.0/24"]),
      errors: ["9:102: 198.18.0.0/24 holds the address of a name server (server.nameservers)"],
    },
  ]);
});

describe("single addresses of a datacenter", () => {
  const many = (count: number): string =>
    Array.from({ length: count }, (_, i) => `192.0.2.${i + 1}`).join(", ");
  testCases([
    { name: "one of a family", files: lab(["198.18.3.0/24", '10.1.0.5, "2001:db8:1::5"']), errors: [] },
    { name: "fifteen", files: lab(["198.18.3.0/24", many(15)]), errors: [] },
    {
      name: "beside a pool of the other family",
      files: lab(["198.18.3.0/24", '10.1.0.5, "2001:db8:f001::/48"']),
      errors: [],
    },
    {
      name: "the same in two datacenters, and a name server's",
      files: lab(["198.18.3.0/24", "198.18.0.53"], ["198.18.2.0/24", "198.18.0.53"]),
      errors: [],
    },
    {
      name: "sixteen",
      files: lab(["198.18.3.0/24", many(16)]),
      errors: ["9:273: an answer has at most 15 addresses of a family"],
    },
    {
      name: "one twice",
      files: lab(["198.18.3.0/24", '"2001:db8::5", 10.1.0.5, "2001:DB8:0::5"']),
      errors: ["9:127: 2001:db8::5 is here twice"],
    },
    {
      name: "beside a pool of the same family",
      files: lab(["198.18.3.0/24", "198.18.3.0/24, 10.1.0.5"]),
      errors: [
        "9:117: 10.1.0.5 stands beside the pool 198.18.3.0/24; give either a pool or single addresses of a family",
      ],
    },
    {
      name: "in the pool of another",
      files: lab(["198.18.3.0/24", "198.18.2.9"]),
      errors: ["9:102: 198.18.2.9 is in the pool of Lab/cdg at lab.yaml:8:100"],
    },
    {
      name: "with a pool of another around it",
      files: lab(["198.18.2.0/24", "198.18.3.9"]),
      errors: ["9:102: 198.18.3.0/24 overlaps 198.18.3.9, an address of Lab/cdg at lab.yaml:8:100"],
    },
    {
      name: "twice, from the settings",
      files: lab([
        "geoip:",
        "clouds: { Lab: { datacenters: { ams: { addresses: [10.1.0.5, 10.1.0.5] } } } }\ngeoip:",
      ]),
      errors: ["2:62: 10.1.0.5 is here twice"],
    },
  ]);
});

describe("published addresses", () => {
  const at = "    addresses: { slice: 0, count: 2 }";
  const published = (list: string, addressing = "published"): Files =>
    lab(
      [at, `${at}\n    published: [${list}]`],
      ["zones: [lab.example]", `zones: [lab.example]\naddressing: ${addressing}`],
    );
  testCases([
    { name: "of three datacenters two each", files: published("192.0.2.0/29"), errors: [] },
    {
      name: "too few for three datacenters",
      files: published("192.0.2.0/30, 2001:db8::/32"),
      errors: [
        "18:16: there are 4 IPv4 addresses, too few for 2 for each of 3 datacenters; name more, or let the service give lab addresses",
      ],
    },
    { name: "too few, but not asked for", files: published("192.0.2.0/30", "lab"), errors: [] },
    {
      name: "too few, as the settings want it",
      files: lab(
        [at, `${at}\n    published: [192.0.2.0/30]`],
        ["geoip:", "clouds: { Lab: { addressing: published } }\ngeoip:"],
      ),
      errors: [
        "18:16: there are 4 IPv4 addresses, too few for 2 for each of 3 datacenters; name more, or let the service give lab addresses",
      ],
    },
    {
      name: "too few for edges",
      files: lab(
        [at, "    addresses: { slice: 0, count: 2, anycast: true }\n    published: [192.0.2.1]"],
        ["zones: [lab.example]", "zones: [lab.example]\nanycast: [198.18.9.0/24]\naddressing: published"],
      ),
      errors: [
        "19:16: there are 1 IPv4 addresses, too few for 2; name more, or let the service give lab addresses",
      ],
    },
    {
      name: "that overlap",
      files: published("192.0.2.0/24, 192.0.2.128/25"),
      errors: ["18:16: 192.0.2.128/25 and 192.0.2.0/24 overlap"],
    },
    {
      name: "of two services that would give one address in two datacenters",
      files: lab(
        [at, `${at}\n    published: [192.0.2.0/26]`],
        [
          "count: 2 }\n  share-forms",
          "count: 2 }\n    published: [192.0.2.20/30, 192.0.2.0/28]\n  share-forms",
        ],
        ["zones: [lab.example]", "zones: [lab.example]\naddressing: published"],
      ),
      errors: [
        "24:16: 192.0.2.21 would be an address of Lab/cdg and of Lab/lhr; give services that share prefixes the same list",
      ],
    },
    {
      name: "of a service without addresses",
      files: lab([
        '    chain: [{ name: "{tenant}.lab.example" }]',
        '    chain: [{ name: "{tenant}.lab.example" }]\n    published: [192.0.2.0/24]',
      ]),
      errors: ["27:5: the service gives no addresses, so none are published"],
    },
    {
      name: "of an addressing that there is not",
      files: lab(["zones: [lab.example]", "zones: [lab.example]\naddressing: real"]),
      errors: ['6:13: expected lab or published, found "real"'],
    },
  ]);
});

describe("hosts", () => {
  const hosts = (template: string, ...changes: readonly Change[]): Files =>
    lab(["{ slice: 1, count: 2 }", `{ slice: 1, count: 2, hosts: "${template}" }`], ...changes);
  testCases([
    { name: "one for each address", files: hosts("mail-{datacenter}{number}.lab.example"), errors: [] },
    {
      name: "of tenants",
      files: hosts("{tenant}{number}.lab.example"),
      errors: [
        "21:45: {tenant} is no placeholder; there are {datacenter} {DATACENTER} {code} {region} {geo} {farmGeo} {net} {netEnd} {number}",
      ],
    },
    {
      name: "in no zone",
      files: hosts("{datacenter}{number}.other.example"),
      errors: ["21:45: lhr0001.other.example. is in no zone served; add one to zones"],
    },
    {
      name: "with a value that a datacenter lacks",
      files: hosts("{region}{number}.lab.example"),
      errors: ["21:45: Lab/lhr has no {region} for {region}{number}.lab.example"],
    },
    {
      name: "where the lab has an address",
      files: hosts("{datacenter}{number}.lab.example", [
        "datacenters:",
        'records: { lab.example: ["ams0002 A 192.0.2.1"] }\ndatacenters:',
      ]),
      errors: ["22:45: ams0002.lab.example. has addresses of its own already; see lab.yaml:6:26"],
    },
    {
      name: "below a delegation",
      files: hosts("{datacenter}{number}.sub.lab.example", [
        "datacenters:",
        'records: { lab.example: ["sub NS ns.other.example."] }\ndatacenters:',
      ]),
      errors: ["22:45: lhr0001.sub.lab.example. lies below a delegation or a DNAME, which hides it"],
    },
    {
      name: "where a tenant has a name",
      files: hosts("{datacenter}{number}.lab.example", ["  contoso:", "  lhr0001:"]),
      errors: [
        "29:3: lhr0001.lab.example. has records already, so it cannot be tailored; see lab.yaml:21:45",
      ],
    },
  ]);
});

describe("clouds and datacenters", () => {
  testCases([
    {
      name: "two clouds of one name",
      files: {
        ...lab(["geoip:", "include: [other.yaml]\ngeoip:"]),
        "other.yaml": changed(secondCloud, ["cloud: Other", "cloud: Lab"]),
      },
      errors: ['5:8: cloud "Lab" is defined at other.yaml:1:8 already'],
    },
    {
      name: "one zone in two clouds",
      files: {
        ...lab(["geoip:", "include: [other.yaml]\ngeoip:"]),
        "other.yaml": changed(secondCloud, [
          "zones: [other.example]",
          "zones: [other.example, LAB.example.]",
        ]),
      },
      errors: ["6:9: zone lab.example. is defined at other.yaml:2:24 already"],
    },
    {
      name: "an unknown datacenter of a service",
      files: lab([
        "    policy: nearest-datacenter",
        "    policy: nearest-datacenter\n    datacenters: [lhr, cgd]",
      ]),
      errors: ['13:24: "cgd" is no datacenter of the cloud with the role front-end; did you mean "cdg"?'],
    },
    {
      name: "a datacenter of a service without the role",
      files: lab([
        "    policy: nearest-datacenter",
        "    policy: nearest-datacenter\n    datacenters: [ams]",
      ]),
      errors: ['13:19: "ams" is no datacenter of the cloud with the role front-end; there are lhr, cdg'],
    },
    {
      name: "a policy without a datacenter of its role",
      files: lab(
        ["roles: [front-end, tenants]", "roles: [tenants]"],
        ["roles: [front-end]", "roles: [tenants]"],
      ),
      errors: ["11:3: no datacenter of the cloud has the role front-end"],
    },
    {
      name: "a service whose candidate has no addresses",
      files: lab([", addresses: [198.18.2.0/24] }", " }"]),
      errors: [
        '16:16: Lab/cdg has no addresses to give; set "addresses" there, or leave it out of "datacenters" here',
      ],
    },
    {
      name: "a datacenter without addresses that no service with addresses can choose",
      files: lab(
        [", addresses: [198.18.2.0/24] }", " }"],
        ["    policy: nearest-datacenter", "    policy: nearest-datacenter\n    datacenters: [lhr]"],
      ),
      errors: [],
    },
    {
      name: "a geo in a name, of a datacenter that has none",
      files: lab(["geo: FRA, ", ""], ['"{datacenter}.mail', '"{geo}.mail']),
      errors: ["15:21: Lab/cdg has no {geo} for {geo}.mail.lab.example"],
    },
    {
      name: "no role, which is that of a front end",
      files: lab(["geo: FRA, roles: [front-end]", "geo: FRA"]),
      errors: [],
    },
    {
      name: "no role of tenants where tenants need it",
      files: lab(["geo: EUR, roles: [tenants]", "geo: EUR"]),
      errors: ["29:44: Lab/ams has not the role tenants, so it can be neither active nor standby"],
    },
    {
      name: "a cloud without services",
      files: {
        ...lab(["geoip:", "include: [other.yaml]\ngeoip:"]),
        "other.yaml": secondCloud.slice(0, secondCloud.indexOf("services:")),
      },
      errors: [],
    },
    {
      name: "a slice used twice",
      files: lab(["slice: 1, count: 2", "slice: 0, count: 2"]),
      errors: ['21:25: slice 0 belongs to service "mail" already'],
    },
    {
      name: "a count over the capacity of a slice",
      files: lab(["198.18.1.0/24", "198.18.1.0/26"], ["slice: 0, count: 2", "slice: 0, count: 4"]),
      errors: ["16:35: a slice of the pool of Lab/lhr, 198.18.1.0/26, has 3 addresses, not 4"],
    },
  ]);
});

describe("networks and tenants", () => {
  testCases([
    {
      name: "two files with the same network",
      files: {
        ...lab(["geoip:", "include: [more.yaml]\ngeoip:"]),
        "more.yaml":
          "networks:\n  london-office: { prefixes: [10.2.0.0/16], place: { city: London, country: GB, coordinates: [51.51, -0.13] } }\n",
      },
      errors: ['33:3: network "london-office" is defined at more.yaml:2:3 already'],
    },
    {
      name: "two files with the same tenant",
      files: {
        ...lab(["geoip:", "include: [more.yaml]\ngeoip:"]),
        "more.yaml": "tenants:\n  contoso: { cloud: Lab, geo: EUR, active: ams }\n",
      },
      errors: ['30:3: tenant "contoso" is defined at more.yaml:2:3 already'],
    },
    {
      name: "tenants that differ in case alone",
      files: lab(["tenants:\n", "tenants:\n  Contoso: { cloud: Lab, geo: EUR, active: ams }\n"]),
      errors: ["30:3: contoso.lab.example. is made at lab.yaml:29:3 already"],
    },
    {
      name: "an unknown cloud",
      files: lab(["cloud: Lab, geo", "cloud: Labb, geo"]),
      errors: ['29:21: "Labb" is no cloud; did you mean "Lab"?'],
    },
    {
      name: "an unknown active datacenter",
      files: lab(["active: ams", "active: asm"]),
      errors: ['29:44: "asm" is no datacenter of Lab; did you mean "ams"?'],
    },
    {
      name: "an unknown standby",
      files: lab(["standby: lhr", "standby: lhrr"]),
      errors: ['29:58: "lhrr" is no datacenter of Lab; did you mean "lhr"?'],
    },
    {
      name: "an initial domain in a cloud that has none",
      files: lab(["standby: lhr,", "standby: lhr, initialDomain: con,"]),
      errors: ["29:78: Lab says no suffixes of initial domains; set initialDomains of the cloud"],
    },
    {
      name: "initial domains of another suffix, of no label, and claimed twice",
      files: lab(
        ["zones: [lab.example]", "zones: [lab.example]\ninitialDomains: [on.lab.test, on.lab.example]"],
        [
          "tenants:\n",
          `tenants:
  a: { cloud: Lab, geo: EUR, active: ams, initialDomain: a.on.lab.com }
  b: { cloud: Lab, geo: EUR, active: ams, initialDomain: b_b }
  c: { cloud: Lab, geo: EUR, active: ams, initialDomain: D.on.lab.example }
  d: { cloud: Lab, geo: EUR, active: ams, initialDomain: d.on.lab.example. }
  e: { cloud: Lab, geo: EUR, active: ams, initialDomain: Contoso }
  f: { cloud: Lab, geo: EUR, active: ams, initialDomain: d }
`,
        ],
      ),
      errors: [
        '30:58: expected contoso, or contoso.on.lab.test or contoso.on.lab.example, found "a.on.lab.com"',
        '31:58: expected contoso, or contoso.on.lab.test or contoso.on.lab.example, found "b_b"',
        "33:58: d.on.lab.example is the initial domain of c already, at lab.yaml:32:3",
        "34:3: contoso.on.lab.test is the initial domain of contoso too, which is defined at lab.yaml:36:3",
        "35:3: d.on.lab.test is the initial domain of d too, which is defined at lab.yaml:33:3",
      ],
    },
    {
      name: "a geo that no datacenter of the cloud has",
      files: lab(["geo: EUR, active: ams", "geo: EURO, active: ams"]),
      errors: ['29:31: "EURO" is the geo of no datacenter of Lab; did you mean "EUR"?'],
    },
    {
      name: "an unknown workload",
      files: lab(["standby: lhr,", "standby: lhr, workloads: { exchnge: { active: lhr } },"]),
      errors: ['29:76: "exchnge" is no key here; did you mean "exchange"?'],
    },
    {
      name: "workloads at unknown datacenters, and at one without the role",
      files: lab([
        "standby: lhr,",
        "standby: lhr, workloads: { exchange: { active: lrh, standby: cdg }, sharepoint: { active: cdg } },",
      ]),
      errors: [
        '29:96: "lrh" is no datacenter of Lab; did you mean "lhr"?',
        "29:110: Lab/cdg has not the role tenants, so it can be neither active nor standby",
        "29:139: Lab/cdg has not the role tenants, so it can be neither active nor standby",
      ],
    },
    {
      name: "a workload whose standby is its active datacenter",
      files: lab(["standby: lhr,", "standby: lhr, workloads: { exchange: { active: lhr, standby: lhr } },"]),
      errors: ["29:110: the standby is the active datacenter itself"],
    },
    {
      name: "a workload of a service that there is not",
      files: lab([
        '    names: ["{tenant}.lab.example"]',
        '    workload: exchnge\n    names: ["{tenant}.lab.example"]',
      ]),
      errors: ['19:15: expected exchange or sharepoint, found "exchnge"; did you mean "exchange"?'],
    },
    {
      name: "unknown tenants of a geo without a datacenter that holds tenants",
      files: lab(["zones: [lab.example]", "unknownTenants: { geo: FRA }\nzones: [lab.example]"]),
      errors: ['5:24: no datacenter of Lab with the role tenants has the geo "FRA"; there are GBR, EUR'],
    },
    {
      name: "the same in the settings",
      files: lab([
        "geoip: { database: none }",
        "geoip: { database: none }\nclouds: { Lab: { unknownTenants: { geo: GRB } } }",
      ]),
      errors: ['3:41: no datacenter of Lab with the role tenants has the geo "GRB"; did you mean "GBR"?'],
    },
    {
      name: "unknown tenants of a bare geo",
      files: lab([
        "geoip: { database: none }",
        "geoip: { database: none }\nclouds: { Lab: { unknownTenants: GBR } }",
      ]),
      errors: ['3:34: expected nxdomain, or a map like { geo: EUR }, found "GBR"'],
    },
    {
      name: "an active datacenter without the role tenants",
      files: lab(["active: ams", "active: cdg"]),
      errors: ["29:44: Lab/cdg has not the role tenants, so it can be neither active nor standby"],
    },
    {
      name: "a standby without the role tenants",
      files: lab(["standby: lhr", "standby: cdg"]),
      errors: ["29:58: Lab/cdg has not the role tenants, so it can be neither active nor standby"],
    },
    {
      name: "the standby is the active datacenter",
      files: lab(["standby: lhr", "standby: ams"]),
      errors: ["29:58: the standby is the active datacenter itself"],
    },
    {
      name: "a domain claimed twice",
      files: lab([
        "tenants:\n",
        "tenants:\n  fabrikam: { cloud: Lab, geo: EUR, active: ams, domains: [fabrikam.example, Contoso.Example.] }\n",
      ]),
      errors: ["30:73: contoso.example is claimed at lab.yaml:29:78 already"],
    },
    {
      name: "a domain claimed in two clouds",
      files: { "lab.yaml": mailClouds(["a-b.example", "c.example", "A-B.example"]) },
      errors: ["19:51: a-b.example is claimed at lab.yaml:17:51 already"],
    },
    {
      name: "domains of one key in clouds of zones of their own",
      files: { "lab.yaml": mailClouds(["a-b.example", "a.b.example", "a.b-example"]) },
      errors: [],
    },
    {
      name: "domains of one key in clouds that make the same names",
      files: {
        "lab.yaml": mailClouds(["a-b.example", "a.b.example", "c.example"], ["s.example", "s.example"]),
      },
      errors: ["18:3: a-b-example.s.example. is made at lab.yaml:17:3 already"],
    },
    {
      name: "a tenant named like another's suffix form",
      files: lab(["tenants:\n", "tenants:\n  contoso-my: { cloud: Lab, geo: EUR, active: ams }\n"]),
      errors: ["30:3: contoso-my.lab.example. is made at lab.yaml:29:3 already"],
    },
    {
      name: "a satellite named like a tenant",
      files: lab([
        "tenants:\n",
        "tenants:\n  fabrikam: { cloud: Lab, geo: EUR, active: ams, satellites: { contoso: { geo: GBR, active: lhr } } }\n",
      ]),
      errors: ["30:3: contoso.lab.example. is made at lab.yaml:29:64 already"],
    },
    {
      name: "a satellite in an unknown datacenter",
      files: lab([
        "tenants:\n",
        "tenants:\n  fabrikam:\n    cloud: Lab\n    geo: EUR\n    active: ams\n    satellites:\n      fabrikamGBR: { geo: GBR, active: lrh }\n",
      ]),
      errors: ['34:40: "lrh" is no datacenter of Lab; did you mean "lhr"?'],
    },
  ]);
});

describe("where addresses are", () => {
  const located = (location: string): Files =>
    lab(["geoip: { database: none }", `geoip: { database: none }\nlocation: ${location}`]);
  testCases([
    {
      name: "all that can be said",
      files: located(
        '{ sources: [geoip, networks], subdivisions: { US-CA: { coordinates: [37, -122] } }, countries: { "NO": { city: Oslo, country: "NO", coordinates: [60, 11] } }, continents: { AF: { city: Johannesburg, coordinates: [-26, 28] } }, unlocated: default }',
      ),
      errors: [],
    },
    {
      name: "a source that is none",
      files: located("{ sources: [networks, geoipp] }"),
      errors: ['3:33: expected networks or geoip, found "geoipp"; did you mean "geoip"?'],
    },
    {
      name: "a source twice",
      files: located("{ sources: [networks, networks] }"),
      errors: ['3:33: "networks" is here twice'],
    },
    {
      name: "a country that is no code",
      files: located("{ countries: { Norway: { coordinates: [60, 11] } } }"),
      errors: ['3:26: "Norway" cannot be a key: expected an ISO 3166 alpha-2 code in capitals, like GB'],
    },
    {
      name: "a continent that is none",
      files: located("{ continents: { XX: { coordinates: [60, 11] } } }"),
      errors: ['3:27: "XX" is no key here; there are AF, AN, AS, EU, NA, OC, SA'],
    },
    {
      name: "a subdivision without its country",
      files: located("{ subdivisions: { CA: { coordinates: [37, -122] } } }"),
      errors: ['3:29: "CA" cannot be a key: expected an ISO 3166-2 code in capitals, like US-CA'],
    },
    {
      name: "a place without coordinates",
      files: located("{ countries: { DE: { city: Bonn } } }"),
      errors: ['3:30: "coordinates" is missing here; expected a list'],
    },
    {
      name: "an outcome that is none",
      files: located("{ unlocated: servfail }"),
      errors: ['3:24: expected default, nodata or refused, found "servfail"'],
    },
  ]);

  test.each([
    ["nodata", "NODATA"],
    ["refused", "REFUSED"],
  ])("%s for who cannot be located is warned of", async (unlocated, words) => {
    const loaded = await loadSnapshot(join(writeFiles(located(`{ unlocated: ${unlocated} }`)), "lab.yaml"));
    const warnings = loaded.kind === "errors" ? [] : loaded.warnings;
    expect(warnings.map((warning) => warning.replace(/^.*lab\.yaml:/, "")).at(0)).toBe(
      `3:24: who cannot be located gets ${words}, which a shared resolver may hand to all of its clients: caches may take a negative answer for everyone's, whatever its scope (RFC 7871 §7.4)`,
    );
  });

  test("what is at the default location is nothing to warn of", async () => {
    const loaded = await loadSnapshot(join(writeFiles(located("{ unlocated: default }")), "lab.yaml"));
    expect(loaded.kind === "errors" ? loaded.errors : loaded.warnings).toEqual([]);
  });
});

describe("what is near", () => {
  const near = (nearness: string): Files => lab(["services:\n", `nearness: ${nearness}\nservices:\n`]);
  const ofService = (name: string, nearness: string): Files =>
    lab([`  ${name}:\n`, `  ${name}:\n    nearness: ${nearness}\n`]);
  testCases([
    {
      name: "all that can be said but latencies",
      files: near(
        "{ bias: { lhr: -200, cdg: 0.5 }, countries: { DE: [cdg, lhr] }, networks: { london-office: [lhr], 10.2.0.0/16: [cdg] }, candidates: 1, spread: { over: 2, weights: { lhr: 2 } } }",
      ),
      errors: [],
    },
    {
      name: "a bias of no datacenter",
      files: near("{ bias: { lhx: 1 } }"),
      errors: ['10:21: "lhx" is no front end of the cloud; did you mean "lhr"?'],
    },
    {
      name: "a bias of a datacenter that is no front end",
      files: near("{ bias: { ams: 1 } }"),
      errors: ['10:21: "ams" is no front end of the cloud; there are lhr, cdg'],
    },
    {
      name: "a bias around the world and farther",
      files: near("{ bias: { lhr: 50001 } }"),
      errors: ["10:26: expected at most 50000, found 50001"],
    },
    {
      name: "a list with an unknown datacenter",
      files: near("{ countries: { DE: [cdg, lhx] } }"),
      errors: ['10:36: "lhx" is no front end of the cloud; did you mean "lhr"?'],
    },
    {
      name: "a list with a datacenter twice",
      files: near("{ countries: { DE: [cdg, cdg] } }"),
      errors: ['10:36: "cdg" is here twice'],
    },
    {
      name: "a list of nobody",
      files: near("{ countries: { DE: [] } }"),
      errors: ["10:30: expected a list of at least 1, found a list of 0"],
    },
    {
      name: "a list for no country",
      files: near("{ countries: { de: [cdg] } }"),
      errors: ['10:26: "de" cannot be a key: expected an ISO 3166 alpha-2 code in capitals, like GB'],
    },
    {
      name: "a list for a continent without countries",
      files: near("{ continents: { AF: [cdg] } }"),
      errors: [
        "10:13: which country is on which continent is told by a countries document; include one, like config/countries.yaml",
      ],
    },
    {
      name: "a list for no network",
      files: near("{ networks: { london-ofice: [cdg] } }"),
      errors: ['10:25: "london-ofice" is neither a network nor a prefix; did you mean "london-office"?'],
    },
    {
      name: "a list for no prefix",
      files: near("{ networks: { 10.2.0.1/16: [cdg] } }"),
      errors: ['10:25: "10.2.0.1/16" has bits set behind its prefix length; did you mean 10.2.0.0/16?'],
    },
    {
      name: "a list for a prefix that goes by IPv4",
      files: near('{ networks: { "2002:a02::/32": [cdg] } }'),
      errors: [
        "10:25: 2002:a02::/32 lies in 2002::/16 (6to4), where the IPv4 address in an address says where it is; write 10.2.0.0/16",
      ],
    },
    {
      name: "a list for a prefix of a network that has one",
      files: near("{ networks: { london-office: [cdg], 10.1.0.0/16: [lhr] } }"),
      errors: ["10:47: 10.1.0.0/16 is listed at lab.yaml:10:25 already"],
    },
    {
      name: "no candidates",
      files: near("{ candidates: 0 }"),
      errors: ["10:25: expected at least 1, found 0"],
    },
    {
      name: "clients spread over nobody",
      files: near("{ spread: { over: 0 } }"),
      errors: ["10:29: expected at least 1, found 0"],
    },
    {
      name: "a weight of 0",
      files: near("{ spread: { over: 2, weights: { lhr: 0 } } }"),
      errors: ["10:48: expected at least 1, found 0"],
    },
    {
      name: "a weight of no datacenter",
      files: near("{ spread: { over: 2, weights: { lhx: 1 } } }"),
      errors: ['10:43: "lhx" is no front end of the cloud; did you mean "lhr"?'],
    },
    {
      name: "weights without a number",
      files: near("{ spread: { weights: { lhr: 1 } } }"),
      errors: ['10:21: "over" is missing here; expected a number'],
    },
    {
      name: "a key that is none",
      files: near("{ biases: {} }"),
      errors: ['10:13: "biases" is no key here; did you mean "bias"?'],
    },
    { name: "of a service", files: ofService("mail", "{ bias: { cdg: 5 }, candidates: 2 }"), errors: [] },
    {
      name: "a datacenter that is no candidate of the service",
      files: lab([
        "  mail:\n",
        "  mail:\n    datacenters: [lhr]\n    nearness: { countries: { DE: [cdg] } }\n",
      ]),
      errors: ['13:35: "cdg" is no candidate of the service; there is only lhr'],
    },
    {
      name: "of a service that goes by tenant",
      files: ofService("share", "{ candidates: 2 }"),
      errors: [
        "18:5: active-datacenter goes by the tenant, wherever the client is; nearness is of nearest-datacenter",
      ],
    },
  ]);
});

describe("a table of latencies", () => {
  const table = (csv: string | Buffer, nearness = "{ latency: rtt.csv }"): Files => ({
    ...lab(["services:\n", `nearness: ${nearness}\nservices:\n`]),
    "rtt.csv": csv,
  });
  testCases([
    {
      name: "all kinds of places",
      files: table(
        'kind,from,lhr,"cdg"\nnetwork,london-office,1,2.5\nprefix,10.2.0.0/16,,3\ncity,"Paris, Texas",120,\ncountry,DE,0,60000\n',
      ),
      errors: [],
    },
    {
      name: "a file that is not there",
      files: lab(["services:\n", "nearness: { latency: rtt.csv }\nservices:\n"]),
      errors: ['10:22: "rtt.csv" cannot be read: there is no such file'],
    },
    {
      name: "an empty file",
      files: table("\n\n"),
      errors: ["rtt.csv:1:1: the table is empty; its first line is kind,from and ids of datacenters"],
    },
    {
      name: "another first line",
      files: table("from,lhr,cdg\nDE,1,2\n"),
      errors: ["rtt.csv:1:1: the first line must begin with kind,from and go on with ids of datacenters"],
    },
    {
      name: "no datacenter",
      files: table("kind,from\ncountry,DE\n"),
      errors: ["rtt.csv:1:6: there is no datacenter here; each has a column behind kind,from"],
    },
    {
      name: "an unknown datacenter, and one twice",
      files: table("kind,from,lhx,cdg,cdg\ncountry,DE,1,2,3\n"),
      errors: [
        'rtt.csv:1:11: "lhx" is no datacenter that can be nearest here; did you mean "lhr"?',
        'rtt.csv:1:19: "cdg" has a column already',
      ],
    },
    {
      name: "cells too few and too many",
      files: table("kind,from,lhr,cdg\ncountry,DE,1\ncountry,FR,1,2,3\n"),
      errors: ["rtt.csv:2:12: expected 4 cells, found 3", "rtt.csv:3:16: expected 4 cells, found 5"],
    },
    {
      name: "what are no milliseconds",
      files: table("kind,from,lhr,cdg\ncountry,DE,-1,1e3\ncountry,FR,60001,12 ms\n"),
      errors: [
        'rtt.csv:2:12: expected milliseconds between 0 and 60000, like 12.5, or nothing, found "-1"',
        'rtt.csv:2:15: expected milliseconds between 0 and 60000, like 12.5, or nothing, found "1e3"',
        'rtt.csv:3:12: expected milliseconds between 0 and 60000, like 12.5, or nothing, found "60001"',
        'rtt.csv:3:18: expected milliseconds between 0 and 60000, like 12.5, or nothing, found "12 ms"',
      ],
    },
    {
      name: "a kind that is none",
      files: table("kind,from,lhr,cdg\ncontry,DE,1,2\n"),
      errors: ['rtt.csv:2:1: "contry" is no kind of place; did you mean "country"?'],
    },
    {
      name: "places that are none",
      files: table(
        "kind,from,lhr,cdg\nnetwork,london-ofice,1,2\nprefix,10.2.0.1/16,1,2\nprefix,2002:a02::/32,1,2\ncity,,1,2\ncountry,Germany,1,2\ncontinent,Europe,1,2\ncontinent,EU,1,2\n",
      ),
      errors: [
        'rtt.csv:2:9: "london-ofice" is no network; did you mean "london-office"?',
        'rtt.csv:3:8: "10.2.0.1/16" has bits set behind its prefix length; did you mean 10.2.0.0/16?',
        "rtt.csv:4:8: 2002:a02::/32 lies in 2002::/16 (6to4), where the IPv4 address in an address says where it is; write 10.2.0.0/16",
        "rtt.csv:5:6: the name of the city is missing",
        'rtt.csv:6:9: expected an ISO 3166 alpha-2 code in capitals, like GB, found "Germany"',
        'rtt.csv:7:11: expected one of AF, AN, AS, EU, NA, OC, SA, found "Europe"',
        "rtt.csv:8:11: which country is on which continent is told by a countries document; include one, like config/countries.yaml",
      ],
    },
    {
      name: "a place twice, by name and by prefix",
      files: table(
        "kind,from,lhr,cdg\ncountry,DE,1,2\ncountry,DE,2,1\nnetwork,london-office,1,2\nprefix,10.1.0.0/16,1,2\n",
      ),
      errors: [
        "rtt.csv:3:9: country DE is measured at rtt.csv:2:9 already",
        "rtt.csv:5:8: 10.1.0.0/16 is measured at rtt.csv:4:9 already",
      ],
    },
    {
      name: "quotes gone wrong",
      files: table('kind,from,lhr,cdg\ncountry,"DE,1,2\ncity,St. "John\'s",1,2\n'),
      errors: [
        "rtt.csv:2:9: this quote is not closed on its line",
        'rtt.csv:3:10: a cell with a quote in it must be in quotes, and the quote written twice: ""',
      ],
    },
    {
      name: "quotes gone wrong in the first line",
      files: table('kind,from,lhr,"cdg\ncountry,DE,1,2\n'),
      errors: ["rtt.csv:1:15: this quote is not closed on its line"],
    },
  ]);
});

describe("chains", () => {
  const chain =
    '    chain: [{ name: "{datacenter}.mail.lab.example", ttl: 60 }]\n    addresses: { slice: 0, count: 2 }\n';
  testCases([
    {
      name: "a name in no zone",
      files: lab(["names: [mail.lab.example]", "names: [mail.lab.test]"]),
      errors: ["13:13: mail.lab.test. is in no zone served; add one to zones"],
    },
    {
      name: "a chain that leaves the zones served",
      files: lab([chain, '    chain: [{ name: "{datacenter}.mail.example" }]\n']),
      errors: ["15:21: the chain leaves the zones served at lhr.mail.example."],
    },
    {
      name: "a link in no zone",
      files: lab(['.mail.lab.example"', '.mail.lab.test"']),
      errors: ["15:21: lhr.mail.lab.test. is in no zone served; add one to zones"],
    },
    {
      name: "a chain that leads to a name nobody owns",
      files: lab([chain, '    chain: [{ name: "{datacenter}.mial.lab.example" }]\n']),
      errors: ["15:21: the chain leads to lhr.mial.lab.example., a name that no service and no record owns"],
    },
    {
      name: "a chain that leads to itself",
      files: lab([chain, "    chain: [{ name: mail.lab.example }]\n"]),
      errors: ["15:21: the chain comes back to mail.lab.example. and never ends"],
    },
    {
      name: "the last step without ttl but with addresses",
      files: lab(['lab.example", ttl: 60 }', 'lab.example" }']),
      errors: ['15:13: "ttl" is missing here: the TTL of the records at {datacenter}.mail.lab.example'],
    },
    {
      name: "the last step with ttl but without addresses",
      files: lab([chain, "    chain: [{ name: contoso.lab.example, ttl: 60 }]\n"]),
      errors: [
        "15:42: the chain ends at a name of another service, which sets the TTL; leave ttl out or add addresses",
      ],
    },
    {
      name: "a middle step without ttl",
      files: lab([chain, "    chain: [{ name: a.lab.example }, { name: contoso.lab.example }]\n"]),
      errors: ['15:13: "ttl" is missing here: the TTL of the records at a.lab.example'],
    },
    {
      name: "neither chain nor addresses",
      files: lab([chain, ""]),
      errors: ["11:3: the service has neither addresses nor a chain, so its names would be empty"],
    },
    {
      name: "active-datacenter without {tenant}",
      files: lab(
        ['names: ["{tenant}.lab.example"]', "names: [share.lab.example]"],
        ['chain: [{ name: "{tenant}.lab', 'chain: [{ name: "share.lab'],
      ),
      errors: [
        "19:13: active-datacenter needs {tenant} or {domainKey} in every name until a datacenter is chosen",
      ],
    },
    {
      name: "nearest-datacenter with a farm slot",
      files: lab(['"{datacenter}.mail', '"{clump}.mail']),
      errors: ["15:21: {clump}.mail.lab.example names a farm slot, which only a tenant has"],
    },
    {
      name: "a datacenter without the number or region a name needs",
      files: lab(['"{datacenter}.mail', '"{region}.mail']),
      errors: ["15:21: Lab/lhr has no {region} for {region}.mail.lab.example"],
    },
    {
      name: "two services with one name",
      files: lab([
        "services:\n",
        "services:\n  portal: { policy: nearest-datacenter, names: [portal.lab.example, MAIL.lab.example], ttl: 9, addresses: { slice: 2, count: 1 } }\n",
      ]),
      errors: ["14:13: mail.lab.example. is made at lab.yaml:11:69 already"],
    },
    {
      name: "a chain to a tenant from a name that tells none",
      files: lab([chain, '    chain: [{ name: "{tenant}.lab.example" }]\n']),
      errors: ["15:21: {tenant}.lab.example names a tenant that the name before it does not tell"],
    },
    {
      name: "a tenant whose name makes a label too long",
      files: lab(["tenants:\n", `tenants:\n  ${"a".repeat(62)}: { cloud: Lab, geo: EUR, active: ams }\n`]),
      errors: [
        '29:3: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-my.lab.example" has a label over 63 octets',
      ],
    },
  ]);
});

describe("the end of a chain", () => {
  /** A plain zone, a second cloud, and a service whose chain leads to a name. */
  const leading = (to: string, ...records: readonly string[]): Files => ({
    ...lab(
      [
        "geoip: { database: none }\n",
        "geoip: { database: none }\ninclude: [other.yaml]\nzones: [plain.example]\n",
      ],
      [
        "services:\n",
        `services:\n  lead: { policy: nearest-datacenter, names: [lead.lab.example], ttl: 9, chain: [{ name: ${to} }] }\n`,
      ],
      [
        "---\ncloud:",
        `records:\n  plain.example:\n${records.map((line) => `    - "${line}"\n`).join("")}---\ncloud:`,
      ],
    ),
    "other.yaml": secondCloud,
  });
  const at = (records: number, words: string): readonly string[] => [
    `${15 + records}:90: the chain ${words}`,
  ];
  testCases([
    {
      name: "a name of another cloud's service",
      files: leading("mail.other.example", "www A 192.0.2.1"),
      errors: at(1, 'leaves its cloud at mail.other.example., a name of service "mail" of Other'),
    },
    {
      name: "a plain CNAME to a name of another cloud's service",
      files: leading("www.plain.example", "www CNAME mail.other.example."),
      errors: at(
        1,
        'leaves its cloud at mail.other.example., a name of service "mail" of Other; see lab.yaml:7:7',
      ),
    },
    {
      name: "two plain CNAMEs, the first under a wildcard",
      files: leading("a.b.plain.example", "*.b CNAME c", "c CNAME mail.other.example."),
      errors: at(
        2,
        'leaves its cloud at mail.other.example., a name of service "mail" of Other; see lab.yaml:8:7',
      ),
    },
    {
      name: "a plain CNAME out of the zones",
      files: leading("www.plain.example", "www CNAME www.example.net."),
      errors: at(1, "leaves the zones served at www.example.net.; see lab.yaml:7:7"),
    },
    {
      name: "a plain CNAME to a delegation",
      files: leading("www.plain.example", "www CNAME host.sub", "sub NS ns.example.net."),
      errors: at(
        2,
        "leaves the zones served at host.sub.plain.example., which is delegated; see lab.yaml:7:7",
      ),
    },
    {
      name: "a plain CNAME to a name that is not there",
      files: leading("www.plain.example", "www CNAME nosuch"),
      errors: at(
        1,
        "leads to nosuch.plain.example., a name that no service and no record owns; see lab.yaml:7:7",
      ),
    },
    {
      name: "a DNAME into another cloud",
      files: leading("mail.old.plain.example", "old DNAME other.example."),
      errors: at(
        1,
        'leaves its cloud at mail.other.example., a name of service "mail" of Other; see lab.yaml:7:7',
      ),
    },
    {
      name: "plain CNAMEs in a loop",
      files: leading("a.plain.example", "a CNAME b", "b CNAME a"),
      errors: at(2, "comes back to a.plain.example. and never ends; see lab.yaml:8:7"),
    },
    {
      name: "a plain CNAME back to the service",
      files: leading("a.plain.example", "a CNAME lead.lab.example."),
      errors: at(1, "comes back to lead.lab.example. and never ends"),
    },
    {
      name: "plain CNAMEs to a service of the same cloud, which is fine",
      files: leading("a.plain.example", "a CNAME b", "b CNAME mail.lab.example."),
      errors: [],
    },
    {
      name: "a plain CNAME that no chain reaches may lead outside, and loop",
      files: leading(
        "mail.lab.example",
        "a CNAME www.example.net.",
        "b CNAME c",
        "c CNAME b",
        "d CNAME mail.other.example.",
      ),
      errors: [],
    },
  ]);
});

describe("plain records", () => {
  const records = (...lines: readonly string[]): Files =>
    lab([
      "zones: [lab.example]\n",
      `zones: [lab.example]\nrecords:\n  lab.example:\n${lines.map((line) => `    - ${line}\n`).join("")}`,
    ]);
  testCases([
    {
      name: "an unknown type",
      files: records("www 300 IN AA 192.0.2.1"),
      errors: ['8:7: "AA" is not a type'],
    },
    { name: "no type", files: records("www 300"), errors: ["8:7: the type is missing"] },
    {
      name: "an address that is none",
      files: records("www A 192.0.2.256"),
      errors: ['8:7: "192.0.2.256" is not an IPv4 address'],
    },
    {
      name: "a field too few",
      files: records("'@ MX mail'"),
      errors: ['8:7: "mail" is not a whole number from 0 to 65535'],
    },
    { name: "another class", files: records("www CH TXT a"), errors: ["8:7: only class IN is served"] },
    {
      name: "a CNAME beside other data",
      files: records("www A 192.0.2.1", "www CNAME a"),
      errors: ["9:7: www.lab.example. would have a CNAME beside other records (RFC 2181 §10.1)"],
    },
    {
      name: "NS and DNAME at a wildcard",
      files: records("'*.w NS ns.example.'", "'*.v DNAME example.'"),
      errors: [
        "8:7: NS at a wildcard has no meaning that all agree on (RFC 4592 §4.2, §4.4)",
        "9:7: DNAME at a wildcard has no meaning that all agree on (RFC 4592 §4.2, §4.4)",
      ],
    },
    {
      name: "a name below a DNAME (RFC 6672 §2.4)",
      files: records("x.moved A 192.0.2.1", "moved DNAME elsewhere"),
      errors: ["8:7: x.moved.lab.example. lies below the DNAME at moved.lab.example., which hides it"],
    },
    {
      name: "other data beside a CNAME",
      files: records("www CNAME a", "www A 192.0.2.1"),
      errors: ["9:7: www.lab.example. would have a CNAME beside other records (RFC 2181 §10.1)"],
    },
    {
      name: "two CNAMEs at a name",
      files: records("www CNAME a", "www CNAME b"),
      errors: ["9:7: www.lab.example. would have a CNAME beside other records (RFC 2181 §10.1)"],
    },
    {
      name: "two TTLs in an RRset",
      files: records("www 60 A 192.0.2.1", "www 61 A 192.0.2.2"),
      errors: ["9:7: www.lab.example. has two TTLs in one RRset (RFC 2181 §5.2)"],
    },
    {
      name: "a name outside its zone",
      files: records("www.example. A 192.0.2.1"),
      errors: ["8:7: www.example. is not in zone lab.example."],
    },
    {
      name: "an SOA below the apex",
      files: records("www SOA ns1 hostmaster 1 2 3 4 5"),
      errors: ["8:7: an SOA stands at the apex alone"],
    },
    {
      name: "two SOAs",
      files: records("'@ SOA ns1 hostmaster 1 2 3 4 5'", "'@ SOA ns1 hostmaster 2 2 3 4 5'"),
      errors: ["9:7: lab.example. has an SOA already"],
    },
    {
      name: "records at a tailored name",
      files: records("mail A 192.0.2.1"),
      errors: ["16:13: mail.lab.example. has records already, so it cannot be tailored; see lab.yaml:8:7"],
    },
    {
      name: "records of a zone not served",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\nrecords: { lba.example: [www A 192.0.2.1] }\n",
      ]),
      errors: ['6:12: lba.example. is no zone served; did you mean "lab.example."?'],
    },
    {
      name: "a delegation above a tailored name",
      files: records("mail NS ns.test."),
      errors: [
        "16:13: mail.lab.example. has records already, so it cannot be tailored; see lab.yaml:8:7",
        "18:21: lhr.mail.lab.example. lies below a delegation or a DNAME, which hides it",
      ],
    },
    {
      name: "a DNAME above a name of a chain",
      files: lab(
        ["zones: [lab.example]\n", "zones: [lab.example]\nrecords: { lab.example: [cdn DNAME new.test.] }\n"],
        ["names: [mail.lab.example]", "names: [mail.cdn.lab.example]"],
      ),
      errors: ["14:13: mail.cdn.lab.example. lies below a delegation or a DNAME, which hides it"],
    },
    {
      name: "a delegation above a name of a chain",
      files: lab(
        ["zones: [lab.example]\n", "zones: [lab.example]\nrecords: { lab.example: [cdn NS ns.test.] }\n"],
        ["names: [mail.lab.example]", "names: [mail.cdn.lab.example]"],
      ),
      errors: ["14:13: mail.cdn.lab.example. lies below a delegation or a DNAME, which hides it"],
    },
    {
      name: "a type that is only asked for",
      files: records("'www ANY \\# 0'"),
      errors: ["8:7: no zone holds records of this type"],
    },
    {
      name: "a zone served twice by one file",
      files: lab(["zones: [lab.example]", "zones: [lab.example, Lab.Example.]"]),
      errors: ["5:22: zone lab.example. is defined at lab.yaml:5:9 already"],
    },
    {
      name: "a CNAME at the apex",
      files: records("'@ CNAME www'"),
      errors: ["8:7: lab.example. is an apex, and no CNAME can stand beside its SOA and NS (RFC 2181 §10.1)"],
    },
  ]);
});

describe("tailored names", () => {
  /** The lab with one tailored name, `geo`, in its cloud's document; the body begins on line 9. */
  const geo = (...body: readonly string[]): Files =>
    lab([
      "zones: [lab.example]\n",
      `zones: [lab.example]\ntailored:\n  lab.example:\n    geo:\n${body.map((line) => `      ${line}\n`).join("")}`,
    ]);
  /** The lab with plain records, one a line from line 8 on, and then a name with one default record. */
  const beside = (records: readonly string[], name: string, list: string): Files =>
    lab([
      "zones: [lab.example]\n",
      `zones: [lab.example]\nrecords:\n  lab.example:\n${records.map((line) => `    - ${line}\n`).join("")}tailored:\n  lab.example:\n    ${name}: { default: [${list}] }\n`,
    ]);
  const countries = "---\ncountries: { GB: { continent: EU, city: London, coordinates: [51.51, -0.13] } }\n";

  testCases([
    {
      name: "without a fault",
      files: {
        "lab.yaml": `${
          geo(
            "ttl: 60",
            "networks: { london-office: [A 192.0.2.1, AAAA 2001:db8::1], 10.0.0.0/8: [], 192.0.2.1: [CNAME mail] }",
            "countries: { GB: [TXT x] }",
            "continents: { EU: [A 192.0.2.2, A 192.0.2.2] }",
            "nearest: { lhr: [MX 10 mail], Lab/cdg: [CNAME www.example.net.] }",
            "whenAllDown: nodata",
          )["lab.yaml"]
        }${countries}`,
      },
      errors: [],
    },
    {
      name: "an unknown key",
      files: geo("network: { 10.0.0.0/8: [A 192.0.2.1] }"),
      errors: ['9:7: "network" is no key here; did you mean "networks"?'],
    },
    {
      name: "a record that is none, a TTL before it, a type alone",
      files: geo("default: [A 192.0.2.256, 60 A 192.0.2.1, IN A 192.0.2.1, MX, '']"),
      errors: [
        '9:17: "192.0.2.256" is not an IPv4 address',
        '9:32: "60" is not a type',
        '9:48: "IN" is not a type',
        "9:64: there are 0 fields where 2 are needed",
        "9:68: the type is missing",
      ],
    },
    {
      name: "types that are the same for everyone",
      files: geo(
        "default: [NS ns.example., SOA a b 1 2 3 4 5, DNAME example., 'DS 1 8 1 0123456789abcdef0123456789abcdef01234567']",
      ),
      errors: [
        "9:17: NS says whose the names below are, which is the same for everyone; write it under records",
        "9:33: the SOA is the zone's and the same for everyone; write it under records",
        "9:52: DNAME says whose the names below are, which is the same for everyone; write it under records",
        "9:68: DS says whose the names below are, which is the same for everyone; write it under records",
      ],
    },
    {
      name: "types that are only asked for",
      files: geo("default: ['ANY \\# 0', 'OPT \\# 0']"),
      errors: ["9:17: no zone holds records of this type", "9:29: no zone holds records of this type"],
    },
    {
      name: "a CNAME beside other records of its list, and two",
      files: geo("networks: { 10.0.0.0/8: [A 192.0.2.1, CNAME a], 11.0.0.0/8: [CNAME a, CNAME b] }"),
      errors: [
        "9:45: a CNAME stands alone in its list (RFC 2181 §10.1)",
        "9:77: a CNAME stands alone in its list (RFC 2181 §10.1)",
      ],
    },
    {
      name: "an unknown network",
      files: geo("networks: { london-ofice: [A 192.0.2.1] }"),
      errors: ['9:19: "london-ofice" is neither a network nor a prefix; did you mean "london-office"?'],
    },
    {
      name: "a prefix with host bits",
      files: geo("networks: { 10.0.0.1/8: [A 192.0.2.1] }"),
      errors: ['9:19: "10.0.0.1/8" has bits set behind its prefix length; did you mean 10.0.0.0/8?'],
    },
    {
      name: "a prefix whose addresses are located by the IPv4 address in them",
      files: geo('networks: { "2002:a00::/24": [A 192.0.2.1] }'),
      errors: [
        "9:19: 2002:a00::/24 lies in 2002::/16 (6to4), where the IPv4 address in an address says where it is; write 10.0.0.0/8",
      ],
    },
    {
      name: "a prefix listed by its network too",
      files: geo("networks: { london-office: [A 192.0.2.1], 10.1.0.0/16: [A 192.0.2.2] }"),
      errors: ["9:49: 10.1.0.0/16 is listed at lab.yaml:9:19 already"],
    },
    {
      name: "a prefix in two spellings",
      files: geo("networks:", "  2001:db8::/32: [A 192.0.2.1]", "  2001:DB8:0::/32: [A 192.0.2.2]"),
      errors: ["11:9: 2001:db8::/32 is listed at lab.yaml:10:9 already"],
    },
    {
      name: "a network behind its prefix",
      files: geo("networks: { 10.1.0.0/16: [A 192.0.2.1], london-office: [A 192.0.2.2] }"),
      errors: ["9:47: 10.1.0.0/16 of network london-office is listed at lab.yaml:9:19 already"],
    },
    {
      name: "a country in lower case",
      files: geo("countries: { de: [A 192.0.2.1] }"),
      errors: ['9:20: "de" cannot be a key: expected an ISO 3166 alpha-2 code in capitals, like GB'],
    },
    {
      name: "continents without a countries document",
      files: geo("continents: { EU: [A 192.0.2.1] }"),
      errors: [
        "9:7: which country is on which continent is told by a countries document; include one, like config/countries.yaml",
      ],
    },
    {
      name: "continents beside a countries document with a fault",
      files: {
        "lab.yaml": `${geo("continents: { EU: [A 192.0.2.1] }")["lab.yaml"]}${countries.replace("London", "1")}`,
      },
      errors: ["38:41: expected a text, found 1; put it in quotes"],
    },
    {
      name: "an unknown datacenter",
      files: geo("nearest: { lrh: [A 192.0.2.1] }"),
      errors: ['9:18: "lrh" is no datacenter of Lab; did you mean "lhr"?'],
    },
    {
      name: "a datacenter twice",
      files: geo("nearest: { lhr: [A 192.0.2.1], Lab/lhr: [A 192.0.2.2] }"),
      errors: ["9:38: Lab/lhr is here twice"],
    },
    {
      name: "a faulty datacenter is no fault of the name",
      files: {
        "lab.yaml": changed(geo("nearest: { cdg: [A 192.0.2.1] }")["lab.yaml"]?.toString() ?? "", [
          "{ city: Paris, ",
          "{ ",
        ]),
      },
      errors: ['12:8: "city" is missing here; expected a text'],
    },
    {
      name: "another cloud's datacenter in a cloud's own document",
      files: {
        "lab.yaml": `include: [other.yaml]\n${geo("nearest: { lhr: [A 192.0.2.1], Other/osl: [A 192.0.2.2] }")["lab.yaml"]}`,
        "other.yaml": secondCloud,
      },
      errors: ['10:38: "Other/osl" is no datacenter of Lab; there are Lab/lhr, Lab/cdg, Lab/ams'],
    },
    {
      name: "nobody nearest",
      files: geo("nearest: {}"),
      errors: ["9:16: there is no datacenter here to choose"],
    },
    {
      name: "both nearest and default",
      files: geo("nearest: { lhr: [A 192.0.2.1] }", "default: [A 192.0.2.2]"),
      errors: [
        '10:7: "nearest" has an answer for everyone, so nobody is left for "default"; keep one of them',
      ],
    },
    {
      name: "whenAllDown without datacenters",
      files: geo("default: [A 192.0.2.2]", "whenAllDown: nodata"),
      errors: ['10:7: "whenAllDown" is about the datacenters of "nearest", which is not here'],
    },
    {
      name: "no rule",
      files: geo("ttl: 60"),
      errors: ["8:5: the name has no rule; there are networks, countries, continents, nearest, default"],
    },
    {
      name: "a name in another spelling twice",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\ntailored:\n  lab.example:\n    geo: { default: [A 192.0.2.1] }\n    GEO.lab.example.: { default: [A 192.0.2.2] }\n",
      ]),
      errors: ["9:5: geo.lab.example. is tailored at lab.yaml:8:5 already"],
    },
    {
      name: "a name that is none, and one outside its zone",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\ntailored:\n  lab.example:\n    a..b: { default: [A 192.0.2.1] }\n    geo.example.: { default: [A 192.0.2.2] }\n",
      ]),
      errors: ['8:5: "a..b" has an empty label', "9:5: geo.example. is not in zone lab.example."],
    },
    {
      name: "a name in two files, which may share a zone",
      files: {
        ...lab(["geoip:", "include: [a.yaml, b.yaml]\ngeoip:"]),
        "a.yaml":
          "tailored: { lab.example: { geo: { default: [A 192.0.2.1] }, a: { default: [A 192.0.2.1] } } }\n",
        "b.yaml":
          "tailored: { lab.example: { b: { default: [A 192.0.2.1] }, geo: { default: [A 192.0.2.1] } } }\n",
      },
      errors: ["b.yaml:1:59: geo.lab.example. is tailored at a.yaml:1:28 already"],
    },
    {
      name: "a name of a zone below",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example, sub.lab.example]\ntailored: { lab.example: { geo.sub: { default: [A 192.0.2.1] } } }\n",
      ]),
      errors: ["6:28: geo.sub.lab.example. belongs to the zone sub.lab.example.; write it there"],
    },
    {
      name: "a name that YAML takes for a number",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\ntailored:\n  lab.example:\n    1.10: { default: [A 192.0.2.1] }\n    10: { default: [A 192.0.2.1] }\n",
      ]),
      errors: ["8:5: 1.10 is read as 1.1 here; put it in quotes"],
    },
    {
      name: "a name and a network that the schema would leave out",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\ntailored:\n  lab.example:\n    __proto__: { default: [A 192.0.2.1] }\n    a: { networks: { __proto__: [A 192.0.2.1] } }\n",
      ]),
      errors: [
        "8:5: __proto__ cannot be a key; as a name it may be written \\095_proto__",
        "9:22: __proto__ cannot be a key; as a name it may be written \\095_proto__",
      ],
    },
    {
      name: "a continent that is none",
      files: geo("continents: { EUR: [A 192.0.2.1] }"),
      errors: ['9:21: "EUR" is no key here; did you mean "EU"?'],
    },
    {
      name: "a zone that is not served",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\ntailored: { lba.example: { geo: { default: [A 192.0.2.1] } } }\n",
      ]),
      errors: ['6:13: lba.example. is no zone served; did you mean "lab.example."?'],
    },
    {
      name: "a type that plain records have",
      files: beside(["geo TXT x", "geo A 192.0.2.1"], "geo", "A 192.0.2.2"),
      errors: [
        "12:5: geo.lab.example. has A records already, so that type cannot be tailored; see lab.yaml:9:7",
      ],
    },
    {
      name: "other types beside plain records",
      files: beside(["geo TXT x"], "geo", "A 192.0.2.2"),
      errors: [],
    },
    {
      name: "a CNAME beside plain records",
      files: beside(["geo TXT x"], "geo", "CNAME mail"),
      errors: [
        "11:5: geo.lab.example. would have a CNAME beside other records (RFC 2181 §10.1); see lab.yaml:8:7",
      ],
    },
    {
      name: "other types beside a plain CNAME",
      files: beside(["geo CNAME mail"], "geo", "A 192.0.2.2"),
      errors: [
        "11:5: geo.lab.example. would have a CNAME beside other records (RFC 2181 §10.1); see lab.yaml:8:7",
      ],
    },
    {
      name: "a CNAME at the apex",
      files: beside(["www A 192.0.2.1"], "'@'", "CNAME mail"),
      errors: [
        "11:22: lab.example. is an apex, and no CNAME can stand beside its SOA and NS (RFC 2181 §10.1)",
      ],
    },
    {
      name: "the address of a name server",
      files: beside(["www A 192.0.2.1"], "ns1", "A 192.0.2.2"),
      errors: ["11:5: ns1.lab.example. has A records already, so that type cannot be tailored"],
    },
    {
      name: "at a delegation, below one, and below a DNAME",
      files: lab([
        "zones: [lab.example]\n",
        "zones: [lab.example]\nrecords: { lab.example: [cut NS ns.test., moved DNAME new.test.] }\ntailored:\n  lab.example:\n    cut: { default: [A 192.0.2.1] }\n    '*.cut': { default: [A 192.0.2.1] }\n    a.moved: { default: [A 192.0.2.1] }\n    moved: { default: [A 192.0.2.1] }\n",
      ]),
      errors: [
        "9:5: cut.lab.example. lies at or below the delegation at cut.lab.example., which hides it",
        "10:5: *.cut.lab.example. lies at or below the delegation at cut.lab.example., which hides it",
        "11:5: a.moved.lab.example. lies below the DNAME at moved.lab.example., which hides it",
      ],
    },
    {
      name: "a name of a service",
      files: beside(["www A 192.0.2.1"], "mail", "A 192.0.2.2"),
      errors: ["19:13: mail.lab.example. is a tailored name already; see lab.yaml:11:5"],
    },
  ]);

  /** A tailored name in settings, and two clouds that both have a datacenter `osl`. */
  const ofTwoClouds = (nearest: string): Files => ({
    "lab.yaml": `geoip: { database: none }
include: [a.yaml, b.yaml]
zones: [lab.example]
tailored: { lab.example: { geo: { nearest: { ${nearest} } } } }
`,
    "a.yaml": secondCloud,
    "b.yaml": changed(
      secondCloud,
      ["cloud: Other", "cloud: More"],
      ["zones: [other.example]", "zones: [more.example]"],
      ["mail.other.example", "mail.more.example"],
      ["198.18.9.0", "198.18.10.0"],
    ),
  });
  testCases([
    {
      name: "a short id that two clouds have",
      files: ofTwoClouds("osl: [A 192.0.2.1]"),
      errors: ['4:46: "osl" is a datacenter of Other and of More; write Other/osl or More/osl'],
    },
    {
      name: "ids of two clouds",
      files: ofTwoClouds("Other/osl: [A 192.0.2.1], More/osl: [A 192.0.2.2]"),
      errors: [],
    },
    {
      name: "an id that no cloud has",
      files: ofTwoClouds("Mor/osl: [A 192.0.2.1]"),
      errors: ['4:46: "Mor/osl" is no datacenter; did you mean "More/osl"?'],
    },
  ]);

  /** A chain of the lab's cloud to `geo`, a tailored name of a plain zone, written on line 9. */
  const leadingTo = (rules: string): Files => ({
    ...lab(
      [
        "geoip: { database: none }\n",
        `geoip: { database: none }\ninclude: [other.yaml]\nzones: [plain.example]\ntailored:\n  plain.example:\n    geo: { ${rules} }\n`,
      ],
      [
        "services:\n",
        "services:\n  lead: { policy: nearest-datacenter, names: [lead.lab.example], ttl: 9, chain: [{ name: geo.plain.example }] }\n",
      ],
    ),
    "other.yaml": secondCloud,
  });
  const chain = (words: string): readonly string[] => [`16:90: the chain ${words}`];
  testCases([
    {
      name: "that a chain may end at",
      files: leadingTo("networks: { 10.0.0.0/8: [A 192.0.2.1] }, default: [CNAME mail.lab.example.]"),
      errors: [],
    },
    {
      name: "that lead a chain out of the zones for some",
      files: leadingTo("networks: { 10.0.0.0/8: [CNAME www.example.net.] }, default: [A 192.0.2.1]"),
      errors: chain("leaves the zones served at www.example.net.; see lab.yaml:7:5"),
    },
    {
      name: "that lead a chain into another cloud for some",
      files: leadingTo("countries: { DE: [CNAME mail.other.example.] }"),
      errors: chain(
        'leaves its cloud at mail.other.example., a name of service "mail" of Other; see lab.yaml:7:5',
      ),
    },
    {
      name: "that answer a chain with records of another cloud's datacenter",
      files: leadingTo("nearest: { lhr: [A 192.0.2.1], osl: [A 192.0.2.2] }"),
      errors: chain(
        "leaves its cloud at geo.plain.example., which can answer with records of Other/osl; see lab.yaml:7:5",
      ),
    },
    {
      name: "that lead a chain back for some",
      files: leadingTo("default: [A 192.0.2.1], networks: { 10.0.0.0/8: [CNAME lead.lab.example.] }"),
      errors: chain("comes back to lead.lab.example. and never ends"),
    },
    {
      name: "that lead a chain around themselves",
      files: leadingTo("default: [CNAME geo]"),
      errors: chain("comes back to geo.plain.example. and never ends; see lab.yaml:7:5"),
    },
  ]);
});

describe("files", () => {
  testCases([
    {
      name: "a missing include",
      files: lab(["geoip:", "include: [networks.yaml]\ngeoip:"]),
      errors: ['2:11: "networks.yaml" matches no file'],
    },
    {
      name: "a glob that matches nothing",
      files: lab(["geoip:", "include: [clouds/*.yaml]\ngeoip:"]),
      errors: ['2:11: "clouds/*.yaml" matches no file'],
    },
    {
      name: "an include of a folder",
      files: { ...lab(["geoip:", "include: [clouds]\ngeoip:"]), "clouds/a.yaml": secondCloud },
      errors: ['2:11: "clouds" cannot be read: it is a folder; name files, as in clouds/*.yaml'],
    },
    {
      name: "a setting in two files",
      files: {
        ...lab(["geoip:", "include: [more.yaml]\ngeoip:"]),
        "more.yaml": "geoip: { database: none }\n",
      },
      errors: ['more.yaml:1:1: "geoip" is set at lab.yaml:3:1 already'],
    },
    {
      name: "a GeoIP database that is not there",
      files: lab(["database: none", "database: no-such.mmdb"]),
      errors: ['2:20: "no-such.mmdb" cannot be read: there is no such file'],
    },
    {
      name: "a GeoIP database that is a folder",
      files: { ...lab(["database: none", "database: data"]), "data/a.mmdb": "" },
      errors: ['2:20: "data" cannot be read: it is a folder; name the .mmdb file in it'],
    },
    {
      name: "a GeoIP database that is none",
      files: { ...lab(["database: none", "database: lab.yaml"]) },
      errors: [
        '2:20: "lab.yaml" cannot be used as a GeoIP database: not a MaxMind DB file, or cut short: it has no metadata',
      ],
    },
    {
      name: "a GeoIP database that is empty",
      files: { ...lab(["database: none", "database: empty.mmdb"]), "empty.mmdb": Buffer.alloc(0) },
      errors: [
        '2:20: "empty.mmdb" cannot be used as a GeoIP database: not a MaxMind DB file, or cut short: it has no metadata',
      ],
    },
    {
      name: "a misspelled geoip word",
      files: lab(["database: none", "database: embeded"]),
      errors: ['2:20: "embeded" cannot be read: there is no such file'],
    },
    {
      name: "a GeoIP database that is not there, and other errors before and behind it",
      files: lab(
        ['["127.0.0.1:0"]', '["127.0.0.1"]'],
        ["database: none", 'database: "a\\e.mmdb"'],
        ["active: ams", "active: asm"],
      ),
      errors: [
        '1:20: "127.0.0.1" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300',
        '2:20: "a\\x1b.mmdb" cannot be read: there is no such file',
        '29:44: "asm" is no datacenter of Lab; did you mean "ams"?',
      ],
    },
  ]);
});

describe("all at once", () => {
  testCases([
    {
      name: "five mistakes of five stages",
      files: {
        "lab.yaml": changed(
          soundLab,
          ["198.18.3.0/24", "198.18.2.0/23"],
          ['"{tenant}.lab.example" }]', '"{tenant}.lab.test" }]'],
          [
            "tenants:\n",
            "tenants:\n  fabrikam: { cloud: Shopp, geo: EUR, active: ams }\n  litware: { cloud: Lab, geo: EUR, active: osaka }\n",
          ],
          ["10.1.0.0/16", "10.1.0.0/33"],
        ),
      },
      errors: [
        "9:102: 198.18.2.0/23 overlaps the pool of Lab/cdg at lab.yaml:8:100",
        "26:21: the chain leaves the zones served at contoso.lab.test.",
        '29:22: "Shopp" is no cloud; there is only Lab',
        '30:44: "osaka" is no datacenter of Lab; there are lhr, ams',
        '34:31: "10.1.0.0/33" has a prefix length that is not between 0 and 32',
      ],
    },
    {
      name: "an unknown cloud beside one that cannot be read, which the other tenant names",
      files: lab(
        ["zones: [lab.example]\n", ""],
        ["tenants:\n", "tenants:\n  fabrikam: { cloud: Shopp, geo: EUR, active: ams }\n"],
      ),
      errors: [
        '4:1: "zones" is missing here; expected a list',
        '28:22: "Shopp" is no cloud; there is only Lab',
      ],
    },
    {
      name: "an unknown cloud beside one whose name is faulty",
      files: lab(
        ["cloud: Lab\n", "cloud: The Lab\n"],
        ["tenants:\n", "tenants:\n  fabrikam: { cloud: Shopp, geo: EUR, active: ams }\n"],
      ),
      errors: ['4:8: expected letters, digits and inner hyphens, found "The Lab"'],
    },
    {
      name: "an unknown cloud beside a file that is not there",
      files: lab(["geoip:", "include: [clouds/*.yaml]\ngeoip:"], ["cloud: Lab, geo", "cloud: Shop, geo"]),
      errors: ['2:11: "clouds/*.yaml" matches no file'],
    },
    {
      name: "a faulty zone is no fault of the names in it",
      files: lab(["zones: [lab.example]", "zones: [lab..example, b.example]"]),
      errors: ['5:9: "lab..example" has an empty label'],
    },
    {
      name: "a faulty datacenter is no fault of a chain that names it",
      files: lab(
        ["lhr: { city: London, ", "lhr: { "],
        ["names: [mail.lab.example]", "names: [mail.lab.example, alias.lab.example]"],
        [
          "  share:\n",
          "  more: { policy: nearest-datacenter, names: [more.lab.example], ttl: 60, chain: [{ name: lhr.mail.lab.example }] }\n  share:\n",
        ],
      ),
      errors: ['7:8: "city" is missing here; expected a text'],
    },
    {
      name: "five mistakes in one file",
      files: lab(
        ["server: {", "server: { answr: full,"],
        ["country: FR", "country: France"],
        ["ttl: 300", "ttl: soon"],
        ["standby: lhr", "standby: lrh"],
        ["10.1.0.0/16", "10.1.0.1/16"],
      ),
      errors: [
        '1:11: "answr" is no key here; did you mean "answer"?',
        '8:32: expected an ISO 3166 alpha-2 code in capitals, like GB, found "France"',
        '14:10: expected a number, found "soon"',
        '29:58: "lrh" is no datacenter of Lab; did you mean "lhr"?',
        '32:31: "10.1.0.1/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?',
      ],
    },
    {
      name: "five mistakes in five files",
      files: {
        "lab.yaml": "include: [networks.yaml, tenants.yaml, clouds/*.yaml]\nlog: { queries: offf }\n",
        "networks.yaml":
          'networks:\n  hq: { prefixes: [10.1.0.0/33], place: { city: Oslo, country: "NO", coordinates: [60, 11] } }\n',
        "tenants.yaml": "tenants:\n  contoso: { cloud: Lab, geo: NOR, active: osl, standby: osl }\n",
        "clouds/a.yaml": changed(
          secondCloud,
          ["cloud: Other", "cloud: Lab"],
          ["roles: [front-end]", "roles: [front-end, tenants]"],
          ["count: 2", "count: 16"],
        ),
        "clouds/b.yaml": "cloud: Lab\nzones: [b.example\ndatacenters: {}\n",
      },
      errors: [
        "clouds/a.yaml:6:108: expected at most 15, found 16",
        "clouds/b.yaml:3:1: flow sequence in block collection must be sufficiently indented and end with a ]",
        '2:17: expected all, off, or N for one query in N, found "offf"',
        'networks.yaml:2:20: "10.1.0.0/33" has a prefix length that is not between 0 and 32',
        "tenants.yaml:2:58: the standby is the active datacenter itself",
      ],
    },
    {
      name: "a key twice and mistakes elsewhere",
      files: lab(
        ["server: {", "server: { answer: full, answer: full,"],
        ["active: ams", "active: asm"],
        ["10.1.0.0/16", "10.1.0.0/33"],
      ),
      errors: [
        '1:25: "answer" is here twice; it stands at lab.yaml:1:11 already',
        '29:44: "asm" is no datacenter of Lab; did you mean "ams"?',
        '32:31: "10.1.0.0/33" has a prefix length that is not between 0 and 32',
      ],
    },
    {
      name: "a key twice whose last value, which counts, is wrong",
      files: { "lab.yaml": "server: { answer: full, answer: ful }\nzones: [a.example]\n" },
      errors: [
        '1:25: "answer" is here twice; it stands at lab.yaml:1:11 already',
        '1:33: expected full or first-cname, found "ful"; did you mean "full"?',
      ],
    },
    {
      name: "a faulty datacenter is no fault of the tenant and the service that name it",
      files: lab(
        ["city: Amsterdam, ", ""],
        [
          '    policy: active-datacenter\n    names: ["{tenant}.lab',
          '    policy: active-datacenter\n    datacenters: [ams]\n    names: ["{tenant}.lab',
        ],
      ),
      errors: ['9:8: "city" is missing here; expected a text'],
    },
    {
      name: "a faulty service is no fault of the chain that leads to it",
      files: lab(
        ['names: ["{tenant}-my.lab.example"]', 'names: ["{tenant}-my.lab.example"]'],
        ["    ttl: 60\n    addresses: { slice: 1, count: 2 }", "    ttl: 60"],
      ),
      errors: ["17:3: the service has neither addresses nor a chain, so its names would be empty"],
    },
    {
      name: "a cloud that cannot be read is no fault of its tenants",
      files: lab(["zones: [lab.example]\n", ""], ["geo: EUR, active", "geo: EUR, activ"]),
      errors: [
        '4:1: "zones" is missing here; expected a list',
        '28:36: "activ" is no key here; did you mean "active"?',
      ],
    },
    {
      name: "several links in no zone",
      files: lab(
        ["names: [mail.lab.example]", "names: [mail.lab.example, mail.a.test, mail.b.test]"],
        ['.mail.lab.example"', '.mail.c.test"'],
      ),
      errors: [
        "13:31: mail.a.test. is in no zone served; add one to zones",
        "13:44: mail.b.test. is in no zone served; add one to zones",
        "15:21: lhr.mail.c.test. is in no zone served; add one to zones",
      ],
    },
    {
      name: "a name that an error keeps from being made is no second error",
      files: lab(
        ['names: ["{tenant}.lab.example"]', "names: [share.lab.example]"],
        ['chain: [{ name: "{tenant}.lab', 'chain: [{ name: "share.lab'],
      ),
      errors: [
        "19:13: active-datacenter needs {tenant} or {domainKey} in every name until a datacenter is chosen",
      ],
    },
  ]);
});

describe("the first file", () => {
  test("that is not there is named as it was given", async () => {
    const loaded = await loadSnapshot(join(folder, "no-such.yaml"));
    expect(loaded.kind === "errors" && loaded.errors.map(formatConfigError)).toEqual([
      `${join(folder, "no-such.yaml")}:1:1: the configuration cannot be read: there is no such file; name a file with --config`,
    ]);
  });

  test.each([
    ["is empty", ""],
    ["has comments alone", "# later\n"],
    ["has no zone", "server: { answer: full }\n"],
  ])("that %s", async (_what, text) => {
    expect((await loadFiles({ "lab.yaml": text })).lines).toEqual([
      "lab.yaml:1:1: there is no zone to serve; list zones, or include a cloud's file",
    ]);
  });

  test("that is a folder", async () => {
    const loaded = await loadSnapshot(folder);
    expect(loaded.kind === "errors" && loaded.errors.map(formatConfigError)).toEqual([
      `${folder}:1:1: the configuration is a folder; name a file with --config`,
    ]);
  });
});

describe("an error as it is printed", () => {
  test("has its line and a mark under the column", async () => {
    const files = { "lab.yaml": 'server:\n  listen: ["127.0.0.1:5300", "127.0.0.1"]\nzones: [a.example]\n' };
    expect((await loadFiles(files)).printed).toEqual([
      [
        'lab.yaml:2:30: "127.0.0.1" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300',
        '    listen: ["127.0.0.1:5300", "127.0.0.1"]',
        "                               ^",
      ].join("\n"),
    ]);
  });

  test("has a long line cut around the column", async () => {
    const prefixes = Array.from({ length: 40 }, (_, i) => `10.1.${i}.0/24`).join(", ");
    const place = 'place: { city: Oslo, country: "NO", coordinates: [60, 11] }';
    const files = {
      "lab.yaml": `networks:\n  hq: { prefixes: [${prefixes}, 10.1.0.0], ${place}, knd: vpn }\n---\nzones: [a.example]\n`,
    };
    const [printed = ""] = (await loadFiles(files)).printed;
    const [head, line = "", mark = ""] = printed.split("\n");
    expect(head).toBe('lab.yaml:2:642: "knd" is no key here; did you mean "kind"?');
    expect(line.length).toBeLessThanOrEqual(142);
    expect(mark).toBe(`${" ".repeat(82)}^`);
    expect(line.slice(mark.indexOf("^"))).toBe("knd: vpn }");
  });

  test("has no control character of the file", async () => {
    const [printed = ""] = (
      await loadFiles({
        "lab.yaml": "zones: [a.example] # \u001b[2J\nserver: { answr: 1 } # \u001b[2J\n",
      })
    ).printed;
    expect(printed).toContain("\n  server: { answr: 1 } # \ufffd[2J\n            ^");
  });

  test("names places below the folder one is in relatively, in the message as at its head", async () => {
    const root = writeFiles(lab(["198.18.3.0/24", "198.18.2.0/23"]));
    const cwd = vi.spyOn(process, "cwd").mockReturnValue(root);
    const loaded = await loadSnapshot(join(root, "lab.yaml"));
    const printed = loaded.kind === "errors" ? loaded.errors.map(formatConfigError) : [];
    cwd.mockRestore();
    expect(printed[0]?.split("\n")[0]).toBe(
      "lab.yaml:9:102: 198.18.2.0/23 overlaps the pool of Lab/cdg at lab.yaml:8:100",
    );
  });

  test("keeps a tab before the column, so that the mark stands under it", async () => {
    const [printed = ""] = (
      await loadFiles({
        "lab.yaml": "server:\t{ answr: full }\nzones: [a.example]\n",
      })
    ).printed;
    expect(printed).toContain("\n  server:\t{ answr: full }\n         \t  ^");
  });
});
