/** One record in presentation format on one line (RFC 1035 §5.1): `owner [ttl] [class] type rdata`. */

import { CLASS, parseClass, parseType } from "./iana.ts";
import type { RRset } from "./message.ts";
import { domainName, parseName } from "./name.ts";
import { parseTtl, splitWords, type Word } from "./presentation.ts";
import { parseRdata } from "./rdata.ts";

/** Parses a line into an RRset of one record, relative names below `origin`; a sentence where it is wrong. */
export function parseRecordLine(line: string, origin: Uint8Array, defaultTtlSeconds: number): RRset | string {
  const words = splitWords(line);
  if (typeof words === "string") return words;
  const [ownerWord, ...rest] = words;
  if (ownerWord === undefined) return "the line holds no record";
  const owner = parseName(ownerWord.text, origin);
  if (typeof owner === "string") return owner;
  const { ttlSeconds = defaultTtlSeconds, classNumber = CLASS.IN, consumed } = readTtlAndClass(rest);
  if (classNumber !== CLASS.IN) return "only class IN is served";
  const record = readTypeAndRdata(rest.slice(consumed), origin);
  if (typeof record === "string") return record;
  return { owner, name: domainName(owner), type: record.type, ttlSeconds, rdatas: [record.rdata] };
}

interface TypeAndRdata {
  readonly type: number;
  readonly rdata: Uint8Array;
}

/** Parses a line of `type rdata`, of a record whose owner and TTL are written elsewhere. */
export function parseTypeAndRdata(line: string, origin: Uint8Array): TypeAndRdata | string {
  const words = splitWords(line);
  return typeof words === "string" ? words : readTypeAndRdata(words, origin);
}

function readTypeAndRdata(words: readonly Word[], origin: Uint8Array): TypeAndRdata | string {
  const [typeWord, ...rest] = words;
  if (typeWord === undefined) return "the type is missing";
  const type = parseType(typeWord.text);
  if (type === undefined) return `"${typeWord.text}" is not a type`;
  const rdata = parseRdata(type, rest, origin);
  return typeof rdata === "string" ? rdata : { type, rdata };
}

/** TTL and class may stand in either order, each once or not at all. */
function readTtlAndClass(words: readonly Word[]): {
  readonly ttlSeconds?: number;
  readonly classNumber?: number;
  readonly consumed: number;
} {
  let ttlSeconds: number | undefined;
  let classNumber: number | undefined;
  let consumed = 0;
  for (const { text } of words.slice(0, 2)) {
    const number = parseTtl(text);
    if (number !== undefined && ttlSeconds === undefined) ttlSeconds = number;
    else if (classNumber === undefined && parseClass(text) !== undefined && parseType(text) === undefined) {
      classNumber = parseClass(text);
    } else break;
    consumed++;
  }
  return {
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    ...(classNumber === undefined ? {} : { classNumber }),
    consumed,
  };
}
