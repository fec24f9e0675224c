/** Changes of operators and probes: durable before they are in force, in force before they are acknowledged. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { ControlEvent } from "../src/admin/control.ts";
import { noOperations, type Operations, withOverride } from "../src/cloud/operations.ts";
import { datacenterId } from "../src/cloud/topology.ts";
import { loadConfig } from "../src/config/load.ts";
import { Controller, type LoadedAnew } from "../src/control.ts";
import { CLASS, TYPE } from "../src/dns/iana.ts";
import { formatRRset } from "../src/dns/message.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { parseAddress } from "../src/ip.ts";
import { resolve } from "../src/resolve.ts";
import { noHandlers } from "../src/script/handlers.ts";
import { buildSnapshot, type Snapshot } from "../src/snapshot.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-control-"));
afterAll(() => rmSync(folder, { recursive: true }));

const lab = (change: (text: string) => string = (text) => text): Snapshot => {
  const path = join(folder, "lab.yaml");
  writeFileSync(
    path,
    change(`geoip: { database: none }
---
networks:
  west: { prefixes: [192.0.2.0/24], place: { city: Dublin, country: IE, coordinates: [53.35, -6.26] } }
---
cloud: Lab
zones: [lab.example]
datacenters:
  dub: { city: Dublin, country: IE, coordinates: [53.35, -6.26], geo: EUR, roles: [front-end, tenants], addresses: [198.18.1.0/24], probe: "tcp://127.0.0.1:1" }
  ams: { city: Amsterdam, country: NL, coordinates: [52.37, 4.9], geo: EUR, roles: [front-end, tenants], addresses: [198.18.2.0/24] }
  nyc: { city: New York, country: US, coordinates: [40.71, -74.01], geo: NAM, roles: [front-end, tenants], addresses: [198.18.3.0/24] }
services:
  web: { policy: nearest-datacenter, names: [www.lab.example], ttl: 60, addresses: { slice: 0, count: 1 } }
  mail: { policy: active-datacenter, names: ["{tenant}.lab.example"], ttl: 60, addresses: { slice: 1, count: 1 } }
---
tenants:
  contoso: { cloud: Lab, geo: EUR, active: dub, standby: ams }
  eager: { cloud: Lab, geo: EUR, active: dub, standby: ams, failback: automatic }
`),
  );
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  return buildSnapshot(loaded.configuration, undefined);
};

let now = 0;
let timers: { at: number; callback: () => void }[] = [];
let kept: Operations = noOperations;
let keepFails: string | undefined;
let published: Snapshot[] = [];
let lines: string[] = [];
let faults: unknown[] = [];
let next: LoadedAnew;

function controllerOf(
  operations: Operations = noOperations,
  snapshot: Snapshot = lab(),
  nextHealthChange: () => number | undefined = () => undefined,
): Controller {
  return new Controller({
    snapshot,
    nextHealthChange,
    operations,
    publish: async (snapshot) => {
      published.push(snapshot);
    },
    keep: async (made) => {
      if (keepFails !== undefined) throw new Error(keepFails);
      kept = made;
    },
    remember: async (made) => {
      if (keepFails !== undefined) return [`not kept: ${keepFails}`];
      kept = made;
      return [];
    },
    now: () => now,
    setTimer: (at, callback) => {
      const timer = { at, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    load: async () => next,
    onFault: (error) => faults.push(error),
    log: {
      info: (line) => lines.push(line),
      warn: (line) => lines.push(line),
      error: (line) => lines.push(line),
    },
  });
}

/** What someone in the west is answered now. */
const answered = (name: string): string => records(name).join().replace(/.* A /, "");

const ttlOf = (name: string): number => Number(records(name)[0]?.split(" ")[1]);

function records(name: string): readonly string[] {
  const snapshot = published.at(-1);
  const address = parseAddress("192.0.2.1");
  if (snapshot === undefined || address === undefined) throw new Error("nothing is in force");
  const question = { qname: nameOctets(nameOf(name)), qtype: TYPE.A, qclass: CLASS.IN };
  const resolution = resolve(snapshot, question, { address, via: "source" });
  if (resolution.kind !== "resolved") throw new Error("scripted");
  return resolution.sections.answer.flatMap(formatRRset);
}

