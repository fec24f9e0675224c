/** What Prometheus scrapes. The only importer of `prom-client`, which has no part in counting: it asks when it is scraped. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { DatacenterState } from "./cloud/states.ts";
import { durationBounds, type LabelledCount, type QueryCounts } from "./query-counts.ts";
import type { ReloadCount } from "./reload-counts.ts";
import type { ConnectionCounts } from "./transport/connections.ts";

/** What the metrics are of. */
export interface MetricsSources {
  readonly counts: QueryCounts;
  readonly journal: { readonly size: number; readonly capacity: number };
  /** of the server's clock, in milliseconds since 1970 */
  readonly now: () => number;
  readonly snapshot: () => {
    readonly number: number;
    /** in milliseconds since 1970 */
    readonly since: number;
    readonly geoip: { readonly databaseType: string; readonly buildDate: Date } | undefined;
  };
  readonly datacenters: () => readonly {
    readonly id: string;
    readonly state: DatacenterState;
    /** what probes have found; undefined where none is made */
    readonly health: { readonly state: "up" | "down" } | undefined;
  }[];
  /** tenants that their standby serves */
  readonly tenantsFailedOver: () => number;
  /** overrides in force */
  readonly overrides: () => number;
  readonly connections: () => ConnectionCounts;
  /** queries that there was no room for between the threads */
  readonly dropped: () => number;
  readonly reloads: () => readonly ReloadCount[];
}

interface Value {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const alone = (value: number): readonly Value[] => [{ labels: {}, value }];
const valuesOf = (counts: readonly LabelledCount[]): readonly Value[] =>
  counts.map(({ labels, count }) => ({ labels, value: count }));

const states: readonly DatacenterState[] = ["up", "draining", "down"];

const PREFIX = "geodns365_";

export class Metrics {
  readonly #registry = new Registry();

