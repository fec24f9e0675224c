/** `geodns365 serve`: the server, until a signal ends it; SIGHUP or another GeoIP file has it load its configuration anew. */

import { isDeepStrictEqual } from "node:util";
import type { Configuration, ListenerSettings, Settings } from "../config/configuration.ts";
import { formatVantage, parseVantage } from "../config/listeners.ts";
import { formatConfigError } from "../config/load.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { type ConfigError, formatPlace } from "../config/yaml-document.ts";
import { formatType } from "../dns/iana.ts";
import { type Endpoint, formatEndpoint, formatPrefix } from "../ip.ts";
import { loadHandlers } from "../load-handlers.ts";
import { loadSnapshot } from "../load-snapshot.ts";
import { createLog, type Logger, queryLine } from "../log.ts";
import type { Handlers } from "../script/handlers.ts";
import type { HandlerEvent } from "../script/script-thread.ts";
import { ListenError, type Server, startServer } from "../server.ts";
import type { Snapshot } from "../snapshot.ts";
import type { StateStore } from "../state/state-store.ts";
import type { Trace } from "../trace.ts";
import { findVantage } from "../vantage.ts";
import { type WatchedFile, watchFiles } from "../watch.ts";
import { zonesOfRecords } from "../zone/zone.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatGeoip, formatGeoipDate } from "./geoip.ts";
import { oneAtATime } from "./one-at-a-time.ts";

export interface ServeOptions {
  readonly config: string;
  readonly listen: readonly ListenArgument[];
}

/** What `--listen` takes; whether the vantage is a network or a prefix shows once the networks are loaded. */
export interface ListenArgument {
  readonly endpoint: Endpoint;
  readonly vantage?: string;
}

export async function serve(options: ServeOptions): Promise<number> {
  const log = createLog();
  const code = await serveLogged(options, log.logger);
  // Who does not read the log would keep the program from its end for as long.
  if (!(await log.flush())) process.exit(code);
  return code;
}

async function serveLogged({ config, listen }: ServeOptions, logger: Logger): Promise<number> {
  const loaded = await load(config, logger);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const { snapshot, handlers, store } = loaded;
  let served = snapshot;
  const given = findListeners(listen, snapshot);
  if (typeof given === "string") {
    await handlers.close();
    return misuse(given);
  }
  let logTrace = traceLogger(logger, snapshot);
  const { settings } = snapshot.configuration;
  let server: Server;
  try {
    server = await startServer(snapshot, {
      listen: given.length > 0 ? given : settings.listen,
      handlers,
      onTrace: (trace) => logTrace(trace),
      onFault: (error) => logger.error(error),
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    console.error(error.message);
    return EXIT.foundWrong;
  }
  if (server.leftOut.length > 0) logger.warn(leftOutLine(server.leftOut));
  const reload = async (): Promise<void> => {
    const next = await load(config, logger, store);
    if (next.kind === "errors") {
      const [first] = next.errors;
      if (next.isGeoipAlone && first !== undefined) {
        logger.warn(`${formatPlace(first.place)}: ${first.message}; ${keptGeoip(served)}`);
        return;
      }
      for (const error of next.errors) logger.error(formatConfigError(error));
      logger.error("the configuration was not loaded anew; the one before stays");
      return;
    }
    const old = server.replaceSnapshot(next.snapshot, next.handlers);
    served = next.snapshot;
    logTrace = traceLogger(logger, served);
    watch.close();
    watch = watchFiles(next.watched, reloads.request);
    if (!keepsListeners(settings, next.snapshot.configuration.settings)) {
      logger.warn("server.listen and server.tcp are others now; they count from the next start");
    }
    if (!isDeepStrictEqual(settings.stateFile, next.snapshot.configuration.settings.stateFile)) {
      logger.warn(
        `server.stateFile is another now; it counts from the next start, until then ${store.describe()}`,
      );
    }
    for (const name of lostVantages(server.listening, next.snapshot)) {
      logger.warn(`no network is named ${name} now; listeners that stand for it stay where it was`);
    }
    logger.info(`the configuration is loaded anew: ${countZones(next.snapshot)}`);
    await old;
  };
  // Signals are heeded before the line is out: who reads it may send one at once.
  const signalled = new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, resolve);
  });
  // Of what is written while one reload runs, the next one takes the last.
  const reloads = oneAtATime(reload, (error) => logger.error(error));
  let watch = watchFiles(loaded.watched, reloads.request);
  process.on("SIGHUP", reloads.request);
  console.log(readyLine(server.listening, snapshot));
  const signal = await signalled;
  process.off("SIGHUP", reloads.request);
  await reloads.end();
  watch.close();
  await server.close();
  await store.close();
  logger.info(`stopped by ${signal}`);
  return EXIT.good;
}

