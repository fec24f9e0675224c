/** The server as a whole: ports, states, faults; in the caller's thread and in worker threads alike. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { allUp, withState } from "../src/cloud/states.ts";
import { datacenterId } from "../src/cloud/topology.ts";
import type { Network } from "../src/config/configuration.ts";
import { loadConfig } from "../src/config/load.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { renderOpt } from "../src/dns/edns.ts";
import { CLASS, formatRcode, OPTION, TYPE } from "../src/dns/iana.ts";
import { formatRecord, type Message } from "../src/dns/message.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { parsePrefix } from "../src/ip.ts";
import { ListenError, type Server, type ServerOptions, startServer } from "../src/server.ts";
import { buildSnapshot, type Snapshot } from "../src/snapshot.ts";
import { machineAddresses } from "../src/transport/addresses.ts";
import { exchange } from "../src/transport/client.ts";
import { prefix } from "./geo/prefixes.ts";
import { serverWays, withPlane } from "./plane/ways.ts";
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

describe.each(serverWays)("$way", (serverWay) => {
  const isBatched = serverWay.plane?.transport.kind === "batched";

  async function start(options: Partial<ServerOptions> = {}, of: Snapshot = snapshot): Promise<Server> {
    const server = await startServer(of, { listen: [anyPort], ...withPlane(serverWay), ...options });
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
        // What threads hand over has been under way since a time of their own clocks.
        ...(serverWay.plane === undefined && {
          stopwatch: () => {
            milliseconds += 0.25;
            return milliseconds;
          },
        }),
        onTrace: (trace, { octets, ...observation }) =>
          told.push({ kind: trace.kind, octets: octets?.length, ...observation }),
      });
      await ask(server, "udp", "outlook.ms-acdc.office.com.", "10.1.0.0/24");
      expect(told[0]).toEqual({
        kind: "answer",
        octets: expect.any(Number),
        microseconds: serverWay.plane === undefined ? 250 : expect.toSatisfy((time) => time > 0),
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
      const attempt = startServer(snapshot, {
        ...withPlane(serverWay),
        listen: [anyPort, { ...anyPort, port }],
      });
      await expect(attempt).rejects.toThrow(ListenError);
      await expect(attempt).rejects.toThrow(
        `cannot listen on 127.0.0.1:${port} over TCP: another program uses the port; stop it or choose another with --listen`,
      );
    });

    it("says that the machine lacks an address", async () => {
      const attempt = startServer(snapshot, {
        ...withPlane(serverWay),
        listen: [{ address: "192.0.2.1", family: 4, port: 0 }],
      });
      await expect(attempt).rejects.toThrow("this machine has no such address; choose another with --listen");
    });
  });

  describe("vantage points", () => {
    const { settings } = defaultLab.configuration;
    const listen = settings.listen
      .filter(({ vantage }) => vantage !== undefined)
      .map((at) => ({ ...at, address: "127.0.0.1", port: 0 }));
    const sydney = { ...anyPort, vantage: { kind: "network", network: "sydney-office" } } as const;
    const qname = nameOctets(nameOf("portal.geo.office.com."));

    /** The target for who asks a listener, with a client subnet or without, and the scope. */
    async function targetAt(server: Server, i: number, way: "udp" | "tcp", subnet?: string): Promise<string> {
      const ecs = subnet === undefined ? undefined : prefix(subnet);
      const query = renderQuery(
        { qname, qtype: TYPE.CNAME, qclass: CLASS.IN },
        { id: 1, recursionDesired: false, edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: ecs } },
      );
      const [reply] = await sendAll(server.listening[i]?.port ?? 0, way, [query]);
      const message = reply === undefined ? "silence" : decodeMessage(reply);
      if (typeof message === "string") throw new Error(message);
      const target = message.answer.map(formatRecord)[0]?.split(" ").at(-1)?.slice(0, 3);
      const scope = message.clientSubnet?.scopePrefixLength;
      return scope === undefined ? `${target}` : `${target} scope ${scope}`;
    }

    it.each(["udp", "tcp"] as const)(
      "of the default lab answer each from its network over %s",
      async (way) => {
        const server = await start({ listen });
        const targets = await Promise.all(listen.map((_, i) => targetAt(server, i, way)));
        expect(targets).toEqual(["LHR", "MNZ", "SIN", "SYD", "ICN", "GRU", "JNB", "FRA", "EAT"]);
        expect(server.listening.map(({ vantage }) => vantage)).toEqual(listen.map(({ vantage }) => vantage));
        expect(new Set(server.listening.map(({ port }) => port)).size).toBe(9);
        expect(await targetAt(server, 3, way, "10.1.0.0/24")).toBe("LHR scope 16");
      },
    );

    it("ignore the client subnet where they are told to", async () => {
      const ignoring = { ...sydney, ignoresClientSubnet: true } as const;
      const server = await start({ listen: [ignoring, { ...anyPort, ignoresClientSubnet: true }] });
      expect(await targetAt(server, 0, "udp", "10.3.0.0/24")).toBe("SYD scope 0");
      expect(await targetAt(server, 1, "udp", "10.3.0.0/24")).toBe("LHR scope 0");
      expect(await targetAt(server, 1, "udp")).toBe("LHR");
    });

    it("may be wildcards", async () => {
      const server = await start({ listen: [{ ...sydney, address: "0.0.0.0" }] });
      expect(await targetAt(server, 0, "udp")).toBe("SYD");
      expect(await targetAt(server, 0, "tcp")).toBe("SYD");
    });

    it("take the cookie of another listener: it goes by who asks, not by whom they stand for", async () => {
      const { configuration } = snapshot;
      const demanding = {
        ...configuration,
        settings: { ...configuration.settings, cookies: "require" },
      } as const;
      const strict = { ...snapshot, configuration: demanding, cookieSecrets: [new Uint8Array(16)] };
      const server = await start({ listen: [anyPort, sydney] }, strict);
      const askWith = async (i: number, cookie: Uint8Array): Promise<Message> => {
        const query = renderQuery(
          { qname, qtype: TYPE.A, qclass: CLASS.IN },
          { id: 1, recursionDesired: false, edns: undefined },
        );
        query[11] = 1; // ARCOUNT
        const options = [{ code: OPTION.COOKIE, octets: cookie }];
        const opt = renderOpt({ udpPayloadSize: 1232, dnssecOk: false, version: 0, options }, 0);
        const port = server.listening[i]?.port ?? 0;
        const [reply = new Uint8Array()] = await sendAll(port, "udp", [Buffer.concat([query, opt])]);
        const message = decodeMessage(reply);
        if (typeof message === "string") throw new Error(message);
        return message;
      };
      const refused = await askWith(0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
      expect(formatRcode(refused.rcode)).toBe("BADCOOKIE");
      const cookie = refused.edns?.options.find(({ code }) => code === OPTION.COOKIE)?.octets;
      const answered = await askWith(1, cookie ?? new Uint8Array());
      expect(formatRcode(answered.rcode)).toBe("NOERROR");
    });

    const withNetworks = (change: (network: Network) => readonly Network[]): Snapshot => {
      const { configuration } = snapshot;
      return buildSnapshot({ ...configuration, networks: configuration.networks.flatMap(change) }, undefined);
    };

    it("follow a network that a reload moves, and stay where one was that is gone", async () => {
      const server = await start({ listen: [sydney] });
      expect(await targetAt(server, 0, "udp")).toBe("SYD");
      const moved = withNetworks((network) => {
        if (network.name === "sydney-office") return [{ ...network, prefixes: [prefix("10.66.0.0/16")] }];
        if (network.name === "london-office") {
          return [{ ...network, prefixes: [...network.prefixes, prefix("10.4.0.0/16")] }];
        }
        return [network];
      });
      await server.replaceSnapshot(moved);
      expect(await targetAt(server, 0, "udp")).toBe("SYD");
      const gone = withNetworks((network) => (network.name === "sydney-office" ? [] : [network]));
      await server.replaceSnapshot(gone);
      // The address is still the one of the snapshot before, which no network holds now.
      expect(await targetAt(server, 0, "udp")).toBe("LYH");
      await server.replaceSnapshot(snapshot);
      expect(await targetAt(server, 0, "udp")).toBe("SYD");
    });

    it("must be of a network that there is", async () => {
      const attempt = startServer(snapshot, {
        ...withPlane(serverWay),
        listen: [{ ...anyPort, vantage: { kind: "network", network: "nowhere" } }],
      });
      await expect(attempt).rejects.toThrow("nowhere is no network of this snapshot");
    });

    it("are an error where their port is taken, and where an address off loopback is lacking", async () => {
      const other = await start();
      const port = other.listening[0]?.port ?? 0;
      await expect(
        startServer(snapshot, { ...withPlane(serverWay), listen: [anyPort, { ...sydney, port }] }),
      ).rejects.toThrow("another program uses the port");
      const elsewhere = { ...sydney, address: "192.0.2.1" };
      await expect(
        startServer(snapshot, { ...withPlane(serverWay), listen: [anyPort, elsewhere] }),
      ).rejects.toThrow("this machine has no such address");
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

    // All of 127.0.0.0/8 is local on Linux, and TCP is served there; a socket of dgram has only what an interface lists.
    it.runIf(process.platform === "linux" && !machineAddresses(4).includes("127.0.0.2"))(
      isBatched ? "is over UDP every address there is" : "is over UDP what the interfaces list",
      async () => {
        const server = await start({ listen: [{ address: "0.0.0.0", family: 4, port: 0 }] });
        const unlisted = { address: "127.0.0.2", family: 4, port: server.listening[0]?.port ?? 0 } as const;
        const ask = (transport: "udp" | "tcp") =>
          exchange(unlisted, query, { transport, timeoutMilliseconds: 2000 });
        if (isBatched) await expect(ask("udp")).resolves.toBeInstanceOf(Uint8Array);
        else await expect(ask("udp")).rejects.toThrow("ECONNREFUSED");
        await expect(ask("tcp")).resolves.toBeInstanceOf(Uint8Array);
      },
    );

    it("says which of its addresses has the port taken, and leaves nothing open", async () => {
      const other = await start();
      const port = other.listening[0]?.port ?? 0;
      const attempt = startServer(snapshot, {
        ...withPlane(serverWay),
        listen: [{ address: "0.0.0.0", family: 4, port }],
      });
      const taken = isBatched ? "0.0.0.0" : "127.0.0.1";
      await expect(attempt).rejects.toThrow(`cannot listen on ${taken}:${port} over UDP: another program`);
      await other.close();
      await start({ listen: [{ address: "0.0.0.0", family: 4, port }] });
    });
  });

  describe("connections and the end", () => {
    it("counts the connections of all listeners together", async () => {
      const { configuration } = snapshot;
      const settings = {
        ...configuration.settings,
        tcp: { ...configuration.settings.tcp, maxConnections: 1 },
      };
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
});
