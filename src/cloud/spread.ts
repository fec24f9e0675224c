/** Clients spread over the nearest datacenters by a hash: the same client has the same one until a state changes. */

import {
  commonPrefixLength,
  findIpv4Block,
  type IpAddress,
  type IpPrefix,
  ipv4Blocks,
  prefixContains,
  prefixOf,
} from "../ip.ts";
import type { Datacenter, DatacenterId } from "./topology.ts";

export interface Spread {
  /** how many of the nearest that are up share the clients */
  readonly over: number;
  /** the share of a datacenter beside the others', 1 where it has none */
  readonly weights: ReadonlyMap<DatacenterId, number>;
}

/** Clients that are not told apart. */
export interface SpreadGroup {
  /** a /24 or /56; of an IPv6 address that holds an IPv4 address, the /24 of that one */
  readonly prefix: IpPrefix;
  /** the length of the widest prefix around the address, in its own family, that is known to be in the group whole */
  readonly prefixLength: number;
}

/** The lengths to which RFC 7871 §11.1 asks resolvers to cut client subnets, so that none of them is split. */
const GROUP_BITS = { 4: 24, 6: 56 } as const;

export function groupOf(address: IpAddress): SpreadGroup {
  const { family, octets } = address;
  const offset = findIpv4Block(address)?.prefix.length;
  if (offset !== undefined) {
    const inner = { family: 4, octets: octets.slice(offset / 8, offset / 8 + 4) } as const;
    return { prefix: prefixOf(inner, GROUP_BITS[4]), prefixLength: offset + GROUP_BITS[4] };
  }
  const prefix = prefixOf(address, GROUP_BITS[family]);
  // The addresses of a block beside this one go by their IPv4 address, so they are not of the group.
  const beside = ipv4Blocks.filter((block) => prefixContains(prefix, block.prefix));
  const lengths = beside.map((block) => commonPrefixLength(octets, block.prefix.octets) + 1);
  return { prefix, prefixLength: Math.max(prefix.length, ...lengths) };
}

/**
 * The datacenter of a group: that with the highest score (rendezvous hashing, weighted as in "Weighted Distributed Hash
 * Tables", Schindelhauer and Schomaker 2005). A score depends on the group and its datacenter alone, so one that comes or
 * goes moves none but its own share.
 */
export function chooseSpread(
  { prefix }: SpreadGroup,
  datacenters: readonly Datacenter[],
  { weights }: Spread,
): Datacenter | undefined {
  let chosen: Datacenter | undefined;
  let highest = -1;
  for (const datacenter of datacenters) {
    const score = (weights.get(datacenter.id) ?? 1) / -Math.log(fractionOf(prefix, datacenter.id));
    if (score <= highest) continue;
    highest = score;
    chosen = datacenter;
  }
  return chosen;
}

/** A hash between 0 and 1, neither included: FNV-1a over id and prefix, its bits mixed as by MurmurHash3. */
function fractionOf({ octets, length }: IpPrefix, id: DatacenterId): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  for (let i = 0; i < length / 8; i++) hash = Math.imul(hash ^ (octets[i] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
