/** The commands' side of the admin API: the one place that sends requests to it. */

import { readFileSync } from "node:fs";
import type { ControlEvent } from "../admin/control.ts";
import { type Input, type RouteName, type Routes, routes, type Value } from "../admin/routes.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { EXIT, misuse } from "./exit.ts";

/** What every command that talks to a server takes. */
export interface AdminAccess {
  /** where the API is, as `http://127.0.0.1:5380` or `127.0.0.1:5380` */
  readonly admin: string;
  readonly tokenFile?: string;
  readonly json: boolean;
}

/** What the server says that it cannot or will not do, or why there is no answer. */
export class AdminFault extends Error {
  readonly isMisuse: boolean;

  constructor(message: string, isMisuse = false) {
    super(message);
    this.isMisuse = isMisuse;
  }
}

/** Params, query and body of a route, of which those that it has not may be left out. */
type Asked<N extends RouteName> = {
  readonly [K in keyof Input<Routes[N]>]?: Partial<Input<Routes[N]>[K]>;
};

export interface AdminClient {
  ask<N extends RouteName>(route: N, asked?: Asked<N>): Promise<Value<Routes[N]>>;
  /** Events from the moment on that `onOpen` is called; ends with the signal, rejects when the server ends them. */
  events(
    kinds: readonly string[] | undefined,
    onOpen: () => void,
    signal: AbortSignal,
  ): AsyncGenerator<ControlEvent>;
}

/** Asks and prints: JSON as it came, or lines. Says in one line what went wrong. */
export async function runAdmin<V>(
  access: AdminAccess,
  ask: (client: AdminClient) => Promise<V>,
  format: (value: V) => Iterable<string>,
): Promise<number> {
  return reportFaults(async () => {
    const value = await ask(connectAdmin(access));
    if (access.json) console.log(JSON.stringify(value, null, 2));
    else for (const line of format(value)) console.log(line);
    return EXIT.good;
  });
}

export async function reportFaults(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof AdminFault)) throw error;
    if (error.isMisuse) return misuse(error.message);
    console.error(error.message);
    return EXIT.foundWrong;
  }
}

const TIMEOUT_MILLISECONDS = 30_000;

export function connectAdmin({ admin, tokenFile }: AdminAccess): AdminClient {
  const base = baseOf(admin);
  const token = tokenFile === undefined ? process.env.GEODNS365_TOKEN : readToken(tokenFile);
  const authorization = token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` };
  const send = async (
    method: string,
    path: string,
    signal: AbortSignal,
    body?: string,
  ): Promise<Response> => {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const init = { method, headers: { ...authorization, ...type }, redirect: "error", signal } as const;
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, body === undefined ? init : { ...init, body });
    } catch (error) {
      throw new AdminFault(`no answer from ${base}: ${whyNone(error)}`);
    }
    if (!response.ok) throw faultOf(base, response.status, await response.text());
    return response;
  };
  return {
    ask: async (name, { params = {}, query = {}, body } = {}) => {
      const { method, path, value } = routes[name];
      const at = `${fill(path, params)}${queryText(query)}`;
      const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
      const text = body === undefined ? undefined : JSON.stringify(body);
      const response = await send(method.toUpperCase(), at, signal, text);
      const parsed = value.safeParse(await response.json().catch(() => undefined));
      if (!parsed.success) throw new AdminFault(notUnderstood(base));
      // The route's own schema has made it.
      return parsed.data as Value<Routes[typeof name]>;
    },
    events: async function* (kinds, onOpen, signal) {
      const { method, path, value } = routes.events;
      const asked = kinds === undefined ? {} : { kinds: kinds.join(",") };
      const opened = send(method.toUpperCase(), `${path}${queryText(asked)}`, signal);
      const response = await opened.catch((error: unknown) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (response === undefined) return;
      for await (const piece of piecesOf(response, signal)) {
        if (piece.startsWith(": the events")) onOpen();
        const [, event, data = ""] = /^event: (\S+)\ndata: (.*)$/.exec(piece) ?? [];
        if (event === "dropped") {
          throw new AdminFault(
            "events came faster than they were read, so the server has let go; start it again",
          );
        }
        if (event === undefined) continue;
        const parsed = value.safeParse(JSON.parse(data));
        if (!parsed.success) throw new AdminFault(notUnderstood(base));
        yield parsed.data as ControlEvent;
      }
      if (!signal.aborted) throw new AdminFault(`the server at ${base} has ended`);
    },
  };
}

const notUnderstood = (base: string): string =>
  `what answers at ${base} is no geodns365 of this version; name another with --admin`;

function baseOf(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "";
  if (!isPlain) throw new AdminFault(`--admin "${text}" is no URL like http://127.0.0.1:5380`, true);
  return url.origin;
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new AdminFault(`the token cannot be read: ${words}; name its file with --token-file`, true);
  }
}

function whyNone(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "it took too long; look at its log";
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ECONNREFUSED")
    return "nobody listens there; start geodns365 serve, or name another with --admin";
  if (code === "ENOTFOUND") return "there is no such host; name another with --admin";
  const words =
    cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error);
  return `${words}; name another with --admin`;
}

/** An error of the API is printed as its message. */
function faultOf(base: string, status: number, text: string): AdminFault {
  const error = errorIn(text);
  if (error === undefined) return new AdminFault(`status ${status}: ${notUnderstood(base)}`);
  const lines = [...error.errors, error.message]
    .flatMap((line) => line.split("\n").map(escapeUnprintable))
    .join("\n");
  return new AdminFault(lines, error.code === "invalid-request" || error.code === "not-found");
}

interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly errors: readonly string[];
}

function errorIn(text: string): ApiError | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const error: unknown = typeof json === "object" && json !== null ? Reflect.get(json, "error") : undefined;
  if (typeof error !== "object" || error === null) return undefined;
  const { code, message, errors }: Record<string, unknown> = { ...error };
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  return { code, message, errors: Array.isArray(errors) ? errors.map(String) : [] };
}

const fill = (path: string, params: Readonly<Record<string, unknown>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));

function queryText(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(
    Object.fromEntries(given.map(([key, value]) => [key, String(value)])),
  ).toString();
  return text === "" ? "" : `?${text}`;
}

/** Events and comments, one after the other. */
async function* piecesOf(response: Response, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of response.body ?? []) {
      const pieces = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = pieces.pop() ?? "";
      yield* pieces;
    }
  } catch (error) {
    // A stream that breaks has ended; whoever reads on is told so.
    if (!(error instanceof TypeError) && !signal.aborted) throw error;
  }
}
