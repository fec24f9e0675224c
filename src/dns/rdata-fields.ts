/** The fields that RDATA is made of: each parsed from words, read from octets and printed. */

import { formatAddress, parseAddress } from "../ip.ts";
import { formatApl, parseApl, readApl } from "./apl.ts";
import { formatType, parseType } from "./iana.ts";
import { formatLoc, parseLoc, readLoc } from "./loc.ts";
import { formatName, parseName } from "./name.ts";
import { isSubstitution } from "./naptr-regexp.ts";
import {
  formatCharacters,
  parseCharacters,
  parseDecimal,
  parseTtl,
  type Word,
  type WordReader,
} from "./presentation.ts";
import { formatSvcParams, parseSvcParams, readSvcParams } from "./svc-params.ts";
import {
  formatBase32Hex,
  formatBase64,
  formatHex,
  parseBase32Hex,
  parseBase64,
  parseHex,
} from "./text-encodings.ts";
import {
  formatNxtBitmap,
  formatTypeBitmap,
  parseNxtBitmap,
  parseTypeBitmap,
  readNxtBitmap,
  readTypeBitmap,
} from "./type-bitmap.ts";
import { Malformed, WireReader } from "./wire-reader.ts";
import { formatWks, parseWks, readWks } from "./wks.ts";

export interface Field {
  /** The octets that the next words stand for; a sentence where they are wrong. */
  readonly parse: (words: WordReader) => Uint8Array | string;
  /** The field's octets, names uncompressed; throws Malformed. */
  readonly read: (reader: WireReader) => Uint8Array;
  /** Undefined where the octets have no text that reads back as them. */
  readonly format: (octets: Uint8Array) => string | undefined;
  /** Words may stand in quotes. */
  readonly quotable?: true;
  /** How many words it takes, where that is fixed and not one. */
  readonly wordCount?: number;
  /** No word is needed. */
  readonly optional?: true;
  /** A name that may be compressed on sending (RFC 3597 §4). */
  readonly compressible?: true;
  /** A name whose case does not count in comparing (RFC 4034 §6.2). */
  readonly folded?: true;
}

export const uint8 = integer(1);
export const uint16 = integer(2);
export const uint32 = integer(4);

function integer(octetCount: number): Field {
  return {
    parse: (words) => {
      const text = words.next();
      const number = parseDecimal(text, 256 ** octetCount - 1);
      return number === undefined
        ? `"${text}" is not a whole number from 0 to ${256 ** octetCount - 1}`
        : integerOctets(number, octetCount);
    },
    read: (reader) => reader.take(octetCount),
    format: (octets) => String(numberOf(octets)),
  };
}

function integerOctets(number: number, octetCount: number): Uint8Array {
  const octets = new Uint8Array(octetCount);
  for (let at = octetCount, rest = number; at > 0; rest = Math.floor(rest / 256)) octets[--at] = rest & 0xff;
  return octets;
}

const numberOf = (octets: Uint8Array): number => octets.reduce((sum, octet) => sum * 256 + octet, 0);

/** Seconds in 32 bits, units allowed: the timers of SOA. */
export const time: Field = {
  ...uint32,
  parse: (words) => {
    const text = words.next();
    const seconds = parseTtl(text, 0xffffffff);
    return seconds === undefined
      ? `"${text}" is not a whole number from 0 to 4294967295 or a time like 1h30m`
      : integerOctets(seconds, 4);
  },
};

/** A number that may be written by name. */
function mnemonic(
  octetCount: number,
  what: string,
  numbers: Readonly<Record<string, number>>,
  names: ReadonlyMap<number, string> = new Map(),
): Field {
  const byName = new Map(Object.entries(numbers));
  return {
    ...integer(octetCount),
    parse: (words) => {
      const text = words.next();
      const number = byName.get(text.toUpperCase()) ?? parseDecimal(text, 256 ** octetCount - 1);
      return number === undefined
        ? `"${text}" is not ${what} or a number from 0 to ${256 ** octetCount - 1}`
        : integerOctets(number, octetCount);
    },
    format: (octets) => names.get(numberOf(octets)) ?? String(numberOf(octets)),
  };
}

const namesOf = (numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(numbers).map(([name, number]) => [number, name]));

