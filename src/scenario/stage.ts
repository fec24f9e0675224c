/** Where a story is played: something that answers, obeys an operator and has a clock. */

import type { Ask } from "../config/ask.ts";
import type { QueryEntry } from "../config/rehearsal-schema.ts";
import type { IpPrefix } from "../ip.ts";
import type { OneAction } from "./read.ts";

/** From which address a query comes, and to what kind of listener. */
export type Asked = Pick<QueryEntry, "from" | "vantage" | "clientSubnet">;

export const fromHere: Asked = { from: "127.0.0.1" };

/** What came back. */
export type Reply =
  | { readonly kind: "response"; readonly octets: Uint8Array; readonly transport: "udp" | "tcp" }
  | { readonly kind: "silence"; readonly because: string | undefined }
  /** what cannot be asked there, and why */
  | { readonly kind: "skipped"; readonly because: string };

export interface Asker {
  /**
   * A server of a zone says so by AA, and tells a scope; a resolver need do neither, and counts TTLs down. In process the
   * answer is that of the server itself.
   */
  readonly kind: "in-process" | "server" | "resolver";
  /** Asks as a resolver would that serves clients in this prefix. */
  ask(ask: Ask, from: IpPrefix): Promise<Reply>;
}

export interface Stage extends Asker {
  /** Sends a message as it is, over UDP alone where that is what it is about, and waits no longer than silence needs. */
  send(message: Uint8Array, asked: Asked, isAboutTruncation: boolean, awaitsSilence: boolean): Promise<Reply>;
  /** Does what an operator does; a sentence where that cannot be. */
  change(action: OneAction): Promise<string | undefined>;
  /** Lets time go by. */
  pass(seconds: number): Promise<void>;
  /** Puts back what was changed. */
  close(): Promise<void>;
}
