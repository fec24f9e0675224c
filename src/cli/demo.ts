/** `geodns365 demo`: the story of Microsoft's page "Client connectivity", told by a server that is asked while it goes. */

import { setTimeout } from "node:timers/promises";
import { styleText } from "node:util";
import { formatConfigError } from "../config/load.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { formatType, TYPE } from "../dns/iana.ts";
import type { Message } from "../dns/message.ts";
import { formatName } from "../dns/name.ts";
import { formatRdata } from "../dns/rdata.ts";
import type { Decision, Explanation } from "../explain.ts";
import { type Asked, openStage, type Stage } from "../first-run/stage.ts";
import { type Beat, type Deed, type Scene, story } from "../first-run/story.ts";
import type { RunningLog } from "../running.ts";
import { EXIT } from "./exit.ts";

export interface DemoOptions {
  readonly config: string;
  readonly version: string;
  /** leaves out the pauses to read in */
  readonly fast: boolean;
  readonly color: boolean;
}

/** How the story is put out. */
export interface Outlet {
  print(line: string): void;
  /** Waits while a person reads. */
  pause(seconds: number): Promise<void>;
  paint(style: Style, text: string): string;
}

type Style = "title" | "command" | "good" | "dim";

const WIDTH = 80;

export async function demoCommand(options: DemoOptions): Promise<number> {
  const opened = await openStage({ ...options, log: faultsOnly });
  if (opened.kind === "errors") {
    for (const error of opened.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  // Who reads no further, as head does, has heard enough.
  const leave = (): never => process.exit(EXIT.good);
  process.stdout.once("error", leave);
  try {
    return await tell(story, opened.stage, outletFor(options));
  } finally {
    await opened.stage.close();
    process.stdout.off("error", leave);
  }
}

/** What operators do is part of the story and not news. */
const faultsOnly: RunningLog = {
  info: () => {},
  warn: () => {},
  error: (fault) => console.error(fault),
};

/** On a terminal at the pace of a reader and with colours; elsewhere plain and at once. */
function outletFor({ fast, color }: DemoOptions): Outlet {
  const { stdout } = process;
  const isPaced = stdout.isTTY && !fast;
  const isColoured = color && stdout.isTTY && stdout.hasColors();
  const styles = { title: ["bold"], command: ["cyan"], good: ["green"], dim: ["dim"] } as const;
  return {
    print: (line) => console.log(line),
    pause: async (seconds) => {
      if (isPaced) await setTimeout(seconds * 1000);
    },
    paint: (style, text) =>
      isColoured ? styleText([...styles[style]], text, { validateStream: false }) : text,
  };
}

/** Tells all of it; the first thing that is not as told ends it. */
export async function tell(scenes: readonly Scene[], stage: Stage, outlet: Outlet): Promise<number> {
  const { address, port } = stage.at;
  const intro = `A server of its own answers on ${address}:${port} for as long as this goes, and its dig lines can be typed in another terminal meanwhile. What operators do is shown as one types it at geodns365 serve.`;
  for (const line of wrap(intro, "")) outlet.print(line);
  for (const [i, { title, beats }] of scenes.entries()) {
    outlet.print("");
    outlet.print(outlet.paint("title", `${i + 1}. ${title}`));
    for (const [j, beat] of beats.entries()) {
      if (beats[j - 1]?.kind === "ask") outlet.print("");
      const fault = await tellBeat(beat, stage, outlet);
      if (fault.length === 0) continue;
      for (const line of fault) console.error(escapeUnprintable(`not as the story tells: ${line}`));
      return EXIT.foundWrong;
    }
  }
  outlet.print("");
  outlet.print("Everything answered as told. Go on with a server of your own:");
  for (const command of ["npx geodns365 serve", "npx geodns365 init"])
    outlet.print(outlet.paint("command", `$ ${command}`));
  return EXIT.good;
}

/** Seconds to read what was printed. */
const SENTENCE_SECONDS = 1.5;
const DEED_SECONDS = 1;
const ANSWER_SECONDS = 3.5;

/** Returns what is not as told. */
async function tellBeat(beat: Beat, stage: Stage, outlet: Outlet): Promise<readonly string[]> {
  switch (beat.kind) {
    case "say":
      for (const line of wrap(beat.sentence, "   ")) outlet.print(line);
      await outlet.pause(SENTENCE_SECONDS);
      return [];
    case "do": {
      outlet.print(outlet.paint("command", formatDeed(beat.deed)));
      const fault = await stage.perform(beat.deed);
      await outlet.pause(DEED_SECONDS);
      return fault === undefined ? [] : [fault];
    }
    case "ask": {
      const asked = await stage.ask(beat.question);
      if (asked.kind === "unanswered") return [`${beat.question.name}: ${asked.because}`];
      printAnswer(asked, outlet);
      if (asked.differences.length === 0) await outlet.pause(ANSWER_SECONDS);
      return asked.differences;
    }
  }
}

/** As typed at a server that has its admin API open. */
function formatDeed(deed: Deed): string {
  switch (deed.kind) {
    case "set":
      return `$ npx geodns365 datacenter set ${deed.datacenter} ${deed.state} --for ${deed.forSeconds / 60}m`;
    case "failback":
      return `$ npx geodns365 tenant failback ${deed.tenant}`;
    case "wait":
      return `... and ${deed.seconds / 60} minutes later:`;
  }
}

function printAnswer(
  { dig, message, explanation }: Asked & { readonly kind: "answered" },
  outlet: Outlet,
): void {
  outlet.print(outlet.paint("command", `$ ${dig}`));
  for (const line of formatChain(message)) outlet.print(line);
  for (const line of wrap(formatWhy(explanation), "   ")) outlet.print(outlet.paint("dim", line));
}

/** The name asked, and a line for what it leads to at each step, with its TTL; addresses of one name share a line. */
export function* formatChain({
  questions,
  answer,
}: Pick<Message, "questions" | "answer">): Generator<string> {
  const [question] = questions;
  if (question !== undefined) yield `   ${formatName(question.qname)}`;
  for (const group of Map.groupBy(answer, ({ owner }) => formatName(owner)).values()) {
    const [first] = group;
    if (first === undefined) continue;
    const texts = group.map(({ type, rdata }) => formatRdata(type, rdata));
    const type = first.type === TYPE.CNAME ? "" : `${formatType(first.type)} `;
    yield `   ${String(first.ttlSeconds).padStart(5)} s  ${type}${texts.join(" ")}`;
  }
}

/** Why it is that answer, out of its explanation. */
function formatWhy({ from, location, decision, secondHop, scope }: Explanation): string {
  const where = `${from} is in network ${location.name}, ${location.place.city}.`;
  const parts = [
    ...(decision?.kind === "service" && decision.tenant !== undefined ? [] : [where]),
    ...(location.remark === undefined ? [] : [location.remark]),
    ...(decision === undefined ? [] : [formatDecision(decision)]),
    ...(secondHop?.target === undefined
      ? []
      : [`It passes on to ${secondHop.target}: ${secondHop.because}.`]),
    `Scope ${scope.prefixLength}.`,
  ];
  return `Why: ${parts.join(" ")}`;
}

/** How many of the candidates are shown: the chosen one, whom it stands in for, and the next. */
const SHOWN_CANDIDATES = 3;

function formatDecision(decision: Decision): string {
  const { datacenter, city, because, candidates } = decision;
  const near = candidates
    .slice(0, SHOWN_CANDIDATES)
    .map(({ id, kilometres, state }) => `${id} ${kilometres} km${state === "up" ? "" : ` (${state})`}`);
  const chosen = `${datacenter ?? "No datacenter"}${city === undefined ? "" : ` (${city})`}: ${because}`;
  return near.length === 0 ? `${chosen}.` : `${chosen}; nearest are ${near.join(", ")}.`;
}

function* wrap(text: string, indent: string): Generator<string> {
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length > indent.length && line.length + 1 + word.length > WIDTH) {
      yield line;
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  yield line;
}
