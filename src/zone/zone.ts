/** A zone: the names below one apex and what each holds. Names tailored elsewhere are held as opaque values of type T. */

import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, isAtOrBelow, parentOf, selfAndAncestors } from "../dns/name.ts";
import { foldRdata } from "../dns/rdata.ts";
import type { ScriptedZone } from "./scripted-zone.ts";

export interface Zone<T> {
  readonly kind: "records";
  readonly apex: DomainName;
  readonly soa: RRset;
  /** whether the configuration states the SOA, so that its serial is not counted */
  readonly serialIsGiven: boolean;
  /** every name that exists, empty non-terminals included (RFC 4592 §2.2.2) */
  readonly nodes: ReadonlyMap<DomainName, ZoneNode<T>>;
  /** whether a delegation or a DNAME in it hides the names below */
  readonly hidesNames: boolean;
}

/** What one name holds: RRsets, or a tailored answer, or nothing (an empty non-terminal). */
export interface ZoneNode<T> {
  readonly rrsets: ReadonlyMap<number, RRset>;
  readonly tailored: T | undefined;
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
  const nodes = new Map(zone.nodes);
  const apex = nodes.get(zone.apex);
  const rrsets = new Map(apex?.rrsets).set(TYPE.SOA, soa);
  nodes.set(zone.apex, { tailored: apex?.tailored, rrsets });
  return { ...zone, soa, nodes };
}

/** Collects what a zone holds; `add…` return a sentence where the new content clashes with the old. */
export class ZoneBuilder<T> {
  readonly apex: DomainName;
  readonly #nodes = new Map<DomainName, { rrsets: Map<number, RRset>; tailored: T | undefined }>();

  constructor(apex: DomainName) {
    this.apex = apex;
  }

  /** Adds an RRset, or its records to the RRset already there; the TTL must then be the same (RFC 2181 §5.2). */
  addRRset(rrset: RRset): string | undefined {
    if (!isAtOrBelow(rrset.name, this.apex)) return `${rrset.name} is not in zone ${this.apex}`;
    const node = this.#node(rrset.name);
    if (node.tailored !== undefined) return `${rrset.name} is a tailored name already`;
    const present = node.rrsets.get(rrset.type);
    const isCname = rrset.type === TYPE.CNAME;
    if (isCname ? node.rrsets.size > 0 : node.rrsets.has(TYPE.CNAME)) {
      return `${rrset.name} would have a CNAME beside other records (RFC 2181 §10.1)`;
    }
    if (present === undefined) {
      node.rrsets.set(rrset.type, rrset);
      return undefined;
    }
    if (present.ttlSeconds !== rrset.ttlSeconds) {
      return `${rrset.name} has two TTLs in one RRset (RFC 2181 §5.2)`;
    }
    // RFC 2181 §5: no record twice, names compared without case.
    const folded = present.rdatas.map((rdata) => foldRdata(rrset.type, rdata));
    const fresh = rrset.rdatas.filter((rdata) => {
      const candidate = foldRdata(rrset.type, rdata);
      return !folded.some((known) => Buffer.compare(known, candidate) === 0);
    });
    node.rrsets.set(rrset.type, { ...present, rdatas: [...present.rdatas, ...fresh] });
    return undefined;
  }

  addTailored(name: DomainName, tailored: T): string | undefined {
    if (!isAtOrBelow(name, this.apex)) return `${name} is not in zone ${this.apex}`;
    const node = this.#node(name);
    if (node.tailored !== undefined) return `${name} is a tailored name already`;
    if (node.rrsets.size > 0) return `${name} has records already, so it cannot be tailored`;
    node.tailored = tailored;
    return undefined;
  }

  has(name: DomainName, type: number): boolean {
    return this.#nodes.get(name)?.rrsets.has(type) ?? false;
  }

  build(soa: RRset, { serialIsGiven = false } = {}): Zone<T> {
    const hidesNames = [...this.#nodes].some(
      ([name, { rrsets }]) => rrsets.has(TYPE.DNAME) || (name !== this.apex && rrsets.has(TYPE.NS)),
    );
    return { kind: "records", apex: this.apex, soa, serialIsGiven, nodes: this.#nodes, hidesNames };
  }

  /** The node of a name, made with the empty non-terminals above it where it is new. */
  #node(name: DomainName): { rrsets: Map<number, RRset>; tailored: T | undefined } {
    const present = this.#nodes.get(name);
    if (present !== undefined) return present;
    const fresh = { rrsets: new Map<number, RRset>(), tailored: undefined };
    this.#nodes.set(name, fresh);
    const parent = parentOf(name);
    if (name !== this.apex && parent !== undefined) this.#node(parent);
    return fresh;
  }
}
