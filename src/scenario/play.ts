/** Plays a story on a stage, step by step, and says what came otherwise. */

import { findTargets } from "../cloud/operations.ts";
import { findTenant, labelsLike } from "../cloud/tenant-table.ts";
import type { Datacenter } from "../cloud/topology.ts";
import type { Configuration } from "../config/configuration.ts";
import { suggest } from "../config/documents.ts";
import { parseVantage } from "../config/listeners.ts";
import type { ConfigError, FilePlace } from "../config/yaml-document.ts";
import { compare, type Difference, isCalled } from "./compare.ts";
import { everyPlace, type FromPlace, formatAsk, placeFrom, queryMessage } from "./questions.ts";
import { type Action, type Expectation, formatAction, listOf, type OneAction, type Step } from "./read.ts";
import { type Asker, fromHere, type Reply, type Stage } from "./stage.ts";
import type { Whose } from "./whose.ts";

/** What became of one question, or of one thing that an operator did. */
export interface Check {
  readonly place: FilePlace;
  readonly title: string;
  /** seconds from the start of the story; undefined where there is none */
  readonly atSeconds: number | undefined;
  readonly outcome:
    | { readonly kind: "same" }
    | { readonly kind: "different"; readonly differences: readonly Difference[] }
    | { readonly kind: "skipped"; readonly because: string }
    /** something that was done, and is no check */
    | { readonly kind: "done" };
  /** the command that says why the answer is what it is */
  readonly explain: string | undefined;
}

export interface PlayOptions {
  readonly configuration: Configuration;
  readonly whose: Whose;
  /** what `explain` is to be told so that it explains the same: `["--config", "my-lab.yaml"]` */
  readonly explainOptions?: readonly string[];
}

interface Scheduled {
  readonly atSeconds: number;
  readonly action: OneAction;
  readonly step: Step;
}

/** What an operator has done, as `explain --with` supposes it. */
interface Supposable {
  readonly subject: string;
  readonly words: string;
  readonly untilSeconds: number | undefined;
}

/** The timeline of one story. */
export class StoryPlayer {
  readonly #stage: Stage;
  readonly #options: PlayOptions;
  #nowSeconds = 0;
  /** what operators have begun and not done yet, in order */
  #scheduled: readonly Scheduled[] = [];
  /** what operators have done, in order */
  #done: readonly Supposable[] = [];
  #nextId = 1;

