/** `geodns365 audit`: which prefixes get which datacenters, and the proof that every scope is exact; or what a change moves. */

import {
  type Audit,
  auditQuestion,
  type FamilyAudit,
  findQuestion,
  groupTailored,
  type ListAudit,
  type TailoredGroup,
} from "../audit/audit.ts";
import { diffAnswers, type FamilyDiff, type Move } from "../audit/diff.ts";
import { type AnswerList, firstOfList } from "../audit/lists.ts";
import { type Counterexample, type CounterexampleKind, holds, type Proof } from "../audit/prove.ts";
import { suggest } from "../config/documents.ts";
import type { Question } from "../dns/message.ts";
import { type DomainName, domainName } from "../dns/name.ts";
import { type AddressFamily, formatPrefix } from "../ip.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import type { Snapshot } from "../snapshot.ts";
import { EXIT, misuse } from "./exit.ts";
import { loadForCommand } from "./load.ts";

export interface AuditCommandOptions {
  /** wire format; all names tailored by place where absent */
  readonly qname?: Uint8Array | undefined;
  readonly config: string;
  /** where the server keeps its state, instead of what the configuration says */
  readonly state?: StateFileChoice;
  /** the configuration that is to take its place */
  readonly diff?: string;
  readonly family?: AddressFamily;
  readonly cells: boolean;
  readonly json: boolean;
}

export async function auditCommand(options: AuditCommandOptions): Promise<number> {
  if (options.cells && (options.qname === undefined || options.diff !== undefined)) {
    return misuse("--cells needs a name, and no --diff");
  }
  const snapshot = await loadForCommand(options.config, options.state);
  const other = options.diff === undefined ? undefined : await loadForCommand(options.diff, options.state);
  if (snapshot === undefined || (options.diff !== undefined && other === undefined)) return EXIT.foundWrong;
  if (options.qname === undefined) {
    return other === undefined ? auditAll(snapshot, options) : diffAll(snapshot, other, options);
  }
  const found = findQuestion(snapshot, options.qname);
  const name = domainName(options.qname);
  switch (found.kind) {
    case "scripted":
      return misuse(`${name} is in a scripted zone, whose handler decides what it answers to whom`);
    case "not-served":
    case "nxdomain": {
      const names = [...publicNames(snapshot), ...groupTailored(snapshot).flatMap(namesOf)];
      const why = found.kind === "nxdomain" ? "does not exist" : "is in no zone served here";
      return misuse(`${name} ${why}${suggest(name, names)}`);
    }
    case "question":
      return other === undefined
        ? auditOne(snapshot, found.question, options)
        : diffOne(snapshot, other, found.question, options);
    default:
      return found satisfies never;
  }
}

/** The names that chains by place begin with, where they name no tenant. */
const publicNames = ({ candidates }: Snapshot): readonly string[] =>
  [...candidates.keys()].flatMap(({ links }) =>
    (links[0]?.owners ?? []).flatMap(({ text, needs }) => (needs.size === 0 ? `${text}.` : [])),
  );

const familiesOf = ({ family }: AuditCommandOptions): readonly AddressFamily[] =>
  family === undefined ? [4, 6] : [family];

function auditOne(snapshot: Snapshot, question: Question, options: AuditCommandOptions): number {
  const { cells, json } = options;
  const listed: CellLine[] = [];
  const audit = withProgress((onProgress) =>
    auditQuestion(snapshot, question, {
      families: familiesOf(options),
      onProgress,
      ...(cells && { onCell: (prefix, list) => listed.push({ prefix: formatPrefix(prefix), list }) }),
    }),
  );
  if (json) {
    const report = auditJson(audit);
    console.log(JSON.stringify(cells ? { ...report, cells: listed } : report, null, 2));
  } else {
    // Half a million lines are not printed one by one.
    for (let i = 0; i < listed.length; i += LINES) {
      console.log(
        listed
          .slice(i, i + LINES)
          .map(({ prefix, list }) => `${prefix} ${formatList(list)}`)
          .join("\n"),
      );
    }
    if (cells) console.log("");
    for (const line of formatAudit(audit)) console.log(line);
  }
  return audit.families.every(({ proof }) => holds(proof)) ? EXIT.good : EXIT.foundWrong;
}

const LINES = 4096;

interface CellLine {
  readonly prefix: string;
  readonly list: AnswerList;
}

