/** Every type of a master file, with RDATA at random. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseType, TYPE } from "../../src/dns/iana.ts";
import { splitWords } from "../../src/dns/presentation.ts";
import { foldRdata, formatRdata, parseRdata, rdataParts, readRdata } from "../../src/dns/rdata.ts";
import { Malformed, WireReader } from "../../src/dns/wire-reader.ts";
import { rdataOfType } from "./rdata-arbitraries.ts";
import { hex, labels, octets } from "./wire.ts";

/** Types that are not held by zones, and some whose text we do not read. */
const withoutText = new Set([
  "OPT",
  "TKEY",
  "TSIG",
  "IXFR",
  "AXFR",
  "MAILB",
  "MAILA",
  "ANY",
  "ATMA",
  "A6",
  "UINFO",
  "UID",
  "GID",
  "UNSPEC",
]);

test("covers every type that has a name", () => {
  const named = Object.keys(TYPE).filter((type) => !withoutText.has(type));
  expect(Object.keys(rdataOfType).toSorted()).toEqual([...named, "TYPE65280"].toSorted());
});

describe.each(Object.entries(rdataOfType))("%s", (mnemonic, arbitrary) => {
  const type = parseType(mnemonic) ?? -1;

  test("comes back from presentation format, which is printing ASCII on one line", () => {
    fc.assert(
      fc.property(arbitrary, (rdata) => {
        const text = formatRdata(type, rdata);
        expect(text).toMatch(/^[ -~]*$/);
        const words = splitWords(text);
        if (typeof words === "string") expect.fail(words);
        expect(parseRdata(type, words, labels("example"))).toEqual(rdata);
      }),
    );
  });

  test("comes back from the wire and from \\# (RFC 3597 §5)", () => {
    fc.assert(
      fc.property(arbitrary, (rdata) => {
        expect(readRdata(type, new WireReader(rdata))).toEqual(rdata);
        const words = splitWords(formatRdata(65280, rdata));
        expect(typeof words === "string" || parseRdata(type, words, labels())).toEqual(rdata);
      }),
    );
  });
});

