import { describe, expect, test } from "vitest";
import { Malformed, WireReader } from "../../src/dns/wire-reader.ts";
import { labels, octets, type Part, pointer } from "./wire.ts";

const header = new Uint8Array(12);
/** The name at `at` in a message whose header is followed by `body`, and the offset behind it. */
function readName(at: number, ...body: readonly Part[]): { name: Uint8Array; offset: number } {
  const reader = new WireReader(octets(header, ...body), at);
  return { name: reader.name(), offset: reader.offset };
}

const label = (length: number): Uint8Array => octets(length, "x".repeat(length));

describe("a name", () => {
  const rows: readonly {
    name: string;
    body: readonly Part[];
    at: number;
    expected: { name: Uint8Array; offset: number };
  }[] = [
    { name: "the root", body: [0], at: 12, expected: { name: octets(0), offset: 13 } },
    {
      name: "labels, spelling kept",
      body: [labels("Www", "example"), 9],
      at: 12,
      expected: { name: labels("Www", "example"), offset: 25 },
    },
    {
      name: "a pointer alone (RFC 1035 §4.1.4)",
      body: [labels("example"), pointer(12), 9],
      at: 21,
      expected: { name: labels("example"), offset: 23 },
    },
    {
      name: "labels and a pointer (RFC 1035 §4.1.4)",
      body: [labels("example"), 3, "www", pointer(12), 9],
      at: 21,
      expected: { name: labels("www", "example"), offset: 27 },
    },
    {
      name: "a pointer into the middle of a name",
      body: [labels("www", "example"), pointer(16)],
      at: 25,
      expected: { name: labels("example"), offset: 27 },
    },
    {
      name: "a pointer to a name that ends in a pointer",
      body: [labels("example"), 3, "www", pointer(12), 1, "a", pointer(21)],
      at: 27,
      expected: { name: labels("a", "www", "example"), offset: 31 },
    },
    {
      name: "a pointer to a pointer",
      body: [labels("example"), pointer(12), pointer(21)],
      at: 23,
      expected: { name: labels("example"), offset: 25 },
    },
    {
      name: "a pointer to the root",
      body: [0, pointer(12)],
      at: 13,
      expected: { name: octets(0), offset: 15 },
    },
    {
      name: "a target that needs all 14 bits",
      body: [new Uint8Array(0x3fff - 12), 1, "a", 0, pointer(0x3fff)],
      at: 0x4002,
      expected: { name: labels("a"), offset: 0x4004 },
    },
    {
      name: "255 octets (RFC 1035 §2.3.4)",
      body: [label(63), label(63), label(63), label(61), 0],
      at: 12,
      expected: { name: octets(label(63), label(63), label(63), label(61), 0), offset: 12 + 255 },
    },
    {
      name: "255 octets through a pointer (RFC 1035 §2.3.4)",
      body: [label(63), label(63), label(63), 0, label(61), pointer(12)],
      at: 205,
      expected: { name: octets(label(61), label(63), label(63), label(63), 0), offset: 205 + 64 },
    },
    {
      name: "127 labels with a pointer behind each",
      body: [
        0,
        1,
        "x",
        pointer(12),
        ...Array.from({ length: 126 }, (_, i) => octets(1, "x", pointer(13 + 4 * i))),
      ],
      at: 13 + 4 * 126,
      expected: {
        name: octets(...Array.from({ length: 127 }, () => label(1)), 0),
        offset: 13 + 4 * 127,
      },
    },
  ];
  test.each(rows)("$name", ({ at, body, expected }) => {
    expect(readName(at, ...body)).toEqual(expected);
  });

  const wrong: readonly { name: string; body: readonly Part[]; at?: number; sentence: string }[] = [
    { name: "nothing", body: [], sentence: "a name ends too early" },
    { name: "labels without an end", body: [3, "www"], sentence: "a name ends too early" },
    { name: "a label over the end", body: [3, "ww"], sentence: "a name ends too early" },
    { name: "half a pointer", body: [3, "www", 0xc0], sentence: "a name ends too early" },
    { name: "a pointer to itself", body: [pointer(12)], sentence: "a name points to no earlier name" },
    {
      name: "a pointer to the labels it ends",
      body: [3, "www", pointer(12)],
      sentence: "a name points to no earlier name",
    },
    {
      name: "a pointer into the labels it ends",
      body: [1, "a", 1, "b", pointer(14)],
      sentence: "a name points to no earlier name",
    },
    {
      name: "a pointer forward",
      body: [pointer(14), labels("example")],
      sentence: "a name points to no earlier name",
    },
    {
      name: "a pointer over the end",
      body: [pointer(0x3fff)],
      sentence: "a name points to no earlier name",
    },
    {
      name: "two pointers to each other",
      body: [pointer(14), pointer(12)],
      at: 14,
      sentence: "a name points to no earlier name",
    },
    {
      name: "a pointer back to a pointer forward",
      body: [pointer(14), labels("b"), pointer(12)],
      at: 17,
      sentence: "a name points to no earlier name",
    },
    {
      name: "a loop over labels",
      body: [1, "a", pointer(16), 1, "b", pointer(12)],
      at: 16,
      sentence: "a name points to no earlier name",
    },
    {
      name: "a pointer to the start of the header",
      body: [0, pointer(0)],
      at: 13,
      sentence: "a name points to no earlier name",
    },
    {
      name: "a pointer to the last octet of the header",
      body: [0, pointer(11)],
      at: 13,
      sentence: "a name points to no earlier name",
    },
    {
      name: "a target whose labels run into the pointer to it",
      body: [3, "ab", pointer(12), 0],
      at: 15,
      sentence: "a name ends too early",
    },
    {
      name: "a target without an end before the pointer to it",
      body: [1, "a", pointer(12)],
      at: 14,
      sentence: "a name ends too early",
    },
    {
      name: "label type 01 (RFC 6891 §5: obsolete)",
      body: [0x41, "a".repeat(65), 0],
      sentence: "a label has a type that is neither 00 nor 11",
    },
    {
      name: "label type 10 (RFC 1035 §4.1.4: reserved)",
      body: [0x80, 0],
      sentence: "a label has a type that is neither 00 nor 11",
    },
    {
      name: "label type 10 behind a pointer",
      body: [0xbf, 0, pointer(12)],
      at: 14,
      sentence: "a label has a type that is neither 00 nor 11",
    },
    {
      name: "256 octets (RFC 1035 §2.3.4)",
      body: [label(63), label(63), label(63), label(62), 0],
      sentence: "a name is over 255 octets",
    },
    {
      name: "256 octets through a pointer (RFC 1035 §2.3.4)",
      body: [label(63), label(63), label(63), 0, label(62), pointer(12)],
      at: 205,
      sentence: "a name is over 255 octets",
    },
    {
      name: "128 pointers, more than there can be labels",
      body: [0, ...Array.from({ length: 128 }, (_, i) => pointer(i === 0 ? 12 : 11 + 2 * i))],
      at: 13 + 2 * 127,
      sentence: "a name has too many pointers",
    },
  ];
  test.each(wrong)("wrong: $name", ({ body, at = 12, sentence }) => {
    expect(() => readName(at, ...body)).toThrow(new Malformed(sentence));
  });

  test("in a longest chain of pointers costs no more reads than a long name", () => {
    const chain = octets(
      header,
      0,
      ...Array.from({ length: 8180 }, (_, i) => pointer(i === 0 ? 12 : 11 + 2 * i)),
    );
    let reads = 0;
    const counted = new Proxy(chain, {
      get: (target, key) => {
        reads++;
        return Reflect.get(target, key);
      },
    });
    expect(() => new WireReader(counted, chain.length - 2, chain.length).name()).toThrow(Malformed);
    expect(reads).toBeGreaterThan(2);
    expect(reads).toBeLessThan(1000);
  });

  test("within RDATA ends with it, and may point back out of it", () => {
    const reader = new WireReader(octets(header, labels("example"), 1, "a", pointer(12), 0), 21);
    const rdata = reader.within(4);
    expect(rdata.name()).toEqual(labels("a", "example"));
    expect([rdata.remaining, reader.offset]).toEqual([0, 25]);
    for (const short of [1, 2, 3]) {
      const cut = new WireReader(reader.octets, 21).within(short);
      expect(() => cut.name()).toThrow(new Malformed("a name ends too early"));
    }
  });
});

