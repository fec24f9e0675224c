/** The shape of each kind of configuration document. The JSON Schemas in config/schema are made from these. */

import { createPublicKey } from "node:crypto";
import { MOST_ADDRESSES, POOL_SLICES } from "../cloud/chain.ts";
import {
  faultOfInitialDomain,
  faultOfLine,
  recordForms,
  recordUses,
  saysDmarcPolicy,
} from "../cloud/custom-domain.ts";
import { parseHostTemplate, parseNameTemplate } from "../cloud/name-template.ts";
import { FARM_SLOTS, WORKLOADS, type Workload } from "../cloud/topology.ts";
import { parseName } from "../dns/name.ts";
import { parseNamePattern } from "../dns/name-pattern.ts";
import { continents } from "../geo/place.ts";
import { parseProbeTarget } from "../health/probe.ts";
import { parseAddress, parseEndpoint, parsePrefix } from "../ip.ts";
import { quirks } from "../zone/quirks.ts";
import { lintRuleNames } from "./lint-rules.ts";
import { expectationsSchema, scenarioSchema } from "./rehearsal-schema.ts";
import { parsed, z } from "./shape.ts";

const prefix = parsed("an address prefix: 10.1.0.0/16 or 2001:db8:1::/48", parsePrefix);
const name = parsed("a domain name", parseName);
const hostTemplate = parsed("a domain name with {number} in it", parseHostTemplate);
const nameTemplate = parsed("a domain name, which may hold {placeholders}", parseNameTemplate);
const address = parsed("an IP address", (text) => parseAddress(text) ?? `"${text}" is not an IP address`);
const endpoint = parsed("ADDRESS:PORT, an IPv6 address in brackets", parseEndpoint);

const listener = z.union(
  [
    endpoint,
    z.strictObject({
      address: endpoint,
      vantage: z
        .string()
        .min(1)
        .optional()
        .describe(
          "a network by its name, or a prefix: its first address stands in for the source address of who asks here",
        ),
      clientSubnet: z.enum(["ignore"]).optional().describe("ignore: no client subnet counts here"),
    }),
  ],
  {
    error: "expected ADDRESS:PORT, or a map with address and, where wanted, vantage and clientSubnet: ignore",
  },
);

const ttlSeconds = z.int().min(0).max(0x7fffffff).describe("seconds (RFC 2181 §8: at most 2147483647)");
const coordinates = z
  .tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)])
  .describe("latitude and longitude in degrees");
const country = z
  .string()
  .regex(/^[A-Z]{2}$/, "expected an ISO 3166 alpha-2 code in capitals, like GB")
  .describe("ISO 3166 alpha-2 code");
const place = z.strictObject({ city: z.string(), country, coordinates });
const point = z.strictObject({ city: z.string().optional(), country: country.optional(), coordinates });
const label = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/, "expected letters, digits and inner hyphens")
  .max(63);
const records = z
  .record(name, z.array(z.string()))
  .describe(
    "plain records of a zone in presentation format: owner [ttl] [class] type rdata, relative to the zone",
  );

const zoneQuirks = z
  .array(z.enum(quirks))
  .describe(
    "odd ways of real name servers: FORMERR with the header alone to EDNS, or to names with an underscore; NOTIMP to types from DS on",
  );

const zone = z
  .strictObject({
    zone: name,
    file: z.string().min(1).optional().describe("a master file (RFC 1035 §5), relative to this file"),
    handler: z
      .string()
      .min(1)
      .optional()
      .describe("the module that answers (.js, .mjs, .ts or .mts), relative to this file"),
    deadlineMilliseconds: z
      .int()
      .min(1)
      .max(5000)
      .optional()
      .describe("how long the handler may take for an answer; 100 where absent"),
    concurrency: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe("queries that the handler may have in hand at a time; 64 where absent"),
    shared: z
      .boolean()
      .optional()
      .describe("whether several clouds have names in this zone; each of them lists it so"),
    wide: z
      .boolean()
      .optional()
      .describe("whether it is wider than a lab can spare, so that resolvers are pointed at its names alone"),
    quirks: zoneQuirks.optional(),
  })
  .check(({ value, issues }) => {
    const message = whatIsWrongWithZone(value);
    if (message !== undefined) issues.push({ code: "custom", message, input: value });
  })
  .meta({
    anyOf: [
      { required: ["file"] },
      { required: ["handler"] },
      { required: ["shared"] },
      { required: ["wide"] },
      { required: ["quirks"] },
    ],
  });

