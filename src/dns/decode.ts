/** Octets in, a query or a whole message out. Malformed input is an expected value here, never an exception. */

import { type ClientSubnet, readClientSubnet, readQueryClientSubnet } from "./client-subnet.ts";
import { type Cookie, readCookie } from "./cookie.ts";
import { EDNS_VERSION, type Edns, type ReadOpt, readOpt } from "./edns.ts";
import { formatOpcode, formatType, OPCODE, OPTION, RCODE, TYPE } from "./iana.ts";
import {
  HEADER_OCTETS,
  type Message,
  type Query,
  type QueryHeader,
  type Question,
  type ResourceRecord,
} from "./message.ts";
import { readRdata } from "./rdata.ts";
import { readTsig, type Tsig } from "./tsig.ts";
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
  readonly cookie: Cookie | undefined;
  /** signed with a key that nobody here knows */
  readonly tsig?: Tsig | undefined;
}

/**
 * Decodes what came in. Too short for a header, or a response: silence, since an answer could start a loop. Then, in
 * this order: NOTIMP for an opcode nobody here knows (RFC 1035 §4.1.1), FORMERR for what cannot be read, NOTAUTH for a
 * TSIG, BADVERS for a version of EDNS other than 0 (RFC 6891 §6.1.3), REFUSED for NOTIFY and UPDATE, FORMERR for a bad
 * cookie or client subnet and for another number of questions than one (RFC 9619; none may ask for a cookie, RFC 7873
 * §5.4).
 */
export function decodeQuery(octets: Uint8Array): DecodedQuery {
  if (octets.length < HEADER_OCTETS) return { kind: "silence", reason: "it is shorter than a header" };
  const reader = new WireReader(octets);
  const { header, isResponse, counts } = readHeader(reader);
  if (isResponse) return { kind: "silence", reason: "it is a response" };
  const body = readQueryBody(reader, counts);
  const { question, edns, tsig } = body;
  const options = edns === undefined ? noOptions : readOptions(edns);
  const { cookie, clientSubnet } = options;
  const fail = (rcode: number, reason: string): DecodedQuery => ({
    kind: "error",
    rcode,
    reason,
    asked: { header, question, edns, clientSubnet, cookie, tsig: rcode === RCODE.NOTAUTH ? tsig : undefined },
  });

  const isKnown = [OPCODE.QUERY, OPCODE.NOTIFY, OPCODE.UPDATE].some((opcode) => opcode === header.opcode);
  if (!isKnown) return fail(RCODE.NOTIMP, `opcode ${formatOpcode(header.opcode)} is not served`);
  if (body.fault !== undefined) return fail(RCODE.FORMERR, body.fault);
  if (tsig !== undefined) return fail(RCODE.NOTAUTH, "it has a TSIG with an unknown key"); // RFC 8945 §5.2.1
  if (edns !== undefined && edns.version !== EDNS_VERSION) {
    return fail(RCODE.BADVERS, `EDNS version ${edns.version}`);
  }
  if (header.opcode !== OPCODE.QUERY) {
    return fail(RCODE.REFUSED, `${formatOpcode(header.opcode)} is refused to everyone`);
  }
  const optionFault = body.optFault ?? options.fault;
  if (optionFault !== undefined) return fail(RCODE.FORMERR, optionFault);
  if (counts.question === 0 && cookie !== undefined) {
    return fail(RCODE.NOERROR, "it has no question and asks for a cookie");
  }
  if (question === undefined || counts.question !== 1) {
    return fail(RCODE.FORMERR, `it has ${counts.question} questions`);
  }
  return { kind: "query", query: { header, question, edns, clientSubnet, cookie } };
}

/** What stands behind the header, as far as it can be read. */
interface QueryBody {
  /** the only question; undefined where there are none or several */
  readonly question: Question | undefined;
  readonly edns: Edns | undefined;
  readonly optFault: string | undefined;
  readonly tsig: Tsig | undefined;
  readonly fault: string | undefined;
}

