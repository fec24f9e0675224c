/** `geodns365 records`: what an administrator creates at a domain, as a table, a master file or JSON. */

import { purposes } from "../cloud/custom-domain.ts";
import type { Nameservers } from "../config/configuration.ts";
import { formatConfigError, loadConfig } from "../config/load.ts";
import { formatType } from "../dns/iana.ts";
import { formatRdata } from "../dns/rdata.ts";
import { type DomainRequest, type DomainSet, domainSet } from "../domains/domain-set.ts";
import { formatAddress } from "../ip.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatTable } from "./table.ts";

export const recordFormats = ["table", "master", "json"] as const;

export interface RecordsOptions extends DomainRequest {
  readonly config: string;
  readonly format: (typeof recordFormats)[number];
}

export async function recordsCommand({ config, format, ...request }: RecordsOptions): Promise<number> {
  const loaded = loadConfig(config);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const set = domainSet(loaded.configuration, request);
  if (typeof set === "string") return misuse(set);
  switch (format) {
    case "table":
      for (const line of formatSet(set)) console.log(line);
      break;
    case "master":
      for (const line of formatMaster(set, loaded.configuration.settings.nameservers)) console.log(line);
      break;
    case "json":
      console.log(JSON.stringify(jsonOf(set), null, 2));
      break;
    default:
      format satisfies never;
  }
  return EXIT.good;
}

interface Shown {
  /** relative to the domain */
  readonly name: string;
  readonly ttl: number;
  readonly type: string;
  readonly value: string;
  readonly use: string;
  readonly for: string;
  readonly mark: string | undefined;
}

const shownRecords = ({ domain, records }: DomainSet): readonly Shown[] =>
  records.flatMap(({ use, mark, rrset: { name, type, ttlSeconds, rdatas } }) =>
    rdatas.map((rdata) => ({
      name: name === `${domain}.` ? "@" : name.slice(0, -domain.length - 2),
      ttl: ttlSeconds,
      type: formatType(type),
      value: formatRdata(type, rdata),
      use,
      for: purposes[use],
      mark,
    })),
  );

const headOf = ({ domain, cloud, tenant }: DomainSet): string => `${domain} of tenant ${tenant}, ${cloud}`;

function* formatSet(set: DomainSet): Generator<string> {
  yield headOf(set);
  const rows = shownRecords(set).map(({ name, ttl, type, value, mark, ...shown }) => [
    name,
    ttl,
    type,
    value,
    mark === undefined ? shown.for : `${shown.for} (${mark})`,
  ]);
  yield* formatTable(["name", "TTL", "type", "value", "for"], rows);
  for (const [name, why] of set.rules.harmful) yield `not there: ${name}: ${why}`;
  for (const note of set.notes) yield `note: ${note}`;
}

/** A whole zone, so that a server loads it as it is. */
function* formatMaster(set: DomainSet, nameservers: Nameservers): Generator<string> {
  yield `; ${headOf(set)}`;
  for (const note of set.notes) yield `; ${note}`;
  for (const [name, why] of set.rules.harmful) yield `; not there: ${name}: ${why}`;
  yield `$ORIGIN ${set.domain}.`;
  yield "$TTL 3600";
  yield "; Where the zone is there already, its own SOA and name servers stay in place of these.";
  yield "@ SOA ns1 hostmaster 1 3600 600 604800 60";
  for (const [name, addresses] of Object.entries(nameservers)) {
    yield `@ NS ${name}`;
    for (const octets of addresses)
      yield `${name} ${octets.length === 4 ? "A" : "AAAA"} ${formatAddress(octets)}`;
  }
  for (const shown of shownRecords(set)) {
    yield `; ${shown.for}${shown.mark === undefined ? "" : ` (${shown.mark})`}`;
    yield `${shown.name} ${shown.ttl} ${shown.type} ${shown.value}`;
  }
}

const jsonOf = (set: DomainSet) => ({
  domain: set.domain,
  cloud: set.cloud,
  tenant: set.tenant,
  records: shownRecords(set),
  harmful: Object.fromEntries(set.rules.harmful),
  notes: set.notes,
});
