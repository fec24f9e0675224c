/**
 * Hosts: a name for each address that answers can hold, and PTR records that tell it, in those zones of the reverse tree
 * that are served (RFC 1035 §3.5, RFC 3596 §2.5). They are plain records; what the lab itself says of an address stands.
 */

import { addressesAt, datacentersOf } from "../cloud/chain.ts";
import { fillTemplate, type NameTemplate, parseHostTemplate } from "../cloud/name-template.ts";
import type { ChainEndAddresses, Cloud, Service } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import { TYPE } from "../dns/iana.ts";
import { type DomainName, domainName, isAtOrBelow, nameOctets, nameOf } from "../dns/name.ts";
import { formatAddress } from "../ip.ts";
import { lookup } from "../zone/lookup.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import { findZone, type Zone, ZoneBuilder } from "../zone/zone.ts";
import type { Faults } from "./build-topology.ts";
import type { Nameservers } from "./configuration.ts";
import type { Documents } from "./documents.ts";
import { type FilePlace, formatPlace } from "./yaml-document.ts";

/** What addresses come from, and the zones that their records go into. */
export interface ReverseContext {
  readonly documents: Documents;
  readonly clouds: readonly Cloud[];
  readonly nameservers: Nameservers;
  /** with what the lab says in them */
  readonly zones: ReadonlyMap<DomainName, ZoneBuilder<TailoredName> | ScriptedZone>;
  readonly ttlSeconds: number;
  readonly placeOfName: (name: DomainName) => FilePlace | undefined;
  /** whether no fault has left a zone out */
  readonly areZonesWhole: boolean;
  readonly faults: Faults;
}

/** One address with the name of the host that has it. */
interface HostAddress {
  readonly address: Uint8Array;
  readonly host: Uint8Array;
  /** whether the host is no name of a chain, and so has its address from here */
  readonly isMade: boolean;
}

/** Adds the names of hosts and the PTR records that are missing; returns where the hosts' templates are written. */
export function addHosts(context: ReverseContext): ReadonlyMap<DomainName, FilePlace> {
  const { documents, clouds, nameservers } = context;
  const places = new Map<DomainName, FilePlace>();
  const pointers = new Pointers(context);
  for (const cloud of clouds) {
    const source = documents.clouds.find(({ value }) => value.cloud === cloud.name)?.source;
    for (const service of cloud.services) {
      if (source === undefined || service.end.kind === "alias") continue;
      const path = ["services", service.name, "addresses", "hosts"];
      const isGiven = service.end.hosts !== undefined;
      // What is wrong with a template shows in many names, and is told once.
      let isTold = !isGiven;
      const tell = (message: string): void => {
        if (!isTold) context.faults.at(source, path, message);
        isTold = true;
      };
      for (const found of hostsOf(service, service.end, cloud)) {
        if (typeof found === "string") {
          tell(found);
          continue;
        }
        const { address, host, isMade } = found;
        // Names that nobody asked for are made where a PTR record needs them alone.
        if (isMade && !isGiven && !pointers.isServed(address)) continue;
        const fault = isMade ? addHost(found, places, context) : undefined;
        if (fault !== undefined) tell(fault);
        else pointers.add(address, host);
        if (isMade && fault === undefined) places.set(domainName(host), source.placeOf(path));
      }
    }
  }
  for (const [label, addresses] of Object.entries(nameservers)) {
    for (const address of addresses) pointers.addNameserver(label, address);
  }
  pointers.write();
  return places;
}

/** Every address that a service can give, each with its host; a sentence where a name cannot be written. */
function* hostsOf(service: Service, end: ChainEndAddresses, cloud: Cloud): Generator<HostAddress | string> {
  const datacenters = datacentersOf(service, cloud);
  const inChain = end.hosts === undefined ? lastName(service) : undefined;
  const hosts = end.hosts ?? (inChain === undefined ? hostsBelow(service) : undefined);
  for (const datacenter of end.kind === "anycast" ? [undefined] : datacenters) {
    for (const { addresses } of addressesAt(end, datacenter)) {
      for (const [i, address] of addresses.entries()) {
        if (hosts !== undefined) {
          const host = fillTemplate(hosts, { datacenter, number: i + 1 });
          yield typeof host === "string" ? host : { address, host, isMade: true };
        }
        if (inChain === undefined) continue;
        // The last name can tell a datacenter although its addresses are those of edges: then any will do.
        const host = fillTemplate(inChain, { datacenter: datacenter ?? datacenters[0], slot: 0 });
        // What is wrong with a name of a chain is told with the chain.
        if (typeof host !== "string") yield { address, host, isMade: false };
      }
    }
  }
}

/** The owner of a service's addresses; undefined where each tenant has one of its own. */
const lastName = ({ links }: Service): NameTemplate | undefined =>
  links.at(-1)?.owners.find(({ needs }) => !needs.has("tenant"));

