/** A server made with the dns2 package, as its README shows. */

import { createRequire } from "node:module";
import { join } from "node:path";
import type { Server } from "./server.ts";

export const dns2: Server = {
  name: "dns2, in Node",
  answers: "by-place",
  find: async () => {
    const { version }: { version: string } = createRequire(import.meta.url)("dns2/package.json");
    return { kind: "found", version };
  },
  configure: (_folder, port) => ({
    program: process.execPath,
    args: [join(import.meta.dirname, "dns2-server.ts"), String(port)],
  }),
};
