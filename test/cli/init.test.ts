// init as somebody with offices of one's own meets it: flags, questions, refusals, and what is written.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type InitOptions, initCommand } from "../../src/cli/init.ts";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { parseYaml } from "../../src/config/yaml-document.ts";
import { defaultListen, parseOffice, parseTenant } from "../../src/first-run/answers.ts";
import { configurationText } from "../../src/first-run/configuration-text.ts";
import { readShipped } from "../../src/first-run/shipped.ts";
import { formatEndpoint, formatPrefix } from "../../src/ip.ts";
import { call, run } from "./program.ts";

vi.setConfig({ testTimeout: 60_000 });

const root = resolve(import.meta.dirname, "../..");
const shipped = readShipped(join(root, "config"));
const folder = mkdtempSync(join(tmpdir(), "geodns365-init-"));
afterAll(() => rmSync(folder, { recursive: true }));

let folders = 0;
const newFolder = (): string => join(folder, `lab-${++folders}`);

const oslo = ["--office", "oslo=10.20.0.0/16,2001:db8:20::/48@Oslo,NO"];
const twoOffices = [...oslo, "--office", "lima=10.21.0.0/16@lima"];
const northwind = ["--tenant", "northwind=Zurich,geneva"];

function load(path: string) {
  const loaded = loadConfig(path);
  if (loaded.kind === "loaded") return loaded.configuration;
  throw new Error(loaded.errors.map(formatConfigError).join("\n"));
}

