/** Words of the presentation format (RFC 1035 §5.1): what a line of a zone is cut into, and character strings. */

import { readEscape } from "./name.ts";

/** One word as written, escapes still in it. */
export interface Word {
  readonly text: string;
  readonly quoted: boolean;
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

/** Seconds of each unit of a TTL. */
const ttlUnits: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** A TTL in seconds, given in seconds or, as BIND has it, in units: `1h30m`; undefined where it is none or too long. */
export function parseTtl(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text) <= 0x7fffffff ? Number(text) : undefined;
  if (!/^(?:\d{1,10}[smhdw])+$/i.test(text)) return undefined;
  const parts = [...text.toLowerCase().matchAll(/(\d+)([smhdw])/g)];
  const seconds = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (ttlUnits[unit] ?? 0), 0);
  return seconds <= 0x7fffffff ? seconds : undefined;
}
