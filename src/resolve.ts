/** Follows a name through the zones (RFC 1034 §4.3.2) and chooses wherever it is tailored. */

import {
  choosable,
  inRegion,
  isAliasOfService,
  type ServiceName,
  serviceRRset,
  typesOf,
} from "./cloud/chain.ts";
import { type Choice, chooseActive, chooseNearest } from "./cloud/choose.ts";
import { type RecordsName, rrsetFor } from "./cloud/record-rules.ts";
import type { WhenAllDown } from "./cloud/service.ts";
import { placeOf, stateOf } from "./cloud/states.ts";
import type { TailoredName } from "./cloud/tailored-name.ts";
import type { ExtendedError } from "./dns/edns.ts";
import { EXTENDED_ERROR, RCODE, TYPE } from "./dns/iana.ts";
import { noSections, type Question, type RRset, type Sections } from "./dns/message.ts";
import { type DomainName, domainName, isAtOrBelow, parentOf, replaceSuffix } from "./dns/name.ts";
import { formatTailoring } from "./reasons.ts";
import { type LocationClass, locationClass, orderOf, ruleClass, type Snapshot } from "./snapshot.ts";
import type { Asker, Hop, Resolution, Stop, Tailoring } from "./trace.ts";
import { lookup } from "./zone/lookup.ts";
import type { ScriptedZone } from "./zone/scripted-zone.ts";
import { findZone, minimumOf, type Zone, type Zones } from "./zone/zone.ts";

/** CNAMEs followed for one query. Real chains have eight at the most; what is longer is cut there. */
const MAX_CHAIN = 16;

/** The answer to a question of class IN, from all zones; or the scripted zone of the QNAME, whose handler answers. */
export function resolve(
  snapshot: Snapshot,
  { qname, qtype }: Question,
  asker: Asker,
): Resolution | ScriptedZone {
  const { zones, settings, quirks } = snapshot.configuration;
  const hops: Hop[] = [];
  const seen = new Set<DomainName>();
  let owner = qname;
  let name = domainName(owner);
  let zone = findZoneOf(zones, name, qtype);
  if (zone === undefined) return refused(`no zone served here holds ${name}`);
  if (zone.kind === "scripted") return zone;
  const first = zone;
  for (; zone !== undefined; zone = findZoneOf(zones, name, qtype)) {
    // What a zone with quirks says depends on how it is asked, which its own servers see: they are asked anew.
    if (zone !== first && quirks.has(zone.apex))
      return { ...conclude(snapshot, hops, undefined), stop: "quirks" };
    if (zone.kind === "scripted") return { ...conclude(snapshot, hops, undefined), stop: "scripted" };
    seen.add(name);
    const hop = visit(snapshot, zone, name, owner, qtype, asker);
    hops.push(hop);
    const target = hop.found === "cname" ? hop.rrset?.rdatas[0] : undefined;
    if (target === undefined) return conclude(snapshot, hops, zone);
    owner = target;
    name = domainName(target);
    const stop = stopAt(settings.answer, seen.has(name), hops.length);
    if (stop !== undefined) return { ...conclude(snapshot, hops, undefined), stop };
  }
  return { ...conclude(snapshot, hops, undefined), stop: "leaves" };
}

/** Why a chain is not followed to its next name. */
function stopAt(answer: "full" | "first-cname", isSeen: boolean, length: number): Stop | undefined {
  if (answer === "first-cname") return "first-cname";
  if (isSeen) return "loop";
  return length === MAX_CHAIN ? "too-long" : undefined;
}

/** A response without records, for what is no lookup. */
export const notAnswered = (rcode: number, stop?: Stop): Resolution => ({
  kind: "resolved",
  rcode,
  authoritative: false,
  sections: noSections,
  scopePrefixLength: 0,
  hops: [],
  extendedErrors: [],
  stop,
});

/** A refusal tells a person what was missing (RFC 8914 §4.21). */
export const refused = (text: string): Resolution => ({
  ...notAnswered(RCODE.REFUSED, "not-served"),
  extendedErrors: [{ code: EXTENDED_ERROR.NOT_AUTHORITATIVE, text }],
});

/** A refusal of what nobody may ask of this server (RFC 8914 §4.22). */
export const notSupported = (text: string, stop?: Stop): Resolution => ({
  ...notAnswered(RCODE.REFUSED, stop),
  extendedErrors: [{ code: EXTENDED_ERROR.NOT_SUPPORTED, text }],
});

