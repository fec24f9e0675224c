/** Documents to clouds, networks and settings; whatever does not fit together is an error with its place. */

import { dirname, resolve } from "node:path";
import { type NameTemplate, parseNameTemplate } from "../cloud/name-template.ts";
import type { ChainEndAddresses, Cloud, Link, Service, TtlBounds } from "../cloud/service.ts";
import { CloudTenants, TenantTable } from "../cloud/tenant-table.ts";
import {
  type Datacenter,
  datacenterId,
  type HealthCheck,
  type Mark,
  type UnknownTenantHome,
} from "../cloud/topology.ts";
import { byDistance } from "../geo/nearness.ts";
import { type Country, continents as continentCodes, type Place } from "../geo/place.ts";
import { parseProbeTarget } from "../health/probe.ts";
import {
  formatEndpoint,
  formatPrefix,
  type IpPrefix,
  isLoopback,
  parseAddress,
  parseEndpoint,
  parsePrefix,
} from "../ip.ts";
import {
  buildAddresses,
  buildSources,
  type CloudDraft,
  checkPools,
  checkPublished,
} from "./build-addresses.ts";
import type { LocationSettings, Network, Settings } from "./configuration.ts";
import { type Checked, type Documents, suggest } from "./documents.ts";
import { parseLocatedPrefix } from "./located-prefix.ts";
import { cutFound } from "./printable.ts";
import type { CloudInForce, SettingsDocument } from "./schema.ts";
import type { RowOrigins, Spot } from "./tenants-builder.ts";
import {
  type ConfigError,
  type FilePlace,
  formatPlace,
  type ValuePath,
  type YamlDocument,
} from "./yaml-document.ts";

/** Collects what is wrong: errors, which keep a configuration from being used, and warnings. */
export class Faults {
  readonly errors: ConfigError[] = [];
  readonly warnings: ConfigError[] = [];
  /** files that the documents name, sound or not: a change of them may mend what is wrong */
  readonly namedFiles = new Set<string>();
  /** how many errors files have that may have very many */
  readonly #bulk = new Map<string, number>();

  at(source: YamlDocument, path: ValuePath, message: string): void {
    this.errors.push(source.errorAt(source.placeOf(path), message));
  }

  warnAt(source: YamlDocument, path: ValuePath, message: string): void {
    this.warnings.push(source.errorAt(source.placeOf(path), message));
  }

  atKey(source: YamlDocument, path: ValuePath, message: string): void {
    this.errors.push(source.errorAt(source.placeOfKey(path), message));
  }

