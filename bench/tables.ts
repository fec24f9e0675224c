/** `npm run bench:tables`: how long the prefix tables take to build from the embedded GeoIP database, and how large they are. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../src/config/load.ts";
import { buildCandidateTable } from "../src/geo/candidate-table.ts";
import type { Candidate } from "../src/geo/distance.ts";
import type { FamilyTables } from "../src/geo/family-tables.ts";
import { findEmbeddedDatabase, openGeoip } from "../src/geo/geoip.ts";
import { buildLocationTable } from "../src/geo/location-table.ts";
import { describeMachine, spread } from "./report.ts";

const SET_COUNTS = [1, 5];
const RUNS = 7;
const CANDIDATES_PER_SET = 20;
const headings = ["sets", "open ms", "locate ms", "order ms", "in all ms, min-max", "   ranges", "   MB"];

/** What one build takes. */
interface Build {
  /** the database read and checked, and its tree walked */
  readonly openMilliseconds: number;
  /** where every address is */
  readonly locateMilliseconds: number;
  /** which candidates are near to it, set by set */
  readonly orderMilliseconds: number;
  readonly ranges: number;
  /** of all tables that stay */
  readonly megabytes: number;
}

const [setCount] = process.argv.slice(2);
if (setCount === undefined) report();
else console.log(JSON.stringify(build(Number(setCount))));

/** Each build has a process of its own, since at start no code is warm. */
function report(): void {
  console.log(describeMachine());
  console.log(headings.join("  "));
  for (const sets of SET_COUNTS) {
    const builds = Array.from({ length: RUNS }, () => buildApart(sets));
    const median = (value: (each: Build) => number): number => spread(builds.map(value)).median;
    const inAll = spread(
      builds.map((each) => each.openMilliseconds + each.locateMilliseconds + each.orderMilliseconds),
    );
    const cells = [
      String(sets),
      median((each) => each.openMilliseconds).toFixed(0),
      median((each) => each.locateMilliseconds).toFixed(0),
      median((each) => each.orderMilliseconds).toFixed(0),
      `${inAll.median.toFixed(0)}, ${inAll.min.toFixed(0)}-${inAll.max.toFixed(0)}`,
      median((each) => each.ranges).toLocaleString("en"),
      median((each) => each.megabytes).toFixed(1),
    ];
    console.log(cells.map((cell, i) => cell.padStart(headings[i]?.length ?? 0)).join("  "));
  }
}

function buildApart(sets: number): Build {
  const printed = execFileSync(process.execPath, [import.meta.filename, String(sets)], { encoding: "utf8" });
  const build: Build = JSON.parse(printed);
  return build;
}

function build(sets: number): Build {
  const path = findEmbeddedDatabase();
  if (path === undefined) throw new Error("the embedded database is not installed; run npm ci");
  const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  const { networks, countries, settings } = loaded.configuration;
  const candidates = madeUpSets([...countries.keys()], sets).map((codes) =>
    codes.flatMap((id): readonly Candidate[] => {
      const country = countries.get(id);
      return country === undefined ? [] : [{ id, coordinates: country.place.coordinates }];
    }),
  );
  const start = performance.now();
  const geoip = openGeoip(readFileSync(path));
  const opened = performance.now();
  const locations = buildLocationTable({
    networks: networks.flatMap(({ name, prefixes, place }) =>
      prefixes.map((prefix) => ({ name, prefix, place })),
    ),
    geoip,
    findCountry: (code) => countries.get(code),
    defaultPlace: settings.defaultPlace,
  });
  const located = performance.now();
  const tables: readonly FamilyTables[] = [
    locations,
    ...candidates.map((each) => buildCandidateTable(locations, each)),
  ];
  const ordered = performance.now();
  const parts = tables.flatMap(({ family4, family6 }) => [family4, family6]);
  const octets = parts.reduce((sum, { starts, values }) => sum + starts.byteLength + values.byteLength, 0);
  return {
    openMilliseconds: opened - start,
    locateMilliseconds: located - opened,
    orderMilliseconds: ordered - located,
    ranges: parts.reduce((sum, { rangeCount }) => sum + rangeCount, 0),
    megabytes: octets / 1e6,
  };
}

/** Sets without a candidate in common: each takes countries at even steps through the alphabet, beginning one later. */
function madeUpSets(codes: readonly string[], count: number): readonly (readonly string[])[] {
  const step = Math.floor(codes.length / CANDIDATES_PER_SET);
  return Array.from({ length: count }, (_, set) =>
    Array.from({ length: CANDIDATES_PER_SET }, (_each, i) => codes[i * step + (set % step)] ?? ""),
  );
}
