/**
 * What a configuration serves beside what the published endpoints list: names of the list that are not served, and names
 * and addresses of a cloud that the list does not hold. No tenant is looked at, however many there are.
 */

import { serviceRRset } from "../cloud/chain.ts";
import type { Cloud, Service } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import { type TenantTemplate, tenantTemplates } from "../cloud/tenant-names.ts";
import type { Datacenter } from "../cloud/topology.ts";
import type { Configuration } from "../config/configuration.ts";
import { TYPE } from "../dns/iana.ts";
import { type DomainName, domainName, nameOf, selfAndAncestors } from "../dns/name.ts";
import { matchesName, type NamePattern } from "../dns/name-pattern.ts";
import {
  type AddressFamily,
  formatAddress,
  formatPrefix,
  type IpPrefix,
  parsePrefix,
  prefixHolds,
} from "../ip.ts";
import { lookup } from "../zone/lookup.ts";
import { findZone, scriptedZones, type Zones, zonesOfRecords } from "../zone/zone.ts";
import type { EndpointSet } from "./file.ts";

/** What one is beside the other; as JSON it is what `import endpoints --json` prints. */
export interface EndpointsReport {
  readonly cloud: string;
  readonly records: number;
  /** of the file, each counted once */
  readonly names: Count;
  /** wildcards of the file under which no name is served, each counted once */
  readonly patterns: Count;
  /** public names of the cloud's services, a template counted once */
  readonly servedNames: Count;
  /** what answers of the cloud's services can hold */
  readonly addresses: Count & {
    /** whether all that are outside are from the prefixes for tests and documentation */
    readonly areLabAddresses: boolean;
  };
  /** of the file, each counted once */
  readonly prefixes: number;
  /** by service area and id */
  readonly notServed: readonly NotServed[];
  readonly namesOutside: readonly { readonly service: string; readonly names: readonly string[] }[];
  readonly addressesOutside: readonly AddressesOutside[];
}

export interface Count {
  readonly total: number;
  /** of these, those that are not served, or outside */
  readonly missing: number;
}

/** What is not served of one endpoint set. */
export interface NotServed extends Pick<EndpointSet, "serviceArea" | "id" | "category" | "required"> {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
}

/** Addresses that a service gives for a datacenter and no prefix of the file holds. */
export interface AddressesOutside {
  readonly service: string;
  /** undefined where they are the same for everyone */
  readonly datacenter: string | undefined;
  readonly count: number;
  /** `198.18.1.1-198.18.1.4`, or one address */
  readonly ranges: readonly string[];
}

/** Compares a file with a cloud; names of the file may be served by any cloud, since some are shared. */
export function compareEndpoints(
  sets: readonly EndpointSet[],
  { clouds, zones }: Pick<Configuration, "clouds" | "zones">,
  cloud: Cloud,
): EndpointsReport {
  const urls = sets.flatMap((set) => set.urls);
  const ips = sets.flatMap((set) => set.ips);
  const missing = findNotServed(urls, clouds, zones);
  const services = cloud.services.map((service) => ({ service, publicNames: publicNamesOf(service) }));
  const namesOutside = services.flatMap(({ service, publicNames }) => {
    const names = publicNames.filter((name) => !urls.some((url) => matchesName(url, sampleOf(name))));
    return names.length === 0 ? [] : [{ service: service.name, names }];
  });
  const given = cloud.services.flatMap((service) => givenAddresses(service, cloud));
  const outside = given.flatMap(({ addresses, ...of }) => {
    const others = addresses.filter((address) => !ips.some((prefix) => holds(prefix, address)));
    return others.length === 0 ? [] : [{ ...of, addresses: others }];
  });
  const allOutside = outside.flatMap(({ addresses }) => addresses);
  const isMissing = ({ text }: NamePattern): boolean => missing.has(text);
  return {
    cloud: cloud.name,
    records: sets.length,
    names: countUrls(urls, "name", isMissing),
    patterns: countUrls(urls, "wildcard", isMissing),
    servedNames: {
      total: services.reduce((sum, { publicNames }) => sum + publicNames.length, 0),
      missing: namesOutside.reduce((sum, { names }) => sum + names.length, 0),
    },
    addresses: {
      total: countDistinct(given.flatMap(({ addresses }) => addresses)),
      missing: countDistinct(allOutside),
      areLabAddresses:
        allOutside.length > 0 &&
        allOutside.every((address) => labPrefixes.some((prefix) => holds(prefix, address))),
    },
    prefixes: new Set(ips.map(formatPrefix)).size,
    notServed: sets
      .map(({ serviceArea, id, category, required, urls: ofSet }) => {
        const textsOf = (kind: NamePattern["kind"]): readonly string[] =>
          ofSet.flatMap((url) => (url.kind === kind && isMissing(url) ? url.text : []));
        const [names, patterns] = [textsOf("name"), textsOf("wildcard")];
        return { serviceArea, id, category, required, names, patterns };
      })
      .filter(({ names, patterns }) => names.length + patterns.length > 0)
      .toSorted((a, b) => compareTexts(a.serviceArea, b.serviceArea) || a.id - b.id),
    namesOutside,
    addressesOutside: outside.map(({ service, datacenter, addresses }) => ({
      service,
      datacenter,
      count: addresses.length,
      ranges: [...rangesOf(addresses)],
    })),
  };
}

