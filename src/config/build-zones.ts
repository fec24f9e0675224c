/** Zones with all they hold: apex records, the lab's plain records, and the names of every service's chain. */

import { dirname } from "node:path";
import {
  type ChainFault,
  type ChainName,
  type ChainOrigin,
  chainName,
  choosable,
  nextTemplate,
  ownerNames,
  serviceRRset,
  typesOf,
} from "../cloud/chain.ts";
import { type Bindings, fillTemplate } from "../cloud/name-template.ts";
import { foldedOctet } from "../cloud/packed-texts.ts";
import { listsOf } from "../cloud/record-rules.ts";
import type { Cloud, Service } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import {
  bindingsOf,
  findMatch,
  matchesOf,
  type TenantMatch,
  type TenantTemplate,
  tenantTemplates,
} from "../cloud/tenant-names.ts";
import { TenantNodes } from "../cloud/tenant-nodes.ts";
import { type CloudTenants, NO_ROW } from "../cloud/tenant-table.ts";
import { type Datacenter, FARM_SLOTS } from "../cloud/topology.ts";
import { unknownName } from "../cloud/unknown-tenants.ts";
import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import {
  type DomainName,
  domainName,
  foldName,
  formatName,
  isAtOrBelow,
  MAX_NAME_OCTETS,
  nameOctets,
  parseName,
  replaceSuffix,
  selfAndAncestors,
} from "../dns/name.ts";
import { parseRecordLine } from "../dns/record-line.ts";
import { lookup } from "../zone/lookup.ts";
import type { Quirks } from "../zone/quirks.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import {
  type Alternatives,
  findZone,
  wildcardWords,
  type Zone,
  ZoneBuilder,
  type Zones,
} from "../zone/zone.ts";
import { addDomainRecords, addDomainZones, type WrittenDomain } from "./build-domains.ts";
import { addHosts } from "./build-reverse.ts";
import { addTailoredRecords } from "./build-tailored.ts";
import type { WithTenants } from "./build-tenants.ts";
import type { Faults } from "./build-topology.ts";
import type { Nameservers, Network } from "./configuration.ts";
import { type Documents, suggest, type ZonesOwner } from "./documents.ts";
import { type MasterFileEntry, readZoneFile } from "./master-files.ts";
import { cutPieces } from "./printable.ts";
import { zoneNameOf } from "./schema.ts";
import { buildScriptedZone } from "./scripted-zones.ts";
import type { Spot, TenantsBuilder } from "./tenants-builder.ts";
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

export interface BuiltZones {
  readonly zones: Zones<TailoredName>;
  /** where a record of a name is written; undefined where a service makes the name */
  readonly placeOfRecord: (name: DomainName, type: number) => FilePlace | undefined;
}

/** What zones get names from. */
interface Built extends WithTenants {
  readonly networks: readonly Network[];
  readonly domains: readonly WrittenDomain[];
}

