/** Where an address or a prefix is, and the order in which every set of candidate datacenters stands there. */

import { formatRule, type RecordsName } from "./cloud/record-rules.ts";
import type { Service } from "./cloud/service.ts";
import type { Datacenter } from "./cloud/topology.ts";
import { greatCircleKilometres } from "./geo/distance.ts";
import { geoipName, type Location, locateAddress } from "./geo/location-table.ts";
import type { RankedCandidate } from "./geo/nearness.ts";
import type { Place } from "./geo/place.ts";
import { addressBehind } from "./geo/prefix-table.ts";
import { commonPrefixLength, formatPrefix, type IpAddress, type IpPrefix, prefixOf } from "./ip.ts";
import {
  type LocationClass,
  locationClass,
  orderOf,
  rankingOf,
  ruleClass,
  type Snapshot,
} from "./snapshot.ts";

export interface Located {
  readonly prefix: string;
  /** whether all of it is at one place by one rule */
  readonly isAlike: boolean;
  /** its parts, each at one place by one rule; the first of them where there are many */
  readonly parts: readonly LocatedPart[];
  readonly moreParts: boolean;
  /** for the first address of the prefix */
  readonly sets: readonly LocatedSet[];
}

export interface LocatedPart {
  /** the part of the prefix asked about */
  readonly prefix: string;
  /** the widest prefix that is located so, which may reach beyond the one asked about */
  readonly locatedAs: string;
  readonly rule: Location["kind"];
  /** the name of the network, or the country or continent that GeoIP says */
  readonly name: string | undefined;
  readonly place: Place;
  /** whose place it is, where the configuration gives one to what GeoIP finds */
  readonly override: string | undefined;
  /** by the order of the sets: the nearest datacenter, or the rule */
  readonly first: readonly string[];
}

/** One set of candidates, or the rules of names that share them, at one place. */
export interface LocatedSet {
  /** undefined for names with rules */
  readonly cloud: string | undefined;
  /** services, or names with rules */
  readonly names: readonly string[];
  /** of the location class among those of this set */
  readonly class: number;
  /** the scope of answers, in bits of the address asked about */
  readonly scopePrefixLength: number;
  readonly scope: string;
  /** the rule that holds at a name with rules; undefined where the nearest datacenter decides */
  readonly rule: string | undefined;
  /** what orders the datacenters beside distance and bias: `list of country DE` */
  readonly order: string | undefined;
  /** the nearest first */
  readonly datacenters: readonly LocatedDatacenter[];
}

export interface LocatedDatacenter {
  readonly id: string;
  readonly city: string | undefined;
  readonly kilometres: number;
  /** added to the kilometres; 0 where there is none */
  readonly biasKilometres: number;
  /** measured, and in place of the kilometres */
  readonly latency: RankedCandidate["latency"];
  /** whether a list has it, so that neither counts */
  readonly isListed: boolean;
}

/** How many parts are listed. */
export const MAX_PARTS = 20;

export function locate(snapshot: Snapshot, prefix: IpPrefix): Located {
  const sets = setsOf(snapshot);
  const start = { family: prefix.family, octets: prefix.octets };
  const parts: LocatedPart[] = [];
  let octets: Uint8Array | undefined = prefix.octets;
  while (octets !== undefined && parts.length < MAX_PARTS && isInside(octets, prefix)) {
    const at: IpAddress = { family: prefix.family, octets };
    const { location, prefixLength } = locateAddress(snapshot.locations, at);
    const length = Math.max(prefixLength, prefix.length);
    parts.push({
      prefix: formatPrefix(prefixOf(at, length)),
      locatedAs: formatPrefix(prefixOf(at, prefixLength)),
      rule: location.kind,
      name: nameOf(location),
      place: location.place,
      override: location.kind === "geoip" ? location.override : undefined,
      first: sets
        .map((set) => set.at(at))
        .map(({ locationClass: found, rule }) => {
          return rule ?? found.datacenters[0]?.id ?? "none";
        }),
    });
    octets = addressBehind(octets, length);
  }
  const moreParts = octets !== undefined && isInside(octets, prefix);
  const { place } = locateAddress(snapshot.locations, start).location;
  return {
    prefix: formatPrefix(prefix),
    isAlike: parts.length === 1 && !moreParts,
    parts,
    moreParts,
    sets: sets.map((set) => locateIn(set, start, place)),
  };
}

const isInside = (octets: Uint8Array, prefix: IpPrefix): boolean =>
  commonPrefixLength(octets, prefix.octets) >= prefix.length;

function nameOf(location: Location): string | undefined {
  switch (location.kind) {
    case "network":
      return location.network;
    case "geoip":
    case "unlocated":
      return geoipName(location);
    case "default":
      return undefined;
    default:
      return location satisfies never;
  }
}

/** Those who share one table of classes. */
interface CandidateSet {
  readonly cloud: string | undefined;
  readonly names: readonly string[];
  readonly at: (address: IpAddress) => {
    readonly locationClass: LocationClass;
    readonly rule: string | undefined;
    readonly order: string | undefined;
    /** empty where distance alone decides */
    readonly ranked: readonly RankedCandidate[];
  };
}

/** Services by their candidates, cloud by cloud, then names with rules by those. */
function setsOf(snapshot: Snapshot): readonly CandidateSet[] {
  const services = Map.groupBy(snapshot.candidates, ([, candidates]) => candidates);
  const names = Map.groupBy(snapshot.ruleTables, ([, tables]) => tables);
  return [
    ...[...services].map(([candidates, members]): CandidateSet => {
      const [first] = members;
      return {
        cloud: first?.[0].cloud,
        names: members.map(([service]: readonly [Service, unknown]) => service.name),
        at: (address) => ({
          locationClass: locationClass(candidates, address),
          rule: undefined,
          order: first && orderOf(snapshot, first[0], address),
          ranked: first === undefined ? [] : rankingOf(snapshot, first[0], address).candidates,
        }),
      };
    }),
    ...[...names.values()].map(
      (members): CandidateSet => ({
        cloud: undefined,
        names: members.map(([name]) => name.name),
        at: (address) =>
          classAtNames(
            snapshot,
            members.map(([name]) => name),
            address,
          ),
      }),
    ),
  ];
}

/** Names that share their tables have the same rules, though not the same records. */
function classAtNames(
  snapshot: Snapshot,
  [first]: readonly RecordsName[],
  address: IpAddress,
): ReturnType<CandidateSet["at"]> {
  if (first === undefined) throw new Error("rules are those of a name");
  const { locationClass: found, rule } = ruleClass(snapshot, first, address);
  return { locationClass: found, rule: rule && formatRule(rule), order: undefined, ranked: [] };
}

function locateIn({ cloud, names, at }: CandidateSet, address: IpAddress, place: Place): LocatedSet {
  const { locationClass: found, rule, order, ranked } = at(address);
  const { number, datacenters, prefixLength } = found;
  return {
    cloud,
    names,
    class: number,
    scopePrefixLength: prefixLength,
    scope: formatPrefix(prefixOf(address, prefixLength)),
    rule,
    order,
    datacenters: datacenters.map((datacenter) => locatedDatacenter(datacenter, place, ranked)),
  };
}

function locatedDatacenter(
  { id, place: { city, coordinates } }: Datacenter,
  from: Place,
  ranked: readonly RankedCandidate[],
): LocatedDatacenter {
  const { biasKilometres = 0, latency, isListed = false } = ranked.find((each) => each.id === id) ?? {};
  const kilometres = Math.round(greatCircleKilometres(from.coordinates, coordinates));
  return { id, city, kilometres, biasKilometres, latency, isListed };
}
