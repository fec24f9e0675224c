/** What is kept over restarts, and its text: a number that counts up with every write, a checksum, and the state. */

import { createHash } from "node:crypto";
import {
  type Health,
  noOperations,
  type Operations,
  type Override,
  type TenantOperation,
} from "../cloud/operations.ts";
import type { DatacenterState } from "../cloud/states.ts";
import { type DatacenterId, datacenterId } from "../cloud/topology.ts";

export interface StoredState {
  /** by apex */
  readonly zones: Readonly<Record<string, StoredSerial>>;
  /** in hex; the current one first, then the one before it */
  readonly cookieSecrets: readonly string[];
  readonly operations: Operations;
}

/** The serial a zone has had last, and the digest of the content it had it for. */
export interface StoredSerial {
  readonly serial: number;
  readonly digest: string;
}

export const emptyState: StoredState = { zones: {}, cookieSecrets: [], operations: noOperations };

/** A state as it was written once. */
export interface Written {
  /** 0: by version 1, which did not count */
  readonly sequence: number;
  /** empty: by version 1, which had none */
  readonly checksum: string;
  readonly state: StoredState;
}

const VERSION = 2;

export function formatState(sequence: number, state: StoredState): { text: string; checksum: string } {
  const checksum = checksumOf(sequence, state);
  return { text: `${JSON.stringify({ version: VERSION, sequence, checksum, state }, null, 2)}\n`, checksum };
}

/** Over what the text means, so that blanks and line ends may change on the way. */
const checksumOf = (sequence: number, state: unknown): string =>
  createHash("sha256")
    .update(JSON.stringify([VERSION, sequence, state]))
    .digest("hex");

/** A sentence where it is no state. */
export function parseState(text: string): Written | string {
  if (text.trim() === "") return "it is empty";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (!isRecord(value) || value.version === undefined) return "it has no version";
  const { version, sequence, checksum } = value;
  if (version === 1) {
    const state = parseContent({ ...value, operations: noOperations });
    return typeof state === "string" ? state : { sequence: 0, checksum: "", state };
  }
  if (version !== VERSION) {
    return `it is of version ${JSON.stringify(version)}, and this program reads 1 and ${VERSION}`;
  }
  if (!isCount(sequence)) return "it has no sequence number";
  if (checksum !== checksumOf(sequence, value.state)) return "its checksum is not that of its content";
  const state = isRecord(value.state) ? parseContent(value.state) : "it has no state";
  return typeof state === "string" ? state : { sequence, checksum, state };
}

function parseContent({ zones, cookieSecrets, operations }: UnknownRecord): StoredState | string {
  if (!isRecord(zones)) return "it has no zones";
  const serials = parseEntries(zones, parseSerial);
  if (typeof serials === "string") return `zone ${serials} has no serial and digest`;
  if (!isSecrets(cookieSecrets)) return "its cookieSecrets are not at most two times 32 hex digits";
  const parsed = parseOperations(operations);
  if (typeof parsed === "string") return parsed;
  return { zones: serials, cookieSecrets, operations: parsed };
}

function parseSerial(value: unknown): StoredSerial | undefined {
  if (!isRecord(value)) return undefined;
  const { serial, digest } = value;
  if (typeof serial !== "number" || !Number.isInteger(serial) || serial < 0 || serial > 0xffffffff) {
    return undefined;
  }
  return isHex(digest, 64) ? { serial, digest } : undefined;
}

function parseOperations(value: unknown): Operations | string {
  if (!isRecord(value)) return "it has no operations";
  const { overrides: listed, nextOverride } = value;
  if (!Array.isArray(listed) || !isRecord(value.tenants) || !isRecord(value.health)) {
    return "its operations lack overrides, tenants or health";
  }
  if (!isCount(nextOverride)) return "its operations have no nextOverride";
  const overrides = listed.flatMap((override) => parseOverride(override) ?? []);
  if (overrides.length < listed.length) return "one of its overrides is none";
  const tenants = parseEntries(value.tenants, parseTenantOperation);
  if (typeof tenants === "string")
    return `tenant ${tenants} is not served by an active datacenter or standby`;
  const health = parseEntries(value.health, parseHealth);
  if (typeof health === "string") return `the health of ${health} is neither up nor down`;
  return { overrides, tenants, health, nextOverride };
}

function parseOverride(value: unknown): Override | undefined {
  if (!isRecord(value)) return undefined;
  const { number, target, state, reason, since, until } = value;
  if (!isCount(number) || typeof target !== "string" || !isDatacenterState(state)) return undefined;
  if (!isTextOrAbsent(reason) || !isTime(since) || (until !== undefined && !isTime(until))) return undefined;
  return { number, target, state, reason, since, until };
}

function parseTenantOperation(value: unknown): TenantOperation | undefined {
  if (!isRecord(value)) return undefined;
  const { serving, by, reason, since } = value;
  const active = parseDatacenterId(value.active);
  const standby = parseDatacenterId(value.standby);
  if (active === undefined || (value.standby !== undefined && standby === undefined)) return undefined;
  if (serving !== "active" && (serving !== "standby" || standby === undefined)) return undefined;
  if (by !== "operator" && by !== "failover" && by !== "failback") return undefined;
  if (!isTextOrAbsent(reason) || !isTime(since)) return undefined;
  return { active, standby, serving, by, reason, since };
}

function parseHealth(value: unknown): Health | undefined {
  if (!isRecord(value)) return undefined;
  const { state, since, reason } = value;
  if ((state !== "up" && state !== "down") || !isTime(since) || typeof reason !== "string") return undefined;
  return { state, since, reason };
}

function parseDatacenterId(value: unknown): DatacenterId | undefined {
  if (typeof value !== "string") return undefined;
  const [cloud = "", shortId = "", ...more] = value.split("/");
  return cloud === "" || shortId === "" || more.length > 0 ? undefined : datacenterId(cloud, shortId);
}

/** The key of the first entry that is none, where there is one. */
function parseEntries<T>(
  entries: UnknownRecord,
  parse: (value: unknown) => T | undefined,
): Readonly<Record<string, T>> | string {
  const parsed: [key: string, value: T][] = [];
  for (const [key, value] of Object.entries(entries)) {
    const entry = parse(value);
    if (entry === undefined) return key;
    parsed.push([key, entry]);
  }
  return Object.fromEntries(parsed);
}

type UnknownRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is UnknownRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]*$/.test(value);

const isSecrets = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= 2 && value.every((secret) => isHex(secret, 32));

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === "string";

const isDatacenterState = (value: unknown): value is DatacenterState =>
  value === "up" || value === "draining" || value === "down";
