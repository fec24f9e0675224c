/** What a response comes to, so that a resolver's and a server's can be compared. */

import { formatRcode } from "../../../src/dns/iana.ts";
import { formatRecord, type Message } from "../../../src/dns/message.ts";

/** RCODE and answer, whatever TTL, order and spelling. */
export function outcomeOf({ rcode, answer }: Message): string {
  const records = answer.map((record) => formatRecord({ ...record, ttlSeconds: 0 }).toLowerCase());
  return [formatRcode(rcode), ...records.toSorted()].join("; ");
}
