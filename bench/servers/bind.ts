/** BIND, one thread, without views or its geoip access lists: plain records. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TenantLab } from "../tenant-lab.ts";
import { type PlainZone, writePlainZone } from "./plain-zone.ts";
import { findProgram, type Server } from "./server.ts";

export const bind: Server = serving("BIND, plain", writePlainZone);

/** The tenants as plain CNAMEs. */
export const bindWithTenants = (lab: TenantLab): Server => serving("BIND", () => lab);

function serving(name: string, zoneIn: (folder: string) => PlainZone): Server {
  return {
    name,
    answers: "alike",
    find: () => findProgram("named", "-v", /BIND (\S+)/),
    configure: (folder, port) => {
      writeFileSync(join(folder, "named.conf"), configuration(folder, port, zoneIn(folder)));
      return { program: "named", args: ["-f", "-n", "1", "-c", join(folder, "named.conf")] };
    },
  };
}

const configuration = (folder: string, port: number, { apex, zoneFile }: PlainZone): string => `
options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile "${folder}/session.key";
  recursion no;
  notify no;
  minimal-responses yes;
};
controls { };
zone "${apex}" { type primary; file "${zoneFile}"; };
`;
