// A service's chain as records, the addresses of a slice, and the farm slots that never move.

import { describe, expect, test } from "vitest";
import {
  type ChainName,
  chainNames,
  choosable,
  isAliasOfService,
  longestPool,
  type ServiceName,
  serviceRRset,
  sliceAddresses,
  sliceCapacity,
  typesOf,
} from "../../src/cloud/chain.ts";
import type { Service } from "../../src/cloud/service.ts";
import { derivedSlot } from "../../src/cloud/topology.ts";
import { TYPE } from "../../src/dns/iana.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { formatName } from "../../src/dns/name.ts";
import { formatAddress } from "../../src/ip.ts";
import { cloud, datacenter, pool, poolSource, service, template, tenantGeo, tenantsOf } from "./lab.ts";

const link = (ttlSeconds: number, ...owners: readonly string[]): Service["links"][number] => ({
  owners: owners.map(template),
  ttlSeconds,
});

const lhr = datacenter("lhr", { addresses: [poolSource("198.18.1.0/24"), poolSource("2001:db8:f001::/48")] });
const ams = datacenter("ams", {
  addresses: [poolSource("198.18.2.0/24")],
  farms: { geo: 104, firstClump: 4320, firstFarm: 190016, net: undefined },
});

/** A name with what it holds, in a line. */
function told(chainName: ChainName): string {
  switch (chainName.kind) {
    case "fault":
      return `${chainName.where} of link ${chainName.linkIndex}: ${chainName.message}`;
    case "tailored":
      return `${formatName(chainName.owner)} tailored`;
    case "records":
      return chainName.rrsets.flatMap(formatRRset).join(", ");
  }
}

function tailoredAt(from: Service, name: string, lab = cloud()): ServiceName {
  for (const chainName of chainNames(from, lab)) {
    if (chainName.kind === "tailored" && formatName(chainName.owner) === name) return chainName.tailored;
  }
  throw new Error(`${name} is no tailored name`);
}

describe("a chain of nearest-datacenter", () => {
  const mail = service({
    candidates: [lhr, ams],
    links: [
      link(300, "mail.example", "post.example"),
      link(60, "geo.example"),
      link(10, "{DATACENTER}-efz.example"),
    ],
    end: { kind: "addresses", slice: 1, count: 2, families: [4, 6] },
  });

  test("is tailored where its next name has a datacenter, and plain before and behind", () => {
    expect([...chainNames(mail, cloud())].map(told)).toEqual([
      "mail.example. 300 CNAME geo.example.",
      "post.example. 300 CNAME geo.example.",
      "geo.example. tailored",
      "LHR-efz.example. 10 A 198.18.1.17, LHR-efz.example. 10 A 198.18.1.18, LHR-efz.example. 10 AAAA 2001:db8:f001:1::1, LHR-efz.example. 10 AAAA 2001:db8:f001:1::2",
      "AMS-efz.example. 10 A 198.18.2.17, AMS-efz.example. 10 A 198.18.2.18",
    ]);
  });

  test("gives the CNAME of the datacenter chosen for every type", () => {
    const tailored = tailoredAt(mail, "geo.example.");
    expect(isAliasOfService(tailored)).toBe(true);
    for (const qtype of [TYPE.A, TYPE.AAAA, TYPE.CNAME, TYPE.MX, TYPE.ANY]) {
      const rrset = serviceRRset(tailored, ams, qtype);
      expect(rrset && formatRRset(rrset)).toEqual(["geo.example. 60 CNAME AMS-efz.example."]);
    }
  });

  test("may end at a fixed name whose addresses alone follow the place", () => {
    const autodiscover = service({
      candidates: [lhr, ams],
      links: [link(60, "autod.example")],
      end: { kind: "addresses", slice: 2, count: 1, families: [4, 6] },
    });
    const tailored = tailoredAt(autodiscover, "autod.example.");
    const answers = (at: typeof lhr, qtype: number): readonly string[] => {
      const rrset = serviceRRset(tailored, at, qtype);
      return rrset === undefined ? [] : formatRRset(rrset);
    };
    expect(isAliasOfService(tailored)).toBe(false);
    expect(answers(lhr, TYPE.A)).toEqual(["autod.example. 60 A 198.18.1.33"]);
    expect(answers(lhr, TYPE.AAAA)).toEqual(["autod.example. 60 AAAA 2001:db8:f001:2::1"]);
    expect(answers(ams, TYPE.AAAA)).toEqual([]);
    expect(answers(lhr, TYPE.MX)).toEqual([]);
    expect(answers(lhr, TYPE.ANY)).toEqual(["autod.example. 60 A 198.18.1.33"]);
  });
});

