/**
 * A real unbound in front, as README says to point it: it resolves every name of the lab without leaving it, and with
 * client subnets it gives and caches for each subnet its own answer.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { readBlocks } from "../readme.ts";
import { freePort, root, run, type Started, startGeodns365, stop } from "./programs.ts";

const loaded = loadConfig(join(root, "config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const zones = [...loaded.configuration.zones.keys()];

const folder = mkdtempSync(join(tmpdir(), "geodns365-unbound-"));
let server: Started;
let unbound: ChildProcess;
let port: number;

beforeAll(async () => {
  server = await startGeodns365();
  port = await freePort();
  const config = join(folder, "unbound.conf");
  writeFileSync(config, unboundConfig(server.port, port));
  await run("/usr/sbin/unbound-checkconf", [config]);
  unbound = spawn("/usr/sbin/unbound", ["-d", "-p", "-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  await logLine(unbound, "start of service");
});

afterAll(async () => {
  await stop(unbound);
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** README's block for unbound, with the ports of this test and a stub zone for every zone of the lab. */
function unboundConfig(serverPort: number, ownPort: number): string {
  const [block = ""] = readBlocks("unbound");
  const [serverPart = ""] = block.split("stub-zone:");
  const stubs = zones.map(
    (zone) => `stub-zone:\n    name: "${zone}"\n    stub-addr: 127.0.0.1@${serverPort}\n`,
  );
  const own = `
    interface: 127.0.0.1
    port: ${ownPort}
    access-control: 127.0.0.0/8 allow
    chroot: ""
    username: ""
    directory: "${folder}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    do-daemonize: no
`;
  return `${serverPart}${own}${stubs.join("")}`;
}

async function logLine(child: ChildProcess, words: string): Promise<void> {
  if (child.stderr === null) throw new Error("standard error is not piped");
  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    seen.push(line);
    if (line.includes(words)) {
      child.stderr.resume();
      return;
    }
  }
  throw new Error(`unbound ended before it served:\n${seen.join("\n")}`);
}

const ask = async (name: string, type: string, ...flags: readonly string[]): Promise<readonly string[]> => {
  const output = await run("dig", ["@127.0.0.1", "-p", String(port), name, type, "+short", ...flags]);
  return output.split("\n").filter((line) => line !== "");
};

describe("unbound with client subnets", () => {
  const london = "+subnet=10.1.7.0/24";
  const sydney = "+subnet=10.4.7.0/24";

  it("gives each subnet its own answer, asked in every order, and from its cache", async () => {
    for (let round = 0; round < 3; round++) {
      expect(await ask("outlook.office365.com", "A", london)).toContain("LHR-efz.ms-acdc.office.com.");
      expect(await ask("outlook.office365.com", "A", sydney)).toContain("SYD-efz.ms-acdc.office.com.");
      expect(await ask("outlook.office365.com", "AAAA", sydney)).toContain("2001:db8:f00e::1");
    }
  });

  it("answers another subnet of the same scope from the cache", async () => {
    await ask("portal.office.com", "A", "+subnet=10.3.1.0/24");
    // With the server gone only the cache can answer; 10.3.2.0/24 lies in the scope 10.3.0.0/16 of the first answer.
    await server.stop();
    try {
      expect(await ask("portal.office.com", "A", "+subnet=10.3.2.0/24")).toContain("SIN-portal.office.com.");
    } finally {
      server = await startGeodns365(["--listen", `127.0.0.1:${server.port}`]);
    }
  });

  it.each([
    ["contoso.sharepoint.com", "198.18.22.65"],
    ["contoso-my.sharepoint.com", "198.18.22.65"],
    ["partner.outlook.cn", "BJS-efz.partner.outlook.cn."],
    ["login.microsoftonline.com", "www.tm.a.prd.aadg.akadns.net."],
    ["autodiscover.outlook.com", "autod.ms-acdc-autod.office.com."],
    ["smtp.office365.com", "LHR-efz.ms-acdc.office.com."],
    ["contoso-com.mail.protection.outlook.com", "198.18.22.81"],
    ["tailspin.sharepoint.cn", "198.19.1.65"],
    ["webdir.online.partner.lync.cn", "BJS-edge.partner.lync.cn."],
    ["webshell.dodsuite.office365.us", "DODE-home.apps.mil."],
    ["litware-my.sharepoint.us", "198.19.16.65"],
    ["litware.mail.protection.office365.us", "198.19.16.81"],
    ["woodgrove.mail.protection.office365.us", "198.19.32.81"],
  ])("resolves %s", async (name, part) => {
    expect(await ask(name, "A", london)).toContain(part);
  });

  it("passes NXDOMAIN on", async () => {
    const output = await run("dig", ["@127.0.0.1", "-p", String(port), "nosuch.sharepoint.com", "A", london]);
    expect(output).toContain("status: NXDOMAIN");
  });

  it("keeps what the default lab promises, asked through it", async () => {
    const path = join(root, "config/expectations/default-lab.yaml");
    const program = join(root, "src/cli/geodns365.js");
    const words = ["expect", path, "--via", `127.0.0.1:${port}`, "--state", "none"];
    expect(await run(process.execPath, [program, ...words])).toMatch(/^good: (\d+) of \1 as expected$/m);
  });
});
