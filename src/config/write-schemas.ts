/** Writes the JSON Schemas that editors use: `npm run schema`. A test holds the committed files against these. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DocumentKind, jsonSchema, type RehearsalKind, rehearsalSchemas, schemas } from "./schema.ts";

const folder = join(import.meta.dirname, "../../config/schema");
mkdirSync(folder, { recursive: true });
const kinds = Object.keys({ ...schemas, ...rehearsalSchemas }) as (DocumentKind | RehearsalKind)[];
for (const kind of kinds) {
  writeFileSync(join(folder, `${kind}.schema.json`), `${JSON.stringify(jsonSchema(kind), null, 2)}\n`);
}