/** The zone that has the say of a name. For DS that is the one above a zone cut, if it has the name (RFC 4035 §3.1.4.1). */
export function findZoneOf(
  zones: Zones<TailoredName>,
  name: DomainName,
  qtype: number,
): Zone<TailoredName> | ScriptedZone | undefined {
  const zone = findZone(zones, name);
  const parent = parentOf(name);
  if (qtype !== TYPE.DS || zone?.apex !== name || parent === undefined) return zone;
  const upper = findZone(zones, parent);
  return upper?.kind === "records" && upper.nodes.has(name) ? upper : zone;
}

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
  const nothing = { wildcard: undefined, dname: undefined, rrset: undefined, tailoring: undefined };
  const hop = { name, zone: zone.apex, ...nothing };
  switch (result.kind) {
    case "rrset":
    case "cname":
      return {
        ...hop,
        found: result.kind,
        wildcard: result.wildcard,
        rrset: { ...result.rrset, owner, name },
      };
    case "dname":
      return { ...hop, dname: result.rrset, ...aliasByDname(result.rrset, name, owner, qtype) };
    case "referral":
      return { ...hop, found: "referral", rrset: result.nameservers };
    case "nodata":
      return { ...hop, found: "nodata", wildcard: result.wildcard };
    case "nxdomain":
      return { ...hop, found: "nxdomain" };
    case "tailored": {
      const { tailored, wildcard } = result;
      // NODATA for a type that no choice has does not depend on the asker, so nothing is chosen.
      if (!hasType(tailored, qtype)) return { ...hop, found: "nodata", wildcard };
      const tailoring = tailor(snapshot, tailored, asker);
      const { choice } = tailoring;
      if (choice.kind !== "datacenter" && choice.kind !== "rule")
        return { ...hop, found: choice.kind, wildcard, tailoring };
      const rrset = chosenRRset(tailored, choice, qtype);
      if (rrset === undefined) return { ...hop, found: "nodata", wildcard, tailoring };
      const isFollowed = rrset.type === TYPE.CNAME && qtype !== TYPE.CNAME && qtype !== TYPE.ANY;
      const found = isFollowed ? "cname" : "rrset";
      const ttlSeconds = healthTtl(snapshot, tailored) ?? rrset.ttlSeconds;
      return { ...hop, found, wildcard, rrset: { ...rrset, owner, name, ttlSeconds }, tailoring };
    }
  }
}

/** The TTL of a tailored answer where it follows the probes of its cloud, in seconds. */
const healthTtl = ({ healthTtls }: Snapshot, tailored: TailoredName): number | undefined =>
  tailored.kind === "service" ? healthTtls.get(tailored.service.cloud) : undefined;

/** Whether any choice answers a type: with records of it, or with a CNAME. */
function hasType(tailored: TailoredName, qtype: number): boolean {
  switch (tailored.kind) {
    case "service":
      return isAliasOfService(tailored) || qtype === TYPE.ANY || typesOf(tailored).includes(qtype);
    case "records":
      return [qtype, TYPE.CNAME].some((type) => tailored.types.has(type)) || qtype === TYPE.ANY;
    default:
      return tailored satisfies never;
  }
}

/** What a tailored name holds of a type once it is chosen; undefined where that is nothing (NODATA). */
function chosenRRset(
  tailored: TailoredName,
  choice: Extract<Choice, { readonly kind: "datacenter" | "rule" }>,
  qtype: number,
): RRset | undefined {
  if (choice.kind === "rule") return rrsetFor(choice.rule.list, qtype);
  if (tailored.kind === "service") return serviceRRset(tailored, choice.datacenter, qtype);
  const { otherwise } = tailored.rules;
  const list = otherwise.kind === "nearest" ? otherwise.datacenters.get(choice.datacenter) : undefined;
  return list && rrsetFor(list, qtype);
}

/** The CNAME made from a DNAME (RFC 6672 §3.1: with its TTL), or YXDOMAIN where the name would be too long (§2.2). */
function aliasByDname(
  dname: RRset,
  name: DomainName,
  owner: Uint8Array,
  qtype: number,
): Pick<Hop, "found" | "rrset"> {
  const suffix = dname.rdatas[0];
  const target = suffix && replaceSuffix(owner, dname.owner, suffix);
  if (target === undefined) return { found: "yxdomain", rrset: undefined };
  const found = qtype === TYPE.CNAME || qtype === TYPE.ANY ? "rrset" : "cname";
  return {
    found,
    rrset: { owner, name, type: TYPE.CNAME, ttlSeconds: dname.ttlSeconds, rdatas: [target] },
  };
}

function tailor(snapshot: Snapshot, tailored: TailoredName, asker: Asker): Tailoring {
  switch (tailored.kind) {
    case "service":
      return tailorService(snapshot, tailored, asker);
    case "records":
      return tailorRecords(snapshot, tailored, asker);
    default:
      return tailored satisfies never;
  }
}

