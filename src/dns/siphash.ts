/** SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash of server cookies (RFC 9018 §4.4). */

/** Octets of a key. */
export const SIPHASH_KEY_OCTETS = 16;

/**
 * The hash as 8 octets, least significant first. A 64-bit word is held as two numbers of 32 bits: a hash is made for
 * each query with a cookie, and a BigInt would be allocated at every step of it.
 */
export function sipHash24(key: Uint8Array, octets: Uint8Array): Uint8Array {
  const hash = new Uint8Array(8);
  sipHash24Into(key, octets, octets.length, hash, 0);
  return hash;
}

/** The same of the first `length` octets, written to `to` from `at` on; those behind them must be zero up to the next multiple of 8. */
export function sipHash24Into(
  key: Uint8Array,
  octets: Uint8Array,
  length: number,
  to: Uint8Array,
  at: number,
): void {
  if (key.length !== SIPHASH_KEY_OCTETS) {
    throw new RangeError(`a SipHash key has ${SIPHASH_KEY_OCTETS} octets, not ${key.length}`);
  }
  let v0Low = uint32At(key, 0) ^ 0x70736575;
  let v0High = uint32At(key, 4) ^ 0x736f6d65;
  let v1Low = uint32At(key, 8) ^ 0x6e646f6d;
  let v1High = uint32At(key, 12) ^ 0x646f7261;
  let v2Low = uint32At(key, 0) ^ 0x6e657261;
  let v2High = uint32At(key, 4) ^ 0x6c796765;
  let v3Low = uint32At(key, 8) ^ 0x79746573;
  let v3High = uint32At(key, 12) ^ 0x74656462;

  // The words of the message, of which the last ends in its length, and one more pass that finishes.
  const words = (length >> 3) + 1;
  for (let word = 0; word <= words; word++) {
    const finishing = word === words;
    const low = finishing ? 0 : uint32At(octets, word * 8);
    const end = word === words - 1 ? length << 24 : 0;
    const high = finishing ? 0 : uint32At(octets, word * 8 + 4) | end;
    v3Low ^= low;
    v3High ^= high;
    if (finishing) v2Low ^= 0xff;
    for (let round = finishing ? 4 : 2; round > 0; round--) {
      let before: number;

      v0High = (v0High + v1High + carry(v0Low, v1Low)) | 0;
      v0Low = (v0Low + v1Low) | 0;
      before = v1High;
      v1High = upper(v1High, v1Low, 13) ^ v0High;
      v1Low = upper(v1Low, before, 13) ^ v0Low;
      before = v0High;
      v0High = v0Low;
      v0Low = before;

      v2High = (v2High + v3High + carry(v2Low, v3Low)) | 0;
      v2Low = (v2Low + v3Low) | 0;
      before = v3High;
      v3High = upper(v3High, v3Low, 16) ^ v2High;
      v3Low = upper(v3Low, before, 16) ^ v2Low;

      v0High = (v0High + v3High + carry(v0Low, v3Low)) | 0;
      v0Low = (v0Low + v3Low) | 0;
      before = v3High;
      v3High = upper(v3High, v3Low, 21) ^ v0High;
      v3Low = upper(v3Low, before, 21) ^ v0Low;

      v2High = (v2High + v1High + carry(v2Low, v1Low)) | 0;
      v2Low = (v2Low + v1Low) | 0;
      before = v1High;
      v1High = upper(v1High, v1Low, 17) ^ v2High;
      v1Low = upper(v1Low, before, 17) ^ v2Low;
      before = v2High;
      v2High = v2Low;
      v2Low = before;
    }
    v0Low ^= low;
    v0High ^= high;
  }

  const hashLow = v0Low ^ v1Low ^ v2Low ^ v3Low;
  const hashHigh = v0High ^ v1High ^ v2High ^ v3High;
  for (let i = 0; i < 4; i++) {
    to[at + i] = hashLow >> (8 * i);
    to[at + 4 + i] = hashHigh >> (8 * i);
  }
}

/** Four octets, least significant first; those behind the end are zero. */
function uint32At(octets: Uint8Array, offset: number): number {
  const low = (octets[offset] ?? 0) | ((octets[offset + 1] ?? 0) << 8);
  return low | ((octets[offset + 2] ?? 0) << 16) | ((octets[offset + 3] ?? 0) << 24);
}

/** What the sum of two lower halves adds to the upper half. */
const carry = (a: number, b: number): number => ((a >>> 0) + (b >>> 0) > 0xffffffff ? 1 : 0);

/** The upper half of a word rotated left by fewer than 32 bits; with the halves changed over, the lower one. */
const upper = (high: number, low: number, bits: number): number => (high << bits) | (low >>> (32 - bits));
