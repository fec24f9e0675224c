/** A client over real sockets that can tell silence from an answer without waiting for one. */

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { CLASS, TYPE } from "../src/dns/iana.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { framed, MessageBuffer } from "../src/transport/framing.ts";

export type Way = "udp" | "tcp";

const SENTINEL_ID = 0xfffe;
const sentinel = renderQuery(
  { qname: nameOctets(nameOf("sentinel.invalid.")), qtype: TYPE.A, qclass: CLASS.IN },
  { id: SENTINEL_ID, recursionDesired: false, edns: undefined },
);
const isSentinelReply = (reply: Uint8Array): boolean =>
  reply[0] === SENTINEL_ID >> 8 && reply[1] === (SENTINEL_ID & 0xff);

/**
 * Sends messages and behind them a good query; returns all that came back before the answer to that. Messages with the
 * sentinel's id are not for this client. Over UDP that query is asked once more when it is answered: a worker thread that
 * hands it over sends what it answers by itself only at the end of its batch, and takes the next one after that.
 */
export function sendAll(
  port: number,
  way: Way,
  messages: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  return way === "udp" ? sendAllUdp(port, messages) : sendAllTcp(port, messages);
}

function sendAllUdp(port: number, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const socket = createSocket("udp4");
  return new Promise<readonly Uint8Array[]>((resolve, reject) => {
    const replies: Uint8Array[] = [];
    let sentinels = 0;
    socket.on("error", reject);
    socket.on("message", (reply) => {
      if (!isSentinelReply(reply)) replies.push(reply);
      else if (++sentinels === 2) resolve(replies);
      else socket.send(sentinel);
    });
    socket.connect(port, "127.0.0.1", () => {
      for (const message of [...messages, sentinel]) socket.send(message);
    });
  }).finally(() => socket.close());
}

function sendAllTcp(port: number, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const socket = connect({ host: "127.0.0.1", port });
  return new Promise<readonly Uint8Array[]>((resolve, reject) => {
    const replies: Uint8Array[] = [];
    let pending: Buffer = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection")));
    socket.on("data", (chunk) => {
      const { messages: complete, rest } = splitMessages(Buffer.concat([pending, chunk]));
      pending = rest;
      for (const reply of complete) {
        if (isSentinelReply(reply)) resolve(replies);
        else replies.push(reply);
      }
    });
    for (const message of [...messages, sentinel]) socket.write(framed(message));
  }).finally(() => socket.destroy());
}

/** Cuts a stream into messages; what is not complete yet is the rest. */
export function splitMessages(stream: Buffer): {
  readonly messages: readonly Buffer[];
  readonly rest: Buffer;
} {
  const buffer = new MessageBuffer();
  buffer.push(stream);
  const messages: Buffer[] = [];
  for (let message = buffer.take(); message !== undefined; message = buffer.take()) messages.push(message);
  return { messages, rest: buffer.rest() };
}
