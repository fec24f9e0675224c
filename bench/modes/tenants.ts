/** Many tenants, asked for at random: geodns365 with all their names, peers with one plain CNAME for each. */

import { join } from "node:path";
import { decode } from "dns-packet";
import type { Flags } from "../flags.ts";
import { ask, formatRecordCounts, query, rcodeOf } from "../lab.ts";
import { writeMessages } from "../load.ts";
import { type Plan, WARM_UP_QUERIES } from "../plan.ts";
import { bindWithTenants } from "../servers/bind.ts";
import { gdnsdWithTenants } from "../servers/gdnsd.ts";
import { geodns365WithTenants } from "../servers/geodns365.ts";
import { knotWithTenants } from "../servers/knot.ts";
import { nsdWithTenants } from "../servers/nsd.ts";
import { tenantOwner, tenantQueries, writeTenantLab } from "../tenant-lab.ts";

/** For the program, and for each million of names. */
const START_LIMIT_MILLISECONDS = { program: 30_000, million: 30_000 };

/** What is drawn to warm up is not what is drawn to measure. */
const SEEDS = { measured: 1, warmUp: 2 };

export function tenantsPlan(folder: string, count: number, { queries, inFlight }: Flags): Plan {
  const lab = writeTenantLab(folder, count);
  const drawn = (name: string, number: number, seed: number) =>
    writeMessages(join(folder, `${name}.messages`), tenantQueries(count, number, seed));
  const file = drawn("measured", queries, SEEDS.measured);
  const warmUpFile = drawn("warm-up", WARM_UP_QUERIES.first, SEEDS.warmUp);
  return {
    servers: [
      ...geodns365WithTenants(lab),
      ...[gdnsdWithTenants, knotWithTenants, nsdWithTenants, bindWithTenants].map((serverFor) =>
        serverFor(lab),
      ),
    ],
    tables: inFlight.map((each) => ({
      title: `TENANT.sharepoint.com A with a client subnet, ${count} tenants, ${each} under way`,
      shape: { transport: "udp", connections: 1, inFlight: each },
      ...{ file, warmUpFile, queries, probesLatency: true },
    })),
    firstMessage: query(tenantOwner(count - 1)),
    startLimitMilliseconds:
      START_LIMIT_MILLISECONDS.program + (START_LIMIT_MILLISECONDS.million * count) / 1e6,
    check: (_server, port) => checkTenants(port, count),
  };
}

/** The first, the last and some between have a CNAME; who is not a tenant does not exist. */
async function checkTenants(port: number, count: number): Promise<string> {
  const forms = new Set<string>();
  for (let step = 0; step <= 10; step++) {
    const owner = tenantOwner(Math.floor(((count - 1) * step) / 10));
    const octets = await ask(port, query(owner));
    const response = decode(Buffer.from(octets));
    const [first] = response.answers ?? [];
    if (first?.type !== "CNAME" || first.name.toLowerCase() !== owner) {
      throw new Error(`${owner} A: RCODE ${rcodeOf(octets)}, and its CNAME is not the first record`);
    }
    forms.add(formatRecordCounts(response));
  }
  const rcode = rcodeOf(await ask(port, query(`no-tenant.${tenantOwner(0).split(".").slice(1).join(".")}`)));
  if (rcode !== 3) throw new Error(`the name of no tenant: RCODE ${rcode}, expected 3 (NXDOMAIN)`);
  return [...forms].join(" or ");
}