const set = { reason: undefined, forSeconds: undefined } as const;

let controller: Controller;
let events: ControlEvent[];
beforeEach(async () => {
  now = 1_000_000;
  timers = [];
  kept = noOperations;
  keepFails = undefined;
  published = [];
  lines = [];
  faults = [];
  events = [];
  controller = controllerOf();
  await controller.start();
  controller.subscribe((event) => events.push(event));
});

describe("an outage", () => {
  it("is in force and kept once it is acknowledged, and told", async () => {
    expect(answered("www.lab.example.")).toBe("198.18.1.1");
    const outcome = await controller.setDatacenter({ ...set, target: "dub", state: "down", reason: "drill" });
    expect(outcome).toMatchObject({ kind: "done", value: { number: 1, datacenters: ["Lab/dub"] } });
    expect(answered("www.lab.example.")).toBe("198.18.2.1");
    expect(kept.overrides).toMatchObject([{ target: "dub", state: "down", reason: "drill" }]);
    expect(lines).toContain("datacenter Lab/dub is down by override 1: drill");
    expect(events).toMatchObject([
      { kind: "datacenter", before: "up", datacenter: { id: "Lab/dub", state: "down" } },
      { kind: "tenant", tenant: { label: "contoso", servedBy: "Lab/ams", by: "failover" } },
      { kind: "tenant", tenant: { label: "eager", servedBy: "Lab/ams" } },
    ]);
  });

  it("outlives a restart", async () => {
    await controller.setDatacenter({ ...set, target: "dub", state: "down" });
    const again = controllerOf(kept);
    await again.start();
    expect(answered("www.lab.example.")).toBe("198.18.2.1");
    expect(again.tenants().map(({ servedBy }) => servedBy)).toEqual(["Lab/ams", "Lab/ams"]);
  });

  it("that cannot be kept is not made", async () => {
    keepFails = "no space left on device";
    expect(await controller.setDatacenter({ ...set, target: "dub", state: "down" })).toEqual({
      kind: "fault",
      fault: { code: "state-not-written", message: "the change was not made: no space left on device" },
    });
    expect(answered("www.lab.example.")).toBe("198.18.1.1");
    expect(controller.overrides()).toEqual([]);
  });

  it("ends when its time is over, or when its override is removed", async () => {
    await controller.setDatacenter({ ...set, target: "geo:EUR", state: "down", forSeconds: 600 });
    expect(answered("www.lab.example.")).toBe("198.18.3.1");
    expect(timers.map(({ at }) => at)).toEqual([1_600_000]);
    now = 1_600_000;
    timers[0]?.callback();
    await controller.setDatacenter({ ...set, target: "dub", state: "draining" });
    expect(kept.overrides.map(({ target }) => target)).toEqual(["dub"]);
    expect(events.map((event) => (event.kind === "datacenter" ? event.datacenter : event))).toMatchObject([
      { id: "Lab/dub", state: "down" },
      { id: "Lab/ams", state: "down" },
      { kind: "override-ended" },
      { id: "Lab/dub", state: "up" },
      { id: "Lab/ams", state: "up" },
      { id: "Lab/dub", state: "draining" },
    ]);
    expect(lines).toContain("datacenter Lab/dub is up");
    expect(answered("www.lab.example.")).toBe("198.18.2.1");
    expect(await controller.removeOverride(2)).toMatchObject({ kind: "done", value: { target: "dub" } });
    expect(answered("www.lab.example.")).toBe("198.18.1.1");
  });

  it.each([
    ["nyd", 'not-found: "nyd" means no datacenter; did you mean "nyc"?'],
    ["geo:CHN", 'not-found: "geo:CHN" means no datacenter'],
  ])("of %s is refused", async (target, expected) => {
    const outcome = await controller.setDatacenter({ ...set, target, state: "down" });
    expect(outcome.kind === "fault" && `${outcome.fault.code}: ${outcome.fault.message}`).toMatch(expected);
  });
});

