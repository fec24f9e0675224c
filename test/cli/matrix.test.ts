// matrix as an operator meets it: formats, files, exit codes, and one line of misuse.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { shop } from "../audit/labs.ts";
import { call } from "./program.ts";

const timeout = 30_000;
const folder = mkdtempSync(join(tmpdir(), "geodns365-cli-matrix-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const lab = write("shop.yaml", shop());
const moved = write(
  "moved.yaml",
  shop({
    office:
      "tokyo-office: { prefixes: [10.0.0.0/8], place: { city: Chicago, country: US, coordinates: [41.88, -87.63] } }",
  }),
);
const matrix = (...args: readonly string[]) => call(["matrix", "--config", lab, ...args]);

describe("misuse is one line and exit code 2", { timeout }, () => {
  test.each<readonly [args: readonly string[], line: string]>([
    [["--service", "wep"], 'error: "wep" is no service; did you mean "web"?'],
    [["--network", "tokio-office"], 'error: "tokio-office" is no network; did you mean "tokyo-office"?'],
    [["--tenant", "nobody"], 'error: "nobody" is no tenant'],
    [
      ["--country", "XX"],
      'error: no address is located in country "XX"; codes are those of ISO 3166, like GB',
    ],
    [["--with", "nyc=down"], 'error: "nyc" means no datacenter'],
    [
      ["--diff-with", "tyo"],
      `error: option '--diff-with <states...>' argument 'tyo' is invalid. "tyo" is no datacenter with a state, like lhr=down; states are up, draining and down`,
    ],
    [
      ["--format", "pdf"],
      "error: option '--format <format>' argument 'pdf' is invalid. Allowed choices are table, markdown, csv, html, svg, json.",
    ],
    [
      ["--output", join(folder, "nowhere/matrix.csv")],
      `error: ${join(folder, "nowhere/matrix.csv")} cannot be written: there is no such file`,
    ],
  ])("%j", async (args, line) => {
    expect(await matrix(...args)).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });
});

describe("formats", { timeout }, () => {
  const scope = ["--service", "web", "--network", "tokyo-office", "default"];

  test("a table", async () => {
    const { code, stdout } = await matrix(...scope, "--with", "tyo=down");
    expect({ code, stdout }).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stdout": "Shop/tyo down

      Shop, by place
      place         web
      tokyo-office  chi (next-nearest)
      default       chi
      ",
      }
    `);
  });

  test("Markdown", async () => {
    expect((await matrix(...scope, "--format", "markdown")).stdout).toMatchInlineSnapshot(`
      "## Shop, by place

      | place | web |
      |---|---|
      | tokyo-office | tyo |
      | default | chi |
      "
    `);
  });

  test("CSV", async () => {
    expect((await matrix(...scope, "--format", "csv")).stdout).toMatchInlineSnapshot(`
      "kind,name,cloud,service,answer,datacenter,reason
      network,tokyo-office,Shop,web,datacenter,Shop/tyo,nearest
      default,default,Shop,web,datacenter,Shop/chi,nearest
      "
    `);
  });

  test("JSON", async () => {
    const { sheets, places } = JSON.parse((await matrix(...scope, "--format", "json")).stdout);
    expect(sheets[0].rows[0]).toEqual({
      kind: "network",
      name: "tokyo-office",
      cells: [{ kind: "datacenters", ids: ["Shop/tyo"], reason: "nearest" }],
    });
    expect(places[0]).toMatchObject({ name: "tokyo-office", address: "10.0.0.0", city: "Tokyo" });
  });

  test.each(["svg", "html"])("%s, into a file", async (format) => {
    const path = join(folder, `matrix.${format}`);
    expect(await matrix(...scope, "--format", format, "--output", path)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(readFileSync(path, "utf8")).toContain("tokyo-office to Shop/tyo: web");
  });
});

describe("--diff is like diff", { timeout }, () => {
  test("nothing and 0 where nothing differs", async () => {
    expect(await matrix("--diff", lab)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(await matrix("--diff-with", "chi=up")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("what differs and 1, against a configuration", async () => {
    const { code, stdout } = await matrix("--service", "web", "--diff", moved);
    expect({ code, stdout: stdout.replaceAll(folder, "") }).toMatchInlineSnapshot(`
      {
        "code": 1,
        "stdout": "where /moved.yaml takes the place of this configuration

      Shop, by place
      place         web
      tokyo-office  tyo -> chi
      ",
      }
    `);
  });

  test("what differs and 1, against a state", async () => {
    const { code, stdout } = await matrix("--service", "web", "--diff-with", "tyo=down", "--format", "csv");
    expect({ code, stdout }).toMatchInlineSnapshot(`
      {
        "code": 1,
        "stdout": "kind,name,cloud,service,from_answer,from_datacenter,from_reason,to_answer,to_datacenter,to_reason
      network,tokyo-office,Shop,web,datacenter,Shop/tyo,nearest,datacenter,Shop/chi,next-nearest
      ",
      }
    `);
  });
});
