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
import { allAtHome, allUp, type DatacenterStates, type TenantPlaces } from "./cloud/states.ts";
import type { Datacenter } from "./cloud/topology.ts";
import type { Configuration } from "./config/configuration.ts";
import type { Candidate } from "./geo/distance.ts";
import type { GeoipDatabase } from "./geo/geoip.ts";
import {
  buildCandidateTable,
  buildClassTables,
  buildLocationTable,
  type CandidateTable,
  countryOf,
  type FamilyTables,
  type LocationTable,
  locateAddress,
  lookupAddress,
  lookupCandidates,
  orderCandidates,
  overlayTables,
  uniformTables,
} from "./geo/location-table.ts";
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
  /** one entry a service of policy nearest-datacenter; services with the same candidates share theirs */
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
  readonly prefixLength: number;
}

export function buildSnapshot(
  configuration: Configuration,
  geoip: GeoipDatabase | undefined,
  { states = allUp, tenantPlaces = allAtHome, cookieSecrets = [] }: SnapshotOptions = {},
): Snapshot {
  const locations = buildLocationTable({
    networks: configuration.networks.flatMap(({ name, prefixes, place }) =>
      prefixes.map((prefix) => ({ name, prefix, place })),
    ),
    geoip,
    countryPlace: (code) => configuration.countries.get(code)?.place,
    defaultPlace: configuration.settings.defaultPlace,
  });
  const bySet = new Map<string, Candidates>();
  const candidates = new Map<Service, Candidates>();
  for (const cloud of configuration.clouds) {
    for (const service of cloud.services) {
      if (service.policy !== "nearest-datacenter") continue;
      const key = service.candidates.map(({ id }) => id).join(" ");
      const shared = bySet.get(key) ?? buildCandidates(locations, service.candidates);
      bySet.set(key, shared);
      candidates.set(service, shared);
    }
  }
  const { buildDate, databaseType } = geoip ?? {};
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

/** The next snapshot in the states of the one before, as far as their datacenters are still there. */
export function inStatesOf(before: Snapshot, next: Snapshot): Snapshot {
  const ids = new Set(
    next.configuration.clouds.flatMap(({ datacenters }) => datacenters.map(({ id }) => id)),
  );
  return withStates(next, new Map([...before.states].filter(([id]) => ids.has(id))));
}

/** The class of an address among the candidates of a service. */
export function locationClass({ table, lists }: Candidates, address: IpAddress): LocationClass {
  const { listIndex, prefixLength } = lookupCandidates(table, address);
  return { number: listIndex, datacenters: lists[listIndex] ?? [], prefixLength };
}

/** The class of an address at a name with rules, and the rule; undefined where the nearest datacenter decides. */
export function ruleClass(
  { configuration, locations, ruleTables }: Snapshot,
  name: RecordsName,
  address: IpAddress,
): { readonly locationClass: LocationClass; readonly rule: FixedRule | undefined } {
  const tables = ruleTables.get(name);
  if (tables === undefined) throw new Error(`${name.name} has no tables in this snapshot`);
  const { value: number, prefixLength } = lookupAddress(tables.classes, address);
  const datacenters = tables.orders[number];
  if (datacenters !== undefined) {
    return { locationClass: { number, datacenters, prefixLength }, rule: undefined };
  }
  const locationClass = { number, datacenters: [], prefixLength };
  const networkRule = name.rules.networks[lookupAddress(tables.networks, address).value];
  const { countries, continents } = name.rules;
  const isFound = networkRule !== undefined || (countries.size === 0 && continents.size === 0);
  const country = isFound ? undefined : countryOf(locateAddress(locations, address).location);
  const continent = country === undefined ? undefined : configuration.countries.get(country)?.continent;
  return { locationClass, rule: findRule(name.rules, { networkRule, country, continent }) };
}

function buildRuleTables(
  { zones, countries }: Configuration,
  locations: LocationTable,
): ReadonlyMap<RecordsName, RuleTables> {
  const found = new Map<RecordsName, RuleTables>();
  const byShape = new Map<string, RuleTables>();
  const byLocation = new Map<string, Pick<RuleTables, "classes" | "orders">>();
  for (const zone of zonesOfRecords(zones)) {
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
    const { classes, orders } = base;
    const laid = (numberOf: (index: number) => number): readonly PrefixValue[] =>
      networks.map(({ prefix }, i) => ({ prefix, value: numberOf(i) }));
    return {
      classes: overlayTables(
        classes,
        laid((i) => orders.length + (shape.networks[i] ?? 0)),
      ),
      orders,
      networks: overlayTables(
        uniformTables(networks.length),
        laid((i) => i),
      ),
    };
  }

  /** The classes as they would be without networks. */
  function locationTables(
    otherwise: Rules["otherwise"],
    shape: RuleShape,
  ): Pick<RuleTables, "classes" | "orders"> {
    const candidates = otherwise.kind === "nearest" ? [...otherwise.datacenters.keys()] : [];
    const { lists, listIndexes } = orderCandidates(locations, candidates.map(candidateOf));
    const orders = candidates.length === 0 ? [] : datacentersOf(lists, candidates);
    const classes = locations.locations.map((location, i) => {
      const country = countryOf(location) ?? "";
      const continent = countries.get(country)?.continent;
      const list =
        shape.countries.get(country) ??
        (continent === undefined ? undefined : shape.continents.get(continent)) ??
        shape.otherwise;
      return list === undefined ? (listIndexes[i] ?? 0) : orders.length + list;
    });
    return { classes: buildClassTables(locations, classes), orders };
  }
}

function buildCandidates(locations: LocationTable, datacenters: readonly Datacenter[]): Candidates {
  const table = buildCandidateTable(locations, datacenters.map(candidateOf));
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