/** Each set of tables once: of a chain with several of them the scope is the longest, and each is proven by itself. */
function auditAll(snapshot: Snapshot, options: AuditCommandOptions): number {
  const audited = groupTailored(snapshot).flatMap((group) => {
    const [first] = group.names;
    if (first === undefined) return [];
    const audit = withProgress((onProgress) =>
      auditQuestion(snapshot, first.question, {
        families: familiesOf(options),
        firstStepOnly: true,
        onProgress,
      }),
    );
    return { group, audit };
  });
  if (options.json) {
    const report = audited.map(({ group, audit }) => ({
      service: group.service,
      names: namesOf(group),
      ...auditJson(audit),
    }));
    console.log(JSON.stringify(report, null, 2));
  } else if (audited.length === 0) console.log("no name is tailored by place");
  else {
    const rows = audited.flatMap(({ group, audit }) => rowsOf(group, audit));
    for (const line of formatTable(allHeader, rows)) console.log(line);
    for (const { audit } of audited) for (const line of formatWrong(audit)) console.log(line);
  }
  const proofs = audited.flatMap(({ audit }) => audit.families.map(({ proof }) => proof));
  return proofs.every(holds) ? EXIT.good : EXIT.foundWrong;
}

const allHeader: Row = ["family", ">lists", ">prefixes", "proof", "names"];

const namesOf = ({ names }: TailoredGroup): readonly DomainName[] => names.map(({ name }) => name);

const rowsOf = (group: TailoredGroup, { families }: Audit): readonly Row[] =>
  families.map(({ family, lists, proof }) => [
    `IPv${family}`,
    formatCount(lists.length),
    formatCount(proof.cells),
    holds(proof) ? "holds" : "FAILS",
    `${group.service === undefined ? "" : `${group.service}: `}${cutList(namesOf(group), 3)}`,
  ]);

export function* formatAudit(audit: Audit): Generator<string> {
  const { name, tailoredAt, spreads, families } = audit;
  yield tailoredAt.length === 0
    ? `${name}: everyone has the same answer, with scope 0`
    : `${name}: by place at ${tailoredAt.join(", ")}`;
  for (const { name: spread, over } of spreads) {
    yield `inside each cell ${spread} spreads its clients over the nearest ${over} by their /24 or /56, and no scope is shorter`;
  }
  for (const family of families) {
    yield "";
    yield* formatFamily(family);
  }
}

/** How many lists are printed. */
const MAX_LISTS = 20;

function* formatFamily(audit: FamilyAudit): Generator<string> {
  const { family, lists, proof } = audit;
  yield `IPv${family}: ${count(lists.length, "list")}, ${count(proof.cells, "prefix", "prefixes")}`;
  const unit = family === 4 ? ">addresses" : ">/48s";
  const rows = lists
    .slice(0, MAX_LISTS)
    .map((each) => [
      formatCount(each.prefixes),
      formatSize(each.size),
      formatPrefix(each.example),
      formatWhere(each),
      formatList(each.list),
    ]);
  yield* indent(formatTable([">prefixes", unit, "example", "where", "list"], rows));
  const more = lists.slice(MAX_LISTS);
  if (more.length > 0) {
    const prefixes = more.reduce((sum, each) => sum + each.prefixes, 0);
    yield `  and ${count(more.length, "list")} more of ${formatCount(prefixes)} prefixes; --json has them all`;
  }
  yield* formatProof(audit);
}

function* formatProof({ proof, listOf }: FamilyAudit): Generator<string> {
  const { family, cells, parts, siblings, askedInFull, clients, shortSources } = proof;
  const states: readonly (readonly [kinds: readonly CounterexampleKind[], words: string])[] = [
    [
      ["overlap", "two-answers", "answer"],
      `the scopes are disjoint and cover IPv${family}: ${count(cells, "cell")}, ${formatCount(askedInFull)} of them asked for in full`,
    ],
    [
      ["shared-scope"],
      `no two lists share a scope: computed anew for ${count(parts, "part")} of cells, each has the list of its cell`,
    ],
    [
      ["could-be-wider"],
      `no scope can be wider: ${formatCount(siblings)} of ${formatCount(siblings)} siblings hold another list`,
    ],
    [
      ["cache"],
      `a cache by RFC 7871 §7.3 serves ${count(clients, "client")} rightly; ${formatCount(shortSources)} shorter source prefixes get a scope longer than they are`,
    ],
  ];
  for (const [kinds, words] of states) {
    const count = kinds.reduce((sum, kind) => sum + (proof.found.get(kind) ?? 0), 0);
    if (count === 0) yield `  holds  ${words}`;
    else yield* formatFailure(proof, kinds, count, listOf);
  }
}

/** The proofs that fail alone. */
function* formatWrong({ name, families }: Audit): Generator<string> {
  for (const family of families) {
    if (holds(family.proof)) continue;
    yield `${name} IPv${family.family}:`;
    for (const line of formatProof(family)) if (!line.startsWith("  holds")) yield line;
  }
}

