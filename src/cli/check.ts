/** `geodns365 check`: every error of a configuration, or what it holds. */

import { formatConfigError } from "../config/load.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { type LoadedHandlers, loadHandlers } from "../load-handlers.ts";
import { type LoadedSnapshot, loadSnapshot } from "../load-snapshot.ts";
import type { HandlerEvent } from "../script/script-thread.ts";
import { EXIT } from "./exit.ts";
import { formatGeoip } from "./geoip.ts";

export async function check({ config }: { readonly config: string }): Promise<number> {
  const loaded = await loadAll(config);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    const { length } = loaded.errors;
    console.error(length === 1 ? "1 error" : `${length} errors`);
    return EXIT.foundWrong;
  }
  for (const warning of loaded.warnings) console.error(`warning: ${warning}`);
  const { clouds, zones, networks, files } = loaded.snapshot.configuration;
  const tenants = clouds.reduce((sum, cloud) => sum + cloud.tenants.homeCount, 0);
  const cloudNames = clouds.map(({ name }) => name).join(", ");
  console.log(
    `good: ${files.length} files, ${clouds.length} clouds (${cloudNames}), ${zones.size} zones, ${networks.length} networks, ${tenants} tenants`,
  );
  console.log(formatGeoip(loaded.snapshot));
  return EXIT.good;
}

/** Modules of handlers are loaded too, for what is wrong with them shows in no other way. */
async function loadAll(
  config: string,
): Promise<LoadedSnapshot | Extract<LoadedHandlers, { readonly kind: "errors" }>> {
  const loaded = await loadSnapshot(config);
  if (loaded.kind === "errors") return loaded;
  const onEvent = ({ message }: HandlerEvent): void => console.error(escapeUnprintable(message));
  const started = await loadHandlers(loaded.snapshot, { onEvent });
  if (started.kind === "errors") return started;
  await started.handlers.close();
  return loaded;
}
