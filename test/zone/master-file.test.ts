/** Master files as a configuration reads them: what they hold, and every fault with its place. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, it, test, vi } from "vitest";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { type ConfigError, formatPlace } from "../../src/config/yaml-document.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { parseRecordLine } from "../../src/dns/record-line.ts";
import { readMasterFile } from "../../src/zone/master-file.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";
import { apex, badFiles, goodFiles } from "./master-files.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-master-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

/** Loads a zone from a master file, in a folder of its own. */
function load(text: string, files: Readonly<Record<string, string>> = {}, more = "") {
  const lab = join(folder, String(++count));
  mkdirSync(lab);
  for (const [name, content] of Object.entries({ ...files, "a.zone": text })) {
    writeFileSync(join(lab, name), Buffer.from(content, "latin1"));
  }
  const path = join(lab, "lab.yaml");
  writeFileSync(path, `geoip: { database: none }\nzones: [{ zone: example.test, file: a.zone }]\n${more}`);
  return { lab, loaded: loadConfig(path) };
}

/** `line:column: message`, with the file in front unless it is the first master file. */
const told = (lab: string, { place, message }: ConfigError): string =>
  `${formatPlace({ ...place, file: relative(lab, place.file) })}: ${message.replaceAll(lab, "LAB")}`
    .replace(/^.*a\.zone:/, "")
    .replace(/^.*\/(?=[^/]*\.(?:zone|yaml):)/, "");

function recordsOf(loaded: ReturnType<typeof loadConfig>): readonly string[] {
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const [zone] = zonesOfRecords(loaded.configuration.zones);
  return [...(zone?.nodes ?? [])].flatMap(([, { rrsets }]) => [...rrsets.values()].flatMap(formatRRset));
}

const normalized = (line: string): string => {
  const rrset = parseRecordLine(line, nameOctets(nameOf("example.test")), 60);
  if (typeof rrset === "string") throw new Error(`${line}: ${rrset}`);
  return formatRRset(rrset).join();
};

const apexRecords = ["@ SOA ns hostmaster 1 2 3 4 5", "@ NS ns", "ns A 192.0.2.53"].map(normalized);

describe("a good file", () => {
  test.each(goodFiles)("$name", ({ text, files, records, warnings = [] }) => {
    const { lab, loaded } = load(text, files);
    const held = recordsOf(loaded).filter(
      (line) => !/^(?:example|ns\.example)\.test\. \d+ (?:SOA|NS|A 192\.0\.2\.53)/.test(line),
    );
    expect(held.toSorted()).toEqual(records.map(normalized).toSorted());
    if (loaded.kind === "loaded")
      expect(loaded.warnings.map((warning) => told(lab, warning))).toEqual(warnings);
  });

  it("keeps its apex", () => {
    expect(recordsOf(load(apex).loaded).toSorted()).toEqual(apexRecords.toSorted());
  });
});

describe("a bad file", () => {
  test.each(badFiles)("$name", ({ text, files, errors }) => {
    const { lab, loaded } = load(text, files);
    expect(loaded.kind === "errors" ? loaded.errors.map((error) => told(lab, error)) : []).toEqual(errors);
  });
});

