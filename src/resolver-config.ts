/**
 * What a resolver is told so that it asks here for all that is served, in the words of its own configuration. All the names
 * are unsigned, and a resolver that validates is told so, since no parent outside can tell it.
 */

import { type DomainName, isAtOrBelow, nameOf } from "./dns/name.ts";
import { type Endpoint, formatEndpoint, isLoopback } from "./ip.ts";

/** Where the names are asked for: one server's address, and the names themselves. */
export interface Pointing {
  readonly server: Endpoint;
  readonly names: readonly DomainName[];
}

/** A format by what it is for, with what it is told in. */
export const resolverFormats = {
  unbound: { comment: "#", write: unbound },
  bind: { comment: "//", write: bind },
  windows: { comment: "#", write: windows },
  dnsmasq: { comment: "#", write: dnsmasq },
  "knot-resolver": { comment: "--", write: knotResolver },
  "pdns-recursor": { comment: "#", write: pdnsRecursor },
  "pdns-recursor-lua": { comment: "--", write: pdnsRecursorLua },
  "pdns-recursor-yaml": { comment: "#", write: pdnsRecursorYaml },
  coredns: { comment: "#", write: coredns },
  list: { comment: undefined, write: ({ names }: Pointing) => names.map(withoutDot) },
  json: { comment: undefined, write: json },
} as const;

export type ResolverFormat = keyof typeof resolverFormats;

/** Those that only forward, and take what they get for the whole answer: one CNAME at a time ends there. */
export const needsWholeAnswers: ReadonlySet<ResolverFormat> = new Set([
  "dnsmasq",
  "knot-resolver",
  "coredns",
]);

/** The lines of a format; or in a sentence why it cannot say this. */
export function resolverConfig(format: ResolverFormat, pointing: Pointing): readonly string[] | string {
  const { comment, write } = resolverFormats[format];
  const { server, names } = pointing;
  if (comment === undefined) return write(pointing);
  const odd = names.find((name) => !/^[a-z0-9._-]+$/.test(name));
  if (odd !== undefined)
    return `${format} is not told of ${odd}: it has characters that mean something else there`;
  if (format === "windows" && server.port !== PORT) {
    return `the DNS server of Windows asks port ${PORT} alone, and not ${server.port}`;
  }
  if (format === "windows" && names.includes(ROOT)) {
    return "the DNS server of Windows has no conditional forwarder for the root";
  }
  return [
    `${comment} Made by: geodns365 resolver-config ${format} --server ${formatEndpoint(server)}`,
    ...write(pointing),
  ];
}

const PORT = 53;
const ROOT = nameOf(".");

/** Names as most resolvers write them; the root stays a dot. */
const withoutDot = (name: DomainName): string => (name === ROOT ? name : name.slice(0, -1));

/**
 * Zones of RFC 6303, and other names of special use, for which resolvers have an empty answer of their own: the ones that
 * lie at, below or above what is served.
 */
const locallyServed: readonly DomainName[] = [
  "0.in-addr.arpa.",
  "10.in-addr.arpa.",
  ...numbers(64, 127).map((second) => `${second}.100.in-addr.arpa.`),
  "127.in-addr.arpa.",
  "254.169.in-addr.arpa.",
  ...numbers(16, 31).map((second) => `${second}.172.in-addr.arpa.`),
  "168.192.in-addr.arpa.",
  "2.0.192.in-addr.arpa.",
  "100.51.198.in-addr.arpa.",
  "113.0.203.in-addr.arpa.",
  "255.255.255.255.in-addr.arpa.",
  `${"0.".repeat(32)}ip6.arpa.`,
  `1.${"0.".repeat(31)}ip6.arpa.`,
  "d.f.ip6.arpa.",
  ...["8", "9", "a", "b"].map((digit) => `${digit}.e.f.ip6.arpa.`),
  "8.b.d.0.1.0.0.2.ip6.arpa.",
  "empty.as112.arpa.",
  "home.arpa.",
  "resolver.arpa.",
  "service.arpa.",
  "localhost.",
  "test.",
  "invalid.",
  "onion.",
].map(nameOf);

