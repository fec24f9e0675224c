/** Class CHAOS: what the server says of itself, by the names BIND made customary (RFC 4892). */

import { CLASS, RCODE, TYPE } from "./dns/iana.ts";
import { noSections, type Question } from "./dns/message.ts";
import { domainName } from "./dns/name.ts";
import { refused } from "./resolve.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Resolution } from "./trace.ts";

/** Answers `version.bind`, `version.server`, `id.server` and `hostname.bind`; an empty setting hides them. */
export function resolveChaos(snapshot: Snapshot, { qname, qtype }: Question): Resolution {
  const { version, identity } = snapshot.configuration.settings;
  const name = domainName(qname);
  const texts: Readonly<Record<string, string>> = {
    "version.bind.": version,
    "version.server.": version,
    "id.server.": identity,
    "hostname.bind.": identity,
  };
  const text = texts[name] ?? "";
  if (text === "") return refused(`${name} is not served in class CH`);
  const octets = Buffer.from(text);
  const rrset = {
    owner: qname,
    name,
    type: TYPE.TXT,
    class: CLASS.CH,
    ttlSeconds: 0,
    rdatas: [Uint8Array.from([octets.length, ...octets])],
  };
  const wanted = qtype === TYPE.TXT || qtype === TYPE.ANY;
  return {
    kind: "resolved",
    rcode: RCODE.NOERROR,
    authoritative: true,
    sections: wanted ? { ...noSections, answer: [rrset] } : noSections,
    scopePrefixLength: 0,
    hops: [],
    extendedErrors: [],
  };
}
