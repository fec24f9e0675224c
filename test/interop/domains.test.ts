/** Custom domains between geodns365 and others: what `records` writes loads elsewhere, and `verify` sees what others serve. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "../cli/program.ts";
import { freePort, run, type Started, startGeodns365 } from "./programs.ts";
import { type Daemon, startDaemon } from "./resolvers/daemon.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-domains-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The master file that `records` prints. */
async function masterFile(domain: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await call(["records", domain, "--format", "master", ...args]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** BIND, authoritative alone, for zones by their apex. */
const bind = (zones: Readonly<Record<string, string>>): Daemon => ({
  program: "/usr/sbin/named",
  package: "bind9",
  firstQuestion: `${Object.keys(zones)[0]}.`,
  args: ({ folder: at }) => ["-g", "-n", "1", "-c", join(at, "named.conf")],
  files: ({ folder: at, port }) => ({
    "named.conf": `options {
  directory "${at}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; notify no; dnssec-validation no; empty-zones-enable no; check-names master ignore;
};
controls { };
${Object.keys(zones)
  .map((zone) => `zone "${zone}" { type primary; file "${zone}"; check-integrity no; };`)
  .join("\n")}
`,
    ...zones,
  }),
});

interface ShownFinding {
  readonly status: string;
  readonly use: string;
  readonly name: string;
  readonly why?: string;
}

async function verify(domain: string, port: number, ...args: readonly string[]) {
  const { code, stdout, stderr } = await call([
    "verify",
    domain,
    "--server",
    `127.0.0.1:${port}`,
    "--json",
    ...args,
  ]);
  if (stdout === "") throw new Error(stderr);
  const { findings }: { readonly findings: readonly ShownFinding[] } = JSON.parse(stdout);
  const shown = findings.map(({ status, use, name }) => `${status} ${use} ${name}`);
  return { code, shown, faults: shown.filter((line) => /^(missing|wrong|harmful)/.test(line)), findings };
}

const clouds = ["Worldwide", "USGovGCCHigh", "USGovDoD", "China", "Germany"];

describe.each(clouds)("the set of %s", (cloud) => {
  it("loads into BIND and NSD", async () => {
    const path = join(folder, `${cloud}.zone`);
    writeFileSync(path, await masterFile("fourthcoffee.test", "--cloud", cloud));
    expect(await run("named-checkzone", ["-i", "local", "fourthcoffee.test", path])).toContain("OK");
    expect(await run("nsd-checkzone", ["fourthcoffee.test", path])).toContain("is ok");
  });

  it("is right where BIND serves it", async () => {
    const domain = "fourthcoffee.test";
    const server = await startDaemon(bind({ [domain]: await masterFile(domain, "--cloud", cloud) }));
    try {
      const { code, shown, faults } = await verify(domain, server.port, "--cloud", cloud);
      expect(faults).toEqual([]);
      expect(code).toBe(0);
      // The keys are another's, whom this server does not ask.
      expect(shown.filter((line) => line.startsWith("unknown"))).toHaveLength(2);
    } finally {
      await server.stop();
    }
  });
});

/** Takes lines out of a master file and puts others in; each change must be one. */
function changed(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`there is no ${from}`);
    return before.replace(from, to);
  }, text);
}

