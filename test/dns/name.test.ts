import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  domainName,
  foldCase,
  formatName,
  isAtOrBelow,
  nameOctets,
  nameOf,
  parentOf,
  parseName,
  replaceSuffix,
  selfAndAncestors,
  wildcardBelow,
} from "../../src/dns/name.ts";
import { labelList, wireName } from "./arbitraries.ts";
import { labels, octets } from "./wire.ts";

const label63 = "a".repeat(63);
/** A name whose wire format has `length` octets, 194 to 257. */
const nameOfOctets = (length: number): string => `${`${label63}.`.repeat(3)}${"b".repeat(length - 194)}.`;

describe("parseName and formatName", () => {
  const rows: readonly { name: string; text: string; wire: Uint8Array; printed?: string }[] = [
    { name: "the root", text: ".", wire: octets(0) },
    { name: "one label", text: "example.", wire: labels("example") },
    { name: "several labels, spelling kept", text: "Www.ExAmple.", wire: labels("Www", "ExAmple") },
    { name: "a wildcard name", text: "*.example.", wire: labels("*", "example") },
    { name: "an underscore and a hyphen", text: "_sip._tls.a-b.", wire: labels("_sip", "_tls", "a-b") },
    {
      name: "an escaped dot is no end of a label (RFC 1035 §5.1)",
      text: "a\\.b.c.",
      wire: labels("a.b", "c"),
    },
    { name: "a label that ends in a dot", text: "a\\..c.", wire: labels("a.", "c") },
    { name: "a label that ends in a backslash", text: "a\\\\.c.", wire: labels("a\\", "c") },
    { name: "\\DDD in decimal (RFC 1035 §5.1)", text: "a\\032b.", wire: labels("a b") },
    { name: "octet 0", text: "\\000.", wire: octets(1, 0, 0) },
    { name: "octet 255", text: "\\255.", wire: octets(1, 255, 0) },
    { name: "\\DDD followed by digits", text: "\\0011.", wire: octets(2, 1, "1", 0) },
    { name: "octets that print as \\DDD: 127 and 128", text: "\\127\\128.", wire: octets(2, 127, 128, 0) },
    {
      name: "characters that mean something in a zone file",
      text: '\\@\\$\\(\\)\\;\\".',
      wire: labels('@$();"'),
    },
    {
      name: "\\DDD of a printing character, and an escape that none needs",
      text: "\\097\\b.",
      wire: labels("ab"),
      printed: "ab.",
    },
    { name: "\\DDD of a dot", text: "a\\046b.", wire: labels("a.b"), printed: "a\\.b." },
    { name: "an escaped blank", text: "a\\ b.", wire: labels("a b"), printed: "a\\032b." },
    { name: "a label of 63 octets (RFC 1035 §2.3.4)", text: `${label63}.`, wire: labels(label63) },
    {
      name: "escapes count as one octet each",
      text: `${"\\255".repeat(63)}.`,
      wire: octets(63, new Uint8Array(63).fill(255), 0),
    },
    {
      name: "a name of 255 octets (RFC 1035 §2.3.4)",
      text: nameOfOctets(255),
      wire: labels(label63, label63, label63, "b".repeat(61)),
    },
    {
      name: "a relative name where no origin is given",
      text: "a.b",
      wire: labels("a", "b"),
      printed: "a.b.",
    },
  ];
  test.each(rows)("$name", ({ text, wire, printed = text }) => {
    expect(parseName(text)).toEqual(wire);
    expect(formatName(wire)).toBe(printed);
  });

  const relative: readonly { name: string; text: string; origin: Uint8Array; wire: Uint8Array }[] = [
    {
      name: "@ is the origin (RFC 1035 §5.1)",
      text: "@",
      origin: labels("example"),
      wire: labels("example"),
    },
    {
      name: "an escaped @ is a label",
      text: "\\@",
      origin: labels("example"),
      wire: labels("@", "example"),
    },
    {
      name: "@ in a longer name is a label",
      text: "@.a.",
      origin: labels("example"),
      wire: labels("@", "a"),
    },
    {
      name: "a relative name",
      text: "www.a",
      origin: labels("example"),
      wire: labels("www", "a", "example"),
    },
    { name: "a final dot", text: "www.a.", origin: labels("example"), wire: labels("www", "a") },
    {
      name: "an escaped final dot leaves the name relative",
      text: "www\\.",
      origin: labels("example"),
      wire: labels("www.", "example"),
    },
    {
      name: "an escaped final dot behind a dot",
      text: "a.www\\.",
      origin: labels("example"),
      wire: labels("a", "www.", "example"),
    },
    { name: "the root below an origin", text: ".", origin: labels("example"), wire: octets(0) },
    {
      name: "255 octets together with the origin",
      text: nameOfOctets(247).slice(0, -1),
      origin: labels("example"),
      wire: labels(label63, label63, label63, "b".repeat(53), "example"),
    },
  ];
  test.each(relative)("relative: $name", ({ text, origin, wire }) => {
    expect(parseName(text, origin)).toEqual(wire);
  });

  const wrong: readonly { name: string; text: string; origin?: Uint8Array; sentence: string }[] = [
    { name: "nothing", text: "", sentence: "an empty text is no name" },
    { name: "two dots", text: "a..b.", sentence: '"a..b." has an empty label' },
    { name: "a dot in front", text: ".a.", sentence: '".a." has an empty label' },
    { name: "two dots alone", text: "..", sentence: '".." has an empty label' },
    { name: "a label of 64 octets", text: `a${label63}.b.`, sentence: "has a label over 63 octets" },
    { name: "a last label of 64 octets", text: `b.a${label63}`, sentence: "has a label over 63 octets" },
    { name: "a name of 256 octets", text: nameOfOctets(256), sentence: "is a name over 255 octets" },
    {
      name: "256 octets together with the origin",
      text: nameOfOctets(248).slice(0, -1),
      origin: labels("example"),
      sentence: "is a name over 255 octets",
    },
    { name: "\\256", text: "\\256.", sentence: "has an escape that is not" },
    { name: "two digits", text: "\\25.", sentence: "has an escape that is not" },
    { name: "digits and a letter", text: "\\25a.", sentence: "has an escape that is not" },
    { name: "a backslash at the end", text: "a\\", sentence: "has an escape that is not" },
    { name: "an escaped letter beyond ASCII", text: "\\ä.", sentence: "has an escape that is not" },
    { name: "a blank", text: "a b.", sentence: "has a character that a name must write as \\DDD" },
    { name: "a tab", text: "a\tb.", sentence: "has a character that a name must write as \\DDD" },
    {
      name: "a letter beyond ASCII",
      text: "ä.",
      sentence: "has a character that a name must write as \\DDD",
    },
    { name: "octet 127", text: "\x7f.", sentence: "has a character that a name must write as \\DDD" },
  ];
  test.each(wrong)("wrong: $name", ({ text, origin, sentence }) => {
    expect(parseName(text, origin)).toContain(sentence);
  });

  test("any octets come back from presentation format, in printing ASCII", () => {
    fc.assert(
      fc.property(labelList, (list) => {
        const wire = wireName(list);
        const text = formatName(wire);
        expect(text).toMatch(/^[!-~]+\.$|^\.$/);
        expect(parseName(text, labels("elsewhere"))).toEqual(wire);
      }),
    );
  });
});

