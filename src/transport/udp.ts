/** UDP through dgram: one datagram, one response. */

import { createSocket } from "node:dgram";
import type { IpAddress } from "../ip.ts";
import { parseAddress } from "../ip.ts";
import type { Listener, ListenOptions } from "./listener.ts";

/** Binds and serves; rejects where the address cannot be bound. */
export async function listenUdp({
  address,
  family,
  port,
  respond,
  onFault,
}: ListenOptions): Promise<Listener> {
  const socket = createSocket(family === 4 ? { type: "udp4" } : { type: "udp6", ipv6Only: true });
  socket.on("message", (message, remote) => {
    // Port 0 cannot be answered; dgram would throw.
    if (remote.port === 0) return;
    const source = { address: withoutScope(remote.address), port: remote.port, transport: "udp" } as const;
    const response = respond(message, source);
    if (response === undefined) return;
    socket.send(response, remote.port, remote.address, (error) => {
      if (error !== null) onFault(error);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port }, () => {
      socket.off("error", reject);
      socket.on("error", onFault);
      resolve();
    });
  });
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** The address of a peer; the name of an interface behind a link-local one says nothing about its place. */
export function withoutScope(text: string): IpAddress {
  const address = parseAddress(text.split("%", 1)[0] ?? "");
  if (address === undefined) throw new Error(`the socket reports "${text}" as an address`);
  return address;
}
