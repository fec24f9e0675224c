/** A whole server at work: sockets, states, probes, journal, metrics, and the files that it is loaded from. */

import { isDeepStrictEqual } from "node:util";
import type { Control } from "./admin/control.ts";
import { Clock } from "./clock.ts";
import type { Operations } from "./cloud/operations.ts";
import type { Datacenter } from "./cloud/topology.ts";
import type { ListenerSettings, Settings } from "./config/configuration.ts";
import { formatVantage } from "./config/listeners.ts";
import { formatConfigError } from "./config/load.ts";
import { escapeUnprintable } from "./config/printable.ts";
import { type ConfigError, formatPlace } from "./config/yaml-document.ts";
import { Controller, type LoadedAnew } from "./control.ts";
import { Monitor, type Probed } from "./health/monitor.ts";
import { probe } from "./health/probe.ts";
import { formatEndpoint } from "./ip.ts";
import { loadHandlers } from "./load-handlers.ts";
import { type LoadOptions, loadSnapshot } from "./load-snapshot.ts";
import type { Metrics } from "./metrics.ts";
import { Observer } from "./observer.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import type { PlaneOptions } from "./plane/plane.ts";
import { ReloadCounts } from "./reload-counts.ts";
import type { Handlers } from "./script/handlers.ts";
import type { HandlerEvent } from "./script/script-thread.ts";
import { type Server, startServer } from "./server.ts";
import { controlOf } from "./server-control.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StateStore } from "./state/state-store.ts";
import type { Observation, Trace } from "./trace.ts";
import { findVantage } from "./vantage.ts";
import { type Watch, type WatchedFile, watchFiles } from "./watch.ts";

export interface RunningLog {
  info(line: string): void;
  info(fields: object, line: string): void;
  warn(line: string): void;
  warn(fields: object, line: string): void;
  error(fault: unknown): void;
}

/** All that is loaded for a start. */
export interface Loaded {
  readonly kind: "loaded";
  readonly snapshot: Snapshot;
  readonly handlers: Handlers;
  readonly operations: Operations;
  readonly store: StateStore;
  readonly watched: readonly WatchedFile[];
  readonly warnings: readonly string[];
}

export interface Unloaded {
  readonly kind: "errors";
  readonly errors: readonly ConfigError[];
  readonly isGeoipAlone: boolean;
  readonly watched: readonly WatchedFile[];
}

/** Loads all that is served; what is loaded and what handlers do from then on is logged. State stays in the same store. */
export async function loadAll(
  config: string,
  log: RunningLog,
  state: Pick<LoadOptions, "store" | "stateFile"> = {},
): Promise<Loaded | Unloaded> {
  const loaded = await loadSnapshot(config, { keepState: true, ...state });
  if (loaded.kind === "errors") return loaded;
  const onEvent = ({ level, message, stack }: HandlerEvent): void =>
    log[level](stack === undefined ? {} : { stack }, escapeUnprintable(message));
  const started = await loadHandlers(loaded.snapshot, { onEvent });
  if (started.kind === "errors") {
    if (state.store === undefined) await loaded.store.close();
    return { ...started, isGeoipAlone: false, watched: loaded.watched };
  }
  for (const warning of loaded.warnings) log.warn(warning);
  return { ...loaded, handlers: started.handlers };
}

export interface RunOptions {
  readonly config: string;
  readonly loaded: Loaded;
  readonly listen: readonly ListenerSettings[];
  /** in which worker threads queries are answered; in this one where undefined */
  readonly plane: Pick<PlaneOptions, "transport" | "workers"> | undefined;
  readonly version: string;
  readonly log: RunningLog;
  /** told of every query */
  readonly onTrace: (trace: Trace, observation: Observation) => void;
  /** told of each configuration that is put in force, the first one too */
  readonly onLoaded: (snapshot: Snapshot) => void;
}