const failures: Readonly<Record<CounterexampleKind, string>> = {
  overlap: "scopes overlap",
  "two-answers": "scopes overlap",
  answer: "answers differ from the tables they are made from",
  "shared-scope": "lists share a scope",
  "could-be-wider": "scopes could be wider",
  cache: "a cache serves wrong answers",
};

function* formatFailure(
  { counterexamples }: Proof,
  kinds: readonly CounterexampleKind[],
  found: number,
  listOf: (number: number) => AnswerList,
): Generator<string> {
  const shown = counterexamples.filter(({ kind }) => kinds.includes(kind));
  const words = [...new Set(shown.map(({ kind }) => failures[kind]))].join(", ");
  yield `  FAILS  ${words}: ${count(found, "time")}`;
  for (const each of shown) yield `         ${formatCounterexample(each, listOf)}`;
  if (found > shown.length) yield `         and ${formatCount(found - shown.length)} more`;
}

function formatCounterexample(example: Counterexample, listOf: (number: number) => AnswerList): string {
  const list = (number: number): string => formatList(listOf(number));
  switch (example.kind) {
    case "overlap":
      return `${formatPrefix(example.at)} has the scope ${formatPrefix(example.prefix)}, and addresses before it have another`;
    case "two-answers": {
      const { prefix, at, otherLength, otherList } = example;
      return `${formatPrefix(prefix)} is the scope of ${list(example.list)}, and ${formatPrefix(at)} in it has scope ${otherLength} and ${list(otherList)}`;
    }
    case "answer": {
      const { prefix, otherLength, otherList } = example;
      return `the tables have ${formatPrefix(prefix)} and ${list(example.list)}, and the answer there has scope ${otherLength} and ${list(otherList)}`;
    }
    case "shared-scope": {
      const { prefix, at, otherList } = example;
      return `${formatPrefix(prefix)} is the scope of ${list(example.list)}, and ${formatPrefix(at)} in it should have ${list(otherList)}`;
    }
    case "could-be-wider":
      return `${formatPrefix(example.sibling)} and ${formatPrefix(example.prefix)} both have ${list(example.list)}`;
    case "cache": {
      const { at, otherList } = example;
      const served = otherList === undefined ? "nothing" : list(otherList);
      return `${formatPrefix(at)} should have ${list(example.list)}, and is served ${served}`;
    }
    default:
      return example satisfies never;
  }
}

function auditJson({ name, type, tailoredAt, spreads, families }: Audit) {
  return {
    name,
    type,
    tailoredAt,
    spreads,
    families: families.map(({ family, lists, proof, listOf }) => ({
      family,
      sizesAreIn: sizeUnit(family),
      lists: lists.map((each) => ({ ...each, example: formatPrefix(each.example) })),
      proof: {
        ...proof,
        holds: holds(proof),
        found: Object.fromEntries(proof.found),
        counterexamples: proof.counterexamples.map((each) => ({
          kind: each.kind,
          words: formatCounterexample(each, listOf),
        })),
      },
    })),
  };
}

const sizeUnit = (family: AddressFamily): string => (family === 4 ? "addresses" : "networks of 48 bits");

function diffOne(
  before: Snapshot,
  after: Snapshot,
  question: Question,
  options: AuditCommandOptions,
): number {
  const families = diffAnswers(before, after, question, { families: familiesOf(options) });
  return printDiffs([{ names: [domainName(question.qname)], families }], [], options);
}

interface NamedDiff {
  readonly names: readonly string[];
  readonly families: readonly FamilyDiff[];
}

/** Each pair of tables once; names that only one configuration has are said to be so. */
function diffAll(before: Snapshot, after: Snapshot, options: AuditCommandOptions): number {
  const [old, next] = [placesOf(before), placesOf(after)];
  const pairs = Map.groupBy(old, ([name, { group }]) => `${group} ${next.get(name)?.group}`);
  const diffs: NamedDiff[] = [];
  const onlyOne: string[] = [...next.keys()]
    .filter((name) => !old.has(name))
    .map((name) => `${name} is tailored by place only in ${options.diff}`);
  for (const members of pairs.values()) {
    const names = members.map(([name]) => name);
    const [member] = members;
    if (member === undefined) continue;
    const [first, { question }] = member;
    if (!next.has(first)) {
      onlyOne.push(...names.map((name) => `${name} is tailored by place only in ${options.config}`));
      continue;
    }
    const families = diffAnswers(before, after, question, {
      families: familiesOf(options),
      firstStepOnly: true,
    });
    diffs.push({ names, families });
  }
  return printDiffs(diffs, onlyOne, options);
}

/** All names tailored by place, each with the number of its group. */
const placesOf = (
  snapshot: Snapshot,
): ReadonlyMap<DomainName, { readonly group: number; readonly question: Question }> =>
  new Map(
    groupTailored(snapshot).flatMap(({ names }, group) =>
      names.map(({ name, question }) => [name, { group, question }] as const),
    ),
  );

