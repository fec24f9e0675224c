// check --strict as an operator meets it: what it prints, how it is silenced, and exit codes.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { call } from "./program.ts";

const timeout = 30_000;
const folder = mkdtempSync(join(tmpdir(), "geodns365-cli-strict-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, "lab.yaml");
const shown = relative(process.cwd(), path).startsWith("..") ? path : relative(process.cwd(), path);
const text = `zones: [lab.example]
geoip: { database: none }
records: { lab.example: ["www CNAME gone", "web CNAME example.org."] }
`;
writeFileSync(path, text);
const good = /^good: 1 files, 0 clouds \(\), 1 zones, 0 networks, 0 tenants\n.*\n/;
const check = (...args: readonly string[]) => call(["check", "--config", path, ...args]);

describe("check", { timeout }, () => {
  test("warns of nothing where it is not asked to", async () => {
    const { code, stdout, stderr } = await check();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replace(good, "")).toBe("");
  });

  test("--strict tells every warning with its place and its rule", async () => {
    expect(await check("--strict")).toEqual({
      code: 1,
      stdout: "",
      stderr: `${shown}:3:26: the CNAME of www.lab.example. leads to gone.lab.example., which does not exist [cname-dangling]
  records: { lab.example: ["www CNAME gone", "web CNAME example.org."] }
                           ^
${shown}:3:44: the CNAME of web.lab.example. leads out of the lab, to example.org., in no zone served [cname-leaking]
  records: { lab.example: ["www CNAME gone", "web CNAME example.org."] }
                                             ^
2 warnings
`,
    });
  });

  test("--format json is for programs", async () => {
    const { code, stdout } = await check("--strict", "--format", "json", "--silence", "cname-leaking");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      warnings: [
        {
          rule: "cname-dangling",
          file: path,
          line: 3,
          column: 26,
          message: "the CNAME of www.lab.example. leads to gone.lab.example., which does not exist",
        },
      ],
      silenced: 1,
    });
  });

  test("--silence and lint.silence leave rules out", async () => {
    const silent = await check("--strict", "--silence", "cname-leaking", "cname-dangling");
    expect(silent.code).toBe(0);
    expect(silent.stdout.replace(good, "")).toBe("no warnings, 2 silenced\n");
    const other = join(folder, "silent.yaml");
    writeFileSync(other, `${text}lint: { silence: [cname-leaking, cname-dangling] }\n`);
    expect((await call(["check", "--strict", "--config", other])).code).toBe(0);
  });

  test("a rule that there is not is an error of the configuration", async () => {
    const wrong = join(folder, "wrong.yaml");
    writeFileSync(wrong, `${text}lint: { silence: [cname-dangeling] }\n`);
    const { code, stderr } = await call(["check", "--config", wrong]);
    expect(code).toBe(1);
    expect(stderr).toContain('found "cname-dangeling"; did you mean "cname-dangling"?');
  });

  test.each<readonly [args: readonly string[], line: RegExp]>([
    [["--format", "json"], /^error: --format and --silence are of warnings, which --strict asks for\n$/],
    [
      ["--strict", "--silence", "no-rule"],
      /^error: option '--silence <rule...>' argument 'no-rule' is invalid/,
    ],
  ])("misuse: %j", async (args, line) => {
    const { code, stderr } = await check(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
  });

  test("the default lab is clean", async () => {
    const { code, stdout } = await call(["check", "--strict"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nno warnings, \d+ silenced\n$/);
  });
});
