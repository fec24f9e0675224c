// What a zone has to say of a name and type: RFC 1034 §4.3.2, RFC 4592 (wildcards), RFC 8020 (names above others exist).

import { describe, expect, test } from "vitest";
import { parseType, TYPE } from "../../src/dns/iana.ts";
import { formatRRset, type RRset } from "../../src/dns/message.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { parseRecordLine } from "../../src/dns/record-line.ts";
import { lookup } from "../../src/zone/lookup.ts";
import { findZone, type Zone, ZoneBuilder } from "../../src/zone/zone.ts";

const apex = nameOf("example.");

function record(line: string): RRset {
  const rrset = parseRecordLine(line, nameOctets(apex), 300);
  if (typeof rrset === "string") throw new Error(`${line}: ${rrset}`);
  return rrset;
}

const soa = record("@ SOA ns1 hostmaster 1 3600 600 604800 60");

/** A zone of presentation-format lines and tailored names, whose values are their own text. */
function zoneOf(
  lines: readonly string[],
  tailored: readonly string[] = [],
  types?: readonly string[],
): Zone<string> {
  const builder = new ZoneBuilder<string>(apex);
  for (const rrset of [soa, record("@ NS ns1"), record("ns1 A 192.0.2.53"), ...lines.map(record)]) {
    const fault = builder.addRRset(rrset);
    if (fault !== undefined) throw new Error(fault);
  }
  for (const name of tailored) {
    const numbers = types && new Set(types.map((type) => parseType(type) ?? 0));
    const fault = builder.addTailored(nameOf(`${name}.example`), name, numbers);
    if (fault !== undefined) throw new Error(fault);
  }
  return builder.build();
}

/** The result in a line: its kind, the records found, and the wildcard that stood in. */
function told(zone: Zone<string>, name: string, type: string): string {
  const qtype = parseType(type);
  if (qtype === undefined) throw new Error(`"${type}" is no type`);
  const result = lookup(zone, nameOf(name), qtype);
  const wildcard =
    "wildcard" in result && result.wildcard !== undefined ? ` by wildcard ${result.wildcard}` : "";
  switch (result.kind) {
    case "rrset":
    case "cname":
      return `${result.kind} ${formatRRset(result.rrset).join(", ")}${wildcard}`;
    case "tailored":
      return `tailored ${result.tailored}${wildcard}`;
    case "dname":
      return `dname ${formatRRset(result.rrset).join(", ")}`;
    case "referral":
      return `referral ${formatRRset(result.nameservers).join(", ")}`;
    case "nodata":
    case "nxdomain":
      return `${result.kind}${wildcard}`;
  }
}

type Row = readonly [name: string, type: string, result: string];

