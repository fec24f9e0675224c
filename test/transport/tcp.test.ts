/** TCP by RFC 7766: framing, pipelining, limits. The listener answers each message with itself reversed. */

import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { framed } from "../../src/transport/framing.ts";
import type { Listener, Respond, Shortcut } from "../../src/transport/listener.ts";
import { listenTcp, QUERIES_PER_TURN, type TcpLimits } from "../../src/transport/tcp.ts";
import { splitMessages } from "../wire-client.ts";

let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
});

const reversed = (message: Uint8Array): Uint8Array => Uint8Array.from(message).reverse();

async function listen(
  limits: Partial<TcpLimits> = {},
  respond: Respond = reversed,
  shortcut?: Shortcut,
): Promise<Listener> {
  const listener = await listenTcp(
    {
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond,
      ...(shortcut === undefined ? {} : { shortcut }),
      onFault: (error) => {
        throw error;
      },
    },
    { idleSeconds: 10, maxConnections: 10, ...limits },
  );
  cleanUp.push(() => listener.close());
  return listener;
}

async function open({ port }: Listener, options: Partial<NetConnectOpts> = {}): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, ...options });
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

/** Whether a query has an answer. */
async function isServed(socket: Socket): Promise<boolean> {
  const answer = read(socket, 1).then(
    () => true,
    () => false,
  );
  socket.write(message("?"));
  return Promise.race([answer, gone(socket).then(() => false)]);
}

/** Settles when there is room for one more connection. */
async function roomFor(listener: Listener): Promise<void> {
  for (;;) if (await isServed(await open(listener))) return;
}

