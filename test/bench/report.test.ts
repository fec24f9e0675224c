// Samples become rows, and rows a table.

import { describe, expect, test } from "vitest";
import { formatTable, percentile, type Sample, spread, summarize } from "../../bench/report.ts";

const sample = (server: string, cpuMicroseconds: number, rest: Partial<Sample> = {}): Sample => ({
  ...{ server, table: "one", cpuMicroseconds, answersPerSecond: 100_000, lost: 0 },
  ...{ residentMegabytes: 10, startMilliseconds: 20, latency: { p50Microseconds: 60, p99Microseconds: 300 } },
  ...rest,
});

describe("spread", () => {
  test.each([
    ["one value", [3], { median: 3, min: 3, max: 3 }],
    ["the middle of an odd number, in order of size", [9, 10, 1], { median: 9, min: 1, max: 10 }],
    ["between the two in the middle of an even number", [4, 1, 3, 2], { median: 2.5, min: 1, max: 4 }],
    ["nothing", [], { median: Number.NaN, min: Number.NaN, max: Number.NaN }],
  ])("%s", (_name, values, expected) => {
    expect(spread(values)).toEqual(expected);
  });
});

describe("percentile, by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  test.each([
    ["half of a hundred", hundred, 0.5, 50],
    ["99 of a hundred", hundred, 0.99, 99],
    ["all of a hundred", hundred, 1, 100],
    ["half of three", [30, 10, 20], 0.5, 20],
    ["99 in a hundred of one", [7], 0.99, 7],
    ["none at all", [], 0.5, Number.NaN],
  ])("%s", (_name, values, share, expected) => {
    expect(percentile(values, share)).toBe(expected);
  });
});

describe("summarize", () => {
  const samples = [
    ...[sample("b", 5, { lost: 1 }), sample("a", 1), sample("b", 7, { lost: 2 }), sample("b", 6)],
    sample("a", 99, { table: "two" }),
  ];

  test("keeps the order of servers, and looks at one table alone", () => {
    const rows = summarize("one", ["b", "a"], samples);
    expect(rows.map(({ server, cpuMicroseconds }) => [server, cpuMicroseconds.median])).toEqual([
      ["b", 6],
      ["a", 1],
    ]);
  });

  test("adds up what was lost", () => {
    expect(summarize("one", ["b"], samples)[0]?.lost).toBe(3);
  });

  test("has no row for a server without a sample", () => {
    expect(summarize("one", ["c"], samples)).toEqual([]);
  });
});

describe("formatTable", () => {
  const table = (samples: readonly Sample[]): readonly string[] => {
    const servers = [...new Set(samples.map(({ server }) => server))];
    return formatTable("a title", summarize("one", servers, samples)).split("\n");
  };

  test("compares with the echo in C and with gdnsd that gives addresses", () => {
    expect(table([sample("geodns365", 6), sample("gdnsd, addresses", 5), sample("echo, in C", 4)])).toEqual([
      "a title",
      "server            µs/query    min-max  x C echo  x gdnsd  answers/s  p50 µs  p99 µs  lost  MB  start ms",
      "geodns365             6.00  6.00-6.00      1.50     1.20     100000      60     300     0  10        20",
      "gdnsd, addresses      5.00  5.00-5.00      1.25     1.00     100000      60     300     0  10        20",
      "echo, in C            4.00  4.00-4.00      1.00     0.80     100000      60     300     0  10        20",
    ]);
  });

  test("leaves out who is not there to compare with, and the latency where it was not measured", () => {
    const { latency: _, ...without } = sample("Knot", 6);
    expect(table([without])).toEqual([
      "a title",
      "server  µs/query    min-max  answers/s  lost  MB  start ms",
      "Knot        6.00  6.00-6.00     100000     0  10        20",
    ]);
  });
});
