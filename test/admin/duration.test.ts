// Durations as operators write them.

import { expect, test } from "vitest";
import { parseDuration } from "../../src/admin/duration.ts";

test.each<readonly [string, number | string]>([
  ["90", 90],
  ["90s", 90],
  ["10m", 600],
  ["2h", 7200],
  ["1d", 86_400],
  ["3650d", 315_360_000],
  ["3651d", '"3651d" is longer than ten years; leave it out for no end'],
  ["0m", '"0m" is no time at all; give one second or more'],
  ["", '"" is not a duration like 90, 90s, 10m, 2h or 1d'],
  ["1.5h", '"1.5h" is not a duration like 90, 90s, 10m, 2h or 1d'],
  ["-1", '"-1" is not a duration like 90, 90s, 10m, 2h or 1d'],
  ["10 m", '"10 m" is not a duration like 90, 90s, 10m, 2h or 1d'],
  ["1w", '"1w" is not a duration like 90, 90s, 10m, 2h or 1d'],
])("%j is %j", (text, seconds) => expect(parseDuration(text)).toBe(seconds));
