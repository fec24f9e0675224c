/** States and times that are supposed: what an answer would be in them, and that nothing is changed by asking. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseMoment } from "../src/admin/moment.ts";
import {
  noOperations,
  type Operations,
  statesFrom,
  statusOf,
  withOverride,
  withServing,
} from "../src/cloud/operations.ts";
import { placesFrom } from "../src/cloud/operations-in-effect.ts";
import { findTenant } from "../src/cloud/tenant-table.ts";
import { formatConfigError, loadConfig } from "../src/config/load.ts";
import { parseName } from "../src/dns/name.ts";
import { type Explanation, explain } from "../src/explain.ts";
import { buildSnapshot, type Snapshot } from "../src/snapshot.ts";
import { type Reality, suppose, type WhatIf } from "../src/what-if.ts";
import { prefix } from "./geo/prefixes.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-what-if-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, "lab.yaml");
writeFileSync(
  path,
  `geoip: { database: none }
defaultLocation: { city: London, country: GB, coordinates: [51.5, -0.1] }
---
cloud: Lab
zones: [shop.example]
health: { everySeconds: 10, ttl: { min: 5, max: 60 } }
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.5, -0.1], geo: GBR, addresses: [198.18.1.0/24], roles: [front-end, tenants] }
  dub: { city: Dublin, country: IE, coordinates: [53.3, -6.3], geo: EUR, addresses: [198.18.2.0/24], roles: [front-end, tenants] }
  ams: { city: Amsterdam, country: NL, coordinates: [52.4, 4.9], geo: EUR, addresses: [198.18.3.0/24], roles: [front-end, tenants] }
services:
  web: { policy: nearest-datacenter, names: [www.shop.example], ttl: 60, addresses: { slice: 0, count: 1 } }
  data: { policy: active-datacenter, names: ["{tenant}.shop.example"], ttl: 60, addresses: { slice: 1, count: 1 } }
---
tenants:
  contoso: { cloud: Lab, geo: EUR, active: dub, standby: ams }
  fabrikam: { cloud: Lab, geo: EUR, active: dub, standby: ams, failback: automatic }
  lonely: { cloud: Lab, geo: GBR, active: lhr }
`,
);
const loaded = loadConfig(path);
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const { configuration } = loaded;
const { clouds } = configuration;
const now = Date.parse("2026-11-25T12:00:00Z");

/** What a server with these operations has in force. */
function realityOf(operations: Operations, nextHealthChange?: Reality["nextHealthChange"]): Reality {
  const datacenters = clouds.flatMap((cloud) => cloud.datacenters);
  const snapshot = buildSnapshot(configuration, undefined, {
    states: statesFrom(statusOf(datacenters, operations, now)),
    tenantPlaces: placesFrom(operations, clouds),
  });
  return { snapshot, operations, now, nextHealthChange };
}

function told(snapshot: Snapshot, name: string): Explanation {
  const qname = parseName(name);
  if (typeof qname === "string") throw new Error(qname);
  return explain(snapshot, { qname, qtype: 1, from: prefix("192.0.2.0/24"), tenant: undefined });
}

function supposed(reality: Reality, whatIf: Partial<WhatIf>) {
  const made = suppose(reality, { with: [], at: undefined, ...whatIf });
  if (typeof made === "string") throw new Error(made);
  const servedBy = (name: string) => told(made.snapshot, name).decision?.datacenter;
  return { ...made, www: servedBy("www.shop.example"), contoso: servedBy("contoso.shop.example") };
}

const tenant = (label: string) => {
  const found = findTenant(clouds, label);
  if (found === undefined) throw new Error(label);
  return found;
};
const down = (operations: Operations, target: string, minutes?: number): Operations =>
  withOverride(
    operations,
    {
      target,
      state: "down",
      reason: undefined,
      until: minutes === undefined ? undefined : now + minutes * 60_000,
    },
    now,
  );

