/**
 * RFC 7871 §7.2.1 over the wire: what a scope says is so. Inside it every address has the same answer in every state, and a
 * scope one bit wider would hold an address whose answer differs in some state.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../src/cloud/service.ts";
import { allUp, type DatacenterState, type DatacenterStates, withState } from "../src/cloud/states.ts";
import type { Datacenter } from "../src/cloud/topology.ts";
import { loadConfig } from "../src/config/load.ts";
import { clientSubnetOf, clientSubnetOption } from "../src/dns/client-subnet.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { type EdnsOption, renderOpt } from "../src/dns/edns.ts";
import { CLASS, OPTION, RCODE, TYPE } from "../src/dns/iana.ts";
import { formatRecord, type Message } from "../src/dns/message.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import {
  type AddressFamily,
  addressBits,
  formatAddress,
  formatPrefix,
  type IpAddress,
  type IpPrefix,
  maskOctets,
  prefixOf,
} from "../src/ip.ts";
import { type Server, startServer } from "../src/server.ts";
import { buildSnapshot, type Candidates, locationClass } from "../src/snapshot.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";
import { behind, prefix, toOctets } from "./geo/prefixes.ts";
import { serverWays, threadWays, withPlane } from "./plane/ways.ts";

const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error("the default lab has errors");
const { configuration } = loaded;

/** Countries around, inside and beside the networks of the lab, in pieces of every size. */
const countries: Readonly<Record<string, string>> = {
  "1.0.0.0/8": "AU",
  "1.2.0.0/16": "CN",
  "1.2.3.0/24": "JP",
  "1.2.3.77/32": "ZA",
  "8.0.0.0/7": "US",
  "9.128.0.0/9": "CA",
  "10.0.0.0/8": "DE",
  "10.4.128.0/17": "BR",
  "10.10.0.0/15": "FR",
  "100.64.0.0/10": "IN",
  "128.0.0.0/2": "GB",
  "150.0.0.0/12": "AT",
  "203.0.113.0/25": "SG",
  "203.0.113.128/25": "MY",
  "255.255.255.254/31": "KR",
  "2001:db8::/32": "NL",
  "2001:db8:4:8000::/49": "IE",
  "2001:db9::/32": "HK",
  "2400::/12": "CN",
  "2400:1::/33": "AU",
  "2a00::/11": "DE",
  "2a00:1:2:3::/64": "AE",
  "2a00:1:2:3::7/128": "ZA",
};

const families = [4, 6] as const;

/** Prefixes at whose edges locations change. */
const landmarks = [
  ...configuration.networks.flatMap(({ prefixes }) => prefixes),
  ...Object.keys(countries).map(prefix),
  // where IPv6 addresses hold IPv4 addresses, and where they would be taken to
  ...[
    "::ffff:0:0/96",
    "2002::/16",
    "64:ff9b::/96",
    "2001::/32",
    "::/80",
    "::ffff:a04:0/112",
    "2002:a04::/32",
    "64:ff9b::a04:0/112",
  ].map(prefix),
];

const randomAddress = (family: AddressFamily): fc.Arbitrary<IpAddress> => {
  const size = addressBits(family) / 8;
  const octets = fc.uint8Array({ minLength: size, maxLength: size });
  // In a landmark or just beside it: its leading bits, perhaps with the last of them flipped, then any others.
  const near = fc
    .tuple(fc.constantFrom(...landmarks.filter((each) => each.family === family)), octets, fc.boolean())
    .map(([landmark, others, isBeside]) =>
      within(isBeside && landmark.length > 0 ? sibling(landmark) : landmark, others),
    );
  return fc.oneof(
    octets.map((all) => ({ family, octets: all })),
    { arbitrary: near, weight: 2 },
  );
};

/** The address in a prefix whose other bits are those of `others`. */
function within({ family, octets, length }: IpPrefix, others: Uint8Array): IpAddress {
  const kept = maskOctets(others, length);
  return { family, octets: octets.map((octet, i) => octet | ((others[i] ?? 0) ^ (kept[i] ?? 0))) };
}

/** The other half of the prefix one bit wider. */
function sibling({ family, octets, length }: IpPrefix): IpPrefix {
  const at = (length - 1) >> 3;
  const bit = 0x80 >> ((length - 1) & 7);
  return { family, octets: octets.map((octet, i) => (i === at ? octet ^ bit : octet)), length };
}

