import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  findEmbeddedDatabase,
  type GeoipDatabase,
  type GeoipLocation,
  openGeoip,
} from "../../src/geo/geoip.ts";
import { lookup } from "../../src/geo/prefix-table.ts";
import { readMaxmindFile } from "./maxmind-files.ts";
import { type MmdbValue, writeMmdb } from "./mmdb-writer.ts";
import { address } from "./prefixes.ts";

function find(database: GeoipDatabase, text: string): readonly [GeoipLocation | undefined, number] {
  const { family, octets } = address(text);
  const { value, prefixLength } = lookup(family === 4 ? database.family4 : database.family6, octets);
  return [database.locations[value], prefixLength];
}

const [de, fr] = [{ country_code: "DE" }, { country_code: "FR" }];

describe.each([24, 28, 32] as const)("a database with records of %i bits", (recordSize) => {
  const entries = {
    "192.0.2.0/24": de,
    "192.0.2.128/25": fr,
    "198.51.100.1/32": fr,
    "2001:db8::/32": de,
    "2001:db8:1::/48": fr,
  };
  const database = openGeoip(writeMmdb(entries, { recordSize }));
  test.each([
    { name: "IPv4 at ::/96", at: "192.0.2.1", country: "DE", length: 25 },
    { name: "a nested prefix", at: "192.0.2.200", country: "FR", length: 25 },
    { name: "one address", at: "198.51.100.1", country: "FR", length: 32 },
    { name: "no data in family 4", at: "10.0.0.1", country: undefined, length: 1 },
    { name: "IPv6", at: "2001:db8::1", country: "DE", length: 48 },
    { name: "a nested prefix in family 6", at: "2001:db8:1::1", country: "FR", length: 48 },
    { name: "no data in family 6", at: "fd00::1", country: undefined, length: 1 },
    { name: "::/96 holds IPv4 and is no IPv6 address", at: "::192.0.2.1", country: undefined, length: 3 },
  ])("$name", ({ at, country, length }) => {
    expect(find(database, at)).toEqual([country && { country }, length]);
  });

  test("has each location once, and what the metadata says", () => {
    expect(database.locations).toEqual([undefined, { country: "DE" }, { country: "FR" }]);
    expect(database.buildDate).toEqual(new Date("2026-01-02"));
    expect(database.databaseType).toBe("Test");
  });
});

describe("shapes of search trees", () => {
  test("aliases of the IPv4 tree have no data in family 6", () => {
    const entries = { "192.0.2.0/24": de, "2001:db8::/32": fr };
    const [plain, aliased] = [false, true].map((aliases) => openGeoip(writeMmdb(entries, { aliases })));
    expect(aliased).toEqual(plain);
  });

  test("an IPv4 database has nothing to say about IPv6", () => {
    const database = openGeoip(writeMmdb({ "128.0.0.0/1": de }, { ipVersion: 4 }));
    expect(find(database, "192.0.2.1")).toEqual([{ country: "DE" }, 1]);
    expect(find(database, "2001:db8::1")).toEqual([undefined, 0]);
  });

  test("an IPv6 database need not have IPv4", () => {
    const database = openGeoip(writeMmdb({ "2000::/3": de }));
    expect(find(database, "192.0.2.1")).toEqual([undefined, 0]);
    expect(find(database, "2001:db8::1")).toEqual([{ country: "DE" }, 3]);
  });

  test("one record may cover all of IPv4 and more", () => {
    const database = openGeoip(writeMmdb({ "::/8": de, "2001:db8::/32": fr }));
    expect(find(database, "192.0.2.1")).toEqual([{ country: "DE" }, 0]);
    expect(find(database, "::1")).toEqual([undefined, 96]);
    expect(find(database, "0:1::")).toEqual([{ country: "DE" }, 32]);
  });

  test("records that say the same are one range, wherever their data lies", () => {
    const database = openGeoip(writeMmdb({ "10.0.0.0/16": de, "10.1.0.0/16": { country_code: "de" } }));
    expect(find(database, "10.1.2.3")).toEqual([{ country: "DE" }, 15]);
  });
});

