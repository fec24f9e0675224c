/** Worker threads behind real sockets: which addresses answer, what is handed over and comes back, and the end. */

import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { answer } from "../../src/answer.ts";
import { AnswerCache } from "../../src/answer-cache.ts";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import type { Endpoint } from "../../src/ip.ts";
import { Plane, type PlaneOptions } from "../../src/plane/plane.ts";
import type { Published } from "../../src/plane/published.ts";
import { startServer } from "../../src/server.ts";
import type { Source } from "../../src/trace.ts";
import { machineAddresses } from "../../src/transport/addresses.ts";
import type { Listener } from "../../src/transport/listener.ts";
import { prefix } from "../geo/prefixes.ts";
import { openClient } from "./client.ts";
import { snapshotOf } from "./queries.ts";
import { batched, threadWays } from "./ways.ts";

const lab = snapshotOf("../../config/geodns365.yaml");
const here: Endpoint = { address: "127.0.0.1", family: 4, port: 0 };
const loopback6: Endpoint = { address: "::1", family: 6, port: 0 };

const query = renderQuery(
  { qname: nameOctets(nameOf("outlook.office365.com.")), qtype: TYPE.A, qclass: CLASS.IN },
  {
    id: 7,
    recursionDesired: false,
    edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix("10.1.0.0/24") },
  },
);
const source: Source = {
  address: { family: 4, octets: Uint8Array.of(127, 0, 0, 1) },
  port: 5353,
  transport: "udp",
};
const known = answer(lab, query, source, 0);
if (known.kind !== "answered") throw new Error("a handler is asked");
const response = Buffer.from(known.octets ?? []);

/** What threads know from the start: the answer to the query. */
function publishedLab(): Published {
  const cache = new AnswerCache(lab, {
    listeners: Array.from({ length: 20 }, () => ({ vantage: undefined, ignoresClientSubnet: false })),
  });
  if (known.kind === "answered") cache.keep(query, known);
  return cache.publish(1);
}

let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
});

interface Started {
  readonly plane: Plane;
  readonly listeners: readonly Listener[];
  readonly faults: unknown[];
}

/** What worker threads do not know comes back as it is. */
const echo: PlaneOptions["respond"] = (_listener, message) => message;

async function start(
  settings: Pick<PlaneOptions, "transport" | "workers" | "addCounts" | "records">,
  at: readonly Endpoint[],
  { respond = echo, published = publishedLab() }: Partial<Pick<PlaneOptions, "respond" | "published">> = {},
): Promise<Started> {
  const faults: unknown[] = [];
  const plane = await Plane.open({
    ...settings,
    limits: lab.configuration.settings.tcp,
    published,
    respond,
    onFault: (error) => faults.push(error),
  });
  let isClosed = false;
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await Promise.all(listeners.map((listener) => listener.close()));
    await plane.close();
  };
  cleanUp.push(close);
  for (const [i, endpoint] of at.entries()) listeners.push(await plane.listenUdp(endpoint, i));
  await plane.begin();
  return { plane, listeners, faults };
}

const typeOf = ({ family }: Endpoint): "udp4" | "udp6" => (family === 4 ? "udp4" : "udp6");

