/** From the path of a configuration to a snapshot, or to every error found on the way. */

import { dirname, join } from "node:path";
import { alternativesOf } from "./config/build-zones.ts";
import type { Configuration } from "./config/configuration.ts";
import { loadConfig, sortErrors } from "./config/load.ts";
import { type ConfigError, formatPlace } from "./config/yaml-document.ts";
import { loadGeoip } from "./load-geoip.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { resumeState } from "./state/state.ts";
import type { WatchedFile } from "./watch.ts";
import { withSerial } from "./zone/zone.ts";

export type LoadedSnapshot =
  | {
      readonly kind: "loaded";
      readonly snapshot: Snapshot;
      readonly warnings: readonly string[];
      /** what was read beside the configuration and may change on its own */
      readonly watched: readonly WatchedFile[];
    }
  | {
      readonly kind: "errors";
      readonly errors: readonly ConfigError[];
      /** whether it is the GeoIP database alone that cannot be used */
      readonly isGeoipAlone: boolean;
    };

/** Goes on from the state file; with `keepState` what is new is written to it, else nothing is written anywhere. */
export function loadSnapshot(configPath: string, { keepState = false } = {}): LoadedSnapshot {
  const loaded = loadConfig(configPath);
  if (loaded.kind === "errors") {
    const { errors, geoipDatabase, files } = loaded;
    // Only the file that was named is worth the time, so that what is wrong with it is told with the rest.
    const geoip = geoipDatabase.kind === "file" ? loadGeoip(geoipDatabase, files) : undefined;
    const all = geoip?.kind === "error" ? sortErrors([...errors, geoip.error]) : errors;
    return { kind: "errors", errors: all, isGeoipAlone: false };
  }
  const { configuration } = loaded;
  const configWarnings = loaded.warnings.map(({ place, message }) => `${formatPlace(place)}: ${message}`);
  const geoip = loadGeoip(configuration.settings.geoipDatabase, configuration.files);
  if (geoip.kind === "error") return { kind: "errors", errors: [geoip.error], isGeoipAlone: true };
  const { serials, cookieSecrets, warnings } = resumeState({
    path: stateFileOf(configuration),
    zones: configuration.zones,
    alternativesOf,
    keep: keepState,
    nowSeconds: Math.floor(Date.now() / 1000),
  });
  const zones = new Map(
    [...configuration.zones].map(([apex, zone]) => [
      apex,
      zone.kind === "records" ? withSerial(zone, serials.get(apex) ?? 0) : zone,
    ]),
  );
  const given = configuration.settings.cookieSecrets;
  const secrets = given.length > 0 ? given : cookieSecrets;
  const snapshot = buildSnapshot({ ...configuration, zones }, geoip.database, { cookieSecrets: secrets });
  return {
    kind: "loaded",
    snapshot,
    warnings: [...configWarnings, ...geoip.warnings, ...warnings],
    watched: geoip.files,
  };
}

function stateFileOf({ settings, files: [first = ""] }: Configuration): string {
  return settings.stateFile ?? join(dirname(first), ".geodns365/state.json");
}
