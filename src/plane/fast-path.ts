/**
 * The answer to a query of the usual form out of shared memory: octets in, octets out, nothing allocated between. It has no
 * meaning of its own: what it gives is octet for octet what the long path would, and what it does not know, or what is
 * asked in an unusual form, is left to that.
 */

import { TenantNames } from "../cloud/tenant-names.ts";
import { NO_ROW } from "../cloud/tenant-table.ts";
import { COOKIE_OCTETS, CookieWriter } from "../dns/cookie.ts";
import { EDNS_VERSION } from "../dns/edns.ts";
import { CLASS, OPCODE, OPTION, TYPE } from "../dns/iana.ts";
import { HEADER_OCTETS } from "../dns/message.ts";
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../dns/name.ts";
import { MAX_TCP_OCTETS, MIN_UDP_OCTETS } from "../dns/render.ts";
import { AddressLookup } from "../geo/family-tables.ts";
import { type AddressFamily, type IpAddress, prefixHolds } from "../ip.ts";
import {
  AnswerTable,
  EDIT,
  FOR_ALL,
  foldedOctets,
  hashOctet,
  NO_DECIDER,
  NONE,
  type WordIndex,
} from "./answer-table.ts";
import type { Published } from "./published.ts";

/** Who asks; one object is filled anew for each query. */
export interface FastSource {
  isTcp: boolean;
  family: AddressFamily;
  /** the address begins at `at` */
  octets: Uint8Array;
  at: number;
  vantage: IpAddress | undefined;
  ignoresClientSubnet: boolean;
}

/** Where responses are written: two views of the same memory. */
export interface Output {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
}

/** Whose address counted. */
export const VIA = { clientSubnet: 0, vantage: 1, source: 2 } as const;

/** Without a client subnet. */
export const NO_SUBNET = -1;

/** What `answer` returns for what is left to the long path. */
export const UNKNOWN = 0;

/** The whole response to a query, and the longest that any has. */
export const MAX_FAST_OCTETS = 4096;

/** Root, type, class, TTL and length of an OPT. */
const OPT_FIXED_OCTETS = 11;
const DNSSEC_OK = 0x8000;
/** RA, Z and the RCODE, which no query should have set; AD and CD change nothing here. */
const UNUSUAL_FLAGS = 0xcf;
const NO_OPT = -1;

/** Of one publication; the facts of the last answer stand in its fields, since a result would have to be allocated. */
export class FastPath {
  readonly published: Published;
  readonly answers: AnswerTable;

  /** the body that was given */
  body: WordIndex = NONE;
  qtype = 0;
  nameEnd = 0;
  via: number = VIA.source;
  /** the address that counted */
  readonly address = new Uint8Array(16);
  addressFamily: AddressFamily = 4;
  /** FAMILY as sent, or NO_SUBNET */
  subnetFamily: number = NO_SUBNET;
  subnetLength = 0;
  /** where its address octets stand in the message */
  subnetAt = 0;
  /** as told to the asker */
  scope = 0;
  /** the prefix whose location the answer depends on, told or not */
  depth = 0;
  dnssecOk = false;
  /** the UDP payload size of the asker; -1 without EDNS */
  payloadSize = NO_OPT;
  /** where the cookie stands in the message, and its octets, 0 without one */
  cookieAt = 0;
  cookieOctets = 0;

  /** the tenant that the name tells; undefined in a snapshot without tenants */
  readonly tenant: TenantNames | undefined;
  /** whether the body is one that tenants share */
  isTenants = false;
  readonly #lookup = new AddressLookup();
  readonly #cookies: CookieWriter | undefined;

  constructor(published: Published) {
    this.published = published;
    this.answers = new AnswerTable(published.answers);
    this.tenant = published.tenants && new TenantNames(published.tenants.names);
    this.#cookies = published.cookies && new CookieWriter(published.cookies.secrets);
  }

