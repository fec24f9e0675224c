/** `npm run bench`: CPU time a query, answers a second, memory and start of geodns365 and its peers, side by side. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ask, checkAnswers, checkEcho, type QuestionKind, queriesOf, questionKinds } from "./lab.ts";
import { sendLoad, writeMessages } from "./load.ts";
import { freePort, printedBy, type Running, start } from "./process.ts";
import { describeMachine, formatTable, type Sample, summarize } from "./report.ts";
import { dns2 } from "./servers/dns2.ts";
import { echo } from "./servers/echo.ts";
import { gdnsdAddresses, gdnsdCname } from "./servers/gdnsd.ts";
import { geodns365, geodns365Logging } from "./servers/geodns365.ts";
import { knot } from "./servers/knot.ts";
import { powerdns } from "./servers/powerdns.ts";
import type { Server } from "./servers/server.ts";

const servers: readonly Server[] = [
  geodns365,
  geodns365Logging,
  gdnsdCname,
  gdnsdAddresses,
  knot,
  powerdns,
  dns2,
  echo,
];

const HELP = `usage: npm run bench -- [--quick] [--rounds N] [--queries N] [--only TEXT,...] [--json FILE]
  --quick      three rounds of 30000 queries, for a first look
  --rounds N   in each round every server is started and measured once (5)
  --queries N  in each round, for each server and each kind of question (200000)
  --only TEXT  only servers whose name holds one of the texts
  --json FILE  writes everything there too, samples included`;

/** Behind these, V8 has compiled what it will. */
const WARM_UP_QUERIES = 40_000;

interface Flags {
  readonly rounds: number;
  readonly queries: number;
  readonly only: readonly string[];
  readonly json: string | undefined;
}

/** A server that is installed, and what its answers look like. */
interface Subject {
  readonly server: Server;
  readonly version: string;
  readonly forms: Readonly<Record<QuestionKind, string>>;
}

