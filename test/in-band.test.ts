/** What `_explain.NAME` is answered with beside the story in scenarios: long lines, other types, scripted zones, and nothing where it is off. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { answer } from "../src/answer.ts";
import { AnswerCache } from "../src/answer-cache.ts";
import { formatConfigError, loadConfig } from "../src/config/load.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { CLASS, formatRcode, parseType } from "../src/dns/iana.ts";
import type { Message } from "../src/dns/message.ts";
import { parseName } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { buildSnapshot, type Snapshot } from "../src/snapshot.ts";
import type { Source } from "../src/trace.ts";
import { prefix } from "./geo/prefixes.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-in-band-"));
afterAll(() => rmSync(folder, { recursive: true }));

const long = Array.from({ length: 3 }, (_, i) => String(i).repeat(60)).join(".");
writeFileSync(join(folder, "api.js"), "throw new Error('it is not to be run');");

function lab(explain: string): Snapshot {
  const path = join(folder, "lab.yaml");
  writeFileSync(
    path,
    `server: { explain: ${explain} }
geoip: { database: none }
zones: [lab.example, { zone: api.example, handler: api.js }]
records:
  lab.example:
    - "${long} CNAME ${long}.x"
    - "${long}.x TXT far"
    - "*.wild TXT wild"
${Array.from({ length: 12 }, (_, i) => `    - many 60 A 192.0.2.${i + 1}`).join("\n")}
`,
  );
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return buildSnapshot(loaded.configuration, undefined);
}

const on = lab("{ txt: true }");
const source: Source = {
  address: { family: 4, octets: Uint8Array.of(192, 0, 2, 53) },
  port: 5353,
  transport: "tcp",
};

function messageOf(name: string, type: string): Uint8Array {
  const qname = parseName(name);
  const qtype = parseType(type);
  if (typeof qname === "string" || qtype === undefined) throw new Error(name);
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix("10.1.0.0/16") };
  return renderQuery({ qname, qtype, qclass: CLASS.IN }, { id: 7, recursionDesired: false, edns });
}

function ask(snapshot: Snapshot, name: string, type = "TXT"): Message {
  const made = answer(snapshot, messageOf(name, type), source, 0);
  const message = made.kind === "answered" && made.octets !== undefined ? decodeMessage(made.octets) : "none";
  if (typeof message === "string") throw new Error(message);
  return message;
}

/** The character strings of the one record (RFC 1035 §3.3.14). */
function stringsOf({ answer: [record] }: Message): readonly string[] {
  const strings: string[] = [];
  const rdata = record?.rdata ?? new Uint8Array();
  for (let at = 0; at < rdata.length; at += 1 + (rdata[at] ?? 0))
    strings.push(Buffer.from(rdata.subarray(at + 1, at + 1 + (rdata[at] ?? 0))).toString());
  return strings;
}

test("a line that is longer than a string can be goes on in the next one", () => {
  const strings = stringsOf(ask(on, `_explain.${long}.lab.example`));
  expect(Math.max(...strings.map((each) => Buffer.byteLength(each)))).toBe(255);
  expect(strings.join("")).toContain(`chain: ${long}.lab.example. 3600 CNAME ${long}.x.lab.example.scope: 0`);
});

test("of many addresses the first are told", () => {
  expect(stringsOf(ask(on, "_explain.many.lab.example"))).toContain(
    "chain: many.lab.example. 60 A 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 and 4 more",
  );
});

test.each<[name: string, type: string, rcode: string, answers: number]>([
  ["_explain.many.lab.example", "TXT", "NOERROR", 1],
  ["_EXPLAIN.many.lab.example", "ANY", "NOERROR", 1],
  ["_explain.many.lab.example", "A", "NOERROR", 0],
  ["_explain.lab.example", "TXT", "NOERROR", 1],
  ["_explain.x.wild.lab.example", "TXT", "NOERROR", 1],
  ["_explains.many.lab.example", "TXT", "NXDOMAIN", 0],
  ["x._explain.many.lab.example", "TXT", "NXDOMAIN", 0],
  ["_explain.", "TXT", "REFUSED", 0],
  ["_explain.www.example.org", "TXT", "REFUSED", 0],
])("%s %s is %s", (name, type, rcode, answers) => {
  const message = ask(on, name, type);
  expect([formatRcode(message.rcode), message.answer.length]).toEqual([rcode, answers]);
  for (const { ttlSeconds } of message.answer) expect(ttlSeconds).toBe(0);
});

describe("a scripted zone", () => {
  test("is said to be decided by its handler, which is not asked", () => {
    expect(stringsOf(ask(on, "_explain.www.api.example"))).toEqual([
      "www.api.example. A: not known",
      "asker: client subnet 10.1.0.0/16",
      "located: default location, Boydton, all of 0.0.0.0/0",
      "decision: the handler of api.example. decides",
    ]);
  });

  test("answers other types of the name by its handler", () => {
    expect(answer(on, messageOf("_explain.www.api.example", "A"), source, 0).kind).toBe("deferred");
  });
});

test.each(["{}", "{ extendedErrors: true }"])("with %s it is a name like any other", (explain) => {
  const off = lab(explain);
  expect(formatRcode(ask(off, "_explain.many.lab.example").rcode)).toBe("NXDOMAIN");
  expect(stringsOf(ask(off, "_explain.x.wild.lab.example"))).toEqual(["wild"]);
});

test.each(["TXT", "A"])("%s is never kept for who asks next", (type) => {
  const cache = new AnswerCache(on);
  const keeps = (name: string): boolean => {
    const message = messageOf(name, type);
    const made = answer(on, message, source, 0);
    if (made.kind === "answered") cache.keep(message, made);
    return cache.find(message, source, 0) !== undefined;
  };
  expect([keeps("many.lab.example"), keeps("_explain.many.lab.example")]).toEqual([true, false]);
});
