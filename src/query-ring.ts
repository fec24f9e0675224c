/** The last queries as records of a fixed size: octets and ids in typed arrays, made into values when somebody reads them. */

import type { JournalEntry, JournalFilter } from "./admin/control.ts";
import { formatClientSubnet } from "./dns/client-subnet.ts";
import { CLASS, formatRcode, formatTypeOfClass } from "./dns/iana.ts";
import { formatName, MAX_NAME_OCTETS } from "./dns/name.ts";
import { type Location, locationName } from "./geo/location-table.ts";
import {
  addressBits,
  formatAddress,
  type IpAddress,
  type IpPrefix,
  parsePrefix,
  prefixContains,
  unmapAddress,
} from "./ip.ts";
import {
  type AnswerTrace,
  lastTailoring,
  type Resolution,
  scopeTold,
  stopsInWords,
  type Trace,
} from "./trace.ts";

/** What was answered, if only by an RCODE; of silence there is nothing to keep. */
export type AnsweredTrace = Exclude<Trace, { readonly kind: "silence" }>;

/** Datacenters, networks and countries, those of earlier configurations too. */
const MAX_NAMES = 100_000;

/** Some reasons hold a number that the sender chose, so there can be any number of them. */
const MAX_REASONS = 1000;

const NAME_SLOT = 1 + MAX_NAME_OCTETS;
const ADDRESS_SLOT = 16;
const NO_FAMILY = 0xff;
const NO_QUESTION = 0;
const HAS_QUESTION = 1;

/**
 * Records have numbers that count up from 1; the slot of a record is its number modulo the capacity, so whoever reads asks
 * for a number and is told when that has been overwritten. Names stand in tables that only grow, so that a record means the
 * same after a reload.
 */
export class QueryRing {
  readonly capacity: number;
  #last = 0;
  readonly #names = new TextTable(MAX_NAMES);
  readonly #reasons = new TextTable(MAX_REASONS);

