/** Stored operations beside a configuration that has changed since: what it no longer knows is kept, and has no effect. */

import { matchesTarget, type Operations, type TenantOperation } from "./operations.ts";
import type { TenantPlace, TenantPlaces } from "./states.ts";
import { type CloudTenants, NO_ROW } from "./tenant-table.ts";
import type { Datacenter, DatacenterId } from "./topology.ts";

export interface OperationsInEffect {
  /** those that this configuration knows */
  readonly operations: Operations;
  /** what the others are about, in words */
  readonly without: readonly string[];
}

interface Known {
  readonly datacenters: readonly Datacenter[];
  readonly tenants: CloudTenants;
}

export function operationsInEffect(operations: Operations, known: readonly Known[]): OperationsInEffect {
  const datacenters = new Map<string, Datacenter>(
    known.flatMap((cloud) => cloud.datacenters.map((datacenter) => [datacenter.id, datacenter])),
  );
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
          tenantFault(label, cloudOf(label, known), operation, datacenters),
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

/** The cloud of a tenant, stored under its label as it is written: by its row alone, since very many may have failed over. */
function cloudOf(label: string, known: readonly Known[]): string | undefined {
  for (const { tenants } of known) {
    const row = tenants.findRow(label);
    if (row !== NO_ROW && tenants.table.labelAt(row) === label) return tenants.cloud;
  }
  return undefined;
}

/** A tenant whose stored datacenters may hold it no longer is served as the configuration says. */
function tenantFault(
  label: string,
  cloud: string | undefined,
  { active, standby }: TenantOperation,
  datacenters: ReadonlyMap<string, Datacenter>,
): string | undefined {
  if (cloud === undefined) return `tenant ${label}`;
  const mayHold = (id: DatacenterId): boolean => {
    const datacenter = datacenters.get(id);
    return datacenter?.cloud === cloud && datacenter.roles.has("tenants");
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
