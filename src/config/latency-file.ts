/** A table of measured round trips, from CSV: a line a place, a column a datacenter. */

import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Datacenter } from "../cloud/topology.ts";
import type { LatencyRow, NamedPrefix } from "../geo/nearness.ts";
import { continents } from "../geo/place.ts";
import { formatPrefix } from "../ip.ts";
import type { Faults } from "./build-topology.ts";
import type { Network } from "./configuration.ts";
import { type CsvCell, csvLines, parseCsv } from "./csv.ts";
import { noContinents, reasonOf, suggest } from "./documents.ts";
import { parseLocatedPrefix } from "./located-prefix.ts";
import { cutFound, cutPieces, escapeUnprintable } from "./printable.ts";
import { formatPlace, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** Where a configuration names the table, and what its lines and columns can be of. */
export interface LatencyFileEntry {
  readonly source: YamlDocument;
  readonly valuePath: ValuePath;
  /** as written */
  readonly path: string;
  readonly datacenters: readonly Datacenter[];
  readonly networks: readonly Network[];
  /** whether a fault left out what could be meant: then nothing unknown is told */
  readonly mayLackNetworks: boolean;
  readonly isLostDatacenter: (shortId: string) => boolean;
  /** whether anything tells which country is on which continent */
  readonly hasContinents: boolean;
}

const KINDS = ["network", "prefix", "city", "country", "continent"] as const;

/** More than this is no round trip, but a fault in the table. */
const MAX_MILLISECONDS = 60_000;

export function readLatencyFile(entry: LatencyFileEntry, faults: Faults): readonly LatencyRow[] {
  const { source, valuePath, path } = entry;
  const file = resolve(dirname(source.file), path);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    faults.at(source, valuePath, `"${cutFound(path)}" cannot be read: ${reasonOf(error)}`);
    return [];
  }
  const lines = csvLines(text);
  const refuse = ({ line, column }: Pick<CsvCell, "line" | "column">, message: string): void => {
    const sourceLine = lines[line - 1] ?? "";
    const words = escapeUnprintable(cutPieces(message, sourceLine));
    faults.errors.push({ place: { file, line, column }, sourceLine, message: words });
  };
  const parsed = parseCsv(text);
  for (const fault of parsed.faults) refuse(fault, fault.message);
  const [header, ...rows] = parsed.rows;
  // A first line that cannot be read leaves the others without columns.
  if (parsed.faults[0] !== undefined && parsed.faults[0].line < (header?.[0]?.line ?? Infinity)) return [];
  if (header === undefined) {
    refuse({ line: 1, column: 1 }, "the table is empty; its first line is kind,from and ids of datacenters");
    return [];
  }
  const columns = readHeader(header, entry, refuse);
  if (columns === undefined) return [];
  const known = new Map<string, CsvCell>();
  const found: LatencyRow[] = [];
  for (const row of rows) {
    const [kind, from, ...cells] = row;
    if (kind === undefined || from === undefined || row.length !== header.length) {
      refuse(row.at(-1) ?? { line: 1, column: 1 }, `expected ${header.length} cells, found ${row.length}`);
      continue;
    }
    const milliseconds = new Map<string, number>();
    for (const [i, cell] of cells.entries()) {
      const id = columns[i]?.id;
      const value = readMilliseconds(cell, refuse);
      if (id !== undefined && value !== undefined) milliseconds.set(id, value);
    }
    for (const origin of readOrigin(kind, from, entry, refuse)) {
      const key = origin.kind === "network" ? formatPrefix(origin.prefix) : `${origin.kind} ${from.text}`;
      const first = known.get(key);
      if (first !== undefined) {
        const place = formatPlace({ file, line: first.line, column: first.column });
        refuse(from, `${key} is measured at ${place} already`);
        continue;
      }
      known.set(key, from);
      found.push({ from: origin, milliseconds });
    }
  }
  return found;
}

