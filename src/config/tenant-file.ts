/**
 * Tenants from CSV, a line each, read piece by piece and straight from octets: a million lines in half a second, and no
 * object for any of them. A line that is not of the plainest form is read once more, as text, with all that can be wrong.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { foldedOctet } from "../cloud/packed-texts.ts";
import { MAX_TENANTS, NO_ROW, type TenantRow } from "../cloud/tenant-table.ts";
import { FARM_SLOTS, WORKLOADS, type Workload } from "../cloud/topology.ts";
import { parseName } from "../dns/name.ts";
import type { Faults } from "./build-topology.ts";
import { type CsvCell, parseCsv } from "./csv.ts";
import { reasonOf, suggest } from "./documents.ts";
import { FileLines } from "./file-lines.ts";
import { cutFound } from "./printable.ts";
import type { ShapeTexts, TenantsBuilder, WorkloadTexts } from "./tenants-builder.ts";
import { formatPlace, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** Where a document names the file. */
export interface TenantFileEntry {
  readonly source: YamlDocument;
  readonly valuePath: ValuePath;
  /** as written */
  readonly path: string;
  readonly file: string;
}

const COLUMNS = [
  "tenant",
  "cloud",
  "geo",
  "active",
  "standby",
  "failover",
  "failback",
  "slot",
  "domains",
  "satelliteOf",
  "initialDomain",
  "exchangeActive",
  "exchangeStandby",
  "exchangeFailover",
  "exchangeFailback",
  "sharepointActive",
  "sharepointStandby",
  "sharepointFailover",
  "sharepointFailback",
] as const;
type Column = (typeof COLUMNS)[number];

/** The columns of the home that a workload has of its own. */
const workloadColumns = {
  exchange: {
    active: "exchangeActive",
    standby: "exchangeStandby",
    failover: "exchangeFailover",
    failback: "exchangeFailback",
  },
  sharepoint: {
    active: "sharepointActive",
    standby: "sharepointStandby",
    failover: "sharepointFailover",
    failback: "sharepointFailback",
  },
} as const satisfies Record<Workload, Record<keyof WorkloadTexts, Column>>;

const requiredColumns: readonly Column[] = ["tenant", "cloud", "geo", "active"];
/** What together is the shape of a tenant. */
const shapeColumns = ["cloud", "geo", "active", "standby", "failover", "failback"] as const;

/** Octets read at a time. */
const PIECE = 1 << 20;

const COMMA = 0x2c;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HYPHEN = 0x2d;
const DOT = 0x2e;

const octetsLike = (pattern: RegExp): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, octet) =>
    octet < 0x80 && pattern.test(String.fromCharCode(octet)) ? 1 : 0,
  );
/** Of what may stand in a label, the octet in lower case. */
const inLabel = octetsLike(/[A-Za-z0-9-]/).map((isLike, octet) =>
  isLike === 1 ? (foldedOctet[octet] ?? 0) : 0,
);
/** An underscore may stand in the labels of a domain. */
const inDomain = octetsLike(/[a-z0-9_.-]/);

const labelPattern = /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/;
const MAX_LABEL = 63;

export function readTenantFile(entry: TenantFileEntry, builder: TenantsBuilder, faults: Faults): void {
  const { source, valuePath, path, file } = entry;
  faults.namedFiles.add(file);
  const cannotBeRead = (error: unknown): void => {
    builder.isWhole = false;
    faults.at(source, valuePath, `"${cutFound(path)}" cannot be read: ${reasonOf(error)}`);
  };
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    cannotBeRead(error);
    return;
  }
  try {
    new TenantFileReader(file, descriptor, builder, faults).read();
  } catch (error) {
    // An error of the program is none of the file's.
    if (!(error instanceof Error && "syscall" in error)) throw error;
    cannotBeRead(error);
  } finally {
    closeSync(descriptor);
  }
}

/** A part of a line. */
type At = Pick<CsvCell, "line" | "column">;

