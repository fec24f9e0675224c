/**
 * The lists as a person would find them: distances, biases and latencies put in order, the rules of a name read from the
 * top. Nothing of the tables is used but where an address is; so a fault in them shows.
 */

import type { RecordsName } from "../cloud/record-rules.ts";
import type { Service } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import type { Datacenter } from "../cloud/topology.ts";
import { greatCircleKilometres } from "../geo/distance.ts";
import { continentOf, countryOf, type Location } from "../geo/location-table.ts";
import { KILOMETRES_PER_MILLISECOND, type LatencyRow } from "../geo/nearness.ts";
import type { Continent } from "../geo/place.ts";
import { findIpv4Block, formatPrefix, type IpAddress, type IpPrefix } from "../ip.ts";
import type { Snapshot } from "../snapshot.ts";
import type { Lists } from "./lists.ts";
import { PrefixTrie } from "./prefix-trie.ts";

/** What one tailored name gives an address, and a prefix around it that no rule by prefix divides. */
export interface GivenPart {
  readonly part: number;
  readonly prefixLength: number;
}

export class NaiveLists {
  readonly #snapshot: Snapshot;
  readonly #lists: Lists;
  readonly #orders = new Map<Service, Orders>();
  readonly #byDistance = new Map<RecordsName, Map<Location, number>>();
  readonly #rules = new Map<RecordsName, PrefixTrie<number>>();

  constructor(snapshot: Snapshot, lists: Lists) {
    this.#snapshot = snapshot;
    this.#lists = lists;
  }

  partAt(tailored: TailoredName, address: IpAddress, location: Location): GivenPart {
    return tailored.kind === "service"
      ? this.#partOfService(tailored.service, address, location)
      : this.#partOfRules(tailored, address, location);
  }

  #partOfRules(tailored: RecordsName, address: IpAddress, location: Location): GivenPart {
    const trie =
      this.#rules.get(tailored) ??
      trieOf(tailored.rules.networks.map(({ prefix, list }) => [prefix, this.#lists.partOfRecords(list)]));
    this.#rules.set(tailored, trie);
    const { values, prefixLength } = lookupInner(trie, address);
    return { part: values.at(-1) ?? this.#partByPlace(tailored, location), prefixLength };
  }

  #partByPlace(tailored: RecordsName, location: Location): number {
    const { countries, continents, otherwise } = tailored.rules;
    const { country, continent } = this.#landOf(location);
    const list =
      (country === undefined ? undefined : countries.get(country)) ??
      (continent === undefined ? undefined : continents.get(continent));
    if (list !== undefined) return this.#lists.partOfRecords(list);
    if (otherwise.kind !== "nearest") {
      return this.#lists.partOfRecords(otherwise.kind === "default" ? otherwise.list : []);
    }
    const orders = this.#byDistance.get(tailored) ?? new Map<Location, number>();
    this.#byDistance.set(tailored, orders);
    const known = orders.get(location);
    if (known !== undefined) return known;
    const sorted =
      location.kind === "unlocated"
        ? []
        : sortByCost([...otherwise.datacenters.keys()], (each) => distanceTo(each, location));
    const part = this.#lists.partOfDatacenters(sorted);
    orders.set(location, part);
    return part;
  }

  #partOfService(service: Service, address: IpAddress, location: Location): GivenPart {
    const orders = this.#orders.get(service) ?? newOrders(service);
    this.#orders.set(service, orders);
    const { values, prefixLength } = orders.hasPrefixes ? lookupInner(orders.byPrefix, address) : nowhere;
    // Most addresses are in none of these prefixes, and those that are share a few.
    const key = values.length === 0 ? "" : values.map(({ text }) => text).join(" ");
    const atKey = orders.known.get(key) ?? new Map<Location, number>();
    orders.known.set(key, atKey);
    const part =
      atKey.get(location) ?? this.#lists.partOfDatacenters(this.#orderAt(service, values, location));
    atKey.set(location, part);
    return { part, prefixLength };
  }

  /** A list comes first, then what is measured or, where nothing is, as far as the crow flies. */
  #orderAt(
    { candidates, nearness }: Service,
    around: readonly PrefixRules[],
    location: Location,
  ): readonly Datacenter[] {
    const { bias, latency, countries, continents, maxCandidates } = nearness;
    const { country, continent } = this.#landOf(location);
    const rows = [
      ...around.toReversed().flatMap(({ row }) => row ?? []),
      ...latency.filter(({ from }) => from.kind === "city" && from.city === location.place.city),
      ...latency.filter(({ from }) => from.kind === "country" && from.country === country),
      ...latency.filter(({ from }) => from.kind === "continent" && from.continent === continent),
    ];
    const ofPrefix = around.findLast(({ ids }) => ids !== undefined)?.ids;
    if (location.kind === "unlocated") {
      // Nothing is near to nowhere, but for what is said of a prefix around it, or of the continent that may be known.
      const told = rows
        .filter(({ from }) => from.kind !== "city")
        .flatMap(({ milliseconds }) => [...milliseconds.keys()]);
      const first = ofPrefix ?? (continent === undefined ? undefined : continents.get(continent));
      if (!candidates.some(({ id }) => first?.includes(id) || told.includes(id))) return [];
    }
    const listed =
      ofPrefix ??
      (country === undefined ? undefined : countries.get(country)) ??
      (continent === undefined ? undefined : continents.get(continent)) ??
      [];
    const costOf = (datacenter: Datacenter): number => {
      const measured = rows.find(({ milliseconds }) => milliseconds.has(datacenter.id));
      const milliseconds = measured?.milliseconds.get(datacenter.id);
      const far =
        milliseconds === undefined
          ? distanceTo(datacenter, location)
          : milliseconds * KILOMETRES_PER_MILLISECOND;
      return far + (bias.get(datacenter.id) ?? 0);
    };
    const first = listed.flatMap((id) => candidates.find((each) => each.id === id) ?? []);
    const others = candidates.filter((each) => !first.includes(each));
    return [...first, ...sortByCost(others, costOf)].slice(0, maxCandidates);
  }

