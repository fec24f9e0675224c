/** NSD, which knows no places: plain records. Its limit of 200 answers a second to one source is off. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TenantLab } from "../tenant-lab.ts";
import { type PlainZone, writePlainZone } from "./plain-zone.ts";
import { findProgram, type Server } from "./server.ts";

export const nsd: Server = serving("NSD, plain", writePlainZone);

/** The tenants as plain CNAMEs. */
export const nsdWithTenants = (lab: TenantLab): Server => serving("NSD", () => lab);

function serving(name: string, zoneIn: (folder: string) => PlainZone): Server {
  return {
    name,
    answers: "alike",
    find: () => findProgram("nsd", "-v", /version (\S+)/),
    configure: (folder, port) => {
      writeFileSync(join(folder, "nsd.conf"), configuration(folder, port, zoneIn(folder)));
      return { program: "nsd", args: ["-d", "-c", join(folder, "nsd.conf")] };
    },
  };
}

const configuration = (folder: string, port: number, { apex, zoneFile }: PlainZone): string => `
server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "${folder}"
  pidfile: ""
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: ${apex}
  zonefile: ${zoneFile}
`;
