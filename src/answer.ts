/**
 * The path of a query, from octets to octets: decode, locate, look up, choose, render. Nothing here waits, reads a clock,
 * rolls dice or logs; the same question to the same snapshot from the same source has the same answer.
 */

import { isTailoredAlias, type TailoredName, tailoredRRset } from "./cloud/chain.ts";
import { type Choice, chooseActive, chooseNearest } from "./cloud/choose.ts";
import { clientSubnetOption } from "./dns/client-subnet.ts";
import { decodeQuery, type PartOfQuery } from "./dns/decode.ts";
import { EDNS_VERSION, type Edns } from "./dns/edns.ts";
import { CLASS, RCODE, TYPE } from "./dns/iana.ts";
import { noSections, type Query, type Response, type RRset, type Sections } from "./dns/message.ts";
import { type DomainName, domainName } from "./dns/name.ts";
import { MAX_TCP_OCTETS, MIN_UDP_OCTETS, renderResponse } from "./dns/render.ts";
import { prefixContains } from "./ip.ts";
import { locationClass, type Snapshot } from "./snapshot.ts";
import type { Asker, Hop, Resolution, Source, Tailoring, Trace } from "./trace.ts";
import { lookup } from "./zone/lookup.ts";
import { findZone, type Zone } from "./zone/zone.ts";

export interface Answer {
  /** undefined: silence */
  readonly octets: Uint8Array | undefined;
  readonly trace: Trace;
}

/** CNAMEs followed for one query. Real chains have eight at the most; what is longer is cut there. */
const MAX_CHAIN = 16;

export function answer(snapshot: Snapshot, message: Uint8Array, source: Source): Answer {
  const decoded = decodeQuery(message);
  switch (decoded.kind) {
    case "silence":
      return { octets: undefined, trace: { kind: "silence", source, reason: decoded.reason } };
    case "error": {
      const { asked, rcode, reason } = decoded;
      const octets = renderError(snapshot, asked, rcode, source);
      return { octets, trace: { kind: "error", source, asked, rcode, reason } };
    }
    case "query": {
      const { query } = decoded;
      const asker = findAsker(snapshot, query, source);
      const resolution = resolve(snapshot, query, asker);
      const octets = renderAnswer(snapshot, query, resolution, source);
      return { octets, trace: { kind: "answer", source, query, asker, resolution } };
    }
  }
}

/** The response to a query that the program could not answer for a fault of its own. */
export function answerServfail(
  snapshot: Snapshot,
  message: Uint8Array,
  source: Source,
): Uint8Array | undefined {
  const decoded = decodeQuery(message);
  if (decoded.kind === "silence") return undefined;
  const asked = decoded.kind === "query" ? decoded.query : decoded.asked;
  return renderError(snapshot, asked, RCODE.SERVFAIL, source);
}

/**
 * Whose place counts: the client subnet if its sender is trusted and it has a source prefix length (0 asks not to use
 * any, RFC 7871 §7.1.2), else the source address.
 */
function findAsker(snapshot: Snapshot, { clientSubnet }: Query, source: Source): Asker {
  const prefix = trustsClientSubnet(snapshot, source) ? clientSubnet?.prefix : undefined;
  return prefix === undefined
    ? { address: source.address, via: "source" }
    : { address: { family: prefix.family, octets: prefix.octets }, via: "client-subnet" };
}

function trustsClientSubnet(snapshot: Snapshot, { address }: Source): boolean {
  const { clientSubnetTrust: trust } = snapshot.configuration.settings;
  return trust === "all" || (trust !== "none" && trust.some((prefix) => prefixContains(prefix, address)));
}

