import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseType } from "../../src/dns/iana.ts";
import { splitWords } from "../../src/dns/presentation.ts";
import { formatRdata, parseRdata, rdataParts, readRdata } from "../../src/dns/rdata.ts";
import { Malformed, WireReader } from "../../src/dns/wire-reader.ts";
import { shown } from "./arbitraries.ts";
import { hex, labels, octets, string, uint16, uint32 } from "./wire.ts";

const origin = labels("example");

/** Parses a type's RDATA as it stands on a line. */
function parse(type: number, text: string): Uint8Array | string {
  const words = splitWords(text);
  return typeof words === "string" ? words : parseRdata(type, words, origin);
}

function numberOf(mnemonic: string): number {
  const type = parseType(mnemonic);
  if (type === undefined) throw new Error(`"${mnemonic}" is no type`);
  return type;
}

describe("parseRdata and formatRdata", () => {
  const rows: readonly { name: string; type: string; text: string; wire: Uint8Array; printed?: string }[] = [
    { name: "A (RFC 1035 §3.4.1)", type: "A", text: "192.0.2.1", wire: octets(192, 0, 2, 1) },
    {
      name: "AAAA (RFC 3596 §2.2)",
      type: "AAAA",
      text: "2001:db8::a:1",
      wire: hex("20010db8 00000000 00000000 000a0001"),
    },
    {
      name: "AAAA in upper case and full length, printed as RFC 5952 §4 has it",
      type: "AAAA",
      text: "2001:0DB8:0:0:0:0:0:1",
      wire: hex("20010db8 00000000 00000000 00000001"),
      printed: "2001:db8::1",
    },
    { name: "CNAME (RFC 1035 §3.3.1)", type: "CNAME", text: "Www.test.", wire: labels("Www", "test") },
    {
      name: "CNAME with a relative name",
      type: "CNAME",
      text: "www",
      wire: labels("www", "example"),
      printed: "www.example.",
    },
    { name: "CNAME to the origin", type: "CNAME", text: "@", wire: origin, printed: "example." },
    { name: "NS with an escaped dot", type: "NS", text: "a\\.b.test.", wire: labels("a.b", "test") },
    { name: "PTR (RFC 1035 §3.3.12)", type: "PTR", text: "host.test.", wire: labels("host", "test") },
    {
      name: "SOA (RFC 1035 §3.3.13)",
      type: "SOA",
      text: "ns.test. host\\.master.test. 4294967295 7200 900 1209600 60",
      wire: octets(
        labels("ns", "test"),
        labels("host.master", "test"),
        ...[0xffffffff, 7200, 900, 1209600, 60].map(uint32),
      ),
    },
    {
      name: "MX (RFC 1035 §3.3.9)",
      type: "MX",
      text: "10 mx.test.",
      wire: octets(0, 10, labels("mx", "test")),
    },
    { name: "MX of a null MX (RFC 7505 §3)", type: "MX", text: "0 .", wire: octets(0, 0, 0) },
    { name: "MX 65535", type: "MX", text: "65535 mx.test.", wire: octets(0xff, 0xff, labels("mx", "test")) },
    {
      name: "SRV (RFC 2782)",
      type: "SRV",
      text: "100 1 443 sip.test.",
      wire: octets(uint16(100), uint16(1), uint16(443), labels("sip", "test")),
    },
    { name: "DNAME (RFC 6672 §2.1)", type: "DNAME", text: "Other.test.", wire: labels("Other", "test") },
    { name: "TXT (RFC 1035 §3.3.14)", type: "TXT", text: '"v=spf1 -all"', wire: string("v=spf1 -all") },
    {
      name: "TXT of several strings",
      type: "TXT",
      text: '"a" "" "b c"',
      wire: octets(string("a"), string(""), string("b c")),
    },
    {
      name: "TXT without quotes",
      type: "TXT",
      text: "a b",
      wire: octets(string("a"), string("b")),
      printed: '"a" "b"',
    },
    { name: "TXT of nothing", type: "TXT", text: '""', wire: octets(0) },
    {
      name: "TXT with escapes (RFC 1035 §5.1)",
      type: "TXT",
      text: '"a\\"b\\\\c\\000\\255;d"',
      wire: string('a"b\\c\x00\xff;d'),
    },
    {
      name: "TXT beyond ASCII is UTF-8",
      type: "TXT",
      text: '"é"',
      wire: octets(2, 0xc3, 0xa9),
      printed: '"\\195\\169"',
    },
    {
      name: "TXT of 255 octets (RFC 1035 §3.3)",
      type: "TXT",
      text: `"${"x".repeat(255)}"`,
      wire: octets(255, "x".repeat(255)),
    },
    {
      name: "TXT of 255 octets in escapes",
      type: "TXT",
      text: `"${"\\255".repeat(255)}"`,
      wire: octets(255, new Uint8Array(255).fill(255)),
    },
    {
      name: "CAA (RFC 8659 §4.1)",
      type: "CAA",
      text: '0 issue "ca.example; policy=ev"',
      wire: octets(0, string("issue"), "ca.example; policy=ev"),
    },
    {
      name: "CAA, critical, without a value",
      type: "CAA",
      text: '128 tbs ""',
      wire: octets(128, string("tbs")),
    },
    {
      name: "CAA with a tag over 15 characters (RFC 8659 §4.1 has no limit but one octet's)",
      type: "CAA",
      text: '0 contactsomebodyelse "x"',
      wire: octets(0, string("contactsomebodyelse"), "x"),
    },
    {
      name: "CAA with a value over 255 octets, which is no character string",
      type: "CAA",
      text: `0 issue "${"x".repeat(300)}"`,
      wire: octets(0, string("issue"), "x".repeat(300)),
    },
    { name: "an unknown type (RFC 3597 §5)", type: "TYPE65280", text: "\\# 3 0affc0", wire: hex("0affc0") },
    { name: "an unknown type without octets", type: "TYPE65280", text: "\\# 0", wire: octets() },
    {
      name: "as much as an RDLENGTH can tell (RFC 1035 §3.2.1)",
      type: "TYPE65280",
      text: `\\# 65535 ${"00".repeat(65535)}`,
      wire: new Uint8Array(65535),
    },
    {
      name: "hex in upper case and in several words",
      type: "TYPE65280",
      text: "\\# 4 C0 00 02FF",
      wire: hex("c00002ff"),
      printed: "\\# 4 c00002ff",
    },
    {
      name: "a known type written as an unknown one (RFC 3597 §5)",
      type: "A",
      text: "\\# 4 c0000201",
      wire: octets(192, 0, 2, 1),
      printed: "192.0.2.1",
    },
    {
      name: "a TXT that begins with \\# in quotes",
      type: "TXT",
      text: '"\\#" "0"',
      wire: octets(string("#"), string("0")),
      printed: '"#" "0"',
    },
  ];
  test.each(rows)("$name", ({ type, text, wire, printed = text }) => {
    expect(parse(numberOf(type), text)).toEqual(wire);
    expect(formatRdata(numberOf(type), wire)).toBe(printed);
  });

  const tooLong = "a character string is over 255 octets; cut it into several in quotes";
  const wrong: readonly { name: string; type: string; text: string; sentence: string }[] = [
    { name: "nothing", type: "A", text: "", sentence: "there are 0 fields where 1 are needed" },
    { name: "a field too many", type: "A", text: "192.0.2.1 x", sentence: '"x" is one field too many' },
    {
      name: "an A that is no address",
      type: "A",
      text: "192.0.2",
      sentence: '"192.0.2" is not an IPv4 address',
    },
    {
      name: "an A in family 6",
      type: "A",
      text: "2001:db8::1",
      sentence: '"2001:db8::1" is not an IPv4 address',
    },
    {
      name: "an AAAA in family 4",
      type: "AAAA",
      text: "192.0.2.1",
      sentence: '"192.0.2.1" is not an IPv6 address',
    },
    {
      name: "a name with an empty label",
      type: "CNAME",
      text: "a..b.",
      sentence: '"a..b." has an empty label',
    },
    {
      name: "a relative name too long with the origin",
      type: "CNAME",
      text: `${"a".repeat(63)}.${"a".repeat(63)}.${"a".repeat(63)}.${"a".repeat(60)}`,
      sentence: "is a name over 255 octets",
    },
    {
      name: "an MX without a name",
      type: "MX",
      text: "10",
      sentence: "there are 1 fields where 2 are needed",
    },
    {
      name: "a number over its field",
      type: "MX",
      text: "65536 a.",
      sentence: '"65536" is not a whole number from 0 to 65535',
    },
    {
      name: "a negative number",
      type: "MX",
      text: "-1 a.",
      sentence: '"-1" is not a whole number from 0 to 65535',
    },
    {
      name: "a fraction",
      type: "MX",
      text: "1.5 a.",
      sentence: '"1.5" is not a whole number from 0 to 65535',
    },
    {
      name: "a 32-bit number over its field",
      type: "SOA",
      text: "a. b. 4294967296 1 1 1 1",
      sentence: '"4294967296" is not a whole number from 0 to 4294967295',
    },
    {
      name: "a serial with a unit",
      type: "SOA",
      text: "a. b. 1h 1 1 1 1",
      sentence: '"1h" is not a whole number from 0 to 4294967295',
    },
    {
      name: "an octet over its field",
      type: "CAA",
      text: '256 issue "x"',
      sentence: '"256" is not a whole number from 0 to 255',
    },
    {
      name: "a tag with a hyphen",
      type: "CAA",
      text: '0 is-sue "x"',
      sentence: '"is-sue" is not a property tag of letters and digits',
    },
    {
      name: "an empty tag (RFC 8659 §4.1)",
      type: "CAA",
      text: '0 "" "x"',
      sentence: '"" is not a property tag of letters and digits',
    },
    {
      name: "a CAA without its value",
      type: "CAA",
      text: "0 issue",
      sentence: "there are 2 fields where 3 are needed",
    },
    {
      name: "a TXT of nothing at all",
      type: "TXT",
      text: "",
      sentence: "there are 0 fields where 1 are needed",
    },
    {
      name: "a TXT of 256 octets (RFC 1035 §3.3)",
      type: "TXT",
      text: `"${"x".repeat(256)}"`,
      sentence: tooLong,
    },
    { name: "a TXT of 256 octets in UTF-8", type: "TXT", text: `"${"é".repeat(128)}"`, sentence: tooLong },
    {
      name: "a TXT whose second string is too long",
      type: "TXT",
      text: `"a" "${"x".repeat(256)}"`,
      sentence: tooLong,
    },
    {
      name: "a TXT with a wrong escape",
      type: "TXT",
      text: '"\\256"',
      sentence: "has an escape that is not",
    },
    {
      name: "an unknown type in words",
      type: "TYPE65280",
      text: "abc",
      sentence: "this type must be written as \\# LENGTH HEX (RFC 3597)",
    },
    {
      name: "a NULL in words (RFC 1035 §3.3.10: none in master files)",
      type: "NULL",
      text: "1 .",
      sentence: "this type must be written as \\# LENGTH HEX (RFC 3597)",
    },
    { name: "\\# alone", type: "TYPE65280", text: "\\#", sentence: "\\# needs a length and hex digits" },
    {
      name: "half an octet",
      type: "TYPE65280",
      text: "\\# 1 abc",
      sentence: "\\# needs a length and hex digits",
    },
    {
      name: "digits that are not hex",
      type: "TYPE65280",
      text: "\\# 1 0g",
      sentence: "\\# needs a length and hex digits",
    },
    {
      name: "too few octets",
      type: "TYPE65280",
      text: "\\# 3 abcd",
      sentence: "\\# says 3 octets and 2 follow",
    },
    {
      name: "too many octets",
      type: "TYPE65280",
      text: "\\# 1 abcd",
      sentence: "\\# says 1 octets and 2 follow",
    },
    {
      name: "octets too few for the type",
      type: "A",
      text: "\\# 3 c00002",
      sentence: "these octets are no RDATA of the type: it ends too early",
    },
    {
      name: "octets too many for the type",
      type: "A",
      text: "\\# 5 c000020100",
      sentence: "these octets are no RDATA of the type: RDATA is longer than its type allows",
    },
    {
      name: "a pointer where there is no message",
      type: "CNAME",
      text: "\\# 2 c00c",
      sentence: "these octets are no RDATA of the type: a name points to no earlier name",
    },
    {
      name: "a pointer within the RDATA of an SOA",
      type: "SOA",
      text: `\\# 37 0b ${"61".repeat(11)} 00 01 61 c00c ${"00".repeat(20)}`,
      sentence: "these octets are no RDATA of the type: a name in it is compressed",
    },
    {
      name: "more than an RDLENGTH can tell (RFC 1035 §3.2.1)",
      type: "TXT",
      text: Array(257)
        .fill(`"${"x".repeat(255)}"`)
        .join(" "),
      sentence: "RDATA is over 65535 octets",
    },
    {
      name: "more than an RDLENGTH can tell, as an unknown type",
      type: "TYPE65280",
      text: `\\# 65536 ${"00".repeat(65536)}`,
      sentence: "RDATA is over 65535 octets",
    },
  ];
  test.each(wrong)("wrong: $name", ({ type, text, sentence }) => {
    const parsed = parse(numberOf(type), text);
    expect(parsed).toBeTypeOf("string");
    expect(parsed).toContain(sentence);
  });

  test("RDATA comes back from presentation format, and from \\#", () => {
    fc.assert(
      fc.property(shown, ({ type, rdata }) => {
        expect(parse(type, formatRdata(type, rdata))).toEqual(rdata);
        expect(parse(type, formatRdata(65280, rdata))).toEqual(rdata);
      }),
      { numRuns: 500 },
    );
  });

  test("a CAA tag from the wire prints without the characters that a terminal obeys", () => {
    expect(formatRdata(257, octets(0, string("a\x1b[2J b"), "x"))).toBe('0 a\\027[2J\\032b "x"');
  });
});

