/** Sheets in words: what stands in a cell, and columns that say the same put together. */

import type { Change } from "./compare.ts";
import type { Cell, Sheet } from "./matrix.ts";

/** A sheet of texts. */
export interface TextSheet {
  readonly title: string;
  readonly corner: string;
  /** the services of each column */
  readonly columns: readonly (readonly string[])[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

const titles = { place: "by place", tenant: "by tenant, from everywhere" } as const;

/** Columns that are the same in every row become one. */
export function textSheet<C>(sheet: Sheet<C>, wordsOf: (cell: C, cloud: string) => string): TextSheet {
  const { cloud, by, columns, rows } = sheet;
  const texts = rows.map(({ cells }) =>
    cells.map((cell) => (cell === undefined ? "" : wordsOf(cell, cloud))),
  );
  const groups = Map.groupBy(columns.keys(), (i) => JSON.stringify(texts.map((row) => row[i])));
  const numbers = [...groups.values()];
  return {
    title: `${cloud}, ${titles[by]}`,
    corner: by,
    columns: numbers.map((group) => group.flatMap((i) => columns[i] ?? [])),
    rows: rows.map(({ kind, name }, r) => ({
      name: kind === "country" ? `country ${name}` : name,
      cells: numbers.map(([first = 0]) => texts[r]?.[first] ?? ""),
    })),
  };
}

/** `lhr`, or with what is not usual about it: `cdg (next-nearest)`. */
export function cellWords(cell: Cell, cloud: string): string {
  switch (cell.kind) {
    case "datacenters": {
      const ids = cell.ids.map((id) => (id.startsWith(`${cloud}/`) ? id.slice(cloud.length + 1) : id));
      const isUsual = cell.reason === "nearest" || cell.reason === "active";
      return isUsual ? ids.join(" ") : `${ids.join(" ")} (${cell.reason})`;
    }
    case "fixed":
      return "fixed";
    case "other":
      return cell.reason === "" ? cell.words : `${cell.words} (${cell.reason})`;
    default:
      return cell satisfies never;
  }
}

/** `lhr -> cdg`. */
export function changeWords({ from, to }: Change, cloud: string): string {
  const words = (cell: Cell | undefined): string =>
    cell === undefined ? "nothing" : cellWords(cell, cloud).replace(/ \(.*\)$/, "");
  const [before, after] = [words(from), words(to)];
  return before === after && from !== undefined && to !== undefined
    ? `${cellWords(from, cloud)} -> ${cellWords(to, cloud)}`
    : `${before} -> ${after}`;
}

/** What the word in some cells means. */
export const FIXED_WORDS = "fixed: the same for everyone, whatever the place";

export const hasFixed = (sheets: readonly TextSheet[]): boolean =>
  sheets.some(({ rows }) => rows.some(({ cells }) => cells.some((cell) => /(^|> )fixed($| )/.test(cell))));
