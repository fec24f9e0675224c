/** Places in words: the name of a network, or a prefix. */

import { suggest } from "./config/documents.ts";
import { type IpPrefix, parsePrefix } from "./ip.ts";
import type { Snapshot } from "./snapshot.ts";

/** A sentence where the text is neither. */
export function findFrom({ configuration }: Snapshot, text: string): IpPrefix | string {
  const network = configuration.networks.find(({ name }) => name === text);
  const prefix = network?.prefixes[0] ?? parsePrefix(text);
  if (typeof prefix !== "string" || text.includes("/")) return prefix;
  const names = configuration.networks.map(({ name }) => name);
  return `--from "${text}" is neither a prefix nor a network${suggest(text, names)}`;
}

/** The prefixes of a network by its name, or the one prefix or address given; a sentence where the text is none of these. */
export function findPrefixes({ configuration }: Snapshot, text: string): readonly IpPrefix[] | string {
  const network = configuration.networks.find(({ name }) => name === text);
  if (network !== undefined) return network.prefixes;
  const prefix = parsePrefix(text);
  if (typeof prefix !== "string") return [prefix];
  if (text.includes("/")) return prefix;
  const names = configuration.networks.map(({ name }) => name);
  return `"${text}" is neither an address, a prefix nor a network${suggest(text, names)}`;
}
