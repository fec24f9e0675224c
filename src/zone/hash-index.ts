/** Numbers found again by the hash of what they stand for: open addressing in one array of pairs. */

/** What `find` returns where nothing fits. */
export const NOT_FOUND = -1;

export class HashIndex {
  /** hash and number + 1 of each entry; a number of 0 is a free slot */
  #slots = new Int32Array(2 * 64);
  #mask = 63;
  #count = 0;

  /** The number that was added with this hash and that `fits`; NOT_FOUND where there is none. */
  find(hash: number, fits: (number: number) => boolean): number {
    for (let slot = mix(hash) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[2 * slot + 1] ?? 0;
      if (entry === 0) return NOT_FOUND;
      if (this.#slots[2 * slot] === hash && fits(entry - 1)) return entry - 1;
    }
  }

  /** Adds a number that is not there yet. `hash` is an integer of 32 bits. */
  add(hash: number, number: number): void {
    if (2 * ++this.#count > this.#mask) this.#grow();
    this.#put(hash, number + 1);
  }

  #put(hash: number, entry: number): void {
    let slot = mix(hash) & this.#mask;
    while (this.#slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = entry;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let at = 0; at < before.length; at += 2) {
      const entry = before[at + 1] ?? 0;
      if (entry !== 0) this.#put(before[at] ?? 0, entry);
    }
  }
}

/** The low bits of a hash of similar names are too much alike to choose a slot by. */
function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
