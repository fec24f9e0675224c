/** What a start goes on from, and what it leaves for the next one. Without the file it goes on in memory alone. */

import { randomBytes } from "node:crypto";
import type { DomainName } from "../dns/name.ts";
import type { Alternatives, Zones } from "../zone/zone.ts";
import { nextSerials } from "./serials.ts";
import {
  emptyState,
  type ReadState,
  readStateFile,
  reasonOf,
  type StoredState,
  setAside,
  writeStateFile,
} from "./state-file.ts";

export interface StateOptions<T> {
  readonly path: string;
  readonly zones: Zones<T>;
  readonly alternativesOf: (tailored: T) => Alternatives;
  /** Whether what is new is written, a cookie secret made at the first start with it; else the file is only read. */
  readonly keep: boolean;
  /** in seconds since 1970 */
  readonly nowSeconds: number;
}

export interface State {
  readonly serials: ReadonlyMap<DomainName, number>;
  /** the current one first; none before the first start that keeps its state */
  readonly cookieSecrets: readonly Uint8Array[];
  /** at most one */
  readonly warnings: readonly string[];
}

/** RFC 9018 §4.1: the secret of a server cookie is a key of SipHash-2-4. */
const COOKIE_SECRET_OCTETS = 16;

export function resumeState<T>({ path, zones, alternativesOf, keep, nowSeconds }: StateOptions<T>): State {
  const read = readStateFile(path);
  const before = read.kind === "loaded" ? read.state : emptyState;
  const { serials, stored, changed } = nextSerials(
    zones,
    before.zones,
    alternativesOf,
    firstSerialAfter(read, nowSeconds),
  );
  const lacksSecret = keep && before.cookieSecrets.length === 0;
  const secretsInHex = lacksSecret
    ? [randomBytes(COOKIE_SECRET_OCTETS).toString("hex")]
    : before.cookieSecrets;
  const next: StoredState = { version: 1, zones: stored, cookieSecrets: secretsInHex };
  const warning = keep && (changed || lacksSecret) ? save(path, read, next) : formatRead(path, read);
  return {
    serials,
    cookieSecrets: secretsInHex.map((hex) => Uint8Array.from(Buffer.from(hex, "hex"))),
    warnings: warning === undefined ? [] : [warning],
  };
}

/** What was counted before a file was lost is not known; the time is above it, so no secondary sees a serial go back. */
const firstSerialAfter = ({ kind }: ReadState, nowSeconds: number): number =>
  kind === "damaged" || kind === "unreadable" ? nowSeconds : 1;

/** Writes the state; returns a sentence for what went wrong before or now. */
function save(path: string, read: ReadState, next: StoredState): string | undefined {
  // It may be sound, so it is not replaced by one that has begun again.
  if (read.kind === "unreadable") return formatRead(path, read);
  const found = formatRead(path, read);
  try {
    const aside = read.kind === "damaged" ? setAside(path) : undefined;
    writeStateFile(path, next);
    return aside === undefined ? found : `${found}; it is kept as ${aside}`;
  } catch (error) {
    const failed = `cannot write the state file ${path} (${reasonOf(error)}), so serials and the cookie secret last until the server stops`;
    return `${found === undefined ? "" : `${found}; `}${failed}; make it writable or set server.stateFile`;
  }
}

function formatRead(path: string, read: ReadState): string | undefined {
  switch (read.kind) {
    case "loaded":
    case "absent":
      return undefined;
    case "damaged":
      return `the state file ${path} is damaged: ${read.found}; serials go on from the time, and the cookie secret is new`;
    case "unreadable":
      return `cannot read the state file ${path} (${read.reason}), so serials go on from the time, and the cookie secret is new; make it readable or set server.stateFile`;
    default:
      return read satisfies never;
  }
}
