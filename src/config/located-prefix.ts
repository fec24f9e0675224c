/** Prefixes that say where addresses are; those that no address is ever looked up by are refused. */

import { findIpv4Prefix, formatPrefix, type IpPrefix, parsePrefix } from "../ip.ts";

/** A sentence where the text is no prefix, or one of IPv6 addresses that are located by the IPv4 address in them. */
export function parseLocatedPrefix(text: string): IpPrefix | string {
  const prefix = parsePrefix(text);
  const held = typeof prefix === "string" ? undefined : findIpv4Prefix(prefix);
  if (typeof prefix === "string" || held === undefined) return prefix;
  const { block, inner } = held;
  const words = `${formatPrefix(prefix)} lies in ${formatPrefix(block.prefix)} (${block.name})`;
  return `${words}, where the IPv4 address in an address says where it is; write ${formatPrefix(inner)}`;
}
