/**
 * Real resolvers in front of the default lab: each resolves every name of every service to addresses of the right cloud,
 * and nothing else. Unbound has a test of its own.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chainNames, poolsOf } from "../../src/cloud/chain.ts";
import type { Cloud } from "../../src/cloud/service.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { CLASS, formatRcode, formatType, RCODE, TYPE } from "../../src/dns/iana.ts";
import type { Message } from "../../src/dns/message.ts";
import { formatName, nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { type AddressFamily, parsePrefix, prefixContains } from "../../src/ip.ts";
import { root, type Started, startGeodns365 } from "./programs.ts";
import { askAll } from "./resolvers/bulk.ts";
import { startDaemon } from "./resolvers/daemon.ts";
import { outcomeOf } from "./resolvers/outcome.ts";
import { bind, dnsmasq, knotResolver, labAt, powerdns } from "./resolvers/resolvers.ts";

const loaded = loadConfig(join(root, "config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const { configuration } = loaded;
const { clouds } = configuration;

/** A name that users ask for, and the cloud whose addresses it must have. */
interface PublicName {
  readonly name: string;
  readonly cloud: Cloud;
}

/** The first names of every service's chain, for every tenant. */
const publicNames = clouds.flatMap((cloud) =>
  cloud.services.flatMap((service) =>
    [...chainNames(service, cloud)].flatMap(({ linkIndex, owner }): readonly PublicName[] =>
      linkIndex > 0 || owner === undefined ? [] : [{ name: formatName(owner), cloud }],
    ),
  ),
);

interface Question {
  readonly name: string;
  readonly type: number;
  readonly subnet?: string;
}

async function ask(port: number, questions: readonly Question[]): Promise<readonly Message[]> {
  const queries = questions.map(({ name, type, subnet: text }) => {
    const subnet = text === undefined ? undefined : parsePrefix(text);
    if (typeof subnet === "string") throw new Error(subnet);
    const question = { qname: nameOctets(nameOf(name)), qtype: type, qclass: CLASS.IN };
    const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet };
    return renderQuery(question, { id: 0, recursionDesired: true, edns });
  });
  return askAll(port, "udp", queries);
}

/** What is wrong with an answer: it is not what the server itself says, or has an address that is not the cloud's. */
function faultOf(
  { name, cloud }: PublicName,
  type: number,
  reply: Message | undefined,
  expected: Message | undefined,
): readonly string[] {
  if (reply === undefined || expected === undefined)
    throw new Error("there are fewer replies than questions");
  const family: AddressFamily = type === TYPE.A ? 4 : 6;
  const edges = cloud.services.flatMap(({ end }) => (end.kind === "anycast" ? end.sources : []));
  const pools = poolsOf([...cloud.datacenters.flatMap((datacenter) => datacenter.addresses), ...edges]);
  const addresses = reply.answer.filter((record) => record.type === type);
  const isRight =
    outcomeOf(reply) === outcomeOf(expected) &&
    addresses.every(({ rdata }) => pools.some((pool) => prefixContains(pool, { family, octets: rdata })));
  return isRight ? [] : [`${name} ${formatType(type)}: ${outcomeOf(reply)}, and not ${outcomeOf(expected)}`];
}

