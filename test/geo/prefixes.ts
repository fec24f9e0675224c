/** Prefixes and addresses for the tests of this folder, from text and at random. */

import fc from "fast-check";
import {
  type AddressFamily,
  addressBits,
  type IpAddress,
  type IpPrefix,
  maskOctets,
  parseAddress,
  parsePrefix,
  prefixContains,
} from "../../src/ip.ts";

export function prefix(text: string): IpPrefix {
  const parsed = parsePrefix(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`"${text}" is no address`);
  return parsed;
}

export const toNumber = (octets: Uint8Array): bigint =>
  [...octets].reduce((number, octet) => (number << 8n) | BigInt(octet), 0n);

export function toOctets(family: AddressFamily, number: bigint): Uint8Array {
  const octets = addressBits(family) / 8;
  return new Uint8Array(Buffer.from(number.toString(16).padStart(octets * 2, "0"), "hex"));
}

export const firstOf = (prefix: IpPrefix): bigint => toNumber(prefix.octets);
export const behind = (prefix: IpPrefix): bigint =>
  firstOf(prefix) + (1n << BigInt(addressBits(prefix.family) - prefix.length));

export const family: fc.Arbitrary<AddressFamily> = fc.constantFrom(4, 6);

/** Octets from a small set, so that random prefixes nest, touch, and reach both ends of the space. */
export const octetsOf = (family: AddressFamily): fc.Arbitrary<Uint8Array> => {
  const size = addressBits(family) / 8;
  return fc
    .array(fc.constantFrom(0, 1, 0x0a, 0x7f, 0x80, 0xff), { minLength: size, maxLength: size })
    .map((octets) => Uint8Array.from(octets));
};

export const prefixIn = (family: AddressFamily): fc.Arbitrary<IpPrefix> =>
  fc
    .tuple(octetsOf(family), fc.integer({ min: 0, max: addressBits(family) }))
    .map(([octets, length]) => ({ family, octets: maskOctets(octets, length), length }));

/** IPv6 blocks whose addresses hold an IPv4 address behind so many bits. */
export const blocks: readonly { readonly block: IpPrefix; readonly offset: number }[] = [
  { block: prefix("::ffff:0:0/96"), offset: 96 },
  { block: prefix("2002::/16"), offset: 16 },
  { block: prefix("64:ff9b::/96"), offset: 96 },
];

/** The IPv4 address in an IPv6 one that holds one; any other address as it is. */
export function innermost(at: IpAddress): IpAddress {
  const found = blocks.find(({ block }) => prefixContains(block, at));
  if (found === undefined) return at;
  return { family: 4, octets: at.octets.slice(found.offset / 8, found.offset / 8 + 4) };
}

/** An address of family 6 that holds an IPv4 address, in one of the blocks. */
export const holding = (octets: Uint8Array, blockIndex: number): IpAddress => {
  const { block, offset } = blocks[blockIndex % blocks.length] ?? { block: prefix("2002::/16"), offset: 16 };
  const held = block.octets.slice();
  held.set(octets, offset / 8);
  return { family: 6, octets: held };
};

/**
 * The addresses of a family at which prefixes begin, and those behind their ends. Where only prefixes decide, nothing
 * changes between two of them. In family 6 they are also those of IPv4 prefixes, wherever IPv4 addresses are held.
 */
export function turnsOf(family: AddressFamily, prefixes: readonly IpPrefix[]): readonly IpAddress[] {
  const ofFamily = (each: AddressFamily): readonly bigint[] =>
    prefixes
      .filter((prefix) => prefix.family === each)
      .flatMap((prefix) => [firstOf(prefix), behind(prefix)]);
  const edges = [0n, ...ofFamily(family)];
  if (family === 6) {
    for (const { block, offset } of blocks) {
      const shift = BigInt(128 - offset - 32);
      const inner = ofFamily(4).map((edge) => firstOf(block) + (edge << shift));
      edges.push(firstOf(block), behind(block), ...inner);
    }
  }
  return [...new Set(edges)]
    .filter((edge) => edge < 1n << BigInt(addressBits(family)))
    .map((edge) => ({ family, octets: toOctets(family, edge) }));
}
