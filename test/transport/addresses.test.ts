/** What a wildcard stands for. */

import { describe, expect, it } from "vitest";
import { isWildcard, machineAddresses } from "../../src/transport/addresses.ts";

describe("a wildcard", () => {
  it.each([
    ["0.0.0.0", true],
    ["::", true],
    ["0:0::0", true],
    ["127.0.0.1", false],
    ["::1", false],
  ])("%s: %s", (address, expected) => {
    expect(isWildcard({ address })).toBe(expected);
  });
});

describe("the addresses of a machine", () => {
  const common = { netmask: "", mac: "00:00:00:00:00:00", internal: false, cidr: null };
  const interfaces: NonNullable<Parameters<typeof machineAddresses>[1]> = {
    lo: [
      { ...common, family: "IPv4", address: "127.0.0.1" },
      { ...common, family: "IPv6", address: "::1", scopeid: 0 },
    ],
    eth0: [
      { ...common, family: "IPv4", address: "192.0.2.2" },
      { ...common, family: "IPv6", address: "2001:db8::2", scopeid: 0 },
      { ...common, family: "IPv6", address: "fe80::2", scopeid: 4 },
    ],
    eth1: [
      { ...common, family: "IPv4", address: "192.0.2.2" },
      { ...common, family: "IPv6", address: "fe80::2", scopeid: 5 },
    ],
  };

  const none = { fibTrie: "", ifInet6: "" };

  it("are those of the family, each once, a link-local one once an interface", () => {
    expect(machineAddresses(4, interfaces, none)).toEqual(["127.0.0.1", "192.0.2.2"]);
    expect(machineAddresses(6, interfaces, none)).toEqual([
      "::1",
      "2001:db8::2",
      "fe80::2%eth0",
      "fe80::2%eth1",
    ]);
  });

  it("have those of an interface without a carrier among them, which only the kernel's tables tell", () => {
    const fibTrie = `Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     |-- 172.17.0.1
        /32 host LOCAL
`;
    const ifInet6 = `00000000000000000000000000000001 01 80 10 80       lo
fe80000000000000000000000000ca11 05 40 20 80  docker0
20010db8000000000000000000000017 05 40 00 80  docker0
`;
    const tables = { fibTrie, ifInet6 };
    expect(machineAddresses(4, interfaces, tables)).toEqual(["127.0.0.1", "192.0.2.2", "172.17.0.1"]);
    expect(machineAddresses(6, { lo: interfaces.lo }, tables)).toEqual([
      "::1",
      "fe80::ca11%docker0",
      "2001:db8::17",
    ]);
  });

  it("have the loopback among them here", () => {
    expect(machineAddresses(4)).toContain("127.0.0.1");
  });
});
