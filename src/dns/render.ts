/** Responses and queries to octets, with compression (RFC 1035 §4.1.4) and truncation at whole RRsets (RFC 2181 §9). */

import type { IpPrefix } from "../ip.ts";
import { clientSubnetOf, clientSubnetOption } from "./client-subnet.ts";
import { EDNS_VERSION, optOctets, renderOpt } from "./edns.ts";
import { CLASS } from "./iana.ts";
import { HEADER_OCTETS, type Question, type Response, type RRset } from "./message.ts";
import { foldCase } from "./name.ts";
import { rdataParts } from "./rdata.ts";

/** The largest message TCP can carry (RFC 1035 §4.2.2). */
export const MAX_TCP_OCTETS = 0xffff;
/** What every client can take in a datagram (RFC 1035 §4.2.1). */
export const MIN_UDP_OCTETS = 512;
/** A compression pointer has 14 bits (RFC 1035 §4.1.4). */
const MAX_POINTER_TARGET = 0x3fff;
const POINTER = 0xc000;

const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100 } as const;

/**
 * Renders a response in at most `maxOctets`. An RRset that does not fit leaves whole; in answer, authority and in-domain
 * glue that sets TC (RFC 9471 §3.1), in the rest of the additional section it is left out silently (RFC 2181 §9). The OPT
 * always stays (RFC 6891 §7).
 */
export function renderResponse(response: Response, maxOctets: number): Uint8Array {
  const { header, question, sections, edns, tsig } = response;
  const writer = new MessageWriter(
    maxOctets,
    (edns === undefined ? 0 : optOctets(edns)) + (tsig?.length ?? 0),
  );
  if (question !== undefined) writer.question(question);
  const answer = writer.section(sections.answer);
  const authority = writer.section(answer.complete ? sections.authority : []);
  const glue = writer.section(answer.complete && authority.complete ? (sections.glue ?? []) : []);
  const truncated = !(answer.complete && authority.complete && glue.complete);
  const additional = writer.section(truncated ? [] : sections.additional);
  if (edns !== undefined) writer.record(renderOpt(edns, response.rcode >> 4));
  if (tsig !== undefined) writer.record(tsig); // RFC 8945 §5.1: the last record
  const flags =
    FLAG.QR |
    (header.opcode << 11) |
    (response.authoritative ? FLAG.AA : 0) |
    (truncated ? FLAG.TC : 0) |
    (header.recursionDesired ? FLAG.RD : 0) |
    (response.rcode & 0xf);
  writer.header(header.id, flags, [
    question === undefined ? 0 : 1,
    answer.records,
    authority.records,
    glue.records + additional.records + (edns === undefined ? 0 : 1) + (tsig === undefined ? 0 : 1),
  ]);
  return writer.finish();
}

/** Whether a rendered message has TC set. */
export const isTruncated = (octets: Uint8Array): boolean => ((octets[2] ?? 0) & (FLAG.TC >> 8)) !== 0;

export interface QueryOptions {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** undefined: no OPT in the query */
  readonly edns:
    | { readonly udpPayloadSize: number; readonly dnssecOk: boolean; readonly subnet: IpPrefix | undefined }
    | undefined;
}

/** Renders a query with one question, as clients send it. */
export function renderQuery(question: Question, options: QueryOptions): Uint8Array {
  const writer = new MessageWriter(MAX_TCP_OCTETS, 0);
  writer.question(question);
  if (options.edns !== undefined) {
    const { udpPayloadSize, dnssecOk, subnet } = options.edns;
    const optionList = subnet === undefined ? [] : [clientSubnetOption(clientSubnetOf(subnet), 0)];
    writer.record(renderOpt({ udpPayloadSize, dnssecOk, version: EDNS_VERSION, options: optionList }, 0));
  }
  const flags = options.recursionDesired ? FLAG.RD : 0;
  writer.header(options.id, flags, [1, 0, 0, options.edns === undefined ? 0 : 1]);
  return writer.finish();
}

/** More than compression can save on one record: an owner and the two names of an SOA. */
const COMPRESSION_SLACK = 1024;

