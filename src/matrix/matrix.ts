/** Who is answered with which datacenter: networks and tenants by services, as real answers have it. */

import type { Reason } from "../cloud/choose.ts";
import { fillTemplate } from "../cloud/name-template.ts";
import type { Cloud, Service } from "../cloud/service.ts";
import { type DatacenterState, placeOf, stateOf } from "../cloud/states.ts";
import { type DatacenterId, derivedSlot, type TenantGeo } from "../cloud/topology.ts";
import type { NetworkKind } from "../config/configuration.ts";
import { CLASS, formatRcode, RCODE, TYPE } from "../dns/iana.ts";
import type { Coordinates } from "../geo/distance.ts";
import { type Location, locateAddress } from "../geo/location-table.ts";
import type { Place } from "../geo/place.ts";
import { addressBehind, prefixesOf } from "../geo/prefix-table.ts";
import { formatAddress, type IpAddress, type IpPrefix, prefixContains } from "../ip.ts";
import { resolve } from "../resolve.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Resolution } from "../trace.ts";

export interface Matrix {
  /** datacenters that are not up */
  readonly states: readonly { readonly id: DatacenterId; readonly state: DatacenterState }[];
  /** two a cloud: by place and by tenant; those that would be empty are left out */
  readonly sheets: readonly Sheet<Cell>[];
  /** tenants that are not in it, since there are too many */
  readonly tenantsLeftOut: number;
  readonly places: readonly MatrixPlace[];
  readonly datacenters: readonly MatrixDatacenter[];
}

/** Rows by columns, for one cloud. */
export interface Sheet<C> {
  readonly cloud: string;
  readonly by: "place" | "tenant";
  /** services */
  readonly columns: readonly string[];
  readonly rows: readonly SheetRow<C>[];
}

export interface SheetRow<C> {
  readonly kind: "network" | "default" | "country" | "tenant";
  readonly name: string;
  /** by the number of the column; undefined where there is nothing to say */
  readonly cells: readonly (C | undefined)[];
}

/** What is answered. */
export type Cell =
  | {
      readonly kind: "datacenters";
      /** several where clients are spread over them */
      readonly ids: readonly DatacenterId[];
      readonly reason: Reason;
    }
  /** the same for everyone, whatever the place or the tenant */
  | { readonly kind: "fixed" }
  /** records of a rule, or none */
  | { readonly kind: "other"; readonly words: string; readonly reason: string };

/** Who asks. */
export interface MatrixPlace {
  readonly kind: "network" | "default" | "country";
  readonly name: string;
  readonly networkKind: NetworkKind | undefined;
  /** one that stands for all of it; undefined where prefixes of other networks cover all */
  readonly address: string | undefined;
  readonly city: string | undefined;
  readonly country: string | undefined;
  readonly coordinates: Coordinates;
}

export interface MatrixDatacenter {
  readonly id: DatacenterId;
  readonly shortId: string;
  readonly cloud: string;
  readonly city: string | undefined;
  readonly coordinates: Coordinates;
  readonly state: DatacenterState;
  /** whether the matrix has a tenant that it is active for, or its standby */
  readonly hasTenants: boolean;
}

/** What the matrix is of; what is undefined is not narrowed. */
export interface MatrixScope {
  /** services by name, with their cloud or without */
  readonly services: readonly string[] | undefined;
  /** networks by name, and "default" for the default location */
  readonly networks: readonly string[] | undefined;
  /** countries to add, by ISO 3166 code */
  readonly countries: readonly string[];
  /** tenants and satellites by label */
  readonly tenants: readonly string[] | undefined;
}

/** Tenants that are shown where none is named. */
const MAX_TENANTS = 100;

export const DEFAULT_ROW = "default";

