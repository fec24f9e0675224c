// The state file: what is written is read again, and nothing that befalls it stops the answering.

import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LoadedSnapshot, loadSnapshot } from "../../src/load-snapshot.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import { readStateFile, type StoredState, setAside, writeStateFile } from "../../src/state/state-file.ts";
import { serialOf, zonesOfRecords } from "../../src/zone/zone.ts";

const digest = "0123456789abcdef".repeat(4);
const secret = "00112233445566778899aabbccddeeff";
const state: StoredState = {
  version: 1,
  zones: { "lab.example.": { serial: 4294967295, digest }, "other.example.": { serial: 1, digest } },
  cookieSecrets: [secret, "ff".repeat(16)],
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "geodns365-state-"));
  path = join(folder, ".geodns365/state.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(text: string | Uint8Array): void {
  mkdirSync(join(folder, ".geodns365"), { recursive: true });
  writeFileSync(path, text);
}

describe("a state file", () => {
  test("is read as it was written, its folder made", () => {
    expect(readStateFile(path)).toEqual({ kind: "absent" });
    writeStateFile(path, state);
    expect(readStateFile(path)).toEqual({ kind: "loaded", state });
    writeStateFile(path, { ...state, cookieSecrets: [] });
    expect(readStateFile(path)).toEqual({ kind: "loaded", state: { ...state, cookieSecrets: [] } });
  });

  test("is for its owner alone, whatever stood there before", () => {
    put("{}");
    chmodSync(path, 0o644);
    writeStateFile(path, state);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("leaves no temporary file, neither done nor failed", () => {
    writeStateFile(path, state);
    expect(readdirSync(join(folder, ".geodns365"))).toEqual(["state.json"]);
    const taken = join(folder, "taken");
    mkdirSync(join(taken, "inside"), { recursive: true });
    expect(() => writeStateFile(taken, state)).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder).toSorted()).toEqual([".geodns365", "taken"]);
  });

  test("is untouched by what a kill before the rename leaves behind", () => {
    writeStateFile(path, state);
    writeFileSync(`${path}.0123456789ab.tmp`, '{ "version": 1, "zon');
    expect(readStateFile(path)).toEqual({ kind: "loaded", state });
    writeStateFile(path, { ...state, zones: {} });
    expect(readStateFile(path)).toEqual({ kind: "loaded", state: { ...state, zones: {} } });
  });

  test("is whole whenever it is read while two servers write it", async () => {
    const writer = `
      const { writeStateFile } = await import(${JSON.stringify(join(import.meta.dirname, "../../src/state/state-file.ts"))});
      const [path, state] = process.argv.slice(1);
      for (let i = 0; i < 50; i++) writeStateFile(path, JSON.parse(state));`;
    const states: readonly StoredState[] = [state, { ...state, zones: {} }];
    const args = (of: StoredState) => ["--input-type=module", "--eval", writer, path, JSON.stringify(of)];
    let writing = true;
    const written = Promise.all(states.map((of) => promisify(execFile)(process.execPath, args(of)))).finally(
      () => {
        writing = false;
      },
    );
    while (writing) {
      const read = readStateFile(path);
      if (read.kind === "loaded") expect(states).toContainEqual(read.state);
      else expect(read.kind).toBe("absent");
      await new Promise(setImmediate);
    }
    await written;
    expect(readStateFile(path).kind).toBe("loaded");
    expect(readdirSync(join(folder, ".geodns365"))).toEqual(["state.json"]);
  });

  test("keeps any apex, even one that objects have by themselves", () => {
    const zones = Object.fromEntries([["__proto__", { serial: 2, digest }]]);
    writeStateFile(path, { ...state, zones });
    const read = readStateFile(path);
    expect(read.kind === "loaded" && Object.entries(read.state.zones)).toEqual([
      ["__proto__", { serial: 2, digest }],
    ]);
  });

  test("is unreadable, not damaged, where the operating system does not give it", () => {
    mkdirSync(path, { recursive: true });
    expect(readStateFile(path)).toEqual({ kind: "unreadable", reason: expect.stringContaining("EISDIR") });
  });

  test("set aside takes the first number that is free", () => {
    put("one");
    expect(setAside(path)).toBe(`${path}.damaged-1`);
    put("two");
    expect(setAside(path)).toBe(`${path}.damaged-2`);
    expect(readFileSync(`${path}.damaged-1`, "utf8")).toBe("one");
    expect(readFileSync(`${path}.damaged-2`, "utf8")).toBe("two");
  });
});

