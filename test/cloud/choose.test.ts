// Which datacenter answers in which states: chooseNearest by an ordered list, chooseActive by the tenant.

import { describe, expect, test } from "vitest";
import { type Choice, chooseActive, chooseNearest } from "../../src/cloud/choose.ts";
import type { WhenAllDown } from "../../src/cloud/service.ts";
import { groupOf } from "../../src/cloud/spread.ts";
import {
  allAtHome,
  allUp,
  type DatacenterState,
  type DatacenterStates,
  placeOf,
  stateOf,
  withState,
} from "../../src/cloud/states.ts";
import { address } from "../geo/prefixes.ts";
import { datacenter, tenantGeo } from "./lab.ts";

const lhr = datacenter("lhr");
const ams = datacenter("ams");
const cdg = datacenter("cdg");

const words = { u: "up", g: "draining", d: "down" } as const satisfies Record<string, DatacenterState>;

/** "u" up, "g" draining, "d" down: one letter for each of lhr, ams and cdg. */
function states(letters: string): DatacenterStates {
  return [lhr, ams, cdg].reduce((before, { id }, i) => {
    const letter = letters[i];
    if (letter !== "u" && letter !== "g" && letter !== "d")
      throw new Error(`"${letters}" is no three states`);
    return withState(before, id, words[letter]);
  }, allUp);
}

const told = (choice: Choice): string =>
  `${choice.kind === "datacenter" ? choice.datacenter.shortId : choice.kind} ${choice.reason}`;

describe("chooseNearest of lhr, ams, cdg", () => {
  const nearest: readonly (readonly [letters: string, choice: string])[] = [
    ["uuu", "lhr nearest"],
    ["uud", "lhr nearest"],
    ["ugd", "lhr nearest"],
    ["udd", "lhr nearest"],
    ["duu", "ams next-nearest"],
    ["guu", "ams next-nearest"],
    ["gud", "ams next-nearest"],
    ["gdu", "cdg next-nearest"],
    ["dgu", "cdg next-nearest"],
    ["ddu", "cdg next-nearest"],
    ["ggg", "lhr only-draining-left"],
    ["gdd", "lhr only-draining-left"],
    ["dgg", "ams only-draining-left"],
    ["dgd", "ams only-draining-left"],
    ["ddg", "cdg only-draining-left"],
    ["ddd", "lhr all-down"],
  ];
  test.each(nearest)("%s: %s", (letters, choice) => {
    expect(told(chooseNearest([lhr, ams, cdg], states(letters), "nearest"))).toBe(choice);
  });

  const whenAllDown: readonly (readonly [WhenAllDown, letters: string, choice: string])[] = [
    ["servfail", "ddd", "servfail all-down"],
    ["nodata", "ddd", "nodata all-down"],
    // While one is left, be it draining, the rule has no say.
    ["servfail", "ddg", "cdg only-draining-left"],
    ["nodata", "ddg", "cdg only-draining-left"],
    ["servfail", "ddu", "cdg next-nearest"],
    ["nodata", "ddu", "cdg next-nearest"],
  ];
  test.each(whenAllDown)("whenAllDown %s, %s: %s", (rule, letters, choice) => {
    expect(told(chooseNearest([lhr, ams, cdg], states(letters), rule))).toBe(choice);
  });

  test.each(["nearest", "servfail", "nodata"] as const)(
    "an empty list with whenAllDown %s never names a datacenter",
    (rule) => {
      expect(told(chooseNearest([], allUp, rule))).toBe("servfail all-down");
    },
  );

  test("keeps the order of the list, not that of the states", () => {
    expect(told(chooseNearest([cdg, lhr, ams], states("uud"), "nearest"))).toBe("lhr next-nearest");
  });
});

