/** Datacenters, tenants, services and templates for the tests of this folder. */

import { type NameTemplate, parseNameTemplate } from "../../src/cloud/name-template.ts";
import type { Cloud, Service } from "../../src/cloud/service.ts";
import { CloudTenants, TenantTable } from "../../src/cloud/tenant-table.ts";
import {
  type AddressSource,
  type Datacenter,
  datacenterId,
  type TenantGeo,
} from "../../src/cloud/topology.ts";
import { byDistance } from "../../src/geo/nearness.ts";
import { parsePrefix } from "../../src/ip.ts";

export function datacenter(shortId: string, changes: Partial<Datacenter> = {}): Datacenter {
  return {
    id: datacenterId("Lab", shortId),
    shortId,
    cloud: "Lab",
    code: shortId.toUpperCase(),
    place: { city: shortId, country: "GB", coordinates: [51, 0] },
    geo: "EUR",
    region: "emeawest",
    roles: new Set(["front-end", "tenants"]),
    addresses: [],
    farms: { geo: 104, firstClump: 4304, firstFarm: 190000, net: undefined },
    ...changes,
  };
}

export function tenantGeo(label: string, active: Datacenter, changes: Partial<TenantGeo> = {}): TenantGeo {
  return {
    tenant: label,
    label,
    geo: "EUR",
    active,
    standby: undefined,
    failover: "automatic",
    failback: "manual",
    slot: 0,
    domains: [],
    ...changes,
  };
}

export function service(changes: Partial<Service>): Service {
  return {
    name: "mail",
    cloud: "Lab",
    era: undefined,
    policy: "nearest-datacenter",
    links: [],
    end: { kind: "addresses", slice: 0, count: 1, families: [4, 6] },
    candidates: [],
    nearness: byDistance,
    spread: undefined,
    whenAllDown: "nearest",
    hasSecondHop: false,
    ...changes,
  };
}

export function cloud(changes: Partial<Cloud> = {}): Cloud {
  return { name: "Lab", datacenters: [], services: [], tenants: tenantsOf(), ...changes };
}

/** Tenants as the table of a cloud holds them; satellites come behind their tenant. */
export function tenantsOf(...geos: readonly TenantGeo[]): CloudTenants {
  const table = new TenantTable();
  for (const { tenant, label, slot, domains, ...shape } of geos) {
    const number = table.shapeNumber({ cloud: "Lab", ...shape });
    if (number === undefined) throw new Error("there are too many shapes");
    const octets = Buffer.from(label, "latin1");
    const row = table.addRow(octets, 0, octets.length, number, slot);
    if (tenant !== label) table.setParent(row, table.findRow(tenant));
    for (const domain of domains.map((text) => Buffer.from(text, "latin1"))) {
      table.addDomain(domain, 0, domain.length);
    }
  }
  return new CloudTenants(table, "Lab");
}

export function template(text: string): NameTemplate {
  const parsed = parseNameTemplate(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

/** A pool as a datacenter has it. */
export function poolSource(text: string): AddressSource {
  const prefix = pool(text);
  return { kind: "pool", family: prefix.family, pool: prefix };
}

export function pool(text: string) {
  const parsed = parsePrefix(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}
