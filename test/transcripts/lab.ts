/** Where transcripts were made, whose names they show, and the default lab with all of that beside it. */

import { resolve } from "node:path";
import type { Snapshot } from "../../src/snapshot.ts";
import { labOf } from "../audit/labs.ts";

/** By what a transcript says of the place: a prefix that is there. Those of the default lab stand for their cities. */
export const places = {
  London: "10.1.0.0/24",
  Seattle: "10.9.0.0/24",
  Amsterdam: "10.51.0.0/24",
  Frankfurt: "10.8.0.0/24",
  Dubai: "10.52.0.0/24",
  Bangkok: "10.53.0.0/24",
  "Hong Kong": "10.54.0.0/24",
  Sydney: "10.4.0.0/24",
  Auckland: "10.55.0.0/24",
  "Los Angeles": "10.56.0.0/24",
  Chicago: "10.57.0.0/24",
  Atlanta: "10.58.0.0/24",
} as const satisfies Record<string, string>;

export type PlaceName = keyof typeof places;

/**
 * The names of tenants and domains are the published ones; where only their region is published, made up. Numbers of clumps,
 * farms and nets are moved so that a tenant's slot makes the published ones, and out of the way of those.
 */
const yaml = (eras: Readonly<Record<string, string>>): string => `
include: [${JSON.stringify(resolve(import.meta.dirname, "../../config/geodns365.yaml"))}]
clouds:
  Worldwide:
    eras: ${JSON.stringify(eras)}
    datacenters:
      lhr: { farms: { geo: 104, clump: 302, farm: 187170, net: 308 } }
      zurich: { farms: { geo: 104, clump: 8729, farm: 190160, net: 572 } }
      gavle: { farms: { geo: 104, clump: 4464, farm: 193160, net: 516 } }
      boydton: { farms: { geo: 105, clump: 4318, farm: 192970, net: 436 } }
      yyz: { farms: { geo: 105, clump: 4500, farm: 191000, net: 420 } }
      quincy: { farms: { geo: 105, clump: 29, farm: 191080, net: 468 } }
      syd: { farms: { geo: 106, clump: 4352, farm: 192048, net: 324 } }
      cdg: { farms: { geo: 104, clump: 4336, farm: 190032, net: 372 } }
zones: [contoso.com]
records:
  contoso.com:
    - autodiscover 3600 CNAME autodiscover.outlook.com.
    - enterpriseenrollment 3600 CNAME enterpriseenrollment-s.manage.microsoft.com.
---
networks:
  amsterdam: { prefixes: [10.51.0.0/16], place: { city: Amsterdam, country: NL, coordinates: [52.37, 4.9] } }
  dubai: { prefixes: [10.52.0.0/16], place: { city: Dubai, country: AE, coordinates: [25.2, 55.27] } }
  bangkok: { prefixes: [10.53.0.0/16], place: { city: Bangkok, country: TH, coordinates: [13.76, 100.5] } }
  hong-kong: { prefixes: [10.54.0.0/16], place: { city: Hong Kong, country: HK, coordinates: [22.32, 114.17] } }
  auckland: { prefixes: [10.55.0.0/16], place: { city: Auckland, country: NZ, coordinates: [-36.85, 174.76] } }
  los-angeles: { prefixes: [10.56.0.0/16], place: { city: Los Angeles, country: US, coordinates: [34.05, -118.24] } }
  chicago: { prefixes: [10.57.0.0/16], place: { city: Chicago, country: US, coordinates: [41.88, -87.63] } }
  atlanta: { prefixes: [10.58.0.0/16], place: { city: Atlanta, country: US, coordinates: [33.75, -84.39] } }
---
tenants:
  alanedwardes: { cloud: Worldwide, geo: GBR, active: lhr, slot: 0 }
  appslosrios: { cloud: Worldwide, geo: NAM, active: quincy, slot: 12 }
  lab-us: { cloud: Worldwide, geo: NAM, active: boydton, slot: 0 }
  lab-swiss: { cloud: Worldwide, geo: CHE, active: zurich, slot: 11 }
  lab-australia: { cloud: Worldwide, geo: AUS, active: syd }
  greatclips: { cloud: Worldwide, geo: NAM, active: san-antonio, domains: [greatclips.com] }
  mit: { cloud: Worldwide, geo: NAM, active: boydton, domains: [mit.edu] }
  rmutl: { cloud: Worldwide, geo: APC, active: sin, domains: [rmutl.ac.th] }
`;

const labs = new Map<string, Snapshot>();

/** The lab in these eras. */
export function labIn(eras: Readonly<Record<string, string>>): Snapshot {
  const text = yaml(eras);
  const lab = labs.get(text) ?? labOf(text);
  labs.set(text, lab);
  return lab;
}
