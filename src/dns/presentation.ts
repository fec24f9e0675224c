/** Words of the presentation format (RFC 1035 §5.1): what a line of a zone is cut into, and what fields are written as. */

import { readEscape } from "./name.ts";

/** One word as written, escapes still in it. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** The words of one record's RDATA, read from the first to the last. */
export class WordReader {
  readonly words: readonly Word[];
  /** what relative names are below */
  readonly origin: Uint8Array;
  #at = 0;

  constructor(words: readonly Word[], origin: Uint8Array) {
    this.words = words;
    this.origin = origin;
  }

  get remaining(): number {
    return this.words.length - this.#at;
  }

  /** The text of the next word, which must be there. */
  next(): string {
    const word = this.words[this.#at++];
    if (word === undefined) throw new Error("a field read more words than there are");
    return word.text;
  }

  /** The next word, which stays the next. */
  peek(): Word | undefined {
    return this.words[this.#at];
  }

  rest(): readonly Word[] {
    const rest = this.words.slice(this.#at);
    this.#at = this.words.length;
    return rest;
  }
}

/** Cuts a line at blanks, minding quotes and comments. Returns a sentence where a quote is never closed. */
export function splitWords(line: string): readonly Word[] | string {
  const words: Word[] = [];
  const pattern = /[ \t]*(?:"((?:[^"\\]|\\.)*)"|(;.*)|((?:[^ \t";\\]|\\.)+))/y;
  const end = line.trimEnd().length;
  while (pattern.lastIndex < end) {
    const match = pattern.exec(line);
    if (match === null) return "a quoted text is not closed, or the line ends in a backslash";
    if (match[2] !== undefined) break;
    if (match[1] !== undefined) words.push({ text: match[1], quoted: true });
    else if (match[3] !== undefined) words.push({ text: match[3], quoted: false });
  }
  return words;
}

/** The octets of a character string as written; a sentence where an escape is wrong. */
export function parseCharacters(text: string): Uint8Array | string {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c || code > 0x7e) return parseEscapedCharacters(text);
    octets[i] = code;
  }
  return octets;
}

function parseEscapedCharacters(text: string): Uint8Array | string {
  const octets: number[] = [];
  for (let i = 0; i < text.length; ) {
    if (text[i] === "\\") {
      const escaped = readEscape(text, i);
      if (escaped === undefined) return `"${text}" has an escape that is not \\X or \\DDD below 256`;
      octets.push(escaped.octet);
      i = escaped.end;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
    octets.push(...new TextEncoder().encode(character));
    i += character.length;
  }
  return Uint8Array.from(octets);
}

/** Prints a character string in quotes. */
export function formatCharacters(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) {
    if (octet < 0x20 || octet > 0x7e) text += `\\${String(octet).padStart(3, "0")}`;
    else
      text +=
        octet === 0x22 || octet === 0x5c ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet);
  }
  return `"${text}"`;
}

/** A number of decimal digits up to `max`; undefined for anything else. */
export function parseDecimal(text: string, max: number): number | undefined {
  if (text === "") return undefined;
  let number = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
    if (number > max) return undefined;
  }
  return number;
}

const secondsOfUnit: ReadonlyMap<string, number> = new Map([
  ["w", 604_800],
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
]);

/**
 * Seconds as a number (RFC 1035 §5.1) or, as BIND has it, as numbers with units in any order: `1h30m`, `2w`. Undefined
 * where the text is neither or over `max`; a TTL has 31 bits (RFC 2181 §8).
 */
export function parseTtl(text: string, max = 0x7fffffff): number | undefined {
  const plain = parseDecimal(text, max);
  if (plain !== undefined || !/^(?:\d+[wdhms])+$/i.test(text)) return plain;
  let seconds = 0;
  for (const [, digits = "", unit = ""] of text.toLowerCase().matchAll(/(\d+)([wdhms])/g)) {
    const count = parseDecimal(digits, 0xffffffff);
    if (count === undefined) return undefined;
    seconds += count * (secondsOfUnit.get(unit) ?? 1);
  }
  return seconds <= max ? seconds : undefined;
}