describe("readRdata", () => {
  const rows: readonly { name: string; type: string; wire: Uint8Array; sentence: string | undefined }[] = [
    {
      name: "a TXT without a string (RFC 1035 §3.3.14)",
      type: "TXT",
      wire: octets(),
      sentence: "it ends too early",
    },
    {
      name: "a TXT string over the end",
      type: "TXT",
      wire: octets(1, "a", 2, "b"),
      sentence: "it ends too early",
    },
    { name: "a TXT of many strings", type: "TXT", wire: new Uint8Array(65535), sentence: undefined },
    {
      name: "a CAA tag over the end",
      type: "CAA",
      wire: octets(0, 6, "issue"),
      sentence: "it ends too early",
    },
    { name: "a CAA of an empty value", type: "CAA", wire: octets(0, 5, "issue"), sentence: undefined },
    { name: "an SOA one octet short", type: "SOA", wire: new Uint8Array(21), sentence: "it ends too early" },
    { name: "an SOA of two roots", type: "SOA", wire: new Uint8Array(22), sentence: undefined },
    {
      name: "an SRV without a target",
      type: "SRV",
      wire: new Uint8Array(6),
      sentence: "a name ends too early",
    },
    { name: "an AAAA of 15 octets", type: "AAAA", wire: new Uint8Array(15), sentence: "it ends too early" },
    {
      name: "an AAAA of 17 octets",
      type: "AAAA",
      wire: new Uint8Array(17),
      sentence: "RDATA is longer than its type allows",
    },
    {
      name: "octets behind an NS",
      type: "NS",
      wire: octets(labels("a"), 0),
      sentence: "RDATA is longer than its type allows",
    },
    {
      name: "an unknown type of any octets",
      type: "TYPE65280",
      wire: octets(0xc0, 0xff),
      sentence: undefined,
    },
  ];
  test.each(rows)("$name", ({ type, wire, sentence }) => {
    const read = () => readRdata(numberOf(type), new WireReader(wire));
    if (sentence === undefined) expect(read()).toEqual(wire);
    else expect(read).toThrow(new Malformed(sentence));
  });
});

