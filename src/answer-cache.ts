/**
 * Answers that were made before, kept in shared memory so that any thread finds them again without a lookup. What it gives
 * is octet for octet what the long path would.
 */

import type { Answered } from "./answer.ts";
import { type ClockAnchor, realTimeAnchor } from "./clock.ts";
import { type TenantTemplate, tenantNamesMemory, tenantTemplates } from "./cloud/tenant-names.ts";
import { UnknownTenants } from "./cloud/unknown-tenants.ts";
import type { Configuration } from "./config/configuration.ts";
import { readQueryClientSubnet } from "./dns/client-subnet.ts";
import { readCookie } from "./dns/cookie.ts";
import { EDNS_VERSION, extendedErrorOption } from "./dns/edns.ts";
import { CLASS, OPCODE, RCODE } from "./dns/iana.ts";
import { HEADER_OCTETS, type Query } from "./dns/message.ts";
import { type DomainName, isAtOrBelow } from "./dns/name.ts";
import { MAX_TCP_OCTETS, renderResponse } from "./dns/render.ts";
import { locationName } from "./geo/location-table.ts";
import { isByDistance } from "./geo/nearness.ts";
import type { IpAddress } from "./ip.ts";
import {
  AnswerTable,
  type AnswerTableMemory,
  type Deciders,
  FOR_ALL,
  type NewBody,
  NONE,
  noDeciders,
} from "./plane/answer-table.ts";
import {
  FastPath,
  type FastSource,
  MAX_FAST_OCTETS,
  NO_SUBNET,
  tenantNumber,
  UNKNOWN,
  VIA,
} from "./plane/fast-path.ts";
import type { Published, PublishedListener, PublishedTenants } from "./plane/published.ts";
import { findEdits, recordsAt, type Sample } from "./plane/stencil.ts";
import { locationKindNumber, NO_CHOICE, rowOf } from "./query-counts.ts";
import { decisionOf } from "./query-ring.ts";
import type { Candidates, Snapshot } from "./snapshot.ts";
import { NO_CLASS, tenantClasses } from "./tenant-classes.ts";
import {
  type AnswerTrace,
  type Asker,
  type Hop,
  lastTailoring,
  type Resolution,
  type Source,
  type Tailoring,
} from "./trace.ts";
import { findZone } from "./zone/zone.ts";

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
  /** what the clock of the server shows; the machine's own time where absent */
  readonly time?: () => ClockAnchor;
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
  readonly #tenants: SharedTenants | undefined;
  readonly #unknown: UnknownTenants;
  /** by the number of a template, whether the tenants with such names share answers; found out when it is asked for */
  readonly #sharedTemplates: (boolean | undefined)[] = [];
  /** answers to one tenant, by the number of the body, until another of its key shows where the tenant stands in them */
  #samples = new Map<number, TenantSample>();
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
    this.#tenants = sharedTenants(snapshot);
    this.#unknown = new UnknownTenants(this.#tenants?.templates ?? []);
    this.#table = AnswerTable.create(options.takeMemory?.());
    this.#fast = new FastPath(this.publish(0));
  }

  /** What worker threads need to find the answers, too. */
  publish(sequence: number): Published {
    const { version, configuration, locations, cookieSecrets } = this.#snapshot;
    const { clientSubnetTrust, udpPayloadSize, cookies } = configuration.settings;
    const [current, ...previous] = cookieSecrets;
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
      tenants: this.#tenants?.published,
      cookies:
        current === undefined || cookies === "off"
          ? undefined
          : { secrets: [current, ...previous], isRequired: cookies === "require" },
      time: this.#options.time?.() ?? realTimeAnchor,
      listeners: this.#options.listeners ?? [],
    };
  }

  /** The answer to a message; undefined where it is not known. Cookies carry `nowSeconds`, since 1970. */
  find(message: Uint8Array, source: Source, nowSeconds: number): Answered | undefined {
    const fast = this.#fast;
    const length = fast.answer(message, 0, message.length, this.#fill(source), nowSeconds, this.#output, 0);
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
    // Whether a zone with quirks answers goes by more than name and type: by EDNS, or by how the name is written.
    const zone = resolution.hops[0]?.zone;
    if (zone !== undefined && this.#snapshot.configuration.quirks.has(zone)) return;
    const decided = this.#decide(resolution);
    if (decided === undefined) return;
    const nameEnd = HEADER_OCTETS + query.question.qname.length;
    const name = message.subarray(HEADER_OCTETS, nameEnd);
    // A name that was compressed, whatever for, is not one of a query of the usual form.
    if (Buffer.compare(name, query.question.qname) !== 0) return;
    const { qtype } = query.question;
    // Asked in an unusual form, as with a cookie, it comes here though it is known.
    if (this.#table.hasName(name, qtype, decided.classNumber)) return;
    const body = this.#bodyOf(trace);
    // There is no end to tenants that there are not.
    if (
      this.#unknown.templates.length > 0 &&
      this.#unknown.find(name) !== undefined &&
      !this.#fast.tenant?.find(name, 0, name.length)
    )
      return;
    if (decided.deciders === noDeciders && this.#keepTenant(name, qtype, body, resolution)) return;
    const add = (made: NewBody): boolean =>
      this.#table.addName(name, qtype, decided.deciders, decided.classNumber, made);
    if (!add(body)) {
      this.#renew();
      add({ ...body, number: 0 });
    }
    this.#resolutions.push(decided.isTraceVaried ? undefined : resolution);
  }

  /** Keeps the answer to the name of a tenant for all who share it; false where it is to be kept for that name alone. */
  #keepTenant(name: Uint8Array, qtype: number, body: NewBody, resolution: Resolution): boolean {
    const { tenant } = this.#fast;
    if (tenant === undefined || this.#tenants === undefined || !tenant.find(name, 0, name.length))
      return false;
    const { template, row, home, texts, textAt, textOctets } = tenant;
    const place = this.#fast.tenantClass(home);
    const shared = this.#tenants.templates[template];
    if (shared === undefined || place >= NO_CLASS || !this.#isShared(template, shared)) return false;
    if (!hasOneHome(resolution, shared)) return false;
    const prefixOctets = shared.prefix.length;
    const key = { template, qtype, place, slot: tenant.slotOf(row) };
    const text = texts.slice(textAt, textAt + textOctets);
    const number = tenantNumber(tenant);
    const known = this.#table.findTenant(template, qtype, place, key.slot);
    if (known === NONE) {
      const own = { octets: body.octets, text, textAt: HEADER_OCTETS + 1 + prefixOctets };
      const stencil = {
        sample: number,
        edits: [],
        textOctets,
        recordsAt: recordsAt(body.octets),
      };
      if (!this.#table.addTenant(key, { ...body, stencil })) return false;
      this.#samples.set(body.number, { ...own, body });
      this.#resolutions.push(undefined);
      return true;
    }
    const sample = this.#samples.get(this.#table.numberOf(known));
    // Asked in an unusual form, it comes here though it is known.
    if (sample === undefined || this.#table.sampleOf(known) === number) return true;
    const edits = isSharable(sample.body, body)
      ? findEdits(sample, { octets: body.octets, text, textAt: sample.textAt })
      : undefined;
    if (edits === undefined) return false;
    const stencil = {
      sample: FOR_ALL,
      edits,
      textOctets: sample.text.length,
      recordsAt: recordsAt(sample.octets),
    };
    this.#samples.delete(this.#table.numberOf(known));
    return this.#table.addTenant(key, { ...sample.body, stencil });
  }

  #isShared(template: number, { parent }: TenantTemplate): boolean {
    const isShared = this.#sharedTemplates[template] ?? isWhole(this.#snapshot.configuration.zones, parent);
    this.#sharedTemplates[template] = isShared;
    return isShared;
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
      isTraceVaried ||= !isByDistance(tailored.service.nearness);
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
    this.#samples = new Map();
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

/** The answer to one tenant. */
interface TenantSample extends Sample {
  readonly body: NewBody;
}

/** Whether two bodies differ in their octets at the most. */
const isSharable = (a: NewBody, b: NewBody): boolean =>
  Buffer.compare(a.extendedErrors, b.extendedErrors) === 0 &&
  a.rcode === b.rcode &&
  a.datacenterId === b.datacenterId &&
  a.reasonId === b.reasonId &&
  a.choice === b.choice;

/** Whether no name on the way follows another home of the tenant than the first name does. */
function hasOneHome(
  { hops }: Resolution,
  { service: { workload }, tenants: { table } }: TenantTemplate,
): boolean {
  return hops.every(({ tailoring }) => {
    if (tailoring?.tailored.kind !== "service" || tailoring.tailored.bindings.tenant === undefined)
      return true;
    const other = tailoring.tailored.service.workload;
    return other === workload || !(table.hasHomes(other) || table.hasHomes(workload));
  });
}

interface SharedTenants {
  readonly published: PublishedTenants;
  readonly templates: readonly TenantTemplate[];
}

function sharedTenants(snapshot: Snapshot): SharedTenants | undefined {
  const templates = tenantTemplates(snapshot.configuration.clouds);
  const names = tenantNamesMemory(templates);
  const [first] = templates;
  if (names === undefined || first === undefined) return undefined;
  const { ofShapes, ofMoved } = tenantClasses(snapshot, first.tenants.table);
  return { published: { names, classesOfShapes: ofShapes, classesOfMoved: ofMoved }, templates };
}

/** Whether no zone, delegation or DNAME below a name takes some of the names right below it for itself. */
function isWhole(zones: Configuration["zones"], parent: DomainName): boolean {
  const zone = findZone(zones, parent);
  if (zone === undefined || zone.kind !== "records" || zone.hidesNames) return false;
  return [...zones.keys()].every((apex) => apex === parent || !isAtOrBelow(apex, parent));
}

/** Room for a response, as two views. */
export function outputOf(octets: number): { readonly octets: Uint8Array; readonly words: Int32Array } {
  const memory = new ArrayBuffer((octets + 3) & ~3);
  return { octets: new Uint8Array(memory), words: new Int32Array(memory) };
}

/**
 * Whether the same will be answered again. Handlers may say what they like, explanations name the asker, and names that do
 * not exist are without number.
 */
const isKept = ({ rcode, hops }: Resolution): boolean =>
  rcode === RCODE.NOERROR &&
  hops.every(({ dname, found }: Hop) => dname === undefined && found !== "script" && found !== "explanation");

function askerOf({ via, addressFamily, address }: FastPath): Asker {
  const its: IpAddress = { family: addressFamily, octets: address.slice(0, addressFamily === 4 ? 4 : 16) };
  return {
    address: its,
    via: via === VIA.clientSubnet ? "client-subnet" : via === VIA.vantage ? "vantage" : "source",
  };
}

function queryOf(message: Uint8Array, fast: FastPath): Query {
  const {
    nameEnd,
    qtype,
    payloadSize,
    dnssecOk,
    subnetFamily,
    subnetLength,
    subnetAt,
    cookieAt,
    cookieOctets,
  } = fast;
  const header = {
    id: Buffer.from(message.buffer, message.byteOffset, 2).readUInt16BE(0),
    opcode: OPCODE.QUERY,
    recursionDesired: ((message[2] ?? 0) & 1) !== 0,
  };
  const subnet =
    subnetFamily === NO_SUBNET
      ? undefined
      : readQueryClientSubnet(message.subarray(subnetAt - 4, subnetAt + ((subnetLength + 7) >> 3)));
  const cookie =
    cookieOctets === 0 ? undefined : readCookie(message.subarray(cookieAt, cookieAt + cookieOctets));
  return {
    header,
    question: { qname: message.subarray(HEADER_OCTETS, nameEnd), qtype, qclass: CLASS.IN },
    edns:
      payloadSize < 0
        ? undefined
        : { udpPayloadSize: payloadSize, dnssecOk, version: EDNS_VERSION, options: [] },
    clientSubnet: typeof subnet === "string" ? undefined : subnet,
    cookie: typeof cookie === "string" ? undefined : cookie,
  };
}
