/**
 * Runs what is served: keeps the word of operators and probes, and puts the snapshot that follows from it in force. Changes
 * are made one after the other; each is durable before it is in force, and in force before it is acknowledged.
 */

import { isDeepStrictEqual } from "node:util";
import type {
  Control,
  ControlEvent,
  ControlFault,
  DatacenterChange,
  DatacenterView,
  Outcome,
  OverrideView,
  ReloadView,
  TenantPage,
  TenantView,
} from "./admin/control.ts";
import { healthTtlsAt, type NextHealthChange } from "./cloud/health-ttls.ts";
import {
  type DatacenterStatus,
  findTargets,
  type Health,
  type Milliseconds,
  matchesTarget,
  nextExpiry,
  type Operations,
  type Override,
  operationOf,
  settleTenants,
  statesFrom,
  statusOf,
  tenantStatus,
  tenantsConcerned,
  withActive,
  withHealth,
  withOverride,
  withoutExpired,
  withoutOverride,
  withServing,
} from "./cloud/operations.ts";
import { operationsInEffect, placesFrom } from "./cloud/operations-in-effect.ts";
import { allUp, type DatacenterStates, stateOf } from "./cloud/states.ts";
import { findTenant, labelsLike } from "./cloud/tenant-table.ts";
import { type Datacenter, type DatacenterId, type TenantGeo, WORKLOADS } from "./cloud/topology.ts";
import { suggest } from "./config/documents.ts";
import { diffConfigurations } from "./diff.ts";
import type { Handlers } from "./script/handlers.ts";
import { type Snapshot, withStates } from "./snapshot.ts";
import type { Reality } from "./what-if.ts";

/** Tenants of one change that have a line each in the log. */
const MAX_TENANT_LINES = 1000;

/** What a controller runs, and by what. */
export interface ControllerOptions {
  readonly snapshot: Snapshot;
  readonly operations: Operations;
  /** Puts a snapshot in force; settles when the one before has no query in hand any more. */
  readonly publish: (snapshot: Snapshot, handlers?: Handlers) => Promise<void>;
  /** Makes operations durable; rejects with what kept it from that. */
  readonly keep: (operations: Operations) => Promise<void>;
  /** Keeps operations that count in any case; says what kept it from that, if anything did. */
  readonly remember: (operations: Operations) => Promise<readonly string[]>;
  readonly now: () => Milliseconds;
  /** Calls back at a time, which may be passed; returns how to take that back. */
  readonly setTimer: (at: Milliseconds, callback: () => void) => () => void;
  readonly load: () => Promise<LoadedAnew>;
  /** told of what goes wrong where nobody waits for it */
  readonly onFault: (error: unknown) => void;
  /** when probes can change the state of one of these at the earliest; undefined where none is probed */
  readonly nextHealthChange?: NextHealthChange;
  readonly log: { info(line: string): void; warn(line: string): void; error(line: string): void };
}

/** A configuration read again, or every error in it as `check` prints them. */
export type LoadedAnew =
  | {
      readonly kind: "loaded";
      readonly snapshot: Snapshot;
      readonly handlers: Handlers;
      /** as kept: those of this server, unless another has written to the same store */
      readonly operations: Operations;
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: "errors";
      readonly errors: readonly string[];
      /** a warning, where all else is sound and the old GeoIP database serves on */
      readonly isGeoipAlone: boolean;
    };

type Changes = Pick<
  Control,
  | "datacenters"
  | "tenants"
  | "countTenants"
  | "tenant"
  | "overrides"
  | "setDatacenter"
  | "removeOverride"
  | "moveTenant"
  | "failover"
  | "failback"
  | "reload"
  | "subscribe"
>;

/** What an operator's word makes of the operations, and what is acknowledged. */
interface Change<T> {
  readonly next: Operations;
  /** the one that is changed, if it is a tenant */
  readonly tenant?: TenantGeo;
  readonly value: () => T;
}

