import { describe, expect, test } from "vitest";
import {
  formatClass,
  formatOpcode,
  formatRcode,
  formatType,
  parseClass,
  parseType,
} from "../../src/dns/iana.ts";

describe("types and classes", () => {
  test.each([
    { text: "AAAA", type: 28, printed: "AAAA" },
    { text: "aaaa", type: 28, printed: "AAAA" },
    { text: "HTTPS", type: 65, printed: "HTTPS" },
    { text: "ANY", type: 255, printed: "ANY" },
    { text: "AXFR", type: 252, printed: "AXFR" },
    { text: "TYPE28", type: 28, printed: "AAAA" },
    { text: "type65280", type: 65280, printed: "TYPE65280" },
    { text: "TYPE0", type: 0, printed: "TYPE0" },
    { text: "TYPE65535", type: 65535, printed: "TYPE65535" },
  ])("type $text is $type (RFC 3597 §5)", ({ text, type, printed }) => {
    expect(parseType(text)).toBe(type);
    expect(formatType(type)).toBe(printed);
  });

  test.each([
    { text: "IN", qclass: 1, printed: "IN" },
    { text: "ch", qclass: 3, printed: "CH" },
    { text: "NONE", qclass: 254, printed: "NONE" },
    { text: "ANY", qclass: 255, printed: "ANY" },
    { text: "CLASS1", qclass: 1, printed: "IN" },
    { text: "class65535", qclass: 65535, printed: "CLASS65535" },
  ])("class $text is $qclass (RFC 3597 §5)", ({ text, qclass, printed }) => {
    expect(parseClass(text)).toBe(qclass);
    expect(formatClass(qclass)).toBe(printed);
  });

  test.each(["", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "TYPE000001", "CLASS1", "AAAAA", "constructor"])(
    "%j is no type",
    (text) => expect(parseType(text)).toBeUndefined(),
  );

  test.each(["", "CLASS", "CLASS65536", "TYPE1", "INN"])("%j is no class", (text) =>
    expect(parseClass(text)).toBeUndefined(),
  );
});

test("opcodes and RCODEs print by name, unknown ones by number", () => {
  expect([0, 5, 3].map(formatOpcode)).toEqual(["QUERY", "UPDATE", "OPCODE3"]);
  expect([0, 3, 5, 16, 0xfff].map(formatRcode)).toEqual([
    "NOERROR",
    "NXDOMAIN",
    "REFUSED",
    "BADVERS",
    "RCODE4095",
  ]);
});
