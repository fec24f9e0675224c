/** UDP over loopback, both families. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { formatAddress } from "../../src/ip.ts";
import type { Source } from "../../src/trace.ts";
import { withoutScope } from "../../src/transport/addresses.ts";
import { listenUdp } from "../../src/transport/udp.ts";

let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
});

describe("one datagram, one response", () => {
  it.each([
    { address: "127.0.0.1", family: 4, type: "udp4" },
    { address: "::1", family: 6, type: "udp6" },
  ] as const)("over $address", async ({ address, family, type }) => {
    const sources: Source[] = [];
    const listener = await listenUdp({
      address,
      family,
      port: 0,
      respond: (message, source) => {
        sources.push(source);
        return Uint8Array.from(message).reverse();
      },
      onFault: (error) => {
        throw error;
      },
    });
    cleanUp.push(() => listener.close());
    const client = createSocket(type);
    cleanUp.push(() => void client.close());
    client.send("abc", listener.port, address);
    const [reply]: unknown[] = await once(client, "message");
    expect(String(reply)).toBe("cba");
    expect(sources.map((source) => ({ ...source, address: formatAddress(source.address.octets) }))).toEqual([
      { address, port: client.address().port, transport: "udp" },
    ]);
  });

  it("rejects where the port is taken", async () => {
    const options = { address: "127.0.0.1", family: 4, respond: () => undefined, onFault: () => {} } as const;
    const first = await listenUdp({ ...options, port: 0 });
    cleanUp.push(() => first.close());
    await expect(listenUdp({ ...options, port: first.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

/** What Linux lets a socket have of the buffer it asks for; 0 elsewhere. */
function allowedBufferOctets(): number {
  const file = "/proc/sys/net/core/rmem_max";
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
}

describe("what goes wrong", () => {
  it("tells of an answer that cannot be sent, and serves on", async () => {
    const faults: Error[] = [];
    const listener = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      // No datagram holds so much.
      respond: (message) => (message.length === 1 ? new Uint8Array(65_535) : message),
      onFault: (error) => faults.push(error),
    });
    cleanUp.push(() => listener.close());
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    client.send("a", listener.port, "127.0.0.1");
    client.send("good", listener.port, "127.0.0.1");
    const [reply]: unknown[] = await once(client, "message");
    expect(String(reply)).toBe("good");
    expect(faults).toMatchObject([{ code: "EMSGSIZE" }]);
  });

  it("serves on after an answer to one who has gone", async () => {
    const faults: Error[] = [];
    let seen = (): void => {};
    const listener = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond: (message) => {
        seen();
        return message;
      },
      onFault: (error) => faults.push(error),
    });
    cleanUp.push(() => listener.close());
    const answered = new Promise<void>((resolve) => {
      seen = resolve;
    });
    const gone = createSocket("udp4");
    gone.connect(listener.port, "127.0.0.1");
    await once(gone, "connect");
    gone.send("abc");
    gone.close();
    await answered;
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    client.send("still there", listener.port, "127.0.0.1");
    const [reply]: unknown[] = await once(client, "message");
    expect(String(reply)).toBe("still there");
    expect(faults).toEqual([]);
  });
});

describe("bursts and the end", () => {
  it.runIf(allowedBufferOctets() >= 4 << 20)(
    "loses nothing of a burst that the default buffer cannot hold",
    async () => {
      const burst = 3000;
      let count = 0;
      let allSeen = (): void => {};
      const all = new Promise<void>((resolve) => {
        allSeen = resolve;
      });
      const listener = await listenUdp({
        address: "127.0.0.1",
        family: 4,
        port: 0,
        respond: () => {
          count++;
          if (count === burst) allSeen();
          return undefined;
        },
        onFault: () => {},
      });
      cleanUp.push(() => listener.close());
      const client = createSocket("udp4");
      cleanUp.push(() => void client.close());
      client.connect(listener.port, "127.0.0.1");
      await once(client, "connect");
      // In one turn of the event loop, so that none is read before the last is sent.
      for (let i = 0; i < burst; i++) client.send(new Uint8Array(64));
      await all;
    },
  );

  it("answers what has come, then frees the port", async () => {
    const options = { address: "127.0.0.1", family: 4, onFault: () => {} } as const;
    const listener = await listenUdp({ ...options, port: 0, respond: (message) => message });
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    client.connect(listener.port, "127.0.0.1");
    await once(client, "connect");
    const replies: string[] = [];
    client.on("message", (reply) => replies.push(String(reply)));
    for (const text of ["one", "two", "three"]) client.send(text);
    await listener.close();
    const next = await listenUdp({ ...options, port: listener.port, respond: () => Buffer.from("next") });
    cleanUp.push(() => next.close());
    client.send("four");
    while (!replies.includes("next")) await once(client, "message");
    expect(replies).toEqual(["one", "two", "three", "next"]);
  });
});

describe("the close", () => {
  it.each([
    { address: "127.0.0.1", family: 4, type: "udp4", target: "127.0.0.1" },
    { address: "0.0.0.0", family: 4, type: "udp4", target: "127.0.0.1" },
    { address: "::1", family: 6, type: "udp6", target: "::1" },
    { address: "::", family: 6, type: "udp6", target: "::1" },
  ] as const)("answers all that has come to $address, more than a turn reads", async (listening) => {
    const { address, family, type, target } = listening;
    const listener = await listenUdp({
      address,
      family,
      port: 0,
      respond: (message) => message,
      onFault: (error) => {
        throw error;
      },
    });
    const client = createSocket(type);
    cleanUp.push(() => void client.close());
    client.connect(listener.port, target);
    await once(client, "connect");
    const replies = new Set<string>();
    client.on("message", (reply) => replies.add(String(reply)));
    for (let i = 0; i < 200; i++) client.send(String(i));
    await listener.close();
    while (replies.size < 200) await once(client, "message");
  });

  it("comes to its end while clients ask on for each answer", async () => {
    const listener = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond: (message) => message,
      onFault: () => {},
    });
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    client.connect(listener.port, "127.0.0.1");
    await once(client, "connect");
    client.on("error", () => {}); // refused, from the close on
    client.on("message", (reply) => client.send(reply));
    for (let i = 0; i < 100; i++) client.send("again");
    await once(client, "message");
    await listener.close();
  });
});

describe("an answer that is waited for", () => {
  it("lets others pass it, leaves from the same socket, and is awaited by the end", async () => {
    let release = (): void => {};
    const listener = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond: (message) =>
        String(message) === "slow"
          ? new Promise((resolve) => {
              release = () => resolve(message);
            })
          : message,
      onFault: () => {},
    });
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    // Connected: it takes an answer from the address and port that it asked alone.
    client.connect(listener.port, "127.0.0.1");
    await once(client, "connect");
    client.send("slow");
    client.send("fast");
    const [first]: unknown[] = await once(client, "message");
    expect(String(first)).toBe("fast");
    let isClosed = false;
    const closed = listener.close().then(() => {
      isClosed = true;
    });
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(isClosed).toBe(false);
    release();
    const [second]: unknown[] = await once(client, "message");
    expect(String(second)).toBe("slow");
    await closed;
  });

  it("can be silence", async () => {
    const listener = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond: async () => undefined,
      onFault: () => {},
    });
    const client = createSocket("udp4");
    cleanUp.push(() => void client.close());
    client.connect(listener.port, "127.0.0.1");
    await once(client, "connect");
    client.send("x");
    await listener.close();
  });
});

describe("the address of a peer", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
  ])("%s", (reported, address) => {
    expect(formatAddress(withoutScope(reported).octets)).toBe(address);
  });
});
