/** `geodns365 expect`: what is to come back, held against what does: in process, from a server, or through a resolver. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Ask } from "../config/ask.ts";
import { reasonOf } from "../config/documents.ts";
import { formatConfigError } from "../config/load.ts";
import type { Endpoint } from "../ip.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import { openAsker } from "../scenario/lab.ts";
import { type Check, checksOf, type PlayOptions, unknownNames } from "../scenario/play.ts";
import { everyPlace, type FromPlace, placeFrom } from "../scenario/questions.ts";
import { type Expectation, readExpectations } from "../scenario/read.ts";
import { publicNames, RECORDED, record } from "../scenario/record.ts";
import { countOf, formatReports, type Report, type ReportFormat } from "../scenario/reports.ts";
import type { Asker } from "../scenario/stage.ts";
import { Whose } from "../scenario/whose.ts";
import { NobodyListens, openWireAsker } from "../scenario/wire.ts";
import type { Snapshot } from "../snapshot.ts";
import { EXIT, misuse } from "./exit.ts";
import { explainOptionsOf, loadForCommand } from "./load.ts";
import { tellErrors } from "./play.ts";

export interface ExpectOptions {
  readonly files: readonly string[];
  readonly config: string;
  /** where a server keeps its states, instead of what the configuration says */
  readonly state?: StateFileChoice;
  readonly server?: Endpoint;
  readonly via?: Endpoint;
  readonly format: ReportFormat;
  /** the file to write what is true now into */
  readonly record?: string;
  /** what is recorded; all networks and all public names where there are none */
  readonly from: readonly string[];
  readonly ask: readonly Ask[];
}

export async function expectCommand(options: ExpectOptions): Promise<number> {
  const { files, server, via, record: target } = options;
  if (server !== undefined && via !== undefined)
    return misuse("--server and --via are two ways to ask; give one of them");
  if (target === undefined && files.length === 0)
    return misuse("name a file of expectations, or write one with --record FILE");
  if (target !== undefined && files.length > 0)
    return misuse("--record writes a file and reads none; leave the others out");
  if (target === undefined && options.from.length + options.ask.length > 0)
    return misuse("--from and --ask say what --record writes; a file says its own");
  const read = files.map((file) => ({ file, ...readExpectations(file) }));
  const errors = read.flatMap((each) => (each.kind === "errors" ? each.errors : []));
  if (errors.length > 0) return tellErrors(errors.map(formatConfigError));
  const snapshot = await loadForCommand(options.config, options.state);
  if (snapshot === undefined) return EXIT.misuse;
  const asker = askerOf(snapshot, options);
  try {
    if (target !== undefined) return await recordInto(target, snapshot, asker, options);
    const known = read.flatMap((each) => (each.kind === "read" ? [each] : []));
    const unknown = known.flatMap(({ items }) => [...unknownNames(items, snapshot.configuration)]);
    if (unknown.length > 0) return tellErrors(unknown.map(formatConfigError));
    const asked: PlayOptions = {
      configuration: snapshot.configuration,
      whose: new Whose(snapshot.configuration),
      explainOptions: explainOptionsOf(options.config, options.state),
    };
    const reports: Report[] = [];
    for (const { file, items } of known) {
      const checks = await checkAll(items, asker, asked);
      reports.push({ file, title: undefined, checks });
    }
    for (const line of formatReports(reports, options.format)) console.log(line);
    return countOf(reports).different > 0 ? EXIT.foundWrong : EXIT.good;
  } catch (error) {
    if (!(error instanceof NobodyListens)) throw error;
    console.error(`${error.message}; start geodns365 serve, or name another with --server or --via`);
    return EXIT.foundWrong;
  }
}

function askerOf(snapshot: Snapshot, { server, via }: ExpectOptions): Asker {
  if (via !== undefined) return openWireAsker("resolver", via);
  if (server !== undefined) return openWireAsker("server", server);
  return openAsker(
    () => snapshot,
    () => 0,
  );
}

/** So many wait for an answer at a time. */
const UNDER_WAY = 16;

async function checkAll(
  expectations: readonly Expectation[],
  asker: Asker,
  options: PlayOptions,
): Promise<readonly Check[]> {
  const waiting = expectations.flatMap((each) => [...checksOf(each, asker, options)]);
  const checks: Check[] = [];
  for (let i = 0; i < waiting.length; i += UNDER_WAY)
    checks.push(...(await Promise.all(waiting.slice(i, i + UNDER_WAY).map((ask) => ask()))));
  return checks;
}

async function recordInto(
  target: string,
  { configuration }: Snapshot,
  asker: Asker,
  { from, ask }: ExpectOptions,
): Promise<number> {
  try {
    if (existsSync(target) && !readFileSync(target, "utf8").startsWith(RECORDED))
      return misuse(`${target} was not recorded, so it is not written over; name another file`);
  } catch (error) {
    return misuse(`${target} cannot be read: ${reasonOf(error)}`);
  }
  const places =
    from.length === 0 ? everyPlace(configuration) : from.map((text) => placeFrom(configuration, text));
  const unknown = places.find((place) => typeof place === "string");
  if (typeof unknown === "string") return misuse(`--from ${unknown}`);
  const known: readonly FromPlace[] = places.filter((place) => typeof place !== "string");
  if (known.length === 0) return misuse("the configuration has no networks; say from where with --from");
  const groups = ask.length === 0 ? publicNames(configuration) : [{ comment: "as asked for", asks: ask }];
  const lines = await record(asker, {
    groups,
    places: known,
    isEverywhere: from.length === 0,
    configuration,
    whose: new Whose(configuration),
  });
  if (typeof lines === "string") {
    console.error(`nothing is recorded: ${lines}`);
    return EXIT.foundWrong;
  }
  try {
    writeFileSync(target, `${lines.join("\n")}\n`);
  } catch (error) {
    return misuse(`${target} cannot be written: ${reasonOf(error)}`);
  }
  const count = lines.filter((line) => line.startsWith("  - ask:")).length;
  console.log(`${target}: ${count} expectations`);
  return EXIT.good;
}
