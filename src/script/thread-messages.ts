/** What the server and the thread of a handler say to each other. */

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

/** What came from a thread, if it is of this form: a handler has the same port at hand. */
export function readFromThread(value: unknown): FromThread | undefined {
  const get = (key: string): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  const kind = get("kind");
  const number = get("number");
  switch (kind) {
    case "loaded":
    case "pong":
    case "sent-again":
      return { kind };
    case "unusable":
      return { kind, reason: String(get("reason")) };
    case "warned":
      return { kind, text: String(get("text")) };
    case "threw":
      return {
        kind,
        number: typeof number === "number" ? number : undefined,
        stack: String(get("stack")),
      };
    case "sent": {
      const octets = get("octets");
      return typeof number === "number" && octets instanceof Uint8Array
        ? { kind, number, octets }
        : undefined;
    }
    default:
      return undefined;
  }
}
