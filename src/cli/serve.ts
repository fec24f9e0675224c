/** `geodns365 serve`: the server, until a signal ends it; SIGHUP has it load its configuration anew. */

import { availableParallelism } from "node:os";
import type { Admin } from "../admin/admin.ts";
import { AdminListenError } from "../admin/listen-error.ts";
import type { Configuration, ListenerSettings } from "../config/configuration.ts";
import { formatVantage, parseVantage } from "../config/listeners.ts";
import { formatConfigError } from "../config/load.ts";
import { formatType } from "../dns/iana.ts";
import { type Endpoint, formatEndpoint, formatPrefix } from "../ip.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import { createLog, type Logger, queryLine } from "../log.ts";
import type { PlaneOptions } from "../plane/plane.ts";
import { loadAll, type Running, run } from "../running.ts";
import { ListenError } from "../server.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Trace } from "../trace.ts";
import { loadSyscalls } from "../transport/syscalls.ts";
import { zonesOfRecords } from "../zone/zone.ts";
import { openAdmin } from "./admin.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatGeoip } from "./geoip.ts";
import { QuietMoment, tidyUp } from "./quiet-moment.ts";

export interface ServeOptions {
  readonly config: string;
  readonly version: string;
  /** instead of what the configuration says */
  readonly admin?: Endpoint | "off";
  /** instead of what the configuration says */
  readonly state?: StateFileChoice;
  readonly listen: readonly ListenArgument[];
  readonly transport: TransportChoice;
  readonly workers: number | "auto";
}

export type TransportChoice = "auto" | "batched" | "dgram";

/** More threads than that wait for the kernel, and each takes some megabytes. */
const MOST_WORKERS = 8;

/** What `--listen` takes; whether the vantage is a network or a prefix shows once the networks are loaded. */
export interface ListenArgument {
  readonly endpoint: Endpoint;
  readonly vantage?: string;
}

export async function serve(options: ServeOptions): Promise<number> {
  const log = await createLog();
  const code = await serveLogged(options, log.logger);
  // Who does not read the log would keep the program from its end for as long.
  if (!(await log.flush())) process.exit(code);
  return code;
}

async function serveLogged(options: ServeOptions, logger: Logger): Promise<number> {
  const { config, version } = options;
  const transport = await chooseTransport(options.transport, logger);
  if (typeof transport === "string") return misuse(transport);
  const loaded = await loadAll(config, logger, { stateFile: options.state });
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const { snapshot } = loaded;
  const given = findListeners(options.listen, snapshot);
  if (typeof given === "string") {
    await loaded.handlers.close();
    await loaded.store.close();
    return misuse(given);
  }
  let logTrace = (_trace: Trace): void => {};
  let answered = 0;
  const quiet = new QuietMoment(() =>
    tidyUp(transport.kind === "batched" ? transport.syscalls.trim : () => {}),
  );
  let running: Running;
  try {
    running = await run({
      config,
      loaded,
      listen: given.length > 0 ? given : snapshot.configuration.settings.listen,
      plane: { transport, workers: countWorkers(options.workers) },
      version,
      log: logger,
      onTrace: (trace) => {
        logTrace(trace);
        if (++answered % ANSWERS_TO_TIDY_UP === 0) quiet.request();
      },
      onLoaded: (next) => {
        logger.info(formatGeoip(next));
        logTrace = traceLogger(logger, next);
        quiet.request();
      },
    });
  } catch (error) {
    await loaded.store.close();
    if (!(error instanceof ListenError)) throw error;
    console.error(error.message);
    return EXIT.foundWrong;
  }
  const { server, control } = running;
  if (server.leftOut.length > 0) logger.warn(leftOutLine(server.leftOut));
  let admin: Admin | undefined;
  try {
    admin = await openAdmin(control, snapshot.configuration.settings.admin, options.admin, logger);
  } catch (error) {
    await running.close();
    if (!(error instanceof AdminListenError)) throw error;
    console.error(error.message);
    return EXIT.foundWrong;
  }
  for (const at of admin?.listening ?? []) logger.info(`the admin API is on http://${formatEndpoint(at)}`);
  // Signals are heeded before the line is out: who reads it may send one at once.
  const signalled = new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, resolve);
  });
  process.on("SIGHUP", running.reload);
  console.log(readyLine(server.listening, snapshot));
  const signal = await signalled;
  quiet.close();
  await admin?.close();
  await running.close();
  // Until here a SIGHUP is heeded by nobody; without a listener it would kill what is being answered.
  process.off("SIGHUP", running.reload);
  logger.info(`stopped by ${signal}`);
  return EXIT.good;
}

/** So many answers of the long path leave garbage that is worth a collection. */
const ANSWERS_TO_TIDY_UP = 1000;

const countWorkers = (workers: number | "auto"): number =>
  workers === "auto" ? Math.min(availableParallelism(), MOST_WORKERS) : workers;

/** A sentence where what was asked for cannot be. */
async function chooseTransport(
  choice: TransportChoice,
  logger: Logger,
): Promise<PlaneOptions["transport"] | string> {
  if (choice === "dgram") return { kind: "dgram" };
  const syscalls = await loadSyscalls();
  if (typeof syscalls !== "string") return { kind: "batched", syscalls };
  if (choice === "batched") return `--transport batched: ${syscalls}; leave it out, and dgram serves`;
  logger.info(`datagrams go by dgram, one at a time, since they cannot be batched: ${syscalls}`);
  return { kind: "dgram" };
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
