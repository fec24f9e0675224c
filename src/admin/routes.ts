/** Every route of the admin API with what it takes and gives: the API checks by it, OpenAPI is made of it, the commands use it. */

import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { WORKLOADS } from "../cloud/topology.ts";
import type { Explanation } from "../explain.ts";
import { parsePrefix } from "../ip.ts";
import type { Located } from "../locate.ts";
import { quirks } from "../zone/quirks.ts";
import type * as contract from "./control.ts";
import { MAX_DURATION_SECONDS, parseDuration } from "./duration.ts";
import { type AdminErrorCode, adminErrorCodes, adminErrors } from "./errors.ts";

// What comes back.

const state = z
  .enum(["up", "draining", "down"])
  .describe("draining: no new clients, but still active for its tenants");
const time = z.string().describe("ISO 8601").openapi({ format: "date-time" });
const number = z.int().describe("counts up from 1, and is never used again");

const override = z
  .object({
    number,
    target: z.string().describe("as it was given: an id or a pattern"),
    state,
    reason: z.string().optional(),
    since: time,
    until: time.optional().describe("absent: until it is removed"),
    datacenters: z.array(z.string()).describe("ids of the datacenters that it means"),
  })
  .openapi("Override", { description: "an operator's word on datacenters, which beats what probes find" });

const datacenter = z
  .object({
    id: z.string(),
    city: z.string().optional(),
    roles: z.array(z.string()),
    state: state.describe("what counts"),
    health: z
      .object({ state: z.enum(["up", "down"]), since: time, reason: z.string() })
      .optional()
      .describe("what probes have found; absent where none is made"),
    override: override.optional().describe("the one in force"),
  })
  .openapi("Datacenter");

const cloud = z
  .object({
    name: z.string(),
    datacenters: z.int(),
    tenants: z.int(),
    services: z.array(
      z.object({
        name: z.string(),
        era: z.string().optional(),
        policy: z.string(),
        whenAllDown: z.string(),
        names: z.array(z.string()),
      }),
    ),
  })
  .openapi("Cloud");

const mode = z.enum(["automatic", "manual"]);
const tenant = z
  .object({
    label: z
      .string()
      .describe(
        "the tenant's name, that of a satellite, or one like contoso/exchange of a workload with a home of its own",
      ),
    tenant: z.string(),
    workload: z.enum(WORKLOADS).optional().describe("whose home it is, where it is not the tenant's own"),
    ownHomes: z
      .array(z.string())
      .optional()
      .describe(
        "the labels of its workloads with a home of their own: they stay where it is moved or fails over",
      ),
    cloud: z.string(),
    geo: z.string(),
    active: z.string(),
    standby: z.string().optional(),
    servedBy: z.string().describe("the datacenter that answers for it now"),
    serving: z.enum(["active", "standby"]),
    failover: mode,
    failback: mode,
    since: time.optional(),
    by: z
      .enum(["operator", "failover", "failback"])
      .optional()
      .describe("who put it there; absent where it is as configured"),
    reason: z.string().optional(),
  })
  .openapi("Tenant");

const status = z
  .object({
    version: z.string(),
    snapshot: z.int().describe("the number of the snapshot that answers now; each change makes the next one"),
    snapshotSince: time,
    startedAt: time,
    listening: z.array(z.string()),
    configuration: z.string(),
    zones: z.array(z.object({ apex: z.string(), serial: z.int().optional() })),
    geoip: z.object({ databaseType: z.string(), buildDate: z.string() }).optional(),
    lastReloadErrors: z
      .array(z.string())
      .optional()
      .describe("absent where the last reload went well, or none was tried"),
    stateStore: z.string(),
  })
  .openapi("Snapshot", { description: "what answers now" });

const reloaded = z
  .object({
    snapshot: z.int(),
    changes: z.array(z.string()).describe("a line for each thing that is other than before"),
    warnings: z.array(z.string()),
  })
  .openapi("Reload");

