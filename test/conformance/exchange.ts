/** Sends a message and tells an answer, silence and a closed connection apart without waiting for silence. */

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { framed } from "../../src/transport/framing.ts";
import { splitMessages } from "../wire-client.ts";
import type { Way } from "./expect.ts";
import { ask } from "./query.ts";

/** Behind every message goes a good query. When that is answered, or the connection is closed, nothing more will come. */
const SENTINEL_ID = 0xfffe;
const sentinel = ask("sentinel.invalid.", "A", { id: SENTINEL_ID }).octets;
const isSentinelReply = (reply: Uint8Array): boolean =>
  reply[0] === SENTINEL_ID >> 8 && reply[1] === (SENTINEL_ID & 0xff);

/** For a server that has gone; a test then fails with a sentence and not by its time. */
const PATIENCE_MILLISECONDS = 5000;

export interface Exchanged {
  readonly replies: readonly Uint8Array[];
  /** the server ended the connection before it answered the sentinel */
  readonly closed: boolean;
}

/** The replies to one message. */
export const exchange = (port: number, way: Way, message: Uint8Array): Promise<Exchanged> =>
  way === "udp" ? exchangeUdp(port, message) : exchangeTcp(port, [Buffer.concat([framed(message)])]);

function exchangeUdp(port: number, message: Uint8Array): Promise<Exchanged> {
  const socket = createSocket("udp4");
  return new Promise<Exchanged>((resolve, reject) => {
    const replies: Uint8Array[] = [];
    let sentinels = 0;
    const patience = setTimeout(() => reject(new Error("the server is silent")), PATIENCE_MILLISECONDS);
    socket.on("close", () => clearTimeout(patience));
    socket.on("error", reject);
    // Asked twice: a server may send the answers of a batch in any order, and takes up the next one after that.
    socket.on("message", (reply) => {
      if (!isSentinelReply(reply)) replies.push(reply);
      else if (++sentinels === 2) resolve({ replies, closed: false });
      else socket.send(sentinel);
    });
    socket.connect(port, "127.0.0.1", () => {
      socket.send(message);
      socket.send(sentinel);
    });
  }).finally(() => socket.close());
}

/** Writes the chunks one by one, each when the one before it has left, and then the sentinel, or ends its side. */
export function exchangeTcp(
  port: number,
  chunks: readonly Uint8Array[],
  { halfClose = false } = {},
): Promise<Exchanged> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  return new Promise<Exchanged>((resolve, reject) => {
    const replies: Uint8Array[] = [];
    let pending: Buffer = Buffer.alloc(0);
    const patience = setTimeout(() => reject(new Error("the server is silent")), PATIENCE_MILLISECONDS);
    socket.on("close", () => {
      clearTimeout(patience);
      resolve({ replies, closed: true });
    });
    // A reset is a way to close.
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      const { messages, rest } = splitMessages(Buffer.concat([pending, chunk]));
      pending = rest;
      for (const reply of messages) {
        if (isSentinelReply(reply)) resolve({ replies, closed: false });
        else replies.push(reply);
      }
    });
    const write = (i: number): void => {
      const chunk = chunks[i];
      if (chunk !== undefined) socket.write(chunk, () => setImmediate(write, i + 1));
      else if (halfClose) socket.end();
      else socket.write(framed(sentinel));
    };
    write(0);
  }).finally(() => socket.destroy());
}