const whatIsWrongWithZone = (item: {
  readonly file?: string | undefined;
  readonly handler?: string | undefined;
  readonly deadlineMilliseconds?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly shared?: boolean | undefined;
  readonly wide?: boolean | undefined;
  readonly quirks?: readonly string[] | undefined;
}): string | undefined => {
  const { file, handler, deadlineMilliseconds, concurrency, shared, wide } = item;
  if (file !== undefined && handler !== undefined) return "expected either file or handler beside zone";
  if ([file, handler, shared, wide, item.quirks].every((each) => each === undefined))
    return "expected file, handler, shared, wide or quirks beside zone";
  if (shared && handler !== undefined) return "a zone that a handler answers for cannot be shared";
  const isTimed = deadlineMilliseconds !== undefined || concurrency !== undefined;
  return handler === undefined && isTimed
    ? "a deadline and concurrency are of a handler, and here is none"
    : undefined;
};

const zones = z
  .array(
    z.union([name, zone], {
      error: "expected a domain name, or a map with zone and file, handler, shared, wide or quirks",
    }),
  )
  .describe(
    "zones served: each by its name, with the master file that holds its records, or with its handler",
  );

/** The apex that an entry of `zones` stands for. */
export const zoneNameOf = (entry: z.infer<typeof zones>[number]): string =>
  typeof entry === "string" ? entry : entry.zone;
const recordList = z
  .array(z.string())
  .describe("records of the name in presentation format: type rdata, names relative to the zone");
const whenAllDown = z.enum(["nearest", "servfail", "nodata"]);
const tailoredEntry = z
  .strictObject({
    ttl: ttlSeconds.describe("of all its records, in seconds; 3600 where absent"),
    networks: z
      .record(z.string(), recordList)
      .describe("by the name of a network or by prefix; the longest prefix that holds the address counts"),
    countries: z.record(country, recordList).describe("by country, where no network is listed"),
    continents: z
      .partialRecord(z.enum(continents), recordList)
      .describe("by continent, where no country is listed"),
    nearest: z
      .record(z.string(), recordList)
      .describe("by datacenter: of those that are up, the nearest one's records"),
    whenAllDown: whenAllDown.describe("what happens when all datacenters of nearest are down"),
    default: recordList.describe("instead of nearest: for whom nothing above holds"),
  })
  .partial();
const tailored = z
  .record(name, z.record(z.string(), tailoredEntry))
  .describe("names of a zone, relative to it, that hold other records for other askers");

const addresses = z
  .array(prefix)
  .min(1)
  .max(2 * MOST_ADDRESSES)
  .describe(
    "of each family a pool, that is one prefix, or up to 15 single addresses, which every service gives",
  );
const addressing = z
  .enum(["lab", "published"])
  .describe(
    "whether services give addresses of the datacenters' pools, or of prefixes that are published for them",
  );
const farms = z
  .strictObject({
    geo: z.int().min(0),
    clump: z.int().min(0),
    farm: z.int().min(0),
    net: z.int().min(0).optional().describe("the number that names of 2015 carry"),
  })
  .describe("the first numbers of its 16 clumps and farms, and its geo number in SharePoint's names");

const eras = z
  .record(label, z.string().min(1))
  .describe("the era of each service that has several, and of those that follow it");

const unknownTenants = z
  .union([z.literal("nxdomain"), z.strictObject({ geo: z.string() })], {
    error: "expected nxdomain, or a map like { geo: EUR }",
  })
  .describe(
    "nxdomain, or { geo: EUR } to answer for tenants that there are not as for one of that geo, at the first of its datacenters by id",
  );