describe("foldCase and domainName", () => {
  const rows: readonly { name: string; wire: Uint8Array; expected: string }[] = [
    { name: "letters A to Z (RFC 4343 §3)", wire: labels("AZaz", "Example"), expected: "azaz.example." },
    { name: "the characters around A to Z", wire: labels("@[`{"), expected: "\\@[`{." },
    {
      name: "octets beyond ASCII stay (RFC 4343 §3)",
      wire: octets(2, 0xc0, 0xe0, 0),
      expected: "\\192\\224.",
    },
    { name: "length octets stay", wire: labels("A".repeat(63)), expected: `${"a".repeat(63)}.` },
    { name: "the root", wire: labels(), expected: "." },
  ];
  test.each(rows)("$name", ({ wire, expected }) => {
    expect(domainName(wire)).toBe(expected);
    expect(foldCase(wire)).toEqual(parseName(expected));
  });

  test("folding leaves the octets that came in as they were", () => {
    const wire = labels("WWW");
    foldCase(wire);
    expect(wire).toEqual(labels("WWW"));
  });

  test.each([
    { text: "A\\.B.Example", name: "a\\.b.example." },
    { text: "\\065\\032", name: "a\\032." },
    { text: ".", name: "." },
  ])("nameOf $text has one spelling, $name", ({ text, name }) => {
    expect(nameOf(text)).toBe(name);
    expect(domainName(nameOctets(nameOf(text)))).toBe(name);
  });

  test("nameOf throws for what is no name", () => {
    expect(() => nameOf("a..b")).toThrow("has an empty label");
  });
});

