/** Audits of whole configurations: partitions worked out by hand, the default lab, and faults planted in tables. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { auditQuestion, findQuestion, groupTailored } from "../../src/audit/audit.ts";
import type { AnswerList } from "../../src/audit/lists.ts";
import { type CounterexampleKind, holds } from "../../src/audit/prove.ts";
import { TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { overlayTables } from "../../src/geo/family-tables.ts";
import { type AddressFamily, formatPrefix } from "../../src/ip.ts";
import type { Candidates, Snapshot } from "../../src/snapshot.ts";
import { prefix } from "../geo/prefixes.ts";
import { labOf, loadLab, shop, smallGeoip } from "./labs.ts";
import { tens } from "./partitions.ts";

function audit(snapshot: Snapshot, name: string, families: readonly AddressFamily[] = [4]) {
  const cells: (readonly [prefix: string, list: string])[] = [];
  const found = findQuestion(snapshot, nameOctets(nameOf(name)));
  if (found.kind !== "question") throw new Error(found.kind);
  const audited = auditQuestion(snapshot, found.question, {
    families,
    onCell: (each, list) => cells.push([formatPrefix(each), words(list)]),
  });
  return { ...audited, cells, hold: audited.families.every(({ proof }) => holds(proof)) };
}

const words = (list: AnswerList): string =>
  list
    .map((part) => (part.kind === "datacenters" ? part.ids.join(" > ") : part.records.join(", ")))
    .join(" + ");

const snapshot = labOf(shop());

describe("a lab of two datacenters", () => {
  test("has the cells that are worked out by hand", () => {
    const { cells, hold, tailoredAt } = audit(snapshot, "www.shop.example");
    const lists = ["Shop/chi > Shop/tyo", "Shop/tyo > Shop/chi"];
    expect(cells).toEqual(tens.map(([each, list]) => [each, lists[list]]));
    expect([hold, tailoredAt]).toEqual([true, ["www.shop.example."]]);
  });

  test("is counted in prefixes, addresses and places", () => {
    const [found] = audit(snapshot, "www.shop.example").families;
    expect(found?.lists).toEqual([
      {
        list: [{ kind: "datacenters", ids: ["Shop/chi", "Shop/tyo"] }],
        prefixes: 8,
        size: 2 ** 32 - 2 ** 24,
        example: prefix("128.0.0.0/1"),
        where: [{ name: "default location", size: 2 ** 32 - 2 ** 24 }],
      },
      {
        list: [{ kind: "datacenters", ids: ["Shop/tyo", "Shop/chi"] }],
        prefixes: 1,
        size: 2 ** 24,
        example: prefix("10.0.0.0/8"),
        where: [{ name: "tokyo-office", size: 2 ** 24 }],
      },
    ]);
  });

  test("is audited for IPv6 too, with the IPv4 addresses in it", () => {
    const { cells, hold } = audit(snapshot, "www.shop.example", [6]);
    const tokyo = cells.filter(([, list]) => list.startsWith("Shop/tyo")).map(([each]) => each);
    expect(tokyo).toEqual(["::ffff:10.0.0.0/104", "64:ff9b::a00:0/104", "2002:a00::/24"].map(hexForm));
    expect(hold).toBe(true);
  });

  test("follows rules from the top: a network, a country, and everyone else", () => {
    const { cells, hold, type } = audit(snapshot, "mail.shop.example");
    const inTen = cells.filter(([each]) => each.startsWith("10."));
    expect([type, hold]).toEqual(["MX", true]);
    expect(inTen.slice(0, 3)).toEqual([
      ["10.0.0.0/16", "MX 10 mx2.shop.example."],
      ["10.1.0.0/16", "MX 10 mx1.shop.example."],
      ["10.2.0.0/15", "MX 10 mx2.shop.example."],
    ]);
  });

  test("of a chain with two tailored names the longer scope counts, and lists are of both", () => {
    const { cells, hold, tailoredAt } = audit(snapshot, "alias.shop.example");
    expect(tailoredAt).toEqual(["two-steps.shop.example.", "www.shop.example."]);
    expect(new Map(cells)).toEqual(
      new Map([
        ...cells.filter(([, list]) => list === "CNAME www.shop.example. + Shop/chi > Shop/tyo"),
        ["10.0.0.0/8", "CNAME www.shop.example. + Shop/tyo > Shop/chi"],
        ["192.0.2.0/24", "A 192.0.2.3"],
      ]),
    );
    expect(hold).toBe(true);
  });

  test("who is nowhere has a list without datacenters", () => {
    const strict = labOf(`location: { unlocated: nodata }\n${shop().trimStart()}`);
    const { cells, hold } = audit(strict, "www.shop.example");
    expect(cells).toEqual(tens.map(([each, list]) => [each, list === 1 ? "Shop/tyo > Shop/chi" : ""]));
    expect(hold).toBe(true);
  });

  test("clients that are spread are so inside the cells of lists", () => {
    const nearness = loadLab(join(import.meta.dirname, "../scenarios/fixtures/nearness.yaml"));
    const spread = audit(nearness, "spread.shop.test");
    expect(spread.spreads).toEqual([{ name: "spread.shop.test.", over: 2 }]);
    expect(spread.cells).toEqual(audit(nearness, "plain.shop.test").cells);
  });

  test("a plain name is the same for everyone", () => {
    expect(audit(snapshot, "plain.shop.example")).toMatchObject({ tailoredAt: [], families: [] });
  });

  test.each([
    ["no.shop.example", "nxdomain"],
    ["www.elsewhere.example", "not-served"],
  ])("%s cannot be audited: %s", (name, kind) => {
    expect(findQuestion(snapshot, nameOctets(nameOf(name)))).toEqual({ kind });
  });

  test("names with the same tables are one group", () => {
    const groups = groupTailored(snapshot).map(({ service, names }) => [
      service,
      names.map(({ name }) => name),
    ]);
    expect(groups).toEqual([
      [undefined, ["two-steps.shop.example."]],
      [undefined, ["mail.shop.example."]],
      ["Shop web, api", ["www.shop.example.", "api.shop.example."]],
    ]);
  });
});

const hexForm = (text: string): string => formatPrefix(prefix(text));

describe("a fault planted in the tables of a snapshot", () => {
  /** The tables with prefixes laid over them that have the class of tyo, which is number 1. */
  function planted(...prefixes: readonly string[]): Snapshot {
    const change = ({ table, lists }: Candidates): Candidates => ({
      lists,
      table: {
        ...table,
        ...overlayTables(
          table,
          prefixes.map((each) => ({ prefix: prefix(each), value: 1 })),
        ),
      },
    });
    const candidates = [...snapshot.candidates].map(([service, each]) => [service, change(each)] as const);
    return { ...snapshot, candidates: new Map(candidates) };
  }

  const kindsOf = (each: Snapshot): ReadonlyMap<CounterexampleKind, number> | undefined =>
    audit(each, "www.shop.example").families[0]?.proof.found;

  test("shows with the prefix and both lists", () => {
    const { proof } = audit(planted("11.0.0.0/8"), "www.shop.example").families[0] ?? {};
    expect(proof?.counterexamples[0]).toMatchObject({
      kind: "shared-scope",
      prefix: prefix("10.0.0.0/7"),
      at: prefix("11.0.0.0/8"),
    });
  });

  test("shows where it is a single address", () => {
    expect(kindsOf(planted("203.0.113.7/32"))?.get("shared-scope")).toBe(1);
    expect(kindsOf(planted())?.size).toBe(0);
  });

  test("shows in the order of a list", () => {
    const reversed = [...snapshot.candidates].map(
      ([service, { table, lists }]) => [service, { table, lists: lists.toReversed() }] as const,
    );
    const found = kindsOf({ ...snapshot, candidates: new Map(reversed) });
    expect(found?.get("shared-scope")).toBe(9);
  });
});