type Loaded =
  | {
      readonly kind: "loaded";
      readonly snapshot: Snapshot;
      readonly handlers: Handlers;
      readonly store: StateStore;
      readonly watched: readonly WatchedFile[];
    }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[]; readonly isGeoipAlone: boolean };

/** Loads all that is served; what is loaded and what handlers do from then on is logged. State stays in the same store. */
async function load(config: string, logger: Logger, before?: StateStore): Promise<Loaded> {
  const options = before === undefined ? {} : { store: before };
  const loaded = await loadSnapshot(config, { keepState: true, ...options });
  if (loaded.kind === "errors") return loaded;
  const { snapshot, warnings, store, watched } = loaded;
  const onEvent = ({ level, message, stack }: HandlerEvent): void =>
    logger[level](stack === undefined ? {} : { stack }, escapeUnprintable(message));
  const started = await loadHandlers(snapshot, { onEvent });
  if (started.kind === "errors") return { ...started, isGeoipAlone: false };
  for (const warning of warnings) logger.warn(warning);
  logger.info(formatGeoip(snapshot));
  return { kind: "loaded", snapshot, handlers: started.handlers, store, watched };
}

/** What a bad GeoIP file leaves as it was. */
function keptGeoip(served: Snapshot): string {
  const date = formatGeoipDate(served);
  return date === undefined
    ? "nothing is loaded anew"
    : `nothing is loaded anew, and the database of ${date} still serves`;
}

/** A sentence where one is to stand for what is neither a network nor a prefix. */
function findListeners(
  listen: readonly ListenArgument[],
  { configuration }: Snapshot,
): readonly ListenerSettings[] | string {
  const found: ListenerSettings[] = [];
  for (const { endpoint, vantage: text } of listen) {
    const vantage = text === undefined ? undefined : parseVantage(text, configuration.networks);
    if (typeof vantage === "string") return `--listen ${formatEndpoint(endpoint)}=${text}: ${vantage}`;
    found.push({ ...endpoint, ...(vantage !== undefined && { vantage }) });
  }
  return found;
}

function leftOutLine(leftOut: readonly ListenerSettings[]): string {
  const where = leftOut.map(formatEndpoint).join(", ");
  return `this machine has no address for listeners that stand for a network, so they are left out: ${where}; give loopback these addresses (on macOS: sudo ifconfig lo0 alias ADDRESS), or leave them out of server.listen`;
}

/** Names of networks that listeners stand for and that a snapshot has not. */
function lostVantages(
  listening: readonly ListenerSettings[],
  { configuration }: Snapshot,
): ReadonlySet<string> {
  const lost = listening.filter((at) => at.vantage !== undefined && !findVantage(at, configuration.networks));
  return new Set(lost.flatMap(({ vantage }) => (vantage === undefined ? [] : formatVantage(vantage))));
}

const keepsListeners = (before: Settings, after: Settings): boolean =>
  isDeepStrictEqual([before.listen, before.tcp], [after.listen, after.tcp]);

const countZones = ({ configuration }: Snapshot): string => {
  const { size } = configuration.zones;
  return size === 1 ? "1 zone" : `${size} zones`;
};

