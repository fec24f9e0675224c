/**
 * RDATA of the types known by name, from one table of fields; any other type is octets (RFC 3597). RDATA is held in
 * wire format with names uncompressed, their spelling kept.
 */

import { formatAddress, parseAddress } from "../ip.ts";
import { TYPE } from "./iana.ts";
import { foldCase, formatName, parseName } from "./name.ts";
import { formatCharacters, parseCharacters, type Word } from "./presentation.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

type Field = "uint8" | "uint16" | "uint32" | "ipv4" | "ipv6" | "name" | "string" | "strings" | "tag" | "text";

const fieldsOfType: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [TYPE.A, ["ipv4"]],
  [TYPE.NS, ["name"]],
  [TYPE.CNAME, ["name"]],
  [TYPE.SOA, ["name", "name", "uint32", "uint32", "uint32", "uint32", "uint32"]],
  [TYPE.PTR, ["name"]],
  [TYPE.MX, ["uint16", "name"]],
  [TYPE.TXT, ["strings"]],
  [TYPE.AAAA, ["ipv6"]],
  [TYPE.SRV, ["uint16", "uint16", "uint16", "name"]], // RFC 2782
  [TYPE.DNAME, ["name"]], // RFC 6672 §2.5: not compressed
  [TYPE.CAA, ["uint8", "tag", "text"]], // RFC 8659 §4.1
]);

/** RDLENGTH has 16 bits (RFC 1035 §3.2.1). */
const MAX_RDATA_OCTETS = 0xffff;

/** Only names in the types of RFC 1035 may be compressed (RFC 3597 §4). */
const typesWithCompressedNames: ReadonlySet<number> = new Set([
  TYPE.NS,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.PTR,
  TYPE.MX,
]);

/** A stretch of RDATA: a name that may be compressed, or octets to copy. */
export interface RdataPart {
  readonly compressible: boolean;
  readonly octets: Uint8Array;
}

/** Cuts RDATA where names stand that may be compressed. */
export function rdataParts(type: number, rdata: Uint8Array): readonly RdataPart[] {
  if (!typesWithCompressedNames.has(type)) return [{ compressible: false, octets: rdata }];
  const reader = new WireReader(rdata);
  return (fieldsOfType.get(type) ?? []).map((field) => ({
    compressible: field === "name",
    octets: readField(reader, field),
  }));
}

/**
 * Reads the RDATA that `reader` spans and returns it with its names uncompressed. Names are followed only in the types
 * of RFC 1035 and in SRV, which some senders compress although RFC 2782 forbids it.
 */
export function readRdata(type: number, reader: WireReader): Uint8Array {
  const fields = fieldsOfType.get(type);
  if (fields === undefined) return reader.take(reader.remaining);
  const octets: number[] = [];
  for (const field of fields) octets.push(...readField(reader, field));
  if (reader.remaining > 0) throw new Malformed("RDATA is longer than its type allows");
  return Uint8Array.from(octets);
}

