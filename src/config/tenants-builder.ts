/** Tenants as they come from YAML and from CSV, put into one table: what fits into it, and what is told of what does not. */

import { type Cloud, initialDomainOf } from "../cloud/service.ts";
import { tenantTemplates } from "../cloud/tenant-names.ts";
import { type DomainNumber, MAX_SHAPES, NO_ROW, type TenantRow, TenantTable } from "../cloud/tenant-table.ts";
import type { Datacenter, FailoverMode, Workload } from "../cloud/topology.ts";
import { suggest } from "./documents.ts";
import { cutFound } from "./printable.ts";
import { type ConfigError, type FilePlace, formatPlace } from "./yaml-document.ts";

/** Whatever can show the line that an error is in. */
export interface ErrorSource {
  errorAt(place: FilePlace, message: string): ConfigError;
}

/** A place that an error can point at. */
export interface Spot {
  readonly source: ErrorSource;
  readonly place: FilePlace;
}

/** Where the rows of a file come from. */
export interface RowOrigins {
  /** the file, where it may hold a million rows, so that not every error of it is told */
  readonly bulkFile: string | undefined;
  readonly firstRow: TenantRow;
  spotOf(row: TenantRow): Spot;
  /** of a row's domains the one that comes so many behind the first */
  spotOfDomain(row: TenantRow, index: number): Spot;
  /** of the tenant that it is a satellite of */
  spotOfParent(row: TenantRow): Spot;
}

/** What is the same for many tenants, as written. */
export interface ShapeTexts {
  readonly cloud: string;
  readonly geo: string;
  readonly active: string;
  readonly standby?: string | undefined;
  readonly failover?: string | undefined;
  readonly failback?: string | undefined;
}

/** The home of a workload as written; what is not said is as of its tenant. */
export type WorkloadTexts = Pick<ShapeTexts, "active" | "standby" | "failover" | "failback">;

export type TellOfShape = (key: keyof ShapeTexts, message: string) => void;

/** Which of what is missing a fault may have left out, so that it is no second error. */
export interface Lacking {
  isLostCloud(cloud: string): boolean;
  /** whether a cloud is switched off, so that its tenants are left out */
  isOff(cloud: string): boolean;
  /** those lost by name or switched off, to be suggested with the others */
  readonly otherClouds: readonly string[];
  isLostDatacenter(cloud: string, shortId: string): boolean;
  /** whether any datacenter of a cloud is lost */
  lacksDatacenters(cloud: string): boolean;
}

const failoverModes = ["automatic", "manual"] as const satisfies readonly FailoverMode[];

export class TenantsBuilder {
  readonly table = new TenantTable();
  readonly #clouds: ReadonlyMap<string, Cloud>;
  readonly #lacking: Lacking;
  readonly #origins: RowOrigins[] = [];
  readonly #withDomainNames: ReadonlySet<string>;
  readonly #pendingParents: { readonly row: TenantRow; readonly parent: string }[] = [];
  /** whether no fault has left a tenant out */
  isWhole = true;

