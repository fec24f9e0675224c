/**
 * Answers that were made before, found again without a lookup. It has no meaning of its own: what it gives is octet for
 * octet what the long path would, and what it does not know, or what is asked in an unusual form, goes that way.
 */

import { type Answered, findAsker, sizeLimit, trustsClientSubnet } from "./answer.ts";
import type { Service } from "./cloud/service.ts";
import { type ClientSubnet, readQueryClientSubnet } from "./dns/client-subnet.ts";
import { EDNS_VERSION, type Edns, extendedErrorOption } from "./dns/edns.ts";
import { CLASS, OPCODE, OPTION, RCODE, TYPE } from "./dns/iana.ts";
import { HEADER_OCTETS, type Query } from "./dns/message.ts";
import { MAX_NAME_OCTETS } from "./dns/name.ts";
import { MAX_TCP_OCTETS, renderResponse } from "./dns/render.ts";
import { lookupCandidates } from "./geo/candidate-table.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Hop, Resolution, Source } from "./trace.ts";

/** Names that are made up, as below a wildcard, must not fill the memory; when it holds so much, all is let go. */
const MAX_OCTETS = 32 << 20;
/** What an entry takes beside its octets, by and large. */
const ENTRY_OCTETS = 1000;

/** What is known of a name and type. */
interface Known {
  /** whose candidates put askers into classes; undefined where the answer is the same for everyone */
  readonly decider: Service | undefined;
  /** by the number of the location class, 0 where there is none */
  readonly bodies: Map<number, Body>;
}

interface Body {
  /** the whole response but for the OPT: the same for every form of EDNS */
  readonly octets: Uint8Array;
  /** the extended errors that go into an OPT, as options */
  readonly extendedErrors: Uint8Array;
  readonly resolution: Resolution;
}

/** A query of the usual form: one question of class IN, and no option but a client subnet. */
interface UsualQuery {
  /** where the question's name ends */
  readonly nameEnd: number;
  readonly qtype: number;
  readonly edns: Pick<Edns, "udpPayloadSize" | "dnssecOk"> | undefined;
  readonly clientSubnet: ClientSubnet | undefined;
}

/** Of one snapshot: the next one has its own. */
export class AnswerCache {
  readonly #snapshot: Snapshot;
  readonly #known = new Map<string, Known>();
  #octets = 0;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** The answer to a message; undefined where it is not known. */
  find(message: Uint8Array, source: Source): Answered | undefined {
    const usual = readUsual(message);
    const known = usual && this.#known.get(keyOf(message, usual));
    if (usual === undefined || known === undefined) return undefined;
    const snapshot = this.#snapshot;
    const { clientSubnet } = usual;
    const asker = findAsker(snapshot, usual, source);
    const candidates = known.decider && snapshot.candidates.get(known.decider);
    const found = candidates && lookupCandidates(candidates.table, asker.address);
    const body = known.bodies.get(found?.listIndex ?? 0);
    if (body === undefined) return undefined;
    const scopePrefixLength = found?.prefixLength ?? 0;
    const isUsed = clientSubnet?.prefix !== undefined && trustsClientSubnet(snapshot, source);
    const scope = isUsed ? scopePrefixLength : 0;
    const octets = this.#write(message, usual, body, scope, sizeLimit(snapshot, usual.edns, source));
    if (octets === undefined) return undefined;
    const resolution = { ...body.resolution, scopePrefixLength };
    const query = queryOf(message, usual);
    return { kind: "answered", octets, trace: { kind: "answer", source, query, asker, resolution } };
  }

  /** Remembers what the long path has made of a message, where it will be the same again. */
  keep(message: Uint8Array, { trace }: Answered): void {
    if (trace.kind !== "answer") return;
    const usual = readUsual(message);
    const { resolution, query } = trace;
    if (usual === undefined || !isKept(resolution)) return;
    const placed = resolution.hops.flatMap(({ tailoring }) =>
      tailoring?.locationClass === undefined ? [] : [{ ...tailoring, found: tailoring.locationClass }],
    );
    const [first, second] = placed;
    if (second !== undefined) return;
    const decider = first?.tailored.kind === "service" ? first.tailored.service : undefined;
    // In a class of rules or of lists not everyone has the same reason, which the trace is to tell.
    if (first !== undefined && (decider === undefined || !isByDistance(decider))) return;
    if (this.#octets > MAX_OCTETS) {
      this.#known.clear();
      this.#octets = 0;
    }
    const key = keyOf(message, usual);
    const known = this.#known.get(key) ?? { decider, bodies: new Map<number, Body>() };
    const body = bodyOf(query, resolution);
    known.bodies.set(first?.found.number ?? 0, body);
    this.#known.set(key, known);
    this.#octets += ENTRY_OCTETS + body.octets.length;
  }

