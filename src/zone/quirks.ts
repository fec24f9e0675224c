/** Odd ways of real name servers that a zone can have on purpose: what they answer instead of looking a name up. */

import { RCODE, TYPE } from "../dns/iana.ts";
import type { Question } from "../dns/message.ts";

/** In the order in which they count, where a zone has several. */
export const quirks = ["edns-formerr", "underscore-formerr", "new-types-notimp"] as const;

export type Quirk = (typeof quirks)[number];

/** Those of one zone. */
export type Quirks = ReadonlySet<Quirk>;

/** A server that cannot read the query, as these say, gives back no more than the header (DVE-2020-0001, DVE-2020-0003). */
const rcodes: Readonly<Record<Quirk, number>> = {
  "edns-formerr": RCODE.FORMERR,
  "underscore-formerr": RCODE.FORMERR,
  "new-types-notimp": RCODE.NOTIMP,
};

export const rcodeOfQuirk = (quirk: Quirk): number => rcodes[quirk];

/** Whether the response is the header alone, without question and OPT. */
export const isHeaderAlone = (quirk: Quirk): boolean => rcodes[quirk] === RCODE.FORMERR;

/** The quirk of its zone that answers a question; undefined where it is looked up like any other. */
export function quirkFor(of: Quirks, question: Question, hasEdns: boolean): Quirk | undefined {
  const applies: Readonly<Record<Quirk, boolean>> = {
    "edns-formerr": hasEdns,
    "underscore-formerr": question.qname.includes(UNDERSCORE),
    "new-types-notimp": isNewType(question.qtype),
  };
  return quirks.find((quirk) => of.has(quirk) && applies[quirk]);
}

/** In lengths of labels it does not come up: those end at 63. */
const UNDERSCORE = 0x5f;

/**
 * Published for DS, DNSKEY, SVCB and HTTPS, as types that the server does not understand; that it is so with all from DS on is
 * inferred. Types from 128 to 255 are no types of records (RFC 6895 §3.1).
 */
const isNewType = (qtype: number): boolean => qtype >= TYPE.DS && (qtype < 128 || qtype > TYPE.ANY);
