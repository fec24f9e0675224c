/** What the main thread and worker threads tell each other. */

import type { MessagePort } from "node:worker_threads";
import type { Endpoint } from "../ip.ts";
import type { RecordsMemory } from "../query-records.ts";
import type { TcpLimits } from "../transport/tcp.ts";
import type { HandoverMemory } from "./handover.ts";
import type { Published } from "./published.ts";

/** Words that all threads share. */
export const CONTROL = {
  /** the sequence of the newest publication; moved once that is posted */
  sequence: 0,
  /** whether each message is to be handed over, because somebody watches the queries one by one */
  isWatched: 1,
  /** TCP connections: open now, turned away, closed to make room */
  connections: 2,
  refused: 3,
  replaced: 4,
  /** whether threads that answer by the batch are to end */
  isEnding: 5,
  /** for each thread the sequence that it answers by */
  inForce: 16,
  words: 16 + 256,
} as const;

/** What every thread is given. */
export interface ThreadData {
  /** its number */
  readonly thread: number;
  readonly control: SharedArrayBuffer;
  readonly counts: SharedArrayBuffer;
  /** undefined where no journal is kept */
  readonly records: RecordsMemory | undefined;
  readonly handover: HandoverMemory;
  readonly published: Published;
  /** brings the publications; it is looked at when the word has moved */
  readonly publications: MessagePort;
}

export interface BatchThreadData extends ThreadData {
  readonly sockets: readonly BatchSocket[];
  /** an eventfd: whatever is written to it wakes the thread */
  readonly wake: number;
}

export interface BatchSocket {
  readonly fd: number;
  readonly listener: number;
  /** bound to a wildcard, so that each datagram tells which address was asked */
  readonly hasPacketInfo: boolean;
  /** its own address, to connect it to when it closes */
  readonly address: Uint8Array;
}

/** From the main thread to one with an event loop. */
export type ToEventThread =
  | {
      readonly kind: "listen";
      readonly call: number;
      readonly listener: number;
      readonly transport: "udp" | "tcp";
      readonly at: Endpoint;
      readonly reusePort: boolean;
      readonly limits: TcpLimits;
    }
  | { readonly kind: "answers"; readonly answers: readonly TicketAnswer[] }
  /** Something was published. */
  | { readonly kind: "refresh" }
  /** Closes what the call of that number has opened. */
  | { readonly kind: "close"; readonly listener: number; readonly call: number };

/** The answer to a message that was handed over; undefined: silence. */
export interface TicketAnswer {
  readonly ticket: number;
  readonly octets: Uint8Array | undefined;
}

/** From a worker thread to the main thread. */
export type FromThread =
  | { readonly kind: "handed-over" }
  | { readonly kind: "ready" }
  | { readonly kind: "drained" }
  | { readonly kind: "done"; readonly call: number; readonly port: number }
  | {
      readonly kind: "failed";
      readonly call: number;
      readonly message: string;
      readonly code: string | undefined;
    }
  | { readonly kind: "fault"; readonly message: string; readonly stack: string | undefined };
