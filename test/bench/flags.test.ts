// What the bench is told.

import { describe, expect, test } from "vitest";
import { type Flags, readFlags } from "../../bench/flags.ts";

const flagsOf = (...args: readonly string[]): Flags => {
  const read = readFlags(args);
  if (read.kind !== "flags") throw new Error(`${args.join(" ")}: ${read.kind}`);
  return read.flags;
};

describe("readFlags", () => {
  test("nothing is the lab at full length", () => {
    expect(flagsOf()).toEqual({
      ...{ mode: { kind: "lab" }, rounds: 5, queries: 200_000, probeSeconds: 2, inFlight: [100], only: [""] },
      ...{ json: undefined, svg: undefined },
    });
  });

  test.each<[readonly string[], Partial<Flags>]>([
    [["--quick"], { rounds: 3, queries: 20_000 }],
    [["--quick", "--rounds", "5"], { rounds: 5, queries: 20_000 }],
    [["--in-flight", "100,1000"], { inFlight: [100, 1000] }],
    [["--only", "geodns365,gdnsd"], { only: ["geodns365", "gdnsd"] }],
    [["--tenants", "1000000"], { mode: { kind: "tenants", count: 1_000_000 } }],
    [["--tcp"], { mode: { kind: "tcp" } }],
    [["--reload"], { mode: { kind: "reload", seconds: 60 } }],
    [["--reload", "--quick"], { mode: { kind: "reload", seconds: 10 } }],
    [["--reload", "--seconds", "5"], { mode: { kind: "reload", seconds: 5 } }],
    [["--json", "a.json", "--svg", "a.svg"], { json: "a.json", svg: "a.svg" }],
  ])("%j", (args, expected) => {
    expect(flagsOf(...args)).toMatchObject(expected);
  });

  test.each([
    [["--rounds", "0"], "--rounds takes a whole number above 0"],
    [["--in-flight", "100,"], "--in-flight takes a whole number above 0"],
    [["--tenants", "many"], "--tenants takes a whole number above 0"],
    [["--tcp", "--reload"], "one of --tenants, --tcp and --reload at a time"],
    [["--seconds", "5"], "--seconds goes with --reload"],
    [["--fast"], "Unknown option '--fast'"],
  ])("%j is a misuse", (args, message) => {
    const read = readFlags(args);
    expect(read.kind === "misuse" && read.message).toContain(message);
  });

  test("--help", () => {
    expect(readFlags(["--help", "--quick"])).toEqual({ kind: "help" });
  });
});