type Refuse = (cell: Pick<CsvCell, "line" | "column">, message: string) => void;

/** The datacenter of each column behind the first two; undefined where the first line is not of such a table. */
function readHeader(
  [kind, from, ...cells]: readonly CsvCell[],
  { datacenters, isLostDatacenter }: LatencyFileEntry,
  refuse: Refuse,
): readonly (Datacenter | undefined)[] | undefined {
  if (kind?.text !== "kind" || from?.text !== "from") {
    const words = "the first line must begin with kind,from and go on with ids of datacenters";
    refuse(kind ?? { line: 1, column: 1 }, words);
    return undefined;
  }
  if (cells.length === 0) refuse(from, "there is no datacenter here; each has a column behind kind,from");
  return cells.map((cell, i) => {
    const found = datacenters.find(({ shortId }) => shortId === cell.text);
    if (found === undefined && !isLostDatacenter(cell.text)) {
      const ids = datacenters.map(({ shortId }) => shortId);
      const words = suggest(cell.text, ids);
      refuse(cell, `"${cutFound(cell.text)}" is no datacenter that can be nearest here${words}`);
    }
    if (cells.findIndex(({ text }) => text === cell.text) < i)
      refuse(cell, `"${cutFound(cell.text)}" has a column already`);
    return found;
  });
}

function readMilliseconds(cell: CsvCell, refuse: Refuse): number | undefined {
  if (cell.text === "") return undefined;
  const value = /^\d+(?:\.\d+)?$/.test(cell.text) ? Number(cell.text) : Number.NaN;
  if (value <= MAX_MILLISECONDS) return value;
  const expected = `milliseconds between 0 and ${MAX_MILLISECONDS}, like 12.5, or nothing`;
  refuse(cell, `expected ${expected}, found "${cutFound(cell.text)}"`);
  return undefined;
}

/** What a line measures from; a network stands for each of its prefixes. */
function readOrigin(
  { text: kindText, ...kindAt }: CsvCell,
  cell: CsvCell,
  { networks, mayLackNetworks, hasContinents }: LatencyFileEntry,
  refuse: Refuse,
): readonly LatencyRow["from"][] {
  const { text } = cell;
  const kind = KINDS.find((each) => each === kindText);
  const inNetwork = (prefixes: readonly NamedPrefix[]): readonly LatencyRow["from"][] =>
    prefixes.map((each) => ({ kind: "network", ...each }));
  switch (kind) {
    case "network": {
      const network = networks.find(({ name }) => name === text);
      const names = networks.map(({ name }) => name);
      if (network === undefined && !mayLackNetworks)
        refuse(cell, `"${cutFound(text)}" is no network${suggest(text, names)}`);
      return inNetwork((network?.prefixes ?? []).map((prefix) => ({ network: text, prefix })));
    }
    case "prefix": {
      const prefix = parseLocatedPrefix(text);
      if (typeof prefix !== "string") return inNetwork([{ network: undefined, prefix }]);
      refuse(cell, prefix);
      return [];
    }
    case "city":
      if (text !== "") return [{ kind, city: text }];
      refuse(cell, "the name of the city is missing");
      return [];
    case "country":
      if (/^[A-Z]{2}$/.test(text)) return [{ kind, country: text }];
      refuse(cell, `expected an ISO 3166 alpha-2 code in capitals, like GB, found "${cutFound(text)}"`);
      return [];
    case "continent": {
      const continent = continents.find((each) => each === text);
      if (continent === undefined)
        refuse(cell, `expected one of ${continents.join(", ")}, found "${cutFound(text)}"`);
      else if (!hasContinents) refuse(cell, noContinents);
      return continent === undefined ? [] : [{ kind, continent }];
    }
    case undefined:
      refuse(kindAt, `"${cutFound(kindText)}" is no kind of place${suggest(kindText, KINDS)}`);
      return [];
    default:
      return kind satisfies never;
  }
}
