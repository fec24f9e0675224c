/**
 * What operators and health checks have said, and what follows from it: the state of each datacenter and where each tenant
 * is served. Values, never changed; whoever keeps them puts the next one in the place of the one before.
 */

import type { DatacenterState, DatacenterStates } from "./states.ts";
import type { CloudTenants, TenantRow } from "./tenant-table.ts";
import type { Datacenter, DatacenterId, TenantGeo } from "./topology.ts";

/** Milliseconds since 1970. */
export type Milliseconds = number;

export interface Operations {
  /** in the order in which they were set: of several that match a datacenter the last one counts */
  readonly overrides: readonly Override[];
  /** by label: those who are not served as the configuration says */
  readonly tenants: Readonly<Record<string, TenantOperation>>;
  /** by datacenter: what probes have found last */
  readonly health: Readonly<Record<string, Health>>;
  /** the number of the next override; numbers are never used again */
  readonly nextOverride: number;
}

export const noOperations: Operations = { overrides: [], tenants: {}, health: {}, nextOverride: 1 };

/** An operator's word on datacenters, which beats what probes find. */
export interface Override {
  readonly number: number;
  /** as written: `lhr`, `Worldwide/lhr`, `Worldwide/*`, `lh*` or `geo:EUR` */
  readonly target: string;
  readonly state: DatacenterState;
  readonly reason: string | undefined;
  readonly since: Milliseconds;
  /** undefined: until it is removed */
  readonly until: Milliseconds | undefined;
}

export interface Health {
  readonly state: "up" | "down";
  readonly since: Milliseconds;
  readonly reason: string;
}

/** Where a tenant is served, and since when. */
export interface TenantOperation {
  /** of these two one serves; `active` is the configured one unless an operator has moved the tenant */
  readonly active: DatacenterId;
  readonly standby: DatacenterId | undefined;
  readonly serving: "active" | "standby";
  readonly by: "operator" | "failover" | "failback";
  readonly reason: string | undefined;
  readonly since: Milliseconds;
}

