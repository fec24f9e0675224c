/** The rules that were tried for an answer, in their order: which one counts, and why the others do not. */

import { chooseActive } from "./cloud/choose.ts";
import type { RecordsName } from "./cloud/record-rules.ts";
import type { Service } from "./cloud/service.ts";
import { placeOf, stateOf } from "./cloud/states.ts";
import type { Datacenter, TenantGeo } from "./cloud/topology.ts";
import { geoipName, type Location, locateAddress } from "./geo/location-table.ts";
import { findLatency, findList, formatLatencyRow, type NamedPrefix, type Site } from "./geo/nearness.ts";
import {
  formatAddress,
  formatEndpoint,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  ipv4OffsetIn,
  prefixContains,
} from "./ip.ts";
import { ruleClass, type Snapshot, siteOf, whereaboutsOf } from "./snapshot.ts";

export interface Tried {
  /** in words: `network london-office 10.1.0.0/16` */
  readonly rule: string;
  readonly outcome: "counts" | "passed over" | "not asked";
  readonly because: string;
}

const counts = (rule: string, because: string): Tried => ({ rule, outcome: "counts", because });
const passedOver = (rule: string, because: string): Tried => ({ rule, outcome: "passed over", because });
const notAsked = (rule: string, because: string): Tried => ({ rule, outcome: "not asked", because });

/** How many entries of a list are named. */
const NAMED = 8;