const folder = mkdtempSync(join(tmpdir(), "geodns365-resolvers-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The default lab with another setting for how much of a chain is told at once. */
function labWith(answer: "full" | "first-cname"): string {
  const path = join(folder, `${answer}.yaml`);
  const files = ["networks.yaml", "countries.yaml", "tenants.yaml", "clouds/*.yaml"];
  const include = files.map((file) => join(root, "config", file));
  writeFileSync(path, JSON.stringify({ server: { answer }, log: { queries: "off" }, include }));
  return path;
}

/** Those that only forward take what they get for the whole answer, and so cannot do with one CNAME at a time. */
const fronts = [
  { resolver: "pdns-recursor", daemon: powerdns, answer: "full" },
  { resolver: "pdns-recursor", daemon: powerdns, answer: "first-cname" },
  { resolver: "knot-resolver", daemon: knotResolver, answer: "full" },
  { resolver: "BIND", daemon: bind, answer: "full" },
  { resolver: "BIND", daemon: bind, answer: "first-cname" },
  { resolver: "dnsmasq", daemon: dnsmasq, answer: "full" },
] as const;

describe.each(fronts)("$resolver in front, answer: $answer", ({ daemon, answer }) => {
  let server: Started;
  /** tells whole answers, whatever the one in front of which the resolver stands does */
  let whole: Started;
  let front: Started;

  beforeAll(async () => {
    server = await startGeodns365(["--config", labWith(answer)]);
    whole = answer === "full" ? server : await startGeodns365(["--config", labWith("full")]);
    front = await startDaemon(daemon(labAt(server.port, configuration)));
  });

  afterAll(async () => {
    await front?.stop();
    await server?.stop();
    if (whole !== server) await whole?.stop();
  });

  it.each([
    { words: "A", type: TYPE.A },
    { words: "AAAA", type: TYPE.AAAA },
    { words: "A again", type: TYPE.A },
    { words: "AAAA again", type: TYPE.AAAA },
  ])("resolves every name of the lab: $words", async ({ type }) => {
    const questions = publicNames.map(({ name }) => ({ name, type }));
    const replies = await ask(front.port, questions);
    const expected = await ask(whole.port, questions);
    const faults = publicNames.flatMap((each, i) => faultOf(each, type, replies[i], expected[i]));
    expect(faults).toEqual([]);
  });

  it("passes on that a tenant does not exist", async () => {
    const names = ["nosuch.sharepoint.com", "nosuch-my.sharepoint.com", "nosuch.sharepoint.cn"];
    const replies = await ask(
      front.port,
      names.flatMap((name) => [TYPE.A, TYPE.AAAA].map((type) => ({ name, type }))),
    );
    expect(replies.map(({ rcode }) => formatRcode(rcode))).toEqual(replies.map(() => "NXDOMAIN"));
  });

  it("knows nothing outside the lab", async () => {
    const [reply] = await ask(front.port, [{ name: "www.example.org", type: TYPE.A }]);
    expect(reply?.answer).toEqual([]);
    expect(reply?.rcode).not.toBe(RCODE.NOERROR);
  });
});

describe("pdns-recursor with client subnets", () => {
  const london = { subnet: "10.1.7.0/24", frontEnd: "LHR-efz.ms-acdc.office.com." };
  const sydney = { subnet: "10.4.7.0/24", frontEnd: "SYD-efz.ms-acdc.office.com." };
  let server: Started;

  beforeAll(async () => {
    server = await startGeodns365();
  });

  afterAll(() => server.stop());

  it.each([
    { order: "London first", places: [london, sydney] },
    { order: "Sydney first", places: [sydney, london] },
  ])("gives each its own answer, and from its cache: $order", async ({ places }) => {
    const front = await startDaemon(powerdns(labAt(server.port, configuration)));
    const replies = (): Promise<readonly Message[]> =>
      ask(
        front.port,
        places.map(({ subnet }) => ({ name: "outlook.office365.com", type: TYPE.A, subnet })),
      );
    const aliases = (messages: readonly Message[]): readonly (string | undefined)[] =>
      messages.map(({ answer }) => {
        const last = answer.filter(({ type }) => type === TYPE.CNAME).at(-1);
        return last && formatName(last.rdata);
      });
    const frontEnds = places.map(({ frontEnd }) => frontEnd);
    try {
      for (let round = 0; round < 3; round++) {
        const messages = await replies();
        expect(aliases(messages)).toEqual(frontEnds);
        expect(messages.map(({ rcode }) => rcode)).toEqual([RCODE.NOERROR, RCODE.NOERROR]);
      }
      await server.stop();
      // Only the cache can tell now; the addresses behind, which are the same for all, it may have to ask for again.
      expect(aliases(await replies())).toEqual(frontEnds);
    } finally {
      await front.stop();
      server = await startGeodns365();
    }
  });
});