/** Follows the name through the zones (RFC 1034 §4.3.2) and chooses wherever a name is tailored. */
export function resolve(snapshot: Snapshot, { question }: Pick<Query, "question">, asker: Asker): Resolution {
  const { qtype, qclass } = question;
  const { zones, settings } = snapshot.configuration;
  const hops: Hop[] = [];
  const seen = new Set<DomainName>();
  let owner = question.qname;
  let name = domainName(owner);
  let zone = qclass === CLASS.IN && !isTransfer(qtype) ? findZone(zones, name) : undefined;
  if (zone === undefined) return refused;
  for (; zone !== undefined; zone = findZone(zones, name)) {
    seen.add(name);
    const hop = visit(snapshot, zone, name, owner, qtype, asker);
    hops.push(hop);
    const target = hop.found === "cname" ? hop.rrset?.rdatas[0] : undefined;
    if (target === undefined) return conclude(hops, zone);
    owner = target;
    name = domainName(target);
    if (settings.answer === "first-cname" || seen.has(name) || hops.length === MAX_CHAIN) break;
  }
  return conclude(hops, undefined);
}

const refused: Resolution = {
  rcode: RCODE.REFUSED,
  authoritative: false,
  sections: noSections,
  scopePrefixLength: 0,
  hops: [],
};

/** AXFR and IXFR are no lookups, and nobody may transfer a zone. */
const isTransfer = (qtype: number): boolean => qtype === 251 || qtype === 252;

/** What stands at one name for this asker. */
function visit(
  snapshot: Snapshot,
  zone: Zone<TailoredName>,
  name: DomainName,
  owner: Uint8Array,
  qtype: number,
  asker: Asker,
): Hop {
  const result = lookup(zone, name, qtype);
  const hop = { name, zone: zone.apex, wildcard: undefined, rrset: undefined, tailoring: undefined };
  switch (result.kind) {
    case "rrset":
    case "cname":
      return {
        ...hop,
        found: result.kind,
        wildcard: result.wildcard,
        rrset: { ...result.rrset, owner, name },
      };
    case "referral":
      return { ...hop, found: "referral", rrset: result.nameservers };
    case "nodata":
      return { ...hop, found: "nodata", wildcard: result.wildcard };
    case "nxdomain":
      return { ...hop, found: "nxdomain" };
    case "tailored": {
      const { tailored, wildcard } = result;
      const alias = isTailoredAlias(tailored);
      // NODATA for a type that no datacenter has does not depend on the asker, so nothing is chosen.
      if (!alias && qtype !== TYPE.A && qtype !== TYPE.AAAA && qtype !== TYPE.ANY) {
        return { ...hop, found: "nodata", wildcard };
      }
      const tailoring = tailor(snapshot, tailored, asker);
      const { choice } = tailoring;
      if (choice.kind !== "datacenter") return { ...hop, found: choice.kind, wildcard, tailoring };
      const rrset = tailoredRRset(tailored, choice.datacenter, qtype);
      if (rrset === undefined) return { ...hop, found: "nodata", wildcard, tailoring };
      const found = alias && qtype !== TYPE.CNAME && qtype !== TYPE.ANY ? "cname" : "rrset";
      return { ...hop, found, wildcard, rrset: { ...rrset, owner, name }, tailoring };
    }
  }
}

function tailor(snapshot: Snapshot, tailored: TailoredName, asker: Asker): Tailoring {
  const { service, bindings } = tailored;
  const candidates = snapshot.candidates.get(service);
  if (candidates !== undefined) {
    const found = locationClass(candidates, asker.address);
    const choice = chooseNearest(found.datacenters, snapshot.states, service.whenAllDown);
    return { tailored, choice, locationClass: found };
  }
  const choice: Choice =
    bindings.tenant === undefined
      ? { kind: "servfail", reason: "all-down" }
      : chooseActive(bindings.tenant, snapshot.states, service.whenAllDown);
  return { tailored, choice, locationClass: undefined };
}

/** Puts the hops into sections; `zone` is that of the last hop, undefined where the chain was cut. */
function conclude(hops: readonly Hop[], zone: Zone<TailoredName> | undefined): Resolution {
  const last = hops.at(-1);
  // RFC 7871 §7.2.1: along a chain the longest prefix that any step depends on is the scope.
  const scopePrefixLength = Math.max(
    0,
    ...hops.map((hop) => hop.tailoring?.locationClass?.prefixLength ?? 0),
  );
  if (last?.found === "servfail") {
    return { rcode: RCODE.SERVFAIL, authoritative: false, sections: noSections, scopePrefixLength, hops };
  }
  const chain = hops.flatMap((hop) =>
    hop.found === "rrset" || hop.found === "cname" ? (hop.rrset ?? []) : [],
  );
  const sections: Sections = {
    answer: chain,
    authority: zone === undefined || last === undefined ? [] : authorityOf(last, zone),
    additional: zone === undefined || last?.rrset === undefined ? [] : addressesOf(last.rrset, zone),
  };
  return {
    // RFC 6604 §3: the RCODE is that of the last name of the chain.
    rcode: last?.found === "nxdomain" ? RCODE.NXDOMAIN : RCODE.NOERROR,
    // RFC 1035 §4.1.1: AA speaks of the first owner name in the answer section.
    authoritative: chain.length > 0 || last?.found !== "referral",
    sections,
    scopePrefixLength,
    hops,
  };
}

