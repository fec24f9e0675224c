/** The timers of these tests move by hand, so what is told when is exact; the file system is the real one. */

import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { versionOf, type Watch, type WatchedFile, type WatchOptions, watchFiles } from "../src/watch.ts";

const root = mkdtempSync(join(tmpdir(), "geodns365-watch-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
let watch: Watch | undefined;
afterEach(() => watch?.close());

function makeFolder(): string {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  return folder;
}

/** A file as it is now. */
const known = (path: string): WatchedFile => ({ path, version: versionOf(statSync(path, { bigint: true })) });

/** Writes beside a file and renames over it, as careful programs do. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

const SETTLE = 1000;
const POLL = 5000;

describe("what the looks at intervals find", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A watched file `a`, and how often its changes were told. */
  function watched(options: WatchOptions = {}) {
    const path = join(makeFolder(), "a");
    writeFileSync(path, "first");
    return { path, ...watchedAt([known(path)], options) };
  }

  function watchedAt(files: readonly WatchedFile[], options: WatchOptions = {}) {
    const onChange = vi.fn();
    watch = watchFiles(files, onChange, options);
    return { told: () => onChange.mock.calls.length };
  }

  test("nothing, while nothing changes", () => {
    const { told } = watched();
    vi.advanceTimersByTime(10 * POLL);
    expect(told()).toBe(0);
  });

  test.each<readonly [name: string, change: (path: string) => void]>([
    ["a rename over it", (path) => replace(path, "other")],
    ["a rename of a file of the same size", (path) => replace(path, "FIRST")],
    ["octets written in place", (path) => writeFileSync(path, "other")],
    ["octets added", (path) => appendFileSync(path, "more")],
    ["its end", (path) => rmSync(path)],
    [
      "a folder in its place",
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    ["other rights", (path) => chmodSync(path, 0o600)],
    ["the end of its folder", (path) => rmSync(join(path, ".."), { recursive: true })],
  ])("%s, once it is still", (_name, change) => {
    const { path, told } = watched();
    change(path);
    vi.advanceTimersByTime(POLL);
    expect(told()).toBe(0);
    vi.advanceTimersByTime(SETTLE);
    expect(told()).toBe(1);
    vi.advanceTimersByTime(10 * POLL);
    expect(told()).toBe(1);
  });

  test("a file that is written slowly is told when nothing more came for a while", () => {
    const { path, told } = watched();
    writeFileSync(path, "");
    vi.advanceTimersByTime(POLL);
    for (let part = 0; part < 20; part++) {
      appendFileSync(path, "part");
      vi.advanceTimersByTime(SETTLE);
      expect(told()).toBe(0);
    }
    vi.advanceTimersByTime(SETTLE);
    expect(told()).toBe(1);
  });

  test("a file that goes and comes back is told twice, or once where it was fast", () => {
    const { path, told } = watched();
    rmSync(path);
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(1);
    writeFileSync(path, "again");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(2);
    rmSync(path);
    vi.advanceTimersByTime(SETTLE);
    writeFileSync(path, "and again");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(3);
  });

  test("a file that is moved away and back before it was told is told once at most", () => {
    const { path, told } = watched();
    renameSync(path, `${path}.away`);
    vi.advanceTimersByTime(POLL);
    renameSync(`${path}.away`, path);
    vi.advanceTimersByTime(2 * POLL);
    expect(told()).toBeLessThan(2);
  });

  test("a folder that vanishes and comes back with the file", () => {
    const { path, told } = watched();
    const folder = join(path, "..");
    rmSync(folder, { recursive: true });
    vi.advanceTimersByTime(POLL + SETTLE);
    mkdirSync(folder);
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(1);
    writeFileSync(path, "again");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(2);
  });

  test("a link that leads to another file, and the file behind it", () => {
    const folder = makeFolder();
    for (const version of ["1", "2"]) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "a"), "same");
    }
    // As a container's orchestrator lays out what it mounts: a link to a link, and the second one is switched.
    symlinkSync("1", join(folder, "current"));
    symlinkSync("current/a", join(folder, "a"));
    const { told } = watchedAt([known(join(folder, "a"))]);
    symlinkSync("2", join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "current"));
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(1);
    writeFileSync(join(folder, "2/a"), "other");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(2);
    writeFileSync(join(folder, "1/a"), "other");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(2);
  });

  test("changes of several files that come together are told once", () => {
    const folder = makeFolder();
    const paths = ["a", "b", "c"].map((name) => join(folder, name));
    for (const path of paths) writeFileSync(path, "first");
    const { told } = watchedAt(paths.map(known));
    for (const path of paths) writeFileSync(path, "other");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(1);
    replace(paths[1] ?? "", "third");
    vi.advanceTimersByTime(POLL + SETTLE);
    expect(told()).toBe(2);
  });

  test("what changed between its reading and the watch is told", () => {
    const path = join(makeFolder(), "a");
    writeFileSync(path, "first");
    const before = known(path);
    replace(path, "other");
    const { told } = watchedAt([before]);
    vi.advanceTimersByTime(SETTLE);
    expect(told()).toBe(1);
  });

  test("nothing after its end, not even what was seen before", () => {
    const { path, told } = watched();
    writeFileSync(path, "other");
    vi.advanceTimersByTime(POLL);
    watch?.close();
    vi.advanceTimersByTime(10 * POLL);
    expect(told()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("without files there is nothing to look at", () => {
    watchedAt([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("what the system tells", () => {
  // With days between the looks, an event alone can have told.
  const options = { settleMilliseconds: 1, pollMilliseconds: 2 ** 31 - 1 };

  const told = (path: string, change: () => void): Promise<void> =>
    new Promise((resolve) => {
      watch = watchFiles([known(path)], resolve, options);
      change();
    });

  test("of a rename over the file", async () => {
    const path = join(makeFolder(), "a");
    writeFileSync(path, "first");
    await told(path, () => replace(path, "other"));
  });

  test("of octets written in place", async () => {
    const path = join(makeFolder(), "a");
    writeFileSync(path, "first");
    await told(path, () => writeFileSync(path, "other"));
  });

  test("of a file that is changed behind a link to another folder", async () => {
    const [folder, other] = [makeFolder(), makeFolder()];
    writeFileSync(join(other, "b"), "first");
    symlinkSync(join(other, "b"), join(folder, "a"));
    await told(join(folder, "a"), () => replace(join(other, "b"), "other"));
  });

  test("of a link beside the file that is switched", async () => {
    const folder = makeFolder();
    for (const version of ["1", "2"]) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "a"), "same");
    }
    symlinkSync("1", join(folder, "..data"));
    symlinkSync("..data/a", join(folder, "a"));
    await told(join(folder, "a"), () => {
      symlinkSync("2", join(folder, "..next"));
      renameSync(join(folder, "..next"), join(folder, "..data"));
    });
  });
});
