/**
 * What the admin side needs of the server: values out, changes in. A change is settled once it is durable and the next query
 * is answered by it; until then nobody is told of it. All values are plain JSON.
 */

import type { DatacenterState } from "../cloud/states.ts";
import type { Workload } from "../cloud/topology.ts";
import type { Explanation } from "../explain.ts";
import type { Located } from "../locate.ts";

/** What went wrong, with a code that stays and a sentence that says what to do next. */
export interface ControlFault {
  readonly code: FaultCode;
  readonly message: string;
}

export type FaultCode =
  /** it means no datacenter, tenant, override or network */
  | "not-found"
  /** it can be read, and is not allowed here: a tenant without standby, a datacenter without the role */
  | "not-possible"
  /** the change could not be made durable, so it was not made */
  | "state-not-written"
  /** the configuration has errors; the one before stays */
  | "configuration-errors";

export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "fault"; readonly fault: ControlFault; readonly errors?: readonly string[] };

export interface Control {
  status(): StatusView;
  datacenters(): readonly DatacenterView[];
  clouds(): readonly CloudView[];
  /** those of a page, or all */
  tenants(page?: TenantPage): readonly TenantView[];
  countTenants(cloud?: string): number;
  /** by a label in any case */
  tenant(label: string): TenantView | undefined;
  overrides(): readonly OverrideView[];

  /** An override behind all others; `target` is an id or a pattern: `lhr`, `Worldwide/*`, `geo:EUR`. */
  setDatacenter(change: DatacenterChange): Promise<Outcome<OverrideView>>;
  removeOverride(number: number): Promise<Outcome<OverrideView>>;
  moveTenant(label: string, to: string, reason: string | undefined): Promise<Outcome<TenantView>>;
  failover(label: string, reason: string | undefined): Promise<Outcome<TenantView>>;
  failback(label: string, reason: string | undefined): Promise<Outcome<TenantView>>;
  reload(): Promise<Outcome<ReloadView>>;

  explain(request: ExplainView): Outcome<Explanation>;
  /** Where an address, prefix or network is, and what is near to it. */
  locate(text: string): Outcome<readonly Located[]>;

  /** The newest first. */
  journal(filter: JournalFilter, limit: number): readonly JournalEntry[];
  /** The first entry from now on that the filter takes; undefined when the time is over. */
  waitFor(filter: JournalFilter, timeoutMilliseconds: number): Promise<JournalEntry | undefined>;
  /** Calls back for each event until the returned function is called. */
  subscribe(listener: (event: ControlEvent) => void): () => void;

