/**
 * The tenants of all clouds, and their satellites, packed: a row each, some 30 octets, in memory that threads share. What
 * many rows have in common is a shape, of which there are as many as ways to place a tenant.
 */

import {
  grown,
  hashOctets,
  latin1,
  MAX_TEXTS,
  NO_TEXT,
  PackedTexts,
  sharedInt32s,
  sharedOctets,
  sharedUint32s,
  type TextMemory,
} from "./packed-texts.ts";
import {
  type Datacenter,
  FARM_SLOTS,
  type FailoverMode,
  type TenantGeo,
  type UnknownTenantHome,
  WORKLOADS,
  type Workload,
} from "./topology.ts";

/** Stands for a tenant, for a satellite of one, or for a workload of either that has a home of its own. */
export type TenantRow = number;
/** Stands for a custom domain. */
export type DomainNumber = number;

/** What `findRow` and `findDomain` return where there is nothing. */
export const NO_ROW = NO_TEXT;

/** How many rows a table can have. */
export const MAX_TENANTS = MAX_TEXTS;

/** What is the same for many tenants. */
export interface TenantShape {
  readonly cloud: string;
  readonly geo: string;
  readonly active: Datacenter;
  readonly standby: Datacenter | undefined;
  readonly failover: FailoverMode;
  readonly failback: FailoverMode;
  /** whose home it is, where it is not that of the tenant itself: no name finds a row of such a shape */
  readonly workload?: Workload | undefined;
}

/** How many shapes there can be; their numbers are 16 bits. */
export const MAX_SHAPES = 0xffff;

/** Where the table is; another thread that is sent this reads the same memory. */
export interface TenantMemory {
  readonly labels: TextMemory;
  /** by row, the number of its shape in the low 16 bits and its farm slot in the others: found with one look */
  readonly homes: Uint32Array;
  /** custom domains as `{domainKey}` has them */
  readonly domainKeys: TextMemory;
  /** by domain */
  readonly domainRows: Uint32Array;
  /** by number of the workload, and there by row: the row of its own home + 1, or 0; undefined where no tenant has one */
  readonly workloads: readonly (Uint32Array | undefined)[];
}

const SHAPE_BITS = 16;

export const shapeIn = (home: number): number => home & 0xffff;
export const slotIn = (home: number): number => home >>> SHAPE_BITS;

const NO_PARENT = -1;

/** Of what follows the tenant itself. */
export const NO_WORKLOAD = -1;

export const workloadNumber = (workload: Workload | undefined): number =>
  workload === undefined ? NO_WORKLOAD : WORKLOADS.indexOf(workload);

/** The label of a workload's own home: no tenant's, since a slash is in none. */
export const workloadLabel = (label: string, workload: Workload): string => `${label}/${workload}`;

export class TenantTable {
  /** by row: what `{tenant}` stands for, as written */
  readonly labels = new PackedTexts();
  readonly domainKeys = new PackedTexts();
  readonly #shapes: TenantShape[] = [];
  readonly #shapeNumbers = new Map<string, number>();
  /** rows, and those of them that are no satellites, by shape */
  readonly #rowsOfShape: number[] = [];
  readonly #homesOfShape: number[] = [];
  #homes = sharedUint32s(64);
  /** rows that there is room for */
  #room = 64;
  /** by row, as soon as there is a satellite */
  #parents: Int32Array | undefined;
  /** the domains with their dots, each where its key stands among the keys */
  #domains = sharedOctets(64);
  /** ascending, since a row's domains are added with it */
  #domainRows = sharedUint32s(64);
  /** by row, of those few that have another one than their label gives them */
  readonly #initialDomains = new Map<TenantRow, string>();
  readonly #workloads: (Uint32Array | undefined)[] = WORKLOADS.map(() => undefined);

  get rowCount(): number {
    return this.labels.count;
  }

  get domainCount(): number {
    return this.domainKeys.count;
  }

  get shapes(): readonly TenantShape[] {
    return this.#shapes;
  }

