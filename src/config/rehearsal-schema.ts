/** The shape of scenarios and of files of expectations, which no configuration holds. */

import { parseClass, parseRcode, parseType } from "../dns/iana.ts";
import { parseName } from "../dns/name.ts";
import { parseAddress, parsePrefix } from "../ip.ts";
import { parseAsk } from "./ask.ts";
import { parsed, z } from "./shape.ts";
import { MAX_SECONDS, parseTimeline } from "./timeline.ts";

const timeOf = (description: string) =>
  z
    .union([z.int().min(0).max(MAX_SECONDS), parsed("", parseTimeline)], {
      error: "expected seconds, or a time like 30s, 1m30s or 2h",
    })
    .describe(description);
const span = (description: string) =>
  timeOf(description).refine(
    (value) => (typeof value === "string" ? parseTimeline(value) !== 0 : value > 0),
    {
      error: "expected some time, like 30s",
    },
  );

const hex = (what: string) =>
  parsed(what, (text) =>
    /^([0-9a-f]{2})*$/i.test(text.replace(/\s/g, "")) ? undefined : `"${text}" is not octets in hex`,
  );
const option = parsed("an option as its code and its octets in hex", (text) =>
  /^\d{1,5}( ([0-9a-f]{2})*)?$/i.test(text) ? undefined : `"${text}" is not a code and octets in hex`,
);
const type = parsed("a type", (text) => parseType(text) ?? `"${text}" is not a type`);
const rcode = parsed("an RCODE", (text) => parseRcode(text) ?? `"${text}" is not an RCODE`);
const name = parsed("a domain name", parseName);

const severalOf = <T extends z.ZodType>(item: T, error: string) =>
  z.union([item, z.array(item).min(1)], { error });

const ask = severalOf(
  parsed("a name, and a type where it is not A: outlook.office365.com AAAA", parseAsk),
  "expected a name and a type, like outlook.office365.com A, or a list of them",
).describe("what is asked, each of several");
const from = severalOf(
  z.string().min(1),
  "expected a network, a prefix or an address, or a list of them",
).describe("networks by their names, prefixes or addresses, each of several; every network where left out");

const records = z.array(z.string()).describe("records in presentation format; the section must match whole");

const expected = z.strictObject({
  datacenter: z
    .string()
    .min(1)
    .optional()
    .describe("whose addresses and names come back: lhr, Worldwide/lhr, or none"),
  chain: z.array(name).optional().describe("the targets of the CNAMEs, in order"),
  rcode: rcode.optional(),
  scope: z
    .union([z.int().min(0).max(128), z.literal("none")], { error: "expected a prefix length, or none" })
    .optional()
    .describe("the scope prefix length; none: no client subnet in the response"),
  ttlAtMost: z.int().min(0).max(0x7fffffff).optional().describe("seconds; of every record of the answer"),
  never: severalOf(z.string().min(1), "expected a cloud or a datacenter, or a list of them")
    .optional()
    .describe("clouds or datacenters of which no name and no address may come back"),
  flags: z
    .array(z.enum(["qr", "aa", "tc", "rd", "ra"]))
    .optional()
    .describe("all that are set"),
  answer: records.optional(),
  authority: records.optional(),
  additional: records.optional(),
  opt: z.boolean().optional(),
  questions: z.int().min(0).optional(),
  options: z
    .array(option)
    .optional()
    .describe("all options but client subnet and extended errors, as codes and octets in hex"),
  extendedErrors: z.array(z.string()).optional().describe("as code and text"),
  dnssecOk: z.boolean().optional(),
  truncated: z.boolean().optional().describe("over UDP alone; over TCP nothing is truncated"),
});

const query = z
  .strictObject({
    name,
    type: type.default("A"),
    class: parsed("a class", (text) => parseClass(text) ?? `"${text}" is not a class`).default("IN"),
    from: parsed("an address", (text) => parseAddress(text) ?? `"${text}" is not an IP address`)
      .default("127.0.0.1")
      .describe("the source address; a loopback address where it does not matter"),
    vantage: z
      .string()
      .optional()
      .describe("what the listener that is asked stands for: a network, or a prefix"),
    clientSubnet: z.literal("ignore").optional().describe("whether no client subnet counts at that listener"),
    ecs: parsed("a client subnet", parsePrefix).optional(),
    ecsOctets: hex("a client subnet as the octets of the option in hex").optional(),
    options: z.array(option).default([]).describe("further options, each as its code and its octets in hex"),
    edns: z.boolean().default(true).describe("false: no OPT in the query"),
    udpPayloadSize: z.int().min(0).max(0xffff).default(1232),
    dnssecOk: z.boolean().default(false),
    recursionDesired: z.boolean().default(true),
  })
  .describe("a query with all its parts, where ask is not enough");

