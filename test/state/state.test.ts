// What a start goes on from: nothing that befalls what is kept stops the answering, and what it means is said.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { noOperations, type Operations, withOverride } from "../../src/cloud/operations.ts";
import { datacenterId } from "../../src/cloud/topology.ts";
import { formatConfigError } from "../../src/config/load.ts";
import { type LoadedSnapshot, type LoadOptions, loadSnapshot } from "../../src/load-snapshot.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import { FileStateStore } from "../../src/state/file-state-store.ts";
import type { StoredState } from "../../src/state/stored-state.ts";
import { serialOf, zonesOfRecords } from "../../src/zone/zone.ts";
import { type Folder, makeFolder, state } from "./lab.ts";

let folder: Folder;
beforeEach(() => {
  folder = makeFolder();
});
afterEach(() => folder.remove());

const lab = (address: string, stateFile?: string): string => `geoip: { database: none }
${stateFile === undefined ? "" : `server: { stateFile: ${stateFile} }\n`}zones: [lab.example]
records: { lab.example: ["www A ${address}"] }
`;

type Loaded = Extract<LoadedSnapshot, { kind: "loaded" }>;

async function load(yaml: string, keepState: boolean, options: LoadOptions = {}): Promise<Loaded> {
  folder.put("lab.yaml", yaml);
  const loaded = await loadSnapshot(join(folder.path, "lab.yaml"), { keepState, ...options });
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return loaded;
}

const start = (yaml = lab("192.0.2.1")): Promise<Loaded> => load(yaml, true);
const look = (yaml = lab("192.0.2.1")): Promise<Loaded> => load(yaml, false);
const kept = async (): Promise<StoredState> => (await new FileStateStore(folder.file).read()).state;

const serials = ({ configuration }: Snapshot): readonly number[] =>
  zonesOfRecords(configuration.zones).map(({ soa }) => serialOf(soa));

test("secrets of the configuration go before the one that is kept", async () => {
  const first = "000102030405060708090a0b0c0d0e0f";
  const second = "101112131415161718191a1b1c1d1e1f";
  const made = (await start()).snapshot.cookieSecrets;
  const given = `server: { cookieSecrets: [${first}, ${second}] }\n${lab("192.0.2.1")}`;
  const { cookieSecrets } = (await start(given)).snapshot;
  expect(cookieSecrets.map((octets) => Buffer.from(octets).toString("hex"))).toEqual([first, second]);
  expect((await start()).snapshot.cookieSecrets).toEqual(made);
});

