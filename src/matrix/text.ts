/** Sheets as text: tables for a terminal, for Markdown, and CSV. */

import { escapeUnprintable } from "../config/printable.ts";
import { FIXED_WORDS, hasFixed, type TextSheet } from "./words.ts";

/** Columns of a terminal. */
const WIDTH = 80;
const GAP = "  ";

/** Tables no wider than a terminal, where that can be: what does not fit beside comes below. */
export function* formatTables(sheets: readonly TextSheet[]): Generator<string> {
  for (const [i, sheet] of sheets.entries()) {
    if (i > 0) yield "";
    yield sheet.title;
    for (const [j, part] of partsOf(sheet).entries()) {
      if (j > 0) yield "";
      yield* part;
    }
    for (const services of sheet.columns) {
      if (services.length > 1) yield* wrapped(`${headingOf(services)}: `, services);
    }
  }
  if (hasFixed(sheets)) yield* ["", FIXED_WORDS];
}

/** The first of several services, and how many more there are. */
function headingOf(services: readonly string[]): string {
  const [first = "", ...others] = services;
  return others.length === 0 ? first : `${first} +${others.length}`;
}

/** The columns of a sheet in as many tables as it takes, each with the names of the rows. */
function partsOf({ corner, columns, rows }: TextSheet): readonly (readonly string[])[] {
  const printable = (text: string): string => escapeUnprintable(text);
  const names = [corner, ...rows.map(({ name }) => printable(name))];
  const all = columns.map((services, i) => [
    headingOf(services),
    ...rows.map(({ cells }) => printable(cells[i] ?? "")),
  ]);
  const widthOf = (column: readonly string[]): number => Math.max(...column.map(({ length }) => length));
  const parts: (readonly string[])[][] = [];
  let room = 0;
  for (const column of all) {
    const last = parts.at(-1);
    const width = GAP.length + widthOf(column);
    if (last !== undefined && width <= room) last.push(column);
    else {
      parts.push([names, column]);
      room = WIDTH - widthOf(names);
    }
    room -= width;
  }
  return parts.map((part) =>
    names.map((_name, row) =>
      part
        .map((column) => (column[row] ?? "").padEnd(widthOf(column)))
        .join(GAP)
        .trimEnd(),
    ),
  );
}

/** Words after a heading, on lines that are no wider than a terminal. */
function* wrapped(heading: string, words: readonly string[]): Generator<string> {
  let line = heading;
  for (const [i, word] of words.entries()) {
    const text = i < words.length - 1 ? `${word},` : word;
    if (line.length > heading.length && line.length + text.length > WIDTH) {
      yield line.trimEnd();
      line = "  ";
    }
    line += `${text} `;
  }
  yield line.trimEnd();
}

/** Tables of GitHub's Markdown. */
export function* formatMarkdown(sheets: readonly TextSheet[]): Generator<string> {
  for (const [i, { title, corner, columns, rows }] of sheets.entries()) {
    if (i > 0) yield "";
    yield* [`## ${markdownText(title)}`, ""];
    const line = (cells: readonly string[]): string => `| ${cells.map(markdownText).join(" | ")} |`;
    yield line([corner, ...columns.map((services) => services.join(", "))]);
    yield `|${"---|".repeat(columns.length + 1)}`;
    for (const { name, cells } of rows) yield line([name, ...cells]);
  }
  if (hasFixed(sheets)) yield* ["", FIXED_WORDS];
}

/** A text that Markdown shows as it is. */
const markdownText = (text: string): string =>
  escapeUnprintable(text)
    .replaceAll("->", "→")
    .replace(/[\\`*_[\]<>|#~]/g, "\\$&");

/** Lines of CSV (RFC 4180), which end in CR and LF. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