/** DNSSEC algorithms by the names that BIND reads (RFC 8624 §3.1, RFC 4034 Appendix A.1). */
const ALGORITHM = {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  NSEC3DSA: 6,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
};
const SHORT_ALGORITHM = { ...ALGORITHM, ECDSA256: 13, ECDSA384: 14 };
export const algorithm = mnemonic(1, "an algorithm", SHORT_ALGORITHM);
/** RFC 4398 §2.2: printed by name there alone. */
export const certificateAlgorithm = mnemonic(1, "an algorithm", SHORT_ALGORITHM, namesOf(ALGORITHM));

/** RFC 4398 §2.1 */
const CERTIFICATE_TYPE = {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
};
export const certificateType = mnemonic(2, "a certificate type", CERTIFICATE_TYPE, namesOf(CERTIFICATE_TYPE));

export const digestType = mnemonic(1, "a digest type", {
  "SHA-1": 1,
  SHA1: 1,
  "SHA-256": 2,
  SHA256: 2,
  GOST: 3,
  "SHA-384": 4,
  SHA384: 4,
});
/** RFC 5155 §11 */
export const nsec3Hash = mnemonic(1, "a hash algorithm", { "SHA-1": 1 });
/** RFC 2535 §3.1.3 */
export const keyProtocol = mnemonic(1, "a protocol", {
  NONE: 0,
  TLS: 1,
  EMAIL: 2,
  DNSSEC: 3,
  IPSEC: 4,
  ALL: 255,
});
export const dsyncScheme = mnemonic(1, "a scheme", { NOTIFY: 1 }, new Map([[1, "NOTIFY"]]));

/** The flags of a key by the names of RFC 2535 §7.1, joined by bars. */
const keyFlagBits: ReadonlyMap<string, number> = new Map<string, number>([
  ["NOCONF", 0x4000],
  ["NOAUTH", 0x8000],
  ["NOKEY", 0xc000],
  ["FLAG2", 0x2000],
  ["EXTEND", 0x1000],
  ["FLAG4", 0x0800],
  ["FLAG5", 0x0400],
  ["USER", 0],
  ["ZONE", 0x0100],
  ["HOST", 0x0200],
  ["NTYP3", 0x0300],
  ["FLAG8", 0x0080],
  ["FLAG9", 0x0040],
  ["FLAG10", 0x0020],
  ["FLAG11", 0x0010],
  ...Array.from({ length: 16 }, (_, i) => [`SIG${i}`, i] as const),
  ["KSK", 1],
]);

export const keyFlags: Field = {
  ...uint16,
  parse: (words) => {
    const text = words.next();
    const number = /^0x[0-9a-f]{1,4}$/i.test(text) ? Number(text) : parseDecimal(text, 0xffff);
    if (number !== undefined) return integerOctets(number, 2);
    const bits = text.split("|").map((name) => keyFlagBits.get(name.toUpperCase()));
    let flags = 0;
    for (const bit of bits) {
      if (bit === undefined) return `"${text}" is not flags by name or a number from 0 to 65535`;
      flags |= bit;
    }
    return integerOctets(flags, 2);
  },
};

/** A type by name, or as BIND also has it, by its bare number: what a signature covers or a DSYNC is about. */
export const type: Field = {
  ...uint16,
  parse: (words) => {
    const text = words.next();
    const number = parseType(text) ?? parseDecimal(text, 0xffff);
    return number === undefined ? `"${text}" is not a type` : integerOctets(number, 2);
  },
  format: (octets) => formatType(numberOf(octets)),
};

/** RFC 4034 §3.2: `YYYYMMDDHHmmSS` in UTC, or seconds since 1970; both in serial arithmetic, so modulo 2^32. */
export const timestamp: Field = {
  ...uint32,
  parse: (words) => {
    const text = words.next();
    const seconds = text.length === 14 ? secondsOfDate(text) : parseDecimal(text, 0xffffffff);
    return seconds === undefined || (text.length !== 14 && text.length > 10)
      ? `"${text}" is not a time like 20380119031407 or seconds from 0 to 4294967295`
      : integerOctets(seconds, 4);
  },
  format: (octets) => new Date(numberOf(octets) * 1000).toISOString().replaceAll(/[-:T]|\..*/g, ""),
};

/** RFC 2535 §7.2: as in RRSIG, but dates alone. */
export const date: Field = {
  ...timestamp,
  parse: (words) => {
    const text = words.next();
    const seconds = text.length === 14 ? secondsOfDate(text) : undefined;
    return seconds === undefined ? `"${text}" is not a time like 20380119031407` : integerOctets(seconds, 4);
  },
};

