import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatAddress,
  formatEndpoint,
  formatPrefix,
  isLoopback,
  maskOctets,
  parseAddress,
  parseEndpoint,
  parsePrefix,
  prefixContains,
  prefixOf,
  unmapAddress,
} from "../src/ip.ts";

const hexOf = (octets: Uint8Array | undefined) => octets && Buffer.from(octets).toString("hex");
const zeros = (count: number) => "0".repeat(count);

function address(text: string) {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`"${text}" is no address`);
  return parsed;
}

describe("parseAddress and formatAddress", () => {
  const rows: readonly { name: string; text: string; hex: string; printed?: string }[] = [
    { name: "IPv4", text: "192.0.2.1", hex: "c0000201" },
    { name: "IPv4, all zero", text: "0.0.0.0", hex: zeros(8) },
    { name: "IPv4, all one", text: "255.255.255.255", hex: "ffffffff" },
    { name: "IPv6", text: "2001:db8::1", hex: `20010db8${zeros(23)}1` },
    { name: "IPv6, all zero", text: "::", hex: zeros(32) },
    { name: "the loopback", text: "::1", hex: `${zeros(31)}1` },
    { name: "zeros at the end", text: "2001:db8::", hex: `20010db8${zeros(24)}` },
    { name: "eight groups", text: "1:2:3:4:5:6:7:8", hex: "00010002000300040005000600070008" },
    {
      name: "upper case and leading zeros (RFC 5952 §4.1, §4.3)",
      text: "2001:0DB8::00FF",
      hex: `20010db8${zeros(22)}ff`,
      printed: "2001:db8::ff",
    },
    {
      name: "one group of zeros is not shortened (RFC 5952 §4.2.2)",
      text: "2001:db8::1:1:1:1:1",
      hex: "20010db8000000010001000100010001",
      printed: "2001:db8:0:1:1:1:1:1",
    },
    {
      name: "the longest run is shortened (RFC 5952 §4.2.3)",
      text: "1::4:0:0:0:8",
      hex: "00010000000000040000000000000008",
      printed: "1:0:0:4::8",
    },
    {
      name: "the first of two equal runs is shortened (RFC 5952 §4.2.3)",
      text: "2001:db8:0:0:1:0:0:1",
      hex: "20010db8000000000001000000000001",
      printed: "2001:db8::1:0:0:1",
    },
    {
      name: "IPv4-mapped (RFC 4291 §2.5.5.2)",
      text: "::ffff:192.0.2.1",
      hex: `${zeros(20)}ffffc0000201`,
      printed: "::ffff:c000:201",
    },
    {
      name: "IPv4-compatible is not mapped (RFC 4291 §2.5.5.1)",
      text: "::192.0.2.1",
      hex: `${zeros(24)}c0000201`,
      printed: "::c000:201",
    },
    {
      name: "a dotted end behind other groups (RFC 4291 §2.2)",
      text: "64:ff9b::192.0.2.1",
      hex: `0064ff9b${zeros(16)}c0000201`,
      printed: "64:ff9b::c000:201",
    },
  ];
  test.each(rows)("$name", ({ text, hex, printed = text }) => {
    const { family, octets } = address(text);
    expect(hexOf(octets)).toBe(hex);
    expect(family).toBe(hex.length === 8 ? 4 : 6);
    expect(formatAddress(octets)).toBe(printed);
  });

  test.each([
    "",
    "192.0.2",
    "192.0.2.256",
    "192.0.2.01",
    "0x7f.0.0.1",
    "3221225985",
    " 192.0.2.1",
    "192.0.2.1 ",
    "192.0.2.1/32",
    "2001:db8",
    "1::2::3",
    "fe80::1%eth0",
    "[::1]",
    "::fffff",
    "example",
  ])("%j is no address", (text) => expect(parseAddress(text)).toBeUndefined());

  test("any octets come back", () => {
    const octet = fc.constantFrom(0, 0, 0, 1, 0x7f, 0xff);
    const octets = fc
      .constantFrom(4, 16)
      .chain((length) => fc.array(octet, { minLength: length, maxLength: length }));
    fc.assert(
      fc.property(octets, (list) => {
        const text = formatAddress(Uint8Array.from(list));
        expect(address(text).octets).toEqual(Uint8Array.from(list));
        // The same 32 bits in dotted form are the same address.
        if (list.length === 4) return;
        const head = formatAddress(Uint8Array.from([...list.slice(0, 12), 1, 1, 1, 1]))
          .split(":")
          .slice(0, -2);
        expect(hexOf(address(`${head.join(":")}:${list.slice(12).join(".")}`).octets)).toBe(
          hexOf(Uint8Array.from(list)),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("prefixes", () => {
  const rows: readonly { name: string; text: string; hex: string; length: number; printed?: string }[] = [
    { name: "IPv4", text: "10.1.0.0/16", hex: "0a010000", length: 16 },
    { name: "not at an octet", text: "10.1.128.0/17", hex: "0a018000", length: 17 },
    { name: "everything", text: "0.0.0.0/0", hex: zeros(8), length: 0 },
    { name: "one address", text: "10.1.2.3/32", hex: "0a010203", length: 32 },
    {
      name: "an address without a length",
      text: "10.1.2.3",
      hex: "0a010203",
      length: 32,
      printed: "10.1.2.3/32",
    },
    { name: "IPv6", text: "2001:db8:1::/48", hex: `20010db80001${zeros(20)}`, length: 48 },
    {
      name: "an IPv6 address without a length",
      text: "::1",
      hex: `${zeros(31)}1`,
      length: 128,
      printed: "::1/128",
    },
    { name: "IPv6, everything", text: "::/0", hex: zeros(32), length: 0 },
  ];
  test.each(rows)("$name", ({ text, hex, length, printed = text }) => {
    const prefix = parsePrefix(text);
    if (typeof prefix === "string") expect.fail(prefix);
    expect({ hex: hexOf(prefix.octets), length: prefix.length }).toEqual({ hex, length });
    expect(formatPrefix(prefix)).toBe(printed);
  });

  const wrong: readonly { name: string; text: string; sentence: string }[] = [
    { name: "a length over 32", text: "10.0.0.0/33", sentence: "between 0 and 32" },
    { name: "a length over 128", text: "::/129", sentence: "between 0 and 128" },
    { name: "no length behind the slash", text: "10.0.0.0/", sentence: "between 0 and 32" },
    { name: "a negative length", text: "10.0.0.0/-1", sentence: "between 0 and 32" },
    { name: "a netmask", text: "10.0.0.0/255.0.0.0", sentence: "between 0 and 32" },
    { name: "two slashes", text: "10.0.0.0/8/8", sentence: "between 0 and 32" },
    { name: "a shortened address", text: "10/8", sentence: "is not an address prefix" },
    { name: "nothing", text: "", sentence: "is not an address prefix" },
    { name: "bits behind the length", text: "10.1.2.3/24", sentence: "did you mean 10.1.2.0/24?" },
    { name: "bits right behind the length", text: "10.1.1.0/23", sentence: "did you mean 10.1.0.0/23?" },
    { name: "bits behind an IPv6 length", text: "2001:db8::1/64", sentence: "did you mean 2001:db8::/64?" },
  ];
  test.each(wrong)("wrong: $name", ({ text, sentence }) => {
    expect(parsePrefix(text)).toContain(sentence);
  });

  test.each([
    { length: 0, expected: "00000000" },
    { length: 1, expected: "80000000" },
    { length: 7, expected: "fe000000" },
    { length: 8, expected: "ff000000" },
    { length: 9, expected: "ff800000" },
    { length: 31, expected: "fffffffe" },
    { length: 32, expected: "ffffffff" },
  ])("maskOctets keeps $length bits", ({ length, expected }) => {
    expect(hexOf(maskOctets(Uint8Array.of(255, 255, 255, 255), length))).toBe(expected);
  });

  test.each([
    { prefix: "10.1.0.0/16", of: "10.1.255.255", expected: true },
    { prefix: "10.1.0.0/16", of: "10.2.0.0", expected: false },
    { prefix: "10.1.128.0/17", of: "10.1.127.255", expected: false },
    { prefix: "10.1.2.3/32", of: "10.1.2.3", expected: true },
    { prefix: "0.0.0.0/0", of: "255.255.255.255", expected: true },
    { prefix: "0.0.0.0/0", of: "::", expected: false },
    { prefix: "::/0", of: "0.0.0.0", expected: false },
    { prefix: "2001:db8::/33", of: "2001:db8:7fff::1", expected: true },
    { prefix: "2001:db8::/33", of: "2001:db8:8000::1", expected: false },
  ])("$prefix holds $of: $expected", ({ prefix, of, expected }) => {
    const parsed = parsePrefix(prefix);
    if (typeof parsed === "string") expect.fail(parsed);
    expect(prefixContains(parsed, address(of))).toBe(expected);
  });

  test("prefixOf is the prefix that holds the address", () => {
    expect(formatPrefix(prefixOf(address("10.1.255.3"), 17))).toBe("10.1.128.0/17");
    expect(formatPrefix(prefixOf(address("2001:db8:ffff::1"), 44))).toBe("2001:db8:fff0::/44");
  });
});

describe("unmapAddress (RFC 4291 §2.5.5.2)", () => {
  test.each([
    { of: "::ffff:192.0.2.1", expected: "192.0.2.1" },
    { of: "::ffff:0:0", expected: "0.0.0.0" },
    { of: "192.0.2.1", expected: "192.0.2.1" },
    { of: "::192.0.2.1", expected: "::c000:201" },
    { of: "::ffff:0:192.0.2.1", expected: "::ffff:0:c000:201" },
    { of: "1::ffff:192.0.2.1", expected: "1::ffff:c000:201" },
    { of: "::1:ffff:192.0.2.1", expected: "::1:ffff:c000:201" },
    { of: "::ff00:192.0.2.1", expected: "::ff00:c000:201" },
    { of: "::ff:192.0.2.1", expected: "::ff:c000:201" },
  ])("$of is $expected", ({ of, expected }) => {
    const { family, octets } = unmapAddress(address(of));
    expect(formatAddress(octets)).toBe(expected);
    expect(family).toBe(octets.length === 4 ? 4 : 6);
  });
});

describe("endpoints", () => {
  test.each([
    { text: "127.0.0.1:5300", expected: { address: "127.0.0.1", family: 4, port: 5300 } },
    { text: "0.0.0.0:0", expected: { address: "0.0.0.0", family: 4, port: 0 } },
    { text: "[::1]:53", expected: { address: "::1", family: 6, port: 53 } },
    { text: "[::]:65535", expected: { address: "::", family: 6, port: 65535 } },
  ])("$text", ({ text, expected }) => {
    const endpoint = parseEndpoint(text);
    if (typeof endpoint === "string") expect.fail(endpoint);
    expect(endpoint).toEqual(expected);
    expect(formatEndpoint(endpoint)).toBe(text);
  });

  test.each([
    "127.0.0.1",
    "127.0.0.1:",
    ":53",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1:053x",
    "[127.0.0.1]:53",
    "::1:53",
    "[::1]",
    "[::1]53",
    "[fe80::1%eth0]:53",
    "localhost:53",
    "",
  ])("%j is none", (text) =>
    expect(parseEndpoint(text)).toBe(`"${text}" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300`),
  );
});

test.each([
  ["127.0.0.1", true],
  ["127.255.0.9", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["::", false],
  ["0.0.0.0", false],
  ["126.0.0.1", false],
  ["2001:db8::1", false],
  ["localhost", false],
])("isLoopback of %s is %j", (address, expected) => expect(isLoopback({ address })).toBe(expected));
