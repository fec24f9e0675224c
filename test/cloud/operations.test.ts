/** What operators and probes say, and what follows: overrides in their order, and tenants that fail over and back. */

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  findTargets,
  type Health,
  matchesTarget,
  nextExpiry,
  noOperations,
  type Operations,
  type OverrideRequest,
  settleTenants,
  statesFrom,
  statusOf,
  tenantStatus,
  tenantsConcerned,
  withActive,
  withHealth,
  withOverride,
  withoutExpired,
  withoutOverride,
  withServing,
} from "../../src/cloud/operations.ts";
import { type DatacenterState, stateOf } from "../../src/cloud/states.ts";
import { type Datacenter, datacenterId } from "../../src/cloud/topology.ts";
import { datacenter, tenantGeo, tenantsOf } from "./lab.ts";

const lhr = datacenter("lhr", { geo: "GBR" });
const dub = datacenter("dub");
const ams = datacenter("ams");
const bjs = datacenter("bjs", { id: datacenterId("China", "bjs"), cloud: "China", geo: "CHN" });
const lhrOfChina = datacenter("lhr", { id: datacenterId("China", "lhr"), cloud: "China", geo: "CHN" });
const all = [lhr, dub, ams, bjs];

const request = (target: string, state: DatacenterState, until?: number): OverrideRequest => ({
  target,
  state,
  reason: undefined,
  until,
});

const having = (...requests: readonly OverrideRequest[]): Operations =>
  requests.reduce((operations, each, i) => withOverride(operations, each, i), noOperations);

const ids = (datacenters: readonly Datacenter[] | string): unknown =>
  typeof datacenters === "string" ? datacenters : datacenters.map(({ id }) => id);

describe("a target", () => {
  test.each([
    ["lhr", ["Lab/lhr"]],
    ["LHR", ["Lab/lhr"]],
    ["Lab/lhr", ["Lab/lhr"]],
    ["l*", ["Lab/lhr"]],
    ["Lab/*", ["Lab/lhr", "Lab/dub", "Lab/ams"]],
    ["*", ["Lab/lhr", "Lab/dub", "Lab/ams", "China/bjs"]],
    ["*/b*", ["China/bjs"]],
    ["geo:EUR", ["Lab/dub", "Lab/ams"]],
    ["geo:eur", ["Lab/dub", "Lab/ams"]],
    ["l.r", '"l.r" means no datacenter'],
    ["geo:NAM", '"geo:NAM" means no datacenter'],
    ["", '"" means no datacenter'],
  ])("%s means %s", (target, expected) => {
    expect(ids(findTargets(all, target))).toEqual(expected);
  });

  it("without its cloud must be one of one cloud", () => {
    expect(findTargets([...all, lhrOfChina], "lhr")).toBe(
      '"lhr" is a datacenter of several clouds: Lab/lhr, China/lhr',
    );
    expect(ids(findTargets([...all, lhrOfChina], "China/lhr"))).toEqual(["China/lhr"]);
  });
});

describe("overrides", () => {
  const stateAt = (operations: Operations, of: Datacenter, now = 100): DatacenterState =>
    stateOf(statesFrom(statusOf(all, operations, now)), of);

  it("count in their order, the last one that matches", () => {
    const operations = having(request("Lab/*", "down"), request("lhr", "up"), request("geo:EUR", "draining"));
    expect(all.map((each) => stateAt(operations, each))).toEqual(["up", "draining", "draining", "up"]);
  });

  it("of the same target are one, the newest, behind all others", () => {
    const operations = having(request("lhr", "down"), request("l*", "draining"), request("LHR", "down"));
    expect(operations.overrides.map(({ number, target }) => [number, target])).toEqual([
      [2, "l*"],
      [3, "LHR"],
    ]);
  });

  it("never use a number again", () => {
    const once = withoutOverride(having(request("lhr", "down")), 1) ?? noOperations;
    expect(withOverride(once, request("lhr", "down"), 5).overrides[0]?.number).toBe(2);
    expect(withoutOverride(once, 1)).toBeUndefined();
  });

  it("end by themselves", () => {
    const operations = having(request("lhr", "down", 50), request("dub", "down", 70), request("ams", "down"));
    expect(nextExpiry(operations)).toBe(50);
    expect([49, 50].map((now) => stateAt(operations, lhr, now))).toEqual(["down", "up"]);
    expect(withoutExpired(operations, 60).overrides.map(({ target }) => target)).toEqual(["dub", "ams"]);
    expect(withoutExpired(operations, 10)).toBe(operations);
    expect(nextExpiry(having(request("lhr", "down")))).toBeUndefined();
  });

  it("beat what probes find, and both are shown", () => {
    const health: Health = { state: "down", since: 1, reason: "connection refused" };
    const probed = withHealth(noOperations, lhr.id, health);
    expect(stateAt(probed, lhr)).toBe("down");
    const overridden = withOverride(probed, request("lhr", "up"), 2);
    expect(stateAt(overridden, lhr)).toBe("up");
    expect(statusOf([lhr], overridden, 3)).toMatchObject([
      { state: "up", health, override: { target: "lhr", state: "up", since: 2 } },
    ]);
  });

  it("are the last in force that matches, whatever they are (property)", () => {
    const target = fc.constantFrom("lhr", "dub", "Lab/*", "l*", "geo:EUR", "*", "China/bjs");
    const state = fc.constantFrom<DatacenterState>("up", "draining", "down");
    const requests = fc.array(
      fc.record({
        target,
        state,
        reason: fc.constant(undefined),
        until: fc.option(fc.nat(200), { nil: undefined }),
      }),
    );
    fc.assert(
      fc.property(requests, (made) => {
        const operations = having(...made);
        for (const each of all) {
          const last = made
            .filter(({ target: other }, i) => !made.slice(i + 1).some((later) => later.target === other))
            .filter(({ until }) => until === undefined || until > 100)
            .findLast((override) => matchesTarget(override.target, each));
          expect(stateAt(operations, each)).toBe(last?.state ?? "up");
        }
      }),
    );
  });
});

