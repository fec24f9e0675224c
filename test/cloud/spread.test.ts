// Clients spread over datacenters: who is together, whose share is how large, and what a change moves.

import { describe, expect, test } from "vitest";
import { chooseSpread, groupOf, type Spread } from "../../src/cloud/spread.ts";
import { formatPrefix, type IpAddress } from "../../src/ip.ts";
import { address } from "../geo/prefixes.ts";
import { datacenter } from "./lab.ts";

const [lhr, ams, cdg, dub] = ["lhr", "ams", "cdg", "dub"].map((id) => datacenter(id));
if (!lhr || !ams || !cdg || !dub) throw new Error("four datacenters");

describe("groupOf", () => {
  test.each([
    { name: "a /24 of IPv4", at: "192.0.2.77", group: "192.0.2.0/24", length: 24 },
    { name: "a /56 of IPv6", at: "2001:db8:1:1ff::7", group: "2001:db8:1:100::/56", length: 56 },
    { name: "6to4: the /24 in it", at: "2002:c000:24d:7::1", group: "192.0.2.0/24", length: 40 },
    { name: "NAT64", at: "64:ff9b::192.0.2.77", group: "192.0.2.0/24", length: 120 },
    { name: "IPv4-mapped", at: "::ffff:192.0.2.77", group: "192.0.2.0/24", length: 120 },
    // In these /56 lies a block that goes by IPv4 addresses.
    { name: "loopback, beside the mapped ones", at: "::1", group: "::/56", length: 81 },
    { name: "right before the mapped ones", at: "::fffe:0:0", group: "::/56", length: 96 },
    { name: "right behind the mapped ones", at: "::1:0:0:0", group: "::/56", length: 80 },
    { name: "in the /56 of NAT64", at: "64:ff9b::1:0:0:0", group: "64:ff9b::/56", length: 80 },
    { name: "in the /56 behind", at: "64:ff9b:0:100::", group: "64:ff9b:0:100::/56", length: 56 },
  ])("$name", ({ at, group, length }) => {
    const { prefix, prefixLength } = groupOf(address(at));
    expect([formatPrefix(prefix), prefixLength]).toEqual([group, length]);
  });
});

describe("chooseSpread", () => {
  const even: Spread = { over: 4, weights: new Map() };
  const clients: readonly IpAddress[] = Array.from({ length: 4096 }, (_, i) => ({
    family: 4,
    octets: Uint8Array.of(10, i >> 8, i & 0xff, 0),
  }));
  const count = (spread: Spread, among = [lhr, ams, cdg]) =>
    Map.groupBy(clients, (client) => chooseSpread(groupOf(client), among, spread)?.shortId);

  test("gives even shares, within the luck of 4096 groups", () => {
    const shares = count(even);
    for (const { shortId } of [lhr, ams, cdg]) {
      expect(Math.abs((shares.get(shortId)?.length ?? 0) - 4096 / 3)).toBeLessThan(120);
    }
  });

  test("gives shares by weight", () => {
    const shares = count({ over: 3, weights: new Map([[lhr.id, 2]]) });
    expect(Math.abs((shares.get("lhr")?.length ?? 0) - 2048)).toBeLessThan(130);
    expect(Math.abs((shares.get("ams")?.length ?? 0) - 1024)).toBeLessThan(120);
  });

  test("moves nobody but those that a further datacenter takes over", () => {
    let moved = 0;
    for (const client of clients) {
      const before = chooseSpread(groupOf(client), [lhr, ams, cdg], even);
      const after = chooseSpread(groupOf(client), [lhr, ams, cdg, dub], even);
      if (after === before) continue;
      expect(after).toBe(dub);
      moved++;
    }
    expect(Math.abs(moved - 1024)).toBeLessThan(120);
  });

  test("does not depend on the order of the list", () => {
    for (const client of clients.slice(0, 64)) {
      const group = groupOf(client);
      expect(chooseSpread(group, [cdg, lhr, ams], even)).toBe(chooseSpread(group, [lhr, ams, cdg], even));
    }
  });

  test("has the same answer on every machine", () => {
    const told = clients.slice(0, 8).map((client) => chooseSpread(groupOf(client), [lhr, ams, cdg], even));
    expect(told.map((each) => each?.shortId).join(" ")).toBe("cdg cdg ams cdg cdg lhr ams cdg");
  });

  test("of nobody chooses nobody", () => {
    expect(chooseSpread(groupOf(address("10.0.0.1")), [], even)).toBeUndefined();
  });
});