describe("a tenant", () => {
  it("fails over by itself, and back by hand", async () => {
    await controller.setDatacenter({ ...set, target: "dub", state: "down" });
    await controller.removeOverride(1);
    expect([answered("contoso.lab.example."), answered("eager.lab.example.")]).toEqual([
      "198.18.2.17",
      "198.18.1.17",
    ]);
    expect(kept.tenants).toMatchObject({ contoso: { serving: "standby", by: "failover" } });
    expect(await controller.failback("contoso", undefined)).toMatchObject({
      kind: "done",
      value: { servedBy: "Lab/dub" },
    });
    expect(answered("contoso.lab.example.")).toBe("198.18.1.17");
    expect(await controller.failback("contoso", undefined)).toMatchObject({
      fault: { code: "not-possible" },
    });
  });

  it("is told where an operator fails it over, gives it back or moves it", async () => {
    await controller.failover("contoso", "drill");
    await controller.failback("contoso", undefined);
    await controller.moveTenant("contoso", "nyc", undefined);
    expect(events).toMatchObject([
      { kind: "tenant", tenant: { label: "contoso", servedBy: "Lab/ams", reason: "drill" } },
      { kind: "tenant", tenant: { label: "contoso", servedBy: "Lab/dub" } },
      { kind: "tenant", tenant: { label: "contoso", servedBy: "Lab/nyc" } },
    ]);
    expect(lines.filter((line) => line.startsWith("tenant"))).toEqual([
      "tenant contoso is served by Lab/ams: drill",
      "tenant contoso is served by Lab/dub",
      "tenant contoso is served by Lab/nyc",
    ]);
  });

  it("is told once where an operator's word has it fail over by itself", async () => {
    await controller.setDatacenter({ ...set, target: "nyc", state: "down" });
    events.length = 0;
    await controller.moveTenant("contoso", "nyc", undefined);
    expect(events).toMatchObject([{ kind: "tenant", tenant: { label: "contoso", servedBy: "Lab/ams" } }]);
  });

  it("moves", async () => {
    expect(await controller.moveTenant("Contoso", "nyc", "closer")).toMatchObject({
      kind: "done",
      value: { active: "Lab/nyc", standby: "Lab/ams", by: "operator", reason: "closer" },
    });
    expect(answered("contoso.lab.example.")).toBe("198.18.3.17");
    expect(await controller.moveTenant("contoso", "xyz", undefined)).toMatchObject({
      fault: {
        code: "not-possible",
        message: '"xyz" is no datacenter of Lab with the role tenants; there are dub, ams, nyc',
      },
    });
    expect(await controller.moveTenant("contosa", "nyc", undefined)).toMatchObject({
      fault: { code: "not-found", message: '"contosa" is no tenant; did you mean "contoso"?' },
    });
  });
});

const partedLab = (change: (text: string) => string = (text) => text): Snapshot =>
  lab((text) =>
    change(
      text
        .replace(
          "services:\n",
          `$&  post: { policy: active-datacenter, workload: exchange, names: ["{tenant}.post.lab.example"], ttl: 60, addresses: { slice: 2, count: 1 } }\n`,
        )
        .replace(
          "tenants:\n",
          `$&  parted: { cloud: Lab, geo: EUR, active: dub, standby: ams, workloads: { exchange: { active: nyc, failback: automatic } } }\n`,
        ),
    ),
  );

