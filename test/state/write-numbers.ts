/** Writes numbered states as fast as it can, and prints each number once it is acknowledged; to be killed. */

import { writeSync } from "node:fs";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import { numbered, numberOf } from "./lab.ts";

const [path = ""] = process.argv.slice(2);
const store = new FileStateStore(path);
for (let number = numberOf((await store.read()).state) + 1; ; number++) {
  await store.write(numbered(number));
  writeSync(1, `${number}\n`);
}
