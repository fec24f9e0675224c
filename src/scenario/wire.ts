/** Asks a server, or through a resolver, over the network. */

import { randomInt } from "node:crypto";
import { isTruncated } from "../dns/render.ts";
import { type Endpoint, formatEndpoint } from "../ip.ts";
import { exchange } from "../transport/client.ts";
import { askMessage } from "./questions.ts";
import type { Asker, Reply } from "./stage.ts";

const TIMEOUT_MILLISECONDS = 3000;
/** What is to be met with silence is waited for no longer. */
const SILENCE_MILLISECONDS = 1000;

/** Nobody listens there, so nothing will ever be answered. */
export class NobodyListens extends Error {}

/** A server of the zones, or a resolver that is told whom it asks for. */
export const openWireAsker = (kind: "server" | "resolver", endpoint: Endpoint): Asker => ({
  kind,
  ask: (ask, from) => {
    const recursionDesired = kind === "resolver";
    return sendTo(endpoint, askMessage(ask, from, { id: randomInt(0x10000), recursionDesired }));
  },
});

export interface SendOptions {
  /** whether what does not fit is asked for again over TCP */
  readonly retriesOverTcp?: boolean;
  readonly awaitsSilence?: boolean;
}

export async function sendTo(
  endpoint: Endpoint,
  message: Uint8Array,
  { retriesOverTcp = true, awaitsSilence = false }: SendOptions = {},
): Promise<Reply> {
  const timeoutMilliseconds = awaitsSilence ? SILENCE_MILLISECONDS : TIMEOUT_MILLISECONDS;
  const send = async (transport: "udp" | "tcp"): Promise<Reply> => {
    try {
      const octets = await exchange(endpoint, message, { transport, timeoutMilliseconds });
      return { kind: "response", octets, transport };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED")
        throw new NobodyListens(`nobody listens at ${formatEndpoint(endpoint)} over ${transport}`);
      return { kind: "silence", because: error instanceof Error ? error.message : String(error) };
    }
  };
  const reply = await send("udp");
  return reply.kind === "response" && retriesOverTcp && isTruncated(reply.octets) ? send("tcp") : reply;
}
