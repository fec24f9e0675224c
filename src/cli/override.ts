/** `geodns365 override`: the operator's word on datacenters, in order, and how to take it back. */

import { type AdminAccess, runAdmin } from "./admin-client.ts";
import { formatOverride } from "./datacenter.ts";
import { formatTable } from "./table.ts";

export const overrideList = (access: AdminAccess): Promise<number> =>
  runAdmin(
    access,
    async (client) => client.ask("listOverrides"),
    function* ({ overrides }) {
      if (overrides.length === 0) {
        yield "no overrides";
        return;
      }
      const rows = overrides.map(({ number, target, state, since, until, reason }) => [
        number,
        target,
        state,
        since,
        until ?? "removed",
        reason,
      ]);
      yield* formatTable(["NUMBER", "TARGET", "STATE", "SINCE", "UNTIL", "REASON"], rows);
    },
  );

export const overrideRemove = (number: number, access: AdminAccess): Promise<number> =>
  runAdmin(
    access,
    async (client) => client.ask("removeOverride", { params: { number } }),
    (override) => [`removed ${formatOverride(override)}`],
  );