describe("parseRdata and formatRdata of each type", () => {
  const rows: readonly { name: string; type: string; text: string; wire: Uint8Array; printed?: string }[] = [
    {
      name: "SOA with times in units, as BIND has them",
      type: "SOA",
      text: "a. b. 1 1h30m 2W 1d 60s",
      wire: hex("016100016200000000010000151800127500000151800000003c"),
      printed: "a. b. 1 5400 1209600 86400 60",
    },
    { name: "MD (RFC 1035 §3.3.4)", type: "MD", text: "a.", wire: hex("016100") },
    { name: "MB (RFC 1035 §3.3.3)", type: "MB", text: "a.", wire: hex("016100") },
    { name: "MG (RFC 1035 §3.3.6)", type: "MG", text: "a.", wire: hex("016100") },
    { name: "MR (RFC 1035 §3.3.8)", type: "MR", text: "a.", wire: hex("016100") },
    { name: "MF (RFC 1035 §3.3.5)", type: "MF", text: "a.", wire: hex("016100") },
    { name: "MINFO (RFC 1035 §3.3.7)", type: "MINFO", text: "a. b.", wire: hex("016100016200") },
    { name: "NULL, in octets alone (RFC 1035 §3.3.10)", type: "NULL", text: "\\# 2 0aff", wire: hex("0aff") },
    {
      name: "HINFO (RFC 1035 §3.3.2)",
      type: "HINFO",
      text: 'PDP-11 "UNIX V7"',
      wire: hex("065044502d313107554e4958205637"),
      printed: '"PDP-11" "UNIX V7"',
    },
    {
      name: "WKS (RFC 1035 §3.4.2)",
      type: "WKS",
      text: "192.0.2.1 TCP smtp 80 http",
      wire: hex("c0000201060000004000000000000080"),
      printed: "192.0.2.1 6 25 80",
    },
    { name: "WKS without services", type: "WKS", text: "192.0.2.1 17", wire: hex("c000020111") },
    { name: "RP (RFC 1183 §2.2)", type: "RP", text: "a. .", wire: hex("01610000") },
    { name: "AFSDB (RFC 1183 §1)", type: "AFSDB", text: "1 a.", wire: hex("0001016100") },
    {
      name: "X25 (RFC 1183 §3.1)",
      type: "X25",
      text: "311061700956",
      wire: hex("0c333131303631373030393536"),
      printed: '"311061700956"',
    },
    {
      name: "ISDN (RFC 1183 §3.2)",
      type: "ISDN",
      text: "150862028003217 004",
      wire: hex("0f31353038363230323830303332313703303034"),
      printed: '"150862028003217" "004"',
    },
    {
      name: "ISDN without a subaddress",
      type: "ISDN",
      text: "150862028003217",
      wire: hex("0f313530383632303238303033323137"),
      printed: '"150862028003217"',
    },
    { name: "RT (RFC 1183 §3.3)", type: "RT", text: "10 a.", wire: hex("000a016100") },
    {
      name: "NSAP with dots anywhere (RFC 1706 §7)",
      type: "NSAP",
      text: "0X47.0005.80",
      wire: hex("47000580"),
      printed: "0x47000580",
    },
    { name: "NSAP-PTR (RFC 1348)", type: "NSAP-PTR", text: "a.", wire: hex("016100") },
    {
      name: "SIG (RFC 2535 §4.1)",
      type: "SIG",
      text: "A 8 1 60 20380119031407 19700101000000 12345 a. AAAA",
      wire: hex("000108010000003c7fffffff000000003039016100000000"),
    },
    {
      name: "KEY (RFC 2535 §3.1)",
      type: "KEY",
      text: "ZONE|SIG1 DNSSEC RSASHA1 AQ==",
      wire: hex("0101030501"),
      printed: "257 3 5 AQ==",
    },
    {
      name: "KEY that says there is none (RFC 2535 §3.1.2)",
      type: "KEY",
      text: "NOKEY 3 0",
      wire: hex("c0000300"),
      printed: "49152 3 0",
    },
    { name: "PX (RFC 2163 §4)", type: "PX", text: "10 a. b.", wire: hex("000a016100016200") },
    {
      name: "GPOS (RFC 1712 §3)",
      type: "GPOS",
      text: "-32.6882 116.8652 10.0",
      wire: hex("082d33322e36383832083131362e383635320431302e30"),
      printed: '"-32.6882" "116.8652" "10.0"',
    },
    { name: "NXT (RFC 2535 §5.2)", type: "NXT", text: "a. A MX SIG NXT", wire: hex("01610040010082") },
    { name: "SRV (RFC 2782)", type: "SRV", text: "0 0 0 .", wire: hex("00000000000000") },
    {
      name: "NAPTR (RFC 3403 §4.1)",
      type: "NAPTR",
      text: '100 10 u E2U+sip "!^.*$!sip:info@example!i" .',
      wire: hex("0064000a0175074532552b73697018215e2e2a24217369703a696e666f406578616d706c65216900"),
      printed: '100 10 "u" "E2U+sip" "!^.*$!sip:info@example!i" .',
    },
    {
      name: "NAPTR with a replacement",
      type: "NAPTR",
      text: '100 10 "" "" "" _sip._udp.a.',
      wire: hex("0064000a000000045f736970045f756470016100"),
    },
    { name: "KX (RFC 2230 §3.1)", type: "KX", text: "10 a.", wire: hex("000a016100") },
    {
      name: "CERT (RFC 4398 §2)",
      type: "CERT",
      text: "pkix 65535 rsasha256 AQID BA==",
      wire: hex("0001ffff0801020304"),
      printed: "PKIX 65535 RSASHA256 AQIDBA==",
    },
    {
      name: "CERT of numbers without names (RFC 4398 §2.2)",
      type: "CERT",
      text: "65534 1 0 AQ==",
      wire: hex("fffe00010001"),
    },
    {
      name: "APL (RFC 3123 §5)",
      type: "APL",
      text: "1:192.168.32.0/21 !1:192.168.38.0/28 2:ff00::/8",
      wire: hex("00011503c0a82000011c83c0a82600020801ff"),
    },
    { name: "APL without items (RFC 3123 §4)", type: "APL", text: "", wire: hex(""), printed: "\\# 0" },
    {
      name: "APL that keeps bits behind the prefix length",
      type: "APL",
      text: "1:10.0.0.1/8",
      wire: hex("000108040a000001"),
    },
    {
      name: "DS (RFC 4034 §5.3)",
      type: "DS",
      text: "60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118",
      wire: hex("ec4505012bb183af5f22588179a53b0a98631fad1a292118"),
      printed: "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
    },
    {
      name: "DS with names for its numbers",
      type: "DS",
      text: "1 ECDSAP256SHA256 SHA-256 0000000000000000000000000000000000000000000000000000000000000000",
      wire: hex("00010d020000000000000000000000000000000000000000000000000000000000000000"),
      printed: "1 13 2 0000000000000000000000000000000000000000000000000000000000000000",
    },
    {
      name: "DS of a digest type without a known length",
      type: "DS",
      text: "1 8 255 0a",
      wire: hex("000108ff0a"),
      printed: "1 8 255 0A",
    },
    {
      name: "CDS that asks for the DS to go (RFC 8078 §4)",
      type: "CDS",
      text: "0 0 0 00",
      wire: hex("0000000000"),
    },
    {
      name: "SSHFP (RFC 4255 §3.2)",
      type: "SSHFP",
      text: "2 1 123456789abcdef67890123456789abcdef67890",
      wire: hex("0201123456789abcdef67890123456789abcdef67890"),
      printed: "2 1 123456789ABCDEF67890123456789ABCDEF67890",
    },
    {
      name: "SSHFP of an unknown kind, without a fingerprint",
      type: "SSHFP",
      text: "4 6",
      wire: hex("0406"),
    },
    {
      name: "IPSECKEY with an IPv4 gateway (RFC 4025 §3.2)",
      type: "IPSECKEY",
      text: "10 1 2 192.0.2.38 AQID",
      wire: hex("0a0102c0000226010203"),
    },
    {
      name: "IPSECKEY without a gateway (RFC 4025 §3.2)",
      type: "IPSECKEY",
      text: "10 0 2 . AQID",
      wire: hex("0a0002010203"),
    },
    {
      name: "IPSECKEY with an IPv6 gateway",
      type: "IPSECKEY",
      text: "10 2 2 2001:db8::1 AQID",
      wire: hex("0a020220010db8000000000000000000000001010203"),
    },
    {
      name: "IPSECKEY with a name",
      type: "IPSECKEY",
      text: "10 3 2 gw AQID",
      wire: hex("0a0302026777076578616d706c6500010203"),
      printed: "10 3 2 gw.example. AQID",
    },
    {
      name: "RRSIG (RFC 4034 §3.3)",
      type: "RRSIG",
      text: "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+l dvQ3WDG0MQ==",
      wire: hex(
        "00010503000151803e7c9dd73e5510d70a52076578616d706c6503636f6d00a090755ba58d1affa576f4375831b431",
      ),
      printed: "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1W6WNGv+ldvQ3WDG0MQ==",
    },
    {
      name: "RRSIG in seconds since 1970 (RFC 4034 §3.2)",
      type: "RRSIG",
      text: "TYPE65280 8 0 60 2147483647 1 1 . AQ==",
      wire: hex("ff0008000000003c7fffffff0000000100010001"),
      printed: "TYPE65280 8 0 60 20380119031407 19700101000001 1 . AQ==",
    },
    {
      name: "RRSIG beyond 2106, in serial arithmetic (RFC 4034 §3.1.5)",
      type: "RRSIG",
      text: "A 8 0 60 21060207062816 0 1 . AQ==",
      wire: hex("000108000000003c000000000000000000010001"),
      printed: "A 8 0 60 19700101000000 19700101000000 1 . AQ==",
    },
    {
      name: "RRSIG in a leap second of a leap day",
      type: "RRSIG",
      text: "A 8 0 60 20040229235960 0 1 . AQ==",
      wire: hex("000108000000003c40427d000000000000010001"),
      printed: "A 8 0 60 20040301000000 19700101000000 1 . AQ==",
    },
    {
      name: "NSEC (RFC 4034 §4.3)",
      type: "NSEC",
      text: "host.example.com. TYPE1234 NSEC RRSIG MX A",
      wire: hex(
        "04686f7374076578616d706c6503636f6d000006400100000003041b000000000000000000000000000000000000000000000000000020",
      ),
      printed: "host.example.com. A MX RRSIG NSEC TYPE1234",
    },
    {
      name: "NSEC3 (RFC 5155 §3.3)",
      type: "NSEC3",
      text: "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s RRSIG A",
      wire: hex("0101000c04aabbccdd1417f3df17b2b2adaef615257de4d2020b80ac6c7c0006400000000002"),
      printed: "1 1 12 AABBCCDD 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S A RRSIG",
    },
    {
      name: "NSEC3 of no types and no salt (RFC 5155 §3.3)",
      type: "NSEC3",
      text: "SHA-1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s",
      wire: hex("01000000001417f3df17b2b2adaef615257de4d2020b80ac6c7c"),
      printed: "1 0 0 - 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S",
    },
    {
      name: "NSEC3PARAM (RFC 5155 §4.3)",
      type: "NSEC3PARAM",
      text: "1 0 12 aabbccdd",
      wire: hex("0100000c04aabbccdd"),
      printed: "1 0 12 AABBCCDD",
    },
    { name: "NSEC3PARAM without a salt", type: "NSEC3PARAM", text: "1 0 0 -", wire: hex("0100000000") },
    {
      name: "DNSKEY (RFC 4034 §2.3)",
      type: "DNSKEY",
      text: "256 3 5 AQPSKmyn fzW4kyBv 015MUG2D",
      wire: hex("010003050103d22a6ca77f35b893206fd35e4c506d83"),
      printed: "256 3 5 AQPSKmynfzW4kyBv015MUG2D",
    },
    {
      name: "DNSKEY with names for its numbers",
      type: "DNSKEY",
      text: "ZONE|KSK DNSSEC ED25519 AQ==",
      wire: hex("0101030f01"),
      printed: "257 3 15 AQ==",
    },
    {
      name: "DNSKEY with hex flags",
      type: "DNSKEY",
      text: "0x101 3 15 AQ==",
      wire: hex("0101030f01"),
      printed: "257 3 15 AQ==",
    },
    {
      name: "CDNSKEY that asks for the DS to go (RFC 8078 §4)",
      type: "CDNSKEY",
      text: "0 3 0 AA==",
      wire: hex("0000030000"),
    },
    { name: "RKEY", type: "RKEY", text: "0 3 8 AQ==", wire: hex("0000030801") },
    {
      name: "DHCID (RFC 4701 §3.6)",
      type: "DHCID",
      text: "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
      wire: hex("000201636fc0b8271c82825bb1ac5c41cf5351aa69b4febd94e8f17cdb95000da48c40"),
    },
    {
      name: "TLSA (RFC 6698 §2.2)",
      type: "TLSA",
      text: "3 1 1 0a0B 0 c",
      wire: hex("0301010a0b0c"),
      printed: "3 1 1 0A0B0C",
    },
    { name: "SMIMEA (RFC 8162 §2)", type: "SMIMEA", text: "3 0 0 0A", wire: hex("0300000a") },
    {
      name: "HIP (RFC 8005 §6)",
      type: "HIP",
      text: "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs1.example.com. rvs2",
      wire: hex(
        "10020006200100107b1a74df365639cc39f1d57803010001b7710472767331076578616d706c6503636f6d000472767332076578616d706c6500",
      ),
      printed: "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs1.example.com. rvs2.example.",
    },
    { name: "TALINK", type: "TALINK", text: "a. b.", wire: hex("016100016200") },
    { name: "NINFO", type: "NINFO", text: "a", wire: hex("0161"), printed: '"a"' },
    {
      name: "OPENPGPKEY (RFC 7929 §2.3)",
      type: "OPENPGPKEY",
      text: "AQID BAUG",
      wire: hex("010203040506"),
      printed: "AQIDBAUG",
    },
    {
      name: "CSYNC (RFC 7477 §2.1)",
      type: "CSYNC",
      text: "66 3 AAAA NS A",
      wire: hex("000000420003000460000008"),
      printed: "66 3 A NS AAAA",
    },
    { name: "CSYNC of no types", type: "CSYNC", text: "66 3", wire: hex("000000420003") },
    {
      name: "ZONEMD of a private scheme (RFC 8976 §2.2.4)",
      type: "ZONEMD",
      text: "2018031500 240 240 0123456789ab 0123456789abcdef",
      wire: hex("7848b78cf0f00123456789ab0123456789abcdef"),
      printed: "2018031500 240 240 0123456789AB0123456789ABCDEF",
    },
    {
      name: "DSYNC (RFC 9859 §2.2)",
      type: "DSYNC",
      text: "CDS NOTIFY 5359 a.",
      wire: hex("003b0114ef016100"),
    },
    { name: "HHIT", type: "HHIT", text: "AQ==", wire: hex("01") },
    { name: "BRID", type: "BRID", text: "AQ==", wire: hex("01") },
    {
      name: "SPF (RFC 7208 §3.1)",
      type: "SPF",
      text: '"v=spf1 -all"',
      wire: hex("0b763d73706631202d616c6c"),
    },
    {
      name: "NID (RFC 6742 §2.1.3)",
      type: "NID",
      text: "10 0014:4fff:ff20:ee64",
      wire: hex("000a00144fffff20ee64"),
      printed: "10 14:4fff:ff20:ee64",
    },
    { name: "L32 (RFC 6742 §2.2.3)", type: "L32", text: "10 10.1.2.0", wire: hex("000a0a010200") },
    {
      name: "L64 (RFC 6742 §2.3.3)",
      type: "L64",
      text: "10 2001:0DB8:1140:1000",
      wire: hex("000a20010db811401000"),
      printed: "10 2001:db8:1140:1000",
    },
    {
      name: "LP (RFC 6742 §2.4.3)",
      type: "LP",
      text: "10 a",
      wire: hex("000a0161076578616d706c6500"),
      printed: "10 a.example.",
    },
    {
      name: "EUI48 (RFC 7043 §3.2)",
      type: "EUI48",
      text: "00-00-5E-00-53-2a",
      wire: hex("00005e00532a"),
      printed: "00-00-5e-00-53-2a",
    },
    {
      name: "EUI64 (RFC 7043 §4.2)",
      type: "EUI64",
      text: "00-00-5e-ef-10-00-00-2a",
      wire: hex("00005eef1000002a"),
    },
    {
      name: "URI (RFC 7553 §4.5)",
      type: "URI",
      text: '10 1 "ftp://ftp1.example/public"',
      wire: hex("000a00016674703a2f2f667470312e6578616d706c652f7075626c6963"),
    },
    { name: "AVC", type: "AVC", text: "a", wire: hex("0161"), printed: '"a"' },
    {
      name: "DOA without content",
      type: "DOA",
      text: "1 2 3 text/plain -",
      wire: hex("0000000100000002030a746578742f706c61696e"),
      printed: '1 2 3 "text/plain" -',
    },
    { name: "DOA", type: "DOA", text: '1 2 3 "" AQ==', wire: hex("0000000100000002030001") },
    {
      name: "AMTRELAY (RFC 8777 §4.3.1)",
      type: "AMTRELAY",
      text: "10 0 1 203.0.113.15",
      wire: hex("0a01cb00710f"),
    },
    {
      name: "AMTRELAY with a discovery bit and no relay",
      type: "AMTRELAY",
      text: "128 1 0 .",
      wire: hex("8080"),
    },
    {
      name: "AMTRELAY with a name",
      type: "AMTRELAY",
      text: "10 1 3 amt",
      wire: hex("0a8303616d74076578616d706c6500"),
      printed: "10 1 3 amt.example.",
    },
    { name: "AMTRELAY of a later relay type", type: "AMTRELAY", text: "\\# 3 0a0400", wire: hex("0a0400") },
    {
      name: "RESINFO (RFC 9606 §3)",
      type: "RESINFO",
      text: "qnamemin exterr=15-17",
      wire: hex("08716e616d656d696e0c6578746572723d31352d3137"),
      printed: '"qnamemin" "exterr=15-17"',
    },
    { name: "WALLET", type: "WALLET", text: "a", wire: hex("0161"), printed: '"a"' },
    { name: "EID", type: "EID", text: "0aff", wire: hex("0aff"), printed: "0AFF" },
    { name: "NIMLOC", type: "NIMLOC", text: "0aff", wire: hex("0aff"), printed: "0AFF" },
    { name: "SINK", type: "SINK", text: "1 2 3 AQ==", wire: hex("01020301") },
    { name: "TA", type: "TA", text: "1 8 255 0a", wire: hex("000108ff0a"), printed: "1 8 255 0A" },
    { name: "DLV", type: "DLV", text: "1 8 255 0a", wire: hex("000108ff0a"), printed: "1 8 255 0A" },
  ];
  test.each(rows)("$name", ({ type: mnemonic, text, wire, printed = text }) => {
    const type = parseType(mnemonic) ?? -1;
    const words = splitWords(text);
    expect(typeof words === "string" ? words : parseRdata(type, words, labels("example"))).toEqual(wire);
    expect(formatRdata(type, wire)).toBe(printed);
  });
});