/** Logs all queries, none, or every Nth. */
function traceLogger(logger: Logger, { configuration, locations }: Snapshot): (trace: Trace) => void {
  const { loggedQueries } = configuration.settings;
  if (loggedQueries === "off") return () => {};
  const every = loggedQueries === "all" ? 1 : loggedQueries;
  let count = 0;
  return (trace) => {
    if (count++ % every !== 0) return;
    const { message, fields } = queryLine(trace, locations);
    logger.info({ query: fields }, message);
  };
}

/** Where it listens, and the first dig to try. */
export function readyLine(listening: readonly ListenerSettings[], snapshot: Snapshot): string {
  const plain = listening.filter(({ vantage }) => vantage === undefined);
  const standing = listening.filter(({ vantage }) => vantage !== undefined);
  const places = [
    ...(plain.length === 0 ? [] : [`on ${plain.map(formatEndpoint).join(" and ")}`]),
    ...(standing.length === 0 ? [] : [formatStanding(standing)]),
  ];
  const ready = `geodns365 serves ${countZones(snapshot)} ${places.join(", and ")} over UDP and TCP`;
  const [first] = [...plain, ...standing];
  const question = questionToTry(snapshot.configuration, first);
  if (first === undefined || question === undefined) return ready;
  const { address, port } = first;
  const asked = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `${ready}; try: dig @${asked} -p ${port} ${question}`;
}

/** Listeners that stand for something, by name where they are few. */
function formatStanding(standing: readonly ListenerSettings[]): string {
  const [first, last] = [standing[0], standing.at(-1)];
  if (first === undefined || last === undefined || standing.length <= 3) {
    return standing
      .map((at) => `as ${at.vantage && formatVantage(at.vantage)} on ${formatEndpoint(at)}`)
      .join(" and ");
  }
  const where = areInRow(standing)
    ? `${formatEndpoint(first)} to ${formatEndpoint(last)}`
    : standing.map(formatEndpoint).join(" ");
  return `as ${standing.length} networks on ${where}`;
}

/** Whether each address is the one behind that before, on the same port. */
function areInRow(listening: readonly Endpoint[]): boolean {
  const steps = listening.map(({ address, port }) => {
    const end = /\d+$/.exec(address)?.[0];
    return { start: `${address.slice(0, -(end?.length ?? 0))} ${port}`, end: Number(end) };
  });
  return steps.every(({ start, end }, i) => start === steps[0]?.start && end === (steps[0]?.end ?? 0) + i);
}

/** A name that this configuration serves, in the words of dig: of a service, or with rules, or else the SOA of a zone. */
function questionToTry(
  { clouds, zones, networks, settings }: Configuration,
  at: ListenerSettings | undefined,
): string | undefined {
  const largestFirst = clouds.toSorted((a, b) => b.datacenters.length - a.datacenters.length);
  const name = largestFirst
    .flatMap(({ services }) => services)
    .flatMap(({ links }) => links[0]?.owners ?? [])
    .find(({ needs }) => needs.size === 0)?.text;
  const question = name === undefined ? tailoredQuestion(zones) : `${name} A`;
  if (question !== undefined) {
    const prefix = networks[0]?.prefixes[0];
    const hasPlace = at?.vantage !== undefined || at?.ignoresClientSubnet === true;
    const isCounted = prefix !== undefined && settings.clientSubnetTrust === "all" && !hasPlace;
    return `${question}${isCounted ? ` +subnet=${formatPrefix(prefix)}` : ""}`;
  }
  const [zone] = zonesOfRecords(zones);
  const [apex] = zones.keys();
  if (zone !== undefined) return `${zone.apex} SOA`;
  return apex === undefined ? undefined : `${apex} A`;
}

function tailoredQuestion(zones: Configuration["zones"]): string | undefined {
  for (const zone of zonesOfRecords(zones)) {
    for (const tailored of zone.nodes.tailored()) {
      if (tailored.kind !== "records" || tailored.name.startsWith("*.")) continue;
      const [type] = [...tailored.types].toSorted((a, b) => a - b);
      if (type !== undefined) return `${tailored.name} ${formatType(type)}`;
    }
  }
  return undefined;
}
