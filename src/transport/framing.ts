/** Messages behind a length of two octets, as TCP carries them (RFC 1035 §4.2.2). */

/** Octets of the length. */
export const PREFIX = 2;
/** Octets of the longest message, behind its length. */
export const LARGEST = PREFIX + 0xffff;

/**
 * What was read and is not taken yet. Octets are copied only where a message comes in several chunks, and then each a
 * bounded number of times, however small the chunks are. A message that was taken is never written over.
 */
export class MessageBuffer {
  #octets: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #messageStart = 0;

  push(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#octets = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    const pending = this.#end - this.#start;
    const needed = pending + chunk.length;
    if (this.#end + chunk.length > this.#octets.length) {
      // Twice what is needed, so that the copies add up to no more than the octets; no more than a message can have,
      // and never what its length promises, which costs a peer nothing to write.
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * needed, LARGEST)));
      this.#octets.copy(grown, 0, this.#start, this.#end);
      this.#octets = grown;
      this.#start = 0;
      this.#end = pending;
    }
    chunk.copy(this.#octets, this.#end);
    this.#end += chunk.length;
  }

  hasMessage(): boolean {
    return this.#messageEnd() !== undefined;
  }

  /**
   * Takes the next message, which then stands in `octets` from `messageStart` to `messageEnd`, until more is pushed; false
   * where none is complete.
   */
  next(): boolean {
    const end = this.#messageEnd();
    if (end === undefined) return false;
    this.#messageStart = this.#start + PREFIX;
    this.#start = end;
    return true;
  }

  get octets(): Uint8Array {
    return this.#octets;
  }

  get messageStart(): number {
    return this.#messageStart;
  }

  get messageEnd(): number {
    return this.#start;
  }

  /** The message that was taken last. */
  get message(): Buffer {
    return this.#octets.subarray(this.#messageStart, this.#start);
  }

  /** Takes the next message; undefined where none is complete. */
  take(): Buffer | undefined {
    return this.next() ? this.message : undefined;
  }

  /** What is not complete yet. */
  rest(): Buffer {
    return this.#octets.subarray(this.#start, this.#end);
  }

  #messageEnd(): number | undefined {
    if (this.#end - this.#start < PREFIX) return undefined;
    const octets = this.#octets;
    const length = ((octets[this.#start] ?? 0) << 8) | (octets[this.#start + 1] ?? 0);
    const end = this.#start + PREFIX + length;
    return end <= this.#end ? end : undefined;
  }
}

/** The message behind its length, in one piece (RFC 7766 §8). */
export function framed(message: Uint8Array): Uint8Array {
  const octets = new Uint8Array(PREFIX + message.length);
  octets.set([message.length >> 8, message.length & 0xff]);
  octets.set(message, PREFIX);
  return octets;
}
