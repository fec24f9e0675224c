/** States that nobody has set, supposed for the sake of a question: `lhr=down`. */

import { findTargets } from "./operations.ts";
import { type DatacenterState, type DatacenterStates, withState } from "./states.ts";
import type { Datacenter } from "./topology.ts";

/** A state that some datacenters are supposed to be in. */
export interface Supposition {
  /** a datacenter or a pattern, as overrides have it: `lhr`, `Worldwide/*`, `geo:EUR` */
  readonly target: string;
  readonly state: DatacenterState;
}

const stateWords: readonly DatacenterState[] = ["up", "draining", "down"];

/** Parses `lhr=down` or several of these with commas between; a sentence where it is none. */
export function parseSuppositions(text: string): readonly Supposition[] | string {
  const parsed: Supposition[] = [];
  for (const part of text.split(",")) {
    const [target = "", word, ...rest] = part.trim().split("=");
    const state = stateWords.find((each) => each === word);
    if (target === "" || state === undefined || rest.length > 0) {
      return `"${part}" is no datacenter with a state, like lhr=down; states are up, draining and down`;
    }
    parsed.push({ target, state });
  }
  return parsed;
}

/** The states as they would be, the last supposition on a datacenter counting; a sentence where one means no datacenter. */
export function suppose(
  states: DatacenterStates,
  suppositions: readonly Supposition[],
  datacenters: readonly Datacenter[],
): DatacenterStates | string {
  let supposed = states;
  for (const { target, state } of suppositions) {
    const found = findTargets(datacenters, target);
    if (typeof found === "string") return found;
    for (const { id } of found) supposed = withState(supposed, id, state);
  }
  return supposed;
}