export interface Running {
  readonly server: Server;
  readonly control: Control;
  /** Loads the configuration anew, once more after a load under way; what comes of it is logged. */
  reload(): void;
  /** Answers what was received, keeps what is to be kept, and ends all; settles when that is done. */
  close(): Promise<void>;
}

/** How often TTLs that follow the time are looked at. */
const TTL_MILLISECONDS = 1000;

/** Puts what is loaded in force; rejects with a ListenError where an address cannot be bound. */
export async function run(options: RunOptions): Promise<Running> {
  const { config, loaded, listen, plane, version, log, onTrace, onLoaded } = options;
  const { snapshot, store } = loaded;
  const { settings } = snapshot.configuration;
  const clock = new Clock(undefined, () => server.renewTime());
  const observer = new Observer({ capacity: settings.journalQueries, onWatched: () => watchQueries() });
  const server = await startServer(snapshot, {
    listen,
    ...(plane && {
      plane: {
        ...plane,
        addCounts: () => observer.counts.addThread(),
        records: observer.journal.ring?.records,
      },
      labels: observer.labels,
    }),
    handlers: loaded.handlers,
    now: () => clock.now(),
    time: () => clock.anchor(),
    onTrace: (trace, observation) => {
      observer.observe(trace, observation);
      onTrace(trace, observation);
    },
    onFault: (error) => {
      observer.counts.countFault();
      log.error(error);
    },
  });
  const onFault = (error: unknown): void => log.error(error);
  let watch: Watch;
  const load = async (): Promise<LoadedAnew> => {
    const next = await loadAll(config, log, { store });
    watch.close();
    watch = watchFiles(next.watched, reload);
    if (next.kind === "errors") return describeErrors(next, controller.snapshot);
    warnOfWhatStays(settings, next.snapshot, server, store, log);
    return next;
  };
  const controller: Controller = new Controller({
    snapshot,
    operations: loaded.operations,
    publish: (next, handlers) => server.replaceSnapshot(next, handlers),
    keep: async (operations) => {
      for (const sentence of await store.write({ operations })) log.warn(sentence);
    },
    remember: async (operations) => (await store.remember({ operations })).said,
    now: () => clock.now(),
    setTimer: (at, callback) => clock.setTimer(at, callback),
    load,
    onFault,
    nextHealthChange: (ids) => monitor.nextChange(ids),
    log,
  });
  const monitor: Monitor = new Monitor({
    probe: ({ target, timeoutMilliseconds, verifyCertificate }) =>
      probe(target, { timeoutMilliseconds, verifyCertificate }),
    now: () => clock.now(),
    setTimer: (at, callback) => clock.setTimer(at, callback),
    onChange: (id, state, reason) => {
      controller.setHealth(id, { state, since: clock.now(), reason }).catch(onFault);
    },
  });
  /** What worker threads answer by themselves nobody is told of. */
  const watchQueries = (): void => {
    const { loggedQueries } = controller.snapshot.configuration.settings;
    server.watch(loggedQueries !== "off" || observer.journal.isWatched);
  };
  const reloadCounts = new ReloadCounts();
  let metrics: Promise<Metrics> | undefined;
  /** Made when they are first asked for: what is counted is kept elsewhere, and most servers are never scraped. */
  const openMetrics = (): Promise<Metrics> => {
    metrics ??= import("./metrics.ts").then(
      ({ Metrics }) =>
        new Metrics({
          counts: observer.counts,
          journal: observer.journal,
          now: () => clock.now(),
          snapshot: () => ({
            number: controller.version,
            since: controller.since,
            geoip: controller.snapshot.geoip,
          }),
          datacenters: () => controller.datacenters(),
          tenantsFailedOver: () => controller.tenantsFailedOver,
          overrides: () => controller.overrides().length,
          connections: () => server.connections,
          dropped: () => server.dropped,
          reloads: () => reloadCounts.reloads(),
        }),
    );
    return metrics;
  };
  const watchHealth = (): void => {
    const states = controller
      .datacenters()
      .flatMap(({ id, health }) => (health ? ([[id, health.state]] as const) : []));
    monitor.watch(probedOf(controller.snapshot), new Map(states));
  };
  const reloads = oneAtATime(async () => {
    await controller.reload();
  }, onFault);
  const reload = reloads.request;
  controller.subscribe((event) => {
    if (event.kind !== "reload") return;
    reloadCounts.countReload(event.outcome, clock.now());
    if (event.outcome !== "done") return;
    onLoaded(controller.snapshot);
    watchQueries();
    watchHealth();
  });
  watch = watchFiles(loaded.watched, reload);
  // Another server that writes to the same store would make every change of ours be refused until it is read again.
  const unwatchStore = store.watch(reload);
  await controller.start();
  onLoaded(controller.snapshot);
  watchQueries();
  watchHealth();
  const ttls = setInterval(() => controller.refreshTtls().catch(onFault), TTL_MILLISECONDS).unref();
  /** Waits for what a change of the clock has set off: the end of an override, a probe, a TTL that follows. */
  const settled = async (): Promise<void> => {
    watchQueries();
    await monitor.settled();
    monitor.wakeUp();
    await controller.settled();
    await controller.refreshTtls();
  };
  const facts = {
    version,
    configuration: config,
    stateStore: store.describe(),
    listening: server.listening.map(formatEndpoint),
  };
  return {
    server,
    control: controlOf({
      controller,
      clock,
      journal: observer.journal,
      metrics: { render: async () => (await openMetrics()).render() },
      settled,
      facts,
    }),
    reload,
    close: async () => {
      clearInterval(ttls);
      unwatchStore();
      monitor.close();
      await reloads.end();
      await controller.close();
      // A load that was under way has begun to watch anew.
      watch.close();
      await server.close();
      observer.journal.close();
      await store.close();
    },
  };
}