  /** The response; undefined where it does not fit, so that the long path may cut it. */
  #write(
    message: Uint8Array,
    { nameEnd, edns, clientSubnet }: UsualQuery,
    { octets: body, extendedErrors }: Body,
    scope: number,
    limit: number,
  ): Uint8Array | undefined {
    const subnetOctets = clientSubnet === undefined ? 0 : 8 + clientSubnet.addressOctets.length;
    const optOctets = edns === undefined ? 0 : OPT_FIXED_OCTETS + subnetOctets + extendedErrors.length;
    const length = body.length + optOctets;
    if (length > limit) return undefined;
    const octets = Buffer.allocUnsafe(length);
    octets.set(body, 0);
    // The id, RD, and the name as the asker spells it; whatever points to it is the same.
    octets.set(message.subarray(0, 2), 0);
    octets[2] = ((body[2] ?? 0) & 0xfe) | ((message[2] ?? 0) & 1);
    octets.set(message.subarray(HEADER_OCTETS, nameEnd), HEADER_OCTETS);
    if (edns === undefined) return octets;
    octets.writeUInt16BE(octets.readUInt16BE(10) + 1, 10);
    let at = body.length;
    octets[at] = 0;
    octets.writeUInt16BE(TYPE.OPT, at + 1);
    octets.writeUInt16BE(this.#snapshot.configuration.settings.udpPayloadSize, at + 3);
    octets.writeUInt16BE(EDNS_VERSION, at + 5);
    octets.writeUInt16BE(edns.dnssecOk ? DNSSEC_OK : 0, at + 7);
    octets.writeUInt16BE(optOctets - OPT_FIXED_OCTETS, at + 9);
    at += OPT_FIXED_OCTETS;
    if (clientSubnet !== undefined) {
      const { family, sourcePrefixLength, addressOctets } = clientSubnet;
      octets.writeUInt16BE(OPTION.CLIENT_SUBNET, at);
      octets.writeUInt16BE(4 + addressOctets.length, at + 2);
      octets.writeUInt16BE(family, at + 4);
      octets[at + 6] = sourcePrefixLength;
      octets[at + 7] = scope;
      octets.set(addressOctets, at + 8);
      at += subnetOctets;
    }
    octets.set(extendedErrors, at);
    return octets;
  }
}

/** Root, type, class, TTL and length of an OPT. */
const OPT_FIXED_OCTETS = 11;
const DNSSEC_OK = 0x8000;

/** RA, Z and the RCODE, which no query should have set; AD and CD change nothing here. */
const UNUSUAL_FLAGS = 0xcf;