describe("the fields of a record", () => {
  const rows: readonly { name: string; record: MmdbValue; location: GeoipLocation | undefined }[] = [
    {
      name: "MaxMind, DB-IP",
      record: {
        continent: { code: "EU", names: { en: "Europe" } },
        country: { iso_code: "GB", names: { en: "United Kingdom" } },
        registered_country: { iso_code: "US" },
        subdivisions: [{ iso_code: "ENG" }, { iso_code: "WBK" }],
        city: { names: { de: "Boxford (de)", en: "Boxford" } },
        location: { latitude: 51.75, longitude: -1.25 },
      },
      location: {
        country: "GB",
        continent: "EU",
        subdivision: "ENG",
        city: "Boxford",
        coordinates: [51.75, -1.25],
      },
    },
    {
      name: "IPinfo with names beside codes",
      record: { country: "Germany", country_code: "DE", continent: "Europe", continent_code: "EU" },
      location: { country: "DE", continent: "EU" },
    },
    {
      name: "IPinfo with text coordinates",
      record: { country: "DE", city: "Berlin", region: "Berlin", lat: "52.52", lng: "13.4" },
      location: { country: "DE", city: "Berlin", subdivision: "Berlin", coordinates: [52.52, 13.4] },
    },
    {
      name: "ip-location-db with coordinates",
      record: { country_code: "br", latitude: -23.5, longitude: -46.6, state1: "SP", city: "" },
      location: { country: "BR", subdivision: "SP", coordinates: [-23.5, -46.6] },
    },
    {
      name: "coordinates without a country",
      record: { latitude: 1, longitude: 2 },
      location: { coordinates: [1, 2] },
    },
    {
      name: "coordinates that are none",
      record: { country_code: "DE", latitude: 91, longitude: "east" },
      location: { country: "DE" },
    },
    {
      name: "the registered country alone, as of anycast networks",
      record: { registered_country: { iso_code: "US" } },
      location: { country: "US" },
    },
    {
      name: "DB-IP, with a city and without an id",
      record: {
        city: { names: { en: "Bern" } },
        continent: { code: "EU" },
        country: { iso_code: "CH", is_in_european_union: 0 },
        location: { latitude: 46.94809, longitude: 7.44744 },
        subdivisions: [{ names: { en: "Bern" } }],
      },
      location: { country: "CH", continent: "EU", city: "Bern", coordinates: [46.94809, 7.44744] },
    },
    {
      name: "IPinfo with codes alone",
      record: { country: "GB", continent: "EU", country_name: "United Kingdom", continent_name: "Europe" },
      location: { country: "GB", continent: "EU" },
    },
    {
      name: "IPinfo with a code beside a region",
      record: { country: "GB", region: "England", region_code: "ENG", lat: "51.50853", lng: "-0.12574" },
      location: { country: "GB", subdivision: "ENG", coordinates: [51.50853, -0.12574] },
    },
    {
      name: "text that a terminal would obey, and long text",
      record: { country: "DE", city: `\u001b[31m${"x".repeat(20)}`, region: "y".repeat(28) },
      location: { country: "DE", city: `[31m${"x".repeat(20)}`, subdivision: "y".repeat(28) },
    },
    { name: "a dash for the unknown", record: { country_code: "-", city: "-" }, location: undefined },
    { name: "no map at all", record: "DE", location: undefined },
  ];
  test.each(rows)("$name", ({ record, location }) => {
    const database = openGeoip(writeMmdb({ "192.0.2.0/24": record, "198.51.100.0/24": de }));
    expect(find(database, "192.0.2.1")[0]).toEqual(location);
  });
});

