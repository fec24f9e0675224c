/** What is shipped that a configuration of one's own starts from: clouds by their files, their datacenters, and known cities. */

import { join } from "node:path";
import { readDocuments, suggest } from "../config/documents.ts";
import type { Coordinates } from "../geo/distance.ts";

export interface Shipped {
  /** the folder that holds all of it */
  readonly folder: string;
  readonly countriesFile: string;
  /** those that are on by default first, the largest of them first */
  readonly clouds: readonly ShippedCloud[];
  readonly countries: ReadonlySet<string>;
  readonly cities: readonly City[];
}

export interface ShippedCloud {
  readonly name: string;
  readonly file: string;
  readonly isOff: boolean;
  readonly datacenters: readonly ShippedDatacenter[];
}

export interface ShippedDatacenter {
  readonly cloud: string;
  /** `lhr` */
  readonly id: string;
  readonly city: string;
  readonly geo: string | undefined;
  readonly holdsTenants: boolean;
}

export interface City {
  readonly city: string;
  readonly country: string;
  readonly coordinates: Coordinates;
}

export function readShipped(folder: string): Shipped {
  const { documents, errors } = readDocuments(join(folder, "geodns365.yaml"));
  if (errors.length > 0) throw new Error(`the shipped configuration in ${folder} has errors`);
  const countries = documents.countries.flatMap(({ value }) => Object.entries(value.countries));
  const clouds = documents.clouds.map(({ source, value }) => ({
    name: value.cloud,
    file: source.file,
    isOff: value.enabled === false,
    datacenters: Object.entries(value.datacenters ?? {}).map(([id, { city, geo, roles }]) => ({
      cloud: value.cloud,
      id,
      city,
      geo,
      holdsTenants: roles.includes("tenants"),
    })),
  }));
  const cities = [
    ...countries.map(([country, { city, coordinates }]) => ({ city, country, coordinates })),
    ...documents.clouds.flatMap(({ value }) =>
      Object.values(value.datacenters ?? {}).map(({ city, country, coordinates }) => ({
        city,
        country,
        coordinates,
      })),
    ),
  ];
  return {
    folder,
    countriesFile: documents.countries[0]?.source.file ?? "",
    clouds: clouds.toSorted(
      (a, b) => Number(a.isOff) - Number(b.isOff) || b.datacenters.length - a.datacenters.length,
    ),
    countries: new Set(countries.map(([code]) => code)),
    // Of a city that several know the first counts, which is the country's own.
    cities: [...Map.groupBy(cities, (each) => `${folded(each.city)}, ${each.country}`).values()].flatMap(
      ([first]) => first ?? [],
    ),
  };
}

/** Without case and accents, so that `sao paulo` is Sao Paulo. */
export const folded = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** A city by its name and, where two countries have one, its country; a sentence where none or several are meant. */
export function findCity({ cities }: Shipped, name: string, country?: string): City | string {
  const there = cities.filter((each) => country === undefined || each.country === country);
  const [found, another] = there.filter(({ city }) => folded(city) === folded(name));
  if (found !== undefined && another === undefined) return found;
  if (found !== undefined)
    return `${name} is in several countries; say which, like ${name},${found.country} or ${name},${another?.country}`;
  const near = suggest(
    name,
    there.map(({ city }) => city),
  );
  const where = country === undefined ? "" : ` in ${country}`;
  const withCoordinates = `${name},${country ?? "COUNTRY"},LATITUDE,LONGITUDE`;
  const hint = near.startsWith("; did") ? `${near} or` : ";";
  return `"${name}" is no city known here${where}${hint} give its coordinates: ${withCoordinates}`;
}
