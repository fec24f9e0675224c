// The commands that talk to a running server, against one in memory: what they print, how they end, and what they say when
// there is no server or it says no.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Admin, AdminOptions } from "../../src/admin/admin.ts";
import { hashToken } from "../../src/admin/token.ts";
import { defaultAdmin, openAdmin } from "../../src/cli/admin.ts";
import { composeScreen, formatEvent, watchCommand } from "../../src/cli/watch.ts";
import { formatEndpoint } from "../../src/ip.ts";
import { portOf, startTestAdmin } from "../admin/client.ts";
import { FakeControl, startedAt } from "../admin/fake-control.ts";
import { call, type Going, type Outcome, run, startCommand } from "./program.ts";

const timeout = 30_000;
vi.setConfig({ testTimeout: timeout });
const folder = mkdtempSync(join(tmpdir(), "geodns365-admin-"));
afterAll(() => rmSync(folder, { recursive: true }));

let control: FakeControl;
let admin: Admin;
let url = "";
beforeEach(async () => {
  control = new FakeControl();
  await restart({});
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await admin.close();
});

async function restart(options: Partial<AdminOptions>): Promise<void> {
  await admin?.close();
  admin = await startTestAdmin(control, options);
  url = `http://127.0.0.1:${portOf(admin)}`;
}

/** Runs a command against the server. */
const tell = (line: string): Promise<Outcome> => call([...line.split(" "), "--admin", url]);
const good = (...lines: readonly string[]): Outcome => ({
  code: 0,
  stdout: lines.map((line) => `${line}\n`).join(""),
  stderr: "",
});

describe("as a process", { timeout }, () => {
  test("a datacenter goes down by one command, and its state is listed", async () => {
    const words = ["datacenter", "set", "lhr", "down", "--reason", "a flood", "--for", "10m", "--admin", url];
    const until = "2026-11-25T12:10:00.000Z";
    expect(await run(words)).toEqual(good(`override 1: Worldwide/lhr is down until ${until} (a flood)`));
    expect(await run(["datacenter", "list", "--admin", url])).toEqual(
      good(
        "ID             STATE  CITY       ROLES      WHY",
        `Worldwide/lhr  down   London     front-end  override 1 until ${until} (a flood)`,
        "Worldwide/dub  up     Dublin     front-end",
        `Worldwide/ams  down   Amsterdam  front-end  probes: down since ${startedAt} (2 probes failed)`,
      ),
    );
  });
});

describe("datacenter", () => {
  test("set takes patterns, and needs no reason and no end", async () => {
    expect(await tell("datacenter set Worldwide/*m* draining")).toEqual(
      good("override 1: Worldwide/ams is draining until it is removed"),
    );
    expect(await tell("datacenter set Worldwide/* up")).toEqual(
      good("override 2: Worldwide/lhr, Worldwide/dub, Worldwide/ams are up until it is removed"),
    );
  });

  test("what an operator has written cannot steer a terminal", async () => {
    const outcome = await call([
      "datacenter",
      "set",
      "lhr",
      "down",
      "--reason",
      "\x1b[2Jgone",
      "--admin",
      url,
    ]);
    expect(outcome.stdout).toContain("(\\x1b[2Jgone)");
    expect((await tell("datacenter list")).stdout).toContain("(\\x1b[2Jgone)");
    expect((await tell("override list")).stdout).toContain("\\x1b[2Jgone");
  });
});

describe("tenant", () => {
  test("list and show", async () => {
    expect(await tell("tenant list")).toEqual(
      good(
        "LABEL       CLOUD      GEO  ACTIVE         STANDBY        SERVED BY",
        "contoso     Worldwide  EUR  Worldwide/dub  Worldwide/ams  Worldwide/dub",
        "contosoNAM  Worldwide  EUR  Worldwide/lhr                 Worldwide/lhr",
      ),
    );
    expect((await tell("tenant list --limit 1")).stdout).toContain(
      "and 1 more; --limit N shows more of them\n",
    );
    const { code, stdout } = await tell("tenant show contoso");
    expect([code, stdout]).toEqual([0, expect.stringContaining("servedBy  Worldwide/dub\n")]);
  });

  test("failover, failback and move say who serves it then", async () => {
    expect(await tell("tenant failover contoso --reason drill")).toEqual(
      good("contoso is served by Worldwide/ams, its standby; Worldwide/dub is its active datacenter"),
    );
    expect((await tell("tenant list")).stdout).toMatch(/^contoso .* Worldwide\/ams {2}failed over$/m);
    expect(await tell("tenant failback contoso")).toEqual(
      good("contoso is served by Worldwide/dub, its active datacenter"),
    );
    expect(await tell("tenant move contoso Worldwide/lhr")).toEqual(
      good("contoso is served by Worldwide/lhr, its active datacenter"),
    );
  });
});

