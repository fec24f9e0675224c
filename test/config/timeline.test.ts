import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { parseAsk } from "../../src/config/ask.ts";
import { formatSeconds, parseTimeline } from "../../src/config/timeline.ts";

describe("times", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["30", 30],
    ["90s", 90],
    ["1m30s", 90],
    ["1m30", 90],
    ["2h", 7200],
    ["1d1s", 86_401],
  ])("%s", (text, seconds) => expect(parseTimeline(text)).toBe(seconds));
  test.each(["", "s", "-1", "1.5s", "1s1m", "30 s", "1w", "h"])('"%s" is none', (text) => {
    expect(parseTimeline(text)).toBe(`"${text}" is no time like 30, 30s, 1m30s or 2h`);
  });
  test("a year is the longest", () => expect(parseTimeline("366d")).toBe('"366d" is longer than a year'));
  it("are read as they are written", () => {
    fc.assert(
      fc.property(fc.nat({ max: 365 * 86_400 }), (seconds) => {
        expect(parseTimeline(formatSeconds(seconds))).toBe(seconds);
      }),
    );
  });
});

describe("questions", () => {
  test.each([
    ["www.example", { name: "www.example", qtype: 1 }],
    [" www.example.  aaaa ", { name: "www.example.", qtype: 28 }],
    ["www.example TYPE65", { name: "www.example", qtype: 65 }],
  ])("%s", (text, ask) => expect(parseAsk(text)).toMatchObject(ask));
  test.each(["", "www.example A B", "www..example", "www.example AAAAA"])('"%s" is none', (text) => {
    expect(typeof parseAsk(text)).toBe("string");
  });
});
