/** Puts the parts together: a snapshot and its handlers behind sockets. */

import { type Answered, answer, answerServfail, type Deferred, finishAnswer } from "./answer.ts";
import { AnswerCache, type AnswerLabels } from "./answer-cache.ts";
import type { ClockAnchor } from "./clock.ts";
import type { DatacenterStates } from "./cloud/states.ts";
import type { ListenerSettings } from "./config/configuration.ts";
import { formatVantage } from "./config/listeners.ts";
import { type Endpoint, formatAddress, formatEndpoint } from "./ip.ts";
import { Plane, type PlaneOptions } from "./plane/plane.ts";
import { renderHandlerQuery } from "./script/handler-query.ts";
import { type Handlers, noHandlers } from "./script/handlers.ts";
import type { HandlerOutcome } from "./script/script-thread.ts";
import { type Snapshot, withStates } from "./snapshot.ts";
import type { ListenerRules, Observation, Source, Trace } from "./trace.ts";
import { isLoopback, isWildcard, machineAddresses } from "./transport/addresses.ts";
import { type ConnectionCounts, Connections } from "./transport/connections.ts";
import type { Listener, Respond, ResponseOctets } from "./transport/listener.ts";
import { listenTcp } from "./transport/tcp.ts";
import { listenUdp } from "./transport/udp.ts";
import { findVantage } from "./vantage.ts";

export interface ServerOptions {
  readonly listen: readonly ListenerSettings[];
  /** answers in worker threads; in the thread of the caller where absent */
  readonly plane?: Pick<PlaneOptions, "transport" | "workers" | "addCounts" | "records">;
  /** what counts and the journal call the answers that worker threads give */
  readonly labels?: AnswerLabels;
  /** those of the snapshot's scripted zones; the server ends them */
  readonly handlers?: Handlers;
  /** milliseconds since 1970, read once a query; the machine's where absent */
  readonly now?: () => number;
  /** what `now` goes by, for worker threads; the machine's time where absent */
  readonly time?: () => ClockAnchor;
  /** milliseconds of a clock that never goes back, read twice a query */
  readonly stopwatch?: () => number;
  /** told of every query, after its answer is made */
  readonly onTrace?: (trace: Trace, observation: Observation) => void;
  /** told of what went wrong inside, a stack with it */
  readonly onFault?: (error: unknown) => void;
}

export interface Server {
  /** where it listens, with the ports that were given for 0 */
  readonly listening: readonly ListenerSettings[];
  /** listeners that stand for a network and whose loopback address this machine lacks */
  readonly leftOut: readonly ListenerSettings[];
  /** The next query is answered in these states. */
  setStates(states: DatacenterStates): void;
  /**
   * The next query is answered from this snapshot and these handlers; without new ones those before go on. Settles when
   * what the old handlers had in hand is answered and they have ended. Listeners stay as they are; one that stands for a network stands
   * for it as it is in this snapshot, and as it was before where it is gone.
   */
  replaceSnapshot(next: Snapshot, handlers?: Handlers): Promise<void>;
  /** TCP connections, now and so far */
  readonly connections: ConnectionCounts;
  /** queries that a worker thread could not hand over, so far */
  readonly dropped: number;
  /** What `time` says is other now. */
  renewTime(): void;
  /** Whether `onTrace` is to be told of every query; if not, only of those that worker threads do not know the answer to. */
  watch(isWatched: boolean): void;
  /** Answers what was received, then closes; settles when all is closed. */
  close(): Promise<void>;
}

/** An address that cannot be served, and why. */
export class ListenError extends Error {}

/**
 * Serves a snapshot over UDP and TCP; rejects with a ListenError, nothing left open, where an address cannot be bound. Only a
 * listener that stands for a network may lack its loopback address, if another is left: of 127.0.0.0/8 macOS has 127.0.0.1
 * alone, and a lab is to start there too. A port that is taken is an error everywhere.
 */
