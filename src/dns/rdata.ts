/**
 * RDATA of the types known by name, from one table of fields; any other type is octets (RFC 3597). RDATA is held in
 * wire format with names uncompressed, their spelling kept.
 */

import { isMetaType, TYPE } from "./iana.ts";
import { foldCase } from "./name.ts";
import { type Word, WordReader } from "./presentation.ts";
import {
  algorithm,
  base64,
  base64OrHyphen,
  certificateAlgorithm,
  certificateType,
  compressibleName,
  date,
  digestType,
  dsyncScheme,
  eui,
  type Field,
  foldedName,
  followedName,
  hex,
  hostIdentity,
  ipsecGateway,
  ipv4,
  ipv6,
  joinOctets,
  keyFlags,
  keyProtocol,
  location,
  locator64,
  name,
  nextHashedOwner,
  nsapAddress,
  nsec3Hash,
  nxtBitmap,
  optionalBase64,
  optionalHex,
  optionalString,
  optionalTypeBitmap,
  prefixes,
  quotedText,
  relay,
  salt,
  services,
  string,
  strings,
  substitution,
  svcParams,
  tag,
  text,
  time,
  timestamp,
  type,
  typeBitmap,
  uint8,
  uint16,
  uint32,
  x25Address,
} from "./rdata-fields.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

const dsFields: readonly Field[] = [uint16, algorithm, digestType, hex];
const dnskeyFields: readonly Field[] = [keyFlags, keyProtocol, algorithm, base64];
const signatureFields = (moment: Field, signer: Field): readonly Field[] => [
  type,
  algorithm,
  uint8,
  uint32,
  moment,
  moment,
  uint16,
  signer,
  base64,
];

