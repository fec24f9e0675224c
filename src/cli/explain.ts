/** `geodns365 explain`: the five steps of Microsoft's page "Client connectivity", for one name from one place. */

import { parseMoment } from "../admin/moment.ts";
import { operationsInEffect } from "../cloud/operations-in-effect.ts";
import { findTenant, labelsLike } from "../cloud/tenant-table.ts";
import type { TenantGeo } from "../cloud/topology.ts";
import { suggest } from "../config/documents.ts";
import { formatType } from "../dns/iana.ts";
import { formatName } from "../dns/name.ts";
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
import type { Tried } from "../tried.ts";
import { suppose } from "../what-if.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatMermaid } from "./explain-mermaid.ts";
import { loadAllForCommand } from "./load.ts";
import { formatNearness } from "./nearness.ts";
import type { Told } from "./told.ts";

export type ExplainFormat = "text" | "json" | "mermaid";

export interface ExplainOptions {
  readonly qname: Uint8Array;
  readonly qtype: number;
  /** a prefix or the name of a network */
  readonly from: string;
  readonly tenant?: string;
  /** what is supposed: `lhr=down`, `contoso=standby`, `contoso->ams` */
  readonly with: readonly string[];
  /** when: a time to come, or how long until then */
  readonly at?: string;
  readonly config: string;
  /** where the server keeps its state, instead of what the configuration says */
  readonly state?: StateFileChoice;
  /** the admin API of a server that is asked instead */
  readonly admin?: string;
  readonly tokenFile?: string;
  readonly format: ExplainFormat;
}

export async function explainCommand({ with: texts, ...others }: ExplainOptions): Promise<number> {
  const options = { ...others, with: texts.flatMap((text) => text.split(",").map((each) => each.trim())) };
  return options.admin === undefined
    ? explainHere(options)
    : explainThere(options, { ...options, admin: options.admin });
}

/** What the files say, and the state that a server has kept. */
async function explainHere(options: ExplainOptions): Promise<number> {
  const loaded = await loadAllForCommand(options.config, options.state);
  if (loaded === undefined) return EXIT.foundWrong;
  const now = Date.now();
  const at = options.at === undefined ? undefined : parseMoment(options.at, now);
  if (typeof at === "string") return misuse(`--at ${at}`);
  const isSupposed = options.with.length > 0 || at !== undefined;
  const { operations } = operationsInEffect(loaded.operations, loaded.snapshot.configuration.clouds);
  const made = isSupposed
    ? suppose({ snapshot: loaded.snapshot, operations, now }, { with: options.with, at })
    : undefined;
  if (typeof made === "string") return misuse(`--with ${made}`);
  const snapshot = made?.snapshot ?? loaded.snapshot;
  const from = findClientSubnet(snapshot, options.from);
  if (typeof from === "string") return misuse(from);
  const tenant = options.tenant === undefined ? undefined : tenantNamed(snapshot, options.tenant);
  if (typeof tenant === "string") return misuse(tenant);
  const { qname, qtype } = options;
  print(explain(snapshot, { qname, qtype, from, tenant, supposed: made?.changes }), options.format);
  return EXIT.good;
}

/** What a running server says of itself. */
async function explainThere(
  { qname, qtype, from, tenant, with: supposed, at, format }: ExplainOptions,
  { admin, tokenFile }: { readonly admin: string; readonly tokenFile?: string },
): Promise<number> {
  // Loaded where it is needed: what speaks to servers is of no use to who explains from files.
  const { connectAdmin, reportFaults } = await import("./admin-client.ts");
  return reportFaults(async () => {
    const access = { admin, json: format === "json", ...(tokenFile !== undefined && { tokenFile }) };
    const asked = { name: formatName(qname), type: formatType(qtype), from, tenant, at };
    const query = { ...asked, ...(supposed.length > 0 && { with: supposed.join(",") }) };
    print(await connectAdmin(access).ask("explain", { query }), format);
    return EXIT.good;
  });
}

