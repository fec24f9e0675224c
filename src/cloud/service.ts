/** Services: names that a cloud answers, and the chains they lead to. */

import type { Nearness } from "../geo/nearness.ts";
import type { AddressFamily } from "../ip.ts";
import type { CustomDomain, DomainRules } from "./custom-domain.ts";
import type { NameTemplate } from "./name-template.ts";
import type { Spread } from "./spread.ts";
import type { CloudTenants } from "./tenant-table.ts";
import type { AddressSource, Datacenter, Mark, TenantGeo, UnknownTenantHome, Workload } from "./topology.ts";

export type Policy = "nearest-datacenter" | "active-datacenter";
export type WhenAllDown = "nearest" | "servfail" | "nodata";

/** Names that are answered by one policy, and the chain of names that they lead to. */
export interface Service {
  readonly name: string;
  readonly cloud: string;
  readonly era: string | undefined;
  readonly policy: Policy;
  /** The chain from the names asked to its last owner; each link is a CNAME to the next. */
  readonly links: readonly Link[];
  /**
   * What stands at the last link: addresses of the datacenter, addresses that are the same for everyone, or a CNAME to a
   * name of another service.
   */
  readonly end: ChainEndAddresses | ChainEndAlias;
  /** whom the policy nearest-datacenter chooses from */
  readonly candidates: readonly Datacenter[];
  /** what puts them in order */
  readonly nearness: Nearness;
  readonly spread: Spread | undefined;
  readonly whenAllDown: WhenAllDown;
  /** whether its front ends proxy to the tenant's active datacenter, as Exchange's do */
  readonly hasSecondHop: boolean;
  /** whose home counts, where a tenant has one for it; undefined: the tenant's own */
  readonly workload?: Workload | undefined;
}

/** Which addresses a service gives, and whose. */
export type ChainEndAddresses = Slice &
  (
    | {
        readonly kind: "addresses";
        /** what datacenters have in place of their own addresses, by id */
        readonly published?: ReadonlyMap<string, readonly AddressSource[]> | undefined;
      }
    | { readonly kind: "anycast"; readonly sources: readonly AddressSource[] }
  );

/** Which addresses of a pool a service gives. */
export interface Slice {
  readonly slice: number;
  readonly count: number;
  readonly families: readonly AddressFamily[];
  /** how each of its addresses is called; undefined where the chain's last name tells */
  readonly hosts?: NameTemplate | undefined;
}

export interface ChainEndAlias {
  readonly kind: "alias";
  readonly target: NameTemplate;
}

export interface Link {
  readonly owners: readonly NameTemplate[];
  /** of the records at these owners */
  readonly ttlSeconds: number;
  /** undefined where Microsoft publishes the names */
  readonly mark?: Mark | undefined;
}

/** in seconds */
export interface TtlBounds {
  readonly min: number;
  readonly max: number;
}

export interface Cloud {
  readonly name: string;
  /** between which the TTLs of tailored answers follow the time to the next possible change; undefined: they do not */
  readonly healthTtl?: TtlBounds | undefined;
  readonly datacenters: readonly Datacenter[];
  readonly services: readonly Service[];
  readonly tenants: CloudTenants;
  /** as what it answers for tenants that there are not; undefined: their names do not exist */
  readonly unknownTenants?: UnknownTenantHome | undefined;
  /** what may stand behind the label in the initial domain of a tenant, the usual one first: `onmicrosoft.com` */
  readonly initialDomains?: readonly string[] | undefined;
  /** what stands at custom domains; undefined where the cloud's file does not say */
  readonly domainRules?: DomainRules | undefined;
  /** those of which more is said than that they are there */
  readonly customDomains?: readonly CustomDomain[];
}

/** The domain that Microsoft gives a tenant: as given, or its label below the cloud's suffix. A satellite has none. */
export function initialDomainOf(
  { initialDomains: [suffix] = [] }: Pick<Cloud, "initialDomains">,
  { tenant, label, initialDomain }: TenantGeo,
): string | undefined {
  if (initialDomain !== undefined) return initialDomain;
  return suffix === undefined || tenant !== label ? undefined : `${label.toLowerCase()}.${suffix}`;
}
