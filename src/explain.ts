/** Why a name has the answer that it has, from one place: the trace of a real answer, in words of the field. */

import { type Answered, answer, type Deferred } from "./answer.ts";
import { ownerNames, type ServiceName } from "./cloud/chain.ts";
import { type Choice, chooseActive, type Reason } from "./cloud/choose.ts";
import { type FixedRule, formatRule, type RecordsName } from "./cloud/record-rules.ts";
import type { Link, Service } from "./cloud/service.ts";
import { type DatacenterState, placeOf, stateOf, type TenantPlace } from "./cloud/states.ts";
import { findMatch, tenantLabelOf } from "./cloud/tenant-names.ts";
import { NO_ROW, type TenantRow, type TenantTable } from "./cloud/tenant-table.ts";
import type { Datacenter, Mark, TenantGeo, Workload } from "./cloud/topology.ts";
import type { Configuration, NetworkKind } from "./config/configuration.ts";
import { CLASS, formatRcode, formatType, RCODE, TYPE } from "./dns/iana.ts";
import { formatRRset, type RRset } from "./dns/message.ts";
import { type DomainName, domainName, formatName } from "./dns/name.ts";
import { formatRdata } from "./dns/rdata.ts";
import { renderQuery } from "./dns/render.ts";
import { greatCircleKilometres } from "./geo/distance.ts";
import { geoipName, type Location, locateAddress } from "./geo/location-table.ts";
import type { RankedCandidate } from "./geo/nearness.ts";
import type { Place } from "./geo/place.ts";
import {
  formatEndpoint,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  prefixContains,
  prefixOf,
} from "./ip.ts";
import { reasonsInWords } from "./reasons.ts";
import { findZoneOf, notAnswered } from "./resolve.ts";
import { rankingOf, type Snapshot } from "./snapshot.ts";
import {
  type Hop,
  lastTailoring,
  type Resolution,
  type Stop,
  stopsInWords,
  type Tailoring,
} from "./trace.ts";
import {
  type Tried,
  triedAskers,
  triedDatacenters,
  triedLocations,
  triedOrders,
  triedRules,
} from "./tried.ts";
import { findVantage } from "./vantage.ts";
import type { SupposedChanges } from "./what-if.ts";
import type { Quirk } from "./zone/quirks.ts";

export interface ExplainRequest {
  /** wire format */
  readonly qname: Uint8Array;
  readonly qtype: number;
  /** what counts: the client subnet that a trusted resolver passes on or, if none is trusted, the resolver's address */
  readonly from: IpPrefix;
  /** the tenant, or its satellite, whose datacenter a second hop goes to */
  readonly tenant: TenantGeo | undefined;
  /** how the snapshot came to be other than what is */
  readonly supposed?: SupposedChanges | undefined;
}

export interface Explanation {
  /** undefined where all is as it is */
  readonly supposed: SupposedChanges | undefined;
  readonly question: { readonly name: string; readonly type: string };
  readonly from: string;
  /** whose client subnets count; `--from` is one, or the address of a resolver where none counts */
  readonly clientSubnetTrust: "all" | "none" | readonly string[];
  /** what could say whose place counts, in order */
  readonly askers: readonly Tried[];
  /** of the zone asked; where that cannot read EDNS, no client subnet counts and the question is put without */
  readonly quirks: { readonly zone: string; readonly names: readonly Quirk[] } | undefined;
  /** where one can ask as if from there: listeners of the configuration whose vantage is in `from` */
  readonly vantages: readonly { readonly listener: string; readonly name: string }[];
  readonly location: ExplainedLocation;
  /** "not known" where a handler decides */
  readonly rcode: string;
  /** who answers in a scripted zone: nothing is known of its answer before it is asked */
  readonly handler: { readonly zone: string; readonly path: string } | undefined;
  /** why nothing was looked up, or why a chain ends before its last name */
  readonly stop: { readonly kind: Stop; readonly because: string } | undefined;
  /** all that was decided on the way, in the order of the chain */
  readonly decisions: readonly Decision[];
  /** the last one, whose choice the addresses are; undefined where no name on the way is tailored */
  readonly decision: Decision | undefined;
  /** every name on the way, with where it was decided what it leads to */
  readonly chain: readonly ExplainedHop[];
  readonly records: readonly ExplainedRecord[];
  /** SOA or NS records of an answer without addresses */
  readonly authority: readonly string[];
  readonly scope: {
    /** undefined where a handler decides */
    readonly prefixLength: number | undefined;
    readonly prefix: string | undefined;
    readonly because: string;
  };
  /** whether there is an address to connect to */
  readonly hasAddresses: boolean;
  readonly secondHop: SecondHop | undefined;
  /** the tenant asked about: where it is served, and where those of its workloads that have a home of their own */
  readonly homes: readonly ExplainedHome[];
  /** the tenant asked about, where the answer has no use for it */
  readonly unusedTenant: { readonly name: string; readonly because: string } | undefined;
  /** sentences on what is beyond DNS: which way the connection takes */
  readonly remarks: readonly string[];
}