  constructor(clouds: readonly Cloud[], lacking: Lacking) {
    this.#clouds = new Map(clouds.map((cloud) => [cloud.name, cloud]));
    this.#lacking = lacking;
    this.#withDomainNames = new Set(
      tenantTemplates(clouds)
        .filter(({ holds }) => holds === "domainKey")
        .map(({ tenants }) => tenants.cloud),
    );
  }

  /** From here on rows come from there. */
  begin(origins: RowOrigins): void {
    this.#origins.push(origins);
  }

  originsOf(row: TenantRow): RowOrigins {
    const found = this.#origins.findLast(({ firstRow }) => firstRow <= row);
    if (found === undefined) throw new Error(`nobody knows where tenant ${row} comes from`);
    return found;
  }

  spotOf(row: TenantRow): Spot {
    return this.originsOf(row).spotOf(row);
  }

  /** The number of a shape; undefined where it cannot be, which is told unless a fault has left out what is missing. */
  shapeNumber(texts: ShapeTexts, tell: TellOfShape, workload?: Workload): number | undefined {
    const cloud = this.#clouds.get(texts.cloud);
    if (cloud === undefined) {
      if (this.#lacking.isLostCloud(texts.cloud)) return undefined;
      const known = [...this.#clouds.keys(), ...this.#lacking.otherClouds];
      tell("cloud", `"${cutFound(texts.cloud)}" is no cloud${suggest(texts.cloud, known)}`);
      return undefined;
    }
    const active = this.#datacenter(cloud, "active", texts.active, tell);
    const standby =
      texts.standby === undefined ? undefined : this.#datacenter(cloud, "standby", texts.standby, tell);
    const failover = mode("failover", texts.failover ?? "automatic", tell);
    const failback = mode("failback", texts.failback ?? "manual", tell);
    if (active === undefined || failover === undefined || failback === undefined) return undefined;
    if (standby === active) tell("standby", "the standby is the active datacenter itself");
    const { geo } = texts;
    const geos = cloud.datacenters.flatMap((datacenter) => datacenter.geo ?? []);
    const mayBeGeo = geos.length === 0 || geos.includes(geo) || this.#lacking.lacksDatacenters(cloud.name);
    if (workload === undefined && geo !== "" && !mayBeGeo) {
      const words = `"${cutFound(geo)}" is the geo of no datacenter of ${cloud.name}`;
      tell("geo", `${words}${suggest(geo, [...new Set(geos)])}`);
    }
    const shape = { cloud: cloud.name, geo, active, standby, failover, failback, workload };
    const number = this.table.shapeNumber(shape);
    if (number === undefined)
      tell("geo", `there are more than ${MAX_SHAPES} ways in which tenants are placed; let more be alike`);
    return number;
  }

  /** The same for a workload of a tenant; what is wrong with the tenant's own words is not told here. */
  workloadShapeNumber(
    workload: Workload,
    texts: WorkloadTexts,
    tenant: ShapeTexts,
    tell: (key: keyof WorkloadTexts, message: string) => void,
  ): number | undefined {
    const { active } = texts;
    const standby = texts.standby ?? (tenant.standby === active ? tenant.active : tenant.standby);
    const { failover = tenant.failover, failback = tenant.failback } = texts;
    const whole = { ...tenant, active, standby, failover, failback };
    return this.shapeNumber(
      whole,
      (key, message) => {
        // That there are too many shapes is told of the geo, which a workload has none of.
        const at = key === "geo" ? "active" : key;
        if (at !== "cloud" && texts[at] !== undefined) tell(at, message);
      },
      workload,
    );
  }

  /** What is wrong with a label that is there already, in words and with the row that has it. */
  clashOf(
    label: string,
    cloud: string,
  ): { readonly row: TenantRow; readonly name: string | undefined } | undefined {
    const row = this.table.findRow(label);
    if (row === NO_ROW) return undefined;
    return { row, name: this.table.shapeAt(row).cloud === cloud ? this.#nameOf(label, cloud) : undefined };
  }

  isOff(cloud: string): boolean {
    return this.#lacking.isOff(cloud);
  }

  hasCloud(cloud: string): boolean {
    return this.#clouds.has(cloud);
  }

  /** Whether names of the cloud are made of the keys of domains, so that no two of these may have the same. */
  hasDomainNames(cloud: string): boolean {
    return this.#withDomainNames.has(cloud);
  }

  /** Why a domain, in lower case and without a dot at its end, cannot be added; the words are made where they are told. */
  faultOfDomain(domain: string, cloud: string): (() => string) | undefined {
    if (!/^[^\\.]+(\.[^\\.]+)*$/.test(domain))
      return () => `expected a domain like contoso.com, found "${cutFound(domain)}"`;
    const clash = this.domainClashOf(domain, cloud);
    if (clash === undefined) return undefined;
    return () => {
      const place = formatPlace(this.spotOfDomain(clash.domain).place);
      if (clash.isSame) return `${domain} is claimed at ${place} already`;
      const other = this.table.domainAt(clash.domain);
      return `${domain} and ${other}, which is claimed at ${place}, would have the same names`;
    };
  }

  /** The domain that is the same, or one of the same cloud that has the same key where names are made of that. */
  domainClashOf(
    domain: string,
    cloud: string,
  ): { readonly domain: DomainNumber; readonly isSame: boolean } | undefined {
    const { table } = this;
    const alike = [...table.domainsOfKey(domain.replaceAll(".", "-"))];
    const same = alike.find((other) => table.domainAt(other) === domain);
    if (same !== undefined) return { domain: same, isSame: true };
    if (!this.hasDomainNames(cloud)) return undefined;
    const clash = alike.find((other) => table.shapeAt(table.rowOfDomain(other)).cloud === cloud);
    return clash === undefined ? undefined : { domain: clash, isSame: false };
  }

  /** Gives the last row an initial domain as written, a label or all of it; a sentence where that cannot be. */
  addInitialDomain(row: TenantRow, text: string, cloudName: string): string | undefined {
    const suffixes = this.#clouds.get(cloudName)?.initialDomains ?? [];
    const [usual] = suffixes;
    if (usual === undefined)
      return `${cloudName} says no suffixes of initial domains; set initialDomains of the cloud`;
    const written = text.toLowerCase().replace(/\.$/, "");
    const domain = written.includes(".") ? written : `${written}.${usual}`;
    const suffix = suffixes.find((each) => domain.endsWith(`.${each}`));
    const label = suffix === undefined ? "" : domain.slice(0, -suffix.length - 1);
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) {
      const forms = suffixes.map((each) => `contoso.${each}`).join(" or ");
      return `expected contoso, or ${forms}, found "${cutFound(text)}"`;
    }
    for (const [other, taken] of this.table.initialDomains) {
      if (taken !== domain) continue;
      return `${domain} is the initial domain of ${this.table.labelAt(other)} already, at ${formatPlace(this.spotOf(other).place)}`;
    }
    if (row !== NO_ROW) this.table.setInitialDomain(row, domain);
    return undefined;
  }

  /** The tenants that were given an initial domain which another has by its own label, each with a sentence. */
  *initialDomainClashes(): Generator<{ readonly row: TenantRow; readonly words: string }> {
    const { table } = this;
    for (const [row, domain] of table.initialDomains) {
      const other = table.findRow(domain.slice(0, domain.indexOf(".")));
      const cloud = other === NO_ROW ? undefined : this.#clouds.get(table.shapeAt(other).cloud);
      if (cloud === undefined || other === row) continue;
      if (initialDomainOf(cloud, table.geoAt(other)) !== domain) continue;
      const place = formatPlace(this.spotOf(other).place);
      yield {
        row,
        words: `${domain} is the initial domain of ${table.labelAt(other)} too, which is defined at ${place}`,
      };
    }
  }

  spotOfDomain(domain: DomainNumber): Spot {
    const row = this.table.rowOfDomain(domain);
    const [first = domain] = this.table.domainsOf(row);
    return this.originsOf(row).spotOfDomain(row, domain - first);
  }

  /** Makes a row a satellite of a tenant that may come later. */
  addParent(row: TenantRow, parent: string): void {
    this.#pendingParents.push({ row, parent });
  }

  /** The satellites whose tenant was not there when they came, each with its tenant as written. */
  takePendingParents(): readonly { readonly row: TenantRow; readonly parent: string }[] {
    return this.#pendingParents.splice(0);
  }

  /** Why a row cannot be a tenant's satellite. */
  faultOfParent(shape: number, parent: TenantRow): string | undefined {
    const { table } = this;
    if (table.parentOf(parent) !== undefined) {
      return `${table.labelAt(parent)} is a satellite itself; name the tenant that both belong to`;
    }
    const { cloud } = table.shapeAt(parent);
    return table.shapes[shape]?.cloud === cloud
      ? undefined
      : `${table.labelAt(parent)} is a tenant of ${cloud}`;
  }

  #datacenter(
    cloud: Cloud,
    key: "active" | "standby",
    shortId: string,
    tell: TellOfShape,
  ): Datacenter | undefined {
    const found = cloud.datacenters.find((datacenter) => datacenter.shortId === shortId);
    if (found === undefined) {
      if (this.#lacking.isLostDatacenter(cloud.name, shortId)) return undefined;
      const ids = cloud.datacenters
        .filter((datacenter) => datacenter.roles.has("tenants"))
        .map(({ shortId: id }) => id);
      tell(key, `"${cutFound(shortId)}" is no datacenter of ${cloud.name}${suggest(shortId, ids)}`);
    } else if (!found.roles.has("tenants")) {
      tell(key, `${found.id} has not the role tenants, so it can be neither active nor standby`);
    }
    return found;
  }

  /** The first name that the services of a cloud make for a tenant. */
  #nameOf(label: string, cloud: string): string | undefined {
    const found = this.#clouds.get(cloud);
    const [first] = tenantTemplates(found === undefined ? [] : [found]).filter(
      ({ holds }) => holds === "tenant",
    );
    return first && `${first.prefix}${label}${first.suffix}.${first.parent}`.toLowerCase();
  }
}

function mode(key: "failover" | "failback", text: string, tell: TellOfShape): FailoverMode | undefined {
  const found = failoverModes.find((each) => each === text);
  if (found === undefined)
    tell(key, `expected automatic or manual, found "${cutFound(text)}"${suggest(text, failoverModes)}`);
  return found;
}
