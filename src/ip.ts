/** IP addresses and prefixes as octets; text is parsed and printed here and nowhere else. */

import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

export type AddressFamily = 4 | 6;

/** An address: 4 octets in family 4, 16 in family 6. */
export interface IpAddress {
  readonly family: AddressFamily;
  readonly octets: Uint8Array;
}

/** An address prefix. `octets` is a whole address whose bits behind `length` are zero. */
export interface IpPrefix {
  readonly family: AddressFamily;
  readonly octets: Uint8Array;
  readonly length: number;
}

/** An address with a port. */
export interface Endpoint {
  /** in presentation form */
  readonly address: string;
  readonly family: AddressFamily;
  readonly port: number;
}

export const addressBits = (family: AddressFamily): 32 | 128 => (family === 4 ? 32 : 128);

/** Parses `192.0.2.1` or `2001:db8::1`; undefined for anything else, scoped and shorthand forms included. */
export function parseAddress(text: string): IpAddress | undefined {
  const version = isIP(text);
  if (version === 0 || text.includes("%")) return undefined;
  // Every datagram comes with its address as text, so the usual family is not worth a parser.
  if (version === 4) return { family: 4, octets: Uint8Array.from(text.split("."), Number) };
  // ipaddr.js takes ::192.0.2.1 for ::ffff:192.0.2.1, so it gets the dotted end (RFC 4291 §2.2) by itself.
  const dottedAt = text.includes(".") ? text.lastIndexOf(":") + 1 : text.length;
  const dotted = text.slice(dottedAt);
  const hexadecimal = dotted === "" ? text : `${text.slice(0, dottedAt)}0:0`;
  const octets = Uint8Array.from(ipaddr.parse(hexadecimal).toByteArray());
  if (dotted !== "") octets.set(ipaddr.parse(dotted).toByteArray(), 12);
  return { family: 6, octets };
}

/** Prints 4 octets in dotted form, 16 in the form of RFC 5952. */
export function formatAddress(octets: Uint8Array): string {
  return octets.length === 4 ? octets.join(".") : new ipaddr.IPv6([...octets]).toRFC5952String();
}

/**
 * Parses `10.1.0.0/16` or `2001:db8::/48`; a bare address is a prefix of its full length.
 * Returns a sentence saying what is wrong where the text is no prefix or has host bits set.
 */
export function parsePrefix(text: string): IpPrefix | string {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return `"${text}" is not an address prefix like 10.1.0.0/16 or 2001:db8:1::/48`;
  const bits = addressBits(address.family);
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= bits)) return `"${text}" has a prefix length that is not between 0 and ${bits}`;
  const octets = maskOctets(address.octets, length);
  const prefix: IpPrefix = { family: address.family, octets, length };
  if (!sameOctets(octets, address.octets)) {
    return `"${text}" has bits set behind its prefix length; did you mean ${formatPrefix(prefix)}?`;
  }
  return prefix;
}

export function formatPrefix(prefix: IpPrefix): string {
  return `${formatAddress(prefix.octets)}/${prefix.length}`;
}

/** Parses `127.0.0.1:5300` or `[::1]:5300`; a sentence where it is neither. */
export function parseEndpoint(text: string): Endpoint | string {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? "";
  const family = parseAddress(address)?.family;
  const port = Number(match?.[3] ?? Number.NaN);
  const bracketed = match?.[1] !== undefined;
  if (family === undefined || bracketed !== (family === 6) || !(port <= 65535)) {
    return `"${text}" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300`;
  }
  return { address, family, port };
}

export const formatEndpoint = ({ address, family, port }: Endpoint): string =>
  family === 4 ? `${address}:${port}` : `[${address}]:${port}`;

/** The prefix of `length` bits that holds `address`. */
export function prefixOf(address: IpAddress, length: number): IpPrefix {
  return { family: address.family, octets: maskOctets(address.octets, length), length };
}

export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (prefix.family !== address.family) return false;
  return sameOctets(maskOctets(address.octets, prefix.length), prefix.octets);
}

/** The IPv4 address inside an IPv4-mapped IPv6 one (RFC 4291 §2.5.5.2), which dual-stack sockets report. */
export function unmapAddress(address: IpAddress): IpAddress {
  const { family, octets } = address;
  if (family === 4 || octets[10] !== 0xff || octets[11] !== 0xff) return address;
  for (let i = 0; i < 10; i++) if (octets[i] !== 0) return address;
  return { family: 4, octets: octets.slice(12) };
}

/** A copy whose bits behind `length` are zero. */
export function maskOctets(octets: Uint8Array, length: number): Uint8Array {
  return octets.map((octet, i) => {
    const kept = Math.min(Math.max(length - i * 8, 0), 8);
    return octet & (0xff00 >> kept);
  });
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
