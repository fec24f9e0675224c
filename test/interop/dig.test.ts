/** README's dig lines with dig itself, and the same questions with kdig, over UDP and TCP. */

import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatVantage } from "../../src/config/listeners.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type Example, normalised, readExamples, writeFiles } from "../readme.ts";
import { root, run, type StartedGeodns365, startGeodns365 } from "./programs.ts";

/** With the vantage points of the default lab, each on a port that is free. */
let server: StartedGeodns365;
const vantages = loadConfig(join(root, "config/geodns365.yaml"));
const listen =
  vantages.kind === "errors"
    ? []
    : vantages.configuration.settings.listen.flatMap(({ address, vantage }) =>
        vantage === undefined ? [] : ["--listen", `${address}:0=${formatVantage(vantage)}`],
      );
beforeAll(async () => {
  server = await startGeodns365(listen);
});
afterAll(() => server.stop());

const digs = readExamples().filter(({ command }) => command.startsWith("dig "));

describe("dig, as README has it", () => {
  it.each(digs.filter(({ config }) => config === undefined))("$command", (example) => ask(example, server));
});

describe.each([...new Set(digs.flatMap(({ config }) => config ?? []))])("dig of README's %s", (config) => {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-dig-"));
  let shown: StartedGeodns365;
  beforeAll(async () => {
    writeFiles(folder);
    // Files of README include those of the default lab as somebody in the checkout would.
    symlinkSync(join(root, "config"), join(folder, "config"));
    shown = await startGeodns365(["--config", join(folder, config)]);
  });
  afterAll(async () => {
    await shown.stop();
    rmSync(folder, { recursive: true });
  });
  it.each(digs.filter((example) => example.config === config))("$command", (example) => ask(example, shown));

  if (config !== "scripted.yaml") return;

  it.each(["+notcp", "+tcp"])("a handler's NODATA has an OPT, a cookie and AA with %s", async (way) => {
    const port = String(shown.port);
    const asked = ["Hello.api.example", "AAAA", way, "+subnet=10.1.0.0/24"];
    const output = await run("dig", ["@127.0.0.1", "-p", port, ...asked]);
    expect(output).toMatch(/status: NOERROR/);
    expect(output).toMatch(/flags: qr aa rd; QUERY: 1, ANSWER: 0/);
    expect(output).toContain("CLIENT-SUBNET: 10.1.0.0/24/24");
    expect(output).toContain("(good)");
    expect(output).not.toMatch(/warning: (?!recursion)/i);
  });
});

describe("a name tailored beside a master file, over nested networks", () => {
  const config = "test/scenarios/fixtures/master-file.yaml";
  let nested: StartedGeodns365;
  beforeAll(async () => {
    nested = await startGeodns365(["--config", config]);
  });
  afterAll(() => nested.stop());

  // 10.1.1.0/25 in 10.1.1.0/24 in 10.1.0.0/16 in 10.0.0.0/8, and the like in IPv6: the scope is the widest prefix that has the same.
  const rows = [
    ["geo", "A", "10.1.1.1/32", 25, "60 A 192.0.2.125"],
    ["geo", "A", "10.1.1.0/25", 25, "60 A 192.0.2.125"],
    ["geo", "A", "10.1.1.128/25", 25, "60 A 192.0.2.24"],
    ["geo", "A", "10.1.0.0/24", 24, "60 A 192.0.2.16"],
    ["geo", "A", "10.1.2.0/24", 23, "60 A 192.0.2.16"],
    ["geo", "A", "10.2.0.0/16", 15, "60 A 192.0.2.8"],
    ["geo", "A", "192.0.2.0/24", 1, ""],
    ["geo", "AAAA", "2001:db8:1:180::/64", 57, "60 AAAA 2001:db8::57"],
    ["geo", "AAAA", "2001:db8:1:100::/56", 57, "60 AAAA 2001:db8::56"],
    ["geo", "AAAA", "2001:db8:1::/56", 56, "60 AAAA 2001:db8::48"],
    ["geo", "AAAA", "2001:db8:8000::/48", 33, "60 AAAA 2001:db8::32"],
    ["geo", "TXT", "10.1.1.1/32", 0, '300 TXT "the same for everyone"'],
    ["mail", "A", "10.1.1.1/32", 0, "300 A 192.0.2.25"],
    ["www", "A", "10.1.1.1/32", 25, "60 A 192.0.2.125"],
    ["alias", "AAAA", "2001:db8:1:180::/64", 57, "60 AAAA 2001:db8::57"],
  ] as const;
  /** where the file leads on from its aliases */
  const leads: Readonly<Record<string, string>> = { alias: "www", www: "geo" };

  describe.each(["+notcp", "+tcp"])("dig %s", (way) => {
    it.each(rows)("%s %s +subnet=%s has scope %i", async (first, type, subnet, scope, last) => {
      const at = ["@127.0.0.1", "-p", String(nested.port), way];
      const output = await run("dig", [...at, `${first}.example.test`, type, `+subnet=${subnet}`]);
      const expected: string[] = [];
      let name: string = first;
      for (let target = leads[name]; target !== undefined; target = leads[name]) {
        expected.push(`${name}.example.test. 300 CNAME ${target}.example.test.`);
        name = target;
      }
      if (last !== "") expected.push(`${name}.example.test. ${last}`);
      const [, answer = ""] = /;; ANSWER SECTION:\n([\s\S]*?)\n\n/.exec(output) ?? [];
      expect(normalised(answer.split("\n")).map((line) => line.replace(" IN ", " "))).toEqual(expected);
      expect(output).toMatch(/status: NOERROR/);
      expect(output).toContain(`CLIENT-SUBNET: ${subnet}/${scope}\n`);
    });
  });
});

