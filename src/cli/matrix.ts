/** `geodns365 matrix`: networks and tenants by services to datacenters, as tables, a page or a map; or what differs. */

import { writeFileSync } from "node:fs";
import { type Supposition, suppose } from "../cloud/suppositions.ts";
import { findTenant } from "../cloud/tenant-table.ts";
import { reasonOf, suggest } from "../config/documents.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import { type Change, compareMatrices } from "../matrix/compare.ts";
import {
  buildMatrix,
  type Cell,
  DEFAULT_ROW,
  type Matrix,
  type MatrixScope,
  type Sheet,
} from "../matrix/matrix.ts";
import { formatPage } from "../matrix/page.ts";
import { formatCsv, formatMarkdown, formatTables } from "../matrix/text.ts";
import { cellWords, changeWords, type TextSheet, textSheet } from "../matrix/words.ts";
import { type Snapshot, withStates } from "../snapshot.ts";
import { EXIT, misuse } from "./exit.ts";
import { loadForCommand } from "./load.ts";

export type MatrixFormat = "table" | "markdown" | "csv" | "html" | "svg" | "json";

export interface MatrixCommandOptions {
  readonly config: string;
  /** where a server keeps its states, instead of what the configuration says */
  readonly state?: StateFileChoice;
  readonly service?: readonly string[];
  readonly network?: readonly string[];
  readonly country: readonly string[];
  readonly tenant?: readonly string[];
  readonly with: readonly Supposition[];
  readonly format: MatrixFormat;
  /** the configuration that is to take its place */
  readonly diff?: string;
  readonly diffWith: readonly Supposition[];
  /** instead of the standard output */
  readonly output?: string;
}

/** What is to be printed: all of one, or what differs between two. */
type Found =
  | { readonly kind: "matrix"; readonly matrix: Matrix; readonly sheets: Matrix["sheets"] }
  | {
      readonly kind: "changes";
      readonly before: Matrix;
      readonly after: Matrix;
      readonly sheets: readonly Sheet<Change>[];
    };

/** Pixels of the map from west to east. */
const MAP_WIDTH = 1200;

export async function matrixCommand(options: MatrixCommandOptions): Promise<number> {
  const loaded = await loadForCommand(options.config, options.state);
  const other = options.diff === undefined ? loaded : await loadForCommand(options.diff, options.state);
  if (loaded === undefined || other === undefined) return EXIT.foundWrong;
  const isDiff = options.diff !== undefined || options.diffWith.length > 0;
  const snapshot = supposed(loaded, options.with);
  if (typeof snapshot === "string") return misuse(snapshot);
  const compared = isDiff ? supposed(other, [...options.with, ...options.diffWith]) : undefined;
  if (typeof compared === "string") return misuse(compared);
  const known = [snapshot, compared ?? []].flat();
  const fault = whatIsUnknown(known, options);
  if (fault !== undefined) return misuse(fault);
  const scope: MatrixScope = {
    services: options.service,
    networks: options.network,
    countries: [...new Set(options.country)],
    tenants: options.tenant,
  };
  const found = find(snapshot, compared, scope);
  const text = await print(found, options);
  if (options.output === undefined) process.stdout.write(text);
  else {
    try {
      writeFileSync(options.output, text);
    } catch (error) {
      return misuse(`${options.output} cannot be written: ${reasonOf(error)}`);
    }
  }
  return found.kind === "changes" && found.sheets.length > 0 ? EXIT.foundWrong : EXIT.good;
}

/** The snapshot as it would be. */
function supposed(snapshot: Snapshot, suppositions: readonly Supposition[]): Snapshot | string {
  const datacenters = snapshot.configuration.clouds.flatMap((cloud) => cloud.datacenters);
  const states = suppose(snapshot.states, suppositions, datacenters);
  return typeof states === "string" ? states : withStates(snapshot, states);
}

function find(snapshot: Snapshot, compared: Snapshot | undefined, scope: MatrixScope): Found {
  const matrix = buildMatrix(snapshot, scope);
  if (compared === undefined) return { kind: "matrix", matrix, sheets: matrix.sheets };
  const after = buildMatrix(compared, scope);
  return { kind: "changes", before: matrix, after, sheets: compareMatrices(matrix, after) };
}

/** A name that is known in none of the configurations. */
function whatIsUnknown(
  snapshots: readonly Snapshot[],
  { service = [], network = [], tenant = [], country }: MatrixCommandOptions,
): string | undefined {
  const clouds = snapshots.flatMap(({ configuration }) => configuration.clouds);
  const services = clouds.flatMap(({ name, services: own }) => own.map((each) => [name, each.name] as const));
  const names = services.map(([, name]) => name);
  const noService = service.find(
    (each) => !services.some(([cloud, name]) => each === name || each === `${cloud}/${name}`),
  );
  if (noService !== undefined) return `"${noService}" is no service${suggest(noService, names)}`;
  const networks = snapshots.flatMap(({ configuration }) => configuration.networks.map(({ name }) => name));
  const noNetwork = network.find((each) => each !== DEFAULT_ROW && !networks.includes(each));
  if (noNetwork !== undefined) return `"${noNetwork}" is no network${suggest(noNetwork, networks)}`;
  const noTenant = tenant.find((label) => findTenant(clouds, label) === undefined);
  if (noTenant !== undefined) return `"${noTenant}" is no tenant`;
  const noCountry = country.find(
    (code) =>
      !snapshots.some(({ locations }) =>
        locations.locations.some((at) => at.kind === "geoip" && at.country === code),
      ),
  );
  return noCountry && `no address is located in country "${noCountry}"; codes are those of ISO 3166, like GB`;
}

