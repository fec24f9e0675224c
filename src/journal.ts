/** The last queries with their decisions: read back, waited for, or listened to. */

import type { JournalEntry, JournalFilter } from "./admin/control.ts";
import type { Location } from "./geo/location-table.ts";
import { type AnsweredTrace, type ParsedFilter, parseFilter, QueryRing } from "./query-ring.ts";

export interface JournalOptions {
  /** how many queries it holds; 0: none is kept, waited for or told */
  readonly capacity: number;
  /** Calls back once; returns how to take that back. */
  readonly setTimer?: (delayMilliseconds: number, callback: () => void) => () => void;
  /** Calls back when the queries at hand are answered. */
  readonly defer?: (callback: () => void) => void;
  /** Told when somebody begins to wait or listen, and when nobody does any more. */
  readonly onWatched?: (isWatched: boolean) => void;
}

/** Entries that listeners are told of at a time. Of more at once the newest count; their numbers show the gap. */
const TOLD_AT_A_TIME = 100;

interface Waiter {
  readonly filter: ParsedFilter;
  settle(number: number | undefined): void;
}

/** Nothing is made of a query but its record, until somebody reads, waits or listens. */
export class Journal {
  readonly #ring: QueryRing | undefined;
  readonly #setTimer: NonNullable<JournalOptions["setTimer"]>;
  readonly #defer: NonNullable<JournalOptions["defer"]>;
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<(entry: JournalEntry) => void>();
  /** the last number that listeners were told of */
  #told = 0;
  #isTelling = false;
  readonly #onWatched: (isWatched: boolean) => void;
  #isWatched = false;
  #isClosed = false;

  constructor({
    capacity,
    setTimer = setRealTimer,
    defer = setImmediate,
    onWatched = () => {},
  }: JournalOptions) {
    this.#ring = capacity === 0 ? undefined : new QueryRing(capacity);
    this.#setTimer = setTimer;
    this.#defer = defer;
    this.#onWatched = onWatched;
  }

  /** Whether anybody is to be told of each query as it is answered. */
  get isWatched(): boolean {
    return this.#ring !== undefined && this.#waiters.size + this.#listeners.size > 0;
  }

  /** What other threads write their records in; undefined where none is kept. */
  get ring(): QueryRing | undefined {
    return this.#ring;
  }

  get capacity(): number {
    return this.#ring?.capacity ?? 0;
  }

  get size(): number {
    return this.#ring?.size ?? 0;
  }

  add(trace: AnsweredTrace, location: Location, nowMilliseconds: number, snapshot: number): void {
    const ring = this.#ring;
    if (ring === undefined) return;
    const number = ring.write(trace, location, nowMilliseconds, snapshot);
    // A waiter may not be kept from its entry by those that come before its turn, so it is asked at once.
    if (this.#waiters.size > 0) this.#askWaiters(ring, number);
    if (this.#listeners.size > 0) this.#tellSoon(ring);
  }

  /** The newest first; `parseFilter` says beforehand what is wrong with a filter, which here is a fault of the program. */
  read(filter: JournalFilter, limit: number): readonly JournalEntry[] {
    const parsed = readyFilter(filter);
    const ring = this.#ring;
    const entries: JournalEntry[] = [];
    if (ring === undefined) return entries;
    for (let number = ring.last; number >= ring.first && entries.length < limit; number--) {
      const entry = ring.matches(number, parsed) ? ring.read(number) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** The first entry from now on that the filter takes; undefined when the time is over, the signal comes, or all ends. */
  waitFor(
    filter: JournalFilter,
    timeoutMilliseconds: number,
    signal?: AbortSignal,
  ): Promise<JournalEntry | undefined> {
    const parsed = readyFilter(filter);
    if (this.#isClosed || signal?.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const end = (): void => waiter.settle(undefined);
      const cancelTimer = this.#setTimer(timeoutMilliseconds, end);
      const waiter: Waiter = {
        filter: parsed,
        settle: (number) => {
          this.#waiters.delete(waiter);
          this.#tellWatched();
          cancelTimer();
          signal?.removeEventListener("abort", end);
          resolve(number === undefined ? undefined : this.#ring?.read(number));
        },
      };
      this.#waiters.add(waiter);
      this.#tellWatched();
      signal?.addEventListener("abort", end);
    });
  }

  /** Tells of each entry, soon after its query is answered, until the returned function is called. */
  subscribe(listener: (entry: JournalEntry) => void): () => void {
    // A listener of its own, should one function subscribe twice.
    const own = (entry: JournalEntry): void => listener(entry);
    if (this.#listeners.size === 0) this.#told = this.#ring?.last ?? 0;
    if (!this.#isClosed) this.#listeners.add(own);
    this.#tellWatched();
    return () => {
      this.#listeners.delete(own);
      this.#tellWatched();
    };
  }

  /** Lets all go who wait or listen. */
  close(): void {
    this.#isClosed = true;
    this.#listeners.clear();
    for (const waiter of [...this.#waiters]) waiter.settle(undefined);
    this.#tellWatched();
  }

  #tellWatched(): void {
    const { isWatched } = this;
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.#onWatched(isWatched);
  }

  #askWaiters(ring: QueryRing, number: number): void {
    for (const waiter of [...this.#waiters]) {
      if (ring.matches(number, waiter.filter)) waiter.settle(number);
    }
  }

  #tellSoon(ring: QueryRing): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#defer(() => {
      this.#isTelling = false;
      const from = Math.max(this.#told + 1, ring.last - TOLD_AT_A_TIME + 1, ring.first);
      this.#told = ring.last;
      for (let number = from; number <= this.#told; number++) {
        const entry = ring.read(number);
        if (entry === undefined) continue;
        for (const listener of [...this.#listeners]) listener(entry);
      }
    });
  }
}

function readyFilter(filter: JournalFilter): ParsedFilter {
  const parsed = parseFilter(filter);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

function setRealTimer(delayMilliseconds: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMilliseconds);
  return () => clearTimeout(timer);
}

/** Entries as JSON lines, one a query. */
export const formatJsonLines = (entries: readonly JournalEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
