/** TSIG (RFC 8945), as far as a server without keys needs it: reading the record, and refusing it by BADKEY. */

import { CLASS, TSIG_ERROR, TYPE } from "./iana.ts";
import type { ResourceRecord } from "./message.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

export interface Tsig {
  /** wire format, as is the algorithm */
  readonly keyName: Uint8Array;
  readonly algorithm: Uint8Array;
  /** Time Signed and Fudge, 8 octets */
  readonly time: Uint8Array;
  /** Original ID, 2 octets */
  readonly originalId: Uint8Array;
}

/** Reads the RDATA (RFC 8945 §4.2); throws Malformed. */
export function readTsig({ owner, class: qclass, ttlSeconds, rdata }: ResourceRecord): Tsig {
  if (qclass !== CLASS.ANY || ttlSeconds !== 0) throw new Malformed("its TSIG is not of class ANY and TTL 0");
  const reader = new WireReader(rdata);
  const algorithm = reader.name();
  const time = reader.take(8);
  reader.take(reader.uint16()); // MAC
  const originalId = reader.take(2);
  reader.take(2); // Error
  reader.take(reader.uint16()); // Other Data
  if (reader.remaining > 0) throw new Malformed("its TSIG is longer than its fields");
  return { keyName: owner, algorithm, time, originalId };
}

/** Renders the record of a response to a key that is not known: no MAC, so unsigned (RFC 8945 §5.2.1, §5.3.2). */
export function renderBadKeyTsig({ keyName, algorithm, time, originalId }: Tsig): Uint8Array {
  const rdata = [...algorithm, ...time, 0, 0, ...originalId, 0, TSIG_ERROR.BADKEY, 0, 0];
  const fixed = [TYPE.TSIG, CLASS.ANY, 0, 0, rdata.length].flatMap((value) => [value >> 8, value & 0xff]);
  return Uint8Array.from([...keyName, ...fixed, ...rdata]);
}
