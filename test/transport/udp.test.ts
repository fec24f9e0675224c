/** UDP over loopback, both families. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { formatAddress } from "../../src/ip.ts";
import type { Source } from "../../src/trace.ts";
import { listenUdp, withoutScope } from "../../src/transport/udp.ts";

let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.toReversed()) await step();
  cleanUp = [];
});

describe("one datagram, one response", () => {
  it.each([
    { address: "127.0.0.1", family: 4, type: "udp4" },
    { address: "::1", family: 6, type: "udp6" },
  ] as const)("over $address", async ({ address, family, type }) => {
    const sources: Source[] = [];
    const listener = await listenUdp({
      address,
      family,
      port: 0,
      respond: (message, source) => {
        sources.push(source);
        return Uint8Array.from(message).reverse();
      },
      onFault: (error) => {
        throw error;
      },
    });
    cleanUp.push(() => listener.close());
    const client = createSocket(type);
    cleanUp.push(() => void client.close());
    client.send("abc", listener.port, address);
    const [reply]: unknown[] = await once(client, "message");
    expect(String(reply)).toBe("cba");
    expect(sources.map((source) => ({ ...source, address: formatAddress(source.address.octets) }))).toEqual([
      { address, port: client.address().port, transport: "udp" },
    ]);
  });

  it("rejects where the port is taken", async () => {
    const options = { address: "127.0.0.1", family: 4, respond: () => undefined, onFault: () => {} } as const;
    const first = await listenUdp({ ...options, port: 0 });
    cleanUp.push(() => first.close());
    await expect(listenUdp({ ...options, port: first.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("the address of a peer", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
  ])("%s", (reported, address) => {
    expect(formatAddress(withoutScope(reported).octets)).toBe(address);
  });
});
