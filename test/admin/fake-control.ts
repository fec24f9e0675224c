/** A server in memory behind the admin API: a few datacenters, tenants and queries, and no DNS. */

import type {
  ClockView,
  Control,
  ControlEvent,
  ControlFault,
  DatacenterView,
  FaultCode,
  JournalEntry,
  JournalFilter,
  Outcome,
  OverrideView,
  TenantPage,
  TenantView,
} from "../../src/admin/control.ts";
import type { Explanation } from "../../src/explain.ts";
import type { Located } from "../../src/locate.ts";

export const startedAt = "2026-11-25T12:00:00.000Z";

const done = <T>(value: T): Outcome<T> => ({ kind: "done", value });
const fault = (code: FaultCode, message: string): { kind: "fault"; fault: ControlFault } => ({
  kind: "fault",
  fault: { code, message },
});

export class FakeControl implements Control {
  listening: readonly string[] = ["127.0.0.1:5300"];
  /** what the next change fails with */
  nextFault: ControlFault | undefined;
  /** whether waiting is over before it begins */
  isTimeOver = false;
  reloadErrors: readonly string[] | undefined;
  /** thrown by the next call of `clouds` */
  nextError: Error | undefined;
  readonly listeners = new Set<(event: ControlEvent) => void>();
  /** what was passed to setDatacenter, setClock, journal and waitFor */
  readonly calls: unknown[] = [];

