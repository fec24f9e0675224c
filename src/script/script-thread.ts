/**
 * The server's side of one handler: a thread for it, a deadline for each query, a bound on those in hand. Whatever the
 * handler does, each query has an outcome in time.
 */

import { join } from "node:path";
import type { Readable } from "node:stream";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { ExtendedError } from "../dns/edns.ts";
import { EXTENDED_ERROR } from "../dns/iana.ts";
import type { Query } from "../dns/message.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import { type HandlerAnswer, readHandlerResponse } from "./response.ts";
import { type FromThread, type HandlerSource, readFromThread, type ToThread } from "./thread-messages.ts";

/** What became of a query that a handler was asked. */
export type HandlerOutcome =
  | { readonly kind: "answer"; readonly answer: HandlerAnswer }
  | { readonly kind: "failure"; readonly error: ExtendedError };

export interface HandlerQuery {
  readonly query: Pick<Query, "question" | "clientSubnet">;
  /** for dns2 to parse */
  readonly octets: Uint8Array;
  readonly source: HandlerSource;
}

/** A line for the log. */
export interface HandlerEvent {
  readonly level: "info" | "warn";
  readonly message: string;
  readonly stack?: string;
}

export interface HandlerOptions {
  readonly onEvent: (event: HandlerEvent) => void;
  /** a module that takes longer to be loaded is unusable */
  readonly loadMilliseconds?: number;
  /** a thread that has not turned to a ping for so long is blocked */
  readonly pongMilliseconds?: number;
  /** before the first restart; each one after that waits twice as long */
  readonly firstPauseMilliseconds?: number;
}

const LOAD_MILLISECONDS = 5000;
/** Long enough for a collection of garbage or a busy machine, for a blocked thread fails no more queries than its own. */
const PONG_MILLISECONDS = 1000;
const FIRST_PAUSE_MILLISECONDS = 100;
/** The bound of the pauses: a handler that blocks whenever it is started costs a core one second in thirty. */
const MAX_PAUSE_MILLISECONDS = 30_000;
/** A thread that has lived so long begins anew with the first pause. */
const SOUND_MILLISECONDS = 60_000;

/** A handler is a small program; one that leaks is ended before the server has to suffer for it. */
const MAX_HEAP_MEGABYTES = 128;

/** Characters of a line that a handler prints. */
const MAX_LINE = 500;
/** Lines of it that are logged in a second; more are left out, so that printing without end does not fill the log. */
const MAX_LINES = 100;

interface InHand {
  readonly query: HandlerQuery["query"];
  readonly deadline: NodeJS.Timeout;
  readonly resolve: (outcome: HandlerOutcome) => void;
}

/** A thread whose module is loaded, and the server's end of the way to it. */
interface Ready {
  readonly worker: Worker;
  readonly port: MessagePort;
}

export class ScriptThread {
  readonly #zone: ScriptedZone;
  readonly #options: HandlerOptions;
  readonly #who: string;
  readonly #inHand = new Map<number, InHand>();
  /** undefined while none is ready: before the start, in a pause, from the time it is found blocked */
  #ready: Ready | undefined;
  /** one whose module is being loaded */
  #starting: Worker | undefined;
  #readySince = 0;
  #nextNumber = 0;
  #restarts = 0;
  #pause: NodeJS.Timeout | undefined;
  #pong: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;
  #isClosed = false;

  constructor(zone: ScriptedZone, options: HandlerOptions) {
    this.#zone = zone;
    this.#options = options;
    this.#who = `the handler of ${zone.apex}`;
  }

