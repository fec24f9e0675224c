/** A domain held against its set: the server is a list of records here. */

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { RCODE, TYPE } from "../../src/dns/iana.ts";
import type { Message, RRset } from "../../src/dns/message.ts";
import { domainName, nameOctets, nameOf } from "../../src/dns/name.ts";
import { parseRecordLine } from "../../src/dns/record-line.ts";
import { type DomainRequest, type DomainSet, domainSet } from "../../src/domains/domain-set.ts";
import { type Ask, find } from "../../src/domains/lookup.ts";
import { isFault, verifyDomain } from "../../src/domains/verify.ts";

const loaded = loadConfig(join(import.meta.dirname, "../../config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error("the default lab has errors");
const { configuration } = loaded;

function setOf(domain: string, request: Omit<DomainRequest, "domain"> = {}): DomainSet {
  const set = domainSet(configuration, { ...request, domain: nameOctets(nameOf(domain)) });
  if (typeof set === "string") throw new Error(set);
  return set;
}

const parsed = (lines: readonly string[], origin = "a.example"): readonly RRset[] =>
  lines.map((line) => {
    const rrset = parseRecordLine(line, nameOctets(nameOf(origin)), 3600);
    if (typeof rrset === "string") throw new Error(rrset);
    return rrset;
  });

/** A server that has these records, a CNAME in the place of every other type. */
const serving =
  (rrsets: readonly RRset[], unanswered: readonly string[] = []): Ask =>
  async (name, type) => {
    if (unanswered.includes(name)) return "no answer within 3000 ms";
    const here = [...rrsets, ...hostsOf(rrsets)].filter((rrset) => rrset.name === name);
    const answer = here
      .filter((rrset) => rrset.type === type || rrset.type === TYPE.CNAME)
      .flatMap(({ owner, rdatas, ...rrset }) =>
        rdatas.map((rdata) => ({ owner, type: rrset.type, class: 1, ttlSeconds: 60, rdata })),
      );
    return { ...emptyMessage, rcode: here.length > 0 ? RCODE.NOERROR : RCODE.NXDOMAIN, answer };
  };

/** The hosts that mail goes to have an address, but for the one that is gone. */
const hostsOf = (rrsets: readonly RRset[]): readonly RRset[] =>
  rrsets
    .filter(({ type }) => type === TYPE.MX)
    .flatMap(({ rdatas }) => rdatas.map((rdata) => domainName(rdata.subarray(2))))
    .filter((host) => !host.startsWith("gone"))
    .flatMap((host) => parsed([`${host} A 192.0.2.25`]));

const emptyMessage: Message = {
  id: 0,
  opcode: 0,
  isResponse: true,
  authoritative: true,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  rcode: RCODE.NOERROR,
  questions: [],
  answer: [],
  authority: [],
  additional: [],
  edns: undefined,
  clientSubnet: undefined,
};

const faultsOf = async (set: DomainSet, ask: Ask): Promise<readonly string[]> =>
  (await verifyDomain(set, ask))
    .filter(isFault)
    .map(({ status, use, name, found }) => [status, use, name, ...found].join(" "));

/** The keys that selectors lead to. */
const keysOf = ({ records }: DomainSet): readonly RRset[] =>
  records
    .filter(({ use }) => use === "dkim")
    .flatMap(({ rrset: { rdatas } }) =>
      parsed(rdatas.map((rdata) => `${domainName(rdata)} TXT "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3"`)),
    );

describe("a domain of any cloud", () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,14}(-[a-z0-9]{1,5})?$/);
  const cases = fc.record({
    // selector1-{domainKey} is a label.
    domain: fc
      .array(label, { minLength: 2, maxLength: 4 })
      .map((labels) => labels.join("."))
      .filter(({ length }) => length <= 63 - "selector1-".length),
    tenant: label,
    cloud: fc.constantFrom(...configuration.domainRules.keys()),
  });

  it("is right with the records of its set, and without one of them it is that one", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ({ domain, ...request }, number) => {
        const set = setOf(domain, request);
        const all = set.records.map(({ rrset }) => rrset);
        expect(await faultsOf(set, serving([...all, ...keysOf(set)]))).toEqual([]);
        const without = set.records[number % set.records.length];
        const rest = all.filter((rrset) => rrset !== without?.rrset);
        const expected =
          without === undefined || without.use === "verification"
            ? []
            : [`missing ${without.use} ${without.rrset.name}`];
        expect(await faultsOf(set, serving([...rest, ...keysOf(set)]))).toEqual(expected);
      }),
    );
  });
});

