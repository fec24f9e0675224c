/** Writes what is true now as a file of expectations: short, in the order of the configuration, and the same each time. */

import type { Service } from "../cloud/service.ts";
import { matchesOf, nameOfMatch, type TenantTemplate, tenantTemplates } from "../cloud/tenant-names.ts";
import type { Ask } from "../config/ask.ts";
import type { Configuration } from "../config/configuration.ts";
import { decodeMessage } from "../dns/decode.ts";
import { formatRcode, RCODE, TYPE } from "../dns/iana.ts";
import type { Message } from "../dns/message.ts";
import { formatName, parseName } from "../dns/name.ts";
import { targetsOf } from "./compare.ts";
import { type FromPlace, formatAsk } from "./questions.ts";
import type { Asker } from "./stage.ts";
import type { Whose } from "./whose.ts";

/** Names of tenants are as many as tenants; those of the first few show what there is. */
const MAX_TENANTS = 5;

/** Questions that belong together, with what is told of them. */
export interface AskGroup {
  readonly comment: string;
  readonly asks: readonly Ask[];
}

/** The public names of each service. */
export function publicNames({ clouds }: Configuration): readonly AskGroup[] {
  const ofTenants = tenantTemplates(clouds);
  return clouds.flatMap(({ name: cloud, services }) =>
    services.map((service) => {
      const era = service.era === undefined ? "" : ` (${service.era})`;
      return {
        comment: `${cloud}, service ${service.name}${era}: ${service.policy}`,
        asks: namesOf(service, ofTenants).map(askOf),
      };
    }),
  );
}

function namesOf(service: Service, ofTenants: readonly TenantTemplate[]): readonly string[] {
  return (service.links[0]?.owners ?? []).flatMap((template) => {
    if (template.needs.size === 0) return [template.text];
    // What waits for a datacenter is no name that clients ask for.
    const found = ofTenants.find((each) => each.service === service && each.template === template);
    if (found === undefined) return [];
    return firstOf(matchesOf(found), MAX_TENANTS).map((match) => nameOfMatch(found, match));
  });
}

function firstOf<T>(values: Iterable<T>, count: number): readonly T[] {
  const first: T[] = [];
  for (const value of values) {
    if (first.push(value) === count) break;
  }
  return first;
}

function askOf(name: string): Ask {
  const qname = parseName(name);
  if (typeof qname === "string") throw new Error(qname);
  return { name: formatName(qname).replace(/\.$/, ""), qname, qtype: TYPE.A };
}

export interface RecordOptions {
  readonly groups: readonly AskGroup[];
  readonly places: readonly FromPlace[];
  /** whether those are all that there are, so that they need not be named */
  readonly isEverywhere: boolean;
  readonly configuration: Configuration;
  readonly whose: Whose;
}

/** The first line of a recorded file: only such a one is written over. */
export const RECORDED = "# Recorded by geodns365 expect --record";

/** The lines of the file, or why it cannot be made. */
export async function record(asker: Asker, options: RecordOptions): Promise<readonly string[] | string> {
  const { groups, places, isEverywhere } = options;
  const lines = [
    `${RECORDED}: what was true then, to be kept true. What is left out is not looked at;`,
    "# without from it is so from every network.",
    "expectations:",
  ];
  for (const { comment, asks } of groups) {
    if (asks.length === 0) continue;
    lines.push(`  # ${comment}`);
    // Names that come to the same from everywhere stand together.
    const tables = new Map<string, { asks: Ask[]; rows: readonly Row[] }>();
    for (const ask of asks) {
      const rows = await rowsOf(ask, asker, options);
      if (typeof rows === "string") return rows;
      const key = JSON.stringify(rows.map(({ expect, from }) => [expect, from.map(({ words }) => words)]));
      const known = tables.get(key);
      if (known === undefined) tables.set(key, { asks: [ask], rows });
      else known.asks.push(ask);
    }
    for (const { asks: together, rows } of tables.values()) {
      for (const { from, expect } of rows) {
        const all = isEverywhere && from.length === places.length;
        lines.push(`  - ask: ${listed(together.map(formatAsk))}`);
        if (!all) lines.push(`    from: ${listed(from.map(({ words }) => words))}`);
        lines.push(`    expect: ${expect}`);
      }
    }
  }
  return lines;
}

interface Row {
  readonly from: readonly FromPlace[];
  readonly expect: string;
}

/** What one question comes to, and from which places. */
async function rowsOf(
  ask: Ask,
  asker: Asker,
  { places, configuration, whose }: RecordOptions,
): Promise<readonly Row[] | string> {
  const rows = new Map<string, FromPlace[]>();
  for (const place of places) {
    const reply = await asker.ask(ask, place.prefix);
    const where = `${formatAsk(ask)} from ${place.words}`;
    if (reply.kind !== "response") return `${where}: ${reply.because ?? "silence"}`;
    const response = decodeMessage(reply.octets);
    if (typeof response === "string") return `${where}: the response is malformed: ${response}`;
    const expect = expectOf(response, { configuration, whose, isResolver: asker.kind === "resolver" });
    rows.set(expect, [...(rows.get(expect) ?? []), place]);
  }
  return [...rows].map(([expect, from]) => ({ expect, from }));
}

function expectOf(
  response: Message,
  {
    configuration,
    whose,
    isResolver,
  }: Pick<RecordOptions, "configuration" | "whose"> & { readonly isResolver: boolean },
): string {
  const { answer, authority, additional, rcode, clientSubnet } = response;
  const [datacenter, other] = whose.datacentersOf(response);
  const chain = targetsOf(response).map((name) => name.replace(/\.$/, ""));
  const ttls = answer.map(({ ttlSeconds }) => ttlSeconds);
  const owners = [...answer, ...authority, ...additional].flatMap((each) => whose.ownersOf(each));
  const clouds = new Set(owners.map(({ cloud }) => cloud));
  const never = configuration.clouds.map(({ name }) => name).filter((name) => !clouds.has(name));
  const parts = [
    ...(datacenter === undefined || other !== undefined ? [] : [`datacenter: ${quoted(datacenter.id)}`]),
    ...(chain.length === 0 ? [] : [`chain: [${chain.map(quoted).join(", ")}]`]),
    ...(rcode === RCODE.NOERROR && answer.length > 0 ? [] : [`rcode: ${formatRcode(rcode)}`]),
    ...(isResolver || clientSubnet === undefined ? [] : [`scope: ${clientSubnet.scopePrefixLength}`]),
    ...(ttls.length === 0 ? [] : [`ttlAtMost: ${Math.max(...ttls)}`]),
    ...(clouds.size === 0 || never.length === 0 ? [] : [`never: [${never.map(quoted).join(", ")}]`]),
  ];
  return `{ ${parts.join(", ")} }`;
}

const listed = (texts: readonly string[]): string => {
  const [first, second] = texts;
  return first !== undefined && second === undefined ? quoted(first) : `[${texts.map(quoted).join(", ")}]`;
};

/** As YAML takes it for a text, in a list too. */
const quoted = (text: string): string =>
  /^[A-Za-z][A-Za-z0-9_./ -]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