describe("a start", () => {
  test("makes a cookie secret once and keeps it", async () => {
    const [made, ...none] = (await start()).snapshot.cookieSecrets;
    expect(made).toHaveLength(16);
    expect(none).toEqual([]);
    expect((await start(lab("192.0.2.2"))).snapshot.cookieSecrets).toEqual([made]);
    expect((await look(lab("192.0.2.2"))).snapshot.cookieSecrets).toEqual([made]);
    rmSync(join(folder.path, ".geodns365"), { recursive: true });
    expect((await start(lab("192.0.2.2"))).snapshot.cookieSecrets).not.toEqual([made]);
  });

  test("keeps a previous secret behind the current one", async () => {
    await new FileStateStore(folder.file).write(state);
    expect((await start()).snapshot.cookieSecrets).toEqual(
      state.cookieSecrets.map((hex) => Uint8Array.from(Buffer.from(hex, "hex"))),
    );
    expect((await kept()).cookieSecrets).toEqual(state.cookieSecrets);
  });

  test("writes nothing where nothing is new", async () => {
    await start();
    const before = [folder.file, folder.copy].map((path) => statSync(path).ino);
    await start();
    expect([folder.file, folder.copy].map((path) => statSync(path).ino)).toEqual(before);
  });

  test("goes on from version 1, and leaves version 2 in two files", async () => {
    const { zones, cookieSecrets } = state;
    folder.put(".geodns365/lab.state.json", JSON.stringify({ version: 1, zones, cookieSecrets }));
    const { snapshot, warnings, operations } = await start();
    expect(warnings).toEqual([]);
    expect(operations).toEqual(noOperations);
    // The serial after the last there is (RFC 1982), for the content is another.
    expect(serials(snapshot)).toEqual([1]);
    for (const path of [folder.file, folder.copy]) {
      expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ version: 2, sequence: 1 });
    }
    expect((await kept()).cookieSecrets).toEqual(cookieSecrets);
  });

  test("that only looks makes neither secret nor file", async () => {
    const { snapshot, warnings } = await look();
    expect(snapshot.cookieSecrets).toEqual([]);
    expect(warnings).toEqual([]);
    expect(existsSync(folder.file)).toBe(false);
  });

  test("takes the path from the YAML file that says it", async () => {
    await start(lab("192.0.2.1", "elsewhere/lab.json"));
    expect(existsSync(folder.file)).toBe(false);
    expect(readdirSync(join(folder.path, "elsewhere"))).toEqual(["lab.json", "lab.json.copy"]);
  });

  test("by default keeps its state beside the first file, not beside one included", async () => {
    folder.put("base/base.yaml", lab("192.0.2.1"));
    await start("include: [base/base.yaml]\n");
    expect((await kept()).cookieSecrets).toHaveLength(1);
    expect(readdirSync(join(folder.path, "base"))).toEqual(["base.yaml"]);
  });

  test("with a damaged file and no copy serves, warns once and counts on from the time", async () => {
    folder.put(".geodns365/lab.state.json", "{");
    const { snapshot, warnings } = await start();
    expect(serials(snapshot)[0]).toBeGreaterThan(1_700_000_000);
    expect(snapshot.cookieSecrets).toHaveLength(1);
    expect(warnings).toEqual([
      `the state file ${folder.file} is damaged: it is not JSON, and there is no copy; serials go on from the time, the cookie secret is new, and no override or move of a tenant is known; the damaged ${folder.file} is kept as ${folder.file}.damaged-1`,
    ]);
    expect((await start()).warnings).toEqual([]);
  });

  test("with a damaged file goes on from the copy, and says so once", async () => {
    await start();
    await start(lab("192.0.2.2"));
    writeFileSync(folder.file, "{");
    const { snapshot, warnings } = await start(lab("192.0.2.2"));
    expect(serials(snapshot)).toEqual([2]);
    expect(warnings).toEqual([
      `the state file ${folder.file} is damaged: it is not JSON; its copy ${folder.copy} is used; the damaged ${folder.file} is kept as ${folder.file}.damaged-1`,
    ]);
    expect((await start(lab("192.0.2.2"))).warnings).toEqual([]);
  });

  test("that only looks says that a file is damaged, and leaves it", async () => {
    folder.put(".geodns365/lab.state.json", "{}");
    expect((await look()).warnings).toEqual([expect.stringContaining("is damaged")]);
    expect(readFileSync(folder.file, "utf8")).toBe("{}");
    expect(readdirSync(join(folder.path, ".geodns365"))).toEqual(["lab.state.json"]);
  });

  test("where nothing can be written serves and warns once", async () => {
    const { snapshot, warnings } = await start(lab("192.0.2.1", "/proc/geodns365/state.json"));
    expect(serials(snapshot)).toEqual([1]);
    expect(snapshot.cookieSecrets).toHaveLength(1);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^cannot write the state file \/proc\/geodns365\/state\.json \(\w+: [^)]+\); make it writable or set server\.stateFile; serials and the cookie secret last until the server stops, and changes by operators are refused until it can be written$/,
      ),
    ]);
  });

  test("does not replace a file that it cannot read, and says it once", async () => {
    mkdirSync(folder.file, { recursive: true });
    const { snapshot, warnings } = await start();
    expect(serials(snapshot)[0]).toBeGreaterThan(1_700_000_000);
    expect(warnings).toEqual([
      `cannot read the state file ${folder.file} (EISDIR: illegal operation on a directory); make it readable or set server.stateFile; serials go on from the time, the cookie secret is new, and no override or move of a tenant is known; serials and the cookie secret last until the server stops, and changes by operators are refused until it can be written`,
    ]);
    expect(readdirSync(join(folder.path, ".geodns365"))).toEqual(["lab.state.json"]);
  });
});

describe("a reload", () => {
  test("that cannot write goes on from what the one before knew, and writes it once it can", async () => {
    folder.put("taken", "");
    const yaml = (address: string): string => lab(address, "taken/state.json");
    const first = await start(yaml("192.0.2.1"));
    const secret = first.snapshot.cookieSecrets;
    const [serial = 0] = serials(first.snapshot);
    const { store } = first;
    const second = await load(yaml("192.0.2.2"), true, { store });
    expect(second.snapshot.cookieSecrets).toEqual(secret);
    expect(serials(second.snapshot)).toEqual([serial + 1]);
    rmSync(join(folder.path, "taken"));
    const third = await load(yaml("192.0.2.2"), true, { store });
    expect(third.warnings).toEqual([]);
    expect(serials(third.snapshot)).toEqual([serial + 1]);
    const restarted = await start(yaml("192.0.2.2"));
    expect(restarted.snapshot.cookieSecrets).toEqual(secret);
    expect(serials(restarted.snapshot)).toEqual([serial + 1]);
  });

  test("leaves operations alone that change while it goes on", async () => {
    const { store } = await start();
    const { operations } = state;
    await Promise.all([load(lab("192.0.2.2"), true, { store }), store.write({ operations })]);
    expect(await kept()).toMatchObject({ operations, zones: { "lab.example.": { serial: 2 } } });
  });
});

describe("server.stateFile: none", () => {
  const yaml = lab("192.0.2.1", "none");

  test("keeps state in memory alone, and says so once", async () => {
    const { snapshot, store, warnings } = await start(yaml);
    expect(warnings).toEqual([
      "server.stateFile is none, so serials, the cookie secret and all changes last until the server stops",
    ]);
    expect(store.describe()).toBe("memory alone, until the server stops");
    await store.write({ operations: state.operations });
    const next = await load(lab("192.0.2.2", "none"), true, { store });
    expect(next.snapshot.cookieSecrets).toEqual(snapshot.cookieSecrets);
    expect(serials(next.snapshot)).toEqual([2]);
    expect(next.operations).toEqual(state.operations);
    expect(next.warnings).toEqual([expect.stringContaining("kept without effect")]);
    expect(readdirSync(folder.path)).toEqual(["lab.yaml"]);
  });

  test("is nothing to say where nothing would be kept", async () => {
    expect((await look(yaml)).warnings).toEqual([]);
  });
});

