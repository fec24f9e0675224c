/** Many questions to one server on loopback: over UDP a few at a time, over TCP pipelined on one connection. */

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { decodeMessage } from "../../../src/dns/decode.ts";
import type { Message } from "../../../src/dns/message.ts";
import { framed, MessageBuffer } from "../../../src/transport/framing.ts";

/** How many questions wait for their answers at once. */
const WINDOW = 48;
const RESEND_MILLISECONDS = 1000;
const MAX_SENDS = 10;

interface Wire {
  send(message: Uint8Array): void;
  onMessage(take: (octets: Uint8Array) => void): void;
  onEnd(fail: (error: Error) => void): void;
  close(): void;
}

/** The answers in the order of the queries; the id of the query at i is overwritten by i. Rejects where one stays out. */
export async function askAll(
  port: number,
  transport: "udp" | "tcp",
  queries: readonly Uint8Array[],
): Promise<readonly Message[]> {
  if (queries.length > 0xffff) throw new Error("there are more queries than ids");
  if (queries.length === 0) return [];
  const wire = await (transport === "udp" ? openUdp(port) : openTcp(port));
  const replies = new Map<number, Message>();
  const waiting = new Map<number, { readonly sentAt: number; readonly sends: number }>();
  let next = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const send = (i: number, sends: number): void => {
        const query = Uint8Array.from(queries[i] ?? []);
        query.set([i >> 8, i & 0xff]);
        waiting.set(i, { sentAt: Date.now(), sends });
        wire.send(query);
      };
      const fill = (): void => {
        while (next < queries.length && waiting.size < WINDOW) send(next++, 1);
        if (waiting.size === 0) resolve();
      };
      wire.onEnd(reject);
      wire.onMessage((octets) => {
        const message = decodeMessage(octets);
        if (typeof message === "string") {
          reject(new Error(`a malformed reply: ${message}: ${Buffer.from(octets).toString("hex")}`));
          return;
        }
        if (!waiting.delete(message.id)) return;
        replies.set(message.id, message);
        fill();
      });
      timer = setInterval(() => {
        for (const [i, { sentAt, sends }] of waiting) {
          if (Date.now() - sentAt < RESEND_MILLISECONDS * (transport === "udp" ? 1 : MAX_SENDS)) continue;
          if (transport === "tcp" || sends === MAX_SENDS) reject(new Error(`no answer to query ${i}`));
          else send(i, sends + 1);
        }
      }, RESEND_MILLISECONDS / 4);
      fill();
    });
  } finally {
    clearInterval(timer);
    wire.close();
  }
  return queries.map((_, i) => {
    const reply = replies.get(i);
    if (reply === undefined) throw new Error(`no answer to query ${i}`);
    return reply;
  });
}

async function openUdp(port: number): Promise<Wire> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));
  return {
    send: (message) => socket.send(message),
    onMessage: (take) => socket.on("message", take),
    onEnd: (fail) => socket.on("error", fail),
    close: () => socket.close(),
  };
}

async function openTcp(port: number): Promise<Wire> {
  const socket = connect({ host: "127.0.0.1", port });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const buffer = new MessageBuffer();
  return {
    send: (message) => socket.write(framed(message)),
    onMessage: (take) =>
      socket.on("data", (chunk) => {
        buffer.push(chunk);
        for (let message = buffer.take(); message !== undefined; message = buffer.take()) take(message);
      }),
    onEnd: (fail) => {
      socket.on("error", fail);
      socket.on("close", () => fail(new Error("the server closed the connection")));
    },
    close: () => socket.destroy(),
  };
}
