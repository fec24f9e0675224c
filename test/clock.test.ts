/** The clock over a real time that the test moves. */

import { describe, expect, test } from "vitest";
import { Clock, type RealTime } from "../src/clock.ts";

const start = Date.UTC(2026, 10, 25, 9);
const iso = (milliseconds: number): string => new Date(start + milliseconds).toISOString();

/** Real time that stands until it is moved, and then calls what was waited for. */
class MovedTime implements RealTime {
  time = start;
  #waiting: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  setTimer(delayMilliseconds: number, callback: () => void): () => void {
    const timer = { at: this.time + delayMilliseconds, callback };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== timer);
    };
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  move(milliseconds: number): void {
    const target = this.time + milliseconds;
    for (;;) {
      const [next] = this.#waiting.filter(({ at }) => at <= target).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.callback();
    }
    this.time = target;
  }
}

function setUp() {
  const real = new MovedTime();
  const clock = new Clock(real);
  const called: string[] = [];
  /** Notes its name and the time that the clock shows. */
  const note = (name: string, at: number, then = (): void => {}): (() => void) =>
    clock.setTimer(start + at, () => {
      called.push(`${name} ${clock.now() - start}`);
      then();
    });
  return { real, clock, called, note };
}

describe("the clock shows", () => {
  test("real time as long as nobody sets it", () => {
    const { real, clock } = setUp();
    real.move(1500);
    expect(clock.now()).toBe(start + 1500);
    expect(clock.view()).toEqual({ now: iso(1500), speed: 1 });
  });

  test("one time while it is frozen, and goes on from there", () => {
    const { real, clock } = setUp();
    expect(clock.set({ speed: 0 })).toEqual({ now: iso(0), speed: 0 });
    real.move(60_000);
    expect(clock.now()).toBe(start);
    clock.set({ speed: 1 });
    real.move(10);
    expect(clock.now()).toBe(start + 10);
  });

  test("a multiple of what has passed since its speed changed", () => {
    const { real, clock } = setUp();
    real.move(1000);
    clock.set({ speed: 60 });
    real.move(1000);
    expect(clock.now()).toBe(start + 61_000);
    clock.set({ speed: 0.5 });
    real.move(1000);
    expect(clock.now()).toBe(start + 61_500);
  });

  test("a later time after a step, frozen or not", () => {
    const { real, clock } = setUp();
    clock.set({ stepSeconds: 10 });
    real.move(5);
    expect(clock.now()).toBe(start + 10_005);
    expect(clock.set({ speed: 0, stepSeconds: 0.5 })).toEqual({ now: iso(10_505), speed: 0 });
    expect(clock.set({ stepSeconds: 1 })).toEqual({ now: iso(11_505), speed: 0 });
  });

  test("what it is set to, an earlier time too, and what is stepped on from there", () => {
    const { clock } = setUp();
    clock.set({ speed: 0 });
    clock.set({ setTo: "2030-01-01T00:00Z" });
    expect(clock.view().now).toBe("2030-01-01T00:00:00.000Z");
    clock.set({ setTo: "2020-01-01T01:00:00+01:00", stepSeconds: 1 });
    expect(clock.view().now).toBe("2020-01-01T00:00:01.000Z");
  });

  test("never an earlier time because the machine's own goes back", () => {
    const { real, clock } = setUp();
    real.move(1000);
    expect(clock.now()).toBe(start + 1000);
    real.time -= 600;
    expect(clock.now()).toBe(start + 1000);
    real.time += 700;
    expect(clock.now()).toBe(start + 1100);
  });

  test.each([
    [{ speed: -1 }, "speed is not between 0 and 100000"],
    [{ speed: Number.NaN }, "speed is not between 0 and 100000"],
    [{ stepSeconds: -1 }, "stepSeconds only goes forward; to go back use setTo"],
    [{ setTo: "tomorrow" }, '"tomorrow" is no time like 2026-11-25T09:00:00Z'],
    [{ setTo: "2026-11-25T09:00:00" }, '"2026-11-25T09:00:00" is no time like 2026-11-25T09:00:00Z'],
    [{ setTo: "1969-12-31T00:00:00Z" }, '"1969-12-31T00:00:00Z" is no time like 2026-11-25T09:00:00Z'],
    [{ setTo: "9999-12-31T00:00:00Z", stepSeconds: 1e6 }, "that is after the year 9999"],
  ])("what it did before where %j cannot be", (change, message) => {
    const { clock } = setUp();
    expect(clock.set({ ...change })).toBe(message);
    expect(clock.view()).toEqual({ now: iso(0), speed: 1 });
  });
});