class TenantFileReader {
  readonly #descriptor: number;
  readonly #builder: TenantsBuilder;
  readonly #faults: Faults;
  readonly #lines: FileLines;
  /** what was read and is not used up: it begins with a line */
  #buffer = Buffer.allocUnsafeSlow(PIECE);
  #filled = 0;
  #isEnd = false;
  #line = 0;
  /** by column: the number of its cell, -1 where the file has none; undefined before the first line */
  #cellOf: Readonly<Record<Column, number>> | undefined;
  #cells = 0;
  readonly #starts = new Int32Array(COLUMNS.length);
  readonly #ends = new Int32Array(COLUMNS.length);
  readonly #shapes = new ShapeCache();
  #shapeCells = new Int32Array(0);
  /** of the workloads that the file has columns for */
  #workloads: readonly WorkloadCells[] = [];
  /** of the line that is read, if its cells are plain */
  #lastShape: number | undefined;

  constructor(file: string, descriptor: number, builder: TenantsBuilder, faults: Faults) {
    this.#descriptor = descriptor;
    this.#builder = builder;
    this.#faults = faults;
    this.#lines = new FileLines(file, builder.table.rowCount);
  }

  read(): void {
    this.#builder.begin(this.#lines);
    let offset = 0;
    let isSized = false;
    this.#lines.beginPiece(0, 1);
    while (!this.#isEnd) {
      const count = readSync(this.#descriptor, this.#buffer, this.#filled, PIECE - this.#filled, null);
      this.#isEnd = count === 0;
      this.#filled += count;
      const used = this.#readLines();
      if (used === undefined) return;
      if (used === 0 && this.#filled === PIECE) {
        this.#refuse({ line: this.#line + 1, column: 1 }, tooLong);
        return;
      }
      if (!isSized && count > 0) {
        isSized = true;
        this.#makeRoom(used);
      }
      this.#buffer.copyWithin(0, used, this.#filled);
      this.#filled -= used;
      offset += used;
      this.#lines.beginPiece(offset, this.#line + 1);
    }
    if (this.#cellOf === undefined) {
      this.#refuse(
        { line: 1, column: 1 },
        `the file is empty; its first line names its columns: ${requiredColumns.join(",")}`,
      );
    }
  }

