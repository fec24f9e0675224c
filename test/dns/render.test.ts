import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, decodeQuery } from "../../src/dns/decode.ts";
import type { Edns } from "../../src/dns/edns.ts";
import { noSections, type ResourceRecord, type Response, type RRset } from "../../src/dns/message.ts";
import { domainName, foldCase } from "../../src/dns/name.ts";
import { renderQuery, renderResponse } from "../../src/dns/render.ts";
import { parsePrefix } from "../../src/ip.ts";
import { shownSections } from "./arbitraries.ts";
import {
  hex,
  labels,
  message,
  octets,
  opt,
  option,
  type Part,
  pointer,
  record,
  string,
  uint16,
} from "./wire.ts";

const qname = labels("Www", "Example");
const question = octets(qname, uint16(1), uint16(1));
const TC = 0x0200;

const edns: Edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, options: [] };

/** A response to the question above; AA and NOERROR unless told. */
function response(parts: Partial<Response> = {}): Response {
  return {
    header: { id: 0x1234, opcode: 0, recursionDesired: false },
    question: { qname, qtype: 1, qclass: 1 },
    authoritative: true,
    rcode: 0,
    sections: noSections,
    edns: undefined,
    ...parts,
  };
}

function rrset(owner: Uint8Array, type: number, ...rdatas: readonly Part[]): RRset {
  return {
    owner,
    name: domainName(owner),
    type,
    ttlSeconds: 60,
    rdatas: rdatas.map((rdata) => octets(rdata)),
  };
}

/** What the response above to the question above is, with these flags, counts and octets behind the question. */
const rendered = (
  flags: number,
  counts: readonly [number, number, number],
  ...body: readonly Part[]
): Uint8Array => message({ flags: 0x8000 | flags, counts: [1, ...counts], body: [question, ...body] });

const answerOf = (...answer: readonly RRset[]): Response => response({ sections: { ...noSections, answer } });
const render = (parts: Response, limit = 0xffff): Uint8Array => renderResponse(parts, limit);

describe("the header and the question", () => {
  const rows: readonly { name: string; response: Response; expected: Uint8Array }[] = [
    { name: "AA (RFC 1035 §4.1.1)", response: response(), expected: rendered(0x0400, [0, 0, 0]) },
    {
      name: "not AA, and an RCODE",
      response: response({ authoritative: false, rcode: 5 }),
      expected: rendered(0x0005, [0, 0, 0]),
    },
    {
      name: "RD is repeated, RA never set (RFC 1035 §4.1.1)",
      response: response({ header: { id: 0x1234, opcode: 0, recursionDesired: true } }),
      expected: rendered(0x0500, [0, 0, 0]),
    },
    {
      name: "the opcode is repeated (RFC 1035 §4.1.1)",
      response: response({ header: { id: 0x1234, opcode: 5, recursionDesired: false }, rcode: 4 }),
      expected: rendered(0x2c04, [0, 0, 0]),
    },
    {
      name: "no question",
      response: response({
        header: { id: 0xffff, opcode: 15, recursionDesired: false },
        question: undefined,
      }),
      expected: message({ id: 0xffff, flags: 0xfc00, counts: [0, 0, 0, 0], body: [] }),
    },
    {
      name: "an OPT, last of all (RFC 6891 §6.1.1)",
      response: response({
        edns: { ...edns, dnssecOk: true, options: [{ code: 8, octets: hex("0001 18 10 c00002") }] },
      }),
      expected: rendered(0x0400, [0, 0, 1], opt(option(8, hex("0001 18 10 c00002")), { flags: 0x8000 })),
    },
    {
      name: "two options",
      response: response({
        edns: {
          ...edns,
          options: [
            { code: 3, octets: octets() },
            { code: 65001, octets: octets("ab") },
          ],
        },
      }),
      expected: rendered(0x0400, [0, 0, 1], opt(octets(option(3, []), option(65001, "ab")))),
    },
    {
      name: "BADVERS, its upper bits in the OPT (RFC 6891 §6.1.3)",
      response: response({ authoritative: false, rcode: 16, edns }),
      expected: rendered(0, [0, 0, 1], record({ type: 41, class: 1232, ttlSeconds: 0x01000000 })),
    },
    {
      name: "the largest RCODE, in both places (RFC 6891 §6.1.3)",
      response: response({ authoritative: false, rcode: 0xfff, edns }),
      expected: rendered(0xf, [0, 0, 1], record({ type: 41, class: 1232, ttlSeconds: 0xff000000 })),
    },
  ];
  test.each(rows)("$name", ({ response, expected }) => {
    expect(render(response)).toEqual(expected);
  });

  test("the question keeps its spelling (draft-vixie-dnsext-dns0x20), QTYPE and QCLASS", () => {
    const asked = { qname: labels("wWW", "eXAMPLE"), qtype: 0xff01, qclass: 0xfe03 };
    expect(decodeMessage(render(response({ question: asked })))).toMatchObject({ questions: [asked] });
  });
});