  #overrides: readonly OverrideView[] = [];
  #entries: readonly JournalEntry[] = [];
  #nextOverride = 1;
  #clock: ClockView = { now: startedAt, speed: 1 };
  #tenants: readonly TenantView[] = [
    tenantOf("contoso", "contoso", "Worldwide/dub", "Worldwide/ams"),
    tenantOf("contosoNAM", "contoso", "Worldwide/lhr", undefined),
  ];

  status() {
    return {
      version: "0.1.0",
      snapshot: 1,
      snapshotSince: startedAt,
      startedAt,
      listening: this.listening,
      configuration: "config/geodns365.yaml",
      zones: [
        { apex: "office365.com.", serial: 3 },
        { apex: "scripted.example.", serial: undefined },
      ],
      geoip: undefined,
      lastReloadErrors: this.reloadErrors,
      stateStore: "file .geodns365/state.json",
    };
  }

  datacenters(): readonly DatacenterView[] {
    return ["lhr", "dub", "ams"].map((shortId) => {
      const id = `Worldwide/${shortId}`;
      const override = this.#overrides.findLast(({ datacenters }) => datacenters.includes(id));
      const health =
        shortId === "ams"
          ? ({ state: "down", since: startedAt, reason: "2 probes failed" } as const)
          : undefined;
      return {
        id,
        city: { lhr: "London", dub: "Dublin", ams: "Amsterdam" }[shortId],
        roles: ["front-end"],
        state: override?.state ?? health?.state ?? "up",
        health,
        override,
      };
    });
  }

  clouds() {
    if (this.nextError !== undefined) throw this.nextError;
    const service = { era: undefined, policy: "nearest-datacenter", whenAllDown: "nearest" };
    const services = [{ ...service, name: "exchange", names: ["outlook.office365.com."] }];
    return [{ name: "Worldwide", datacenters: 3, tenants: 2, services }];
  }

  tenants({ cloud, offset = 0, limit = Number.POSITIVE_INFINITY }: TenantPage = {}) {
    const meant = this.#tenants.filter((tenant) => cloud === undefined || tenant.cloud === cloud);
    return meant.slice(offset, offset + limit);
  }
  countTenants = (cloud?: string) => this.tenants({ cloud }).length;
  tenant = (label: string) =>
    this.#tenants.find((known) => known.label.toLowerCase() === label.toLowerCase());
  overrides = () => this.#overrides;

  async setDatacenter(change: Parameters<Control["setDatacenter"]>[0]): Promise<Outcome<OverrideView>> {
    this.calls.push(change);
    const refused = this.#takeFault();
    if (refused !== undefined) return refused;
    const { target, state, reason, forSeconds } = change;
    const pattern = new RegExp(`^(Worldwide/)?${target.replaceAll("*", ".*")}$`, "i");
    const datacenters = this.datacenters().flatMap(({ id }) =>
      pattern.test(id) || pattern.test(id.slice("Worldwide/".length)) ? id : [],
    );
    if (datacenters.length === 0) return fault("not-found", `"${target}" means no datacenter`);
    const number = this.#nextOverride++;
    const until =
      forSeconds === undefined
        ? undefined
        : new Date(Date.parse(startedAt) + forSeconds * 1000).toISOString();
    const override = { number, target, state, reason, since: startedAt, until, datacenters };
    const before = new Map(this.datacenters().map((datacenter) => [datacenter.id, datacenter.state]));
    this.#overrides = [...this.#overrides, override];
    for (const datacenter of this.datacenters()) {
      const old = before.get(datacenter.id) ?? "up";
      if (old !== datacenter.state) this.emit({ kind: "datacenter", datacenter, before: old });
    }
    return done(override);
  }

  async removeOverride(number: number): Promise<Outcome<OverrideView>> {
    const found = this.#overrides.find((override) => override.number === number);
    if (found === undefined) return fault("not-found", `there is no override ${number}`);
    this.#overrides = this.#overrides.filter((override) => override !== found);
    this.emit({ kind: "override-ended", override: found });
    return done(found);
  }

  moveTenant(label: string, to: string, reason: string | undefined): Promise<Outcome<TenantView>> {
    return this.#change(label, (tenant) => ({ ...tenant, active: to, servedBy: to, reason }));
  }

  failover(label: string, reason: string | undefined): Promise<Outcome<TenantView>> {
    return this.#change(label, (tenant) =>
      tenant.standby === undefined
        ? `${label} has no standby`
        : { ...tenant, serving: "standby", servedBy: tenant.standby, reason },
    );
  }

  failback(label: string, reason: string | undefined): Promise<Outcome<TenantView>> {
    return this.#change(label, (tenant) => ({
      ...tenant,
      serving: "active",
      servedBy: tenant.active,
      reason,
    }));
  }

  async reload(): ReturnType<Control["reload"]> {
    const errors = this.reloadErrors;
    if (errors === undefined)
      return done({ snapshot: 2, changes: ["network oslo-office is new"], warnings: [] });
    return {
      ...fault("configuration-errors", "the configuration has 1 error; the one before stays"),
      errors,
    };
  }

  explain({ name, type, from, tenant, whatIf }: Parameters<Control["explain"]>[0]): Outcome<Explanation> {
    if (from === "nowhere") return fault("not-found", '"nowhere" is neither a prefix nor a network');
    if (whatIf?.with.includes("nowhere=down")) return fault("not-possible", '"nowhere" means no datacenter');
    return done({
      supposed: {
        with: whatIf?.with ?? [],
        at: whatIf?.at ?? startedAt,
        ended: [],
        datacenters: [],
        tenants: [],
        moreTenants: 0,
      },
      question: { name, type },
      from,
      askers: [],
      vantages: [],
      clientSubnetTrust: "all",
      quirks: undefined,
      location: {
        rule: "network",
        name: "london-office",
        kind: "office",
        place: { city: "London", country: "GB", coordinates: [51.51, -0.13] },
        prefix: from,
        hasGeoip: true,
        tried: [],
        remark: undefined,
      },
      rcode: "NOERROR",
      handler: undefined,
      stop: undefined,
      decisions: [],
      decision: undefined,
      chain: [],
      records: [],
      authority: [],
      scope: { prefixLength: 16, prefix: from, because: "the fake says so" },
      hasAddresses: false,
      secondHop: undefined,
      homes: [],
      unusedTenant:
        tenant === undefined ? undefined : { name: tenant, because: "the fake has no use for it" },
      remarks: [],
    });
  }

  locate(text: string): Outcome<readonly Located[]> {
    return text === "nowhere"
      ? fault("not-found", '"nowhere" is no address')
      : done([{ prefix: text, isAlike: true, parts: [], moreParts: false, sets: [] }]);
  }

  journal(filter: JournalFilter, limit: number): readonly JournalEntry[] {
    this.calls.push({ filter, limit });
    return this.#entries.filter((entry) => takes(filter, entry)).slice(0, limit);
  }

  waitFor(filter: JournalFilter, timeoutMilliseconds: number): Promise<JournalEntry | undefined> {
    this.calls.push({ filter, timeoutMilliseconds });
    if (this.isTimeOver) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(undefined), timeoutMilliseconds);
      const off = this.subscribe((event) => {
        if (event.kind === "query" && takes(filter, event.entry)) finish(event.entry);
      });
      const finish = (entry: JournalEntry | undefined): void => {
        clearTimeout(timer);
        off();
        resolve(entry);
      };
    });
  }

  subscribe(listener: (event: ControlEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  clock = () => this.#clock;

  async setClock(change: Parameters<Control["setClock"]>[0]): Promise<Outcome<ClockView>> {
    this.calls.push(change);
    const { speed = this.#clock.speed, setTo = this.#clock.now } = change;
    this.#clock = { now: setTo, speed };
    return done(this.#clock);
  }

  metrics = async () => ({ contentType: "text/plain; version=0.0.4", text: "geodns365_up 1\n" });

  emit(event: ControlEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** A query as the journal holds it. */
  ask(change: Partial<JournalEntry> = {}): JournalEntry {
    const entry: JournalEntry = {
      number: this.#entries.length + 1,
      at: startedAt,
      snapshot: 1,
      qname: "outlook.office365.com.",
      qtype: "A",
      source: "127.0.0.1",
      transport: "udp",
      clientSubnet: "10.1.0.0/24",
      location: "london-office",
      datacenter: "Worldwide/lhr",
      reason: "nearest",
      rcode: "NOERROR",
      scope: 16,
      ...change,
    };
    this.#entries = [entry, ...this.#entries];
    this.emit({ kind: "query", entry });
    return entry;
  }

  async #change(
    label: string,
    change: (tenant: TenantView) => TenantView | string,
  ): Promise<Outcome<TenantView>> {
    const refused = this.#takeFault();
    if (refused !== undefined) return refused;
    const before = this.#tenants.find((tenant) => tenant.label === label);
    if (before === undefined) return fault("not-found", `"${label}" is no tenant`);
    const next = change({ ...before, by: "operator", since: startedAt });
    if (typeof next === "string") return fault("not-possible", next);
    this.#tenants = this.#tenants.map((tenant) => (tenant === before ? next : tenant));
    this.emit({ kind: "tenant", tenant: next });
    return done(next);
  }

  #takeFault(): { kind: "fault"; fault: ControlFault } | undefined {
    const next = this.nextFault;
    this.nextFault = undefined;
    return next && { kind: "fault", fault: next };
  }
}

function takes(filter: JournalFilter, entry: JournalEntry): boolean {
  const { name, datacenter, transport, rcode } = filter;
  return (
    (name === undefined || new RegExp(`^${name.replaceAll("*", ".*")}$`).test(entry.qname)) &&
    (datacenter === undefined || entry.datacenter === datacenter) &&
    (transport === undefined || entry.transport === transport) &&
    (rcode === undefined || entry.rcode === rcode)
  );
}

function tenantOf(label: string, tenant: string, active: string, standby: string | undefined): TenantView {
  return {
    label,
    tenant,
    cloud: "Worldwide",
    geo: "EUR",
    active,
    standby,
    servedBy: active,
    serving: "active",
    failover: "automatic",
    failback: "manual",
    since: undefined,
    by: undefined,
    reason: undefined,
  };
}
