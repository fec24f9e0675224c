// Checks config/countries.yaml against the ISO 3166-1 list and against the country polygons of world-atlas.

import { readFileSync } from "node:fs";
import { geoBounds, geoContains, geoDistance } from "d3-geo";
import type { Feature, MultiPolygon, Polygon, Position } from "geojson";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { alpha2ByNumeric } from "./iso-3166-numeric.ts";

const earthRadiusKm = 6371;

/** How far outside its polygon a point may be, since coastlines are drawn coarsely; Apia is the furthest, 11 km. */
const toleranceKm = 15;

const degrees = (limit: number) => z.number().min(-limit).max(limit).multipleOf(0.01);

const fileSchema = z.strictObject({
  countries: z.record(
    z.string(),
    z.strictObject({
      continent: z.enum(["AF", "AN", "AS", "EU", "NA", "OC", "SA"]),
      city: z.string().regex(/^[A-Z][A-Za-z' -]+$/),
      coordinates: z.tuple([degrees(90), degrees(180)]),
    }),
  ),
});

const text = readFileSync(new URL("../../config/countries.yaml", import.meta.url), "utf8");
const { countries } = fileSchema.parse(parse(text));

/** West, south, east, north; none of those written here crosses the antimeridian. */
type Box = readonly [number, number, number, number];

/** Countries drawn as part of another polygon: where to look, and the box that keeps the rest of it out. */
const drawnWithin: readonly { code: string; within: string; box: Box; reason: string }[] = [
  { code: "BQ", within: "NL", box: [-69, 11.5, -62.5, 18], reason: "special municipalities of NL" },
  { code: "CC", within: "Indian Ocean Ter.", box: [96, -13, 98, -11], reason: "one polygon with CX, no id" },
  {
    code: "CX",
    within: "Indian Ocean Ter.",
    box: [105, -11, 107, -10],
    reason: "one polygon with CC, no id",
  },
  { code: "GF", within: "FR", box: [-55, 2, -51, 6], reason: "overseas department of FR" },
  { code: "GI", within: "ES", box: [-5.4, 36.1, -5.3, 36.2], reason: "too small; absorbed by ES" },
  { code: "GP", within: "FR", box: [-62, 15.7, -61, 16.6], reason: "overseas department of FR" },
  { code: "MQ", within: "FR", box: [-61.3, 14.3, -60.7, 15], reason: "overseas department of FR" },
  { code: "RE", within: "FR", box: [55, -21.5, 56, -20.7], reason: "overseas department of FR" },
  { code: "SJ", within: "NO", box: [10, 76, 34, 81], reason: "counted as a part of NO" },
  { code: "TK", within: "NZ", box: [-173, -9.6, -171, -8.4], reason: "dependency of NZ" },
  { code: "YT", within: "FR", box: [45, -13.1, 45.4, -12.6], reason: "overseas department of FR" },
];

/** Countries not drawn at all: the box alone is what the point is checked against. */
const notDrawn: readonly { code: string; box: Box; reason: string }[] = [
  { code: "BV", box: [3.2, -54.5, 3.5, -54.3], reason: "a single uninhabited island" },
  { code: "TV", box: [176, -10.9, 180, -5.6], reason: "atolls too small for this scale" },
  {
    code: "UM",
    box: [166.5, 19.2, 166.7, 19.4],
    reason: "scattered atolls; the one with a staffed base is Wake",
  },
];

/** Countries drawn only in part, and not where the point is: checked against the box, and that they need to be. */
const drawnElsewhere: readonly { code: string; box: Box; reason: string }[] = [
  { code: "EH", box: [-17.2, 20.7, -8.6, 27.6], reason: "the part west of the berm is drawn as MA" },
  { code: "PN", box: [-130.2, -25.2, -130, -25], reason: "only Henderson Island is drawn" },
];

/** Polygons without an id. XK is user-assigned in ISO 3166; the other two it counts as parts of CY and SO. */
const codeByName: ReadonlyMap<string, string> = new Map([
  ["Kosovo", "XK"],
  ["N. Cyprus", "CY"],
  ["Somaliland", "SO"],
]);

/** The other polygons without an id: shared by CC and CX, and disputed. */
const nameless = ["Indian Ocean Ter.", "Siachen Glacier"];

type Area = Feature<Polygon | MultiPolygon>;
type Point = [longitude: number, latitude: number];

const areasByCode = readAtlas();
const codes = Object.keys(countries);
const drawn = codes.filter(
  (code) => areasByCode.has(code) && !drawnElsewhere.some((exception) => exception.code === code),
);

describe("config/countries.yaml", () => {
  test("has the 249 ISO 3166-1 codes and XK, sorted", () => {
    expect(alpha2ByNumeric.size).toBe(249);
    expect(codes).toEqual([...alpha2ByNumeric.values(), "XK"].sort());
  });

  test("reads the same in YAML 1.1, where a bare NO is false", () => {
    expect(parse(text, { version: "1.1" })).toEqual({ countries });
  });

  test.each([
    ["AU", "Sydney", [-33.87, 151.21]],
    ["BR", "Sao Paulo", [-23.55, -46.63]],
    ["CA", "Toronto", [43.65, -79.38]],
    ["CN", "Shanghai", [31.23, 121.47]],
    ["DE", "Berlin", [52.52, 13.4]],
    ["FR", "Paris", [48.86, 2.35]],
    ["GB", "London", [51.51, -0.13]],
    ["HK", "Hong Kong", [22.32, 114.17]],
    ["IN", "Mumbai", [19.08, 72.88]],
    ["JP", "Tokyo", [35.68, 139.69]],
    ["SG", "Singapore", [1.35, 103.82]],
    ["US", "New York", [40.71, -74.01]],
    ["ZA", "Johannesburg", [-26.2, 28.05]],
  ])("%s is at %s", (code, city, coordinates) => {
    expect(countries[code]).toMatchObject({ city, coordinates });
  });
});

describe("the point of each country", () => {
  test("has a polygon or a listed exception, and never both", () => {
    const exceptions = [...drawnWithin, ...notDrawn, ...drawnElsewhere].map(({ code }) => code);
    expect([...drawn, ...exceptions].sort()).toEqual(codes);
    expect([...areasByCode.keys()].filter((code) => !codes.includes(code)).sort()).toEqual(nameless);
  });

  test.each(drawn)("%s lies in or near its own polygon", (code) => {
    expect(kilometresOutside(pointOf(code), areasOf(code))).toBeLessThan(toleranceKm);
  });

  test.each(drawn)("%s lies in no other country's polygon", (code) => {
    const others = [...areasByCode.keys()].filter(
      (other) => other !== code && isInside(pointOf(code), areasOf(other)),
    );
    // The atlas leaves no hole in IT for VA, and two decimals are more than Vatican City is wide.
    expect(others).toEqual(code === "VA" ? ["IT"] : []);
  });

  test.each(drawnWithin)("$code lies in its part of $within: $reason", ({ code, within, box }) => {
    expect(isInBox(pointOf(code), box)).toBe(true);
    expect(kilometresOutside(pointOf(code), areasOf(within))).toBeLessThan(toleranceKm);
  });

  test.each(drawnElsewhere)("$code lies in its box, far from its polygon: $reason", ({ code, box }) => {
    expect(isInBox(pointOf(code), box)).toBe(true);
    expect(kilometresOutside(pointOf(code), areasOf(code))).toBeGreaterThan(toleranceKm);
  });

  test.each(notDrawn)("$code lies in its box: $reason", ({ code, box }) => {
    expect(isInBox(pointOf(code), box)).toBe(true);
  });
});

/** The atlas's polygons by alpha-2 code, or by name where they have no code; AU, CY and SO have two. */
function readAtlas(): ReadonlyMap<string, readonly Area[]> {
  const path = new URL(import.meta.resolve("world-atlas/countries-50m.json"));
  const atlas: Topology<{ countries: GeometryCollection<{ name: string }> }> = JSON.parse(
    readFileSync(path, "utf8"),
  );
  const areas = new Map<string, Area[]>();
  for (const { type, id, properties, geometry } of feature(atlas, atlas.objects.countries).features) {
    if (geometry.type !== "Polygon" && geometry.type !== "MultiPolygon") {
      throw new Error(`${properties.name} is a ${geometry.type}`);
    }
    const code = codeOf(id, properties.name);
    areas.set(code, [...(areas.get(code) ?? []), { type, properties, geometry }]);
  }
  return areas;
}

function codeOf(id: string | number | undefined, name: string): string {
  if (id === undefined) return codeByName.get(name) ?? name;
  const alpha2 = alpha2ByNumeric.get(String(id));
  if (alpha2 === undefined) throw new Error(`${name} has the unknown numeric code ${id}`);
  return alpha2;
}

function pointOf(code: string): Point {
  const country = countries[code];
  if (country === undefined) throw new Error(`no country ${code}`);
  const [latitude, longitude] = country.coordinates;
  return [longitude, latitude];
}

function areasOf(code: string): readonly Area[] {
  const areas = areasByCode.get(code);
  if (areas === undefined) throw new Error(`no polygon ${code}`);
  return areas;
}

/** 0 inside the areas, else the distance to their nearest border vertex. */
function kilometresOutside(point: Point, areas: readonly Area[]): number {
  if (isInside(point, areas)) return 0;
  const distances = areas
    .flatMap(vertices)
    .map(([longitude = 0, latitude = 0]) => geoDistance(point, [longitude, latitude]));
  return Math.min(...distances) * earthRadiusKm;
}

function isInside(point: Point, areas: readonly Area[]): boolean {
  return areas.some((area) => isInBox(point, boundsOf(area)) && geoContains(area, point));
}

function vertices({ geometry }: Area): Position[] {
  return geometry.type === "Polygon" ? geometry.coordinates.flat() : geometry.coordinates.flat(2);
}

const bounds = new Map<Area, Box>();

function boundsOf(area: Area): Box {
  const known = bounds.get(area);
  if (known !== undefined) return known;
  const [[west, south], [east, north]] = geoBounds(area);
  bounds.set(area, [west, south, east, north]);
  return [west, south, east, north];
}

function isInBox([longitude, latitude]: Point, [west, south, east, north]: Box): boolean {
  if (latitude < south || latitude > north) return false;
  // A polygon that crosses the antimeridian has its west edge east of its east edge.
  return west <= east ? longitude >= west && longitude <= east : longitude >= west || longitude <= east;
}
