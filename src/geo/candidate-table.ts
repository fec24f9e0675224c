/** Which candidates are nearest to every address, and the widest prefix that has the same list of them. */

import type { IpAddress } from "../ip.ts";
import type { Candidate } from "./distance.ts";
import {
  combineFamilies,
  type FamilyTables,
  lookupAddress,
  mapTables,
  uniformTables,
} from "./family-tables.ts";
import { Indexer, itemAt } from "./indexer.ts";
import {
  continentOf,
  countryOf,
  type Location,
  type LocationTable,
  locateAddress,
} from "./location-table.ts";
import {
  buildPrefixRules,
  byDistance,
  findLatency,
  findList,
  type Nearness,
  noPrefixRule,
  type PrefixRule,
  type PrefixRules,
  rankCandidates,
  type Site,
} from "./nearness.ts";
import type { Continent } from "./place.ts";

/** How candidates are put in order. */
export interface Ordering {
  readonly nearness: Nearness;
  readonly findContinent: (country: string) => Continent | undefined;
}

const plainOrdering: Ordering = { nearness: byDistance, findContinent: () => undefined };

/** Ordered lists of candidates, each once. */
export interface CandidateLists {
  /** Ids of the candidates, the nearest first; no two lists are the same. */
  readonly lists: readonly (readonly string[])[];
  /** the index of the empty list of addresses that are nowhere */
  readonly unlocatedIndex: number | undefined;
}

/** The order of one set of candidates for every address; the values of the tables are indexes of `lists`. */
export interface CandidateTable extends FamilyTables, CandidateLists {
  readonly prefixRules: PrefixRules | undefined;
}

/** Puts the candidates in order for each location and rule by prefix; addresses with the same order become one class. */
export function buildCandidateTable(
  table: LocationTable,
  candidates: readonly Candidate[],
  ordering: Ordering = plainOrdering,
): CandidateTable {
  const prefixRules = buildPrefixRules(ordering.nearness);
  const lists = new ListCollector(candidates, ordering);
  if (prefixRules === undefined) {
    const classes = table.locations.map((location) => lists.indexOf(location, noPrefixRule));
    return Object.freeze({ ...lists.found, prefixRules, ...buildClassTables(table, classes) });
  }
  const known = new Map<number, number>();
  const { rules } = prefixRules;
  const classes = combineFamilies(table, prefixRules, (location, rule) => {
    const key = location * rules.length + rule;
    const index = known.get(key) ?? lists.indexOf(itemAt(table.locations, location), itemAt(rules, rule));
    known.set(key, index);
    return index;
  });
  return Object.freeze({ ...lists.found, prefixRules, ...classes });
}

/** The candidates in order of distance for each location. */
export function orderCandidates(
  { locations }: LocationTable,
  candidates: readonly Candidate[],
): CandidateLists & {
  /** by the index of a location, the index of its list */
  readonly listIndexes: readonly number[];
} {
  const lists = new ListCollector(candidates, plainOrdering);
  const listIndexes = locations.map((location) => lists.indexOf(location, noPrefixRule));
  return Object.freeze({ ...lists.found, listIndexes });
}

/** The class of every address, given that of each location. */
export function buildClassTables(table: LocationTable, classes: readonly number[]): FamilyTables {
  const [first = 0] = classes;
  // Where no location counts, half a million ranges of GeoIP need not be read.
  return classes.every((each) => each === first)
    ? uniformTables(first)
    : mapTables(table, (location) => itemAt(classes, location));
}

/** The candidates for an address, the nearest first, and the widest prefix that has the same list. */
export function lookupCandidates(
  table: CandidateTable,
  address: IpAddress,
): { readonly listIndex: number; readonly candidates: readonly string[]; readonly prefixLength: number } {
  const { value, prefixLength } = lookupAddress(table, address);
  return { listIndex: value, candidates: itemAt(table.lists, value), prefixLength };
}

/** What ordered the candidates for an address. */
export function findSite(
  locations: LocationTable,
  { prefixRules }: CandidateTable,
  address: IpAddress,
  findContinent: Ordering["findContinent"],
): Site {
  const { location } = locateAddress(locations, address);
  const rule =
    prefixRules === undefined
      ? noPrefixRule
      : itemAt(prefixRules.rules, lookupAddress(prefixRules, address).value);
  return siteOf(location, rule, findContinent);
}

function siteOf(location: Location, prefixRule: PrefixRule, findContinent: Ordering["findContinent"]): Site {
  return {
    place: location.place,
    country: countryOf(location),
    continent: continentOf(location, findContinent),
    prefixRule,
  };
}

/** Makes the lists of locations and rules by prefix, and numbers them in the order they come up. */
class ListCollector {
  readonly #candidates: readonly Candidate[];
  readonly #ordering: Ordering;
  readonly #lists = new Indexer<readonly string[]>();
  #unlocatedIndex: number | undefined;

  constructor(candidates: readonly Candidate[], ordering: Ordering) {
    this.#candidates = candidates;
    this.#ordering = ordering;
  }

  get found(): CandidateLists {
    return { lists: this.#lists.items, unlocatedIndex: this.#unlocatedIndex };
  }

  indexOf(location: Location, rule: PrefixRule): number {
    const { nearness, findContinent } = this.#ordering;
    const site = siteOf(location, rule, findContinent);
    // Who is nowhere is near nothing, unless something is said of a prefix that holds the address, or of the continent.
    if (location.kind === "unlocated" && !this.#isTold(site)) {
      this.#unlocatedIndex = this.#lists.indexOf("unlocated", Object.freeze([]));
      return this.#unlocatedIndex;
    }
    const list = rankCandidates(nearness, this.#candidates, site).map(({ id }) => id);
    return this.#lists.indexOf(JSON.stringify(list), Object.freeze(list));
  }

  /** Whether a list or a latency of a prefix or continent says anything of these candidates. */
  #isTold(site: Site): boolean {
    const { nearness } = this.#ordering;
    const listed = findList(nearness, site);
    // The city is that of the default place.
    const latency = findLatency(nearness, site).filter(({ from }) => from.kind !== "city");
    return this.#candidates.some(
      ({ id }) => listed?.ids.includes(id) || latency.some(({ milliseconds }) => milliseconds.has(id)),
    );
  }
}
