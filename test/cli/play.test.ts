// `geodns365 play`: stories in process and on a running server, which is put back behind them.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { type Lab, lab, startLab } from "./alive-lab.ts";
import { call, type Outcome, run, startCommand } from "./program.ts";

vi.setConfig({ testTimeout: 60_000 });
const folder = mkdtempSync(join(tmpdir(), "geodns365-play-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file, and returns its path. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const config = file("lab.yaml", lab());
const story = file(
  "story.yaml",
  `title: London goes dark and comes back
config: lab.yaml
steps:
  - { ask: www.shop.example, from: 10.1.0.0/24, expect: { datacenter: lhr } }
  - { at: 30s, admin: { set: lhr, state: down, for: 1m } }
  - { ask: [www.shop.example, contoso.shop.example], from: 10.1.0.0/24, expect: { datacenter: dub, never: lhr } }
  - { at: 90s, ask: www.shop.example, from: 10.1.0.0/24, expect: { datacenter: lhr } }
  - { admin: { flap: dub, times: 3, every: 1m } }
  - { at: 1h, ask: contoso.shop.example, from: 10.1.0.0/24, expect: { datacenter: lhr } }
`,
);
const played = `${story}: London goes dark and comes back
  ok          0s  www.shop.example from 10.1.0.0/24
             30s  lhr is down for 1m
  ok         30s  www.shop.example from 10.1.0.0/24
  ok         30s  contoso.shop.example from 10.1.0.0/24
  ok       1m30s  www.shop.example from 10.1.0.0/24
           1m30s  dub goes down and comes up, 3 times, a change every 1m
           1m30s  dub is down
           2m30s  dub is up
           3m30s  dub is down
           4m30s  dub is up
           5m30s  dub is down
           6m30s  dub is up
  ok          1h  contoso.shop.example from 10.1.0.0/24
good: 5 of 5 as expected
`;

const tell = (...words: readonly string[]): Promise<Outcome> => call(["play", ...words]);

describe("in process", () => {
  test("as a program: an hour passes at once, in the configuration that the story names", async () => {
    const { code, stdout, stderr } = await run(["play", story]);
    // contoso has failed over to Dublin and back, for Dublin was down next.
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: played, stderr: "" });
  });

  test("what differs is told with the place of its step, and so is what an operator cannot do", async () => {
    const path = file(
      "differs.yaml",
      `title: What differs
config: lab.yaml
steps:
  - admin: { move: contoso, to: nowhere }
  - query: { name: www.shop.example., ecs: 10.1.0.0/24 }
    expect: { answer: [www.shop.example. 60 A 198.18.2.1], scope: 3 }
  - { why: too short, octets: "0001", expect: { rcode: FORMERR, opt: false } }
`,
    );
    expect(await tell(path)).toEqual({
      code: 1,
      stderr: "",
      stdout: `${path}: What differs
  DIFF        0s  contoso moves to nowhere
        at ${path}:4:5
        action: expected contoso moves to nowhere, got "nowhere" is no datacenter of Lab with the role tenants; there are lhr, dub
  DIFF        0s  www.shop.example. A from 127.0.0.1 for 10.1.0.0/24
        at ${path}:5:5
        scope: expected 3, got 0
        answer: expected www.shop.example. 60 A 198.18.2.1, got www.shop.example. 60 A 198.18.1.1
  DIFF        0s  too short
        at ${path}:7:5
        response: expected a response, got silence
3 of 3 other than expected
`,
    });
  });

  test("the command that says why explains what was asked, in the states of then", async () => {
    const path = file(
      "why.yaml",
      `title: Why
config: lab.yaml
steps:
  - { admin: { move: contoso, to: dub } }
  - { admin: { set: lhr, state: draining } }
  - { admin: { set: lhr, state: up } }
  - { admin: { set: lhr, state: down, for: 1m } }
  - { ask: [www.shop.example, contoso.shop.example], from: 10.1.0.0/24, expect: { datacenter: none } }
  - { at: 1m, ask: www.shop.example, from: 10.1.0.0/24, expect: { datacenter: none } }
`,
    );
    const { stdout } = await tell(path);
    const whys = [...stdout.matchAll(/got (Lab\/\w+)\n +why: geodns365 (.*)/g)];
    const asked = (name: string): string =>
      `explain ${name} --from 10.1.0.0/24 --config ${config} --state none --with 'contoso->dub' lhr=`;
    expect(whys.map(([, datacenter, command]) => [datacenter, command])).toEqual([
      ["Lab/dub", `${asked("www.shop.example")}up lhr=down`],
      ["Lab/dub", `${asked("contoso.shop.example")}up lhr=down`],
      ["Lab/lhr", `${asked("www.shop.example")}up`],
    ]);
    for (const [, datacenter, command = ""] of whys) {
      const explained = await call([...command.replaceAll("'", "").split(" "), "--json"]);
      expect(JSON.parse(explained.stdout).decisions[0].datacenter).toBe(datacenter);
    }
  });

  test("--config comes before what the story names, and --format is that of expect", async () => {
    const other = file(
      "other.yaml",
      "title: Other\nconfig: none.yaml\nsteps: [{ ask: www.shop.example, from: 10.1.0.1, expect: { rcode: NOERROR } }]\n",
    );
    const { code, stdout } = await tell(other, "--config", config, "--format", "tap");
    expect([code, stdout]).toEqual([
      0,
      "TAP version 14\n1..1\nok 1 - Other: www.shop.example from 10.1.0.1 at 0s\n",
    ]);
    expect((await tell(other)).code).toBe(2);
  });

  test("the clock can be that of the machine, sped up", async () => {
    const path = file(
      "short.yaml",
      `title: A short outage
config: lab.yaml
steps:
  - { admin: { set: lhr, state: down, for: 10s } }
  - { ask: www.shop.example, from: 10.1.0.1, expect: { datacenter: dub } }
  - { at: 10s, ask: www.shop.example, from: 10.1.0.1, expect: { datacenter: lhr } }
`,
    );
    const before = performance.now();
    expect((await tell(path, "--clock", "100")).code).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(95);
  });

  test("a handler is not run, and what it would answer is not asked", async () => {
    writeFileSync(join(folder, "api.js"), "export default (request, send) => send(request);\n");
    file("scripted.yaml", "zones: [{ zone: api.example, handler: ./api.js }]\n");
    const path = file(
      "scripted-story.yaml",
      "title: A handler\nconfig: scripted.yaml\nsteps: [{ ask: a.api.example, from: 10.1.0.1, expect: { rcode: NOERROR } }]\n",
    );
    const { code, stdout } = await tell(path, "--format", "tap");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "# SKIP the handler of api.example. answers, which is not run here; ask a server (--server)",
    );
  });
});

