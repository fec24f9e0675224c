/** How an answer came about: what the log, `explain` and the API each show a part of. */

import type { Choice } from "./cloud/choose.ts";
import type { TailoredName } from "./cloud/tailored-name.ts";
import type { PartOfQuery } from "./dns/decode.ts";
import type { ExtendedError } from "./dns/edns.ts";
import type { Query, RRset, Sections } from "./dns/message.ts";
import type { DomainName } from "./dns/name.ts";
import type { IpAddress } from "./ip.ts";
import type { LocationClass, Snapshot } from "./snapshot.ts";
import type { Vantage } from "./vantage.ts";
import type { Quirk } from "./zone/quirks.ts";

export interface Source {
  readonly address: IpAddress;
  readonly port: number;
  readonly transport: "udp" | "tcp";
  /** where the listener that was asked says more than the query does */
  readonly listener?: ListenerRules;
}

/** What a listener says of everybody who asks there. */
export interface ListenerRules {
  readonly vantage: Vantage | undefined;
  readonly ignoresClientSubnet: boolean;
}

/** The address that an answer is tailored to, and where it comes from. */
export interface Asker {
  readonly address: IpAddress;
  readonly via: "client-subnet" | "vantage" | "source";
}

/** One name on the way, and what was found there. */
export interface Hop {
  readonly name: DomainName;
  readonly zone: DomainName;
  readonly found:
    | "rrset"
    | "cname"
    | "referral"
    | "nodata"
    | "nxdomain"
    | "yxdomain"
    | "servfail"
    | "refused"
    | "script"
    /** words on the answer for another name, in band */
    | "explanation";
  /** the wildcard that stood in for the name (RFC 4592) */
  readonly wildcard: DomainName | undefined;
  /** the DNAME above the name that its CNAME was made from (RFC 6672 §3.2) */
  readonly dname: RRset | undefined;
  /** what it added to the answer */
  readonly rrset: RRset | undefined;
  /** how a tailored name got its answer */
  readonly tailoring: Tailoring | undefined;
}

export interface Tailoring {
  readonly tailored: TailoredName;
  readonly choice: Choice;
  /** undefined for active-datacenter, which no place decides */
  readonly locationClass: LocationClass | undefined;
  /** what ordered the datacenters, where not distance: `list of country DE` */
  readonly order?: string | undefined;
}

/** Why nothing was looked up, or why a chain ends before its last name. */
export type Stop =
  | "not-served"
  | "transfer"
  | "obsolete-type"
  | "no-record-type"
  | "leaves"
  | "loop"
  | "too-long"
  | "first-cname"
  | "scripted"
  | "quirks"
  | Quirk;

export const stopsInWords: Readonly<Record<Stop, string>> = {
  "not-served": "no zone served here holds the name",
  transfer: "a zone transfer, which this server does not do",
  "obsolete-type": "an obsolete type, which is not looked up",
  "no-record-type": "a type that no zone holds",
  leaves: "the chain leaves the zones served here",
  loop: "the chain comes back to a name it has passed",
  "too-long": "the chain has more names than are followed",
  "first-cname": "only the first CNAME is given, as server.answer says",
  scripted: "the chain leads into a scripted zone, whose handler is asked for the next name alone",
  quirks: "the chain leads into a zone with quirks, whose servers are asked for the next name alone",
  "edns-formerr": "the zone cannot read EDNS, by its quirk edns-formerr",
  "underscore-formerr": "the zone cannot read a name with an underscore, by its quirk underscore-formerr",
  "new-types-notimp": "the zone knows no type as new as this, by its quirk new-types-notimp",
};

/** What became of a query that could be read. */
export interface Resolution {
  readonly kind: "resolved";
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly sections: Sections;
  /** the longest prefix whose location the answer depends on; 0 where it depends on none */
  readonly scopePrefixLength: number;
  readonly hops: readonly Hop[];
  /** what a person should know of the answer (RFC 8914) */
  readonly extendedErrors: readonly ExtendedError[];
  /** undefined where the last name was reached */
  readonly stop?: Stop | undefined;
}

export type Trace =
  | { readonly kind: "silence"; readonly source: Source; readonly reason: string }
  | {
      readonly kind: "error";
      readonly source: Source;
      readonly asked: PartOfQuery;
      readonly rcode: number;
      readonly reason: string;
    }
  | {
      readonly kind: "answer";
      readonly source: Source;
      readonly query: Query;
      readonly asker: Asker;
      readonly resolution: Resolution;
    };

/** What there is to know of an answer beside how it came about. */
export interface Observation {
  /** the response; undefined: silence */
  readonly octets: Uint8Array | undefined;
  /** from receipt to answer */
  readonly microseconds: number;
  /** when it was received, since 1970 */
  readonly nowMilliseconds: number;
  /** the one that answered */
  readonly snapshot: Snapshot;
}

export type AnswerTrace = Extract<Trace, { readonly kind: "answer" }>;

/** The last choice on the way, which says what the answer owes to place and states. */
export const lastTailoring = ({ hops }: Resolution): Tailoring | undefined =>
  hops.findLast((hop) => hop.tailoring !== undefined)?.tailoring;

/** The scope that the response tells: none without a client subnet, 0 where that was not used (RFC 7871 §7.2.1). */
export function scopeTold({ query, asker, resolution }: AnswerTrace): number | undefined {
  if (query.clientSubnet === undefined) return undefined;
  return asker.via === "client-subnet" ? resolution.scopePrefixLength : 0;
}