describe.each(threadWays)("$way", ({ plane: settings }) => {
  if (settings === undefined) return;
  const isBatched = settings.transport.kind === "batched";

  it("hands over datagrams of every length, and sends back what is made of them", async () => {
    const { listeners, faults } = await start(settings, [here, loopback6], {
      respond: (_listener, message) => (message.length === 0 ? Buffer.from("empty") : message),
    });
    for (const [i, at] of [here, loopback6].entries()) {
      const client = createSocket(typeOf(at));
      cleanUp.push(() => void client.close());
      client.connect(listeners[i]?.port ?? 0, at.address);
      await once(client, "connect");
      for (const length of [0, 1, 11, 12, 512, 4096, at.family === 4 ? 65_507 : 65_527]) {
        const message = Buffer.alloc(length).map((_, k) => (k * 31 + length) & 0xff);
        // Not a query that is known: QR is set.
        if (length > 2) message[2] = 0x80;
        client.send(message);
        const [reply]: unknown[] = await once(client, "message");
        expect(reply).toEqual(length === 0 ? Buffer.from("empty") : message);
      }
    }
    expect(faults).toEqual([]);
  });

  it("tells the main thread at which listener, and by whom, it was asked", async () => {
    const seen: object[] = [];
    const { listeners } = await start(settings, [here, { ...here, address: "127.0.0.2" }, loopback6], {
      respond: (listener, message, { address, port, transport }) => {
        seen.push({ listener, address: [...address.octets].join(" "), port, transport });
        return message;
      },
    });
    const ports: number[] = [];
    for (const [i, at] of [here, { ...here, address: "127.0.0.2" }, loopback6].entries()) {
      const client = createSocket(typeOf(at));
      cleanUp.push(() => void client.close());
      client.bind(0, at.family === 4 ? "127.0.0.3" : "::1");
      await once(client, "listening");
      ports.push(client.address().port);
      client.send("x", listeners[i]?.port ?? 0, at.address);
      const [, from]: unknown[] = await once(client, "message");
      expect(from).toMatchObject({ address: at.address, port: listeners[i]?.port });
    }
    const one = "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1";
    expect(seen).toEqual([
      { listener: 0, address: "127 0 0 3", port: ports[0], transport: "udp" },
      { listener: 1, address: "127 0 0 3", port: ports[1], transport: "udp" },
      { listener: 2, address: one, port: ports[2], transport: "udp" },
    ]);
  });

  it("answers by itself what is published", async () => {
    const { listeners, faults } = await start(settings, [here], {
      respond: () => {
        throw new Error("the main thread is asked");
      },
    });
    const client = await openClient("udp", listeners[0]?.port ?? 0);
    cleanUp.push(() => client.close());
    const replies = await client.askAll(Array.from({ length: 500 }, () => query));
    expect(replies.filter((reply) => !reply.equals(response))).toEqual([]);
    expect(faults).toEqual([]);
  });

  it("answers many clients at many listeners, each from the one it asked", async () => {
    const at = Array.from({ length: 12 }, (_, i) => ({ ...here, address: `127.0.1.${i + 1}` }));
    const { listeners, faults } = await start(settings, at);
    await Promise.all(
      listeners.flatMap(({ port }, i) =>
        Array.from({ length: 8 }, async (_, k) => {
          const client = await openClient("udp", port, at[i]?.address);
          const unknown = Buffer.from(query).fill(0x80, 2, 3);
          const replies = await client.askAll([query, unknown, query, unknown]);
          expect(
            replies.map((reply) => reply.equals(response)),
            `${i} ${k}`,
          ).toEqual([true, false, true, false]);
          client.close();
        }),
      ),
    );
    expect(faults).toEqual([]);
  });

  it("says that a port is taken, whoever has it, and leaves it free in the end", async () => {
    const { listeners, plane } = await start(settings, [here]);
    const taken = { ...here, port: listeners[0]?.port ?? 0 };
    for (const other of threadWays) {
      if (other.plane === undefined) continue;
      await expect(start(other.plane, [taken]), other.way).rejects.toMatchObject({ code: "EADDRINUSE" });
    }
    await Promise.all(listeners.map((listener) => listener.close()));
    await plane.close();
    const next = await start(settings, [taken]);
    expect(next.listeners[0]?.port).toBe(taken.port);
  });

  describe.each([
    { address: "127.0.0.1", family: 4, target: "127.0.0.1" },
    { address: "::1", family: 6, target: "::1" },
    ...(isBatched
      ? ([
          { address: "0.0.0.0", family: 4, target: "127.0.0.1" },
          { address: "::", family: 6, target: "::1" },
        ] as const)
      : []),
  ] as const)("the close of $address", ({ target, ...at }) => {
    it("answers all that has come, whoever answers it", async () => {
      const { listeners, faults } = await start(settings, [{ ...at, port: 0 }]);
      const replies = new Map<string, Set<number>>();
      const clients = await Promise.all(
        Array.from({ length: 6 }, async (_, i) => {
          // What it has not read yet is not to be lost on its side.
          const client = createSocket({ type: typeOf({ ...at, port: 0 }), recvBufferSize: 4 << 20 });
          cleanUp.push(() => void client.close());
          client.connect(listeners[0]?.port ?? 0, target);
          await once(client, "connect");
          const ids = new Set<number>();
          replies.set(`client ${i}`, ids);
          client.on("message", (reply) => ids.add(reply.readUInt16BE(0)));
          client.on("error", () => {});
          return client;
        }),
      );
      const count = 300;
      for (let id = 0; id < count; id++) {
        for (const client of clients) {
          const message = Buffer.from(query);
          message.writeUInt16BE(id, 0);
          if (id % 3 === 0) message[2] = 0x80;
          client.send(message);
        }
      }
      await Promise.all(listeners.map((listener) => listener.close()));
      const missing = (): number => [...replies.values()].reduce((sum, ids) => sum + count - ids.size, 0);
      for (let turn = 0; turn < 200 && missing() > 0; turn++) await setImmediate();
      expect(missing()).toBe(0);
      expect(faults).toEqual([]);
    });
  });

  it("comes to its end while clients ask on for each answer, and may be ended twice", async () => {
    const { listeners, plane } = await start(settings, [here]);
    const clients = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const client = createSocket("udp4");
        cleanUp.push(() => void client.close());
        client.connect(listeners[0]?.port ?? 0, "127.0.0.1");
        await once(client, "connect");
        client.on("error", () => {}); // refused, from the close on
        client.on("message", () => client.send(query));
        for (let i = 0; i < 50; i++) client.send(i % 2 === 0 ? query : "unknown");
        return client;
      }),
    );
    await Promise.all(clients.map((client) => once(client, "message")));
    await Promise.all([...listeners, ...listeners].map((listener) => listener.close()));
    await Promise.all([plane.close(), plane.close()]);
  });

  it("waits for answers that are under way, and sends them from the socket that was asked", async () => {
    let release = (): void => {};
    const { listeners } = await start(settings, [here], {
      respond: (_listener, message) =>
        String(message) === "slow"
          ? new Promise((resolve) => {
              release = () => resolve(message);
            })
          : message,
    });
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    client.connect(listeners[0]?.port ?? 0, "127.0.0.1");
    await once(client, "connect");
    client.send("slow");
    client.send("fast");
    const [first]: unknown[] = await once(client, "message");
    expect(String(first)).toBe("fast");
    let isClosed = false;
    const closed = Promise.all(listeners.map((listener) => listener.close())).then(() => {
      isClosed = true;
    });
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(isClosed).toBe(false);
    release();
    const [second]: unknown[] = await once(client, "message");
    expect(String(second)).toBe("slow");
    await closed;
  });

  it("leaves a query to the main thread where its tables are missing, and tells it", async () => {
    const { listeners, faults } = await start(settings, [here], {
      published: { ...publishedLab(), deciders: [] },
    });
    const client = await openClient("udp", listeners[0]?.port ?? 0);
    cleanUp.push(() => client.close());
    const replies = await client.askAll([query, query, query]);
    expect(replies.map((reply) => reply.equals(query))).toEqual([true, true, true]);
    expect(faults.map(String)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining("has no table")),
    );
  });

  it("answers though it cannot count, and tells it", async () => {
    const published = publishedLab();
    const { locations } = published;
    // An IPv6 table for IPv4 ends in octets that are not there.
    const broken = { ...locations, kinds: locations.kinds, family4: undefined, family6: undefined };
    const { listeners, faults } = await start(settings, [here], {
      // What is posted has no types that hold it.
      published: Object.assign({}, published, { locations: broken }),
    });
    const client = await openClient("udp", listeners[0]?.port ?? 0);
    cleanUp.push(() => client.close());
    for (let i = 0; i < 3; i++) {
      const [reply] = await client.askAll([query]);
      expect(reply?.equals(response)).toBe(true);
    }
    for (const listener of listeners) await listener.close();
    expect(faults.length).toBe(3);
  });
});