async function print(found: Found, options: MatrixCommandOptions): Promise<string> {
  switch (options.format) {
    case "table":
      return lines([
        ...remarksOf(found, options).flatMap((remark) => [remark, ""]),
        ...formatTables(textsOf(found)),
      ]);
    case "markdown":
      return lines([
        ...remarksOf(found, options).flatMap((remark) => [remark, ""]),
        ...formatMarkdown(textsOf(found)),
      ]);
    case "csv":
      return formatCsv(found.kind === "matrix" ? csvOf(found.sheets) : csvOfChanges(found.sheets));
    case "json":
      return lines([
        JSON.stringify(found.kind === "matrix" ? found.matrix : { changes: found.sheets }, null, 2),
      ]);
    case "svg":
      return `${await map(found, options)}\n`;
    case "html":
      return formatPage({
        title: titleOf(options),
        remarks: remarksOf(found, options),
        map: await map(found, options),
        sheets: textsOf(found),
      });
    default:
      return options.format satisfies never;
  }
}

/** Coastlines and what projects them are loaded for maps alone. */
async function map(found: Found, options: MatrixCommandOptions): Promise<string> {
  const [{ drawMap }, { buildWorld }] = await Promise.all([
    import("../matrix/map.ts"),
    import("../matrix/world.ts"),
  ]);
  const drawing =
    found.kind === "matrix"
      ? found
      : { kind: found.kind, before: found.before, after: found.after, changes: found.sheets };
  return drawMap(drawing, buildWorld(MAP_WIDTH), titleOf(options));
}

const lines = (all: readonly string[]): string => (all.length === 0 ? "" : `${all.join("\n")}\n`);

const textsOf = (found: Found): readonly TextSheet[] =>
  found.kind === "matrix"
    ? found.sheets.map((sheet) => textSheet(sheet, cellWords))
    : found.sheets.map((sheet) => textSheet(sheet, changeWords));

const titleOf = ({ diff, diffWith }: MatrixCommandOptions): string =>
  diff === undefined && diffWith.length === 0 ? "Who gets which datacenter" : "Who gets another datacenter";

/** What the tables do not say of themselves. */
function remarksOf(found: Found, { diff }: MatrixCommandOptions): readonly string[] {
  if (found.kind === "matrix") {
    const { tenantsLeftOut: more } = found.matrix;
    const states = statesIn(found.matrix);
    const left = `${more} more tenants are left out; name those wanted with --tenant`;
    return [states === "" ? [] : states, more > 0 ? left : []].flat();
  }
  if (found.sheets.length === 0) return [];
  const place = diff === undefined ? [] : `where ${diff} takes the place of this configuration`;
  const [before, after] = [found.before, found.after].map((matrix) => statesIn(matrix) || "all up");
  return [place, before === after ? [] : `from ${before} to ${after}`].flat();
}

const statesIn = ({ states }: Matrix): string => states.map(({ id, state }) => `${id} ${state}`).join(", ");

const cellHeads = ["answer", "datacenter", "reason"] as const;

/** A row for each cell. */
function csvOf(sheets: readonly Sheet<Cell>[]): readonly (readonly string[])[] {
  return [["kind", "name", "cloud", "service", ...cellHeads], ...csvRows(sheets, csvCell)];
}

function csvOfChanges(sheets: readonly Sheet<Change>[]): readonly (readonly string[])[] {
  const heads = ["from", "to"].flatMap((end) => cellHeads.map((head) => `${end}_${head}`));
  return [
    ["kind", "name", "cloud", "service", ...heads],
    ...csvRows(sheets, ({ from, to }) => [...csvCell(from), ...csvCell(to)]),
  ];
}

const csvRows = <C>(
  sheets: readonly Sheet<C>[],
  fieldsOf: (cell: C) => readonly string[],
): readonly (readonly string[])[] =>
  sheets.flatMap(({ cloud, columns, rows }) =>
    rows.flatMap(({ kind, name, cells }) =>
      cells.flatMap((cell, i) =>
        cell === undefined ? [] : [[kind, name, cloud, columns[i] ?? "", ...fieldsOf(cell)]],
      ),
    ),
  );

/** Several datacenters have blanks between them. */
function csvCell(cell: Cell | undefined): readonly [answer: string, datacenter: string, reason: string] {
  switch (cell?.kind) {
    case undefined:
      return ["", "", ""];
    case "datacenters":
      return ["datacenter", cell.ids.join(" "), cell.reason];
    case "fixed":
      return ["fixed", "", ""];
    case "other":
      return [cell.words, "", cell.reason];
    default:
      return cell satisfies never;
  }
}
