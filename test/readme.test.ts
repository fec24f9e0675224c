/** README's commands and YAML do what README says. dig's lines are asked by a client of our own. */

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Admin } from "../src/admin/admin.ts";
import { adminErrors } from "../src/admin/errors.ts";
import { routes } from "../src/admin/routes.ts";
import { reverseName } from "../src/config/build-reverse.ts";
import { readDocuments } from "../src/config/documents.ts";
import { lintRules } from "../src/config/lint-rules.ts";
import { formatConfigError, loadConfig } from "../src/config/load.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { CLASS, formatRcode, formatType, parseType, TYPE } from "../src/dns/iana.ts";
import { formatName, parseName } from "../src/dns/name.ts";
import { formatRdata } from "../src/dns/rdata.ts";
import { renderQuery } from "../src/dns/render.ts";
import { openGeoip } from "../src/geo/geoip.ts";
import { parseAddress, parsePrefix } from "../src/ip.ts";
import { loadHandlers } from "../src/load-handlers.ts";
import { resolverFormats } from "../src/resolver-config.ts";
import { readExpectations, readScenarios } from "../src/scenario/read.ts";
import { type Server, startServer } from "../src/server.ts";
import { buildSnapshot } from "../src/snapshot.ts";
import { exchange } from "../src/transport/client.ts";
import { ask, startTestAdmin } from "./admin/client.ts";
import { FakeControl } from "./admin/fake-control.ts";
import { labOf } from "./audit/labs.ts";
import { writeMmdb } from "./geo/mmdb-writer.ts";
import { normalised, readBlocks, readExamples, readmePath, writeFiles, yamlName } from "./readme.ts";
import { ask as askForChain, asPublished } from "./transcripts/chains.ts";

const root = join(import.meta.dirname, "..");
const examples = readExamples();

/** A copy of the default lab and of what commands name, with README's YAML beside it. */
const folder = mkdtempSync(join(tmpdir(), "geodns365-readme-"));
for (const copied of ["config", "test/fixtures"]) {
  cpSync(join(root, copied), join(folder, copied), { recursive: true });
}
const blocks = readBlocks("yaml").map((text) => ({ name: yamlName(text) ?? "" }));
writeFiles(folder);
afterAll(() => rmSync(folder, { recursive: true }));

const digs = examples.filter(({ command }) => command.startsWith("dig "));

describe.each([
  { config: undefined, path: "config/geodns365.yaml", atLeast: 8 },
  { config: "office.yaml", path: "office.yaml", atLeast: 2 },
  { config: "eras.yaml", path: "eras.yaml", atLeast: 1 },
  { config: "in-band.yaml", path: "in-band.yaml", atLeast: 1 },
  { config: "plain.yaml", path: "plain.yaml", atLeast: 5 },
  { config: "scripted.yaml", path: "scripted.yaml", atLeast: 2 },
])("dig of $path", ({ config, path, atLeast }) => {
  let server: Server;
  /** by the address that README shows */
  let ports: ReadonlyMap<string, number>;
  beforeAll(async () => {
    const loaded = loadConfig(join(folder, path));
    if (loaded.kind === "errors") throw new Error(`${path} has errors`);
    const geoip = openGeoip(writeMmdb({ "8.8.0.0/16": { country_code: "US" } }));
    // Each listener is one of 127.0.0.1 here, on a port of its own.
    const shown = loaded.configuration.settings.listen.filter(({ family }) => family === 4);
    const listen = shown.map((at) => ({ ...at, address: "127.0.0.1", port: 0 }));
    const snapshot = buildSnapshot(loaded.configuration, geoip);
    const started = await loadHandlers(snapshot, { onEvent: ({ message }) => expect.fail(message) });
    if (started.kind === "errors") throw new Error(`a handler of ${path} cannot be used`);
    server = await startServer(snapshot, { listen, handlers: started.handlers });
    ports = new Map(shown.map(({ address }, i) => [address, server.listening[i]?.port ?? 0]));
  });
  afterAll(() => server.close());

  const shown = digs.filter((example) => example.config === config);
  it("is shown", () => expect(shown.length).toBeGreaterThanOrEqual(atLeast));
  it.each(shown)("$command", async ({ command, output }) => {
    expect(normalised(await askLikeDig(command, ports))).toEqual(normalised(output));
  });
});

