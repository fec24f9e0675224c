// What the shipped configuration promises: networks, tenants, datacenters, and the defaults that its comments state.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { poolsOf } from "../../src/cloud/chain.ts";
import type { Cloud } from "../../src/cloud/service.ts";
import type { Datacenter } from "../../src/cloud/topology.ts";
import type { Configuration } from "../../src/config/configuration.ts";
import { loadConfig } from "../../src/config/load.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { nameOf } from "../../src/dns/name.ts";
import { formatAddress, formatPrefix, type IpPrefix, parsePrefix, prefixContains } from "../../src/ip.ts";
import { loadSnapshot } from "../../src/load-snapshot.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";

const path = resolve(import.meta.dirname, "../../config/geodns365.yaml");

function load(file: string): Configuration {
  const loaded = loadConfig(file);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
  return loaded.configuration;
}

const lab = load(path);

function cloudOf(name: string): Cloud {
  const cloud = lab.clouds.find((candidate) => candidate.name === name);
  if (cloud === undefined) throw new Error(`there is no cloud ${name}`);
  return cloud;
}

const worldwide = cloudOf("Worldwide");

/** The lab with the cloud that is off. */
const withGermany = withSettings("clouds: { Germany: { enabled: true } }\n");
const datacenters = withGermany.clouds.flatMap((cloud) => cloud.datacenters);

