// The same configuration, stored state, clock and question give the same octets (design, "State and time"): in whatever order
// questions come, over whichever transport, in however many threads, and in a server that was started anew.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answer } from "../src/answer.ts";
import { noOperations, withOverride, withServing } from "../src/cloud/operations.ts";
import { findTenant } from "../src/cloud/tenant-table.ts";
import { EDNS_VERSION, renderOpt } from "../src/dns/edns.ts";
import { OPTION } from "../src/dns/iana.ts";
import { isTruncated } from "../src/dns/render.ts";
import { loadSnapshot } from "../src/load-snapshot.ts";
import { type Server, startServer } from "../src/server.ts";
import type { Snapshot } from "../src/snapshot.ts";
import { FileStateStore } from "../src/state/file-state-store.ts";
import { type Client, openClient } from "./plane/client.ts";
import { eachOf, namesOf } from "./plane/queries.ts";
import { serverWays, withPlane } from "./plane/ways.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-determinism-"));
const config = join(folder, "config/geodns365.yaml");
const stateFile = { kind: "file", path: join(folder, "state.json") } as const;
afterAll(() => rmSync(folder, { recursive: true }));

/** Cookies carry it. */
const now = Date.UTC(2026, 10, 25, 12);

/** London is down and contoso has failed over, which is stored beside serials and the cookie secret. */
async function storeState(): Promise<void> {
  cpSync(join(import.meta.dirname, "../config"), join(folder, "config"), { recursive: true });
  const first = await load(true);
  const tenant = findTenant(first.configuration.clouds, "contoso");
  if (tenant === undefined) throw new Error("the default lab has lost contoso");
  const down = { target: "lhr", state: "down", reason: undefined, until: undefined } as const;
  const served = { serving: "standby", by: "operator", reason: undefined } as const;
  const operations = withServing(withOverride(noOperations, down, now), tenant, served, now);
  if (typeof operations === "string") throw new Error(operations);
  const store = new FileStateStore(stateFile.path);
  await store.read();
  await store.write({ operations });
  await store.close();
}

/** All of it from the files again. */
async function load(keepState: boolean): Promise<Snapshot> {
  const loaded = await loadSnapshot(config, { keepState, stateFile });
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  await loaded.store.close();
  return loaded.snapshot;
}

/** Every few names of the lab, in every form that clients send them, some with a cookie. */
function questionsOf(snapshot: Snapshot): readonly Uint8Array[] {
  const names = namesOf(snapshot);
  const some = names.filter((_, i) => i % Math.ceil(names.length / 120) === 0);
  const plain = eachOf(snapshot, some, 5);
  const cookie = { code: OPTION.COOKIE, octets: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
  const edns = { udpPayloadSize: 1232, version: EDNS_VERSION, dnssecOk: false, options: [cookie] };
  const withCookies = plain
    .filter((message) => message[11] === 0)
    .map((message) => {
      const asked = Buffer.concat([message, renderOpt(edns, 0)]);
      asked[11] = 1; // ARCOUNT
      return asked;
    });
  return [...plain, ...withCookies];
}

let expected: readonly Buffer[] = [];
let questions: readonly Uint8Array[] = [];
beforeAll(async () => {
  await storeState();
  const snapshot = await load(false);
  questions = questionsOf(snapshot);
  const source = { address: { family: 4, octets: Uint8Array.of(127, 0, 0, 1) }, port: 5353 } as const;
  // What a datagram has no room for is another message over TCP.
  const answers = questions.map((message) => {
    const made = answer(snapshot, message, { ...source, transport: "udp" }, now / 1000);
    return made.kind === "answered" ? Buffer.from(made.octets ?? []) : Buffer.alloc(0);
  });
  const fit = answers.map((octets) => octets.length > 0 && !isTruncated(octets));
  questions = questions.filter((_, i) => fit[i]);
  expected = answers.filter((_, i) => fit[i]);
}, 60_000);

it("is looked at with what states and clocks decide", async () => {
  expect(questions.length).toBeGreaterThan(300);
  const { states, cookieSecrets, tenantPlaces } = await load(false);
  expect([states.size, cookieSecrets.length, tenantPlaces.size]).toEqual([1, 1, 1]);
  const hasCookie = expected.filter((octets) => octets.includes(Buffer.of(0, OPTION.COOKIE, 0, 24)));
  expect(hasCookie.length).toBeGreaterThan(10);
});

describe.each(serverWays)("$way", { timeout: 60_000 }, (way) => {
  let server: Server;
  const clients: Client[] = [];
  beforeAll(async () => {
    server = await startServer(await load(false), {
      listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
      now: () => now,
      time: () => ({ real: 0, shown: now, speed: 0 }),
      onFault: (error) => {
        throw error;
      },
      ...withPlane(way),
    });
    const { port } = server.listening[0] ?? { port: 0 };
    // Of several sockets the kernel chooses one by the client's port, so many clients reach all workers.
    for (const each of ["udp", "udp", "udp", "udp", "tcp", "tcp"] as const)
      clients.push(await openClient(each, port));
  }, 60_000);
  afterAll(async () => {
    for (const client of clients) client.close();
    await server.close();
  });

  it("the octets are the same in any order, over UDP and TCP, the first time and again", async () => {
    const order = fc.shuffledSubarray(
      questions.map((_, i) => i),
      { minLength: questions.length },
    );
    const property = fc.asyncProperty(
      fc.array(order, { minLength: clients.length, maxLength: clients.length }),
      async (orders) => {
        const found = await Promise.all(
          clients.map(async (client, i) => {
            const asked = orders[i] ?? [];
            const replies = await client.askAll(asked.flatMap((at) => questions[at] ?? []));
            return asked.filter((at, j) => !replies[j]?.equals(expected[at] ?? Buffer.alloc(0)));
          }),
        );
        expect(found.map((wrong) => wrong.slice(0, 3))).toEqual(clients.map(() => []));
      },
    );
    await fc.assert(property, { numRuns: 5 });
  });
});