export interface ExplainedLocation {
  readonly rule: Location["kind"];
  /** the name of the network, or the country or continent that GeoIP says */
  readonly name: string | undefined;
  readonly kind: NetworkKind | undefined;
  readonly place: Place;
  /** the widest prefix around the client subnet that is located by the same rule to the same place */
  readonly prefix: string;
  /** whether a GeoIP database was asked at all */
  readonly hasGeoip: boolean;
  /** what could locate it, in order */
  readonly tried: readonly Tried[];
  /** a sentence */
  readonly remark: string | undefined;
}

/** How a name got its answer: by the policy of a service, or by the rules of a name with records of its own. */
export type Decision = ServiceDecision | RecordsDecision;

export interface RecordsDecision {
  readonly kind: "records";
  /** the name on the chain that it is for */
  readonly at: string;
  /** the name, or the wildcard, that the rules stand at */
  readonly name: string;
  /** the rules, in order */
  readonly tried: readonly Tried[];
  /** undefined where the nearest datacenter decides */
  readonly rule: ExplainedRule | undefined;
  readonly datacenter: string | undefined;
  readonly city: string | undefined;
  readonly reason: Reason;
  readonly because: string;
  /** where the nearest datacenter decides: everyone considered, the nearest first */
  readonly candidates: readonly ExplainedCandidate[];
  /** all that the choice gives, as type and RDATA; which of them is asked for is another matter */
  readonly records: readonly string[];
}

export interface ExplainedRule {
  readonly kind: FixedRule["kind"];
  readonly words: string;
  readonly network: string | undefined;
  readonly prefix: string | undefined;
  readonly country: string | undefined;
  readonly continent: string | undefined;
}

export interface ServiceDecision {
  readonly kind: "service";
  /** the name on the chain that it is for */
  readonly at: string;
  readonly cloud: string;
  readonly service: string;
  readonly era: string | undefined;
  readonly policy: string;
  /** what put the candidates in order, or the datacenters of the tenant, in order */
  readonly tried: readonly Tried[];
  /** of which the name tells that its datacenter is, where it does */
  readonly region: string | undefined;
  readonly datacenter: string | undefined;
  readonly city: string | undefined;
  readonly reason: Reason;
  readonly because: string;
  /** nearest-datacenter: everyone considered, the nearest first */
  readonly candidates: readonly ExplainedCandidate[];
  /** candidates of the service that are not considered here */
  readonly leftOut: readonly { readonly id: string; readonly because: string }[];
  /** whose list orders them first, if one does: `country DE` */
  readonly list: string | undefined;
  readonly spread: ExplainedSpread | undefined;
  /** active-datacenter: whose datacenter it is */
  readonly tenant: ExplainedTenant | undefined;
  /** whether the addresses are of an edge, the same for everyone, and not of the datacenter */
  readonly endsAtEdge: boolean;
}

export interface ExplainedCandidate {
  readonly id: string;
  readonly city: string | undefined;
  readonly kilometres: number;
  /** added to the kilometres; 0 where there is none */
  readonly biasKilometres: number;
  /** measured, and in place of the kilometres */
  readonly latency: RankedCandidate["latency"];
  /** whether a list has it, so that neither counts */
  readonly isListed: boolean;
  readonly state: DatacenterState;
  readonly chosen: boolean;
  readonly mark: Mark | undefined;
}

