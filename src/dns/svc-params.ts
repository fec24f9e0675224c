/** The parameters of SVCB and HTTPS (RFC 9460 §2.1, §2.2; dohpath: RFC 9461 §5). */

import { formatAddress, parseAddress } from "../ip.ts";
import { formatCharacters, parseCharacters, parseDecimal, type Word } from "./presentation.ts";
import { formatBase64, parseBase64 } from "./text-encodings.ts";
import { Malformed, WireReader } from "./wire-reader.ts";

const MANDATORY = 0;
const ALPN = 1;
const NO_DEFAULT_ALPN = 2;

interface SvcParam {
  readonly key: number;
  readonly value: Uint8Array;
}

/** How the value of a key known by name is written, and what is allowed in it. */
interface SvcParamKey {
  readonly name: string;
  /** Octets, or undefined where the text is no value of the key. An absent value is an empty text. */
  readonly parse: (text: string) => Uint8Array | undefined;
  /** What `parse` expects. */
  readonly expected: string;
  readonly isValid: (value: Uint8Array) => boolean;
  /** Only asked for valid values that are not empty. */
  readonly format: (value: Uint8Array) => string;
}

const knownKeys: ReadonlyMap<number, SvcParamKey> = new Map<number, SvcParamKey>([
  [
    MANDATORY,
    {
      name: "mandatory",
      parse: parseMandatory,
      expected: "a list of different keys, mandatory not among them",
      isValid: isMandatoryList,
      format: (value) => keysIn(value).map(formatKey).join(","),
    },
  ],
  [
    ALPN,
    {
      name: "alpn",
      parse: parseAlpn,
      expected: "a list of protocols of 1 to 255 octets, like h2,h3",
      isValid: isAlpnList,
      format: formatAlpn,
    },
  ],
  [
    NO_DEFAULT_ALPN,
    {
      name: "no-default-alpn",
      parse: (text) => (text === "" ? Uint8Array.of() : undefined),
      expected: "an empty value",
      isValid: (value) => value.length === 0,
      format: () => "",
    },
  ],
  [
    3,
    {
      name: "port",
      parse: parsePort,
      expected: "a port from 0 to 65535",
      isValid: (value) => value.length === 2,
      format: ([high = 0, low = 0]) => String(high * 256 + low),
    },
  ],
  [4, addressHint("ipv4hint", 4, 4)],
  [
    5,
    {
      name: "ech",
      parse: parseBase64,
      expected: "base64 digits",
      isValid: () => true,
      format: formatBase64,
    },
  ],
  [6, addressHint("ipv6hint", 6, 16)],
  [
    7,
    {
      name: "dohpath",
      parse: parsePlain,
      expected: "a path that begins with / and has the variable dns, like /dns-query{?dns}",
      isValid: isDohPath,
      // By its number, since it has a name only in newer programs than read our text.
      format: formatCharacters,
    },
  ],
]);

/** The keys that are printed by name. */
const printedNames: ReadonlyMap<number, string> = new Map(
  [...knownKeys].filter(([key]) => key !== 7).map(([key, { name }]) => [key, name]),
);

const keyNumbers: ReadonlyMap<string, number> = new Map([...knownKeys].map(([key, { name }]) => [name, key]));

/** Parses parameters in any order and sorts them by key (RFC 9460 §2.2). */
export function parseSvcParams(words: readonly Word[]): Uint8Array | string {
  const params: SvcParam[] = [];
  for (let at = 0; at < words.length; at++) {
    const { text = "", quoted = false } = words[at] ?? {};
    if (quoted) return `"${text}" is not a parameter like alpn=h2,h3`;
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    let value = equals < 0 ? "" : text.slice(equals + 1);
    // `key="value"` is two words to whoever cut the line.
    const following = words[at + 1];
    if (equals === text.length - 1 && following?.quoted) {
      value = following.text;
      at++;
    }
    const param = parseParam(name, value);
    if (typeof param === "string") return param;
    params.push(param);
  }
  params.sort((a, b) => a.key - b.key);
  const sentence = checkParams(params);
  if (sentence !== undefined) return sentence;
  return Uint8Array.from(
    params.flatMap(({ key, value }) => [
      key >> 8,
      key & 0xff,
      value.length >> 8,
      value.length & 0xff,
      ...value,
    ]),
  );
}

