/** What resolvers are pointed at, so that no chain leads them out of the lab. */

import type { Configuration } from "./config/configuration.ts";
import { type DomainName, selfAndAncestors } from "./dns/name.ts";
import { zonesOfRecords } from "./zone/zone.ts";

/**
 * The zones that a resolver asks here for. Of a zone that is wider than a lab can spare only the names that are served, each
 * without those below it.
 */
export function pointedNames({ zones, wideZones }: Configuration): readonly DomainName[] {
  const whole = [...zones.keys()].filter((apex) => !wideZones.has(apex));
  const single = zonesOfRecords(zones)
    .filter(({ apex }) => wideZones.has(apex))
    .flatMap(({ apex, nodes }) => {
      const served = new Set<DomainName>();
      for (const [name, { rrsets, tailored }] of nodes) {
        const isOfZone = name === apex || name === `ns1.${apex}` || name === `ns2.${apex}`;
        if (!isOfZone && (rrsets.size > 0 || tailored !== undefined)) served.add(name);
      }
      return [...served].filter((name) =>
        [...selfAndAncestors(name)].slice(1).every((above) => !served.has(above)),
      );
    });
  return [...whole, ...single];
}
