/** The admin API: each route as a function from what was asked to a value of the server, and one place that answers. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Context, Hono } from "hono";
import type { Control, ControlEvent, JournalFilter, Outcome } from "./control.ts";
import { parseDuration } from "./duration.ts";
import { type AdminErrorCode, type Refusal, refusal, refusalText, statusOf } from "./errors.ts";
import { eventStream } from "./events.ts";
import { type GuardOptions, refuse } from "./guard.ts";
import {
  type Input,
  openApiDocument,
  type RouteName,
  type Routes,
  routes,
  type Value,
  whatIsWrong,
} from "./routes.ts";

export interface ApiOptions extends GuardOptions {
  readonly limits: ApiLimits;
  /** aborted when the server ends: streams and waiting requests end with it */
  readonly stopping: AbortSignal;
  /** told of what went wrong inside */
  readonly onFault: (error: unknown) => void;
  /** told what an operator should know of clients */
  readonly onWarning: (message: string) => void;
}

export interface ApiLimits {
  readonly bodyOctets: number;
  /** event streams and waiting requests at a time */
  readonly waiting: number;
  readonly eventQueueLength: number;
  readonly heartbeatMilliseconds: number;
}

/** What node gives with each request. */
export interface Bindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export type Api = Pick<Hono<{ Bindings: Bindings }>, "fetch">;

/** A value of the route, a response that is made already, or a refusal. */
type Reply<V> = Response | Refusal | { readonly kind: "value"; readonly value: Sent<V> };

/** A value that is only sent may hold what cannot be written. */
type Sent<T> = T extends readonly (infer Item)[]
  ? readonly Sent<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Sent<T[K]> }
    : T;

type Handlers = {
  readonly [N in RouteName]: (
    input: Input<Routes[N]>,
    asked: Asked,
  ) => Reply<Value<Routes[N]>> | Promise<Reply<Value<Routes[N]>>>;
};

interface Asked {
  readonly method: string;
  readonly accept: string;
  readonly outgoing: ServerResponse;
}

const value = <V>(what: V) => ({ kind: "value", value: what }) as const;

export function buildApi(control: Control, options: ApiOptions): Api {
  const app = new Hono<{ Bindings: Bindings }>();
  const handlers: Handlers = handlersOf(control, options);
  app.use(async (c, next) => {
    const { incoming } = c.env;
    const { localAddress, remoteAddress } = incoming.socket;
    const no = refuse(options, { path: c.req.path, headers: incoming.headers, localAddress, remoteAddress });
    return no === undefined ? next() : respond(no);
  });
  for (const name of Object.keys(routes) as RouteName[]) addRoute(app, name, handlers, options);
  app.notFound((c) => respond(refusePath(c)));
  app.onError((error) => {
    options.onFault(error);
    return respond(refusal("internal-error", "the server could not do this; its log says why"));
  });
  return app;
}

function addRoute<N extends RouteName>(
  app: Hono<{ Bindings: Bindings }>,
  name: N,
  handlers: Handlers,
  { limits }: ApiOptions,
): void {
  const { method, path, params, query, body } = routes[name];
  const takesBody = method === "put" || method === "post";
  app.on(method.toUpperCase(), path.replace(/\{(\w+)\}/g, ":$1"), async (c) => {
    const written = takesBody ? await readBody(c.req.raw, limits.bodyOctets) : undefined;
    if (isRefusal(written)) return respond(written);
    const asked = {
      params: params.safeParse(c.req.param(), { reportInput: true }),
      query: query.safeParse(onceEach(c.req.queries()), { reportInput: true }),
      body: body.safeParse(written ?? {}, { reportInput: true }),
    };
    const issues = [asked.params, asked.query, asked.body].flatMap(({ error }) => error?.issues ?? []);
    if (issues.length > 0) return respond(refusal("invalid-request", whatIsWrong(issues)));
    // The schemas of the route have made these three.
    const input = { params: asked.params.data, query: asked.query.data, body: asked.body.data } as Input<
      Routes[N]
    >;
    const accept = c.req.header("accept") ?? "";
    return respond(await handlers[name](input, { method: c.req.method, accept, outgoing: c.env.outgoing }));
  });
}