export async function startServer(first: Snapshot, options: ServerOptions): Promise<Server> {
  let snapshot = first;
  let handlers = options.handlers ?? noHandlers;
  const { now = Date.now, stopwatch = () => performance.now(), onTrace, onFault = () => {} } = options;
  /** what each listener says of its askers */
  const rules = new Map<ListenerSettings, ListenerRules>();
  const renewRules = (at: ListenerSettings): void => {
    if (at.vantage === undefined && at.ignoresClientSubnet === undefined) return;
    rules.set(at, {
      vantage: findVantage(at, snapshot.configuration.networks) ?? rules.get(at)?.vantage,
      ignoresClientSubnet: at.ignoresClientSubnet ?? false,
    });
  };
  for (const at of options.listen) renewRules(at);
  let plane: Plane | undefined;
  let publications = 0;
  const publish = (): void => plane?.publish(cache.publish(++publications));
  const newCache = (): AnswerCache =>
    new AnswerCache(snapshot, {
      ...(options.labels && { labels: options.labels }),
      ...(options.time && { time: options.time }),
      listeners: options.listen.map((at) => ({
        vantage: rules.get(at)?.vantage?.address,
        ignoresClientSubnet: at.ignoresClientSubnet ?? false,
      })),
      takeMemory: () => plane?.takeMemory(),
      onRenewed: publish,
    });
  let cache = newCache();
  const putInForce = (next: Snapshot): void => {
    snapshot = next;
    for (const at of rules.keys()) renewRules(at);
    cache = newCache();
    publish();
  };
  // The one place where what is thrown on the path of a query is caught: the asker gets SERVFAIL, the operator the stack.
  const respond = (
    message: Uint8Array,
    source: Source,
    received: number,
  ): ResponseOctets | Promise<ResponseOctets> => {
    const nowMilliseconds = now();
    const nowSeconds = Math.floor(nowMilliseconds / 1000);
    const answering = snapshot;
    const rescue = (error: unknown): ResponseOctets => {
      onFault(error);
      return servfail(snapshot, message, source, nowSeconds, onFault);
    };
    const finish = ({ octets, trace }: Answered): ResponseOctets => {
      const microseconds = (stopwatch() - received) * 1000;
      onTrace?.(trace, { octets, microseconds, nowMilliseconds, snapshot: answering });
      return octets;
    };
    try {
      const known = cache.find(message, source, nowSeconds);
      if (known !== undefined) return finish(known);
      const made = answer(snapshot, message, source, nowSeconds);
      if (made.kind === "answered") {
        cache.keep(message, made);
        return finish(made);
      }
      return askHandler(handlers, made, message.length)
        .then((outcome) => finish(finishAnswer(made, outcome)))
        .catch(rescue);
    } catch (error) {
      return rescue(error);
    }
  };
  const withRules = (at: ListenerSettings | undefined, source: Source): Source => {
    const listener = at && rules.get(at);
    return listener === undefined ? source : { ...source, listener };
  };
  const { tcp } = first.configuration.settings;
  if (options.plane !== undefined) {
    plane = await Plane.open({
      ...options.plane,
      limits: tcp,
      published: cache.publish(++publications),
      respond: (listener, message, source, receivedAt) =>
        respond(message, withRules(options.listen[listener], source), receivedAt - performance.timeOrigin),
      onFault,
    });
  }
  const connections = new Connections(tcp);
  const respondAt =
    (at: ListenerSettings): Respond =>
    (message, source) =>
      respond(message, withRules(at, source), stopwatch());
  const threads = plane;
  /** How a listener gets its sockets: in worker threads, or in this one. */
  const socketsAt = (at: ListenerSettings, i: number): Sockets =>
    threads === undefined
      ? {
          udp: (endpoint) => listenUdp({ ...endpoint, respond: respondAt(at), onFault }),
          tcp: (endpoint) => listenTcp({ ...endpoint, respond: respondAt(at), onFault }, tcp, connections),
          answersFromAsked: false,
        }
      : {
          udp: (endpoint) => threads.listenUdp(endpoint, i),
          tcp: (endpoint) => threads.listenTcp(endpoint, i),
          answersFromAsked: threads.answersFromAsked,
        };
  const listeners: Listener[] = [];
  const listening: ListenerSettings[] = [];
  const leftOut: ListenerSettings[] = [];
  const closeListeners = async (): Promise<void> => {
    await closeAll(listeners);
    await plane?.close();
  };
  try {
    let lacking: ListenError | undefined;
    for (const [i, at] of options.listen.entries()) {
      if (at.vantage !== undefined && rules.get(at)?.vantage === undefined)
        throw new Error(`${formatVantage(at.vantage)} is no network of this snapshot`);
      const opened = await listenAt(at, socketsAt(at, i), onFault).catch((error: unknown) => {
        if (!(error instanceof ListenError) || !mayBeLeftOut(at, error)) throw error;
        return error;
      });
      if (opened instanceof ListenError) {
        lacking = opened;
        leftOut.push(at);
        continue;
      }
      listeners.push(...opened.listeners);
      listening.push({ ...at, port: opened.port });
    }
    if (listeners.length === 0 && lacking !== undefined) throw lacking;
    await plane?.begin();
  } catch (error) {
    await closeListeners();
    await handlers.close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    listening,
    leftOut,
    get connections() {
      return plane?.connections ?? connections.counts;
    },
    get dropped() {
      return plane?.dropped ?? 0;
    },
    renewTime: publish,
    watch: (isWatched) => plane?.watch(isWatched),
    setStates: (states) => {
      putInForce(withStates(snapshot, states));
    },
    replaceSnapshot: async (next, nextHandlers = handlers) => {
      const before = handlers;
      putInForce(next);
      handlers = nextHandlers;
      if (before !== nextHandlers) await before.close();
    },
    close: () => {
      closed ??= closeListeners().then(() => handlers.close());
      return closed;
    },
  };
}

