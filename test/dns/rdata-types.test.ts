/** Every type of a master file, with RDATA at random. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseType, TYPE } from "../../src/dns/iana.ts";
import { splitWords } from "../../src/dns/presentation.ts";
import { formatRdata, parseRdata, readRdata } from "../../src/dns/rdata.ts";
import { WireReader } from "../../src/dns/wire-reader.ts";
import { rdataOfType } from "./rdata-arbitraries.ts";
import { hex, labels } from "./wire.ts";

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
