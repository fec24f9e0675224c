/** What became of checks, for people and for programs: lines, TAP 14, JUnit XML, JSON. */

import { relative } from "node:path";
import { escapeUnprintable } from "../config/printable.ts";
import { formatSeconds } from "../config/timeline.ts";
import { formatPlace } from "../config/yaml-document.ts";
import type { Difference } from "./compare.ts";
import type { Check } from "./play.ts";

/** The checks of one story, or of one file of expectations. */
export interface Report {
  readonly file: string;
  readonly title: string | undefined;
  readonly checks: readonly Check[];
}

export type ReportFormat = "text" | "tap" | "junit" | "json";

export function formatReports(reports: readonly Report[], format: ReportFormat): Iterable<string> {
  switch (format) {
    case "text":
      return formatText(reports);
    case "tap":
      return formatTap(reports);
    case "junit":
      return formatJunit(reports);
    case "json":
      return formatJson(reports);
    default:
      return format satisfies never;
  }
}

interface Counts {
  readonly checks: number;
  readonly different: number;
  readonly skipped: number;
}

export function countOf(reports: readonly Report[]): Counts {
  const outcomes = reports.flatMap(({ checks }) => checks.map(({ outcome }) => outcome.kind));
  const count = (kind: Check["outcome"]["kind"]): number => outcomes.filter((each) => each === kind).length;
  return {
    checks: outcomes.length - count("done"),
    different: count("different"),
    skipped: count("skipped"),
  };
}

function* formatText(reports: readonly Report[]): Generator<string> {
  for (const report of reports) {
    yield formatHead(report);
    for (const check of report.checks) yield* formatCheck(check);
  }
  yield formatSum(reports);
}

/** What stands above the checks of a report. */
export const formatHead = ({ file, title }: Pick<Report, "file" | "title">): string =>
  escapeUnprintable(title === undefined ? shortPath(file) : `${shortPath(file)}: ${title}`);

export function formatSum(reports: readonly Report[]): string {
  const { checks, different, skipped } = countOf(reports);
  const left = skipped === 0 ? "" : `, ${skipped} not asked`;
  return different === 0
    ? `good: ${checks - skipped} of ${checks} as expected${left}`
    : `${different} of ${checks} other than expected${left}`;
}

const marks = { same: "ok  ", different: "DIFF", skipped: "skip", done: "    " } as const;

/** A line, and below it what differs. */
export function* formatCheck({ place, title, atSeconds, outcome, explain }: Check): Generator<string> {
  const time = atSeconds === undefined ? "" : `${formatSeconds(atSeconds).padStart(8)}  `;
  yield escapeUnprintable(`  ${marks[outcome.kind]}  ${time}${title}`);
  const indent = "        ";
  if (outcome.kind === "skipped") yield escapeUnprintable(`${indent}${outcome.because}`);
  if (outcome.kind !== "different") return;
  yield `${indent}at ${formatPlace(place)}`;
  for (const difference of outcome.differences)
    for (const line of formatDifference(difference)) yield escapeUnprintable(`${indent}${line}`);
  if (explain !== undefined) yield escapeUnprintable(`${indent}why: ${explain}`);
}

/** One line for one thing, or a diff: what is in both, what is missing (-), and what came instead (+). */
export function* formatDifference({ what, expected, got }: Difference): Generator<string> {
  if (expected.length === 1 && got.length === 1) {
    yield `${what}: expected ${expected[0]}, got ${got[0]}`;
    return;
  }
  yield `${what}:`;
  if (expected.length === 0) yield "- (nothing)";
  for (const [mark, line] of diffLines(expected, got)) yield `${mark} ${line}`;
  if (got.length === 0) yield "+ (nothing)";
}

/** The shortest way from one list to the other, by their longest common subsequence. */
export function diffLines(
  before: readonly string[],
  after: readonly string[],
): readonly (readonly [mark: " " | "-" | "+", line: string])[] {
  // lengths[i][j]: of the longest common subsequence of what is behind i and j
  const lengths = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  );
  const lengthAt = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = lengths[i] ?? [];
      row[j] =
        before[i] === after[j]
          ? lengthAt(i + 1, j + 1) + 1
          : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const lines: (readonly [" " | "-" | "+", string])[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old = "", next = ""] = [before[i], after[j]];
    if (i < before.length && j < after.length && old === next) {
      lines.push([" ", old]);
      i++;
      j++;
    } else if (i < before.length && (j === after.length || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      lines.push(["-", old]);
      i++;
    } else {
      lines.push(["+", next]);
      j++;
    }
  }
  return lines;
}

