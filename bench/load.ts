/** The load: dnsperf, on its own core. */

import { writeFileSync } from "node:fs";
import { CORE, pinned, run } from "./process.ts";

export interface Load {
  readonly completed: number;
  readonly lost: number;
  readonly answersPerSecond: number;
}

export interface LoadOptions {
  readonly port: number;
  /** as made by writeMessages */
  readonly file: string;
  /** rounded up to a whole number of times the file */
  readonly queries: number;
}

/** No run is longer than this, however slow the server. */
const TIME_LIMIT_SECONDS = 60;
const MESSAGES_IN_FILE = 1000;

/** Writes the messages, again and again, in the form of `dnsperf -B`: each behind its length in two octets. */
export function writeMessages(file: string, messages: readonly Buffer[]): void {
  const framed = messages.map((message) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    return Buffer.concat([length, message]);
  });
  const times = MESSAGES_IN_FILE / messages.length;
  writeFileSync(file, Buffer.concat(Array.from({ length: times }, () => framed).flat()));
}

/** Sends, 100 queries under way at a time; throws where an answer is not NOERROR. */
export async function sendLoad({ port, file, queries }: LoadOptions): Promise<Load> {
  const times = Math.ceil(queries / MESSAGES_IN_FILE);
  const args = [
    ...["-s", "127.0.0.1", "-p", port, "-f", "inet"],
    ...["-B", "-d", file, "-n", times, "-l", TIME_LIMIT_SECONDS],
    ...["-q", 100, "-c", 1, "-T", 1, "-t", 2],
  ].map(String);
  const command = pinned(CORE.load, { program: "dnsperf", args });
  const printed = await run(command, (TIME_LIMIT_SECONDS + 10) * 1000);
  const completed = numberIn(printed, /Queries completed:\s+(\d+)/);
  const good = numberIn(printed, /Response codes:.*?NOERROR (\d+)/);
  if (good !== completed) throw new Error(`${completed - good} of ${completed} answers are not NOERROR`);
  return {
    completed,
    lost: numberIn(printed, /Queries lost:\s+(\d+)/),
    answersPerSecond: numberIn(printed, /Queries per second:\s+([\d.]+)/),
  };
}

function numberIn(printed: string, pattern: RegExp): number {
  const [, digits] = pattern.exec(printed) ?? [];
  if (digits === undefined) throw new Error(`dnsperf printed nothing like ${pattern}:\n${printed}`);
  return Number(digits);
}
