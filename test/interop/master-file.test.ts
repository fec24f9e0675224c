/** The corpus of master files before named-checkzone: the same are good and bad, and the good ones hold the same records. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";
import { writeFiles } from "../readme.ts";
import { badFiles, goodFiles, type MasterFileCase } from "../zone/master-files.ts";
import { root, run } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-checkzone-"));
afterAll(() => rmSync(folder, { recursive: true }));
/** README's files */
const readme = join(folder, "readme");
mkdirSync(readme);
writeFiles(readme);
let count = 0;

/** Writes the files of a case, and returns the folder they are in. */
function write({ text, files = {} }: MasterFileCase): string {
  const lab = join(folder, String(++count));
  mkdirSync(lab);
  for (const [name, content] of Object.entries({ ...files, "a.zone": text })) {
    writeFileSync(join(lab, name), Buffer.from(content, "latin1"));
  }
  return lab;
}

/** What a program says of a file: undefined where it refuses it. */
async function dumped(lab: string): Promise<string | undefined> {
  const args = [
    "-i",
    "local",
    "-w",
    lab,
    "-s",
    "full",
    "-D",
    "-q",
    "-o",
    "dump.zone",
    "example.test",
    "a.zone",
  ];
  try {
    await run("named-checkzone", args);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === 1) return undefined;
    throw error;
  }
  return "dump.zone";
}

/** The records that a file holds, without the marks of how it is written; undefined where it is refused. */
function held(lab: string, file: string): readonly string[] | undefined {
  const path = join(lab, `${file}.yaml`);
  writeFileSync(path, `geoip: { database: none }\nzones: [{ zone: example.test, file: ${file} }]\n`);
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") return undefined;
  const [zone] = zonesOfRecords(loaded.configuration.zones);
  return [...(zone?.nodes ?? [])]
    .flatMap(([, { rrsets }]) => [...rrsets.values()].flatMap(formatRRset))
    .toSorted();
}

describe("named-checkzone", () => {
  it.each(goodFiles)("takes $name", async (file) => {
    const lab = write(file);
    const dump = await dumped(lab);
    expect(dump).toBeDefined();
    const ours = held(lab, "a.zone");
    expect(ours).toBeDefined();
    expect(ours).toEqual(held(lab, dump ?? ""));
  });

  it.each(badFiles)("refuses $name", async (file) => {
    const lab = write(file);
    expect(await dumped(lab)).toBeUndefined();
    expect(held(lab, "a.zone")).toBeUndefined();
  });
});

/** A configuration, where it is seen from, and its zones of records. */
const exported = [
  ["config/geodns365.yaml", "sydney-office"],
  ["test/scenarios/fixtures/all-down.yaml", "192.0.2.0/24"],
  ["test/scenarios/fixtures/cuts.yaml", "192.0.2.0/24"],
  ["test/scenarios/fixtures/master-file.yaml", "10.1.1.0/25"],
  ["test/scenarios/fixtures/plain-zone.yaml", "192.0.2.0/24"],
  ["test/scenarios/fixtures/tailored.yaml", "london-office"],
  ["test/scenarios/fixtures/tailored.yaml", "2001:db8:101:100::/56"],
  ["README's plain.yaml", "osaka"],
  ["README's plain.yaml", "10.1.1.0/24"],
  ["README's office.yaml", "192.0.2.0/24"],
  ["README's shop.yaml", "east"],
].flatMap(([config = "", from = ""]) => {
  const path = join(config.startsWith("README") ? readme : root, config.replace("README's ", ""));
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return zonesOfRecords(loaded.configuration.zones).map(({ apex }) => ({ config, path, from, zone: apex }));
});

describe("geodns365 zone", () => {
  const program = join(root, "src/cli/geodns365.js");

  it.each(exported)("prints $zone of $config from $from so that named-checkzone takes it", async (row) => {
    const { path, from, zone } = row;
    const printed = await run(process.execPath, [program, "zone", zone, "--from", from, "--config", path]);
    const file = join(folder, "printed.zone");
    writeFileSync(file, printed);
    expect(await run("named-checkzone", ["-i", "local", zone, file])).toMatch(/OK\n$/);
  });
});
