/** What a rule has found, and what rules look at. */

import type { LintRule } from "../config/lint-rules.ts";
import type { Origins } from "../config/origins.ts";
import type { Spot } from "../config/tenants-builder.ts";
import type { LocationTable } from "../geo/location-table.ts";
import type { Snapshot } from "../snapshot.ts";

export interface Finding {
  readonly rule: LintRule;
  readonly spot: Spot;
  readonly message: string;
}

export interface Subject {
  /** all up, and every tenant at home */
  readonly snapshot: Snapshot;
  /** where addresses would be if there were no networks */
  readonly withoutNetworks: LocationTable;
  readonly origins: Origins;
}

/** The first few of a list, and how many more there are. */
export function fewOf(items: readonly string[], count = items.length): string {
  const told = items.slice(0, MAX_TOLD);
  const more = count - told.length;
  return more > 0 ? `${told.join(", ")} and ${more} more` : told.join(", ");
}

/** Items of a list that are told. */
export const MAX_TOLD = 3;