describe("a master file in a configuration", () => {
  it("has records of YAML beside it, and clashes with them at its own place", () => {
    const beside = 'records: { example.test: ["v 60 A 192.0.2.9"] }\n';
    const held = recordsOf(load(`${apex}w A 192.0.2.1\n`, {}, beside).loaded);
    expect(held).toContain("v.example.test. 60 A 192.0.2.9");
    expect(held).toContain("w.example.test. 60 A 192.0.2.1");
    const { lab, loaded } = load(`${apex}v CNAME w\n`, {}, beside);
    expect(loaded.kind === "errors" && loaded.errors.map((error) => told(lab, error))).toEqual([
      "5:1: v.example.test. would have a CNAME beside other records (RFC 2181 §10.1)",
    ]);
  });

  it("may have its SOA and NS there", () => {
    const beside = 'records: { example.test: ["@ SOA ns h 7 2 3 4 5", "@ NS ns", "ns A 192.0.2.53"] }\n';
    expect(load("$TTL 60\nw A 192.0.2.1\n", {}, beside).loaded.kind).toBe("loaded");
  });

  it("must be there", () => {
    const path = join(folder, "nosuch.yaml");
    writeFileSync(path, "zones: [{ zone: example.test, file: nosuch.zone }]\n");
    const loaded = loadConfig(path);
    expect(loaded.kind === "errors" && loaded.errors.map((error) => told(folder, error))).toEqual([
      'nosuch.yaml:1:37: "nosuch.zone" cannot be read: there is no such file',
    ]);
  });

  it.each([
    ["by dots", "../outside.zone"],
    ["by its path", join(folder, "outside.zone")],
    ["by a link", "link.zone"],
  ])("includes nothing from outside the folder of the configuration: %s", (_, path) => {
    writeFileSync(join(folder, "outside.zone"), "w A 192.0.2.1\n");
    const next = join(folder, String(count + 1));
    const { lab, loaded } = load(`${apex}$INCLUDE ${path}\n`);
    expect(lab).toBe(next);
    symlinkSync(join(folder, "outside.zone"), join(lab, "link.zone"));
    const again = loadConfig(join(lab, "lab.yaml"));
    const last = path === "link.zone" ? again : loaded;
    expect(last.kind === "errors" && last.errors.map((error) => told(lab, error))).toEqual([
      `5:10: "${path.replace(folder, folder)}" lies outside the folder of the configuration, LAB`.replace(
        /"(.{60}).+" lies/,
        '"$1..." lies',
      ),
    ]);
  });

  it("may lie in a folder below, and include what lies beside it", () => {
    const { lab } = load(apex);
    mkdirSync(join(lab, "zones"));
    writeFileSync(join(lab, "zones/b.zone"), `${apex}$INCLUDE c.zone\n`);
    writeFileSync(join(lab, "zones/c.zone"), "w A 192.0.2.1\n");
    writeFileSync(join(lab, "lab.yaml"), "zones: [{ zone: example.test, file: zones/b.zone }]\n");
    expect(recordsOf(loadConfig(join(lab, "lab.yaml")))).toContain("w.example.test. 60 A 192.0.2.1");
  });

  it("includes what lies beside it where the working folder is that of the configuration", () => {
    const { lab } = load(`${apex}$INCLUDE b.zone\n`, { "b.zone": "w A 192.0.2.1\n" });
    vi.spyOn(process, "cwd").mockReturnValue(lab);
    const loaded = loadConfig("lab.yaml");
    vi.restoreAllMocks();
    expect(recordsOf(loaded)).toContain("w.example.test. 60 A 192.0.2.1");
  });

  it.each([
    ["itself", "a.zone", 'a.zone:5:10: "a.zone" includes itself'],
    ["a file that does", "b.zone", 'b.zone:1:10: "b.zone" includes itself'],
    ["a file that includes it", "c.zone", 'c.zone:1:10: "a.zone" includes itself'],
  ])("does not include %s for ever", (_, name, expected) => {
    const files = { "b.zone": "$INCLUDE b.zone\n", "c.zone": "$INCLUDE a.zone\n" };
    const { lab, loaded } = load(`${apex}$INCLUDE ${name}\n`, files);
    const errors = loaded.kind === "errors" ? loaded.errors : [];
    expect(errors.map((error) => told(lab, error))).toEqual([expected.replace(/^a\.zone:/, "")]);
  });

  it("includes files so deep", () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${i}.zone`, `w${i} A 192.0.2.1\n$INCLUDE ${i + 1}.zone\n`]),
    );
    const { lab, loaded } = load(`${apex}$INCLUDE 0.zone\n`, files);
    expect(loaded.kind === "errors" && loaded.errors.map((error) => told(lab, error))).toEqual([
      "15.zone:2:10: files include each other more than 16 deep",
    ]);
  });

  it("includes files so often", () => {
    const ten = (name: string): string => `$INCLUDE ${name}\n`.repeat(10);
    let opened = 0;
    const errors: string[] = [];
    readMasterFile({ file: "0", text: ten("1") }, nameOf("example.test"), {
      include: (name) => {
        opened++;
        return { file: name, text: ten(String(Number(name) + 1)) };
      },
      onRecord: () => {},
      onError: (_place, message) => errors.push(message),
      onWarning: () => {},
    });
    expect(opened).toBe(65_536);
    expect(errors).toContain("more than 65536 files are included");
  });

  it("includes no folder, and nothing else that is no file", () => {
    const { lab } = load(apex);
    mkdirSync(join(lab, "folder"));
    writeFileSync(join(lab, "a.zone"), `${apex}$INCLUDE folder\n`);
    const loaded = loadConfig(join(lab, "lab.yaml"));
    expect(loaded.kind === "errors" && loaded.errors.map((error) => told(lab, error))).toEqual([
      '5:10: "folder" is no file',
    ]);
  });

  it("tells of so many faults, and of how many more there are", () => {
    const { lab, loaded } = load(`${apex}${"w A 1\n".repeat(1000)}`);
    const errors = loaded.kind === "errors" ? loaded.errors.map((error) => told(lab, error)) : [];
    expect(errors).toHaveLength(201);
    expect(errors.at(-1)).toMatch(/: 800 more errors of this zone are not shown$/);
  });

  it("shows the line of a fault, and no control characters", () => {
    const { loaded } = load(`${apex}w A \u001b[31m\n`);
    const [text = ""] = loaded.kind === "errors" ? loaded.errors.map(formatConfigError) : [];
    expect(text).toMatch(/a\.zone:5:5: "\\027\[31m" is not an IPv4 address\n {2}w A \ufffd\[31m\n {6}\^$/);
  });
});
