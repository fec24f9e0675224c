/** `npm run test:kill`: 1,000 kills during writes, and file systems that are really full or read-only. Needs Linux. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { killOften } from "./kill.ts";
import { makeFolder } from "./lab.ts";

const LANES = 4;
const started = performance.now();

// A mount of its own, gone with the process: unshare makes whoever runs this root of it.
const mountPoint = makeFolder();
const unshare = ["--user", "--map-root-user", "--mount", process.execPath];
const fullDisk = join(import.meta.dirname, "full-disk.ts");
execFileSync("unshare", [...unshare, fullDisk, mountPoint.path], { stdio: "inherit" });
mountPoint.remove();

const folders = Array.from({ length: LANES }, makeFolder);
const lanes = await Promise.all(folders.map(({ file }) => killOften(file, 1000 / LANES)));
for (const folder of folders) folder.remove();

const sum = (key: "kills" | "written" | "unlike"): number => lanes.reduce((all, lane) => all + lane[key], 0);
const faults = lanes.flatMap((lane) => lane.faults);
for (const fault of faults) console.error(fault);
const counts = `${sum("kills")} kills, ${sum("written")} between writing and acknowledging, ${sum("unlike")} between the two files`;
console.log(`${counts}: ${faults.length} faults, ${Math.round((performance.now() - started) / 1000)} s`);
process.exitCode = faults.length === 0 ? 0 : 1;
