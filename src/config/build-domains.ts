/** Custom domains: what a cloud says of all of them, what a tenant says of one, and the zones of those that are served. */

import {
  type CustomDomain,
  classicForms,
  type DomainRules,
  dkimKey,
  dkimTargets,
  domainRecords,
  formsOf,
  initialRecords,
  mxLetterOf,
} from "../cloud/custom-domain.ts";
import type { Cloud } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import type { TenantGeo } from "../cloud/topology.ts";
import { formatType, TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, formatName, nameOf } from "../dns/name.ts";
import { formatRdata } from "../dns/rdata.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import { findZone, ZoneBuilder } from "../zone/zone.ts";
import type { WithTenants } from "./build-tenants.ts";
import { type Faults, markOf, type Origin } from "./build-topology.ts";
import { labKeys } from "./dkim-keys.ts";
import { type Documents, suggest, type WrittenDocuments } from "./documents.ts";
import { cutFound } from "./printable.ts";
import type { CloudInForce, TenantDomain } from "./schema.ts";
import { type FilePlace, formatPlace } from "./yaml-document.ts";

/** A custom domain of which more is said, and where. */
export interface WrittenDomain extends CustomDomain {
  readonly apex: DomainName;
  readonly rules: DomainRules | undefined;
  readonly origin: Origin;
}

/** By cloud, what it says of custom domains; clouds that are switched off too, since people ask what they are told. */
export function domainRules(clouds: WrittenDocuments["clouds"]): ReadonlyMap<string, DomainRules> {
  return new Map(
    clouds.flatMap(({ value: { cloud, customDomains } }) =>
      customDomains === undefined ? [] : [[cloud, domainRulesOf(customDomains)]],
    ),
  );
}

/** Gives clouds what they say of custom domains, and what tenants say of theirs. */
export function addCustomDomains<T extends WithTenants>(
  placed: T,
  documents: Documents,
  rulesOf: ReadonlyMap<string, DomainRules>,
  faults: Faults,
): T & { readonly domains: readonly WrittenDomain[] } {
  const domains: WrittenDomain[] = [];
  for (const { source, value } of documents.tenants) {
    for (const [label, entry] of Object.entries(value.tenants)) {
      if (!entry.domains?.some((item) => typeof item !== "string")) continue;
      const cloud = placed.clouds.find(({ name }) => name === entry.cloud);
      const tenant = cloud?.tenants.find(label);
      for (const [i, item] of entry.domains.entries()) {
        if (typeof item === "string" || cloud === undefined || tenant === undefined) continue;
        const origin = { source, path: ["tenants", label, "domains", i] };
        const domain = item.domain.toLowerCase().replace(/\.$/, "");
        // What is claimed by somebody else is told already.
        if (!tenant.domains.includes(domain)) continue;
        const whose = { domain, tenant, cloud, rules: rulesOf.get(cloud.name) };
        const built = buildDomain(whose, item, origin, faults);
        if (built !== undefined) domains.push(built);
      }
    }
  }
  const clouds = placed.clouds.map((cloud) => ({
    ...cloud,
    domainRules: rulesOf.get(cloud.name),
    customDomains: domains.filter(({ tenant }) => tenant.active.cloud === cloud.name),
  }));
  return { ...placed, clouds, domains };
}

function domainRulesOf(written: NonNullable<CloudInForce["customDomains"]>): DomainRules {
  const { initialDomain, letters = {}, records, harmful = {} } = written;
  return {
    initialDomain: { name: initialDomain.name, lines: initialDomain.records },
    letters: { mx: letters.mx ?? [], dkim: letters.dkim ?? [] },
    templates: records.map(({ use, form, record, older = [], ...marks }) => ({
      use,
      form,
      line: record,
      older,
      mark: markOf(marks),
    })),
    harmful: new Map(Object.entries(harmful)),
  };
}

interface Whose {
  readonly domain: string;
  readonly tenant: TenantGeo;
  readonly cloud: Cloud;
  readonly rules: DomainRules | undefined;
}