const whole = ({ family, octets }: IpAddress): IpPrefix => ({ family, octets, length: addressBits(family) });
const lastOf = (of: IpPrefix): IpAddress => ({
  family: of.family,
  octets: toOctets(of.family, behind(of) - 1n),
});

/** A client on one socket: a query at a time and its response. */
class Client {
  readonly #socket: Socket;
  #id = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(port: number): Promise<Client> {
    const socket = createSocket("udp4");
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Client(socket);
  }

  async ask(name: string, subnet: IpPrefix | EdnsOption): Promise<Message> {
    this.#id = (this.#id + 1) & 0xffff;
    const id = this.#id;
    const question = { qname: nameOctets(nameOf(name)), qtype: TYPE.A, qclass: CLASS.IN };
    const message = renderQuery(question, { id, recursionDesired: false, edns: undefined });
    message[11] = 1; // ARCOUNT
    const option = "code" in subnet ? subnet : clientSubnetOption(clientSubnetOf(subnet), 0);
    const opt = renderOpt({ udpPayloadSize: 1232, dnssecOk: false, version: 0, options: [option] }, 0);
    this.#socket.send(Buffer.concat([message, opt]));
    const [octets]: unknown[] = await once(this.#socket, "message");
    const response = octets instanceof Uint8Array ? decodeMessage(Uint8Array.from(octets)) : "no octets";
    if (typeof response === "string") throw new Error(response);
    expect(response).toMatchObject({ id, rcode: RCODE.NOERROR });
    return response;
  }

  close(): void {
    this.#socket.close();
  }
}

/** Names that go by place, one a service of each cloud. */
const services: ReadonlyMap<string, Service> = new Map(
  configuration.clouds.flatMap((cloud) =>
    cloud.services.flatMap((service) => {
      const owners = service.links[0]?.owners ?? [];
      const name = owners.find(({ needs }) => needs.size === 0)?.text;
      return service.policy === "nearest-datacenter" && name !== undefined ? [[name, service] as const] : [];
    }),
  ),
);

it("is asked of names of every cloud", () => {
  expect(new Set([...services.values()].map(({ cloud }) => cloud))).toEqual(
    new Set(configuration.clouds.map(({ name }) => name)),
  );
});

const down = (ids: readonly Datacenter[], states: DatacenterStates = allUp): DatacenterStates =>
  ids.reduce((before, { id }) => withState(before, id, "down"), states);

/** The first address in a prefix whose list is another one than `list`, by the snapshot's tables. */
function findOther(
  candidates: Candidates,
  inside: IpPrefix,
  list: readonly Datacenter[],
): IpAddress | undefined {
  let address: IpAddress = { family: inside.family, octets: inside.octets };
  for (;;) {
    const found = locationClass(candidates, address);
    if (idsOf(found.datacenters) !== idsOf(list)) return address;
    const next = behind(prefixOf(address, found.prefixLength));
    if (next >= behind(inside)) return undefined;
    address = { family: inside.family, octets: toOctets(inside.family, next) };
  }
}

const idsOf = (list: readonly Datacenter[]): string => list.map(({ id }) => id).join(" ");

const database = openGeoip(
  writeMmdb(
    Object.fromEntries(Object.entries(countries).map(([key, code]) => [key, { country_code: code }])),
  ),
);
const [alone] = serverWays;
// Which lengths there are is a matter of the tables, whoever looks them up: worker threads have some of them.
const many = threadWays.find(({ way }) => way.includes("3 workers"));

