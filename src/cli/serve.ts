/** `geodns365 serve`: the server, until a signal ends it; SIGHUP or another GeoIP file has it load its configuration anew. */

import { isDeepStrictEqual } from "node:util";
import type { Configuration, Settings } from "../config/configuration.ts";
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
import type { Trace } from "../trace.ts";
import { type WatchedFile, watchFiles } from "../watch.ts";
import { zonesOfRecords } from "../zone/zone.ts";
import { EXIT } from "./exit.ts";
import { formatGeoip, formatGeoipDate } from "./geoip.ts";
import { oneAtATime } from "./one-at-a-time.ts";

export interface ServeOptions {
  readonly config: string;
  readonly listen: readonly Endpoint[];
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
  const { snapshot, handlers } = loaded;
  let served = snapshot;
  let logTrace = traceLogger(logger, snapshot);
  const { settings } = snapshot.configuration;
  let server: Server;
  try {
    server = await startServer(snapshot, {
      listen: listen.length > 0 ? listen : settings.listen,
      handlers,
      onTrace: (trace) => logTrace(trace),
      onFault: (error) => logger.error(error),
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    console.error(error.message);
    return EXIT.foundWrong;
  }
  const reload = async (): Promise<void> => {
    const next = await load(config, logger);
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
  logger.info(`stopped by ${signal}`);
  return EXIT.good;
}

type Loaded =
  | {
      readonly kind: "loaded";
      readonly snapshot: Snapshot;
      readonly handlers: Handlers;
      readonly watched: readonly WatchedFile[];
    }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[]; readonly isGeoipAlone: boolean };

/** Loads all that is served; what is loaded and what handlers do from then on is logged. */
async function load(config: string, logger: Logger): Promise<Loaded> {
  const loaded = loadSnapshot(config, { keepState: true });
  if (loaded.kind === "errors") return loaded;
  const { snapshot, warnings, watched } = loaded;
  const onEvent = ({ level, message, stack }: HandlerEvent): void =>
    logger[level](stack === undefined ? {} : { stack }, escapeUnprintable(message));
  const started = await loadHandlers(snapshot, { onEvent });
  if (started.kind === "errors") return { ...started, isGeoipAlone: false };
  for (const warning of warnings) logger.warn(warning);
  logger.info(formatGeoip(snapshot));
  return { kind: "loaded", snapshot, handlers: started.handlers, watched };
}

/** What a bad GeoIP file leaves as it was. */
function keptGeoip(served: Snapshot): string {
  const date = formatGeoipDate(served);
  return date === undefined
    ? "nothing is loaded anew"
    : `nothing is loaded anew, and the database of ${date} still serves`;
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
export function readyLine(listening: readonly Endpoint[], snapshot: Snapshot): string {
  const where = listening.map(formatEndpoint).join(" and ");
  const [first] = listening;
  const ready = `geodns365 serves ${countZones(snapshot)} on ${where} over UDP and TCP`;
  const question = questionToTry(snapshot.configuration);
  if (first === undefined || question === undefined) return ready;
  const { address, port } = first;
  const asked = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `${ready}; try: dig @${asked} -p ${port} ${question}`;
}

/** A name that this configuration serves, in the words of dig: of a service, or with rules, or else the SOA of a zone. */
function questionToTry({ clouds, zones, networks, settings }: Configuration): string | undefined {
  const largestFirst = clouds.toSorted((a, b) => b.datacenters.length - a.datacenters.length);
  const name = largestFirst
    .flatMap(({ services }) => services)
    .flatMap(({ links }) => links[0]?.owners ?? [])
    .find(({ needs }) => needs.size === 0)?.text;
  const question = name === undefined ? tailoredQuestion(zones) : `${name} A`;
  if (question !== undefined) {
    const prefix = networks[0]?.prefixes[0];
    const isCounted = prefix !== undefined && settings.clientSubnetTrust === "all";
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
