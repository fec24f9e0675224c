// Networks and tenants by services: what a cell says, what differs, and how it is printed and drawn.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { parseSuppositions, suppose } from "../../src/cloud/suppositions.ts";
import type { Datacenter } from "../../src/cloud/topology.ts";
import { loadConfig } from "../../src/config/load.ts";
import { TYPE } from "../../src/dns/iana.ts";
import { parseName } from "../../src/dns/name.ts";
import { explain } from "../../src/explain.ts";
import { loadSnapshot } from "../../src/load-snapshot.ts";
import { compareMatrices } from "../../src/matrix/compare.ts";
import { placeLabels } from "../../src/matrix/labels.ts";
import { drawMap } from "../../src/matrix/map.ts";
import { buildMatrix, type Matrix, type MatrixScope } from "../../src/matrix/matrix.ts";
import { formatPage } from "../../src/matrix/page.ts";
import { formatCsv, formatMarkdown, formatTables } from "../../src/matrix/text.ts";
import { cellWords, changeWords, textSheet } from "../../src/matrix/words.ts";
import { buildWorld } from "../../src/matrix/world.ts";
import { type Snapshot, withStates } from "../../src/snapshot.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-matrix-"));
afterAll(() => rmSync(folder, { recursive: true }));

const lab = `geoip: { database: none }
server: { stateFile: none }
defaultLocation: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] }
---
cloud: Lab
zones: [lab.example]
anycast: [198.18.128.0/24]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.51, -0.13], roles: [front-end, tenants], addresses: [198.18.1.0/24] }
  cdg: { city: Paris, country: FR, coordinates: [48.86, 2.35], roles: [front-end, tenants], addresses: [198.18.2.0/24] }
  tyo: { city: Tokyo, country: JP, coordinates: [35.68, 139.69], roles: [front-end], addresses: [198.18.3.0/24] }
services:
  mail:
    { policy: nearest-datacenter, names: [mail.lab.example], ttl: 60, addresses: { slice: 0, count: 1 } }
  post:
    { policy: nearest-datacenter, names: [post.lab.example], ttl: 60, chain: [{ name: mail.lab.example }] }
  far:
    { policy: nearest-datacenter, names: [far.lab.example], ttl: 60, datacenters: [cdg, tyo], whenAllDown: servfail,
      addresses: { slice: 1, count: 1 } }
  both:
    { policy: nearest-datacenter, names: [both.lab.example], ttl: 60, addresses: { slice: 2, count: 1 },
      nearness: { spread: { over: 2 } } }
  edge:
    { policy: nearest-datacenter, names: [edge.lab.example], ttl: 60, addresses: { slice: 3, count: 1, anycast: true } }
  share:
    { policy: active-datacenter, names: ["{tenant}.lab.example"], ttl: 60, addresses: { slice: 4, count: 1 } }
  mx:
    { policy: active-datacenter, names: ["{domainKey}.mx.lab.example"], ttl: 60, addresses: { slice: 5, count: 1 } }
---
networks:
  europe: { prefixes: [10.0.0.0/8], place: { city: Paris, country: FR, coordinates: [48.86, 2.35] } }
  london: { prefixes: [10.0.0.0/9], place: { city: London, country: GB, coordinates: [51.51, -0.13] } }
  covered: { prefixes: [10.1.0.0/16], place: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] } }
  inside: { prefixes: [10.1.0.0/17, 10.1.128.0/17], place: { city: London, country: GB, coordinates: [51.51, -0.13] } }
---
tenants:
  contoso: { cloud: Lab, geo: GBR, active: lhr, standby: cdg, domains: [contoso.example] }
  fabrikam: { cloud: Lab, geo: FRA, active: cdg }
`;

const everything: MatrixScope = {
  services: undefined,
  networks: undefined,
  countries: [],
  tenants: undefined,
};

