/**
 * PowerDNS with its geoip backend, one thread each for receiving and for the backend, caches as they come. A service is
 * followed inside the backend, so the tailored name itself holds the addresses.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressesOf, datacenters, frontEndName, networks, QNAME, TAILORED_NAME } from "../lab.ts";
import { findProgram, type Server } from "./server.ts";

export const powerdns: Server = {
  name: "PowerDNS, geoip",
  answers: "by-place",
  find: () => findProgram("pdns_server", "--version", /Server (\d\S+)/),
  configure: (folder, port) => {
    writeFileSync(join(folder, "pdns.conf"), configuration(folder, port));
    writeFileSync(join(folder, "zones.yaml"), zones());
    return { program: "pdns_server", args: [`--config-dir=${folder}`] };
  },
};

const configuration = (folder: string, port: number): string => `
local-address=127.0.0.1
local-port=${port}
socket-dir=${folder}
launch=geoip
geoip-zones-file=${folder}/zones.yaml
geoip-database-files=
edns-subnet-processing=yes
receiver-threads=1
distributor-threads=1
security-poll-suffix=
`;

function zones(): string {
  const frontEnds = datacenters.map((datacenter) => {
    const addresses = addressesOf(datacenter).map((address) => `        - a: ${address}\n`);
    return `      ${frontEndName(datacenter)}:\n${addresses.join("")}`;
  });
  const services = networks.map(
    ({ prefix, datacenter }) => `        ${prefix}: ${frontEndName(datacenter)}\n`,
  );
  return `domains:
  - domain: office.com
    ttl: 60
    records:
      office.com:
        - soa: ns1.office.com hostmaster.office.com 1 3600 600 604800 60
        - ns: ns1.office.com
${frontEnds.join("")}    services:
      ${TAILORED_NAME}:
${services.join("")}  - domain: office365.com
    ttl: 300
    records:
      office365.com:
        - soa: ns1.office365.com hostmaster.office365.com 1 3600 600 604800 60
        - ns: ns1.office365.com
      ${QNAME}:
        - cname: ${TAILORED_NAME}
`;
}
