/** The configuration's files as checked documents, found by following `include` from the first. */

import { globSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { distance } from "fastest-levenshtein";
import { cutFound, cutPieces } from "./printable.ts";
import {
  type CloudDocument,
  type CloudInForce,
  type CountriesDocument,
  checkDocument,
  checkExpectations,
  checkScenario,
  type DocumentKind,
  flatIssues,
  jsonSchema,
  type NetworksDocument,
  type RehearsalKind,
  type SchemaIssue,
  type SettingsDocument,
  schemas,
  type TenantsDocument,
} from "./schema.ts";
import { type ConfigError, parseYaml, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** A document that has the shape of its kind, with the way back to its places. */
export interface Checked<T> {
  readonly source: YamlDocument;
  readonly value: T;
}

/** A document that zones and their records may stand in. */
export type ZonesOwner = Checked<CloudInForce> | Checked<SettingsDocument>;

/** The documents as they are in force. */
export interface Documents extends Omit<WrittenDocuments, "clouds"> {
  readonly clouds: readonly Checked<CloudInForce>[];
  /** those whose documents are there, but switched off */
  readonly cloudsOff: ReadonlySet<string>;
}

/** The documents as they are written. */
export interface WrittenDocuments {
  readonly settings: readonly Checked<SettingsDocument>[];
  readonly networks: readonly Checked<NetworksDocument>[];
  readonly countries: readonly Checked<CountriesDocument>[];
  readonly tenants: readonly Checked<TenantsDocument>[];
  readonly clouds: readonly Checked<CloudDocument>[];
  readonly files: readonly string[];
  readonly lost: Lost;
}

/** What faults left out, so that what is missing in what is left is no error. */
export interface Lost {
  /** a file or document that could not be read, so that nobody knows what stands in it */
  readonly anything: boolean;
  /** names of clouds whose documents are left out */
  readonly clouds: ReadonlySet<string>;
  /** top keys of which at least an entry is left out: `zones`, `datacenters`, `tenants` ... */
  readonly keys: ReadonlySet<string>;
}

/** Reads a file and all that it includes; every fault found is among the errors, and what is faulty is left out. */
export function readDocuments(path: string): {
  readonly documents: WrittenDocuments;
  readonly errors: readonly ConfigError[];
} {
  const settings: Checked<SettingsDocument>[] = [];
  const networks: Checked<NetworksDocument>[] = [];
  const countries: Checked<CountriesDocument>[] = [];
  const tenants: Checked<TenantsDocument>[] = [];
  const clouds: Checked<CloudDocument>[] = [];
  const errors: ConfigError[] = [];
  const files: string[] = [];
  const lostClouds = new Set<string>();
  const lostKeys = new Set<string>();
  let lostAnything = false;

  const readFile = (file: string, onUnreadable: (reason: string) => void): void => {
    if (files.includes(file)) return;
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      onUnreadable(reasonOf(error));
      return;
    }
    files.push(file);
    const parsed = parseYaml(file, text);
    errors.push(...parsed.errors);
    // A fault of YAML leaves a document without a value, or none at all; after a key twice the value is there.
    const sound = parsed.documents.filter((source) => source.value !== undefined).length;
    lostAnything ||= parsed.errors.length > 0 && (sound < parsed.documents.length || sound === 0);
    for (const source of parsed.documents) readDocument(source);
  };

  const readDocument = (whole: YamlDocument): void => {
    if (whole.value === null || whole.value === undefined) return;
    const kind = kindOf(whole.value);
    const outcome = checkDocument(kind, whole.value);
    const issues = outcome.success ? [] : flatIssues(outcome.error.issues);
    errors.push(...errorsOfIssues(kind, whole, issues));
    for (const key of faultyKeys(issues)) lostKeys.add(key);
    for (const key of whole.doubledKeys) lostKeys.add(key);
    // What is left of a faulty document is checked further, so that all errors come at once.
    const value = outcome.success ? outcome.data : soundPart(kind, whole.value, issues);
    const source = withoutFaultyItems(whole, issues);
    if (value === undefined) {
      for (const key of keysOf(source.value)) if (key !== "cloud") lostKeys.add(key);
      const cloud = propertyOf(source.value, "cloud");
      if (typeof cloud === "string") lostClouds.add(cloud);
      else if (kind === "cloud" || keysOf(source.value).length === 0) lostAnything = true;
    }
    // What is included counts even where the key stands in a document of another kind.
    if (value === undefined || kind !== "geodns365") include(source, includeOf(source.value));
    if (value === undefined) return;
    if ("cloud" in value) clouds.push({ source, value });
    else if ("networks" in value) networks.push({ source, value });
    else if ("tenants" in value) tenants.push({ source, value });
    else if ("countries" in value) countries.push({ source, value });
    else {
      settings.push({ source, value });
      include(source, value.include ?? []);
    }
  };

  const include = (source: YamlDocument, patterns: readonly string[]): void => {
    for (const [i, pattern] of patterns.entries()) {
      const place = source.placeOf(["include", i]);
      const lose = (message: string): void => {
        lostAnything = true;
        errors.push(source.errorAt(place, message));
      };
      const found = globSync(pattern, { cwd: dirname(source.file) }).toSorted();
      if (found.length === 0) lose(`"${cutFound(pattern)}" matches no file`);
      for (const file of found) {
        readFile(resolve(dirname(source.file), file), (reason) =>
          lose(`"${cutFound(file)}" cannot be read: ${reason}`),
        );
      }
    }
  };

  readFile(resolve(path), (reason) => {
    lostAnything = true;
    const message = reason.startsWith(isFolder)
      ? "the configuration is a folder; name a file with --config"
      : `the configuration cannot be read: ${reason}; name a file with --config`;
    errors.push({ place: { file: path, line: 1, column: 1 }, sourceLine: "", message });
  });
  const anything = lostAnything || lostKeys.has("cloud") || lostKeys.has("include");
  const lost: Lost = { anything, clouds: lostClouds, keys: lostKeys };
  return { documents: { settings, networks, countries, tenants, clouds, files, lost }, errors };
}

/** What a file holds that no configuration does: all its documents, and every fault in it. */
export interface Rehearsal<T> {
  readonly documents: readonly Checked<T>[];
  readonly errors: readonly ConfigError[];
}

type Outcome<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly SchemaIssue[] } };

