/**
 * Answers that were made before, kept in shared memory so that any thread finds them again without a lookup. What it gives
 * is octet for octet what the long path would.
 */

import type { Answered } from "./answer.ts";
import type { Service } from "./cloud/service.ts";
import { readQueryClientSubnet } from "./dns/client-subnet.ts";
import { EDNS_VERSION, extendedErrorOption } from "./dns/edns.ts";
import { CLASS, OPCODE, RCODE } from "./dns/iana.ts";
import { HEADER_OCTETS, type Query } from "./dns/message.ts";
import { MAX_TCP_OCTETS, renderResponse } from "./dns/render.ts";
import { locationName } from "./geo/location-table.ts";
import type { IpAddress } from "./ip.ts";
import {
  AnswerTable,
  type AnswerTableMemory,
  type Deciders,
  type NewBody,
  noDeciders,
} from "./plane/answer-table.ts";
import { FastPath, type FastSource, MAX_FAST_OCTETS, NO_SUBNET, UNKNOWN, VIA } from "./plane/fast-path.ts";
import type { Published, PublishedListener } from "./plane/published.ts";
import { locationKindNumber, NO_CHOICE, rowOf } from "./query-counts.ts";
import { decisionOf } from "./query-ring.ts";
import type { Candidates, Snapshot } from "./snapshot.ts";
import {
  type AnswerTrace,
  type Asker,
  type Hop,
  lastTailoring,
  type Resolution,
  type Source,
  type Tailoring,
} from "./trace.ts";

/** What counts and the journal call things. */
export interface AnswerLabels {
  choiceOf(tailoring: Tailoring | undefined): number;
  nameId(text: string | undefined): number;
  reasonId(text: string | undefined): number;
}

const noLabels: AnswerLabels = { choiceOf: () => NO_CHOICE, nameId: () => 0, reasonId: () => 0 };

export interface AnswerCacheOptions {
  readonly labels?: AnswerLabels;
  /** whoever listens, by number; their rules go with what is published */
  readonly listeners?: readonly PublishedListener[];
  /** Gives the memory of a table that nobody reads any more, if there is one. */
  readonly takeMemory?: () => AnswerTableMemory | undefined;
  /** told when there was too much of it, and it began anew */
  readonly onRenewed?: () => void;
}

/** Classes of two sets of candidates, multiplied, that an entry has room for. */
const MAX_CLASSES = 4096;

