/** Everything needed to answer, immutable: a reload or a change of state makes the next one, and a query sees one alone. */

import {
  type FixedRule,
  findRule,
  type RecordsName,
  type RuleShape,
  type Rules,
  shapeOf,
} from "./cloud/record-rules.ts";
import type { Service } from "./cloud/service.ts";
import { groupOf, type Spread, type SpreadGroup } from "./cloud/spread.ts";
import { allAtHome, allUp, type DatacenterStates, type TenantPlaces } from "./cloud/states.ts";
import type { Datacenter } from "./cloud/topology.ts";
import type { Configuration } from "./config/configuration.ts";
import {
  buildCandidateTable,
  buildClassTables,
  type CandidateTable,
  findSite,
  lookupCandidates,
  type Ordering,
  orderCandidates,
} from "./geo/candidate-table.ts";
import type { Candidate } from "./geo/distance.ts";
import { type FamilyTables, lookupAddress, overlayTables, uniformTables } from "./geo/family-tables.ts";
import type { GeoipDatabase } from "./geo/geoip.ts";
import {
  buildLocationTable,
  continentOf,
  countryOf,
  type LocationTable,
  locateAddress,
} from "./geo/location-table.ts";
import {
  findLatency,
  findList,
  formatLatencyRow,
  type Nearness,
  type RankedCandidate,
  rankCandidates,
  type Site,
} from "./geo/nearness.ts";
import type { PrefixValue } from "./geo/prefix-table-builder.ts";
import type { IpAddress } from "./ip.ts";
import { zonesOfRecords } from "./zone/zone.ts";

export interface Snapshot {
  /** counts up with each one that is put in force, from 1; 0 before that */
  readonly version: number;
  readonly configuration: Configuration;
  /** which GeoIP database located it */
  readonly geoip: Pick<GeoipDatabase, "buildDate" | "databaseType"> | undefined;
  readonly locations: LocationTable;
  /** one entry a service of policy nearest-datacenter; services with the same candidates and nearness share theirs */
  readonly candidates: ReadonlyMap<Service, Candidates>;
  /** one entry a name with rules; names whose rules differ in the records alone share theirs */
  readonly ruleTables: ReadonlyMap<RecordsName, RuleTables>;
  readonly states: DatacenterStates;
  readonly tenantPlaces: TenantPlaces;
  /** TTLs of tailored answers by cloud, in seconds, where they follow the time to the next possible change */
  readonly healthTtls: ReadonlyMap<string, number>;
  /** keys of DNS Cookies, the current one first, then the one before it; without one there are no cookies */
  readonly cookieSecrets: readonly Uint8Array[];
}

/** What a snapshot holds that no configuration says. */
export type SnapshotOptions = Partial<Pick<Snapshot, "states" | "tenantPlaces" | "cookieSecrets">>;

/** The ordered lists of one set of candidate datacenters, and which addresses have which. */
export interface Candidates {
  readonly table: CandidateTable;
  /** by the number of the location class */
  readonly lists: readonly (readonly Datacenter[])[];
}

/** Which addresses have which list of records, or which ordered list of datacenters, by rules. */
export interface RuleTables {
  /** the index of an ordered list of datacenters or, behind them, the number of a list of records */
  readonly classes: FamilyTables;
  readonly orders: readonly (readonly Datacenter[])[];
  /** the index of the empty list of who cannot be located */
  readonly unlocatedIndex: number | undefined;
  /** the index of the network rule that holds an address, or their number where none does */
  readonly networks: FamilyTables;
}

/**
 * A location class found for an address: every address in the prefix of that length has the same ordered list of
 * datacenters or, where that is empty, the same records.
 */
export interface LocationClass {
  readonly number: number;
  readonly datacenters: readonly Datacenter[];
  /** the scope: the longer one of the two below */
  readonly prefixLength: number;
  /** of the widest prefix that has the same list */
  readonly listPrefixLength: number;
  /** of the prefix that is spread to the same datacenter; undefined where clients are not spread */
  readonly spreadPrefixLength: number | undefined;
  /** whether nothing tells where these addresses are, and `location.unlocated` gives them no datacenter */
  readonly isUnlocated: boolean;
}