/** Whether the comparison found anything. */
export const differs = ({ names, patterns, servedNames, addresses }: EndpointsReport): boolean =>
  [names, patterns, servedNames, addresses].some(({ missing }) => missing > 0);

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function countUrls(
  urls: readonly NamePattern[],
  kind: NamePattern["kind"],
  isMissing: (url: NamePattern) => boolean,
): Count {
  const distinct = new Map(urls.flatMap((url) => (url.kind === kind ? [[url.text.toLowerCase(), url]] : [])));
  return { total: distinct.size, missing: [...distinct.values()].filter(isMissing).length };
}

/** The texts of names without records here, and of wildcards without a name that has any. */
function findNotServed(
  urls: readonly NamePattern[],
  clouds: readonly Cloud[],
  zones: Zones<TailoredName>,
): ReadonlySet<string> {
  const missing = new Set<string>();
  const open = new Map<DomainName, Set<NamePattern>>();
  for (const url of urls) {
    if (isServed(zones, url.kind === "name" ? url.name : url.sample)) continue;
    missing.add(url.text);
    if (url.kind === "wildcard") open.set(url.below, (open.get(url.below) ?? new Set()).add(url));
  }
  for (const name of representatives(clouds, zones)) {
    for (const ancestor of selfAndAncestors(name)) {
      for (const pattern of open.get(ancestor) ?? []) {
        if (!matchesName(pattern, name)) continue;
        open.get(ancestor)?.delete(pattern);
        missing.delete(pattern.text);
      }
    }
  }
  return missing;
}

/** Whether a client that asks for addresses of a name is answered with any, or with a CNAME. */
function isServed(zones: Zones<TailoredName>, name: DomainName): boolean {
  const zone = findZone(zones, name);
  if (zone === undefined) return false;
  if (zone.kind === "scripted") return true;
  return [TYPE.A, TYPE.AAAA].some((type) =>
    ["rrset", "cname", "tailored", "dname"].includes(lookup(zone, name, type).kind),
  );
}

/**
 * Every name that is served, but of those of tenants one for each template, made for a tenant that there need not be; and
 * without the name servers that each zone has.
 */
function* representatives(clouds: readonly Cloud[], zones: Zones<TailoredName>): Generator<DomainName> {
  for (const template of tenantTemplates(clouds)) {
    if (isInUse(template)) yield nameOf(`${template.prefix}x${template.suffix}.${template.parent}`);
  }
  for (const { apex } of scriptedZones(zones)) yield apex;
  for (const { apex, nodes } of zonesOfRecords(zones)) {
    const nameservers = new Set(nodes.get(apex)?.rrsets.get(TYPE.NS)?.rdatas.map(domainName));
    for (const [name, { rrsets, tailored }] of nodes.kept()) {
      const isEmpty = rrsets.size === 0 && tailored === undefined;
      if (!isEmpty && !nameservers.has(name) && isServed(zones, name)) yield name;
    }
  }
}

