/**
 * The names that tenants have by templates like `{tenant}-my.sharepoint.com`: none of them is kept anywhere, each is found
 * from the labels of the table. Made from a plain description, so that another thread can find them too, in the same memory.
 */

import { type DomainName, domainName, nameOctets, nameOf } from "../dns/name.ts";
import type { Bindings, NameTemplate } from "./name-template.ts";
import { foldedOctet, latin1, PackedTexts } from "./packed-texts.ts";
import type { Cloud, Service } from "./service.ts";
import {
  type CloudTenants,
  type DomainNumber,
  NO_ROW,
  NO_WORKLOAD,
  shapeIn,
  slotIn,
  type TenantMemory,
  type TenantRow,
  workloadNumber,
} from "./tenant-table.ts";

/** What a label of a template holds: the tenant's label, or the key of one of its domains, with fixed text around it. */
export interface TenantLabel {
  readonly holds: "tenant" | "domainKey";
  readonly prefix: string;
  readonly suffix: string;
  /** the name without its first label */
  readonly parent: DomainName;
}

/** A template whose names follow from the table, and where in its service it stands. */
export interface TenantTemplate extends TenantLabel {
  readonly service: Service;
  readonly linkIndex: number;
  readonly ownerIndex: number;
  readonly template: NameTemplate;
  readonly tenants: CloudTenants;
}

/** A tenant, and one of its domains where the name tells that. */
export interface TenantMatch {
  readonly row: TenantRow;
  readonly domain: DomainNumber | undefined;
}

const pattern = /^([^{}.\\]*)\{(tenant|domainKey)\}([^{}.\\]*)\.([^{}\\]+)$/;

/** What the first label of a template holds, if a tenant is all that it waits for; undefined for any other template. */
export function tenantLabelOf({ text }: NameTemplate): TenantLabel | undefined {
  const [, prefix = "", holds, suffix = "", parent = ""] = pattern.exec(text) ?? [];
  if (holds !== "tenant" && holds !== "domainKey") return undefined;
  return { holds, prefix, suffix, parent: nameOf(parent) };
}

/** The templates of all services whose names follow from the table; a number of `TenantNames` is an index of them. */
export function tenantTemplates(clouds: readonly Cloud[]): readonly TenantTemplate[] {
  return clouds.flatMap(({ services, tenants }) =>
    services.flatMap((service) =>
      service.links.flatMap(({ owners }, linkIndex) =>
        owners.flatMap((template, ownerIndex) => {
          const label = tenantLabelOf(template);
          return label === undefined ? [] : [{ ...label, service, linkIndex, ownerIndex, template, tenants }];
        }),
      ),
    ),
  );
}

/** What a template of a service is filled with for one tenant. */
export function bindingsOf(
  { service: { workload }, tenants: { table } }: Pick<TenantTemplate, "service" | "tenants">,
  { row, domain }: TenantMatch,
): Bindings {
  const tenant = table.geoAt(row, workload);
  return {
    tenant,
    domain: domain === undefined ? undefined : table.domainAt(domain),
    datacenter: undefined,
    slot: tenant.slot,
  };
}

/** The name that a template has for a tenant, known to be without fault. */
export function nameOfMatch(
  { prefix, suffix, parent, tenants: { table } }: TenantTemplate,
  { row, domain }: TenantMatch,
): DomainName {
  const held = domain === undefined ? table.labelAt(row) : table.domainKeys.textOf(domain);
  const label = Buffer.from(`${prefix}${held}${suffix}`, "latin1");
  return domainName(Buffer.concat([Uint8Array.of(label.length), label, nameOctets(parent)]));
}

/** All tenants or domains that a template has a name for. */
export function* matchesOf({ holds, tenants }: TenantTemplate): Generator<TenantMatch> {
  if (holds === "tenant") for (const row of tenants.rows()) yield { row, domain: undefined };
  else for (const domain of tenants.domains()) yield { row: tenants.table.rowOfDomain(domain), domain };
}

/** The tenant that a name is made for by a template, if it is. */
export function findMatch(
  { holds, prefix, suffix, parent, tenants }: TenantLabel & Pick<TenantTemplate, "tenants">,
  name: DomainName,
): TenantMatch | undefined {
  if (!name.endsWith(`.${parent}`)) return undefined;
  const octets = nameOctets(name);
  const end = octets.length - nameOctets(parent).length;
  const [from, to] = [1 + prefix.length, end - suffix.length];
  if (1 + (octets[0] ?? 0) !== end || from >= to) return undefined;
  if (latin1(octets, 1, from) !== prefix.toLowerCase()) return undefined;
  if (latin1(octets, to, end) !== suffix.toLowerCase()) return undefined;
  const { labels, domainKeys } = tenants.table;
  if (holds === "tenant") {
    const row = labels.find(octets, from, to);
    return tenants.has(row) ? { row, domain: undefined } : undefined;
  }
  // Domains of another cloud can have the same key.
  let domain = domainKeys.find(octets, from, to);
  while (domain !== NO_ROW && !tenants.has(tenants.table.rowOfDomain(domain)))
    domain = domainKeys.find(octets, from, to, domain);
  return domain === NO_ROW ? undefined : { row: tenants.table.rowOfDomain(domain), domain };
}

/** One template in a form that can be sent to another thread. */
export interface TemplateMemory {
  readonly holds: TenantLabel["holds"];
  /** in lower case, as is what follows */
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
  /** wire format */
  readonly parent: Uint8Array;
  /** by the number of a shape: 1 where its tenants have such a name */
  readonly shapes: Uint8Array;
  /** whose home counts, by its number, or NO_WORKLOAD */
  readonly workload: number;
}

export interface TenantNamesMemory {
  readonly tenants: TenantMemory;
  readonly templates: readonly TemplateMemory[];
}

