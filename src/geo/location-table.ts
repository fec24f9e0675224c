/** Where every address is, and which candidates are nearest to it, each with the widest prefix it holds for. */

import { type IpAddress, type IpPrefix, parsePrefix } from "../ip.ts";
import { type Candidate, orderByDistance } from "./distance.ts";
import {
  type FamilyTables,
  joinFamilies,
  lookupAddress,
  mapTables,
  overlayTables,
  uniformTables,
} from "./family-tables.ts";
import type { GeoipDatabase, GeoipLocation } from "./geoip.ts";
import type { Place } from "./place.ts";
import { mapValues, overlayPrefixes } from "./prefix-table-builder.ts";

/** Where a client is taken to be, and how that is known. */
export type Location =
  | { readonly kind: "network"; readonly network: string; readonly place: Place }
  | { readonly kind: "geoip"; readonly country?: string; readonly place: Place }
  | { readonly kind: "default"; readonly place: Place };

type GeoipKind = Extract<Location, { readonly kind: "geoip" }>;

/** One prefix of a named network. */
export interface NetworkPrefix {
  readonly name: string;
  readonly prefix: IpPrefix;
  readonly place: Place;
}

/** The location of every address; the values of the tables are indexes of `locations`. */
export interface LocationTable extends FamilyTables {
  readonly locations: readonly Location[];
}

/**
 * Merges networks, GeoIP and the default location. Networks beat GeoIP, the longest prefix wins among networks,
 * and GeoIP's own coordinates beat the place of its country. A country without a place keeps its name, and is at the
 * default place. No prefix may be given twice.
 */
export function buildLocationTable(sources: {
  readonly networks: readonly NetworkPrefix[];
  readonly geoip: GeoipDatabase | undefined;
  readonly countryPlace: (country: string) => Place | undefined;
  readonly defaultPlace: Place;
}): LocationTable {
  const { networks, geoip, countryPlace, defaultPlace } = sources;
  const locations = new Indexer<Location>();
  const defaultIndex = locations.indexOf("default", Object.freeze({ kind: "default", place: defaultPlace }));
  const geoipIndexes = geoip?.locations.map((found) => {
    const location = found && geoipLocation(found, countryPlace, defaultPlace);
    return location === undefined ? defaultIndex : locations.indexOf(geoipKey(location), location);
  });
  const networkValues = networks.map(({ name, prefix, place }) => ({
    prefix,
    value: locations.indexOf(`network ${name}`, Object.freeze({ kind: "network", network: name, place })),
  }));
  const base =
    geoip === undefined
      ? uniformTables(defaultIndex)
      : geoipTables(geoip, (value) => geoipIndexes?.[value] ?? defaultIndex, defaultIndex);
  return Object.freeze({ locations: locations.items, ...overlayTables(base, networkValues) });
}

function geoipTables(
  { family4, family6 }: GeoipDatabase,
  indexOf: (value: number) => number,
  defaultIndex: number,
): FamilyTables {
  const prefix = parsePrefix(TEREDO);
  if (typeof prefix === "string") throw new Error(prefix);
  return joinFamilies(
    mapValues(family4, indexOf),
    overlayPrefixes(mapValues(family6, indexOf), [{ prefix, value: defaultIndex }]),
  );
}

/** Whatever a database says of these addresses is about the relay: the client's own is in them, disguised (RFC 4380 §4). */
const TEREDO = "2001::/32";

/** Where an address is, and the widest prefix around it that is all there. */
export function locateAddress(
  table: LocationTable,
  address: IpAddress,
): { readonly location: Location; readonly prefixLength: number } {
  const { value, prefixLength } = lookupAddress(table, address);
  return { location: itemAt(table.locations, value), prefixLength };
}

/** The country of a location: that of the network's place, that of GeoIP, or that of the default place. */
export function countryOf(location: Location): string | undefined {
  return location.kind === "geoip" ? location.country : location.place.country;
}

/** Candidates in order for each location. */
export interface CandidateOrders {
  /** Ids of the candidates, the nearest first; no two lists are the same. */
  readonly lists: readonly (readonly string[])[];
  /** by the index of a location, the index of its list */
  readonly listIndexes: readonly number[];
}

export function orderCandidates(
  { locations }: LocationTable,
  candidates: readonly Candidate[],
): CandidateOrders {
  const lists = new Indexer<readonly string[]>();
  const listIndexes = locations.map(({ place }) => {
    const list = orderByDistance(place.coordinates, candidates).map(({ id }) => id);
    return lists.indexOf(JSON.stringify(list), Object.freeze(list));
  });
  return Object.freeze({ lists: lists.items, listIndexes });
}

/** The order of one set of candidates for every address; the values of the tables are indexes of `lists`. */
export interface CandidateTable extends FamilyTables {
  readonly lists: CandidateOrders["lists"];
}

/** Puts the candidates in order for each location; addresses with the same order become one class. */
export function buildCandidateTable(table: LocationTable, candidates: readonly Candidate[]): CandidateTable {
  const { lists, listIndexes } = orderCandidates(table, candidates);
  return Object.freeze({ lists, ...buildClassTables(table, listIndexes) });
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

/** The location of a GeoIP entry; undefined where it gives neither coordinates nor a country. */
function geoipLocation(
  found: GeoipLocation,
  countryPlace: (country: string) => Place | undefined,
  defaultPlace: Place,
): GeoipKind | undefined {
  const { country } = found;
  const place =
    ownPlace(found) ?? (country === undefined ? undefined : (countryPlace(country) ?? defaultPlace));
  return place && Object.freeze({ kind: "geoip", ...(country !== undefined && { country }), place });
}

function ownPlace({ country, city, coordinates }: GeoipLocation): Place | undefined {
  return (
    coordinates &&
    Object.freeze({
      ...(city !== undefined && { city }),
      ...(country !== undefined && { country }),
      coordinates,
    })
  );
}

/** The same for entries that differ only in what a location leaves out (continent, subdivision). */
function geoipKey({ country, place }: GeoipKind): string {
  return `geoip ${JSON.stringify([country, place.city, place.coordinates])}`;
}

/** Gives each key one index, and keeps the first item that came with it. */
class Indexer<Item> {
  readonly #indexes = new Map<string, number>();
  readonly #items: Item[] = [];

  get items(): readonly Item[] {
    return Object.freeze([...this.#items]);
  }

  indexOf(key: string, item: Item): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#items.push(item) - 1;
    this.#indexes.set(key, index);
    return index;
  }
}

function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index} among ${items.length}`);
  return item;
}
