/**
 * The names of one zone and what each holds, packed into a few arrays: a million records are then some 100 megabytes, and
 * a gigabyte as objects. Names are kept in presentation format as spelled, and compared without case (RFC 4343 §3).
 */

import type { RRset } from "../dns/message.ts";
import { type DomainName, domainName, parseName } from "../dns/name.ts";
import { foldRdata } from "../dns/rdata.ts";
import { HashIndex, NOT_FOUND } from "./hash-index.ts";

/**
 * What one name holds: RRsets, or a tailored answer, or both where their types differ, or nothing (an empty non-terminal,
 * RFC 4592 §2.2.2).
 */
export interface ZoneNode<T> {
  readonly rrsets: ReadonlyMap<number, RRset>;
  readonly tailored: T | undefined;
}

/** Every name that exists in a zone, empty non-terminals included. */
export interface Nodes<T> extends Iterable<readonly [DomainName, ZoneNode<T>]> {
  has(name: DomainName): boolean;
  get(name: DomainName): ZoneNode<T> | undefined;
  /** the names that are kept, and not only followed from something else */
  kept(): Iterable<readonly [DomainName, ZoneNode<T>]>;
  /** the tailored answers of the names that are kept */
  tailored(): Iterable<T>;
  /** the names that follow from something else, so that there may be millions */
  readonly virtual: VirtualNames<T> | undefined;
}

/** Names that nobody keeps: each is made for who asks. */
export interface VirtualNames<T> extends Iterable<readonly [DomainName, ZoneNode<T>]> {
  has(name: DomainName): boolean;
  get(name: DomainName): ZoneNode<T> | undefined;
  /** what a name holds where nothing else stands, not even an empty non-terminal: there is no end to such names */
  getUnlisted(name: DomainName): ZoneNode<T> | undefined;
  names(): Iterable<DomainName>;
  /** the tailored answers of all of them */
  tailored(): Iterable<T>;
  /** one tailored answer of each kind */
  tailoredKinds(): Iterable<T>;
  /** the same for names that hold the same, in whatever order they come; `contentOf` is what one holds, in words */
  digest(contentOf: (node: ZoneNode<T>) => string): string;
}

/** Stands for a name in a table. */
export type NodeNumber = number;
/** Stands for a record in a table; records are counted as they come. */
export type RecordNumber = number;

/** What became of a record that was to be added: it may be there already, or an RRset with another TTL is. */
export type Added = "added" | "present" | "other-ttl";

/** Nodes made for who asked, kept for the next; when there are so many, all are let go. */
const MAX_KEPT_NODES = 0x4000;

/** Records of a node that a new one is compared with one by one. */
const MAX_STEPS = 32;

const NONE = -1;

export class NodeTable<T> implements Nodes<T> {
  readonly #apexText: string;
  readonly #nodeIndex = new HashIndex();
  readonly #tailored = new Map<NodeNumber, T>();
  readonly #kept = new Map<NodeNumber, ZoneNode<T>>();
  /** the records of the nodes that hold many, so that each new one need not be compared with all */
  readonly #large = new Map<NodeNumber, Set<string>>();
  /** the names one behind the other: node n from `nameStart[n]` to `nameStart[n + 1]` */
  #names = new Uint8Array(4096);
  #nodeCount = 0;
  #nameStart = new Uint32Array(64);
  #firstRecord = new Int32Array(64);
  #lastRecord = new Int32Array(64);

  /** the RDATA one behind the other: record r from `rdataStart[r]` to `rdataStart[r + 1]` */
  #rdata = new Uint8Array(4096);
  #recordCount = 0;
  #rdataStart = new Uint32Array(64);
  #recordNode = new Int32Array(64);
  #nextRecord = new Int32Array(64);
  #type = new Uint16Array(64);
  #ttlSeconds = new Uint32Array(64);

  constructor(apex: DomainName) {
    this.#apexText = apex;
    this.#addNode(apex, 0, hashText(apex, 0, apex.length));
  }

  get size(): number {
    return this.#nodeCount;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  has(name: DomainName): boolean {
    return this.findNode(name) !== undefined;
  }

  get(name: DomainName): ZoneNode<T> | undefined {
    const node = this.findNode(name);
    return node === undefined ? undefined : this.#keepNode(node, name);
  }

  tailored(): Iterable<T> {
    return this.#tailored.values();
  }

