/** A zone as it is seen from one place, as a master file: a tailored name holds what that place is answered. */

import type { TailoredName } from "./cloud/tailored-name.ts";
import { alternativesOf } from "./config/build-zones.ts";
import { CLASS } from "./dns/iana.ts";
import { formatRRset } from "./dns/message.ts";
import { canonicalKey, type DomainName, domainName, nameOctets, ROOT_OCTETS } from "./dns/name.ts";
import { resolve } from "./resolve.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Asker } from "./trace.ts";
import type { Zone } from "./zone/zone.ts";

/** One record in presentation format, or a comment. */
export type MasterLine = string;

/** The lines of a zone's master file: the SOA first, then the names in canonical order (RFC 4034 §6.1). */
export function* exportZone(
  snapshot: Snapshot,
  zone: Zone<TailoredName>,
  asker: Asker,
): Generator<MasterLine> {
  yield* formatRRset(zone.soa);
  for (const name of inCanonicalOrder(zone)) {
    const node = zone.nodes.get(name);
    if (node === undefined) continue;
    for (const rrset of node.rrsets.values()) if (rrset.type !== zone.soa.type) yield* formatRRset(rrset);
    if (node.tailored !== undefined) yield* tailoredLines(snapshot, name, node.tailored, asker);
  }
}

/** All names of a zone. Those of tenants are sorted as keys alone, since there may be millions. */
function* inCanonicalOrder({ nodes }: Zone<TailoredName>): Generator<DomainName> {
  const kept = Array.from(nodes.kept(), ([name]) => ({ name, key: keyOf(name) }));
  kept.sort((a, b) => (a.key < b.key ? -1 : 1));
  const virtual = Array.from(nodes.virtual?.names() ?? [], keyOf).sort();
  let at = 0;
  for (const { name, key } of kept) {
    for (let other = virtual[at]; other !== undefined && other < key; other = virtual[++at]) {
      yield nameOfKey(other);
    }
    if (virtual[at] === key) at++;
    yield name;
  }
  for (; at < virtual.length; at++) yield nameOfKey(virtual[at] ?? "");
}

const keyOf = (name: DomainName): string => canonicalKey(nameOctets(name));

/** The name of a key in which no label has an octet 0. */
function nameOfKey(key: string): DomainName {
  const labels = key.split("\0").reverse();
  return domainName(
    Buffer.concat([
      ...labels.flatMap((label) => [Uint8Array.of(label.length), Buffer.from(label, "latin1")]),
      ROOT_OCTETS,
    ]),
  );
}

/** What a tailored name holds for the asker, type by type as the server answers them; why there is nothing, if so. */
function* tailoredLines(
  snapshot: Snapshot,
  name: DomainName,
  tailored: TailoredName,
  asker: Asker,
): Generator<MasterLine> {
  const types = new Set(
    alternativesOf(tailored).choices.flatMap(({ rrsets }) => rrsets.map(({ type }) => type)),
  );
  const qname = tailored.kind === "service" ? tailored.owner : nameOctets(name);
  let lines = 0;
  for (const qtype of types) {
    const resolution = resolve(snapshot, { qname, qtype, qclass: CLASS.IN }, asker);
    const hop = resolution.kind === "scripted" ? undefined : resolution.hops[0];
    if (hop?.rrset?.type !== qtype || hop.tailoring === undefined) continue;
    for (const line of formatRRset(hop.rrset)) {
      lines++;
      yield `${line} ; ${hop.tailoring.choice.reason}`;
    }
  }
  if (lines === 0) yield `; ${name} is tailored, and holds nothing for this place`;
}