function buildDomain(
  { domain, tenant, cloud, rules }: Whose,
  item: TenantDomain,
  origin: Origin,
  faults: Faults,
): WrittenDomain | undefined {
  const { source, path } = origin;
  const tell = (key: keyof TenantDomain, message: string): undefined =>
    void faults.at(source, [...path, key], message);
  const choices = {
    mx: item.mx ?? classicForms.mx,
    dkim: item.dkim ?? classicForms.dkim,
    verification: item.verification,
    dmarc: item.dmarc,
  };
  if (rules === undefined) return tell("domain", `${cloud.name} does not say what stands at custom domains`);
  for (const use of ["mx", "dkim"] as const) {
    const forms = formsOf(rules, use);
    if (item[use] !== undefined && !forms.includes(choices[use]))
      return tell(
        use,
        `${cloud.name} has no ${use} of the form ${choices[use]}; there is ${forms.join(", ")}`,
      );
  }
  const isRouted = choices.mx === "microsoft";
  for (const key of ["mailFlowRegion", "ipv6"] as const) {
    if (item[key] !== undefined && !isRouted)
      return tell(key, `${key} is of a host below mx.microsoft; set mx: microsoft beside it`);
  }
  const letter = mxLetterOf(rules, domain);
  const follows =
    item.mailFlowRegion === undefined
      ? tenant
      : regionOf({ domain, tenant, cloud }, item.mailFlowRegion, (message) =>
          tell("mailFlowRegion", message),
        );
  if (follows === undefined) return undefined;
  return {
    domain,
    tenant,
    choices,
    isServed: item.serve ?? false,
    mailRoute: isRouted && letter !== undefined ? { follows, letter, ipv6: item.ipv6 ?? false } : undefined,
    apex: nameOf(domain),
    rules,
    origin,
  };
}

/** Whom a host follows whose mail stays in a geography: its first two datacenters that hold tenants, wherever the tenant is. */
function regionOf(
  { domain, tenant, cloud }: Pick<Whose, "domain" | "tenant" | "cloud">,
  geo: string,
  tell: (message: string) => void,
): TenantGeo | undefined {
  const holders = cloud.datacenters.filter(({ roles }) => roles.has("tenants"));
  const [active, standby] = holders.filter((datacenter) => datacenter.geo === geo);
  if (active === undefined) {
    const known = [...new Set(holders.flatMap((datacenter) => datacenter.geo ?? []))];
    tell(`no datacenter of ${cloud.name} in "${cutFound(geo)}" holds tenants${suggest(geo, known)}`);
    return undefined;
  }
  // Under a label that no tenant can have, so that no move of a tenant takes it along.
  return { ...tenant, label: domain, geo, active, standby, failover: "automatic", failback: "automatic" };
}

/** What zones of domains are added to. */
interface Adding {
  readonly builders: Map<DomainName, ZoneBuilder<TailoredName>>;
  readonly scripted: ReadonlyMap<DomainName, ScriptedZone>;
  /** where each zone is defined */
  readonly places: Map<DomainName, FilePlace>;
  readonly faults: Faults;
}

/** A zone for each domain that is served and is none yet; the lab's own records of it come into the same. */
export function addDomainZones(
  domains: readonly WrittenDomain[],
  { builders, scripted, places, faults }: Adding,
): void {
  for (const { apex, isServed, origin } of domains) {
    if (!isServed) continue;
    const place = places.get(apex);
    if (scripted.has(apex) && place !== undefined) {
      const words = `${apex} cannot be served here: its handler, named at ${formatPlace(place)}, alone answers for it`;
      faults.at(origin.source, origin.path, words);
    }
    if (place !== undefined) continue;
    places.set(apex, origin.source.placeOf(origin.path));
    builders.set(apex, new ZoneBuilder(apex));
  }
}

const whoseOf = ({ label, initialDomain }: TenantGeo) => ({ tenant: label, initialDomain });

