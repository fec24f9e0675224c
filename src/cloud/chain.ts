/** A service's chain as records: which name is a CNAME to which, which is tailored, and what addresses stand at the end. */

import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { domainName } from "../dns/name.ts";
import { type AddressFamily, addressAt, addressBits, type IpPrefix } from "../ip.ts";
import { type Bindings, fillTemplate, type NameTemplate } from "./name-template.ts";
import type { ChainEndAddresses, Cloud, Service, Slice } from "./service.ts";
import { NO_ROW } from "./tenant-table.ts";
import { type AddressSource, type Datacenter, FARM_SLOTS, type TenantGeo } from "./topology.ts";

/** A name of a service whose answer waits for a choice of datacenter. */
export interface ServiceName {
  readonly kind: "service";
  readonly service: Service;
  readonly linkIndex: number;
  /** as published */
  readonly owner: Uint8Array;
  /** what the owner tells: never the datacenter */
  readonly bindings: Bindings;
}

/** Which template a name of a chain is written by, and for whom. */
export interface ChainOrigin {
  readonly linkIndex: number;
  readonly ownerIndex: number;
  readonly bindings: Bindings;
}

/** A name of a service's chain with what it holds, or what is wrong with it or with its CNAME target. */
export type ChainName = ChainOrigin &
  (
    | { readonly kind: "records"; readonly owner: Uint8Array; readonly rrsets: readonly RRset[] }
    | { readonly kind: "tailored"; readonly owner: Uint8Array; readonly tailored: ServiceName }
    | ChainFault
  );

export interface ChainFault {
  readonly kind: "fault";
  readonly where: "owner" | "target";
  /** undefined where it cannot be written */
  readonly owner: Uint8Array | undefined;
  readonly message: string;
}

/** Every name that a service's chain can hold, for all datacenters, slots and tenants it may name. */
export function* chainNames(service: Service, cloud: Cloud): Generator<ChainName> {
  for (const [linkIndex, link] of service.links.entries()) {
    for (const ownerIndex of link.owners.keys()) yield* ownerNames(service, cloud, linkIndex, ownerIndex);
  }
}

/** The names of one owner template of a service. */
export function* ownerNames(
  service: Service,
  cloud: Cloud,
  linkIndex: number,
  ownerIndex: number,
): Generator<ChainName> {
  const template = service.links[linkIndex]?.owners[ownerIndex];
  if (template === undefined) return;
  for (const bindings of bindingsFor(template, service, cloud)) {
    yield chainName(service, { linkIndex, ownerIndex, bindings });
  }
}

/** The name that one owner template of a service has for those who are bound in it. */
export function chainName(service: Service, origin: ChainOrigin): ChainName {
  const { linkIndex, ownerIndex, bindings } = origin;
  const template = service.links[linkIndex]?.owners[ownerIndex];
  const owner = template === undefined ? "there is no such name" : fillTemplate(template, bindings);
  return typeof owner === "string"
    ? { ...origin, kind: "fault", where: "owner", owner: undefined, message: owner }
    : { ...origin, ...contentOf(service, linkIndex, owner, bindings) };
}

/** The same for a name that is known to be without fault, and so in less time. */
export function soundChainName(
  service: Service,
  { linkIndex, ownerIndex, bindings }: ChainOrigin,
): { readonly rrsets: readonly RRset[]; readonly tailored: ServiceName | undefined } {
  const template = service.links[linkIndex]?.owners[ownerIndex];
  const owner = template === undefined ? "there is no such name" : fillTemplate(template, bindings);
  if (typeof owner === "string") throw new Error(owner);
  const next = nextTemplate(service, linkIndex);
  if (needsChoice(service, next, bindings)) {
    return { rrsets: [], tailored: { kind: "service", service, linkIndex, owner, bindings } };
  }
  const rrsets = recordsAt(service, linkIndex, owner, bindings);
  if (typeof rrsets === "string") throw new Error(rrsets);
  return { rrsets, tailored: undefined };
}

/** Whether what follows a name waits for a choice of datacenter. */
function needsChoice({ end }: Service, next: NameTemplate | undefined, bindings: Bindings): boolean {
  if (bindings.datacenter !== undefined) return false;
  if (next === undefined) return end.kind === "addresses";
  return next.needs.has("datacenter") || (next.needs.has("region") && bindings.region === undefined);
}

/** The RRset of `qtype` at a tailored name once a datacenter is chosen; undefined where it has none (NODATA). */
export function serviceRRset(
  tailored: ServiceName,
  datacenter: Datacenter,
  qtype: number,
): RRset | undefined {
  const { service, linkIndex, owner, bindings } = tailored;
  const rrsets = recordsAt(service, linkIndex, owner, { ...bindings, datacenter });
  if (typeof rrsets === "string") throw new Error(rrsets); // every name was written once when the zones were built
  return rrsets.find((rrset) => rrset.type === TYPE.CNAME || qtype === TYPE.ANY || rrset.type === qtype);
}

