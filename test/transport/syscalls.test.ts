/** Sockets of batched datagrams: who may share an address with whom. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/ip.ts";
import { loadSyscalls, type UdpOptions } from "../../src/transport/syscalls.ts";

const loaded = await loadSyscalls();

/** Elsewhere dgram serves, and there are no such sockets. */
const addresses = [
  { address: "127.0.0.1", family: 4 },
  { address: "0.0.0.0", family: 4 },
  { address: "::1", family: 6 },
  { address: "::", family: 6 },
] as const;

it("datagrams can be batched on Linux, and else there is a reason", () => {
  expect(typeof loaded).toBe(process.platform === "linux" ? "object" : "string");
});

describe.each(process.platform === "linux" ? addresses : [])("a socket at $address", (address) => {
  const opened: number[] = [];
  afterEach(() => {
    if (typeof loaded === "string") return;
    for (const fd of opened.splice(0)) loaded.close(fd);
  });

  const open = (port: number, sharing: UdpOptions["sharing"]): number => {
    if (typeof loaded === "string") throw new Error(loaded);
    const at: Endpoint = { ...address, port };
    const socket = loaded.openUdp(at, { sharing, packetInfo: false, bufferOctets: 65_536 });
    opened.push(socket.fd);
    return socket.port;
  };

  it("shares its port with the next ones alone", () => {
    const port = open(0, "first");
    expect(port).toBeGreaterThan(0);
    expect(open(port, "next")).toBe(port);
    expect(open(port, "next")).toBe(port);
    for (const sharing of ["none", "first"] as const) {
      expect(() => open(port, sharing), sharing).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    }
  });

  it("shares its port with nobody where it is to be alone", () => {
    const port = open(0, "none");
    for (const sharing of ["none", "first", "next"] as const) {
      expect(() => open(port, sharing), sharing).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    }
  });

  it("is no first one where sockets of another server share the port", async () => {
    const other = createSocket({ type: address.family === 4 ? "udp4" : "udp6", reusePort: true });
    try {
      other.bind(0, address.address);
      await once(other, "listening");
      expect(() => open(other.address().port, "first")).toThrow(
        expect.objectContaining({ code: "EADDRINUSE" }),
      );
    } finally {
      other.close();
    }
  });
});
