/** `geodns365 datacenter`: the states of datacenters, and the operator's word on them. */

import type { DatacenterView, OverrideView } from "../admin/control.ts";
import type { DatacenterState } from "../cloud/states.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { type AdminAccess, runAdmin } from "./admin-client.ts";
import { formatTable } from "./table.ts";

export const datacenterList = (access: AdminAccess): Promise<number> =>
  runAdmin(
    access,
    async (client) => client.ask("listDatacenters"),
    ({ datacenters }) => formatDatacenters(datacenters),
  );

export interface DatacenterSetOptions extends AdminAccess {
  readonly target: string;
  readonly state: DatacenterState;
  readonly reason?: string;
  /** as written: 10m */
  readonly for?: string;
}

export const datacenterSet = (options: DatacenterSetOptions): Promise<number> =>
  runAdmin(
    options,
    async (client) => {
      const { target, state, reason, for: time } = options;
      return client.ask("setDatacenter", { params: { target }, body: { state, reason, for: time } });
    },
    (override) => [formatOverride(override)],
  );

/** What a view of the contract is once it has been JSON. */
type Received<T> = T extends object ? { readonly [K in keyof T]?: Received<T[K]> | undefined } : T;

export function formatDatacenters(datacenters: readonly Received<DatacenterView>[]): Iterable<string> {
  const rows = datacenters.map(({ id, state, city, roles, health, override }) => [
    id,
    state,
    city,
    roles?.join(", "),
    override?.number !== undefined
      ? `override ${override.number}${timesOf(override)}${because(override.reason)}`
      : health?.state === undefined
        ? undefined
        : `probes: ${health.state} since ${health.since}${because(health.reason)}`,
  ]);
  return formatTable(["ID", "STATE", "CITY", "ROLES", "WHY"], rows);
}

const because = (reason: string | undefined): string => (reason === undefined ? "" : ` (${reason})`);

const timesOf = ({ since, until }: Received<OverrideView>): string =>
  until === undefined ? ` since ${since}` : ` until ${until}`;

export function formatOverride(override: Received<OverrideView>): string {
  const { number, state, datacenters = [], until, reason } = override;
  const who = datacenters.join(", ");
  const time = until === undefined ? "until it is removed" : `until ${until}`;
  const verb = datacenters.length === 1 ? "is" : "are";
  return escapeUnprintable(`override ${number}: ${who} ${verb} ${state} ${time}${because(reason)}`);
}
