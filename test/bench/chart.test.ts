// The picture of a table.

import { describe, expect, test } from "vitest";
import { type Bar, drawChart } from "../../bench/chart.ts";

const bar = (label: string, value: number, isOurs = false): Bar => ({ label, value, isOurs });
const draw = (bars: readonly Bar[], title = "µs of CPU a query"): string =>
  drawChart({ title, subtitle: "one core", bars });

const textsIn = (svg: string): readonly (string | undefined)[] =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, text]) => text);

const lengthsIn = (svg: string): readonly number[] =>
  [...svg.matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, length]) => Number(length));

describe("drawChart", () => {
  test("has the shortest bar first, each with its value", () => {
    expect(textsIn(draw([bar("dns2", 24), bar("gdnsd", 4.96), bar("ours", 4.5, true)]))).toEqual([
      ...["µs of CPU a query", "one core"],
      ...["ours", "4.5", "gdnsd", "5.0", "dns2", "24.0"],
    ]);
  });

  test("draws to scale", () => {
    const [short = 0, long = 0] = lengthsIn(draw([bar("a", 10), bar("b", 5)]));
    expect(long / short).toBeCloseTo(2, 1);
  });

  test("colours ours alone", () => {
    expect(draw([bar("a", 1, true), bar("b", 2)]).match(/<rect class="\w+"/g)).toEqual([
      '<rect class="ours"',
      '<rect class="bar"',
    ]);
  });

  test("escapes text wherever it stands", () => {
    const svg = draw([bar(`<a> & "b" 'c'\u0007`, 1)], "a < b & c");
    expect(textsIn(svg)).toContain("&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;");
    expect(svg).toContain('<title id="title">a &lt; b &amp; c</title>');
    expect(svg).not.toMatch(/&(?!(?:amp|lt|gt|quot|apos);)/);
  });

  test("knows light and dark", () => {
    expect(draw([bar("a", 1)])).toContain("@media (prefers-color-scheme: dark)");
  });
});