function numbers(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const servedAbove = ({ names }: Pointing): readonly DomainName[] =>
  locallyServed.filter((local) => names.some((name) => isAtOrBelow(local, name)));

const servedAround = ({ names }: Pointing): readonly DomainName[] =>
  locallyServed.filter((local) => names.some((name) => isAtOrBelow(local, name) || isAtOrBelow(name, local)));

function unbound(pointing: Pointing): readonly string[] {
  const { server, names } = pointing;
  const address = `${server.address}${server.port === PORT ? "" : `@${server.port}`}`;
  // A zone of its own that lies above stays as it is for all but the names served (unbound.conf(5), nodefault).
  const opened = [
    ...servedAbove(pointing).map((local) => `  local-zone: ${withoutDot(local)} nodefault`),
    ...names
      .filter((name) => locallyServed.some((local) => name !== local && isAtOrBelow(name, local)))
      .map((name) => `  local-zone: ${withoutDot(name)} transparent`),
  ];
  return [
    "# For example as /etc/unbound/unbound.conf.d/geodns365.conf.",
    "",
    "server:",
    ...(isLoopback(server)
      ? ["  # It asks nobody on its own machine unless told to.", "  do-not-query-localhost: no"]
      : []),
    ...(opened.length > 0 ? ["  # It has empty answers of its own for these.", ...opened] : []),
    "  # Unsigned, and no parent outside can say so.",
    ...names.map((name) => `  domain-insecure: ${withoutDot(name)}`),
    "  # May have addresses that private-address keeps from others.",
    ...names.map((name) => `  private-domain: ${withoutDot(name)}`),
    "  # To have geodns365 decide by the client's subnet in place of the resolver's address:",
    '  # module-config: "subnetcache validator iterator"',
    `  # send-client-subnet: ${server.address}`,
    "",
    ...names.flatMap((name) => ["stub-zone:", `  name: ${withoutDot(name)}`, `  stub-addr: ${address}`]),
  ];
}

function bind(pointing: Pointing): readonly string[] {
  const { server, names } = pointing;
  // A static-stub zone follows what is delegated further, but asks port 53 alone.
  const zone =
    server.port === PORT
      ? `type static-stub; server-addresses { ${server.address}; }; forwarders { };`
      : `type forward; forward only; forwarders { ${server.address} port ${server.port}; };`;
  return [
    "// It may have one block of options: beside one of your own, take these statements into it.",
    "",
    "options {",
    "  // Unsigned, and no parent outside can say so.",
    "  validate-except {",
    ...names.map((name) => `    "${withoutDot(name)}";`),
    "  };",
    ...servedAround(pointing).map((local) => `  disable-empty-zone "${withoutDot(local)}";`),
    "};",
    "",
    ...names.map((name) => `zone "${withoutDot(name)}" { ${zone} };`),
  ];
}

function windows({ server, names }: Pointing): readonly string[] {
  const at = `-Name $name -MasterServers '${server.address}'`;
  return [
    "# For PowerShell with the module DnsServer, as an administrator. To be run again when names have come.",
    "",
    "$names = @(",
    ...names.map((name) => `    '${withoutDot(name)}'`),
    ")",
    "$known = @((Get-DnsServerZone).ZoneName)",
    "foreach ($name in $names) {",
    `    if ($known -notcontains $name) { Add-DnsServerConditionalForwarderZone ${at} }`,
    "    # With recursion it would ask the root servers where geodns365 does not answer.",
    `    Set-DnsServerConditionalForwarderZone ${at} -UseRecursion $false`,
    "}",
  ];
}

function dnsmasq({ server, names }: Pointing): readonly string[] {
  const address = `${server.address}${server.port === PORT ? "" : `#${server.port}`}`;
  return [
    "# For example as /etc/dnsmasq.d/geodns365.conf.",
    "",
    ...names.map((name) => `server=/${name === ROOT ? "#" : withoutDot(name)}/${address}`),
    "# May have addresses that stop-dns-rebind keeps from others.",
    ...names.filter((name) => name !== ROOT).map((name) => `rebind-domain-ok=/${withoutDot(name)}/`),
  ];
}

function knotResolver({ server, names }: Pointing): readonly string[] {
  return [
    "-- For /etc/knot-resolver/kresd.conf of version 5. The first rule that fits ends the search: before all others.",
    "",
    "policy.add(policy.suffix(",
    `  policy.STUB('${server.address}@${server.port}'),`,
    "  policy.todnames({",
    ...names.map((name) => `    '${name}',`),
    "  })",
    "))",
  ];
}

function pdnsRecursor(pointing: Pointing): readonly string[] {
  const { server, names } = pointing;
  return [
    "# For recursor.conf before version 5, with the output of pdns-recursor-lua as its lua-config-file. Beside forward-zones of",
    "# your own, put a + before the first = sign.",
    "",
    ...names.map(
      (name, i) => `forward-zones${i === 0 ? "" : "+"}=${withoutDot(name)}=${formatEndpoint(server)}`,
    ),
    ...(servedAbove(pointing).length > 0 ? ["# It has empty answers of its own.", "serve-rfc1918=no"] : []),
  ];
}

/** recursor.conf of before version 5 has no words for what is unsigned. */
function pdnsRecursorLua({ names }: Pointing): readonly string[] {
  return [
    "-- For the lua-config-file of recursor.conf before version 5.",
    "",
    "-- Unsigned, and no parent outside can say so.",
    ...names.map((name) => `addNTA('${withoutDot(name)}', 'served by geodns365')`),
  ];
}

function pdnsRecursorYaml(pointing: Pointing): readonly string[] {
  const { server, names } = pointing;
  return [
    "# For recursor.yml or a file in its recursor.include_dir, from version 5.1 on.",
    "",
    "recursor:",
    ...(servedAbove(pointing).length > 0
      ? [
          "  # It has empty answers of its own; so has 5.2 and later by serve_rfc6303.",
          "  serve_rfc1918: false",
          "  # serve_rfc6303: false",
        ]
      : []),
    "  forward_zones:",
    ...names.flatMap((name) => [
      `    - zone: "${withoutDot(name)}"`,
      `      forwarders: ["${formatEndpoint(server)}"]`,
    ]),
    "dnssec:",
    "  # Unsigned, and no parent outside can say so.",
    "  negative_trustanchors:",
    ...names.flatMap((name) => [`    - name: "${withoutDot(name)}"`, "      reason: served by geodns365"]),
  ];
}

function coredns({ server, names }: Pointing): readonly string[] {
  return [
    "# For a Corefile, or a file that it imports. Without cache, which would give one client subnet the answer of another.",
    "",
    ...names.map((name, i) => `${withoutDot(name)}${i < names.length - 1 ? "," : " {"}`),
    `    forward . ${formatEndpoint(server)}`,
    "}",
  ];
}

function json({ server: { address, port }, names }: Pointing): readonly string[] {
  return JSON.stringify({ server: { address, port }, names: names.map(withoutDot) }, undefined, 2).split(
    "\n",
  );
}
