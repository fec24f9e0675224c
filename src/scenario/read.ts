/** Reads files of scenarios and of expectations: all of a file, or every error in it with its place. */

import type { DatacenterState } from "../cloud/states.ts";
import { type Ask, parseAsk } from "../config/ask.ts";
import { readExpectationsFile, readScenarioFile } from "../config/documents.ts";
import { sortErrors } from "../config/load.ts";
import type {
  ActionEntry,
  Expected,
  QueryEntry,
  ScenarioDocument,
  StepEntry,
} from "../config/rehearsal-schema.ts";
import { formatSeconds, secondsOf } from "../config/timeline.ts";
import type { ConfigError, FilePlace, ValuePath, YamlDocument } from "../config/yaml-document.ts";

/** A story: queries and what must come back, what an operator does, and when. */
export interface Scenario extends Omit<ScenarioDocument, "steps" | "clock"> {
  readonly file: string;
  /** the time at the start, in seconds since 1970 */
  readonly clockSeconds: number;
  readonly steps: readonly Step[];
  readonly placeOf: (path: ValuePath) => FilePlace;
}

export type Step = AskStep | QueryStep | OctetsStep | AdminStep | WaitStep;

/** Where a part of a file stands, for what is wrong with it and what comes of it. */
export interface Placed {
  readonly place: FilePlace;
  /** an error at a value below */
  readonly errorAt: (path: ValuePath, message: string) => ConfigError;
}

interface Timed extends Placed {
  /** seconds from the start; undefined: as soon as the step before is done */
  readonly atSeconds: number | undefined;
}

/** A question, or several, from one place or several, and what each must come to. */
export interface Expectation extends Placed {
  readonly asks: readonly Ask[];
  /** networks, prefixes and addresses as written; undefined: every network */
  readonly from: readonly string[] | undefined;
  readonly expect: Expected | "silence";
}

export interface AskStep extends Expectation, Timed {
  readonly kind: "ask";
}

export interface QueryStep extends Timed {
  readonly kind: "query";
  readonly query: QueryEntry;
  readonly expect: Expected | "silence";
}

export interface OctetsStep extends Timed {
  readonly kind: "octets";
  readonly why: string | undefined;
  readonly octets: Uint8Array;
  readonly expect: Expected | "silence";
}

export interface AdminStep extends Timed {
  readonly kind: "admin";
  readonly action: Action;
}

export interface WaitStep extends Timed {
  readonly kind: "wait";
  readonly seconds: number;
}

/** What an operator does at once, or begins. */
export type Action =
  | OneAction
  | { readonly kind: "flap"; readonly target: string; readonly times: number; readonly everySeconds: number }
  | {
      readonly kind: "drain";
      readonly targets: readonly string[];
      readonly through: readonly DatacenterState[];
      readonly everySeconds: number;
    };

/** What an operator does with one word. */
export type OneAction =
  | {
      readonly kind: "set";
      readonly target: string;
      readonly state: DatacenterState;
      readonly forSeconds: number | undefined;
    }
  | { readonly kind: "failover" | "failback"; readonly tenant: string }
  | { readonly kind: "move"; readonly tenant: string; readonly to: string };

/** What is in a file. */
export type ReadFile<T> =
  | { readonly kind: "read"; readonly items: readonly T[] }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[] };

/** The stories of a file; each document of it is one. */
export function readScenarios(path: string): ReadFile<Scenario> {
  const { documents, errors } = readScenarioFile(path);
  const faults = [...errors];
  const items = documents.map(({ source, value }): Scenario => {
    const { steps, clock, ...rest } = value;
    const made = steps.map((entry, i) => stepOf(entry, placedAt(source, ["steps", i])));
    faults.push(...goingBack(made));
    return { ...rest, file: source.file, clockSeconds: clock, steps: made, placeOf: source.placeOf };
  });
  return faults.length > 0 ? { kind: "errors", errors: sortErrors(faults) } : { kind: "read", items };
}

