/**
 * Master files, good and bad, as people write them and as their hands slip: what each holds, or where it is wrong. The same
 * files are given to named-checkzone, whose verdict and records must be ours.
 */

export interface MasterFileCase {
  readonly name: string;
  /** the file of zone example.test; `ns` stands for an SOA, an NS and its address, in three lines */
  readonly text: string;
  /** files that it includes, by name */
  readonly files?: Readonly<Record<string, string>>;
}

export interface GoodFile extends MasterFileCase {
  /** what it holds beside the records of `apex`, as `owner ttl type rdata` */
  readonly records: readonly string[];
  /** `line:column: message` */
  readonly warnings?: readonly string[];
}

export interface BadFile extends MasterFileCase {
  /** `line:column: message`, `file:` in front where it is not the first */
  readonly errors: readonly string[];
}

/** SOA, NS and address, in the first four lines. */
export const apex = `$TTL 60
@ SOA ns hostmaster 1 2 3 4 5
  NS ns
ns A 192.0.2.53
`;

export const goodFiles: readonly GoodFile[] = [
  { name: "nothing but its apex", text: apex, records: [] },
  {
    name: "RFC 1035 §5.1: the owner of the record before, by a blank",
    text: `${apex}www A 192.0.2.1\n    AAAA 2001:db8::1\n\tTXT tab\n`,
    records: ["www 60 A 192.0.2.1", "www 60 AAAA 2001:db8::1", 'www 60 TXT "tab"'],
  },
  {
    name: "RFC 1035 §5.1: TTL and class in either order, or not at all",
    text: `${apex}a 10 IN A 192.0.2.1\nb IN 20 A 192.0.2.2\nc IN A 192.0.2.3\nd 30 A 192.0.2.4\n e A 192.0.2.5\n`.replace(
      "\n e",
      "\ne",
    ),
    records: [
      "a 10 A 192.0.2.1",
      "b 20 A 192.0.2.2",
      "c 60 A 192.0.2.3",
      "d 30 A 192.0.2.4",
      "e 60 A 192.0.2.5",
    ],
  },
  {
    name: "RFC 1035 §5.1: parentheses, over lines, in each other, beside comments",
    text: `$TTL 60
@ IN SOA ns hostmaster ( 1 ; serial
      2 3 ( 4
) 5 ) ; minimum
  NS ns
ns A ( 192.0.2.53
)
txt TXT ( "one"
  "two" ; and (
"three")
`,
    records: ['txt 60 TXT "one" "two" "three"'],
  },
  {
    name: "RFC 1035 §5.1: @, escapes, quotes",
    text: `${apex}@ A 192.0.2.1
a\\.b TXT dot
a\\032b TXT blank
\\@ TXT at
c\\;d TXT a\\;b
"quoted owner" TXT "a;b" "c\\"d" "e\\\\f" "\\065" ""
`,
    records: [
      "@ 60 A 192.0.2.1",
      'a\\.b 60 TXT "dot"',
      'a\\032b 60 TXT "blank"',
      '\\@ 60 TXT "at"',
      'c\\;d 60 TXT "a;b"',
      'quoted\\032owner 60 TXT "a;b" "c\\"d" "e\\\\f" "A" ""',
    ],
  },
  {
    name: "words that touch quotes, comments that touch words",
    text: `${apex}t TXT "a"b"c";comment\nu TXT ab"c d"\nv TXT d;e\n`,
    records: ['t 60 TXT "a" "b" "c"', 'u 60 TXT "ab" "c d"', 'v 60 TXT "d"'],
  },
  {
    name: "octets above 127, raw and escaped",
    text: `${apex}caf\u00c3\u00a9 TXT caf\u00c3\u00a9 "\u00ff" \\255\n`,
    records: ['caf\\195\\169 60 TXT "caf\\195\\169" "\\255" "\\255"'],
  },
  {
    name: "names of types as owners",
    text: `${apex}A A 192.0.2.1\n60 A 192.0.2.2\nIN TXT in\nTXT TXT TXT\n`,
    records: ["A 60 A 192.0.2.1", "60 60 A 192.0.2.2", 'IN 60 TXT "in"', 'TXT 60 TXT "TXT"'],
  },
  {
    name: "lines that hold nothing",
    text: `; first\n\n   \n  ; indented\n ( \n )\n${apex}\n\t\n;last`,
    records: [],
  },
  {
    name: "lines that end as on Windows",
    text: `${apex}w A 192.0.2.1\nv A 192.0.2.2\n`.replaceAll("\n", "\r\n"),
    records: ["w 60 A 192.0.2.1", "v 60 A 192.0.2.2"],
  },
  { name: "a last line that does not end", text: `${apex}w A 192.0.2.1`, records: ["w 60 A 192.0.2.1"] },
  {
    name: "$ORIGIN, relative and absolute",
    text: `${apex}$ORIGIN sub\na A 192.0.2.1\n$ORIGIN deeper\nb A 192.0.2.2\n@ A 192.0.2.3\n$ORIGIN example.test.\nc CNAME d\n`,
    records: [
      "a.sub 60 A 192.0.2.1",
      "b.deeper.sub 60 A 192.0.2.2",
      "deeper.sub 60 A 192.0.2.3",
      "c 60 CNAME d.example.test.",
    ],
  },
  {
    name: "directives and mnemonics in small letters",
    text: `${apex}$origin sub\n$ttl 70\nw in a 192.0.2.1\n`,
    records: ["w.sub 70 A 192.0.2.1"],
  },
  {
    name: "RFC 2308 §4: $TTL, with units and 0",
    text: `${apex}$TTL 1d\na A 192.0.2.1\nb 1h30m A 192.0.2.2\n$TTL 0\nc A 192.0.2.3\nd 1W A 192.0.2.4\n`,
    records: ["a 86400 A 192.0.2.1", "b 5400 A 192.0.2.2", "c 0 A 192.0.2.3", "d 604800 A 192.0.2.4"],
  },
  {
    name: "RFC 1035 §5.1: without $TTL the TTL of the record before",
    text: "@ 70 SOA ns hostmaster 1 2 3 4 5\n NS ns\nns 80 A 192.0.2.53\nw A 192.0.2.1\n",
    records: ["w 80 A 192.0.2.1"],
  },
  {
    name: "without any TTL the MINIMUM of the SOA",
    text: "@ SOA ns hostmaster 1 2 3 4 55\n NS ns\nns A 192.0.2.53\nw A 192.0.2.1\n",
    records: ["w 55 A 192.0.2.1"],
  },
  {
    name: "RFC 2181 §8: a TTL with the highest bit set counts as 0",
    text: `${apex}w 4294967295 A 192.0.2.1\n$TTL 2147483648\nv A 192.0.2.2\n`,
    records: ["w 0 A 192.0.2.1", "v 0 A 192.0.2.2"],
    warnings: [
      "5:3: a TTL of 4294967295 is over 2147483647 and counts as 0 (RFC 2181 §8)",
      "6:6: a TTL of 2147483648 is over 2147483647 and counts as 0 (RFC 2181 §8)",
    ],
  },
  {
    name: "RFC 2181 §5.2: an RRset with two TTLs has the first",
    text: `${apex}w 50 A 192.0.2.1\nw 70 A 192.0.2.2\n`,
    records: ["w 50 A 192.0.2.1", "w 50 A 192.0.2.2"],
    warnings: [
      "6:1: w.example.test. has two TTLs in one RRset (RFC 2181 §5.2); this record gets the first one, 50",
    ],
  },
  {
    name: "records said twice",
    text: `${apex}w A 192.0.2.1\nw A 192.0.2.1\nc CNAME w\nC CNAME W\n@ SOA ns hostmaster 1 2 3 4 5\n`,
    records: ["w 60 A 192.0.2.1", "c 60 CNAME w.example.test."],
  },
  {
    name: "what is not in the zone",
    text: `${apex}www.example.org. A 192.0.2.1\nw A 192.0.2.1\nxexample.test. A 192.0.2.2\n`,
    records: ["w 60 A 192.0.2.1"],
    warnings: [
      "5:1: www.example.org. is not in zone example.test., so it is left out",
      "7:1: xexample.test. is not in zone example.test., so it is left out",
    ],
  },
  {
    name: "RFC 3597 §5: types and RDATA nobody knows",
    text: `${apex}a TYPE65280 \\# 4 0A00 0001\nb TYPE1 \\# 4 c0000201\nc A \\# 4 c0000202\nd TYPE300 \\# 0\ne CLASS1 A 192.0.2.3\n`,
    records: [
      "a 60 TYPE65280 \\# 4 0a000001",
      "b 60 A 192.0.2.1",
      "c 60 A 192.0.2.2",
      "d 60 TYPE300 \\# 0",
      "e 60 A 192.0.2.3",
    ],
  },
  {
    name: "wildcards, delegations, DNAMEs and what they hide",
    text: `${apex}*.w A 192.0.2.1\nsub NS ns.sub\nns.sub A 192.0.2.2\nhidden.sub TXT below\nd DNAME other.test.\nx.d TXT below\n*.e DNAME other.test.\n`,
    records: [
      "*.w 60 A 192.0.2.1",
      "sub 60 NS ns.sub.example.test.",
      "ns.sub 60 A 192.0.2.2",
      'hidden.sub 60 TXT "below"',
      "d 60 DNAME other.test.",
      'x.d 60 TXT "below"',
      "*.e 60 DNAME other.test.",
    ],
  },
  {
    name: "hosts without addresses, and hosts that are aliases (RFC 2181 §10.3)",
    text: `${apex}m MX 10 nosuch\n  MX 20 alias\n  MX 0 .\nalias CNAME ns\nsub NS ns.sub\n_s._tcp SRV 0 0 1 nosuch\n*.wild A 192.0.2.1\nv MX 1 any.wild\n`,
    records: [
      "m 60 MX 10 nosuch.example.test.",
      "m 60 MX 20 alias.example.test.",
      "m 60 MX 0 .",
      "alias 60 CNAME ns.example.test.",
      "sub 60 NS ns.sub.example.test.",
      "_s._tcp 60 SRV 0 0 1 nosuch.example.test.",
      "*.wild 60 A 192.0.2.1",
      "v 60 MX 1 any.wild.example.test.",
    ],
    warnings: [
      "5:1: MX nosuch.example.test. has no address in this zone",
      "6:3: MX alias.example.test. is an alias, where a name with addresses is needed",
      "9:1: NS ns.sub.example.test. lies below a zone cut and has no glue here",
      "10:1: SRV nosuch.example.test. has no address in this zone",
    ],
  },
  {
    name: "$INCLUDE, with an origin and without, and what it leaves as it was",
    text: `${apex}$ORIGIN sub\nfirst A 192.0.2.1\n$INCLUDE plain.zone\n A 192.0.2.4\n$INCLUDE "plain.zone" other\nlast A 192.0.2.5\n`,
    files: { "plain.zone": "a A 192.0.2.2\n$ORIGIN deep\nb A 192.0.2.3\n" },
    records: [
      "first.sub 60 A 192.0.2.1",
      "a.sub 60 A 192.0.2.2",
      "b.deep.sub 60 A 192.0.2.3",
      "first.sub 60 A 192.0.2.4",
      "a.other.sub 60 A 192.0.2.2",
      "b.deep.other.sub 60 A 192.0.2.3",
      "last.sub 60 A 192.0.2.5",
    ],
  },
  {
    name: "$INCLUDE: a $TTL goes on behind the file that sets it",
    text: `${apex}$INCLUDE ttl.zone\nw A 192.0.2.1\n`,
    files: { "ttl.zone": "$TTL 99\n" },
    records: ["w 99 A 192.0.2.1"],
  },
  {
    name: "$GENERATE: numbers, steps, offsets, widths and bases",
    text: `${apex}$GENERATE 1-3 h$ A 192.0.2.$
$GENERATE 0-4/2 x\${1,3,x} 50 IN CNAME y\${-1,2,d}.$$
$GENERATE 9-10 o\${0,0,o} A 192.0.2.$
$GENERATE 30-31 X\${0,4,X} TXT "$ in \${5}"
$GENERATE 1-2 h\${-5} TXT $
$GENERATE 26-27 \${0,7,n}.r PTR h\${0,3,N}
$GENERATE 1-2 \\$$ MX "$ ns"
`,
    records: [
      "h1 60 A 192.0.2.1",
      "h2 60 A 192.0.2.2",
      "h3 60 A 192.0.2.3",
      "x001 50 CNAME y-1.\\$.example.test.",
      "x003 50 CNAME y01.\\$.example.test.",
      "x005 50 CNAME y03.\\$.example.test.",
      "o11 60 A 192.0.2.9",
      "o12 60 A 192.0.2.10",
      'X001E 60 TXT "30" "in" "35"',
      'X001F 60 TXT "31" "in" "36"',
      'h-4 60 TXT "1"',
      'h-3 60 TXT "2"',
      "a.1.0.0.r 60 PTR hA.1.example.test.",
      "b.1.0.0.r 60 PTR hB.1.example.test.",
      "\\$1 60 MX 1 ns.example.test.",
      "\\$2 60 MX 2 ns.example.test.",
    ],
  },
  {
    name: "RFC 4034 §4, §3: signatures beside a CNAME",
    text: `${apex}w CNAME ns\nw NSEC x CNAME RRSIG NSEC\nw RRSIG CNAME 8 3 60 20300101000000 20200101000000 1 example.test. AAAA\n`,
    records: [
      "w 60 CNAME ns.example.test.",
      "w 60 NSEC x.example.test. CNAME RRSIG NSEC",
      "w 60 RRSIG CNAME 8 3 60 20300101000000 20200101000000 1 example.test. AAAA",
    ],
  },
  {
    name: "$DATE, which says nothing",
    text: `${apex}$DATE 20200101000000\nw A 192.0.2.1\n`,
    records: ["w 60 A 192.0.2.1"],
  },
];

