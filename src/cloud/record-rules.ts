/** Names whose records the configuration writes out, a list for each rule: by network, country, continent or datacenter. */

import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import type { DomainName } from "../dns/name.ts";
import type { Continent } from "../geo/place.ts";
import { formatPrefix, type IpPrefix } from "../ip.ts";
import type { WhenAllDown } from "./service.ts";
import type { Datacenter } from "./topology.ts";

/** A name with a list of records for each rule; which rule holds is told by who asks. */
export interface RecordsName {
  readonly kind: "records";
  /** may be a wildcard */
  readonly name: DomainName;
  readonly rules: Rules;
  /** those of all lists */
  readonly types: ReadonlySet<number>;
}

/** What a name holds for some: its RRsets by ascending type, a CNAME alone, or nothing (NODATA for every type). */
export type RecordList = readonly RRset[];

/** Rules in the order in which they are asked; each beats those below it. */
export interface Rules {
  /** The longest of these prefixes that holds the address counts; sorted, and no prefix stands here twice. */
  readonly networks: readonly NetworkRule[];
  /** by ISO 3166 alpha-2 code */
  readonly countries: ReadonlyMap<string, RecordList>;
  readonly continents: ReadonlyMap<Continent, RecordList>;
  readonly otherwise: Otherwise;
}

/** One prefix, written as such or by the name of its network. */
export interface NetworkRule {
  readonly network: string | undefined;
  readonly prefix: IpPrefix;
  readonly list: RecordList;
}

/** For whom no network, country or continent is listed. */
export type Otherwise =
  | {
      readonly kind: "nearest";
      /** by id */
      readonly datacenters: ReadonlyMap<Datacenter, RecordList>;
      readonly whenAllDown: WhenAllDown;
    }
  | { readonly kind: "default"; readonly list: RecordList }
  | { readonly kind: "no-rule" };

/** A rule that gives everyone it holds for the same records, whatever the states. */
export type FixedRule =
  | ({ readonly kind: "network" } & NetworkRule)
  | { readonly kind: "country"; readonly country: string; readonly list: RecordList }
  | {
      readonly kind: "continent";
      readonly continent: Continent;
      /** undefined where GeoIP tells the continent alone */
      readonly country: string | undefined;
      readonly list: RecordList;
    }
  | { readonly kind: "default"; readonly list: RecordList }
  | { readonly kind: "no-rule"; readonly list: RecordList };

/** Where an address is, as far as rules ask. */
export interface RuleLocation {
  /** the longest listed prefix that holds it */
  readonly networkRule: NetworkRule | undefined;
  readonly country: string | undefined;
  readonly continent: Continent | undefined;
}

/** The rule that holds there; undefined where the nearest datacenter decides. */
export function findRule(
  { countries, continents, otherwise }: Rules,
  { networkRule, country, continent }: RuleLocation,
): FixedRule | undefined {
  if (networkRule !== undefined) return { kind: "network", ...networkRule };
  const ofCountry = country === undefined ? undefined : countries.get(country);
  if (country !== undefined && ofCountry !== undefined) return { kind: "country", country, list: ofCountry };
  const ofContinent = continent === undefined ? undefined : continents.get(continent);
  if (continent !== undefined && ofContinent !== undefined) {
    return { kind: "continent", continent, country, list: ofContinent };
  }
  switch (otherwise.kind) {
    case "nearest":
      return undefined;
    case "default":
      return otherwise;
    case "no-rule":
      return { ...otherwise, list: [] };
    default:
      return otherwise satisfies never;
  }
}

/** A rule in the words of the log. */
export function formatRule(rule: FixedRule): string {
  switch (rule.kind) {
    case "network": {
      const prefix = formatPrefix(rule.prefix);
      return rule.network === undefined ? `network ${prefix}` : `network ${rule.network} ${prefix}`;
    }
    case "country":
      return `country ${rule.country}`;
    case "continent":
      return `continent ${rule.continent}`;
    case "default":
      return "default";
    case "no-rule":
      return "no rule";
    default:
      return rule satisfies never;
  }
}

/** The RRset of a list that answers `qtype`: the one of that type, or the CNAME; for ANY the first (RFC 8482 §4.1). */
export function rrsetFor(list: RecordList, qtype: number): RRset | undefined {
  if (qtype === TYPE.ANY) return list[0];
  return list.find(({ type }) => type === qtype || type === TYPE.CNAME);
}

/** All lists of a name, each with its rule in words. */
export function listsOf({ networks, countries, continents, otherwise }: Rules): readonly {
  readonly rule: string;
  readonly list: RecordList;
}[] {
  return [
    ...networks.map(({ network, prefix, list }) => ({
      rule: `network ${network ?? formatPrefix(prefix)}`,
      list,
    })),
    ...[...countries].map(([country, list]) => ({ rule: `country ${country}`, list })),
    ...[...continents].map(([continent, list]) => ({ rule: `continent ${continent}`, list })),
    ...(otherwise.kind === "nearest"
      ? [...otherwise.datacenters].map(([{ id }, list]) => ({ rule: `datacenter ${id}`, list }))
      : []),
    ...(otherwise.kind === "default" ? [{ rule: "default", list: otherwise.list }] : []),
  ];
}

/** The rules without the records: names that differ in those alone have the same classes of addresses. */
export interface RuleShape {
  readonly key: string;
  /** the part of it that is not about networks */
  readonly locationKey: string;
  /** by the index of a network rule, the number of its list */
  readonly networks: readonly number[];
  readonly countries: ReadonlyMap<string, number>;
  readonly continents: ReadonlyMap<Continent, number>;
  /** undefined where the nearest datacenter decides */
  readonly otherwise: number | undefined;
}

/**
 * Numbers the lists of a name. Equal lists have one number, so that rules that give the same make one class, and its
 * scope is as wide as can be.
 */
export function shapeOf({ networks, countries, continents, otherwise }: Rules): RuleShape {
  const numbers = new Map<string, number>();
  const numberOf = (list: RecordList): number => {
    const content = contentOf(list);
    const known = numbers.get(content) ?? numbers.size;
    numbers.set(content, known);
    return known;
  };
  const numbered = <K extends string>(lists: ReadonlyMap<K, RecordList>): ReadonlyMap<K, number> =>
    new Map([...lists].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, list]) => [key, numberOf(list)]));
  // Networks come last, so that they change no number of the others.
  const shape = {
    countries: numbered(countries),
    continents: numbered(continents),
    otherwise:
      otherwise.kind === "nearest" ? undefined : numberOf(otherwise.kind === "default" ? otherwise.list : []),
    networks: networks.map(({ list }) => numberOf(list)),
  };
  const locationKey = JSON.stringify([
    [...shape.countries],
    [...shape.continents],
    otherwise.kind === "nearest" ? [...otherwise.datacenters.keys()].map(({ id }) => id) : shape.otherwise,
  ]);
  const prefixes = networks.map(({ prefix }, i) => [formatPrefix(prefix), shape.networks[i]]);
  return { key: `${locationKey} ${JSON.stringify(prefixes)}`, locationKey, ...shape };
}

/**
 * The same for lists that answer with the same octets. The order of records counts, although a set has none (RFC 2181
 * §5): clients often take the first address, and what is inside one scope is to get one answer.
 */
const contentOf = (list: RecordList): string =>
  list
    .map(
      ({ type, rdatas }) => `${type} ${rdatas.map((rdata) => Buffer.from(rdata).toString("hex")).join(",")}`,
    )
    .join(" ");