async function ask({ command, output }: Example, started: StartedGeodns365): Promise<void> {
  const [line = "", filter] = command.split(" | ");
  const [, at = "", option = "", , ...asked] = line.split(" ");
  const args = [at, option, String(started.portOf(at.slice(1))), ...asked];
  const lines = (await run("dig", args)).split("\n").filter((text) => text !== "");
  const word = filter?.replace("grep ", "");
  expect(normalised(lines.filter((text) => word === undefined || text.includes(word)))).toEqual(
    normalised(output),
  );
}

describe("a vantage point", () => {
  const asked = ["outlook.office365.com", "A"];
  const points = [
    { address: "127.0.1.1", frontEnd: "LHR" },
    { address: "127.0.1.4", frontEnd: "SYD" },
    { address: "127.0.1.9", frontEnd: "EAT" },
  ];
  const flags = ["+notcp", "+tcp"];
  const cases = points.flatMap((point) => flags.map((flag) => ({ ...point, flag })));

  it.each(cases)("dig @$address $flag is answered from its network", async ({ address, frontEnd, flag }) => {
    const at = [`@${address}`, "-p", String(server.portOf(address))];
    const output = await run("dig", [...at, ...asked, flag]);
    expect(output).toContain(`${frontEnd}-efz.ms-acdc.office.com.`);
    expect(output).toContain("status: NOERROR");
    // Without a client subnet no scope goes back.
    expect(output).not.toContain("CLIENT-SUBNET");
    expect(output).not.toMatch(/warning: (?!recursion)|malformed/i);
  });

  it("is passed over for a client subnet", async () => {
    const at = ["@127.0.1.4", "-p", String(server.portOf("127.0.1.4"))];
    const output = await run("dig", [...at, ...asked, "+subnet=10.1.0.0/24"]);
    expect(output).toContain("LHR-efz.ms-acdc.office.com.");
    expect(output).toContain("CLIENT-SUBNET: 10.1.0.0/24/16");
  });
});

/** name, type, client subnet; what the answer section must hold, and the scope */
const questions = [
  {
    name: "outlook.office365.com",
    type: "A",
    subnet: "10.1.0.0/24",
    holds: "LHR-efz.ms-acdc.office.com.",
    scope: 16,
  },
  {
    name: "outlook.office365.com",
    type: "A",
    subnet: "10.4.0.0/24",
    holds: "SYD-efz.ms-acdc.office.com.",
    scope: 16,
  },
  {
    name: "outlook.office365.com",
    type: "A",
    subnet: "10.2.0.0/24",
    holds: "MNZ-efz.ms-acdc.office.com.",
    scope: 16,
  },
  {
    name: "outlook.office365.com",
    type: "AAAA",
    subnet: "2001:db8:3::/56",
    holds: "SIN-efz.ms-acdc.office.com.",
    scope: 48,
  },
  { name: "portal.office.com", type: "A", subnet: "10.4.0.0/24", holds: "SYD-portal.office.com.", scope: 16 },
  { name: "contoso.sharepoint.com", type: "A", subnet: "10.4.0.0/24", holds: "198.18.22.65", scope: 0 },
  {
    name: "partner.outlook.cn",
    type: "A",
    subnet: "10.1.0.0/24",
    holds: "BJS-efz.partner.outlook.cn.",
    scope: 15,
  },
  {
    name: "portal.partner.microsoftonline.cn",
    type: "A",
    subnet: "10.1.0.0/24",
    holds: "BJS-portal.partner",
    scope: 15,
  },
  {
    name: "outlook.office365.us",
    type: "A",
    subnet: "10.4.0.0/24",
    holds: "USGA-efz.office365.us.",
    scope: 16,
  },
  { name: "webmail.apps.mil", type: "AAAA", subnet: "10.1.0.0/24", holds: "2001:db8:f120::1", scope: 15 },
  {
    name: "litware.mail.protection.office365.us",
    type: "A",
    subnet: "10.4.0.0/24",
    holds: "198.19.16.81",
    scope: 0,
  },
  {
    name: "outlook.office365.com",
    type: "A",
    subnet: "8.8.8.0/24",
    holds: "MNZ-efz.ms-acdc.office.com.",
    scope: 15,
  },
] as const;