describe.runIf(batched !== undefined)("a wildcard of batched workers", () => {
  const settings = threadWays.find(({ way }) => way.includes("3 workers"))?.plane;
  const any = { address: "0.0.0.0", family: 4, port: 0 } as const;
  const any6 = { address: "::", family: 6, port: 0 } as const;

  it.each([
    ...["127.0.0.2", ...machineAddresses(4)].map((address) => ({ address, family: 4 }) as const),
    ...machineAddresses(6).map((address) => ({ address, family: 6 }) as const),
  ])("answers from $address where that was asked, known or handed over", async ({ address, family }) => {
    if (settings === undefined) throw new Error("there is no way with 3 workers");
    const at = family === 4 ? any : any6;
    const { listeners, faults } = await start(settings, [at]);
    const client = createSocket(typeOf(at));
    cleanUp.push(() => void client.close());
    // An address that the route to the asker would not prefer, where there is one.
    client.bind(0, family === 4 ? "127.0.0.1" : address);
    await once(client, "listening");
    for (const message of [query, Buffer.from("handed over")]) {
      client.send(message, listeners[0]?.port ?? 0, address);
      const [reply, from]: unknown[] = await once(client, "message");
      expect(reply).toEqual(message === query ? response : message);
      expect(from).toMatchObject({ address, port: listeners[0]?.port });
    }
    expect(faults).toEqual([]);
  });
});

