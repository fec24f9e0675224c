/** `geodns365 reload`: has the server load its configuration anew. */

import { escapeUnprintable } from "../config/printable.ts";
import { type AdminAccess, runAdmin } from "./admin-client.ts";

export const reloadCommand = (access: AdminAccess): Promise<number> =>
  runAdmin(
    access,
    async (client) => client.ask("reload"),
    function* ({ snapshot, changes, warnings }) {
      for (const warning of warnings) yield escapeUnprintable(`warning: ${warning}`);
      for (const change of changes) yield escapeUnprintable(change);
      yield changes.length === 0
        ? `snapshot ${snapshot} answers; nothing has changed`
        : `snapshot ${snapshot} answers`;
    },
  );
