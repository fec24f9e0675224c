import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatBase32Hex,
  formatBase64,
  formatHex,
  parseBase32Hex,
  parseBase64,
  parseHex,
} from "../../src/dns/text-encodings.ts";
import { octets } from "./wire.ts";

const encodings = [
  { name: "hex (RFC 4648 §8)", parse: parseHex, format: formatHex },
  { name: "base64 (RFC 4648 §4)", parse: parseBase64, format: formatBase64 },
  { name: "base32hex (RFC 4648 §7)", parse: parseBase32Hex, format: formatBase32Hex },
];

test.each(encodings)("$name comes back", ({ parse, format }) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (value) => {
      expect(parse(format(value))).toEqual(value);
    }),
  );
});

test("base32hex of the examples in RFC 4648 §10, without padding", () => {
  const texts = ["f", "fo", "foo", "foob", "fooba", "foobar"];
  const encoded = ["CO", "CPNG", "CPNMU", "CPNMUOG", "CPNMUOJ1", "CPNMUOJ1E8"];
  expect(texts.map((text) => formatBase32Hex(octets(text)))).toEqual(encoded);
  expect(encoded.map((text) => parseBase32Hex(text.toLowerCase()))).toEqual(
    texts.map((text) => octets(text)),
  );
});

describe("is refused", () => {
  test.each(["a", "abc", "0g", "0x00", " 00"])("hex %j", (text) => expect(parseHex(text)).toBeUndefined());
  test.each(["A", "AA", "AAA", "AB==", "AAB=", "AA=", "AAAA=", "AA==AAAA", "AA-_", "AA A"])(
    "base64 %j",
    (text) => expect(parseBase64(text)).toBeUndefined(),
  );
  test.each(["0", "000", "01", "0W", "00======", "000000"])("base32hex %j", (text) =>
    expect(parseBase32Hex(text)).toBeUndefined(),
  );
});
