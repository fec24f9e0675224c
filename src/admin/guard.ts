/** Who may ask at all: how often, under which name of this server, from which pages, with which token. */

import type { IncomingHttpHeaders } from "node:http";
import { type Endpoint, formatAddress, parseAddress, unmapAddress } from "../ip.ts";
import { type Refusal, refusal } from "./errors.ts";
import type { RequestRate } from "./rate.ts";
import { isToken } from "./token.ts";

export interface GuardOptions {
  readonly listen: readonly Endpoint[];
  /** SHA-256 in hex; undefined: no token is needed */
  readonly tokenHash: string | undefined;
  /** further names that this server is asked by */
  readonly hosts: readonly string[];
  readonly rate: RequestRate;
  readonly now: () => number;
}

/** What is looked at before the path is. */
export interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** of the connection, as the socket has them */
  readonly localAddress: string | undefined;
  readonly remoteAddress: string | undefined;
}

/** Says no more than that it lives, so whoever watches over it needs no token and is not counted. */
const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** Undefined where nothing speaks against the request. */
export function refuse(options: GuardOptions, request: Request): Refusal | undefined {
  const isOpen = openPaths.has(request.path);
  return (
    (isOpen ? undefined : refuseRate(options, request)) ??
    refuseHost(options, request) ??
    refuseOrigin(request) ??
    (isOpen ? undefined : refuseToken(options, request))
  );
}

function refuseRate({ rate, now }: GuardOptions, { remoteAddress }: Request): Refusal | undefined {
  const seconds = rate.take(canonicalHost(remoteAddress ?? ""), now());
  if (seconds === 0) return undefined;
  const words = `too many requests from this address; try again in ${seconds} s`;
  return refusal("too-many-requests", words, { "retry-after": String(seconds) });
}

/** A page may have its own name lead to this address (DNS rebinding), but then its name is the Host. */
function refuseHost(
  { listen, hosts }: GuardOptions,
  { headers, localAddress }: Request,
): Refusal | undefined {
  const host = hostOf(headers.host ?? "");
  if (host === undefined) {
    return refusal("malformed-request", "the Host header is missing or no host; send that of the URL");
  }
  const own = [...loopbackHosts, ...listen.map(({ address }) => address), localAddress ?? "", ...hosts];
  if (own.some((name) => canonicalHost(name) === host)) return undefined;
  return refusal(
    "foreign-host",
    `this server does not go by the host "${host}"; ask it by its address, or list the name in admin.hosts`,
  );
}

const loopbackHosts = ["localhost", "127.0.0.1", "::1"];

function refuseOrigin({ headers }: Request): Refusal | undefined {
  const { origin, host = "" } = headers;
  // A proxy in front may speak TLS to the page and leave the Host as it is.
  const isForeign =
    origin !== undefined && origin.toLowerCase().replace(/^https?:\/\//, "") !== host.toLowerCase();
  if (!isForeign && headers["sec-fetch-site"] !== "cross-site") return undefined;
  return refusal("foreign-origin", "pages of other sites may not ask; use curl or the commands of geodns365");
}

function refuseToken({ tokenHash }: GuardOptions, { headers }: Request): Refusal | undefined {
  if (tokenHash === undefined) return undefined;
  const challenge = { "www-authenticate": 'Bearer realm="geodns365"' };
  const [, token] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "") ?? [];
  if (token === undefined) {
    const words =
      "a token is needed: send Authorization: Bearer TOKEN, or set GEODNS365_TOKEN for the commands";
    return refusal("unauthorized", words, challenge);
  }
  if (isToken(token, tokenHash)) return undefined;
  const words = "this is not the token whose hash is admin.tokenHash; geodns365 token makes a new pair";
  return refusal("unauthorized", words, challenge);
}

/** The host of a Host header, without its port; undefined where it is none. */
function hostOf(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(header) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : canonicalHost(host);
}

/** One spelling for each address and each name. */
function canonicalHost(text: string): string {
  const address = parseAddress(text.split("%", 1)[0] ?? "");
  if (address !== undefined) return formatAddress(unmapAddress(address).octets);
  return text.toLowerCase().replace(/\.$/, "");
}
