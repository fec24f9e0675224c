/** `geodns365 explain`: the five steps of Microsoft's page "Client connectivity", for one name from one place. */

import { findTenant, labelsLike } from "../cloud/tenant-table.ts";
import type { TenantGeo } from "../cloud/topology.ts";
import { suggest } from "../config/documents.ts";
import {
  type Decision,
  type ExplainedCandidate,
  type ExplainedHome,
  type Explanation,
  explain,
  type RecordsDecision,
  type ServiceDecision,
} from "../explain.ts";
import { findFrom } from "../from.ts";
import { formatPrefix, type IpPrefix } from "../ip.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import type { Snapshot } from "../snapshot.ts";
import { EXIT, misuse } from "./exit.ts";
import { loadForCommand } from "./load.ts";
import { formatNearness } from "./nearness.ts";

export interface ExplainOptions {
  readonly qname: Uint8Array;
  readonly qtype: number;
  /** a prefix or the name of a network */
  readonly from: string;
  readonly tenant?: string;
  readonly config: string;
  /** where the server keeps its state, instead of what the configuration says */
  readonly state?: StateFileChoice;
  readonly json: boolean;
}

export async function explainCommand(options: ExplainOptions): Promise<number> {
  const snapshot = await loadForCommand(options.config, options.state);
  if (snapshot === undefined) return EXIT.foundWrong;
  const from = findClientSubnet(snapshot, options.from);
  if (typeof from === "string") return misuse(from);
  const tenant = options.tenant === undefined ? undefined : tenantNamed(snapshot, options.tenant);
  if (typeof tenant === "string") return misuse(tenant);
  const explanation = explain(snapshot, { qname: options.qname, qtype: options.qtype, from, tenant });
  if (options.json) console.log(JSON.stringify(explanation, null, 2));
  else for (const line of formatExplanation(explanation)) console.log(line);
  return EXIT.good;
}

/** A client subnet of length 0 asks to use none (RFC 7871 §7.1.2). */
function findClientSubnet(snapshot: Snapshot, text: string): IpPrefix | string {
  const prefix = findFrom(snapshot, text);
  if (typeof prefix === "string" || prefix.length > 0) return prefix;
  return `--from ${formatPrefix(prefix)} has a prefix length of 0, which asks to use no client subnet (RFC 7871 §7.1.2); give a longer prefix`;
}

/** A tenant stands for its home geo; a satellite has a name of its own. */
function tenantNamed({ configuration: { clouds } }: Snapshot, text: string): TenantGeo | string {
  const found = findTenant(clouds, text);
  return found ?? `--tenant "${text}" is no tenant${suggest(text, labelsLike(clouds, text))}`;
}

export function* formatExplanation(explanation: Explanation): Generator<string> {
  const { question, from, location, decision, records, authority, scope, stop, rcode, handler } = explanation;
  yield `${question.name} ${question.type} from ${from}: ${handler === undefined ? rcode : "what its handler answers"}`;
  yield "";
  yield "1. Who asks";
  yield* formatAsker(explanation);
  yield "";
  yield "2. Where that is";
  yield `   ${formatLocation(location)}`;
  if (location.remark !== undefined) yield `   ${location.remark}`;
  yield "";
  yield decision?.kind === "records" ? "3. Which records" : "3. Which datacenter";
  if (decision === undefined) yield `   ${noDecision(explanation)}`;
  else yield* formatDecision(decision);
  yield "";
  yield "4. The names and addresses that come back";
  for (const { record, how, mark } of records) {
    yield `   ${record}${how === "fixed" ? "" : `   ; ${how}`}${mark === undefined ? "" : `   ; ${mark} name`}`;
  }
  for (const record of authority) yield `   ${record}   ; authority`;
  if (handler !== undefined)
    yield `   Not known: ${handler.path} answers for ${handler.zone}, and is not asked here.`;
  else if (records.length === 0 && authority.length === 0) yield "   none";
  if (stop !== undefined && records.length > 0) yield `   It ends there: ${stop.because}.`;
  yield `   scope ${scope.prefixLength ?? "not known"}: ${scope.because}`;
  yield "";
  yield "5. Where the data is";
  yield `   ${formatSecondHop(explanation)}`;
  for (const home of explanation.homes) yield `   ${formatHome(home)}`;
  const { unusedTenant } = explanation;
  if (unusedTenant !== undefined)
    yield `   --tenant ${unusedTenant.name} is not used: ${unusedTenant.because}.`;
}

