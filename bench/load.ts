/** The load: dnsperf, on its own core. */

import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { latenciesIn, type Outcome, outcomeIn } from "./dnsperf.ts";
import { CORE, pinned, run } from "./process.ts";

/** Messages in the form of `dnsperf -B`. */
export interface MessageFile {
  readonly path: string;
  readonly count: number;
}

/** How queries are sent. */
export interface LoadShape {
  readonly transport: "udp" | "tcp";
  /** sockets that the load comes from */
  readonly connections: number;
  /** queries under way at a time, over all connections */
  readonly inFlight: number;
  /** over TCP: each query has a connection of its own, as many at a time as there are connections */
  readonly connectsForEach?: boolean;
}

/** No run is longer than this, however slow the server. */
const TIME_LIMIT_SECONDS = 60;

/** Queries that are not answered within it are lost. */
const TIMEOUT_SECONDS = 2;

/** Of each socket, so that no answer is lost on the way to dnsperf. */
const BUFFER_KILOBYTES = 4096;

/** Each behind its length in two octets. */
export function writeMessages(path: string, messages: Iterable<Buffer>): MessageFile {
  const file = openSync(path, "w");
  let count = 0;
  let chunk: Buffer[] = [];
  for (const message of messages) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    chunk.push(length, message);
    count++;
    if (chunk.length < 10_000) continue;
    writeSync(file, Buffer.concat(chunk));
    chunk = [];
  }
  writeSync(file, Buffer.concat(chunk));
  closeSync(file);
  return { path, count };
}

/** The messages of such a file. */
export function unframed(octets: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < octets.length; ) {
    const end = at + 2 + octets.readUInt16BE(at);
    messages.push(octets.subarray(at + 2, end));
    at = end;
  }
  return messages;
}

/** Sends as many queries, or up to a whole number of times the file; throws where an answer is not NOERROR. */
export async function sendLoad(
  port: number,
  file: MessageFile,
  shape: LoadShape,
  queries: number,
): Promise<Outcome> {
  if (shape.connectsForEach) return good(await connectForEach(port, file, shape, queries));
  return good(outcomeIn(await dnsperf(port, file, shape, ["-n", Math.ceil(queries / file.count)])));
}

/** Sends for as long; throws where an answer is not NOERROR. */
export async function sendLoadFor(
  port: number,
  file: MessageFile,
  shape: LoadShape,
  seconds: number,
): Promise<Outcome> {
  return good(outcomeIn(await dnsperf(port, file, shape, ["-l", seconds], seconds)));
}

/** Sends at a fixed rate, and returns the seconds that each answer took. */
export async function probeLatency(
  port: number,
  file: MessageFile,
  shape: LoadShape,
  rate: { readonly queriesPerSecond: number; readonly seconds: number },
): Promise<readonly number[]> {
  const { queriesPerSecond, seconds } = rate;
  return latenciesIn(
    await dnsperf(port, file, shape, ["-Q", queriesPerSecond, "-l", seconds, "-v"], seconds),
  );
}

function good(outcome: Outcome): Outcome {
  const { completed, noError, lost } = outcome;
  if (lost > completed) throw new Error(`${lost} of ${completed + lost} queries are lost`);
  if (noError !== completed)
    throw new Error(`${completed - noError} of ${completed} answers are not NOERROR`);
  return outcome;
}

async function connectForEach(
  port: number,
  { path }: MessageFile,
  { connections }: LoadShape,
  queries: number,
): Promise<Outcome> {
  const client = join(import.meta.dirname, "connecting-client.ts");
  const args = [client, port, path, queries, connections].map(String);
  const command = pinned(CORE.load, { program: process.execPath, args });
  const outcome: Outcome = JSON.parse(await run(command, TIME_LIMIT_SECONDS * 1000));
  return outcome;
}

function dnsperf(
  port: number,
  { path }: MessageFile,
  { transport, connections, inFlight }: LoadShape,
  extent: readonly (string | number)[],
  seconds = TIME_LIMIT_SECONDS,
): Promise<string> {
  const args = [
    ...["-s", "127.0.0.1", "-p", port, "-f", "inet", "-m", transport],
    ...["-B", "-d", path, ...extent],
    ...(extent.includes("-l") ? [] : ["-l", TIME_LIMIT_SECONDS]),
    ...["-q", inFlight, "-c", connections, "-T", 1, "-t", TIMEOUT_SECONDS, "-b", BUFFER_KILOBYTES],
    ...["-O", "suppress=timeouts,congestion,sendfailed,sockready,unexpected"],
  ].map(String);
  return run(pinned(CORE.load, { program: "dnsperf", args }), (seconds + 10) * 1000);
}
