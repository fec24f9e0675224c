/** From the path of a configuration to a snapshot, or to every error found on the way. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { alternativesOf } from "./config/build-zones.ts";
import type { Configuration, Settings } from "./config/configuration.ts";
import { loadConfig } from "./config/load.ts";
import { type ConfigError, formatPlace } from "./config/yaml-document.ts";
import { findEmbeddedDatabase, type GeoipDatabase, openGeoip } from "./geo/geoip.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { resumeState } from "./state/state.ts";
import { withSerial } from "./zone/zone.ts";

export type LoadedSnapshot =
  | { readonly kind: "loaded"; readonly snapshot: Snapshot; readonly warnings: readonly string[] }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[] };

/** Goes on from the state file; with `keepState` what is new is written to it, else nothing is written anywhere. */
export function loadSnapshot(configPath: string, { keepState = false } = {}): LoadedSnapshot {
  const loaded = loadConfig(configPath);
  if (loaded.kind === "errors") return loaded;
  const { configuration } = loaded;
  const configWarnings = loaded.warnings.map(({ place, message }) => `${formatPlace(place)}: ${message}`);
  const geoip = loadGeoip(configuration.settings.geoipDatabase);
  if (geoip.kind === "error") return { kind: "errors", errors: [geoip.error] };
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
  return { kind: "loaded", snapshot, warnings: [...configWarnings, ...geoip.warnings, ...warnings] };
}

function stateFileOf({ settings, files: [first = ""] }: Configuration): string {
  return settings.stateFile ?? join(dirname(first), ".geodns365/state.json");
}

type LoadedGeoip =
  | {
      readonly kind: "loaded";
      readonly database: GeoipDatabase | undefined;
      readonly warnings: readonly string[];
    }
  | { readonly kind: "error"; readonly error: ConfigError };

function loadGeoip(choice: Settings["geoipDatabase"]): LoadedGeoip {
  switch (choice.kind) {
    case "none":
      return { kind: "loaded", database: undefined, warnings: [] };
    case "embedded": {
      const path = findEmbeddedDatabase();
      if (path !== undefined)
        return { kind: "loaded", database: openGeoip(readFileSync(path)), warnings: [] };
      const warning =
        "the embedded GeoIP database is not installed, so public addresses are taken to be at the default location; " +
        "run npm ci without --omit=optional, or set geoip.database to none or to the path of an .mmdb file";
      return { kind: "loaded", database: undefined, warnings: [warning] };
    }
    case "file": {
      try {
        return { kind: "loaded", database: openGeoip(readFileSync(choice.path)), warnings: [] };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const message = `${choice.path} cannot be used as a GeoIP database: ${reason}`;
        return { kind: "error", error: { place: choice.place, sourceLine: choice.sourceLine, message } };
      }
    }
  }
}
