/** The journal: entries as the log has them, filters, wrapping, waiting and listening. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JournalEntry, JournalFilter } from "../src/admin/control.ts";
import { loadConfig } from "../src/config/load.ts";
import { CLASS, parseType } from "../src/dns/iana.ts";
import { parseName } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { locateAddress } from "../src/geo/location-table.ts";
import { parseAddress, parsePrefix } from "../src/ip.ts";
import { formatJsonLines, Journal, type JournalOptions } from "../src/journal.ts";
import { queryLine } from "../src/log.ts";
import { parseFilter } from "../src/query-ring.ts";
import { buildSnapshot } from "../src/snapshot.ts";
import type { Trace } from "../src/trace.ts";
import { answerAtOnce } from "./answer.ts";

const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error("the default lab has errors");
const snapshot = buildSnapshot(loaded.configuration, undefined);
const noon = Date.UTC(2026, 10, 25, 12);

interface Asked {
  readonly name?: string;
  readonly type?: string;
  readonly qclass?: number;
  readonly ecs?: string;
  readonly source?: string;
  readonly transport?: "udp" | "tcp";
}

function traceOf(asked: Asked): Trace {
  const { name = "portal.office.com", type = "A", qclass = CLASS.IN, ecs, source = "127.0.0.1" } = asked;
  const qname = parseName(name);
  const qtype = parseType(type);
  const subnet = ecs === undefined ? undefined : parsePrefix(ecs);
  const address = parseAddress(source);
  if (typeof qname === "string" || typeof subnet === "string" || qtype === undefined || address === undefined)
    throw new Error(name);
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet };
  const message = renderQuery({ qname, qtype, qclass }, { id: 1, recursionDesired: false, edns });
  const { transport = "udp" } = asked;
  return answerAtOnce(snapshot, message, { address, port: 53, transport }, 0).trace;
}

const messageTrace = (octets: Uint8Array): Trace => {
  const address = parseAddress("2001:db8:1::53");
  if (address === undefined) throw new Error("no address");
  return answerAtOnce(snapshot, octets, { address, port: 53, transport: "tcp" }, 0).trace;
};

function add(journal: Journal, trace: Trace, now = noon, snapshotNumber = 1): void {
  if (trace.kind === "silence") throw new Error("silence is not kept");
  const asker = trace.kind === "answer" ? trace.asker.address : trace.source.address;
  journal.add(trace, locateAddress(snapshot.locations, asker).location, now, snapshotNumber);
}

/** A journal whose timers and turns are those of the test. */
function setUp(capacity = 10) {
  const deferred: (() => void)[] = [];
  const timers = new Map<number, () => void>();
  const options: JournalOptions = {
    capacity,
    defer: (callback) => deferred.push(callback),
    setTimer: (delay, callback) => {
      timers.set(delay, callback);
      return () => timers.delete(delay);
    },
  };
  const journal = new Journal(options);
  const nextTurn = (): void => {
    for (const callback of deferred.splice(0)) callback();
  };
  return { journal, timers, deferred, nextTurn };
}

function entryOf(trace: Trace): JournalEntry | undefined {
  const { journal } = setUp();
  add(journal, trace);
  return journal.read({}, 1)[0];
}

