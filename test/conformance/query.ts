/** Queries for the checks, put together octet by octet so that they can be as wrong as a check wants them. */

import { CLASS, parseType } from "../../src/dns/iana.ts";
import { octets as joined, type Part, uint16 } from "../dns/wire.ts";
import { wireName } from "./zone.ts";

export { octets, opt, option, type Part, pointer, record, uint16 } from "../dns/wire.ts";

/** The bits of the header (RFC 1035 §4.1.1, RFC 4035 §3). */
const BITS = {
  qr: 0x8000,
  aa: 0x0400,
  tc: 0x0200,
  rd: 0x0100,
  ra: 0x0080,
  z: 0x0040,
  ad: 0x0020,
  cd: 0x0010,
} as const;

/** A query, and what of it the judgement of a response needs. */
export interface BuiltQuery {
  readonly octets: Uint8Array;
  /** of the question, where there is exactly one */
  readonly question: Uint8Array | undefined;
  readonly hasEdns: boolean;
}

export interface QueryParts {
  readonly id?: number;
  readonly opcode?: number;
  readonly bits?: readonly (keyof typeof BITS)[];
  readonly rcode?: number;
  readonly qclass?: number;
  /** records as octets; an OPT that is to be seen as one goes into `edns` */
  readonly answer?: readonly Uint8Array[];
  readonly authority?: readonly Uint8Array[];
  readonly edns?: Uint8Array;
  readonly additional?: readonly Uint8Array[];
  /** octets behind the last record */
  readonly tail?: Part;
  /** what the header says of the four sections where it is not what is there */
  readonly counts?: readonly [number, number, number, number];
}

/** A question by name and type; a name without a final dot is below the apex of the static zone. */
export const question = (
  name: string | Uint8Array,
  type: string | number,
  qclass: number = CLASS.IN,
): Uint8Array =>
  joined(typeof name === "string" ? wireName(name) : name, uint16(typeNumber(type)), uint16(qclass));

/** A query with one question. */
export const ask = (name: string | Uint8Array, type: string | number, parts: QueryParts = {}): BuiltQuery =>
  build([question(name, type, parts.qclass)], parts);

/** A message with these questions. */
export function build(questions: readonly Uint8Array[], parts: QueryParts = {}): BuiltQuery {
  const { id = 0x0909, opcode = 0, bits = [], rcode = 0, tail = [] } = parts;
  const { answer = [], authority = [], additional = [], edns } = parts;
  const more = edns === undefined ? additional : [edns, ...additional];
  const counts = parts.counts ?? [questions.length, answer.length, authority.length, more.length];
  const flags = bits.reduce((sum, bit) => sum | BITS[bit], (opcode << 11) | rcode);
  return {
    octets: joined(
      uint16(id),
      uint16(flags),
      ...counts.map(uint16),
      ...questions,
      ...answer,
      ...authority,
      ...more,
      tail,
    ),
    question: questions.length === 1 ? questions[0] : undefined,
    hasEdns: edns !== undefined,
  };
}

/** Octets that are no well-formed message behind the header; what can be read of them is not looked for. */
export const raw = (...parts: readonly Part[]): BuiltQuery => ({
  octets: joined(...parts),
  question: undefined,
  hasEdns: false,
});

export const typeNumber = (type: string | number): number => {
  const number = typeof type === "number" ? type : parseType(type);
  if (number === undefined) throw new Error(`${type} is no type`);
  return number;
};

/** The body of a client subnet option (RFC 7871 §6). */
export const subnet = (
  family: number,
  source: number,
  scope: number,
  ...address: readonly number[]
): Uint8Array => joined(uint16(family), source, scope, address);
