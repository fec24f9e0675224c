/**
 * Resolvers that know the zones of a lab and nothing else: what is not in one of them goes to the same server, which
 * refuses it, or nowhere. None validates.
 */

import { join } from "node:path";
import type { Daemon } from "./daemon.ts";

/** A lab's server, and the zones that resolvers are to ask it for, with their final dots. */
export interface Lab {
  readonly port: number;
  readonly zones: readonly string[];
}

const FIRST_QUESTION = "office.com.";

/** Where what is cached is to stay for as long as a test takes, whatever the TTL. */
const LONG_TTL_SECONDS = 3600;

export const powerdns = ({ port: labPort, zones }: Lab): Daemon => ({
  program: "/usr/sbin/pdns_recursor",
  package: "pdns-recursor",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => [`--config-dir=${folder}`],
  files: ({ folder, port }) => ({
    "recursor.conf": `
local-address=127.0.0.1
local-port=${port}
daemon=no
write-pid=no
socket-dir=${folder}
threads=1
disable-syslog=yes
dont-query=
forward-zones=${[...zones, "."].map((zone) => `${zone}=127.0.0.1:${labPort}`).join(", ")}
security-poll-suffix=
root-nx-trust=no
dnssec=off
edns-subnet-allow-list=127.0.0.1/32
use-incoming-edns-subnet=yes
`,
  }),
});

export const unbound = ({ port: labPort, zones }: Lab): Daemon => ({
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
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
  do-not-query-localhost: no
  cache-min-ttl: ${LONG_TTL_SECONDS}
  cache-max-ttl: ${LONG_TTL_SECONDS}
${zones.map((zone) => `stub-zone:\n  name: "${zone}"\n  stub-addr: 127.0.0.1@${labPort}`).join("\n")}
`,
  }),
});

export const knotResolver = ({ port: labPort, zones }: Lab): Daemon => ({
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
local lab = policy.todnames({ ${zones.map((zone) => `'${zone}'`).join(", ")} })
policy.add(policy.suffix(policy.STUB('127.0.0.1@${labPort}'), lab))
policy.add(policy.all(policy.REFUSE))
`,
  }),
});

export const bind = ({ port: labPort, zones }: Lab): Daemon => ({
  program: "/usr/sbin/named",
  package: "bind9",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => ["-g", "-n", "1", "-c", join(folder, "named.conf")],
  files: ({ folder, port }) => ({
    "named.conf": `
options {
  directory "${folder}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; allow-query { any; }; dnssec-validation no; empty-zones-enable no;
  forward only; forwarders { 127.0.0.1 port ${labPort}; };
};
controls { };
${zones.map((zone) => `zone "${zone}" { type forward; forward only; forwarders { 127.0.0.1 port ${labPort}; }; };`).join("\n")}
`,
  }),
});

export const dnsmasq = ({ port: labPort, zones }: Lab): Daemon => ({
  program: "/usr/sbin/dnsmasq",
  package: "dnsmasq-base",
  firstQuestion: FIRST_QUESTION,
  args: ({ folder }) => [
    "--keep-in-foreground",
    "--log-facility=-",
    `--conf-file=${join(folder, "dnsmasq.conf")}`,
  ],
  files: ({ port }) => ({
    "dnsmasq.conf": `
port=${port}
listen-address=127.0.0.1
bind-interfaces
user=root
pid-file=
no-resolv
no-hosts
${zones.map((zone) => `server=/${zone.slice(0, -1)}/127.0.0.1#${labPort}`).join("\n")}
`,
  }),
});
