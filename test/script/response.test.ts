/** What a handler sends, checked: what is taken, and what is wrong with the rest. */

import { Packet } from "dns2";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientSubnetOf } from "../../src/dns/client-subnet.ts";
import { decodeMessage } from "../../src/dns/decode.ts";
import { CLASS, RCODE, TYPE } from "../../src/dns/iana.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderResponse } from "../../src/dns/render.ts";
import { parsePrefix } from "../../src/ip.ts";
import { type HandlerAnswer, readHandlerResponse } from "../../src/script/response.ts";

const apex = nameOf("api.example.");
const question = { qname: nameOctets(nameOf("www.api.example.")), qtype: TYPE.A, qclass: CLASS.IN };

const subnet = parsePrefix("10.1.0.0/16");
if (typeof subnet === "string") throw new Error(subnet);
const clientSubnet = clientSubnetOf(subnet);

type RecordFields = Partial<Packet["answers"][number]> & { readonly name: string; readonly type: number };

const record = (fields: RecordFields): Packet["answers"][number] =>
  Object.assign(new Packet.Resource(fields.name, fields.type, CLASS.IN, 60), fields);
const a = (name: string, address = "192.0.2.1", ttl = 60) => record({ name, type: TYPE.A, address, ttl });
const cname = (name: string, domain: string) => record({ name, type: TYPE.CNAME, domain });
const raw = (name: string, type: number, octets: readonly number[], qclass: number = CLASS.IN) =>
  record({ name, type, class: qclass, data: Buffer.from(octets) });
const soa = (name: string) =>
  record({
    name,
    type: TYPE.SOA,
    primary: "ns1.api.example",
    admin: "h.api.example",
    serial: 1,
    refresh: 2,
    retry: 3,
    expiration: 4,
    minimum: 5,
  });

/** The octets of a response to the question, after `change`. */
function response(change: (packet: Packet) => void): Uint8Array {
  const packet = new Packet();
  packet.header.qr = 1;
  packet.questions.push(new Packet.Question("www.api.example", TYPE.A, CLASS.IN));
  change(packet);
  return packet.toBuffer();
}

const read = (octets: Uint8Array, shown?: typeof clientSubnet): HandlerAnswer | string =>
  readHandlerResponse(octets, { question, clientSubnet: shown }, apex);

function answerOf(change: (packet: Packet) => void, shown?: typeof clientSubnet): HandlerAnswer {
  const outcome = read(response(change), shown);
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome;
}

