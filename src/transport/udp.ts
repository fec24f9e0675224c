/** UDP through dgram: one datagram, one response. */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { withoutScope } from "./addresses.ts";
import { type Listener, type ListenOptions, type ResponseOctets, receivedIsRead } from "./listener.ts";

/** Octets asked for before and behind the server, so that a burst waits in the kernel and is not lost there. */
const BUFFER_OCTETS = 4 << 20;

/** Binds and serves; rejects where the address cannot be bound. */
export async function listenUdp({
  address,
  family,
  port,
  respond,
  onFault,
}: ListenOptions): Promise<Listener> {
  const socket = createSocket(family === 4 ? { type: "udp4" } : { type: "udp6", ipv6Only: true });
  /** answers that are awaited or not sent yet */
  let unsent = 0;
  let isClosing = false;
  let hasNews = false;
  let allSent = (): void => {};
  const isSent = (): void => {
    unsent--;
    if (unsent === 0) allSent();
  };
  const send = (response: ResponseOctets, remote: RemoteInfo): void => {
    if (response === undefined) {
      isSent();
      return;
    }
    // Without a callback dgram would raise what goes wrong with one response as an error of the socket.
    socket.send(response, remote.port, remote.address, (error) => {
      isSent();
      if (error !== null) onFault(error);
    });
  };
  socket.on("message", (message, remote) => {
    // Port 0 cannot be answered; dgram would throw.
    if (remote.port === 0 || isClosing) return;
    hasNews = true;
    const source = { address: withoutScope(remote.address), port: remote.port, transport: "udp" } as const;
    const response = respond(message, source);
    unsent++;
    if (response instanceof Promise) void response.then((octets) => send(octets, remote));
    else send(response, remote);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port }, () => {
      socket.off("error", reject);
      socket.on("error", onFault);
      resolve();
    });
  });
  enlargeBuffers(socket);
  return {
    port: socket.address().port,
    close: async () => {
      await receivedIsRead(() => {
        const news = hasNews;
        hasNews = false;
        return news;
      });
      isClosing = true;
      if (unsent > 0) {
        await new Promise<void>((resolve) => {
          allSent = resolve;
        });
      }
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/**
 * Linux gives what it allows (net.core.rmem_max, wmem_max). Elsewhere too large a wish is an error: then the socket keeps
 * what it has, which is no fault. As options of createSocket the sizes would throw where nobody can catch it.
 */
function enlargeBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(BUFFER_OCTETS);
    socket.setSendBufferSize(BUFFER_OCTETS);
  } catch {}
}
