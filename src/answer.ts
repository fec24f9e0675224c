/**
 * The path of a query, from octets to octets: decode, locate, look up, choose, render. Nothing here waits, reads a clock,
 * rolls dice or logs; the same question to the same snapshot from the same source has the same answer.
 */

import { resolveChaos } from "./chaos.ts";
import { clientSubnetOption } from "./dns/client-subnet.ts";
import { answerCookie, type CookieAnswer } from "./dns/cookie.ts";
import { decodeQuery, type PartOfQuery } from "./dns/decode.ts";
import {
  EDNS_VERSION,
  type Edns,
  type EdnsOption,
  extendedErrorOption,
  keepaliveOption,
} from "./dns/edns.ts";
import { CLASS, formatClass, OPCODE, OPTION, RCODE, TYPE } from "./dns/iana.ts";
import { noSections, type Query, type QueryHeader, type Response } from "./dns/message.ts";
import { domainName } from "./dns/name.ts";
import { isTruncated, MAX_TCP_OCTETS, MIN_UDP_OCTETS, renderResponse } from "./dns/render.ts";
import { renderBadKeyTsig } from "./dns/tsig.ts";
import { explainInBand } from "./in-band.ts";
import { prefixContains } from "./ip.ts";
import { findZoneOf, notAnswered, notSupported, refused, resolve } from "./resolve.ts";
import type { HandlerOutcome } from "./script/script-thread.ts";
import { resolveScripted } from "./scripted.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Asker, type Resolution, type Source, stopsInWords, type Trace } from "./trace.ts";
import { isHeaderAlone, type Quirk, quirkFor, rcodeOfQuirk } from "./zone/quirks.ts";
import type { ScriptedZone } from "./zone/scripted-zone.ts";

/** What there is to send, or what a handler is to be asked before there is. */
export type Answer = Answered | Deferred;

export interface Answered {
  readonly kind: "answered";
  /** undefined: silence */
  readonly octets: Uint8Array | undefined;
  readonly trace: Trace;
}

/** A query for a scripted zone: the one exception from the straight line, finished by `finishAnswer`. */
export interface Deferred {
  readonly kind: "deferred";
  readonly zone: ScriptedZone;
  readonly query: Query;
  readonly source: Source;
  readonly asker: Asker;
  /** what the handler is to see of the query: its client subnet only where that counts */
  readonly shown: Query["clientSubnet"];
  readonly snapshot: Snapshot;
  readonly cookie: CookieAnswer | undefined;
}

/** `nowSeconds` is the time in seconds since 1970, which cookies carry. */
export function answer(snapshot: Snapshot, message: Uint8Array, source: Source, nowSeconds: number): Answer {
  const decoded = decodeQuery(message);
  switch (decoded.kind) {
    case "silence":
      return {
        kind: "answered",
        octets: undefined,
        trace: { kind: "silence", source, reason: decoded.reason },
      };
    case "error": {
      const quirk = findQuirk(snapshot, decoded.asked);
      if (quirk !== undefined && isHeaderAlone(quirk)) {
        const { asked } = decoded;
        const [octets, rcode] = [renderHeader(asked.header, quirk), rcodeOfQuirk(quirk)];
        const trace = { kind: "error", source, asked, rcode, reason: stopsInWords[quirk] } as const;
        return { kind: "answered", octets, trace };
      }
      const { asked, rcode, reason } = decoded;
      const cookie = answerQueryCookie(snapshot, asked, source, nowSeconds);
      const resolution = rcode === RCODE.REFUSED ? notSupported(reason) : notAnswered(rcode);
      const octets = render(snapshot, asked, resolution, source, cookie);
      return { kind: "answered", octets, trace: { kind: "error", source, asked, rcode, reason } };
    }
    case "query": {
      const { query } = decoded;
      const quirk = findQuirk(snapshot, query);
      if (quirk !== undefined) {
        // Who cannot read EDNS sees no client subnet.
        const seen = quirk === "edns-formerr" ? { clientSubnet: undefined } : query;
        const asker = findAsker(snapshot, seen, source);
        const resolution = notAnswered(rcodeOfQuirk(quirk), quirk);
        const octets = isHeaderAlone(quirk)
          ? renderHeader(query.header, quirk)
          : render(
              snapshot,
              query,
              resolution,
              source,
              answerQueryCookie(snapshot, query, source, nowSeconds),
            );
        return { kind: "answered", octets, trace: { kind: "answer", source, query, asker, resolution } };
      }
      const cookie = answerQueryCookie(snapshot, query, source, nowSeconds);
      if (
        cookie?.verdict === "bad" &&
        source.transport === "udp" &&
        snapshot.configuration.settings.cookies === "require"
      ) {
        const octets = render(snapshot, query, notAnswered(RCODE.BADCOOKIE), source, cookie);
        return {
          kind: "answered",
          octets,
          trace: { kind: "error", source, asked: query, rcode: RCODE.BADCOOKIE, reason: "a new cookie" },
        };
      }
      const asker = findAsker(snapshot, query, source);
      const resolution = resolveQuery(snapshot, query, asker, source);
      if (resolution.kind === "scripted") {
        const shown = trustsClientSubnet(snapshot, source) ? query.clientSubnet : undefined;
        return { kind: "deferred", zone: resolution, query, source, asker, shown, snapshot, cookie };
      }
      const octets = render(snapshot, query, resolution, source, cookie);
      return { kind: "answered", octets, trace: { kind: "answer", source, query, asker, resolution } };
    }
  }
}