function some(words: readonly string[]): string {
  const more = words.length - NAMED;
  return `${words.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** What could say whose place counts: the client subnet, the vantage of a listener, and last the source address. */
export function triedAskers(
  { configuration: { settings } }: Snapshot,
  speaksEdns: boolean,
): readonly Tried[] {
  const { clientSubnetTrust: trust, listen } = settings;
  const subnet = "client subnet";
  const vantages = listen.filter((at) => at.vantage !== undefined).length;
  const vantage = `vantage of a listener (${vantages} of ${listen.length} have one)`;
  const ignoring = listen
    .filter((at) => at.ignoresClientSubnet)
    .map((at) => passedOver(`${subnet} at ${formatEndpoint(at)}`, "the listener ignores it"));
  if (speaksEdns && trust !== "none" && trust.length > 0) {
    const whose =
      trust === "all"
        ? "whoever sends it is trusted"
        : `resolvers in ${some(trust.map(formatPrefix))} are trusted`;
    return [
      counts(subnet, whose),
      ...ignoring,
      notAsked(vantage, "a client subnet beats it"),
      notAsked("source address", "a client subnet beats it"),
    ];
  }
  const why = speaksEdns ? "nobody who sends it is trusted" : "the zone cannot read EDNS";
  return [
    passedOver(subnet, why),
    ...(vantages === 0 ? [] : [notAsked(vantage, "what is asked about stands for the source address")]),
    counts("source address", "nothing beats it"),
  ];
}

/** What could locate an address: networks by the longest prefix, then GeoIP, then the default location. */
export function triedLocations(snapshot: Snapshot, address: IpAddress): readonly Tried[] {
  const { location } = locateAddress(snapshot.locations, address);
  return [
    ...triedNetworks(snapshot, location, address),
    ...triedGeoip(snapshot, location, address),
    ...triedDefault(snapshot, location),
  ];
}

function triedNetworks(
  { configuration: { networks, settings } }: Snapshot,
  location: Location,
  address: IpAddress,
): readonly Tried[] {
  if (networks.length === 0) return [passedOver("networks", "there are none")];
  if (!settings.location.byNetworks)
    return [notAsked("networks", "location.sources leaves them out, so they locate nobody")];
  const at = formatAddress(address.octets);
  const holders = networks
    .flatMap(({ name, prefixes }) => prefixes.map((prefix) => ({ network: name, prefix })))
    .filter(({ prefix }) => holds(prefix, address))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
  if (location.kind !== "network" || holders.length === 0) {
    const which =
      networks.length === 1 ? "the only network does not hold" : `none of ${networks.length} holds`;
    return [passedOver("networks", `${which} ${at}`)];
  }
  return holders.map((holder, i) =>
    i === 0
      ? counts(wordsOf(holder), `of the prefixes of networks it is the longest that holds ${at}`)
      : passedOver(wordsOf(holder), `it holds ${at}, and is shorter`),
  );
}

const wordsOf = ({ network, prefix }: NamedPrefix): string =>
  `network ${network === undefined ? "" : `${network} `}${formatPrefix(prefix)}`;

/** An IPv6 address that holds an IPv4 address is located as that. */
function holds(prefix: IpPrefix, address: IpAddress): boolean {
  const { family, octets } = address;
  const offset = family === 4 ? -1 : ipv4OffsetIn(octets, 0);
  const within: IpAddress = { family: 4, octets: octets.subarray(offset, offset + 4) };
  return prefixContains(prefix, address) || (offset >= 0 && prefixContains(prefix, within));
}

function triedGeoip(
  { configuration: { settings }, geoip }: Snapshot,
  location: Location,
  address: IpAddress,
): readonly Tried[] {
  if (location.kind === "network") return [notAsked("GeoIP", "a network beats it")];
  if (!settings.location.byGeoip) return [notAsked("GeoIP", "location.sources leaves it out")];
  if (geoip === undefined) return [notAsked("GeoIP", "no database is loaded")];
  const rule = `GeoIP ${geoip.databaseType}`;
  const name = geoipName(location);
  if (location.kind !== "geoip") {
    const at = formatAddress(address.octets);
    return [
      passedOver(rule, name === undefined ? `it does not know ${at}` : `it knows no more than ${name}`),
    ];
  }
  const found = counts(rule, `it says ${name ?? "a place without a country"}`);
  const { subdivisions, countries, continents } = settings.location;
  if (subdivisions.size + countries.size + continents.size === 0) return [found];
  const given = "places given by location";
  const { override } = location;
  return [
    found,
    override === undefined
      ? passedOver(given, "none is for there")
      : counts(given, `all of ${override} is taken to be at one place`),
  ];
}

function triedDefault({ configuration: { settings } }: Snapshot, { kind }: Location): readonly Tried[] {
  const { unlocated } = settings.location;
  const rule = "default location";
  if (kind === "default") return [counts(rule, "nothing else knows the address")];
  if (kind === "unlocated")
    return [notAsked(rule, `location.unlocated is ${unlocated}, so there is none to fall back to`)];
  return [notAsked(rule, "the address is located")];
}

/** What could order the candidates of a service: lists, measured latencies and bias, and last distance. */
export function triedOrders(snapshot: Snapshot, service: Service, address: IpAddress): readonly Tried[] {
  const { nearness } = service;
  const site = siteOf(snapshot, service, address);
  const list = findList(nearness, site);
  return [
    ...triedLists(service, site, address),
    ...triedLatencies(service, site),
    ...triedBias(service),
    counts(
      "distance",
      list === undefined ? "it orders the candidates" : "it orders those that the list leaves out",
    ),
  ];
}

function triedLists(
  { nearness: { networks, countries, continents } }: Service,
  { country, continent, prefixRule: { listed } }: Site,
  address: IpAddress,
): readonly Tried[] {
  const tried: Tried[] = [];
  if (listed !== undefined) {
    const others = networks.filter((each) => each.prefix !== listed.prefix && holds(each.prefix, address));
    tried.push(
      counts(
        `list of ${wordsOf(listed)}`,
        "of the prefixes with a list it is the longest that holds the asker",
      ),
      ...others.map((each) => passedOver(`list of ${wordsOf(each)}`, "it holds the asker, and is shorter")),
    );
  } else if (networks.length > 0) {
    tried.push(passedOver("lists of networks", `none of ${some(networks.map(wordsOf))} holds the asker`));
  }
  const isOfNetwork = listed !== undefined;
  const isOfCountry = !isOfNetwork && country !== undefined && countries.has(country);
  if (countries.size > 0)
    tried.push(triedRegion("list", "country", country, [...countries.keys()], isOfNetwork && "network"));
  if (continents.size > 0) {
    const beaten = isOfNetwork ? "network" : isOfCountry && "country";
    tried.push(triedRegion("list", "continent", continent, [...continents.keys()], beaten));
  }
  return tried;
}

/** One rule for the country or continent of the asker, which one for something narrower may have beaten. */
function triedRegion(
  what: "list" | "rule",
  kind: "country" | "continent",
  its: string | undefined,
  listed: readonly string[],
  beatenBy: string | false,
): Tried {
  const rule = what === "list" ? `list of ${kind}` : kind;
  const plural = kind === "country" ? "countries" : "continents";
  if (beatenBy !== false) return notAsked(`${rule} ${some(listed)}`, `the one of a ${beatenBy} beats it`);
  if (its === undefined) return passedOver(`${rule} ${some(listed)}`, `no ${kind} of the asker is known`);
  return listed.includes(its)
    ? counts(`${rule} ${its}`, `the asker is in ${its}`)
    : passedOver(`${rule} ${some(listed)}`, `the asker is in ${its}, which is none of these ${plural}`);
}

function triedLatencies({ nearness }: Service, site: Site): readonly Tried[] {
  if (nearness.latency.length === 0) return [];
  const rows = findLatency(nearness, site);
  if (rows.length === 0) {
    const from = some(nearness.latency.map(formatLatencyRow));
    return [passedOver("latencies", `none is measured from there, but from ${from}`)];
  }
  return rows.map((row, i) =>
    counts(
      `latencies from ${formatLatencyRow(row)}`,
      i === 0
        ? "they take the place of distances"
        : "they do so for candidates that those above were not measured to",
    ),
  );
}

function triedBias({ nearness: { bias } }: Service): readonly Tried[] {
  const words = [...bias]
    .filter(([, kilometres]) => kilometres !== 0)
    .map(([id, kilometres]) => `${id} ${kilometres > 0 ? "+" : ""}${kilometres} km`);
  return words.length === 0 ? [] : [counts("bias", some(words))];
}

/** The rules of a name with records of its own: networks, countries, continents, then what is left. */
export function triedRules(snapshot: Snapshot, name: RecordsName, address: IpAddress): readonly Tried[] {
  const { networks, countries, continents, otherwise } = name.rules;
  const { rule } = ruleClass(snapshot, name, address);
  const kind = rule?.kind;
  const { country, continent } = whereaboutsOf(snapshot, address);
  const tried: Tried[] = [];
  const holders = networks
    .filter(({ prefix }) => holds(prefix, address))
    .toSorted((a, b) => b.prefix.length - a.prefix.length);
  for (const [i, holder] of holders.entries()) {
    tried.push(
      i === 0
        ? counts(wordsOf(holder), "of the prefixes listed there it is the longest that holds the asker")
        : passedOver(wordsOf(holder), "it holds the asker, and is shorter"),
    );
  }
  if (holders.length === 0 && networks.length > 0)
    tried.push(passedOver("networks", `none of ${some(networks.map(wordsOf))} holds the asker`));
  const isOfNetwork = kind === "network" && "network";
  if (countries.size > 0)
    tried.push(triedRegion("rule", "country", country, [...countries.keys()], isOfNetwork));
  if (continents.size > 0) {
    const beaten = isOfNetwork || (kind === "country" && "country");
    tried.push(triedRegion("rule", "continent", continent, [...continents.keys()], beaten));
  }
  const isBeaten = kind === "network" || kind === "country" || kind === "continent";
  if (isBeaten) {
    if (otherwise.kind !== "no-rule")
      tried.push(
        notAsked(otherwise.kind === "nearest" ? "nearest datacenter" : "default", "a rule above holds"),
      );
  } else if (otherwise.kind === "no-rule") {
    tried.push(passedOver("default", "there is none, so the name has no records for this asker"));
  } else {
    const why = tried.length === 0 ? "there are no other rules" : "none above holds";
    tried.push(counts(otherwise.kind === "nearest" ? "nearest datacenter" : "default", why));
  }
  return tried;
}

/** The two datacenters of a tenant in the order in which they are tried. */
export function triedDatacenters(snapshot: Snapshot, tenant: TenantGeo): readonly Tried[] {
  const { states } = snapshot;
  const place = placeOf(snapshot.tenantPlaces, tenant);
  const { active, standby, serving } = place;
  const choice = chooseActive(tenant, place, states, "servfail");
  const chosen = choice.kind === "datacenter" ? choice.datacenter : undefined;
  const rule = (datacenter: Datacenter): string =>
    `${datacenter === active ? "active" : "standby"} ${datacenter.id}`;
  const order = (serving === "active" ? [active, standby] : [standby, active]).filter(
    (datacenter) => datacenter !== undefined,
  );
  const served = serving === "standby" ? "the tenant has failed over to it" : "the tenant is served there";
  let found: Datacenter | undefined;
  return order.map((datacenter, i): Tried => {
    if (found !== undefined) return notAsked(rule(datacenter), `${rule(found)} comes first, and is not down`);
    if (i > 0 && tenant.failover === "manual")
      return notAsked(rule(datacenter), "the tenant's failover is manual");
    const state = stateOf(states, datacenter);
    if (datacenter !== chosen) return passedOver(rule(datacenter), `it is ${state}`);
    found = datacenter;
    return counts(rule(datacenter), `${i === 0 ? served : "it takes over"}, and is ${state}`);
  });
}