describe("the default lab", () => {
  const path = join(import.meta.dirname, "../../config/geodns365.yaml");
  test.each([
    ["without GeoIP", undefined],
    ["with a small GeoIP database", smallGeoip()],
  ])("holds %s, every name in both families", (_, geoip) => {
    const lab = loadLab(path, geoip);
    const groups = groupTailored(lab);
    expect(groups.map(({ service }) => service)).toEqual([
      "China exchange, autodiscover, portal, home, login, client-config, skype",
      "USGovDoD exchange, autodiscover, teams, skype, portal, home, onedrive-admin",
      "USGovGCCHigh exchange, autodiscover, portal, home, teams, skype, login, onedrive-admin",
      "Worldwide exchange, autodiscover, portal, home, login, skype",
    ]);
    for (const { names } of groups) {
      for (const { question } of names) {
        const { families } = auditQuestion(lab, question, { families: [4, 6], firstStepOnly: true });
        expect(families.map(({ proof }) => proof.counterexamples)).toEqual([[], []]);
      }
    }
  });

  test("gives each office what is nearest to it, and carves a country out of another", () => {
    const { cells, hold } = audit(loadLab(path, smallGeoip()), "outlook.office365.com", [4, 6]);
    const first = new Map(cells.map(([each, list]) => [each, list.split(" ")[0]]));
    expect(hold).toBe(true);
    expect(first.get("10.4.0.0/16")).toBe("Worldwide/syd");
    expect(first.get("2001:db8:5::/48")).toBe("Worldwide/icn");
    expect(first.get("8.8.8.0/24")).toBe("Worldwide/nrt");
    expect(first.get("2.0.3.0/24")).toBe("Worldwide/icn");
    expect(first.get("2002:808:800::/40")).toBe("Worldwide/nrt");
    expect(first.get("2001:200::/32")).toBe("Worldwide/nrt");
  });
});

describe("the names of the scenarios", () => {
  const fixtures = join(import.meta.dirname, "../scenarios/fixtures");
  test.each(["tailored.yaml", "master-file.yaml", "all-down.yaml", "nearness.yaml"])("hold in %s", (file) => {
    const lab = loadLab(join(fixtures, file));
    for (const { names } of groupTailored(lab)) {
      for (const { name, question } of names) {
        for (const firstStepOnly of [true, false]) {
          const { families } = auditQuestion(lab, question, { families: [4, 6], firstStepOnly });
          const found = families.flatMap(({ proof }) => proof.counterexamples);
          expect([name, found]).toEqual([name, []]);
        }
      }
    }
  });

  test("are asked for by a type that they hold", () => {
    const lab = loadLab(join(fixtures, "tailored.yaml"));
    const types = groupTailored(lab).flatMap(({ names }) =>
      names.map(({ name, question }) => [name, question.qtype]),
    );
    expect(new Map(types.map(([name, type]) => [String(name), type])).get("_sip._tcp.example.test.")).toBe(
      33,
    );
    expect(types.find(([name]) => name === "geo.example.test.")).toEqual(["geo.example.test.", TYPE.A]);
  });
});