describe("a chain of active-datacenter", () => {
  const contoso = tenantGeo("contoso", lhr, {
    standby: ams,
    slot: 3,
    domains: ["contoso.com", "contoso.de"],
  });
  const satellite = tenantGeo("contosoEUR", ams, { tenant: "contoso", slot: 0 });
  const lab = cloud({
    datacenters: [lhr, ams, datacenter("cdg", { roles: new Set(["front-end"]), farms: undefined })],
    tenants: tenantsOf(contoso, satellite),
  });
  const share = service({
    policy: "active-datacenter",
    links: [link(300, "{tenant}.example"), link(60, "{farm}.farm.example")],
    end: { kind: "addresses", slice: 4, count: 1, families: [4, 6] },
  });

  test("has a name for each tenant and satellite, and one for each farm of the datacenters with tenants", () => {
    const lines = [...chainNames(share, lab)].map(told);
    expect(lines.slice(0, 2)).toEqual(["contoso.example. tailored", "contosoEUR.example. tailored"]);
    expect(lines).toHaveLength(2 + 2 * 16);
    expect(lines[2]).toMatch(/^190000\.farm\.example\. 60 A 198\.18\.1\.65, /);
    expect(lines.at(-1)).toBe("190031.farm.example. 60 A 198.18.2.65");
  });

  test("leads to the tenant's own slot in whichever datacenter is chosen", () => {
    const tailored = tailoredAt(share, "contoso.example.", lab);
    const target = (at: typeof lhr): string | undefined => {
      const rrset = serviceRRset(tailored, at, TYPE.A);
      return rrset && formatRRset(rrset)[0];
    };
    expect(target(lhr)).toBe("contoso.example. 300 CNAME 190003.farm.example.");
    expect(target(ams)).toBe("contoso.example. 300 CNAME 190019.farm.example.");
  });

  test("has one MX host for each domain of the home geo", () => {
    const mx = service({ ...share, links: [link(10, "{domainKey}.mx.example")] });
    expect([...chainNames(mx, lab)].map(told)).toEqual([
      "contoso-com.mx.example. tailored",
      "contoso-de.mx.example. tailored",
    ]);
  });

  test("that only renames the tenant is no choice", () => {
    const forms = service({
      ...share,
      links: [link(300, "{tenant}-my.example")],
      end: { kind: "alias", target: template("{tenant}.example") },
    });
    expect([...chainNames(forms, lab)].map(told)).toEqual([
      "contoso-my.example. 300 CNAME contoso.example.",
      "contosoEUR-my.example. 300 CNAME contosoEUR.example.",
    ]);
  });

  test.each<readonly [fault: string, changes: Partial<Service>]>([
    [
      "owner of link 0: active-datacenter needs {tenant} or {domainKey} in every name until a datacenter is chosen",
      { links: [link(300, "share.example"), link(60, "{datacenter}.example")] },
    ],
    [
      "target of link 0: {tenant}.example names a tenant that the name before it does not tell",
      { links: [link(300, "share.example")], end: { kind: "alias", target: template("{tenant}.example") } },
    ],
  ])("%s", (fault, changes) => {
    expect([...chainNames(service({ ...share, ...changes }), lab)].map(told)).toContain(fault);
  });
});

