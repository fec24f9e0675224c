/** Custom domains that are served: which records each cloud gives them, how the lab's own come beside, and what is refused. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Configuration } from "../../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { TYPE } from "../../src/dns/iana.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { type DomainName, domainName, nameOf } from "../../src/dns/name.ts";
import { loadSnapshot } from "../../src/load-snapshot.ts";
import { zonesOfRecords } from "../../src/zone/zone.ts";
import { resolveName } from "../resolve-name.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-domains-"));
afterAll(() => rmSync(folder, { recursive: true }));
const defaultLab = resolve(import.meta.dirname, "../../config/geodns365.yaml");

const cloud = `cloud: Lab
zones: [host.example, start.example, new.example, sign.example]
records:
  host.example: ["auto A 192.0.2.1"]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.51, -0.13], geo: GBR, roles: [tenants], addresses: [198.18.1.0/24, "2001:db8:f001::/48"] }
  ams: { city: Amsterdam, country: NL, coordinates: [52.37, 4.9], geo: EUR, roles: [tenants], addresses: [198.18.2.0/24, "2001:db8:f002::/48"] }
services:
  mx: { policy: active-datacenter, names: ["{domainKey}.mail.host.example"], ttl: 10, addresses: { slice: 0, count: 1 } }
  new: { policy: active-datacenter, names: ["{domainKey}.{mxLetter}.new.example"], ttl: 10, addresses: { slice: 1, count: 1 } }
customDomains:
  initialDomain: { name: "{tenant}.start.example", records: ["@ MX 0 host.example."] }
  letters: { mx: [a, b], dkim: [c] }
  records:
    - { use: verification, record: '@ TXT "{verification}"' }
    - { use: mx, form: classic, record: "@ MX 0 {domainKey}.mail.host.example." }
    - { use: mx, form: microsoft, record: "@ MX 0 {domainKey}.{mxLetter}.new.example." }
    - { use: spf, record: '@ TXT "v=spf1 include:spf.host.example -all"' }
    - { use: autodiscover, record: autodiscover CNAME auto.host.example. }
    - { use: dkim, form: classic, record: "selector1._domainkey CNAME selector1-{domainKey}.{initialDomain}." }
    - { use: dkim, form: microsoft, record: "selector1._domainkey CNAME selector1-{domainKey}.{tenant}.{dkimLetter}.sign.example." }
    - { use: dmarc, record: '_dmarc TXT "{dmarc}"' }
  harmful: { msoid: it is of another cloud }
`;

interface Lab {
  readonly domain: string;
  readonly settings?: string;
  readonly cloud?: string;
  /** further keys of the tenant */
  readonly tenant?: string;
  readonly files?: Readonly<Record<string, string>>;
}

let count = 0;