const fieldsOfType: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [TYPE.A, [ipv4]],
  [TYPE.NS, [compressibleName]],
  [TYPE.MD, [compressibleName]],
  [TYPE.MF, [compressibleName]],
  [TYPE.CNAME, [compressibleName]],
  [TYPE.SOA, [compressibleName, compressibleName, uint32, time, time, time, time]],
  [TYPE.MB, [compressibleName]],
  [TYPE.MG, [compressibleName]],
  [TYPE.MR, [compressibleName]],
  [TYPE.WKS, [services]],
  [TYPE.PTR, [compressibleName]],
  [TYPE.HINFO, [string, string]],
  [TYPE.MINFO, [compressibleName, compressibleName]],
  [TYPE.MX, [uint16, compressibleName]],
  [TYPE.TXT, [strings]],
  [TYPE.RP, [followedName, followedName]], // RFC 1183 §2.2
  [TYPE.AFSDB, [uint16, followedName]], // RFC 1183 §1
  [TYPE.X25, [x25Address]],
  [TYPE.ISDN, [string, optionalString]], // RFC 1183 §3.2
  [TYPE.RT, [uint16, followedName]], // RFC 1183 §3.3
  [TYPE.NSAP, [nsapAddress]],
  [TYPE["NSAP-PTR"], [name]],
  [TYPE.SIG, signatureFields(date, followedName)], // RFC 2535 §4.1
  [TYPE.KEY, [keyFlags, keyProtocol, algorithm, optionalBase64]], // RFC 2535 §3.1
  [TYPE.PX, [uint16, followedName, followedName]], // RFC 2163 §4
  [TYPE.GPOS, [string, string, string]], // RFC 1712 §3
  [TYPE.AAAA, [ipv6]],
  [TYPE.LOC, [location]],
  [TYPE.NXT, [followedName, nxtBitmap]],
  [TYPE.EID, [hex]],
  [TYPE.NIMLOC, [hex]],
  [TYPE.SRV, [uint16, uint16, uint16, followedName]], // RFC 2782
  [TYPE.NAPTR, [uint16, uint16, string, string, substitution, followedName]], // RFC 3403 §4.1
  [TYPE.KX, [uint16, foldedName]], // RFC 2230 §3.1
  [TYPE.CERT, [certificateType, uint16, certificateAlgorithm, base64]], // RFC 4398 §2
  [TYPE.DNAME, [foldedName]], // RFC 6672 §2.5: not compressed
  [TYPE.SINK, [uint8, uint8, uint8, optionalBase64]],
  [TYPE.APL, [prefixes]],
  [TYPE.DS, dsFields], // RFC 4034 §5.1
  [TYPE.SSHFP, [uint8, uint8, optionalHex]], // RFC 4255 §3.1
  [TYPE.IPSECKEY, [uint8, ipsecGateway, base64]],
  [TYPE.RRSIG, signatureFields(timestamp, foldedName)], // RFC 4034 §3.1
  [TYPE.NSEC, [name, typeBitmap]], // RFC 4034 §4.1
  [TYPE.DNSKEY, dnskeyFields], // RFC 4034 §2.1
  [TYPE.DHCID, [base64]], // RFC 4701 §3.1
  [TYPE.NSEC3, [nsec3Hash, uint8, uint16, salt, nextHashedOwner, optionalTypeBitmap]], // RFC 5155 §3.2
  [TYPE.NSEC3PARAM, [nsec3Hash, uint8, uint16, salt]], // RFC 5155 §4.2
  [TYPE.TLSA, [uint8, uint8, uint8, hex]], // RFC 6698 §2.1
  [TYPE.SMIMEA, [uint8, uint8, uint8, hex]], // RFC 8162 §2
  [TYPE.HIP, [hostIdentity]],
  [TYPE.NINFO, [strings]],
  [TYPE.RKEY, dnskeyFields],
  [TYPE.TALINK, [name, name]],
  [TYPE.CDS, dsFields], // RFC 7344 §3.1
  [TYPE.CDNSKEY, dnskeyFields], // RFC 7344 §3.2
  [TYPE.OPENPGPKEY, [base64]], // RFC 7929 §2.1
  [TYPE.CSYNC, [uint32, uint16, optionalTypeBitmap]], // RFC 7477 §2.1
  [TYPE.ZONEMD, [uint32, uint8, uint8, hex]], // RFC 8976 §2.2
  [TYPE.SVCB, [uint16, name, svcParams]], // RFC 9460 §2.2
  [TYPE.HTTPS, [uint16, name, svcParams]],
  [TYPE.DSYNC, [type, dsyncScheme, uint16, name]], // RFC 9859 §2.1
  [TYPE.HHIT, [base64]],
  [TYPE.BRID, [base64]],
  [TYPE.SPF, [strings]], // RFC 7208 §3.1
  [TYPE.NID, [uint16, locator64]], // RFC 6742 §2.1
  [TYPE.L32, [uint16, ipv4]],
  [TYPE.L64, [uint16, locator64]],
  [TYPE.LP, [uint16, name]],
  [TYPE.EUI48, [eui(6)]],
  [TYPE.EUI64, [eui(8)]],
  [TYPE.URI, [uint16, uint16, quotedText]], // RFC 7553 §4.5
  [TYPE.CAA, [uint8, tag, text]], // RFC 8659 §4.1
  [TYPE.AVC, [strings]],
  [TYPE.DOA, [uint32, uint32, uint8, string, base64OrHyphen]],
  [TYPE.AMTRELAY, [uint8, relay]],
  [TYPE.RESINFO, [strings]], // RFC 9606 §3
  [TYPE.WALLET, [strings]],
  [TYPE.TA, dsFields],
  [TYPE.DLV, dsFields],
]);

/** What one field asks of another: a sentence where octets that are right one by one are wrong together. */
const checksOfType: ReadonlyMap<number, (rdata: Uint8Array) => string | undefined> = new Map([
  [TYPE.KEY, checkKey],
  [TYPE.DNSKEY, checkPrivateKey],
  [TYPE.CDNSKEY, checkPrivateKey],
  [TYPE.RKEY, checkRkey],
  [TYPE.DS, checkDigest],
  [TYPE.CDS, checkDigest],
  [TYPE.TA, checkDigest],
  [TYPE.DLV, checkDigest],
  [TYPE.SSHFP, checkFingerprint],
  [TYPE.ZONEMD, checkZoneDigest],
  [TYPE.RRSIG, checkSignature],
  [TYPE.NSEC3, checkNextHashedOwner],
  [TYPE.CAA, checkTag],
]);

