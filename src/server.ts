/** Puts the parts together: a snapshot behind sockets. */

import { answer, answerServfail } from "./answer.ts";
import type { DatacenterStates } from "./cloud/states.ts";
import { type Endpoint, formatEndpoint } from "./ip.ts";
import { type Snapshot, withStates } from "./snapshot.ts";
import type { Source, Trace } from "./trace.ts";
import type { Listener, Respond } from "./transport/listener.ts";
import { listenTcp } from "./transport/tcp.ts";
import { listenUdp } from "./transport/udp.ts";

export interface ServerOptions {
  readonly listen: readonly Endpoint[];
  /** told of every query, after its answer is made */
  readonly onTrace?: (trace: Trace) => void;
  /** told of what went wrong inside, a stack with it */
  readonly onFault?: (error: unknown) => void;
}

export interface Server {
  /** where it listens, with the ports that were given for 0 */
  readonly listening: readonly Endpoint[];
  /** The next query is answered in these states. */
  setStates(states: DatacenterStates): void;
  close(): Promise<void>;
}

/** An address that cannot be served, and why. */
export class ListenError extends Error {}

/** Serves a snapshot over UDP and TCP; rejects with a ListenError, nothing left open, where an address cannot be bound. */
export async function startServer(first: Snapshot, options: ServerOptions): Promise<Server> {
  let snapshot = first;
  const onFault = options.onFault ?? (() => {});
  // The one place where what is thrown on the path of a query is caught: the asker gets SERVFAIL, the operator the stack.
  const respond: Respond = (message, source) => {
    try {
      const { octets, trace } = answer(snapshot, message, source);
      options.onTrace?.(trace);
      return octets;
    } catch (error) {
      onFault(error);
      return servfail(snapshot, message, source, onFault);
    }
  };
  const listeners: Listener[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  };
  const listening: Endpoint[] = [];
  try {
    for (const at of options.listen) {
      const pair = await listenPair(at, snapshot, respond, onFault);
      listeners.push(...pair);
      listening.push({ ...at, port: pair[0].port });
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  return {
    listening,
    setStates: (states) => {
      snapshot = withStates(snapshot, states);
    },
    close: closeAll,
  };
}

/** SERVFAIL, or silence where even that fails. */
function servfail(
  snapshot: Snapshot,
  message: Uint8Array,
  source: Source,
  onFault: (error: unknown) => void,
): Uint8Array | undefined {
  try {
    return answerServfail(snapshot, message, source);
  } catch (error) {
    onFault(error);
    return undefined;
  }
}

/** How often a free UDP port is tried whose TCP twin is taken. */
const PORT_ATTEMPTS = 10;

/** UDP and TCP on the same port. */
async function listenPair(
  at: Endpoint,
  { configuration }: Snapshot,
  respond: Respond,
  onFault: (error: unknown) => void,
): Promise<readonly [Listener, Listener]> {
  for (let attempt = 1; ; attempt++) {
    const udp = await listenUdp({ ...at, respond, onFault }).catch((error: unknown) => {
      throw listenError(at, "UDP", error);
    });
    try {
      const tcp = await listenTcp({ ...at, port: udp.port, respond, onFault }, configuration.settings.tcp);
      return [udp, tcp];
    } catch (error) {
      await udp.close();
      if (at.port !== 0 || attempt === PORT_ATTEMPTS) throw listenError(at, "TCP", error);
    }
  }
}

/** One line that says which address and what to do. */
function listenError(at: Endpoint, transport: string, error: unknown): ListenError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const where = `cannot listen on ${formatEndpoint(at)} over ${transport}`;
  switch (code) {
    case "EADDRINUSE":
      return new ListenError(
        `${where}: another program uses the port; stop it or choose another with --listen`,
      );
    case "EACCES":
      return new ListenError(
        `${where}: ports below 1024 need a right; choose another with --listen, or grant CAP_NET_BIND_SERVICE`,
      );
    case "EADDRNOTAVAIL":
      return new ListenError(`${where}: this machine has no such address; choose another with --listen`);
    default:
      return new ListenError(`${where}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
