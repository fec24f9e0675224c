/** Octets in, a query or a whole message out. Malformed input is an expected value here, never an exception. */

import { type ClientSubnet, readClientSubnet, readQueryClientSubnet } from "./client-subnet.ts";
import { EDNS_VERSION, type Edns, readOpt } from "./edns.ts";
import { OPCODE, OPTION, RCODE, TYPE } from "./iana.ts";
import {
  HEADER_OCTETS,
  type Message,
  type Query,
  type QueryHeader,
  type Question,
  type ResourceRecord,
} from "./message.ts";
import { readRdata } from "./rdata.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

/** The query, or the way out: silence, or a response with nothing but an RCODE. */
export type DecodedQuery =
  | { readonly kind: "query"; readonly query: Query }
  | { readonly kind: "silence"; readonly reason: string }
  | { readonly kind: "error"; readonly rcode: number; readonly reason: string; readonly asked: PartOfQuery };

/** As much of a faulty query as could be read. */
export interface PartOfQuery {
  readonly header: QueryHeader;
  readonly question: Question | undefined;
  readonly edns: Edns | undefined;
  readonly clientSubnet: ClientSubnet | undefined;
}

/**
 * Decodes what came in. Too short for a header, or a response: silence, since an answer could start a loop. Then, in
 * this order: NOTIMP for another opcode (RFC 1035 §4.1.1), FORMERR for another number of questions than one (RFC 9619)
 * or what cannot be read, BADVERS for a version of EDNS other than 0 (RFC 6891 §6.1.3), FORMERR for a bad client subnet.
 */
export function decodeQuery(octets: Uint8Array): DecodedQuery {
  if (octets.length < HEADER_OCTETS) return { kind: "silence", reason: "it is shorter than a header" };
  const reader = new WireReader(octets);
  const { header, isResponse, counts } = readHeader(reader);
  if (isResponse) return { kind: "silence", reason: "it is a response" };

  let question: Question | undefined;
  let edns: Edns | undefined;
  const fail = (rcode: number, reason: string, clientSubnet?: ClientSubnet): DecodedQuery => ({
    kind: "error",
    rcode,
    reason,
    asked: { header, question, edns, clientSubnet },
  });

  if (header.opcode !== OPCODE.QUERY) return fail(RCODE.NOTIMP, `opcode ${header.opcode} is not served`);
  if (counts.question !== 1) return fail(RCODE.FORMERR, `it has ${counts.question} questions`);
  try {
    question = readQuestion(reader);
    for (let i = 0; i < counts.answer + counts.authority; i++) {
      if (readRecord(reader).type === TYPE.OPT)
        return fail(RCODE.FORMERR, "it has an OPT before the additional section");
    }
    for (let i = 0; i < counts.additional; i++) {
      const record = readRecord(reader);
      if (record.type !== TYPE.OPT) continue;
      if (edns !== undefined) return fail(RCODE.FORMERR, "it has two OPT records"); // RFC 6891 §6.1.1
      edns = readOpt(record);
    }
    if (reader.remaining > 0) return fail(RCODE.FORMERR, "it has octets behind its last record");
  } catch (error) {
    if (error instanceof Malformed) return fail(RCODE.FORMERR, error.message);
    throw error;
  }
  if (edns !== undefined && edns.version !== EDNS_VERSION)
    return fail(RCODE.BADVERS, `EDNS version ${edns.version}`);
  const option = edns?.options.find((candidate) => candidate.code === OPTION.CLIENT_SUBNET);
  const clientSubnet = option && readQueryClientSubnet(option.octets);
  if (typeof clientSubnet === "string") return fail(RCODE.FORMERR, clientSubnet);
  return { kind: "query", query: { header, question, edns, clientSubnet } };
}

/** Decodes any message; a sentence where it is malformed. */
export function decodeMessage(octets: Uint8Array): Message | string {
  try {
    const reader = new WireReader(octets);
    const { header, isResponse, flags, counts } = readHeader(reader);
    const questions = Array.from({ length: counts.question }, () => readQuestion(reader));
    const answer = readRecords(reader, counts.answer);
    const authority = readRecords(reader, counts.authority);
    const additional = readRecords(reader, counts.additional);
    if (reader.remaining > 0) return "it has octets behind its last record";
    const opts = additional.filter((record) => record.type === TYPE.OPT);
    if (opts.length > 1) return "it has two OPT records";
    const opt = opts[0];
    const edns = opt && readOpt(opt);
    const option = edns?.options.find((candidate) => candidate.code === OPTION.CLIENT_SUBNET);
    const clientSubnet = option && readClientSubnet(option.octets);
    if (typeof clientSubnet === "string") return clientSubnet;
    return {
      id: header.id,
      opcode: header.opcode,
      isResponse,
      authoritative: (flags & 0x0400) !== 0,
      truncated: (flags & 0x0200) !== 0,
      recursionDesired: header.recursionDesired,
      recursionAvailable: (flags & 0x0080) !== 0,
      rcode: (flags & 0xf) + (opt === undefined ? 0 : Math.floor(opt.ttlSeconds / 0x1000000) * 16),
      questions,
      answer,
      authority,
      additional: additional.filter((record) => record.type !== TYPE.OPT),
      edns,
      clientSubnet,
    };
  } catch (error) {
    if (error instanceof Malformed) return error.message;
    throw error;
  }
}

interface Counts {
  readonly question: number;
  readonly answer: number;
  readonly authority: number;
  readonly additional: number;
}

interface Header {
  readonly header: QueryHeader;
  readonly isResponse: boolean;
  readonly flags: number;
  readonly counts: Counts;
}

function readHeader(reader: WireReader): Header {
  const id = reader.uint16();
  const flags = reader.uint16();
  return {
    header: { id, opcode: (flags >> 11) & 0xf, recursionDesired: (flags & 0x0100) !== 0 },
    isResponse: (flags & 0x8000) !== 0,
    flags,
    counts: {
      question: reader.uint16(),
      answer: reader.uint16(),
      authority: reader.uint16(),
      additional: reader.uint16(),
    },
  };
}

function readQuestion(reader: WireReader): Question {
  return { qname: reader.name(), qtype: reader.uint16(), qclass: reader.uint16() };
}

function readRecords(reader: WireReader, count: number): readonly ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count; i++) records.push(readRecord(reader));
  return records;
}

function readRecord(reader: WireReader): ResourceRecord {
  const owner = reader.name();
  const type = reader.uint16();
  const qclass = reader.uint16();
  const ttlSeconds = reader.uint32();
  const rdata = reader.within(reader.uint16());
  // A record of an UPDATE or of class ANY may have no RDATA at all (RFC 2136 §2.4); nothing is read into it.
  return {
    owner,
    type,
    class: qclass,
    ttlSeconds,
    rdata: rdata.remaining === 0 ? rdata.take(0) : readRdata(type, rdata),
  };
}
