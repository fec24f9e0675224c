/** Small configurations, loaded from text. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { type GeoipDatabase, openGeoip } from "../../src/geo/geoip.ts";
import { buildSnapshot, type Snapshot } from "../../src/snapshot.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";

/** A little of the world: a country in a country, both families, and a hole. */
export const smallGeoip = (): GeoipDatabase =>
  openGeoip(
    writeMmdb({
      "8.0.0.0/8": { country_code: "US" },
      "8.8.8.0/24": { country_code: "JP" },
      "2.0.0.0/12": { country_code: "FR" },
      "2.0.3.0/24": { country_code: "CN" },
      "5.128.0.0/10": { country_code: "DE" },
      "2001:200::/32": { country_code: "JP" },
      "2a00:1000::/22": { country_code: "DE" },
      "2a00:1001::/32": { country_code: "AT" },
    }),
  );

export function loadLab(path: string, geoip?: GeoipDatabase): Snapshot {
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return buildSnapshot(loaded.configuration, geoip);
}

export function labOf(yaml: string): Snapshot {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-audit-"));
  try {
    writeFileSync(join(folder, "lab.yaml"), yaml);
    return loadLab(join(folder, "lab.yaml"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Two datacenters, an office near the far one, and names of every kind. */
export const shop = (changes: { readonly office?: string; readonly tailored?: string } = {}): string => `
geoip: { database: none }
defaultLocation: { city: Boydton, country: US, coordinates: [36.67, -78.39] }
---
networks:
  ${changes.office ?? "tokyo-office: { prefixes: [10.0.0.0/8], place: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] } }"}
---
cloud: Shop
zones: [shop.example]
datacenters:
  tyo: { city: Tokyo, country: JP, coordinates: [35.68, 139.69], geo: JPN, roles: [front-end], addresses: [198.18.1.0/24] }
  chi: { city: Chicago, country: US, coordinates: [41.88, -87.63], geo: NAM, roles: [front-end], addresses: [198.18.2.0/24] }
services:
  web: { policy: nearest-datacenter, names: [www.shop.example], ttl: 60, addresses: { slice: 0, count: 2 } }
  api: { policy: nearest-datacenter, names: [api.shop.example], ttl: 60, addresses: { slice: 1, count: 2 } }
records:
  shop.example: ["plain A 192.0.2.1", "alias CNAME two-steps"]
tailored:
  shop.example:
    two-steps: { networks: { 192.0.2.0/24: [A 192.0.2.3] }, default: [CNAME www] }
    ${changes.tailored ?? "mail: { networks: { 10.1.0.0/16: [MX 10 mx1] }, countries: { JP: [MX 10 mx2] }, default: [MX 10 mx3] }"}
`;