describe("override", () => {
  test("list and remove", async () => {
    expect(await tell("override list")).toEqual(good("no overrides"));
    await tell("datacenter set lhr down --for 1h");
    expect(await tell("override list")).toEqual(
      good(
        "NUMBER  TARGET  STATE  SINCE                     UNTIL                     REASON",
        `1       lhr     down   ${startedAt}  2026-11-25T13:00:00.000Z`,
      ),
    );
    expect(await tell("override remove 1")).toEqual(
      good("removed override 1: Worldwide/lhr is down until 2026-11-25T13:00:00.000Z"),
    );
  });
});

describe("reload", () => {
  test("prints what is other than before", async () => {
    expect(await tell("reload")).toEqual(good("network oslo-office is new", "snapshot 2 answers"));
  });

  test("prints the errors of the configuration as check does, and is exit code 1", async () => {
    control.reloadErrors = ["a.yaml:1:1: no\n  x: 1\n  ^"];
    const last = "the configuration has 1 error; the one before stays";
    expect(await tell("reload")).toEqual({
      code: 1,
      stdout: "",
      stderr: `a.yaml:1:1: no\n  x: 1\n  ^\n${last}\n`,
    });
  });
});

test("status says what answers, and what is not up", async () => {
  control.reloadErrors = ["a.yaml:1:1: no"];
  expect(await tell("status")).toEqual(
    good(
      "version        0.1.0",
      `started        ${startedAt}`,
      "listening      127.0.0.1:5300",
      "configuration  config/geodns365.yaml",
      `snapshot       1 since ${startedAt}`,
      "zones          2",
      "GeoIP          none",
      "state          file .geodns365/state.json",
      "not up         Worldwide/ams",
      "the last reload found errors, so the configuration before it stays:",
      "a.yaml:1:1: no",
    ),
  );
});

describe("journal", () => {
  const first = `${startedAt} outlook.office365.com. A from 10.1.0.0/24 by 127.0.0.1 in london-office over udp: NOERROR Worldwide/lhr, nearest`;
  test("prints queries, the oldest first, filtered by the server", async () => {
    control.ask();
    control.ask({
      qname: "nosuch.example.",
      rcode: "REFUSED",
      transport: "tcp",
      clientSubnet: undefined,
      location: undefined,
      datacenter: undefined,
      reason: undefined,
    });
    const second = `${startedAt} nosuch.example. A from 127.0.0.1 over tcp: REFUSED`;
    expect(await tell("journal")).toEqual(good(first, second));
    expect(await tell("journal --name outlook.* --transport udp")).toEqual(good(first));
    expect(await tell("journal --limit 1")).toEqual(good(second));
    const { stdout } = await tell("journal --json");
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).number),
    ).toEqual([1, 2]);
  });

  test("--follow goes on with those to come, until Ctrl-C", { timeout }, async () => {
    control.ask();
    const going = startCommand(["journal", "--follow", "--rcode", "NOERROR", "--admin", url]);
    await going.printed("outlook.office365.com.");
    control.ask({ qname: "other.example.", rcode: "REFUSED" });
    control.ask({ qname: "new.example." });
    await going.printed("new.example.");
    const { code, stdout, stderr } = await going.stop();
    expect([code, stderr]).toEqual([0, ""]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ")[1]),
    ).toEqual(["outlook.office365.com.", "new.example."]);
  });
});