/** The answer to a query that waited for a handler, rendered like any other. */
export function finishAnswer(deferred: Deferred, outcome: HandlerOutcome): Answered {
  const { zone, query, source, asker, shown, snapshot, cookie } = deferred;
  const resolution = resolveScripted(zone, query.question, shown, outcome);
  const octets = render(snapshot, query, resolution, source, cookie);
  return { kind: "answered", octets, trace: { kind: "answer", source, query, asker, resolution } };
}

/** The response to a query that the program could not answer for a fault of its own. */
export function answerServfail(
  snapshot: Snapshot,
  message: Uint8Array,
  source: Source,
  nowSeconds: number,
): Uint8Array | undefined {
  const decoded = decodeQuery(message);
  if (decoded.kind === "silence") return undefined;
  const asked = decoded.kind === "query" ? decoded.query : decoded.asked;
  // Without its cookie a client that insists on one would drop the response (RFC 7873 §5.3).
  const cookie = answerQueryCookie(snapshot, asked, source, nowSeconds);
  return render(snapshot, asked, notAnswered(RCODE.SERVFAIL), source, cookie);
}

/** The cookie of the response to a query that had one (RFC 7873 §5.2), if cookies are on and there is a secret. */
function answerQueryCookie(
  { cookieSecrets: [current, ...previous], configuration }: Snapshot,
  { cookie }: PartOfQuery,
  { address }: Source,
  nowSeconds: number,
): CookieAnswer | undefined {
  if (cookie === undefined || current === undefined || configuration.settings.cookies === "off")
    return undefined;
  return answerCookie(cookie, address, nowSeconds, [current, ...previous]);
}

/** What of the quirks of its zone answers a query before anything else of it counts. */
function findQuirk(
  { configuration: { zones, quirks } }: Snapshot,
  { header, question, edns }: PartOfQuery,
): Quirk | undefined {
  const isOfZone = question?.qclass === CLASS.IN && header.opcode === OPCODE.QUERY;
  if (quirks.size === 0 || !isOfZone) return undefined;
  const zone = findZoneOf(zones, domainName(question.qname), question.qtype);
  const its = zone && quirks.get(zone.apex);
  return its && quirkFor(its, question, edns !== undefined);
}

function renderHeader(header: QueryHeader, quirk: Quirk): Uint8Array {
  const rcode = rcodeOfQuirk(quirk);
  const nothing = { question: undefined, authoritative: false, sections: noSections, edns: undefined };
  return renderResponse({ header, rcode, ...nothing }, MIN_UDP_OCTETS);
}

/** By class and type: most types are looked up, some are no lookups at all. */
function resolveQuery(
  snapshot: Snapshot,
  query: Query,
  asker: Asker,
  { transport }: Source,
): Resolution | ScriptedZone {
  const { question } = query;
  const { qtype, qclass } = question;
  if (qtype === TYPE.AXFR && transport === "udp") return notAnswered(RCODE.FORMERR, "transfer"); // RFC 5936 §4.2
  if (qtype === TYPE.AXFR || qtype === TYPE.IXFR)
    return notSupported("a zone transfer, which this server does not do", "transfer");
  // Obsolete (RFC 1035 §3.2.3).
  if (qtype === TYPE.MAILA || qtype === TYPE.MAILB) return notAnswered(RCODE.NOTIMP, "obsolete-type");
  // These are in no zone (RFC 6895 §3.1), and a TKEY comes as a record (RFC 2930 §4).
  if (qtype === TYPE.OPT || qtype === TYPE.TSIG || qtype === TYPE.TKEY) {
    return notAnswered(RCODE.FORMERR, "no-record-type");
  }
  if (qclass === CLASS.CH) return resolveChaos(snapshot, question);
  if (qclass !== CLASS.IN) return refused(`class ${formatClass(qclass)} is not served`);
  return explainInBand(snapshot, query, asker) ?? resolve(snapshot, question, asker);
}

