// A crash or a failure at any step of a write, on a disk in memory: nothing that was acknowledged is lost.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import { StateNotWritten } from "../../src/state/state-store.ts";
import { formatState } from "../../src/state/stored-state.ts";
import { numbered, numberOf } from "./lab.ts";
import { type Fault, SimulatedDisk } from "./simulated-disk.ts";

const file = "/state.json";
const copy = "/state.json.copy";
const at = (sequence: number): string => formatState(sequence, numbered(sequence)).text;

/** What a start may find, and the number of the state that counts; 1 is that of none. */
const starts: readonly [what: string, files: Readonly<Record<string, string>>, number: number][] = [
  ["nothing", {}, 1],
  ["two alike", { [file]: at(5), [copy]: at(5) }, 5],
  ["an older file", { [file]: at(4), [copy]: at(5) }, 5],
  ["an older copy", { [file]: at(5), [copy]: at(4) }, 5],
  ["no file", { [copy]: at(5) }, 5],
  ["no copy", { [file]: at(5) }, 5],
  ["a damaged file", { [file]: "{", [copy]: at(5) }, 5],
  ["a damaged copy", { [file]: at(5), [copy]: "" }, 5],
  ["what a kill left", { [file]: at(5), [copy]: at(5), "/state.json.0-ab.tmp": "{" }, 5],
];

async function write(disk: SimulatedDisk, number: number): Promise<boolean> {
  const store = new FileStateStore(file, disk);
  return isWritten(store, number);
}

const isWritten = (store: FileStateStore, number: number): Promise<boolean> =>
  store.write(numbered(number)).then(
    () => true,
    (error) => {
      if (error instanceof StateNotWritten) return false;
      throw error;
    },
  );

const read = async (disk: SimulatedDisk): Promise<number> =>
  numberOf((await new FileStateStore(file, disk).read()).state);

const temporary = ({ entries }: SimulatedDisk): readonly string[] =>
  [...entries.keys()].filter((path) => path.endsWith(".tmp"));

/** The number of steps of a write that nothing befalls. */
async function stepsFrom(files: Readonly<Record<string, string>>): Promise<number> {
  const disk = new SimulatedDisk(files);
  expect(await write(disk, 6)).toBe(true);
  return disk.steps;
}

describe.each(starts)("a write that finds %s", (_what, files, before) => {
  test("and crashes at any step leaves the state before or the new one", async () => {
    const steps = await stepsFrom(files);
    expect(steps).toBeGreaterThanOrEqual(12);
    for (let step = 1; step <= steps; step++) {
      const disk = new SimulatedDisk(files);
      disk.fault = { step, kind: "crash" };
      expect(await write(disk, 6)).toBe(false);
      const left = [disk.afterKill()];
      for (let happened = 0; happened <= disk.pending; happened++) {
        for (const part of [0, 0.5, 1]) left.push(disk.afterPowerFailure(happened, part));
      }
      for (const after of left) {
        expect([before, 6], `step ${step}`).toContain(await read(after));
        expect(await write(after, 7)).toBe(true);
        expect(await read(after.afterPowerFailure(0, 0))).toBe(7);
        expect(temporary(after)).toEqual([]);
      }
    }
  });

  test("and is acknowledged outlives a power failure, and the damage or loss of either file", async () => {
    const disk = new SimulatedDisk(files);
    expect(await write(disk, 6)).toBe(true);
    const kept = disk.afterPowerFailure(0, 0);
    for (const path of [file, copy]) {
      const content = (await kept.read(path)).toString();
      for (const damage of [undefined, "", "{", content.slice(0, -9), content.replace("6", "9"), "\0"]) {
        const hurt = kept.afterKill();
        if (damage === undefined) hurt.entries.delete(path);
        else hurt.entries.set(path, { content: damage, synced: damage });
        expect(await read(hurt)).toBe(6);
      }
    }
  });

  test.each<[kind: Fault["kind"], forever: boolean]>([
    ["ENOSPC", false],
    ["ENOSPC", true],
    ["EIO", false],
    ["EROFS", true],
  ])("and fails at any step with %s (for ever: %s) does not count", async (kind, forever) => {
    const steps = await stepsFrom(files);
    for (let step = 1; step <= steps; step++) {
      const disk = new SimulatedDisk(files);
      const store = new FileStateStore(file, disk);
      disk.fault = { step, kind, forever };
      // Some steps may fail: to remove what a kill has left.
      const isAcknowledged = await isWritten(store, 6);
      const number = isAcknowledged ? 6 : before;
      expect(numberOf((await store.read()).state)).toBe(number);
      disk.fault = undefined;
      expect(await store.remember({}), `step ${step}`).toMatchObject({ isWritten: true });
      expect(await read(disk.afterPowerFailure(0, 0))).toBe(number);
      expect(await isWritten(store, 8)).toBe(true);
      expect(await read(disk.afterPowerFailure(0, 0))).toBe(8);
    }
  });
});

