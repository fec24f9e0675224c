// Each published transcript, name for name in its case, comes back from the default lab in the era that it is of.

import { describe, expect, test } from "vitest";
import { decodeMessage } from "../../src/dns/decode.ts";
import { CLASS, formatRcode, formatType, TYPE } from "../../src/dns/iana.ts";
import type { Message } from "../../src/dns/message.ts";
import { formatName, parseName } from "../../src/dns/name.ts";
import { formatRdata } from "../../src/dns/rdata.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { parsePrefix } from "../../src/ip.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import { answerAtOnce } from "../answer.ts";
import { labIn, type PlaceName, places } from "./lab.ts";
import { type Count, leftOut, type Transcript, transcripts } from "./transcripts.ts";

/** The eras of the default lab are as good as any where a row names none. */
const erasOf = ({ eras }: Transcript): string => eras.map((each) => Object.values(each).join()).join(" or ");

/** A name of a chain with the TTL of its records. */
interface Step {
  readonly name: string;
  readonly ttl: number;
}

interface Answered {
  readonly rcode: string;
  readonly steps: readonly Step[];
  readonly addresses: readonly string[];
}

function ask(lab: Snapshot, name: string, qtype: number, from: PlaceName): Answered {
  const qname = parseName(name);
  const subnet = parsePrefix(places[from]);
  if (typeof qname === "string" || typeof subnet === "string") throw new Error(`${name} cannot be asked`);
  const edns = { udpPayloadSize: 4096, dnssecOk: false, subnet };
  const query = renderQuery({ qname, qtype, qclass: CLASS.IN }, { id: 1, recursionDesired: true, edns });
  const source = {
    address: { family: 4, octets: Uint8Array.of(192, 0, 2, 53) },
    port: 5353,
    transport: "tcp",
  } as const;
  const { octets } = answerAtOnce(lab, query, source, 0);
  const message = octets === undefined ? "silence" : decodeMessage(octets);
  if (typeof message === "string") throw new Error(message);
  return { rcode: formatRcode(message.rcode), ...chainOf(name, message, qtype) };
}

/** The chain from the name asked on; that its records stand in this order is checked on the way. */
function chainOf(asked: string, message: Message, qtype: number): Pick<Answered, "steps" | "addresses"> {
  const steps: Step[] = [];
  const addresses: string[] = [];
  let next = asked;
  for (const { owner, type, ttlSeconds, rdata } of message.answer) {
    const name = withoutDot(formatName(owner));
    expect(name).toBe(next);
    if (type === TYPE.CNAME) next = withoutDot(formatRdata(type, rdata));
    else {
      expect(formatType(type)).toBe(formatType(qtype));
      addresses.push(formatRdata(type, rdata));
    }
    if (steps.at(-1)?.name !== name) steps.push({ name, ttl: ttlSeconds });
  }
  if (next !== steps.at(-1)?.name && steps.length > 0) steps.push({ name: next, ttl: 0 });
  return { steps, addresses };
}

const withoutDot = (name: string): string => name.replace(/\.$/, "");

/** A chain in the way of the published one: what that leaves open is written as there. */
function asPublished(chain: string, steps: readonly Step[]): string {
  const published = chain.split(" > ");
  const lines: string[] = [];
  let at = 0;
  for (const [i, each] of published.entries()) {
    if (each !== "...") {
      const step = steps[at++];
      lines.push(step === undefined ? "nothing" : stepAsPublished(each, step));
      continue;
    }
    lines.push("...");
    const next = published[i + 1];
    const found =
      next === undefined ? steps.length : steps.findIndex(({ name }, j) => j >= at && fits(next, name));
    at = found < 0 ? at : found;
  }
  const more = steps.slice(at).map(({ name, ttl }) => `${name} ${ttl}`);
  return [...lines, ...more].join(" > ");
}

function stepAsPublished(published: string, { name, ttl }: Step): string {
  const [, publishedTtl] = published.split(" ");
  const shown = fits(published, name) ? (published.split(" ")[0] ?? "") : name;
  if (publishedTtl === undefined) return shown;
  const isBound = publishedTtl.startsWith("~") && ttl >= Number(publishedTtl.slice(1));
  return `${shown} ${isBound ? publishedTtl : ttl}`;
}

function fits(published: string, name: string): boolean {
  const [before = "", ...parts] = (published.split(" ")[0] ?? "").split("*");
  if (parts.length === 0) return name === before;
  const after = parts.join("*");
  return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
}

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
