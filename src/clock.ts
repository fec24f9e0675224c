/** The one clock that overrides, health, cookies and the journal go by: real time, unless it is frozen, stepped, sped up or set. */

import type { ClockChange, ClockView } from "./admin/control.ts";

/** Milliseconds since 1970. */
type Milliseconds = number;

/** What a clock stands on; tests give their own. */
export interface RealTime {
  now(): Milliseconds;
  /** Calls back once, so many milliseconds from now; returns how to take that back. */
  setTimer(delayMilliseconds: number, callback: () => void): () => void;
}

const systemTime: RealTime = {
  now: Date.now,
  setTimer: (delayMilliseconds, callback) => {
    // What waits for a time is no reason for the program to go on.
    const timer = setTimeout(callback, delayMilliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** Ends before the year 10000, which ISO 8601 writes in another way. */
const LAST_TIME: Milliseconds = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const MAX_SPEED = 100_000;

/** A machine that slept, or whose time was corrected, is noticed after so long. */
const LONGEST_SLEEP_MILLISECONDS = 10_000;

/** Timers that one change of the clock calls; a callback that sets itself anew for the same time would go on for ever. */
const MAX_CALLS = 10_000;

interface Timer {
  readonly at: Milliseconds;
  readonly callback: () => void;
}

/**
 * A clock never goes back unless it is set to an earlier time; when the machine's own time goes back, it waits. Timers obey
 * it: while it is frozen none is called, and a step calls all that it passes, in order, each at its own time.
 */
export class Clock {
  readonly #real: RealTime;
  /** At this real time the clock showed that. */
  #realAnchor: Milliseconds;
  #anchor: Milliseconds;
  #speed = 1;
  #latest: Milliseconds;
  /** the next one first */
  #timers: readonly Timer[] = [];
  #cancelSleep: (() => void) | undefined;
  #isCalling = false;

  constructor(real: RealTime = systemTime) {
    this.#real = real;
    this.#realAnchor = real.now();
    this.#anchor = this.#realAnchor;
    this.#latest = this.#anchor;
  }

  now(): Milliseconds {
    // While a change passes timers, it is the time of the one that is called.
    if (this.#isCalling) return this.#latest;
    const passed = (this.#real.now() - this.#realAnchor) * this.#speed;
    const now = Math.min(Math.floor(this.#anchor + passed), LAST_TIME);
    if (now > this.#latest) this.#latest = now;
    return this.#latest;
  }

  /** Whether it shows the machine's own time. */
  get isReal(): boolean {
    return this.#speed === 1 && this.#anchor === this.#realAnchor;
  }

  view(): ClockView {
    return { now: new Date(this.now()).toISOString(), speed: this.#speed };
  }

  /**
   * Sets to a time, then steps, then changes the speed; a sentence where one of them cannot be, and then none is done. Timers
   * that it passes are called before it returns.
   */
  set({ setTo, stepSeconds = 0, speed = this.#speed }: ClockChange): ClockView | string {
    if (this.#isCalling) return "the clock is being changed already; change it when that is done";
    if (!(speed >= 0 && speed <= MAX_SPEED)) return `speed is not between 0 and ${MAX_SPEED}`;
    if (!(stepSeconds >= 0)) return "stepSeconds only goes forward; to go back use setTo";
    const from = setTo === undefined ? this.now() : parseTime(setTo);
    if (typeof from === "string") return from;
    const target = from + Math.round(stepSeconds * 1000);
    if (target > LAST_TIME) return "that is after the year 9999";
    if (target < this.now()) this.#latest = target;
    this.#pass(target);
    this.#speed = speed;
    this.#sleep();
    return this.view();
  }

  /** Calls back once it is that late, at the earliest in the next turn; returns how to take that back. */
  setTimer(at: Milliseconds, callback: () => void): () => void {
    const timer = { at, callback };
    // Of two for one time the first that was set is the first that is called.
    const after = this.#timers.findIndex((other) => other.at > at);
    this.#timers = this.#timers.toSpliced(after < 0 ? this.#timers.length : after, 0, timer);
    if (!this.#isCalling) this.#sleep();
    return () => {
      const left = this.#timers.filter((other) => other !== timer);
      if (left.length === this.#timers.length) return;
      this.#timers = left;
      if (!this.#isCalling) this.#sleep();
    };
  }

  /** Goes to a time and calls the timers up to it, each with the clock at its own time. */
  #pass(target: Milliseconds): void {
    this.#isCalling = true;
    try {
      for (let calls = 0; calls < MAX_CALLS; calls++) {
        const [next, ...others] = this.#timers;
        if (next === undefined || next.at > target) break;
        this.#timers = others;
        this.#latest = Math.max(this.#latest, next.at);
        next.callback();
      }
    } finally {
      this.#isCalling = false;
      this.#latest = target;
      this.#anchor = target;
      this.#realAnchor = this.#real.now();
      this.#sleep();
    }
  }

  /** Waits for the next timer, if the clock goes. */
  #sleep(): void {
    this.#cancelSleep?.();
    this.#cancelSleep = undefined;
    const [next] = this.#timers;
    if (next === undefined || this.#speed === 0) return;
    const delay = Math.max(0, Math.ceil((next.at - this.now()) / this.#speed));
    this.#cancelSleep = this.#real.setTimer(Math.min(delay, LONGEST_SLEEP_MILLISECONDS), () => this.#wake());
  }

  #wake(): void {
    this.#cancelSleep = undefined;
    const now = this.now();
    try {
      // Those that callbacks set from here on have their turn later.
      const due = this.#timers.filter(({ at }) => at <= now);
      for (const timer of due) {
        if (!this.#timers.includes(timer)) continue; // taken back by one before it
        this.#timers = this.#timers.filter((other) => other !== timer);
        timer.callback();
      }
    } finally {
      this.#sleep();
    }
  }
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** ISO 8601 with its zone; a sentence where it is none, or before 1970. */
function parseTime(text: string): Milliseconds | string {
  const time = isoTime.test(text) ? Date.parse(text) : Number.NaN;
  return time >= 0 ? time : `"${text}" is no time like 2026-11-25T09:00:00Z`;
}
