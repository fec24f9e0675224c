/** What the server and the thread of a handler say to each other. */

import { MAX_TCP_OCTETS } from "../dns/render.ts";

/** Who asked, in the form that dgram gives a dns2 handler. */
export interface HandlerSource {
  readonly address: string;
  readonly port: number;
  readonly family: "IPv4" | "IPv6";
  /** octets of the query */
  readonly size: number;
  readonly transport: "udp" | "tcp";
}

export type ToThread =
  | {
      readonly kind: "query";
      readonly number: number;
      readonly octets: Uint8Array;
      readonly source: HandlerSource;
    }
  /** answered at once by a thread that can still turn to anything */
  | { readonly kind: "ping" };

export type FromThread =
  | { readonly kind: "loaded" }
  | { readonly kind: "unusable"; readonly reason: string }
  | { readonly kind: "sent"; readonly number: number; readonly octets: Uint8Array }
  /** the number is undefined where nobody knows for which query it happened */
  | { readonly kind: "threw"; readonly number: number | undefined; readonly stack: string }
  | { readonly kind: "sent-again" }
  | { readonly kind: "warned"; readonly text: string }
  | { readonly kind: "pong" };

/**
 * What came from a thread, if it is of this form: a handler that tampers may have put it there, so nothing of it may run
 * here or change later.
 */
export function readFromThread(value: unknown): FromThread | undefined {
  const get = (key: string): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  const [kind, number, reason, text, stack, octets] = messageKeys.map(get);
  switch (kind) {
    case "loaded":
    case "pong":
    case "sent-again":
      return { kind };
    case "unusable":
      return typeof reason === "string" ? { kind, reason } : undefined;
    case "warned":
      return typeof text === "string" ? { kind, text } : undefined;
    case "threw":
      return typeof stack === "string"
        ? { kind, number: typeof number === "number" ? number : undefined, stack }
        : undefined;
    case "sent":
      // A copy, since the thread may share the memory; one octet over the limit tells that it is too much.
      return typeof number === "number" && octets instanceof Uint8Array
        ? { kind, number, octets: octets.slice(0, MAX_TCP_OCTETS + 1) }
        : undefined;
    default:
      return undefined;
  }
}

const messageKeys = ["kind", "number", "reason", "text", "stack", "octets"];
