/** From the path of a configuration to a snapshot, or to every error found on the way. */

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Operations, statesFrom, statusOf } from "./cloud/operations.ts";
import { formatWithout, operationsInEffect } from "./cloud/operations-in-effect.ts";
import { alternativesOf } from "./config/build-zones.ts";
import type { Configuration, Settings } from "./config/configuration.ts";
import { loadConfig } from "./config/load.ts";
import { type ConfigError, formatPlace } from "./config/yaml-document.ts";
import { findEmbeddedDatabase, type GeoipDatabase, openGeoip } from "./geo/geoip.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { FileStateStore } from "./state/file-state-store.ts";
import { resumeState } from "./state/state.ts";
import { MemoryStateStore, type StateStore } from "./state/state-store.ts";
import { withSerial } from "./zone/zone.ts";

export type LoadedSnapshot =
  | {
      readonly kind: "loaded";
      readonly snapshot: Snapshot;
      readonly warnings: readonly string[];
      /** what operators and probes have said, all that is kept, whether or not this configuration knows what it is about */
      readonly operations: Operations;
      /** where they are kept, for the next load and for changes */
      readonly store: StateStore;
    }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[] };

export interface LoadOptions {
  /** Whether what is new is kept; else nothing is written anywhere. */
  readonly keepState?: boolean;
  /** that of the load before: it knows what it could not write, and is used until the server stops */
  readonly store?: StateStore;
}

/** Goes on from the state that is kept; its datacenters are in the states that operators and probes have left them in. */
export async function loadSnapshot(configPath: string, options: LoadOptions = {}): Promise<LoadedSnapshot> {
  const loaded = loadConfig(configPath);
  if (loaded.kind === "errors") return loaded;
  const { configuration } = loaded;
  const { settings, clouds } = configuration;
  const configWarnings = loaded.warnings.map(({ place, message }) => `${formatPlace(place)}: ${message}`);
  const geoip = loadGeoip(settings.geoipDatabase);
  if (geoip.kind === "error") return { kind: "errors", errors: [geoip.error] };
  const now = Date.now();
  const store = options.store ?? openStore(configuration);
  const { serials, cookieSecrets, operations, warnings } = await resumeState({
    store,
    zones: configuration.zones,
    alternativesOf,
    keep: options.keepState ?? false,
    nowSeconds: Math.floor(now / 1000),
  });
  const zones = new Map(
    [...configuration.zones].map(([apex, zone]) => [
      apex,
      zone.kind === "records" ? withSerial(zone, serials.get(apex) ?? 0) : zone,
    ]),
  );
  const inEffect = operationsInEffect(operations, clouds);
  const datacenters = clouds.flatMap((cloud) => cloud.datacenters);
  const snapshot = buildSnapshot({ ...configuration, zones }, geoip.database, {
    states: statesFrom(statusOf(datacenters, inEffect.operations, now)),
    cookieSecrets: settings.cookieSecrets.length > 0 ? settings.cookieSecrets : cookieSecrets,
  });
  const all = [...configWarnings, ...geoip.warnings, ...warnings, formatWithout(inEffect) ?? []].flat();
  return { kind: "loaded", snapshot, warnings: all, operations, store };
}

function openStore({ settings, files: [first = ""] }: Configuration): StateStore {
  const { stateFile } = settings;
  switch (stateFile.kind) {
    case "none":
      return new MemoryStateStore();
    case "file":
      return new FileStateStore(stateFile.path);
    case "default":
      return new FileStateStore(join(dirname(first), ".geodns365/state.json"));
    default:
      return stateFile satisfies never;
  }
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