/** Undefined where a text is an RSA public key; else what is wrong (RFC 8301 §3.2: 1024 bits at least). */
function faultOfKey(text: string): string | undefined {
  const expected = "expected an RSA public key: the base64 of its DER form, on one line";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return expected;
  try {
    const key = createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType !== "rsa") return `${expected}; this is one of ${key.asymmetricKeyType}`;
    return bits < 1024 || bits > 4096 ? `an RSA key of ${bits} bits; DKIM takes 1024 to 4096` : undefined;
  } catch {
    return expected;
  }
}

export const settingsSchema = z
  .strictObject({
    server: z
      .strictObject({
        listen: z.array(listener).min(1).describe("addresses and ports served over UDP and TCP"),
        answer: z
          .enum(["full", "first-cname"])
          .describe(
            "full: the whole chain and its addresses; first-cname: the first CNAME alone (RFC 7871 §7.2.1)",
          ),
        udpPayloadSize: z.int().min(512).max(4096).describe("the largest datagram sent, in octets"),
        cookies: z
          .enum(["accept", "require", "off"])
          .describe(
            "DNS Cookies (RFC 7873): answer them, demand a good one over UDP of who sends one, or ignore them",
          ),
        cookieSecrets: z
          .array(z.string().regex(/^[0-9a-fA-F]{32}$/, "expected 32 hex digits: the 16 octets of a secret"))
          .min(1)
          .max(3)
          .describe(
            "secrets shared by several servers (RFC 9018 §5), the current one first; kept in the state file where absent",
          ),
        version: z.string().max(255).describe("version.bind in class CHAOS; empty hides it"),
        identity: z
          .string()
          .max(255)
          .describe("id.server and hostname.bind in class CHAOS, and the NSID (RFC 5001); empty hides it"),
        explain: z
          .strictObject({
            txt: z
              .boolean()
              .describe(
                "whether _explain.NAME TXT tells who asks why NAME is answered so; false where absent",
              ),
            extendedErrors: z
              .boolean()
              .describe(
                "whether answers tell the datacenter and the reason in an extended error (RFC 8914); false where absent",
              ),
          })
          .partial()
          .describe("explanations in band"),
        nameservers: z
          .strictObject({ ns1: z.array(address).min(1), ns2: z.array(address).min(1) })
          .describe("addresses of ns1 and ns2 in every zone"),
        tcp: z
          .strictObject({
            idleSeconds: z
              .int()
              .min(1)
              .max(3600)
              .describe("a connection without a complete query for so long is closed"),
            maxConnections: z
              .int()
              .min(1)
              .max(65535)
              .describe("connections at a time; one more takes the place of the one idle the longest"),
            maxConnectionsPerAddress: z
              .int()
              .min(1)
              .max(65535)
              .describe("connections at a time from one IPv4 address or IPv6 /64; what is over is closed"),
          })
          .partial(),
        stateFile: z
          .string()
          .min(1)
          .describe(
            "the path of the file that keeps serials, the cookie secret, overrides and moves of tenants, a copy beside it; none: they last until the server stops; .geodns365/state.json beside the first file where absent, or .geodns365/lab.state.json beside a lab.yaml",
          ),
      })
      .partial(),
    clientSubnet: z.strictObject({
      trust: z
        .union([z.enum(["all", "none"]), z.array(prefix)], {
          error: "expected all, none, or a list of the prefixes of resolvers whose client subnet counts",
        })
        .describe("whose EDNS client subnet counts"),
    }),
    geoip: z.strictObject({
      database: z.string().describe("embedded, none, or the path of an .mmdb file"),
    }),
    defaultLocation: place.describe("where a source is taken to be that neither a network nor GeoIP knows"),
    location: z
      .strictObject({
        sources: z
          .array(z.enum(["networks", "geoip"]))
          .describe("what locates addresses; whatever the order here, a network beats GeoIP"),
        subdivisions: z
          .record(
            z
              .string()
              .regex(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, "expected an ISO 3166-2 code in capitals, like US-CA"),
            point,
          )
          .describe(
            "where GeoIP's clients of a subdivision are taken to be, by ISO 3166-2 code; beats their country",
          ),
        countries: z
          .record(country, point)
          .describe(
            "where GeoIP's clients of a country are taken to be; beats coordinates of the database and the countries documents",
          ),
        continents: z
          .partialRecord(z.enum(continents), point)
          .describe("the same for all of a continent, where neither the subdivision nor the country is here"),
        unlocated: z
          .enum(["default", "nodata", "refused"])
          .describe(
            "what nothing can locate: is at defaultLocation, or gets NODATA or REFUSED where its place would decide",
          ),
      })
      .partial()
      .describe("how addresses are located"),
    log: z
      .strictObject({
        queries: z
          .union([z.enum(["all", "off"]), z.int().min(2)], {
            error: "expected all, off, or N for one query in N",
          })
          .describe("which queries get a line: all, off, or one in N"),
      })
      .partial(),
    admin: z
      .union(
        [
          z.literal("off"),
          z
            .strictObject({
              listen: z.array(endpoint).min(1).describe("addresses and ports of the admin API"),
              tokenHash: z
                .string()
                .regex(
                  /^[0-9a-fA-F]{64}$/,
                  'expected 64 hex digits: the SHA-256 of a token; "geodns365 token" makes both',
                )
                .describe("SHA-256 of the token that every request must bear; needed beyond loopback"),
              hosts: z
                .array(
                  z
                    .string()
                    .regex(
                      /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/,
                      "expected a host name or an address, without a port",
                    ),
                )
                .describe("further names that the admin API is asked by, in the Host header"),
            })
            .partial(),
        ],
        { error: "expected off, or a map with listen, tokenHash and hosts" },
      )
      .describe("the admin API; on 127.0.0.1:5380 where absent, if the port is free"),
    journal: z
      .strictObject({
        queries: z
          .int()
          .min(0)
          .max(100_000)
          .describe("how many of the last queries are kept with their decisions; 0 keeps none"),
      })
      .partial(),
    clouds: z
      .record(
        label,
        z
          .strictObject({
            enabled: z.boolean(),
            unknownTenants,
            eras,
            quirks: z
              .record(name, zoneQuirks)
              .describe("the quirks of its zones, in place of those that its file gives each"),
            addressing,
            anycast: addresses,
            datacenters: z.record(
              label,
              z.strictObject({ region: label, code: label, addresses, farms }).partial(),
            ),
          })
          .partial(),
      )
      .describe("what is to be otherwise than in the files of clouds, by cloud"),
    lint: z
      .strictObject({
        silence: z
          .array(z.enum(lintRuleNames))
          .describe(
            "rules that check --strict does not warn by; single places are silenced by a comment there",
          ),
      })
      .partial(),
    include: z.array(z.string()).describe("further files, with * for any name"),
    dkim: z
      .record(
        label,
        parsed("an RSA public key: the base64 of its DER form, as in the p= of DKIM", faultOfKey),
      )
      .describe(
        "by selector, the public key that signs mail of the domains served; keys of the lab where absent",
      ),
    zones,
    records,
    tailored,
  })
  .partial()
  .meta({ title: "geodns365 settings" });

