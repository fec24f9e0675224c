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
  return version === 4 ? { family: 4, octets: ipv4Octets(text) } : { family: 6, octets: ipv6Octets(text) };
}

// Every datagram comes with its address as text, and zones hold addresses by the million; so these two go through the
// text once. isIP has seen that it is an address.

function ipv4Octets(text: string): Uint8Array {
  const octets = new Uint8Array(4);
  let octet = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      octets[at++] = octet;
      octet = 0;
    } else octet = octet * 10 + code - 0x30;
  }
  octets[at] = octet;
  return octets;
}

function ipv6Octets(text: string): Uint8Array {
  const octets = new Uint8Array(16);
  let group = 0;
  let groupStart = 0;
  let at = 0;
  let gapAt = -1;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : COLON;
    if (code === DOT) {
      // RFC 4291 §2.2: the last 32 bits in dotted form
      octets.set(ipv4Octets(text.slice(groupStart)), at);
      at += 4;
      break;
    }
    if (code !== COLON) {
      group = group * 16 + hexDigit(code);
      continue;
    }
    if (i > groupStart) {
      octets[at++] = group >> 8;
      octets[at++] = group & 0xff;
    } else if (i > 0 && i < text.length) gapAt = at;
    group = 0;
    groupStart = i + 1;
  }
  if (gapAt < 0) return octets;
  const zeros = 16 - at;
  octets.copyWithin(gapAt + zeros, gapAt, at);
  octets.fill(0, gapAt, gapAt + zeros);
  return octets;
}

const COLON = 0x3a;
const DOT = 0x2e;

/** 0 to 9 are 0x30 on; A and a are 9 below 10 in their low four bits. */
const hexDigit = (code: number): number => (code <= 0x39 ? code - 0x30 : (code & 0xf) + 9);

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

/** Whether only this machine can reach the address: 127.0.0.0/8, also mapped into IPv6, or ::1. */
export function isLoopback({ address }: Pick<Endpoint, "address">): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) return false;
  const { family, octets } = unmapAddress(parsed);
  return family === 4 ? octets[0] === 127 : octets.every((octet, i) => octet === (i === 15 ? 1 : 0));
}

/** The prefix of `length` bits that holds `address`. */
export function prefixOf(address: IpAddress, length: number): IpPrefix {
  return { family: address.family, octets: maskOctets(address.octets, length), length };
}

/** Whether a prefix holds an address, or the first address of another prefix. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (prefix.family !== address.family) return false;
  return sameOctets(maskOctets(address.octets, prefix.length), prefix.octets);
}

/** Whether a prefix holds the address of a family that begins at `at`; allocates nothing. */
export function prefixHolds(
  { family, octets, length }: IpPrefix,
  itsFamily: AddressFamily,
  its: Uint8Array,
  at: number,
): boolean {
  if (family !== itsFamily) return false;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (octets[i] !== its[at + i]) return false;
  const mask = (0xff00 >> (length & 7)) & 0xff;
  return mask === 0 || octets[whole] === ((its[at + whole] ?? 0) & mask);
}

/** The address so many behind the first of a prefix; it is taken to be in it. */
export function addressAt({ family, octets }: IpPrefix, offset: bigint): Uint8Array {
  const length = addressBits(family) / 8;
  const value = octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) + offset;
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt((length - 1 - i) * 8)) & 0xffn));
}

/** By family, first address and length: a prefix comes right before those that it holds. */
export const comparePrefixes = (a: IpPrefix, b: IpPrefix): number =>
  a.family - b.family || Buffer.compare(a.octets, b.octets) || a.length - b.length;

/** The IPv4 address inside an IPv4-mapped IPv6 one (RFC 4291 §2.5.5.2), which dual-stack sockets report. */
export function unmapAddress(address: IpAddress): IpAddress {
  const { family, octets } = address;
  if (family === 4 || octets[10] !== 0xff || octets[11] !== 0xff) return address;
  for (let i = 0; i < 10; i++) if (octets[i] !== 0) return address;
  return { family: 4, octets: octets.slice(12) };
}

/** A block of IPv6 addresses that hold an IPv4 address right behind its prefix. */
export interface Ipv4Block {
  readonly name: string;
  readonly prefix: IpPrefix;
}

/** An address in one of these is where the IPv4 address in it is. Their lengths are whole octets. */
export const ipv4Blocks: readonly Ipv4Block[] = [
  { name: "IPv4-mapped", text: "::ffff:0:0/96" }, // RFC 4291 §2.5.5.2
  { name: "6to4", text: "2002::/16" }, // RFC 3056 §2
  { name: "NAT64", text: "64:ff9b::/96" }, // RFC 6052 §2.1
].map(({ name, text }) => {
  const prefix = parsePrefix(text);
  if (typeof prefix === "string") throw new Error(prefix);
  return { name, prefix };
});

/** The block that an address, or the first address of a prefix, is in. */
export function findIpv4Block({ family, octets }: IpAddress): Ipv4Block | undefined {
  if (family === 4) return undefined;
  return ipv4Blocks.find(({ prefix }) => {
    for (let i = 0; i < prefix.length / 8; i++) if (prefix.octets[i] !== octets[i]) return false;
    return true;
  });
}

/** Where the IPv4 address stands in an IPv6 address that begins at `at`, in octets from there; -1 where it holds none. */
export function ipv4OffsetIn(octets: Uint8Array, at: number): number {
  for (const { prefix } of ipv4Blocks) {
    const length = prefix.length >> 3;
    let same = 0;
    while (same < length && prefix.octets[same] === octets[at + same]) same++;
    if (same === length) return length;
  }
  return -1;
}

/** The block that holds all of a prefix, and the IPv4 prefix that the addresses in it are located by. */
export function findIpv4Prefix(
  prefix: IpPrefix,
): { readonly block: Ipv4Block; readonly inner: IpPrefix } | undefined {
  const block = findIpv4Block(prefix);
  if (block === undefined || prefix.length < block.prefix.length) return undefined;
  const at = block.prefix.length / 8;
  const length = Math.min(32, prefix.length - block.prefix.length);
  return { block, inner: { family: 4, octets: prefix.octets.slice(at, at + 4), length } };
}

/** How many leading bits two addresses of one family have in common. */
export function commonPrefixLength(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return a.length * 8;
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
