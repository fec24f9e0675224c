/** Plays each scenario in process, over UDP and over TCP, and over both through worker threads. */

import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ListenerSettings } from "../../src/config/configuration.ts";
import { parseVantage } from "../../src/config/listeners.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { OPTION } from "../../src/dns/iana.ts";
import { addressBits, parseAddress } from "../../src/ip.ts";
import { listenerRules, openLab, snapshotOf, startOperator } from "../../src/scenario/lab.ts";
import { type Check, type PlayOptions, StoryPlayer, titleOf, unknownNames } from "../../src/scenario/play.ts";
import { askMessage } from "../../src/scenario/questions.ts";
import { readScenarios, type Scenario, type Step } from "../../src/scenario/read.ts";
import { type Asked, fromHere, type Reply, type Stage } from "../../src/scenario/stage.ts";
import { Whose } from "../../src/scenario/whose.ts";
import { type Server, startServer } from "../../src/server.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import type { Listener } from "../../src/transport/listener.ts";
import { listenTcp } from "../../src/transport/tcp.ts";
import { listenUdp } from "../../src/transport/udp.ts";
import { answerAtOnce } from "../answer.ts";
import { threadWays, withPlane } from "../plane/ways.ts";
import { sendAll } from "../wire-client.ts";

const here = import.meta.dirname;
const ways = ["in process", "udp", "tcp"] as const;
type Way = (typeof ways)[number];
/** the first one that this machine has */
const [threads] = threadWays;

for (const file of globSync("*.yaml", { cwd: here }).toSorted()) {
  const read = readScenarios(join(here, file));
  if (read.kind === "errors") throw new Error(read.errors.map(formatConfigError).join("\n"));
  for (const scenario of read.items) tell(basename(file, ".yaml"), scenario);
}

function tell(name: string, scenario: Scenario): void {
  describe(`${name}: ${scenario.title}`, () => {
    const waysOfIt = ways.filter((each) => each !== "tcp" || scenario.only !== "udp");
    for (const way of waysOfIt) {
      describe(way, () => {
        let stage: Stage;
        let player: StoryPlayer;
        beforeAll(async () => {
          const snapshot = loadScenarioSnapshot(scenario);
          stage = await openStage(scenario, snapshot, way);
          player = new StoryPlayer(stage, optionsOf(scenario, snapshot));
        });
        afterAll(() => stage.close());
        for (const [i, step] of scenario.steps.entries()) {
          it(`${i + 1}. ${titleOf(step)}`, () => playWell(player, step));
        }
      });
    }
    // A client cannot have another address than its own, and where that counts no vantage stands in for it.
    const playable = [...scenario.steps.entries()].filter(([, step]) => !goesBySource(step, scenario));
    if (playable.every(([, { kind }]) => kind === "admin" || kind === "wait")) return;
    describe("in worker threads", () => {
      let server: Server;
      beforeAll(async () => {
        server = await startThreads(scenario);
      });
      afterAll(() => server.close());
      for (const way of waysOfIt) {
        if (way === "in process") continue;
        describe(way, () => {
          let player: StoryPlayer;
          beforeAll(async () => {
            const snapshot = loadScenarioSnapshot(scenario);
            const stage = await stageOfThreads(scenario, snapshot, way, server);
            player = new StoryPlayer(stage, optionsOf(scenario, snapshot));
          });
          for (const [i, step] of playable) {
            it(`${i + 1}. ${titleOf(step)}`, async () => {
              await playWell(player, step);
              // The second time a worker may know the answer.
              if (step.kind === "query" || step.kind === "ask") await playWell(player, step);
            });
          }
        });
      }
    });
  });
}

async function playWell(player: StoryPlayer, step: Step): Promise<void> {
  const others: Pick<Check, "title" | "outcome">[] = [];
  for await (const { title, outcome } of player.play(step)) {
    if (outcome.kind === "different" || outcome.kind === "skipped") others.push({ title, outcome });
  }
  expect(others).toEqual([]);
}

function optionsOf(scenario: Scenario, { configuration }: Snapshot): PlayOptions {
  const errors = [...unknownNames(scenario.steps, configuration)];
  if (errors.length > 0) throw new Error(errors.map(formatConfigError).join("\n"));
  return { configuration, whose: new Whose(configuration) };
}

