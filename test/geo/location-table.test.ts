import { describe, expect, test } from "vitest";
import { buildCandidateTable, lookupCandidates } from "../../src/geo/candidate-table.ts";
import { openGeoip } from "../../src/geo/geoip.ts";
import {
  buildLocationTable,
  continentOf,
  countryOf,
  locateAddress,
  type PlaceOverrides,
} from "../../src/geo/location-table.ts";
import type { Country, Place } from "../../src/geo/place.ts";
import { writeMmdb } from "./mmdb-writer.ts";
import { address, prefix } from "./prefixes.ts";

const boydton: Place = { city: "Boydton", country: "US", coordinates: [36.67, -78.39] };
const london: Place = { city: "London", country: "GB", coordinates: [51.51, -0.13] };
const seattle: Place = { city: "Seattle", country: "US", coordinates: [47.61, -122.33] };
const berlin: Place = { city: "Berlin", country: "DE", coordinates: [52.52, 13.4] };
const dublin: Place = { city: "Dublin", country: "IE", coordinates: [53.35, -6.26] };
const countries = new Map<string, Country>([
  ["DE", { place: berlin, continent: "EU" }],
  ["IE", { place: dublin, continent: "EU" }],
]);

const geoip = openGeoip(
  writeMmdb({
    "10.0.0.0/8": { country_code: "DE" },
    "11.0.0.0/8": { country_code: "IE" },
    "12.0.0.0/8": { country_code: "DE", city: "Munich", latitude: 48.14, longitude: 11.58 },
    "13.0.0.0/9": { country_code: "DE", city: "Munich", latitude: 48.14, longitude: 11.58, state1: "BY" },
    "14.0.0.0/8": { country_code: "ZZ" },
    "15.0.0.0/8": { latitude: 48.14, longitude: 11.58 },
    "2001:db8::/32": { country_code: "IE" },
    "2001::/32": { country_code: "DE" },
    "2002::/16": { country_code: "DE" },
  }),
);

const networks = Object.entries({
  "10.1.0.0/16": ["london-office", london],
  "10.1.2.0/24": ["seattle-vpn", seattle],
  "172.16.0.0/12": ["london-office", london],
  "2001:db8:1::/48": ["london-office", london],
  "2001:db8:1::53/128": ["seattle-vpn", seattle],
} as const).map(([text, [name, place]]) => ({ name, prefix: prefix(text), place }));

const locations = buildLocationTable({
  networks,
  geoip,
  findCountry: (country) => countries.get(country),
  defaultPlace: boydton,
});

describe("locate", () => {
  test.each([
    { name: "a network beats GeoIP", at: "10.1.3.1", place: "London", length: 24 },
    { name: "of nested networks the longest wins", at: "10.1.2.1", place: "Seattle", length: 24 },
    {
      name: "GeoIP beside a network, no wider than that allows",
      at: "10.0.0.1",
      place: "Berlin",
      length: 16,
    },
    { name: "GeoIP far from any network", at: "10.200.0.1", place: "Berlin", length: 9 },
    { name: "a network without GeoIP around it", at: "172.16.0.1", place: "London", length: 12 },
    {
      name: "GeoIP's own coordinates beat the place of the country",
      at: "12.0.0.1",
      place: "Munich",
      length: 8,
    },
    { name: "GeoIP entries of one place are one location", at: "13.0.0.1", place: "Munich", length: 9 },
    { name: "a country without a place", at: "14.0.0.1", place: "Boydton", length: 8 },
    { name: "no data", at: "203.0.113.1", place: "Boydton", length: 2 },
    { name: "a network in family 6", at: "2001:db8:1::1", place: "London", length: 122 },
    { name: "a network of one address", at: "2001:db8:1::53", place: "Seattle", length: 128 },
    { name: "GeoIP in family 6", at: "2001:db8:8000::1", place: "Dublin", length: 33 },
    {
      name: "an IPv4-mapped address is looked up as IPv4",
      at: "::ffff:10.1.2.1",
      place: "Seattle",
      length: 120,
    },
    { name: "so is a 6to4 address", at: "2002:0a01:0201:7::1", place: "Seattle", length: 40 },
    { name: "so is a NAT64 address", at: "64:ff9b::10.1.3.1", place: "London", length: 120 },
    {
      name: "GeoIP for the IPv4 address in a 6to4 one, not for 6to4",
      at: "2002:0b00::1",
      place: "Dublin",
      length: 24,
    },
    { name: "6to4 of an IPv4 hole", at: "2002:cb00:7101::1", place: "Boydton", length: 18 },
    { name: "the first 6to4 prefix is that of 0.0.0.0", at: "2002::", place: "Boydton", length: 21 },
    { name: "the address before 6to4", at: "2001:ffff::", place: "Boydton", length: 17 },
    { name: "the address behind 6to4", at: "2003::", place: "Boydton", length: 16 },
    { name: "the address before NAT64", at: "64:ff9a:ffff::", place: "Boydton", length: 32 },
    { name: "the NAT64 prefix for networks (RFC 8215)", at: "64:ff9b:1::1", place: "Boydton", length: 48 },
    { name: "the address behind the mapped ones", at: "::1:0:0:0", place: "Boydton", length: 80 },
    { name: "a Teredo address, whatever GeoIP says of it", at: "2001::1", place: "Boydton", length: 21 },
  ])("$name", ({ at, place, length }) => {
    const { location, prefixLength } = locateAddress(locations, address(at));
    expect([location.place.city, prefixLength]).toEqual([place, length]);
  });

  test.each([
    { at: "10.1.2.1", location: { kind: "network", network: "seattle-vpn", place: seattle } },
    { at: "10.0.0.1", location: { kind: "geoip", country: "DE", place: berlin } },
    { at: "15.0.0.1", location: { kind: "geoip", place: { coordinates: [48.14, 11.58] } } },
    { at: "14.0.0.1", location: { kind: "geoip", country: "ZZ", place: boydton } },
    { at: "203.0.113.1", location: { kind: "default", place: boydton } },
  ])("says how it knows where $at is", ({ at, location }) => {
    expect(locateAddress(locations, address(at)).location).toStrictEqual(location);
  });

  test("has one location for a network of several prefixes, and one for each GeoIP place", () => {
    const names = locations.locations.map(
      (location) =>
        `${location.kind} ${location.kind === "network" ? location.network : location.place.city}`,
    );
    expect(names).toEqual([
      "default Boydton",
      "geoip Berlin",
      "geoip Dublin",
      "geoip Munich",
      "geoip Boydton",
      "geoip undefined",
      "network london-office",
      "network seattle-vpn",
    ]);
  });

  test("needs neither GeoIP nor networks", () => {
    const table = buildLocationTable({
      networks: [],
      geoip: undefined,
      findCountry: () => undefined,
      defaultPlace: boydton,
    });
    for (const at of ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1"]) {
      expect(locateAddress(table, address(at))).toEqual({
        location: { kind: "default", place: boydton },
        prefixLength: 0,
      });
    }
  });
});