describe("by flags", () => {
  test("two offices and a tenant are a short commented file, checked at once, and say what to type next", async () => {
    const dir = newFolder();
    const { code, stdout, stderr } = await call(["init", dir, ...twoOffices, ...northwind]);
    const path = join(dir, "geodns365.yaml");
    expect([code, stderr]).toEqual([0, ""]);
    const written = readFileSync(path, "utf8");
    expect(
      written,
    ).toBe(`# Offices of one's own, and the clouds that geodns365 ships. Change it, check it, and serve it.
server:
  listen:
    # A client subnet says where a question is from: dig +subnet=10.20.0.0/16
    - 127.0.0.1:5300
    # Who asks at these without one is taken to be in that office.
    - { address: 127.0.1.1:5300, vantage: oslo }
    - { address: 127.0.1.2:5300, vantage: lima }
# That no tenant here lives in a shipped datacenter, and no office is near it, is nothing to warn of.
lint: { silence: [datacenter-without-tenants, front-end-unreachable] }
include:
  - ${root}/config/countries.yaml
  - ${root}/config/clouds/worldwide.yaml
---
# Where questions come from: the client subnet that a resolver passes on, or else its own address.
networks:
  oslo:
    prefixes: [10.20.0.0/16, "2001:db8:20::/48"]
    place: { city: Oslo, country: "NO", coordinates: [59.91, 10.75] }
  lima:
    prefixes: [10.21.0.0/16]
    place: { city: Lima, country: PE, coordinates: [-12.05, -77.04] }
---
# Whose data lives where; domains: [contoso.com] beside it gives a tenant MX hosts.
tenants:
  northwind: { cloud: Worldwide, geo: CHE, active: zurich, standby: geneva }
`);
    expect(
      stdout
        .replace(/\d+ zones/, "N zones")
        .split("\n")
        .filter((line) => !line.startsWith("GeoIP")),
    ).toEqual([
      `wrote ${path}: offices oslo and lima; tenant northwind; cloud Worldwide`,
      "good: 3 files, 1 clouds (Worldwide), N zones, 2 networks, 1 tenants",
      "",
      "Next:",
      "  # answers until Ctrl-C; the rest in another terminal",
      `  npx geodns365 serve --config ${path}`,
      "  # as from oslo",
      "  dig @127.0.1.1 -p 5300 outlook.office365.com",
      "  # as from lima",
      "  dig @127.0.1.2 -p 5300 outlook.office365.com",
      "  # where northwind is, from anywhere",
      "  dig @127.0.0.1 -p 5300 northwind.sharepoint.com",
      "  # why",
      `  npx geodns365 explain outlook.office365.com --from oslo --tenant northwind --config ${path}`,
      "",
    ]);
    expect(readdirSync(dir)).toEqual(["geodns365.yaml"]);
  });

  test("what it says to type next works, and the answers are by the offices and the tenant", async () => {
    const dir = newFolder();
    const { stdout } = await call(["init", dir, ...twoOffices, ...northwind]);
    const explained = stdout.split("\n").find((line) => line.includes("npx geodns365 explain ")) ?? "";
    const { code, stdout: why } = await call(explained.trim().split(" ").slice(2));
    expect(code).toBe(0);
    expect(why).toContain("Network oslo holds 10.20.0.0/16: Oslo [59.91, 10.75].");
    expect(why).toContain("which proxies to Worldwide/zurich: Zurich is active for northwind.");
  });

  test("the same flags write the same file, and --force writes over another", async () => {
    const dir = newFolder();
    const path = join(dir, "geodns365.yaml");
    await call(["init", dir, ...twoOffices, ...northwind]);
    const first = readFileSync(path, "utf8");
    expect(await call(["init", dir, ...oslo])).toEqual({
      code: 2,
      stdout: "",
      stderr: `error: ${path} is there already; name another folder, or write over it with --force\n`,
    });
    expect(readFileSync(path, "utf8")).toBe(first);
    expect((await call(["init", dir, "--force", ...oslo])).code).toBe(0);
    expect(load(path).networks.map(({ name }) => name)).toEqual(["oslo"]);
    await call(["init", dir, "--force", "--yes", ...twoOffices, ...northwind]);
    expect(readFileSync(path, "utf8")).toBe(first);
    expect(readdirSync(dir)).toEqual(["geodns365.yaml"]);
  });

  test.each([
    { cloud: "Worldwide", tenant: "dub,ams" },
    { cloud: "China", tenant: "Beijing,Shanghai" },
    { cloud: "USGovGCCHigh", tenant: "usgv,usgt" },
    { cloud: "USGovDoD", tenant: "dode,dodc" },
    { cloud: "Germany", tenant: "Frankfurt,Magdeburg" },
  ])("$cloud alone passes the strictest check, with a tenant in it", async ({ cloud, tenant }) => {
    const dir = newFolder();
    const args = ["init", dir, ...oslo, "--cloud", cloud.toLowerCase(), "--tenant", `contoso=${tenant}`];
    const { code, stdout, stderr } = await call(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`1 clouds (${cloud})`);
    const { clouds } = load(join(dir, "geodns365.yaml"));
    expect(clouds.map(({ name, tenants }) => [name, tenants.homeCount])).toEqual([[cloud, 1]]);
    const strict = await call(["check", "--strict", "--config", join(dir, "geodns365.yaml")]);
    expect([strict.code, strict.stderr]).toEqual([0, ""]);
  });

  test("a tenant elsewhere brings its cloud along", async () => {
    const dir = newFolder();
    await call(["init", dir, ...oslo, "--tenant", "tailspin=bjs", "--tenant", "contoso=Dublin"]);
    const { clouds } = load(join(dir, "geodns365.yaml"));
    expect(clouds.map(({ name }) => name)).toEqual(["Worldwide", "China"]);
  });

  test("where it does not listen on 127.0.0.1 there are no vantage points, and client subnets ask", async () => {
    const dir = newFolder();
    const { stdout } = await call(["init", dir, ...oslo, "--listen", "[::]:53"]);
    expect(load(join(dir, "geodns365.yaml")).settings.listen.map(formatEndpoint)).toEqual(["[::]:53"]);
    expect(stdout).toContain("  dig @::1 -p 53 outlook.office365.com +subnet=10.20.0.0/16\n");
  });

  test("as a process without a terminal it asks nothing", async () => {
    const dir = newFolder();
    expect((await run(["init", dir, ...oslo])).code).toBe(0);
    const line =
      "error: no office is given, and nobody is asked; say --office NAME=PREFIX@CITY,COUNTRY[,LATITUDE,LONGITUDE]";
    expect(await run(["init", newFolder()])).toEqual({ code: 2, stdout: "", stderr: `${line}\n` });
  });

  test("a folder that cannot be is one line", async () => {
    const file = join(folder, "a-file");
    writeFileSync(file, "");
    const { code, stderr } = await call(["init", file, ...oslo]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: \S+a-file\/geodns365\.yaml cannot be written: .+\n$/);
  });
});