describe("rdataParts (RFC 3597 §4: only names in the types of RFC 1035 are compressed)", () => {
  const name = labels("a", "example");
  const rows: readonly { type: string; wire: Uint8Array; compressible: readonly boolean[] }[] = [
    { type: "CNAME", wire: name, compressible: [true] },
    { type: "NS", wire: name, compressible: [true] },
    { type: "PTR", wire: name, compressible: [true] },
    { type: "MX", wire: octets(0, 1, name), compressible: [false, true] },
    {
      type: "SOA",
      wire: octets(name, name, new Uint8Array(20)),
      compressible: [true, true, false, false, false, false, false],
    },
    { type: "SRV", wire: octets(0, 1, 0, 1, 0, 1, name), compressible: [false] },
    { type: "TXT", wire: name, compressible: [false] },
    { type: "CAA", wire: octets(0, string("issue"), name), compressible: [false] },
    { type: "DNAME", wire: name, compressible: [false] },
    { type: "TYPE65280", wire: name, compressible: [false] },
  ];
  test.each(rows)("$type", ({ type, wire, compressible }) => {
    const parts = rdataParts(numberOf(type), wire);
    expect(parts.map((part) => part.compressible)).toEqual(compressible);
    expect(octets(...parts.map((part) => part.octets))).toEqual(wire);
  });
});
