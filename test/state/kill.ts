/** Kills a writer of states (`write-numbers.ts`) at a random moment, and looks at what is left. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import type { ReadOutcome } from "../../src/state/state-store.ts";
import { numberOf } from "./lab.ts";

export interface Killed {
  /** the last number that was acknowledged */
  readonly acknowledged: number;
  /** as a start finds it */
  readonly left: ReadOutcome;
}

/** Ends the writer with SIGKILL some turns after its first numbers, anywhere in one of its writes. */
export async function killWriter(path: string, random = Math.random): Promise<Killed> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "write-numbers.ts"), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await once(child.stdout, "data");
  const turns = Math.floor(random() * 2000);
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  const lines = printed.slice(0, printed.lastIndexOf("\n")).split("\n");
  return { acknowledged: Number(lines.at(-1)), left: await new FileStateStore(path).read() };
}

export interface Kills {
  readonly kills: number;
  /** how often a change was written, and not acknowledged any more */
  readonly written: number;
  /** how often the two files were not alike */
  readonly unlike: number;
  /** a sentence for each kill that lost something or left a damaged file */
  readonly faults: readonly string[];
}

/** Kills writers one after the other, each going on from what the one before has left. */
export async function killOften(path: string, kills: number): Promise<Kills> {
  const faults: string[] = [];
  let [before, written, unlike] = [1, 0, 0];
  for (let i = 0; i < kills; i++) {
    const { acknowledged, left } = await killWriter(path);
    const found = numberOf(left.state);
    if (acknowledged <= before || found < acknowledged || found > acknowledged + 1) {
      faults.push(`after ${before} came ${acknowledged}, and ${found} is left`);
    }
    if (left.found.some((sentence) => sentence.includes("damaged"))) faults.push(left.found.join("; "));
    if (left.found.length > 0) unlike++;
    if (found > acknowledged) written++;
    before = found;
  }
  return { kills, written, unlike, faults };
}
