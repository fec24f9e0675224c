/** The admin API behind sockets of its own. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { type Endpoint, formatEndpoint, isLoopback } from "../ip.ts";
import { type Api, type ApiLimits, buildApi } from "./api.ts";
import type { Control } from "./control.ts";
import { type Refusal, refusal, refusalText, statusOf } from "./errors.ts";
import { AdminListenError } from "./listen-error.ts";
import { type RateLimits, RequestRate } from "./rate.ts";

export interface AdminOptions {
  readonly listen: readonly Endpoint[];
  /** SHA-256 of the token in hex; undefined: no token is needed, and only loopback is served */
  readonly tokenHash: string | undefined;
  /** further names that this server is asked by */
  readonly hosts: readonly string[];
  /** told of what went wrong inside, a stack with it */
  readonly onFault: (error: unknown) => void;
  /** told what an operator should know of clients */
  readonly onWarning?: (message: string) => void;
  readonly limits?: Partial<AdminLimits>;
  /** milliseconds of a clock that never goes back, for rates */
  readonly now?: () => number;
}

export interface AdminLimits extends ApiLimits {
  /** requests of one address */
  readonly rate: RateLimits;
  /** at a time on each address; one more is closed at once */
  readonly connections: number;
  readonly headerOctets: number;
  readonly headersMilliseconds: number;
  readonly requestMilliseconds: number;
  /** a connection on which nothing moves for so long is closed; longer than a request may wait */
  readonly idleMilliseconds: number;
}

export const defaultLimits: AdminLimits = {
  rate: { perSecond: 100, burst: 200 },
  connections: 128,
  bodyOctets: 64 * 1024,
  headerOctets: 16 * 1024,
  headersMilliseconds: 10_000,
  requestMilliseconds: 30_000,
  idleMilliseconds: 330_000,
  waiting: 64,
  eventQueueLength: 1000,
  heartbeatMilliseconds: 15_000,
};

export interface Admin {
  /** where it listens, with the ports that were given for 0 */
  readonly listening: readonly Endpoint[];
  /** Ends event streams and waiting requests, lets others finish, and closes; settles when all is closed. */
  close(): Promise<void>;
}

/** Serves the API; rejects with an AdminListenError, nothing left open, where an address cannot or must not be bound. */
export async function startAdmin(control: Control, options: AdminOptions): Promise<Admin> {
  const { listen, tokenHash, hosts, onFault, onWarning = () => {}, now = () => performance.now() } = options;
  const open = tokenHash === undefined ? listen.find((at) => !isLoopback(at)) : undefined;
  if (open !== undefined) throw new AdminListenError(tokenNeeded(open));
  const limits = { ...defaultLimits, ...options.limits };
  const stop = new AbortController();
  const rate = new RequestRate(limits.rate);
  const guard = { listen, tokenHash, hosts, rate, now };
  const api = buildApi(control, { ...guard, limits, stopping: stop.signal, onFault, onWarning });
  const servers: Server[] = [];
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    closed ??= Promise.all(servers.map(closeServer));
    await closed;
  };
  const listening: Endpoint[] = [];
  try {
    for (const at of listen) {
      const server = createHttpServer(api, limits);
      listening.push({ ...at, port: await bind(server, at) });
      servers.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listening, close };
}

export const tokenNeeded = (at: Endpoint): string =>
  `${formatEndpoint(at)} is not loopback, so the admin API needs a token there: run "geodns365 token" and set admin.tokenHash to the hash it prints`;

function createHttpServer(api: Api, limits: AdminLimits): Server {
  const answer = getRequestListener((request, env) => api.fetch(request, env), {
    overrideGlobalObjects: false,
    errorHandler: (error) => {
      const words = error instanceof Error ? error.message : String(error);
      const no = refusal("malformed-request", `this request cannot be read: ${words.toLowerCase()}`);
      return new Response(refusalText(no), { status: statusOf(no.code), headers: refusalHeaders });
    },
  });
  const server = createServer(
    {
      maxHeaderSize: limits.headerOctets,
      headersTimeout: limits.headersMilliseconds,
      requestTimeout: limits.requestMilliseconds,
      connectionsCheckingInterval: Math.min(1000, limits.headersMilliseconds),
      // A missing Host header is refused with a body, as all else is.
      requireHostHeader: false,
    },
    answer,
  );
  server.maxConnections = limits.connections;
  server.timeout = limits.idleMilliseconds;
  server.on("checkExpectation", answer);
  server.on("clientError", refuseUnreadable);
  return server;
}

const refusalHeaders = { "content-type": "application/json", "cache-control": "no-store" } as const;

/** What the HTTP parser gives up on gets the same kind of answer as the rest. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const no = whyUnreadable(error);
  const body = refusalText(no);
  const lines = [
    `HTTP/1.1 ${statusOf(no.code)} ${no.code}`,
    ...Object.entries(refusalHeaders).map(([name, text]) => `${name}: ${text}`),
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function whyUnreadable({ code, message }: NodeJS.ErrnoException): Refusal {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return refusal("headers-too-large", "the headers are too large; send fewer or shorter ones");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refusal("request-timeout", "the request was not complete in time; send it in one go");
    default:
      return refusal("malformed-request", `this is no HTTP request: ${message.toLowerCase()}`);
  }
}

async function bind(server: Server, at: Endpoint): Promise<number> {
  server.listen({ host: at.address, port: at.port, ipv6Only: at.family === 6 });
  try {
    await once(server, "listening");
  } catch (error) {
    throw new AdminListenError(`cannot serve the admin API on ${formatEndpoint(at)}: ${whyNotBound(error)}`, {
      cause: error,
    });
  }
  const bound: AddressInfo | string | null = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : at.port;
}

function whyNotBound(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return "another program uses the port; stop it, or choose another with --admin";
    case "EACCES":
      return "ports below 1024 need a right; choose another with --admin";
    case "EADDRNOTAVAIL":
      return "this machine has no such address; choose another with --admin";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** How long a client may take to read the end of what it asked for. */
const CLOSE_MILLISECONDS = 1000;

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const impatient = setTimeout(() => server.closeAllConnections(), CLOSE_MILLISECONDS);
  await closed;
  clearTimeout(impatient);
}
