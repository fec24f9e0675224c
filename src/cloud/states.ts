/** The states of datacenters, set by an operator at run time. A value of this type never changes; a new one replaces it. */

import type { Datacenter, DatacenterId, TenantGeo } from "./topology.ts";

/** `draining` gives no new answers from nearest-datacenter, but stays active for its tenants. */
export type DatacenterState = "up" | "draining" | "down";

/** Only what is not `up` is held. */
export type DatacenterStates = ReadonlyMap<DatacenterId, DatacenterState>;

export const allUp: DatacenterStates = new Map();

export const stateOf = (states: DatacenterStates, datacenter: Datacenter): DatacenterState =>
  states.get(datacenter.id) ?? "up";

export function withState(
  states: DatacenterStates,
  id: DatacenterId,
  state: DatacenterState,
): DatacenterStates {
  const next = new Map(states);
  if (state === "up") next.delete(id);
  else next.set(id, state);
  return next;
}

/** Where a tenant is served now: its two datacenters, moved or as configured, and which of them serves. */
export interface TenantPlace {
  readonly active: Datacenter;
  readonly standby: Datacenter | undefined;
  readonly serving: "active" | "standby";
}

/** By label; only those that are not served by the active datacenter of the configuration are held. */
export type TenantPlaces = ReadonlyMap<string, TenantPlace>;

export const allAtHome: TenantPlaces = new Map();

export function placeOf(places: TenantPlaces, tenant: TenantGeo): TenantPlace {
  const { label, home = label, active, standby, isUnknown = false } = tenant;
  const place = isUnknown ? undefined : places.get(home);
  return place ?? { active, standby, serving: "active" };
}