function parseParam(name: string, text: string): SvcParam | string {
  const key = parseKey(name);
  if (key === undefined) return `"${name}" is not a key like alpn or key65280`;
  const known = knownKeys.get(key);
  // keyNNNNN takes octets whatever the key's own form is (RFC 9460 §2.1).
  const byName = known?.name === name;
  const value = byName ? known.parse(text) : parsePlain(text);
  if (value === undefined) return `"${text}" is not ${known?.expected ?? "a value"}, which ${name} needs`;
  if (value.length > 0xffff) return `the value of ${name} is over 65535 octets`;
  return { key, value };
}

/** What is wrong with parameters in the order of their keys. */
function checkParams(params: readonly SvcParam[]): string | undefined {
  const present = new Set(params.map((param) => param.key));
  for (const [i, { key, value }] of params.entries()) {
    // RFC 9460 §2.1: a key is given once.
    if (params[i - 1]?.key === key) return `${formatKey(key)} is given twice`;
    const known = knownKeys.get(key);
    if (known !== undefined && !known.isValid(value))
      return `the value of ${known.name} is not ${known.expected}`;
  }
  // RFC 9460 §7.1.1: no-default-alpn without alpn is malformed.
  if (present.has(NO_DEFAULT_ALPN) && !present.has(ALPN)) return "no-default-alpn needs alpn";
  // RFC 9460 §8: what is mandatory must be there.
  const mandatory = params[0]?.key === MANDATORY ? keysIn(params[0].value) : [];
  const missing = mandatory.find((key) => !present.has(key));
  return missing === undefined ? undefined : `${formatKey(missing)} is mandatory and missing`;
}

export function readSvcParams(reader: WireReader): Uint8Array {
  const start = reader.offset;
  const params = readParams(reader);
  for (const [i, { key }] of params.entries()) {
    if (key < (params[i - 1]?.key ?? 0))
      throw new Malformed("its parameters are not in the order of their keys");
  }
  const sentence = checkParams(params);
  if (sentence !== undefined) throw new Malformed(sentence);
  return reader.octets.subarray(start, reader.offset);
}

function readParams(reader: WireReader): readonly SvcParam[] {
  const params: SvcParam[] = [];
  while (reader.remaining > 0) params.push({ key: reader.uint16(), value: reader.take(reader.uint16()) });
  return params;
}

export function formatSvcParams(octets: Uint8Array): string {
  return readParams(new WireReader(octets)).map(formatParam).join(" ");
}

function formatParam({ key, value }: SvcParam): string {
  if (value.length === 0) return formatKey(key);
  const format = knownKeys.get(key)?.format ?? formatCharacters;
  return `${formatKey(key)}=${format(value)}`;
}

/** Names are in lower case and numbers without zeros in front (RFC 9460 §2.1). */
function parseKey(text: string): number | undefined {
  const digits = /^key(0|[1-9]\d*)$/.exec(text)?.[1];
  return digits === undefined ? keyNumbers.get(text) : parseDecimal(digits, 0xffff);
}

const formatKey = (key: number): string => printedNames.get(key) ?? `key${key}`;

function parsePlain(text: string): Uint8Array | undefined {
  const octets = parseCharacters(text);
  return typeof octets === "string" ? undefined : octets;
}

function parsePort(text: string): Uint8Array | undefined {
  const port = parseDecimal(text, 0xffff);
  return port === undefined ? undefined : Uint8Array.of(port >> 8, port & 0xff);
}

function parseMandatory(text: string): Uint8Array | undefined {
  const keys: number[] = [];
  for (const name of text.split(",")) {
    const key = parseKey(name);
    if (key === undefined) return undefined;
    keys.push(key);
  }
  keys.sort((a, b) => a - b);
  const octets = Uint8Array.from(keys.flatMap((key) => [key >> 8, key & 0xff]));
  return isMandatoryList(octets) ? octets : undefined;
}

