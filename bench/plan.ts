/** The rounds: every server started, warmed up, measured and stopped, one at a time, in turn. */

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Flags } from "./flags.ts";
import { ask, isResponse, rcodeOf } from "./lab.ts";
import { type LoadShape, type MessageFile, probeLatency, sendLoad } from "./load.ts";
import { freePort, type Running, start } from "./process.ts";
import { percentile, type Sample } from "./report.ts";
import type { Server } from "./servers/server.ts";

/** What is measured in one run of the bench. */
export interface Plan {
  readonly servers: readonly Server[];
  readonly tables: readonly Table[];
  /** A start is over when this is answered. */
  readonly firstMessage: Buffer;
  readonly startLimitMilliseconds: number;
  /** Returns what the answers look like; throws where one is wrong. */
  check(server: Server, port: number): Promise<string>;
}

/** One load, which every server gets. */
export interface Table {
  readonly title: string;
  readonly shape: LoadShape;
  readonly file: MessageFile;
  /** other queries of the same kind, sent before */
  readonly warmUpFile: MessageFile;
  readonly queries: number;
  readonly probesLatency: boolean;
}

/** A server that is installed and answers rightly. */
export interface Subject {
  readonly server: Server;
  readonly version: string;
  /** of its answers */
  readonly form: string;
}

/** Everything that came of a plan; what did not start or answer is a line. */
export interface Measured {
  readonly subjects: readonly Subject[];
  readonly missing: readonly string[];
  readonly failed: readonly string[];
  readonly samples: readonly Sample[];
}

/** Behind these, V8 has compiled what it will; tables after the first find it so. */
/** Behind the warm-up, for what a server does once and when it has time for it: compiling, giving memory back. */
const REST_MILLISECONDS = 1500;

export const WARM_UP_QUERIES = { first: 40_000, next: 10_000 } as const;

/** Of the latency: so few that the slowest server is not busy with them. */
export const PROBES_PER_SECOND = 5000;

export async function runPlan(plan: Plan, folder: string, flags: Flags): Promise<Measured> {
  const { subjects, missing, failed } = await findSubjects(plan, folder, flags.only);
  const samples: Sample[] = [];
  const left = new Set(subjects);
  for (let round = 0; round < flags.rounds; round++) {
    // Each round begins with another server, so that none always follows the same one.
    const first = round % Math.max(subjects.length, 1);
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      if (!left.has(subject)) continue;
      progress(`round ${round + 1} of ${flags.rounds}: ${subject.server.name}`);
      try {
        samples.push(...(await measure(subject.server, plan, folder, flags)));
      } catch (error) {
        left.delete(subject);
        failed.push(`${subject.server.name}: given up in round ${round + 1}: ${messageOf(error)}`);
      }
    }
  }
  progress("");
  return { subjects, missing, failed, samples };
}

/** Which servers there are, and which of them answer rightly; no time is taken of those that do not. */
async function findSubjects(
  plan: Plan,
  folder: string,
  only: readonly string[],
): Promise<{ subjects: readonly Subject[]; missing: readonly string[]; failed: string[] }> {
  const subjects: Subject[] = [];
  const missing: string[] = [];
  const failed: string[] = [];
  for (const server of plan.servers.filter(({ name }) => only.some((text) => name.includes(text)))) {
    progress(`checking ${server.name}`);
    const found = await server.find();
    if (found.kind === "missing") {
      missing.push(`${server.name}: ${found.why}`);
      continue;
    }
    try {
      const form = await withServer(server, plan, folder, ({ port }) => plan.check(server, port));
      subjects.push({ server, version: found.version, form });
    } catch (error) {
      failed.push(`${server.name}: left out: ${messageOf(error)}`);
    }
  }
  progress("");
  return { subjects, missing, failed };
}

/** One start of a server, and each table's load in turn. */
function measure(server: Server, plan: Plan, folder: string, flags: Flags): Promise<readonly Sample[]> {
  return withServer(server, plan, folder, async ({ port, running, startMilliseconds }) => {
    const samples: Sample[] = [];
    for (const { title, shape, file, warmUpFile, queries, probesLatency } of plan.tables) {
      const warmUp = samples.length === 0 ? WARM_UP_QUERIES.first : WARM_UP_QUERIES.next;
      await sendLoad(port, warmUpFile, shape, Math.min(warmUp, queries * 2));
      await delay(REST_MILLISECONDS);
      const before = running.cpuSeconds();
      const load = await sendLoad(port, file, shape, queries);
      const cpuSeconds = running.cpuSeconds() - before;
      const residentMegabytes = running.residentBytes() / 1e6;
      const rate = { queriesPerSecond: PROBES_PER_SECOND, seconds: flags.probeSeconds };
      const seconds = probesLatency ? await probeLatency(port, file, shape, rate) : [];
      samples.push({
        server: server.name,
        table: title,
        cpuMicroseconds: (cpuSeconds * 1e6) / load.completed,
        answersPerSecond: load.answersPerSecond,
        ...(probesLatency && {
          latency: {
            p50Microseconds: percentile(seconds, 0.5) * 1e6,
            p99Microseconds: percentile(seconds, 0.99) * 1e6,
          },
        }),
        lost: load.lost,
        residentMegabytes,
        startMilliseconds,
      });
    }
    return samples;
  });
}

export interface Started {
  readonly port: number;
  readonly running: Running;
  /** its configuration is there, and goes with it */
  readonly folder: string;
  /** from the call to the first answer */
  readonly startMilliseconds: number;
}

/** Runs a server for as long as the work takes. */
export async function withServer<T>(
  server: Server,
  { firstMessage, startLimitMilliseconds }: Pick<Plan, "firstMessage" | "startLimitMilliseconds">,
  folder: string,
  work: (started: Started) => Promise<T>,
): Promise<T> {
  const own = join(folder, "server");
  mkdirSync(own);
  const output = server.printsToNull ? "/dev/null" : join(folder, "output");
  let running: Running | undefined;
  try {
    const port = await freePort();
    const command = server.configure(own, port);
    const startedAt = performance.now();
    running = start(command, output);
    await firstAnswer(port, running, output, firstMessage, startedAt + startLimitMilliseconds);
    const startMilliseconds = performance.now() - startedAt;
    return await work({ port, running, folder: own, startMilliseconds });
  } catch (error) {
    const ended = running?.ended();
    throw ended === undefined ? error : new Error(`ended with ${ended}\n${messageOf(error)}`);
  } finally {
    await running?.stop();
    rmSync(own, { recursive: true, force: true });
  }
}

/** Until one comes with NOERROR; a server that is still loading may refuse, fail or be silent. */
async function firstAnswer(
  port: number,
  running: Running,
  output: string,
  message: Buffer,
  deadline: number,
): Promise<void> {
  for (;;) {
    const octets = await ask(port, message, 200).catch(() => undefined);
    if (octets !== undefined && isResponse(octets) && rcodeOf(octets) === 0) return;
    if (running.ended() !== undefined || performance.now() > deadline) break;
    await delay(2);
  }
  const printed = readFileSync(output, "utf8").trim().split("\n").slice(-5).join("\n");
  throw new Error(`no answer\n${printed}`);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What is under way, on a terminal alone. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
