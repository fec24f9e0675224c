/** What moves between two configurations, worked out by hand. */

import { describe, expect, test } from "vitest";
import { findQuestion } from "../../src/audit/audit.ts";
import { diffAnswers, type FamilyDiff } from "../../src/audit/diff.ts";
import { firstOfList } from "../../src/audit/lists.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import type { AddressFamily } from "../../src/ip.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import { labOf, shop } from "./labs.ts";

function diff(before: Snapshot, after: Snapshot, name: string, families: readonly AddressFamily[] = [4]) {
  const found = findQuestion(before, nameOctets(nameOf(name)));
  if (found.kind !== "question") throw new Error(found.kind);
  return diffAnswers(before, after, found.question, { families });
}

const movesIn = ([family]: readonly FamilyDiff[]) =>
  (family?.moves ?? []).map(({ from, to, prefixes, size, where }) => ({
    from: firstOfList(from),
    to: firstOfList(to),
    ...{ prefixes, size },
    where: where.map(({ name }) => name),
  }));

const before = labOf(shop());
const tokyo = "place: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] }";

describe("between two configurations", () => {
  test("nothing moves where they are the same", () => {
    const families = diff(before, labOf(shop()), "www.shop.example", [4, 6]);
    expect(families.map(({ moves }) => moves)).toEqual([[], []]);
  });

  test("a network that is cut in half moves the other half, and nothing else", () => {
    const after = labOf(shop({ office: `tokyo-office: { prefixes: [10.0.0.0/9], ${tokyo} }` }));
    expect(movesIn(diff(before, after, "www.shop.example"))).toEqual([
      { from: "Shop/tyo", to: "Shop/chi", prefixes: 1, size: 2 ** 23, where: ["tokyo-office"] },
    ]);
  });

  test("a new network is told by where its addresses were before", () => {
    const more = `tokyo-office: { prefixes: [10.0.0.0/8, 192.0.2.0/23, "2001:db8::/32"], ${tokyo} }`;
    const families = diff(before, labOf(shop({ office: more })), "www.shop.example", [4, 6]);
    expect(movesIn(families)).toEqual([
      { from: "Shop/chi", to: "Shop/tyo", prefixes: 1, size: 512, where: ["default location"] },
    ]);
    // 2001:db8::/32 is 65,536 networks of 48 bits, and 6to4 has one for each address of IPv4.
    expect(families[1]?.moves.reduce((sum, { size }) => sum + size, 0)).toBeCloseTo(65_536 + 512, 3);
  });

  test("a move is told list by list: along a chain, and by rule", () => {
    const tailored =
      "mail: { networks: { 10.1.0.0/16: [MX 10 mx1] }, countries: { JP: [MX 10 mx4] }, default: [MX 10 mx3] }";
    expect(movesIn(diff(before, labOf(shop({ tailored })), "mail.shop.example"))).toEqual([
      {
        from: "MX 10 mx2.shop.example.",
        to: "MX 10 mx4.shop.example.",
        prefixes: 8,
        size: 2 ** 24 - 2 ** 16,
        where: ["tokyo-office"],
      },
    ]);
    const after = labOf(shop({ office: `tokyo-office: { prefixes: [10.0.0.0/9], ${tokyo} }` }));
    expect(movesIn(diff(before, after, "alias.shop.example"))).toMatchObject([
      { from: "CNAME www.shop.example. + Shop/tyo", to: "CNAME www.shop.example. + Shop/chi" },
    ]);
  });
});
