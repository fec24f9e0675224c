/** geodns365 alone, loaded anew once a second under load: no query may be lost, and no answer wrong. */

import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { decode, encode } from "dns-packet";
import type { Flags } from "../flags.ts";
import { ask, checkAnswers, queriesOf } from "../lab.ts";
import { sendLoadFor, writeMessages } from "../load.ts";
import { messageOf, progress, type Started, withServer } from "../plan.ts";
import { type Probe, type Probed, probe } from "../prober.ts";
import { geodns365Reloading, RELOADED_ZONE, reloadedConfiguration } from "../servers/geodns365.ts";
import type { Server } from "../servers/server.ts";

const SECOND = 1000;
const PROBE_EVERY_MILLISECONDS = 5;
const START_LIMIT_MILLISECONDS = 30_000;

/** How long the last configuration may take until it is answered from. */
const LAST_RELOAD_MILLISECONDS = 10_000;

/** What came of it for one server. */
interface Outcome {
  readonly server: string;
  readonly answered: number;
  readonly answersPerSecond: number;
  readonly lost: number;
  readonly probes: Probed;
  /** configurations written, and those that answers were seen from */
  readonly reloads: { readonly asked: number; readonly seen: number };
}

export async function reload(folder: string, seconds: number, flags: Flags): Promise<number> {
  const [inFlight = 0] = flags.inFlight;
  console.log(`a new configuration each second for ${seconds} s, ${inFlight} queries under way\n`);
  const lines: string[] = [];
  const outcomes: Outcome[] = [];
  for (const server of geodns365Reloading.filter(({ name }) =>
    flags.only.some((text) => name.includes(text)),
  )) {
    progress(server.name);
    const found = await server.find();
    if (found.kind === "missing") {
      lines.push(`${server.name}: ${found.why}`);
      continue;
    }
    const start = {
      firstMessage: queriesOf("plain")[0] ?? Buffer.alloc(0),
      startLimitMilliseconds: START_LIMIT_MILLISECONDS,
    };
    try {
      outcomes.push(
        await withServer(server, start, folder, (started) =>
          reloadUnderLoad(server, started, seconds, inFlight),
        ),
      );
    } catch (error) {
      lines.push(`${server.name}: ${messageOf(error)}`);
    }
  }
  progress("");
  for (const line of [...outcomes.map(formatOutcome), ...lines]) console.log(line);
  if (flags.json !== undefined) {
    writeFileSync(flags.json, `${JSON.stringify({ seconds, inFlight, outcomes, lines }, undefined, 2)}\n`);
  }
  const isClean = ({ lost, probes }: Outcome): boolean => lost + probes.lost + probes.wrong.length === 0;
  return outcomes.length > 0 && outcomes.every(isClean) ? 0 : 1;
}

async function reloadUnderLoad(
  server: Server,
  { port, running, folder }: Started,
  seconds: number,
  inFlight: number,
): Promise<Outcome> {
  await checkAnswers(server.answers, port, "ecs");
  const messages = queriesOf("ecs");
  const file = writeMessages(join(folder, "messages"), messages);
  const generations = new Generations();
  const probes = [
    ...(await Promise.all(messages.map((message) => unchanging(port, message)))),
    generations.probe,
  ];
  const end = new AbortController();
  const probing = probe(port, probes, PROBE_EVERY_MILLISECONDS, end.signal);
  const loading = sendLoadFor(port, file, { transport: "udp", connections: 1, inFlight }, seconds);
  for (let second = 1; second <= seconds; second++) {
    await delay(SECOND);
    generations.written = second;
    const config = join(folder, "bench.yaml");
    // Renamed into place, as an editor does, so that nobody reads half of it.
    writeFileSync(`${config}.new`, reloadedConfiguration(second));
    renameSync(`${config}.new`, config);
    // The file is watched; every other time the signal says so too.
    if (second % 2 === 0) running.signal("SIGHUP");
  }
  const load = await loading;
  const deadline = performance.now() + LAST_RELOAD_MILLISECONDS;
  while (generations.latest < seconds && performance.now() < deadline) await delay(PROBE_EVERY_MILLISECONDS);
  end.abort();
  const probed = await probing;
  if (generations.latest < seconds)
    throw new Error(`the last configuration is not answered from: ${generations.latest} of ${seconds}`);
  const { completed: answered, answersPerSecond, lost } = load;
  const reloads = { asked: seconds, seen: generations.seenCount };
  return { server: server.name, answered, answersPerSecond, lost, probes: probed, reloads };
}

/** What is answered now must be answered whatever is loaded. */
async function unchanging(port: number, message: Buffer): Promise<Probe> {
  const expected = Buffer.from(await ask(port, message));
  return {
    message,
    faultIn: (response) =>
      response.subarray(2).equals(expected.subarray(2))
        ? undefined
        : `another answer: ${response.toString("hex")}`,
  };
}

/** The number in each configuration, as it is answered: never one not written yet, and never one older than seen before. */
class Generations {
  written = 0;
  readonly #seen = new Set<number>([0]);
  latest = 0;

  get seenCount(): number {
    return this.#seen.size - 1;
  }

  readonly probe: Probe = {
    message: encode({ type: "query", id: 0, questions: [{ type: "TXT", name: RELOADED_ZONE }] }),
    faultIn: (response) => {
      const [record] = decode(response).answers ?? [];
      if (record?.type !== "TXT") return "no TXT";
      const number = Number(String(record.data));
      if (number > this.written || number < this.latest) {
        return `configuration ${number}, with ${this.latest} seen and ${this.written} written`;
      }
      this.latest = number;
      this.#seen.add(number);
      return undefined;
    },
  };
}

function formatOutcome({ server, answered, answersPerSecond, lost, probes, reloads }: Outcome): string {
  const { sent, lost: lostProbes, wrong } = probes;
  const faults = wrong.slice(0, 3).map((fault) => `\n  ${fault}`);
  return `${server}: lost ${lost} of ${answered + lost} (${answersPerSecond.toFixed(0)} answers/s); of ${sent} checked one by one, lost ${lostProbes}, wrong ${wrong.length}; answers from ${reloads.seen} of ${reloads.asked} configurations${faults.join("")}`;
}