describe("what is taken", () => {
  it("is an empty answer", () => {
    expect(answerOf(() => {})).toEqual({
      rcode: RCODE.NOERROR,
      sections: { answer: [], authority: [], additional: [] },
      scopePrefixLength: undefined,
      extendedErrors: [],
    });
  });

  it("is the name in another spelling", () => {
    const outcome = answerOf((packet) => {
      packet.questions = [new Packet.Question("WWW.api.Example", TYPE.A, CLASS.IN)];
      packet.answers.push(a("wWw.api.example"));
    });
    // dns2 points at the question for the owner name.
    expect(outcome.sections.answer.flatMap(formatRRset)).toEqual(["WWW.api.Example. 60 A 192.0.2.1"]);
  });

  it("is grouped into RRsets, each record once, with the smallest TTL (RFC 2181 §5, §5.2)", () => {
    const { sections } = answerOf((packet) => {
      packet.answers.push(
        cname("www.api.example", "one.elsewhere.example"),
        a("one.elsewhere.example", "192.0.2.1", 60),
        record({ name: "one.elsewhere.example", type: TYPE.TXT, data: ["x"] }),
        a("ONE.elsewhere.example", "192.0.2.2", 30),
        a("one.elsewhere.example", "192.0.2.1", 90),
      );
      packet.authorities.push(soa("api.example"));
      packet.additionals.push(a("ns1.api.example"));
    });
    expect(sections.answer.flatMap(formatRRset)).toEqual([
      "www.api.example. 60 CNAME one.elsewhere.example.",
      "one.elsewhere.example. 30 A 192.0.2.1",
      "one.elsewhere.example. 30 A 192.0.2.2",
      'one.elsewhere.example. 60 TXT "x"',
    ]);
    expect(sections.authority.flatMap(formatRRset)).toHaveLength(1);
    expect(sections.additional.flatMap(formatRRset)).toEqual(["ns1.api.example. 60 A 192.0.2.1"]);
  });

  it("is a TTL of 32 bits as 0 (RFC 2181 §8)", () => {
    const octets = response((packet) => packet.answers.push(a("www.api.example")));
    octets[octets.length - 10] = 0x80; // the first of the TTL, which RDLENGTH and four octets follow
    expect(read(octets)).toMatchObject({ sections: { answer: [{ ttlSeconds: 0 }] } });
  });

  it("is a DNAME above the name and what it leads to (RFC 6672 §3.2)", () => {
    const target = [3, 110, 101, 119, 0];
    const { sections } = answerOf((packet) =>
      packet.answers.push(
        raw("api.example", TYPE.DNAME, target),
        cname("www.api.example", "www.new"),
        a("www.new"),
      ),
    );
    expect(sections.answer.flatMap(formatRRset)).toHaveLength(3);
  });

  it.each([
    RCODE.NOERROR,
    RCODE.NXDOMAIN,
    RCODE.SERVFAIL,
    RCODE.REFUSED,
    RCODE.NOTIMP,
    RCODE.FORMERR,
    RCODE.YXDOMAIN,
  ])("is RCODE %i", (rcode) => {
    const outcome = answerOf((packet) => {
      packet.header.rcode = rcode;
    });
    expect(outcome.rcode).toBe(rcode);
  });

  it("is the scope of its client subnet, where one was shown", () => {
    const withScope = (packet: Packet): void => {
      const ecs = { ...Packet.Resource.EDNS.ECS("10.1.0.0/16"), scopePrefixLength: 12 };
      packet.additionals.push(Packet.Resource.EDNS([ecs]));
    };
    expect(answerOf(withScope, clientSubnet).scopePrefixLength).toBe(12);
    expect(answerOf(withScope).scopePrefixLength).toBeUndefined();
  });

  it("is an extended error, cut to a length", () => {
    const { extendedErrors } = answerOf((packet) => {
      packet.additionals.push(Packet.Resource.EDNS([Packet.Resource.EDNS.EDE(17, "x".repeat(300))]));
    });
    expect(extendedErrors).toEqual([{ code: 17, text: "x".repeat(200) }]);
  });
});

describe("octets changed at random", () => {
  const good = response((packet) => {
    packet.answers.push(
      cname("www.api.example", "one.example"),
      a("one.example"),
      a("one.example", "192.0.2.2"),
    );
    packet.authorities.push(soa("api.example"));
    packet.additionals.push(
      a("ns1.api.example"),
      Packet.Resource.EDNS([Packet.Resource.EDNS.ECS("10.1.0.0/16")]),
    );
  });
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });

  it("are refused with a sentence, or taken and rendered to a whole response", () => {
    const property = fc.property(changes, fc.nat(good.length), (changed, length) => {
      const octets = Uint8Array.from(good);
      for (const [at, octet] of changed) octets[at] = octet;
      const outcome = read(length % 4 === 0 ? octets.subarray(0, length) : octets, clientSubnet);
      if (typeof outcome === "string") return;
      const { rcode, sections } = outcome;
      const header = { id: 1, opcode: 0, recursionDesired: false };
      const made = { header, question, authoritative: true, rcode, sections, edns: undefined };
      expect(decodeMessage(renderResponse(made, 0xffff))).toMatchObject({ rcode, isResponse: true });
    });
    fc.assert(property, { numRuns: 3000 });
  });
});

