/** A worker thread that answers UDP by the batch. It waits in poll, not in an event loop. */

import { flushCompileCache } from "node:module";
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { giveBackRoom } from "../garbage.ts";
import { BATCH, Batch, isFamily6, PEER } from "../transport/batch.ts";
import {
  addressOffset,
  EAGAIN,
  EINTR,
  loadSyscalls,
  MSG_DONTWAIT,
  MSG_WAITFORONE,
  POLLIN,
  portOf,
  type Syscalls,
} from "../transport/syscalls.ts";
import type { FastSource } from "./fast-path.ts";
import { Front } from "./front.ts";
import { HandoverWriter } from "./handover.ts";
import { type BatchSocket, type BatchThreadData, CONTROL, type FromThread } from "./thread-data.ts";

/** A thread that waits in poll does not end before that returns, so it looks up so often. */
const POLL_MILLISECONDS = 1000;
/** struct pollfd in 32-bit words: the descriptor, then what is asked and what has come, 16 bits each. */
const POLL_WORDS = 2;
/** From so many queries in a batch on, what a batch costs by itself is little beside what they cost. */
const GATHERED = 16;
/** How long a server that ends goes on reading what the kernel has taken for it. */
const DRAIN_MILLISECONDS = 2000;

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** The global of that name is looked up anew each time. */
const { timeOrigin } = performance;

class BatchThread {
  readonly #data: BatchThreadData;
  readonly #syscalls: Syscalls;
  readonly #front: Front;
  readonly #batch: Batch;
  readonly #handover: HandoverWriter;
  readonly #control: Int32Array;
  readonly #source: FastSource;
  readonly #onSendFault = (errno: number): void => this.#tell(`sendmmsg: errno ${errno}`);

