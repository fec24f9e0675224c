/** Addresses that services give: pools of the lab, single addresses, or published ones; and what is wrong with them. */

import {
  addressesAt,
  longestPool,
  MOST_ADDRESSES,
  POOL_SLICES,
  poolsOf,
  sliceCapacity,
} from "../cloud/chain.ts";
import { type NameTemplate, parseHostTemplate } from "../cloud/name-template.ts";
import type { ChainEndAddresses, Cloud, Slice } from "../cloud/service.ts";
import type { AddressSource, Datacenter } from "../cloud/topology.ts";
import {
  type AddressFamily,
  formatAddress,
  formatPrefix,
  type IpPrefix,
  parsePrefix,
  prefixContains,
} from "../ip.ts";
import type { Settings } from "./configuration.ts";
import { publishedAddresses } from "./published-addresses.ts";
import type { CloudInForce, ServiceInForce } from "./schema.ts";
import { formatPlace, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** Takes what is wrong, with its place. */
interface Faults {
  at(source: YamlDocument, path: ValuePath, message: string): void;
}

/** A cloud before its services. */
export interface CloudDraft {
  readonly source: YamlDocument;
  readonly document: CloudInForce;
  readonly datacenters: readonly Datacenter[];
  readonly anycast: readonly AddressSource[];
}

/** Of each family one pool with room for all slices, or single addresses. */
export function buildSources(
  source: YamlDocument,
  path: ValuePath,
  texts: readonly string[],
  faults: Faults,
): readonly AddressSource[] {
  return families.flatMap((family): AddressSource[] => {
    const entries = texts.flatMap((text, i) => {
      const prefix = parsePrefix(text);
      if (typeof prefix === "string" || prefix.family !== family) return []; // the schema has told
      return { prefix, path: [...path, i], isSingle: !text.includes("/") };
    });
    const pools = entries.filter(({ isSingle }) => !isSingle);
    const [pool] = pools;
    if (pools.length > 1) faults.at(source, path, "expected one prefix of each family, found two of one");
    for (const { prefix, path: poolPath } of pools) {
      const longest = longestPool(family);
      if (prefix.length <= longest) continue;
      const words = `a pool has ${POOL_SLICES} slices, so it must be /${longest} or shorter`;
      faults.at(source, poolPath, words);
    }
    const singles = entries.filter(({ isSingle }) => isSingle);
    const seen = new Set<string>();
    for (const [i, { prefix, path: singlePath }] of singles.entries()) {
      const address = formatAddress(prefix.octets);
      if (pool !== undefined) {
        const words = `${address} stands beside the pool ${formatPrefix(pool.prefix)}; give either a pool or single addresses of a family`;
        faults.at(source, singlePath, words);
      } else if (seen.has(address)) faults.at(source, singlePath, `${address} is here twice`);
      else if (i === MOST_ADDRESSES)
        faults.at(source, singlePath, `an answer has at most ${MOST_ADDRESSES} addresses of a family`);
      seen.add(address);
    }
    if (pool !== undefined) return [{ kind: "pool", family, pool: pool.prefix }];
    const addresses = singles.map(({ prefix }) => prefix.octets);
    return addresses.length === 0 ? [] : [{ kind: "listed", family, addresses }];
  });
}

const families: readonly AddressFamily[] = [4, 6];

/**
 * No two pools overlap, over all clouds, and no name server lives in one. A single address is in no pool either, but
 * datacenters may share it, and a name server its machine.
 */
export function checkPools(
  drafts: readonly CloudDraft[],
  settings: Pick<Settings, "nameservers">,
  faults: Faults,
): void {
  interface Known {
    readonly source: YamlDocument;
    readonly path: ValuePath;
    readonly pool: IpPrefix;
    readonly isSingle: boolean;
    readonly id: string;
  }
  const known: Known[] = [];
  for (const { source, document, datacenters } of drafts) {
    const owners = [
      ...datacenters.map(({ id, shortId }) => ({
        id,
        texts: document.datacenters[shortId]?.addresses ?? [],
        path: ["datacenters", shortId, "addresses"],
      })),
      { id: edgesOf(document.cloud), texts: document.anycast ?? [], path: ["anycast"] },
    ];
    for (const { id, texts, path: ownerPath } of owners) {
      for (const [i, text] of texts.entries()) {
        const pool = parsePrefix(text);
        if (typeof pool === "string") continue; // the schema has told
        const isSingle = !text.includes("/");
        const path = [...ownerPath, i];
        const clash = known.find(
          (other) =>
            !(isSingle && other.isSingle) &&
            // What is wrong within one list is told where that is read.
            !((isSingle || other.isSingle) && other.id === id) &&
            (prefixContains(other.pool, pool) || prefixContains(pool, other.pool)),
        );
        if (clash !== undefined) {
          const clashPlace = formatPlace(clash.source.placeOf(clash.path));
          const what = clash.isSingle ? `${formatAddress(clash.pool.octets)}, an address` : "the pool";
          const words = isSingle
            ? `${text} is in the pool of ${clash.id} at ${clashPlace}`
            : `${formatPrefix(pool)} overlaps ${what} of ${clash.id} at ${clashPlace}`;
          faults.at(source, path, words);
        }
        known.push({ pool, isSingle, source, path, id });
        if (isSingle) continue;
        for (const octets of [...settings.nameservers.ns1, ...settings.nameservers.ns2]) {
          if (prefixContains(pool, { family: octets.length === 4 ? 4 : 6, octets })) {
            faults.at(
              source,
              path,
              `${formatPrefix(pool)} holds the address of a name server (server.nameservers)`,
            );
          }
        }
      }
    }
  }
}

/** What a service says of its addresses, and of whom it can give them. */
type AddressesEntry = NonNullable<ServiceInForce["addresses"]> &
  Pick<ServiceInForce, "published"> & { readonly candidates: readonly Datacenter[] };

/** The addresses that a service's chain ends at: those of the lab, or published ones in their place. */
export function buildAddresses(
  draft: CloudDraft,
  path: ValuePath,
  entry: AddressesEntry,
  faults: Faults,
): ChainEndAddresses {
  const { source, document, anycast } = draft;
  const slice: Slice = {
    slice: entry.slice,
    count: entry.count,
    families: entry.ipv6 === false ? [4] : families,
    hosts: entry.hosts === undefined ? undefined : hostTemplate(entry.hosts),
  };
  const published =
    document.addressing === "published" && entry.published !== undefined
      ? buildPublished(draft, path, { ...entry, published: entry.published }, slice, faults)
      : undefined;
  if (entry.anycast) {
    const id = edgesOf(document.cloud);
    const sources = published?.get(id) ?? anycast;
    checkSources(source, path, entry, [{ id, sources }], faults);
    return { kind: "anycast", sources, ...slice };
  }
  const givers = entry.candidates.map(({ id, addresses }) => ({
    id,
    sources: published?.get(id) ?? addresses,
  }));
  checkSources(source, path, entry, givers, faults);
  return { kind: "addresses", published, ...slice };
}

/** What owns the addresses that are the same for everyone, as errors call it. */
const edgesOf = (cloud: string): string => `${cloud}'s anycast`;

/**
 * The published addresses of a service by datacenter, or those of its edges; undefined where the prefixes do not do. Single
 * addresses of the lab are its machines, which stay where they are.
 */
function buildPublished(
  { source, document, datacenters, anycast }: CloudDraft,
  path: ValuePath,
  entry: { readonly anycast?: boolean | undefined; readonly published: readonly string[] },
  slice: Slice,
  faults: Faults,
): ReadonlyMap<string, readonly AddressSource[]> | undefined {
  const prefixes = entry.published.map(parsePrefix).filter((prefix) => typeof prefix !== "string");
  const tell = (message: string): void => faults.at(source, [...path, "published"], message);
  for (const [i, prefix] of prefixes.entries()) {
    const same = prefixes
      .slice(0, i)
      .find((other) => prefixContains(other, prefix) || prefixContains(prefix, other));
    if (same === undefined) continue;
    tell(`${formatPrefix(prefix)} and ${formatPrefix(same)} overlap`);
    return undefined;
  }
  const owners = entry.anycast
    ? [{ id: edgesOf(document.cloud), addresses: anycast }]
    : datacenters.map(({ id, addresses }) => ({ id, addresses }));
  const published = new Map<string, readonly AddressSource[]>();
  for (const [index, { id, addresses: own }] of owners.entries()) {
    if (own.some(({ kind }) => kind === "listed")) continue;
    const sources: AddressSource[] = [];
    for (const family of slice.families) {
      const ofFamily = prefixes.filter((prefix) => prefix.family === family);
      if (ofFamily.length === 0) continue;
      const addresses = publishedAddresses(ofFamily, { index, of: owners.length }, slice);
      if ("tooFew" in addresses) {
        const among = entry.anycast ? "" : ` for each of ${owners.length} datacenters`;
        tell(
          `there are ${addresses.tooFew} IPv${family} addresses, too few for ${slice.count}${among}; name more, or let the service give lab addresses`,
        );
        return undefined;
      }
      sources.push({ kind: "listed", family, addresses });
    }
    published.set(id, sources);
  }
  return published;
}

/** No published address is given for two datacenters, which services that list prefixes otherwise could bring about. */
export function checkPublished(
  clouds: readonly Cloud[],
  drafts: readonly CloudDraft[],
  faults: Faults,
): void {
  const owners = new Map<string, string>();
  for (const { name, services } of clouds) {
    const source = drafts.find(({ document }) => document.cloud === name)?.source;
    for (const service of services) {
      const { end } = service;
      if (source === undefined || end.kind === "alias") continue;
      for (const [id, addresses] of publishedOf(end, name)) {
        const clash = addresses.find((address) => (owners.get(address) ?? id) !== id);
        if (clash !== undefined) {
          const words = `${clash} would be an address of ${owners.get(clash)} and of ${id}; give services that share prefixes the same list`;
          faults.at(source, ["services", service.name, "published"], words);
          break;
        }
        for (const address of addresses) owners.set(address, id);
      }
    }
  }
}

/** The published addresses that a service gives, by datacenter. */
function publishedOf(
  end: ChainEndAddresses,
  cloud: string,
): readonly (readonly [string, readonly string[]])[] {
  const textsOf = (sources: readonly AddressSource[]): readonly string[] =>
    addressesAt({ ...end, kind: "anycast", sources }, undefined).flatMap(({ addresses }) =>
      addresses.map(formatAddress),
    );
  if (end.kind === "anycast") return [[edgesOf(cloud), textsOf(end.sources)]];
  return [...(end.published ?? [])].map(([id, sources]) => [id, textsOf(sources)]);
}

/** Whether all whose addresses a service may give have as many in a slice. */
function checkSources(
  source: YamlDocument,
  path: ValuePath,
  { count, anycast }: Pick<AddressesEntry, "count" | "anycast">,
  owners: readonly { readonly id: string; readonly sources: readonly AddressSource[] }[],
  faults: Faults,
): void {
  const bare = owners.find(({ sources }) => sources.length === 0);
  if (bare !== undefined) {
    const remedy = anycast
      ? `set "anycast" of the cloud`
      : `set "addresses" there, or leave it out of "datacenters" here`;
    faults.at(source, [...path, "addresses"], `${bare.id} has no addresses to give; ${remedy}`);
  }
  for (const { id, sources } of owners) {
    const tight = poolsOf(sources).find(
      (pool) => pool.length <= longestPool(pool.family) && sliceCapacity(pool) < count,
    );
    if (tight === undefined) continue;
    const words = `a slice of the pool of ${id}, ${formatPrefix(tight)}, has ${sliceCapacity(tight)} addresses`;
    faults.at(source, [...path, "addresses", "count"], `${words}, not ${count}`);
    return;
  }
}

function hostTemplate(text: string): NameTemplate {
  const parsed = parseHostTemplate(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}
