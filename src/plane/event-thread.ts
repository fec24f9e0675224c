/** A worker thread with an event loop: TCP, and UDP through dgram where datagrams are not batched. */

import { parentPort, workerData } from "node:worker_threads";
import type { IpAddress } from "../ip.ts";
import type { Source } from "../trace.ts";
import { PEER } from "../transport/batch.ts";
import { Connections } from "../transport/connections.ts";
import type { Listener, Respond, ResponseOctets } from "../transport/listener.ts";
import { socketAddressOf } from "../transport/syscalls.ts";
import { listenTcp } from "../transport/tcp.ts";
import { listenUdp } from "../transport/udp.ts";
import { type FastSource, MAX_FAST_OCTETS } from "./fast-path.ts";
import { Front } from "./front.ts";
import { HandoverWriter } from "./handover.ts";
import { CONTROL, type FromThread, type ThreadData, type ToEventThread } from "./thread-data.ts";

const data: ThreadData = workerData;
const front = new Front(data, 1);
const handover = new HandoverWriter(data.handover, () => post({ kind: "handed-over" }));
const control = new Int32Array(data.control);
const memory = new ArrayBuffer(MAX_FAST_OCTETS + 4);
const output = { octets: new Uint8Array(memory), words: new Int32Array(memory) };
const fastSource: FastSource = {
  isTcp: true,
  family: 4,
  octets: new Uint8Array(16),
  at: 0,
  vantage: undefined,
  ignoresClientSubnet: false,
};
const peer = new Uint8Array(PEER.octets);

/** Those whose messages were handed over, by their tickets. */
const waiting = new Map<number, (octets: ResponseOctets) => void>();
let lastTicket = 0;
const listeners = new Map<number, Listener>();
let connections: Connections | undefined;

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** Answers who asks at a listener. */
const respondAt =
  (listener: number): Respond =>
  (message, source) => {
    const began = performance.now();
    const receivedAt = performance.timeOrigin + began;
    front.refresh();
    const known = front.isWatched ? undefined : answer(listener, message, source);
    if (known === undefined) return handOver(listener, message, source, receivedAt);
    note(message, receivedAt, (performance.now() - began) / 1000);
    return known;
  };

/** An answer that cannot be counted was given all the same. */
function note(message: Uint8Array, receivedAt: number, seconds: number): void {
  try {
    front.note(message, receivedAt, seconds);
  } catch (error) {
    tell(error);
  }
}

function answer(
  listener: number,
  message: Uint8Array,
  { address, transport }: Source,
): Uint8Array | undefined {
  const rules = front.published.listeners[listener];
  fastSource.isTcp = transport === "tcp";
  fastSource.family = address.family;
  fastSource.octets = address.octets;
  fastSource.vantage = rules?.vantage;
  fastSource.ignoresClientSubnet = rules?.ignoresClientSubnet ?? false;
  try {
    const length = front.answer(message, 0, message.length, fastSource, output, 0);
    return length === 0 ? undefined : output.octets.slice(0, length);
  } catch (error) {
    tell(error);
    return undefined;
  }
}

function handOver(
  listener: number,
  message: Uint8Array,
  { address, port, transport }: Source,
  receivedAt: number,
): Promise<ResponseOctets> {
  const ticket = nextTicket();
  writePeer(address, port, transport);
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
  const options = { ...at, respond: respondAt(listener), onFault: tell };
  if (transport === "udp") return listenUdp({ ...options, reusePort });
  connections ??= new Connections(limits, ({ open, refused, replaced }) => {
    Atomics.store(control, CONTROL.connections, open);
    Atomics.store(control, CONTROL.refused, refused);
    Atomics.store(control, CONTROL.replaced, replaced);
  });
  return listenTcp(options, limits, connections);
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
post({ kind: "ready" });
