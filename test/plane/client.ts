/** A client with many queries under way on one socket, told apart by their ids. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { framed, MessageBuffer } from "../../src/transport/framing.ts";
import type { Way } from "../wire-client.ts";

/** So many wait at a time, which no buffer on the way is too small for. */
const WINDOW = 100;

export interface Client {
  /** Sends messages, each under an id of the client, and returns the responses in the same order, under the ids of the messages. */
  askAll(messages: readonly Uint8Array[]): Promise<readonly Buffer[]>;
  close(): void;
}

export async function openClient(way: Way, port: number, address = "127.0.0.1"): Promise<Client> {
  const waiting = new Map<number, (reply: Buffer) => void>();
  const take = (reply: Buffer): void => {
    const id = reply.readUInt16BE(0);
    const resolve = waiting.get(id);
    if (resolve === undefined) throw new Error(`a response nobody waits for: ${reply.toString("hex")}`);
    waiting.delete(id);
    resolve(reply);
  };
  const { send, close } = await (way === "udp" ? openUdp : openTcp)(port, address, take);
  let last = 0;
  const ask = async (message: Uint8Array): Promise<Buffer> => {
    last = (last + 1) & 0xffff;
    const asked = Buffer.from(message);
    asked.writeUInt16BE(last, 0);
    const reply = await new Promise<Buffer>((resolve) => {
      waiting.set(last, resolve);
      send(asked);
    });
    reply.set(message.subarray(0, 2), 0);
    return reply;
  };
  return {
    askAll: async (messages) => {
      const replies: Buffer[] = [];
      const left = messages.entries();
      // Each of them takes the next message when its last one is answered.
      const askSome = async (): Promise<void> => {
        for (const [i, message] of left) replies[i] = await ask(message);
      };
      await Promise.all(Array.from({ length: WINDOW }, askSome));
      return replies;
    },
    close,
  };
}

interface Connection {
  send(message: Buffer): void;
  close(): void;
}

async function openUdp(port: number, address: string, take: (reply: Buffer) => void): Promise<Connection> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", take);
  socket.connect(port, address);
  await once(socket, "connect");
  return { send: (message) => socket.send(message), close: () => socket.close() };
}

async function openTcp(port: number, address: string, take: (reply: Buffer) => void): Promise<Connection> {
  const socket = connect({ host: address, port });
  await once(socket, "connect");
  const buffer = new MessageBuffer();
  socket.on("data", (chunk) => {
    buffer.push(chunk);
    for (let reply = buffer.take(); reply !== undefined; reply = buffer.take()) take(Buffer.from(reply));
  });
  return { send: (message) => socket.write(framed(message)), close: () => socket.destroy() };
}
