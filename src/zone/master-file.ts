/** Master files (RFC 1035 §5) to records, one by one as they stand; where the RFC leaves something open, as BIND reads it. */

import { CLASS, formatType, isMetaType, parseClass, parseType, TYPE } from "../dns/iana.ts";
import {
  type DomainName,
  foldName,
  formatName,
  MAX_NAME_OCTETS,
  nameOctets,
  parseName,
} from "../dns/name.ts";
import { parseTtl, splitWords } from "../dns/presentation.ts";
import { parseRdata } from "../dns/rdata.ts";
import { fillTemplate, parseRange } from "./generate.ts";
import { type PlacedWord, readEntries } from "./master-lexer.ts";
import { minimumOf, type ZoneRecord } from "./zone.ts";

/** Where something stands; line and column are counted from 1. */
export interface MasterPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface MasterFile {
  readonly file: string;
  /** one character an octet (latin1) */
  readonly text: string;
}

/** Who reads a master file: gives it what it includes, and takes what is found. */
export interface MasterReader {
  /** The file that an $INCLUDE in the file `from` names; a sentence where it cannot be had. */
  include(path: string, from: string): MasterFile | string;
  onRecord(record: ZoneRecord, place: MasterPlace): void;
  /** told of what is left out */
  onError(place: MasterPlace, message: string): void;
  /** told of what is not taken as it is written */
  onWarning(place: MasterPlace, message: string): void;
}

const MAX_INCLUDE_DEPTH = 16;
/** More are taken for a slip of the pen: ten files that include the next one ten times are ten thousand million. */
const MAX_INCLUDED = 1 << 16;
/** RFC 2181 §8 */
const MAX_TTL = 0x7fffffff;
/** More records of one $GENERATE are taken for a slip of the pen. */
const MAX_GENERATED = 1 << 20;

/** Reads a file and all that it includes. `apex` is the first origin. */
export function readMasterFile(file: MasterFile, apex: DomainName, reader: MasterReader): void {
  const reading = { reader, ttls: { default: undefined, last: undefined }, counts: { included: 0 } };
  readFile(file, reading, nameOctets(apex), []);
}

interface Reading {
  readonly reader: MasterReader;
  readonly ttls: {
    /** by $TTL (RFC 2308 §4) or, before any, by the SOA's MINIMUM */
    default: number | undefined;
    /** of the record before (RFC 1035 §5.1) */
    last: number | undefined;
  };
  readonly counts: { included: number };
}

/** What a line is read in. */
interface Context extends Reading {
  readonly file: string;
  readonly origin: Uint8Array;
  /** the origin as the end of a name: nothing for the root */
  readonly originText: string;
  /** the files that include this one, the first in front */
  readonly includedBy: readonly string[];
}

interface Owner {
  readonly spelling: string;
  readonly name: DomainName;
}

/** RFC 1035 §5.1: a file that is included changes neither the origin nor the owner of the one that includes it. */
function readFile(
  { file, text }: MasterFile,
  reading: Reading,
  firstOrigin: Uint8Array,
  includedBy: readonly string[],
): void {
  let context: Context = { ...reading, file, ...originOf(firstOrigin), includedBy };
  let owner: Owner | "faulty" | undefined;
  let ownerText = "";
  for (const entry of readEntries(text)) {
    if ("message" in entry) {
      tellError(context, entry, entry.message);
      continue;
    }
    const { words, isIndented } = entry;
    const [first, ...rest] = words;
    if (first === undefined) continue;
    if (!isIndented && !first.quoted && first.text.startsWith("$")) {
      const origin = obeyDirective(context, first, rest);
      if (origin === undefined) continue;
      context = { ...context, ...originOf(origin) };
      ownerText = "";
      continue;
    }
    // The owner of a record is often that of the one before, said again.
    if (!isIndented && (first.quoted || first.text !== ownerText)) {
      owner = readOwner(context, first);
      ownerText = first.quoted ? "" : first.text;
    }
    if (owner === undefined) {
      tellError(context, first, "a blank stands for the owner of the record before, and there is none");
    } else if (owner !== "faulty") readRecord(context, owner, isIndented ? words : rest, first);
  }
}

const originOf = (origin: Uint8Array): Pick<Context, "origin" | "originText"> => ({
  origin,
  originText: origin.length === 1 ? "" : formatName(origin),
});

type Place = Pick<PlacedWord, "line" | "column">;

const placeIn = ({ file }: Context, { line, column }: Place): MasterPlace => ({ file, line, column });

function tellError(context: Context, at: Place, message: string): void {
  context.reader.onError(placeIn(context, at), message);
}

