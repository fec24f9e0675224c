/** geodns365 in process, on the zones of the conformance tests. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { type ServerOptions, startServer } from "../../src/server.ts";
import { buildSnapshot } from "../../src/snapshot.ts";
import { COOKIE_SECRET, geodns365Config } from "./zone.ts";

export interface Subject {
  readonly port: number;
  /** rejects with the first thing that was thrown inside while it served */
  stop(): Promise<void>;
}

/** Starts it on a free port of 127.0.0.1, with these settings under `server`. */
export async function startGeodns365(
  settings: object = {},
  options: Pick<ServerOptions, "plane"> = {},
): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-conformance-"));
  const path = join(folder, "conformance.yaml");
  writeFileSync(path, geodns365Config(settings));
  const loaded = loadConfig(path);
  rmSync(folder, { recursive: true });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const cookieSecrets = [Uint8Array.from(Buffer.from(COOKIE_SECRET, "hex"))];
  const snapshot = buildSnapshot(loaded.configuration, undefined, { cookieSecrets });
  const faults: unknown[] = [];
  const server = await startServer(snapshot, {
    listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
    onFault: (error) => faults.push(error),
    ...options,
  });
  return {
    port: server.listening[0]?.port ?? 0,
    stop: async () => {
      await server.close();
      if (faults.length > 0) throw faults[0];
    },
  };
}
