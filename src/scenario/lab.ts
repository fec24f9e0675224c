/** A story's lab in process: its snapshot, an operator with a clock of its own, and what answers. */

import { setTimeout as wait } from "node:timers/promises";
import { answer } from "../answer.ts";
import { Clock } from "../clock.ts";
import { noOperations } from "../cloud/operations.ts";
import type { Configuration, Settings } from "../config/configuration.ts";
import { parseVantage } from "../config/listeners.ts";
import { Controller } from "../control.ts";
import type { GeoipDatabase, GeoipLocation } from "../geo/geoip.ts";
import { continents } from "../geo/place.ts";
import { overlayPrefixes, uniformTable } from "../geo/prefix-table-builder.ts";
import { type IpPrefix, parseAddress, parsePrefix } from "../ip.ts";
import { buildSnapshot, type Snapshot } from "../snapshot.ts";
import type { ListenerRules, Source } from "../trace.ts";
import { findVantage } from "../vantage.ts";
import { askMessage } from "./questions.ts";
import type { OneAction, Scenario } from "./read.ts";
import type { Asked, Asker, Reply, Stage } from "./stage.ts";

/** Does what operators do, by a clock that goes when it is told to. */
export interface Operator {
  readonly snapshot: Snapshot;
  nowSeconds(): number;
  /** A sentence where it cannot be done. */
  change(action: OneAction): Promise<string | undefined>;
  pass(seconds: number): Promise<void>;
}

export interface OperatorOptions {
  /** the time at the start, in seconds since 1970 */
  readonly startSeconds: number;
  /** Puts a snapshot in force. */
  readonly publish: (next: Snapshot) => Promise<void>;
}

