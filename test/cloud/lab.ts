/** Datacenters, tenants, services and templates for the tests of this folder. */

import { type NameTemplate, parseNameTemplate } from "../../src/cloud/name-template.ts";
import type { Cloud, Service } from "../../src/cloud/service.ts";
import { type Datacenter, datacenterId, type TenantGeo } from "../../src/cloud/topology.ts";
import { byDistance } from "../../src/geo/nearness.ts";
import { parsePrefix } from "../../src/ip.ts";

export function datacenter(shortId: string, changes: Partial<Datacenter> = {}): Datacenter {
  return {
    id: datacenterId("Lab", shortId),
    shortId,
    cloud: "Lab",
    place: { city: shortId, country: "GB", coordinates: [51, 0] },
    geo: "EUR",
    region: "emeawest",
    roles: new Set(["front-end", "tenants"]),
    pools: [],
    farms: { geo: 104, firstClump: 4304, firstFarm: 190000 },
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
    end: { kind: "addresses", slice: 0, count: 1 },
    candidates: [],
    nearness: byDistance,
    spread: undefined,
    whenAllDown: "nearest",
    hasSecondHop: false,
    ...changes,
  };
}

export function cloud(changes: Partial<Cloud> = {}): Cloud {
  return { name: "Lab", datacenters: [], services: [], tenants: [], ...changes };
}

export function template(text: string): NameTemplate {
  const parsed = parseNameTemplate(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

export function pool(text: string) {
  const parsed = parsePrefix(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}
