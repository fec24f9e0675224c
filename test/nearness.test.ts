/** Random labs: whoever is in one scope has the same list and choice, in every state, and no wider scope could be said. */

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseNearest } from "../src/cloud/choose.ts";
import type { Service } from "../src/cloud/service.ts";
import { groupOf, type Spread } from "../src/cloud/spread.ts";
import { allUp, type DatacenterState, type DatacenterStates, withState } from "../src/cloud/states.ts";
import type { Configuration, LocationSettings, Network } from "../src/config/configuration.ts";
import { loadConfig } from "../src/config/load.ts";
import { greatCircleKilometres } from "../src/geo/distance.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import { byDistance, KILOMETRES_PER_MILLISECOND, type Nearness } from "../src/geo/nearness.ts";
import type { Country, Place } from "../src/geo/place.ts";
import {
  addressBits,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  prefixContains,
  prefixOf,
} from "../src/ip.ts";
import { buildSnapshot, locationClass, type Snapshot } from "../src/snapshot.ts";
import { cloud, datacenter, service } from "./cloud/lab.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";
import {
  family,
  holding,
  innermost,
  octetsOf,
  prefix,
  prefixIn,
  toNumber,
  toOctets,
  turnsOf,
} from "./geo/prefixes.ts";

const loaded = loadConfig(join(import.meta.dirname, "scenarios/fixtures/plain-zone.yaml"));
if (loaded.kind === "errors") throw new Error("the fixture has errors");
const { configuration } = loaded;

const at = (id: string, latitude: number, longitude: number) =>
  datacenter(id, { place: { city: id, coordinates: [latitude, longitude] } });
const candidates = [at("ams", 52, 5), at("dub", 53, -6), at("iad", 39, -77), at("syd", -34, 151)];
const ids = candidates.map(({ id }) => id);

const countries = new Map<string, Country>([
  ["DE", { continent: "EU", place: { country: "DE", coordinates: [52, 13] } }],
  ["IE", { continent: "EU", place: { country: "IE", coordinates: [53, -7] } }],
  ["NZ", { continent: "OC", place: { country: "NZ", coordinates: [-37, 175] } }],
]);
const places: readonly Place[] = [
  { city: "Berlin", country: "DE", coordinates: [52, 13] },
  { city: "Perth", country: "AU", coordinates: [-32, 116] },
  { city: "Boston", country: "US", coordinates: [42, -71] },
];
const defaultPlace: Place = { city: "Boydton", country: "US", coordinates: [36, -78] };

/** Prefixes that no databases or networks have: in them the address is that of IPv4. */
const isPlain = (each: IpPrefix): boolean => innermost(each).family === each.family;
const somePrefix = family.chain(prefixIn).filter(isPlain);
const byPrefix = <T>(value: fc.Arbitrary<T>, maxLength: number) =>
  fc.uniqueArray(fc.record({ prefix: somePrefix, value }), {
    maxLength,
    selector: (each) => formatPrefix(each.prefix),
  });
const someIds = fc.shuffledSubarray(ids, { minLength: 1 });
const rare = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });

const lab = fc.record({
  networks: byPrefix(fc.nat(places.length - 1), 8),
  geoip: byPrefix(fc.constantFrom("DE", "IE", "NZ", "continent EU", "continent OC"), 6),
  override: rare(fc.constantFrom<keyof typeof overrides>("DE", "EU")),
  unlocated: fc.constantFrom<LocationSettings["unlocated"]>("default", "refused"),
  bias: fc.dictionary(fc.constantFrom(...ids), fc.integer({ min: -9000, max: 9000 })),
  listed: byPrefix(someIds, 4),
  germany: rare(someIds),
  oceania: rare(someIds),
  measured: byPrefix(fc.dictionary(fc.constantFrom(...ids), fc.nat(90)), 4),
  ireland: rare(fc.dictionary(fc.constantFrom(...ids), fc.nat(90))),
  maxCandidates: rare(fc.integer({ min: 1, max: 4 })),
  over: rare(fc.integer({ min: 1, max: 4 })),
  states: fc.array(fc.constantFrom<DatacenterState>("up", "up", "draining", "down"), {
    minLength: ids.length,
    maxLength: ids.length,
  }),
});
type Lab = typeof lab extends fc.Arbitrary<infer T> ? T : never;

const overrides = {
  DE: { city: "Cork", coordinates: [52, -8] },
  EU: { city: "Auckland", coordinates: [-37, 175] },
} as const satisfies Record<string, Place>;

/** That of `continent EU`, which is all that the database says there. */
const continentAlone = (value: string | undefined): string | undefined =>
  value?.startsWith("continent ") ? value.slice(-2) : undefined;

