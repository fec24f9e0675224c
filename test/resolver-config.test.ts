/** What resolvers are told: all formats of a small lab, zones of special use, and the samples in docs/resolvers/. */

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { nameOf } from "../src/dns/name.ts";
import { type Endpoint, parseEndpoint } from "../src/ip.ts";
import { type ResolverFormat, resolverConfig, resolverFormats } from "../src/resolver-config.ts";
import { call } from "./cli/program.ts";

const root = join(import.meta.dirname, "..");

function told(
  format: ResolverFormat,
  server: string,
  ...names: readonly string[]
): readonly string[] | string {
  const endpoint = parseEndpoint(server);
  if (typeof endpoint === "string") throw new Error(endpoint);
  return resolverConfig(format, { server: endpoint, names: names.map(nameOf) });
}

/** Without comments and blank lines. */
function linesOf(format: ResolverFormat, server: string, ...names: readonly string[]): readonly string[] {
  const lines = told(format, server, ...names);
  if (typeof lines === "string") throw new Error(lines);
  return lines.map((line) => line.trim()).filter((line) => !/^(#|--|\/\/|$)/.test(line));
}

describe("a name at a port of its own", () => {
  it.each<[ResolverFormat, string, readonly string[]]>([
    [
      "unbound",
      "10.1.0.53:5300",
      [
        "server:",
        "domain-insecure: office.com",
        "private-domain: office.com",
        "stub-zone:",
        "name: office.com",
        "stub-addr: 10.1.0.53@5300",
      ],
    ],
    [
      "bind",
      "10.1.0.53:5300",
      [
        "options {",
        "validate-except {",
        '"office.com";',
        "};",
        "};",
        'zone "office.com" { type forward; forward only; forwarders { 10.1.0.53 port 5300; }; };',
      ],
    ],
    ["dnsmasq", "[::1]:5300", ["server=/office.com/::1#5300", "rebind-domain-ok=/office.com/"]],
    [
      "knot-resolver",
      "[::1]:5300",
      [
        "policy.add(policy.suffix(",
        "policy.STUB('::1@5300'),",
        "policy.todnames({",
        "'office.com.',",
        "})",
        "))",
      ],
    ],
    ["pdns-recursor", "[::1]:5300", ["forward-zones=office.com=[::1]:5300"]],
    ["pdns-recursor-lua", "[::1]:5300", ["addNTA('office.com', 'served by geodns365')"]],
    ["coredns", "[::1]:5300", ["office.com {", "forward . [::1]:5300", "}"]],
    ["list", "[::1]:5300", ["office.com"]],
  ])("%s", (format, server, lines) => {
    expect(linesOf(format, server, "office.com.")).toEqual(lines);
  });

  it("windows", () => {
    expect(told("windows", "10.1.0.53:5300", "office.com.")).toMatch(/port 53 alone, and not 5300$/);
    const lines = linesOf("windows", "10.1.0.53:53", "office.com.", "outlook.com.");
    expect(lines.slice(0, 4)).toEqual(["$names = @(", "'office.com'", "'outlook.com'", ")"]);
    expect(lines).toContain(
      "Set-DnsServerConditionalForwarderZone -Name $name -MasterServers '10.1.0.53' -UseRecursion $false",
    );
  });

  it.each<[ResolverFormat, unknown]>([
    ["json", { server: { address: "::1", port: 5300 }, names: ["office.com"] }],
    [
      "pdns-recursor-yaml",
      {
        recursor: { forward_zones: [{ zone: "office.com", forwarders: ["[::1]:5300"] }] },
        dnssec: { negative_trustanchors: [{ name: "office.com", reason: "served by geodns365" }] },
      },
    ],
  ])("%s", (format, value) => {
    expect(parse([told(format, "[::1]:5300", "office.com.")].flat().join("\n"))).toEqual(value);
  });
});

describe("port 53", () => {
  it.each<[ResolverFormat, string]>([
    ["unbound", "stub-addr: 10.1.0.53"],
    ["bind", 'zone "office.com" { type static-stub; server-addresses { 10.1.0.53; }; forwarders { }; };'],
    ["dnsmasq", "server=/office.com/10.1.0.53"],
  ])("%s is not told of it", (format, line) => {
    expect(linesOf(format, "10.1.0.53:53", "office.com.")).toContain(line);
  });
});

describe("names for which resolvers have empty answers of their own", () => {
  it.each<[string, ResolverFormat, string, readonly string[]]>([
    ["one itself", "unbound", "10.in-addr.arpa.", ["local-zone: 10.in-addr.arpa nodefault"]],
    [
      "one below",
      "unbound",
      "0.f.8.b.d.0.1.0.0.2.ip6.arpa.",
      ["local-zone: 0.f.8.b.d.0.1.0.0.2.ip6.arpa transparent"],
    ],
    ["one above", "unbound", "f.ip6.arpa.", ["local-zone: d.f.ip6.arpa nodefault"]],
    ["a name of tests", "unbound", "shop.test.", ["local-zone: shop.test transparent"]],
    ["others", "unbound", "18.198.in-addr.arpa.", []],
    ["one itself", "bind", "10.in-addr.arpa.", ['disable-empty-zone "10.in-addr.arpa";']],
    [
      "one below",
      "bind",
      "0.f.8.b.d.0.1.0.0.2.ip6.arpa.",
      ['disable-empty-zone "8.b.d.0.1.0.0.2.ip6.arpa";'],
    ],
    ["others", "bind", "18.198.in-addr.arpa.", []],
    ["one itself", "pdns-recursor", "10.in-addr.arpa.", ["serve-rfc1918=no"]],
    ["one below", "pdns-recursor", "1.10.in-addr.arpa.", []],
  ])("%s in %s", (_, format, name, lines) => {
    const words = /local-zone|disable-empty-zone|serve-rfc/;
    const found = linesOf(format, "10.1.0.53:53", name).filter((line) => words.test(line));
    expect(found).toEqual(expect.arrayContaining([...lines]));
    if (name !== "f.ip6.arpa.") expect(found).toHaveLength(lines.length);
  });
});

it("tells every format of every name, or says why not", () => {
  const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9-]{0,10}[a-z0-9])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join(".")}.`);
  const server: Endpoint = { address: "192.0.2.53", family: 4, port: 53 };
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1 }), (names) => {
      for (const format of Object.keys(resolverFormats) as ResolverFormat[]) {
        const lines = resolverConfig(format, { server, names: names.map(nameOf) });
        const text = typeof lines === "string" ? lines : lines.join("\n");
        for (const each of names) expect(text).toContain(each.slice(0, -1));
      }
    }),
  );
  expect(told("dnsmasq", "10.1.0.53:53", "0/25.2.0.192.in-addr.arpa.")).toMatch(
    /^dnsmasq is not told of 0\/25/,
  );
  expect(told("list", "10.1.0.53:53", "0/25.2.0.192.in-addr.arpa.")).toEqual(["0/25.2.0.192.in-addr.arpa"]);
});

describe("geodns365 resolver-config", () => {
  const folder = join(root, "docs/resolvers");

  it.each([
    ["unbound", "unbound.conf"],
    ["bind", "named.conf"],
  ])(
    "%s prints docs/resolvers/%s; remade by vitest run test/resolver-config.test.ts -u",
    async (format, file) => {
      const { code, stdout } = await call(["resolver-config", format, "--server", "10.1.0.53"]);
      expect(code).toBe(0);
      await expect(stdout).toMatchFileSnapshot(join(folder, file));
    },
  );

  it.each([
    ["the first listener where no server is given", ["json"], 0, '"address": "127.0.0.1",\n    "port": 5300'],
    ["a server with its port", ["coredns", "--server", "[::1]:5300"], 0, "forward . [::1]:5300\n"],
    ["a server on port 53", ["dnsmasq", "--server", "::1"], 0, "server=/office.com/::1\n"],
    ["a format that is none", ["unbind"], 2, "argument 'format'"],
    ["a server that is none", ["list", "--server", "ns.example"], 2, "is not ADDRESS:PORT"],
    ["a port that is none", ["list", "--server", "10.1.0.53:0"], 2, "has port 0"],
    ["Windows at another port", ["windows"], 2, "error: the DNS server of Windows asks port 53 alone"],
    ["a configuration that is none", ["list", "--config", "missing.yaml"], 1, "missing.yaml"],
  ])("%s", async (_, args, code, text) => {
    const outcome = await call(["resolver-config", ...args]);
    expect(outcome.code).toBe(code);
    expect(`${outcome.stdout}${outcome.stderr}`).toContain(text);
  });
});