export const networksSchema = z
  .strictObject({
    networks: z.record(
      label,
      z.strictObject({
        kind: z
          .enum(["office", "vpn", "expressroute"])
          .optional()
          .describe("shown when answers are explained"),
        prefixes: z.array(prefix).min(1),
        place,
      }),
    ),
  })
  .meta({ title: "geodns365 networks" });

export const countriesSchema = z
  .strictObject({
    countries: z.record(
      country,
      z.strictObject({
        continent: z.enum(continents),
        city: z.string(),
        coordinates,
      }),
    ),
  })
  .meta({ title: "geodns365 countries" });

const failoverMode = z.enum(["automatic", "manual"]);

const tenantGeo = {
  geo: z.string().describe("preferred data location code: EUR, NAM, APC ..."),
  active: z.string().describe("the datacenter that serves the tenant now"),
  standby: z.string().optional().describe("the datacenter that serves it when the active one is down"),
  failover: failoverMode
    .optional()
    .describe("whether the standby takes over by itself; automatic where absent"),
  failback: failoverMode
    .optional()
    .describe("whether the active one takes back by itself once it is up again; manual where absent"),
  slot: z
    .int()
    .min(0)
    .max(FARM_SLOTS - 1)
    .optional()
    .describe("the farm slot; derived from the name where absent"),
};

