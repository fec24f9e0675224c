/** Explanations in band: what `_explain.NAME TXT` says of the answer for NAME, to who asks with nothing but dig. */

import { formatClientSubnet } from "./dns/client-subnet.ts";
import { formatRcode, formatType, RCODE, TYPE } from "./dns/iana.ts";
import { noSections, type Query, type RRset } from "./dns/message.ts";
import { domainName, formatName } from "./dns/name.ts";
import { formatRdata } from "./dns/rdata.ts";
import { geoipName, type Location, locateAddress } from "./geo/location-table.ts";
import { formatAddress, formatPrefix, prefixOf } from "./ip.ts";
import { formatTailoring } from "./reasons.ts";
import { findZoneOf, negativeSoa, resolve } from "./resolve.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Asker, type Hop, type Resolution, stopsInWords } from "./trace.ts";
import type { ScriptedZone } from "./zone/scripted-zone.ts";

/** The first label of a name that asks why, in wire format. */
const label = Buffer.from("\x08_explain");

/** Values of an RRset that stand in its line. */
const MAX_VALUES = 8;

/**
 * The answer to a question about an answer: the A records that the same asker would get for the name behind the first
 * label. Undefined where that is not asked, or where `server.explain` is off: then it is a name like any other.
 */
export function explainInBand(snapshot: Snapshot, query: Query, asker: Asker): Resolution | undefined {
  const { zones, settings } = snapshot.configuration;
  const { qname, qtype, qclass } = query.question;
  if (!settings.explain.txt || !asksWhy(qname)) return undefined;
  const about = qname.subarray(label.length);
  const name = domainName(qname);
  const zone = findZoneOf(zones, domainName(about), TYPE.A);
  if (zone === undefined) return undefined;
  const isTold = qtype === TYPE.TXT || qtype === TYPE.ANY;
  // Of other types its handler may know some; that there are none can be said only of zones whose records are here.
  if (zone.kind === "scripted" && !isTold) return undefined;
  const hop: Hop = {
    name,
    zone: zone.apex,
    found: "explanation",
    wildcard: undefined,
    dname: undefined,
    rrset: undefined,
    tailoring: undefined,
  };
  const none = { kind: "resolved", rcode: RCODE.NOERROR, authoritative: true, extendedErrors: [] } as const;
  if (!isTold) {
    // A resolver that took NXDOMAIN for one type would keep it for TXT too (RFC 2308 §5).
    const authority = zone.kind === "records" ? [negativeSoa(zone)] : [];
    return { ...none, sections: { ...noSections, authority }, scopePrefixLength: 0, hops: [hop] };
  }
  const resolution = resolve(snapshot, { qname: about, qtype: TYPE.A, qclass }, asker);
  const lines = linesOf(snapshot, query, asker, about, resolution);
  const rrset: RRset = {
    owner: qname,
    name,
    type: TYPE.TXT,
    // It names the asker, so that nobody else is to be told it.
    ttlSeconds: 0,
    rdatas: [Buffer.concat(lines.flatMap(characterStrings))],
  };
  return {
    ...none,
    sections: { ...noSections, answer: [rrset] },
    scopePrefixLength: resolution.kind === "resolved" ? resolution.scopePrefixLength : 0,
    hops: [{ ...hop, rrset }],
  };
}

function asksWhy(qname: Uint8Array): boolean {
  if (qname.length <= label.length) return false;
  return label.every((octet, i) => octet === octetInLowerCase(qname[i] ?? 0));
}

const octetInLowerCase = (octet: number): number => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet);

function linesOf(
  snapshot: Snapshot,
  query: Query,
  asker: Asker,
  about: Uint8Array,
  resolution: Resolution | ScriptedZone,
): readonly string[] {
  const { location, prefixLength } = locateAddress(snapshot.locations, asker.address);
  const what = `${formatName(about)} A`;
  const who = [
    `asker: ${askerInWords(query, asker)}`,
    `located: ${locationInWords(location)}, all of ${formatPrefix(prefixOf(asker.address, prefixLength))}`,
  ];
  if (resolution.kind === "scripted") {
    return [`${what}: not known`, ...who, `decision: the handler of ${resolution.apex} decides`];
  }
  const { rcode, hops, stop, scopePrefixLength, sections } = resolution;
  const answered = new Set(sections.answer);
  const decisions = hops.flatMap(({ name, tailoring }) =>
    tailoring === undefined ? [] : [`decision at ${name}: ${formatTailoring(tailoring)}`],
  );
  const scope =
    scopePrefixLength === 0
      ? "scope: 0, the same for everyone"
      : `scope: ${scopePrefixLength}, ${formatPrefix(prefixOf(asker.address, scopePrefixLength))}`;
  return [
    `${what}: ${formatRcode(rcode)}`,
    ...who,
    ...(decisions.length === 0 ? ["decision: none, no name on the way is tailored"] : decisions),
    ...hops
      .flatMap(({ dname, rrset }) => [dname ?? [], rrset ?? []].flat())
      .filter((rrset) => answered.has(rrset))
      .map((rrset) => `chain: ${lineOf(rrset)}`),
    ...(stop === undefined ? [] : [`stop: ${stopsInWords[stop]}`]),
    scope,
  ];
}

function askerInWords({ clientSubnet }: Query, { address, via }: Asker): string {
  const subnet = clientSubnet?.prefix && formatClientSubnet(clientSubnet);
  if (via === "client-subnet") return `client subnet ${subnet ?? formatAddress(address.octets)}`;
  const ignored = subnet === undefined ? "" : `; its client subnet ${subnet} does not count`;
  const where = via === "vantage" ? "vantage of the listener" : "source address";
  return `${where} ${formatAddress(address.octets)}${ignored}`;
}

function locationInWords(location: Location): string {
  const { city, country } = location.place;
  const where = city ?? country ?? "a point";
  switch (location.kind) {
    case "network":
      return `network ${location.network}, ${where}`;
    case "geoip":
      return `GeoIP ${geoipName(location) ?? "coordinates"}, ${where}`;
    case "default":
      return `default location, ${where}`;
    case "unlocated":
      return "nowhere";
    default:
      return location satisfies never;
  }
}

function lineOf({ owner, ttlSeconds, type, rdatas }: RRset): string {
  const values = rdatas.slice(0, MAX_VALUES).map((rdata) => formatRdata(type, rdata));
  const more = rdatas.length - values.length;
  return `${formatName(owner)} ${ttlSeconds} ${formatType(type)} ${values.join(" ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const MAX_STRING_OCTETS = 255;

/** A line as character strings (RFC 1035 §3.3): one, unless it is longer than one can be. */
function characterStrings(line: string): readonly Buffer[] {
  const parts = [""];
  for (const character of line) {
    const last = parts.at(-1) ?? "";
    if (Buffer.byteLength(last + character) > MAX_STRING_OCTETS) parts.push(character);
    else parts[parts.length - 1] = last + character;
  }
  return parts.map((part) => Buffer.from([Buffer.byteLength(part), ...Buffer.from(part)]));
}