  constructor(stage: Stage, options: PlayOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  /** Waits for the time of a step and takes it; what operators had to do by then is done before. */
  async *play(step: Step): AsyncGenerator<Check> {
    yield* this.#goTo(step.atSeconds ?? this.#nowSeconds);
    switch (step.kind) {
      case "ask":
        for (const check of checksOf(step, this.#stage, this.#optionsNow()))
          yield { ...(await check()), atSeconds: this.#nowSeconds };
        return;
      case "query": {
        const { from, vantage, clientSubnet } = step.query;
        const asked = { from, ...(vantage && { vantage }), ...(clientSubnet && { clientSubnet }) };
        const message = queryMessage(step.query, this.#nextId++);
        yield await this.#send(step, message, asked);
        return;
      }
      case "octets":
        yield await this.#send(step, step.octets, fromHere);
        return;
      case "admin":
        yield* this.#begin(step, step.action);
        return;
      case "wait":
        yield* this.#goTo(this.#nowSeconds + step.seconds);
        return;
      default:
        step satisfies never;
    }
  }

  /** With what operators have done and still counts, for whoever asks why. */
  #optionsNow(): PlayOptions {
    const { explainOptions = [] } = this.#options;
    const words = this.#done
      .filter(({ untilSeconds }) => untilSeconds === undefined || untilSeconds > this.#nowSeconds)
      .map((each) => each.words);
    const supposed = words.length === 0 ? [] : ["--with", ...words];
    return { ...this.#options, explainOptions: [...explainOptions, ...supposed] };
  }

  #keep(action: OneAction): void {
    const done = supposable(action, this.#nowSeconds);
    // What is over at some time uncovers what was before.
    const before =
      done.untilSeconds === undefined
        ? this.#done.filter(({ subject }) => subject !== done.subject)
        : this.#done;
    this.#done = [...before, done];
  }

  async #send(
    step: Extract<Step, { readonly kind: "query" | "octets" }>,
    message: Uint8Array,
    asked: Parameters<Stage["send"]>[1],
  ): Promise<Check> {
    const { expect } = step;
    const isAboutTruncation =
      expect !== "silence" && (expect.truncated !== undefined || expect.flags !== undefined);
    const reply = await this.#stage.send(message, asked, isAboutTruncation, expect === "silence");
    // Whatever is wrong with a message, its id comes back, and the question where it could be read.
    const wanted = step.kind === "octets" && expect !== "silence" ? { questions: 1, ...expect } : expect;
    const outcome = outcomeOf(reply, (got) => [
      ...idDifference(message, got),
      ...compare(wanted, got, { whose: this.#options.whose, kind: this.#stage.kind }),
    ]);
    return {
      place: step.place,
      title: titleOf(step),
      atSeconds: this.#nowSeconds,
      outcome,
      explain: undefined,
    };
  }

  async *#begin(step: Step, action: Action): AsyncGenerator<Check> {
    const actions = actionsOf(action);
    const now = this.#nowSeconds;
    const scheduled = actions.map(({ afterSeconds, ...rest }) => ({
      ...rest,
      atSeconds: now + afterSeconds,
      step,
    }));
    // Of two for one time the first that was begun is the first that is done.
    this.#scheduled = [...this.#scheduled, ...scheduled].toSorted((a, b) => a.atSeconds - b.atSeconds);
    const isOne = actions.length === 1 && actions[0]?.afterSeconds === 0;
    if (!isOne) {
      const title = formatAction(action);
      yield { place: step.place, title, atSeconds: now, outcome: { kind: "done" }, explain: undefined };
    }
    yield* this.#goTo(now);
  }

  /** Goes on to a time, and does what is due on the way. */
  async *#goTo(seconds: number): AsyncGenerator<Check> {
    for (;;) {
      const [next, ...others] = this.#scheduled;
      if (next === undefined || next.atSeconds > seconds) break;
      await this.#passTo(next.atSeconds);
      this.#scheduled = others;
      const words = await this.#stage.change(next.action);
      if (words === undefined) this.#keep(next.action);
      const title = formatAction(next.action);
      yield {
        place: next.step.place,
        title,
        atSeconds: this.#nowSeconds,
        outcome:
          words === undefined
            ? { kind: "done" }
            : { kind: "different", differences: [{ what: "action", expected: [title], got: [words] }] },
        explain: undefined,
      };
    }
    await this.#passTo(seconds);
  }

  async #passTo(seconds: number): Promise<void> {
    if (seconds > this.#nowSeconds) await this.#stage.pass(seconds - this.#nowSeconds);
    this.#nowSeconds = Math.max(seconds, this.#nowSeconds);
  }
}

/** The questions of an expectation, each asked when it is called. */
export function* checksOf(
  { asks, from, expect, place }: Expectation,
  asker: Asker,
  { configuration, whose, explainOptions = [] }: PlayOptions,
): Generator<() => Promise<Check>> {
  for (const ask of asks) {
    for (const { words, prefix } of placesOf(from, configuration)) {
      yield async () => {
        const reply = await asker.ask(ask, prefix);
        const outcome = outcomeOf(reply, (got) => compare(expect, got, { whose, kind: asker.kind }));
        return {
          place,
          title: `${formatAsk(ask)} from ${words}`,
          atSeconds: undefined,
          outcome,
          explain: ["geodns365 explain", formatAsk(ask), "--from", words, ...explainOptions.map(quoted)].join(
            " ",
          ),
        };
      };
    }
  }
}

/** A word of a command line as a shell reads it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

function supposable(action: OneAction, nowSeconds: number): Supposable {
  switch (action.kind) {
    case "set": {
      const { target, state, forSeconds } = action;
      const untilSeconds = forSeconds === undefined ? undefined : nowSeconds + forSeconds;
      return { subject: target, words: `${target}=${state}`, untilSeconds };
    }
    case "failover":
      return { subject: action.tenant, words: `${action.tenant}=standby`, untilSeconds: undefined };
    case "failback":
      return { subject: action.tenant, words: `${action.tenant}=active`, untilSeconds: undefined };
    case "move":
      // Who has been moved can be failed over, so one does not take the place of the other.
      return {
        subject: `${action.tenant}->`,
        words: `${action.tenant}->${action.to}`,
        untilSeconds: undefined,
      };
    default:
      return action satisfies never;
  }
}

function placesOf(from: readonly string[] | undefined, configuration: Configuration): readonly FromPlace[] {
  if (from === undefined) return everyPlace(configuration);
  return from.map((text) => {
    const found = placeFrom(configuration, text);
    if (typeof found === "string") throw new Error(found);
    return found;
  });
}

function outcomeOf(
  reply: Reply,
  differencesFrom: (got: Exclude<Reply, { readonly kind: "skipped" }>) => readonly Difference[],
): Check["outcome"] {
  if (reply.kind === "skipped") return { kind: "skipped", because: reply.because };
  const differences = differencesFrom(reply);
  return differences.length === 0 ? { kind: "same" } : { kind: "different", differences };
}

function idDifference(message: Uint8Array, reply: Reply): readonly Difference[] {
  const idOf = (octets: Uint8Array): string => Buffer.from(octets.subarray(0, 2)).toString("hex");
  if (reply.kind !== "response" || idOf(message) === idOf(reply.octets)) return [];
  return [{ what: "id", expected: [idOf(message)], got: [idOf(reply.octets)] }];
}

/** A step in words. */
export function titleOf(step: Step): string {
  switch (step.kind) {
    case "ask":
      return `${step.asks.map(formatAsk).join(", ")} from ${step.from?.join(", ") ?? "everywhere"}`;
    case "query": {
      const { name, type, from, vantage, ecs } = step.query;
      const where = vantage === undefined ? from : `${from} as ${vantage}`;
      return `${name} ${type} from ${where}${ecs === undefined ? "" : ` for ${ecs}`}`;
    }
    case "octets":
      return step.why ?? `${step.octets.length} octets`;
    case "admin":
      return formatAction(step.action);
    case "wait":
      return `${step.seconds} s go by`;
    default:
      return step satisfies never;
  }
}

/** What is done at once, and after how many seconds what follows. */
function actionsOf(action: Action): readonly { readonly afterSeconds: number; readonly action: OneAction }[] {
  const setTo = (target: string, state: "up" | "draining" | "down"): OneAction => ({
    kind: "set",
    target,
    state,
    forSeconds: undefined,
  });
  switch (action.kind) {
    case "flap": {
      const { target, times, everySeconds } = action;
      return Array.from({ length: 2 * times }, (_, i) => ({
        afterSeconds: i * everySeconds,
        action: setTo(target, i % 2 === 0 ? "down" : "up"),
      }));
    }
    case "drain": {
      const { targets, through, everySeconds } = action;
      const steps = targets.flatMap((target) => through.map((state) => setTo(target, state)));
      return steps.map((each, i) => ({ afterSeconds: i * everySeconds, action: each }));
    }
    default:
      return [{ afterSeconds: 0, action }];
  }
}

/** What a configuration does not know of all that is named in steps or expectations. */
export function* unknownNames(
  steps: readonly (Step | Expectation)[],
  configuration: Configuration,
): Generator<ConfigError> {
  const { clouds } = configuration;
  const datacenters = clouds.flatMap((cloud) => cloud.datacenters);
  const ids = datacenters.flatMap(({ id, shortId }) => [shortId, id]);
  const cloudNames = clouds.map(({ name }) => name);
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const called = (text: string): readonly Datacenter[] => datacenters.filter((each) => isCalled(each, text));
  const isDatacenter = (text: string): boolean => called(text).length > 0;
  const severalCalled = (text: string): string | undefined =>
    called(text).length > 1
      ? `"${text}" is a datacenter of several clouds; write ${called(text)
          .map(({ id }) => id)
          .join(" or ")}`
      : undefined;
  for (const step of steps) {
    if ("asks" in step) {
      if (step.from === undefined && configuration.networks.length === 0)
        yield step.errorAt([], "the configuration has no networks to ask from; say from where, as a prefix");
      for (const [i, text] of (step.from ?? []).entries()) {
        const found = placeFrom(configuration, text);
        if (typeof found === "string") yield step.errorAt(["from", i], found);
      }
    }
    if ("query" in step && step.query.vantage !== undefined) {
      const found = parseVantage(step.query.vantage, configuration.networks);
      if (typeof found === "string") yield step.errorAt(["query", "vantage"], found);
    }
    if ("expect" in step && step.expect !== "silence") {
      const { datacenter, never } = step.expect;
      if (datacenter !== undefined && datacenter !== "none" && !isDatacenter(datacenter)) {
        const words = `"${datacenter}" is no datacenter${suggest(datacenter, ids)}`;
        yield step.errorAt(["expect", "datacenter"], words);
      }
      const ofSeveral = datacenter === undefined ? undefined : severalCalled(datacenter);
      if (ofSeveral !== undefined) yield step.errorAt(["expect", "datacenter"], ofSeveral);
      for (const [i, text] of listOf(never ?? []).entries()) {
        const several = severalCalled(text);
        if (several !== undefined) yield step.errorAt(["expect", "never", i], several);
        if (isDatacenter(text) || cloudNames.some((name) => same(name, text))) continue;
        const words = `"${text}" is neither a cloud nor a datacenter${suggest(text, [...cloudNames, ...ids])}`;
        yield step.errorAt(["expect", "never", i], words);
      }
    }
    if ("action" in step) {
      const { action } = step;
      const [targets, key] =
        action.kind === "set" || action.kind === "flap"
          ? [[action.target], action.kind]
          : [action.kind === "drain" ? action.targets : [], "drain"];
      for (const [i, target] of targets.entries()) {
        const found = findTargets(datacenters, target);
        if (typeof found === "string")
          yield step.errorAt(
            ["admin", key, ...(key === "drain" ? [i] : [])],
            `${found}${suggest(target, ids)}`,
          );
      }
      if ("tenant" in action && findTenant(clouds, action.tenant) === undefined) {
        const words = `"${action.tenant}" is no tenant${suggest(action.tenant, labelsLike(clouds, action.tenant))}`;
        yield step.errorAt(["admin", action.kind], words);
      }
    }
  }
}
