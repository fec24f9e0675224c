/** Samples made into rows, and rows into tables. */

import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import type { QuestionKind } from "./lab.ts";

/** One round of one server with one kind of question. */
export interface Sample {
  readonly server: string;
  readonly kind: QuestionKind;
  /** user and system time for each answer */
  readonly cpuMicroseconds: number;
  readonly answersPerSecond: number;
  readonly lost: number;
  readonly residentMegabytes: number;
  readonly startMilliseconds: number;
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** All rounds of one server with one kind of question. */
export interface Row {
  readonly server: string;
  readonly kind: QuestionKind;
  readonly cpuMicroseconds: Spread;
  readonly answersPerSecond: Spread;
  readonly lost: number;
  readonly residentMegabytes: Spread;
  readonly startMilliseconds: Spread;
}

/** The rows that others are compared with. */
const references = [
  { heading: "x echo", server: "echo, in Node" },
  { heading: "x gdnsd", server: "gdnsd, addresses" },
] as const;

export function summarize(servers: readonly string[], samples: readonly Sample[]): readonly Row[] {
  const keys = servers.flatMap((server) => (["ecs", "plain"] as const).map((kind) => ({ server, kind })));
  return keys.map(({ server, kind }) => {
    const own = samples.filter((sample) => sample.server === server && sample.kind === kind);
    const spreadOf = (value: (sample: Sample) => number): Spread => spread(own.map(value));
    return {
      server,
      kind,
      cpuMicroseconds: spreadOf((sample) => sample.cpuMicroseconds),
      answersPerSecond: spreadOf((sample) => sample.answersPerSecond),
      lost: own.reduce((sum, sample) => sum + sample.lost, 0),
      residentMegabytes: spreadOf((sample) => sample.residentMegabytes),
      startMilliseconds: spreadOf((sample) => sample.startMilliseconds),
    };
  });
}

/** The median and the extremes. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

const titles: Readonly<Record<QuestionKind, string>> = {
  ecs: "with a client subnet, from ten networks in turn",
  plain: "without EDNS, from loopback",
};

export function formatTable(kind: QuestionKind, allRows: readonly Row[]): string {
  const rows = allRows.filter((row) => row.kind === kind);
  const heading = [
    ...["server", "µs/query", "min-max"],
    ...references.map((reference) => reference.heading),
    ...["answers/s", "lost", "MB", "start ms"],
  ];
  const cells = rows.map(({ server, cpuMicroseconds: cpu, ...row }) => [
    server,
    cpu.median.toFixed(2),
    `${cpu.min.toFixed(2)}-${cpu.max.toFixed(2)}`,
    ...references.map((reference) => {
      const other = rows.find((candidate) => candidate.server === reference.server);
      return other === undefined ? "" : (cpu.median / other.cpuMicroseconds.median).toFixed(2);
    }),
    row.answersPerSecond.median.toFixed(0),
    String(row.lost),
    row.residentMegabytes.median.toFixed(0),
    row.startMilliseconds.median.toFixed(0),
  ]);
  return [`outlook.office365.com A ${titles[kind]}`, ...aligned([heading, ...cells])].join("\n");
}

/** Columns of one width, the first to the left, numbers to the right. */
function aligned(lines: readonly (readonly string[])[]): readonly string[] {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths?.[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  "),
  );
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  /** of the last minute: what else was running */
  readonly loadAverage: string;
}

export function describeMachine(): Machine {
  const [, cpu = "unknown CPU"] =
    /^model name\s*:\s*(.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8")) ?? [];
  return { cpu, cores: cpus().length, kernel: release(), loadAverage: (loadavg()[0] ?? 0).toFixed(2) };
}
