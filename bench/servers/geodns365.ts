/** geodns365 with the default lab, started as a user would, one worker. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { printedBy } from "../process.ts";
import type { TenantLab } from "../tenant-lab.ts";
import type { Found, Server } from "./server.ts";

const root = join(import.meta.dirname, "../..");
const program = join(root, "src/cli/geodns365.js");

export const transports = ["batched", "dgram"] as const;

/** How it reads and writes datagrams; undefined: it is not told. */
type Transport = (typeof transports)[number] | undefined;

const help = (await printedBy(process.execPath, program, "serve", "--help")) ?? "";
const knowsTransport = help.includes("--transport");

interface Variant {
  readonly name: string;
  readonly transport: Transport;
  /** Text of the configuration file, which may write others into the folder. */
  configuration(folder: string): string;
  readonly printsToNull?: boolean;
}

const server = ({ name, transport, configuration, printsToNull = false }: Variant): Server => ({
  name,
  answers: "by-place",
  find: async () =>
    transport === undefined || knowsTransport
      ? await findCommit()
      : { kind: "missing", why: "this checkout has no --transport" },
  configure: (folder, port) => {
    const config = join(folder, "bench.yaml");
    writeFileSync(config, configuration(folder));
    const workers = knowsTransport ? ["--workers", "1"] : [];
    const datagrams = transport === undefined ? [] : ["--transport", transport];
    const where = ["--admin", "off", "--config", config, "--listen", `127.0.0.1:${port}`];
    return { program: process.execPath, args: [program, "serve", ...where, ...workers, ...datagrams] };
  },
  printsToNull,
});

async function findCommit(): Promise<Found> {
  const printed = await printedBy("git", "-C", root, "describe", "--always", "--dirty");
  const commit = /^[0-9a-f]{7,}(-dirty)?$/.exec(printed?.trim() ?? "")?.[0] ?? "no commit";
  return { kind: "found", version: `${commit}, Node ${process.versions.node}` };
}

const include = (paths: readonly string[]): string =>
  `include:\n${paths.map((path) => `  - ${path}\n`).join("")}`;

const inRoot = (path: string): string => join(root, "config", path);

/** All of config/ but its first file. */
const includedLab = include(["networks.yaml", "countries.yaml", "tenants.yaml", "clouds/*.yaml"].map(inRoot));

/** One for each transport, or as it comes where it cannot be told. */
const inEachTransport = (configuration: Variant["configuration"]): readonly Server[] => [
  ...(knowsTransport ? [] : [server({ name: "geodns365", transport: undefined, configuration })]),
  ...transports.map((transport) => server({ name: `geodns365, ${transport}`, transport, configuration })),
];

export const geodns365: readonly Server[] = inEachTransport(() => `log: { queries: off }\n${includedLab}`);

export const geodns365Logging: Server = server({
  name: "geodns365, log on",
  transport: undefined,
  configuration: () => `log: { queries: all }\n${includedLab}`,
  printsToNull: true,
});

/** A zone whose TXT says which configuration it is from. */
export const RELOADED_ZONE = "reload.example";

export const reloadedConfiguration = (generation: number): string =>
  `log: { queries: off }
zones: [${RELOADED_ZONE}]
records: { ${RELOADED_ZONE}: ['@ 0 TXT "${generation}"'] }
${includedLab}`;

export const geodns365Reloading: readonly Server[] = inEachTransport(() => reloadedConfiguration(0));

/** The tenants with all their names, beside the lab's clouds; no GeoIP, since peers have none. */
export const geodns365WithTenants = ({ tenantsFile }: TenantLab): readonly Server[] =>
  inEachTransport(
    () =>
      `geoip: { database: none }\nlog: { queries: off }\n${include([
        ...["networks.yaml", "countries.yaml", "clouds/*.yaml"].map(inRoot),
        tenantsFile,
      ])}`,
  );