async function snapshotOf(text: string): Promise<Snapshot> {
  const path = join(folder, "lab.yaml");
  writeFileSync(path, text);
  const loaded = await loadSnapshot(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  return loaded.snapshot;
}

const datacentersOf = ({ configuration }: Snapshot): readonly Datacenter[] =>
  configuration.clouds.flatMap(({ datacenters }) => datacenters);

function supposed(snapshot: Snapshot, text: string): Snapshot {
  const suppositions = parseSuppositions(text);
  if (typeof suppositions === "string") throw new Error(suppositions);
  const states = suppose(snapshot.states, suppositions, datacentersOf(snapshot));
  if (typeof states === "string") throw new Error(states);
  return withStates(snapshot, states);
}

const tables = ({ sheets }: Matrix): readonly string[] => [
  ...formatTables(sheets.map((sheet) => textSheet(sheet, cellWords))),
];

describe("the matrix", async () => {
  const snapshot = await snapshotOf(lab);

  test("says what each place and each tenant gets, and puts columns together that are the same", () => {
    expect(tables(buildMatrix(snapshot, everything))).toEqual([
      "Lab, by place",
      "place    mail +1  far  both              edge",
      "europe   cdg      cdg  cdg lhr (spread)  fixed",
      "london   lhr      cdg  lhr cdg (spread)  fixed",
      "covered",
      "inside   lhr      cdg  lhr cdg (spread)  fixed",
      "default  tyo      tyo  tyo lhr (spread)  fixed",
      "mail +1: mail, post",
      "",
      "Lab, by tenant, from everywhere",
      "tenant    share  mx",
      "contoso   lhr    lhr",
      "fabrikam  cdg",
      "",
      "fixed: the same for everyone, whatever the place",
    ]);
  });

  test("says why where that is not usual", () => {
    const scope = {
      ...everything,
      services: ["mail", "Lab/far", "share"],
      networks: ["london"],
      tenants: ["contoso"],
    };
    expect(tables(buildMatrix(supposed(snapshot, "lhr=down,cdg=draining,tyo=down"), scope))).toEqual([
      "Lab, by place",
      "place   mail +1",
      "london  cdg (only-draining-left)",
      "mail +1: mail, far",
      "",
      "Lab, by tenant, from everywhere",
      "tenant   share",
      "contoso  cdg (standby)",
    ]);
    expect(tables(buildMatrix(supposed(snapshot, "*=down"), scope)).slice(0, 3)).toEqual([
      "Lab, by place",
      "place   mail            far",
      "london  lhr (all-down)  SERVFAIL (all-down)",
    ]);
  });

  test("is the same each time", () => {
    const [one, two] = [1, 2].map(() => JSON.stringify(buildMatrix(snapshot, everything)));
    expect(one).toBe(two);
  });

  test("follows a chain to its end where a response would stop at the first CNAME", async () => {
    const first = await snapshotOf(lab.replace("stateFile: none", "stateFile: none, answer: first-cname"));
    expect(buildMatrix(first, everything).sheets).toEqual(buildMatrix(snapshot, everything).sheets);
  });

  test("shows a hundred tenants, and says how many more there are", async () => {
    const more = Array.from({ length: 120 }, (_, i) => `  t${i}: { cloud: Lab, geo: GBR, active: lhr }\n`);
    const matrix = buildMatrix(await snapshotOf(lab + more.join("")), everything);
    expect(matrix.tenantsLeftOut).toBe(22);
    expect(matrix.sheets[1]?.rows).toHaveLength(100);
  });
});

describe("two matrices", async () => {
  const snapshot = await snapshotOf(lab);
  const before = buildMatrix(snapshot, everything);

  test("differ in nothing from themselves", () => {
    expect(compareMatrices(before, buildMatrix(snapshot, everything))).toEqual([]);
  });

  test("differ in the cells alone that have another answer", () => {
    const changes = compareMatrices(before, buildMatrix(supposed(snapshot, "lhr=down"), everything));
    expect([...formatTables(changes.map((sheet) => textSheet(sheet, changeWords)))]).toEqual([
      "Lab, by place",
      "place    mail +1     both",
      "europe               cdg lhr -> cdg tyo",
      "london   lhr -> cdg  lhr cdg -> cdg tyo",
      "inside   lhr -> cdg  lhr cdg -> cdg tyo",
      "default              tyo lhr -> tyo cdg",
      "mail +1: mail, post",
      "",
      "Lab, by tenant, from everywhere",
      "tenant   share +1",
      "contoso  lhr -> cdg",
      "share +1: share, mx",
    ]);
  });

  test("differ in rows that one of them has alone", async () => {
    const next = await snapshotOf(lab.replace("  london:", "  oslo:"));
    const changes = compareMatrices(before, buildMatrix(next, { ...everything, services: ["mail"] }));
    const rows = changes.flatMap((sheet) => textSheet(sheet, changeWords).rows);
    expect(rows.find(({ name }) => name === "london")?.cells).toContain("lhr -> nothing");
    expect(rows.find(({ name }) => name === "oslo")?.cells).toContain("nothing -> lhr");
  });
});

describe("suppositions", () => {
  test.each([
    ["lhr", '"lhr" is no datacenter with a state, like lhr=down; states are up, draining and down'],
    ["lhr=dwon", '"lhr=dwon" is no datacenter with a state, like lhr=down; states are up, draining and down'],
    ["=down", '"=down" is no datacenter with a state, like lhr=down; states are up, draining and down'],
    ["lhr=down,", '"" is no datacenter with a state, like lhr=down; states are up, draining and down'],
  ])("%s is none", (text, message) => expect(parseSuppositions(text)).toBe(message));

  test("name datacenters as overrides do, and the last one counts", async () => {
    const snapshot = await snapshotOf(lab);
    expect([...supposed(snapshot, "*=down, Lab/lhr=up").states]).toEqual([
      ["Lab/cdg", "down"],
      ["Lab/tyo", "down"],
    ]);
    expect(suppose(snapshot.states, [{ target: "nyc", state: "down" }], datacentersOf(snapshot))).toBe(
      '"nyc" means no datacenter',
    );
  });
});

describe("text", () => {
  const sheet = {
    title: "a | b",
    corner: "place",
    columns: Array.from({ length: 9 }, (_, i) => [`service-number-${i}`]),
    rows: [{ name: "some-office", cells: Array.from({ length: 9 }, () => "lhr -> cdg") }],
  };

  test("fits a terminal: columns that do not fit come below, each with the names of the rows", () => {
    const lines = [...formatTables([sheet])];
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.startsWith("some-office"))).toHaveLength(3);
    for (const [heading] of sheet.columns) expect(lines.join("\n")).toContain(heading);
  });

  test("shows in Markdown what it says", () => {
    expect([
      ...formatMarkdown([
        { ...sheet, columns: [["a_b", "c"]], rows: [{ name: "x|y", cells: ["lhr -> cdg"] }] },
      ]),
    ]).toEqual(["## a \\| b", "", "| place | a\\_b, c |", "|---|---|", "| x\\|y | lhr → cdg |"]);
  });

  test("is CSV by RFC 4180", () => {
    expect(
      formatCsv([
        ["a", 'say "b"'],
        ["c,d", "e\r\nf"],
      ]),
    ).toBe('a,"say ""b"""\r\n"c,d","e\r\nf"\r\n');
  });
});

