/** Questions as messages, and the places that they are asked from. */

import type { Ask } from "../config/ask.ts";
import type { Configuration } from "../config/configuration.ts";
import { suggest } from "../config/documents.ts";
import type { QueryEntry } from "../config/rehearsal-schema.ts";
import { clientSubnetOf, clientSubnetOption } from "../dns/client-subnet.ts";
import { type EdnsOption, renderOpt } from "../dns/edns.ts";
import { CLASS, formatType, OPTION, parseClass, parseType, TYPE } from "../dns/iana.ts";
import { parseName } from "../dns/name.ts";
import { renderQuery } from "../dns/render.ts";
import { type IpPrefix, parsePrefix } from "../ip.ts";

/** Where a question comes from: a network, a prefix or an address, and the client subnet that stands for it. */
export interface FromPlace {
  readonly words: string;
  readonly prefix: IpPrefix;
}

/** Every network, each by its first prefix. */
export const everyPlace = ({ networks }: Configuration): readonly FromPlace[] =>
  networks.flatMap(({ name, prefixes: [prefix] }) => (prefix === undefined ? [] : [{ words: name, prefix }]));

/** A sentence where the text is neither a network, a prefix nor an address. */
export function placeFrom({ networks }: Configuration, text: string): FromPlace | string {
  const network = networks.find(({ name }) => name === text);
  const prefix = network?.prefixes[0] ?? parsePrefix(text);
  if (typeof prefix !== "string")
    return prefix.length > 0
      ? { words: text, prefix }
      : `"${text}" has a prefix length of 0, which asks to use no client subnet (RFC 7871 §7.1.2)`;
  if (text.includes("/")) return prefix;
  const names = networks.map(({ name }) => name);
  return `"${text}" is neither a network, a prefix nor an address${suggest(text, names)}`;
}

export const formatAsk = ({ name, qtype }: Ask): string =>
  qtype === TYPE.A ? name : `${name} ${formatType(qtype)}`;

/** A question with the client subnet that a resolver passes on, or without one. */
export const askMessage = (
  { qname, qtype }: Ask,
  subnet: IpPrefix | undefined,
  { id, recursionDesired }: { readonly id: number; readonly recursionDesired: boolean },
): Uint8Array =>
  renderQuery(
    { qname, qtype, qclass: CLASS.IN },
    { id, recursionDesired, edns: { udpPayloadSize: 1232, dnssecOk: false, subnet } },
  );

/** The query of a story, with all that it says of itself. */
export function queryMessage(query: QueryEntry, id: number): Uint8Array {
  const qname = parseName(query.name);
  const qtype = parseType(query.type);
  const qclass = parseClass(query.class);
  const subnet = query.ecs === undefined ? undefined : parsePrefix(query.ecs);
  if (typeof qname === "string" || qtype === undefined || qclass === undefined || typeof subnet === "string")
    throw new Error(`what the schema takes cannot be asked: ${JSON.stringify(query)}`);
  const { udpPayloadSize, dnssecOk, recursionDesired } = query;
  const message = renderQuery({ qname, qtype, qclass }, { id, recursionDesired, edns: undefined });
  if (!query.edns) return message;
  const options = query.options.map(parseOption);
  if (subnet !== undefined) options.push(clientSubnetOption(clientSubnetOf(subnet), 0));
  if (query.ecsOctets !== undefined)
    options.push(parseOption(`${OPTION.CLIENT_SUBNET} ${query.ecsOctets.replace(/\s/g, "")}`));
  const opt = renderOpt({ udpPayloadSize, dnssecOk, version: 0, options }, 0);
  message[11] = 1; // ARCOUNT
  return Buffer.concat([message, opt]);
}

function parseOption(text: string): EdnsOption {
  const [code, hex = ""] = text.split(" ");
  return { code: Number(code), octets: Uint8Array.from(Buffer.from(hex, "hex")) };
}
