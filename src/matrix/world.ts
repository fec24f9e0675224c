/** The world on a plane: coastlines, and great circles as the shortest way between two points. */

import { readFileSync } from "node:fs";
import { type GeoPermissibleObjects, geoGraticule10, geoNaturalEarth1, geoPath } from "d3-geo";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import type { Coordinates } from "../geo/distance.ts";

export interface World {
  /** of the picture, in pixels */
  readonly width: number;
  readonly height: number;
  /** path data, as SVG has them */
  readonly land: string;
  readonly graticule: string;
  pointOf(coordinates: Coordinates): Point;
  greatCircle(from: Coordinates, to: Coordinates): string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where the picture ends in the north and in the south: nobody asks from the ice. */
const NORTH = 84;
const SOUTH = -57;
/** Decimals of a pixel; what is finer nobody sees. */
const DIGITS = 1;
/** How far a line may be beside its curve, in pixels. */
const PRECISION = 0.1;

/** Natural Earth's projection and coastlines. */
export function buildWorld(width: number): World {
  const projection = geoNaturalEarth1().precision(PRECISION).fitWidth(width, { type: "Sphere" });
  const [, top] = projection([0, NORTH]) ?? [0, 0];
  const [, bottom] = projection([0, SOUTH]) ?? [0, 0];
  const [x, y] = projection.translate();
  projection.translate([x, y - top]);
  const height = Math.round(bottom - top);
  // Only what can be seen; the lines of the frame itself lie outside.
  projection.clipExtent([
    [-8, -8],
    [width + 8, height + 8],
  ]);
  const path = geoPath(projection).digits(DIGITS);
  const draw = (shape: GeoPermissibleObjects): string => path(shape) ?? "";
  return {
    width,
    height,
    land: draw(readLand()),
    graticule: draw(geoGraticule10()),
    pointOf: ([latitude, longitude]) => {
      const [pointX = 0, pointY = 0] = projection([longitude, latitude]) ?? [];
      return { x: pointX, y: pointY };
    },
    greatCircle: (from, to) =>
      draw({
        type: "LineString",
        coordinates: [from, to].map(([latitude, longitude]) => [longitude, latitude]),
      }),
  };
}

function readLand(): GeoPermissibleObjects {
  const path = new URL(import.meta.resolve("world-atlas/land-110m.json"));
  const atlas: Topology<{ readonly land: GeometryCollection }> = JSON.parse(readFileSync(path, "utf8"));
  return feature(atlas, atlas.objects.land);
}
