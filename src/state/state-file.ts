/** The state file: what is kept over restarts. It is replaced whole, so that a reader sees the old one or the new one. */

import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

export interface StoredState {
  readonly version: 1;
  /** by apex */
  readonly zones: Readonly<Record<string, StoredSerial>>;
  /** in hex; the current one first, then the one before it */
  readonly cookieSecrets: readonly string[];
}

/** The serial a zone has had last, and the digest of the content it had it for. */
export interface StoredSerial {
  readonly serial: number;
  readonly digest: string;
}

export type ReadState =
  | { readonly kind: "loaded"; readonly state: StoredState }
  | { readonly kind: "absent" }
  /** it was read, and is no state */
  | { readonly kind: "damaged"; readonly found: string }
  /** it is there, and may be sound */
  | { readonly kind: "unreadable"; readonly reason: string };

export const emptyState: StoredState = { version: 1, zones: {}, cookieSecrets: [] };

export function readStateFile(path: string): ReadState {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return codeOf(error) === "ENOENT" ? { kind: "absent" } : { kind: "unreadable", reason: reasonOf(error) };
  }
  const parsed = parseState(text);
  return typeof parsed === "string" ? { kind: "damaged", found: parsed } : { kind: "loaded", state: parsed };
}

/** Replaces the file, its folder made where there is none; throws what the operating system says where it cannot. */
export function writeStateFile(path: string, state: StoredState): void {
  makeFolder(dirname(path));
  // A name of its own, so that two servers on one file do not write into each other; the last rename stays.
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeSynced(temporary, `${JSON.stringify(state, null, 2)}\n`);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Copies a damaged file to `<path>.damaged-<n>`, the first that is free, and returns that path. */
export function setAside(path: string): string {
  for (let n = 1; ; n++) {
    const aside = `${path}.damaged-${n}`;
    try {
      copyFileSync(path, aside, constants.COPYFILE_EXCL);
      return aside;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  }
}

/** The words of an error of the operating system without its call: `EROFS: read-only file system`. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split(",", 1)[0] ?? "";

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** Not by `recursive`, with which Node 24 never returns from a file system that makes no folders, as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function writeSynced(path: string, text: string): void {
  // It holds a secret: nobody else reads it, not even while it is written.
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A rename outlives a power failure once its folder is synced; Windows opens no folders. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A sentence where it is no state. */
function parseState(text: string): StoredState | string {
  if (text.trim() === "") return "it is empty";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (!isObject(value) || !("version" in value)) return "it has no version";
  if (value.version !== 1)
    return `it is of version ${JSON.stringify(value.version)}, and this program reads 1`;
  const zones = parseZones("zones" in value ? value.zones : undefined);
  if (typeof zones === "string") return zones;
  const cookieSecrets = "cookieSecrets" in value ? value.cookieSecrets : undefined;
  if (!isSecrets(cookieSecrets)) return "its cookieSecrets are not at most two times 32 hex digits";
  return { version: 1, zones, cookieSecrets };
}

function parseZones(value: unknown): StoredState["zones"] | string {
  if (!isObject(value)) return "it has no zones";
  const zones: [apex: string, stored: StoredSerial][] = [];
  for (const [apex, entry] of Object.entries(value)) {
    if (!isStoredSerial(entry)) return `zone ${apex} has no serial and digest`;
    zones.push([apex, { serial: entry.serial, digest: entry.digest }]);
  }
  return Object.fromEntries(zones);
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]*$/.test(value);

const isSecrets = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= 2 && value.every((secret) => isHex(secret, 32));

function isStoredSerial(value: unknown): value is StoredSerial {
  if (!isObject(value) || !("serial" in value) || !("digest" in value)) return false;
  const { serial, digest } = value;
  return (
    typeof serial === "number" &&
    Number.isInteger(serial) &&
    serial >= 0 &&
    serial <= 0xffffffff &&
    isHex(digest, 64)
  );
}
