/** `geodns365 explain`: the five steps of Microsoft's page "Client connectivity", for one name from one place. */

import type { Tenant } from "../cloud/topology.ts";
import { suggest } from "../config/documents.ts";
import { formatConfigError } from "../config/load.ts";
import { type Decision, type Explanation, explain } from "../explain.ts";
import { type IpPrefix, parsePrefix } from "../ip.ts";
import { loadSnapshot } from "../load-snapshot.ts";
import type { Snapshot } from "../snapshot.ts";
import { EXIT } from "./exit.ts";

export interface ExplainOptions {
  readonly qname: Uint8Array;
  readonly qtype: number;
  /** a prefix or the name of a network */
  readonly from: string;
  readonly tenant?: string;
  readonly config: string;
  readonly json: boolean;
}

export function explainCommand(options: ExplainOptions): number {
  const loaded = loadSnapshot(options.config);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const { snapshot } = loaded;
  const from = findFrom(snapshot, options.from);
  if (typeof from === "string") return misuse(from);
  const tenant = options.tenant === undefined ? undefined : findTenant(snapshot, options.tenant);
  if (typeof tenant === "string") return misuse(tenant);
  const explanation = explain(snapshot, { qname: options.qname, qtype: options.qtype, from, tenant });
  if (options.json) console.log(JSON.stringify(explanation, null, 2));
  else for (const line of formatExplanation(explanation)) console.log(line);
  return EXIT.good;
}

function misuse(message: string): number {
  console.error(`error: ${message}`);
  return EXIT.misuse;
}

/** A network stands for its first prefix. */
function findFrom({ configuration }: Snapshot, text: string): IpPrefix | string {
  const network = configuration.networks.find(({ name }) => name === text);
  if (network?.prefixes[0] !== undefined) return network.prefixes[0];
  const prefix = parsePrefix(text);
  if (typeof prefix !== "string" || text.includes("/")) return prefix;
  const names = configuration.networks.map(({ name }) => name);
  return `--from "${text}" is neither a prefix nor a network${suggest(text, names)}`;
}

function findTenant({ configuration }: Snapshot, text: string): Tenant | string {
  const tenants = configuration.clouds.flatMap((cloud) => cloud.tenants);
  const found = tenants.find(({ name }) => name === text);
  const names = tenants.map(({ name }) => name);
  return found ?? `--tenant "${text}" is no tenant${suggest(text, names)}`;
}

function* formatExplanation(explanation: Explanation): Generator<string> {
  const { question, from, location, decision, records, authority, scope, secondHop, rcode } = explanation;
  yield `${question.name} ${question.type} from ${from}: ${rcode}`;
  yield "";
  yield "1. Who asks";
  yield `   A client asks its resolver, and the resolver asks geodns365. What counts is ${from}: the client subnet that`;
  yield "   the resolver passes on or, where it passes none on, the resolver's own address.";
  yield "";
  yield "2. Where that is";
  yield `   ${formatLocation(location)}`;
  if (location.remark !== undefined)
    yield `   This is ${location.remark}.`.replace("This is ExpressRoute", "ExpressRoute");
  yield "";
  yield "3. Which datacenter";
  if (decision === undefined) yield `   ${noDecision(explanation)}`;
  else yield* formatDecision(decision);
  yield "";
  yield "4. The names and addresses that come back";
  for (const { record, how, invented } of records) {
    yield `   ${record}${how === "published" ? "" : `   ; ${how}`}${invented ? "   ; invented name" : ""}`;
  }
  for (const record of authority) yield `   ${record}   ; authority`;
  if (records.length === 0 && authority.length === 0) yield "   none";
  yield `   scope ${scope.prefixLength}: ${scope.because}`;
  yield "";
  yield "5. Where the data is";
  yield `   ${formatSecondHop(secondHop, decision)}`;
}

function formatLocation({ rule, name, place, prefix }: Explanation["location"]): string {
  const where = `${place.city ?? place.country ?? "a point"} [${place.coordinates.join(", ")}]`;
  switch (rule) {
    case "network":
      return `Network ${name} holds ${prefix}: ${where}.`;
    case "geoip":
      return `No network holds it. GeoIP puts ${prefix} in ${name ?? "a place without a country"}: ${where}.`;
    case "default":
      return `Neither a network nor GeoIP knows ${prefix}, so it is at the default location: ${where}.`;
  }
}

function noDecision({ rcode, records }: Explanation): string {
  if (rcode === "REFUSED") return "None: the name is in no zone served here.";
  if (rcode === "NXDOMAIN") return "None: the name does not exist.";
  return records.length === 0
    ? "None: the name has no records of this type."
    : "None: the name is not tailored.";
}

function* formatDecision(decision: Decision): Generator<string> {
  const { cloud, service, era, policy, candidates, tenant, datacenter, city, because } = decision;
  yield `   ${cloud}, service ${service}${era === undefined ? "" : ` (era ${era})`}, policy ${policy}`;
  const width = Math.max(0, ...candidates.map(({ id }) => id.length));
  const chosenAt = candidates.findIndex(({ chosen }) => chosen);
  const shown = Math.max(5, chosenAt + 1);
  for (const [i, { id, city: place, kilometres, state, chosen }] of candidates.slice(0, shown).entries()) {
    const mark = chosen ? " <- chosen" : "";
    yield `   ${String(i + 1).padStart(2)}. ${id.padEnd(width)} ${String(kilometres).padStart(6)} km  ${state.padEnd(8)} ${place}${mark}`;
  }
  if (candidates.length > shown) yield `       and ${candidates.length - shown} farther ones`;
  if (tenant !== undefined) {
    const { standby, standbyState } = tenant;
    const backup = standby === undefined ? "no standby" : `standby ${standby} (${standbyState})`;
    yield `   tenant ${tenant.name}, geo ${tenant.geo}: active ${tenant.active} (${tenant.activeState}), ${backup}`;
  }
  yield datacenter === undefined ? `   None: ${because}.` : `   ${datacenter} (${city}): ${because}.`;
}

function formatSecondHop(secondHop: Explanation["secondHop"], decision: Decision | undefined): string {
  if (secondHop === undefined) {
    return decision?.tenant === undefined
      ? "The connection ends where the name leads; there is no second hop."
      : "In the datacenter that answers: it is the tenant's own.";
  }
  const { frontEnd, target, tenant, because } = secondHop;
  if (target !== undefined && tenant !== undefined) {
    const passes = frontEnd === target ? "serves it itself" : `proxies to ${target}`;
    return `The client connects to the front end ${frontEnd}, which ${passes}: ${because}.`;
  }
  const hint = tenant === undefined ? "; name one with --tenant" : "";
  return `The client connects to the front end ${frontEnd}; where that proxies to is open: ${because}${hint}.`;
}
