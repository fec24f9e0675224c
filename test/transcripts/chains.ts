/** Asks for chains of names, and writes them in the way of the published ones (transcripts.ts says how those are written). */

import { expect } from "vitest";
import { decodeMessage } from "../../src/dns/decode.ts";
import { CLASS, formatRcode, formatType, TYPE } from "../../src/dns/iana.ts";
import type { Message } from "../../src/dns/message.ts";
import { formatName, parseName } from "../../src/dns/name.ts";
import { formatRdata } from "../../src/dns/rdata.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { parsePrefix } from "../../src/ip.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import { answerAtOnce } from "../answer.ts";
import { type PlaceName, places } from "./lab.ts";

/** A name of a chain with the TTL of its records. */
export interface Step {
  readonly name: string;
  readonly ttl: number;
}

export interface Answered {
  readonly rcode: string;
  readonly steps: readonly Step[];
  readonly addresses: readonly string[];
}

export function ask(lab: Snapshot, name: string, qtype: number, from: PlaceName): Answered {
  const qname = parseName(name);
  const subnet = parsePrefix(places[from]);
  if (typeof qname === "string" || typeof subnet === "string") throw new Error(`${name} cannot be asked`);
  const edns = { udpPayloadSize: 4096, dnssecOk: false, subnet };
  const query = renderQuery({ qname, qtype, qclass: CLASS.IN }, { id: 1, recursionDesired: true, edns });
  const source = {
    address: { family: 4, octets: Uint8Array.of(192, 0, 2, 53) },
    port: 5353,
    transport: "tcp",
  } as const;
  const { octets } = answerAtOnce(lab, query, source, 0);
  const message = octets === undefined ? "silence" : decodeMessage(octets);
  if (typeof message === "string") throw new Error(message);
  return { rcode: formatRcode(message.rcode), ...chainOf(name, message, qtype) };
}

/** The chain from the name asked on; that its records stand in this order is checked on the way. */
function chainOf(asked: string, message: Message, qtype: number): Pick<Answered, "steps" | "addresses"> {
  const steps: Step[] = [];
  const addresses: string[] = [];
  let next = asked;
  for (const { owner, type, ttlSeconds, rdata } of message.answer) {
    const name = withoutDot(formatName(owner));
    expect(name).toBe(next);
    if (type === TYPE.CNAME) next = withoutDot(formatRdata(type, rdata));
    else {
      expect(formatType(type)).toBe(formatType(qtype));
      addresses.push(formatRdata(type, rdata));
    }
    if (steps.at(-1)?.name !== name) steps.push({ name, ttl: ttlSeconds });
  }
  if (next !== steps.at(-1)?.name && steps.length > 0) steps.push({ name: next, ttl: 0 });
  return { steps, addresses };
}

const withoutDot = (name: string): string => name.replace(/\.$/, "");

/** A chain in the way of the published one: what that leaves open is written as there. */
export function asPublished(chain: string, steps: readonly Step[]): string {
  const published = chain.split(" > ");
  const lines: string[] = [];
  let at = 0;
  for (const [i, each] of published.entries()) {
    if (each !== "...") {
      const step = steps[at++];
      lines.push(step === undefined ? "nothing" : stepAsPublished(each, step));
      continue;
    }
    lines.push("...");
    const next = published[i + 1];
    const found =
      next === undefined ? steps.length : steps.findIndex(({ name }, j) => j >= at && fits(next, name));
    at = found < 0 ? at : found;
  }
  const more = steps.slice(at).map(({ name, ttl }) => `${name} ${ttl}`);
  return [...lines, ...more].join(" > ");
}

function stepAsPublished(published: string, { name, ttl }: Step): string {
  const [, publishedTtl] = published.split(" ");
  const shown = fits(published, name) ? (published.split(" ")[0] ?? "") : name;
  if (publishedTtl === undefined) return shown;
  const isBound = publishedTtl.startsWith("~") && ttl >= Number(publishedTtl.slice(1));
  return `${shown} ${isBound ? publishedTtl : ttl}`;
}

function fits(published: string, name: string): boolean {
  const [before = "", ...parts] = (published.split(" ")[0] ?? "").split("*");
  if (parts.length === 0) return name === before;
  const after = parts.join("*");
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}
