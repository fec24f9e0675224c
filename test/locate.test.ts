/** Where addresses and prefixes are, and in which order the datacenters stand there. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatLocated } from "../src/cli/locate.ts";
import { formatNearness } from "../src/cli/nearness.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import { locate } from "../src/locate.ts";
import { labOf, loadLab, shop, smallGeoip } from "./audit/labs.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";
import { prefix } from "./geo/prefixes.ts";

const shopLab = labOf(shop());
const defaultLab = loadLab(join(import.meta.dirname, "../config/geodns365.yaml"), smallGeoip());

const byDistance = { biasKilometres: 0, latency: undefined, isListed: false };

describe("locate", () => {
  test("tells place, rule, class, scope and datacenters with distances, set by set", () => {
    const located = locate(shopLab, prefix("10.1.2.0/24"));
    expect(located).toMatchObject({
      isAlike: true,
      parts: [{ prefix: "10.1.2.0/24", locatedAs: "10.0.0.0/8", rule: "network", name: "tokyo-office" }],
    });
    expect(located.sets).toEqual([
      {
        cloud: "Shop",
        names: ["web", "api"],
        class: 1,
        scope: "10.0.0.0/8",
        scopePrefixLength: 8,
        rule: undefined,
        order: undefined,
        datacenters: [
          { id: "Shop/tyo", city: "Tokyo", kilometres: 0, ...byDistance },
          { id: "Shop/chi", city: "Chicago", kilometres: 10139, ...byDistance },
        ],
      },
      expect.objectContaining({ cloud: undefined, names: ["two-steps.shop.example."], rule: "default" }),
      expect.objectContaining({
        names: ["mail.shop.example."],
        scope: "10.1.0.0/16",
        rule: "network 10.1.0.0/16",
        datacenters: [],
      }),
    ]);
  });

  test.each([
    ["8.8.8.8/32", "geoip", "JP", "8.8.8.0/24"],
    ["203.0.113.0/24", "default", undefined, "128.0.0.0/1"],
    ["2002:808:808::/48", "geoip", "JP", "2002:808:800::/40"],
    ["::1/128", "network", "loopback", "::1/128"],
  ])("%s is located by %s %s", (text, rule, name, locatedAs) => {
    expect(locate(defaultLab, prefix(text)).parts).toMatchObject([{ rule, name, locatedAs }]);
  });

  test("has each cloud, with the services that choose from the same datacenters", () => {
    const sets = locate(defaultLab, prefix("10.5.0.0/16")).sets;
    expect(sets.map(({ cloud, names, datacenters }) => [cloud, names.length, datacenters[0]?.id])).toEqual([
      ["China", 7, "China/bjs"],
      ["USGovDoD", 7, "USGovDoD/dodc"],
      ["USGovGCCHigh", 8, "USGovGCCHigh/usga"],
      ["Worldwide", 12, "Worldwide/icn"],
    ]);
  });

  test("lists the parts of a prefix that is not all at one place", () => {
    const located = locate(defaultLab, prefix("8.8.8.0/22"));
    expect(located.isAlike).toBe(false);
    expect(located.parts.map(({ prefix: part, name, first }) => [part, name, first.at(-1)])).toEqual([
      ["8.8.8.0/24", "JP", "Worldwide/nrt"],
      ["8.8.9.0/24", "US", "Worldwide/mnz"],
      ["8.8.10.0/23", "US", "Worldwide/mnz"],
    ]);
    const text = [...formatLocated(located)];
    expect(text[0]).toBe("8.8.8.0/22 is not all at one place:");
    expect(text[4]).toBe("What follows is for 8.8.8.0/24.");
  });

  test("lists the first parts where there are many", () => {
    const located = locate(defaultLab, prefix("0.0.0.0/0"));
    expect([located.parts.length, located.moreParts]).toEqual([20, true]);
    expect([...formatLocated(located)][21]).toBe("   and more");
  });

  test("tells what orders datacenters beside distance", () => {
    const nearness = loadLab(join(import.meta.dirname, "scenarios/fixtures/nearness.yaml"));
    const listed = locate(nearness, prefix("10.2.0.0/24")).sets.find(({ names }) => names[0] === "listed");
    expect(listed).toMatchObject({ order: "list of country DE", scope: "10.2.0.0/17" });
    expect(listed?.datacenters.map(({ id }) => id)).toEqual(["Shop/chi", "Shop/lhr", "Shop/fra", "Shop/tyo"]);
  });

  test.each([
    {
      by: "a list",
      set: "listed",
      at: "10.2.0.0/24",
      lines: [
        "    1. Shop/chi   7083 km  Chicago [listed]",
        "    2. Shop/lhr    931 km  London [listed]",
        "    3. Shop/fra    423 km  Frankfurt",
        "    4. Shop/tyo   8917 km  Tokyo",
      ],
    },
    {
      by: "a bias",
      set: "biased",
      at: "10.1.0.0/24",
      lines: [
        "    1. Shop/fra    638 km  Frankfurt",
        "    2. Shop/lhr      0 km  London [bias +700 km]",
        "    3. Shop/chi   6353 km  Chicago",
        "    4. Shop/tyo   9559 km  Tokyo [bias -200 km]",
      ],
    },
    {
      by: "latency",
      set: "measured",
      at: "10.2.9.0/24",
      lines: [
        "    1. Shop/lhr    931 km  London [1 ms from network 10.2.9.0/24]",
        "    2. Shop/fra    423 km  Frankfurt",
        "    3. Shop/tyo   8917 km  Tokyo [9 ms from network berlin-office 10.2.0.0/16]",
        "    4. Shop/chi   7083 km  Chicago [95 ms from continent EU]",
      ],
    },
  ])("shows beside distances what $by says", ({ set, at, lines }) => {
    const nearness = loadLab(join(import.meta.dirname, "scenarios/fixtures/nearness.yaml"));
    const located = locate(nearness, prefix(at));
    const sets = located.sets.filter(({ names }) => names[0] === set);
    expect([...formatLocated({ ...located, sets })].slice(-lines.length)).toEqual(lines);
  });

  test("has nothing but the list for who is on it", () => {
    const latency = { milliseconds: 27, words: "network berlin 10.1.0.0/16" };
    const far = { biasKilometres: -100, latency, isListed: false };
    expect(formatNearness(far)).toBe(" [27 ms from network berlin 10.1.0.0/16, bias -100 km]");
    expect(formatNearness({ ...far, isListed: true })).toBe(" [listed]");
  });

  test("tells whose place it is that the configuration gives", () => {
    const geoip = openGeoip(writeMmdb({ "11.0.0.0/8": { continent_code: "AF" } }));
    const nearness = loadLab(join(import.meta.dirname, "scenarios/fixtures/nearness.yaml"), geoip);
    expect([...formatLocated(locate(nearness, prefix("11.0.0.0/24")))][0]).toBe(
      "11.0.0.0/24: Johannesburg [-26.2, 28.05], by GeoIP continent AF and the place given to continent AF, 11.0.0.0/8",
    );
  });

  test("tells what nothing locates", () => {
    const strict = labOf(`location: { unlocated: refused }\n${shop().trimStart()}`);
    const located = locate(strict, prefix("203.0.113.0/24"));
    expect(located.parts).toMatchObject([{ rule: "unlocated", first: ["none", "default", "default"] }]);
    expect([...formatLocated(located)][0]).toBe("203.0.113.0/24: nothing tells where, 128.0.0.0/1");
  });

  test("says where a scope is narrower than the prefix asked about", () => {
    const text = [...formatLocated(locate(shopLab, prefix("10.0.0.0/8")))];
    expect(text).toContain("   class 0, scope 10.0.0.0/16, narrower than 10.0.0.0/8, by country JP");
  });
});