/** The lab with settings of another file before its own. */
function withSettings(settings: string): Configuration {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-lab-"));
  try {
    writeFileSync(join(folder, "lab.yaml"), `${settings}include: [${JSON.stringify(path)}]\n`);
    return load(join(folder, "lab.yaml"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("four clouds are on, and Germany is not, nor are its tenants and zones", () => {
  const on = ["China", "USGovDoD", "USGovGCCHigh", "Worldwide"];
  expect(lab.clouds.map(({ name }) => name)).toEqual(on);
  expect(withGermany.clouds.map(({ name }) => name)).toEqual([...on, "Germany"].toSorted());
  const german = ["lync", "microsoftonline", "office", "outlook", "sharepoint", "skype"].map(
    (zone) => `${zone}.de.`,
  );
  const hidden = ["de.msods.nsatc.net.", "office.de.akadns.net.", "windows.de.nsatc.net."];
  const added = [...withGermany.zones.keys()].filter((apex) => !lab.zones.has(apex));
  const ofTenants = ["onmicrosoft.de.", "adatum.com."];
  expect(added.toSorted()).toEqual([...german, ...hidden, ...ofTenants].toSorted());
  const tenantsOf = ({ clouds }: Configuration) =>
    clouds.flatMap(({ tenants }) => [...tenants].map(({ label }) => label));
  expect(tenantsOf(lab)).not.toContain("adatum");
  expect(tenantsOf(withGermany)).toContain("adatum");
});

test("it loads without an error or a warning", async () => {
  const loaded = await loadSnapshot(path);
  expect(loaded.kind === "loaded" && loaded.warnings).toEqual([]);
});

test("it reads every file, the first one first", () => {
  const folder = resolve(path, "..");
  expect(lab.files.map((file) => file.slice(folder.length + 1))).toEqual([
    "geodns365.yaml",
    "networks.yaml",
    "countries.yaml",
    "tenants.yaml",
    "clouds/china.yaml",
    "clouds/germany.yaml",
    "clouds/us-gov-dod.yaml",
    "clouds/us-gov-gcc-high.yaml",
    "clouds/worldwide.yaml",
  ]);
});

test("it has these networks", () => {
  const table = lab.networks.map(({ name, kind, prefixes, place }) =>
    [name, kind, prefixes.map(formatPrefix).join(" "), place.city, place.country].join(" | "),
  );
  expect(table).toEqual([
    "london-office | office | 10.1.0.0/16 2001:db8:1::/48 | London | GB",
    "new-york-office | office | 10.2.0.0/16 2001:db8:2::/48 | New York | US",
    "singapore-office | office | 10.3.0.0/16 2001:db8:3::/48 | Singapore | SG",
    "sydney-office | office | 10.4.0.0/16 2001:db8:4::/48 | Sydney | AU",
    "beijing-office | office | 10.5.0.0/16 2001:db8:5::/48 | Beijing | CN",
    "sao-paulo-office | office | 10.6.0.0/16 2001:db8:6::/48 | Sao Paulo | BR",
    "johannesburg-office | office | 10.7.0.0/16 2001:db8:7::/48 | Johannesburg | ZA",
    "frankfurt-expressroute | expressroute | 10.8.0.0/16 | Frankfurt | DE",
    "seattle-vpn | vpn | 10.9.0.0/16 | Seattle | US",
    "loopback | office | 127.0.0.0/8 ::1/128 | London | GB",
  ]);
});

describe("tenants", () => {
  test("live where the lab says", () => {
    const geos = lab.clouds.flatMap(({ name, tenants }) =>
      Array.from(tenants, ({ tenant, label, geo, active, standby, domains }) =>
        [name, tenant, label, geo, active.id, standby?.id ?? "-", domains.join(" ") || "-"].join(" | "),
      ),
    );
    expect(geos.toSorted()).toEqual([
      "China | tailspin | tailspin | CHN | China/bjs | China/sha | tailspintoys.com",
      "USGovDoD | woodgrove | woodgrove | DOD | USGovDoD/dode | USGovDoD/dodc | woodgrovebank.com",
      "USGovGCCHigh | litware | litware | USG | USGovGCCHigh/usgv | USGovGCCHigh/usgt | litwareinc.com",
      "Worldwide | contoso | contoso | EUR | Worldwide/dub | Worldwide/ams | contoso.com",
      "Worldwide | fabrikam | fabrikam | NAM | Worldwide/boydton | Worldwide/chicago | -",
      "Worldwide | fabrikam | fabrikamEUR | EUR | Worldwide/ams | - | -",
      "Worldwide | wingtip | wingtip | APC | Worldwide/sin | Worldwide/hkg | wingtiptoys.com",
    ]);
  });

  test("have the home geo first", () => {
    const labels = Array.from(worldwide.tenants, ({ tenant, label }) => (tenant === "fabrikam" ? label : []));
    expect(labels.flat()).toEqual(["fabrikam", "fabrikamEUR"]);
  });
});

describe("datacenters", () => {
  const frontEnds = (cloud: Cloud): readonly string[] =>
    cloud.datacenters.filter(({ roles }) => roles.has("front-end")).map(({ shortId }) => shortId);

  test("of Worldwide that are front ends are exactly these", () => {
    const expected =
      "lhr ams cdg fra vie mdw mnz lyh eat phx hkg kul sin syd maa dxb gru jnb nrt icn yyz dub".split(" ");
    expect(frontEnds(worldwide).toSorted()).toEqual(expected.toSorted());
  });

  test("of sovereign clouds are these, each with both roles", () => {
    const sovereign = withGermany.clouds.filter(({ name }) => name !== "Worldwide");
    const found = sovereign.flatMap((cloud) => cloud.datacenters);
    expect(found.map(({ id }) => id)).toEqual([
      "China/bjs",
      "China/sha",
      "Germany/frankfurt",
      "Germany/magdeburg",
      "USGovDoD/dode",
      "USGovDoD/dodc",
      "USGovGCCHigh/usgv",
      "USGovGCCHigh/usgt",
      "USGovGCCHigh/usga",
    ]);
    for (const { roles } of found) expect([...roles].toSorted()).toEqual(["front-end", "tenants"]);
  });

  test("are called by their ids alone wherever only one cloud has it, and that is so of all", () => {
    const ids = withGermany.clouds.flatMap((cloud) => cloud.datacenters.map(({ shortId }) => shortId));
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });

  test("are the candidates of nearest-datacenter in their own cloud alone", () => {
    for (const cloud of withGermany.clouds) {
      expect(cloud.services.map(({ policy }) => policy)).toContain("nearest-datacenter");
      for (const { policy, candidates } of cloud.services) {
        if (policy !== "nearest-datacenter") continue;
        expect(candidates.map(({ shortId }) => shortId)).toEqual(frontEnds(cloud));
        expect(new Set(candidates.map((candidate) => candidate.cloud))).toEqual(new Set([cloud.name]));
      }
    }
  });

  test.each(datacenters.map((datacenter) => [datacenter.id, datacenter] as const))(
    "%s has one pool of each family, inside the lab's address space",
    (_id, { addresses }) => {
      const pools = poolsOf(addresses);
      expect(pools.map(({ family, length }) => [family, length])).toEqual([
        [4, 24],
        [6, 48],
      ]);
      const labSpace = ["198.18.0.0/15", "2001:db8:f000::/36"].map(soundPrefix);
      for (const [i, space] of labSpace.entries()) {
        const pool = pools[i];
        expect(pool !== undefined && prefixContains(space, pool)).toBe(true);
      }
    },
  );

  test("that hold tenants have farms, and no others", () => {
    const withFarms = datacenters.filter(({ farms }) => farms !== undefined).map(({ id }) => id);
    const withTenants = datacenters.filter(({ roles }) => roles.has("tenants")).map(({ id }) => id);
    expect(withFarms).toEqual(withTenants);
    expect(withFarms.length).toBeGreaterThan(40);
  });

  test("never share a clump or a farm with another of the same geo number", () => {
    const numbersOf = ({ farms }: Datacenter): readonly string[] =>
      Array.from({ length: farms === undefined ? 0 : 16 }, (_, slot) => [
        `clump ${farms?.geo} ${(farms?.firstClump ?? 0) + slot}`,
        `farm ${farms?.geo} ${(farms?.firstFarm ?? 0) + slot}`,
      ]).flat();
    for (const cloud of withGermany.clouds) {
      const numbers = cloud.datacenters.flatMap(numbersOf);
      expect(numbers.length).toBeGreaterThanOrEqual(64);
      expect(numbers.filter((number, i) => numbers.indexOf(number) !== i)).toEqual([]);
    }
  });
});

describe("sovereign clouds", () => {
  const sovereign = withGermany.clouds.filter(({ name }) => name !== "Worldwide");

  test.each(sovereign.map((cloud) => [cloud.name, cloud] as const))(
    "%s marks all names behind the public ones as invented",
    (_, { services }) => {
      const marks = services.flatMap(({ links }) => links.slice(1).map(({ mark }) => mark));
      expect(marks.length).toBeGreaterThan(10);
      expect(new Set(marks)).toEqual(new Set(["invented"]));
      expect(services.flatMap(({ links }) => links.slice(0, 1)).flatMap(({ mark }) => mark ?? [])).toEqual(
        [],
      );
    },
  );

  test.each([
    ["China", "198.19.0.0/20", "2001:db8:f100::/44"],
    ["USGovGCCHigh", "198.19.16.0/20", "2001:db8:f110::/44"],
    ["USGovDoD", "198.19.32.0/20", "2001:db8:f120::/44"],
    ["Germany", "198.19.48.0/20", "2001:db8:f130::/44"],
  ])("%s has its addresses in %s and %s", (name, ...blocks) => {
    const pools = sovereign
      .find((cloud) => cloud.name === name)
      ?.datacenters.map(({ addresses }) => poolsOf(addresses));
    expect(pools?.length).toBeGreaterThan(1);
    for (const both of pools ?? []) {
      expect(both.map((pool, i) => prefixContains(soundPrefix(blocks[i] ?? ""), pool))).toEqual([true, true]);
    }
  });
});

function soundPrefix(text: string): IpPrefix {
  const prefix = parsePrefix(text);
  if (typeof prefix === "string") throw new Error(prefix);
  return prefix;
}

test("listeners are two for this machine, and for 10.N.0.0/16 the one at 127.0.1.N", () => {
  const [first, second, ...vantages] = lab.settings.listen;
  expect([first, second]).toEqual([
    { address: "127.0.0.1", family: 4, port: 5300 },
    { address: "::1", family: 6, port: 5300 },
  ]);
  const expected = lab.networks.flatMap(({ name, prefixes }) => {
    const number = /^10\.(\d+)\.0\.0\/16$/.exec(prefixes.map(formatPrefix)[0] ?? "")?.[1];
    const vantage = { kind: "network", network: name };
    return number === undefined ? [] : [{ address: `127.0.1.${number}`, family: 4, port: 5300, vantage }];
  });
  expect(expected).toHaveLength(9);
  expect(vantages).toEqual(expected);
});

describe("defaults", () => {
  test("are what the file says, so that each of its keys may be left out", () => {
    const folder = mkdtempSync(join(tmpdir(), "geodns365-defaults-"));
    try {
      writeFileSync(join(folder, "zone-alone.yaml"), "zones: [a.example]\n");
      // Listeners stand for networks, and there are none where none is configured.
      const listen = lab.settings.listen.filter(({ vantage }) => vantage === undefined);
      // What the lab does not warn of is its own.
      const silencedRules: typeof lab.settings.silencedRules = [];
      expect({ ...lab.settings, listen, silencedRules }).toEqual(
        load(join(folder, "zone-alone.yaml")).settings,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("are these", () => {
    const { nameservers, ...settings } = lab.settings;
    expect(settings).toMatchObject({
      answer: "full",
      udpPayloadSize: 1232,
      tcp: { idleSeconds: 10, maxConnections: 256 },
      clientSubnetTrust: "all",
      geoipDatabase: { kind: "embedded" },
      defaultPlace: { city: "Boydton", country: "US", coordinates: [36.67, -78.39] },
      loggedQueries: "all",
      journalQueries: 10_000,
    });
    expect({ ns1: nameservers.ns1.map(formatAddress), ns2: nameservers.ns2.map(formatAddress) }).toEqual({
      ns1: ["198.18.0.53", "2001:db8:f000::53"],
      ns2: ["198.19.255.53", "2001:db8:f000::1:53"],
    });
  });

  test("stand in the file, all of them", () => {
    const text = readFileSync(path, "utf8");
    for (const key of ["server", "clientSubnet", "geoip", "defaultLocation", "log", "journal", "include"]) {
      expect(text).toMatch(new RegExp(`^${key}:`, "m"));
    }
  });
});

function recordsOf(apex: string, name: string): readonly string[] {
  const zone = zonesOfRecords(lab.zones).find((each) => each.apex === apex);
  return [...(zone?.nodes.get(nameOf(name))?.rrsets.values() ?? [])].flatMap(formatRRset);
}

test("the zone of the MX hosts has the SOA and the name servers that are published, and no quirks", () => {
  const apex = "mail.protection.outlook.com.";
  const nameservers = [1, 2].map((number) => `ns${number}-proddns.glbdns.o365filtering.com.`);
  expect(recordsOf(apex, apex)).toEqual([
    `${apex} 3600 SOA ${nameservers[0]} hostmaster.o365filtering.com. 2013010801 3600 600 86400 3600`,
    ...nameservers.map((name) => `${apex} 3600 NS ${name}`),
  ]);
  expect(recordsOf("outlook.com.", apex)).toEqual(nameservers.map((name) => `${apex} 3600 NS ${name}`));
  // Whoever follows the delegation comes back to the lab's own name servers.
  const { ns1, ns2 } = lab.settings.nameservers;
  const addresses = nameservers.map((name) =>
    recordsOf("o365filtering.com.", name).map((record) => record.split(" ").at(-1)),
  );
  expect(addresses).toEqual([ns1.map(formatAddress), ns2.map(formatAddress)]);
  expect(lab.quirks.size).toBe(0);
});

/** The custom domains that are served, and more stands at their apexes. */
const domains = new Set(
  lab.clouds.flatMap(({ customDomains = [] }) => customDomains.map(({ domain }) => nameOf(domain))),
);

test("these zones are served, each with the SOA and the name servers of the lab", () => {
  expect([...lab.zones.keys()].toSorted()).toEqual([
    "18.198.in-addr.arpa.",
    "19.198.in-addr.arpa.",
    "apps.mil.",
    "b-msedge.net.",
    "cloud.microsoft.",
    "contoso.com.",
    "dkim.mail.microsoft.",
    "dps.mil.",
    "dual-s-msedge.net.",
    "f.8.b.d.0.1.0.0.2.ip6.arpa.",
    "glbdns.microsoft.com.",
    "glbdns2.microsoft.com.",
    "litwareinc.com.",
    "lync.com.",
    "mail.protection.outlook.com.",
    "microsoft.com.",
    "microsoftazuread-sso.com.",
    "microsoftonline.com.",
    "microsoftonline.us.",
    "msidentity.com.",
    "mx.microsoft.",
    "o365filtering.com.",
    "office.com.",
    "office365.com.",
    "office365.us.",
    "onedrive.us.",
    "onmicrosoft.com.",
    "onmicrosoft.us.",
    "outlook.cn.",
    "outlook.com.",
    "partner.lync.cn.",
    "partner.microsoftonline-p.net.cn.",
    "partner.microsoftonline.cn.",
    "partner.onmschina.cn.",
    "prd.aadg.akadns.net.",
    "s-msedge.net.",
    "sharepoint-mil.us.",
    "sharepoint.cn.",
    "sharepoint.com.",
    "sharepoint.us.",
    "sharepointonline.com.akadns.net.",
    "skypeforbusiness.us.",
    "spo-msedge.net.",
    "t-s1-msedge.net.",
    "tailspintoys.com.",
    "teams.microsoft.us.",
    "trafficmanager.net.",
    "windows.net.",
    "wingtiptoys.com.",
    "woodgrovebank.com.",
  ]);
  for (const zone of zonesOfRecords(lab.zones)) {
    const { apex } = zone;
    // The zone of the MX hosts has its own, as published.
    if (apex === "mail.protection.outlook.com.") continue;
    const recordsAt = (name: string): readonly string[] => recordsOf(zone.apex, name);
    expect(recordsAt(apex)).toEqual([
      `${apex} 3600 SOA ns1.${apex} hostmaster.${apex} 1 3600 600 604800 60`,
      `${apex} 3600 NS ns1.${apex}`,
      `${apex} 3600 NS ns2.${apex}`,
      // Of all apexes this one alone has an address, as published.
      ...(apex === "office.com." ? ["office.com. 10 A 198.18.128.17"] : []),
      ...(domains.has(apex)
        ? [expect.any(String), expect.stringMatching(/v=spf1/), expect.stringMatching(/ MX 0 /)]
        : []),
    ]);
    expect(formatRRset(zone.soa)).toEqual(recordsAt(apex).slice(0, 1));
    expect(recordsAt(`ns1.${apex}`)).toEqual([
      `ns1.${apex} 3600 A 198.18.0.53`,
      `ns1.${apex} 3600 AAAA 2001:db8:f000::53`,
    ]);
    expect(recordsAt(`ns2.${apex}`)).toEqual([
      `ns2.${apex} 3600 A 198.19.255.53`,
      `ns2.${apex} 3600 AAAA 2001:db8:f000::1:53`,
    ]);
  }
});
