import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMessage, decodeQuery } from "../../src/dns/decode.ts";
import { formatRcode } from "../../src/dns/iana.ts";
import { formatRecord } from "../../src/dns/message.ts";
import { formatName } from "../../src/dns/name.ts";
import { hex, labels, message, octets, opt, option, type Part, pointer, record, uint16 } from "./wire.ts";

const question = octets(labels("Www", "example"), uint16(1), uint16(1));
const tsigRdata = octets(labels("hmac-sha256"), "time__fd", uint16(3), "mac", 0x12, 0x34, 0, 0, uint16(0));
const tsig = record({ owner: labels("Key"), type: 250, class: 255, rdata: tsigRdata });
const ecs = option(8, hex("0001 18 00 c00002"));

/** A query with one question and these records behind it. */
const query = (
  counts: readonly [answer: number, authority: number, additional: number],
  ...records: readonly Part[]
): Uint8Array => message({ counts: [1, ...counts], body: [question, ...records] });

/** What came of a query, in one line. */
function summary(message: Uint8Array): string {
  const decoded = decodeQuery(message);
  switch (decoded.kind) {
    case "query":
      return "query";
    case "silence":
      return `silence: ${decoded.reason}`;
    case "error":
      return `${formatRcode(decoded.rcode)}: ${decoded.reason}`;
  }
}

