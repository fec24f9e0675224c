/** RFC 7871 §7.2.1 where names by place lead to others: inside its scope an answer is that of every address, in every state. */

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allUp, type DatacenterState, withState } from "../src/cloud/states.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { CLASS, TYPE } from "../src/dns/iana.ts";
import { formatRecord } from "../src/dns/message.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import { type AddressFamily, addressBits, formatAddress, type IpPrefix, prefixOf } from "../src/ip.ts";
import { type Snapshot, withStates } from "../src/snapshot.ts";
import { answerAtOnce } from "./answer.ts";
import { loadLab } from "./audit/labs.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";
import { address, behind, family, firstOf, prefix, toOctets } from "./geo/prefixes.ts";

const countries: Readonly<Record<string, string>> = {
  "0.0.0.0/8": "JP",
  "1.0.0.0/8": "DE",
  "1.2.4.0/22": "JP",
  "128.0.0.0/1": "US",
  "203.0.113.128/25": "DE",
  "255.255.255.255/32": "FR",
  "2001::/16": "JP",
  "2003::/16": "DE",
  "64:ff9a::/32": "US",
  "64:ff9b:1::/48": "JP",
  "2a00::/12": "FR",
  "2a00:1:2:3::/64": "DE",
};
const continents: Readonly<Record<string, string>> = { "1.2.3.0/25": "AF", "2000::/16": "AF" };

const snapshot = loadLab(
  join(import.meta.dirname, "scenarios/fixtures/tailored-chains.yaml"),
  openGeoip(
    writeMmdb({
      ...Object.fromEntries(Object.entries(countries).map(([key, code]) => [key, { country_code: code }])),
      ...Object.fromEntries(Object.entries(continents).map(([key, code]) => [key, { continent_code: code }])),
    }),
  ),
);
const { clouds, networks } = snapshot.configuration;
const datacenters = clouds.flatMap((cloud) => cloud.datacenters);

/** Prefixes at whose edges, or just beside them, something changes. */
const landmarks = [
  ...[...Object.keys(countries), ...Object.keys(continents)].map(prefix),
  ...networks.flatMap(({ prefixes }) => prefixes),
  ...["0.0.0.0/0", "10.9.1.0/25", "::/0", "::ffff:0:0/96", "2002::/16", "64:ff9b::/96", "64:ff9b::/56"].map(
    prefix,
  ),
  ...["::/56", "2001::/32", "::ffff:1.2.3.0/121", "2002:102:300::/41", "64:ff9b::1.2.3.0/121"].map(prefix),
];

/** The first address of a prefix, its last, or one between. */
const inside = (of: IpPrefix): fc.Arbitrary<IpPrefix> =>
  fc
    .oneof(fc.constantFrom(firstOf(of), behind(of) - 1n), fc.bigInt(firstOf(of), behind(of) - 1n))
    .map((number) => whole(of.family, number));
const whole = (of: AddressFamily, number: bigint): IpPrefix => ({
  family: of,
  octets: toOctets(of, number),
  length: addressBits(of),
});

const subnet = family.chain((of) =>
  fc
    .tuple(
      fc.constantFrom(...landmarks.filter((each) => each.family === of)).chain(inside),
      fc.constantFrom(0n, 1n, -1n),
      fc.integer({ min: 1, max: addressBits(of) }),
    )
    .map(([at, step, length]) => {
      const beside = BigInt.asUintN(addressBits(of), firstOf(at) + step);
      return prefixOf(whole(of, beside), length);
    }),
);

const states = fc
  .array(fc.constantFrom<DatacenterState>("up", "up", "draining", "down"), {
    minLength: datacenters.length,
    maxLength: datacenters.length,
  })
  .map((each) => datacenters.reduce((before, { id }, i) => withState(before, id, each[i] ?? "up"), allUp));

function ask(of: Snapshot, name: string, qtype: number, client: IpPrefix) {
  const question = { qname: nameOctets(nameOf(name)), qtype, qclass: CLASS.IN };
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet: client };
  const query = renderQuery(question, { id: 0, recursionDesired: false, edns });
  const source = { address: address("127.0.0.1"), port: 5353, transport: "udp" } as const;
  const { octets = new Uint8Array() } = answerAtOnce(of, query, source, 0);
  const response = decodeMessage(octets);
  if (typeof response === "string") throw new Error(response);
  const { rcode, answer, authority, clientSubnet } = response;
  return {
    rcode,
    answer: answer.map(formatRecord),
    authority: authority.map(formatRecord),
    scope: clientSubnet?.scopePrefixLength ?? Number.NaN,
  };
}

describe("the scope of", () => {
  test.each([
    ...["two.example.test", "three.example.test", "rules.example.test", "near.example.test"],
    ...["any.wild.example.test", "plain.example.test", "nosuch.shop.test"],
    ...["www.shop.test", "spread.shop.test", "listed.shop.test", "short.shop.test"],
    ...["regional.shop.test", "west.regional.shop.test", "east.regional.shop.test"],
    ...["short-regional.shop.test", "west.short-regional.shop.test"],
  ])("%s is right", (name) => {
    const property = fc.property(
      subnet,
      fc.constantFrom(TYPE.A, TYPE.AAAA, TYPE.TXT),
      states,
      fc.gen(),
      (client, qtype, inStates, choose) => {
        const here = withStates(snapshot, inStates);
        const expected = ask(here, name, qtype, client);
        const cell = prefixOf(client, expected.scope);
        for (let i = 0; i < 4; i++) {
          const other = choose(inside, cell);
          expect(ask(here, name, qtype, other), formatAddress(other.octets)).toEqual(expected);
        }
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});
