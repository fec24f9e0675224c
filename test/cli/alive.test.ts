// A server in a process of its own while datacenters go dark, files change and signals come: what is asked is answered, what
// was acknowledged holds, and the answers, `explain`, the journal and the metrics tell the same.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ControlEvent } from "../../src/admin/control.ts";
import { framed, MessageBuffer } from "../../src/transport/framing.ts";
import { type Folder, makeFolder } from "../state/lab.ts";
import { type Lab, lab, london, question, startLab } from "./alive-lab.ts";
import { call, run, startCommand } from "./program.ts";

vi.setConfig({ testTimeout: 60_000 });

const defaultConfig = resolve(import.meta.dirname, "../../config/geodns365.yaml");

let folder: Folder;
let config: string;
let running: Lab[] = [];
beforeEach(() => {
  folder = makeFolder();
  config = join(folder.path, "lab.yaml");
});
afterEach(async () => {
  for (const server of running) await server.stop("SIGKILL");
  running = [];
  folder.remove();
});

async function start(text: string | undefined): Promise<Lab> {
  if (text !== undefined) writeFileSync(config, text);
  const server = await startLab(
    "--config",
    text === undefined ? defaultConfig : config,
    "--state",
    folder.file,
  );
  running.push(server);
  return server;
}

/** What a name leads to, without TTLs. */
const addressOf = async (server: Lab, name: string): Promise<string | undefined> =>
  (await server.answer(name)).at(-1)?.replace(/.* A /, "");

/** Events of some kinds, from the moment this settles. */
async function follow(
  { client }: Lab,
  kinds: readonly ControlEvent["kind"][],
): Promise<{ next(): Promise<ControlEvent>; end(): void }> {
  const stop = new AbortController();
  const opened = Promise.withResolvers<void>();
  const events = client.events(kinds, opened.resolve, stop.signal);
  let first: Promise<IteratorResult<ControlEvent, void>> | undefined = events.next();
  await opened.promise;
  return {
    next: async () => {
      const { value } = await (first ?? events.next());
      first = undefined;
      if (value === undefined) throw new Error("the events have ended");
      return value;
    },
    end: () => {
      first?.catch(() => {});
      stop.abort();
    },
  };
}

const metric = async ({ adminUrl }: Lab, line: string): Promise<string | undefined> => {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return text
    .split("\n")
    .find((each) => each.startsWith(`${line} `))
    ?.slice(line.length + 1);
};