const transport = z.enum(["udp", "tcp"]);
const entry = z
  .object({
    number,
    at: time,
    snapshot: z.int(),
    qname: z.string(),
    qtype: z.string(),
    source: z.string(),
    transport,
    clientSubnet: z.string().optional().describe("as sent"),
    location: z.string().optional().describe("where the address that counted is"),
    datacenter: z.string().optional(),
    reason: z.string().optional(),
    rcode: z.string(),
    scope: z.int().optional(),
  })
  .openapi("JournalEntry", { description: "a query and how it was answered" });

const clock = z
  .object({ now: time, speed: z.number().describe("1 is real time, 0 is frozen") })
  .openapi("Clock");

const event = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("datacenter"), datacenter, before: state }),
    z.object({ kind: z.literal("tenant"), tenant }),
    z.object({ kind: z.literal("override-ended"), override }),
    z.object({ kind: z.literal("reload"), outcome: z.enum(["done", "errors"]), lines: z.array(z.string()) }),
    z.object({ kind: z.literal("query"), entry }),
  ])
  .openapi("Event", { description: "the data of each event; its event field is the kind" });

const mark = z.enum(["inferred", "invented"]).optional();
const place = z.object({
  city: z.string().optional(),
  country: z.string().optional(),
  coordinates: z.tuple([z.number(), z.number()]).describe("latitude and longitude in degrees"),
});
const measured = z
  .object({ milliseconds: z.number(), words: z.string() })
  .optional()
  .describe("measured, and in place of the kilometres");
const candidates = z
  .array(
    z.object({
      id: z.string(),
      city: z.string().optional(),
      kilometres: z.number(),
      state,
      biasKilometres: z.number().describe("added to the kilometres"),
      latency: measured,
      isListed: z.boolean().describe("whether a list has it, so that neither counts"),
      chosen: z.boolean(),
      mark,
    }),
  )
  .describe("everyone considered, the nearest first");
const ruleKind = z.enum(["network", "country", "continent", "default", "no-rule"]);
const reason = z.enum([
  "nearest",
  "next-nearest",
  "spread",
  "only-draining-left",
  "active",
  "standby",
  "all-down",
  "unlocated",
  ...ruleKind.options,
]);
const tried = z
  .array(
    z.object({
      rule: z.string(),
      outcome: z.enum(["counts", "passed over", "not asked"]),
      because: z.string(),
    }),
  )
  .describe("the rules that were tried, in order");
const at = z.string().describe("the name on the chain that it is for");
const decision = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("service"),
    at,
    cloud: z.string(),
    service: z.string(),
    era: z.string().optional(),
    policy: z.string(),
    tried,
    region: z.string().optional().describe("of which the name tells that its datacenter is"),
    datacenter: z.string().optional(),
    city: z.string().optional(),
    reason,
    because: z.string(),
    candidates,
    leftOut: z
      .array(z.object({ id: z.string(), because: z.string() }))
      .describe("candidates of the service that are not considered here"),
    list: z.string().optional().describe("whose list orders them first, if one does"),
    spread: z
      .object({ group: z.string(), among: z.array(z.object({ id: z.string(), weight: z.number() })) })
      .optional()
      .describe("over whom clients are spread"),
    endsAtEdge: z
      .boolean()
      .describe("whether the addresses are of an edge, the same for everyone, and not of the datacenter"),
    tenant: z
      .object({
        name: z.string(),
        geo: z.string(),
        active: z.string(),
        activeState: state,
        standby: z.string().optional(),
        standbyState: state.optional(),
      })
      .optional(),
  }),
  z.object({
    kind: z.literal("records"),
    at,
    name: z.string().describe("the name, or the wildcard, that the rules stand at"),
    tried,
    rule: z
      .object({
        kind: ruleKind,
        words: z.string(),
        network: z.string().optional(),
        prefix: z.string().optional(),
        country: z.string().optional(),
        continent: z.string().optional(),
      })
      .optional()
      .describe("absent where the nearest datacenter decides"),
    datacenter: z.string().optional(),
    city: z.string().optional(),
    reason,
    because: z.string(),
    candidates,
    records: z.array(z.string()),
  }),
]);
const how = z.enum(["fixed", "by place", "by tenant"]);
const supposed = z
  .object({
    with: z.array(z.string()),
    at: time,
    ended: z
      .array(z.object({ number, target: z.string(), state, until: time }))
      .describe("overrides that are over by then"),
    datacenters: z.array(z.object({ id: z.string(), before: state, state })),
    tenants: z
      .array(
        z.object({
          label: z.string(),
          before: z.string(),
          servedBy: z.string(),
          by: z.enum(["operator", "failover", "failback"]),
        }),
      )
      .describe("the first of them, where very many are served elsewhere"),
    moreTenants: z.int(),
  })
  .describe("what is supposed to be other than it is; absent where all is as it is");
