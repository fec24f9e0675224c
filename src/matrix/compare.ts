/** What differs between two matrices: the cells that have another answer, and nothing else. */

import type { Cell, Matrix, Sheet, SheetRow } from "./matrix.ts";

/** A cell before and after; undefined where there was, or is, no such row or column. */
export interface Change {
  readonly from: Cell | undefined;
  readonly to: Cell | undefined;
}

/** The sheets of both with the rows and columns in which something differs; none where nothing does. */
export function compareMatrices(before: Matrix, after: Matrix): readonly Sheet<Change>[] {
  const keyOf = ({ cloud, by }: Sheet<Cell>): string => `${by} ${cloud}`;
  const keys = new Set([...before.sheets, ...after.sheets].map(keyOf));
  return [...keys].flatMap((key) => {
    const [from, to] = [before, after].map(({ sheets }) => sheets.find((sheet) => keyOf(sheet) === key));
    const sheet = compareSheets(from, to);
    return sheet === undefined || sheet.rows.length === 0 ? [] : sheet;
  });
}

function compareSheets(
  from: Sheet<Cell> | undefined,
  to: Sheet<Cell> | undefined,
): Sheet<Change> | undefined {
  const one = to ?? from;
  if (one === undefined) return undefined;
  const columns = [...new Set([...(from?.columns ?? []), ...(to?.columns ?? [])])];
  const rows = new Map<string, SheetRow<Cell>>();
  for (const row of [...(from?.rows ?? []), ...(to?.rows ?? [])]) rows.set(`${row.kind} ${row.name}`, row);
  const compared = [...rows.values()].map(({ kind, name }) => ({
    kind,
    name,
    cells: columns.map((column) => {
      const change = { from: cellAt(from, kind, name, column), to: cellAt(to, kind, name, column) };
      return contentOf(change.from) === contentOf(change.to) ? undefined : change;
    }),
  }));
  const kept = columns.flatMap((_column, i) =>
    compared.some(({ cells }) => cells[i] !== undefined) ? i : [],
  );
  return {
    cloud: one.cloud,
    by: one.by,
    columns: kept.flatMap((i) => columns[i] ?? []),
    rows: compared
      .filter(({ cells }) => cells.some((cell) => cell !== undefined))
      .map((row) => ({ ...row, cells: kept.map((i) => row.cells[i]) })),
  };
}

function cellAt(
  sheet: Sheet<Cell> | undefined,
  kind: SheetRow<Cell>["kind"],
  name: string,
  column: string,
): Cell | undefined {
  const row = sheet?.rows.find((each) => each.kind === kind && each.name === name);
  return row?.cells[sheet?.columns.indexOf(column) ?? -1];
}

/** What is answered, in words; why it is may differ. */
function contentOf(cell: Cell | undefined): string {
  switch (cell?.kind) {
    case undefined:
      return "nothing";
    case "datacenters":
      return `datacenters ${cell.ids.join(" ")}`;
    case "fixed":
      return "fixed";
    case "other":
      return `${cell.words} ${cell.words === "records" ? cell.reason : ""}`;
    default:
      return cell satisfies never;
  }
}
