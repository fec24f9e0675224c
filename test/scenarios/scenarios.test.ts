/** Plays each scenario in process, over UDP and over TCP, and over both through worker threads. */

import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/admin/control.ts";
import { noOperations } from "../../src/cloud/operations.ts";
import type { ListenerSettings, Settings } from "../../src/config/configuration.ts";
import { parseVantage } from "../../src/config/listeners.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { Controller } from "../../src/control.ts";
import { clientSubnetOf, clientSubnetOption } from "../../src/dns/client-subnet.ts";
import { decodeMessage } from "../../src/dns/decode.ts";
import { type EdnsOption, readExtendedError, renderOpt } from "../../src/dns/edns.ts";
import { formatRcode, OPTION, parseClass, parseType } from "../../src/dns/iana.ts";
import { formatRecord, type Message } from "../../src/dns/message.ts";
import { parseName } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { openGeoip } from "../../src/geo/geoip.ts";
import { addressBits, parseAddress, parsePrefix } from "../../src/ip.ts";
import { type Server, startServer } from "../../src/server.ts";
import { buildSnapshot, type Snapshot } from "../../src/snapshot.ts";
import type { ListenerRules } from "../../src/trace.ts";
import type { Listener } from "../../src/transport/listener.ts";
import { listenTcp } from "../../src/transport/tcp.ts";
import { listenUdp } from "../../src/transport/udp.ts";
import { findVantage } from "../../src/vantage.ts";
import { answerAtOnce } from "../answer.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";
import { threadWays, withPlane } from "../plane/ways.ts";
import { sendAll } from "../wire-client.ts";
import {
  type AdminAction,
  type OctetsStep,
  type QueryStep,
  readScenario,
  type Scenario,
  type Step,
} from "./scenario.ts";

const here = import.meta.dirname;
const ways = ["in process", "udp", "tcp"] as const;
type Way = (typeof ways)[number];
/** the first one that this machine has */
const [threads] = threadWays;

/** From which address a query comes, and to what kind of listener. */
type Asked = Pick<QueryStep["query"], "from" | "vantage" | "clientSubnet">;

/** A player sends a message as if from there and returns the response; undefined is silence. */
interface Player {
  send(message: Uint8Array, asked: Asked): Promise<Uint8Array | undefined>;
  change(action: AdminAction): Promise<void>;
  close(): Promise<void>;
}

for (const file of globSync("*.yaml", { cwd: here }).toSorted()) {
  const scenario = readScenario(join(here, file));
  describe(`${basename(file, ".yaml")}: ${scenario.title}`, () => {
    const waysOfIt = ways.filter((each) => each !== "tcp" || scenario.only !== "udp");
    for (const way of waysOfIt) {
      describe(way, () => {
        let player: Player;
        beforeAll(async () => {
          player = await startPlayer(scenario, way);
        });
        afterAll(() => player.close());
        for (const [i, step] of scenario.steps.entries()) {
          it(`${i + 1}. ${titleOf(step)}`, () => play(step, player, way));
        }
      });
    }
    // A client cannot have another address than its own, and where that counts no vantage stands in for it.
    const playable = [...scenario.steps.entries()].filter(([, step]) => !goesBySource(step, scenario));
    if (playable.every(([, step]) => "admin" in step)) return;
    describe("in worker threads", () => {
      let server: Server;
      beforeAll(async () => {
        server = await startThreads(scenario);
      });
      afterAll(() => server.close());
      for (const way of waysOfIt) {
        if (way === "in process") continue;
        describe(way, () => {
          let player: Player;
          beforeAll(async () => {
            player = await playThreads(scenario, way, server);
          });
          for (const [i, step] of playable) {
            it(`${i + 1}. ${titleOf(step)}`, async () => {
              await play(step, player, way);
              // The second time a worker may know the answer.
              if ("query" in step) await play(step, player, way);
            });
          }
        });
      }
    });
  });
}

function titleOf(step: Step): string {
  if ("admin" in step) return Object.entries(step.admin).flat().join(" ");
  if ("octets" in step) return step.why;
  const { name, type, from, vantage, ecs } = step.query;
  const where = vantage === undefined ? from : `${from} as ${vantage}`;
  return `${name} ${type} from ${where}${ecs === undefined ? "" : ` for ${ecs}`}`;
}

