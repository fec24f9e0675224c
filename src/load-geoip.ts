/** From the choice of a GeoIP database to the database, read whole and checked, or to what is wrong with it. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { Configuration, Settings } from "./config/configuration.ts";
import { reasonOf } from "./config/documents.ts";
import { escapeUnprintable } from "./config/printable.ts";
import type { ConfigError } from "./config/yaml-document.ts";
import { findEmbeddedDatabase, type GeoipDatabase, openGeoip } from "./geo/geoip.ts";
import { versionOf, type WatchedFile } from "./watch.ts";

export type LoadedGeoip =
  | {
      readonly kind: "loaded";
      readonly database: GeoipDatabase | undefined;
      readonly warnings: readonly string[];
      /** the file that the configuration names, in the version that was read */
      readonly files: readonly WatchedFile[];
    }
  | { readonly kind: "error"; readonly error: ConfigError };

export function loadGeoip(
  choice: Settings["geoipDatabase"],
  [configFile = ""]: Configuration["files"],
): LoadedGeoip {
  switch (choice.kind) {
    case "none":
      return { kind: "loaded", database: undefined, warnings: [], files: [] };
    case "embedded": {
      const path = findEmbeddedDatabase();
      if (path === undefined) {
        return { kind: "loaded", database: undefined, warnings: [NOT_INSTALLED], files: [] };
      }
      const opened = open(path);
      if (typeof opened !== "string") return { kind: "loaded", ...opened, warnings: [], files: [] };
      const place = { file: configFile, line: 1, column: 1 };
      const message = `the embedded GeoIP database ${opened}; install it anew with npm ci, or set geoip.database`;
      return { kind: "error", error: { place, sourceLine: "", message } };
    }
    case "file": {
      const { path, place, sourceLine } = choice;
      const opened = open(path);
      if (typeof opened !== "string") {
        const { database, version } = opened;
        return { kind: "loaded", database, warnings: [], files: [{ path, version }] };
      }
      return {
        kind: "error",
        error: { place, sourceLine, message: `"${escapeUnprintable(path)}" ${opened}` },
      };
    }
  }
}

const NOT_INSTALLED =
  "the embedded GeoIP database is not installed, so public addresses are taken to be at the default location; " +
  "run npm ci without --omit=optional, or set geoip.database to none or to the path of an .mmdb file";

/** The database at a path, or why there is none, in words that follow its name. */
function open(path: string): { readonly database: GeoipDatabase; readonly version: string } | string {
  let read: ReturnType<typeof readWhole>;
  try {
    read = readWhole(path);
  } catch (error) {
    return `cannot be read: ${reasonOf(error)}`;
  }
  try {
    return { database: openGeoip(read.octets), version: read.version };
  } catch (error) {
    return `cannot be used as a GeoIP database: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** All octets of one version of a file: where it is written meanwhile, what was read may be of two. */
function readWhole(path: string): { readonly octets: Buffer; readonly version: string } {
  // A pipe that nobody writes to would be waited for without the flag.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = fstatSync(file, { bigint: true });
    if (before.isDirectory()) throw new Error("it is a folder; name the .mmdb file in it");
    if (!before.isFile()) throw new Error("it is no file");
    const octets = readFileSync(file);
    const version = versionOf(before);
    const after = fstatSync(file, { bigint: true });
    if (versionOf(after) !== version || BigInt(octets.length) !== after.size) {
      throw new Error("it is being written; try again when it is whole");
    }
    return { octets, version };
  } finally {
    closeSync(file);
  }
}
