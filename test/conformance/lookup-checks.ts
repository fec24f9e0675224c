/** What a zone has to say: RFC 1034 §4.3.2 and what has been made of it since. */

import { TYPE } from "../../src/dns/iana.ts";
import { type Check, fault, nodata, nxdomain, positive, referral, refusal } from "./expect.ts";
import { ask, opt } from "./query.ts";
import type { Seen } from "./response.ts";
import {
  BIG,
  CHILD_SOA,
  DS,
  FORTY,
  HUGE,
  LONGEST_LABEL,
  LONGEST_NAME,
  NEGATIVE_CHILD_SOA,
  SOA,
  TWENTY,
  WIDE_GLUE,
  WIDE_NAMESERVERS,
} from "./zone.ts";

const WWW = ["www 300 A 192.0.2.1", "www 300 A 192.0.2.2"];
const MIXED = 'MiXeD 300 TXT "KePt"';

/** Nothing is in the answer section twice. */
const noneTwice = ({ answer }: Seen): readonly string[] =>
  fault(new Set(answer.map(({ line }) => line)).size < answer.length, "a record is in the answer twice");

const atMost = (octets: number) => (seen: Seen) =>
  fault(seen.octets.length > octets, `the response has ${seen.octets.length} octets, over ${octets}`);

/** For what is truncated over UDP: any part of the RRset there, the whole over TCP. */
const truncatedAt = (octets: number, lines: readonly string[]): Check["expect"] => ({
  tc: true,
  also: (seen, way) =>
    way === "udp"
      ? atMost(octets)(seen)
      : fault(
          seen.answer.length !== lines.length,
          `${seen.answer.length} of ${lines.length} records are there`,
        ),
});