/** The records of the domains that are served, and those that they lead to at the tenants' initial domains and keys. */
export function addDomainRecords(
  domains: readonly WrittenDomain[],
  keys: Readonly<Record<string, string>>,
  placeOfRecord: (
    name: DomainName,
    isMeant: (type: number, rdata: Uint8Array) => boolean,
  ) => FilePlace | undefined,
  { builders, faults }: Pick<Adding, "builders" | "faults">,
): void {
  const withInitial = new Set<string>();
  for (const { domain, apex, tenant, rules, choices, isServed, origin } of domains) {
    if (!isServed || rules === undefined) continue;
    const tell = (message: string): void => faults.at(origin.source, origin.path, message);
    const records = domainRecords(rules, { ...whoseOf(tenant), domain }, choices);
    if (typeof records === "string") {
      tell(records);
      continue;
    }
    const builder = builders.get(apex);
    for (const { rrset } of builder === undefined ? [] : records) add(builder, rrset, tell);
    for (const [label, reason] of builder === undefined ? [] : rules.harmful) {
      const name = nameOf(`${label}.${domain}`);
      if (builder?.table.get(name) === undefined) continue;
      const place = placeOfRecord(name, () => true);
      const words = `${name} must not be there: ${reason}${place === undefined ? "" : `; see ${formatPlace(place)}`}`;
      faults.warnAt(origin.source, origin.path, words);
    }
    const targets = dkimTargets(records);
    for (const { selector, target } of targets) {
      const key = keys[selector] ?? labKeys[selector];
      const rrset =
        key === undefined
          ? `nothing says which key ${selector} has; set dkim.${selector} in the settings`
          : dkimKey(target, key);
      if (typeof rrset === "string") tell(rrset);
      else addInside(rrset, tell);
    }
    if (withInitial.has(tenant.label)) continue;
    withInitial.add(tenant.label);
    const initial = initialRecords(rules, whoseOf(tenant));
    if (typeof initial === "string") tell(initial);
    else for (const rrset of initial) addInside(rrset, tell);
  }

  function addInside(rrset: RRset, tell: (message: string) => void): void {
    const zone = findZone(builders, rrset.name);
    if (zone === undefined) tell(`${rrset.name} is in no zone served; add one to zones`);
    else add(zone, rrset, tell);
  }

  function add(
    builder: ZoneBuilder<TailoredName> | undefined,
    rrset: RRset,
    tell: (message: string) => void,
  ): void {
    if (builder === undefined) return;
    const fault = addBeside(builder, rrset);
    if (fault === undefined) return;
    const { name, type } = rrset;
    const { clash, message } = fault;
    const place = placeOfRecord(name, (itsType, rdata) =>
      clash === undefined ? true : itsType === type && Buffer.compare(rdata, clash) === 0,
    );
    tell(place === undefined ? message : `${message}; see ${formatPlace(place)}`);
  }
}

/**
 * Adds a record of the set to what the lab has at its name: TXT records stand side by side, but of SPF and DMARC there is one
 * (RFC 7208 §4.5, RFC 7489 §6.6.3), and mail or a service that goes elsewhere as well is a mistake.
 */
function addBeside(builder: ZoneBuilder<TailoredName>, rrset: RRset): Beside | undefined {
  const { name, type } = rrset;
  const [rdata] = rrset.rdatas;
  if (rdata === undefined) return undefined;
  const present = builder.table.get(name)?.rrsets.get(type);
  const others = present?.rdatas.filter((other) => Buffer.compare(other, rdata) !== 0) ?? [];
  const kind = kindOfText(rdata);
  const clash = others.find((other) =>
    type === TYPE.TXT
      ? kind !== undefined && kindOfText(other) === kind
      : type === TYPE.MX || type === TYPE.SRV,
  );
  if (clash !== undefined) {
    const what = type === TYPE.TXT ? `a second ${kind} record` : `another ${formatType(type)} record`;
    const message = `${formatName(rrset.owner)} would have ${what} beside ${formatRdata(type, clash)}`;
    return { clash, message };
  }
  // The lab's own TTL counts for the whole RRset (RFC 2181 §5.2).
  const message = builder.addRRset({ ...rrset, ttlSeconds: present?.ttlSeconds ?? rrset.ttlSeconds });
  return message === undefined ? undefined : { clash: undefined, message };
}

/** Why a record cannot stand beside what is there. */
interface Beside {
  /** the record that it clashes with, where it is of the same type */
  readonly clash: Uint8Array | undefined;
  readonly message: string;
}

/** Of which kind a TXT record is, where a name has one of it at the most. */
function kindOfText(rdata: Uint8Array): "SPF" | "DMARC" | undefined {
  const text = Buffer.from(rdata.subarray(1)).toString("latin1").toLowerCase();
  if (/^v=spf1( |$)/.test(text)) return "SPF";
  return text.startsWith("v=dmarc1") ? "DMARC" : undefined;
}
