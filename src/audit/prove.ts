/** Proves of a partition that its scopes are exact: right for everyone inside, as wide as can be, and safe to cache. */

import { addressBehind } from "../geo/prefix-table.ts";
import { type AddressFamily, addressBits, commonPrefixLength, type IpPrefix } from "../ip.ts";
import {
  bitAt,
  type Cell,
  cellPrefix,
  firstAddress,
  isFirst,
  lastAddress,
  type Partition,
  type PlacedCell,
  siblingOf,
  trailingZeros,
} from "./partition.ts";
import { SubnetCache } from "./subnet-cache.ts";

/** The scopes that answers advertise, and what to hold against them. */
export interface Subject {
  readonly answers: Partition;
  /** the same lists computed in another way, from places and rules; its cells may be narrower */
  readonly expected: Partition<PlacedCell>;
  /** the cell by a whole answer, where `answers` takes a shorter way; it is asked now and then, since it takes its time */
  readonly askInFull?: (octets: Uint8Array) => Cell;
}

/** What was seen on the way, for whoever counts or prints it. */
export interface ProofListener {
  readonly onCell?: (prefix: IpPrefix, list: number) => void;
  /** a part of a cell that is in one place */
  readonly onPart?: (prefix: IpPrefix, list: number, where: string) => void;
  /** how much of the space is behind it, from 0 to 1 */
  readonly onProgress?: (done: number) => void;
}

/** What was found wrong, with the prefixes that show it. */
export type Counterexample =
  /** the scope of an address reaches back over cells that were told another one */
  | { readonly kind: "overlap"; readonly prefix: IpPrefix; readonly at: IpPrefix }
  /** an address has one scope, and another inside it has another or is told another list */
  | {
      readonly kind: "two-answers";
      readonly prefix: IpPrefix;
      readonly list: number;
      readonly at: IpPrefix;
      readonly otherList: number;
      readonly otherLength: number;
    }
  /** part of a scope should have another list */
  | {
      readonly kind: "shared-scope";
      readonly prefix: IpPrefix;
      readonly list: number;
      readonly at: IpPrefix;
      readonly otherList: number;
    }
  /** two halves of a prefix have the same list, and each a scope of its own */
  | {
      readonly kind: "could-be-wider";
      readonly prefix: IpPrefix;
      readonly sibling: IpPrefix;
      readonly list: number;
    }
  /** a client is served from the cache what it would not have been answered */
  | {
      readonly kind: "cache";
      readonly at: IpPrefix;
      readonly list: number;
      readonly otherList: number | undefined;
    }
  /** a whole answer says something else than its tables */
  | {
      readonly kind: "answer";
      readonly prefix: IpPrefix;
      readonly list: number;
      readonly otherList: number;
      readonly otherLength: number;
    };

export type CounterexampleKind = Counterexample["kind"];

export interface Proof {
  readonly family: AddressFamily;
  readonly cells: number;
  /** parts of cells whose list was computed anew */
  readonly parts: number;
  /** cells that could have a sibling */
  readonly siblings: number;
  /** cells that were asked for in full */
  readonly askedInFull: number;
  /** clients that asked the cache when it was full */
  readonly clients: number;
  /** source prefixes that hold more than one cell, and so are shorter than the scope that they are answered with */
  readonly shortSources: number;
  /** how often each kind was found; kinds that were not found are absent */
  readonly found: ReadonlyMap<CounterexampleKind, number>;
  /** the first few of each kind */
  readonly counterexamples: readonly Counterexample[];
}

export const holds = ({ found }: Proof): boolean => found.size === 0;

/** How many of each kind are kept. */
const MAX_KEPT = 3;
/** Of so many cells one is asked for in full, beside the first of each list. */
const ASKED_IN_FULL = 16;
/** Cells between two reports of progress. */
const PROGRESS = 1 << 14;

