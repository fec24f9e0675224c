/** A query as its handler gets it: the question and, of the OPT, what dns2 knows. */

import type { ClientSubnet } from "../dns/client-subnet.ts";
import { renderOpt } from "../dns/edns.ts";
import { OPTION } from "../dns/iana.ts";
import type { Query } from "../dns/message.ts";
import { renderQuery } from "../dns/render.ts";

/** ARCOUNT, the last of the header's counts (RFC 1035 §4.1.1); its upper octet stays 0. */
const ARCOUNT_LOW = 11;

/** Renders a message for dns2 to parse; `shown` is the client subnet that the handler is to see. */
export function renderHandlerQuery(
  { header, question, edns }: Pick<Query, "header" | "question" | "edns">,
  shown: ClientSubnet | undefined,
): Uint8Array {
  const { id, recursionDesired } = header;
  const octets = renderQuery(question, { id, recursionDesired, edns: undefined });
  if (edns === undefined) return octets;
  const options = shown === undefined ? [] : [{ code: OPTION.CLIENT_SUBNET, octets: paddedSubnet(shown) }];
  octets[ARCOUNT_LOW] = 1;
  return Uint8Array.from([...octets, ...renderOpt({ ...edns, options }, 0)]);
}

/**
 * The option with its address whole. RFC 7871 §6 has it end with the prefix, but dns2 reads IPv6 by 16 bits and loses
 * the whole OPT where they are an odd number of octets; padded, it has the shape that dns2 gives an even one.
 */
function paddedSubnet({ family, sourcePrefixLength, addressOctets }: ClientSubnet): Uint8Array {
  const addressLength = family === 1 ? 4 : family === 2 ? 16 : 0;
  const octets = new Uint8Array(4 + addressLength);
  octets.set([family >> 8, family & 0xff, sourcePrefixLength, 0]);
  octets.set(addressOctets, 4);
  return octets;
}
