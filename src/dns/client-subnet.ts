/** The EDNS client subnet option (RFC 7871 §6). */

import { addressBits, formatPrefix, type IpPrefix, maskOctets } from "../ip.ts";
import type { EdnsOption } from "./edns.ts";
import { OPTION } from "./iana.ts";
import { WireReader } from "./wire-reader.ts";

export interface ClientSubnet {
  /** as sent: 1, 2, or 0 when the source prefix length is 0 */
  readonly family: number;
  readonly sourcePrefixLength: number;
  readonly scopePrefixLength: number;
  /** as sent: as few octets as the source prefix length needs */
  readonly addressOctets: Uint8Array;
  /** the prefix the option names; undefined when its source prefix length is 0, which asks not to use any */
  readonly prefix: IpPrefix | undefined;
}

/**
 * Reads the option of a query. Returns a sentence where it gets FORMERR: an unknown family (RFC 7871 §7.2.1), family 0
 * with a source prefix length, a scope that a query must leave 0, a length over the family's, a wrong number of octets,
 * or bits set behind the source prefix length (all §6).
 */
export function readQueryClientSubnet(octets: Uint8Array): ClientSubnet | string {
  const subnet = readClientSubnet(octets);
  if (typeof subnet === "string") return subnet;
  return subnet.scopePrefixLength === 0 ? subnet : "the client subnet of a query has a scope prefix length";
}

/** Reads the option of any message. */
export function readClientSubnet(octets: Uint8Array): ClientSubnet | string {
  if (octets.length < 4) return "the client subnet option is shorter than 4 octets";
  const reader = new WireReader(octets);
  const family = reader.uint16();
  const sourcePrefixLength = reader.uint8();
  const scopePrefixLength = reader.uint8();
  const addressOctets = octets.subarray(4);
  if (addressOctets.length !== Math.ceil(sourcePrefixLength / 8)) {
    return `the client subnet has ${addressOctets.length} octets of address for /${sourcePrefixLength}`;
  }
  if (sourcePrefixLength === 0 && family <= 2) {
    const bits = family === 0 ? 0 : addressBits(family === 1 ? 4 : 6);
    if (scopePrefixLength > bits) return "the client subnet has a scope prefix length its family has not";
    return { family, sourcePrefixLength, scopePrefixLength, addressOctets, prefix: undefined };
  }
  if (family !== 1 && family !== 2) return `the client subnet has family ${family}`;
  const ipFamily = family === 1 ? 4 : 6;
  const bits = addressBits(ipFamily);
  if (sourcePrefixLength > bits || scopePrefixLength > bits) {
    return `the client subnet has a prefix length over ${bits}`;
  }
  const whole = new Uint8Array(bits / 8);
  whole.set(addressOctets);
  const masked = maskOctets(whole, sourcePrefixLength);
  if (masked.some((octet, i) => octet !== whole[i])) {
    return "the client subnet has bits set behind its source prefix length";
  }
  const prefix: IpPrefix = { family: ipFamily, octets: whole, length: sourcePrefixLength };
  return { family, sourcePrefixLength, scopePrefixLength, addressOctets, prefix };
}

/** The option a client sends for a prefix. */
export function clientSubnetOf(prefix: IpPrefix): ClientSubnet {
  return {
    family: prefix.family === 4 ? 1 : 2,
    sourcePrefixLength: prefix.length,
    scopePrefixLength: 0,
    addressOctets: prefix.octets.slice(0, Math.ceil(prefix.length / 8)),
    prefix: prefix.length === 0 ? undefined : prefix,
  };
}

/** The option as EDNS carries it; a response repeats FAMILY, SOURCE and ADDRESS as asked (RFC 7871 §7.2.1). */
export function clientSubnetOption(subnet: ClientSubnet, scopePrefixLength: number): EdnsOption {
  const octets = new Uint8Array(4 + subnet.addressOctets.length);
  octets.set([subnet.family >> 8, subnet.family & 0xff, subnet.sourcePrefixLength, scopePrefixLength]);
  octets.set(subnet.addressOctets, 4);
  return { code: OPTION.CLIENT_SUBNET, octets };
}

/** Prints the prefix; one of source prefix length 0 names none, so its family as sent. */
export const formatClientSubnet = ({ family, prefix }: Pick<ClientSubnet, "family" | "prefix">): string =>
  prefix === undefined ? `family ${family} /0` : formatPrefix(prefix);
