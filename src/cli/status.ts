/** `geodns365 status`: what a server answers with now. */

import { escapeUnprintable } from "../config/printable.ts";
import { type AdminAccess, runAdmin } from "./admin-client.ts";

export const statusCommand = (access: AdminAccess): Promise<number> =>
  runAdmin(
    access,
    async (client) => {
      const [status, { datacenters }] = await Promise.all([
        client.ask("snapshot"),
        client.ask("listDatacenters"),
      ]);
      return { ...status, notUp: datacenters.filter(({ state }) => state !== "up").map(({ id }) => id) };
    },
    function* (status) {
      const { geoip, zones, notUp, lastReloadErrors } = status;
      const lines: readonly (readonly [string, string])[] = [
        ["version", status.version],
        ["started", status.startedAt],
        ["listening", status.listening.join(", ")],
        ["configuration", status.configuration],
        ["snapshot", `${status.snapshot} since ${status.snapshotSince}`],
        ["zones", String(zones.length)],
        ["GeoIP", geoip === undefined ? "none" : `${geoip.databaseType} of ${geoip.buildDate}`],
        ["state", status.stateStore],
        ["not up", notUp.length === 0 ? "none" : notUp.join(", ")],
      ];
      for (const [key, value] of lines) yield `${key.padEnd(15)}${escapeUnprintable(value)}`;
      if (lastReloadErrors === undefined) return;
      yield "the last reload found errors, so the configuration before it stays:";
      for (const error of lastReloadErrors) yield error.split("\n").map(escapeUnprintable).join("\n");
    },
  );
