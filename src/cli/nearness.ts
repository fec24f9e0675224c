/** Nearness in words. */

import type { RankedCandidate } from "../geo/nearness.ts";
import type { Told } from "./told.ts";

/** What ordered a candidate beside its distance. */
export function formatNearness({
  biasKilometres,
  latency,
  isListed,
}: Told<Pick<RankedCandidate, "biasKilometres" | "latency" | "isListed">>): string {
  // The first places go by the list alone.
  if (isListed) return " [listed]";
  const parts = [
    ...(latency === undefined ? [] : [`${latency.milliseconds} ms from ${latency.words}`]),
    ...(biasKilometres === 0 ? [] : [`bias ${biasKilometres > 0 ? "+" : ""}${biasKilometres} km`]),
  ];
  return parts.length === 0 ? "" : ` [${parts.join(", ")}]`;
}
