/** Messages cut from a stream, however it comes. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { framed, MessageBuffer } from "../../src/transport/framing.ts";
import { splitMessages } from "../wire-client.ts";

function takeAll(buffer: MessageBuffer): readonly Buffer[] {
  const taken: Buffer[] = [];
  while (buffer.hasMessage()) taken.push(buffer.take() ?? Buffer.from("nothing"));
  return taken;
}

describe("framing (RFC 1035 §4.2.2, RFC 7766 §8)", () => {
  it.each([
    ["nothing", "", [], ""],
    ["half a length", "00", [], "00"],
    ["a length without its message", "0002ff", [], "0002ff"],
    ["an empty message", "0000", [""], ""],
    ["a message and the beginning of the next", "0001aa0002bb", ["aa"], "0002bb"],
    ["two messages", "0001aa0002bbcc", ["aa", "bbcc"], ""],
  ])("cuts %s", (_, stream, messages, rest) => {
    const cut = splitMessages(Buffer.from(stream, "hex"));
    expect(cut.messages.map((part) => part.toString("hex"))).toEqual(messages);
    expect(cut.rest.toString("hex")).toBe(rest);
  });

  it("takes the same messages wherever the stream is split, and leaves them as they were", () => {
    const streams = fc.record({
      messages: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
      lengths: fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
    });
    fc.assert(
      fc.property(streams, ({ messages, lengths }) => {
        const stream = Buffer.concat(messages.map(framed));
        const buffer = new MessageBuffer();
        const taken: Buffer[] = [];
        for (let at = 0; at < stream.length; ) {
          const { value: length } = lengths.next();
          buffer.push(Buffer.from(stream.subarray(at, at + length)));
          at += length;
          taken.push(...takeAll(buffer));
        }
        expect(taken.map((part) => part.toString("hex"))).toEqual(
          messages.map((part) => Buffer.from(part).toString("hex")),
        );
        expect(buffer.rest().length).toBe(0);
      }),
    );
  });

  it("moves the largest message, sent octet by octet, a few times and not once an octet", () => {
    const stream = framed(new Uint8Array(65_535).fill(7));
    const buffer = new MessageBuffer();
    const kept = new Set<ArrayBufferLike>();
    for (const octet of stream) {
      expect(buffer.hasMessage()).toBe(false);
      buffer.push(Buffer.of(octet));
      kept.add(buffer.rest().buffer);
    }
    expect(kept.size).toBeLessThanOrEqual(20);
    expect(Math.max(...[...kept].map((octets) => octets.byteLength))).toBeLessThanOrEqual(stream.length);
    expect(buffer.take()).toEqual(Buffer.from(stream.subarray(2)));
  });

  it("keeps no room for what a length promises and nobody has sent", () => {
    const buffer = new MessageBuffer();
    for (const octet of [0xff, 0xff, 1, 2, 3]) buffer.push(Buffer.allocUnsafeSlow(1).fill(octet));
    expect(buffer.rest().buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
  });
});
