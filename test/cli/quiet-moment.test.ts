/** When a server tidies up, and what that gives back. */

import { getHeapStatistics } from "node:v8";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { QuietMoment, tidyUp } from "../../src/cli/quiet-moment.ts";

describe("a quiet moment", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function setUp() {
    const utilization = vi.fn(() => 0);
    const job = vi.fn();
    return { utilization, job, moment: new QuietMoment(job, { milliseconds: 1000, utilization }) };
  }

  test("is a second without much to do after it is asked for, and comes once", () => {
    const { job, moment } = setUp();
    vi.advanceTimersByTime(5000);
    expect(job).not.toHaveBeenCalled();
    moment.request();
    vi.advanceTimersByTime(999);
    expect(job).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5001);
    expect(job).toHaveBeenCalledTimes(1);
  });

  test("does not come while queries are answered, and comes when they end", () => {
    const { job, moment, utilization } = setUp();
    utilization.mockReturnValue(0.2);
    moment.request();
    vi.advanceTimersByTime(60_000);
    expect(job).not.toHaveBeenCalled();
    utilization.mockReturnValue(0.001);
    vi.advanceTimersByTime(1000);
    expect(job).toHaveBeenCalledTimes(1);
  });

  test("is put off by one load after the other, and comes once behind them all", () => {
    const { job, moment } = setUp();
    for (let i = 0; i < 10; i++) {
      moment.request();
      vi.advanceTimersByTime(900);
    }
    expect(job).not.toHaveBeenCalled();
    vi.advanceTimersByTime(100);
    expect(job).toHaveBeenCalledTimes(1);
  });

  test("does not come after the end", () => {
    const { job, moment } = setUp();
    moment.request();
    moment.close();
    vi.advanceTimersByTime(60_000);
    expect(job).not.toHaveBeenCalled();
  });
});

test("a heap that has grown gives back what nothing holds, and the collector is no global afterwards", () => {
  const grow = (): number => {
    const kept = Array.from({ length: 300_000 }, (_, i) => ({ i, text: `text ${i}` }));
    return kept.length > 0 ? getHeapStatistics().total_heap_size : 0;
  };
  const grown = grow();
  tidyUp(() => {});
  expect(getHeapStatistics().total_heap_size).toBeLessThan(grown - 10 * 2 ** 20);
  expect(globalThis.gc).toBeUndefined();
});
