/** CSV text as cells with their places: RFC 4180, one record a line, blanks around bare cells left out. */

export interface CsvCell {
  readonly text: string;
  /** both counted from 1 */
  readonly line: number;
  readonly column: number;
}

export interface CsvFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The cells of each line that is not blank, and what is wrong with the others. */
export function parseCsv(text: string): {
  readonly rows: readonly (readonly CsvCell[])[];
  readonly faults: readonly CsvFault[];
} {
  const rows: (readonly CsvCell[])[] = [];
  const faults: CsvFault[] = [];
  for (const [i, line] of csvLines(text).entries()) {
    if (line.trim() === "") continue;
    const row = parseLine(line, i + 1);
    if ("message" in row) faults.push(row);
    else rows.push(row);
  }
  return { rows, faults };
}

/** The lines, without the mark that some programs begin UTF-8 with. */
export const csvLines = (text: string): readonly string[] => text.replace(/^\ufeff/, "").split(/\r?\n/);

function parseLine(text: string, line: number): readonly CsvCell[] | CsvFault {
  const cells: CsvCell[] = [];
  for (let at = 0; ; at++) {
    while (text[at] === " " || text[at] === "\t") at++;
    const column = at + 1;
    if (text[at] === '"') {
      const quoted = /"((?:[^"]|"")*)"[ \t]*/y;
      quoted.lastIndex = at;
      const match = quoted.exec(text);
      if (match === null) return { line, column, message: "this quote is not closed on its line" };
      at = quoted.lastIndex;
      if (at < text.length && text[at] !== ",") {
        return { line, column: at + 1, message: "a comma must follow the quote that ends a cell" };
      }
      cells.push({ text: (match[1] ?? "").replaceAll('""', '"'), line, column });
    } else {
      const comma = text.indexOf(",", at);
      const end = comma < 0 ? text.length : comma;
      const bare = text.slice(at, end);
      const quote = bare.indexOf('"');
      if (quote >= 0) {
        const message = 'a cell with a quote in it must be in quotes, and the quote written twice: ""';
        return { line, column: at + quote + 1, message };
      }
      cells.push({ text: bare.trimEnd(), line, column });
      at = end;
    }
    if (at >= text.length) return cells;
  }
}
