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

describe("LOC (RFC 1876)", () => {
  const rows: readonly { name: string; type: string; text: string; wire: Uint8Array; printed?: string }[] = [
    {
      name: "the example of RFC 1876 §4",
      type: "LOC",
      text: "42 21 54 N 71 06 18 W -24m 30m",
      wire: hex("0033161389172dd070be15f000988d20"),
      printed: "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m",
    },
    {
      name: "degrees alone, defaults for the rest (RFC 1876 §3)",
      type: "LOC",
      text: "42 N 71 W 0",
      wire: hex("001216138903210070c3da8000989680"),
      printed: "42 0 0.000 N 71 0 0.000 W 0.00m 1m 10000m 10m",
    },
    {
      name: "minutes without seconds",
      type: "LOC",
      text: "42 21 S 71 6 E 10m",
      wire: hex("0012161376e9a5208f41a3c000989a68"),
      printed: "42 21 0.000 S 71 6 0.000 E 10.00m 1m 10000m 10m",
    },
    {
      name: "fractions of a second and of a metre",
      type: "LOC",
      text: "42 21 54.5 N 71 06 18.123 W -24.01m 30m 10 2.5m",
      wire: hex("0033132289172fc470be157500988d1f"),
      printed: "42 21 54.500 N 71 6 18.123 W -24.01m 30m 10m 2m",
    },
    {
      name: "a fraction without digits in front or behind",
      type: "LOC",
      text: "60 0 .5 N 179 0 7. W .5 1.",
      wire: hex("001216138cdfe7f459972128009896b2"),
      printed: "60 0 0.500 N 179 0 7.000 W 0.50m 1m 10000m 10m",
    },
    {
      name: "the farthest and highest",
      type: "LOC",
      text: "90 N 180 W 42849672.95m 90000000.00m",
      wire: hex("00991613934fd90059604e00ffffffff"),
      printed: "90 0 0.000 N 180 0 0.000 W 42849672.95m 90000000m 10000m 10m",
    },
    {
      name: "the lowest",
      type: "LOC",
      text: "0 N 0 E -100000",
      wire: hex("00121613800000008000000000000000"),
      printed: "0 0 0.000 N 0 0 0.000 E -100000.00m 1m 10000m 10m",
    },
    {
      name: "nothing above 0.09 m",
      type: "LOC",
      text: "1 S 1 W 0 0 0.05m 0.1",
      wire: hex("000050117fc911807fc9118000989680"),
      printed: "1 0 0.000 S 1 0 0.000 W 0.00m 0.00m 0.05m 0.10m",
    },
  ];
  test.each(rows)("$name", ({ type, text, wire, printed = text }) => {
    expect(parse(type, text)).toEqual(wire);
    expect(formatRdata(parseType(type) ?? -1, wire)).toBe(printed);
  });

  const wrong: readonly { name: string; text: string; sentence: string }[] = [
    {
      name: "nothing behind the latitude",
      text: "42 N",
      sentence: "degrees, minutes and seconds with E or W behind them are expected",
    },
    {
      name: "a hemisphere in lower case",
      text: "42 n 71 W 0",
      sentence: "degrees, minutes and seconds with N or S behind them are expected",
    },
    {
      name: "no degrees",
      text: "N 71 W 0",
      sentence: "degrees, minutes and seconds with N or S behind them are expected",
    },
    {
      name: "four parts of an angle",
      text: "1 2 3 4 N 1 E 0",
      sentence: "degrees, minutes and seconds with N or S behind them are expected",
    },
    {
      name: "a latitude over 90 degrees",
      text: "90 0 0.001 N 1 E 0",
      sentence: "90 0 0.001 is over 90 degrees",
    },
    {
      name: "degrees out of range",
      text: "1 N 181 E 0",
      sentence: '"181" is not a number of degrees from 0 to 180',
    },
    {
      name: "minutes out of range",
      text: "1 60 N 1 E 0",
      sentence: '"60" is not a number of minutes from 0 to 59',
    },
    {
      name: "seconds out of range",
      text: "1 0 60 N 1 E 0",
      sentence: '"60" is not a number of seconds from 0 to 59.999',
    },
    {
      name: "seconds finer than a thousandth (RFC 1876 §2)",
      text: "1 0 1.2345 N 1 E 0",
      sentence: '"1.2345" is not a number of seconds from 0 to 59.999',
    },
    { name: "no altitude", text: "1 N 1 E", sentence: "the altitude is missing" },
    {
      name: "too low",
      text: "1 N 1 E -100000.01",
      sentence: '"-100000.01" is not an altitude from -100000.00m to 42849672.95m',
    },
    {
      name: "too high",
      text: "1 N 1 E 42849672.96",
      sentence: '"42849672.96" is not an altitude from -100000.00m to 42849672.95m',
    },
    {
      name: "an altitude finer than a centimetre",
      text: "1 N 1 E 1.234",
      sentence: '"1.234" is not an altitude from -100000.00m to 42849672.95m',
    },
    {
      name: "a unit in upper case",
      text: "1 N 1 E 1M",
      sentence: '"1M" is not an altitude from -100000.00m to 42849672.95m',
    },
    {
      name: "a dot alone",
      text: "1 N 1 E .",
      sentence: '"." is not an altitude from -100000.00m to 42849672.95m',
    },
    {
      name: "a negative size",
      text: "1 N 1 E 0 -1",
      sentence: '"-1" is not a size or precision from 0.00m to 90000000.00m',
    },
    {
      name: "a size over 90000 km",
      text: "1 N 1 E 0 90000001",
      sentence: '"90000001" is not a size or precision from 0.00m to 90000000.00m',
    },
    { name: "a fourth diameter", text: "1 N 1 E 0 1 2 3 4", sentence: '"4" is one field too many' },
  ];
  test.each(wrong)("wrong: $name", ({ text, sentence }) => expect(parse("LOC", text)).toBe(sentence));

  const malformed: readonly { name: string; wire: Uint8Array; sentence: string }[] = [
    {
      name: "a size of sixteen",
      wire: hex("00a01313 80000000 80000000 00989680"),
      sentence: "a size or precision is not a digit and a power of ten",
    },
    {
      name: "a power over 9 (RFC 1876 §2)",
      wire: hex("001a1313 80000000 80000000 00989680"),
      sentence: "a size or precision is not a digit and a power of ten",
    },
    {
      name: "zero with a power",
      wire: hex("00021313 80000000 80000000 00989680"),
      sentence: "a size or precision is not a digit and a power of ten",
    },
    {
      name: "a latitude beyond the pole",
      wire: hex("00121313 934fd901 80000000 00000000"),
      sentence: "its latitude is over 90 degrees",
    },
    {
      name: "a longitude beyond 180 degrees",
      wire: hex("00121313 80000000 a69fb201 00000000"),
      sentence: "its longitude is over 180 degrees",
    },
    {
      name: "an octet too few",
      wire: hex("00121313 80000000 80000000 009896"),
      sentence: "it ends too early",
    },
    {
      name: "an octet too many",
      wire: hex("00121313 80000000 80000000 0098968000"),
      sentence: "RDATA is longer than its type allows",
    },
  ];
  test.each(malformed)("malformed: $name", ({ wire, sentence }) =>
    expect(() => readRdata(29, new WireReader(wire))).toThrow(new Malformed(sentence)),
  );

  test("a version above 0 may hold anything, and prints as octets (RFC 1876 §2)", () => {
    expect(readRdata(29, new WireReader(hex("01ff")))).toEqual(hex("01ff"));
    expect(formatRdata(29, hex("01ff"))).toBe("\\# 2 01ff");
  });
});
