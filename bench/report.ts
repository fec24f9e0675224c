/** Samples made into rows, and rows into tables. */

import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";

/** One round of one server in one table. */
export interface Sample {
  readonly server: string;
  readonly table: string;
  /** user and system time for each answer */
  readonly cpuMicroseconds: number;
  readonly answersPerSecond: number;
  /** at a fixed rate; absent where it was not measured */
  readonly latency?: Latency;
  readonly lost: number;
  readonly residentMegabytes: number;
  /** from the call to the first answer */
  readonly startMilliseconds: number;
}

export interface Latency {
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** All rounds of one server in one table. */
export interface Row {
  readonly server: string;
  readonly table: string;
  readonly cpuMicroseconds: Spread;
  readonly answersPerSecond: Spread;
  readonly p50Microseconds: Spread;
  readonly p99Microseconds: Spread;
  readonly lost: number;
  readonly residentMegabytes: Spread;
  readonly startMilliseconds: Spread;
}

/** The rows that others are compared with: the first of the names that is in the table. */
const references = [
  { heading: "x C echo", servers: ["echo, in C"] },
  { heading: "x gdnsd", servers: ["gdnsd, addresses", "gdnsd, CNAME", "gdnsd"] },
] as const;

/** In the order of servers; one without a sample has no row. */
export function summarize(
  table: string,
  servers: readonly string[],
  samples: readonly Sample[],
): readonly Row[] {
  return servers.flatMap((server) => {
    const own = samples.filter((sample) => sample.server === server && sample.table === table);
    if (own.length === 0) return [];
    const spreadOf = (value: (sample: Sample) => number): Spread => spread(own.map(value));
    return {
      server,
      table,
      cpuMicroseconds: spreadOf((sample) => sample.cpuMicroseconds),
      answersPerSecond: spreadOf((sample) => sample.answersPerSecond),
      p50Microseconds: spreadOf(({ latency }) => latency?.p50Microseconds ?? Number.NaN),
      p99Microseconds: spreadOf(({ latency }) => latency?.p99Microseconds ?? Number.NaN),
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

/** The smallest value that so large a share of all does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function formatTable(title: string, rows: readonly Row[]): string {
  const compared = references.flatMap(({ heading, servers }) => {
    const found = servers.flatMap((server) => rows.filter((row) => row.server === server))[0];
    return found === undefined ? [] : [{ heading, median: found.cpuMicroseconds.median }];
  });
  const isProbed = rows.some(({ p50Microseconds }) => !Number.isNaN(p50Microseconds.median));
  const heading = [
    ...["server", "µs/query", "min-max"],
    ...compared.map((reference) => reference.heading),
    "answers/s",
    ...(isProbed ? ["p50 µs", "p99 µs"] : []),
    ...["lost", "MB", "start ms"],
  ];
  const cells = rows.map(({ server, cpuMicroseconds: cpu, ...row }) => [
    server,
    cpu.median.toFixed(2),
    `${cpu.min.toFixed(2)}-${cpu.max.toFixed(2)}`,
    ...compared.map(({ median }) => (cpu.median / median).toFixed(2)),
    rounded(row.answersPerSecond),
    ...(isProbed ? [rounded(row.p50Microseconds), rounded(row.p99Microseconds)] : []),
    String(row.lost),
    rounded(row.residentMegabytes),
    rounded(row.startMilliseconds),
  ]);
  return [title, ...aligned([heading, ...cells])].join("\n");
}

const rounded = ({ median }: Spread): string => median.toFixed(0);

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