const workloadHome = z.strictObject({
  active: z.string().describe("the datacenter that serves the workload now"),
  standby: z
    .string()
    .optional()
    .describe(
      "that of the tenant where absent or, where the workload is active there, the tenant's active one",
    ),
  failover: failoverMode.optional().describe("as of the tenant where absent"),
  failback: failoverMode.optional().describe("as of the tenant where absent"),
});

const workloads = z
  .strictObject({ exchange: workloadHome.optional(), sharepoint: workloadHome.optional() } satisfies Record<
    Workload,
    unknown
  >)
  .optional()
  .describe(
    "workloads with a home of their own, which do not follow the tenant when that is moved or fails over",
  );
const recordForm = z.enum(recordForms);

const expectedDomain = "expected a domain name, or a map with domain and what is to be said of it";
const expectedPolicy = "expected a DMARC policy like v=DMARC1; p=reject";

const tenantDomain = z.strictObject({
  domain: name,
  serve: z
    .boolean()
    .optional()
    .describe("whether it is served as a zone, with every record that an administrator creates there"),
  mx: recordForm
    .optional()
    .describe("classic: the MX host of the cloud; microsoft: one below mx.microsoft, which then exists"),
  mailFlowRegion: z
    .string()
    .min(1)
    .optional()
    .describe("preferred data location code of a geography: the host below mx.microsoft stays in it"),
  ipv6: z.boolean().optional().describe("whether the host below mx.microsoft has IPv6 addresses"),
  dkim: recordForm
    .optional()
    .describe("classic: selectors lead to the initial domain; microsoft: below dkim.mail.microsoft"),
  verification: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe("the text that proves ownership, like MS=ms12345678; derived where absent"),
  dmarc: z
    .string()
    .regex(/^v=DMARC1 *;/, { error: expectedPolicy, abort: true })
    .refine(saysDmarcPolicy, expectedPolicy)
    .max(255)
    .optional()
    .describe("the text at _dmarc; v=DMARC1; p=reject where absent"),
});

/** The domain that an item of `domains` stands for. */
export const domainNameOf = (item: string | z.infer<typeof tenantDomain>): string =>
  typeof item === "string" ? item : item.domain;

export const tenantsSchema = z
  .strictObject({
    tenants: z
      .record(
        label,
        z.strictObject({
          cloud: z.string(),
          ...tenantGeo,
          workloads,
          initialDomain: z
            .string()
            .optional()
            .describe(
              "what stands before the suffix of the cloud in its initial domain, or all of that; the tenant's name where absent",
            ),
          domains: z
            .array(z.union([name, tenantDomain], { error: expectedDomain }))
            .optional()
            .describe("custom domains; each has an MX host, and a map says more of it"),
          satellites: z
            .record(label, z.strictObject({ ...tenantGeo, workloads }))
            .optional()
            .describe("further geos, by their own name"),
        }),
      )
      .default({}),
    tenantFiles: z
      .array(z.string().min(1))
      .optional()
      .describe(
        "CSV files of further tenants, relative to this file: a line each, columns tenant, cloud, geo, active and, where wanted, standby, failover, failback, slot, domains, satelliteOf, initialDomain and, of each workload, exchangeActive, exchangeStandby, exchangeFailover, exchangeFailback, sharepointActive ...",
      ),
  })
  .meta({ title: "geodns365 tenants" });

const mark = {
  inferred: z.boolean().optional().describe("not published, but concluded from what is"),
  invented: z.boolean().optional().describe("made up here"),
};

const datacenter = z.strictObject({
  city: z.string(),
  country,
  coordinates,
  geo: z.string().optional().describe("preferred data location code of its geography"),
  region: label.optional().describe("the group of front ends that names of an old era carry"),
  roles: z
    .array(z.enum(["front-end", "tenants"]))
    .min(1)
    .default(["front-end"]),
  code: label.optional().describe("how names of front ends spell it; its id in capitals where absent"),
  addresses: addresses.optional(),
  farms: farms.optional(),
  probe: parsed(
    "what is probed: http://ADDRESS:PORT/PATH, https://... or tcp://ADDRESS:PORT",
    parseProbeTarget,
  ).optional(),
  ...mark,
});