/** Sends a datagram from port 0, which no socket but a raw one can. */
const RAW = `
import socket, struct, sys
port = int(sys.argv[1])
payload = bytes.fromhex(sys.argv[2])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.sendto(struct.pack("!HHHH", 0, port, 8 + len(payload), 0) + payload, ("127.0.0.1", 0))
`;
const python = spawnSync("python3", ["--version"]);
const mayBeRaw = process.getuid?.() === 0 && python.status === 0;

it.runIf(mayBeRaw).each(threadWays)("nobody is answered at port 0, $way", async ({ plane: settings }) => {
  if (settings === undefined) return;
  const ports: number[] = [];
  const { listeners, faults } = await start(settings, [here], {
    respond: (_listener, message, { port }) => {
      ports.push(port);
      return message;
    },
  });
  const port = listeners[0]?.port ?? 0;
  for (const message of [query, Buffer.from("unknown")]) {
    const sent = spawnSync("python3", ["-c", RAW, String(port), Buffer.from(message).toString("hex")]);
    expect(String(sent.stderr)).toBe("");
  }
  for (let i = 0; i < 8; i++) {
    const client = await openClient("udp", port);
    await client.askAll([Buffer.from("still there")]);
    client.close();
  }
  expect(ports).not.toContain(0);
  expect(faults).toEqual([]);
});

/** Sockets and counters that are open. */
const openSockets = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /^(socket|anon_inode:\[eventfd)/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;
const threads = (): number => readdirSync("/proc/self/task").length;

it.runIf(process.platform === "linux").each(threadWays)(
  "a start that fails leaves nothing open, $way",
  { timeout: 30_000 },
  async ({ plane: settings }) => {
    if (settings === undefined) return;
    const other = createSocket("udp4");
    cleanUp.push(() => void other.close());
    other.bind(0, "127.0.0.1");
    await once(other, "listening");
    const attempt = (): Promise<unknown> =>
      startServer(lab, {
        listen: [here, loopback6, { ...here, port: other.address().port }],
        plane: settings,
      });
    // What Node itself opens at the first use.
    await expect(attempt()).rejects.toThrow("another program uses the port");
    const [socketsBefore, threadsBefore] = [openSockets(), threads()];
    for (let i = 0; i < 4; i++) await expect(attempt()).rejects.toThrow("another program uses the port");
    expect(openSockets()).toBe(socketsBefore);
    expect(threads()).toBeLessThanOrEqual(threadsBefore);
  },
);
