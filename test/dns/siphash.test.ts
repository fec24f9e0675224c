import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sipHash24 } from "../../src/dns/siphash.ts";
import { hex } from "./wire.ts";

/** The key 00 01 .. 0f of the paper and of the reference implementation's vectors. */
const key = hex("000102030405060708090a0b0c0d0e0f");

const ascending = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);

/** SipHash-2-4 as section 2 of the paper writes it, in words of 64 bits. */
function reference(keyOctets: Uint8Array, message: Uint8Array): bigint {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  const rotate = (value: bigint, bits: bigint): bigint => wrap((value << bits) | (value >> (64n - bits)));
  const littleEndian = (octets: Uint8Array): bigint =>
    octets.reduceRight((word, octet) => (word << 8n) | BigInt(octet), 0n);

  const [k0, k1] = [littleEndian(keyOctets.subarray(0, 8)), littleEndian(keyOctets.subarray(8))];
  let v0 = k0 ^ 0x736f6d6570736575n;
  let v1 = k1 ^ 0x646f72616e646f6dn;
  let v2 = k0 ^ 0x6c7967656e657261n;
  let v3 = k1 ^ 0x7465646279746573n;
  const round = (): void => {
    v0 = wrap(v0 + v1);
    v2 = wrap(v2 + v3);
    v1 = rotate(v1, 13n) ^ v0;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = rotate(v0, 32n);
    v2 = wrap(v2 + v1);
    v0 = wrap(v0 + v3);
    v1 = rotate(v1, 17n) ^ v2;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = rotate(v2, 32n);
  };

  const padded = new Uint8Array((Math.floor(message.length / 8) + 1) * 8);
  padded.set(message);
  padded[padded.length - 1] = message.length;
  for (let at = 0; at < padded.length; at += 8) {
    const word = littleEndian(padded.subarray(at, at + 8));
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  v2 ^= 0xffn;
  for (let i = 0; i < 4; i++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

const asInteger = (octets: Uint8Array): bigint => Buffer.from(octets).readBigUInt64LE();

test("the example of the paper's appendix A: 15 octets make a129ca6149be45e5", () => {
  expect(reference(key, ascending(15))).toBe(0xa129ca6149be45e5n);
  expect(sipHash24(key, ascending(15))).toEqual(hex("e545be4961ca29a1"));
});

describe("the vectors of the reference implementation (veorq/SipHash, vectors.h)", () => {
  /** Hashes of no octets, of 00, of 00 01, and so on. */
  const hashes = `
    310e0edd47db6f72 fd67dc93c539f874 5a4fa9d909806c0d 2d7efbd796666785
    b7877127e09427cf 8da699cd64557618 cee3fe586e46c9cb 37d1018bf50002ab
    6224939a79f5f593 b0e4a90bdf82009e f3b9dd94c5bb5d7a a7ad6b22462fb3f4
    fbe50e86bc8f1e75 903d84c02756ea14 eef27a8e90ca23f7 e545be4961ca29a1
    db9bc2577fcc2a3f 9447be2cf5e99a69 9cd38d96f0b3c14b bd6179a71dc96dbb
    98eea21af25cd6be c7673b2eb0cbf2d0 883ea3e395675393 c8ce5ccd8c030ca8
    94af49f6c650adb8 eab8858ade92e1bc f315bb5bb835d817 adcf6b0763612e2f
    a5c91da7acaa4dde 716595876650a2a6 28ef495c53a387ad 42c341d8fa92d832
    ce7cf2722f512771 e37859f94623f3a7 381205bb1ab0e012 ae97a10fd434e015
    b4a31508beff4d31 81396229f0907902 4d0cf49ee5d4dcca 5c73336a76d8bf9a
    d0a704536ba93e0e 925958fcd6420cad a915c29bc8067318 952b79f3bc0aa6d4
    f21df2e41d4535f9 87577519048f53a9 10a56cf5dfcd9adb eb75095ccd986cd0
    51a9cb9ecba312e6 96afadfc2ce666c7 72fe52975a4364ee 5a1645b276d592a1
    b274cb8ebf87870a 6f9bb4203de7b381 eaecb2a30b22a87f 9924a43cc1315724
    bd838d3aafbf8db7 0b1a2a3265d51aea 135079a3231ce660 932b2846e4d70666
    e1915f5cb1eca46c f325965ca16d629f 575ff28e60381be5 724506eb4c328a95
  `
    .trim()
    .split(/\s+/)
    .map((hash, length) => ({ hash, length }));

  test("are 64", () => expect(hashes).toHaveLength(64));

  test.each(hashes)("$length octets make $hash", ({ hash, length }) => {
    expect(sipHash24(key, ascending(length))).toEqual(hex(hash));
    expect(reference(key, ascending(length))).toBe(asInteger(hex(hash)));
  });
});

describe("any key and message", () => {
  const octet = fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));
  const octets = (constraints: fc.ArrayConstraints) =>
    fc.array(octet, { size: "max", ...constraints }).map((list) => Uint8Array.from(list));
  const anyKey = octets({ minLength: 16, maxLength: 16 });

  test("hash as in words of 64 bits", () => {
    fc.assert(
      fc.property(anyKey, octets({ maxLength: 80 }), (someKey, message) => {
        expect(asInteger(sipHash24(someKey, message))).toBe(reference(someKey, message));
      }),
      { numRuns: 1000 },
    );
  });

  test.each([255, 256, 257, 511, 512])("hash %i octets, whose length is told in one", (length) => {
    expect(asInteger(sipHash24(key, ascending(length)))).toBe(reference(key, ascending(length)));
  });

  test("hash the same inside a larger buffer, which stays as it is", () => {
    fc.assert(
      fc.property(anyKey, octets({ maxLength: 40 }), octets({ maxLength: 9 }), (someKey, message, around) => {
        const buffer = Uint8Array.from([...around, ...message, ...around]);
        const before = buffer.slice();
        const inside = buffer.subarray(around.length, around.length + message.length);
        expect(sipHash24(someKey, inside)).toEqual(sipHash24(someKey, message));
        expect(buffer).toEqual(before);
      }),
    );
  });
});

describe("the first sum of two lower halves, which the key decides", () => {
  test.each([
    { name: "2^32 - 1, which carries nothing", digits: "8a9a8c8f00000000 6d6f646e00000000" },
    { name: "2^32, which carries one", digits: "8a9a8c8f00000000 6c6f646e00000000" },
  ])("$name", ({ digits }) => {
    expect(asInteger(sipHash24(hex(digits), ascending(20)))).toBe(reference(hex(digits), ascending(20)));
  });
});

test.each([0, 8, 15, 17, 32])("a key of %i octets is refused", (length) => {
  expect(() => sipHash24(new Uint8Array(length), key)).toThrow(`a SipHash key has 16 octets, not ${length}`);
});