/** Like diff: exit code 0 where nothing moves, 1 where something does. */
function printDiffs(
  diffs: readonly NamedDiff[],
  onlyOne: readonly string[],
  { json }: AuditCommandOptions,
): number {
  const moved = diffs.filter(({ families }) => families.some(({ moves }) => moves.length > 0));
  const isEqual = moved.length === 0 && onlyOne.length === 0;
  if (json) console.log(JSON.stringify({ isEqual, diffs: moved, onlyOne }, null, 2));
  else if (isEqual) console.log("nothing moves");
  else {
    for (const line of onlyOne) console.log(line);
    for (const { names, families } of moved) {
      console.log(`${cutList(names, 3)}:`);
      for (const family of families) for (const line of formatDiff(family)) console.log(line);
    }
  }
  return isEqual ? EXIT.good : EXIT.foundWrong;
}

/** By who answers first before and after; what only changes behind the first stands last in its own line. */
export function* formatDiff({ family, moves }: FamilyDiff): Generator<string> {
  if (moves.length === 0) {
    yield `  IPv${family}: nothing moves`;
    return;
  }
  const pairs = Map.groupBy(moves, ({ from, to }) => `${firstOfList(from)} -> ${firstOfList(to)}`);
  const total = moves.reduce((sum, { size }) => sum + size, 0);
  yield `  IPv${family}: ${formatSize(total)} ${family === 4 ? "addresses" : "/48s"} move`;
  const rows = [...pairs].map(([pair, members]) => {
    const [from, to] = pair.split(" -> ");
    return [
      formatCount(members.reduce((sum, { prefixes }) => sum + prefixes, 0)),
      formatSize(members.reduce((sum, { size }) => sum + size, 0)),
      from === to ? `${from}, with another order behind it` : pair,
      formatWhere({ where: mergeWhere(members) }),
    ];
  });
  const unit = family === 4 ? ">addresses" : ">/48s";
  yield* indent(indent(formatTable([">prefixes", unit, "move", "where"], rows)));
}

function mergeWhere(moves: readonly Move[]): ListAudit["where"] {
  const sizes = new Map<string, number>();
  for (const { where } of moves) {
    for (const { name, size } of where) sizes.set(name, (sizes.get(name) ?? 0) + size);
  }
  return [...sizes].map(([name, size]) => ({ name, size })).sort((a, b) => b.size - a.size);
}

const formatWhere = ({ where }: Pick<ListAudit, "where">): string =>
  cutList(
    where.map(({ name }) => name),
    3,
  );

const cutList = (words: readonly string[], shown: number): string =>
  words.length <= shown
    ? words.join(", ")
    : `${words.slice(0, shown).join(", ")} and ${words.length - shown} more`;

/** The first few of an order, without the cloud that all of its datacenters are in. */
function formatList(list: AnswerList): string {
  const parts = list.map((part) => {
    if (part.kind === "records") return part.records.length === 0 ? "no records" : cutList(part.records, 3);
    const [first, ...others] = part.ids.map((id, i) => (i === 0 ? id : id.slice(id.indexOf("/") + 1)));
    if (first === undefined) return "no datacenters";
    const shown = [first, ...others.slice(0, 2)].join(" > ");
    return others.length > 2 ? `${shown} > ${others.length - 2} more` : shown;
  });
  return parts.length === 0 ? "the same for everyone" : parts.join(" + ");
}

const formatCount = (value: number): string => value.toLocaleString("en-US");

/** Less than one network of 48 bits is some. */
const formatSize = (size: number): string => (size > 0 && size < 1 ? "<1" : formatCount(Math.round(size)));

const count = (value: number, one: string, many = `${one}s`): string =>
  `${formatCount(value)} ${value === 1 ? one : many}`;

type Row = readonly string[];

/** Columns as wide as their widest cell; those whose header begins with > are set to the right. */
function* formatTable(header: Row, rows: readonly Row[]): Generator<string> {
  const isRight = header.map((title) => title.startsWith(">"));
  const all = [header.map((title) => title.replace(/^>/, "")), ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  for (const row of all) {
    const cells = row.map((cell, i) =>
      isRight[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
    );
    yield cells.join("  ").trimEnd();
  }
}

function* indent(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `  ${line}`;
}

/** Shows how far it is on a terminal, and nowhere else. */
function withProgress<T>(work: (onProgress: (family: AddressFamily, done: number) => void) => T): T {
  if (!process.stderr.isTTY) return work(() => {});
  try {
    return work((family, done) => process.stderr.write(`\rIPv${family}: ${Math.floor(done * 100)} % `));
  } finally {
    process.stderr.write("\r\u001b[K");
  }
}
