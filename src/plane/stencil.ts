/**
 * Answers that differ in the name of a tenant alone: from two of them it is found where the name stands and what depends on
 * its length, so that the answer to any other tenant can be written from the first.
 */

import { TYPE } from "../dns/iana.ts";
import { HEADER_OCTETS } from "../dns/message.ts";

/** A place in a rendered answer, in octets from its start. */
export interface Edit {
  readonly at: number;
  /** `text`: the tenant's own stands here; `octet` and `uint16`: a number that grows by `times` what the text is longer */
  readonly kind: "text" | "octet" | "uint16";
  readonly times: number;
}

/** The response, but for its OPT, to a query for a name that holds a text. */
export interface Sample {
  readonly octets: Uint8Array;
  /** what the first label of the name holds, as the answer has it */
  readonly text: Uint8Array;
  /** where in the message it stands in the question */
  readonly textAt: number;
}

/** The edits that make the second answer of the first, by ascending place; undefined where there are other differences. */
export function findEdits(first: Sample, second: Sample): readonly Edit[] | undefined {
  const walk = new Walk(first, second);
  const edits = walk.compare();
  if (edits === undefined) return undefined;
  const made = writeStencil(first, edits, second);
  // The id, and RD among the flags, are the asker's.
  const isFlagged =
    ((made[2] ?? 0) & 0xfe) === ((second.octets[2] ?? 0) & 0xfe) && made[3] === second.octets[3];
  return isFlagged && Buffer.compare(made.subarray(4), second.octets.subarray(4)) === 0 ? edits : undefined;
}

/** The answer to another tenant, whose question comes from its own message; it is how worker threads do it, too. */
export function writeStencil(
  first: Sample,
  edits: readonly Edit[],
  { octets, text }: Pick<Sample, "octets" | "text">,
): Uint8Array {
  const grown = text.length - first.text.length;
  const pieces = [first.octets.subarray(0, HEADER_OCTETS), questionOf(octets)];
  let from = HEADER_OCTETS + questionOf(first.octets).length;
  for (const { at, kind, times } of edits) {
    pieces.push(first.octets.subarray(from, at));
    if (kind === "text") {
      pieces.push(text);
      from = at + first.text.length;
    } else if (kind === "octet") {
      pieces.push(Uint8Array.of((first.octets[at] ?? 0) + times * grown));
      from = at + 1;
    } else {
      const value = uint16(first.octets, at) + times * grown;
      pieces.push(Uint8Array.of(value >> 8, value & 0xff));
      from = at + 2;
    }
  }
  pieces.push(first.octets.subarray(from));
  return Buffer.concat(pieces);
}

/** Where the records of a message with one question begin. */
export const recordsAt = (octets: Uint8Array): number => HEADER_OCTETS + questionOf(octets).length;

function questionOf(octets: Uint8Array): Uint8Array {
  let at = HEADER_OCTETS;
  while (octets[at] !== 0) at += 1 + (octets[at] ?? 0);
  return octets.subarray(HEADER_OCTETS, at + 5);
}

const uint16 = (octets: Uint8Array, at: number): number => ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);

/** Names that stand in the RDATA of a type, behind so many octets, and how many there are. */
const namesInRdata: ReadonlyMap<number, { readonly before: number; readonly names: number }> = new Map([
  [TYPE.NS, { before: 0, names: 1 }],
  [TYPE.CNAME, { before: 0, names: 1 }],
  [TYPE.SOA, { before: 0, names: 2 }],
  [TYPE.PTR, { before: 0, names: 1 }],
  [TYPE.MX, { before: 2, names: 1 }],
  [TYPE.DNAME, { before: 0, names: 1 }],
]);

/** Thrown and caught here alone. */
class OtherDifference extends Error {}

/** Goes through two messages side by side. */
class Walk {
  readonly #a: Uint8Array;
  readonly #b: Uint8Array;
  readonly #first: Sample;
  readonly #second: Sample;
  readonly #grown: number;
  readonly #edits: Edit[] = [];
  /** where texts stand in the first, that of the question too */
  readonly #texts: number[];
  #atA: number;
  #atB: number;

