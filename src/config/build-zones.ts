/** Zones with all they hold: apex records, the lab's plain records, and the names of every service's chain. */

import { type ChainName, chainNames, type TailoredName, tailoredRRset } from "../cloud/chain.ts";
import type { Cloud, Service } from "../cloud/topology.ts";
import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, domainName, formatName, nameOctets, parseName } from "../dns/name.ts";
import { parseRecordLine } from "../dns/record-line.ts";
import { lookup } from "../zone/lookup.ts";
import { findZone, type Zone, ZoneBuilder, type Zones } from "../zone/zone.ts";
import { type Faults, formatPlace } from "./build-topology.ts";
import type { Nameservers } from "./configuration.ts";
import { type Checked, type Documents, suggest } from "./documents.ts";
import type { CloudDocument, SettingsDocument } from "./schema.ts";
import type { FilePlace, ValuePath, YamlDocument } from "./yaml-document.ts";

/** TTL of apex records, in seconds. */
const APEX_TTL = 3600;
/** REFRESH, RETRY, EXPIRE and MINIMUM of a zone's SOA, in seconds (RFC 1035 §3.3.13); MINIMUM by RFC 2308 §4. */
const SOA_TIMERS = [3600, 600, 604800, 60];
/** The serial of a zone that gives none. */
const DEFAULT_SERIAL = 1;
/** TTL of plain records that state none, in seconds. */
const DEFAULT_TTL = 3600;

type ZonesOwner = Checked<CloudDocument> | Checked<SettingsDocument>;

export function buildZones(
  documents: Documents,
  clouds: readonly Cloud[],
  nameservers: Nameservers,
  faults: Faults,
): Zones<TailoredName> {
  const builders = new Map<DomainName, ZoneBuilder<TailoredName>>();
  const places = new Map<DomainName, FilePlace>();
  const owners: readonly ZonesOwner[] = [...documents.settings, ...documents.clouds];
  for (const { source, value } of owners) {
    for (const [i, text] of (value.zones ?? []).entries()) {
      const apex = apexOf(text);
      const known = places.get(apex);
      if (known !== undefined) {
        faults.at(source, ["zones", i], `zone ${apex} is defined at ${formatPlace(known)} already`);
        continue;
      }
      places.set(apex, source.placeOf(["zones", i]));
      builders.set(apex, new ZoneBuilder(apex));
    }
  }
  const soaOfZone = new Map<DomainName, RRset>();
  for (const owner of owners) addPlainRecords(owner, builders, soaOfZone, faults);
  for (const builder of builders.values()) addApex(builder, soaOfZone, nameservers);
  for (const cloud of clouds) {
    const source = documents.clouds.find(({ value }) => value.cloud === cloud.name)?.source;
    if (source !== undefined) addServices(source, cloud, documents, builders, faults);
  }
  const zones = new Map<DomainName, Zone<TailoredName>>();
  for (const [apex, builder] of builders) {
    const soa = soaOfZone.get(apex);
    if (soa !== undefined) zones.set(apex, builder.build(soa));
  }
  return zones;
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
  soaOfZone: Map<DomainName, RRset>,
  faults: Faults,
): void {
  for (const [zoneText, lines] of Object.entries(value.records ?? {})) {
    const apex = apexOf(zoneText);
    const builder = builders.get(apex);
    if (builder === undefined) {
      const zoneNames = [...builders.keys()];
      faults.atKey(source, ["records", zoneText], `${apex} is no zone served${suggest(apex, zoneNames)}`);
      continue;
    }
    for (const [i, line] of lines.entries()) {
      const path = ["records", zoneText, i];
      const rrset = parseRecordLine(line, nameOctets(apex), DEFAULT_TTL);
      const fault = typeof rrset === "string" ? rrset : builder.addRRset(rrset);
      if (fault !== undefined) faults.at(source, path, fault);
      if (typeof rrset !== "string" && rrset.type === TYPE.SOA) {
        if (rrset.name !== apex) faults.at(source, path, "an SOA stands at the apex alone");
        else if (soaOfZone.has(apex)) faults.at(source, path, `${apex} has an SOA already`);
        else soaOfZone.set(apex, rrset);
      }
    }
  }
}

