/** `geodns365 query`: one question to any server, the response in presentation format. */

import { randomInt } from "node:crypto";
import { decodeMessage } from "../dns/decode.ts";
import { CLASS, formatClass, formatRcode, formatType, RCODE } from "../dns/iana.ts";
import { formatRecord, type Message } from "../dns/message.ts";
import { formatName } from "../dns/name.ts";
import { renderQuery } from "../dns/render.ts";
import { type Endpoint, formatEndpoint, formatPrefix, type IpPrefix } from "../ip.ts";
import { exchange } from "../transport/client.ts";
import { EXIT } from "./exit.ts";

export interface QueryOptions {
  readonly qname: Uint8Array;
  readonly qtype: number;
  readonly server: Endpoint;
  readonly subnet?: IpPrefix;
  readonly tcp: boolean;
}

const TIMEOUT_MILLISECONDS = 3000;

export async function query({ qname, qtype, server, subnet, tcp }: QueryOptions): Promise<number> {
  const message = renderQuery(
    { qname, qtype, qclass: CLASS.IN },
    {
      id: randomInt(0x10000),
      recursionDesired: true,
      edns: { udpPayloadSize: 1232, dnssecOk: false, subnet },
    },
  );
  const ask = async (transport: "udp" | "tcp"): Promise<Message | string> =>
    decodeMessage(await exchange(server, message, { transport, timeoutMilliseconds: TIMEOUT_MILLISECONDS }));
  let transport: "udp" | "tcp" = tcp ? "tcp" : "udp";
  let response: Message | string;
  try {
    response = await ask(transport);
    if (typeof response !== "string" && response.truncated && transport === "udp") {
      transport = "tcp";
      response = await ask(transport);
    }
  } catch (error) {
    const refused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
    const reason = refused
      ? "nobody listens there; start geodns365 serve, or name another with --server"
      : error instanceof Error
        ? error.message
        : String(error);
    console.error(`no response from ${formatEndpoint(server)} over ${transport}: ${reason}`);
    return EXIT.foundWrong;
  }
  if (typeof response === "string") {
    console.error(`the response of ${formatEndpoint(server)} is malformed: ${response}`);
    return EXIT.foundWrong;
  }
  for (const line of formatMessage(response, server, transport)) console.log(line);
  return response.rcode === RCODE.NOERROR ? EXIT.good : EXIT.foundWrong;
}

function* formatMessage(message: Message, server: Endpoint, transport: string): Generator<string> {
  const flags = [
    message.authoritative ? "aa" : "",
    message.truncated ? "tc" : "",
    message.recursionDesired ? "rd" : "",
    message.recursionAvailable ? "ra" : "",
  ];
  const set = flags.filter((flag) => flag !== "").join(" ");
  yield `; ${formatRcode(message.rcode)}, flags ${set === "" ? "none" : set}, from ${formatEndpoint(server)} over ${transport}`;
  if (message.clientSubnet !== undefined) {
    const { prefix, scopePrefixLength } = message.clientSubnet;
    yield `; client subnet ${prefix === undefined ? "/0" : formatPrefix(prefix)}, scope ${scopePrefixLength}`;
  }
  for (const { qname, qclass, qtype } of message.questions) {
    yield `; question: ${formatName(qname)} ${formatClass(qclass)} ${formatType(qtype)}`;
  }
  for (const section of ["answer", "authority", "additional"] as const) {
    if (message[section].length > 0) yield `; ${section}`;
    for (const record of message[section]) yield formatRecord(record);
  }
}