describe("the tree", () => {
  const parents: readonly { name: string; of: string; parents: readonly string[] }[] = [
    { name: "the root has none", of: ".", parents: [] },
    { name: "a label below the root", of: "example.", parents: ["."] },
    { name: "three labels", of: "a.b.example.", parents: ["b.example.", "example.", "."] },
    { name: "an escaped dot is passed over", of: "a\\.b.example.", parents: ["example.", "."] },
    { name: "an escaped backslash is not", of: "a\\\\.b.", parents: ["b.", "."] },
    { name: "an escaped backslash and an escaped dot", of: "a\\\\\\.b.c.", parents: ["c.", "."] },
    { name: "\\DDD", of: "\\255\\000.b.", parents: ["b.", "."] },
  ];
  test.each(parents)("parentOf: $name", ({ of, parents }) => {
    expect([...selfAndAncestors(nameOf(of))]).toEqual([of, ...parents]);
    expect(parentOf(nameOf(of))).toBe(parents[0]);
  });

  const below: readonly { name: string; of: string; ancestor: string; expected: boolean }[] = [
    { name: "itself", of: "example.", ancestor: "example.", expected: true },
    { name: "a name below", of: "a.b.example.", ancestor: "example.", expected: true },
    { name: "everything is below the root", of: "example.", ancestor: ".", expected: true },
    { name: "the root is below itself", of: ".", ancestor: ".", expected: true },
    { name: "the root is below nothing else", of: ".", ancestor: "example.", expected: false },
    { name: "the name above is not below", of: "example.", ancestor: "a.example.", expected: false },
    { name: "a label that ends alike", of: "anexample.", ancestor: "example.", expected: false },
    { name: "an escaped dot parts no labels", of: "a\\.example.", ancestor: "example.", expected: false },
    { name: "an escaped backslash before a dot", of: "a\\\\.example.", ancestor: "example.", expected: true },
    {
      name: "an escaped backslash before an escaped dot",
      of: "a\\\\\\.example.",
      ancestor: "example.",
      expected: false,
    },
    { name: "an ancestor with an escaped dot", of: "x.a\\.b.", ancestor: "a\\.b.", expected: true },
    { name: "\\DDD before the dot", of: "\\255.b.", ancestor: "b.", expected: true },
  ];
  test.each(below)("isAtOrBelow: $name", ({ of, ancestor, expected }) => {
    expect(isAtOrBelow(nameOf(of), nameOf(ancestor))).toBe(expected);
  });

  test.each([
    { of: ".", expected: "*." },
    { of: "example.", expected: "*.example." },
    { of: "a\\.b.", expected: "*.a\\.b." },
  ])("wildcardBelow $of is $expected (RFC 4592 §2.1.1)", ({ of, expected }) => {
    expect(wildcardBelow(nameOf(of))).toBe(expected);
    expect(parentOf(wildcardBelow(nameOf(of)))).toBe(of);
  });

  const long = labels(label63, label63, label63);
  const replaced: readonly {
    name: string;
    of: Uint8Array;
    ancestor: Uint8Array;
    target: Uint8Array;
    expected: Uint8Array | undefined;
  }[] = [
    {
      name: "labels in front are kept as spelled",
      of: labels("A", "b", "OLD", "example"),
      ancestor: labels("old", "example"),
      target: labels("New", "test"),
      expected: labels("A", "b", "New", "test"),
    },
    {
      name: "the root put in place by a name",
      of: labels("a"),
      ancestor: labels(),
      target: labels("test"),
      expected: labels("a", "test"),
    },
    {
      name: "a name put in place by the root",
      of: labels("a", "test"),
      ancestor: labels("test"),
      target: labels(),
      expected: labels("a"),
    },
    {
      name: "255 octets",
      of: labels("b".repeat(61), "x"),
      ancestor: labels("x"),
      target: long,
      expected: labels("b".repeat(61), label63, label63, label63),
    },
    {
      name: "256 octets",
      of: labels("b".repeat(62), "x"),
      ancestor: labels("x"),
      target: long,
      expected: undefined,
    },
  ];
  test.each(replaced)("replaceSuffix (RFC 6672 §2.2): $name", ({ of, ancestor, target, expected }) => {
    expect(replaceSuffix(of, ancestor, target)).toEqual(expected);
  });

  test("goes up label by label, whatever the octets", () => {
    fc.assert(
      fc.property(labelList, (list) => {
        const expected = [...list, []].map((_, i) => domainName(wireName(list.slice(i))));
        expect([...selfAndAncestors(domainName(wireName(list)))]).toEqual(expected);
      }),
    );
  });

  test("a name is below the names made of its last labels and below no others", () => {
    const shortList = fc.array(
      fc.array(fc.constantFrom(0x2e, 0x5c, 0x61, 0x41), { minLength: 1, maxLength: 2 }),
      {
        maxLength: 3,
      },
    );
    fc.assert(
      fc.property(shortList, shortList, (list, other) => {
        const folded = (of: readonly (readonly number[])[]) => foldCase(wireName(of)).join();
        const expected =
          other.length <= list.length && folded(list.slice(list.length - other.length)) === folded(other);
        expect(isAtOrBelow(domainName(wireName(list)), domainName(wireName(other)))).toBe(expected);
        expect(isAtOrBelow(domainName(wireName([...other, ...list])), domainName(wireName(list)))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
