/** How many requests are taken from one address: so many a second, and a few more at once. */

export interface RateLimits {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** More addresses than these are not remembered; the one longest silent starts anew. */
const MAX_ADDRESSES = 1024;

export class RequestRate {
  readonly #limits: RateLimits;
  /** the one asked for last is the last */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Counts a request; returns after how many seconds to try again, or 0 where it is taken. */
  take(address: string, nowMilliseconds: number): number {
    const { perSecond, burst } = this.#limits;
    const { tokens: before, at } = this.#buckets.get(address) ?? { tokens: burst, at: nowMilliseconds };
    const tokens = Math.min(burst, before + (Math.max(0, nowMilliseconds - at) / 1000) * perSecond);
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: tokens < 1 ? tokens : tokens - 1, at: nowMilliseconds });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MAX_ADDRESSES && oldest !== undefined) this.#buckets.delete(oldest);
    return tokens < 1 ? Math.max(1, Math.ceil((1 - tokens) / perSecond)) : 0;
  }
}
