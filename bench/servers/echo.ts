/** The floor of what a dgram socket in Node can do: the query turned round, with QR set. */

import { join } from "node:path";
import type { Server } from "./server.ts";

export const echo: Server = {
  name: "echo, in Node",
  version: async () => `Node ${process.versions.node}`,
  configure: (_folder, port) => ({
    program: process.execPath,
    args: [join(import.meta.dirname, "echo-server.ts"), String(port)],
  }),
};
