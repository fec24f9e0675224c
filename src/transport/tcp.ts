/** TCP (RFC 7766): messages behind a length of two octets, any number a connection, answered in the order they come. */

import { createServer, type Socket } from "node:net";
import type { Listener, ListenOptions, Respond } from "./listener.ts";
import { withoutScope } from "./udp.ts";

export interface TcpLimits {
  /** a connection is closed so long after it was opened or its last complete query came */
  readonly idleSeconds: number;
  readonly maxConnections: number;
}

/** Octets of responses a client may leave unread before no more of its queries are read. */
const MAX_UNREAD_OCTETS = 1 << 20;

/** Binds and serves; rejects where the address cannot be bound. */
export async function listenTcp(options: ListenOptions, limits: TcpLimits): Promise<Listener> {
  const { address, port, respond, onFault } = options;
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    serveConnection(socket, respond, limits.idleSeconds);
  });
  server.maxConnections = limits.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: true }, () => {
      server.off("error", reject);
      server.on("error", onFault);
      resolve();
    });
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of connections) socket.destroy();
      }),
  };
}

function serveConnection(socket: Socket, respond: Respond, idleSeconds: number): void {
  if (socket.remoteAddress === undefined || socket.remotePort === undefined) {
    socket.destroy(); // it has gone already
    return;
  }
  const source = {
    address: withoutScope(socket.remoteAddress),
    port: socket.remotePort,
    transport: "tcp",
  } as const;
  // Only a complete query renews the time, so that octets sent one by one hold no connection (RFC 7766 §6.2.3).
  // The socket is destroyed and not ended: a peer that never closes its side would keep it otherwise.
  const idle = setTimeout(() => socket.destroy(), idleSeconds * 1000);
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    const { messages, rest } = splitMessages(pending.length === 0 ? chunk : Buffer.concat([pending, chunk]));
    pending = rest;
    if (messages.length > 0) idle.refresh();
    for (const message of messages) {
      const response = respond(message, source);
      if (response !== undefined) socket.write(framed(response));
    }
    if (socket.writableLength > MAX_UNREAD_OCTETS) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
  socket.on("end", () => socket.end());
  // A reset is the peer's business.
  socket.on("error", () => socket.destroy());
  socket.once("close", () => clearTimeout(idle));
}

/** Cuts a stream into messages (RFC 1035 §4.2.2); what is not complete yet is the rest. */
export function splitMessages(stream: Buffer): {
  readonly messages: readonly Buffer[];
  readonly rest: Buffer;
} {
  const messages: Buffer[] = [];
  let at = 0;
  while (stream.length - at >= 2) {
    const end = at + 2 + stream.readUInt16BE(at);
    if (end > stream.length) break;
    messages.push(stream.subarray(at + 2, end));
    at = end;
  }
  return { messages, rest: stream.subarray(at) };
}

/** The message behind its length, in one piece (RFC 7766 §8). */
export function framed(message: Uint8Array): Uint8Array {
  const octets = new Uint8Array(2 + message.length);
  octets.set([message.length >> 8, message.length & 0xff]);
  octets.set(message, 2);
  return octets;
}
