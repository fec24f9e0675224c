// CSV by RFC 4180, a record a line: cells with their places, or what is wrong.

import { describe, expect, test } from "vitest";
import { parseCsv } from "../../src/config/csv.ts";

const told = (text: string): readonly string[] => {
  const { rows, faults } = parseCsv(text);
  return [
    ...rows.map((row) => row.map((cell) => `${cell.line}:${cell.column} ${cell.text}`).join(" | ")),
    ...faults.map(({ line, column, message }) => `${line}:${column} ${message}`),
  ];
};

describe("parseCsv", () => {
  test.each([
    ["cells of a line", "a,b,c", ["1:1 a | 1:3 b | 1:5 c"]],
    ["empty cells, the last one too", "a,,c,", ["1:1 a | 1:3  | 1:4 c | 1:6 "]],
    ["lines by either end, and blank ones", "a\r\n\n  \nb\n", ["1:1 a", "4:1 b"]],
    ["blanks around bare cells", " a , b b ,\tc", ["1:2 a | 1:6 b b | 1:12 c"]],
    ["quotes", '"a,b", "say ""so""" ,c', ['1:1 a,b | 1:8 say "so" | 1:22 c']],
    ["an empty quoted cell", '"",x', ["1:1  | 1:4 x"]],
    ["a byte order mark", "\ufeffa,b", ["1:1 a | 1:3 b"]],
    ["nothing", "", []],
    [
      "a quote that is not closed",
      'a\nb,"c\nd',
      ["1:1 a", "3:1 d", "2:3 this quote is not closed on its line"],
    ],
    ["something behind a quote", '"a"b,c', ["1:4 a comma must follow the quote that ends a cell"]],
    [
      "a quote in a bare cell",
      'ab"c,d',
      ['1:3 a cell with a quote in it must be in quotes, and the quote written twice: ""'],
    ],
  ])("%s", (_name, text, expected) => {
    expect(told(text)).toEqual(expected);
  });
});
