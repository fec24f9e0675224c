/** An explanation as a Mermaid flowchart: who asks, the chain, what was decided on the way, and where the connection ends. */

import type { Decision, Explanation } from "../explain.ts";
import type { Told } from "./told.ts";

/** How many candidates are drawn, beside the one that is chosen. */
const DRAWN = 3;

export function* formatMermaid(explanation: Told<Explanation>): Generator<string> {
  const { question, from, location, chain, decisions, scope, rcode, handler, secondHop } = explanation;
  yield "flowchart TD";
  const where = [location.name, location.place.city ?? location.place.country].filter(
    (each) => each !== undefined,
  );
  yield node("asker", "stadium", [from, ...(location.kind === undefined ? [] : [location.kind]), ...where]);
  const last = `n${chain.length}`;
  const end = lastLines(explanation);
  yield `  asker -->|${label([`${question.name} ${question.type}`, ...scopeLines(scope)])}| ${chain.length === 0 ? last : "n0"}`;
  for (const [i, { name, zone, decision, mark }] of chain.entries()) {
    const lines = [name, `zone ${zone}`, ...(mark === undefined ? [] : [mark])];
    yield node(`n${i}`, decision === undefined ? "box" : "hexagon", lines);
  }
  for (const [i, { type, ttlSeconds, found, how }] of chain.entries()) {
    const words = type === undefined ? [found] : [`${ttlSeconds} ${type}`, ...(how === "fixed" ? [] : [how])];
    yield `  n${i} -->|${label(words)}| n${i + 1}`;
  }
  yield node(last, "stadium", end.length > 0 ? end : [handler?.path ?? rcode]);
  for (const [i, { decision }] of chain.entries()) {
    const made = decision === undefined ? undefined : decisions[decision];
    if (made === undefined) continue;
    yield node(`d${decision}`, "diamond", decisionLines(made));
    yield `  n${i} -.- d${decision}`;
    yield* candidateNodes(made, `d${decision}`);
  }
  if (secondHop !== undefined) {
    yield node("frontEnd", "box", ["front end", secondHop.frontEnd]);
    yield `  ${last} --> frontEnd`;
    if (secondHop.target !== undefined && secondHop.target !== secondHop.frontEnd) {
      yield node("data", "cylinder", [secondHop.target, secondHop.because]);
      yield `  frontEnd -->|${label(["proxies"])}| data`;
    }
  }
}

function scopeLines({ prefixLength, prefix }: Told<Explanation>["scope"]): readonly string[] {
  if (prefixLength === undefined) return ["scope not known"];
  return [`scope ${prefixLength}${prefix === undefined ? "" : ` (${prefix})`}`];
}

/** What stands at the end: the records of the last name, or what there is instead. */
function lastLines({ chain, stop, rcode }: Told<Explanation>): readonly string[] {
  const last = chain.at(-1);
  if (stop !== undefined) return [rcode, ...(last?.values ?? []), stop.because];
  return last?.found === "rrset" ? last.values : [rcode, ...(last === undefined ? [] : [last.found])];
}

function decisionLines(decision: Told<Decision>): readonly string[] {
  const { datacenter, city, because } = decision;
  const chosen =
    decision.kind === "records" && decision.rule !== undefined
      ? decision.rule.words
      : datacenter === undefined
        ? "none"
        : `${datacenter} (${city ?? "no city"})`;
  const by =
    decision.kind === "service" ? `${decision.cloud}/${decision.service}, ${decision.policy}` : decision.name;
  return [by, chosen, because];
}

function* candidateNodes({ candidates }: Told<Decision>, id: string): Generator<string> {
  const chosenAt = candidates.findIndex(({ chosen }) => chosen);
  for (const [i, { id: datacenter, kilometres, state, chosen }] of candidates.entries()) {
    if (i >= DRAWN && i > chosenAt) return;
    yield node(`${id}c${i}`, "box", [`${i + 1}. ${datacenter}`, `${kilometres} km, ${state}`]);
    yield chosen ? `  ${id} ==>|${label(["chosen"])}| ${id}c${i}` : `  ${id} -.- ${id}c${i}`;
  }
}

const shapes = {
  box: ["[", "]"],
  stadium: ["([", "])"],
  hexagon: ["{{", "}}"],
  diamond: ["{", "}"],
  cylinder: ["[(", ")]"],
} as const;

function node(id: string, shape: keyof typeof shapes, lines: readonly string[]): string {
  const [open, close] = shapes[shape];
  return `  ${id}${open}${label(lines)}${close}`;
}

/** In quotes, with all that Mermaid or the page around it could read in another way as a character reference. */
const label = (lines: readonly string[]): string => `"${lines.map(escapeLabel).join("<br/>")}"`;

const escapeLabel = (text: string): string =>
  text.replace(/[^\p{L}\p{N} .,:/()+=*_-]/gu, (character) => `#${character.codePointAt(0)};`);
