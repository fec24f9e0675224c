/** `geodns365 zone`: a zone as it is seen from one place, as a master file. */

import { once } from "node:events";
import { suggest } from "../config/documents.ts";
import { domainName } from "../dns/name.ts";
import { exportZone } from "../export.ts";
import { findFrom } from "../from.ts";
import { formatPrefix, type IpPrefix } from "../ip.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import { EXIT, misuse } from "./exit.ts";
import { loadForCommand } from "./load.ts";

export interface ZoneOptions {
  /** wire format */
  readonly apex: Uint8Array;
  /** a prefix or the name of a network; this machine where absent */
  readonly from?: string;
  readonly config: string;
  /** where the server keeps its state, instead of what the configuration says */
  readonly state?: StateFileChoice;
}

/** How many characters are written at a time. */
const CHUNK = 1 << 16;

export async function zoneCommand({ apex, from, config, state }: ZoneOptions): Promise<number> {
  const snapshot = await loadForCommand(config, state);
  if (snapshot === undefined) return EXIT.foundWrong;
  const name = domainName(apex);
  const { zones } = snapshot.configuration;
  const zone = zones.get(name);
  if (zone === undefined) return misuse(`${name} is no zone served${suggest(name, [...zones.keys()])}`);
  if (zone.kind === "scripted")
    return misuse(`${name} is scripted: ${zone.handler} makes its answers one by one`);
  const prefix = from === undefined ? thisMachine : findFrom(snapshot, from);
  if (typeof prefix === "string") return misuse(prefix);
  const asker = { address: { family: prefix.family, octets: prefix.octets }, via: "source" } as const;
  let chunk = `; ${name} as seen from ${from === undefined ? "this machine" : from}, ${formatPrefix(prefix)}\n`;
  for (const line of exportZone(snapshot, zone, asker)) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK) continue;
    await write(chunk);
    chunk = "";
  }
  await write(chunk);
  return EXIT.good;
}

/** Who asks a server on its own machine has this address. */
const thisMachine: IpPrefix = { family: 4, octets: Uint8Array.of(127, 0, 0, 1), length: 32 };

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}
