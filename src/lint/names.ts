/** Where names lead: out of what is served, to nothing, too far, or into another cloud. */

import { choosable, ownerNames, serviceRRset } from "../cloud/chain.ts";
import { fillTemplate } from "../cloud/name-template.ts";
import { listsOf } from "../cloud/record-rules.ts";
import type { Cloud, Service } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import { bindingsOf, findMatch, matchesOf, tenantLabelOf, tenantTemplates } from "../cloud/tenant-names.ts";
import type { AddressSource } from "../cloud/topology.ts";
import type { Spot } from "../config/tenants-builder.ts";
import { formatType, TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, domainName, nameOctets, replaceSuffix } from "../dns/name.ts";
import { formatRdata } from "../dns/rdata.ts";
import { formatAddress, type IpPrefix, prefixContains } from "../ip.ts";
import { lookup } from "../zone/lookup.ts";
import { findZone, type Zones, zonesOfRecords } from "../zone/zone.ts";
import { type Finding, fewOf, type Subject } from "./finding.ts";

/** Links of a chain that resolvers are sure to follow. */
const MAX_CNAMES = 8;

/** What one name says of another, or of addresses. */
interface Edge {
  /** the name, or the wildcard, that the record stands at */
  readonly owner: DomainName;
  readonly rrset: RRset;
  /** where a CNAME or DNAME leads from the name that was looked up; undefined at addresses */
  readonly target: Uint8Array | undefined;
}

const followed: readonly number[] = [TYPE.CNAME, TYPE.DNAME, TYPE.A, TYPE.AAAA];

/** All that a name can answer with, whoever asks and whatever the states: aliases and addresses. */
function edgesAt(zones: Zones<TailoredName>, octets: Uint8Array): readonly Edge[] {
  const name = domainName(octets);
  const zone = findZone(zones, name);
  if (zone === undefined || zone.kind === "scripted") return [];
  const edges = new Map<RRset, Edge>();
  for (const type of [TYPE.A, TYPE.AAAA]) {
    const found = lookup(zone, name, type);
    switch (found.kind) {
      case "rrset":
      case "cname":
        edges.set(found.rrset, edgeOf(found.rrset.name, found.rrset));
        break;
      case "dname": {
        const { owner, rdatas, name: at } = found.rrset;
        const target = rdatas[0] && replaceSuffix(octets, owner, rdatas[0]);
        edges.set(found.rrset, { owner: at, rrset: found.rrset, target });
        break;
      }
      case "tailored": {
        const owner = found.wildcard ?? name;
        for (const rrset of rrsetsOf(found.tailored)) edges.set(rrset, edgeOf(owner, rrset));
        break;
      }
      case "referral":
      case "nodata":
      case "nxdomain":
        break;
      default:
        found satisfies never;
    }
  }
  return [...edges.values()];
}

const edgeOf = (owner: DomainName, rrset: RRset): Edge => ({
  owner,
  rrset,
  target: rrset.type === TYPE.CNAME ? rrset.rdatas[0] : undefined,
});

/** The RRsets that a tailored name can give, whatever is chosen. */
function rrsetsOf(tailored: TailoredName): readonly RRset[] {
  if (tailored.kind === "records") {
    return listsOf(tailored.rules).flatMap(({ list }) => list.filter(({ type }) => followed.includes(type)));
  }
  return choosable(tailored).flatMap((datacenter) =>
    [TYPE.A, TYPE.AAAA].flatMap((type) => serviceRRset(tailored, datacenter, type) ?? []),
  );
}

/** The CNAMEs and DNAMEs that the lab writes itself, in zones and in lists of tailored names. */
function* writtenAliases({
  snapshot: { configuration },
}: Subject): Generator<RRset & { readonly owned: DomainName }> {
  for (const zone of zonesOfRecords(configuration.zones)) {
    for (const [name, { rrsets, tailored }] of zone.nodes.kept()) {
      const ofLists = tailored?.kind === "records" ? rrsetsOf(tailored) : [];
      for (const rrset of [...rrsets.values(), ...ofLists]) {
        if (rrset.type === TYPE.CNAME || rrset.type === TYPE.DNAME) yield { ...rrset, owned: name };
      }
    }
  }
}

