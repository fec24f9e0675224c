// Made-up tenants: all different, and the same each time.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "dns-packet";
import { expect, onTestFinished, test } from "vitest";
import { tenantOwner, tenantQueries, writeTenantLab } from "../../bench/tenant-lab.ts";
import { tenantLabel } from "../../bench/tenants.ts";

const namesOf = (tenants: number, queries: number, seed: number): readonly string[] =>
  [...tenantQueries(tenants, queries, seed)].map((octets) => decode(octets).questions?.[0]?.name ?? "");

test("no two tenants have one name", () => {
  const names = Array.from({ length: 20_000 }, (_, i) => tenantLabel(i));
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z0-9]{7,18}$/.test(name))).toEqual([]);
});

test("queries are for tenants that there are, all over them", () => {
  const owners = new Set(Array.from({ length: 100 }, (_, i) => tenantOwner(i)));
  const asked = new Set(namesOf(100, 2000, 1));
  expect(asked).toEqual(owners);
});

test("one seed draws the same queries again, another others", () => {
  expect(namesOf(1000, 50, 1)).toEqual(namesOf(1000, 50, 1));
  expect(namesOf(1000, 50, 1)).not.toEqual(namesOf(1000, 50, 2));
});

test("the files have a line for each tenant", () => {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-tenant-lab-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { zoneFile, tenantsFile } = writeTenantLab(folder, 3);
  const firstWords = (text: string, separator: string): readonly (string | undefined)[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split(separator)[0]);
  const tenants = [0, 1, 2].map(tenantLabel);
  expect(firstWords(readFileSync(zoneFile, "utf8"), " ").slice(-3)).toEqual(tenants);
  expect(readFileSync(tenantsFile, "utf8")).toBe(`tenantFiles: [${join(folder, "tenants.csv")}]\n`);
  expect(firstWords(readFileSync(join(folder, "tenants.csv"), "utf8"), ",")).toEqual(["tenant", ...tenants]);
});