  /** With `ofProcess` those of Node and of the process too, which watch the program for as long as it runs. */
  constructor(sources: MetricsSources, { ofProcess = true }: { readonly ofProcess?: boolean } = {}) {
    this.#countQueries(sources.counts);
    this.#observeServer(sources);
    this.#observeOperations(sources);
    if (ofProcess) collectDefaultMetrics({ register: this.#registry });
  }

  /** In the text format of Prometheus. */
  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  /** All metrics with the words that describe them. */
  list(): readonly { readonly name: string; readonly help: string }[] {
    return this.#registry.getMetricsAsArray().map(({ name, help }) => ({ name, help }));
  }

  #countQueries(counts: QueryCounts): void {
    this.#counter(
      "queries_total",
      ["transport", "type", "rcode"],
      "queries that were answered, by what was asked and how",
      () => valuesOf(counts.queries()),
    );
    this.#registry.registerMetric(new DurationHistogram(counts));
    this.#counter(
      "located_queries_total",
      ["via", "location"],
      "queries looked up, by whose address counted and by what located it",
      () => valuesOf(counts.located()),
    );
    this.#counter(
      "choices_total",
      ["cloud", "service", "policy", "datacenter", "reason"],
      "answers to tailored names, by what chose, what was chosen and why",
      () => valuesOf(counts.choices()),
    );
    this.#counter("truncated_responses_total", [], "responses that did not fit and have TC set", () =>
      alone(counts.truncated),
    );
    this.#counter("silent_queries_total", ["reason"], "messages that were given no response, by reason", () =>
      valuesOf(counts.silences()),
    );
    this.#counter("handler_failures_total", [], "queries of scripted zones that ended in SERVFAIL", () =>
      alone(counts.handlerFailures),
    );
    this.#counter("faults_total", [], "faults of the program, each with a stack in the log", () =>
      alone(counts.faults),
    );
  }

  #observeServer({ connections, dropped, journal, now, reloads, snapshot }: MetricsSources): void {
    const reloadValues = (pick: (reload: ReloadCount) => number): readonly Value[] =>
      reloads().map((reload) => ({ labels: { outcome: reload.outcome }, value: pick(reload) }));
    this.#gauge("tcp_connections", [], "TCP connections that are open", () => alone(connections().open));
    this.#counter("tcp_connections_refused_total", [], "TCP connections turned away for want of room", () =>
      alone(connections().refused),
    );
    this.#counter("tcp_connections_replaced_total", [], "idle TCP connections closed to make room", () =>
      alone(connections().replaced),
    );
    this.#counter("dropped_queries_total", [], "queries that came faster than the long path answers", () =>
      alone(dropped()),
    );
    this.#gauge("snapshot_number", [], "the number of the snapshot that answers", () =>
      alone(snapshot().number),
    );
    this.#gauge("snapshot_age_seconds", [], "how long it has answered, by the clock of the server", () =>
      alone((now() - snapshot().since) / 1000),
    );
    this.#counter("reloads_total", ["outcome"], "configurations loaded anew, by outcome", () =>
      reloadValues(({ count }) => count),
    );
    this.#gauge(
      "last_reload_timestamp_seconds",
      ["outcome"],
      "when that was last, by the clock of the server",
      () => reloadValues(({ at }) => at / 1000),
    );
    // A gauge without a label would be 0 where there is no database.
    this.#gauge(
      "geoip_build_age_seconds",
      ["database"],
      "the age of the GeoIP database, by the clock of the server",
      () => {
        const { geoip } = snapshot();
        if (geoip === undefined) return [];
        const { databaseType: database, buildDate } = geoip;
        return [{ labels: { database }, value: (now() - buildDate.getTime()) / 1000 }];
      },
    );
    this.#gauge("journal_queries", [], "queries in the journal", () => alone(journal.size));
    this.#gauge("journal_capacity", [], "queries that the journal has room for", () =>
      alone(journal.capacity),
    );
  }

  #observeOperations({ datacenters, tenantsFailedOver, overrides }: MetricsSources): void {
    this.#gauge(
      "datacenter_state",
      ["datacenter", "state"],
      "1 at the state that counts, 0 at the others",
      () =>
        datacenters().flatMap(({ id: datacenter, state: inForce }) =>
          states.map((state) => ({ labels: { datacenter, state }, value: state === inForce ? 1 : 0 })),
        ),
    );
    this.#gauge(
      "datacenter_healthy",
      ["datacenter"],
      "1 where probes find it up, 0 where down; absent where none is made",
      () =>
        datacenters().flatMap(({ id: datacenter, health }) =>
          health === undefined ? [] : [{ labels: { datacenter }, value: health.state === "up" ? 1 : 0 }],
        ),
    );
    this.#gauge("tenants_failed_over", [], "tenants that their standby serves", () =>
      alone(tenantsFailedOver()),
    );
    this.#gauge("overrides", [], "overrides in force", () => alone(overrides()));
  }

  #counter(name: string, labelNames: readonly string[], help: string, values: () => readonly Value[]): void {
    new Counter({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of values()) this.inc(labels, value);
      },
    });
  }

  #gauge(name: string, labelNames: readonly string[], help: string, values: () => readonly Value[]): void {
    new Gauge({
      name: `${PREFIX}${name}`,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of values()) this.set(labels, value);
      },
    });
  }
}

const DURATION = {
  name: `${PREFIX}query_duration_seconds`,
  help: "the time from receipt of a query to its answer",
} as const;

/** Its buckets are counted elsewhere: prom-client's histogram can only be filled one value at a time. */
class DurationHistogram extends Histogram {
  readonly #counts: QueryCounts;

  constructor(counts: QueryCounts) {
    super({
      ...DURATION,
      labelNames: ["transport"],
      buckets: [...durationBounds],
      registers: [],
    });
    this.#counts = counts;
  }

  /** What the registry and `get` of prom-client 15.1.3 call for the values; its types leave it out. */
  async getForPromString() {
    const name = DURATION.name;
    const values = this.#counts.durations().flatMap(({ transport, cumulativeCounts, sumSeconds }) => {
      const total = cumulativeCounts.at(-1) ?? 0;
      const buckets = cumulativeCounts.map((value, i) => ({
        metricName: `${name}_bucket`,
        labels: { le: durationBounds[i] ?? "+Inf", transport },
        value,
      }));
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: { transport }, value: sumSeconds },
        { metricName: `${name}_count`, labels: { transport }, value: total },
      ];
    });
    return { ...DURATION, type: "histogram", values, aggregator: "sum" };
  }
}
