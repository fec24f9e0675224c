/** Octets for the tests of this folder, put together by hand and not by the code under test. */

/** An octet, ASCII characters, or octets. */
export type Part = number | string | readonly number[] | Uint8Array;

export function octets(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === "number") return [part];
      return typeof part === "string" ? [...Buffer.from(part, "latin1")] : [...part];
    }),
  );
}

export const uint16 = (value: number): readonly number[] => [value >> 8, value & 0xff];
export const uint32 = (value: number): readonly number[] => [
  ...uint16(Math.floor(value / 0x10000)),
  ...uint16(value & 0xffff),
];

/** A name in wire format from its labels as they are, the root without any. */
export const labels = (...texts: readonly string[]): Uint8Array =>
  octets(...texts.flatMap((text) => [text.length, text]), 0);

/** A compression pointer (RFC 1035 §4.1.4). */
export const pointer = (target: number): readonly number[] => uint16(0xc000 | target);

/** A character string (RFC 1035 §3.3). */
export const string = (text: string): Uint8Array => octets(text.length, text);

export interface RecordParts {
  readonly owner?: Part;
  readonly type: number;
  readonly class?: number;
  readonly ttlSeconds?: number;
  readonly rdata?: Part;
  /** as told where it is not the length of `rdata` */
  readonly rdlength?: number;
}

export function record({
  owner = [0],
  type,
  class: qclass = 1,
  ttlSeconds = 0,
  rdata = [],
  rdlength,
}: RecordParts): Uint8Array {
  const rdataOctets = octets(rdata);
  return octets(
    owner,
    uint16(type),
    uint16(qclass),
    uint32(ttlSeconds),
    uint16(rdlength ?? rdataOctets.length),
    rdataOctets,
  );
}

/** An OPT record (RFC 6891 §6.1.2) with these octets of options. */
export const opt = (options: Part = [], { version = 0, owner = [0] as Part, size = 1232, flags = 0 } = {}) =>
  record({ owner, type: 41, class: size, ttlSeconds: version * 0x10000 + flags, rdata: options });

/** An EDNS option. */
export const option = (code: number, body: Part): Uint8Array => {
  const bodyOctets = octets(body);
  return octets(uint16(code), uint16(bodyOctets.length), bodyOctets);
};

export interface MessageParts {
  readonly id?: number;
  readonly flags?: number;
  /** questions, answer, authority and additional records, as the header tells them */
  readonly counts: readonly [number, number, number, number];
  readonly body: readonly Part[];
}

export const message = ({ id = 0x1234, flags = 0, counts, body }: MessageParts): Uint8Array =>
  octets(uint16(id), uint16(flags), ...counts.map(uint16), ...body);

export const hex = (text: string): Uint8Array =>
  new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
