/** The names of tenants in one zone, each made when it is asked for. */

import { createHash } from "node:crypto";
import type { RRset } from "../dns/message.ts";
import { type DomainName, nameOctets } from "../dns/name.ts";
import { type ServiceName, soundChainName } from "./chain.ts";
import { foldedOctet } from "./packed-texts.ts";
import {
  bindingsOf,
  matchesOf,
  nameOfMatch,
  type TenantMatch,
  TenantNames,
  type TenantTemplate,
  tenantNamesMemory,
} from "./tenant-names.ts";
import { NO_ROW, type TenantTable } from "./tenant-table.ts";
import { type Datacenter, FARM_SLOTS, type Workload } from "./topology.ts";
import { type UnknownTenant, UnknownTenants, unknownName } from "./unknown-tenants.ts";

/** What one name holds: records, or an answer that waits for a choice. */
export interface TenantNode {
  readonly rrsets: ReadonlyMap<number, RRset>;
  readonly tailored: ServiceName | undefined;
}

/** Nodes made for who asked, kept for the next; when there are so many, all are let go. */
const MAX_KEPT = 0x4000;

/** The names that templates of one zone have for the tenants of a table. */
export class TenantNodes implements Iterable<readonly [DomainName, TenantNode]> {
  readonly templates: readonly TenantTemplate[];
  readonly #table: TenantTable;
  readonly #names: TenantNames;
  readonly #unknown: UnknownTenants;
  readonly #kept = new Map<DomainName, TenantNode>();

  /** There must be a template; their names must be without fault once they are asked for. */
  constructor(templates: readonly TenantTemplate[]) {
    const memory = tenantNamesMemory(templates);
    const [first] = templates;
    if (first === undefined || memory === undefined) throw new Error("there is no template");
    this.templates = templates;
    this.#table = first.tenants.table;
    this.#names = new TenantNames(memory);
    this.#unknown = new UnknownTenants(templates);
  }

  has(name: DomainName): boolean {
    return this.find(name) !== undefined;
  }

