/** What a handler has sent, checked as if a stranger had: the answer in it, or what is wrong with it. */

import { decodeMessage } from "../dns/decode.ts";
import { type ExtendedError, readExtendedError } from "../dns/edns.ts";
import { CLASS, formatRcode, formatType, isMetaType, OPCODE, OPTION, RCODE, TYPE } from "../dns/iana.ts";
import type { Message, Query, Question, ResourceRecord, RRset, Sections } from "../dns/message.ts";
import { type DomainName, domainName, isAtOrBelow, replaceSuffix } from "../dns/name.ts";
import { foldRdata, isRdataOf } from "../dns/rdata.ts";
import { MAX_TCP_OCTETS } from "../dns/render.ts";

/** As much of a response as a handler decides; the header and the OPT are the server's. */
export interface HandlerAnswer {
  readonly rcode: number;
  readonly sections: Sections;
  /** undefined where it says nothing of a client subnet */
  readonly scopePrefixLength: number | undefined;
  readonly extendedErrors: readonly ExtendedError[];
}

const rcodes: readonly number[] = [
  RCODE.NOERROR,
  RCODE.FORMERR,
  RCODE.SERVFAIL,
  RCODE.NXDOMAIN,
  RCODE.NOTIMP,
  RCODE.REFUSED,
  RCODE.YXDOMAIN,
];

/** Aliases in one answer, as many as are followed through other zones. */
const MAX_ALIASES = 16;

/** Characters of an extended error's text that are passed on. */
const MAX_TEXT = 200;

/** Checks the response to a query; a sentence where it is none. */
export function readHandlerResponse(
  octets: Uint8Array,
  { question, clientSubnet }: Pick<Query, "question" | "clientSubnet">,
  apex: DomainName,
): HandlerAnswer | string {
  if (octets.length > MAX_TCP_OCTETS) return "it is over 65535 octets";
  const message = decodeMessage(octets);
  if (typeof message === "string") return message;
  const fault = headFault(message, question) ?? recordsFault(message, question, apex);
  if (fault !== undefined) return fault;
  const { rcode, answer, authority, additional, edns, clientSubnet: said } = message;
  // RFC 7871 §7.3: a resolver drops a response whose option is of another family.
  if (said !== undefined && clientSubnet !== undefined && said.family !== clientSubnet.family) {
    return `its client subnet has family ${said.family}, and ${clientSubnet.family} was asked`;
  }
  return {
    rcode,
    sections: {
      answer: groupRecords(answer),
      authority: groupRecords(authority),
      additional: groupRecords(additional),
    },
    scopePrefixLength: clientSubnet && said?.scopePrefixLength,
    extendedErrors: (edns?.options ?? [])
      .filter(({ code }) => code === OPTION.EXTENDED_ERROR)
      .flatMap((option) => readExtendedError(option.octets) ?? [])
      .slice(0, 1)
      .map(({ code, text }) => ({ code, text: text.slice(0, MAX_TEXT) })),
  };
}

function headFault(
  { isResponse, opcode, questions, rcode }: Message,
  { qname, qtype, qclass }: Question,
): string | undefined {
  if (!isResponse) return "it is a query";
  if (opcode !== OPCODE.QUERY) return `it has opcode ${opcode}`;
  const [asked] = questions;
  const isSame =
    asked !== undefined &&
    questions.length === 1 &&
    domainName(asked.qname) === domainName(qname) &&
    asked.qtype === qtype &&
    asked.qclass === qclass;
  if (!isSame) return "its question is not the one asked";
  return rcodes.includes(rcode) ? undefined : `it has RCODE ${formatRcode(rcode)}`;
}

