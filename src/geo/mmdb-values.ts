/** Goes through the values of a MaxMind DB before they are decoded, so that none is broken, endless or huge. */

/** A part of a file that holds values; pointers in it count from its start. */
export interface ValueSection {
  readonly octets: Buffer;
  readonly start: number;
  readonly end: number;
}

/** How deep maps, arrays and pointers may lie in each other; libmaxminddb has the same limit. */
const MAX_DEPTH = 512;

/** Values and octets in one record, pointers followed. The longest of the known makers have some thousand. */
const MAX_RECORD_SIZE = 1 << 20;

/**
 * Checks values, each place that a pointer leads to only once. What is checked in all is bounded by the size of the
 * file: in a sound one nothing lies in two records but by pointers, so more is a file made to keep its reader busy.
 */
export class ValueChecker {
  readonly #section: ValueSection;
  readonly #sizes = new Map<number, number>();
  #workLeft: number;

  constructor(section: ValueSection) {
    this.#section = section;
    this.#workLeft = 4 * (section.end - section.start) + 10_000;
  }

  /** Throws, in words, where there is no sound value at an offset into the file; else says how large it is. */
  check(at: number): number {
    return this.#target(at, 0);
  }

  /** The size of the value that a pointer leads to. */
  #target(at: number, depth: number): number {
    const known = this.#sizes.get(at);
    if (known !== undefined) return known;
    const { start, end } = this.#section;
    if (at < start || at >= end) throw new Error("a pointer leads out of its section");
    const { size } = this.#value(at, depth);
    this.#sizes.set(at, size);
    return size;
  }

  #value(at: number, depth: number): { readonly size: number; readonly next: number } {
    if (depth > MAX_DEPTH) throw new Error(`values lie more than ${MAX_DEPTH} deep in each other`);
    const { type, size, next } = this.#head(at);
    this.#work(1);
    if (type === TYPE.pointer) {
      return { size: limited(1 + this.#target(size, depth + 1)), next };
    }
    if (type !== TYPE.map && type !== TYPE.array) {
      if (type === TYPE.boolean) return { size: 1, next };
      if (next + size > this.#section.end) throw new Error("a value runs past the end of its section");
      this.#work(size);
      return { size: limited(1 + size), next: next + size };
    }
    // A size is only what the file says: as many values have to be there.
    let total = 1;
    let after = next;
    for (let i = 0; i < size; i++) {
      for (const isKey of type === TYPE.map ? [true, false] : [false]) {
        if (isKey && !this.#isText(after)) throw new Error("a key of a map is no text");
        const value = this.#value(after, depth + 1);
        total = limited(total + value.size);
        after = value.next;
      }
    }
    return { size: total, next: after };
  }

  #isText(at: number): boolean {
    const head = this.#head(at);
    if (head.type !== TYPE.pointer) return head.type === TYPE.text;
    return this.#head(head.size).type === TYPE.text;
  }

  /** What the octets before a value say: its type, and its size or, of a pointer, the offset it leads to. */
  #head(at: number): { readonly type: number; readonly size: number; readonly next: number } {
    const control = this.#octet(at);
    if (control >> 5 === TYPE.pointer) {
      const length = ((control >> 3) & 3) + 1;
      const high = length === 4 ? 0 : (control & 7) * 256 ** length;
      const target = this.#section.start + high + this.#number(at + 1, length) + (POINTER_BASES[length] ?? 0);
      return { type: TYPE.pointer, size: target, next: at + 1 + length };
    }
    const type = control >> 5 === 0 ? this.#octet(at + 1) + 7 : control >> 5;
    const sizeAt = at + (control >> 5 === 0 ? 2 : 1);
    const more = Math.max(0, (control & 31) - 28);
    const size = more === 0 ? control & 31 : this.#number(sizeAt, more) + (SIZE_BASES[more] ?? 0);
    const [least, most] = SIZES.get(type) ?? [1, 0];
    if (least > most) throw new Error(`there is no type ${type} of values`);
    if (size < least || size > most) throw new Error(`a value of type ${type} has a size of ${size}`);
    return { type, size, next: sizeAt + more };
  }

  #number(at: number, length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.#octet(at + i);
    return value;
  }

  #octet(at: number): number {
    const { octets, start, end } = this.#section;
    const octet = at >= start && at < end ? octets[at] : undefined;
    if (octet === undefined) throw new Error("a value runs past the end of its section");
    return octet;
  }

  #work(units: number): void {
    this.#workLeft -= units;
    if (this.#workLeft < 0)
      throw new Error("records overlap, so that there is more to read than the file holds");
  }
}

/** Types of values as the MaxMind DB format numbers them, where more than the size matters. */
const TYPE = { pointer: 1, text: 2, map: 7, array: 11, boolean: 14 } as const;

/** The least and the largest size of each type that is a value of its own. */
const SIZES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [TYPE.text, [0, Number.MAX_SAFE_INTEGER]],
  [3, [8, 8]], // double
  [4, [0, Number.MAX_SAFE_INTEGER]], // octets
  [5, [0, 2]], // uint16
  [6, [0, 4]], // uint32
  [TYPE.map, [0, Number.MAX_SAFE_INTEGER]],
  [8, [0, 4]], // int32
  [9, [0, 8]], // uint64
  [10, [0, 16]], // uint128
  [TYPE.array, [0, Number.MAX_SAFE_INTEGER]],
  [TYPE.boolean, [0, 1]],
  [15, [4, 4]], // float
]);

/** What is added to a size, or to a pointer, by the number of octets that follow its control octet. */
const SIZE_BASES = [0, 29, 285, 65_821] as const;
const POINTER_BASES = [0, 0, 2048, 526_336, 0] as const;

function limited(size: number): number {
  if (size > MAX_RECORD_SIZE) throw new Error(`a record has more than ${MAX_RECORD_SIZE} octets`);
  return size;
}