/** Whether a tailored name is an alias, and so answers every type. */
export function isAliasOfService(tailored: ServiceName): boolean {
  return nextTemplate(tailored.service, tailored.linkIndex) !== undefined;
}

/** The types of records that a tailored name can hold. */
export function typesOf(tailored: ServiceName): readonly number[] {
  const { end } = tailored.service;
  if (isAliasOfService(tailored) || end.kind === "alias") return [TYPE.CNAME];
  return familiesOf(end, tailored.bindings).map(addressType);
}

/** A host below mx.microsoft has IPv6 addresses where its domain is to have them. */
const familiesOf = ({ families }: Slice, { mailRoute }: Bindings): readonly AddressFamily[] =>
  mailRoute?.ipv6 === false ? families.filter((family) => family === 4) : families;

const addressType = (family: AddressFamily): number => (family === 4 ? TYPE.A : TYPE.AAAA);

function contentOf(service: Service, linkIndex: number, owner: Uint8Array, bindings: Bindings) {
  const fault = (where: "owner" | "target", message: string) =>
    ({ kind: "fault", where, owner, message }) as const;
  const next = nextTemplate(service, linkIndex);
  if (next?.needs.has("tenant") && bindings.tenant === undefined) {
    return fault("target", `${next.text} names a tenant that the name before it does not tell`);
  }
  if (needsChoice(service, next, bindings)) {
    if (service.policy === "active-datacenter" && bindings.tenant === undefined) {
      const words =
        "active-datacenter needs {tenant} or {domainKey} in every name until a datacenter is chosen";
      return fault("owner", words);
    }
    if (next?.needs.has("slot") && bindings.tenant === undefined) {
      return fault("target", `${next.text} names a farm slot, which only a tenant has`);
    }
    const tailored: ServiceName = { kind: "service", service, linkIndex, owner, bindings };
    for (const datacenter of choosable(tailored)) {
      const trial = recordsAt(service, linkIndex, owner, {
        ...bindings,
        datacenter,
        slot: bindings.tenant?.slot,
      });
      if (typeof trial === "string") return fault("target", trial);
    }
    return { kind: "tailored", owner, tailored } as const;
  }
  const rrsets = recordsAt(service, linkIndex, owner, bindings);
  return typeof rrsets === "string" ? fault("target", rrsets) : ({ kind: "records", owner, rrsets } as const);
}

/** The datacenters that a choice can fall on; a tenant's active one is preferred to its standby. */
export function choosable({ service, bindings: { tenant, region } }: ServiceName): readonly Datacenter[] {
  if (service.policy === "nearest-datacenter" || tenant === undefined)
    return inRegion(service.candidates, region);
  return tenant.standby === undefined ? [tenant.active] : [tenant.active, tenant.standby];
}

/** Those of a region, where a name tells one. */
export const inRegion = (
  datacenters: readonly Datacenter[],
  region: string | undefined,
): readonly Datacenter[] =>
  region === undefined ? datacenters : datacenters.filter((datacenter) => datacenter.region === region);

/** The template that a link's CNAME leads to; undefined at a link that holds addresses. */
export function nextTemplate(service: Service, linkIndex: number): NameTemplate | undefined {
  const next = service.links[linkIndex + 1];
  if (next !== undefined) return next.owners[0];
  return service.end.kind === "alias" ? service.end.target : undefined;
}

function recordsAt(
  service: Service,
  linkIndex: number,
  owner: Uint8Array,
  bindings: Bindings,
): readonly RRset[] | string {
  const ttlSeconds = service.links[linkIndex]?.ttlSeconds ?? 0;
  const name = domainName(owner);
  const next = nextTemplate(service, linkIndex);
  if (next !== undefined) {
    const target = fillTemplate(next, bindings);
    return typeof target === "string"
      ? target
      : [{ owner, name, type: TYPE.CNAME, ttlSeconds, rdatas: [target] }];
  }
  const { end } = service;
  if (end.kind === "alias") return [];
  const families = familiesOf(end, bindings);
  return addressesAt({ ...end, families }, bindings.datacenter).map(({ family, addresses }) => ({
    owner,
    name,
    type: addressType(family),
    ttlSeconds,
    rdatas: addresses,
  }));
}