/** Over whom clients are spread, and with whom this one is. */
export interface ExplainedSpread {
  readonly group: string;
  readonly among: readonly { readonly id: string; readonly weight: number }[];
}

export interface ExplainedTenant {
  readonly name: string;
  readonly geo: string;
  readonly active: string;
  readonly activeState: DatacenterState;
  readonly standby: string | undefined;
  readonly standbyState: DatacenterState | undefined;
}

/** Where a tenant, or a workload with a home of its own, is served now, and why there. */
export interface ExplainedHome extends ExplainedTenant {
  /** undefined: all of the tenant that has no other home */
  readonly workload: Workload | undefined;
  /** the datacenter that serves it */
  readonly servedBy: string;
  readonly because: string;
}

export interface ExplainedRecord {
  readonly record: string;
  readonly zone: string;
  /** how the name got this record */
  readonly how: "fixed" | "by place" | "by tenant";
  /** that of the name in its service's chain */
  readonly mark: Mark | undefined;
}

export interface ExplainedHop {
  readonly name: string;
  readonly zone: string;
  readonly found: Hop["found"];
  /** CNAME, A ...; undefined where there are no records */
  readonly type: string | undefined;
  readonly ttlSeconds: number | undefined;
  /** whether that TTL follows the time to the next possible change */
  readonly followsTime: boolean;
  /** RDATA, in presentation format */
  readonly values: readonly string[];
  /** the wildcard, or the owner of the DNAME, that stands for the name */
  readonly standsFor: string | undefined;
  readonly how: ExplainedRecord["how"];
  /** the index of the decision, where one was made here */
  readonly decision: number | undefined;
  readonly mark: Mark | undefined;
}

export interface SecondHop {
  readonly tenant: string | undefined;
  readonly frontEnd: string;
  readonly target: string | undefined;
  readonly because: string;
}

export function explain(
  snapshot: Snapshot,
  { qname, qtype, from, tenant, supposed }: ExplainRequest,
): Explanation {
  if (from.length === 0) throw new Error("a source prefix length of 0 asks to use no client subnet");
  const { configuration, locations } = snapshot;
  const { clientSubnetTrust: trust } = configuration.settings;
  const address = { family: from.family, octets: from.octets };
  const quirks = explainQuirks(configuration, qname, qtype);
  // A resolver that gets FORMERR asks again without EDNS.
  const speaksEdns = !quirks?.names.includes("edns-formerr");
  // Who is trusted asks on behalf of the client; where nobody is, the place of the resolver counts.
  const trusted = trust === "all" ? from : trust === "none" ? undefined : trust[0];
  const resolver = speaksEdns ? trusted : undefined;
  const message = renderQuery(
    { qname, qtype, qclass: CLASS.IN },
    {
      id: 0,
      recursionDesired: false,
      edns: speaksEdns ? { udpPayloadSize: 1232, dnssecOk: false, subnet: resolver && from } : undefined,
    },
  );
  const { family, octets } = resolver ?? from;
  const source = { address: { family, octets }, port: 53, transport: "tcp" } as const;
  const made = answer(snapshot, message, source, 0);
  const handler = made.kind === "deferred" ? explainHandler(made) : undefined;
  const resolution = made.kind === "deferred" ? notAnswered(RCODE.NOERROR) : resolutionOf(made);
  const { location, prefixLength } = locateAddress(locations, address);
  const network =
    location.kind === "network"
      ? configuration.networks.find(({ name }) => name === location.network)
      : undefined;
  const tailoring = lastTailoring(resolution);
  const client = { address, place: location.place };
  const decisions = resolution.hops.flatMap(({ name, tailoring: made }) =>
    made === undefined ? [] : [explainDecision(snapshot, made, name, client)],
  );
  const hasAddresses = resolution.sections.answer.some(({ type }) => type === TYPE.A || type === TYPE.AAAA);
  const secondHop = hasAddresses && tailoring ? explainSecondHop(snapshot, tailoring, tenant) : undefined;
  return {
    supposed,
    question: { name: formatName(qname), type: formatType(qtype) },
    from: formatPrefix(from),
    clientSubnetTrust:
      typeof trust === "string" ? trust : trust.length === 0 ? "none" : trust.map(formatPrefix),
    askers: triedAskers(snapshot, speaksEdns),
    quirks,
    vantages: explainVantages(configuration, from),
    location: {
      rule: location.kind,
      name: network?.name ?? geoipName(location),
      kind: network?.kind,
      place: location.place,
      prefix: formatPrefix(prefixOf(address, prefixLength)),
      hasGeoip: snapshot.geoip !== undefined,
      tried: triedLocations(snapshot, address),
      remark: network === undefined ? remarkOfPlace(snapshot, location) : networkRemarks[network.kind],
    },
    rcode: handler === undefined ? formatRcode(resolution.rcode) : "not known",
    handler,
    stop: resolution.stop && { kind: resolution.stop, because: stopsInWords[resolution.stop] },
    decisions,
    decision: decisions.at(-1),
    chain: explainChain(snapshot, resolution),
    records: explainRecords(snapshot, resolution),
    authority: resolution.sections.authority.flatMap(formatRRset),
    scope:
      handler === undefined
        ? explainScope(resolution, from, resolver !== undefined, speaksEdns)
        : explainHandlerScope(resolver !== undefined, speaksEdns),
    hasAddresses,
    secondHop,
    homes: tenant === undefined ? [] : explainHomes(snapshot, tenant),
    unusedTenant:
      tenant === undefined || secondHop !== undefined
        ? undefined
        : { name: tenant.label, because: whyUnused(tailoring, hasAddresses) },
    remarks: hasAddresses ? remarksOnPath(tailoring, network?.kind) : [],
  };
}

