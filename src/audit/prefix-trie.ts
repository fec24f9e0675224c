/** Prefixes in a binary tree: the plainest way to find those that hold an address. */

import type { IpPrefix } from "../ip.ts";
import { bitAt } from "./partition.ts";

interface TrieNode<T> {
  value: T | undefined;
  readonly below: [TrieNode<T> | undefined, TrieNode<T> | undefined];
}

export class PrefixTrie<T> {
  readonly #roots = { 4: newNode<T>(), 6: newNode<T>() };

  add({ family, octets, length }: IpPrefix, value: T): void {
    let node = this.#roots[family];
    for (let depth = 0; depth < length; depth++) {
      const bit = bitAt(octets, depth) === 0 ? 0 : 1;
      node.below[bit] ??= newNode();
      node = node.below[bit];
    }
    node.value = value;
  }

  /** The values of the prefixes that hold an address, the shortest first, and the length of one that has the same. */
  lookup(octets: Uint8Array): { readonly values: readonly T[]; readonly prefixLength: number } {
    let node = this.#roots[octets.length === 4 ? 4 : 6];
    const values: T[] = [];
    for (let depth = 0; ; depth++) {
      if (node.value !== undefined) values.push(node.value);
      const [zero, one] = node.below;
      if (zero === undefined && one === undefined) return { values, prefixLength: depth };
      const next = bitAt(octets, depth) === 0 ? zero : one;
      if (next === undefined) return { values, prefixLength: depth + 1 };
      node = next;
    }
  }
}

const newNode = <T>(): TrieNode<T> => ({ value: undefined, below: [undefined, undefined] });
