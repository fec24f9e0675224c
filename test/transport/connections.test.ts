/** Which connections there is room for. */

import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/ip.ts";
import { Connections, type Countable } from "../../src/transport/connections.ts";

interface Fake extends Countable {
  busy: boolean;
  isDestroyed: boolean;
}

function connection(text: string): Fake {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return {
    address,
    busy: false,
    isDestroyed: false,
    isIdle() {
      return !this.busy;
    },
    destroy() {
      this.isDestroyed = true;
    },
  };
}

describe("the limit of an address (RFC 7766 §6.2.2)", () => {
  it.each([
    ["the same IPv4 address", "192.0.2.1", "192.0.2.1", false],
    ["another IPv4 address", "192.0.2.1", "192.0.2.2", true],
    ["the same /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", false],
    ["another /64", "2001:db8:0:1::1", "2001:db8:0:2::1", true],
    ["the other family", "0.0.0.0", "::", true],
  ])("%s", (_, first, second, admitted) => {
    const connections = new Connections({ maxConnections: 9, maxConnectionsPerAddress: 1 });
    expect(connections.admit(connection(first))).toBe(true);
    expect(connections.admit(connection(second))).toBe(admitted);
  });

  it("closes none of its idle ones for one more, and has room again when one has gone", () => {
    const connections = new Connections({ maxConnections: 2, maxConnectionsPerAddress: 2 });
    const [a, b, c] = [connection("192.0.2.1"), connection("192.0.2.1"), connection("192.0.2.1")];
    expect([connections.admit(a), connections.admit(b), connections.admit(c)]).toEqual([true, true, false]);
    expect([a.isDestroyed, b.isDestroyed]).toEqual([false, false]);
    connections.remove(a);
    connections.remove(a);
    expect([connections.admit(c), connections.admit(a)]).toEqual([true, false]);
  });
});

describe("the limit in total", () => {
  const three = () => [connection("192.0.2.1"), connection("192.0.2.2"), connection("192.0.2.3")] as const;

  it("closes the one whose last query is the longest ago", () => {
    const connections = new Connections({ maxConnections: 2 });
    const [a, b, c] = three();
    connections.admit(a);
    connections.admit(b);
    connections.renew(a);
    expect(connections.admit(c)).toBe(true);
    expect([a.isDestroyed, b.isDestroyed]).toEqual([false, true]);
    // What has gone counts no more and comes back by no late query.
    connections.renew(b);
    connections.remove(b);
    connections.remove(a);
    expect(connections.admit(b)).toBe(true);
    expect(c.isDestroyed).toBe(false);
  });

  it("passes over one that waits for answers, and turns away where all do", () => {
    const connections = new Connections({ maxConnections: 2 });
    const [a, b, c] = three();
    connections.admit(a);
    connections.admit(b);
    a.busy = true;
    b.busy = true;
    expect(connections.admit(c)).toBe(false);
    b.busy = false;
    expect(connections.admit(c)).toBe(true);
    expect([a.isDestroyed, b.isDestroyed]).toEqual([false, true]);
  });
});

it("counts those that are open, those turned away, and those closed for another", () => {
  const connections = new Connections({ maxConnections: 2, maxConnectionsPerAddress: 1 });
  const [a, b, c] = [connection("192.0.2.1"), connection("192.0.2.2"), connection("192.0.2.3")];
  for (const each of [a, connection("192.0.2.1"), b, c]) connections.admit(each);
  expect(connections.counts).toEqual({ open: 2, refused: 1, replaced: 1 });
  b.busy = true;
  c.busy = true;
  connections.admit(a);
  connections.remove(b);
  expect(connections.counts).toEqual({ open: 1, refused: 2, replaced: 1 });
});