  constructor(first: Sample, second: Sample) {
    this.#first = first;
    this.#second = second;
    this.#a = first.octets;
    this.#b = second.octets;
    this.#grown = second.text.length - first.text.length;
    this.#texts = [first.textAt];
    this.#atA = recordsAt(first.octets);
    this.#atB = recordsAt(second.octets);
  }

  compare(): readonly Edit[] | undefined {
    try {
      // The counts of records.
      for (let at = 4; at < HEADER_OCTETS; at++) this.#require(this.#a[at] === this.#b[at]);
      while (this.#atA < this.#a.length) this.#record();
      this.#require(this.#atB === this.#b.length);
      return this.#edits.toSorted((one, other) => one.at - other.at);
    } catch (error) {
      if (error instanceof OtherDifference) return undefined;
      throw error;
    }
  }

  #record(): void {
    this.#name();
    const type = uint16(this.#a, this.#atA);
    this.#same(8); // type, class and TTL
    const lengthAt = this.#atA;
    const length = uint16(this.#a, lengthAt);
    const lengthB = uint16(this.#b, this.#atB);
    this.#atA += 2;
    this.#atB += 2;
    const [endA, endB] = [this.#atA + length, this.#atB + lengthB];
    const textsBefore = this.#texts.length;
    const { before, names } = namesInRdata.get(type) ?? { before: 0, names: 0 };
    this.#same(before);
    for (let i = 0; i < names; i++) this.#name();
    this.#same(endA - this.#atA);
    this.#require(this.#atB === endB);
    const texts = this.#texts.length - textsBefore;
    if (texts > 0) this.#edits.push({ at: lengthAt, kind: "uint16", times: texts });
  }

  #name(): void {
    for (;;) {
      const length = this.#a[this.#atA] ?? 0;
      if (length >= 0xc0) {
        this.#pointer();
        return;
      }
      this.#label(length);
      if (length === 0) return;
    }
  }

  #pointer(): void {
    const target = uint16(this.#a, this.#atA) & 0x3fff;
    const times = this.#texts.filter((at) => at < target).length;
    this.#require((uint16(this.#b, this.#atB) & 0x3fff) === target + times * this.#grown);
    this.#require((this.#b[this.#atB] ?? 0) >= 0xc0);
    if (times > 0) this.#edits.push({ at: this.#atA, kind: "uint16", times });
    this.#atA += 2;
    this.#atB += 2;
  }

  #label(length: number): void {
    const lengthB = this.#b[this.#atB] ?? 0;
    const a = Buffer.from(this.#a.subarray(this.#atA + 1, this.#atA + 1 + length));
    const b = Buffer.from(this.#b.subarray(this.#atB + 1, this.#atB + 1 + lengthB));
    if (Buffer.compare(a, b) !== 0) {
      const { text: textA } = this.#first;
      const { text: textB } = this.#second;
      let within = a.indexOf(textA);
      const isReplaced = (): boolean =>
        Buffer.compare(
          Buffer.concat([a.subarray(0, within), textB, a.subarray(within + textA.length)]),
          b,
        ) === 0;
      while (within >= 0 && !isReplaced()) within = a.indexOf(textA, within + 1);
      this.#require(within >= 0);
      const at = this.#atA + 1 + within;
      this.#edits.push({ at: this.#atA, kind: "octet", times: 1 }, { at, kind: "text", times: 1 });
      this.#texts.push(at);
    }
    this.#atA += 1 + length;
    this.#atB += 1 + lengthB;
  }

  #same(count: number): void {
    for (let i = 0; i < count; i++) this.#require(this.#a[this.#atA + i] === this.#b[this.#atB + i]);
    this.#atA += count;
    this.#atB += count;
  }

  #require(isTrue: boolean): void {
    if (!isTrue) throw new OtherDifference();
  }
}
