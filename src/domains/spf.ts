/** SPF records (RFC 7208), as far as an administrator gets them wrong. */

import { TYPE } from "../dns/iana.ts";
import { domainName, parseName } from "../dns/name.ts";
import { type Ask, find } from "./lookup.ts";
import { textOf } from "./text.ts";

/** RFC 7208 §4.6.4: terms that make the checker ask. */
const MAX_LOOKUPS = 10;
/** Where it is too many already, nobody needs to know how many. */
const ENOUGH = 4 * MAX_LOOKUPS;

/** Whether a text is an SPF record (RFC 7208 §4.5). */
export const isSpf = (text: string): boolean => /^v=spf1( |$)/i.test(text);

/** What is wrong with an SPF record that has to include a name, and how bad that is. */
export async function faultsOfSpf(
  text: string,
  include: string,
  ask: Ask,
): Promise<readonly { readonly status: "wrong" | "harmful"; readonly why: string }[]> {
  const terms = termsOf(text);
  const all = terms.findIndex((term) => /^[-~?+]?all$/i.test(term));
  const at = terms.findIndex((term) => /^\+?include:/i.test(term) && hostOf(term) === include);
  const faults: { readonly status: "wrong" | "harmful"; readonly why: string }[] = [];
  if (at < 0)
    faults.push({ status: "wrong", why: `it does not include ${include}, so mail of the cloud fails` });
  else if (all >= 0 && all < at)
    faults.push({
      status: "wrong",
      why: `include:${include} stands behind "${terms[all]}", where nobody reads it`,
    });
  if (/^\+?all$/i.test(terms[all] ?? ""))
    faults.push({ status: "harmful", why: `"${terms[all]}" lets everyone send mail of the domain` });
  const lookups = await countLookups(text, ask, new Set());
  if (lookups > MAX_LOOKUPS)
    faults.push({
      status: "harmful",
      why: `it takes ${lookups >= ENOUGH ? `${ENOUGH} or more` : lookups} lookups, and over ${MAX_LOOKUPS} every check fails (RFC 7208 §4.6.4)`,
    });
  return faults;
}

const termsOf = (text: string): readonly string[] => text.trim().split(/ +/).slice(1);

const hostOf = (term: string): string =>
  term
    .replace(/^[^:=]*[:=]/, "")
    .replace(/\.$/, "")
    .toLowerCase();

/** With those of what is included, as far as the server tells. */
async function countLookups(text: string, ask: Ask, above: ReadonlySet<string>): Promise<number> {
  let count = 0;
  for (const term of termsOf(text)) {
    if (!/^[-~?+]?(include:|exists:|redirect=|(a|mx|ptr)([:/]|$))/i.test(term)) continue;
    count++;
    if (count >= ENOUGH) return ENOUGH;
    if (!/^[-~?+]?(include:|redirect=)/i.test(term)) continue;
    const host = hostOf(term);
    const name = parseName(host);
    // A name with macros is another one for each sender.
    if (typeof name === "string" || host.includes("%") || above.has(host) || above.size >= MAX_LOOKUPS)
      continue;
    const found = await find(ask, domainName(name), TYPE.TXT);
    const inner = found.kind === "records" ? found.rdatas.map(textOf).find(isSpf) : undefined;
    if (inner !== undefined) count += await countLookups(inner, ask, new Set([...above, host]));
  }
  return Math.min(count, ENOUGH);
}
