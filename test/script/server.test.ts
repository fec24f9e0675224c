/** A server with a plain zone and scripted ones: whatever a handler does, every other answer comes, and none is lost. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { answer } from "../../src/answer.ts";
import { formatRcode } from "../../src/dns/iana.ts";
import { formatRecord, type Message } from "../../src/dns/message.ts";
import { parseAddress } from "../../src/ip.ts";
import { queryLine } from "../../src/log.ts";
import { noHandlers } from "../../src/script/handlers.ts";
import type { Server } from "../../src/server.ts";
import { framed } from "../../src/transport/framing.ts";
import { prefix } from "../geo/prefixes.ts";
import { serverWays, withPlane } from "../plane/ways.ts";
import { sendAll, splitMessages, type Way } from "../wire-client.ts";
import { decoded, extendedErrorOf, type Lab, makeLab, query } from "./lab.ts";

let labs: Lab[] = [];
afterEach(async () => {
  for (const lab of labs) await lab.close();
  labs = [];
});

/** Answers by the first label of the name; the scripted zone has a short deadline. */
const handler = `import { Packet } from "dns2";
let count = 0;
export default (request, send, source) => {
  const [{ name }] = request.questions;
  const response = Packet.createResponseFromRequest(request);
  const txt = (data) => response.answers.push({ name, type: 16, class: 1, ttl: 5, data: String(data) });
  switch (name.split(".")[0]) {
    case "loop": for (;;);
    case "throw": throw new Error("thrown");
    case "garbage": send(Buffer.alloc(100, 255)); return;
    case "never": return;
    case "exit": process.exit(1);
    case "flood": for (let i = 0; i < 1e5; i++) send(Buffer.alloc(100, 255)); return;
    case "twice": txt("first"); send(response); send(response); return;
    case "later": txt("late"); setTimeout(() => send(response), 1); return;
    case "count": txt(++count); send(response); return;
    case "large": for (let i = 0; i < 60; i++) response.answers.push({ name, type: 16, class: 1, ttl: 5, data: (i + "-").repeat(50).slice(0, 100) }); send(response); return;
    case "nxdomain": response.header.rcode = 3; send(response); return;
    case "scope": {
      txt("by place");
      const ecs = { ...Packet.Resource.EDNS.ECS("10.1.0.0/16"), scopePrefixLength: 8 };
      response.additionals.push(Packet.Resource.EDNS([ecs]));
      send(response);
      return;
    }
    default: txt(JSON.stringify([source.address, source.transport, request.additionals[0]?.rdata])); send(response);
  }
};
`;

const yaml = (deadline: number, settings = ""): string => `${settings}
geoip: { database: none }
zones:
  - lab.example
  - { zone: api.example, handler: api.js, deadlineMilliseconds: ${deadline} }
records:
  lab.example: ["www 60 A 192.0.2.1", "alias CNAME count.api.example."]
`;

const patient = { pongMilliseconds: 50, firstPauseMilliseconds: 1 };

/** Sends queries at once and waits for as many responses, in the order they come. */
async function askAll(port: number, way: Way, queries: readonly Uint8Array[]): Promise<readonly Message[]> {
  const replies: Message[] = [];
  if (way === "udp") {
    const socket = createSocket("udp4");
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect");
    for (const message of queries) socket.send(message);
    while (replies.length < queries.length) {
      const [reply]: unknown[] = await once(socket, "message");
      if (reply instanceof Uint8Array) replies.push(decoded(reply));
    }
    socket.close();
    return replies;
  }
  const socket = connect({ host: "127.0.0.1", port });
  // In one piece, so that they are read in one.
  socket.end(Buffer.concat(queries.map(framed)));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket, "end");
  return splitMessages(Buffer.concat(chunks)).messages.map(decoded);
}

async function ask(port: number, way: Way, ...args: Parameters<typeof query>): Promise<Message> {
  const [reply] = await askAll(port, way, [query(...args)]);
  if (reply === undefined) throw new Error("there is no response");
  return reply;
}

// How many threads there are makes no difference to handlers, which the main thread asks.
const ways = serverWays.slice(0, 2);

