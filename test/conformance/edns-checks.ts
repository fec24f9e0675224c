/** EDNS and its options: RFC 6891, and RFC 8906 §8.2 of how servers fail at it. */

import { OPTION } from "../../src/dns/iana.ts";
import { type Check, type Expected, fault, nodata, nxdomain, positive, referral, refusal } from "./expect.ts";
import { ask, build, octets, opt, option, record, subnet, uint16 } from "./query.ts";
import { optionOf, type Seen } from "./response.ts";
import { IDENTITY, SOA, wireName } from "./zone.ts";

const soa = positive(SOA);
const DO = 0x8000;
/** A flag that nobody has defined (RFC 6891 §6.1.4). */
const UNKNOWN_FLAG = 0x0040;
const UNKNOWN_OPTION = 100;
const unknownOption = option(UNKNOWN_OPTION, "anything");
const CLIENT_COOKIE = [1, 2, 3, 4, 5, 6, 7, 8];

const flagFaults =
  (flag: number, isWanted: boolean) =>
  ({ opts: [found] }: Seen): readonly string[] =>
    fault(
      found !== undefined && ((found.flags & flag) !== 0) !== isWanted,
      `flag ${flag.toString(16)} is ${isWanted ? "not " : ""}set`,
    );

const badvers: Expected = {
  ...refusal("BADVERS"),
  aa: false,
  hasEdns: true,
  question: false,
  options: { [UNKNOWN_OPTION]: undefined },
  also: flagFaults(UNKNOWN_FLAG, false),
};

const formerr: Expected = { ...refusal("FORMERR"), question: false };
/** Where the OPT itself cannot be read, RFC 6891 leaves open whether the response has one. */
const formerrOfOpt: Expected = { ...formerr, hasEdns: "either" };

const withOption = (code: number, body: Parameters<typeof option>[1]): Uint8Array => opt(option(code, body));
const hex = (body: Uint8Array): string => Buffer.from(body).toString("hex");

/** A client subnet comes back as asked, with a scope of 0: the static zone is the same for everyone. */
const subnetRow = (what: string, name: string, type: string, body: Uint8Array, expect: Expected): Check => ({
  rule: "RFC 7871 §7.2.1",
  what,
  needs: "client-subnet",
  query: ask(name, type, { edns: withOption(OPTION.CLIENT_SUBNET, body) }),
  expect: { ...expect, options: { [OPTION.CLIENT_SUBNET]: hex(body) } },
});

const badSubnetRow = (rule: string, what: string, body: Uint8Array): Check => ({
  rule,
  what: `${what} is FORMERR with an OPT`,
  needs: "client-subnet",
  query: ask("www", "A", { edns: withOption(OPTION.CLIENT_SUBNET, body) }),
  expect: formerr,
});

/** What RFC 7873 §5.2.3 allows where a cookie is not good: an answer, or BADCOOKIE; a new cookie with both. */
const newCookie = (client: readonly number[]): Expected => ({
  rcode: ["NOERROR", "BADCOOKIE"],
  also: (seen) => cookieFaults(seen, client),
});

function cookieFaults(seen: Seen, client: readonly number[]): readonly string[] {
  const cookie = optionOf(seen, OPTION.COOKIE);
  if (cookie === undefined) return ["there is no cookie"];
  return [
    ...fault(hex(cookie.subarray(0, 8)) !== hex(octets(client)), "the client cookie is another"),
    ...fault(
      cookie.length < 16 || cookie.length > 40,
      `the cookie has ${cookie.length} octets, not 16 to 40`,
    ),
  ];
}

const cookieOf = (seen: Seen): Uint8Array => optionOf(seen, OPTION.COOKIE) ?? new Uint8Array();
const withCookie = (cookie: Parameters<typeof option>[1]) => ({ edns: withOption(OPTION.COOKIE, cookie) });

/** Extended errors are well formed where there are any (RFC 8914 §2): a code, and text in UTF-8 that may be empty. */
function extendedErrorFaults(seen: Seen): readonly string[] {
  const found = optionOf(seen, OPTION.EXTENDED_ERROR);
  if (found === undefined) return [];
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(found.subarray(2));
  } catch {
    return ["the text of the extended error is not UTF-8"];
  }
  return fault(found.length < 2, "the extended error is shorter than its code");
}

