/** All parts at work in this process: loads that fail, changes of another server, and the end in the middle of a load. */

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ControlEvent } from "../src/admin/control.ts";
import { noOperations, withOverride } from "../src/cloud/operations.ts";
import { loadAll, type Running, run } from "../src/running.ts";
import { FileStateStore } from "../src/state/file-state-store.ts";
import { MemoryStateStore, type ReadOutcome, type StateStore } from "../src/state/state-store.ts";
import { lab } from "./cli/alive-lab.ts";
import { type Folder, makeFolder } from "./state/lab.ts";

let folder: Folder;
let config: string;
let lines: unknown[] = [];
let running: Running | undefined;
beforeEach(() => {
  folder = makeFolder();
  config = join(folder.path, "lab.yaml");
  lines = [];
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  folder.remove();
});

const keepLine = (...words: readonly unknown[]): void => {
  lines.push(words.at(-1));
};
const log = { info: keepLine, warn: keepLine, error: keepLine };

async function start(text: string, store: StateStore): Promise<Running> {
  writeFileSync(config, text);
  const loaded = await loadAll(config, log, { store });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  running = await run({
    config,
    loaded,
    listen: [{ family: 4, address: "127.0.0.1", port: 0 }],
    plane: undefined,
    version: "1",
    log,
    onTrace: () => {},
    onLoaded: () => {},
  });
  return running;
}

/** The next event of a kind, for which the change is made. */
function eventAfter(
  { control }: Running,
  kind: ControlEvent["kind"],
  change: () => unknown,
): Promise<ControlEvent> {
  return new Promise((resolve) => {
    const end = control.subscribe((event) => {
      if (event.kind !== kind) return;
      end();
      resolve(event);
    });
    change();
  });
}

/** Reads as it is told to. */
class ToldStore extends MemoryStateStore {
  before: () => Promise<void> = async () => {};

  override async read(): Promise<ReadOutcome> {
    await this.before();
    return super.read();
  }
}

/** Lets no read of the store end before its release. */
function holdReads(store: ToldStore) {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const hold = { entered: entered.promise, release: gate.resolve, reads: 0 };
  store.before = async () => {
    hold.reads++;
    entered.resolve();
    await gate.promise;
  };
  return hold;
}

test("a load that breaks is told, ends nothing, and the next one is made", async () => {
  const store = new ToldStore();
  const server = await start(lab(), store);
  store.before = async () => {
    throw new Error("the store is on fire");
  };
  const told = Promise.withResolvers<unknown>();
  log.error = told.resolve;
  server.reload();
  expect(await told.promise).toEqual(new Error("the store is on fire"));
  log.error = keepLine;
  store.before = async () => {};
  writeFileSync(config, lab({ ttl: 30 }));
  const event = await eventAfter(server, "reload", server.reload);
  expect(event).toMatchObject({ kind: "reload", outcome: "done" });
});

test("many reloads during one come to one more", async () => {
  const store = new ToldStore();
  const server = await start(lab(), store);
  const hold = holdReads(store);
  server.reload();
  await hold.entered;
  for (let i = 0; i < 10; i++) server.reload();
  await eventAfter(server, "reload", hold.release);
  await eventAfter(server, "reload", () => {});
  await server.control.reload();
  expect(hold.reads).toBe(3);
});

test("the end waits for a load under way, and no more is loaded", async () => {
  const store = new ToldStore();
  const server = await start(lab(), store);
  const hold = holdReads(store);
  server.reload();
  await hold.entered;
  server.reload();
  const closed = server.close();
  server.reload();
  hold.release();
  await closed;
  server.reload();
  expect(hold.reads).toBe(1);
});

test("what another server writes to the same store counts; what this one writes loads nothing anew", async () => {
  const server = await start(lab(), new FileStateStore(folder.file));
  const set = { reason: undefined, forSeconds: undefined } as const;
  const reloaded = eventAfter(server, "reload", () => {});
  for (const state of ["down", "draining", "up"] as const) {
    const outcome = await server.control.setDatacenter({ ...set, target: "dub", state });
    expect(outcome.kind).toBe("done");
  }
  const request = { target: "lhr", state: "down", reason: "by another", until: undefined } as const;
  await new FileStateStore(folder.file).write({
    operations: withOverride(noOperations, request, Date.now()),
  });
  expect(await reloaded).toMatchObject({ outcome: "done", lines: [] });
  expect(server.control.overrides()).toMatchObject([{ target: "lhr", reason: "by another" }]);
  expect(await server.control.setDatacenter({ ...set, target: "dub", state: "down" })).toMatchObject({
    kind: "done",
    value: { number: 2 },
  });
});

test("a reload keeps what probes have found so far", async () => {
  let probes = 0;
  const probed = createServer((_, response) => {
    probes++;
    response.writeHead(503).end();
  });
  probed.listen(0, "127.0.0.1");
  await once(probed, "listening");
  const bound = probed.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  try {
    const text = lab({
      lhr: `, probe: "http://127.0.0.1:${port}/"`,
      health: "health: { everySeconds: 600, timeoutSeconds: 5, up: 2, down: 2 }",
    });
    const server = await start(text, new MemoryStateStore());
    await server.control.setClock({ speed: 0 });
    await server.control.setClock({ stepSeconds: 600 });
    await server.control.reload();
    await server.control.setClock({ stepSeconds: 600 });
    expect(probes).toBe(2);
    expect(server.control.datacenters()[0]).toMatchObject({ id: "Lab/lhr", state: "down" });
  } finally {
    probed.closeAllConnections();
    probed.close();
  }
});
