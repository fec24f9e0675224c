/** The log's lines, and that they never wait for who reads them. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Configuration, Settings } from "../src/config/configuration.ts";
import { loadConfig } from "../src/config/load.ts";
import { CLASS, parseType } from "../src/dns/iana.ts";
import { parseName } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { parseAddress, parsePrefix } from "../src/ip.ts";
import { LineWriter, type QueryLine, queryLine } from "../src/log.ts";
import { buildSnapshot } from "../src/snapshot.ts";
import type { ListenerRules } from "../src/trace.ts";
import { answerAtOnce } from "./answer.ts";

const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error("the default lab has errors");
const { configuration: defaultLab } = loaded;
const rules = loadConfig(join(import.meta.dirname, "scenarios/fixtures/tailored.yaml"));
if (rules.kind === "errors") throw new Error("the fixture has errors");
const near = loadConfig(join(import.meta.dirname, "scenarios/fixtures/nearness.yaml"));
if (near.kind === "errors") throw new Error("the fixture has errors");
const quirky = loadConfig(join(import.meta.dirname, "scenarios/fixtures/quirks.yaml"));
if (quirky.kind === "errors") throw new Error("the fixture has errors");

function lineOf(
  name: string,
  {
    type = "A",
    ecs,
    trust = "all",
    listener,
  }: {
    type?: string;
    ecs?: string;
    trust?: Settings["clientSubnetTrust"];
    listener?: ListenerRules;
  } = {},
  configuration: Configuration = defaultLab,
): QueryLine {
  const settings = { ...configuration.settings, clientSubnetTrust: trust };
  const snapshot = buildSnapshot({ ...configuration, settings }, undefined);
  const qname = parseName(name);
  const qtype = parseType(type);
  const subnet = ecs === undefined ? undefined : parsePrefix(ecs);
  const address = parseAddress("127.0.0.1");
  if (typeof qname === "string" || typeof subnet === "string" || qtype === undefined || address === undefined)
    throw new Error(name);
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet };
  const message = renderQuery({ qname, qtype, qclass: CLASS.IN }, { id: 1, recursionDesired: false, edns });
  const { trace } = answerAtOnce(
    snapshot,
    message,
    { address, port: 53, transport: "tcp", ...(listener && { listener }) },
    0,
  );
  return queryLine(trace, snapshot.locations);
}

describe("the line of a query", () => {
  test("says which client subnet located it, and where", () => {
    const { message, fields } = lineOf("portal.office.com", { ecs: "10.4.0.0/24" });
    expect(message).toBe(
      "portal.office.com. A from 127.0.0.1 for 10.4.0.0/24 (sydney-office): NOERROR Worldwide/syd (nearest, scope 16)",
    );
    expect(fields).toMatchObject({ via: "client-subnet", location: "sydney-office", scope: 16 });
  });

  test("says that it was the source", () => {
    const { message, fields } = lineOf("portal.office.com");
    expect(message).toBe("portal.office.com. A from 127.0.0.1 (loopback): NOERROR Worldwide/lhr (nearest)");
    expect(fields).toMatchObject({ via: "source", location: "loopback", scope: undefined });
  });

  test("says that a client subnet did not count where its sender is not trusted", () => {
    const { message, fields } = lineOf("portal.office.com", { ecs: "10.4.0.0/24", trust: "none" });
    expect(message).toBe(
      "portal.office.com. A from 127.0.0.1 (loopback; client subnet 10.4.0.0/24 does not count): NOERROR Worldwide/lhr (nearest)",
    );
    expect(fields).toMatchObject({ via: "source", location: "loopback", ecs: "10.4.0.0/24", scope: 0 });
  });

  const sydney: ListenerRules = {
    vantage: { name: "sydney-office", address: { family: 4, octets: Uint8Array.of(10, 4, 0, 0) } },
    ignoresClientSubnet: false,
  };

  test("says that the listener stands for a network", () => {
    const { message, fields } = lineOf("portal.office.com", { listener: sydney });
    expect(message).toBe(
      "portal.office.com. A from 127.0.0.1 as sydney-office (sydney-office): NOERROR Worldwide/syd (nearest)",
    );
    expect(fields).toMatchObject({ via: "vantage", vantage: "sydney-office", location: "sydney-office" });
  });

  test("says nothing of that where a client subnet counts", () => {
    const { message, fields } = lineOf("portal.office.com", { listener: sydney, ecs: "10.3.0.0/24" });
    expect(message).toBe(
      "portal.office.com. A from 127.0.0.1 for 10.3.0.0/24 (singapore-office): NOERROR Worldwide/sin (nearest, scope 16)",
    );
    expect(fields).toMatchObject({ via: "client-subnet", vantage: undefined });
  });

  test("says that a client subnet did not count at a listener", () => {
    const listener = { ...sydney, ignoresClientSubnet: true };
    const { message, fields } = lineOf("portal.office.com", { listener, ecs: "10.3.0.0/24" });
    expect(message).toBe(
      "portal.office.com. A from 127.0.0.1 as sydney-office (sydney-office; client subnet 10.3.0.0/24 does not count): NOERROR Worldwide/syd (nearest)",
    );
    expect(fields).toMatchObject({ via: "vantage", ecs: "10.3.0.0/24", scope: 0 });
  });

  test.each([
    [
      "geo",
      "10.1.1.0/24",
      "network 10.1.1.0/25 (scope 25)",
      { rule: "network 10.1.1.0/25", reason: "network" },
    ],
    [
      "office",
      "10.32.0.0/24",
      "network london-office 10.32.0.0/16 (scope 16)",
      { rule: "network london-office 10.32.0.0/16" },
    ],
    ["office", "192.0.2.0/24", "no rule (scope 1)", { rule: "no rule", reason: "no-rule", scope: 1 }],
    ["country", "203.0.113.128/25", "country DE (scope 25)", { rule: "country DE", reason: "country" }],
    ["near", "198.51.100.0/24", "Shop/tyo (nearest, scope 24)", { datacenter: "Shop/tyo", rule: undefined }],
  ])("says which rule of %s holds for %s", (name, ecs, words, fields) => {
    const line = lineOf(`${name}.example.test`, { ecs }, rules.configuration);
    expect(line.message).toMatch(/: NOERROR .*$/);
    expect(line.message.replace(/^.*: NOERROR /, "")).toBe(words);
    expect(line.fields).toMatchObject(fields);
  });

  test.each([
    ["plain", "10.1.0.0/24", "Shop/lhr (nearest, scope 22)", { order: undefined }],
    [
      "listed",
      "10.2.0.0/24",
      "Shop/chi (nearest by list of country DE, scope 17)",
      { reason: "nearest", order: "list of country DE" },
    ],
    [
      "measured",
      "10.2.9.0/24",
      "Shop/lhr (nearest by latency of network 10.2.9.0/24, scope 24)",
      { order: "latency of network 10.2.9.0/24" },
    ],
    ["spread", "10.1.2.0/24", "Shop/fra (spread, scope 24)", { reason: "spread" }],
  ])("says what is near for %s from %s", (name, ecs, words, fields) => {
    const line = lineOf(`${name}.shop.test`, { ecs }, near.configuration);
    expect(line.message.replace(/^.*: NOERROR /, "")).toBe(words);
    expect(line.fields).toMatchObject(fields);
  });

  test("says that nothing locates the asker", () => {
    const { settings } = near.configuration;
    const location = { ...settings.location, unlocated: "refused" } as const;
    const configuration = { ...near.configuration, settings: { ...settings, location } };
    const { message, fields } = lineOf("plain.shop.test", { ecs: "9.0.0.0/24" }, configuration);
    expect(message).toBe(
      "plain.shop.test. A from 127.0.0.1 for 9.0.0.0/24 (not located): REFUSED, unlocated",
    );
    expect(fields).toMatchObject({
      location: "not located",
      reason: "unlocated",
      rcode: "REFUSED",
      scope: 7,
    });
  });

  test.each([
    [
      "contoso-com.mx.lab.example",
      "A from 127.0.0.1 (default location; client subnet 10.1.0.0/24 does not count): FORMERR, the zone cannot read EDNS, by its quirk edns-formerr",
      { rcode: "FORMERR", reason: "the zone cannot read EDNS, by its quirk edns-formerr" },
    ],
    [
      "www.old.example",
      "HTTPS from 127.0.0.1 for 10.1.0.0/24 (default location): NOTIMP, the zone knows no type as new as this, by its quirk new-types-notimp",
      { rcode: "NOTIMP", scope: 0 },
    ],
  ])("says which quirk of its zone answers %s", (name, words, fields) => {
    const [type = ""] = words.split(" ");
    const line = lineOf(name, { type, ecs: "10.1.0.0/24" }, quirky.configuration);
    expect(line.message).toBe(`${name}. ${words}`);
    expect(line.fields).toMatchObject(fields);
  });

  test.each([
    ["www.example.com", "A", "no zone served here holds www.example.com."],
    ["office365.com", "AXFR", "a zone transfer, which this server does not do"],
  ])("says why %s %s is refused", (name, type, reason) => {
    const { message, fields } = lineOf(name, { type });
    expect(message).toBe(`${name}. ${type} from 127.0.0.1 (loopback): REFUSED, ${reason}`);
    expect(fields).toMatchObject({ rcode: "REFUSED", reason });
  });
});

/** A stream whose reader takes what is there when told to. */
class SlowStream {
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];

  write(text: string, done: () => void): void {
    this.lines.push(text);
    this.#waiting.push(done);
  }

  on(): void {}

  readAll(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

describe("a writer of lines", () => {
  const line = `${"x".repeat(1023)}\n`;

  test("keeps one mebioctet for a slow reader, drops what is over, and tells how many once it flows", () => {
    const stream = new SlowStream();
    const told: number[] = [];
    const writer = new LineWriter(stream, (count) => told.push(count));
    for (let i = 0; i < 1500; i++) writer.write(line);
    expect([stream.lines.length, told]).toEqual([1024, []]);
    stream.readAll();
    expect(told).toEqual([476]);
    writer.write(line);
    expect(stream.lines).toHaveLength(1025);
  });

  test("flushes when all is read, and gives up on who does not", async () => {
    const stream = new SlowStream();
    const writer = new LineWriter(stream, () => {});
    expect(await writer.flush()).toBe(true);
    writer.write(line);
    expect(await writer.flush(0)).toBe(false);
    const flushed = writer.flush();
    stream.readAll();
    expect(await flushed).toBe(true);
  });
});