function tailorRecords(snapshot: Snapshot, tailored: RecordsName, asker: Asker): Tailoring {
  const { locationClass: found, rule } = ruleClass(snapshot, tailored, asker.address);
  if (rule !== undefined) {
    return { tailored, choice: { kind: "rule", rule, reason: rule.kind }, locationClass: found };
  }
  const { otherwise } = tailored.rules;
  const whenAllDown = otherwise.kind === "nearest" ? otherwise.whenAllDown : "nearest";
  return { tailored, choice: chooseByPlace(snapshot, found, whenAllDown), locationClass: found };
}

function tailorService(snapshot: Snapshot, tailored: ServiceName, asker: Asker): Tailoring {
  const { service, bindings } = tailored;
  const candidates = snapshot.candidates.get(service);
  if (candidates !== undefined) {
    const { group, ...whole } = locationClass(candidates, asker.address, service.spread);
    const inOrder = inRegion(whole.datacenters, bindings.region);
    // Where addresses have few candidates, those of another place's region may not be among them.
    const isCut = inOrder.length === 0 && whole.datacenters.length > 0;
    const found = { ...whole, datacenters: isCut ? choosable(tailored) : inOrder };
    const spread = service.spread && group && { spread: service.spread, group };
    const choice = chooseByPlace(snapshot, found, service.whenAllDown, spread);
    return { tailored, choice, locationClass: found, order: orderOf(snapshot, service, asker.address) };
  }
  if (bindings.tenant === undefined)
    throw new Error(`${service.name} follows tenants, and its name tells none`);
  const { tenant } = bindings;
  const place = placeOf(snapshot.tenantPlaces, tenant);
  const choice = chooseActive(tenant, place, snapshot.states, service.whenAllDown);
  return { tailored, choice, locationClass: undefined };
}

/** Who is nowhere has no nearest datacenter. */
function chooseByPlace(
  { configuration, states }: Snapshot,
  { isUnlocated, datacenters }: LocationClass,
  whenAllDown: WhenAllDown,
  spread?: Parameters<typeof chooseNearest>[3],
): Choice {
  const { unlocated } = configuration.settings.location;
  if (isUnlocated && unlocated !== "default") return { kind: unlocated, reason: "unlocated" };
  return chooseNearest(datacenters, states, whenAllDown, spread);
}

/** Puts the hops into sections; `zone` is that of the last hop, undefined where the chain was cut. */
function conclude(
  snapshot: Snapshot,
  hops: readonly Hop[],
  zone: Zone<TailoredName> | undefined,
): Resolution {
  const last = hops.at(-1);
  // RFC 7871 §7.2.1: along a chain the longest prefix that any step depends on is the scope. So it is for a NODATA that a
  // choice made, and for what is refused to those who cannot be located. §7.4 asks for 0 there, since caches may take any
  // negative answer for /0; but those that mind the scope would then give it to askers who have the type, or who can be
  // located, and the others do as they do.
  const scopePrefixLength = Math.max(
    0,
    ...hops.map((hop) => hop.tailoring?.locationClass?.prefixLength ?? 0),
  );
  const tailorings = hops.flatMap(({ tailoring }) => tailoring ?? []);
  const extendedErrors = [
    ...tailorings.flatMap((t) => [...unlocatedOf(t), ...outagesOf(snapshot, t)]),
    ...(snapshot.configuration.settings.explain.extendedErrors ? decisionsOf(tailorings) : []),
  ];
  if (last?.found === "servfail" || last?.found === "refused") {
    const rcode = last.found === "servfail" ? RCODE.SERVFAIL : RCODE.REFUSED;
    return { ...notAnswered(rcode), scopePrefixLength, hops, extendedErrors };
  }
  // A set, since a chain may come by the same DNAME again.
  const answer = [
    ...new Set(
      hops.flatMap(({ found, dname, rrset }) => [
        ...(dname === undefined ? [] : [dname]),
        ...(rrset === undefined || (found !== "rrset" && found !== "cname") ? [] : [rrset]),
      ]),
    ),
  ];
  const sections =
    zone === undefined || last === undefined ? { ...noSections, answer } : sectionsOf(answer, last, zone);
  return {
    kind: "resolved",
    rcode: rcodeOf(last),
    // RFC 1035 §4.1.1: AA speaks of the first owner name in the answer section.
    authoritative: answer.length > 0 || last?.found !== "referral",
    sections,
    scopePrefixLength,
    hops,
    extendedErrors,
  };
}

/** RFC 6604 §3: the RCODE is that of the last name of the chain. */
function rcodeOf(last: Hop | undefined): number {
  if (last?.found === "nxdomain") return RCODE.NXDOMAIN;
  return last?.found === "yxdomain" ? RCODE.YXDOMAIN : RCODE.NOERROR;
}