function askHandler(
  handlers: Handlers,
  { zone, query, shown, source }: Deferred,
  size: number,
): Promise<HandlerOutcome> {
  const { port, transport, listener } = source;
  // A handler is asked as if by whom the vantage stands for: it has no other way to know the place.
  const address = listener?.vantage?.address ?? source.address;
  return handlers.ask(zone.apex, {
    query: { question: query.question, clientSubnet: shown },
    octets: renderHandlerQuery(query, shown),
    source: {
      address: formatAddress(address.octets),
      port,
      family: address.family === 4 ? "IPv4" : "IPv6",
      size,
      transport,
    },
  });
}

/** SERVFAIL, or silence where even that fails. */
function servfail(
  snapshot: Snapshot,
  message: Uint8Array,
  source: Source,
  nowSeconds: number,
  onFault: (error: unknown) => void,
): Uint8Array | undefined {
  try {
    return answerServfail(snapshot, message, source, nowSeconds);
  } catch (error) {
    onFault(error);
    return undefined;
  }
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

function mayBeLeftOut(at: ListenerSettings, { cause }: ListenError): boolean {
  return at.vantage !== undefined && isLoopback(at) && codeOf(cause) === "EADDRNOTAVAIL";
}

/** How often a free port is tried that another of the sockets finds taken. */
const PORT_ATTEMPTS = 10;

interface Opened {
  readonly listeners: readonly Listener[];
  readonly port: number;
}

/** Where the sockets of a listener are. */
interface Sockets {
  /** Both bind and serve, and reject with what Node throws. */
  udp(at: Endpoint): Promise<Listener>;
  tcp(at: Endpoint): Promise<Listener>;
  /** whether a UDP socket that is bound to a wildcard answers from the address that was asked */
  readonly answersFromAsked: boolean;
}

/** UDP and TCP on the same port, which is any that is free for all of them where it is 0. */
async function listenAt(at: Endpoint, sockets: Sockets, onFault: (error: unknown) => void): Promise<Opened> {
  for (let attempt = 1; ; attempt++) {
    let udp: readonly Listener[] = [];
    try {
      udp = await listenUdpAt(at, sockets, onFault);
      const port = udp[0]?.port ?? at.port;
      const tcp = await sockets.tcp({ ...at, port }).catch((error) => {
        throw listenError({ ...at, port }, "TCP", error);
      });
      return { listeners: [...udp, tcp], port };
    } catch (error) {
      await closeAll(udp);
      const isTaken = error instanceof ListenError && codeOf(error.cause) === "EADDRINUSE";
      if (at.port !== 0 || !isTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/**
 * One UDP socket, or for a wildcard one for each address of this machine, all on one port. A resolver takes an answer only
 * from the address it asked. A socket bound to a wildcard answers from the address that the route to the asker prefers,
 * and dgram neither tells which address was asked nor takes one to answer from (it has no IP_PKTINFO), so each address has
 * its own socket. An address that comes after the start is served over TCP alone.
 */
async function listenUdpAt(
  at: Endpoint,
  sockets: Sockets,
  onFault: (error: unknown) => void,
): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  let { port } = at;
  let notAvailable: ListenError | undefined;
  const isEach = isWildcard(at) && !sockets.answersFromAsked;
  for (const address of isEach ? machineAddresses(at.family) : [at.address]) {
    try {
      const listener = await sockets.udp({ family: at.family, address, port });
      listeners.push(listener);
      port = listener.port;
    } catch (error) {
      const failure = listenError({ ...at, address, port }, "UDP", error);
      if (codeOf(error) !== "EADDRNOTAVAIL") {
        await closeAll(listeners);
        throw failure;
      }
      // Of several, one may have just gone, or not be ready (IPv6 looks for duplicates first, RFC 4862 §5.4).
      notAvailable = failure;
      if (isEach) onFault(failure);
    }
  }
  if (listeners.length > 0) return listeners;
  const where = formatEndpoint(at);
  throw (
    notAvailable ?? new ListenError(`cannot listen on ${where}: this machine has no IPv${at.family} address`)
  );
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** One line that says which address and what to do. */
function listenError(at: Endpoint, transport: string, cause: unknown): ListenError {
  const where = `cannot listen on ${formatEndpoint(at)} over ${transport}`;
  const error = (words: string): ListenError => new ListenError(`${where}: ${words}`, { cause });
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return error("another program uses the port; stop it or choose another with --listen");
    case "EACCES":
      return error(
        "ports below 1024 need a right; choose another with --listen, or grant CAP_NET_BIND_SERVICE",
      );
    case "EADDRNOTAVAIL":
      return error("this machine has no such address; choose another with --listen");
    default:
      return error(cause instanceof Error ? cause.message : String(cause));
  }
}
