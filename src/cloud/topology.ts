/** What a cloud is made of: datacenters, and tenants that live in them. */

import type { Place } from "../geo/place.ts";
import type { AddressFamily, IpPrefix } from "../ip.ts";
import { hashOctets } from "./packed-texts.ts";

declare const brand: unique symbol;
/** `Worldwide/lhr`: unique over all clouds. */
export type DatacenterId = string & { readonly [brand]: "DatacenterId" };

/** What is not Microsoft's own word: concluded from what is published, or made up here. */
export type Mark = "inferred" | "invented";

export type DatacenterRole = "front-end" | "tenants";

export interface Datacenter {
  readonly id: DatacenterId;
  /** unique within its cloud: `lhr` */
  readonly shortId: string;
  readonly cloud: string;
  /** as names of front ends spell it: `LHR` */
  readonly code: string;
  readonly place: Place;
  /** Microsoft's preferred data location code: `GBR` */
  readonly geo: string | undefined;
  /** the group of front ends that names of an old era carry: `emeawest` */
  readonly region: string | undefined;
  readonly roles: ReadonlySet<DatacenterRole>;
  /** one source of each family at the most */
  readonly addresses: readonly AddressSource[];
  readonly farms: Farms | undefined;
  /** how it is probed; undefined where it is not */
  readonly healthCheck?: HealthCheck | undefined;
  readonly mark?: Mark | undefined;
}

/** Addresses of one family: a pool, of which each service has a slice, or those alone that are listed. */
export type AddressSource =
  | { readonly kind: "pool"; readonly family: AddressFamily; readonly pool: IpPrefix }
  | { readonly kind: "listed"; readonly family: AddressFamily; readonly addresses: readonly Uint8Array[] };

/** A probe and when its results count. */
export interface HealthCheck {
  /** `http:`, `https:` or `tcp:` */
  readonly target: URL;
  readonly everyMilliseconds: number;
  readonly timeoutMilliseconds: number;
  /** results in a row that bring it up, or down */
  readonly up: number;
  readonly down: number;
  readonly verifyCertificate: boolean;
}

/** The numbers in SharePoint's names: slot s of a datacenter is clump `firstClump + s` and farm `firstFarm + s`. */
export interface Farms {
  readonly geo: number;
  readonly firstClump: number;
  readonly firstFarm: number;
  /** of the names of 2015, which all slots share */
  readonly net: number | undefined;
}

/** Farm slots of a datacenter; a tenant has one of them wherever it is active. */
export const FARM_SLOTS = 16;

export type FailoverMode = "automatic" | "manual";

/** Parts of a tenant that can have a home of their own, apart from the rest of it. */
export const WORKLOADS = ["exchange", "sharepoint"] as const;
export type Workload = (typeof WORKLOADS)[number];

/** One geography that holds data of a tenant, with names of its own: `contoso`, or the satellite `fabrikamEUR`. */
export interface TenantGeo {
  readonly tenant: string;
  /** what `{tenant}` stands for */
  readonly label: string;
  readonly geo: string;
  readonly active: Datacenter;
  readonly standby: Datacenter | undefined;
  /** whether its standby takes over by itself when its active datacenter is down, and gives back when that is up again */
  readonly failover: FailoverMode;
  readonly failback: FailoverMode;
  readonly slot: number;
  /** custom domains, at the home geo alone */
  readonly domains: readonly string[];
  /** as given, in lower case and with the suffix; undefined: what its cloud derives from the label */
  readonly initialDomain?: string | undefined;
  /** whose home this is, where it is not the tenant's own; the label is then `contoso/exchange`, or `home` is */
  readonly workload?: Workload | undefined;
  /** the label that operations know the home by, where it is that of a workload and `label` still is the tenant's */
  readonly home?: string | undefined;
  /** whether there is no such tenant, and the cloud answers for it all the same */
  readonly isUnknown?: boolean | undefined;
}

/** As what a cloud answers for tenants that there are not. */
export interface UnknownTenantHome {
  readonly geo: string;
  readonly active: Datacenter;
}

export const datacenterId = (cloud: string, shortId: string): DatacenterId =>
  `${cloud}/${shortId}` as DatacenterId;

/** The slot of a tenant without one of its own: FNV-1a over its label, so that it never moves. */
export const derivedSlot = (label: string): number => {
  const octets = Buffer.from(label);
  return (hashOctets(octets, 0, octets.length) >>> 0) % FARM_SLOTS;
};