function longest<T>(entries: readonly { prefix: IpPrefix; value: T }[], address: IpAddress): T | undefined {
  return entries
    .filter((each) => prefixContains(each.prefix, address))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0]?.value;
}

interface Built {
  readonly snapshot: Snapshot;
  readonly service: Service;
  readonly states: DatacenterStates;
  readonly prefixes: readonly IpPrefix[];
  /** The list of an address by the plainest reading of the configuration. */
  readonly naive: (address: IpAddress) => string;
}

/** A database holds IPv4 addresses at ::/96, which is not where they are asked for. */
const isIpv4OfDatabase = (each: IpPrefix): boolean =>
  each.family === 6 && (prefixContains(prefix("::/96"), each) || prefixContains(each, prefix("::/96")));

function buildLab(random: Lab): Built {
  const geoip = random.geoip.filter((each) => !isIpv4OfDatabase(each.prefix) && each.prefix.length > 0);
  const entries = Object.fromEntries(
    geoip.map(({ prefix: each, value }) => {
      const continent = continentAlone(value);
      return [
        formatPrefix(each),
        continent === undefined ? { country_code: value } : { continent_code: continent },
      ];
    }),
  );
  const spread: Spread | undefined =
    random.over === undefined ? undefined : { over: random.over, weights: new Map() };
  const nearness: Nearness = {
    ...byDistance,
    bias: new Map(Object.entries(random.bias)),
    networks: random.listed.map((each) => ({ network: undefined, prefix: each.prefix, ids: each.value })),
    countries: new Map(random.germany && [["DE", random.germany]]),
    continents: new Map(random.oceania && [["OC", random.oceania]]),
    latency: [
      ...random.measured.map((each) => ({
        from: { kind: "network", network: undefined, prefix: each.prefix } as const,
        milliseconds: new Map(Object.entries(each.value)),
      })),
      ...(random.ireland === undefined
        ? []
        : [
            {
              from: { kind: "country", country: "IE" } as const,
              milliseconds: new Map(Object.entries(random.ireland)),
            },
          ]),
    ],
    maxCandidates: random.maxCandidates,
  };
  const tested = service({ candidates, nearness, spread });
  const location: LocationSettings = {
    byNetworks: true,
    byGeoip: true,
    unlocated: random.unlocated,
    subdivisions: new Map(),
    countries: new Map(random.override === "DE" ? [["DE", overrides.DE]] : []),
    continents: new Map(random.override === "EU" ? [["EU", overrides.EU]] : []),
  };
  const networks = random.networks.map(
    (each, i): Network => ({
      name: `network-${i}`,
      kind: "office",
      prefixes: [each.prefix],
      place: places[each.value] ?? defaultPlace,
    }),
  );
  const changed: Configuration = {
    ...configuration,
    settings: { ...configuration.settings, location, defaultPlace },
    networks,
    countries,
    clouds: [cloud({ services: [tested], datacenters: candidates })],
  };
  const database = geoip.length === 0 ? undefined : openGeoip(writeMmdb(entries));
  const states = random.states.reduce((before, state, i) => {
    const id = ids[i];
    return id === undefined ? before : withState(before, id, state);
  }, allUp);
  return {
    snapshot: buildSnapshot(changed, database),
    service: tested,
    states,
    prefixes: [...random.networks, ...geoip, ...random.listed, ...random.measured].map((each) => each.prefix),
    naive,
  };

  function naive(asked: IpAddress): string {
    const address = innermost(asked);
    const network = longest(random.networks, address);
    const isTeredo = prefixContains(prefix("2001::/32"), address);
    const code = network === undefined && !isTeredo ? longest(geoip, address) : undefined;
    const place = network === undefined ? geoipPlace(code) : places[network];
    const listed = longest(random.listed, address);
    const rows = random.measured
      .filter((each) => prefixContains(each.prefix, address))
      .toSorted((a, b) => b.prefix.length - a.prefix.length)
      .map((each) => each.value);
    const alone = continentAlone(code);
    const byContinent = alone === "OC" ? random.oceania : undefined;
    const isTold = (listed ?? byContinent) !== undefined || rows.some((row) => Object.keys(row).length > 0);
    if (place === undefined && random.unlocated === "refused" && !isTold) return "unlocated";
    const nowhere = random.unlocated === "refused" ? undefined : defaultPlace.country;
    const ofGeoip = alone === undefined ? (code ?? nowhere) : undefined;
    const country = network === undefined ? ofGeoip : place?.country;
    const continent = country === undefined ? alone : countries.get(country)?.continent;
    if (country === "IE" && random.ireland !== undefined) rows.push(random.ireland);
    const first =
      listed ??
      (country === "DE" ? random.germany : undefined) ??
      (continent === "OC" ? random.oceania : undefined) ??
      [];
    const costs = candidates.map((each) => {
      const milliseconds = rows.map((row) => row[each.id]).find((value) => value !== undefined);
      const from = (place ?? defaultPlace).coordinates;
      const distance = greatCircleKilometres(from, each.place.coordinates);
      const near = milliseconds === undefined ? distance : milliseconds * KILOMETRES_PER_MILLISECOND;
      return { id: each.id, cost: near + (random.bias[each.id] ?? 0) };
    });
    const rest = costs
      .filter(({ id }) => !first.includes(id))
      .sort((a, b) => a.cost - b.cost || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
    return [...first, ...rest].slice(0, random.maxCandidates).join(" ");
  }

  function geoipPlace(code: string | undefined): Place | undefined {
    if (code === undefined) return undefined;
    if (random.override === "DE" && code === "DE") return overrides.DE;
    const country = countries.get(code);
    const continent = country?.continent ?? continentAlone(code);
    return random.override === "EU" && continent === "EU" ? overrides.EU : country?.place;
  }
}

const asked: fc.Arbitrary<IpAddress> = fc.oneof(
  family.chain((each) => octetsOf(each).map((octets) => ({ family: each, octets }))),
  fc.tuple(octetsOf(4), fc.nat(2)).map(([octets, block]) => holding(octets, block)),
);

describe("nearness over random labs", () => {
  test("gives lists as they are written, and scopes that no wider prefix could have", () => {
    fc.assert(
      fc.property(lab, fc.array(asked, { minLength: 1, maxLength: 4 }), (random, addresses) => {
        const { snapshot, service: tested, states, prefixes, naive } = buildLab(random);
        const found = snapshot.candidates.get(tested);
        if (found === undefined) throw new Error("the service has no tables");
        const listAt = (address: IpAddress): string => {
          const { datacenters, isUnlocated } = locationClass(found, address, tested.spread);
          return isUnlocated ? "unlocated" : datacenters.map(({ id }) => id).join(" ");
        };
        const chosenAt = (address: IpAddress): string | undefined => {
          const { datacenters, group } = locationClass(found, address, tested.spread);
          const spread = tested.spread && group && { spread: tested.spread, group };
          const choice = chooseNearest(datacenters, states, "nearest", spread);
          return choice.kind === "datacenter" ? choice.datacenter.id : undefined;
        };
        for (const address of [...addresses, ...turnsOf(6, prefixes).slice(0, 6)]) {
          const bits = addressBits(address.family);
          const turns = turnsOf(address.family, prefixes);
          const { listPrefixLength, spreadPrefixLength, prefixLength } = locationClass(
            found,
            address,
            tested.spread,
          );
          expect(listAt(address)).toBe(naive(address));
          // The list: the same inside, another one bit wider.
          const inside = prefixOf(address, listPrefixLength);
          const first = { family: address.family, octets: inside.octets };
          const held = [first, ...turns.filter((turn) => prefixContains(inside, turn))];
          for (const other of held) {
            expect(naive(other)).toBe(naive(address));
            expect(listAt(other)).toBe(naive(address));
          }
          if (listPrefixLength > 0) {
            const wider = prefixOf(address, listPrefixLength - 1);
            const start = toNumber(inside.octets) ^ (1n << BigInt(bits - listPrefixLength));
            const sibling = { family: address.family, octets: toOctets(address.family, start) };
            const beside = [sibling, ...turns.filter((turn) => prefixContains(wider, turn))];
            expect(beside.some((other) => naive(other) !== naive(address))).toBe(true);
          }
          // The choice: the same in all of the scope, whatever the states.
          expect(prefixLength).toBe(Math.max(listPrefixLength, spreadPrefixLength ?? 0));
          const scope = prefixOf(address, prefixLength);
          const last = { family: address.family, octets: lastOf(scope) };
          const inScope = turns.filter((turn) => prefixContains(scope, turn));
          for (const other of [{ family: scope.family, octets: scope.octets }, last, ...inScope]) {
            expect(chosenAt(other)).toBe(chosenAt(address));
          }
          if (spreadPrefixLength !== undefined) {
            const group = groupOf(address);
            expect(groupOf(last).prefix).toEqual(group.prefix);
            expect(spreadPrefixLength).toBeGreaterThanOrEqual(address.family === 4 ? 24 : 40);
          }
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

function lastOf({ family: each, octets, length }: IpPrefix): Uint8Array {
  return toOctets(each, toNumber(octets) | ((1n << BigInt(addressBits(each) - length)) - 1n));
}