function print(explanation: Told<Explanation>, format: ExplainFormat): void {
  if (format === "json") {
    console.log(JSON.stringify(explanation, null, 2));
    return;
  }
  const lines = format === "mermaid" ? formatMermaid(explanation) : formatExplanation(explanation);
  for (const line of lines) console.log(line);
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

export function* formatExplanation(explanation: Told<Explanation>): Generator<string> {
  const { question, from, location, decisions, authority, scope, stop, rcode, handler } = explanation;
  yield `${question.name} ${question.type} from ${from}: ${handler === undefined ? rcode : "what its handler answers"}`;
  yield* formatSupposed(explanation);
  yield "";
  yield "1. Who asks";
  yield* formatAsker(explanation);
  yield "";
  yield "2. Where that is";
  yield `   ${formatLocation(location)}`;
  if (location.remark !== undefined) yield `   ${location.remark}`;
  yield* formatTried(location.tried.filter(({ outcome }) => outcome !== "counts"));
  yield "";
  yield decisions.at(-1)?.kind === "records" ? "3. Which records" : "3. Which datacenter";
  if (decisions.length === 0) yield `   ${noDecision(explanation)}`;
  for (const [i, decision] of decisions.entries()) {
    if (decisions.length > 1) yield `   Decision ${i + 1}, at ${decision.at}:`;
    yield* formatDecision(decision, decisions.slice(0, i));
  }
  yield "";
  yield "4. The names and addresses that come back";
  yield* formatRecords(explanation);
  for (const record of authority) yield `   ${record}   ; authority`;
  if (handler !== undefined)
    yield `   Not known: ${handler.path} answers for ${handler.zone}, and is not asked here.`;
  else if (explanation.records.length === 0 && authority.length === 0) yield "   none";
  if (stop !== undefined && explanation.records.length > 0) yield `   It ends there: ${stop.because}.`;
  yield `   scope ${scope.prefixLength ?? "not known"}: ${scope.because}`;
  yield "";
  yield "5. Where the data is";
  yield `   ${formatSecondHop(explanation)}`;
  for (const home of explanation.homes) yield `   ${formatHome(home)}`;
  for (const remark of explanation.remarks) yield `   ${remark}`;
  const { unusedTenant } = explanation;
  if (unusedTenant !== undefined)
    yield `   --tenant ${unusedTenant.name} is not used: ${unusedTenant.because}.`;
}

/** What is other than it is. */
function* formatSupposed({ supposed }: Told<Explanation>): Generator<string> {
  if (supposed === undefined) return;
  const { with: texts, at, ended, datacenters, tenants, moreTenants } = supposed;
  yield `Supposed for this alone: ${texts.length === 0 ? "" : `${texts.join(", ")}, `}at ${at}`;
  for (const { number, target, state, until } of ended)
    yield `   override ${number} of ${target} (${state}) is over since ${until}`;
  for (const { id, before, state } of datacenters) yield `   ${id} is ${state}, and now ${before}`;
  for (const { label, before, servedBy, by } of tenants)
    yield `   tenant ${label} is served by ${servedBy} (${by}), and now by ${before}`;
  if (moreTenants > 0) yield `   ${moreTenants} more tenants are served elsewhere than now`;
  if (ended.length + datacenters.length + tenants.length === 0) yield "   nothing is other than now";
}

function* formatTried(tried: Told<readonly Tried[]>): Generator<string> {
  for (const { rule, outcome, because } of tried) yield `   - ${rule}: ${outcome}, ${because}`;
}

function* formatRecords({ records, chain, decisions }: Told<Explanation>): Generator<string> {
  for (const { record, how, mark } of records) {
    const [owner = ""] = record.split(" ", 1);
    const hop = chain.find(({ name }) => name === owner.toLowerCase());
    const which =
      decisions.length > 1 && hop?.decision !== undefined ? ` (decision ${hop.decision + 1})` : "";
    const remarks = [
      ...(how === "fixed" ? [] : [`${how}${which}`]),
      ...(hop?.followsTime ? ["the TTL follows the next possible change"] : []),
      ...(mark === undefined ? [] : [`${mark} name`]),
    ];
    yield `   ${record}${remarks.map((remark) => `   ; ${remark}`).join("")}`;
  }
}

function* formatAsker(explanation: Told<Explanation>): Generator<string> {
  yield* formatWhatCounts(explanation);
  yield* formatTried(explanation.askers.filter(({ outcome }) => outcome === "passed over"));
  const { quirks } = explanation;
  if (quirks !== undefined) yield `   Zone ${quirks.zone} has quirks: ${quirks.names.join(", ")}.`;
  for (const { listener, name } of explanation.vantages)
    yield `   Who asks ${listener} without a client subnet is taken to be there: it stands for ${name}.`;
}

function* formatWhatCounts({ from, clientSubnetTrust, quirks }: Told<Explanation>): Generator<string> {
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

function formatLocation({ rule, name, place, prefix, hasGeoip }: Told<Explanation>["location"]): string {
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

function noDecision({ rcode, records, authority, stop, handler }: Told<Explanation>): string {
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

/** Behind a decision that weighed the same candidates they are not told again. */
function* formatDecision(decision: Told<Decision>, before: readonly Told<Decision>[]): Generator<string> {
  const order = orderOf(decision);
  const isToldAlready = order !== "" && before.some((other) => orderOf(other) === order);
  switch (decision.kind) {
    case "service":
      yield* formatServiceDecision(decision, isToldAlready);
      return;
    case "records":
      yield* formatRecordsDecision(decision, isToldAlready);
      return;
    default:
      decision satisfies never;
  }
}

const orderOf = ({ candidates }: Told<Decision>): string => candidates.map(({ id }) => id).join(" ");

function* formatRecordsDecision(decision: Told<RecordsDecision>, isToldAlready: boolean): Generator<string> {
  const { name, tried, rule, candidates, datacenter, city, because, records } = decision;
  yield `   ${name} has rules of its own`;
  yield* formatTried(tried.filter(({ outcome }) => outcome !== "counts"));
  yield* formatCandidates(candidates, isToldAlready);
  if (rule !== undefined) yield `   ${rule.words}: ${because}.`;
  else yield datacenter === undefined ? `   None: ${because}.` : `   ${datacenter} (${city}): ${because}.`;
  if (rule !== undefined || datacenter !== undefined)
    yield `   That gives ${records.length === 0 ? "no records" : records.join(", ")}.`;
}

function* formatServiceDecision(decision: Told<ServiceDecision>, isToldAlready: boolean): Generator<string> {
  const { cloud, service, era, policy, region, candidates, leftOut, list, spread, tenant } = decision;
  const { tried, datacenter, city, because } = decision;
  yield `   ${cloud}, service ${service}${era === undefined ? "" : ` (era ${era})`}, policy ${policy}`;
  if (region !== undefined)
    yield `   the name tells the region ${region}; ${leftOut.length} datacenters of others are left out`;
  if (list !== undefined) yield `   the list of ${list} comes first`;
  // What needs no list and no measurement goes by distance, which the candidates show.
  if (!isToldAlready && tenant === undefined)
    yield* formatTried(tried.filter(({ rule, outcome }) => outcome !== "counts" || rule === "bias"));
  yield* formatCandidates(candidates, isToldAlready);
  if (region === undefined && leftOut.length > 0)
    yield `       ${leftOut.map(({ id }) => id).join(", ")}: left out, ${leftOut[0]?.because}`;
  if (spread !== undefined) {
    const among = spread.among.map(({ id, weight }) => `${id} (weight ${weight})`).join(", ");
    yield `   the clients of ${spread.group} are spread over ${among}`;
  }
  if (tenant !== undefined) {
    const { standby, standbyState } = tenant;
    const backup = standby === undefined ? "no standby" : `standby ${standby} (${standbyState})`;
    yield `   tenant ${tenant.name}, geo ${tenant.geo}: active ${tenant.active} (${tenant.activeState}), ${backup}`;
    yield* formatTried(tried.filter(({ outcome }) => outcome !== "counts"));
  }
  yield datacenter === undefined ? `   None: ${because}.` : `   ${datacenter} (${city}): ${because}.`;
}

function* formatCandidates(
  candidates: readonly Told<ExplainedCandidate>[],
  isToldAlready: boolean,
): Generator<string> {
  if (isToldAlready) {
    yield `   the same ${candidates.length} datacenters in the same order as above`;
    return;
  }
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
}: Told<ExplainedHome>): string {
  const backup = standby === undefined ? "no standby" : `standby ${standby} (${standbyState})`;
  return `${name}, geo ${geo}: active ${active} (${activeState}), ${backup}. ${servedBy} serves: ${because}.`;
}

function formatSecondHop({ secondHop, decision, hasAddresses, stop, handler }: Told<Explanation>): string {
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