const explanation = z
  .object({
    supposed: supposed.optional(),
    question: z.object({ name: z.string(), type: z.string() }),
    from: z.string(),
    quirks: z
      .object({ zone: z.string(), names: z.array(z.enum(quirks)) })
      .optional()
      .describe("of the zone asked, if it has any"),
    askers: tried,
    vantages: z
      .array(z.object({ listener: z.string(), name: z.string() }))
      .describe("where one can ask as if from there"),
    clientSubnetTrust: z.union([z.enum(["all", "none"]), z.array(z.string())]),
    location: z.object({
      rule: z.enum(["network", "geoip", "default", "unlocated"]),
      name: z.string().optional().describe("the network, or the country or continent"),
      kind: z.enum(["office", "vpn", "expressroute"]).optional(),
      place,
      prefix: z.string(),
      hasGeoip: z.boolean(),
      tried,
      remark: z.string().optional(),
    }),
    rcode: z.string().describe('"not known" where a handler decides'),
    handler: z.object({ zone: z.string(), path: z.string() }).optional(),
    stop: z
      .object({
        kind: z.enum([
          "not-served",
          "transfer",
          "obsolete-type",
          "no-record-type",
          "leaves",
          "loop",
          "too-long",
          "first-cname",
          "scripted",
          "quirks",
          ...quirks,
        ]),
        because: z.string(),
      })
      .optional()
      .describe("why nothing was looked up, or why a chain ends before its last name"),
    decisions: z.array(decision).describe("all that was decided on the way, in the order of the chain"),
    decision: decision
      .optional()
      .describe(
        "the last of them, whose choice the addresses are; absent where no name on the way is tailored",
      ),
    chain: z
      .array(
        z.object({
          name: z.string(),
          zone: z.string(),
          found: z.enum([
            "rrset",
            "cname",
            "referral",
            "nodata",
            "nxdomain",
            "yxdomain",
            "servfail",
            "refused",
            "script",
            "explanation",
          ]),
          type: z.string().optional(),
          ttlSeconds: z.int().optional(),
          followsTime: z.boolean().describe("whether the TTL follows the time to the next possible change"),
          values: z.array(z.string()).describe("RDATA, in presentation format"),
          standsFor: z
            .string()
            .optional()
            .describe("the wildcard, or the owner of the DNAME, that stands for the name"),
          how,
          decision: z.int().optional().describe("the index of the decision, where one was made here"),
          mark,
        }),
      )
      .describe("every name on the way"),
    records: z.array(
      z.object({
        record: z.string(),
        zone: z.string(),
        how,
        mark,
      }),
    ),
    authority: z.array(z.string()),
    scope: z.object({
      prefixLength: z.int().optional(),
      prefix: z.string().optional(),
      because: z.string(),
    }),
    hasAddresses: z.boolean(),
    secondHop: z
      .object({
        tenant: z.string().optional(),
        frontEnd: z.string(),
        target: z.string().optional(),
        because: z.string(),
      })
      .optional(),
    homes: z
      .array(
        z.object({
          name: z.string(),
          workload: z.enum(WORKLOADS).optional(),
          geo: z.string(),
          active: z.string(),
          activeState: state,
          standby: z.string().optional(),
          standbyState: state.optional(),
          servedBy: z.string(),
          because: z.string(),
        }),
      )
      .describe("of the tenant asked about: its own home, and those of its workloads that have another"),
    unusedTenant: z.object({ name: z.string(), because: z.string() }).optional(),
    remarks: z.array(z.string()).describe("sentences on which way the connection takes"),
  })
  .openapi("Explanation", { description: "why a name has the answer that it has from one place" });

