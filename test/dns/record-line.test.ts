import { describe, expect, test } from "vitest";
import { formatRRset } from "../../src/dns/message.ts";
import { parseRecordLine, parseTypeAndRdata } from "../../src/dns/record-line.ts";
import { labels } from "./wire.ts";

const parse = (line: string) => parseRecordLine(line, labels("example"), 3600);

describe("parseRecordLine (RFC 1035 §5.1)", () => {
  const rows: readonly { name: string; line: string; printed: string }[] = [
    { name: "TTL and class", line: "www.test. 60 IN A 192.0.2.1", printed: "www.test. 60 A 192.0.2.1" },
    { name: "class and TTL", line: "www.test. IN 60 A 192.0.2.1", printed: "www.test. 60 A 192.0.2.1" },
    { name: "TTL alone", line: "www.test. 60 A 192.0.2.1", printed: "www.test. 60 A 192.0.2.1" },
    { name: "class alone", line: "www.test. IN A 192.0.2.1", printed: "www.test. 3600 A 192.0.2.1" },
    { name: "neither", line: "www.test. A 192.0.2.1", printed: "www.test. 3600 A 192.0.2.1" },
    { name: "a TTL in units", line: "www.test. 1h30m A 192.0.2.1", printed: "www.test. 5400 A 192.0.2.1" },
    { name: "TTL 0", line: "www.test. 0 A 192.0.2.1", printed: "www.test. 0 A 192.0.2.1" },
    {
      name: "the largest TTL (RFC 2181 §8)",
      line: "www.test. 2147483647 A 192.0.2.1",
      printed: "www.test. 2147483647 A 192.0.2.1",
    },
    {
      name: "small letters, CLASS1 and TYPE1",
      line: "a. class1 type1 192.0.2.1",
      printed: "a. 3600 A 192.0.2.1",
    },
    {
      name: "a relative owner, spelling kept",
      line: "Www A 192.0.2.1",
      printed: "Www.example. 3600 A 192.0.2.1",
    },
    { name: "the origin as owner", line: "@ A 192.0.2.1", printed: "example. 3600 A 192.0.2.1" },
    { name: "a wildcard owner", line: "*.a A 192.0.2.1", printed: "*.a.example. 3600 A 192.0.2.1" },
    {
      name: "an owner that looks like a TTL",
      line: "60 A 192.0.2.1",
      printed: "60.example. 3600 A 192.0.2.1",
    },
    {
      name: "an owner that looks like a class",
      line: "IN IN A 192.0.2.1",
      printed: "IN.example. 3600 A 192.0.2.1",
    },
    { name: "relative names in RDATA", line: "a MX 10 mx", printed: "a.example. 3600 MX 10 mx.example." },
    {
      name: "tabs and many blanks",
      line: " a\t\t60   A \t192.0.2.1  ",
      printed: "a.example. 60 A 192.0.2.1",
    },
    { name: "a comment", line: "a A 192.0.2.1 ; the first", printed: "a.example. 3600 A 192.0.2.1" },
    { name: "a comment without a blank", line: "a A 192.0.2.1;x", printed: "a.example. 3600 A 192.0.2.1" },
    {
      name: "quoted strings with blanks, escapes and semicolons",
      line: 'a TXT "v=DMARC1; p=none" "say \\"hi\\"" "\\\\" ; "not this"',
      printed: 'a.example. 3600 TXT "v=DMARC1; p=none" "say \\"hi\\"" "\\\\"',
    },
    { name: "strings without a blank between", line: 'a TXT "b""c"', printed: 'a.example. 3600 TXT "b" "c"' },
    { name: "escaped semicolon and blank", line: "a TXT b\\;c\\ d", printed: 'a.example. 3600 TXT "b;c d"' },
    {
      name: "an owner with escapes",
      line: "a\\.b\\032c A 192.0.2.1",
      printed: "a\\.b\\032c.example. 3600 A 192.0.2.1",
    },
    {
      name: "an unknown type (RFC 3597 §5)",
      line: "a 60 IN TYPE65280 \\# 2 abcd",
      printed: "a.example. 60 TYPE65280 \\# 2 abcd",
    },
  ];
  test.each(rows)("$name", ({ line, printed }) => {
    const rrset = parse(line);
    if (typeof rrset === "string") expect.fail(rrset);
    expect(formatRRset(rrset)).toEqual([printed]);
    expect(rrset.name).toBe(printed.split(" ")[0]?.toLowerCase());
    expect(parse(printed)).toEqual(rrset);
  });

  const wrong: readonly { name: string; line: string; sentence: string }[] = [
    { name: "nothing", line: "", sentence: "the line holds no record" },
    { name: "blanks", line: " \t ", sentence: "the line holds no record" },
    { name: "a comment", line: "; a A 192.0.2.1", sentence: "the line holds no record" },
    { name: "an owner alone", line: "a", sentence: "the type is missing" },
    { name: "no type", line: "a 60 IN", sentence: "the type is missing" },
    { name: "a wrong owner", line: "a..b A 192.0.2.1", sentence: '"a..b" has an empty label' },
    { name: "an unknown type", line: "a 60 IN AAAAA ::1", sentence: '"AAAAA" is not a type' },
    { name: "a type over 16 bits", line: "a TYPE65536 \\# 0", sentence: '"TYPE65536" is not a type' },
    { name: "a second TTL", line: "a 60 60 A 192.0.2.1", sentence: '"60" is not a type' },
    { name: "a second class", line: "a IN IN A 192.0.2.1", sentence: '"IN" is not a type' },
    { name: "a class behind both", line: "a 60 IN 60 A 192.0.2.1", sentence: '"60" is not a type' },
    {
      name: "a TTL over 31 bits (RFC 2181 §8)",
      line: "a 2147483648 A 192.0.2.1",
      sentence: '"2147483648" is not a type',
    },
    { name: "a negative TTL", line: "a -1 A 192.0.2.1", sentence: '"-1" is not a type' },
    { name: "class CH", line: "a CH A 192.0.2.1", sentence: "only class IN is served" },
    {
      name: "class CLASS3 behind a TTL",
      line: "a 60 CLASS3 A 192.0.2.1",
      sentence: "only class IN is served",
    },
    { name: "wrong RDATA", line: "a A 192.0.2.256", sentence: '"192.0.2.256" is not an IPv4 address' },
    {
      name: "a quote without an end",
      line: 'a TXT "b',
      sentence: "a quoted text is not closed, or the line ends in a backslash",
    },
    {
      name: "an escaped quote without an end",
      line: 'a TXT "b\\"',
      sentence: "a quoted text is not closed, or the line ends in a backslash",
    },
    {
      name: "a backslash at the end",
      line: "a TXT b\\",
      sentence: "a quoted text is not closed, or the line ends in a backslash",
    },
  ];
  test.each(wrong)("wrong: $name", ({ line, sentence }) => {
    expect(parse(line)).toBe(sentence);
  });

  test("makes an RRset of one record", () => {
    expect(parse("Www 60 IN CNAME Mail.test.")).toEqual({
      owner: labels("Www", "example"),
      name: "www.example.",
      type: 5,
      ttlSeconds: 60,
      rdatas: [labels("Mail", "test")],
    });
  });
});

describe("parseTypeAndRdata", () => {
  test.each([
    ["A 192.0.2.1", { type: 1, rdata: Uint8Array.of(192, 0, 2, 1) }],
    ["CNAME mail ; relative", { type: 5, rdata: labels("mail", "example") }],
    ["60 A 192.0.2.1", '"60" is not a type'],
    ["IN A 192.0.2.1", '"IN" is not a type'],
    ["", "the type is missing"],
    ['TXT "b', "a quoted text is not closed, or the line ends in a backslash"],
  ])("%s", (line, parsed) => {
    expect(parseTypeAndRdata(line, labels("example"))).toEqual(parsed);
  });
});
