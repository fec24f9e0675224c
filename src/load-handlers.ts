/** From a snapshot to its handlers, started, or to what is wrong with which, as errors of the configuration. */

import type { ConfigError } from "./config/yaml-document.ts";
import { type Handlers, startHandlers } from "./script/handlers.ts";
import type { HandlerOptions } from "./script/script-thread.ts";
import type { Snapshot } from "./snapshot.ts";
import { scriptedZones } from "./zone/zone.ts";

export type LoadedHandlers =
  | { readonly kind: "loaded"; readonly handlers: Handlers }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[] };

export async function loadHandlers(
  { configuration }: Snapshot,
  options: HandlerOptions,
): Promise<LoadedHandlers> {
  const started = await startHandlers(scriptedZones(configuration.zones), options);
  if (started.kind === "started") return { kind: "loaded", handlers: started.handlers };
  const errors = started.faults.map(({ zone: { place, sourceLine }, message }) => ({
    place,
    sourceLine,
    message: `the handler ${message}`,
  }));
  return { kind: "errors", errors };
}
