/** YAML files as documents whose every value can say where it stands. The only importer of `yaml`. */

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
  /** Where the value at a path stands, or the nearest that exists above it. */
  placeOf(path: ValuePath): FilePlace;
  /** Where the key that ends a path stands. */
  placeOfKey(path: ValuePath): FilePlace;
  errorAt(place: FilePlace, message: string): ConfigError;
}

/** Parses all documents of a file; its errors come beside them, and a faulty document's value is then not to be used. */
export function parseYaml(
  file: string,
  text: string,
): { readonly documents: readonly YamlDocument[]; readonly errors: readonly ConfigError[] } {
  const lineCounter = new LineCounter();
  const lines = text.split(/\r?\n/);
  const placeAt = (offset: number): FilePlace => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const errorAt = (place: FilePlace, message: string): ConfigError => ({
    place,
    message,
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
    for (const error of document.errors)
      errors.push(errorAt(placeAt(error.pos[0]), lowerFirst(error.message)));
    for (const [first, second, key] of findDuplicateKeys(document.contents)) {
      const { line, column } = placeAt(first);
      errors.push(errorAt(placeAt(second), `"${key}" is here twice; it stands at ${line}:${column} already`));
    }
    const value = toPlainValue(document);
    if (value.error !== undefined) errors.push(errorAt(placeAt(value.error.offset), value.error.message));
    const offsetOf = (path: ValuePath, wantKey: boolean): number =>
      findOffset(document, path, wantKey) ?? document.contents?.range?.[0] ?? 0;
    documents.push({
      file,
      value: value.plain,
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

/** The pair of a key in a map, or in a map merged into it with `<<`. */
function findPair(document: Document, items: readonly Pair[], key: string): Pair | undefined {
  // Of a key written twice the last counts, as it does in the plain value.
  const own = items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === key);
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

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