export function readExpectations(path: string): ReadFile<Expectation> {
  const { documents, errors } = readExpectationsFile(path);
  if (errors.length > 0) return { kind: "errors", errors: sortErrors(errors) };
  const items = documents.flatMap(({ source, value }) =>
    value.expectations.map(({ ask, from, expect }, i) => ({
      ...placedAt(source, ["expectations", i]),
      asks: asksOf(ask),
      from: from === undefined ? undefined : listOf(from),
      expect,
    })),
  );
  return { kind: "read", items };
}

export const listOf = (value: string | readonly string[]): readonly string[] =>
  typeof value === "string" ? [value] : value;

function placedAt(source: YamlDocument, base: ValuePath): Placed {
  return {
    place: source.placeOf(base),
    errorAt: (path, message) => source.errorAt(source.placeOf([...base, ...path]), message),
  };
}

const asksOf = (text: string | readonly string[]): readonly Ask[] =>
  listOf(text).map((each) => {
    const ask = parseAsk(each);
    if (typeof ask === "string") throw new Error(ask);
    return ask;
  });

function stepOf(entry: StepEntry, placed: Placed): Step {
  const { at, ask, from, query, why, octets, admin, wait, expect } = entry;
  const timed = { ...placed, atSeconds: at === undefined ? undefined : secondsOf(at) };
  if (admin !== undefined) return { ...timed, kind: "admin", action: actionOf(admin) };
  if (wait !== undefined) return { ...timed, kind: "wait", seconds: secondsOf(wait) };
  if (expect === undefined) throw new Error("the schema lets no question stand without expect");
  if (query !== undefined) return { ...timed, kind: "query", query, expect };
  if (octets !== undefined) return { ...timed, kind: "octets", why, octets: octetsOf(octets), expect };
  if (ask === undefined) throw new Error("the schema lets no step stand that does nothing");
  return {
    ...timed,
    kind: "ask",
    asks: asksOf(ask),
    from: from === undefined ? undefined : listOf(from),
    expect,
  };
}

const octetsOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));

function actionOf(entry: ActionEntry): Action {
  const { set, state, for: time, flap, times, every, drain, through, failover, failback, move, to } = entry;
  const everySeconds = every === undefined ? 0 : secondsOf(every);
  if (set !== undefined && state !== undefined)
    return { kind: "set", target: set, state, forSeconds: time === undefined ? undefined : secondsOf(time) };
  if (flap !== undefined) return { kind: "flap", target: flap, times: times ?? 1, everySeconds };
  if (drain !== undefined)
    return { kind: "drain", targets: listOf(drain), through: through ?? ["draining"], everySeconds };
  if (failover !== undefined) return { kind: "failover", tenant: failover };
  if (failback !== undefined) return { kind: "failback", tenant: failback };
  if (move !== undefined && to !== undefined) return { kind: "move", tenant: move, to };
  throw new Error("the schema lets no action stand that does nothing");
}

/** Time only goes forward: steps that are before those that they follow. */
function* goingBack(steps: readonly Step[]): Generator<ConfigError> {
  let now = 0;
  for (const step of steps) {
    const { atSeconds } = step;
    if (atSeconds !== undefined && atSeconds < now) {
      const words = `${formatSeconds(atSeconds)} is over by then: it is ${formatSeconds(now)} when the step before is done`;
      yield step.errorAt(["at"], words);
    }
    now = Math.max(now, atSeconds ?? now) + (step.kind === "wait" ? step.seconds : 0);
  }
}

/** An action in words. */
export function formatAction(action: Action): string {
  switch (action.kind) {
    case "set": {
      const { target, state, forSeconds } = action;
      return `${target} is ${state}${forSeconds === undefined ? "" : ` for ${formatSeconds(forSeconds)}`}`;
    }
    case "flap":
      return `${action.target} goes down and comes up, ${action.times} times, a change every ${formatSeconds(action.everySeconds)}`;
    case "drain":
      return `${action.targets.join(", ")} one after the other: ${action.through.join(", then ")}, a step every ${formatSeconds(action.everySeconds)}`;
    case "failover":
      return `${action.tenant} fails over to its standby`;
    case "failback":
      return `${action.tenant} goes back to its active datacenter`;
    case "move":
      return `${action.tenant} moves to ${action.to}`;
    default:
      return action satisfies never;
  }
}