const health = z
  .strictObject({
    everySeconds: z.number().min(1).max(3600).describe("from one probe to the next; 10 where absent"),
    timeoutSeconds: z
      .number()
      .min(0.1)
      .max(60)
      .describe("a probe without an answer for so long has failed; 2 where absent"),
    up: z.int().min(1).max(100).describe("good probes in a row that bring a datacenter up; 2 where absent"),
    down: z.int().min(1).max(100).describe("failed probes in a row that bring it down; 3 where absent"),
    verifyCertificate: z
      .boolean()
      .describe("whether an https server needs a certificate that this machine trusts; true where absent"),
    ttl: z
      .strictObject({ min: ttlSeconds, max: ttlSeconds })
      .optional()
      .describe("TTLs of tailored answers follow the time to the next possible change, between these"),
  })
  .partial()
  .describe("how the datacenters that name a probe are probed");

const datacenterList = z
  .array(z.string())
  .min(1)
  .describe("ids of datacenters in order; those that are not here follow by distance");
const nearness = z
  .strictObject({
    bias: z
      .record(label, z.number().min(-50_000).max(50_000))
      .describe("kilometres added to the distance of a datacenter; negative ones bring it nearer"),
    latency: z
      .string()
      .min(1)
      .describe(
        "a CSV file of measured round trips in milliseconds, relative to this file: kind,from and a column a datacenter; kinds are network, prefix, city, country and continent",
      ),
    networks: z
      .record(z.string(), datacenterList)
      .describe(
        "lists by the name of a network or by prefix; the longest prefix that holds the address counts",
      ),
    countries: z.record(country, datacenterList).describe("lists by country, where no network is listed"),
    continents: z
      .partialRecord(z.enum(continents), datacenterList)
      .describe("lists by continent, where no country is listed"),
    candidates: z.int().min(1).describe("how many datacenters an address has at the most"),
    spread: z
      .strictObject({
        over: z.int().min(1).describe("how many of the nearest that are up share the clients"),
        weights: z
          .record(label, z.int().min(1).max(1000))
          .optional()
          .describe("the share of a datacenter beside the others'; 1 where absent"),
      })
      .describe("clients spread by a hash over their /24 or /56, never by dice"),
  })
  .partial();

/** What the names of a service are in one era, or in all. */
const namesOfService = {
  names: z.array(nameTemplate).min(1).optional(),
  ttl: ttlSeconds.optional().describe("of the records at these names, in seconds"),
  chain: z
    .array(z.strictObject({ name: nameTemplate, ttl: ttlSeconds.optional(), ...mark }))
    .optional()
    .describe("owner names, each the CNAME target of the one before; ttl is that of the records at the name"),
  addresses: z
    .strictObject({
      slice: z
        .int()
        .min(0)
        .max(POOL_SLICES - 1),
      count: z.int().min(1).max(MOST_ADDRESSES),
      anycast: z
        .boolean()
        .optional()
        .describe(
          "whether they are of the cloud's anycast pool, the same for everyone, and not of a datacenter",
        ),
      ipv6: z.boolean().optional().describe("whether there are IPv6 addresses; true where absent"),
      hosts: hostTemplate
        .optional()
        .describe(
          "the name of the host at each address, which the address's PTR record tells; the last name of the chain where absent",
        ),
    })
    .optional()
    .describe("the addresses at the last name: the first `count` of a slice of the datacenter's pool"),
  published: z
    .array(prefix)
    .min(1)
    .optional()
    .describe(
      "prefixes and addresses that are published for it, of both families: what it gives where the cloud's addressing is published",
    ),
  datacenters: z.array(z.string()).optional().describe("candidates, where not all front ends of the cloud"),
};