export const lookupChecks: readonly Check[] = [
  // The zone itself.
  { rule: "RFC 1034 §4.3.2", what: "the SOA of the apex", query: ask("@", "SOA"), expect: positive(SOA) },
  {
    rule: "RFC 1034 §4.3.2",
    what: "the NS RRset of the apex is an answer, not a referral",
    query: ask("@", "NS"),
    expect: positive("@ 3600 NS ns1", "@ 3600 NS ns2"),
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "the MX RRset of the apex",
    query: ask("@", "MX"),
    expect: positive("@ 3600 MX 10 mail"),
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "an RRset of two records",
    query: ask("www", "A"),
    expect: positive(...WWW),
  },
  {
    rule: "RFC 3596 §2.1",
    what: "an AAAA RRset",
    query: ask("www", "AAAA"),
    expect: positive("www 300 AAAA 2001:db8::1"),
  },
  {
    rule: "RFC 1035 §3.3.14",
    what: "a TXT record keeps its strings apart",
    query: ask("txt", "TXT"),
    expect: positive('txt 300 TXT "one" "two"'),
  },
  {
    rule: "RFC 1035 §3.3",
    what: "an empty string",
    query: ask("nothing", "TXT"),
    expect: positive('nothing 300 TXT ""'),
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "a name of no zone served is refused, without a referral to the root",
    query: ask("www.elsewhere.example.", "A"),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "the name above the apex is refused",
    query: ask("example.", "NS"),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "the root is refused",
    query: ask(".", "NS"),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "a name that ends like the apex without a dot between is refused",
    query: ask("xconformance.example.", "A"),
    expect: { ...refusal("REFUSED"), aa: false },
  },

  // Negative answers.
  {
    rule: "RFC 2308 §2.1",
    what: "NXDOMAIN has the SOA, its TTL no longer than MINIMUM",
    query: ask("nosuch", "A"),
    expect: nxdomain(),
  },
  {
    rule: "RFC 2308 §2.2",
    what: "NODATA has the SOA, its TTL no longer than MINIMUM",
    query: ask("www", "MX"),
    expect: nodata(),
  },
  { rule: "RFC 2308 §2.2", what: "NODATA at the apex", query: ask("@", "A"), expect: nodata() },
  {
    rule: "RFC 2308 §2.2",
    what: "NODATA for DNSKEY in a zone that is not signed",
    query: ask("@", "DNSKEY", { edns: opt([], { flags: 0x8000 }) }),
    expect: nodata(),
  },
  { rule: "RFC 2308 §2.2", what: "NODATA for RRSIG", query: ask("www", "RRSIG"), expect: nodata() },
  { rule: "RFC 2308 §2.2", what: "NODATA for NSEC", query: ask("www", "NSEC"), expect: nodata() },
  { rule: "RFC 8020 §2", what: "an empty non-terminal exists", query: ask("ent", "A"), expect: nodata() },
  {
    rule: "RFC 8020 §2",
    what: "an empty non-terminal below another exists",
    query: ask("b.ent", "TXT"),
    expect: nodata(),
  },
  {
    rule: "RFC 8020 §2",
    what: "an empty non-terminal above an SRV record exists",
    query: ask("_tcp", "SRV"),
    expect: nodata(),
  },
  {
    rule: "RFC 8020 §2",
    what: "the name below it is found",
    query: ask("a.b.ent", "A"),
    expect: positive("a.b.ent 300 A 192.0.2.3"),
  },
  {
    rule: "RFC 8020 §2",
    what: "a name beside it does not exist",
    query: ask("c.ent", "A"),
    expect: nxdomain(),
  },
  {
    rule: "RFC 8020 §2",
    what: "nothing is below a name without names below it",
    query: ask("x.www", "A"),
    expect: nxdomain(),
  },
  { rule: "RFC 8020 §2", what: "nothing is below a CNAME", query: ask("x.alias", "A"), expect: nxdomain() },
  {
    rule: "RFC 8020 §2",
    what: "nothing is below what does not exist",
    query: ask("a.b.c.d.nosuch", "A"),
    expect: nxdomain(),
  },

  // Aliases.
  {
    rule: "RFC 1034 §4.3.2 step 3a",
    what: "a CNAME and what it leads to",
    query: ask("alias", "A"),
    expect: positive("alias 200 CNAME www", ...WWW),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3a",
    what: "the CNAME alone where it is asked for",
    query: ask("alias", "CNAME"),
    expect: positive("alias 200 CNAME www"),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3a",
    what: "a chain of CNAMEs, each with its own TTL",
    query: ask("chain1", "AAAA"),
    expect: positive(
      "chain1 100 CNAME chain2",
      "chain2 150 CNAME chain3",
      "chain3 200 CNAME www",
      "www 300 AAAA 2001:db8::1",
    ),
  },
  {
    rule: "RFC 1034 §3.6.2",
    what: "the records of a chain stand in its order",
    query: ask("chain1", "AAAA"),
    expect: {
      also: ({ answer }) =>
        fault(
          answer.map(({ line }) => line.slice(0, 6)).join(" ") !== "chain1 chain2 chain3 www.co",
          `they stand as ${answer.map(({ line }) => line).join(" | ")}`,
        ),
    },
  },
  {
    rule: "RFC 2308 §2.2.1",
    what: "NODATA behind a CNAME",
    query: ask("to-txt", "A"),
    expect: nodata(["to-txt 200 CNAME txt"]),
  },
  {
    rule: "RFC 2308 §2.2.1",
    what: "NODATA behind a CNAME to an empty non-terminal",
    query: ask("to-ent", "A"),
    expect: nodata(["to-ent 200 CNAME b.ent"]),
  },
  {
    rule: "RFC 6604 §3",
    what: "NXDOMAIN behind a CNAME, with AA and the SOA",
    query: ask("dangling", "A"),
    expect: nxdomain(["dangling 200 CNAME nosuch"]),
  },
  {
    rule: "RFC 6604 §3",
    what: "the CNAME itself exists",
    query: ask("dangling", "CNAME"),
    expect: positive("dangling 200 CNAME nosuch"),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3a",
    what: "a CNAME out of the zones served ends the answer with NOERROR",
    query: ask("outside", "A"),
    expect: { aa: true, answer: ["outside 200 CNAME www.elsewhere.example."] },
  },
  {
    rule: "RFC 1034 §4.3.2 step 3b",
    what: "a CNAME into a delegation ends in a referral, AA by its first owner name (RFC 1035 §4.1.1)",
    query: ask("into-sub", "A"),
    expect: { aa: true, answer: ["into-sub 200 CNAME host.sub"], authority: ["sub 3600 NS ns.sub"] },
  },
  {
    rule: "RFC 1034 §3.6.2",
    what: "a loop of two CNAMEs is cut",
    needs: "cname-loops",
    query: ask("loop1", "A"),
    expect: { rcode: ["NOERROR", "SERVFAIL"], also: noneTwice },
  },
  {
    rule: "RFC 1034 §3.6.2",
    what: "a CNAME to itself is cut",
    needs: "cname-loops",
    query: ask("self", "A"),
    expect: { rcode: ["NOERROR", "SERVFAIL"], also: noneTwice },
  },
  {
    rule: "RFC 1034 §3.6.2",
    what: "a CNAME of a loop, asked for itself",
    needs: "cname-loops",
    query: ask("self", "CNAME"),
    expect: positive("self 100 CNAME self"),
  },

  // Wildcards: the questions of RFC 4592 §2.2.1, in its order.
  {
    rule: "RFC 4592 §2.2.1",
    what: "MX is synthesised at host3",
    query: ask("host3.wild", "MX"),
    expect: positive("host3.wild 3600 MX 10 host1.wild"),
  },
  { rule: "RFC 4592 §2.2.1", what: "A at host3 is NODATA", query: ask("host3.wild", "A"), expect: nodata() },
  {
    rule: "RFC 4592 §2.2.1",
    what: "TXT is synthesised at foo.bar, two labels below",
    query: ask("foo.bar.wild", "TXT"),
    expect: positive('foo.bar.wild 3600 TXT "this is a wildcard"'),
  },
  {
    rule: "RFC 4592 §2.2.1",
    what: "MX at host1 is NODATA: it exists",
    query: ask("host1.wild", "MX"),
    expect: nodata(),
  },
  {
    rule: "RFC 4592 §2.2.1",
    what: "MX at sub.* is NODATA: it exists",
    query: ask("sub.*.wild", "MX"),
    expect: nodata(),
  },
  {
    rule: "RFC 4592 §2.2.1",
    what: "SRV at _telnet._tcp.host1 is NXDOMAIN: the closest encloser is _tcp.host1",
    query: ask("_telnet._tcp.host1.wild", "SRV"),
    expect: nxdomain(),
  },
  {
    rule: "RFC 4592 §2.2.1",
    what: "A at host.subdel is a referral: a zone cut is no business of the wildcard",
    query: ask("host.subdel.wild", "A"),
    expect: referral(["subdel.wild 3600 NS ns.elsewhere.example."]),
  },
  {
    rule: "RFC 4592 §2.2.1",
    what: "MX at ghost.* is NXDOMAIN: * is the closest encloser",
    query: ask("ghost.*.wild", "MX"),
    expect: nxdomain(),
  },
  {
    rule: "RFC 4592 §2.3",
    what: "the wildcard itself, asked for by name",
    query: ask("*.wild", "TXT"),
    expect: positive('*.wild 3600 TXT "this is a wildcard"'),
  },
  {
    rule: "RFC 4592 §2.3",
    what: "the name below the asterisk, asked for by name",
    query: ask("sub.*.wild", "TXT"),
    expect: positive('sub.*.wild 3600 TXT "this is not a wildcard"'),
  },
  {
    rule: "RFC 4592 §2.3",
    what: "an asterisk that is not the first label of the closest encloser is a label like others",
    query: ask("x.*.y.wild", "TXT"),
    expect: positive('x.*.y.wild 3600 TXT "this is a wildcard"'),
  },
  {
    rule: "RFC 4592 §2.2.2",
    what: "an empty non-terminal hides the wildcard",
    query: ask("host2.wild", "TXT"),
    expect: nodata(),
  },
  {
    rule: "RFC 4592 §2.2.2",
    what: "the name above the wildcard is an empty non-terminal",
    query: ask("wild", "TXT"),
    expect: nodata(),
  },
  {
    rule: "RFC 4592 §3.3.3",
    what: "a CNAME is synthesised and followed",
    query: ask("x.wild-alias", "A"),
    expect: positive("x.wild-alias 200 CNAME www", ...WWW),
  },
  {
    rule: "RFC 4592 §3.3.3",
    what: "a CNAME leads to a synthesised record",
    query: ask("to-wild", "TXT"),
    expect: positive("to-wild 200 CNAME any.wild", 'any.wild 3600 TXT "this is a wildcard"'),
  },
  {
    rule: "RFC 4592 §3.3.3",
    what: "a synthesised CNAME asked for itself",
    query: ask("x.wild-alias", "CNAME"),
    expect: positive("x.wild-alias 200 CNAME www"),
  },

  // Delegations.
  {
    rule: "RFC 1034 §4.3.2 step 3b",
    what: "a name below a delegation: a referral without AA, without SOA, with its glue",
    query: ask("host.sub", "A"),
    expect: referral(["sub 3600 NS ns.sub"], ["ns.sub 3600 A 192.0.2.53", "ns.sub 3600 AAAA 2001:db8::53"]),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3b",
    what: "the delegated name itself: a referral",
    query: ask("sub", "A"),
    expect: referral(["sub 3600 NS ns.sub"]),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3b",
    what: "the NS RRset of the delegated name: a referral, since the child has the say of it",
    query: ask("sub", "NS"),
    expect: referral(["sub 3600 NS ns.sub"]),
  },
  {
    rule: "RFC 2181 §6.1",
    what: "glue is no answer",
    query: ask("ns.sub", "A"),
    expect: referral(["sub 3600 NS ns.sub"], ["ns.sub 3600 A 192.0.2.53"]),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3b",
    what: "a delegation to name servers elsewhere, without glue",
    query: ask("a.b.far", "TXT"),
    expect: referral(["far 3600 NS ns.elsewhere.example."]),
  },
  {
    rule: "RFC 9471 §3.1",
    what: "all in-domain glue is there, or TC is set",
    query: ask("host.wide", "A"),
    expect: {
      aa: false,
      answer: [],
      also: (seen) => {
        const missing = WIDE_GLUE.length - seen.additional.length;
        return fault(missing > 0 && !seen.bits.includes("tc"), `${missing} addresses are missing without TC`);
      },
    },
  },
  {
    rule: "RFC 9471 §3.1",
    what: "all in-domain glue is there where there is room",
    over: "tcp",
    query: ask("host.wide", "A"),
    expect: referral(WIDE_NAMESERVERS, WIDE_GLUE),
  },
  {
    rule: "RFC 9471 §3.2",
    what: "sibling glue is there where there is room",
    query: ask("host.sib", "A"),
    expect: referral(["sib 3600 NS ns.other"], ["ns.other 3600 A 192.0.2.54"]),
  },
  {
    rule: "RFC 4035 §3.1.4.1",
    what: "DS at a delegation is answered by the parent, with AA",
    needs: "ds",
    query: ask("signed", "DS"),
    expect: positive(`signed 3600 TYPE43 ${DS}`),
  },
  {
    rule: "RFC 4035 §3.1.4.1",
    what: "DS at a delegation that is not signed is NODATA of the parent",
    query: ask("sub", "DS"),
    expect: nodata(),
  },
  {
    rule: "RFC 4035 §3.1.4.1",
    what: "DS below a delegation is a referral",
    query: ask("host.sub", "DS"),
    expect: referral(["sub 3600 NS ns.sub"]),
  },
  {
    rule: "RFC 4035 §3.1.4.1",
    what: "DS at an apex whose parent is not served is NODATA of the child",
    query: ask("@", "DS"),
    expect: nodata(),
  },
  {
    rule: "RFC 4035 §3.1.4.1",
    what: "DS at a zone cut with parent and child both served comes from the parent",
    needs: "nested-zones",
    query: ask("served", "DS"),
    expect: positive(`served 3600 TYPE43 ${DS}`),
  },
  {
    rule: "RFC 1034 §4.3.2 step 2",
    what: "of parent and child, both served, the child has the say of its apex",
    needs: "nested-zones",
    query: ask("served", "SOA"),
    expect: positive(CHILD_SOA),
  },
  {
    rule: "RFC 1034 §4.3.2 step 2",
    what: "the child has the say of its NS RRset",
    needs: "nested-zones",
    query: ask("served", "NS"),
    expect: positive("served 3600 NS ns.served"),
  },
  {
    rule: "RFC 1034 §4.3.2 step 2",
    what: "the child has the say below its apex, and its SOA has MINIMUM for its TTL",
    needs: "nested-zones",
    query: ask("nosuch.served", "A"),
    expect: nxdomain([], NEGATIVE_CHILD_SOA),
  },
  {
    rule: "RFC 1034 §4.3.2 step 3a",
    what: "a CNAME into another zone served is followed",
    needs: "nested-zones",
    query: ask("to-served", "A"),
    expect: positive("to-served 200 CNAME www.served", "www.served 300 A 192.0.2.66"),
  },
  {
    rule: "RFC 2308 §2.1",
    what: "behind a CNAME into another zone served, NXDOMAIN has the SOA of that",
    needs: "nested-zones",
    query: ask("to-unserved", "A"),
    expect: nxdomain(["to-unserved 200 CNAME nosuch.served"], NEGATIVE_CHILD_SOA),
  },

  // DNAME.
  {
    rule: "RFC 6672 §3.1",
    what: "a name below a DNAME: the DNAME, a CNAME with its TTL, and what that leads to",
    needs: "dname",
    query: ask("x.dname", "A"),
    expect: positive("dname 600 DNAME target", "x.dname 600 CNAME x.target", "x.target 300 A 192.0.2.7"),
  },
  {
    rule: "RFC 6672 §3.2",
    what: "a CNAME below a DNAME, asked for itself",
    needs: "dname",
    query: ask("x.dname", "CNAME"),
    expect: positive("dname 600 DNAME target", "x.dname 600 CNAME x.target"),
  },
  {
    rule: "RFC 6672 §2.3",
    what: "the DNAME itself",
    needs: "dname",
    query: ask("dname", "DNAME"),
    expect: positive("dname 600 DNAME target"),
  },
  {
    rule: "RFC 6672 §2.3",
    what: "the owner of a DNAME is not redirected",
    needs: "dname",
    query: ask("dname", "TXT"),
    expect: positive('dname 300 TXT "beside"'),
  },
  {
    rule: "RFC 6672 §2.3",
    what: "NODATA at the owner of a DNAME",
    needs: "dname",
    query: ask("dname", "A"),
    expect: nodata(),
  },
  {
    rule: "RFC 6604 §3",
    what: "NXDOMAIN behind a DNAME",
    needs: "dname",
    query: ask("nosuch.dname", "A"),
    expect: nxdomain(["dname 600 DNAME target", "nosuch.dname 600 CNAME nosuch.target"]),
  },
  {
    rule: "RFC 6672 §3.1",
    what: "several labels below a DNAME are kept",
    needs: "dname",
    query: ask("a.b.c.out", "A"),
    expect: {
      aa: true,
      answer: ["out 600 DNAME elsewhere.example.", "a.b.c.out 600 CNAME a.b.c.elsewhere.example."],
    },
  },
  {
    rule: "RFC 6672 §2.2",
    what: "a name that would be over 255 octets is YXDOMAIN, with the DNAME",
    needs: "dname",
    query: ask(`${LONGEST_LABEL}.long`, "A"),
    expect: {
      rcode: "YXDOMAIN",
      also: ({ answer }) =>
        fault(
          answer.map(({ type }) => type).join() !== String(TYPE.DNAME),
          "the answer is not the DNAME alone",
        ),
    },
  },
  {
    rule: "RFC 6672 §2.5",
    what: "the target of a DNAME is not compressed",
    needs: "dname",
    query: ask("dname", "DNAME"),
    expect: { also: ({ answer }) => uncompressedFaults(answer) },
  },

  // Types, and names of all kinds.
  {
    rule: "RFC 3597 §3",
    what: "RDATA of an unknown type comes as it is",
    query: ask("unknown", 65280),
    expect: positive("unknown 300 TYPE65280 \\# 4 c000020c"),
  },
  {
    rule: "RFC 3597 §3",
    what: "RDATA of an unknown type may be empty",
    needs: "empty-rdata",
    query: ask("unknown", 65281),
    expect: positive("unknown 300 TYPE65281 \\# 0"),
  },
  {
    rule: "RFC 3597 §3",
    what: "an unknown type at a name without it is NODATA",
    query: ask("www", 65280),
    expect: nodata(),
  },
  {
    rule: "RFC 3597 §3",
    what: "an unknown type at no name is NXDOMAIN",
    query: ask("nosuch", 65280),
    expect: nxdomain(),
  },
  {
    rule: "RFC 3597 §4",
    what: "the target of an SRV record is not compressed",
    query: ask("_sip._tcp", "SRV"),
    expect: {
      ...positive("_sip._tcp 300 SRV 10 20 5060 www"),
      also: ({ answer }) => uncompressedFaults(answer),
    },
  },
  {
    rule: "RFC 4343 §3",
    what: "the case of a question does not count, and comes back as it was",
    query: ask("wWw", "A"),
    expect: {
      aa: true,
      also: ({ answer }) => fault(answer.length !== 2, `there are ${answer.length} records`),
    },
  },
  {
    rule: "RFC 4343 §3",
    what: "the case of the apex does not count",
    query: ask("WWW.ConFormance.EXAMPLE.", "A"),
    expect: {
      aa: true,
      also: ({ answer }) => fault(answer.length !== 2, `there are ${answer.length} records`),
    },
  },
  {
    rule: "RFC 4343 §3",
    what: "the case of an owner name in the zone does not count, and RDATA keeps its own",
    query: ask("mixed", "TXT"),
    expect: {
      aa: true,
      also: ({ answer }) =>
        fault(
          !answer.some(
            ({ line }) =>
              line.toLowerCase() === MIXED.toLowerCase().replace(" ", ".conformance.example. ") &&
              line.includes("KePt"),
          ),
          `the answer is ${answer.map(({ line }) => line).join(" | ")}`,
        ),
    },
  },
  {
    rule: "RFC 4343 §3",
    what: "the case of a question comes back in a wildcard's NODATA too",
    query: ask("ANY.WiLd", "A"),
    expect: nodata(),
  },
  {
    rule: "RFC 2181 §11",
    what: "a dot inside a label",
    query: ask("dotted\\.label", "TXT"),
    expect: positive('dotted\\.label 300 TXT "a dot in a label"'),
  },
  {
    rule: "RFC 2181 §11",
    what: "the same with two labels is another name",
    query: ask("dotted.label", "TXT"),
    expect: nxdomain(),
  },
  {
    rule: "RFC 2181 §11",
    what: "a space inside a label",
    query: ask("with\\032space", "TXT"),
    expect: positive('with\\032space 300 TXT "a space"'),
  },
  {
    rule: "RFC 2181 §11",
    what: "octets 0 and 255 in a label",
    query: ask("\\000\\255", "TXT"),
    expect: positive('\\000\\255 300 TXT "octets 0 and 255"'),
  },
  {
    rule: "RFC 1035 §2.3.4",
    what: "a label of 63 octets",
    query: ask(LONGEST_LABEL, "TXT"),
    expect: positive(`${LONGEST_LABEL} 300 TXT "63 octets"`),
  },
  {
    rule: "RFC 1035 §2.3.4",
    what: "a name of 255 octets",
    query: ask(LONGEST_NAME, "TXT"),
    expect: positive(`${LONGEST_NAME} 300 TXT "255 octets"`),
  },
  {
    rule: "RFC 1035 §2.3.4",
    what: "a name of 255 octets that does not exist",
    query: ask(LONGEST_NAME.replaceAll("l", "n"), "TXT"),
    expect: nxdomain(),
  },
  {
    rule: "RFC 1035 §2.3.4",
    what: "a name of 117 labels",
    query: ask(`${"a.".repeat(114)}wild`, "TXT"),
    expect: positive(`${"a.".repeat(114)}wild 3600 TXT "this is a wildcard"`),
  },

  // ANY.
  {
    rule: "RFC 8482 §4",
    what: "ANY at a name with several types: an answer at that name, not nothing",
    query: ask("www", "ANY"),
    expect: {
      aa: true,
      also: ({ answer }, way) => [
        ...fault(answer.length === 0, "there is no answer"),
        ...fault(
          way === "udp" && new Set(answer.map(({ type }) => type)).size > 1,
          "over UDP there is more than one RRset",
        ),
        ...fault(!answer.every(({ line }) => line.startsWith("www.")), "there are records of other names"),
      ],
    },
  },
  {
    rule: "RFC 8482 §4",
    what: "ANY at a CNAME: the CNAME is not followed (RFC 1034 §4.3.2 step 3a)",
    query: ask("alias", "ANY"),
    expect: {
      aa: true,
      also: ({ answer }) => fault(answer.length !== 1, `there are ${answer.length} records`),
    },
  },
  {
    rule: "RFC 8482 §4",
    what: "ANY at a name that does not exist",
    query: ask("nosuch", "ANY"),
    expect: nxdomain(),
  },
  { rule: "RFC 8482 §4", what: "ANY at an empty non-terminal", query: ask("ent", "ANY"), expect: nodata() },
  {
    rule: "RFC 8482 §4",
    what: "ANY below a delegation is a referral",
    query: ask("host.sub", "ANY"),
    expect: referral(["sub 3600 NS ns.sub"]),
  },

  // Sizes.
  {
    rule: "RFC 1035 §4.2.1",
    what: "what fits into 512 octets is whole without EDNS",
    query: ask("twenty", "A"),
    expect: { ...positive(...TWENTY), tc: false, also: atMost(512) },
  },
  {
    rule: "RFC 1035 §4.2.1",
    what: "what does not fit into 512 octets is truncated over UDP without EDNS, and whole over TCP",
    query: ask("forty", "A"),
    expect: truncatedAt(512, FORTY),
  },
  {
    rule: "RFC 6891 §6.2.3",
    what: "the UDP payload size is used",
    query: ask("forty", "A", { edns: opt([], { size: 1232 }) }),
    expect: { ...positive(...FORTY), tc: false },
  },
  {
    rule: "RFC 6891 §6.2.3",
    what: "a UDP payload size that is a little too small truncates, and the OPT stays",
    query: ask("forty", "A", { edns: opt([], { size: 683 }) }),
    expect: truncatedAt(683, FORTY),
  },
  {
    rule: "RFC 6891 §6.2.3",
    what: "a UDP payload size that is just enough does not truncate",
    query: ask("forty", "A", { edns: opt([], { size: 701 }) }),
    expect: {
      ...positive(...FORTY),
      tc: false,
      also: (seen, way) => (way === "udp" ? atMost(701)(seen) : []),
    },
  },
  {
    rule: "RFC 6891 §6.2.3",
    what: "a UDP payload size below 512 counts as 512: what fits is whole",
    query: ask("twenty", "A", { edns: opt([], { size: 100 }) }),
    expect: { ...positive(...TWENTY), tc: false },
  },
  {
    rule: "RFC 6891 §6.2.3",
    what: "a UDP payload size of 0 counts as 512: what does not fit is truncated",
    query: ask("forty", "A", { edns: opt([], { size: 0 }) }),
    expect: truncatedAt(512, FORTY),
  },
  {
    rule: "RFC 6891 §6.2.5",
    what: "a UDP payload size of 65535 does not make the server send more than it deems sound",
    query: ask("big", "TXT", { edns: opt([], { size: 65535 }) }),
    expect: truncatedAt(1232, BIG),
  },
  {
    rule: "RFC 2181 §9",
    what: "an RRset of one record that does not fit",
    query: ask("big", "TXT"),
    expect: truncatedAt(512, BIG),
  },
  {
    rule: "RFC 1035 §4.2.2",
    what: "a response of 42 kB, where no name behind the first 16 kB can be pointed to",
    over: "tcp",
    needs: "large-messages",
    query: ask("huge", "TXT"),
    expect: positive(...HUGE),
  },
];

/** In RDATA as it was sent a pointer would be shorter than the name it stands for. */
function uncompressedFaults(records: Seen["answer"]): readonly string[] {
  return records.flatMap(({ rdata, sentRdata, line }) =>
    fault(rdata.length !== sentRdata.length, `a name is compressed in ${line}`),
  );
}
