// `nearness` of a service comes key by key before that of its cloud, and tables are shared wherever they can be.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { byDistance } from "../../src/geo/nearness.ts";
import { buildSnapshot } from "../../src/snapshot.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-nearness-"));
afterAll(() => rmSync(folder, { recursive: true }));

const service = (name: string, nearness = "", policy = "nearest-datacenter"): string =>
  `  ${name}: { policy: ${policy}, names: [${name}.lab.example], ttl: 60, chain: [{ name: "{datacenter}.${name}.lab.example", ttl: 60 }], addresses: { slice: ${slice++}, count: 1 }${nearness} }\n`;
let slice = 0;

const text = `geoip: { database: none }
---
cloud: Lab
zones: [lab.example]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51, 0], addresses: [198.18.1.0/24] }
  cdg: { city: Paris, country: FR, coordinates: [49, 2], addresses: [198.18.2.0/24] }
nearness: { bias: { lhr: 5 }, candidates: 2, spread: { over: 2 } }
services:
${service("plain")}${service("cut", ", nearness: { candidates: 1 }")}${service("biased", ", nearness: { bias: { cdg: 7 } }")}${service("apart", ", nearness: { spread: { over: 1 } }")}---
cloud: Other
zones: [other.example]
datacenters:
  osl: { city: Oslo, country: "NO", coordinates: [60, 11], addresses: [198.18.9.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.other.example], ttl: 300, addresses: { slice: 0, count: 2 } }
`;

const path = join(folder, "lab.yaml");
writeFileSync(path, text);
const loaded = loadConfig(path);
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const { configuration } = loaded;
const [lab, other] = configuration.clouds;
const found = new Map((lab?.services ?? []).map((each) => [each.name, each]));

test("a key of a service takes the place of its cloud's, and the other keys stay", () => {
  const told = [...found.values()].map(({ name, nearness: { bias, maxCandidates }, spread }) => [
    name,
    Object.fromEntries(bias),
    maxCandidates,
    spread?.over,
  ]);
  expect(told).toEqual([
    ["plain", { "Lab/lhr": 5 }, 2, 2],
    ["cut", { "Lab/lhr": 5 }, 1, 2],
    ["biased", { "Lab/cdg": 7 }, 2, 2],
    ["apart", { "Lab/lhr": 5 }, 2, 1],
  ]);
});

test("a cloud that says nothing goes by distance", () => {
  expect(other?.services.map(({ nearness, spread }) => [nearness, spread])).toEqual([
    [byDistance, undefined],
  ]);
});

test("services of one order share their tables, however they spread their clients", () => {
  const { candidates } = buildSnapshot(configuration, undefined);
  const tablesOf = (name: string) => candidates.get(found.get(name) ?? expect.fail(name));
  expect(tablesOf("apart")).toBe(tablesOf("plain"));
  expect(tablesOf("cut")).not.toBe(tablesOf("plain"));
});
