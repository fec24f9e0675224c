/** Resolvers that are told of a lab by what `geodns365 resolver-config` prints, beside what a test needs. */

import { join } from "node:path";
import type { Configuration } from "../../../src/config/configuration.ts";
import { pointedNames } from "../../../src/pointing.ts";
import { type ResolverFormat, resolverConfig } from "../../../src/resolver-config.ts";
import type { Daemon } from "./daemon.ts";

export interface Lab {
  /** what `geodns365 resolver-config` prints */
  readonly told: (format: ResolverFormat) => string;
  /**
   * Where all else goes. `nowhere`: to a server on 127.0.0.1 that refuses it, or to none, and nobody validates. `root`: to
   * the root servers of the Internet, from which all but dnsmasq find their own way; all validate but Knot Resolver, whose
   * rule STUB never does.
   */
  readonly else: { readonly kind: "nowhere"; readonly port: number } | { readonly kind: "root" };
}

/** The lab behind a port of 127.0.0.1, which refuses what is not in it. */
export function labAt(port: number, configuration: Configuration): Lab {
  const server = { address: "127.0.0.1", family: 4, port } as const;
  const told = (format: ResolverFormat): string => {
    const lines = resolverConfig(format, { server, names: pointedNames(configuration) });
    if (typeof lines === "string") throw new Error(lines);
    return lines.join("\n");
  };
  return { told, else: { kind: "nowhere", port } };
}

const FIRST_QUESTION = "office.com.";

/** Where what is cached is to stay for as long as a test takes, whatever the TTL. */
const LONG_TTL_SECONDS = 3600;

/** The root's key-signing key of 2017 as its DS RDATA, which a resolver holds where it never reads a new one. */
const ROOT_DS = "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
const F_ROOT = "192.5.5.241";

export const powerdns = ({ told, else: other }: Lab): Daemon => ({
  program: "/usr/sbin/pdns_recursor",
  package: "pdns-recursor",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => [`--config-dir=${folder}`],
  files: ({ folder, port }) => ({
    "recursor.lua": told("pdns-recursor-lua"),
    "recursor.conf": `${told("pdns-recursor")}
${other.kind === "root" ? "dnssec=validate" : `dnssec=off\nforward-zones+=.=127.0.0.1:${other.port}`}
lua-config-file=${folder}/recursor.lua
local-address=127.0.0.1
local-port=${port}
daemon=no
write-pid=no
socket-dir=${folder}
threads=1
disable-syslog=yes
security-poll-suffix=
root-nx-trust=no
edns-subnet-allow-list=127.0.0.1/32
use-incoming-edns-subnet=yes
`,
  }),
});

export const unbound = ({ told, else: other }: Lab): Daemon => ({
  program: "/usr/sbin/unbound",
  package: "unbound",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => ["-d", "-p", "-c", join(folder, "unbound.conf")],
  files: ({ folder, port }) => ({
    "unbound.conf": `
server:
  interface: 127.0.0.1
  port: ${port}
  access-control: 127.0.0.0/8 allow
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
${
  other.kind === "root"
    ? `  module-config: "validator iterator"
  trust-anchor: ". DS ${ROOT_DS}"
  private-address: 198.18.0.0/15
  private-address: 2001:db8::/32`
    : `  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
  cache-min-ttl: ${LONG_TTL_SECONDS}
  cache-max-ttl: ${LONG_TTL_SECONDS}`
}
${told("unbound")}
`,
  }),
});

export const knotResolver = ({ told, else: other }: Lab): Daemon => ({
  program: "/usr/sbin/kresd",
  package: "knot-resolver",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => ["-n", "-c", join(folder, "kresd.conf"), folder],
  files: ({ folder, port }) => ({
    "kresd.conf": `
net.listen('127.0.0.1', ${port}, { kind = 'dns' })
cache.open(10 * MB, 'lmdb://${folder}/cache')
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
${told("knot-resolver")}
${other.kind === "root" ? "" : "policy.add(policy.all(policy.REFUSE))"}
`,
  }),
});

export const bind = ({ told, else: other }: Lab): Daemon => ({
  program: "/usr/sbin/named",
  package: "bind9",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => ["-g", "-n", "1", "-c", join(folder, "named.conf")],
  files: ({ folder, port }) => ({
    "named.conf": `
${told("bind").replace(
  "options {",
  `$&
  directory "${folder}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; allow-query { any; };
  ${
    other.kind === "root"
      ? "dnssec-validation yes;"
      : `dnssec-validation no; empty-zones-enable no; forward only; forwarders { 127.0.0.1 port ${other.port}; };`
  }`,
)}
controls { };
${other.kind === "root" ? `trust-anchors { . static-ds ${ROOT_DS.replace(/\S+$/, '"$&"')}; };` : ""}
`,
  }),
});

export const dnsmasq = ({ told, else: other }: Lab): Daemon => ({
  program: "/usr/sbin/dnsmasq",
  package: "dnsmasq-base",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => [
    // Without a change of its user, which a user namespace may not allow.
    "--no-daemon",
    `--conf-file=${join(folder, "dnsmasq.conf")}`,
  ],
  files: ({ port }) => ({
    "dnsmasq.conf": `
port=${port}
listen-address=127.0.0.1
bind-interfaces
pid-file=
no-resolv
no-hosts
${
  other.kind === "root"
    ? `server=${F_ROOT}
bogus-priv
stop-dns-rebind
dnssec
trust-anchor=.,${ROOT_DS.replaceAll(" ", ",")}`
    : ""
}
${told("dnsmasq")}
`,
  }),
});
