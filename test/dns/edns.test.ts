import { describe, expect, test } from "vitest";
import {
  extendedErrorOption,
  keepaliveOption,
  optOctets,
  readExtendedError,
  readOpt,
  renderOpt,
} from "../../src/dns/edns.ts";
import { Malformed } from "../../src/dns/wire-reader.ts";
import { labels, octets, opt, option, uint16, uint32 } from "./wire.ts";

describe("the OPT record (RFC 6891 §6.1)", () => {
  const edns = {
    udpPayloadSize: 0xfffe,
    version: 3,
    dnssecOk: true,
    options: [
      { code: 10, octets: octets("12345678") },
      { code: 0xfffe, octets: octets() },
    ],
  };
  const options = octets(option(10, "12345678"), option(0xfffe, []));
  const record = { owner: octets(0), class: 0xfffe, ttlSeconds: 0xab038000, rdata: options };

  test("is read from class, TTL and RDATA, and rendered back with the upper bits of the RCODE", () => {
    expect(readOpt(record)).toEqual({ edns, fault: undefined });
    const rendered = octets(
      0,
      uint16(41),
      uint16(0xfffe),
      uint32(0xab038000),
      uint16(options.length),
      options,
    );
    expect(renderOpt(edns, 0xab)).toEqual(rendered);
    expect(optOctets(edns)).toBe(rendered.length);
    expect(optOctets({ ...edns, options: [] })).toBe(opt().length);
  });

  test.each([
    { name: "DO alone", ttlSeconds: 0x8000, expected: { dnssecOk: true, version: 0 } },
    { name: "all flags but DO (§6.1.4)", ttlSeconds: 0x7fff, expected: { dnssecOk: false, version: 0 } },
    {
      name: "version 255 below an extended RCODE",
      ttlSeconds: 0xffff0000,
      expected: { dnssecOk: false, version: 255 },
    },
  ])("$name", ({ ttlSeconds, expected }) => {
    expect(readOpt({ ...record, ttlSeconds }).edns).toMatchObject(expected);
  });

  test.each([1, 2, 3, 4, 5, 11])(
    "with its first option cut off after %i octets, keeps the rest that it says (§6.1.3)",
    (length) => {
      const fault = "an option runs past the end of its OPT";
      const read = readOpt({ ...record, rdata: options.subarray(0, length) });
      expect(read).toEqual({ edns: { ...edns, options: [] }, fault });
    },
  );

  test("belongs to the root (§6.1.2)", () => {
    expect(() => readOpt({ ...record, owner: labels("a") })).toThrow(
      new Malformed("its OPT is not owned by the root"),
    );
  });
});

describe("options", () => {
  test.each([
    { name: "a text", error: { code: 20, text: "not our zone" }, wire: octets(0, 20, "not our zone") },
    { name: "no text", error: { code: 0xfffe, text: "" }, wire: octets(0xff, 0xfe) },
    { name: "a text beyond ASCII is UTF-8", error: { code: 0, text: "é" }, wire: octets(0, 0, 0xc3, 0xa9) },
  ])("an extended error with $name (RFC 8914 §2)", ({ error, wire }) => {
    expect(extendedErrorOption(error)).toEqual({ code: 15, octets: wire });
    expect(readExtendedError(wire)).toEqual(error);
  });

  test.each([0, 1])("an extended error of %i octets is none (RFC 8914 §2)", (length) => {
    expect(readExtendedError(new Uint8Array(length))).toBeUndefined();
  });

  test.each([
    { seconds: 10, wire: octets(0, 100) },
    { seconds: 0, wire: octets(0, 0) },
    { seconds: 6553.5, wire: octets(0xff, 0xff) },
    { seconds: 100_000, wire: octets(0xff, 0xff) },
  ])("a keepalive of $seconds seconds, in units of 100 ms (RFC 7828 §3.1)", ({ seconds, wire }) => {
    expect(keepaliveOption(seconds)).toEqual({ code: 11, octets: wire });
  });
});
