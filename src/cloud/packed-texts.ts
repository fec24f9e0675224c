/**
 * Short texts packed one behind the other and found again without case, in memory that threads share. Texts are numbered
 * as they come; nothing is made to find one, so that it can be done for each query.
 */

/** What `find` returns where there is no such text. */
export const NO_TEXT = -1;

/** Where the texts are; another thread that is sent this reads the same memory. */
export interface TextMemory {
  readonly octets: Uint8Array;
  /** text n stands from `starts[n]` to `starts[n + 1]` */
  readonly starts: Uint32Array;
  /**
   * Open addressing by hash: in the low 24 bits the number of a text + 1, or 0 where nothing is, and in the high 8 bits some
   * of its hash, so that few others are looked at. Its length is a power of two.
   */
  readonly index: Int32Array;
  readonly count: number;
}

/** Each octet with the letters A to Z in lower case. */
export const foldedOctet: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);

/** FNV-1a without case: also what a farm slot is derived from. */
export function hashOctets(octets: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (foldedOctet[octets[i] ?? 0] ?? 0), 0x01000193);
  return hash;
}

const MIN_INDEX = 64;

const NUMBER_BITS = 0xffffff;
const HASH_BITS = ~NUMBER_BITS;

/** How much of an index is used at the most. */
const MAX_LOAD = 0.7;

/** How many texts there can be. */
export const MAX_TEXTS = NUMBER_BITS - 1;

export class PackedTexts {
  #octets: Uint8Array;
  #starts: Uint32Array;
  #index: Int32Array;
  #mask: number;
  #count: number;

  constructor(memory?: TextMemory) {
    this.#octets = memory?.octets ?? sharedOctets(MIN_INDEX);
    this.#starts = memory?.starts ?? sharedUint32s(MIN_INDEX);
    this.#index = memory?.index ?? sharedInt32s(MIN_INDEX);
    this.#mask = this.#index.length - 1;
    this.#count = memory?.count ?? 0;
  }

  get count(): number {
    return this.#count;
  }

  /** What is there now; what is added later may go elsewhere. */
  get memory(): TextMemory {
    return { octets: this.#octets, starts: this.#starts, index: this.#index, count: this.#count };
  }

  startOf(number: number): number {
    return this.#starts[number] ?? 0;
  }

  lengthOf(number: number): number {
    return (this.#starts[number + 1] ?? 0) - (this.#starts[number] ?? 0);
  }

  /** The octets of all texts; those of one stand from `startOf` on. */
  get octets(): Uint8Array {
    return this.#octets;
  }

  textOf(number: number): string {
    return latin1(this.#octets, this.startOf(number), this.startOf(number + 1));
  }

  /**
   * The number of the first text behind `after` that is the same but for case; NO_TEXT where there is none. Of the same
   * texts those that came later stand later in the index.
   */
  find(
    octets: Uint8Array,
    start: number,
    end: number,
    after = NO_TEXT,
    hash = hashOctets(octets, start, end),
  ): number {
    const index = this.#index;
    const mask = this.#mask;
    const mixed = mix(hash);
    for (let slot = mixed & mask; ; slot = (slot + 1) & mask) {
      const entry = index[slot] ?? 0;
      if (entry === 0) return NO_TEXT;
      if (((entry ^ mixed) & HASH_BITS) !== 0) continue;
      const number = (entry & NUMBER_BITS) - 1;
      if (number > after && this.#isSame(number, octets, start, end)) return number;
    }
  }

  /**
   * Adds a text that is not there yet, and returns its number; where it is, NO_TEXT. It takes one search, and for a million
   * texts a search is what takes the time. There must be room.
   */
  addNew(octets: Uint8Array, start: number, end: number, hash: number): number {
    const index = this.#index;
    const mask = this.#mask;
    const mixed = mix(hash);
    let slot = mixed & mask;
    for (; ; slot = (slot + 1) & mask) {
      const entry = index[slot] ?? 0;
      if (entry === 0) break;
      if (((entry ^ mixed) & HASH_BITS) !== 0) continue;
      if (this.#isSame((entry & NUMBER_BITS) - 1, octets, start, end)) return NO_TEXT;
    }
    const number = this.#count;
    const own = this.#octets;
    let at = this.#starts[number] ?? 0;
    for (let i = start; i < end; i++) own[at++] = octets[i] ?? 0;
    this.#starts[number + 1] = at;
    index[slot] = (mixed & HASH_BITS) | (number + 1);
    this.#count = number + 1;
    return number;
  }

  /** Adds a text, whether or not it is there already; where it is, it is found behind that alone. */
  add(octets: Uint8Array, start: number, end: number, hash = hashOctets(octets, start, end)): number {
    const number = this.#count;
    this.reserve(number + 1, this.startOf(number) + end - start);
    const at = this.startOf(number);
    for (let i = start; i < end; i++) this.#octets[at + i - start] = octets[i] ?? 0;
    this.#starts[number + 1] = at + end - start;
    this.#put(hash, number + 1);
    this.#count = number + 1;
    return number;
  }

  /** Makes room for so many texts in all. Room that is not used is no memory. */
  reserve(count: number, octets: number): void {
    if (octets > this.#octets.length) {
      this.#octets = grown(this.#octets, octets, sharedOctets);
    }
    if (count + 1 > this.#starts.length) this.#starts = grown(this.#starts, count + 1, sharedUint32s);
    let length = this.#index.length;
    while (count > MAX_LOAD * length) length *= 2;
    if (length === this.#index.length) return;
    this.#index = sharedInt32s(length);
    this.#mask = length - 1;
    for (let number = 0; number < this.#count; number++) {
      this.#put(hashOctets(this.#octets, this.startOf(number), this.startOf(number + 1)), number + 1);
    }
  }

  #put(hash: number, entry: number): void {
    const mixed = mix(hash);
    let slot = mixed & this.#mask;
    while (this.#index[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#index[slot] = (mixed & HASH_BITS) | entry;
  }

  #isSame(number: number, octets: Uint8Array, start: number, end: number): boolean {
    const at = this.#starts[number] ?? 0;
    const length = end - start;
    if ((this.#starts[number + 1] ?? 0) - at !== length) return false;
    const own = this.#octets;
    for (let i = 0; i < length; i++) {
      if (foldedOctet[own[at + i] ?? 0] !== foldedOctet[octets[start + i] ?? 0]) return false;
    }
    return true;
  }
}

export const latin1 = (octets: Uint8Array, start: number, end: number): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1", start, end);

/** The low bits of a hash of similar texts are too much alike to choose a slot by. */
function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** The same content in an array of twice the length, or of `room` if that is more. */
export function grown<A extends Numbers>(array: A, room: number, make: (length: number) => A): A {
  const larger = make(Math.max(room, 2 * array.length));
  larger.set(array);
  return larger;
}

type Numbers = Uint8Array | Uint32Array | Int32Array;

export const sharedOctets = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
export const sharedUint32s = (length: number): Uint32Array =>
  new Uint32Array(new SharedArrayBuffer(4 * length));
export const sharedInt32s = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
