/** RDATA of WKS: the well-known services of an address (RFC 1035 §3.4.2). */

import { formatAddress, parseAddress } from "../ip.ts";
import { parseDecimal, type Word } from "./presentation.ts";
import { Malformed, type WireReader } from "./wire-reader.ts";

const MAX_WKS_OCTETS = 5 + 0x10000 / 8;

const protocols: ReadonlyMap<string, number> = new Map([
  ["icmp", 1],
  ["tcp", 6],
  ["udp", 17],
]);

/** Services that the files of old name; others are written by their port. A fixed list, so that a zone reads alike everywhere. */
const ports: ReadonlyMap<string, number> = new Map([
  ["echo", 7],
  ["discard", 9],
  ["daytime", 13],
  ["chargen", 19],
  ["ftp-data", 20],
  ["ftp", 21],
  ["ssh", 22],
  ["telnet", 23],
  ["smtp", 25],
  ["time", 37],
  ["domain", 53],
  ["tftp", 69],
  ["gopher", 70],
  ["finger", 79],
  ["http", 80],
  ["kerberos", 88],
  ["pop3", 110],
  ["sunrpc", 111],
  ["nntp", 119],
  ["ntp", 123],
  ["snmp", 161],
  ["https", 443],
]);

/** `address protocol [service ...]` */
export function parseWks(words: readonly Word[]): Uint8Array | string {
  const [addressText = "", protocolText = "", ...serviceTexts] = words.map((word) => word.text);
  if (words.length < 2) return "an address and a protocol are expected";
  const address = parseAddress(addressText);
  if (address?.family !== 4) return `"${addressText}" is not an IPv4 address`;
  const protocol = protocols.get(protocolText.toLowerCase()) ?? parseDecimal(protocolText, 0xff);
  if (protocol === undefined) return `"${protocolText}" is not tcp, udp or a protocol's number from 0 to 255`;
  const bits = new Uint8Array(MAX_WKS_OCTETS);
  bits.set([...address.octets, protocol]);
  let end = 5;
  for (const text of serviceTexts) {
    const port = ports.get(text.toLowerCase()) ?? parseDecimal(text, 0xffff);
    if (port === undefined) return `"${text}" is not a service known here or a port from 0 to 65535`;
    const at = 5 + (port >> 3);
    bits[at] = (bits[at] ?? 0) | (0x80 >> (port & 7));
    end = Math.max(end, at + 1);
  }
  return bits.slice(0, end);
}

export function readWks(reader: WireReader): Uint8Array {
  if (reader.remaining < 5) throw new Malformed("it ends too early");
  if (reader.remaining > MAX_WKS_OCTETS) throw new Malformed("RDATA is longer than its type allows");
  const octets = reader.take(reader.remaining);
  if (octets.length > 5 && octets.at(-1) === 0) throw new Malformed("its bitmap ends in a zero octet");
  return octets;
}

export function formatWks(octets: Uint8Array): string {
  const words = [formatAddress(octets.subarray(0, 4)), String(octets[4])];
  for (let port = 0; port < (octets.length - 5) * 8; port++) {
    if (((octets[5 + (port >> 3)] ?? 0) & (0x80 >> (port & 7))) !== 0) words.push(String(port));
  }
  return words.join(" ");
}
