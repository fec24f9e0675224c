/** MaxMind's own test databases: the ones that locate, and the ones that must be refused and why. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const maxmindFolder = join(import.meta.dirname, "maxmind-test-data");

export const readMaxmindFile = (name: string): Buffer => readFileSync(join(maxmindFolder, `${name}.mmdb`));

/** Every file there is, without its ending. */
export const maxmindFiles: readonly string[] = globSync("**/*.mmdb", { cwd: maxmindFolder })
  .map((name) => name.replace(/\.mmdb$/, ""))
  .toSorted();

/** Files with locations in them. */
export const goodMaxmindFiles = [
  "GeoIP2-City-Test",
  "GeoIP2-Country-Test",
  "GeoIP2-Enterprise-Test",
  "GeoLite2-City-Test",
  "GeoLite2-Country-Test",
] as const;

const NO_LOCATIONS =
  "the database gives no country, continent or coordinates; use a country or city database";
const LONG_VALUE = "cannot read its metadata (a value runs past the end of its section)";
const OUTSIDE = "a record of its search tree points outside the data section";
const DEEP = "cannot read its data on 1.0.0.0 (values lie more than 512 deep in each other)";

/** What is wrong with the others. */
export const refusedMaxmindFiles: Readonly<Record<string, string>> = {
  "GeoIP2-City-Test-Broken-Double-Format":
    "cannot read its data on 2.125.160.216 (a value of type 3 has a size of 5)",
  "GeoIP2-City-Test-Invalid-Node-Count": "its search tree of 100000 nodes is longer than the file",
  "GeoLite2-ASN-Test": NO_LOCATIONS,
  "MaxMind-DB-no-ipv4-search-tree": NO_LOCATIONS,
  "MaxMind-DB-string-value-entries": NO_LOCATIONS,
  "MaxMind-DB-test-broken-pointers-24":
    "cannot read its data on 1.1.1.16 (a pointer leads out of its section)",
  "MaxMind-DB-test-broken-search-tree-24": "its search tree is deeper than the 32 bits of an address",
  "MaxMind-DB-test-decoder": NO_LOCATIONS,
  "MaxMind-DB-test-ipv4-24": NO_LOCATIONS,
  "MaxMind-DB-test-ipv4-28": NO_LOCATIONS,
  "MaxMind-DB-test-ipv4-32": NO_LOCATIONS,
  "MaxMind-DB-test-ipv6-24": NO_LOCATIONS,
  "MaxMind-DB-test-ipv6-28": NO_LOCATIONS,
  "MaxMind-DB-test-ipv6-32": NO_LOCATIONS,
  "MaxMind-DB-test-metadata-pointers": NO_LOCATIONS,
  "MaxMind-DB-test-mixed-24": NO_LOCATIONS,
  "MaxMind-DB-test-mixed-28": NO_LOCATIONS,
  "MaxMind-DB-test-mixed-32": NO_LOCATIONS,
  "MaxMind-DB-test-nested": NO_LOCATIONS,
  "MaxMind-DB-test-pointer-decoder": NO_LOCATIONS,
  "bad-data/libmaxminddb/libmaxminddb-corrupt-search-tree": NO_LOCATIONS,
  "bad-data/libmaxminddb/libmaxminddb-deep-array-nesting": DEEP,
  "bad-data/libmaxminddb/libmaxminddb-deep-nesting": DEEP,
  "bad-data/libmaxminddb/libmaxminddb-empty-array-last-in-metadata": NO_LOCATIONS,
  "bad-data/libmaxminddb/libmaxminddb-empty-map-last-in-metadata": NO_LOCATIONS,
  "bad-data/libmaxminddb/libmaxminddb-metadata-marker-only": "its metadata is empty",
  "bad-data/libmaxminddb/libmaxminddb-offset-integer-overflow":
    "cannot read its metadata (a pointer leads out of its section)",
  "bad-data/libmaxminddb/libmaxminddb-oversized-array":
    "cannot read its data on 0.0.0.0 (a value runs past the end of its section)",
  "bad-data/libmaxminddb/libmaxminddb-oversized-map":
    "cannot read its data on 0.0.0.0 (a value runs past the end of its section)",
  "bad-data/libmaxminddb/libmaxminddb-separator-record-max-left": OUTSIDE,
  "bad-data/libmaxminddb/libmaxminddb-separator-record-min-left": OUTSIDE,
  "bad-data/libmaxminddb/libmaxminddb-separator-record-min-right": OUTSIDE,
  "bad-data/libmaxminddb/libmaxminddb-uint64-max-epoch": "it has no build date",
  "bad-data/maxminddb-golang/cyclic-data-structure": LONG_VALUE,
  "bad-data/maxminddb-golang/invalid-bytes-length": LONG_VALUE,
  "bad-data/maxminddb-golang/invalid-data-record-offset":
    "cannot read its metadata (a key of a map is no text)",
  "bad-data/maxminddb-golang/invalid-map-key-length": LONG_VALUE,
  "bad-data/maxminddb-golang/invalid-string-length": LONG_VALUE,
  "bad-data/maxminddb-golang/metadata-is-an-uint128": LONG_VALUE,
  "bad-data/maxminddb-golang/unexpected-bytes": LONG_VALUE,
  "bad-data/maxminddb-python/bad-unicode-in-map-key": OUTSIDE,
};