describe("compression (RFC 1035 §4.1.4)", () => {
  const name = (offset: number, type: number, rdata: Part) =>
    record({ owner: pointer(offset), type, ttlSeconds: 60, rdata });
  const a = [192, 0, 2, 1];
  /** where the first record's RDATA begins when its owner is a pointer */
  const firstRdata = 12 + question.length + 12;
  const rows: readonly {
    name: string;
    rrsets: readonly RRset[];
    expected: readonly Part[];
    records?: number;
  }[] = [
    {
      name: "the owner is the QNAME, in other letters (RFC 4343 §3)",
      rrsets: [rrset(labels("www", "EXAMPLE"), 1, a)],
      expected: [name(12, 1, a)],
    },
    {
      name: "the owner ends like the QNAME",
      rrsets: [rrset(labels("Mail", "example"), 1, a)],
      expected: [record({ owner: octets(4, "Mail", pointer(16)), type: 1, ttlSeconds: 60, rdata: a })],
    },
    {
      name: "the owner begins like the QNAME and ends otherwise",
      rrsets: [rrset(labels("www", "test"), 1, a)],
      expected: [record({ owner: labels("www", "test"), type: 1, ttlSeconds: 60, rdata: a })],
    },
    {
      name: "the root is written, not pointed at",
      rrsets: [rrset(labels(), 2, labels())],
      expected: [record({ owner: 0, type: 2, ttlSeconds: 60, rdata: 0 })],
    },
    {
      name: "every record of an RRset",
      rrsets: [rrset(qname, 1, a, [192, 0, 2, 2])],
      expected: [name(12, 1, a), name(12, 1, [192, 0, 2, 2])],
      records: 2,
    },
    {
      name: "a CNAME's target, and its target's owner at that place",
      rrsets: [rrset(qname, 5, labels("a", "test")), rrset(labels("A", "TEST"), 1, a)],
      expected: [name(12, 5, labels("a", "test")), name(firstRdata, 1, a)],
      records: 2,
    },
    {
      name: "NS",
      rrsets: [rrset(qname, 2, labels("ns", "example"))],
      expected: [name(12, 2, octets(2, "ns", pointer(16)))],
    },
    { name: "PTR", rrsets: [rrset(qname, 12, qname)], expected: [name(12, 12, pointer(12))] },
    {
      name: "MX",
      rrsets: [rrset(qname, 15, octets(0, 10, labels("mx", "example")))],
      expected: [name(12, 15, octets(0, 10, 2, "mx", pointer(16)))],
    },
    {
      name: "SOA, the second name to the first as well",
      rrsets: [rrset(qname, 6, octets(labels("a", "test"), labels("b", "test"), new Uint8Array(20).fill(7)))],
      expected: [
        name(12, 6, octets(labels("a", "test"), 1, "b", pointer(firstRdata + 2), new Uint8Array(20).fill(7))),
      ],
    },
    {
      name: "not inside an SRV target (RFC 2782)",
      rrsets: [rrset(qname, 33, octets(0, 1, 0, 2, 0, 3, qname))],
      expected: [name(12, 33, octets(0, 1, 0, 2, 0, 3, qname))],
    },
    {
      name: "not at an SRV target either: nothing points there (RFC 3597 §4)",
      rrsets: [rrset(qname, 33, octets(0, 1, 0, 2, 0, 3, labels("test"))), rrset(labels("test"), 1, a)],
      expected: [
        name(12, 33, octets(0, 1, 0, 2, 0, 3, labels("test"))),
        record({ owner: labels("test"), type: 1, ttlSeconds: 60, rdata: a }),
      ],
      records: 2,
    },
    {
      name: "not in TXT",
      rrsets: [rrset(qname, 16, string("Www"))],
      expected: [name(12, 16, string("Www"))],
    },
    {
      name: "not in CAA",
      rrsets: [rrset(qname, 257, octets(0, string("issue"), qname))],
      expected: [name(12, 257, octets(0, string("issue"), qname))],
    },
    {
      name: "not in DNAME (RFC 6672 §2.5)",
      rrsets: [rrset(qname, 39, qname)],
      expected: [name(12, 39, qname)],
    },
    {
      name: "not in an unknown type (RFC 3597 §4)",
      rrsets: [rrset(qname, 65280, qname)],
      expected: [name(12, 65280, qname)],
    },
  ];
  test.each(rows)("$name", ({ rrsets, expected, records = 1 }) => {
    expect(render(answerOf(...rrsets))).toEqual(rendered(0x0400, [records, 0, 0], ...expected));
  });

  test("labels with dots or letters beyond ASCII are compared as octets (RFC 4343 §2)", () => {
    // 0xe0 is no small 0xc0, and 0xe1 is no "a" without its highest bit.
    const owners = [["a", "test"], ["a.test"], ["a"], ["\xe0"], ["\xc0"], ["\xe1"]].map((list) =>
      labels(...list),
    );
    const rrsets = owners.map((owner) => rrset(owner, 16, string("")));
    const decoded = decodeMessage(render(answerOf(...rrsets)));
    if (typeof decoded === "string") expect.fail(decoded);
    expect(decoded.answer.map(({ owner }) => owner)).toEqual(owners);
  });

  // Pointers have 14 bits: a name may be pointed at from 0x3fff down, and is not from 0x4000 up.
  test.each([
    { at: 0x3ffe, owner: [0xff, 0xfe] },
    { at: 0x3fff, owner: [0xff, 0xff] },
    { at: 0x4000, owner: [4, ..."test".split("").map((letter) => letter.charCodeAt(0)), 0] },
  ])("a name at $at is written again as $owner", ({ at, owner }) => {
    const filler = at - 12 - question.length - 12;
    const message = render(
      answerOf(
        rrset(qname, 65280, new Uint8Array(filler)),
        rrset(labels("test"), 1, a),
        rrset(labels("TEST"), 28, new Uint8Array(16)),
      ),
    );
    expect([...message.subarray(at, at + 6)]).toEqual([4, ...Buffer.from("test"), 0]);
    const second = at + 6 + 10 + 4;
    expect([...message.subarray(second, second + owner.length)]).toEqual(
      owner.length === 2 ? owner : [4, ...Buffer.from("TEST"), 0],
    );
    expect(decodeMessage(message)).toMatchObject({ answer: [{}, { owner: labels("test") }, { type: 28 }] });
  });
});

