/** The reader of JSON agrees with JSON.parse, and says where it stands. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodeAt, readJson } from "../../src/endpoints/json-text.ts";

test("it reads what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const read = readJson(text);
      expect(read.kind === "json" && read.root.value).toEqual(JSON.parse(text));
    }),
  );
});

test("it takes a text exactly if JSON.parse does", () => {
  const piece = fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"a"',
    '"b',
    "1",
    "-",
    "0.5e1",
    "01",
    "true",
    "nul",
    " ",
    "\n",
    "\t",
    '"\\u00e9"',
    '"\\x"',
    '"\u0001"',
    '"\u007f"',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join("");
      const isTwice = (found: ReturnType<typeof readJson>) =>
        found.kind === "fault" && found.message.endsWith("is here twice");
      const read = readJson(text);
      expect(read.kind === "json" || isTwice(read)).toBe(isJson(text));
    }),
    { numRuns: 5000 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("it knows where a value stands", () => {
  const text = '\ufeff[{ "id": 1 },\n { "urls": ["a", "b"] }]';
  const read = readJson(text);
  if (read.kind === "fault") throw new Error(read.message);
  const at = (...path: (string | number)[]) => text.slice(nodeAt(read.root, path).offset).slice(0, 3);
  expect(at(1, "urls", 1)).toBe('"b"');
  expect(at(0, "id")).toBe("1 }");
  expect(at(1, "ips", 0)).toBe('{ "');
});

describe("what is wrong", () => {
  test.each([
    ["", 0, "this is not JSON: expected a value, found the end of the file"],
    ["<html>", 0, "this is not JSON: expected a value, found <"],
    ['[{"id": 1,}]', 10, "this is not JSON: expected a key in double quotes, found }"],
    ['[{"id" 1}]', 7, "this is not JSON: expected :, found 1"],
    ["[1 2]", 3, "this is not JSON: expected , or ], found 2"],
    ['["a"', 4, "this is not JSON: expected , or ], found the end of the file"],
    ['["a]', 1, 'this is not JSON: expected a value, found "a]'],
    ['[{"id": 1}] x', 12, "this is not JSON: expected the end of the file, found x"],
    ['{"a": 1, "a": 2}', 9, '"a" is here twice'],
    ['["\u0001"]', 1, "this text holds a control character, which JSON writes as \\uXXXX"],
    ["[".repeat(100_000), 65, "lists or maps stand in each other too deep"],
  ])("%.20j", (text, offset, message) => {
    expect(readJson(text)).toEqual({ kind: "fault", offset, message });
  });
});
