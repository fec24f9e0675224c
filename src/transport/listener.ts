/** What every transport is given and gives back. */

import { setImmediate } from "node:timers/promises";
import type { Source } from "../trace.ts";

/**
 * Answers a message; undefined is silence. Never throws. A promise is the answer of a handler in a thread of its own: it
 * settles within a bounded time, and never rejects.
 */
export type Respond = (message: Uint8Array, source: Source) => ResponseOctets | Promise<ResponseOctets>;

/** undefined: silence */
export type ResponseOctets = Uint8Array | undefined;

/** Two views of the same memory. */
export interface Output {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
}

/**
 * Answers what needs no waiting and no long path from where it was read to where it is sent from, and allocates nothing. It
 * is given the messages of one source that came together.
 */
export interface Shortcut {
  /** Comes before the messages; `now` is that of the clock `performance.now`. */
  begin(source: Source, now: number): void;
  /**
   * Answers the message that stands in `octets` from `start` to `end`. Returns the octets of the response, which begins in
   * the output at `outAt`, a multiple of 4; or 0, and then the message is one for `respond`. Never throws.
   */
  answer(octets: Uint8Array, start: number, end: number, output: Output, outAt: number): number;
  /** Comes behind the messages, while they are still there and before the responses are sent. */
  end(octets: Uint8Array): void;
}

export interface ListenOptions {
  readonly address: string;
  readonly family: 4 | 6;
  /** 0: any that is free */
  readonly port: number;
  /** whether other sockets share the address and the kernel spreads askers over them; UDP alone */
  readonly reusePort?: boolean;
  readonly respond: Respond;
  /** asked before `respond`; TCP alone */
  readonly shortcut?: Shortcut;
  /** told of what goes wrong on a socket after it was bound */
  readonly onFault: (error: Error) => void;
}

export interface Listener {
  readonly port: number;
  /** Answers what was received, sends it, and closes; settles when all is closed. */
  close(): Promise<void>;
}

/** How long a server that ends goes on reading from who does not stop sending. */
const READ_MILLISECONDS = 2000;

/**
 * Waits until what had come to the machine has been read: until a whole turn of the event loop has brought nothing more,
 * since Node reads a bounded part of it a turn. `takeNews` says whether something came since it was asked last.
 */
export async function receivedIsRead(takeNews: () => boolean): Promise<void> {
  const until = performance.now() + READ_MILLISECONDS;
  do {
    await setImmediate(); // the end of this turn
    takeNews();
    await setImmediate();
  } while (takeNews() && performance.now() < until);
}