describe("names of the zone (RFC 1034 §4.3.2)", () => {
  const zone = zoneOf([
    "www A 192.0.2.1",
    "www A 192.0.2.2",
    "www AAAA 2001:db8::1",
    "alias CNAME www",
    "away CNAME www.test.",
    "mail MX 10 www",
    "WWW.Case TXT a",
  ]);
  test.each<Row>([
    ["www.example.", "A", "rrset www.example. 300 A 192.0.2.1, www.example. 300 A 192.0.2.2"],
    ["www.example.", "AAAA", "rrset www.example. 300 AAAA 2001:db8::1"],
    ["WwW.ExAmPlE.", "AAAA", "rrset www.example. 300 AAAA 2001:db8::1"],
    ["www.case.example.", "TXT", 'rrset WWW.Case.example. 300 TXT "a"'],
    ["www.example.", "MX", "nodata"],
    ["www.example.", "NS", "nodata"],
    ["no.example.", "A", "nxdomain"],
    // Below a name that has records and nothing below it.
    ["deep.www.example.", "A", "nxdomain"],
    // A label that ends as another does is another name.
    ["xwww.example.", "A", "nxdomain"],
    ["example.", "SOA", "rrset example. 300 SOA ns1.example. hostmaster.example. 1 3600 600 604800 60"],
    // NS at the apex is data, not a zone cut.
    ["example.", "NS", "rrset example. 300 NS ns1.example."],
    ["example.", "A", "nodata"],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  const alias = "alias.example. 300 CNAME www.example.";
  test.each<Row>([
    // RFC 1034 §3.6.2: a CNAME answers every type, its own without restarting.
    ["alias.example.", "A", `cname ${alias}`],
    ["alias.example.", "MX", `cname ${alias}`],
    ["alias.example.", "SOA", `cname ${alias}`],
    ["alias.example.", "TYPE65280", `cname ${alias}`],
    ["alias.example.", "CNAME", `rrset ${alias}`],
    ["away.example.", "A", "cname away.example. 300 CNAME www.test."],
    // Nothing is below an alias.
    ["www.alias.example.", "A", "nxdomain"],
  ])("a CNAME: %s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  test.each<Row>([
    // RFC 8482 §4.1: one RRset of the name is enough.
    ["www.example.", "ANY", "rrset www.example. 300 A 192.0.2.1, www.example. 300 A 192.0.2.2"],
    ["mail.example.", "ANY", "rrset mail.example. 300 MX 10 www.example."],
    ["no.example.", "ANY", "nxdomain"],
    ["case.example.", "ANY", "nodata"],
  ])("ANY: %s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  test("ANY at an alias gives the CNAME", () => {
    expect(told(zone, "alias.example.", "ANY")).toMatch(
      /^(rrset|cname) alias\.example\. 300 CNAME www\.example\.$/,
    );
  });
});

describe("empty non-terminals (RFC 4592 §2.2.2, RFC 8020)", () => {
  const zone = zoneOf(["a.b.c A 192.0.2.1"], ["x.y"]);
  test.each<Row>([
    ["b.c.example.", "A", "nodata"],
    ["c.example.", "A", "nodata"],
    ["c.example.", "ANY", "nodata"],
    ["y.example.", "A", "nodata"],
    ["z.c.example.", "A", "nxdomain"],
    ["z.y.example.", "A", "nxdomain"],
    // A tailored name has its say for every type.
    ["x.y.example.", "A", "tailored x.y"],
    ["x.y.example.", "MX", "tailored x.y"],
    ["a.x.y.example.", "A", "nxdomain"],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });
});

describe("wildcards: the zone of RFC 4592 §2.2.1", () => {
  const zone = zoneOf([
    '* TXT "this is a wildcard"',
    "* MX 10 host1",
    "sub.* TXT 'no-wildcard'",
    "host1 A 192.0.2.1",
    "_ssh._tcp.host1 SRV 0 0 22 host1",
    "_ssh._tcp.host2 SRV 0 0 22 host2",
    "subdel NS ns.example.com.",
    "subdel NS ns.example.net.",
  ]);
  const wildcard = " by wildcard *.example.";
  const srv = "300 SRV 0 0 22";
  test.each<Row>([
    // The responses that RFC 4592 §2.2.1 lists, synthesized from one of the wildcards.
    ["host3.example.", "MX", `rrset *.example. 300 MX 10 host1.example.${wildcard}`],
    ["host3.example.", "A", `nodata${wildcard}`],
    ["foo.bar.example.", "TXT", `rrset *.example. 300 TXT "this is a wildcard"${wildcard}`],
    // Not synthesized: the name exists.
    ["host1.example.", "MX", "nodata"],
    // Not synthesized: the owner is asked for as it is written, and has no MX of its own below the wildcard.
    ["sub.*.example.", "MX", "nodata"],
    // Not synthesized: _tcp.host1 exists, so it is the closest encloser, and no *._tcp.host1 does.
    ["_telnet._tcp.host1.example.", "SRV", "nxdomain"],
    // Not synthesized: subdel is a zone cut.
    [
      "host.subdel.example.",
      "A",
      "referral subdel.example. 300 NS ns.example.com., subdel.example. 300 NS ns.example.net.",
    ],
    // RFC 4592 §2.2.1: a question for the wildcard itself is a question like any other.
    ["ghost.*.example.", "MX", "nxdomain"],
    // RFC 4592 §2.1.1 and §2.3: asked for by its own name the wildcard is an ordinary owner.
    ["*.example.", "MX", "rrset *.example. 300 MX 10 host1.example."],
    ["*.example.", "A", "nodata"],
    // The empty non-terminals host2 and _tcp.host2 stop the wildcard.
    ["host2.example.", "TXT", "nodata"],
    ["_tcp.host2.example.", "TXT", "nodata"],
    ["_ssh._tcp.host2.example.", "SRV", `rrset _ssh._tcp.host2.example. ${srv} host2.example.`],
    ["x.host2.example.", "TXT", "nxdomain"],
    ["x.host1.example.", "TXT", "nxdomain"],
    ["host4.example.", "ANY", `rrset *.example. 300 TXT "this is a wildcard"${wildcard}`],
    ["example.", "TXT", "nodata"],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });
});