describe("states", () => {
  test.each<[with_: readonly string[], www: string, contoso: string]>([
    [[], "Lab/lhr", "Lab/dub"],
    [["lhr=down"], "Lab/ams", "Lab/dub"],
    [["lhr=draining"], "Lab/ams", "Lab/dub"],
    [["dub=draining"], "Lab/lhr", "Lab/dub"],
    [["geo:EUR=down"], "Lab/lhr", "Lab/dub"],
    [["dub=down"], "Lab/lhr", "Lab/ams"],
    [["Lab/*=down", "dub=up"], "Lab/dub", "Lab/dub"],
    [["lhr=down", "lhr=up"], "Lab/lhr", "Lab/dub"],
    [["contoso=standby"], "Lab/lhr", "Lab/ams"],
    [["contoso=active"], "Lab/lhr", "Lab/dub"],
    [["Contoso->lhr"], "Lab/lhr", "Lab/lhr"],
    [["contoso->Lab/ams", "ams=down"], "Lab/lhr", "Lab/dub"],
  ])("%j", (texts, www, contoso) => {
    const reality = realityOf(noOperations);
    const before = JSON.stringify(reality.operations);
    expect(supposed(reality, { with: texts })).toMatchObject({ www, contoso });
    expect([JSON.stringify(reality.operations), reality.snapshot.states.size]).toEqual([before, 0]);
  });

  test("what is other is told", () => {
    expect(supposed(realityOf(noOperations), { with: ["dub=down"] }).changes).toEqual({
      with: ["dub=down"],
      at: "2026-11-25T12:00:00.000Z",
      ended: [],
      datacenters: [{ id: "Lab/dub", before: "up", state: "down" }],
      tenants: [
        { label: "contoso", before: "Lab/dub", servedBy: "Lab/ams", by: "failover" },
        { label: "fabrikam", before: "Lab/dub", servedBy: "Lab/ams", by: "failover" },
      ],
      moreTenants: 0,
    });
  });

  test.each<[text: string, fault: string]>([
    ["nyc=down", '"nyc" means no datacenter'],
    ["dbu=down", '"dbu" means no datacenter; did you mean "dub"?'],
    ["geo:APC=up", '"geo:APC" means no datacenter'],
    [
      "lhr=gone",
      '"lhr=gone" is nothing to suppose, which is like lhr=down, geo:EUR=draining, contoso=standby or contoso->ams',
    ],
    [
      "lhr",
      '"lhr" is nothing to suppose, which is like lhr=down, geo:EUR=draining, contoso=standby or contoso->ams',
    ],
    ["contso=standby", '"contso" is no tenant; did you mean "contoso"?'],
    ["lonely=standby", "lonely has no standby"],
    ["contoso->nyc", '"nyc" is no datacenter of Lab with the role tenants'],
  ])("%s cannot be", (text, fault) => {
    const made = suppose(realityOf(noOperations), { with: [text], at: undefined });
    expect(typeof made === "string" && made.startsWith(fault) ? fault : made).toBe(fault);
  });
});

describe("times", () => {
  const minutes = (n: number) => now + n * 60_000;

  test("an override with an end is over by then, and a tenant goes back if it does so by itself", () => {
    let operations = down(noOperations, "dub", 10);
    for (const label of ["contoso", "fabrikam"]) {
      const made = withServing(
        operations,
        tenant(label),
        { serving: "standby", by: "failover", reason: "Lab/dub is down" },
        now,
      );
      if (typeof made === "string") throw new Error(made);
      operations = made;
    }
    const reality = realityOf(operations);
    expect(supposed(reality, { at: minutes(9) }).changes).toMatchObject({ ended: [], tenants: [] });
    expect(supposed(reality, { at: minutes(10) })).toMatchObject({
      // Its failback is manual.
      contoso: "Lab/ams",
      changes: {
        at: "2026-11-25T12:10:00.000Z",
        ended: [{ number: 1, target: "dub", state: "down", until: "2026-11-25T12:10:00.000Z" }],
        datacenters: [{ id: "Lab/dub", before: "down", state: "up" }],
        tenants: [{ label: "fabrikam", before: "Lab/ams", servedBy: "Lab/dub", by: "failback" }],
      },
    });
  });

  test("what happens on the way counts: a tenant that fails over meanwhile stays there", () => {
    // The word that keeps dub up ends first, then the one that it is down.
    const kept = withOverride(
      down(noOperations, "dub", 20),
      { target: "Lab/dub", state: "up", reason: undefined, until: minutes(10) },
      now,
    );
    const reality = realityOf(kept);
    expect(supposed(reality, { at: minutes(5) }).contoso).toBe("Lab/dub");
    expect(supposed(reality, { at: minutes(15) }).contoso).toBe("Lab/ams");
    const later = supposed(reality, { at: minutes(25) });
    expect([later.contoso, told(later.snapshot, "fabrikam.shop.example").decision?.datacenter]).toEqual([
      "Lab/ams",
      "Lab/dub",
    ]);
  });

  test.each<[at: number, nextProbe: number | undefined, ttl: number]>([
    [0, undefined, 60],
    [9.5, undefined, 30],
    [9.99, undefined, 5],
    [11, undefined, 60],
    [0, 20, 20],
    [9, 20, 20],
    [9, 100, 60],
  ])("TTLs that follow the next possible change follow it at %s minutes", (at, nextProbe, ttl) => {
    const next = nextProbe === undefined ? undefined : () => now + nextProbe * 1000;
    const { snapshot } = supposed(realityOf(down(noOperations, "lhr", 10), next), { at: minutes(at) });
    expect(told(snapshot, "www.shop.example").chain).toMatchObject([{ ttlSeconds: ttl, followsTime: true }]);
  });

  test.each<[text: string, moment: number | string]>([
    ["10m", minutes(10)],
    ["90", now + 90_000],
    ["2026-11-25T12:00:00Z", now],
    ["2026-11-25T14:00+01:00", minutes(60)],
    [
      "2026-11-25T11:59:59Z",
      '"2026-11-25T11:59:59Z" is before 2026-11-25T12:00:00.000Z; only what is to come can be told',
    ],
    ["noon", '"noon" is neither a time like 2026-11-25T09:00:00Z nor a duration like 10m'],
    ["2026-11-25", '"2026-11-25" is neither a time like 2026-11-25T09:00:00Z nor a duration like 10m'],
  ])("%s", (text, moment) => expect(parseMoment(text, now)).toEqual(moment));
});
