/** A query as dns2 presents it to a handler. */

import { Packet } from "dns2";
import { describe, expect, it } from "vitest";
import { decodeQuery } from "../../src/dns/decode.ts";
import { renderHandlerQuery } from "../../src/script/handler-query.ts";
import { query } from "./lab.ts";

function parsed(octets: Uint8Array, { show = true } = {}): Packet {
  const asked = decodeQuery(octets);
  if (asked.kind !== "query") throw new Error("it is no query");
  const packet = Packet.parse(
    Buffer.from(renderHandlerQuery(asked.query, show ? asked.query.clientSubnet : undefined)),
  );
  expect(packet.errors).toEqual([]);
  return packet;
}

describe("a handler's query", () => {
  it("keeps id, spelling, type and class", () => {
    const packet = parsed(query("wWw.API.example.", "MX", { id: 0xbeef, edns: false }));
    expect(packet.header).toMatchObject({ id: 0xbeef, qr: 0, rd: 0, opcode: 0 });
    expect(packet.questions).toEqual([{ name: "wWw.API.example", type: 15, class: 1 }]);
    expect(packet.additionals).toEqual([]);
  });

  it.each(["10.1.0.0/16", "10.1.128.0/17", "192.0.2.1/32", "2001:db8:3::/48"])(
    "has the client subnet %s as dns2 parses it itself",
    (subnet) => {
      const octets = query("api.example.", "A", { subnet });
      const own = Packet.parse(Buffer.from(octets));
      expect(own.errors).toEqual([]);
      expect(parsed(octets).additionals).toEqual(own.additionals);
    },
  );

  it.each([
    ["2001:db8:300::/40", "2001:db8:300:0:0:0:0:0"],
    ["2001:db8:3:100::/56", "2001:db8:3:100:0:0:0:0"],
  ])("has the client subnet %s, whose OPT dns2 loses, in the same shape", (subnet, ip) => {
    const octets = query("api.example.", "A", { subnet });
    expect(Packet.parse(Buffer.from(octets)).additionals).toEqual([]);
    expect(parsed(octets).additionals[0]).toMatchObject({
      type: 41,
      class: 1232,
      version: 0,
      doFlag: false,
      rdata: [
        {
          ednsCode: 8,
          family: 2,
          sourcePrefixLength: Number(subnet.split("/")[1]),
          scopePrefixLength: 0,
          ip,
        },
      ],
    });
  });

  it("has no client subnet where that does not count", () => {
    const packet = parsed(query("api.example.", "A", { subnet: "10.1.0.0/16" }), { show: false });
    expect(packet.additionals[0]?.rdata).toEqual([]);
  });
});
