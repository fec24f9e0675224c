/** What locates public addresses, in a line of `serve` and `check`. */

import type { Snapshot } from "../snapshot.ts";

export function formatGeoip({ geoip, configuration }: Snapshot): string {
  if (geoip === undefined) {
    const isAtDefault = configuration.settings.location.unlocated === "default";
    return `GeoIP: none, so public addresses are ${isAtDefault ? "at the default location" : "not located"}`;
  }
  const { geoipDatabase: choice } = configuration.settings;
  const which =
    choice.kind === "file" ? `${choice.path} (${geoip.databaseType})` : "embedded iptoasn-country";
  return `GeoIP: ${which} of ${formatGeoipDate({ geoip })}`;
}

/** The day a database was built. */
export const formatGeoipDate = ({ geoip }: Pick<Snapshot, "geoip">): string | undefined =>
  geoip?.buildDate.toISOString().slice(0, 10);
