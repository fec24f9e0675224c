/** The proof of partitions worked out by hand, and of faults planted in them: a proof that cannot fail proves nothing. */

import { describe, expect, test } from "vitest";
import { holds, prove } from "../../src/audit/prove.ts";
import { formatPrefix } from "../../src/ip.ts";
import { type Entry, partition, tens, without } from "./partitions.ts";

const expected = partition(tens);

/** The counterexamples, with their prefixes as text. */
const shown = (answers: readonly Entry[]) =>
  prove({ answers: partition(answers), expected }).counterexamples.map((each) =>
    Object.fromEntries(
      Object.entries(each).map(([key, value]) => [
        key,
        typeof value === "object" ? formatPrefix(value) : value,
      ]),
    ),
  );

describe("a sound partition holds", () => {
  test("with every cell disjoint, covering, and as wide as can be", () => {
    const cells: Entry[] = [];
    const proof = prove(
      { answers: partition(tens), expected },
      { onCell: (prefix, list) => cells.push([formatPrefix(prefix), list]) },
    );
    expect(cells).toEqual(tens);
    expect(holds(proof)).toBe(true);
    expect(proof).toMatchObject({ cells: 9, parts: 9, siblings: 9, clients: 18, shortSources: 8 });
  });

  test("of one cell, which has no sibling", () => {
    const all = partition([["::/0", 0]]);
    expect(prove({ answers: all, expected: all })).toMatchObject({ cells: 1, siblings: 0, shortSources: 0 });
  });

  test("where places are narrower than scopes, each part is looked at", () => {
    const parts: string[] = [];
    const places = partition([
      ...without(tens, "10.0.0.0/8"),
      ["10.0.0.0/9", 1],
      ["10.128.0.0/10", 1],
      ["10.192.0.0/10", 1],
    ]);
    const proof = prove(
      { answers: partition(tens), expected: places },
      { onPart: (prefix, list) => list === 1 && parts.push(formatPrefix(prefix)) },
    );
    expect(holds(proof)).toBe(true);
    expect(parts).toEqual(["10.0.0.0/9", "10.128.0.0/10", "10.192.0.0/10"]);
  });
});

describe("a planted fault is found", () => {
  test("a boundary in the wrong place: 11.0.0.0/8 belongs to the wrong list", () => {
    expect(shown([...without(tens, "10.0.0.0/8", "11.0.0.0/8"), ["10.0.0.0/7", 1]])).toEqual([
      { kind: "shared-scope", prefix: "10.0.0.0/7", list: 1, at: "11.0.0.0/8", otherList: 0 },
      { kind: "cache", at: "11.0.0.0/32", list: 0, otherList: 1 },
      { kind: "cache", at: "11.255.255.255/32", list: 0, otherList: 1 },
    ]);
  });

  test("a scope one bit too wide, though everyone who asks has the right list", () => {
    const found = shown([...without(tens, "10.0.0.0/8"), ["10.0.0.0/8", 1, 7]]);
    const kinds = ["shared-scope", "two-answers", "two-answers", "cache", "cache"];
    expect(found.map(({ kind }) => kind)).toEqual(kinds);
    expect(found[1]).toEqual({
      ...{ kind: "two-answers", prefix: "10.0.0.0/7", list: 1 },
      ...{ at: "11.0.0.0/8", otherList: 0, otherLength: 8 },
    });
  });

  test("a scope that reaches back over its neighbour", () => {
    const found = shown([...without(tens, "11.0.0.0/8"), ["11.0.0.0/8", 0, 7]]);
    expect(found[0]).toEqual({ kind: "overlap", prefix: "10.0.0.0/7", at: "11.0.0.0/32" });
  });

  test("scopes one bit too narrow", () => {
    expect(shown([...without(tens, "10.0.0.0/8"), ["10.0.0.0/9", 1], ["10.128.0.0/9", 1]])).toEqual([
      { kind: "could-be-wider", prefix: "10.128.0.0/9", sibling: "10.0.0.0/9", list: 1 },
    ]);
  });

  test("scopes too narrow in halves of halves", () => {
    const quarters: readonly Entry[] = [
      ["10.0.0.0/9", 1],
      ["10.128.0.0/10", 1],
      ["10.192.0.0/10", 1],
    ];
    expect(shown([...without(tens, "10.0.0.0/8"), ...quarters])).toEqual([
      { kind: "could-be-wider", prefix: "10.192.0.0/10", sibling: "10.128.0.0/10", list: 1 },
    ]);
  });

  test("two lists under one scope: the last address is told another list than the first", () => {
    expect(shown([...tens, ["10.255.255.255/32", 0, 8]])).toEqual([
      {
        ...{ kind: "two-answers", prefix: "10.0.0.0/8", list: 1 },
        ...{ at: "10.255.255.255/32", otherList: 0, otherLength: 8 },
      },
    ]);
  });

  test("a list that nobody should have", () => {
    const found = shown([...without(tens, "10.0.0.0/8"), ["10.0.0.0/8", 2]]);
    expect(found[0]).toEqual({
      ...{ kind: "shared-scope", prefix: "10.0.0.0/8", list: 2 },
      ...{ at: "10.0.0.0/8", otherList: 1 },
    });
  });

  test("a whole answer that says something else than the tables", () => {
    const answers = partition(tens);
    const askInFull = (octets: Uint8Array) => {
      const { list, prefixLength } = answers.cellAt(octets);
      return { list, prefixLength: octets[0] === 10 ? 24 : prefixLength };
    };
    const { counterexamples, askedInFull } = prove({ answers, expected, askInFull });
    expect(askedInFull).toBe(2);
    expect(counterexamples).toMatchObject([{ kind: "answer", list: 1, otherList: 1, otherLength: 24 }]);
  });

  test("of many the first few are kept, and all are counted", () => {
    const whole = partition([["0.0.0.0/0", 2]]);
    const { found, counterexamples } = prove({ answers: whole, expected });
    const counts = { "shared-scope": 9, cache: 18 };
    expect(Object.fromEntries(found)).toEqual(counts);
    expect(counterexamples).toHaveLength(6);
  });
});