/** The SOA of a negative answer, its TTL cut to how long that may be cached (RFC 2308 §3); the NS RRset of a referral. */
function authorityOf(last: Hop, zone: Zone<TailoredName>): readonly RRset[] {
  if (last.found === "referral") return last.rrset === undefined ? [] : [last.rrset];
  if (last.found !== "nodata" && last.found !== "nxdomain") return [];
  const rdata = zone.soa.rdatas[0];
  const minimum =
    rdata === undefined ? 0 : new DataView(rdata.buffer, rdata.byteOffset).getUint32(rdata.length - 4);
  return [{ ...zone.soa, ttlSeconds: Math.min(zone.soa.ttlSeconds, minimum) }];
}

/** Addresses, from the same zone, of the name servers in an NS RRset (RFC 1034 §4.3.2 steps 3b and 6). */
function addressesOf(rrset: RRset, zone: Zone<TailoredName>): readonly RRset[] {
  if (rrset.type !== TYPE.NS) return [];
  return rrset.rdatas.flatMap((target) => {
    const rrsets = zone.nodes.get(domainName(target))?.rrsets;
    return [rrsets?.get(TYPE.A) ?? [], rrsets?.get(TYPE.AAAA) ?? []].flat();
  });
}

function renderAnswer(snapshot: Snapshot, query: Query, resolution: Resolution, source: Source): Uint8Array {
  const { header, question } = query;
  const { rcode, authoritative, sections, scopePrefixLength } = resolution;
  const edns = responseEdns(snapshot, query, scopePrefixLength, source);
  const response: Response = { header, question, authoritative, rcode, sections, edns };
  return renderResponse(response, sizeLimit(snapshot, query.edns, source));
}

function renderError(snapshot: Snapshot, asked: PartOfQuery, rcode: number, source: Source): Uint8Array {
  const { header, question } = asked;
  const edns = responseEdns(snapshot, asked, 0, source);
  const response: Response = { header, question, authoritative: false, rcode, sections: noSections, edns };
  return renderResponse(response, sizeLimit(snapshot, asked.edns, source));
}

/**
 * The OPT of the response, if the query had one (RFC 6891 §6.1.1), with its client subnet, if it had one (RFC 7871
 * §7.2.1). The scope is 0 where the option was not used.
 */
function responseEdns(
  snapshot: Snapshot,
  { edns, clientSubnet }: Pick<Query, "edns" | "clientSubnet">,
  scopePrefixLength: number,
  source: Source,
): Edns | undefined {
  if (edns === undefined) return undefined;
  const used = clientSubnet?.prefix !== undefined && trustsClientSubnet(snapshot, source);
  const options =
    clientSubnet === undefined ? [] : [clientSubnetOption(clientSubnet, used ? scopePrefixLength : 0)];
  const { udpPayloadSize } = snapshot.configuration.settings;
  return { udpPayloadSize, version: EDNS_VERSION, dnssecOk: edns.dnssecOk, options };
}

/** The client's limit counts from 512 upward (RFC 6891 §6.2.3), and never above the server's own. */
function sizeLimit(snapshot: Snapshot, edns: Edns | undefined, { transport }: Source): number {
  if (transport === "tcp") return MAX_TCP_OCTETS;
  const { udpPayloadSize } = snapshot.configuration.settings;
  return Math.min(Math.max(edns?.udpPayloadSize ?? MIN_UDP_OCTETS, MIN_UDP_OCTETS), udpPayloadSize);
}