describe("chooseNearest of lhr, ams, cdg, spread over two", () => {
  const spread = { over: 2, weights: new Map() };
  const [first, second] = ["10.0.0.0", "10.0.2.0"].map((text) => ({ spread, group: groupOf(address(text)) }));
  const spreadOf = (letters: string, rule: WhenAllDown = "nearest"): string =>
    [first, second]
      .map((each) => told(chooseNearest([lhr, ams, cdg], states(letters), rule, each)))
      .join(", ");
  const rows: readonly (readonly [letters: string, choices: string])[] = [
    ["uuu", "lhr spread, ams spread"],
    ["uud", "lhr spread, ams spread"],
    ["duu", "cdg spread, ams spread"],
    ["udu", "cdg spread, cdg spread"],
    ["guu", "cdg spread, ams spread"],
    ["dud", "ams next-nearest, ams next-nearest"],
    ["ugd", "lhr nearest, lhr nearest"],
    ["ggg", "lhr only-draining-left, lhr only-draining-left"],
    ["dgg", "ams only-draining-left, ams only-draining-left"],
    ["ddd", "lhr all-down, lhr all-down"],
  ];
  test.each(rows)("%s: %s", (letters, choices) => {
    expect(spreadOf(letters)).toBe(choices);
  });

  test("tells who shares the clients", () => {
    const choice = chooseNearest([lhr, ams, cdg], states("duu"), "nearest", first);
    expect(choice.kind === "datacenter" && choice.spreading?.among).toEqual([ams, cdg]);
  });
});

describe("chooseActive with lhr active and ams standby", () => {
  const pair = tenantGeo("contoso", lhr, { standby: ams });
  const active: readonly (readonly [letters: string, rule: WhenAllDown, choice: string])[] = [
    ["uuu", "nearest", "lhr active"],
    ["udu", "nearest", "lhr active"],
    // Draining gives no new answers from nearest-datacenter, and stays active for its tenants.
    ["guu", "nearest", "lhr active"],
    ["gdu", "servfail", "lhr active"],
    ["duu", "nearest", "ams standby"],
    ["dgu", "nearest", "ams standby"],
    ["dgu", "servfail", "ams standby"],
    // No third one, however many are up.
    ["ddu", "nearest", "lhr all-down"],
    ["ddu", "servfail", "servfail all-down"],
    ["ddu", "nodata", "nodata all-down"],
  ];
  test.each(active)("%s, whenAllDown %s: %s", (letters, rule, choice) => {
    expect(told(chooseActive(pair, placeOf(allAtHome, pair), states(letters), rule))).toBe(choice);
  });

  const failedOver: readonly (readonly [letters: string, choice: string])[] = [
    ["uuu", "ams standby"],
    ["uug", "ams standby"],
    ["udu", "lhr active"],
    ["ddu", "lhr all-down"],
  ];
  test.each(failedOver)("served by its standby, %s: %s", (letters, choice) => {
    const place = { active: lhr, standby: ams, serving: "standby" } as const;
    expect(told(chooseActive(pair, place, states(letters), "nearest"))).toBe(choice);
  });

  test.each([
    ["duu", "active", "lhr all-down"],
    ["udu", "standby", "lhr all-down"],
    ["duu", "standby", "ams standby"],
  ] as const)("by hand alone, %s, served by the %s: %s", (letters, serving, choice) => {
    const place = { active: lhr, standby: ams, serving };
    expect(told(chooseActive({ failover: "manual" }, place, states(letters), "nearest"))).toBe(choice);
  });

  const alone: readonly (readonly [letters: string, rule: WhenAllDown, choice: string])[] = [
    ["uuu", "nearest", "lhr active"],
    ["guu", "nodata", "lhr active"],
    ["duu", "nearest", "lhr all-down"],
    ["duu", "servfail", "servfail all-down"],
    ["duu", "nodata", "nodata all-down"],
  ];
  test.each(alone)("without the standby, %s, whenAllDown %s: %s", (letters, rule, choice) => {
    const tenant = tenantGeo("contoso", lhr);
    expect(told(chooseActive(tenant, placeOf(allAtHome, tenant), states(letters), rule))).toBe(choice);
  });
});

describe("states", () => {
  test("hold only what is not up", () => {
    expect([...states("ugd")]).toEqual([
      [ams.id, "draining"],
      [cdg.id, "down"],
    ]);
  });

  test("never change: a new value takes the place of the old", () => {
    const before = states("duu");
    const after = withState(before, lhr.id, "up");
    expect([stateOf(before, lhr), stateOf(after, lhr)]).toEqual(["down", "up"]);
  });

  test("belong to one cloud's datacenter, not to its short id", () => {
    const { id } = { ...lhr, id: datacenter("x").id };
    expect(stateOf(withState(allUp, id, "down"), lhr)).toBe("up");
  });
});
