/** A zone: the names below one apex and what each holds. Names tailored elsewhere are held as opaque values of type T. */

import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, isAtOrBelow, selfAndAncestors } from "../dns/name.ts";
import { type NodeNumber, type Nodes, NodeTable, spellingOf, withNode } from "./node-table.ts";

export interface Zone<T> {
  readonly apex: DomainName;
  readonly soa: RRset;
  /** whether the configuration states the SOA, so that its serial is not counted */
  readonly serialIsGiven: boolean;
  readonly nodes: Nodes<T>;
  /** whether a delegation or a DNAME in it hides the names below */
  readonly hidesNames: boolean;
}

export type Zones<T> = ReadonlyMap<DomainName, Zone<T>>;

/** All that a tailored name can hold: the RRsets of each choice, the preferred one first where their order counts. */
export interface Alternatives {
  readonly choices: readonly (readonly RRset[])[];
  readonly inOrder: boolean;
}

/** The zone with the longest apex at or above `name` (RFC 1034 §4.3.2 step 2). */
export function findZone<Z>(zones: ReadonlyMap<DomainName, Z>, name: DomainName): Z | undefined {
  for (const ancestor of selfAndAncestors(name)) {
    const zone = zones.get(ancestor);
    if (zone !== undefined) return zone;
  }
  return undefined;
}

/** SERIAL stands before the last four fields of 32 bits (RFC 1035 §3.3.13). */
const SERIAL_FROM_END = 20;

export function serialOf({ rdatas: [rdata] }: RRset): number {
  return rdata === undefined ? 0 : Buffer.from(rdata).readUInt32BE(rdata.length - SERIAL_FROM_END);
}

export function soaWithSerial(soa: RRset, serial: number): RRset {
  const rdatas = soa.rdatas.map((rdata) => {
    const octets = Buffer.from(rdata);
    octets.writeUInt32BE(serial, octets.length - SERIAL_FROM_END);
    return Uint8Array.from(octets);
  });
  return { ...soa, rdatas };
}

/** The same zone with another serial. */
export function withSerial<T>(zone: Zone<T>, serial: number): Zone<T> {
  if (serialOf(zone.soa) === serial) return zone;
  const soa = soaWithSerial(zone.soa, serial);
  const apex = zone.nodes.get(zone.apex);
  const rrsets = new Map(apex?.rrsets).set(TYPE.SOA, soa);
  return { ...zone, soa, nodes: withNode(zone.nodes, zone.apex, { tailored: apex?.tailored, rrsets }) };
}

/** A record that clashes with what a zone holds already, in a sentence; an RRset that is there may have another TTL. */
export type Clash =
  | { readonly kind: "other"; readonly words: string }
  | { readonly kind: "ttl"; readonly words: string; readonly ttlSeconds: number };

/** Collects what a zone holds; what clashes with it is not added. */
export class ZoneBuilder<T> {
  readonly apex: DomainName;
  readonly #table: NodeTable<T>;
  #hidesNames = false;

  constructor(apex: DomainName) {
    this.apex = apex;
    this.#table = new NodeTable(apex);
  }

  /** What was added so far. */
  get table(): NodeTable<T> {
    return this.#table;
  }

  /** Adds an RRset, or its records to the RRset already there; returns a sentence where it clashes. */
  addRRset({ owner, name, type, ttlSeconds, rdatas }: RRset): string | undefined {
    const spelling = spellingOf(owner);
    for (const rdata of rdatas) {
      const clash = this.addRecord(spelling, name, type, ttlSeconds, rdata);
      if (clash !== undefined) return clash.words;
    }
    return undefined;
  }

  /** Adds a record; `spelling` is that of `name`, in presentation format. */
  addRecord(
    spelling: string,
    name: DomainName,
    type: number,
    ttlSeconds: number,
    rdata: Uint8Array,
  ): Clash | undefined {
    const clash = (words: string) => ({ kind: "other", words }) as const;
    if (!isAtOrBelow(name, this.apex)) return clash(`${name} is not in zone ${this.apex}`);
    const table = this.#table;
    const node = table.addName(spelling);
    if (table.tailoredAt(node) !== undefined) return clash(`${name} is a tailored name already`);
    if (clashesWithCname(table, node, type, rdata))
      return clash(`${name} would have a CNAME beside other records (RFC 2181 §10.1)`);
    // RFC 6672 §2.4
    if (type === TYPE.DNAME && table.hasType(node, type) && !table.hasRecord(node, type, rdata))
      return clash(`${name} would have two DNAMEs (RFC 6672 §2.4)`);
    if (table.addRecord(node, spelling, type, ttlSeconds, rdata) === "other-ttl") {
      const words = `${name} has two TTLs in one RRset (RFC 2181 §5.2)`;
      return { kind: "ttl", words, ttlSeconds: table.ttlOf(node, type) ?? ttlSeconds };
    }
    this.#hidesNames ||= type === TYPE.DNAME || (type === TYPE.NS && name !== this.apex);
    return undefined;
  }

  /** Makes a name tailored; returns a sentence where it clashes. */
  addTailored(name: DomainName, tailored: T): string | undefined {
    if (!isAtOrBelow(name, this.apex)) return `${name} is not in zone ${this.apex}`;
    const node = this.#table.addName(name);
    if (this.#table.tailoredAt(node) !== undefined) return `${name} is a tailored name already`;
    if (this.#table.holdsRecords(node)) return `${name} has records already, so it cannot be tailored`;
    this.#table.setTailored(node, tailored);
    return undefined;
  }

  has(name: DomainName, type: number): boolean {
    const node = this.#table.findNode(name);
    return node !== undefined && this.#table.hasType(node, type);
  }

  build(soa: RRset, { serialIsGiven = false } = {}): Zone<T> {
    const hidesNames = this.#hidesNames;
    return { apex: this.apex, soa, serialIsGiven, nodes: this.#table, hidesNames };
  }
}

/** Types that may stand beside a CNAME: those that sign and deny (RFC 4034 §3, §4), and what they were before (RFC 2535). */
const typesBesideCname: ReadonlySet<number> = new Set([TYPE.SIG, TYPE.KEY, TYPE.NXT, TYPE.RRSIG, TYPE.NSEC]);

function clashesWithCname<T>(
  table: NodeTable<T>,
  node: NodeNumber,
  type: number,
  rdata: Uint8Array,
): boolean {
  if (typesBesideCname.has(type)) return false;
  if (type !== TYPE.CNAME) return table.hasType(node, TYPE.CNAME);
  const others = table.typesOf(node).filter((other) => !typesBesideCname.has(other));
  return others.length > 0 && !table.hasRecord(node, type, rdata);
}
