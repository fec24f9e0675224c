/** Names whose answers depend on who asks, which only geodns365 has, and its choices where an RFC leaves one. */

import { OPTION } from "../../src/dns/iana.ts";
import { type Check, type Expected, fault, nodata, nxdomain, positive, refusal } from "./expect.ts";
import { ask, build, opt, option, subnet } from "./query.ts";
import { optionOf } from "./response.ts";

/** As the server counts it up: nobody has given it, and nothing is stored. */
const SHOP_SOA = "shop.example. 60 SOA ns1.shop.example. hostmaster.shop.example. 1 3600 600 604800 60";
const chain = (datacenter: string, address: string, owner = "www"): readonly string[] => [
  `${owner}.shop.example. 300 CNAME ${datacenter}.shop.example.`,
  `${datacenter}.shop.example. 60 A ${address}`,
];
const TOKYO = chain("tyo", "198.18.1.1");
const CHICAGO = chain("chi", "198.18.2.1");

const EAST = [192, 0, 2] as const;
const WEST = [198, 51, 100] as const;

/** The same option with another scope comes back. */
const tailored = (
  what: string,
  [name, type]: readonly [string, string],
  [family, source, ...address]: readonly [number, number, ...number[]],
  scope: number,
  expect: Expected,
  rule = "RFC 7871 §7.2.1",
): Check => ({
  rule,
  what,
  query: ask(name, type, { edns: opt(option(OPTION.CLIENT_SUBNET, subnet(family, source, 0, ...address))) }),
  expect: {
    ...expect,
    options: {
      [OPTION.CLIENT_SUBNET]: Buffer.from(subnet(family, source, scope, ...address)).toString("hex"),
    },
  },
});

const www = ["www.shop.example.", "A"] as const;

export const tailoredChecks: readonly Check[] = [
  {
    rule: "RFC 8914 §4.22",
    what: "a refused NOTIFY says why",
    query: ask("@", "SOA", { opcode: 4, edns: opt() }),
    expect: {
      ...refusal("REFUSED"),
      options: {
        [OPTION.EXTENDED_ERROR]: `0015${Buffer.from("NOTIFY is refused to everyone").toString("hex")}`,
      },
    },
  },
  tailored(
    "a /24 in a network of its own: its place, and the network as scope",
    www,
    [1, 24, ...EAST],
    24,
    positive(...TOKYO),
  ),
  tailored(
    "a /32 in it: a scope shorter than the source prefix length",
    www,
    [1, 32, ...EAST, 9],
    24,
    positive(...TOKYO),
  ),
  tailored(
    "a /16 around it: its first address, and a scope longer than the source prefix length",
    www,
    [1, 16, 192, 0],
    23,
    positive(...CHICAGO),
  ),
  tailored("elsewhere: the widest prefix with the same list", www, [1, 24, ...WEST], 6, positive(...CHICAGO)),
  tailored("IPv6 has scopes of its own", www, [2, 56, 0x20, 1, 0xd, 0xb8, 0, 2, 0], 48, positive(...TOKYO)),
  tailored(
    "source prefix length 0: the source address counts, scope 0",
    www,
    [1, 0],
    0,
    positive(...CHICAGO),
    "RFC 7871 §7.1.2",
  ),
  tailored(
    "family 0: the source address counts, scope 0",
    www,
    [0, 0],
    0,
    positive(...CHICAGO),
    "RFC 7871 §7.1.2",
  ),
  {
    rule: "RFC 7871 §7.2.1",
    what: "no client subnet: the source address counts, and none comes back",
    query: ask("www.shop.example.", "A", { edns: opt() }),
    expect: { ...positive(...CHICAGO), options: { [OPTION.CLIENT_SUBNET]: undefined } },
  },
  {
    rule: "RFC 7871 §7.2.1",
    what: "no EDNS: the source address counts",
    query: ask("www.shop.example.", "A"),
    expect: positive(...CHICAGO),
  },
  tailored(
    "NODATA behind a tailored CNAME has the scope of that",
    ["www.shop.example.", "MX"],
    [1, 24, ...EAST],
    24,
    nodata(TOKYO.slice(0, 1), SHOP_SOA),
  ),
  tailored(
    "an address that no datacenter has is NODATA with the scope of the CNAME",
    ["www.shop.example.", "AAAA"],
    [1, 24, ...EAST],
    24,
    nodata(TOKYO.slice(0, 1), SHOP_SOA),
  ),
  tailored(
    "the tailored CNAME alone",
    ["www.shop.example.", "CNAME"],
    [1, 24, ...EAST],
    24,
    positive(...TOKYO.slice(0, 1)),
  ),
  tailored(
    "ANY at a tailored CNAME is the CNAME, not followed",
    ["www.shop.example.", "ANY"],
    [1, 24, ...EAST],
    24,
    positive(...TOKYO.slice(0, 1)),
    "RFC 8482 §4",
  ),
  tailored(
    "a name that tells its datacenter does not depend on the place",
    ["tyo.shop.example.", "A"],
    [1, 24, ...WEST],
    0,
    positive(...TOKYO.slice(1)),
  ),
  tailored(
    "NODATA there has scope 0",
    ["tyo.shop.example.", "AAAA"],
    [1, 24, ...WEST],
    0,
    nodata([], SHOP_SOA),
    "RFC 7871 §7.4",
  ),
  tailored(
    "a name above a tailored one is an empty non-terminal, which hides the wildcard",
    ["deep.shop.example.", "TXT"],
    [1, 24, ...EAST],
    0,
    nodata([], SHOP_SOA),
    "RFC 4592 §2.2.2",
  ),
  tailored(
    "a name below a tailored one does not exist",
    ["x.www.shop.example.", "TXT"],
    [1, 24, ...EAST],
    0,
    nxdomain([], SHOP_SOA),
    "RFC 8020 §2",
  ),
  tailored(
    "a wildcard beside tailored names",
    ["other.shop.example.", "TXT"],
    [1, 24, ...EAST],
    0,
    positive('other.shop.example. 300 TXT "a wildcard"'),
    "RFC 4592 §3.3.3",
  ),
  tailored(
    "a wildcard does not answer for a tailored name",
    ["www.shop.example.", "TXT"],
    [1, 24, ...EAST],
    24,
    nodata(TOKYO.slice(0, 1), SHOP_SOA),
    "RFC 4592 §3.3.1",
  ),
  tailored(
    "a tailored name below an empty non-terminal",
    ["a.deep.shop.example.", "A"],
    [1, 24, ...EAST],
    24,
    positive(...chain("tyo", "198.18.1.1", "a.deep")),
  ),
  {
    rule: "RFC 4343 §3",
    what: "a tailored name in another case, which comes back",
    query: ask("wWw.ShOp.example.", "CNAME"),
    expect: { aa: true, also: ({ answer }) => fault(answer.length !== 1, "there is no CNAME") },
  },

  // Choices.
  {
    rule: "RFC 7873 §5.2.3",
    what: "a client cookie alone is answered as without it",
    query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, new Uint8Array(8))) }),
    expect: positive("www 300 AAAA 2001:db8::1"),
  },
  {
    rule: "RFC 7873 §5.2.4",
    what: "a wrong server cookie is answered as without it",
    query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, new Uint8Array(24))) }),
    expect: positive("www 300 AAAA 2001:db8::1"),
  },
  {
    rule: "RFC 8482 §4.1",
    what: "ANY is one RRset of the name",
    query: ask("www", "ANY"),
    expect: positive("www 300 A 192.0.2.1", "www 300 A 192.0.2.2"),
  },
  {
    rule: "RFC 1034 §3.6.2",
    what: "a loop of CNAMEs is told as far as it goes",
    query: ask("loop1", "A"),
    expect: positive("loop1 100 CNAME loop2", "loop2 100 CNAME loop1"),
  },
  {
    rule: "RFC 1034 §4.3.2",
    what: "class ANY is refused",
    query: ask("@", "SOA", { qclass: 255 }),
    expect: { ...refusal("REFUSED"), aa: false },
  },
  {
    rule: "RFC 8914 §2",
    what: "the extended error of a refusal says which name, in words",
    query: ask("www.elsewhere.example.", "A", { edns: opt() }),
    expect: {
      rcode: "REFUSED",
      also: (seen) =>
        fault(
          !Buffer.from(optionOf(seen, OPTION.EXTENDED_ERROR) ?? []).includes("www.elsewhere.example."),
          "it does not name www.elsewhere.example.",
        ),
    },
  },
  {
    rule: "RFC 2181 §9",
    what: "an RRset that does not fit leaves whole",
    over: "udp",
    query: ask("forty", "A"),
    expect: { aa: true, tc: true, answer: [], authority: [] },
  },
];