const service = z
  .strictObject({
    era: z.string().min(1).optional().describe("the years whose names it imitates, where it has those alone"),
    eras: z
      .array(
        z.strictObject({
          in: z.array(z.string().min(1)).min(1).describe("the eras in which the service is like this"),
          ...namesOfService,
        }),
      )
      .min(1)
      .optional()
      .describe(
        "what differs by era: it beats what stands beside; in an era that is not here there is no such service",
      ),
    eraOf: label.optional().describe("whose era it follows in the cloud's eras; its own where absent"),
    policy: z.enum(["nearest-datacenter", "active-datacenter"]),
    ...namesOfService,
    nearness: nearness.optional().describe("what is near, key by key before that of the cloud"),
    whenAllDown: whenAllDown.optional(),
    secondHop: z.boolean().optional().describe("whether front ends proxy to the tenant's active datacenter"),
    workload: z
      .enum(WORKLOADS)
      .optional()
      .describe("whose home counts, where a tenant has one for it; that of the tenant itself where absent"),
  })
  .check(({ value, issues }) => {
    const parts = value.eras ?? [{}];
    for (const [key, expected] of [
      ["names", "array"],
      ["ttl", "int"],
    ] as const) {
      const at = parts.findIndex((part) => ({ ...value, ...part })[key] === undefined);
      if (at < 0) continue;
      const path = value.eras === undefined ? [key] : ["eras", at, key];
      issues.push({ code: "invalid_type", expected, path, input: undefined });
    }
    if (value.era !== undefined && value.eras !== undefined)
      issues.push({
        code: "custom",
        path: ["era"],
        message: "the era of a service with eras is chosen in the cloud's eras",
        input: value.era,
      });
  })
  .meta({ anyOf: [{ required: ["names", "ttl"] }, { required: ["eras"] }] });

const domainLine = parsed(
  "a record in presentation format, relative to the domain: owner [ttl] type rdata, with placeholders",
  faultOfLine,
);
const letters = z.array(label).min(1);

const customDomains = z
  .strictObject({
    initialDomain: z.strictObject({
      name: parsed(
        "the domain that a tenant has from the start: {tenant}.onmicrosoft.com",
        faultOfInitialDomain,
      ),
      records: z.array(domainLine).describe("what Microsoft creates there"),
      ...mark,
    }),
    letters: z
      .strictObject({ mx: letters, dkim: letters })
      .partial()
      .optional()
      .describe("what {mxLetter} and {dkimLetter} may be; which, is derived from the domain or tenant"),
    records: z
      .array(
        z.strictObject({
          use: z.enum(recordUses).describe("what it is for"),
          form: recordForm.optional().describe("in which form it is there, where there are several"),
          record: domainLine,
          older: z.array(domainLine).optional().describe("records of older instructions, right in its place"),
          ...mark,
        }),
      )
      .min(1)
      .describe("what an administrator creates at a custom domain"),
    harmful: z
      .record(name, z.string().min(1))
      .optional()
      .describe("names, relative to the domain, that must not be there, with the reason"),
  })
  .check(({ value, issues }) => {
    for (const [placeholder, key] of [
      ["{mxLetter}", "mx"],
      ["{dkimLetter}", "dkim"],
    ] as const) {
      const at = value.records.findIndex(({ record }) => record.includes(placeholder));
      if (at < 0 || value.letters?.[key] !== undefined) continue;
      const message = `${placeholder} is one of letters.${key} of customDomains, which is not there`;
      issues.push({
        code: "custom",
        path: ["records", at, "record"],
        message,
        input: value.records[at]?.record,
      });
    }
  });

export const cloudSchema = z
  .strictObject({
    cloud: label,
    enabled: z
      .boolean()
      .optional()
      .describe("false: nothing of it is served, as long as the settings do not say otherwise"),
    eras: eras.optional(),
    addressing: addressing.optional(),
    anycast: addresses
      .optional()
      .describe(
        "addresses that are the same for everyone: of each family a pool, that is one prefix, or single ones",
      ),
    unknownTenants: unknownTenants.optional(),
    initialDomains: z
      .array(name)
      .min(1)
      .optional()
      .describe("what may stand behind the name in the initial domain of a tenant, the usual one first"),
    zones: zones.min(1),
    records: records.optional(),
    tailored: tailored.optional(),
    datacenters: z.record(label, datacenter),
    health: health.optional(),
    nearness: nearness.optional().describe("what is near, for services of policy nearest-datacenter"),
    services: z.record(label, service).default({}),
    customDomains: customDomains.optional().describe("what stands at custom domains of its tenants"),
  })
  .meta({ title: "geodns365 cloud" });