export function buildZones(
  documents: Documents,
  { clouds, networks, tenants, domains }: Built,
  nameservers: Nameservers,
  faults: Faults,
): BuiltZones {
  const builders = new Map<DomainName, ZoneBuilder<TailoredName>>();
  const scripted = new Map<DomainName, ScriptedZone>();
  const places = new Map<DomainName, FilePlace>();
  const entries: MasterFileEntry<TailoredName>[] = [];
  const shared = new Set<DomainName>();
  const [rootFile] = documents.files;
  const folder = dirname(rootFile ?? "");
  const owners: readonly ZonesOwner[] = [...documents.settings, ...documents.clouds];
  for (const { source, value } of owners) {
    for (const [i, entry] of (value.zones ?? []).entries()) {
      const apex = apexOf(zoneNameOf(entry));
      const known = places.get(apex);
      const valuePath = ["zones", i];
      const isShared = typeof entry !== "string" && entry.shared === true;
      if (known !== undefined && isShared && shared.has(apex) && entry.file === undefined) continue;
      if (known !== undefined) {
        const words = `zone ${apex} is defined at ${formatPlace(known)} already`;
        const remedy = whyNotShared(isShared, shared.has(apex));
        faults.at(source, valuePath, `${words}${remedy}`);
        continue;
      }
      places.set(apex, source.placeOf(valuePath));
      if (isShared) shared.add(apex);
      if (typeof entry !== "string" && entry.handler !== undefined) {
        const item = { ...entry, handler: entry.handler };
        const { zone, fault } = buildScriptedZone(apex, item, { source, valuePath }, folder);
        if (fault !== undefined) faults.at(source, [...valuePath, "handler"], fault);
        scripted.set(apex, zone);
        continue;
      }
      const builder = new ZoneBuilder<TailoredName>(apex);
      builders.set(apex, builder);
      if (typeof entry !== "string" && entry.file !== undefined)
        entries.push({ builder, path: entry.file, source, valuePath });
    }
  }
  addDomainZones(domains, { builders, scripted, places, faults });
  const recordPlaces = new Map<DomainName, FilePlace>();
  const whole = whatIsWhole(documents, clouds, tenants.isWhole);
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
  const placeOfRecord = (name: DomainName): FilePlace | undefined =>
    recordPlaces.get(name) ?? tailoredPlaces.get(name) ?? placeInMasterFile(name);
  const placeOfMeant = (name: DomainName, isMeant: (type: number, rdata: Uint8Array) => boolean) =>
    findRecord(owners, name, isMeant) ?? placeOfRecord(name);
  addDomainRecords(domains, dkimKeysOf(documents), placeOfMeant, { builders, faults });
  // Before the names of services, which tell what they clash with.
  const hostPlaces = addHosts({
    documents,
    clouds,
    nameservers,
    zones: new Map<DomainName, ZoneBuilder<TailoredName> | ScriptedZone>([...complete, ...scripted]),
    ttlSeconds: DEFAULT_TTL,
    placeOfName: placeOfRecord,
    areZonesWhole: whole.zones,
    faults,
  });
  const placeOfName = (name: DomainName): FilePlace | undefined =>
    placeOfRecord(name) ?? hostPlaces.get(name);
  const names = whole.names && masterZones.every(({ isWhole }) => isWhole);
  addServices({
    documents,
    clouds,
    tenants,
    builders: complete,
    scripted,
    placeOfName,
    whole: { ...whole, names },
    faults,
  });
  for (const zone of masterZones) zone.checkIntegrity();
  const zones = new Map<DomainName, Zone<TailoredName> | ScriptedZone>();
  for (const apex of places.keys()) {
    const zone = complete.get(apex)?.build({ serialIsGiven: givenSoas.has(apex) }) ?? scripted.get(apex);
    if (zone !== undefined) zones.set(apex, zone);
  }
  return {
    zones,
    placeOfRecord: (name, type) =>
      findRecord(owners, name, (each) => each === type) ??
      tailoredPlaces.get(name) ??
      placeInMasterFile(name),
  };
}

/** What keeps two lists of zones from sharing one. */
function whyNotShared(isSharedHere: boolean, isSharedThere: boolean): string {
  if (isSharedHere && isSharedThere) return ", where its file must be named";
  if (isSharedThere) return "; it is shared there, so shared: true must stand here too";
  return isSharedHere ? ", and not as shared" : "";
}

/** By selector, the public keys that the settings give. */
const dkimKeysOf = ({ settings }: Documents): Readonly<Record<string, string>> =>
  settings.find(({ value }) => value.dkim !== undefined)?.value.dkim ?? {};

/** What no fault has left anything out of, so that what is not there is an error. */
interface Whole {
  readonly zones: boolean;
  /** all names: those of records and those of services' chains for all tenants and datacenters */
  readonly names: boolean;
}

function whatIsWhole(
  { lost, ...documents }: Documents,
  clouds: readonly Cloud[],
  areTenantsWhole: boolean,
): Whole {
  const zones = !lost.anything && lost.clouds.size === 0 && !lost.keys.has("zones");
  const services = documents.clouds.flatMap(({ value }) => Object.keys(value.services));
  const builtServices = clouds.flatMap((cloud) => cloud.services);
  const names =
    zones &&
    !["records", "tailored", "datacenters", "services", "tenants", "tenantFiles"].some((key) =>
      lost.keys.has(key),
    ) &&
    builtServices.length === services.length &&
    areTenantsWhole;
  return { zones, names };
}