function* formatAsker(explanation: Explanation): Generator<string> {
  yield* formatWhatCounts(explanation);
  const { quirks } = explanation;
  if (quirks !== undefined) yield `   Zone ${quirks.zone} has quirks: ${quirks.names.join(", ")}.`;
  for (const { listener, name } of explanation.vantages)
    yield `   Who asks ${listener} without a client subnet is taken to be there: it stands for ${name}.`;
}

function* formatWhatCounts({ from, clientSubnetTrust, quirks }: Explanation): Generator<string> {
  if (quirks?.names.includes("edns-formerr")) {
    yield `   A client asks its resolver, and the resolver asks geodns365. What counts is ${from}, the resolver's own address: to`;
    yield "   EDNS, and so to client subnets, the zone answers FORMERR, and the resolver asks again without.";
    return;
  }
  if (clientSubnetTrust === "none") {
    yield `   A client asks its resolver, and the resolver asks geodns365. What counts is ${from}, the resolver's own address:`;
    yield "   client subnets are not trusted in this configuration.";
    return;
  }
  yield `   A client asks its resolver, and the resolver asks geodns365. What counts is ${from}: the client subnet that`;
  yield clientSubnetTrust === "all"
    ? "   the resolver passes on or, where it passes none on, the resolver's own address."
    : `   a trusted resolver (${clientSubnetTrust.join(", ")}) passes on. Of any other, its own address counts.`;
}

function formatLocation({ rule, name, place, prefix, hasGeoip }: Explanation["location"]): string {
  const where = `${place.city ?? place.country ?? "a point"} [${place.coordinates.join(", ")}]`;
  switch (rule) {
    case "network":
      return `Network ${name} holds ${prefix}: ${where}.`;
    case "geoip":
      return `No network holds it. GeoIP puts ${prefix} in ${name ?? "a place without a country"}: ${where}.`;
    case "default":
      return hasGeoip
        ? `Neither a network nor GeoIP knows ${prefix}, so it is at the default location: ${where}.`
        : `No network holds ${prefix} and no GeoIP database is loaded, so it is at the default location: ${where}.`;
    case "unlocated":
      if (name !== undefined) return `GeoIP knows no more of ${prefix} than ${name}, so it is not located.`;
      return hasGeoip
        ? `Neither a network nor GeoIP knows ${prefix}, so it is not located.`
        : `No network holds ${prefix} and no GeoIP database is loaded, so it is not located.`;
  }
}

function noDecision({ rcode, records, authority, stop, handler }: Explanation): string {
  if (handler !== undefined) return "None: in a scripted zone its handler decides, by rules of its own.";
  if (stop?.kind === "not-served") return "None: the name is in no zone served here.";
  if (stop !== undefined && records.length === 0) return `None: ${stop.because}.`;
  if (rcode === "NXDOMAIN") {
    return records.length > 0
      ? "None: the chain ends at a name that does not exist."
      : "None: the name does not exist.";
  }
  if (rcode !== "NOERROR") return `None: the answer is ${rcode}.`;
  if (records.length > 0) return "None: the name is not tailored.";
  return authority.some((record) => / NS /.test(record))
    ? "None: the name is delegated to other name servers."
    : "None: the name has no records of this type.";
}

