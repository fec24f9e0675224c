// `geodns365 expect`: what comes back held against files, in process, from a server and through a resolver; the reports; what is
// recorded; and what is wrong with a file.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { type Server, startServer } from "../../src/server.ts";
import { buildSnapshot, withStates } from "../../src/snapshot.ts";
import { listenUdp } from "../../src/transport/udp.ts";
import { answerAtOnce } from "../answer.ts";
import { call, type Outcome, run } from "./program.ts";

vi.setConfig({ testTimeout: 30_000 });
const folder = mkdtempSync(join(tmpdir(), "geodns365-expect-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file, and returns its path. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const config = file(
  "lab.yaml",
  `geoip: { database: none }
defaultLocation: { city: London, country: GB, coordinates: [51.5, -0.1] }
---
networks:
  london: { prefixes: [10.1.0.0/16], place: { city: London, country: GB, coordinates: [51.5, -0.1] } }
  dublin: { prefixes: [10.2.0.0/16], place: { city: Dublin, country: IE, coordinates: [53.3, -6.3] } }
---
cloud: Lab
zones: [shop.example]
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.5, -0.1], geo: EUR, addresses: [198.18.1.0/24], roles: [front-end, tenants] }
  dub: { city: Dublin, country: IE, coordinates: [53.3, -6.3], geo: EUR, addresses: [198.18.2.0/24], roles: [front-end, tenants] }
services:
  web: { policy: nearest-datacenter, names: [www.shop.example], ttl: 60, chain: [{ name: "{datacenter}.shop.example", ttl: 30 }], addresses: { slice: 0, count: 1 } }
  data: { policy: active-datacenter, names: ["{tenant}.shop.example"], ttl: 60, addresses: { slice: 1, count: 1 } }
---
cloud: Other
zones: [other.example]
datacenters:
  osl: { city: Oslo, country: "NO", coordinates: [59.9, 10.8], addresses: [198.18.3.0/24] }
services:
  web: { policy: nearest-datacenter, names: [www.other.example], ttl: 60, addresses: { slice: 0, count: 1 } }
---
tenants:
  contoso: { cloud: Lab, geo: EUR, active: lhr, standby: dub }
`,
);

const good = `expectations:
  - ask: www.shop.example A
    from: london
    expect: { datacenter: lhr, chain: [LHR.shop.example], rcode: NOERROR, scope: 15, ttlAtMost: 60, never: [Other] }
  - { ask: [www.shop.example, dub.shop.example], from: [dublin, 10.2.7.9, 10.2.0.0/24], expect: { datacenter: Lab/dub, never: [Other, lhr] } }
  - { ask: contoso.shop.example, expect: { datacenter: lhr, scope: 0, chain: [] } }
  - { ask: nosuch.shop.example, from: london, expect: { rcode: NXDOMAIN, datacenter: none, flags: [qr, aa] } }
`;
const wrong = `expectations:
  - ask: www.shop.example
    from: [dublin, london]
    expect: { datacenter: dub, chain: [dub.shop.example], ttlAtMost: 30 }
`;

const tell = (...words: readonly string[]): Promise<Outcome> =>
  call(["expect", ...words, "--config", config, "--state", "none"]);

describe("in process", () => {
  test("as a program: each question has a line, and all is as expected", async () => {
    const path = file("good.yaml", good);
    const { code, stdout, stderr } = await run(["expect", path, "--config", config, "--state", "none"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toEqual([
      path,
      "  ok    www.shop.example from london",
      ...["dublin", "10.2.7.9", "10.2.0.0/24"].map((from) => `  ok    www.shop.example from ${from}`),
      ...["dublin", "10.2.7.9", "10.2.0.0/24"].map((from) => `  ok    dub.shop.example from ${from}`),
      "  ok    contoso.shop.example from london",
      "  ok    contoso.shop.example from dublin",
      "  ok    nosuch.shop.example from london",
      "good: 10 of 10 as expected",
      "",
    ]);
  });

  test("what differs is told with its place, what was expected and what came", async () => {
    const path = file("wrong.yaml", wrong);
    expect(await tell(path)).toEqual({
      code: 1,
      stderr: "",
      stdout: `${path}
  DIFF  www.shop.example from dublin
        at ${path}:2:5
        ttlAtMost: expected 30, got www.shop.example. 60 CNAME dub.shop.example.
        why: geodns365 explain www.shop.example --from dublin --config ${config} --state none
  DIFF  www.shop.example from london
        at ${path}:2:5
        datacenter: expected dub, got Lab/lhr
        chain: expected dub.shop.example., got lhr.shop.example.
        ttlAtMost: expected 30, got www.shop.example. 60 CNAME lhr.shop.example.
        why: geodns365 explain www.shop.example --from london --config ${config} --state none
2 of 2 other than expected
`,
    });
  });

  test("never tells each record that is of the cloud or datacenter", async () => {
    const path = file(
      "never.yaml",
      "expectations: [{ ask: www.shop.example, from: london, expect: { never: lhr } }]",
    );
    const { code, stdout } = await tell(path);
    expect(code).toBe(1);
    expect(stdout).toContain(
      "        - nothing of lhr\n        + www.shop.example. 60 CNAME lhr.shop.example.\n        + lhr.shop.example. 30 A 198.18.1.1\n",
    );
  });

  test("TAP 14", async () => {
    const { code, stdout } = await tell(
      file("wrong.yaml", wrong),
      file("good.yaml", good),
      "--format",
      "tap",
    );
    expect(code).toBe(1);
    const lines = stdout.split("\n");
    expect(lines.slice(0, 3)).toEqual(["TAP version 14", "1..12", "not ok 1 - www.shop.example from dublin"]);
    const block = lines.slice(lines.indexOf("  ---") + 1, lines.indexOf("  ..."));
    expect(parse(block.join("\n"))).toEqual({
      at: expect.stringMatching(/wrong\.yaml:2:5$/),
      differences: [
        { what: "ttlAtMost", expected: ["30"], got: ["www.shop.example. 60 CNAME dub.shop.example."] },
      ],
      why: `geodns365 explain www.shop.example --from dublin --config ${config} --state none`,
    });
    expect(lines.filter((line) => /^ok \d/.test(line)).length).toBe(10);
  });

  test("JUnit XML", async () => {
    const { code, stdout } = await tell(file("wrong.yaml", wrong), "--format", "junit");
    expect(code).toBe(1);
    expect(stdout).toContain('<testsuites name="geodns365" tests="2" failures="2" errors="0" skipped="0">');
    expect(stdout).toContain('name="www.shop.example from london"');
    expect(stdout).toContain('<failure type="different" message="datacenter: expected dub, got Lab/lhr">');
    const open = [...stdout.matchAll(/<(test\w+|failure)[^>]*[^/]>/g)].map(([, tag]) => tag);
    const closed = [...stdout.matchAll(/<\/(\w+)>/g)].map(([, tag]) => tag);
    expect(closed.toSorted()).toEqual(open.toSorted());
  });

  test("JSON", async () => {
    const { code, stdout } = await tell(file("wrong.yaml", wrong), "--format", "json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      checks: 2,
      different: 2,
      skipped: 0,
      files: [{ checks: [{ outcome: "different" }, { title: "www.shop.example from london" }] }],
    });
  });
});

describe("over the network", () => {
  let server: Server;
  let address = "";
  const loaded = loadConfig(config);
  if (loaded.kind === "errors") throw new Error("the lab has errors");
  const snapshot = buildSnapshot(loaded.configuration, undefined);
  beforeAll(async () => {
    server = await startServer(snapshot, { listen: [{ address: "127.0.0.1", family: 4, port: 0 }] });
    address = `127.0.0.1:${server.listening[0]?.port}`;
  });
  afterAll(() => server.close());

  test("a server is held to the same, and found out when it answers otherwise", async () => {
    const path = file("good.yaml", good);
    expect((await tell(path, "--server", address)).code).toBe(0);
    const lhr = snapshot.configuration.clouds[0]?.datacenters.find(({ shortId }) => shortId === "lhr");
    if (lhr === undefined) throw new Error("the lab has no lhr");
    await server.replaceSnapshot(withStates(snapshot, new Map([[lhr.id, "down"]])));
    const { code, stdout } = await tell(path, "--server", address);
    await server.replaceSnapshot(snapshot);
    expect(code).toBe(1);
    expect(stdout).toContain("datacenter: expected lhr, got Lab/dub");
    expect(stdout).toContain("DIFF  www.shop.example from london");
  });

  test("through a resolver neither AA nor a scope is demanded, and records may be in any order", async () => {
    const path = file(
      "via.yaml",
      `${good}  - ask: www.shop.example
    from: london
    expect: { answer: [lhr.shop.example. 9999 A 198.18.1.1, WWW.shop.example. 9999 CNAME lhr.shop.example.], scope: 99 }
`,
    );
    // A resolver as far as a client can see: RA instead of AA.
    const resolver = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond: (message, { port }) => {
        const address = { family: 4, octets: Uint8Array.of(127, 0, 0, 1) } as const;
        const { octets } = answerAtOnce(snapshot, message, { address, port, transport: "udp" }, 0);
        if (octets === undefined || ((message[2] ?? 0) & 1) === 0) return undefined;
        octets[2] = (octets[2] ?? 0) & ~4;
        octets[3] = (octets[3] ?? 0) | 0x80;
        return octets;
      },
      onFault: () => {},
    });
    const via = `127.0.0.1:${resolver.port}`;
    expect(await tell(path, "--via", via)).toMatchObject({ code: 0 });
    await resolver.close();
  });

  test("who is asked as a server of the zones must say so by AA", async () => {
    const relay = await listenUdp({
      address: "127.0.0.1",
      family: 4,
      port: 0,
      respond: (message, { port }) => {
        const address = { family: 4, octets: Uint8Array.of(127, 0, 0, 1) } as const;
        const { octets } = answerAtOnce(snapshot, message, { address, port, transport: "udp" }, 0);
        if (octets !== undefined) octets[2] = (octets[2] ?? 0) & ~4;
        return octets;
      },
      onFault: () => {},
    });
    const path = file("good.yaml", good);
    const { code, stdout } = await tell(path, "--server", `127.0.0.1:${relay.port}`);
    await relay.close();
    expect(code).toBe(1);
    expect(stdout).toContain("flags: expected aa, as servers of a zone set it, got no aa; is it a resolver?");
  });

  test("where nobody listens, that is told once", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const at = probe.address();
    const port = typeof at === "object" && at !== null ? at.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    const { code, stdout, stderr } = await tell(file("good.yaml", good), "--server", `127.0.0.1:${port}`);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`nobody listens at 127.0.0.1:${port} over udp; start geodns365 serve`);
  });
});

