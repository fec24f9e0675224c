import { describe, expect, test } from "vitest";
import {
  clientSubnetOf,
  clientSubnetOption,
  readClientSubnet,
  readQueryClientSubnet,
} from "../../src/dns/client-subnet.ts";
import { formatPrefix, parsePrefix } from "../../src/ip.ts";
import { hex } from "./wire.ts";

describe("the option of a query (RFC 7871 §6)", () => {
  const rows: readonly { name: string; octets: string; prefix: string | undefined }[] = [
    { name: "an IPv4 /24", octets: "0001 18 00 c00002", prefix: "192.0.2.0/24" },
    { name: "an IPv4 /32", octets: "0001 20 00 c0000201", prefix: "192.0.2.1/32" },
    { name: "an IPv4 /23 in three octets", octets: "0001 17 00 c00002", prefix: "192.0.2.0/23" },
    { name: "an IPv4 /1 in one octet", octets: "0001 01 00 80", prefix: "128.0.0.0/1" },
    { name: "an IPv6 /48", octets: "0002 30 00 20010db80001", prefix: "2001:db8:1::/48" },
    { name: "an IPv6 /56, seven octets", octets: "0002 38 00 20010db8000102", prefix: "2001:db8:1:200::/56" },
    { name: "an IPv6 /40, five octets", octets: "0002 28 00 20010db801", prefix: "2001:db8:100::/40" },
    {
      name: "an IPv6 /128",
      octets: "0002 80 00 20010db8000000000000000000000001",
      prefix: "2001:db8::1/128",
    },
    {
      name: "an IPv4-mapped prefix stays IPv6",
      octets: "0002 60 00 00000000000000000000ffff",
      prefix: "::ffff:0:0/96",
    },
    { name: "source prefix length 0 in family 1 (§7.1.2)", octets: "0001 00 00", prefix: undefined },
    { name: "source prefix length 0 in family 2 (§7.1.2)", octets: "0002 00 00", prefix: undefined },
    {
      name: "source prefix length 0 in family 0, as dig +subnet=0 sends it",
      octets: "0000 00 00",
      prefix: undefined,
    },
  ];
  test.each(rows)("$name", ({ octets, prefix }) => {
    const subnet = readQueryClientSubnet(hex(octets));
    if (typeof subnet === "string") expect.fail(subnet);
    expect(subnet.prefix && formatPrefix(subnet.prefix)).toBe(prefix);
    // §7.2.1: FAMILY, SOURCE PREFIX-LENGTH and ADDRESS go back as they came.
    const echoed = hex(octets);
    echoed[3] = 17;
    expect(clientSubnetOption(subnet, 17)).toEqual({ code: 8, octets: echoed });
  });

  const wrong: readonly { name: string; octets: string; sentence: string }[] = [
    { name: "no octets", octets: "", sentence: "the client subnet option is shorter than 4 octets" },
    { name: "3 octets", octets: "0001 00", sentence: "the client subnet option is shorter than 4 octets" },
    {
      name: "family 0 with a source prefix length",
      octets: "0000 08 00 0a",
      sentence: "the client subnet has family 0",
    },
    { name: "family 3", octets: "0003 08 00 0a", sentence: "the client subnet has family 3" },
    {
      name: "family 3 with source prefix length 0",
      octets: "0003 00 00",
      sentence: "the client subnet has family 3",
    },
    { name: "family 256, not 1", octets: "0100 08 00 0a", sentence: "the client subnet has family 256" },
    {
      name: "a scope prefix length, which a query leaves 0 (§6)",
      octets: "0001 18 18 c00002",
      sentence: "the client subnet of a query has a scope prefix length",
    },
    {
      name: "a scope prefix length beside source prefix length 0",
      octets: "0001 00 01",
      sentence: "the client subnet of a query has a scope prefix length",
    },
    {
      name: "too many octets (§6)",
      octets: "0001 18 00 c0000200",
      sentence: "the client subnet has 4 octets of address for /24",
    },
    {
      name: "too few octets (§6)",
      octets: "0001 18 00 c000",
      sentence: "the client subnet has 2 octets of address for /24",
    },
    {
      name: "too few octets for bits over a whole octet (§6)",
      octets: "0001 19 00 c00002",
      sentence: "the client subnet has 3 octets of address for /25",
    },
    {
      name: "octets beside source prefix length 0 (§6)",
      octets: "0001 00 00 00",
      sentence: "the client subnet has 1 octets of address for /0",
    },
    {
      name: "an IPv4 /33 in five octets",
      octets: "0001 21 00 c000020100",
      sentence: "the client subnet has a prefix length over 32",
    },
    {
      name: "an IPv6 /129 in seventeen octets",
      octets: "0002 81 00 20010db80000000000000000000000010 0",
      sentence: "the client subnet has a prefix length over 128",
    },
    {
      name: "the last bit of the last octet set behind a /23 (§6)",
      octets: "0001 17 00 c00003",
      sentence: "the client subnet has bits set behind its source prefix length",
    },
    {
      name: "the first bit behind a /25 set (§6)",
      octets: "0001 19 00 c00002c0",
      sentence: "the client subnet has bits set behind its source prefix length",
    },
    {
      name: "bits set behind an IPv6 /57 (§6)",
      octets: "0002 39 00 20010db800010240",
      sentence: "the client subnet has bits set behind its source prefix length",
    },
  ];
  test.each(wrong)("wrong: $name", ({ octets, sentence }) => {
    expect(readQueryClientSubnet(hex(octets))).toBe(sentence);
  });
});