describe("wrong RDATA of each type", () => {
  const rows: readonly { type: string; name: string; text: string; sentence: string }[] = [
    {
      type: "RRSIG",
      name: "a day that is not (RFC 4034 §3.2)",
      text: "A 8 0 60 20380230000000 0 1 . AQ==",
      sentence: '"20380230000000" is not a time like 20380119031407 or seconds from 0 to 4294967295',
    },
    {
      type: "RRSIG",
      name: "an hour that is not",
      text: "A 8 0 60 20380101240000 0 1 . AQ==",
      sentence: '"20380101240000" is not a time like 20380119031407 or seconds from 0 to 4294967295',
    },
    {
      type: "RRSIG",
      name: "a date of 13 digits",
      text: "A 8 0 60 2038010100000 0 1 . AQ==",
      sentence: '"2038010100000" is not a time like 20380119031407 or seconds from 0 to 4294967295',
    },
    {
      type: "RRSIG",
      name: "more labels in the signer than in the owner (RFC 4034 §3.1.3)",
      text: "A 8 1 60 1 0 1 a.b. AQ==",
      sentence: "the signer has 2 labels, more than the owner that was signed",
    },
    {
      type: "RRSIG",
      name: "no signature",
      text: "A 8 0 60 1 0 1 .",
      sentence: "there are 8 fields where 9 are needed",
    },
    { type: "RRSIG", name: "no type", text: "FOO 8 0 60 1 0 1 . AQ==", sentence: '"FOO" is not a type' },
    {
      type: "SIG",
      name: "seconds since 1970 (RFC 2535 §7.2)",
      text: "A 8 0 60 1 0 1 . AQ==",
      sentence: '"1" is not a time like 20380119031407',
    },
    { type: "NSEC", name: "no types", text: "a.", sentence: "there are 1 fields where 2 are needed" },
    { type: "NSEC", name: "a word that is no type", text: "a. A FOO", sentence: '"FOO" is not a type' },
    {
      type: "NXT",
      name: "a type over 127 (RFC 2535 §5.2)",
      text: "a. TYPE128",
      sentence: "TYPE128 is not among the types 1 to 127 that an NXT tells of",
    },
    {
      type: "NSEC3",
      name: "a hash that is not SHA-1's (RFC 5155 §11)",
      text: "1 0 0 - 00",
      sentence: "the next hashed owner name has 1 octets where its algorithm makes 20",
    },
    {
      type: "NSEC3",
      name: "padding (RFC 5155 §3.3)",
      text: "2 0 0 - 00======",
      sentence: '"00======" is not base32hex digits without padding, 63 at the most',
    },
    {
      type: "NSEC3",
      name: "a hash longer than a label",
      text: "2 0 0 - 0000000000000000000000000000000000000000000000000000000000000000",
      sentence:
        '"0000000000000000000000000000000000000000000000000000000000000000" is not base32hex digits without padding, 63 at the most',
    },
    {
      type: "NSEC3",
      name: "half an octet of salt",
      text: "2 0 0 a 00",
      sentence: '"a" is not a hyphen or an even number of hex digits up to 510',
    },
    {
      type: "NSEC3PARAM",
      name: "a salt in two words (RFC 5155 §4.3)",
      text: "1 0 0 aa bb",
      sentence: '"bb" is one field too many',
    },
    {
      type: "DNSKEY",
      name: "a flag without a name",
      text: "SEP 3 8 AQ==",
      sentence: '"SEP" is not flags by name or a number from 0 to 65535',
    },
    {
      type: "DNSKEY",
      name: "an algorithm without a name",
      text: "256 3 ECC AQ==",
      sentence: '"ECC" is not an algorithm or a number from 0 to 255',
    },
    {
      type: "DNSKEY",
      name: "a digit of base64 missing",
      text: "256 3 8 AQ=",
      sentence: '"AQ=" is not base64 digits',
    },
    {
      type: "DNSKEY",
      name: "unused bits that are set (RFC 4648 §3.5)",
      text: "256 3 8 AB==",
      sentence: '"AB==" is not base64 digits',
    },
    {
      type: "DNSKEY",
      name: "digits of base64url (RFC 4648 §5)",
      text: "256 3 8 AA-_",
      sentence: '"AA-_" is not base64 digits',
    },
    {
      type: "DNSKEY",
      name: "a private algorithm without its name (RFC 4034 Appendix A.1.1)",
      text: "256 3 PRIVATEDNS AQ==",
      sentence: "a key of algorithm 253 begins with a name",
    },
    {
      type: "KEY",
      name: "a key behind flags of none (RFC 2535 §3.1.2)",
      text: "NOKEY 3 8 AQ==",
      sentence: "flags say that there is no key, and one follows",
    },
    { type: "KEY", name: "no key", text: "256 3 8", sentence: "the key is missing" },
    { type: "RKEY", name: "flags", text: "1 3 8 AQ==", sentence: "the flags of an RKEY are 0" },
    {
      type: "DS",
      name: "a digest too short for SHA-1 (RFC 4034 §5.1.4)",
      text: "1 8 1 00",
      sentence: "the digest has 1 octets where its algorithm makes 20",
    },
    {
      type: "DS",
      name: "a digest too long for SHA-256 (RFC 4509 §2.2)",
      text: "1 8 2 000000000000000000000000000000000000000000000000000000000000000000",
      sentence: "the digest has 33 octets where its algorithm makes 32",
    },
    {
      type: "DS",
      name: "half an octet",
      text: "1 8 255 01 2",
      sentence: '"012" is not an even number of hex digits',
    },
    {
      type: "CDS",
      name: "no digest (RFC 8078 §4)",
      text: "0 0 0",
      sentence: "there are 3 fields where 4 are needed",
    },
    {
      type: "SSHFP",
      name: "a fingerprint too short for SHA-256 (RFC 6594 §4)",
      text: "1 2 00",
      sentence: "the fingerprint has 1 octets where its algorithm makes 32",
    },
    {
      type: "ZONEMD",
      name: "a digest under 12 octets (RFC 8976 §2.2.4)",
      text: "1 1 240 00",
      sentence: "the digest has 1 octets and 12 are the least",
    },
    {
      type: "ZONEMD",
      name: "a digest too short for SHA-512 (RFC 8976 §5.3)",
      text: "1 1 2 000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
      sentence: "the digest has 48 octets where its algorithm makes 64",
    },
    {
      type: "CERT",
      name: "a type without a name",
      text: "FOO 1 8 AQ==",
      sentence: '"FOO" is not a certificate type or a number from 0 to 65535',
    },
    {
      type: "IPSECKEY",
      name: "a gateway where there is none (RFC 4025 §2.5)",
      text: "10 0 2 a. AQ==",
      sentence: '"a." is not a dot, which stands for no gateway',
    },
    {
      type: "IPSECKEY",
      name: "a gateway type over 3",
      text: "10 4 2 a. AQ==",
      sentence: '"4" is not a gateway type from 0 to 3',
    },
    {
      type: "IPSECKEY",
      name: "no key",
      text: "10 3 2 a.",
      sentence: "there are 4 fields where 5 are needed",
    },
    {
      type: "HIP",
      name: "a key in two words (RFC 8005 §6)",
      text: "2 20 A wE=",
      sentence: '"A" is not base64 digits in one word',
    },
    {
      type: "AMTRELAY",
      name: "a discovery bit of 2",
      text: "10 2 0 .",
      sentence: '"2" is not a discovery bit of 0 or 1',
    },
    {
      type: "AMTRELAY",
      name: "a relay type over 3",
      text: "10 0 4 a.",
      sentence: '"4" is not a relay type from 0 to 3',
    },
    {
      type: "URI",
      name: "a target without quotes (RFC 7553 §4.4)",
      text: "10 1 ftp://a",
      sentence: '"ftp://a" must stand in quotes',
    },
    {
      type: "CAA",
      name: "a tag in quotes",
      text: '0 "issue" "x"',
      sentence: '"issue" must not stand in quotes',
    },
    {
      type: "NAPTR",
      name: "a substitution without its end (RFC 3402 §3.2)",
      text: '1 1 "" "" "!a!b" .',
      sentence: '"!a!b" is not a substitution like !pattern!replacement!i',
    },
    {
      type: "WKS",
      name: "a protocol without a name",
      text: "192.0.2.1 nope 1",
      sentence: '"nope" is not tcp, udp or a protocol\'s number from 0 to 255',
    },
    {
      type: "WKS",
      name: "a service without a name",
      text: "192.0.2.1 tcp nope",
      sentence: '"nope" is not a service known here or a port from 0 to 65535',
    },
    {
      type: "WKS",
      name: "no protocol",
      text: "192.0.2.1",
      sentence: "an address and a protocol are expected",
    },
    {
      type: "X25",
      name: "three digits (RFC 1183 §3.1)",
      text: "123",
      sentence: '"123" is not an X.25 address of four digits or more',
    },
    {
      type: "NSAP",
      name: "no 0x (RFC 1706 §7)",
      text: "4700",
      sentence: '"4700" is not 0x and an even number of hex digits',
    },
    {
      type: "EUI48",
      name: "colons (RFC 7043 §3.2)",
      text: "00:00:5e:00:53:2a",
      sentence: '"00:00:5e:00:53:2a" is not 6 octets in hex like 00-00-5e',
    },
    {
      type: "L64",
      name: "an address (RFC 6742 §2.3.2)",
      text: "10 2001:db8::",
      sentence: '"2001:db8::" is not four groups of hex digits like 2001:db8:0:1',
    },
    {
      type: "SOA",
      name: "a time with a number behind its units",
      text: "a. b. 1 1h30 1 1 1",
      sentence: '"1h30" is not a whole number from 0 to 4294967295 or a time like 1h30m',
    },
    {
      type: "SOA",
      name: "a time over 32 bits",
      text: "a. b. 1 7102w 1 1 1",
      sentence: '"7102w" is not a whole number from 0 to 4294967295 or a time like 1h30m',
    },
    { type: "NS", name: "a name in quotes", text: '"a."', sentence: '"a." must not stand in quotes' },
    {
      type: "OPT",
      name: "a type that goes with a message (RFC 6895 §3.1)",
      text: "\\# 0",
      sentence: "no zone holds records of this type",
    },
    {
      type: "ANY",
      name: "a type that asks for others (RFC 6895 §3.1)",
      text: "\\# 0",
      sentence: "no zone holds records of this type",
    },
    {
      type: "TYPE0",
      name: "type 0 (RFC 6895 §3.1)",
      text: "\\# 0",
      sentence: "no zone holds records of this type",
    },
  ];
  test.each(rows)("$type: $name", ({ type, text, sentence }) => {
    const words = splitWords(text);
    const parsed = typeof words === "string" ? words : parseRdata(parseType(type) ?? -1, words, labels());
    expect(parsed).toBe(sentence);
  });

  const malformed: readonly { type: string; name: string; wire: Uint8Array; sentence: string }[] = [
    { type: "NSEC", name: "an empty bitmap", wire: hex("00"), sentence: "its type bitmap is empty" },
    {
      type: "NSEC",
      name: "blocks in descending order (RFC 4034 §4.1.2)",
      wire: hex("00 0101 40 0001 40"),
      sentence: "the blocks of its type bitmap are not in ascending order",
    },
    {
      type: "NSEC",
      name: "a block of no octets (RFC 4034 §4.1.2)",
      wire: hex("00 0000"),
      sentence: "a block of its type bitmap has no length from 1 to 32",
    },
    {
      type: "NSEC",
      name: "a block of 33 octets (RFC 4034 §4.1.2)",
      wire: hex("00 0021010101010101010101010101010101010101010101010101010101010101010101"),
      sentence: "a block of its type bitmap has no length from 1 to 32",
    },
    {
      type: "NSEC",
      name: "a zero octet at a block's end (RFC 4034 §4.1.2)",
      wire: hex("00 0002 4000"),
      sentence: "a block of its type bitmap ends in a zero octet",
    },
    {
      type: "NXT",
      name: "bit 0 (RFC 2535 §5.2)",
      wire: hex("00 80"),
      sentence: "its type bitmap is not one of the types 1 to 127",
    },
    {
      type: "NSEC3",
      name: "an empty hash",
      wire: hex("02 00 0000 00 00"),
      sentence: "its next hashed owner name has no length from 1 to 39",
    },
    {
      type: "WKS",
      name: "a zero octet at the end",
      wire: hex("c0000201 06 00"),
      sentence: "its bitmap ends in a zero octet",
    },
    {
      type: "HIP",
      name: "an empty key (RFC 8005 §5.3)",
      wire: hex("01 02 0000 ff"),
      sentence: "its host identity tag or public key is empty",
    },
    {
      type: "IPSECKEY",
      name: "a gateway type over 3 (RFC 4025 §2.3)",
      wire: hex("0a 04 02 ff"),
      sentence: "its gateway type is over 3",
    },
    {
      type: "CAA",
      name: "an empty tag (RFC 8659 §4.1)",
      wire: hex("00 00"),
      sentence: "its property tag is not of letters and digits",
    },
    {
      type: "X25",
      name: "letters",
      wire: hex("04 61626364"),
      sentence: "a character string in it is not an X.25 address of four digits or more",
    },
    { type: "TLSA", name: "no data", wire: hex("03 01 01"), sentence: "it ends too early" },
  ];
  test.each(malformed)("$type from the wire: $name", ({ type, wire, sentence }) =>
    expect(() => readRdata(parseType(type) ?? -1, new WireReader(wire))).toThrow(new Malformed(sentence)),
  );
});

