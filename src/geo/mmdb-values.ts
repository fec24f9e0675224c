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
  /** What `#readHead` found last. A city database has tens of millions of values, too many to make an object for each. */
  #type = 0;
  #size = 0;
  #next = 0;

  constructor(section: ValueSection) {
    this.#section = section;
    this.#workLeft = 4 * (section.end - section.start) + 10_000;
  }

  /** Throws, in words, where there is no sound value at an offset into the file; else says how large it is. */
  check(at: number): number {
    return this.#checkTarget(at, 0);
  }

  /** The size of the value that a pointer leads to. */
  #checkTarget(at: number, depth: number): number {
    const known = this.#sizes.get(at);
    if (known !== undefined) return known;
    const { start, end } = this.#section;
    if (at < start || at >= end) throw new Error("a pointer leads out of its section");
    const size = this.#checkValue(at, depth);
    this.#sizes.set(at, size);
    return size;
  }

  /** The size of the value at an offset; `#next` is then the offset behind it. */
  #checkValue(at: number, depth: number): number {
    if (depth > MAX_DEPTH) throw new Error(`values lie more than ${MAX_DEPTH} deep in each other`);
    this.#readHead(at);
    this.#work(1);
    const { end } = this.#section;
    const next = this.#next;
    const size = this.#size;
    switch (this.#type) {
      case TYPE.pointer: {
        const targetSize = this.#checkTarget(size, depth + 1);
        this.#next = next;
        return limited(1 + targetSize);
      }
      case TYPE.map:
        return this.#checkItems(2 * size, true, depth);
      case TYPE.array:
        return this.#checkItems(size, false, depth);
      case TYPE.boolean:
        return 1;
      default:
        if (next + size > end) throw new Error("a value runs past the end of its section");
        this.#work(size);
        this.#next = next + size;
        return limited(1 + size);
    }
  }

  /** A count is only what the file says: as many values have to be there. */
  #checkItems(count: number, isMap: boolean, depth: number): number {
    let total = 1;
    for (let i = 0; i < count; i++) {
      if (isMap && i % 2 === 0) this.#checkIsText(this.#next);
      total = limited(total + this.#checkValue(this.#next, depth + 1));
    }
    return total;
  }

  #checkIsText(at: number): void {
    const type = this.#octet(at) >> 5;
    if (type === TYPE.text) return;
    if (type === TYPE.pointer) {
      this.#readHead(at);
      const isText = this.#octet(this.#size) >> 5 === TYPE.text;
      this.#next = at;
      if (isText) return;
    }
    throw new Error("a key of a map is no text");
  }

  /** What the octets before a value say: its type, and its size or, of a pointer, the offset it leads to. */
  #readHead(at: number): void {
    const control = this.#octet(at);
    const low = control & 31;
    let type = control >> 5;
    if (type === TYPE.pointer) {
      const length = (low >> 3) + 1;
      const high = length === 4 ? 0 : (low & 7) * 256 ** length;
      this.#type = type;
      this.#size = this.#section.start + high + this.#number(at + 1, length) + (POINTER_BASES[length] ?? 0);
      this.#next = at + 1 + length;
      return;
    }
    let next = at + 1;
    if (type === 0) {
      type = this.#octet(next++) + 7;
      if (type === TYPE.map) throw new Error("there is no type 0 of values");
    }
    let size = low;
    if (low > 28) {
      const length = low - 28;
      size = this.#number(next, length) + (SIZE_BASES[length] ?? 0);
      next += length;
    }
    const least = LEAST_SIZES[type];
    const most = MOST_SIZES[type];
    if (least === undefined || most === undefined) throw new Error(`there is no type ${type} of values`);
    if (size < least || size > most) throw new Error(`a value of type ${type} has a size of ${size}`);
    this.#type = type;
    this.#size = size;
    this.#next = next;
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

/** The least and the largest size of a value, by the number of its type; what has none is not a value of its own. */
const any = Number.MAX_SAFE_INTEGER;
const none = undefined;
// text, double, octets, uint16, uint32, map, int32, uint64, uint128, array, container, end marker, boolean, float
const LEAST_SIZES = [none, none, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, none, none, 0, 4] as const;
const MOST_SIZES = [none, none, any, 8, any, 2, 4, any, 4, 8, 16, any, none, none, 1, 4] as const;

/** What is added to a size, or to a pointer, by the number of octets that follow its control octet. */
const SIZE_BASES = [0, 29, 285, 65_821] as const;
const POINTER_BASES = [0, 0, 2048, 526_336, 0] as const;

function limited(size: number): number {
  if (size > MAX_RECORD_SIZE) throw new Error(`a record has more than ${MAX_RECORD_SIZE} octets`);
  return size;
}
