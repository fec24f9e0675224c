/** The arrows of README's table: imports go one way, without cycles, and each package has one door. */

import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const source = join(import.meta.dirname, "../src");
const files = globSync("**/*.{ts,js}", { cwd: source }).toSorted();

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(source, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, to = ""]) => ({ from: file, to }));
});

const inner: readonly Import[] = imports
  .filter(({ to }) => to.startsWith("."))
  .map(({ from, to }) => ({ from, to: normalize(join(dirname(from), to)) }));

/** What each folder or file may import, beside itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "ip.ts": [],
  dns: ["ip.ts"],
  geo: ["ip.ts"],
  zone: ["dns"],
  state: ["zone", "cloud", "dns"],
  script: ["zone", "dns"],
  cloud: ["geo", "dns", "ip.ts"],
  health: ["cloud"],
  config: ["health", "zone", "cloud", "geo", "dns", "ip.ts"],
  "snapshot.ts": ["config", "cloud", "zone", "geo", "ip.ts"],
  "watch.ts": [],
  "one-at-a-time.ts": [],
  "load-geoip.ts": ["config", "geo", "watch.ts"],
  "load-snapshot.ts": ["load-geoip.ts", "snapshot.ts", "config", "state", "cloud", "zone", "geo", "watch.ts"],
  "load-handlers.ts": ["snapshot.ts", "config", "script", "zone"],
  "vantage.ts": ["config", "ip.ts"],
  "pointing.ts": ["config", "dns", "zone"],
  "resolver-config.ts": ["dns", "ip.ts"],
  "trace.ts": ["snapshot.ts", "vantage.ts", "zone", "cloud", "dns", "ip.ts"],
  "reasons.ts": ["trace.ts", "cloud", "geo"],
  "resolve.ts": ["reasons.ts", "trace.ts", "snapshot.ts", "zone", "cloud", "dns"],
  "export.ts": ["resolve.ts", "trace.ts", "snapshot.ts", "config", "zone", "cloud", "dns"],
  audit: ["resolve.ts", "trace.ts", "snapshot.ts", "zone", "cloud", "geo", "dns", "ip.ts"],
  domains: ["config", "cloud", "transport", "dns", "ip.ts"],
  endpoints: ["config", "zone", "cloud", "dns", "ip.ts"],
  matrix: ["resolve.ts", "trace.ts", "snapshot.ts", "config", "cloud", "geo", "dns", "ip.ts"],
  lint: ["audit", "snapshot.ts", "config", "zone", "cloud", "geo", "dns", "ip.ts"],
  "locate.ts": ["snapshot.ts", "cloud", "geo", "ip.ts"],
  "chaos.ts": ["resolve.ts", "trace.ts", "snapshot.ts", "dns"],
  "scripted.ts": ["resolve.ts", "trace.ts", "script", "zone", "dns"],
  "in-band.ts": ["reasons.ts", "resolve.ts", "trace.ts", "snapshot.ts", "zone", "geo", "dns", "ip.ts"],
  "answer.ts": [
    "chaos.ts",
    "in-band.ts",
    "resolve.ts",
    "scripted.ts",
    "trace.ts",
    "snapshot.ts",
    "script",
    "zone",
    "dns",
    "ip.ts",
  ],
  "tried.ts": ["snapshot.ts", "cloud", "geo", "ip.ts"],
  "what-if.ts": ["snapshot.ts", "config", "cloud"],
  "explain.ts": [
    "tried.ts",
    "what-if.ts",
    "reasons.ts",
    "answer.ts",
    "resolve.ts",
    "trace.ts",
    "snapshot.ts",
    "vantage.ts",
    "config",
    "zone",
    "cloud",
    "geo",
    "dns",
    "ip.ts",
  ],
  "log.ts": ["trace.ts", "cloud", "geo", "dns", "ip.ts"],
  transport: ["trace.ts", "dns", "ip.ts"],
  admin: ["explain.ts", "locate.ts", "zone", "cloud", "geo", "dns", "ip.ts"],
  "clock.ts": ["admin"],
  "garbage.ts": [],
  "tenant-classes.ts": ["snapshot.ts", "cloud"],
  plane: [
    "cloud",
    "clock.ts",
    "garbage.ts",
    "query-counts.ts",
    "query-records.ts",
    "trace.ts",
    "transport",
    "geo",
    "dns",
    "ip.ts",
  ],
  "query-records.ts": ["dns"],
  "query-counts.ts": ["trace.ts", "cloud", "geo", "dns"],
  "reload-counts.ts": [],
  "metrics.ts": ["query-counts.ts", "reload-counts.ts", "transport", "cloud"],
  "observer.ts": ["answer-cache.ts", "query-counts.ts", "query-ring.ts", "journal.ts", "trace.ts", "geo"],
  "query-ring.ts": ["admin", "query-records.ts", "trace.ts", "geo", "dns", "ip.ts"],
  "journal.ts": ["admin", "query-ring.ts", "geo"],
  "diff.ts": ["config", "cloud", "zone"],
  "control.ts": ["admin", "diff.ts", "what-if.ts", "script", "snapshot.ts", "config", "cloud"],
  "from.ts": ["snapshot.ts", "config", "ip.ts"],
  scenario: [
    "answer.ts",
    "clock.ts",
    "control.ts",
    "snapshot.ts",
    "trace.ts",
    "vantage.ts",
    "transport",
    "config",
    "cloud",
    "zone",
    "geo",
    "dns",
    "ip.ts",
  ],
  "server-control.ts": [
    "control.ts",
    "admin",
    "explain.ts",
    "what-if.ts",
    "from.ts",
    "locate.ts",
    "journal.ts",
    "query-ring.ts",
    "metrics.ts",
    "clock.ts",
    "config",
    "cloud",
    "zone",
    "dns",
  ],
  "running.ts": [
    "server.ts",
    "server-control.ts",
    "control.ts",
    "admin",
    "observer.ts",
    "plane",
    "metrics.ts",
    "reload-counts.ts",
    "clock.ts",
    "health",
    "load-snapshot.ts",
    "load-handlers.ts",
    "script",
    "state",
    "snapshot.ts",
    "trace.ts",
    "vantage.ts",
    "watch.ts",
    "one-at-a-time.ts",
    "config",
    "cloud",
    "ip.ts",
  ],
  "first-run": [
    "running.ts",
    "scenario",
    "admin",
    "explain.ts",
    "snapshot.ts",
    "transport",
    "config",
    "geo",
    "dns",
    "ip.ts",
  ],
  "answer-cache.ts": [
    "answer.ts",
    "tenant-classes.ts",
    "config",
    "zone",
    "clock.ts",
    "plane",
    "query-counts.ts",
    "query-ring.ts",
    "trace.ts",
    "snapshot.ts",
    "cloud",
    "geo",
    "dns",
    "ip.ts",
  ],
  "server.ts": [
    "plane",
    "clock.ts",
    "answer-cache.ts",
    "answer.ts",
    "trace.ts",
    "snapshot.ts",
    "vantage.ts",
    "script",
    "transport",
    "config",
    "cloud",
    "ip.ts",
  ],
};

const partOf = (file: string): string => file.split("/", 1)[0] ?? file;

describe("imports", () => {
  it("have a rule for each part", () => {
    const parts = new Set(files.map(partOf));
    expect([...parts].filter((part) => part !== "cli" && !(part in mayImport))).toEqual([]);
  });

  it("go one way", () => {
    const wrong = inner.filter(({ from, to }) => {
      const [a, b] = [partOf(from), partOf(to)];
      return a !== b && a !== "cli" && !mayImport[a]?.includes(b);
    });
    expect(wrong).toEqual([]);
  });

  it("have no cycles", () => {
    const targets = Map.groupBy(inner, ({ from }) => from);
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`a cycle: ${[...path, file].join(" -> ")}`);
      if (done.has(file)) return;
      for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(done.size).toBe(files.length);
  });

  it("take each package through one door", () => {
    const packages = imports.filter(({ to }) => !to.startsWith(".") && !to.startsWith("node:"));
    const doors = Map.groupBy(packages, ({ to }) => to);
    const several = [...doors].filter(([, importers]) => new Set(importers.map(({ from }) => from)).size > 1);
    expect(
      several.map(([name, importers]) => `${name}: ${importers.map(({ from }) => from).join(", ")}`),
    ).toEqual([]);
    expect(doors.size).toBeGreaterThan(5);
  });
});
