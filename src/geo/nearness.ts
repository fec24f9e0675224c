/** Candidates in order of nearness: by distance, and by what an operator knows better. */

import { comparePrefixes, formatPrefix, type IpPrefix, prefixContains } from "../ip.ts";
import { type Candidate, orderByDistance } from "./distance.ts";
import { type FamilyTables, overlayTables, uniformTables } from "./family-tables.ts";
import type { Continent, Place } from "./place.ts";

/** What orders candidates. A list comes first, the candidates it leaves out follow by their distances. */
export interface Nearness {
  /** kilometres added to the distance of a candidate, by its id */
  readonly bias: ReadonlyMap<string, number>;
  /** in any order; the most specific row that has a candidate counts for it */
  readonly latency: readonly LatencyRow[];
  /** The longest of these prefixes that holds an address counts, before the lists of countries and continents. */
  readonly networks: readonly ListedNetwork[];
  /** ids by ISO 3166 alpha-2 code */
  readonly countries: ReadonlyMap<string, readonly string[]>;
  readonly continents: ReadonlyMap<Continent, readonly string[]>;
  /** how many candidates a list has at the most; undefined: all */
  readonly maxCandidates: number | undefined;
}

/** Nothing but distance. */
export const byDistance: Nearness = {
  bias: new Map(),
  latency: [],
  networks: [],
  countries: new Map(),
  continents: new Map(),
  maxCandidates: undefined,
};

/** Whether nothing but distance and bias orders candidates: by lists and latencies, a class may be for several reasons. */
export function isByDistance({ latency, networks, countries, continents }: Nearness): boolean {
  return latency.length + networks.length + countries.size + continents.size === 0;
}

/** A prefix, and the name of the network that it was written by. */
export interface NamedPrefix {
  readonly network: string | undefined;
  readonly prefix: IpPrefix;
}

export interface ListedNetwork extends NamedPrefix {
  readonly ids: readonly string[];
}

/** Measured round trips from somewhere. */
export interface LatencyRow {
  readonly from:
    | ({ readonly kind: "network" } & NamedPrefix)
    | { readonly kind: "city"; readonly city: string }
    | { readonly kind: "country"; readonly country: string }
    | { readonly kind: "continent"; readonly continent: Continent };
  /** by the id of a candidate; for one that is not here a less specific row counts, or its distance */
  readonly milliseconds: ReadonlyMap<string, number>;
}

/**
 * A millisecond of round trip in kilometres of distance, so that candidates with and without a measurement, and biases,
 * can be compared: light in fibre makes 200 km a millisecond, and has to come back.
 */
export const KILOMETRES_PER_MILLISECOND = 100;

/** What counts of an address. */
export interface Site {
  readonly place: Place;
  readonly country: string | undefined;
  readonly continent: Continent | undefined;
  readonly prefixRule: PrefixRule;
}

/** What is said of the prefixes that hold an address. */
export interface PrefixRule {
  /** of the longest prefix with a list */
  readonly listed: ListedNetwork | undefined;
  /** rows of prefixes, the longest first */
  readonly latency: readonly LatencyRow[];
}

export const noPrefixRule: PrefixRule = { listed: undefined, latency: [] };

/** Which addresses have which rule by prefix; the values of the tables are indexes of `rules`. */
export interface PrefixRules extends FamilyTables {
  readonly rules: readonly PrefixRule[];
}

export function buildPrefixRules({ networks, latency }: Nearness): PrefixRules | undefined {
  const own = new Map<string, { prefix: IpPrefix; listed?: ListedNetwork; row?: LatencyRow }>();
  for (const listed of networks) own.set(formatPrefix(listed.prefix), { prefix: listed.prefix, listed });
  for (const row of latency) {
    if (row.from.kind !== "network") continue;
    const { prefix } = row.from;
    own.set(formatPrefix(prefix), { ...own.get(formatPrefix(prefix)), prefix, row });
  }
  if (own.size === 0) return undefined;
  const rules: PrefixRule[] = [noPrefixRule];
  const around: { readonly prefix: IpPrefix; readonly rule: PrefixRule }[] = [];
  const values = [...own.values()]
    .toSorted((a, b) => comparePrefixes(a.prefix, b.prefix))
    .map(({ prefix, listed, row }) => {
      for (let last = around.at(-1); last && !prefixContains(last.prefix, prefix); last = around.at(-1)) {
        around.pop();
      }
      const outer = around.at(-1)?.rule ?? noPrefixRule;
      const rule: PrefixRule = {
        listed: listed ?? outer.listed,
        latency: row === undefined ? outer.latency : [row, ...outer.latency],
      };
      around.push({ prefix, rule });
      return { prefix, value: rules.push(rule) - 1 };
    });
  return { rules, ...overlayTables(uniformTables(0), values) };
}