describe("more of wildcards", () => {
  const zone = zoneOf(
    [
      "* A 192.0.2.1",
      "*.inner A 192.0.2.2",
      "*.alias CNAME www.test.",
      "*.empty.deep TXT a",
      "star.*.middle A 192.0.2.3",
    ],
    ["*.tailored"],
  );
  test.each<Row>([
    // RFC 4592 §3.3.1: the wildcard of the closest encloser alone.
    ["x.inner.example.", "A", "rrset *.inner.example. 300 A 192.0.2.2 by wildcard *.inner.example."],
    ["x.y.inner.example.", "A", "rrset *.inner.example. 300 A 192.0.2.2 by wildcard *.inner.example."],
    ["inner.example.", "A", "nodata"],
    ["x.inner.example.", "TXT", "nodata by wildcard *.inner.example."],
    ["x.y.example.", "A", "rrset *.example. 300 A 192.0.2.1 by wildcard *.example."],
    ["x.deep.example.", "A", "nxdomain"],
    // RFC 4592 §4.4: a CNAME at a wildcard is an alias for every type.
    ["x.alias.example.", "A", "cname *.alias.example. 300 CNAME www.test. by wildcard *.alias.example."],
    ["x.alias.example.", "MX", "cname *.alias.example. 300 CNAME www.test. by wildcard *.alias.example."],
    ["x.alias.example.", "CNAME", "rrset *.alias.example. 300 CNAME www.test. by wildcard *.alias.example."],
    // RFC 4592 §4.2: a wildcard that is an empty non-terminal gives NODATA, not NXDOMAIN.
    ["x.middle.example.", "A", "nodata by wildcard *.middle.example."],
    ["star.x.middle.example.", "A", "nodata by wildcard *.middle.example."],
    ["x.tailored.example.", "A", "tailored *.tailored by wildcard *.tailored.example."],
    // A label that only begins with an asterisk is an ordinary label (RFC 4592 §2.1.1).
    ["*x.inner.example.", "A", "rrset *.inner.example. 300 A 192.0.2.2 by wildcard *.inner.example."],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  test("a label of an asterisk written as \\042 is the wildcard too", () => {
    expect(told(zone, "\\042.inner.example.", "A")).toBe("rrset *.inner.example. 300 A 192.0.2.2");
  });
});

describe("a tailored name of some types, beside plain records of others", () => {
  const zone = zoneOf(["geo TXT a", "*.geo MX 10 mail"], ["geo", "*.geo"], ["A", "AAAA"]);
  test.each<Row>([
    ["geo.example.", "A", "tailored geo"],
    // Whoever tailors knows which types there are.
    ["geo.example.", "SRV", "tailored geo"],
    ["geo.example.", "TXT", 'rrset geo.example. 300 TXT "a"'],
    // RFC 8482 §4.1: one RRset, and the plain one needs no choice.
    ["geo.example.", "ANY", 'rrset geo.example. 300 TXT "a"'],
    ["x.geo.example.", "A", "tailored *.geo by wildcard *.geo.example."],
    ["x.geo.example.", "MX", "rrset *.geo.example. 300 MX 10 mail.example. by wildcard *.geo.example."],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  test("at an apex leaves its SOA and NS", () => {
    const builder = new ZoneBuilder<string>(apex);
    for (const rrset of [soa, record("@ NS ns1")]) builder.addRRset(rrset);
    expect(builder.addTailored(apex, "apex", new Set([TYPE.A]))).toBeUndefined();
    const built = builder.build();
    expect(told(built, "example.", "A")).toBe("tailored apex");
    expect(told(built, "example.", "NS")).toBe("rrset example. 300 NS ns1.example.");
  });
});

describe("delegations (RFC 1034 §4.3.2 step 3b)", () => {
  const zone = zoneOf([
    "child NS ns.child",
    "child NS ns.test.",
    "child A 192.0.2.7",
    "ns.child A 192.0.2.8",
    "deeper.child NS ns.test.",
    "* A 192.0.2.9",
  ]);
  const referral = "referral child.example. 300 NS ns.child.example., child.example. 300 NS ns.test.";
  test.each<Row>([
    ["child.example.", "A", referral],
    ["child.example.", "NS", referral],
    ["child.example.", "ANY", referral],
    ["www.child.example.", "A", referral],
    ["a.b.child.example.", "A", referral],
    // Glue is occluded: it is no answer.
    ["ns.child.example.", "A", referral],
    // The highest cut has the say.
    ["deeper.child.example.", "A", referral],
    ["x.deeper.child.example.", "A", referral],
    // RFC 4592 §4.2 and §2.2.1: no wildcard across the cut; beside it all is as ever.
    ["xchild.example.", "A", "rrset *.example. 300 A 192.0.2.9 by wildcard *.example."],
    ["example.", "NS", "rrset example. 300 NS ns1.example."],
    // RFC 4035 §3.1.4.1: DS belongs to the upper side of the cut, and to that alone.
    ["child.example.", "DS", "nodata"],
    ["www.child.example.", "DS", referral],
    ["deeper.child.example.", "DS", referral],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  test("a zone without them is not searched for any", () => {
    expect([zone.hidesNames, zoneOf(["www A 192.0.2.1"]).hidesNames]).toEqual([true, false]);
  });
});

describe("DNAME (RFC 6672)", () => {
  const zone = zoneOf(["old DNAME new.test.", "old A 192.0.2.1", "*.wild DNAME new.test.", "* A 192.0.2.9"]);
  const dname = "old.example. 300 DNAME new.test.";
  test.each<Row>([
    // §2.3: it speaks of the names below its owner, not of the owner.
    ["www.old.example.", "A", `dname ${dname}`],
    ["a.b.old.example.", "MX", `dname ${dname}`],
    ["www.old.example.", "DNAME", `dname ${dname}`],
    ["www.old.example.", "ANY", `dname ${dname}`],
    ["old.example.", "A", "rrset old.example. 300 A 192.0.2.1"],
    ["old.example.", "DNAME", `rrset ${dname}`],
    ["old.example.", "MX", "nodata"],
    ["xold.example.", "A", "rrset *.example. 300 A 192.0.2.9 by wildcard *.example."],
    ["*.wild.example.", "DNAME", "rrset *.wild.example. 300 DNAME new.test."],
  ])("%s %s: %s", (name, type, result) => {
    expect(told(zone, name, type)).toBe(result);
  });

  test("at the apex moves all names below, and leaves the apex as it is", () => {
    const moved = new ZoneBuilder<string>(apex);
    for (const line of ["@ SOA ns1 hostmaster 1 3600 600 604800 60", "@ NS ns.test.", "@ DNAME new.test."]) {
      expect(moved.addRRset(record(line))).toBeUndefined();
    }
    const zone = moved.build();
    expect(told(zone, "www.example.", "A")).toBe("dname example. 300 DNAME new.test.");
    expect(told(zone, "example.", "NS")).toBe("rrset example. 300 NS ns.test.");
  });
});

describe("findZone", () => {
  const zones = new Map(["example.", "b.example.", "."].map((name) => [nameOf(name), name]));
  test.each([
    ["example.", "example."],
    ["a.example.", "example."],
    ["b.example.", "b.example."],
    ["a.b.example.", "b.example."],
    ["ab.example.", "example."],
    ["a\\.b.example.", "example."],
    ["test.", "."],
    [".", "."],
  ])("%s is in zone %s", (name, zone) => {
    expect(findZone(zones, nameOf(name))).toBe(zone);
  });

  test("finds none above the zones served", () => {
    const two = new Map([[nameOf("b.example."), "b"]]);
    expect([findZone(two, nameOf("example.")), findZone(two, nameOf("."))]).toEqual([undefined, undefined]);
  });
});

describe("ZoneBuilder refuses", () => {
  const builder = (...lines: readonly string[]): ZoneBuilder<string> => {
    const fresh = new ZoneBuilder<string>(apex);
    for (const line of lines) {
      const fault = fresh.addRRset(record(line));
      if (fault !== undefined) throw new Error(fault);
    }
    return fresh;
  };
  const besideCname = "www.example. would have a CNAME beside other records (RFC 2181 §10.1)";
  test.each<readonly [what: string, lines: readonly string[], line: string, fault: string | undefined]>([
    ["a CNAME beside other data", ["www A 192.0.2.1"], "www CNAME a", besideCname],
    ["other data beside a CNAME", ["www CNAME a"], "www TXT a", besideCname],
    ["a second CNAME", ["www CNAME a"], "www CNAME b", besideCname],
    [
      "a second TTL in an RRset",
      ["www 60 A 192.0.2.1"],
      "www 61 A 192.0.2.2",
      "www.example. has two TTLs in one RRset (RFC 2181 §5.2)",
    ],
    ["a name outside", [], "www.test. A 192.0.2.1", "www.test. is not in zone example."],
    ["not a second record", ["www A 192.0.2.1"], "www A 192.0.2.2", undefined],
    ["not a second type", ["www 60 A 192.0.2.1"], "www 61 TXT a", undefined],
  ])("%s", (_what, lines, line, fault) => {
    expect(builder(...lines).addRRset(record(line))).toBe(fault);
  });

  test("a tailored name beside records, and records beside it", () => {
    const zone = builder("www A 192.0.2.1");
    expect(zone.addTailored(nameOf("www.example."), "www")).toBe(
      "www.example. has records already, so it cannot be tailored",
    );
    expect(zone.addTailored(nameOf("mail.example."), "mail")).toBeUndefined();
    expect(zone.addTailored(nameOf("mail.example."), "mail")).toBe(
      "mail.example. is a tailored name already",
    );
    expect(zone.addRRset(record("mail A 192.0.2.1"))).toBe("mail.example. is a tailored name already");
    expect(zone.addTailored(nameOf("www.test."), "x")).toBe("www.test. is not in zone example.");
  });

  test.each<readonly [types: readonly number[], lines: readonly string[], fault: string | undefined]>([
    [[TYPE.A], ["www TXT a"], undefined],
    [[TYPE.A], ["www A 192.0.2.1"], "www.example. has A records already, so that type cannot be tailored"],
    [[TYPE.CNAME], ["www TXT a"], besideCname],
    [[TYPE.A], ["www CNAME a"], besideCname],
    [[TYPE.CNAME], [], undefined],
  ])("a tailored name of types %o beside %o", (types, lines, fault) => {
    expect(builder(...lines).addTailored(nameOf("www.example."), "www", new Set(types))).toBe(fault);
  });

  test("the same record twice without a word, and holds it once (RFC 2181 §5)", () => {
    const zone = zoneOf(["www A 192.0.2.1", "www A 192.0.2.1"]);
    expect(zone.nodes.get(nameOf("www.example."))?.rrsets.get(TYPE.A)?.rdatas).toHaveLength(1);
  });
});