/**
 * Reads on behind a fault as long as it is clear where the next record begins, so that an OPT is found wherever it
 * stands: every response to a query with one has one (RFC 6891 §6.1.1).
 */
function readQueryBody(reader: WireReader, counts: Counts): QueryBody {
  let question: Question | undefined;
  let opt: ReadOpt | undefined;
  let tsig: Tsig | undefined;
  let fault: string | undefined;
  try {
    if (counts.question === 1) question = readQuestion(reader);
    else for (let i = 0; i < counts.question; i++) readQuestion(reader);
    const firstAdditional = counts.answer + counts.authority;
    for (let i = 0; i < firstAdditional + counts.additional; i++) {
      if (tsig !== undefined) fault ??= "it has a record behind its TSIG"; // RFC 8945 §5.1
      const frame = readFrame(reader);
      try {
        const record = recordOf(frame);
        const isMeta = record.type === TYPE.OPT || record.type === TYPE.TSIG;
        if (isMeta && i < firstAdditional) {
          fault ??= `it has ${formatType(record.type)} before the additional section`;
        } else if (record.type === TYPE.TSIG) {
          tsig ??= readTsig(record);
        } else if (record.type === TYPE.OPT) {
          if (opt !== undefined) fault ??= "it has two OPT records"; // RFC 6891 §6.1.1
          opt ??= readOpt(record);
        }
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        fault ??= error.message;
      }
    }
    if (reader.remaining > 0) fault ??= "it has octets behind its last record";
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    fault ??= error.message;
  }
  return { question, edns: opt?.edns, optFault: opt?.fault, tsig, fault };
}

/** What the options say that count here. */
interface ReadOptions {
  readonly clientSubnet: ClientSubnet | undefined;
  readonly cookie: Cookie | undefined;
  readonly fault: string | undefined;
}

const noOptions: ReadOptions = { clientSubnet: undefined, cookie: undefined, fault: undefined };

/** The options that count here; of several of one code the first does (RFC 7873 §5.2 says so of cookies). */
function readOptions({ options }: Edns): ReadOptions {
  const first = (code: number): Uint8Array | undefined =>
    options.find((option) => option.code === code)?.octets;
  const cookieOctets = first(OPTION.COOKIE);
  const subnetOctets = first(OPTION.CLIENT_SUBNET);
  const cookie = cookieOctets && readCookie(cookieOctets);
  const clientSubnet = subnetOctets && readQueryClientSubnet(subnetOctets);
  return {
    cookie: typeof cookie === "string" ? undefined : cookie,
    clientSubnet: typeof clientSubnet === "string" ? undefined : clientSubnet,
    fault: typeof cookie === "string" ? cookie : typeof clientSubnet === "string" ? clientSubnet : undefined,
  };
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
    const read = opt && readOpt(opt);
    if (read?.fault !== undefined) return read.fault;
    const edns = read?.edns;
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

const readRecord = (reader: WireReader): ResourceRecord => recordOf(readFrame(reader));

/** A record whose RDATA is not read yet; the reader stands behind it. */
type RecordFrame = Omit<ResourceRecord, "rdata"> & { readonly rdata: WireReader };

function readFrame(reader: WireReader): RecordFrame {
  const owner = reader.name();
  const type = reader.uint16();
  const qclass = reader.uint16();
  const ttlSeconds = reader.uint32();
  return { owner, type, class: qclass, ttlSeconds, rdata: reader.within(reader.uint16()) };
}

/** A record of an UPDATE or of class ANY may have no RDATA at all (RFC 2136 §2.4); nothing is read into it. */
function recordOf(frame: RecordFrame): ResourceRecord {
  const { rdata } = frame;
  return { ...frame, rdata: rdata.remaining === 0 ? rdata.take(0) : readRdata(frame.type, rdata) };
}