function* formatDecision(decision: Decision): Generator<string> {
  switch (decision.kind) {
    case "service":
      yield* formatServiceDecision(decision);
      return;
    case "records":
      yield* formatRecordsDecision(decision);
      return;
    default:
      decision satisfies never;
  }
}

function* formatRecordsDecision(decision: RecordsDecision): Generator<string> {
  const { name, rule, candidates, datacenter, city, because, records } = decision;
  yield `   ${name} has rules of its own`;
  yield* formatCandidates(candidates);
  if (rule !== undefined) yield `   ${rule.words}: ${because}.`;
  else yield datacenter === undefined ? `   None: ${because}.` : `   ${datacenter} (${city}): ${because}.`;
  if (rule !== undefined || datacenter !== undefined)
    yield `   That gives ${records.length === 0 ? "no records" : records.join(", ")}.`;
}

function* formatServiceDecision(decision: ServiceDecision): Generator<string> {
  const { cloud, service, era, policy, candidates, list, spread, tenant, datacenter, city, because } =
    decision;
  yield `   ${cloud}, service ${service}${era === undefined ? "" : ` (era ${era})`}, policy ${policy}`;
  if (list !== undefined) yield `   the list of ${list} comes first`;
  yield* formatCandidates(candidates);
  if (spread !== undefined) {
    const among = spread.among.map(({ id, weight }) => `${id} (weight ${weight})`).join(", ");
    yield `   the clients of ${spread.group} are spread over ${among}`;
  }
  if (tenant !== undefined) {
    const { standby, standbyState } = tenant;
    const backup = standby === undefined ? "no standby" : `standby ${standby} (${standbyState})`;
    yield `   tenant ${tenant.name}, geo ${tenant.geo}: active ${tenant.active} (${tenant.activeState}), ${backup}`;
  }
  yield datacenter === undefined ? `   None: ${because}.` : `   ${datacenter} (${city}): ${because}.`;
}

function* formatCandidates(candidates: readonly ExplainedCandidate[]): Generator<string> {
  const width = Math.max(0, ...candidates.map(({ id }) => id.length));
  const chosenAt = candidates.findIndex(({ chosen }) => chosen);
  const shown = Math.max(5, chosenAt + 1);
  for (const [i, candidate] of candidates.slice(0, shown).entries()) {
    const { id, city: place, kilometres, state, chosen, mark: origin } = candidate;
    const mark = `${origin === undefined ? "" : ` (${origin})`}${chosen ? " <- chosen" : ""}`;
    const why = formatNearness(candidate);
    yield `   ${String(i + 1).padStart(2)}. ${id.padEnd(width)} ${String(kilometres).padStart(6)} km  ${state.padEnd(8)} ${place}${why}${mark}`;
  }
  if (candidates.length > shown) yield `       and ${candidates.length - shown} farther ones`;
}

function formatHome({
  name,
  geo,
  active,
  activeState,
  standby,
  standbyState,
  servedBy,
  because,
}: ExplainedHome): string {
  const backup = standby === undefined ? "no standby" : `standby ${standby} (${standbyState})`;
  return `${name}, geo ${geo}: active ${active} (${activeState}), ${backup}. ${servedBy} serves: ${because}.`;
}

function formatSecondHop({ secondHop, decision, hasAddresses, stop, handler }: Explanation): string {
  if (handler !== undefined || stop?.kind === "scripted")
    return "What the handler answers says where the connection ends.";
  if (!hasAddresses) {
    return stop?.kind === "leaves" || stop?.kind === "quirks"
      ? "Whoever serves the last name says where the connection ends."
      : "No address came back, so there is nothing to connect to.";
  }
  if (secondHop === undefined) {
    if (decision?.kind !== "service" || decision.tenant === undefined)
      return "The connection ends where the name leads; there is no second hop.";
    return decision.endsAtEdge
      ? `The addresses are those of an edge, the same for everyone, which passes on to the tenant's own datacenter, ${decision.datacenter}.`
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
