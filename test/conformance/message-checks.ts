/** Messages: the header, questions that are none, octets that are no message, other opcodes and classes. */

import { CLASS } from "../../src/dns/iana.ts";
import { type Check, fault, positive, refusal } from "./expect.ts";
import { ask, build, octets, opt, type Part, pointer, question, raw, record, uint16 } from "./query.ts";
import { isChaosText, type Seen } from "./response.ts";
import { IDENTITY, SOA, VERSION, wireName } from "./zone.ts";

const soa = positive(SOA);

const bitsFaults =
  (...unwanted: readonly string[]) =>
  ({ bits }: Seen): readonly string[] =>
    unwanted.flatMap((bit) => fault(bits.includes(bit), `${bit.toUpperCase()} is set`));

const formerr = { ...refusal("FORMERR"), question: false } as const;

/** A header with these counts, and what follows. */
const message = (counts: readonly [number, number, number, number], ...body: readonly Part[]) =>
  raw(uint16(0x0909), uint16(0), ...counts.map(uint16), ...body);

const APEX_QUESTION = question("@", "SOA");
const A_RECORD = record({ owner: wireName("www"), type: 1, ttlSeconds: 60, rdata: [192, 0, 2, 1] });

const opcodeName: Readonly<Record<number, string>> = { 1: "IQUERY", 2: "STATUS", 6: "DSO" };

const chaos = (name: string, text: string): Check => ({
  rule: "RFC 4892 §2",
  what: `${name} TXT in class CH`,
  needs: "chaos",
  query: ask(name, "TXT", { qclass: CLASS.CH }),
  expect: {
    also: ({ answer }) => fault(!answer.some((found) => isChaosText(found, text)), `it is not ${text}`),
  },
});

