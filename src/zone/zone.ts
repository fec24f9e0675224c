/** A zone: the names below one apex and what each holds. Names tailored elsewhere are held as opaque values of type T. */

import { formatType, TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, formatName, isAtOrBelow, selfAndAncestors } from "../dns/name.ts";
import {
  type NodeNumber,
  type Nodes,
  NodeTable,
  type VirtualNames,
  withRRsets,
  withVirtual,
} from "./node-table.ts";
import type { ScriptedZone } from "./scripted-zone.ts";

export interface Zone<T> {
  readonly kind: "records";
  readonly apex: DomainName;
  readonly soa: RRset;
  /** whether the configuration states the SOA, so that its serial is not counted */
  readonly serialIsGiven: boolean;
  readonly nodes: Nodes<T>;
  /** whether a delegation or a DNAME in it hides the names below */
  readonly hidesNames: boolean;
}

/** One record of a zone. */
export interface ZoneRecord {
  /** the owner in presentation format, as `formatName` prints it */
  readonly spelling: string;
  readonly name: DomainName;
  readonly type: number;
  readonly ttlSeconds: number;
  /** wire format */
  readonly rdata: Uint8Array;
}

export type Zones<T> = ReadonlyMap<DomainName, Zone<T> | ScriptedZone>;

/** The zones of one kind. */
export function zonesOfRecords<T>(zones: Zones<T>): readonly Zone<T>[] {
  return [...zones.values()].filter((zone) => zone.kind === "records");
}

export function scriptedZones<T>(zones: Zones<T>): readonly ScriptedZone[] {
  return [...zones.values()].filter((zone) => zone.kind === "scripted");
}

/** All that a tailored name can hold: the RRsets of each choice, the preferred one first where their order counts. */
export interface Alternatives {
  readonly choices: readonly {
    readonly rrsets: readonly RRset[];
    /** as the zone's content says; undefined where that is no part of it */
    readonly rule?: string;
  }[];
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

/** MINIMUM of an SOA's RDATA, its last field: how long negative answers may be cached, in seconds (RFC 2308 §4). */
export const minimumOf = (rdata: Uint8Array): number => Buffer.from(rdata).readUInt32BE(rdata.length - 4);

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
  const rrsets = new Map(zone.nodes.get(zone.apex)?.rrsets).set(TYPE.SOA, soa);
  return { ...zone, soa, nodes: withRRsets(zone.nodes, zone.apex, rrsets) };
}

/** Why a record cannot be added, in a sentence: it is not of this zone, its RRset has another TTL, or else. */
export type Clash =
  | { readonly kind: "outside" | "other"; readonly words: string }
  | { readonly kind: "ttl"; readonly words: string; readonly ttlSeconds: number };

/** Collects what a zone holds; what clashes with it is not added. */
export class ZoneBuilder<T> {
  readonly apex: DomainName;
  /** what was added so far */
  readonly table: NodeTable<T>;
  /** names that follow from something else; they must not clash with what is in the table */
  virtual: VirtualNames<T> | undefined;
  #hidesNames = false;

  constructor(apex: DomainName) {
    this.apex = apex;
    this.table = new NodeTable(apex);
  }

  /** Adds an RRset, or its records to the RRset already there; returns a sentence where it clashes. */
  addRRset({ owner, name, type, ttlSeconds, rdatas }: RRset): string | undefined {
    const spelling = formatName(owner);
    for (const rdata of rdatas) {
      const clash = this.addRecord({ spelling, name, type, ttlSeconds, rdata });
      if (clash !== undefined) return clash.words;
    }
    return undefined;
  }

  addRecord(record: ZoneRecord): Clash | undefined {
    const { spelling, name, type, ttlSeconds, rdata } = record;
    const { table } = this;
    if (!isAtOrBelow(name, this.apex))
      return { kind: "outside", words: `${name} is not in zone ${this.apex}` };
    const misplaced = whyMisplaced(record, this.apex);
    if (misplaced !== undefined) return otherClash(misplaced);
    const node = table.addName(spelling);
    if (table.tailoredAt(node) !== undefined) return otherClash(`${name} is a tailored name already`);
    if (clashesWithCname(table, node, type, rdata)) {
      return otherClash(`${name} would have a CNAME beside other records (RFC 2181 §10.1)`);
    }
    if (isAlone(type) && table.hasType(node, type) && !table.hasRecord(node, type, rdata)) {
      return otherClash(
        type === TYPE.SOA ? `${name} has an SOA already` : `${name} has a DNAME already (RFC 6672 §2.4)`,
      );
    }
    if (table.addRecord(node, spelling, type, ttlSeconds, rdata) === "other-ttl") {
      const words = `${name} has two TTLs in one RRset (RFC 2181 §5.2)`;
      return { kind: "ttl", words, ttlSeconds: table.ttlOf(node, type) ?? ttlSeconds };
    }
    this.#hidesNames ||= type === TYPE.DNAME || (type === TYPE.NS && name !== this.apex);
    return undefined;
  }

  /**
   * Makes a name tailored; returns a sentence where it clashes. Other types than `types` may stand beside; where `types`
   * is left out, none may.
   */
  addTailored(name: DomainName, tailored: T, types?: ReadonlySet<number>): string | undefined {
    if (!isAtOrBelow(name, this.apex)) return `${name} is not in zone ${this.apex}`;
    const { table } = this;
    const node = table.addName(name);
    if (table.tailoredAt(node) !== undefined) return `${name} is a tailored name already`;
    const present = table.typesOf(node);
    if (types === undefined && present.length > 0)
      return `${name} has records already, so it cannot be tailored`;
    if (present.length > 0 && (types?.has(TYPE.CNAME) || present.includes(TYPE.CNAME))) {
      return `${name} would have a CNAME beside other records (RFC 2181 §10.1)`;
    }
    const both = present.find((type) => types?.has(type));
    if (both !== undefined)
      return `${name} has ${formatType(both)} records already, so that type cannot be tailored`;
    table.setTailored(node, tailored);
    return undefined;
  }

  has(name: DomainName, type: number): boolean {
    const node = this.table.findNode(name);
    return node !== undefined && this.table.hasType(node, type);
  }

  /** The zone as it is now; throws before it has an SOA. */
  build({ serialIsGiven = false } = {}): Zone<T> {
    const { apex, table } = this;
    const soa = table.get(apex)?.rrsets.get(TYPE.SOA);
    if (soa === undefined) throw new Error(`${apex} has no SOA`);
    const nodes = this.virtual === undefined ? table : withVirtual(table, this.virtual);
    return { kind: "records", apex, soa, serialIsGiven, nodes, hidesNames: this.#hidesNames };
  }
}

const otherClash = (words: string): Clash => ({ kind: "other", words });

/** Of these a name has one at the most. */
const isAlone = (type: number): boolean => type === TYPE.SOA || type === TYPE.DNAME;

/** Of a delegation, and of a DNAME, at a wildcard. */
export const wildcardWords = (type: number): string =>
  `${formatType(type)} at a wildcard has no meaning that all agree on (RFC 4592 §4.2, §4.4)`;

/** Why a record of its type cannot stand at its name, whatever else does. */
function whyMisplaced({ name, type }: ZoneRecord, apex: DomainName): string | undefined {
  if (type === TYPE.SOA && name !== apex) return "an SOA stands at the apex alone";
  if (type === TYPE.CNAME && name === apex) {
    return `${apex} is an apex, and no CNAME can stand beside its SOA and NS (RFC 2181 §10.1)`;
  }
  if (type === TYPE.NS && name.startsWith("*.")) return wildcardWords(type);
  return undefined;
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