describe("an entry", () => {
  test("says all of a query and its decision", () => {
    const { journal } = setUp();
    add(journal, traceOf({ name: "Portal.Office.com", ecs: "10.4.0.0/24" }), noon, 7);
    expect(journal.read({}, 10)).toEqual([
      {
        number: 1,
        at: "2026-11-25T12:00:00.000Z",
        snapshot: 7,
        qname: "Portal.Office.com.",
        qtype: "A",
        source: "127.0.0.1",
        transport: "udp",
        clientSubnet: "10.4.0.0/24",
        location: "sydney-office",
        datacenter: "Worldwide/syd",
        reason: "nearest",
        rcode: "NOERROR",
        scope: 16,
      },
    ]);
  });

  test.each<[string, Asked]>([
    ["IPv6 alone", { source: "2001:db8:3::1", type: "AAAA" }],
    ["an IPv6 client subnet", { ecs: "2001:db8:4::/56", transport: "tcp" }],
    ["an IPv4-mapped client subnet", { ecs: "::ffff:10.4.0.0/112" }],
    ["a client subnet that asks not to be used", { ecs: "0.0.0.0/0" }],
    ["a tenant", { name: "contoso.sharepoint.com", ecs: "10.4.0.0/24" }],
    ["a plain record", { name: "office365.com", type: "SOA" }],
    ["NXDOMAIN", { name: "nosuch.office365.com" }],
    ["a transfer", { name: "office365.com", type: "AXFR" }],
    ["class CHAOS", { name: "version.bind", type: "TXT", qclass: CLASS.CH }],
    ["another class", { name: "office365.com", qclass: CLASS.HS }],
    ["the default location", { ecs: "192.0.2.0/24" }],
    ["a name of 255 octets", { name: `${`${"a".repeat(63)}.`.repeat(3)}${"b".repeat(50)}.office.com.` }],
    ["the root", { name: ".", type: "NS" }],
    ["an unknown type", { type: "TYPE65280" }],
  ])("of %s says what the log's line says", (_, asked) => {
    const trace = traceOf(asked);
    const { fields } = queryLine(trace, snapshot.locations);
    const { qname, qtype, source, transport, ecs, location, datacenter, reason, rcode, scope } = fields;
    const expected = {
      qname,
      qtype,
      source,
      transport,
      clientSubnet: ecs,
      location,
      datacenter,
      rcode,
      scope,
    };
    const entry = entryOf(trace);
    expect(entry).toMatchObject(expected);
    const isNamed = typeof reason === "string" && reason.includes(String(qname).toLowerCase());
    expect(entry?.reason).toBe(isNamed ? "no zone served here holds the name" : reason);
  });

  test("of what could not be read has an empty name, and the source counts", () => {
    const query = Buffer.from("0001" + "0000" + "0002" + "0000" + "0000" + "0000", "hex");
    expect(entryOf(messageTrace(query))).toMatchObject({
      qname: "",
      qtype: "",
      source: "2001:db8:1::53",
      location: "london-office",
      rcode: "FORMERR",
      clientSubnet: undefined,
      scope: undefined,
    });
  });

  test("never shows the address of the one that was in its place", () => {
    const { journal } = setUp(1);
    add(journal, traceOf({ source: "2001:db8:3::1", ecs: "2001:db8:4::/56" }));
    add(journal, traceOf({ source: "10.1.0.1" }));
    expect(journal.read({}, 1)).toMatchObject([{ number: 2, source: "10.1.0.1", clientSubnet: undefined }]);
    expect(journal.read({ subnet: "2001:db8::/32" }, 1)).toEqual([]);
  });

  test("keeps a bounded number of reasons that senders make up", () => {
    const { journal } = setUp(3000);
    const header = (questions: number): Uint8Array => {
      const octets = Buffer.alloc(12 + questions * 5);
      octets.writeUInt16BE(questions, 4);
      return octets;
    };
    for (let questions = 2; questions < 1200; questions++) add(journal, messageTrace(header(questions)));
    const reasons = journal.read({}, 3000).map(({ reason }) => reason);
    expect(reasons.at(-1)).toBe("it has 2 questions");
    expect(reasons[0]).toBe("one of too many to keep");
    expect(new Set(reasons).size).toBeLessThanOrEqual(1001);
  });
});

describe("the journal", () => {
  test("gives the newest first, so many as asked for, and forgets the oldest", () => {
    const { journal } = setUp(3);
    for (let i = 0; i < 8; i++) add(journal, traceOf({}), noon + i);
    const numbers = (limit: number) => journal.read({}, limit).map(({ number }) => number);
    expect(numbers(10)).toEqual([8, 7, 6]);
    expect(numbers(2)).toEqual([8, 7]);
    expect(numbers(0)).toEqual([]);
    expect([journal.size, journal.capacity]).toEqual([3, 3]);
  });

  test("keeps, waits for and tells nothing where it is off", async () => {
    const { journal, timers, deferred } = setUp(0);
    const heard: JournalEntry[] = [];
    journal.subscribe((entry) => heard.push(entry));
    const waited = journal.waitFor({}, 100);
    add(journal, traceOf({}));
    expect([journal.read({}, 10), deferred.length, journal.size]).toEqual([[], 0, 0]);
    timers.get(100)?.();
    expect(await waited).toBeUndefined();
    expect(heard).toEqual([]);
  });

  test("is a line of JSON an entry when exported", () => {
    const { journal } = setUp();
    add(journal, traceOf({}));
    add(journal, traceOf({ name: "office365.com", type: "NS" }));
    const lines = formatJsonLines(journal.read({}, 10)).split("\n");
    expect(lines).toHaveLength(3);
    expect(lines.slice(0, 2).map((line) => JSON.parse(line).qname)).toEqual([
      "office365.com.",
      "portal.office.com.",
    ]);
  });
});