export class Controller implements Changes {
  readonly #options: ControllerOptions;
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  /** as loaded; what is in force has states beside it */
  #base: Snapshot;
  #inForce: Snapshot;
  /** all of them, whether or not this configuration knows what they are about */
  #operations: Operations;
  #inEffect: Operations;
  /** those that the store has taken */
  #kept: Operations;
  #version = 0;
  #since: Milliseconds;
  #lastReloadErrors: readonly string[] | undefined;
  /** one change after the other */
  #queue: Promise<unknown> = Promise.resolve();
  #cancelExpiry = (): void => {};
  #isClosed = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#base = options.snapshot;
    // Nothing is told yet, so that the start tells what is not up.
    this.#inForce = withStates(options.snapshot, allUp);
    this.#operations = options.operations;
    this.#inEffect = this.#effectOf(options.operations);
    this.#kept = options.operations;
    this.#since = options.now();
  }

  get snapshot(): Snapshot {
    return this.#inForce;
  }

  /** of the snapshot in force: it counts up from 1 */
  get version(): number {
    return this.#version;
  }

  get since(): Milliseconds {
    return this.#since;
  }

  get lastReloadErrors(): readonly string[] | undefined {
    return this.#lastReloadErrors;
  }

  /** Puts the first snapshot in force, in the states that were kept. */
  async start(): Promise<void> {
    await this.#enqueue(() => this.#settle(withoutExpired(this.#operations, this.#options.now())));
  }

  /** Waits for the changes under way; makes none any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelExpiry();
    await this.#queue;
  }

  /** Waits for the changes that were asked for so far. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  get tenantsFailedOver(): number {
    return Object.values(this.#inEffect.tenants).filter(({ serving }) => serving === "standby").length;
  }

  datacenters(): readonly DatacenterView[] {
    return this.#statuses().map((status) => this.#datacenterView(status));
  }

  tenants({ cloud, offset = 0, limit = Number.POSITIVE_INFINITY }: TenantPage = {}): readonly TenantView[] {
    const views: TenantView[] = [];
    let before = 0;
    for (const { name, tenants } of this.#base.configuration.clouds) {
      if (cloud !== undefined && name !== cloud) continue;
      const { count } = tenants;
      if (before + count > offset) {
        for (const tenant of tenants.page(Math.max(0, offset - before), limit - views.length)) {
          views.push(this.#tenantView(tenant));
        }
      }
      before += count;
    }
    return views;
  }

  countTenants(cloud?: string): number {
    return this.#base.configuration.clouds
      .filter(({ name }) => cloud === undefined || name === cloud)
      .reduce((sum, { tenants }) => sum + tenants.count, 0);
  }

  tenant(label: string): TenantView | undefined {
    const found = findTenant(this.#base.configuration.clouds, label);
    return found && this.#tenantView(found);
  }

  overrides(): readonly OverrideView[] {
    return this.#operations.overrides.map((override) => this.#overrideView(override));
  }

  setDatacenter(change: DatacenterChange): Promise<Outcome<OverrideView>> {
    return this.#change((now) => {
      const found = findTargets(this.#datacenters(), change.target);
      if (typeof found === "string") {
        const ids = this.#datacenters().flatMap(({ id, shortId }) => [shortId, id]);
        return notFound(found.endsWith("no datacenter") ? `${found}${suggest(change.target, ids)}` : found);
      }
      const { target, state, reason, forSeconds } = change;
      const until = forSeconds === undefined ? undefined : now + forSeconds * 1000;
      const next = withOverride(this.#operations, { target, state, reason, until }, now);
      return { next, value: () => this.#overrideView(lastOf(next.overrides)) };
    });
  }

  removeOverride(number: number): Promise<Outcome<OverrideView>> {
    return this.#change(() => {
      const removed = this.#operations.overrides.find((override) => override.number === number);
      const next = withoutOverride(this.#operations, number);
      if (removed === undefined || next === undefined) return notFound(`there is no override ${number}`);
      return { next, value: () => this.#overrideView(removed) };
    });
  }

  moveTenant(label: string, to: string, reason: string | undefined): Promise<Outcome<TenantView>> {
    return this.#changeTenant(label, (tenant, operations, now) => {
      const { cloud } = tenant.active;
      const able = this.#datacenters().filter((each) => each.cloud === cloud && each.roles.has("tenants"));
      const found = able.find(({ id, shortId }) => [id, shortId].some((text) => same(text, to)));
      if (found === undefined) {
        const ids = able.map(({ shortId }) => shortId);
        return notPossible(`"${to}" is no datacenter of ${cloud} with the role tenants${suggest(to, ids)}`);
      }
      return withActive(operations, tenant, found.id, reason, now);
    });
  }

  failover(label: string, reason: string | undefined): Promise<Outcome<TenantView>> {
    return this.#changeTenant(label, (tenant, operations, now) =>
      orNotPossible(withServing(operations, tenant, { serving: "standby", by: "operator", reason }, now)),
    );
  }

  failback(label: string, reason: string | undefined): Promise<Outcome<TenantView>> {
    return this.#changeTenant(label, (tenant, operations, now) =>
      orNotPossible(withServing(operations, tenant, { serving: "active", by: "operator", reason }, now)),
    );
  }

  /** What a probe has found; it counts at once, and is kept if it can be. */
  setHealth(id: DatacenterId, health: Health): Promise<void> {
    return this.#enqueue(() => this.#settle(withHealth(this.#operations, id, health)));
  }

  async reload(): Promise<Outcome<ReloadView>> {
    return this.#enqueue(async () => {
      const { load, log } = this.#options;
      const loaded = await load();
      if (loaded.kind === "errors") {
        this.#lastReloadErrors = loaded.errors;
        const level = loaded.isGeoipAlone ? "warn" : "error";
        for (const error of loaded.errors) log[level](error);
        const message = "the configuration was not loaded anew; the one before stays";
        if (!loaded.isGeoipAlone) log.error(message);
        this.#emit({ kind: "reload", outcome: "errors", lines: loaded.errors });
        return { kind: "fault", fault: { code: "configuration-errors", message }, errors: loaded.errors };
      }
      this.#lastReloadErrors = undefined;
      const changes = diffConfigurations(this.#base.configuration, loaded.snapshot.configuration);
      this.#base = loaded.snapshot;
      this.#kept = loaded.operations;
      await this.#settle(withoutExpired(loaded.operations, this.#options.now()), {
        handlers: loaded.handlers,
      });
      for (const line of changes) log.info(line);
      const { size } = loaded.snapshot.configuration.zones;
      log.info(`the configuration is loaded anew: ${size === 1 ? "1 zone" : `${size} zones`}`);
      this.#emit({ kind: "reload", outcome: "done", lines: changes });
      return { kind: "done", value: { snapshot: this.#version, changes, warnings: loaded.warnings } };
    });
  }

  /** Lets TTLs that follow the time follow it; asked every second or so. */
  refreshTtls(): Promise<void> {
    if (this.#base.configuration.clouds.every(({ healthTtl }) => healthTtl === undefined))
      return Promise.resolve();
    return this.#enqueue(async () => {
      const healthTtls = this.#healthTtls();
      if (isDeepStrictEqual(healthTtls, this.#inForce.healthTtls)) return;
      this.#inForce = { ...this.#inForce, healthTtls };
      await this.#options.publish(this.#inForce);
    });
  }

  /** What is now, for whoever supposes something else. */
  reality(): Reality {
    const { now, nextHealthChange } = this.#options;
    return { snapshot: this.#inForce, operations: this.#inEffect, now: now(), nextHealthChange };
  }

  subscribe(listener: (event: ControlEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changeTenant(
    label: string,
    make: (tenant: TenantGeo, operations: Operations, now: Milliseconds) => Operations | ControlFault,
  ): Promise<Outcome<TenantView>> {
    return this.#change((now) => {
      const { clouds } = this.#base.configuration;
      const tenant = findTenant(clouds, label);
      if (tenant === undefined)
        return notFound(
          whyNoHome(clouds, label) ?? `"${label}" is no tenant${suggest(label, labelsLike(clouds, label))}`,
        );
      const { [tenant.label]: _, ...others } = this.#operations.tenants;
      // What is kept of it without effect ends with the next word on it.
      const isInEffect = operationOf(this.#inEffect, tenant) !== undefined;
      const operations = isInEffect ? this.#operations : { ...this.#operations, tenants: others };
      const next = make(tenant, operations, now);
      return "code" in next ? next : { next, tenant, value: () => this.#tenantView(tenant) };
    });
  }

  /** An operator's change: refused, or durable and in force once this settles. */
  #change<T>(make: (now: Milliseconds) => Change<T> | ControlFault): Promise<Outcome<T>> {
    return this.#enqueue(async () => {
      const made = make(this.#options.now());
      if ("code" in made) return { kind: "fault", fault: made };
      try {
        await this.#options.keep(made.next);
        this.#kept = made.next;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const fault = { code: "state-not-written", message: `the change was not made: ${reason}` } as const;
        return { kind: "fault", fault };
      }
      await this.#settle(made.next, { tenant: made.tenant });
      return { kind: "done", value: made.value() };
    });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /**
   * Puts in force what follows from these operations: states, and what tenants do by themselves in them. That is kept too,
   * but nobody waits for it to be, so it counts even where it cannot be: answering goes on in any case. `tenant` is the
   * one that an operator has changed, which is told of too.
   */
  async #settle(
    operations: Operations,
    {
      handlers,
      tenant: changed,
    }: { readonly handlers?: Handlers; readonly tenant?: TenantGeo | undefined } = {},
  ): Promise<void> {
    const { now, publish, log } = this.#options;
    const before = this.#inForce.states;
    const at = now();
    const inEffect = this.#effectOf(operations);
    const statuses = statusOf(this.#datacenters(), inEffect, at);
    const states = statesFrom(statuses);
    const tenantsOfClouds = this.#base.configuration.clouds.map((cloud) => cloud.tenants);
    const concerned = tenantsConcerned(tenantsOfClouds, inEffect, states);
    const settled = settleTenants(concerned, inEffect, states, at);
    const { tenants } = settled.operations;
    this.#operations =
      settled.changes.length === 0
        ? operations
        : { ...operations, tenants: { ...operations.tenants, ...tenants } };
    this.#inEffect = settled.operations;
    this.#inForce = {
      ...withStates(this.#base, states, placesFrom(this.#inEffect, this.#base.configuration.clouds)),
      version: ++this.#version,
      healthTtls: this.#healthTtls(),
    };
    this.#since = at;
    await publish(this.#inForce, handlers);
    if (this.#operations !== this.#kept) {
      for (const sentence of await this.#options.remember(this.#operations)) log.warn(sentence);
      this.#kept = this.#operations;
    }
    this.#scheduleExpiry();
    this.#tellChanges(before, statuses);
    for (const { tenant, from, to, by } of settled.changes.slice(0, MAX_TENANT_LINES)) {
      log.warn(`tenant ${tenant.label}: ${by} from ${from} to ${to}`);
    }
    const more = settled.changes.length - MAX_TENANT_LINES;
    if (more > 0) log.warn(`${more} more tenants change their datacenter`);
    if (this.#listeners.size > 0) {
      for (const { tenant } of settled.changes) {
        this.#emit({ kind: "tenant", tenant: this.#tenantView(tenant) });
      }
    }
    if (changed !== undefined && settled.changes.every(({ tenant }) => tenant.label !== changed.label)) {
      const view = this.#tenantView(changed);
      const why = view.reason === undefined ? "" : `: ${view.reason}`;
      log.warn(`tenant ${view.label} is served by ${view.servedBy}${why}`);
      this.#emit({ kind: "tenant", tenant: view });
    }
  }

  #tellChanges(before: DatacenterStates, next: readonly DatacenterStatus[]): void {
    for (const status of next) {
      const old = stateOf(before, status.datacenter);
      if (old === status.state) continue;
      this.#options.log.warn(`datacenter ${status.datacenter.id} is ${status.state}${because(status)}`);
      this.#emit({ kind: "datacenter", datacenter: this.#datacenterView(status), before: old });
    }
  }

  #scheduleExpiry(): void {
    this.#cancelExpiry();
    const at = nextExpiry(this.#operations);
    if (at === undefined || this.#isClosed) return;
    this.#cancelExpiry = this.#options.setTimer(at, () => {
      this.#enqueue(async () => {
        const { overrides } = this.#operations;
        const next = withoutExpired(this.#operations, this.#options.now());
        for (const override of overrides.filter((each) => !next.overrides.includes(each))) {
          this.#options.log.info(`override ${override.number} of ${override.target} has ended`);
          this.#emit({ kind: "override-ended", override: this.#overrideView(override) });
        }
        await this.#settle(next);
      }).catch(this.#options.onFault);
    });
  }

  #healthTtls(): ReadonlyMap<string, number> {
    const { now, nextHealthChange } = this.#options;
    return healthTtlsAt(this.#base.configuration.clouds, this.#operations, now(), nextHealthChange);
  }

  /** Those that this configuration knows. */
  #effectOf(operations: Operations): Operations {
    return operationsInEffect(operations, this.#base.configuration.clouds).operations;
  }

  #datacenters(): readonly Datacenter[] {
    return this.#base.configuration.clouds.flatMap(({ datacenters }) => datacenters);
  }

  #statuses(): readonly DatacenterStatus[] {
    return statusOf(this.#datacenters(), this.#inEffect, this.#options.now());
  }

  #datacenterView({ datacenter, state, override, health }: DatacenterStatus): DatacenterView {
    return {
      id: datacenter.id,
      city: datacenter.place.city,
      roles: [...datacenter.roles],
      state,
      health: health && { ...health, since: isoTime(health.since) },
      override: override && this.#overrideView(override),
    };
  }

  #overrideView({ since, until, ...override }: Override): OverrideView {
    const meant = this.#datacenters().filter((datacenter) => matchesTarget(override.target, datacenter));
    return {
      ...override,
      since: isoTime(since),
      until: until === undefined ? undefined : isoTime(until),
      datacenters: meant.map(({ id }) => id),
    };
  }

  #tenantView(tenant: TenantGeo): TenantView {
    const { label, geo, failover, failback } = tenant;
    const { active, standby, serving, by, reason, since } = tenantStatus(tenant, this.#inEffect);
    const isAsConfigured = operationOf(this.#inEffect, tenant) === undefined;
    return {
      label,
      tenant: tenant.tenant,
      workload: tenant.workload,
      ownHomes: this.#ownHomesOf(tenant),
      cloud: tenant.active.cloud,
      geo,
      active,
      standby,
      servedBy: serving === "active" ? active : (standby ?? active),
      serving,
      failover,
      failback,
      since: isAsConfigured ? undefined : isoTime(since),
      by: isAsConfigured ? undefined : by,
      reason,
    };
  }

  #ownHomesOf({ label, active }: TenantGeo): readonly string[] | undefined {
    const tenants = this.#base.configuration.clouds.find(({ name }) => name === active.cloud)?.tenants;
    const rows = tenants?.table.workloadsOf(tenants.findRow(label)) ?? [];
    return rows.length === 0 ? undefined : rows.map((row) => tenants?.table.labelAt(row) ?? "");
  }

  #emit(event: ControlEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