/** Loads a lab of one tenant with one domain. */
function load(lab: Lab) {
  const root = join(folder, String(++count));
  mkdirSync(root);
  const tenants = `tenants:\n  t: { cloud: Lab, geo: EUR, active: ams, domains: [${lab.domain}]${lab.tenant ?? ""} }\n`;
  const files = {
    ...lab.files,
    "lab.yaml": `geoip: { database: none }\ninclude: [cloud.yaml, tenants.yaml]\n${lab.settings ?? ""}`,
    "cloud.yaml": lab.cloud ?? cloud,
    "tenants.yaml": tenants,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const loaded = loadConfig(join(root, "lab.yaml"));
  const faults = loaded.kind === "errors" ? loaded.errors : loaded.warnings;
  const words = faults.map(({ place, message }) =>
    `${place.file}:${place.line}:${place.column}: ${message}`.replaceAll(`${root}/`, ""),
  );
  return { configuration: loaded.kind === "loaded" ? loaded.configuration : undefined, words };
}

/** All records of a name, without SOA and NS. */
function recordsAt(configuration: Configuration | undefined, text: string): readonly string[] {
  const name = nameOf(text);
  return zonesOfRecords(configuration?.zones ?? new Map())
    .flatMap(({ nodes }) => [...(nodes.get(name)?.rrsets.values() ?? [])])
    .filter(({ type }) => type !== TYPE.SOA && type !== TYPE.NS)
    .flatMap(formatRRset);
}

const served = "{ domain: a-b.example, serve: true }";

test("a domain that is served has its set, and so have the places that it leads to", () => {
  const { configuration, words } = load({ domain: served });
  expect(words).toEqual([]);
  expect(recordsAt(configuration, "a-b.example")).toEqual([
    expect.stringMatching(/^a-b\.example\. 3600 TXT "MS=ms\d{8}"$/),
    'a-b.example. 3600 TXT "v=spf1 include:spf.host.example -all"',
    "a-b.example. 3600 MX 0 a-b-example.mail.host.example.",
  ]);
  expect(recordsAt(configuration, "_dmarc.a-b.example")).toEqual([
    '_dmarc.a-b.example. 3600 TXT "v=DMARC1; p=reject"',
  ]);
  expect(recordsAt(configuration, "selector1._domainkey.a-b.example")).toEqual([
    "selector1._domainkey.a-b.example. 3600 CNAME selector1-a-b-example.t.start.example.",
  ]);
  const [key = ""] = recordsAt(configuration, "selector1-a-b-example.t.start.example");
  // RFC 6376 §3.6.2.2: the strings are put together.
  expect(key.replace('" "', "")).toMatch(/ 3600 TXT "v=DKIM1; k=rsa; p=MIIB[A-Za-z0-9+/]{388};"$/);
  expect(recordsAt(configuration, "t.start.example")).toEqual(["t.start.example. 3600 MX 0 host.example."]);
});

test("what is at the initial domain of a tenant is at the one that it has", () => {
  const { configuration, words } = load({
    domain: served,
    cloud: `${cloud}initialDomains: [start.example]\n`,
    tenant: ", initialDomain: first.start.example",
  });
  expect(words).toEqual([]);
  expect(recordsAt(configuration, "first.start.example")).toEqual([
    "first.start.example. 3600 MX 0 host.example.",
  ]);
  expect(recordsAt(configuration, "selector1._domainkey.a-b.example")).toEqual([
    "selector1._domainkey.a-b.example. 3600 CNAME selector1-a-b-example.first.start.example.",
  ]);
  expect(recordsAt(configuration, "t.start.example")).toEqual([]);
});

test("a domain that is not served has its MX host alone", () => {
  const { configuration } = load({ domain: "a-b.example" });
  expect([...(configuration?.zones.keys() ?? [])]).not.toContain("a-b.example.");
  expect(recordsAt(configuration, "t.start.example")).toEqual([]);
});

test("what a tenant says of a domain stands in its records", () => {
  const said =
    '{ domain: a.example, serve: true, mx: microsoft, dkim: microsoft, verification: MS=ms1, dmarc: "v=DMARC1; p=none; rua=mailto:x@a.example" }';
  const { configuration, words } = load({ domain: said });
  expect(words).toEqual([]);
  expect(recordsAt(configuration, "a.example")).toEqual([
    'a.example. 3600 TXT "MS=ms1"',
    'a.example. 3600 TXT "v=spf1 include:spf.host.example -all"',
    expect.stringMatching(/^a\.example\. 3600 MX 0 a-example\.[ab]\.new\.example\.$/),
  ]);
  expect(recordsAt(configuration, "_dmarc.a.example")).toEqual([
    '_dmarc.a.example. 3600 TXT "v=DMARC1; p=none; rua=mailto:x@a.example"',
  ]);
  expect(recordsAt(configuration, "selector1-a-example.t.c.sign.example")).toHaveLength(1);
});

describe("beside it the lab's own records", () => {
  test("are in the same zone, TXT records in the same RRset with the lab's TTL", () => {
    const settings = `records: { a.example: ["@ 60 A 192.0.2.7", '@ 60 TXT "mine"', "www 60 CNAME @"] }\n`;
    const { configuration, words } = load({ domain: "{ domain: A.example., serve: true }", settings });
    expect(words).toEqual([]);
    const here = recordsAt(configuration, "a.example");
    expect(here).toContain("a.example. 60 A 192.0.2.7");
    expect(here.filter((record) => record.startsWith("a.example. 60 TXT"))).toHaveLength(3);
    expect(recordsAt(configuration, "www.a.example")).toEqual(["www.a.example. 60 CNAME a.example."]);
  });

  test("may come from a master file", () => {
    const files = { "a.zone": "@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nshop A 192.0.2.9\n" };
    const settings = "zones: [{ zone: a.example, file: a.zone }]\n";
    const { configuration, words } = load({ domain: "{ domain: a.example, serve: true }", settings, files });
    expect(words).toEqual([]);
    expect(recordsAt(configuration, "shop.a.example")).toEqual(["shop.a.example. 60 A 192.0.2.9"]);
    expect(recordsAt(configuration, "a.example")).toHaveLength(3);
  });

  test("may say a record of the set once more", () => {
    const settings = 'records: { a.example: ["@ MX 0 a-example.mail.host.example."] }\n';
    expect(load({ domain: "{ domain: a.example, serve: true }", settings }).words).toEqual([]);
  });

  const at = "tenants.yaml:2:53: a.example. would have";
  test.each([
    [
      "a second SPF record",
      '@ TXT "v=spf1 ~all"',
      `${at} a second SPF record beside "v=spf1 ~all"; see lab.yaml:3:24`,
    ],
    ["another MX", "@ MX 10 mail", `${at} another MX record beside 10 mail.a.example.; see lab.yaml:3:24`],
    [
      "a second DMARC record",
      '_dmarc TXT "v=DMARC1; p=none"',
      'tenants.yaml:2:53: _dmarc.a.example. would have a second DMARC record beside "v=DMARC1; p=none"; see lab.yaml:3:24',
    ],
    [
      "an address where a CNAME is",
      "autodiscover A 192.0.2.1",
      "tenants.yaml:2:53: autodiscover.a.example. would have a CNAME beside other records (RFC 2181 §10.1); see lab.yaml:3:24",
    ],
    [
      "another CNAME",
      "autodiscover CNAME else.example.",
      "tenants.yaml:2:53: autodiscover.a.example. would have a CNAME beside other records (RFC 2181 §10.1); see lab.yaml:3:24",
    ],
  ])("are refused where they are %s", (_, record, message) => {
    const settings = `records: { a.example: [${JSON.stringify(record)}] }\n`;
    expect(load({ domain: "{ domain: a.example, serve: true }", settings }).words).toEqual([message]);
  });

  test("are told of where they do harm", () => {
    const settings = 'records: { a.example: ["msoid CNAME else.example."] }\n';
    expect(load({ domain: "{ domain: a.example, serve: true }", settings }).words).toEqual([
      "tenants.yaml:2:53: msoid.a.example. must not be there: it is of another cloud; see lab.yaml:3:24",
    ]);
  });
});

describe("refused are", () => {
  const path = "tenants.yaml:2";
  test.each<[string, Lab, readonly string[]]>([
    [
      "a form that the cloud has not",
      {
        domain: "{ domain: a.example, mx: microsoft }",
        cloud: cloud.replace(/.*use: mx, form: microsoft.*\n/, ""),
      },
      [`${path}:78: Lab has no mx of the form microsoft; there is classic`],
    ],
    [
      "a region without a host in it",
      { domain: "{ domain: a.example, mailFlowRegion: EUR }" },
      [`${path}:90: mailFlowRegion is of a host below mx.microsoft; set mx: microsoft beside it`],
    ],
    [
      "a region that is none",
      { domain: "{ domain: a.example, mx: microsoft, mailFlowRegion: GBX }" },
      [`${path}:105: no datacenter of Lab in "GBX" holds tenants; did you mean "GBR"?`],
    ],
    [
      "a cloud that says nothing of domains",
      { domain: served, cloud: cloud.replace(/customDomains:[\s\S]*/, "") },
      [`${path}:63: Lab does not say what stands at custom domains`],
    ],
    [
      "an initial domain that nobody serves",
      { domain: served, cloud: cloud.replace("start.example, new", "new") },
      [
        `${path}:53: selector1-a-b-example.t.start.example. is in no zone served; add one to zones`,
        `${path}:53: t.start.example. is in no zone served; add one to zones`,
      ],
    ],
    [
      "a key of which there is none",
      { domain: served, cloud: cloud.replaceAll("selector1", "third") },
      [`${path}:53: nothing says which key third has; set dkim.third in the settings`],
    ],
    [
      "what is no key",
      { domain: served, settings: "dkim: { selector1: abcd }\n" },
      ["lab.yaml:3:20: expected an RSA public key: the base64 of its DER form, on one line"],
    ],
    [
      "a policy that is none",
      { domain: "{ domain: a.example, dmarc: p=none }" },
      [`${path}:81: expected a DMARC policy like v=DMARC1; p=reject, found "p=none"`],
    ],
    [
      "a policy that nobody knows",
      { domain: '{ domain: a.example, dmarc: "v=DMARC1; p=refuse" }' },
      [`${path}:81: expected a DMARC policy like v=DMARC1; p=reject`],
    ],
    [
      "a placeholder that is none",
      { domain: "a.example", cloud: cloud.replace("{dmarc}", "{dmark}") },
      [
        "cloud.yaml:22:29: {dmark} is no placeholder here; there are {domain} {domainKey} {tenant} {initialDomain} {mxLetter} {dkimLetter} {verification} {dmarc}",
      ],
    ],
    [
      "a letter of none",
      { domain: "a.example", cloud: cloud.replace("mx: [a, b], ", "") },
      ["cloud.yaml:17:43: {mxLetter} is one of letters.mx of customDomains, which is not there"],
    ],
    [
      "a zone that a handler answers for",
      {
        domain: "{ domain: a.example, serve: true }",
        settings: "zones: [{ zone: a.example, handler: h.js }]\n",
        files: { "h.js": "" },
      },
      [
        `${path}:53: a.example. cannot be served here: its handler, named at lab.yaml:3:9, alone answers for it`,
      ],
    ],
  ])("%s", (_, lab, errors) => {
    expect(load(lab).words).toEqual(errors);
  });
});

test("a key of the operator's own takes the place of the lab's", () => {
  const own =
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7vbqajDw4o6gJy8UtmIbkcpnkO3Kwc4qsEnSZp/TR+fQi62F79RHWmwKOtFmwteURgLbj7D/WGuNLGOfa/2vse3G2eHnHl5CB8ruRX9fBl/KgwCVr2JaEuUm66bBQeP5XeBotdR4cvX38uPYivCDdPjJ1QWPdspTBKcxeFbccDwIDAQAB";
  const { configuration, words } = load({ domain: served, settings: `dkim: { selector1: ${own} }\n` });
  expect(words).toEqual([]);
  expect(recordsAt(configuration, "selector1-a-b-example.t.start.example")).toEqual([
    `selector1-a-b-example.t.start.example. 3600 TXT "v=DKIM1; k=rsa; p=${own};"`,
  ]);
});

describe("in the default lab, Germany on", () => {
  const path = join(folder, "germany.yaml");
  writeFileSync(path, `include: [${JSON.stringify(defaultLab)}]\nclouds: { Germany: { enabled: true } }\n`);
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const lab = loaded.configuration;

  test("a domain of each cloud is served, with what its administrator is told to create", () => {
    const names = ["contoso.com", "litwareinc.com", "woodgrovebank.com", "tailspintoys.com", "adatum.com"];
    const told = names.map((name) => {
      const zone = zonesOfRecords(lab.zones).find(({ apex }) => apex === nameOf(name));
      return [...(zone?.nodes ?? [])].flatMap(([owner, { rrsets }]) =>
        [...rrsets.values()]
          .filter(({ type }) => ![TYPE.SOA, TYPE.NS, TYPE.A, TYPE.AAAA].some((other) => other === type))
          .flatMap(formatRRset)
          .map((line) =>
            line
              .replace(owner, "")
              .replace(/ms\d{8}/, "ms")
              .trim(),
          )
          .map((line) => `${owner.replace(`${name}.`, "")} ${line.replace(/^3600 /, "")}`),
      );
    });
    expect(told).toMatchInlineSnapshot(`
      [
        [
          " TXT "MS=ms"",
          " TXT "v=spf1 include:spf.protection.outlook.com -all"",
          " MX 0 contoso-com.mail.protection.outlook.com.",
          "autodiscover. CNAME autodiscover.outlook.com.",
          "selector1._domainkey. CNAME selector1-contoso-com._domainkey.contoso.onmicrosoft.com.",
          "selector2._domainkey. CNAME selector2-contoso-com._domainkey.contoso.onmicrosoft.com.",
          "_dmarc. TXT "v=DMARC1; p=reject"",
          "sip. CNAME sipdir.online.lync.com.",
          "lyncdiscover. CNAME webdir.online.lync.com.",
          "_sip._tls. SRV 100 1 443 sipdir.online.lync.com.",
          "_sipfederationtls._tcp. SRV 100 1 5061 sipfed.online.lync.com.",
          "enterpriseregistration. CNAME enterpriseregistration.windows.net.",
          "enterpriseenrollment. CNAME enterpriseenrollment-s.manage.microsoft.com.",
        ],
        [
          " TXT "MS=ms"",
          " TXT "v=spf1 include:spf.protection.office365.us -all"",
          " MX 0 litware.mail.protection.office365.us.",
          "autodiscover. CNAME autodiscover.office365.us.",
          "selector1._domainkey. CNAME selector1-litwareinc-com._domainkey.litware.onmicrosoft.us.",
          "selector2._domainkey. CNAME selector2-litwareinc-com._domainkey.litware.onmicrosoft.us.",
          "_dmarc. TXT "v=DMARC1; p=reject"",
          "_sipfederationtls._tcp. SRV 100 1 5061 sipfed.online.gov.skypeforbusiness.us.",
        ],
        [
          " TXT "MS=ms"",
          " TXT "v=spf1 include:spf.protection.office365.us -all"",
          " MX 0 woodgrove.mail.protection.office365.us.",
          "autodiscover. CNAME autodiscover-dod.office365.us.",
          "selector1._domainkey. CNAME selector1-woodgrovebank-com._domainkey.woodgrove.onmicrosoft.us.",
          "selector2._domainkey. CNAME selector2-woodgrovebank-com._domainkey.woodgrove.onmicrosoft.us.",
          "_dmarc. TXT "v=DMARC1; p=reject"",
          "_sipfederationtls._tcp. SRV 100 1 5061 sipfed.online.dod.skypeforbusiness.us.",
        ],
        [
          " TXT "MS=ms"",
          " TXT "v=spf1 include:spf.protection.partner.outlook.cn -all"",
          " MX 0 tailspintoys-com.mail.protection.partner.outlook.cn.",
          "autodiscover. CNAME autodiscover.partner.outlook.cn.",
          "selector1._domainkey. CNAME selector1-tailspintoys-com._domainkey.tailspin.partner.onmschina.cn.",
          "selector2._domainkey. CNAME selector2-tailspintoys-com._domainkey.tailspin.partner.onmschina.cn.",
          "_dmarc. TXT "v=DMARC1; p=reject"",
          "sip. CNAME sipdir.online.partner.lync.cn.",
          "lyncdiscover. CNAME webdir.online.partner.lync.cn.",
          "_sip._tls. SRV 100 1 443 sipdir.online.partner.lync.cn.",
          "_sipfederationtls._tcp. SRV 100 1 5061 sipfed.online.partner.lync.cn.",
          "msoid. CNAME clientconfig.partner.microsoftonline-p.net.cn.",
        ],
        [
          " TXT "MS=ms"",
          " TXT "v=spf1 include:spf.protection.outlook.de -all"",
          " MX 0 adatum-com.mail.protection.outlook.de.",
          "autodiscover. CNAME autodiscover-outlook.office.de.",
          "selector1._domainkey. CNAME selector1-adatum-com._domainkey.adatum.onmicrosoft.de.",
          "selector2._domainkey. CNAME selector2-adatum-com._domainkey.adatum.onmicrosoft.de.",
          "_dmarc. TXT "v=DMARC1; p=reject"",
          "sip. CNAME sipdir.online.lync.de.",
          "lyncdiscover. CNAME webdir.online.skype.de.",
          "_sip._tls. SRV 100 1 443 sipdir.online.lync.de.",
          "_sipfederationtls._tcp. SRV 100 1 5061 sipfed.online.lync.de.",
          "enterpriseregistration. CNAME enterpriseregistration.microsoftonline.de.",
          "enterpriseenrollment. CNAME enterpriseenrollment-s.manage.microsoft.com.",
        ],
      ]
    `);
  });

  test("each name that a record of a set leads to has records in the end", async () => {
    const snapshot = await loadSnapshot(path);
    if (snapshot.kind === "errors") throw new Error("it has errors");
    const targets = zonesOfRecords(lab.zones)
      .filter(({ apex }) =>
        lab.clouds.some(({ customDomains = [] }) =>
          customDomains.some(({ domain }) => nameOf(domain) === apex),
        ),
      )
      .flatMap(({ nodes }) => [...nodes].flatMap(([, { rrsets }]) => [...rrsets.values()]))
      .flatMap(({ type, rdatas }): readonly (readonly [DomainName, number])[] => {
        if (type === TYPE.MX) return rdatas.map((rdata) => [domainName(rdata.subarray(2)), TYPE.A]);
        if (type === TYPE.SRV) return rdatas.map((rdata) => [domainName(rdata.subarray(6)), TYPE.A]);
        if (type !== TYPE.CNAME) return [];
        return rdatas.map((rdata) => {
          const name = domainName(rdata);
          return [name, name.includes("._domainkey.") ? TYPE.TXT : TYPE.A];
        });
      });
    expect(targets.length).toBeGreaterThan(40);
    for (const [name, type] of targets)
      expect(resolveName(snapshot.snapshot, name, type), name).not.toEqual([]);
    for (const suffix of ["outlook.com", "office365.us", "partner.outlook.cn", "outlook.de"]) {
      expect(resolveName(snapshot.snapshot, nameOf(`spf.protection.${suffix}`), TYPE.TXT).join()).toContain(
        "v=spf1 ip4:",
      );
    }
  });
});