export function buildSnapshot(
  configuration: Configuration,
  geoip: GeoipDatabase | undefined,
  { states = allUp, tenantPlaces = allAtHome, cookieSecrets = [] }: SnapshotOptions = {},
): Snapshot {
  const { defaultPlace, location } = configuration.settings;
  const database = location.byGeoip ? geoip : undefined;
  const locations = buildLocationTable({
    networks: (location.byNetworks ? configuration.networks : []).flatMap(({ name, prefixes, place }) =>
      prefixes.map((prefix) => ({ name, prefix, place })),
    ),
    geoip: database,
    findCountry: (code) => configuration.countries.get(code),
    defaultPlace,
    overrides: location,
    isAtDefault: location.unlocated === "default",
  });
  const bySet = new Map<string, Candidates>();
  const orders = new Map<Nearness, number>();
  const candidates = new Map<Service, Candidates>();
  for (const cloud of configuration.clouds) {
    for (const service of cloud.services) {
      if (service.policy !== "nearest-datacenter") continue;
      const ids = service.candidates.map(({ id }) => id).join(" ");
      const order = orders.get(service.nearness) ?? orders.size;
      orders.set(service.nearness, order);
      const key = `${order} ${ids}`;
      const ordering = { nearness: service.nearness, findContinent: continentFinder(configuration) };
      const shared = bySet.get(key) ?? buildCandidates(locations, service.candidates, ordering);
      bySet.set(key, shared);
      candidates.set(service, shared);
    }
  }
  const { buildDate, databaseType } = database ?? {};
  return {
    version: 0,
    configuration,
    geoip: buildDate === undefined || databaseType === undefined ? undefined : { buildDate, databaseType },
    locations,
    candidates,
    ruleTables: buildRuleTables(configuration, locations),
    states,
    tenantPlaces,
    healthTtls: new Map(),
    cookieSecrets,
  };
}

/** The same snapshot in other states: only choices change, never a table or a scope. */
export function withStates(
  snapshot: Snapshot,
  states: DatacenterStates,
  tenantPlaces: TenantPlaces = snapshot.tenantPlaces,
): Snapshot {
  return { ...snapshot, states, tenantPlaces };
}

/** The class of an address among the candidates of a service, and the group in it that the address is spread with. */
export function locationClass(
  { table, lists }: Candidates,
  address: IpAddress,
  spread?: Spread,
): LocationClass & { readonly group: SpreadGroup | undefined } {
  const { listIndex, prefixLength: listPrefixLength } = lookupCandidates(table, address);
  const datacenters = lists[listIndex] ?? [];
  const isSpread = spread !== undefined && spread.over > 1 && datacenters.length > 1;
  const group = isSpread ? groupOf(address) : undefined;
  const spreadPrefixLength = group?.prefixLength;
  return {
    number: listIndex,
    datacenters,
    // RFC 7871 §7.2.1 lets the scope be longer than the source prefix length: whoever asks for less is told so.
    prefixLength: Math.max(listPrefixLength, spreadPrefixLength ?? 0),
    listPrefixLength,
    spreadPrefixLength,
    isUnlocated: listIndex === table.unlocatedIndex,
    group,
  };
}

/** The candidates of a service as they are ranked for an address, and whose list comes first, if one does. */
export function rankingOf(
  snapshot: Snapshot,
  service: Service,
  address: IpAddress,
): { readonly list: string | undefined; readonly candidates: readonly RankedCandidate[] } {
  const site = siteOf(snapshot, service, address);
  return {
    list: findList(service.nearness, site)?.words,
    candidates: rankCandidates(service.nearness, service.candidates.map(candidateOf), site),
  };
}

/** What ordered the candidates of a service for an address, beside distance and bias: a list, or measured latencies. */
export function orderOf(snapshot: Snapshot, service: Service, address: IpAddress): string | undefined {
  const { networks, countries, continents, latency } = service.nearness;
  if (networks.length + countries.size + continents.size + latency.length === 0) return undefined;
  const site = siteOf(snapshot, service, address);
  const list = findList(service.nearness, site);
  if (list !== undefined) return `list of ${list.words}`;
  const [row] = findLatency(service.nearness, site);
  return row && `latency of ${formatLatencyRow(row)}`;
}

/** What counts of an address where the candidates of a service are put in order. */
export function siteOf(
  { configuration, locations, candidates }: Snapshot,
  service: Service,
  address: IpAddress,
): Site {
  const found = candidates.get(service);
  if (found === undefined) throw new Error(`${service.name} has no tables in this snapshot`);
  return findSite(locations, found.table, address, continentFinder(configuration));
}

/** The country and the continent that an address is taken to be in. */
export function whereaboutsOf(
  { configuration, locations }: Snapshot,
  address: IpAddress,
): { readonly country: string | undefined; readonly continent: string | undefined } {
  const { location } = locateAddress(locations, address);
  return { country: countryOf(location), continent: continentOf(location, continentFinder(configuration)) };
}

const continentFinder =
  ({ countries }: Configuration): Ordering["findContinent"] =>
  (code) =>
    countries.get(code)?.continent;

