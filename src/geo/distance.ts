/** Great-circle distances, and candidates put in order by them. */

/** Latitude and longitude in degrees. */
export type Coordinates = readonly [latitude: number, longitude: number];

/** Something with an id that stands at a point: a datacenter, as far as this folder knows. */
export interface Candidate {
  readonly id: string;
  readonly coordinates: Coordinates;
}

/** A candidate and how far away it is. */
export interface CandidateDistance {
  readonly id: string;
  readonly kilometres: number;
}

/** The candidates from the nearest to the farthest; ties go to the smaller id. */
export function orderByDistance(
  from: Coordinates,
  candidates: readonly Candidate[],
): readonly CandidateDistance[] {
  return candidates
    .map(({ id, coordinates }) => ({ id, kilometres: greatCircleKilometres(from, coordinates) }))
    .sort((a, b) => a.kilometres - b.kilometres || (a.id < b.id ? -1 : Number(a.id > b.id)));
}

/** The distance over the surface of the earth, taken as a sphere (haversine formula). */
export function greatCircleKilometres(a: Coordinates, b: Coordinates): number {
  const latitudeA = a[0] * RADIANS_PER_DEGREE;
  const latitudeB = b[0] * RADIANS_PER_DEGREE;
  const sinLatitude = Math.sin((latitudeB - latitudeA) / 2);
  const sinLongitude = Math.sin(((b[1] - a[1]) * RADIANS_PER_DEGREE) / 2);
  const haversine = sinLatitude ** 2 + Math.cos(latitudeA) * Math.cos(latitudeB) * sinLongitude ** 2;
  // Rounding can carry antipodes just above 1, where asin is NaN.
  return 2 * MEAN_EARTH_RADIUS_KILOMETRES * Math.asin(Math.sqrt(Math.min(1, haversine)));
}

/** The mean radius R1 of the IUGG, rounded as in GRS 80. */
const MEAN_EARTH_RADIUS_KILOMETRES = 6371.0088;

const RADIANS_PER_DEGREE = Math.PI / 180;
