/** geodns365 with the default lab, started as a user would. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { printedBy } from "../process.ts";
import type { Server } from "./server.ts";

const root = join(import.meta.dirname, "../..");
const included = ["networks.yaml", "countries.yaml", "tenants.yaml", "clouds/*.yaml"];

const withQueriesLogged = (name: string, queries: "all" | "off"): Server => ({
  name,
  version: async () => {
    const printed = await printedBy("git", "-C", root, "describe", "--always", "--dirty");
    const commit = /^[0-9a-f]{7,}(-dirty)?$/.exec(printed?.trim() ?? "")?.[0] ?? "no commit";
    return `${commit}, Node ${process.versions.node}`;
  },
  configure: (folder, port) => {
    const config = join(folder, "bench.yaml");
    const includes = included.map((path) => `  - ${join(root, "config", path)}\n`).join("");
    writeFileSync(config, `log: { queries: ${queries} }\ninclude:\n${includes}`);
    const program = join(root, "src/cli/geodns365.js");
    return {
      program: process.execPath,
      args: [program, "serve", "--admin", "off", "--config", config, "--listen", `127.0.0.1:${port}`],
    };
  },
  printsToNull: queries === "all",
});

export const geodns365 = withQueriesLogged("geodns365", "off");
export const geodns365Logging = withQueriesLogged("geodns365, log on", "all");
