/** README's examples, cut out so that tests can run them. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const readmePath = join(import.meta.dirname, "../README.md");

export interface Example {
  /** the name of the YAML that its section shows before it; undefined: the default lab */
  readonly config: string | undefined;
  readonly command: string;
  readonly output: readonly string[];
}

/** The commands of all `console` blocks, each with the lines that README shows behind it. */
export function readExamples(): readonly Example[] {
  const examples: { config: string | undefined; command: string; output: string[] }[] = [];
  for (const section of readFileSync(readmePath, "utf8").split(/^## /m)) {
    let config: string | undefined;
    for (const { language, body } of blocksOf(section)) {
      if (language === "yaml") config = yamlName(body);
      if (language !== "console") continue;
      for (const line of body.split("\n")) {
        if (line.startsWith("$ ")) examples.push({ config, command: line.slice(2), output: [] });
        else examples.at(-1)?.output.push(line);
      }
    }
  }
  return examples.map((example) => ({ ...example, output: trimEnd(example.output) }));
}

export function readBlocks(language: string): readonly string[] {
  return blocksOf(readFileSync(readmePath, "utf8"))
    .filter((block) => block.language === language)
    .map(({ body }) => body);
}

/** The file that a block of YAML is, as its first comment says. */
export const yamlName = (body: string): string | undefined => /^# (\S+\.yaml)$/m.exec(body)?.[1];

/** Writes the YAML that README shows, and the files that it names, into a folder. */
export function writeFiles(folder: string): void {
  for (const body of readBlocks("yaml")) writeFileSync(join(folder, yamlName(body) ?? ""), body);
  for (const body of readBlocks("dns")) {
    writeFileSync(join(folder, /^; (\S+\.zone)$/m.exec(body)?.[1] ?? ""), body);
  }
  const tenants = readBlocks("csv").find((body) => body.startsWith("tenant,"));
  writeFileSync(join(folder, "tenants.csv"), tenants ?? "");
  for (const body of readBlocks("js")) {
    writeFileSync(join(folder, /^\/\/ (\S+\.js)$/m.exec(body)?.[1] ?? ""), body);
  }
}

/** The blocks of a text, in order. */
export function blocksOf(text: string): readonly { readonly language: string; readonly body: string }[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", body = ""]) => ({
    language,
    body,
  }));
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