  /** Loads the module; a sentence where it cannot be used. */
  async start(): Promise<string | undefined> {
    const { loadMilliseconds = LOAD_MILLISECONDS } = this.#options;
    const worker = new Worker(join(import.meta.dirname, "thread.ts"), {
      workerData: this.#zone.handler,
      name: this.#who,
      // What it prints goes to the log: the first line on standard output is the server's own.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MEGABYTES },
    });
    this.#logLines(worker.stdout);
    this.#logLines(worker.stderr);
    // The port of every worker is at hand for the module too, which could fill it faster than anyone reads; what the
    // thread says comes over one that its module is not given.
    const { port1: port, port2: portOfThread } = new MessageChannel();
    worker.postMessage(portOfThread, [portOfThread]);
    let hasEnded = false;
    let endedBy: unknown;
    const ended = (): string => `cannot be loaded: its thread ended${because(endedBy)}`;
    worker.on("error", (error) => {
      endedBy = error;
    });
    this.#starting = worker;
    const reason = await new Promise<string | undefined>((resolve) => {
      const late = setTimeout(() => resolve(`cannot be loaded in ${loadMilliseconds} ms`), loadMilliseconds);
      const settle = (outcome: string | undefined): void => {
        clearTimeout(late);
        resolve(outcome);
      };
      const read = (value: unknown): void => {
        const message = readFromThread(value);
        if (message?.kind === "loaded") settle(undefined);
        else if (message?.kind === "unusable") settle(message.reason);
        else if (message?.kind === "threw" && this.#starting === worker)
          settle(`cannot be loaded: ${firstLine(message.stack)}`);
        else if (message !== undefined) this.#take(message);
      };
      port.on("message", read);
      worker.once("exit", () => {
        // Its last words may not have been read yet.
        for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
          read(last.message);
        }
        hasEnded = true;
        settle(ended());
      });
    });
    // Its very last word may have been that it is loaded.
    const unusable = reason ?? (hasEnded ? ended() : undefined);
    this.#starting = undefined;
    if (unusable !== undefined || this.#isClosed) {
      await worker.terminate();
      return unusable;
    }
    worker.once("exit", () => this.#ended(endedBy));
    this.#ready = { worker, port };
    this.#readySince = performance.now();
    return undefined;
  }

  /** Asks the handler; settles within the deadline, and never rejects. */
  ask({ query, octets, source }: HandlerQuery): Promise<HandlerOutcome> {
    const { deadlineMilliseconds, concurrency } = this.#zone;
    const ready = this.#ready;
    if (ready === undefined || this.#isClosed)
      return Promise.resolve(this.#failure("is not running", EXTENDED_ERROR.NOT_READY));
    if (this.#inHand.size >= concurrency)
      return Promise.resolve(this.#failure(`has ${concurrency} queries in hand already`));
    return new Promise((resolve) => {
      const number = this.#nextNumber++;
      // An answer that has come may still wait behind this timer, so it has the rest of the turn.
      const deadline = setTimeout(() => setImmediate(() => this.#late(number)), deadlineMilliseconds);
      this.#inHand.set(number, { query, deadline, resolve });
      this.#post(ready, { kind: "query", number, octets, source });
    });
  }

  /** Waits for the queries in hand, which the deadline bounds, and ends the thread. */
  async close(): Promise<void> {
    if (this.#inHand.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    this.#isClosed = true;
    clearTimeout(this.#pause);
    clearTimeout(this.#pong);
    await Promise.all([this.#ready?.worker.terminate(), this.#starting?.terminate()]);
  }

  #take(message: FromThread): void {
    switch (message.kind) {
      case "sent": {
        const inHand = this.#inHand.get(message.number);
        // Too late, and told so already.
        if (inHand === undefined) return;
        const answer = readHandlerResponse(message.octets, inHand.query, this.#zone.apex);
        if (typeof answer === "string")
          this.#settle(message.number, this.#failure(`answered wrongly: ${answer}`));
        else this.#settle(message.number, { kind: "answer", answer });
        return;
      }
      case "threw": {
        const failure = this.#failure("threw an error", EXTENDED_ERROR.OTHER, message.stack);
        if (message.number !== undefined) this.#settle(message.number, failure);
        return;
      }
      case "sent-again":
        this.#log("answered a query twice; the first answer counts");
        return;
      case "warned":
        this.#log(`has a warning: ${message.text.slice(0, MAX_LINE)}`);
        return;
      case "pong":
        clearTimeout(this.#pong);
        this.#pong = undefined;
        return;
      case "loaded":
      case "unusable":
        return;
      default:
        message satisfies never;
    }
  }

  #late(number: number): void {
    if (!this.#inHand.has(number)) return;
    this.#settle(number, this.#failure(`did not answer in ${this.#zone.deadlineMilliseconds} ms`));
    // It may wait for something, which is its own affair; or its thread can turn to nothing any more.
    const ready = this.#ready;
    if (ready === undefined || this.#pong !== undefined) return;
    const { pongMilliseconds = PONG_MILLISECONDS } = this.#options;
    const pong = setTimeout(() => {
      setImmediate(() => {
        if (this.#pong !== pong) return;
        this.#log("blocks its thread, which is ended");
        this.#ready = undefined;
        void ready.worker.terminate();
      });
    }, pongMilliseconds);
    this.#pong = pong;
    this.#post(ready, { kind: "ping" });
  }

  /** The thread is gone: by process.exit, for want of memory, or ended because it was blocked. */
  #ended(by: unknown): void {
    this.#ready = undefined;
    clearTimeout(this.#pong);
    this.#pong = undefined;
    for (const number of [...this.#inHand.keys()]) {
      this.#settle(number, this.#failure(`ended${because(by)}`, EXTENDED_ERROR.OTHER));
    }
    if (this.#isClosed) return;
    if (performance.now() - this.#readySince > SOUND_MILLISECONDS) this.#restarts = 0;
    this.#restartAfterPause(`ended${because(by)}`);
  }

  #restartAfterPause(why: string): void {
    const { firstPauseMilliseconds = FIRST_PAUSE_MILLISECONDS } = this.#options;
    const pause = Math.min(firstPauseMilliseconds * 2 ** this.#restarts, MAX_PAUSE_MILLISECONDS);
    this.#restarts++;
    this.#log(`${why}; it is started anew in ${pause} ms`);
    this.#pause = setTimeout(() => {
      void this.start().then((unusable) => {
        if (this.#isClosed) return;
        if (unusable === undefined)
          this.#options.onEvent({ level: "info", message: `${this.#who} is started anew` });
        else this.#restartAfterPause(unusable);
      });
    }, pause);
  }

  #settle(number: number, outcome: HandlerOutcome): void {
    const inHand = this.#inHand.get(number);
    if (inHand === undefined) return;
    this.#inHand.delete(number);
    clearTimeout(inHand.deadline);
    inHand.resolve(outcome);
    if (this.#inHand.size === 0) this.#onEmpty?.();
  }

  /** The failure of one query, logged. What a stack says is for the log alone. */
  #failure(what: string, code: number = EXTENDED_ERROR.OTHER, stack?: string): HandlerOutcome {
    this.#log(stack === undefined ? what : `${what}: ${firstLine(stack)}`, stack);
    return { kind: "failure", error: { code, text: `${this.#who} ${what}` } };
  }

  #log(what: string, stack?: string): void {
    this.#options.onEvent({
      level: "warn",
      message: `${this.#who} ${what}`,
      ...(stack === undefined ? {} : { stack }),
    });
  }

  #logLines(stream: Readable): void {
    let second = 0;
    let count = 0;
    stream.setEncoding("utf8").on("data", (text: string) => {
      const now = Math.floor(performance.now() / 1000);
      if (now !== second) count = 0;
      second = now;
      for (const line of text.split("\n", MAX_LINES)) {
        if (line.trim() === "" || ++count > MAX_LINES) continue;
        this.#options.onEvent({ level: "info", message: `${this.#who} prints: ${line.slice(0, MAX_LINE)}` });
      }
    });
  }

  #post({ port }: Ready, message: ToThread): void {
    port.postMessage(message);
  }
}

const because = (error: unknown): string => (error instanceof Error ? `: ${firstLine(error.message)}` : "");

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
