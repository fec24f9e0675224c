/** A server on UDP port 53 of many addresses, or of all: it stands for the Internet, and writes down what it is asked. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { decodeMessage } from "../../../src/dns/decode.ts";
import { formatType, RCODE } from "../../../src/dns/iana.ts";
import { formatName } from "../../../src/dns/name.ts";

/** RFC 1035 §4.1.1, in the third octet */
const QR = 0x80;

export interface Sink {
  /** `NAME TYPE` in order of arrival */
  readonly asked: readonly string[];
  /** Resolves when the next one is asked for. */
  next(): Promise<void>;
  close(): void;
}

export async function openSink(hosts: readonly string[]): Promise<Sink> {
  const asked: string[] = [];
  const news = new EventTarget();
  const answer = (octets: Uint8Array): Uint8Array => {
    const message = decodeMessage(octets);
    const [question] = typeof message === "string" ? [] : message.questions;
    asked.push(question === undefined ? "?" : `${formatName(question.qname)} ${formatType(question.qtype)}`);
    news.dispatchEvent(new Event("asked"));
    const reply = Uint8Array.from(octets);
    reply[2] = (reply[2] ?? 0) | QR;
    reply[3] = RCODE.SERVFAIL;
    return reply;
  };
  const sockets = await Promise.all(
    hosts.map(async (host) => {
      const socket = createSocket(isIPv6(host) ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
      socket.on("message", (octets, { port, address }) => socket.send(answer(octets), port, address));
      socket.bind(53, host);
      await once(socket, "listening");
      return socket;
    }),
  );
  return {
    asked,
    next: async () => {
      await once(news, "asked");
    },
    close: () => {
      for (const socket of sockets) socket.close();
    },
  };
}
