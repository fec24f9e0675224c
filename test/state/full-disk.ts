/** A state file on a file system that fills up and becomes read-only. Runs as root of a mount namespace of its own. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import { StateNotWritten } from "../../src/state/state-store.ts";
import { numbered, numberOf } from "./lab.ts";

const mount = (...args: readonly string[]): unknown => execFileSync("mount", args);

const [folder = ""] = process.argv.slice(2);
mount("-t", "tmpfs", "-o", "size=64k", "none", folder);
const path = join(folder, "state/state.json");
const filler = join(folder, "filler");
const store = new FileStateStore(path);

async function assertRefused(code: string): Promise<void> {
  const before = numberOf((await store.read()).state);
  await assert.rejects(store.write(numbered(99)), (error) => {
    assert(error instanceof StateNotWritten);
    assert.match(error.message, new RegExp(`^cannot write the state file ${path} \\(${code}: `));
    console.log(error.message);
    return true;
  });
  await assertKept(before);
}

async function assertKept(number: number): Promise<void> {
  for (const reader of [store, new FileStateStore(path)]) {
    const { state, found } = await reader.read();
    assert.deepEqual([numberOf(state), found], [number, []]);
  }
}

await store.write(numbered(2));
// Room for neither file, for one alone, for both.
for (const [pages, isEnough] of [
  [0, false],
  [1, false],
  [2, true],
] as const) {
  assert.throws(() => {
    for (;;) appendFileSync(filler, Buffer.alloc(4096));
  }, /ENOSPC/);
  truncateSync(filler, statSync(filler).size - pages * 4096);
  if (!isEnough) await assertRefused("ENOSPC");
  else await store.write(numbered(10));
  rmSync(filler);
  await store.write(numbered(20 + pages));
  await assertKept(20 + pages);
}
mount("-o", "remount,ro", folder);
await assertRefused("EROFS");
mount("-o", "remount,rw", folder);
await store.write(numbered(50));
await assertKept(50);
assert.deepEqual(readdirSync(join(folder, "state")), ["state.json", "state.json.copy"]);

// A start where nothing can be written goes on in memory.
mkdirSync(join(folder, "other"));
mount("-o", "remount,ro", folder);
const other = new FileStateStore(join(folder, "other/state.json"));
assert.equal((await other.read()).origin, "new");
assert.equal((await other.remember(numbered(7))).isWritten, false);
assert.equal(numberOf((await other.read()).state), 7);
