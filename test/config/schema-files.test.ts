// The JSON Schemas in config/schema are those that the code generates, and each shipped file names the one of its kind.

import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  type DocumentKind,
  jsonSchema,
  type RehearsalKind,
  rehearsalSchemas,
  schemas,
} from "../../src/config/schema.ts";

const config = resolve(import.meta.dirname, "../../config");
const kinds = Object.keys({ ...schemas, ...rehearsalSchemas }) as (DocumentKind | RehearsalKind)[];

describe("config/schema", () => {
  test.each(kinds)("%s.schema.json is what the code generates", (kind) => {
    const committed = readFileSync(join(config, "schema", `${kind}.schema.json`), "utf8");
    const generated = `${JSON.stringify(jsonSchema(kind), null, 2)}\n`;
    expect(committed, "the schema has changed: run `npm run schema` and commit what it writes").toBe(
      generated,
    );
  });

  test("holds no schema of a kind that there is not", () => {
    expect(readdirSync(join(config, "schema")).toSorted()).toEqual(
      kinds.map((kind) => `${kind}.schema.json`).toSorted(),
    );
  });
});

describe("the first line of", () => {
  const files = globSync("**/*.yaml", { cwd: config }).toSorted();

  test("the shipped files is looked at, all of them", () => {
    expect(files).toEqual(
      expect.arrayContaining([
        "clouds/china.yaml",
        "clouds/germany.yaml",
        "clouds/us-gov-dod.yaml",
        "clouds/us-gov-gcc-high.yaml",
        "clouds/worldwide.yaml",
        "countries.yaml",
        "geodns365.yaml",
        "networks.yaml",
        "tenants.yaml",
      ]),
    );
  });

  test.each(files)("%s names the schema of its kind, which exists", (file) => {
    const text = readFileSync(join(config, file), "utf8");
    const named = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1];
    const content: unknown = parse(text);
    const kind = kinds.find((kind) => typeof content === "object" && content !== null && kind in content);
    const expected = join(config, "schema", `${kind ?? "geodns365"}.schema.json`);
    expect(named && resolve(config, dirname(file), named)).toBe(expected);
    expect(existsSync(expected)).toBe(true);
  });
});
