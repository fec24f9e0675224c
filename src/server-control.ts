/** All that the admin API asks of a server, put together from its parts. */

import type {
  CloudView,
  Control,
  ControlEvent,
  ControlFault,
  ExplainView,
  Outcome,
  StatusView,
} from "./admin/control.ts";
import { parseMoment } from "./admin/moment.ts";
import type { Clock } from "./clock.ts";
import type { Cloud } from "./cloud/service.ts";
import { findTenant, labelsLike } from "./cloud/tenant-table.ts";
import { suggest } from "./config/documents.ts";
import type { Controller } from "./control.ts";
import { parseType } from "./dns/iana.ts";
import { parseName } from "./dns/name.ts";
import { type Explanation, explain } from "./explain.ts";
import { findFrom, findPrefixes } from "./from.ts";
import type { Journal } from "./journal.ts";
import { type Located, locate } from "./locate.ts";
import type { Metrics } from "./metrics.ts";
import { parseFilter } from "./query-ring.ts";
import { suppose } from "./what-if.ts";
import { serialOf } from "./zone/zone.ts";

export interface ServerParts {
  readonly controller: Controller;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly metrics: Pick<Metrics, "render">;
  /** Waits for what a change of the clock has set off. */
  readonly settled: () => Promise<void>;
  readonly facts: Pick<StatusView, "version" | "listening" | "configuration" | "stateStore">;
}

export function controlOf({ controller, clock, journal, metrics, settled, facts }: ServerParts): Control {
  const startedAt = isoTime(clock.now());
  return {
    status: () => statusOf(controller, facts, startedAt),
    datacenters: () => controller.datacenters(),
    clouds: () => controller.snapshot.configuration.clouds.map(cloudView),
    tenants: (page) => controller.tenants(page),
    countTenants: (cloud) => controller.countTenants(cloud),
    tenant: (label) => controller.tenant(label),
    overrides: () => controller.overrides(),
    setDatacenter: (change) => controller.setDatacenter(change),
    removeOverride: (number) => controller.removeOverride(number),
    moveTenant: (label, to, reason) => controller.moveTenant(label, to, reason),
    failover: (label, reason) => controller.failover(label, reason),
    failback: (label, reason) => controller.failback(label, reason),
    reload: () => controller.reload(),
    explain: (request) => explainFor(controller, request),
    locate: (text) => locateFor(controller, text),
    journal: (filter, limit) => (typeof parseFilter(filter) === "string" ? [] : journal.read(filter, limit)),
    waitFor: (filter, timeout) =>
      typeof parseFilter(filter) === "string" ? Promise.resolve(undefined) : journal.waitFor(filter, timeout),
    subscribe: (listener) => subscribe(controller, journal, listener),
    clock: () => clock.view(),
    setClock: async (change) => {
      const view = clock.set(change);
      await settled();
      return typeof view === "string" ? fault("not-possible", view) : done(view);
    },
    metrics: () => metrics.render(),
  };
}

const done = <T>(value: T): Outcome<T> => ({ kind: "done", value });

const fault = (code: ControlFault["code"], message: string): Outcome<never> => ({
  kind: "fault",
  fault: { code, message },
});

function statusOf(controller: Controller, facts: ServerParts["facts"], startedAt: string): StatusView {
  const { configuration, geoip } = controller.snapshot;
  return {
    ...facts,
    snapshot: controller.version,
    snapshotSince: isoTime(controller.since),
    startedAt,
    zones: [...configuration.zones.values()].map((zone) => ({
      apex: zone.apex,
      serial: zone.kind === "records" ? serialOf(zone.soa) : undefined,
    })),
    geoip: geoip && { databaseType: geoip.databaseType, buildDate: geoip.buildDate.toISOString() },
    lastReloadErrors: controller.lastReloadErrors,
  };
}

const cloudView = ({ name, datacenters, tenants, services }: Cloud): CloudView => ({
  name,
  datacenters: datacenters.length,
  tenants: tenants.homeCount,
  services: services.map((service) => ({
    name: service.name,
    era: service.era,
    policy: service.policy,
    whenAllDown: service.whenAllDown,
    names: (service.links[0]?.owners ?? []).map(({ text }) => text),
  })),
});

function explainFor(controller: Controller, request: ExplainView): Outcome<Explanation> {
  const { whatIf = { with: [], at: undefined } } = request;
  const reality = controller.reality();
  const at = whatIf.at === undefined ? undefined : parseMoment(whatIf.at, reality.now);
  if (typeof at === "string") return fault("not-possible", at);
  const isSupposed = whatIf.with.length > 0 || at !== undefined;
  const made = isSupposed ? suppose(reality, { with: whatIf.with, at }) : undefined;
  if (typeof made === "string") return fault("not-possible", made);
  const snapshot = made?.snapshot ?? controller.snapshot;
  const qname = parseName(request.name);
  if (typeof qname === "string") return fault("not-possible", qname);
  const qtype = parseType(request.type);
  if (qtype === undefined) return fault("not-possible", `"${request.type}" is not a type`);
  const from = findFrom(snapshot, request.from);
  if (typeof from === "string") return fault("not-found", from.replace(/^--from /, ""));
  if (from.length === 0) {
    return fault("not-possible", "a prefix length of 0 asks to use no client subnet (RFC 7871 §7.1.2)");
  }
  const { clouds } = snapshot.configuration;
  const { tenant: label } = request;
  const tenant = label === undefined ? undefined : findTenant(clouds, label);
  if (label !== undefined && tenant === undefined)
    return fault("not-found", `"${label}" is no tenant${suggest(label, labelsLike(clouds, label))}`);
  return done(explain(snapshot, { qname, qtype, from, tenant, supposed: made?.changes }));
}

function locateFor({ snapshot }: Controller, text: string): Outcome<readonly Located[]> {
  const prefixes = findPrefixes(snapshot, text);
  if (typeof prefixes === "string") return fault("not-found", prefixes);
  return done(prefixes.map((prefix) => locate(snapshot, prefix)));
}

/** Queries are told of as well, but only while somebody listens. */
function subscribe(
  controller: Controller,
  journal: Journal,
  listener: (event: ControlEvent) => void,
): () => void {
  const ends = [
    controller.subscribe(listener),
    journal.subscribe((entry) => listener({ kind: "query", entry })),
  ];
  return () => {
    for (const end of ends) end();
  };
}

const isoTime = (at: number): string => new Date(at).toISOString();
