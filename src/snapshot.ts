/** Everything needed to answer, immutable: a reload or a change of state makes the next one, and a query sees one alone. */

import type { Service } from "./cloud/service.ts";
import { allUp, type DatacenterStates } from "./cloud/states.ts";
import type { Datacenter } from "./cloud/topology.ts";
import type { Configuration } from "./config/configuration.ts";
import type { GeoipDatabase } from "./geo/geoip.ts";
import {
  buildCandidateTable,
  buildLocationTable,
  type CandidateTable,
  type LocationTable,
  lookupCandidates,
} from "./geo/location-table.ts";
import type { IpAddress } from "./ip.ts";

export interface Snapshot {
  readonly configuration: Configuration;
  /** which GeoIP database located it */
  readonly geoip: Pick<GeoipDatabase, "buildDate" | "databaseType"> | undefined;
  readonly locations: LocationTable;
  /** one entry a service of policy nearest-datacenter; services with the same candidates share theirs */
  readonly candidates: ReadonlyMap<Service, Candidates>;
  readonly states: DatacenterStates;
  /** keys of DNS Cookies, the current one first, then the one before it; without one there are no cookies */
  readonly cookieSecrets: readonly Uint8Array[];
}

/** What a snapshot holds that no configuration says. */
export type SnapshotOptions = Partial<Pick<Snapshot, "states" | "cookieSecrets">>;

/** The ordered lists of one set of candidate datacenters, and which addresses have which. */
export interface Candidates {
  readonly table: CandidateTable;
  /** by the number of the location class */
  readonly lists: readonly (readonly Datacenter[])[];
}

/** A location class found for an address: every address in the prefix of that length has the same ordered list. */
export interface LocationClass {
  readonly number: number;
  readonly datacenters: readonly Datacenter[];
  readonly prefixLength: number;
}

export function buildSnapshot(
  configuration: Configuration,
  geoip: GeoipDatabase | undefined,
  { states = allUp, cookieSecrets = [] }: SnapshotOptions = {},
): Snapshot {
  const locations = buildLocationTable({
    networks: configuration.networks.flatMap(({ name, prefixes, place }) =>
      prefixes.map((prefix) => ({ name, prefix, place })),
    ),
    geoip,
    countryPlace: (code) => configuration.countries.get(code),
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
    configuration,
    geoip: buildDate === undefined || databaseType === undefined ? undefined : { buildDate, databaseType },
    locations,
    candidates,
    states,
    cookieSecrets,
  };
}

/** The same snapshot in other states: only choices change, never a table or a scope. */
export function withStates(snapshot: Snapshot, states: DatacenterStates): Snapshot {
  return { ...snapshot, states };
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

function buildCandidates(locations: LocationTable, datacenters: readonly Datacenter[]): Candidates {
  const byId = new Map<string, Datacenter>(datacenters.map((datacenter) => [datacenter.id, datacenter]));
  const table = buildCandidateTable(
    locations,
    datacenters.map(({ id, place }) => ({ id, coordinates: place.coordinates })),
  );
  return { table, lists: table.lists.map((ids) => ids.flatMap((id) => byId.get(id) ?? [])) };
}
