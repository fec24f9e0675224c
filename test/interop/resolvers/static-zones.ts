/** Zones that use everything a static zone can have, as lines of master files. */

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
    ...every(i, 3, `d${i} 900 DS ${12340 + i} 8 2 ${"0123456789abcdef".repeat(4)}`),
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
];

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

/** RDATA of every type that NSD reads, in the forms that it may be written in. */
const rdataByType: Readonly<Record<string, readonly string[]>> = {
  MB: ["host0"],
  MG: ["Host0"],
  MR: ["host0.elsewhere.test."],
  MINFO: ["host0 host1.elsewhere.test."],
  WKS: ["192.0.2.1 TCP smtp 80", "192.0.2.1 UDP domain"],
  HINFO: ['"PDP-11" "UNIX V7"', '"" ""'],
  RP: ["host0 .", "a\\.b.elsewhere.test. host1"],
  AFSDB: ["1 host0", "2 host1"],
  X25: ["311061700956"],
  ISDN: ["150862028003217 004", "150862028003217"],
  RT: ["10 host0", "20 relay.elsewhere.test."],
  NSAP: ["0x47000580005a0000000001e133ffffff00016100"],
  KEY: ["256 3 8 AwEAAc0="],
  PX: ["10 host0 host1.elsewhere.test."],
  LOC: ["52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "42 21 54 S 71 6 18 W 24m 30m", "0 N 0 E 0m"],
  NAPTR: [
    '100 10 "u" "sip+E2U" "!^.*$!sip:info@example.test!" .',
    '100 50 "s" "z3950+n2l" "" _z3950._tcp.host0',
  ],
  KX: ["10 host0"],
  CERT: ["PGP 0 0 AAECAwQF", "1 65535 RSASHA256 AQID"],
  APL: ["1:192.0.2.0/24 !1:192.0.2.128/25 2:2001:db8::/32", "1:0.0.0.0/0", ""],
  DS: ["60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118", `1 8 2 ${"ab".repeat(32)}`, "\\# 5 0001080563"],
  SSHFP: ["2 1 123456789abcdef67890123456789abcdef67890", `4 2 ${"0F".repeat(32)}`],
  IPSECKEY: [
    "10 1 2 192.0.2.38 AQNR",
    "10 2 2 2001:db8::1 AQNR",
    "10 3 2 gateway.elsewhere.test. AQNR",
    "10 0 2 . AQNR",
  ],
  DNSKEY: [
    "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
  ],
  DHCID: ["AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="],
  TLSA: [`3 1 1 ${"0123456789abcdef".repeat(4)}`, "0 0 0 308201"],
  SMIMEA: [`3 1 1 ${"fedcba9876543210".repeat(4)}`],
  CDS: [`60485 5 2 ${"cd".repeat(32)}`, "0 0 0 00"],
  CDNSKEY: ["257 3 5 AwEAAc0=", "0 3 0 AA=="],
  OPENPGPKEY: ["mQENBFVHm5sBCADPPlG8"],
  CSYNC: ["66 3 A NS AAAA"],
  ZONEMD: [`2018031500 1 1 ${"c6".repeat(48)}`],
  SVCB: [
    "0 host0",
    "1 . alpn=h2,h3 port=8443 no-default-alpn",
    "2 Host1 mandatory=alpn,ipv4hint alpn=h2 ipv4hint=192.0.2.1,192.0.2.2",
  ],
  HTTPS: ['1 . alpn="h2" ipv6hint=2001:db8::1 key65000="a\\255b"', "0 pool.elsewhere.test."],
  SPF: ['"v=spf1 -all"'],
  NID: ["10 0014:4fff:ff20:ee64"],
  L32: ["10 192.0.2.1"],
  L64: ["10 2001:0db8:1140:1000"],
  LP: ["10 host0", "20 l64.elsewhere.test."],
  EUI48: ["00-00-5e-00-53-2a"],
  EUI64: ["00-00-5e-ef-10-00-00-2a"],
  URI: ['10 1 "ftp://ftp1.example.test/public"'],
  CAA: ['0 issuewild "ca.example; x=\\"y\\""', "128 iodef mailto:security@example.test"],
};

const allTypes = Object.entries(rdataByType).flatMap(([type, texts]) =>
  texts.map((text) => `rdata-${type} 400 ${type} ${text}`),
);

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
      ...allTypes,
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

/** The lines of a master file that say the same in other ways (RFC 1035 §5.1), with the records that they stand for. */
export const written: readonly { readonly lines: string; readonly records: readonly string[] }[] = [
  {
    lines:
      '$TTL 1h\nshort A 192.0.2.220 ; by $TTL\n\tAAAA 2001:db8::220\n 90 IN TXT ( "one"\n  two ) ; over lines\n',
    records: ["short 3600 A 192.0.2.220", "short 3600 AAAA 2001:db8::220", 'short 90 TXT "one" "two"'],
  },
  {
    lines:
      "$ORIGIN lower.static.example.\nwww IN 80 CNAME @\n@ 80 MX 5 www\n$ORIGIN static.example.\nback 80 TYPE1 \\# 4 c0000201\n",
    records: ["www.lower 80 CNAME lower", "lower 80 MX 5 www.lower", "back 80 A 192.0.2.1"],
  },
  {
    lines: "$INCLUDE included.zone included.static.example.\n",
    records: ["www.included 70 A 192.0.2.221", "included 70 TXT beside"],
  },
];

/** By the names of their files. */
export const masterFiles: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    staticZones.map(({ apex, records }, i) => [
      `${apex}zone`,
      `$ORIGIN ${apex}\n${records.join("\n")}\n${i === 0 ? written.map(({ lines }) => lines).join("") : ""}`,
    ]),
  ),
  "included.zone": "www 70 A 192.0.2.221\n@ 70 TXT beside\n",
};

/** A configuration as JSON, which is YAML. */
export const masterFilesConfig: string = JSON.stringify({
  log: { queries: "off" },
  geoip: { database: "none" },
  zones: staticZones.map(({ apex }) => ({ zone: apex, file: `${apex}zone` })),
});

/** The owner of a record line, relative to the apex. */
export const ownerOf = (line: string): string => line.slice(0, line.search(/ /));