/** With `cookies: require` (RFC 7873 §5.2.3): who sends a cookie over UDP needs a good one. */
export const requiredCookieChecks: readonly Check[] = [
  {
    rule: "RFC 7873 §5.2.3",
    what: "a client cookie alone is BADCOOKIE, and the cookie with it is good",
    over: "udp",
    query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, new Uint8Array(8))) }),
    expect: refusal("BADCOOKIE"),
    next: (first) => ({
      query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, optionOf(first, OPTION.COOKIE) ?? [])) }),
      expect: positive("www 300 AAAA 2001:db8::1"),
    }),
  },
  {
    rule: "RFC 7873 §5.2.4",
    what: "a wrong server cookie is BADCOOKIE",
    over: "udp",
    query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, new Uint8Array(24))) }),
    expect: refusal("BADCOOKIE"),
  },
  {
    rule: "RFC 7873 §5.2.3",
    what: "over TCP, where the address is known, a client cookie is enough",
    over: "tcp",
    query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, new Uint8Array(8))) }),
    expect: positive("www 300 AAAA 2001:db8::1"),
  },
  {
    rule: "RFC 7873 §5.2.1",
    what: "who sends no cookie is answered",
    query: ask("www", "AAAA", { edns: opt() }),
    expect: positive("www 300 AAAA 2001:db8::1"),
  },
  {
    rule: "RFC 7873 §5.2.2",
    what: "a malformed cookie is FORMERR and not BADCOOKIE",
    query: ask("www", "AAAA", { edns: opt(option(OPTION.COOKIE, new Uint8Array(9))) }),
    expect: refusal("FORMERR"),
  },
  {
    rule: "RFC 7873 §5.4",
    what: "no question, and a client cookie: a new cookie",
    over: "udp",
    query: build([], { edns: opt(option(OPTION.COOKIE, new Uint8Array(8))) }),
    expect: {
      rcode: ["NOERROR", "BADCOOKIE"],
      also: (seen) => fault(optionOf(seen, OPTION.COOKIE)?.length !== 24, "there is no new cookie"),
    },
  },
];