/** Of one snapshot: the next one has its own. */
export class AnswerCache {
  readonly #snapshot: Snapshot;
  readonly #options: AnswerCacheOptions;
  readonly #labels: AnswerLabels;
  readonly #deciders: readonly Candidates[];
  #table: AnswerTable;
  #fast: FastPath;
  /** by the number of a body; undefined where not everyone who gets it has the same trace */
  #resolutions: (Resolution | undefined)[] = [];
  readonly #output = outputOf(MAX_FAST_OCTETS + 4);
  readonly #source: FastSource = {
    isTcp: false,
    family: 4,
    octets: new Uint8Array(16),
    at: 0,
    vantage: undefined,
    ignoresClientSubnet: false,
  };

  constructor(snapshot: Snapshot, options: AnswerCacheOptions = {}) {
    this.#snapshot = snapshot;
    this.#options = options;
    this.#labels = options.labels ?? noLabels;
    this.#deciders = [...new Set(snapshot.candidates.values())];
    this.#table = AnswerTable.create(options.takeMemory?.());
    this.#fast = new FastPath(this.publish(0));
  }

  /** What worker threads need to find the answers, too. */
  publish(sequence: number): Published {
    const { version, configuration, locations } = this.#snapshot;
    const { clientSubnetTrust, udpPayloadSize } = configuration.settings;
    const { family4, family6 } = locations;
    const count = locations.locations.length;
    const kinds = new Uint8Array(new SharedArrayBuffer(count));
    const ids = new Uint32Array(new SharedArrayBuffer(count * Uint32Array.BYTES_PER_ELEMENT));
    for (const [i, location] of locations.locations.entries()) {
      kinds[i] = locationKindNumber(location.kind);
      ids[i] = this.#labels.nameId(locationName(location));
    }
    return {
      sequence,
      snapshot: version,
      answers: this.#table.memory,
      deciders: this.#deciders.map(({ table }) => ({ family4: table.family4, family6: table.family6 })),
      locations: { family4, family6, kinds, ids },
      clientSubnetTrust,
      udpPayloadSize,
      listeners: this.#options.listeners ?? [],
    };
  }

  /** The answer to a message; undefined where it is not known. */
  find(message: Uint8Array, source: Source): Answered | undefined {
    const fast = this.#fast;
    const length = fast.answer(message, 0, message.length, this.#fill(source), this.#output, 0);
    if (length === UNKNOWN) return undefined;
    const resolution = this.#resolutions[fast.answers.numberOf(fast.body)];
    if (resolution === undefined) return undefined;
    const trace: AnswerTrace = {
      kind: "answer",
      source,
      query: queryOf(message, fast),
      asker: askerOf(fast),
      resolution: { ...resolution, scopePrefixLength: fast.depth },
    };
    return { kind: "answered", octets: Buffer.from(this.#output.octets.subarray(0, length)), trace };
  }

  /** Remembers what the long path has made of a message, where it will be the same again. */
  keep(message: Uint8Array, { trace }: Answered): void {
    if (trace.kind !== "answer" || !isKept(trace.resolution)) return;
    const { resolution, query } = trace;
    if (query.question.qclass !== CLASS.IN) return;
    const decided = this.#decide(resolution);
    if (decided === undefined) return;
    const nameEnd = HEADER_OCTETS + query.question.qname.length;
    const name = message.subarray(HEADER_OCTETS, nameEnd);
    // A name that was compressed, whatever for, is not one of a query of the usual form.
    if (Buffer.compare(name, query.question.qname) !== 0) return;
    // Asked in an unusual form, as with a cookie, it comes here though it is known.
    if (this.#table.hasName(name, query.question.qtype, decided.classNumber)) return;
    const add = (): boolean =>
      this.#table.addName(
        name,
        query.question.qtype,
        decided.deciders,
        decided.classNumber,
        this.#bodyOf(trace),
      );
    if (!add()) {
      this.#renew();
      add();
    }
    this.#resolutions.push(decided.isTraceVaried ? undefined : resolution);
  }

  /** Which classes the answer depends on, and which they were; undefined where that is not all. */
  #decide({
    hops,
  }: Resolution):
    | { readonly deciders: Deciders; readonly classNumber: number; readonly isTraceVaried: boolean }
    | undefined {
    const found = new Map<number, { readonly candidates: Candidates; readonly classNumber: number }>();
    let isTraceVaried = false;
    for (const { tailoring } of hops) {
      if (tailoring?.locationClass === undefined) continue;
      const { tailored, locationClass } = tailoring;
      if (tailored.kind !== "service" || tailored.service.spread !== undefined) return undefined;
      isTraceVaried ||= !isByDistance(tailored.service);
      const candidates = this.#snapshot.candidates.get(tailored.service);
      if (candidates === undefined) return undefined;
      found.set(this.#deciders.indexOf(candidates), { candidates, classNumber: locationClass.number });
    }
    const [first, second, third] = found;
    if (third !== undefined) return undefined;
    if (first === undefined) return { deciders: noDeciders, classNumber: 0, isTraceVaried };
    const [firstNumber, { candidates, classNumber }] = first;
    const secondClasses = second === undefined ? 1 : second[1].candidates.lists.length;
    const classes = candidates.lists.length * secondClasses;
    if (classes > MAX_CLASSES) return undefined;
    return {
      deciders: {
        first: firstNumber,
        second: second?.[0] ?? noDeciders.second,
        secondClasses,
        classes,
      },
      classNumber: classNumber * secondClasses + (second?.[1].classNumber ?? 0),
      isTraceVaried,
    };
  }

  #bodyOf(trace: AnswerTrace): NewBody {
    const { query, resolution } = trace;
    const { header, question } = query;
    const { authoritative, rcode, sections, extendedErrors } = resolution;
    const options = extendedErrors
      .map(extendedErrorOption)
      .flatMap(({ code, octets }) => [
        Uint8Array.of(code >> 8, code & 0xff, octets.length >> 8, octets.length & 0xff),
        octets,
      ]);
    const { datacenter, reason } = decisionOf(trace);
    return {
      octets: renderResponse(
        { header, question, authoritative, rcode, sections, edns: undefined },
        MAX_TCP_OCTETS,
      ),
      extendedErrors: Buffer.concat(options),
      number: this.#resolutions.length,
      rcode,
      datacenterId: this.#labels.nameId(datacenter),
      reasonId: this.#labels.reasonId(reason),
      choice: this.#labels.choiceOf(lastTailoring(resolution)),
      row: rowOf(question.qtype, rcode),
    };
  }

  #renew(): void {
    this.#table = AnswerTable.create(this.#options.takeMemory?.());
    this.#resolutions = [];
    this.#fast = new FastPath(this.publish(0));
    this.#options.onRenewed?.();
  }

  #fill({ address, transport, listener }: Source): FastSource {
    const source = this.#source;
    source.isTcp = transport === "tcp";
    source.family = address.family;
    source.octets = address.octets;
    source.vantage = listener?.vantage?.address;
    source.ignoresClientSubnet = listener?.ignoresClientSubnet ?? false;
    return source;
  }
}