describe("numbers and octets", () => {
  const five = octets(1, 2, 0xfe, 0xff, 9);

  test("are read in network order, the highest bit included", () => {
    const reader = new WireReader(five);
    expect([reader.uint8(), reader.uint16(), reader.uint16(), reader.remaining]).toEqual([
      1, 0x02fe, 0xff09, 0,
    ]);
    expect(new WireReader(five, 1).uint32()).toBe(0x02feff09);
    expect(new WireReader(five, 2, 5).take(3)).toEqual(octets(0xfe, 0xff, 9));
    expect(new WireReader(octets(0xff, 0xff, 0xff, 0xff)).uint32()).toBe(0xffffffff);
  });

  test.each([
    { name: "uint8", read: (reader: WireReader) => reader.uint8(), needs: 1 },
    { name: "uint16", read: (reader: WireReader) => reader.uint16(), needs: 2 },
    { name: "uint32", read: (reader: WireReader) => reader.uint32(), needs: 4 },
    { name: "take", read: (reader: WireReader) => reader.take(3), needs: 3 },
    { name: "within", read: (reader: WireReader) => reader.within(3), needs: 3 },
  ])("$name does not read over the end, even where octets follow", ({ read, needs }) => {
    expect(() => read(new WireReader(five, 0, needs))).not.toThrow();
    expect(() => read(new WireReader(five, 0, needs - 1))).toThrow(new Malformed("it ends too early"));
  });
});