it("asks every dig line", () => {
  expect(new Set(digs.map(({ config }) => config))).toEqual(
    new Set([undefined, "eras.yaml", "in-band.yaml", "office.yaml", "plain.yaml", "scripted.yaml"]),
  );
});

/** Does what a dig line says, as far as README's lines go, and prints like dig. */
async function askLikeDig(command: string, ports: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const [line, filter] = command.split(" | ");
  const [, at = "", , , ...asked] = (line ?? "").split(" ");
  const reverse = asked[0] === "-x" ? parseAddress(asked[1] ?? "") : undefined;
  const [name, type, ...flags] =
    reverse === undefined ? asked : [reverseName(reverse.octets), "PTR", ...asked.slice(2)];
  const subnetText = flags.find((flag) => flag.startsWith("+subnet="))?.slice("+subnet=".length);
  const subnet = subnetText === undefined ? undefined : parsePrefix(subnetText);
  const qname = parseName(name ?? "");
  const qtype = parseType(type ?? "");
  const port = ports.get(at.slice(1));
  if (typeof qname === "string" || qtype === undefined || typeof subnet === "string" || port === undefined) {
    throw new Error(`this line is not understood: ${command}`);
  }
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet };
  const query = renderQuery({ qname, qtype, qclass: CLASS.IN }, { id: 1, recursionDesired: true, edns });
  const transport = flags.includes("+tcp") ? "tcp" : "udp";
  const server = { address: "127.0.0.1", family: 4, port } as const;
  const message = decodeMessage(await exchange(server, query, { transport, timeoutMilliseconds: 2000 }));
  if (typeof message === "string") throw new Error(message);
  if (filter === "grep status")
    return [`;; ->>HEADER<<- opcode: QUERY, status: ${formatRcode(message.rcode)}, id: 1`];
  if (filter === "grep SUBNET")
    return [`; CLIENT-SUBNET: ${subnetText}/${message.clientSubnet?.scopePrefixLength}`];
  return message.answer.map(({ owner, ttlSeconds, type: rrtype, rdata }) => {
    const text = formatRdata(rrtype, rdata);
    return flags.includes("+short")
      ? text
      : `${formatName(owner)} ${ttlSeconds} IN ${formatType(rrtype)} ${text}`;
  });
}

describe("curl", () => {
  const lines = readBlocks("sh").flatMap((block) =>
    block.split("\n").filter((line) => line.startsWith("curl ")),
  );
  let admin: Admin;
  beforeAll(async () => {
    admin = await startTestAdmin(new FakeControl());
  });
  afterAll(() => admin.close());
  it("is shown", () => expect(lines.length).toBeGreaterThanOrEqual(4));
  it.each(lines)("%s", async (line) => {
    const method = /-X (\w+)/.exec(line)?.[1] ?? "GET";
    const path = /http:\/\/127\.0\.0\.1:5380([^' ]+)/.exec(line)?.[1] ?? "";
    const body = /-d '([^']+)'/.exec(line)?.[1];
    expect(body === undefined || line.includes("-H 'content-type: application/json'")).toBe(true);
    expect((await ask(admin, `${method} ${path}`, { body })).status).toBe(200);
  });
});

describe("geodns365", () => {
  const runs = examples.filter(({ command }) => command.startsWith("npx geodns365 "));
  it("is shown", () => expect(runs.length).toBeGreaterThanOrEqual(2));
  it.each(runs)("$command", async ({ command, output }) => {
    const words = command.split(" ").slice(2);
    const program = join(root, "src/cli/geodns365.js");
    const run = promisify(execFile)(process.execPath, [program, ...words], { cwd: folder });
    const { stdout, stderr } = await run.catch(
      (error: { readonly stdout: string; readonly stderr: string }) => error,
    );
    expect(`${stdout}${stderr}`.trimEnd().split("\n")).toEqual(output);
  });
});

describe("YAML", () => {
  it("is shown", () => expect(blocks.length).toBeGreaterThanOrEqual(4));
  it.each(blocks)("$name loads without an error", ({ name }) => {
    const loaded = load(join(folder, name));
    expect(loaded.kind === "errors" ? loaded.errors.map(formatConfigError) : []).toEqual([]);
  });

  /** A story, expectations or a configuration. */
  function load(path: string) {
    const text = readFileSync(path, "utf8");
    if (/^steps:/m.test(text)) return readScenarios(path);
    return /^expectations:/m.test(text) ? readExpectations(path) : loadConfig(path);
  }
});

