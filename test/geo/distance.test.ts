import { describe, expect, test } from "vitest";
import { type Coordinates, greatCircleKilometres, orderByDistance } from "../../src/geo/distance.ts";

const london: Coordinates = [51.51, -0.13];
const dublin: Coordinates = [53.35, -6.26];

describe("great-circle distance", () => {
  const quarter = (Math.PI * 6371.0088) / 2;
  const rows: readonly { name: string; a: Coordinates; b: Coordinates; kilometres: number }[] = [
    { name: "a point and itself", a: london, b: london, kilometres: 0 },
    { name: "London and Dublin", a: london, b: dublin, kilometres: 464 },
    { name: "a quarter of the equator", a: [0, 0], b: [0, 90], kilometres: quarter },
    { name: "equator and pole", a: [0, 12], b: [90, 77], kilometres: quarter },
    { name: "antipodes", a: [12, 34], b: [-12, -146], kilometres: 2 * quarter },
    { name: "both sides of the date line", a: [0, 179.5], b: [0, -179.5], kilometres: quarter / 90 },
  ];
  test.each(rows)("$name", ({ a, b, kilometres }) => {
    expect(Math.abs(greatCircleKilometres(a, b) - kilometres)).toBeLessThan(1);
    expect(greatCircleKilometres(a, b)).toBe(greatCircleKilometres(b, a));
  });
});

describe("order by distance", () => {
  const rows: readonly { name: string; ids: readonly (readonly [string, Coordinates])[]; order: string[] }[] =
    [
      { name: "nothing to order", ids: [], order: [] },
      {
        name: "the nearest comes first",
        ids: [
          ["dub", dublin],
          ["lhr", london],
        ],
        order: ["lhr", "dub"],
      },
      {
        name: "ties go to the smaller id, by code unit",
        ids: [
          ["b", dublin],
          ["a10", dublin],
          ["B", dublin],
          ["a9", dublin],
        ],
        order: ["B", "a10", "a9", "b"],
      },
    ];
  test.each(rows)("$name", ({ ids, order }) => {
    const candidates = ids.map(([id, coordinates]) => ({ id, coordinates }));
    expect(orderByDistance(london, candidates).map(({ id }) => id)).toEqual(order);
  });
});
