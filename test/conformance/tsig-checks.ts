/** TSIG with a key that the server does not know (RFC 8945). */

import { type Check, type Expected, fault, refusal } from "./expect.ts";
import { ask, octets, opt, record, uint16 } from "./query.ts";
import type { Seen } from "./response.ts";
import { wireName } from "./zone.ts";

const formerr: Expected = { ...refusal("FORMERR"), question: false };
const A_RECORD = record({ owner: wireName("www"), type: 1, ttlSeconds: 60, rdata: [192, 0, 2, 1] });

/** RFC 8945 §4.2: a TSIG of a key that nobody knows, signed with nothing that could be right. */
const tsigRdata = octets(
  wireName("hmac-sha256."),
  [0, 0, 0x65, 0x53, 0xf1, 0x00], // Time Signed
  uint16(300), // Fudge
  uint16(32),
  new Uint8Array(32).fill(7), // MAC
  uint16(0x0909), // Original ID
  uint16(0), // Error
  uint16(0), // Other Len
);
const tsig = record({ owner: wireName("nobody.knows.this.key."), type: 250, class: 255, rdata: tsigRdata });

/** The response to a key that is not known: a TSIG without a MAC, its error BADKEY. */
function badKeyFaults({ tsig: found }: Seen): readonly string[] {
  if (found === undefined) return ["there is no TSIG at the end"];
  const { rdata } = found;
  const view = new DataView(rdata.buffer, rdata.byteOffset, rdata.length);
  const at = wireName("hmac-sha256.").length;
  const macOctets = view.getUint16(at + 8);
  return [
    ...fault(macOctets !== 0, `the MAC has ${macOctets} octets`),
    ...fault(view.getUint16(at + 12 + macOctets) !== 17, "the error is not BADKEY"),
    ...fault(Buffer.compare(found.owner, wireName("nobody.knows.this.key.")) !== 0, "the key is another"),
  ];
}

export const tsigChecks: readonly Check[] = [
  {
    rule: "RFC 8945 §5.2.1",
    what: "an unknown key is NOTAUTH with BADKEY, unsigned",
    query: ask("@", "SOA", { additional: [tsig] }),
    expect: { ...refusal("NOTAUTH"), also: badKeyFaults },
  },
  {
    rule: "RFC 8945 §5.2.1",
    what: "an unknown key with EDNS is NOTAUTH with BADKEY and an OPT",
    query: ask("@", "SOA", { edns: opt(), additional: [tsig] }),
    expect: { ...refusal("NOTAUTH"), also: badKeyFaults },
  },
  {
    rule: "RFC 8945 §5.2.1",
    what: "a name of no zone served is NOTAUTH all the same",
    query: ask("www.elsewhere.example.", "A", { additional: [tsig] }),
    expect: { ...refusal("NOTAUTH"), also: badKeyFaults },
  },
  {
    rule: "RFC 8945 §5.1",
    what: "two TSIGs are FORMERR",
    query: ask("@", "SOA", { additional: [tsig, tsig] }),
    expect: formerr,
  },
  {
    rule: "RFC 8945 §5.1",
    what: "a TSIG that is not the last record is FORMERR",
    query: ask("@", "SOA", { additional: [tsig, A_RECORD] }),
    expect: formerr,
  },
  {
    rule: "RFC 8945 §5.1",
    what: "a TSIG in the answer section is FORMERR",
    query: ask("@", "SOA", { answer: [tsig] }),
    expect: formerr,
  },
  {
    rule: "RFC 8945 §5.2",
    what: "a TSIG whose MAC passes its RDATA is FORMERR",
    query: ask("@", "SOA", {
      additional: [
        record({ owner: wireName("key."), type: 250, class: 255, rdata: tsigRdata.subarray(0, 30) }),
      ],
    }),
    expect: formerr,
  },
];

/** Rows in which other servers go other ways. */
export const ownTsigChecks: readonly Check[] = [
  {
    rule: "RFC 8945 §5.2.1",
    what: "a signed NOTIFY is NOTAUTH with BADKEY, not REFUSED",
    query: ask("@", "SOA", { opcode: 4, additional: [tsig] }),
    expect: { ...refusal("NOTAUTH"), also: badKeyFaults },
  },
  {
    rule: "RFC 8945 §5.2.1",
    what: "a signed UPDATE is NOTAUTH with BADKEY, not REFUSED",
    query: ask("@", "SOA", { opcode: 5, additional: [tsig] }),
    expect: { ...refusal("NOTAUTH"), also: badKeyFaults },
  },
  {
    rule: "RFC 8945 §5.1",
    what: "a FORMERR for a misplaced TSIG has no BADKEY: no key was looked for",
    query: ask("@", "SOA", { additional: [tsig, tsig] }),
    expect: { ...formerr, also: ({ tsig: found }) => fault(found !== undefined, "there is a TSIG") },
  },
  ...[
    { what: "a TSIG before the OPT", additional: [tsig, opt()] },
    {
      what: "a TSIG of class IN before the OPT",
      additional: [record({ owner: wireName("key."), type: 250, class: 1, rdata: tsigRdata }), opt()],
    },
    {
      what: "an A record of three octets before the OPT",
      additional: [record({ owner: wireName("www"), type: 1, ttlSeconds: 60, rdata: [192, 0, 2] }), opt()],
    },
  ].map(({ what, additional }) => ({
    rule: "RFC 6891 §6.1.1",
    what: `${what} is FORMERR, and the OPT is answered by one`,
    query: ask("@", "SOA", { additional }),
    expect: { ...formerr, hasEdns: true } as const,
  })),
  {
    rule: "RFC 6891 §6.1.1",
    what: "an OPT in the answer section is FORMERR, and the one where it belongs is answered",
    query: ask("@", "SOA", { answer: [opt()], additional: [opt()] }),
    expect: { ...formerr, hasEdns: true } as const,
  },
];