  /**
   * Answers the query that stands in a message from `start` to `end`. Returns the octets of the response, which begins in the
   * output at `outAt`, a multiple of 4; or UNKNOWN. Cookies carry `nowSeconds`, since 1970.
   */
  answer(
    message: Uint8Array,
    start: number,
    end: number,
    source: FastSource,
    nowSeconds: number,
    output: Output,
    outAt: number,
  ): number {
    const { answers } = this;
    const nameStart = start + HEADER_OCTETS;
    if (end - start < HEADER_OCTETS + 5) return UNKNOWN;
    const additional = message[start + 11] ?? 0;
    const isUsualHeader =
      // QR, opcode, AA and TC are 0.
      ((message[start + 2] ?? 0) & 0xfe) === OPCODE.QUERY << 3 &&
      ((message[start + 3] ?? 0) & UNUSUAL_FLAGS) === 0 &&
      uint16(message, start + 4) === 1 &&
      uint16(message, start + 6) === 0 &&
      uint16(message, start + 8) === 0 &&
      message[start + 10] === 0 &&
      additional <= 1;
    if (!isUsualHeader) return UNKNOWN;

    // The name, hashed in lower case; one that runs over the end is no name.
    let hash = answers.seed;
    let at = nameStart;
    let label = message[at] ?? 0;
    while (label !== 0) {
      if (label > 63 || at + label >= end) return UNKNOWN;
      const behind = at + 1 + label;
      for (; at < behind; at++) hash = hashOctet(hash, foldedOctets[message[at] ?? 0] ?? 0);
      label = message[at] ?? 0;
    }
    hash = hashOctet(hash, 0);
    const nameEnd = at + 1;
    const questionEnd = nameEnd + 4;
    if (questionEnd > end || nameEnd - nameStart > MAX_NAME_OCTETS) return UNKNOWN;
    const qtype = uint16(message, nameEnd);
    // Types from 128 to 255 but ANY are no lookups (RFC 6895 §3.1).
    const isLookup = (qtype < 128 && qtype !== TYPE.OPT) || qtype >= TYPE.ANY;
    if (!isLookup || uint16(message, nameEnd + 2) !== CLASS.IN) return UNKNOWN;
    if (!this.#readOpt(message, questionEnd, end, additional)) return UNKNOWN;
    this.nameEnd = nameEnd;
    this.qtype = qtype;

    const isTrusted = !source.ignoresClientSubnet && this.#trusts(source);
    const isUsed = isTrusted && this.subnetFamily > 0 && this.subnetLength > 0;
    this.#findAddress(message, source, isUsed);

    const body = this.#findBody(message, nameStart, nameEnd, qtype, hash);
    if (body === NONE) return UNKNOWN;
    this.body = body;
    this.scope = isUsed ? this.depth : 0;
    return this.#write(message, start, nameEnd, body, source, nowSeconds, output, outAt);
  }

  /** Reads an OPT with no options but a client subnet and a cookie, or none; false where there is anything else. */
  #readOpt(message: Uint8Array, at: number, end: number, additional: number): boolean {
    this.subnetFamily = NO_SUBNET;
    this.subnetLength = 0;
    this.payloadSize = NO_OPT;
    this.dnssecOk = false;
    this.cookieOctets = 0;
    if (additional === 0) return at === end;
    const optionsAt = at + OPT_FIXED_OCTETS;
    if (optionsAt > end) return false;
    const flags = uint16(message, at + 7);
    const isUsualOpt =
      message[at] === 0 &&
      uint16(message, at + 1) === TYPE.OPT &&
      uint16(message, at + 5) === EDNS_VERSION &&
      (flags === 0 || flags === DNSSEC_OK) &&
      optionsAt + uint16(message, at + 9) === end;
    if (!isUsualOpt) return false;
    this.payloadSize = uint16(message, at + 3);
    this.dnssecOk = flags === DNSSEC_OK;
    for (let option = optionsAt; option < end; ) {
      if (option + 4 > end) return false;
      const code = uint16(message, option);
      const next = option + 4 + uint16(message, option + 2);
      if (next > end) return false;
      const isRead =
        code === OPTION.CLIENT_SUBNET
          ? this.#readSubnet(message, option + 4, next)
          : code === OPTION.COOKIE && this.#readCookie(option + 4, next);
      if (!isRead) return false;
      option = next;
    }
    return true;
  }

