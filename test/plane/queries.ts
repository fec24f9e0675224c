/** Queries of every form for every name of a configuration, as clients send them. */

import { join } from "node:path";
import fc from "fast-check";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { clientSubnetOf, clientSubnetOption } from "../../src/dns/client-subnet.ts";
import { type EdnsOption, renderOpt } from "../../src/dns/edns.ts";
import { parseType } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { openGeoip } from "../../src/geo/geoip.ts";
import { buildSnapshot, type Snapshot } from "../../src/snapshot.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";

export const labs = [
  ["the default lab", "../../config/geodns365.yaml"],
  ["plain records, wildcards and delegations", "../scenarios/fixtures/plain-zone.yaml"],
  ["names with rules", "../scenarios/fixtures/tailored.yaml"],
  ["nearness of every kind", "../scenarios/fixtures/nearness.yaml"],
  ["DNAMEs and cuts", "../scenarios/fixtures/cuts.yaml"],
  ["zones with quirks", "../scenarios/fixtures/quirks.yaml"],
  ["explanations in band", "../scenarios/fixtures/in-band.yaml"],
] as const;

const geoip = openGeoip(
  writeMmdb({
    "8.0.0.0/8": { country_code: "US" },
    "81.0.0.0/8": { country_code: "GB" },
    "2a00::/12": { country_code: "DE" },
  }),
);

/** The snapshot of a file beside this one. */
export function snapshotOf(
  path: string,
  changes: Partial<Snapshot["configuration"]["settings"]> = {},
): Snapshot {
  const loaded = loadConfig(join(import.meta.dirname, path));
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const { configuration } = loaded;
  const settings = { ...configuration.settings, ...changes };
  return buildSnapshot({ ...configuration, settings }, geoip);
}

/** Names that exist, and beside some of them ones that may not. */
export function namesOf({ configuration }: Snapshot): readonly Uint8Array[] {
  // Names of the reverse tree are thousands, and so much alike that some stand for all.
  const names = zonesOfRecords(configuration.zones).flatMap(({ apex, nodes }) =>
    [...nodes].flatMap(([name], i) => (apex.endsWith(".arpa.") && i % 16 > 0 ? [] : nameOctets(name))),
  );
  const beside = names
    .filter((name, i) => i % 10 === 0 && name.length < 200)
    .map((name) => Uint8Array.from([1, 0x78, ...name]));
  const explained = configuration.settings.explain.txt
    ? names.filter((_, i) => i % 5 === 0).map((name) => Buffer.concat([Buffer.from("\x08_explain"), name]))
    : [];
  return [...names, ...beside, ...explained, Uint8Array.of(0), nameOctets(nameOf("www.example.org."))];
}

const option = (code: number, ...octets: readonly number[]): EdnsOption => ({
  code,
  octets: Uint8Array.from(octets),
});

const types: readonly number[] = [
  ...["A", "AAAA", "CNAME", "MX", "TXT", "SOA", "NS", "ANY", "HTTPS", "CAA", "DS", "PTR"],
].map((text) => parseType(text) ?? 0);
const subnets = [
  option(8, 0, 1, 24, 0, 10, 1, 7),
  option(8, 0, 1, 24, 0, 10, 4, 0),
  option(8, 0, 1, 32, 0, 8, 8, 8, 8),
  option(8, 0, 1, 9, 0, 81, 0),
  option(8, 0, 1, 16, 0, 172, 16),
  option(8, 0, 2, 56, 0, 0x20, 1, 0x0d, 0xb8, 0, 3, 0),
  option(8, 0, 2, 32, 0, 0x20, 2, 10, 4),
  option(8, 0, 2, 12, 0, 0x2a, 0),
  option(8, 0, 1, 0, 0),
  option(8, 0, 2, 0, 0),
  option(8, 0, 0, 0, 0),
];
/** Not of a client subnet alone, or faulty: worker threads leave these to the main thread. */
const unusual = [
  [option(3)],
  [option(10, 1, 2, 3, 4, 5, 6, 7, 8)],
  [option(65001, 1), option(8, 0, 1, 24, 0, 10, 1, 7)],
  [option(8, 0, 1, 24, 0, 10, 1)],
  [option(8, 0, 1, 24, 3, 10, 1, 7)],
];
const sizes = [0, 512, 600, 1232, 4096, 65_535];

interface Asked {
  readonly name: Uint8Array;
  readonly qtype: number;
  /** for each octet of the name, whether its case is turned */
  readonly turned: number;
  readonly recursionDesired: boolean;
  readonly edns:
    | {
        readonly udpPayloadSize: number;
        readonly dnssecOk: boolean;
        readonly options: EdnsOption[];
      }
    | undefined;
}

function messageOf({ name, qtype, turned, recursionDesired, edns }: Asked): Uint8Array {
  const qname = name.map((octet, i) => {
    const isLetter = (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a;
    return isLetter && (turned >> (i % 31)) & 1 ? octet ^ 0x20 : octet;
  });
  const message = renderQuery({ qname, qtype, qclass: 1 }, { id: 0, recursionDesired, edns: undefined });
  if (edns === undefined) return message;
  message[11] = 1; // ARCOUNT
  return Buffer.concat([message, renderOpt({ ...edns, version: 0 }, 0)]);
}

/** Of the snapshot's networks, and of places that are in none. */
function subnetsOf({ configuration }: Snapshot): readonly EdnsOption[] {
  const prefixes = configuration.networks.flatMap((network) => network.prefixes);
  return [...subnets, ...prefixes.map((each) => clientSubnetOption(clientSubnetOf(each), 0))];
}

const elementAt = <T>(list: readonly T[], i: number): T => {
  const found = list[i % list.length];
  if (found === undefined) throw new Error("the list is empty");
  return found;
};

/** For each name a few queries, so that every type, place, option and size has its turn. */
export function eachOf(
  snapshot: Snapshot,
  names: readonly Uint8Array[],
  each: number,
): readonly Uint8Array[] {
  const optionLists = [...subnetsOf(snapshot).map((one) => [one]), [], ...unusual];
  return names.flatMap((name, i) =>
    Array.from({ length: each }, (_, j) => {
      const n = i * each + j;
      return messageOf({
        name,
        // Of the kinds most asked for, most.
        qtype: j % 2 === 0 ? elementAt([1, 28, 5], n >> 1) : elementAt(types, n >> 1),
        turned: Math.imul(n, 0x9e3779b1) >>> 1,
        recursionDesired: n % 3 === 0,
        edns:
          n % 7 === 0
            ? undefined
            : {
                udpPayloadSize: elementAt(sizes, n),
                dnssecOk: n % 5 === 0,
                options: elementAt(optionLists, n),
              },
      });
    }),
  );
}

export function queryOf(snapshot: Snapshot, names: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const options = subnetsOf(snapshot).map((each) => [each]);
  return fc
    .record({
      name: fc.constantFrom(...names),
      qtype: fc.oneof(fc.constantFrom(1, 1, 28, 5), fc.constantFrom(...types)),
      turned: fc.nat(0x7fffffff),
      recursionDesired: fc.boolean(),
      edns: fc.option(
        fc.record({
          udpPayloadSize: fc.constantFrom(...sizes),
          dnssecOk: fc.boolean(),
          options: fc.oneof(
            { weight: 6, arbitrary: fc.constantFrom(...options) },
            { weight: 1, arbitrary: fc.constantFrom([], ...unusual) },
          ),
        }),
        { nil: undefined },
      ),
    })
    .map(messageOf);
}
