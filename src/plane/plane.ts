/**
 * The data plane as the main thread sees it: worker threads that answer from shared memory, and hand over what they do not
 * know. Each UDP worker has a socket of its own at every address; TCP has a thread of its own.
 */

import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { Endpoint } from "../ip.ts";
import type { RecordsMemory } from "../query-records.ts";
import type { Source } from "../trace.ts";
import { isWildcard } from "../transport/addresses.ts";
import { isFamily6, PEER, SingleSend } from "../transport/batch.ts";
import type { ConnectionCounts } from "../transport/connections.ts";
import type { Listener, ResponseOctets } from "../transport/listener.ts";
import { addressOffset, portOf, type Syscalls, socketAddress } from "../transport/syscalls.ts";
import type { TcpLimits } from "../transport/tcp.ts";
import type { AnswerTableMemory } from "./answer-table.ts";
import { type HandedOver, HandoverReader, newHandover } from "./handover.ts";
import type { Published } from "./published.ts";
import {
  type BatchSocket,
  type BatchThreadData,
  CONTROL,
  type FromThread,
  type ThreadData,
  type TicketAnswer,
  type ToEventThread,
} from "./thread-data.ts";

export type PlaneTransport =
  | { readonly kind: "batched"; readonly syscalls: Syscalls }
  | { readonly kind: "dgram" };

export interface PlaneOptions {
  readonly transport: PlaneTransport;
  /** threads for UDP */
  readonly workers: number;
  readonly limits: TcpLimits;
  readonly published: Published;
  /** Gives what one more thread is to count in. */
  readonly addCounts: () => SharedArrayBuffer;
  readonly records: RecordsMemory | undefined;
  /** Answers what was handed over at a listener; `receivedAt` is in milliseconds of `performance.timeOrigin` and `now()`. */
  readonly respond: (
    listener: number,
    message: Uint8Array,
    source: Source,
    receivedAt: number,
  ) => ResponseOctets | Promise<ResponseOctets>;
  readonly onFault: (error: unknown) => void;
}

/** Octets asked for before and behind each UDP socket, so that a burst waits in the kernel and is not lost there. */
const BUFFER_OCTETS = 4 << 20;

/** Messages of a thread that are answered before the event loop has its turn. */
const MESSAGES_PER_TURN = 200;

/** Threads answer in place, so they need little memory of their own. */
const BATCH_THREAD_LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 };

export class Plane {
  readonly #options: PlaneOptions;
  readonly #control = new SharedArrayBuffer(CONTROL.words * Int32Array.BYTES_PER_ELEMENT);
  readonly #words = new Int32Array(this.#control);
  readonly #threads: PlaneThread[] = [];
  readonly #eventThreads: EventThread[] = [];
  readonly #batchThreads: BatchThread[] = [];
  /** by worker, the sockets that it is to have */
  readonly #sockets: BatchSocket[][];
  /** tables that threads may still read, with the publication that had them last */
  readonly #retired: { readonly memory: AnswerTableMemory; readonly sequence: number }[] = [];
  #published: Published;
  #batchEnd: Promise<void> | undefined;

