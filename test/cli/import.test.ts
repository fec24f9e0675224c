// import endpoints as an operator meets it: the report, bad files, and exit codes.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { call } from "./program.ts";

const timeout = 30_000;
const folder = mkdtempSync(join(tmpdir(), "geodns365-cli-import-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lab = write(
  "lab.yaml",
  `cloud: Worldwide
zones: [home.example]
datacenters:
  one: { city: London, country: GB, coordinates: [51.5, -0.1], addresses: [13.107.6.0/24] }
  two: { city: Paris, country: FR, coordinates: [48.9, 2.4], addresses: [198.51.100.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.home.example, old.home.example], ttl: 60, addresses: { slice: 0, count: 2 } }
---
cloud: Away
zones: [away.example]
datacenters:
  far: { city: Beijing, country: CN, coordinates: [39.9, 116.4], addresses: [198.18.1.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.away.example], ttl: 60, addresses: { slice: 0, count: 1 } }
`,
);
const record = { id: 1, serviceArea: "Exchange", category: "Optimize", required: true };
const endpoints = (...records: readonly object[]): string =>
  JSON.stringify(records.map((each, i) => ({ ...record, id: i + 1, ...each })));
const some = write(
  "some.json",
  endpoints(
    { urls: ["mail.home.example", "new.home.example", "*.cdn.example"], ips: ["13.107.6.0/24"] },
    { serviceArea: "Common", urls: ["login.example"], category: "Allow", required: false },
  ),
);
const all = write(
  "all.json",
  endpoints({ urls: ["*.home.example"], ips: ["13.107.6.0/24", "198.51.100.0/24"] }),
);
const importing = (file: string, ...args: readonly string[]) =>
  call(["import", "endpoints", file, "--config", lab, ...args]);

describe("the report", { timeout }, () => {
  const report = [
    `${some} beside Worldwide: 2 records, 3 names, 1 pattern, 1 prefix`,
    "2 of 3 names and 1 of 1 pattern of the file not served",
    "1 of 2 names served outside every pattern of the file",
    "2 of 4 addresses outside the file's 1 prefix",
    "",
    "Not served:",
    "area      id  category  required  name or pattern",
    "Common    2   Allow     no        login.example",
    "Exchange  1   Optimize  yes       new.home.example",
    "                                  *.cdn.example",
    "",
    "Names outside:",
    "service  name",
    "mail     old.home.example",
    "",
    "Addresses outside:",
    "service  datacenter  addresses  ranges",
    "mail     two         2          198.51.100.1-198.51.100.2",
    "",
  ].join("\n");

  test("is for people", async () => {
    expect(await importing(some)).toEqual({ code: 0, stdout: report, stderr: "" });
  });

  test("has exit code 1 with --strict", async () => {
    expect(await importing(some, "--strict")).toEqual({ code: 1, stdout: report, stderr: "" });
  });

  test("of a file that holds all has exit code 0 with --strict", async () => {
    const { code, stdout } = await importing(all, "--strict");
    expect(stdout).toBe(
      [
        `${all} beside Worldwide: 1 record, 0 names, 1 pattern, 2 prefixes`,
        "0 of 0 names and 0 of 1 pattern of the file not served",
        "0 of 2 names served outside every pattern of the file",
        "0 of 4 addresses outside the file's 2 prefixes",
        "",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  test("is JSON with --json", async () => {
    const { code, stdout } = await importing(some, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      cloud: "Worldwide",
      records: 2,
      names: { total: 3, missing: 2 },
      patterns: { total: 1, missing: 1 },
      servedNames: { total: 2, missing: 1 },
      addresses: { total: 4, missing: 2, areLabAddresses: false },
      prefixes: 1,
      notServed: [
        {
          serviceArea: "Common",
          id: 2,
          category: "Allow",
          required: false,
          names: ["login.example"],
          patterns: [],
        },
        { ...record, names: ["new.home.example"], patterns: ["*.cdn.example"] },
      ],
      namesOutside: [{ service: "mail", names: ["old.home.example"] }],
      addressesOutside: [
        { service: "mail", datacenter: "two", count: 2, ranges: ["198.51.100.1-198.51.100.2"] },
      ],
    });
  });

  test("is of another cloud with --cloud, and says in one line that all addresses are the lab's", async () => {
    const { stdout } = await importing(all, "--cloud", "Away");
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/ beside Away: /);
    expect(lines[3]).toBe(
      "1 of 1 address outside the file's 2 prefixes: all are lab addresses (198.18.0.0/15, 2001:db8::/32)",
    );
    expect(stdout).not.toContain("Addresses outside:");
  });
});

describe("misuse has exit code 2", { timeout }, () => {
  const absent = join(folder, "absent.json");
  const text = write("text.json", "nothing here\n");
  const faulty = write("faulty.json", endpoints({ urls: ["https://a.example"] }, { ips: ["10.1.2.3/16"] }));
  test.each<readonly [args: readonly string[], stderr: string]>([
    [[absent], `error: ${absent} cannot be read: there is no such file`],
    [[folder], `error: ${folder} cannot be read: it is a folder`],
    [[text], `${text}:1:1: this is not JSON: expected a value, found nothing\n  nothing here\n  ^`],
    [
      [some, "--cloud", "Wordwide"],
      'error: --cloud "Wordwide" is no cloud of the configuration; did you mean "Worldwide"?',
    ],
    [
      [some, "--cloud", "China"],
      'error: --cloud "China" is no cloud of the configuration; there are Worldwide, Away',
    ],
    [[some, "--stric"], "error: unknown option '--stric' (Did you mean --strict?)"],
  ])("%j", async ([file = "", ...args], stderr) => {
    expect(await importing(file, ...args)).toEqual({ code: 2, stdout: "", stderr: `${stderr}\n` });
  });

  test("and tells every error of a file", async () => {
    const { code, stderr } = await importing(faulty);
    expect(code).toBe(2);
    expect(stderr).toContain('[0].urls[0] (id 1): "https://a.example" is no name');
    expect(stderr).toContain('[1].ips[0] (id 2): "10.1.2.3/16" has bits set');
  });

  test("but errors of a configuration have 1, as with other commands", async () => {
    const config = resolve(import.meta.dirname, "../fixtures/two-mistakes.yaml");
    const { code, stdout, stderr } = await call(["import", "endpoints", some, "--config", config]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("two-mistakes.yaml:3:24: ");
  });
});
