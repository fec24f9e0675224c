/**
 * The static zones that every check asks of, written once: as `records:` for geodns365 and as master files (RFC 1035 §5)
 * for its peers.
 */

import { parseName } from "../../src/dns/name.ts";

export const APEX = "conformance.example.";
/** Served beside its parent. */
export const CHILD_APEX = `served.${APEX}`;

/** What not every server has; lines and checks that need it say so. */
export type Feature =
  | "chaos"
  | "client-subnet"
  | "cname-loops"
  | "cookies"
  | "dname"
  | "ds"
  | "empty-rdata"
  | "extended-errors"
  | "interoperable-cookies"
  | "keepalive"
  | "large-messages"
  | "nested-zones"
  | "nsid";

/** What `version.bind` says, and `id.server` and the NSID. */
export const VERSION = "conformance version";
export const IDENTITY = "conformance";
/** A key of SipHash-2-4 (RFC 9018 §4.4) that all servers share. */
export const COOKIE_SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf";

/** In negative answers the lesser of TTL and MINIMUM counts (RFC 2308 §3): here the TTL, in the child MINIMUM. */
export const SOA = "@ 60 SOA ns1 hostmaster 2026010101 3600 600 604800 3600";
export const CHILD_SOA = "served 3600 SOA ns.served hostmaster.served 2026010101 3600 600 604800 30";
export const NEGATIVE_CHILD_SOA = CHILD_SOA.replace("3600", "30");

/** Owner names at the limits of RFC 1035 §2.3.4: a label of 63 octets, and a name of 255. */
export const LONGEST_LABEL = "l".repeat(63);
export const LONGEST_NAME = [LONGEST_LABEL, LONGEST_LABEL, LONGEST_LABEL, "l".repeat(41)].join(".");

const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i + 1));
const text = (strings: number, octets: number): string =>
  times(strings, () => `"${"x".repeat(octets)}"`).join(" ");

/** RRsets of known sizes. */
export const TWENTY = times(20, (i) => `twenty 300 A 192.0.2.${i}`);
export const FORTY = times(40, (i) => `forty 300 A 192.0.2.${i}`);
export const BIG = [`big 300 TXT ${text(12, 200)}`];
export const HUGE = times(40, (i) => `huge 300 TXT "${i}" ${text(4, 250)}`);
export const WIDE_NAMESERVERS = times(16, (i) => `wide 3600 NS ns${i}.wide`);
export const WIDE_GLUE = times(16, (i) => [
  `ns${i}.wide 3600 A 192.0.2.${i}`,
  `ns${i}.wide 3600 AAAA 2001:db8::${i}`,
]).flat();
export const DS = `\\# 36 3039 0d 02 ${"ab".repeat(32)}`;
/** With anything of the length of a label in front, the target of a name below `long` is over 255 octets. */
const LONG_TARGET = times(3, (i) => `${i}`.repeat(60)).join(".");

const lines: readonly string[] = [
  SOA,
  "@ 3600 NS ns1",
  "@ 3600 NS ns2",
  "@ 3600 MX 10 mail",
  '@ 300 TXT "apex"',
  "ns1 3600 A 198.51.100.1",
  "ns1 3600 AAAA 2001:db8:53::1",
  "ns2 3600 A 198.51.100.2",
  "mail 300 A 192.0.2.25",
  "www 300 A 192.0.2.1",
  "www 300 A 192.0.2.2",
  "www 300 AAAA 2001:db8::1",
  'txt 300 TXT "one" "two"',
  'nothing 300 TXT ""',
  "_sip._tcp 300 SRV 10 20 5060 www",
  "a.b.ent 300 A 192.0.2.3",
  'MiXeD 300 TXT "KePt"',
  'dotted\\.label 300 TXT "a dot in a label"',
  'with\\032space 300 TXT "a space"',
  '\\000\\255 300 TXT "octets 0 and 255"',
  `${LONGEST_LABEL} 300 TXT "63 octets"`,
  `${LONGEST_NAME} 300 TXT "255 octets"`,
  "unknown 300 TYPE65280 \\# 4 c000020c",
  // aliases
  "alias 200 CNAME www",
  "chain1 100 CNAME chain2",
  "chain2 150 CNAME chain3",
  "chain3 200 CNAME www",
  "dangling 200 CNAME nosuch",
  "to-txt 200 CNAME txt",
  "to-ent 200 CNAME b.ent",
  "to-wild 200 CNAME any.wild",
  "outside 200 CNAME www.elsewhere.example.",
  "into-sub 200 CNAME host.sub",
  // the example of RFC 4592 §2.2.1
  '*.wild 3600 TXT "this is a wildcard"',
  "*.wild 3600 MX 10 host1.wild",
  'sub.*.wild 3600 TXT "this is not a wildcard"',
  "host1.wild 3600 A 192.0.2.1",
  "_ssh._tcp.host1.wild 3600 SRV 0 0 22 host1.wild",
  "_ssh._tcp.host2.wild 3600 SRV 0 0 22 host1.wild",
  "subdel.wild 3600 NS ns.elsewhere.example.",
  "*.wild-alias 200 CNAME www",
  // delegations
  "sub 3600 NS ns.sub",
  "ns.sub 3600 A 192.0.2.53",
  "ns.sub 3600 AAAA 2001:db8::53",
  "other 3600 NS ns.other",
  "ns.other 3600 A 192.0.2.54",
  "sib 3600 NS ns.other",
  "far 3600 NS ns.elsewhere.example.",
  ...WIDE_NAMESERVERS,
  ...WIDE_GLUE,
  // sizes
  ...TWENTY,
  ...FORTY,
  ...BIG,
];