export const badFiles: readonly BadFile[] = [
  {
    name: "an empty file",
    text: "",
    errors: ["1:1: zone example.test. has no SOA", "1:1: zone example.test. has no NS at its apex"],
  },
  {
    name: "no SOA",
    text: "$TTL 60\n@ NS ns\nns A 192.0.2.1\n",
    errors: ["1:1: zone example.test. has no SOA"],
  },
  {
    name: "no NS",
    text: "$TTL 60\n@ SOA ns h 1 2 3 4 5\n",
    errors: ["1:1: zone example.test. has no NS at its apex"],
  },
  {
    name: "a name server without an address",
    text: "$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\n",
    errors: ["3:2: NS ns.example.test. has no address in this zone"],
  },
  {
    name: "RFC 2181 §10.3: a name server that is an alias",
    text: "$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\nns CNAME other.test.\n",
    errors: ["3:2: NS ns.example.test. is an alias, where a name with addresses is needed"],
  },
  {
    name: "a name server below a DNAME",
    text: "$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\n DNAME other.test.\nns A 192.0.2.1\n",
    errors: ["3:2: NS ns.example.test. is an alias, where a name with addresses is needed"],
  },
  {
    name: "two SOAs",
    text: `${apex}@ SOA ns h 2 2 3 4 5\n`,
    errors: ["5:1: example.test. has an SOA already"],
  },
  {
    name: "an SOA below the apex",
    text: `${apex}sub SOA ns h 2 2 3 4 5\n`,
    errors: ["5:1: an SOA stands at the apex alone"],
  },
  {
    name: "RFC 2181 §10.1: a CNAME beside other records, and two of them",
    text: `${apex}w A 192.0.2.1\nw CNAME x\nv CNAME x\nv A 192.0.2.1\nu CNAME x\nu CNAME y\n`,
    errors: [
      "6:1: w.example.test. would have a CNAME beside other records (RFC 2181 §10.1)",
      "8:1: v.example.test. would have a CNAME beside other records (RFC 2181 §10.1)",
      "10:1: u.example.test. would have a CNAME beside other records (RFC 2181 §10.1)",
    ],
  },
  {
    name: "a CNAME at the apex",
    text: `${apex}@ CNAME x\n`,
    errors: ["5:1: example.test. is an apex, and no CNAME can stand beside its SOA and NS (RFC 2181 §10.1)"],
  },
  {
    name: "RFC 6672 §2.4: two DNAMEs",
    text: `${apex}d DNAME x\nd DNAME y\n`,
    errors: ["6:1: d.example.test. has a DNAME already (RFC 6672 §2.4)"],
  },
  {
    name: "RFC 4592 §4.2: a delegation at a wildcard",
    text: `${apex}* NS ns\n`,
    errors: ["5:1: NS at a wildcard has no meaning that all agree on (RFC 4592 §4.2, §4.4)"],
  },
  {
    name: "a blank owner in front",
    text: ` A 192.0.2.1\n${apex}`,
    errors: ["1:2: a blank stands for the owner of the record before, and there is none"],
  },
  {
    name: "no TTL to be had",
    text: "@ NS ns\nns 60 A 192.0.2.1\n@ SOA ns h 1 2 3 4 5\n",
    errors: ["1:3: the TTL is missing: give one here, or $TTL before"],
  },
  {
    name: "types that there are not, and those that no zone can hold",
    text: `${apex}w FOO 1\nw 1h2x A 192.0.2.1\nw OPT \\# 0\nw TSIG \\# 0\nw TYPE0 \\# 0\nw TYPE128 \\# 0\nw 5000000000 A 192.0.2.1\n`,
    errors: [
      '5:3: "FOO" is not a type',
      '6:3: "1h2x" is not a type',
      "7:3: OPT is no type that a zone can hold",
      "8:3: TSIG is no type that a zone can hold",
      "9:3: TYPE0 is no type that a zone can hold",
      "10:3: TYPE128 is no type that a zone can hold",
      '11:3: "5000000000" is not a type',
    ],
  },
  {
    name: "another class",
    text: `${apex}w CH A 192.0.2.1\n`,
    errors: ["5:3: class CH is not IN, the only one served"],
  },
  { name: "a TTL twice", text: `${apex}w 60 IN 60 A 192.0.2.1\n`, errors: ['5:9: "60" is not a type'] },
  {
    name: "an owner alone",
    text: `${apex}w\nv 60\nu IN\n`,
    errors: ["5:1: the type is missing", "6:3: the type is missing", "7:3: the type is missing"],
  },
  {
    name: "RDATA that is missing, too much, or wrong",
    text: `${apex}w A\nw A 192.0.2.1 more\nw A 192.0.2\nw MX ten ns\nw TXT\n`,
    errors: [
      "5:3: there are 0 fields where 1 are needed",
      '6:15: "more" is one field too many',
      '7:5: "192.0.2" is not an IPv4 address',
      '8:6: "ten" is not a whole number from 0 to 65535',
      "9:3: there are 0 fields where 1 are needed",
    ],
  },
  {
    name: "names that are none",
    text: `${apex}a..b A 192.0.2.1\n\\256 A 192.0.2.1\n${"l".repeat(64)} A 192.0.2.1\nw CNAME a..b\n`,
    errors: [
      '5:1: "a..b" has an empty label',
      '6:1: "\\256" has an escape that is not \\X or \\DDD below 256',
      `7:1: "${"l".repeat(60)}..." has a label over 63 octets`,
      '8:9: "a..b" has an empty label',
    ],
  },
  {
    name: "a name over 255 octets",
    text: `${apex}$ORIGIN ${"l".repeat(60)}\n$ORIGIN ${"m".repeat(60)}\n$ORIGIN ${"n".repeat(60)}\n${"o".repeat(60)} A 192.0.2.1\n`,
    errors: [`8:1: "${"o".repeat(60)}" is a name over 255 octets`],
  },
  {
    name: "a quote that is not closed",
    text: `${apex}w TXT "abc\nv A 192.0.2.1\n`,
    errors: ["5:7: this quoted text is not closed on its line"],
  },
  {
    name: "parentheses without their other half",
    text: `${apex}w TXT abc)\nv TXT (abc\n`,
    errors: ["5:10: this parenthesis was never opened", "6:7: this parenthesis is never closed"],
  },
  {
    name: "a backslash at the end of a line",
    text: `${apex}w TXT a\\\nv TXT b\n`,
    errors: ['5:7: "a\\" has an escape that is not \\X or \\DDD below 256'],
  },
  {
    name: "a character string over 255 octets",
    text: `${apex}w TXT ${"x".repeat(256)}\n`,
    errors: ["5:7: a character string is over 255 octets; cut it into several in quotes"],
  },
  {
    name: "directives that there are not, or that lack a word",
    text: `${apex}$FOO\n$TTL x\n$ORIGIN a..b\n$ORIGIN a b\n`,
    errors: [
      '5:1: "$FOO" is no directive; there are $ORIGIN, $TTL, $INCLUDE and $GENERATE',
      '6:6: "x" is not a TTL like 3600 or 1h30m',
      '7:9: "a..b" has an empty label',
      '8:11: "b" is one word too many; expected $ORIGIN NAME',
    ],
  },
  {
    name: "$TTL without a word",
    text: `${apex}$TTL\n`,
    errors: ["5:1: a word is missing; expected $TTL SECONDS"],
  },
  {
    name: "$INCLUDE of no file, and one too many words",
    text: `${apex}$INCLUDE\n$INCLUDE a b c\n$INCLUDE nosuch.zone\n`,
    errors: [
      "5:1: a word is missing; expected $INCLUDE FILE [ORIGIN]",
      '6:14: "c" is one word too many; expected $INCLUDE FILE [ORIGIN]',
      '7:10: "nosuch.zone" cannot be read: there is no such file',
    ],
  },
  {
    name: "an error in a file that is included",
    text: `${apex}$INCLUDE bad.zone\nw A 192.0.2\n`,
    files: { "bad.zone": "v A 1\n\n  A 2\n" },
    errors: [
      '6:5: "192.0.2" is not an IPv4 address',
      'bad.zone:1:5: "1" is not an IPv4 address',
      'bad.zone:3:5: "2" is not an IPv4 address',
    ],
  },
  {
    name: "$GENERATE: ranges and braces that are none",
    text: `${apex}$GENERATE 3-1 h$ A 192.0.2.$\n$GENERATE 1-3/0 h$ A 192.0.2.$\n$GENERATE -1-3 h$ A 192.0.2.$\n$GENERATE 1-3 h\${1 A 192.0.2.$\n$GENERATE 1-3 h\${1,2,q} A 192.0.2.$\n`,
    errors: [
      '5:11: "3-1" is not a range like 1-254 or 0-100/4',
      '6:11: "1-3/0" is not a range like 1-254 or 0-100/4',
      '7:11: "-1-3" is not a range like 1-254 or 0-100/4',
      `8:15: expected $, \${OFFSET}, \${OFFSET,WIDTH} or \${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N`,
      `9:15: expected $, \${OFFSET}, \${OFFSET,WIDTH} or \${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N`,
    ],
  },
  {
    name: "$GENERATE: what it makes is wrong, said once",
    text: `${apex}$GENERATE 254-300 h$ A 192.0.2.$\n$GENERATE 1-2 h$ A 192.0.2.$ more\n$GENERATE 1-2 h$ A\n$GENERATE 1-2\n`,
    errors: [
      '5:24: "192.0.2.256" is not an IPv4 address',
      '6:30: "more" is one word too many; put RDATA of several words in quotes',
      "7:18: RDATA is missing; expected $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE RDATA",
      "8:1: a word is missing; expected $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE RDATA",
    ],
  },
];