describe("on a running server", () => {
  let running: Lab | undefined;
  afterEach(async () => {
    await running?.stop("SIGKILL");
    running = undefined;
  });

  test("it is played there by its admin API, and clock, overrides and tenants are put back", async () => {
    running = await startLab("--config", config, "--state", "none");
    const { client, address, adminUrl } = running;
    await client.ask("setDatacenter", {
      params: { target: "dub" },
      body: { state: "up", reason: "mine", for: "10m" },
    });
    await client.ask("failover", { params: { label: "contoso" }, body: {} });
    await client.ask("failback", { params: { label: "contoso" }, body: {} });
    const before = {
      overrides: (await client.ask("listOverrides")).overrides,
      tenant: await client.ask("showTenant", { params: { label: "contoso" } }),
    };
    const outcome = await tell(story, "--server", address, "--admin", adminUrl);
    expect(outcome).toEqual({ code: 0, stdout: played, stderr: "" });
    const { overrides } = await client.ask("listOverrides");
    const [old, now] = [before.overrides, overrides].map((list) =>
      list.map(({ target, state, reason }) => [target, state, reason]),
    );
    expect(now).toEqual(old);
    // It ends when it was to end, but for what the clock lost while it stood.
    const [oldEnd = 0, newEnd = 0] = [before.overrides, overrides].map(([override]) =>
      Date.parse(override?.until ?? ""),
    );
    expect(Math.abs(newEnd - oldEnd)).toBeLessThan(60_000);
    const { servedBy, active, serving } = await client.ask("showTenant", { params: { label: "contoso" } });
    expect({ servedBy, active, serving }).toEqual({
      servedBy: before.tenant.servedBy,
      active: before.tenant.active,
      serving: before.tenant.serving,
    });
    const clock = await client.ask("clock");
    expect(clock.speed).toBe(1);
    expect(Math.abs(Date.parse(clock.now) - Date.now())).toBeLessThan(2000);
    expect((await client.ask("listDatacenters")).datacenters.map(({ state }) => state)).toEqual(["up", "up"]);
  });

  test("a signal ends it, and all is put back as well", async () => {
    running = await startLab("--config", config, "--state", "none");
    const { client, address, adminUrl } = running;
    const path = file(
      "endless.yaml",
      "title: Endless\nconfig: lab.yaml\nsteps:\n  - { admin: { set: lhr, state: down } }\n  - { wait: 10h }\n",
    );
    const words = ["play", path, "--server", address, "--admin", adminUrl, "--clock", "2"];
    const going = startCommand(words);
    await going.printed("lhr is down");
    expect((await client.ask("listOverrides")).overrides.length).toBe(1);
    expect((await client.ask("clock")).speed).toBe(2);
    expect(await going.stop()).toMatchObject({ code: 1, stderr: "stopped before the end\n" });
    expect((await client.ask("listOverrides")).overrides).toEqual([]);
    expect((await client.ask("clock")).speed).toBe(1);
    expect((await client.ask("showTenant", { params: { label: "contoso" } })).serving).toBe("active");
  });

  test("what cannot be asked there is left out, and says why", async () => {
    running = await startLab("--config", config, "--state", "none");
    const path = file(
      "elsewhere.yaml",
      `title: From elsewhere
config: lab.yaml
steps:
  - { query: { name: www.shop.example., from: 10.1.0.53 }, expect: { rcode: NOERROR } }
  - { query: { name: www.shop.example., vantage: 10.1.0.0/24 }, expect: { rcode: NOERROR } }
  - { query: { name: www.shop.example. }, expect: { rcode: NOERROR, flags: [qr, aa, rd] } }
`,
    );
    const settings = file(
      "settings.yaml",
      "title: Settings\nconfig: lab.yaml\nsettings: { cookies: off }\nsteps: [{ wait: 1s }]\n",
    );
    const { code, stdout } = await tell(
      path,
      settings,
      "--server",
      running.address,
      "--admin",
      running.adminUrl,
    );
    expect(code).toBe(0);
    expect(stdout).toContain("a running server sees who asks, which is not 10.1.0.53");
    expect(stdout).toContain("a running server has the vantage points of its configuration alone");
    expect(stdout).toContain("it has settings or a GeoIP of its own, which a running server is not given");
    expect(stdout).toContain("good: 1 of 4 as expected, 3 not asked");
  });

  test("without an admin API a story that needs none is played, and another says what is missing", async () => {
    running = await startLab("--config", config, "--state", "none");
    const { address } = running;
    const path = file(
      "questions.yaml",
      "title: Questions\nconfig: lab.yaml\nsteps: [{ ask: www.shop.example, from: 10.1.0.1, expect: { rcode: NOERROR } }]\n",
    );
    expect((await tell(path, "--server", address, "--admin", "http://127.0.0.1:1")).code).toBe(0);
    const { code, stderr } = await tell(story, "--server", address, "--admin", "http://127.0.0.1:1");
    expect(code).toBe(1);
    expect(stderr).toContain("no answer from http://127.0.0.1:1");
  });
});

