/**
 * The rows of test/conformance on other authoritative servers with the same zones, so that a rule is not only what we
 * make of it. Every row on which one of them differs is explained here; one that no longer differs, or differs anew,
 * fails. Versions: BIND 9.18, NSD 4.6, Knot 3.2, gdnsd 3.8, as Debian 12 has them.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPTION } from "../../src/dns/iana.ts";
import { checks, nameOf, runCheck, runTcpCheck } from "../conformance/checks.ts";
import { exchange } from "../conformance/exchange.ts";
import type { Check } from "../conformance/expect.ts";
import { type Subject, startGeodns365 } from "../conformance/geodns365.ts";
import { ask, opt, option } from "../conformance/query.ts";
import { optionOf, readResponse, type Seen } from "../conformance/response.ts";
import { tcpChecks } from "../conformance/tcp-checks.ts";
import type { Feature } from "../conformance/zone.ts";
import { bind, gdnsd, knot, nsd, type Peer, startPeer } from "./peers.ts";
import type { Started } from "./programs.ts";

/** Rows on which a peer differs: all whose names match. */
interface Difference {
  readonly peer: Peer;
  readonly rows: RegExp;
  readonly does: string;
  /** why that is allowed, or which of us is right */
  readonly because: string;
}

const differences: readonly Difference[] = [
  {
    peer: bind,
    rows: /RFC 9471 §3.1: all in-domain glue is there, or TC is set/,
    does: "leaves out glue that does not fit, without TC",
    because: "9.18 is older than RFC 9471, which made this a MUST; we are right",
  },
  {
    peer: bind,
    rows: /behind a CNAME into another zone served|a CNAME into another zone served is followed/,
    does: "ends at the CNAME",
    because:
      "RFC 1034 §4.3.2 step 3a goes back to step 1, which finds the other zone; resolvers ask again anyway",
  },
  {
    peer: bind,
    rows: /has CD clear/,
    does: "repeats CD",
    because: "RFC 4035 §3.1.6 says SHOULD clear; we do",
  },
  {
    peer: bind,
    rows: /NOTIFY is refused/,
    does: "answers NOERROR with AA and does nothing",
    because: "RFC 1996 leaves open what a primary says; nobody notifies us, and REFUSED tells it",
  },
  {
    peer: bind,
    rows: /AXFR over UDP is FORMERR/,
    does: "says REFUSED",
    because: "RFC 5936 §4.2 does not define AXFR over UDP; no transfer is allowed there, so both fit",
  },
  {
    peer: bind,
    rows: /two questions with EDNS are FORMERR with EDNS|two OPTs are FORMERR/,
    does: "says FORMERR without an OPT",
    because:
      "it stops reading before the OPT counts; RFC 6891 §6.1.1 has an OPT in every response to a query with one",
  },
  {
    peer: bind,
    rows: /a scope prefix length in a query is FORMERR|version 1 beats a bad client subnet/,
    does: "says FORMERR, to the scope without an OPT and to version 1 instead of BADVERS",
    because:
      "RFC 6891 §6.1.1 has an OPT in every response to a query with one, and §6.1.3 BADVERS for what else is not known",
  },
  {
    peer: bind,
    rows: /octets behind (the last record|an OPT)/,
    does: "passes them over",
    because:
      "no RFC says what trailing octets mean; Knot and we take a message for what its length says, so it is malformed",
  },
  {
    peer: bind,
    rows: /a pointer into the header/,
    does: "reads the header as labels, finds no zone and says REFUSED",
    because: "RFC 1035 §4.1.4 points to a prior occurrence of a name, and there is none; it does no harm",
  },
  {
    peer: bind,
    rows: /an unknown class is not served/,
    does: "says NOTIMP",
    because: "no RFC names the RCODE for a class that is not served",
  },
  {
    peer: bind,
    rows: /class ANY is refused, or answered/,
    does: "says FORMERR",
    because: "RFC 1034 §3.7.1 has class * for resolvers and their caches; any refusal fits",
  },
  {
    peer: bind,
    rows: /version\.server\. TXT/,
    does: "does not know the name",
    because: "it is a custom of other servers, not of an RFC",
  },

  {
    peer: nsd,
    rows: /RFC 9471 §3.1: all in-domain glue is there, or TC is set/,
    does: "leaves out glue that does not fit, without TC",
    because: "4.6 is older than RFC 9471, which made this a MUST; we are right",
  },
  {
    peer: nsd,
    rows: /RFC 8482 §4: ANY/,
    does: "answers ANY over UDP with TC and nothing else, a choice of its own (refuse-any)",
    because: "RFC 8482 §4.4 lets UDP and TCP differ; one RRset saves the second query",
  },
  {
    peer: nsd,
    rows: /an RCODE in a query is passed over/,
    does: "says FORMERR",
    because: "RFC 1035 §4.1.1 has the RCODE set in responses alone, so in a query it means nothing",
  },
  {
    peer: nsd,
    rows: /opcode .*, the header alone|: no question is FORMERR|a question that is promised|does not end|half a pointer/,
    does: "closes a TCP connection on messages that are shorter than the shortest question",
    because: "RFC 8906 §8.1.4 has NOTIMP for a header alone, and over UDP it says so",
  },
  {
    peer: nsd,
    rows: /NOTIFY is refused|is not served$|class 0|class NONE|RFC 8945 §5.2.1|an unknown opcode with EDNS/,
    does: "sends an error as a header alone, without question and mostly without OPT",
    because:
      "RFC 6891 §6.1.1 wants the OPT; a resolver matches the question, so a repeated one is of more use",
  },
  {
    peer: nsd,
    rows: /: UPDATE/,
    does: "says NOTIMP",
    because:
      "it does not implement UPDATE (RFC 1035 §4.1.1); issue 3 wants REFUSED, as a server with a policy says (RFC 2136 §3.3)",
  },
  {
    peer: nsd,
    rows: /AXFR over UDP is FORMERR/,
    does: "says NOTIMP",
    because: "RFC 5936 §4.2 does not define AXFR over UDP, so any error fits",
  },
  {
    peer: nsd,
    rows: /two questions with EDNS|two OPTs are FORMERR|a cookie of \d+ octets is FORMERR/,
    does: "says FORMERR without an OPT",
    because: "RFC 6891 §6.1.1 has an OPT in every response to a query with one",
  },
  {
    peer: nsd,
    rows: /no question with EDNS is FORMERR/,
    does: "says NOERROR",
    because: "without a cookie RFC 7873 §5.4 gives no leave for a query without a question",
  },
  {
    peer: nsd,
    rows: /octets behind (the last record|an OPT)/,
    does: "passes them over",
    because:
      "no RFC says what trailing octets mean; Knot and we take a message for what its length says, so it is malformed",
  },
  {
    peer: nsd,
    rows: /of a query (is|are) passed over|an OPT may stand behind another record/,
    does: "says FORMERR where a query has records besides OPT and TSIG",
    because:
      "they mean nothing in a query, and no RFC makes them an error; RFC 6891 §6.1.1 lets the OPT stand anywhere in its section",
  },
  {
    peer: nsd,
    rows: /(OPT|TSIG) is no type to ask for|MAIL[AB] is obsolete/,
    does: "looks the type up and says NODATA",
    because: "no RFC names the RCODE; no zone can hold the type, so both tell the truth",
  },
  {
    peer: nsd,
    rows: /of two cookies the first counts/,
    does: "sends a malformed response, its RDLENGTH short of the second cookie",
    because: "a bug of 4.6.1: RFC 7873 §5.2 says that all but the first are to be ignored",
  },

  {
    peer: knot,
    rows: /behind a CNAME into another zone served|a CNAME into another zone served is followed/,
    does: "ends at the CNAME or at the delegation to the other zone",
    because:
      "RFC 1034 §4.3.2 step 3a goes back to step 1, which finds the other zone; resolvers ask again anyway",
  },
  {
    peer: knot,
    rows: /is YXDOMAIN, with the DNAME/,
    does: "sends the DNAME with NXDOMAIN",
    because: "RFC 6672 §2.2 says YXDOMAIN",
  },
  {
    peer: knot,
    rows: /NOTIFY is refused|: UPDATE|AXFR over TCP is refused|IXFR is refused/,
    does: "says NOTAUTH",
    because:
      "without an ACL it takes the sender for one that would have to sign; REFUSED is by policy (RFC 2136 §3.3, RFC 5936 §5)",
  },
  {
    peer: knot,
    rows: /AXFR over UDP is FORMERR/,
    does: "says NOTIMP",
    because: "RFC 5936 §4.2 does not define AXFR over UDP, so any error fits",
  },
  {
    peer: knot,
    rows: /two questions|the same question twice|RFC 1035 §(4\.1|4\.1\.2|3\.1|2\.3\.4|4\.1\.4): (a question|a name (that|of 256)|a label (that|and)|label type|.*pointer)/,
    does: "leaves a question unanswered that it cannot read, and two of them",
    because:
      "FORMERR is made for this (RFC 1035 §4.1.1, RFC 9619 §4); RFC 8906 §3 wants an answer to every query",
  },
  {
    peer: knot,
    rows: /octets behind an OPT|two OPTs are FORMERR/,
    does: "says FORMERR without an OPT",
    because: "RFC 6891 §6.1.1 has an OPT in every response to a query with one",
  },
  {
    peer: knot,
    rows: /class ANY is refused, or answered/,
    does: "answers as if class IN was asked for, with AA",
    because: "it can not speak for all classes; RFC 1034 §3.7.1 has class * for resolvers",
  },
  {
    peer: knot,
    rows: /(OPT|TSIG) is no type to ask for|MAIL[AB] is obsolete/,
    does: "looks the type up and says NODATA",
    because: "no RFC names the RCODE; no zone can hold the type, so both tell the truth",
  },
  {
    peer: knot,
    rows: /an OPT that the root does not own/,
    does: "takes it for an OPT",
    because: "RFC 6891 §6.1.2 says that the name MUST be the root's",
  },
  {
    peer: knot,
    rows: /family 0 with \/0 comes back/,
    does: "says FORMERR",
    because: "RFC 7871 §7.1.2 asks to take /0 of any family; dig sends family 0 for +subnet=0",
  },
  {
    peer: knot,
    rows: /RFC 7871 §6: (a scope prefix length|an octet too many|a bit behind|octets behind \/0)/,
    does: "answers as if the option was right",
    because: "RFC 7871 §6 says SHOULD return FORMERR for the octets and bits, and MUST be 0 of the scope",
  },
  {
    peer: knot,
    rows: /version 1 beats a bad client subnet/,
    does: "says FORMERR",
    because:
      "what the options of another version mean is not known, so BADVERS comes first (RFC 6891 §6.1.3)",
  },
  {
    peer: knot,
    rows: /of two cookies the first counts/,
    does: "takes the last",
    because: "RFC 7873 §5.2 says that all but the first are to be ignored",
  },
  {
    peer: knot,
    rows: /RFC 7873 §5.4/,
    does: "says FORMERR",
    because: "it does not implement the query without a question, which asks for a cookie",
  },
  {
    peer: knot,
    rows: /a name of no zone served is NOTAUTH/,
    does: "says REFUSED",
    because: "RFC 8945 §5.2 has the TSIG judged before anything else",
  },

  {
    peer: gdnsd,
    rows: /DS at a delegation that is not signed/,
    does: "sends a referral",
    because: "it knows no DNSSEC; RFC 4035 §3.1.4.1 binds servers that do",
  },
  {
    peer: gdnsd,
    rows: /ANY at an empty non-terminal/,
    does: "answers with the HINFO record of RFC 8482 §4.2",
    because:
      "RFC 8482 §4.2 has it where there is a CNAME or an RRset to ask for; NODATA says that there is none",
  },
  {
    peer: gdnsd,
    rows: /opcode DSO/,
    does: "says FORMERR, and closes a TCP connection on the header alone",
    because: "it has the beginnings of DSO (RFC 8490), which is not for UDP; we do not implement it: NOTIMP",
  },
  {
    peer: gdnsd,
    rows: /NOTIFY is refused|: UPDATE|AXFR over|IXFR is refused/,
    does: "says NOTIMP",
    because:
      "it does not implement them (RFC 1035 §4.1.1); issue 3 wants REFUSED, and FORMERR for AXFR over UDP",
  },
  {
    peer: gdnsd,
    rows: /octets behind (the last record|an OPT)/,
    does: "passes them over",
    because:
      "no RFC says what trailing octets mean; Knot and we take a message for what its length says, so it is malformed",
  },
  {
    peer: gdnsd,
    rows: /class CH holds none|(version\.bind|version\.server)\. TXT/,
    does: "answers every question of class CH with one text",
    because:
      "RFC 4892 names no other behaviour for a server; the text can be only one of version and identity",
  },
  {
    peer: gdnsd,
    rows: /class ANY is refused, or answered/,
    does: "answers as if class IN was asked for, with AA",
    because: "it can not speak for all classes; RFC 1034 §3.7.1 has class * for resolvers",
  },
  {
    peer: gdnsd,
    rows: /(OPT|TSIG) is no type to ask for/,
    does: "says NODATA for OPT and NOTIMP for TSIG",
    because: "no RFC names the RCODE",
  },
  {
    peer: gdnsd,
    rows: /an OPT in the (answer|authority) section|an OPT that the root does not own/,
    does: "passes it over",
    because:
      "RFC 6891 §6.1.1 has the OPT in the additional section, §6.1.2 its owner the root; nothing says what else is",
  },
  {
    peer: gdnsd,
    rows: /family 0 with \/0 comes back/,
    does: "says FORMERR",
    because: "RFC 7871 §7.1.2 asks to take /0 of any family; dig sends family 0 for +subnet=0",
  },
  {
    peer: gdnsd,
    rows: /RFC 8945/,
    does: "passes TSIG over",
    because: "it does not implement RFC 8945, which no server has to",
  },
];

