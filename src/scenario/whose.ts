/** Whose a response is: the datacenters and clouds that its names and addresses belong to, by a configuration alone. */

import { addressesAt, datacentersOf, ownerNames, poolsOf } from "../cloud/chain.ts";
import { findMatch, type TenantTemplate, tenantLabelOf, tenantTemplates } from "../cloud/tenant-names.ts";
import type { Datacenter } from "../cloud/topology.ts";
import type { Configuration } from "../config/configuration.ts";
import { TYPE } from "../dns/iana.ts";
import type { Message, ResourceRecord } from "../dns/message.ts";
import { type DomainName, domainName, formatName, nameOf } from "../dns/name.ts";
import { formatRdata } from "../dns/rdata.ts";
import { formatAddress, type IpAddress, prefixContains } from "../ip.ts";
import { findZone, zonesOfRecords } from "../zone/zone.ts";

/** What a name or an address tells. */
interface Owner {
  readonly cloud: string;
  readonly datacenter: Datacenter | undefined;
}

export class Whose {
  readonly #configuration: Configuration;
  readonly #names: ReadonlyMap<DomainName, Owner>;
  readonly #tenantTemplates: readonly TenantTemplate[];
  /** zones that hold names of one cloud alone */
  readonly #zones: ReadonlyMap<DomainName, string>;
  /** those that services or rules of names give for one datacenter alone */
  readonly #addresses: ReadonlyMap<string, Datacenter>;
  readonly #datacenters: readonly Datacenter[];

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#datacenters = configuration.clouds.flatMap(({ datacenters }) => datacenters);
    this.#names = namesOfServices(configuration);
    this.#tenantTemplates = tenantTemplates(configuration.clouds);
    this.#zones = zonesOfClouds(configuration, [
      ...[...this.#names].map(([name, { cloud }]) => [name, cloud] as const),
      ...this.#tenantTemplates.map(({ parent, service }) => [parent, service.cloud] as const),
    ]);
    this.#addresses = addressesOf(configuration);
  }

  /** Those whose addresses come back or, where none come back, whose name is the last that tells one. */
  datacentersOf({ answer }: Message): readonly Datacenter[] {
    const byAddress = new Set(answer.flatMap((record) => this.#ofAddress(record) ?? []));
    if (byAddress.size > 0) return [...byAddress];
    for (const { type, rdata, owner } of answer.toReversed()) {
      const names = [...(type === TYPE.CNAME ? [domainName(rdata)] : []), domainName(owner)];
      const found = names.flatMap((name) => this.#names.get(name)?.datacenter ?? []);
      if (found[0] !== undefined) return found.slice(0, 1);
    }
    return [];
  }

  /** The cloud, and the datacenter where it tells one, of each name and address in a record. */
  ownersOf(record: ResourceRecord): readonly Owner[] {
    const words = formatRdata(record.type, record.rdata).split(" ");
    // In presentation format every name ends in a dot, and text is in quotes.
    const names = [
      formatName(record.owner),
      ...words.filter((word) => word.length > 1 && word.endsWith(".")),
    ];
    const datacenter = this.#ofAddress(record);
    const ofNames = names.flatMap((name) => this.#ofName(nameOf(name)) ?? []);
    return datacenter === undefined ? ofNames : [...ofNames, { cloud: datacenter.cloud, datacenter }];
  }

  #ofName(name: DomainName): Owner | undefined {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const template = this.#tenantTemplates.find((each) => findMatch(each, name) !== undefined);
    const zone = findZone(this.#configuration.zones, name);
    const cloud = template?.service.cloud ?? (zone && this.#zones.get(zone.apex));
    return cloud === undefined ? undefined : { cloud, datacenter: undefined };
  }

  #ofAddress({ type, rdata }: ResourceRecord): Datacenter | undefined {
    if (type !== TYPE.A && type !== TYPE.AAAA) return undefined;
    const address: IpAddress = { family: type === TYPE.A ? 4 : 6, octets: rdata };
    const known = this.#addresses.get(formatAddress(rdata));
    return (
      known ??
      this.#datacenters.find(({ addresses }) =>
        poolsOf(addresses).some((pool) => prefixContains(pool, address)),
      )
    );
  }
}

/** Names that follow from tenants alone are as many as tenants; they are found by their templates. */
function namesOfServices({ clouds }: Configuration): ReadonlyMap<DomainName, Owner> {
  const names = new Map<DomainName, Owner>();
  for (const cloud of clouds) {
    for (const service of cloud.services) {
      for (const [linkIndex, link] of service.links.entries()) {
        for (const [ownerIndex, template] of link.owners.entries()) {
          if (tenantLabelOf(template) !== undefined) continue;
          for (const { owner, bindings } of ownerNames(service, cloud, linkIndex, ownerIndex)) {
            if (owner !== undefined)
              names.set(domainName(owner), { cloud: cloud.name, datacenter: bindings.datacenter });
          }
        }
      }
    }
  }
  return names;
}

function zonesOfClouds(
  { zones }: Configuration,
  names: Iterable<readonly [DomainName, string]>,
): ReadonlyMap<DomainName, string> {
  const clouds = new Map<DomainName, Set<string>>();
  for (const [name, cloud] of names) {
    const apex = findZone(zones, name)?.apex;
    if (apex !== undefined) clouds.set(apex, (clouds.get(apex) ?? new Set()).add(cloud));
  }
  return new Map(
    [...clouds].flatMap(([apex, of]) => {
      const [only, other] = of;
      return only === undefined || other !== undefined ? [] : [[apex, only] as const];
    }),
  );
}

function addressesOf({ clouds, zones }: Configuration): ReadonlyMap<string, Datacenter> {
  const found = new Map<string, Set<Datacenter>>();
  const add = (octets: Uint8Array, datacenter: Datacenter): void => {
    const address = formatAddress(octets);
    found.set(address, (found.get(address) ?? new Set()).add(datacenter));
  };
  for (const cloud of clouds) {
    for (const service of cloud.services) {
      const { end } = service;
      if (end.kind !== "addresses") continue;
      for (const datacenter of datacentersOf(service, cloud))
        for (const { addresses } of addressesAt(end, datacenter))
          for (const address of addresses) add(address, datacenter);
    }
  }
  for (const zone of zonesOfRecords(zones)) {
    for (const tailored of zone.nodes.tailored()) {
      if (tailored.kind !== "records" || tailored.rules.otherwise.kind !== "nearest") continue;
      for (const [datacenter, list] of tailored.rules.otherwise.datacenters) {
        for (const { type, rdatas } of list) {
          if (type !== TYPE.A && type !== TYPE.AAAA) continue;
          for (const rdata of rdatas) add(rdata, datacenter);
        }
      }
    }
  }
  return new Map(
    [...found].flatMap(([address, of]) => {
      const [only, other] = of;
      return only === undefined || other !== undefined ? [] : [[address, only] as const];
    }),
  );
}
