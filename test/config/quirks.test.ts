/** Which quirks are in force for which zones, and that a reload tells of them. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Configuration } from "../../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { diffConfigurations } from "../../src/diff.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-quirks-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two clouds that share a zone; one of them has a zone with a quirk. */
function load(settings = ""): Configuration {
  const cloud = (name: string, pool: number, zones: string): string => `cloud: ${name}
zones: [${zones}]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.51, -0.13], addresses: [198.18.${pool}.0/24] }
services:
  web: { policy: nearest-datacenter, names: [www.${name}.example], ttl: 60, addresses: { slice: 0, count: 1 } }
`;
  const own =
    "a.example, { zone: odd.example, quirks: [edns-formerr] }, { zone: both.example, shared: true }";
  const other = "b.example, { zone: both.example, shared: true, quirks: [underscore-formerr] }";
  const documents = [settings, cloud("a", 1, own), cloud("b", 2, other)].filter((text) => text !== "");
  const path = join(folder, "lab.yaml");
  writeFileSync(path, documents.join("---\n"));
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return loaded.configuration;
}

const told = ({ quirks }: Configuration): readonly string[] =>
  [...quirks].map(([apex, its]) => `${apex} ${[...its].join(" ")}`);

test.each([
  ["as the clouds say", "", ["odd.example. edns-formerr", "both.example. underscore-formerr"]],
  [
    "with more of them by the settings",
    "clouds: { a: { quirks: { a.example: [new-types-notimp] } } }\n",
    ["a.example. new-types-notimp", "odd.example. edns-formerr", "both.example. underscore-formerr"],
  ],
  [
    "with others in their place",
    "clouds: { a: { quirks: { odd.example: [new-types-notimp] } } }\n",
    ["odd.example. new-types-notimp", "both.example. underscore-formerr"],
  ],
  [
    "of a shared zone all that its clouds are given",
    "clouds: { a: { quirks: { both.example: [edns-formerr] } } }\n",
    ["odd.example. edns-formerr", "both.example. edns-formerr underscore-formerr"],
  ],
  [
    "without any",
    "clouds: { a: { quirks: { odd.example: [] } }, b: { quirks: { both.example: [] } } }\n",
    [],
  ],
])("%s", (_, settings, expected) => {
  expect(told(load(settings))).toEqual(expected);
});

test("a reload that changes quirks alone says which zone is other", () => {
  const next = load("clouds: { a: { quirks: { odd.example: [] } } }\n");
  expect(diffConfigurations(load(), next)).toEqual(["zone odd.example. has changed"]);
  expect(diffConfigurations(load(), load())).toEqual([]);
});
