/** Rows under headings, for people. */

import { escapeUnprintable } from "../config/printable.ts";

/** Absent cells stay empty; the last column is as wide as it likes. */
export function* formatTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): Generator<string> {
  const cells = rows.map((row) => row.map((cell) => escapeUnprintable(String(cell ?? ""))));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  for (const row of [headings, ...cells]) {
    yield row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  }
}