test("the words are those of the operating system", async () => {
  const disk = new SimulatedDisk();
  disk.fault = { step: 1, kind: "ENOSPC" };
  await expect(new FileStateStore(file, disk).write(numbered(6))).rejects.toThrow(
    "cannot write the state file /state.json (ENOSPC: as the test has it); make it writable or set server.stateFile",
  );
});

test("however often it crashes, nothing acknowledged is lost", async () => {
  const life = fc.record({
    steps: fc.integer({ min: 1, max: 60 }),
    isPower: fc.boolean(),
    happened: fc.nat(20),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 12 }), async (lives) => {
      let disk = new SimulatedDisk();
      let acknowledged = 1;
      let attempted = 1;
      for (const { steps, isPower, happened, part } of lives) {
        disk.fault = { step: steps, kind: "crash" };
        const store = new FileStateStore(file, disk);
        while (await isWritten(store, ++attempted)) acknowledged = attempted;
        disk = isPower ? disk.afterPowerFailure(happened, part) : disk.afterKill();
        const found = await read(disk);
        expect(found).toBeGreaterThanOrEqual(acknowledged);
        expect(found).toBeLessThanOrEqual(attempted);
        acknowledged = found;
      }
    }),
    { numRuns: 300 },
  );
});

test("two that write at the same time never leave a damaged file, and whoever was passed is told", async () => {
  const turns = fc.array(fc.tuple(fc.boolean(), fc.nat(8)), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(turns, async (writes) => {
      const disk = new SimulatedDisk({ [file]: at(5), [copy]: at(5) });
      const stores = [new FileStateStore(file, disk), new FileStateStore(file, disk)] as const;
      for (const store of stores) await store.read();
      const done = writes.map(async ([isFirst, waits], i) => {
        for (let n = 0; n < waits; n++) await undefined;
        return isWritten(stores[isFirst ? 0 : 1], 10 + i);
      });
      await Promise.all(done);
      const { found, origin } = await new FileStateStore(file, disk).read();
      expect(origin).toBe("kept");
      expect(found.join()).not.toContain("damaged");
      for (const store of stores) {
        await store.read();
        expect(await isWritten(store, 99)).toBe(true);
      }
      expect(await read(disk)).toBe(99);
    }),
    { numRuns: 100 },
  );
});

test("whoever another passes between the look and the rename is told, and goes on once it has read", async () => {
  const disk = new SimulatedDisk({ [file]: at(5), [copy]: at(5) });
  const store = new FileStateStore(file, disk);
  const other = formatState(6, numbered(66)).text;
  const syncFolder = disk.syncFolder.bind(disk);
  disk.syncFolder = () => {
    for (const path of [file, copy]) disk.entries.set(path, { content: other, synced: other });
    return syncFolder();
  };
  await expect(store.write(numbered(6))).rejects.toThrow("(another server writes it at the same time)");
  disk.syncFolder = syncFolder;
  expect(await isWritten(store, 7)).toBe(false);
  expect(numberOf((await store.read()).state)).toBe(66);
  expect(await isWritten(store, 7)).toBe(true);
  expect(await read(disk)).toBe(7);
});
