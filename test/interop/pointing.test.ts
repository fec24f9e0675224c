/**
 * Resolvers that are told of a lab by what `geodns365 resolver-config` prints, and find everyone else by themselves, resolve
 * every name that is served without asking anyone else. Each runs in a network namespace that holds loopback alone, where
 * every address of the Internet is this machine's and is watched.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { root, run } from "./programs.ts";
import type { Outcome, Task } from "./resolvers/alone.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-pointing-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The default lab in other years, and zones for which resolvers have empty answers of their own. */
const otherEras = {
  log: { queries: "off" },
  clouds: {
    Worldwide: {
      eras: { exchange: "mira-2025", sharepoint: "clump-2022", portal: "anycast-2024", teams: "afd-2019" },
    },
  },
  zones: ["10.in-addr.arpa", "2.0.192.in-addr.arpa", "1.168.192.in-addr.arpa", "f.ip6.arpa", "shop.test"],
  records: {
    "10.in-addr.arpa": ["1.0.0 60 PTR www.shop.test."],
    "2.0.192.in-addr.arpa": ["1 60 PTR www.shop.test."],
    "1.168.192.in-addr.arpa": ["1 60 PTR www.shop.test."],
    "f.ip6.arpa": ["1.1.d 60 PTR www.shop.test."],
    "shop.test": ["www 60 A 192.0.2.1", "@ 60 MX 10 www"],
  },
  include: ["networks.yaml", "countries.yaml", "tenants.yaml", "clouds/*.yaml"].map((file) =>
    join(root, "config", file),
  ),
};
const otherErasPath = join(folder, "other-eras.yaml");
writeFileSync(otherErasPath, JSON.stringify(otherEras));

async function play(task: Task): Promise<Outcome> {
  // Root has no need of a user namespace, in which dnsmasq and others could not give up its rights.
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const ready =
    "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo";
  const script = join(import.meta.dirname, "resolvers/alone.ts");
  const inside = ["sh", "-c", `${ready} && exec "$@"`, "sh", process.execPath, script, JSON.stringify(task)];
  return JSON.parse(await run("unshare", ["--net", ...asRoot, ...inside]));
}

describe.each([
  { lab: "the default lab", config: join(root, "config/geodns365.yaml") },
  { lab: "the lab of other eras, with zones of special use", config: otherErasPath },
])("in front of $lab", ({ config }) => {
  it.each([
    { resolver: "unbound", server: "127.0.0.1:5300" },
    { resolver: "BIND", server: "127.0.0.1:5300" },
    { resolver: "BIND", server: "10.1.0.53:53" },
    { resolver: "pdns-recursor", server: "127.0.0.1:5300" },
    { resolver: "knot-resolver", server: "127.0.0.1:5300" },
    { resolver: "dnsmasq", server: "127.0.0.1:5300" },
  ] as const)("$resolver asks $server alone", async ({ resolver, server }) => {
    const outcome = await play({ resolver, config, server });
    expect(outcome.questions).toBeGreaterThan(1000);
    expect(outcome.faults).toEqual([]);
    expect(outcome.astray).toEqual({});
    // The root's own records, which resolvers look up when they start (RFC 8109), are no part of any name.
    expect(outcome.strangers.filter((question) => !question.startsWith(". "))).toEqual([]);
    expect(outcome.strangersForOutside).not.toEqual([]);
  });
});
