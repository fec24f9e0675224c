/** `geodns365 verify`: a domain as a server has it, held against what an administrator is told to create. */

import { readFileSync } from "node:fs";
import { formatConfigError, loadConfig } from "../config/load.ts";
import { TYPE } from "../dns/iana.ts";
import { nameOf } from "../dns/name.ts";
import { type DomainRequest, domainSet } from "../domains/domain-set.ts";
import { asking } from "../domains/lookup.ts";
import { type Finding, isFault, type Status, verifyDomain } from "../domains/verify.ts";
import { type Endpoint, formatEndpoint, parseAddress, parseEndpoint } from "../ip.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatTable } from "./table.ts";

export interface VerifyOptions extends DomainRequest {
  readonly config: string;
  /** the system's resolver where absent */
  readonly server?: Endpoint;
  readonly json: boolean;
}

const TIMEOUT_MILLISECONDS = 3000;
const RESOLV_CONF = "/etc/resolv.conf";

export async function verifyCommand({ config, json, ...request }: VerifyOptions): Promise<number> {
  const loaded = loadConfig(config);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const set = domainSet(loaded.configuration, request);
  if (typeof set === "string") return misuse(set);
  const server = request.server ?? systemResolver();
  if (typeof server === "string") return misuse(server);
  const ask = asking(server, TIMEOUT_MILLISECONDS);
  const first = await ask(nameOf(set.domain), TYPE.SOA);
  if (typeof first === "string") {
    console.error(`no response from ${formatEndpoint(server)}: ${first}`);
    return EXIT.foundWrong;
  }
  const findings = await verifyDomain(set, ask);
  const { domain, cloud, tenant } = set;
  const summary = summaryOf(findings);
  if (json) {
    console.log(
      JSON.stringify({ domain, cloud, tenant, server: formatEndpoint(server), summary, findings }, null, 2),
    );
  } else {
    console.log(`${domain} of tenant ${tenant}, ${cloud}, as ${formatEndpoint(server)} has it`);
    for (const line of formatTable(["", "name", "type", "value", "remark"], findings.flatMap(rowsOf)))
      console.log(line);
    const words = Object.entries(summary).map(([status, count]) => `${count} ${status}`);
    console.log(words.join(", "));
  }
  return findings.some(isFault) ? EXIT.foundWrong : EXIT.good;
}

/** How many there are of each, those that are none left out. */
function summaryOf(findings: readonly Finding[]): Partial<Record<Status, number>> {
  const counts: Partial<Record<Status, number>> = {};
  for (const status of ["right", "missing", "wrong", "harmful", "absent", "unknown"] as const) {
    const count = findings.filter((finding) => finding.status === status).length;
    if (count > 0) counts[status] = count;
  }
  return counts;
}

/** What is there, and below it what is to be there where that is something else. */
function rowsOf(finding: Finding): readonly (readonly (string | undefined)[])[] {
  const { status, name, type, expected, found, why } = finding;
  const shown = found.length === 0 ? ["-"] : found;
  const isOther = isFault(finding) && expected !== undefined;
  return [
    ...shown.map((value, i) => (i === 0 ? [status, name, type, cut(value), why] : ["", "", "", cut(value)])),
    ...(isOther ? [["", "", "", cut(expected), "is what is to be there"]] : []),
  ];
}

/** A key is longer than a line. */
const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 97)}...` : text);

function systemResolver(): Endpoint | string {
  let text: string;
  try {
    text = readFileSync(RESOLV_CONF, "utf8");
  } catch {
    return `${RESOLV_CONF} cannot be read; name a server with --server ADDR:PORT`;
  }
  const [, written] = /^[ \t]*nameserver[ \t]+(\S+)/m.exec(text) ?? [];
  const address = written === undefined ? undefined : parseAddress(written);
  if (written === undefined || address === undefined)
    return `${RESOLV_CONF} names no server; name one with --server ADDR:PORT`;
  return parseEndpoint(address.family === 4 ? `${written}:53` : `[${written}]:53`);
}
