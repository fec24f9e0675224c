/** Bearer tokens: the operator keeps the token, the configuration its SHA-256. */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 32 random octets in base64url. */
export const newToken = (): string => randomBytes(32).toString("base64url");

/** 64 hex digits. A token is random and long, so a plain hash is enough to hide it. */
export const hashToken = (token: string): string => sha256(token).toString("hex");

/** Takes as long for a token that is nearly right as for any other. */
export const isToken = (token: string, hash: string): boolean =>
  timingSafeEqual(sha256(token), sha256FromHex(hash));

const sha256 = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

function sha256FromHex(hash: string): Buffer {
  const octets = Buffer.from(hash, "hex");
  if (octets.length !== 32) throw new Error("a SHA-256 has 32 octets");
  return octets;
}