/** Services' own chains are checked when they are loaded; what is left are records. */
export function* findLostAliases(subject: Subject): Generator<Finding> {
  const { zones } = subject.snapshot.configuration;
  for (const { owned, type, rdatas } of writtenAliases(subject)) {
    const spot = subject.origins.ofRecord(owned, type);
    for (const rdata of spot === undefined ? [] : rdatas) {
      const target = domainName(rdata);
      const zone = findZone(zones, target);
      const found = zone?.kind === "records" ? lookup(zone, target, TYPE.A).kind : undefined;
      const head = `${formatType(type)} of ${owned} leads`;
      const outside =
        zone === undefined ? "in no zone served" : found === "referral" ? "which is delegated" : undefined;
      if (spot !== undefined && outside !== undefined) {
        const message = `the ${head} out of the lab, to ${target}, ${outside}`;
        yield { rule: "cname-leaking", spot, message };
      } else if (spot !== undefined && found === "nxdomain" && type === TYPE.CNAME) {
        const message = `the ${head} to ${target}, which does not exist`;
        yield { rule: "cname-dangling", spot, message };
      }
    }
  }
}

/** A name that someone may ask for, and where it is written. */
interface PublicName {
  readonly octets: Uint8Array;
  readonly spot: Spot;
}

export function* findLongChains(subject: Subject): Generator<Finding> {
  const { zones } = subject.snapshot.configuration;
  const known = new Map<DomainName, readonly DomainName[]>();
  /** The longest way from a name, without that name; a name met on the way a second time ends it. */
  const wayFrom = (octets: Uint8Array, onTheWay: ReadonlySet<DomainName>): readonly DomainName[] => {
    const name = domainName(octets);
    const found = known.get(name);
    if (found !== undefined) return found;
    let longest: readonly DomainName[] = [];
    for (const { target } of edgesAt(zones, octets)) {
      if (target === undefined || onTheWay.has(domainName(target))) continue;
      const rest = [domainName(target), ...wayFrom(target, new Set([...onTheWay, domainName(target)]))];
      if (rest.length > longest.length) longest = rest;
    }
    known.set(name, longest);
    return longest;
  };
  const told = new Set<string>();
  const onToldWays = new Set<DomainName>();
  for (const { octets, spot } of publicNames(subject)) {
    const name = domainName(octets);
    const way = wayFrom(octets, new Set([name]));
    const key = JSON.stringify(spot.place);
    if (way.length <= MAX_CNAMES || told.has(key) || onToldWays.has(name)) continue;
    told.add(key);
    for (const each of way) onToldWays.add(each);
    const message = `${name} leads through ${way.length} CNAMEs, and some resolvers follow no more than ${MAX_CNAMES}: ${way.join(" ")}`;
    yield { rule: "chain-too-long", spot, message };
  }
}

/** The names of services, of tenants one of each kind, and aliases that no other leads to. */
function* publicNames(subject: Subject): Generator<PublicName> {
  const { snapshot, origins } = subject;
  const { clouds } = snapshot.configuration;
  for (const cloud of clouds) {
    for (const service of cloud.services) {
      for (const [ownerIndex, octets] of firstNames(service, cloud)) {
        yield { octets, spot: origins.ofService(service, ["names", ownerIndex]) };
      }
    }
  }
  const targets = new Set<DomainName>();
  for (const { rdatas } of writtenAliases(subject))
    for (const rdata of rdatas) targets.add(domainName(rdata));
  for (const { owned, type } of writtenAliases(subject)) {
    const spot = targets.has(owned) ? undefined : origins.ofRecord(owned, type);
    if (spot !== undefined && type === TYPE.CNAME) yield { octets: nameOctets(owned), spot };
  }
}

function* firstNames(
  service: Service,
  cloud: Cloud,
): Generator<readonly [ownerIndex: number, octets: Uint8Array]> {
  for (const ownerIndex of service.links[0]?.owners.keys() ?? []) {
    yield* ownersOf(service, cloud, 0, ownerIndex).map((octets) => [ownerIndex, octets] as const);
  }
}