function secondsOfDate(text: string): number | undefined {
  const [, date = "", hour = "", minute = "", second = ""] = /^(\d{8})(\d\d)(\d\d)(\d\d)$/.exec(text) ?? [];
  const iso = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00.000Z`;
  const day = new Date(iso);
  // Date makes 1 March of 30 February.
  if (Number.isNaN(day.getTime()) || day.toISOString() !== iso) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const seconds = day.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return ((seconds % 2 ** 32) + 2 ** 32) % 2 ** 32;
}

export const ipv4 = address(4, 4);
export const ipv6 = address(6, 16);

function address(family: 4 | 6, octetCount: number): Field {
  return {
    parse: (words) => {
      const text = words.next();
      const parsed = parseAddress(text);
      return parsed?.family === family ? parsed.octets : `"${text}" is not an IPv${family} address`;
    },
    read: (reader) => reader.take(octetCount),
    format: formatAddress,
  };
}

/** Names of types that came after RFC 3597: never compressed (§4), spelling kept in comparing. */
export const name: Field = {
  parse: (words) => parseName(words.next(), words.origin),
  read: (reader) => {
    const start = reader.offset;
    const octets = reader.name();
    // Reading shortens or lengthens it only where it ends in a pointer.
    if (reader.offset - start !== octets.length) throw new Malformed("a name in it is compressed");
    return octets;
  },
  format: formatName,
};
/** KX, DNAME and the signer of RRSIG: not compressed, but compared without case (RFC 4034 §6.2, RFC 6840 §5.1). */
export const foldedName: Field = { ...name, folded: true };
/** Not to be compressed, but some senders do, so pointers are followed (RFC 3597 §4). */
export const followedName: Field = { ...foldedName, read: (reader) => reader.name() };
/** Only names in the types of RFC 1035 may be compressed (RFC 3597 §4). */
export const compressibleName: Field = { ...followedName, compressible: true };

/** A character string (RFC 1035 §3.3). */
export const string: Field = {
  parse: (words) => parseString(words.next()),
  read: (reader) => {
    const start = reader.offset;
    reader.take(reader.uint8());
    return reader.octets.subarray(start, reader.offset);
  },
  format: (octets) => formatCharacters(octets.subarray(1)),
  quotable: true,
};

function parseString(text: string): Uint8Array | string {
  const characters = parseCharacters(text);
  if (typeof characters === "string") return characters;
  if (characters.length > 255) return "a character string is over 255 octets; cut it into several in quotes";
  const octets = new Uint8Array(1 + characters.length);
  octets[0] = characters.length;
  octets.set(characters, 1);
  return octets;
}

/** One character string or more, up to the end. */
export const strings: Field = {
  parse: (words) => {
    const parsed: Uint8Array[] = [];
    while (words.remaining > 0) {
      const octets = parseString(words.next());
      if (typeof octets === "string") return octets;
      parsed.push(octets);
    }
    return joinOctets(parsed);
  },
  read: (reader) => {
    const start = reader.offset;
    do string.read(reader);
    while (reader.remaining > 0);
    return reader.octets.subarray(start, reader.offset);
  },
  format: (octets) => {
    const reader = new WireReader(octets);
    const texts: string[] = [];
    while (reader.remaining > 0) texts.push(formatCharacters(reader.take(reader.uint8())));
    return texts.join(" ");
  },
  quotable: true,
};

/** A character string that may be missing. */
export const optionalString: Field = {
  ...string,
  parse: (words) => (words.remaining > 0 ? string.parse(words) : Uint8Array.of()),
  read: (reader) => (reader.remaining > 0 ? string.read(reader) : reader.take(0)),
  format: (octets) => (octets.length === 0 ? "" : string.format(octets)),
  optional: true,
};

/** A character string that passes a test. */
function checkedString(isValid: (characters: Uint8Array) => boolean, what: string): Field {
  return {
    ...string,
    parse: (words) => {
      const text = words.peek()?.text;
      const octets = string.parse(words);
      return typeof octets === "string" || isValid(octets.subarray(1)) ? octets : `"${text}" is not ${what}`;
    },
    read: (reader) => {
      const octets = string.read(reader);
      if (!isValid(octets.subarray(1))) throw new Malformed(`a character string in it is not ${what}`);
      return octets;
    },
  };
}

/** RFC 1183 §3.1 */
export const x25Address = checkedString(
  (characters) => characters.length >= 4 && characters.every((octet) => octet >= 0x30 && octet <= 0x39),
  "an X.25 address of four digits or more",
);

/** RFC 3403 §4.1; empty where the record has a replacement instead. */
export const substitution = checkedString(
  (characters) => characters.length === 0 || isSubstitution(characters),
  "a substitution like !pattern!replacement!i",
);

/** The property tag of CAA, whose characters are checked with the whole record. */
export const tag: Field = {
  parse: (words) => {
    const text = words.next();
    return /^[0-9a-z]{1,255}$/i.test(text)
      ? parseString(text)
      : `"${text}" is not a property tag of letters and digits`;
  },
  read: string.read,
  // Whoever prints octets that were not read here may hold anything, and terminals obey some of it.
  format: (octets) =>
    latin1(octets.subarray(1)).replace(
      /[^!-~]/g,
      (character) => `\\${String(character.charCodeAt(0)).padStart(3, "0")}`,
    ),
};

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString("latin1");

/** Characters up to the end, without a length. */
export const text: Field = {
  parse: (words) => parseCharacters(words.next()),
  read: (reader) => reader.take(reader.remaining),
  format: formatCharacters,
  quotable: true,
};

/** Characters that must stand in quotes: the target of URI (RFC 7553 §4.4). */
export const quotedText: Field = {
  ...text,
  parse: (words) => {
    const word = words.peek();
    return word?.quoted === false ? `"${word.text}" must stand in quotes` : text.parse(words);
  },
};

/** Digits in one word or several up to the end, of one octet or more. */
function digits(
  parse: (joined: string) => Uint8Array | undefined,
  format: (octets: Uint8Array) => string,
  what: string,
): Field {
  return {
    parse: (words) => {
      const joined = joinTexts(words.rest());
      const octets = parse(joined);
      return octets === undefined || octets.length === 0 ? `"${joined}" is not ${what}` : octets;
    },
    read: (reader) => {
      if (reader.remaining === 0) throw new Malformed("it ends too early");
      return reader.take(reader.remaining);
    },
    format,
  };
}

const joinTexts = (words: readonly Word[]): string => words.map((word) => word.text).join("");

export const hex = digits(parseHex, formatHex, "an even number of hex digits");
export const base64 = digits(parseBase64, formatBase64, "base64 digits");

/** Hex digits that may be missing. */
export const optionalHex: Field = {
  ...hex,
  parse: (words) => (words.remaining > 0 ? hex.parse(words) : Uint8Array.of()),
  read: (reader) => reader.take(reader.remaining),
  optional: true,
};

/** A key that may be missing. */
export const optionalBase64: Field = {
  ...base64,
  parse: (words) => (words.remaining > 0 ? base64.parse(words) : Uint8Array.of()),
  read: (reader) => reader.take(reader.remaining),
  optional: true,
};

/** Base64 digits, a hyphen for none (DOA). */
export const base64OrHyphen: Field = {
  ...base64,
  parse: (words) => {
    if (words.peek()?.text !== "-") return base64.parse(words);
    words.next();
    return Uint8Array.of();
  },
  read: (reader) => reader.take(reader.remaining),
  format: (octets) => (octets.length === 0 ? "-" : formatBase64(octets)),
};

/** RFC 5155 §3.3: hex digits behind their count of octets, a hyphen for none. */
export const salt: Field = {
  parse: (words) => {
    const text = words.next();
    const octets = text === "-" ? Uint8Array.of() : parseHex(text);
    if (octets === undefined || octets.length > 255 || (octets.length === 0 && text !== "-"))
      return `"${text}" is not a hyphen or an even number of hex digits up to 510`;
    return joinOctets([Uint8Array.of(octets.length), octets]);
  },
  read: string.read,
  format: (octets) => (octets.length === 1 ? "-" : formatHex(octets.subarray(1))),
};

/** As many octets as one label has room for in base32hex, since an owner name is to be made of them. */
const MAX_HASH_OCTETS = 39;

/** RFC 5155 §3.3: base32hex digits behind their count of octets. */
export const nextHashedOwner: Field = {
  parse: (words) => {
    const text = words.next();
    const octets = parseBase32Hex(text);
    if (octets === undefined || octets.length === 0 || octets.length > MAX_HASH_OCTETS)
      return `"${text}" is not base32hex digits without padding, 63 at the most`;
    return joinOctets([Uint8Array.of(octets.length), octets]);
  },
  read: (reader) => {
    const octets = string.read(reader);
    if (octets.length === 1 || octets.length > 1 + MAX_HASH_OCTETS)
      throw new Malformed("its next hashed owner name has no length from 1 to 39");
    return octets;
  },
  format: (octets) => formatBase32Hex(octets.subarray(1)),
};

/** RFC 1706 §7: hex digits behind 0x, with dots anywhere. */
export const nsapAddress: Field = {
  parse: (words) => {
    const text = words.next();
    const octets = /^0x/i.test(text) ? parseHex(text.slice(2).replaceAll(".", "")) : undefined;
    return octets === undefined || octets.length === 0
      ? `"${text}" is not 0x and an even number of hex digits`
      : octets;
  },
  read: hex.read,
  format: (octets) => `0x${formatHex(octets)}`,
};

/** RFC 7043 §3.2, §4.2: octets in hex with hyphens between. */
export function eui(octetCount: number): Field {
  const pattern = new RegExp(`^[0-9a-f]{1,2}(-[0-9a-f]{1,2}){${octetCount - 1}}$`, "i");
  return {
    parse: (words) => {
      const text = words.next();
      return pattern.test(text)
        ? Uint8Array.from(text.split("-"), (part) => Number.parseInt(part, 16))
        : `"${text}" is not ${octetCount} octets in hex like 00-00-5e`;
    },
    read: (reader) => reader.take(octetCount),
    format: (octets) =>
      formatHex(octets)
        .toLowerCase()
        .replace(/..(?=.)/g, "$&-"),
  };
}

/** RFC 6742 §2.1.2, §2.3.2: 64 bits as four groups of hex digits. */
export const locator64: Field = {
  parse: (words) => {
    const text = words.next();
    if (!/^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}$/i.test(text))
      return `"${text}" is not four groups of hex digits like 2001:db8:0:1`;
    return joinOctets(text.split(":").map((group) => integerOctets(Number.parseInt(group, 16), 2)));
  },
  read: (reader) => reader.take(8),
  format: (octets) => [0, 2, 4, 6].map((at) => numberOf(octets.subarray(at, at + 2)).toString(16)).join(":"),
};

/** RFC 4034 §4.1.2; empty in NSEC3 and CSYNC where the name has no types. */
export const optionalTypeBitmap: Field = {
  parse: (words) => parseTypeBitmap(words.rest()),
  read: readTypeBitmap,
  format: formatTypeBitmap,
  optional: true,
};

/** NSEC names one type at least: the NSEC itself exists. */
export const typeBitmap: Field = {
  parse: optionalTypeBitmap.parse,
  read: (reader) => {
    if (reader.remaining === 0) throw new Malformed("its type bitmap is empty");
    return readTypeBitmap(reader);
  },
  format: formatTypeBitmap,
};

/** RFC 2535 §5.2 */
export const nxtBitmap: Field = {
  parse: (words) => parseNxtBitmap(words.rest()),
  read: readNxtBitmap,
  format: formatNxtBitmap,
  optional: true,
};

export const location: Field = {
  parse: (words) => parseLoc(words.rest()),
  read: readLoc,
  format: formatLoc,
};

export const services: Field = {
  parse: (words) => parseWks(words.rest()),
  read: readWks,
  format: formatWks,
};

export const prefixes: Field = {
  parse: (words) => parseApl(words.rest()),
  read: readApl,
  format: formatApl,
  optional: true,
};

export const svcParams: Field = {
  parse: (words) => parseSvcParams(words.rest()),
  read: readSvcParams,
  format: formatSvcParams,
  optional: true,
  quotable: true,
};

/** What a gateway or relay is, by the number in front of it. */
const gateways: readonly Field[] = [
  {
    parse: (words) => {
      const text = words.next();
      return text === "." ? Uint8Array.of() : `"${text}" is not a dot, which stands for no gateway`;
    },
    read: (reader) => reader.take(0),
    format: () => ".",
  },
  ipv4,
  ipv6,
  name,
];

/** RFC 4025 §2.1, §3.1: gateway type, algorithm and gateway; octets are in the same order as words. */
export const ipsecGateway: Field = {
  parse: (words) => {
    if (words.remaining < 3) return "a gateway type, an algorithm and a gateway are expected";
    const kind = uint8.parse(words);
    const algorithmOctets = algorithm.parse(words);
    if (typeof kind === "string") return kind;
    if (typeof algorithmOctets === "string") return algorithmOctets;
    const gateway =
      gateways[numberOf(kind)]?.parse(words) ?? `"${numberOf(kind)}" is not a gateway type from 0 to 3`;
    return typeof gateway === "string" ? gateway : joinOctets([kind, algorithmOctets, gateway]);
  },
  read: (reader) => {
    const kind = reader.uint8();
    const algorithmOctet = reader.uint8();
    const gateway = gateways[kind];
    if (gateway === undefined) throw new Malformed("its gateway type is over 3");
    return joinOctets([Uint8Array.of(kind, algorithmOctet), gateway.read(reader)]);
  },
  format: (octets) => {
    const [kind = 0, algorithmOctet = 0] = octets;
    return `${kind} ${algorithmOctet} ${gateways[kind]?.format(octets.subarray(2))}`;
  },
  wordCount: 3,
};

/** RFC 8777 §4.2, §4.3: discovery bit, relay type and relay. */
export const relay: Field = {
  parse: (words) => {
    if (words.remaining < 3) return "a discovery bit, a relay type and a relay are expected";
    const discoveryText = words.next();
    const kindText = words.next();
    const discovery = parseDecimal(discoveryText, 1);
    const kind = parseDecimal(kindText, gateways.length - 1);
    if (discovery === undefined) return `"${discoveryText}" is not a discovery bit of 0 or 1`;
    if (kind === undefined) return `"${kindText}" is not a relay type from 0 to 3`;
    const octets = gateways[kind]?.parse(words) ?? "";
    if (typeof octets === "string") return octets;
    return joinOctets([Uint8Array.of(discovery * 0x80 + kind), octets]);
  },
  read: (reader) => {
    const kind = reader.uint8();
    const field = gateways[kind & 0x7f];
    const octets = field === undefined ? reader.take(reader.remaining) : field.read(reader);
    return joinOctets([Uint8Array.of(kind), octets]);
  },
  format: (octets) => {
    const [kind = 0] = octets;
    const field = gateways[kind & 0x7f];
    return field === undefined
      ? undefined
      : `${kind >> 7} ${kind & 0x7f} ${field.format(octets.subarray(1))}`;
  },
};

/** RFC 8005 §5, §6: the lengths in front are of the identity tag and the key; rendezvous servers are up to the end. */
export const hostIdentity: Field = {
  parse: (words) => {
    if (words.remaining < 3) return "an algorithm, a host identity tag and a public key are expected";
    const algorithmOctets = algorithm.parse(words);
    if (typeof algorithmOctets === "string") return algorithmOctets;
    const tagText = words.next();
    const keyText = words.next();
    const identityTag = parseHex(tagText) ?? Uint8Array.of();
    const key = parseBase64(keyText) ?? Uint8Array.of();
    if (identityTag.length === 0 || identityTag.length > 255)
      return `"${tagText}" is not an even number of hex digits up to 510`;
    if (key.length === 0) return `"${keyText}" is not base64 digits in one word`;
    const servers: Uint8Array[] = [];
    while (words.remaining > 0) {
      const server = name.parse(words);
      if (typeof server === "string") return server;
      servers.push(server);
    }
    const lengths = [Uint8Array.of(identityTag.length), algorithmOctets, integerOctets(key.length, 2)];
    return joinOctets([...lengths, identityTag, key, ...servers]);
  },
  read: (reader) => {
    const start = reader.offset;
    const tagLength = reader.uint8();
    reader.take(1);
    const keyLength = reader.uint16();
    if (tagLength === 0 || keyLength === 0)
      throw new Malformed("its host identity tag or public key is empty");
    reader.take(tagLength + keyLength);
    while (reader.remaining > 0) name.read(reader);
    return reader.octets.subarray(start, reader.offset);
  },
  format: (octets) => {
    const reader = new WireReader(octets);
    const tagLength = reader.uint8();
    const algorithmNumber = reader.uint8();
    const keyLength = reader.uint16();
    const words = [
      String(algorithmNumber),
      formatHex(reader.take(tagLength)),
      formatBase64(reader.take(keyLength)),
    ];
    while (reader.remaining > 0) words.push(formatName(reader.name()));
    return words.join(" ");
  },
};

export function joinOctets(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const octets = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}