  /** Room for all rows at once, by how many the first piece has: arrays that grow are copied, and their old ones linger. */
  #makeRoom(used: number): void {
    const { table } = this.#builder;
    const size = this.#lines.size;
    const rows = table.rowCount - this.#lines.firstRow;
    if (used === 0 || rows === 0) return;
    const factor = (1.1 * size) / used;
    const { labels } = table;
    const octets = labels.startOf(table.rowCount) - labels.startOf(this.#lines.firstRow);
    table.reserve(
      Math.ceil(this.#lines.firstRow + rows * factor),
      Math.ceil(labels.startOf(this.#lines.firstRow) + octets * factor),
    );
  }

  /** Reads the whole lines in the buffer; how many octets they are, or undefined where nothing more can be made of the file. */
  #readLines(): number | undefined {
    const buffer = this.#buffer;
    const filled = this.#filled;
    const starts = this.#starts;
    const ends = this.#ends;
    const max = starts.length;
    let at = 0;
    while (at < filled) {
      let end = at;
      let cells = 0;
      let start = at;
      let isPlain = true;
      for (; end < filled; end++) {
        const octet = buffer[end] ?? 0;
        if (octet === COMMA) {
          if (cells < max) {
            starts[cells] = start;
            ends[cells] = end;
          }
          cells++;
          start = end + 1;
        } else if (octet === NEWLINE) break;
        else if (octet === QUOTE || octet > 0x7e) isPlain = false;
      }
      if (end === filled && !this.#isEnd) return at;
      this.#line++;
      const lineEnd = end > at && buffer[end - 1] === RETURN ? end - 1 : end;
      if (cells < max) {
        starts[cells] = start;
        ends[cells] = lineEnd;
      }
      cells++;
      if (this.#cellOf === undefined) {
        this.#cellOf = this.#readHeader(at, lineEnd);
        if (this.#cellOf === undefined && this.#cells < 0) return undefined;
      } else if (!isPlain || cells !== this.#cells || !this.#readPlain(this.#cellOf)) {
        this.#readSlowly(this.#cellOf, at, lineEnd);
        this.#lastShape = undefined;
      }
      at = end + 1;
    }
    return Math.min(at, filled);
  }

  /** Adds the row of a line whose cells are in the fields, if there is nothing unusual in it; else does nothing. */
  #readPlain(cellOf: Readonly<Record<Column, number>>): boolean {
    const buffer = this.#buffer;
    const { table } = this.#builder;
    for (let cell = 0; cell < this.#cells; cell++) this.#trim(cell);
    const start = this.#starts[cellOf.tenant] ?? 0;
    const end = this.#ends[cellOf.tenant] ?? 0;
    const length = end - start;
    if (length < 1 || length > MAX_LABEL || table.rowCount === MAX_TENANTS) return false;
    if (buffer[start] === HYPHEN || buffer[end - 1] === HYPHEN) return false;
    // The label is hashed as the table does it, since it is looked at here anyway.
    let hash = 0x811c9dc5 | 0;
    for (let i = start; i < end; i++) {
      const octet = inLabel[buffer[i] ?? 0] ?? 0;
      if (octet === 0) return false;
      hash = Math.imul(hash ^ octet, 0x01000193);
    }
    const shape = this.#shapes.find(buffer, this.#starts, this.#ends, this.#shapeCells);
    this.#lastShape = shape;
    if (shape === undefined) {
      const text = this.#shapeTexts((column) => this.#textOf(cellOf[column]));
      let isSound = text.geo !== "" && text.active !== "";
      const number = this.#builder.shapeNumber(text, () => {
        isSound = false;
      });
      this.#shapes.add(number === undefined || !isSound ? FAULTY : number);
      return this.#readPlain(cellOf);
    }
    if (shape === FAULTY) return false;
    if (this.#isFilled(cellOf.initialDomain)) return false;
    const slot = this.#slotOf(cellOf.slot);
    if (slot === undefined) return false;
    const parent = this.#parentOf(cellOf.satelliteOf);
    if (parent === undefined) return false;
    if (parent !== NO_ROW && this.#builder.faultOfParent(shape, parent) !== undefined) return false;
    const hasDomain = this.#isFilled(cellOf.domains);
    if (hasDomain && (parent !== NO_ROW || !this.#isNewDomain(cellOf.domains))) return false;
    for (let i = 0; i < this.#workloads.length; i++) {
      const cells = this.#workloads[i];
      if (cells !== undefined && !this.#findWorkload(cells)) return false;
    }
    const row = table.addRow(buffer, start, end, shape, slot, hash);
    if (row === NO_ROW) return false;
    if (parent !== NO_ROW) table.setParent(row, parent);
    if (hasDomain) {
      const [from = 0, to = 0] = [this.#starts[cellOf.domains], this.#ends[cellOf.domains]];
      table.addDomain(buffer, from, buffer[to - 1] === DOT ? to - 1 : to);
    }
    this.#lines.note(row, this.#line);
    for (let i = 0; i < this.#workloads.length; i++) {
      const { workload, found } = this.#workloads[i] ?? {};
      if (workload === undefined || found === undefined) continue;
      table.addWorkload(row, workload, found);
      this.#lines.note(table.rowCount - 1, this.#line);
    }
    return true;
  }

  /** Looks up the shape of a workload's own home, or that it has none; false where something may be wrong with it. */
  #findWorkload(cells: WorkloadCells): boolean {
    const columns = workloadColumns[cells.workload];
    const cellOf = this.#cellOf;
    cells.found = undefined;
    if (cellOf === undefined) return false;
    if (!this.#isFilled(cellOf[columns.active])) {
      return !Object.values(columns).some((column) => this.#isFilled(cellOf[column]));
    }
    let shape = cells.shapes.find(this.#buffer, this.#starts, this.#ends, cells.cells);
    if (shape === undefined) {
      const textOf = (column: Column): string => this.#textOf(cellOf[column]);
      let isSound = true;
      const texts = workloadTexts(cells.workload, textOf);
      const number = this.#builder.workloadShapeNumber(
        cells.workload,
        texts,
        this.#shapeTexts(textOf),
        () => {
          isSound = false;
        },
      );
      shape = number === undefined || !isSound ? FAULTY : number;
      cells.shapes.add(shape);
    }
    if (shape === FAULTY) return false;
    cells.found = shape;
    return true;
  }

  #trim(cell: number): void {
    const buffer = this.#buffer;
    let start = this.#starts[cell] ?? 0;
    let end = this.#ends[cell] ?? 0;
    while (start < end && isBlank(buffer[start] ?? 0)) start++;
    while (start < end && isBlank(buffer[end - 1] ?? 0)) end--;
    this.#starts[cell] = start;
    this.#ends[cell] = end;
  }

  #isFilled(cell: number): boolean {
    return cell >= 0 && (this.#starts[cell] ?? 0) < (this.#ends[cell] ?? 0);
  }

  #textOf(cell: number): string {
    return cell < 0 ? "" : this.#buffer.toString("latin1", this.#starts[cell], this.#ends[cell]);
  }

  /** -1 where none is given, undefined where it is none. */
  #slotOf(cell: number): number | undefined {
    if (!this.#isFilled(cell)) return -1;
    const text = this.#textOf(cell);
    return isSlot(text) ? Number(text) : undefined;
  }

  /** The tenant that a satellite is of, NO_ROW where none is named, undefined where there is none of that name yet. */
  #parentOf(cell: number): TenantRow | undefined {
    if (!this.#isFilled(cell)) return NO_ROW;
    const { labels } = this.#builder.table;
    const row = labels.find(this.#buffer, this.#starts[cell] ?? 0, this.#ends[cell] ?? 0);
    return row === NO_ROW ? undefined : row;
  }

  /** Whether the cell is one domain in lower case that no other is like. */
  #isNewDomain(cell: number): boolean {
    const buffer = this.#buffer;
    const start = this.#starts[cell] ?? 0;
    let end = this.#ends[cell] ?? 0;
    if (buffer[end - 1] === DOT) end--;
    let labelStart = start;
    for (let i = start; i <= end; i++) {
      const octet = buffer[i] ?? 0;
      if (i === end || octet === DOT) {
        if (i === labelStart || i - labelStart > MAX_LABEL) return false;
        labelStart = i + 1;
      } else if (inDomain[octet] !== 1) return false;
    }
    if (end - start > MAX_DOMAIN) return false;
    const key = Buffer.from(buffer.subarray(start, end));
    for (let i = 0; i < key.length; i++) if (key[i] === DOT) key[i] = HYPHEN;
    return this.#builder.table.domainKeys.find(key, 0, key.length) === NO_ROW;
  }

  #shapeTexts(textOf: (column: Column) => string): ShapeTexts {
    const orAbsent = (text: string): string | undefined => (text === "" ? undefined : text);
    return {
      cloud: textOf("cloud"),
      geo: textOf("geo"),
      active: textOf("active"),
      standby: orAbsent(textOf("standby")),
      failover: orAbsent(textOf("failover")),
      failback: orAbsent(textOf("failback")),
    };
  }

  /** Reads a line as text: it is added too if nothing is wrong with it, and else all that is wrong is told. */
  #readSlowly(cellOf: Readonly<Record<Column, number>>, at: number, end: number): void {
    const { rows, faults } = parseCsv(this.#buffer.toString("utf8", at, end));
    const [fault] = faults;
    if (fault !== undefined) {
      this.#refuse({ line: this.#line, column: fault.column }, fault.message);
      return;
    }
    const [row] = rows;
    if (row === undefined) return;
    if (row.length !== this.#cells) {
      const last = row.at(-1)?.column ?? 1;
      this.#refuse({ line: this.#line, column: last }, `expected ${this.#cells} cells, found ${row.length}`);
      return;
    }
    this.#addRow(cellOf, row);
  }

  #addRow(cellOf: Readonly<Record<Column, number>>, cells: readonly CsvCell[]): void {
    const builder = this.#builder;
    const { table } = builder;
    const line = this.#line;
    let isSound = true;
    const cellAt = (column: Column): CsvCell => cells[cellOf[column]] ?? { text: "", line, column: 1 };
    const textOf = (column: Column): string => cellAt(column).text;
    if (builder.isOff(textOf("cloud"))) return;
    const tell = (column: Column, message: string | (() => string), offset = 0): void => {
      isSound = false;
      this.#refuse({ line, column: cellAt(column).column + offset }, message);
    };
    for (const column of requiredColumns) {
      if (textOf(column) === "") tell(column, `"${column}" is empty here; every tenant has one`);
    }
    const label = textOf("tenant");
    if (table.rowCount === MAX_TENANTS)
      tell("tenant", `there are more than ${MAX_TENANTS} tenants, which is as many as there can be`);
    if (label !== "" && !labelPattern.test(label))
      tell("tenant", `expected letters, digits and inner hyphens, found "${cutFound(label)}"`);
    else if (label.length > MAX_LABEL)
      tell("tenant", `expected at most ${MAX_LABEL} characters, found ${label.length}`);
    const texts = this.#shapeTexts(textOf);
    const isPlaced = texts.cloud !== "" && texts.active !== "";
    // What to say of it takes long, and of a million lines with one mistake it is not told any more.
    const isUntold = this.#faults.isFull(this.#lines) && this.#lastShape === FAULTY;
    if (isUntold) tell("cloud", "");
    const shape = isPlaced && !isUntold ? builder.shapeNumber(texts, tell) : undefined;
    const slot = textOf("slot");
    if (slot !== "" && !isSlot(slot))
      tell("slot", `expected a whole number from 0 to ${FARM_SLOTS - 1}, found "${cutFound(slot)}"`);
    const clash = label === "" ? NO_ROW : table.findRow(label);
    if (clash !== NO_ROW) {
      this.#refuse({ line, column: cellAt("tenant").column }, () => {
        return `tenant "${cutFound(label)}" is defined at ${formatPlace(builder.spotOf(clash).place)} already`;
      });
      isSound = false;
    }
    const domains = domainsIn(textOf("domains"));
    const parent = textOf("satelliteOf");
    if (parent !== "" && domains.length > 0)
      tell("domains", "a satellite has no domains; they are its tenant's");
    // By key, or by themselves where no name is made of that.
    const seen = new Map<string, string>();
    for (const { domain, offset } of domains) {
      const key = builder.hasDomainNames(texts.cloud) ? domain.replaceAll(".", "-") : domain;
      const other = seen.get(key);
      const fault =
        other === undefined
          ? (faultOfName(domain) ?? builder.faultOfDomain(domain, texts.cloud))
          : other === domain
            ? `${domain} is here twice`
            : `${domain} and ${other}, which stands before it, would have the same names`;
      if (fault !== undefined) tell("domains", fault, offset);
      seen.set(key, domain);
    }
    const parentRow = parent === "" ? NO_ROW : table.findRow(parent);
    const parentFault =
      shape === undefined || parentRow === NO_ROW ? undefined : builder.faultOfParent(shape, parentRow);
    if (parentFault !== undefined) tell("satelliteOf", parentFault);
    const initialDomain = textOf("initialDomain");
    if (initialDomain !== "") {
      // Looked at here, and given to the row once that is there.
      const fault =
        parent !== ""
          ? "a satellite has no initial domain; it is its tenant's"
          : builder.hasCloud(texts.cloud)
            ? builder.addInitialDomain(NO_ROW, initialDomain, texts.cloud)
            : undefined;
      if (fault !== undefined) tell("initialDomain", fault);
    }
    const homes: { readonly workload: Workload; readonly shape: number }[] = [];
    for (const workload of WORKLOADS) {
      const columns = workloadColumns[workload];
      const own = workloadTexts(workload, textOf);
      const said = Object.values(columns).find((column) => textOf(column) !== "");
      if (said === undefined) continue;
      if (own.active === "") {
        tell(
          said,
          `"${columns.active}" is empty here; a workload with a home of its own has an active datacenter`,
        );
        continue;
      }
      if (!isPlaced || !builder.hasCloud(texts.cloud)) continue;
      const number = builder.workloadShapeNumber(workload, own, texts, (key, message) =>
        tell(columns[key], message),
      );
      if (number !== undefined) homes.push({ workload, shape: number });
    }
    if (!isSound || shape === undefined) {
      builder.isWhole = false;
      return;
    }
    const octets = Buffer.from(label, "latin1");
    const row = table.addRow(octets, 0, octets.length, shape, slot === "" ? undefined : Number(slot));
    this.#lines.note(row, line);
    for (const { domain } of domains) {
      const domainOctets = Buffer.from(domain, "latin1");
      table.addDomain(domainOctets, 0, domainOctets.length);
    }
    if (initialDomain !== "") builder.addInitialDomain(row, initialDomain, texts.cloud);
    for (const home of homes) {
      table.addWorkload(row, home.workload, home.shape);
      this.#lines.note(table.rowCount - 1, line);
    }
    if (parentRow !== NO_ROW) table.setParent(row, parentRow);
    else if (parent !== "") builder.addParent(row, parent);
  }

  /** The columns that the first line names; undefined where they make no table, which leaves `#cells` below 0. */
  #readHeader(at: number, end: number): Readonly<Record<Column, number>> | undefined {
    const { rows, faults } = parseCsv(this.#buffer.toString("utf8", at, end));
    const line = this.#line;
    const [row] = rows;
    if (row === undefined && faults.length === 0) return undefined; // blank lines may come before it
    this.#cells = -1;
    let isSound = faults.length === 0;
    const refuse = (column: number, message: string): void => {
      isSound = false;
      this.#refuse({ line, column }, message);
    };
    for (const { column, message } of faults) refuse(column, message);
    const found: Record<Column, number> = {
      tenant: -1,
      cloud: -1,
      geo: -1,
      active: -1,
      standby: -1,
      failover: -1,
      failback: -1,
      slot: -1,
      domains: -1,
      satelliteOf: -1,
      initialDomain: -1,
      exchangeActive: -1,
      exchangeStandby: -1,
      exchangeFailover: -1,
      exchangeFailback: -1,
      sharepointActive: -1,
      sharepointStandby: -1,
      sharepointFailover: -1,
      sharepointFailback: -1,
    };
    for (const [i, { text, column }] of (row ?? []).entries()) {
      const name = COLUMNS.find((each) => each === text || (each === "satelliteOf" && text === "parent"));
      if (name === undefined)
        refuse(column, `"${cutFound(text)}" is no column of tenants${suggest(text, COLUMNS)}`);
      else if (found[name] >= 0) refuse(column, `there is a column "${name}" already`);
      else found[name] = i;
    }
    const missing = requiredColumns.filter((column) => found[column] < 0);
    if (row !== undefined && isSound && missing.length > 0)
      refuse(
        1,
        `the first line names the columns, and ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not among them`,
      );
    if (!isSound || row === undefined) return undefined;
    this.#cells = row.length;
    this.#shapeCells = Int32Array.from(shapeColumns, (column) => found[column]);
    this.#workloads = WORKLOADS.filter((workload) =>
      Object.values(workloadColumns[workload]).some((column) => found[column] >= 0),
    ).map((workload) => ({
      workload,
      shapes: new ShapeCache(),
      cells: Int32Array.from(
        [...shapeColumns, ...Object.values(workloadColumns[workload])],
        (column) => found[column],
      ),
      found: undefined,
    }));
    this.#lines.begin(found.tenant, found.domains, found.satelliteOf);
    return found;
  }

  #refuse(at: At, message: string | (() => string)): void {
    this.#builder.isWhole = false;
    const { line, column } = at;
    this.#faults.atRow(this.#lines, () => {
      const place = { file: this.#lines.bulkFile, line, column };
      return [{ source: this.#lines, place }, typeof message === "string" ? message : message()];
    });
  }
}

/** Where a file has the homes of a workload. */
interface WorkloadCells {
  readonly workload: Workload;
  readonly shapes: ShapeCache;
  /** all that its shape depends on */
  readonly cells: Int32Array;
  /** of the line that is read: its shape, if it has a home of its own */
  found: number | undefined;
}

function workloadTexts(workload: Workload, textOf: (column: Column) => string): WorkloadTexts {
  const columns = workloadColumns[workload];
  const orAbsent = (column: Column): string | undefined => textOf(column) || undefined;
  return {
    active: textOf(columns.active),
    standby: orAbsent(columns.standby),
    failover: orAbsent(columns.failover),
    failback: orAbsent(columns.failback),
  };
}

const tooLong = `a line is longer than ${PIECE} octets; is this a file of tenants?`;

const isBlank = (octet: number): boolean => octet === 0x20 || octet === 0x09;
const isSlot = (text: string): boolean => /^\d{1,2}$/.test(text) && Number(text) < FARM_SLOTS;

const MAX_DOMAIN = 253;

/** The domains of a cell, in lower case and without a dot at their end, each with where it stands. */
function domainsIn(text: string): readonly { readonly domain: string; readonly offset: number }[] {
  return [...text.matchAll(/[^ \t;]+/g)].map(({ 0: found, index }) => ({
    domain: found.toLowerCase().replace(/\.$/, ""),
    offset: index,
  }));
}

const faultOfName = (domain: string): string | undefined => {
  const name = parseName(domain);
  return typeof name === "string" ? name : undefined;
};

/** Stands for the number of a shape that cannot be. */
const FAULTY = -1;

/** Ways to place a tenant as a file writes them, octet for octet, with the numbers of their shapes. */
class ShapeCache {
  #index = new Int32Array(1024);
  readonly #hashes: number[] = [];
  readonly #texts: Uint8Array[] = [];
  readonly #numbers: number[] = [];
  /** what was not found last */
  #hash = 0;
  #text: Uint8Array = new Uint8Array(0);

