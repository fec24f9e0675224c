/** When probes make a datacenter up or down, on a clock of the test's own. */

import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { datacenterId, type HealthCheck } from "../../src/cloud/topology.ts";
import { Monitor, type Probed } from "../../src/health/monitor.ts";

let now = 0;
let timers: { at: number; callback: () => void }[] = [];
let changes: string[] = [];
let probes: string[] = [];
/** what each target answers, by its host */
let faults: Map<string, string> = new Map();

const setTimer = (at: number, callback: () => void) => {
  const timer = { at, callback };
  timers.push(timer);
  return () => {
    timers = timers.filter((each) => each !== timer);
  };
};

const probed = (host: string, changed: Partial<HealthCheck> = {}): Probed => ({
  id: datacenterId("Lab", host),
  check: {
    target: new URL(`http://${host}/`),
    everyMilliseconds: 1000,
    timeoutMilliseconds: 100,
    up: 2,
    down: 3,
    verifyCertificate: true,
    ...changed,
  },
});

function monitorOf(which: readonly Probed[], states: Record<string, "up" | "down"> = {}): Monitor {
  const monitor = new Monitor({
    probe: async ({ target }) => {
      probes.push(`${target.hostname} at ${now}`);
      return faults.get(target.hostname);
    },
    now: () => now,
    setTimer,
    onChange: (id, state, reason) => changes.push(`${id} ${state}: ${reason}`),
  });
  monitor.watch(which, new Map(Object.entries(states)));
  return monitor;
}

/** Lets the time run to the next timer so many times. */
async function run(steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    const [first] = timers.toSorted((a, b) => a.at - b.at);
    if (first === undefined) return;
    timers = timers.filter((timer) => timer !== first);
    now = Math.max(now, first.at);
    first.callback();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
}

beforeEach(() => {
  now = 0;
  timers = [];
  changes = [];
  probes = [];
  faults = new Map();
});

describe("a monitor", () => {
  it("needs so many failures in a row, and so many good probes", async () => {
    monitorOf([probed("lhr")]);
    faults.set("lhr", "status 503");
    await run(2);
    faults.delete("lhr");
    await run(1);
    faults.set("lhr", "status 503");
    await run(2);
    expect(changes).toEqual([]);
    await run(1);
    expect(changes).toEqual(["Lab/lhr down: status 503"]);
    faults.delete("lhr");
    await run(1);
    expect(changes).toHaveLength(1);
    await run(1);
    expect(changes.at(-1)).toBe("Lab/lhr up: it answers");
  });

  it("goes on from what was found before", async () => {
    monitorOf([probed("lhr")], { "Lab/lhr": "down" });
    await run(2);
    expect(changes).toEqual(["Lab/lhr up: it answers"]);
  });

  it("keeps its rhythm, and spreads datacenters over it by their names", async () => {
    monitorOf([probed("lhr"), probed("dub")]);
    await run(6);
    const times = (host: string): number[] =>
      probes
        .filter((text) => text.startsWith(host))
        .map((text) => Math.round(Number(text.split(" ").at(-1))));
    const [first = 0, second = 0, third = 0] = times("lhr");
    expect(first).toBeLessThan(1000);
    expect([second - first, third - second]).toEqual([1000, 1000]);
    expect(times("dub")[0]).not.toBe(first);
    // The same whenever it starts.
    timers = [];
    now = 0;
    probes = [];
    monitorOf([probed("lhr")]);
    await run(1);
    expect(times("lhr")[0]).toBe(first);
  });

  it("probes the new ones after a reload, and the old ones no more", async () => {
    const monitor = monitorOf([probed("lhr")]);
    monitor.watch([probed("dub")], new Map());
    await run(3);
    expect(new Set(probes.map((text) => text.split(" ")[0]))).toEqual(new Set(["dub"]));
    monitor.close();
    expect(timers).toEqual([]);
  });

  it("keeps what it has found, and its rhythm, over reloads that change nothing of a probe", async () => {
    const monitor = monitorOf([probed("lhr")]);
    faults.set("lhr", "status 503");
    await run(2);
    const due = timers[0]?.at;
    now += 10;
    monitor.watch([probed("lhr"), probed("dub")], new Map());
    expect(Math.min(...timers.map(({ at }) => at))).toBeLessThanOrEqual(due ?? 0);
    monitor.watch([probed("lhr")], new Map());
    expect(timers.map(({ at }) => at)).toEqual([due]);
    await run(1);
    expect(changes).toEqual(["Lab/lhr down: status 503"]);
    monitor.watch([probed("lhr", { up: 1 })], new Map([[datacenterId("Lab", "lhr"), "down"]]));
    faults.delete("lhr");
    await run(1);
    expect(changes.at(-1)).toBe("Lab/lhr up: it answers");
  });

  it("probes on after the clock was set back", async () => {
    const monitor = monitorOf([probed("lhr")]);
    now = 1e12;
    await run(1);
    now = 5000;
    monitor.wakeUp();
    expect(timers.map(({ at }) => at < 6000)).toEqual([true]);
    const due = timers[0]?.at;
    monitor.wakeUp();
    expect(timers.map(({ at }) => at)).toEqual([due]);
  });

  it("waits for probes under way", async () => {
    const gate = Promise.withResolvers<undefined>();
    const monitor = new Monitor({
      probe: () => gate.promise,
      now: () => now,
      setTimer,
      onChange: (id, state) => changes.push(`${id} ${state}`),
    });
    monitor.watch([probed("lhr", { up: 1 })], new Map([[datacenterId("Lab", "lhr"), "down"]]));
    await run(1);
    const settled = monitor.settled();
    gate.resolve(undefined);
    await settled;
    expect(changes).toEqual(["Lab/lhr up"]);
  });

  it("knows when the next change can come at the earliest", async () => {
    const monitor = monitorOf([probed("lhr")]);
    faults.set("lhr", "status 503");
    const first = monitor.nextChange() ?? 0;
    expect(first).toBe((timers[0]?.at ?? 0) + 2000);
    await run(2);
    expect(monitor.nextChange()).toBe(timers[0]?.at);
    expect(monitorOf([]).nextChange()).toBeUndefined();
  });

  it("changes never earlier than it says (property)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (results, up, down) => {
          now = 0;
          timers = [];
          changes = [];
          const monitor = monitorOf([probed("lhr", { up, down })]);
          for (const isGood of results) {
            const earliest = monitor.nextChange() ?? 0;
            if (isGood) faults.delete("lhr");
            else faults.set("lhr", "status 500");
            const before = changes.length;
            await run(1);
            if (changes.length > before) expect(now).toBeGreaterThanOrEqual(earliest);
          }
        },
      ),
    );
  });
});