async function play(step: Step, player: Player, way: Way): Promise<void> {
  if ("admin" in step) {
    await player.change(step.admin);
    return;
  }
  if ("octets" in step) {
    await playOctets(step, player);
    return;
  }
  const response = decodeMessage(mustAnswer(await player.send(queryOf(step), step.query)));
  if (typeof response === "string") throw new Error(`the response is malformed: ${response}`);
  expect(viewOf(response, step, way)).toEqual(expectedOf(step, way));
}

function mustAnswer(octets: Uint8Array | undefined): Uint8Array {
  if (octets === undefined) throw new Error("silence");
  return octets;
}

async function playOctets(step: OctetsStep, player: Player): Promise<void> {
  const message = Buffer.from(step.octets.replace(/\s/g, ""), "hex");
  const octets = await player.send(message, fromHere);
  if (step.expect === "silence") {
    expect(octets).toBeUndefined();
    return;
  }
  const response = decodeMessage(mustAnswer(octets));
  if (typeof response === "string") throw new Error(`the response is malformed: ${response}`);
  expect({
    id: response.id,
    rcode: formatRcode(response.rcode),
    opt: response.edns !== undefined,
    questions: response.questions.length,
  }).toEqual({
    id: message.readUInt16BE(0),
    rcode: step.expect.rcode,
    opt: step.expect.opt,
    questions: step.expect.questions,
  });
}

const toldApart: readonly number[] = [OPTION.CLIENT_SUBNET, OPTION.EXTENDED_ERROR];

const formatOption = ({ code, octets }: EdnsOption): string =>
  `${code} ${Buffer.from(octets).toString("hex")}`;

function parseOption(text: string): EdnsOption {
  const [code, hex = ""] = text.split(" ");
  return { code: Number(code), octets: Uint8Array.from(Buffer.from(hex, "hex")) };
}

/** The parts of a response that the step speaks of; a section that is written must match whole. */
function viewOf(response: Message, { expect: wanted }: QueryStep, way: Way): Record<string, unknown> {
  const flags = {
    qr: response.isResponse,
    aa: response.authoritative,
    tc: response.truncated,
    rd: response.recursionDesired,
    ra: response.recursionAvailable,
  };
  const view: Record<string, unknown> = {
    rcode: formatRcode(response.rcode),
    flags: Object.entries(flags).flatMap(([flag, set]) => (set ? [flag] : [])),
    answer: response.answer.map(formatRecord),
    authority: response.authority.map(formatRecord),
    additional: response.additional.map(formatRecord),
    scope: response.clientSubnet?.scopePrefixLength ?? "none",
    opt: response.edns !== undefined,
    options: (response.edns?.options ?? []).filter(({ code }) => !toldApart.includes(code)).map(formatOption),
    extendedErrors: (response.edns?.options ?? [])
      .filter(({ code }) => code === OPTION.EXTENDED_ERROR)
      .map(({ octets }) => readExtendedError(octets))
      .map((error) => `${error?.code} ${error?.text}`),
    dnssecOk: response.edns?.dnssecOk ?? false,
    truncated: response.truncated,
  };
  const spoken = Object.keys(wanted).filter((key) => key !== "truncated" || way !== "tcp");
  return Object.fromEntries(spoken.map((key) => [key, view[key]]));
}

function expectedOf({ expect: wanted }: QueryStep, way: Way): Record<string, unknown> {
  const { truncated, ...rest } = wanted;
  return truncated === undefined || way === "tcp" ? rest : wanted;
}

let nextId = 1;

function queryOf({ query }: QueryStep): Uint8Array {
  const qname = parseName(query.name);
  const qtype = parseType(query.type);
  const qclass = parseClass(query.class);
  const subnet = query.ecs === undefined ? undefined : parsePrefix(query.ecs);
  if (
    typeof qname === "string" ||
    qtype === undefined ||
    qclass === undefined ||
    typeof subnet === "string"
  ) {
    throw new Error(`the scenario asks for what cannot be asked: ${JSON.stringify(query)}`);
  }
  const { udpPayloadSize, dnssecOk, recursionDesired } = query;
  const message = renderQuery({ qname, qtype, qclass }, { id: nextId++, recursionDesired, edns: undefined });
  if (!query.edns) return message;
  const options = query.options.map(parseOption);
  if (subnet !== undefined) options.push(clientSubnetOption(clientSubnetOf(subnet), 0));
  if (query.ecsOctets !== undefined) {
    options.push(parseOption(`${OPTION.CLIENT_SUBNET} ${query.ecsOctets.replace(/\s/g, "")}`));
  }
  const opt = renderOpt({ udpPayloadSize, dnssecOk, version: 0, options }, 0);
  message[11] = 1; // ARCOUNT
  return Buffer.concat([message, opt]);
}