function handlersOf(control: Control, options: ApiOptions): Handlers {
  const { limits, stopping } = options;
  let waiting = 0;
  const refuseWaiting = (): Refusal | undefined =>
    waiting < limits.waiting
      ? undefined
      : refusal(
          "too-many-waiting",
          `${limits.waiting} clients wait or follow events already; end one of them`,
        );
  type Change = Pick<Input<Routes["setDatacenter"]>, "params" | "body">;
  const setDatacenter = async ({ params: { target }, body }: Change) =>
    settled(
      await control.setDatacenter({
        target,
        state: body.state,
        reason: body.reason,
        forSeconds: secondsOf(body.for),
      }),
    );
  return {
    listDatacenters: () => value({ datacenters: control.datacenters() }),
    setDatacenter,
    setDatacenterByPost: setDatacenter,
    listClouds: () => value({ clouds: control.clouds() }),
    listTenants: ({ query: { cloud, limit, offset } }) => {
      const tenants = control.tenants({ cloud, offset, limit });
      return value({ tenants, total: control.countTenants(cloud) });
    },
    showTenant: ({ params: { label } }) => {
      const tenant = control.tenant(label);
      return tenant === undefined
        ? refusal("not-found", `"${label}" is no tenant; GET /v1/tenants lists them`)
        : value(tenant);
    },
    moveTenant: async ({ params: { label }, body: { to, reason } }) =>
      settled(await control.moveTenant(label, to, reason)),
    failover: async ({ params: { label }, body: { reason } }) =>
      settled(await control.failover(label, reason)),
    failback: async ({ params: { label }, body: { reason } }) =>
      settled(await control.failback(label, reason)),
    listOverrides: () => value({ overrides: control.overrides() }),
    removeOverride: async ({ params: { number } }) => settled(await control.removeOverride(number)),
    explain: ({ query: { name, type, from, tenant, with: supposed, at } }) => {
      const whatIf = { with: supposed?.split(",").map((each) => each.trim()) ?? [], at };
      return settled(control.explain({ name, type, from, tenant, whatIf }));
    },
    locate: ({ query: { address } }) => {
      const outcome = control.locate(address);
      return outcome.kind === "done" ? value({ located: outcome.value }) : settled(outcome);
    },
    journal: ({ query: { limit, format, ...filter } }, { accept }) => {
      const entries = control.journal(filter, limit);
      const isJsonl = (format ?? (accept.includes("application/x-ndjson") ? "jsonl" : "json")) === "jsonl";
      if (!isJsonl) return value({ entries });
      const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      return new Response(lines, { headers: { ...plainHeaders, "content-type": "application/x-ndjson" } });
    },
    waitForQuery: async ({ query: { timeout, ...filter } }) => {
      const seconds = Math.min(secondsOf(timeout) ?? 0, MAX_WAIT_SECONDS);
      const no = refuseWaiting();
      if (no !== undefined) return no;
      waiting++;
      const found = control.waitFor(filter, seconds * 1000).finally(() => {
        waiting--;
      });
      const entry = await Promise.race([found, ending(stopping)]);
      if (entry === "stopping")
        return refusal("stopping", "the server is about to end; ask again once it is back");
      return entry === undefined ? refusal("no-entry", noEntry(filter, seconds)) : value(entry);
    },
    reload: async () => settled(await control.reload()),
    snapshot: () => value(control.status()),
    clock: () => value(control.clock()),
    setClock: async ({ body }) =>
      Object.keys(body).length === 0
        ? refusal("invalid-request", "nothing to set: give speed, stepSeconds or setTo")
        : settled(await control.setClock(body)),
    events: ({ query: { kinds } }, { method, outgoing }) => {
      const headers = { ...plainHeaders, "content-type": "text/event-stream" };
      if (method === "HEAD") return new Response(null, { headers });
      const no = refuseWaiting();
      if (no !== undefined) return no;
      waiting++;
      const stream = eventStream(control, {
        kinds: kinds === undefined ? undefined : new Set(kinds.split(",") as ControlEvent["kind"][]),
        queueLength: limits.eventQueueLength,
        heartbeatMilliseconds: limits.heartbeatMilliseconds,
        onEnd: (why) => {
          waiting--;
          stopping.removeEventListener("abort", stream.close);
          if (why === "dropped")
            options.onWarning("a client of /v1/events did not read in time and was dropped");
        },
      });
      stopping.addEventListener("abort", stream.close);
      outgoing.once("close", stream.close);
      return new Response(stream.body, { headers });
    },
    health: () => value({ status: "alive" }),
    ready: () =>
      control.status().listening.length > 0
        ? value({ status: "ready" })
        : refusal("not-ready", "it does not answer DNS queries yet; ask again"),
    metrics: async () => {
      const { contentType, text } = await control.metrics();
      return new Response(text, { headers: { ...plainHeaders, "content-type": contentType } });
    },
    openapi: () => value(openApiDocument(control.status().version)),
  };
}

