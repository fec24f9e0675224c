/** Named points on the earth, and countries. */

import type { Coordinates } from "./distance.ts";

/** Codes of continents, as GeoIP databases have them. */
export const continents = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"] as const;
export type Continent = (typeof continents)[number];

/** Where something is; `country` is an ISO 3166 alpha-2 code. */
export interface Place {
  readonly city?: string;
  readonly country?: string;
  readonly coordinates: Coordinates;
}

/** What is known of a country beside its code: one point for all of it, and the continent it belongs to. */
export interface Country {
  readonly place: Place;
  readonly continent: Continent;
}