describe("--record", () => {
  test("writes what is true now, and the same each time; it holds then", async () => {
    const path = join(folder, "recorded.yaml");
    const { code, stdout } = await tell("--record", path);
    expect([code, stdout]).toEqual([0, `${path}: 4 expectations\n`]);
    const text = readFileSync(path, "utf8");
    expect(text.split("\n").slice(2)).toEqual([
      "expectations:",
      "  # Lab, service web: nearest-datacenter",
      "  - ask: www.shop.example",
      "    from: london",
      "    expect: { datacenter: Lab/lhr, chain: [lhr.shop.example], scope: 15, ttlAtMost: 60, never: [Other] }",
      "  - ask: www.shop.example",
      "    from: dublin",
      "    expect: { datacenter: Lab/dub, chain: [dub.shop.example], scope: 16, ttlAtMost: 60, never: [Other] }",
      "  # Lab, service data: active-datacenter",
      "  - ask: contoso.shop.example",
      "    expect: { datacenter: Lab/lhr, scope: 0, ttlAtMost: 60, never: [Other] }",
      "  # Other, service web: nearest-datacenter",
      "  - ask: www.other.example",
      "    expect: { datacenter: Other/osl, scope: 0, ttlAtMost: 60, never: [Lab] }",
      "",
    ]);
    expect((await tell("--record", path)).code).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(text);
    expect((await tell(path)).code).toBe(0);
  });

  test("what is asked, and from where, can be named", async () => {
    const path = join(folder, "named.yaml");
    const words = [
      "--ask",
      "www.shop.example AAAA",
      "--ask",
      "contoso.shop.example",
      "--from",
      "10.9.0.0/16",
    ];
    expect((await tell("--record", path, ...words)).code).toBe(0);
    expect(parse(readFileSync(path, "utf8"))).toMatchObject({
      expectations: [
        { ask: "www.shop.example AAAA", from: "10.9.0.0/16", expect: { chain: ["lhr.shop.example"] } },
        { ask: "contoso.shop.example", from: "10.9.0.0/16" },
      ],
    });
    expect((await tell(path)).code).toBe(0);
  });

  test("a file that was written by hand is not written over", async () => {
    const path = file("hand.yaml", good);
    expect(await tell("--record", path)).toMatchObject({
      code: 2,
      stderr: `error: ${path} was not recorded, so it is not written over; name another file\n`,
    });
    expect(readFileSync(path, "utf8")).toBe(good);
  });

  test.each([
    [join(folder, "none/today.yaml"), "cannot be written: there is no such file"],
    [folder, "cannot be read: it is a folder"],
  ])("that nothing can be recorded into %s is told in one line", async (path, words) => {
    const { code, stderr } = await tell("--record", path, "--ask", "www.shop.example");
    expect([code, stderr.trimEnd().split("\n")]).toEqual([
      2,
      [expect.stringContaining(`error: ${path} ${words}`)],
    ]);
  });
});