/**
 * Whose place counts: the client subnet if its sender is trusted and it has a source prefix length (0 asks not to use
 * any, RFC 7871 §7.1.2), else the vantage of the listener, which stands in for the source address, else that.
 */
export function findAsker(
  snapshot: Snapshot,
  { clientSubnet }: Pick<Query, "clientSubnet">,
  source: Source,
): Asker {
  const prefix = trustsClientSubnet(snapshot, source) ? clientSubnet?.prefix : undefined;
  if (prefix !== undefined) {
    return { address: { family: prefix.family, octets: prefix.octets }, via: "client-subnet" };
  }
  const vantage = source.listener?.vantage;
  return vantage === undefined
    ? { address: source.address, via: "source" }
    : { address: vantage.address, via: "vantage" };
}

/**
 * Trust is in who really sent the query, so it goes by the source address even where a vantage stands in for that: a
 * vantage says where its askers are taken to be, not who they are, and would else make a trusted resolver of everybody.
 */
export function trustsClientSubnet(snapshot: Snapshot, { address, listener }: Source): boolean {
  if (listener?.ignoresClientSubnet) return false;
  const { clientSubnetTrust: trust } = snapshot.configuration.settings;
  return trust === "all" || (trust !== "none" && trust.some((prefix) => prefixContains(prefix, address)));
}

function render(
  snapshot: Snapshot,
  asked: PartOfQuery,
  resolution: Resolution,
  source: Source,
  cookie: CookieAnswer | undefined,
): Uint8Array {
  const { header, question, edns, tsig } = asked;
  const { rcode, authoritative, sections } = resolution;
  const response: Response = {
    header,
    question,
    authoritative,
    rcode,
    sections,
    edns: edns && responseEdns(snapshot, { ...asked, edns }, resolution, source, cookie),
    tsig: tsig && renderBadKeyTsig(tsig),
  };
  const limit = sizeLimit(snapshot, edns, source);
  const octets = renderResponse(response, limit);
  const fits = octets.length <= limit;
  // Records go before words: what does not fit beside an extended error is rendered without it (RFC 8914 §3).
  if (resolution.extendedErrors.length > 0 && (!fits || isTruncated(octets))) {
    return render(snapshot, asked, { ...resolution, extendedErrors: [] }, source, cookie);
  }
  if (fits) return octets;
  // A TSIG of long names beside a long question: what no real client sends gets the RCODE alone.
  const bareEdns = response.edns && { ...response.edns, options: [] };
  return renderResponse({ ...response, question: undefined, tsig: undefined, edns: bareEdns }, limit);
}

/** The OPT of the response to a query that had one (RFC 6891 §6.1.1). */
function responseEdns(
  snapshot: Snapshot,
  { edns, clientSubnet }: PartOfQuery & { readonly edns: Edns },
  { scopePrefixLength, extendedErrors }: Resolution,
  source: Source,
  cookie: CookieAnswer | undefined,
): Edns {
  const { udpPayloadSize, identity, tcp } = snapshot.configuration.settings;
  const asks = (code: number): boolean => edns.options.some((option) => option.code === code);
  const options: EdnsOption[] = [];
  if (clientSubnet !== undefined) {
    // RFC 7871 §7.2.1: the option comes back as asked; its scope is 0 where it was not used.
    const used = clientSubnet.prefix !== undefined && trustsClientSubnet(snapshot, source);
    options.push(clientSubnetOption(clientSubnet, used ? scopePrefixLength : 0));
  }
  if (cookie !== undefined) options.push(cookie.option);
  if (asks(OPTION.NSID) && identity !== "")
    options.push({ code: OPTION.NSID, octets: Buffer.from(identity) }); // RFC 5001
  if (asks(OPTION.TCP_KEEPALIVE) && source.transport === "tcp")
    options.push(keepaliveOption(tcp.idleSeconds)); // RFC 7828
  options.push(...extendedErrors.map(extendedErrorOption));
  return { udpPayloadSize, version: EDNS_VERSION, dnssecOk: edns.dnssecOk, options };
}

/** The client's limit counts from 512 upward (RFC 6891 §6.2.3), and never above the server's own. */
export function sizeLimit(
  snapshot: Snapshot,
  edns: Pick<Edns, "udpPayloadSize"> | undefined,
  { transport }: Source,
): number {
  if (transport === "tcp") return MAX_TCP_OCTETS;
  const { udpPayloadSize } = snapshot.configuration.settings;
  return Math.min(Math.max(edns?.udpPayloadSize ?? MIN_UDP_OCTETS, MIN_UDP_OCTETS), udpPayloadSize);
}
