/** EDNS(0): the OPT record and its options (RFC 6891). */

import { OPTION, TYPE } from "./iana.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

/** The only version there is (RFC 6891 §6.1.3). */
export const EDNS_VERSION = 0;
/** Owner, type, class, TTL and length of an OPT record. */
const OPT_FIXED_OCTETS = 11;

/** What an OPT record says (RFC 6891 §6.1). */
export interface Edns {
  /** octets the sender can take in one datagram, as sent */
  readonly udpPayloadSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

export interface EdnsOption {
  readonly code: number;
  readonly octets: Uint8Array;
}

interface OptRecord {
  readonly owner: Uint8Array;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly rdata: Uint8Array;
}

/** An OPT record as read; its options may be faulty while the rest of it counts. */
export interface ReadOpt {
  readonly edns: Edns;
  readonly fault: string | undefined;
}

/** Reads an OPT record (RFC 6891 §6.1.2): its class is the payload size, its TTL holds version and flags. */
export function readOpt(record: OptRecord): ReadOpt {
  if (record.owner.length !== 1) throw new Malformed("its OPT is not owned by the root");
  const options: EdnsOption[] = [];
  const edns: Edns = {
    udpPayloadSize: record.class,
    version: Math.floor(record.ttlSeconds / 0x10000) & 0xff,
    dnssecOk: (record.ttlSeconds & 0x8000) !== 0,
    options,
  };
  const reader = new WireReader(record.rdata);
  try {
    while (reader.remaining > 0) {
      const code = reader.uint16();
      options.push({ code, octets: reader.take(reader.uint16()) });
    }
    return { edns, fault: undefined };
  } catch (error) {
    if (error instanceof Malformed) return { edns, fault: "an option runs past the end of its OPT" };
    throw error;
  }
}

/** Why an answer is what it is, in words for a person (RFC 8914 §2). */
export interface ExtendedError {
  readonly code: number;
  readonly text: string;
}

export function extendedErrorOption({ code, text }: ExtendedError): EdnsOption {
  const octets = Uint8Array.from([code >> 8, code & 0xff, ...new TextEncoder().encode(text)]);
  return { code: OPTION.EXTENDED_ERROR, octets };
}

/** Reads the option; undefined where it is shorter than its code. */
export function readExtendedError(octets: Uint8Array): ExtendedError | undefined {
  if (octets.length < 2) return undefined;
  const reader = new WireReader(octets);
  return { code: reader.uint16(), text: new TextDecoder().decode(octets.subarray(2)) };
}

/** How long a TCP connection may stay idle, in units of 100 milliseconds (RFC 7828 §3.1). */
export function keepaliveOption(idleSeconds: number): EdnsOption {
  const units = Math.min(Math.round(idleSeconds * 10), 0xffff);
  return { code: OPTION.TCP_KEEPALIVE, octets: Uint8Array.of(units >> 8, units & 0xff) };
}

/** The octets of an OPT record in a message. */
export function optOctets(edns: Edns): number {
  return edns.options.reduce((sum, option) => sum + 4 + option.octets.length, OPT_FIXED_OCTETS);
}

/** Renders an OPT record; the upper eight bits of the RCODE go where a TTL would be (RFC 6891 §6.1.3). */
export function renderOpt(edns: Edns, extendedRcode: number): Uint8Array {
  const octets = new Uint8Array(optOctets(edns));
  const view = new DataView(octets.buffer);
  view.setUint16(1, TYPE.OPT);
  view.setUint16(3, edns.udpPayloadSize);
  view.setUint8(5, extendedRcode);
  view.setUint8(6, edns.version);
  view.setUint16(7, edns.dnssecOk ? 0x8000 : 0);
  view.setUint16(9, octets.length - OPT_FIXED_OCTETS);
  let offset = OPT_FIXED_OCTETS;
  for (const option of edns.options) {
    view.setUint16(offset, option.code);
    view.setUint16(offset + 2, option.octets.length);
    octets.set(option.octets, offset + 4);
    offset += 4 + option.octets.length;
  }
  return octets;
}
