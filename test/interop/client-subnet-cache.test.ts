/**
 * Resolvers that cache by client subnet (RFC 7871 §7.3): ten subnets in five regions, asked in several orders, each get their
 * own answer, the first time from the server and from then on out of the cache. The server runs in this process, so that its
 * queries can be counted.
 */

import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { CLASS, formatRcode, formatType, TYPE } from "../../src/dns/iana.ts";
import type { Message } from "../../src/dns/message.ts";
import { formatName, nameOctets, nameOf } from "../../src/dns/name.ts";
import { formatRdata } from "../../src/dns/rdata.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { formatPrefix } from "../../src/ip.ts";
import { type Server, startServer } from "../../src/server.ts";
import { buildSnapshot } from "../../src/snapshot.ts";
import type { Trace } from "../../src/trace.ts";
import { prefix } from "../geo/prefixes.ts";
import { root } from "./programs.ts";
import { askAll } from "./resolvers/bulk.ts";
import { type Daemon, startDaemon } from "./resolvers/daemon.ts";
import { type Lab, labAt, powerdns, unbound } from "./resolvers/resolvers.ts";

const loaded = loadConfig(join(root, "config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const { configuration } = loaded;

/** A region a network of the lab: a subnet of each family, and what it must get. */
const regions = [
  { subnets: ["10.1.7.0/24", "2001:db8:1:700::/56"], frontEnd: "LHR", a: "198.18.1.1" },
  { subnets: ["10.2.7.0/24", "2001:db8:2:700::/56"], frontEnd: "MNZ", a: "198.18.7.1" },
  { subnets: ["10.3.7.0/24", "2001:db8:3:700::/56"], frontEnd: "SIN", a: "198.18.13.1" },
  { subnets: ["10.4.7.0/24", "2001:db8:4:700::/56"], frontEnd: "SYD", a: "198.18.14.1" },
  { subnets: ["10.6.7.0/24", "2001:db8:6:700::/56"], frontEnd: "GRU", a: "198.18.17.1" },
];

interface Place {
  readonly subnet: string;
  readonly frontEnd: string;
  readonly a: string;
}

const places: readonly Place[] = regions.flatMap(({ subnets, frontEnd, a }) =>
  subnets.map((subnet) => ({ subnet, frontEnd, a })),
);

/** As they stand, backwards, one family after the other, and shuffled, always in the same way. */
const orders: readonly (readonly Place[])[] = [
  places,
  places.toReversed(),
  places.toSorted((a, b) => Number(a.subnet.includes(":")) - Number(b.subnet.includes(":"))),
  ...fc.sample(fc.shuffledSubarray([...places], { minLength: places.length }), { numRuns: 3, seed: 7871 }),
];

/** With minimised names (RFC 9156) it asks for each of them, without a client subnet, whatever is in its cache. */
function wholeNames(lab: Lab): Daemon {
  const daemon = powerdns(lab);
  const own = ["qname-minimization=no", "minimum-ttl-override=3600", "ecs-minimum-ttl-override=3600"];
  return {
    ...daemon,
    files: (at) => {
      const files = daemon.files(at);
      return { ...files, "recursor.conf": `${files["recursor.conf"]}${own.join("\n")}\n` };
    },
  };
}

/**
 * A chain in one response has one scope, though the addresses at its end are the same for all (RFC 7871 §7.2.1). pdns-recursor
 * caches the CNAMEs of one and asks for the addresses again; of a chain told one CNAME at a time it caches all.
 */
const resolvers = [
  { resolver: "unbound", daemon: unbound, answer: "full", again: [] },
  { resolver: "unbound", daemon: unbound, answer: "first-cname", again: [] },
  { resolver: "pdns-recursor", daemon: wholeNames, answer: "full", again: ["-efz.ms-acdc.office.com."] },
  { resolver: "pdns-recursor", daemon: wholeNames, answer: "first-cname", again: [] },
] as const;

describe.each(resolvers)("$resolver with client subnets, answer: $answer", ({ daemon, answer, again }) => {
  let server: Server;
  let traces: Trace[] = [];
  beforeAll(async () => {
    const settings = { ...configuration.settings, answer };
    server = await startServer(buildSnapshot({ ...configuration, settings }, undefined), {
      listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
      onTrace: (trace) => traces.push(trace),
    });
  });
  afterAll(() => server.close());

  it.each(orders.map((order, i) => ({ number: i + 1, order })))(
    "gives ten subnets each its own answer, and from its cache: order $number",
    async ({ order }) => {
      const front = await startDaemon(daemon(labAt(server.listening[0]?.port ?? 0, configuration)));
      try {
        // One at a time, so that each finds in the cache what those before it have left there.
        for (const place of order) expect(await ask(front.port, place)).toEqual(expectedOf(place));
        const subnets = traces.flatMap((trace) => (trace.kind === "answer" ? clientSubnetOf(trace) : []));
        // What it asked in order to be ready came for no one.
        expect(subnets).toEqual(expect.arrayContaining(places.map(({ subnet }) => subnet)));
        traces = [];
        for (const place of [...order, ...order.toReversed()]) {
          expect(await ask(front.port, place)).toEqual(expectedOf(place));
        }
        const asked = traces.map(questionOf);
        expect(asked.filter((question) => !again.some((end) => question.includes(end)))).toEqual([]);
      } finally {
        await front.stop();
        traces = [];
      }
    },
  );
});

async function ask(port: number, { subnet }: Place): Promise<readonly string[]> {
  const query = renderQuery(
    { qname: nameOctets(nameOf("outlook.office365.com.")), qtype: TYPE.A, qclass: CLASS.IN },
    {
      id: 0,
      recursionDesired: true,
      edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix(subnet) },
    },
  );
  const [message] = await askAll(port, "udp", [query]);
  return message === undefined ? [] : viewOf(message);
}

/** RCODE, CNAMEs and the first address; resolvers turn addresses around. */
function viewOf({ rcode, answer }: Message): readonly string[] {
  const targets = answer.filter(({ type }) => type === TYPE.CNAME).map(({ rdata }) => formatName(rdata));
  const addresses = answer
    .filter(({ type }) => type === TYPE.A)
    .map(({ type, rdata }) => formatRdata(type, rdata));
  return [formatRcode(rcode), ...targets, ...addresses.toSorted().slice(0, 1)];
}

const expectedOf = ({ frontEnd, a }: Place): readonly string[] => [
  "NOERROR",
  "outlook.ms-acdc.office.com.",
  `${frontEnd}-efz.ms-acdc.office.com.`,
  a,
];

function questionOf(trace: Trace): string {
  if (trace.kind !== "answer") return trace.reason;
  const { qname, qtype } = trace.query.question;
  return `${formatName(qname)} ${formatType(qtype)} ${clientSubnetOf(trace).join(" ")}`;
}

function clientSubnetOf({ query }: Extract<Trace, { readonly kind: "answer" }>): readonly string[] {
  const subnet = query.clientSubnet?.prefix;
  return subnet === undefined ? [] : [formatPrefix(subnet)];
}
