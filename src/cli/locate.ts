/** `geodns365 locate`: where an address, a prefix or a network is, and which datacenters are nearest to it. */

import { findPrefixes } from "../from.ts";
import { type Located, type LocatedPart, type LocatedSet, locate } from "../locate.ts";
import { EXIT, misuse } from "./exit.ts";
import { loadForCommand } from "./load.ts";
import { formatNearness } from "./nearness.ts";

export interface LocateOptions {
  /** an address, a prefix or the name of a network */
  readonly what: string;
  readonly config: string;
  readonly json: boolean;
}

export async function locateCommand({ what, config, json }: LocateOptions): Promise<number> {
  const snapshot = await loadForCommand(config);
  if (snapshot === undefined) return EXIT.foundWrong;
  const prefixes = findPrefixes(snapshot, what);
  if (typeof prefixes === "string") return misuse(prefixes);
  const located = prefixes.map((prefix) => locate(snapshot, prefix));
  if (json) {
    console.log(JSON.stringify(located, null, 2));
    return EXIT.good;
  }
  for (const [i, each] of located.entries()) {
    if (i > 0) console.log("");
    for (const line of formatLocated(each)) console.log(line);
  }
  return EXIT.good;
}

export function* formatLocated({ prefix, isAlike, parts, moreParts, sets }: Located): Generator<string> {
  const [first] = parts;
  if (first !== undefined && isAlike) yield `${prefix}: ${formatPlace(first)}`;
  else {
    yield `${prefix} is not all at one place:`;
    for (const part of parts) yield `   ${part.prefix}: ${formatPlace(part)}; ${part.first.join(", ")}`;
    if (moreParts) yield "   and more";
    if (first !== undefined) yield `What follows is for ${first.prefix}.`;
  }
  for (const set of sets) {
    yield "";
    yield* formatSet(set, first?.prefix ?? prefix);
  }
}

function formatPlace({ rule, name, place, override, locatedAs }: LocatedPart): string {
  const where = `${place.city ?? place.country ?? "a point"} [${place.coordinates.join(", ")}]`;
  switch (rule) {
    case "network":
      return `${where}, by network ${name}, ${locatedAs}`;
    case "geoip":
      return `${where}, by GeoIP ${name ?? "without a country"}${override === undefined ? "" : ` and the place given to ${override}`}, ${locatedAs}`;
    case "default":
      return `${where}, the default location, ${locatedAs}`;
    case "unlocated":
      return name === undefined
        ? `nothing tells where, ${locatedAs}`
        : `nothing tells where in ${name}, by GeoIP, ${locatedAs}`;
    default:
      return rule satisfies never;
  }
}

function* formatSet(
  { cloud, names, class: number, scope, scopePrefixLength, rule, order, datacenters }: LocatedSet,
  prefix: string,
): Generator<string> {
  yield `${cloud === undefined ? "" : `${cloud}: `}${names.join(", ")}`;
  const isNarrower = scopePrefixLength > Number(prefix.slice(prefix.indexOf("/") + 1));
  const narrower = isNarrower ? `, narrower than ${prefix}` : "";
  const by = rule ?? order;
  yield `   class ${number}, scope ${scope}${narrower}${by === undefined ? "" : `, by ${by}`}`;
  const width = Math.max(0, ...datacenters.map(({ id }) => id.length));
  for (const [i, datacenter] of datacenters.entries()) {
    const { id, city, kilometres } = datacenter;
    const nth = String(i + 1).padStart(2);
    const why = formatNearness(datacenter);
    yield `   ${nth}. ${id.padEnd(width)} ${String(kilometres).padStart(6)} km  ${city ?? ""}${why}`.trimEnd();
  }
}