/** Apexes of the zones that are wider than a lab can spare. */
export function wideZonesOf({ settings, clouds }: Documents): ReadonlySet<DomainName> {
  const entries = [...settings, ...clouds].flatMap(({ value }) => value.zones ?? []);
  return new Set(
    entries.flatMap((entry) => (typeof entry !== "string" && entry.wide ? apexOf(entry.zone) : [])),
  );
}

/** By apex, the quirks of the zones that have any; of a shared zone all that its clouds say. */
export function quirksOf({ settings, clouds }: Documents): ReadonlyMap<DomainName, Quirks> {
  const found = new Map<DomainName, Quirks>();
  for (const entry of [...settings, ...clouds].flatMap(({ value }) => value.zones ?? [])) {
    if (typeof entry === "string" || entry.quirks === undefined || entry.quirks.length === 0) continue;
    const apex = apexOf(entry.zone);
    found.set(apex, new Set([...(found.get(apex) ?? []), ...entry.quirks]));
  }
  return found;
}

/** A name that the schema has accepted. */
export function apexOf(text: string): DomainName {
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
  isMeant: (type: number, rdata: Uint8Array) => boolean,
): FilePlace | undefined {
  for (const { source, value } of owners) {
    for (const [zoneText, lines] of Object.entries(value.records ?? {})) {
      const at = lines.findIndex((line) => {
        const rrset = parseRecordLine(line, nameOctets(apexOf(zoneText)), DEFAULT_TTL);
        if (typeof rrset === "string" || rrset.name !== name) return false;
        return rrset.rdatas.some((rdata) => isMeant(rrset.type, rdata));
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

/** What names of services are added to, and told by. */
interface Building {
  readonly documents: Documents;
  readonly clouds: readonly Cloud[];
  readonly tenants: TenantsBuilder;
  readonly builders: ReadonlyMap<DomainName, ZoneBuilder<TailoredName>>;
  readonly scripted: ReadonlyMap<DomainName, ScriptedZone>;
  readonly placeOfName: (name: DomainName) => FilePlace | undefined;
  readonly whole: Whole;
  readonly faults: Faults;
}

/** The names that a template makes for tenants: no maker is kept for each, but one for the first of them. */
interface VirtualMaker {
  readonly source: YamlDocument;
  readonly template: TenantTemplate;
  /** undefined where none can be made */
  readonly first: Made | undefined;
  /** whether its names are in a zone */
  readonly isMade: boolean;
}

/**
 * Adds the names of all services; each must lie in a zone and be made once, and each CNAME must lead to a name served.
 */
function addServices(building: Building): void {
  const { documents, clouds, builders, scripted, placeOfName, whole, faults } = building;
  const makers = new Map<DomainName, Maker>();
  const virtual: VirtualMaker[] = [];
  const longestOf = longestMatches();
  const toldOfTenants = new Set<string>();
  // What leads to a name that an error keeps from being made is no second error.
  const unmade = new Set<DomainName>();
  const tell = oncePerPlace(faults);
  const allZones = new Map<DomainName, ZoneBuilder<TailoredName> | ScriptedZone>([...builders, ...scripted]);
  for (const cloud of clouds) {
    const source = documents.clouds.find(({ value }) => value.cloud === cloud.name)?.source;
    if (source === undefined) continue;
    const templates = tenantTemplates([cloud]);
    for (const service of cloud.services) {
      for (const [linkIndex, { owners }] of service.links.entries()) {
        for (const ownerIndex of owners.keys()) {
          const template = templates.find(
            (each) =>
              each.service === service && each.linkIndex === linkIndex && each.ownerIndex === ownerIndex,
          );
          if (template !== undefined) addVirtual(source, template);
          else
            for (const chainName of ownerNames(service, cloud, linkIndex, ownerIndex)) {
              addName(source, service, chainName);
            }
        }
      }
    }
  }
  for (const [apex, builder] of builders) {
    const templates = virtual.flatMap(({ template, isMade }) =>
      isMade && findZone(allZones, template.parent)?.apex === apex ? template : [],
    );
    if (templates.length > 0) builder.virtual = new TenantNodes(templates);
  }
  const zones = new Map<DomainName, Zone<TailoredName> | ScriptedZone>(scripted);
  for (const [apex, builder] of builders) zones.set(apex, builder.build());
  for (const [name, { source, service, chainName }] of makers) {
    const zone = findZone(zones, name);
    if (
      zone?.kind === "records" &&
      zone.hidesNames &&
      // A delegation of the very name clashes with it, which is told already.
      !zone.nodes.get(name)?.rrsets.has(TYPE.NS) &&
      ["referral", "dname"].includes(lookup(zone, name, TYPE.A).kind)
    ) {
      const words = `${name} lies below a delegation or a DNAME, which hides it`;
      tell(spotOfOwner(source, service, chainName), words);
    }
  }
  const names: Names = { zones, makers, virtual, unmade, whole };
  const nextMakers = new Map<DomainName, readonly DomainName[]>();
  for (const [owner, maker] of makers) {
    const { source, service, chainName } = maker;
    const made = virtual.find(({ first }) => first === chainName);
    const next = new Set<DomainName>();
    for (const target of made === undefined ? targetsOf(chainName) : virtualTargets(made, virtual)) {
      let isSound = true;
      for (const end of followRecords(target, names)) {
        if (end.kind === "service") next.add(end.maker);
        const fault = faultOfEnd(end, service.cloud, makers);
        if (fault === undefined) continue;
        isSound = false;
        const place = end.record && placeOfName(end.record);
        tell(spotOfTarget(source, service, chainName), withPlace(fault, place));
      }
      // The others of a million tenants would be told at the same place.
      if (!isSound && made !== undefined) break;
    }
    nextMakers.set(owner, [...next]);
  }
  for (const { source, service, chainName } of findLoops(makers, nextMakers)) {
    const words = `the chain comes back to ${formatName(chainName.owner)} and never ends`;
    tell(spotOfTarget(source, service, chainName), words);
  }

  function addName(source: YamlDocument, service: Service, chainName: ChainName): void {
    const name = chainName.owner && domainName(chainName.owner);
    if (chainName.kind === "fault") {
      if (name !== undefined) unmade.add(name);
      tell(spotOfFault(building, source, service, chainName), chainName.message);
      return;
    }
    const maker = { source, service, chainName };
    const made = domainName(chainName.owner);
    const zone = findZone(allZones, made);
    const known = makers.get(made) ?? findVirtualMaker(virtual, made);
    if (zone === undefined) {
      if (whole.zones)
        tell(spotOfOwner(source, service, chainName), `${made} is in no zone served; add one to zones`);
    } else if (!(zone instanceof ZoneBuilder)) {
      tell(
        spotOfOwner(source, service, chainName),
        `${made} cannot be made here: ${answeredByHandler(zone.apex)}`,
      );
    } else if (known !== undefined) {
      const other = formatPlace(spotOfMaker(building, known).place);
      tell(spotOfMaker(building, maker), `${made} is made at ${other} already`, other);
    } else {
      const fault = addChainName(zone, chainName);
      if (fault === undefined) makers.set(made, maker);
      else tell(spotOfMaker(building, maker), withPlace(fault, placeOfName(made)));
    }
    if (!makers.has(made)) unmade.add(made);
  }

  /** Takes up a template whose names are not kept: what can be wrong with one of them is told, all others need no look. */
  function addVirtual(source: YamlDocument, template: TenantTemplate): void {
    const { service, parent } = template;
    for (const fault of faultsOfTemplate(template, longestOf)) {
      const { tenant } = fault.bindings;
      const isOfTenant = fault.where === "owner" && fault.owner === undefined && tenant !== undefined;
      if (isOfTenant) tellOfTenant(fault, () => fault.message);
      else {
        tell(spotOfFault(building, source, service, fault), fault.message);
        virtual.push({ source, template, first: undefined, isMade: false });
        return;
      }
    }
    let first: Made | undefined;
    for (const match of matchesOf(template)) {
      const made = chainNameOf(template, match);
      if (made.kind !== "fault") first = made;
      if (first !== undefined) break;
    }
    const unknown = unknownName(template, "x");
    if (unknown?.kind === "fault") tell(spotOfFault(building, source, service, unknown), unknown.message);
    else first ??= unknown;
    if (first === undefined) return;
    const name = domainName(first.owner);
    const zone = findZone(allZones, parent);
    const isMade = zone instanceof ZoneBuilder;
    const maker = { source, template, first, isMade };
    if (zone === undefined) {
      if (whole.zones)
        tell(spotOfOwner(source, service, first), `${name} is in no zone served; add one to zones`);
    } else if (!isMade) {
      const words = `${name} cannot be made here: ${answeredByHandler(zone.apex)}`;
      tell(spotOfOwner(source, service, first), words);
    } else {
      tellOfClashes(source, template, zone);
      zone.table.addName(parent);
      if (!makers.has(name)) makers.set(name, { source, service, chainName: first });
    }
    virtual.push(maker);
  }

  /** Names that a template shares with templates before it, with records, with other names of services, or with a zone. */
  function tellOfClashes(
    source: YamlDocument,
    template: TenantTemplate,
    zone: ZoneBuilder<TailoredName>,
  ): void {
    const { service } = template;
    for (const { source: otherSource, template: other, isMade } of virtual) {
      if (!isMade || other.parent !== template.parent) continue;
      for (const { match, otherMatch } of sharedNames(template, other)) {
        const made = chainNameOf(template, match);
        const otherMade = chainNameOf(other, otherMatch);
        if (made.kind === "fault" || otherMade.kind === "fault") continue;
        const otherMaker = { source: otherSource, service: other.service, chainName: otherMade };
        const placeOfOther = (): string => formatPlace(spotOfMaker(building, otherMaker).place);
        const words = (): string => `${domainName(made.owner)} is made at ${placeOfOther()} already`;
        tellOfTenant(made, words, placeOfOther);
        // Whoever leads there means the name of its own cloud.
        if (other.tenants.cloud !== template.tenants.cloud) unmade.add(domainName(made.owner));
      }
    }
    const { table } = zone;
    for (let node = 0; node < table.size; node++) {
      if (!table.holdsRecords(node) && table.tailoredAt(node) === undefined) continue;
      const name = table.nameOf(node);
      const match = findMatch(template, name);
      if (match !== undefined) addBeside(source, template, match, zone, name);
    }
    for (const [apex, other] of allZones) {
      const match = other === zone ? undefined : findMatch(template, apex);
      if (match === undefined) continue;
      const made = chainNameOf(template, match);
      if (made.kind === "fault") continue;
      if (other instanceof ZoneBuilder) addBeside(source, template, match, other, apex);
      else {
        const words = `${apex} cannot be made here: ${answeredByHandler(apex)}`;
        tell(spotOfOwner(source, service, made), words);
      }
    }
  }

  /** Adds a tenant's name where something stands already; most often it clashes with that. */
  function addBeside(
    source: YamlDocument,
    template: TenantTemplate,
    match: TenantMatch,
    zone: ZoneBuilder<TailoredName>,
    name: DomainName,
  ): void {
    const { service } = template;
    const made = chainNameOf(template, match);
    if (made.kind === "fault") return;
    const known = makers.get(name);
    if (known !== undefined) {
      const other = formatPlace(spotOfMaker(building, known).place);
      tellOfTenant(
        made,
        () => `${name} is made at ${other} already`,
        () => other,
      );
      return;
    }
    const fault = addChainName(zone, made);
    if (fault !== undefined) tellOfTenant(made, () => withPlace(fault, placeOfName(name)));
    else makers.set(name, { source, service, chainName: made });
  }

  /** Of a file with very many tenants, not every one is told. */
  function tellOfTenant(
    { bindings }: Pick<ChainOrigin, "bindings">,
    messageOf: () => string,
    otherOf: () => string = () => "",
  ): void {
    const row = building.tenants.table.findRow(bindings.tenant?.label ?? "");
    const origins = building.tenants.originsOf(row);
    if (origins.bulkFile === undefined) {
      tell(origins.spotOf(row), messageOf(), otherOf());
      return;
    }
    const isFull = faults.isFull(origins);
    const key = isFull ? "" : `${row} ${otherOf()}`;
    if (!isFull && toldOfTenants.has(key)) return;
    if (!isFull) toldOfTenants.add(key);
    faults.atRow(origins, () => [origins.spotOf(row), messageOf()]);
  }
}

/** The name that a template makes for a tenant. */
const chainNameOf = (template: TenantTemplate, match: TenantMatch): ChainName => {
  const { service, linkIndex, ownerIndex } = template;
  return chainName(service, { linkIndex, ownerIndex, bindings: bindingsOf(template, match) });
};

/** What is wrong with names of a template: of those that are too long each, of what a datacenter lacks once. */
function* faultsOfTemplate(
  template: TenantTemplate,
  longestOf: (template: TenantTemplate) => TenantMatch | undefined,
): Generator<ChainOrigin & ChainFault> {
  const { holds, prefix, suffix, parent, tenants, service, linkIndex, ownerIndex } = template;
  const { table } = tenants;
  const texts = holds === "tenant" ? table.labels : table.domainKeys;
  const room =
    Math.min(MAX_LABEL, MAX_NAME_OCTETS - nameOctets(parent).length - 1) - prefix.length - suffix.length;
  let longest = longestOf(template);
  if (longest !== undefined && texts.lengthOf(longest.domain ?? longest.row) > room) {
    longest = undefined;
    for (const match of matchesOf(template)) {
      const length = texts.lengthOf(match.domain ?? match.row);
      const made = length > room ? chainNameOf(template, match) : undefined;
      if (made?.kind === "fault") yield made;
      else if (longest === undefined || length > texts.lengthOf(longest.domain ?? longest.row))
        longest = match;
    }
  }
  if (longest === undefined) return;
  // A target can be too long too, or have what some datacenter lacks.
  const { tenant, ...others } = bindingsOf(template, longest);
  const isSound = (active: Datacenter): boolean =>
    tenant !== undefined &&
    chainName(service, {
      linkIndex,
      ownerIndex,
      bindings: { ...others, tenant: { ...tenant, active, standby: undefined } },
    }).kind !== "fault";
  const isServed = tenants.shapesOf(service.workload);
  const datacenters = table.shapes.flatMap(({ active, standby }, shape) =>
    isServed[shape] === 1 && table.rowsOfShape(shape) > 0 ? [active, standby ?? active] : [],
  );
  const faulty = new Set([...new Set(datacenters)].filter((datacenter) => !isSound(datacenter)));
  if (faulty.size === 0) return;
  for (const match of matchesOf(template)) {
    const { active, standby } = table.shapeAt(table.homeOf(match.row, service.workload));
    if (!faulty.has(active) && (standby === undefined || !faulty.has(standby))) continue;
    const found = chainNameOf(template, match);
    if (found.kind !== "fault") continue;
    yield found;
    return;
  }
}

const MAX_LABEL = 63;

/** The tenant of a cloud with the longest label, or the longest domain; each is looked for once. */
function longestMatches(): (template: TenantTemplate) => TenantMatch | undefined {
  const known = new Map<string, TenantMatch | undefined>();
  return ({ holds, tenants }) => {
    const key = `${holds} ${tenants.cloud}`;
    if (!known.has(key)) known.set(key, findLongest(holds, tenants));
    return known.get(key);
  };
}

function findLongest(holds: TenantTemplate["holds"], tenants: CloudTenants): TenantMatch | undefined {
  const { table } = tenants;
  const texts = holds === "tenant" ? table.labels : table.domainKeys;
  const isOurs = tenants.shapesOfCloud();
  let longest: TenantMatch | undefined;
  let length = 0;
  for (let number = 0; number < texts.count; number++) {
    if (texts.lengthOf(number) <= length) continue;
    const row = holds === "tenant" ? number : table.rowOfDomain(number);
    if (isOurs[table.shapeOf(row)] !== 1) continue;
    length = texts.lengthOf(number);
    longest = { row, domain: holds === "tenant" ? undefined : number };
  }
  return longest;
}

/** The tenants of which one has by one template the name that the other has by another template of the same parent. */
function* sharedNames(
  template: TenantTemplate,
  other: TenantTemplate,
): Generator<{ readonly match: TenantMatch; readonly otherMatch: TenantMatch }> {
  // The one with more text around has the shorter label, so there are fewer that fit; both ways are the same otherwise.
  const textLength = ({ prefix, suffix }: TenantTemplate): number => prefix.length + suffix.length;
  const [fixed, free] = textLength(template) >= textLength(other) ? [template, other] : [other, template];
  const [prefix, suffix] = [fixed.prefix.toLowerCase(), fixed.suffix.toLowerCase()];
  const [freePrefix, freeSuffix] = [free.prefix.toLowerCase(), free.suffix.toLowerCase()];
  if (!prefix.startsWith(freePrefix) && !freePrefix.startsWith(prefix)) return;
  if (!suffix.endsWith(freeSuffix) && !freeSuffix.endsWith(suffix)) return;
  const { table } = free.tenants;
  const texts = free.holds === "tenant" ? table.labels : table.domainKeys;
  // What of the other's text the label itself must have.
  const begin = Buffer.from(prefix.slice(freePrefix.length), "latin1");
  const finish = Buffer.from(suffix.slice(0, Math.max(0, suffix.length - freeSuffix.length)), "latin1");
  const { octets } = texts;
  for (let number = 0; number < texts.count; number++) {
    const start = texts.startOf(number);
    const end = start + texts.lengthOf(number);
    if (!hasAround(octets, start, end, begin, finish)) continue;
    const domain = free.holds === "tenant" ? undefined : number;
    const row = domain === undefined ? number : table.rowOfDomain(domain);
    if (!free.tenants.has(row)) continue;
    const name = foldName(`${free.prefix}${texts.textOf(number)}${free.suffix}.${free.parent}`);
    const match = findMatch(fixed, name);
    if (match === undefined) continue;
    const freeMatch = { row, domain };
    yield fixed === template ? { match, otherMatch: freeMatch } : { match: freeMatch, otherMatch: match };
  }
}

/** Whether a text begins and ends so, in any case. */
function hasAround(
  octets: Uint8Array,
  start: number,
  end: number,
  begin: Uint8Array,
  finish: Uint8Array,
): boolean {
  if (end - start < begin.length + finish.length) return false;
  for (let i = 0; i < begin.length; i++) if (foldedOctet[octets[start + i] ?? 0] !== begin[i]) return false;
  const from = end - finish.length;
  for (let i = 0; i < finish.length; i++) if (foldedOctet[octets[from + i] ?? 0] !== finish[i]) return false;
  return true;
}

/** Who makes a name by a template, as if it had been kept. */
function findVirtualMaker(virtual: readonly VirtualMaker[], name: DomainName): Maker | undefined {
  for (const { source, template, isMade } of virtual) {
    const match = isMade ? findMatch(template, name) : undefined;
    if (match === undefined) continue;
    const made = chainNameOf(template, match);
    if (made.kind !== "fault") return { source, service: template.service, chainName: made };
  }
  return undefined;
}

/** The CNAME targets that the names of a template can lead to, whatever is chosen, each once where tenants share them. */
function* virtualTargets(
  { template, first }: VirtualMaker,
  virtual: readonly VirtualMaker[],
): Generator<Uint8Array> {
  const { service, linkIndex, tenants } = template;
  const next = nextTemplate(service, linkIndex);
  if (next === undefined || first === undefined) return;
  if (next.needs.has("tenant")) {
    const isMade = virtual.some(
      ({ template: other }) => other.tenants.cloud === tenants.cloud && other.template.text === next.text,
    );
    // Whoever has a name of this template has one of that.
    if (isMade) return yield* targetsOf(first);
    for (const match of matchesOf(template)) {
      const made = chainNameOf(template, match);
      if (made.kind !== "fault") yield* targetsOf(made);
    }
    return;
  }
  if (first.kind === "records") return yield* targetsOf(first);
  const { table } = tenants;
  const seen = new Set<string>();
  const done = new Set<string>();
  const isOurs = tenants.shapesOf(service.workload);
  const slotsOfShape = new Uint8Array(table.shapes.length * FARM_SLOTS);
  for (let row = 0; row < table.rowCount; row++) {
    slotsOfShape[table.shapeOf(row) * FARM_SLOTS + table.slotOf(row)] = 1;
  }
  for (const [shape, { active, standby }] of table.shapes.entries()) {
    if (isOurs[shape] !== 1) continue;
    const datacenters =
      service.policy === "nearest-datacenter" ? service.candidates : [active, standby ?? active];
    for (let slot = 0; slot < FARM_SLOTS; slot++) {
      if (slotsOfShape[shape * FARM_SLOTS + slot] !== 1) continue;
      for (const datacenter of datacenters) {
        const key = `${datacenter.id} ${slot}`;
        if (done.has(key)) continue;
        done.add(key);
        const target = fillTemplate(next, { datacenter, slot });
        if (typeof target === "string") continue;
        const name = domainName(target);
        if (!seen.has(name)) yield target;
        seen.add(name);
      }
    }
  }
}

interface Names {
  readonly zones: Zones<TailoredName>;
  readonly makers: ReadonlyMap<DomainName, Maker>;
  readonly virtual: readonly VirtualMaker[];
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
  const { zones, makers, virtual, unmade, whole } = names;
  const visited = new Set<DomainName>();
  return follow(target, undefined, new Set());

  function follow(
    octets: Uint8Array,
    record: DomainName | undefined,
    onTheWay: ReadonlySet<DomainName>,
  ): readonly ChainEnd[] {
    const name = domainName(octets);
    const here = { name: octets, record };
    if (unmade.has(name)) return [{ ...here, kind: "unknown" }];
    if (makers.has(name)) return [{ ...here, kind: "service", maker: name }];
    const made = virtual.find(({ template }) => findMatch(template, name) !== undefined);
    if (made?.isMade === true && made.first !== undefined)
      return [{ ...here, kind: "service", maker: domainName(made.first.owner) }];
    if (made !== undefined) return [{ ...here, kind: "unknown" }];
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
function spotOfMaker({ tenants }: Pick<Building, "tenants">, { source, service, chainName }: Maker): Spot {
  return spotOfTenant(tenants, chainName.bindings) ?? spotOfOwner(source, service, chainName);
}

function spotOfTenant(tenants: TenantsBuilder, { tenant }: Bindings): Spot | undefined {
  const row = tenant === undefined ? NO_ROW : tenants.table.findRow(tenant.label);
  return row === NO_ROW ? undefined : tenants.spotOf(row);
}

/** A name that a tenant makes too long is the tenant's fault, a value that a datacenter lacks is the template's. */
function spotOfFault(
  { tenants }: Pick<Building, "tenants">,
  source: YamlDocument,
  service: Service,
  fault: ChainOrigin & ChainFault,
): Spot {
  if (fault.where === "target") return spotOfTarget(source, service, fault);
  const tenantSpot = fault.owner === undefined ? spotOfTenant(tenants, fault.bindings) : undefined;
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
  const choices = choosable(tailored).map((datacenter) => ({
    rrsets: typesOf(tailored).flatMap((type) => serviceRRset(tailored, datacenter, type) ?? []),
  }));
  return { choices, inOrder: tailored.service.policy === "active-datacenter" };
}
