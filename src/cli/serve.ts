/** `geodns365 serve`: the server, until a signal ends it. */

import type { Configuration } from "../config/configuration.ts";
import { formatConfigError } from "../config/load.ts";
import { formatType } from "../dns/iana.ts";
import { type Endpoint, formatEndpoint, formatPrefix } from "../ip.ts";
import { loadSnapshot } from "../load-snapshot.ts";
import { createLog, type Logger, queryLine } from "../log.ts";
import { ListenError, type Server, startServer } from "../server.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Trace } from "../trace.ts";
import { EXIT } from "./exit.ts";
import { formatGeoip } from "./geoip.ts";

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
  const loaded = loadSnapshot(config, { keepState: true });
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const { snapshot, warnings } = loaded;
  for (const warning of warnings) logger.warn(warning);
  logger.info(formatGeoip(snapshot));
  const { settings } = snapshot.configuration;
  let server: Server;
  try {
    server = await startServer(snapshot, {
      listen: listen.length > 0 ? listen : settings.listen,
      onTrace: traceLogger(logger, snapshot),
      onFault: (error) => logger.error(error),
    });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    console.error(error.message);
    return EXIT.foundWrong;
  }
  // Signals are heeded before the line is out: who reads it may send one at once.
  const signalled = new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, resolve);
  });
  console.log(readyLine(server.listening, snapshot));
  const signal = await signalled;
  await server.close();
  logger.info(`stopped by ${signal}`);
  return EXIT.good;
}

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
export function readyLine(listening: readonly Endpoint[], { configuration }: Snapshot): string {
  const where = listening.map(formatEndpoint).join(" and ");
  const [first] = listening;
  const { size } = configuration.zones;
  const ready = `geodns365 serves ${size} ${size === 1 ? "zone" : "zones"} on ${where} over UDP and TCP`;
  const question = questionToTry(configuration);
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
  const [apex] = zones.keys();
  return apex === undefined ? undefined : `${apex} SOA`;
}

function tailoredQuestion(zones: Configuration["zones"]): string | undefined {
  for (const zone of zones.values()) {
    for (const tailored of zone.nodes.tailored()) {
      if (tailored.kind !== "records" || tailored.name.startsWith("*.")) continue;
      const [type] = [...tailored.types].toSorted((a, b) => a - b);
      if (type !== undefined) return `${tailored.name} ${formatType(type)}`;
    }
  }
  return undefined;
}
