/** Reasons in words: why a datacenter or a rule was chosen. */

import type { Choice, Reason } from "./cloud/choose.ts";
import { formatRule } from "./cloud/record-rules.ts";
import { isByDistance } from "./geo/nearness.ts";
import type { Tailoring } from "./trace.ts";

export const reasonsInWords: Readonly<Record<Reason, string>> = {
  nearest: "it is the nearest, and up",
  "next-nearest": "it is the nearest that is up; nearer ones are down or draining",
  spread: "the client's group is spread to it, by a hash",
  "only-draining-left": "none is up, and it is the nearest that is draining",
  active: "it is the tenant's active datacenter",
  standby: "the tenant has failed over, so its standby answers",
  "all-down": "all are down, and whenAllDown decides",
  unlocated: "nothing tells where the asker is, and location.unlocated decides",
  network: "of the prefixes listed there it is the longest that holds the asker",
  country: "no network listed there holds the asker, and the country is listed",
  continent: "neither a network nor the country is listed there, and the continent is",
  default: "neither network, country nor continent of the asker is listed there",
  "no-rule": "neither network, country nor continent of the asker is listed there, and there is no default",
};

/** Where lists or latencies may be what orders the candidates, the first is not always the nearest. */
const inWhateverOrder: Partial<Readonly<Record<Reason, string>>> = {
  nearest: "it is the first in order, and up",
  "next-nearest": "it is the first in order that is up; those before it are down or draining",
  "only-draining-left": "none is up, and it is the first in order that is draining",
};

/**
 * What was chosen, the reason in a word, and in words: `Worldwide/lhr, nearest: it is the nearest, and up`. It is the same
 * for all who have the same ordered list of datacenters, and for all tenants that are served alike: answers that they share
 * tell it.
 */
export function formatTailoring({ tailored, choice }: Tailoring): string {
  const { reason } = choice;
  const isOrdered = tailored.kind === "service" && !isByDistance(tailored.service.nearness);
  const words = (isOrdered ? inWhateverOrder[reason] : undefined) ?? reasonsInWords[reason];
  return `${formatChosen(choice)}, ${reason}: ${words}`;
}

function formatChosen(choice: Choice): string {
  switch (choice.kind) {
    case "datacenter":
      return choice.datacenter.id;
    case "rule":
      return formatRule(choice.rule);
    case "servfail":
    case "nodata":
    case "refused":
      return "no datacenter";
    default:
      return choice satisfies never;
  }
}