describe("tenants", () => {
  const contoso = tenantGeo("contoso", dub, { standby: ams });
  const eager = tenantGeo("eager", dub, { standby: ams, failback: "automatic" });
  const manual = tenantGeo("manual", dub, { standby: ams, failover: "manual" });
  const alone = tenantGeo("alone", dub);

  const states = (...down: readonly Datacenter[]) => new Map(down.map(({ id }) => [id, "down" as const]));
  const served = (operations: Operations, tenant = contoso): string => {
    const { active, standby, serving } = tenantStatus(tenant, operations);
    return serving === "active" ? active : (standby ?? "nowhere");
  };
  /** What becomes of a tenant when these are down, one after the other. */
  const through = (
    tenant: typeof contoso,
    ...steps: readonly (readonly Datacenter[])[]
  ): readonly string[] => {
    let operations = noOperations;
    return steps.map((down, i) => {
      operations = settleTenants([tenant], operations, states(...down), i).operations;
      return served(operations, tenant);
    });
  };

  test.each([
    ["fails over, and stays where it is", contoso, [[dub], []], ["Lab/ams", "Lab/ams"]],
    ["fails over and back", eager, [[dub], []], ["Lab/ams", "Lab/dub"]],
    ["fails over by hand alone", manual, [[dub]], ["Lab/dub"]],
    ["has nowhere to go", alone, [[dub]], ["Lab/dub"]],
    ["stays when both are down", contoso, [[dub, ams]], ["Lab/dub"]],
    ["stays with its standby when both are down", contoso, [[dub], [dub, ams]], ["Lab/ams", "Lab/ams"]],
    ["fails over the other way too", contoso, [[dub], [dub, ams], [ams]], ["Lab/ams", "Lab/ams", "Lab/dub"]],
  ] as const)("%s", (_, tenant, steps, expected) => {
    expect(through(tenant, ...steps)).toEqual(expected);
  });

  it("may be called what every object has", () => {
    const tenant = tenantGeo("constructor", dub, { standby: ams });
    expect(through(tenant, [], [dub])).toEqual(["Lab/dub", "Lab/ams"]);
  });

  it("of very many are looked at only where they can do something", () => {
    const tenants = tenantsOf(contoso, eager, manual, alone, tenantGeo("far", lhr, { standby: dub }));
    const concerned = (operations: Operations, ...down: readonly Datacenter[]): readonly string[] =>
      [...tenantsConcerned([tenants], operations, states(...down))].map(({ label }) => label);
    expect(concerned(noOperations)).toEqual([]);
    expect(concerned(noOperations, dub)).toEqual(["contoso", "eager"]);
    expect(concerned(noOperations, dub, ams)).toEqual([]);
    expect(concerned(noOperations, lhr)).toEqual(["far"]);
    const { operations } = settleTenants([eager], noOperations, states(dub), 1);
    expect(concerned(operations)).toEqual(["eager"]);
    expect(concerned(operations, dub)).toEqual(["contoso", "eager"]);
    fc.assert(
      fc.property(fc.array(fc.subarray([dub, ams, lhr]), { maxLength: 5 }), (steps) => {
        let [all, few] = [noOperations, noOperations];
        for (const [i, down] of steps.entries()) {
          all = settleTenants(tenants, all, states(...down), i).operations;
          few = settleTenants(
            tenantsConcerned([tenants], few, states(...down)),
            few,
            states(...down),
            i,
          ).operations;
          expect(few).toEqual(all);
        }
      }),
    );
  });

  it("tell what they do, and why", () => {
    const { operations, changes } = settleTenants([contoso, alone], noOperations, states(dub), 7);
    expect(changes).toEqual([{ tenant: contoso, from: dub.id, to: ams.id, by: "failover" }]);
    expect(operations.tenants).toEqual({
      contoso: {
        active: dub.id,
        standby: ams.id,
        serving: "standby",
        by: "failover",
        reason: "Lab/dub is down",
        since: 7,
      },
    });
    expect(settleTenants([contoso], operations, states(dub), 8)).toEqual({ operations, changes: [] });
  });

  it("do not go back by themselves from where an operator has put them", () => {
    const change = { serving: "standby", by: "operator", reason: "drill" } as const;
    const moved = withServing(noOperations, eager, change, 1);
    expect(typeof moved).toBe("object");
    if (typeof moved === "string") return;
    expect(settleTenants([eager], moved, states(), 2).changes).toEqual([]);
    expect(withServing(moved, eager, change, 3)).toBe("eager is served by its standby already");
    expect(withServing(noOperations, alone, change, 3)).toBe("alone has no standby");
  });

  it("can be moved, to their standby or elsewhere, and home again", () => {
    const toStandby = withActive(noOperations, contoso, ams.id, "drill", 1);
    expect(tenantStatus(contoso, toStandby)).toMatchObject({
      active: ams.id,
      standby: dub.id,
      serving: "active",
    });
    const elsewhere = withActive(noOperations, contoso, lhr.id, undefined, 1);
    expect(tenantStatus(contoso, elsewhere)).toMatchObject({ active: lhr.id, standby: ams.id });
    expect(withActive(toStandby, contoso, dub.id, undefined, 2).tenants).toEqual({});
  });
});
