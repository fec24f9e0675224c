/** A response as a check looks at it: every bit, and every record in presentation format. */

import { CLASS, formatRcode, TYPE } from "../../src/dns/iana.ts";
import { formatRecord, formatRRset } from "../../src/dns/message.ts";
import { parseName } from "../../src/dns/name.ts";
import { readRdata } from "../../src/dns/rdata.ts";
import { parseRecordLine } from "../../src/dns/record-line.ts";
import { Malformed, WireReader } from "../../src/dns/wire-reader.ts";
import { APEX } from "./zone.ts";

export interface SeenRecord {
  readonly line: string;
  readonly owner: Uint8Array;
  readonly type: number;
  readonly class: number;
  /** with names uncompressed, and as it was sent */
  readonly rdata: Uint8Array;
  readonly sentRdata: Uint8Array;
}

export interface SeenOpt {
  readonly version: number;
  readonly flags: number;
  readonly udpPayloadSize: number;
  readonly options: readonly { readonly code: number; readonly octets: Uint8Array }[];
}

export interface Seen {
  readonly octets: Uint8Array;
  readonly id: number;
  readonly opcode: number;
  /** names of the bits that are set, in the order of the header */
  readonly bits: readonly string[];
  /** with the upper bits that an OPT holds */
  readonly rcode: string;
  readonly questions: readonly Uint8Array[];
  readonly answer: readonly SeenRecord[];
  readonly authority: readonly SeenRecord[];
  /** without OPT and TSIG */
  readonly additional: readonly SeenRecord[];
  readonly opts: readonly SeenOpt[];
  readonly tsig: SeenRecord | undefined;
}

const bitNames = ["qr", undefined, undefined, undefined, undefined, "aa", "tc", "rd", "ra", "z", "ad", "cd"];

/** Reads a response; a sentence where it is malformed. */
export function readResponse(octets: Uint8Array): Seen | string {
  try {
    return read(octets);
  } catch (error) {
    if (error instanceof Malformed) return `the response is malformed: ${error.message}`;
    throw error;
  }
}

function read(octets: Uint8Array): Seen | string {
  const reader = new WireReader(octets);
  const [id, flags] = [reader.uint16(), reader.uint16()];
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()];
  const [questionCount = 0, ...recordCounts] = counts;
  const questions = Array.from({ length: questionCount }, () => {
    const start = reader.offset;
    reader.name();
    reader.take(4);
    return octets.slice(start, reader.offset);
  });
  const sections = recordCounts.map((count) => Array.from({ length: count }, () => readRecord(reader)));
  if (reader.remaining > 0) return "the response has octets behind its last record";
  const [answer = [], authority = [], all = []] = sections;
  const opts = all.filter(({ type }) => type === TYPE.OPT).map(readOpt);
  const last = all.at(-1);
  const rcode = (flags & 0xf) + (opts[0]?.extendedRcode ?? 0) * 16;
  return {
    octets,
    id,
    opcode: (flags >> 11) & 0xf,
    bits: bitNames.flatMap((name, i) => (name !== undefined && flags & (0x8000 >> i) ? [name] : [])),
    rcode: formatRcode(rcode),
    questions,
    answer,
    authority,
    additional: all.filter(({ type }) => type !== TYPE.OPT && type !== TYPE.TSIG),
    opts,
    tsig: last?.type === TYPE.TSIG ? last : undefined,
  };
}

interface ReadRecord extends SeenRecord {
  readonly ttlSeconds: number;
}

function readRecord(reader: WireReader): ReadRecord {
  const owner = reader.name();
  const [type, qclass, ttlSeconds] = [reader.uint16(), reader.uint16(), reader.uint32()];
  const length = reader.uint16();
  const sentRdata = reader.octets.slice(reader.offset, reader.offset + length);
  const within = reader.within(length);
  const rdata = length === 0 ? sentRdata : readRdata(type, within);
  const line = formatRecord({ owner, type, class: qclass, ttlSeconds, rdata });
  return { line, owner, type, class: qclass, ttlSeconds, rdata, sentRdata };
}

function readOpt({
  class: udpPayloadSize,
  ttlSeconds,
  rdata,
}: ReadRecord): SeenOpt & { extendedRcode: number } {
  const reader = new WireReader(rdata);
  const options: { code: number; octets: Uint8Array }[] = [];
  while (reader.remaining > 0) {
    const code = reader.uint16();
    options.push({ code, octets: reader.take(reader.uint16()) });
  }
  const [extendedRcode, version, flags] = [
    ttlSeconds >>> 24,
    (ttlSeconds >>> 16) & 0xff,
    ttlSeconds & 0xffff,
  ];
  return { extendedRcode, version, flags, udpPayloadSize, options };
}

/** A line of the static zone as `SeenRecord` has it: names whole, RDATA in one form. */
export function canonicalLine(line: string): string {
  const origin = parseName(APEX);
  const rrset = typeof origin === "string" ? origin : parseRecordLine(line, origin, 0);
  const first = typeof rrset === "string" ? undefined : formatRRset(rrset)[0];
  if (first === undefined) throw new Error(`${line}: ${String(rrset)}`);
  return first;
}

/** The first option of a code. */
export const optionOf = ({ opts }: Seen, code: number): Uint8Array | undefined =>
  opts[0]?.options.find((option) => option.code === code)?.octets;

export const isChaosText = (record: SeenRecord, text: string): boolean =>
  record.class === CLASS.CH &&
  record.type === TYPE.TXT &&
  Buffer.from(record.rdata.subarray(1)).toString("latin1") === text;