function readOwner(context: Context, word: PlacedWord): Owner | "faulty" {
  const { text, quoted } = word;
  const { origin, originText } = context;
  // Nearly all owners: plain labels below the origin, which are spelled as they are written.
  if (!quoted && plainLabels.test(text) && text.length + 1 + origin.length <= MAX_NAME_OCTETS) {
    const spelling = `${text}.${originText}`;
    return { spelling, name: foldName(spelling) };
  }
  const octets = readName(context, word);
  if (octets === undefined) return "faulty";
  const spelling = formatName(octets);
  return { spelling, name: foldName(spelling) };
}

const plainLabels = /^[\w*-]{1,63}(?:\.[\w*-]{1,63})*$/;

/** A name; a blank may stand in it where it is quoted. */
function readName(context: Context, { text, quoted, ...place }: PlacedWord): Uint8Array | undefined {
  const name = parseName(quoted ? text.replaceAll(/\\?[ ;()"]/g, escapeCharacter) : text, context.origin);
  if (typeof name !== "string") return name;
  tellError(context, place, name);
  return undefined;
}

const escapeCharacter = (found: string): string =>
  `\\${String(found.charCodeAt(found.length - 1)).padStart(3, "0")}`;

/** Returns the origin that follows, where the directive sets one. */
function obeyDirective(
  context: Context,
  directive: PlacedWord,
  words: readonly PlacedWord[],
): Uint8Array | undefined {
  const [first, second] = words;
  const expectWords = (count: number, form: string): boolean => {
    const extra = words[count];
    if (extra !== undefined)
      tellError(context, extra, `"${extra.text}" is one word too many; expected ${form}`);
    else if (first === undefined) tellError(context, directive, `a word is missing; expected ${form}`);
    return extra === undefined && first !== undefined;
  };
  switch (directive.text.toUpperCase()) {
    case "$ORIGIN":
      return expectWords(1, "$ORIGIN NAME") && first !== undefined ? readName(context, first) : undefined;
    case "$TTL":
      if (!expectWords(1, "$TTL SECONDS") || first === undefined) return undefined;
      context.ttls.default = readTtl(context, first);
      if (context.ttls.default === undefined)
        tellError(context, first, `"${first.text}" is not a TTL like 3600 or 1h30m`);
      return undefined;
    case "$INCLUDE":
      if (expectWords(2, "$INCLUDE FILE [ORIGIN]") && first !== undefined) include(context, first, second);
      return undefined;
    case "$GENERATE":
      if (first === undefined || second === undefined) {
        tellError(context, directive, `a word is missing; expected ${generateForm}`);
      } else {
        const fault = generateRecords(context, [first, second, ...words.slice(2)]);
        if (fault !== undefined) tellError(context, fault.at, fault.message);
      }
      return undefined;
    // An old directive of BIND: when the file was made.
    case "$DATE":
      return undefined;
    default:
      tellError(
        context,
        directive,
        `"${directive.text}" is no directive; there are $ORIGIN, $TTL, $INCLUDE and $GENERATE`,
      );
      return undefined;
  }
}

function include(context: Context, path: PlacedWord, originWord: PlacedWord | undefined): void {
  const origin = originWord === undefined ? context.origin : readName(context, originWord);
  if (origin === undefined) return;
  const included = findIncluded(context, path.text);
  if (typeof included === "string") tellError(context, path, included);
  else readFile(included, context, origin, [...context.includedBy, context.file]);
}

/** The file to include, or why there is none. */
function findIncluded({ file, includedBy, counts, reader }: Context, path: string): MasterFile | string {
  if (includedBy.length === MAX_INCLUDE_DEPTH)
    return `files include each other more than ${MAX_INCLUDE_DEPTH} deep`;
  if (counts.included === MAX_INCLUDED) return `more than ${MAX_INCLUDED} files are included`;
  counts.included++;
  const included = reader.include(path, file);
  if (typeof included === "string") return included;
  const isOpen = included.file === file || includedBy.includes(included.file);
  return isOpen ? `"${path}" includes itself` : included;
}

/** A TTL in seconds; undefined where the word is none. */
function readTtl(context: Context, word: PlacedWord): number | undefined {
  const seconds = parseTtl(word.text, 0xffffffff);
  if (seconds === undefined || seconds <= MAX_TTL) return seconds;
  const message = `a TTL of ${word.text} is over ${MAX_TTL} and counts as 0 (RFC 2181 §8)`;
  context.reader.onWarning(placeIn(context, word), message);
  return 0;
}

interface Head {
  readonly ttlSeconds: number | undefined;
  readonly type: number;
  readonly typeWord: PlacedWord;
  readonly rest: readonly PlacedWord[];
}

/** What stands between owner and RDATA: `[ttl] [class] type` or `[class] [ttl] type` (RFC 1035 §5.1). */
function readHead(context: Context, words: readonly PlacedWord[], before: PlacedWord): Head | undefined {
  let ttlSeconds: number | undefined;
  let hasClass = false;
  for (const [i, word] of words.entries()) {
    const { text } = word;
    // Most words here are types; ANY is a class as well, and neither is of use.
    const type = parseType(text);
    if (type !== undefined) {
      if (!isMetaType(type) && !isObsolete(type))
        return { ttlSeconds, type, typeWord: word, rest: words.slice(i + 1) };
      tellError(context, word, `${formatType(type)} is no type that a zone can hold`);
      return undefined;
    }
    const ttl = ttlSeconds === undefined ? readTtl(context, word) : undefined;
    const classNumber = hasClass ? undefined : parseClass(text);
    if (ttl !== undefined) ttlSeconds = ttl;
    else if (classNumber === CLASS.IN) hasClass = true;
    else {
      tellError(
        context,
        word,
        classNumber === undefined
          ? `"${text}" is not a type`
          : `class ${text} is not IN, the only one served`,
      );
      return undefined;
    }
  }
  tellError(context, words.at(-1) ?? before, "the type is missing");
  return undefined;
}

/** RFC 1035 §3.3.4, §3.3.5: MX is in the place of these. */
const isObsolete = (type: number): boolean => type === TYPE.MD || type === TYPE.MF;

/** Whether there was a record to be read. */
function readRecord(
  context: Context,
  owner: Owner,
  words: readonly PlacedWord[],
  first: PlacedWord,
): boolean {
  const head = readHead(context, words, first);
  if (head === undefined) return false;
  const { type, typeWord, rest } = head;
  const rdata = parseRdata(type, rest, context.origin);
  if (typeof rdata === "string") {
    // The sentence quotes the word that it is about.
    const about = rest.find(({ text }) => rdata.startsWith(`"${text}"`)) ?? rest[0] ?? typeWord;
    tellError(context, about, rdata);
    return false;
  }
  const ttlSeconds = settleTtl(context, head, rdata);
  context.reader.onRecord({ ...owner, type, ttlSeconds, rdata }, placeIn(context, first));
  return true;
}

/** The record's own TTL, or what stands for it. */
function settleTtl(context: Context, { ttlSeconds, type, typeWord }: Head, rdata: Uint8Array): number {
  const { ttls } = context;
  // Without any TTL before it an SOA gives its MINIMUM, as in the days when that was the default (RFC 1035 §3.3.13).
  if (
    ttlSeconds === undefined &&
    type === TYPE.SOA &&
    ttls.default === undefined &&
    ttls.last === undefined
  ) {
    ttls.default = minimumOf(rdata);
  }
  const settled = ttlSeconds ?? ttls.default ?? ttls.last;
  if (settled === undefined) {
    tellError(context, typeWord, "the TTL is missing: give one here, or $TTL before");
    ttls.last = 0;
    return 0;
  }
  ttls.last = settled;
  return settled;
}

interface Fault {
  readonly at: Place;
  readonly message: string;
}

/** $GENERATE, which BIND invented: a record for each number of a range. RDATA of several words stands in quotes. */
function generateRecords(context: Context, [rangeWord, ownerWord, ...others]: Words): Fault | undefined {
  const range = parseRange(rangeWord.text);
  if (typeof range === "string") return { at: rangeWord, message: range };
  const count = Math.floor((range.stop - range.start) / range.step) + 1;
  if (count > MAX_GENERATED) {
    const message = `the range makes ${count} records, and at most ${MAX_GENERATED} are made`;
    return { at: rangeWord, message };
  }
  const head = readHead(context, others, ownerWord);
  if (head === undefined) return undefined;
  const [rdataWord, extra] = head.rest;
  if (rdataWord === undefined)
    return { at: head.typeWord, message: `RDATA is missing; expected ${generateForm}` };
  if (extra !== undefined) {
    const message = `"${extra.text}" is one word too many; put RDATA of several words in quotes`;
    return { at: extra, message };
  }
  for (let number = range.start; number <= range.stop; number += range.step) {
    const ownerText = fillTemplate(ownerWord.text, number);
    if (ownerText === undefined) return { at: ownerWord, message: templateForm };
    const rdataText = fillTemplate(rdataWord.text, number);
    if (rdataText === undefined) return { at: rdataWord, message: templateForm };
    const owner = readOwner(context, { ...ownerWord, text: ownerText });
    if (owner === "faulty") return undefined;
    const rdataWords = splitWords(rdataText);
    if (typeof rdataWords === "string") return { at: rdataWord, message: rdataWords };
    const { line, column } = rdataWord;
    const placed = rdataWords.map((word) => ({ ...word, line, column }));
    if (!readRecord(context, owner, [...others.slice(0, -1), ...placed], rangeWord)) return undefined;
  }
  return undefined;
}

type Words = readonly [PlacedWord, PlacedWord, ...PlacedWord[]];

const generateForm = "$GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE RDATA";
const templateForm = `expected $, \${OFFSET}, \${OFFSET,WIDTH} or \${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N`;
