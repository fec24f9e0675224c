// What the real program keeps: an outage outlives kill -9, and a state file that cannot be used does not stop the answering.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noOperations, withOverride } from "../../src/cloud/operations.ts";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import { type Folder, makeFolder } from "../state/lab.ts";
import { type Running, run, startServe } from "./program.ts";

const timeout = 60_000;

let folder: Folder;
let config: string;
beforeEach(() => {
  folder = makeFolder();
  config = join(folder.path, "lab.yaml");
});
afterEach(() => folder.remove());

const lab = (server = ""): string => `geoip: { database: none }
${server}
defaultLocation: { city: London, country: GB, coordinates: [51.5, -0.1] }
---
cloud: Lab
zones: [shop.example]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.5, -0.1], roles: [front-end], addresses: [198.18.1.0/24] }
  dub: { city: Dublin, country: IE, coordinates: [53.3, -6.3], roles: [front-end], addresses: [198.18.2.0/24] }
services:
  web: { policy: nearest-datacenter, names: [www.shop.example], ttl: 60, addresses: { slice: 0, count: 1 } }
`;

const serve = (): Promise<Running> => startServe(["--config", config, "--listen", "127.0.0.1:0"]);

async function answerOf({ address }: Running): Promise<string | undefined> {
  const { stdout } = await run(["query", "www.shop.example", "A", "--server", address]);
  return /198\.18\.\d/.exec(stdout)?.[0];
}

test("kill -9 and start: London is still down", { timeout }, async () => {
  writeFileSync(config, lab());
  const first = await serve();
  expect(await answerOf(first)).toBe("198.18.1");
  await first.exit("SIGKILL");
  const drill = { target: "lhr", state: "down", reason: "a drill", until: undefined } as const;
  await new FileStateStore(folder.file).write({ operations: withOverride(noOperations, drill, Date.now()) });
  for (const damaged of [undefined, folder.file, folder.copy]) {
    if (damaged !== undefined) writeFileSync(damaged, "");
    const server = await serve();
    expect(await answerOf(server)).toBe("198.18.2");
    await server.exit("SIGKILL");
  }
});

test("a state file that cannot be written is one line in the log, and again at each reload", {
  timeout,
}, async () => {
  writeFileSync(join(folder.path, "taken"), "");
  writeFileSync(config, lab("server: { stateFile: taken/state.json }"));
  const server = await serve();
  expect(await answerOf(server)).toBe("198.18.1");
  await server.logged("changes by operators are refused until it can be written");
  writeFileSync(config, lab("server: { stateFile: none }"));
  process.kill(server.pid, "SIGHUP");
  await server.logged(
    `server.stateFile is another now; it counts from the next start, until then the state file ${join(folder.path, "taken/state.json")} and its copy`,
  );
  const { code } = await server.stop();
  expect(code).toBe(0);
  const next = await serve();
  await next.logged("server.stateFile is none, so serials, the cookie secret and all changes last until");
  expect((await next.stop()).code).toBe(0);
});