describe("decodeQuery", () => {
  const a = record({ type: 1, rdata: [192, 0, 2, 1] });
  const rows: readonly { name: string; message: Uint8Array; expected: string }[] = [
    { name: "a plain query", message: query([0, 0, 0]), expected: "query" },
    { name: "an OPT (RFC 6891 §6.1.1)", message: query([0, 0, 1], opt()), expected: "query" },
    { name: "an OPT with a client subnet", message: query([0, 0, 1], opt(ecs)), expected: "query" },
    { name: "an OPT behind another record", message: query([0, 0, 2], a, opt(ecs)), expected: "query" },
    { name: "an OPT before another record", message: query([0, 0, 2], opt(ecs), a), expected: "query" },
    {
      name: "records in answer and authority, as in NOTIFY and IXFR (RFC 1995 §3)",
      message: query([1, 1, 0], a, a),
      expected: "query",
    },
    {
      name: "unknown options are passed over (RFC 6891 §6.1.2)",
      message: query(
        [0, 0, 1],
        opt(octets(option(10, "12345678"), option(65001, []), ecs, option(12, [0, 0]))),
      ),
      expected: "query",
    },
    {
      name: "an option without octets at the very end",
      message: query([0, 0, 1], opt(option(3, []))),
      expected: "query",
    },
    {
      name: "flags that mean nothing in a query: AA TC RA Z AD CD, an RCODE (RFC 1035 §4.1.1)",
      message: message({ flags: 0x07ff, counts: [1, 0, 0, 0], body: [question] }),
      expected: "query",
    },
    {
      name: "unknown OPT flags are ignored (RFC 6891 §6.1.4)",
      message: query([0, 0, 1], opt([], { flags: 0x7fff })),
      expected: "query",
    },
    {
      name: "the root",
      message: message({ counts: [1, 0, 0, 0], body: [0, uint16(2), uint16(1)] }),
      expected: "query",
    },
    { name: "nothing", message: octets(), expected: "silence: it is shorter than a header" },
    {
      name: "11 octets (RFC 1035 §4.1.1)",
      message: query([0, 0, 0]).subarray(0, 11),
      expected: "silence: it is shorter than a header",
    },
    {
      name: "a response (RFC 1035 §4.1.1)",
      message: message({ flags: 0x8000, counts: [1, 0, 0, 0], body: [question] }),
      expected: "silence: it is a response",
    },
    {
      name: "a response that is wrong in other ways too",
      message: message({ flags: 0xa800, counts: [2, 1, 1, 1], body: [] }),
      expected: "silence: it is a response",
    },
    {
      name: "no question (RFC 9619 §4)",
      message: message({ counts: [0, 0, 0, 0], body: [] }),
      expected: "FORMERR: it has 0 questions",
    },
    {
      name: "no question and a cookie, which asks for a server cookie (RFC 7873 §5.4)",
      message: message({ counts: [0, 0, 0, 1], body: [opt(option(10, "12345678"))] }),
      expected: "NOERROR: it has no question and asks for a cookie",
    },
    {
      name: "no question and an OPT without a cookie",
      message: message({ counts: [0, 0, 0, 1], body: [opt(ecs)] }),
      expected: "FORMERR: it has 0 questions",
    },
    {
      name: "two questions and a cookie",
      message: message({ counts: [2, 0, 0, 1], body: [question, question, opt(option(10, "12345678"))] }),
      expected: "FORMERR: it has 2 questions",
    },
    {
      name: "two questions (RFC 9619 §4)",
      message: message({ counts: [2, 0, 0, 0], body: [question, question] }),
      expected: "FORMERR: it has 2 questions",
    },
    {
      name: "65535 questions that are not there",
      message: message({ counts: [0xffff, 0, 0, 0], body: [question] }),
      expected: "FORMERR: a name ends too early",
    },
    {
      name: "65535 records in every section that are not there",
      message: message({ counts: [1, 0xffff, 0xffff, 0xffff], body: [question] }),
      expected: "FORMERR: a name ends too early",
    },
    {
      name: "a QNAME that points to itself",
      message: message({ counts: [1, 0, 0, 0], body: [pointer(12), uint16(1), uint16(1)] }),
      expected: "FORMERR: a name points to no earlier name",
    },
    {
      name: "a QNAME that points into the header",
      message: message({ counts: [1, 0, 0, 0], body: [pointer(4), uint16(1), uint16(1)] }),
      expected: "FORMERR: a name points to no earlier name",
    },
    {
      name: "octets behind the question",
      message: octets(query([0, 0, 0]), 0),
      expected: "FORMERR: it has octets behind its last record",
    },
    {
      name: "octets behind the OPT",
      message: octets(query([0, 0, 1], opt(ecs)), 0),
      expected: "FORMERR: it has octets behind its last record",
    },
    {
      name: "an OPT that the header does not count",
      message: query([0, 0, 0], opt()),
      expected: "FORMERR: it has octets behind its last record",
    },
    {
      name: "a counted record that is not there",
      message: query([0, 0, 2], opt()),
      expected: "FORMERR: a name ends too early",
    },
    {
      name: "two OPTs (RFC 6891 §6.1.1)",
      message: query([0, 0, 2], opt(), opt()),
      expected: "FORMERR: it has two OPT records",
    },
    {
      name: "an OPT in the answer section (RFC 6891 §6.1.1)",
      message: query([1, 0, 0], opt()),
      expected: "FORMERR: it has OPT before the additional section",
    },
    {
      name: "an OPT in the authority section (RFC 6891 §6.1.1)",
      message: query([0, 1, 0], opt()),
      expected: "FORMERR: it has OPT before the additional section",
    },
    {
      name: "an OPT whose owner is not the root (RFC 6891 §6.1.2)",
      message: query([0, 0, 1], opt([], { owner: labels("example") })),
      expected: "FORMERR: its OPT is not owned by the root",
    },
    {
      name: "an option over the end of its RDATA (RFC 6891 §6.1.2), though the message goes on",
      message: query([0, 0, 2], opt(octets(uint16(10), uint16(9), "12345678")), a),
      expected: "FORMERR: an option runs past the end of its OPT",
    },
    {
      name: "half an option's head",
      message: query([0, 0, 1], opt(octets(uint16(10), 0))),
      expected: "FORMERR: an option runs past the end of its OPT",
    },
    {
      name: "an RDLENGTH over the end",
      message: query([0, 0, 1], record({ type: 65280, rdata: "ab", rdlength: 3 })),
      expected: "FORMERR: it ends too early",
    },
    {
      name: "RDATA shorter than its type",
      message: query([1, 0, 0], record({ type: 1, rdata: [192, 0, 2] })),
      expected: "FORMERR: it ends too early",
    },
    {
      name: "RDATA longer than its type",
      message: query([1, 0, 0], record({ type: 1, rdata: [192, 0, 2, 1, 0] })),
      expected: "FORMERR: RDATA is longer than its type allows",
    },
    {
      name: "a bad client subnet (RFC 7871 §6)",
      message: query([0, 0, 1], opt(option(8, hex("0001 18 00 c000")))),
      expected: "FORMERR: the client subnet has 2 octets of address for /24",
    },
    {
      name: "a client subnet with a scope prefix length (RFC 7871 §6)",
      message: query([0, 0, 1], opt(option(8, hex("0001 18 18 c00002")))),
      expected: "FORMERR: the client subnet of a query has a scope prefix length",
    },
    {
      name: "a bad client subnet behind an unknown option",
      message: query([0, 0, 1], opt(octets(option(10, "12345678"), option(8, hex("0003 08 00 0a"))))),
      expected: "FORMERR: the client subnet has family 3",
    },
    {
      name: "a cookie of 7 octets (RFC 7873 §5.2.2)",
      message: query([0, 0, 1], opt(option(10, "1234567"))),
      expected: "FORMERR: the cookie has 7 octets, not 8 or 16 to 40",
    },
    {
      name: "a cookie of 41 octets, beside a good client subnet (RFC 7873 §5.2.2)",
      message: query([0, 0, 1], opt(octets(ecs, option(10, "c".repeat(41))))),
      expected: "FORMERR: the cookie has 41 octets, not 8 or 16 to 40",
    },
    {
      name: "a cookie behind a good one does not count (RFC 7873 §5.2)",
      message: query([0, 0, 1], opt(octets(option(10, "12345678"), option(10, "bad")))),
      expected: "query",
    },
    {
      name: "a TSIG, whose key nobody here knows (RFC 8945 §5.2.1)",
      message: query([0, 0, 2], opt(), tsig),
      expected: "NOTAUTH: it has a TSIG with an unknown key",
    },
    {
      name: "a record behind the TSIG (RFC 8945 §5.1)",
      message: query([0, 0, 2], tsig, opt()),
      expected: "FORMERR: it has a record behind its TSIG",
    },
    {
      name: "a TSIG in the answer section (RFC 8945 §5.1)",
      message: query([1, 0, 0], tsig),
      expected: "FORMERR: it has TSIG before the additional section",
    },
    {
      name: "a TSIG of class IN (RFC 8945 §4.2)",
      message: query([0, 0, 1], record({ type: 250, rdata: tsigRdata })),
      expected: "FORMERR: its TSIG is not of class ANY and TTL 0",
    },
    {
      name: "a TSIG with a TTL (RFC 8945 §4.2)",
      message: query([0, 0, 1], record({ type: 250, class: 255, ttlSeconds: 1, rdata: tsigRdata })),
      expected: "FORMERR: its TSIG is not of class ANY and TTL 0",
    },
    {
      name: "a TSIG without its last octet",
      message: query([0, 0, 1], record({ type: 250, class: 255, rdata: tsigRdata.subarray(0, -1) })),
      expected: "FORMERR: it ends too early",
    },
    {
      name: "a TSIG with an octet too many",
      message: query([0, 0, 1], record({ type: 250, class: 255, rdata: octets(tsigRdata, 0) })),
      expected: "FORMERR: its TSIG is longer than its fields",
    },
    {
      name: "EDNS version 1 (RFC 6891 §6.1.3)",
      message: query([0, 0, 1], opt([], { version: 1 })),
      expected: "BADVERS: EDNS version 1",
    },
    {
      name: "EDNS version 255",
      message: query([0, 0, 1], opt([], { version: 255 })),
      expected: "BADVERS: EDNS version 255",
    },
    {
      name: "EDNS version 1 with options that version 0 cannot read (RFC 6891 §6.1.3)",
      message: query([0, 0, 1], opt([0, 10, 0], { version: 1 })),
      expected: "BADVERS: EDNS version 1",
    },
    {
      name: "EDNS version 1 with a client subnet that version 0 would refuse",
      message: query([0, 0, 1], opt(option(8, []), { version: 1 })),
      expected: "BADVERS: EDNS version 1",
    },
  ];
  test.each(rows)("$name", ({ message, expected }) => {
    expect(summary(message)).toBe(expected);
  });

  const opcodes = [
    { opcode: 1, rcode: 4, reason: "opcode IQUERY is not served" },
    { opcode: 2, rcode: 4, reason: "opcode STATUS is not served" },
    { opcode: 3, rcode: 4, reason: "opcode OPCODE3 is not served" },
    { opcode: 6, rcode: 4, reason: "opcode OPCODE6 is not served" },
    { opcode: 15, rcode: 4, reason: "opcode OPCODE15 is not served" },
  ];
  test.each(opcodes)("opcode $opcode: $reason (RFC 1035 §4.1.1)", ({ opcode, rcode, reason }) => {
    const flags = (opcode << 11) | 0x0100;
    const header = { id: 0x1234, opcode, recursionDesired: true };
    // UPDATE counts differently (RFC 2136 §2), so neither counts nor body must matter.
    const bodies: readonly Uint8Array[] = [
      message({ flags, counts: [1, 0, 0, 0], body: [question] }),
      message({ flags, counts: [0, 9, 9, 9], body: [] }),
      message({ flags, counts: [1, 0, 1, 1], body: [question, record({ type: 1, class: 255 }), tsig] }),
    ];
    for (const body of bodies) {
      expect(decodeQuery(body)).toMatchObject({ kind: "error", rcode, reason, asked: { header } });
    }
  });

  test.each([
    { opcode: 4, reason: "NOTIFY is refused to everyone" },
    { opcode: 5, reason: "UPDATE is refused to everyone" },
  ])("opcode $opcode: $reason, unless it is signed or cannot be read", ({ opcode, reason }) => {
    const flags = opcode << 11;
    const plain = message({ flags, counts: [1, 0, 0, 0], body: [question] });
    const signed = message({ flags, counts: [1, 0, 0, 1], body: [question, tsig] });
    const broken = message({ flags, counts: [0, 9, 9, 9], body: [] });
    expect(decodeQuery(plain)).toMatchObject({ kind: "error", rcode: 5, reason });
    expect(decodeQuery(signed)).toMatchObject({ kind: "error", rcode: 9 });
    expect(decodeQuery(broken)).toMatchObject({ kind: "error", rcode: 1 });
  });

  test("gives the whole of a query", () => {
    const asked = message({
      id: 0xfffe,
      flags: 0x0100,
      counts: [1, 0, 0, 1],
      body: [question, opt(octets(option(10, "12345678"), ecs), { size: 4096, flags: 0x8000 })],
    });
    expect(decodeQuery(asked)).toEqual({
      kind: "query",
      query: {
        header: { id: 0xfffe, opcode: 0, recursionDesired: true },
        question: { qname: labels("Www", "example"), qtype: 1, qclass: 1 },
        edns: {
          udpPayloadSize: 4096,
          version: 0,
          dnssecOk: true,
          options: [
            { code: 10, octets: octets("12345678") },
            { code: 8, octets: hex("0001 18 00 c00002") },
          ],
        },
        clientSubnet: {
          family: 1,
          sourcePrefixLength: 24,
          scopePrefixLength: 0,
          addressOctets: octets(192, 0, 2),
          prefix: { family: 4, octets: octets(192, 0, 2, 0), length: 24 },
        },
        cookie: { client: octets("12345678"), server: undefined },
      },
    });
  });

  test("gives QTYPE and QCLASS as they are, unknown ones included", () => {
    const body = [labels("a"), uint16(0xff01), uint16(0xfe02)];
    expect(decodeQuery(message({ counts: [1, 0, 0, 0], body }))).toMatchObject({
      query: {
        question: { qtype: 0xff01, qclass: 0xfe02 },
        header: { recursionDesired: false },
        edns: undefined,
      },
    });
  });

  test("gives as much of a faulty query as could be read, for the response to repeat", () => {
    const { question: asked } = { question: { qname: labels("Www", "example"), qtype: 1, qclass: 1 } };
    expect(decodeQuery(query([0, 0, 1], opt([], { version: 1, flags: 0x8000 })))).toMatchObject({
      asked: { question: asked, edns: { version: 1, dnssecOk: true }, clientSubnet: undefined },
    });
    expect(decodeQuery(query([0, 0, 2], opt(ecs), opt(ecs)))).toMatchObject({
      asked: { question: asked, edns: { udpPayloadSize: 1232 } },
    });
    expect(decodeQuery(query([0, 0, 1], record({ type: 1, rdata: [1] })))).toMatchObject({
      asked: { question: asked, edns: undefined },
    });
    const cookie = option(10, "12345678");
    expect(decodeQuery(query([0, 0, 1], opt(octets(cookie, option(8, [])))))).toMatchObject({
      asked: { clientSubnet: undefined, cookie: { client: octets("12345678") } },
    });
    expect(decodeQuery(query([0, 0, 1], opt(octets(ecs, option(10, [])))))).toMatchObject({
      asked: { clientSubnet: { sourcePrefixLength: 24 }, cookie: undefined },
    });
    expect(decodeQuery(query([0, 0, 1], tsig))).toMatchObject({
      asked: {
        question: asked,
        tsig: {
          keyName: labels("Key"),
          algorithm: labels("hmac-sha256"),
          time: octets("time__fd"),
          originalId: octets(0x12, 0x34),
        },
      },
    });
  });

  test("reads every prefix of a valid query as silence up to the header and FORMERR up to the last octet", () => {
    const whole = query(
      [0, 0, 2],
      record({ owner: pointer(12), type: 16, rdata: octets(1, "a", 2, "bc") }),
      opt(ecs),
    );
    const questionEnd = 12 + question.length;
    for (let length = 0; length < whole.length; length++) {
      const decoded = decodeQuery(whole.subarray(0, length));
      const at = `${length} octets`;
      if (length < 12) {
        expect(decoded, at).toEqual({ kind: "silence", reason: "it is shorter than a header" });
        continue;
      }
      expect(decoded, at).toMatchObject({
        kind: "error",
        rcode: 1,
        reason: expect.stringMatching(/ends too early$/),
      });
      const asked = decoded.kind === "error" ? decoded.asked : undefined;
      expect(asked?.question !== undefined, at).toBe(length >= questionEnd);
      expect(asked?.header, at).toEqual({ id: 0x1234, opcode: 0, recursionDesired: false });
    }
    expect(summary(whole)).toBe("query");
  });

  test("survives 64 KB in which every record is named by the end of one long chain of pointers", () => {
    const chainAt = 12 + question.length + 11;
    const chain = octets(
      0,
      ...Array.from({ length: 8100 }, (_, i) => pointer(i === 0 ? chainAt : chainAt - 1 + 2 * i)),
    );
    const named = record({ owner: pointer(chainAt + chain.length - 2), type: 65280 });
    const count = Math.floor((0xffff - chainAt - chain.length) / named.length);
    const attack = query(
      [count + 1, 0, 0],
      record({ type: 65280, rdata: chain }),
      ...Array(count).fill(named),
    );
    expect(attack.length).toBeGreaterThan(65_000);
    expect(summary(attack)).toBe("FORMERR: a name has too many pointers");
    expect(decodeMessage(attack)).toBe("a name has too many pointers");
  });
});

