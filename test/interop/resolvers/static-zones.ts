/** Zones that use everything a static zone can have, as record lines that a master file and a configuration both take. */

export interface StaticZone {
  readonly apex: string;
  /** `owner ttl type rdata`, relative to the apex */
  readonly records: readonly string[];
}

const series = (count: number, line: (i: number) => string | readonly string[]): readonly string[] =>
  Array.from({ length: count }, (_, i) => line(i)).flat();

const every = (i: number, n: number, line: string): readonly string[] => (i % n === 0 ? [line] : []);

const soa = (serial: number) =>
  `@ 3600 SOA ns1.static.example. hostmaster.static.example. ${serial} 7200 900 1209600 300`;

const LONG_LABEL = "l".repeat(63);

/** Hosts with one or more of the usual types. */
const hosts = series(90, (i) => [
  `host${i} ${60 + i} A 192.0.2.${i}`,
  ...every(i, 2, `host${i} ${120 + i} AAAA 2001:db8::${i.toString(16)}`),
  ...every(i, 3, `host${i} 300 TXT "host ${i}" "v=1; quoted \\"${i}\\""`),
  ...every(i, 5, `host${i} 300 MX 10 host${(i + 1) % 90}`),
  ...every(i, 5, `host${i} 300 MX 20 mail.other.example.`),
  ...every(i, 5, `host${i} 300 MX 30 mail.elsewhere.test.`),
  ...every(i, 7, `host${i} 300 CAA 0 issue "ca${i}.example; policy=ev"`),
  ...every(i, 9, `host${i} 300 TYPE65280 \\# ${(i % 4) + 1} ${"ab".repeat((i % 4) + 1)}`),
  ...every(i, 10, `_sip._tcp.host${i} 300 SRV 0 5 5060 host${i}`),
  ...every(i, 10, `_sip._tcp.host${i} 300 SRV 1 5 5060 sip.elsewhere.test.`),
]);

/** Names with nothing of their own above them. */
const emptyNonTerminals = series(15, (i) => `leaf.a.b.c${i}.deep ${300 + i} A 192.0.2.${100 + i}`);

const wildcards = [
  ...series(10, (i) => [
    `*.wild${i} 300 A 198.51.100.${i}`,
    ...every(i, 2, `*.wild${i} 300 TXT "wild ${i}"`),
    ...every(i, 3, `*.wild${i} 300 MX 10 host${i}`),
    `known.wild${i} 300 A 198.51.100.${100 + i}`,
    ...every(i, 2, `below.known.wild${i} 300 A 198.51.100.${110 + i}`),
    ...every(i, 3, `leaf.empty.wild${i} 300 A 198.51.100.${120 + i}`),
  ]),
  "*.wildcname 300 CNAME host1",
  "*.wildout 300 CNAME www.other.example.",
  "*.wildgone 300 CNAME nothing.here",
  "*.wildwild 300 CNAME any.wild4",
  "*.wildloop 300 CNAME again.wildloop",
  "under.*.wild1 300 A 198.51.100.200",
  "*.*.wild2 300 A 198.51.100.201",
  "cut.wild5 300 NS ns.elsewhere.test.",
];

const delegations = [
  ...series(16, (i) => [
    `d${i} 600 NS ns.d${i}`,
    `d${i} 600 NS ns.d${(i + 1) % 16}`,
    ...every(i, 2, `d${i} 600 NS ns.elsewhere.test.`),
    ...every(i, 4, `d${i} 600 NS ns1.other.example.`),
    ...every(i, 5, `d${i} 600 NS host${i}`),
    `ns.d${i} 600 A 203.0.113.${i}`,
    ...every(i, 3, `ns.d${i} 600 AAAA 2001:db8:d::${i}`),
    ...every(i, 3, `d${i} 900 DS 1234${i} 8 2 ${"0123456789abcdef".repeat(4)}`),
    ...every(i, 6, `hidden.d${i} 600 TXT "below the cut"`),
  ]),
  // A referral over 512 octets, most of it glue.
  ...series(12, (i) => [
    `many 600 NS a-rather-long-name-of-a-server-${i}.many`,
    `a-rather-long-name-of-a-server-${i}.many 600 A 203.0.113.${100 + i}`,
    `a-rather-long-name-of-a-server-${i}.many 600 AAAA 2001:db8:d:1::${i}`,
  ]),
  // Served as well.
  "sub 600 NS ns1.sub",
  "sub 600 NS ns1",
  "ns1.sub 600 A 203.0.113.53",
  "sub 900 DS 4321 8 2 fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
  // A cut below an empty non-terminal, and one below a cut.
  "cut.empty-above 600 NS ns.elsewhere.test.",
  "deeper.d1 600 NS ns.elsewhere.test.",
].map((line) =>
  line.replace(/ DS (\d+) 8 2 (\w+)$/, (_, tag: string, digest: string) => ds(Number(tag), digest)),
);

/** DS in the form that does for every type (RFC 3597 §5). */
function ds(tag: number, digest: string): string {
  const fixed = Buffer.from([(tag >> 8) & 0xff, tag & 0xff, 8, 2]).toString("hex");
  return ` DS \\# ${4 + digest.length / 2} ${fixed}${digest}`;
}

