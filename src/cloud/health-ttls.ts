/** TTLs of tailored answers that follow the time to the next possible change. */

import { type Milliseconds, nextExpiry, type Operations } from "./operations.ts";
import type { Cloud } from "./service.ts";
import type { DatacenterId } from "./topology.ts";

/** When probes can change the state of one of these at the earliest; undefined where none is probed. */
export type NextHealthChange = (ids: ReadonlySet<DatacenterId>) => Milliseconds | undefined;

/**
 * By cloud, in seconds, where TTLs follow the next possible change of probes or an override's end: what is answered now is
 * not kept for longer than it can be right, as far as anyone can know.
 */
export function healthTtlsAt(
  clouds: readonly Pick<Cloud, "name" | "datacenters" | "healthTtl">[],
  operations: Operations,
  at: Milliseconds,
  nextHealthChange?: NextHealthChange,
): ReadonlyMap<string, number> {
  const ttls = new Map<string, number>();
  for (const { name, datacenters, healthTtl } of clouds) {
    if (healthTtl === undefined) continue;
    const times = [
      nextHealthChange?.(new Set(datacenters.map(({ id }) => id))),
      nextExpiry(operations),
    ].filter((time) => time !== undefined);
    const seconds = Math.floor((Math.min(...times) - at) / 1000);
    ttls.set(name, Math.min(Math.max(seconds, healthTtl.min), healthTtl.max));
  }
  return ttls;
}
