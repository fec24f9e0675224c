/** What worker threads answer is octet for octet what the straight line answers, and is counted and noted like that. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answer } from "../../src/answer.ts";
import { allUp, type DatacenterState, withState } from "../../src/cloud/states.ts";
import type { ListenerSettings } from "../../src/config/configuration.ts";
import { Observer } from "../../src/observer.ts";
import { type Server, startServer } from "../../src/server.ts";
import { type Snapshot, withStates } from "../../src/snapshot.ts";
import type { ListenerRules, Source } from "../../src/trace.ts";
import { findVantage } from "../../src/vantage.ts";
import { prefix } from "../geo/prefixes.ts";
import type { Way } from "../wire-client.ts";
import { type Client, openClient } from "./client.ts";
import { eachOf, labs, namesOf, queryOf, snapshotOf } from "./queries.ts";
import { type ServerWay, threadWays } from "./ways.ts";

const here = { address: "127.0.0.1", family: 4, port: 0 } as const;
const listen: readonly ListenerSettings[] = [
  here,
  { ...here, vantage: { kind: "prefix", prefix: prefix("10.4.0.0/16") } },
  { ...here, ignoresClientSubnet: true },
];
const transports = ["udp", "tcp"] as const;

function rulesOf(at: ListenerSettings, { configuration }: Snapshot): ListenerRules | undefined {
  if (at.vantage === undefined && at.ignoresClientSubnet === undefined) return undefined;
  return {
    vantage: findVantage(at, configuration.networks),
    ignoresClientSubnet: at.ignoresClientSubnet ?? false,
  };
}

/** A server, and clients of each of its listeners over each transport. */
interface Asking {
  readonly server: Server;
  /** each message is asked twice, so that a worker may know it; returns what the straight line has other octets for */
  differences(snapshot: Snapshot, messages: readonly Uint8Array[]): Promise<readonly object[]>;
  /** queries that the main thread answered */
  handedOver(): number;
  close(): Promise<void>;
}

async function start(first: Snapshot, way: ServerWay, observer?: Observer): Promise<Asking> {
  const plane = way.plane && {
    ...way.plane,
    ...(observer && {
      addCounts: () => observer.counts.addThread(),
      records: observer.journal.ring?.records,
    }),
  };
  let handedOver = 0;
  const server = await startServer(first, {
    listen,
    ...(plane && { plane }),
    ...(observer && { labels: observer.labels }),
    onTrace: (trace, observation) => {
      handedOver++;
      observer?.observe(trace, observation);
    },
    now: () => 0,
    onFault: (error) => {
      throw error;
    },
  });
  const clients: { readonly way: Way; readonly at: ListenerSettings; readonly client: Client }[] = [];
  for (const at of server.listening) {
    for (const each of transports) clients.push({ way: each, at, client: await openClient(each, at.port) });
  }
  return {
    server,
    handedOver: () => handedOver,
    differences: async (snapshot, messages) => {
      const found = await Promise.all(
        clients.map(async ({ way: transport, at, client }) => {
          const rules = rulesOf(at, snapshot);
          const source: Source = {
            address: { family: 4, octets: Uint8Array.of(127, 0, 0, 1) },
            port: 5353,
            transport,
            ...(rules && { listener: rules }),
          };
          const rounds = [await client.askAll(messages), await client.askAll(messages)];
          return messages.flatMap((message, i) => {
            const made = answer(snapshot, message, source, 0);
            const expected = made.kind === "answered" ? Buffer.from(made.octets ?? []) : undefined;
            return rounds.flatMap((replies, round) =>
              expected !== undefined && replies[i]?.equals(expected)
                ? []
                : [
                    {
                      transport,
                      round,
                      asked: Buffer.from(message).toString("hex"),
                      got: replies[i]?.toString("hex"),
                      expected: expected?.toString("hex"),
                    },
                  ],
            );
          });
        }),
      );
      return found.flat().slice(0, 3);
    },
    close: async () => {
      for (const { client } of clients) client.close();
      await server.close();
    },
  };
}

const several = threadWays.filter(({ way }) => !way.includes("1 worker"));

