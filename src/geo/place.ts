/** A named point on the earth. */

import type { Coordinates } from "./distance.ts";

/** Where something is; `country` is an ISO 3166 alpha-2 code. */
export interface Place {
  readonly city?: string;
  readonly country?: string;
  readonly coordinates: Coordinates;
}