describe("what is there instead", () => {
  const set = setOf("a.example", { tenant: "a" });
  const whole = [...set.records.map(({ rrset }) => rrset), ...keysOf(set)];

  /** The set with lines in place of all records of their names and types. */
  const changed = (lines: readonly string[]): readonly RRset[] => {
    const others = parsed(lines);
    const isKept = ({ name, type }: RRset): boolean =>
      !others.some((other) => other.name === name && (other.type === type || other.type === TYPE.A));
    return [...whole.filter(isKept), ...others];
  };
  const spf = '@ TXT "v=spf1 include:spf.protection.outlook.com -all"';

  it.each<[string, readonly string[], readonly string[]]>([
    ["older instructions", ["enterpriseenrollment CNAME EnterpriseEnrollment.manage.Microsoft.com."], []],
    ["the newer host, whatever its letter", ["@ MX 0 a-example.z-v1.mx.microsoft."], []],
    [
      "the older host and the newer one",
      ["@ MX 0 a-example.z-v1.mx.microsoft.", "@ MX 20 a-example.mail.protection.outlook.com."],
      [],
    ],
    ["a spare host behind ours", ["@ MX 0 a-example.mail.protection.outlook.com.", "@ MX 10 spare"], []],
    [
      "a host as good as ours",
      ["@ MX 5 a-example.mail.protection.outlook.com.", "@ MX 5 spare"],
      ["harmful mx a.example. 5 spare.a.example."],
    ],
    ["a host alone that is not ours", ["@ MX 0 spare"], ["wrong mx a.example. 0 spare.a.example."]],
    [
      "the host of another domain",
      ["@ MX 0 b-example.mail.protection.outlook.com."],
      ["wrong mx a.example. 0 b-example.mail.protection.outlook.com."],
    ],
    ["an address in place of a CNAME", ["sip A 192.0.2.1"], ["wrong sip sip.a.example. 192.0.2.1"]],
    ["SPF with ~all and more", ['@ TXT "v=spf1 ip4:192.0.2.1 include:SPF.protection.outlook.com ~all"'], []],
    [
      "SPF of everyone",
      ['@ TXT "v=spf1 include:spf.protection.outlook.com +all"'],
      ['harmful spf a.example. "v=spf1 include:spf.protection.outlook.com +all"'],
    ],
    [
      "two SPF records",
      [spf, '@ TXT "v=spf1 -all"'],
      ['harmful spf a.example. "v=spf1 include:spf.protection.outlook.com -all" "v=spf1 -all"'],
    ],
    ["what only looks like SPF beside it", [spf, '@ TXT "v=spf10 -all"'], []],
    ["SPF in two strings", ['@ TXT "v=spf1 include:spf.protection" ".outlook.com -all"'], []],
    ["a DMARC policy of one's own", ['_dmarc TXT "v=DMARC1; p=quarantine; pct=50"'], []],
    [
      "a DMARC record without a policy",
      ['_dmarc TXT "v=DMARC1"'],
      ['wrong dmarc _dmarc.a.example. "v=DMARC1"'],
    ],
    [
      "a service with another one beside",
      ["_sip._tls SRV 100 1 443 sipdir.online.lync.com.", "_sip._tls SRV 0 0 443 old"],
      ["wrong sip-tls _sip._tls.a.example. 100 1 443 sipdir.online.lync.com. 0 0 443 old.a.example."],
    ],
    ["what must not be there", ["msoid A 192.0.2.1"], ["harmful harmful-name msoid.a.example. 192.0.2.1"]],
  ])("%s", async (_, lines, faults) => {
    expect(await faultsOf(set, serving(changed(lines)))).toEqual(faults);
  });

  it("is not known where the server says nothing", async () => {
    const silent = ["_dmarc.a.example.", "a.example."];
    expect(await faultsOf(set, serving(whole, silent))).toEqual([
      "wrong verification a.example.",
      "wrong mx a.example.",
      "wrong spf a.example.",
      "wrong dmarc _dmarc.a.example.",
    ]);
  });

  it("is held against the text that the tenant says", async () => {
    const choices = { ...set.choices, verification: "MS=ms1" };
    const found = await verifyDomain({ ...set, choices }, serving(whole));
    expect(found.find(({ use }) => use === "verification")?.status).toBe("right");
  });

  it("may be a host that is gone", async () => {
    const gone = setOf("a.example", { tenant: "a", domainKey: "gone" });
    const all = [...gone.records.map(({ rrset }) => rrset), ...keysOf(gone)];
    expect(await faultsOf(gone, serving(all))).toEqual([
      "wrong mx a.example. 0 gone.mail.protection.outlook.com.",
    ]);
  });

  it("is held against the form that is asked for", async () => {
    const classic = setOf("a.example", { tenant: "a", mx: "classic" });
    expect(await faultsOf(classic, serving(changed(["@ MX 0 a-example.z-v1.mx.microsoft."])))).toHaveLength(
      1,
    );
  });
});

describe("CNAMEs", () => {
  const ask = serving(
    parsed(["a CNAME b", "b CNAME c", "c A 192.0.2.1", "x CNAME y", "y CNAME x", "z CNAME gone"]),
  );
  it("are followed to the end", async () => {
    expect(await find(ask, nameOf("a.a.example"), TYPE.A)).toMatchObject({
      kind: "records",
      aliases: ["b.a.example.", "c.a.example."],
    });
    expect(await find(ask, nameOf("z.a.example"), TYPE.A)).toMatchObject({
      kind: "none",
      at: "gone.a.example.",
    });
  });
  it("in a circle are no answer", async () => {
    expect(await find(ask, nameOf("x.a.example"), TYPE.A)).toMatchObject({ kind: "unanswered" });
  });
});

describe("which set it is", () => {
  it.each([
    ["contoso.com", {}, "Worldwide contoso"],
    ["Tailspintoys.com", {}, "China tailspin"],
    ["tailspintoys.com", { cloud: "Worldwide" }, "Worldwide tailspintoys"],
    ["a.example", {}, "Worldwide a"],
    ["a.example", { tenant: "litware" }, "USGovGCCHigh litware"],
    ["a.example", { tenant: "nobody", cloud: "Germany" }, "Germany nobody"],
  ])("of %s and %o is that of %s", (domain, request, expected) => {
    const { cloud, tenant } = setOf(domain, request);
    expect(`${cloud} ${tenant}`).toBe(expected);
  });

  it("takes what the tenant has chosen", () => {
    const mx = setOf("wingtiptoys.com").records.find(({ use }) => use === "mx");
    expect(Buffer.from(mx?.rrset.rdatas[0] ?? []).toString("latin1")).toContain("mx\tmicrosoft");
  });
});