  get memory(): TenantMemory {
    return {
      labels: this.labels.memory,
      homes: this.#homes,
      domainKeys: this.domainKeys.memory,
      domainRows: this.#domainRows,
      workloads: [...this.#workloads],
    };
  }

  /** Makes room for so many rows with labels of so many octets in all. */
  reserve(rows: number, labelOctets: number): void {
    this.labels.reserve(rows, labelOctets);
    if (rows > this.#homes.length) this.#homes = grown(this.#homes, rows, sharedUint32s);
    this.#room = this.#homes.length;
  }

  /** The number of a shape; undefined where there are too many already. */
  shapeNumber(shape: TenantShape): number | undefined {
    const { cloud, geo, active, standby, failover, failback, workload } = shape;
    const key = JSON.stringify([cloud, geo, active.id, standby?.id, failover, failback, workload]);
    const known = this.#shapeNumbers.get(key);
    if (known !== undefined) return known;
    if (this.#shapes.length === MAX_SHAPES) return undefined;
    const number = this.#shapes.length;
    this.#shapes.push(shape);
    this.#rowsOfShape.push(0);
    this.#homesOfShape.push(0);
    this.#shapeNumbers.set(key, number);
    return number;
  }

  /**
   * Adds a row; NO_ROW where its label is there already. `hash` is that of the label, and gives the slot where none is given.
   */
  addRow(
    octets: Uint8Array,
    start: number,
    end: number,
    shape: number,
    slot = -1,
    hash = hashOctets(octets, start, end),
  ): TenantRow {
    const room = this.rowCount + 1;
    if (room > this.#room) this.reserve(2 * room, 0);
    this.labels.reserve(room, this.labels.startOf(room - 1) + end - start);
    const row = this.labels.addNew(octets, start, end, hash);
    if (row === NO_ROW) return NO_ROW;
    this.#homes[row] = shape | ((slot < 0 ? (hash >>> 0) % FARM_SLOTS : slot) << SHAPE_BITS);
    if (this.#parents !== undefined) this.#setParent(row, NO_PARENT);
    this.#rowsOfShape[shape] = (this.#rowsOfShape[shape] ?? 0) + 1;
    this.#homesOfShape[shape] = (this.#homesOfShape[shape] ?? 0) + 1;
    return row;
  }

  /** Makes a row a satellite of a tenant. */
  setParent(row: TenantRow, parent: TenantRow): void {
    const shape = this.shapeOf(row);
    if (this.parentOf(row) === undefined) this.#homesOfShape[shape] = (this.#homesOfShape[shape] ?? 1) - 1;
    this.#parents ??= sharedInt32s(Math.max(64, this.rowCount)).fill(NO_PARENT);
    this.#setParent(row, parent);
  }

  /** Gives a workload of a row a home of its own, of a shape of that workload; domains of the row are added before. */
  addWorkload(row: TenantRow, workload: Workload, shape: number): void {
    const octets = Buffer.from(workloadLabel(this.labelAt(row), workload), "latin1");
    const own = this.addRow(octets, 0, octets.length, shape, this.slotOf(row));
    this.setParent(own, row);
    const number = workloadNumber(workload);
    const rows = this.#workloads[number] ?? sharedUint32s(this.#room);
    const roomy = row < rows.length ? rows : grown(rows, Math.max(row + 1, this.#room), sharedUint32s);
    roomy[row] = own + 1;
    this.#workloads[number] = roomy;
  }

  /** Adds a domain, in lower case and without a dot at its end, to the last row. */
  addDomain(octets: Uint8Array, start: number, end: number): DomainNumber {
    const key = new Uint8Array(octets.subarray(start, end));
    for (let i = 0; i < key.length; i++) if (key[i] === 0x2e) key[i] = 0x2d;
    const domain = this.domainKeys.add(key, 0, key.length);
    const at = this.domainKeys.startOf(domain);
    const room = at + key.length;
    if (room > this.#domains.length) this.#domains = grown(this.#domains, room, sharedOctets);
    this.#domains.set(octets.subarray(start, end), at);
    if (domain >= this.#domainRows.length)
      this.#domainRows = grown(this.#domainRows, domain + 1, sharedUint32s);
    this.#domainRows[domain] = this.rowCount - 1;
    return domain;
  }

  /** The row of a label in any case. */
  findRow(label: string): TenantRow {
    const octets = Buffer.from(label, "latin1");
    return octets.length === label.length ? this.labels.find(octets, 0, octets.length) : NO_ROW;
  }

  /** The domains of a key in any case, as `{domainKey}` has it: in one cloud one, but there can be others elsewhere. */
  *domainsOfKey(key: string): Generator<DomainNumber> {
    const octets = Buffer.from(key, "latin1");
    const findAfter = (domain: DomainNumber): DomainNumber =>
      this.domainKeys.find(octets, 0, octets.length, domain);
    for (let found = findAfter(NO_TEXT); found !== NO_TEXT; found = findAfter(found)) yield found;
  }

  find(label: string): TenantGeo | undefined {
    const row = this.findRow(label);
    return row === NO_ROW ? undefined : this.geoAt(row);
  }

  shapeOf(row: TenantRow): number {
    return shapeIn(this.#homes[row] ?? 0);
  }

  slotOf(row: TenantRow): number {
    return slotIn(this.#homes[row] ?? 0);
  }

  /** Gives a row an initial domain, in lower case, that does not follow from its label. */
  setInitialDomain(row: TenantRow, domain: string): void {
    this.#initialDomains.set(row, domain);
  }

  /** The initial domains that were given, each with its row. */
  get initialDomains(): ReadonlyMap<TenantRow, string> {
    return this.#initialDomains;
  }

  /** Whether any tenant has a home of its own for a workload. */
  hasHomes(workload: Workload | undefined): boolean {
    return this.#workloads[workloadNumber(workload)] !== undefined;
  }

  /** The row that says where a workload of a tenant is: its own, or else that of the tenant. */
  homeOf(row: TenantRow, workload: Workload | undefined): TenantRow {
    const own = this.#workloads[workloadNumber(workload)]?.[row] ?? 0;
    return own === 0 ? row : own - 1;
  }

  /** The rows of a tenant's workloads with homes of their own. */
  workloadsOf(row: TenantRow): readonly TenantRow[] {
    return WORKLOADS.flatMap((workload) => {
      const home = this.homeOf(row, workload);
      return home === row ? [] : [home];
    });
  }

  /** The tenant that a row is a satellite or a workload of. */
  parentOf(row: TenantRow): TenantRow | undefined {
    const parent = this.#parents?.[row] ?? NO_PARENT;
    return parent === NO_PARENT ? undefined : parent;
  }

  shapeAt(row: TenantRow): TenantShape {
    const shape = this.#shapes[this.shapeOf(row)];
    if (shape === undefined) throw new Error(`there is no tenant ${row}`);
    return shape;
  }

  labelAt(row: TenantRow): string {
    return this.labels.textOf(row);
  }

  /** A tenant, a satellite or a workload; with a workload named, a tenant with the home of that. */
  geoAt(row: TenantRow, of?: Workload): TenantGeo {
    const home = this.homeOf(row, of);
    const { geo, active, standby, failover, failback, workload } = this.shapeAt(home);
    let root = row;
    for (let above = this.parentOf(row); above !== undefined; above = this.parentOf(above)) root = above;
    return {
      tenant: this.labelAt(root),
      label: this.labelAt(row),
      geo,
      active,
      standby,
      failover,
      failback,
      slot: this.slotOf(row),
      domains: Array.from(this.domainsOf(row), (domain) => this.domainAt(domain)),
      initialDomain: this.#initialDomains.get(row),
      workload,
      home: home === row ? undefined : this.labelAt(home),
    };
  }

  domainAt(domain: DomainNumber): string {
    const start = this.domainKeys.startOf(domain);
    return latin1(this.#domains, start, start + this.domainKeys.lengthOf(domain));
  }

  rowOfDomain(domain: DomainNumber): TenantRow {
    return this.#domainRows[domain] ?? NO_ROW;
  }

  /** The domains of a row, which stand together. */
  *domainsOf(row: TenantRow): Generator<DomainNumber> {
    if (this.domainCount === 0) return;
    let low = 0;
    let high = this.domainCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rowOfDomain(middle) < row) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < this.domainCount && this.rowOfDomain(at) === row; at++) yield at;
  }

  /** How many rows have a shape. */
  rowsOfShape(shape: number): number {
    return this.#rowsOfShape[shape] ?? 0;
  }

  homesOfShape(shape: number): number {
    return this.#homesOfShape[shape] ?? 0;
  }

  #setParent(row: TenantRow, parent: number): void {
    const parents = this.#parents;
    if (parents === undefined) return;
    if (row >= parents.length) {
      const larger = grown(parents, row + 1, sharedInt32s);
      larger.fill(NO_PARENT, parents.length);
      this.#parents = larger;
    }
    if (this.#parents !== undefined) this.#parents[row] = parent;
  }
}

/** The tenants of one cloud, and their satellites. */
export class CloudTenants implements Iterable<TenantGeo> {
  readonly table: TenantTable;
  readonly cloud: string;
  /** as what tenants are answered for that there are not; undefined: their names do not exist */
  readonly unknown: UnknownTenantHome | undefined;

  constructor(table: TenantTable, cloud: string, unknown?: UnknownTenantHome) {
    this.table = table;
    this.cloud = cloud;
    this.unknown = unknown;
  }

  /** tenants, satellites not counted */
  get homeCount(): number {
    return this.#sumOverShapes((shape) => this.table.homesOfShape(shape));
  }

  /** tenants, satellites, and workloads with a home of their own */
  get count(): number {
    return this.#sumOverShapes((shape) => this.table.rowsOfShape(shape));
  }

  *[Symbol.iterator](): Generator<TenantGeo> {
    yield* this.servedFor(undefined);
  }

  /** All tenants and satellites, each with the home that a workload of it has. */
  *servedFor(workload: Workload | undefined): Generator<TenantGeo> {
    for (const row of this.rows()) yield this.table.geoAt(row, workload);
  }

  /** Those behind the first `offset`, `limit` at the most, workloads among them. */
  *page(offset: number, limit: number): Generator<TenantGeo> {
    let at = 0;
    if (limit <= 0) return;
    const { table } = this;
    for (let row = 0; row < table.rowCount; row++) {
      if (table.shapeAt(row).cloud !== this.cloud) continue;
      if (at >= offset) yield this.table.geoAt(row);
      if (++at >= offset + limit) return;
    }
  }

  /** Tenants and satellites. */
  *rows(): Generator<TenantRow> {
    const { table } = this;
    const isOurs = this.shapesOfCloud();
    for (let row = 0; row < table.rowCount; row++) if (isOurs[table.shapeOf(row)] === 1) yield row;
  }

  *domains(): Generator<DomainNumber> {
    const { table } = this;
    const isOurs = this.shapesOfCloud();
    for (let domain = 0; domain < table.domainCount; domain++) {
      if (isOurs[table.shapeOf(table.rowOfDomain(domain))] === 1) yield domain;
    }
  }

  /** Whether a row is a tenant or a satellite of this cloud, so that there are names of it. */
  has(row: TenantRow): boolean {
    if (row === NO_ROW) return false;
    const { cloud, workload } = this.table.shapeAt(row);
    return cloud === this.cloud && workload === undefined;
  }

  /** The row of a label in any case, which may be that of a workload. */
  findRow(label: string): TenantRow {
    const row = this.table.findRow(label);
    return row !== NO_ROW && this.table.shapeAt(row).cloud === this.cloud ? row : NO_ROW;
  }

  find(label: string): TenantGeo | undefined {
    const row = this.findRow(label);
    return row === NO_ROW ? undefined : this.table.geoAt(row);
  }

  /** By the number of a shape: 1 where it is of tenants and satellites of this cloud. */
  shapesOfCloud(): Uint8Array {
    return this.shapesOf(undefined);
  }

  /** By the number of a shape: 1 where a workload can be served as it says, or what is of no workload. */
  shapesOf(workload: Workload | undefined): Uint8Array {
    return Uint8Array.from(this.table.shapes, ({ cloud, workload: own }) =>
      cloud === this.cloud && (own === undefined || own === workload) ? 1 : 0,
    );
  }

  #sumOverShapes(countOf: (shape: number) => number): number {
    return this.table.shapes.reduce(
      (sum, { cloud }, shape) => sum + (cloud === this.cloud ? countOf(shape) : 0),
      0,
    );
  }
}

interface HasTenants {
  readonly tenants: CloudTenants;
}

/** The tenant, or satellite, of a label in any case. */
export function findTenant(clouds: readonly HasTenants[], label: string): TenantGeo | undefined {
  for (const { tenants } of clouds) {
    const found = tenants.find(label);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** More than this are not compared one by one with what was written. */
const MAX_LABELS = 10_000;

/** Labels that could be meant by one that is none: all of them or, of very many, those that begin and are as long alike. */
export function labelsLike(clouds: readonly HasTenants[], text: string): readonly string[] {
  const total = clouds.reduce((sum, { tenants }) => sum + tenants.count, 0);
  const labels: string[] = [];
  const first = text.charCodeAt(0) & ~0x20;
  for (const { tenants } of clouds) {
    const { labels: packed } = tenants.table;
    for (const row of tenants.rows()) {
      if (labels.length === MAX_LABELS) return labels;
      const isAlike =
        Math.abs(packed.lengthOf(row) - text.length) <= 2 &&
        ((packed.octets[packed.startOf(row)] ?? 0) & ~0x20) === first;
      if (total <= MAX_LABELS || isAlike) labels.push(tenants.table.labelAt(row));
    }
  }
  return labels;
}