describe("what cannot be used is one line and exit code 2, and nothing is written", () => {
  const office = (text: string): readonly string[] => ["--office", text];
  const tenant = (text: string): readonly string[] => [...oslo, "--tenant", text];
  test.each<readonly [args: readonly string[], line: string]>([
    [
      office("oslo"),
      '--office: "oslo" is not NAME=PREFIX@CITY,COUNTRY[,LATITUDE,LONGITUDE], like oslo=10.20.0.0/16@Oslo,NO',
    ],
    [
      office("my office=10.1.0.0/16@Oslo"),
      '--office: "my office" is no name of letters, digits and inner hyphens',
    ],
    [
      office("a=10.1.0.0/33@Oslo"),
      '--office: "10.1.0.0/33" has a prefix length that is not between 0 and 32',
    ],
    [
      office("a=10.1.2.3/16@Oslo"),
      '--office: "10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?',
    ],
    [[...oslo, ...office("oslo=10.9.0.0/16@Bergen")], "--office: there is an office oslo already"],
    [[...oslo, ...office("b=10.20.0.0/16@Berlin")], "--office: 10.20.0.0/16 belongs to office oslo already"],
    [
      office("a=10.1.0.0/16@Olso,NO"),
      '--office: "Olso" is no city known here in NO; did you mean "Oslo"? or give its coordinates: Olso,NO,LATITUDE,LONGITUDE',
    ],
    [
      office("a=10.1.0.0/16@Hammerfest"),
      '--office: "Hammerfest" is no city known here; give its coordinates: Hammerfest,COUNTRY,LATITUDE,LONGITUDE',
    ],
    [
      office("a=10.1.0.0/16@London,UK"),
      '--office: "UK" is no country; give its ISO 3166 code of two letters, like GB for the United Kingdom',
    ],
    [
      office("a=10.1.0.0/16@Bergen,NO,100,5"),
      '--office: "100,5" are no coordinates: latitude from -90 to 90 and longitude from -180 to 180, in degrees',
    ],
    [
      office("a=10.1.0.0/16@Bergen,NO,60"),
      '--office: "Bergen,NO,60" is not CITY,COUNTRY[,LATITUDE,LONGITUDE], like Oslo,NO or Tromso,NO,69.65,18.96',
    ],
    [
      tenant("contoso"),
      '--tenant: "contoso" is not NAME=DATACENTER[,STANDBY], like contoso=dub,ams or contoso=Dublin,Amsterdam',
    ],
    [
      tenant("contoso=Dublim"),
      '--tenant: "Dublim" is no datacenter, and no city of one; did you mean "Dublin"?',
    ],
    [
      tenant("contoso=Wenatchee"),
      "--tenant: Worldwide/eat (Wenatchee) is a front end and holds no tenants; in NAM there are boydton, cheyenne, chicago, des-moines, quincy, san-antonio, santa-clara, san-jose",
    ],
    [
      tenant("contoso=dub,Dublin"),
      "--tenant: the standby of contoso is where it is active; name another datacenter",
    ],
    [
      tenant("contoso=dub,bjs"),
      '--tenant: "bjs" is no datacenter, and no city of one (tenants of Worldwide stay in it)',
    ],
    [[...tenant("contoso=dub"), "--tenant", "Contoso=ams"], "--tenant: there is a tenant Contoso already"],
    [
      [...tenant("contoso=dub"), "--cloud", "China"],
      "tenant contoso lives in Worldwide/dub, and Worldwide is not among the clouds; add it",
    ],
    [[...oslo, "--cloud", "Chine"], '--cloud: "Chine" is no cloud; did you mean "China"?'],
    [
      [...oslo, "--listen", "127.0.0.1:0"],
      '--listen: "127.0.0.1:0" is another port at each start; name one, like 5300',
    ],
    [[...oslo, "--listen", "5300"], '--listen: "5300" is not ADDRESS:PORT like 127.0.0.1:5300 or [::1]:5300'],
  ])("%j", async (args, line) => {
    const dir = newFolder();
    expect(await call(["init", dir, ...args])).toEqual({ code: 2, stdout: "", stderr: `error: ${line}\n` });
    expect(existsSync(dir)).toBe(false);
  });
});