test("London goes down by one command while queries come: none is lost, and the next one is answered by it", async () => {
  const server = await start(undefined);
  const name = "outlook.office365.com.";
  const answers: { readonly isAfter: boolean; readonly front: string | undefined }[] = [];
  let isDown = false;
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const isAfter = isDown;
      const records = await server.answer(name, london);
      answers.push({ isAfter, front: /CNAME (\w+)-efz/.exec(records.join())?.[1] });
    }
  })();
  await server.answer(name, london);
  const { code, stdout } = await server.tell("datacenter", "set", "lhr", "down", "--reason", "a drill");
  isDown = true;
  expect([code, stdout]).toEqual([0, "override 1: Worldwide/lhr is down until it is removed (a drill)\n"]);
  for (let i = 0; i < 20; i++) await server.answer(name, london);
  isOver = true;
  await asking;
  const fronts = answers.map(({ front }) => front);
  const change = fronts.indexOf("CDG");
  expect(fronts).toEqual(fronts.map((_, i) => (i < change ? "LHR" : "CDG")));
  expect(change).toBeGreaterThan(0);
  expect(answers.filter(({ isAfter, front }) => isAfter && front !== "CDG")).toEqual([]);

  const asked = { name, type: "A", from: "london-office" };
  const { decision } = await server.client.ask("explain", { query: asked });
  expect(decision).toMatchObject({
    datacenter: "Worldwide/cdg",
    reason: "next-nearest",
    candidates: [
      { id: "Worldwide/lhr", state: "down", chosen: false },
      { id: "Worldwide/cdg", state: "up", chosen: true },
    ]
      .map((each) => expect.objectContaining(each))
      .concat(Array(20).fill(expect.anything())),
  });
  // What would be is told by the server's own states, which stay as they are; and so by the command.
  const supposed = await server.client.ask("explain", { query: { ...asked, with: "cdg=down,lhr=draining" } });
  expect(supposed).toMatchObject({
    decision: { datacenter: "Worldwide/ams", reason: "next-nearest" },
    supposed: {
      with: ["cdg=down", "lhr=draining"],
      datacenters: [
        { id: "Worldwide/lhr", before: "down", state: "draining" },
        { id: "Worldwide/cdg", before: "up", state: "down" },
      ],
    },
  });
  const explained = await server.tell("explain", name, "--from", "london-office", "--with", "lhr=up");
  expect(explained.stdout).toMatch(/^ {3}Worldwide\/lhr \(London\): it is the nearest, and up\.$/m);
  expect((await server.client.ask("explain", { query: asked })).decision?.datacenter).toBe("Worldwide/cdg");
  await expect(server.client.ask("explain", { query: { ...asked, with: "lrh=down" } })).rejects.toThrow(
    '"lrh" means no datacenter; did you mean "lhr"?',
  );
  const { located } = await server.client.ask("locate", { query: { address: "london-office" } });
  expect(located.map(({ prefix, parts: [first] }) => [prefix, first?.place.city])).toEqual([
    ["10.1.0.0/16", "London"],
    ["2001:db8:1::/48", "London"],
  ]);
  const { entries } = await server.client.ask("journal", { query: { datacenter: "cdg", limit: 1000 } });
  // The queries of this test beside the loop are in the journal too.
  expect(entries.length).toBe(answers.filter(({ front }) => front === "CDG").length + 20);
  const byDatacenter = (id: string, reason: string): string =>
    `geodns365_choices_total{cloud="Worldwide",service="exchange",policy="nearest-datacenter",datacenter="${id}",reason="${reason}"}`;
  expect(await metric(server, byDatacenter("Worldwide/cdg", "next-nearest"))).toBe(String(entries.length));
  expect(await metric(server, 'geodns365_datacenter_state{datacenter="Worldwide/lhr",state="down"}')).toBe(
    "1",
  );
  expect(await metric(server, "geodns365_overrides")).toBe("1");
  expect(await metric(server, "geodns365_faults_total")).toBe("0");

  expect((await server.tell("override", "remove", "1")).code).toBe(0);
  expect((await server.answer(name, london)).join()).toContain("LHR-efz");
  expect((await server.stop()).code).toBe(0);
});

test("kill -9 and start: London is still down, and a tenant that failed over is on its standby", async () => {
  const first = await start(lab());
  expect(await addressOf(first, "contoso.shop.example.")).toBe("198.18.1.17");
  await first.tell("datacenter", "set", "lhr", "down", "--reason", "a drill");
  await first.tell("datacenter", "set", "dub", "draining");
  await first.stop("SIGKILL");
  const second = await start(undefinedText());
  await second.logged("datacenter Lab/lhr is down by override 1: a drill");
  expect(await addressOf(second, "www.shop.example.")).toBe("198.18.2.1");
  await second.tell("override", "remove", "1");
  await second.stop("SIGKILL");
  const third = await start(undefinedText());
  expect(await addressOf(third, "www.shop.example.")).toBe("198.18.1.1");
  expect(await addressOf(third, "contoso.shop.example.")).toBe("198.18.2.17");
  const query = { name: "contoso.shop.example", type: "A", from: "192.0.2.0/24" };
  expect((await third.client.ask("explain", { query })).decision).toMatchObject({
    datacenter: "Lab/dub",
    reason: "standby",
    tenant: { active: "Lab/lhr", standby: "Lab/dub", standbyState: "draining" },
  });
  expect(await third.client.ask("showTenant", { params: { label: "contoso" } })).toMatchObject({
    servedBy: "Lab/dub",
    by: "failover",
  });
  // What is read from the files alone says the same as the server.
  const offline = [
    "contoso.shop.example",
    "--from",
    "192.0.2.0/24",
    "--config",
    config,
    "--state",
    folder.file,
  ];
  const { stdout } = await call(["explain", ...offline, "--json"]);
  expect(JSON.parse(stdout).decision).toMatchObject({ datacenter: "Lab/dub", reason: "standby" });
  const zone = await call(["zone", "shop.example", "--config", config, "--state", folder.file]);
  expect(zone.stdout).toMatch(/^contoso\.shop\.example\.\s.* A 198\.18\.2\.17 ; standby$/m);
});

