/** Serials of zones: each moves when the zone's content does, and only then. */

import { createHash } from "node:crypto";
import type { RRset } from "../dns/message.ts";
import type { DomainName } from "../dns/name.ts";
import {
  type Alternatives,
  serialOf,
  soaWithSerial,
  type Zone,
  type Zones,
  zonesOfRecords,
} from "../zone/zone.ts";
import type { StoredSerial, StoredState } from "./stored-state.ts";

export interface NextSerials {
  readonly serials: ReadonlyMap<DomainName, number>;
  /** what to keep; zones that are gone stay in it, so that one that returns does not go back */
  readonly stored: StoredState["zones"];
  readonly changed: boolean;
}

export function nextSerials<T>(
  zones: Zones<T>,
  stored: StoredState["zones"],
  alternativesOf: (tailored: T) => Alternatives,
  /** of a zone seen for the first time */
  firstSerial = 1,
): NextSerials {
  const serials = new Map<DomainName, number>();
  const kept = new Map(Object.entries(stored));
  let changed = false;
  // What a handler answers is not known here, so a scripted zone has no serial to count.
  for (const zone of zonesOfRecords(zones)) {
    const { apex } = zone;
    const before = kept.get(apex);
    // A given serial is kept too: where the configuration no longer gives one, counting goes on from there. Whoever
    // gives it says by it what has changed, so a zone of a million records is not read through.
    const digest = zone.serialIsGiven ? NO_DIGEST : digestOfZone(zone, alternativesOf);
    const serial = zone.serialIsGiven ? serialOf(zone.soa) : countedSerial(before, digest, firstSerial);
    serials.set(apex, serial);
    if (before?.serial === serial && before.digest === digest) continue;
    kept.set(apex, { serial, digest });
    changed = true;
  }
  return { serials, stored: Object.fromEntries(kept), changed };
}

/** Stands for a content that nobody looked at; no digest is like it. */
const NO_DIGEST = "0".repeat(64);

function countedSerial(before: StoredSerial | undefined, digest: string, firstSerial: number): number {
  if (before === undefined) return firstSerial;
  return before.digest === digest ? before.serial : serialAfter(before.serial);
}

/** RFC 1982 §3.1: a sum modulo 2^32. 0 is left out, for some take it for "none". */
export const serialAfter = (serial: number): number => (serial + 1) >>> 0 || 1;

/**
 * SHA-256 over all that a zone can answer, in hex: its records, and at each tailored name those of every choice. The
 * serial is left out, and so is every order but that of preference.
 */
export function digestOfZone<T>(zone: Zone<T>, alternativesOf: (tailored: T) => Alternatives): string {
  const hash = createHash("sha256");
  hash.update(`${rrsetText(soaWithSerial(zone.soa, 0))}\n`);
  for (const [name, { rrsets, tailored }] of [...zone.nodes.kept()].toSorted(byName)) {
    const plain = [...rrsets.values()].filter(({ type }) => type !== zone.soa.type);
    // An empty non-terminal holds nothing: the names below it say that it exists.
    if (plain.length > 0) hash.update(`${name} ${rrsetsText(plain)}\n`);
    if (tailored !== undefined)
      hash.update(`${name} tailored ${alternativesText(alternativesOf(tailored))}\n`);
  }
  const virtual = zone.nodes.virtual?.digest(({ rrsets, tailored }) =>
    [
      rrsetsText([...rrsets.values()]),
      tailored === undefined ? "" : alternativesText(alternativesOf(tailored)),
    ].join(" tailored "),
  );
  if (virtual !== undefined) hash.update(`virtual ${virtual}\n`);
  return hash.digest("hex");
}

const byName = ([a]: readonly [DomainName, unknown], [b]: readonly [DomainName, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

function alternativesText({ choices, inOrder }: Alternatives): string {
  const texts = [
    ...new Set(
      choices.map(({ rule, rrsets }) => `${rule === undefined ? "" : `${rule}: `}${rrsetsText(rrsets)}`),
    ),
  ];
  return (inOrder ? texts : texts.toSorted()).join(" | ");
}

const rrsetsText = (rrsets: readonly RRset[]): string => rrsets.map(rrsetText).toSorted().join(" ");

/** Owners are compared without case (RFC 4343 §3), so the name that they stand for says enough. */
const rrsetText = ({ type, ttlSeconds, rdatas }: RRset): string =>
  `${type}/${ttlSeconds}/${rdatas
    .map((rdata) => Buffer.from(rdata).toString("hex"))
    .toSorted()
    .join(",")}`;