  get(name: DomainName): TenantNode | undefined {
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const found = this.find(name);
    if (found === undefined) return undefined;
    const made = nodeOf(found.template, found.match);
    if (this.#kept.size === MAX_KEPT) this.#kept.clear();
    this.#kept.set(name, made);
    return made;
  }

  /** What a name holds for a tenant that there is not, in a cloud that answers for such. */
  getUnlisted(name: DomainName): TenantNode | undefined {
    if (this.#unknown.templates.length === 0) return undefined;
    const found = this.#unknown.find(nameOctets(name));
    return found && nodeMade(found.made);
  }

  /** The template and the tenant that a name is made of. */
  find(name: DomainName): { readonly template: TenantTemplate; readonly match: TenantMatch } | undefined {
    const octets = nameOctets(name);
    const names = this.#names;
    const template = names.find(octets, 0, octets.length) ? this.templates[names.template] : undefined;
    if (template === undefined) return undefined;
    const domain = names.domain === NO_ROW ? undefined : names.domain;
    return { template, match: { row: names.row, domain } };
  }

  *[Symbol.iterator](): Generator<readonly [DomainName, TenantNode]> {
    for (const template of this.templates) {
      for (const match of matchesOf(template)) yield [nameOfMatch(template, match), nodeOf(template, match)];
    }
  }

  *names(): Generator<DomainName> {
    for (const template of this.templates) {
      for (const match of matchesOf(template)) yield nameOfMatch(template, match);
    }
  }

  *tailored(): Generator<ServiceName> {
    for (const template of this.templates) {
      for (const match of matchesOf(template)) {
        const { tailored } = nodeOf(template, match);
        if (tailored === undefined) break; // nor is it for any other tenant
        yield tailored;
      }
    }
  }

  *tailoredKinds(): Generator<ServiceName> {
    for (const template of this.templates) {
      for (const match of matchesOf(template)) {
        const { tailored } = nodeOf(template, match);
        if (tailored !== undefined) yield tailored;
        break;
      }
    }
  }

  /**
   * A sum over all tenants, so that their order does not count, of hashes over label, datacenters and slot; what names hold
   * in words goes in once for each datacenter and slot.
   */
  digest(contentOf: (node: TenantNode) => string): string {
    const sums = new Int32Array(4);
    for (const holds of ["tenant", "domainKey"] as const) {
      const templates = this.templates.filter((template) => template.holds === holds);
      // Two clouds can have names below one parent.
      for (const cloud of new Set(templates.map(({ tenants }) => tenants.cloud))) {
        const ofCloud = templates.filter(({ tenants }) => tenants.cloud === cloud);
        const groups = new Map<Workload | undefined, TenantTemplate[]>();
        for (const template of ofCloud) {
          const { workload } = template.service;
          // Where no tenant has a home for a workload, one look at each is enough for all its names.
          const key = this.#table.hasHomes(workload) ? workload : undefined;
          groups.set(key, [...(groups.get(key) ?? []), template]);
        }
        for (const [workload, ofHome] of groups) this.#addSums(sums, holds, workload, ofHome, contentOf);
      }
    }
    for (const template of this.#unknown.templates) this.#addUnknown(sums, template, contentOf);
    return Buffer.from(sums.buffer).toString("hex");
  }

  /** What any label has, by way of one of them. */
  #addUnknown(sums: Int32Array, template: TenantTemplate, contentOf: (node: TenantNode) => string): void {
    const made = unknownName(template, "x");
    if (made === undefined || made.kind === "fault") return;
    const { template: written, tenants } = template;
    const text = `${written.text} ${tenants.unknown?.geo} ${tenants.unknown?.active.id} ${contentOf(nodeMade(made))}`;
    const digest = createHash("sha256").update(text).digest();
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + digest.readInt32LE(4 * i);
  }

  #addSums(
    sums: Int32Array,
    holds: TenantTemplate["holds"],
    workload: Workload | undefined,
    templates: readonly TenantTemplate[],
    contentOf: (node: TenantNode) => string,
  ): void {
    const [first] = templates;
    if (first === undefined) return;
    const table = this.#table;
    const isOurs = first.tenants.shapesOfCloud();
    const contents = this.#contents(templates, contentOf);
    const texts = holds === "tenant" ? table.labels : table.domainKeys;
    const { octets } = texts;
    for (let number = 0; number < texts.count; number++) {
      const row = holds === "tenant" ? number : table.rowOfDomain(number);
      const shape = table.shapeOf(row);
      if (isOurs[shape] !== 1) continue;
      const home = workload === undefined ? row : table.homeOf(row, workload);
      const content = contents(table.shapeOf(home), table.slotOf(row));
      const start = texts.startOf(number);
      const end = start + texts.lengthOf(number);
      let hash = 0x811c9dc5 | 0;
      let other = 0x2f0b4c47;
      for (let i = start; i < end; i++) {
        const octet = foldedOctet[octets[i] ?? 0] ?? 0;
        hash = Math.imul(hash ^ octet, 0x01000193);
        other = Math.imul((other << 5) ^ (other >>> 27) ^ octet, 0x5bd1e995);
      }
      sums[0] = (sums[0] ?? 0) + mixed(hash ^ (content[0] ?? 0));
      sums[1] = (sums[1] ?? 0) + mixed(other ^ (content[1] ?? 0));
      sums[2] = (sums[2] ?? 0) + mixed(Math.imul(hash, 0x9e3779b1) ^ other ^ (content[2] ?? 0));
      sums[3] = (sums[3] ?? 0) + mixed(Math.imul(other, 0x85ebca77) ^ hash ^ (content[3] ?? 0));
    }
  }

  /** Hashes over what templates hold, by shape and slot; each is made once. */
  #contents(
    templates: readonly TenantTemplate[],
    contentOf: (node: TenantNode) => string,
  ): (shape: number, slot: number) => Int32Array {
    const texts = new Map<string, string>();
    const textAt = (datacenter: Datacenter, slot: number): string => {
      const key = `${slot} ${datacenter.id}`;
      const text =
        texts.get(key) ?? hashText(templates.map((each) => lineOf(each, datacenter, slot)).toSorted());
      texts.set(key, text);
      return text;
    };
    const lineOf = (
      { service, linkIndex, ownerIndex, ...label }: TenantTemplate,
      active: Datacenter,
      slot: number,
    ) => {
      const tenant = {
        tenant: "x",
        label: "x",
        geo: "",
        active,
        standby: undefined,
        failover: "automatic",
        failback: "manual",
        slot,
        domains: [],
      } as const;
      const bindings = { tenant, domain: "x", datacenter: undefined, slot };
      const node = nodeFrom(service, { linkIndex, ownerIndex, bindings });
      return `${label.prefix.toLowerCase()} ${label.suffix.toLowerCase()} ${label.parent} ${contentOf(node)}`;
    };
    const known: Int32Array[] = [];
    return (shapeNumber, slot) => {
      const key = shapeNumber * FARM_SLOTS + slot;
      const found = known[key];
      if (found !== undefined) return found;
      const { active, standby } = this.#table.shapes[shapeNumber] ?? {};
      const choices = [active, standby].flatMap((each) => (each === undefined ? [] : textAt(each, slot)));
      const digest = createHash("sha256")
        .update([...new Set(choices)].join(" "))
        .digest();
      const words = Int32Array.from({ length: 4 }, (_, i) => digest.readInt32LE(4 * i));
      known[key] = words;
      return words;
    };
  }
}

function nodeOf(template: TenantTemplate, match: TenantMatch): TenantNode {
  const { service, linkIndex, ownerIndex } = template;
  return nodeFrom(service, { linkIndex, ownerIndex, bindings: bindingsOf(template, match) });
}

const nodeMade = (made: UnknownTenant["made"]): TenantNode =>
  made.kind === "tailored"
    ? { rrsets: new Map(), tailored: made.tailored }
    : { rrsets: new Map(made.rrsets.map((rrset) => [rrset.type, rrset])), tailored: undefined };

function nodeFrom(...of: Parameters<typeof soundChainName>): TenantNode {
  const { rrsets, tailored } = soundChainName(...of);
  return { rrsets: new Map(rrsets.map((rrset) => [rrset.type, rrset])), tailored };
}

const hashText = (lines: readonly string[]): string =>
  createHash("sha256").update(lines.join("\n")).digest("hex");

/** The mixing steps of MurmurHash3. */
function mixed(hash: number): number {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