export function prove(subject: Subject, listener: ProofListener = {}): Proof {
  const { answers, expected, askInFull } = subject;
  const { family } = answers;
  const found = new Map<CounterexampleKind, number>();
  const counterexamples: Counterexample[] = [];
  const cache = new SubnetCache(family);
  const seenLists = new Set<number>();
  let cells = 0;
  let parts = 0;
  let siblings = 0;
  let askedInFull = 0;
  let shortSources = 0;
  let clients = 0;
  let before: { readonly octets: Uint8Array; readonly length: number; readonly list: number } | undefined;
  let octets: Uint8Array | undefined = firstAddress(family);
  while (octets !== undefined) {
    const { list, prefixLength: length } = answers.cellAt(octets);
    const prefix = { family, octets, length };
    cells++;
    if (!isFirst(octets, length)) {
      note({ kind: "overlap", prefix: cellPrefix(family, octets, length), at: whole(octets) });
    }
    proveInside(octets, list, length);
    if (length > 0) siblings++;
    // Were all around a cell inside the prefix one bit shorter of one list, two neighbours there would be halves of one
    // prefix: of the cells in it the longest ones come in such pairs. So pairs of neighbours are all that need be seen.
    if (before?.list === list && before.length === length && areHalves(before.octets, octets, length)) {
      note({ kind: "could-be-wider", prefix, sibling: siblingOf(prefix), list });
    }
    if (askInFull !== undefined && (cells % ASKED_IN_FULL === 1 || !seenLists.has(list))) {
      askedInFull++;
      const { list: otherList, prefixLength: otherLength } = askInFull(octets);
      if (otherList !== list || otherLength !== length)
        note({ kind: "answer", prefix, list, otherList, otherLength });
    }
    seenLists.add(list);
    // RFC 7871 §7.3.1: of every source prefix length from the scope on, the entry is the same. A shorter source prefix
    // that begins here is answered as its first address is, and so has a scope longer than itself.
    cache.store(octets, { sourcePrefixLength: addressBits(family), scopePrefixLength: length }, list);
    shortSources += trailingZeros(octets, length);
    listener.onCell?.(prefix, list);
    if (cells % PROGRESS === 0) listener.onProgress?.(((octets[0] ?? 0) * 256 + (octets[1] ?? 0)) / 0x10000);
    before = { octets, length, list };
    octets = addressBehind(octets, length);
  }
  proveCache();
  return {
    family,
    ...{ cells, parts, siblings, askedInFull, clients, shortSources },
    found,
    counterexamples,
  };

  function note(counterexample: Counterexample): void {
    const { kind } = counterexample;
    const count = (found.get(kind) ?? 0) + 1;
    found.set(kind, count);
    if (count <= MAX_KEPT) counterexamples.push(counterexample);
  }

  function whole(address: Uint8Array): IpPrefix {
    return { family, octets: address, length: addressBits(family) };
  }

  /** Every part of a cell must have its list, and an address in each, as the last one of all, its scope. */
  function proveInside(start: Uint8Array, list: number, length: number): void {
    const prefix = { family, octets: start, length };
    const end = lastAddress(start, length);
    let at: Uint8Array | undefined = start;
    while (at !== undefined && commonPrefixLength(at, start) >= length) {
      const there = expected.cellAt(at);
      const partLength = Math.max(there.prefixLength, length);
      const part = { family, octets: at, length: partLength };
      parts++;
      if (there.list !== list) {
        note({ kind: "shared-scope", prefix, list, at: part, otherList: there.list });
      }
      if (at !== start) proveSame(prefix, list, part);
      listener.onPart?.(part, list, there.where);
      at = addressBehind(at, partLength);
    }
    if (length < addressBits(family)) proveSame(prefix, list, whole(end));
  }

  function proveSame(prefix: IpPrefix, list: number, at: IpPrefix): void {
    const { list: otherList, prefixLength: otherLength } = answers.cellAt(at.octets);
    if (otherList === list && otherLength === prefix.length) return;
    note({ kind: "two-answers", prefix, list, at, otherList, otherLength });
  }

  /** The first and the last client of every part ask a cache that every cell was asked through before. */
  function proveCache(): void {
    let at: Uint8Array | undefined = firstAddress(family);
    while (at !== undefined) {
      const { list, prefixLength } = expected.cellAt(at);
      for (const client of [at, lastAddress(at, prefixLength)]) {
        const cached = cache.lookup(client);
        clients++;
        if (cached !== list) note({ kind: "cache", at: whole(client), list, otherList: cached });
      }
      at = addressBehind(at, prefixLength);
    }
  }
}

/** Whether two neighbours of one length, in order, make up the prefix that is one bit shorter. */
function areHalves(first: Uint8Array, second: Uint8Array, length: number): boolean {
  return length > 0 && bitAt(first, length - 1) === 0 && commonPrefixLength(first, second) === length - 1;
}
