/** TCP by RFC 7766: framing, pipelining, limits. The listener answers each message with itself reversed. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Listener } from "../../src/transport/listener.ts";
import { framed, listenTcp, splitMessages, type TcpLimits } from "../../src/transport/tcp.ts";

let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
});

const reversed = (message: Uint8Array): Uint8Array => Uint8Array.from(message).reverse();

async function listen(limits: Partial<TcpLimits> = {}, respond = reversed): Promise<Listener> {
  const listener = await listenTcp(
    {
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond,
      onFault: (error) => {
        throw error;
      },
    },
    { idleSeconds: 10, maxConnections: 10, ...limits },
  );
  cleanUp.push(() => listener.close());
  return listener;
}

async function open({ port }: Listener): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.on("error", () => {}); // a reset shows as close
  cleanUp.push(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** The next `count` messages as text. */
async function read(socket: Socket, count: number): Promise<readonly string[]> {
  let pending: Buffer = Buffer.alloc(0);
  const texts: string[] = [];
  while (texts.length < count) {
    const [chunk]: unknown[] = await once(socket, "data");
    if (!Buffer.isBuffer(chunk)) throw new Error("no octets");
    const { messages, rest } = splitMessages(Buffer.concat([pending, chunk]));
    texts.push(...messages.map(String));
    pending = rest;
  }
  return texts;
}

/** Settles when the server has closed its side, in whatever way. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume();
    for (const event of ["end", "close", "error"]) socket.once(event, () => resolve());
  });

const message = (text: string): Uint8Array => framed(Buffer.from(text));

describe("framing (RFC 1035 §4.2.2, RFC 7766 §8)", () => {
  it("takes a message that comes octet by octet", async () => {
    const socket = await open(await listen());
    socket.setNoDelay(true);
    const answer = read(socket, 1);
    for (const octet of message("abc")) socket.write(Uint8Array.of(octet));
    expect(await answer).toEqual(["cba"]);
  });

  it("takes several messages in one segment and answers each (RFC 7766 §6.2.1.1: pipelining)", async () => {
    const socket = await open(await listen());
    const answers = read(socket, 3);
    socket.write(Buffer.concat([message("one"), message("two"), message("three")]));
    expect(await answers).toEqual(["eno", "owt", "eerht"]);
  });

  it("passes an empty message on and stays open", async () => {
    const seen: number[] = [];
    const respond = (octets: Uint8Array): Uint8Array | undefined => {
      seen.push(octets.length);
      return octets.length === 0 ? undefined : reversed(octets);
    };
    const listener = await listenTcp(
      { address: "127.0.0.1", family: 4, port: 0, respond, onFault: () => {} },
      { idleSeconds: 10, maxConnections: 10 },
    );
    cleanUp.push(() => listener.close());
    const socket = await open(listener);
    const answer = read(socket, 1);
    socket.write(Buffer.concat([Uint8Array.of(0, 0), message("after")]));
    expect(await answer).toEqual(["retfa"]);
    expect(seen).toEqual([0, 5]);
  });

  it.each([
    ["nothing", "", [], ""],
    ["half a length", "00", [], "00"],
    ["a length without its message", "0002ff", [], "0002ff"],
    ["a message and the beginning of the next", "0001aa0002bb", ["aa"], "0002bb"],
    ["two messages", "0001aa0002bbcc", ["aa", "bbcc"], ""],
  ])("cuts %s", (_, stream, messages, rest) => {
    const cut = splitMessages(Buffer.from(stream, "hex"));
    expect(cut.messages.map((part) => part.toString("hex"))).toEqual(messages);
    expect(cut.rest.toString("hex")).toBe(rest);
  });
});

describe("connections", () => {
  it("answers what came before the client closed its side", async () => {
    const socket = await open(await listen());
    const answers = read(socket, 2);
    const ended = once(socket, "end");
    socket.end(Buffer.concat([message("one"), message("two")]));
    expect(await answers).toEqual(["eno", "owt"]);
    await ended;
  });

  it("closes a connection that sends no complete query in time, whatever octets it sends (RFC 7766 §6.2.3)", async () => {
    const socket = await open(await listen({ idleSeconds: 0.05 }));
    const drip = setInterval(() => socket.write(Uint8Array.of(0)), 10);
    cleanUp.push(() => clearInterval(drip));
    socket.write(Uint8Array.of(0xff, 0xff)); // promises 65535 octets
    await expect(gone(socket)).resolves.toBeUndefined();
  });

  it("closes what is over the limit and serves the others on", async () => {
    const listener = await listen({ maxConnections: 1 });
    const first = await open(listener);
    const answer = read(first, 1);
    first.write(message("one"));
    expect(await answer).toEqual(["eno"]);
    const second = await open(listener);
    await gone(second);
    const again = read(first, 1);
    first.write(message("two"));
    expect(await again).toEqual(["owt"]);
  });

  it("stops reading from a client that does not read, and goes on when it does", async () => {
    let answered = 0;
    const large = new Uint8Array(60_000);
    const listener = await listen({}, () => {
      answered++;
      return large;
    });
    const slow = await open(listener);
    slow.pause();
    const queries = 2000;
    slow.write(Buffer.concat(Array.from({ length: queries }, () => message("x".repeat(500)))));
    // A second connection is served meanwhile; by its answers the first one's share can be seen.
    const other = await open(listener);
    const answers = read(other, 1);
    other.write(message("y"));
    expect((await answers).length).toBe(1);
    expect(answered).toBeLessThan(queries);
    let octets = 0;
    for await (const chunk of slow) {
      octets += chunk.length;
      if (octets === queries * (large.length + 2)) break;
    }
    expect(answered).toBe(queries + 1);
  });

  it("survives a reset in the middle of an answer", async () => {
    const listener = await listen({}, () => new Uint8Array(65_000));
    const rude = await open(listener);
    rude.write(Buffer.concat(Array.from({ length: 50 }, () => message("x"))));
    rude.resetAndDestroy();
    const socket = await open(listener);
    const answer = read(socket, 1);
    socket.write(message("still there"));
    expect((await answer).length).toBe(1);
  });
});