test("a TSIG is the last record, behind the OPT, and stays as the OPT does (RFC 8945 §5.1)", () => {
  const tsig = record({ owner: labels("key"), type: 250, class: 255, rdata: new Uint8Array(20) });
  const answer = [rrset(qname, 65280, new Uint8Array(20))];
  const signed = response({ sections: { ...noSections, answer }, edns, tsig });
  const kept = record({ owner: pointer(12), type: 65280, ttlSeconds: 60, rdata: new Uint8Array(20) });
  const whole = rendered(0x0400, [1, 0, 2], kept, opt(), tsig);
  expect(render(signed, whole.length)).toEqual(whole);
  expect(render(signed, whole.length - 1)).toEqual(rendered(0x0400 | TC, [0, 0, 2], opt(), tsig));
});

test("an RRset has the class it says, IN where it says none", () => {
  const chaos = { ...rrset(qname, 16, string("a")), class: 3 };
  const text = { owner: pointer(12), type: 16, ttlSeconds: 60, rdata: string("a") };
  expect(render(answerOf(chaos, rrset(qname, 16, string("a"))))).toEqual(
    rendered(0x0400, [2, 0, 0], record({ ...text, class: 3 }), record(text)),
  );
});

describe("truncation at whole RRsets (RFC 2181 §9)", () => {
  const a = (last: number) => [192, 0, 2, last];
  const two = rrset(qname, 1, a(1), a(2));
  const aaaa = rrset(qname, 28, new Uint8Array(16));
  const soa = rrset(labels("example"), 6, octets(0, 0, new Uint8Array(20)));
  const head = 12 + question.length;
  const twoOctets = 2 * (2 + 10 + 4);
  const optOctets = 11;
  const twoRecords = [1, 2].map((last) =>
    record({ owner: pointer(12), type: 1, ttlSeconds: 60, rdata: a(last) }),
  );

  const rows: readonly {
    name: string;
    sections: Response["sections"];
    withOpt: boolean;
    limit: number;
    expected: Uint8Array;
  }[] = [
    {
      name: "an RRset that just fits",
      sections: { ...noSections, answer: [two] },
      withOpt: false,
      limit: head + twoOctets,
      expected: rendered(0x0400, [2, 0, 0], ...twoRecords),
    },
    {
      name: "an RRset that is one octet too long leaves whole",
      sections: { ...noSections, answer: [two] },
      withOpt: false,
      limit: head + twoOctets - 1,
      expected: rendered(0x0400 | TC, [0, 0, 0]),
    },
    {
      name: "an RRset that just fits beside the OPT",
      sections: { ...noSections, answer: [two] },
      withOpt: true,
      limit: head + twoOctets + optOctets,
      expected: rendered(0x0400, [2, 0, 1], ...twoRecords, opt()),
    },
    {
      name: "the OPT stays and the RRset leaves (RFC 6891 §7)",
      sections: { ...noSections, answer: [two] },
      withOpt: true,
      limit: head + twoOctets + optOctets - 1,
      expected: rendered(0x0400 | TC, [0, 0, 1], opt()),
    },
    {
      name: "the RRsets before the one that does not fit stay; nothing behind it is tried",
      sections: {
        ...noSections,
        answer: [two, aaaa, rrset(qname, 1, a(3))],
        authority: [soa],
        additional: [rrset(qname, 1, a(4))],
      },
      withOpt: false,
      limit: head + twoOctets + 27,
      expected: rendered(0x0400 | TC, [2, 0, 0], ...twoRecords),
    },
    {
      name: "authority that does not fit sets TC",
      sections: { ...noSections, answer: [two], authority: [soa], additional: [rrset(qname, 1, a(4))] },
      withOpt: false,
      limit: head + twoOctets + 33,
      expected: rendered(0x0400 | TC, [2, 0, 0], ...twoRecords),
    },
    {
      name: "additional that does not fit is left out silently",
      sections: { ...noSections, answer: [two], additional: [aaaa] },
      withOpt: true,
      limit: head + twoOctets + 27 + optOctets,
      expected: rendered(0x0400, [2, 0, 1], ...twoRecords, opt()),
    },
    {
      name: "additional that fits in part is kept in part",
      sections: { ...noSections, additional: [two, aaaa] },
      withOpt: true,
      limit: head + twoOctets + 27 + optOctets,
      expected: rendered(0x0400, [0, 0, 3], ...twoRecords, opt()),
    },
    {
      name: "glue that fits stands in the additional section, before the rest (RFC 9471 §3.1)",
      sections: { ...noSections, glue: [two], additional: [rrset(qname, 1, a(4))] },
      withOpt: false,
      limit: head + twoOctets + 16,
      expected: rendered(
        0x0400,
        [0, 0, 3],
        ...twoRecords,
        record({ owner: pointer(12), type: 1, ttlSeconds: 60, rdata: a(4) }),
      ),
    },
    {
      name: "glue that does not fit sets TC (RFC 9471 §3.1)",
      sections: { ...noSections, glue: [two, aaaa], additional: [rrset(qname, 1, a(4))] },
      withOpt: true,
      limit: head + twoOctets + 27 + optOctets,
      expected: rendered(0x0400 | TC, [0, 0, 3], ...twoRecords, opt()),
    },
    {
      name: "no glue behind authority that does not fit",
      sections: { ...noSections, authority: [aaaa], glue: [rrset(qname, 1, a(4))] },
      withOpt: false,
      limit: head + 27,
      expected: rendered(0x0400 | TC, [0, 0, 0]),
    },
    {
      name: "an RRset far over the limit",
      sections: { ...noSections, answer: [rrset(qname, 65280, new Uint8Array(0xffff))] },
      withOpt: true,
      limit: 512,
      expected: rendered(0x0400 | TC, [0, 0, 1], opt()),
    },
  ];
  test.each(rows)("$name", ({ sections, withOpt, limit, expected }) => {
    expect(render(response({ sections, edns: withOpt ? edns : undefined }), limit)).toEqual(expected);
  });

  test("an RRset that fits only thanks to compression is kept", () => {
    const long = octets(63, "a".repeat(63), 63, "b".repeat(63), 63, "c".repeat(63), 0);
    const soaOfLong = rrset(long, 6, octets(long, long, new Uint8Array(20)));
    const message = render(
      response({
        question: { qname: long, qtype: 6, qclass: 1 },
        sections: { ...noSections, answer: [soaOfLong] },
      }),
      512,
    );
    expect(message.length).toBe(12 + 193 + 4 + 2 + 10 + 2 + 2 + 20);
    expect(decodeMessage(message)).toMatchObject({
      truncated: false,
      answer: [{ rdata: soaOfLong.rdatas[0] }],
    });
  });
});