type Question = (typeof questions)[number];

/** What a program prints of a question; dig and kdig take the same words. */
const askWith = (program: string, { name, type, subnet }: Question, way: "udp" | "tcp"): Promise<string> => {
  const transport = way === "tcp" ? ["+tcp"] : ["+notcp", "+ignore"];
  const at = ["@127.0.0.1", "-p", String(server.port)];
  return run(program, [...at, name, type, `+subnet=${subnet}`, "+norecurse", ...transport]);
};

describe.each(["udp", "tcp"] as const)("over %s", (way) => {
  it.each(questions)("dig $name $type +subnet=$subnet", async (question) => {
    const output = await askWith("dig", question, way);
    expect(output).toContain("status: NOERROR");
    expect(output).toContain(question.holds);
    expect(output).toMatch(new RegExp(`CLIENT-SUBNET: ${question.subnet}/${question.scope}\n`));
    expect(output).toMatch(/flags: qr aa;/);
    expect(output).not.toMatch(/warning|malformed|Got bad packet/i);
  });

  it.each(questions)("kdig $name $type +subnet=$subnet", async (question) => {
    const output = await askWith("kdig", question, way);
    expect(output).toContain("status: NOERROR");
    expect(output).toContain(question.holds);
    expect(output).toContain(`/${question.subnet.split("/")[1]}/${question.scope}`);
    expect(output).not.toMatch(/WARNING/);
  });
});

describe("one connection for several queries", () => {
  const names = [
    "outlook.office365.com",
    "portal.office.com",
    "contoso.sharepoint.com",
    "partner.outlook.cn",
    "outlook-dod.office365.us",
    "woodgrove.mail.protection.office365.us",
  ];
  const overUdp = async (name: string): Promise<readonly string[]> =>
    records(
      await run("dig", ["@127.0.0.1", "-p", String(server.port), name, "A", "+noall", "+answer", "+notcp"]),
    );

  it("dig +tcp +keepopen agrees with UDP", async () => {
    const expected = (await Promise.all(names.map(overUdp))).flat();
    const asked = names.flatMap((name) => [name, "A", "+noall", "+answer", "+tcp", "+keepopen"]);
    const output = await run("dig", ["@127.0.0.1", "-p", String(server.port), ...asked]);
    expect(records(output)).toEqual(expected);
  });

  it("kdig +tcp +keepopen agrees with UDP, and is told how long it may stay", async () => {
    const expected = (await Promise.all(names.map(overUdp))).flat();
    const flags = ["+tcp", "+keepopen", "+noall", "+answer"];
    const output = await run("kdig", ["@127.0.0.1", "-p", String(server.port), ...flags, ...names]);
    expect(records(output)).toEqual(expected);
    const keepalive = await run("dig", [
      "@127.0.0.1",
      "-p",
      String(server.port),
      "office.com",
      "+tcp",
      "+keepalive",
    ]);
    expect(keepalive).toMatch(/TCP[- ]KEEPALIVE: 10\.0/i);
  });

  it.each(["-u", "-t"])("drill %s agrees with dig", async (flag) => {
    const output = await run("drill", [
      flag,
      "-p",
      String(server.port),
      "@127.0.0.1",
      "outlook.office365.com",
      "A",
    ]);
    expect(records(output)).toEqual(await overUdp("outlook.office365.com"));
  });

  it("dig +cookie gets a cookie that is good, and +nsid the identity", async () => {
    const output = await run("dig", [
      "@127.0.0.1",
      "-p",
      String(server.port),
      "office.com",
      "+cookie",
      "+nsid",
    ]);
    expect(output).toMatch(/COOKIE: [0-9a-f]{16}01000000[0-9a-f]{24} \(good\)/);
    expect(output).toContain('("geodns365")');
  });
});

/** The records of an output, whatever the blanks between their fields. */
const records = (output: string): readonly string[] =>
  output
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(";"))
    .map((line) => line.replace(/\s+/g, " "));

describe("what is no query", () => {
  it("ends nothing when it comes from source port 0", async () => {
    // Only a raw socket can send from port 0, so this runs as root and in Python.
    await run("python3", ["test/interop/from-port-0.py", String(server.port)]);
    const output = await run("dig", [
      "@127.0.0.1",
      "-p",
      String(server.port),
      "office365.com",
      "SOA",
      "+short",
    ]);
    expect(output).toContain("ns1.office365.com.");
  });
});
