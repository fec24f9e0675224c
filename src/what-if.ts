/** States that nobody has set and times that have not come, supposed for one question: nothing is changed by it. */

import { healthTtlsAt, type NextHealthChange } from "./cloud/health-ttls.ts";
import {
  findTargets,
  type Milliseconds,
  type Operations,
  type Override,
  settleTenants,
  statesFrom,
  statusOf,
  type TenantOperation,
  tenantStatus,
  tenantsConcerned,
  withActive,
  withOverride,
  withoutExpired,
  withServing,
} from "./cloud/operations.ts";
import { placesFrom } from "./cloud/operations-in-effect.ts";
import { type DatacenterState, type DatacenterStates, stateOf } from "./cloud/states.ts";
import { findTenant, labelsLike } from "./cloud/tenant-table.ts";
import type { Datacenter, DatacenterId, TenantGeo } from "./cloud/topology.ts";
import { suggest } from "./config/documents.ts";
import { type Snapshot, withStates } from "./snapshot.ts";

export interface WhatIf {
  /** `lhr=down`, `geo:EUR=draining`, `contoso=standby` or `contoso->ams` */
  readonly with: readonly string[];
  /** not before now; now where absent */
  readonly at: Milliseconds | undefined;
}

/** What there is before anything is supposed. */
export interface Reality {
  readonly snapshot: Snapshot;
  /** those that have effect */
  readonly operations: Operations;
  readonly now: Milliseconds;
  readonly nextHealthChange?: NextHealthChange | undefined;
}

/** What is other than it is now. */
export interface SupposedChanges {
  readonly with: readonly string[];
  /** ISO 8601 */
  readonly at: string;
  /** overrides that are over by then */
  readonly ended: readonly {
    readonly number: number;
    readonly target: string;
    readonly state: DatacenterState;
    readonly until: string;
  }[];
  readonly datacenters: readonly {
    readonly id: string;
    readonly before: DatacenterState;
    readonly state: DatacenterState;
  }[];
  /** the first of them, where very many are served elsewhere */
  readonly tenants: readonly {
    readonly label: string;
    readonly before: string;
    readonly servedBy: string;
    readonly by: TenantOperation["by"];
  }[];
  readonly moreTenants: number;
}

/** Tenants that are named. */
const MAX_TENANTS = 20;

/** The snapshot as it would be; a sentence where what is supposed cannot be read or cannot be. */
export function suppose(
  { snapshot, operations: given, now, nextHealthChange }: Reality,
  { with: texts, at: then }: WhatIf,
): { readonly snapshot: Snapshot; readonly changes: SupposedChanges } | string {
  const at = then ?? now;
  const world = new World(snapshot, given);
  const ended = world.passTo(at, now);
  for (const text of texts) {
    const fault = world.suppose(text, at);
    if (fault !== undefined) return fault;
  }
  world.settle(at);
  const { clouds } = snapshot.configuration;
  const states = world.statesAt(at);
  // Probes are taken to stand then as they stand now.
  const healthChange: NextHealthChange = (ids) => {
    const next = nextHealthChange?.(ids);
    return next === undefined ? undefined : next - now + at;
  };
  const tenants = world.tenants();
  return {
    snapshot: {
      ...withStates(snapshot, states, placesFrom(world.operations, clouds)),
      healthTtls: healthTtlsAt(clouds, world.operations, at, healthChange),
    },
    changes: {
      with: texts,
      at: new Date(at).toISOString(),
      ended: ended.map(({ number, target, state, until }) => ({
        number,
        target,
        state,
        until: new Date(until ?? at).toISOString(),
      })),
      datacenters: world.datacenters.flatMap((datacenter) => {
        const [before, state] = [stateOf(snapshot.states, datacenter), stateOf(states, datacenter)];
        return before === state ? [] : [{ id: datacenter.id, before, state }];
      }),
      tenants: tenants.slice(0, MAX_TENANTS),
      moreTenants: Math.max(0, tenants.length - MAX_TENANTS),
    },
  };
}

/** What operators would have said and tenants done. */
class World {
  readonly datacenters: readonly Datacenter[];
  operations: Operations;
  readonly #before: Operations;
  readonly #snapshot: Snapshot;
  readonly #moved = new Map<string, TenantGeo>();

  constructor(snapshot: Snapshot, operations: Operations) {
    this.#snapshot = snapshot;
    this.#before = operations;
    this.operations = operations;
    this.datacenters = snapshot.configuration.clouds.flatMap((cloud) => cloud.datacenters);
  }

