import { describe, expect, test } from "vitest";
import { type GeoipLocation, openGeoip } from "../../src/geo/geoip.ts";
import { lookup } from "../../src/geo/prefix-table.ts";
import { goodMaxmindFiles, maxmindFiles, readMaxmindFile, refusedMaxmindFiles } from "./maxmind-files.ts";
import { address } from "./prefixes.ts";

test("every file is good or has its fault told", () => {
  expect([...goodMaxmindFiles, ...Object.keys(refusedMaxmindFiles)].toSorted()).toEqual(maxmindFiles);
});

describe.each(goodMaxmindFiles)("%s", (name) => {
  const database = openGeoip(readMaxmindFile(name));
  const isCity = !name.includes("Country");
  const find = (text: string): readonly [GeoipLocation | undefined, number] => {
    const { family, octets } = address(text);
    const { value, prefixLength } = lookup(family === 4 ? database.family4 : database.family6, octets);
    return [database.locations[value], prefixLength];
  };

  test("says what it is", () => {
    expect(database.databaseType).toBe(name.replace(/-Test$/, ""));
    expect(database.buildDate.getUTCFullYear()).toBe(2026);
  });

  test.each<readonly [at: string, length: number, location: GeoipLocation, city: GeoipLocation]>([
    [
      "2.125.160.216",
      29,
      { country: "GB", continent: "EU" },
      { subdivision: "ENG", city: "Boxford", coordinates: [51.75, -1.25] },
    ],
    [
      "89.160.20.112",
      28,
      { country: "SE", continent: "EU" },
      { subdivision: "E", city: "Linköping", coordinates: [58.4167, 15.6167] },
    ],
    [
      "216.160.83.56",
      29,
      { country: "US", continent: "NA" },
      { subdivision: "WA", city: "Milton", coordinates: [47.2513, -122.3149] },
    ],
    ["67.43.156.1", 24, { country: "BT", continent: "AS" }, { coordinates: [27.5, 90.5] }],
  ])("%s", (at, length, location, city) => {
    expect(find(at)).toEqual([isCity ? { ...location, ...city } : location, length]);
  });

  test.each(["2002:5102:458e::", "::ffff:81.2.69.142", "::81.2.69.142", "2001:0:5102:458e::"])(
    "%s stands for an IPv4 address, and has nothing of its own",
    (at) => expect(find(at)[0]).toBeUndefined(),
  );
});

test("London is at 81.2.69.142, and San Diego at 2001:480:10::", () => {
  const { locations, family4, family6 } = openGeoip(readMaxmindFile("GeoIP2-City-Test"));
  const london = lookup(family4, address("81.2.69.142").octets);
  expect(locations[london.value]).toMatchObject({ country: "GB", city: "London" });
  const sanDiego = lookup(family6, address("2001:480:10::").octets);
  expect([locations[sanDiego.value]?.city, sanDiego.prefixLength]).toEqual(["San Diego", 48]);
});

test.each(Object.entries(refusedMaxmindFiles))("%s is refused: %s", (name, fault) => {
  const words = fault.startsWith("the database") ? fault : `not a sound MaxMind DB file: ${fault}`;
  expect(() => openGeoip(readMaxmindFile(name))).toThrow(new Error(words));
});