export const MAX_WAIT_SECONDS = 300;

function noEntry(filter: JournalFilter, seconds: number): string {
  const asked = Object.entries(filter).flatMap(([key, text]) => (text === undefined ? [] : `${key}=${text}`));
  const what = asked.length === 0 ? "no query" : `no query with ${asked.join(" and ")}`;
  return `${what} came within ${seconds} s; wait longer with timeout, or ask less narrowly`;
}

const ending = (signal: AbortSignal): Promise<"stopping"> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve("stopping");
    signal.addEventListener("abort", () => resolve("stopping"), { once: true });
  });

/** What the schema has taken as a duration, or as seconds. */
function secondsOf(given: string | number | undefined): number | undefined {
  const seconds = typeof given === "string" ? parseDuration(given) : given;
  if (typeof seconds === "string") throw new Error(seconds);
  return seconds;
}

function settled<T>(outcome: Outcome<T>): Refusal | { readonly kind: "value"; readonly value: T } {
  if (outcome.kind === "done") return value(outcome.value);
  const { fault, errors } = outcome;
  return { kind: "refusal", code: fault.code, message: fault.message, errors };
}

const isRefusal = (what: unknown): what is Refusal =>
  typeof what === "object" && what !== null && "kind" in what && what.kind === "refusal";

const plainHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;
const jsonHeaders = { ...plainHeaders, "content-type": "application/json" } as const;

function respond(reply: Reply<unknown>): Response {
  if (reply instanceof Response) return reply;
  if (reply.kind === "value")
    return new Response(`${JSON.stringify(reply.value)}\n`, { headers: jsonHeaders });
  return new Response(refusalText(reply), {
    status: statusOf(reply.code),
    headers: { ...jsonHeaders, ...reply.headers },
  });
}

/** A path that is there has other methods. */
function refusePath(c: Context): Refusal {
  const { path, method } = c.req;
  const methods = Object.values(routes)
    .filter((route) => pattern(route.path).test(path))
    .flatMap((route) => (route.method === "get" ? ["GET", "HEAD"] : route.method.toUpperCase()));
  if (methods.length === 0) {
    return refusal("no-such-path", `there is nothing at ${path}; GET /openapi.json lists what there is`);
  }
  const allow = methods.join(", ");
  return refusal("method-not-allowed", `${path} has no ${method}, but ${allow}`, { allow });
}

const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`);

/** A parameter given twice is given as a list, which no schema takes. */
const onceEach = (queries: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(queries).map(([key, texts]) => [key, texts.length === 1 ? texts[0] : texts]),
  );

/** The JSON of a body; undefined where there is none. */
async function readBody(request: globalThis.Request, most: number): Promise<unknown> {
  const type = request.headers.get("content-type");
  const isJson = type !== null && /^application\/json *(; *charset="?utf-8"?)?$/i.test(type.trim());
  const length = Number(request.headers.get("content-length") ?? 0);
  const hasBody = length > 0 || request.headers.has("transfer-encoding");
  if (!isJson && (hasBody || type !== null)) {
    const words = type === null ? "the body has no content type" : `"${type.slice(0, 60)}" is no JSON`;
    return refusal("unsupported-media-type", `${words}; send content-type: application/json`);
  }
  if (!hasBody) return undefined;
  const octets = length > most ? undefined : await readAtMost(request, most);
  if (octets === undefined) return refusal("too-large", `the body has more than ${most} octets; send less`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(octets));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return refusal("invalid-request" satisfies AdminErrorCode, `the body is no JSON: ${words}`);
  }
}

async function readAtMost(request: globalThis.Request, most: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of request.body ?? []) {
    total += chunk.length;
    if (total > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
