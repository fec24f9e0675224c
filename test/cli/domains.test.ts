// records and verify as an administrator meets them: the formats, what cannot be, and exit codes.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSnapshot } from "../../src/load-snapshot.ts";
import { type Server, startServer } from "../../src/server.ts";
import { call } from "./program.ts";

const timeout = 30_000;

describe("records", { timeout }, () => {
  test("is a table for people, with what must not be there", async () => {
    const { code, stdout } = await call(["records", "litwareinc.com"]);
    const lines = stdout.trimEnd().split("\n");
    expect(code).toBe(0);
    expect(lines[0]).toBe("litwareinc.com of tenant litware, USGovGCCHigh");
    expect(lines[1]).toMatch(/^name +TTL +type +value +for$/);
    expect(lines[3]).toMatch(
      /^@ +3600 +MX +0 litware\.mail\.protection\.office365\.us\. +mail for the domain comes in here$/,
    );
    expect(stdout).toMatch(/^selector1\._domainkey .*\(inferred\)$/m);
    expect(stdout).toMatch(/^not there: msoid: /m);
    expect(stdout).toMatch(/^note: the text that proves ownership is made up; /m);
  });

  test("is JSON for programs", async () => {
    const { stdout } = await call([
      "records",
      "example.org",
      "--cloud",
      "China",
      "--tenant",
      "Fourth",
      "--format",
      "json",
    ]);
    const { domain, cloud, tenant, records, harmful } = JSON.parse(stdout);
    expect([domain, cloud, tenant, harmful]).toEqual(["example.org", "China", "Fourth", {}]);
    expect(records).toContainEqual({
      name: "msoid",
      ttl: 3600,
      type: "CNAME",
      value: "clientconfig.partner.microsoftonline-p.net.cn.",
      use: "msoid",
      for: "Office signs in at the cloud's own service",
    });
  });

  test("has the forms that are asked for", async () => {
    const args = [
      "--mx",
      "microsoft",
      "--dkim",
      "microsoft",
      "--domain-key",
      "example-org03i",
      "--tenant",
      "ex",
    ];
    const { stdout } = await call(["records", "example.org", ...args]);
    expect(stdout).toMatch(/ 0 example-org03i\.[adlmop]-v1\.mx\.microsoft\. /);
    expect(stdout).toMatch(/ selector2-example-org03i\._domainkey\.ex\.[enrwy]-v1\.dkim\.mail\.microsoft\. /);
  });
});

test.each([
  [["records", "com"], '"com" is no domain like contoso.com'],
  [["records", "a.example", "--cloud", "Chna"], /"Chna"; those that do are .*; did you mean "China"\?/],
  [
    ["records", "a.example", "--cloud", "China", "--mx", "microsoft"],
    "China has no mx of the form microsoft; there is classic",
  ],
  [
    ["verify", "a.example", "--cloud", "China", "--dkim", "microsoft"],
    "China has no dkim of the form microsoft; there is classic",
  ],
  [["verify", "a.example", "--server", "nowhere"], /nowhere/],
  [
    ["records", "a.example", "--tenant", "a.onmicrosoft.com"],
    /"a\.onmicrosoft\.com" is not one label like contoso/,
  ],
  [["verify", "a.example", "--domain-key", "a example"], /"a example" is not one label like contoso/],
])("%o is misuse", { timeout }, async (args, message) => {
  const { code, stdout, stderr } = await call(args);
  expect([code, stdout]).toEqual([2, ""]);
  if (typeof message === "string") expect(stderr).toBe(`error: ${message}\n`);
  else expect(stderr).toMatch(message);
});

describe("verify", { timeout }, () => {
  let server: Server;
  beforeAll(async () => {
    const loaded = await loadSnapshot(join(import.meta.dirname, "../../config/geodns365.yaml"));
    if (loaded.kind === "errors") throw new Error("the default lab has errors");
    server = await startServer(loaded.snapshot, {
      listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
    });
  });
  afterAll(() => server.close());
  const verifying = (domain: string, ...args: readonly string[]) =>
    call(["verify", domain, "--server", `127.0.0.1:${server.listening[0]?.port}`, ...args]);

  test.each(["contoso.com", "wingtiptoys.com", "litwareinc.com", "woodgrovebank.com", "tailspintoys.com"])(
    "%s is right in the default lab, keys included",
    async (domain) => {
      const { code, stdout } = await verifying(domain);
      expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^\d+ right$/);
      expect(code).toBe(0);
    },
  );

  test("a domain of one cloud is not right for another", async () => {
    const { code, stdout } = await verifying("tailspintoys.com", "--cloud", "Worldwide", "--json");
    expect(code).toBe(1);
    const { cloud, summary, findings } = JSON.parse(stdout);
    expect(cloud).toBe("Worldwide");
    expect(summary).toMatchObject({ missing: 2, harmful: 1 });
    expect(findings).toContainEqual(
      expect.objectContaining({
        status: "harmful",
        name: "msoid.tailspintoys.com.",
        found: ["clientconfig.partner.microsoftonline-p.net.cn."],
      }),
    );
  });
});