/** RFC 2535 §3.1.2: a record that says there is no key has none. */
function checkKey(rdata: Uint8Array): string | undefined {
  const hasNoKey = ((rdata[0] ?? 0) & 0xc0) === 0xc0;
  if (hasNoKey && rdata.length > 4) return "flags say that there is no key, and one follows";
  if (!hasNoKey && rdata.length === 4) return "the key is missing";
  return checkPrivateKey(rdata);
}

/** RFC 4034 Appendix A.1.1: a key of algorithm 253 begins with the name that tells the algorithm. */
function checkPrivateKey(rdata: Uint8Array): string | undefined {
  if (rdata[3] !== 253 || rdata.length === 4) return undefined;
  try {
    name.read(new WireReader(rdata, 4));
    return undefined;
  } catch (error) {
    if (error instanceof Malformed) return "a key of algorithm 253 begins with a name";
    throw error;
  }
}

function checkRkey(rdata: Uint8Array): string | undefined {
  if (rdata[0] !== 0 || rdata[1] !== 0) return "the flags of an RKEY are 0";
  return checkPrivateKey(rdata);
}

/** RFC 3658 §2.4, RFC 4509 §2.1, RFC 6605 §2 */
const digestOctets: ReadonlyMap<number, number> = new Map([
  [1, 20],
  [2, 32],
  [4, 48],
]);

function checkDigest(rdata: Uint8Array): string | undefined {
  return checkLength("digest", digestOctets.get(rdata[3] ?? 0), rdata.length - 4);
}

/** RFC 4255 §3.1.3, RFC 6594 §4 */
const fingerprintOctets: ReadonlyMap<number, number> = new Map([
  [1, 20],
  [2, 32],
]);

function checkFingerprint(rdata: Uint8Array): string | undefined {
  return checkLength("fingerprint", fingerprintOctets.get(rdata[1] ?? 0), rdata.length - 2);
}

/** RFC 8976 §5.3 */
const zoneDigestOctets: ReadonlyMap<number, number> = new Map([
  [1, 48],
  [2, 64],
]);

/** RFC 8976 §2.2.4: whatever the hash algorithm, no digest is shorter than 12 octets. */
function checkZoneDigest(rdata: Uint8Array): string | undefined {
  const length = rdata.length - 6;
  if (length < 12) return `the digest has ${length} octets and 12 are the least`;
  return checkLength("digest", zoneDigestOctets.get(rdata[5] ?? 0), length);
}

/** RFC 4034 §3.1.3: the signer is at or above the owner, whose labels are counted without a wildcard's. */
function checkSignature(rdata: Uint8Array): string | undefined {
  let count = 0;
  for (let at = 18; (rdata[at] ?? 0) !== 0; at += 1 + (rdata[at] ?? 0)) count++;
  return count > (rdata[3] ?? 0)
    ? `the signer has ${count} labels, more than the owner that was signed`
    : undefined;
}

/** RFC 5155 §11: hash algorithm 1 is SHA-1. */
function checkNextHashedOwner(rdata: Uint8Array): string | undefined {
  return rdata[0] === 1
    ? checkLength("next hashed owner name", 20, rdata[5 + (rdata[4] ?? 0)] ?? 0)
    : undefined;
}

/** RFC 8659 §4.1 */
function checkTag(rdata: Uint8Array): string | undefined {
  const characters = Buffer.from(rdata.subarray(2, 2 + (rdata[1] ?? 0))).toString("latin1");
  return /^[0-9a-z]+$/i.test(characters) ? undefined : "its property tag is not of letters and digits";
}

function checkLength(what: string, expected: number | undefined, found: number): string | undefined {
  return expected === undefined || expected === found
    ? undefined
    : `the ${what} has ${found} octets where its algorithm makes ${expected}`;
}

/** RDLENGTH has 16 bits (RFC 1035 §3.2.1). */
const MAX_RDATA_OCTETS = 0xffff;

/** A stretch of RDATA: a name that may be compressed, or octets to copy. */
export interface RdataPart {
  readonly compressible: boolean;
  readonly octets: Uint8Array;
}

/** Cuts RDATA where names stand that may be compressed. */
export function rdataParts(type: number, rdata: Uint8Array): readonly RdataPart[] {
  const fields = fieldsOfType.get(type);
  if (!fields?.some((field) => field.compressible)) return [{ compressible: false, octets: rdata }];
  const reader = new WireReader(rdata);
  return fields.map((field) => ({ compressible: field.compressible === true, octets: field.read(reader) }));
}

