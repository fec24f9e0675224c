/**
 * A bounded mutation fuzzer: whatever octets come, there is silence or one well-formed response that belongs to them, and
 * never an answer to a response. fast-check prints the seed and the shrunken octets of a failure.
 */

import { join } from "node:path";
import dnsPacket from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config/load.ts";
import { clientSubnetOf, clientSubnetOption } from "../src/dns/client-subnet.ts";
import { decodeMessage, decodeQuery } from "../src/dns/decode.ts";
import { renderOpt } from "../src/dns/edns.ts";
import { CLASS, OPTION, RCODE } from "../src/dns/iana.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { parsePrefix } from "../src/ip.ts";
import { startServer } from "../src/server.ts";
import { buildSnapshot } from "../src/snapshot.ts";
import { answerAtOnce } from "./answer.ts";
import { serverWays, withPlane } from "./plane/ways.ts";
import { sendAll } from "./wire-client.ts";

const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error("the default lab has errors");
const snapshot = buildSnapshot(loaded.configuration, undefined, { cookieSecrets: [new Uint8Array(16)] });

const names = [
  "outlook.office365.com.",
  "contoso-my.sharepoint.com.",
  "partner.outlook.cn.",
  "autod.ms-acdc-autod.office.com.",
  "nosuch.office.com.",
  "www.example.org.",
  "version.bind.",
  ".",
  // a long name that takes four characters an octet to print
  `${`${"\\200".repeat(60)}.`.repeat(4)}`,
] as const;

/** Good queries, as clients send them: every kind of name, type, class and option. */
const query = fc
  .record({
    name: fc.constantFrom(...names),
    qtype: fc.constantFrom(1, 2, 5, 6, 15, 16, 28, 41, 43, 65, 250, 251, 252, 253, 255, 65280),
    qclass: fc.constantFrom(CLASS.IN, CLASS.IN, CLASS.IN, CLASS.CH, CLASS.ANY),
    subnet: fc.constantFrom("10.4.0.0/24", "2001:db8:3::/56", "0.0.0.0/0", undefined),
    cookie: fc.option(fc.uint8Array({ minLength: 8, maxLength: 24 }), { nil: undefined }),
    udpPayloadSize: fc.constantFrom(0, 512, 1232, 65535),
    id: fc.integer({ min: 0, max: 0xfff0 }),
  })
  .map(({ name, qtype, qclass, subnet, cookie, udpPayloadSize, id }) => {
    const message = renderQuery(
      { qname: nameOctets(nameOf(name)), qtype, qclass },
      { id, recursionDesired: true, edns: undefined },
    );
    const prefix = subnet === undefined ? undefined : parsePrefix(subnet);
    const options = [
      ...(prefix === undefined || typeof prefix === "string"
        ? []
        : [clientSubnetOption(clientSubnetOf(prefix), 0)]),
      ...(cookie === undefined ? [] : [{ code: OPTION.COOKIE, octets: cookie }]),
      { code: OPTION.NSID, octets: new Uint8Array(0) },
    ];
    message[11] = 1; // ARCOUNT
    return Buffer.concat([message, renderOpt({ udpPayloadSize, version: 0, dnssecOk: false, options }, 0)]);
  });

/** Octets changed, cut out, put in or said twice. */
const mutation = fc.record({
  kind: fc.constantFrom("set", "cut", "insert", "repeat"),
  at: fc.nat(600),
  length: fc.integer({ min: 1, max: 12 }),
  octets: fc.uint8Array({ minLength: 1, maxLength: 12 }),
});

const mutated = fc
  .record({ message: query, mutations: fc.array(mutation, { maxLength: 6 }) })
  .map(({ message, mutations }) =>
    mutations.reduce((octets, { kind, at, length, octets: fresh }) => {
      const position = octets.length === 0 ? 0 : at % octets.length;
      const before = octets.subarray(0, position);
      switch (kind) {
        case "set":
          return Buffer.concat([before, fresh, octets.subarray(position + fresh.length)]);
        case "cut":
          return Buffer.concat([before, octets.subarray(position + length)]);
        case "insert":
          return Buffer.concat([before, fresh, octets.subarray(position)]);
        default:
          return Buffer.concat([
            before,
            octets.subarray(position, position + length),
            octets.subarray(position),
          ]);
      }
    }, message),
  );

