/** Which prefixes move where when one configuration takes the place of another: the blast radius of a change. */

import type { Question } from "../dns/message.ts";
import type { AddressFamily } from "../ip.ts";
import type { Snapshot } from "../snapshot.ts";
import { largestFirst } from "./audit.ts";
import { Chain } from "./chain.ts";
import { type AnswerList, Lists } from "./lists.ts";
import { partsOf, sizeOf, walkTogether } from "./partition.ts";

export interface FamilyDiff {
  readonly family: AddressFamily;
  /** the largest first */
  readonly moves: readonly Move[];
}

/** All that has one list before and one list after. */
export interface Move {
  readonly from: AnswerList;
  readonly to: AnswerList;
  readonly prefixes: number;
  /** addresses of IPv4, or networks of 48 bits of IPv6 */
  readonly size: number;
  /** networks and countries touched, by where the addresses were before, the largest first */
  readonly where: readonly { readonly name: string; readonly size: number }[];
}

/**
 * Walks both partitions together, over the widest prefixes that have one list in each. Lists are the same where the
 * same ids, or the same records, stand in them in the same order.
 */
export function diffAnswers(
  before: Snapshot,
  after: Snapshot,
  question: Question,
  options: { readonly families: readonly AddressFamily[]; readonly firstStepOnly?: boolean },
): readonly FamilyDiff[] {
  const { families, firstStepOnly = false } = options;
  const lists = new Lists();
  const chains = [before, after].map((each) => new Chain(each, question, lists, { firstStepOnly }));
  const [old, next] = chains;
  if (old === undefined || next === undefined) return [];
  return families.map((family) => ({ family, moves: movesOf(old, next, family, lists) }));
}

function movesOf(old: Chain, next: Chain, family: AddressFamily, lists: Lists): readonly Move[] {
  const found = new Map<string, Counted>();
  const places = old.expected(family);
  walkTogether(old.answers(family), next.answers(family), (prefix, a, b) => {
    if (a.list === b.list) return;
    const key = `${a.list} ${b.list}`;
    const counted = found.get(key) ?? { from: a.list, to: b.list, prefixes: 0, where: new Map() };
    found.set(key, counted);
    counted.prefixes++;
    partsOf(places, prefix, (length, where) => {
      counted.where.set(where, (counted.where.get(where) ?? 0) + sizeOf(family, length));
    });
  });
  return [...found.values()]
    .map(({ from, to, prefixes, where }) => {
      const places = largestFirst(where);
      const size = places.reduce((sum, each) => sum + each.size, 0);
      return { from: lists.at(from), to: lists.at(to), prefixes, size, where: places };
    })
    .sort((a, b) => b.size - a.size || b.prefixes - a.prefixes);
}

interface Counted {
  readonly from: number;
  readonly to: number;
  prefixes: number;
  readonly where: Map<string, number>;
}