function explainQuirks(
  { zones, quirks }: Configuration,
  qname: Uint8Array,
  qtype: number,
): Explanation["quirks"] {
  const zone = findZoneOf(zones, domainName(qname), qtype);
  const names = zone && quirks.get(zone.apex);
  return names && { zone: zone.apex, names: [...names] };
}

function explainVantages({ settings, networks }: Configuration, from: IpPrefix): Explanation["vantages"] {
  return settings.listen.flatMap((at) => {
    const vantage = findVantage(at, networks);
    return vantage !== undefined && prefixContains(from, vantage.address)
      ? [{ listener: formatEndpoint(at), name: vantage.name }]
      : [];
  });
}

function resolutionOf({ trace }: Answered): Resolution {
  if (trace.kind === "answer") return trace.resolution;
  throw new Error(`a well-formed query was not answered: ${trace.reason}`);
}

/** A handler is not run to explain it: what it does may depend on how often it is asked. */
const explainHandler = ({ zone }: Deferred): Explanation["handler"] => ({
  zone: zone.apex,
  path: zone.handler,
});

/** Why no client subnet counts. */
const noClientSubnets = (speaksEdns: boolean): string =>
  speaksEdns
    ? "client subnets are not trusted in this configuration"
    : "the zone cannot read EDNS, so no client subnet gets there";

const explainHandlerScope = (countsClientSubnet: boolean, speaksEdns: boolean): Explanation["scope"] => ({
  prefixLength: countsClientSubnet ? undefined : 0,
  prefix: undefined,
  because: countsClientSubnet
    ? "it is what the handler says; where it says nothing, its answer is good for the client subnet it was shown alone"
    : `${noClientSubnets(speaksEdns)}, so the handler is shown none`,
});

function whyUnused(tailoring: Tailoring | undefined, hasAddresses: boolean): string {
  const tailored = tailoring?.tailored;
  const asked = tailored?.kind === "service" ? tailored.bindings.tenant : undefined;
  if (asked !== undefined) return `the name itself tells the tenant, ${asked.label}`;
  return hasAddresses
    ? "the connection is not passed on to a tenant's datacenter"
    : "no address came back to connect to";
}

/** In the sense of Microsoft's page "Client connectivity". */
const networkRemarks: Readonly<Record<NetworkKind, string | undefined>> = {
  office: undefined,
  vpn: "This is a VPN: its DNS servers ask for the clients behind it, so the place of the VPN decides, wherever they are.",
  expressroute:
    "ExpressRoute changes the path of the traffic, not the names and answers: the answer is the ordinary one.",
};