describe("a scripted zone with quirks", () => {
  it("asks its handler only what no quirk answers", async () => {
    const item = "{ zone: api.example, handler: api.js, quirks: [edns-formerr, new-types-notimp] }";
    const lab = makeLab({ "lab.yaml": `zones:\n  - ${item}\n`, "api.js": handler });
    labs.push(lab);
    const port = (await lab.serve()).listening[0]?.port ?? 0;
    const plain = { edns: false };
    const replies = [
      await ask(port, "udp", "count.api.example"),
      await ask(port, "udp", "count.api.example", "HTTPS", plain),
      await ask(port, "tcp", "count.api.example", "TXT", plain),
    ];
    expect(replies.map(({ rcode, questions }) => [formatRcode(rcode), questions.length])).toEqual([
      ["FORMERR", 0],
      ["NOTIMP", 1],
      ["NOERROR", 1],
    ]);
    expect(replies[2]?.answer.map(formatRecord)).toEqual(['count.api.example. 5 TXT "1"']);
  });
});

describe.each(ways)("$way", (serverWay) => {
  const plane = withPlane(serverWay);

  async function start(deadline = 5000, settings = ""): Promise<{ lab: Lab; server: Server; port: number }> {
    const lab = makeLab({ "lab.yaml": yaml(deadline, settings), "api.js": handler });
    labs.push(lab);
    const server = await lab.serve({ ...patient, ...plane });
    return { lab, server, port: server.listening[0]?.port ?? 0 };
  }

  describe.each(["udp", "tcp"] as const)("over %s", (way) => {
    it("a handler answers, told who asks and for which client subnet", async () => {
      const { port, lab } = await start();
      const response = await ask(port, way, "Www.api.example.", "TXT", {
        id: 77,
        subnet: "2001:db8:300::/40",
      });
      expect(response).toMatchObject({ id: 77, rcode: 0, authoritative: true, recursionAvailable: false });
      const [record] = response.answer.map(formatRecord);
      expect(record).toContain('Www.api.example. 5 TXT "[\\"127.0.0.1\\",');
      expect(record).toContain(`\\"${way}\\"`);
      expect(record).toContain("2001:db8:300:0:0:0:0:0");
      // It may have used all that it was shown.
      expect(response.clientSubnet).toMatchObject({ sourcePrefixLength: 40, scopePrefixLength: 40 });
      expect(lab.traces.at(-1)).toMatchObject({
        kind: "answer",
        resolution: { hops: [{ found: "script" }] },
      });
    });

    it("a handler is asked as if by whom the vantage of the listener stands for", async () => {
      const lab = makeLab({ "lab.yaml": yaml(5000), "api.js": handler });
      labs.push(lab);
      const network = { kind: "prefix", prefix: prefix("10.4.0.0/16") } as const;
      const listen = [{ address: "127.0.0.1", family: 4, port: 0, vantage: network } as const];
      const server = await lab.serve({ ...patient, ...plane, listen });
      const response = await ask(server.listening[0]?.port ?? 0, way, "www.api.example.", "TXT");
      expect(response.answer.map(formatRecord)[0]).toContain('\\"10.4.0.0\\"');
      expect(lab.traces.at(-1)).toMatchObject({ asker: { via: "vantage" } });
    });

    it("a handler sees no client subnet where the listener ignores it, and the scope is 0", async () => {
      const lab = makeLab({ "lab.yaml": yaml(5000), "api.js": handler });
      labs.push(lab);
      const listen = [{ address: "127.0.0.1", family: 4, port: 0, ignoresClientSubnet: true } as const];
      const server = await lab.serve({ ...patient, ...plane, listen });
      const port = server.listening[0]?.port ?? 0;
      const response = await ask(port, way, "www.api.example.", "TXT", { subnet: "10.1.0.0/16" });
      expect(response.answer.map(formatRecord)[0]).not.toContain("10.1.0.0");
      expect(response.clientSubnet).toMatchObject({ sourcePrefixLength: 16, scopePrefixLength: 0 });
    });

    it("a handler says the scope of its answer", async () => {
      const { port } = await start();
      const response = await ask(port, way, "scope.api.example.", "TXT", { subnet: "10.1.0.0/16" });
      expect(response.clientSubnet).toMatchObject({ sourcePrefixLength: 16, scopePrefixLength: 8 });
      const plain = await ask(port, way, "scope.api.example.");
      expect(plain.clientSubnet).toBeUndefined();
    });

    it("a handler answers NXDOMAIN, without an OPT where none was asked", async () => {
      const { port } = await start();
      const response = await ask(port, way, "nxdomain.api.example.", "A", { edns: false });
      expect(response).toMatchObject({ rcode: 3, authoritative: true, edns: undefined });
    });

    it.each([
      ["loop", "did not answer in 20 ms"],
      ["throw", "threw an error"],
      ["garbage", "answered wrongly: "],
      ["never", "did not answer in 20 ms"],
      ["exit", "ended"],
      ["flood", "answered wrongly: "],
    ])(
      "a handler that does %s has SERVFAIL for it alone, and every other query its answer",
      async (name, text) => {
        const isLate = name === "loop" || name === "never";
        const { port } = await start(isLate ? 20 : 5000);
        const count = 200;
        const queries = Array.from({ length: count }, (_, i) =>
          query("www.lab.example.", "A", { id: i + 1 }),
        );
        const failing = query(`${name}.api.example.`, "A", { id: 1000, subnet: "10.1.0.0/16" });
        const replies = await askAll(port, way, [failing, ...queries]);
        const [failure, ...none] = replies.filter(({ id }) => id === 1000);
        if (failure === undefined) throw new Error("it has no response");
        expect(none).toEqual([]);
        expect(formatRcode(failure.rcode)).toBe("SERVFAIL");
        expect(extendedErrorOf(failure)).toContain(`the handler of api.example. ${text}`);
        expect(failure.clientSubnet).toMatchObject({ sourcePrefixLength: 16, scopePrefixLength: 0 });
        const others = replies.filter(({ id }) => id !== 1000);
        // Threads make no order: a worker passes what it handed over before.
        const ids = others.map(({ id }) => id);
        expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
        expect(new Set(others.flatMap(({ answer: records }) => records.map(formatRecord)))).toEqual(
          new Set(["www.lab.example. 60 A 192.0.2.1"]),
        );
        // It was asked first, and nobody waited for it.
        if (isLate) expect(replies[0]?.id).not.toBe(1000);
      },
    );

    it("every plain query has its answer among those that a handler fails, in all ways at once", async () => {
      const { port } = await start(50);
      const ways = ["throw", "garbage", "never", "flood", "exit", "loop"];
      const queries = Array.from({ length: 240 }, (_, i) => {
        const failing = ways[Math.floor(i / 4) % ways.length];
        return query(i % 4 === 0 ? `${failing}.api.example.` : "www.lab.example.", "A", { id: i + 1 });
      });
      const replies = await askAll(port, way, queries);
      expect(replies.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(queries.map((_, i) => i + 1));
      for (const { id, rcode, answer: records } of replies) {
        const expected = id % 4 === 1 ? ["SERVFAIL"] : ["NOERROR", "www.lab.example. 60 A 192.0.2.1"];
        expect([formatRcode(rcode), ...records.map(formatRecord)]).toEqual(expected);
      }
    });

    it("a handler that loops for ever is back after a while", async () => {
      const { port, lab } = await start(20);
      const [failure] = await Promise.all([
        ask(port, way, "loop.api.example."),
        lab.events.holds("blocks its thread, which is ended"),
        lab.events.holds("of api.example. is started anew"),
      ]);
      expect(formatRcode(failure.rcode)).toBe("SERVFAIL");
      let response = failure;
      while (response.rcode !== 0) response = await ask(port, way, "www.api.example.");
    });

    it("the first of two answers counts, and one response leaves", async () => {
      const { port, lab } = await start();
      const replies = await sendAll(port, way, [query("later.api.example."), query("twice.api.example.")]);
      await lab.events.holds("answered a query twice");
      const more = await askAll(port, way, [query("later.api.example.", "TXT", { id: 2 })]);
      expect(more.map(({ id }) => id)).toEqual([2]);
      expect(replies.length).toBeLessThanOrEqual(2);
    });
  });

  it("what is too large for a datagram is truncated, and whole over TCP", async () => {
    const { port } = await start();
    const small = await ask(port, "udp", "large.api.example.");
    expect(small).toMatchObject({ truncated: true, answer: [] });
    expect(small.edns?.udpPayloadSize).toBe(1232);
    const whole = await ask(port, "tcp", "large.api.example.");
    expect(whole.truncated).toBe(false);
    expect(whole.answer).toHaveLength(60);
  });

  it("answers over TCP leave as they come, and a half-closed connection has all of them (RFC 7766 §6.2.1.1)", async () => {
    const { port } = await start();
    const names = ["later.api.example.", "www.lab.example.", "later.api.example.", "www.lab.example."];
    const replies = await askAll(
      port,
      "tcp",
      names.map((name, i) => query(name, "A", { id: i + 1 })),
    );
    expect(
      replies
        .map(({ id }) => id)
        .slice(0, 2)
        .toSorted(),
    ).toEqual([2, 4]);
    expect(replies.map(({ id }) => id).toSorted()).toEqual([1, 2, 3, 4]);
  });

  it("an untrusted client subnet is not shown, and has scope 0", async () => {
    const { port } = await start(5000, "clientSubnet: { trust: none }");
    const response = await ask(port, "udp", "www.api.example.", "TXT", { subnet: "10.1.0.0/16" });
    expect(response.answer.map(formatRecord)[0]).not.toContain("10.1");
    expect(response.clientSubnet?.scopePrefixLength).toBe(0);
  });

  it("a CNAME into a scripted zone ends the answer there, and the handler is not asked", async () => {
    const { port } = await start();
    const chain = await ask(port, "udp", "alias.lab.example.");
    expect(chain.answer.map(formatRecord)).toEqual(["alias.lab.example. 3600 CNAME count.api.example."]);
    expect(chain).toMatchObject({ rcode: 0, authoritative: true, authority: [] });
    const counted = await ask(port, "udp", "count.api.example.");
    expect(counted.answer.map(formatRecord)).toEqual(['count.api.example. 5 TXT "1"']);
  });

  it("what is no lookup never reaches a handler", async () => {
    const { lab } = await start();
    const address = parseAddress("192.0.2.53");
    if (address === undefined) throw new Error("no address");
    for (const type of ["AXFR", "IXFR", "MAILB", "TSIG"]) {
      const made = answer(
        await lab.load(),
        query("api.example.", type),
        { address, port: 53, transport: "tcp" },
        0,
      );
      expect([type, made.kind]).toEqual([type, "answered"]);
    }
  });

  it("has a line in the log of queries like any other", async () => {
    const { lab, port } = await start();
    await ask(port, "udp", "www.api.example.", "TXT", { subnet: "10.1.0.0/16" });
    await ask(port, "udp", "throw.api.example.");
    const { locations } = await lab.load();
    const [good, bad] = lab.traces.map((trace) => queryLine(trace, locations));
    expect(good?.message).toBe(
      "www.api.example. TXT from 127.0.0.1 for 10.1.0.0/16 (default location): NOERROR, script",
    );
    expect(good?.fields).toMatchObject({
      zone: "api.example.",
      reason: "script",
      scope: 16,
      rcode: "NOERROR",
    });
    expect(bad?.fields).toMatchObject({
      zone: "api.example.",
      reason: "the handler of api.example. threw an error",
      rcode: "SERVFAIL",
    });
  });

  it("DS at the apex of a scripted zone is the matter of the zone above (RFC 4035 §3.1.4.1)", async () => {
    const lab = makeLab({
      "lab.yaml": `geoip: { database: none }
zones: [lab.example, { zone: api.lab.example, handler: api.js }]
records: { lab.example: [api NS ns1.api, ns1.api A 192.0.2.1] }
`,
      "api.js": handler,
    });
    labs.push(lab);
    const address = parseAddress("192.0.2.53");
    if (address === undefined) throw new Error("no address");
    const snapshot = await lab.load();
    const kindOf = (type: string): string =>
      answer(snapshot, query("api.lab.example.", type), { address, port: 53, transport: "udp" }, 0).kind;
    expect(["DS", "NS", "SOA"].map(kindOf)).toEqual(["answered", "deferred", "deferred"]);
  });

  describe("the next snapshot", () => {
    const counted = async (port: number): Promise<string | undefined> =>
      (await ask(port, "udp", "count.api.example.")).answer.map(formatRecord)[0]?.split(" ").at(-1);

    it("has handlers of its own, loaded afresh, and no query is lost in between", async () => {
      const { lab, server, port } = await start();
      expect([await counted(port), await counted(port)]).toEqual(['"1"', '"2"']);
      const slow = ask(port, "udp", "later.api.example.");
      lab.write("api.js", handler.replace("++count", '"new"'));
      const next = await lab.load();
      const old = server.replaceSnapshot(next, await lab.handlers(next));
      expect(await counted(port)).toBe('"new"');
      expect(formatRcode((await slow).rcode)).toBe("NOERROR");
      await old;
      expect(await counted(port)).toBe('"new"');
    });

    it("fails in a scripted zone where it has no handlers", async () => {
      const { lab, server, port } = await start();
      await server.replaceSnapshot(await lab.load(), noHandlers);
      const response = await ask(port, "udp", "www.api.example.");
      expect(extendedErrorOf(response)).toBe("the handler of api.example. is not running");
    });
  });

  describe("the end", () => {
    it.each(["udp", "tcp"] as const)("waits for what handlers have in hand over %s", async (way) => {
      const { lab, server, port } = await start();
      const asked = ask(port, way, "later.api.example.");
      // Behind an answer from the same socket or port the query has been read.
      await ask(port, way, "www.api.example.");
      await server.close();
      expect(formatRcode((await asked).rcode)).toBe("NOERROR");
      expect(lab.traces.length).toBeGreaterThanOrEqual(2);
    });
  });
});