describe("decodeMessage", () => {
  const response = message({
    id: 7,
    flags: 0x8580 | 3,
    counts: [1, 1, 1, 2],
    body: [
      question,
      record({ owner: pointer(12), type: 5, ttlSeconds: 60, rdata: octets(1, "a", pointer(16)) }),
      record({
        owner: pointer(16),
        type: 33,
        class: 3,
        ttlSeconds: 0xffffffff,
        rdata: octets(0, 1, 0, 2, 0, 3, pointer(12)),
      }),
      opt(option(8, hex("0001 18 10 c00002")), { version: 0x100 }),
      record({ type: 65280, rdata: pointer(12) }),
    ],
  });

  test("gives the whole of a response, names in RDATA uncompressed, even in SRV", () => {
    expect(decodeMessage(response)).toEqual({
      id: 7,
      opcode: 0,
      isResponse: true,
      authoritative: true,
      truncated: false,
      recursionDesired: true,
      recursionAvailable: true,
      rcode: 16 + 3,
      questions: [{ qname: labels("Www", "example"), qtype: 1, qclass: 1 }],
      answer: [
        {
          owner: labels("Www", "example"),
          type: 5,
          class: 1,
          ttlSeconds: 60,
          rdata: labels("a", "example"),
        },
      ],
      authority: [
        {
          owner: labels("example"),
          type: 33,
          class: 3,
          ttlSeconds: 0xffffffff,
          rdata: octets(0, 1, 0, 2, 0, 3, labels("Www", "example")),
        },
      ],
      additional: [
        // RFC 3597 §4: in a type that is not known nothing is a name.
        { owner: labels(), type: 65280, class: 1, ttlSeconds: 0, rdata: octets(pointer(12)) },
      ],
      edns: {
        udpPayloadSize: 1232,
        version: 0,
        dnssecOk: false,
        options: [{ code: 8, octets: hex("0001 18 10 c00002") }],
      },
      clientSubnet: {
        family: 1,
        sourcePrefixLength: 24,
        scopePrefixLength: 16,
        addressOctets: octets(192, 0, 2),
        prefix: { family: 4, octets: octets(192, 0, 2, 0), length: 24 },
      },
    });
  });

  test.each([
    { name: "TC alone", flags: 0x8200, expected: { truncated: true, authoritative: false, rcode: 0 } },
    { name: "AA alone", flags: 0x8400, expected: { truncated: false, authoritative: true } },
    { name: "RA alone", flags: 0x8080, expected: { recursionAvailable: true, recursionDesired: false } },
    { name: "RD alone", flags: 0x8100, expected: { recursionAvailable: false, recursionDesired: true } },
    { name: "RCODE 15", flags: 0x800f, expected: { rcode: 15, isResponse: true } },
    { name: "a query with opcode 5", flags: 0x2800, expected: { opcode: 5, isResponse: false } },
  ])("reads the header: $name", ({ flags, expected }) => {
    expect(decodeMessage(message({ flags, counts: [0, 0, 0, 0], body: [] }))).toMatchObject(expected);
  });

  const wrong: readonly { name: string; message: Uint8Array; sentence: string }[] = [
    { name: "11 octets", message: response.subarray(0, 11), sentence: "it ends too early" },
    {
      name: "octets behind the last record",
      message: octets(response, 0),
      sentence: "it has octets behind its last record",
    },
    { name: "two OPTs", message: query([0, 0, 2], opt(), opt()), sentence: "it has two OPT records" },
    {
      name: "an OPT whose owner is not the root",
      message: query([0, 0, 1], opt([], { owner: labels("a") })),
      sentence: "its OPT is not owned by the root",
    },
    {
      name: "an option over the end of its OPT",
      message: query([0, 0, 1], opt(octets(ecs, 0))),
      sentence: "an option runs past the end of its OPT",
    },
    {
      name: "a bad client subnet",
      message: query([0, 0, 1], opt(option(8, hex("0001 18 21 c00002")))),
      sentence: "the client subnet has a prefix length over 32",
    },
    {
      name: "65535 questions that are not there",
      message: message({ counts: [0xffff, 0, 0, 0], body: [question] }),
      sentence: "a name ends too early",
    },
  ];
  test.each(wrong)("wrong: $name", ({ message, sentence }) => {
    expect(decodeMessage(message)).toBe(sentence);
  });

  test("is a sentence for every prefix of a message", () => {
    for (let length = 0; length < response.length; length++) {
      expect(decodeMessage(response.subarray(0, length)), `${length} octets`).toMatch(/ends too early$/);
    }
  });

  test.each([1, 2, 5, 6, 12, 15, 16, 28, 33, 257, 65280])(
    "takes a record of type %i without RDATA (RFC 2136 §2.4), and prints it",
    (type) => {
      const update = message({ flags: 0x2800, counts: [0, 1, 0, 0], body: [record({ type, class: 255 })] });
      const decoded = decodeMessage(update);
      if (typeof decoded === "string") expect.fail(decoded);
      expect(decoded.answer[0]?.rdata).toEqual(octets());
      expect(decoded.answer.map(formatRecord)[0]).toMatch(/^\. 0 ANY [A-Z0-9]+ \\# 0$/);
    },
  );
});

/** Pieces that messages are made of, whole and broken. */
const piece: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom(
    question,
    opt(ecs),
    opt(option(8, hex("0002 38 00 20010db8000102"))),
    opt([], { version: 1 }),
    record({ owner: pointer(12), type: 1, rdata: [192, 0, 2, 1] }),
    record({ owner: pointer(16), type: 5, rdata: pointer(12) }),
    record({ type: 6, rdata: octets(pointer(12), pointer(16), new Uint8Array(20)) }),
    record({ type: 257, rdata: octets(0, 5, "issue", "ca.example") }),
    record({ type: 16, class: 255 }),
    tsig,
    opt(option(10, "12345678")),
    labels("a", "b"),
    octets(pointer(12)),
    octets(uint16(1), uint16(1)),
  ),
  fc.uint8Array({ maxLength: 12 }),
  fc
    .record({
      owner: fc.constantFrom(octets(0), octets(pointer(12)), labels("x")),
      type: fc.constantFrom(1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 257, 65280),
      rdata: fc.uint8Array({ maxLength: 40 }),
    })
    .map(record),
);
const count = fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant(0xffff) });
const almostMessage: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(0, 0, 0, 0x0100, 0x8180, 0x2800),
    fc.tuple(fc.constantFrom(1, 1, 1, 1, 0, 2), count, count, count),
    fc.array(piece, { maxLength: 6 }),
    fc.boolean(),
  )
  .map(([flags, counts, pieces, withQuestion]) =>
    message({ flags, counts, body: withQuestion ? [question, ...pieces] : pieces }),
  );