const located = z
  .object({
    prefix: z.string(),
    isAlike: z.boolean().describe("whether all of it is at one place by one rule"),
    parts: z
      .array(
        z.object({
          prefix: z.string(),
          locatedAs: z.string().describe("the widest prefix that is located so"),
          rule: z.enum(["network", "geoip", "default", "unlocated"]),
          name: z.string().optional().describe("the network, or the country or continent"),
          place,
          override: z
            .string()
            .optional()
            .describe("whose place it is, where the configuration gives one to what GeoIP finds"),
          first: z
            .array(z.string())
            .describe("by the order of the sets: the nearest datacenter, or the rule"),
        }),
      )
      .describe("each at one place by one rule; the first of them where there are many"),
    moreParts: z.boolean(),
    sets: z
      .array(
        z.object({
          cloud: z.string().optional().describe("absent for names with rules"),
          names: z.array(z.string()).describe("services, or names with rules"),
          class: z.int(),
          scopePrefixLength: z.int(),
          scope: z.string(),
          rule: z.string().optional().describe("absent where the nearest datacenter decides"),
          order: z.string().optional().describe("what orders the datacenters beside distance and bias"),
          datacenters: z
            .array(
              z.object({
                id: z.string(),
                city: z.string().optional(),
                kilometres: z.number(),
                biasKilometres: z.number().describe("added to the kilometres"),
                latency: measured,
                isListed: z.boolean().describe("whether a list has it, so that neither counts"),
              }),
            )
            .describe("the nearest first"),
        }),
      )
      .describe("each set of candidates, for the first address of the prefix"),
  })
  .openapi("Located", { description: "where a prefix is, and in which order datacenters stand there" });

const error = z
  .object({
    error: z.object({
      code: z.enum(adminErrorCodes).describe("stays the same from version to version"),
      message: z.string().describe("what is wrong and what to do next"),
      errors: z.array(z.string()).optional().describe("those of the configuration, as check prints them"),
    }),
  })
  .openapi("Error");

/** What is compared with the contract: each schema's value is the contract's, as JSON holds it. */
interface Views {
  override: [z.infer<typeof override>, contract.OverrideView];
  datacenter: [z.infer<typeof datacenter>, contract.DatacenterView];
  cloud: [z.infer<typeof cloud>, contract.CloudView];
  tenant: [z.infer<typeof tenant>, contract.TenantView];
  status: [z.infer<typeof status>, contract.StatusView];
  reloaded: [z.infer<typeof reloaded>, contract.ReloadView];
  entry: [z.infer<typeof entry>, contract.JournalEntry];
  clock: [z.infer<typeof clock>, contract.ClockView];
  event: [z.infer<typeof event>, contract.ControlEvent];
  explanation: [z.infer<typeof explanation>, Explanation];
  located: [z.infer<typeof located>, Located];
}

/** A key that may be undefined is left out of JSON; nothing there is read-only. */
export type Json<T> = unknown extends T
  ? unknown
  : T extends readonly (infer Item)[]
    ? Json<Item>[]
    : T extends object
      ? Flat<
          { [K in keyof T as undefined extends T[K] ? never : K]: Json<T[K]> } & {
            [K in keyof T as undefined extends T[K] ? K : never]?: Json<Exclude<T[K], undefined>>;
          }
        >
      : T;