function recordsFault(
  { answer, authority, additional }: Message,
  { qname }: Question,
  apex: DomainName,
): string | undefined {
  for (const record of [...answer, ...authority, ...additional]) {
    const { type, rdata } = record;
    if (record.class !== CLASS.IN) return `its record at ${domainName(record.owner)} is not of class IN`;
    // RFC 6895 §3.1: these are asked for or sent, and never stored.
    if (isMetaType(type)) return `it has a record of type ${formatType(type)}`;
    if (!isRdataOf(type, rdata)) return `its ${formatType(type)} at ${domainName(record.owner)} is malformed`;
  }
  for (const { type, owner } of authority) {
    if (type !== TYPE.SOA && type !== TYPE.NS)
      return `its authority section has a record of type ${formatType(type)}`;
    if (!isAtOrBelow(domainName(owner), apex)) return `its authority section speaks of ${domainName(owner)}`;
  }
  const stranger = additional.find(({ type }) => type !== TYPE.A && type !== TYPE.AAAA);
  if (stranger !== undefined)
    return `its additional section has a record of type ${formatType(stranger.type)}`;
  return chainFault(answer, qname) ?? aliasFault(answer);
}

/** Each record of an answer is at the QNAME, or where a CNAME or DNAME before it leads (RFC 1034 §4.3.2, RFC 6672 §3.2). */
function chainFault(answer: readonly ResourceRecord[], qname: Uint8Array): string | undefined {
  const names = new Map([[domainName(qname), qname]]);
  const add = (target: Uint8Array | undefined): void => {
    if (target !== undefined) names.set(domainName(target), target);
  };
  for (const { owner, type, rdata } of answer) {
    const name = domainName(owner);
    const below =
      type === TYPE.DNAME
        ? [...names].find(([each]) => each !== name && isAtOrBelow(each, name))?.[1]
        : undefined;
    if (below !== undefined) add(replaceSuffix(below, owner, rdata));
    else if (!names.has(name)) return `its answer has a record at ${name}, where nothing before it leads`;
    else if (type === TYPE.CNAME) add(rdata);
    if (names.size > MAX_ALIASES + 1) return `its answer has more than ${MAX_ALIASES} aliases`;
  }
  return undefined;
}

/** A CNAME stands alone (RFC 2181 §10.1), but for what signs it (RFC 4034 §3). */
function aliasFault(answer: readonly ResourceRecord[]): string | undefined {
  const counts = new Map<DomainName, number>();
  for (const { owner, type } of answer) {
    const name = domainName(owner);
    if (type !== TYPE.DNAME && type !== TYPE.RRSIG) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const alias = answer.find(
    ({ owner, type }) => type === TYPE.CNAME && (counts.get(domainName(owner)) ?? 0) > 1,
  );
  return (
    alias && `its answer has a CNAME beside other records at ${domainName(alias.owner)} (RFC 2181 §10.1)`
  );
}

/** RRsets in the order of their first records; of several TTLs the smallest counts (RFC 2181 §5.2). */
function groupRecords(records: readonly ResourceRecord[]): readonly RRset[] {
  const sets = new Map<string, { rrset: RRset; rdatas: Map<string, Uint8Array> }>();
  for (const { owner, type, ttlSeconds, rdata } of records) {
    const name = domainName(owner);
    const ttl = ttlSeconds > 0x7fffffff ? 0 : ttlSeconds; // RFC 2181 §8
    const key = `${type} ${name}`;
    const known = sets.get(key);
    const rdatas = known?.rdatas ?? new Map<string, Uint8Array>();
    const smallest = Math.min(ttl, known?.rrset.ttlSeconds ?? ttl);
    const first = known?.rrset ?? { owner, name, type, ttlSeconds: ttl, rdatas: [] };
    // RFC 2181 §5: no record twice, names compared without case.
    const folded = Buffer.from(foldRdata(type, rdata)).toString("latin1");
    if (!rdatas.has(folded)) rdatas.set(folded, rdata);
    sets.set(key, { rrset: { ...first, ttlSeconds: smallest }, rdatas });
  }
  return [...sets.values()].map(({ rrset, rdatas }) => ({ ...rrset, rdatas: [...rdatas.values()] }));
}
