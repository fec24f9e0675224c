/** What a snapshot answers for a name, asked by nobody in particular: the records of the type at the chain's end. */

import { CLASS } from "../src/dns/iana.ts";
import { type DomainName, nameOctets } from "../src/dns/name.ts";
import { formatRdata } from "../src/dns/rdata.ts";
import { resolve } from "../src/resolve.ts";
import type { Snapshot } from "../src/snapshot.ts";

export function resolveName(snapshot: Snapshot, name: DomainName, qtype: number): readonly string[] {
  const asker = { address: { family: 4, octets: Uint8Array.of(10, 1, 0, 1) }, via: "source" } as const;
  const resolution = resolve(snapshot, { qname: nameOctets(name), qtype, qclass: CLASS.IN }, asker);
  if (resolution.kind !== "resolved") return [];
  return resolution.sections.answer
    .filter(({ type }) => type === qtype)
    .flatMap(({ type, rdatas }) => rdatas.map((rdata) => formatRdata(type, rdata)));
}
