/** Looks for what is no error and still not meant: each rule over a whole configuration, without what is silenced. */

import { allAtHome, allUp } from "../cloud/states.ts";
import type { LintRule } from "../config/lint-rules.ts";
import type { Origins } from "../config/origins.ts";
import type { Spot } from "../config/tenants-builder.ts";
import type { ConfigError } from "../config/yaml-document.ts";
import type { GeoipDatabase } from "../geo/geoip.ts";
import { buildLocationTable } from "../geo/location-table.ts";
import { type Snapshot, withStates } from "../snapshot.ts";
import { findIdleDatacenters, findLonelyTenants, findLongTtls } from "./datacenters.ts";
import type { Finding, Subject } from "./finding.ts";
import { findLongChains, findLostAliases, findSovereignLeaks, findZonesWithoutAddresses } from "./names.ts";
import { findIdleNetworks } from "./networks.ts";

export interface Warning extends ConfigError {
  readonly rule: LintRule;
}

export interface LintReport {
  /** in the order of files, lines and columns */
  readonly warnings: readonly Warning[];
  /** how many were found beside them, and silenced by name or by a comment */
  readonly silencedCount: number;
}

const finders: readonly ((subject: Subject) => Iterable<Finding>)[] = [
  findIdleNetworks,
  findIdleDatacenters,
  findLonelyTenants,
  findLongTtls,
  findLostAliases,
  findLongChains,
  findSovereignLeaks,
  findZonesWithoutAddresses,
];

export function lint(
  snapshot: Snapshot,
  { origins, geoip }: { readonly origins: Origins; readonly geoip: GeoipDatabase | undefined },
  silenced: ReadonlySet<LintRule>,
): LintReport {
  const { countries, settings } = snapshot.configuration;
  const { location, defaultPlace } = settings;
  const subject: Subject = {
    snapshot: withStates(snapshot, allUp, allAtHome),
    withoutNetworks: buildLocationTable({
      networks: [],
      geoip: location.byGeoip ? geoip : undefined,
      findCountry: (code) => countries.get(code),
      defaultPlace,
      overrides: location,
      isAtDefault: location.unlocated === "default",
    }),
    origins,
  };
  const warnings: Warning[] = [];
  let silencedCount = 0;
  for (const { rule, spot, message } of finders.flatMap((find) => [...find(subject)])) {
    if (silenced.has(rule) || isSilencedThere(rule, spot)) silencedCount++;
    else warnings.push({ rule, ...spot.source.errorAt(spot.place, message) });
  }
  return { warnings: warnings.toSorted(byPlace), silencedCount };
}

const textOf = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

const byPlace = (a: Warning, b: Warning): number =>
  textOf(a.place.file, b.place.file) ||
  a.place.line - b.place.line ||
  a.place.column - b.place.column ||
  textOf(a.rule, b.rule) ||
  textOf(a.message, b.message);

/** A comment in YAML or in a master file. */
const silence = /[#;]\s*lint: silence ([a-z, -]+)/;
const comment = /^\s*[#;]/;

/** Whether a comment at the end of the line, or on lines right above it, silences a rule. */
function isSilencedThere(rule: LintRule, { source, place }: Spot): boolean {
  const lineAt = (line: number): string => source.errorAt({ ...place, line }, "").sourceLine;
  const isNamedIn = (line: string): boolean =>
    silence.exec(line)?.[1]?.split(/[ ,]+/).includes(rule) ?? false;
  if (isNamedIn(lineAt(place.line))) return true;
  for (let line = place.line - 1; line > 0 && comment.test(lineAt(line)); line--) {
    if (isNamedIn(lineAt(line))) return true;
  }
  return false;
}
