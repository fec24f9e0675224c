/** README's examples, cut out so that tests can run them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

export const readmePath = join(import.meta.dirname, "../README.md");

export interface Example {
  readonly command: string;
  readonly output: readonly string[];
}

/** The commands of all `console` blocks, each with the lines that README shows behind it. */
export function readExamples(): readonly Example[] {
  const examples: { command: string; output: string[] }[] = [];
  for (const block of readBlocks("console")) {
    for (const line of block.split("\n")) {
      if (line.startsWith("$ ")) examples.push({ command: line.slice(2), output: [] });
      else examples.at(-1)?.output.push(line);
    }
  }
  return examples.map(({ command, output }) => ({ command, output: trimEnd(output) }));
}

export function readBlocks(language: string): readonly string[] {
  const text = readFileSync(readmePath, "utf8");
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , body]) => body ?? "");
}

/** Lines of records and words, whatever the blanks between them and whatever the message id. */
export const normalised = (lines: readonly string[]): readonly string[] =>
  trimEnd(lines).map((line) =>
    line
      .trim()
      .replace(/\s+/g, " ")
      .replace(/, id: \d+$/, ""),
  );

function trimEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}

/** The YAML and JavaScript that README shows, by the names in their first lines. */
export function readFiles(): ReadonlyMap<string, string> {
  const blocks = [...readBlocks("yaml"), ...readBlocks("js")];
  return new Map(blocks.map((text) => [/^(?:#|\/\/) (\S+\.(?:yaml|js))$/m.exec(text)?.[1] ?? "", text]));
}

/** dig lines by the port that they ask: 5300 is the default lab, 5301 the scripted zone. */
export const readDigs = (port: 5300 | 5301): readonly Example[] =>
  readExamples().filter(({ command }) => command.startsWith(`dig @127.0.0.1 -p ${port} `));