describe.each([
  { words: "without GeoIP", geoip: undefined, serverWay: alone, everyLength: 1 },
  { words: "with GeoIP", geoip: database, serverWay: alone, everyLength: 1 },
  { words: `with GeoIP, ${many?.way}`, geoip: database, serverWay: many, everyLength: 11 },
])("a scope of the default lab $words", { timeout: 60_000 }, ({ geoip, serverWay, everyLength }) => {
  const snapshot = buildSnapshot(configuration, geoip);
  let server: Server;
  let client: Client;
  beforeAll(async () => {
    const listen = [{ address: "127.0.0.1", family: 4, port: 0 }] as const;
    server = await startServer(snapshot, {
      listen,
      onFault: (error) => {
        throw error;
      },
      ...(serverWay && withPlane(serverWay)),
    });
    client = await Client.connect(server.listening[0]?.port ?? 0);
  });
  afterAll(async () => {
    client.close();
    await server.close();
  });

  const answerTo = async (name: string, address: IpAddress): Promise<readonly string[]> =>
    (await client.ask(name, whole(address))).answer.map(formatRecord);

  const candidatesOf = (name: string): Candidates => {
    const service = services.get(name);
    const candidates = service && snapshot.candidates.get(service);
    if (candidates === undefined) throw new Error(`${name} has no candidates in this snapshot`);
    return candidates;
  };

  const datacenters = configuration.clouds.flatMap((cloud) => cloud.datacenters);
  /** Some datacenters down, some draining, more often few than many. */
  const randomStates: fc.Arbitrary<DatacenterStates> = fc
    .array(fc.tuple(fc.constantFrom(...datacenters), fc.constantFrom<DatacenterState>("down", "draining")), {
      maxLength: datacenters.length,
      size: "max",
    })
    .map((set) => set.reduce((states, [{ id }, state]) => withState(states, id, state), allUp));

  const lengths = families.flatMap((family) =>
    Array.from({ length: addressBits(family) }, (_, i) => ({ family, length: i + 1 })).filter(
      ({ length }) => length % everyLength === 0,
    ),
  );

  it.each(lengths)(
    "for /$length of family $family is right, and as wide as can be",
    async ({ family, length }) => {
      const others = fc.uint8Array({
        minLength: addressBits(family) / 8,
        maxLength: addressBits(family) / 8,
      });
      const property = fc.asyncProperty(
        fc.constantFrom(...services.keys()),
        randomAddress(family),
        fc.array(others, { minLength: 3, maxLength: 3 }),
        fc.array(randomStates, { minLength: 2, maxLength: 2 }),
        async (name, address, somewhere, states) => {
          const subnet = prefixOf(address, length);
          server.setStates(allUp);
          const first = await client.ask(name, subnet);
          const scopeLength = first.clientSubnet?.scopePrefixLength ?? Number.NaN;
          // FAMILY, SOURCE and ADDRESS come back as asked (RFC 7871 §7.2.1).
          expect(first.clientSubnet).toEqual({ ...clientSubnetOf(subnet), scopePrefixLength: scopeLength });
          expect(scopeLength).toBeLessThanOrEqual(addressBits(family));

          // Where the scope is longer than the source prefix, it is that of the subnet's first address.
          const scope = prefixOf({ family, octets: subnet.octets }, scopeLength);
          const inside = [
            { family, octets: scope.octets },
            lastOf(scope),
            ...somewhere.map((octets) => within(scope, octets)),
          ];
          for (const state of [allUp, ...states]) {
            server.setStates(state);
            const expected = (await client.ask(name, subnet)).answer.map(formatRecord);
            for (const each of inside) {
              const response = await client.ask(name, whole(each));
              expect(response.clientSubnet?.scopePrefixLength, formatAddress(each.octets)).toBe(scopeLength);
              expect(response.answer.map(formatRecord), formatAddress(each.octets)).toEqual(expected);
            }
          }

          if (scopeLength === 0) return;
          const list = locationClass(candidatesOf(name), { family, octets: scope.octets }).datacenters;
          const other = findOther(candidatesOf(name), sibling(scope), list);
          if (other === undefined)
            throw new Error(`all of ${formatPrefix(sibling(scope))} has the same list`);
          // One datacenter of the list after the other goes down until the answers differ: while they are the same, so are
          // the lists as far as they have been read.
          let isSame = true;
          for (let count = 0; isSame && count < list.length; count++) {
            server.setStates(down(list.slice(0, count)));
            const here = await answerTo(name, { family, octets: scope.octets });
            const there = await answerTo(name, other);
            isSame = here.join("\n") === there.join("\n");
          }
          expect(isSame, `${formatAddress(other.octets)} is answered like its sibling in every state`).toBe(
            false,
          );
        },
      );
      await fc.assert(property, { numRuns: family === 4 ? 15 : 5 });
    },
  );

  it.each([
    { words: "family 1", family: 1 },
    { words: "family 2", family: 2 },
    { words: "family 0", family: 0 },
  ])("for a source prefix length of 0 is 0, and the source address counts: $words", async ({ family }) => {
    server.setStates(allUp);
    for (const name of services.keys()) {
      const none = { code: OPTION.CLIENT_SUBNET, octets: Uint8Array.of(0, family, 0, 0) };
      const response = await client.ask(name, none);
      expect(response.clientSubnet).toMatchObject({ family, sourcePrefixLength: 0, scopePrefixLength: 0 });
      const source = { family: 4, octets: Uint8Array.of(127, 0, 0, 1) } as const;
      expect(response.answer.map(formatRecord)).toEqual(await answerTo(name, source));
    }
  });
});