describe("a workload with a home of its own", () => {
  beforeEach(async () => {
    lines = [];
    controller = controllerOf(noOperations, partedLab());
    await controller.start();
  });

  const served = (): readonly string[] => ["parted.lab.example.", "parted.post.lab.example."].map(answered);

  it("does not follow its tenant, which says so", async () => {
    expect(served()).toEqual(["198.18.1.17", "198.18.3.33"]);
    expect(await controller.moveTenant("parted", "ams", undefined)).toMatchObject({
      value: { label: "parted", servedBy: "Lab/ams", ownHomes: ["parted/exchange"] },
    });
    expect(served()).toEqual(["198.18.2.17", "198.18.3.33"]);
    expect(await controller.failover("parted", undefined)).toMatchObject({ value: { servedBy: "Lab/dub" } });
    expect(served()).toEqual(["198.18.1.17", "198.18.3.33"]);
    expect(controller.tenant("contoso")?.ownHomes).toBeUndefined();
  });

  it("is moved, fails over and goes back by its own label", async () => {
    expect(await controller.moveTenant("Parted/Exchange", "dub", "closer")).toMatchObject({
      value: {
        label: "parted/exchange",
        tenant: "parted",
        workload: "exchange",
        geo: "EUR",
        servedBy: "Lab/dub",
      },
    });
    expect(served()).toEqual(["198.18.1.17", "198.18.1.33"]);
    expect(kept.tenants).toMatchObject({ "parted/exchange": { active: "Lab/dub", standby: "Lab/ams" } });
    await controller.failover("parted/exchange", undefined);
    expect(served()).toEqual(["198.18.1.17", "198.18.2.33"]);
    await controller.failback("parted/exchange", undefined);
    expect(served()).toEqual(["198.18.1.17", "198.18.1.33"]);
  });

  it("is told apart from one that follows its tenant, and from none", async () => {
    const messages = ["parted/sharepoint", "parted/exchnge", "portad/exchange"].map(async (label) => {
      const outcome = await controller.failover(label, undefined);
      return outcome.kind === "fault" ? outcome.fault.message : outcome.kind;
    });
    expect(await Promise.all(messages)).toEqual([
      "sharepoint of parted has no home of its own: it follows parted",
      '"exchnge" is no workload; did you mean "exchange"?',
      expect.stringContaining('"portad/exchange" is no tenant'),
    ]);
  });

  it("fails over alone, and back by itself", async () => {
    await controller.setDatacenter({ ...set, target: "nyc", state: "down" });
    expect(served()).toEqual(["198.18.1.17", "198.18.2.33"]);
    expect(lines).toContain("tenant parted/exchange: failover from Lab/nyc to Lab/ams");
    await controller.removeOverride(1);
    expect(served()).toEqual(["198.18.1.17", "198.18.3.33"]);
  });

  it("is among the tenants that are listed, and found by its label alone", () => {
    expect(controller.tenants().map(({ label }) => label)).toEqual([
      "parted",
      "parted/exchange",
      "contoso",
      "eager",
    ]);
    expect(controller.countTenants()).toBe(4);
    expect(controller.tenants({ offset: 1, limit: 1 })).toMatchObject([{ label: "parted/exchange" }]);
    expect(controller.tenant("contoso/exchange")).toBeUndefined();
  });

  it("that has another home after a reload has changed its tenant", async () => {
    const snapshot = partedLab((text) =>
      text.replace("exchange: { active: nyc", "exchange: { active: ams, standby: nyc"),
    );
    next = { kind: "loaded", snapshot, handlers: noHandlers, operations: kept, warnings: [] };
    expect(await controller.reload()).toMatchObject({
      value: { changes: expect.arrayContaining(["tenant parted has changed"]) },
    });
    expect(served()).toEqual(["198.18.1.17", "198.18.2.33"]);
  });
});

describe("a probe", () => {
  it("counts unless an operator says otherwise, and even where it cannot be kept", async () => {
    keepFails = "read-only file system";
    const id = datacenterId("Lab", "dub");
    await controller.setHealth(id, { state: "down", since: now, reason: "connection refused" });
    expect(answered("www.lab.example.")).toBe("198.18.2.1");
    expect(lines).toContain("not kept: read-only file system");
    keepFails = undefined;
    await controller.setDatacenter({ ...set, target: "dub", state: "up" });
    expect(answered("www.lab.example.")).toBe("198.18.1.1");
    expect(controller.datacenters()[0]).toMatchObject({ state: "up", health: { state: "down" } });
  });
});

describe("TTLs that follow the time", () => {
  it("go down to the next possible change, between their bounds", async () => {
    const base = lab((text) => text.replace("services:", "health: { ttl: { min: 5, max: 30 } }\nservices:"));
    let nextChange: number | undefined = 1_012_000;
    const follower = controllerOf(noOperations, base, () => nextChange);
    await follower.start();
    expect(ttlOf("www.lab.example.")).toBe(12);
    now = 1_009_000;
    await follower.refreshTtls();
    expect(ttlOf("www.lab.example.")).toBe(5);
    nextChange = undefined;
    await follower.refreshTtls();
    expect(ttlOf("www.lab.example.")).toBe(30);
    await follower.setDatacenter({ ...set, target: "nyc", state: "down", forSeconds: 20 });
    expect(ttlOf("www.lab.example.")).toBe(20);
  });

  it("stay where no bounds are given", async () => {
    const before = published.length;
    await controller.refreshTtls();
    expect(published).toHaveLength(before);
    expect(ttlOf("www.lab.example.")).toBe(60);
  });
});