test("RDATA read is a copy, so that a record kept does not keep its message", () => {
  const message = hex("c0000201");
  const rdata = readRdata(TYPE.A, new WireReader(message));
  message.fill(0);
  expect(rdata).toEqual(hex("c0000201"));
});

/** Types with names, and what they do with them. */
const namesOfTypes: readonly {
  types: string;
  front: string;
  behind?: string;
  sent: boolean;
  followed: boolean;
  folded: boolean;
}[] = [
  { types: "NS MD MF CNAME MB MG MR PTR", front: "", sent: true, followed: true, folded: true },
  { types: "MX", front: "0001", sent: true, followed: true, folded: true },
  { types: "AFSDB RT", front: "0001", sent: false, followed: true, folded: true },
  { types: "SRV", front: "000100010001", sent: false, followed: true, folded: true },
  { types: "NAPTR", front: "00010001000000", sent: false, followed: true, folded: true },
  { types: "NXT", front: "", behind: "40", sent: false, followed: true, folded: true },
  {
    types: "SIG",
    front: `0001 08 02 ${"00".repeat(14)}`,
    behind: "ff",
    sent: false,
    followed: true,
    folded: true,
  },
  { types: "KX", front: "0001", sent: false, followed: false, folded: true },
  { types: "DNAME", front: "", sent: false, followed: false, folded: true },
  {
    types: "RRSIG",
    front: `0001 08 02 ${"00".repeat(14)}`,
    behind: "ff",
    sent: false,
    followed: false,
    folded: true,
  },
  { types: "NSEC", front: "", behind: "000140", sent: false, followed: false, folded: false },
  { types: "SVCB HTTPS LP", front: "0001", sent: false, followed: false, folded: false },
  { types: "IPSECKEY", front: "0a0302", behind: "ff", sent: false, followed: false, folded: false },
  { types: "HIP", front: "01020001aabb", sent: false, followed: false, folded: false },
  { types: "TYPE65280", front: "", sent: false, followed: false, folded: false },
];

