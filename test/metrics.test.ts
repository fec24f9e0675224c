/** What is counted of queries, how it is given to Prometheus, and that README and the dashboard name all of it. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allUp, withState } from "../src/cloud/states.ts";
import { datacenterId } from "../src/cloud/topology.ts";
import { loadConfig } from "../src/config/load.ts";
import { CLASS, parseType } from "../src/dns/iana.ts";
import { noSections } from "../src/dns/message.ts";
import { nameOctets, nameOf, parseName } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { parseAddress, parsePrefix } from "../src/ip.ts";
import { Metrics, type MetricsSources } from "../src/metrics.ts";
import { Observer } from "../src/observer.ts";
import { ReloadCounts } from "../src/reload-counts.ts";
import { resolveScripted } from "../src/scripted.ts";
import { buildSnapshot, type Snapshot, withStates } from "../src/snapshot.ts";
import type { ScriptedZone } from "../src/zone/scripted-zone.ts";
import { answerAtOnce } from "./answer.ts";
import { readmePath } from "./readme.ts";

const noon = Date.UTC(2026, 10, 25, 12);

function load(path: string): Snapshot {
  const loaded = loadConfig(join(import.meta.dirname, path));
  if (loaded.kind === "errors") throw new Error(`${path} has errors`);
  return buildSnapshot(loaded.configuration, undefined);
}

const lab = load("../config/geodns365.yaml");

interface Asked {
  readonly name?: string;
  readonly type?: string;
  readonly ecs?: string;
  readonly transport?: "udp" | "tcp";
  readonly microseconds?: number;
  readonly snapshot?: Snapshot;
}

function ask(observer: Observer, asked: Asked = {}): void {
  const { name = "outlook.office365.com", type = "A", ecs, transport = "udp", snapshot = lab } = asked;
  const qname = parseName(name);
  const qtype = parseType(type);
  const subnet = ecs === undefined ? undefined : parsePrefix(ecs);
  if (typeof qname === "string" || typeof subnet === "string" || qtype === undefined) throw new Error(name);
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet };
  const query = renderQuery({ qname, qtype, qclass: CLASS.IN }, { id: 1, recursionDesired: false, edns });
  send(observer, query, asked, transport, snapshot);
}

function send(
  observer: Observer,
  message: Uint8Array,
  { microseconds = 20 }: Asked = {},
  transport: "udp" | "tcp" = "udp",
  snapshot = lab,
): void {
  const address = parseAddress("127.0.0.1");
  if (address === undefined) throw new Error("no address");
  const { trace, octets } = answerAtOnce(snapshot, message, { address, port: 53, transport }, 0);
  observer.observe(trace, { octets, microseconds, nowMilliseconds: noon, snapshot });
}

function setUp(sources: Partial<MetricsSources> = {}, options = { ofProcess: false }) {
  const observer = new Observer({ capacity: 4 });
  const reloadCounts = new ReloadCounts();
  const metrics = new Metrics(
    {
      counts: observer.counts,
      journal: observer.journal,
      now: () => noon,
      snapshot: () => ({ number: 3, since: noon - 90_000, geoip: undefined }),
      datacenters: () => [],
      tenantsFailedOver: () => 0,
      overrides: () => 0,
      connections: () => ({ open: 0, refused: 0, replaced: 0 }),
      dropped: () => 0,
      reloads: () => reloadCounts.reloads(),
      ...sources,
    },
    options,
  );
  /** The lines of one metric, without its name. */
  const linesOf = async (name: string): Promise<readonly string[]> =>
    (await metrics.render()).text
      .split("\n")
      .filter((line) => line.startsWith(`geodns365_${name}{`) || line.startsWith(`geodns365_${name} `))
      .map((line) => line.slice(`geodns365_${name}`.length).trim());
  return { observer, metrics, reloadCounts, linesOf };
}

