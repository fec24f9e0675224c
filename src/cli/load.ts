/** The configuration of a command that answers nobody. */

import { join, relative, resolve } from "node:path";
import { formatConfigError } from "../config/load.ts";
import { type LoadedSnapshot, loadSnapshot, type StateFileChoice } from "../load-snapshot.ts";
import type { Snapshot } from "../snapshot.ts";

/** The configuration of every command that is given none. */
export const defaultLab = join(import.meta.dirname, "../../config/geodns365.yaml");

/** What `explain` is told so that it loads the same. */
export function explainOptionsOf(config: string, state: StateFileChoice | undefined): readonly string[] {
  const words = resolve(config) === defaultLab ? [] : ["--config", pathFromHere(config)];
  switch (state?.kind) {
    case "none":
      return [...words, "--state", "none"];
    case "file":
      return [...words, "--state", pathFromHere(state.path)];
    default:
      return words;
  }
}

function pathFromHere(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith("..") ? path : here;
}

/**
 * Errors and warnings are printed; undefined where there are errors. `state` is where a server keeps its states, instead
 * of what the configuration says.
 */
export async function loadForCommand(config: string, state?: StateFileChoice): Promise<Snapshot | undefined> {
  return (await loadAllForCommand(config, state))?.snapshot;
}

/** The same with what operators and probes have said. */
export async function loadAllForCommand(
  config: string,
  state?: StateFileChoice,
): Promise<Extract<LoadedSnapshot, { readonly kind: "loaded" }> | undefined> {
  const loaded = await loadSnapshot(config, { stateFile: state });
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return undefined;
  }
  for (const warning of loaded.warnings) console.error(`warning: ${warning}`);
  return loaded;
}
