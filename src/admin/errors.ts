/** What the admin API refuses and why: codes that stay, each with its HTTP status. README lists them. */

import type { FaultCode } from "./control.ts";

export const adminErrors = {
  "malformed-request": { status: 400, means: "what came is no HTTP request, or has no usable Host header" },
  "invalid-request": { status: 400, means: "a parameter or the body is not as the route takes it" },
  unauthorized: { status: 401, means: "the bearer token is missing or another one" },
  "foreign-host": { status: 403, means: "the Host header names neither this server nor one of admin.hosts" },
  "foreign-origin": { status: 403, means: "a page of another site sent the request" },
  "no-such-path": { status: 404, means: "there is nothing at this path" },
  "not-found": { status: 404, means: "there is no such datacenter, tenant, override or network" },
  "no-entry": { status: 404, means: "no query that the filter takes came before the time was over" },
  "method-not-allowed": { status: 405, means: "the path has other methods, which Allow names" },
  "request-timeout": { status: 408, means: "the request was not complete in time" },
  "not-possible": { status: 409, means: "it is understood, and the configuration or the state forbids it" },
  "too-large": { status: 413, means: "the body is larger than 64 KiB" },
  "unsupported-media-type": { status: 415, means: "the body is no application/json" },
  "configuration-errors": { status: 422, means: "the configuration has errors, so the one before stays" },
  "too-many-requests": { status: 429, means: "more requests a second than are taken from one address" },
  "headers-too-large": { status: 431, means: "the headers are larger than 16 KiB" },
  "internal-error": { status: 500, means: "a fault of the server itself, which its log tells more of" },
  "not-ready": { status: 503, means: "it does not answer DNS queries" },
  stopping: { status: 503, means: "the server is about to end" },
  "state-not-written": { status: 503, means: "the change could not be kept, so it was not made" },
  "too-many-waiting": { status: 503, means: "as many clients as can wait or follow events do so already" },
} as const satisfies Readonly<
  Record<FaultCode | string, { readonly status: number; readonly means: string }>
>;

export type AdminErrorCode = keyof typeof adminErrors;

export const adminErrorCodes = Object.keys(adminErrors) as readonly AdminErrorCode[];

/** What comes back instead of a value. */
export interface Refusal {
  readonly kind: "refusal";
  readonly code: AdminErrorCode;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** errors of the configuration, as `check` prints them */
  readonly errors?: readonly string[] | undefined;
}

export const refusal = (
  code: AdminErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal => ({ kind: "refusal", code, message, headers });

export const statusOf = (code: AdminErrorCode): number => adminErrors[code].status;

export const refusalText = ({ code, message, errors }: Refusal): string =>
  `${JSON.stringify({ error: { code, message, ...(errors === undefined ? {} : { errors }) } })}\n`;
