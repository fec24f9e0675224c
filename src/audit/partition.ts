/** Partitions of the address space into prefixes, each with one list; walked in address order. */

import { addressBehind } from "../geo/prefix-table.ts";
import { type AddressFamily, addressBits, commonPrefixLength, type IpPrefix, maskOctets } from "../ip.ts";

/** The prefix around an address in which every address is said to have one list. */
export interface Cell {
  /** the number of the list */
  readonly list: number;
  readonly prefixLength: number;
}

/** Which cell each address of a family is in. */
export interface Partition<C extends Cell = Cell> {
  readonly family: AddressFamily;
  cellAt(octets: Uint8Array): C;
}

/** Where an address is, in a word: the name of a network, a country, or that it is nowhere known. */
export interface PlacedCell extends Cell {
  readonly where: string;
}

/** Is shown each part of a common refinement, with the cell of each partition there. */
export type PartVisitor<A extends Cell, B extends Cell> = (prefix: IpPrefix, a: A, b: B) => void;

/** Walks two partitions together, over the widest prefixes that lie in one cell of each. */
export function walkTogether<A extends Cell, B extends Cell>(
  a: Partition<A>,
  b: Partition<B>,
  visit: PartVisitor<A, B>,
): void {
  const { family } = a;
  let octets: Uint8Array | undefined = firstAddress(family);
  while (octets !== undefined) {
    const cellA = a.cellAt(octets);
    const cellB = b.cellAt(octets);
    const length = Math.max(cellA.prefixLength, cellB.prefixLength);
    visit({ family, octets, length }, cellA, cellB);
    octets = addressBehind(octets, length);
  }
}

/** Shows the parts of a prefix that lie in one cell each, with where they are. */
export function partsOf(
  places: Partition<PlacedCell>,
  prefix: IpPrefix,
  visit: (length: number, where: string) => void,
): void {
  let at: Uint8Array | undefined = prefix.octets;
  while (at !== undefined && commonPrefixLength(at, prefix.octets) >= prefix.length) {
    const { prefixLength, where } = places.cellAt(at);
    const length = Math.max(prefixLength, prefix.length);
    visit(length, where);
    at = addressBehind(at, length);
  }
}

export const firstAddress = (family: AddressFamily): Uint8Array => new Uint8Array(addressBits(family) / 8);

/** The last address of the prefix of `length` bits that holds an address. */
export function lastAddress(octets: Uint8Array, length: number): Uint8Array {
  const last = octets.slice();
  const at = length >> 3;
  if (at < last.length) last[at] = (last[at] ?? 0) | (0xff >> (length & 7));
  return last.fill(0xff, at + 1);
}

/** How many zero bits there are before the end of the first `length` bits. */
export function trailingZeros(octets: Uint8Array, length: number): number {
  let zeros = 0;
  while (zeros < length && bitAt(octets, length - zeros - 1) === 0) zeros++;
  return zeros;
}

export const bitAt = (octets: Uint8Array, at: number): number =>
  ((octets[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;

/** Whether an address is the first of the prefix of `length` bits that holds it. */
export function isFirst(octets: Uint8Array, length: number): boolean {
  if (length === octets.length * 8) return true;
  const rest = (octets[length >> 3] ?? 0) & (0xff >> (length & 7));
  if (rest !== 0) return false;
  for (let i = (length >> 3) + 1; i < octets.length; i++) if (octets[i] !== 0) return false;
  return true;
}

export function cellPrefix(family: AddressFamily, octets: Uint8Array, length: number): IpPrefix {
  return { family, octets: maskOctets(octets, length), length };
}

/** The other half of the prefix that is one bit shorter. */
export function siblingOf({ family, octets, length }: IpPrefix): IpPrefix {
  const at = (length - 1) >> 3;
  const bit = 0x80 >> ((length - 1) & 7);
  return { family, octets: octets.map((octet, i) => (i === at ? octet ^ bit : octet)), length };
}

/** How much of the space a prefix is: addresses of IPv4, or networks of 48 bits of IPv6. */
export const sizeOf = (family: AddressFamily, length: number): number =>
  2 ** ((family === 4 ? 32 : 48) - length);