export const readScenarioFile = (path: string) => readRehearsal("scenario", path, checkScenario);
export const readExpectationsFile = (path: string) => readRehearsal("expectations", path, checkExpectations);

function readRehearsal<T>(
  kind: RehearsalKind,
  path: string,
  check: (value: unknown) => Outcome<T>,
): Rehearsal<T> {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const message = `the file cannot be read: ${reasonOf(error)}`;
    return { documents: [], errors: [{ place: { file, line: 1, column: 1 }, sourceLine: "", message }] };
  }
  const parsed = parseYaml(file, text);
  const errors = [...parsed.errors];
  const documents: Checked<T>[] = [];
  const found = parsed.documents.filter(({ value }) => value !== null && value !== undefined);
  for (const source of found) {
    const other = otherKindOf(source.value, kind);
    if (other !== undefined) {
      const words = `this is a document of ${wordOfKind[other]}, not of ${wordOfKind[kind]}; ${readBy[other]}`;
      errors.push(source.errorAt(source.placeOf([]), words));
      continue;
    }
    const outcome = check(source.value);
    if (!outcome.success) errors.push(...errorsOfIssues(kind, source, flatIssues(outcome.error.issues)));
    else documents.push({ source, value: outcome.data });
  }
  if (errors.length === 0 && documents.length === 0) {
    const message = `there is nothing in it; expected ${wordOfKind[kind]}`;
    errors.push({ place: { file, line: 1, column: 1 }, sourceLine: "", message });
  }
  return { documents, errors };
}