describe("a broken file", () => {
  const sound = writeMmdb({ "192.0.2.0/24": de, "2001:db8::/32": fr }, { recordSize: 32 });
  const patched = (offset: number, record: number): Buffer => {
    const octets = Buffer.from(sound);
    octets.writeUInt32BE(record, offset);
    return octets;
  };
  const rows: readonly { name: string; octets: Buffer; message: RegExp }[] = [
    { name: "empty", octets: Buffer.alloc(0), message: /^not a MaxMind DB file/ },
    { name: "not an mmdb", octets: Buffer.from("country,prefix\nDE,192.0.2.0/24\n"), message: /no metadata/ },
    { name: "gzipped", octets: Buffer.of(0x1f, 0x8b, 8, 0), message: /gzipped; unpack it first/ },
    { name: "cut short", octets: sound.subarray(0, sound.length / 2), message: /cut short/ },
    { name: "cut in the metadata", octets: sound.subarray(0, sound.length - 60), message: /its metadata/ },
    {
      name: "a node that leads to itself on the right",
      octets: patched(4, 0),
      message: /more leaves than its nodes/,
    },
    { name: "a node that leads to itself on the left", octets: patched(0, 0), message: /deeper than the 32/ },
    {
      name: "a record behind the data section",
      octets: patched(4, 0xffff_fff0),
      message: /points outside the data section/,
    },
    {
      name: "a record into the separator",
      octets: patched(4, sound.indexOf(Buffer.alloc(16)) / 8 + 3),
      message: /points outside the data section/,
    },
    {
      name: "a search tree longer than the file",
      octets: writeMmdb({ "192.0.2.0/24": de }, { metadata: { nodeCount: 1_000_000 } }),
      message: /longer than the file/,
    },
    {
      name: "more nodes than a file can have",
      octets: writeMmdb({ "192.0.2.0/24": de }, { recordSize: 32, metadata: { nodeCount: 0xffff_ffff } }),
      message: /its search tree (of 4294967295 nodes )?is longer than the file/,
    },
    {
      name: "nodes that the file was cut short of",
      octets: (() => {
        const octets = writeMmdb({ "192.0.2.0/24": de }, { metadata: { nodeCount: 0xffff_ffff } });
        octets.writeUIntBE(0xff_0000, 0, 3);
        return octets;
      })(),
      message: /its search tree is longer than the file/,
    },
    {
      name: "an unknown ip version",
      octets: writeMmdb({ "192.0.2.0/24": de }, { metadata: { ipVersion: 5 } }),
      message: /ip version 5/,
    },
    {
      name: "an unknown format version",
      octets: writeMmdb({ "192.0.2.0/24": de }, { metadata: { formatVersion: 3 } }),
      message: /format version 3/,
    },
    {
      name: "a database of another kind",
      octets: writeMmdb({ "192.0.2.0/24": { autonomous_system_number: 64500 } }),
      message: /use a country or city database/,
    },
  ];
  test.each(rows)("$name", ({ octets, message }) => {
    expect(() => openGeoip(octets)).toThrow(message);
  });

  test("nodes reached in many ways end the walk by their leaves", () => {
    // 2^31 paths through 32 nodes, each leading to the next by both sides.
    const chain = writeMmdb({ "0.0.0.0/32": de }, { ipVersion: 4, recordSize: 32 });
    for (let node = 0; node < 31; node++) chain.writeUInt32BE(node + 1, node * 8 + 4);
    expect(() => openGeoip(chain)).toThrow(/more leaves than its nodes/);
  });

  test("data that cannot be decoded names an address that has it", () => {
    const octets = Buffer.from(sound);
    octets[octets.indexOf("country_code") - 1] = 0;
    expect(() => openGeoip(octets)).toThrow(/cannot read its data on (192\.0\.2\.0|2001:db8::) /);
  });

  test("whatever is changed in a file of MaxMind's, it is read or refused in words", () => {
    const city = readMaxmindFile("GeoLite2-City-Test");
    const control = fc.constantFrom(0x00, 0x01, 0x04, 0x1f, 0x20, 0x38, 0x5f, 0xe1, 0xff);
    const changes = fc.array(
      fc.record({
        // The metadata are the last few hundred octets.
        at: fc.oneof(fc.nat(city.length - 1), fc.integer({ min: city.length - 300, max: city.length - 1 })),
        octet: fc.oneof(control, fc.nat(255)),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(changes, fc.option(fc.nat(city.length)), (changed, length) => {
        const octets = Buffer.from(city);
        for (const { at, octet } of changed) octets[at] = octet;
        const message = failureOf(() => openGeoip(octets.subarray(0, length ?? octets.length)));
        if (message !== undefined) {
          expect(message).toMatch(
            /^Error: (not a (sound )?MaxMind DB file|the database gives|the file is gz)/,
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  test("whichever octet is changed, the file is read or refused in words", () => {
    const small = writeMmdb({ "0.0.0.0/2": de, "192.0.0.0/3": { lat: 1.5, lng: "2" } }, { ipVersion: 4 });
    for (let at = 0; at < small.length; at++) {
      for (const octet of [0x00, 0x01, 0x20, 0x42, 0x7f, 0x80, 0xe1, 0xff]) {
        const octets = Buffer.from(small);
        octets[at] = octet;
        const message = failureOf(() => openGeoip(octets));
        if (message !== undefined)
          expect(message).toMatch(/MaxMind DB file|country or city database|gzipped/);
      }
    }
  });
});

test("the embedded database is an optional package, and absent or an mmdb file", () => {
  expect(findEmbeddedDatabase() ?? "/none.mmdb").toMatch(/^\/.*\.mmdb$/);
});

function failureOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
