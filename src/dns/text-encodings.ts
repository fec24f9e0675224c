/** Octets as hex, base64 and base32hex digits (RFC 4648), as the fields of RDATA are written in. */

/** Octets of hex digits in either case; undefined for anything else. */
export function parseHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-f]{2})*$/i.test(text) ? new Uint8Array(Buffer.from(text, "hex")) : undefined;
}

export const formatHex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex").toUpperCase();

/** Octets of base64 digits, padded (RFC 4648 §4); undefined for anything else, unused bits that are set included (§3.5). */
export function parseBase64(text: string): Uint8Array | undefined {
  if (!/^(?:[0-9a-z+/]{4})*(?:[0-9a-z+/]{2}==|[0-9a-z+/]{3}=)?$/i.test(text)) return undefined;
  const octets = Buffer.from(text, "base64");
  return octets.toString("base64") === text ? new Uint8Array(octets) : undefined;
}

export const formatBase64 = (octets: Uint8Array): string => Buffer.from(octets).toString("base64");

const BASE32_HEX = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/** Octets of base32hex digits without padding (RFC 4648 §7, RFC 5155 §3.3); undefined for anything else. */
export function parseBase32Hex(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const character of text.toUpperCase()) {
    const digit = BASE32_HEX.indexOf(character);
    if (digit < 0) return undefined;
    bits = ((bits << 5) | digit) & 0xfff;
    bitCount += 5;
    if (bitCount >= 8) {
      bitCount -= 8;
      octets[at++] = (bits >> bitCount) & 0xff;
    }
  }
  // The bits behind the last whole octet are zero, and fewer than one digit's.
  const unused = bits & ((1 << bitCount) - 1);
  return bitCount < 5 && unused === 0 ? octets : undefined;
}

export function formatBase32Hex(octets: Uint8Array): string {
  let text = "";
  let bits = 0;
  let bitCount = 0;
  for (const octet of octets) {
    bits = ((bits << 8) | octet) & 0xfff;
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      text += BASE32_HEX[(bits >> bitCount) & 0x1f];
    }
  }
  return bitCount === 0 ? text : text + BASE32_HEX[(bits << (5 - bitCount)) & 0x1f];
}