const isoTime = (at: Milliseconds): string => new Date(at).toISOString();

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const notFound = (message: string): ControlFault => ({ code: "not-found", message });
const notPossible = (message: string): ControlFault => ({ code: "not-possible", message });

/** That a workload follows its tenant, where a label is that of one which has no home of its own. */
function whyNoHome(clouds: Parameters<typeof findTenant>[0], label: string): string | undefined {
  const [, owner = "", workload = ""] = /^([^/]+)\/(.+)$/.exec(label) ?? [];
  const tenant = findTenant(clouds, owner);
  if (tenant === undefined) return undefined;
  if (!WORKLOADS.some((each) => each === workload.toLowerCase()))
    return `"${workload}" is no workload${suggest(workload, WORKLOADS)}`;
  return `${workload} of ${tenant.label} has no home of its own: it follows ${tenant.label}`;
}

const orNotPossible = (outcome: Operations | string): Operations | ControlFault =>
  typeof outcome === "string" ? notPossible(outcome) : outcome;

function lastOf(overrides: readonly Override[]): Override {
  const last = overrides.at(-1);
  if (last === undefined) throw new Error("an override was added, and there is none");
  return last;
}

/** Who says so. */
function because({ override, health }: DatacenterStatus): string {
  if (override !== undefined) {
    const { number, reason } = override;
    return ` by override ${number}${reason === undefined ? "" : `: ${reason}`}`;
  }
  return health === undefined ? "" : `: ${health.reason}`;
}