  readonly #times: Float64Array;
  readonly #snapshots: Float64Array;
  readonly #isTcp: Uint8Array;
  readonly #hasQuestion: Uint8Array;
  /** each with its length before it */
  readonly #qnames: Uint8Array;
  readonly #qtypes: Uint16Array;
  readonly #qclasses: Uint16Array;
  readonly #rcodes: Uint16Array;
  readonly #sources: AddressColumn;
  /** the addresses that counted */
  readonly #counted: AddressColumn;
  /** FAMILY as sent, or NO_FAMILY without a client subnet */
  readonly #subnetFamilies: Uint8Array;
  readonly #subnetLengths: Uint8Array;
  readonly #subnets: AddressColumn;
  readonly #scopes: Uint8Array;
  readonly #locations: Uint32Array;
  readonly #datacenters: Uint32Array;
  readonly #reasonIds: Uint32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#snapshots = new Float64Array(capacity);
    this.#isTcp = new Uint8Array(capacity);
    this.#hasQuestion = new Uint8Array(capacity);
    this.#qnames = new Uint8Array(capacity * NAME_SLOT);
    this.#qtypes = new Uint16Array(capacity);
    this.#qclasses = new Uint16Array(capacity);
    this.#rcodes = new Uint16Array(capacity);
    this.#sources = new AddressColumn(capacity);
    this.#counted = new AddressColumn(capacity);
    this.#subnetFamilies = new Uint8Array(capacity);
    this.#subnetLengths = new Uint8Array(capacity);
    this.#subnets = new AddressColumn(capacity);
    this.#scopes = new Uint8Array(capacity);
    this.#locations = new Uint32Array(capacity);
    this.#datacenters = new Uint32Array(capacity);
    this.#reasonIds = new Uint32Array(capacity);
  }

  /** The number of the newest record; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The number of the oldest record that is still there. */
  get first(): number {
    return Math.max(1, this.#last - this.capacity + 1);
  }

  get size(): number {
    return Math.min(this.#last, this.capacity);
  }

  /** Writes a record over the oldest one; returns its number. */
  write(trace: AnsweredTrace, location: Location, nowMilliseconds: number, snapshot: number): number {
    const number = this.#last + 1;
    const slot = number % this.capacity;
    const { source } = trace;
    const asked = trace.kind === "answer" ? trace.query : trace.asked;
    this.#times[slot] = nowMilliseconds;
    this.#snapshots[slot] = snapshot;
    this.#isTcp[slot] = source.transport === "tcp" ? 1 : 0;
    this.#sources.set(slot, source.address);
    this.#counted.set(slot, trace.kind === "answer" ? unmapAddress(trace.asker.address) : source.address);
    this.#locations[slot] = this.#names.idOf(locationName(location));

    const { question, clientSubnet } = asked;
    this.#hasQuestion[slot] = question === undefined ? NO_QUESTION : HAS_QUESTION;
    if (question !== undefined) {
      const { qname, qtype, qclass } = question;
      const at = slot * NAME_SLOT;
      this.#qnames[at] = qname.length;
      copyOctets(qname, this.#qnames, at + 1);
      this.#qtypes[slot] = qtype;
      this.#qclasses[slot] = qclass;
    }
    this.#subnetFamilies[slot] = clientSubnet?.family ?? NO_FAMILY;
    if (clientSubnet !== undefined) {
      this.#subnetLengths[slot] = clientSubnet.sourcePrefixLength;
      if (clientSubnet.prefix !== undefined) this.#subnets.set(slot, clientSubnet.prefix);
    }
    if (trace.kind === "answer") {
      const { resolution } = trace;
      const choice = lastTailoring(resolution)?.choice;
      const datacenter = choice?.kind === "datacenter" ? choice.datacenter.id : undefined;
      this.#rcodes[slot] = resolution.rcode;
      this.#datacenters[slot] = this.#names.idOf(datacenter);
      this.#reasonIds[slot] = this.#reasons.idOf(choice?.reason ?? boundedReason(trace));
      this.#scopes[slot] = scopeTold(trace) ?? 0;
    } else {
      this.#rcodes[slot] = trace.rcode;
      this.#datacenters[slot] = 0;
      this.#reasonIds[slot] = this.#reasons.idOf(trace.reason);
      this.#scopes[slot] = 0;
    }
    this.#last = number;
    return number;
  }

  /** The record of a number; undefined where it is overwritten or not written yet. */
  read(number: number): JournalEntry | undefined {
    if (!this.#holds(number)) return undefined;
    const slot = number % this.capacity;
    const isAsked = this.#hasQuestion[slot] === HAS_QUESTION;
    const clientSubnet = this.#clientSubnetAt(slot);
    return {
      number,
      at: new Date(this.#times[slot] ?? 0).toISOString(),
      snapshot: this.#snapshots[slot] ?? 0,
      qname: isAsked ? this.#qnameAt(slot) : "",
      qtype: isAsked ? formatTypeOfClass(this.#qtypes[slot] ?? 0, this.#qclasses[slot] ?? CLASS.IN) : "",
      source: formatAddress(this.#sources.at(slot).octets),
      transport: this.#transportAt(slot),
      clientSubnet,
      location: this.#names.textOf(this.#locations[slot]),
      datacenter: this.#names.textOf(this.#datacenters[slot]),
      reason: this.#reasons.textOf(this.#reasonIds[slot]),
      rcode: formatRcode(this.#rcodes[slot] ?? 0),
      scope: clientSubnet === undefined ? undefined : (this.#scopes[slot] ?? 0),
    };
  }

  /** Whether a filter takes the record of a number, told without making a value of it. */
  matches(number: number, { name, subnet, datacenter, transport, rcode }: ParsedFilter): boolean {
    if (!this.#holds(number)) return false;
    const slot = number % this.capacity;
    return (
      (transport === undefined || transport === this.#transportAt(slot)) &&
      (rcode === undefined || rcode === formatRcode(this.#rcodes[slot] ?? 0)) &&
      (subnet === undefined || prefixContains(subnet, this.#counted.at(slot))) &&
      (datacenter === undefined || datacenter(this.#names.textOf(this.#datacenters[slot]) ?? "")) &&
      (name === undefined || (this.#hasQuestion[slot] === HAS_QUESTION && name(this.#qnameAt(slot))))
    );
  }

  #holds(number: number): boolean {
    return number <= this.#last && number >= this.first;
  }

  #transportAt(slot: number): "udp" | "tcp" {
    return this.#isTcp[slot] === 1 ? "tcp" : "udp";
  }

  #qnameAt(slot: number): string {
    const at = slot * NAME_SLOT;
    return formatName(this.#qnames.subarray(at + 1, at + 1 + (this.#qnames[at] ?? 0)));
  }

  #clientSubnetAt(slot: number): string | undefined {
    const family = this.#subnetFamilies[slot] ?? NO_FAMILY;
    if (family === NO_FAMILY) return undefined;
    const length = this.#subnetLengths[slot] ?? 0;
    const prefix = length === 0 ? undefined : { ...this.#subnets.at(slot), length };
    return formatClientSubnet({ family, prefix });
  }
}

/**
 * Why there are no records, or not the whole chain. Texts that hold the QNAME are left to the log: there would be one for each.
 */
function boundedReason({ query, resolution }: AnswerTrace): string | undefined {
  const { stop, extendedErrors, hops }: Resolution = resolution;
  const { qclass } = query.question;
  if (stop === "not-served" && (qclass === CLASS.IN || qclass === CLASS.CH)) return stopsInWords[stop];
  if (extendedErrors[0] !== undefined) return extendedErrors[0].text;
  if (stop !== undefined) return stopsInWords[stop];
  return hops.at(-1)?.found === "script" ? "script" : undefined;
}

/** A filter made ready to be asked often. */
export interface ParsedFilter {
  readonly name: Matcher | undefined;
  readonly subnet: IpPrefix | undefined;
  readonly datacenter: Matcher | undefined;
  readonly transport: "udp" | "tcp" | undefined;
  readonly rcode: string | undefined;
}

type Matcher = (text: string) => boolean;

/** A sentence where the subnet is none; nothing else can be wrong. */
export function parseFilter(filter: JournalFilter): ParsedFilter | string {
  const { name, datacenter, transport, rcode } = filter;
  const subnet = filter.subnet === undefined ? undefined : parsePrefix(filter.subnet);
  if (typeof subnet === "string") return subnet;
  return {
    name: name === undefined ? undefined : matcherOf(/[.*]$/.test(name) ? name : `${name}.`),
    subnet,
    // An id is a cloud, a slash and what is unique in that cloud.
    datacenter:
      datacenter === undefined
        ? undefined
        : matcherOf(datacenter.includes("/") ? datacenter : `*/${datacenter}`),
    transport,
    rcode: rcode?.toUpperCase(),
  };
}

/** Matches texts in any case, `*` standing for any characters; in linear time, since queries wait for it. */
function matcherOf(pattern: string): Matcher {
  const [start = "", ...others] = pattern.toLowerCase().split("*");
  const end = others.pop();
  if (end === undefined) return (text) => text.toLowerCase() === start;
  return (text) => {
    const folded = text.toLowerCase();
    if (!folded.startsWith(start)) return false;
    let at = start.length;
    for (const part of others) {
      const found = folded.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return folded.length - end.length >= at && folded.endsWith(end);
  };
}

/** An address in each slot. */
class AddressColumn {
  readonly #families: Uint8Array;
  readonly #octets: Uint8Array;

  constructor(capacity: number) {
    this.#families = new Uint8Array(capacity);
    this.#octets = new Uint8Array(capacity * ADDRESS_SLOT);
  }

  set(slot: number, { family, octets }: IpAddress): void {
    this.#families[slot] = family;
    copyOctets(octets, this.#octets, slot * ADDRESS_SLOT);
  }

  at(slot: number): IpAddress {
    const family = this.#families[slot] === 6 ? 6 : 4;
    const at = slot * ADDRESS_SLOT;
    return { family, octets: this.#octets.slice(at, at + addressBits(family) / 8) };
  }
}

/** Of so few octets TypedArray.set takes longer. */
function copyOctets(from: Uint8Array, to: Uint8Array, at: number): void {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i] ?? 0;
}

/** Gives each text an id for good; 0 is no text, and what comes when the table is full shares an id. */
class TextTable {
  readonly #limit: number;
  readonly #ids = new Map<string, number>();
  readonly #texts: (string | undefined)[] = [undefined];

  constructor(limit: number) {
    this.#limit = limit;
  }

  idOf(text: string | undefined): number {
    if (text === undefined) return 0;
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#texts.length > this.#limit) return this.#texts.length; // no text has it, now or later
    const id = this.#texts.push(text) - 1;
    this.#ids.set(text, id);
    return id;
  }

  textOf(id = 0): string | undefined {
    return id < this.#texts.length ? this.#texts[id] : "one of too many to keep";
  }
}