describe("queries are counted", () => {
  test("by transport, type and RCODE", async () => {
    const { observer, linesOf } = setUp();
    ask(observer);
    ask(observer);
    ask(observer, { transport: "tcp", type: "AAAA" });
    ask(observer, { name: "nosuch.office365.com", type: "MX" });
    ask(observer, { name: "www.example.org" });
    expect(await linesOf("queries_total")).toEqual([
      '{transport="udp",type="A",rcode="NOERROR"} 2',
      '{transport="udp",type="A",rcode="REFUSED"} 1',
      '{transport="udp",type="MX",rcode="NXDOMAIN"} 1',
      '{transport="tcp",type="AAAA",rcode="NOERROR"} 1',
    ]);
  });

  test("by the RCODE of a quirk", async () => {
    const { observer, linesOf } = setUp();
    const snapshot = load("scenarios/fixtures/quirks.yaml");
    ask(observer, { name: "contoso-com.mx.lab.example", snapshot });
    ask(observer, { name: "www.old.example", type: "HTTPS", transport: "tcp", snapshot });
    expect(await linesOf("queries_total")).toEqual([
      '{transport="udp",type="A",rcode="FORMERR"} 1',
      '{transport="tcp",type="HTTPS",rcode="NOTIMP"} 1',
    ]);
  });

  test("by a bounded number of labels, whatever is asked and answered", async () => {
    const { observer, linesOf } = setUp();
    for (let type = 1; type < 0x10000; type += 251)
      ask(observer, { type: `TYPE${type}`, name: "www.example.org" });
    const types = (await linesOf("queries_total")).map((line) => /type="([^"]*)"/.exec(line)?.[1]);
    expect(types.length).toBeLessThan(25);
    expect(types).toContain("other");
    for (let questions = 2; questions < 100; questions++) {
      const message = Buffer.alloc(12 + 5 * questions);
      message.writeUInt16BE(questions, 4);
      send(observer, message);
    }
    expect(await linesOf("queries_total")).toContain('{transport="udp",type="none",rcode="FORMERR"} 98');
  });

  test("with an RCODE that a handler made up among the others", async () => {
    const { observer, linesOf } = setUp();
    const address = parseAddress("192.0.2.1");
    if (address === undefined) throw new Error("no address");
    const apex = nameOf("api.example");
    const question = { qname: nameOctets(apex), qtype: 1, qclass: CLASS.IN };
    const zone: ScriptedZone = {
      kind: "scripted",
      apex,
      handler: "/api.js",
      deadlineMilliseconds: 100,
      concurrency: 1,
      place: { file: "api.yaml", line: 1, column: 1 },
      sourceLine: "",
    };
    const nothing = { edns: undefined, clientSubnet: undefined, cookie: undefined };
    const header = { id: 1, opcode: 0, recursionDesired: false };
    const observe = (rcode: number): void => {
      const made = { rcode, sections: noSections, scopePrefixLength: undefined, extendedErrors: [] };
      const resolution = resolveScripted(zone, question, undefined, { kind: "answer", answer: made });
      const source = { address, port: 53, transport: "udp" } as const;
      const query = { header, question, ...nothing };
      observer.observe(
        { kind: "answer", source, query, asker: { address, via: "source" }, resolution },
        { octets: undefined, microseconds: 1, nowMilliseconds: noon, snapshot: lab },
      );
    };
    observe(17);
    observe(4000);
    observe(2);
    expect(await linesOf("queries_total")).toEqual([
      '{transport="udp",type="A",rcode="other"} 2',
      '{transport="udp",type="A",rcode="SERVFAIL"} 1',
    ]);
    expect(await linesOf("handler_failures_total")).toEqual(["1"]);
  });

  test("by whose address counted and by what located it", async () => {
    const { observer, linesOf } = setUp();
    ask(observer, { ecs: "10.4.0.0/24" });
    ask(observer, { ecs: "192.0.2.0/24" });
    ask(observer);
    ask(observer);
    expect(await linesOf("located_queries_total")).toEqual([
      '{via="client-subnet",location="network"} 1',
      '{via="client-subnet",location="default"} 1',
      '{via="source",location="network"} 2',
    ]);
  });

  test("by what chose, what was chosen and why", async () => {
    const { observer, linesOf } = setUp();
    ask(observer, { ecs: "10.4.0.0/24" });
    ask(observer, { name: "contoso.sharepoint.com" });
    ask(observer, { name: "office365.com", type: "SOA" });
    const sydney = datacenterId("Worldwide", "syd");
    ask(observer, { ecs: "10.4.0.0/24", snapshot: withStates(lab, withState(allUp, sydney, "down")) });
    const exchange = 'cloud="Worldwide",service="exchange",policy="nearest-datacenter"';
    expect(await linesOf("choices_total")).toEqual([
      `{${exchange},datacenter="Worldwide/syd",reason="nearest"} 1`,
      `{${exchange},datacenter="Worldwide/sin",reason="next-nearest"} 1`,
      '{cloud="Worldwide",service="sharepoint",policy="active-datacenter",datacenter="Worldwide/dub",reason="active"} 1',
    ]);
  });

  test("at names with rules by reason, and over a reload by the same series", async () => {
    const { observer, linesOf } = setUp();
    const [first, second] = [
      load("scenarios/fixtures/tailored.yaml"),
      load("scenarios/fixtures/tailored.yaml"),
    ];
    ask(observer, { name: "geo.example.test", ecs: "10.1.1.0/24", snapshot: first });
    ask(observer, { name: "near.example.test", ecs: "198.51.100.0/24", snapshot: first });
    ask(observer, { name: "near.example.test", ecs: "198.51.100.0/24", snapshot: second });
    expect(await linesOf("choices_total")).toEqual([
      '{cloud="none",service="none",policy="rules",datacenter="none",reason="network"} 1',
      '{cloud="Shop",service="none",policy="rules",datacenter="Shop/tyo",reason="nearest"} 2',
    ]);
  });

  test("as silence by reason, and as truncated", async () => {
    const { observer, linesOf } = setUp();
    send(observer, Buffer.alloc(3));
    const response = Buffer.alloc(12);
    response.writeUInt16BE(0x8000, 2);
    send(observer, response);
    send(observer, response);
    expect(await linesOf("silent_queries_total")).toEqual([
      '{reason="it is shorter than a header"} 1',
      '{reason="it is a response"} 2',
    ]);
    for (let i = 0; i < 30; i++) observer.counts.countSilence(`made up ${i}`);
    expect(await linesOf("silent_queries_total")).toHaveLength(21);
    expect((await linesOf("silent_queries_total")).at(-1)).toBe('{reason="other"} 12');
    expect(await linesOf("truncated_responses_total")).toEqual(["0"]);
    // No name of the lab fills a datagram, so the bit is set by hand.
    const address = parseAddress("127.0.0.1");
    if (address === undefined) throw new Error("no address");
    const source = { address, port: 53, transport: "udp" } as const;
    const query = renderQuery(
      { qname: Uint8Array.of(0), qtype: 1, qclass: CLASS.IN },
      { id: 1, recursionDesired: false, edns: undefined },
    );
    const { trace } = answerAtOnce(lab, query, source, 0);
    const octets = Uint8Array.of(0, 1, 0x86, 0);
    observer.observe(trace, { octets, microseconds: 1, nowMilliseconds: noon, snapshot: lab });
    expect(await linesOf("truncated_responses_total")).toEqual(["1"]);
    expect(observer.journal.size).toBe(1);
  });
});

