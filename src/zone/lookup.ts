/** What a zone has to say of a name and type: RFC 1034 §4.3.2 step 3, with wildcards by RFC 4592. */

import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, parentOf, selfAndAncestors, wildcardBelow } from "../dns/name.ts";
import type { ZoneNode } from "./node-table.ts";
import type { Zone } from "./zone.ts";

export type LookupResult<T> =
  | { readonly kind: "rrset"; readonly rrset: RRset; readonly wildcard: DomainName | undefined }
  | { readonly kind: "cname"; readonly rrset: RRset; readonly wildcard: DomainName | undefined }
  | { readonly kind: "tailored"; readonly tailored: T; readonly wildcard: DomainName | undefined }
  | { readonly kind: "dname"; readonly rrset: RRset }
  | { readonly kind: "referral"; readonly nameservers: RRset }
  | { readonly kind: "nodata"; readonly wildcard: DomainName | undefined }
  | { readonly kind: "nxdomain" };

/**
 * Looks up a name at or below the zone's apex. RRsets found under a wildcard keep the wildcard as their owner: whoever
 * answers puts the name asked in its place.
 */
export function lookup<T>(zone: Zone<T>, name: DomainName, qtype: number): LookupResult<T> {
  const barrier = zone.hidesNames ? findBarrier(zone, name, qtype) : undefined;
  if (barrier !== undefined) return barrier;
  const node = zone.nodes.get(name);
  if (node !== undefined) return lookupInNode(node, qtype, undefined);
  const wildcard = wildcardBelow(closestEncloser(zone, name));
  const source = zone.nodes.get(wildcard);
  return source === undefined ? { kind: "nxdomain" } : lookupInNode(source, qtype, wildcard);
}

/**
 * The highest delegation at or above the name, or DNAME above it: what is below belongs to another zone or to another
 * name (RFC 1034 §4.3.2 step 3b, RFC 6672 §3.2). DS stands on the upper side of a zone cut (RFC 4035 §3.1.4.1).
 */
function findBarrier<T>(zone: Zone<T>, name: DomainName, qtype: number): LookupResult<T> | undefined {
  let highest: LookupResult<T> | undefined;
  for (const at of selfAndAncestors(name)) {
    const rrsets = zone.nodes.get(at)?.rrsets;
    const dname = at === name ? undefined : rrsets?.get(TYPE.DNAME);
    if (dname !== undefined) highest = { kind: "dname", rrset: dname };
    if (at === zone.apex) break;
    const nameservers = at === name && qtype === TYPE.DS ? undefined : rrsets?.get(TYPE.NS);
    if (nameservers !== undefined) highest = { kind: "referral", nameservers };
  }
  return highest;
}

/** The longest existing name above one that does not exist (RFC 4592 §3.3.1). */
function closestEncloser<T>(zone: Zone<T>, name: DomainName): DomainName {
  let at = parentOf(name);
  while (at !== undefined && at !== zone.apex && !zone.nodes.has(at)) at = parentOf(at);
  return at ?? zone.apex;
}

function lookupInNode<T>(
  node: ZoneNode<T>,
  qtype: number,
  wildcard: DomainName | undefined,
): LookupResult<T> {
  if (node.tailored !== undefined && !hasPlain(node, qtype)) {
    return { kind: "tailored", tailored: node.tailored, wildcard };
  }
  const cname = node.rrsets.get(TYPE.CNAME);
  if (cname !== undefined) {
    // ANY matches the CNAME itself, so there is nothing to follow (RFC 1034 §4.3.2 step 3a).
    const isAsked = qtype === TYPE.CNAME || qtype === TYPE.ANY;
    return { kind: isAsked ? "rrset" : "cname", rrset: cname, wildcard };
  }
  // RFC 8482 §4.1: one RRset of the name's choosing is an answer to ANY.
  const rrset = qtype === TYPE.ANY ? node.rrsets.values().next().value : node.rrsets.get(qtype);
  return rrset === undefined ? { kind: "nodata", wildcard } : { kind: "rrset", rrset, wildcard };
}

/** Whether plain records beside a tailored answer have the type; of all types (ANY) they are the one RRset given. */
const hasPlain = <T>({ rrsets }: ZoneNode<T>, qtype: number): boolean =>
  qtype === TYPE.ANY ? rrsets.size > 0 : rrsets.has(qtype);