  constructor(data: BatchThreadData, syscalls: Syscalls) {
    this.#data = data;
    this.#syscalls = syscalls;
    this.#control = new Int32Array(data.control);
    this.#front = new Front(data, BATCH);
    this.#batch = new Batch(syscalls);
    this.#handover = new HandoverWriter(data.handover, () => post({ kind: "handed-over" }));
    this.#source = {
      isTcp: false,
      family: 4,
      octets: this.#batch.peers,
      at: 0,
      vantage: undefined,
      ignoresClientSubnet: false,
    };
  }

  /** Answers until it is to end, then what the kernel has taken. */
  run(): void {
    const { sockets } = this.#data;
    const [first, second] = sockets;
    if (first !== undefined && second === undefined) this.#serveOne(first);
    else this.#serveAll(sockets);
    for (const socket of sockets) this.#drain(socket);
  }

  /** A thread with one socket waits in recvmmsg itself, and looks up as often as that gives up waiting. */
  #serveOne(socket: BatchSocket): void {
    while (!this.#isToEnd()) {
      const count = this.#serve(socket, MSG_WAITFORONE);
      if (count === 0) this.#front.refresh();
      else this.#gather(count);
    }
  }

  /** With several it waits in poll, and main wakes it by its eventfd. */
  #serveAll(sockets: readonly BatchSocket[]): void {
    const { wake } = this.#data;
    const polled = new Int32Array(new ArrayBuffer((sockets.length + 1) * POLL_WORDS * 4));
    for (const [i, fd] of [...sockets.map((socket) => socket.fd), wake].entries()) {
      polled[i * POLL_WORDS] = fd;
      polled[i * POLL_WORDS + 1] = POLLIN;
    }
    while (!this.#isToEnd()) {
      if (this.#syscalls.poll(polled, sockets.length + 1, POLL_MILLISECONDS) <= 0) continue;
      let count = 0;
      for (const [i, socket] of sockets.entries()) {
        if ((polled[i * POLL_WORDS + 1] ?? 0) >> 16 !== 0) count += this.#serve(socket, MSG_DONTWAIT);
      }
      this.#gather(count);
      if ((polled[sockets.length * POLL_WORDS + 1] ?? 0) >> 16 === 0) continue;
      this.#syscalls.read(wake, new Uint8Array(8));
      // Who wakes it may have posted what an idle thread would hold on to for long.
      this.#front.refresh();
    }
  }

  /**
   * Where several queries came at once more will follow, and to wait for them costs less than to be woken for each few. Who
   * asks one at a time is never kept waiting, and a batch that is large enough has no need of it.
   */
  #gather(count: number): void {
    if (count > 1 && count < GATHERED) this.#syscalls.pause();
  }

  #isToEnd(): boolean {
    // It need not be seen at once, so it need not be an atomic load, which V8 makes a call of.
    return this.#control[CONTROL.isEnding] !== 0;
  }

  /** One batch; returns how many datagrams it had. */
  #serve(socket: BatchSocket, flags: number): number {
    const batch = this.#batch;
    const front = this.#front;
    const count = batch.receive(socket.fd, socket.hasPacketInfo, flags);
    if (count <= 0) {
      // What others than these say of a socket, as that a datagram could not be delivered, has no meaning here.
      if (count !== -EAGAIN && count !== -EINTR) this.#tell(`recvmmsg: errno ${-count}`);
      return 0;
    }
    const began = performance.now();
    const receivedAt = timeOrigin + began;
    front.refresh();
    const listener = front.published.listeners[socket.listener];
    const isWatched = front.isWatched;
    const source = this.#source;
    source.vantage = listener?.vantage;
    source.ignoresClientSubnet = listener?.ignoresClientSubnet ?? false;
    for (let i = 0; i < count; i++) {
      const peerAt = i * PEER.octets;
      // Nobody can be answered at port 0.
      if (portOf(batch.peers, peerAt) === 0) continue;
      const start = batch.startOf(i);
      const end = start + batch.lengthOf(i);
      source.family = isFamily6(batch.peers, peerAt) ? 6 : 4;
      source.at = peerAt + addressOffset(source.family);
      const length = isWatched ? 0 : this.#answer(start, end);
      if (length > 0) batch.respond(i, length);
      else {
        const about = { socket: socket.listener, ticket: socket.fd, receivedAt, peer: batch.peers, peerAt };
        this.#handover.write(batch.received, start, end, about);
      }
    }
    if (batch.responses > 0) {
      // Before they are sent, so that whoever has an answer finds it counted and in the journal.
      this.#note((performance.now() - began) / 1000);
      batch.send(socket.fd, this.#onSendFault);
    }
    return count;
  }

  /** An answer that cannot be counted was given all the same. */
  #note(seconds: number): void {
    try {
      this.#front.note(this.#batch.received, seconds);
    } catch (error) {
      this.#tell(error);
    }
  }

  /** What goes wrong with a message is told, and the message left to the main thread, which does better or says SERVFAIL. */
  #answer(start: number, end: number): number {
    const batch = this.#batch;
    try {
      return this.#front.answer(batch.received, start, end, this.#source, batch.sent, batch.outAt);
    } catch (error) {
      this.#tell(error);
      return 0;
    }
  }

  /** Connected to itself, a socket takes nothing from others any more, so that what it holds comes to an end. */
  #drain(socket: BatchSocket): void {
    const until = performance.now() + DRAIN_MILLISECONDS;
    const isConnected = this.#syscalls.connect(socket.fd, socket.address) === 0;
    while (this.#serve(socket, MSG_DONTWAIT) > 0) if (!isConnected && performance.now() > until) return;
  }

  #tell(error: unknown): void {
    const [message, stack] =
      error instanceof Error ? [error.message, error.stack] : [String(error), undefined];
    post({ kind: "fault", message, stack });
  }
}

const syscalls = await loadSyscalls();
if (typeof syscalls === "string") throw new Error(syscalls);
const data: BatchThreadData = workerData;
const thread = new BatchThread(data, syscalls);
// A thread that is ended from outside would not write it.
flushCompileCache();
giveBackRoom();
post({ kind: "ready" });
thread.run();
post({ kind: "drained" });
