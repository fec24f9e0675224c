/** Reads scenario files: stories of queries, what must come back, and what an operator does in between. */

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const record = z.string();

const queryStep = z.strictObject({
  query: z.strictObject({
    name: z.string(),
    type: z.string().default("A"),
    class: z.string().default("IN"),
    /** the source address; a loopback address where it does not matter */
    from: z.string().default("127.0.0.1"),
    /** what the listener that is asked stands for: a network, or a prefix */
    vantage: z.string().optional(),
    /** whether no client subnet counts at that listener */
    clientSubnet: z.literal("ignore").optional(),
    /** a client subnet, as a prefix or as the octets of the option in hex */
    ecs: z.string().optional(),
    ecsOctets: z.string().optional(),
    /** further options, each as its code and its octets in hex */
    options: z.array(z.string()).default([]),
    /** false: no OPT in the query */
    edns: z.boolean().default(true),
    udpPayloadSize: z.int().default(1232),
    dnssecOk: z.boolean().default(false),
    recursionDesired: z.boolean().default(true),
  }),
  expect: z.strictObject({
    rcode: z.string().optional(),
    /** all flags set among qr aa tc rd ra */
    flags: z.array(z.enum(["qr", "aa", "tc", "rd", "ra"])).optional(),
    answer: z.array(record).optional(),
    authority: z.array(record).optional(),
    additional: z.array(record).optional(),
    /** the scope prefix length; none: no client subnet in the response */
    scope: z.union([z.int(), z.literal("none")]).optional(),
    opt: z.boolean().optional(),
    /** all options but client subnet and extended errors, as codes and octets in hex */
    options: z.array(z.string()).optional(),
    /** as code and text */
    extendedErrors: z.array(z.string()).optional(),
    dnssecOk: z.boolean().optional(),
    /** over UDP alone; over TCP nothing is truncated */
    truncated: z.boolean().optional(),
  }),
});

const octetsStep = z.strictObject({
  why: z.string(),
  /** a message in hex, blanks allowed */
  octets: z.string(),
  expect: z.union([
    z.literal("silence"),
    z.strictObject({
      rcode: z.string(),
      opt: z.boolean(),
      questions: z.int().default(1),
      scope: z.literal("none").optional(),
    }),
  ]),
});

export type AdminAction = z.infer<typeof adminStep>["admin"];

const adminStep = z.strictObject({
  admin: z.union([
    /** a datacenter or a pattern of them */
    z.strictObject({ set: z.string(), state: z.enum(["up", "draining", "down"]) }),
    z.strictObject({ failover: z.string() }),
    z.strictObject({ failback: z.string() }),
    z.strictObject({ move: z.string(), to: z.string() }),
  ]),
});

const scenarioSchema = z.strictObject({
  title: z.string(),
  /** `default-lab`, or a file beside the scenarios */
  config: z.string(),
  /** what a GeoIP database says: prefix to country, to subdivision as US-HI, or to a continent alone as `continent EU` */
  geoip: z.record(z.string(), z.string()).optional(),
  /** settings in place of those of the configuration */
  settings: z
    .strictObject({
      answer: z.enum(["full", "first-cname"]),
      clientSubnetTrust: z.union([z.enum(["all", "none"]), z.array(z.string())]),
      cookies: z.enum(["accept", "require", "off"]),
      unlocated: z.enum(["default", "nodata", "refused"]),
      /** 16 octets in hex */
      cookieSecret: z.string(),
    })
    .partial()
    .default({}),
  /** the time of all steps, in seconds since 1970 */
  clock: z.int().default(0),
  /** played over UDP and in process alone */
  only: z.literal("udp").optional(),
  steps: z.array(z.union([queryStep, octetsStep, adminStep])),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type QueryStep = z.infer<typeof queryStep>;
export type OctetsStep = z.infer<typeof octetsStep>;
export type Step = Scenario["steps"][number];

export function readScenario(path: string): Scenario {
  return scenarioSchema.parse(parse(readFileSync(path, "utf8")));
}