describe("README's eras", () => {
  const section = readFileSync(readmePath, "utf8").split("\n## Eras\n")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| ([\w-]+) \| `([\w-]+)`(?: \((default)\))? \| `(.+)` \|$/gm)].map(
    ([, service = "", era = "", isDefault, chain = ""]) => ({ service, era, isDefault, chain }),
  );
  const worldwide = readDocuments(join(root, "config/geodns365.yaml")).documents.clouds.find(
    ({ value }) => value.cloud === "Worldwide",
  )?.value;

  it("are all the eras of Worldwide, and which are the default ones", () => {
    const eras = Object.entries(worldwide?.services ?? {}).flatMap(([name, { eras = [], eraOf }]) =>
      eraOf === undefined ? eras.flatMap((variant) => variant.in.map((era) => [name, era])) : [],
    );
    expect(rows.map(({ service, era }) => [service, era]).toSorted()).toEqual(eras.toSorted());
    const defaults = rows.filter(({ isDefault }) => isDefault !== undefined);
    expect(Object.fromEntries(defaults.map(({ service, era }) => [service, era]))).toEqual(worldwide?.eras);
  });

  it.each(rows)("$service in $era: $chain", ({ service, era, chain }) => {
    const name = chain.split(" ")[0] ?? "";
    const settings = {
      include: [join(root, "config/geodns365.yaml")],
      clouds: { Worldwide: { eras: { [service]: era } } },
    };
    const { steps } = askForChain(labOf(JSON.stringify(settings)), name, TYPE.A, "London");
    expect(asPublished(chain, steps)).toBe(chain);
  });
});

describe("what README lists", () => {
  const readme = readFileSync(readmePath, "utf8");
  const loaded = loadConfig(join(root, "config/geodns365.yaml"));

  it("are all the formats of resolver-config", () => {
    const section = readme.split("\n## Pointing resolvers at it\n")[1]?.split("\n## ")[0] ?? "";
    const cells = [...section.matchAll(/^\| (`.+?`) \|/gm)].map(([, cell = ""]) => cell);
    const listed = cells.flatMap((cell) => cell.split(", ").map((format) => format.replaceAll("`", "")));
    expect(listed).toEqual(Object.keys(resolverFormats));
  });

  it("are all the routes of the admin API", () => {
    const section = readme.split("\n## Admin API\n")[1]?.split("\n## ")[0] ?? "";
    for (const { method, path } of Object.values(routes)) {
      const last = path.replace(/^.*(?=\/(failover|failback)$)/, "");
      const ends = [`${last}\``, `${last}?`];
      const row = section
        .split("\n")
        .find((line) => line.startsWith("| `") && ends.some((end) => line.includes(end)));
      expect(row, path).toContain(method.toUpperCase());
    }
  });

  it("are all the codes of its errors, with their status", () => {
    const listed = [...readme.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| (.+) \|$/gm)].map(
      ([, code, status, means]) => ({
        code,
        status: Number(status),
        means,
      }),
    );
    const known = Object.entries(adminErrors).map(([code, error]) => ({ code, ...error }));
    expect(listed).toEqual(known);
  });

  it("are all the rules of check --strict", () => {
    const section = readme.split("\n### Warnings\n")[1]?.split("\n## ")[0] ?? "";
    const listed = [...section.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, name, about]) => ({
      name,
      about,
    }));
    expect(listed).toEqual(lintRules);
  });

  it("are all the networks of the default lab", () => {
    for (const { name } of loaded.kind === "loaded" ? loaded.configuration.networks : []) {
      expect(readme).toContain(`| ${name} |`);
    }
  });

  it("are all its vantage points, each beside its network", () => {
    const listeners = loaded.kind === "loaded" ? loaded.configuration.settings.listen : [];
    const points = listeners.flatMap(({ address, vantage }) =>
      vantage?.kind === "network" ? [{ address, network: vantage.network }] : [],
    );
    expect(points).toHaveLength(9);
    for (const { address, network } of points) {
      expect(readme).toMatch(
        new RegExp(`^\\| ${network} \\|.*\\| ${address.replaceAll(".", "\\.")} \\|$`, "m"),
      );
    }
  });
});