/** Where tenants own the addresses and no template is given: `lhr0001.hosts.` above the last label that has to be filled. */
function hostsBelow({ links, end }: Service): NameTemplate | undefined {
  const owner = links.at(-1)?.owners[0]?.text ?? "";
  const parent = owner.slice(owner.lastIndexOf("}") + 1).replace(/^[^.]*\./, "");
  const label = end.kind === "anycast" ? "edge" : "{datacenter}";
  const template = parseHostTemplate(`${label}{number}.hosts.${parent}`);
  return typeof template === "string" ? undefined : template;
}

/** Adds an address to a host; a sentence where its name is not free. */
function addHost(
  { address, host }: HostAddress,
  made: ReadonlyMap<DomainName, FilePlace>,
  { zones, ttlSeconds, placeOfName, areZonesWhole }: ReverseContext,
): string | undefined {
  const name = domainName(host);
  const zone = findZone(zones, name);
  if (zone === undefined) return areZonesWhole ? `${name} is in no zone served; add one to zones` : undefined;
  if (!(zone instanceof ZoneBuilder))
    return `${name} cannot be made here: ${zone.apex} is a scripted zone, for which its handler alone answers`;
  const type = address.length === 4 ? TYPE.A : TYPE.AAAA;
  const place = placeOfName(name);
  const seeIt = place === undefined ? "" : `; see ${formatPlace(place)}`;
  if (zone.has(name, type) && !made.has(name)) return `${name} has addresses of its own already${seeIt}`;
  if (["referral", "dname"].includes(lookup(zone.build(), name, type).kind))
    return `${name} lies below a delegation or a DNAME, which hides it`;
  const fault = zone.addRRset({ owner: host, name, type, ttlSeconds, rdatas: [address] });
  return fault && `${fault}${seeIt}`;
}

/** Collects who has which address, and writes that into the zones served once all is known. */
class Pointers {
  readonly #context: ReverseContext;
  readonly #zones: ReadonlyMap<DomainName, ZoneBuilder<TailoredName> | ScriptedZone>;
  readonly #hosts = new Map<DomainName, Map<DomainName, Uint8Array>>();

  constructor(context: ReverseContext) {
    this.#context = context;
    const isReverse = (apex: DomainName): boolean => reverseTrees.some((tree) => isAtOrBelow(apex, tree));
    this.#zones = new Map([...context.zones].filter(([apex]) => isReverse(apex)));
  }

  /** Whether a zone with records is served in which an address has a name. */
  isServed(address: Uint8Array): boolean {
    return this.#zoneOf(reverseName(address)) !== undefined;
  }

  add(address: Uint8Array, host: Uint8Array): void {
    const name = reverseName(address);
    if (this.#zoneOf(name) === undefined) return;
    const hosts = this.#hosts.get(name) ?? new Map<DomainName, Uint8Array>();
    hosts.set(domainName(host), host);
    this.#hosts.set(name, hosts);
  }

  /** A name server is called as in the zone that has the PTR record, or in the first one that has it. */
  addNameserver(label: string, address: Uint8Array): void {
    const own = this.#zoneOf(reverseName(address));
    if (own === undefined) return;
    const type = address.length === 4 ? TYPE.A : TYPE.AAAA;
    const text = formatAddress(address);
    for (const zone of [own, ...this.#context.zones.values()]) {
      if (!(zone instanceof ZoneBuilder)) continue;
      const { apex, table } = zone;
      const host = nameOf(`${label}.${apex}`);
      const rdatas = table.get(host)?.rrsets.get(type)?.rdatas ?? [];
      if (!rdatas.some((rdata) => formatAddress(rdata) === text)) continue;
      this.add(address, nameOctets(host));
      return;
    }
  }

  write(): void {
    // First all that is free, for a record that is added can hide a wildcard from another name.
    const free = [...this.#hosts].flatMap(([name, hosts]) => {
      const builder = this.#zoneOf(name);
      return builder !== undefined && isFree(builder.build(), name) ? [{ builder, name, hosts }] : [];
    });
    for (const { builder, name, hosts } of free) {
      const rdatas = [...hosts.values()];
      const { ttlSeconds } = this.#context;
      builder.addRRset({ owner: nameOctets(name), name, type: TYPE.PTR, ttlSeconds, rdatas });
    }
  }

  #zoneOf(name: DomainName): ZoneBuilder<TailoredName> | undefined {
    const zone = findZone(this.#zones, name);
    return zone instanceof ZoneBuilder ? zone : undefined;
  }
}

/** Whether the lab says nothing of a name itself: no PTR, CNAME, wildcard or delegation (RFC 2317 §4). */
const isFree = (zone: Zone<TailoredName>, name: DomainName): boolean =>
  ["nodata", "nxdomain"].includes(lookup(zone, name, TYPE.PTR).kind);

const reverseTrees: readonly DomainName[] = ["in-addr.arpa.", "ip6.arpa."].map(nameOf);

/** `1.1.18.198.in-addr.arpa.`, and for IPv6 the same by half octets below ip6.arpa. */
export function reverseName(address: Uint8Array): DomainName {
  if (address.length === 4) return nameOf(`${[...address].reverse().join(".")}.in-addr.arpa.`);
  const digits = Buffer.from(address).toString("hex");
  return nameOf(`${[...digits].reverse().join(".")}.ip6.arpa.`);
}
