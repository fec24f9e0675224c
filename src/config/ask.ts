/** Questions as people write them: `outlook.office365.com AAAA`. */

import { parseType } from "../dns/iana.ts";
import { parseName } from "../dns/name.ts";

/** A name and the type asked for, which is A where it is left out. */
export interface Ask {
  readonly name: string;
  readonly qname: Uint8Array;
  readonly qtype: number;
}

/** `outlook.office365.com AAAA`; a sentence for anything else. */
export function parseAsk(text: string): Ask | string {
  const [name = "", type = "A", more] = text.trim().split(/\s+/);
  if (more !== undefined || name === "") return `"${text}" is not a name and a type, like "www.example A"`;
  const qname = parseName(name);
  if (typeof qname === "string") return qname;
  const qtype = parseType(type);
  return qtype === undefined ? `"${type}" is not a type` : { name, qname, qtype };
}