describe("misuse", () => {
  test("every error of every file comes with its place", async () => {
    const bad = file(
      "bad.yaml",
      "expectations:\n  - ask: www.shop.example AA\n    form: london\n    expect: { ttl: 3, rcode: NOPE }\n",
    );
    const { code, stdout, stderr } = await tell(bad, join(folder, "none.yaml"));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.split("\n").filter((line) => line.includes(".yaml"))).toEqual([
      `${bad}:2:10: "AA" is not a type`,
      `${bad}:3:5: "form" is no key here; did you mean "from"?`,
      expect.stringContaining(`${bad}:4:15: "ttl" is no key here`),
      `${bad}:4:30: "NOPE" is not an RCODE`,
      `${join(folder, "none.yaml")}:1:1: the file cannot be read: there is no such file`,
    ]);
    expect(stderr).toMatch(/5 errors\n$/);
  });

  test("names that the configuration does not know are told with what is near", async () => {
    const path = file(
      "unknown.yaml",
      "expectations:\n  - { ask: www.shop.example, from: [london, dubln], expect: { datacenter: lrh, never: Othr } }\n",
    );
    const { code, stderr } = await tell(path);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `${path}:2:45: "dubln" is neither a network, a prefix nor an address; did you mean "dublin"?`,
    );
    expect(stderr).toContain('"lrh" is no datacenter; did you mean "lhr"?');
    expect(stderr).toContain('"Othr" is neither a cloud nor a datacenter; did you mean "Other"?');
  });

  test("an id that two clouds have is told which", async () => {
    const both = file("both.yaml", readFileSync(config, "utf8").replace("osl:", "dub:"));
    const path = file(
      "both-expectations.yaml",
      "expectations:\n  - { ask: www.shop.example, from: dublin, expect: { datacenter: dub } }\n",
    );
    const { code, stderr } = await call(["expect", path, "--config", both, "--state", "none"]);
    expect(code).toBe(2);
    expect(stderr).toContain('"dub" is a datacenter of several clouds; write Lab/dub or Other/dub');
    writeFileSync(path, readFileSync(path, "utf8").replace("datacenter: dub", "datacenter: Lab/dub"));
    expect((await call(["expect", path, "--config", both, "--state", "none"])).code).toBe(0);
  });

  test.each([
    [[], "name a file of expectations, or write one with --record FILE"],
    [["x.yaml", "--record", "y.yaml"], "--record writes a file and reads none"],
    [["x.yaml", "--from", "london"], "--from and --ask say what --record writes"],
    [["x.yaml", "--server", "127.0.0.1:1", "--via", "127.0.0.1:2"], "--server and --via are two ways to ask"],
    [["x.yaml", "--ask", "a b c"], '"a b c" is not a name and a type'],
    [["x.yaml", "--format", "yaml"], "Allowed choices are text, tap, junit, json"],
  ])("%j", async (words, message) => {
    const { code, stderr } = await tell(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("a story is for another command", async () => {
    const path = file("story.yaml", "title: a story\nsteps: [{ wait: 1s }]\n");
    expect((await tell(path)).stderr).toContain(
      "this is a document of a scenario, not of expectations; geodns365 play takes it",
    );
  });
});
