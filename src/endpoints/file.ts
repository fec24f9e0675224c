/** A file of the published endpoints web service: its records, or every error in it with its place. */

import { describeIssue } from "../config/documents.ts";
import { checkEndpoints, type EndpointRecord, flatIssues } from "../config/schema.ts";
import type { ConfigError } from "../config/yaml-document.ts";
import { type NamePattern, parseNamePattern } from "../dns/name-pattern.ts";
import { type IpPrefix, parsePrefix } from "../ip.ts";
import { nodeAt, readJson } from "./json-text.ts";

/** One endpoint set: what may be connected to, and how much that matters. */
export interface EndpointSet extends Pick<EndpointRecord, "id" | "serviceArea" | "category" | "required"> {
  readonly urls: readonly NamePattern[];
  readonly ips: readonly IpPrefix[];
}

export type ReadEndpoints =
  | { readonly kind: "endpoints"; readonly sets: readonly EndpointSet[] }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[] };

/** Reads the text of a file. */
export function readEndpoints(file: string, text: string): ReadEndpoints {
  const errorAt = (offset: number, message: string): ConfigError => {
    const before = text.slice(0, offset).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    const sourceLine = text.split(/\r?\n/)[before.length - 1] ?? "";
    return { place: { file, line: before.length, column }, sourceLine, message };
  };
  const json = readJson(text);
  if (json.kind === "fault") return { kind: "errors", errors: [errorAt(json.offset, json.message)] };
  const { root } = json;
  const checked = checkEndpoints(root.value);
  if (!checked.success) {
    const errors = flatIssues(checked.error.issues).map((issue) => {
      const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
      const { offset } = nodeAt(root, path);
      const [index] = path;
      const id = typeof index === "number" ? root.members.get(index)?.members.get("id")?.value : undefined;
      const where = path.length === 0 ? serviceGives : formatPath(path, id);
      return { offset, message: `${where}: ${describeIssue(issue)}` };
    });
    const inOrder = errors.toSorted((a, b) => a.offset - b.offset);
    return { kind: "errors", errors: inOrder.map(({ offset, message }) => errorAt(offset, message)) };
  }
  const doubled = findDoubledId(checked.data);
  if (doubled !== undefined) {
    const { offset } = nodeAt(root, [doubled.index, "id"]);
    const message = `[${doubled.index}].id: ${doubled.id} is that of record [${doubled.first}] already`;
    return { kind: "errors", errors: [errorAt(offset, message)] };
  }
  const sets = checked.data.map(({ id, serviceArea, category, required, urls, ips }) => ({
    id,
    serviceArea,
    category,
    required,
    urls: urls.map((url) => sound(parseNamePattern(url))),
    ips: ips.map((prefix) => sound(parsePrefix(prefix))),
  }));
  return { kind: "endpoints", sets };
}

const serviceGives = "the endpoints web service gives a list of records";

/** `[3].urls[2] (id 31)`, as jq has it. */
function formatPath(path: readonly (string | number)[], id: unknown): string {
  const steps = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  return typeof id === "number" ? `${steps} (id ${id})` : steps;
}

function findDoubledId(records: readonly EndpointRecord[]) {
  const seen = new Map<number, number>();
  for (const [index, { id }] of records.entries()) {
    const first = seen.get(id);
    if (first !== undefined) return { index, id, first };
    seen.set(id, index);
  }
  return undefined;
}

/** What the schema has accepted. */
function sound<T>(outcome: T | string): T {
  if (typeof outcome === "string") throw new Error(outcome);
  return outcome;
}
