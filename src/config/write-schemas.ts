/** Writes the JSON Schemas that editors use: `npm run schema`. A test holds the committed files against these. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DocumentKind, jsonSchema, schemas } from "./schema.ts";

const folder = join(import.meta.dirname, "../../config/schema");
mkdirSync(folder, { recursive: true });
for (const kind of Object.keys(schemas) as DocumentKind[]) {
  writeFileSync(join(folder, `${kind}.schema.json`), `${JSON.stringify(jsonSchema(kind), null, 2)}\n`);
}