  kept(): Iterable<readonly [DomainName, ZoneNode<T>]> {
    return this;
  }

  get virtual(): undefined {
    return undefined;
  }

  *[Symbol.iterator](): Generator<readonly [DomainName, ZoneNode<T>]> {
    for (let node = 0; node < this.#nodeCount; node++) {
      const name = this.nameOf(node);
      yield [name, this.#makeNode(node, name)];
    }
  }

  findNode(name: DomainName): NodeNumber | undefined {
    const node = this.#findText(name, 0, hashText(name, 0, name.length));
    return node === NOT_FOUND ? undefined : node;
  }

  nameOf(node: NodeNumber): DomainName {
    return domainName(this.#ownerOf(node));
  }

  /**
   * The node of a name at or below the apex, made with those between where it is new. `spelling` is in presentation
   * format, as `formatName` prints it.
   */
  addName(spelling: string): NodeNumber {
    // From the end: the hash of each name above is then a step on the way to that of the next.
    const apexStart = spelling.length - this.#apexText.length;
    let hash = hashText(spelling, apexStart, spelling.length);
    let node = this.#findText(spelling, apexStart, hash);
    for (let start = apexStart; start > 0; ) {
      const below = labelStart(spelling, start);
      hash = hashText(spelling, below, start, hash);
      start = below;
      node = this.#findText(spelling, start, hash);
      if (node === NOT_FOUND) node = this.#addNode(spelling, start, hash);
    }
    return node;
  }

  tailoredAt(node: NodeNumber): T | undefined {
    return this.#tailored.get(node);
  }

  setTailored(node: NodeNumber, tailored: T): void {
    this.#tailored.set(node, tailored);
    this.#kept.delete(node);
  }

  holdsRecords(node: NodeNumber): boolean {
    return this.#firstRecord[node] !== NONE;
  }

  hasType(node: NodeNumber, type: number): boolean {
    return this.#firstOfType(node, type) !== NONE;
  }

  typesOf(node: NodeNumber): readonly number[] {
    const types = new Set<number>();
    let record = this.#firstRecord[node] ?? NONE;
    for (; record !== NONE; record = this.#nextRecord[record] ?? NONE) types.add(this.typeOf(record));
    return [...types];
  }

  /** Whether a record is there, names compared without case. */
  hasRecord(node: NodeNumber, type: number, rdata: Uint8Array): boolean {
    const large = this.#large.get(node);
    if (large !== undefined) return large.has(recordKey(type, rdata));
    const folded = foldRdata(type, rdata);
    let steps = 0;
    let record = this.#firstRecord[node] ?? NONE;
    for (; record !== NONE; record = this.#nextRecord[record] ?? NONE) {
      if (++steps > MAX_STEPS) this.#index(node);
      if (this.#type[record] !== type) continue;
      if (Buffer.compare(foldRdata(type, this.rdataOf(record)), folded) === 0) return true;
    }
    return false;
  }

  /** The TTL of an RRset, in seconds. */
  ttlOf(node: NodeNumber, type: number): number | undefined {
    return this.#ttlSeconds[this.#firstOfType(node, type)];
  }

  /**
   * Adds a record to its RRset, unless it is there already, names compared without case (RFC 2181 §5), or the RRset has
   * another TTL (§5.2).
   */
  addRecord(node: NodeNumber, spelling: string, type: number, ttlSeconds: number, rdata: Uint8Array): Added {
    const known = this.#firstOfType(node, type);
    if (known !== NONE && this.#ttlSeconds[known] !== ttlSeconds) return "other-ttl";
    if (known !== NONE && this.hasRecord(node, type, rdata)) return "present";
    this.#makeRoom(rdata.length);
    const record = this.#recordCount++;
    const rdataStart = this.#rdataStart[record] ?? 0;
    this.#rdata.set(rdata, rdataStart);
    this.#rdataStart[record + 1] = rdataStart + rdata.length;
    this.#recordNode[record] = node;
    this.#nextRecord[record] = NONE;
    this.#type[record] = type;
    this.#ttlSeconds[record] = ttlSeconds;
    this.#large.get(node)?.add(recordKey(type, rdata));
    const last = this.#lastRecord[node] ?? NONE;
    if (last === NONE) {
      this.#firstRecord[node] = record;
      this.#respell(node, spelling);
    } else this.#nextRecord[last] = record;
    this.#lastRecord[node] = record;
    this.#kept.delete(node);
    return "added";
  }

  typeOf(record: RecordNumber): number {
    return this.#type[record] ?? 0;
  }

  nodeOf(record: RecordNumber): NodeNumber {
    return this.#recordNode[record] ?? 0;
  }

  rdataOf(record: RecordNumber): Uint8Array {
    return this.#rdata.subarray(this.#rdataStart[record], this.#rdataStart[record + 1]);
  }

  /** The first record of a name; undefined where it has none. */
  firstRecordOf(name: DomainName): RecordNumber | undefined {
    const node = this.findNode(name);
    const record = node === undefined ? NONE : this.#firstRecord[node];
    return record === NONE ? undefined : record;
  }

  #findText(text: string, start: number, hash: number): number {
    return this.#nodeIndex.find(hash, (node) => this.#isSpelled(node, text, start));
  }

  /** Whether the name of a node is what `text` holds from `start` on, but for case. */
  #isSpelled(node: NodeNumber, text: string, start: number): boolean {
    const nameStart = this.#nameStart[node] ?? 0;
    const length = text.length - start;
    if ((this.#nameStart[node + 1] ?? 0) - nameStart !== length) return false;
    for (let i = 0; i < length; i++) {
      if (fold(this.#names[nameStart + i] ?? 0) !== fold(text.charCodeAt(start + i))) return false;
    }
    return true;
  }

  #addNode(text: string, start: number, hash: number): NodeNumber {
    const node = this.#nodeCount++;
    this.#nameStart = withRoom(this.#nameStart, node + 2, uint32s);
    this.#firstRecord = withRoom(this.#firstRecord, node + 1, int32s);
    this.#lastRecord = withRoom(this.#lastRecord, node + 1, int32s);
    const nameStart = this.#nameStart[node] ?? 0;
    const nameEnd = nameStart + text.length - start;
    this.#names = withRoom(this.#names, nameEnd, octets);
    for (let i = 0; nameStart + i < nameEnd; i++) this.#names[nameStart + i] = text.charCodeAt(start + i);
    this.#nameStart[node + 1] = nameEnd;
    this.#firstRecord[node] = NONE;
    this.#lastRecord[node] = NONE;
    this.#nodeIndex.add(hash, node);
    return node;
  }

  /** A name that existed for those below it alone is spelled as its first record has it. */
  #respell(node: NodeNumber, spelling: string): void {
    const nameStart = this.#nameStart[node] ?? 0;
    for (let i = 0; i < spelling.length; i++) this.#names[nameStart + i] = spelling.charCodeAt(i);
  }

  /** Makes room for one more record with RDATA of so many octets. */
  #makeRoom(rdataLength: number): void {
    const record = this.#recordCount;
    this.#rdata = withRoom(this.#rdata, (this.#rdataStart[record] ?? 0) + rdataLength, octets);
    this.#rdataStart = withRoom(this.#rdataStart, record + 2, uint32s);
    this.#recordNode = withRoom(this.#recordNode, record + 1, int32s);
    this.#nextRecord = withRoom(this.#nextRecord, record + 1, int32s);
    this.#type = withRoom(this.#type, record + 1, uint16s);
    this.#ttlSeconds = withRoom(this.#ttlSeconds, record + 1, uint32s);
  }

  #firstOfType(node: NodeNumber, type: number): number {
    let record = this.#firstRecord[node] ?? NONE;
    while (record !== NONE && this.#type[record] !== type) record = this.#nextRecord[record] ?? NONE;
    return record;
  }

  /** From here on the records of this node are found by key. */
  #index(node: NodeNumber): void {
    if (this.#large.has(node)) return;
    const keys = new Set<string>();
    let record = this.#firstRecord[node] ?? NONE;
    for (; record !== NONE; record = this.#nextRecord[record] ?? NONE) {
      keys.add(recordKey(this.typeOf(record), this.rdataOf(record)));
    }
    this.#large.set(node, keys);
  }

  #keepNode(node: NodeNumber, name: DomainName): ZoneNode<T> {
    const kept = this.#kept.get(node);
    if (kept !== undefined) return kept;
    if (this.#kept.size === MAX_KEPT_NODES) this.#kept.clear();
    const made = this.#makeNode(node, name);
    this.#kept.set(node, made);
    return made;
  }

  #makeNode(node: NodeNumber, name: DomainName): ZoneNode<T> {
    const owner = this.#ownerOf(node);
    const rdatasByType = new Map<number, Uint8Array[]>();
    const rrsets = new Map<number, RRset>();
    for (
      let record = this.#firstRecord[node] ?? NONE;
      record !== NONE;
      record = this.#nextRecord[record] ?? NONE
    ) {
      const type = this.typeOf(record);
      const rdatas = rdatasByType.get(type) ?? [];
      rdatas.push(this.rdataOf(record));
      if (rdatas.length > 1) continue;
      rdatasByType.set(type, rdatas);
      rrsets.set(type, { owner, name, type, ttlSeconds: this.#ttlSeconds[record] ?? 0, rdatas });
    }
    return { rrsets, tailored: this.#tailored.get(node) };
  }

  #ownerOf(node: NodeNumber): Uint8Array {
    const spelling = Buffer.from(this.#names.buffer).toString(
      "latin1",
      this.#nameStart[node],
      this.#nameStart[node + 1],
    );
    const owner = parseName(spelling);
    if (typeof owner === "string") throw new Error(owner);
    return owner;
  }
}

/** The same nodes with other RRsets at one name that is among them. */
export function withRRsets<T>(
  nodes: Nodes<T>,
  name: DomainName,
  rrsets: ReadonlyMap<number, RRset>,
): Nodes<T> {
  const node = { rrsets, tailored: nodes.get(name)?.tailored };
  function* changed(entries: Iterable<readonly [DomainName, ZoneNode<T>]>) {
    for (const entry of entries) yield entry[0] === name ? ([name, node] as const) : entry;
  }
  return {
    has: (at) => nodes.has(at),
    get: (at) => (at === name ? node : nodes.get(at)),
    kept: () => changed(nodes.kept()),
    tailored: () => nodes.tailored(),
    virtual: nodes.virtual,
    [Symbol.iterator]: () => changed(nodes),
  };
}

/** The names of a table and virtual ones together. What a table holds at a name counts before what follows for it. */
export function withVirtual<T>(table: NodeTable<T>, virtual: VirtualNames<T>): Nodes<T> {
  const holds = (name: DomainName): boolean => {
    const node = table.findNode(name);
    return node !== undefined && (table.holdsRecords(node) || table.tailoredAt(node) !== undefined);
  };
  return {
    has: (name) => table.has(name) || virtual.has(name) || virtual.getUnlisted(name) !== undefined,
    get: (name) =>
      holds(name) ? table.get(name) : (virtual.get(name) ?? table.get(name) ?? virtual.getUnlisted(name)),
    kept: () => table,
    tailored: () => table.tailored(),
    virtual,
    *[Symbol.iterator]() {
      for (const [name, node] of table)
        yield [name, holds(name) ? node : (virtual.get(name) ?? node)] as const;
      for (const entry of virtual) if (!table.has(entry[0])) yield entry;
    },
  };
}

/** Where the label begins that ends at `end`, behind its dot if it has one. */
function labelStart(text: string, end: number): number {
  let at = isSeparator(text, end - 1) ? end - 1 : end;
  while (at > 0 && !isSeparator(text, at - 1)) at--;
  return at;
}

/** Whether a dot parts labels: one behind an odd number of backslashes belongs to its label. */
function isSeparator(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== 0x2e) return false;
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 0;
}

const fold = (octet: number): number => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet);

/** FNV-1a from the end of a stretch to its start, on from the hash of what stands behind it. */
function hashText(text: string, start: number, end: number, behind = 0x811c9dc5): number {
  let hash = behind;
  for (let at = end - 1; at >= start; at--) hash = Math.imul(hash ^ fold(text.charCodeAt(at)), 0x01000193);
  return hash | 0;
}

/** The same for records that are the same, names compared without case. */
const recordKey = (type: number, rdata: Uint8Array): string =>
  `${type} ${Buffer.from(foldRdata(type, rdata)).toString("latin1")}`;

/** The array, or one twice as long with the same content where it has less room than that. */
export function withRoom<A extends Numbers>(array: A, room: number, make: (length: number) => A): A {
  if (room <= array.length) return array;
  const larger = make(Math.max(room, 2 * array.length));
  larger.set(array);
  return larger;
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Int32Array;
const octets = (length: number) => new Uint8Array(length);
const uint16s = (length: number) => new Uint16Array(length);
export const uint32s = (length: number) => new Uint32Array(length);
const int32s = (length: number) => new Int32Array(length);