/** Where every message is written before it is copied out: rendering never waits, so one is enough. */
const scratch = new Uint8Array(MAX_TCP_OCTETS + COMPRESSION_SLACK);

class MessageWriter {
  readonly #octets = scratch;
  readonly #limit: number;
  #offset = HEADER_OCTETS;
  /** where each name or suffix was written, by its octets in lower case */
  readonly #suffixes = new Map<string, number>();

  constructor(maxOctets: number, reserved: number) {
    this.#limit = maxOctets - reserved;
  }

  header(id: number, flags: number, counts: readonly [number, number, number, number]): void {
    [id, flags, ...counts].forEach((value, i) => {
      this.#octets[i * 2] = value >> 8;
      this.#octets[i * 2 + 1] = value & 0xff;
    });
  }

  question(question: Question): void {
    this.#name(question.qname);
    this.#uint16(question.qtype);
    this.#uint16(question.qclass);
  }

  /** Writes RRsets up to the first that does not fit. */
  section(rrsets: readonly RRset[]): { readonly records: number; readonly complete: boolean } {
    let records = 0;
    for (const rrset of rrsets) {
      if (!this.#rrset(rrset)) return { records, complete: false };
      records += rrset.rdatas.length;
    }
    return { records, complete: true };
  }

  /** Writes all records of the set, or none and returns false where they do not fit; then nothing may follow with names. */
  #rrset(rrset: RRset): boolean {
    const start = this.#offset;
    let owner: number | undefined;
    for (const rdata of rrset.rdatas) {
      if (this.#offset + rrset.owner.length + 10 + rdata.length > this.#octets.length)
        return this.#rewind(start);
      if (owner === undefined) owner = this.#name(rrset.owner);
      else this.#uint16(POINTER | owner);
      this.#record(rrset, rdata);
      if (this.#offset > this.#limit) return this.#rewind(start);
    }
    return true;
  }

  #rewind(start: number): false {
    this.#offset = start;
    return false;
  }

  /** Writes a record already rendered into the room kept for it. */
  record(octets: Uint8Array): void {
    this.#copy(octets);
  }

  finish(): Uint8Array {
    return this.#octets.slice(0, this.#offset);
  }

  /** Writes what follows the owner. */
  #record(rrset: RRset, rdata: Uint8Array): void {
    this.#uint16(rrset.type);
    this.#uint16(rrset.class ?? CLASS.IN);
    this.#uint16(Math.floor(rrset.ttlSeconds / 0x10000));
    this.#uint16(rrset.ttlSeconds & 0xffff);
    const lengthAt = this.#offset;
    this.#offset += 2;
    for (const part of rdataParts(rrset.type, rdata)) {
      if (part.compressible) this.#name(part.octets);
      else this.#copy(part.octets);
    }
    const length = this.#offset - lengthAt - 2;
    this.#octets[lengthAt] = length >> 8;
    this.#octets[lengthAt + 1] = length & 0xff;
  }

  /** Writes a name, its longest suffix written before as a pointer; returns where the whole name can be pointed at. */
  #name(name: Uint8Array): number | undefined {
    const folded = Buffer.from(foldCase(name)).toString("latin1");
    const start = this.#offset;
    for (let at = 0; ; ) {
      const length = name[at] ?? 0;
      if (length === 0) {
        this.#octets[this.#offset++] = 0;
        return at > 0 && start <= MAX_POINTER_TARGET ? start : undefined;
      }
      const suffix = folded.slice(at);
      const earlier = this.#suffixes.get(suffix);
      if (earlier !== undefined) {
        this.#uint16(POINTER | earlier);
        return at === 0 ? earlier : start <= MAX_POINTER_TARGET ? start : undefined;
      }
      if (this.#offset <= MAX_POINTER_TARGET) this.#suffixes.set(suffix, this.#offset);
      this.#copy(name.subarray(at, at + 1 + length));
      at += 1 + length;
    }
  }

  #copy(octets: Uint8Array): void {
    this.#octets.set(octets, this.#offset);
    this.#offset += octets.length;
  }

  #uint16(value: number): void {
    this.#octets[this.#offset++] = value >> 8;
    this.#octets[this.#offset++] = value & 0xff;
  }
}
