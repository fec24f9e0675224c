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
