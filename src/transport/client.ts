/** A small client: one query to one server, for the command `query` and for tests. */

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Endpoint } from "../ip.ts";
import { framed, MessageBuffer } from "./framing.ts";

export interface ExchangeOptions {
  readonly transport: "udp" | "tcp";
  readonly timeoutMilliseconds: number;
}

/** Sends a message and returns what comes back with its id; rejects after the timeout or where nobody listens. */
export function exchange(
  server: Endpoint,
  message: Uint8Array,
  options: ExchangeOptions,
): Promise<Uint8Array> {
  const isReply = (reply: Uint8Array): boolean => reply[0] === message[0] && reply[1] === message[1];
  return options.transport === "udp"
    ? exchangeUdp(server, message, options.timeoutMilliseconds, isReply)
    : exchangeTcp(server, message, options.timeoutMilliseconds, isReply);
}

function exchangeUdp(
  { address, family, port }: Endpoint,
  message: Uint8Array,
  timeoutMilliseconds: number,
  isReply: (reply: Uint8Array) => boolean,
): Promise<Uint8Array> {
  const socket = createSocket(family === 4 ? "udp4" : "udp6");
  return new Promise<Uint8Array>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${timeoutMilliseconds} ms`)),
      timeoutMilliseconds,
    );
    socket.on("error", reject);
    socket.on("message", (reply) => {
      if (!isReply(reply)) return;
      clearTimeout(timer);
      resolve(reply);
    });
    // A connected socket takes nothing from elsewhere, and is told when nobody listens.
    socket.connect(port, address, () => {
      socket.send(message, (error) => {
        if (error !== null) reject(error);
      });
    });
    socket.once("error", () => clearTimeout(timer));
  }).finally(() => socket.close());
}

function exchangeTcp(
  { address, port }: Endpoint,
  message: Uint8Array,
  timeoutMilliseconds: number,
  isReply: (reply: Uint8Array) => boolean,
): Promise<Uint8Array> {
  const socket = connect({ host: address, port });
  return new Promise<Uint8Array>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${timeoutMilliseconds} ms`)),
      timeoutMilliseconds,
    );
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("the server closed the connection"));
    });
    socket.on("error", reject);
    const input = new MessageBuffer();
    socket.on("data", (chunk) => {
      input.push(chunk);
      for (let reply = input.take(); reply !== undefined; reply = input.take()) {
        if (isReply(reply)) resolve(reply);
      }
    });
    socket.on("connect", () => socket.write(framed(message)));
  }).finally(() => socket.destroy());
}
