/** Probes datacenters, each in its own rhythm, and tells when one is found up or down. */

import { isDeepStrictEqual } from "node:util";
import type { Milliseconds } from "../cloud/operations.ts";
import type { DatacenterId, HealthCheck } from "../cloud/topology.ts";

export interface Probed {
  readonly id: DatacenterId;
  readonly check: HealthCheck;
}

export interface MonitorOptions {
  /** undefined where it answers well, else why not */
  readonly probe: (check: HealthCheck) => Promise<string | undefined>;
  readonly now: () => Milliseconds;
  readonly setTimer: (at: Milliseconds, callback: () => void) => () => void;
  readonly onChange: (id: DatacenterId, state: "up" | "down", reason: string) => void;
}

/** What a datacenter's probes have found so far. */
interface Watch {
  readonly probed: Probed;
  state: "up" | "down";
  /** results in a row that speak against the state */
  against: number;
  nextProbe: Milliseconds;
  cancel: () => void;
}

export class Monitor {
  readonly #options: MonitorOptions;
  #watches: readonly Watch[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /**
   * Probes these from now on, and no others; `states` is what was found of them before, up where nothing was. One that is
   * probed already, and in the same way, stays in its rhythm: reloads that come often would else keep it from ever being probed.
   */
  watch(probed: readonly Probed[], states: ReadonlyMap<string, "up" | "down">): void {
    const now = this.#options.now();
    const before = new Map(this.#watches.map((watch) => [watch.probed.id, watch]));
    const isNew = new Set<Watch>();
    this.#watches = probed.map((each) => {
      const known = before.get(each.id);
      if (known !== undefined && isSameCheck(known.probed.check, each.check)) {
        before.delete(each.id);
        return known;
      }
      const watch: Watch = {
        probed: each,
        state: states.get(each.id) ?? "up",
        against: 0,
        // The first probes are spread over one interval, so that they do not all come at once.
        nextProbe: now + jitter(each.id) * each.check.everyMilliseconds,
        cancel: () => {},
      };
      isNew.add(watch);
      return watch;
    });
    for (const { cancel } of before.values()) cancel();
    for (const watch of isNew) this.#schedule(watch);
  }

  /** After the clock was set back: what would be due later than in one interval is due within one. */
  wakeUp(): void {
    const now = this.#options.now();
    for (const watch of this.#watches) {
      const { id, check } = watch.probed;
      if (watch.nextProbe <= now + check.everyMilliseconds) continue;
      watch.cancel();
      watch.nextProbe = now + jitter(id) * check.everyMilliseconds;
      this.#schedule(watch);
    }
  }

  /** Waits for the probes under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#watches) cancel();
  }

  /** When the state of one of these can change at the earliest; undefined where none of them is probed. */
  nextChange(ids?: ReadonlySet<DatacenterId>): Milliseconds | undefined {
    const watches = this.#watches.filter(({ probed: { id } }) => ids === undefined || ids.has(id));
    const times = watches.map(({ probed: { check }, state, against, nextProbe }) => {
      const needed = (state === "up" ? check.down : check.up) - against;
      return nextProbe + (needed - 1) * check.everyMilliseconds;
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #schedule(watch: Watch): void {
    if (this.#isClosed || !this.#watches.includes(watch)) return;
    watch.cancel();
    watch.cancel = this.#options.setTimer(watch.nextProbe, () => {
      const probing = this.#probe(watch).finally(() => this.#underWay.delete(probing));
      this.#underWay.add(probing);
    });
  }

  async #probe(watch: Watch): Promise<void> {
    const { check, id } = watch.probed;
    const fault = await this.#options.probe(check);
    if (this.#isClosed || !this.#watches.includes(watch)) return;
    const found = fault === undefined ? "up" : "down";
    watch.against = found === watch.state ? 0 : watch.against + 1;
    if (watch.against >= (found === "up" ? check.up : check.down)) {
      watch.state = found;
      watch.against = 0;
      this.#options.onChange(id, found, fault ?? "it answers");
    }
    // Counted from when the last one was due, so that slow answers do not stretch the rhythm.
    const { everyMilliseconds: every } = check;
    const missed = Math.max(0, Math.floor((this.#options.now() - watch.nextProbe) / every));
    watch.nextProbe += (missed + 1) * every;
    this.#schedule(watch);
  }
}

const isSameCheck = ({ target, ...a }: HealthCheck, { target: other, ...b }: HealthCheck): boolean =>
  target.href === other.href && isDeepStrictEqual(a, b);

/** From 0 up to 1, always the same for an id: spread by a hash, never by dice (FNV-1a). */
function jitter(id: string): number {
  let hash = 0x811c9dc5;
  for (const octet of Buffer.from(id)) hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  return hash / 2 ** 32;
}