  /** An error of a row of a tenants' table; of a file that may have a million only the first are told, and how many more. */
  atRow({ bulkFile }: Pick<RowOrigins, "bulkFile">, make: () => readonly [Spot, string]): void {
    const before = bulkFile === undefined ? 0 : (this.#bulk.get(bulkFile) ?? 0);
    if (bulkFile !== undefined) this.#bulk.set(bulkFile, before + 1);
    if (before >= MAX_BULK_ERRORS) return;
    const [{ source, place }, message] = make();
    this.errors.push(source.errorAt(place, message));
  }

  /** Whether no further error of a file is told. */
  isFull({ bulkFile }: Pick<RowOrigins, "bulkFile">): boolean {
    return bulkFile !== undefined && (this.#bulk.get(bulkFile) ?? 0) >= MAX_BULK_ERRORS;
  }

  /** All errors, with how many there are more in files of which not all are told. */
  all(): readonly ConfigError[] {
    const more = [...this.#bulk].flatMap(([file, count]) => {
      if (count <= MAX_BULK_ERRORS) return [];
      const message = `and ${count - MAX_BULK_ERRORS} more errors in this file`;
      // It comes behind all that are told.
      const [last = { file, line: 1, column: 1 }] = this.errors
        .flatMap(({ place }) => (place.file === file ? place : []))
        .toSorted((a, b) => b.line - a.line || b.column - a.column);
      return [{ place: last, sourceLine: "", message }];
    });
    return [...this.errors, ...more];
  }
}

/** Errors of one CSV file that are told. */
const MAX_BULK_ERRORS = 100;

type CloudEntries<K extends "datacenters" | "services"> = CloudInForce[K][string];

const defaultPlace: Place = { city: "Boydton", country: "US", coordinates: [36.67, -78.39] };

const octetsOf = (texts: readonly string[]): readonly Uint8Array[] =>
  texts.flatMap((text) => parseAddress(text)?.octets ?? []);

const prefixesOf = (texts: readonly string[]): readonly IpPrefix[] =>
  texts.map(parsePrefix).filter((prefix) => typeof prefix !== "string");

/** Merges the settings documents; a top key in two of them is an error. What stands in server.listen comes later. */
export function buildSettings(
  documents: readonly Checked<SettingsDocument>[],
  faults: Faults,
): Omit<Settings, "listen"> {
  const owners = new Map<string, YamlDocument>();
  let merged: SettingsDocument = {};
  for (const { source, value } of documents) {
    for (const key of Object.keys(value)) {
      const owner = owners.get(key);
      const shared = ["include", "zones", "records", "tailored"].includes(key);
      if (owner !== undefined && !shared) {
        faults.atKey(source, [key], `"${key}" is set at ${formatPlace(owner.placeOfKey([key]))} already`);
      }
      owners.set(key, source);
    }
    merged = { ...value, ...merged };
  }
  const { server = {}, clientSubnet, geoip, log, journal } = merged;
  const database = geoip?.database ?? "embedded";
  const trust = clientSubnet?.trust ?? "all";
  const geoipSource = owners.get("geoip");
  const serverSource = owners.get("server");
  const location = buildLocation(merged.location ?? {}, owners.get("location"), faults);
  return {
    answer: server.answer ?? "full",
    udpPayloadSize: server.udpPayloadSize ?? 1232,
    cookies: server.cookies ?? "accept",
    cookieSecrets: (server.cookieSecrets ?? []).map((hex) => Uint8Array.from(Buffer.from(hex, "hex"))),
    version: server.version ?? "geodns365",
    identity: server.identity ?? "geodns365",
    explain: {
      txt: server.explain?.txt ?? false,
      extendedErrors: server.explain?.extendedErrors ?? false,
    },
    nameservers: {
      ns1: octetsOf(server.nameservers?.ns1 ?? ["198.18.0.53", "2001:db8:f000::53"]),
      ns2: octetsOf(server.nameservers?.ns2 ?? ["198.19.255.53", "2001:db8:f000::1:53"]),
    },
    tcp: {
      idleSeconds: server.tcp?.idleSeconds ?? 10,
      maxConnections: server.tcp?.maxConnections ?? 256,
      maxConnectionsPerAddress: server.tcp?.maxConnectionsPerAddress ?? 32,
    },
    clientSubnetTrust: typeof trust === "string" ? trust : prefixesOf(trust),
    geoipDatabase:
      database === "embedded" || database === "none" || geoipSource === undefined || !location.byGeoip
        ? { kind: database === "none" || !location.byGeoip ? "none" : "embedded" }
        : {
            kind: "file",
            path: resolve(dirname(geoipSource.file), database),
            ...geoipSource.errorAt(geoipSource.placeOf(["geoip", "database"]), ""),
          },
    defaultPlace: merged.defaultLocation ?? defaultPlace,
    location,
    loggedQueries: log?.queries ?? "all",
    journalQueries: journal?.queries ?? 10_000,
    stateFile:
      server.stateFile === undefined || serverSource === undefined
        ? { kind: "default" }
        : server.stateFile === "none"
          ? { kind: "none" }
          : { kind: "file", path: resolve(dirname(serverSource.file), server.stateFile) },
    admin: buildAdmin(merged.admin, owners.get("admin"), faults),
    silencedRules: merged.lint?.silence ?? [],
  };
}

function buildAdmin(
  admin: SettingsDocument["admin"],
  source: YamlDocument | undefined,
  faults: Faults,
): Settings["admin"] {
  if (admin === "off") return "off";
  const { listen, tokenHash, hosts = [] } = admin ?? {};
  const endpoints = listen?.map(parseEndpoint).filter((at) => typeof at !== "string");
  for (const [i, at] of endpoints?.entries() ?? []) {
    if (source === undefined || hasWritten(source.value, "admin", "tokenHash") || isLoopback(at)) continue;
    const words = `${formatEndpoint(at)} is not loopback, so a token is needed: run "geodns365 token" and set admin.tokenHash`;
    faults.at(source, ["admin", "listen", i], words);
  }
  return { listen: endpoints, tokenHash, hosts };
}

function buildLocation(
  { sources, subdivisions, countries, continents, unlocated }: NonNullable<SettingsDocument["location"]>,
  source: YamlDocument | undefined,
  faults: Faults,
): LocationSettings {
  for (const [i, each] of (sources ?? []).entries()) {
    if (source !== undefined && sources?.indexOf(each) !== i)
      faults.at(source, ["location", "sources", i], `"${each}" is here twice`);
  }
  if (source !== undefined && (unlocated === "nodata" || unlocated === "refused")) {
    const words = `who cannot be located gets ${unlocated.toUpperCase()}, which a shared resolver may hand to all of its clients: caches may take a negative answer for everyone's, whatever its scope (RFC 7871 §7.4)`;
    faults.warnAt(source, ["location", "unlocated"], words);
  }
  const places = (
    points: Readonly<Record<string, Point>> | undefined,
    countryOf: (code: string) => string,
  ): ReadonlyMap<string, Place> =>
    new Map(Object.entries(points ?? {}).map(([code, point]) => [code, placeOf(point, countryOf(code))]));
  return {
    byNetworks: sources?.includes("networks") ?? true,
    byGeoip: sources?.includes("geoip") ?? true,
    subdivisions: places(subdivisions, (code) => code.slice(0, 2)),
    countries: places(countries, (code) => code),
    continents: new Map(
      continentCodes.flatMap((code) => {
        const point = continents?.[code];
        return point === undefined ? [] : [[code, placeOf(point, undefined)]];
      }),
    ),
    unlocated: unlocated ?? "default",
  };
}

type Point = NonNullable<NonNullable<NonNullable<SettingsDocument["location"]>["countries"]>[string]>;

const placeOf = ({ city, country, coordinates }: Point, itsCountry: string | undefined): Place => {
  const found = country ?? itsCountry;
  return { ...(city !== undefined && { city }), ...(found !== undefined && { country: found }), coordinates };
};

/** Where a value stands. Its line and column take a search, so they are asked for only where they are told. */
export interface Origin {
  readonly source: YamlDocument;
  readonly path: ValuePath;
}

const placeOfOrigin = ({ source, path }: Origin): string => formatPlace(source.placeOf(path));

/** Networks by name and prefix; each name and each prefix may stand once in all files. */
export function buildNetworks(documents: Documents["networks"], faults: Faults): readonly Network[] {
  const networks: Network[] = [];
  const owners = new Map<string, Origin & { readonly network: string }>();
  for (const { source, path, key, value } of entries(documents, "networks", "network", faults)) {
    const prefixes: IpPrefix[] = [];
    for (const [i, text] of value.prefixes.entries()) {
      const prefix = parseLocatedPrefix(text);
      const prefixPath = [...path, "prefixes", i];
      if (typeof prefix === "string") {
        faults.at(source, prefixPath, prefix); // what is no prefix at all the schema has told
        continue;
      }
      const known = owners.get(formatPrefix(prefix));
      if (known !== undefined) {
        const words = `${formatPrefix(prefix)} belongs to network ${known.network} at ${placeOfOrigin(known)} already`;
        faults.at(source, prefixPath, words);
        continue;
      }
      owners.set(formatPrefix(prefix), { network: key, source, path: prefixPath });
      prefixes.push(prefix);
    }
    networks.push({ name: key, kind: value.kind ?? "office", prefixes, place: value.place });
  }
  return networks;
}

export function buildCountries(
  documents: Documents["countries"],
  faults: Faults,
): ReadonlyMap<string, Country> {
  const countries = new Map<string, Country>();
  for (const { key, value } of entries(documents, "countries", "country", faults)) {
    const { city, continent, coordinates } = value;
    countries.set(key, { place: { city, country: key, coordinates }, continent });
  }
  return countries;
}

interface Entry<V> extends Origin {
  readonly key: string;
  readonly value: V;
}

/** All entries of a map that several documents may share; a key in two of them is an error with both places. */
export function entries<K extends string, V>(
  documents: readonly Checked<Readonly<Record<K, Readonly<Record<string, V>>>>>[],
  mapKey: K,
  noun: string,
  faults: Faults,
): readonly Entry<V>[] {
  const sources = new Map<string, YamlDocument>();
  const found: Entry<V>[] = [];
  for (const { source, value } of documents) {
    for (const [key, entry] of Object.entries<V>(value[mapKey])) {
      const path = [mapKey, key];
      const known = sources.get(key)?.placeOfKey(path);
      if (known !== undefined) {
        faults.atKey(source, path, `${noun} "${key}" is defined at ${formatPlace(known)} already`);
        continue;
      }
      sources.set(key, source);
      found.push({ source, path, key, value: entry });
    }
  }
  return found;
}

/** Clouds with their datacenters and services; tenants come later. */
export function buildClouds(
  documents: Documents,
  settings: Pick<Settings, "nameservers">,
  faults: Faults,
): readonly Cloud[] {
  const places = new Map<string, FilePlace>();
  const drafts: CloudDraft[] = [];
  for (const { source, value } of documents.clouds) {
    const known = places.get(value.cloud);
    if (known !== undefined) {
      faults.at(source, ["cloud"], `cloud "${value.cloud}" is defined at ${formatPlace(known)} already`);
      continue;
    }
    places.set(value.cloud, source.placeOf(["cloud"]));
    const datacenters = Object.entries(value.datacenters).map(([shortId, entry]) =>
      buildDatacenter(value, shortId, entry, source, faults),
    );
    const anycast = buildSources(source, ["anycast"], value.anycast ?? [], faults);
    drafts.push({ source, document: value, datacenters, anycast });
  }
  checkPools(drafts, settings, faults);
  const clouds = drafts.map((draft) => ({
    name: draft.document.cloud,
    datacenters: draft.datacenters,
    healthTtl: healthTtlOf(draft.source, draft.document, faults),
    services: buildServices(draft, faults),
    tenants: new CloudTenants(new TenantTable(), draft.document.cloud),
    initialDomains: draft.document.initialDomains?.map((suffix) => suffix.toLowerCase().replace(/\.$/, "")),
    unknownTenants: unknownTenantsOf(
      { source: draft.source, value: draft.document },
      draft.datacenters,
      faults,
    ),
  }));
  checkPublished(clouds, drafts, faults);
  return clouds;
}

/** The home of tenants that there are not: the first datacenter of its geo that can hold tenants, by id. */
function unknownTenantsOf(
  cloud: Checked<CloudInForce>,
  datacenters: readonly Datacenter[],
  faults: Faults,
): UnknownTenantHome | undefined {
  const { unknownTenants = "nxdomain", cloud: name } = cloud.value;
  if (unknownTenants === "nxdomain") return undefined;
  const able = datacenters.filter(({ geo, roles }) => geo !== undefined && roles.has("tenants"));
  const { geo } = unknownTenants;
  const [active] = able.filter((each) => each.geo === geo).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (active !== undefined) return { geo, active };
  if (lacksDatacenters(cloud)) return undefined;
  const geos = [...new Set(able.flatMap((each) => each.geo ?? []))];
  const words = `no datacenter of ${name} with the role tenants has the geo "${cutFound(geo)}"`;
  faults.at(cloud.source, ["unknownTenants", "geo"], `${words}${suggest(geo, geos)}`);
  return undefined;
}

function buildDatacenter(
  { cloud, health }: Pick<CloudInForce, "cloud" | "health">,
  shortId: string,
  entry: CloudEntries<"datacenters">,
  source: YamlDocument,
  faults: Faults,
): Datacenter {
  const path = ["datacenters", shortId];
  if (shortId !== shortId.toLowerCase())
    faults.atKey(source, path, `"${shortId}" must be written in lower case`);
  const addresses = buildSources(source, [...path, "addresses"], entry.addresses ?? [], faults);
  const { farms } = entry;
  return {
    id: datacenterId(cloud, shortId),
    shortId,
    cloud,
    place: { city: entry.city, country: entry.country, coordinates: entry.coordinates },
    code: entry.code ?? shortId.toUpperCase(),
    geo: entry.geo,
    region: entry.region,
    roles: new Set(entry.roles),
    addresses,
    farms: farms && { geo: farms.geo, firstClump: farms.clump, firstFarm: farms.farm, net: farms.net },
    healthCheck: healthCheckOf(entry.probe, health),
    mark: markOf(entry),
  };
}

/** Between which seconds TTLs follow the probes. */
function healthTtlOf(source: YamlDocument, { health }: CloudInForce, faults: Faults): TtlBounds | undefined {
  const ttl = health?.ttl;
  if (ttl !== undefined && ttl.min > ttl.max)
    faults.at(
      source,
      ["health", "ttl", "max"],
      `the longest TTL, ${ttl.max}, is below the shortest, ${ttl.min}`,
    );
  return ttl;
}

function healthCheckOf(
  probe: string | undefined,
  { everySeconds = 10, timeoutSeconds = 2, up = 2, down = 3, verifyCertificate = true }: HealthSettings = {},
): HealthCheck | undefined {
  const target = probe === undefined ? undefined : parseProbeTarget(probe);
  if (target === undefined || typeof target === "string") return undefined; // the schema has told
  const [everyMilliseconds, timeoutMilliseconds] = [everySeconds * 1000, timeoutSeconds * 1000];
  return { target, everyMilliseconds, timeoutMilliseconds, up, down, verifyCertificate };
}

type HealthSettings = NonNullable<CloudInForce["health"]>;

export function markOf({
  inferred,
  invented,
}: {
  readonly inferred?: boolean | undefined;
  readonly invented?: boolean | undefined;
}): Mark | undefined {
  if (invented) return "invented";
  return inferred ? "inferred" : undefined;
}

function buildServices(draft: CloudDraft, faults: Faults): readonly Service[] {
  const { source, document, datacenters } = draft;
  const sliceOwners = new Map<number, string>();
  const anycastOwners = new Map<number, string>();
  return Object.entries(document.services).flatMap(([name, entry]) => {
    const path = ["services", name];
    const candidates = findCandidates({ source, value: document }, path, entry, datacenters, faults);
    if (entry.published !== undefined && entry.addresses === undefined)
      faults.atKey(source, [...path, "published"], "the service gives no addresses, so none are published");
    let end: ChainEndAddresses | undefined;
    if (entry.addresses !== undefined) {
      const { slice } = entry.addresses;
      const owners = entry.addresses.anycast ? anycastOwners : sliceOwners;
      const owner = owners.get(slice);
      if (owner !== undefined) {
        faults.at(
          source,
          [...path, "addresses", "slice"],
          `slice ${slice} belongs to service "${owner}" already`,
        );
      }
      owners.set(slice, name);
      end = buildAddresses(
        draft,
        path,
        { ...entry.addresses, published: entry.published, candidates },
        faults,
      );
    }
    const chain = buildChain(source, path, entry, end, faults);
    if (chain === undefined) return [];
    const service: Service = {
      name,
      cloud: document.cloud,
      era: entry.era,
      policy: entry.policy,
      ...chain,
      candidates,
      nearness: byDistance,
      spread: undefined,
      whenAllDown: entry.whenAllDown ?? "nearest",
      hasSecondHop: entry.secondHop ?? false,
      workload: entry.workload,
    };
    return [service];
  });
}

function findCandidates(
  cloud: Checked<CloudInForce>,
  path: ValuePath,
  entry: CloudEntries<"services">,
  datacenters: readonly Datacenter[],
  faults: Faults,
): readonly Datacenter[] {
  const { source } = cloud;
  const role = entry.policy === "nearest-datacenter" ? "front-end" : "tenants";
  const eligible = datacenters.filter((datacenter) => datacenter.roles.has(role));
  if (entry.datacenters === undefined) {
    if (eligible.length === 0 && !lacksDatacenters(cloud))
      faults.atKey(source, path, `no datacenter of the cloud has the role ${role}`);
    return eligible;
  }
  return entry.datacenters.flatMap((shortId, i) => {
    const found = eligible.find((datacenter) => datacenter.shortId === shortId);
    if (found !== undefined) return [found];
    if (isLost(cloud, shortId)) return [];
    const ids = eligible.map((datacenter) => datacenter.shortId);
    const words = `"${cutFound(shortId)}" is no datacenter of the cloud with the role ${role}${suggest(shortId, ids)}`;
    faults.at(source, [...path, "datacenters", i], words);
    return [];
  });
}

/** Whether a datacenter is written in a cloud's document, but with a fault that left it out. */
export function isLost({ source, value }: Checked<CloudInForce>, shortId: string): boolean {
  if (shortId in value.datacenters) return false;
  return source.doubledKeys.has("datacenters") || shortId in writtenDatacenters(source.value);
}

/** Whether a fault left out a datacenter of a cloud. */
export function lacksDatacenters({ source, value }: Checked<CloudInForce>): boolean {
  const written = Object.keys(writtenDatacenters(source.value)).length;
  return source.doubledKeys.has("datacenters") || written > Object.keys(value.datacenters).length;
}

const writtenDatacenters = (document: unknown): object => writtenMap(document, "datacenters");

/** Whether a key stands in a document, with a fault or without. */
const hasWritten = (document: unknown, mapKey: string, key: string): boolean =>
  key in writtenMap(document, mapKey);

function writtenMap(document: unknown, key: string): object {
  const map: unknown =
    typeof document === "object" && document !== null ? Reflect.get(document, key) : undefined;
  return typeof map === "object" && map !== null ? map : {};
}

/** The links of a service and what ends them; undefined where an error makes them useless. */
function buildChain(
  source: YamlDocument,
  path: ValuePath,
  entry: CloudEntries<"services">,
  end: ChainEndAddresses | undefined,
  faults: Faults,
): Pick<Service, "links" | "end"> | undefined {
  const chain = entry.chain ?? [];
  const steps = entry.addresses === undefined ? chain.slice(0, -1) : chain;
  const links: Link[] = [{ owners: entry.names.map(template), ttlSeconds: entry.ttl }];
  for (const [i, step] of steps.entries()) {
    if (step.ttl === undefined) {
      faults.at(
        source,
        [...path, "chain", i],
        `"ttl" is missing here: the TTL of the records at ${step.name}`,
      );
      return undefined;
    }
    links.push({ owners: [template(step.name)], ttlSeconds: step.ttl, mark: markOf(step) });
  }
  if (end !== undefined) return { links, end };
  const last = chain.at(-1);
  if (last === undefined) {
    faults.atKey(source, path, "the service has neither addresses nor a chain, so its names would be empty");
    return undefined;
  }
  if (last.ttl !== undefined) {
    const words =
      "the chain ends at a name of another service, which sets the TTL; leave ttl out or add addresses";
    faults.atKey(source, [...path, "chain", chain.length - 1, "ttl"], words);
  }
  return { links, end: { kind: "alias", target: template(last.name) } };
}

/** A template that the schema has accepted. */
function template(text: string): NameTemplate {
  const parsed = parseNameTemplate(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}
