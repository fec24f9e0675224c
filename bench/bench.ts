/** `npm run bench`: CPU time a query, answers a second, latency, memory and start of geodns365 and its peers, side by side. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawChart } from "./chart.ts";
import { type Flags, HELP, type Mode, readFlags } from "./flags.ts";
import { labPlan, tcpPlan } from "./modes/lab.ts";
import { reload } from "./modes/reload.ts";
import { tenantsPlan } from "./modes/tenants.ts";
import { messageOf, type Plan, PROBES_PER_SECOND, progress, runPlan, WARM_UP_QUERIES } from "./plan.ts";
import { pinThisProcess, printedBy } from "./process.ts";
import { describeMachine, formatTable, type Row, summarize } from "./report.ts";

async function main(): Promise<number> {
  const read = readFlags(process.argv.slice(2));
  if (read.kind === "help") {
    console.log(HELP);
    return 0;
  }
  if (read.kind === "misuse") {
    console.error(`${read.message}\n${HELP}`);
    return 2;
  }
  const { flags } = read;
  const dnsperf = /Version (\S+)/.exec((await printedBy("dnsperf", "-h")) ?? "")?.[1];
  const taskset = await printedBy("taskset", "--version");
  if (dnsperf === undefined || taskset === undefined) {
    const missing = dnsperf === undefined ? "dnsperf" : "taskset (package util-linux)";
    console.error(`the bench needs ${missing}, which is not installed`);
    return 1;
  }
  await pinThisProcess();
  const folder = makeFolder();
  const machine = { ...describeMachine(), dnsperf };
  console.log(`${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, load ${machine.loadAverage}`);
  console.log(`dnsperf ${dnsperf} on core 1, servers on core 0`);
  return flags.mode.kind === "reload"
    ? reload(folder, flags.mode.seconds, flags)
    : comparePeers(makePlan(folder, flags.mode, flags), folder, flags, machine);
}

function makePlan(folder: string, mode: Exclude<Mode, { kind: "reload" }>, flags: Flags): Plan {
  switch (mode.kind) {
    case "lab":
      return labPlan(folder, flags);
    case "tcp":
      return tcpPlan(folder, flags);
    case "tenants":
      return tenantsPlan(folder, mode.count, flags);
    default:
      return mode satisfies never;
  }
}

async function comparePeers(plan: Plan, folder: string, flags: Flags, machine: object): Promise<number> {
  const { rounds, queries } = flags;
  console.log(
    `${rounds} rounds of ${queries} queries a table, up to ${WARM_UP_QUERIES.first} before to warm up; latency at ${PROBES_PER_SECOND} queries a second\n`,
  );
  const { subjects, missing, failed, samples } = await runPlan(plan, folder, flags);
  const names = subjects.map(({ server }) => server.name);
  const tables = plan.tables
    .map(({ title }) => ({ title, rows: summarize(title, names, samples) }))
    .filter(({ rows }) => rows.length > 0);
  for (const { title, rows } of tables) console.log(`${formatTable(title, rows)}\n`);
  for (const { server, version, form } of subjects) console.log(`${server.name} (${version}): ${form}`);
  for (const line of [...missing, ...failed]) console.log(line);
  if (flags.json !== undefined) {
    const versions = subjects.map(({ server, version, form }) => ({ server: server.name, version, form }));
    const report = { machine, flags, versions, missing, failed, tables, samples };
    writeFileSync(flags.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  const [first] = tables;
  if (flags.svg !== undefined && first !== undefined) {
    writeFileSync(flags.svg, drawRows(first.title, first.rows));
  }
  return failed.length === 0 ? 0 : 1;
}

function drawRows(title: string, rows: readonly Row[]): string {
  return drawChart({
    title: "CPU time a query on one core, in µs: less is better",
    subtitle: title,
    bars: rows.map(({ server, cpuMicroseconds }) => ({
      label: server,
      value: cpuMicroseconds.median,
      isOurs: server.startsWith("geodns365"),
    })),
  });
}

/** A temporary folder; it goes, with every process started, when this process does. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  process.once("SIGHUP", () => process.exit(129));
  return folder;
}

process.exitCode = await main().catch((error: unknown) => {
  progress("");
  console.error(messageOf(error));
  return 1;
});