async function main(): Promise<number> {
  const flags = readFlags();
  if (flags === "help" || flags === "misuse") {
    (flags === "help" ? console.log : console.error)(HELP);
    return flags === "help" ? 0 : 2;
  }
  const dnsperf = /Version (\S+)/.exec((await printedBy("dnsperf", "-h")) ?? "")?.[1];
  const taskset = await printedBy("taskset", "--version");
  if (dnsperf === undefined || taskset === undefined) {
    const missing = dnsperf === undefined ? "dnsperf" : "taskset (package util-linux)";
    console.error(`the bench needs ${missing}, which is not installed`);
    return 1;
  }
  const folder = makeFolder();
  const machine = { ...describeMachine(), dnsperf };
  const { rounds, queries } = flags;
  console.log(`${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, load ${machine.loadAverage}`);
  console.log(`dnsperf ${dnsperf} on core 1, servers on core 0, 100 queries under way`);
  console.log(`${rounds} rounds of ${queries} queries a kind, behind ${WARM_UP_QUERIES} to warm up\n`);

  const { subjects, missing, failed } = await findSubjects(folder, flags.only);
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another server, so that none always follows the same one.
    const first = round % Math.max(subjects.length, 1);
    for (const { server } of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      progress(`round ${round + 1} of ${rounds}: ${server.name}`);
      samples.push(...(await measure(server, folder, flags)));
    }
  }
  progress("");

  const rows = summarize(
    subjects.map(({ server }) => server.name),
    samples,
  );
  for (const kind of questionKinds) console.log(`${formatTable(kind, rows)}\n`);
  for (const { server, version, forms } of subjects) {
    console.log(`${server.name} (${version}): ${forms.ecs}; without ECS ${forms.plain}`);
  }
  for (const name of missing) console.log(`${name}: not installed`);
  for (const line of failed) console.log(line);
  if (flags.json !== undefined) {
    const versions = subjects.map(({ server, version, forms }) => ({ server: server.name, version, forms }));
    const report = {
      machine,
      rounds,
      queries,
      warmUpQueries: WARM_UP_QUERIES,
      versions,
      missing,
      failed,
      rows,
      samples,
    };
    writeFileSync(flags.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return failed.length === 0 ? 0 : 1;
}

function readFlags(): Flags | "help" | "misuse" {
  const options = {
    quick: { type: "boolean" },
    rounds: { type: "string" },
    queries: { type: "string" },
    only: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean" },
  } as const;
  try {
    const { values } = parseArgs({ options });
    if (values.help) return "help";
    const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
    const queries = Number(values.queries ?? (values.quick ? 30_000 : 200_000));
    if (!isCount(rounds) || !isCount(queries)) return "misuse";
    return { rounds, queries, only: values.only?.split(",") ?? [""], json: values.json };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return "misuse";
  }
}

const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;

/** A temporary folder with the messages of the load; it goes, with every process started, when this process does. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  process.once("SIGHUP", () => process.exit(129));
  for (const kind of questionKinds) writeMessages(messageFile(folder, kind), queriesOf(kind));
  return folder;
}

const messageFile = (folder: string, kind: QuestionKind): string => join(folder, `${kind}.messages`);

/** Which servers there are, and which of them answer rightly; no time is taken of those that do not. */
async function findSubjects(
  folder: string,
  only: readonly string[],
): Promise<{ subjects: readonly Subject[]; missing: readonly string[]; failed: readonly string[] }> {
  const subjects: Subject[] = [];
  const missing: string[] = [];
  const failed: string[] = [];
  for (const server of servers.filter(({ name }) => only.some((text) => name.includes(text)))) {
    progress(`checking ${server.name}`);
    const version = await server.version();
    if (version === undefined) {
      missing.push(server.name);
      continue;
    }
    const check = server === echo ? checkEcho : checkAnswers;
    try {
      const forms = await withServer(server, folder, async ({ port }) => ({
        ecs: await check(port, "ecs"),
        plain: await check(port, "plain"),
      }));
      subjects.push({ server, version, forms });
    } catch (error) {
      failed.push(`${server.name}: left out: ${error instanceof Error ? error.message : error}`);
    }
  }
  progress("");
  return { subjects, missing, failed };
}

/** One start of a server, warmed up and then measured with each kind of question. */
function measure(server: Server, folder: string, flags: Flags): Promise<readonly Sample[]> {
  return withServer(server, folder, async ({ port, running, startMilliseconds }) => {
    const samples: Sample[] = [];
    for (const kind of questionKinds) {
      const file = messageFile(folder, kind);
      await sendLoad({ port, file, queries: WARM_UP_QUERIES });
      const before = running.cpuSeconds();
      const load = await sendLoad({ port, file, queries: flags.queries });
      const cpuSeconds = running.cpuSeconds() - before;
      samples.push({
        server: server.name,
        kind,
        cpuMicroseconds: (cpuSeconds * 1e6) / load.completed,
        answersPerSecond: load.answersPerSecond,
        lost: load.lost,
        residentMegabytes: running.residentBytes() / 1e6,
        startMilliseconds,
      });
    }
    return samples;
  });
}

interface Started {
  readonly port: number;
  readonly running: Running;
  /** from the call to the first answer */
  readonly startMilliseconds: number;
}

/** Runs a server for as long as the work takes. */
async function withServer<T>(
  server: Server,
  folder: string,
  work: (started: Started) => Promise<T>,
): Promise<T> {
  const own = join(folder, "server");
  mkdirSync(own);
  const output = server.printsToNull ? "/dev/null" : join(folder, "output");
  const port = await freePort();
  const command = server.configure(own, port);
  const startedAt = performance.now();
  const running = start(command, output);
  try {
    await firstAnswer(port, running, output);
    const startMilliseconds = performance.now() - startedAt;
    return await work({ port, running, startMilliseconds }).catch((error: unknown) => {
      const ended = running.ended();
      throw ended === undefined ? error : new Error(`${server.name} ended with ${ended} while it was asked`);
    });
  } finally {
    await running.stop();
    rmSync(own, { recursive: true, force: true });
  }
}

const START_LIMIT_MILLISECONDS = 30_000;

async function firstAnswer(port: number, running: Running, output: string): Promise<void> {
  const [message] = queriesOf("plain");
  const deadline = performance.now() + START_LIMIT_MILLISECONDS;
  while (message !== undefined) {
    const answered = await ask(port, message, 1000).catch(() => undefined);
    if (answered !== undefined) return;
    const ended = running.ended();
    if (ended === undefined && performance.now() < deadline) {
      await delay(2);
      continue;
    }
    const printed = readFileSync(output, "utf8").trim().split("\n").slice(-5).join("\n");
    throw new Error(`${ended === undefined ? "no answer" : `ended with ${ended}`}\n${printed}`);
  }
}

/** What is under way, on a terminal alone. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

process.exitCode = await main().catch((error: unknown) => {
  progress("");
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