describe("places that an operator gives", () => {
  const database = openGeoip(
    writeMmdb({
      "10.0.0.0/8": { country_code: "US", region_code: "CA", latitude: 37.77, longitude: -122.42 },
      "11.0.0.0/8": { country_code: "US", region_code: "ny" },
      "12.0.0.0/8": { country_code: "DE", latitude: 48.14, longitude: 11.58 },
      "13.0.0.0/8": { country_code: "IE" },
      "14.0.0.0/8": { country_code: "ZZ", continent_code: "AF" },
      "15.0.0.0/8": { continent_code: "AF", latitude: 1, longitude: 2 },
      "16.0.0.0/8": { country_code: "FR" },
      "17.0.0.0/8": { continent_code: "AF" },
      "18.0.0.0/8": { continent_code: "AS" },
    }),
  );
  const given = (city: string): Place => ({ city, coordinates: [1, 1] });
  const overrides: PlaceOverrides = {
    subdivisions: new Map([
      ["US-CA", given("San Jose")],
      ["US-NY", given("Albany")],
    ]),
    countries: new Map([["DE", given("Bonn")]]),
    continents: new Map([
      ["EU", given("Brussels")],
      ["AF", given("Cairo")],
    ]),
  };
  const table = buildLocationTable({
    networks,
    geoip: database,
    findCountry: (country) => countries.get(country),
    defaultPlace: boydton,
    overrides,
  });
  test.each([
    {
      name: "a subdivision's beats the coordinates of the database",
      at: "10.200.0.1",
      told: "San Jose US-CA",
    },
    { name: "a subdivision's, in whatever case the database has it", at: "11.0.0.1", told: "Albany US-NY" },
    { name: "a country's beats them too, and its continent's", at: "12.0.0.1", told: "Bonn DE" },
    { name: "a continent's beats the place of the country", at: "13.0.0.1", told: "Brussels continent EU" },
    {
      name: "the continent that the database has, of a country unknown here",
      at: "14.0.0.1",
      told: "Cairo continent AF",
    },
    { name: "a continent without a country", at: "15.0.0.1", told: "Cairo continent AF" },
    { name: "a continent and nothing else", at: "17.0.0.1", told: "Cairo continent AF" },
    { name: "none for a continent: the default place", at: "18.0.0.1", told: "Boydton undefined" },
    { name: "none: the default place, in the country", at: "16.0.0.1", told: "Boydton undefined" },
    { name: "a network stays where it is", at: "10.1.3.1", told: "London undefined" },
  ])("$name", ({ at, told }) => {
    const { location } = locateAddress(table, address(at));
    const override = location.kind === "geoip" ? location.override : undefined;
    expect(`${location.place.city} ${override}`).toBe(told);
  });

  test.each([
    { name: "of the country", at: "13.0.0.1", continent: "EU" },
    { name: "of a country unknown here, by the database", at: "14.0.0.1", continent: "AF" },
    { name: "of coordinates", at: "15.0.0.1", continent: "AF" },
    { name: "alone", at: "18.0.0.1", continent: "AS" },
    { name: "of a country that the database does not put in one", at: "16.0.0.1", continent: undefined },
    { name: "of no data", at: "203.0.113.1", continent: undefined },
  ])("the continent $name", ({ at, continent }) => {
    const { location } = locateAddress(table, address(at));
    expect(continentOf(location, (country) => countries.get(country)?.continent)).toBe(continent);
  });

  test("the country stays what the database says", () => {
    expect(countryOf(locateAddress(table, address("13.0.0.1")).location)).toBe("IE");
  });
});

