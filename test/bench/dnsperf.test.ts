// What dnsperf 2.10 prints.

import { describe, expect, test } from "vitest";
import { latenciesIn, outcomeIn } from "../../bench/dnsperf.ts";

const statistics = (completed: number, lost: number, codes: string): string => `
[Status] Testing complete (end of file)

Statistics:

  Queries sent:         ${completed + lost}
  Queries completed:    ${completed} (99.63%)
  Queries lost:         ${lost} (0.37%)

  Response codes:       ${codes}
  Average packet size:  request 39, response 39
  Run time (s):         1.411442
  Queries per second:   141171.936218

  Average Latency (s):  0.000465 (min 0.000015, max 0.002551)
  Latency StdDev (s):   0.000359
`;

describe("outcomeIn", () => {
  test.each([
    ["all good", statistics(200, 0, "NOERROR 200 (100.00%)"), { completed: 200, noError: 200, lost: 0 }],
    ["some lost", statistics(200, 3, "NOERROR 200 (100.00%)"), { completed: 200, noError: 200, lost: 3 }],
    [
      "other codes beside",
      statistics(200, 0, "SERVFAIL 50 (25.00%), NOERROR 150 (75.00%)"),
      { completed: 200, noError: 150, lost: 0 },
    ],
    ["other codes alone", statistics(9, 0, "REFUSED 9 (100.00%)"), { completed: 9, noError: 0, lost: 0 }],
  ])("%s", (_name, printed, expected) => {
    expect(outcomeIn(printed)).toEqual({ ...expected, answersPerSecond: 141171.936218 });
  });

  test("no answer at all, where dnsperf names no codes", () => {
    const printed = statistics(0, 5, "").replace(/ {2}Response codes:.*\n/, "");
    expect(outcomeIn(printed)).toMatchObject({ completed: 0, noError: 0, lost: 5 });
  });

  test("shows what was printed where that is something else", () => {
    expect(() => outcomeIn("Error: connect refused")).toThrow("connect refused");
  });
});

describe("latenciesIn", () => {
  test.each([
    ["names", "> NOERROR outlook.office365.com A 0.000205\n> NXDOMAIN a.example A 0.1\n", [0.000205, 0.1]],
    ["a binary file", "> NOERROR binary input 0.000160\n", [0.00016]],
    ["a timeout and an interruption, which took no time", "> T binary input\n> I binary input 0.5\n", []],
    ["what else is printed", "[Status] Started\n  Average Latency (s):  0.000070\n", []],
  ])("%s", (_name, printed, expected) => {
    expect(latenciesIn(printed)).toEqual(expected);
  });
});
