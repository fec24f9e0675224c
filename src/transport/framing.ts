/** Messages behind a length of two octets, as TCP carries them (RFC 1035 §4.2.2). */

/** Octets of the length. */
const PREFIX = 2;
const LARGEST = PREFIX + 0xffff;

/**
 * What was read and is not taken yet. Octets are copied only where a message comes in several chunks, and then each a
 * bounded number of times, however small the chunks are. A message that was taken is never written over.
 */
export class MessageBuffer {
  #octets: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

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

  /** Takes the next message; undefined where none is complete. */
  take(): Buffer | undefined {
    const end = this.#messageEnd();
    if (end === undefined) return undefined;
    const message = this.#octets.subarray(this.#start + PREFIX, end);
    this.#start = end;
    return message;
  }

  /** What is not complete yet. */
  rest(): Buffer {
    return this.#octets.subarray(this.#start, this.#end);
  }

  #messageEnd(): number | undefined {
    if (this.#end - this.#start < PREFIX) return undefined;
    const end = this.#start + PREFIX + this.#octets.readUInt16BE(this.#start);
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