type Flat<T> = { -readonly [K in keyof T]: T[K] };
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Does not compile while a schema and the contract differ in a key or a type. */
export const schemasAgree: { readonly [K in keyof Views]: IsSame<Json<Views[K][0]>, Json<Views[K][1]>> } = {
  override: true,
  datacenter: true,
  cloud: true,
  tenant: true,
  status: true,
  reloaded: true,
  entry: true,
  clock: true,
  event: true,
  explanation: true,
  located: true,
};

// What is asked.

const nonEmpty = (what: string) => z.string(`expected ${what}`).min(1, `expected ${what}`);
const whole = (least: number, most: number) => {
  const words = `expected a whole number from ${least} to ${most}`;
  return z.coerce.number(words).int(words).min(least, words).max(most, words);
};
/** A text that `parse` takes; it returns a sentence for one that it does not. */
const parsed = (what: string, parse: (text: string) => unknown) =>
  z.string(`expected ${what}`).check((context) => {
    const outcome = parse(context.value);
    if (typeof outcome === "string") {
      context.issues.push({ code: "custom", message: outcome, input: context.value });
    }
  });
const duration = parsed("a duration like 90, 90s, 10m, 2h or 1d", parseDuration);
const why = nonEmpty("a text")
  .max(500, "expected 500 characters at most")
  .optional()
  .describe("shown beside it");

const filter = {
  name: nonEmpty("a name").optional().describe("a name, or one with * for any characters"),
  subnet: parsed("a prefix", parsePrefix).optional().describe("a prefix that holds the address that counted"),
  datacenter: nonEmpty("a datacenter").optional(),
  transport: z.enum(["udp", "tcp"], "expected udp or tcp").optional(),
  rcode: nonEmpty("an RCODE").optional().describe("NOERROR, NXDOMAIN, REFUSED ..."),
};

export const eventKinds = ["datacenter", "tenant", "override-ended", "reload", "query"] as const;

const label = z.object({
  label: nonEmpty("a label").describe(
    "of a tenant, a satellite or, with %2F for the slash, a workload with a home of its own",
  ),
});
const because = z.strictObject({ reason: why });
const none = z.strictObject({});

const json = <S extends z.ZodType>(schema: S) => ({ "application/json": { schema } });

/** What every route may come back with. */
const everywhere = [
  "malformed-request",
  "invalid-request",
  "unauthorized",
  "foreign-host",
  "foreign-origin",
  "request-timeout",
  "too-many-requests",
  "headers-too-large",
  "internal-error",
  "stopping",
] as const satisfies readonly AdminErrorCode[];

function failures(codes: readonly AdminErrorCode[]) {
  const statuses = Map.groupBy(new Set([...everywhere, ...codes]), (code) => adminErrors[code].status);
  return Object.fromEntries(
    [...statuses].map(([of, those]) => [
      of,
      {
        description: those.map((code) => `\`${code}\`: ${adminErrors[code].means}`).join("; "),
        content: json(error),
      },
    ]),
  );
}

const tags = ["datacenters", "clouds", "tenants", "overrides", "queries", "server", "watching"] as const;

interface RouteOptions {
  readonly summary: string;
  readonly tag: (typeof tags)[number];
  readonly gives?: string;
  /** codes beside those of every route */
  readonly codes?: readonly AdminErrorCode[];
  /** media types of the value; application/json where absent */
  readonly forms?: readonly string[];
  readonly isOpen?: boolean;
}

const bodyCodes = ["too-large", "unsupported-media-type"] as const;

/** A route; `params`, `query` and `body` are checked before it is run, `value` is the JSON it gives. */
function route<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodObject,
  V extends z.ZodType,
  const Path extends string,
  const Method extends "get" | "put" | "post" | "delete",
