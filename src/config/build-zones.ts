/** Zones with all they hold: apex records, the lab's plain records, and the names of every service's chain. */

import { dirname } from "node:path";
import {
  type ChainFault,
  type ChainName,
  type ChainOrigin,
  chainNames,
  isAliasOfService,
  type ServiceName,
  serviceRRset,
} from "../cloud/chain.ts";
import type { Bindings } from "../cloud/name-template.ts";
import { listsOf } from "../cloud/record-rules.ts";
import type { Cloud, Service } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import type { Datacenter } from "../cloud/topology.ts";
import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import {
  type DomainName,
  domainName,
  formatName,
  isAtOrBelow,
  nameOctets,
  parseName,
  replaceSuffix,
  selfAndAncestors,
} from "../dns/name.ts";
import { parseRecordLine } from "../dns/record-line.ts";
import { lookup } from "../zone/lookup.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import {
  type Alternatives,
  findZone,
  wildcardWords,
  type Zone,
  ZoneBuilder,
  type Zones,
} from "../zone/zone.ts";
import { addTailoredRecords } from "./build-tailored.ts";
import type { Faults } from "./build-topology.ts";
import type { Nameservers, Network } from "./configuration.ts";
import { type Documents, suggest, type ZonesOwner } from "./documents.ts";
import { type MasterFileEntry, readZoneFile } from "./master-files.ts";
import { cutPieces } from "./printable.ts";
import { zoneNameOf } from "./schema.ts";
import { buildScriptedZone } from "./scripted-zones.ts";
import { type FilePlace, formatPlace, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** TTL of apex records, in seconds. */
const APEX_TTL = 3600;
/** REFRESH, RETRY, EXPIRE and MINIMUM of a zone's SOA, in seconds (RFC 1035 §3.3.13); MINIMUM by RFC 2308 §4. */
const SOA_TIMERS = [3600, 600, 604800, 60];
/** The serial of a zone that gives none, until one is counted. */
const DEFAULT_SERIAL = 1;
/** How many plain records a chain is followed through. */
const MAX_RECORDS = 256;
/** TTL of plain records that state none, in seconds. */
const DEFAULT_TTL = 3600;

export function buildZones(
  documents: Documents,
  { clouds, networks }: { readonly clouds: readonly Cloud[]; readonly networks: readonly Network[] },
  nameservers: Nameservers,
  faults: Faults,
): Zones<TailoredName> {
  const builders = new Map<DomainName, ZoneBuilder<TailoredName>>();
  const scripted = new Map<DomainName, ScriptedZone>();
  const places = new Map<DomainName, FilePlace>();
  const entries: MasterFileEntry<TailoredName>[] = [];
  const [rootFile] = documents.files;
  const folder = dirname(rootFile ?? "");
  const owners: readonly ZonesOwner[] = [...documents.settings, ...documents.clouds];
  for (const { source, value } of owners) {
    for (const [i, entry] of (value.zones ?? []).entries()) {
      const apex = apexOf(zoneNameOf(entry));
      const known = places.get(apex);
      if (known !== undefined) {
        faults.at(source, ["zones", i], `zone ${apex} is defined at ${formatPlace(known)} already`);
        continue;
      }
      const valuePath = ["zones", i];
      places.set(apex, source.placeOf(valuePath));
      if (typeof entry !== "string" && entry.handler !== undefined) {
        const item = { ...entry, handler: entry.handler };
        const { zone, fault } = buildScriptedZone(apex, item, { source, valuePath }, folder);
        if (fault !== undefined) faults.at(source, [...valuePath, "handler"], fault);
        scripted.set(apex, zone);
        continue;
      }
      const builder = new ZoneBuilder<TailoredName>(apex);
      builders.set(apex, builder);
      if (typeof entry !== "string") entries.push({ builder, path: entry.file ?? "", source, valuePath });
    }
  }
  const recordPlaces = new Map<DomainName, FilePlace>();
  const whole = whatIsWhole(documents, clouds);
  if (places.size === 0 && whole.zones && rootFile !== undefined) {
    const message = "there is no zone to serve; list zones, or include a cloud's file";
    faults.errors.push({ place: { file: rootFile, line: 1, column: 1 }, sourceLine: "", message });
  }
  for (const owner of owners) addPlainRecords(owner, builders, scripted, recordPlaces, whole, faults);
  const masterZones = entries.map((entry) => readZoneFile(entry, folder, faults));
  for (const owner of owners) refuseBelowDname(owner, builders, faults);
  const givenSoas = new Set<DomainName>();
  for (const [apex, builder] of builders) if (builder.has(apex, TYPE.SOA)) givenSoas.add(apex);
  const fromFiles = new Set(masterZones.map(({ builder }) => builder));
  for (const builder of builders.values()) if (!fromFiles.has(builder)) addApex(builder, nameservers);
  const placeInMasterFile = (name: DomainName): FilePlace | undefined =>
    masterZones.find(({ builder }) => builder === findZone(builders, name))?.placeOf(name);
  const tailoredPlaces = addTailoredRecords(owners, {
    documents,
    clouds,
    networks,
    builders,
    defaultTtlSeconds: DEFAULT_TTL,
    placeOfRecord: (name, isMeant) => findRecord(owners, name, isMeant) ?? placeInMasterFile(name),
    faults,
  });
  const complete = new Map([...builders].filter(([apex, builder]) => builder.has(apex, TYPE.SOA)));
  const placeOfName = (name: DomainName): FilePlace | undefined =>
    recordPlaces.get(name) ?? tailoredPlaces.get(name) ?? placeInMasterFile(name);
  const names = whole.names && masterZones.every(({ isWhole }) => isWhole);
  addServices(documents, clouds, complete, scripted, placeOfName, { ...whole, names }, faults);
  for (const zone of masterZones) zone.checkIntegrity();
  const zones = new Map<DomainName, Zone<TailoredName> | ScriptedZone>();
  for (const apex of places.keys()) {
    const zone = complete.get(apex)?.build({ serialIsGiven: givenSoas.has(apex) }) ?? scripted.get(apex);
    if (zone !== undefined) zones.set(apex, zone);
  }
  return zones;
}

/** What no fault has left anything out of, so that what is not there is an error. */
interface Whole {
  readonly zones: boolean;
  /** all names: those of records and those of services' chains for all tenants and datacenters */
  readonly names: boolean;
}

function whatIsWhole({ lost, ...documents }: Documents, clouds: readonly Cloud[]): Whole {
  const zones = !lost.anything && lost.clouds.size === 0 && !lost.keys.has("zones");
  const services = documents.clouds.flatMap(({ value }) => Object.keys(value.services));
  const builtServices = clouds.flatMap((cloud) => cloud.services);
  const geos = documents.tenants
    .flatMap(({ value }) => Object.values(value.tenants))
    .reduce((sum, { satellites = {} }) => sum + 1 + Object.keys(satellites).length, 0);
  const builtGeos = clouds.flatMap((cloud) => cloud.tenants.flatMap((tenant) => tenant.geos));
  const names =
    zones &&
    !["records", "tailored", "datacenters", "services", "tenants"].some((key) => lost.keys.has(key)) &&
    builtServices.length === services.length &&
    builtGeos.length === geos;
  return { zones, names };
}

/** A name that the schema has accepted. */
function apexOf(text: string): DomainName {
  const octets = parseName(text);
  if (typeof octets === "string") throw new Error(octets);
  return domainName(octets);
}

function addPlainRecords(
  { source, value }: ZonesOwner,
  builders: ReadonlyMap<DomainName, ZoneBuilder<TailoredName>>,
  scripted: ReadonlyMap<DomainName, ScriptedZone>,
  recordPlaces: Map<DomainName, FilePlace>,
  whole: Whole,
  faults: Faults,
): void {
  for (const [zoneText, lines] of Object.entries(value.records ?? {})) {
    const apex = apexOf(zoneText);
    const builder = builders.get(apex);
    if (builder === undefined) {
      if (scripted.has(apex)) faults.atKey(source, ["records", zoneText], answeredByHandler(apex));
      if (!whole.zones || scripted.has(apex)) continue;
      const zoneNames = [...builders.keys()];
      faults.atKey(source, ["records", zoneText], `${apex} is no zone served${suggest(apex, zoneNames)}`);
      continue;
    }
    for (const [i, line] of lines.entries()) {
      const path = ["records", zoneText, i];
      const rrset = parseRecordLine(line, nameOctets(apex), DEFAULT_TTL);
      const fault =
        typeof rrset === "string"
          ? rrset
          : (faultOfPlain(rrset) ?? scriptFault(rrset, apex, scripted) ?? builder.addRRset(rrset));
      if (fault !== undefined) faults.at(source, path, cutPieces(fault, line));
      if (fault !== undefined || typeof rrset === "string") continue;
      if (!recordPlaces.has(rrset.name)) recordPlaces.set(rrset.name, source.placeOf(path));
    }
  }
}

const answeredByHandler = (apex: DomainName): string =>
  `${apex} is a scripted zone, for which its handler alone answers`;

/** What is wrong with a record for a scripted zone below its own: of what is there, only a zone cut is ever shown. */
function scriptFault(
  { name, type }: RRset,
  apex: DomainName,
  scripted: ReadonlyMap<DomainName, ScriptedZone>,
): string | undefined {
  const zone = findZone(scripted, name);
  if (zone === undefined || !isAtOrBelow(zone.apex, apex)) return undefined;
  const isCut = (type === TYPE.NS || type === TYPE.DS) && name === zone.apex;
  const isGlue = (type === TYPE.A || type === TYPE.AAAA) && name !== zone.apex;
  return isCut || isGlue ? undefined : `${name} lies in a zone of its own: ${answeredByHandler(zone.apex)}`;
}

/** What is refused in YAML and, as master files have it and BIND takes it, served from there. */
const faultOfPlain = ({ name, type }: RRset): string | undefined =>
  type === TYPE.DNAME && name.startsWith("*.") ? wildcardWords(type) : undefined;

/** Where the first plain record of a name that is meant is written. */
function findRecord(
  owners: readonly ZonesOwner[],
  name: DomainName,
  isMeant: (type: number) => boolean,
): FilePlace | undefined {
  for (const { source, value } of owners) {
    for (const [zoneText, lines] of Object.entries(value.records ?? {})) {
      const at = lines.findIndex((line) => {
        const rrset = parseRecordLine(line, nameOctets(apexOf(zoneText)), DEFAULT_TTL);
        return typeof rrset !== "string" && rrset.name === name && isMeant(rrset.type);
      });
      if (at >= 0) return source.placeOf(["records", zoneText, at]);
    }
  }
  return undefined;
}

/** A DNAME hides what is below it, so nothing may be there (RFC 6672 §2.4). */
function refuseBelowDname(
  { source, value }: ZonesOwner,
  builders: ReadonlyMap<DomainName, ZoneBuilder<TailoredName>>,
  faults: Faults,
): void {
  for (const [zoneText, lines] of Object.entries(value.records ?? {})) {
    const apex = apexOf(zoneText);
    const builder = builders.get(apex);
    if (builder === undefined) continue;
    for (const [i, line] of lines.entries()) {
      const rrset = parseRecordLine(line, nameOctets(apex), DEFAULT_TTL);
      if (typeof rrset === "string") continue;
      const [, ...above] = selfAndAncestors(rrset.name);
      const dname = above.find((name) => isAtOrBelow(name, apex) && builder.has(name, TYPE.DNAME));
      if (dname === undefined) continue;
      faults.at(
        source,
        ["records", zoneText, i],
        `${rrset.name} lies below the DNAME at ${dname}, which hides it`,
      );
    }
  }
}

const withPlace = (fault: string, place: FilePlace | undefined): string =>
  place === undefined ? fault : `${fault}; see ${formatPlace(place)}`;

/** SOA, NS and the name servers' addresses, where the zone does not bring its own. */
function addApex(builder: ZoneBuilder<TailoredName>, nameservers: Nameservers): void {
  const { apex } = builder;
  const octets = nameOctets(apex);
  const below = (label: string): Uint8Array =>
    Uint8Array.from([label.length, ...Buffer.from(label), ...octets]);
  const rrsetOf = (owner: Uint8Array, type: number, rdatas: readonly Uint8Array[]): RRset => ({
    owner,
    name: domainName(owner),
    type,
    ttlSeconds: APEX_TTL,
    rdatas,
  });
  if (!builder.has(apex, TYPE.SOA)) {
    const timers = new DataView(new ArrayBuffer(20));
    [DEFAULT_SERIAL, ...SOA_TIMERS].forEach((value, i) => {
      timers.setUint32(i * 4, value);
    });
    const rdata = Uint8Array.from([
      ...below("ns1"),
      ...below("hostmaster"),
      ...new Uint8Array(timers.buffer),
    ]);
    builder.addRRset(rrsetOf(octets, TYPE.SOA, [rdata]));
  }
  if (builder.has(apex, TYPE.NS)) return;
  builder.addRRset(rrsetOf(octets, TYPE.NS, [below("ns1"), below("ns2")]));
  for (const [label, addresses] of Object.entries(nameservers)) {
    for (const type of [TYPE.A, TYPE.AAAA]) {
      const length = type === TYPE.A ? 4 : 16;
      const rdatas = addresses.filter((address: Uint8Array) => address.length === length);
      if (rdatas.length > 0) builder.addRRset(rrsetOf(below(label), type, rdatas));
    }
  }
}

/** A name of a service's chain, with where it is written. */
interface Maker {
  readonly source: YamlDocument;
  readonly service: Service;
  readonly chainName: Made;
}

type Made = Exclude<ChainName, { readonly kind: "fault" }>;

/**
 * Adds the names of all services; each must lie in a zone and be made once, and each CNAME must lead to a name served.
 */
function addServices(
  documents: Documents,
  clouds: readonly Cloud[],
  builders: ReadonlyMap<DomainName, ZoneBuilder<TailoredName>>,
  scripted: ReadonlyMap<DomainName, ScriptedZone>,
  placeOfName: (name: DomainName) => FilePlace | undefined,
  whole: Whole,
  faults: Faults,
): void {
  const makers = new Map<DomainName, Maker>();
  // What leads to a name that an error keeps from being made is no second error.
  const unmade = new Set<DomainName>();
  const tell = oncePerPlace(faults);
  const allZones = new Map<DomainName, ZoneBuilder<TailoredName> | ScriptedZone>([...builders, ...scripted]);
  for (const cloud of clouds) {
    const source = documents.clouds.find(({ value }) => value.cloud === cloud.name)?.source;
    if (source === undefined) continue;
    for (const service of cloud.services) {
      for (const chainName of chainNames(service, cloud)) {
        const name = chainName.owner && domainName(chainName.owner);
        if (chainName.kind === "fault") {
          if (name !== undefined) unmade.add(name);
          tell(spotOfFault(documents, source, service, chainName), chainName.message);
          continue;
        }
        const maker = { source, service, chainName };
        const made = domainName(chainName.owner);
        const zone = findZone(allZones, made);
        const known = makers.get(made);
        if (zone === undefined) {
          if (whole.zones)
            tell(spotOfOwner(source, service, chainName), `${made} is in no zone served; add one to zones`);
        } else if (!(zone instanceof ZoneBuilder)) {
          tell(
            spotOfOwner(source, service, chainName),
            `${made} cannot be made here: ${answeredByHandler(zone.apex)}`,
          );
        } else if (known !== undefined) {
          const other = formatPlace(spotOfMaker(documents, known).place);
          tell(spotOfMaker(documents, maker), `${made} is made at ${other} already`, other);
        } else {
          const fault = addChainName(zone, chainName);
          if (fault === undefined) makers.set(made, maker);
          else tell(spotOfMaker(documents, maker), withPlace(fault, placeOfName(made)));
        }
        if (!makers.has(made)) unmade.add(made);
      }
    }
  }
  const zones = new Map<DomainName, Zone<TailoredName> | ScriptedZone>(scripted);
  for (const [apex, builder] of builders) zones.set(apex, builder.build());
  for (const [name, { source, service, chainName }] of makers) {
    const zone = findZone(zones, name);
    if (
      zone?.kind === "records" &&
      zone.hidesNames &&
      ["referral", "dname"].includes(lookup(zone, name, TYPE.A).kind)
    ) {
      const words = `${name} lies below a delegation or a DNAME, which hides it`;
      tell(spotOfOwner(source, service, chainName), words);
    }
  }
  const names: Names = { zones, makers, unmade, whole };
  const nextMakers = new Map<DomainName, readonly DomainName[]>();
  for (const [owner, { source, service, chainName }] of makers) {
    const ends = targetsOf(chainName).flatMap((target) => followRecords(target, names));
    for (const end of ends) {
      const fault = faultOfEnd(end, service.cloud, makers);
      if (fault === undefined) continue;
      const place = end.record && placeOfName(end.record);
      tell(spotOfTarget(source, service, chainName), withPlace(fault, place));
    }
    nextMakers.set(
      owner,
      ends.flatMap((end) => (end.kind === "service" ? [end.maker] : [])),
    );
  }
  for (const { source, service, chainName } of findLoops(makers, nextMakers)) {
    const words = `the chain comes back to ${formatName(chainName.owner)} and never ends`;
    tell(spotOfTarget(source, service, chainName), words);
  }
}

interface Names {
  readonly zones: Zones<TailoredName>;
  readonly makers: ReadonlyMap<DomainName, Maker>;
  readonly unmade: ReadonlySet<DomainName>;
  readonly whole: Whole;
}

/** Where a CNAME target leads through records of the lab's own. */
type ChainEnd = {
  /** as spelled */
  readonly name: Uint8Array;
  /** the owner of the last such record on the way */
  readonly record: DomainName | undefined;
} & (
  | { readonly kind: "service"; readonly maker: DomainName }
  | { readonly kind: "outside" | "unowned" | "delegated" | "loop" | "too-long" }
  | { readonly kind: "records" | "unknown" }
  /** records by nearest datacenter, some of which may be of other clouds */
  | { readonly kind: "nearest"; readonly datacenters: readonly Datacenter[] }
);

/**
 * Follows CNAME and DNAME records, wildcards included, to a name of a service or to the last record; at a tailored name
 * with rules all of them, since each holds for someone.
 */
function followRecords(target: Uint8Array, names: Names): readonly ChainEnd[] {
  const { zones, makers, unmade, whole } = names;
  const visited = new Set<DomainName>();
  return follow(target, undefined, new Set());

  function follow(
    octets: Uint8Array,
    record: DomainName | undefined,
    onTheWay: ReadonlySet<DomainName>,
  ): readonly ChainEnd[] {
    const name = domainName(octets);
    const here = { name: octets, record };
    if (makers.has(name)) return [{ ...here, kind: "service", maker: name }];
    if (unmade.has(name)) return [{ ...here, kind: "unknown" }];
    // Each step of a DNAME can give a new name, but only so many: a longer one passes 255 octets.
    if (onTheWay.has(name) || onTheWay.size === MAX_RECORDS) return [{ ...here, kind: "loop" }];
    if (visited.has(name)) return [];
    visited.add(name);
    const zone = findZone(zones, name);
    if (zone === undefined) return [{ ...here, kind: whole.zones ? "outside" : "unknown" }];
    if (zone.kind === "scripted") return [{ ...here, kind: "records" }];
    const found = lookup(zone, name, TYPE.A);
    const wildcard = "wildcard" in found ? found.wildcard : undefined;
    // Where names are left out, one of them may stand in front of a wildcard.
    const isSure = whole.names || (found.kind !== "nxdomain" && wildcard === undefined);
    if (!isSure) return [{ ...here, kind: "unknown" }];
    if (wildcard !== undefined && makers.has(wildcard)) {
      return [{ ...here, kind: "service", maker: wildcard }];
    }
    const next = (to: Uint8Array | undefined, by: DomainName): readonly ChainEnd[] =>
      to === undefined
        ? [{ name: octets, record: by, kind: "too-long" }]
        : follow(to, by, new Set([...onTheWay, name]));
    switch (found.kind) {
      case "nxdomain":
        return [{ ...here, kind: "unowned" }];
      case "referral":
        return [{ ...here, kind: "delegated" }];
      case "cname":
        return found.rrset.rdatas.flatMap((to) => next(to, found.rrset.name));
      case "dname": {
        const { owner, rdatas, name: by } = found.rrset;
        return rdatas.flatMap((to) => next(replaceSuffix(octets, owner, to), by));
      }
      case "tailored": {
        const { tailored } = found;
        if (tailored.kind !== "records") return [{ ...here, kind: "records" }];
        const { otherwise } = tailored.rules;
        const datacenters = otherwise.kind === "nearest" ? [...otherwise.datacenters.keys()] : [];
        const targets = listsOf(tailored.rules).flatMap(({ list }) =>
          list.filter(({ type }) => type === TYPE.CNAME).flatMap(({ rdatas }) => rdatas),
        );
        return [
          { name: octets, record: tailored.name, kind: "nearest", datacenters },
          ...targets.flatMap((to) => next(to, tailored.name)),
        ];
      }
      case "rrset":
      case "nodata":
        return [{ ...here, kind: "records" }];
      default:
        return found satisfies never;
    }
  }
}

/** What is wrong with where a chain of a cloud leads. */
function faultOfEnd(
  end: ChainEnd,
  cloud: string,
  makers: ReadonlyMap<DomainName, Maker>,
): string | undefined {
  const name = formatName(end.name);
  switch (end.kind) {
    case "service": {
      const other = makers.get(end.maker)?.service.cloud ?? cloud;
      return other === cloud
        ? undefined
        : `the chain leaves its cloud at ${name}, a name of service "${makers.get(end.maker)?.service.name}" of ${other}`;
    }
    case "outside":
      return `the chain leaves the zones served at ${name}`;
    case "unowned":
      return `the chain leads to ${name}, a name that no service and no record owns`;
    case "delegated":
      return end.record === undefined
        ? `the chain leads to ${name}, a name that no service and no record owns`
        : `the chain leaves the zones served at ${name}, which is delegated`;
    case "loop":
      return `the chain comes back to ${name} and never ends`;
    case "too-long":
      return `the chain leads to ${name}, which a DNAME makes longer than 255 octets`;
    case "nearest": {
      const other = end.datacenters.find((datacenter) => datacenter.cloud !== cloud);
      return other && `the chain leaves its cloud at ${name}, which can answer with records of ${other.id}`;
    }
    case "records":
    case "unknown":
      return undefined;
    default:
      return end satisfies never;
  }
}

/** One fault of a template shows in many names; it is told once a place, or once for each other place it clashes with. */
function oncePerPlace(faults: Faults): (spot: Spot, message: string, other?: string) => void {
  const told = new Set<string>();
  return ({ source, place }, message, other = "") => {
    const key = `${formatPlace(place)} ${other}`;
    if (told.has(key)) return;
    told.add(key);
    faults.errors.push(source.errorAt(place, message));
  };
}

interface Spot {
  readonly source: YamlDocument;
  readonly place: FilePlace;
}

/** Where the template of a name is written. */
function spotOfOwner(source: YamlDocument, service: Service, { linkIndex, ownerIndex }: ChainOrigin): Spot {
  const path: ValuePath =
    linkIndex === 0
      ? ["services", service.name, "names", ownerIndex]
      : ["services", service.name, "chain", linkIndex - 1, "name"];
  return { source, place: source.placeOf(path) };
}

/** Where the template of the CNAME target of a name is written. */
function spotOfTarget(source: YamlDocument, service: Service, { linkIndex }: ChainOrigin): Spot {
  return { source, place: source.placeOf(["services", service.name, "chain", linkIndex, "name"]) };
}

/** Where a name comes from: its tenant, if it has one, or else its template. */
function spotOfMaker(documents: Documents, { source, service, chainName }: Maker): Spot {
  return spotOfTenant(documents, chainName.bindings) ?? spotOfOwner(source, service, chainName);
}

function spotOfTenant(documents: Documents, { tenant }: Bindings): Spot | undefined {
  if (tenant === undefined) return undefined;
  const document = documents.tenants.find(({ value }) => tenant.tenant in value.tenants);
  if (document === undefined) return undefined;
  const satellite = tenant.label === tenant.tenant ? [] : ["satellites", tenant.label];
  const path: ValuePath = ["tenants", tenant.tenant, ...satellite];
  return { source: document.source, place: document.source.placeOfKey(path) };
}

/** A name that a tenant makes too long is the tenant's fault, a value that a datacenter lacks is the template's. */
function spotOfFault(
  documents: Documents,
  source: YamlDocument,
  service: Service,
  fault: ChainOrigin & ChainFault,
): Spot {
  if (fault.where === "target") return spotOfTarget(source, service, fault);
  const tenantSpot = fault.owner === undefined ? spotOfTenant(documents, fault.bindings) : undefined;
  return tenantSpot ?? spotOfOwner(source, service, fault);
}

/** The names whose CNAMEs, whatever is chosen, can lead back to themselves; one of each loop. */
function findLoops(
  makers: ReadonlyMap<DomainName, Maker>,
  nextMakers: ReadonlyMap<DomainName, readonly DomainName[]>,
): readonly Maker[] {
  const loops: Maker[] = [];
  const done = new Set<DomainName>();
  const follow = (name: DomainName, onTheWay: ReadonlySet<DomainName>): void => {
    const maker = makers.get(name);
    if (maker === undefined || done.has(name)) return;
    if (onTheWay.has(name)) {
      loops.push(maker);
      return;
    }
    for (const next of nextMakers.get(name) ?? []) follow(next, new Set([...onTheWay, name]));
    done.add(name);
  };
  for (const name of makers.keys()) follow(name, new Set());
  return loops;
}
function addChainName(zone: ZoneBuilder<TailoredName>, chainName: Made): string | undefined {
  if (chainName.kind === "tailored") return zone.addTailored(domainName(chainName.owner), chainName.tailored);
  for (const rrset of chainName.rrsets) {
    const name = domainName(rrset.owner);
    const fault = zone.has(name, rrset.type) ? `${name} is made twice` : zone.addRRset(rrset);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The CNAME targets that a name can lead to, whatever is chosen. */
function targetsOf(chainName: Made): readonly Uint8Array[] {
  if (chainName.kind === "records") {
    return chainName.rrsets.filter(({ type }) => type === TYPE.CNAME).flatMap(({ rdatas }) => rdatas);
  }
  return choosable(chainName.tailored).flatMap(
    (datacenter) => serviceRRset(chainName.tailored, datacenter, TYPE.CNAME)?.rdatas ?? [],
  );
}

/**
 * All that a tailored name can hold, whatever is chosen; a tenant's active datacenter is preferred to its standby. Rules
 * count as the zone writes them: a prefix, a country or a datacenter changed there is a change of the zone, while a
 * network that gets another prefix, or newer GeoIP, moves askers and not the zone, as it is with services.
 */
export function alternativesOf(tailored: TailoredName): Alternatives {
  if (tailored.kind === "records") {
    const choices = listsOf(tailored.rules).map(({ rule, list }) => ({ rule, rrsets: list }));
    return { choices, inOrder: false };
  }
  const types = isAliasOfService(tailored) ? [TYPE.CNAME] : [TYPE.A, TYPE.AAAA];
  const choices = choosable(tailored).map((datacenter) => ({
    rrsets: types.flatMap((type) => serviceRRset(tailored, datacenter, type) ?? []),
  }));
  return { choices, inOrder: tailored.service.policy === "active-datacenter" };
}

/** The datacenters that a choice can fall on. */
function choosable({ service, bindings: { tenant } }: ServiceName): readonly Datacenter[] {
  if (service.policy === "nearest-datacenter" || tenant === undefined) return service.candidates;
  return tenant.standby === undefined ? [tenant.active] : [tenant.active, tenant.standby];
}