const state = z.enum(["up", "draining", "down"]);
const admin = z
  .strictObject({
    set: z.string().min(1).optional().describe("a datacenter or a pattern of them, and its state"),
    state: state.optional(),
    for: span("how long that lasts; until the end where left out").optional(),
    flap: z.string().min(1).optional().describe("a datacenter that goes down and comes up again and again"),
    times: z.int().min(1).max(1000).optional().describe("how often it goes down"),
    every: span("from one change of flap to its next, or from one step of drain to its next").optional(),
    drain: severalOf(z.string().min(1), "expected a datacenter, or a list of them")
      .optional()
      .describe("datacenters that go through states, one after the other"),
    through: z.array(state).min(1).optional().describe("the states of drain; draining alone if left out"),
    failover: z.string().min(1).optional().describe("a tenant, served from its standby"),
    failback: z.string().min(1).optional().describe("a tenant, served from its active datacenter again"),
    move: z.string().min(1).optional().describe("a tenant that gets another active datacenter"),
    to: z.string().min(1).optional(),
  })
  .check(({ value, issues }) => {
    const words = whatIsWrongWithAction(value);
    if (words !== undefined) issues.push({ code: "custom", message: words, input: value });
  })
  .describe("what an operator does");

/** Each action with the keys that it must have beside it, and those that it may have. */
const actions = {
  set: { needs: ["state"], takes: ["for"] },
  flap: { needs: ["times", "every"], takes: [] },
  drain: { needs: ["every"], takes: ["through"] },
  failover: { needs: [], takes: [] },
  failback: { needs: [], takes: [] },
  move: { needs: ["to"], takes: [] },
} as const satisfies Readonly<
  Record<string, { readonly needs: readonly string[]; readonly takes: readonly string[] }>
>;

function whatIsWrongWithAction(value: object): string | undefined {
  const given = Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [key]));
  const found = Object.entries(actions).filter(([key]) => given.includes(key));
  const [first, second] = found;
  const all = Object.keys(actions).join(", ");
  if (first === undefined) return `expected one of ${all} here`;
  if (second !== undefined) return `${first[0]} and ${second[0]} are two things to do; make a step of each`;
  const [key, { needs, takes }] = first;
  const missing = needs.find((need) => !given.includes(need));
  if (missing !== undefined) return `"${missing}" is missing beside ${key}`;
  const known: readonly string[] = [key, ...needs, ...takes];
  const other = given.find((each) => !known.includes(each));
  return other === undefined ? undefined : `"${other}" says nothing beside ${key}`;
}

const step = z
  .strictObject({
    at: timeOf("when, from the start; as soon as the step before is done where left out").optional(),
    ask: ask.optional(),
    from: from.optional(),
    query: query.optional(),
    why: z.string().optional(),
    octets: hex("a message in hex, blanks allowed").optional(),
    admin: admin.optional(),
    wait: span("how long nothing is done").optional(),
    expect: z
      .union([expected, z.literal("silence")], { error: "expected a map of what comes back, or silence" })
      .optional(),
  })
  .check(({ value, issues }) => {
    const words = whatIsWrongWithStep(value);
    if (words !== undefined) issues.push({ code: "custom", message: words, input: value });
  });

function whatIsWrongWithStep(value: object): string | undefined {
  const given = Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [key]));
  const kinds = ["ask", "query", "octets", "admin", "wait"];
  const [first, second] = kinds.filter((kind) => given.includes(kind));
  if (first === undefined) return `expected one of ${kinds.join(", ")} in a step`;
  if (second !== undefined) return `${first} and ${second} are two steps; put a dash before each`;
  const asks = first === "ask" || first === "query" || first === "octets";
  if (asks && !given.includes("expect")) return `"expect" is missing beside ${first}`;
  if (!asks && given.includes("expect")) return `nothing is asked here, so nothing comes back to expect`;
  if (first !== "ask" && given.includes("from")) return `"from" stands beside ask; a query has its own`;
  return undefined;
}

export const scenarioSchema = z
  .strictObject({
    title: z.string().min(1),
    config: z
      .string()
      .min(1)
      .optional()
      .describe("default-lab, or a file beside this one; what --config says comes first"),
    geoip: z
      .record(parsed("a prefix", parsePrefix), z.string())
      .optional()
      .describe(
        "what a GeoIP database says: a prefix's country, subdivision as US-HI, or continent alone as continent EU",
      ),
    settings: z
      .strictObject({
        answer: z.enum(["full", "first-cname"]),
        clientSubnetTrust: z.union([z.enum(["all", "none"]), z.array(parsed("a prefix", parsePrefix))]),
        cookies: z.enum(["accept", "require", "off"]),
        unlocated: z.enum(["default", "nodata", "refused"]),
        cookieSecret: hex("16 octets in hex"),
      })
      .partial()
      .default({})
      .describe("in place of those of the configuration"),
    clock: z.int().min(0).default(0).describe("the time at the start, in seconds since 1970"),
    only: z.literal("udp").optional().describe("played over UDP and in process alone"),
    steps: z.array(step).min(1),
  })
  .meta({ title: "geodns365 scenario" });

const expectation = z.strictObject({ ask, from: from.optional(), expect: expected });

export const expectationsSchema = z
  .strictObject({ expectations: z.array(expectation).min(1) })
  .meta({ title: "geodns365 expectations" });

export type ScenarioDocument = z.infer<typeof scenarioSchema>;
export type StepEntry = ScenarioDocument["steps"][number];
export type ActionEntry = NonNullable<StepEntry["admin"]>;
export type QueryEntry = NonNullable<StepEntry["query"]>;
export type Expected = z.infer<typeof expected>;
export type ExpectationsDocument = z.infer<typeof expectationsSchema>;
