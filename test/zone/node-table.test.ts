/** The packed nodes of a zone, held against a plain map of names and records. */

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { TYPE } from "../../src/dns/iana.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { domainName, formatName, nameOf, parseName } from "../../src/dns/name.ts";
import { NodeTable } from "../../src/zone/node-table.ts";

/** Labels that are few, so that names meet, and that hold what presentation format escapes. */
const label = fc.constantFrom(
  "a",
  "A",
  "b",
  "www",
  "WWW",
  "*",
  "\\.",
  "\\\\",
  "x\\.y",
  "\\000",
  "_tcp",
  "a-b",
);
const owner = fc.array(label, { maxLength: 4 });
const record = fc.record({
  labels: owner,
  type: fc.constantFrom(TYPE.A, TYPE.TXT, TYPE.CNAME),
  ttlSeconds: fc.constantFrom(60, 300),
  rdata: fc.uint8Array({ minLength: 1, maxLength: 3 }),
});

function octetsOf(text: string): Uint8Array {
  const octets = parseName(text);
  if (typeof octets === "string") throw new Error(octets);
  return octets;
}

/** The names at and above a name of these labels, down to the apex. */
const namesUpTo = (labels: readonly string[], apex: string): readonly string[] =>
  Array.from({ length: labels.length + 1 }, (_, i) => {
    const text = [...labels.slice(i), ...(apex === "." ? [] : [apex])].join(".");
    return domainName(octetsOf(text === "" ? "." : text.endsWith(".") ? text : `${text}.`));
  });

test.each(["example.", "."])("holds what a map would hold below %s", (apex) => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 40 }), (records) => {
      const table = new NodeTable<string>(nameOf(apex));
      const names = new Set<string>([apex]);
      const known = new Map<string, { ttlSeconds: number; hex: Set<string> }>();
      for (const { labels, type, ttlSeconds, rdata: bare } of records) {
        const above = namesUpTo(labels, apex);
        const name = above[0] ?? apex;
        for (const each of above) names.add(each);
        // A CNAME's RDATA is a name.
        const rdata = type === TYPE.CNAME ? Uint8Array.of(1, 0x61 + ((bare[0] ?? 0) % 26), 0) : bare;
        const spelling = formatName(octetsOf([...labels, apex === "." ? "" : apex].join(".") || "."));
        const key = `${name} ${type}`;
        const rrset = known.get(key) ?? { ttlSeconds, hex: new Set<string>() };
        known.set(key, rrset);
        const hex = Buffer.from(rdata).toString("hex");
        const expected =
          rrset.ttlSeconds !== ttlSeconds ? "other-ttl" : rrset.hex.has(hex) ? "present" : "added";
        if (expected === "added") rrset.hex.add(hex);
        expect(table.addRecord(table.addName(spelling), spelling, type, ttlSeconds, rdata)).toBe(expected);
      }
      expect(new Set([...table].map(([name]) => name))).toEqual(names);
      expect(table.size).toBe(names.size);
      for (const name of names) {
        const node = table.get(nameOf(name));
        for (const type of [TYPE.A, TYPE.TXT, TYPE.CNAME]) {
          const rrset = node?.rrsets.get(type);
          const inMap = known.get(`${name} ${type}`);
          expect(rrset?.rdatas.map((rdata) => Buffer.from(rdata).toString("hex"))).toEqual(
            inMap && [...inMap.hex],
          );
          expect(rrset?.ttlSeconds).toBe(inMap?.ttlSeconds);
        }
      }
      expect(table.has(nameOf("nosuch.example."))).toBe(false);
    }),
  );
});

describe("a table", () => {
  const table = new NodeTable<string>(nameOf("example."));
  const add = (spelling: string, rdata: string) =>
    table.addRecord(table.addName(spelling), spelling, TYPE.CNAME, 60, octetsOf(rdata));

  it("keeps the spelling of a name's first record, and finds it without case (RFC 4343 §4.1)", () => {
    add("www.Deep.example.", "a.");
    add("DEEP.example.", "b.");
    expect(table.get(nameOf("www.deep.example."))?.rrsets.get(TYPE.CNAME)?.owner).toEqual(
      octetsOf("www.Deep.example."),
    );
    expect(formatRRset(table.get(nameOf("deep.example."))?.rrsets.get(TYPE.CNAME) ?? never())).toEqual([
      "DEEP.example. 60 CNAME b.",
    ]);
  });

  it("takes records that differ in case alone for one (RFC 4343 §3)", () => {
    expect(add("same.example.", "target.example.")).toBe("added");
    expect(add("same.example.", "TARGET.example.")).toBe("present");
    expect(table.hasRecord(table.addName("same.example."), TYPE.CNAME, octetsOf("Target.Example."))).toBe(
      true,
    );
  });

  it("holds each of many records of a name once (RFC 2181 §5)", () => {
    const spelling = "full.example.";
    const node = table.addName(spelling);
    const addresses = Array.from({ length: 300 }, (_, i) => Uint8Array.of(10, 0, i >> 8, i & 0xff));
    const outcomes = [...addresses, ...addresses.toReversed()].map((rdata) =>
      table.addRecord(node, spelling, TYPE.A, 60, rdata),
    );
    expect(outcomes.filter((outcome) => outcome === "added")).toHaveLength(300);
    expect(table.addRecord(node, spelling, TYPE.TXT, 60, addresses[0] ?? never())).toBe("added");
    expect(table.get(nameOf(spelling))?.rrsets.get(TYPE.A)?.rdatas).toEqual(addresses);
  });

  it("holds more names than it had room for at first", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `host${i}.many.example.`);
    for (const name of names) add(name, "a.");
    const missing = names.filter((name) => !table.has(nameOf(name)));
    expect(missing).toEqual([]);
    expect(table.get(nameOf("many.example."))?.rrsets.size).toBe(0);
    expect(
      formatName(table.get(nameOf("host9999.many.example."))?.rrsets.get(TYPE.CNAME)?.owner ?? never()),
    ).toBe("host9999.many.example.");
  });
});

function never(): never {
  throw new Error("it is not there");
}