test("the time to the answer is a histogram of each transport", async () => {
  const { observer, linesOf } = setUp();
  for (const microseconds of [5, 10, 11, 40, 90_000, 6e6]) ask(observer, { microseconds });
  const buckets = await linesOf("query_duration_seconds_bucket");
  const udp = buckets.filter((line) => line.includes('"udp"'));
  const bucket = (le: string) =>
    udp
      .find((line) => line.startsWith(`{le="${le}"`))
      ?.split(" ")
      .at(-1);
  expect(["0.00001", "0.00005", "0.05", "0.1", "5", "+Inf"].map(bucket)).toEqual([
    "2",
    "4",
    "4",
    "5",
    "5",
    "6",
  ]);
  expect(buckets).toHaveLength(2 * udp.length);
  expect(await linesOf("query_duration_seconds_count")).toEqual([
    '{transport="udp"} 6',
    '{transport="tcp"} 0',
  ]);
  const [sum] = await linesOf("query_duration_seconds_sum");
  expect(Number(sum?.split(" ").at(-1))).toBeCloseTo(6.090066, 9);
});

test("what the server is doing is asked when it is scraped", async () => {
  const { observer, reloadCounts, linesOf } = setUp({
    snapshot: () => ({
      number: 12,
      since: noon - 90_000,
      geoip: { databaseType: "Country", buildDate: new Date(noon - 86_400_000) },
    }),
    datacenters: () => [
      { id: "Shop/tyo", state: "down", health: { state: "up" } },
      { id: "Shop/chi", state: "up", health: undefined },
    ],
    tenantsFailedOver: () => 4,
    overrides: () => 1,
    connections: () => ({ open: 2, refused: 3, replaced: 5 }),
  });
  for (let i = 0; i < 9; i++) ask(observer);
  reloadCounts.countReload("errors", noon - 1000);
  reloadCounts.countReload("done", noon - 500);
  reloadCounts.countReload("done", noon);
  observer.counts.countFault();
  const values = async (...names: string[]) => (await Promise.all(names.map((name) => linesOf(name)))).flat();
  expect(
    await values(
      "snapshot_number",
      "snapshot_age_seconds",
      "geoip_build_age_seconds",
      "tenants_failed_over",
      "overrides",
    ),
  ).toEqual(["12", "90", '{database="Country"} 86400', "4", "1"]);
  expect(await linesOf("datacenter_state")).toEqual([
    '{datacenter="Shop/tyo",state="up"} 0',
    '{datacenter="Shop/tyo",state="draining"} 0',
    '{datacenter="Shop/tyo",state="down"} 1',
    '{datacenter="Shop/chi",state="up"} 1',
    '{datacenter="Shop/chi",state="draining"} 0',
    '{datacenter="Shop/chi",state="down"} 0',
  ]);
  expect(await linesOf("datacenter_healthy")).toEqual(['{datacenter="Shop/tyo"} 1']);
  expect(
    await values("tcp_connections", "tcp_connections_refused_total", "tcp_connections_replaced_total"),
  ).toEqual(["2", "3", "5"]);
  expect(await values("journal_queries", "journal_capacity", "faults_total")).toEqual(["4", "4", "1"]);
  expect(await linesOf("reloads_total")).toEqual(['{outcome="errors"} 1', '{outcome="done"} 2']);
  expect(await linesOf("last_reload_timestamp_seconds")).toEqual([
    `{outcome="errors"} ${noon / 1000 - 1}`,
    `{outcome="done"} ${noon / 1000}`,
  ]);
});