  clock(): ClockView;
  setClock(change: ClockChange): Promise<Outcome<ClockView>>;
  /** in the text format of Prometheus */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface StatusView {
  readonly version: string;
  /** the number of the snapshot that answers now; each change makes the next one */
  readonly snapshot: number;
  /** ISO 8601, as all times are */
  readonly snapshotSince: string;
  readonly startedAt: string;
  readonly listening: readonly string[];
  readonly configuration: string;
  readonly zones: readonly { readonly apex: string; readonly serial: number | undefined }[];
  readonly geoip: { readonly databaseType: string; readonly buildDate: string } | undefined;
  /** undefined where the last one went well, or none was tried */
  readonly lastReloadErrors: readonly string[] | undefined;
  readonly stateStore: string;
}

export interface DatacenterView {
  readonly id: string;
  readonly city: string | undefined;
  readonly roles: readonly string[];
  /** what counts */
  readonly state: DatacenterState;
  /** what probes have found; undefined where none is made */
  readonly health:
    | { readonly state: "up" | "down"; readonly since: string; readonly reason: string }
    | undefined;
  /** the override in force, if any */
  readonly override: OverrideView | undefined;
}

export interface CloudView {
  readonly name: string;
  readonly datacenters: number;
  readonly tenants: number;
  readonly services: readonly {
    readonly name: string;
    readonly era: string | undefined;
    readonly policy: string;
    readonly whenAllDown: string;
    readonly names: readonly string[];
  }[];
}

/** Which of the tenants are meant: there may be a million. */
export interface TenantPage {
  readonly cloud?: string | undefined;
  readonly offset?: number;
  readonly limit?: number;
}

export interface TenantView {
  readonly label: string;
  readonly tenant: string;
  /** whose home it is, where it is not the tenant's own */
  readonly workload?: Workload | undefined;
  /** the labels of its workloads with a home of their own, which do not follow it */
  readonly ownHomes?: readonly string[] | undefined;
  readonly cloud: string;
  readonly geo: string;
  readonly active: string;
  readonly standby: string | undefined;
  /** the datacenter that answers for it now */
  readonly servedBy: string;
  readonly serving: "active" | "standby";
  readonly failover: "automatic" | "manual";
  readonly failback: "automatic" | "manual";
  /** who put it there and why; undefined where it is as configured */
  readonly since: string | undefined;
  readonly by: "operator" | "failover" | "failback" | undefined;
  readonly reason: string | undefined;
}

export interface OverrideView {
  readonly number: number;
  readonly target: string;
  readonly state: DatacenterState;
  readonly reason: string | undefined;
  readonly since: string;
  readonly until: string | undefined;
  /** ids of the datacenters that it means */
  readonly datacenters: readonly string[];
}

export interface DatacenterChange {
  readonly target: string;
  readonly state: DatacenterState;
  readonly reason: string | undefined;
  readonly forSeconds: number | undefined;
}

export interface ReloadView {
  readonly snapshot: number;
  /** a line for each thing that is other than before; none where nothing is */
  readonly changes: readonly string[];
  readonly warnings: readonly string[];
}

export interface ExplainView {
  readonly name: string;
  readonly type: string;
  /** a prefix or the name of a network */
  readonly from: string;
  readonly tenant: string | undefined;
  /** all is as it is where absent */
  readonly whatIf?: WhatIf;
}

/** What is supposed for one question, as it is written; nothing is changed by it. */
export interface WhatIf {
  /** `lhr=down`, `geo:EUR=draining`, `contoso=standby` or `contoso->ams` */
  readonly with: readonly string[];
  /** a time to come, or how long until then: `2026-11-25T09:00:00Z` or `10m`; undefined: now */
  readonly at: string | undefined;
}

export interface JournalFilter {
  /** a name, or one with `*` for any characters */
  readonly name?: string | undefined;
  /** a prefix that holds the address that counted */
  readonly subnet?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly transport?: "udp" | "tcp" | undefined;
  readonly rcode?: string | undefined;
}

export interface JournalEntry {
  /** counts up from 1, and is never used again */
  readonly number: number;
  readonly at: string;
  readonly snapshot: number;
  readonly qname: string;
  readonly qtype: string;
  readonly source: string;
  readonly transport: "udp" | "tcp";
  /** as sent */
  readonly clientSubnet: string | undefined;
  /** where the address that counted is */
  readonly location: string | undefined;
  readonly datacenter: string | undefined;
  readonly reason: string | undefined;
  readonly rcode: string;
  readonly scope: number | undefined;
}

export type ControlEvent =
  | { readonly kind: "datacenter"; readonly datacenter: DatacenterView; readonly before: DatacenterState }
  | { readonly kind: "tenant"; readonly tenant: TenantView }
  | { readonly kind: "override-ended"; readonly override: OverrideView }
  | { readonly kind: "reload"; readonly outcome: "done" | "errors"; readonly lines: readonly string[] }
  | { readonly kind: "query"; readonly entry: JournalEntry };

export interface ClockView {
  readonly now: string;
  /** 1 is real time, 0 is frozen */
  readonly speed: number;
}

/** One of these at a time, or several: freeze with speed 0, step by seconds, set to a time. */
export interface ClockChange {
  readonly speed?: number | undefined;
  readonly stepSeconds?: number | undefined;
  readonly setTo?: string | undefined;
}