describe("watch", { timeout }, () => {
  const started: Going[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((going) => going.stop("SIGKILL")));
  });
  const watch = async (...args: readonly string[]): Promise<Going> => {
    const going = startCommand(["watch", "--admin", url, ...args]);
    started.push(going);
    await going.printed("watching; Ctrl-C ends it");
    return going;
  };

  test("prints a line an event where there is no terminal, and Ctrl-C ends it well", async () => {
    const going = await watch();
    await tell("datacenter set lhr down --reason flood");
    control.ask();
    await going.printed("outlook.office365.com.");
    const { code, stdout, stderr } = await going.stop();
    expect([code, stderr]).toEqual([0, "watching; Ctrl-C ends it\n"]);
    expect(stdout.split("\n")[0]).toBe("datacenter Worldwide/lhr was up and is down (flood)");
  });

  test("--json prints events as JSON lines", async () => {
    const going = await watch("--json");
    await tell("tenant failover contoso");
    await going.printed("}\n");
    const { code, stdout } = await going.stop("SIGTERM");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: "tenant", tenant: { serving: "standby" } });
  });

  test("says when the server ends, with exit code 1", async () => {
    const going = await watch();
    await admin.close();
    expect(await going.ended()).toMatchObject({
      code: 1,
      stderr: `watching; Ctrl-C ends it\nthe server at ${url} has ended\n`,
    });
  });

  test("draws a table on a terminal, anew with what happens, and gives the terminal back", async () => {
    const { stdout } = process;
    const before = { isTTY: stdout.isTTY, columns: stdout.columns, rows: stdout.rows };
    Object.assign(stdout, { isTTY: true, columns: 100, rows: 20 });
    let text = "";
    const spy = vi.spyOn(stdout, "write").mockImplementation((written) => {
      text += String(written);
      return true;
    });
    const screen = (): string => text.split("\x1b[H\x1b[2J").at(-1) ?? "";
    try {
      const ended = watchCommand({ admin: url, json: false });
      await expect.poll(screen, { timeout }).toContain("Worldwide/lhr  up ");
      await control.setDatacenter({ target: "lhr", state: "down", reason: "flood", forSeconds: undefined });
      control.ask();
      await expect
        .poll(screen, { timeout })
        .toMatch(/Worldwide\/lhr {2}down [\s\S]*outlook\.office365\.com\./);
      expect(screen()).toContain("override 1: Worldwide/lhr is down until it is removed (flood)");
      process.emit("SIGINT");
      expect(await ended).toBe(0);
      expect(text.startsWith("\x1b[?1049h\x1b[?25l")).toBe(true);
      expect(text.endsWith("\x1b[?25h\x1b[?1049l")).toBe(true);
    } finally {
      spy.mockRestore();
      Object.assign(stdout, before);
    }
  });

  test("keeps within the terminal, with room for queries", () => {
    const server = Array.from({ length: 30 }, (_, i) => `datacenter ${i}`);
    const queries = Array.from({ length: 30 }, (_, i) => `query ${i} ${"x".repeat(100)}`);
    const shown = composeScreen(server, ["a note"], queries, { columns: 40, rows: 12 });
    expect(shown).toHaveLength(12);
    expect(Math.max(...shown.map(({ length }) => length))).toBeLessThanOrEqual(40);
    expect(shown.slice(0, 10).map((line) => line.slice(0, 12))).toEqual([
      "datacenter 0",
      "datacenter 1",
      "datacenter 2",
      "datacenter 3",
      "datacenter 4",
      "datacenter 5",
      "datacenter 6",
      "... 25 more",
      "",
      "query 0 xxxx",
    ]);
    expect(composeScreen(["a"], [], ["q"], { columns: 40, rows: 12 })).toEqual(["a", "", "q"]);
  });

  test("has words for each kind of event", () => {
    const [tenant] = control.tenants();
    if (tenant === undefined) throw new Error("there is a tenant");
    expect(formatEvent({ kind: "tenant", tenant })).toBe(
      "tenant contoso is served by Worldwide/dub (as configured)",
    );
    expect(formatEvent({ kind: "reload", outcome: "errors", lines: ["a:1:1: no", "b"] })).toBe(
      "reload errors; a:1:1: no; b",
    );
    const override = { number: 7, target: "lhr", state: "down", since: startedAt, until: undefined } as const;
    const ended = { ...override, reason: undefined, datacenters: ["Worldwide/lhr"] };
    expect(formatEvent({ kind: "override-ended", override: ended })).toBe(
      "ended: override 7: Worldwide/lhr is down until it is removed",
    );
  });
});

