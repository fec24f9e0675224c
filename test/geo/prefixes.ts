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