/** The list that orders the candidates of a site first, and whose it is. */
export interface OrderList {
  readonly words: string;
  readonly ids: readonly string[];
}

export function findList(
  { countries, continents }: Nearness,
  { country, continent, prefixRule: { listed } }: Site,
): OrderList | undefined {
  if (listed !== undefined) return { words: formatNamedPrefix(listed), ids: listed.ids };
  const ofCountry = country === undefined ? undefined : countries.get(country);
  if (ofCountry !== undefined) return { words: `country ${country}`, ids: ofCountry };
  const ofContinent = continent === undefined ? undefined : continents.get(continent);
  return ofContinent && { words: `continent ${continent}`, ids: ofContinent };
}

/** The rows that measure round trips of a site, the most specific first. */
export function findLatency(
  { latency }: Nearness,
  { place, country, continent, prefixRule }: Site,
): readonly LatencyRow[] {
  if (latency.length === 0) return [];
  return [
    ...prefixRule.latency,
    ...latency.filter(({ from }) => from.kind === "city" && from.city === place.city),
    ...latency.filter(({ from }) => from.kind === "country" && from.country === country),
    ...latency.filter(({ from }) => from.kind === "continent" && from.continent === continent),
  ];
}

/** A candidate, and why it stands where it does. */
export interface RankedCandidate {
  readonly id: string;
  readonly kilometres: number;
  readonly biasKilometres: number;
  /** replaces the distance */
  readonly latency: { readonly milliseconds: number; readonly words: string } | undefined;
  readonly isListed: boolean;
}

/** The candidates of a site, the nearest first; ties go to the smaller id. */
export function rankCandidates(
  nearness: Nearness,
  candidates: readonly Candidate[],
  site: Site,
): readonly RankedCandidate[] {
  const rows = findLatency(nearness, site);
  const ranks = new Map((findList(nearness, site)?.ids ?? []).map((id, rank) => [id, rank]));
  const ranked = orderByDistance(site.place.coordinates, candidates).map(({ id, kilometres }) => {
    const row = rows.find(({ milliseconds }) => milliseconds.has(id));
    const milliseconds = row?.milliseconds.get(id);
    return {
      id,
      kilometres,
      biasKilometres: nearness.bias.get(id) ?? 0,
      latency:
        row === undefined || milliseconds === undefined
          ? undefined
          : { milliseconds, words: formatLatencyRow(row) },
      isListed: ranks.has(id),
    };
  });
  const rankOf = ({ id }: RankedCandidate): number => ranks.get(id) ?? ranks.size;
  return ranked
    .sort(
      (a, b) => rankOf(a) - rankOf(b) || costOf(a) - costOf(b) || (a.id < b.id ? -1 : Number(a.id > b.id)),
    )
    .slice(0, nearness.maxCandidates);
}

const costOf = ({ kilometres, biasKilometres, latency }: RankedCandidate): number =>
  (latency === undefined ? kilometres : latency.milliseconds * KILOMETRES_PER_MILLISECOND) + biasKilometres;

const formatNamedPrefix = ({ network, prefix }: NamedPrefix): string =>
  network === undefined ? `network ${formatPrefix(prefix)}` : `network ${network} ${formatPrefix(prefix)}`;

/** Where a row measures from. */
export function formatLatencyRow({ from }: LatencyRow): string {
  switch (from.kind) {
    case "network":
      return formatNamedPrefix(from);
    case "city":
      return `city ${from.city}`;
    case "country":
      return `country ${from.country}`;
    case "continent":
      return `continent ${from.continent}`;
    default:
      return from satisfies never;
  }
}
