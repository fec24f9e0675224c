/** The cache of a resolver as RFC 7871 §7.3 has it: answers to one question, each tied to a prefix. */

import { type AddressFamily, addressBits } from "../ip.ts";
import { bitAt } from "./partition.ts";

/**
 * Answers of one family as numbers. They lie in a binary tree of their prefixes, in flat arrays: half a million of them
 * are stored and looked up for one name.
 */
export class SubnetCache {
  readonly #bits: number;
  /** by node: the nodes below it at bit 0 and at bit 1, 0 where there is none, and the answer cached there plus 1 */
  #children = new Int32Array(1 << 12);
  #answers = new Int32Array(1 << 11);
  #nodeCount = 1;

  constructor(family: AddressFamily) {
    this.#bits = addressBits(family);
  }

  /**
   * Ties an answer to FAMILY, ADDRESS and SCOPE PREFIX-LENGTH (RFC 7871 §7.3.1). A scope longer than the source prefix
   * length is cut to that one, since of more bits the resolver has told nothing.
   */
  store(
    octets: Uint8Array,
    lengths: { readonly sourcePrefixLength: number; readonly scopePrefixLength: number },
    answer: number,
  ): void {
    const length = Math.min(lengths.sourcePrefixLength, lengths.scopePrefixLength);
    let node = 0;
    for (let depth = 0; depth < length; depth++) {
      const at = node * 2 + bitAt(octets, depth);
      const below = this.#children[at] ?? 0;
      node = below === 0 ? this.#addNode(at) : below;
    }
    this.#answers[node] = answer + 1;
  }

  /** The answer with the longest prefix that holds a client's address; undefined where the server must be asked. */
  lookup(octets: Uint8Array): number | undefined {
    let node = 0;
    let found = this.#answers[0] ?? 0;
    for (let depth = 0; depth < this.#bits; depth++) {
      node = this.#children[node * 2 + bitAt(octets, depth)] ?? 0;
      if (node === 0) break;
      found = this.#answers[node] || found;
    }
    return found === 0 ? undefined : found - 1;
  }

  #addNode(at: number): number {
    const node = this.#nodeCount++;
    if (node === this.#answers.length) {
      this.#answers = grown(this.#answers);
      this.#children = grown(this.#children);
    }
    this.#children[at] = node;
    return node;
  }
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