/** https://testanything.org/tap-version-14-specification.html */
function* formatTap(reports: readonly Report[]): Generator<string> {
  const checks = reports.flatMap(({ title, checks: those }) =>
    those.filter(isCheck).map((check) => ({ ...check, story: title })),
  );
  yield "TAP version 14";
  yield `1..${checks.length}`;
  for (const [i, check] of checks.entries()) {
    const { outcome, place, explain } = check;
    // A # begins a directive, and a backslash escapes.
    const words = escapeUnprintable(titleInStory(check, check.story)).replace(/[\\#]/g, "\\$&");
    if (outcome.kind === "skipped") {
      yield `ok ${i + 1} - ${words} # SKIP ${escapeUnprintable(outcome.because).replace(/[\\#]/g, "\\$&")}`;
      continue;
    }
    yield `${outcome.kind === "different" ? "not ok" : "ok"} ${i + 1} - ${words}`;
    if (outcome.kind !== "different") continue;
    yield "  ---";
    yield `  at: ${JSON.stringify(formatPlace(place))}`;
    yield "  differences:";
    for (const { what, expected, got } of outcome.differences) {
      // JSON is YAML, and leaves no room for what a text may hold.
      yield `    - what: ${JSON.stringify(what)}`;
      yield `      expected: ${JSON.stringify(expected)}`;
      yield `      got: ${JSON.stringify(got)}`;
    }
    if (explain !== undefined) yield `  why: ${JSON.stringify(explain)}`;
    yield "  ...";
  }
}

function* formatJunit(reports: readonly Report[]): Generator<string> {
  const numbers = ({ checks, different, skipped }: Counts): string =>
    `tests="${checks}" failures="${different}" errors="0" skipped="${skipped}"`;
  yield '<?xml version="1.0" encoding="UTF-8"?>';
  yield `<testsuites name="geodns365" ${numbers(countOf(reports))}>`;
  for (const report of reports) {
    const file = shortPath(report.file);
    yield `  <testsuite name="${xml(report.title ?? file)}" ${numbers(countOf([report]))}>`;
    for (const check of report.checks.filter(isCheck)) {
      const { outcome, place } = check;
      const name = xml(titleInStory(check, undefined));
      const head = `    <testcase classname="${xml(file)}" name="${name}" file="${xml(file)}" line="${place.line}"`;
      if (outcome.kind === "same") yield `${head}/>`;
      else if (outcome.kind === "skipped") {
        yield `${head}>`;
        yield `      <skipped message="${xml(outcome.because)}"/>`;
        yield "    </testcase>";
      } else {
        const lines = outcome.differences.flatMap((difference) => [...formatDifference(difference)]);
        const [first = ""] = lines;
        yield `${head}>`;
        yield `      <failure type="different" message="${xml(first)}">${xml([formatPlace(place), ...lines].join("\n"))}</failure>`;
        yield "    </testcase>";
      }
    }
    yield "  </testsuite>";
  }
  yield "</testsuites>";
}

function* formatJson(reports: readonly Report[]): Generator<string> {
  const json = {
    ...countOf(reports),
    files: reports.map(({ file, title, checks }) => ({
      file: shortPath(file),
      title,
      checks: checks.map(({ place, title: words, atSeconds, outcome, explain }) => {
        const { kind, ...rest } = outcome;
        const why = kind === "different" ? { explain } : {};
        return { title: words, at: formatPlace(place), atSeconds, outcome: kind, ...rest, ...why };
      }),
    })),
  };
  yield JSON.stringify(json, null, 2);
}

/** Whether it counts: what an operator has done does where it failed. */
function isCheck(check: Check): check is Check & {
  readonly outcome: Exclude<Check["outcome"], { readonly kind: "done" }>;
} {
  return check.outcome.kind !== "done";
}

function titleInStory({ title, atSeconds }: Check, story: string | undefined): string {
  const time = atSeconds === undefined ? "" : ` at ${formatSeconds(atSeconds)}`;
  return `${story === undefined ? "" : `${story}: `}${title}${time}`;
}

const xmlEntities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML has no way to write most control characters. */
const xml = (text: string): string =>
  text
    .split("\n")
    .map(escapeUnprintable)
    .join("\n")
    .replace(/[&<>"]/g, (sign) => xmlEntities[sign] ?? sign);

/** The path from here, where the file lies below. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return escapeUnprintable(path.startsWith("..") ? file : path);
}
