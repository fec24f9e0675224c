/** The chain of loopback's datacenter as plain records in one zone, for servers that know no places. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressesOf, frontEndName, LOOPBACK_DATACENTER, QNAME, TAILORED_NAME } from "../lab.ts";

/** A master file and the zone it is of. */
export interface PlainZone {
  readonly apex: string;
  readonly zoneFile: string;
}

export function writePlainZone(folder: string): PlainZone {
  const frontEnd = frontEndName(LOOPBACK_DATACENTER);
  const addresses = addressesOf(LOOPBACK_DATACENTER).map((address) => `${frontEnd}. 10 A ${address}\n`);
  const zoneFile = join(folder, "com.zone");
  writeFileSync(
    zoneFile,
    `$ORIGIN com.
@ 3600 SOA ns1 hostmaster 1 3600 600 604800 60
@ 3600 NS ns1
ns1 3600 A 198.18.0.53
${QNAME}. 300 CNAME ${TAILORED_NAME}.
${TAILORED_NAME}. 60 CNAME ${frontEnd}.
${addresses.join("")}`,
  );
  return { apex: "com", zoneFile };
}