describe("the map", async () => {
  const world = buildWorld(1200);
  const snapshot = await snapshotOf(
    lab.replaceAll(
      "city: London, country: GB, coordinates: [51.51, -0.13] } }\n",
      `city: "<b>&'", country: GB, coordinates: [51.51, -0.13] } }\n`,
    ),
  );
  const matrix = buildMatrix(supposed(snapshot, "cdg=draining,tyo=down"), everything);
  const map = drawMap({ kind: "matrix", matrix }, world, "Who <gets> what");

  test("has the coastlines, and points where they are", () => {
    const { x, y } = world.pointOf([0, 0]);
    expect(x).toBeCloseTo(600);
    expect(y).toBeGreaterThan(250);
    expect(world.land.length).toBeGreaterThan(20_000);
    expect(world.greatCircle([35.68, 139.69], [37.77, -122.42]).match(/M/g)).toHaveLength(2);
  });

  test("shows places, datacenters, ways and states, and lets no name be markup", () => {
    expect(map).toContain("<title>Who &lt;gets&gt; what</title>");
    expect(map).toContain("london, &lt;b&gt;&amp;&#39;");
    expect(map).toContain("cdg draining</tspan>");
    expect(map).toContain('class="datacenter down"');
    expect(openTags(map)).toEqual([]);
  });

  test("is the same each time", () => {
    expect(drawMap({ kind: "matrix", matrix }, buildWorld(1200), "Who <gets> what")).toBe(map);
  });

  test("shows ways before and after where something differs", () => {
    const before = buildMatrix(snapshot, everything);
    const changes = compareMatrices(before, matrix);
    const drawn = drawMap({ kind: "changes", before, after: matrix, changes }, world, "changes");
    expect(drawn).toContain("default location to Lab/tyo, before: ");
    expect(drawn).toContain("default location to Lab/lhr: ");
  });

  test("is in a page that needs nothing else", () => {
    const page = formatPage({
      title: "a & b",
      remarks: ["cdg draining"],
      map,
      sheets: matrix.sheets.map((sheet) => textSheet(sheet, cellWords)),
    });
    expect(openTags(page.replace(/<!doctype html>|<meta [^>]*>|<br>/g, ""))).toEqual([]);
    expect(page).not.toMatch(/<script|<link|@import|url\(|(src|href)=/);
    expect(page).toContain("prefers-color-scheme: dark");
  });
});

/** Tags that are opened and not closed, in a document that closes all. */
function openTags(text: string): readonly string[] {
  const open: string[] = [];
  for (const [, end, name = "", closed] of text.matchAll(/<(\/?)([a-z0-9]+)[^>]*?(\/?)>/g)) {
    if (closed === "/") continue;
    if (end === "") open.push(name);
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}

test("each cell of the default lab is what explain says of the service's first name", {
  timeout: 30_000,
}, async () => {
  const loaded = await loadSnapshot(join(import.meta.dirname, "../../config/geodns365.yaml"), {
    stateFile: { kind: "none" },
  });
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  const snapshot = supposed(loaded.snapshot, "lhr=down,mnz=draining,geo:EUR=down");
  const { clouds, networks } = snapshot.configuration;
  let compared = 0;
  const scope = { ...everything, networks: ["london-office", "new-york-office", "seattle-vpn"] };
  for (const { cloud, columns, rows } of buildMatrix(snapshot, scope).sheets) {
    const services = clouds.find(({ name }) => name === cloud)?.services ?? [];
    for (const row of rows) {
      const from = networks.find(({ name }) => name === row.name)?.prefixes[0];
      for (const [i, column] of columns.entries()) {
        const template = services.find(({ name }) => name === column)?.links[0]?.owners[0];
        const qname = parseName(template?.text ?? "");
        if (row.kind !== "network" || from === undefined || typeof qname === "string") continue;
        const { decision } = explain(snapshot, { qname, qtype: TYPE.A, from, tenant: undefined });
        const cell = row.cells[i];
        expect(cell?.kind === "datacenters" ? [cell.ids, cell.reason] : cell?.kind).toEqual(
          decision === undefined ? "fixed" : [[decision.datacenter], decision.reason],
        );
        compared++;
      }
    }
  }
  expect(compared).toBeGreaterThan(30);
});

test("labels of forty places of the world do not cover each other", () => {
  const loaded = loadConfig(join(import.meta.dirname, "../../config/geodns365.yaml"));
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  const world = buildWorld(1200);
  const points = loaded.configuration.clouds
    .flatMap(({ datacenters }) => datacenters)
    .slice(0, 40)
    .map(({ place }) => world.pointOf(place.coordinates));
  const labels = points.map((at) => ({ at, width: 90, height: 14 }));
  const placed = placeLabels(labels, world);
  expect(overlapsOf(placed.map(({ x, y }) => ({ x, y, width: 90, height: 14 })))).toBeLessThan(90 * 14);
});

test("every label stands in the frame, wherever its mark is", () => {
  const frame = { width: 1200, height: 520 };
  const label = fc.record({
    at: fc.record({ x: fc.integer({ min: 0, max: 1200 }), y: fc.integer({ min: 0, max: 520 }) }),
    width: fc.integer({ min: 10, max: 160 }),
    height: fc.constant(14),
  });
  fc.assert(
    fc.property(fc.array(label, { maxLength: 12 }), (labels) => {
      for (const [i, { x, y }] of placeLabels(labels, frame).entries()) {
        const { width = 0, height = 0 } = labels[i] ?? {};
        expect(x).toBeGreaterThan(-1);
        expect(y).toBeGreaterThan(-1);
        expect(x + width).toBeLessThan(frame.width + 1);
        expect(y + height).toBeLessThan(frame.height + 1);
      }
    }),
  );
});

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Square pixels that two labels share, over all pairs. */
function overlapsOf(areas: readonly Area[]): number {
  let sum = 0;
  for (const [i, a] of areas.entries()) {
    for (const b of areas.slice(i + 1)) {
      const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
      const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
      sum += Math.max(0, width) * Math.max(0, height);
    }
  }
  return sum;
}

test("only the map knows of coastlines", () => {
  const main = readFileSync(join(import.meta.dirname, "../../src/cli/main.ts"), "utf8");
  expect(main).not.toMatch(/^import (?!type).*matrix/m);
});
