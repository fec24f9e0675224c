/** What is published: the next query is answered by it, whole, and what no thread reads any more is used again. */

import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { answer } from "../../src/answer.ts";
import { allUp, withState } from "../../src/cloud/states.ts";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { AnswerTable } from "../../src/plane/answer-table.ts";
import { type Server, startServer } from "../../src/server.ts";
import { type Snapshot, withStates } from "../../src/snapshot.ts";
import type { Source } from "../../src/trace.ts";
import { prefix } from "../geo/prefixes.ts";
import { type Client, openClient } from "./client.ts";
import { snapshotOf } from "./queries.ts";
import { type ServerWay, threadWays, withPlane } from "./ways.ts";

const lab = snapshotOf("../../config/geodns365.yaml");
const datacenters = lab.configuration.clouds.flatMap((cloud) => cloud.datacenters);
const london = datacenters.find(({ id }) => id === "Worldwide/lhr");
if (london === undefined) throw new Error("the default lab has no London");
const dark = withState(allUp, london.id, "down");

const ways = threadWays.filter(({ way }) => !way.includes("1 worker"));
const transports = ["udp", "tcp"] as const;

/** The whole chain and its addresses: all of them are others when London is dark. */
const messages = ["10.1.0.0/24", "10.1.7.0/24"].map((subnet) =>
  renderQuery(
    { qname: nameOctets(nameOf("outlook.office365.com.")), qtype: TYPE.A, qclass: CLASS.IN },
    {
      id: 0,
      recursionDesired: true,
      edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix(subnet) },
    },
  ),
);

let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
  vi.restoreAllMocks();
});

async function start(way: ServerWay, snapshot = lab): Promise<Server> {
  const server = await startServer(snapshot, {
    listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
    now: () => 0,
    onFault: (error) => {
      throw error;
    },
    ...withPlane(way),
  });
  cleanUp.push(() => server.close());
  return server;
}

async function connect(server: Server, transport: "udp" | "tcp"): Promise<Client> {
  const client = await openClient(transport, server.listening[0]?.port ?? 0);
  cleanUp.push(() => client.close());
  return client;
}

/** What the straight line answers to all messages, in hex. */
function answersBy(snapshot: Snapshot, transport: "udp" | "tcp"): readonly string[] {
  const address = { family: 4, octets: Uint8Array.of(127, 0, 0, 1) } as const;
  const source: Source = { address, port: 5353, transport };
  return messages.map((message) => {
    const made = answer(snapshot, message, source, 0);
    return made.kind === "answered" ? hex(made.octets ?? []) : "deferred";
  });
}

const hex = (octets: Iterable<number>): string => Buffer.from([...octets]).toString("hex");

describe.each(ways)("under load, $way", { timeout: 60_000 }, (way) => {
  const darkLab = withStates(lab, dark);
  // The same by another configuration: no tenant, no zone of its own counts in this answer.
  const changes: readonly {
    readonly by: string;
    readonly put: (server: Server, isDark: boolean) => unknown;
  }[] = [
    { by: "states", put: (server, isDark) => server.setStates(isDark ? dark : allUp) },
    { by: "snapshots", put: (server, isDark) => server.replaceSnapshot(isDark ? darkLab : lab) },
  ];

  it.each(changes)(
    "each response is of one of two $by, and of the new one from the change on",
    async ({ put }) => {
      const server = await start(way);
      const old = new Set(answersBy(lab, "udp"));
      const either = new Set(
        transports.flatMap((each) => [...answersBy(lab, each), ...answersBy(darkLab, each)]),
      );
      expect(old.size * 2).toBe(either.size);

      let isOver = false;
      const seen = new Set<string>();
      const load = Array.from({ length: 4 }, async (_, i) => {
        const client = await connect(server, i === 0 ? "tcp" : "udp");
        for (let round = 0; !isOver || round === 0; round++) {
          const replies = await client.askAll(Array.from({ length: 20 }, () => messages).flat());
          for (const reply of replies) seen.add(hex(reply));
        }
      });
      const asking = [];
      for (const transport of transports)
        asking.push({ transport, client: await connect(server, transport) });
      for (let i = 1; i <= 120; i++) {
        const isDark = i % 2 === 1;
        await put(server, isDark);
        await Promise.all(
          asking.map(async ({ transport, client }) => {
            const replies = await client.askAll([...messages, ...messages]);
            const expected = answersBy(isDark ? darkLab : lab, transport);
            expect(replies.map(hex), `change ${i} over ${transport}`).toEqual([...expected, ...expected]);
          }),
        );
      }
      isOver = true;
      await Promise.all(load);
      expect([...seen].filter((each) => !either.has(each))).toEqual([]);
      expect(seen.size).toBe(either.size);
    },
  );
});

describe.each(ways)("the memory of answers, $way", { timeout: 60_000 }, (way) => {
  it.each([
    ["asked over UDP alone", ["udp"]],
    ["asked over TCP alone", ["tcp"]],
    ["idle", []],
  ] as const)("is used again by reloads of a server that is %s", async (_, asked) => {
    let created = 0;
    let usedAgain = 0;
    const { create } = AnswerTable;
    vi.spyOn(AnswerTable, "create").mockImplementation((memory) => {
      if (memory === undefined) created++;
      else usedAgain++;
      return create(memory);
    });
    const server = await start(way);
    const clients = await Promise.all(asked.map((transport) => connect(server, transport)));
    // Threads that have no turn for a while fall behind; they do not hold on to what is gone.
    for (let i = 0; usedAgain < 100 && created < 1000; i++) {
      await server.replaceSnapshot(i % 2 === 0 ? withStates(lab, dark) : lab);
      for (const client of clients) await client.askAll(messages);
      await setImmediate();
    }
    expect(usedAgain).toBe(100);
  });
});

describe.each(ways)("more names than there is room for, $way", { timeout: 60_000 }, (way) => {
  it("are answered all the same, while what was kept begins anew", async () => {
    const plain = snapshotOf("../scenarios/fixtures/plain-zone.yaml");
    const server = await start(way, plain);
    const client = await connect(server, "udp");
    const asked = Array.from({ length: 36_000 }, (_, i) =>
      renderQuery(
        { qname: nameOctets(nameOf(`n${i % 34_000}.wild.lab.example.`)), qtype: TYPE.A, qclass: CLASS.IN },
        { id: 0, recursionDesired: false, edns: undefined },
      ),
    );
    const replies = await client.askAll(asked);
    const address = { family: 4, octets: Uint8Array.of(127, 0, 0, 1) } as const;
    const wrong = replies.filter((reply, i) => {
      const made = answer(plain, asked[i] ?? new Uint8Array(), { address, port: 5353, transport: "udp" }, 0);
      return made.kind !== "answered" || !reply.equals(made.octets ?? new Uint8Array());
    });
    expect(wrong.map(hex)).toEqual([]);
    expect(server.dropped).toBe(0);
  });
});