  #landOf(location: Location): {
    readonly country: string | undefined;
    readonly continent: Continent | undefined;
  } {
    const { countries } = this.#snapshot.configuration;
    return {
      country: countryOf(location),
      continent: continentOf(location, (country) => countries.get(country)?.continent),
    };
  }
}

/** What is said of one prefix. */
interface PrefixRules {
  readonly text: string;
  readonly ids?: readonly string[];
  readonly row?: LatencyRow;
}

/** The lists of a service found so far: by what is said of the prefixes around an address, and by its location. */
interface Orders {
  readonly byPrefix: PrefixTrie<PrefixRules>;
  readonly hasPrefixes: boolean;
  readonly known: Map<string, Map<Location, number>>;
}

function newOrders({ nearness: { networks, latency } }: Service): Orders {
  const byText = new Map<string, readonly [IpPrefix, PrefixRules]>();
  for (const { prefix, ids } of networks) {
    const text = formatPrefix(prefix);
    byText.set(text, [prefix, { text, ids }]);
  }
  for (const row of latency) {
    if (row.from.kind !== "network") continue;
    const text = formatPrefix(row.from.prefix);
    byText.set(text, [row.from.prefix, { text, ...byText.get(text)?.[1], row }]);
  }
  return { byPrefix: trieOf([...byText.values()]), hasPrefixes: byText.size > 0, known: new Map() };
}

/** What a lookup finds where there is no prefix at all; most services have none, and millions of addresses are asked. */
const nowhere = { values: [], prefixLength: 0 } as const;

function trieOf<T>(entries: readonly (readonly [IpPrefix, T])[]): PrefixTrie<T> {
  const trie = new PrefixTrie<T>();
  for (const [prefix, value] of entries) trie.add(prefix, value);
  return trie;
}

/** Rules for IPv4 count for the IPv4 address in an IPv6 one. */
function lookupInner<T>(trie: PrefixTrie<T>, address: IpAddress): ReturnType<PrefixTrie<T>["lookup"]> {
  const offset = findIpv4Block(address)?.prefix.length ?? 0;
  if (offset === 0) return trie.lookup(address.octets);
  const { values, prefixLength } = trie.lookup(address.octets.subarray(offset / 8, offset / 8 + 4));
  return { values, prefixLength: offset + prefixLength };
}

const distanceTo = ({ place }: Datacenter, location: Location): number =>
  greatCircleKilometres(location.place.coordinates, place.coordinates);

/** Ties go to the smaller id. */
const sortByCost = (
  datacenters: readonly Datacenter[],
  costOf: (datacenter: Datacenter) => number,
): readonly Datacenter[] =>
  datacenters
    .map((datacenter) => ({ datacenter, cost: costOf(datacenter) }))
    .sort((a, b) => a.cost - b.cost || (a.datacenter.id < b.datacenter.id ? -1 : 1))
    .map(({ datacenter }) => datacenter);
