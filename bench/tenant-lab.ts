/** Many tenants with made-up names: the files that servers load, and the queries for them. The same number, the same names. */

import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { networks, query } from "./lab.ts";
import { TENANTS_HEAD, tenantDatacenters, tenantLabel, tenantLine } from "./tenants.ts";

export interface TenantLab {
  readonly apex: string;
  /** a master file with a CNAME for each */
  readonly zoneFile: string;
  /** a tenants YAML that names a CSV file with each */
  readonly tenantsFile: string;
}

const APEX = "sharepoint.com";

/** Where peers' CNAMEs lead: out of the zone, so that none follows them. The length is that of a real one. */
const TARGET = "190016-ipv4v6e.farm.dprodmgd104.sharepointonline.com.akadns.net.";

export function writeTenantLab(folder: string, count: number): TenantLab {
  const zoneFile = join(folder, "tenants.zone");
  const head = `$ORIGIN ${APEX}.\n@ 3600 SOA ns1 hostmaster 1 3600 600 604800 60\n@ 3600 NS ns1\nns1 3600 A 198.18.0.53\n`;
  writeLines(zoneFile, head, count, (i) => `${tenantLabel(i)} 300 CNAME ${TARGET}\n`);
  const csvFile = join(folder, "tenants.csv");
  const datacenters = tenantDatacenters();
  writeLines(csvFile, TENANTS_HEAD, count, (i) => tenantLine(i, datacenters));
  const tenantsFile = join(folder, "tenants.yaml");
  writeFileSync(tenantsFile, `tenantFiles: [${csvFile}]\n`);
  return { apex: APEX, zoneFile, tenantsFile };
}

/** The owner name that every server has for a tenant. */
export const tenantOwner = (index: number): string => `${tenantLabel(index)}.${APEX}`;

/** Queries for tenants drawn at random, from each network in turn; another seed draws others. */
export function* tenantQueries(tenants: number, queries: number, seed: number): Generator<Buffer> {
  const random = randomNumbers(seed);
  for (let i = 0; i < queries; i++) {
    yield query(tenantOwner(random() % tenants), networks[i % networks.length]?.subnet);
  }
}

/** 32 bits at a time (mulberry32): what is drawn is the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function writeLines(path: string, head: string, count: number, line: (index: number) => string): void {
  const file = openSync(path, "w");
  writeSync(file, head);
  const LINES_AT_ONCE = 10_000;
  for (let from = 0; from < count; from += LINES_AT_ONCE) {
    const length = Math.min(LINES_AT_ONCE, count - from);
    writeSync(file, Array.from({ length }, (_, i) => line(from + i)).join(""));
  }
  closeSync(file);
}