describe("a filter", () => {
  const { journal } = setUp(20);
  const asked: readonly Asked[] = [
    { name: "portal.office.com", ecs: "10.4.0.0/24" },
    { name: "outlook.office365.com", source: "10.1.2.3", transport: "tcp" },
    { name: "contoso.sharepoint.com", ecs: "2001:db8:4::/56" },
    { name: "nosuch.office365.com" },
    { name: "www.example.org", ecs: "::ffff:10.4.1.0/120" },
  ];
  for (const each of asked) add(journal, traceOf(each));

  test.each<[JournalFilter, readonly number[]]>([
    [{}, [5, 4, 3, 2, 1]],
    [{ name: "portal.office.com" }, [1]],
    [{ name: "PORTAL.office.com." }, [1]],
    [{ name: "office.com" }, []],
    [{ name: "*.office365.com" }, [4, 2]],
    [{ name: "*office*" }, [4, 2, 1]],
    [{ name: "*.sharepoint.*" }, [3]],
    [{ name: "*m*.*.*.*m." }, []],
    [{ name: "portal*portal.office.com" }, []],
    [{ name: "*" }, [5, 4, 3, 2, 1]],
    [{ name: "p.rtal.office.com" }, []],
    [{ subnet: "10.4.0.0/16" }, [5, 1]],
    [{ subnet: "10.0.0.0/8" }, [5, 2, 1]],
    [{ subnet: "10.1.2.3" }, [2]],
    [{ subnet: "2001:db8::/32" }, [3]],
    [{ subnet: "0.0.0.0/0" }, [5, 4, 2, 1]],
    [{ datacenter: "syd" }, [1]],
    [{ datacenter: "worldwide/SYD" }, [1]],
    [{ datacenter: "China/syd" }, []],
    [{ datacenter: "Worldwide/*" }, [3, 2, 1]],
    [{ transport: "tcp" }, [2]],
    [{ rcode: "nxdomain" }, [4]],
    [{ rcode: "REFUSED" }, [5]],
    [{ rcode: "NOERROR", transport: "udp", subnet: "10.0.0.0/8" }, [1]],
  ])("%j takes %j", (filter, numbers) => {
    expect(journal.read(filter, 20).map(({ number }) => number)).toEqual(numbers);
  });

  test("is wrong only by its subnet, and says so", () => {
    expect(parseFilter({ subnet: "10.1.0.0/33" })).toMatch("prefix length");
    expect(() => journal.read({ subnet: "here" }, 1)).toThrow('"here" is not an address prefix');
  });
});

describe("who waits", () => {
  test("gets the first entry from now on that the filter takes", async () => {
    const { journal, timers } = setUp(1);
    add(journal, traceOf({ type: "AAAA" }));
    const waited = journal.waitFor({ name: "portal.office.com" }, 1000);
    add(journal, traceOf({ name: "office365.com" }));
    add(journal, traceOf({ type: "MX" }));
    add(journal, traceOf({ type: "TXT" }));
    expect(await waited).toMatchObject({ number: 3, qtype: "MX" });
    expect(timers.size).toBe(0);
  });

  test("gets nothing when the time is over, it goes away, or all ends", async () => {
    const { journal, timers } = setUp();
    const gone = new AbortController();
    const waited = [
      journal.waitFor({}, 1),
      journal.waitFor({}, 2, gone.signal),
      journal.waitFor({}, 3),
      journal.waitFor({}, 4, AbortSignal.abort()),
    ];
    timers.get(1)?.();
    gone.abort();
    journal.close();
    add(journal, traceOf({}));
    expect(await Promise.all(waited)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await journal.waitFor({}, 5)).toBeUndefined();
    expect(timers.size).toBe(0);
  });
});

describe("who listens", () => {
  test("is told of each query once it is answered, until it goes", () => {
    const { journal, nextTurn, deferred } = setUp();
    add(journal, traceOf({}));
    expect(deferred).toHaveLength(0);
    const heard: number[] = [];
    const end = journal.subscribe(({ number }) => heard.push(number));
    add(journal, traceOf({}));
    add(journal, traceOf({}));
    expect(heard).toEqual([]);
    expect(deferred).toHaveLength(1);
    nextTurn();
    expect(heard).toEqual([2, 3]);
    add(journal, traceOf({}));
    end();
    nextTurn();
    add(journal, traceOf({}));
    expect([heard, deferred.length]).toEqual([[2, 3], 0]);
  });

  test("is told of the newest hundred where more came in one turn", () => {
    const { journal, nextTurn } = setUp(1000);
    const heard: number[] = [];
    journal.subscribe(({ number }) => heard.push(number));
    const trace = traceOf({});
    for (let i = 0; i < 250; i++) add(journal, trace);
    nextTurn();
    expect([heard.length, heard[0], heard.at(-1)]).toEqual([100, 151, 250]);
    add(journal, trace);
    nextTurn();
    expect(heard.at(-1)).toBe(251);
  });

  test("is told of nothing twice or overwritten", () => {
    const { journal, nextTurn } = setUp(2);
    const heard: number[] = [];
    journal.subscribe(({ number }) => heard.push(number));
    for (let i = 0; i < 5; i++) add(journal, traceOf({}));
    nextTurn();
    nextTurn();
    expect(heard).toEqual([4, 5]);
  });
});
