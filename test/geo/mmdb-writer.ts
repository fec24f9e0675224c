/** Writes small MaxMind DB files, so that no test needs a real GeoIP database. */

import { addressBits, type IpPrefix } from "../../src/ip.ts";
import { prefix } from "./prefixes.ts";

/** A value of the data section; an integer becomes a uint32, any other number a double. */
export type MmdbValue = string | number | readonly MmdbValue[] | { readonly [key: string]: MmdbValue };

export interface MmdbOptions {
  readonly ipVersion?: 4 | 6;
  readonly recordSize?: 24 | 28 | 32;
  /** Lets ::ffff:0:0/96 and 2002::/16 lead to the IPv4 tree, as MaxMind's own files do. */
  readonly aliases?: boolean;
  readonly buildDate?: Date;
  /** Written to the metadata in place of the true ones. */
  readonly metadata?: {
    readonly nodeCount?: number;
    readonly ipVersion?: number;
    readonly formatVersion?: number;
  };
}

/** The file that maps each prefix to its data; a longer prefix carves out of a shorter one. */
export function writeMmdb(
  entries: { readonly [prefix: string]: MmdbValue },
  options: MmdbOptions = {},
): Buffer {
  const { ipVersion = 6, recordSize = 24, aliases = false, metadata = {} } = options;
  const { buildDate = new Date("2026-01-02") } = options;
  const root: Node = { records: [undefined, undefined] };
  const data: Buffer[] = [];
  let dataSize = 0;
  const parsed = Object.entries(entries).map(([text, value]) => ({ prefix: prefix(text), value }));
  for (const { prefix, value } of parsed.sort((a, b) => a.prefix.length - b.prefix.length)) {
    const encoded = encode(value);
    insert(root, pathOf(prefix, ipVersion), { offset: dataSize });
    data.push(encoded);
    dataSize += encoded.length;
  }
  if (aliases) {
    const ipv4 = recordAt(root, "0".repeat(96));
    insert(root, pathOf(prefix("::ffff:0:0/96"), 6), ipv4);
    insert(root, pathOf(prefix("2002::/16"), 6), ipv4);
  }
  const nodes = numberNodes(root);
  const tree = Buffer.concat([...nodes.keys()].map((node) => encodeNode(node, nodes, recordSize)));
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"),
    control(7, 9),
    ...[encode("binary_format_major_version"), uint(5, 2, metadata.formatVersion ?? 2)],
    ...[encode("binary_format_minor_version"), uint(5, 2, 0)],
    ...[encode("build_epoch"), uint(9, 8, buildDate.getTime() / 1000)],
    ...[encode("database_type"), encode("Test")],
    ...[encode("description"), encode({ en: "made by a test" })],
    // libmaxminddb, and so mmdblookup, takes these two as uint16 alone.
    ...[encode("ip_version"), uint(5, 2, metadata.ipVersion ?? ipVersion)],
    ...[encode("record_size"), uint(5, 2, recordSize)],
    ...[encode("languages"), encode(["en"])],
    ...[encode("node_count"), uint(6, 4, metadata.nodeCount ?? nodes.size)],
  ]);
}

interface Node {
  readonly records: [TreeRecord, TreeRecord];
}

type TreeRecord = Node | { readonly offset: number } | undefined;

/** The bits of a prefix as 0 and 1; IPv4 lies at ::/96 of an IPv6 tree. */
function pathOf({ family, octets, length }: IpPrefix, ipVersion: 4 | 6): string {
  const bits = [...octets].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const path = bits.slice(0, length);
  if (family === 6 && ipVersion === 4) throw new Error("no IPv6 prefixes in an IPv4 tree");
  return family < ipVersion ? "0".repeat(addressBits(6) - addressBits(4)) + path : path;
}

function insert(root: Node, path: string, record: TreeRecord): void {
  let node = root;
  for (const bit of path.slice(0, -1)) {
    const side = Number(bit) === 0 ? 0 : 1;
    const below = node.records[side];
    const next: Node = below !== undefined && "records" in below ? below : { records: [below, below] };
    node.records[side] = next;
    node = next;
  }
  node.records[path.endsWith("0") ? 0 : 1] = record;
}

function recordAt(root: Node, path: string): TreeRecord {
  let record: TreeRecord = root;
  for (const bit of path) {
    if (record !== undefined && "records" in record) record = record.records[bit === "0" ? 0 : 1];
  }
  return record;
}

function numberNodes(root: Node): ReadonlyMap<Node, number> {
  const numbers = new Map<Node, number>();
  visit(root);
  return numbers;

  function visit(record: TreeRecord): void {
    if (record === undefined || !("records" in record) || numbers.has(record)) return;
    numbers.set(record, numbers.size);
    for (const below of record.records) visit(below);
  }
}

function encodeNode(node: Node, numbers: ReadonlyMap<Node, number>, recordSize: 24 | 28 | 32): Buffer {
  const [left, right] = node.records.map((record) => {
    if (record === undefined) return BigInt(numbers.size);
    return BigInt("records" in record ? (numbers.get(record) ?? 0) : numbers.size + 16 + record.offset);
  });
  let bits = ((left ?? 0n) << BigInt(recordSize)) | (right ?? 0n);
  if (recordSize === 28) {
    // The high four bits of both records share the octet in the middle.
    const [l, r] = [left ?? 0n, right ?? 0n];
    bits = ((l & 0xffffffn) << 32n) | ((l >> 24n) << 28n) | ((r >> 24n) << 24n) | (r & 0xffffffn);
  }
  return Buffer.from(bits.toString(16).padStart(recordSize / 2, "0"), "hex");
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === "string") {
    const text = Buffer.from(value);
    return Buffer.concat([control(2, text.length), text]);
  }
  if (typeof value === "number") {
    if (Number.isInteger(value) && value >= 0) return uint(6, 4, value);
    const double = Buffer.alloc(8);
    double.writeDoubleBE(value);
    return Buffer.concat([control(3, 8), double]);
  }
  if (isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const fields = Object.entries(value);
  return Buffer.concat([
    control(7, fields.length),
    ...fields.flatMap(([key, item]) => [encode(key), encode(item)]),
  ]);
}

const isArray = (value: MmdbValue): value is readonly MmdbValue[] => Array.isArray(value);

/** A control octet, and the octet of an extended type; sizes stay below the 29 where a longer form begins. */
function control(type: number, size: number): Buffer {
  if (size >= 29) throw new Error("the test writer has no long sizes");
  return type <= 7 ? Buffer.of((type << 5) | size) : Buffer.of(size, type - 7);
}

function uint(type: number, size: number, value: number): Buffer {
  const hex = BigInt(value).toString(16);
  return Buffer.concat([control(type, size), Buffer.from(hex.padStart(size * 2, "0"), "hex")]);
}
