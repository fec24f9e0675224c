/** TCP in a worker thread: some queries it knows, others the main thread has to answer, in one stream. */

import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { parseType } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { parsePrefix } from "../../src/ip.ts";
import { ThreadCounts } from "../../src/query-counts.ts";
import { type Server, startServer } from "../../src/server.ts";
import { buildSnapshot } from "../../src/snapshot.ts";
import { framed } from "../../src/transport/framing.ts";
import { splitMessages } from "../wire-client.ts";

const lab = loadConfig(join(import.meta.dirname, "../../config/geodns365.yaml"));
if (lab.kind === "errors") throw new Error("the default lab has errors");
const snapshot = buildSnapshot(lab.configuration, undefined);
const listen = [{ address: "127.0.0.1", family: 4, port: 0 }] as const;
const counts: ThreadCounts[] = [];

let inThread: Server;
let inWorker: Server;
beforeAll(async () => {
  inThread = await startServer(snapshot, { listen });
  inWorker = await startServer(snapshot, {
    listen,
    plane: {
      transport: { kind: "dgram" },
      workers: 1,
      addCounts: () => {
        const thread = new ThreadCounts();
        counts.push(thread);
        return thread.memory;
      },
      records: undefined,
    },
  });
});
afterAll(async () => {
  await inThread.close();
  await inWorker.close();
});

const usual = fc.record({
  kind: fc.constant("usual"),
  qname: fc.constantFrom("outlook.office365.com.", "OUTLOOK.ms-acdc.office.com.", "contoso.sharepoint.com."),
  subnet: fc.constantFrom("10.1.0.0/24", "10.4.0.0/24", "2001:db8:3::/56"),
});
/** Threads know no class but IN, nor names that nobody has asked for. */
const unusual = fc.record({
  kind: fc.constant("unusual"),
  qname: fc.constantFrom("version.bind.", "outlook.office365.com."),
  qclass: fc.constantFrom(3, 255),
});
const unheard = fc.record({
  kind: fc.constant("unheard"),
  qname: fc.nat().map((n) => `n${n}.office365.com.`),
});
const asked: fc.Arbitrary<{
  readonly kind: string;
  readonly qname: string;
  readonly subnet?: string;
  readonly qclass?: number;
}> = fc.oneof({ weight: 6, arbitrary: usual }, unusual, unheard);

function messageOf(
  { qname, subnet, qclass = 1 }: { qname: string; subnet?: string; qclass?: number },
  id: number,
): Uint8Array {
  const prefix = subnet === undefined ? undefined : parsePrefix(subnet);
  if (typeof prefix === "string") throw new Error(prefix);
  const edns = prefix && { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix };
  return renderQuery(
    { qname: nameOctets(nameOf(qname)), qtype: parseType("A") ?? 0, qclass },
    { id, recursionDesired: false, edns },
  );
}

/** Sends the pieces one by one and reads so many responses, as hexadecimal digits. */
async function exchange(
  server: Server,
  pieces: readonly Uint8Array[],
  count: number,
): Promise<readonly string[]> {
  const socket = connect({ host: "127.0.0.1", port: server.listening[0]?.port ?? 0, noDelay: true });
  await once(socket, "connect");
  const received: Buffer[] = [];
  const answered = new Promise<readonly string[]>((resolve, reject) => {
    socket.on("data", (chunk) => {
      received.push(chunk);
      const { messages } = splitMessages(Buffer.concat(received));
      if (messages.length >= count) resolve(messages.map((message) => message.toString("hex")));
    });
    socket.on("close", () => reject(new Error("the server closed the connection")));
  });
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    await setImmediate();
  }
  const messages = await answered;
  socket.destroy();
  return messages;
}

it("answers each query as one thread alone would, wherever the stream is cut; what a thread knows in its order", async () => {
  const bursts = fc.record({
    queries: fc.array(asked, { minLength: 1, maxLength: 300 }),
    cuts: fc.array(fc.nat({ max: 15_000 }), { maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(bursts, async ({ queries, cuts }) => {
      const messages = queries.map(messageOf);
      // By the second time whatever can be known is.
      const expected = await exchange(inThread, messages.map(framed), messages.length);
      await exchange(inWorker, [Buffer.concat(messages.map(framed))], messages.length);
      const stream = Buffer.concat(messages.map(framed));
      const ends = [...cuts.filter((cut) => cut < stream.length).toSorted((a, b) => a - b), stream.length];
      const pieces = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end));
      const received = await exchange(inWorker, pieces, messages.length);
      expect(received.toSorted()).toEqual(expected.toSorted());
      const isUsual = (response: string): boolean =>
        queries[Number.parseInt(response.slice(0, 4), 16)]?.kind === "usual";
      expect(received.filter(isUsual)).toEqual(expected.filter(isUsual));
    }),
    { numRuns: 25 },
  );
  expect(counts.some((thread) => thread.counts.some((count) => count > 0))).toBe(true);
});
