/** Responses of one turn of a TCP connection, each behind its length, so that they go out in one write. */

import type { Socket } from "node:net";
import { LARGEST, PREFIX } from "./framing.ts";
import type { Output } from "./listener.ts";

/** With so many octets it is full. */
const FULL = 1 << 16;
/** There is room for one more of any length, which may be written a little behind its place at first. */
const CAPACITY = FULL + LARGEST + 7;

const newMemory = (): { readonly octets: Buffer; readonly words: Int32Array } => {
  const memory = new ArrayBuffer((CAPACITY + 3) & ~3);
  return { octets: Buffer.from(memory), words: new Int32Array(memory) };
};

export class Outgoing implements Output {
  #memory = newMemory();
  #length = 0;

  get octets(): Uint8Array {
    return this.#memory.octets;
  }

  get words(): Int32Array {
    return this.#memory.words;
  }

  get isFull(): boolean {
    return this.#length >= FULL;
  }

  /** A multiple of 4, where the next response may be written before it is added. */
  get messageAt(): number {
    return (this.#length + PREFIX + 3) & ~3;
  }

  /** Adds a response. */
  add(message: Uint8Array): void {
    this.#memory.octets.set(message, this.#length + PREFIX);
    this.#addLength(message.length);
  }

  /** Adds the response that was written at `messageAt`. */
  addWritten(length: number): void {
    const from = this.messageAt;
    const to = this.#length + PREFIX;
    if (from !== to) this.#memory.octets.copyWithin(to, from, from + length);
    this.#addLength(length);
  }

  /** Writes all of them to a socket; empty then. */
  send(socket: Socket): void {
    if (this.#length === 0) return;
    const octets = this.#memory.octets.subarray(0, this.#length);
    this.#length = 0;
    if (socket.writableLength > 0) {
      socket.write(Buffer.from(octets));
      return;
    }
    socket.write(octets);
    // Nearly always the kernel has taken all of it at once. What it has not, the socket sends from this memory later.
    if (socket.writableLength > 0) this.#memory = newMemory();
  }

  #addLength(length: number): void {
    const { octets } = this.#memory;
    octets[this.#length] = length >> 8;
    octets[this.#length + 1] = length;
    this.#length += PREFIX + length;
  }
}
