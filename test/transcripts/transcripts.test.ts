// Each published transcript, name for name in its case, comes back from the default lab in the era that it is of.

import { describe, expect, test } from "vitest";
import { TYPE } from "../../src/dns/iana.ts";
import { ask, asPublished } from "./chains.ts";
import { labIn } from "./lab.ts";
import { type Count, leftOut, type Transcript, transcripts } from "./transcripts.ts";

/** The eras of the default lab are as good as any where a row names none. */
const erasOf = ({ eras }: Transcript): string => eras.map((each) => Object.values(each).join()).join(" or ");

const countAsPublished = (count: Count, found: number): Count =>
  typeof count === "string" && found >= Number.parseInt(count, 10) ? count : found;

const firstName = ({ asked, chain }: Transcript): string => asked ?? chain.split(" ")[0] ?? "";

for (const transcript of transcripts) {
  describe(`${firstName(transcript)}, ${transcript.title}, in ${erasOf(transcript) || "any era"}`, () => {
    test.each(transcript.eras)("%o", (eras) => {
      const lab = labIn(eras);
      const { chain, a, aaaa, from, atAnEdge } = transcript;
      const name = firstName(transcript);
      const found = ask(lab, name, TYPE.A, from);
      expect(found.rcode).toBe("NOERROR");
      expect(asPublished(chain, found.steps)).toBe(chain);
      if (a !== undefined) expect(countAsPublished(a, found.addresses.length)).toBe(a);
      expect(found.addresses).not.toEqual([]);
      if (aaaa !== undefined) {
        const six = ask(lab, name, TYPE.AAAA, from);
        expect(asPublished(chain, six.steps)).toBe(chain);
        expect(countAsPublished(aaaa, six.addresses.length)).toBe(aaaa);
      }
      if (!atAnEdge) return;
      for (const elsewhere of ["Sydney", "Los Angeles", "Dubai"] as const) {
        expect(ask(lab, name, TYPE.A, elsewhere)).toEqual(found);
      }
    });
  });
}

// Without a chain of theirs, these names are found in public places: outlook-emeawest.office365.com and so on.
test.each([
  ...["emeawest", "emeaeast", "emeacenter3", "namwest", "namnorthwest", "namsouth"],
  ...["apacnorth", "apacsouth", "apaccentral", "au"],
])("the region %s of 2014 has addresses", (region) => {
  const name = `outlook-${region}.office365.com`;
  for (const exchange of ["geodns-2014", "geodns-2016", "geodns-2018"]) {
    const { rcode, steps, addresses } = ask(labIn({ exchange }), name, TYPE.A, "London");
    expect(rcode).toBe("NOERROR");
    expect(steps.map((step) => step.name)).toEqual([name]);
    expect(addresses.length).toBeGreaterThanOrEqual(8);
  }
});

describe("what no era repeats is not served, in none of the eras of the table:", () => {
  const labs = [...new Set(transcripts.flatMap(({ eras }) => eras.map((each) => JSON.stringify(each))))];
  test.each(leftOut)("$published", ({ names }) => {
    for (const eras of labs) {
      const answers = names.map((name) => ask(labIn(JSON.parse(eras)), name, TYPE.A, "London").rcode);
      expect(answers.filter((rcode) => rcode === "NOERROR")).toEqual([]);
    }
  });
});

/** How what is compared with the published chains is written. */
describe("a chain as published", () => {
  const steps = [
    { name: "a.example", ttl: 300 },
    { name: "B.example", ttl: 60 },
    { name: "c.example", ttl: 10 },
  ];
  test.each([
    "a.example > B.example > c.example",
    "a.example 300 > B.example ~59 > c.example ~10",
    "... > B.example > c.example",
    "a.example > ...",
    "a.example > ... > c.example",
    "a.example > ... > B.example > c.example 10",
    "*.example > B.* > ...",
  ])("is repeated: %s", (chain) => expect(asPublished(chain, steps)).toBe(chain));

  test.each<readonly [chain: string, found: string]>([
    ["a.example > b.example > c.example", "a.example > B.example > c.example"],
    ["a.example > B.example", "a.example > B.example > c.example 10"],
    ["a.example > c.example", "a.example > B.example > c.example 10"],
    ["a.example 299 > ...", "a.example 300 > ..."],
    ["a.example ~301 > ...", "a.example 300 > ..."],
    ["... > c.example > d.example", "... > c.example > nothing"],
    ["a.example > ... > D.example", "a.example > ... > B.example > c.example 10"],
    ["*.test > ...", "a.example > ..."],
  ])("is not: %s", (chain, found) => expect(asPublished(chain, steps)).toBe(found));
});