describe("faults planted in BIND", () => {
  let server: Started;
  beforeAll(async () => {
    const tenth = Array.from({ length: 10 }, (_, i) => `include:s${i}.spf.test`).join(" ");
    const broken = changed(await masterFile("broken.test"), [
      ["@ 3600 MX 0 ", "@ 3600 MX 0 old.example.\n@ 3600 MX 0 "],
      [
        '"v=spf1 include:spf.protection.outlook.com -all"',
        '"v=spf1 include:spf.protection.outlook.com -all"\n@ 3600 TXT "v=spf1 -all"',
      ],
      ['"v=DMARC1; p=reject"', '"v=DMARC1; rua=mailto:dmarc@broken.test"'],
      ["CNAME autodiscover.outlook.com.", "CNAME autodiscover.outlook.example."],
      ["lyncdiscover 3600 CNAME", "; lyncdiscover 3600 CNAME"],
      ["_sip._tls 3600 SRV", "; _sip._tls 3600 SRV"],
      ["SRV 100 1 5061", "SRV 100 1 5060"],
    ]);
    server = await startDaemon(
      bind({
        "broken.test": `${broken}\nmsoid CNAME clientconfig.microsoftonline-p.net.\n* A 192.0.2.80\n`,
        "broken.onmicrosoft.com": `$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nselector1-broken-test._domainkey TXT "v=DKIM1; k=rsa; p="\n`,
        test: `$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nbroken NS ns.broken\nns.broken A 192.0.2.1\napex CNAME www.apex\nwww.apex A 192.0.2.2\nmany TXT "v=spf1 include:spf.protection.outlook.com ${tenth} -all"\nopen TXT "v=spf1 +all include:spf.protection.outlook.com"\nlacks TXT "v=spf1 mx -all"\n`,
      }),
    );
  });
  afterAll(() => server?.stop());

  it("are all ten named, and nothing else", async () => {
    const { code, faults } = await verify("broken.test", server.port);
    expect(code).toBe(1);
    expect(faults.toSorted()).toEqual(
      [
        "harmful mx broken.test.",
        "harmful spf broken.test.",
        "wrong dmarc _dmarc.broken.test.",
        "wrong autodiscover autodiscover.broken.test.",
        "missing sip-tls _sip._tls.broken.test.",
        "wrong sip-federation _sipfederationtls._tcp.broken.test.",
        "harmful harmful-name msoid.broken.test.",
        "wrong dkim selector1-broken-test._domainkey.broken.onmicrosoft.com.",
        "wrong dkim selector2-broken-test._domainkey.broken.onmicrosoft.com.",
        // The tenth, seen at the name that it hides and at the wildcard.
        "wrong lyncdiscover lyncdiscover.broken.test.",
        "harmful wildcard *.broken.test.",
      ].toSorted(),
    );
  });

  it("are told at the apex too", async () => {
    expect((await verify("apex.test", server.port)).faults).toContain("harmful apex apex.test.");
  });

  it.each([
    ["many", ["it takes 11 lookups, and over 10 every check fails (RFC 7208 §4.6.4)"]],
    [
      "open",
      [
        'include:spf.protection.outlook.com stands behind "+all", where nobody reads it',
        '"+all" lets everyone send mail of the domain',
      ],
    ],
    ["lacks", ["it does not include spf.protection.outlook.com, so mail of the cloud fails"]],
  ])("are told of the SPF record of %s.test", async (label, reasons) => {
    const { findings } = await verify(`${label}.test`, server.port);
    expect(findings.flatMap(({ use, why }) => (use === "spf" ? (why ?? []) : []))).toEqual(reasons);
  });

  it("are told to people with what is to be there", async () => {
    const { stdout } = await call(["verify", "broken.test", "--server", `127.0.0.1:${server.port}`]);
    expect(stdout).toMatch(/^missing +_sip\._tls\.broken\.test\. +SRV +-$/m);
    expect(stdout).toMatch(/^ +100 1 443 sipdir\.online\.lync\.com\. +is what is to be there$/m);
    expect(stdout).toMatch(/^7 right, 1 missing, 6 wrong, 4 harmful/m);
  });
});

it("a server that does not answer is told of", async () => {
  const port = await freePort();
  const { code, stderr } = await call(["verify", "contoso.com", "--server", `127.0.0.1:${port}`]);
  expect([code, stderr]).toEqual([1, `no response from 127.0.0.1:${port}: nobody listens there\n`]);
});

