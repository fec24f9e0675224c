/** Questions to one server, any: asked once each, over TCP where UDP truncates, with CNAMEs followed. */

import { randomInt } from "node:crypto";
import { decodeMessage } from "../dns/decode.ts";
import { CLASS, formatRcode, RCODE, TYPE } from "../dns/iana.ts";
import type { Message } from "../dns/message.ts";
import { type DomainName, domainName, nameOctets } from "../dns/name.ts";
import { renderQuery } from "../dns/render.ts";
import type { Endpoint } from "../ip.ts";
import { exchange } from "../transport/client.ts";

/** A response, or why there is none, in words. */
export type Ask = (name: DomainName, type: number) => Promise<Message | string>;

/** What there is of a type at a name or where its CNAMEs lead. */
export type Found =
  | {
      readonly kind: "records";
      readonly rdatas: readonly Uint8Array[];
      readonly aliases: readonly DomainName[];
    }
  | { readonly kind: "none"; readonly at: DomainName; readonly aliases: readonly DomainName[] }
  | { readonly kind: "unanswered"; readonly at: DomainName; readonly why: string };

/** CNAMEs followed for one question. */
const MAX_ALIASES = 16;
/** How often a question is asked over UDP before it counts as unanswered. */
const ATTEMPTS = 2;

export async function find(ask: Ask, name: DomainName, type: number): Promise<Found> {
  const aliases: DomainName[] = [];
  let at = name;
  let response = await ask(at, type);
  let isFresh = true;
  for (;;) {
    if (typeof response === "string") return { kind: "unanswered", at, why: response };
    const here = response.answer.filter(({ owner }) => domainName(owner) === at);
    const rdatas = here.filter((record) => record.type === type).map(({ rdata }) => rdata);
    if (rdatas.length > 0) return { kind: "records", rdatas, aliases };
    const target = here.find((record) => record.type === TYPE.CNAME)?.rdata;
    if (target !== undefined && aliases.length < MAX_ALIASES) {
      at = domainName(target);
      if (aliases.includes(at)) return { kind: "unanswered", at, why: "its CNAMEs never end" };
      aliases.push(at);
      isFresh = false;
      continue;
    }
    // A server that knows the first name alone is asked for the next one, too.
    if (!isFresh) {
      response = await ask(at, type);
      isFresh = true;
      continue;
    }
    if (response.rcode === RCODE.NOERROR || response.rcode === RCODE.NXDOMAIN)
      return { kind: "none", at, aliases };
    return { kind: "unanswered", at, why: formatRcode(response.rcode) };
  }
}

/** Asks a server; the same question has the same response as before. */
export function asking(server: Endpoint, timeoutMilliseconds: number): Ask {
  const known = new Map<string, Promise<Message | string>>();
  return (name, type) => {
    const key = `${type} ${name}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const response = askServer(server, name, type, timeoutMilliseconds);
    known.set(key, response);
    return response;
  };
}

async function askServer(
  server: Endpoint,
  name: DomainName,
  type: number,
  timeoutMilliseconds: number,
): Promise<Message | string> {
  let hasEdns = true;
  let why = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const message = renderQuery(
      { qname: nameOctets(name), qtype: type, qclass: CLASS.IN },
      {
        id: randomInt(0x10000),
        recursionDesired: true,
        edns: hasEdns ? { udpPayloadSize: 1232, dnssecOk: false, subnet: undefined } : undefined,
      },
    );
    const ask = async (transport: "udp" | "tcp"): Promise<Message | string> =>
      decodeMessage(await exchange(server, message, { transport, timeoutMilliseconds }));
    try {
      const overUdp = await ask("udp");
      const response = typeof overUdp !== "string" && overUdp.truncated ? await ask("tcp") : overUdp;
      if (typeof response === "string") return `the response is malformed: ${response}`;
      // RFC 6891 §7: whoever does not know EDNS is asked without.
      const isOld = response.rcode === RCODE.FORMERR || response.rcode === RCODE.NOTIMP;
      if (!isOld || !hasEdns) return response;
      hasEdns = false;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED")
        return "nobody listens there";
    }
  }
  return why;
}
