/** The last queries as records of a fixed size: octets and ids in shared memory, made into values when somebody reads them. */

import type { JournalEntry, JournalFilter } from "./admin/control.ts";
import { formatClientSubnet } from "./dns/client-subnet.ts";
import { CLASS, formatRcode, formatTypeOfClass } from "./dns/iana.ts";
import { formatName } from "./dns/name.ts";
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
import { FIELD, FLAG, NO_FAMILY, QueryRecords } from "./query-records.ts";
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

/** Names stand in tables that only grow, so that a record means the same after a reload. */
export class QueryRing {
  readonly records: QueryRecords;
  readonly #names = new TextTable(MAX_NAMES);
  readonly #reasons = new TextTable(MAX_REASONS);

  constructor(capacity: number) {
    this.records = QueryRecords.create(capacity);
  }

  get capacity(): number {
    return this.records.capacity;
  }

  /** What records call a datacenter or a location. */
  nameId(text: string | undefined): number {
    return this.#names.idOf(text);
  }

  /** What records call a reason. */
  reasonId(text: string | undefined): number {
    return this.#reasons.idOf(text);
  }

  /** The number of the newest record; 0 before the first. */
  get last(): number {
    return this.records.last;
  }

  /** The number of the oldest record that is still there. */
  get first(): number {
    return Math.max(1, this.last - this.capacity + 1);
  }

  get size(): number {
    return Math.min(this.last, this.capacity);
  }

  /** Writes a record over the oldest one; returns its number. */
  write(trace: AnsweredTrace, location: Location, nowMilliseconds: number, snapshot: number): number {
    const { records } = this;
    const { octets, uint16s, uint32s, float64s } = records;
    const number = records.reserve(1);
    const at = records.startOf(number);
    if (!records.open(at, number)) return number;
    const { source } = trace;
    const asked = trace.kind === "answer" ? trace.query : trace.asked;
    const { question, clientSubnet } = asked;
    float64s[(at + FIELD.time) >> 3] = nowMilliseconds;
    uint32s[(at + FIELD.snapshot) >> 2] = snapshot;
    uint32s[(at + FIELD.location) >> 2] = this.nameId(locationName(location));
    octets[at + FIELD.flags] =
      (source.transport === "tcp" ? FLAG.tcp : 0) | (question === undefined ? 0 : FLAG.hasQuestion);
    writeAddress(octets, at + FIELD.sourceFamily, at + FIELD.source, source.address);
    const counted = trace.kind === "answer" ? unmapAddress(trace.asker.address) : source.address;
    writeAddress(octets, at + FIELD.countedFamily, at + FIELD.counted, counted);
    if (question !== undefined) {
      const { qname, qtype, qclass } = question;
      octets[at + FIELD.qnameLength] = qname.length;
      copyOctets(qname, octets, at + FIELD.qname);
      uint16s[(at + FIELD.qtype) >> 1] = qtype;
      uint16s[(at + FIELD.qclass) >> 1] = qclass;
    }
    octets[at + FIELD.subnetFamily] = clientSubnet?.family ?? NO_FAMILY;
    if (clientSubnet !== undefined) {
      octets[at + FIELD.subnetLength] = clientSubnet.sourcePrefixLength;
      if (clientSubnet.prefix !== undefined)
        copyOctets(clientSubnet.prefix.octets, octets, at + FIELD.subnet);
    }
    const { rcode, datacenter, reason, scope } = noted(trace);
    uint16s[(at + FIELD.rcode) >> 1] = rcode;
    uint32s[(at + FIELD.datacenter) >> 2] = this.nameId(datacenter);
    uint32s[(at + FIELD.reason) >> 2] = this.reasonId(reason);
    octets[at + FIELD.scope] = scope;
    records.close(at, number);
    return number;
  }

