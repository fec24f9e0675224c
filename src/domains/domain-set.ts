/** Which set of records a domain is to have: that of its tenant in the configuration or, of any other domain, as told. */

import {
  classicForms,
  type DomainChoices,
  type DomainRecord,
  type DomainRules,
  domainRecords,
  formsOf,
  type RecordForm,
} from "../cloud/custom-domain.ts";
import { findTenant, NO_ROW, type TenantTable } from "../cloud/tenant-table.ts";
import type { Configuration } from "../config/configuration.ts";
import { suggest } from "../config/documents.ts";
import { domainName } from "../dns/name.ts";

/** What a person says of a domain; what is left out is taken from the configuration, or derived. */
export interface DomainRequest {
  /** wire format */
  readonly domain: Uint8Array;
  readonly cloud?: string;
  readonly tenant?: string;
  readonly mx?: RecordForm;
  readonly dkim?: RecordForm;
  readonly domainKey?: string;
}

export interface DomainSet {
  /** in lower case, without a dot at its end */
  readonly domain: string;
  readonly cloud: string;
  readonly tenant: string;
  readonly rules: DomainRules;
  readonly choices: DomainChoices;
  readonly records: readonly DomainRecord[];
  /** records of the other forms, which are right too where nobody says which form it is */
  readonly otherForms: readonly DomainRecord[];
  /** what a reader has to know of the set */
  readonly notes: readonly string[];
}

const DEFAULT_CLOUD = "Worldwide";

/** A sentence where there is no such set. */
export function domainSet(configuration: Configuration, request: DomainRequest): DomainSet | string {
  const { clouds, domainRules } = configuration;
  const domain = domainName(request.domain).slice(0, -1);
  if (!domain.includes(".")) return `"${domain}" is no domain like contoso.com`;
  const owner = ownerOf(configuration, domain);
  const named = request.tenant === undefined ? undefined : findTenant(clouds, request.tenant);
  const cloudName = request.cloud ?? named?.active.cloud ?? owner?.cloud ?? DEFAULT_CLOUD;
  const rules = domainRules.get(cloudName);
  if (rules === undefined) {
    const known = [...domainRules.keys()];
    const all = known.length === 0 ? "no cloud of it does" : `those that do are ${known.join(", ")}`;
    return `the configuration does not say what stands at domains of "${cloudName}"; ${all}${suggest(cloudName, known)}`;
  }
  const configured =
    owner?.cloud === cloudName && [undefined, owner.tenant].includes(request.tenant) ? owner : undefined;
  const tenant = request.tenant ?? configured?.tenant ?? domain.split(".", 1)[0] ?? domain;
  const { domainKey } = request;
  const choices = {
    ...(configured?.choices ?? classicForms),
    ...(request.mx && { mx: request.mx }),
    ...(request.dkim && { dkim: request.dkim }),
    ...(domainKey !== undefined && { domainKey }),
  };
  for (const use of ["mx", "dkim"] as const) {
    const forms = formsOf(rules, use);
    if (!forms.includes(choices[use]))
      return `${cloudName} has no ${use} of the form ${choices[use]}; there is ${forms.join(", ")}`;
  }
  const whose = { domain, tenant, initialDomain: findTenant(clouds, tenant)?.initialDomain };
  const records = domainRecords(rules, whose, choices);
  if (typeof records === "string") return records;
  const isOpen = (use: "mx" | "dkim"): boolean => request[use] === undefined && configured === undefined;
  const other = (use: "mx" | "dkim"): RecordForm =>
    isOpen(use) ? (choices[use] === "classic" ? "microsoft" : "classic") : choices[use];
  const others = domainRecords(rules, whose, { ...choices, mx: other("mx"), dkim: other("dkim") });
  const notes = [
    ...(configured === undefined && request.tenant === undefined
      ? [`the tenant ${tenant} is taken from the domain; name another with --tenant`]
      : []),
    ...(choices.verification === undefined
      ? ["the text that proves ownership is made up; in life use the one that Microsoft shows"]
      : []),
    ...(choices.mx === "microsoft" || choices.dkim === "microsoft"
      ? ["the letter before -v1 is made up; in life use what Microsoft shows"]
      : []),
  ];
  const otherForms =
    typeof others === "string" ? [] : others.filter(({ use }) => use === "mx" || use === "dkim");
  return { domain, cloud: cloudName, tenant, rules, choices, records, otherForms, notes };
}

interface Owner {
  readonly cloud: string;
  readonly tenant: string;
  readonly choices: DomainChoices;
}

/** The tenant of the configuration that has a domain. */
function ownerOf({ clouds }: Configuration, domain: string): Owner | undefined {
  const table = clouds[0]?.tenants.table;
  const row = table === undefined ? NO_ROW : rowOf(table, domain);
  if (table === undefined || row === NO_ROW) return undefined;
  const { cloud } = table.shapeAt(row);
  const said = clouds
    .flatMap(({ customDomains = [] }) => customDomains)
    .find((custom) => custom.domain === domain);
  return { cloud, tenant: table.labelAt(row), choices: said?.choices ?? classicForms };
}

function rowOf(table: TenantTable, domain: string): number {
  for (const number of table.domainsOfKey(domain.replaceAll(".", "-"))) {
    if (table.domainAt(number) === domain) return table.rowOfDomain(number);
  }
  return NO_ROW;
}
