/** The EDNS COOKIE option (RFC 7873 §4) with interoperable server cookies (RFC 9018 §4). */

import { timingSafeEqual } from "node:crypto";
import { type AddressFamily, type IpAddress, unmapAddress } from "../ip.ts";
import type { EdnsOption } from "./edns.ts";
import { OPTION } from "./iana.ts";
import { sipHash24, sipHash24Into } from "./siphash.ts";

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
const HASH_OCTETS = 8;
/** Of a client cookie and a server cookie of version 1. */
export const COOKIE_OCTETS = CLIENT_OCTETS + SERVER_OCTETS;
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
 * Server cookies for the hot path: nothing is allocated. It says the same as `answerCookie`; a test holds them side by side.
 */
export class CookieWriter {
  readonly #secrets: CookieSecrets;
  /** what is hashed: client cookie, version, reserved octets, timestamp, client address; zero behind it */
  readonly #input = new Uint8Array(CLIENT_OCTETS + HASH_OFFSET + 16 + 8);
  readonly #hash = new Uint8Array(HASH_OCTETS);

  constructor(secrets: CookieSecrets) {
    this.#secrets = secrets;
  }

  /**
   * Writes the cookie of the response, COOKIE_OCTETS, to `to` from `toAt` on, for that of the query, which stands in `message`
   * at `at`, `length` octets long. The address, of 4 or 16 octets, is that of who sent it. Returns the verdict.
   */
  write(
    message: Uint8Array,
    at: number,
    length: number,
    address: Uint8Array,
    addressAt: number,
    family: AddressFamily,
    nowSeconds: number,
    to: Uint8Array,
    toAt: number,
  ): CookieVerdict {
    const input = this.#input;
    const verdict = this.#check(message, at, length, address, addressAt, family, nowSeconds);
    for (let i = 0; i < CLIENT_OCTETS; i++) to[toAt + i] = message[at + i] ?? 0;
    if (verdict === "good") {
      for (let i = CLIENT_OCTETS; i < COOKIE_OCTETS; i++) to[toAt + i] = message[at + i] ?? 0;
      return verdict;
    }
    for (let i = 0; i < CLIENT_OCTETS; i++) input[i] = message[at + i] ?? 0;
    input[CLIENT_OCTETS] = VERSION;
    for (let i = 1; i < TIMESTAMP_OFFSET; i++) input[CLIENT_OCTETS + i] = 0;
    for (let i = 0; i < 4; i++) input[CLIENT_OCTETS + TIMESTAMP_OFFSET + i] = nowSeconds >>> (24 - 8 * i);
    const hashed = this.#addAddress(address, addressAt, family);
    for (let i = 0; i < HASH_OFFSET; i++) to[toAt + CLIENT_OCTETS + i] = input[CLIENT_OCTETS + i] ?? 0;
    sipHash24Into(this.#secrets[0], input, hashed, to, toAt + CLIENT_OCTETS + HASH_OFFSET);
    return verdict;
  }

  #check(
    message: Uint8Array,
    at: number,
    length: number,
    address: Uint8Array,
    addressAt: number,
    family: AddressFamily,
    nowSeconds: number,
  ): CookieVerdict {
    const serverAt = at + CLIENT_OCTETS;
    if (length !== COOKIE_OCTETS || message[serverAt] !== VERSION) return "bad";
    let timestamp = 0;
    for (let i = 0; i < 4; i++)
      timestamp = (timestamp << 8) | (message[serverAt + TIMESTAMP_OFFSET + i] ?? 0);
    const ageSeconds = secondsSince(timestamp >>> 0, nowSeconds);
    if (ageSeconds > OLDEST_SECONDS || ageSeconds < -FUTURE_SECONDS) return "bad";
    const input = this.#input;
    for (let i = 0; i < CLIENT_OCTETS + HASH_OFFSET; i++) input[i] = message[at + i] ?? 0;
    const hashed = this.#addAddress(address, addressAt, family);
    for (let i = 0; i < this.#secrets.length; i++) {
      const secret = this.#secrets[i];
      if (secret === undefined) break;
      sipHash24Into(secret, input, hashed, this.#hash, 0);
      let difference = 0;
      // All octets are compared, so that the time says nothing of where they differ.
      for (let j = 0; j < HASH_OCTETS; j++)
        difference |= (this.#hash[j] ?? 0) ^ (message[serverAt + HASH_OFFSET + j] ?? 0);
      if (difference === 0) return i > 0 || ageSeconds > RENEW_SECONDS ? "renew" : "good";
    }
    return "bad";
  }

  /** Puts the address behind the rest of what is hashed; returns the octets of all. Mapped into IPv6 it counts as IPv4. */
  #addAddress(address: Uint8Array, at: number, family: AddressFamily): number {
    const input = this.#input;
    const start = CLIENT_OCTETS + HASH_OFFSET;
    let isMapped = family === 6 && address[at + 10] === 0xff && address[at + 11] === 0xff;
    for (let i = 0; isMapped && i < 10; i++) isMapped = address[at + i] === 0;
    const from = isMapped ? at + 12 : at;
    const octets = family === 4 || isMapped ? 4 : 16;
    for (let i = 0; i < 16; i++) input[start + i] = i < octets ? (address[from + i] ?? 0) : 0;
    return start + octets;
  }
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