describe("--json", () => {
  test.each([
    ["datacenter list", (json: { datacenters: unknown[] }) => json.datacenters.length === 3],
    ["datacenter set lhr down", (json: { number: number }) => json.number === 1],
    ["tenant list", (json: { total: number }) => json.total === 2],
    ["tenant show contoso", (json: { label: string }) => json.label === "contoso"],
    ["tenant move contoso Worldwide/lhr", (json: { active: string }) => json.active === "Worldwide/lhr"],
    ["override list", (json: { overrides: unknown[] }) => json.overrides.length === 0],
    ["reload", (json: { snapshot: number }) => json.snapshot === 2],
    ["status", (json: { notUp: string[] }) => json.notUp[0] === "Worldwide/ams"],
  ])("of %s", async (line, isGood) => {
    const { code, stdout, stderr } = await tell(`${line} --json`);
    expect([code, stderr]).toEqual([0, ""]);
    expect(isGood(JSON.parse(stdout))).toBe(true);
  });
});

describe("where the server is", () => {
  test("is told by GEODNS365_ADMIN, with or without http://", async () => {
    vi.stubEnv("GEODNS365_ADMIN", url);
    expect((await call(["override", "list"])).stdout).toBe("no overrides\n");
    vi.stubEnv("GEODNS365_ADMIN", url.slice("http://".length));
    expect((await call(["override", "list"])).stdout).toBe("no overrides\n");
  });

  test("and nobody is there: one line that says what to do, exit code 1", async () => {
    await admin.close();
    for (const line of [
      "datacenter list",
      "tenant failover contoso",
      "reload",
      "status",
      "journal",
      "watch",
    ]) {
      expect(await tell(line)).toEqual({
        code: 1,
        stdout: "",
        stderr: `no answer from ${url}: nobody listens there; start geodns365 serve, or name another with --admin\n`,
      });
    }
  });

  test("and something else is there", async () => {
    const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const at = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    expect(await call(["status", "--admin", at])).toEqual({
      code: 1,
      stdout: "",
      stderr: `what answers at ${at} is no geodns365 of this version; name another with --admin\n`,
    });
    other.close();
  });
});