/** The description of templates that share a table; undefined where there are none. */
export function tenantNamesMemory(templates: readonly TenantTemplate[]): TenantNamesMemory | undefined {
  const [first] = templates;
  if (first === undefined) return undefined;
  return {
    tenants: first.tenants.table.memory,
    templates: templates.map(({ holds, prefix, suffix, parent, tenants, service: { workload } }) => ({
      holds,
      prefix: Buffer.from(prefix.toLowerCase(), "latin1"),
      suffix: Buffer.from(suffix.toLowerCase(), "latin1"),
      parent: nameOctets(parent),
      shapes: tenants.shapesOfCloud(),
      workload: workloadNumber(workload),
    })),
  };
}

/** The templates below one parent, those with the longest text first. */
interface Family {
  readonly parent: Uint8Array;
  readonly templates: readonly number[];
}

/** Finds which template has made a name, and for which tenant. What is found stands in the fields until the next search. */
export class TenantNames {
  /** the index of the template */
  template = 0;
  row: TenantRow = NO_ROW;
  /** the row that says where the tenant is served: another one where the template's workload has a home of its own */
  home: TenantRow = NO_ROW;
  /** NO_ROW where the name tells none */
  domain: DomainNumber = NO_ROW;
  /** what the name holds of the tenant, as written: a label or the key of a domain, which begins at `textAt` in `texts` */
  texts: Uint8Array = new Uint8Array();
  textAt = 0;
  textOctets = 0;

  readonly #labels: PackedTexts;
  readonly #domainKeys: PackedTexts;
  readonly #homes: Uint32Array;
  readonly #domainRows: Uint32Array;
  readonly #workloads: TenantMemory["workloads"];
  readonly #templates: readonly TemplateMemory[];
  readonly #families: readonly Family[];

  constructor({ tenants, templates }: TenantNamesMemory) {
    this.#labels = new PackedTexts(tenants.labels);
    this.#domainKeys = new PackedTexts(tenants.domainKeys);
    this.#homes = tenants.homes;
    this.#domainRows = tenants.domainRows;
    this.#workloads = tenants.workloads;
    this.#templates = templates;
    this.#families = familiesOf(templates);
  }

  /** Whether the name in wire format from `start` to `end`, its last octet included, is one of a tenant. */
  find(octets: Uint8Array, start: number, end: number): boolean {
    const length = octets[start] ?? 0;
    const labelStart = start + 1;
    const labelEnd = labelStart + length;
    const families = this.#families;
    for (let i = 0; i < families.length; i++) {
      const family = families[i];
      if (family === undefined || end - labelEnd !== family.parent.length) continue;
      if (!holdsAt(octets, labelEnd, family.parent)) continue;
      return this.#findLabel(family.templates, octets, labelStart, labelEnd);
    }
    return false;
  }

  shapeOf(row: TenantRow): number {
    return shapeIn(this.#homes[row] ?? 0);
  }

  slotOf(row: TenantRow): number {
    return slotIn(this.#homes[row] ?? 0);
  }

  /** Where the label of a row stands in `labels`. */
  labelStart(row: TenantRow): number {
    return this.#labels.startOf(row);
  }

  labelLength(row: TenantRow): number {
    return this.#labels.lengthOf(row);
  }

  /** The labels of all rows, as written. */
  get labels(): Uint8Array {
    return this.#labels.octets;
  }

  #findLabel(templates: readonly number[], octets: Uint8Array, start: number, end: number): boolean {
    for (let i = 0; i < templates.length; i++) {
      const number = templates[i] ?? 0;
      const template = this.#templates[number];
      if (template === undefined) continue;
      const { prefix, suffix, shapes } = template;
      const from = start + prefix.length;
      const to = end - suffix.length;
      if (to <= from || !holdsAt(octets, start, prefix) || !holdsAt(octets, to, suffix)) continue;
      const isDomain = template.holds === "domainKey";
      const texts = isDomain ? this.#domainKeys : this.#labels;
      let found = texts.find(octets, from, to);
      // Domains of another cloud can have the same key.
      while (isDomain && found !== NO_ROW && shapes[this.shapeOf(this.#domainRows[found] ?? 0)] !== 1)
        found = texts.find(octets, from, to, found);
      if (found === NO_ROW) continue;
      const row = isDomain ? (this.#domainRows[found] ?? 0) : found;
      if (shapes[this.shapeOf(row)] !== 1) continue;
      this.template = number;
      this.row = row;
      const own = template.workload === NO_WORKLOAD ? 0 : (this.#workloads[template.workload]?.[row] ?? 0);
      this.home = own === 0 ? row : own - 1;
      this.domain = isDomain ? found : NO_ROW;
      this.texts = texts.octets;
      this.textAt = texts.startOf(found);
      this.textOctets = texts.lengthOf(found);
      return true;
    }
    return false;
  }
}

/** Whether the octets from `at` on are those of a text in lower case, but for their case. */
function holdsAt(octets: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) {
    if (foldedOctet[octets[at + i] ?? 0] !== text[i]) return false;
  }
  return true;
}

function familiesOf(templates: readonly TemplateMemory[]): readonly Family[] {
  const byParent = new Map<string, number[]>();
  for (const [number, { parent }] of templates.entries()) {
    const key = Buffer.from(parent).toString("latin1");
    byParent.set(key, [...(byParent.get(key) ?? []), number]);
  }
  const textLength = (number: number): number => {
    const { prefix, suffix } = templates[number] ?? {};
    return (prefix?.length ?? 0) + (suffix?.length ?? 0);
  };
  return [...byParent].map(([key, numbers]) => ({
    parent: Buffer.from(key, "latin1"),
    templates: numbers.toSorted((a, b) => textLength(b) - textLength(a)),
  }));
}