/** Room for a response, as two views. */
export function outputOf(octets: number): { readonly octets: Uint8Array; readonly words: Int32Array } {
  const memory = new ArrayBuffer((octets + 3) & ~3);
  return { octets: new Uint8Array(memory), words: new Int32Array(memory) };
}

/** Whether the same will be answered again. Handlers may say what they like; names that do not exist are without number. */
const isKept = ({ rcode, hops }: Resolution): boolean =>
  rcode === RCODE.NOERROR && hops.every(({ dname, found }: Hop) => dname === undefined && found !== "script");

/** Whether nothing but distance and bias orders its candidates: by lists and latencies, a class may be for several reasons. */
function isByDistance({ nearness }: Service): boolean {
  const { latency, networks, countries, continents } = nearness;
  return latency.length + networks.length + countries.size + continents.size === 0;
}

function askerOf({ via, addressFamily, address }: FastPath): Asker {
  const its: IpAddress = { family: addressFamily, octets: address.slice(0, addressFamily === 4 ? 4 : 16) };
  return {
    address: its,
    via: via === VIA.clientSubnet ? "client-subnet" : via === VIA.vantage ? "vantage" : "source",
  };
}

function queryOf(message: Uint8Array, fast: FastPath): Query {
  const { nameEnd, qtype, payloadSize, dnssecOk, subnetFamily, subnetAt } = fast;
  const header = {
    id: Buffer.from(message.buffer, message.byteOffset, 2).readUInt16BE(0),
    opcode: OPCODE.QUERY,
    recursionDesired: ((message[2] ?? 0) & 1) !== 0,
  };
  const subnet =
    subnetFamily === NO_SUBNET ? undefined : readQueryClientSubnet(message.subarray(subnetAt - 4));
  return {
    header,
    question: { qname: message.subarray(HEADER_OCTETS, nameEnd), qtype, qclass: CLASS.IN },
    edns:
      payloadSize < 0
        ? undefined
        : { udpPayloadSize: payloadSize, dnssecOk, version: EDNS_VERSION, options: [] },
    clientSubnet: typeof subnet === "string" ? undefined : subnet,
    cookie: undefined,
  };
}
