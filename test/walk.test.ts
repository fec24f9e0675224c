// The way of a new user, from README alone: two offices and a tenant, ten expectations, an outage of London on a stepped clock
// and an explanation, in few commands and few lines.

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { blocksOf, readmePath, writeFiles, yamlName } from "./readme.ts";

const root = join(import.meta.dirname, "..");
const section =
  readFileSync(readmePath, "utf8").split("\n## Rehearsing and asserting\n")[1]?.split("\n## ")[0] ?? "";
const blocks = blocksOf(section);
const files = blocks
  .filter(({ language }) => language === "yaml")
  .map(({ body }) => ({ name: yamlName(body), body }));
const commands = blocks
  .flatMap(({ language, body }) => {
    const lines = body.split("\n");
    if (language === "sh") return lines;
    return language === "console"
      ? lines.flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : []))
      : [];
  })
  .filter((line) => line !== "");

const folder = mkdtempSync(join(tmpdir(), "geodns365-walk-"));
cpSync(join(root, "config"), join(folder, "config"), { recursive: true });
writeFiles(folder);
afterAll(() => rmSync(folder, { recursive: true }));

const contentOf = (name: string): unknown => parse(files.find((file) => file.name === name)?.body ?? "");

it("has at most 15 commands and 40 lines of YAML", () => {
  const lines = files.flatMap(({ body }) => body.split("\n")).filter((line) => /^[^#]/.test(line));
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.length).toBeLessThanOrEqual(40);
  expect(commands.length).toBeLessThanOrEqual(15);
  const verbs = commands.map((line) => /^npx geodns365 (\w+)/.exec(line)?.[1]);
  expect(verbs).toEqual(expect.arrayContaining(["expect", "play", "explain"]));
});

it("is about two offices and a tenant, ten expectations, and London down and up again", () => {
  const offices = files.find(({ name }) => name === "my-offices.yaml")?.body ?? "";
  const [, networks, tenants] = parseAllDocuments(offices).map((document): unknown => document.toJS());
  expect(networks).toMatchObject({ networks: { "leeds-office": {}, "perth-office": {} } });
  expect(tenants).toMatchObject({ tenants: { proseware: {} } });
  expect(contentOf("my-expectations.yaml")).toMatchObject({ expectations: { length: 10 } });
  expect(contentOf("london-dark.yaml")).toMatchObject({
    steps: expect.arrayContaining([{ at: "30s", admin: { set: "lhr", state: "down", for: "10m" } }]),
  });
});

it.each(commands)("%s", { timeout: 30_000 }, async (command) => {
  const [, , ...words] = command.split(" ");
  const program = join(root, "src/cli/geodns365.js");
  const ran = promisify(execFile)(process.execPath, [program, ...words], { cwd: folder });
  // One of the files is a guess that is wrong.
  const code = await ran.then(
    () => 0,
    ({ code: failed }: { readonly code: number }) => failed,
  );
  expect(code).toBe(words.includes("a-guess.yaml") ? 1 : 0);
});

it("needs no other words than those that --help has", async () => {
  const program = join(root, "src/cli/geodns365.js");
  const { stdout } = await promisify(execFile)(process.execPath, [program, "--help"]);
  for (const verb of ["check", "expect", "play", "explain"])
    expect(stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
});
