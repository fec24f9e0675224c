/** The lines of a large CSV file that rows of tenants come from, read again only where an error needs one. */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { TenantRow } from "../cloud/tenant-table.ts";
import { parseCsv } from "./csv.ts";
import { cutPieces, escapeUnprintable } from "./printable.ts";
import type { RowOrigins, Spot } from "./tenants-builder.ts";
import type { ConfigError, FilePlace } from "./yaml-document.ts";

/** Octets read at a time. */
const PIECE = 1 << 16;

export class FileLines implements RowOrigins {
  readonly bulkFile: string;
  readonly firstRow: TenantRow;
  /** where pieces of the file begin, each with a line, and the number of that line */
  readonly #offsets: number[] = [];
  readonly #firstLines: number[] = [];
  /** rows from which on one line after the other is one row after the other, and the lines of those rows */
  readonly #runRows: TenantRow[] = [];
  readonly #runLines: number[] = [];
  #nextRow: TenantRow | undefined;
  #nextLine = 0;
  /** by number of its cell */
  #columns = { tenant: 0, domains: -1, parent: -1 };
  /** the line that was read last */
  #read: { readonly line: number; readonly text: string } | undefined;

  constructor(file: string, firstRow: TenantRow) {
    this.bulkFile = file;
    this.firstRow = firstRow;
  }

  get size(): number {
    return statSync(this.bulkFile).size;
  }

  begin(tenant: number, domains: number, parent: number): void {
    this.#columns = { tenant, domains, parent };
  }

  beginPiece(offset: number, line: number): void {
    this.#offsets.push(offset);
    this.#firstLines.push(line);
  }

  /** Rows are noted in their order. */
  note(row: TenantRow, line: number): void {
    if (row !== this.#nextRow || line !== this.#nextLine) {
      this.#runRows.push(row);
      this.#runLines.push(line);
    }
    this.#nextRow = row + 1;
    this.#nextLine = line + 1;
  }

  spotOf(row: TenantRow): Spot {
    return this.#spotIn(row, this.#columns.tenant);
  }

  spotOfParent(row: TenantRow): Spot {
    return this.#spotIn(row, this.#columns.parent);
  }

  spotOfDomain(row: TenantRow, index: number): Spot {
    const { source, place } = this.#spotIn(row, this.#columns.domains);
    const text = this.#cellOf(place.line, this.#columns.domains)?.text ?? "";
    const offset = [...text.matchAll(/[^ \t;]+/g)][index]?.index ?? 0;
    return { source, place: { ...place, column: place.column + offset } };
  }

  errorAt(place: FilePlace, message: string): ConfigError {
    const sourceLine = this.#textOf(place.line);
    return { place, sourceLine, message: escapeUnprintable(cutPieces(message, sourceLine)) };
  }

  #spotIn(row: TenantRow, column: number): Spot {
    const line = this.#lineOf(row);
    return {
      source: this,
      place: { file: this.bulkFile, line, column: this.#cellOf(line, column)?.column ?? 1 },
    };
  }

  #lineOf(row: TenantRow): number {
    const at = lastAtMost(this.#runRows, row);
    return (this.#runLines[at] ?? 1) + row - (this.#runRows[at] ?? row);
  }

  #cellOf(line: number, column: number) {
    return parseCsv(this.#textOf(line)).rows[0]?.[column];
  }

  #textOf(line: number): string {
    if (this.#read?.line === line) return this.#read.text;
    const at = lastAtMost(this.#firstLines, line);
    const text = readLine(this.bulkFile, this.#offsets[at] ?? 0, line - (this.#firstLines[at] ?? 1));
    this.#read = { line, text };
    return text;
  }
}

/** The line that comes `skip` lines behind the one at an offset; the file may have changed since. */
function readLine(file: string, offset: number, skip: number): string {
  const descriptor = openSync(file, "r");
  try {
    const piece = Buffer.allocUnsafe(PIECE);
    const parts: Buffer[] = [];
    for (let left = skip, at = offset; ; ) {
      const count = readSync(descriptor, piece, 0, PIECE, at);
      if (count === 0) break;
      at += count;
      let start = 0;
      for (; left > 0; left--) {
        const newline = piece.subarray(start, count).indexOf(0x0a);
        if (newline < 0) break;
        start += newline + 1;
      }
      if (left > 0) continue;
      const newline = piece.subarray(start, count).indexOf(0x0a);
      parts.push(Buffer.from(piece.subarray(start, newline < 0 ? count : start + newline)));
      if (newline >= 0) break;
    }
    return Buffer.concat(parts)
      .toString("utf8")
      .replace(/^\ufeff/, "")
      .replace(/\r$/, "");
  } finally {
    closeSync(descriptor);
  }
}

/** The index of the last of ascending numbers that is not above one; 0 where all are. */
function lastAtMost(numbers: readonly number[], number: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) <= number) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