/** What a document plainly is instead. */
function otherKindOf(value: unknown, kind: RehearsalKind): AnyKind | undefined {
  const keys = keysOf(value);
  if (kind !== "scenario" && keys.includes("steps")) return "scenario";
  if (kind !== "expectations" && keys.includes("expectations")) return "expectations";
  const own = keys.some((key) => key === "steps" || key === "expectations" || key === "title");
  if (own) return undefined;
  return kinds.find((each) => each !== "geodns365" && keys.includes(each));
}

type AnyKind = DocumentKind | RehearsalKind;

/** What takes a document of a kind. */
const readBy: Readonly<Record<AnyKind, string>> = {
  cloud: "a configuration is named by --config",
  networks: "a configuration is named by --config",
  tenants: "a configuration is named by --config",
  countries: "a configuration is named by --config",
  geodns365: "a configuration is named by --config",
  scenario: "geodns365 play takes it",
  expectations: "geodns365 expect takes it",
};

const kinds = Object.keys(schemas) as readonly DocumentKind[];

/** The top keys that issues point at or into; of a misspelled one the key it is taken for. */
function faultyKeys(issues: readonly SchemaIssue[]): readonly string[] {
  const known = kinds.flatMap((kind) => keysAt(kind, []));
  return issues.flatMap((issue) => {
    if (issue.path.length > 0) return [String(issue.path[0])];
    if (issue.code !== "unrecognized_keys") return [];
    return issue.keys.flatMap((key) => nearest(key, known) ?? []);
  });
}

