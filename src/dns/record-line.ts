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
  const typeText = rest[consumed]?.text;
  const type = typeText === undefined ? undefined : parseType(typeText);
  if (type === undefined)
    return typeText === undefined ? "the type is missing" : `"${typeText}" is not a type`;
  const rdata = parseRdata(type, rest.slice(consumed + 1), origin);
  if (typeof rdata === "string") return rdata;
  return { owner, name: domainName(owner), type, ttlSeconds, rdatas: [rdata] };
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
