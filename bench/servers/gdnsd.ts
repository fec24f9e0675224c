/**
 * gdnsd with its geoip plugin. It never follows a CNAME, and one answer holds either a CNAME (DYNC, which must lead out of the
 * zone) or addresses (DYNA); both are measured.
 */

import { linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressesOf, datacenters, frontEndName, networks } from "../lab.ts";
import type { TenantLab } from "../tenant-lab.ts";
import { findProgram, type Server } from "./server.ts";

const find = (): ReturnType<Server["find"]> => findProgram("gdnsd", "-h", /gdnsd version (\S+)/);

const answering = (name: string, record: "DYNA" | "DYNC"): Server => ({
  name,
  answers: "by-place",
  find,
  configure: (folder, port) => {
    mkdirSync(join(folder, "zones"));
    writeFileSync(join(folder, "config"), `${options(folder, port)}${geoip(record)}`);
    writeFileSync(join(folder, "zones/office365.com"), zone(record));
    return { program: "gdnsd", args: ["-c", folder, "start"] };
  },
});

export const gdnsdCname = answering("gdnsd, CNAME", "DYNC");
export const gdnsdAddresses = answering("gdnsd, addresses", "DYNA");

/** The tenants as plain CNAMEs. */
export const gdnsdWithTenants = ({ apex, zoneFile }: TenantLab): Server => ({
  name: "gdnsd",
  answers: "alike",
  find,
  configure: (folder, port) => {
    mkdirSync(join(folder, "zones"));
    writeFileSync(join(folder, "config"), options(folder, port));
    // It takes a zone's name from that of the file.
    linkSync(zoneFile, join(folder, "zones", apex));
    return { program: "gdnsd", args: ["-c", folder, "start"] };
  },
});

const options = (folder: string, port: number): string => `
options => {
  listen => 127.0.0.1:${port}, udp_threads => 1, tcp_threads => 1,
  run_dir => ${folder}, state_dir => ${folder}
}
`;

function geoip(record: "DYNA" | "DYNC"): string {
  const nets = networks.map(({ prefix, datacenter }) => `${prefix} => [${datacenter}]`);
  const targets = datacenters.map((datacenter) =>
    record === "DYNC"
      ? `${datacenter} => ${frontEndName(datacenter)}.`
      : `${datacenter} => [${addressesOf(datacenter).join(", ")}]`,
  );
  return `
plugins => { geoip => {
  maps => { lab => { datacenters => [${datacenters.join(", ")}], nets => { ${nets.join(", ")} } } },
  resources => { outlook => { map => lab, service_types => up, dcmap => { ${targets.join(", ")} } } }
} }
`;
}

const zone = (record: "DYNA" | "DYNC"): string => `
@ 60 SOA ns1 hostmaster 1 3600 600 604800 60
@ 3600 NS ns1
ns1 3600 A 198.18.0.53
outlook 60 ${record} geoip!outlook
`;