const cloud = (more = ""): string => `geoip: { database: none }
---
cloud: Lab
zones: [shop.example]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.5, -0.1], geo: GBR, roles: [front-end, tenants], addresses: [198.18.1.0/24] }
  dub: { city: Dublin, country: IE, coordinates: [53.3, -6.3], geo: EUR, roles: [front-end, tenants], addresses: [198.18.2.0/24], probe: "tcp://127.0.0.1:1" }
  fra: { city: Frankfurt, country: DE, coordinates: [50.1, 8.7], geo: EUR, roles: [front-end], addresses: [198.18.3.0/24] }
services:
  web: { policy: nearest-datacenter, names: [www.shop.example], ttl: 60, addresses: { slice: 0, count: 1 } }
---
tenants:
  contoso: { cloud: Lab, geo: GBR, active: lhr, standby: dub }
${more}`;

const id = (shortId: string) => datacenterId("Lab", shortId);
const since = 1;
const down = (target: string, until?: number): Operations =>
  withOverride(noOperations, { target, state: "down", reason: "a drill", until }, since);

describe("operations", () => {
  const operations: Operations = {
    ...down("lhr"),
    tenants: {
      contoso: {
        active: id("lhr"),
        standby: id("dub"),
        serving: "standby",
        by: "failover",
        reason: "Lab/lhr is down",
        since,
      },
    },
    health: { [id("dub")]: { state: "down", since, reason: "3 probes failed" } },
  };

  test("come back at the next start, and datacenters are as they were left", async () => {
    const { store } = await start(cloud());
    await store.write({ operations });
    const { snapshot, warnings, ...loaded } = await start(cloud());
    expect(loaded.operations).toEqual(operations);
    expect([...snapshot.states]).toEqual([
      [id("lhr"), "down"],
      [id("dub"), "down"],
    ]);
    expect(warnings).toEqual([]);
    const places = [...snapshot.tenantPlaces];
    expect(places).toMatchObject([["contoso", { standby: { id: "Lab/dub" }, serving: "standby" }]]);
    const looked = (await look(cloud())).snapshot;
    expect([[...looked.states], [...looked.tenantPlaces]]).toEqual([[...snapshot.states], places]);
  });

  test("whose time is over have no effect", async () => {
    const { store } = await start(cloud());
    await store.write({ operations: down("lhr", 2) });
    expect((await start(cloud())).snapshot.states.size).toBe(0);
  });

  test("of what is no longer configured are kept without effect, and are one line of warning", async () => {
    const gone: Operations = {
      ...withOverride(down("syd"), { target: "Other/*", state: "down", reason: "", until: undefined }, since),
      tenants: {
        fabrikam: { ...base, active: id("lhr"), standby: undefined },
        contoso: { ...base, active: id("fra"), standby: id("lhr") },
      },
      health: {
        [id("syd")]: { state: "down", since, reason: "" },
        [id("ams")]: { state: "up", since, reason: "" },
      },
    };
    const { store } = await start(cloud());
    await store.write({ operations: gone });
    for (const _ of ["once", "and again"]) {
      const { snapshot, warnings, ...loaded } = await start(cloud());
      expect(loaded.operations).toEqual(gone);
      expect(snapshot.states.size).toBe(0);
      expect(warnings).toEqual([
        "stored for what this configuration does not have, kept without effect: override 1 of syd, override 2 of Other/*, tenant fabrikam, tenant contoso at Lab/fra, the health of Lab/syd and 1 more",
      ]);
    }
    expect((await kept()).operations).toEqual(gone);
  });

  const base = { serving: "active", by: "operator", reason: undefined, since } as const;

  test("of what is still configured are told apart from them", async () => {
    const { store } = await start(cloud());
    const both = withOverride(
      operations,
      { target: "syd", state: "down", reason: "", until: undefined },
      since,
    );
    await store.write({ operations: both });
    const { snapshot, warnings } = await start(cloud("  other: { cloud: Lab, geo: EUR, active: dub }\n"));
    expect(snapshot.states.get(id("lhr"))).toBe("down");
    expect(warnings).toEqual([expect.stringMatching(/: override 2 of syd$/)]);
  });
});

test("two labs in one folder have a state file each", async () => {
  const path = folder.path;
  for (const name of ["geodns365.yaml", "lab.yaml", "office.yml"]) {
    folder.put(name, lab("192.0.2.1"));
    await loadSnapshot(join(path, name), { keepState: true });
  }
  expect(
    readdirSync(join(path, ".geodns365"))
      .filter((name) => name.endsWith(".json"))
      .toSorted(),
  ).toEqual(["lab.state.json", "office.state.json", "state.json"]);
});
