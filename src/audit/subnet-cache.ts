/** The cache of a resolver as RFC 7871 §7.3 has it: answers to one question, each tied to a prefix. */

import { type AddressFamily, addressBits, commonPrefixLength } from "../ip.ts";
import { bitAt } from "./partition.ts";

/**
 * Answers of one family as numbers, in a binary tree of their prefixes. Half a million of them are stored and looked up
 * for one name, mostly in address order: so the tree is in flat arrays, and the way to the last address is kept.
 */
export class SubnetCache {
  readonly #bits: number;
  /** by node: the nodes below it at bit 0 and at bit 1, 0 where there is none, and the answer cached there plus 1 */
  #children = new Int32Array(1 << 12);
  #answers = new Int32Array(1 << 11);
  #nodeCount = 1;
  /** the way to the last address, as far as there are nodes: by depth the node, and the longest answer up to there plus 1 */
  readonly #lastOctets: Uint8Array;
  readonly #wayNodes: Int32Array;
  readonly #wayAnswers: Int32Array;
  #wayLength = 0;

  constructor(family: AddressFamily) {
    this.#bits = addressBits(family);
    this.#lastOctets = new Uint8Array(this.#bits / 8);
    this.#wayNodes = new Int32Array(this.#bits + 1);
    this.#wayAnswers = new Int32Array(this.#bits + 1);
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
    this.#walk(octets, length, true);
    this.#answers[this.#wayNodes[length] ?? 0] = answer + 1;
    this.#wayAnswers[length] = answer + 1;
    // Deeper nodes on the way would have to be told.
    this.#wayLength = length;
  }

  /** The answer with the longest prefix that holds a client's address; undefined where the server must be asked. */
  lookup(octets: Uint8Array): number | undefined {
    this.#walk(octets, this.#bits, false);
    const found = this.#wayAnswers[this.#wayLength] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  /** Goes down towards an address, from where the way to the last one leaves its own. */
  #walk(octets: Uint8Array, length: number, addsNodes: boolean): void {
    let depth = Math.min(commonPrefixLength(octets, this.#lastOctets), this.#wayLength, length);
    let node = this.#wayNodes[depth] ?? 0;
    for (; depth < length; depth++) {
      const at = node * 2 + bitAt(octets, depth);
      let below = this.#children[at] ?? 0;
      if (below === 0) {
        if (!addsNodes) break;
        below = this.#addNode(at);
      }
      node = below;
      this.#wayNodes[depth + 1] = node;
      this.#wayAnswers[depth + 1] = this.#answers[node] || (this.#wayAnswers[depth] ?? 0);
    }
    this.#lastOctets.set(octets);
    this.#wayLength = depth;
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