const text = JSON.stringify(state, null, 2);
const changed = (change: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ ...state, ...change });
const serialOnly = (entry: unknown): string => changed({ zones: { "lab.example.": entry } });

const damages: readonly [what: string, content: string | Uint8Array, found: string][] = [
  ["an empty file", "", "it is empty"],
  ["a file of blanks", " \n", "it is empty"],
  ["a file of zeros, as a power failure leaves", new Uint8Array(100), "it is not JSON"],
  ["a truncated file", text.slice(0, -20), "it is not JSON"],
  ["another file", "zones: [lab.example]\n", "it is not JSON"],
  ["a list", "[]", "it has no version"],
  ["null", "null", "it has no version"],
  ["no version", "{}", "it has no version"],
  ["a foreign version", changed({ version: 2 }), "it is of version 2, and this program reads 1"],
  ["no zones", changed({ zones: undefined }), "it has no zones"],
  ["a list of zones", changed({ zones: [] }), "it has no zones"],
  [
    "a serial too large",
    serialOnly({ serial: 2 ** 32, digest }),
    "zone lab.example. has no serial and digest",
  ],
  ["a negative serial", serialOnly({ serial: -1, digest }), "zone lab.example. has no serial and digest"],
  ["a broken serial", serialOnly({ serial: 1.5, digest }), "zone lab.example. has no serial and digest"],
  ["a serial in words", serialOnly({ serial: "1", digest }), "zone lab.example. has no serial and digest"],
  ["a short digest", serialOnly({ serial: 1, digest: "00" }), "zone lab.example. has no serial and digest"],
  ["no digest", serialOnly({ serial: 1 }), "zone lab.example. has no serial and digest"],
  ["an entry that is null", serialOnly(null), "zone lab.example. has no serial and digest"],
  [
    "no secrets",
    changed({ cookieSecrets: undefined }),
    "its cookieSecrets are not at most two times 32 hex digits",
  ],
  [
    "three secrets",
    changed({ cookieSecrets: [secret, secret, secret] }),
    "its cookieSecrets are not at most two times 32 hex digits",
  ],
  [
    "a short secret",
    changed({ cookieSecrets: ["00"] }),
    "its cookieSecrets are not at most two times 32 hex digits",
  ],
  [
    "a secret that is not hex",
    changed({ cookieSecrets: ["x".repeat(32)] }),
    "its cookieSecrets are not at most two times 32 hex digits",
  ],
];

describe("a damaged file", () => {
  test.each(damages)("by %s", (_what, content, found) => {
    put(content);
    expect(readStateFile(path)).toEqual({ kind: "damaged", found });
  });
});

const lab = (address: string, stateFile?: string): string => `geoip: { database: none }
${stateFile === undefined ? "" : `server: { stateFile: ${stateFile} }\n`}zones: [lab.example]
records: { lab.example: ["www A ${address}"] }
`;

function load(yaml: string, keepState: boolean): Extract<LoadedSnapshot, { kind: "loaded" }> {
  writeFileSync(join(folder, "lab.yaml"), yaml);
  const loaded = loadSnapshot(join(folder, "lab.yaml"), { keepState });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  return loaded;
}

test("secrets of the configuration go before the one that is kept", () => {
  const first = "000102030405060708090a0b0c0d0e0f";
  const second = "101112131415161718191a1b1c1d1e1f";
  const kept = load(lab("192.0.2.1"), true).snapshot.cookieSecrets;
  const given = `server: { cookieSecrets: [${first}, ${second}] }\n${lab("192.0.2.1")}`;
  const { cookieSecrets } = load(given, true).snapshot;
  expect(cookieSecrets.map((octets) => Buffer.from(octets).toString("hex"))).toEqual([first, second]);
  expect(load(lab("192.0.2.1"), true).snapshot.cookieSecrets).toEqual(kept);
});

const serials = ({ configuration }: Snapshot): readonly number[] =>
  zonesOfRecords(configuration.zones).map(({ soa }) => serialOf(soa));