const keysOf = (value: unknown): readonly string[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

/** Why a rule by continent can hold nobody. */
export const noContinents =
  "which country is on which continent is told by a countries document; include one, like config/countries.yaml";

const isFolder = "it is a folder";

/** The words of an error of the operating system without its call. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return `${isFolder}; name files, as in clouds/*.yaml`;
  return error.message.split(",", 1)[0] ?? "";
}

function kindOf(value: unknown): DocumentKind {
  if (typeof value !== "object" || value === null) return "geodns365";
  for (const kind of ["cloud", "networks", "tenants", "countries"] as const) if (kind in value) return kind;
  if ("tenantFiles" in value) return "tenants";
  if ("datacenters" in value || "services" in value) return "cloud";
  return "geodns365";
}

function includeOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null || !("include" in value)) return [];
  return Array.isArray(value.include) ? value.include.filter((item) => typeof item === "string") : [];
}

/** Tells whether an issue points into a top key, or an entry or item of one. */
function findFaulty(issues: readonly SchemaIssue[]): (...steps: readonly string[]) => boolean {
  const faulty = new Set<string>();
  for (const issue of issues) {
    const steps = issue.path.map(String);
    const ends = issue.code === "unrecognized_keys" ? issue.keys : [""];
    for (const end of ends) faulty.add(JSON.stringify((end === "" ? steps : [...steps, end]).slice(0, 2)));
  }
  return (...steps) => faulty.has(JSON.stringify(steps));
}

/** The places of a document whose faulty items are left out: an item is found by its number among those left. */
function withoutFaultyItems(source: YamlDocument, issues: readonly SchemaIssue[]): YamlDocument {
  if (issues.length === 0) return source;
  const isFaulty = findFaulty(issues);
  const written = (path: ValuePath): ValuePath => {
    const [key, index, ...rest] = path;
    if (key === undefined || typeof index !== "number") return path;
    let at = 0;
    for (let sound = -1; ; at++) if (!isFaulty(String(key), String(at)) && ++sound === index) break;
    return [key, at, ...rest];
  };
  return {
    ...source,
    placeOf: (path) => source.placeOf(written(path)),
    placeOfKey: (path) => source.placeOfKey(written(path)),
  };
}

/**
 * The value without the entries and items that issues point into: datacenters, services, tenants, networks, settings.
 * Undefined where what is left has not the shape of its kind either.
 */
function soundPart<K extends DocumentKind>(kind: K, value: unknown, issues: readonly SchemaIssue[]) {
  const isFaulty = findFaulty(issues);
  const withoutFaulty = (key: string, part: unknown): unknown => {
    if (Array.isArray(part)) return part.filter((_item, i) => !isFaulty(key, String(i)));
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(Object.entries(part).filter(([inner]) => !isFaulty(key, inner)));
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const kept = Object.entries(value)
    .filter(([key]) => !isFaulty(key))
    .map(([key, part]) => [key, withoutFaulty(key, part)]);
  return checkDocument(kind, Object.fromEntries(kept)).data;
}

/** The issues of a document as errors, without a key missing that stands there misspelled. */
function errorsOfIssues(
  kind: AnyKind,
  source: YamlDocument,
  issues: readonly SchemaIssue[],
): readonly ConfigError[] {
  const misspelled = new Set<string>();
  for (const { code, path, ...issue } of issues) {
    if (code !== "unrecognized_keys" || !("keys" in issue)) continue;
    const known = keysAt(kind, path.map(stepOf));
    for (const key of issue.keys) misspelled.add(JSON.stringify([...path, nearest(key, known)]));
  }
  return issues
    .filter((issue) => !isMissing(issue) || !misspelled.has(JSON.stringify(issue.path)))
    .flatMap((issue) => errorsOfIssue(kind, source, issue));
}

const stepOf = (step: PropertyKey): string | number => (typeof step === "symbol" ? String(step) : step);

const isMissing = (issue: SchemaIssue): boolean =>
  (issue.code === "invalid_type" || issue.code === "invalid_value") && issue.input === undefined;

/** An issue of the schema in the words of an operator; an unknown key is an error of its own. */
function errorsOfIssue(kind: AnyKind, source: YamlDocument, issue: SchemaIssue): readonly ConfigError[] {
  const path = issue.path.map(stepOf);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(kind, path);
    return issue.keys.map((key) => {
      const other = path.length === 0 ? kindWithKey(key) : undefined;
      const words =
        other === undefined
          ? `"${cutFound(key)}" is no key here${suggest(key, known)}`
          : `"${key}" cannot stand in one document with ${wordOfKind[kind]}; put a line --- between them`;
      return source.errorAt(source.placeOfKey([...path, key]), words);
    });
  }
  if (issue.code === "invalid_key") {
    const reason = issue.issues[0]?.message ?? issue.message;
    const key = String(path.at(-1));
    const words = `"${cutFound(key)}" cannot be a key: ${cutPieces(reason, key)}`;
    return [source.errorAt(source.placeOfKey(path), words)];
  }
  const place = isMissing(issue) ? source.placeOf(path.slice(0, -1)) : source.placeOf(path);
  return [source.errorAt(place, describeIssue(issue))];
}

/** An issue at one value in the words of an operator: what was expected, what was found, what may be meant. */
export function describeIssue(issue: SchemaIssue): string {
  if (isMissing(issue)) {
    const key = issue.path.at(-1);
    const message = typeof key === "string" ? `"${key}" is missing here` : "a value is missing here";
    return `${message}; ${wordsOf(issue)}`;
  }
  const found = issue.code === "custom" ? "" : `, found ${formatFound(issue.input)}`;
  const options = issue.code === "invalid_value" ? issue.values.map(String) : [];
  const near = typeof issue.input === "string" ? nearest(issue.input, options) : undefined;
  const wantsQuotes =
    issue.code === "invalid_type" && issue.expected === "string" && !isCollection(issue.input);
  const hint = near === undefined ? (wantsQuotes ? "; put it in quotes" : "") : `; did you mean "${near}"?`;
  const words = typeof issue.input === "string" ? cutPieces(wordsOf(issue), issue.input) : wordsOf(issue);
  return `${words}${found}${hint}`;
}

/** What a document of a kind is of. */
const wordOfKind: Readonly<Record<AnyKind, string>> = {
  cloud: "a cloud",
  networks: "networks",
  tenants: "tenants",
  countries: "countries",
  geodns365: "settings",
  scenario: "a scenario",
  expectations: "expectations",
};

/** The kind of document that a top key belongs to. */
function kindWithKey(key: string): DocumentKind | undefined {
  return kinds.find((kind) => keysAt(kind, []).includes(key));
}

function wordsOf(issue: SchemaIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${expectedOf(issue)}`;
    case "invalid_value":
      return `expected ${issue.values
        .map(String)
        .join(", ")
        .replace(/, ([^,]*)$/, " or $1")}`;
    case "too_small":
      return `expected ${issue.origin === "array" ? "a list of " : ""}at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `expected ${issue.origin === "array" ? "a list of " : ""}at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

const unitOf = (origin: string): string => (origin === "string" ? " characters" : "");

function expectedOf(issue: SchemaIssue & { readonly code: "invalid_type" }): string {
  const words: Readonly<Record<string, string>> = {
    string: "a text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    tuple: "a list",
    object: "a map",
    record: "a map",
  };
  return words[issue.expected] ?? issue.expected;
}

const isCollection = (input: unknown): boolean => typeof input === "object";

function formatFound(input: unknown): string {
  if (input === null || input === undefined) return "nothing";
  if (Array.isArray(input)) return `a list of ${input.length}`;
  if (typeof input === "object") return "a map";
  return typeof input === "string" ? `"${cutFound(input)}"` : String(input);
}

/** `; did you mean "x"?` where a known word is near. */
export function suggest(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== undefined) return `; did you mean "${near}"?`;
  if (known.length === 1) return `; there is only ${known[0]}`;
  return known.length > 1 && known.length <= 12 ? `; there are ${known.join(", ")}` : "";
}

/** The known word that differs in the fewest letters, if those are few. */
function nearest(word: string, known: readonly string[]): string | undefined {
  return known
    .map((candidate) => ({ candidate, steps: countEdits(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ steps }) => steps <= (word.length <= 4 ? 1 : Math.max(2, Math.floor(word.length / 3))))
    .sort((a, b) => a.steps - b.steps)[0]?.candidate;
}

/** Letters put in, left out or changed; two neighbours swapped are one edit. */
function countEdits(a: string, b: string): number {
  const edits = distance(a, b);
  if (edits !== 2 || a.length !== b.length) return edits;
  const at = [...a].findIndex((letter, i) => letter !== b[i]);
  const swapped = `${a.slice(0, at)}${a[at + 1]}${a[at]}${a.slice(at + 2)}`;
  return swapped === b ? 1 : edits;
}

/** The keys that the kind's schema knows at a path. */
function keysAt(kind: AnyKind, path: ValuePath): readonly string[] {
  let schema: unknown = jsonSchemaOnce(kind);
  for (const step of path) {
    schema = typeof step === "number" ? propertyOf(schema, "items") : memberSchema(schema, step);
  }
  const codes = propertyOf(propertyOf(schema, "propertyNames"), "enum");
  if (Array.isArray(codes)) return codes.map(String);
  const properties = propertyOf(mapSchema(schema), "properties");
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

const jsonSchemas = new Map<AnyKind, unknown>();

function jsonSchemaOnce(kind: AnyKind): unknown {
  if (!jsonSchemas.has(kind)) jsonSchemas.set(kind, jsonSchema(kind));
  return jsonSchemas.get(kind);
}

function memberSchema(schema: unknown, key: string): unknown {
  const map = mapSchema(schema);
  return propertyOf(propertyOf(map, "properties"), key) ?? propertyOf(map, "additionalProperties");
}

/** Of several alternatives the one that is a map. */
function mapSchema(schema: unknown): unknown {
  const alternatives = propertyOf(schema, "anyOf");
  if (!Array.isArray(alternatives)) return schema;
  return alternatives.find((alternative) => propertyOf(alternative, "properties") !== undefined) ?? schema;
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
