/** Patterns of names as lists for firewalls and proxies have them: `*.sharepoint.com`, `<tenant>-my.sharepoint.com`. */

import { type DomainName, domainName, isAtOrBelow, nameOf, parseName } from "./name.ts";

/** One name, or all that a pattern matches. */
export type NamePattern =
  | { readonly kind: "name"; readonly text: string; readonly name: DomainName }
  | {
      readonly kind: "wildcard";
      readonly text: string;
      /** what stands behind the last wildcard's label: every name that matches is below it */
      readonly below: DomainName;
      readonly expression: RegExp;
      /** a name that matches and means nothing */
      readonly sample: DomainName;
    };

/**
 * Parses a name or pattern; a sentence where it is neither. A `*` that is the first label stands for one label or more,
 * one that is another label for that one, one inside a label for any characters of it or none. `<tenant>`, or another
 * word, stands for one label or a part of one.
 */
export function parseNamePattern(text: string): NamePattern | string {
  const labels = text.replace(/\.$/, "").split(".");
  if (!labels.every((label) => /^(?:[A-Za-z0-9_*-]|<[A-Za-z0-9-]+>)+$/.test(label))) {
    return `"${text}" is no name, nor one with * or <tenant> in it`;
  }
  const fixedFrom = labels.findLastIndex(isWild) + 1;
  if (fixedFrom === labels.length) return `"${text}" ends in a wildcard; a name must be behind it`;
  const sample = parseName(labels.map((label) => label.replace(wildcards, "x")).join("."));
  if (typeof sample === "string") return sample;
  if (fixedFrom === 0) return { kind: "name", text, name: domainName(sample) };
  const expression = labels.map(expressionOf).join("\\.");
  return {
    kind: "wildcard",
    text,
    below: nameOf(labels.slice(fixedFrom).join(".")),
    expression: new RegExp(`^${expression}\\.$`),
    sample: domainName(sample),
  };
}

export function matchesName(pattern: NamePattern, name: DomainName): boolean {
  if (pattern.kind === "name") return pattern.name === name;
  return isAtOrBelow(name, pattern.below) && pattern.expression.test(name);
}

const wildcards = /\*+|<[^>]+>/g;

const isWild = (label: string): boolean => /[*<]/.test(label);

/** Label by label in lower case, as names are. */
function expressionOf(label: string, index: number): string {
  if (/^\*+$/.test(label)) return index === 0 ? "[^.]+(?:\\.[^.]+)*" : "[^.]+";
  return label.toLowerCase().replace(wildcards, (wildcard) => (wildcard.startsWith("<") ? "[^.]+" : "[^.]*"));
}
