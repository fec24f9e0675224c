/** Other authoritative servers on the static zones of the conformance tests, each on a free port of loopback. */

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { framed } from "../../src/transport/framing.ts";
import { exchangeTcp } from "../conformance/exchange.ts";
import { ask } from "../conformance/query.ts";
import { readResponse } from "../conformance/response.ts";
import {
  COOKIE_SECRET,
  type Feature,
  IDENTITY,
  masterFile,
  type StaticZone,
  staticZones,
  VERSION,
} from "../conformance/zone.ts";
import { freePort, type Started, stop } from "./programs.ts";

export interface Peer {
  readonly name: string;
  readonly program: string;
  /** the Debian package it comes with */
  readonly package: string;
  /** what it has not got, and how that shows */
  readonly lacks: Readonly<Partial<Record<Feature, string>>>;
  /** between two rows, for one that leaves errors unanswered where there are too many in a second */
  readonly pauseMilliseconds?: number;
  readonly args: (folder: string) => readonly string[];
  /** configuration files by their paths in the folder; the zones' master files are written for it */
  readonly files: (
    at: { readonly port: number; readonly folder: string },
    zones: readonly ZoneFile[],
  ) => Readonly<Record<string, string>>;
}

interface ZoneFile extends StaticZone {
  /** without the final dot */
  readonly name: string;
  readonly path: string;
}

export const bind: Peer = {
  name: "BIND",
  program: "/usr/sbin/named",
  package: "bind9",
  lacks: {
    "extended-errors": "it has them in answers of a resolver alone",
  },
  args: (folder) => ["-g", "-n", "1", "-c", join(folder, "named.conf")],
  files: ({ port, folder }, zones) => ({
    "named.conf": `
options {
  directory "${folder}"; pid-file none; session-keyfile none; lock-file none;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; notify no; allow-transfer { none; }; dnssec-validation no; empty-zones-enable no;
  minimal-responses yes; minimal-any yes; max-udp-size 1232; edns-udp-size 1232;
  version "${VERSION}"; hostname "${IDENTITY}"; server-id "${IDENTITY}";
  cookie-algorithm siphash24; cookie-secret "${COOKIE_SECRET}"; require-server-cookie yes;
};
controls { };
${zones.map(({ name, path }) => `zone "${name}" { type primary; file "${path}"; check-integrity no; };`).join("\n")}
`,
  }),
};

export const nsd: Peer = {
  name: "NSD",
  program: "/usr/sbin/nsd",
  package: "nsd",
  lacks: {
    "client-subnet": "it passes the option over, as RFC 7871 §7 allows",
    keepalive: "it passes the option over; RFC 7828 §3.3.2 has the server MAY send it",
  },
  // It answers with 100 errors a second and no more (its ERROR_RATELIMIT is no setting); a row has two at the most.
  pauseMilliseconds: 25,
  args: (folder) => ["-d", "-c", join(folder, "nsd.conf")],
  files: ({ port, folder }, zones) => ({
    "nsd.conf": `
server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  rrl-ratelimit: 0
  minimal-responses: yes
  refuse-any: yes
  ipv4-edns-size: 1232
  hide-version: no
  version: "${VERSION}"
  identity: "${IDENTITY}"
  nsid: "ascii_${IDENTITY}"
  answer-cookie: yes
  cookie-secret: ${COOKIE_SECRET}
remote-control:
  control-enable: no
${zones.map(({ name, path }) => `zone:\n  name: "${name}"\n  zonefile: "${path}"`).join("\n")}
`,
  }),
};

export const knot: Peer = {
  name: "Knot",
  program: "/usr/sbin/knotd",
  package: "knot",
  lacks: { keepalive: "it passes the option over; RFC 7828 §3.3.2 has the server MAY send it" },
  args: (folder) => ["-c", join(folder, "knot.conf")],
  files: ({ port, folder }, zones) => ({
    "knot.conf": `
server:
  rundir: "${folder}"
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 1232
  version: "${VERSION}"
  identity: "${IDENTITY}"
  nsid: "${IDENTITY}"
  edns-client-subnet: on
database:
  storage: "${folder}"
log:
  - target: stderr
    any: info
mod-cookies:
  - id: default
    secret: 0x${COOKIE_SECRET}
    badcookie-slip: 1
template:
  - id: default
    storage: "${folder}"
    semantic-checks: off
    journal-content: none
    global-module: mod-cookies/default
zone:
${zones.map(({ name, path }) => `  - domain: "${name}"\n    file: "${path}"`).join("\n")}
`,
  }),
};

export const gdnsd: Peer = {
  name: "gdnsd",
  program: "/usr/sbin/gdnsd",
  package: "gdnsd",
  lacks: {
    "cname-loops": "it does not load a zone with one",
    dname: "it does not know DNAME",
    ds: "it does not know DS",
    "extended-errors": "it has none",
    "empty-rdata": "it does not load a record without octets of RDATA",
    "interoperable-cookies": "it makes server cookies in a form of its own, as RFC 7873 §6 allows",
    "large-messages": "no response is over 16 kB",
    "nested-zones": "it does not load a zone inside another",
  },
  args: (folder) => ["-c", folder, "start"],
  files: ({ port, folder }) => ({
    config: `
options => {
  listen => [ "127.0.0.1:${port}" ]
  udp_threads => 1, tcp_threads => 1
  run_dir => "${folder}/run", state_dir => "${folder}/state"
  experimental_no_chain => false
  max_edns_response => 1232
  chaos_response => "${IDENTITY}"
  nsid_ascii => "${IDENTITY}"
}
`,
  }),
};

/** Starts a peer and waits until it answers for its zones. */
export async function startPeer(peer: Peer): Promise<Started> {
  if (!existsSync(peer.program)) {
    throw new Error(`${peer.program} is not installed; it comes with the Debian package ${peer.package}`);
  }
  const folder = mkdtempSync(join(tmpdir(), `geodns365-${peer.name}-`));
  // Some give up the rights of root before they read their files.
  chmodSync(folder, 0o777);
  const port = await freePort();
  const zones = staticZones((feature) => !(feature in peer.lacks)).map((zone): ZoneFile => {
    const name = zone.apex.slice(0, -1);
    // gdnsd finds a zone by the name of its file.
    return { ...zone, name, path: join(folder, "zones", name) };
  });
  const configuration = peer.files({ port, folder }, zones);
  const files = {
    ...configuration,
    ...Object.fromEntries(zones.map((zone) => [`zones/${zone.name}`, masterFile(zone)])),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const child = spawn(peer.program, peer.args(folder), { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(String(chunk)));
  try {
    for (const { apex } of zones) await serves(apex, port, child);
  } catch (error) {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${peer.name} does not serve:\n${said.join("").slice(-3000)}`, { cause: error });
  }
  return {
    port,
    stop: async () => {
      await stop(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const PATIENCE_MILLISECONDS = 20_000;
const PAUSE_MILLISECONDS = 50;

/** Asks until a zone is answered for. */
async function serves(apex: string, port: number, child: ChildProcess): Promise<void> {
  const query = Buffer.concat([framed(ask(apex, "SOA").octets)]);
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (child.exitCode === null && Date.now() < deadline) {
    const { replies } = await exchangeTcp(port, [query]);
    const response = replies[0] && readResponse(replies[0]);
    if (typeof response === "object" && response.answer.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
  throw new Error(
    child.exitCode === null ? `it does not answer for ${apex}` : `it ended with ${child.exitCode}`,
  );
}
