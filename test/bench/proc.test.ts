// Files of /proc, as proc(5) has them.

import { describe, expect, test } from "vitest";
import { cpuSecondsOf, kilobytesIn, residentBytesOf, secondsIn, ticksIn } from "../../bench/proc.ts";

const stat = (name: string): string =>
  `16305 (${name}) S 16304 16293 13611 0 -1 4194304 242 0 1 0 8 373 0 0 20 0 1 0 1129232 2666496 305`;

test.each([
  ["a plain name", stat("echo")],
  ["a name with blanks and brackets", stat("a) S 1 (b")],
])("utime and stime behind %s", (_name, text) => {
  expect(ticksIn(text)).toBe(8 + 373);
});

test("time on a CPU in schedstat", () => {
  expect(secondsIn("3821799482 45094290 62531\n")).toBe(3.821799482);
});

test.each([
  ["a field", "Name:\techo\nVmRSS:\t    1220 kB\nRssAnon:\t 80 kB\n", 1220],
  ["a field that is not there", "Name:\techo\n", 0],
])("kilobytes in %s", (_name, text, expected) => {
  expect(kilobytesIn(text, "VmRSS")).toBe(expected);
});

describe.runIf(process.platform === "linux")("of this process", () => {
  test("time passes", () => {
    const before = cpuSecondsOf(process.pid);
    let text = "";
    while (cpuSecondsOf(process.pid) === before) text = `${text.length}`;
    expect(cpuSecondsOf(process.pid)).toBeGreaterThan(before);
  });

  test("it holds megabytes", () => {
    expect(residentBytesOf(process.pid)).toBeGreaterThan(10e6);
  });
});
