/** `geodns365 tenant`: where tenants are served, and moves between their datacenters. */

import { escapeUnprintable } from "../config/printable.ts";
import { type AdminAccess, runAdmin } from "./admin-client.ts";
import { formatTable } from "./table.ts";

export interface TenantListOptions extends AdminAccess {
  readonly limit: number;
}

export const tenantList = (options: TenantListOptions): Promise<number> =>
  runAdmin(
    options,
    async (client) => client.ask("listTenants", { query: { limit: options.limit } }),
    function* ({ tenants, total }) {
      const rows = tenants.map(({ label, cloud, geo, active, standby, servedBy, serving }) => {
        const why = serving === "standby" ? "failed over" : undefined;
        return [label, cloud, geo, active, standby, servedBy, why];
      });
      yield* formatTable(["LABEL", "CLOUD", "GEO", "ACTIVE", "STANDBY", "SERVED BY", ""], rows);
      if (total > tenants.length) yield `and ${total - tenants.length} more; --limit N shows more of them`;
    },
  );

export interface TenantOptions extends AdminAccess {
  readonly label: string;
  readonly reason?: string;
}

export const tenantShow = (options: TenantOptions): Promise<number> =>
  runAdmin(
    options,
    async (client) => client.ask("showTenant", { params: { label: options.label } }),
    function* (tenant) {
      for (const [key, value] of Object.entries(tenant)) {
        yield `${key.padEnd(10)}${escapeUnprintable(String(value))}`;
      }
    },
  );

/** The three changes of a tenant differ in their route alone. */
export const tenantChange = (
  change: { readonly kind: "failover" | "failback" } | { readonly kind: "move"; readonly to: string },
  { label, reason, ...access }: TenantOptions,
): Promise<number> =>
  runAdmin(
    access,
    async (client) => {
      const params = { label };
      switch (change.kind) {
        case "move":
          return client.ask("moveTenant", { params, body: { to: change.to, reason } });
        case "failover":
        case "failback":
          return client.ask(change.kind, { params, body: { reason } });
        default:
          return change satisfies never;
      }
    },
    ({ servedBy, serving, active, ownHomes = [] }) => [
      `${label} is served by ${servedBy}, its ${serving === "active" ? "active datacenter" : `standby; ${active} is its active datacenter`}`,
      ...ownHomes.map((home) => `${home} has a home of its own and stays there; it is changed by that label`),
    ],
  );