describe("misuse", () => {
  test("every error of a story comes with its place", async () => {
    const bad = file(
      "bad.yaml",
      `title: Bad
steps:
  - { at: 30s, admin: { set: lhr } }
  - { at: 1x, ask: www.shop.example, expect: {} }
  - { ask: www.shop.example, query: { name: x }, expect: {} }
  - { ask: www.shop.example }
  - { admin: { flap: lhr, times: 2 } }
  - { admin: { set: lhr, state: down, to: dub } }
  - { admin: {} }
  - {}
`,
    );
    const { code, stderr } = await tell(bad, "--config", config);
    expect(code).toBe(2);
    expect(stderr.split("\n").filter((line) => line.startsWith(bad))).toEqual([
      `${bad}:3:23: "state" is missing beside set`,
      `${bad}:4:11: "1x" is no time like 30, 30s, 1m30s or 2h`,
      `${bad}:5:5: ask and query are two steps; put a dash before each`,
      `${bad}:6:5: "expect" is missing beside ask`,
      `${bad}:7:14: "every" is missing beside flap`,
      `${bad}:8:14: "to" says nothing beside set`,
      `${bad}:9:14: expected one of set, flap, drain, failover, failback, move here`,
      `${bad}:10:5: expected one of ask, query, octets, admin, wait in a step`,
    ]);
  });

  test("time only goes forward, and what is named must be there", async () => {
    const back = file(
      "back.yaml",
      "title: Back\nsteps:\n  - { at: 30s, wait: 1m }\n  - { at: 1m, wait: 1s }\n",
    );
    expect((await tell(back)).stderr).toContain(
      `${back}:4:11: 1m is over by then: it is 1m30s when the step before is done`,
    );
    const unknown = file(
      "unknown.yaml",
      `title: Unknown
config: lab.yaml
steps:
  - { admin: { set: lrh, state: down } }
  - { admin: { drain: [dub, bud], every: 1s } }
  - { admin: { failover: contso } }
  - { ask: www.shop.example, expect: { datacenter: lhr } }
`,
    );
    const { code, stderr } = await tell(unknown);
    expect(code).toBe(2);
    expect(stderr.split("\n").filter((line) => line.startsWith(unknown))).toEqual([
      expect.stringMatching(/:4:21: "lrh" means no datacenter; did you mean "lhr"\?$/),
      expect.stringMatching(/:5:29: "bud" means no datacenter/),
      expect.stringMatching(/:6:26: "contso" is no tenant; did you mean "contoso"\?$/),
      `${unknown}:7:5: the configuration has no networks to ask from; say from where, as a prefix`,
    ]);
  });

  test.each([
    [["--clock", "fast"], "it is frozen, real or a number up to 1000"],
    [["--server", "nowhere"], '"nowhere" is not ADDRESS:PORT'],
  ])("%j", async (words, message) => {
    const { code, stderr } = await tell(story, ...words);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
