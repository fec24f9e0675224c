// demo tells its story by answers that are asked for, and notices when one is not as it tells.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Outlet, tell } from "../../src/cli/demo.ts";
import { openStage, type Stage } from "../../src/first-run/stage.ts";
import { type Scene, story } from "../../src/first-run/story.ts";
import { call, type Outcome, run } from "./program.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const defaultLab = resolve(import.meta.dirname, "../../config/geodns365.yaml");
const folder = mkdtempSync(join(tmpdir(), "geodns365-demo-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Each dig line as name and subnet, and the last line of its chain. */
function factsOf(stdout: string): readonly string[] {
  const facts: string[] = [];
  for (const line of stdout.split("\n")) {
    const asked = /^\$ dig @127\.0\.0\.1 -p \d+ (\S+) \+subnet=(\S+)$/.exec(line);
    const addresses = /^ +\d+ s {2}A (\S+)/.exec(line)?.[1];
    if (asked !== null) facts.push(`${asked[1]} ${asked[2]}`);
    if (addresses !== undefined) facts.push(`${facts.pop()} ${addresses}`);
  }
  return facts;
}

describe("the whole of it, where no terminal is", () => {
  let outcome: Outcome;
  beforeAll(async () => {
    outcome = await run(["demo", "--fast"]);
  });

  test("ends well, in plain text of 80 columns", () => {
    const { code, stdout, stderr } = outcome;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(stripVTControlCharacters(stdout));
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toContain("\nEverything answered as told. Go on with a server of your own:\n");
  });

  test("has the parts of Microsoft's page", () => {
    expect(outcome.stdout.match(/^\d\. .*$/gm)).toEqual([
      "1. The nearest front end",
      "2. The tenant's active datacenter",
      "3. A sovereign cloud",
      "4. Behind a VPN",
      "5. ExpressRoute",
      "6. An outage",
    ]);
  });

  test("asks these questions and gets the addresses of these datacenters", () => {
    const [lhr, cdg, syd, eat, fra] = [1, 3, 14, 9, 4].map((pool) => `198.18.${pool}.1`);
    const [dub, ams] = [22, 2].map((pool) => `198.18.${pool}.65`);
    expect(factsOf(outcome.stdout)).toEqual([
      `outlook.office365.com 10.1.0.0/24 ${lhr}`,
      `outlook.office365.com 10.4.0.0/24 ${syd}`,
      `contoso.sharepoint.com 10.4.0.0/24 ${dub}`,
      "portal.partner.microsoftonline.cn 10.1.0.0/24 198.19.1.33",
      `outlook.office365.com 10.9.0.0/24 ${eat}`,
      `outlook.office365.com 10.8.0.0/24 ${fra}`,
      `outlook.office365.com 10.1.0.0/24 ${cdg}`,
      `contoso.sharepoint.com 10.4.0.0/24 ${ams}`,
      `outlook.office365.com 10.1.0.0/24 ${lhr}`,
      `contoso.sharepoint.com 10.4.0.0/24 ${ams}`,
      `contoso.sharepoint.com 10.4.0.0/24 ${dub}`,
    ]);
  });

  test("says why, as explain does", () => {
    const words = outcome.stdout.replace(/\s+/g, " ");
    for (const why of [
      "10.1.0.0/24 is in network london-office, London. Worldwide/lhr (London): it is the nearest, and up; nearest are Worldwide/lhr 0 km, Worldwide/cdg 343 km,",
      "It passes on to Worldwide/dub: Dublin is active for contoso. Scope 16.",
      "Why: Worldwide/dub (Dublin): it is the tenant's active datacenter. Scope 0.",
      "China/bjs (Beijing): it is the nearest, and up;",
      "This is a VPN: its DNS servers ask for the clients behind it",
      "ExpressRoute changes the path of the traffic, not the names and answers",
      "$ npx geodns365 datacenter set lhr down --for 10m",
      "nearest are Worldwide/lhr 0 km (down), Worldwide/cdg 343 km",
      "Worldwide/ams (Amsterdam): the tenant has failed over, so its standby answers.",
      "$ npx geodns365 tenant failback contoso",
    ])
      expect(words).toContain(why);
  });

  test("is the same each time, but for the port", async () => {
    const plain = (text: string): string =>
      text.replace(/127\.0\.0\.1(:| -p )\d+/g, "PORT").replace(/\s+/g, " ");
    const again = await call(["demo"]);
    expect(again.code).toBe(0);
    expect(plain(again.stdout)).toBe(plain(outcome.stdout));
  });
});

test("ends quietly where nobody reads on", async () => {
  const program = resolve(import.meta.dirname, "../../src/cli/geodns365.js");
  const child = spawn(process.execPath, [program, "demo", "--fast"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.once("data", () => child.stdout.destroy());
  const [stderr] = await Promise.all([textOf(child.stderr), once(child, "close")]);
  expect([child.exitCode, stderr]).toEqual([0, ""]);
});

describe("an answer that is not as told ends it with exit code 1", () => {
  const lab = (more: string): string => `include: ["${defaultLab}"]\n${more}`;
  test.each([
    {
      name: "an office that has moved",
      text: lab(
        "---\nnetworks:\n  annex: { prefixes: [10.4.0.0/24], place: { city: Paris, country: FR, coordinates: [48.86, 2.35] } }\n",
      ),
      says: "it is Worldwide/cdg that is chosen, and not Worldwide/syd",
    },
    {
      name: "another era",
      text: lab("clouds: { Worldwide: { eras: { exchange: geodns-2018 } } }\n"),
      says: "the chain does not run through LHR-efz.ms-acdc.office.com.",
    },
    {
      name: "no such networks",
      text: `include: ["${resolve(defaultLab, "../clouds/worldwide.yaml")}"]\n`,
      says: "outlook.office365.com: the story needs a network london-office, and there is none",
    },
  ])("$name", async ({ name, text, says }) => {
    const config = write(`${name.replaceAll(" ", "-")}.yaml`, text);
    const { code, stdout, stderr } = await call(["demo", "--config", config]);
    expect(code).toBe(1);
    expect(stderr.split("\n")).toContain(`not as the story tells: ${says}`);
    expect(stdout).not.toContain("as told");
  });

  test("a configuration with errors prints them", async () => {
    const config = write("faulty.yaml", "server: { answr: full }\n");
    const { code, stdout, stderr } = await call(["demo", "--config", config]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain('faulty.yaml:1:11: "answr" is no key here; did you mean "answer"?');
  });
});

describe("a stage", () => {
  let stage: Stage;
  beforeAll(async () => {
    const log = { info: () => {}, warn: () => {}, error: (fault: unknown) => expect.fail(String(fault)) };
    const opened = await openStage({ config: defaultLab, version: "0", log });
    if (opened.kind === "errors") throw new Error("the default lab has errors");
    ({ stage } = opened);
  });
  afterAll(() => stage.close());

  const question = { name: "outlook.office365.com", network: "london-office" };
  const claim = { datacenter: "Worldwide/lhr", through: "LHR-efz.ms-acdc.office.com." };

  test.each([
    { says: [], claim },
    {
      says: [
        "it is Worldwide/lhr that is chosen, and not Worldwide/cdg",
        "names and addresses are those of Worldwide/lhr, and not of Worldwide/cdg",
      ],
      claim: { ...claim, datacenter: "Worldwide/cdg" },
    },
    {
      says: [
        "it is Worldwide/lhr that is chosen, and not China/bjs",
        "names and addresses are those of Worldwide/lhr, and not of China/bjs",
        "the chain leads to cloud Worldwide",
      ],
      claim: { ...claim, datacenter: "China/bjs" },
    },
    {
      says: ["it is located by a network of kind office, and not by one of kind vpn"],
      claim: { ...claim, networkKind: "vpn" as const },
    },
    {
      says: ["the front end passes on to nowhere, and not to Worldwide/dub"],
      claim: { ...claim, secondHop: "Worldwide/dub" },
    },
  ])("holds an answer against $claim", async ({ says, claim: told }) => {
    const asked = await stage.ask({ ...question, claim: told });
    expect(asked.kind === "answered" ? asked.differences : asked.because).toEqual(says);
  });

  test("answers other programs while it is open", async () => {
    const { address, port } = stage.at;
    const args = ["query", question.name, "--subnet", "10.4.0.0/24", "--server", `${address}:${port}`];
    const { code, stdout } = await run(args);
    expect(code).toBe(0);
    expect(stdout).toContain("SYD-efz.ms-acdc.office.com. 10 A 198.18.14.1\n");
  });

  test("says what cannot be done", async () => {
    const ended = await stage.perform({ kind: "failback", tenant: "nobody" });
    expect(ended).toMatch(/nobody/);
    const scenes: readonly Scene[] = [
      { title: "Nothing", beats: [{ kind: "do", deed: { kind: "failback", tenant: "nobody" } }] },
    ];
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    expect(await tell(scenes, stage, silent)).toBe(1);
    expect(error).toHaveBeenCalledWith(`not as the story tells: ${ended}`);
    error.mockRestore();
  });

  test("with a reader takes about a minute, and paints titles and commands", async () => {
    const paused: number[] = [];
    const lines: string[] = [];
    const outlet: Outlet = {
      print: (line) => void lines.push(line),
      pause: async (seconds) => void paused.push(seconds),
      paint: (style, text) => `<${style}>${text}`,
    };
    expect(await tell(story, stage, outlet)).toBe(0);
    const seconds = paused.reduce((sum, each) => sum + each, 0);
    expect(seconds).toBeGreaterThan(45);
    expect(seconds).toBeLessThan(75);
    expect(lines).toContain("<title>6. An outage");
    expect(lines.filter((line) => line.startsWith("<command>$ dig "))).toHaveLength(11);
  });
});

const silent: Outlet = { print: () => {}, pause: async () => {}, paint: (_style, text) => text };