function sectionsOf(answer: readonly RRset[], last: Hop, zone: Zone<TailoredName>): Sections {
  const addresses = last.rrset?.type === TYPE.NS ? addressesOf(last.rrset, zone) : [];
  switch (last.found) {
    case "referral": {
      const cut = last.rrset;
      if (cut === undefined) return { ...noSections, answer };
      const [glue, additional] = partition(addresses, ({ name }) => isAtOrBelow(name, cut.name));
      return { answer, authority: [cut], glue, additional };
    }
    case "nodata":
    case "nxdomain":
      return { ...noSections, answer, authority: [negativeSoa(zone)] };
    default:
      return { ...noSections, answer, additional: addresses };
  }
}

/** The SOA of a negative answer, its TTL cut to how long that may be cached (RFC 2308 §3). */
export function negativeSoa({ soa }: Zone<TailoredName>): RRset {
  const [rdata] = soa.rdatas;
  const minimum = rdata === undefined ? 0 : minimumOf(rdata);
  return { ...soa, ttlSeconds: Math.min(soa.ttlSeconds, minimum) };
}

/** Addresses, from the same zone, of the name servers in an NS RRset (RFC 1034 §4.3.2 steps 3b and 6). */
function addressesOf(nameservers: RRset, zone: Zone<TailoredName>): readonly RRset[] {
  const names = new Set(nameservers.rdatas.map(domainName));
  return [...names].flatMap((name) => {
    const rrsets = zone.nodes.get(name)?.rrsets;
    return [rrsets?.get(TYPE.A) ?? [], rrsets?.get(TYPE.AAAA) ?? []].flat();
  });
}

/** That the asker could not be located: a refusal for that is by policy (RFC 8914 §4.19). */
function unlocatedOf({ tailored, choice }: Tailoring): readonly ExtendedError[] {
  if (choice.reason !== "unlocated") return [];
  const name =
    tailored.kind === "service" ? `${tailored.service.cloud}/${tailored.service.name}` : tailored.name;
  const code = choice.kind === "refused" ? EXTENDED_ERROR.PROHIBITED : EXTENDED_ERROR.OTHER;
  return [{ code, text: `${name} goes by place, and nothing tells where the asker is` }];
}

/** What was chosen and why: no error, but a text for a person (RFC 8914 §4.1). */
function decisionsOf(tailorings: readonly Tailoring[]): readonly ExtendedError[] {
  const texts = new Set(tailorings.map(formatTailoring));
  return texts.size === 0 ? [] : [{ code: EXTENDED_ERROR.OTHER, text: [...texts].join("; ") }];
}

/** What an answer owes to outages: the datacenters that would have been chosen otherwise. */
function outagesOf(
  { states, tenantPlaces }: Snapshot,
  { tailored, choice, locationClass: found }: Tailoring,
): readonly ExtendedError[] {
  if (choice.kind === "rule" || choice.reason === "unlocated") return [];
  const isService = tailored.kind === "service";
  if (choice.reason === "all-down") {
    const whose = isService ? `${tailored.service.cloud}/${tailored.service.name}` : tailored.name;
    return [{ code: EXTENDED_ERROR.OTHER, text: `all datacenters of ${whose} are down` }];
  }
  const tenant = isService ? tailored.bindings.tenant : undefined;
  const place = tenant && placeOf(tenantPlaces, tenant);
  if (place !== undefined && choice.reason === "standby" && stateOf(states, place.active) === "up") {
    const text = `${place.active.id} is up, and ${tenant?.home ?? tenant?.label} has not failed back to it`;
    return [{ code: EXTENDED_ERROR.OTHER, text }];
  }
  const preferred = found?.datacenters ?? (place === undefined ? [] : [place.active]);
  // Of those who share the clients the farthest is the first that an outage made one of them.
  const last = choice.spreading?.among.at(-1) ?? choice.datacenter;
  const at = preferred.indexOf(last); // a standby is not among those preferred
  const passedOver = (at < 0 ? preferred : preferred.slice(0, at)).filter(
    (datacenter) => stateOf(states, datacenter) !== "up",
  );
  if (passedOver.length === 0) return [];
  const [first, second, third, ...more] = passedOver;
  const named = [first, second, third].flatMap((datacenter) => datacenter ?? []);
  const text = named.map((datacenter) => `${datacenter.id} is ${stateOf(states, datacenter)}`).join(", ");
  return [
    { code: EXTENDED_ERROR.OTHER, text: more.length === 0 ? text : `${text}, and ${more.length} more` },
  ];
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): readonly [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