/** What a peer lacks is not asked of it, but it is shown to lack it. */
const isAsked = (peer: Peer, { needs }: Check): boolean => needs === undefined || !(needs in peer.lacks);

describe.each([bind, nsd, knot, gdnsd])("$name", (peer) => {
  let started: Started;
  beforeAll(async () => {
    started = await startPeer(peer);
  });
  afterAll(() => started?.stop());

  const faultsOf = async (rows: readonly Check[]): Promise<ReadonlyMap<string, readonly string[]>> => {
    const found = new Map<string, readonly string[]>();
    for (const row of rows) {
      await pause(peer);
      const faults = await runCheck(row, started.port);
      if (faults.length > 0) found.set(nameOf(row), faults);
    }
    return found;
  };

  it("differs in the rows that are explained, and in no other", async () => {
    const found = await faultsOf(checks.filter((row) => isAsked(peer, row)));
    const explained = differences.filter((difference) => difference.peer === peer);
    const unexplained = [...found].filter(([name]) => !explained.some(({ rows }) => rows.test(name)));
    expect(unexplained).toEqual([]);
    const asked = checks.filter((row) => isAsked(peer, row)).map(nameOf);
    const vain = explained.flatMap(({ rows }) => {
      const selected = asked.filter((name) => rows.test(name));
      return selected.length === 0 ? [String(rows)] : selected.filter((name) => !found.has(name));
    });
    expect(vain, "rows that no longer differ").toEqual([]);
    const twice = [...found.keys()].filter(
      (name) => explained.filter(({ rows }) => rows.test(name)).length > 1,
    );
    expect(twice, "rows that are explained twice").toEqual([]);
  });

  it.each(Object.entries(peer.lacks))("lacks %s: %s", async (feature) => {
    const rows = checks.filter(({ needs }) => needs === (feature as Feature));
    expect((await faultsOf(rows)).size).toBeGreaterThan(0);
  });

  it.each(tcpChecks.filter(({ oursAlone }) => oursAlone !== true))("$rule: $what", async (row) => {
    expect(await runTcpCheck(row, started.port)).toEqual([]);
  });
});