test("without a default, a continent alone is a continent, and nowhere in it", () => {
  const table = buildLocationTable({
    networks,
    geoip: openGeoip(writeMmdb({ "17.0.0.0/8": { continent_code: "AF" } })),
    findCountry: () => undefined,
    defaultPlace: boydton,
    isAtDefault: false,
  });
  expect(locateAddress(table, address("17.0.0.1"))).toEqual({
    location: { kind: "unlocated", continent: "AF", place: boydton },
    prefixLength: 8,
  });
});

test("without a default, what nothing locates is nowhere, and in no country", () => {
  const table = buildLocationTable({
    networks,
    geoip: undefined,
    findCountry: () => undefined,
    defaultPlace: boydton,
    isAtDefault: false,
  });
  const { location } = locateAddress(table, address("203.0.113.1"));
  expect([location.kind, countryOf(location)]).toEqual(["unlocated", undefined]);
});

describe("candidates", () => {
  const [ams, dub, iad] = [
    { id: "ams", coordinates: [52.37, 4.9] },
    { id: "dub", coordinates: [53.35, -6.26] },
    { id: "iad", coordinates: [38.95, -77.45] },
  ] as const;
  const table = buildCandidateTable(locations, [iad, dub, ams]);

  test.each([
    { name: "Berlin", at: "10.200.0.1", candidates: "ams dub iad", length: 9 },
    {
      name: "London, in one class with Germany around it, next to Seattle",
      at: "10.1.3.1",
      candidates: "ams dub iad",
      length: 24,
    },
    { name: "Seattle in London in Germany", at: "10.1.2.1", candidates: "iad dub ams", length: 24 },
    { name: "Dublin", at: "11.0.0.1", candidates: "dub ams iad", length: 8 },
    {
      name: "GeoIP's own coordinates in Germany",
      at: "12.0.0.1",
      candidates: "ams dub iad",
      length: 8,
    },
    { name: "the default location", at: "203.0.113.1", candidates: "iad dub ams", length: 2 },
    { name: "an IPv4-mapped address", at: "::ffff:11.0.0.1", candidates: "dub ams iad", length: 104 },
  ])("$name", ({ at, candidates, length }) => {
    const found = lookupCandidates(table, address(at));
    expect([found.candidates.join(" "), found.prefixLength]).toEqual([candidates, length]);
    expect(table.lists[found.listIndex]).toBe(found.candidates);
  });

  test("blocks of addresses that hold an IPv4 address bound no prefix where all of IPv4 has one list", () => {
    const table = buildCandidateTable(
      buildLocationTable({
        networks: [{ name: "london-office", prefix: prefix("2001:db8:1::/48"), place: london }],
        geoip: undefined,
        findCountry: () => undefined,
        defaultPlace: boydton,
      }),
      [iad, dub, ams],
    );
    for (const at of ["2002:0a01:0101::", "2003::", "::ffff:10.1.2.1", "::1", "64:ff9b::1"]) {
      const { candidates, prefixLength } = lookupCandidates(table, address(at));
      expect([candidates[0], prefixLength], at).toEqual(["iad", at.startsWith("200") ? 15 : 3]);
    }
  });

  test("locations with the same order share one list", () => {
    expect(table.lists.map((list) => list.join(" ")).sort()).toEqual([
      "ams dub iad",
      "dub ams iad",
      "iad dub ams",
    ]);
  });

  test("neighbouring networks with the same list make one wider prefix", () => {
    const table = buildCandidateTable(
      buildLocationTable({
        networks: [
          { name: "london-office", prefix: prefix("10.0.0.0/16"), place: london },
          { name: "hague-office", prefix: prefix("10.1.0.0/16"), place: { coordinates: [52.08, 4.3] } },
        ],
        geoip: undefined,
        findCountry: () => undefined,
        defaultPlace: boydton,
      }),
      [iad, dub, ams],
    );
    expect(lookupCandidates(table, address("10.0.0.1")).prefixLength).toBe(15);
    expect(lookupCandidates(table, address("10.1.0.1")).prefixLength).toBe(15);
    expect(lookupCandidates(table, address("10.2.0.1")).prefixLength).toBe(15);
  });

  test("one candidate, or none, is the same list everywhere: length 0", () => {
    for (const candidates of [[], [dub]]) {
      const table = buildCandidateTable(locations, candidates);
      expect(table.lists).toHaveLength(1);
      for (const at of ["10.1.2.1", "2001:db8:1::53"]) {
        expect(lookupCandidates(table, address(at)).prefixLength).toBe(0);
      }
    }
  });
});