describe("a start", () => {
  test("makes a cookie secret once and keeps it", () => {
    const [made, ...none] = load(lab("192.0.2.1"), true).snapshot.cookieSecrets;
    expect(made).toHaveLength(16);
    expect(none).toEqual([]);
    expect(load(lab("192.0.2.2"), true).snapshot.cookieSecrets).toEqual([made]);
    expect(load(lab("192.0.2.2"), false).snapshot.cookieSecrets).toEqual([made]);
    rmSync(path);
    expect(load(lab("192.0.2.2"), true).snapshot.cookieSecrets).not.toEqual([made]);
  });

  test("keeps a previous secret behind the current one", () => {
    put(text);
    expect(load(lab("192.0.2.1"), true).snapshot.cookieSecrets).toEqual(
      state.cookieSecrets.map((hex) => Uint8Array.from(Buffer.from(hex, "hex"))),
    );
    const read = readStateFile(path);
    expect(read.kind === "loaded" && read.state.cookieSecrets).toEqual(state.cookieSecrets);
  });

  test("writes nothing where nothing is new", () => {
    load(lab("192.0.2.1"), true);
    const { ino, mtimeMs } = statSync(path);
    load(lab("192.0.2.1"), true);
    expect(statSync(path)).toMatchObject({ ino, mtimeMs });
  });

  test("that only looks makes neither secret nor file", () => {
    const { snapshot, warnings } = load(lab("192.0.2.1"), false);
    expect(snapshot.cookieSecrets).toEqual([]);
    expect(warnings).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  test("takes the path from the YAML file that says it", () => {
    load(lab("192.0.2.1", "elsewhere/lab.json"), true);
    expect(existsSync(path)).toBe(false);
    expect(readStateFile(join(folder, "elsewhere/lab.json")).kind).toBe("loaded");
  });

  test("by default keeps its state beside the first file, not beside one included", () => {
    mkdirSync(join(folder, "base"));
    writeFileSync(join(folder, "base/base.yaml"), lab("192.0.2.1"));
    load("include: [base/base.yaml]\n", true);
    expect(readStateFile(path).kind).toBe("loaded");
    expect(readdirSync(join(folder, "base"))).toEqual(["base.yaml"]);
  });

  test.each(damages)(
    "with %s serves, warns once, keeps it aside and counts on from the time",
    (_what, content, found) => {
      put(content);
      const { snapshot, warnings } = load(lab("192.0.2.1"), true);
      expect(serials(snapshot)[0]).toBeGreaterThan(1_700_000_000);
      expect(snapshot.cookieSecrets).toHaveLength(1);
      expect(warnings).toEqual([
        `the state file ${path} is damaged: ${found}; serials go on from the time, and the cookie secret is new; it is kept as ${path}.damaged-1`,
      ]);
      expect(readFileSync(`${path}.damaged-1`)).toEqual(Buffer.from(content));
      expect(load(lab("192.0.2.1"), true).warnings).toEqual([]);
    },
  );

  test("that only looks says that a file is damaged, and leaves it", () => {
    put("{}");
    expect(load(lab("192.0.2.1"), false).warnings).toEqual([expect.stringContaining("is damaged")]);
    expect(readFileSync(path, "utf8")).toBe("{}");
    expect(readdirSync(join(folder, ".geodns365"))).toEqual(["state.json"]);
  });

  // A file where the folder should be fails for root too, whom no mode of a folder stops.
  test("where no folder can be made serves and warns once", () => {
    const nowhere = lab("192.0.2.1", "taken/state.json");
    writeFileSync(join(folder, "taken"), "");
    const { snapshot, warnings } = load(nowhere, true);
    expect(serials(snapshot)[0]).toBeGreaterThan(1_700_000_000);
    expect(snapshot.cookieSecrets).toHaveLength(1);
    expect(warnings).toEqual([expect.stringMatching(/^cannot read the state file .*ENOTDIR/)]);
  });

  // Nobody makes folders in /proc, not even root; mkdir with `recursive` would try for ever.
  test("on a file system that takes nothing serves and warns once", () => {
    const { snapshot, warnings } = load(lab("192.0.2.1", "/proc/geodns365/folder/state.json"), true);
    expect(serials(snapshot)).toEqual([1]);
    expect(snapshot.cookieSecrets).toHaveLength(1);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^cannot write the state file \/proc\/geodns365\/folder\/state\.json \(\w+: [^)]+\), so serials and the cookie secret last until the server stops; make it writable or set server\.stateFile$/,
      ),
    ]);
  });

  test("does not replace a file that it cannot read", () => {
    mkdirSync(path, { recursive: true });
    expect(load(lab("192.0.2.1"), true).warnings).toEqual([
      expect.stringMatching(/^cannot read the state file .*EISDIR/),
    ]);
    expect(readdirSync(join(folder, ".geodns365"))).toEqual(["state.json"]);
  });
});