/** The names of one template; where tenants make them, one for each way in which tenants are placed. */
function ownersOf(
  service: Service,
  cloud: Cloud,
  linkIndex: number,
  ownerIndex: number,
): readonly Uint8Array[] {
  const template = service.links[linkIndex]?.owners[ownerIndex];
  if (template === undefined) return [];
  if (tenantLabelOf(template) === undefined) {
    return [...ownerNames(service, cloud, linkIndex, ownerIndex)].flatMap(({ owner }) => owner ?? []);
  }
  const found = tenantTemplates([cloud]).find(
    (each) => each.service === service && each.linkIndex === linkIndex && each.ownerIndex === ownerIndex,
  );
  if (found === undefined) return [];
  const { table } = found.tenants;
  const seen = new Set<number>();
  const names: Uint8Array[] = [];
  for (const match of matchesOf(found)) {
    const shape = table.shapeOf(table.homeOf(match.row, service.workload));
    if (seen.has(shape)) continue;
    seen.add(shape);
    const name = fillTemplate(template, bindingsOf(found, match));
    if (typeof name !== "string") names.push(name);
  }
  return names;
}

/** The cloud that shares its names with no other: whoever asks it must stay in it. */
const isSovereign = ({ name }: Cloud): boolean => name !== "Worldwide";

export function* findSovereignLeaks(subject: Subject): Generator<Finding> {
  const { snapshot, origins } = subject;
  const { clouds, zones } = snapshot.configuration;
  const findOwner = cloudFinder(subject);
  const pools = clouds.flatMap(poolsIn);
  const told = new Set<string>();
  for (const cloud of clouds.filter(isSovereign)) {
    const seen = new Set<DomainName>();
    const open = [...startsOf(cloud, subject)].map((octets) => ({ octets, start: domainName(octets) }));
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const { octets, start } = at;
      const name = domainName(octets);
      if (seen.has(name)) continue;
      seen.add(name);
      for (const { owner, rrset, target } of edgesAt(zones, octets)) {
        const leak =
          target === undefined
            ? leakOfAddresses(rrset, cloud, pools)
            : leakOfTarget(target, cloud, findOwner);
        if (leak === undefined) {
          if (target !== undefined) open.push({ octets: target, start });
          continue;
        }
        const spot =
          origins.ofRecord(owner, rrset.type) ?? origins.ofZone(findZone(zones, owner)?.apex ?? owner);
        const key = JSON.stringify([spot.place, leak]);
        if (told.has(key)) continue;
        told.add(key);
        const by = name === start ? "" : ` by ${name}`;
        const message = `${start}, a name of ${cloud.name}, can lead${by} to ${leak}`;
        yield { rule: "sovereign-leak", spot, message };
      }
    }
  }
}

function leakOfTarget(
  target: Uint8Array,
  cloud: Cloud,
  findOwner: (name: DomainName) => string | undefined,
): string | undefined {
  const name = domainName(target);
  const owner = findOwner(name);
  return owner === undefined || owner === cloud.name ? undefined : `${name}, a name of ${owner}`;
}

function leakOfAddresses({ type, rdatas }: RRset, cloud: Cloud, pools: readonly Pool[]): string | undefined {
  if (type !== TYPE.A && type !== TYPE.AAAA) return undefined;
  for (const octets of rdatas) {
    const address = { family: type === TYPE.A ? 4 : 6, octets } as const;
    const holders = pools.filter(
      ({ pool }) => pool.family === address.family && prefixContains(pool, address),
    );
    // Datacenters may share an address.
    const [first] = holders.some((holder) => holder.cloud === cloud.name) ? [] : holders;
    if (first !== undefined) return `${formatAddress(octets)}, an address of ${first.of}`;
  }
  return undefined;
}

/** Addresses of a cloud. */
interface Pool {
  readonly cloud: string;
  readonly pool: IpPrefix;
  /** whose they are, in words */
  readonly of: string;
}

