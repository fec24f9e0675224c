/** UDP through dgram: one datagram, one response. */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { withoutScope } from "./addresses.ts";
import { type Listener, type ListenOptions, type ResponseOctets, receivedIsRead } from "./listener.ts";

/** Octets asked for before and behind the server, so that a burst waits in the kernel and is not lost there. */
const BUFFER_OCTETS = 4 << 20;

/** How often the close looks for what came while it was sending; each time it is a small part of the time before. */
const MAX_CLOSING_ROUNDS = 50;

/** Binds and serves; rejects where the address cannot be bound. */
export async function listenUdp({
  address,
  family,
  port,
  reusePort = false,
  respond,
  onFault,
}: ListenOptions): Promise<Listener> {
  const socket = await bind({
    address,
    family,
    port: port === 0 ? await findFreePort(address, family) : port,
    reusePort,
  });
  socket.on("error", onFault);
  /** whether anything was received since this was last looked at */
  let hasNews = false;
  /** questions whose answer is awaited */
  let unanswered = 0;
  /** answers that are not sent yet */
  let unsent = 0;
  /** answers that wait while the socket can send to nobody */
  let held: [Uint8Array, RemoteInfo][] | undefined;
  let settled = (): void => {};
  const settle = (): void => {
    if (unanswered + unsent === 0) settled();
  };
  const send = (octets: Uint8Array, remote: RemoteInfo): void => {
    unsent++;
    // Without a callback dgram would raise what goes wrong with one response as an error of the socket.
    socket.send(octets, remote.port, remote.address, (error) => {
      unsent--;
      if (error !== null) onFault(error);
      settle();
    });
  };
  const answer = (response: ResponseOctets, remote: RemoteInfo): void => {
    if (response === undefined) return;
    if (held === undefined) send(response, remote);
    else held.push([response, remote]);
  };
  socket.on("message", (message, remote) => {
    hasNews = true;
    // Port 0 cannot be answered; dgram would throw.
    if (remote.port === 0) return;
    const source = { address: withoutScope(remote.address), port: remote.port, transport: "udp" } as const;
    const response = respond(message, source);
    if (!(response instanceof Promise)) {
      answer(response, remote);
      return;
    }
    unanswered++;
    void response.then((octets) => {
      unanswered--;
      answer(octets, remote);
      settle();
    });
  });
  const sendHeld = (): void => {
    const answers = held ?? [];
    held = undefined;
    for (const [octets, remote] of answers) send(octets, remote);
  };
  /** Waits until all that was read is answered, and sent or held. */
  const isSettled = async (): Promise<void> => {
    if (unanswered + unsent === 0) return;
    await new Promise<void>((resolve) => {
      settled = resolve;
    });
  };
  const takeNews = (): boolean => {
    const news = hasNews;
    hasNews = false;
    return news;
  };
  enlargeBuffers(socket);
  return {
    port: socket.address().port,
    close: async () => {
      await receivedIsRead(() => false); // what was sent before the close
      // While a socket is connected to itself the kernel refuses what others send, so that what was received comes to an
      // end under any load. But then it sends to nobody else; what comes while it does so is left to the next round.
      for (let round = 0; round < MAX_CLOSING_ROUNDS; round++) {
        held = [];
        if (!(await connectToItself(socket))) break;
        await receivedIsRead(takeNews);
        await isSettled();
        if (held.length === 0) break;
        socket.disconnect();
        sendHeld();
      }
      sendHeld();
      await isSettled();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

function bind({
  address,
  family,
  port,
  reusePort = false,
}: Pick<ListenOptions, "address" | "family" | "port" | "reusePort">): Promise<Socket> {
  const socket = createSocket(
    family === 4 ? { type: "udp4", reusePort } : { type: "udp6", ipv6Only: true, reusePort },
  );
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** A socket that was bound to port 0 itself would lose its port when it is disconnected, at the close. */
async function findFreePort(address: string, family: 4 | 6): Promise<number> {
  const socket = await bind({ address, family, port: 0 });
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Whether it could be done. */
function connectToItself(socket: Socket): Promise<boolean> {
  const { port, address } = socket.address();
  return new Promise((resolve) => {
    socket.connect(port, address, (error?: Error) => resolve(error === undefined));
  });
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