describe("a chain of names by region", () => {
  const dub = datacenter("dub", { addresses: [poolSource("198.18.3.0/24")] });
  const vie = datacenter("vie", { region: "emeaeast", addresses: [poolSource("198.18.4.0/24")] });
  const mail = service({
    candidates: [lhr, vie, dub],
    links: [link(300, "mail.example"), link(60, "outlook-{region}.example")],
  });

  test("has each region once, tailored like the name before", () => {
    expect([...chainNames(mail, cloud())].map(told)).toEqual([
      "mail.example. tailored",
      "outlook-emeawest.example. tailored",
      "outlook-emeaeast.example. tailored",
    ]);
  });

  test("can have all datacenters before the region, then those of the region alone", () => {
    const choices = (name: string): readonly string[] =>
      choosable(tailoredAt(mail, name)).map(({ shortId }) => shortId);
    expect(choices("mail.example.")).toEqual(["lhr", "vie", "dub"]);
    expect(choices("outlook-emeawest.example.")).toEqual(["lhr", "dub"]);
    expect(choices("outlook-emeaeast.example.")).toEqual(["vie"]);
  });

  test("leads to the region of the datacenter chosen, and that to its addresses", () => {
    const records = (name: string, at: typeof lhr): readonly string[] => {
      const rrset = serviceRRset(tailoredAt(mail, name), at, TYPE.A);
      return rrset === undefined ? [] : formatRRset(rrset);
    };
    expect(records("mail.example.", dub)).toEqual(["mail.example. 300 CNAME outlook-emeawest.example."]);
    expect(records("mail.example.", vie)).toEqual(["mail.example. 300 CNAME outlook-emeaeast.example."]);
    expect(records("outlook-emeawest.example.", dub)).toEqual(["outlook-emeawest.example. 60 A 198.18.3.1"]);
  });

  test("needs a region of each datacenter", () => {
    const bare = datacenter("kul", { region: undefined });
    expect([...chainNames({ ...mail, candidates: [lhr, bare] }, cloud())].map(told)).toEqual([
      "target of link 0: Lab/kul has no {region} for outlook-{region}.example",
      "owner of link 1: Lab/kul has no {region} for outlook-{region}.example",
      "outlook-emeawest.example. tailored",
    ]);
  });
});

describe("a chain that ends at an edge", () => {
  const edge = {
    kind: "anycast",
    sources: [poolSource("198.18.128.0/24"), poolSource("2001:db8:f080::/48")],
    slice: 2,
    count: 1,
    families: [4, 6],
  } as const;

  test("is plain, its addresses of the anycast pool", () => {
    const portal = service({
      candidates: [lhr, ams],
      links: [link(300, "portal.example"), link(240, "edge.example")],
      end: edge,
    });
    expect([...chainNames(portal, cloud())].map(told)).toEqual([
      "portal.example. 300 CNAME edge.example.",
      "edge.example. 240 A 198.18.128.33, edge.example. 240 AAAA 2001:db8:f080:2::1",
    ]);
  });

  test("may follow the tenant before, in its names alone", () => {
    const contoso = tenantGeo("contoso", lhr, { standby: ams, slot: 3 });
    const share = service({
      policy: "active-datacenter",
      links: [link(300, "{tenant}.example"), link(60, "{farm}.farm.example"), link(240, "edge.example")],
      end: { ...edge, families: [4] },
    });
    const lab = cloud({ datacenters: [lhr, ams], tenants: tenantsOf(contoso) });
    const lines = [...chainNames(share, lab)].map(told);
    expect(lines.slice(0, 2)).toEqual([
      "contoso.example. tailored",
      "190000.farm.example. 60 CNAME edge.example.",
    ]);
    expect(lines).toHaveLength(1 + 2 * 16 + 1);
    expect(lines.at(-1)).toBe("edge.example. 240 A 198.18.128.33");
  });
});

test("a chain without IPv6 has no AAAA, and no choice is made for it", () => {
  const mail = service({
    candidates: [lhr],
    links: [link(60, "mail.example")],
    end: { kind: "addresses", slice: 0, count: 1, families: [4] },
  });
  const tailored = tailoredAt(mail, "mail.example.");
  expect(typesOf(tailored)).toEqual([TYPE.A]);
  expect(serviceRRset(tailored, lhr, TYPE.AAAA)).toBeUndefined();
  const byDatacenter = { ...mail, links: [link(60, "mail.example"), link(10, "{datacenter}.example")] };
  expect([...chainNames(byDatacenter, cloud())].map(told)).toContain("lhr.example. 10 A 198.18.1.1");
});

test("names spell a datacenter by its code, and its nets by their first and last", () => {
  const hkg = datacenter("hkg", {
    code: "hkg",
    farms: { geo: 106, firstClump: 1, firstFarm: 2, net: 324 },
    addresses: [poolSource("198.18.5.0/24")],
  });
  const efz = service({ candidates: [lhr, hkg], links: [link(10, "{code}-efz.example")] });
  expect([...chainNames(efz, cloud())].map(told)).toEqual([
    "LHR-efz.example. 10 A 198.18.1.1, LHR-efz.example. 10 AAAA 2001:db8:f001::1",
    "hkg-efz.example. 10 A 198.18.5.1",
  ]);
  const nets = service({ candidates: [hkg], links: [link(300, "prodnet{net}-{netEnd}ipv4a0002.example")] });
  expect([...chainNames(nets, cloud())].map(told)).toEqual([
    "prodnet324-328ipv4a0002.example. 300 A 198.18.5.1",
  ]);
  expect([...chainNames({ ...nets, candidates: [lhr] }, cloud())].map(told)).toEqual([
    "owner of link 0: Lab/lhr has no {net} for prodnet{net}-{netEnd}ipv4a0002.example",
  ]);
});

