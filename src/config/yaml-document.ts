/** YAML files as documents whose every value can say where it stands. The only importer of `yaml`. */

import { relative } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from "yaml";
import { cutFound, escapeUnprintable } from "./printable.ts";

export interface FilePlace {
  readonly file: string;
  /** both counted from 1 */
  readonly line: number;
  readonly column: number;
}

export interface ConfigError {
  readonly place: FilePlace;
  /** the line of the file that `place` points into */
  readonly sourceLine: string;
  readonly message: string;
}

export type ValuePath = readonly (string | number)[];

/** One document of a YAML file. */
export interface YamlDocument {
  readonly file: string;
  readonly value: unknown;
  /** Top keys at or below which a key stands twice: what is behind the first is not in the value. */
  readonly doubledKeys: ReadonlySet<string>;
  /** Where the value at a path stands, or the nearest that exists above it. */
  placeOf(path: ValuePath): FilePlace;
  /** Where the key that ends a path stands. */
  placeOfKey(path: ValuePath): FilePlace;
  errorAt(place: FilePlace, message: string): ConfigError;
}

export const formatPlace = ({ file, line, column }: FilePlace): string =>
  `${shortPath(file)}:${line}:${column}`;

/** The path from here, where the file lies below. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return escapeUnprintable(path.startsWith("..") ? file : path);
}

/** Parses all documents of a file; its errors come beside them, and a faulty document's value is then not to be used. */
export function parseYaml(file: string, text: string): ParsedYaml {
  try {
    return parseDocuments(file, text);
  } catch (error) {
    // The package calls itself for each level, until the stack is full.
    if (!(error instanceof RangeError)) throw error;
    return { documents: [], errors: [tooDeep(file, text)] };
  }
}

interface ParsedYaml {
  readonly documents: readonly YamlDocument[];
  readonly errors: readonly ConfigError[];
}

function tooDeep(file: string, text: string): ConfigError {
  const message = "lists or maps stand in each other too deep to be read";
  return { place: { file, line: 1, column: 1 }, sourceLine: text.split(/\r?\n/, 1)[0] ?? "", message };
}

/** What the package says of all tokens after the one that it could make nothing of. */
const LOST = /^Unexpected .* (in YAML stream|at node end)/;

function parseDocuments(file: string, text: string): ParsedYaml {
  const lineCounter = new LineCounter();
  const lines = text.split(/\r?\n/);
  const placeAt = (offset: number): FilePlace => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const errorAt = (place: FilePlace, message: string): ConfigError => ({
    place,
    message: escapeUnprintable(message),
    sourceLine: lines[place.line - 1] ?? "",
  });
  // The package checks keys pair by pair, which takes a minute for 100,000 of them; findDuplicateKeys is linear.
  const parsed = parseAllDocuments(text, {
    lineCounter,
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
  });
  const documents: YamlDocument[] = [];
  const errors: ConfigError[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const told = new Set<string>();
    for (const { message, pos } of document.errors) {
      // What is not closed gives the same error for each level; and the package takes a full stack for an error of YAML.
      if (/call stack/.test(message)) throw new RangeError(message);
      const key = `${pos[0]} ${message}`;
      // Once it is lost, every token that follows is unexpected; only where it first was is of help.
      const isEcho = LOST.test(message) && errors.length > 0;
      if (!isEcho && !told.has(key)) errors.push(errorAt(placeAt(pos[0]), lowerFirst(message)));
      told.add(key);
    }
    const duplicates = [...findDuplicateKeys(document.contents)];
    for (const [first, second, key] of duplicates) {
      const words = `"${cutFound(key)}" is here twice; it stands at ${formatPlace(placeAt(first))} already`;
      errors.push(errorAt(placeAt(second), words));
    }
    for (const [offset, message] of findLostKeys(document.contents)) {
      errors.push(errorAt(placeAt(offset), message));
    }
    const value = toPlainValue(document);
    if (value.error !== undefined) errors.push(errorAt(placeAt(value.error.offset), value.error.message));
    const offsetOf = (path: ValuePath, wantKey: boolean): number =>
      findOffset(document, path, wantKey) ?? document.contents?.range?.[0] ?? 0;
    documents.push({
      file,
      value: value.plain,
      doubledKeys: duplicates.length > 0 ? doubledTopKeys(document.contents) : new Set(),
      placeOf: (path) => placeAt(offsetOf(path, false)),
      placeOfKey: (path) => placeAt(offsetOf(path, true)),
      errorAt,
    });
  }
  return { documents, errors };
}