const linesOf: Readonly<Partial<Record<Feature, readonly string[]>>> = {
  "cname-loops": ["loop1 100 CNAME loop2", "loop2 100 CNAME loop1", "self 100 CNAME self"],
  dname: [
    "dname 600 DNAME target",
    'dname 300 TXT "beside"',
    "x.target 300 A 192.0.2.7",
    "out 600 DNAME elsewhere.example.",
    `long 600 DNAME ${LONG_TARGET}`,
  ],
  ds: ["signed 3600 NS ns.signed", "ns.signed 3600 A 192.0.2.56", `signed 3600 TYPE43 ${DS}`],
  "empty-rdata": ["unknown 300 TYPE65281 \\# 0"],
  "large-messages": HUGE,
  "nested-zones": [
    "served 3600 NS ns.served",
    "ns.served 3600 A 192.0.2.55",
    `served 3600 TYPE43 ${DS}`,
    "to-served 200 CNAME www.served",
    "to-unserved 200 CNAME nosuch.served",
  ],
};

const childLines: readonly string[] = [
  "@ 3600 SOA ns hostmaster 2026010101 3600 600 604800 30",
  "@ 3600 NS ns",
  "ns 3600 A 192.0.2.55",
  "www 300 A 192.0.2.66",
];

export interface StaticZone {
  readonly apex: string;
  readonly lines: readonly string[];
}

/** The zones, with the lines for these features alone. */
export function staticZones(has: (feature: Feature) => boolean): readonly StaticZone[] {
  const parent = {
    apex: APEX,
    lines: [
      ...lines,
      ...Object.entries(linesOf).flatMap(([feature, more]) => (has(feature as Feature) ? more : [])),
    ],
  };
  return has("nested-zones") ? [parent, { apex: CHILD_APEX, lines: childLines }] : [parent];
}

export const masterFile = ({ apex, lines }: StaticZone): string =>
  [`$ORIGIN ${apex}`, ...lines, ""].join("\n");

/** The configuration of geodns365 with these zones, and a small cloud with tailored names beside them. */
export function geodns365Config(settings: object = {}): string {
  const zones = staticZones(() => true);
  const server = { version: VERSION, identity: IDENTITY, ...settings };
  const documents = [
    {
      server,
      geoip: { database: "none" },
      zones: zones.map(({ apex }) => apex),
      records: Object.fromEntries(zones.map(({ apex, lines }) => [apex, lines])),
    },
    {
      networks: {
        east: { prefixes: ["192.0.2.0/24", "2001:db8:2::/48"], place: tokyo },
        west: { prefixes: ["198.51.100.0/24"], place: chicago },
      },
    },
    {
      cloud: "Shop",
      zones: ["shop.example"],
      records: { "shop.example": ['*.shop.example. 300 TXT "a wildcard"'] },
      datacenters: {
        tyo: { ...tokyo, geo: "JPN", roles: ["front-end"], addresses: ["198.18.1.0/24"] },
        chi: { ...chicago, geo: "NAM", roles: ["front-end"], addresses: ["198.18.2.0/24"] },
      },
      services: {
        web: {
          policy: "nearest-datacenter",
          names: ["www.shop.example", "a.deep.shop.example"],
          ttl: 300,
          chain: [{ name: "{datacenter}.shop.example", ttl: 60 }],
          addresses: { slice: 0, count: 1 },
        },
      },
    },
  ];
  // JSON is YAML, and a text in JSON needs no thought about its characters.
  return documents.map((document) => JSON.stringify(document, undefined, 1)).join("\n---\n");
}

const tokyo = { city: "Tokyo", country: "JP", coordinates: [35.68, 139.69] };
const chicago = { city: "Chicago", country: "US", coordinates: [41.88, -87.63] };

/** A name in wire format; relative ones are below the apex of the first zone. */
export function wireName(name: string): Uint8Array {
  const origin = parseName(APEX);
  const octets = typeof origin === "string" ? origin : parseName(name, origin);
  if (typeof octets === "string") throw new Error(octets);
  return octets;
}