/** Whether there is a tenant, or a domain of one, for which a template makes a name. */
const isInUse = ({ holds: held, tenants }: TenantTemplate): boolean =>
  tenants.unknown !== undefined ||
  (held === "tenant" ? tenants.count > 0 : tenants.domains().next().done !== true);

/** The names that a service's chains begin with, as templates. */
const publicNamesOf = ({ links: [first] }: Service): readonly string[] =>
  first?.owners.map(({ text }) => text) ?? [];

/** A name that a template makes; what stands in the placeholder is a part of one label. */
const sampleOf = (template: string): DomainName => nameOf(template.replace(/\{[^}]*\}/g, "x"));

interface GivenAddresses {
  readonly service: string;
  readonly datacenter: string | undefined;
  readonly addresses: readonly Uint8Array[];
}

/** The addresses at the end of a service's chain, for each datacenter that it can choose. */
function givenAddresses(service: Service, { datacenters }: Cloud): readonly GivenAddresses[] {
  const { end, name, links, policy, candidates } = service;
  const linkIndex = links.length - 1;
  const owner = Uint8Array.of(0);
  const addressesFor = (datacenter: Datacenter): readonly Uint8Array[] =>
    [TYPE.A, TYPE.AAAA].flatMap(
      (type) =>
        serviceRRset({ kind: "service", service, linkIndex, owner, bindings: {} }, datacenter, type)
          ?.rdatas ?? [],
    );
  switch (end.kind) {
    case "alias":
      return [];
    case "anycast":
      return datacenters
        .slice(0, 1)
        .map((any) => ({ service: name, datacenter: undefined, addresses: addressesFor(any) }));
    case "addresses": {
      const choosable =
        policy === "nearest-datacenter"
          ? candidates
          : datacenters.filter(({ roles }) => roles.has("tenants"));
      return choosable.map((datacenter) => ({
        service: name,
        datacenter: datacenter.shortId,
        addresses: addressesFor(datacenter),
      }));
    }
    default:
      return end satisfies never;
  }
}

const familyOf = (octets: Uint8Array): AddressFamily => (octets.length === 4 ? 4 : 6);

const holds = (prefix: IpPrefix, octets: Uint8Array): boolean =>
  prefixHolds(prefix, familyOf(octets), octets, 0);

/** Benchmarking (RFC 2544) and documentation (RFC 3849): never Microsoft's. */
const labPrefixes: readonly IpPrefix[] = ["198.18.0.0/15", "2001:db8::/32"].map((text) => {
  const prefix = parsePrefix(text);
  if (typeof prefix === "string") throw new Error(prefix);
  return prefix;
});

const countDistinct = (addresses: readonly Uint8Array[]): number =>
  new Set(addresses.map((octets) => Buffer.from(octets).toString("latin1"))).size;

/** Addresses as ranges, by family and in order. */
function* rangesOf(addresses: readonly Uint8Array[]): Generator<string> {
  const sorted = addresses.toSorted((a, b) => a.length - b.length || Buffer.compare(a, b));
  let first: Uint8Array | undefined;
  for (const [i, address] of sorted.entries()) {
    first ??= address;
    const next = sorted[i + 1];
    if (next !== undefined && (Buffer.compare(next, address) === 0 || isNext(address, next))) continue;
    const [from, to] = [formatAddress(first), formatAddress(address)];
    yield from === to ? from : `${from}-${to}`;
    first = undefined;
  }
}

/** Whether an address is the next one behind another. */
function isNext(address: Uint8Array, next: Uint8Array): boolean {
  if (address.length !== next.length) return false;
  const after = Uint8Array.from(address);
  for (let i = after.length - 1; i >= 0; i--) {
    const sum = (after[i] ?? 0) + 1;
    after[i] = sum & 0xff;
    if (sum < 0x100) break;
  }
  return Buffer.compare(after, next) === 0;
}
