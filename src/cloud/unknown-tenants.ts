/**
 * Names of tenants that there are not, in clouds that answer for them as for a tenant of some geo. Any label has such a
 * name, so none is kept: each is made for who asks.
 */

import { domainName } from "../dns/name.ts";
import { type ChainFault, type ChainName, chainName } from "./chain.ts";
import { latin1 } from "./packed-texts.ts";
import type { TenantTemplate } from "./tenant-names.ts";
import { derivedSlot, type TenantGeo } from "./topology.ts";

/** Whose answers a tenant gets that there is not. */
export interface UnknownTenant {
  readonly template: TenantTemplate;
  readonly made: Exclude<ChainName, ChainFault>;
}

const labelPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

export class UnknownTenants {
  /** those with the longest text first, so that `foo-my` is the OneDrive of `foo` */
  readonly #templates: readonly TenantTemplate[];

  constructor(templates: readonly TenantTemplate[]) {
    const textLength = ({ prefix, suffix }: TenantTemplate): number => prefix.length + suffix.length;
    this.#templates = templates
      .filter(({ tenants }) => tenants.unknown !== undefined)
      .toSorted((a, b) => textLength(b) - textLength(a));
  }

  get templates(): readonly TenantTemplate[] {
    return this.#templates;
  }

  /** The name in wire format, made for a tenant that nobody has described; undefined where it cannot be made. */
  find(name: Uint8Array): UnknownTenant | undefined {
    for (const template of this.#templates) {
      const held = heldBy(template, name);
      if (held === undefined || !labelPattern.test(held)) continue;
      const made = unknownName(template, held);
      return made === undefined || made.kind === "fault" ? undefined : { template, made };
    }
    return undefined;
  }
}

/** The name that a template has for a tenant that there is not; undefined where the cloud has none. */
export function unknownName(
  { service, linkIndex, ownerIndex, holds, tenants: { unknown } }: TenantTemplate,
  held: string,
): ChainName | undefined {
  if (unknown === undefined) return undefined;
  const slot = derivedSlot(held);
  const tenant: TenantGeo = {
    tenant: held,
    label: held,
    geo: unknown.geo,
    active: unknown.active,
    standby: undefined,
    failover: "manual",
    failback: "manual",
    slot,
    domains: [],
    isUnknown: true,
  };
  const domain = holds === "domainKey" ? held : undefined;
  return chainName(service, {
    linkIndex,
    ownerIndex,
    bindings: { tenant, domain, datacenter: undefined, slot },
  });
}

/** What the first label of a name holds between the texts of a template; undefined where it is not of that form. */
function heldBy({ prefix, suffix, parent }: TenantTemplate, name: Uint8Array): string | undefined {
  const end = 1 + (name[0] ?? 0);
  const from = 1 + prefix.length;
  const to = end - suffix.length;
  if (from >= to) return undefined;
  const label = latin1(name, 1, end).toLowerCase();
  if (!label.startsWith(prefix.toLowerCase()) || !label.endsWith(suffix.toLowerCase())) return undefined;
  return domainName(name.subarray(end)) === parent ? latin1(name, from, to) : undefined;
}