export function startOperator(snapshot: Snapshot, { startSeconds, publish }: OperatorOptions): Operator {
  const faults: unknown[] = [];
  // Real time stands still for it, so only steps move it.
  const clock = new Clock({ now: () => startSeconds * 1000, setTimer: () => () => {} });
  const controller = new Controller({
    snapshot,
    operations: noOperations,
    publish,
    keep: async () => {},
    remember: async () => [],
    now: () => clock.now(),
    setTimer: (at, callback) => clock.setTimer(at, callback),
    load: async () => {
      throw new Error("a scenario loads nothing anew");
    },
    onFault: (error) => faults.push(error),
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  return {
    get snapshot() {
      return controller.snapshot;
    },
    nowSeconds: () => Math.floor(clock.now() / 1000),
    change: async (action) => {
      const outcome = await perform(controller, action);
      return outcome.kind === "fault" ? outcome.fault.message : undefined;
    },
    pass: async (seconds) => {
      const view = clock.set({ stepSeconds: seconds });
      if (typeof view === "string") throw new Error(view);
      await controller.settled();
      await controller.refreshTtls();
      if (faults.length > 0) throw faults[0];
    },
  };
}

function perform(controller: Controller, action: OneAction) {
  switch (action.kind) {
    case "set": {
      const { target, state, forSeconds } = action;
      return controller.setDatacenter({ target, state, reason: undefined, forSeconds });
    }
    case "failover":
      return controller.failover(action.tenant, undefined);
    case "failback":
      return controller.failback(action.tenant, undefined);
    case "move":
      return controller.moveTenant(action.tenant, action.to, undefined);
    default:
      return action satisfies never;
  }
}

/** What a listener that stands for a place, or minds no client subnet, says of those who ask there. */
export function listenerRules(
  { vantage: text, clientSubnet }: Asked,
  configuration: Configuration,
): ListenerRules {
  const { networks } = configuration;
  const setting = text === undefined ? undefined : parseVantage(text, networks);
  if (typeof setting === "string") throw new Error(setting);
  const at = { address: "127.0.0.1", family: 4, port: 0, ...(setting && { vantage: setting }) } as const;
  return { vantage: findVantage(at, networks), ignoresClientSubnet: clientSubnet === "ignore" };
}

/** How time goes by: by steps at once, or so many times faster than real time. */
export type Tempo = { readonly kind: "stepped" } | { readonly kind: "real"; readonly speed: number };

/** Waits for as long as it takes at that speed; rejects where that is aborted. */
export async function waitFor(seconds: number, tempo: Tempo, signal?: AbortSignal): Promise<void> {
  if (tempo.kind === "stepped") return;
  await wait((seconds / tempo.speed) * 1000, undefined, signal && { signal });
}

export interface LabOptions {
  readonly startSeconds: number;
  readonly tempo: Tempo;
  readonly signal?: AbortSignal;
}

/** A lab without sockets. */
export function openLab(snapshot: Snapshot, { startSeconds, tempo, signal }: LabOptions): Stage {
  let inForce = snapshot;
  const operator = startOperator(snapshot, {
    startSeconds,
    publish: async (next) => {
      inForce = next;
    },
  });
  const asker = openAsker(
    () => inForce,
    () => operator.nowSeconds(),
  );
  return {
    ...asker,
    send: async (message, asked) => {
      const address = parseAddress(asked.from);
      if (address === undefined) throw new Error(`"${asked.from}" is no address`);
      const listener = listenerRules(asked, inForce.configuration);
      const source = { address, port: 5353, transport: "udp", listener } as const;
      return replyTo(inForce, message, source, operator.nowSeconds());
    },
    change: (action) => operator.change(action),
    pass: async (seconds) => {
      await waitFor(seconds, tempo, signal);
      await operator.pass(seconds);
    },
    close: async () => {},
  };
}

/** Who answers from a snapshot, as a resolver would be answered that is trusted to speak for its clients, or is where they are. */
export function openAsker(snapshot: () => Snapshot, nowSeconds: () => number): Asker {
  return {
    kind: "in-process",
    ask: async (ask, from) => {
      const { clientSubnetTrust: trust } = snapshot().configuration.settings;
      const resolver = trust === "all" ? from : trust === "none" ? undefined : trust[0];
      const message = askMessage(ask, resolver && from, { id: 0, recursionDesired: false });
      const { family, octets } = resolver ?? from;
      const source: Source = { address: { family, octets }, port: 53, transport: "tcp" };
      return replyTo(snapshot(), message, source, nowSeconds());
    },
  };
}

function replyTo(snapshot: Snapshot, message: Uint8Array, source: Source, nowSeconds: number): Reply {
  const made = answer(snapshot, message, source, nowSeconds);
  if (made.kind === "deferred") {
    const because = `the handler of ${made.zone.apex} answers, which is not run here; ask a server (--server)`;
    return { kind: "skipped", because };
  }
  const { octets } = made;
  return octets === undefined
    ? { kind: "silence", because: undefined }
    : { kind: "response", octets, transport: source.transport };
}

/** The snapshot of a story: a configuration with the settings that the story gives, and what it says of GeoIP. */
export function snapshotOf(
  { settings: given, geoip }: Pick<Scenario, "settings" | "geoip">,
  configuration: Configuration,
  database?: GeoipDatabase,
): Snapshot {
  const { cookieSecret, answer: mode, cookies, unlocated, clientSubnetTrust } = given;
  const { settings } = configuration;
  const merged: Settings = {
    ...settings,
    ...(mode && { answer: mode }),
    ...(cookies && { cookies }),
    clientSubnetTrust:
      clientSubnetTrust === undefined
        ? settings.clientSubnetTrust
        : typeof clientSubnetTrust === "string"
          ? clientSubnetTrust
          : clientSubnetTrust.map(prefixOfText),
    location: { ...settings.location, ...(unlocated && { unlocated }) },
  };
  const cookieSecrets = cookieSecret === undefined ? [] : [Uint8Array.from(Buffer.from(cookieSecret, "hex"))];
  return buildSnapshot({ ...configuration, settings: merged }, geoip ? geoipOf(geoip) : database, {
    cookieSecrets,
  });
}

/** What a story says of GeoIP, as a database that is in no file. */
function geoipOf(codes: Readonly<Record<string, string>>): GeoipDatabase {
  const entries = Object.entries(codes).map(([text, code], i) => ({
    prefix: prefixOfText(text),
    value: i + 1,
    location: locationOf(code),
  }));
  const table = (family: 4 | 6) =>
    overlayPrefixes(
      uniformTable(family, 0),
      entries.filter(({ prefix }) => prefix.family === family),
    );
  return {
    buildDate: new Date(0),
    databaseType: "scenario",
    locations: [undefined, ...entries.map(({ location }) => location)],
    family4: table(4),
    family6: table(6),
  };
}

/** `GB`, `US-HI`, or `continent EU`. */
function locationOf(code: string): GeoipLocation {
  const continent = continents.find((each) => code === `continent ${each}`);
  if (continent !== undefined) return { continent };
  const [country = "", subdivision] = code.split("-");
  return { country, ...(subdivision !== undefined && { subdivision }) };
}

function prefixOfText(text: string): IpPrefix {
  const prefix = parsePrefix(text);
  if (typeof prefix === "string") throw new Error(prefix);
  return prefix;
}