const pathRemarks: Readonly<Record<NetworkKind, string | undefined>> = {
  office: undefined,
  vpn: "A client of the VPN that is elsewhere connects there all the same; only with DNS and egress of its own place it would connect near by.",
  expressroute:
    "Those are the ordinary public addresses: whether the connection takes ExpressRoute (Microsoft peering) or the Internet is a matter of routes, not of DNS, which still goes over the Internet.",
};

/** Clouds that have no endpoint which is published as reachable over ExpressRoute. */
const cloudsWithoutExpressRoute: ReadonlySet<string> = new Set(["China", "Germany"]);

function remarksOnPath(tailoring: Tailoring | undefined, kind: NetworkKind | undefined): readonly string[] {
  const tailored = tailoring?.tailored;
  const cloud = tailored?.kind === "service" ? tailored.service.cloud : undefined;
  if (kind === "expressroute" && cloud !== undefined && cloudsWithoutExpressRoute.has(cloud))
    return [`No endpoint of ${cloud} is published for ExpressRoute: the connection takes the Internet.`];
  return [kind === undefined ? [] : (pathRemarks[kind] ?? [])].flat();
}

/** Whose place it is; a country that no document gives one is at the default location, though rules know it. */
function remarkOfPlace({ configuration }: Snapshot, location: Location): string | undefined {
  if (location.kind !== "geoip") return undefined;
  if (location.override !== undefined)
    return `The configuration gives that place to all of ${location.override} (location).`;
  if (location.place !== configuration.settings.defaultPlace) return undefined;
  return location.country === undefined
    ? "A continent has no place of its own, so distances are those from the default location."
    : "No countries document gives that country a place, so distances are those from the default location.";
}

/** Who is answered, and where that is. */
interface Client {
  readonly address: IpAddress;
  readonly place: Place;
}

/** Where a list orders them the first is not the nearest. */
function becauseOf(choice: Choice, ranking: readonly RankedCandidate[] = []): string {
  const chosen = ranking.find(({ id }) => id === chosenDatacenter(choice)?.id);
  if (chosen?.isListed && choice.reason === "nearest") return "it is the first of that list, and up";
  if (chosen?.isListed && choice.reason === "next-nearest")
    return "it is the first of that list that is up; those before it are down or draining";
  return reasonsInWords[choice.reason];
}

function explainDecision(snapshot: Snapshot, tailoring: Tailoring, at: DomainName, client: Client): Decision {
  const { tailored } = tailoring;
  switch (tailored.kind) {
    case "service":
      return { at, ...explainService(snapshot, tailored, tailoring, client) };
    case "records":
      return { at, ...explainRules(snapshot, tailored, tailoring, client) };
    default:
      return tailored satisfies never;
  }
}

function explainRules(
  snapshot: Snapshot,
  records: RecordsName,
  tailoring: Tailoring,
  { address, place }: Client,
): Omit<RecordsDecision, "at"> {
  const { choice } = tailoring;
  const { name, rules } = records;
  const { otherwise } = rules;
  const chosen = chosenDatacenter(choice);
  const ofDatacenter =
    chosen !== undefined && otherwise.kind === "nearest" ? otherwise.datacenters.get(chosen) : undefined;
  const list = choice.kind === "rule" ? choice.rule.list : (ofDatacenter ?? []);
  return {
    kind: "records",
    name,
    tried: triedRules(snapshot, records, address),
    rule: choice.kind === "rule" ? explainRule(choice.rule) : undefined,
    datacenter: chosen?.id,
    city: chosen?.place.city,
    reason: choice.reason,
    because: reasonsInWords[choice.reason],
    candidates: explainCandidates(snapshot, tailoring, place),
    records: list.flatMap(({ type, rdatas }) =>
      rdatas.map((rdata) => `${formatType(type)} ${formatRdata(type, rdata)}`),
    ),
  };
}

function explainRule(rule: FixedRule): ExplainedRule {
  const { kind } = rule;
  return {
    kind,
    words: formatRule(rule),
    network: kind === "network" ? rule.network : undefined,
    prefix: kind === "network" ? formatPrefix(rule.prefix) : undefined,
    country: kind === "country" || kind === "continent" ? rule.country : undefined,
    continent: kind === "continent" ? rule.continent : undefined,
  };
}

