/**
 * Knot DNS with mod-geoip. The module acts on QNAME alone, follows a CNAME inside one zone, and finds targets in lower case
 * only; so the name asked for is the tailored one, in a zone that holds its targets.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressesOf, datacenters, frontEndName, networks, QNAME } from "../lab.ts";
import type { TenantLab } from "../tenant-lab.ts";
import { findProgram, type Server } from "./server.ts";

const find = (): ReturnType<Server["find"]> => findProgram("knotd", "--version", /version (\S+)/);

export const knot: Server = {
  name: "Knot, mod-geoip",
  answers: "by-place",
  find,
  configure: (folder, port) => {
    const zoneFile = join(folder, "com.zone");
    writeFileSync(
      join(folder, "knot.conf"),
      `${configuration(folder, port)}${module(folder)}${zone("com", zoneFile)}    module: mod-geoip/lab\n`,
    );
    writeFileSync(join(folder, "geoip.yaml"), geoip());
    writeFileSync(zoneFile, masterFile());
    return { program: "knotd", args: ["--config", join(folder, "knot.conf")] };
  },
};

/** The tenants as plain CNAMEs. */
export const knotWithTenants = ({ apex, zoneFile }: TenantLab): Server => ({
  name: "Knot",
  answers: "alike",
  find,
  configure: (folder, port) => {
    writeFileSync(join(folder, "knot.conf"), `${configuration(folder, port)}${zone(apex, zoneFile)}`);
    return { program: "knotd", args: ["--config", join(folder, "knot.conf")] };
  },
});

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
template:
  - id: default
    storage: ${folder}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
`;

const module = (folder: string): string => `
mod-geoip:
  - id: lab
    config-file: ${folder}/geoip.yaml
    mode: subnet
    ttl: 60
`;

const zone = (apex: string, file: string): string => `
zone:
  - domain: ${apex}
    file: ${file}
`;

function geoip(): string {
  const lines = networks.map(
    ({ prefix, datacenter }) => `  - net: ${prefix}\n    CNAME: ${frontEndName(datacenter).toLowerCase()}.\n`,
  );
  return `${QNAME}:\n${lines.join("")}`;
}

function masterFile(): string {
  const addresses = datacenters.flatMap((datacenter) =>
    addressesOf(datacenter).map((address) => `${frontEndName(datacenter).toLowerCase()}. 10 A ${address}\n`),
  );
  return `$ORIGIN com.
@ 3600 SOA ns1 hostmaster 1 3600 600 604800 60
@ 3600 NS ns1
ns1 3600 A 198.18.0.53
${addresses.join("")}`;
}