describe("timers", () => {
  test("are called when it is their time, the first set first", () => {
    const { real, called, note } = setUp();
    note("late", 200);
    note("a", 100);
    note("b", 100);
    note("passed", -5);
    real.move(0);
    expect(called).toEqual(["passed 0"]);
    real.move(99);
    expect(called).toHaveLength(1);
    real.move(1);
    expect(called.slice(1)).toEqual(["a 100", "b 100"]);
    real.move(1000);
    expect(called.slice(3)).toEqual(["late 200"]);
  });

  test("are called after hours, though no wait is longer than seconds", () => {
    const { real, called, note } = setUp();
    note("far", 7_200_000);
    real.move(7_199_999);
    expect(called).toEqual([]);
    real.move(1);
    expect(called).toEqual(["far 7200000"]);
    expect(real.waiting).toBe(0);
  });

  test("are never called while the clock is frozen", () => {
    const { real, clock, called, note } = setUp();
    note("first", 100);
    clock.set({ speed: 0 });
    note("second", 200);
    real.move(1_000_000);
    expect([called, real.waiting]).toEqual([[], 0]);
    clock.set({ speed: 1 });
    real.move(200);
    expect(called).toEqual(["first 100", "second 200"]);
  });

  test("are called as much sooner as the clock is faster", () => {
    const { real, clock, called, note } = setUp();
    note("hour", 3_600_000);
    clock.set({ speed: 3600 });
    real.move(999);
    expect(called).toEqual([]);
    real.move(1);
    expect(called).toEqual(["hour 3600000"]);
  });

  test("that a step passes are called in order, each at its own time, those that they set among them", () => {
    const { clock, called, note } = setUp();
    clock.set({ speed: 0 });
    note("b", 20_000);
    note("a", 10_000, () => note("a again", 15_000));
    note("not yet", 60_001);
    clock.set({ stepSeconds: 60 });
    expect(called).toEqual(["a 10000", "a again 15000", "b 20000"]);
    expect(clock.now()).toBe(start + 60_000);
  });

  test("that are passed by setting the clock are called; those behind a time in the past wait for theirs", () => {
    const { real, clock, called, note } = setUp();
    note("minute", 60_000);
    clock.set({ setTo: iso(-60_000) });
    real.move(60_000);
    expect(called).toEqual([]);
    clock.set({ setTo: iso(90_000) });
    expect(called).toEqual(["minute 60000"]);
  });

  test("that are taken back are not called, not even by one called before", () => {
    const { real, clock, called, note } = setUp();
    const cancel = note("never", 10);
    cancel();
    cancel();
    const cancelLater = note("nor this", 200);
    note("taker", 200 - 1, () => cancelLater());
    clock.set({ stepSeconds: 1 });
    real.move(1000);
    expect(called).toEqual(["taker 199"]);
    expect(real.waiting).toBe(0);
  });

  test("that set themselves anew for now do not hold up the change of the clock", () => {
    const { clock } = setUp();
    clock.set({ speed: 0 });
    let count = 0;
    const again = (): void => {
      count++;
      clock.setTimer(clock.now(), again);
    };
    clock.setTimer(start + 1000, again);
    clock.set({ stepSeconds: 2 });
    expect([count, clock.now()]).toEqual([10_000, start + 2000]);
  });

  test("that throw leave the clock going and the others waiting", () => {
    const { real, clock, called, note } = setUp();
    clock.setTimer(start + 10, () => {
      throw new Error("thrown by a timer");
    });
    note("next", 20);
    expect(() => clock.set({ stepSeconds: 1 })).toThrow("thrown by a timer");
    expect(clock.now()).toBe(start + 1000);
    real.move(0);
    expect(called).toEqual(["next 1000"]);
  });

  test("cannot change the clock that is calling them", () => {
    const { clock } = setUp();
    const outcomes: unknown[] = [];
    clock.setTimer(start + 10, () => outcomes.push(clock.set({ stepSeconds: 1 })));
    clock.set({ stepSeconds: 1 });
    expect(outcomes).toEqual(["the clock is being changed already; change it when that is done"]);
  });
});
