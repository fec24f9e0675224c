/**
 * Writes tenants as CSV, the same for the same number: `node bench/tenants.ts 1000000 > tenants.csv`. They live in the
 * datacenters of the Worldwide cloud that may hold tenants, most of them with a standby in the same geo or another.
 */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import type { Datacenter } from "../src/cloud/topology.ts";
import { loadConfig } from "../src/config/load.ts";

const configPath = join(import.meta.dirname, "../config/geodns365.yaml");

/** The first line, which names the columns. */
export const TENANTS_HEAD = "tenant,cloud,geo,active,standby\n";

/** Octets that are written at a time, by and large. */
const PIECE = 1 << 18;

const syllables = [
  "con",
  "to",
  "so",
  "fa",
  "bri",
  "kam",
  "wing",
  "tip",
  "nor",
  "th",
  "wind",
  "ad",
  "ven",
  "ture",
];

/** The label of a tenant, 7 to 18 characters that end with its number, so that no two are the same. */
export function tenantLabel(number: number): string {
  const id = scrambled(number).toString(36).padStart(7, "0");
  const length = scrambled(number + 0x5bd1) % 12;
  let label = "";
  for (
    let i = 0, hash = scrambled(number ^ 0x2545f491);
    label.length < length;
    i++, hash = scrambled(hash + i)
  ) {
    label += syllables[hash % syllables.length] ?? "";
  }
  return `${label.slice(0, length)}${id.slice(0, 7)}`.slice(0, 18);
}

/** The line of a tenant. */
export function tenantLine(number: number, datacenters: readonly Datacenter[]): string {
  const hash = scrambled(number ^ 0x68e31da4);
  const active = datacenters[hash % datacenters.length];
  const beside = datacenters.filter(({ geo, id }) => geo === active?.geo && id !== active?.id);
  const others = beside.length > 0 ? beside : datacenters.filter(({ id }) => id !== active?.id);
  // One in eight has no standby.
  const standby = hash % 8 === 7 ? undefined : others[(hash >>> 8) % others.length];
  return `${tenantLabel(number)},Worldwide,${active?.geo ?? ""},${active?.shortId ?? ""},${standby?.shortId ?? ""}\n`;
}

/** The datacenters of the default lab that may hold tenants of the Worldwide cloud. */
export function tenantDatacenters(): readonly Datacenter[] {
  const loaded = loadConfig(configPath);
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  const cloud = loaded.configuration.clouds.find(({ name }) => name === "Worldwide");
  return (cloud?.datacenters ?? []).filter(({ roles }) => roles.has("tenants"));
}

export async function writeTenants(count: number, out: Writable): Promise<void> {
  const datacenters = tenantDatacenters();
  let piece = TENANTS_HEAD;
  for (let number = 0; number < count; number++) {
    piece += tenantLine(number, datacenters);
    if (piece.length < PIECE) continue;
    if (!out.write(piece)) await once(out, "drain");
    piece = "";
  }
  if (!out.write(piece)) await once(out, "drain");
}

/** A number of 32 bits for each one of 32 bits: the steps can be undone, so no two give the same. */
function scrambled(number: number): number {
  let value = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

if (import.meta.main) {
  const [count = "1000000", path] = process.argv.slice(2);
  const out = path === undefined ? process.stdout : createWriteStream(path);
  await writeTenants(Number(count), out);
  if (path !== undefined) {
    out.end();
    await once(out, "finish");
  }
}