export const messageChecks: readonly Check[] = [
  // RFC 8906 §8.1: servers that know no EDNS.
  { rule: "RFC 8906 §8.1.1", what: "SOA without EDNS", query: ask("@", "SOA"), expect: soa },
  {
    rule: "RFC 8906 §8.1.2",
    what: "an unknown type: NOERROR, no answer",
    query: ask("@", 1000),
    expect: { aa: true, answer: [] },
  },
  {
    rule: "RFC 8906 §8.1.3.1",
    what: "CD set is answered",
    query: ask("@", "SOA", { bits: ["cd"] }),
    expect: soa,
  },
  {
    rule: "RFC 4035 §3.1.6",
    what: "an authoritative response has CD clear",
    query: ask("@", "SOA", { bits: ["cd"] }),
    expect: { also: bitsFaults("cd") },
  },
  {
    rule: "RFC 8906 §8.1.3.2",
    what: "AD set is answered, and not repeated where nothing was validated",
    query: ask("@", "SOA", { bits: ["ad"] }),
    expect: { ...soa, also: bitsFaults("ad") },
  },
  {
    rule: "RFC 8906 §8.1.3.3",
    what: "the reserved bit set is answered, and not repeated",
    query: ask("@", "SOA", { bits: ["z"] }),
    expect: soa,
  },
  {
    rule: "RFC 8906 §8.1.3.4",
    what: "RD set is answered and repeated, RA stays clear",
    query: ask("@", "SOA", { bits: ["rd"] }),
    expect: { ...soa, rd: true },
  },
  { rule: "RFC 1035 §4.1.1", what: "RD clear stays clear", query: ask("@", "SOA"), expect: { rd: false } },
  {
    rule: "RFC 1035 §4.1.1",
    what: "TC set in a query is passed over",
    query: ask("@", "SOA", { bits: ["tc"] }),
    expect: { ...soa, tc: false },
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "RA set in a query is passed over",
    query: ask("@", "SOA", { bits: ["ra"] }),
    expect: soa,
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "AA set in a query is passed over",
    query: ask("nosuch.elsewhere.example.", "A", { bits: ["aa"] }),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "all bits set but QR",
    query: ask("@", "SOA", { bits: ["aa", "tc", "rd", "ra", "z", "ad", "cd"] }),
    expect: soa,
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "an RCODE in a query is passed over",
    query: ask("@", "SOA", { rcode: 5 }),
    expect: soa,
  },
  { rule: "RFC 1035 §4.1.1", what: "ID 0", query: ask("@", "SOA", { id: 0 }), expect: soa },
  { rule: "RFC 1035 §4.1.1", what: "ID 65535", query: ask("@", "SOA", { id: 0xffff }), expect: soa },
  ...[1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].flatMap((opcode): readonly Check[] => [
    {
      rule: "RFC 8906 §8.1.4",
      what: `opcode ${opcodeName[opcode] ?? opcode}, the header alone, is NOTIMP`,
      query: build([], { opcode }),
      expect: refusal("NOTIMP"),
    },
    {
      rule: "RFC 1035 §4.1.1",
      what: `opcode ${opcodeName[opcode] ?? opcode} with a question is NOTIMP`,
      query: ask("@", "SOA", { opcode }),
      expect: { ...refusal("NOTIMP"), question: false },
    },
  ]),
  {
    rule: "RFC 8906 §8.1.4",
    what: "an unknown opcode with EDNS is NOTIMP with EDNS",
    query: ask("@", "SOA", { opcode: 15, edns: opt() }),
    expect: { ...refusal("NOTIMP"), question: false },
  },
  { rule: "RFC 8906 §8.1.5", what: "SOA over TCP", over: "tcp", query: ask("@", "SOA"), expect: soa },

  // NOTIFY, UPDATE, transfers.
  {
    rule: "RFC 1996 §3.10",
    what: "NOTIFY is refused, its opcode repeated",
    query: ask("@", "SOA", { opcode: 4, bits: ["aa"] }),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 2136 §3.3",
    what: "UPDATE is refused, its opcode repeated",
    query: ask("@", "SOA", { opcode: 5, authority: [A_RECORD] }),
    expect: { ...refusal("REFUSED"), question: false },
  },
  {
    rule: "RFC 2136 §3.3",
    what: "UPDATE that deletes, with RDATA of no octets, is refused",
    query: ask("@", "SOA", {
      opcode: 5,
      authority: [record({ owner: wireName("www"), type: 1, class: CLASS.ANY })],
    }),
    expect: { ...refusal("REFUSED"), question: false },
  },
  {
    rule: "RFC 5936 §4.2",
    what: "AXFR over UDP is FORMERR",
    over: "udp",
    query: ask("@", "AXFR"),
    expect: refusal("FORMERR"),
  },
  {
    rule: "RFC 5936 §5",
    what: "AXFR over TCP is refused",
    over: "tcp",
    query: ask("@", "AXFR"),
    expect: refusal("REFUSED"),
  },
  {
    rule: "RFC 1995 §2",
    what: "IXFR is refused",
    query: ask("@", "IXFR", {
      authority: [
        record({
          owner: wireName("@"),
          type: 6,
          rdata: octets(wireName("ns1"), wireName("hostmaster"), new Uint8Array(20)),
        }),
      ],
    }),
    expect: refusal("REFUSED"),
  },

  // The number of questions.
  {
    rule: "RFC 9619 §4",
    what: "two questions are FORMERR",
    query: build([APEX_QUESTION, question("www", "A")]),
    expect: formerr,
  },
  {
    rule: "RFC 9619 §4",
    what: "the same question twice is FORMERR",
    query: build([APEX_QUESTION, APEX_QUESTION]),
    expect: formerr,
  },
  {
    rule: "RFC 9619 §4",
    what: "two questions with EDNS are FORMERR with EDNS",
    query: build([APEX_QUESTION, question("www", "A")], { edns: opt() }),
    expect: formerr,
  },
  { rule: "RFC 9619 §4", what: "no question is FORMERR", query: build([]), expect: formerr },
  {
    rule: "RFC 9619 §4",
    what: "no question with EDNS is FORMERR with EDNS",
    query: build([], { edns: opt() }),
    expect: formerr,
  },

  // What must not be answered.
  {
    rule: "RFC 1035 §4.1.1",
    what: "a response (QR set) is not answered",
    query: ask("@", "SOA", { bits: ["qr"] }),
    expect: "silence",
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "a malformed response is not answered",
    query: raw(uint16(1), uint16(0x8000), uint16(9), uint16(9), uint16(9), uint16(9)),
    expect: "silence",
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "a response with an unknown opcode is not answered",
    query: build([], { opcode: 15, bits: ["qr"] }),
    expect: "silence",
  },
  {
    rule: "RFC 1035 §4.1.1",
    what: "11 octets are no header and not answered",
    query: raw(new Uint8Array(11)),
    expect: "silence",
  },
  { rule: "RFC 1035 §4.1.1", what: "one octet is not answered", query: raw([9]), expect: "silence" },
  { rule: "RFC 1035 §4.1.1", what: "no octet is not answered", over: "udp", query: raw(), expect: "silence" },

  // Octets that are no message.
  {
    rule: "RFC 1035 §4.1",
    what: "a question that is promised and not there",
    query: message([1, 0, 0, 0]),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.2",
    what: "a question without a type",
    query: message([1, 0, 0, 0], wireName("@")),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.2",
    what: "a question without a class",
    query: message([1, 0, 0, 0], wireName("@"), uint16(6)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §3.1",
    what: "a name that does not end",
    query: message([1, 0, 0, 0], [3], "www"),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §3.1",
    what: "a label that is longer than the message",
    query: message([1, 0, 0, 0], [60], "www", [0], uint16(1), uint16(1)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "label type 01",
    query: message([1, 0, 0, 0], [0x41, 1, 0], uint16(1), uint16(1)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "label type 10",
    query: message([1, 0, 0, 0], [0x81, 1, 0], uint16(1), uint16(1)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §2.3.4",
    what: "a name of 256 octets",
    query: message(
      [1, 0, 0, 0],
      ...Array.from({ length: 4 }, () => [[62], "x".repeat(62)]).flat(),
      [2],
      "xx",
      [0],
      uint16(1),
      uint16(1),
    ),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "a pointer to itself",
    query: message([1, 0, 0, 0], pointer(12), uint16(1), uint16(1)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "two pointers in a loop",
    query: message([1, 0, 0, 0], pointer(14), pointer(12), uint16(1), uint16(1)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "a pointer forward",
    query: message([1, 0, 0, 0], pointer(18), uint16(1), uint16(1), [3], "www", [0]),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "a pointer behind the message",
    query: message([1, 0, 0, 0], pointer(0x3fff), uint16(1), uint16(1)),
    expect: formerr,
  },
  { rule: "RFC 1035 §4.1.4", what: "half a pointer", query: message([1, 0, 0, 0], [0xc0]), expect: formerr },
  {
    rule: "RFC 1035 §4.1.4",
    what: "a label and a pointer to it, a loop that grows",
    query: message([1, 0, 0, 0], [1], "x", pointer(12), uint16(1), uint16(1)),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1",
    what: "octets behind the last record",
    query: ask("@", "SOA", { tail: "tail" }),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1",
    what: "octets behind an OPT",
    query: ask("@", "SOA", { edns: opt(), tail: [0] }),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1",
    what: "a record that is promised and not there",
    query: ask("@", "SOA", { counts: [1, 0, 0, 1] }),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1",
    what: "counts of 65535",
    query: ask("@", "SOA", { counts: [1, 0xffff, 0xffff, 0xffff] }),
    expect: formerr,
  },
  {
    rule: "RFC 1035 §4.1.3",
    what: "a record whose RDLENGTH passes the end",
    query: ask("@", "SOA", {
      additional: [record({ owner: wireName("x"), type: 1, rdata: [1, 2, 3, 4], rdlength: 400 })],
    }),
    expect: formerr,
  },
  {
    rule: "RFC 1034 §3.7",
    what: "a record in the additional section of a query is passed over",
    query: ask("@", "SOA", { additional: [A_RECORD] }),
    expect: soa,
  },
  {
    rule: "RFC 1034 §3.7",
    what: "records in the answer and authority sections of a query are passed over",
    query: ask("@", "SOA", { answer: [A_RECORD], authority: [A_RECORD] }),
    expect: soa,
  },
  {
    rule: "RFC 1035 §4.1.4",
    what: "a pointer into the header, where no name stands",
    query: message([1, 0, 0, 0], [3], "www", pointer(0), uint16(1), uint16(1)),
    expect: formerr,
  },

  // Classes.
  {
    rule: "RFC 1035 §3.2.4",
    what: "class HS is not served",
    query: ask("@", "SOA", { qclass: CLASS.HS }),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 1035 §3.2.4",
    what: "class CH holds none of the zones of class IN",
    query: ask("@", "SOA", { qclass: CLASS.CH }),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 6895 §3.2",
    what: "an unknown class is not served",
    query: ask("@", "SOA", { qclass: 65280 }),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 6895 §3.2",
    what: "class 0 is reserved, and not served",
    query: ask("@", "SOA", { qclass: 0 }),
    expect: { ...refusal("REFUSED", "FORMERR"), aa: false },
  },
  {
    rule: "RFC 2136 §1.3",
    what: "class NONE is of UPDATE alone",
    query: ask("@", "SOA", { qclass: CLASS.NONE }),
    expect: { ...refusal("REFUSED", "FORMERR"), aa: false },
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "class ANY is refused, or answered without AA",
    query: ask("@", "SOA", { qclass: CLASS.ANY }),
    expect: { rcode: ["NOERROR", "REFUSED"], aa: false },
  },
  chaos("version.bind.", VERSION),
  chaos("version.server.", VERSION),
  chaos("hostname.bind.", IDENTITY),
  chaos("id.server.", IDENTITY),
  {
    rule: "RFC 4892 §2",
    what: "the case of a name in class CH does not count",
    needs: "chaos",
    query: ask("ID.Server.", "TXT", { qclass: CLASS.CH }),
    expect: { also: ({ answer }) => fault(answer.length !== 1, "it is not answered") },
  },
  {
    rule: "RFC 4892 §2",
    what: "id.server in class IN is a name like others",
    query: ask("id.server.", "TXT"),
    expect: { ...refusal("REFUSED"), aa: false },
  },

  // Types that are in no zone.
  {
    rule: "RFC 6895 §3.1",
    what: "OPT is no type to ask for",
    query: ask("@", "OPT"),
    expect: refusal("FORMERR"),
  },
  {
    rule: "RFC 6895 §3.1",
    what: "TSIG is no type to ask for",
    query: ask("@", "TSIG"),
    expect: refusal("FORMERR"),
  },
  {
    rule: "RFC 1035 §3.2.3",
    what: "MAILA is obsolete: NOTIMP",
    query: ask("@", "MAILA"),
    expect: refusal("NOTIMP"),
  },
  {
    rule: "RFC 1035 §3.2.3",
    what: "MAILB is obsolete: NOTIMP",
    query: ask("@", "MAILB"),
    expect: refusal("NOTIMP"),
  },
  {
    rule: "RFC 6895 §3.1",
    what: "type 65535 is reserved: NODATA",
    query: ask("@", 65535),
    expect: { aa: true, answer: [] },
  },
];