describe("the token", () => {
  const token = "a-token-for-the-lab";
  beforeEach(() => restart({ tokenHash: hashToken(token) }));

  test("comes from GEODNS365_TOKEN or a file, which counts first", async () => {
    const path = join(folder, "token");
    writeFileSync(path, `${token}\n`);
    expect(await tell("override list")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "a token is needed: send Authorization: Bearer TOKEN, or set GEODNS365_TOKEN for the commands\n",
    });
    vi.stubEnv("GEODNS365_TOKEN", "another");
    expect(await tell("override list")).toMatchObject({
      code: 1,
      stderr: "this is not the token whose hash is admin.tokenHash; geodns365 token makes a new pair\n",
    });
    expect(await tell(`override list --token-file ${path}`)).toEqual(good("no overrides"));
    vi.stubEnv("GEODNS365_TOKEN", token);
    expect(await tell("override list")).toEqual(good("no overrides"));
  });

  test("that cannot be read is misuse", async () => {
    const { code, stderr } = await tell(`override list --token-file ${join(folder, "none")}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: the token cannot be read: .*; name its file with --token-file\n$/);
  });

  test("is made with its hash", async () => {
    const { token: made, tokenHash } = JSON.parse((await call(["token", "--json"])).stdout);
    expect(hashToken(made)).toBe(tokenHash);
    const { code, stdout } = await call(["token"]);
    expect(code).toBe(0);
    const [, printed = "", hash] = /^token {6}(\S+)\ntokenHash {2}(\S+)\n$/.exec(stdout) ?? [];
    expect(hashToken(printed)).toBe(hash);
  });
});

describe("what the server does not take", () => {
  test.each([
    ["datacenter set nowhere down", 2, 'error: "nowhere" means no datacenter'],
    ["tenant show contso", 2, 'error: "contso" is no tenant; GET /v1/tenants lists them'],
    ["override remove 9", 2, "error: there is no override 9"],
    ["tenant failover contosoNAM", 1, "contosoNAM has no standby"],
    ["journal --limit 20000", 2, 'error: "limit": expected a whole number from 1 to 10000, found 20000'],
  ])("%s", async (line, code, words) => {
    expect(await tell(line)).toEqual({ code, stdout: "", stderr: `${words}\n` });
  });

  test("a change that was not kept", async () => {
    control.nextFault = { code: "state-not-written", message: "the disk is full; make room and try again" };
    expect(await tell("datacenter set lhr down")).toEqual({
      code: 1,
      stdout: "",
      stderr: "the disk is full; make room and try again\n",
    });
  });
});

describe("misuse is one line and exit code 2", () => {
  test.each([
    [
      "datacenter set lhr asleep",
      "error: command-argument value 'asleep' is invalid for argument 'state'. Allowed choices are up, draining, down.",
    ],
    [
      "datacenter set lhr down --for 1w",
      `error: option '--for <duration>' argument '1w' is invalid. "1w" is not a duration like 90, 90s, 10m, 2h or 1d`,
    ],
    ["datacenter set lhr", "error: missing required argument 'state'"],
    ["datacenter lst", "error: unknown command 'lst' (Did you mean list?)"],
    [
      "override remove first",
      `error: command-argument value 'first' is invalid for argument 'number'. "first" is no whole number above 0`,
    ],
    ["reload now", "error: too many arguments for 'reload'. Expected 0 arguments but got 1: now."],
    ["status --admin lab/x", 'error: --admin "lab/x" is no URL like http://127.0.0.1:5380'],
    ["status --admin ftp://lab", 'error: --admin "ftp://lab" is no URL like http://127.0.0.1:5380'],
  ])("%s", async (line, words) => {
    expect(await call(line.split(" "))).toEqual({ code: 2, stdout: "", stderr: `${words}\n` });
  });
});

describe("the admin API of serve", () => {
  const warnings: string[] = [];
  const log = {
    error: (error: unknown) => expect.fail(String(error)),
    warn: (text: string) => warnings.push(text),
  };
  const unset = { listen: undefined, tokenHash: undefined, hosts: [] };
  const free = { address: "127.0.0.1", family: 4, port: 0 } as const;
  beforeEach(() => {
    warnings.length = 0;
  });

  test("listens where the flag says, or else where the configuration does", async () => {
    for (const [settings, flag] of [
      [{ ...unset, listen: [free] }, undefined],
      [{ ...unset, listen: [{ ...free, address: "192.0.2.1" }] }, free],
      ["off", free],
    ] as const) {
      const opened = await openAdmin(control, settings, flag, log);
      expect(opened?.listening).toHaveLength(1);
      await opened?.close();
    }
  });

  test("is off by either", async () => {
    expect(await openAdmin(control, "off", undefined, log)).toBeUndefined();
    expect(await openAdmin(control, { ...unset, listen: [free] }, "off", log)).toBeUndefined();
  });

  test("where it was asked for and cannot be is an error", async () => {
    const taken = { ...free, port: portOf(admin) };
    await expect(openAdmin(control, unset, taken, log)).rejects.toThrow(
      `cannot serve the admin API on ${formatEndpoint(taken)}: another program uses the port`,
    );
    await expect(openAdmin(control, { ...unset, listen: [taken] }, undefined, log)).rejects.toThrow();
    await expect(openAdmin(control, unset, { ...free, address: "0.0.0.0" }, log)).rejects.toThrow(
      "0.0.0.0:0 is not loopback, so the admin API needs a token there",
    );
    expect(warnings).toEqual([]);
  });

  test("where nobody asked for it and its port is taken is a warning", async () => {
    const taken = { ...free, port: portOf(admin) };
    expect(await openAdmin(control, unset, undefined, log, taken)).toBeUndefined();
    expect(warnings).toEqual([
      `cannot serve the admin API on ${formatEndpoint(taken)}: another program uses the port; stop it, or choose another with --admin; there is no admin API`,
    ]);
    expect(formatEndpoint(defaultAdmin)).toBe("127.0.0.1:5380");
  });
});