const source = { address: { family: 4, octets: Uint8Array.of(127, 0, 0, 1) }, port: 5353 } as const;

/** What is wrong with a response to these octets; empty is good. */
function faultsOf(
  message: Uint8Array,
  response: Uint8Array | undefined,
  transport: "udp" | "tcp",
): readonly string[] {
  const decoded = decodeQuery(message);
  if (response === undefined) return decoded.kind === "silence" ? [] : ["silence to a query"];
  const faults: string[] = [];
  if (decoded.kind === "silence") faults.push("a response to what is no query");
  const read = decodeMessage(response);
  if (typeof read === "string") return [...faults, `malformed: ${read}`];
  if (!read.isResponse) faults.push("QR is not set");
  if (read.id !== (message[0] ?? 0) * 256 + (message[1] ?? 0)) faults.push("another id");
  if (read.rcode === RCODE.SERVFAIL) faults.push("SERVFAIL");
  const asked =
    decoded.kind === "query" ? decoded.query : decoded.kind === "error" ? decoded.asked : undefined;
  // RFC 6891 §6.2.3: what the client can take, from 512 up, and never above the server's own.
  const limit =
    transport === "tcp" ? 65535 : Math.min(Math.max(asked?.edns?.udpPayloadSize ?? 512, 512), 1232);
  if (response.length > limit) faults.push(`${response.length} octets where ${limit} are allowed`);
  if ((asked?.edns === undefined) !== (read.edns === undefined))
    faults.push("OPT in one of query and response alone");
  try {
    dnsPacket.decode(Buffer.from(response));
  } catch (error) {
    faults.push(`dns-packet cannot read it: ${String(error)}`);
  }
  return faults;
}

describe("mutated queries", () => {
  it.each(["udp", "tcp"] as const)("over %s have one response that belongs to them, or none", (transport) => {
    const property = fc.property(mutated, (message) => {
      const { octets } = answerAtOnce(snapshot, message, { ...source, transport }, 1_800_000_000);
      expect(faultsOf(message, octets, transport)).toEqual([]);
    });
    fc.assert(property, { numRuns: 4000 });
  });

  it("with a TSIG of long names beside a long question keep to 512 octets", () => {
    const long = nameOctets(nameOf(`${`${"k".repeat(60)}.`.repeat(4)}`));
    const uint16 = (value: number): readonly number[] => [value >> 8, value & 0xff];
    const rdata = [...long, ...new Array(8).fill(0), 0, 0, 0, 7, 0, 0, 0, 0];
    const tsig = [
      ...long,
      ...uint16(250),
      ...uint16(CLASS.ANY),
      0,
      0,
      0,
      0,
      ...uint16(rdata.length),
      ...rdata,
    ];
    const question = { qname: long, qtype: 1, qclass: CLASS.IN };
    const message = renderQuery(question, { id: 7, recursionDesired: false, edns: undefined });
    message[11] = 1; // ARCOUNT
    const signed = Buffer.concat([message, Uint8Array.from(tsig)]);
    const { octets } = answerAtOnce(snapshot, signed, { ...source, transport: "udp" }, 0);
    expect(faultsOf(signed, octets, "udp")).toEqual([]);
  });

  describe.each(serverWays)("never end a server that answers $way", (serverWay) => {
    it.each(["udp", "tcp"] as const)("which goes on answering over %s", async (transport) => {
      const faults: unknown[] = [];
      const listen = [{ address: "127.0.0.1", family: 4, port: 0 }] as const;
      const onFault = (error: unknown): unknown => faults.push(error);
      const server = await startServer(snapshot, { listen, onFault, ...withPlane(serverWay) });
      const port = server.listening[0]?.port ?? 0;
      const isWhole = (message: Uint8Array): boolean => transport === "udp" || message.length > 0;
      const property = fc.asyncProperty(
        fc.array(mutated.filter(isWhole), { minLength: 1, maxLength: 20 }),
        async (messages) => {
          // Twice, since a worker thread answers by itself what it has seen answered.
          const replies = await sendAll(port, transport, [...messages, ...messages]);
          const expected = messages.filter((each) => decodeQuery(each).kind !== "silence");
          expect(replies.length).toBe(2 * expected.length);
        },
      );
      await fc.assert(property, { numRuns: 50 });
      await server.close();
      expect(faults).toEqual([]);
    });
  });
});