/** Turns nodes into plain values; too many aliases and unknown ones are thrown by the package, and told here. */
function toPlainValue(document: Document): {
  readonly plain: unknown;
  readonly error: { readonly offset: number; readonly message: string } | undefined;
} {
  if (document.errors.length > 0) return { plain: undefined, error: undefined };
  try {
    return { plain: document.toJS(), error: undefined };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const words = lowerFirst(error instanceof Error ? error.message : String(error));
    const message = words.startsWith("excessive alias count")
      ? "the aliases multiply this document beyond bounds; write the values out"
      : words;
    return {
      plain: undefined,
      error: findUnresolvedAlias(document) ?? { offset: document.contents?.range?.[0] ?? 0, message },
    };
  }
}

/** The first alias without an anchor before it. */
function findUnresolvedAlias(document: Document): { offset: number; message: string } | undefined {
  let found: { offset: number; message: string } | undefined;
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      const message = `there is no anchor &${alias.source} before this alias`;
      found = { offset: alias.range?.[0] ?? 0, message };
      return visit.BREAK;
    },
  });
  return found;
}

/** Offset of the value (or key) at a path; of the deepest value that exists where the path leads to none. */
function findOffset(document: Document, path: ValuePath, wantKey: boolean): number | undefined {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0];
  for (const [depth, step] of path.entries()) {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const pair = findPair(document, target.items, String(step));
      if (pair === undefined) return offset;
      const keyOffset = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      node = isNode(pair.value) ? pair.value : null;
      offset = (wantKey && depth === path.length - 1 ? keyOffset : node?.range?.[0]) ?? keyOffset ?? offset;
    } else if (isSeq(target)) {
      const item: unknown = target.items[Number(step)];
      node = isNode(item) ? item : null;
      offset = node?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

/** The pairs of a map by key, made once for each map: looking for one of 48,000 keys takes as many steps otherwise. */
const pairsByKey = new WeakMap<readonly Pair[], ReadonlyMap<string, Pair>>();

function indexPairs(items: readonly Pair[]): ReadonlyMap<string, Pair> {
  const known = pairsByKey.get(items);
  if (known !== undefined) return known;
  // Of a key written twice the last counts, as it does in the plain value.
  const index = new Map(
    items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair]] : [])),
  );
  pairsByKey.set(items, index);
  return index;
}

/** The pair of a key in a map, or in a map merged into it with `<<`. */
function findPair(document: Document, items: readonly Pair[], key: string): Pair | undefined {
  const own = indexPairs(items).get(key);
  if (own !== undefined) return own;
  for (const pair of items) {
    if (!isScalar(pair.key) || pair.key.value !== "<<") continue;
    const merged = isAlias(pair.value) ? pair.value.resolve(document) : pair.value;
    const found = isMap(merged) ? findPair(document, merged.items, key) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Keys that stand twice in one map, as offsets of the first and the second. */
function* findDuplicateKeys(node: unknown): Generator<readonly [first: number, second: number, key: string]> {
  if (isSeq(node)) for (const item of node.items) yield* findDuplicateKeys(item);
  if (!isMap(node)) return;
  const seen = new Map<string, number>();
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
    const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
    const first = key === undefined ? undefined : seen.get(key);
    if (key !== undefined && first !== undefined && key !== "<<") yield [first, offset, key];
    else if (key !== undefined) seen.set(key, offset);
    yield* findDuplicateKeys(pair.value);
  }
}

/**
 * Keys that would not be what is written: YAML takes the owner name 1.10 for the number 1.1, and the schema's maps leave
 * __proto__ out.
 */
function* findLostKeys(node: unknown): Generator<readonly [offset: number, message: string]> {
  if (isSeq(node)) for (const item of node.items) yield* findLostKeys(item);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const message = isScalar(key) ? whyLost(key.value, key.source ?? "") : undefined;
    if (isScalar(key) && message !== undefined) yield [key.range?.[0] ?? 0, message];
    yield* findLostKeys(value);
  }
}

function whyLost(read: unknown, written: string): string | undefined {
  if (read === "__proto__") return "__proto__ cannot be a key; as a name it may be written \\095_proto__";
  if (typeof read !== "number" || written === String(read)) return undefined;
  return `${cutFound(written)} is read as ${read} here; put it in quotes`;
}

function doubledTopKeys(node: unknown): ReadonlySet<string> {
  const seen = new Set<string>();
  const doubled = new Set<string>();
  for (const { key, value } of isMap(node) ? node.items : []) {
    const text = isScalar(key) ? String(key.value) : "";
    if (seen.has(text) || findDuplicateKeys(value).next().done !== true) doubled.add(text);
    seen.add(text);
  }
  return doubled;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
