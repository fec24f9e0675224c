/** What is near, from the documents of clouds: `nearness` of a cloud, and of a service, key by key before it. */

import type { Cloud, Service } from "../cloud/service.ts";
import type { Spread } from "../cloud/spread.ts";
import type { Datacenter } from "../cloud/topology.ts";
import { byDistance, type ListedNetwork, type Nearness } from "../geo/nearness.ts";
import { continents } from "../geo/place.ts";
import { formatPrefix } from "../ip.ts";
import { type Faults, isLost } from "./build-topology.ts";
import type { Network } from "./configuration.ts";
import { type Checked, type Documents, noContinents, suggest } from "./documents.ts";
import { readLatencyFile } from "./latency-file.ts";
import { parseLocatedPrefix } from "./located-prefix.ts";
import { cutFound, cutPieces } from "./printable.ts";
import type { CloudInForce, NearnessEntry } from "./schema.ts";
import { type FilePlace, formatPlace, type ValuePath } from "./yaml-document.ts";

interface Context {
  readonly documents: Documents;
  readonly networks: readonly Network[];
  readonly faults: Faults;
}

/** One `nearness`, and the datacenters that it can name. */
interface Written {
  readonly cloud: Checked<CloudInForce>;
  readonly path: ValuePath;
  readonly entry: NearnessEntry;
  readonly candidates: readonly Datacenter[];
}

/** What is written at one place; a key that is not there is undefined. */
interface Parts {
  readonly order: Partial<Nearness>;
  readonly spread: Spread | undefined;
}

/** The clouds with what their documents say of nearness. */
export function addNearness(
  clouds: readonly Cloud[],
  documents: Documents,
  networks: readonly Network[],
  faults: Faults,
): readonly Cloud[] {
  const context = { documents, networks, faults };
  return clouds.map((cloud) => {
    const document = documents.clouds.find(({ value }) => value.cloud === cloud.name);
    return document === undefined ? cloud : nearnessOfCloud(cloud, document, context);
  });
}

function nearnessOfCloud(cloud: Cloud, document: Checked<CloudInForce>, context: Context): Cloud {
  const { nearness: entry } = document.value;
  const candidates = cloud.datacenters.filter(({ roles }) => roles.has("front-end"));
  const ofCloud = entry && buildParts({ cloud: document, path: ["nearness"], entry, candidates }, context);
  const nearness: Nearness = { ...byDistance, ...ofCloud?.order };
  const services = cloud.services.map((service): Service => {
    const own = nearnessOfService(service, document, context);
    if (service.policy !== "nearest-datacenter") return service;
    // Services of one order share their tables, so it stays one object wherever it can.
    const isOwn = own !== undefined && Object.keys(own.order).length > 0;
    return {
      ...service,
      nearness: isOwn ? { ...nearness, ...own.order } : ofCloud === undefined ? byDistance : nearness,
      spread: own?.spread ?? ofCloud?.spread,
    };
  });
  return { ...cloud, services };
}

function nearnessOfService(
  { name, policy, candidates }: Service,
  cloud: Checked<CloudInForce>,
  context: Context,
): Parts | undefined {
  const entry = cloud.value.services[name]?.nearness;
  const path = ["services", name, "nearness"];
  if (entry === undefined) return undefined;
  if (policy === "nearest-datacenter") return buildParts({ cloud, path, entry, candidates }, context);
  const words = `${policy} goes by the tenant, wherever the client is; nearness is of nearest-datacenter`;
  context.faults.atKey(cloud.source, path, words);
  return undefined;
}

function buildParts(written: Written, context: Context): Parts {
  const { cloud, path, entry, candidates } = written;
  const { documents, networks, faults } = context;
  const { lost } = documents;
  const { source } = cloud;
  const hasContinents = documents.countries.length > 0 || lost.anything || lost.keys.has("countries");
  if (entry.continents !== undefined && !hasContinents)
    faults.atKey(source, [...path, "continents"], noContinents);
  const mayLackNetworks = lost.anything || lost.keys.has("networks");
  const latency =
    entry.latency &&
    readLatencyFile(
      {
        source,
        valuePath: [...path, "latency"],
        path: entry.latency,
        datacenters: candidates,
        networks,
        mayLackNetworks,
        isLostDatacenter: (shortId) => isLost(cloud, shortId),
        hasContinents,
      },
      faults,
    );
  const order: Partial<Nearness> = {
    ...(entry.bias && { bias: numbersById(written, entry.bias, ["bias"], faults) }),
    ...(latency && { latency }),
    ...(entry.networks && { networks: buildNetworkLists(written, entry.networks, context) }),
    ...(entry.countries && {
      countries: new Map(
        Object.entries(entry.countries).map(([code, ids]) => [
          code,
          listOf(written, ids, ["countries", code], faults),
        ]),
      ),
    }),
    ...(entry.continents && {
      continents: new Map(
        continents.flatMap((code) => {
          const ids = entry.continents?.[code];
          return ids === undefined ? [] : [[code, listOf(written, ids, ["continents", code], faults)]];
        }),
      ),
    }),
    ...(entry.candidates !== undefined && { maxCandidates: entry.candidates }),
  };
  return { order, spread: entry.spread && buildSpread(written, entry.spread, faults) };
}

