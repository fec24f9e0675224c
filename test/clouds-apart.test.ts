/**
 * From no place, in no state and in no era does a chain of the default lab leave the zones served, and no name leads to a
 * name or an address outside its cloud; with every cloud on, the retired one too.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { chainNames, poolsOf } from "../src/cloud/chain.ts";
import type { Cloud } from "../src/cloud/service.ts";
import { allUp, type DatacenterState, type DatacenterStates, withState } from "../src/cloud/states.ts";
import type { Datacenter } from "../src/cloud/topology.ts";
import { RCODE, TYPE } from "../src/dns/iana.ts";
import { formatRRset } from "../src/dns/message.ts";
import { type DomainName, domainName, nameOctets, nameOf } from "../src/dns/name.ts";
import { type IpAddress, type IpPrefix, prefixHolds } from "../src/ip.ts";
import { resolve } from "../src/resolve.ts";
import { type Snapshot, withStates } from "../src/snapshot.ts";
import { loadLab, smallGeoip } from "./audit/labs.ts";
import { prefix } from "./geo/prefixes.ts";

/** Thousands of names from many places; on a busy machine that takes its time. */
vi.setConfig({ testTimeout: 30_000 });

const config = join(import.meta.dirname, "../config");
const folder = mkdtempSync(join(tmpdir(), "geodns365-clouds-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The default lab with Germany, each service in the era that is wanted, or in its own. */
function labIn(eras: Readonly<Record<string, string>> = {}): Snapshot {
  const path = join(folder, "lab.yaml");
  const clouds = { Germany: { enabled: true }, Worldwide: { eras } };
  writeFileSync(path, JSON.stringify({ clouds, include: [join(config, "geodns365.yaml")] }));
  return loadLab(path, smallGeoip());
}

const lab = labIn();
const { clouds, networks } = lab.configuration;

const addressIn = ({ family, octets }: IpPrefix): IpAddress => ({ family, octets });
/** Where questions come from: every network in each family, countries by GeoIP, and nowhere in particular. */
const places: readonly IpAddress[] = [
  ...networks.flatMap(({ prefixes }) => prefixes),
  ...["8.8.8.8/32", "8.9.9.9/32", "2.0.3.7/32", "2a00:1001::7/128", "203.0.113.7/32"].map(prefix),
].map(addressIn);
/** The same without those that a network has in the other family. */
const eachPlace = places.filter(({ family }, i) => family === 4 || i >= places.length - 5);

/** All names of a cloud, for all its tenants, datacenters and farm slots. */
const namesOf = (cloud: Cloud): readonly DomainName[] => [
  ...new Set(
    cloud.services.flatMap((service) =>
      Array.from(chainNames(service, cloud), (chainName) => {
        if (chainName.kind === "fault") throw new Error(chainName.message);
        return domainName(chainName.owner);
      }),
    ),
  ),
];

/** All addresses that answers of a cloud may hold. */
const allPools = ({ datacenters, services }: Cloud): readonly IpPrefix[] => [
  ...datacenters.flatMap(({ addresses }) => poolsOf(addresses)),
  ...services.flatMap(({ end }) => (end.kind === "anycast" ? poolsOf(end.sources) : [])),
];

interface Bounds {
  readonly names: ReadonlySet<DomainName>;
  readonly pools: readonly IpPrefix[];
}

const boundsOf = (cloud: Cloud): Bounds => ({ names: new Set(namesOf(cloud)), pools: allPools(cloud) });

/** What is wrong with where a name leads, in words; undefined where nothing is. */
function faultOf(
  snapshot: Snapshot,
  { names, pools }: Bounds,
  name: DomainName,
  qtype: number,
  address: IpAddress,
): string | undefined {
  const found = resolve(
    snapshot,
    { qname: nameOctets(name), qtype, qclass: 1 },
    { address, via: "client-subnet" },
  );
  if (found.kind !== "resolved") return "a handler answers";
  const last = found.hops.at(-1);
  if (found.stop !== undefined || last === undefined) return `the chain ends: ${found.stop}`;
  if (found.rcode !== RCODE.NOERROR) return `RCODE ${found.rcode} at ${last.name}`;
  // Some names have no AAAA, and none lacks an A.
  if (last.found !== "rrset" && (qtype === TYPE.A || last.found !== "nodata"))
    return `${last.found} at ${last.name}`;
  const foreign = found.hops.find((hop) => !names.has(hop.name));
  if (foreign !== undefined) return `${foreign.name} is no name of the cloud`;
  if (last.found === "nodata") return undefined;
  const family = qtype === TYPE.A ? 4 : 6;
  const isOurs = (octets: Uint8Array) => pools.some((pool) => prefixHolds(pool, family, octets, 0));
  const { rrset } = last;
  if (rrset?.type !== qtype || !rrset.rdatas.every(isOurs))
    return `addresses of others: ${rrset && formatRRset(rrset)}`;
  return undefined;
}

/** Faults of names from places, in a table that a failed test shows. */
function faultsOf(
  snapshot: Snapshot,
  bounds: Bounds,
  names: Iterable<DomainName>,
  from: readonly IpAddress[],
): readonly string[] {
  const faults: string[] = [];
  for (const name of names) {
    for (const qtype of [TYPE.A, TYPE.AAAA]) {
      for (const address of from) {
        const fault = faultOf(snapshot, bounds, name, qtype, address);
        if (fault !== undefined) faults.push(`${name} from ${address.octets.join(".")}: ${fault}`);
      }
    }
  }
  return faults;
}

/** Names whose answers depend on places or states, since a name on their way is tailored. All others lead one way for ever. */
interface Tailored {
  readonly byPlace: readonly DomainName[];
  readonly byTenant: readonly DomainName[];
}

function tailoredOf(snapshot: Snapshot, names: ReadonlySet<DomainName>): Tailored {
  const [address] = places;
  if (address === undefined) throw new Error("there is no place");
  const byPlace: DomainName[] = [];
  const byTenant: DomainName[] = [];
  for (const name of names) {
    const question = { qname: nameOctets(name), qtype: TYPE.A, qclass: 1 };
    const found = resolve(snapshot, question, { address, via: "source" });
    const tailorings =
      found.kind === "resolved" ? found.hops.flatMap(({ tailoring }) => tailoring ?? []) : [];
    if (tailorings.some(({ locationClass }) => locationClass !== undefined)) byPlace.push(name);
    else if (tailorings.length > 0) byTenant.push(name);
  }
  return { byPlace, byTenant };
}

const faultsOfTailored = (
  snapshot: Snapshot,
  bounds: Bounds,
  { byPlace, byTenant }: Tailored,
  from: readonly IpAddress[],
): readonly string[] => [
  ...faultsOf(snapshot, bounds, byPlace, from),
  ...faultsOf(snapshot, bounds, byTenant, from.slice(0, 1)),
];

const statesWith = (changed: readonly (readonly [Datacenter, DatacenterState])[]): DatacenterStates =>
  changed.reduce((states, [{ id }, state]) => withState(states, id, state), allUp);

test("all five clouds are here, each with names and pools of its own", () => {
  expect(clouds.map(({ name }) => name)).toEqual([
    "China",
    "Germany",
    "USGovDoD",
    "USGovGCCHigh",
    "Worldwide",
  ]);
  const names = clouds.flatMap(namesOf);
  expect(names).toHaveLength(new Set(names).size);
  for (const cloud of clouds) expect(cloud.tenants.rows().next().done).toBe(false);
});

describe.each(clouds.map((cloud) => [cloud.name, cloud] as const))("names of %s stay in it", (_, cloud) => {
  const bounds = boundsOf(cloud);
  const tailored = tailoredOf(lab, bounds.names);

  test("all of them, while everything is up", () => {
    expect(bounds.names.size).toBeGreaterThan(80);
    expect(tailored.byPlace.length).toBeGreaterThan(15);
    expect(tailored.byTenant.length).toBeGreaterThan(5);
    expect(faultsOf(lab, bounds, bounds.names, places.slice(0, 1))).toEqual([]);
    expect(faultsOf(lab, bounds, tailored.byPlace, places)).toEqual([]);
    expect(faultsOf(lab, bounds, tailored.byTenant, places)).toEqual([]);
  });

  test("with each of its datacenters down alone", () => {
    for (const datacenter of cloud.datacenters) {
      const snapshot = withStates(lab, statesWith([[datacenter, "down"]]), lab.tenantPlaces);
      expect(faultsOfTailored(snapshot, bounds, tailored, eachPlace), `${datacenter.id} is down`).toEqual([]);
    }
  });

  test("with all of it down, and with all others down", () => {
    const all = clouds.flatMap(({ datacenters }) => datacenters);
    for (const isOurs of [true, false]) {
      const down = all.filter((each) => (each.cloud === cloud.name) === isOurs);
      const snapshot = withStates(lab, statesWith(down.map((each) => [each, "down"])), lab.tenantPlaces);
      expect(faultsOfTailored(snapshot, bounds, tailored, places)).toEqual([]);
    }
  });

  test("in any state, from any address", () => {
    const states = fc
      .array(
        fc.tuple(
          fc.constantFrom(...cloud.datacenters),
          fc.constantFrom<DatacenterState>("up", "draining", "down"),
        ),
        { maxLength: 2 * cloud.datacenters.length },
      )
      .map(statesWith);
    const address: fc.Arbitrary<IpAddress> = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }).map((octets) => ({ family: 4, octets }) as const),
      fc.uint8Array({ minLength: 16, maxLength: 16 }).map((octets) => ({ family: 6, octets }) as const),
    );
    fc.assert(
      fc.property(states, fc.array(address, { minLength: 1, maxLength: 4 }), (changed, from) => {
        const snapshot = withStates(lab, changed, lab.tenantPlaces);
        expect(faultsOfTailored(snapshot, bounds, tailored, from)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

/** The eras that services of a cloud have, by the service that they are chosen for. */
const erasIn = (file: string): readonly (readonly [string, string])[] => {
  const { services }: { services: Record<string, { eraOf?: string; eras?: { in: string[] }[] }> } = parse(
    readFileSync(join(config, "clouds", file), "utf8"),
  );
  const pairs = Object.entries(services).flatMap(([name, { eraOf = name, eras = [] }]) =>
    eras.flatMap((variant) => variant.in.map((era) => `${eraOf} ${era}`)),
  );
  return [...new Set(pairs)].map((pair) => {
    const [service = "", era = ""] = pair.split(" ");
    return [service, era];
  });
};

test("the name of one cloud would be told if it led into another, and one that is not served too", () => {
  const [from] = places;
  const [dod, gccHigh] = ["USGovDoD", "USGovGCCHigh"].map((name) =>
    clouds.find((each) => each.name === name),
  );
  if (from === undefined || dod === undefined || gccHigh === undefined) throw new Error("a cloud is missing");
  const told = (name: string, bounds: Bounds) => faultOf(lab, bounds, nameOf(name), TYPE.A, from);
  const [ours, others] = [boundsOf(gccHigh), boundsOf(dod)];
  expect(told("outlook.office365.us", ours)).toBeUndefined();
  expect(told("outlook.office365.us", others)).toBe("outlook.office365.us. is no name of the cloud");
  expect(told("litware.mail.protection.office365.us", { ...ours, pools: others.pools })).toMatch(
    "addresses of others: litware.mail.protection.office365.us. 10 A 198.19.16.81",
  );
  expect(told("nobody.mail.protection.office365.us", ours)).toMatch("RCODE 3 at nobody.");
  expect(told("www.example.org", ours)).toMatch("the chain ends: not-served");
});

describe("in every era of every service", () => {
  const eras = erasIn("worldwide.yaml");

  test("there are some twenty", () => expect(eras.length).toBeGreaterThan(15));

  test.each(eras)("%s in %s leads to addresses, inside the zones served and the cloud", (service, era) => {
    const snapshot = labIn({ [service]: era });
    const worldwide = snapshot.configuration.clouds.find(({ name }) => name === "Worldwide");
    if (worldwide === undefined) throw new Error("there is no Worldwide");
    const bounds = boundsOf(worldwide);
    expect(faultsOf(snapshot, bounds, bounds.names, places.slice(0, 1))).toEqual([]);
    const tailored = tailoredOf(snapshot, bounds.names);
    expect(faultsOfTailored(snapshot, bounds, tailored, eachPlace)).toEqual([]);
  });
});
