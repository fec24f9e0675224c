/**
 * RDATA in presentation format against BIND: what parseRdata accepts and what it makes of it must be what named-checkzone
 * does, for records made at random and for the same with something broken.
 */

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseType } from "../../src/dns/iana.ts";
import { splitWords } from "../../src/dns/presentation.ts";
import { formatRdata, parseRdata } from "../../src/dns/rdata.ts";
import { rdataOfType } from "../dns/rdata-arbitraries.ts";
import { labels } from "../dns/wire.ts";
import { run } from "./programs.ts";

const origin = labels("example");

/** The same records each time, so that a failure says something about the change under test. */
const SEED = 1;
const RECORDS_A_TYPE = 60;

interface Line {
  readonly type: string;
  readonly text: string;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geodns365-rdata-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** RDATA in hex, or "refused". */
type Verdict = string;

function ourVerdict({ type, text }: Line): Verdict {
  const words = splitWords(text);
  const rdata = typeof words === "string" ? words : parseRdata(parseType(type) ?? 0, words, origin);
  return typeof rdata === "string" ? "refused" : Buffer.from(rdata).toString("hex");
}

/** What named-checkzone makes of each line, all of them in one zone, under an owner each. */
async function namedVerdicts(lines: readonly Line[]): Promise<readonly Verdict[]> {
  const refused = new Set<number>();
  for (;;) {
    const path = await zoneFile(lines.map((line, i) => (refused.has(i) ? undefined : line)));
    const raw = join(folder, "raw");
    const complaints = await complaintsOf(["-F", "raw", "-o", raw, "example.", path]);
    if (complaints === undefined) {
      const rdatas = await readRaw(raw);
      return lines.map((_, i) => (refused.has(i) ? "refused" : (rdatas.get(i) ?? "lost")));
    }
    const before = refused.size;
    for (const [, number] of complaints.matchAll(/^dns_\w+: [^ ]*?zone:(\d+):/gm))
      refused.add(Number(number) - 1 - zoneHead.length);
    // It stops at some mistakes, so those behind come to light in the next round.
    if (refused.size === before) throw new Error(complaints);
  }
}

/** Lines in front of the records. */
const zoneHead = ["$ORIGIN example.", "$TTL 60", "@ SOA a. b. 1 1 1 1 1", "@ NS a."];

async function zoneFile(lines: readonly (Line | undefined)[]): Promise<string> {
  const path = join(folder, "zone");
  const records = lines.map((line, i) => (line === undefined ? "" : `r${i} ${line.type} ${line.text}`));
  await writeFile(path, [...zoneHead, ...records, ""].join("\n"));
  return path;
}

/** Only RDATA is to be checked, not what a zone is made of. */
const lenient = ["-i", "none", ..."kmMSr".split("").flatMap((check) => [`-${check}`, "ignore"])];

/** What named-checkzone prints where it fails; undefined where it does not. */
const complaintsOf = (args: readonly string[]): Promise<string | undefined> =>
  run("named-checkzone", [...lenient, ...args]).then(
    () => undefined,
    (error: unknown) =>
      error instanceof Error && "stdout" in error ? String(error.stdout) : Promise.reject(error),
  );

/** RDATA by line, from a zone in the raw format. */
async function readRaw(raw: string): Promise<ReadonlyMap<number, string>> {
  const octets = await readFile(raw);
  const rdatas = new Map<number, string>();
  for (let at = 24; at < octets.length; ) {
    const end = at + octets.readUInt32BE(at);
    const nameLength = octets.readUInt16BE(at + 18);
    const nameAt = at + 20;
    const label = octets.toString("latin1", nameAt + 1, nameAt + 1 + octets.readUInt8(nameAt));
    const rdataAt = nameAt + nameLength;
    const rdataLength = octets.readUInt16BE(rdataAt);
    const line = /^r(\d+)$/.exec(label)?.[1];
    if (line !== undefined)
      rdatas.set(Number(line), octets.toString("hex", rdataAt + 2, rdataAt + 2 + rdataLength));
    at = end;
  }
  return rdatas;
}

/** What named-rrchecker makes of one record: for SOA, of which a zone has one, and MD and MF, which no zone has. */
async function rrcheckerVerdict({ type, text }: Line): Promise<Verdict> {
  const { failed, stdout } = await new Promise<{ failed: boolean; stdout: string }>((resolve, reject) => {
    const child = execFile("named-rrchecker", ["-u", "-o", "example."], (error, out) => {
      if (error !== null && error.code === "ENOENT") reject(error);
      else resolve({ failed: error !== null, stdout: out });
    });
    child.stdin?.end(`IN ${type} ${text}\n`);
  });
  return failed ? "refused" : (/\\# \d+ ?(\S*)/.exec(stdout)?.[1] ?? "lost").toLowerCase();
}

const verdictsOf = (type: string, lines: readonly Line[]): Promise<readonly Verdict[]> =>
  ["SOA", "MD", "MF"].includes(type) ? Promise.all(lines.map(rrcheckerVerdict)) : namedVerdicts(lines);

const sampled = (type: string): readonly Line[] => {
  const arbitrary = rdataOfType[type] ?? fc.constant(Uint8Array.of());
  return fc
    .sample(arbitrary, { numRuns: RECORDS_A_TYPE, seed: SEED })
    .map((rdata) => ({ type, text: formatRdata(parseType(type) ?? 0, rdata) }));
};

/** Words that are right in some field and wrong in others. */
const strayWords = [
  ..."0 1 2 255 256 65535 65536 4294967295 4294967296 -1 1.5 007 x - . @ A AAAA TYPE1 TYPE0 00 abc 0g".split(
    " ",
  ),
  ..."192.0.2.1 192.0.2.256 ::1 2001:db8:: AA== AAA= AB== a.b. a..b 20380119031408 20380230000000 1h30m".split(
    " ",
  ),
  ..."alpn=h2 port=1 port mandatory=port key1=x key9 no-default-alpn N W 1m 1:10.0.0.0/8 !2:::/0 RSASHA256".split(
    " ",
  ),
];

/** The line with one or two words or characters changed. */
const broken = (line: Line): fc.Arbitrary<Line> => {
  const words = line.text.match(/(?:[^\s"=]*="(?:[^"\\]|\\.)*")|"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const at = fc.nat(Math.max(words.length - 1, 0));
  const change = fc.oneof(
    at.map((i) => words.toSpliced(i, 1)),
    at.map((i) => words.toSpliced(i, 0, words[i] ?? "")),
    fc.tuple(at, fc.constantFrom(...strayWords)).map(([i, word]) => words.toSpliced(i, 1, word)),
    fc.constantFrom(...strayWords).map((word) => [...words, word]),
    fc.tuple(at, fc.nat(30), fc.constantFrom(..."0159afgzAFGZ.:-+/=,!*")).map(([i, place, character]) => {
      const word = words[i] ?? "";
      const cut = place % (word.length + 1);
      // What is behind a backslash or in front of a quote's end stays what it is.
      if (/\\|"/.test(word)) return words.toSpliced(i, 1);
      return words.toSpliced(i, 1, word.slice(0, cut) + character + word.slice(cut + 1));
    }),
  );
  return change.map((changed) => ({ ...line, text: changed.join(" ") }));
};

/** Where we differ on purpose: `applies` keeps such lines out of those made at random. */
const differences: readonly {
  readonly reason: string;
  readonly line: Line;
  readonly named: Verdict;
  readonly ours: Verdict;
  readonly applies?: (line: Line) => boolean;
}[] = [
  {
    reason:
      "\\# always begins octets (RFC 3597 §5); BIND takes it for a character string where no number follows",
    line: { type: "TXT", text: "\\# a" },
    named: "01230161",
    ours: "refused",
    applies: ({ text }) => /^\\#(?! \d+( |$))/.test(text),
  },
  {
    reason:
      "a key of algorithm 253 begins with a name (RFC 4034 Appendix A.1.1); BIND checks it in octets alone",
    line: { type: "DNSKEY", text: "257 3 253 A2ZvbwMA" },
    named: "010103fd03666f6f0300",
    ours: "refused",
    applies: ({ type, text }) => /^(CDNSKEY|DNSKEY|KEY|RKEY)$/.test(type) && / 253 /.test(text),
  },
  {
    reason: "flags of a key have names; BIND takes their beginnings too, the first that fits",
    line: { type: "DNSKEY", text: "N 3 8 AAAA" },
    named: "40000308000000",
    ours: "refused",
    applies: ({ type, text }) => /KEY$/.test(type) && /^[A-Z]+ /.test(text),
  },
  {
    reason: "hex flags of a key begin with 0x; BIND also takes what has a hex digit in it",
    line: { type: "DNSKEY", text: "11F 3 8 AAAA" },
    named: "011f0308000000",
    ours: "refused",
    applies: ({ type, text }) => /KEY$/.test(type) && /^\d+[A-F]\w* /i.test(text),
  },
  {
    reason:
      "an EUI is digits and hyphens (RFC 7043 §3.2); BIND does not look behind the last digit that it can read",
    line: { type: "EUI48", text: "00-00-5e-00-53-2/" },
    named: "00005e005302",
    ours: "refused",
    applies: ({ type, text }) => /^EUI/.test(type) && !/^[0-9a-f-]*$/.test(text),
  },
  {
    reason: "a type's number is digits (RFC 3597 §5); BIND also takes a sign in front",
    line: { type: "NSEC", text: ". TYPE+64" },
    named: "00000900000000000000" + "0080",
    ours: "refused",
    applies: ({ text }) => /TYPE[+-]/.test(text),
  },
  {
    reason: "an item of APL begins with its family's digits (RFC 3123 §5); BIND also takes a sign in front",
    line: { type: "APL", text: "+1:10.0.0.0/8" },
    named: "000108010a",
    ours: "refused",
    applies: ({ type, text }) => type === "APL" && /[+-]/.test(text),
  },
  {
    reason:
      "no-default-alpn needs alpn (RFC 9460 §7.1.1); BIND asks for it only where mandatory does not list it",
    line: { type: "SVCB", text: "1 . mandatory=no-default-alpn no-default-alpn" },
    named: "00010000000002000200020000",
    ours: "refused",
    applies: ({ text }) => /mandatory=\S*no-default-alpn/.test(text) && !/ alpn=/.test(text),
  },
  {
    reason: "a time is one number, or all of it has units; BIND takes a last number without one behind zeros",
    line: { type: "SOA", text: "a. b. 1 0h5 1 1 1" },
    named: "016100016200000000010000000500000001000000010000" + "0001",
    ours: "refused",
  },
  {
    reason: "a quoted value may be parted from its key by a blank, which whoever cuts a line does not tell",
    line: { type: "SVCB", text: '1 . port= "53"' },
    named: "refused",
    ours: "000100000300020035",
  },
  {
    reason: "the services of WKS are a fixed list of common ones; BIND asks the machine's own",
    line: { type: "WKS", text: "192.0.2.1 tcp ldap" },
    named: `c000020106${"00".repeat(48)}04`,
    ours: "refused",
  },
  {
    reason: "a name has octets beyond ASCII as \\DDD, so that nobody takes it for an internationalized one",
    line: { type: "CNAME", text: "é." },
    named: "02c3a900",
    ours: "refused",
  },
  {
    reason: "ATMA has no RFC, so it is read as octets alone",
    line: { type: "ATMA", text: "+1234" },
    named: "0131323334",
    ours: "refused",
  },
  {
    reason: "A6 is historic (RFC 6563), so it is read as octets alone",
    line: { type: "A6", text: "0 2001:db8::1" },
    named: "0020010db8000000000000000000000001",
    ours: "refused",
  },
];

test.each(differences)("differs: $reason", async ({ line, named, ours }) => {
  expect(await rrcheckerVerdict(line)).toBe(named);
  expect(ourVerdict(line)).toBe(ours);
});

describe.each(Object.keys(rdataOfType))("%s", (type) => {
  test("as we print it, is read as the same octets", async () => {
    const lines = sampled(type);
    const verdicts = await verdictsOf(type, lines);
    const shown = (verdict: (line: Line, i: number) => string | undefined) =>
      lines.map((line, i) => `${line.type} ${line.text} => ${verdict(line, i)}`);
    expect(shown((_, i) => verdicts[i])).toEqual(shown(ourVerdict));
  });

  test("with something broken, is refused or read alike", async () => {
    const lines = sampled(type)
      .flatMap((line, i) => fc.sample(broken(line), { numRuns: 4, seed: SEED + i }))
      // Behind a mistake named-checkzone skips to the end of the line without minding quotes, but parentheses.
      .filter(({ text }) => !/(?<!\\)[();]/.test(text))
      .filter((line) => !differences.some(({ applies }) => applies?.(line)));
    const verdicts = await verdictsOf(type, lines);
    const shown = (verdict: (line: Line, i: number) => string | undefined) =>
      lines.map((line, i) => `${line.type} ${line.text} => ${verdict(line, i)}`);
    expect(shown((_, i) => verdicts[i])).toEqual(shown(ourVerdict));
  });
});