describe("the option of a response (RFC 7871 §6)", () => {
  const rows: readonly { name: string; octets: string; expected: number | string }[] = [
    { name: "a scope shorter than the source", octets: "0001 18 10 c00002", expected: 16 },
    { name: "a scope longer than the source (§7.2.1)", octets: "0001 18 20 c00002", expected: 32 },
    { name: "scope /128 in family 2", octets: "0002 30 80 20010db80001", expected: 128 },
    { name: "scope 0", octets: "0001 18 00 c00002", expected: 0 },
    { name: "a scope beside source prefix length 0", octets: "0001 00 20", expected: 32 },
    {
      name: "an IPv4 scope over 32",
      octets: "0001 18 21 c00002",
      expected: "the client subnet has a prefix length over 32",
    },
    {
      name: "an IPv6 scope over 128",
      octets: "0002 30 81 20010db80001",
      expected: "the client subnet has a prefix length over 128",
    },
    {
      name: "an IPv4 scope over 32 beside source prefix length 0",
      octets: "0001 00 21",
      expected: "the client subnet has a scope prefix length its family has not",
    },
    {
      name: "a scope in family 0",
      octets: "0000 00 01",
      expected: "the client subnet has a scope prefix length its family has not",
    },
  ];
  test.each(rows)("$name", ({ octets, expected }) => {
    const subnet = readClientSubnet(hex(octets));
    expect(typeof subnet === "string" ? subnet : subnet.scopePrefixLength).toBe(expected);
  });
});

describe.each([
  { family: 1, bits: 32, address: 0xc0000255n },
  { family: 2, bits: 128, address: 0x20010db8a5a5a5a5ffffffffffffffffn },
])("every source prefix length of family $family", ({ family, bits, address }) => {
  const lengths = Array.from({ length: bits + 1 }, (_, length) => length);
  /** The address cut to `length` bits, as hex digits of whole octets. */
  const cut = (length: number): string => {
    const shift = BigInt(bits - length);
    const digits = ((address >> shift) << shift).toString(16).padStart(bits / 4, "0");
    return digits.slice(0, Math.ceil(length / 8) * 2);
  };
  const head = (length: number): string => `000${family}${length.toString(16).padStart(2, "0")}00`;

  test.each(lengths)("/%i is read, made from its prefix, and wrong with one octet more", (length) => {
    const octets = hex(head(length) + cut(length));
    const subnet = readQueryClientSubnet(octets);
    if (typeof subnet === "string") expect.fail(subnet);
    expect(subnet).toMatchObject({ family, sourcePrefixLength: length, scopePrefixLength: 0 });
    const whole = hex(cut(length).padEnd(bits / 4, "0"));
    const prefix = { family: family === 1 ? 4 : 6, octets: whole, length } as const;
    expect(subnet.prefix).toEqual(length === 0 ? undefined : prefix);
    expect(clientSubnetOf(prefix)).toEqual(subnet);
    expect(clientSubnetOption(clientSubnetOf(prefix), 0).octets).toEqual(octets);
    expect(readQueryClientSubnet(hex(`${head(length)}${cut(length)}00`))).toMatch(/octets of address/);
  });

  test.each(lengths.filter((length) => length % 8 !== 0))("/%i is wrong with the next bit set", (length) => {
    const octets = hex(head(length) + cut(length));
    const last = octets.length - 1;
    octets[last] = (octets[last] ?? 0) | (0x80 >> (length % 8));
    expect(readQueryClientSubnet(octets)).toMatch(/bits set behind/);
  });
});

test("the option a client sends for a prefix in presentation format", () => {
  const prefix = parsePrefix("2001:db8:1:200::/56");
  if (typeof prefix === "string") expect.fail(prefix);
  expect(clientSubnetOption(clientSubnetOf(prefix), 0)).toEqual({
    code: 8,
    octets: hex("0002 38 00 20010db8000102"),
  });
});