  private constructor(options: PlaneOptions) {
    this.#options = options;
    this.#published = options.published;
    this.#sockets = Array.from({ length: options.workers }, () => []);
    Atomics.store(this.#words, CONTROL.sequence, options.published.sequence);
  }

  /** Starts the threads that have an event loop; those that batch start with `begin`, once there are sockets. */
  static async open(options: PlaneOptions): Promise<Plane> {
    const plane = new Plane(options);
    const count = options.transport.kind === "dgram" ? 1 + options.workers : 1;
    for (let i = 0; i < count; i++) {
      const thread = new EventThread(plane.#newData(), options);
      plane.#eventThreads.push(thread);
      plane.#threads.push(thread);
    }
    await Promise.all(plane.#eventThreads.map((thread) => thread.ready));
    return plane;
  }

  /** Whether a socket that is bound to a wildcard answers from the address that was asked. */
  get answersFromAsked(): boolean {
    return this.#options.transport.kind === "batched";
  }

  /** Binds a socket for each worker at an address; rejects with what Node throws. */
  async listenUdp(at: Endpoint, listener: number): Promise<Listener> {
    const { transport, workers } = this.#options;
    const isShared = workers > 1;
    if (isShared && at.port !== 0 && transport.kind === "dgram") await this.#claim(at, listener);
    const opened: Listener[] = [];
    let { port } = at;
    try {
      for (let worker = 0; worker < workers; worker++) {
        const bound = { ...at, port };
        const thread = this.#eventThreads[1 + worker];
        opened.push(
          transport.kind === "batched"
            ? this.#bind(transport.syscalls, bound, listener, worker)
            : await listenIn(thread, { listener, transport: "udp", at: bound, reusePort: isShared }),
        );
        port = opened[0]?.port ?? port;
      }
    } catch (error) {
      await Promise.all(opened.map((each) => each.close()));
      throw error;
    }
    return {
      port,
      close: async () => {
        await Promise.all(opened.map((each) => each.close()));
      },
    };
  }

  listenTcp(at: Endpoint, listener: number): Promise<Listener> {
    return listenIn(this.#eventThreads[0], { listener, transport: "tcp", at, reusePort: false });
  }

  /** Lets the workers answer. */
  async begin(): Promise<void> {
    const { transport } = this.#options;
    if (transport.kind !== "batched") return;
    const { syscalls } = transport;
    for (const sockets of this.#sockets) {
      const data = { ...this.#newData(), sockets, wake: syscalls.eventfd() };
      const thread = new BatchThread(data, syscalls, this.#options);
      this.#batchThreads.push(thread);
      this.#threads.push(thread);
    }
    await Promise.all(this.#batchThreads.map((thread) => thread.ready));
  }

  /** The next message that a thread takes is answered by this; that holds when this returns. */
  publish(published: Published): void {
    const before = this.#published;
    this.#published = published;
    if (before.answers !== published.answers) {
      this.#retired.push({ memory: before.answers, sequence: published.sequence });
    }
    for (const thread of this.#threads) thread.publish(published);
    Atomics.store(this.#words, CONTROL.sequence, published.sequence);
    // Idle threads would hold on to what is no longer in force.
    for (const thread of this.#threads) thread.refresh();
  }

  /** The memory of a table that no thread reads any more; undefined where there is none. */
  takeMemory(): AnswerTableMemory | undefined {
    const oldest = this.#retired[0];
    if (oldest === undefined) return undefined;
    const isLeft = this.#threads.every(
      (_, i) => Atomics.load(this.#words, CONTROL.inForce + i) - oldest.sequence >= 0,
    );
    return isLeft ? this.#retired.shift()?.memory : undefined;
  }

  /** Whether each message is handed over from the next one on, because somebody watches them one by one. */
  watch(isWatched: boolean): void {
    Atomics.store(this.#words, CONTROL.isWatched, isWatched ? 1 : 0);
  }

  get connections(): ConnectionCounts {
    const at = (word: number): number => Atomics.load(this.#words, word);
    return { open: at(CONTROL.connections), refused: at(CONTROL.refused), replaced: at(CONTROL.replaced) };
  }

  /** Messages that a thread could not hand over, since the start. */
  get dropped(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.dropped, 0);
  }

  /** Ends the threads, behind the close of all listeners. */
  async close(): Promise<void> {
    await this.#endBatchThreads();
    await Promise.all(this.#eventThreads.map((thread) => thread.end()));
  }

  /**
   * Rejects with what Node throws where the port is taken: sockets that share a port would let another server share it, too,
   * and take a part of the queries.
   */
  async #claim(at: Endpoint, listener: number): Promise<void> {
    const request = { listener, transport: "udp", at, reusePort: false } as const;
    await (await listenIn(this.#eventThreads[1], request)).close();
  }

  #bind(syscalls: Syscalls, at: Endpoint, listener: number, worker: number): Listener {
    const hasPacketInfo = isWildcard(at);
    const { fd, port } = syscalls.openUdp(at, {
      sharing: this.#options.workers === 1 ? "none" : worker === 0 ? "first" : "next",
      packetInfo: hasPacketInfo,
      bufferOctets: BUFFER_OCTETS,
    });
    const sockets = this.#sockets[worker] ?? [];
    const socket: BatchSocket = { fd, listener, hasPacketInfo, address: socketAddress({ ...at, port }) };
    sockets.push(socket);
    return {
      port,
      close: async () => {
        // Before the workers began there is nothing to answer.
        if (this.#batchThreads.length > 0) return this.#endBatchThreads();
        sockets.splice(sockets.indexOf(socket), 1);
        syscalls.close(fd);
      },
    };
  }

  #endBatchThreads(): Promise<void> {
    Atomics.store(this.#words, CONTROL.isEnding, 1);
    this.#batchEnd ??= Promise.all(this.#batchThreads.map((thread) => thread.end())).then(() => {});
    return this.#batchEnd;
  }

  #newData(): NewThreadData {
    return {
      thread: this.#threads.length,
      control: this.#control,
      counts: this.#options.addCounts(),
      records: this.#options.records,
      handover: newHandover(),
      published: this.#published,
    };
  }
}

/** A thread that finds its modules compiled need not load what strips their types, which takes more memory than all else. */
function threadEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  // The variable names the folder above that of this version of Node.
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}

type NewThreadData = Omit<ThreadData, "publications">;

/** One worker thread, and what it hands over. */
abstract class PlaneThread {
  protected readonly worker: Worker;
  protected readonly options: PlaneOptions;
  readonly ready: Promise<void>;
  readonly #publications: MessagePort;
  readonly #handover: HandoverReader;
  readonly #exited: Promise<void>;
  #isDraining = false;
  #pending = 0;
  #settled: (() => void) | undefined;

  constructor(file: string, data: NewThreadData, options: PlaneOptions, resourceLimits = {}) {
    this.options = options;
    this.#handover = new HandoverReader(data.handover);
    const { port1, port2 } = new MessageChannel();
    this.#publications = port1;
    this.worker = new Worker(new URL(file, import.meta.url), {
      workerData: { ...data, publications: port2 },
      transferList: [port2],
      resourceLimits,
      env: threadEnvironment(),
    });
    // A thread that ends by a fault leaves its sockets unanswered, which the whole program is not to hide.
    this.worker.on("error", (error) => {
      throw error;
    });
    this.#exited = new Promise((resolve) => this.worker.once("exit", () => resolve()));
    this.ready = new Promise((resolve) => {
      this.worker.on("message", (message: FromThread) => {
        if (message.kind === "ready") resolve();
        else this.#heed(message);
      });
    });
  }

  get dropped(): number {
    return this.#handover.dropped;
  }

  publish(published: Published): void {
    this.#publications.postMessage(published);
  }

  /** Has the thread take what was published, even if nobody asks it anything. */
  abstract refresh(): void;
  /** Sends the answer to what was handed over. */
  protected abstract reply(handed: HandedOver, octets: ResponseOctets): void;
  protected abstract transportOf(handed: HandedOver): Source["transport"];
  /** All replies that can be made at once are made. */
  protected flush(): void {}
  protected abstract told(message: FromThread): void;

  /** Settles when all that was handed over is answered. */
  protected async settle(): Promise<void> {
    this.#drainAll();
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
  }

  protected async gone(): Promise<void> {
    await this.#exited;
    this.#publications.close();
  }

  #heed(message: FromThread): void {
    if (message.kind === "handed-over") this.#drain();
    else if (message.kind === "fault") {
      const error = new Error(message.message);
      if (message.stack !== undefined) error.stack = message.stack;
      this.options.onFault(error);
    } else this.told(message);
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#drainSome();
  }

  #drainSome(): void {
    let left = MESSAGES_PER_TURN;
    for (const handed of this.#handover.drain()) {
      this.#answer(handed);
      if (--left > 0) continue;
      this.flush();
      setImmediate(() => this.#drainSome());
      return;
    }
    this.#isDraining = false;
    this.flush();
  }

  #drainAll(): void {
    for (const handed of this.#handover.drain()) this.#answer(handed);
    this.flush();
  }

  #answer(handed: HandedOver): void {
    const source = sourceOf(handed, this.transportOf(handed));
    const response = this.options.respond(handed.socket, handed.message, source, handed.receivedAt);
    if (!(response instanceof Promise)) {
      this.reply(handed, response);
      return;
    }
    this.#pending++;
    void response.then((octets) => {
      this.#pending--;
      this.reply(handed, octets);
      this.flush();
      if (this.#pending === 0) this.#settled?.();
    });
  }
}

function sourceOf({ peer }: HandedOver, transport: Source["transport"]): Source {
  const family = isFamily6(peer, 0) ? 6 : 4;
  const at = addressOffset(family);
  const octets = Uint8Array.prototype.slice.call(peer, at, at + (family === 4 ? 4 : 16));
  return { address: { family, octets }, port: portOf(peer, 0), transport };
}

class BatchThread extends PlaneThread {
  readonly #syscalls: Syscalls;
  readonly #sender: SingleSend;
  readonly #sockets: ReadonlyMap<number, BatchSocket>;
  readonly #wake: number;
  readonly #drained: Promise<void>;
  #onDrained = (): void => {};

  constructor(data: Omit<BatchThreadData, "publications">, syscalls: Syscalls, options: PlaneOptions) {
    super("batch-thread.ts", data, options, BATCH_THREAD_LIMITS);
    this.#syscalls = syscalls;
    this.#sender = new SingleSend(syscalls);
    this.#sockets = new Map(data.sockets.map((socket) => [socket.fd, socket]));
    this.#wake = data.wake;
    this.#drained = new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  override refresh(): void {
    this.#wakeUp();
  }

  /** Told to end, it answers what the kernel has taken; then its sockets are closed. */
  async end(): Promise<void> {
    this.#wakeUp();
    await this.#drained;
    await this.settle();
    for (const { fd } of this.#sockets.values()) this.#syscalls.close(fd);
    await this.gone();
    this.#syscalls.close(this.#wake);
  }

  protected override transportOf(): Source["transport"] {
    return "udp";
  }

  protected override reply({ ticket, peer }: HandedOver, octets: ResponseOctets): void {
    const socket = this.#sockets.get(ticket);
    if (octets === undefined || socket === undefined) return;
    const errno = this.#sender.send(socket.fd, octets, peer, socket.hasPacketInfo);
    if (errno !== 0) this.options.onFault(new Error(`sendmmsg: errno ${errno}`));
  }

  protected override told(message: FromThread): void {
    if (message.kind === "drained") this.#onDrained();
  }

  /** One that waits in recvmmsg looks up by itself. */
  #wakeUp(): void {
    const counter = BigUint64Array.of(1n);
    this.#syscalls.write(this.#wake, new Uint8Array(counter.buffer));
  }
}

class EventThread extends PlaneThread {
  readonly #calls = new Map<number, (message: FromThread) => void>();
  #lastCall = 0;
  #answers: TicketAnswer[] = [];

  constructor(data: NewThreadData, options: PlaneOptions) {
    super("event-thread.ts", data, options);
  }

  async listen(request: ListenRequest): Promise<Listener> {
    const { limits } = this.options;
    const { call, answered } = this.#call((number) => ({ kind: "listen", call: number, limits, ...request }));
    const { port } = await answered;
    let closed: Promise<unknown> | undefined;
    return {
      port,
      close: async () => {
        closed ??= this.#call((number) => ({ kind: "close", listener: call, call: number })).answered;
        await closed;
      },
    };
  }

  override refresh(): void {
    this.#post({ kind: "refresh" });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
    await this.gone();
  }

  protected override transportOf({ peer }: HandedOver): Source["transport"] {
    return peer[PEER.control] === 1 ? "tcp" : "udp";
  }

  protected override reply({ ticket }: HandedOver, octets: ResponseOctets): void {
    this.#answers.push({ ticket, octets });
  }

  protected override flush(): void {
    if (this.#answers.length === 0) return;
    this.#post({ kind: "answers", answers: this.#answers });
    this.#answers = [];
  }

  protected override told(message: FromThread): void {
    if (message.kind === "done" || message.kind === "failed") this.#calls.get(message.call)?.(message);
  }

  #call(make: (call: number) => ToEventThread): {
    readonly call: number;
    readonly answered: Promise<{ readonly port: number }>;
  } {
    const call = ++this.#lastCall;
    const answered = new Promise<{ readonly port: number }>((resolve, reject) => {
      this.#calls.set(call, (message) => {
        this.#calls.delete(call);
        if (message.kind === "done") resolve({ port: message.port });
        else if (message.kind === "failed") {
          reject(Object.assign(new Error(message.message), { code: message.code }));
        }
      });
    });
    this.#post(make(call));
    return { call, answered };
  }

  #post(message: ToEventThread): void {
    this.worker.postMessage(message);
  }
}

type ListenRequest = Pick<
  Extract<ToEventThread, { readonly kind: "listen" }>,
  "listener" | "transport" | "at" | "reusePort"
>;

function listenIn(thread: EventThread | undefined, request: ListenRequest): Promise<Listener> {
  if (thread === undefined) throw new Error("there is no thread to listen in");
  return thread.listen(request);
}
