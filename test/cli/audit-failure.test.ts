// audit where a table has a fault: the counterexample in words, and exit code 1.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { overlayTables } from "../../src/geo/family-tables.ts";
import type { LoadedSnapshot } from "../../src/load-snapshot.ts";
import { shop } from "../audit/labs.ts";
import { prefix } from "../geo/prefixes.ts";
import { call } from "./program.ts";

// What is loaded has 11.0.0.0/8 in the class of 10.0.0.0/8, which no configuration can bring about.
vi.mock(import("../../src/load-snapshot.ts"), async (original) => {
  const { loadSnapshot } = await original();
  return {
    loadSnapshot: async (path): Promise<LoadedSnapshot> => {
      const loaded = await loadSnapshot(path);
      if (loaded.kind === "errors") return loaded;
      const candidates = [...loaded.snapshot.candidates].map(([service, { table, lists }]) => {
        const faulty = overlayTables(table, [{ prefix: prefix("11.0.0.0/8"), value: 1 }]);
        return [service, { lists, table: { ...table, ...faulty } }] as const;
      });
      return { ...loaded, snapshot: { ...loaded.snapshot, candidates: new Map(candidates) } };
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), "geodns365-audit-failure-"));
afterAll(() => rmSync(folder, { recursive: true }));
const config = join(folder, "shop.yaml");
writeFileSync(config, shop());

test("the proofs that fail say by what, those that hold hold", async () => {
  const { code, stdout } = await call([
    ...["audit", "www.shop.example"],
    ...["--family", "4", "--config", config],
  ]);
  expect(code).toBe(1);
  expect(stdout.split("\n").slice(-8)).toEqual([
    "  holds  the scopes are disjoint and cover IPv4: 8 cells, 2 of them asked for in full",
    "  FAILS  lists share a scope: 1 time",
    "         10.0.0.0/7 is the scope of Shop/tyo > chi, and 11.0.0.0/8 in it should have Shop/chi > tyo",
    "  holds  no scope can be wider: 8 of 8 siblings hold another list",
    "  FAILS  a cache serves wrong answers: 2 times",
    "         11.0.0.0/32 should have Shop/chi > tyo, and is served Shop/tyo > chi",
    "         11.255.255.255/32 should have Shop/chi > tyo, and is served Shop/tyo > chi",
    "",
  ]);
});

test("of all names the row fails, and the counterexample follows", async () => {
  const { code, stdout } = await call(["audit", "--family", "4", "--config", config]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^IPv4 .* holds {2}mail\.shop\.example\.$/m);
  expect(stdout).toMatch(/^IPv4 .* FAILS {2}Shop web: www\.shop\.example\.$/m);
  expect(stdout).toContain(
    "\nwww.shop.example. IPv4:\n  FAILS  lists share a scope: 1 time\n         10.0.0.0/7 is the scope of Shop/tyo > chi, and ",
  );
});

test("as JSON", async () => {
  const { code, stdout } = await call([
    ...["audit", "www.shop.example", "--json"],
    ...["--family", "4", "--config", config],
  ]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout).families[0].proof).toMatchObject({
    holds: false,
    found: { "shared-scope": 1, cache: 2 },
  });
});