/** The class of an address at a name with rules, and the rule; undefined where the nearest datacenter decides. */
export function ruleClass(
  { configuration, locations, ruleTables }: Snapshot,
  name: RecordsName,
  address: IpAddress,
): { readonly locationClass: LocationClass; readonly rule: FixedRule | undefined } {
  const tables = ruleTables.get(name);
  if (tables === undefined) throw new Error(`${name.name} has no tables in this snapshot`);
  const { value: number, prefixLength } = lookupAddress(tables.classes, address);
  const lengths = { prefixLength, listPrefixLength: prefixLength, spreadPrefixLength: undefined };
  const datacenters = tables.orders[number];
  if (datacenters !== undefined) {
    const isUnlocated = number === tables.unlocatedIndex;
    return { locationClass: { number, datacenters, ...lengths, isUnlocated }, rule: undefined };
  }
  const locationClass = { number, datacenters: [], ...lengths, isUnlocated: false };
  const networkRule = name.rules.networks[lookupAddress(tables.networks, address).value];
  const { countries, continents } = name.rules;
  const isFound = networkRule !== undefined || (countries.size === 0 && continents.size === 0);
  const location = isFound ? undefined : locateAddress(locations, address).location;
  const country = location && countryOf(location);
  const continent = location && continentOf(location, continentFinder(configuration));
  return { locationClass, rule: findRule(name.rules, { networkRule, country, continent }) };
}

function buildRuleTables(
  configuration: Configuration,
  locations: LocationTable,
): ReadonlyMap<RecordsName, RuleTables> {
  const findContinent = continentFinder(configuration);
  const found = new Map<RecordsName, RuleTables>();
  const byShape = new Map<string, RuleTables>();
  const byLocation = new Map<string, Omit<RuleTables, "networks">>();
  for (const zone of zonesOfRecords(configuration.zones)) {
    for (const tailored of zone.nodes.tailored()) {
      if (tailored.kind !== "records") continue;
      const shape = shapeOf(tailored.rules);
      const shared = byShape.get(shape.key) ?? tablesOf(tailored.rules, shape);
      byShape.set(shape.key, shared);
      found.set(tailored, shared);
    }
  }
  return found;

  function tablesOf({ networks, otherwise }: Rules, shape: RuleShape): RuleTables {
    const base = byLocation.get(shape.locationKey) ?? locationTables(otherwise, shape);
    byLocation.set(shape.locationKey, base);
    const { classes, orders, unlocatedIndex } = base;
    const laid = (numberOf: (index: number) => number): readonly PrefixValue[] =>
      networks.map(({ prefix }, i) => ({ prefix, value: numberOf(i) }));
    return {
      classes: overlayTables(
        classes,
        laid((i) => orders.length + (shape.networks[i] ?? 0)),
      ),
      orders,
      unlocatedIndex,
      networks: overlayTables(
        uniformTables(networks.length),
        laid((i) => i),
      ),
    };
  }

  /** The classes as they would be without networks. */
  function locationTables(otherwise: Rules["otherwise"], shape: RuleShape): Omit<RuleTables, "networks"> {
    const candidates = otherwise.kind === "nearest" ? [...otherwise.datacenters.keys()] : [];
    const { lists, listIndexes, unlocatedIndex } = orderCandidates(locations, candidates.map(candidateOf));
    const orders = candidates.length === 0 ? [] : datacentersOf(lists, candidates);
    const classes = locations.locations.map((location, i) => {
      const country = countryOf(location) ?? "";
      const continent = continentOf(location, findContinent);
      const list =
        shape.countries.get(country) ??
        (continent === undefined ? undefined : shape.continents.get(continent)) ??
        shape.otherwise;
      return list === undefined ? (listIndexes[i] ?? 0) : orders.length + list;
    });
    return {
      classes: buildClassTables(locations, classes),
      orders,
      unlocatedIndex: candidates.length === 0 ? undefined : unlocatedIndex,
    };
  }
}

function buildCandidates(
  locations: LocationTable,
  datacenters: readonly Datacenter[],
  ordering: Ordering,
): Candidates {
  const table = buildCandidateTable(locations, datacenters.map(candidateOf), ordering);
  return { table, lists: datacentersOf(table.lists, datacenters) };
}

const candidateOf = ({ id, place }: Datacenter): Candidate => ({ id, coordinates: place.coordinates });

function datacentersOf(
  lists: CandidateTable["lists"],
  datacenters: readonly Datacenter[],
): readonly (readonly Datacenter[])[] {
  const byId = new Map<string, Datacenter>(datacenters.map((datacenter) => [datacenter.id, datacenter]));
  return lists.map((ids) => ids.flatMap((id) => byId.get(id) ?? []));
}