export function buildMatrix(snapshot: Snapshot, scope: MatrixScope): Matrix {
  const { configuration, states } = snapshot;
  // What a chain leads to is what counts, whether or not one response holds all of it.
  const settings = { ...configuration.settings, answer: "full" } as const;
  const whole = { ...snapshot, configuration: { ...configuration, settings } };
  const asked = placesOf(snapshot, scope);
  const clouds = configuration.clouds.map((cloud) => ({ cloud, services: servicesOf(cloud, scope) }));
  const shown = clouds.map(({ cloud }) => tenantsOf(cloud, scope));
  const sheets = clouds.flatMap(({ cloud, services }, i) => [
    placeSheet(whole, cloud, services, asked),
    tenantSheet(whole, cloud, services, shown[i] ?? []),
  ]);
  const homes = new Set(
    shown.flat().flatMap((tenant) => {
      const { active, standby } = placeOf(snapshot.tenantPlaces, tenant);
      return [active, standby ?? active];
    }),
  );
  const left = clouds.reduce((sum, { cloud }, i) => sum + cloud.tenants.count - (shown[i]?.length ?? 0), 0);
  const datacenters = configuration.clouds.flatMap((cloud) => cloud.datacenters);
  return {
    states: datacenters.flatMap((datacenter) => {
      const state = stateOf(states, datacenter);
      return state === "up" ? [] : { id: datacenter.id, state };
    }),
    sheets: sheets.filter(({ columns, rows }) => columns.length > 0 && rows.length > 0),
    tenantsLeftOut: scope.tenants === undefined && scope.networks === undefined ? left : 0,
    places: asked.map(({ asker: _, ...place }) => place),
    datacenters: datacenters.map((datacenter) => ({
      id: datacenter.id,
      shortId: datacenter.shortId,
      cloud: datacenter.cloud,
      city: datacenter.place.city,
      coordinates: datacenter.place.coordinates,
      state: stateOf(states, datacenter),
      hasTenants: homes.has(datacenter),
    })),
  };
}

interface AskedPlace extends MatrixPlace {
  readonly asker: IpAddress | undefined;
}

/** The networks in the order of the configuration, then the default location, then countries. */
function placesOf(snapshot: Snapshot, scope: MatrixScope): readonly AskedPlace[] {
  // Who names tenants alone wants to see those.
  if (scope.networks === undefined && scope.tenants !== undefined) return countriesOf(snapshot, scope);
  const isWanted = (name: string): boolean => scope.networks?.includes(name) ?? true;
  const { networks, settings } = snapshot.configuration;
  const ofNetworks = networks
    .filter(({ name }) => isWanted(name))
    .map(({ name, kind, prefixes, place }) => {
      const asker = settings.location.byNetworks ? addressIn(snapshot, prefixes, name) : prefixes[0];
      return askedPlace({ kind: "network", name, networkKind: kind, place, asker });
    });
  const asker = isWanted(DEFAULT_ROW)
    ? addressWhere(snapshot, ({ kind }) => kind === "default" || kind === "unlocated")
    : undefined;
  const otherwise =
    asker === undefined
      ? []
      : askedPlace({ kind: "default", name: DEFAULT_ROW, place: settings.defaultPlace, asker });
  return [ofNetworks, otherwise, countriesOf(snapshot, scope)].flat();
}

function countriesOf(snapshot: Snapshot, { countries }: MatrixScope): readonly AskedPlace[] {
  return countries.map((code) => {
    const isThere = (location: Location): boolean => location.kind === "geoip" && location.country === code;
    const asker = addressWhere(snapshot, isThere);
    const place = asker && locateAddress(snapshot.locations, asker).location.place;
    const known = snapshot.configuration.countries.get(code)?.place;
    const at = place ?? known ?? snapshot.configuration.settings.defaultPlace;
    return askedPlace({ kind: "country", name: code, place: at, asker });
  });
}

function askedPlace({
  kind,
  name,
  networkKind,
  place,
  asker,
}: Pick<AskedPlace, "kind" | "name" | "asker"> & {
  readonly networkKind?: NetworkKind;
  readonly place: Place;
}): AskedPlace {
  const { city, country, coordinates } = place;
  const address = asker && formatAddress(asker.octets);
  return { kind, name, networkKind, address, city, country, coordinates, asker };
}

/** The first address of some prefixes that a network locates: a longer prefix of another one may lie in them. */
function addressIn(
  { locations }: Snapshot,
  prefixes: readonly IpPrefix[],
  network: string,
): IpAddress | undefined {
  for (const prefix of prefixes) {
    let octets: Uint8Array | undefined = prefix.octets;
    while (octets !== undefined && prefixContains(prefix, { family: prefix.family, octets })) {
      const address = { family: prefix.family, octets };
      const { location, prefixLength } = locateAddress(locations, address);
      if (location.kind === "network" && location.network === network) return address;
      octets = addressBehind(octets, prefixLength);
    }
  }
  return undefined;
}

/** The first IPv4 address that is located so. */
function addressWhere(
  { locations: { locations, family4 } }: Snapshot,
  isMeant: (location: Location) => boolean,
): IpAddress | undefined {
  const meant = new Set(locations.flatMap((location, i) => (isMeant(location) ? i : [])));
  if (meant.size === 0) return undefined;
  for (const { prefix, value } of prefixesOf(family4)) if (meant.has(value)) return prefix;
  return undefined;
}