/** A valid message with a few octets changed. */
const mutated: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom(
      query([0, 0, 1], opt(ecs)),
      query(
        [1, 1, 1],
        record({ owner: pointer(12), type: 5, rdata: pointer(16) }),
        record({ type: 2, rdata: pointer(12) }),
        opt(ecs),
      ),
    ),
    fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  )
  .map(([valid, changes]) => {
    const changed = valid.slice();
    for (const [at, octet] of changes) if (at < changed.length) changed[at] = octet;
    return changed;
  });
const anyMessage = fc.oneof(fc.uint8Array({ maxLength: 600, size: "max" }), almostMessage, mutated);

describe("any octets at all", () => {
  test("are a query, silence or an error, and what is read of them can be printed", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(anyMessage, (octetsIn) => {
        const before = octetsIn.slice();
        const decoded = decodeQuery(octetsIn);
        const asMessage = decodeMessage(octetsIn);
        expect(octetsIn).toEqual(before);
        seen.set(decoded.kind, (seen.get(decoded.kind) ?? 0) + 1);
        if (decoded.kind === "error") expect([0, 1, 4, 5, 9, 16]).toContain(decoded.rcode);
        if (decoded.kind === "query") {
          const { question: asked, header, edns, clientSubnet } = decoded.query;
          expect(asMessage).toMatchObject({
            id: header.id,
            questions: [asked],
            edns,
            clientSubnet,
            isResponse: false,
          });
        }
        if (typeof asMessage === "string") return;
        for (const { qname } of asMessage.questions) expect(qname.length).toBeLessThanOrEqual(255);
        for (const found of [...asMessage.answer, ...asMessage.authority, ...asMessage.additional]) {
          expect(found.owner.length).toBeLessThanOrEqual(255);
          expect(formatRecord(found)).toMatch(/^[ -~]+$/);
          expect(formatName(found.owner)).toMatch(/\.$/);
        }
      }),
      { numRuns: 5000 },
    );
    // The property says little unless all three came up often.
    for (const kind of ["query", "silence", "error"]) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(100);
  });
});