describe.each(several)("$way", { timeout: 60_000 }, (way) => {
  describe.each(labs)("%s", (_, path) => {
    const base = snapshotOf(path);
    const names = namesOf(base);
    let asking: Asking;
    beforeAll(async () => {
      asking = await start(base, way);
    }, 60_000);
    afterAll(() => asking.close());

    it("every name", async () => {
      const messages = eachOf(base, names, names.length > 1000 ? 2 : 8);
      expect(await asking.differences(base, messages)).toEqual([]);
      // What is not found is not kept, nor is what a client must not ask.
      expect(asking.handedOver()).toBeLessThan(
        messages.length * 2 * transports.length * listen.length * 0.75,
      );
    });

    it("some names, with a text in each answer that was chosen", async () => {
      const { configuration } = base;
      const settings = { ...configuration.settings, explain: { txt: true, extendedErrors: true } };
      const snapshot = { ...base, configuration: { ...configuration, settings } };
      await asking.server.replaceSnapshot(snapshot);
      const some = names.filter((_, i) => i % Math.ceil(names.length / 500) === 0);
      expect(await asking.differences(snapshot, eachOf(snapshot, some, 2))).toEqual([]);
    });

    it("in every state, and under other settings", async () => {
      const datacenters = base.configuration.clouds.flatMap((cloud) => cloud.datacenters);
      const change = fc.tuple(fc.nat(), fc.constantFrom<DatacenterState>("up", "draining", "down"));
      const settings = fc.constantFrom(
        {},
        { answer: "first-cname" as const },
        { clientSubnetTrust: "none" as const },
        { clientSubnetTrust: [prefix("127.0.0.0/8")] },
        { udpPayloadSize: 512 },
        { explain: { txt: true, extendedErrors: true } },
      );
      const property = fc.asyncProperty(
        settings,
        fc.array(change, { maxLength: 20 }),
        fc.array(queryOf(base, names), { minLength: 20, maxLength: 60 }),
        async (changes, changed, messages) => {
          const { configuration } = base;
          const snapshot = {
            ...base,
            configuration: { ...configuration, settings: { ...configuration.settings, ...changes } },
          };
          await asking.server.replaceSnapshot(snapshot);
          expect(await asking.differences(snapshot, messages)).toEqual([]);
          const states = changed.reduce((all, [i, state]) => {
            const { id } = datacenters[i % datacenters.length] ?? {};
            return id === undefined ? all : withState(all, id, state);
          }, allUp);
          asking.server.setStates(states);
          expect(await asking.differences(withStates(snapshot, states), messages)).toEqual([]);
        },
      );
      await fc.assert(property, { numRuns: 15 });
    });
  });
});

describe("what is counted and noted", { timeout: 60_000 }, () => {
  it.each(labs.flatMap(([lab, path]) => several.map((each) => ({ lab, path, each, way: each.way }))))(
    "of $lab is the same $way",
    async ({ path, each }) => {
      const snapshot = snapshotOf(path);
      const names = namesOf(snapshot);
      const some = names.filter((_, i) => i % Math.ceil(names.length / 150) === 0);
      const messages = eachOf(snapshot, some, 6);
      const seen = [];
      for (const way of [{ way: "in the caller's thread", plane: undefined }, each]) {
        const observer = new Observer({ capacity: 100_000 });
        const asking = await start(snapshot, way, observer);
        await asking.differences(snapshot, messages);
        // What is counted behind the answer is counted when the threads have ended.
        await asking.close();
        const { counts, journal } = observer;
        seen.push({
          queries: counts.queries(),
          located: counts.located(),
          choices: inOrder(counts.choices()),
          truncated: counts.truncated,
          entries: inOrder(journal.read({}, 100_000).map(({ number: _number, at: _at, ...entry }) => entry)),
          durations: counts.durations().map(({ cumulativeCounts }) => cumulativeCounts.at(-1)),
        });
      }
      const [alone, threads] = seen;
      expect(threads).toEqual(alone);
      expect(threads?.entries.length).toBe(messages.length * 2 * transports.length * listen.length);
    },
  );
});

/** As a set: threads make no order. */
const inOrder = (values: readonly object[]): readonly string[] =>
  values.map((value) => JSON.stringify(value)).toSorted();