/** An administrator's checklist: a question, and what the answer ends in. */
const checklists: Readonly<Record<string, readonly (readonly [string, string, RegExp])[]>> = {
  "contoso.com": [
    ["contoso.com", "MX", /^0 contoso-com\.mail\.protection\.outlook\.com\.$/],
    ["contoso-com.mail.protection.outlook.com", "A", /^198\.18\.22\.81$/m],
    ["contoso.com", "TXT", /^"v=spf1 include:spf\.protection\.outlook\.com -all"$/m],
    ["spf.protection.outlook.com", "TXT", /^"v=spf1 ip4:40\.92\.0\.0\/15 /],
    ["selector1._domainkey.contoso.com", "TXT", /^"v=DKIM1; k=rsa; p=MIIB/m],
    ["selector2._domainkey.contoso.com", "TXT", /^"v=DKIM1; k=rsa; p=MIIB/m],
    ["_dmarc.contoso.com", "TXT", /^"v=DMARC1; p=reject"$/],
    ["autodiscover.contoso.com", "A", /^198\.18\.\d+\.17$/m],
    ["_sip._tls.contoso.com", "SRV", /^100 1 443 sipdir\.online\.lync\.com\.$/],
    ["_sipfederationtls._tcp.contoso.com", "SRV", /^100 1 5061 sipfed\.online\.lync\.com\.$/],
    ["sipfed.online.lync.com", "A", /^198\.18\./m],
    ["enterpriseregistration.contoso.com", "A", /^198\.18\./m],
    ["enterpriseenrollment.contoso.com", "A", /^198\.18\./m],
    ["msoid.contoso.com", "CNAME", /^$/],
  ],
  "litwareinc.com": [
    ["litwareinc.com", "MX", /^0 litware\.mail\.protection\.office365\.us\.$/],
    ["litware.mail.protection.office365.us", "A", /^198\.19\.16\.81$/m],
    ["litwareinc.com", "TXT", /^"v=spf1 include:spf\.protection\.office365\.us -all"$/m],
    ["selector1._domainkey.litwareinc.com", "TXT", /^"v=DKIM1; k=rsa; p=MIIB/m],
    ["_dmarc.litwareinc.com", "TXT", /^"v=DMARC1; p=reject"$/],
    ["autodiscover.litwareinc.com", "A", /^198\.19\.1[678]\.17$/m],
    [
      "_sipfederationtls._tcp.litwareinc.com",
      "SRV",
      /^100 1 5061 sipfed\.online\.gov\.skypeforbusiness\.us\.$/,
    ],
    ["lyncdiscover.litwareinc.com", "CNAME", /^$/],
  ],
  "woodgrovebank.com": [
    ["woodgrovebank.com", "MX", /^0 woodgrove\.mail\.protection\.office365\.us\.$/],
    ["selector1._domainkey.woodgrovebank.com", "TXT", /^"v=DKIM1; k=rsa; p=MIIB/m],
    ["_dmarc.woodgrovebank.com", "TXT", /^"v=DMARC1; p=reject"$/],
    ["autodiscover.woodgrovebank.com", "A", /^198\.19\.3[23]\.17$/m],
    [
      "_sipfederationtls._tcp.woodgrovebank.com",
      "SRV",
      /^100 1 5061 sipfed\.online\.dod\.skypeforbusiness\.us\.$/,
    ],
  ],
  "tailspintoys.com": [
    ["tailspintoys.com", "MX", /^0 tailspintoys-com\.mail\.protection\.partner\.outlook\.cn\.$/],
    ["selector1._domainkey.tailspintoys.com", "TXT", /^"v=DKIM1; k=rsa; p=MIIB/m],
    ["_dmarc.tailspintoys.com", "TXT", /^"v=DMARC1; p=reject"$/],
    ["autodiscover.tailspintoys.com", "A", /^198\.19\.[12]\.17$/m],
    ["msoid.tailspintoys.com", "A", /^198\.19\./m],
  ],
  "adatum.com": [
    ["adatum.com", "MX", /^0 adatum-com\.mail\.protection\.outlook\.de\.$/],
    ["selector1._domainkey.adatum.com", "TXT", /^"v=DKIM1; k=rsa; p=MIIB/m],
    ["_dmarc.adatum.com", "TXT", /^"v=DMARC1; p=reject"$/],
    ["autodiscover.adatum.com", "A", /^198\.19\.4[89]\.17$/m],
    ["sip.adatum.com", "A", /^198\.19\./m],
    ["enterpriseenrollment.adatum.com", "A", /^198\.18\./m],
  ],
};

describe("the default lab, Germany on", () => {
  const config = join(folder, "germany.yaml");
  let server: Started;
  beforeAll(async () => {
    const lab = JSON.stringify(join(import.meta.dirname, "../../config/geodns365.yaml"));
    writeFileSync(config, `include: [${lab}]\nclouds: { Germany: { enabled: true } }\n`);
    server = await startGeodns365(["--config", config, "--state", "none"]);
  });
  afterAll(() => server?.stop());

  describe.each(Object.entries(checklists))("%s", (domain, questions) => {
    it.each(questions)("%s %s, asked with dig", async (name, type, expected) => {
      const answer = await run("dig", ["@127.0.0.1", "-p", String(server.port), "+short", name, type]);
      expect(answer.trim()).toMatch(expected);
    });

    it("is right by verify", async () => {
      const { code, shown } = await verify(domain, server.port, "--config", config);
      expect(shown.filter((line) => !line.startsWith("right"))).toEqual([]);
      expect(code).toBe(0);
    });
  });
});