describe("what is wrong", () => {
  const many = Array.from({ length: 18 }, (_, i) =>
    cname(i === 0 ? "www.api.example" : `n${i}.example`, `n${i + 1}.example`),
  );
  it.each<readonly [string, (packet: Packet) => void, string]>([
    ["a query", (packet) => Object.assign(packet.header, { qr: 0 }), "it is a query"],
    ["another opcode", (packet) => Object.assign(packet.header, { opcode: 5 }), "it has opcode 5"],
    ["no question", (packet) => packet.questions.pop(), "its question is not the one asked"],
    [
      "two questions",
      (packet) => packet.questions.push(...packet.questions),
      "its question is not the one asked",
    ],
    [
      "another name",
      (packet) => Object.assign(packet.questions[0] ?? {}, { name: "api.example" }),
      "its question is not the one asked",
    ],
    [
      "another type",
      (packet) => Object.assign(packet.questions[0] ?? {}, { type: 28 }),
      "its question is not the one asked",
    ],
    [
      "another class",
      (packet) => Object.assign(packet.questions[0] ?? {}, { class: 3 }),
      "its question is not the one asked",
    ],
    ["an RCODE of UPDATE", (packet) => Object.assign(packet.header, { rcode: 9 }), "it has RCODE NOTAUTH"],
    [
      "a record of another name",
      (packet) => packet.answers.push(a("other.api.example")),
      "its answer has a record at other.api.example., where nothing before it leads",
    ],
    [
      "the target before its CNAME",
      (packet) => packet.answers.push(a("x.example"), cname("www.api.example", "x.example")),
      "its answer has a record at x.example., where nothing before it leads",
    ],
    [
      "a CNAME beside an address",
      (packet) => packet.answers.push(cname("www.api.example", "x.example"), a("www.api.example")),
      "its answer has a CNAME beside other records at www.api.example. (RFC 2181 §10.1)",
    ],
    ["a chain too long", (packet) => packet.answers.push(...many), "its answer has more than 16 aliases"],
    [
      "a record of class CH",
      (packet) => packet.answers.push(raw("www.api.example", TYPE.TXT, [1, 120], CLASS.CH)),
      "its record at www.api.example. is not of class IN",
    ],
    [
      "a DNAME that is no name",
      (packet) => packet.answers.push(raw("api.example", TYPE.DNAME, [1])),
      "a name ends too early",
    ],
    [
      "a record of a type that is only asked for",
      (packet) => packet.answers.push(raw("www.api.example", 255, [])),
      "it has a record of type ANY",
    ],
    [
      "an address in the authority section",
      (packet) => packet.authorities.push(a("www.api.example")),
      "its authority section has a record of type A",
    ],
    [
      "the SOA of another zone",
      (packet) => packet.authorities.push(soa("example")),
      "its authority section speaks of example.",
    ],
    [
      "a CNAME in the additional section",
      (packet) => packet.additionals.push(cname("www.api.example", "x.example")),
      "its additional section has a record of type CNAME",
    ],
  ])("%s", (_name, change, fault) => {
    const outcome = read(response(change));
    expect(typeof outcome === "string" ? outcome : "taken").toContain(fault);
  });

  it("an address without octets", () => {
    // Of class ANY it would be a record of an UPDATE (RFC 2136 §2.4).
    const octets = response((packet) => packet.answers.push(raw("www.api.example", 1001, [])));
    const at = Buffer.from(octets).lastIndexOf(Buffer.from([0x03, 0xe9]));
    octets.set([0, TYPE.A], at);
    expect(read(octets)).toBe("its A at www.api.example. is malformed");
  });

  it("a client subnet of another family than was asked (RFC 7871 §7.3)", () => {
    const octets = response((packet) => {
      const ecs = { ednsCode: 8, family: 2, sourcePrefixLength: 32, scopePrefixLength: 0, ip: "2001:db8::" };
      packet.additionals.push(Packet.Resource.EDNS([ecs]));
    });
    expect(read(octets, clientSubnet)).toBe("its client subnet has family 2, and 1 was asked");
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["a few octets", Uint8Array.from([1, 2, 3])],
    ["zeros", new Uint8Array(512)],
    ["text", new TextEncoder().encode("this is no message")],
    ["octets behind the last record", Uint8Array.from([...response(() => {}), 0])],
    ["more than a message can have", new Uint8Array(0x10000)],
  ])("%s", (_name, octets) => {
    expect(typeof read(octets)).toBe("string");
  });
});
