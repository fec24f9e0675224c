/** Whether a zone can work: what it must have, and targets in it that lead nowhere. */

import { formatType, TYPE } from "../dns/iana.ts";
import { type DomainName, domainName, isAtOrBelow, selfAndAncestors } from "../dns/name.ts";
import { lookup } from "./lookup.ts";
import type { NodeTable, RecordNumber } from "./node-table.ts";
import type { Zone } from "./zone.ts";

/** What is wrong with a record; an error at the apex keeps the whole zone from working. */
export interface IntegrityFault {
  readonly severity: "error" | "warning";
  readonly record: RecordNumber;
  readonly message: string;
}

/** How many octets of RDATA stand before the name of a host. */
const hostAt: ReadonlyMap<number, number> = new Map([
  [TYPE.NS, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
]);

/** The records whose hosts lie in the zone and have no address there, or are aliases (RFC 2181 §10.3). */
export function* checkHosts<T>(zone: Zone<T>, table: NodeTable<T>): Generator<IntegrityFault> {
  for (let record = 0; record < table.recordCount; record++) {
    const type = table.typeOf(record);
    const at = hostAt.get(type);
    if (at === undefined) continue;
    const host = domainName(table.rdataOf(record).subarray(at));
    // The root as the host of an MX or SRV says that there is no such service (RFC 7505 §3, RFC 2782).
    if (host === "." || !isAtOrBelow(host, zone.apex)) continue;
    if (holdsAddresses(table, host) && !(zone.hidesNames && isHidden(table, host, zone.apex))) continue;
    const owner = table.nameOf(table.nodeOf(record));
    const words = whyNoAddress(
      zone,
      host,
      type === TYPE.NS && owner !== zone.apex && isAtOrBelow(host, owner),
    );
    if (words === undefined) continue;
    const severity = type === TYPE.NS && owner === zone.apex ? "error" : "warning";
    yield { severity, record, message: `${formatType(type)} ${host} ${words}` };
  }
}

/** What is true of nearly every host, told without making a node of it. */
function holdsAddresses<T>(table: NodeTable<T>, host: DomainName): boolean {
  const node = table.findNode(host);
  return node !== undefined && (table.hasType(node, TYPE.A) || table.hasType(node, TYPE.AAAA));
}

/** Whether a delegation at or above a name, or a DNAME above it, has the say there. */
function isHidden<T>(table: NodeTable<T>, name: DomainName, apex: DomainName): boolean {
  for (const at of selfAndAncestors(name)) {
    const node = table.findNode(at);
    if (node !== undefined && at !== name && table.hasType(node, TYPE.DNAME)) return true;
    if (at === apex) return false;
    if (node !== undefined && table.hasType(node, TYPE.NS)) return true;
  }
  return false;
}

/** What is wrong with a host; below a zone cut another zone knows, but a delegation needs glue from here. */
function whyNoAddress<T>(zone: Zone<T>, host: DomainName, needsGlue: boolean): string | undefined {
  const found = [TYPE.A, TYPE.AAAA].map((type) => lookup(zone, host, type));
  const kinds = new Set(found.map(({ kind }) => kind));
  if (kinds.has("cname") || kinds.has("dname")) return "is an alias, where a name with addresses is needed";
  if (kinds.has("rrset") || kinds.has("tailored")) return undefined;
  if (!kinds.has("referral")) return "has no address in this zone";
  const glue = zone.nodes.get(host)?.rrsets;
  if (!needsGlue || glue?.has(TYPE.A) || glue?.has(TYPE.AAAA)) return undefined;
  return "lies below a zone cut and has no glue here";
}