const probedOf = ({ configuration }: Snapshot): readonly Probed[] =>
  configuration.clouds.flatMap(({ datacenters }) =>
    datacenters.flatMap(({ id, healthCheck }: Datacenter) =>
      healthCheck ? [{ id, check: healthCheck }] : [],
    ),
  );

function describeErrors({ errors, isGeoipAlone }: Unloaded, { geoip }: Snapshot): LoadedAnew {
  const [first] = errors;
  if (!isGeoipAlone || first === undefined) {
    return { kind: "errors", errors: errors.map(formatConfigError), isGeoipAlone: false };
  }
  const date = geoip?.buildDate.toISOString().slice(0, 10);
  const stays =
    date === undefined
      ? "nothing is loaded anew"
      : `nothing is loaded anew, and the database of ${date} still serves`;
  return {
    kind: "errors",
    errors: [`${formatPlace(first.place)}: ${first.message}; ${stays}`],
    isGeoipAlone: true,
  };
}

/** What a reload does not change until the next start. */
function warnOfWhatStays(
  settings: Settings,
  next: Snapshot,
  server: Server,
  store: StateStore,
  log: RunningLog,
): void {
  const { listen, tcp, stateFile, admin } = next.configuration.settings;
  if (!isDeepStrictEqual([settings.listen, settings.tcp], [listen, tcp]))
    log.warn("server.listen and server.tcp are others now; they count from the next start");
  if (!isDeepStrictEqual(settings.admin, admin))
    log.warn("admin is another now; it counts from the next start");
  if (!isDeepStrictEqual(settings.stateFile, stateFile)) {
    log.warn(
      `server.stateFile is another now; it counts from the next start, until then ${store.describe()}`,
    );
  }
  const { networks } = next.configuration;
  const lost = server.listening.filter((at) => at.vantage !== undefined && !findVantage(at, networks));
  for (const name of new Set(
    lost.flatMap(({ vantage }) => (vantage === undefined ? [] : formatVantage(vantage))),
  )) {
    log.warn(`no network is named ${name} now; listeners that stand for it stay where it was`);
  }
}