  /** The record of a number; undefined where it is overwritten, or not whole yet. */
  read(number: number): JournalEntry | undefined {
    return this.#whenWhole(number, (at) => {
      const { octets, uint16s, uint32s, float64s } = this.records;
      const isAsked = this.#hasQuestion(at);
      const clientSubnet = this.#clientSubnetAt(at);
      return {
        number,
        at: new Date(float64s[(at + FIELD.time) >> 3] ?? 0).toISOString(),
        snapshot: uint32s[(at + FIELD.snapshot) >> 2] ?? 0,
        qname: isAsked ? this.#qnameAt(at) : "",
        qtype: isAsked
          ? formatTypeOfClass(
              uint16s[(at + FIELD.qtype) >> 1] ?? 0,
              uint16s[(at + FIELD.qclass) >> 1] ?? CLASS.IN,
            )
          : "",
        source: formatAddress(readAddress(octets, at + FIELD.sourceFamily, at + FIELD.source).octets),
        transport: this.#transportAt(at),
        clientSubnet,
        location: this.#names.textOf(uint32s[(at + FIELD.location) >> 2]),
        datacenter: this.#datacenterAt(at),
        reason: this.#reasons.textOf(uint32s[(at + FIELD.reason) >> 2]),
        rcode: formatRcode(uint16s[(at + FIELD.rcode) >> 1] ?? 0),
        scope: clientSubnet === undefined ? undefined : (octets[at + FIELD.scope] ?? 0),
      };
    });
  }

  /** Whether a filter takes the record of a number, told without making a value of it. */
  matches(number: number, { name, subnet, datacenter, transport, rcode }: ParsedFilter): boolean {
    const matched = this.#whenWhole(number, (at) => {
      const { octets, uint16s } = this.records;
      return (
        (transport === undefined || transport === this.#transportAt(at)) &&
        (rcode === undefined || rcode === formatRcode(uint16s[(at + FIELD.rcode) >> 1] ?? 0)) &&
        (subnet === undefined ||
          prefixContains(subnet, readAddress(octets, at + FIELD.countedFamily, at + FIELD.counted))) &&
        (datacenter === undefined || datacenter(this.#datacenterAt(at) ?? "")) &&
        (name === undefined || (this.#hasQuestion(at) && name(this.#qnameAt(at))))
      );
    });
    return matched ?? false;
  }

  /** What is made of a record, if it was that record before and behind; other threads write meanwhile. */
  #whenWhole<T>(number: number, make: (at: number) => T): T | undefined {
    if (number > this.last || number < this.first) return undefined;
    const at = this.records.startOf(number);
    if (!this.records.isWhole(at, number)) return undefined;
    const made = make(at);
    return this.records.isWhole(at, number) ? made : undefined;
  }

  #transportAt(at: number): "udp" | "tcp" {
    return ((this.records.octets[at + FIELD.flags] ?? 0) & FLAG.tcp) === 0 ? "udp" : "tcp";
  }

  #hasQuestion(at: number): boolean {
    return ((this.records.octets[at + FIELD.flags] ?? 0) & FLAG.hasQuestion) !== 0;
  }

  #datacenterAt(at: number): string | undefined {
    return this.#names.textOf(this.records.uint32s[(at + FIELD.datacenter) >> 2]);
  }

  #qnameAt(at: number): string {
    const { octets } = this.records;
    const start = at + FIELD.qname;
    return formatName(octets.slice(start, start + (octets[at + FIELD.qnameLength] ?? 0)));
  }

  #clientSubnetAt(at: number): string | undefined {
    const { octets } = this.records;
    const family = octets[at + FIELD.subnetFamily] ?? NO_FAMILY;
    if (family === NO_FAMILY) return undefined;
    const length = octets[at + FIELD.subnetLength] ?? 0;
    const addressFamily = family === 1 ? 4 : 6;
    const start = at + FIELD.subnet;
    const address = octets.slice(start, start + addressBits(addressFamily) / 8);
    const prefix = length === 0 ? undefined : ({ family: addressFamily, octets: address, length } as const);
    return formatClientSubnet({ family, prefix });
  }
}

/** What is noted of an answer beside the question. */
function noted(trace: AnsweredTrace): {
  readonly rcode: number;
  readonly datacenter: string | undefined;
  readonly reason: string | undefined;
  readonly scope: number;
} {
  if (trace.kind === "error") {
    return { rcode: trace.rcode, datacenter: undefined, reason: trace.reason, scope: 0 };
  }
  const { rcode } = trace.resolution;
  return { rcode, ...decisionOf(trace), scope: scopeTold(trace) ?? 0 };
}

/** What the journal says decided an answer. */
export function decisionOf(trace: Pick<AnswerTrace, "query" | "resolution">): {
  readonly datacenter: string | undefined;
  readonly reason: string | undefined;
} {
  const choice = lastTailoring(trace.resolution)?.choice;
  return {
    datacenter: choice?.kind === "datacenter" ? choice.datacenter.id : undefined,
    reason: choice?.reason ?? boundedReason(trace),
  };
}

/**
 * Why there are no records, or not the whole chain. Texts that hold the QNAME are left to the log: there would be one for each.
 */
function boundedReason({ query, resolution }: Pick<AnswerTrace, "query" | "resolution">): string | undefined {
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

function writeAddress(to: Uint8Array, familyAt: number, at: number, { family, octets }: IpAddress): void {
  to[familyAt] = family;
  copyOctets(octets, to, at);
}

function readAddress(from: Uint8Array, familyAt: number, at: number): IpAddress {
  const family = from[familyAt] === 6 ? 6 : 4;
  return { family, octets: from.slice(at, at + addressBits(family) / 8) };
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
