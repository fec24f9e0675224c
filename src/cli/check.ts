/** `geodns365 check`: every error of a configuration, or what it holds. */

import { formatConfigError } from "../config/load.ts";
import { loadSnapshot } from "../load-snapshot.ts";
import { EXIT } from "./exit.ts";
import { formatGeoip } from "./geoip.ts";

export function check({ config }: { readonly config: string }): number {
  const loaded = loadSnapshot(config);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    const { length } = loaded.errors;
    console.error(length === 1 ? "1 error" : `${length} errors`);
    return EXIT.foundWrong;
  }
  for (const warning of loaded.warnings) console.error(`warning: ${warning}`);
  const { clouds, zones, networks, files } = loaded.snapshot.configuration;
  const tenants = clouds.reduce((sum, cloud) => sum + cloud.tenants.length, 0);
  const cloudNames = clouds.map(({ name }) => name).join(", ");
  console.log(
    `good: ${files.length} files, ${clouds.length} clouds (${cloudNames}), ${zones.size} zones, ${networks.length} networks, ${tenants} tenants`,
  );
  console.log(formatGeoip(loaded.snapshot));
  return EXIT.good;
}