function servicesOf({ name, services }: Cloud, scope: MatrixScope): readonly Service[] {
  return services.filter((service) =>
    [service.name, `${name}/${service.name}`].some((each) => scope.services?.includes(each) ?? true),
  );
}

function tenantsOf({ tenants }: Cloud, scope: MatrixScope): readonly TenantGeo[] {
  if (scope.tenants !== undefined) return scope.tenants.flatMap((label) => tenants.find(label) ?? []);
  return scope.networks === undefined ? [...tenants.page(0, MAX_TENANTS)] : [];
}

function placeSheet(
  snapshot: Snapshot,
  { name: cloud }: Cloud,
  services: readonly Service[],
  places: readonly AskedPlace[],
): Sheet<Cell> {
  // A name that tells a tenant is a row of the other sheet.
  const asked = services.flatMap((service) => {
    const qname = service.policy === "nearest-datacenter" ? nameOf(service, undefined) : undefined;
    return qname === undefined ? [] : { service, qname };
  });
  return {
    cloud,
    by: "place",
    columns: asked.map(({ service }) => service.name),
    rows: places.map(({ kind, name, asker }) => ({
      kind,
      name,
      cells: asked.map(({ qname }) => asker && cellOf(snapshot, qname, asker)),
    })),
  };
}

function tenantSheet(
  snapshot: Snapshot,
  { name: cloud }: Cloud,
  services: readonly Service[],
  tenants: readonly TenantGeo[],
): Sheet<Cell> {
  const byTenant = services.filter(
    ({ policy, links }) =>
      policy === "active-datacenter" && links[0]?.owners.some(({ needs }) => needs.has("tenant")),
  );
  // The place of whoever asks makes no difference.
  const anywhere: IpAddress = { family: 4, octets: new Uint8Array(4) };
  return {
    cloud,
    by: "tenant",
    columns: byTenant.map(({ name }) => name),
    rows: tenants.map((tenant) => ({
      kind: "tenant",
      name: tenant.label,
      cells: byTenant.map((service) => {
        const qname = nameOf(service, tenant);
        return qname && cellOf(snapshot, qname, anywhere);
      }),
    })),
  };
}

/** The first public name of a service that a tenant has, or that everyone has; undefined where there is none. */
function nameOf({ links }: Service, tenant: TenantGeo | undefined): Uint8Array | undefined {
  for (const template of links[0]?.owners ?? []) {
    const [domain] = tenant?.domains ?? [];
    const slot = tenant?.slot ?? derivedSlot("");
    const isFor = tenant === undefined ? template.needs.size === 0 : template.needs.has("tenant");
    const name = isFor ? fillTemplate(template, { tenant, domain, slot }) : "not of these";
    if (typeof name !== "string") return name;
  }
  return undefined;
}

function cellOf(snapshot: Snapshot, qname: Uint8Array, address: IpAddress): Cell {
  const asker = { address, via: "client-subnet" } as const;
  const found = [TYPE.A, TYPE.AAAA].map((qtype) =>
    resolve(snapshot, { qname, qtype, qclass: CLASS.IN }, asker),
  );
  const resolutions = found.flatMap((each) => (each.kind === "resolved" ? each : []));
  const [first] = resolutions;
  if (first === undefined) return { kind: "other", words: "handler", reason: "scripted" };
  // The type that has addresses, if one has.
  const best = resolutions.find(({ sections }) => sections.answer.some(isAddress)) ?? first;
  const tailoring = best.hops.findLast((hop) => hop.tailoring !== undefined)?.tailoring;
  if (tailoring === undefined) return best.rcode === RCODE.NOERROR ? { kind: "fixed" } : otherCell(best, "");
  const { choice } = tailoring;
  if (choice.kind === "rule") return { kind: "other", words: "records", reason: choice.reason };
  if (choice.kind !== "datacenter") return otherCell(best, choice.reason);
  const { datacenter, spreading, reason } = choice;
  const among = spreading?.among ?? [datacenter];
  return { kind: "datacenters", ids: among.map(({ id }) => id), reason };
}

const isAddress = ({ type }: { readonly type: number }): boolean => type === TYPE.A || type === TYPE.AAAA;

function otherCell({ rcode, sections }: Resolution, reason: string): Cell {
  const isEmpty = rcode === RCODE.NOERROR && sections.answer.every(({ type }) => type === TYPE.CNAME);
  return { kind: "other", words: isEmpty ? "NODATA" : formatRcode(rcode), reason };
}
