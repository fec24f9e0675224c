/**
 * Cuts a master file into entries of words (RFC 1035 §5.1); comments, quotes and parentheses end here. The text has one
 * character an octet, so octets above 127 pass as what they are.
 */

import type { Word } from "../dns/presentation.ts";

/** A word with its place, counted from 1. What is not printable ASCII in it is written as an escape. */
export interface PlacedWord extends Word {
  readonly line: number;
  readonly column: number;
}

/** One record or directive, which parentheses may spread over lines. */
export interface Entry {
  /** it begins with a blank, so its owner is that of the record before */
  readonly isIndented: boolean;
  readonly words: readonly PlacedWord[];
}

export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/** Yields the entries that hold words; in the place of a faulty one what is wrong with it, and goes on behind its line. */
export function* readEntries(text: string): Generator<Entry | Fault> {
  const { length } = text;
  let at = 0;
  let line = 1;
  let lineStart = 0;
  while (at < length) {
    const isIndented = isBlank(text.charCodeAt(at));
    const words: PlacedWord[] = [];
    const opened: Fault[] = [];
    let fault: Fault | undefined;
    for (let isOver = false; !isOver && at < length; ) {
      const start = at;
      const column = start - lineStart + 1;
      switch (text.charCodeAt(at++)) {
        case SPACE:
        case TAB:
        case RETURN:
          break;
        case NEWLINE:
          line++;
          lineStart = at;
          isOver = opened.length === 0;
          break;
        case SEMICOLON:
          while (at < length && text.charCodeAt(at) !== NEWLINE) at++;
          break;
        case OPEN:
          opened.push({ line, column, message: "this parenthesis is never closed" });
          break;
        case CLOSE:
          if (opened.pop() === undefined)
            fault ??= { line, column, message: "this parenthesis was never opened" };
          break;
        case QUOTE:
          at = endOfQuoted(text, at);
          if (text.charCodeAt(at) === QUOTE) {
            words.push({ text: escapeOctets(text.slice(start + 1, at++)), quoted: true, line, column });
          } else {
            fault ??= { line, column, message: "this quoted text is not closed on its line" };
            opened.length = 0;
          }
          break;
        default:
          at = endOfWord(text, start);
          words.push({ text: escapeOctets(text.slice(start, at)), quoted: false, line, column });
      }
    }
    fault ??= opened[0];
    if (fault !== undefined) yield fault;
    else if (words.length > 0) yield { isIndented, words };
  }
}

const isBlank = (character: number): boolean => character === SPACE || character === TAB;

/** Where a word ends: at a blank or at what has a meaning of its own, unless a backslash stands before it. */
function endOfWord(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case BACKSLASH:
        // A line ends all the same; the lone backslash is told as a wrong escape.
        if (text.charCodeAt(at + 1) !== NEWLINE) at++;
        break;
      case SPACE:
      case TAB:
      case NEWLINE:
      case RETURN:
      case QUOTE:
      case OPEN:
      case CLOSE:
      case SEMICOLON:
        return at;
    }
  }
  return text.length;
}

/** The quote that ends a quoted text, or the end of its line. */
function endOfQuoted(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== QUOTE && text.charCodeAt(at) !== NEWLINE) {
    at += text.charCodeAt(at) === BACKSLASH && text.charCodeAt(at + 1) !== NEWLINE ? 2 : 1;
  }
  return Math.min(at, text.length);
}

const outsideOfPrintable = /\\?[^ -~]/g;

/** An octet behind a backslash stands for itself, as every character does that has no meaning of its own. */
function escapeOctets(word: string): string {
  if (!hasUnprintable.test(word)) return word;
  return word.replace(outsideOfPrintable, (found) => {
    const octet = found.charCodeAt(found.length - 1);
    return `\\${String(octet).padStart(3, "0")}`;
  });
}

const hasUnprintable = /[^ -~]/;
