/** From the path of a configuration to a snapshot, or to every error found on the way. */

import { basename, dirname, join } from "node:path";
import { type Operations, statesFrom, statusOf } from "./cloud/operations.ts";
import { formatWithout, operationsInEffect, placesFrom } from "./cloud/operations-in-effect.ts";
import { alternativesOf } from "./config/build-zones.ts";
import type { Configuration } from "./config/configuration.ts";
import { loadConfig, sortErrors } from "./config/load.ts";
import type { Origins } from "./config/origins.ts";
import { type ConfigError, formatPlace } from "./config/yaml-document.ts";
import type { GeoipDatabase } from "./geo/geoip.ts";
import type { LoadedGeoip } from "./load-geoip.ts";
import { buildSnapshot, type Snapshot } from "./snapshot.ts";
import { FileStateStore } from "./state/file-state-store.ts";
import { resumeState } from "./state/state.ts";
import { MemoryStateStore, type StateStore } from "./state/state-store.ts";
import { readSince, type WatchedFile } from "./watch.ts";
import { withSerial } from "./zone/zone.ts";

/** With `watched`, the files that were read: a change of one of them is a reason to load anew. */
export type LoadedSnapshot =
  | {
      readonly kind: "loaded";
      readonly snapshot: Snapshot;
      readonly warnings: readonly string[];
      /** what operators and probes have said, all that is kept, whether or not this configuration knows what it is about */
      readonly operations: Operations;
      /** where they are kept, for the next load and for changes */
      readonly store: StateStore;
      readonly watched: readonly WatchedFile[];
      /** where it is written, if that is to be kept, and what GeoIP says beside its networks */
      readonly background: Background | undefined;
    }
  | {
      readonly kind: "errors";
      readonly errors: readonly ConfigError[];
      /** whether it is the GeoIP database alone that cannot be used */
      readonly isGeoipAlone: boolean;
      readonly watched: readonly WatchedFile[];
    };

/** What a snapshot was made from, and no answer needs. */
export interface Background {
  readonly origins: Origins;
  readonly geoip: GeoipDatabase | undefined;
}

/** Where state is kept. */
export type StateFileChoice = Configuration["settings"]["stateFile"];

export interface LoadOptions {
  /** Whether what is new is kept; else nothing is written anywhere. */
  readonly keepState?: boolean;
  /** that of the load before: it knows what it could not write, and is used until the server stops */
  readonly store?: StateStore;
  /** instead of what the configuration says */
  readonly stateFile?: StateFileChoice | undefined;
  /** whether the loaded snapshot comes with what it was made from */
  readonly keepBackground?: boolean;
}

/** Goes on from the state that is kept; its datacenters are in the states that operators and probes have left them in. */
export async function loadSnapshot(configPath: string, options: LoadOptions = {}): Promise<LoadedSnapshot> {
  const startedAt = Date.now();
  const loaded = loadConfig(configPath, { keepOrigins: options.keepBackground });
  const watch = (paths: readonly string[]): readonly WatchedFile[] =>
    paths.map((path) => readSince(path, startedAt));
  if (loaded.kind === "errors") {
    const { errors, geoipDatabase, files, namedFiles } = loaded;
    // Only the file that was named is worth the time, so that what is wrong with it is told with the rest.
    const geoip = geoipDatabase.kind === "file" ? await openGeoip(geoipDatabase, files) : undefined;
    const all = geoip?.kind === "error" ? sortErrors([...errors, geoip.error]) : errors;
    const geoipFiles = geoipDatabase.kind === "file" ? [geoipDatabase.path] : [];
    const watched = watch([...files, ...namedFiles, ...geoipFiles]);
    return { kind: "errors", errors: all, isGeoipAlone: false, watched };
  }
  const { configuration } = loaded;
  const { settings, clouds } = configuration;
  const configWarnings = loaded.warnings.map(({ place, message }) => `${formatPlace(place)}: ${message}`);
  const geoip = await openGeoip(settings.geoipDatabase, configuration.files);
  const { files, namedFiles } = configuration;
  const ofConfiguration = watch([...files, ...namedFiles]);
  if (geoip.kind === "error") {
    const { geoipDatabase } = settings;
    const geoipFiles = geoipDatabase.kind === "file" ? watch([geoipDatabase.path]) : [];
    const watched = [...ofConfiguration, ...geoipFiles];
    return { kind: "errors", errors: [geoip.error], isGeoipAlone: true, watched };
  }
  const now = Date.now();
  const store = options.store ?? openStore(configuration, options.stateFile);
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
    tenantPlaces: placesFrom(inEffect.operations, clouds),
    cookieSecrets: settings.cookieSecrets.length > 0 ? settings.cookieSecrets : cookieSecrets,
  });
  const all = [...configWarnings, ...geoip.warnings, ...warnings, formatWithout(inEffect) ?? []].flat();
  return {
    kind: "loaded",
    snapshot,
    warnings: all,
    operations,
    store,
    watched: [...ofConfiguration, ...geoip.files],
    background: loaded.origins && { origins: loaded.origins, geoip: geoip.database },
  };
}

/** What reads databases is loaded for the first one. */
async function openGeoip(
  choice: Configuration["settings"]["geoipDatabase"],
  files: Configuration["files"],
): Promise<LoadedGeoip> {
  if (choice.kind === "none") return { kind: "loaded", database: undefined, warnings: [], files: [] };
  const { loadGeoip } = await import("./load-geoip.ts");
  return loadGeoip(choice, files);
}

/** Several labs in one folder have each their own: a state file is for one server. */
const stateFileOf = (configuration: string): string => {
  const name = basename(configuration).replace(/\.ya?ml$/, "");
  return name === "geodns365" ? "state.json" : `${name}.state.json`;
};

function openStore(
  { settings, files: [first = ""] }: Configuration,
  stateFile: StateFileChoice = settings.stateFile,
): StateStore {
  switch (stateFile.kind) {
    case "none":
      return new MemoryStateStore();
    case "file":
      return new FileStateStore(stateFile.path);
    case "default":
      return new FileStateStore(join(dirname(first), ".geodns365", stateFileOf(first)));
    default:
      return stateFile satisfies never;
  }
}
