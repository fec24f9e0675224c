// The state file and its copy: what either may look like, what is used then, and what is said.

import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { operatingSystem } from "../../src/state/disk.ts";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import { type ReadOutcome, StateNotWritten } from "../../src/state/state-store.ts";
import { emptyState, formatState } from "../../src/state/stored-state.ts";
import { type Folder, makeFolder, numbered, numberOf, state } from "./lab.ts";

let folder: Folder;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder.remove());

const open = (path = folder.file): FileStateStore => new FileStateStore(path, operatingSystem());
const inFolder = (): readonly string[] => readdirSync(join(folder.path, ".geodns365")).toSorted();
const text = (sequence: number, number = sequence): string => formatState(sequence, numbered(number)).text;
/** The words without the folder of this test. */
const words = (sentences: readonly string[]): string =>
  sentences.join("; ").replaceAll(`${folder.path}/.geodns365/`, "");

function put(file: string | undefined, copy: string | undefined): void {
  mkdirSync(join(folder.path, ".geodns365"));
  if (file !== undefined) writeFileSync(folder.file, file);
  if (copy !== undefined) writeFileSync(folder.copy, copy);
}

describe("a state file", () => {
  test("is read as it was written, its folder made", async () => {
    expect(await open().read()).toEqual({
      state: emptyState,
      origin: "new",
      found: [],
      isToBeWritten: false,
    });
    expect(await open().write(state)).toEqual([]);
    expect(await open().read()).toEqual({ state, origin: "kept", found: [], isToBeWritten: false });
    await open().write({ cookieSecrets: [] });
    expect((await open().read()).state).toEqual({ ...state, cookieSecrets: [] });
    expect(inFolder()).toEqual(["lab.state.json", "lab.state.json.copy"]);
  });

  test("is for its owner alone, its copy too, whatever stood there before", async () => {
    put("{}", "{}");
    chmodSync(folder.file, 0o644);
    await open().write(state);
    for (const path of [folder.file, folder.copy]) expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("has what writers left that were killed removed, and what others write left alone", async () => {
    put(text(1), text(1));
    const running = `lab.state.json.${process.ppid}-0123456789ab.tmp`;
    for (const name of [
      "lab.state.json.0123456789ab.tmp",
      "lab.state.json.copy.4194305-00.tmp",
      running,
      "other.tmp",
    ]) {
      folder.put(`.geodns365/${name}`, "{");
    }
    await open().write(state);
    expect(inFolder()).toEqual(["other.tmp", "lab.state.json", "lab.state.json.copy", running].toSorted());
  });

  test("is whole whenever it is read while two servers write it", async () => {
    const module = join(import.meta.dirname, "../../src/state/file-state-store.ts");
    const writer = `
      const { FileStateStore } = await import(${JSON.stringify(module)});
      const [path, first] = process.argv.slice(1);
      const store = new FileStateStore(path);
      for (let i = 0; i < 40; i++) {
        const { state } = await store.read();
        const operations = { ...state.operations, nextOverride: Number(first) + i };
        await store.write({ operations }).catch((error) => {
          if (error.constructor.name !== "StateNotWritten") throw error;
        });
      }`;
    const args = (first: string) => ["--input-type=module", "--eval", writer, folder.file, first];
    let writing = true;
    const written = Promise.all(
      ["1000", "2000"].map((first) => promisify(execFile)(process.execPath, args(first))),
    ).finally(() => {
      writing = false;
    });
    while (writing) {
      const { found } = await open().read();
      expect(found.join()).not.toContain("damaged");
      await new Promise(setImmediate);
    }
    await written;
    expect((await open().read()).origin).toBe("kept");
    expect(inFolder().filter((name) => name.endsWith(".tmp") || name.includes("damaged"))).toEqual([]);
  });
});

type Content = string | undefined;

const version1 = JSON.stringify({ version: 1, zones: state.zones, cookieSecrets: [] });

describe("a start finds", () => {
  test.each<[what: string, file: Content, copy: Content, number: number, said: string]>([
    ["two alike", text(5), text(5), 5, ""],
    ["version 1", version1, undefined, 1, ""],
    [
      "version 1 written by an older program beside a copy",
      version1,
      text(5),
      5,
      "the state file lab.state.json is older than its copy (0 and 5); the copy is used",
    ],
    [
      "the file older, as a kill between the two leaves it",
      text(4),
      text(5),
      5,
      "the state file lab.state.json is older than its copy (4 and 5); the copy is used",
    ],
    [
      "the copy older",
      text(5),
      text(4),
      5,
      "the copy lab.state.json.copy of the state file is older (5 and 4); the state file is used",
    ],
    [
      "two that differ",
      text(5, 7),
      text(5, 8),
      7,
      "the state file lab.state.json and its copy differ at 5; the state file is used",
    ],
    [
      "no file",
      undefined,
      text(5),
      5,
      "the state file lab.state.json is missing; its copy lab.state.json.copy is used",
    ],
    [
      "no copy",
      text(5),
      undefined,
      5,
      "the copy lab.state.json.copy of the state file is missing; the state file is used",
    ],
    [
      "an empty file",
      "",
      text(5),
      5,
      "the state file lab.state.json is damaged: it is empty; its copy lab.state.json.copy is used",
    ],
    [
      "an empty copy",
      text(5),
      "",
      5,
      "the copy lab.state.json.copy of the state file is damaged: it is empty; the state file is used",
    ],
    [
      "a file of a later version",
      `{ "version": 3 }`,
      text(5),
      5,
      "the state file lab.state.json is damaged: it is of version 3, and this program reads 1 and 2; its copy lab.state.json.copy is used",
    ],
    [
      "a digit changed",
      text(5).replace(`"nextOverride": 5`, `"nextOverride": 9`),
      text(4),
      4,
      "the state file lab.state.json is damaged: its checksum is not that of its content; its copy lab.state.json.copy is used",
    ],
  ])("%s", async (_what, file, copy, number, said) => {
    put(file, copy);
    const read = await open().read();
    expect(numberOf(read.state)).toBe(number);
    expect(read).toMatchObject({ origin: "kept", isToBeWritten: said !== "" || file === version1 });
    expect(words(read.found)).toBe(said);
    const store = open();
    const { isWritten } = await store.remember({});
    expect(isWritten).toBe(true);
    expect(await open().read()).toEqual({ ...read, found: [], isToBeWritten: false });
    for (const path of [folder.file, folder.copy]) {
      rmSync(path);
      expect(numberOf((await open().read()).state)).toBe(number);
      await open().remember({});
    }
  });

  test.each<[what: string, file: Content, copy: Content, said: string]>([
    [
      "one damaged",
      "{",
      undefined,
      "the state file lab.state.json is damaged: it is not JSON, and there is no copy",
    ],
    [
      "the copy alone, damaged",
      undefined,
      "",
      "the state file lab.state.json is missing, and its copy lab.state.json.copy is damaged: it is empty",
    ],
    [
      "both damaged",
      text(5).slice(0, 100),
      "",
      "the state file lab.state.json is damaged: it is not JSON, and so is its copy lab.state.json.copy: it is empty",
    ],
  ])("nothing sound: %s", async (_what, file, copy, said) => {
    put(file, copy);
    const read = await open().read();
    expect(read).toMatchObject({ state: emptyState, origin: "lost", isToBeWritten: true });
    expect(words(read.found)).toBe(said);
    await open().write(numbered(3));
    expect(numberOf((await open().read()).state)).toBe(3);
  });

  test("either cut at any octet: the other counts", async () => {
    const whole = text(5);
    put(whole, whole);
    const other = [folder.copy, folder.file];
    for (const [i, path] of [folder.file, folder.copy].entries()) {
      writeFileSync(other[i] ?? "", text(4));
      // The last octet is the line end, which may be missing.
      for (let length = 0; length < whole.length - 1; length++) {
        writeFileSync(path, whole.slice(0, length));
        const read = await open().read();
        expect([numberOf(read.state), read.found.length]).toEqual([4, 1]);
      }
      writeFileSync(path, whole);
    }
  });

  test("a damaged one, which is set aside under the first name that is free", async () => {
    put("one", "two");
    expect(words(await open().write(state))).toBe(
      "the damaged lab.state.json is kept as lab.state.json.damaged-1; the damaged lab.state.json.copy is kept as lab.state.json.copy.damaged-1",
    );
    writeFileSync(folder.file, "three");
    await open().write(state);
    expect(inFolder()).toEqual([
      "lab.state.json",
      "lab.state.json.copy",
      "lab.state.json.copy.damaged-1",
      "lab.state.json.damaged-1",
      "lab.state.json.damaged-2",
    ]);
    expect(readFileSync(`${folder.file}.damaged-1`, "utf8")).toBe("one");
    expect(readFileSync(`${folder.file}.damaged-2`, "utf8")).toBe("three");
  });
});

describe("the operating system refuses", () => {
  const advice = "make it readable or set server.stateFile";

  async function refused(path: string): Promise<{ read: ReadOutcome; message: string }> {
    const store = open(path);
    const read = await store.read();
    const message = await store.write(numbered(7)).then(
      () => "",
      (error) => (error instanceof StateNotWritten ? error.message : "another error"),
    );
    expect((await store.read()).state).toEqual(read.state);
    // What the server cannot refuse counts all the same.
    expect(await store.remember(numbered(9))).toEqual({ isWritten: false, said: [message] });
    expect(numberOf((await store.read()).state)).toBe(9);
    return { read, message };
  }

  test("a folder in the place of the file", async () => {
    mkdirSync(folder.file, { recursive: true });
    const { read, message } = await refused(folder.file);
    expect(read.origin).toBe("lost");
    expect(words(read.found)).toBe(
      `cannot read the state file lab.state.json (EISDIR: illegal operation on a directory); ${advice}`,
    );
    expect(message).toBe(read.found[0]);
    expect(inFolder()).toEqual(["lab.state.json"]);
  });

  test("a folder in the place of the copy", async () => {
    mkdirSync(folder.copy, { recursive: true });
    writeFileSync(folder.file, text(5));
    const { read, message } = await refused(folder.file);
    expect(read.origin).toBe("kept");
    expect(words([message])).toBe(
      `cannot read the copy lab.state.json.copy of the state file (EISDIR: illegal operation on a directory); ${advice}`,
    );
    expect(readFileSync(folder.file, "utf8")).toBe(text(5));
  });

  test("a folder in the place of the file, its copy sound", async () => {
    mkdirSync(folder.file, { recursive: true });
    writeFileSync(folder.copy, text(5));
    const { read } = await refused(folder.file);
    expect([numberOf(read.state), read.origin]).toEqual([5, "kept"]);
    expect(words(read.found)).toBe(
      `cannot read the state file lab.state.json (EISDIR: illegal operation on a directory); its copy lab.state.json.copy is used; ${advice}`,
    );
  });

  // A file where the folder should be fails for root too, whom no mode of a folder stops.
  test("a file in the place of the folder", async () => {
    folder.put("taken", "");
    const { read, message } = await refused(join(folder.path, "taken/lab.state.json"));
    expect(read.origin).toBe("lost");
    expect(read.found).toEqual([expect.stringMatching(/^cannot read the state file .* \(ENOTDIR: .*\)/)]);
    expect(message).toMatch(/^cannot write the state file .* \((ENOTDIR|EEXIST): .*\)/);
  });

  // Nobody makes folders in /proc, not even root; mkdir with `recursive` would try for ever.
  test("a file system that takes nothing", async () => {
    const { read, message } = await refused("/proc/geodns365/folder/lab.state.json");
    expect(read).toMatchObject({ origin: "new", found: [] });
    expect(message).toMatch(
      /^cannot write the state file \/proc\/geodns365\/folder\/lab\.state\.json \(\w+: [^)]+\); make it writable or set server\.stateFile$/,
    );
  });

  test("a link that leads to itself", async () => {
    mkdirSync(join(folder.path, ".geodns365"));
    symlinkSync("lab.state.json", folder.file);
    const { read } = await refused(folder.file);
    expect(words(read.found)).toMatch(/^cannot read the state file lab\.state\.json \(ELOOP: /);
  });
});

test("a link is followed, and stays", async () => {
  mkdirSync(join(folder.path, ".geodns365"));
  symlinkSync("../elsewhere.json", folder.file);
  const elsewhere = join(folder.path, "elsewhere.json");
  await open().write(state);
  expect(readdirSync(folder.path)).toEqual([".geodns365", "elsewhere.json", "elsewhere.json.copy"]);
  expect(inFolder()).toEqual(["lab.state.json"]);
  expect(await open().read()).toEqual({
    state,
    origin: "kept",
    found: [`the state file ${folder.file} is a link to ${elsewhere}, which is used, its copy beside it`],
    isToBeWritten: false,
  });
});

describe("a store that stays open", () => {
  test("writes what it could not write with the next write that succeeds", async () => {
    const path = join(folder.path, "later/lab.state.json");
    folder.put("later", "");
    const store = open(path);
    expect((await store.remember({ zones: state.zones })).isWritten).toBe(false);
    expect(await store.read()).toMatchObject({ state: { zones: state.zones }, isToBeWritten: true });
    await expect(store.write({ operations: state.operations })).rejects.toThrow(StateNotWritten);
    rmSync(join(folder.path, "later"));
    await store.write({ cookieSecrets: state.cookieSecrets });
    // The change that was refused is not among it.
    expect((await open(path).read()).state).toEqual({ ...state, operations: emptyState.operations });
  });

  test("makes its folder again, and goes on from what it knows", async () => {
    const store = open();
    await store.write(state);
    rmSync(join(folder.path, ".geodns365"), { recursive: true });
    expect(await store.read()).toEqual({ state, origin: "kept", found: [], isToBeWritten: true });
    await store.write({ cookieSecrets: [] });
    expect((await open().read()).state).toEqual({ ...state, cookieSecrets: [] });
  });

  test("keeps to what it knows where an older state is put in its place", async () => {
    const store = open();
    for (const number of [2, 3, 4]) await store.write(numbered(number));
    writeFileSync(folder.file, text(1));
    writeFileSync(folder.copy, text(1));
    expect(await store.read()).toMatchObject({ state: numbered(4), isToBeWritten: true });
    expect(numberOf((await store.read()).state)).toBe(4);
  });

  test("makes changes in the order in which they are asked for, each upon the one before", async () => {
    const store = open();
    await Promise.all([
      store.write(numbered(2)),
      store.write({ cookieSecrets: [] }),
      store.remember({ zones: {} }),
      store.write({ operations: numbered(3).operations }),
    ]);
    expect((await open().read()).state).toEqual({ ...numbered(3), cookieSecrets: [], zones: {} });
  });

  test("refuses to write over what another has written until it has read that", async () => {
    const [one, other] = [open(), open()];
    await one.write(numbered(2));
    await other.write(numbered(3));
    const refusal = one.write(numbered(4));
    await expect(refusal).rejects.toThrow(StateNotWritten);
    await expect(refusal).rejects.toThrow(
      `cannot write the state file ${folder.file} (another server has written it: it has sequence 2, and 1 was known); make it writable or set server.stateFile`,
    );
    expect(numberOf((await open().read()).state)).toBe(3);
    const read = await one.read();
    expect(words(read.found)).toBe(
      "the state file lab.state.json was written by another server, whose state counts now",
    );
    expect(numberOf(read.state)).toBe(3);
    await one.write(numbered(4));
    expect(numberOf((await open().read()).state)).toBe(4);
  });

  test("tells of what another writes, and not of what it writes itself", async () => {
    const store = new FileStateStore(folder.file, operatingSystem(5));
    await store.write(numbered(2));
    const told: number[] = [];
    const changed = new Promise<void>((resolve) => {
      store.watch(() => {
        told.push(0);
        resolve();
      });
    });
    await store.write(numbered(3));
    const other = open();
    await other.write(numbered(4));
    await changed;
    expect(numberOf((await store.read()).state)).toBe(4);
    expect(told).toHaveLength(1);
    await store.close();
  });

  test("says what it is", () => {
    expect(words([open().describe()])).toBe("the state file lab.state.json and its copy");
  });
});

test("files moved to another folder are all it takes to move", async () => {
  await open().write(state);
  renameSync(join(folder.path, ".geodns365"), join(folder.path, "moved"));
  expect((await open(join(folder.path, "moved/lab.state.json")).read()).state).toEqual(state);
  expect(existsSync(folder.file)).toBe(false);
});