/** One schema a kind; the kind of a document is told by its top keys, and `geodns365` is that of any other. */
export const schemas = {
  cloud: cloudSchema,
  networks: networksSchema,
  tenants: tenantsSchema,
  countries: countriesSchema,
  geodns365: settingsSchema,
} as const;

/** Documents that no configuration holds: what is asked of one, and what is to come back. */
export const rehearsalSchemas = {
  scenario: scenarioSchema,
  expectations: expectationsSchema,
} as const;

export type DocumentKind = keyof typeof schemas;
export type RehearsalKind = keyof typeof rehearsalSchemas;
export type SettingsDocument = z.infer<typeof settingsSchema>;
export type NetworksDocument = z.infer<typeof networksSchema>;
export type CountriesDocument = z.infer<typeof countriesSchema>;
export type TailoredEntry = z.infer<typeof tailoredEntry>;
export type NearnessEntry = z.infer<typeof nearness>;
export type TenantsDocument = z.infer<typeof tenantsSchema>;
export type TenantDomain = z.infer<typeof tenantDomain>;
export type CloudDocument = z.infer<typeof cloudSchema>;
type ServiceEntry = CloudDocument["services"][string];
/** A service in the era that was chosen for it. */
export type ServiceInForce = Omit<ServiceEntry, "eras" | "eraOf" | "names" | "ttl"> & {
  readonly names: NonNullable<ServiceEntry["names"]>;
  readonly ttl: NonNullable<ServiceEntry["ttl"]>;
};
export type CloudInForce = Omit<CloudDocument, "services"> & {
  readonly services: Readonly<Record<string, ServiceInForce>>;
};

/** The JSON Schema of a kind, as editors take it. */
export function jsonSchema(kind: DocumentKind | RehearsalKind): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema({ ...schemas, ...rehearsalSchemas }[kind], { io: "input" });
}

/** Checks a value; the issues carry paths. */
export function checkDocument<K extends DocumentKind>(kind: K, value: unknown) {
  return schemas[kind].safeParse(value, { reportInput: true });
}

/** The same for what no configuration holds. */
export const checkScenario = (value: unknown) => scenarioSchema.safeParse(value, { reportInput: true });
export const checkExpectations = (value: unknown) =>
  expectationsSchema.safeParse(value, { reportInput: true });

export type SchemaIssue = z.core.$ZodIssue;

/** What no alternative of a union takes is faulty in the way of the one that it is meant to be, where that is clear. */
export function flatIssues(issues: readonly SchemaIssue[]): readonly SchemaIssue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "invalid_union") return [issue];
    const meant = issue.errors.find(
      (inner) =>
        inner.length > 0 &&
        inner.every(({ code, path }) => path.length > 0 || code === "unrecognized_keys" || code === "custom"),
    );
    return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue];
  });
}

const ports = z.string().regex(/^\d+(-\d+)?(, *\d+(-\d+)?)*$/, "expected ports like 80,443");

/** A record of the published endpoints web service, which leaves empty fields out. Fields that it may gain are let be. */
const endpointRecord = z
  .object({
    id: z.int().min(0),
    serviceArea: z.string().min(1),
    serviceAreaDisplayName: z.string().optional(),
    urls: z.array(parsed("a name or pattern", parseNamePattern)).default([]),
    ips: z.array(prefix).default([]),
    tcpPorts: ports.optional(),
    udpPorts: ports.optional(),
    expressRoute: z.boolean().optional(),
    category: z.enum(["Optimize", "Allow", "Default"]),
    required: z.boolean(),
    notes: z.string().optional(),
  })
  .check(({ value, issues }) => {
    if (value.urls.length > 0 || value.ips.length > 0) return;
    issues.push({ code: "custom", message: "the record has neither urls nor ips", input: value });
  });

const endpointRecords = z.array(endpointRecord).min(1);

export type EndpointRecord = z.infer<typeof endpointRecord>;

/** Checks what a file of the endpoints web service holds; the issues carry paths. */
export const checkEndpoints = (value: unknown) => endpointRecords.safeParse(value, { reportInput: true });
