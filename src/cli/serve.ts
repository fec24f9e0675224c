/** `geodns365 serve`: the server, until a signal ends it. */

import { formatConfigError } from "../config/load.ts";
import { type Endpoint, formatEndpoint } from "../ip.ts";
import { loadSnapshot } from "../load-snapshot.ts";
import { createLogger, type Logger, queryLine } from "../log.ts";
import { ListenError, type Server, startServer } from "../server.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Trace } from "../trace.ts";
import { EXIT } from "./exit.ts";

export interface ServeOptions {
  readonly config: string;
  readonly listen: readonly Endpoint[];
}

export async function serve({ config, listen }: ServeOptions): Promise<number> {
  const logger = createLogger();
  const loaded = loadSnapshot(config, { keepState: true });
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const { snapshot, warnings } = loaded;
  for (const warning of warnings) logger.warn(warning);
  if (snapshot.geoip !== undefined) {
    const { databaseType, buildDate } = snapshot.geoip;
    logger.info(`GeoIP database ${databaseType} of ${buildDate.toISOString().slice(0, 10)}`);
  }
  const { settings } = snapshot.configuration;
  let server: Server;
  try {
    server = await startServer(snapshot, {
      listen: listen.length > 0 ? listen : settings.listen,
      onTrace: traceLogger(logger, settings.loggedQueries),
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
  console.log(readyLine(server, snapshot));
  const signal = await signalled;
  await server.close();
  logger.info(`stopped by ${signal}`);
  return EXIT.good;
}

/** Logs all queries, none, or every Nth. */
function traceLogger(logger: Logger, logged: "all" | "off" | number): (trace: Trace) => void {
  if (logged === "off") return () => {};
  const every = logged === "all" ? 1 : logged;
  let count = 0;
  return (trace) => {
    if (count++ % every !== 0) return;
    const { message, fields } = queryLine(trace);
    logger.info({ query: fields }, message);
  };
}

/** Where it listens, and the first dig to try. */
function readyLine({ listening }: Server, { configuration }: Snapshot): string {
  const where = listening.map(formatEndpoint).join(" and ");
  const [first] = listening;
  const wildcard =
    first?.address === "0.0.0.0" ? "127.0.0.1" : first?.address === "::" ? "::1" : first?.address;
  const dig = `dig @${wildcard} -p ${first?.port} outlook.office365.com A +subnet=10.4.0.0/24`;
  return `geodns365 serves ${configuration.zones.size} zones on ${where} over UDP and TCP; try: ${dig}`;
}