/** A record without its spelling, which compression does not keep. */
function comparable({ owner, type, ttlSeconds, rdata }: Omit<ResourceRecord, "class">): string {
  const hasNames = [2, 5, 6, 12, 15].includes(type);
  const parts = [foldCase(owner), hasNames ? foldCase(rdata) : rdata].map((part) =>
    Buffer.from(part).toString("hex"),
  );
  return [type, ttlSeconds, ...parts].join(" ");
}
const recordsOf = (rrsets: readonly RRset[]): readonly string[] =>
  rrsets.flatMap((set) => set.rdatas.map((rdata) => comparable({ ...set, rdata })));

describe("random responses", () => {
  const anyRequest = fc.record({
    sections: shownSections,
    limit: fc.oneof(
      fc.integer({ min: 512, max: 1024 }),
      fc.integer({ min: 512, max: 4096 }),
      fc.constant(0xffff),
    ),
    withOpt: fc.boolean(),
  });
  test("keep to the limit, hold whole RRsets in order, as many as fit, and always the OPT", () => {
    const seen = { whole: 0, truncated: 0, glueLeftOut: 0, additionalLeftOut: 0 };
    fc.assert(
      fc.property(anyRequest, ({ sections: shown, limit, withOpt }) => {
        const sections = {
          glue: shown.glue.map(({ rrset }) => rrset),
          answer: shown.answer.map(({ rrset }) => rrset),
          authority: shown.authority.map(({ rrset }) => rrset),
          additional: shown.additional.map(({ rrset }) => rrset),
        };
        const options = [{ code: 8, octets: hex("0002 38 00 20010db8000102") }];
        const whole = response({ sections, edns: withOpt ? { ...edns, options } : undefined });
        const message = render(whole, limit);
        expect(message.length).toBeLessThanOrEqual(limit);
        const decoded = decodeMessage(message);
        if (typeof decoded === "string") expect.fail(decoded);
        expect(decoded.questions).toEqual([whole.question]);
        expect(decoded.edns).toEqual(whole.edns);

        // Count how many RRsets stand in front, then expect exactly their records.
        const kept = (records: readonly ResourceRecord[], rrsets: readonly RRset[]): number => {
          const found = records.map(comparable);
          const count = rrsets.findIndex((_, i) => recordsOf(rrsets.slice(0, i + 1)).length > found.length);
          const front = rrsets.slice(0, count < 0 ? rrsets.length : count);
          expect(found).toEqual(recordsOf(front));
          return front.length;
        };
        const answers = kept(decoded.answer, sections.answer);
        const authorities = kept(decoded.authority, sections.authority);
        const { answer, authority, glue } = sections;
        const additional = [...glue, ...sections.additional];
        const additionals = kept(decoded.additional, additional);

        const hasAnswer = answers === answer.length && authorities === authority.length;
        const complete = hasAnswer && additionals >= glue.length;
        expect(decoded.truncated).toBe(!complete);
        if (answers < answer.length) expect(authorities).toBe(0);
        if (!hasAnswer) expect(additionals).toBe(0);
        seen[complete ? "whole" : "truncated"]++;

        // One RRset more would have been over the limit.
        const more = (parts: Partial<Response["sections"]>): number =>
          render({ ...whole, sections: { ...noSections, ...parts } }).length;
        if (answers < answer.length) {
          expect(more({ answer: answer.slice(0, answers + 1) })).toBeGreaterThan(limit);
        } else if (authorities < authority.length) {
          expect(more({ answer, authority: authority.slice(0, authorities + 1) })).toBeGreaterThan(limit);
        } else if (additionals < additional.length) {
          seen[complete ? "additionalLeftOut" : "glueLeftOut"]++;
          expect(
            more({ answer, authority, additional: additional.slice(0, additionals + 1) }),
          ).toBeGreaterThan(limit);
        }
      }),
      { numRuns: 500 },
    );
    for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(5);
  });
});

