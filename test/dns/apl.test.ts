import { describe, expect, test } from "vitest";
import { parseType } from "../../src/dns/iana.ts";
import { splitWords } from "../../src/dns/presentation.ts";
import { formatRdata, parseRdata, readRdata } from "../../src/dns/rdata.ts";
import { Malformed, WireReader } from "../../src/dns/wire-reader.ts";
import { hex, labels } from "./wire.ts";

function parse(type: string, text: string): Uint8Array | string {
  const words = splitWords(text);
  return typeof words === "string" ? words : parseRdata(parseType(type) ?? -1, words, labels("example"));
}

describe("APL (RFC 3123)", () => {
  const rows: readonly { name: string; type: string; text: string; wire: Uint8Array; printed?: string }[] = [
    {
      name: "the example of RFC 3123 §5",
      type: "APL",
      text: "1:192.168.32.0/21 !1:192.168.38.0/28",
      wire: hex("00011503c0a82000011c83c0a826"),
    },
    {
      name: "the whole of each family",
      type: "APL",
      text: "1:0.0.0.0/0 2:::/0",
      wire: hex("0001000000020000"),
    },
    {
      name: "IPv6",
      type: "APL",
      text: "!2:2001:DB8::/32",
      wire: hex("0002208420010db8"),
      printed: "!2:2001:db8::/32",
    },
  ];
  test.each(rows)("$name", ({ type, text, wire, printed = text }) => {
    expect(parse(type, text)).toEqual(wire);
    expect(formatRdata(parseType(type) ?? -1, wire)).toBe(printed);
  });

  const wrong: readonly { name: string; text: string; sentence: string }[] = [
    {
      name: "a family without a presentation format",
      text: "3:10/8",
      sentence: '"3:10/8" is not an item like 1:192.0.2.0/24 or !2:2001:db8::/32',
    },
    {
      name: "no prefix length",
      text: "1:10.0.0.0",
      sentence: '"1:10.0.0.0" is not an item like 1:192.0.2.0/24 or !2:2001:db8::/32',
    },
    {
      name: "an address of the other family",
      text: "1:::/8",
      sentence: '"1:::/8" is not an item like 1:192.0.2.0/24 or !2:2001:db8::/32',
    },
    {
      name: "two negations",
      text: "!!1:10.0.0.0/8",
      sentence: '"!!1:10.0.0.0/8" is not an item like 1:192.0.2.0/24 or !2:2001:db8::/32',
    },
    {
      name: "a prefix length over the family's",
      text: "2:::/129",
      sentence: '"2:::/129" has a prefix length that is not between 0 and 128',
    },
    { name: "quotes", text: '"1:10.0.0.0/8"', sentence: '"1:10.0.0.0/8" must not stand in quotes' },
  ];
  test.each(wrong)("wrong: $name", ({ text, sentence }) => expect(parse("APL", text)).toBe(sentence));

  const malformed: readonly { name: string; wire: Uint8Array; sentence: string }[] = [
    {
      name: "a zero octet at the end (RFC 3123 §4)",
      wire: hex("000118020a00"),
      sentence: "an address in it ends in a zero octet",
    },
    {
      name: "a prefix length over the family's",
      wire: hex("00012101ff"),
      sentence: "an address or prefix length in it is too long for its family",
    },
    {
      name: "an address over the family's",
      wire: hex("00011805 0102030405"),
      sentence: "an address or prefix length in it is too long for its family",
    },
    { name: "an address over the end", wire: hex("00011801"), sentence: "it ends too early" },
  ];
  test.each(malformed)("malformed: $name", ({ wire, sentence }) =>
    expect(() => readRdata(42, new WireReader(wire))).toThrow(new Malformed(sentence)),
  );

  test("a family without a presentation format prints as octets", () => {
    expect(readRdata(42, new WireReader(hex("000308010a")))).toEqual(hex("000308010a"));
    expect(formatRdata(42, hex("000308010a"))).toBe("\\# 5 000308010a");
  });
});
