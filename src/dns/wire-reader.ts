/** Reads the parts of a DNS message. Every bound is checked; what does not fit is `Malformed`, thrown and caught in decode. */

import { MAX_NAME_OCTETS } from "./name.ts";

/** One behind each label that 255 octets have room for; longer chains only cost the reader time. */
const MAX_POINTERS = 127;

/** Why octets are no DNS message; decode turns it into a value, so it never leaves this folder. */
export class Malformed extends Error {}

/** A name as it is read; nothing that uses it waits, so one is enough. */
const scratch = new Uint8Array(MAX_NAME_OCTETS);

/** A position in a message. */
export class WireReader {
  readonly octets: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(octets: Uint8Array, offset = 0, end = octets.length) {
    this.octets = octets;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  uint8(): number {
    const octet = this.offset < this.end ? this.octets[this.offset] : undefined;
    if (octet === undefined) throw new Malformed("it ends too early");
    this.offset++;
    return octet;
  }

  uint16(): number {
    return this.uint8() * 0x100 + this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) throw new Malformed("it ends too early");
    const taken = this.octets.subarray(this.offset, this.offset + length);
    this.offset += length;
    return taken;
  }

  /** A reader of the next `length` octets alone; this one moves behind them. Names in it may still point back. */
  within(length: number): WireReader {
    const start = this.offset;
    this.take(length);
    return new WireReader(this.octets, start, start + length);
  }

  /**
   * Reads a name and returns it uncompressed, spelling kept. A pointer must lead to a place before the labels that it
   * ends (RFC 1035 §4.1.4: a prior occurrence), so each hop goes back and a loop cannot be written.
   */
  name(): Uint8Array {
    let nameLength = 0;
    let at = this.offset;
    let limit = this.end;
    let runStart = at;
    let pointers = 0;
    for (;;) {
      const length = at < limit ? this.octets[at] : undefined;
      if (length === undefined) throw new Malformed("a name ends too early");
      if (length >= 0xc0) {
        const low = at + 1 < limit ? this.octets[at + 1] : undefined;
        if (low === undefined) throw new Malformed("a name ends too early");
        const target = (length & 0x3f) * 0x100 + low;
        if (target < 12 || target >= runStart) throw new Malformed("a name points to no earlier name");
        if (pointers === 0) this.offset = at + 2;
        if (++pointers > MAX_POINTERS) throw new Malformed("a name has too many pointers");
        limit = runStart;
        at = target;
        runStart = target;
        continue;
      }
      if (length > 63) throw new Malformed("a label has a type that is neither 00 nor 11");
      if (at + 1 + length > limit) throw new Malformed("a name ends too early");
      if (nameLength + 1 + length > MAX_NAME_OCTETS) throw new Malformed("a name is over 255 octets");
      for (let i = at; i <= at + length; i++) scratch[nameLength++] = this.octets[i] ?? 0;
      at += 1 + length;
      if (length === 0) break;
    }
    if (pointers === 0) this.offset = at;
    return scratch.slice(0, nameLength);
  }
}
