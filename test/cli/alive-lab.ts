/** A server in a process of its own with its admin API, what it is asked over UDP, and how it is told things. */

import { randomInt } from "node:crypto";
import { connectAdmin } from "../../src/cli/admin-client.ts";
import { decodeMessage } from "../../src/dns/decode.ts";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { formatRecord } from "../../src/dns/message.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import type { IpPrefix } from "../../src/ip.ts";
import { exchange } from "../../src/transport/client.ts";
import { prefix } from "../geo/prefixes.ts";
import { type Outcome, type Running, run, startServe } from "./program.ts";

/** London and Dublin; `lhr` is more of London's line, `health` and `tenants` are lines of their own. */
export const lab = ({ server = "", lhr = "", health = "", ttl = 60, tenants = "" } = {}): string => `
geoip: { database: none }
${server}
defaultLocation: { city: London, country: GB, coordinates: [51.5, -0.1] }
---
cloud: Lab
zones: [shop.example]
${health}
datacenters:
  lhr: { city: London, country: GB, coordinates: [51.5, -0.1], geo: EUR, addresses: [198.18.1.0/24], roles: [front-end, tenants]${lhr} }
  dub: { city: Dublin, country: IE, coordinates: [53.3, -6.3], geo: EUR, addresses: [198.18.2.0/24], roles: [front-end, tenants] }
services:
  web: { policy: nearest-datacenter, names: [www.shop.example], ttl: ${ttl}, addresses: { slice: 0, count: 1 } }
  data: { policy: active-datacenter, names: ["{tenant}.shop.example"], ttl: 60, addresses: { slice: 1, count: 1 } }
---
tenants:
  contoso: { cloud: Lab, geo: EUR, active: lhr, standby: dub }
${tenants}`;

export interface Lab extends Running {
  readonly adminUrl: string;
  readonly client: ReturnType<typeof connectAdmin>;
  /** Runs a command against it, as a process. */
  tell(...words: readonly string[]): Promise<Outcome>;
  /** The answer section over UDP, a line a record; rejects where none comes. */
  answer(name: string, from?: IpPrefix): Promise<readonly string[]>;
}

export async function startLab(...args: readonly string[]): Promise<Lab> {
  const serving = await startServe(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", ...args]);
  const found = /the admin API is on (http:\/\/127\.0\.0\.1:\d+)/;
  await serving.logged("the admin API is on http://");
  const adminUrl = found.exec(serving.log())?.[1] ?? "";
  const port = Number(serving.address.split(":")[1]);
  return {
    ...serving,
    adminUrl,
    client: connectAdmin({ admin: adminUrl, json: false }),
    tell: (...words) => run([...words, "--admin", adminUrl]),
    answer: async (name, from) => {
      const reply = await exchange({ address: "127.0.0.1", family: 4, port }, question(name, from), {
        transport: "udp",
        timeoutMilliseconds: 10_000,
      });
      const message = decodeMessage(reply);
      if (typeof message === "string") throw new Error(message);
      return message.answer.map(formatRecord);
    },
  };
}

export const question = (name: string, subnet?: IpPrefix, id = randomInt(0x10000)): Uint8Array =>
  renderQuery(
    { qname: nameOctets(nameOf(name)), qtype: TYPE.A, qclass: CLASS.IN },
    {
      id,
      recursionDesired: false,
      edns: { udpPayloadSize: 1232, dnssecOk: false, subnet },
    },
  );

export const london = prefix("10.1.0.0/24");