>(
  method: Method,
  path: Path,
  { params, query, body, value }: { params: P; query: Q; body: B; value: V },
  { summary, tag, gives = summary, codes = [], forms = ["application/json"], isOpen = false }: RouteOptions,
) {
  const takesBody = method === "put" || method === "post";
  const needsBody = takesBody && !body.safeParse({}).success;
  const description = createRoute({
    method,
    path,
    summary,
    tags: [tag],
    operationId: `${method} ${path}`.replace(/[^a-z]+(\w|$)/g, (_, letter: string) => letter.toUpperCase()),
    ...(isOpen ? { security: [] } : {}),
    request: {
      params,
      query,
      ...(takesBody && Object.keys(body.shape).length > 0
        ? { body: { required: needsBody, content: json(body) } }
        : {}),
    },
    responses: {
      200: {
        description: gives,
        content: Object.fromEntries(forms.map((form) => [form, { schema: value }])),
      },
      ...failures(takesBody ? [...bodyCodes, ...codes] : codes),
    },
  });
  return { method, path, params, query, body, value, description };
}

const setDatacenter = {
  params: z.object({
    target: nonEmpty("a target").describe("lhr, Worldwide/lhr, lh*, Worldwide/*, geo:EUR; URL-encoded"),
  }),
  query: none,
  body: z.strictObject({
    state: z.enum(["up", "draining", "down"], "expected up, draining or down"),
    reason: why,
    for: z
      .union([z.int().min(1).max(MAX_DURATION_SECONDS), duration], {
        error: "expected seconds, or a duration like 90s, 10m, 2h or 1d",
      })
      .optional()
      .describe("how long; until it is removed where absent"),
  }),
  value: override,
};

const setDatacenterOptions: RouteOptions = {
  summary: "set the state of datacenters by an override behind all others",
  tag: "datacenters",
  gives: "the override; the next query is answered by it",
  codes: ["not-found", "not-possible", "state-not-written"],
};