  find(buffer: Uint8Array, starts: Int32Array, ends: Int32Array, cells: Int32Array): number | undefined {
    // A few octets of each cell tell most ways apart; all are compared with what is found by them.
    let hash = 0x811c9dc5 | 0;
    for (let c = 0; c < cells.length; c++) {
      const cell = cells[c] ?? -1;
      if (cell < 0) continue;
      const start = starts[cell] ?? 0;
      const end = ends[cell] ?? 0;
      hash = Math.imul(hash ^ (end - start), 0x01000193);
      for (let i = start; i < end && i < start + 4; i++)
        hash = Math.imul(hash ^ (buffer[i] ?? 0), 0x01000193);
      if (end > start) hash = Math.imul(hash ^ (buffer[end - 1] ?? 0), 0x01000193);
    }
    const mask = this.#index.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#index[slot] ?? 0;
      if (entry === 0) break;
      if (this.#hashes[entry - 1] !== hash) continue;
      const text = this.#texts[entry - 1];
      if (text !== undefined && isText(text, buffer, starts, ends, cells)) return this.#numbers[entry - 1];
    }
    this.#hash = hash;
    this.#text = textOf(buffer, starts, ends, cells);
    return undefined;
  }

  /** Gives what was not found last its number. */
  add(number: number): void {
    this.#hashes.push(this.#hash);
    this.#texts.push(this.#text);
    this.#numbers.push(number);
    if (2 * this.#hashes.length > this.#index.length) {
      this.#index = new Int32Array(2 * this.#index.length);
      for (const [i, hash] of this.#hashes.entries()) this.#put(hash, i + 1);
    } else this.#put(this.#hash, this.#hashes.length);
  }

  #put(hash: number, entry: number): void {
    const mask = this.#index.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
    this.#index[slot] = entry;
  }
}

function isText(
  text: Uint8Array,
  buffer: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
  cells: Int32Array,
): boolean {
  let at = 0;
  for (let c = 0; c < cells.length; c++) {
    const cell = cells[c] ?? -1;
    if (cell >= 0) {
      const end = ends[cell] ?? 0;
      for (let i = starts[cell] ?? 0; i < end; i++) if (text[at++] !== buffer[i]) return false;
    }
    if (text[at++] !== COMMA) return false;
  }
  return at === text.length;
}

function textOf(buffer: Uint8Array, starts: Int32Array, ends: Int32Array, cells: Int32Array): Uint8Array {
  const parts = Array.from(cells, (cell) => [
    ...(cell < 0 ? [] : buffer.subarray(starts[cell], ends[cell])),
    COMMA,
  ]);
  return Uint8Array.from(parts.flat());
}
