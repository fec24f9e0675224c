/** What is other in the next configuration, a line for each thing, for whoever reloads it. */

import { isDeepStrictEqual } from "node:util";
import type { Cloud } from "./cloud/service.ts";
import type { TailoredName } from "./cloud/tailored-name.ts";
import type { Configuration } from "./config/configuration.ts";
import { serialOf, type Zones } from "./zone/zone.ts";

/** Lines of one kind that are told; more are counted. */
const MAX_LINES = 20;

/** No line where nothing is other that anyone could see. */
export function diffConfigurations(before: Configuration, next: Configuration): readonly string[] {
  return [
    ...diffKind("zone", zonesOf(before.zones), zonesOf(next.zones)),
    ...diffKind("cloud", cloudsOf(before), cloudsOf(next)),
    ...diffKind("datacenter", datacentersOf(before), datacentersOf(next)),
    ...diffKind("service", servicesOf(before), servicesOf(next)),
    ...diffKind("tenant", tenantsOf(before), tenantsOf(next)),
    ...diffKind("network", byName(before.networks), byName(next.networks)),
    ...diffKind("setting", new Map(Object.entries(before.settings)), new Map(Object.entries(next.settings))),
  ];
}

type Things = ReadonlyMap<string, unknown>;

function diffKind(kind: string, before: Things, next: Things): readonly string[] {
  const lines: string[] = [];
  for (const [key, value] of next) {
    if (!before.has(key)) lines.push(`${kind} ${key} is new`);
    else if (!isDeepStrictEqual(before.get(key), value)) lines.push(`${kind} ${key} has changed`);
  }
  for (const key of before.keys()) if (!next.has(key)) lines.push(`${kind} ${key} is gone`);
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `${lines.length - MAX_LINES} more changes of ${kind}s`];
}

/** A zone's serial moves with its content (and a scripted zone is its module). */
const zonesOf = (zones: Zones<TailoredName>): Things =>
  new Map(
    [...zones].map(([apex, zone]) => [
      apex,
      zone.kind === "records"
        ? serialOf(zone.soa)
        : [zone.handler, zone.deadlineMilliseconds, zone.concurrency],
    ]),
  );

const cloudsOf = ({ clouds }: Configuration): Things => new Map(clouds.map(({ name }) => [name, undefined]));

const datacentersOf = ({ clouds }: Configuration): Things =>
  new Map(clouds.flatMap(({ datacenters }) => datacenters.map((each) => [each.id, each] as const)));

const servicesOf = ({ clouds }: Configuration): Things =>
  new Map(
    clouds.flatMap(({ services }: Cloud) =>
      services.map(({ candidates, ...service }) => {
        // A datacenter that has changed is told of by itself.
        const ids = candidates.map(({ id }) => id);
        return [`${service.cloud}/${service.name}`, { ...service, candidates: ids }] as const;
      }),
    ),
  );

const tenantsOf = ({ clouds }: Configuration): Things =>
  new Map(
    clouds.flatMap(({ tenants }) =>
      tenants.map(({ geos, ...tenant }) => {
        const places = geos.map(({ active, standby, ...geo }) => ({
          ...geo,
          active: active.id,
          standby: standby?.id,
        }));
        return [tenant.name, { ...tenant, geos: places }] as const;
      }),
    ),
  );

const byName = (things: readonly { readonly name: string }[]): Things =>
  new Map(things.map((thing) => [thing.name, thing]));
