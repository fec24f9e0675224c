// kill -9 while states are written: what is left has at least what was acknowledged. `npm run test:kill` kills 1,000 times.

import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { killOften } from "./kill.ts";
import { makeFolder } from "./lab.ts";

test("40 kills lose nothing acknowledged", { timeout: 120_000 }, async () => {
  const folder = makeFolder();
  expect(await killOften(folder.file, 40)).toMatchObject({ kills: 40, faults: [] });
  // The two files, and at most what the last kill has left.
  expect(readdirSync(dirname(folder.file)).length).toBeLessThanOrEqual(4);
  folder.remove();
});