/** Talks to it line by line, all lines there from the start; what it says is the terminal's. */
async function talk(lines: readonly string[], given: Partial<InitOptions> = {}) {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(lines.map((line) => `${line}\n`).join(""));
  const dir = newFolder();
  const options = {
    folder: dir,
    shipped: shipped.folder,
    office: [],
    tenant: [],
    cloud: [],
    yes: false,
    force: false,
  };
  const printed = [vi.spyOn(console, "log"), vi.spyOn(console, "error")].map((spy) =>
    spy.mockImplementation(() => {}),
  );
  const errors = printed[1]?.mock.calls ?? [];
  const code = await initCommand({ ...options, ...given }, { input, output });
  const said = [...errors].map(([line]) => String(line));
  for (const spy of printed) spy.mockRestore();
  output.end();
  return { code, path: join(dir, "geodns365.yaml"), terminal: await textOf(output), errors: said };
}

describe("by questions on a terminal", () => {
  test("three questions have it all", async () => {
    const answers = [
      "oslo=10.20.0.0/16@Oslo,NO",
      "lima=10.21.0.0/16@Lima",
      "",
      "northwind=zurich,geneva",
      "127.0.0.1:5353 worldwide china",
    ];
    const { code, path, terminal } = await talk(answers);
    expect(code).toBe(0);
    expect(terminal.match(/\d\. [^?\n]+\?/g)).toEqual([
      "1. Which offices?",
      "2. Which tenant, and where does its data live?",
      "3. Where to listen, and for which clouds?",
    ]);
    const { networks, clouds, settings } = load(path);
    expect(networks.map(({ name, prefixes }) => [name, prefixes.map(formatPrefix)])).toEqual([
      ["oslo", ["10.20.0.0/16"]],
      ["lima", ["10.21.0.0/16"]],
    ]);
    expect(clouds.map(({ name, tenants }) => [name, tenants.homeCount])).toEqual([
      ["Worldwide", 1],
      ["China", 0],
    ]);
    expect(settings.listen.map(formatEndpoint)).toEqual([
      "127.0.0.1:5353",
      "127.0.1.1:5353",
      "127.0.1.2:5353",
    ]);
  });

  test("empty lines take what is usual, and it is the file that flags alone write", async () => {
    const { code, path } = await talk(["oslo=10.20.0.0/16,2001:db8:20::/48@Oslo,NO", "", "", ""]);
    expect(code).toBe(0);
    const dir = newFolder();
    await call(["init", dir, ...oslo]);
    expect(readFileSync(path, "utf8")).toBe(readFileSync(join(dir, "geodns365.yaml"), "utf8"));
  });

  test("an answer that cannot be used is asked for again, with what is wrong", async () => {
    const answers = [
      "",
      "oslo=10.20.0.0/16@Olso",
      "oslo=10.20.0.0/16@Oslo",
      "",
      "contoso=dublim",
      "contoso=dub",
    ];
    const { code, path, terminal } = await talk([...answers, "China", "Worldwide"]);
    expect(code).toBe(0);
    for (const hint of [
      "there is none yet; say one as NAME=PREFIX@CITY,COUNTRY[,LATITUDE,LONGITUDE]",
      'did you mean "Oslo"?',
      'did you mean "Dublin"?',
      "tenant contoso lives in Worldwide/dub, and Worldwide is not among the clouds; add it",
    ])
      expect(terminal).toContain(hint);
    expect(load(path).clouds.map(({ name }) => name)).toEqual(["Worldwide"]);
  });

  test("what flags have said is not asked", async () => {
    const { code, terminal, path } = await talk(["contoso=dub"], {
      office: ["oslo=10.20.0.0/16@Oslo"],
      listen: "127.0.0.1:5353",
      cloud: ["Worldwide"],
    });
    expect(code).toBe(0);
    expect(terminal.match(/\d\. W/g)).toEqual(["2. W"]);
    expect(load(path).clouds[0]?.tenants.homeCount).toBe(1);
    const silent = await talk([], { office: ["oslo=10.20.0.0/16@Oslo"], yes: true });
    expect([silent.code, silent.terminal]).toEqual([0, ""]);
  });

  test("an end before the last answer writes nothing", async () => {
    const { code, path, errors } = await talk(["oslo=10.20.0.0/16@Oslo", ""]);
    expect([code, errors]).toEqual([
      2,
      ["error: the answers ended before the questions did, so nothing is written"],
    ]);
    expect(existsSync(path)).toBe(false);
  });
});

