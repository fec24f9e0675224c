import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Check } from "../../src/scenario/play.ts";
import { diffLines, formatDifference, formatReports } from "../../src/scenario/reports.ts";

const check = (title: string, outcome: Check["outcome"]): Check => ({
  place: { file: "/lab/x.yaml", line: 3, column: 5 },
  title,
  atSeconds: undefined,
  outcome,
  explain: undefined,
});

describe("a difference", () => {
  test.each([
    [["a"], ["b"], ["x: expected a, got b"]],
    [[], ["b"], ["x:", "- (nothing)", "+ b"]],
    [["a", "b"], [], ["x:", "- a", "- b", "+ (nothing)"]],
    [
      ["a", "b", "c"],
      ["a", "c", "d"],
      ["x:", "  a", "- b", "  c", "+ d"],
    ],
  ])("%j to %j", (expected, got, lines) => {
    expect([...formatDifference({ what: "x", expected, got })]).toEqual(lines);
  });

  it("holds both lists, each in its order, and no line twice that both have in a row", () => {
    const lines = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = diffLines(before, after);
        const without = (mark: string) => diff.filter(([each]) => each !== mark).map(([, line]) => line);
        expect(without("+")).toEqual(before);
        expect(without("-")).toEqual(after);
        if (before.join() === after.join()) expect(diff.every(([mark]) => mark === " ")).toBe(true);
      }),
    );
  });
});

describe("what a title may hold", () => {
  const nasty = 'a # b \\ <c> & "d" \x1b[2J\n';
  const report = {
    file: "/lab/x.yaml",
    title: undefined,
    checks: [
      check(nasty, { kind: "skipped", because: nasty }),
      check(nasty, { kind: "different", differences: [{ what: "rcode", expected: [nasty], got: ["x"] }] }),
      check("done", { kind: "done" }),
    ],
  };

  it("cannot begin a directive of TAP or a line of its own", () => {
    const lines = [...formatReports([report], "tap")];
    expect(lines.slice(0, 4)).toEqual([
      "TAP version 14",
      "1..2",
      'ok 1 - a \\# b \\\\ <c> & "d" \\\\x1b[2J\\\\x0a # SKIP a \\# b \\\\ <c> & "d" \\\\x1b[2J\\\\x0a',
      'not ok 2 - a \\# b \\\\ <c> & "d" \\\\x1b[2J\\\\x0a',
    ]);
    expect(lines.every((line) => !line.includes("\n"))).toBe(true);
  });

  it("cannot end an attribute of XML", () => {
    const text = [...formatReports([report], "junit")].join("\n");
    expect(text).toContain('name="a # b \\ &lt;c&gt; &amp; &quot;d&quot; \\x1b[2J');
    expect(text).toContain('tests="2" failures="1" errors="0" skipped="1"');
    expect(text).not.toContain("\x1b");
  });

  it("cannot steer a terminal", () => {
    expect([...formatReports([report], "text")].join("\n")).not.toContain("\x1b");
  });
});
