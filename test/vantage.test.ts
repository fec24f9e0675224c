/** Vantage points: the address each stands for, and machines that lack an address of loopback. */

import { join } from "node:path";
import { afterEach, describe, expect, it, test, vi } from "vitest";
import type { ListenerSettings, Network } from "../src/config/configuration.ts";
import { loadConfig } from "../src/config/load.ts";
import { formatAddress } from "../src/ip.ts";
import { ListenError, type Server, startServer } from "../src/server.ts";
import { buildSnapshot } from "../src/snapshot.ts";
import { isLoopback } from "../src/transport/addresses.ts";
import type { ListenOptions } from "../src/transport/listener.ts";
import { findVantage } from "../src/vantage.ts";
import { prefix } from "./geo/prefixes.ts";

/** What binding an address fails with, as it would on a machine without it. */
const lacking = vi.hoisted(() => new Map<string, string>());
vi.mock("../src/transport/udp.ts", async (importActual) => {
  const actual = await importActual<typeof import("../src/transport/udp.ts")>();
  const listenUdp = async (options: ListenOptions) => {
    const code = lacking.get(options.address);
    if (code !== undefined) throw Object.assign(new Error(`bind ${code}`), { code });
    return actual.listenUdp(options);
  };
  return { ...actual, listenUdp };
});

describe("the address that a listener stands for", () => {
  const place = { city: "Oslo", country: "NO", coordinates: [59.91, 10.75] } as const;
  const networks: readonly Network[] = [
    {
      name: "both",
      kind: "office",
      place,
      prefixes: ["2001:db8:20::/48", "10.20.0.0/16", "10.21.0.0/16"].map(prefix),
    },
    { name: "four", kind: "office", place, prefixes: [prefix("10.22.0.0/16")] },
  ];
  test.each([
    ["a network's first prefix of the listener's family", "both", 4, "10.20.0.0"],
    ["a network's first prefix of the listener's family", "both", 6, "2001:db8:20::"],
    ["its first prefix where it has none of the family", "four", 6, "10.22.0.0"],
  ] as const)("is the first of %s: %s, family %i", (_rule, network, family, expected) => {
    const at = { address: family === 4 ? "127.0.0.1" : "::1", family, port: 53 };
    const vantage = findVantage({ ...at, vantage: { kind: "network", network } }, networks);
    expect(vantage?.name).toBe(network);
    expect(formatAddress(vantage?.address.octets ?? new Uint8Array(4))).toBe(expected);
  });

  test("is the first of its prefix, of whatever family", () => {
    const vantage = { kind: "prefix", prefix: prefix("2001:db8:30::/44") } as const;
    expect(findVantage({ address: "127.0.0.1", family: 4, port: 53, vantage }, networks)).toEqual({
      name: "2001:db8:30::/44",
      address: { family: 6, octets: prefix("2001:db8:30::/44").octets },
    });
  });

  test("is none without a vantage, and where the network is gone", () => {
    const at = { address: "127.0.0.1", family: 4, port: 53 } as const;
    expect(findVantage(at, networks)).toBeUndefined();
    expect(findVantage({ ...at, vantage: { kind: "network", network: "gone" } }, networks)).toBeUndefined();
  });
});

test.each([
  ["127.0.0.1", true],
  ["127.0.1.9", true],
  ["128.0.0.1", false],
  ["0.0.0.0", false],
  ["::1", true],
  ["0:0::1", true],
  ["::", false],
  ["::2", false],
  ["::ffff:127.0.0.1", false],
])("%s is loopback: %s", (address, expected) => {
  expect(isLoopback({ address })).toBe(expected);
});

describe("a machine without the address", () => {
  const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
  if (loaded.kind === "errors") throw new Error("the default lab has errors");
  const snapshot = buildSnapshot(loaded.configuration, undefined);
  const anyPort = loaded.configuration.settings.listen
    .filter(({ family }) => family === 4)
    .map((at): ListenerSettings => ({ ...at, port: 0 }));
  const vantages = anyPort.slice(1);

  let server: Server | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
    lacking.clear();
  });

  it("starts the default lab without its vantage points, and tells which are left out", async () => {
    for (const { address } of vantages) lacking.set(address, "EADDRNOTAVAIL");
    server = await startServer(snapshot, { listen: anyPort });
    expect(server.listening.map(({ address }) => address)).toEqual(["127.0.0.1"]);
    expect(server.leftOut).toEqual(vantages);
  });

  it.runIf(process.platform === "linux")("leaves out the ones it lacks alone", async () => {
    lacking.set("127.0.1.4", "EADDRNOTAVAIL");
    server = await startServer(snapshot, { listen: anyPort });
    expect(server.leftOut.map(({ address }) => address)).toEqual(["127.0.1.4"]);
    expect(server.listening).toHaveLength(anyPort.length - 1);
  });

  it.each([
    ["no listener is left", "127.0.1.4", vantages.slice(3, 4), "EADDRNOTAVAIL"],
    ["the listener stands for nothing", "127.0.0.1", anyPort.slice(0, 2), "EADDRNOTAVAIL"],
    ["the port is taken", "127.0.1.4", anyPort, "EADDRINUSE"],
    ["a right is lacking", "127.0.1.4", anyPort, "EACCES"],
  ])("is an error where %s", async (_why, address, listen, code) => {
    lacking.set(address, code);
    const attempt = startServer(snapshot, { listen });
    await expect(attempt).rejects.toThrow(ListenError);
    await expect(attempt).rejects.toThrow(`cannot listen on ${address}:`);
  });
});