export const routes = {
  listDatacenters: route(
    "get",
    "/v1/datacenters",
    { params: none, query: none, body: none, value: z.object({ datacenters: z.array(datacenter) }) },
    { summary: "every datacenter with its state and where that comes from", tag: "datacenters" },
  ),
  setDatacenter: route("put", "/v1/datacenters/{target}", setDatacenter, setDatacenterOptions),
  setDatacenterByPost: route("post", "/v1/datacenters/{target}", setDatacenter, setDatacenterOptions),
  listClouds: route(
    "get",
    "/v1/clouds",
    { params: none, query: none, body: none, value: z.object({ clouds: z.array(cloud) }) },
    { summary: "every cloud with its services", tag: "clouds" },
  ),
  listTenants: route(
    "get",
    "/v1/tenants",
    {
      params: none,
      query: z.strictObject({
        cloud: nonEmpty("a cloud").optional(),
        limit: whole(1, 10_000).default(1000),
        offset: whole(0, 100_000_000).default(0),
      }),
      body: none,
      value: z.object({
        tenants: z.array(tenant),
        total: z.int().describe("how many there are in all"),
      }),
    },
    { summary: "tenants and their satellites", tag: "tenants" },
  ),
  showTenant: route(
    "get",
    "/v1/tenants/{label}",
    { params: label, query: none, body: none, value: tenant },
    { summary: "one tenant, or one satellite", tag: "tenants", codes: ["not-found"] },
  ),
  moveTenant: route(
    "post",
    "/v1/tenants/{label}/move",
    {
      params: label,
      query: none,
      body: z.strictObject({ to: nonEmpty("a datacenter"), reason: why }),
      value: tenant,
    },
    {
      summary:
        "make another datacenter the active one of a tenant; its workloads with homes of their own stay",
      tag: "tenants",
      codes: ["not-found", "not-possible", "state-not-written"],
    },
  ),
  failover: route(
    "post",
    "/v1/tenants/{label}/failover",
    { params: label, query: none, body: because, value: tenant },
    {
      summary: "serve a tenant from its standby",
      tag: "tenants",
      codes: ["not-found", "not-possible", "state-not-written"],
    },
  ),
  failback: route(
    "post",
    "/v1/tenants/{label}/failback",
    { params: label, query: none, body: because, value: tenant },
    {
      summary: "serve a tenant from its active datacenter again",
      tag: "tenants",
      codes: ["not-found", "not-possible", "state-not-written"],
    },
  ),
  listOverrides: route(
    "get",
    "/v1/overrides",
    { params: none, query: none, body: none, value: z.object({ overrides: z.array(override) }) },
    {
      summary: "overrides in the order in which they were set; of several the last one counts",
      tag: "overrides",
    },
  ),
  removeOverride: route(
    "delete",
    "/v1/overrides/{number}",
    { params: z.object({ number: whole(1, 2 ** 53 - 1) }), query: none, body: none, value: override },
    {
      summary: "remove an override",
      tag: "overrides",
      gives: "the one that was removed",
      codes: ["not-found", "state-not-written"],
    },
  ),
  explain: route(
    "get",
    "/v1/explain",
    {
      params: none,
      query: z.strictObject({
        name: nonEmpty("a domain name"),
        type: nonEmpty("a type").default("A"),
        from: nonEmpty("a prefix or a network").describe("a prefix, or the name of a network"),
        tenant: nonEmpty("a tenant").optional().describe("the tenant whose datacenter a second hop goes to"),
        with: nonEmpty("a state to suppose")
          .optional()
          .describe(
            "what to suppose for this question alone: lhr=down, geo:EUR=draining, contoso=standby, contoso->ams; several with commas between",
          ),
        at: nonEmpty("a time or a duration")
          .optional()
          .describe("as it will be then: a time in ISO 8601, or a duration from now like 10m"),
      }),
      body: none,
      value: explanation,
    },
    {
      summary: "why a name has the answer that it has",
      tag: "queries",
      codes: ["not-found", "not-possible"],
    },
  ),
  locate: route(
    "get",
    "/v1/locate",
    {
      params: none,
      query: z.strictObject({ address: nonEmpty("an address").describe("an address, prefix or network") }),
      body: none,
      value: z.object({ located: z.array(located).describe("one for each prefix of a network") }),
    },
    {
      summary: "where an address is, and what is near to it",
      tag: "queries",
      codes: ["not-found", "not-possible"],
    },
  ),
  journal: route(
    "get",
    "/v1/journal",
    {
      params: none,
      query: z.strictObject({
        ...filter,
        limit: whole(1, 10_000).default(100),
        format: z
          .enum(["json", "jsonl"], "expected json or jsonl")
          .optional()
          .describe("before the Accept header; jsonl is an entry a line"),
      }),
      body: none,
      value: z.object({ entries: z.array(entry) }),
    },
    {
      summary: "the last queries and how they were answered, the newest first",
      tag: "queries",
      forms: ["application/json", "application/x-ndjson"],
    },
  ),
  waitForQuery: route(
    "get",
    "/v1/journal/wait",
    {
      params: none,
      query: z.strictObject({
        ...filter,
        timeout: duration.default("10s").describe("how long to wait, 5m at most"),
      }),
      body: none,
      value: entry,
    },
    {
      summary: "wait for a query that the filter takes",
      tag: "queries",
      gives: "the first one from now on",
      codes: ["no-entry", "too-many-waiting"],
    },
  ),
  reload: route(
    "post",
    "/v1/reload",
    { params: none, query: none, body: none, value: reloaded },
    {
      summary: "load the configuration anew",
      tag: "server",
      gives: "what is other than before",
      codes: ["configuration-errors", "state-not-written", "not-possible"],
    },
  ),
  snapshot: route(
    "get",
    "/v1/snapshot",
    { params: none, query: none, body: none, value: status },
    { summary: "what answers now", tag: "server" },
  ),
  clock: route(
    "get",
    "/v1/clock",
    { params: none, query: none, body: none, value: clock },
    { summary: "the time that the server goes by", tag: "server" },
  ),
  setClock: route(
    "put",
    "/v1/clock",
    {
      params: none,
      query: none,
      body: z
        .strictObject({
          speed: z
            .number("expected a number")
            .min(0, "expected 0 or more")
            .max(1000, "expected 1000 or less"),
          stepSeconds: z.number("expected seconds").min(-MAX_DURATION_SECONDS).max(MAX_DURATION_SECONDS),
          setTo: z.iso.datetime({ offset: true, error: "expected a time like 2026-11-25T12:00:00Z" }),
        })
        .partial(),
      value: clock,
    },
    {
      summary: "freeze the clock (speed 0), speed it up, step it, or set it",
      tag: "server",
      codes: ["not-possible", "state-not-written"],
    },
  ),
  events: route(
    "get",
    "/v1/events",
    {
      params: none,
      query: z.strictObject({
        kinds: z
          .string()
          .check((context) => {
            const known: readonly string[] = eventKinds;
            const unknown = context.value.split(",").find((kind) => !known.includes(kind));
            if (unknown === undefined) return;
            const message = `"${unknown}" is no kind of event; there are ${eventKinds.join(", ")}`;
            context.issues.push({ code: "custom", message, input: context.value });
          })
          .optional()
          .describe(`which events, with commas: ${eventKinds.join(", ")}; all where absent`),
      }),
      body: none,
      value: event,
    },
    {
      summary: "events as they happen (server-sent events)",
      tag: "server",
      gives:
        "an endless stream; the event `dropped` is the last one that a client gets who does not read in time",
      forms: ["text/event-stream"],
      codes: ["too-many-waiting"],
    },
  ),
  health: route(
    "get",
    "/healthz",
    { params: none, query: none, body: none, value: z.object({ status: z.literal("alive") }) },
    { summary: "whether it lives", tag: "watching", isOpen: true },
  ),
  ready: route(
    "get",
    "/readyz",
    { params: none, query: none, body: none, value: z.object({ status: z.literal("ready") }) },
    { summary: "whether it answers DNS queries", tag: "watching", isOpen: true, codes: ["not-ready"] },
  ),
  metrics: route(
    "get",
    "/metrics",
    { params: none, query: none, body: none, value: z.string() },
    { summary: "metrics in the text format of Prometheus", tag: "watching", forms: ["text/plain"] },
  ),
  openapi: route(
    "get",
    "/openapi.json",
    { params: none, query: none, body: none, value: z.unknown().openapi({ type: "object" }) },
    { summary: "this description", tag: "watching" },
  ),
} as const;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
export type Route = Routes[RouteName];

