/** What `--from` takes: the name of a network, which stands for its first prefix, or a prefix. */

import { suggest } from "../config/documents.ts";
import { type IpPrefix, parsePrefix } from "../ip.ts";
import type { Snapshot } from "../snapshot.ts";

/** A sentence where the text is neither. */
export function findFrom({ configuration }: Snapshot, text: string): IpPrefix | string {
  const network = configuration.networks.find(({ name }) => name === text);
  const prefix = network?.prefixes[0] ?? parsePrefix(text);
  if (typeof prefix !== "string" || text.includes("/")) return prefix;
  const names = configuration.networks.map(({ name }) => name);
  return `--from "${text}" is neither a prefix nor a network${suggest(text, names)}`;
}