/** Without sockets, or with one listener that stands for whatever place is asked from. */
async function openStage(scenario: Scenario, snapshot: Snapshot, way: Way): Promise<Stage> {
  const { clockSeconds: startSeconds } = scenario;
  if (way === "in process") return openLab(snapshot, { startSeconds, tempo: { kind: "stepped" } });
  let inForce = snapshot;
  let current: Asked = fromHere;
  const operator = startOperator(snapshot, {
    startSeconds,
    publish: async (next) => {
      inForce = next;
    },
  });
  const respond = (message: Uint8Array): Uint8Array | undefined => {
    const address = parseAddress(current.from);
    if (address === undefined) throw new Error(`"${current.from}" is no address`);
    const listener = listenerRules(current, inForce.configuration);
    const source = { address, port: 5353, transport: way, listener } as const;
    return answerAtOnce(inForce, message, source, operator.nowSeconds()).octets;
  };
  const listener = await listen(way, respond);
  return overWire(way, operator, {
    portOf: (asked) => {
      current = asked;
      return listener.port;
    },
    close: () => listener.close(),
  });
}

/** A server in worker threads, with a listener for each place that the scenario asks from. */
function startThreads(scenario: Scenario): Promise<Server> {
  return startServer(loadScenarioSnapshot(scenario), {
    listen: placesOf(scenario).map(({ listener }) => listener),
    now: () => scenario.clockSeconds * 1000,
    onFault: (error) => {
      throw error;
    },
    ...(threads && withPlane(threads)),
  });
}

async function stageOfThreads(
  scenario: Scenario,
  snapshot: Snapshot,
  way: "udp" | "tcp",
  server: Server,
): Promise<Stage> {
  await server.replaceSnapshot(snapshot);
  const places = placesOf(scenario);
  const operator = startOperator(snapshot, {
    startSeconds: scenario.clockSeconds,
    publish: (next) => server.replaceSnapshot(next),
  });
  return overWire(way, operator, {
    portOf: (asked) => server.listening[places.findIndex(({ key }) => key === keyOf(asked))]?.port ?? 0,
    close: async () => {},
  });
}

function overWire(
  way: "udp" | "tcp",
  operator: ReturnType<typeof startOperator>,
  { portOf, close }: { readonly portOf: (asked: Asked) => number; readonly close: () => Promise<void> },
): Stage {
  const send = async (message: Uint8Array, asked: Asked): Promise<Reply> => {
    const [octets, second] = await sendAll(portOf(asked), way, [message]);
    if (second !== undefined) throw new Error("one query had two responses");
    return octets === undefined
      ? { kind: "silence", because: undefined }
      : { kind: "response", octets, transport: way };
  };
  return {
    kind: "server",
    ask: (ask, from) => send(askMessage(ask, from, { id: 1, recursionDesired: false }), fromHere),
    send,
    change: (action) => operator.change(action),
    pass: (seconds) => operator.pass(seconds),
    close,
  };
}

/** A socket has no other source than loopback; whose place counts can be said by a vantage as well, but not who is trusted. */
function goesBySource(step: Step, { settings }: Scenario): boolean {
  if (step.kind !== "query" || step.query.from.startsWith("127.")) return false;
  const hasCookie = step.query.options.some((option) => option.startsWith(`${OPTION.COOKIE} `));
  return hasCookie || Array.isArray(settings.clientSubnetTrust);
}

const keyOf = ({ from, vantage, clientSubnet }: Asked): string =>
  JSON.stringify([vantage ?? from, clientSubnet]);

function placesOf(
  scenario: Scenario,
): readonly { readonly key: string; readonly listener: ListenerSettings }[] {
  const { networks } = loadScenarioSnapshot(scenario).configuration;
  const asked = [fromHere, ...scenario.steps.flatMap((step) => (step.kind === "query" ? step.query : []))];
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

function loadScenarioSnapshot(scenario: Scenario): Snapshot {
  const { config = "default-lab" } = scenario;
  const path = config === "default-lab" ? join(here, "../../config/geodns365.yaml") : join(here, config);
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return snapshotOf(scenario, loaded.configuration);
}
