/** One look at whether something answers: an HTTP request or a TCP connection, and nothing of what comes back is kept. */

import { connect } from "node:net";

/** `http://ADDRESS:PORT/PATH`, `https://...` or `tcp://ADDRESS:PORT`. */
export type ProbeTarget = URL;

export interface ProbeOptions {
  readonly timeoutMilliseconds: number;
  /** whether an https server must have a certificate that this machine trusts */
  readonly verifyCertificate: boolean;
}

/** Parses the target of a probe; a sentence where it is none. */
export function parseProbeTarget(text: string): ProbeTarget | string {
  const url = URL.parse(text);
  const isKnown = url !== null && ["http:", "https:", "tcp:"].includes(url.protocol);
  if (!isKnown || url.hostname === "" || url.username !== "" || url.password !== "") {
    return `"${text}" is not a probe like http://198.18.1.1:8080/healthz, https://... or tcp://198.18.1.1:443`;
  }
  if (url.protocol === "tcp:" && (url.port === "" || !["", "/"].includes(url.pathname))) {
    return `"${text}" needs a port and no path: tcp://198.18.1.1:443`;
  }
  return url;
}

/** Undefined where it answers in time, and well (HTTP: with a status from 200 to 399); else why not. Never rejects. */
export function probe(target: ProbeTarget, options: ProbeOptions): Promise<string | undefined> {
  const { timeoutMilliseconds } = options;
  return new Promise((resolve) => {
    const attempt = target.protocol === "tcp:" ? connectTo(target, settle) : askFor(target, options, settle);
    const late = setTimeout(() => settle(`no answer in ${timeoutMilliseconds} ms`), timeoutMilliseconds);
    function settle(fault: string | undefined): void {
      clearTimeout(late);
      attempt.destroy();
      resolve(fault);
    }
  });
}

type Settle = (fault: string | undefined) => void;

function connectTo({ hostname, port }: URL, settle: Settle): { destroy(): void } {
  return connect({ host: bare(hostname), port: Number(port) })
    .once("connect", () => settle(undefined))
    .on("error", (error) => settle(reasonOf(error)));
}

function askFor(target: URL, { verifyCertificate }: ProbeOptions, settle: Settle): { destroy(): void } {
  const onResponse = (response: { readonly statusCode?: number | undefined }): void => {
    const status = response.statusCode ?? 0;
    settle(status >= 200 && status < 400 ? undefined : `status ${status}`);
  };
  // A connection of its own each time: one kept open would say nothing of whether the next can be made.
  const options = { agent: false, headers: { "user-agent": "geodns365" } } as const;
  // Loaded by the first probe: a server that makes none need not hold HTTP and TLS.
  const asked =
    target.protocol === "https:"
      ? process
          .getBuiltinModule("node:https")
          .request(target, { ...options, rejectUnauthorized: verifyCertificate }, onResponse)
      : process.getBuiltinModule("node:http").request(target, options, onResponse);
  asked.on("error", (error) => settle(reasonOf(error)));
  return asked.end();
}

/** An IPv6 address stands in brackets in a URL, and without them everywhere else. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, "");

function reasonOf(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "ECONNREFUSED") return "connection refused";
  // Of several addresses each has its own error, and the whole has no words.
  return error.message === "" ? String(code) : error.message;
}