/** Reads a query of the usual form; undefined for all others, sound or not. */
function readUsual(message: Uint8Array): UsualQuery | undefined {
  const { length } = message;
  const additional = message[11] ?? 0;
  const isUsualHeader =
    // QR, opcode, AA and TC are 0.
    ((message[2] ?? 0) & 0xfe) === OPCODE.QUERY << 3 &&
    ((message[3] ?? 0) & UNUSUAL_FLAGS) === 0 &&
    uint16(message, 4) === 1 &&
    uint16(message, 6) === 0 &&
    uint16(message, 8) === 0 &&
    message[10] === 0 &&
    additional <= 1;
  if (!isUsualHeader) return undefined;
  let at = HEADER_OCTETS;
  for (let label = message[at] ?? 0; label !== 0; label = message[at] ?? 0) {
    if (label > 63) return undefined;
    at += 1 + label;
  }
  const nameEnd = at + 1;
  const questionEnd = nameEnd + 4;
  if (questionEnd > length || nameEnd - HEADER_OCTETS > MAX_NAME_OCTETS) return undefined;
  const qtype = uint16(message, nameEnd);
  // Types from 128 to 255 but ANY are no lookups (RFC 6895 §3.1).
  const isLookup = (qtype < 128 && qtype !== TYPE.OPT) || qtype >= TYPE.ANY;
  if (!isLookup || uint16(message, nameEnd + 2) !== CLASS.IN) return undefined;
  if (additional === 0) {
    return length === questionEnd ? { nameEnd, qtype, edns: undefined, clientSubnet: undefined } : undefined;
  }
  const optionsAt = questionEnd + OPT_FIXED_OCTETS;
  const flags = uint16(message, questionEnd + 7);
  const isUsualOpt =
    optionsAt <= length &&
    message[questionEnd] === 0 &&
    uint16(message, questionEnd + 1) === TYPE.OPT &&
    uint16(message, questionEnd + 5) === EDNS_VERSION &&
    (flags === 0 || flags === DNSSEC_OK) &&
    optionsAt + uint16(message, questionEnd + 9) === length;
  if (!isUsualOpt) return undefined;
  const edns = { udpPayloadSize: uint16(message, questionEnd + 3), dnssecOk: flags === DNSSEC_OK };
  if (optionsAt === length) return { nameEnd, qtype, edns, clientSubnet: undefined };
  const isSubnetAlone =
    uint16(message, optionsAt) === OPTION.CLIENT_SUBNET &&
    optionsAt + 4 + uint16(message, optionsAt + 2) === length;
  if (!isSubnetAlone) return undefined;
  const clientSubnet = readQueryClientSubnet(message.subarray(optionsAt + 4));
  return typeof clientSubnet === "string" ? undefined : { nameEnd, qtype, edns, clientSubnet };
}

const uint16 = (octets: Uint8Array, at: number): number => ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);

/** Where a key is written before it becomes text: name and type. */
const scratch = Buffer.alloc(MAX_NAME_OCTETS + 2);

/** The name in lower case (RFC 4343 §3) with the type behind it, an octet a character. */
function keyOf(message: Uint8Array, { nameEnd }: UsualQuery): string {
  const length = nameEnd + 2 - HEADER_OCTETS;
  for (let i = 0; i < length; i++) {
    const octet = message[HEADER_OCTETS + i] ?? 0;
    // Lengths of labels are below 64; the two octets of the type stay as they are.
    scratch[i] = octet >= 0x41 && octet <= 0x5a && i < length - 2 ? octet + 0x20 : octet;
  }
  return scratch.toString("latin1", 0, length);
}

/** A failure is of the moment, names that do not exist are without number, and a DNAME's target is spelled as asked. */
const isKept = ({ rcode, hops }: Resolution): boolean =>
  rcode === RCODE.NOERROR && hops.every(({ dname, found }: Hop) => dname === undefined && found !== "script");

/** Whether nothing but distance and bias orders its candidates, and each class has one datacenter. */
function isByDistance({ spread, nearness }: Service): boolean {
  const { latency, networks, countries, continents } = nearness;
  return spread === undefined && latency.length + networks.length + countries.size + continents.size === 0;
}

function bodyOf({ header, question }: Query, resolution: Resolution): Body {
  const { authoritative, rcode, sections, extendedErrors } = resolution;
  const response = { header, question, authoritative, rcode, sections, edns: undefined };
  const options = extendedErrors
    .map(extendedErrorOption)
    .flatMap(({ code, octets }) => [
      Uint8Array.of(code >> 8, code & 0xff, octets.length >> 8, octets.length & 0xff),
      octets,
    ]);
  return {
    octets: renderResponse(response, MAX_TCP_OCTETS),
    extendedErrors: Buffer.concat(options),
    resolution,
  };
}

function queryOf(message: Uint8Array, { nameEnd, qtype, edns, clientSubnet }: UsualQuery): Query {
  const header = {
    id: uint16(message, 0),
    opcode: OPCODE.QUERY,
    recursionDesired: ((message[2] ?? 0) & 1) !== 0,
  };
  const qname = message.subarray(HEADER_OCTETS, nameEnd);
  return {
    header,
    question: { qname, qtype, qclass: CLASS.IN },
    edns: edns && { ...edns, version: EDNS_VERSION, options: [] },
    clientSubnet,
    cookie: undefined,
  };
}