const dnames = [
  "dn0 700 DNAME target",
  'dn0 700 TXT "beside a DNAME"',
  "a.target 700 A 192.0.2.200",
  "b.target 700 CNAME host2",
  "www.target 700 CNAME a.dn0",
  "*.w.target 700 A 192.0.2.201",
  "dn1 700 DNAME other.example.",
  "dn2 700 DNAME outside.test.",
  `dn3 700 DNAME ${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}`,
  "dn4 700 DNAME again.dn4",
  "dn5 700 DNAME dn0",
  "dn6 700 DNAME d0",
  "dn7 700 DNAME nowhere",
];

const cnames = [
  ...series(12, (i) => `c${i} ${100 + i} CNAME ${i === 0 ? "host0" : `c${i - 1}`}`),
  ...series(10, (i) => `x${i} ${200 + i} CNAME x${i}.other.example.`),
  ...series(30, (i) => `long${i} 100 CNAME ${i === 0 ? "host0" : `long${i - 1}`}`),
  "loop0 300 CNAME loop1",
  "loop1 300 CNAME loop2",
  "loop2 300 CNAME loop0",
  "self 300 CNAME self",
  "dangling 300 CNAME nothing",
  "outside 300 CNAME www.elsewhere.test.",
  "to-cut 300 CNAME www.d1",
  "to-cut-itself 300 CNAME d2",
  "to-sub 300 CNAME www.sub",
  "to-sub-gone 300 CNAME gone.sub",
  "to-empty 300 CNAME a.b.c0.deep",
  "to-wild 300 CNAME any.wild0",
  "to-dname 300 CNAME a.dn0",
  "to-dname-other 300 CNAME www.dn1",
  "to-apex 300 CNAME @",
];

const large = [
  ...series(20, (i) => `big 300 TXT "${String(i).padStart(3, "0")}${"t".repeat(200)}"`),
  ...series(6, (i) => `medium 300 TXT "${i}${"m".repeat(150)}"`),
  ...series(60, (i) => `many-a 300 A 192.0.2.${i}`),
  ...series(30, (i) => `many-mx 300 MX ${i} mail-exchanger-number-${i}.elsewhere.test.`),
  `strings 300 TXT ${series(12, (i) => `"${"s".repeat(20 * i)}"`).join(" ")}`,
  "to-big 300 CNAME big",
  "to-medium 300 CNAME medium",
];

const strange = [
  "a\\.b 300 A 192.0.2.210",
  "x\\032y 300 A 192.0.2.211",
  '\\000\\255\\007 300 TXT "octets \\000 \\255"',
  `${LONG_LABEL} 300 A 192.0.2.212`,
  `${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL} 300 A 192.0.2.213`,
  "MixedCase 300 A 192.0.2.214",
  "MixedAlias 300 CNAME MIXEDcase",
  "_25._tcp.mail 300 PTR Host5",
  "zero-ttl 0 A 192.0.2.215",
  "empty-rdata 300 TYPE65280 \\# 0",
];

export const staticZones: readonly StaticZone[] = [
  {
    apex: "static.example.",
    records: [
      soa(7),
      "@ 1800 NS ns1",
      "@ 1800 NS ns2",
      "@ 1800 NS ns1.other.example.",
      "@ 1800 MX 10 host0",
      '@ 1800 TXT "v=spf1 -all"',
      '@ 1800 CAA 128 issue ";"',
      "ns1 1800 A 192.0.2.251",
      "ns1 1800 AAAA 2001:db8::251",
      "ns2 1800 A 192.0.2.252",
      ...hosts,
      ...emptyNonTerminals,
      ...wildcards,
      ...delegations,
      ...dnames,
      ...cnames,
      ...large,
      ...strange,
    ],
  },
  {
    apex: "other.example.",
    records: [
      soa(8),
      "@ 1800 NS ns1",
      "ns1 1800 A 192.0.2.241",
      "www 300 A 192.0.2.242",
      "mail 300 A 192.0.2.243",
      ...series(
        10,
        (i) =>
          [
            [`x${i} 250 A 198.51.100.50`],
            [`x${i} 250 CNAME host${i}.static.example.`],
            [`x${i} 250 CNAME gone.static.example.`],
            [`x${i} 250 CNAME x${i}.static.example.`],
            [],
          ][i % 5] ?? [],
      ),
      "*.w 300 A 192.0.2.244",
      "dn 300 DNAME wild1.static.example.",
    ],
  },
  {
    apex: "sub.static.example.",
    records: [
      soa(9),
      "@ 500 NS ns1",
      "@ 500 NS ns1.static.example.",
      "@ 500 A 192.0.2.230",
      "ns1 500 A 203.0.113.53",
      "www 500 A 192.0.2.231",
      "*.w 500 A 192.0.2.232",
      "up 500 CNAME host4.static.example.",
      "up-cut 500 CNAME www.d3.static.example.",
    ],
  },
];

export const masterFile = ({ apex, records }: StaticZone): string =>
  `$ORIGIN ${apex}\n${records.join("\n")}\n`;

/** A configuration as JSON, which is YAML. */
export function zonesConfig(zones: readonly StaticZone[]): string {
  return JSON.stringify({
    log: { queries: "off" },
    geoip: { database: "none" },
    zones: zones.map(({ apex }) => apex),
    records: Object.fromEntries(zones.map(({ apex, records }) => [apex, records])),
  });
}

/** The owner of a record line, relative to the apex. */
export const ownerOf = (line: string): string => line.slice(0, line.search(/ /));