/** Whether octets with names uncompressed are RDATA of a type; of a type without fields here any are. */
export function isRdataOf(type: number, rdata: Uint8Array): boolean {
  try {
    readRdata(type, new WireReader(rdata));
    return true;
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

function readField(reader: WireReader, field: Field): Uint8Array {
  switch (field) {
    case "uint8":
      return reader.take(1);
    case "uint16":
      return reader.take(2);
    case "uint32":
    case "ipv4":
      return reader.take(4);
    case "ipv6":
      return reader.take(16);
    case "name":
      return reader.name();
    case "string":
    case "tag":
      return readString(reader);
    case "strings": {
      const start = reader.offset;
      do readString(reader);
      while (reader.remaining > 0);
      return reader.octets.subarray(start, reader.offset);
    }
    case "text":
      return reader.take(reader.remaining);
  }
}

/** A character string with its length octet (RFC 1035 §3.3). */
function readString(reader: WireReader): Uint8Array {
  const start = reader.offset;
  reader.take(reader.uint8());
  return reader.octets.subarray(start, reader.offset);
}

/** RDATA with its names in lower case: what is equal when names are compared without case (RFC 4343 §3). */
export function foldRdata(type: number, rdata: Uint8Array): Uint8Array {
  const fields = fieldsOfType.get(type);
  if (fields === undefined || !fields.includes("name")) return rdata;
  const reader = new WireReader(rdata);
  const folded: number[] = [];
  for (const field of fields) {
    const octets = readField(reader, field);
    folded.push(...(field === "name" ? foldCase(octets) : octets));
  }
  return Uint8Array.from(folded);
}

/** Prints RDATA in presentation format; types without fields here as `\# <length> <hex>` (RFC 3597 §5). */
export function formatRdata(type: number, rdata: Uint8Array): string {
  const fields = fieldsOfType.get(type);
  // Records of an UPDATE come without RDATA in known types too (RFC 2136 §2.4).
  if (fields === undefined || rdata.length === 0) {
    return rdata.length === 0 ? "\\# 0" : `\\# ${rdata.length} ${Buffer.from(rdata).toString("hex")}`;
  }
  const reader = new WireReader(rdata);
  return fields.map((field) => formatField(field, readField(reader, field))).join(" ");
}

function formatField(field: Field, octets: Uint8Array): string {
  switch (field) {
    case "uint8":
    case "uint16":
    case "uint32":
      return String(octets.reduce((sum, octet) => sum * 256 + octet, 0));
    case "ipv4":
    case "ipv6":
      return formatAddress(octets);
    case "name":
      return formatName(octets);
    case "tag":
      return formatTag(octets.subarray(1));
    case "string":
      return formatCharacters(octets.subarray(1));
    case "strings": {
      const reader = new WireReader(octets);
      const strings: string[] = [];
      while (reader.remaining > 0) strings.push(formatCharacters(reader.take(reader.uint8())));
      return strings.join(" ");
    }
    case "text":
      return formatCharacters(octets);
  }
}

/** A tag is letters and digits (RFC 8659 §4.1), but over the wire anything may come, and terminals obey some of it. */
function formatTag(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString("latin1")
    .replace(/[^!-~]/g, (character) => `\\${String(character.charCodeAt(0)).padStart(3, "0")}`);
}

/**
 * Parses RDATA in presentation format, relative names below `origin`. `\# <length> <hex>` does for every type
 * (RFC 3597 §5). Returns a sentence saying what is wrong where it cannot be read.
 */
export function parseRdata(type: number, words: readonly Word[], origin: Uint8Array): Uint8Array | string {
  const generic = words[0]?.text === "\\#" && !words[0].quoted;
  const rdata = generic ? parseGeneric(type, words.slice(1)) : parseFields(type, words, origin);
  if (typeof rdata !== "string" && rdata.length > MAX_RDATA_OCTETS) return "RDATA is over 65535 octets";
  return rdata;
}

function parseFields(type: number, words: readonly Word[], origin: Uint8Array): Uint8Array | string {
  const fields = fieldsOfType.get(type);
  if (fields === undefined) return "this type must be written as \\# LENGTH HEX (RFC 3597)";
  const octets: number[] = [];
  let at = 0;
  for (const field of fields) {
    const last = field === "strings" ? words.length : at + 1;
    const fieldWords = words.slice(at, Math.max(last, at + 1));
    if (fieldWords.length === 0) return `there are ${words.length} fields where ${fields.length} are needed`;
    for (const word of fieldWords) {
      const parsed = parseField(field, word, origin);
      if (typeof parsed === "string") return parsed;
      octets.push(...parsed);
    }
    at += fieldWords.length;
  }
  if (at < words.length) return `"${words[at]?.text}" is one field too many`;
  return Uint8Array.from(octets);
}

function parseField(field: Field, { text }: Word, origin: Uint8Array): Uint8Array | string {
  switch (field) {
    case "uint8":
      return parseInteger(text, 1);
    case "uint16":
      return parseInteger(text, 2);
    case "uint32":
      return parseInteger(text, 4);
    case "ipv4":
    case "ipv6": {
      const family = field === "ipv4" ? 4 : 6;
      const address = parseAddress(text);
      return address?.family === family ? address.octets : `"${text}" is not an IPv${family} address`;
    }
    case "name":
      return parseName(text, origin);
    case "tag":
      return /^[0-9a-z]{1,255}$/i.test(text)
        ? Uint8Array.from([text.length, ...Buffer.from(text)])
        : `"${text}" is not a property tag of letters and digits`;
    case "string":
    case "strings": {
      const characters = parseCharacters(text);
      if (typeof characters === "string") return characters;
      if (characters.length > 255)
        return "a character string is over 255 octets; cut it into several in quotes";
      return Uint8Array.from([characters.length, ...characters]);
    }
    case "text":
      return parseCharacters(text);
  }
}

function parseInteger(text: string, octetCount: number): Uint8Array | string {
  const limit = 256 ** octetCount;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number < limit)) return `"${text}" is not a whole number from 0 to ${limit - 1}`;
  return Uint8Array.from({ length: octetCount }, (_, i) => (number / 256 ** (octetCount - 1 - i)) & 0xff);
}

function parseGeneric(type: number, words: readonly Word[]): Uint8Array | string {
  const [lengthWord, ...hexWords] = words.map((word) => word.text);
  const hex = hexWords.join("");
  if (!/^\d{1,5}$/.test(lengthWord ?? "") || !/^([0-9a-f]{2})*$/i.test(hex))
    return "\\# needs a length and hex digits";
  const octets = Uint8Array.from(Buffer.from(hex, "hex"));
  if (octets.length !== Number(lengthWord))
    return `\\# says ${lengthWord} octets and ${octets.length} follow`;
  try {
    const rdata = readRdata(type, new WireReader(octets));
    // Reading shortens or lengthens it only where a name in it ends in a pointer.
    return rdata.length === octets.length
      ? rdata
      : "these octets are no RDATA of the type: a name in it is compressed";
  } catch (error) {
    if (error instanceof Malformed) return `these octets are no RDATA of the type: ${error.message}`;
    throw error;
  }
}