/** Reads so many octets, or to the end; returns how many there were. */
async function octetsOf(socket: Socket, most: number): Promise<number> {
  let octets = 0;
  try {
    for await (const chunk of socket) {
      octets += chunk.length;
      if (octets >= most) break;
    }
  } catch {} // a reset is an end too
  return octets;
}

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

  it("takes segments split anywhere", async () => {
    const listener = await listen();
    const stream = Buffer.concat([message("one"), message(""), message("three")]);
    for (let at = 1; at < stream.length; at++) {
      const socket = await open(listener, { noDelay: true });
      const answers = read(socket, 3);
      await new Promise((resolve) => socket.write(stream.subarray(0, at), resolve));
      await setImmediate();
      socket.write(stream.subarray(at));
      expect(await answers).toEqual(["eno", "", "eerht"]);
      socket.destroy();
    }
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

  it.each([
    ["empty ones", Uint8Array.of(0, 0)],
    ["ones that get no answer, as responses do", message("silence")],
  ])("closes a connection that sends complete messages in time, but %s", async (_, octets) => {
    const listener = await listen({ idleSeconds: 0.05 }, () => undefined);
    const socket = await open(listener);
    const drip = setInterval(() => socket.write(octets), 10);
    cleanUp.push(() => clearInterval(drip));
    await expect(gone(socket)).resolves.toBeUndefined();
  });

  it("answers a burst that takes many turns, then closes, where the client closed its side behind it", async () => {
    const socket = await open(await listen());
    const answers = read(socket, 1000);
    const ended = once(socket, "end");
    socket.end(Buffer.concat(Array.from({ length: 1000 }, (_, i) => message(`${i}.`))));
    expect(await answers).toEqual(Array.from({ length: 1000 }, (_, i) => [...`${i}.`].toReversed().join("")));
    await ended;
  });

  it("lets others have their turn in the middle of a burst", async () => {
    const order: string[] = [];
    let other: Socket | undefined;
    const listener = await listen({}, (octets) => {
      if (order.length === 0) other?.write(message("other"));
      order.push(String(octets));
      return octets;
    });
    other = await open(listener);
    const greedy = await open(listener);
    const answers = Promise.all([read(other, 1), read(greedy, 5000)]);
    greedy.write(Buffer.concat(Array.from({ length: 5000 }, () => message("x"))));
    await answers;
    expect(order.length).toBe(5001);
    expect(order.indexOf("other")).toBeLessThan(1000);
  });

  it("turns away what is over the limit of an address and serves the others on", async () => {
    const listener = await listen({ maxConnectionsPerAddress: 2 });
    const [first, second] = [await open(listener), await open(listener)];
    expect(await isServed(first)).toBe(true);
    expect(await isServed(await open(listener))).toBe(false);
    expect(await isServed(first)).toBe(true);
    expect(await isServed(second)).toBe(true);
    second.destroy();
    await roomFor(listener);
  });

  // All of 127.0.0.0/8 is local on Linux alone.
  it.runIf(process.platform === "linux")("counts each address by itself", async () => {
    const listener = await listen({ maxConnectionsPerAddress: 1 });
    const first = await open(listener);
    expect(await isServed(await open(listener))).toBe(false);
    expect(await isServed(await open(listener, { localAddress: "127.0.0.2" }))).toBe(true);
    expect(await isServed(first)).toBe(true);
  });

  it("closes the connection idle the longest for one over the limit in total", async () => {
    const listener = await listen({ maxConnections: 2 });
    const [first, second] = [await open(listener), await open(listener)];
    expect(await isServed(second)).toBe(true);
    expect(await isServed(first)).toBe(true);
    const third = await open(listener);
    await gone(second);
    expect(await isServed(third)).toBe(true);
    expect(await isServed(first)).toBe(true);
  });

  it("closes no connection that waits for its answers, but the one over the limit in total", async () => {
    const large = new Uint8Array(60_000);
    const listener = await listen({ maxConnections: 1 }, () => large);
    const slow = await open(listener);
    slow.pause();
    const queries = 500;
    slow.write(Buffer.concat(Array.from({ length: queries }, () => message("x"))));
    await once(slow, "readable");
    expect(await isServed(await open(listener))).toBe(false);
    expect(await octetsOf(slow, queries * (large.length + 2))).toBe(queries * (large.length + 2));
  });

  it("closes a connection that leaves its answers unread for the idle time", async () => {
    const large = new Uint8Array(60_000);
    const listener = await listen({ idleSeconds: 0.05, maxConnectionsPerAddress: 1 }, () => large);
    const slow = await open(listener);
    slow.pause();
    const queries = 500;
    slow.write(Buffer.concat(Array.from({ length: queries }, () => message("x"))));
    await once(slow, "readable");
    await roomFor(listener);
    expect(await octetsOf(slow, Number.POSITIVE_INFINITY)).toBeLessThan(queries * (large.length + 2));
  });

  it("stops reading from a client that does not read, and goes on when it does", async () => {
    let answered = 0;
    let [run, longestRun] = [0, 0];
    const large = new Uint8Array(60_000);
    const listener = await listen({}, () => {
      answered++;
      if (run === 0) queueMicrotask(() => (run = 0));
      longestRun = Math.max(longestRun, ++run);
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
    expect(longestRun).toBeLessThanOrEqual(Math.ceil(2 ** 20 / large.length)); // within one turn, none is read
    await octetsOf(slow, queries * (large.length + 2));
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

describe("the end of the server", () => {
  it("answers all that has come, a long burst too, and closes", async () => {
    const listener = await listen();
    const socket = await open(listener, { allowHalfOpen: false });
    const answers = read(socket, 1000);
    const ended = once(socket, "end");
    socket.write(Buffer.concat(Array.from({ length: 1000 }, () => message("abc"))));
    socket.write(Uint8Array.of(0, 9, 1)); // and the beginning of one more
    const closed = listener.close();
    expect(new Set(await answers)).toEqual(new Set(["cba"]));
    await ended;
    await closed;
    await expect(open(listener)).rejects.toThrow("ECONNREFUSED");
  });

  it("does not wait on for a client that keeps its side open, nor for one that does not read", async () => {
    const listener = await listen({}, () => new Uint8Array(60_000));
    const quiet = await open(listener);
    const slow = await open(listener);
    slow.pause();
    slow.write(Buffer.concat(Array.from({ length: 500 }, () => message("x"))));
    await once(slow, "readable");
    const ended = gone(quiet);
    await listener.close();
    await ended;
    expect(await octetsOf(slow, Number.POSITIVE_INFINITY)).toBeLessThan(500 * 60_002);
  });
});

describe("an answer that is waited for (RFC 7766 §6.2.1.1)", () => {
  /** Keeps what begins with "slow" until it is released. */
  function keeping(): { respond: Respond; release(): void; kept: (() => void)[] } {
    const kept: (() => void)[] = [];
    return {
      kept,
      release: () => {
        for (const answer of kept.splice(0)) answer();
      },
      respond: (octets) =>
        String(octets).startsWith("slow")
          ? new Promise((resolve) => kept.push(() => resolve(octets)))
          : octets,
    };
  }

  it("lets others pass it, and comes when it is there", async () => {
    const { respond, release } = keeping();
    const socket = await open(await listen({}, respond));
    socket.write(Buffer.concat(["slow 1", "a", "slow 2", "b"].map(message)));
    expect(await read(socket, 2)).toEqual(["a", "b"]);
    release();
    expect(await read(socket, 2)).toEqual(["slow 1", "slow 2"]);
  });

  it("can be silence", async () => {
    const socket = await open(await listen({}, async (octets) => (octets.length === 1 ? undefined : octets)));
    socket.write(Buffer.concat(["x", "answered"].map(message)));
    expect(await read(socket, 1)).toEqual(["answered"]);
  });

  it("comes to a client that has closed its side", async () => {
    const { respond, release } = keeping();
    const socket = await open(await listen({}, respond));
    socket.end(Buffer.concat(["slow", "a"].map(message)));
    expect(await read(socket, 1)).toEqual(["a"]);
    const rest = read(socket, 1);
    release();
    expect(await rest).toEqual(["slow"]);
    await gone(socket);
  });

  it("is bounded in number: what is behind a hundred waits to be read", async () => {
    const { respond, release, kept } = keeping();
    const socket = await open(await listen({}, respond));
    const texts = Array.from({ length: 150 }, (_, i) => `slow ${i}`);
    socket.write(Buffer.concat([...texts.slice(0, 99), "a", ...texts.slice(99), "b"].map(message)));
    expect(await read(socket, 1)).toEqual(["a"]);
    while (kept.length < 100) await setImmediate();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(kept.length).toBe(100);
    const rest = read(socket, 151);
    release();
    while (kept.length < 50) await setImmediate();
    release();
    expect((await rest).toSorted()).toEqual([...texts, "b"].toSorted());
  });

  it("keeps its connection from making room for another", async () => {
    const { respond, release } = keeping();
    const listener = await listen({ maxConnections: 1 }, respond);
    const socket = await open(listener);
    socket.write(Buffer.concat(["slow", "a"].map(message)));
    expect(await read(socket, 1)).toEqual(["a"]);
    await gone(await open(listener));
    const rest = read(socket, 1);
    release();
    expect(await rest).toEqual(["slow"]);
  });

  it("keeps its connection from being idle", async () => {
    const { respond, release, kept } = keeping();
    const listener = await listen({ idleSeconds: 0.02 }, respond);
    const socket = await open(listener);
    socket.write(message("slow"));
    while (kept.length === 0) await setImmediate();
    // Two that say nothing, one after the other, are closed meanwhile.
    for (let i = 0; i < 2; i++) await gone(await open(listener));
    const rest = read(socket, 1);
    release();
    expect(await rest).toEqual(["slow"]);
    await gone(socket);
  });

  it("is awaited by the end of the server", async () => {
    const { respond, release } = keeping();
    const listener = await listen({}, respond);
    const socket = await open(listener);
    socket.write(Buffer.concat(["slow", "a"].map(message)));
    expect(await read(socket, 1)).toEqual(["a"]);
    const rest = read(socket, 1);
    const closed = listener.close();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    release();
    expect(await rest).toEqual(["slow"]);
    socket.end();
    await closed;
  });

  it("for one who has gone is dropped", async () => {
    const { respond, release, kept } = keeping();
    const listener = await listen({}, respond);
    const socket = await open(listener);
    socket.write(message("slow"));
    while (kept.length === 0) await setImmediate();
    socket.resetAndDestroy();
    await once(socket, "close");
    release();
    expect(await isServed(await open(listener))).toBe(true);
  });
});

describe("a shortcut", () => {
  /** Answers what begins with "k" with itself reversed, and notes which messages are there when it ends. */
  class Reversing implements Shortcut {
    readonly noted: string[] = [];
    readonly sources: string[] = [];
    #given: { readonly start: number; readonly end: number }[] | undefined;

    begin({ transport }: { readonly transport: string }): void {
      if (this.#given !== undefined) throw new Error("it began already");
      this.#given = [];
      this.sources.push(transport);
    }

    answer(...[octets, start, end, output, outAt]: Parameters<Shortcut["answer"]>): number {
      if (String.fromCharCode(octets[start] ?? 0) !== "k" || end === start) return 0;
      if (outAt % 4 !== 0) throw new Error("responses are to begin at a word");
      output.octets.set(reversed(octets.subarray(start, end)), outAt);
      this.#given?.push({ start, end });
      return end - start;
    }

    end(octets: Uint8Array): void {
      for (const { start, end } of this.#given ?? [])
        this.noted.push(String(Buffer.from(octets.subarray(start, end))));
      this.#given = undefined;
    }
  }

  it("answers what it knows; the rest is answered or waited for, wherever the stream is cut, each in its order", async () => {
    const kinds = fc.constantFrom("known", "near", "far", "mute");
    const burst = fc.record({
      messages: fc.array(fc.tuple(kinds, fc.string({ unit: "grapheme-ascii", maxLength: 9 })), {
        minLength: 1,
        maxLength: 400,
      }),
      cuts: fc.array(fc.nat({ max: 5000 }), { maxLength: 8 }),
    });
    const shortcut = new Reversing();
    const respond: Respond = (octets) => {
      const text = String(octets);
      if (text.startsWith("mute")) return undefined;
      return text.startsWith("far") ? setImmediate(reversed(octets)) : reversed(octets);
    };
    const listener = await listen({}, respond, shortcut);
    const isFar = (text: string): boolean => text.startsWith("far");
    await fc.assert(
      fc.asyncProperty(burst, async ({ messages, cuts }) => {
        const socket = await open(listener, { noDelay: true });
        const texts = [...messages.map(([kind, text], i) => `${kind} ${text} ${i}`), "near the end"];
        const answered = texts.filter((text) => !text.startsWith("mute"));
        const answers = read(socket, answered.length);
        const stream = Buffer.concat(texts.map(message));
        const ends = [...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
        for (const [i, end] of ends.entries()) {
          await new Promise((resolve) => socket.write(stream.subarray(ends[i - 1] ?? 0, end), resolve));
          await setImmediate();
        }
        const received = (await answers).map((text) => [...text].toReversed().join(""));
        socket.destroy();
        expect(received.filter((text) => !isFar(text))).toEqual(answered.filter((text) => !isFar(text)));
        expect(received.filter(isFar)).toEqual(answered.filter(isFar));
        expect(shortcut.noted.splice(0)).toEqual(texts.filter((text) => text.startsWith("k")));
      }),
      { numRuns: 50 },
    );
    expect(new Set(shortcut.sources)).toEqual(new Set(["tcp"]));
  });

  it("writes over no response that a slow client has not read", async () => {
    let count = 0;
    const shortcut: Shortcut = {
      begin: () => {},
      answer: (_octets, _start, _end, { words }, outAt) => {
        count++;
        words.fill(count, outAt >> 2, (outAt >> 2) + 1000);
        return 4000;
      },
      end: () => {},
    };
    const slow = await open(await listen({}, () => undefined, shortcut));
    slow.pause();
    const queries = 5000;
    slow.write(Buffer.concat(Array.from({ length: queries }, () => message("x"))));
    // More than the kernel takes for it is under way before it reads at all.
    for (let before = -1; before !== count; ) {
      before = count;
      for (let turn = 0; turn < 50; turn++) await setImmediate();
    }
    expect(count).toBeLessThan(queries);
    const expected = Array.from({ length: queries }, (_, i) =>
      Buffer.concat([framed(new Uint8Array(Int32Array.from({ length: 1000 }, () => i + 1).buffer))]),
    );
    const received: Buffer[] = [];
    let octets = 0;
    for await (const chunk of slow) {
      received.push(chunk);
      octets += chunk.length;
      if (octets === queries * 4002) break;
    }
    expect(Buffer.concat(received).equals(Buffer.concat(expected))).toBe(true);
  });

  it("has a hundred messages of a connection at most between its beginning and its end", async () => {
    let run = 0;
    let longestRun = 0;
    const shortcut: Shortcut = {
      begin: () => {
        run = 0;
      },
      answer: (octets, start, end, output, outAt) => {
        longestRun = Math.max(longestRun, ++run);
        output.octets.set(octets.subarray(start, end), outAt);
        return end - start;
      },
      end: () => {},
    };
    const socket = await open(await listen({}, () => undefined, shortcut));
    const answers = read(socket, 2500);
    socket.write(Buffer.concat(Array.from({ length: 2500 }, (_, i) => message(String(i)))));
    expect(await answers).toEqual(Array.from({ length: 2500 }, (_, i) => String(i)));
    expect(longestRun).toBe(QUERIES_PER_TURN);
  });
});
