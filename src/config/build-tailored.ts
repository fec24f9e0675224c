/** Names with a list of records for each rule (`tailored`), from documents into zones. */

import {
  listsOf,
  type NetworkRule,
  type Otherwise,
  type RecordList,
  type Rules,
} from "../cloud/record-rules.ts";
import type { Cloud } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import type { Datacenter } from "../cloud/topology.ts";
import { formatType, TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import {
  type DomainName,
  domainName,
  isAtOrBelow,
  nameOctets,
  parseName,
  selfAndAncestors,
} from "../dns/name.ts";
import { foldRdata } from "../dns/rdata.ts";
import { parseTypeAndRdata } from "../dns/record-line.ts";
import { continents } from "../geo/place.ts";
import { comparePrefixes, formatPrefix, type IpPrefix } from "../ip.ts";
import { findZone, type ZoneBuilder } from "../zone/zone.ts";
import type { Faults } from "./build-topology.ts";
import type { Network } from "./configuration.ts";
import { type Documents, noContinents, suggest, type ZonesOwner } from "./documents.ts";
import { parseLocatedPrefix } from "./located-prefix.ts";
import { cutFound, cutPieces } from "./printable.ts";
import type { TailoredEntry } from "./schema.ts";
import { type FilePlace, formatPlace, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** What rules can name, and the zones that the names go into. */
export interface TailoredContext {
  readonly documents: Documents;
  readonly clouds: readonly Cloud[];
  readonly networks: readonly Network[];
  readonly builders: ReadonlyMap<DomainName, ZoneBuilder<TailoredName>>;
  /** of records that state none, in seconds */
  readonly defaultTtlSeconds: number;
  /** where the first plain record of a name is written whose type is meant */
  readonly placeOfRecord: (name: DomainName, isMeant: (type: number) => boolean) => FilePlace | undefined;
  readonly faults: Faults;
}

/** One name in one document. */
interface Written {
  readonly source: YamlDocument;
  readonly path: ValuePath;
  readonly entry: TailoredEntry;
  /** the cloud whose document it stands in */
  readonly cloud: string | undefined;
}

/** Adds the tailored names of all documents to their zones; returns where each is written. */
export function addTailoredRecords(
  owners: readonly ZonesOwner[],
  context: TailoredContext,
): ReadonlyMap<DomainName, FilePlace> {
  const places = new Map<DomainName, FilePlace>();
  for (const { source, value } of owners) {
    const cloud = "cloud" in value ? value.cloud : undefined;
    for (const [zoneText, names] of Object.entries(value.tailored ?? {})) {
      const builder = findBuilder(source, zoneText, context);
      if (builder === undefined) continue;
      for (const [ownerText, entry] of Object.entries(names)) {
        const path = ["tailored", zoneText, ownerText];
        addName(builder, ownerText, { source, path, entry, cloud }, places, context);
      }
    }
  }
  return places;
}

function findBuilder(
  source: YamlDocument,
  zoneText: string,
  { builders, documents: { lost }, faults }: TailoredContext,
): ZoneBuilder<TailoredName> | undefined {
  const octets = parseName(zoneText);
  const apex = typeof octets === "string" ? undefined : domainName(octets); // the schema has told
  const builder = apex && builders.get(apex);
  const isWhole = !lost.anything && lost.clouds.size === 0 && !lost.keys.has("zones");
  if (apex !== undefined && builder === undefined && isWhole) {
    const words = `${apex} is no zone served${suggest(apex, [...builders.keys()])}`;
    faults.atKey(source, ["tailored", zoneText], words);
  }
  return builder;
}

function addName(
  builder: ZoneBuilder<TailoredName>,
  ownerText: string,
  written: Written,
  places: Map<DomainName, FilePlace>,
  context: TailoredContext,
): void {
  const { source, path } = written;
  const refuse = (message: string): void => context.faults.atKey(source, path, cutPieces(message, ownerText));
  const owner = parseName(ownerText, nameOctets(builder.apex));
  if (typeof owner === "string") {
    refuse(owner);
    return;
  }
  const name = domainName(owner);
  const known = places.get(name);
  if (known !== undefined) {
    refuse(`${name} is tailored at ${formatPlace(known)} already`);
    return;
  }
  const hiding = isAtOrBelow(name, builder.apex) ? findHiding(builder, name, context) : undefined;
  if (hiding !== undefined) {
    refuse(hiding);
    return;
  }
  const rules = buildRules(written, { owner, apex: builder.apex }, context);
  const types = typesOf(rules);
  const fault = builder.addTailored(name, { kind: "records", name, rules, types }, types);
  if (fault === undefined) {
    places.set(name, source.placeOfKey(path));
    return;
  }
  // A CNAME clashes with whatever is there.
  const clash = context.placeOfRecord(
    name,
    (type) => types.has(type) || types.has(TYPE.CNAME) || type === TYPE.CNAME,
  );
  refuse(clash === undefined ? fault : `${fault}; see ${formatPlace(clash)}`);
}

/** What hides a name: another zone that has it, a delegation at or above it, or a DNAME above it. */
function findHiding(
  builder: ZoneBuilder<TailoredName>,
  name: DomainName,
  { builders }: TailoredContext,
): string | undefined {
  const zone = findZone(builders, name);
  if (zone !== undefined && zone !== builder)
    return `${name} belongs to the zone ${zone.apex}; write it there`;
  for (const at of selfAndAncestors(name)) {
    if (at !== name && builder.has(at, TYPE.DNAME))
      return `${name} lies below the DNAME at ${at}, which hides it`;
    if (at === builder.apex) return undefined;
    if (builder.has(at, TYPE.NS)) return `${name} lies at or below the delegation at ${at}, which hides it`;
  }
  return undefined;
}

const typesOf = (rules: Rules): ReadonlySet<number> =>
  new Set(listsOf(rules).flatMap(({ list }) => list.map(({ type }) => type)));

/** Where the records of lists go. */
interface Target {
  readonly owner: Uint8Array;
  readonly apex: DomainName;
}

function buildRules(written: Written, target: Target, context: TailoredContext): Rules {
  const { source, path, entry } = written;
  const { documents, faults } = context;
  const listAt = (lines: readonly string[], ...steps: readonly string[]): RecordList =>
    buildList(lines, written, [...path, ...steps], target, context);
  const { lost } = documents;
  const isCountryLost = lost.anything || lost.keys.has("countries");
  if (entry.continents !== undefined && documents.countries.length === 0 && !isCountryLost) {
    faults.atKey(source, [...path, "continents"], noContinents);
  }
  if (ruleKeys.every((key) => entry[key] === undefined)) {
    faults.atKey(source, path, `the name has no rule; there are ${ruleKeys.join(", ")}`);
  }
  return {
    networks: buildNetworkRules(written, listAt, context),
    countries: new Map(
      Object.entries(entry.countries ?? {}).map(([code, lines]) => [code, listAt(lines, "countries", code)]),
    ),
    continents: new Map(
      continents.flatMap((code) => {
        const lines = entry.continents?.[code];
        return lines === undefined ? [] : [[code, listAt(lines, "continents", code)]];
      }),
    ),
    otherwise: buildOtherwise(written, listAt, context),
  };
}

const ruleKeys = ["networks", "countries", "continents", "nearest", "default"] as const;

type ListAt = (lines: readonly string[], ...steps: readonly string[]) => RecordList;

/** A listed network stands for each of its prefixes. */
function buildNetworkRules(
  { source, path, entry }: Written,
  listAt: ListAt,
  { networks, documents: { lost }, faults }: TailoredContext,
): readonly NetworkRule[] {
  const rules: NetworkRule[] = [];
  const owners = new Map<string, FilePlace>();
  for (const [key, lines] of Object.entries(entry.networks ?? {})) {
    const keyPath = [...path, "networks", key];
    const list = listAt(lines, "networks", key);
    const network = networks.find(({ name }) => name === key);
    const prefixes = network?.prefixes ?? prefixesOfKey(key);
    if (typeof prefixes === "string") {
      const isLost = lost.anything || lost.keys.has("networks");
      const words = suggest(
        key,
        networks.map(({ name }) => name),
      );
      // The name of a network has neither a dot nor a colon nor a slash.
      if (/[.:/]/.test(key)) faults.atKey(source, keyPath, cutPieces(prefixes, key));
      else if (!isLost)
        faults.atKey(source, keyPath, `"${cutFound(key)}" is neither a network nor a prefix${words}`);
      continue;
    }
    for (const prefix of prefixes) {
      const text = formatPrefix(prefix);
      const known = owners.get(text);
      if (known !== undefined) {
        const whose = network === undefined ? text : `${text} of network ${key}`;
        faults.atKey(source, keyPath, `${whose} is listed at ${formatPlace(known)} already`);
        continue;
      }
      owners.set(text, source.placeOfKey(keyPath));
      rules.push({ network: network?.name, prefix, list });
    }
  }
  return rules.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
}

function prefixesOfKey(key: string): readonly IpPrefix[] | string {
  const prefix = parseLocatedPrefix(key);
  return typeof prefix === "string" ? prefix : [prefix];
}

function buildOtherwise(
  { source, path, entry, cloud }: Written,
  listAt: ListAt,
  context: TailoredContext,
): Otherwise {
  const { faults } = context;
  if (entry.nearest === undefined) {
    if (entry.whenAllDown !== undefined) {
      const words = `"whenAllDown" is about the datacenters of "nearest", which is not here`;
      faults.atKey(source, [...path, "whenAllDown"], words);
    }
    if (entry.default === undefined) return { kind: "no-rule" };
    return { kind: "default", list: listAt(entry.default, "default") };
  }
  if (entry.default !== undefined) {
    const words = `"nearest" has an answer for everyone, so nobody is left for "default"; keep one of them`;
    faults.atKey(source, [...path, "default"], words);
  }
  const datacenters = new Map<Datacenter, RecordList>();
  const written = Object.entries(entry.nearest);
  if (written.length === 0) faults.at(source, [...path, "nearest"], "there is no datacenter here to choose");
  for (const [id, lines] of written) {
    const list = listAt(lines, "nearest", id);
    const keyPath = [...path, "nearest", id];
    const found = findDatacenter(id, cloud, context);
    if (typeof found === "string") faults.atKey(source, keyPath, found);
    else if (found !== undefined && datacenters.has(found)) {
      faults.atKey(source, keyPath, `${found.id} is here twice`);
    } else if (found !== undefined) datacenters.set(found, list);
  }
  const byId = [...datacenters].toSorted(([a], [b]) => (a.id < b.id ? -1 : 1));
  return { kind: "nearest", datacenters: new Map(byId), whenAllDown: entry.whenAllDown ?? "nearest" };
}

/** A datacenter by its id or, where one cloud alone has it, by its short id. A cloud's own document knows its own alone. */
function findDatacenter(
  id: string,
  cloud: string | undefined,
  { clouds, documents: { lost } }: TailoredContext,
): Datacenter | string | undefined {
  const known = clouds
    .filter(({ name }) => cloud === undefined || name === cloud)
    .flatMap(({ datacenters }) => datacenters);
  const found = known.filter((datacenter) => datacenter.id === id || datacenter.shortId === id);
  const [first, second] = found;
  if (first !== undefined && second !== undefined) {
    return `"${id}" is a datacenter of ${first.cloud} and of ${second.cloud}; write ${first.id} or ${second.id}`;
  }
  if (first !== undefined) return first;
  if (lost.anything || lost.clouds.size > 0 || lost.keys.has("datacenters")) return undefined;
  const ids = known.map((datacenter) => (id.includes("/") ? datacenter.id : datacenter.shortId));
  return `"${cutFound(id)}" is no datacenter${cloud === undefined ? "" : ` of ${cloud}`}${suggest(id, ids)}`;
}

/** The records of one list, which must be legal at one name: RRsets by ascending type, or a CNAME alone. */
function buildList(
  lines: readonly string[],
  { source, entry }: Written,
  path: ValuePath,
  { owner, apex }: Target,
  { defaultTtlSeconds, faults }: TailoredContext,
): RecordList {
  const name = domainName(owner);
  const rrsets = new Map<number, RRset>();
  for (const [i, line] of lines.entries()) {
    const parsed = parseTypeAndRdata(line, nameOctets(apex));
    const fault = typeof parsed === "string" ? parsed : faultOfType(parsed.type, name, apex, rrsets);
    if (typeof parsed === "string" || fault !== undefined) {
      if (fault !== undefined) faults.at(source, [...path, i], cutPieces(fault, line));
      continue;
    }
    const { type, rdata } = parsed;
    const present = rrsets.get(type)?.rdatas ?? [];
    // RFC 2181 §5: no record twice, names compared without case.
    const folded = foldRdata(type, rdata);
    if (present.some((other) => Buffer.compare(foldRdata(type, other), folded) === 0)) continue;
    const ttlSeconds = entry.ttl ?? defaultTtlSeconds;
    rrsets.set(type, { owner, name, type, ttlSeconds, rdatas: [...present, rdata] });
  }
  return [...rrsets.values()].toSorted((a, b) => a.type - b.type);
}

/** What is wrong with a further record of a list, by its type. */
function faultOfType(
  type: number,
  name: DomainName,
  apex: DomainName,
  before: ReadonlyMap<number, RRset>,
): string | undefined {
  switch (type) {
    case TYPE.SOA:
      return "the SOA is the zone's and the same for everyone; write it under records";
    case TYPE.NS:
    case TYPE.DS:
    case TYPE.DNAME:
      return `${formatType(type)} says whose the names below are, which is the same for everyone; write it under records`;
  }
  if (type === TYPE.CNAME && name === apex) {
    return `${apex} is an apex, and no CNAME can stand beside its SOA and NS (RFC 2181 §10.1)`;
  }
  const isBesideCname = type === TYPE.CNAME ? before.size > 0 : before.has(TYPE.CNAME);
  return isBesideCname ? "a CNAME stands alone in its list (RFC 2181 §10.1)" : undefined;
}
