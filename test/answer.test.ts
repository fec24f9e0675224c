/** What scenarios cannot tell of the answer path. */

import { join } from "node:path";
import { expect, it } from "vitest";
import { answerServfail } from "../src/answer.ts";
import { loadConfig } from "../src/config/load.ts";
import { decodeMessage } from "../src/dns/decode.ts";
import { renderOpt } from "../src/dns/edns.ts";
import { CLASS, formatRcode, OPTION, TYPE } from "../src/dns/iana.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { buildSnapshot } from "../src/snapshot.ts";

it("gives a cookie with SERVFAIL too, without which a client would drop it (RFC 7873 §5.3)", () => {
  const loaded = loadConfig(join(import.meta.dirname, "scenarios/fixtures/plain-zone.yaml"));
  if (loaded.kind === "errors") throw new Error("the fixture has errors");
  const snapshot = buildSnapshot(loaded.configuration, undefined, { cookieSecrets: [new Uint8Array(16)] });
  const question = { qname: nameOctets(nameOf("www.lab.example.")), qtype: TYPE.A, qclass: CLASS.IN };
  const query = renderQuery(question, { id: 1, recursionDesired: false, edns: undefined });
  query[11] = 1; // ARCOUNT
  const cookie = { code: OPTION.COOKIE, octets: new Uint8Array(8) };
  const opt = renderOpt({ udpPayloadSize: 1232, version: 0, dnssecOk: false, options: [cookie] }, 0);
  const source = {
    address: { family: 4, octets: Uint8Array.of(127, 0, 0, 1) },
    port: 5353,
    transport: "udp",
  } as const;
  const response = decodeMessage(
    answerServfail(snapshot, Buffer.concat([query, opt]), source, 0) ?? new Uint8Array(),
  );
  if (typeof response === "string") throw new Error(response);
  expect(formatRcode(response.rcode)).toBe("SERVFAIL");
  expect(response.edns?.options.map(({ code, octets }) => [code, octets.length])).toEqual([
    [OPTION.COOKIE, 24],
  ]);
});
