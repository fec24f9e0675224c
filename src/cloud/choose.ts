/** Which datacenter answers for a tailored name, or which rule, and why. */

import type { FixedRule } from "./record-rules.ts";
import type { WhenAllDown } from "./service.ts";
import { chooseSpread, type Spread, type SpreadGroup } from "./spread.ts";
import { type DatacenterStates, stateOf, type TenantPlace } from "./states.ts";
import type { Datacenter, TenantGeo } from "./topology.ts";

/** The deciding step in a word: it stands in the log, in `explain` and in the API. */
export type Reason =
  /** first of the list, and up */
  | "nearest"
  /** nearer ones are down or draining */
  | "next-nearest"
  /** of the nearest ones that are up, the one that the client's group is spread to */
  | "spread"
  /** none is up, so the nearest draining one answers */
  | "only-draining-left"
  /** the tenant's active datacenter */
  | "active"
  /** the tenant has failed over, by itself or by an operator */
  | "standby"
  /** all are down; `whenAllDown` says what happens */
  | "all-down"
  /** nothing tells where the asker is; `location.unlocated` says what happens */
  | "unlocated"
  /** a rule gives the records itself, or none holds */
  | FixedRule["kind"];

export type Choice = DatacenterChoice | RuleChoice;

export type DatacenterChoice =
  | {
      readonly kind: "datacenter";
      readonly datacenter: Datacenter;
      readonly reason: Reason;
      readonly spreading?: Spreading;
    }
  | { readonly kind: "servfail" | "nodata"; readonly reason: "all-down" }
  | { readonly kind: "nodata" | "refused"; readonly reason: "unlocated" };

/** Those who share the clients, and whose share one of them got. */
export interface Spreading {
  readonly spread: Spread;
  readonly group: SpreadGroup;
  readonly among: readonly Datacenter[];
}

export interface RuleChoice {
  readonly kind: "rule";
  readonly rule: FixedRule;
  readonly reason: FixedRule["kind"];
}

/**
 * The first datacenter of an ordered list that is up, or one of the first few where the asker's group is spread over those;
 * then the first that is draining; then `whenAllDown`.
 */
export function chooseNearest(
  candidates: readonly Datacenter[],
  states: DatacenterStates,
  whenAllDown: WhenAllDown,
  spread?: Pick<Spreading, "spread" | "group">,
): DatacenterChoice {
  const isUp = (datacenter: Datacenter): boolean => stateOf(states, datacenter) === "up";
  if (spread !== undefined) {
    const among = candidates.filter(isUp).slice(0, spread.spread.over);
    const chosen = among.length < 2 ? undefined : chooseSpread(spread.group, among, spread.spread);
    if (chosen !== undefined) {
      return { kind: "datacenter", datacenter: chosen, reason: "spread", spreading: { ...spread, among } };
    }
  }
  const up = candidates.find(isUp);
  if (up !== undefined) {
    return { kind: "datacenter", datacenter: up, reason: up === candidates[0] ? "nearest" : "next-nearest" };
  }
  const draining = candidates.find((datacenter) => stateOf(states, datacenter) === "draining");
  if (draining !== undefined)
    return { kind: "datacenter", datacenter: draining, reason: "only-draining-left" };
  return chooseWhenAllDown(candidates[0], whenAllDown);
}

/**
 * The datacenter that serves the tenant unless it is down; then the other of its two, if the tenant fails over by itself;
 * then `whenAllDown` with the active one.
 */
export function chooseActive(
  { failover }: Pick<TenantGeo, "failover">,
  { active, standby, serving }: TenantPlace,
  states: DatacenterStates,
  whenAllDown: WhenAllDown,
): DatacenterChoice {
  const inOrder = serving === "active" ? [active, standby] : [standby, active];
  const allowed = failover === "automatic" ? inOrder : inOrder.slice(0, 1);
  const found = allowed.find(
    (datacenter) => datacenter !== undefined && stateOf(states, datacenter) !== "down",
  );
  if (found === undefined) return chooseWhenAllDown(active, whenAllDown);
  return { kind: "datacenter", datacenter: found, reason: found === active ? "active" : "standby" };
}

function chooseWhenAllDown(first: Datacenter | undefined, whenAllDown: WhenAllDown): DatacenterChoice {
  if (first === undefined || whenAllDown === "servfail") return { kind: "servfail", reason: "all-down" };
  if (whenAllDown === "nodata") return { kind: "nodata", reason: "all-down" };
  return { kind: "datacenter", datacenter: first, reason: "all-down" };
}
