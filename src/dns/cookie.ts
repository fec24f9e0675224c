/** The EDNS COOKIE option (RFC 7873 §4) with interoperable server cookies (RFC 9018 §4). */

import { timingSafeEqual } from "node:crypto";
import { type IpAddress, unmapAddress } from "../ip.ts";
import type { EdnsOption } from "./edns.ts";
import { OPTION } from "./iana.ts";
import { sipHash24 } from "./siphash.ts";

export interface Cookie {
  /** 8 octets */
  readonly client: Uint8Array;
  /** as sent, 8 to 32 octets; undefined where the client has not learned one */
  readonly server: Uint8Array | undefined;
}

/**
 * Server secrets of 16 octets each. Server cookies are made with the current one and accepted with any; a secret that
 * is not current yet (RFC 9018 §5, stage 1) stands among the previous ones.
 */
export type CookieSecrets = readonly [current: Uint8Array, ...previous: Uint8Array[]];

/** `good`: may be sent again; `renew`: right, and due for a new one; `bad`: not a server cookie made here, or old. */
export type CookieVerdict = "good" | "renew" | "bad";

export interface CookieAnswer {
  readonly option: EdnsOption;
  readonly verdict: CookieVerdict;
}

const CLIENT_OCTETS = 8;
const SHORTEST_OCTETS = CLIENT_OCTETS + 8;
const LONGEST_OCTETS = CLIENT_OCTETS + 32;
/** Version, reserved octets, timestamp and hash (RFC 9018 §4). */
const SERVER_OCTETS = 16;
const TIMESTAMP_OFFSET = 4;
const HASH_OFFSET = 8;
/** RFC 9018 §4.1 */
const VERSION = 1;
/** The three periods of RFC 9018 §4.3; each still holds in its last second. */
const OLDEST_SECONDS = 60 * 60;
const RENEW_SECONDS = 30 * 60;
const FUTURE_SECONDS = 5 * 60;

/** Reads the option. Returns a sentence where its length calls for FORMERR (RFC 7873 §5.2.2). */
export function readCookie(octets: Uint8Array): Cookie | string {
  const { length } = octets;
  if (length === CLIENT_OCTETS) return { client: octets, server: undefined };
  if (length < SHORTEST_OCTETS || length > LONGEST_OCTETS) {
    return `the cookie has ${length} octets, not 8 or 16 to 40`;
  }
  return { client: octets.subarray(0, CLIENT_OCTETS), server: octets.subarray(CLIENT_OCTETS) };
}

/**
 * The option of the response (RFC 7873 §5.2.3 to §5.2.5): the client cookie as it came, and with it the server cookie
 * as it came if it is good, or else a new one.
 */
export function answerCookie(
  cookie: Cookie,
  address: IpAddress,
  nowSeconds: number,
  secrets: CookieSecrets,
): CookieAnswer {
  const verdict = checkServerCookie(cookie, address, nowSeconds, secrets);
  const received = verdict === "good" ? cookie.server : undefined;
  const server = received ?? serverCookie(cookie.client, address, nowSeconds, secrets[0]);
  const octets = new Uint8Array(CLIENT_OCTETS + server.length);
  octets.set(cookie.client);
  octets.set(server, CLIENT_OCTETS);
  return { option: { code: OPTION.COOKIE, octets }, verdict };
}

/** Judges the server cookie of a query; one that is absent is bad, as both are met alike (RFC 7873 §5.2.4). */
export function checkServerCookie(
  { client, server }: Cookie,
  address: IpAddress,
  nowSeconds: number,
  secrets: CookieSecrets,
): CookieVerdict {
  // RFC 7873 §5.2.4: a server cookie of another length or version is not malformed, it is one not made here.
  if (server?.length !== SERVER_OCTETS || server[0] !== VERSION) return "bad";
  const ageSeconds = secondsSince(timestampOf(server), nowSeconds);
  if (ageSeconds > OLDEST_SECONDS || ageSeconds < -FUTURE_SECONDS) return "bad";
  const input = hashInput(client, server.subarray(0, HASH_OFFSET), address);
  const hash = server.subarray(HASH_OFFSET);
  const madeWith = secrets.findIndex((secret) => timingSafeEqual(sipHash24(secret, input), hash));
  if (madeWith < 0) return "bad";
  return madeWith > 0 || ageSeconds > RENEW_SECONDS ? "renew" : "good";
}

/** Makes the server cookie of version 1 for a client cookie and the address it came from (RFC 9018 §4). */
export function serverCookie(
  client: Uint8Array,
  address: IpAddress,
  nowSeconds: number,
  secret: Uint8Array,
): Uint8Array {
  const octets = new Uint8Array(SERVER_OCTETS);
  octets[0] = VERSION;
  // RFC 9018 §4.3: 32 bits without a sign; setUint32 takes the seconds modulo 2^32.
  new DataView(octets.buffer).setUint32(TIMESTAMP_OFFSET, nowSeconds);
  octets.set(sipHash24(secret, hashInput(client, octets.subarray(0, HASH_OFFSET), address)), HASH_OFFSET);
  return octets;
}

/**
 * What is hashed (RFC 9018 §4.4): client cookie, version, reserved octets, timestamp, client address. The reserved
 * octets count as received and need not be zero (§4.2).
 */
function hashInput(client: Uint8Array, head: Uint8Array, address: IpAddress): Uint8Array {
  const { octets } = unmapAddress(address);
  const input = new Uint8Array(CLIENT_OCTETS + HASH_OFFSET + octets.length);
  input.set(client);
  input.set(head, CLIENT_OCTETS);
  input.set(octets, CLIENT_OCTETS + HASH_OFFSET);
  return input;
}

function timestampOf(server: Uint8Array): number {
  return new DataView(server.buffer, server.byteOffset).getUint32(TIMESTAMP_OFFSET);
}

/** Serial number arithmetic (RFC 1982 §3.2): below zero where the timestamp is in the future. */
const secondsSince = (timestamp: number, nowSeconds: number): number => ((nowSeconds >>> 0) - timestamp) | 0;