describe("a reload", () => {
  it("keeps states, tells what is other, and counts up", async () => {
    await controller.setDatacenter({ ...set, target: "dub", state: "down" });
    const snapshot = lab((text) => text.replace("ttl: 60", "ttl: 30").replace("  eager:", "  keen:"));
    next = { kind: "loaded", snapshot, handlers: noHandlers, operations: kept, warnings: ["a warning"] };
    const { version } = controller;
    expect(await controller.reload()).toEqual({
      kind: "done",
      value: {
        snapshot: version + 1,
        changes: ["service Lab/web has changed", "tenant keen is new", "tenant eager is gone"],
        warnings: ["a warning"],
      },
    });
    expect(answered("www.lab.example.")).toBe("198.18.2.1");
  });

  it("of a faulty configuration changes nothing", async () => {
    next = { kind: "errors", errors: ["lab.yaml:1:1: a mistake"], isGeoipAlone: false };
    const before = published.length;
    expect(await controller.reload()).toMatchObject({
      kind: "fault",
      fault: { code: "configuration-errors" },
      errors: ["lab.yaml:1:1: a mistake"],
    });
    expect(published).toHaveLength(before);
    expect(controller.lastReloadErrors).toEqual(["lab.yaml:1:1: a mistake"]);
    expect(lines).toContain("lab.yaml:1:1: a mistake");
  });
});

describe("what is stored for what the configuration has no more", () => {
  const without = (what: string): Snapshot =>
    lab((text) => text.replace(what, what.replace("[front-end, tenants]", "[front-end]")));
  const reload = async (snapshot: Snapshot): Promise<void> => {
    next = { kind: "loaded", snapshot, handlers: noHandlers, operations: kept, warnings: [] };
    await controller.reload();
  };

  it("is kept without effect: a tenant is where the configuration has it, until it may be back there", async () => {
    const nyc = "geo: NAM, roles: [front-end, tenants]";
    await controller.moveTenant("contoso", "nyc", undefined);
    await reload(without(nyc));
    expect(answered("contoso.lab.example.")).toBe("198.18.1.17");
    expect(controller.tenants()[0]).toMatchObject({ active: "Lab/dub", servedBy: "Lab/dub", by: undefined });
    await reload(lab());
    expect(answered("contoso.lab.example.")).toBe("198.18.3.17");
    await reload(without(nyc));
    await controller.failover("contoso", undefined);
    expect(controller.tenants()[0]).toMatchObject({ active: "Lab/dub", servedBy: "Lab/ams" });
    expect(answered("contoso.lab.example.")).toBe("198.18.2.17");
  });

  it("is what probes found where none is made any more", async () => {
    const id = datacenterId("Lab", "dub");
    await controller.setHealth(id, { state: "down", since: now, reason: "connection refused" });
    expect(answered("www.lab.example.")).toBe("198.18.2.1");
    await reload(lab((text) => text.replace(', probe: "tcp://127.0.0.1:1"', "")));
    expect(controller.datacenters()[0]).toMatchObject({ state: "up", health: undefined });
    expect(answered("www.lab.example.")).toBe("198.18.1.1");
  });
});

it("goes by what another server has written to the same store, and upon it", async () => {
  await controller.setDatacenter({ ...set, target: "nyc", state: "draining" });
  const others = withOverride(
    kept,
    { target: "dub", state: "down", reason: undefined, until: undefined },
    now,
  );
  next = { kind: "loaded", snapshot: lab(), handlers: noHandlers, operations: others, warnings: [] };
  await controller.reload();
  expect(answered("www.lab.example.")).toBe("198.18.2.1");
  await controller.setDatacenter({ ...set, target: "ams", state: "draining" });
  expect(kept.overrides.map(({ number, target }) => [number, target])).toEqual([
    [1, "nyc"],
    [2, "dub"],
    [3, "ams"],
  ]);
});

it("makes changes one after the other", async () => {
  const states = ["down", "draining", "up", "down"] as const;
  await Promise.all(states.map((state) => controller.setDatacenter({ ...set, target: "dub", state })));
  expect(controller.overrides().map(({ number, state }) => [number, state])).toEqual([[4, "down"]]);
  expect(published.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
});
