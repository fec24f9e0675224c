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

export interface ListenOptions {
  readonly address: string;
  readonly family: 4 | 6;
  /** 0: any that is free */
  readonly port: number;
  readonly respond: Respond;
  /** told of what goes wrong on a socket after it was bound */
  readonly onFault: (error: Error) => void;
}

export interface Listener {
  readonly port: number;
  /** Answers what was received, sends it, and closes; settles when all is closed. */
  close(): Promise<void>;
}

/** Waits until what had come to the machine has been read: a whole turn of the event loop from now. */
export async function receivedIsRead(): Promise<void> {
  await setImmediate(); // the end of this turn
  await setImmediate();
}