  /** Whether it is a cookie of a length that it may have (RFC 7873 §5.2.2), and the first one. */
  #readCookie(at: number, end: number): boolean {
    const length = end - at;
    if (this.cookieOctets !== 0 || (length !== 8 && (length < 16 || length > 40))) return false;
    this.cookieAt = at;
    this.cookieOctets = length;
    return true;
  }

  /** Whether it is a client subnet that a query may have (RFC 7871 §6, §7.2.1); what is wrong with others the long path says. */
  #readSubnet(message: Uint8Array, at: number, end: number): boolean {
    if (end - at < 4 || this.subnetFamily !== NO_SUBNET) return false;
    const family = uint16(message, at);
    const length = message[at + 2] ?? 0;
    const octets = end - at - 4;
    if (message[at + 3] !== 0 || octets !== (length + 7) >> 3) return false;
    if (length === 0 ? family > 2 : length > 128 || !(family === 2 || (family === 1 && length <= 32)))
      return false;
    const bitsBehind = (8 - (length & 7)) & 7;
    if (bitsBehind !== 0 && ((message[end - 1] ?? 0) & ((1 << bitsBehind) - 1)) !== 0) return false;
    this.subnetFamily = family;
    this.subnetLength = length;
    this.subnetAt = at + 4;
    return true;
  }

  #trusts({ family, octets, at }: FastSource): boolean {
    const { clientSubnetTrust: trust } = this.published;
    if (typeof trust === "string") return trust === "all";
    for (const prefix of trust) if (prefixHolds(prefix, family, octets, at)) return true;
    return false;
  }

  /** Whose place counts, as `findAsker` has it. */
  #findAddress(message: Uint8Array, source: FastSource, isUsed: boolean): void {
    const { address } = this;
    if (isUsed) {
      const present = (this.subnetLength + 7) >> 3;
      const from = this.subnetAt;
      this.addressFamily = this.subnetFamily === 1 ? 4 : 6;
      const whole = this.addressFamily === 4 ? 4 : 16;
      for (let i = 0; i < whole; i++) address[i] = i < present ? (message[from + i] ?? 0) : 0;
      this.via = VIA.clientSubnet;
      return;
    }
    const { vantage } = source;
    const octets = vantage === undefined ? source.octets : vantage.octets;
    const from = vantage === undefined ? source.at : 0;
    this.addressFamily = vantage === undefined ? source.family : vantage.family;
    this.via = vantage === undefined ? VIA.source : VIA.vantage;
    const count = this.addressFamily === 4 ? 4 : 16;
    for (let i = 0; i < count; i++) address[i] = octets[from + i] ?? 0;
  }

  /** The body for the name, type and address; its depth is left in `depth`. */
  #findBody(message: Uint8Array, nameStart: number, nameEnd: number, qtype: number, hash: number): WordIndex {
    const { answers } = this;
    this.depth = 0;
    this.isTenants = false;
    const entry = answers.findName(message, nameStart, nameEnd, qtype, hash);
    if (entry === NONE) return this.#findTenantBody(message, nameStart, nameEnd, qtype);
    const first = answers.firstDecider(entry);
    if (first === NO_DECIDER) return answers.bodyOf(entry, 0);
    const firstClass = this.#classOf(first);
    const second = answers.secondDecider(entry);
    if (second === NO_DECIDER) return answers.bodyOf(entry, firstClass);
    return answers.bodyOf(entry, firstClass * answers.secondClasses(entry) + this.#classOf(second));
  }

  /** The body that the tenant shares whom the name tells. */
  #findTenantBody(message: Uint8Array, nameStart: number, nameEnd: number, qtype: number): WordIndex {
    const { tenant, answers } = this;
    if (!tenant?.find(message, nameStart, nameEnd)) return NONE;
    const { home, row } = tenant;
    const body = answers.findTenant(tenant.template, qtype, this.tenantClass(home), tenant.slotOf(row));
    if (body === NONE) return NONE;
    const sample = answers.sampleOf(body);
    if (sample !== FOR_ALL && sample !== tenantNumber(tenant)) return NONE;
    this.isTenants = true;
    return body;
  }

  /** What a tenant has in common with others that have the same answers but for their names, by the row that is its home. */
  tenantClass(home: number): number {
    const { tenants } = this.published;
    const moved = tenants?.classesOfMoved?.[home] ?? 0;
    if (moved !== 0) return moved - 1;
    return tenants?.classesOfShapes[this.tenant?.shapeOf(home) ?? 0] ?? 0;
  }

  /** The class of the address in a set of candidates; along a chain the longest prefix counts (RFC 7871 §7.2.1). */
  #classOf(decider: number): number {
    const lookup = this.#lookup;
    const tables = this.published.deciders[decider];
    if (tables === undefined) throw new Error(`the set of candidates ${decider} has no table`);
    lookup.find(tables, this.addressFamily, this.address, 0);
    if (lookup.prefixLength > this.depth) this.depth = lookup.prefixLength;
    return lookup.value;
  }

  /** Writes the response; UNKNOWN where it does not fit, so that the long path may cut it. */
  #write(
    message: Uint8Array,
    start: number,
    nameEnd: number,
    body: WordIndex,
    { isTcp, octets: sourceOctets, at: sourceAt, family }: FastSource,
    nowSeconds: number,
    { octets, words }: Output,
    outAt: number,
  ): number {
    const { answers, payloadSize, published } = this;
    const serverLimit = published.udpPayloadSize;
    const cookies = this.cookieOctets === 0 ? undefined : this.#cookies;
    const { tenant } = this;
    const isEdited = this.isTenants && tenant !== undefined && answers.sampleOf(body) === FOR_ALL;
    const bodyOctets = isEdited
      ? this.#writeStencil(message, start, nameEnd, body, tenant, octets, outAt)
      : answers.lengthOf(body);
    const hasOpt = payloadSize !== NO_OPT;
    const hasSubnet = this.subnetFamily !== NO_SUBNET;
    const addressOctets = (this.subnetLength + 7) >> 3;
    const extendedOctets = answers.extendedLengthOf(body);
    const cookieOctets = cookies === undefined ? 0 : 4 + COOKIE_OCTETS;
    const optionOctets = (hasSubnet ? 8 + addressOctets : 0) + cookieOctets + extendedOctets;
    const length = bodyOctets + (hasOpt ? OPT_FIXED_OCTETS + optionOctets : 0);
    // The client's limit counts from 512 upward (RFC 6891 §6.2.3), and never above the server's own.
    const clientLimit = payloadSize < MIN_UDP_OCTETS ? MIN_UDP_OCTETS : payloadSize;
    const limit = isTcp ? MAX_TCP_OCTETS : clientLimit < serverLimit ? clientLimit : serverLimit;
    if (length > limit || length > MAX_FAST_OCTETS) return UNKNOWN;

    if (!isEdited) {
      const from = answers.octetsAt(body);
      const to = outAt >> 2;
      const count = (bodyOctets + 3) >> 2;
      const source = answers.words;
      for (let i = 0; i < HEADER_OCTETS >> 2; i++) words[to + i] = source[from + i] ?? 0;
      // The name comes from the message, and only what stands behind it from the body.
      for (let i = (nameEnd - start) >> 2; i < count; i++) words[to + i] = source[from + i] ?? 0;
    }
    // The id, RD, and the name as the asker spells it; whatever points to it is the same.
    octets[outAt] = message[start] ?? 0;
    octets[outAt + 1] = message[start + 1] ?? 0;
    octets[outAt + 2] = ((octets[outAt + 2] ?? 0) & 0xfe) | ((message[start + 2] ?? 0) & 1);
    const shift = outAt - start;
    for (let i = start + HEADER_OCTETS; i < nameEnd; i++) octets[i + shift] = message[i] ?? 0;
    if (!hasOpt) return length;

    const additional = uint16(octets, outAt + 10) + 1;
    setUint16(octets, outAt + 10, additional);
    let at = outAt + bodyOctets;
    octets[at] = 0;
    setUint16(octets, at + 1, TYPE.OPT);
    setUint16(octets, at + 3, serverLimit);
    setUint16(octets, at + 5, EDNS_VERSION);
    setUint16(octets, at + 7, this.dnssecOk ? DNSSEC_OK : 0);
    setUint16(octets, at + 9, optionOctets);
    at += OPT_FIXED_OCTETS;
    if (hasSubnet) {
      setUint16(octets, at, OPTION.CLIENT_SUBNET);
      setUint16(octets, at + 2, 4 + addressOctets);
      setUint16(octets, at + 4, this.subnetFamily);
      octets[at + 6] = this.subnetLength;
      octets[at + 7] = this.scope;
      at += 8;
      for (let i = 0; i < addressOctets; i++) octets[at + i] = message[this.subnetAt + i] ?? 0;
      at += addressOctets;
    }
    if (cookies !== undefined) {
      setUint16(octets, at, OPTION.COOKIE);
      setUint16(octets, at + 2, COOKIE_OCTETS);
      const { cookieAt, cookieOctets: asked } = this;
      const verdict = cookies.write(
        message,
        cookieAt,
        asked,
        sourceOctets,
        sourceAt,
        family,
        nowSeconds,
        octets,
        at + 4,
      );
      if (verdict === "bad" && !isTcp && published.cookies?.isRequired) return UNKNOWN;
      at += 4 + COOKIE_OCTETS;
    }
    const extendedAt = answers.extendedAt(body) * 4;
    for (let i = 0; i < extendedOctets; i++) octets[at + i] = answers.octets[extendedAt + i] ?? 0;
    return length;
  }

  /** Writes a body for another tenant than it was rendered for; returns its octets. `writeStencil` in stencil.ts does the same. */
  #writeStencil(
    message: Uint8Array,
    start: number,
    nameEnd: number,
    body: WordIndex,
    { texts, textAt, textOctets }: TenantNames,
    octets: Uint8Array,
    outAt: number,
  ): number {
    const { answers } = this;
    const grown = textOctets - answers.textOctetsOf(body);
    const editCount = answers.editCount(body);
    const length = answers.lengthOf(body);
    // Each edit may add the text once more, so that this is no less than what it comes to.
    if (length + (1 + editCount) * MAX_LABEL_OCTETS > MAX_FAST_OCTETS) return MAX_FAST_OCTETS + 1;
    const { octets: from, words } = answers;
    const bodyAt = answers.octetsAt(body) * 4;
    for (let i = 0; i < HEADER_OCTETS; i++) octets[outAt + i] = from[bodyAt + i] ?? 0;
    const shift = outAt - start;
    for (let i = start + HEADER_OCTETS; i < nameEnd + 4; i++) octets[i + shift] = message[i] ?? 0;
    let at = answers.recordsAt(body);
    let to = nameEnd + 4 + shift;
    const editsAt = answers.editsAt(body);
    for (let edit = 0; edit < editCount; edit++) {
      const place = words[editsAt + 2 * edit] ?? 0;
      const what = words[editsAt + 2 * edit + 1] ?? 0;
      for (; at < place; at++) octets[to++] = from[bodyAt + at] ?? 0;
      const times = what >> 8;
      switch (what & 0xff) {
        case EDIT.text:
          for (let i = 0; i < textOctets; i++) octets[to++] = texts[textAt + i] ?? 0;
          at += textOctets - grown;
          break;
        case EDIT.octet:
          octets[to++] = (from[bodyAt + at] ?? 0) + times * grown;
          at++;
          break;
        default:
          setUint16(octets, to, uint16(from, bodyAt + at) + times * grown);
          to += 2;
          at += 2;
      }
    }
    for (; at < length; at++) octets[to++] = from[bodyAt + at] ?? 0;
    return to - outAt;
  }
}

/** What a sample is known by. */
export const tenantNumber = ({ row, domain }: TenantNames): number => (domain === NO_ROW ? row : domain);

const uint16 = (octets: Uint8Array, at: number): number => ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);

function setUint16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >> 8;
  octets[at + 1] = value;
}