function explainService(
  snapshot: Snapshot,
  { service, bindings }: ServiceName,
  tailoring: Tailoring,
  { address, place }: Client,
): Omit<ServiceDecision, "at"> {
  const { choice } = tailoring;
  const { tenant, region } = bindings;
  const chosen = chosenDatacenter(choice);
  const ranking = tailoring.locationClass && rankingOf(snapshot, service, address);
  return {
    kind: "service",
    cloud: service.cloud,
    service: service.name,
    era: service.era,
    policy: service.policy,
    tried:
      ranking !== undefined
        ? triedOrders(snapshot, service, address)
        : tenant === undefined
          ? []
          : triedDatacenters(snapshot, tenant),
    region,
    datacenter: chosen?.id,
    city: chosen?.place.city,
    reason: choice.reason,
    because:
      bindings.tenant?.isUnknown && choice.reason === "active"
        ? `there is no tenant ${bindings.tenant.label}, and unknownTenants of the cloud has such answered as one of ${bindings.tenant.geo}`
        : becauseOf(choice, ranking?.candidates),
    candidates: explainCandidates(snapshot, tailoring, place, ranking?.candidates),
    leftOut: ranking === undefined ? [] : explainLeftOut(service, region, tailoring),
    list: ranking?.list,
    spread: explainSpread(choice),
    tenant: tenant && explainTenant(snapshot, tenant),
    endsAtEdge: service.end.kind === "anycast",
  };
}

function explainCandidates(
  { states }: Snapshot,
  { choice, locationClass }: Tailoring,
  place: Place,
  ranking: readonly RankedCandidate[] = [],
): readonly ExplainedCandidate[] {
  const chosen = chosenDatacenter(choice);
  return (locationClass?.datacenters ?? []).map((datacenter) => {
    const ranked = ranking.find(({ id }) => id === datacenter.id);
    return {
      id: datacenter.id,
      city: datacenter.place.city,
      kilometres: Math.round(greatCircleKilometres(place.coordinates, datacenter.place.coordinates)),
      biasKilometres: ranked?.biasKilometres ?? 0,
      latency: ranked?.latency,
      isListed: ranked?.isListed ?? false,
      state: stateOf(states, datacenter),
      chosen: datacenter === chosen,
      mark: datacenter.mark,
    };
  });
}

/** Where a name tells a region, those of others; where lists are cut, those behind. */
function explainLeftOut(
  { candidates }: Service,
  region: string | undefined,
  { locationClass }: Tailoring,
): ServiceDecision["leftOut"] {
  const considered = new Set(locationClass?.datacenters);
  if (locationClass?.isUnlocated) return [];
  return candidates
    .filter((datacenter) => !considered.has(datacenter))
    .map(({ id, region: its }) => ({
      id,
      because:
        region !== undefined && its !== region
          ? `it is not of the region ${region}`
          : "it is farther than the candidates that are considered from there",
    }));
}

function explainSpread(choice: Choice): ExplainedSpread | undefined {
  if (choice.kind !== "datacenter" || choice.spreading === undefined) return undefined;
  const { among, group, spread } = choice.spreading;
  return {
    group: formatPrefix(group.prefix),
    among: among.map(({ id }) => ({ id, weight: spread.weights.get(id) ?? 1 })),
  };
}

function explainTenant(snapshot: Snapshot, tenant: TenantGeo): ExplainedTenant {
  const { active, standby } = placeOf(snapshot.tenantPlaces, tenant);
  return {
    name: tenant.home ?? tenant.label,
    geo: tenant.geo,
    active: active.id,
    activeState: stateOf(snapshot.states, active),
    standby: standby?.id,
    standbyState: standby && stateOf(snapshot.states, standby),
  };
}