describe("renderQuery", () => {
  const asked = { qname, qtype: 28, qclass: 1 };
  const body = octets(qname, uint16(28), uint16(1));
  const prefix = (text: string) => {
    const parsed = parsePrefix(text);
    if (typeof parsed === "string") throw new Error(parsed);
    return parsed;
  };
  const rows: readonly { name: string; options: Parameters<typeof renderQuery>[1]; expected: Uint8Array }[] =
    [
      {
        name: "without an OPT",
        options: { id: 0x1234, recursionDesired: false, edns: undefined },
        expected: message({ counts: [1, 0, 0, 0], body: [body] }),
      },
      {
        name: "with RD and an OPT",
        options: {
          id: 0xffff,
          recursionDesired: true,
          edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: undefined },
        },
        expected: message({ id: 0xffff, flags: 0x0100, counts: [1, 0, 0, 1], body: [body, opt()] }),
      },
      {
        name: "with DO and a client subnet (RFC 7871 §6)",
        options: {
          id: 0x1234,
          recursionDesired: false,
          edns: { udpPayloadSize: 4096, dnssecOk: true, subnet: prefix("2001:db8:1:200::/56") },
        },
        expected: message({
          counts: [1, 0, 0, 1],
          body: [body, opt(option(8, hex("0002 38 00 20010db8000102")), { size: 4096, flags: 0x8000 })],
        }),
      },
      {
        name: "with source prefix length 0 (RFC 7871 §7.1.2)",
        options: {
          id: 0x1234,
          recursionDesired: false,
          edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix("0.0.0.0/0") },
        },
        expected: message({ counts: [1, 0, 0, 1], body: [body, opt(option(8, hex("0001 00 00")))] }),
      },
    ];
  test.each(rows)("$name", ({ options, expected }) => {
    expect(renderQuery(asked, options)).toEqual(expected);
    expect(decodeQuery(expected)).toMatchObject({ kind: "query", query: { question: asked } });
  });
});