/** All that a cloud's services can answer with, those published for it included. */
function poolsIn({ name, datacenters, services }: Cloud): readonly Pool[] {
  const of = (whose: string, sources: readonly AddressSource[]): readonly Pool[] =>
    sources.flatMap(prefixesOf).map((pool) => ({ cloud: name, pool, of: whose }));
  return [
    ...datacenters.flatMap(({ id, addresses }) => of(id, addresses)),
    ...services.flatMap(({ end }) => {
      if (end.kind === "anycast") return of(`the edges of ${name}`, end.sources);
      if (end.kind === "alias") return [];
      return [...(end.published ?? [])].flatMap(([id, sources]) => of(id, sources));
    }),
  ];
}

const prefixesOf = (source: AddressSource): readonly IpPrefix[] =>
  source.kind === "pool"
    ? [source.pool]
    : source.addresses.map((octets) => ({ family: source.family, octets, length: octets.length * 8 }));

/** Every name of a cloud: in its own zones, and by its services. */
function* startsOf(cloud: Cloud, { snapshot, origins }: Subject): Generator<Uint8Array> {
  for (const zone of zonesOfRecords(snapshot.configuration.zones)) {
    if (origins.cloudOfZone(zone.apex) !== cloud.name) continue;
    for (const [name, node] of zone.nodes.kept()) {
      if (node.rrsets.size > 0 || node.tailored !== undefined) yield nameOctets(name);
    }
  }
  for (const service of cloud.services) {
    for (const [linkIndex, { owners }] of service.links.entries()) {
      for (const ownerIndex of owners.keys()) yield* ownersOf(service, cloud, linkIndex, ownerIndex);
    }
  }
}

/** Whose name a name is: that of the service that makes it, or of the zone that it is in where that is of one cloud. */
function cloudFinder({ snapshot, origins }: Subject): (name: DomainName) => string | undefined {
  const { clouds, zones } = snapshot.configuration;
  const made = new Map<DomainName, string>();
  for (const cloud of clouds) {
    for (const service of cloud.services) {
      for (const [linkIndex, { owners }] of service.links.entries()) {
        for (const [ownerIndex, template] of owners.entries()) {
          if (tenantLabelOf(template) !== undefined) continue;
          for (const octets of ownersOf(service, cloud, linkIndex, ownerIndex)) {
            made.set(domainName(octets), cloud.name);
          }
        }
      }
    }
  }
  const templates = tenantTemplates(clouds);
  return (name) => {
    const zone = findZone(zones, name);
    const template = templates.find((each) => findMatch(each, name) !== undefined);
    return made.get(name) ?? template?.tenants.cloud ?? (zone && origins.cloudOfZone(zone.apex));
  };
}

/** Zones that nobody can be sent to: their name servers have no address here. */
export function* findZonesWithoutAddresses({ snapshot, origins }: Subject): Generator<Finding> {
  const { zones } = snapshot.configuration;
  for (const zone of zonesOfRecords(zones)) {
    const hosts = zone.nodes.get(zone.apex)?.rrsets.get(TYPE.NS)?.rdatas ?? [];
    const spot = origins.ofRecord(zone.apex, TYPE.NS) ?? origins.ofZone(zone.apex);
    const bare = hosts.filter((host) => !hasAddress(zones, host));
    const names = bare.map((host) => formatRdata(TYPE.NS, host));
    if (bare.length === hosts.length) {
      const message = `no name server of ${zone.apex} has an address here: ${fewOf(names) || "there is none"}`;
      yield { rule: "zone-without-addresses", spot, message };
      continue;
    }
    for (const [i, host] of bare.entries()) {
      // What is not served here is known elsewhere.
      if (findZone(zones, domainName(host)) === undefined) continue;
      const message = `${names[i]}, a name server of ${zone.apex}, has no address`;
      yield { rule: "zone-without-addresses", spot, message };
    }
  }
}

function hasAddress(zones: Zones<TailoredName>, host: Uint8Array): boolean {
  const name = domainName(host);
  const zone = findZone(zones, name);
  if (zone === undefined) return false;
  if (zone.kind === "scripted") return true;
  return [TYPE.A, TYPE.AAAA].some((type) => ["rrset", "tailored"].includes(lookup(zone, name, type).kind));
}