/** What a route is run with, once checked. */
export interface Input<R extends Route> {
  readonly params: z.infer<R["params"]>;
  readonly query: z.infer<R["query"]>;
  readonly body: z.infer<R["body"]>;
}

/** What a route gives, as JSON. */
export type Value<R extends Route> = z.infer<R["value"]>;

export function openApiDocument(version: string): unknown {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "where the configuration has admin.tokenHash",
  });
  for (const { description } of Object.values(routes)) app.openAPIRegistry.registerPath(description);
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "geodns365 admin API",
      version,
      description:
        "States of datacenters, tenants, the journal of queries, and what else the server is told.",
    },
    servers: [{ url: "/" }],
    security: [{}, { token: [] }],
    tags: tags.map((name) => ({ name })),
  });
}

/** What is wrong with a value that a schema does not take, in one line. */
export function whatIsWrong(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map(issueInWords).join("; ");
}

function issueInWords(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return `${issue.keys.map((key) => JSON.stringify(key)).join(" and ")} is not known here; see /openapi.json`;
  }
  const where = issue.path.join(".");
  if (where === "") return "expected a JSON object";
  if (issue.code === "custom") return `"${where}": ${issue.message}`;
  if (issue.input === undefined) return `"${where}" is missing: ${issue.message}`;
  // What is no number came as a text that the schema has not kept.
  if (Number.isNaN(issue.input)) return `"${where}": ${issue.message}`;
  const found = JSON.stringify(issue.input);
  return `"${where}": ${issue.message}, found ${found.length > 60 ? `${found.slice(0, 60)}...` : found}`;
}