/** SOA, NS and the name servers' addresses, where the zone does not bring its own. */
function addApex(
  builder: ZoneBuilder<TailoredName>,
  soaOfZone: Map<DomainName, RRset>,
  nameservers: Nameservers,
): void {
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
  if (!soaOfZone.has(apex)) {
    const timers = new DataView(new ArrayBuffer(20));
    [DEFAULT_SERIAL, ...SOA_TIMERS].forEach((value, i) => {
      timers.setUint32(i * 4, value);
    });
    const rdata = Uint8Array.from([
      ...below("ns1"),
      ...below("hostmaster"),
      ...new Uint8Array(timers.buffer),
    ]);
    const soa = rrsetOf(octets, TYPE.SOA, [rdata]);
    builder.addRRset(soa);
    soaOfZone.set(apex, soa);
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

/** Adds the names of all services of a cloud; each must lie in a zone, and each CNAME must lead to a name served. */
function addServices(
  source: YamlDocument,
  cloud: Cloud,
  documents: Documents,
  builders: ReadonlyMap<DomainName, ZoneBuilder<TailoredName>>,
  faults: Faults,
): void {
  const targets: { readonly service: Service; readonly target: Uint8Array }[] = [];
  const told = new Set<string>();
  const tell = (service: Service, bindings: ChainName["bindings"] | undefined, fault: string): void => {
    // One fault of a template shows in many names; telling it once a service will do.
    if (told.has(`${service.name} ${fault}`)) return;
    told.add(`${service.name} ${fault}`);
    const tenant = bindings?.tenant;
    const document = documents.tenants.find(
      ({ value }) => tenant !== undefined && tenant.tenant in value.tenants,
    );
    if (tenant === undefined || document === undefined) {
      faults.atKey(source, ["services", service.name], fault);
      return;
    }
    const isSatellite = tenant.label !== tenant.tenant;
    const path: ValuePath = ["tenants", tenant.tenant, ...(isSatellite ? ["satellites", tenant.label] : [])];
    faults.atKey(document.source, path, fault);
  };
  for (const service of cloud.services) {
    for (const chainName of chainNames(service, cloud)) {
      if (typeof chainName === "string") {
        tell(service, undefined, chainName);
        continue;
      }
      const name = domainName(chainName.owner);
      const zone = findZone(builders, name);
      const fault =
        zone === undefined ? `${name} is in no zone served; add one to zones` : addChainName(zone, chainName);
      if (fault !== undefined) tell(service, chainName.bindings, fault);
      for (const target of targetsOf(chainName, service)) targets.push({ service, target });
    }
  }
  const zones = new Map<DomainName, Zone<TailoredName>>();
  for (const { service, target } of targets) {
    const name = domainName(target);
    const builder = findZone(builders, name);
    if (builder === undefined) {
      tell(service, undefined, `its chain leaves the zones served at ${formatName(target)}`);
      continue;
    }
    const zone = zones.get(builder.apex) ?? builder.build(emptySoa(builder.apex));
    zones.set(builder.apex, zone);
    const { kind } = lookup(zone, name, TYPE.A);
    if (kind === "nxdomain" || kind === "referral") {
      tell(
        service,
        undefined,
        `its chain leads to ${formatName(target)}, a name that no service and no record owns`,
      );
    }
  }
}

const emptySoa = (apex: DomainName): RRset => ({
  owner: nameOctets(apex),
  name: apex,
  type: TYPE.SOA,
  ttlSeconds: APEX_TTL,
  rdatas: [],
});

function addChainName(zone: ZoneBuilder<TailoredName>, chainName: ChainName): string | undefined {
  if (chainName.kind === "tailored") return zone.addTailored(domainName(chainName.owner), chainName.tailored);
  for (const rrset of chainName.rrsets) {
    const name = domainName(rrset.owner);
    const fault = zone.has(name, rrset.type) ? `${name} is made twice` : zone.addRRset(rrset);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The CNAME targets that a name can lead to, whatever is chosen. */
function targetsOf(chainName: ChainName, service: Service): readonly Uint8Array[] {
  if (chainName.kind === "records") {
    return chainName.rrsets.filter(({ type }) => type === TYPE.CNAME).flatMap(({ rdatas }) => rdatas);
  }
  const { tenant } = chainName.bindings;
  const chosen =
    service.policy === "nearest-datacenter" || tenant === undefined
      ? service.candidates
      : [tenant.active, ...(tenant.standby === undefined ? [] : [tenant.standby])];
  return chosen.flatMap(
    (datacenter) => tailoredRRset(chainName.tailored, datacenter, TYPE.CNAME)?.rdatas ?? [],
  );
}
