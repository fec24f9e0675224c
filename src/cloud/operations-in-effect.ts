/** Stored operations beside a configuration that has changed since: what it no longer knows is kept, and has no effect. */

import { matchesTarget, type Operations, type TenantOperation } from "./operations.ts";
import type { TenantPlace, TenantPlaces } from "./states.ts";
import type { Datacenter, DatacenterId, Tenant, TenantGeo } from "./topology.ts";

export interface OperationsInEffect {
  /** those that this configuration knows */
  readonly operations: Operations;
  /** what the others are about, in words */
  readonly without: readonly string[];
}

interface Known {
  readonly datacenters: readonly Datacenter[];
  readonly tenants: readonly Tenant[];
}

export function operationsInEffect(operations: Operations, known: readonly Known[]): OperationsInEffect {
  const datacenters = new Map<string, Datacenter>(
    known.flatMap((cloud) => cloud.datacenters.map((datacenter) => [datacenter.id, datacenter])),
  );
  const tenants = tenantsByLabel(operations, known);
  const without: string[] = [];
  const kept = <T>(entries: readonly T[], faultOf: (entry: T) => string | undefined): readonly T[] =>
    entries.filter((entry) => {
      const fault = faultOf(entry);
      if (fault !== undefined) without.push(fault);
      return fault === undefined;
    });
  return {
    operations: {
      ...operations,
      overrides: kept(operations.overrides, ({ number, target }) =>
        [...datacenters.values()].some((datacenter) => matchesTarget(target, datacenter))
          ? undefined
          : `override ${number} of ${target}`,
      ),
      tenants: Object.fromEntries(
        kept(Object.entries(operations.tenants), ([label, operation]) =>
          tenantFault(label, tenants.get(label), operation, datacenters),
        ),
      ),
      health: Object.fromEntries(
        kept(Object.entries(operations.health), ([id]) =>
          // What was found once is no news where nobody looks any more.
          datacenters.get(id)?.healthCheck === undefined ? `the health of ${id}` : undefined,
        ),
      ),
    },
    without,
  };
}

/** Where the tenants are that are not where the configuration has them, by operations that are in effect. */
export function placesFrom({ tenants }: Operations, known: readonly Known[]): TenantPlaces {
  const datacenters = new Map<string, Datacenter>(
    known.flatMap((cloud) => cloud.datacenters.map((datacenter) => [datacenter.id, datacenter])),
  );
  const places = new Map<string, TenantPlace>();
  for (const [label, { active: at, standby, serving }] of Object.entries(tenants)) {
    const active = datacenters.get(at);
    if (active === undefined) continue;
    places.set(label, {
      active,
      standby: standby === undefined ? undefined : datacenters.get(standby),
      serving,
    });
  }
  return places;
}

/** Only those asked for: tenants may be very many. */
function tenantsByLabel(operations: Operations, known: readonly Known[]): ReadonlyMap<string, TenantGeo> {
  const labels = new Set(Object.keys(operations.tenants));
  if (labels.size === 0) return new Map();
  const found = new Map<string, TenantGeo>();
  for (const { tenants } of known) {
    for (const { geos } of tenants) {
      for (const geo of geos) if (labels.has(geo.label)) found.set(geo.label, geo);
    }
  }
  return found;
}

/** A tenant whose stored datacenters may hold it no longer is served as the configuration says. */
function tenantFault(
  label: string,
  tenant: TenantGeo | undefined,
  { active, standby }: TenantOperation,
  datacenters: ReadonlyMap<string, Datacenter>,
): string | undefined {
  if (tenant === undefined) return `tenant ${label}`;
  const mayHold = (id: DatacenterId): boolean => {
    const datacenter = datacenters.get(id);
    return datacenter?.cloud === tenant.active.cloud && datacenter.roles.has("tenants");
  };
  const wrong = [active, ...(standby === undefined ? [] : [standby])].find((id) => !mayHold(id));
  return wrong === undefined ? undefined : `tenant ${label} at ${wrong}`;
}

/** How many are named in one line. */
const NAMED = 5;

/** One line for all of them; none where all have effect. */
export function formatWithout({ without }: OperationsInEffect): string | undefined {
  if (without.length === 0) return undefined;
  const named = without.slice(0, NAMED).join(", ");
  const more = without.length > NAMED ? ` and ${without.length - NAMED} more` : "";
  return `stored for what this configuration does not have, kept without effect: ${named}${more}`;
}