async function pause({ pauseMilliseconds }: Peer): Promise<void> {
  if (pauseMilliseconds !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
}

describe("server cookies made with a shared secret (RFC 9018 §4.4)", () => {
  const servers = new Map<string, Started>();
  let subject: Subject;
  beforeAll(async () => {
    subject = await startGeodns365({ cookies: "require" });
    for (const peer of [bind, nsd, knot]) servers.set(peer.name, await startPeer(peer));
  });
  afterAll(async () => {
    await Promise.all([subject, ...servers.values()].map((server) => server?.stop()));
  });

  const portOf = (name: string): number => servers.get(name)?.port ?? subject.port;
  const CLIENT = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
  async function askWith(name: string, cookie: Uint8Array): Promise<Seen> {
    const query = ask("@", "SOA", { edns: opt(option(OPTION.COOKIE, cookie)) });
    const { replies } = await exchange(portOf(name), "udp", query.octets);
    const response = replies[0] && readResponse(replies[0]);
    if (typeof response !== "object") throw new Error(`${name}: ${response ?? "silence"}`);
    return response;
  }

  // NSD answers a bad cookie like a good one, so it can only be the maker.
  it.each([
    ["BIND", "geodns365"],
    ["NSD", "geodns365"],
    ["Knot", "geodns365"],
    ["geodns365", "BIND"],
    ["geodns365", "Knot"],
  ])("one of %s is good at %s", async (maker, judge) => {
    const cookie = optionOf(await askWith(maker, CLIENT), OPTION.COOKIE) ?? CLIENT;
    expect(cookie).toHaveLength(24);
    expect((await askWith(judge, cookie)).rcode).toBe("NOERROR");
    const turned = cookie.map((octet, i) => (i === 23 ? octet ^ 1 : octet));
    expect((await askWith(judge, turned)).rcode).toBe("BADCOOKIE");
  });
});