/** The home of a tenant and those of its workloads; a workload stands for its tenant. */
function explainHomes(snapshot: Snapshot, { label, active }: TenantGeo): readonly ExplainedHome[] {
  const found = findTenantRow(snapshot, active.cloud, label);
  if (found === undefined) return [];
  const { table, row } = found;
  return [row, ...table.workloadsOf(row)].map((home) => {
    const tenant = table.geoAt(home);
    const place = placeOf(snapshot.tenantPlaces, tenant);
    const choice = chooseActive(tenant, place, snapshot.states, "nearest");
    const serving = chosenDatacenter(choice) ?? place.active;
    const isMoved = place.active !== tenant.active || place.standby !== tenant.standby;
    const moved = isMoved ? `; it was moved, the configuration has it at ${tenant.active.id}` : "";
    return {
      ...explainTenant(snapshot, tenant),
      workload: tenant.workload,
      servedBy: serving.id,
      because: `${homeReason(choice.reason, place)}${moved}`,
    };
  });
}

function homeReason(reason: Reason, { active, serving: which }: TenantPlace): string {
  if (reason === "active")
    return which === "active"
      ? "it is the active datacenter"
      : "it is the active datacenter, and the standby is down";
  if (reason !== "standby") return reasonsInWords[reason];
  return which === "standby"
    ? `it is the standby, failed over to from ${active.id}`
    : `it is the standby, and ${active.id} is down`;
}

/** The row of a tenant or a satellite by its label, or by that of one of its workloads. */
function findTenantRow(
  { configuration: { clouds } }: Snapshot,
  cloud: string,
  label: string,
): { readonly table: TenantTable; readonly row: TenantRow } | undefined {
  const tenants = clouds.find(({ name }) => name === cloud)?.tenants;
  const row = tenants?.findRow(label) ?? NO_ROW;
  if (tenants === undefined || row === NO_ROW) return undefined;
  const { table } = tenants;
  const isWorkload = table.shapeAt(row).workload !== undefined;
  return { table, row: isWorkload ? (table.parentOf(row) ?? row) : row };
}

const chosenDatacenter = (choice: Choice): Datacenter | undefined =>
  choice.kind === "datacenter" ? choice.datacenter : undefined;

function explainRecords(snapshot: Snapshot, { hops, sections }: Resolution): readonly ExplainedRecord[] {
  const answered = new Set<RRset>(sections.answer);
  return hops.flatMap(({ name, wildcard, dname, rrset, zone, tailoring }) => {
    const how = howDecided(tailoring);
    const mark = linkOf(snapshot, wildcard ?? name, tailoring)?.mark;
    return [dname ?? [], rrset ?? []]
      .flat()
      .filter((each) => answered.has(each))
      .flatMap(formatRRset)
      .map((record) => ({ record, zone, how, mark }) as const);
  });
}

function explainChain(snapshot: Snapshot, { hops }: Resolution): readonly ExplainedHop[] {
  let decisions = 0;
  return hops.map(({ name, zone, found, wildcard, dname, rrset, tailoring }) => {
    const tailored = tailoring?.tailored;
    return {
      name,
      zone,
      found,
      type: rrset && formatType(rrset.type),
      ttlSeconds: rrset?.ttlSeconds,
      followsTime:
        rrset !== undefined &&
        tailored?.kind === "service" &&
        snapshot.healthTtls.has(tailored.service.cloud),
      values: rrset?.rdatas.map((rdata) => formatRdata(rrset.type, rdata)) ?? [],
      standsFor: wildcard ?? dname?.name,
      how: howDecided(tailoring),
      decision: tailoring === undefined ? undefined : decisions++,
      mark: linkOf(snapshot, wildcard ?? name, tailoring)?.mark,
    };
  });
}

/** Whether a name's records depend on anything. */
const howDecided = (tailoring: Tailoring | undefined): ExplainedRecord["how"] =>
  tailoring === undefined ? "fixed" : tailoring.locationClass === undefined ? "by tenant" : "by place";

/** The link of a service's chain that a name stands at; undefined at a plain record. */
function linkOf(
  { configuration }: Snapshot,
  name: DomainName,
  tailoring: Tailoring | undefined,
): Link | undefined {
  const tailored = tailoring?.tailored;
  if (tailored?.kind === "service") return tailored.service.links[tailored.linkIndex];
  if (tailored !== undefined) return undefined;
  for (const cloud of configuration.clouds) {
    for (const service of cloud.services) {
      const link = service.links.find(({ owners }, linkIndex) =>
        owners.some((template, ownerIndex) => {
          const label = tenantLabelOf(template);
          if (label !== undefined) return findMatch({ ...label, tenants: cloud.tenants }, name) !== undefined;
          const names = [...ownerNames(service, cloud, linkIndex, ownerIndex)];
          return names.some(({ owner }) => owner !== undefined && domainName(owner) === name);
        }),
      );
      if (link !== undefined) return link;
    }
  }
  return undefined;
}

