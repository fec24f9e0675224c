/** The server as a whole: ports, states, faults. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { allUp, withState } from "../src/cloud/states.ts";
import { datacenterId } from "../src/cloud/topology.ts";
import { loadConfig } from "../src/config/load.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { CLASS, formatRcode, TYPE } from "../src/dns/iana.ts";
import { formatRecord, type Message } from "../src/dns/message.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { parsePrefix } from "../src/ip.ts";
import { ListenError, type Server, type ServerOptions, startServer } from "../src/server.ts";
import { buildSnapshot, type Snapshot } from "../src/snapshot.ts";
import { machineAddresses } from "../src/transport/addresses.ts";
import { exchange } from "../src/transport/client.ts";
import { sendAll } from "./wire-client.ts";

const defaultLab = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
if (defaultLab.kind === "errors") throw new Error("the default lab has errors");
const snapshot = buildSnapshot(defaultLab.configuration, undefined);

const anyPort = { address: "127.0.0.1", family: 4, port: 0 } as const;
let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
});

async function start(options: Partial<ServerOptions> = {}, of: Snapshot = snapshot): Promise<Server> {
  const server = await startServer(of, { listen: [anyPort], ...options });
  cleanUp.push(() => server.close());
  return server;
}

async function ask(server: Server, way: "udp" | "tcp", name: string, subnet: string): Promise<Message> {
  const prefix = parsePrefix(subnet);
  const port = server.listening[0]?.port;
  if (typeof prefix === "string" || port === undefined) throw new Error("nothing to ask");
  const query = renderQuery(
    { qname: nameOctets(nameOf(name)), qtype: TYPE.CNAME, qclass: CLASS.IN },
    { id: 1, recursionDesired: false, edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix } },
  );
  const [reply] = await sendAll(port, way, [query]);
  const message = reply === undefined ? "silence" : decodeMessage(reply);
  if (typeof message === "string") throw new Error(message);
  return message;
}

describe("the server", () => {
  it.each(["udp", "tcp"] as const)("answers over %s on the port it says", async (way) => {
    const server = await start();
    const response = await ask(server, way, "outlook.ms-acdc.office.com.", "10.1.0.0/24");
    expect(response.answer.map(formatRecord)).toEqual([
      "outlook.ms-acdc.office.com. 60 CNAME LHR-efz.ms-acdc.office.com.",
    ]);
  });

  it("answers the next query in the states that were set", async () => {
    const server = await start();
    const target = async (): Promise<string | undefined> => {
      const response = await ask(server, "udp", "outlook.ms-acdc.office.com.", "10.4.0.0/24");
      return response.answer.map(formatRecord)[0]?.split(" ").at(-1);
    };
    expect(await target()).toBe("SYD-efz.ms-acdc.office.com.");
    server.setStates(withState(allUp, datacenterId("Worldwide", "syd"), "down"));
    expect(await target()).toBe("SIN-efz.ms-acdc.office.com.");
    server.setStates(allUp);
    expect(await target()).toBe("SYD-efz.ms-acdc.office.com.");
  });

  it("answers SERVFAIL where something is thrown inside, tells it, and serves on", async () => {
    const faults: unknown[] = [];
    const fault = new Error("thrown inside");
    // A snapshot whose zones cannot be read.
    const zones = new Proxy(snapshot.configuration.zones, {
      get: () => {
        throw fault;
      },
    });
    const broken = { ...snapshot, configuration: { ...snapshot.configuration, zones } };
    const server = await start({ onFault: (error) => faults.push(error) }, broken);
    const response = await ask(server, "udp", "outlook.office365.com.", "10.1.0.0/24");
    expect(formatRcode(response.rcode)).toBe("SERVFAIL");
    expect(response.clientSubnet?.sourcePrefixLength).toBe(24);
    expect(faults[0]).toBe(fault);
    expect(formatRcode((await ask(server, "tcp", "outlook.office365.com.", "10.1.0.0/24")).rcode)).toBe(
      "SERVFAIL",
    );
  });

  it("tells of each query what was answered, when, in which time, and from which snapshot", async () => {
    const told: unknown[] = [];
    let milliseconds = 0;
    const server = await start({
      now: () => 1_700_000_000_500,
      stopwatch: () => {
        milliseconds += 0.25;
        return milliseconds;
      },
      onTrace: (trace, { octets, ...observation }) =>
        told.push({ kind: trace.kind, octets: octets?.length, ...observation }),
    });
    await ask(server, "udp", "outlook.ms-acdc.office.com.", "10.1.0.0/24");
    expect(told[0]).toEqual({
      kind: "answer",
      octets: expect.any(Number),
      microseconds: 250,
      nowMilliseconds: 1_700_000_000_500,
      snapshot,
    });
    expect(server.connections).toEqual({ open: 0, refused: 0, replaced: 0 });
  });

  it("says which port is taken and what to do, and leaves nothing open", async () => {
    const other = createServer();
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    cleanUp.push(() => void other.close());
    const bound = other.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const attempt = startServer(snapshot, { listen: [anyPort, { ...anyPort, port }] });
    await expect(attempt).rejects.toThrow(ListenError);
    await expect(attempt).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port} over TCP: another program uses the port; stop it or choose another with --listen`,
    );
  });

  it("says that the machine lacks an address", async () => {
    const attempt = startServer(snapshot, { listen: [{ address: "192.0.2.1", family: 4, port: 0 }] });
    await expect(attempt).rejects.toThrow("this machine has no such address; choose another with --listen");
  });
});

describe("a wildcard", () => {
  const query = renderQuery(
    { qname: nameOctets(nameOf("office365.com.")), qtype: TYPE.SOA, qclass: CLASS.IN },
    { id: 7, recursionDesired: false, edns: undefined },
  );

  describe.each([
    { address: "0.0.0.0", family: 4 },
    { address: "::", family: 6 },
  ] as const)("$address", ({ address: wildcard, family }) => {
    // The client is connected: it takes an answer only from the address that it asked.
    it.each(machineAddresses(family))("answers from %s where that was asked", async (address) => {
      const server = await start({ listen: [{ address: wildcard, family, port: 0 }] });
      const port = server.listening[0]?.port ?? 0;
      expect(server.listening).toEqual([{ address: wildcard, family, port }]);
      for (const transport of ["udp", "tcp"] as const) {
        const reply = await exchange({ address, family, port }, query, {
          transport,
          timeoutMilliseconds: 2000,
        });
        expect(Buffer.from(reply).readUInt16BE(0)).toBe(7);
      }
    });
  });

  // To 127.0.0.1 a socket bound to the wildcard would answer from there, whatever address was asked.
  const others = machineAddresses(4).filter((address) => !address.startsWith("127."));
  it.runIf(process.platform === "linux").each(others)(
    "answers from %s though the route to the asker prefers another address",
    async (address) => {
      const server = await start({ listen: [{ address: "0.0.0.0", family: 4, port: 0 }] });
      const client = createSocket("udp4");
      cleanUp.push(() => void client.close());
      client.bind(0, "127.0.0.1");
      await once(client, "listening");
      client.send(query, server.listening[0]?.port ?? 0, address);
      const [, remote]: unknown[] = await once(client, "message");
      expect(remote).toMatchObject({ address, port: server.listening[0]?.port });
    },
  );

  // All of 127.0.0.0/8 is local on Linux, and TCP is served there; a UDP socket has only what an interface lists.
  it.runIf(process.platform === "linux" && !machineAddresses(4).includes("127.0.0.2"))(
    "is over UDP what the interfaces list",
    async () => {
      const server = await start({ listen: [{ address: "0.0.0.0", family: 4, port: 0 }] });
      const unlisted = { address: "127.0.0.2", family: 4, port: server.listening[0]?.port ?? 0 } as const;
      const ask = (transport: "udp" | "tcp") =>
        exchange(unlisted, query, { transport, timeoutMilliseconds: 2000 });
      await expect(ask("udp")).rejects.toThrow("ECONNREFUSED");
      await expect(ask("tcp")).resolves.toBeInstanceOf(Uint8Array);
    },
  );

  it("says which of its addresses has the port taken, and leaves nothing open", async () => {
    const other = await start();
    const port = other.listening[0]?.port ?? 0;
    const attempt = startServer(snapshot, { listen: [{ address: "0.0.0.0", family: 4, port }] });
    await expect(attempt).rejects.toThrow(`cannot listen on 127.0.0.1:${port} over UDP: another program`);
    await other.close();
    await start({ listen: [{ address: "0.0.0.0", family: 4, port }] });
  });
});

describe("connections and the end", () => {
  it("counts the connections of all listeners together", async () => {
    const { configuration } = snapshot;
    const settings = { ...configuration.settings, tcp: { ...configuration.settings.tcp, maxConnections: 1 } };
    const strict = { ...snapshot, configuration: { ...configuration, settings } };
    const server = await start({ listen: [anyPort, anyPort] }, strict);
    const sockets = server.listening.map(({ port }) => connect({ host: "127.0.0.1", port }));
    cleanUp.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    // One of the two makes room for the other.
    await Promise.race(sockets.map((socket) => once(socket.resume(), "close")));
    expect(sockets.filter((socket) => !socket.destroyed).length).toBe(1);
  });

  it("settles when all is closed, however often it is asked to", async () => {
    const server = await start();
    const [at] = server.listening;
    const [first, second] = [server.close(), server.close()];
    await second;
    await start({ listen: at === undefined ? [] : [at] });
    await first;
  });
});
