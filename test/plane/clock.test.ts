/** Worker threads go by the server's clock, whatever it shows. */

import { join } from "node:path";
import { expect, test } from "vitest";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { loadAll, run } from "../../src/running.ts";
import { MemoryStateStore } from "../../src/state/state-store.ts";
import { openClient } from "./client.ts";
import { threadWays } from "./ways.ts";

const config = join(import.meta.dirname, "../../config/geodns365.yaml");
const log = { info: () => {}, warn: () => {}, error: () => {} };
const query = renderQuery(
  { qname: nameOctets(nameOf("office365.com.")), qtype: TYPE.SOA, qclass: CLASS.IN },
  { id: 7, recursionDesired: false, edns: undefined },
);

test.each(threadWays)("$way", { timeout: 20_000 }, async ({ plane }) => {
  const loaded = await loadAll(config, log, { store: new MemoryStateStore() });
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  const { configuration } = loaded.snapshot;
  // Where queries are logged, every one is handed over.
  const settings = { ...configuration.settings, loggedQueries: "off" } as const;
  const snapshot = { ...loaded.snapshot, configuration: { ...configuration, settings } };
  const { server, control, close } = await run({
    config,
    loaded: { ...loaded, snapshot },
    listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
    plane,
    version: "1",
    log,
    onTrace: () => {},
    onLoaded: () => {},
  });
  const client = await openClient("udp", server.listening[0]?.port ?? 0);
  try {
    await client.askAll([query]);
    await client.askAll([query]);
    await control.setClock({ setTo: "2030-01-01T00:00:00Z", speed: 0 });
    await client.askAll([query, query]);
    const entries = control.journal({}, 2);
    expect(entries.map(({ at }) => at)).toEqual(["2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"]);
  } finally {
    client.close();
    await close();
  }
});
