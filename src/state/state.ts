/** What a start goes on from, and what it leaves for the next one. Where nothing can be kept it goes on in memory. */

import { randomBytes } from "node:crypto";
import type { Operations } from "../cloud/operations.ts";
import type { DomainName } from "../dns/name.ts";
import type { Alternatives, Zones } from "../zone/zone.ts";
import { nextSerials } from "./serials.ts";
import type { ReadOutcome, StateStore } from "./state-store.ts";

export interface StateOptions<T> {
  readonly store: StateStore;
  readonly zones: Zones<T>;
  readonly alternativesOf: (tailored: T) => Alternatives;
  /** Whether what is new is kept, a cookie secret made at the first start with it; else state is only read. */
  readonly keep: boolean;
  /** in seconds since 1970 */
  readonly nowSeconds: number;
}

export interface State {
  readonly serials: ReadonlyMap<DomainName, number>;
  /** the current one first; none before the first start that keeps its state */
  readonly cookieSecrets: readonly Uint8Array[];
  readonly operations: Operations;
  /** at most one */
  readonly warnings: readonly string[];
}

/** RFC 9018 §4.1: the secret of a server cookie is a key of SipHash-2-4. */
const COOKIE_SECRET_OCTETS = 16;

export async function resumeState<T>(options: StateOptions<T>): Promise<State> {
  const { store, zones, alternativesOf, keep, nowSeconds } = options;
  const read = await store.read();
  const { state: before, origin } = read;
  // What was counted before state was lost is not known; the time is above it, so no secondary sees a serial go back.
  const firstSerial = origin === "lost" ? nowSeconds : 1;
  const { serials, stored, changed } = nextSerials(zones, before.zones, alternativesOf, firstSerial);
  const lacksSecret = keep && before.cookieSecrets.length === 0;
  const cookieSecrets = lacksSecret
    ? [randomBytes(COOKIE_SECRET_OCTETS).toString("hex")]
    : before.cookieSecrets;
  const isNew = changed || lacksSecret || read.isToBeWritten;
  // Operations are none of this: they are another's to change, perhaps while this goes on.
  const said = keep && isNew ? await save(store, { zones: stored, cookieSecrets }) : [];
  return {
    serials,
    cookieSecrets: cookieSecrets.map((hex) => Uint8Array.from(Buffer.from(hex, "hex"))),
    operations: before.operations,
    warnings: warningOf(read, said),
  };
}

async function save(
  store: StateStore,
  change: Parameters<StateStore["remember"]>[0],
): Promise<readonly string[]> {
  const { isWritten, said } = await store.remember(change);
  if (isWritten) return said;
  return [
    ...said,
    "serials and the cookie secret last until the server stops, and changes by operators are refused until it can be written",
  ];
}

function warningOf({ origin, found }: ReadOutcome, said: readonly string[]): readonly string[] {
  const lost =
    origin === "lost"
      ? [
          "serials go on from the time, the cookie secret is new, and no override or move of a tenant is known",
        ]
      : [];
  // What could not be read can for the same reason not be written, and is told once.
  const sentences = new Set([...found, ...lost, ...said]);
  return sentences.size === 0 ? [] : [[...sentences].join("; ")];
}