describe("sliceAddresses", () => {
  test.each<readonly [pool: string, slice: number, count: number, addresses: string]>([
    ["198.18.1.0/24", 0, 4, "198.18.1.1 198.18.1.2 198.18.1.3 198.18.1.4"],
    ["198.18.1.0/24", 1, 2, "198.18.1.17 198.18.1.18"],
    ["198.18.1.0/24", 15, 1, "198.18.1.241"],
    ["198.18.0.0/16", 15, 2, "198.18.240.1 198.18.240.2"],
    ["198.18.1.128/25", 3, 1, "198.18.1.153"],
    ["198.18.1.224/27", 15, 1, "198.18.1.255"],
    ["2001:db8:f001::/48", 0, 2, "2001:db8:f001::1 2001:db8:f001::2"],
    ["2001:db8:f001::/48", 5, 2, "2001:db8:f001:5::1 2001:db8:f001:5::2"],
    ["2001:db8:f001::/48", 15, 1, "2001:db8:f001:f::1"],
    ["2001:db8:f001:2::/64", 15, 1, "2001:db8:f001:2:f::1"],
    ["2001:db8::/96", 1, 1, "2001:db8::1:1"],
  ])("%s slice %i, first %i: %s", (prefix, slice, count, addresses) => {
    expect(sliceAddresses(pool(prefix), slice, count).map(formatAddress).join(" ")).toBe(addresses);
  });

  test.each(["198.18.1.0/24", "198.18.1.0/27", "198.18.0.0/16", "2001:db8:f001::/48", "2001:db8::/96"])(
    "all that the slices of %s can give lie in it, and no two are the same",
    (text) => {
      const prefix = pool(text);
      const count = Math.min(sliceCapacity(prefix), 15);
      const addresses = Array.from({ length: 16 }, (_, slice) => sliceAddresses(prefix, slice, count)).flat();
      expect(addresses).toHaveLength(16 * count);
      expect(new Set(addresses.map(formatAddress)).size).toBe(16 * count);
      const bits = (octets: Uint8Array): string =>
        [...octets].map((octet) => octet.toString(2).padStart(8, "0")).join("");
      const start = bits(prefix.octets).slice(0, prefix.length);
      expect(addresses.filter((address) => !bits(address).startsWith(start))).toEqual([]);
    },
  );

  test.each([
    ["198.18.1.0/24", 15],
    ["198.18.1.0/26", 3],
    ["198.18.1.0/27", 1],
    ["198.18.1.0/28", 0],
    ["2001:db8:f001::/48", 65535],
    ["2001:db8::/96", 65535],
  ])("a slice of %s has %i addresses to give", (text, capacity) => {
    expect(sliceCapacity(pool(text))).toBe(capacity);
  });

  test("the longest pools are the longest whose slices have an address", () => {
    expect([longestPool(4), longestPool(6)]).toEqual([27, 96]);
  });
});

// Slots stand in names that labs write down: a change here changes the names of every tenant.
test.each([
  ["contoso", 0],
  ["fabrikam", 6],
  ["fabrikamEUR", 2],
  ["wingtip", 11],
  ["tailspin", 15],
  ["northwind", 10],
  ["adventure-works", 12],
  // 0xe40c292c and 0x811c9dc5 in the published test vectors of FNV-1a.
  ["a", 12],
  ["", 5],
])("the slot of tenant %s is %i", (label, slot) => {
  expect(derivedSlot(label)).toBe(slot);
});

test("the slot of a tenant does not depend on its spelling in capitals", () => {
  expect(derivedSlot("Contoso")).toBe(derivedSlot("contoso"));
});

test("slots are spread over all 16", () => {
  const slots = new Set(Array.from({ length: 400 }, (_, i) => derivedSlot(`tenant${i}`)));
  expect([...slots].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i));
});