/** RFC 9460 §8: in ascending order, none twice, none of them the key itself. */
function isMandatoryList(value: Uint8Array): boolean {
  const keys = keysIn(value);
  const ascending = keys.every((key, i) => key > (keys[i - 1] ?? MANDATORY));
  return value.length > 0 && value.length % 2 === 0 && ascending;
}

function keysIn(value: Uint8Array): readonly number[] {
  return Array.from(
    { length: value.length >> 1 },
    (_, i) => (value[i * 2] ?? 0) * 256 + (value[i * 2 + 1] ?? 0),
  );
}

const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/**
 * A list separated by commas inside a character string (RFC 9460 Appendix A.1): a comma or backslash of a protocol has a
 * backslash in front, which the character string's own escapes write as two.
 */
function parseAlpn(text: string): Uint8Array | undefined {
  const list = parsePlain(text);
  if (list === undefined) return undefined;
  const protocols: number[][] = [];
  let protocol: number[] = [];
  for (let i = 0; i < list.length; i++) {
    const octet = list[i] ?? 0;
    const escaped = list[i + 1];
    if (octet === COMMA) {
      protocols.push(protocol);
      protocol = [];
    } else if (octet === BACKSLASH) {
      if (escaped !== COMMA && escaped !== BACKSLASH) return undefined;
      protocol.push(escaped);
      i++;
    } else {
      protocol.push(octet);
    }
  }
  protocols.push(protocol);
  if (protocols.some(({ length }) => length < 1 || length > 255)) return undefined;
  return Uint8Array.from(protocols.flatMap((octets) => [octets.length, ...octets]));
}

function isAlpnList(value: Uint8Array): boolean {
  let at = 0;
  while (at < value.length) {
    const length = value[at] ?? 0;
    if (length === 0) return false;
    at += 1 + length;
  }
  return at > 0 && at === value.length;
}

function formatAlpn(value: Uint8Array): string {
  const list: number[] = [];
  const reader = new WireReader(value);
  while (reader.remaining > 0) {
    if (list.length > 0) list.push(COMMA);
    for (const octet of reader.take(reader.uint8())) {
      if (octet === COMMA || octet === BACKSLASH) list.push(BACKSLASH);
      list.push(octet);
    }
  }
  return formatCharacters(Uint8Array.from(list));
}

function addressHint(name: string, family: 4 | 6, octetCount: number): SvcParamKey {
  return {
    name,
    parse: (text) => {
      const addresses = text.split(",").map(parseAddress);
      if (addresses.some((address) => address?.family !== family)) return undefined;
      return Uint8Array.from(addresses.flatMap((address) => [...(address?.octets ?? [])]));
    },
    expected: `a list of IPv${family} addresses`,
    isValid: (value) => value.length > 0 && value.length % octetCount === 0,
    format: (value) =>
      Array.from({ length: value.length / octetCount }, (_, i) =>
        formatAddress(value.subarray(i * octetCount, (i + 1) * octetCount)),
      ).join(","),
  };
}

/** What stands behind the opening brace of a URI template's expression (RFC 6570 §2.2 to §2.4). */
const EXPRESSION =
  /^[+#./;?&]?([\w%]+(?:\.[\w%]+)*(?::[1-9]\d{0,3}|\*)?(?:,[\w%]+(?:\.[\w%]+)*(?::[1-9]\d{0,3}|\*)?)*)\}$/;

/** A URI template in UTF-8 (RFC 6570) that is a path and has the variable `dns` (RFC 9461 §5). */
function isDohPath(value: Uint8Array): boolean {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return false;
  }
  const expressions = [...text.matchAll(/\{([^}]*)(\}?)/g)].map(
    ([, inside = "", close = ""]) => inside + close,
  );
  const variables = expressions.flatMap((inside) => EXPRESSION.exec(inside)?.[1]?.split(",") ?? [undefined]);
  const hasDns = variables.some((variable) => variable?.replace(/[:*].*/, "") === "dns");
  return text.startsWith("/") && hasDns && !variables.includes(undefined);
}
