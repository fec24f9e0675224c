/** The states of datacenters, set by an operator at run time. A value of this type never changes; a new one replaces it. */

import type { Datacenter, DatacenterId } from "./topology.ts";

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