async function startPlayer(scenario: Scenario, way: Way): Promise<Player> {
  let snapshot = loadScenarioSnapshot(scenario);
  let current: Asked = fromHere;
  const respond = (message: Uint8Array): Uint8Array | undefined => {
    const address = parseAddress(current.from);
    if (address === undefined) throw new Error(`"${current.from}" is no address`);
    const transport = way === "tcp" ? "tcp" : "udp";
    const listener = listenerRules(current, snapshot);
    return answerAtOnce(snapshot, message, { address, port: 5353, transport, listener }, scenario.clock)
      .octets;
  };
  const change = changer(scenario, snapshot, async (next) => {
    snapshot = next;
  });
  if (way === "in process") {
    const send = async (message: Uint8Array, asked: Asked): Promise<Uint8Array | undefined> => {
      current = asked;
      return respond(message);
    };
    return { send, change, close: async () => {} };
  }
  const listener = await listen(way, respond);
  const send = async (message: Uint8Array, asked: Asked): Promise<Uint8Array | undefined> => {
    current = asked;
    const [reply, second] = await sendAll(listener.port, way, [message]);
    if (second !== undefined) throw new Error("one query had two responses");
    return reply;
  };
  return { send, change, close: () => listener.close() };
}

/** Does what an operator does, and publishes what comes of it. */
function changer(
  scenario: Scenario,
  snapshot: Snapshot,
  publish: (next: Snapshot) => Promise<void>,
): Player["change"] {
  const controller = new Controller({
    onFault: (error) => {
      throw error;
    },
    snapshot,
    operations: noOperations,
    publish,
    keep: async () => {},
    remember: async () => [],
    now: () => scenario.clock * 1000,
    setTimer: () => () => {},
    load: async () => {
      throw new Error("a scenario loads nothing anew");
    },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  return async (action) => {
    const outcome = await changeBy(controller, action);
    if (outcome.kind === "fault") throw new Error(outcome.fault.message);
  };
}

/** A server in worker threads, with a listener for each place that the scenario asks from. */
function startThreads(scenario: Scenario): Promise<Server> {
  return startServer(loadScenarioSnapshot(scenario), {
    listen: placesOf(scenario).map(({ listener }) => listener),
    now: () => scenario.clock * 1000,
    onFault: (error) => {
      throw error;
    },
    ...(threads && withPlane(threads)),
  });
}

async function playThreads(scenario: Scenario, way: "udp" | "tcp", server: Server): Promise<Player> {
  const snapshot = loadScenarioSnapshot(scenario);
  await server.replaceSnapshot(snapshot);
  const places = placesOf(scenario);
  return {
    send: async (message, asked) => {
      const { port } = server.listening[places.findIndex(({ key }) => key === keyOf(asked))] ?? { port: 0 };
      const [reply, second] = await sendAll(port, way, [message]);
      if (second !== undefined) throw new Error("one query had two responses");
      return reply;
    },
    change: changer(scenario, snapshot, (next) => server.replaceSnapshot(next)),
    close: async () => {},
  };
}

/** A socket has no other source than loopback; whose place counts can be said by a vantage as well, but not who is trusted. */
function goesBySource(step: Step, { settings }: Scenario): boolean {
  if (!("query" in step) || step.query.from.startsWith("127.")) return false;
  const hasCookie = step.query.options.some((option) => option.startsWith(`${OPTION.COOKIE} `));
  return hasCookie || Array.isArray(settings.clientSubnetTrust);
}

const keyOf = ({ from, vantage, clientSubnet }: Asked): string =>
  JSON.stringify([vantage ?? from, clientSubnet]);

function placesOf(
  scenario: Scenario,
): readonly { readonly key: string; readonly listener: ListenerSettings }[] {
  const { networks } = loadScenarioSnapshot(scenario).configuration;
  const asked = [fromHere, ...scenario.steps.flatMap((step) => ("query" in step ? step.query : []))];
  const byKey = new Map(asked.map((each) => [keyOf(each), each]));
  return [...byKey].map(([key, { from, vantage: text, clientSubnet }]) => {
    const address = parseAddress(from);
    if (address === undefined) throw new Error(`"${from}" is no address`);
    const single = { kind: "prefix", prefix: { ...address, length: addressBits(address.family) } } as const;
    const vantage = text === undefined ? single : parseVantage(text, networks);
    if (typeof vantage === "string") throw new Error(vantage);
    const isHere = text === undefined && from === fromHere.from;
    return {
      key,
      listener: {
        address: "127.0.0.1",
        family: 4,
        port: 0,
        ...(!isHere && { vantage }),
        ...(clientSubnet === "ignore" && { ignoresClientSubnet: true }),
      },
    };
  });
}

function changeBy(controller: Controller, action: AdminAction): Promise<Outcome<unknown>> {
  if ("failover" in action) return controller.failover(action.failover, undefined);
  if ("failback" in action) return controller.failback(action.failback, undefined);
  if ("move" in action) return controller.moveTenant(action.move, action.to, undefined);
  const { set: target, state } = action;
  return controller.setDatacenter({ target, state, reason: undefined, forSeconds: undefined });
}

const fromHere: Asked = { from: "127.0.0.1" };

function listenerRules({ vantage: text, clientSubnet }: Asked, { configuration }: Snapshot): ListenerRules {
  const { networks } = configuration;
  const setting = text === undefined ? undefined : parseVantage(text, networks);
  if (typeof setting === "string") throw new Error(setting);
  const at = { address: "127.0.0.1", family: 4, port: 0, ...(setting && { vantage: setting }) } as const;
  return { vantage: findVantage(at, networks), ignoresClientSubnet: clientSubnet === "ignore" };
}

function listen(
  way: "udp" | "tcp",
  respond: (message: Uint8Array) => Uint8Array | undefined,
): Promise<Listener> {
  const onFault = (error: Error): void => {
    throw error;
  };
  const options = { address: "127.0.0.1", family: 4, port: 0, respond, onFault } as const;
  return way === "udp" ? listenUdp(options) : listenTcp(options, { idleSeconds: 10, maxConnections: 10 });
}

function loadScenarioSnapshot({ config, geoip, settings }: Scenario): Snapshot {
  const path = config === "default-lab" ? join(here, "../../config/geodns365.yaml") : join(here, config);
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const { configuration } = loaded;
  const trust = settings.clientSubnetTrust ?? configuration.settings.clientSubnetTrust;
  const clientSubnetTrust =
    typeof trust === "string"
      ? trust
      : trust.flatMap((entry) => {
          const prefix = typeof entry === "string" ? parsePrefix(entry) : entry;
          return typeof prefix === "string" ? [] : [prefix];
        });
  const { cookieSecret, ...others } = settings;
  const { location } = configuration.settings;
  const unlocated = settings.unlocated ?? location.unlocated;
  const merged = {
    ...configuration.settings,
    ...definedOf(others),
    clientSubnetTrust,
    location: { ...location, unlocated },
  };
  const cookieSecrets = cookieSecret === undefined ? [] : [Uint8Array.from(Buffer.from(cookieSecret, "hex"))];
  const database = geoip && openGeoip(writeMmdb(countryEntries(geoip)));
  return buildSnapshot({ ...configuration, settings: merged }, database, { cookieSecrets });
}

/** Settings that the scenario gives. */
function definedOf({ answer: mode, cookies }: Scenario["settings"]): Partial<Settings> {
  return { ...(mode === undefined ? {} : { answer: mode }), ...(cookies === undefined ? {} : { cookies }) };
}

const countryEntries = (
  codes: Readonly<Record<string, string>>,
): Record<string, Readonly<Record<string, string>>> =>
  Object.fromEntries(
    Object.entries(codes).map(([prefix, code]) => {
      const continent = code.match(/^continent (..)$/)?.[1];
      if (continent !== undefined) return [prefix, { continent_code: continent }];
      const [country = "", region] = code.split("-");
      return [prefix, { country_code: country, ...(region !== undefined && { region_code: region }) }];
    }),
  );
