/** What a server does when it has nothing else to do: it keeps compiled modules, and gives memory back after a load. */

import { flushCompileCache } from "node:module";
import { giveBackRoom } from "../garbage.ts";

/**
 * How long this thread has next to nothing to do before a moment is quiet. What worker threads answer meanwhile is not its
 * business, and goes on.
 */
const QUIET_MILLISECONDS = 250;
/** What is next to nothing, as a part of the time: some ten queries that workers do not know. */
const QUIET_UTILIZATION = 0.01;

export interface QuietOptions {
  readonly milliseconds?: number;
  /** the part of the time that was spent on work since it was last asked */
  readonly utilization?: () => number;
}

/** Does a job in the first quiet moment after it was asked to; does not keep the program running for it. */
export class QuietMoment {
  readonly #job: () => void;
  readonly #milliseconds: number;
  readonly #utilization: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(job: () => void, options: QuietOptions = {}) {
    this.#job = job;
    this.#milliseconds = options.milliseconds ?? QUIET_MILLISECONDS;
    this.#utilization = options.utilization ?? utilizationSinceAsked();
  }

  /** Asks for the job once more; while a moment is awaited, it is awaited from now on. */
  request(): void {
    this.close();
    this.#utilization();
    this.#timer = setInterval(() => {
      if (this.#utilization() > QUIET_UTILIZATION) return;
      this.close();
      this.#job();
    }, this.#milliseconds).unref();
  }

  /** Leaves the job undone. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function utilizationSinceAsked(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

/**
 * Loading makes the heap of V8 grow, and answering makes so little garbage that V8 would never look at it again: of the
 * default lab's 135 MB 40 are garbage and room for more. A full collection gives them back. It takes 50 ms in which nothing
 * is answered, so it is for a quiet moment. Compiled modules are written before it, and not at the end alone, which may be
 * a SIGKILL; that takes time only where something is new. `trim` has the C library give back what it keeps.
 */
export function tidyUp(trim: () => void): void {
  flushCompileCache();
  giveBackRoom();
  trim();
}
