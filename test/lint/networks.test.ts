// A network is useless exactly where an audit finds that nothing moves without it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { diffAnswers } from "../../src/audit/diff.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Origins } from "../../src/config/origins.ts";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { openGeoip } from "../../src/geo/geoip.ts";
import { lint } from "../../src/lint/lint.ts";
import { buildSnapshot, type Snapshot } from "../../src/snapshot.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-lint-networks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const geoip = openGeoip(
  writeMmdb({
    "10.0.0.0/10": { country_code: "GB" },
    "10.64.0.0/10": { country_code: "FR" },
    "10.128.0.0/9": { country_code: "JP" },
  }),
);

const cities = {
  London: "city: London, country: GB, coordinates: [51.51, -0.13]",
  Paris: "city: Paris, country: FR, coordinates: [48.86, 2.35]",
  Tokyo: "city: Tokyo, country: JP, coordinates: [35.68, 139.69]",
} as const;

const labOf = (
  networks: readonly (readonly [prefix: string, city: keyof typeof cities])[],
): string => `geoip: { database: none }
defaultLocation: { ${cities.Tokyo} }
---
countries:
  GB: { continent: EU, city: London, coordinates: [51.51, -0.13] }
  FR: { continent: EU, city: Paris, coordinates: [48.86, 2.35] }
  JP: { continent: AS, city: Tokyo, coordinates: [35.68, 139.69] }
---
networks:
  far: { prefixes: [192.0.2.0/24], place: { ${cities.London} } }
${networks.map(([prefix, city], i) => `  n${i}: { prefixes: [${prefix}], place: { ${cities[city]} } }\n`).join("")}---
cloud: Lab
zones: [lab.example]
tailored: { lab.example: { by-country: { countries: { FR: [A 192.0.2.7] }, networks: { 10.96.0.0/12: [A 192.0.2.8] }, default: [A 192.0.2.9] } } }
nearness: { networks: { 10.32.0.0/11: [tyo] } }
datacenters:
  lhr: { ${cities.London}, roles: [front-end], addresses: [198.18.1.0/24] }
  tyo: { ${cities.Tokyo}, roles: [front-end], addresses: [198.18.2.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.lab.example], ttl: 60, addresses: { slice: 0, count: 1 } }
`;

function snapshotOf(text: string): { readonly snapshot: Snapshot; readonly origins: Origins } {
  const path = join(folder, "lab.yaml");
  writeFileSync(path, text);
  const loaded = loadConfig(path, { keepOrigins: true });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  const { origins } = loaded;
  if (origins === undefined) throw new Error("nothing is known of its places");
  return { snapshot: buildSnapshot(loaded.configuration, geoip), origins };
}

function movesAnything(before: Snapshot, after: Snapshot): boolean {
  return ["mail.lab.example.", "by-country.lab.example."].some((name) => {
    const question = { qname: nameOctets(nameOf(name)), qtype: TYPE.A, qclass: CLASS.IN };
    return diffAnswers(before, after, question, { families: [4] }).some(({ moves }) => moves.length > 0);
  });
}

const prefix = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 8, max: 12 }))
  .map(([sixteenth, length]) => `10.${((sixteenth * 16) >> (16 - length)) << (16 - length)}.0.0/${length}`);
const city = fc.constantFrom<keyof typeof cities>("London", "Paris", "Tokyo");

test("useless are the networks without which nothing moves, and no others", () => {
  let useless = 0;
  const networks = fc.uniqueArray(fc.tuple(prefix, city), { maxLength: 6, selector: ([text]) => text });
  fc.assert(
    fc.property(networks, (all) => {
      const { snapshot, origins } = snapshotOf(labOf(all));
      const report = lint(snapshot, { origins, geoip }, new Set());
      const told = new Set(
        report.warnings.flatMap(({ rule, message }) => {
          const name = / (n\d)\b/.exec(message)?.[1];
          return (rule === "network-useless" || rule === "network-shadowed") && name !== undefined
            ? name
            : [];
        }),
      );
      const { configuration } = snapshot;
      for (const { name } of configuration.networks.filter((network) => network.name !== "far")) {
        const without = configuration.networks.filter((network) => network.name !== name);
        const after = buildSnapshot({ ...configuration, networks: without }, geoip);
        expect([name, told.has(name)]).toEqual([name, !movesAnything(snapshot, after)]);
        if (told.has(name)) useless++;
      }
    }),
    { numRuns: 60 },
  );
  expect(useless).toBeGreaterThan(0);
});
