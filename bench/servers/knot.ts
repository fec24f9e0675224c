/**
 * Knot DNS with mod-geoip. The module acts on QNAME alone, follows a CNAME inside one zone, and finds targets in lower case
 * only; so the name asked for is the tailored one, in a zone that holds its targets.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressesOf, datacenters, frontEndName, networks, QNAME } from "../lab.ts";
import { printedBy } from "../process.ts";
import type { Server } from "./server.ts";

export const knot: Server = {
  name: "Knot, mod-geoip",
  version: async () => /version (\S+)/.exec((await printedBy("knotd", "--version")) ?? "")?.[1],
  configure: (folder, port) => {
    writeFileSync(join(folder, "knot.conf"), configuration(folder, port));
    writeFileSync(join(folder, "geoip.yaml"), geoip());
    writeFileSync(join(folder, "com.zone"), zone());
    return { program: "knotd", args: ["--config", join(folder, "knot.conf")] };
  },
};

const configuration = (folder: string, port: number): string => `
server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  edns-client-subnet: on
log:
  - target: stderr
    any: warning
database:
  storage: ${folder}
mod-geoip:
  - id: lab
    config-file: ${folder}/geoip.yaml
    mode: subnet
    ttl: 60
template:
  - id: default
    storage: ${folder}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
  - domain: com
    file: com.zone
    module: mod-geoip/lab
`;

function geoip(): string {
  const lines = networks.map(
    ({ prefix, datacenter }) => `  - net: ${prefix}\n    CNAME: ${frontEndName(datacenter).toLowerCase()}.\n`,
  );
  return `${QNAME}:\n${lines.join("")}`;
}

function zone(): string {
  const addresses = datacenters.flatMap((datacenter) =>
    addressesOf(datacenter).map((address) => `${frontEndName(datacenter).toLowerCase()}. 10 A ${address}\n`),
  );
  return `$ORIGIN com.
@ 3600 SOA ns1 hostmaster 1 3600 600 604800 60
@ 3600 NS ns1
ns1 3600 A 198.18.0.53
${addresses.join("")}`;
}
