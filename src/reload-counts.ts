/** How often the configuration was loaded anew, and when last, by outcome. */

export type ReloadOutcome = "done" | "errors";

export class ReloadCounts {
  readonly #byOutcome = new Map<ReloadOutcome, ReloadCount>();

  countReload(outcome: ReloadOutcome, nowMilliseconds: number): void {
    const { count } = this.#byOutcome.get(outcome) ?? { count: 0 };
    this.#byOutcome.set(outcome, { outcome, count: count + 1, at: nowMilliseconds });
  }

  reloads(): readonly ReloadCount[] {
    return [...this.#byOutcome.values()];
  }
}

export interface ReloadCount {
  readonly outcome: ReloadOutcome;
  readonly count: number;
  /** the last one, in milliseconds since 1970 */
  readonly at: number;
}
