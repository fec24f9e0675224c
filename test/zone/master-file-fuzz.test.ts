/**
 * A bounded fuzzer of master files: whatever octets come, the reader ends without throwing, and each fault has its place
 * inside the file that it is about. fast-check prints the seed and the shrunken text of a failure.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nameOf } from "../../src/dns/name.ts";
import { isRdataOf } from "../../src/dns/rdata.ts";
import { type MasterFile, type MasterPlace, readMasterFile } from "../../src/zone/master-file.ts";
import { ZoneBuilder, type ZoneRecord } from "../../src/zone/zone.ts";
import { badFiles, goodFiles } from "./master-files.ts";

const apex = nameOf("example.test");

/** Reads a text as a file and as all that it includes, and checks what is told. */
function read(text: string): readonly ZoneRecord[] {
  const lines = text.split("\n");
  const checkPlace = ({ file, line, column }: MasterPlace): void => {
    expect(file).toBe("a.zone");
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual(Math.max(lines[line - 1]?.length ?? 0, 1));
  };
  const checkTold = (place: MasterPlace, message: string): void => {
    checkPlace(place);
    expect(message).not.toBe("");
  };
  const records: ZoneRecord[] = [];
  let included = 0;
  readMasterFile({ file: "a.zone", text }, apex, {
    include: (): MasterFile | string => (included++ < 3 ? { file: "a.zone", text } : "is not there"),
    onRecord: (record, place) => {
      checkPlace(place);
      records.push(record);
    },
    onError: checkTold,
    onWarning: checkTold,
  });
  return records;
}

/** What a zone takes of records: all that it holds is well-formed. */
function checkRecords(records: readonly ZoneRecord[]): void {
  const builder = new ZoneBuilder<never>(apex);
  for (const record of records) builder.addRecord(record);
  for (const [name, { rrsets }] of builder.table) {
    expect(nameOf(name)).toBe(name);
    for (const { type, rdatas } of rrsets.values()) {
      for (const rdata of rdatas) expect(isRdataOf(type, rdata)).toBe(true);
    }
  }
}

const octets = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString("latin1"));

/** Words and marks that mean something, so that lines come near to what is read. */
const piece = fc.oneof(
  fc.constantFrom(
    "$ORIGIN ",
    "$TTL ",
    "$INCLUDE ",
    "$GENERATE ",
    "$DATE ",
    "1-3 ",
    "0-9/3 ",
    `\${0,3,n}`,
    "$$",
    "\\$",
  ),
  fc.constantFrom("@ ", "www ", "*.w ", "IN ", "CH ", "60 ", "1h ", "4294967295 ", "ns ", ". "),
  fc.constantFrom(
    "SOA ns h 1 2 3 4 5",
    "NS ns",
    "A 192.0.2.1",
    "TXT ",
    "CNAME a..b",
    "MX 10 ns",
    "HTTPS 1 . alpn=h2",
  ),
  fc.constantFrom(
    "LOC 1 2 3 N 4 5 6 E 7m",
    "APL 1:1.2.3.4/5",
    "NAPTR 1 2 s t '!^.*$!x!' .",
    "DS 1 8 2 ab",
    "TYPE65280 ",
  ),
  fc.constantFrom(
    "\n",
    "\n",
    "\n ",
    "\r\n",
    "(",
    ")",
    '"',
    ";",
    "\\",
    "\\000",
    "\\256",
    "\t",
    " ",
    "\u0000",
    "\u00ff",
  ),
  fc.constantFrom(
    "l".repeat(63),
    "l".repeat(64),
    `${"m".repeat(62)}.`.repeat(4),
    "\\# 4 ",
    "c0000201",
    "\\# 70000 ",
  ),
  fc.string({ unit: "binary-ascii", maxLength: 6 }),
);

const lines = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));

/** A file of the corpus with some of it changed, cut out, put in or said twice. */
const broken = fc
  .record({
    file: fc.constantFrom(...goodFiles, ...badFiles),
    edits: fc.array(
      fc.record({
        at: fc.nat(2000),
        length: fc.nat(12),
        kind: fc.constantFrom("put", "cut", "twice"),
        piece,
      }),
      { maxLength: 6 },
    ),
  })
  .map(({ file, edits }) =>
    edits.reduce((text, edit) => {
      const at = text.length === 0 ? 0 : edit.at % text.length;
      const found = text.slice(at, at + edit.length);
      const between = edit.kind === "put" ? edit.piece : edit.kind === "twice" ? found.repeat(2) : "";
      return text.slice(0, at) + between + text.slice(edit.kind === "put" ? at : at + edit.length);
    }, file.text),
  );

describe("a master file of", () => {
  it.each([
    ["octets at random", octets],
    ["pieces in any order", lines],
    ["good and bad ones with slips of the hand", broken],
  ])("%s is read to its end", (_, text) => {
    fc.assert(
      fc.property(text, (written) => checkRecords(read(written))),
      { numRuns: 1000 },
    );
  });

  it.each([
    ["parentheses in each other", "(".repeat(100_000)],
    ["parentheses that are never opened", "w A 192.0.2.1 )\n".repeat(10_000)],
    ["one word without end", "w TXT ".padEnd(1_000_000, "x")],
    ["one name without end", `${"a.".repeat(500_000)} A 192.0.2.1\n`],
    ["one quoted text without end", `w TXT "${"\\\\".repeat(500_000)}`],
    ["NUL octets", "\u0000".repeat(100_000)],
    ["backslashes", "\\".repeat(100_001)],
    ["words in one line", `w TXT ${"x ".repeat(200_000)}`],
    ["$GENERATE without an end to its template", `$GENERATE 1-3 ${"${".repeat(50_000)} A 192.0.2.1\n`],
    ["a range over all bounds", "$GENERATE 0-2147483647 h$ A 192.0.2.1\n"],
    ["widths that make long names", `$GENERATE 1-3 \${0,999,d} A 192.0.2.1\n`],
  ])("%s is read in one go", (_, text) => {
    checkRecords(read(text));
  });
});
