/** A worker thread with an event loop: TCP, and UDP through dgram where datagrams are not batched. */

import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { giveBackRoom } from "../garbage.ts";
import type { IpAddress } from "../ip.ts";
import type { Source } from "../trace.ts";
import { PEER } from "../transport/batch.ts";
import { Connections } from "../transport/connections.ts";
import type { Listener, Output, Respond, ResponseOctets, Shortcut } from "../transport/listener.ts";
import { socketAddressOf } from "../transport/syscalls.ts";
import { listenTcp, QUERIES_PER_TURN } from "../transport/tcp.ts";
import { listenUdp } from "../transport/udp.ts";
import { type FastSource, MAX_FAST_OCTETS, UNKNOWN } from "./fast-path.ts";
import { Front } from "./front.ts";
import { HandoverWriter } from "./handover.ts";
import { CONTROL, type FromThread, type ThreadData, type ToEventThread } from "./thread-data.ts";

const data: ThreadData = workerData;
const front = new Front(data, QUERIES_PER_TURN);
const handover = new HandoverWriter(data.handover, () => post({ kind: "handed-over" }));
const control = new Int32Array(data.control);
const peer = new Uint8Array(PEER.octets);

/** So long after its start a thread gives back what only the start needed. */
const SETTLED_MILLISECONDS = 500;

/** Those whose messages were handed over, by their tickets. */
const waiting = new Map<number, (octets: ResponseOctets) => void>();
let lastTicket = 0;
const listeners = new Map<number, Listener>();
let connections: Connections | undefined;

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** Answers out of shared memory who asks at a listener. */
class FrontShortcut implements Shortcut {
  readonly #listener: number;
  readonly #source: FastSource = {
    isTcp: true,
    family: 4,
    octets: new Uint8Array(16),
    at: 0,
    vantage: undefined,
    ignoresClientSubnet: false,
  };
  #began = 0;
  #isWatched = false;

  constructor(listener: number) {
    this.#listener = listener;
  }

  begin({ address, transport }: Source, now: number): void {
    front.refresh();
    this.#began = now;
    this.#isWatched = front.isWatched;
    const rules = front.published.listeners[this.#listener];
    const source = this.#source;
    source.isTcp = transport === "tcp";
    source.family = address.family;
    source.octets = address.octets;
    source.vantage = rules?.vantage;
    source.ignoresClientSubnet = rules?.ignoresClientSubnet ?? false;
  }

  /** What goes wrong with a message is told, and the message left to the main thread, which does better or says SERVFAIL. */
  answer(octets: Uint8Array, start: number, end: number, output: Output, outAt: number): number {
    if (this.#isWatched) return UNKNOWN;
    try {
      return front.answer(octets, start, end, this.#source, output, outAt);
    } catch (error) {
      tell(error);
      return UNKNOWN;
    }
  }

  /** An answer that cannot be counted was given all the same. */
  end(octets: Uint8Array): void {
    try {
      front.note(octets, (performance.now() - this.#began) / 1000);
    } catch (error) {
      tell(error);
    }
  }
}

/** Answers a datagram by itself. */
function respondWith(shortcut: Shortcut, leave: Respond): Respond {
  const memory = new ArrayBuffer(MAX_FAST_OCTETS);
  const output = { octets: new Uint8Array(memory), words: new Int32Array(memory) };
  return (message, source) => {
    shortcut.begin(source, performance.now());
    const length = shortcut.answer(message, 0, message.length, output, 0);
    if (length === 0) return leave(message, source);
    shortcut.end(message);
    return output.octets.slice(0, length);
  };
}

function handOver(
  listener: number,
  message: Uint8Array,
  { address, port, transport }: Source,
): Promise<ResponseOctets> {
  const ticket = nextTicket();
  writePeer(address, port, transport);
  const receivedAt = performance.timeOrigin + performance.now();
  const about = { socket: listener, ticket, receivedAt, peer, peerAt: 0 };
  return new Promise((resolve) => {
    if (!handover.write(message, 0, message.length, about)) {
      resolve(undefined);
      return;
    }
    waiting.set(ticket, resolve);
  });
}

function nextTicket(): number {
  lastTicket = (lastTicket + 1) & 0x7fffffff;
  return lastTicket;
}

/** The transport stands where a batch has its control data. */
function writePeer({ family, octets }: IpAddress, port: number, transport: Source["transport"]): void {
  peer.set(socketAddressOf(family, octets, port));
  peer[PEER.control] = transport === "tcp" ? 1 : 0;
}

function tell(error: unknown): void {
  const [text, stack] = error instanceof Error ? [error.message, error.stack] : [String(error), undefined];
  post({ kind: "fault", message: text, stack });
}

async function listen({
  listener,
  transport,
  at,
  reusePort,
  limits,
}: Extract<ToEventThread, { readonly kind: "listen" }>): Promise<Listener> {
  const respond: Respond = (message, source) => handOver(listener, message, source);
  const shortcut = new FrontShortcut(listener);
  if (transport === "udp") {
    return listenUdp({ ...at, respond: respondWith(shortcut, respond), reusePort, onFault: tell });
  }
  connections ??= new Connections(limits, ({ open, refused, replaced }) => {
    Atomics.store(control, CONTROL.connections, open);
    Atomics.store(control, CONTROL.refused, refused);
    Atomics.store(control, CONTROL.replaced, replaced);
  });
  return listenTcp({ ...at, respond, shortcut, onFault: tell }, limits, connections);
}

async function obey(message: ToEventThread): Promise<void> {
  switch (message.kind) {
    case "listen": {
      const { call } = message;
      try {
        const opened = await listen(message);
        listeners.set(call, opened);
        post({ kind: "done", call, port: opened.port });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
        post({ kind: "failed", call, message: text, code });
      }
      return;
    }
    case "answers":
      for (const { ticket, octets } of message.answers) {
        waiting.get(ticket)?.(octets);
        waiting.delete(ticket);
      }
      return;
    case "refresh":
      front.refresh();
      return;
    case "close":
      await listeners.get(message.listener)?.close();
      listeners.delete(message.listener);
      post({ kind: "done", call: message.call, port: 0 });
      return;
    default:
      message satisfies never;
  }
}

parentPort?.on("message", (message: ToEventThread) => {
  obey(message).catch(tell);
});
// A thread that is ended from outside would not write it.
flushCompileCache();
setTimeout(giveBackRoom, SETTLED_MILLISECONDS).unref();
post({ kind: "ready" });
