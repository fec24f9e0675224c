/** Loads a configuration: all of it, or every error in its files. */

import { scriptedZones } from "../zone/zone.ts";
import { addCustomDomains, domainRules } from "./build-domains.ts";
import { addNearness } from "./build-nearness.ts";
import { addTenants } from "./build-tenants.ts";
import { buildClouds, buildCountries, buildNetworks, buildSettings, Faults } from "./build-topology.ts";
import { buildZones, quirksOf, wideZonesOf } from "./build-zones.ts";
import type { Configuration, Settings } from "./configuration.ts";
import { readDocuments } from "./documents.ts";
import { documentsInForce } from "./in-force.ts";
import { buildListeners } from "./listeners.ts";
import { Origins } from "./origins.ts";
import { maskUnprintable } from "./printable.ts";
import { type ConfigError, formatPlace } from "./yaml-document.ts";

export type LoadedConfig =
  | {
      readonly kind: "loaded";
      readonly configuration: Configuration;
      readonly warnings: readonly ConfigError[];
      readonly origins: Origins | undefined;
    }
  | {
      readonly kind: "errors";
      readonly errors: readonly ConfigError[];
      /** the choice that was made, so that its file can be checked too */
      readonly geoipDatabase: Settings["geoipDatabase"];
      readonly files: Configuration["files"];
      readonly namedFiles: Configuration["namedFiles"];
    };

export interface LoadConfigOptions {
  /** whether it comes with where it is written, which holds on to all that was read */
  readonly keepOrigins?: boolean | undefined;
}

export function loadConfig(path: string, { keepOrigins = false }: LoadConfigOptions = {}): LoadedConfig {
  const { documents: written, errors } = readDocuments(path);
  const faults = new Faults();
  const documents = documentsInForce(written, faults);
  const networks = buildNetworks(documents.networks, faults);
  const listen = buildListeners(documents, networks, faults);
  const settings = { ...buildSettings(documents.settings, faults), listen };
  const countries = buildCountries(documents.countries, faults);
  const placed = addNearness(buildClouds(documents, settings, faults), documents, networks, faults);
  const rules = domainRules(written.clouds);
  const withTenants = addTenants(placed, documents, faults);
  const { clouds, tenants, domains } = addCustomDomains(withTenants, documents, rules, faults);
  const { zones, placeOfRecord } = buildZones(
    documents,
    { clouds, networks, tenants, domains },
    settings.nameservers,
    faults,
  );
  const all = sortErrors([...errors, ...faults.all()]);
  for (const { handler } of scriptedZones(zones)) faults.namedFiles.add(handler);
  const { files } = documents;
  const namedFiles = [...faults.namedFiles];
  if (all.length > 0) {
    return { kind: "errors", errors: all, geoipDatabase: settings.geoipDatabase, files, namedFiles };
  }
  return {
    kind: "loaded",
    configuration: {
      settings,
      networks,
      countries,
      clouds,
      domainRules: rules,
      zones,
      wideZones: wideZonesOf(documents),
      quirks: quirksOf(documents),
      files,
      namedFiles,
    },
    warnings: sortErrors(faults.warnings),
    origins: keepOrigins ? new Origins(documents, tenants, placeOfRecord) : undefined,
  };
}

/** In the order of files, lines and columns. */
export const sortErrors = (errors: readonly ConfigError[]): readonly ConfigError[] =>
  errors.toSorted(byPlace);

function byPlace({ place: a }: ConfigError, { place: b }: ConfigError): number {
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column;
}

/** An error as `check` and the log print it: place and message, the line, and a mark under the column. */
export function formatConfigError({ place, message, sourceLine }: ConfigError): string {
  const head = `${formatPlace(place)}: ${message}`;
  if (sourceLine.trim() === "") return head;
  // Long lines are cut around the column so that the mark stays under it.
  const start = Math.max(0, place.column - 1 - 80);
  const shown = maskUnprintable(sourceLine.slice(start, start + 140));
  const indent = shown.slice(0, place.column - 1 - start).replace(/[^\t]/g, " ");
  return `${head}\n  ${shown}\n  ${indent}^`;
}
