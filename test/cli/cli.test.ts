// The program as an operator meets it: commands, one line an error, exit codes, and a server that starts and stops.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatGeoip } from "../../src/cli/geoip.ts";
import { readyLine } from "../../src/cli/serve.ts";
import type { ListenerSettings } from "../../src/config/configuration.ts";
import { loadConfig } from "../../src/config/load.ts";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { buildSnapshot, type Snapshot } from "../../src/snapshot.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";
import { prefix } from "../geo/prefixes.ts";
import { sendAll } from "../wire-client.ts";
import { call, type Running, run, startServe } from "./program.ts";

const root = resolve(import.meta.dirname, "../..");
const timeout = 30_000;

const folder = mkdtempSync(join(tmpdir(), "geodns365-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Five mistakes, of the shape and of what belongs together. */
const faulty = join(folder, "faulty.yaml");
writeFileSync(
  faulty,
  `server: { answr: full, udpPayloadSize: 100 }
log: { queries: offf }
---
networks:
  hq: { prefixes: [10.1.2.3/16], place: { city: London, country: GB, coordinates: [51.5, -0.1] } }
---
tenants:
  contoso: { cloud: Lab, geo: EUR, active: asm }
---
cloud: Lab
zones: [lab.example]
datacenters:
  ams: { city: Amsterdam, country: NL, coordinates: [52, 5], geo: EUR, roles: [tenants], addresses: [198.18.1.0/24] }
services: {}
`,
);
const faultyPlaces = ["1:11", "1:40", "2:17", "5:20", "8:44"];
const placesIn = (stderr: string): readonly string[] =>
  stderr
    .split("\n")
    .flatMap((line) => (line.startsWith(`${faulty}:`) ? (/:(\d+:\d+): /.exec(line)?.[1] ?? []) : []));

describe("help and version", { timeout }, () => {
  test("--version prints that of package.json", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("--help names every command", async () => {
    const { code, stdout, stderr } = await call(["--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    for (const command of [
      "init",
      "demo",
      "serve",
      "check",
      "explain",
      "matrix",
      "query",
      "reload",
      "status",
      "journal",
      "watch",
      "token",
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${command} \\[options\\]`, "m"));
    }
    for (const group of ["import", "datacenter", "tenant", "override"])
      expect(stdout).toMatch(new RegExp(`^  ${group} `, "m"));
  });

  test.each([
    [
      "serve",
      [
        "--config <file>",
        "--listen <addr:port...>",
        "--admin <addr:port|off>",
        "--transport <how>",
        "--workers <n|auto>",
        "--state <file|none>",
        "--help",
      ],
    ],
    ["check", ["--config <file>", "--strict", "--format <format>", "--silence <rule...>", "--help"]],
    [
      "matrix",
      [
        "--config <file>",
        "--state <file|none>",
        "--service <service...>",
        "--network <network...>",
        "--tenant <tenant...>",
        "--country <code...>",
        "--with <states...>",
        "--format <format>",
        "--diff <file>",
        "--diff-with <states...>",
        "--output <file>",
        "--help",
      ],
    ],
    [
      "explain",
      [
        "--from <prefix|network>",
        "--tenant <tenant>",
        "--with <what...>",
        "--at <time>",
        "--config <file>",
        "--state <file|none>",
        "--admin <url>",
        "--token-file <file>",
        "--format <format>",
        "--json",
        "--mermaid",
        "--help",
      ],
    ],
    ["query", ["--server <addr:port>", "--subnet <prefix>", "--tcp", "--help"]],
  ])("%s --help names every flag, and defaults in words", async (command, flags) => {
    const { code, stdout, stderr } = await call([command, "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`Usage: geodns365 ${command} [options]`);
    expect([...stdout.matchAll(/^ {2}(--[\w-]+(?: <[^>]+>)?)/gm)].map(([, flag]) => flag)).toEqual(flags);
    expect(stdout).not.toMatch(/default: *[[{]|default: false/);
  });

  test("no command at all prints the help, and is misuse", async () => {
    const { code, stdout, stderr } = await call([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: geodns365 [options] [command]");
  });
});

describe("misuse is one line and exit code 2", { timeout }, () => {
  const from = ["--from", "london-office"];
  test.each<readonly [args: readonly string[], line: string]>([
    [["chek"], "error: unknown command 'chek' (Did you mean check?)"],
    [["--bogus"], "error: unknown option '--bogus'"],
    [["serve", "--bogus"], "error: unknown option '--bogus'"],
    [["check", "--confg", "x"], "error: unknown option '--confg' (Did you mean --config?)"],
    [["check", "--config"], "error: option '--config <file>' argument missing"],
    [["check", "extra"], "error: too many arguments for 'check'. Expected 0 arguments but got 1: extra."],
    [["query"], "error: missing required argument 'name'"],
    [["explain", ...from], "error: missing required argument 'name'"],
    [["explain", "a.example"], "error: required option '--from <prefix|network>' not specified"],
    [
      ["explain", "a..example", ...from],
      `error: command-argument value 'a..example' is invalid for argument 'name'. "a..example" has an empty label`,
    ],
    [
      ["explain", "a.example", "AX", ...from],
      `error: command-argument value 'AX' is invalid for argument 'type'. "AX" is not a type`,
    ],
    [
      ["explain", "a.example", "--from", "10.0.0.0/33"],
      'error: "10.0.0.0/33" has a prefix length that is not between 0 and 32',
    ],
    [
      ["explain", "a.example", "--from", "10.1.2.3/16"],
      'error: "10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?',
    ],
    [
      ["explain", "a.example", "--from", "seatle-vpn"],
      'error: --from "seatle-vpn" is neither a prefix nor a network; did you mean "seattle-vpn"?',
    ],
    [
      ["explain", "a.example", ...from, "--tenant", "contso"],
      'error: --tenant "contso" is no tenant; did you mean "contoso"?',
    ],
    [
      ["explain", "a.example", "--from", "0.0.0.0/0"],
      "error: --from 0.0.0.0/0 has a prefix length of 0, which asks to use no client subnet (RFC 7871 §7.1.2); give a longer prefix",
    ],
    [
      ["explain", "a.example", ...from, "--with", "lhr=gone"],
      'error: --with "lhr=gone" is nothing to suppose, which is like lhr=down, geo:EUR=draining, contoso=standby or contoso->ams',
    ],
    [
      ["explain", "a.example", ...from, "--at", "noon"],
      'error: --at "noon" is neither a time like 2026-11-25T09:00:00Z nor a duration like 10m',
    ],
    [
      ["query", "a.example", "--server", "127.0.0.1:65536"],
      `error: option '--server <addr:port>' argument '127.0.0.1:65536' is invalid. "127.0.0.1:65536" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300`,
    ],
    [
      ["query", "a.example", "--subnet", "10.0.0.0/x"],
      `error: option '--subnet <prefix>' argument '10.0.0.0/x' is invalid. "10.0.0.0/x" has a prefix length that is not between 0 and 32`,
    ],
    [
      ["serve", "--listen", "5300"],
      `error: option '--listen <addr:port...>' argument '5300' is invalid. "5300" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300`,
    ],
    [
      ["serve", "--listen", "5300=london-office"],
      `error: option '--listen <addr:port...>' argument '5300=london-office' is invalid. "5300" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300`,
    ],
    [
      ["serve", "--listen", "127.0.0.1:0="],
      `error: option '--listen <addr:port...>' argument '127.0.0.1:0=' is invalid. "127.0.0.1:0=" names no network or prefix behind its =`,
    ],
  ])("%j", async (args, line) => {
    expect(await call(args)).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });

  test("of the program as a process too", async () => {
    const line = "error: unknown command 'bogus'";
    expect(await run(["bogus"])).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });

  test("a Node too old is told so by the program itself", async () => {
    const pretend =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.0.0"}});' +
      'Object.defineProperty(process,"version",{value:"v20.0.0"})';
    const line =
      'geodns365 needs Node 24 and this is v20.0.0: start it with "npm start" or "npx geodns365", which bring their own';
    const outcome = await run(["--version"], ["--import", pretend]);
    expect(outcome).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });
});

describe("check", { timeout }, () => {
  test("says what the default configuration holds", async () => {
    expect(await run(["check"])).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^good: 9 files, 4 clouds \(China, USGovDoD, USGovGCCHigh, Worldwide\), \d+ zones, 10 networks, 6 tenants\nGeoIP: embedded iptoasn-country of 2026-06-\d\d\n$/,
      ),
      stderr: "",
    });
  });

  test("prints every error of a faulty one with its place, line and a mark, and how many they are", async () => {
    const { code, stdout, stderr } = await call(["check", "--config", faulty]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(placesIn(stderr)).toEqual(faultyPlaces);
    expect(stderr).toContain(
      [
        `${faulty}:8:44: "asm" is no datacenter of Lab; did you mean "ams"?`,
        "    contoso: { cloud: Lab, geo: EUR, active: asm }",
        "                                             ^",
        "5 errors\n",
      ].join("\n"),
    );
  });

  test("says of one error that it is one", async () => {
    const { code, stderr } = await call(["check", "--config", join(folder, "no-such.yaml")]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${join(folder, "no-such.yaml")}:1:1: the configuration cannot be read: there is no such file; name a file with --config\n1 error\n`,
    );
  });
});

describe("explain", { timeout }, () => {
  const outlook = ["explain", "outlook.office365.com", "--from", "seattle-vpn", "--tenant", "contoso"];

  test("prints the steps, and nothing else", async () => {
    const { code, stdout, stderr } = await run(outlook);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")[0]).toBe("outlook.office365.com. A from 10.9.0.0/16: NOERROR");
    expect(stdout).toContain("which proxies to Worldwide/dub: Dublin is active for contoso.\n");
  });

  test("prints the same as JSON", async () => {
    const { code, stdout } = await call([...outlook, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      location: { name: "seattle-vpn" },
      secondHop: { target: "Worldwide/dub" },
    });
  });

  test("takes a prefix, which may lie inside a network, and a satellite, in whatever case", async () => {
    const args = ["explain", "outlook.office365.com", "AAAA", "--from", "2001:db8:3:1::/64"];
    const { stdout } = await call([...args, "--tenant", "Fabrikameur", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      from: "2001:db8:3:1::/64",
      location: { name: "singapore-office", prefix: "2001:db8:3::/48" },
      secondHop: { target: "Worldwide/ams" },
    });
  });

  test("supposes states for itself alone, given one by one or together", async () => {
    const { code, stdout } = await call([
      ...outlook,
      "--with",
      "eat=down,contoso=standby",
      "--with",
      "phx=draining",
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Supposed for this alone: eat=down, contoso=standby, phx=draining, at \S+Z$/m);
    expect(stdout).toContain("   Worldwide/phx is draining, and now up\n");
    expect(stdout).toContain(
      "The client connects to the front end Worldwide/mdw, which proxies to Worldwide/ams: Amsterdam is standby for contoso.",
    );
  });

  test.each([[["--mermaid"]], [["--format", "mermaid"]]])("draws with %j", async (flags) => {
    const { code, stdout } = await call([...outlook, ...flags]);
    expect([code, stdout.split("\n")[0]]).toEqual([0, "flowchart TD"]);
  });

  test("passes on warnings of what was loaded", async () => {
    const config = join(folder, "warned.yaml");
    writeFileSync(
      config,
      "server: { stateFile: warned.json }\nzones: [lab.example]\ngeoip: { database: none }\n",
    );
    writeFileSync(join(folder, "warned.json"), "{");
    const { code, stderr } = await call([
      "explain",
      "lab.example",
      "--from",
      "10.0.0.0/8",
      "--config",
      config,
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: .*warned\.json/);
  });

  test("a faulty configuration gives its errors and exit code 1", async () => {
    const { code, stdout, stderr } = await call([
      ...["explain", "a.example", "--from", "10.0.0.0/8"],
      ...["--config", faulty],
    ]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(placesIn(stderr)).toEqual(faultyPlaces);
  });
});

describe("serve and query", { timeout }, () => {
  let server: Running;
  beforeAll(async () => {
    server = await startServe();
  }, timeout);
  afterAll(() => server.stop(), timeout);

  const query = (...args: readonly string[]) => run(["query", ...args, "--server", server.address]);

  test("serve says where it listens and what to try", () => {
    const port = server.address.split(":")[1];
    expect(Number(port)).toBeGreaterThan(0);
    expect(server.readyLine).toBe(
      `geodns365 serves 50 zones on 127.0.0.1:${port} over UDP and TCP; try: dig @127.0.0.1 -p ${port} outlook.office365.com A +subnet=10.1.0.0/16`,
    );
  });

  const outlookIn = (code: string, address: string): string =>
    [
      "; question: outlook.office365.com. IN A",
      "; answer",
      "outlook.office365.com. 300 CNAME outlook.ms-acdc.office.com.",
      `outlook.ms-acdc.office.com. 60 CNAME ${code}-efz.ms-acdc.office.com.`,
      ...[1, 2, 3, 4].map((i) => `${code}-efz.ms-acdc.office.com. 10 A ${address}.${i}`),
      "",
    ].join("\n");

  test("query over UDP is answered by the place of its source", async () => {
    expect(await query("outlook.office365.com")).toEqual({
      code: 0,
      stdout: `; NOERROR, flags aa rd, from ${server.address} over udp\n${outlookIn("LHR", "198.18.1")}`,
      stderr: "",
    });
  });

  test("query --subnet by that of the client subnet, with its scope", async () => {
    expect(await query("outlook.office365.com", "A", "--subnet", "10.4.0.0/24")).toEqual({
      code: 0,
      stdout: [
        `; NOERROR, flags aa rd, from ${server.address} over udp`,
        "; client subnet 10.4.0.0/24, scope 16",
        outlookIn("SYD", "198.18.14"),
      ].join("\n"),
      stderr: "",
    });
  });

  test("query --tcp over TCP", async () => {
    const { code, stdout } = await call([
      "query",
      "outlook.office365.com",
      "--tcp",
      "--server",
      server.address,
    ]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `; NOERROR, flags aa rd, from ${server.address} over tcp\n${outlookIn("LHR", "198.18.1")}`,
    );
  });

  test("query has exit code 1 for NXDOMAIN, whose SOA it prints", async () => {
    const { code, stdout } = await call(["query", "nobody.sharepoint.com", "--server", server.address]);
    expect(code).toBe(1);
    expect(stdout).toContain("; NXDOMAIN, flags aa rd, ");
    expect(stdout).toContain("; authority\nsharepoint.com. 60 SOA ns1.sharepoint.com. ");
  });

  test("query has exit code 1 for REFUSED", async () => {
    const { code, stdout } = await call(["query", "www.example.com", "--server", server.address]);
    expect([code, stdout.split(",")[0]]).toEqual([1, "; REFUSED"]);
  });

  test("serve logs each query in a line of JSON where no terminal is", async () => {
    await server.logged("outlook.office365.com. A from 127.0.0.1 for 10.4.0.0/24");
    const line = server
      .log()
      .split("\n")
      .find((text) => text.includes("10.4.0.0/24"));
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      msg: "outlook.office365.com. A from 127.0.0.1 for 10.4.0.0/24 (sydney-office): NOERROR Worldwide/syd (nearest, scope 16)",
      query: { qname: "outlook.office365.com.", via: "client-subnet", location: "sydney-office" },
    });
  });

  test("a second server on the same port says which port and what to do", async () => {
    const { code, stdout, stderr } = await run(["serve", "--listen", server.address]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"))).toEqual([
      `cannot listen on ${server.address} over UDP: another program uses the port; stop it or choose another with --listen`,
    ]);
  });
});

describe("serve as if from elsewhere", { timeout }, () => {
  test("--listen takes what a listener stands for", async () => {
    const server = await startServe([
      ...["--listen", "127.0.0.1:0=sydney-office"],
      ...["--listen", "[::1]:0=2001:db8:3::/48"],
    ]);
    const port = server.address.split(":")[1];
    const [, second] = /\[::1\]:(\d+)/.exec(server.readyLine) ?? [];
    expect(server.readyLine).toBe(
      `geodns365 serves 50 zones as sydney-office on 127.0.0.1:${port} and as 2001:db8:3::/48 on [::1]:${second} over UDP and TCP; try: dig @127.0.0.1 -p ${port} outlook.office365.com A`,
    );
    const ask = async (at: string): Promise<string> =>
      (await call(["query", "portal.geo.office.com", "CNAME", "--server", at])).stdout;
    expect(await ask(server.address)).toContain(" SYD-portal.office.com.");
    expect(await ask(`[::1]:${second}`)).toContain(" SIN-portal.office.com.");
    const { stderr } = await server.stop();
    expect(stderr).toContain('"via":"vantage","vantage":"sydney-office"');
    expect(stderr).toContain("CNAME from ::1 as 2001:db8:3::/48 (singapore-office)");
  });

  test.each([
    ["londn-office", '"londn-office" is neither a network nor a prefix; did you mean "london-office"?'],
    ["10.1.2.3/16", '"10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?'],
  ])("--listen 127.0.0.1:0=%s is misuse", async (vantage, words) => {
    const { code, stdout, stderr } = await run(["serve", "--listen", `127.0.0.1:0=${vantage}`]);
    expect([code, stdout]).toEqual([2, ""]);
    const said = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
    expect(said).toEqual([`error: --listen 127.0.0.1:0=${vantage}: ${words}`]);
  });

  test("a network that SIGHUP moves takes its listener along; one that is gone is told of", async () => {
    const config = join(folder, "moves.yaml");
    const write = (networks: string): void =>
      writeFileSync(
        config,
        `geoip: { database: none }
zones: [lab.example]
tailored: { lab.example: { where: { networks: { hq: [TXT here], 10.2.0.0/16: [TXT there] }, default: [TXT elsewhere] } } }
---
networks: { ${networks}, other: { prefixes: [10.9.0.0/16], place: { city: Oslo, country: "NO", coordinates: [60, 11] } } }
`,
      );
    const hq = (prefix: string): string =>
      `hq: { prefixes: [${prefix}], place: { city: Oslo, country: "NO", coordinates: [60, 11] } }`;
    write(hq("10.1.0.0/16"));
    const server = await startServe(["--config", config, "--listen", "127.0.0.1:0=hq"]);
    const ask = async (): Promise<string> =>
      (await call(["query", "where.lab.example", "TXT", "--server", server.address])).stdout;
    expect(await ask()).toContain('TXT "here"');
    write(hq("10.3.0.0/16"));
    process.kill(server.pid, "SIGHUP");
    await server.logged("the configuration is loaded anew");
    expect(await ask()).toContain('TXT "here"');
    writeFileSync(
      config,
      readFileSync(config, "utf8")
        .replace("{ hq: [TXT here], ", "{ ")
        .replace(hq("10.3.0.0/16"), hq("10.3.0.0/16").replace("hq:", "head:")),
    );
    process.kill(server.pid, "SIGHUP");
    await server.logged("no network is named hq now; listeners that stand for it stay where it was");
    expect(await ask()).toContain('TXT "elsewhere"');
    await server.stop();
  });
});

describe("a log that nobody reads", { timeout }, () => {
  test("does not stop the answers, and says later how many lines were dropped", async () => {
    const server = await startServe(undefined, { readLog: false });
    const query = renderQuery(
      { qname: nameOctets(nameOf("outlook.office365.com.")), qtype: TYPE.A, qclass: CLASS.IN },
      { id: 1, recursionDesired: false, edns: undefined },
    );
    const port = Number(server.address.split(":")[1]);
    const replies = await sendAll(port, "tcp", Array<Uint8Array>(8000).fill(query));
    expect(replies).toHaveLength(8000);
    await server.logged("lines of the log were dropped");
    expect((await server.stop()).code).toBe(0);
  });

  test("does not keep the server from its end", async () => {
    const server = await startServe(undefined, { readLog: false });
    const query = renderQuery(
      { qname: nameOctets(nameOf("outlook.office365.com.")), qtype: TYPE.A, qclass: CLASS.IN },
      { id: 1, recursionDesired: false, edns: undefined },
    );
    await sendAll(Number(server.address.split(":")[1]), "tcp", Array<Uint8Array>(8000).fill(query));
    expect(await server.exit("SIGTERM")).toBe(0);
  });
});

describe("the line of a server that is ready", () => {
  const at = [{ address: "127.0.0.1", family: 4, port: 5300 }] as const;
  function snapshotOf(yaml: string): Snapshot {
    const path = join(folder, "ready.yaml");
    writeFileSync(path, yaml);
    const loaded = loadConfig(path);
    if (loaded.kind === "errors") throw new Error("it has errors");
    return buildSnapshot(loaded.configuration, undefined);
  }

  test("is one line with all the listeners of the default lab", () => {
    const loaded = loadConfig(join(root, "config/geodns365.yaml"));
    if (loaded.kind === "errors") throw new Error("the default lab has errors");
    const { configuration } = loaded;
    const snapshot = buildSnapshot(configuration, undefined);
    expect(readyLine(configuration.settings.listen, snapshot)).toBe(
      "geodns365 serves 50 zones on 127.0.0.1:5300 and [::1]:5300, and as 9 networks on 127.0.1.1:5300 to 127.0.1.9:5300 over UDP and TCP; try: dig @127.0.0.1 -p 5300 outlook.office365.com A +subnet=10.1.0.0/16",
    );
  });

  test("names each of a few, or of those that are in no row", () => {
    const snapshot = snapshotOf("zones: [lab.example]\n");
    const standing = ["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.5"].map(
      (address, i): ListenerSettings => {
        const vantage = { kind: "prefix", prefix: prefix(`10.${i}.0.0/16`) } as const;
        return { address, family: 4, port: 53, vantage };
      },
    );
    expect(readyLine([...at, ...standing.slice(0, 2)], snapshot)).toContain(
      " on 127.0.0.1:5300, and as 10.0.0.0/16 on 127.0.1.1:53 and as 10.1.0.0/16 on 127.0.1.2:53 over UDP",
    );
    expect(readyLine(standing, snapshot)).toContain(
      " as 4 networks on 127.0.1.1:53 127.0.1.2:53 127.0.1.3:53 127.0.1.5:53 over UDP",
    );
  });

  test("proposes a zone's SOA where there is no service", () => {
    expect(readyLine(at, snapshotOf("zones: [lab.example]\n"))).toMatch(
      /; try: dig @127\.0\.0\.1 -p 5300 lab\.example\. SOA$/,
    );
  });

  test("proposes a name with rules where there is no service", () => {
    const names = `"*.any": { default: [A 192.0.2.1] }, geo: { default: [MX 10 mail, A 192.0.2.1] }`;
    const yaml = `zones: [lab.example]\ntailored: { lab.example: { ${names} } }\n`;
    expect(readyLine(at, snapshotOf(yaml))).toMatch(/ geo\.lab\.example\. A$/);
  });

  const cloud = `cloud: Lab
zones: [lab.example]
datacenters:
  ams: { city: Amsterdam, country: NL, coordinates: [52, 5], geo: EUR, roles: [front-end], addresses: [198.18.1.0/24] }
services:
  mail: { policy: nearest-datacenter, names: [mail.lab.example], ttl: 60, addresses: { slice: 0, count: 1 } }
`;
  test("proposes a name of the configuration's own", () => {
    expect(readyLine(at, snapshotOf(cloud))).toMatch(/ mail\.lab\.example A$/);
  });

  test("tells which GeoIP database is loaded", () => {
    const snapshot = snapshotOf(cloud);
    expect(formatGeoip(snapshot)).toBe("GeoIP: none, so public addresses are at the default location");
    const geoip = { buildDate: new Date("2026-01-02"), databaseType: "GeoLite2-City" };
    const place = { file: "a.yaml", line: 1, column: 1 };
    const geoipDatabase = { kind: "file", path: "/lab/city.mmdb", place, sourceLine: "" } as const;
    const { configuration } = snapshot;
    const settings = { ...configuration.settings, geoipDatabase };
    expect(formatGeoip({ ...snapshot, geoip, configuration: { ...configuration, settings } })).toBe(
      "GeoIP: /lab/city.mmdb (GeoLite2-City) of 2026-01-02",
    );
  });
});

describe.concurrent("serve", { timeout }, () => {
  test.each(["SIGTERM", "SIGINT"] as const)("ends with exit code 0 on %s, and says so", async (signal) => {
    const server = await startServe();
    const { code, stderr } = await server.stop(signal);
    expect(code).toBe(0);
    expect(stderr).toContain(`"msg":"stopped by ${signal}"`);
  });

  test("with five mistakes prints all five and opens no socket", async () => {
    // The port is taken, so that trying to listen on it would show.
    const holder = createSocket("udp4").bind(0, "127.0.0.1");
    await once(holder, "listening");
    const listen = `127.0.0.1:${holder.address().port}`;
    const { code, stdout, stderr } = await run(["serve", "--config", faulty, "--listen", listen]);
    holder.close();
    expect([code, stdout]).toEqual([1, ""]);
    expect(placesIn(stderr)).toEqual(faultyPlaces);
    expect(stderr).not.toContain("listen on");
  });

  test("warns of nothing with the default configuration", async () => {
    const server = await startServe();
    const { stderr } = await server.stop();
    const levels = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).level);
    expect(levels).toEqual([30, 30]);
  });

  test("listens where the configuration says if the command line says nothing", async () => {
    const config = join(folder, "two-listeners.yaml");
    writeFileSync(
      config,
      'server: { listen: ["127.0.0.1:0", "127.0.0.1:0"] }\ngeoip: { database: none }\nzones: [lab.example]\n',
    );
    const server = await startServe(["--config", config]);
    await server.stop();
    expect(server.readyLine).toMatch(/ 1 zone on 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+ over UDP and TCP; /);
  });

  test("listens where the command line says, and nowhere else", async () => {
    const config = join(folder, "elsewhere.yaml");
    writeFileSync(
      config,
      'server: { listen: ["192.0.2.1:53"] }\ngeoip: { database: none }\nzones: [lab.example]\n',
    );
    const two = ["--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"];
    const server = await startServe(["--config", config, ...two]);
    await server.stop();
    expect(server.readyLine).toMatch(/ on 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+ over UDP and TCP; /);
  });
});

describe("a scripted zone", { timeout }, () => {
  const handler = (text: string): string => `import { Packet } from "dns2";
console.log("loaded ${text}");
export default (request, send) => {
  const response = Packet.createResponseFromRequest(request);
  response.answers.push({ name: request.questions[0].name, type: 16, class: 1, ttl: 5, data: "${text}" });
  send(response);
};
`;
  const labOf = (name: string, text: string, settings = ""): string => {
    const config = join(folder, `${name}.yaml`);
    const zone = `{ zone: api.example, handler: ${name}.js, deadlineMilliseconds: 5000 }`;
    writeFileSync(config, `${settings}geoip: { database: none }\nzones:\n  - ${zone}\n`);
    writeFileSync(join(folder, `${name}.js`), text);
    return config;
  };
  const ask = async ({ address }: Running): Promise<string> =>
    (await call(["query", "www.api.example", "TXT", "--server", address])).stdout.split("\n").at(-2) ?? "";

  test("check loads the module, and tells what is wrong with it at its place", async () => {
    const good = await call(["check", "--config", labOf("good", handler("x"))]);
    expect(good.code).toBe(0);
    const config = labOf("bad", "throw new Error('no luck');");
    const { code, stdout, stderr } = await call(["check", "--config", config]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n")[0]).toBe(
      `${config}:3:35: the handler cannot be loaded: Error: no luck, in line 1`,
    );
    expect(stderr).toMatch(/\n1 error\n$/);
  });

  test("serve does not start with a handler that cannot be used", async () => {
    const config = labOf("unusable", "export default 3;");
    const { code, stdout, stderr } = await run(["serve", "--config", config, "--listen", "127.0.0.1:0"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`${config}:3:35: the handler exports no handler; `);
  });

  test("what a handler prints goes to the log, and the first line is that of the server", async () => {
    const server = await startServe([
      "--config",
      labOf("prints", handler("printed")),
      "--listen",
      "127.0.0.1:0",
    ]);
    await server.logged("the handler of api.example. prints: loaded printed");
    const { stdout } = await server.stop();
    expect(stdout).toBe(`${server.readyLine}\n`);
    expect(server.readyLine).toMatch(/ serves 1 zone on .* api\.example\. A$/);
  });

  test("SIGHUP loads configuration and module anew; with errors the old ones stay", async () => {
    const config = labOf("reload", handler("old"));
    const server = await startServe(["--config", config, "--listen", "127.0.0.1:0"]);
    expect(await ask(server)).toBe('www.api.example. 5 TXT "old"');

    labOf("reload", "export default 3;");
    process.kill(server.pid, "SIGHUP");
    await server.logged("the configuration was not loaded anew; the one before stays");
    expect(server.log()).toContain(`reload.yaml:3:35: the handler exports no handler; `);
    expect(await ask(server)).toBe('www.api.example. 5 TXT "old"');

    labOf("reload", handler("new"), 'server: { listen: ["127.0.0.1:1"] }\n');
    process.kill(server.pid, "SIGHUP");
    await server.logged("the configuration is loaded anew: 1 zone");
    expect(server.log()).toContain(
      "server.listen and server.tcp are others now; they count from the next start",
    );
    expect(await ask(server)).toBe('www.api.example. 5 TXT "new"');

    writeFileSync(config, "zones: [api..example]\n");
    process.kill(server.pid, "SIGHUP");
    await server.logged("has an empty label");
    expect(await ask(server)).toBe('www.api.example. 5 TXT "new"');
    const { code, stdout } = await server.stop();
    expect([code, stdout]).toEqual([0, `${server.readyLine}\n`]);
  });
});

describe("a GeoIP file", { timeout }, () => {
  const database = join(folder, "places.mmdb");
  const config = join(folder, "geoip.yaml");
  writeFileSync(
    config,
    `geoip: { database: places.mmdb }
zones: [lab.example]
tailored:
  lab.example:
    www: { countries: { DE: [TXT Germany], FR: [TXT France] }, default: [TXT elsewhere] }
`,
  );
  const inCountry = (country: string, day: string): Buffer =>
    writeMmdb({ "192.0.2.0/24": { country_code: country } }, { buildDate: new Date(day) });
  const replaceBy = (octets: Buffer): void => {
    writeFileSync(`${database}.new`, octets);
    renameSync(`${database}.new`, database);
  };
  const ask = async ({ address }: Running): Promise<string> => {
    const args = ["query", "www.lab.example", "TXT", "--subnet", "192.0.2.0/24", "--server", address];
    return (await call(args)).stdout.split("\n").at(-2) ?? "";
  };
  const answer = (text: string): string => `www.lab.example. 3600 TXT "${text}"`;

  test("is read again when it changes; a bad one leaves the old one serving, and says so in a line", async () => {
    writeFileSync(database, inCountry("DE", "2026-03-01"));
    const server = await startServe(["--config", config, "--listen", "127.0.0.1:0"]);
    expect(server.log()).toContain("(Test) of 2026-03-01");
    expect(await ask(server)).toBe(answer("Germany"));

    replaceBy(inCountry("FR", "2026-03-02"));
    await server.logged("(Test) of 2026-03-02");
    await server.logged("the configuration is loaded anew: 1 zone");
    expect(await ask(server)).toBe(answer("France"));

    // As a copy that was broken off leaves it.
    writeFileSync(database, inCountry("DE", "2026-03-03").subarray(0, 100));
    const bad = `${config}:1:20: "${database}" cannot be used as a GeoIP database: not a MaxMind DB file, or cut short: it has no metadata`;
    await server.logged('still serves"}');
    const lines = server.log().split("\n");
    const warning = JSON.parse(lines.find((line) => line.includes("no metadata")) ?? "{}");
    expect(warning).toMatchObject({
      level: 40,
      msg: `${bad}; nothing is loaded anew, and the database of 2026-03-02 still serves`,
    });
    expect(await ask(server)).toBe(answer("France"));

    rmSync(database);
    await server.logged(`"${database}\\" cannot be read: there is no such file; nothing is loaded anew`);
    expect(await ask(server)).toBe(answer("France"));

    writeFileSync(database, inCountry("DE", "2026-03-04"));
    await server.logged("(Test) of 2026-03-04");
    const { code, stdout } = await server.stop();
    expect([code, stdout]).toEqual([0, `${server.readyLine}\n`]);
    expect(server.log()).not.toContain('"level":50');
  });

  test("that another configuration names is the one that is watched then", async () => {
    const moving = join(folder, "moving.yaml");
    const name = (file: string): void =>
      writeFileSync(moving, `geoip: { database: ${file} }\nzones: [lab.example]\n`);
    const [one, two] = [join(folder, "one.mmdb"), join(folder, "two.mmdb")];
    writeFileSync(one, inCountry("DE", "2026-04-01"));
    writeFileSync(two, inCountry("DE", "2026-04-02"));
    name("one.mmdb");
    const server = await startServe(["--config", moving, "--listen", "127.0.0.1:0"]);
    name("two.mmdb");
    process.kill(server.pid, "SIGHUP");
    await server.logged("of 2026-04-02");
    await server.logged("the configuration is loaded anew: 1 zone");
    writeFileSync(one, "");
    writeFileSync(two, inCountry("DE", "2026-04-03"));
    await server.logged("of 2026-04-03");
    await server.stop();
    expect(server.log()).not.toContain("no metadata");
  });

  test("that cannot be used is an error at its place, and serve does not start", async () => {
    const lost = join(folder, "lost.yaml");
    writeFileSync(lost, "geoip: { database: lost.mmdb }\nzones: [lab.example]\n");
    const { code, stderr } = await run(["serve", "--config", lost, "--listen", "127.0.0.1:0"]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      [
        `${lost}:1:20: "${join(folder, "lost.mmdb")}" cannot be read: there is no such file`,
        "  geoip: { database: lost.mmdb }",
        "                     ^\n",
      ].join("\n"),
    );
  });
});

describe("query to a port where nobody listens is one line and exit code 1", { timeout }, () => {
  // The port is held by the other transport, so that no server of these tests is given it meanwhile.
  const line = (address: string, transport: string): string =>
    `no response from ${address} over ${transport}: nobody listens there; start geodns365 serve, or name another with --server\n`;

  test("over UDP", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const bound = holder.address();
    const address = `127.0.0.1:${typeof bound === "object" ? bound?.port : bound}`;
    const outcome = await run(["query", "a.example", "--server", address]);
    holder.close();
    expect(outcome).toEqual({ code: 1, stdout: "", stderr: line(address, "udp") });
  });

  test("over TCP", async () => {
    const holder = createSocket("udp4").bind(0, "127.0.0.1");
    await once(holder, "listening");
    const address = `127.0.0.1:${holder.address().port}`;
    const outcome = await run(["query", "a.example", "--server", address, "--tcp"]);
    holder.close();
    expect(outcome).toEqual({ code: 1, stdout: "", stderr: line(address, "tcp") });
  });
});