/**
 * Reads the RDATA that `reader` spans and returns it with its names uncompressed. Pointers are followed in the types that
 * RFC 3597 §4 lists for receivers, and refused in others.
 */
export function readRdata(type: number, reader: WireReader): Uint8Array {
  const fields = fieldsOfType.get(type);
  if (fields === undefined) return reader.take(reader.remaining);
  const parts = fields.map((field) => field.read(reader));
  if (reader.remaining > 0) throw new Malformed("RDATA is longer than its type allows");
  // A copy, so that a record kept does not keep its message.
  const rdata = new Uint8Array(joinOctets(parts));
  const sentence = checksOfType.get(type)?.(rdata);
  if (sentence !== undefined) throw new Malformed(sentence);
  return rdata;
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

/**
 * RDATA with its names in lower case where their case does not count (RFC 4034 §6.2, RFC 6840 §5.1): what is equal for
 * two records that are.
 */
export function foldRdata(type: number, rdata: Uint8Array): Uint8Array {
  const fields = fieldsOfType.get(type);
  if (!fields?.some((field) => field.folded)) return rdata;
  const reader = new WireReader(rdata);
  return joinOctets(
    fields.map((field) => {
      const octets = field.read(reader);
      return field.folded ? foldCase(octets) : octets;
    }),
  );
}

/**
 * Prints RDATA in presentation format; as `\# <length> <hex>` (RFC 3597 §5) for types without fields here and where text
 * would not read back as the same octets.
 */
export function formatRdata(type: number, rdata: Uint8Array): string {
  const fields = fieldsOfType.get(type);
  // Records of an UPDATE come without RDATA in known types too (RFC 2136 §2.4).
  if (fields === undefined || rdata.length === 0) return formatGeneric(rdata);
  const reader = new WireReader(rdata);
  const texts: string[] = [];
  for (const field of fields) {
    const text = field.format(field.read(reader));
    if (text === undefined) return formatGeneric(rdata);
    if (text !== "") texts.push(text);
  }
  return texts.join(" ");
}

const formatGeneric = (rdata: Uint8Array): string =>
  rdata.length === 0 ? "\\# 0" : `\\# ${rdata.length} ${Buffer.from(rdata).toString("hex")}`;

/**
 * Parses RDATA in presentation format, relative names below `origin`. `\# <length> <hex>` does for every type
 * (RFC 3597 §5). Returns a sentence saying what is wrong where it cannot be read.
 */
export function parseRdata(type: number, words: readonly Word[], origin: Uint8Array): Uint8Array | string {
  if (isMetaType(type)) return "no zone holds records of this type";
  const generic = words[0]?.text === "\\#" && !words[0].quoted;
  const rdata = generic ? parseGeneric(type, words.slice(1)) : parseFields(type, words, origin);
  if (typeof rdata !== "string" && rdata.length > MAX_RDATA_OCTETS) return "RDATA is over 65535 octets";
  return rdata;
}

function parseFields(type: number, words: readonly Word[], origin: Uint8Array): Uint8Array | string {
  const fields = fieldsOfType.get(type);
  if (fields === undefined) return "this type must be written as \\# LENGTH HEX (RFC 3597)";
  const reader = new WordReader(words, origin);
  const parts: Uint8Array[] = [];
  for (const field of fields) {
    const before = reader.remaining;
    if (before === 0 && !field.optional) {
      const needed = fields.reduce((sum, { optional, wordCount = 1 }) => sum + (optional ? 0 : wordCount), 0);
      return `there are ${words.length} fields where ${needed} are needed`;
    }
    const parsed = field.parse(reader);
    if (typeof parsed === "string") return parsed;
    parts.push(parsed);
    if (field.quotable) continue;
    for (let at = words.length - before; at < words.length - reader.remaining; at++) {
      if (words[at]?.quoted) return `"${words[at]?.text}" must not stand in quotes`;
    }
  }
  const extra = reader.peek();
  if (extra !== undefined) return `"${extra.text}" is one field too many`;
  const rdata = joinOctets(parts);
  return checksOfType.get(type)?.(rdata) ?? rdata;
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
