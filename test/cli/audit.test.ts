// audit and locate as an operator meets them: what they print, one line of misuse, and exit codes.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { shop } from "../audit/labs.ts";
import { call, run } from "./program.ts";

const timeout = 30_000;
const folder = mkdtempSync(join(tmpdir(), "geodns365-cli-audit-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lab = write("shop.yaml", shop());
const same = write("same.yaml", shop());
const halved = write(
  "halved.yaml",
  shop({
    office:
      "tokyo-office: { prefixes: [10.0.0.0/9], place: { city: Tokyo, country: JP, coordinates: [35.68, 139.69] } }",
  }),
);
const renamed = write("renamed.yaml", shop({ tailored: "post: { default: [MX 10 mx3] }" }));
const scripted = write("scripted.yaml", "zones: [{ zone: api.example, handler: api.js }]\n");
write("api.js", "export default () => {};");
const faulty = resolve(import.meta.dirname, "../fixtures/two-mistakes.yaml");

describe("misuse is one line and exit code 2", { timeout }, () => {
  const suggested = '; did you mean "www.shop.example."?';
  test.each<readonly [args: readonly string[], line: string]>([
    [["audit", "wwww.shop.example", "--config", lab], `error: wwww.shop.example. does not exist${suggested}`],
    [
      ["audit", "www.shop.exampl", "--config", lab],
      `error: www.shop.exampl. is in no zone served here${suggested}`,
    ],
    [
      ["audit", "www.api.example", "--config", scripted],
      "error: www.api.example. is in a scripted zone, whose handler decides what it answers to whom",
    ],
    [
      ["audit", "--family", "5"],
      `error: option '--family <4|6>' argument '5' is invalid. "5" is neither 4 nor 6`,
    ],
    [["audit", "--cells", "--config", lab], "error: --cells needs a name, and no --diff"],
    [["audit", "a.example", "--dif", "x"], "error: unknown option '--dif' (Did you mean --diff?)"],
    [
      ["audit", "a..example"],
      `error: command-argument value 'a..example' is invalid for argument 'name'. "a..example" has an empty label`,
    ],
    [["locate"], "error: missing required argument 'address|prefix|network'"],
    [
      ["locate", "tokio-office", "--config", lab],
      'error: "tokio-office" is neither an address, a prefix nor a network; did you mean "tokyo-office"?',
    ],
    [
      ["locate", "10.1.2.3/16", "--config", lab],
      'error: "10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?',
    ],
    [
      ["locate", "10.0.0.0/33", "--config", lab],
      'error: "10.0.0.0/33" has a prefix length that is not between 0 and 32',
    ],
  ])("%j", async (args, line) => {
    expect(await call(args)).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });
});

test.each([
  ["audit", []],
  ["audit", ["--diff", lab]],
  ["locate", ["10.0.0.1"]],
])(
  "%s %j prints the errors of a faulty configuration, with exit code 1",
  { timeout },
  async (command, args) => {
    const { code, stdout, stderr } = await call([command, ...args, "--config", faulty]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("two-mistakes.yaml:3:24: ");
  },
);

describe("audit", { timeout }, () => {
  test("of the program prints lists and proof, and nothing else where no terminal is", async () => {
    const { code, stdout, stderr } = await run(["audit", "www.shop.example", "--config", lab]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^www\.shop\.example\.: by place at www\.shop\.example\.\n\nIPv4: 2 lists, 9 prefixes\n/,
    );
    expect(stdout).toMatch(/^ +1 +16,777,216 {2}10\.0\.0\.0\/8 +tokyo-office +Shop\/tyo > chi$/m);
    expect(stdout.match(/^ {2}holds {2}/gm)).toHaveLength(8);
    expect(stdout).toContain("no scope can be wider: 9 of 9 siblings hold another list\n");
  });

  test("--cells prints each prefix with its list first", async () => {
    const args = ["audit", "www.shop.example", "--family", "4", "--cells", "--config", lab];
    const { stdout } = await call(args);
    const lines = stdout.split("\n");
    expect(lines.slice(1, 4)).toEqual([
      "8.0.0.0/7 Shop/chi > tyo",
      "10.0.0.0/8 Shop/tyo > chi",
      "11.0.0.0/8 Shop/chi > tyo",
    ]);
    expect(lines[9]).toBe("");
    const json = JSON.parse((await call([...args, "--json"])).stdout);
    expect(json.cells[2]).toEqual({
      prefix: "10.0.0.0/8",
      list: [{ kind: "datacenters", ids: ["Shop/tyo", "Shop/chi"] }],
    });
    expect(json.families[0].proof).toMatchObject({ holds: true, cells: 9, found: {}, counterexamples: [] });
  });

  test("without a name has a row for each set of tables", async () => {
    const { code, stdout } = await call(["audit", "--family", "4", "--config", lab]);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.replace(/ +/g, " "))).toEqual([
      "family lists prefixes proof names",
      "IPv4 2 25 holds two-steps.shop.example.",
      "IPv4 3 17 holds mail.shop.example.",
      "IPv4 2 9 holds Shop web, api: www.shop.example., api.shop.example.",
      "",
    ]);
    const json = JSON.parse((await call(["audit", "--json", "--config", lab])).stdout);
    expect(json.map(({ names }: { readonly names: readonly string[] }) => names.length)).toEqual([1, 1, 2]);
  });

  test("says of a plain name that everyone has the same answer", async () => {
    expect(await call(["audit", "plain.shop.example", "--config", lab])).toEqual({
      code: 0,
      stdout: "plain.shop.example.: everyone has the same answer, with scope 0\n",
      stderr: "",
    });
  });

  test("of a configuration with nothing to audit says so", async () => {
    const { code, stdout } = await call(["audit", "--config", scripted]);
    expect([code, stdout]).toEqual([0, "no name is tailored by place\n"]);
  });
});

describe("audit --diff", { timeout }, () => {
  test.each([[[]], [["www.shop.example"]]])("%j of equal ones: nothing moves", async (name) => {
    const outcome = await call(["audit", ...name, "--diff", same, "--config", lab]);
    expect(outcome).toEqual({ code: 0, stdout: "nothing moves\n", stderr: "" });
  });

  test("tells from where to where, in prefixes, addresses and places, with exit code 1", async () => {
    const args = ["audit", "www.shop.example", "--diff", halved, "--family", "4", "--config", lab];
    const { code, stdout } = await call(args);
    expect(code).toBe(1);
    expect(stdout.split("\n").map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "www.shop.example.:",
      "IPv4: 8,388,608 addresses move",
      "prefixes addresses move where",
      "1 8,388,608 Shop/tyo -> Shop/chi tokyo-office",
      "",
    ]);
    const json = JSON.parse((await call([...args, "--json"])).stdout);
    expect(json.diffs[0].families[0].moves).toMatchObject([{ prefixes: 1, size: 8_388_608 }]);
  });

  test("of all names tells those that move, and those that only one has", async () => {
    const { code, stdout } = await call(["audit", "--diff", renamed, "--config", lab]);
    expect([code, stdout.split("\n")]).toEqual([
      1,
      [
        `post.shop.example. is tailored by place only in ${renamed}`,
        `mail.shop.example. is tailored by place only in ${lab}`,
        "",
      ],
    ]);
    const moved = await call(["audit", "--diff", halved, "--family", "4", "--config", lab]);
    expect(moved.stdout).toMatch(/^mail\.shop\.example\.:$/m);
    expect(moved.stdout).toMatch(/^www\.shop\.example\., api\.shop\.example\.:$/m);
    expect(moved.stdout).not.toMatch(/^two-steps/m);
  });
});

describe("locate", { timeout }, () => {
  test("of the program prints where a network is", async () => {
    const { code, stdout, stderr } = await run(["locate", "tokyo-office", "--config", lab]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").slice(0, 6)).toEqual([
      "10.0.0.0/8: Tokyo [35.68, 139.69], by network tokyo-office, 10.0.0.0/8",
      "",
      "Shop: web, api",
      "   class 1, scope 10.0.0.0/8",
      "    1. Shop/tyo      0 km  Tokyo",
      "    2. Shop/chi  10139 km  Chicago",
    ]);
  });

  test("of a bare address, as JSON", async () => {
    const { code, stdout } = await call(["locate", "2002:a01:203::1", "--json", "--config", lab]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([
      { isAlike: true, parts: [{ name: "tokyo-office" }], sets: [{ scope: "2002:a00::/24" }, {}, {}] },
    ]);
  });
});