function buildSpread(
  written: Written,
  { over, weights }: NonNullable<NearnessEntry["spread"]>,
  faults: Faults,
): Spread {
  return { over, weights: numbersById(written, weights ?? {}, ["spread", "weights"], faults) };
}

/** Numbers by datacenter. */
function numbersById(
  written: Written,
  numbers: Readonly<Record<string, number>>,
  steps: readonly string[],
  faults: Faults,
): ReadonlyMap<Datacenter["id"], number> {
  return new Map(
    Object.entries(numbers).flatMap(([shortId, number]) => {
      const found = findDatacenter(written, shortId);
      if (typeof found !== "string") return found === undefined ? [] : [[found.id, number]];
      faults.atKey(written.cloud.source, [...written.path, ...steps, shortId], found);
      return [];
    }),
  );
}

/** The ids of a list of datacenters. */
function listOf(
  written: Written,
  shortIds: readonly string[],
  steps: readonly string[],
  faults: Faults,
): readonly string[] {
  return shortIds.flatMap((shortId, i) => {
    const path = [...written.path, ...steps, i];
    const found = findDatacenter(written, shortId);
    if (typeof found === "string") faults.at(written.cloud.source, path, found);
    else if (shortIds.indexOf(shortId) < i)
      faults.at(written.cloud.source, path, `"${shortId}" is here twice`);
    else if (found !== undefined) return [found.id];
    return [];
  });
}

/** A sentence where nobody has the id; undefined where a fault left the datacenter out. */
function findDatacenter(
  { cloud, candidates, path }: Written,
  shortId: string,
): Datacenter | string | undefined {
  const found = candidates.find((datacenter) => datacenter.shortId === shortId);
  if (found !== undefined) return found;
  if (isLost(cloud, shortId)) return undefined;
  const ids = candidates.map((datacenter) => datacenter.shortId);
  const whose = path.length === 1 ? "front end of the cloud" : "candidate of the service";
  return `"${cutFound(shortId)}" is no ${whose}${suggest(shortId, ids)}`;
}

/** A listed network stands for each of its prefixes. */
function buildNetworkLists(
  written: Written,
  lists: Readonly<Record<string, readonly string[]>>,
  { networks, documents: { lost }, faults }: Context,
): readonly ListedNetwork[] {
  const { source } = written.cloud;
  const owners = new Map<string, FilePlace>();
  return Object.entries(lists).flatMap(([key, shortIds]): readonly ListedNetwork[] => {
    const path = [...written.path, "networks", key];
    const ids = listOf(written, shortIds, ["networks", key], faults);
    const network = networks.find(({ name }) => name === key);
    const prefix = network === undefined ? parseLocatedPrefix(key) : undefined;
    if (typeof prefix === "string") {
      const names = networks.map(({ name }) => name);
      // The name of a network has neither a dot nor a colon nor a slash.
      if (/[.:/]/.test(key)) faults.atKey(source, path, cutPieces(prefix, key));
      else if (!lost.anything && !lost.keys.has("networks")) {
        const words = `"${cutFound(key)}" is neither a network nor a prefix${suggest(key, names)}`;
        faults.atKey(source, path, words);
      }
      return [];
    }
    const prefixes = prefix === undefined ? (network?.prefixes ?? []) : [prefix];
    return prefixes.flatMap((each) => {
      const text = formatPrefix(each);
      const known = owners.get(text);
      owners.set(text, known ?? source.placeOfKey(path));
      if (known === undefined) return [{ network: network?.name, prefix: each, ids }];
      const whose = network === undefined ? text : `${text} of network ${key}`;
      faults.atKey(source, path, `${whose} is listed at ${formatPlace(known)} already`);
      return [];
    });
  });
}
