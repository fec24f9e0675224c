/** The handlers of all scripted zones of one configuration, each in its own thread. */

import { EXTENDED_ERROR } from "../dns/iana.ts";
import type { DomainName } from "../dns/name.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import {
  type HandlerOptions,
  type HandlerOutcome,
  type HandlerQuery,
  ScriptThread,
} from "./script-thread.ts";

export interface Handlers {
  /** Asks the handler of a zone; settles within its deadline, and never rejects. */
  ask(apex: DomainName, query: HandlerQuery): Promise<HandlerOutcome>;
  /** Waits for what is in hand, then ends all threads. */
  close(): Promise<void>;
}

/** Those of a server that has started none. */
export const noHandlers: Handlers = {
  ask: async (apex) => ({
    kind: "failure",
    error: { code: EXTENDED_ERROR.NOT_READY, text: `the handler of ${apex} is not running` },
  }),
  close: async () => {},
};

export type StartedHandlers =
  | { readonly kind: "started"; readonly handlers: Handlers }
  | { readonly kind: "unusable"; readonly faults: readonly HandlerFault[] };

/** A module that cannot be used, and why. */
export interface HandlerFault {
  readonly zone: ScriptedZone;
  readonly message: string;
}

/** Starts a thread a zone and loads the module in it; all of them, or none and what is wrong with which. */
export async function startHandlers(
  zones: readonly ScriptedZone[],
  options: HandlerOptions,
): Promise<StartedHandlers> {
  const threads = new Map(zones.map((zone) => [zone.apex, new ScriptThread(zone, options)]));
  const close = async (): Promise<void> => {
    await Promise.all([...threads.values()].map((thread) => thread.close()));
  };
  const outcomes = await Promise.all(
    zones.map(async (zone) => ({ zone, message: await threads.get(zone.apex)?.start() })),
  );
  const faults = outcomes.flatMap(({ zone, message }) => (message === undefined ? [] : [{ zone, message }]));
  if (faults.length > 0) {
    await close();
    return { kind: "unusable", faults };
  }
  return {
    kind: "started",
    handlers: {
      ask: (apex, query) => {
        const thread = threads.get(apex);
        if (thread === undefined) throw new Error(`${apex} is no scripted zone of these handlers`);
        return thread.ask(query);
      },
      close,
    },
  };
}