describe.each(
  namesOfTypes.flatMap(({ types, ...rules }) => types.split(" ").map((mnemonic) => ({ mnemonic, ...rules }))),
)("the name in $mnemonic", ({ mnemonic, front, behind = "", sent, followed, folded }) => {
  const type = parseType(mnemonic) ?? -1;
  const plain = octets(hex(front), labels("Mail", "Example"), hex(behind));

  test(`${sent ? "may" : "must not"} be compressed (RFC 3597 §4)`, () => {
    expect(rdataParts(type, plain).some((part) => part.compressible)).toBe(sent);
  });

  test(`${followed ? "is followed" : "is not followed"} where it comes compressed (RFC 3597 §4)`, () => {
    const head = octets(new Uint8Array(12), labels("Example"));
    const compressed = octets(hex(front), 4, "Mail", 0xc0, 12, hex(behind));
    const read = () => readRdata(type, new WireReader(octets(head, compressed), head.length));
    if (followed) expect(read()).toEqual(plain);
    else if (type === 65280) expect(read()).toEqual(compressed);
    else expect(read).toThrow(new Malformed("a name in it is compressed"));
  });

  test(`${folded ? "is" : "is not"} compared without case (RFC 4034 §6.2, RFC 6840 §5.1)`, () => {
    const lower = octets(hex(front), labels("mail", "example"), hex(behind));
    expect(foldRdata(type, plain)).toEqual(folded ? lower : plain);
  });
});
