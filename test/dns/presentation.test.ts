import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCharacters, parseCharacters, parseTtl, splitWords } from "../../src/dns/presentation.ts";
import { octets } from "./wire.ts";

describe("splitWords (RFC 1035 §5.1)", () => {
  const rows: readonly { name: string; line: string; words: readonly string[] }[] = [
    { name: "blanks and tabs", line: "\ta  b\t c ", words: ["a", "b", "c"] },
    { name: "quoted words, quotes shown here", line: 'a "b c" ""', words: ["a", '"b c"', '""'] },
    { name: "escapes stay as written", line: 'a\\ b "c\\"d" \\;', words: ["a\\ b", '"c\\"d"', "\\;"] },
    { name: "an escaped blank at the end", line: "a\\ ", words: ["a\\ "] },
    { name: "a quote ends a word", line: 'a"b"c', words: ["a", '"b"', "c"] },
    { name: "a comment", line: 'a ; b "', words: ["a"] },
    { name: "a semicolon in quotes", line: '"a;b"', words: ['"a;b"'] },
    { name: "nothing", line: "", words: [] },
  ];
  test.each(rows)("$name", ({ line, words }) => {
    const split = splitWords(line);
    if (typeof split === "string") expect.fail(split);
    expect(split.map(({ text, quoted }) => (quoted ? `"${text}"` : text))).toEqual(words);
  });
});

describe("character strings", () => {
  test("of any octets come back, in printing ASCII that is one word", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300, size: "max" }), (characters) => {
        const text = formatCharacters(characters);
        expect(text).toMatch(/^"[ -~]*"$/);
        expect(splitWords(text)).toEqual([{ text: text.slice(1, -1), quoted: true }]);
        expect(parseCharacters(text.slice(1, -1))).toEqual(characters);
      }),
    );
  });

  test.each([
    { name: "\\DDD", text: "\\065\\000", expected: octets(65, 0) },
    { name: "\\X", text: "\\a\\\\\\;", expected: octets("a\\;") },
    { name: "a letter beyond the basic plane", text: "😀", expected: octets(0xf0, 0x9f, 0x98, 0x80) },
    { name: "\\256", text: "\\256", expected: '"\\256" has an escape that is not \\X or \\DDD below 256' },
    {
      name: "a backslash at the end",
      text: "a\\",
      expected: '"a\\" has an escape that is not \\X or \\DDD below 256',
    },
  ])("parseCharacters: $name", ({ text, expected }) => {
    expect(parseCharacters(text)).toEqual(expected);
  });
});

describe("parseTtl", () => {
  test.each([
    ["0", 0],
    ["007", 7],
    ["2147483647", 0x7fffffff],
    ["1s", 1],
    ["1m", 60],
    ["1h", 3600],
    ["1d", 86_400],
    ["1w", 604_800],
    ["1W2D3h4M5s", 788_645],
    ["30m1h", 5400],
    ["1h1h", 7200],
    ["3550w5d3h14m7s", 0x7fffffff],
  ])("%s is %d seconds", (text, seconds) => expect(parseTtl(text)).toBe(seconds));

  test.each([
    "",
    "-1",
    "+1",
    "1.5",
    "h",
    "1h30",
    "1y",
    "1 h",
    "1h ",
    "0x10",
    "2147483648",
    "3550w5d3h14m8s",
    "١",
  ])("%j is none (RFC 2181 §8)", (text) => expect(parseTtl(text)).toBeUndefined());

  test("may have 32 bits where it is no TTL", () =>
    expect(parseTtl("4294967295", 0xffffffff)).toBe(0xffffffff));
});
