/** Where every address is, and the widest prefix that is there. */

import { type IpAddress, type IpPrefix, parsePrefix } from "../ip.ts";
import {
  type FamilyTables,
  joinFamilies,
  lookupAddress,
  overlayTables,
  uniformTables,
} from "./family-tables.ts";
import type { GeoipDatabase, GeoipLocation } from "./geoip.ts";
import { Indexer, itemAt } from "./indexer.ts";
import type { Continent, Country, Place } from "./place.ts";
import { mapValues, overlayPrefixes } from "./prefix-table-builder.ts";

/** Where a client is taken to be, and how that is known. */
export type Location =
  | { readonly kind: "network"; readonly network: string; readonly place: Place }
  | {
      readonly kind: "geoip";
      readonly country?: string;
      /** where no country that is known here tells it */
      readonly continent?: Continent;
      readonly place: Place;
      /** whose place it is, where not the country's or the address's own: `US-CA`, `NO`, `continent AF` */
      readonly override?: string;
    }
  | { readonly kind: "default"; readonly place: Place }
  /** nowhere, but for the continent that GeoIP may tell; distances that are shown are those from the default place */
  | { readonly kind: "unlocated"; readonly continent?: Continent; readonly place: Place };

/** One prefix of a named network. */
export interface NetworkPrefix {
  readonly name: string;
  readonly prefix: IpPrefix;
  readonly place: Place;
}

/** Places that an operator gives to what GeoIP finds; the most specific one counts. */
export interface PlaceOverrides {
  /** by ISO 3166-2 code: `US-CA` */
  readonly subdivisions: ReadonlyMap<string, Place>;
  /** by ISO 3166 alpha-2 code */
  readonly countries: ReadonlyMap<string, Place>;
  readonly continents: ReadonlyMap<Continent, Place>;
}

const noOverrides: PlaceOverrides = {
  subdivisions: new Map(),
  countries: new Map(),
  continents: new Map(),
};

/** The location of every address; the values of the tables are indexes of `locations`. */
export interface LocationTable extends FamilyTables {
  readonly locations: readonly Location[];
}

/** What locates addresses. */
export interface LocationSources {
  readonly networks: readonly NetworkPrefix[];
  readonly geoip: GeoipDatabase | undefined;
  readonly findCountry: (code: string) => Country | undefined;
  readonly defaultPlace: Place;
  readonly overrides?: PlaceOverrides;
  /** whether who is not located otherwise is at the default place; true where not said */
  readonly isAtDefault?: boolean;
}

/**
 * Merges networks, GeoIP and the default location. Networks beat GeoIP, and the longest prefix wins among networks. What
 * GeoIP finds is at the place given to its subdivision, country or continent, else at its own coordinates, else at the
 * place of its country. A country without a place keeps its name, and a continent alone its code: they are at the default
 * place, a continent only if who is not located is. No prefix may be given twice.
 */
export function buildLocationTable(sources: LocationSources): LocationTable {
  const { networks, geoip, defaultPlace, isAtDefault = true } = sources;
  const locations = new Indexer<Location>();
  const otherwise: Location = { kind: isAtDefault ? "default" : "unlocated", place: defaultPlace };
  const defaultIndex = locations.indexOf(otherwise.kind, Object.freeze(otherwise));
  const geoipIndexes = geoip?.locations.map((found) => {
    const location = found && geoipLocation(found, sources);
    // Entries that differ only in what a location leaves out, as the subdivision, are one.
    return location === undefined ? defaultIndex : locations.indexOf(JSON.stringify(location), location);
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

/** The country of a location: that of the network's place, that of GeoIP, or that of the default place; nowhere is in none. */
export function countryOf(location: Location): string | undefined {
  switch (location.kind) {
    case "geoip":
      return location.country;
    case "network":
    case "default":
      return location.place.country;
    case "unlocated":
      return undefined;
    default:
      return location satisfies never;
  }
}

/** The continent of its country, else the one that GeoIP says. */
export function continentOf(
  location: Location,
  findContinent: (country: string) => Continent | undefined,
): Continent | undefined {
  const country = countryOf(location);
  const ofCountry = country === undefined ? undefined : findContinent(country);
  return ofCountry ?? ("continent" in location ? location.continent : undefined);
}

/** What GeoIP says of a location beside its place: the country, or else the continent; undefined where neither. */
export function geoipName(location: Location): string | undefined {
  const country = location.kind === "geoip" ? location.country : undefined;
  const continent = "continent" in location ? location.continent : undefined;
  return country ?? (continent && `continent ${continent}`);
}

/** A location in a word: the network, or what GeoIP says. */
export function locationName(location: Location): string {
  switch (location.kind) {
    case "network":
      return location.network;
    case "geoip":
      return geoipName(location) ?? location.place.city ?? "GeoIP";
    case "default":
      return "default location";
    case "unlocated":
      return "not located";
    default:
      return location satisfies never;
  }
}

/** The location of a GeoIP entry; undefined where it gives nothing that locates. */
function geoipLocation(
  found: GeoipLocation,
  { overrides = noOverrides, findCountry, defaultPlace, isAtDefault = true }: LocationSources,
): Location | undefined {
  const { country } = found;
  const known = country === undefined ? undefined : findCountry(country);
  const continent = known === undefined ? found.continent : undefined;
  const given = findOverride(found, overrides, known?.continent ?? continent);
  const place = given?.place ?? ownPlace(found) ?? known?.place;
  const isToldAlone = place === undefined && country === undefined;
  if (isToldAlone && continent === undefined) return undefined;
  if (isToldAlone && !isAtDefault) {
    return Object.freeze({ kind: "unlocated", ...(continent && { continent }), place: defaultPlace });
  }
  return Object.freeze({
    kind: "geoip",
    ...(country !== undefined && { country }),
    ...(continent !== undefined && { continent }),
    place: place ?? defaultPlace,
    ...(given !== undefined && { override: given.code }),
  });
}

/** The place that an operator gives to the subdivision, else to the country, else to the continent. */
function findOverride(
  { country, subdivision }: GeoipLocation,
  { subdivisions, countries, continents }: PlaceOverrides,
  continent: Continent | undefined,
): { readonly code: string; readonly place: Place } | undefined {
  // A database has the part behind the country's code alone, or a name, which is nothing to go by.
  const code = `${country}-${subdivision}`.toUpperCase();
  const ofSubdivision = subdivisions.get(code);
  if (ofSubdivision !== undefined) return { code, place: ofSubdivision };
  const ofCountry = country === undefined ? undefined : countries.get(country);
  if (country !== undefined && ofCountry !== undefined) return { code: country, place: ofCountry };
  const ofContinent = continent === undefined ? undefined : continents.get(continent);
  return continent === undefined || ofContinent === undefined
    ? undefined
    : { code: `continent ${continent}`, place: ofContinent };
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