test("a second scrape says the same, and nothing of a GeoIP database where there is none", async () => {
  const { observer, metrics, linesOf } = setUp();
  ask(observer);
  const { contentType, text } = await metrics.render();
  expect((await metrics.render()).text).toBe(text);
  expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await linesOf("geoip_build_age_seconds")).toEqual([]);
});

describe("of all metrics", () => {
  const all = setUp({}, { ofProcess: true }).metrics.list();
  const own = all.filter(({ name }) => name.startsWith("geodns365_"));

  test("README has a table", () => {
    const readme = readFileSync(readmePath, "utf8");
    const rows = [...readme.matchAll(/^\| `(geodns365_\w+)(?:\{[\w, ]*\})?` \| (.*) \|$/gm)];
    expect(rows.map(([, name, help]) => ({ name, help }))).toEqual(own);
  });

  test("README's table has the labels", async () => {
    const readme = readFileSync(readmePath, "utf8");
    const { observer, metrics, reloadCounts } = setUp({
      snapshot: () => ({
        number: 1,
        since: noon,
        geoip: { databaseType: "Country", buildDate: new Date(noon) },
      }),
      datacenters: () => [{ id: "Shop/tyo", state: "down", health: { state: "up" } }],
    });
    ask(observer);
    send(observer, Buffer.alloc(3));
    reloadCounts.countReload("done", noon);
    const { text } = await metrics.render();
    for (const { name } of own) {
      const line = text.split("\n").find((each) => new RegExp(`^${name}(_count)?[{ ]`).test(each));
      const labels = [...(line ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label);
      const shown = labels.length === 0 ? `\`${name}\`` : `\`${name}{${labels.join(", ")}}\``;
      expect(readme).toContain(`| ${shown} |`);
    }
  });

  test("the dashboard shows those of the server and the first ones of the process, and no others", () => {
    const leftOut = [
      "process_cpu_user_seconds_total",
      "process_cpu_system_seconds_total",
      "process_start_time_seconds",
      "process_virtual_memory_bytes",
      "process_heap_bytes",
      "process_open_fds",
      "process_max_fds",
      "nodejs_eventloop_lag_seconds",
      "nodejs_eventloop_lag_min_seconds",
      "nodejs_eventloop_lag_max_seconds",
      "nodejs_eventloop_lag_mean_seconds",
      "nodejs_eventloop_lag_stddev_seconds",
      "nodejs_eventloop_lag_p90_seconds",
      "nodejs_active_resources",
      "nodejs_active_resources_total",
      "nodejs_active_handles",
      "nodejs_active_handles_total",
      "nodejs_active_requests",
      "nodejs_active_requests_total",
      "nodejs_heap_size_total_bytes",
      "nodejs_external_memory_bytes",
      "nodejs_heap_space_size_total_bytes",
      "nodejs_heap_space_size_used_bytes",
      "nodejs_heap_space_size_available_bytes",
      "nodejs_version_info",
      "nodejs_gc_duration_seconds",
    ];
    const shown = dashboardMetrics();
    const names = all.map(({ name }) => name);
    expect(names.filter((name) => !shown.has(name) && !leftOut.includes(name))).toEqual([]);
    expect([...shown].filter((name) => !names.includes(name))).toEqual([]);
    expect(leftOut.filter((name) => shown.has(name))).toEqual([]);
  });
});

describe("the dashboard", () => {
  test("has panels side by side, each with an id and a query of its own", () => {
    const { panels, schemaVersion } = dashboard();
    expect(schemaVersion).toBeGreaterThanOrEqual(38); // Grafana 10
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, type, targets } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let i = x; i < x + w; i++) {
        for (let j = y; j < y + h; j++) {
          expect(taken).not.toContain(`${i} ${j}`);
          taken.add(`${i} ${j}`);
        }
      }
      expect((targets ?? []).length).toBeGreaterThanOrEqual(type === "row" ? 0 : 1);
    }
  });

  test("asks by labels that the metrics have", () => {
    const readme = readFileSync(readmePath, "utf8");
    for (const expression of expressions()) {
      const used = [...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", "));
      const rows = [...expression.matchAll(/geodns365_\w+/g)].map(([metric]) => {
        const name = metric.replace(/_(bucket|sum|count)$/, "");
        return new RegExp(`\`${name}(\\{[^}]*\\})?\``).exec(readme)?.[1] ?? "";
      });
      for (const label of used.filter((each) => each !== "le" && each !== "instance")) {
        expect(
          rows.every((labels) => new RegExp(`\\b${label}\\b`).test(labels)),
          expression,
        ).toBe(true);
      }
    }
  });
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

function dashboard(): { readonly schemaVersion: number; readonly panels: readonly Panel[] } {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../docs/grafana/geodns365.json"), "utf8"));
}

const expressions = (): readonly string[] =>
  dashboard().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** The metrics that any panel asks for; those that a histogram is made of under its name. */
const dashboardMetrics = (): ReadonlySet<string> =>
  new Set(
    expressions()
      .flatMap((expression) => expression.match(/\b(?:geodns365|process|nodejs)_\w+/g) ?? [])
      .map((name) => name.replace(/_(bucket|sum|count)$/, "")),
  );
