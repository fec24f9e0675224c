import type * as fs from "node:fs";
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { loadGeoip } from "../src/load-geoip.ts";
import { versionOf } from "../src/watch.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";

/** Runs right after a file was read, as if another program wrote to it at that time. */
let afterRead: () => void = () => {};
afterEach(() => {
  afterRead = () => {};
});
vi.mock("node:fs", async (importActual) => {
  const actual = await importActual<typeof fs>();
  return {
    ...actual,
    readFileSync: (file: number) => {
      const octets = actual.readFileSync(file);
      afterRead();
      return octets;
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), "geodns365-load-geoip-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "places.mmdb");
const place = { file: "lab.yaml", line: 1, column: 20 };
const load = (at: string) => loadGeoip({ kind: "file", path: at, place, sourceLine: "" }, ["lab.yaml"]);
const messageOf = (at: string): string | undefined => {
  const loaded = load(at);
  return loaded.kind === "error" ? loaded.error.message : undefined;
};

const sound = writeMmdb({ "192.0.2.0/24": { country_code: "DE" } });

test("a sound file comes with the version that was read", () => {
  writeFileSync(path, sound);
  const version = versionOf(statSync(path, { bigint: true }));
  expect(load(path)).toMatchObject({
    kind: "loaded",
    database: { databaseType: "Test" },
    files: [{ path, version }],
  });
});

test.each<readonly [name: string, change: () => void]>([
  ["longer", () => appendFileSync(path, sound)],
  ["shorter", () => writeFileSync(path, sound.subarray(0, 100))],
])("a file that is %s after it was read is not used, sound as it looks", (_name, change) => {
  writeFileSync(path, sound);
  afterRead = change;
  expect(messageOf(path)).toBe(`"${path}" cannot be read: it is being written; try again when it is whole`);
});

test("what is no file is told, and not waited for", () => {
  expect(messageOf("/dev/zero")).toBe('"/dev/zero" cannot be read: it is no file');
  expect(messageOf(folder)).toBe(`"${folder}" cannot be read: it is a folder; name the .mmdb file in it`);
  expect(messageOf(join(path, "inside"))).toMatch(/cannot be read: /);
});