/** Whether a target that can be read means a datacenter. */
export function matchesTarget(target: string, { id, shortId, geo }: Datacenter): boolean {
  if (target.startsWith("geo:")) return geo?.toLowerCase() === target.slice("geo:".length).toLowerCase();
  const pattern = target.split("*").map(escapePattern).join(".*");
  return new RegExp(`^${pattern}$`, "i").test(target.includes("/") ? id : shortId);
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The datacenters that a target means; a sentence where it means none, or one of several clouds. */
export function findTargets(
  datacenters: readonly Datacenter[],
  target: string,
): readonly Datacenter[] | string {
  const found = datacenters.filter((datacenter) => matchesTarget(target, datacenter));
  const isPattern = target.includes("*") || target.startsWith("geo:");
  if (found.length === 0) return `"${target}" means no datacenter`;
  if (isPattern || found.length === 1) return found;
  return `"${target}" is a datacenter of several clouds: ${found.map(({ id }) => id).join(", ")}`;
}

export type OverrideRequest = Pick<Override, "target" | "state" | "reason" | "until">;

/** Adds an override behind all others; one of the same target goes. */
export function withOverride(
  operations: Operations,
  request: OverrideRequest,
  now: Milliseconds,
): Operations {
  const { overrides, nextOverride: number } = operations;
  const others = overrides.filter(({ target }) => target.toLowerCase() !== request.target.toLowerCase());
  return {
    ...operations,
    overrides: [...others, { ...request, number, since: now }],
    nextOverride: number + 1,
  };
}

/** Undefined where there is none of that number. */
export function withoutOverride(operations: Operations, number: number): Operations | undefined {
  const overrides = operations.overrides.filter((override) => override.number !== number);
  return overrides.length === operations.overrides.length ? undefined : { ...operations, overrides };
}

/** Without the overrides whose time is over. */
export function withoutExpired(operations: Operations, now: Milliseconds): Operations {
  const overrides = operations.overrides.filter((override) => !isOver(override, now));
  return overrides.length === operations.overrides.length ? operations : { ...operations, overrides };
}

/** When the next override ends by itself. */
export function nextExpiry({ overrides }: Operations): Milliseconds | undefined {
  const times = overrides.flatMap(({ until }) => until ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

const isOver = ({ until }: Override, now: Milliseconds): boolean => until !== undefined && until <= now;

export function withHealth(operations: Operations, id: DatacenterId, health: Health): Operations {
  return { ...operations, health: { ...operations.health, [id]: health } };
}

/** A datacenter's state with where it comes from: the operator's word beats the probes', and both are shown. */
export interface DatacenterStatus {
  readonly datacenter: Datacenter;
  readonly state: DatacenterState;
  readonly override: Override | undefined;
  readonly health: Health | undefined;
}

export function statusOf(
  datacenters: readonly Datacenter[],
  { overrides, health }: Operations,
  now: Milliseconds,
): readonly DatacenterStatus[] {
  const inForce = overrides.filter((override) => !isOver(override, now));
  return datacenters.map((datacenter) => {
    const override = inForce.findLast(({ target }) => matchesTarget(target, datacenter));
    const probed = health[datacenter.id];
    return { datacenter, state: override?.state ?? probed?.state ?? "up", override, health: probed };
  });
}

export function statesFrom(statuses: readonly DatacenterStatus[]): DatacenterStates {
  return new Map(
    statuses.filter(({ state }) => state !== "up").map(({ datacenter, state }) => [datacenter.id, state]),
  );
}

/** What was said of a tenant, if anything was. Of a million labels one may be "constructor", which every object has. */
export const operationOf = (
  { tenants }: Operations,
  { label }: Pick<TenantGeo, "label">,
): TenantOperation | undefined => (Object.hasOwn(tenants, label) ? tenants[label] : undefined);

/** The tenant as it is served now: its active datacenter and its standby, moved or not. */
export function tenantStatus(tenant: TenantGeo, operations: Operations): TenantOperation {
  return (
    operationOf(operations, tenant) ?? {
      active: tenant.active.id,
      standby: tenant.standby?.id,
      serving: "active",
      by: "operator",
      reason: undefined,
      since: 0,
    }
  );
}

/** Serves a tenant from the other of its two datacenters; a sentence where it has no other. */
export function withServing(
  operations: Operations,
  tenant: TenantGeo,
  change: Pick<TenantOperation, "serving" | "by" | "reason">,
  now: Milliseconds,
): Operations | string {
  const before = tenantStatus(tenant, operations);
  if (change.serving === "standby" && before.standby === undefined) return `${tenant.label} has no standby`;
  if (before.serving === change.serving) {
    const where = change.serving === "active" ? "its active datacenter" : "its standby";
    return `${tenant.label} is served by ${where} already`;
  }
  return {
    ...operations,
    tenants: { ...operations.tenants, [tenant.label]: { ...before, ...change, since: now } },
  };
}

/** Moves a tenant's home; moved to its standby the two change places. */
export function withActive(
  operations: Operations,
  tenant: TenantGeo,
  to: DatacenterId,
  reason: string | undefined,
  now: Milliseconds,
): Operations {
  const before = tenantStatus(tenant, operations);
  const standby = before.standby === to ? before.active : before.standby;
  const moved: TenantOperation = {
    active: to,
    standby,
    serving: "active",
    by: "operator",
    reason,
    since: now,
  };
  const isHome = to === tenant.active.id && standby === tenant.standby?.id;
  const { [tenant.label]: _, ...others } = operations.tenants;
  return { ...operations, tenants: isHome ? others : { ...others, [tenant.label]: moved } };
}

/** A tenant that fails over or back by itself. */
export interface TenantChange {
  readonly tenant: TenantGeo;
  readonly from: DatacenterId;
  readonly to: DatacenterId;
  readonly by: "failover" | "failback";
}

/**
 * What tenants do by themselves in these states. Who is served by a datacenter that is down fails over to the other one
 * unless that is down too; who was failed over, and not by an operator, goes back once the active one is up. Each only
 * where the tenant is set to do so.
 */
export function settleTenants(
  tenants: Iterable<TenantGeo>,
  operations: Operations,
  states: DatacenterStates,
  now: Milliseconds,
): { readonly operations: Operations; readonly changes: readonly TenantChange[] } {
  const changes: TenantChange[] = [];
  const changed: Record<string, TenantOperation> = {};
  const stateOf = (id: DatacenterId): DatacenterState => states.get(id) ?? "up";
  for (const tenant of tenants) {
    const before = tenantStatus(tenant, operations);
    const { active, standby, serving } = before;
    if (standby === undefined) continue;
    const [here, there] = serving === "active" ? [active, standby] : [standby, active];
    const failsOver =
      tenant.failover === "automatic" && stateOf(here) === "down" && stateOf(there) !== "down";
    const failsBack =
      tenant.failback === "automatic" &&
      serving === "standby" &&
      before.by === "failover" &&
      stateOf(active) === "up";
    if (!failsOver && !failsBack) continue;
    const by = failsOver ? "failover" : "failback";
    const reason = failsOver ? `${here} is down` : `${there} is up again`;
    changes.push({ tenant, from: here, to: there, by });
    changed[tenant.label] = {
      ...before,
      serving: serving === "active" ? "standby" : "active",
      by,
      reason,
      since: now,
    };
  }
  if (changes.length === 0) return { operations, changes };
  return { operations: { ...operations, tenants: { ...operations.tenants, ...changed } }, changes };
}

/**
 * Those of all tenants that may have something to do by themselves in these states: those that are not where the
 * configuration has them and can fail over or back, and those whose shape fails over. So a million are seen in no time.
 */
export function* tenantsConcerned(
  clouds: readonly CloudTenants[],
  { tenants: moved }: Operations,
  states: DatacenterStates,
): Generator<TenantGeo> {
  const isDown = (id: DatacenterId): boolean => states.get(id) === "down";
  const labels: string[] = [];
  for (const [label, { active, standby, serving, by }] of Object.entries(moved)) {
    if (standby === undefined) continue;
    const failsBack = serving === "standby" && by === "failover" && !states.has(active);
    if (failsBack || isDown(serving === "active" ? active : standby)) labels.push(label);
  }
  for (const { table, cloud } of clouds) {
    const failsOver = Uint8Array.from(table.shapes, ({ cloud: its, active, standby, failover }) => {
      const isAble = its === cloud && failover === "automatic" && standby !== undefined;
      return isAble && isDown(active.id) && !isDown(standby.id) ? 1 : 0;
    });
    const rows = new Set<TenantRow>();
    for (const label of labels) {
      const row = table.findRow(label);
      if (row >= 0 && table.shapeAt(row).cloud === cloud && table.labelAt(row) === label) rows.add(row);
    }
    if (failsOver.includes(1)) {
      for (let row = 0; row < table.rowCount; row++) {
        if (failsOver[table.shapeOf(row)] === 1) rows.add(row);
      }
    }
    for (const row of [...rows].toSorted((a, b) => a - b)) yield table.geoAt(row);
  }
}