/** The file as it is. */
const undefinedText = (): string => readFileSync(config, "utf8");

test("an admin port that is taken is one line and exit code 1, and nothing goes on", async () => {
  const server = await start(lab());
  const admin = server.adminUrl.replace("http://", "");
  const { code, stdout, stderr } = await run([
    "serve",
    "--config",
    config,
    "--listen",
    "127.0.0.1:0",
    "--state",
    "none",
    "--admin",
    admin,
  ]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(
    `cannot serve the admin API on ${admin}: another program uses the port; stop it, or choose another with --admin`,
  );
});

describe("a file that is saved", () => {
  const changes = ["zone shop.example. has changed", "service Lab/web has changed"];

  test("with a mistake changes nothing but the log, the status and a metric; mended it counts by itself", async () => {
    const server = await start(lab());
    const events = await follow(server, ["reload"]);
    const bad = lab().replace("policy: nearest-datacenter", "policy: nearest");
    writeFileSync(config, bad);
    expect(await events.next()).toMatchObject({ kind: "reload", outcome: "errors" });
    const { stderr } = await call(["check", "--config", config]);
    const { lastReloadErrors } = await server.client.ask("snapshot");
    expect(lastReloadErrors?.length).toBeGreaterThan(0);
    for (const error of lastReloadErrors ?? []) {
      expect(stderr).toContain(error);
      expect(server.log()).toContain(JSON.stringify(error).slice(1, -1));
    }
    expect(await addressOf(server, "www.shop.example.")).toBe("198.18.1.1");
    expect(await metric(server, 'geodns365_reloads_total{outcome="errors"}')).toBe("1");
    // A half written file, and then the whole: once more an error, or none at all.
    writeFileSync(config, lab({ ttl: 30 }));
    let event = await events.next();
    while (event.kind === "reload" && event.outcome === "errors") event = await events.next();
    expect(event).toMatchObject({ outcome: "done", lines: changes });
    expect(await server.answer("www.shop.example.")).toEqual(["www.shop.example. 30 A 198.18.1.1"]);
    expect((await server.client.ask("snapshot")).lastReloadErrors).toBeUndefined();
    events.end();
  });

  test.each<[habit: string, save: (text: string) => void]>([
    ["in place", (text) => writeFileSync(config, text)],
    [
      "to a temporary file that takes its name",
      (text) => {
        writeFileSync(`${config}~`, text);
        renameSync(`${config}~`, config);
      },
    ],
    [
      "beside the old one, which is renamed first",
      (text) => {
        renameSync(config, `${config}.bak`);
        writeFileSync(config, text);
      },
    ],
    [
      "in two steps, half of it first",
      (text) => {
        writeFileSync(config, text.slice(0, text.length / 2));
        writeFileSync(config, text.slice(text.length / 2), { flag: "a" });
      },
    ],
  ])("%s is loaded, once", async (_, save) => {
    const server = await start(lab());
    const events = await follow(server, ["reload"]);
    save(lab({ ttl: 30 }));
    expect(await events.next()).toMatchObject({ outcome: "done", lines: changes });
    expect(await server.answer("www.shop.example.")).toEqual(["www.shop.example. 30 A 198.18.1.1"]);
    events.end();
  });

  test("is loaded where it is a master file or a table of latencies too", async () => {
    const master = join(folder.path, "plain.zone");
    const zone = (address: string): string =>
      `$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 604800 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A ${address}\n`;
    writeFileSync(master, zone("192.0.2.1"));
    const latencies = join(folder.path, "latency.csv");
    const measured = (dublin: number): string => `kind,from,lhr,dub\nnetwork,hq,20,${dublin}\n`;
    writeFileSync(latencies, measured(40));
    const text = lab()
      .replace("cloud: Lab", "cloud: Lab\nnearness: { latency: latency.csv }")
      .concat("---\nzones: [{ zone: plain.example, file: plain.zone }]\n---\nnetworks:\n")
      .concat(
        "  hq: { prefixes: [192.0.2.0/24], place: { city: London, country: GB, coordinates: [51.5, -0.1] } }\n",
      );
    const server = await start(text);
    const events = await follow(server, ["reload"]);
    expect(await addressOf(server, "www.plain.example.")).toBe("192.0.2.1");
    writeFileSync(master, zone("192.0.2.2"));
    expect(await events.next()).toMatchObject({ outcome: "done" });
    expect(await addressOf(server, "www.plain.example.")).toBe("192.0.2.2");
    writeFileSync(latencies, measured(10));
    expect(await events.next()).toMatchObject({ outcome: "done" });
    const query = { name: "www.shop.example", type: "A", from: "hq" };
    expect((await server.client.ask("explain", { query })).decision).toMatchObject({ datacenter: "Lab/dub" });
    events.end();
  });
});

describe("SIGTERM leaves no query unanswered that came before it", () => {
  const tcpQueries = 3000;
  const connections = 4;
  const queries = Buffer.concat(
    Array.from({ length: tcpQueries }, (_, id) => framed(question("www.shop.example.", undefined, id))),
  );

  /** Writes all queries on a connection; `answered` is how many answers came until it was closed. */
  async function pipeline(port: number): Promise<{ readonly answered: Promise<number> }> {
    const socket = connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    const input = new MessageBuffer();
    let count = 0;
    socket.on("data", (chunk) => {
      input.push(chunk);
      while (input.take() !== undefined) count++;
    });
    const answered = once(socket, "close").then(() => count);
    // In two pieces, the first of which ends within a query.
    for (const piece of [queries.subarray(0, 1001), queries.subarray(1001)]) {
      await new Promise<void>((done) => socket.write(piece, () => done()));
    }
    return { answered };
  }

  const portOf = ({ address }: Lab): number => Number(address.split(":")[1]);

  async function expectDownAfterwards(): Promise<void> {
    const again = await start(undefinedText());
    expect(await addressOf(again, "www.shop.example.")).toBe("198.18.2.1");
  }

  test("over TCP, pipelined", async () => {
    const server = await start(lab());
    await server.tell("datacenter", "set", "lhr", "down");
    const sent = await Promise.all(Array.from({ length: connections }, () => pipeline(portOf(server))));
    const stopped = server.stop();
    const counts = await Promise.all(sent.map(({ answered }) => answered));
    expect(counts).toEqual(counts.map(() => tcpQueries));
    expect((await stopped).code).toBe(0);
    await expectDownAfterwards();
  });

  test("nor one that waits in the kernel: datagrams, and connections that are not accepted yet", async () => {
    const server = await start(lab());
    await server.tell("datacenter", "set", "lhr", "down");
    const datagrams = 200;
    const socket = createSocket("udp4");
    socket.connect(portOf(server), "127.0.0.1");
    await once(socket, "connect");
    const ids = new Set<number>();
    socket.on("message", (message) => ids.add(message.readUInt16BE(0)));
    process.kill(server.pid, "SIGSTOP");
    for (let id = 0; id < datagrams; id++) {
      const query = question("www.shop.example.", undefined, id);
      await new Promise<void>((done) => socket.send(query, () => done()));
    }
    const sent = await Promise.all(Array.from({ length: connections }, () => pipeline(portOf(server))));
    process.kill(server.pid, "SIGTERM");
    process.kill(server.pid, "SIGCONT");
    const counts = await Promise.all(sent.map(({ answered }) => answered));
    expect(counts).toEqual(counts.map(() => tcpQueries));
    expect((await server.ended()).code).toBe(0);
    // What has come to this socket is told in the turns to come.
    for (let turn = 0; turn < 100 && ids.size < datagrams; turn++) await setImmediate();
    expect(ids.size).toBe(datagrams);
    socket.close();
    await expectDownAfterwards();
  });
});

describe("the clock", () => {
  test("ends an override in one step, which is told", async () => {
    const server = await start(lab());
    await server.client.ask("setClock", { body: { speed: 0 } });
    await server.tell("datacenter", "set", "lhr", "down", "--for", "10m");
    const events = await follow(server, ["datacenter", "override-ended"]);
    await server.client.ask("setClock", { body: { stepSeconds: 599 } });
    expect(await addressOf(server, "www.shop.example.")).toBe("198.18.2.1");
    await server.client.ask("setClock", { body: { stepSeconds: 1 } });
    expect(await addressOf(server, "www.shop.example.")).toBe("198.18.1.1");
    expect(await events.next()).toMatchObject({ kind: "override-ended", override: { target: "lhr" } });
    expect(await events.next()).toMatchObject({ before: "down", datacenter: { id: "Lab/lhr", state: "up" } });
    events.end();
  });

  test("drives probes: a datacenter goes down after so many, TTLs follow, and an override beats them", async () => {
    let status = 200;
    let probes = 0;
    const probed = createServer((_, response) => {
      probes++;
      response.writeHead(status).end();
    });
    probed.listen(0, "127.0.0.1");
    await once(probed, "listening");
    const bound = probed.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    try {
      const server = await start(
        lab({
          lhr: `, probe: "http://127.0.0.1:${port}/healthz"`,
          health:
            "health: { everySeconds: 600, timeoutSeconds: 5, up: 2, down: 3, ttl: { min: 5, max: 3600 } }",
          ttl: 60,
        }),
      );
      const step = (): Promise<unknown> => server.client.ask("setClock", { body: { stepSeconds: 600 } });
      const london = async () => (await server.client.ask("listDatacenters")).datacenters[0];
      const ttl = async (): Promise<number> =>
        Number((await server.answer("www.shop.example."))[0]?.split(" ")[1]);
      await server.client.ask("setClock", { body: { speed: 0 } });
      await step();
      expect(probes).toBe(1);
      const long = await ttl();
      expect(long).toBeGreaterThan(1200);
      status = 503;
      await step();
      await step();
      expect([probes, (await london())?.state]).toEqual([3, "up"]);
      expect(await ttl()).toBe(long - 1200);
      await step();
      expect(probes).toBe(4);
      expect(await london()).toMatchObject({
        state: "down",
        health: { state: "down", reason: "status 503" },
      });
      expect(await addressOf(server, "www.shop.example.")).toBe("198.18.2.1");
      expect(await metric(server, 'geodns365_datacenter_healthy{datacenter="Lab/lhr"}')).toBe("0");
      await server.tell("datacenter", "set", "lhr", "up", "--reason", "no matter");
      expect(await london()).toMatchObject({
        state: "up",
        health: { state: "down" },
        override: { state: "up", reason: "no matter" },
      });
      expect(await addressOf(server, "www.shop.example.")).toBe("198.18.1.1");
    } finally {
      probed.closeAllConnections();
      probed.close();
    }
  });
});

test("a query that is waited for comes, and the journal finds it by what it was", async () => {
  const server = await start(lab());
  const waiting = fetch(
    `${server.adminUrl}/v1/journal/wait?name=www.shop.example&subnet=10.1.0.0/16&timeout=60`,
  );
  // Asked again until it is there: whether the server already waits at the first one nobody can tell.
  let isThere = false;
  const seen = waiting.then((response) => {
    isThere = true;
    return response.json();
  });
  while (!isThere) await server.answer("www.shop.example.", london);
  expect(await seen).toMatchObject({
    qname: "www.shop.example.",
    clientSubnet: expect.stringContaining("10.1.0.0/24"),
    datacenter: "Lab/lhr",
  });
  await server.answer("contoso.shop.example.");
  const lines = async (filter: string): Promise<readonly { qname: string; datacenter?: string }[]> => {
    const response = await fetch(`${server.adminUrl}/v1/journal?${filter}&format=jsonl`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    return (await response.text())
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  };
  expect(new Set((await lines("subnet=10.1.0.0/16")).map(({ qname }) => qname))).toEqual(
    new Set(["www.shop.example."]),
  );
  expect((await lines("subnet=127.0.0.0/8")).map(({ qname }) => qname)).toEqual(["contoso.shop.example."]);
  expect((await lines("datacenter=lhr&limit=1")).map(({ qname }) => qname)).toEqual([
    "contoso.shop.example.",
  ]);
  expect(await lines("datacenter=dub")).toEqual([]);
});

test("watch tells an outage, a line for each thing that happens", async () => {
  const server = await start(lab());
  const watching = startCommand(["watch", "--admin", server.adminUrl]);
  await watching.printed("watching; Ctrl-C ends it");
  await server.tell("datacenter", "set", "lhr", "down", "--reason", "a flood");
  await watching.printed("tenant contoso");
  await server.answer("www.shop.example.");
  await watching.printed("www.shop.example.");
  const { code, stdout } = await watching.stop();
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "datacenter Lab/lhr was up and is down (a flood)",
    "tenant contoso is served by Lab/dub (failover, Lab/lhr is down)",
    expect.stringContaining("www.shop.example."),
    "",
  ]);
});
