/** What every transport is given and gives back. */

import type { Source } from "../trace.ts";

/** Answers a message; undefined is silence. Never throws. */
export type Respond = (message: Uint8Array, source: Source) => Uint8Array | undefined;

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
  close(): Promise<void>;
}
