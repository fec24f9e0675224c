/**
 * Addresses out of the prefixes that are published for a service. All addresses of the prefixes, in the order in which they
 * are written, are cut into blocks of one size, one a datacenter of the cloud. Of a block with room for it each service has
 * a slice, as of a pool; of a smaller one the first addresses are those of every service.
 */

import { MOST_ADDRESSES, POOL_SLICES } from "../cloud/chain.ts";
import { addressAt, addressBits, type IpPrefix } from "../ip.ts";

/** Which block of how many. */
export interface Block {
  readonly index: number;
  readonly of: number;
}

/** The first `count` addresses of a slice of a block; `tooFew` where a block has not as many. */
export function publishedAddresses(
  prefixes: readonly IpPrefix[],
  block: Block,
  { slice, count }: { readonly slice: number; readonly count: number },
): readonly Uint8Array[] | { readonly tooFew: bigint } {
  const share = sizeOf(prefixes) / BigInt(block.of);
  if (share < BigInt(count)) return { tooFew: sizeOf(prefixes) };
  const isSliced = share >= SLICED_SIZE;
  // A power of two, so that blocks of whole prefixes are prefixes too.
  const size = isSliced ? 1n << BigInt(share.toString(2).length - 1) : share;
  // As in a pool the first address of a slice, which can be that of a subnet, is left out.
  const start =
    size * BigInt(block.index) + (isSliced ? (size / BigInt(POOL_SLICES)) * BigInt(slice) + 1n : 0n);
  return Array.from({ length: count }, (_, i) => nthAddress(prefixes, start + BigInt(i)));
}

/** The smallest block whose slices have as many addresses as a service can give, and their first one. */
const SLICED_SIZE = BigInt(POOL_SLICES * (MOST_ADDRESSES + 1));

const sizeOf = (prefixes: readonly IpPrefix[]): bigint =>
  prefixes.reduce((sum, prefix) => sum + sizeOfPrefix(prefix), 0n);

const sizeOfPrefix = ({ family, length }: IpPrefix): bigint => 1n << BigInt(addressBits(family) - length);

function nthAddress(prefixes: readonly IpPrefix[], n: bigint): Uint8Array {
  let left = n;
  for (const prefix of prefixes) {
    const size = sizeOfPrefix(prefix);
    if (left < size) return addressAt(prefix, left);
    left -= size;
  }
  throw new Error(`there is no address ${n} in ${prefixes.length} prefixes`);
}
