// The default lab keeps the promises that it ships with.

import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { openAsker } from "../../src/scenario/lab.ts";
import { checksOf, unknownNames } from "../../src/scenario/play.ts";
import { readExpectations } from "../../src/scenario/read.ts";
import { Whose } from "../../src/scenario/whose.ts";
import { buildSnapshot } from "../../src/snapshot.ts";

const config = join(import.meta.dirname, "../../config");

test("config/expectations/default-lab.yaml", async () => {
  const read = readExpectations(join(config, "expectations/default-lab.yaml"));
  const loaded = loadConfig(join(config, "geodns365.yaml"));
  if (read.kind === "errors" || loaded.kind === "errors") throw new Error("one of them has errors");
  const { configuration } = loaded;
  expect([...unknownNames(read.items, configuration)]).toEqual([]);
  expect(configuration.files.filter((file) => file.includes("expectations"))).toEqual([]);
  const snapshot = buildSnapshot(configuration, undefined);
  const asker = openAsker(
    () => snapshot,
    () => 0,
  );
  const options = { configuration, whose: new Whose(configuration) };
  const checks = read.items.flatMap((each) => [...checksOf(each, asker, options)]);
  const outcomes = await Promise.all(checks.map((ask) => ask()));
  expect(outcomes.filter(({ outcome }) => outcome.kind !== "same")).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(80);
});
