/** DNS messages as values: what a query asks and what a response says. */

import type { ClientSubnet } from "./client-subnet.ts";
import type { Cookie } from "./cookie.ts";
import type { Edns } from "./edns.ts";
import { CLASS, formatClass, formatType } from "./iana.ts";
import { type DomainName, formatName } from "./name.ts";
import { formatRdata } from "./rdata.ts";

/** RFC 1035 §4.1.1 */
export const HEADER_OCTETS = 12;

export interface Question {
  /** wire format, spelled as asked: the response repeats it (draft-vixie-dnsext-dns0x20) */
  readonly qname: Uint8Array;
  readonly qtype: number;
  readonly qclass: number;
}

/** What of the header counts for a response, whatever else is wrong with the query. */
export interface QueryHeader {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
}

export interface Query {
  readonly header: QueryHeader;
  readonly question: Question;
  readonly edns: Edns | undefined;
  readonly clientSubnet: ClientSubnet | undefined;
  readonly cookie: Cookie | undefined;
}

/** All records of one owner, class and type. */
export interface RRset {
  /** wire format, spelled as published */
  readonly owner: Uint8Array;
  readonly name: DomainName;
  readonly type: number;
  /** IN where absent */
  readonly class?: number;
  readonly ttlSeconds: number;
  /** wire format, names uncompressed */
  readonly rdatas: readonly Uint8Array[];
}

export interface Sections {
  readonly answer: readonly RRset[];
  readonly authority: readonly RRset[];
  /** in-domain glue of a referral: additional records without which it is of no use (RFC 9471 §3.1) */
  readonly glue?: readonly RRset[];
  readonly additional: readonly RRset[];
}

export const noSections: Sections = { answer: [], authority: [], additional: [] };

/** A response before it is octets. */
export interface Response {
  readonly header: QueryHeader;
  readonly question: Question | undefined;
  readonly authoritative: boolean;
  /** up to 12 bits; what is above 15 goes to the OPT (RFC 6891 §6.1.3) */
  readonly rcode: number;
  readonly sections: Sections;
  /** undefined where the query had no OPT */
  readonly edns: Edns | undefined;
  /** the record that ends a response to a signed query, rendered */
  readonly tsig?: Uint8Array | undefined;
}

/** One record of a received message. */
export interface ResourceRecord {
  readonly owner: Uint8Array;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly rdata: Uint8Array;
}

/** A whole received message, as clients need it. */
export interface Message {
  readonly id: number;
  readonly opcode: number;
  readonly isResponse: boolean;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answer: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  /** without the OPT */
  readonly additional: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
  readonly clientSubnet: ClientSubnet | undefined;
}

/** The records of an RRset one by one, in presentation format: `owner ttl type rdata`. */
export function formatRRset(rrset: RRset): readonly string[] {
  return rrset.rdatas.map(
    (rdata) =>
      `${formatName(rrset.owner)} ${rrset.ttlSeconds} ${formatType(rrset.type)} ${formatRdata(rrset.type, rdata)}`,
  );
}

/** A received record in the same form; its class only where it is not IN. */
export function formatRecord(record: ResourceRecord): string {
  const qclass = record.class === CLASS.IN ? "" : `${formatClass(record.class)} `;
  const rdata = formatRdata(record.type, record.rdata);
  return `${formatName(record.owner)} ${record.ttlSeconds} ${qclass}${formatType(record.type)} ${rdata}`;
}