/** The addresses of a service in a datacenter, or of its edges, always in the same order. */
export function addressesAt(
  end: ChainEndAddresses,
  datacenter: Datacenter | undefined,
): readonly { readonly family: AddressFamily; readonly addresses: readonly Uint8Array[] }[] {
  const { slice, count, families } = end;
  const sources =
    end.kind === "anycast"
      ? end.sources
      : datacenter && (end.published?.get(datacenter.id) ?? datacenter.addresses);
  return (sources ?? [])
    .filter(({ family }) => families.includes(family))
    .map((source) => ({
      family: source.family,
      addresses:
        source.kind === "pool" ? sliceAddresses(source.pool, slice, count) : source.addresses.slice(0, count),
    }));
}

/** The pools among sources of addresses. */
export const poolsOf = (sources: readonly AddressSource[]): readonly IpPrefix[] =>
  sources.flatMap((source) => (source.kind === "pool" ? source.pool : []));

/** A pool has 16 slices, one a service. */
export const POOL_SLICES = 16;

/** The addresses of one family that a service gives at the most, as the shortest slices do. */
export const MOST_ADDRESSES = 15;

/** The longest prefix whose slices have an address to give. */
export const longestPool = (family: AddressFamily): number => (family === 4 ? 27 : 96);

/** How many addresses a slice of a pool can give; its first address is left out. */
export function sliceCapacity(pool: IpPrefix): number {
  return 2 ** Math.min(addressBits(pool.family) - pool.length - 4, 16) - 1;
}

/**
 * The first `count` addresses of a slice, always in the same order. In family 4 slice s of 198.18.1.0/24 begins at
 * 198.18.1.(16 s); in family 6 the slice is the 16 bits behind the pool's prefix length.
 */
export function sliceAddresses(pool: IpPrefix, slice: number, count: number): readonly Uint8Array[] {
  const sliceBits = pool.family === 4 ? 4 : 16;
  const start = BigInt(slice) << BigInt(addressBits(pool.family) - pool.length - sliceBits);
  return Array.from({ length: count }, (_, i) => addressAt(pool, start + BigInt(i + 1)));
}

/** Where a service can send clients, whatever is chosen and whoever asks. */
export const datacentersOf = (service: Service, cloud: Pick<Cloud, "datacenters">): readonly Datacenter[] =>
  service.policy === "nearest-datacenter"
    ? service.candidates
    : cloud.datacenters.filter((datacenter) => datacenter.roles.has("tenants"));

/** All ways to fill a name that is made for those domains and tenants alone of which more is said. */
function* bindingsOfDomains(
  { needs }: NameTemplate,
  { workload }: Service,
  { customDomains = [], tenants: { table } }: Cloud,
): Generator<Bindings> {
  /** Where the workload has a home of its own, it is that. */
  const homeOf = (tenant: TenantGeo): TenantGeo => {
    const row = table.findRow(tenant.label);
    return row === NO_ROW ? tenant : table.geoAt(row, workload);
  };
  const served = new Set<string>();
  for (const { domain, tenant, isServed, mailRoute } of customDomains) {
    if (needs.has("mailRoute")) {
      if (mailRoute !== undefined)
        yield { tenant: homeOf(mailRoute.follows), domain, mailRoute, slot: mailRoute.follows.slot };
    } else if (isServed && !served.has(tenant.label)) {
      served.add(tenant.label);
      yield { tenant: homeOf(tenant), isServed, slot: tenant.slot };
    }
  }
}

/** All ways to fill the owner template of a service: each datacenter, slot, tenant or domain it can name. */
function* bindingsFor(template: NameTemplate, service: Service, cloud: Cloud): Generator<Bindings> {
  const { needs } = template;
  if (needs.has("mailRoute") || needs.has("isServed")) {
    yield* bindingsOfDomains(template, service, cloud);
    return;
  }
  const datacenters = datacentersOf(service, cloud);
  const slots = needs.has("slot") ? Array.from({ length: FARM_SLOTS }, (_, slot) => slot) : [undefined];
  const places: readonly Pick<Bindings, "datacenter" | "region">[] = needs.has("datacenter")
    ? datacenters.map((datacenter) => ({ datacenter }))
    : needs.has("region")
      ? regionsOf(datacenters)
      : [{}];
  for (const tenant of needs.has("tenant") ? cloud.tenants.servedFor(service.workload) : [undefined]) {
    for (const domain of needs.has("domain") ? (tenant?.domains ?? []) : [undefined]) {
      for (const place of places) {
        for (const slot of slots) yield { tenant, domain, ...place, slot: slot ?? tenant?.slot };
      }
    }
  }
}

/** Each region once; a datacenter without one shows what it lacks. */
function regionsOf(datacenters: readonly Datacenter[]): readonly Pick<Bindings, "datacenter" | "region">[] {
  const regions = new Set(datacenters.flatMap(({ region }) => region ?? []));
  const without = datacenters.filter(({ region }) => region === undefined).slice(0, 1);
  return [...without.map((datacenter) => ({ datacenter })), ...[...regions].map((region) => ({ region }))];
}
