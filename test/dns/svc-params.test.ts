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

describe("parameters of SVCB and HTTPS", () => {
  const rows: readonly { name: string; type: string; text: string; wire: Uint8Array; printed?: string }[] = [
    {
      name: "AliasMode (RFC 9460 §2.4.2)",
      type: "SVCB",
      text: "0 foo.example.",
      wire: hex("000003666f6f076578616d706c6500"),
    },
    { name: "AliasMode to nowhere (RFC 9460 §2.5.1)", type: "SVCB", text: "0 .", wire: hex("000000") },
    {
      name: "AliasMode with parameters, which clients ignore (RFC 9460 §2.4.2)",
      type: "SVCB",
      text: "0 foo.example. port=53",
      wire: hex("000003666f6f076578616d706c6500000300020035"),
    },
    {
      name: "ServiceMode without parameters (RFC 9460 Appendix D.2)",
      type: "SVCB",
      text: "1 .",
      wire: hex("000100"),
    },
    {
      name: "port (RFC 9460 §7.2)",
      type: "SVCB",
      text: "16 foo.example. port=53",
      wire: hex("001003666f6f076578616d706c6500000300020035"),
    },
    {
      name: "port in quotes",
      type: "SVCB",
      text: '16 foo.example. port="053"',
      wire: hex("001003666f6f076578616d706c6500000300020035"),
      printed: "16 foo.example. port=53",
    },
    {
      name: "an unknown key (RFC 9460 §2.1)",
      type: "SVCB",
      text: "1 foo.example. key667=hello",
      wire: hex("000103666f6f076578616d706c6500029b000568656c6c6f"),
      printed: '1 foo.example. key667="hello"',
    },
    {
      name: "an unknown key with escapes in quotes (RFC 9460 Appendix A)",
      type: "SVCB",
      text: '1 foo.example. key667="hello\\210qoo"',
      wire: hex("000103666f6f076578616d706c6500029b000968656c6c6fd2716f6f"),
    },
    {
      name: "an unknown key without a value",
      type: "SVCB",
      text: "1 foo.example. key667",
      wire: hex("000103666f6f076578616d706c6500029b0000"),
    },
    {
      name: "an unknown key with an empty value",
      type: "SVCB",
      text: '1 foo.example. key667=""',
      wire: hex("000103666f6f076578616d706c6500029b0000"),
      printed: "1 foo.example. key667",
    },
    {
      name: "the largest key",
      type: "SVCB",
      text: "1 . key65535=a",
      wire: hex("000100ffff000161"),
      printed: '1 . key65535="a"',
    },
    {
      name: "a blank and quotes in a value",
      type: "SVCB",
      text: '1 . key667=a\\ b\\"c',
      wire: hex("000100029b00056120622263"),
      printed: '1 . key667="a b\\"c"',
    },
    {
      name: "two addresses (RFC 9460 §7.3)",
      type: "SVCB",
      text: '1 foo.example. ipv6hint="2001:db8::1,2001:db8::53:1"',
      wire: hex(
        "000103666f6f076578616d706c65000006002020010db800000000000000000000000120010db8000000000000000000530001",
      ),
      printed: "1 foo.example. ipv6hint=2001:db8::1,2001:db8::53:1",
    },
    {
      name: "IPv4 addresses (RFC 9460 §7.3)",
      type: "HTTPS",
      text: "1 . ipv4hint=192.0.2.1,192.0.2.2",
      wire: hex("00010000040008c0000201c0000202"),
    },
    {
      name: "keys in any order, sorted on the wire (RFC 9460 §2.2)",
      type: "SVCB",
      text: "16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
      wire: hex(
        "001003666f6f076578616d706c65036f7267000000000400010004000100090268320568332d313900040004c0000201",
      ),
      printed: '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1',
    },
    {
      name: "alpn with an escaped comma and backslash in quotes (RFC 9460 Appendix A.1)",
      type: "SVCB",
      text: '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
      wire: hex("001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832"),
    },
    {
      name: "alpn with the same in escapes by number",
      type: "SVCB",
      text: "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
      wire: hex("001003666f6f076578616d706c65036f7267000001000c08665c6f6f2c626172026832"),
      printed: '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    },
    {
      name: "alpn by number, its octets as on the wire",
      type: "SVCB",
      text: "1 . key1=\\002h2",
      wire: hex("00010000010003026832"),
      printed: '1 . alpn="h2"',
    },
    {
      name: "no-default-alpn (RFC 9460 §7.1.1)",
      type: "SVCB",
      text: "1 . no-default-alpn alpn=h3",
      wire: hex("0001000001000302683300020000"),
      printed: '1 . alpn="h3" no-default-alpn',
    },
    {
      name: "ech (RFC 9460 §7.4)",
      type: "HTTPS",
      text: "1 . ech=AEn+DQ==",
      wire: hex("000100000500040049fe0d"),
    },
    {
      name: "ech without a value, as BIND has it",
      type: "HTTPS",
      text: "1 . ech",
      wire: hex("00010000050000"),
    },
    {
      name: "dohpath (RFC 9461 §5), printed by number as BIND 9.18 does",
      type: "SVCB",
      text: "1 . dohpath=/dns-query{?dns}",
      wire: hex("000100000700102f646e732d71756572797b3f646e737d"),
      printed: '1 . key7="/dns-query{?dns}"',
    },
    {
      name: "dohpath with more variables (RFC 6570 §2)",
      type: "SVCB",
      text: '1 . key7="/q{+path,dns:99}{&x*}"',
      wire: hex("000100000700152f717b2b706174682c646e733a39397d7b26782a7d"),
    },
    {
      name: "mandatory by number (RFC 9460 §8)",
      type: "SVCB",
      text: "1 . mandatory=key3,key667 port=1 key667",
      wire: hex("000100000000040003029b000300020001029b0000"),
      printed: "1 . mandatory=port,key667 port=1 key667",
    },
    {
      name: "a key right behind a quoted value",
      type: "SVCB",
      text: '1 . key667="a"port=1',
      wire: hex("000100000300020001029b000161"),
      printed: '1 . port=1 key667="a"',
    },
  ];
  test.each(rows)("$name", ({ type, text, wire, printed = text }) => {
    expect(parse(type, text)).toEqual(wire);
    expect(formatRdata(parseType(type) ?? -1, wire)).toBe(printed);
  });

  const wrong: readonly { name: string; text: string; sentence: string }[] = [
    { name: "a key twice (RFC 9460 §2.1)", text: "1 . port=1 port=1", sentence: "port is given twice" },
    {
      name: "a key twice, by name and by number",
      text: "1 . port=1 key3=\\000\\001",
      sentence: "port is given twice",
    },
    {
      name: "an unknown key twice (RFC 9460 Appendix D.3)",
      text: "1 . key123=abc key123=def",
      sentence: "key123 is given twice",
    },
    {
      name: "a key in upper case (RFC 9460 §2.1)",
      text: "1 . PORT=1",
      sentence: '"PORT" is not a key like alpn or key65280',
    },
    {
      name: "a key with zeros in front (RFC 9460 §2.1)",
      text: "1 . key0667",
      sentence: '"key0667" is not a key like alpn or key65280',
    },
    {
      name: "a key over 65535",
      text: "1 . key65536",
      sentence: '"key65536" is not a key like alpn or key65280',
    },
    { name: "a key without a name", text: "1 . =1", sentence: '"" is not a key like alpn or key65280' },
    {
      name: "a key in quotes",
      text: '1 . "port=1"',
      sentence: '"port=1" is not a parameter like alpn=h2,h3',
    },
    {
      name: "two quoted values",
      text: '1 . key667="a""b"',
      sentence: '"b" is not a parameter like alpn=h2,h3',
    },
    {
      name: "a wrong escape",
      text: "1 . key667=\\256",
      sentence: '"\\256" is not a value, which key667 needs',
    },
    {
      name: "no priority",
      text: "foo.example.",
      sentence: '"foo.example." is not a whole number from 0 to 65535',
    },
    { name: "no target", text: "1", sentence: "there are 1 fields where 2 are needed" },
    { name: "a target in quotes", text: '1 "foo."', sentence: '"foo." must not stand in quotes' },
    {
      name: "port without a value (RFC 9460 Appendix D.3)",
      text: "1 . port",
      sentence: '"" is not a port from 0 to 65535, which port needs',
    },
    {
      name: "port over 65535",
      text: "1 . port=65536",
      sentence: '"65536" is not a port from 0 to 65535, which port needs',
    },
    {
      name: "no-default-alpn with a value (RFC 9460 Appendix D.3)",
      text: "1 . alpn=h2 no-default-alpn=abc",
      sentence: '"abc" is not an empty value, which no-default-alpn needs',
    },
    {
      name: "no-default-alpn without alpn (RFC 9460 §7.1.1)",
      text: "1 . no-default-alpn",
      sentence: "no-default-alpn needs alpn",
    },
    {
      name: "alpn without a value (RFC 9460 §7.1.1)",
      text: "1 . alpn",
      sentence: '"" is not a list of protocols of 1 to 255 octets, like h2,h3, which alpn needs',
    },
    {
      name: "alpn with an empty protocol",
      text: "1 . alpn=h2,,h3",
      sentence: '"h2,,h3" is not a list of protocols of 1 to 255 octets, like h2,h3, which alpn needs',
    },
    {
      name: "alpn with a protocol of 256 octets",
      text: "1 . alpn=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      sentence:
        '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" is not a list of protocols of 1 to 255 octets, like h2,h3, which alpn needs',
    },
    {
      name: "alpn that escapes what needs none (RFC 9460 Appendix A.1)",
      text: "1 . alpn=a\\\\b",
      sentence: '"a\\\\b" is not a list of protocols of 1 to 255 octets, like h2,h3, which alpn needs',
    },
    {
      name: "mandatory without a value",
      text: "1 . mandatory",
      sentence: '"" is not a list of different keys, mandatory not among them, which mandatory needs',
    },
    {
      name: "mandatory with a key twice (RFC 9460 Appendix D.3)",
      text: "1 . mandatory=key123,key123 key123=abc",
      sentence:
        '"key123,key123" is not a list of different keys, mandatory not among them, which mandatory needs',
    },
    {
      name: "mandatory of itself (RFC 9460 Appendix D.3)",
      text: "1 . mandatory=mandatory",
      sentence:
        '"mandatory" is not a list of different keys, mandatory not among them, which mandatory needs',
    },
    {
      name: "a missing mandatory key (RFC 9460 Appendix D.3)",
      text: "1 . mandatory=key123",
      sentence: "key123 is mandatory and missing",
    },
    {
      name: "ipv4hint of the other family",
      text: "1 . ipv4hint=::1",
      sentence: '"::1" is not a list of IPv4 addresses, which ipv4hint needs',
    },
    {
      name: "ipv6hint with an empty address",
      text: "1 . ipv6hint=::1,",
      sentence: '"::1," is not a list of IPv6 addresses, which ipv6hint needs',
    },
    {
      name: "ech with digits missing",
      text: "1 . ech=AAA",
      sentence: '"AAA" is not base64 digits, which ech needs',
    },
    {
      name: "dohpath that is no path (RFC 9461 §5)",
      text: "1 . dohpath=dns{?dns}",
      sentence:
        "the value of dohpath is not a path that begins with / and has the variable dns, like /dns-query{?dns}",
    },
    {
      name: "dohpath without the variable (RFC 9461 §5)",
      text: "1 . dohpath=/{?name}",
      sentence:
        "the value of dohpath is not a path that begins with / and has the variable dns, like /dns-query{?dns}",
    },
    {
      name: "dohpath with an open expression (RFC 6570 §2.2)",
      text: "1 . dohpath=/{?dns",
      sentence:
        "the value of dohpath is not a path that begins with / and has the variable dns, like /dns-query{?dns}",
    },
    {
      name: "dohpath that is not UTF-8",
      text: "1 . dohpath=/\\255{?dns}",
      sentence:
        "the value of dohpath is not a path that begins with / and has the variable dns, like /dns-query{?dns}",
    },
  ];
  test.each(wrong)("wrong: $name", ({ text, sentence }) => expect(parse("SVCB", text)).toBe(sentence));

  const malformed: readonly { name: string; wire: Uint8Array; sentence: string }[] = [
    {
      name: "keys in descending order (RFC 9460 §2.2)",
      wire: hex("000100 0004 0004 c0000201 0003 0002 0035"),
      sentence: "its parameters are not in the order of their keys",
    },
    {
      name: "a key twice (RFC 9460 §2.2)",
      wire: hex("000100 0003 0002 0035 0003 0002 0035"),
      sentence: "port is given twice",
    },
    { name: "a value over the end", wire: hex("000100 0003 0002 00"), sentence: "it ends too early" },
    { name: "half a key", wire: hex("000100 00"), sentence: "it ends too early" },
    {
      name: "a port of one octet (RFC 9460 §7.2)",
      wire: hex("000100 0003 0001 35"),
      sentence: "the value of port is not a port from 0 to 65535",
    },
    {
      name: "half an address (RFC 9460 §7.3)",
      wire: hex("000100 0004 0002 c000"),
      sentence: "the value of ipv4hint is not a list of IPv4 addresses",
    },
    {
      name: "no address",
      wire: hex("000100 0006 0000"),
      sentence: "the value of ipv6hint is not a list of IPv6 addresses",
    },
    {
      name: "an empty protocol (RFC 7301 §3.1)",
      wire: hex("000100 0001 0001 00"),
      sentence: "the value of alpn is not a list of protocols of 1 to 255 octets, like h2,h3",
    },
    {
      name: "a protocol over its value's end",
      wire: hex("000100 0001 0002 0268"),
      sentence: "the value of alpn is not a list of protocols of 1 to 255 octets, like h2,h3",
    },
    {
      name: "half a mandatory key",
      wire: hex("000100 0000 0001 03"),
      sentence: "the value of mandatory is not a list of different keys, mandatory not among them",
    },
    {
      name: "mandatory keys in descending order (RFC 9460 §8)",
      wire: hex("000100 0000 0004 0004 0003 0003 0002 0035 0004 0004 c0000201"),
      sentence: "the value of mandatory is not a list of different keys, mandatory not among them",
    },
    {
      name: "a missing mandatory key (RFC 9460 §8)",
      wire: hex("000100 0000 0002 0003"),
      sentence: "port is mandatory and missing",
    },
    {
      name: "no-default-alpn with a value",
      wire: hex("000100 0001 0003 026832 0002 0001 00"),
      sentence: "the value of no-default-alpn is not an empty value",
    },
    {
      name: "a compressed target (RFC 9460 §2.2)",
      wire: hex("0001 c000"),
      sentence: "a name points to no earlier name",
    },
  ];
  test.each(malformed)("malformed: $name", ({ wire, sentence }) =>
    expect(() => readRdata(64, new WireReader(wire))).toThrow(new Malformed(sentence)),
  );
});