describe("the text", () => {
  const office = parseOffice("oslo=10.20.0.0/16@Oslo", [], shipped);
  if (typeof office === "string") throw new Error(office);
  const answers = {
    offices: [office],
    tenants: [],
    listen: defaultListen,
    clouds: shipped.clouds.slice(0, 1),
  };

  test.each([
    { folder: root, shipped: join(root, "config"), path: "config/clouds/worldwide.yaml" },
    {
      folder: join(root, "labs/mine"),
      shipped: join(root, "config"),
      path: "../../config/clouds/worldwide.yaml",
    },
    { folder: "/elsewhere", shipped: join(root, "config"), path: join(root, "config/clouds/worldwide.yaml") },
    {
      folder: "/project",
      shipped: "/project/node_modules/geodns365/config",
      path: "node_modules/geodns365/config/clouds/worldwide.yaml",
    },
  ])("in $folder names $path", ({ folder: at, shipped: where, path }) => {
    const clouds = answers.clouds.map((cloud) => ({ ...cloud, file: join(where, "clouds/worldwide.yaml") }));
    const moved = { ...shipped, folder: where, countriesFile: join(where, "countries.yaml") };
    const text = configurationText({ ...answers, clouds }, { folder: at, shipped: moved });
    expect(text).toContain(`\n  - ${path}\n`);
  });

  test("finds what is shipped in a folder whose name is full of signs", async () => {
    const odd = join(folder, "it's {a,b} [1] & *");
    cpSync(join(root, "config"), join(odd, "config"), { recursive: true });
    const spy = vi.spyOn(console, "log").mockImplementation(() => {});
    const options = { office: ["oslo=10.20.0.0/16@Oslo"], tenant: [], cloud: [], yes: true, force: false };
    const dir = newFolder();
    const code = await initCommand({ ...options, folder: dir, shipped: join(odd, "config") });
    spy.mockRestore();
    expect(code).toBe(0);
    expect(load(join(dir, "geodns365.yaml")).clouds).toHaveLength(1);
  });

  test("says what was answered, whatever the names", () => {
    const label = fc.oneof(
      fc.constantFrom("no", "NULL", "true", "1e3", "0x10", "12", "y", "off"),
      fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?$/),
    );
    const city = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((text) => !/[,@=\p{C}\p{Zl}\p{Zp}]/u.test(text) && text.trim() === text);
    const degrees = (limit: number) =>
      fc.integer({ min: -limit * 100, max: limit * 100 }).map((n) => n / 100);
    fc.assert(
      fc.property(label, label, city, degrees(90), degrees(180), (name, tenantName, place, north, east) => {
        const one = parseOffice(`${name}=10.1.0.0/16@${place},NO,${north},${east}`, [], shipped);
        const whose = parseTenant(`${tenantName}=dub`, [], shipped);
        if (typeof one === "string" || typeof whose === "string") return expect.fail(`${one} ${whose}`);
        const text = configurationText({ ...answers, offices: [one], tenants: [whose] }, { folder, shipped });
        const { documents, errors } = parseYaml("lab.yaml", text);
        expect(errors).toEqual([]);
        const values = documents.map(({ value }) => value);
        expect(values[0]).toMatchObject({ server: { listen: ["127.0.0.1:5300", { vantage: name }] } });
        expect(values[1]).toEqual({
          networks: {
            [name]: {
              prefixes: ["10.1.0.0/16"],
              place: { city: place, country: "NO", coordinates: [north, east].map((n) => n + 0) },
            },
          },
        });
        expect(values[2]).toEqual({
          tenants: { [tenantName]: { cloud: "Worldwide", geo: "EUR", active: "dub" } },
        });
      }),
    );
  });
});