  /** Lets overrides end one after the other, and tenants do what they then do by themselves. */
  passTo(at: Milliseconds, now: Milliseconds): readonly Override[] {
    const { overrides } = this.operations;
    const ends = new Set(
      overrides.flatMap(({ until }) => (until === undefined || until > at ? [] : [until])),
    );
    for (const end of [...ends].toSorted((a, b) => a - b)) {
      this.operations = withoutExpired(this.operations, end);
      this.settle(Math.max(end, now));
    }
    return overrides.filter((override) => !this.operations.overrides.includes(override));
  }

  statesAt(at: Milliseconds): DatacenterStates {
    return statesFrom(statusOf(this.datacenters, this.operations, at));
  }

  /** What tenants do by themselves, as the server would have them. */
  settle(at: Milliseconds): void {
    const states = this.statesAt(at);
    const clouds = this.#snapshot.configuration.clouds.map((cloud) => cloud.tenants);
    const concerned = tenantsConcerned(clouds, this.operations, states);
    const { operations, changes } = settleTenants(concerned, this.operations, states, at);
    this.operations = operations;
    for (const { tenant } of changes) this.#moved.set(tenant.label, tenant);
  }

  /** Adds what is supposed; a sentence where it cannot be. */
  suppose(text: string, at: Milliseconds): string | undefined {
    const [, label, to] = /^([^=>]+)->([^=>]+)$/.exec(text) ?? [];
    if (label !== undefined && to !== undefined) return this.#move(label.trim(), to.trim(), at);
    const [, what = "", word = ""] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
    switch (word) {
      case "up":
      case "draining":
      case "down":
        return this.#override(what, word, at);
      case "active":
      case "standby":
        return this.#serve(what, word, at);
      default:
        return `"${text}" is nothing to suppose, which is like lhr=down, geo:EUR=draining, contoso=standby or contoso->ams`;
    }
  }

  #override(target: string, state: DatacenterState, at: Milliseconds): string | undefined {
    const found = findTargets(this.datacenters, target);
    if (typeof found === "string") {
      const ids = this.datacenters.flatMap(({ id, shortId }) => [shortId, id]);
      return found.endsWith("no datacenter") ? `${found}${suggest(target, ids)}` : found;
    }
    this.operations = withOverride(
      this.operations,
      { target, state, reason: "supposed", until: undefined },
      at,
    );
    return undefined;
  }

  #serve(label: string, serving: "active" | "standby", at: Milliseconds): string | undefined {
    const tenant = this.#tenant(label);
    if (typeof tenant === "string") return tenant;
    if (tenantStatus(tenant, this.operations).serving === serving) return undefined;
    const change = { serving, by: "operator", reason: "supposed" } as const;
    return this.#put(tenant, withServing(this.operations, tenant, change, at));
  }

  #move(label: string, to: string, at: Milliseconds): string | undefined {
    const tenant = this.#tenant(label);
    if (typeof tenant === "string") return tenant;
    const { cloud } = tenant.active;
    const able = this.datacenters.filter((each) => each.cloud === cloud && each.roles.has("tenants"));
    const found = able.find(({ id, shortId }) =>
      [id, shortId].some((each) => each.toLowerCase() === to.toLowerCase()),
    );
    if (found === undefined) {
      const ids = able.map(({ shortId }) => shortId);
      return `"${to}" is no datacenter of ${cloud} with the role tenants${suggest(to, ids)}`;
    }
    return this.#put(tenant, withActive(this.operations, tenant, found.id, "supposed", at));
  }

  #put(tenant: TenantGeo, made: Operations | string): string | undefined {
    if (typeof made === "string") return made;
    this.operations = made;
    this.#moved.set(tenant.label, tenant);
    return undefined;
  }

  #tenant(label: string): TenantGeo | string {
    const { clouds } = this.#snapshot.configuration;
    return findTenant(clouds, label) ?? `"${label}" is no tenant${suggest(label, labelsLike(clouds, label))}`;
  }

  /** Those who are served elsewhere than now. */
  tenants(): SupposedChanges["tenants"] {
    return [...this.#moved.values()].flatMap((tenant) => {
      const now = tenantStatus(tenant, this.operations);
      const [before, servedBy] = [tenantStatus(tenant, this.#before), now].map(serverOf);
      if (before === undefined || servedBy === undefined || before === servedBy) return [];
      return [{ label: tenant.label, before, servedBy, by: now.by }];
    });
  }
}

const serverOf = ({ serving, active, standby }: TenantOperation): DatacenterId =>
  serving === "active" ? active : (standby ?? active);