export const ednsChecks: readonly Check[] = [
  // RFC 8906 §8.2.
  { rule: "RFC 8906 §8.2.1", what: "EDNS version 0", query: ask("@", "SOA", { edns: opt() }), expect: soa },
  {
    rule: "RFC 8906 §8.2.2",
    what: "EDNS version 1 gets BADVERS with version 0",
    query: ask("@", "SOA", { edns: opt([], { version: 1 }) }),
    expect: badvers,
  },
  {
    rule: "RFC 6891 §6.1.3",
    what: "EDNS version 255 gets BADVERS with version 0",
    query: ask("@", "SOA", { edns: opt([], { version: 255 }) }),
    expect: badvers,
  },
  {
    rule: "RFC 6891 §6.1.3",
    what: "EDNS version 1 gets BADVERS for a name of no zone served too",
    query: ask("www.elsewhere.example.", "A", { edns: opt([], { version: 1 }) }),
    expect: badvers,
  },
  {
    rule: "RFC 8906 §8.2.3",
    what: "an unknown option is passed over and not repeated",
    query: ask("@", "SOA", { edns: opt(unknownOption) }),
    expect: { ...soa, options: { [UNKNOWN_OPTION]: undefined } },
  },
  {
    rule: "RFC 6891 §6.1.2",
    what: "an unknown option without octets is passed over",
    query: ask("@", "SOA", { edns: opt(option(65535, [])) }),
    expect: { ...soa, options: { 65535: undefined } },
  },
  {
    rule: "RFC 8906 §8.2.4",
    what: "an unknown flag is passed over and not repeated",
    query: ask("@", "SOA", { edns: opt([], { flags: UNKNOWN_FLAG }) }),
    expect: { ...soa, also: flagFaults(UNKNOWN_FLAG, false) },
  },
  {
    rule: "RFC 8906 §8.2.5",
    what: "version 1 and an unknown flag",
    query: ask("@", "SOA", { edns: opt([], { version: 1, flags: UNKNOWN_FLAG }) }),
    expect: badvers,
  },
  {
    rule: "RFC 8906 §8.2.6",
    what: "version 1 and an unknown option",
    query: ask("@", "SOA", { edns: opt(unknownOption, { version: 1 }) }),
    expect: badvers,
  },
  {
    rule: "RFC 8906 §8.2.7",
    what: "a truncated response has its OPT",
    query: ask("big", "TXT", { edns: opt([], { size: 512, flags: DO }) }),
    expect: { tc: true },
  },
  {
    rule: "RFC 8906 §8.2.8",
    what: "DO is answered",
    query: ask("@", "SOA", { edns: opt([], { flags: DO }) }),
    expect: soa,
  },
  {
    rule: "RFC 3225 §3",
    what: "DO comes back",
    query: ask("@", "SOA", { edns: opt([], { flags: DO }) }),
    expect: { also: flagFaults(DO, true) },
  },
  {
    rule: "RFC 3225 §3",
    what: "DO comes back with an unknown flag beside it, and that does not",
    query: ask("@", "SOA", { edns: opt([], { flags: DO | 0x7fff }) }),
    expect: { also: (seen) => [...flagFaults(DO, true)(seen), ...flagFaults(0x7fff, false)(seen)] },
  },
  {
    rule: "RFC 3225 §3",
    what: "DO stays clear",
    query: ask("@", "SOA", { edns: opt() }),
    expect: { also: flagFaults(DO, false) },
  },
  {
    rule: "RFC 8906 §8.2.9",
    what: "version 1 and DO",
    query: ask("@", "SOA", { edns: opt([], { version: 1, flags: DO }) }),
    expect: badvers,
  },
  {
    rule: "RFC 8906 §8.2.10",
    what: "cookie, NSID, expire and client subnet all at once",
    query: ask("@", "SOA", {
      edns: opt(
        octets(
          option(OPTION.COOKIE, CLIENT_COOKIE),
          option(OPTION.NSID, []),
          option(9, []),
          option(OPTION.CLIENT_SUBNET, subnet(1, 0, 0)),
        ),
      ),
    }),
    expect: {
      rcode: ["NOERROR", "BADCOOKIE"],
      also: (seen) => fault(seen.rcode === "NOERROR" && seen.answer.length !== 1, "there is no SOA"),
    },
  },
  {
    rule: "RFC 8906 §8.2",
    what: "version 1, unknown option, unknown flag, DO, NSID and a cookie all at once",
    query: ask("@", "SOA", {
      edns: opt(octets(unknownOption, option(OPTION.NSID, []), option(OPTION.COOKIE, CLIENT_COOKIE)), {
        version: 1,
        flags: DO | UNKNOWN_FLAG,
      }),
    }),
    expect: badvers,
  },

  // The OPT record.
  {
    rule: "RFC 6891 §6.1.1",
    what: "no OPT without an OPT in the query",
    query: ask("@", "SOA"),
    expect: { hasEdns: false },
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "NXDOMAIN has an OPT",
    query: ask("nosuch", "A", { edns: opt() }),
    expect: nxdomain(),
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "NODATA has an OPT",
    query: ask("www", "MX", { edns: opt() }),
    expect: nodata(),
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "a refusal has an OPT",
    query: ask("www.elsewhere.example.", "A", { edns: opt() }),
    expect: refusal("REFUSED"),
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "a referral has an OPT",
    query: ask("host.sub", "A", { edns: opt() }),
    expect: referral(["sub 3600 NS ns.sub"]),
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "NOTIFY is refused with an OPT",
    query: ask("@", "SOA", { opcode: 4, edns: opt() }),
    expect: refusal("REFUSED"),
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "two OPTs are FORMERR",
    query: ask("@", "SOA", { edns: opt(), additional: [opt()] }),
    expect: { ...formerr, hasEdns: true },
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "an OPT may stand behind another record",
    query: build([ask("@", "SOA").question ?? octets()], {
      edns: record({ owner: wireName("www"), type: 1, rdata: [192, 0, 2, 1] }),
      additional: [opt()],
    }),
    expect: soa,
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "an OPT in the answer section is FORMERR",
    query: ask("@", "SOA", { answer: [opt()] }),
    expect: formerr,
  },
  {
    rule: "RFC 6891 §6.1.1",
    what: "an OPT in the authority section is FORMERR",
    query: ask("@", "SOA", { authority: [opt()] }),
    expect: formerr,
  },
  {
    rule: "RFC 6891 §6.1.2",
    what: "an OPT that the root does not own is FORMERR",
    query: { ...ask("@", "SOA", { additional: [opt([], { owner: wireName("www") })] }), hasEdns: false },
    expect: formerrOfOpt,
  },
  {
    rule: "RFC 6891 §6.1.2",
    what: "an option that passes the OPT is FORMERR",
    query: ask("@", "SOA", { additional: [opt(octets(uint16(100), uint16(50), [1, 2]))] }),
    expect: formerrOfOpt,
  },
  {
    rule: "RFC 6891 §6.1.2",
    what: "half the code of an option is FORMERR",
    query: ask("@", "SOA", { additional: [opt([0])] }),
    expect: formerrOfOpt,
  },
  {
    rule: "RFC 6891 §6.1.3",
    what: "the upper bits of the RCODE in a query are passed over",
    query: ask("@", "SOA", { edns: record({ type: 41, class: 1232, ttlSeconds: 0xff000000 }) }),
    expect: soa,
  },
  {
    rule: "RFC 6891 §6.2.3",
    what: "the server states a UDP payload size of its own",
    query: ask("@", "SOA", { edns: opt([], { size: 777 }) }),
    expect: {
      also: ({ opts: [found] }) =>
        fault((found?.udpPayloadSize ?? 0) < 512, `it is ${found?.udpPayloadSize}`),
    },
  },

  // Client subnet; rows on tailored names are elsewhere.
  subnetRow(
    "an IPv4 /24 comes back with scope 0",
    "www",
    "AAAA",
    subnet(1, 24, 0, 192, 0, 2),
    positive("www 300 AAAA 2001:db8::1"),
  ),
  subnetRow(
    "an IPv4 /32 comes back",
    "www",
    "AAAA",
    subnet(1, 32, 0, 192, 0, 2, 1),
    positive("www 300 AAAA 2001:db8::1"),
  ),
  subnetRow(
    "an IPv4 /20 with bits that are all needed comes back",
    "www",
    "MX",
    subnet(1, 20, 0, 192, 0, 0x20),
    nodata(),
  ),
  subnetRow(
    "an IPv6 /56 comes back",
    "www",
    "AAAA",
    subnet(2, 56, 0, 0x20, 1, 0xd, 0xb8, 0, 2, 0),
    positive("www 300 AAAA 2001:db8::1"),
  ),
  subnetRow(
    "an IPv6 /128 comes back",
    "www",
    "MX",
    subnet(2, 128, 0, ...Array.from({ length: 16 }, (_, i) => i)),
    nodata(),
  ),
  subnetRow("an IPv6 /1 comes back", "www", "MX", subnet(2, 1, 0, 0x80), nodata()),
  subnetRow("NXDOMAIN has scope 0 (§7.4)", "nosuch", "A", subnet(1, 24, 0, 192, 0, 2), nxdomain()),
  subnetRow(
    "a referral has scope 0 (§7.4)",
    "host.sub",
    "A",
    subnet(1, 24, 0, 192, 0, 2),
    referral(["sub 3600 NS ns.sub"]),
  ),
  subnetRow(
    "a refusal has scope 0",
    "www.elsewhere.example.",
    "A",
    subnet(1, 24, 0, 192, 0, 2),
    refusal("REFUSED"),
  ),
  subnetRow("a private address comes back", "www", "MX", subnet(1, 8, 0, 10), nodata()),
  {
    ...subnetRow("IPv4 /0 asks not to use any, and comes back", "www", "MX", subnet(1, 0, 0), nodata()),
    rule: "RFC 7871 §7.1.2",
  },
  { ...subnetRow("IPv6 /0 comes back", "www", "MX", subnet(2, 0, 0), nodata()), rule: "RFC 7871 §7.1.2" },
  {
    ...subnetRow("family 0 with /0 comes back", "www", "MX", subnet(0, 0, 0), nodata()),
    rule: "RFC 7871 §7.1.2",
  },
  {
    rule: "RFC 7871 §7.2.1",
    what: "no client subnet without one in the query",
    needs: "client-subnet",
    query: ask("www", "A", { edns: opt() }),
    expect: { options: { [OPTION.CLIENT_SUBNET]: undefined } },
  },
  badSubnetRow("RFC 7871 §6", "a scope prefix length in a query", subnet(1, 24, 24, 192, 0, 2)),
  badSubnetRow("RFC 7871 §6", "an IPv4 /33", subnet(1, 33, 0, 192, 0, 2, 1, 0)),
  badSubnetRow("RFC 7871 §6", "an IPv6 /129", subnet(2, 129, 0, ...new Uint8Array(17))),
  badSubnetRow("RFC 7871 §6", "an octet too few", subnet(1, 24, 0, 192, 0)),
  badSubnetRow("RFC 7871 §6", "an octet too many", subnet(1, 24, 0, 192, 0, 2, 0)),
  badSubnetRow("RFC 7871 §6", "a bit behind the source prefix length", subnet(1, 20, 0, 192, 0, 0x21)),
  badSubnetRow("RFC 7871 §6", "octets behind /0", subnet(1, 0, 0, 192)),
  badSubnetRow("RFC 7871 §6", "family 0 with a source prefix length", subnet(0, 24, 0, 192, 0, 2)),
  badSubnetRow("RFC 7871 §7.1.2", "an unknown family", subnet(3, 24, 0, 192, 0, 2)),
  badSubnetRow("RFC 7871 §6", "an option of 3 octets", octets(uint16(1), 24)),
  badSubnetRow("RFC 7871 §6", "an option without octets", octets()),
  {
    rule: "RFC 7871 §7.2.1",
    what: "version 1 beats a bad client subnet",
    needs: "client-subnet",
    query: ask("www", "A", { edns: opt(option(OPTION.CLIENT_SUBNET, subnet(3, 24, 0)), { version: 1 }) }),
    expect: badvers,
  },

  // Cookies.
  {
    rule: "RFC 7873 §5.2.1",
    what: "no cookie without one in the query",
    needs: "cookies",
    query: ask("@", "SOA", { edns: opt() }),
    expect: { ...soa, options: { [OPTION.COOKIE]: undefined } },
  },
  ...[0, 1, 7, 9, 15, 41, 64].map(
    (length): Check => ({
      rule: "RFC 7873 §5.2.2",
      what: `a cookie of ${length} octets is FORMERR`,
      needs: "cookies",
      query: ask("@", "SOA", withCookie(new Uint8Array(length).fill(7))),
      expect: formerr,
    }),
  ),
  {
    rule: "RFC 7873 §5.2.3",
    what: "a client cookie alone comes back with a server cookie",
    needs: "cookies",
    query: ask("@", "SOA", withCookie(CLIENT_COOKIE)),
    expect: newCookie(CLIENT_COOKIE),
  },
  ...[8, 16, 32].map(
    (length): Check => ({
      rule: "RFC 7873 §5.2.4",
      what: `a server cookie of ${length} octets that is not right is replaced`,
      needs: "cookies",
      query: ask("@", "SOA", withCookie([...CLIENT_COOKIE, ...Array.from({ length }, () => 9)])),
      expect: {
        ...newCookie(CLIENT_COOKIE),
        also: (seen) => [
          ...cookieFaults(seen, CLIENT_COOKIE),
          ...fault(hex(cookieOf(seen).subarray(8)) === "09".repeat(length), "the wrong cookie comes back"),
        ],
      },
    }),
  ),
  {
    rule: "RFC 7873 §5.2.5",
    what: "a good server cookie is answered with NOERROR and a cookie",
    needs: "cookies",
    query: ask("@", "SOA", withCookie(CLIENT_COOKIE)),
    expect: newCookie(CLIENT_COOKIE),
    next: (first) => ({
      query: ask("@", "SOA", withCookie(cookieOf(first))),
      expect: { ...soa, also: (seen) => cookieFaults(seen, CLIENT_COOKIE) },
    }),
  },
  {
    rule: "RFC 7873 §5.2.4",
    what: "the server cookie of another client cookie is not right",
    needs: "cookies",
    query: ask("@", "SOA", withCookie(CLIENT_COOKIE)),
    expect: newCookie(CLIENT_COOKIE),
    next: (first) => ({
      query: ask("@", "SOA", withCookie([...CLIENT_COOKIE.toReversed(), ...cookieOf(first).subarray(8)])),
      expect: {
        ...newCookie(CLIENT_COOKIE.toReversed()),
        also: (seen) => [
          ...cookieFaults(seen, CLIENT_COOKIE.toReversed()),
          ...fault(
            hex(cookieOf(seen).subarray(8)) === hex(cookieOf(first).subarray(8)),
            "it is taken for good",
          ),
        ],
      },
    }),
  },
  {
    rule: "RFC 7873 §5.2",
    what: "of two cookies the first counts",
    needs: "cookies",
    query: ask("@", "SOA", {
      edns: opt(octets(option(OPTION.COOKIE, CLIENT_COOKIE), option(OPTION.COOKIE, new Uint8Array(8)))),
    }),
    expect: newCookie(CLIENT_COOKIE),
  },
  {
    rule: "RFC 7873 §5.2",
    what: "NXDOMAIN has a cookie",
    needs: "cookies",
    query: ask("nosuch", "A", withCookie(CLIENT_COOKIE)),
    expect: { ...newCookie(CLIENT_COOKIE), rcode: ["NXDOMAIN", "BADCOOKIE"] },
  },
  {
    rule: "RFC 7873 §5.2",
    what: "a refusal has a cookie",
    needs: "cookies",
    query: ask("www.elsewhere.example.", "A", withCookie(CLIENT_COOKIE)),
    expect: { ...newCookie(CLIENT_COOKIE), rcode: ["REFUSED", "BADCOOKIE"] },
  },
  {
    rule: "RFC 7873 §5.4",
    what: "no question, and a client cookie: a cookie and nothing else",
    needs: "cookies",
    query: build([], withCookie(CLIENT_COOKIE)),
    expect: { ...newCookie(CLIENT_COOKIE), answer: [], authority: [] },
  },
  {
    rule: "RFC 7873 §5.4",
    what: "no question, and a good server cookie: NOERROR",
    needs: "cookies",
    query: build([], withCookie(CLIENT_COOKIE)),
    expect: newCookie(CLIENT_COOKIE),
    next: (first) => ({
      query: build([], withCookie(cookieOf(first))),
      expect: { answer: [], authority: [], also: (seen) => cookieFaults(seen, CLIENT_COOKIE) },
    }),
  },
  {
    rule: "RFC 9018 §4",
    what: "a server cookie has 16 octets: version 1, three of 0, the time, a hash",
    needs: "interoperable-cookies",
    query: ask("@", "SOA", withCookie(CLIENT_COOKIE)),
    expect: {
      ...newCookie(CLIENT_COOKIE),
      also: (seen) => {
        const cookie = cookieOf(seen);
        const seconds = cookie.length === 24 ? Buffer.from(cookie).readUInt32BE(12) : 0;
        return [
          ...fault(cookie.length !== 24, `client and server cookie have ${cookie.length} octets`),
          ...fault(hex(cookie.subarray(8, 12)) !== "01000000", "it is not of version 1"),
          ...fault(Math.abs(Date.now() / 1000 - seconds) > 300, `its time is ${seconds}`),
        ];
      },
    },
  },
  {
    rule: "RFC 9018 §4.4",
    what: "a server cookie with a bit of its hash turned is replaced",
    needs: "interoperable-cookies",
    query: ask("@", "SOA", withCookie(CLIENT_COOKIE)),
    expect: newCookie(CLIENT_COOKIE),
    next: (first) => {
      const turned = cookieOf(first).map((octet, i) => (i === 23 ? octet ^ 1 : octet));
      return {
        query: ask("@", "SOA", withCookie(turned)),
        expect: {
          ...newCookie(CLIENT_COOKIE),
          also: (seen) => fault(hex(cookieOf(seen)) === hex(turned), "it is taken for good"),
        },
      };
    },
  },
  {
    rule: "RFC 9018 §4.2",
    what: "the reserved octets are part of what is hashed",
    needs: "interoperable-cookies",
    query: ask("@", "SOA", withCookie(CLIENT_COOKIE)),
    expect: newCookie(CLIENT_COOKIE),
    next: (first) => {
      const turned = cookieOf(first).map((octet, i) => (i === 9 ? octet ^ 1 : octet));
      return {
        query: ask("@", "SOA", withCookie(turned)),
        expect: {
          ...newCookie(CLIENT_COOKIE),
          also: (seen) => fault(hex(cookieOf(seen)) === hex(turned), "it is taken for good"),
        },
      };
    },
  },

  // NSID.
  {
    rule: "RFC 5001 §2.2",
    what: "NSID is told where it is asked for",
    needs: "nsid",
    query: ask("@", "SOA", { edns: withOption(OPTION.NSID, []) }),
    expect: { ...soa, options: { [OPTION.NSID]: hex(Buffer.from(IDENTITY)) } },
  },
  {
    rule: "RFC 5001 §2.2",
    what: "NSID is told with a refusal",
    needs: "nsid",
    query: ask("www.elsewhere.example.", "A", { edns: withOption(OPTION.NSID, []) }),
    expect: { ...refusal("REFUSED"), options: { [OPTION.NSID]: hex(Buffer.from(IDENTITY)) } },
  },
  {
    rule: "RFC 5001 §2.1",
    what: "NSID is not told where it is not asked for",
    needs: "nsid",
    query: ask("@", "SOA", { edns: opt() }),
    expect: { ...soa, options: { [OPTION.NSID]: undefined } },
  },

  // Keepalive.
  {
    rule: "RFC 7828 §3.3.2",
    what: "keepalive over TCP is answered with a timeout",
    over: "tcp",
    needs: "keepalive",
    query: ask("@", "SOA", { edns: withOption(OPTION.TCP_KEEPALIVE, []) }),
    expect: {
      ...soa,
      also: (seen) =>
        fault(optionOf(seen, OPTION.TCP_KEEPALIVE)?.length !== 2, "there is no timeout of 2 octets"),
    },
  },
  {
    rule: "RFC 7828 §3.3.1",
    what: "keepalive over UDP is passed over",
    over: "udp",
    needs: "keepalive",
    query: ask("@", "SOA", { edns: withOption(OPTION.TCP_KEEPALIVE, []) }),
    expect: { ...soa, options: { [OPTION.TCP_KEEPALIVE]: undefined } },
  },
  // Extended errors.
  {
    rule: "RFC 8914 §4.21",
    what: "a refusal for a name of no zone served says Not Authoritative",
    needs: "extended-errors",
    query: ask("www.elsewhere.example.", "A", { edns: opt() }),
    expect: {
      ...refusal("REFUSED"),
      also: (seen) => [
        ...extendedErrorFaults(seen),
        ...fault(
          hex(optionOf(seen, OPTION.EXTENDED_ERROR) ?? octets()).slice(0, 4) !== "0014",
          "it does not say 20",
        ),
      ],
    },
  },
  {
    rule: "RFC 8914 §2",
    what: "an answer without a fault has no extended error",
    query: ask("@", "SOA", { edns: opt() }),
    expect: { ...soa, options: { [OPTION.EXTENDED_ERROR]: undefined } },
  },
  {
    rule: "RFC 8914 §2",
    what: "an extended error in a query is passed over",
    query: ask("@", "SOA", { edns: withOption(OPTION.EXTENDED_ERROR, [0, 1]) }),
    expect: { ...soa, options: { [OPTION.EXTENDED_ERROR]: undefined } },
  },
  {
    rule: "RFC 7830 §3",
    what: "padding over an unencrypted transport does no harm",
    query: ask("@", "SOA", { edns: withOption(12, new Uint8Array(400)) }),
    expect: soa,
  },
];