function explainScope(
  { hops, scopePrefixLength, sections, rcode }: Resolution,
  from: IpPrefix,
  countsClientSubnet: boolean,
  speaksEdns: boolean,
): Explanation["scope"] {
  const none = (because: string) => ({ prefixLength: 0, prefix: undefined, because });
  if (!countsClientSubnet) {
    return none(`${noClientSubnets(speaksEdns)}, so --from stands for the resolver's own address`);
  }
  const decider = hops.find((hop) => hop.tailoring?.locationClass?.prefixLength === scopePrefixLength);
  const found = decider?.tailoring?.locationClass;
  const isByRule = decider?.tailoring?.choice.kind === "rule";
  const shared = isByRule ? "the same records" : "the same ordered list of datacenters";
  if (decider !== undefined && scopePrefixLength === 0) {
    return none(
      found?.isUnlocated ? "no address is located" : `every address has ${shared} at ${decider.name}`,
    );
  }
  if (decider !== undefined && found !== undefined) {
    const prefix = formatPrefix(prefixOf({ family: from.family, octets: from.octets }, scopePrefixLength));
    const has = `every address in ${prefix} has ${shared} at ${decider.name}`;
    const because = found.isUnlocated
      ? `no address in ${prefix} is located, and one bit more would hold some that are`
      : found.prefixLength > found.listPrefixLength
        ? `${has}, and is spread to the same one of them`
        : `${has}, and one bit more would not`;
    return { prefixLength: scopePrefixLength, prefix, because };
  }
  const last = hops.at(-1);
  if (last?.found === "explanation" && last.rrset !== undefined) {
    const because = "it is that of the answer which is explained";
    const prefix = formatPrefix(prefixOf({ family: from.family, octets: from.octets }, scopePrefixLength));
    return scopePrefixLength === 0 ? none(because) : { prefixLength: scopePrefixLength, prefix, because };
  }
  if (hops.some((hop) => hop.tailoring !== undefined)) return none("the tenant decides, not the place");
  if (hops.at(-1)?.found === "referral") return none("the referral is the same for everyone");
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)
    return none(`${formatRcode(rcode)} is what everyone is told`);
  return sections.answer.length > 0 && rcode === RCODE.NOERROR
    ? none("the records are the same for everyone")
    : none("that there are no such records is the same for everyone");
}

/** Exchange's second hop: the front end near the client proxies to the datacenter that is active for the tenant. */
function explainSecondHop(
  snapshot: Snapshot,
  { tailored, choice }: Tailoring,
  tenant: TenantGeo | undefined,
): SecondHop | undefined {
  const frontEnd = chosenDatacenter(choice);
  if (tailored.kind !== "service" || !tailored.service.hasSecondHop || frontEnd === undefined)
    return undefined;
  if (tenant === undefined) {
    return {
      tenant: undefined,
      frontEnd: frontEnd.id,
      target: undefined,
      because: "it depends on the tenant",
    };
  }
  const found = findTenantRow(snapshot, tenant.active.cloud, tenant.label);
  const served = found?.table.geoAt(found.row, tailored.service.workload) ?? tenant;
  const { label, home = label } = served;
  if (tenant.active.cloud !== tailored.service.cloud) {
    const because = `${label} is a tenant of ${tenant.active.cloud}, which has names of its own`;
    return { tenant: label, frontEnd: frontEnd.id, target: undefined, because };
  }
  const place = placeOf(snapshot.tenantPlaces, served);
  const target = chosenDatacenter(chooseActive(served, place, snapshot.states, "nearest")) ?? place.active;
  const because = `${target.place.city} is ${target === place.active ? "active" : "standby"} for ${home}`;
  return { tenant: label, frontEnd: frontEnd.id, target: target.id, because };
}
