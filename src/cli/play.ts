/** `geodns365 play`: stories played in process, or on a running server that is put back behind them. */

import { dirname, resolve } from "node:path";
import { formatConfigError } from "../config/load.ts";
import type { Endpoint } from "../ip.ts";
import { openLab, snapshotOf, type Tempo } from "../scenario/lab.ts";
import { type Check, StoryPlayer, unknownNames } from "../scenario/play.ts";
import { readScenarios, type Scenario } from "../scenario/read.ts";
import {
  countOf,
  formatCheck,
  formatHead,
  formatReports,
  formatSum,
  type Report,
  type ReportFormat,
} from "../scenario/reports.ts";
import type { Stage } from "../scenario/stage.ts";
import { Whose } from "../scenario/whose.ts";
import { NobodyListens } from "../scenario/wire.ts";
import type { Snapshot } from "../snapshot.ts";
import { reportFaults } from "./admin-client.ts";
import { EXIT } from "./exit.ts";
import { openLiveStage } from "./live-stage.ts";
import { defaultLab, explainOptionsOf, loadForCommand } from "./load.ts";
import { untilSignal } from "./signals.ts";

export interface PlayOptions {
  readonly files: readonly string[];
  /** before what the story names; the default lab where neither does */
  readonly config?: string;
  /** in process where undefined */
  readonly server?: Endpoint;
  readonly admin: string;
  readonly tokenFile?: string;
  readonly clock: Tempo;
  readonly format: ReportFormat;
}

export async function play(options: PlayOptions): Promise<number> {
  const read = options.files.map(readScenarios);
  const errors = read.flatMap((each) => (each.kind === "errors" ? each.errors : []));
  if (errors.length > 0) return tellErrors(errors.map(formatConfigError));
  const stories = read.flatMap((each) => (each.kind === "read" ? each.items : []));
  const snapshots = new Map<string, Snapshot>();
  for (const path of new Set(stories.map((story) => configOf(story, options)))) {
    // A rehearsal is the same each time, so it begins with nothing that operators have said to a server.
    const snapshot = await loadForCommand(path, { kind: "none" });
    if (snapshot === undefined) return EXIT.misuse;
    snapshots.set(path, snapshot);
  }
  const unknown = stories.flatMap((story) => {
    const snapshot = snapshots.get(configOf(story, options));
    return snapshot === undefined ? [] : [...unknownNames(story.steps, snapshot.configuration)];
  });
  if (unknown.length > 0) return tellErrors(unknown.map(formatConfigError));
  return reportFaults(async () => {
    const reports: Report[] = [];
    let isStopped = false;
    await untilSignal(async (signal) => {
      for (const story of stories) {
        const snapshot = snapshots.get(configOf(story, options));
        if (snapshot === undefined || signal.aborted) continue;
        reports.push(await playStory(story, snapshot, options, signal));
      }
      isStopped = signal.aborted;
    });
    // Lines for people have been printed as they came.
    const lines = options.format === "text" ? [formatSum(reports)] : formatReports(reports, options.format);
    for (const line of lines) console.log(line);
    if (isStopped) console.error("stopped before the end");
    return isStopped || countOf(reports).different > 0 ? EXIT.foundWrong : EXIT.good;
  });
}

function configOf({ config, file }: Scenario, { config: given }: PlayOptions): string {
  if (given !== undefined) return given;
  return config === undefined || config === "default-lab" ? defaultLab : resolve(dirname(file), config);
}

async function playStory(
  story: Scenario,
  loaded: Snapshot,
  options: PlayOptions,
  signal: AbortSignal,
): Promise<Report> {
  const { file, title } = story;
  const { server, clock: tempo, format } = options;
  const checks: Check[] = [];
  const tell = (check: Check): void => {
    checks.push(check);
    if (format === "text") for (const line of formatCheck(check)) console.log(line);
  };
  if (format === "text") console.log(formatHead(story));
  const isChanged = story.geoip !== undefined || Object.keys(story.settings).length > 0;
  if (server !== undefined && isChanged) {
    const because = "it has settings or a GeoIP of its own, which a running server is not given";
    tell(skippedAt(story, because));
    return { file, title, checks };
  }
  const snapshot = isChanged ? await snapshotAnew(story, loaded) : loaded;
  const { configuration } = snapshot;
  const stage: Stage =
    server === undefined
      ? openLab(snapshot, { startSeconds: story.clockSeconds, tempo, signal })
      : openLiveStage({
          server,
          access: {
            admin: options.admin,
            json: false,
            ...(options.tokenFile !== undefined && { tokenFile: options.tokenFile }),
          },
          tempo,
          signal,
        });
  try {
    const explainOptions = explainOptionsOf(configOf(story, options), { kind: "none" });
    const player = new StoryPlayer(stage, { configuration, whose: new Whose(configuration), explainOptions });
    for (const step of story.steps) {
      if (signal.aborted) break;
      for await (const check of player.play(step)) tell(check);
    }
  } catch (error) {
    if (error instanceof NobodyListens) {
      const difference = { what: "response", expected: ["a response"], got: [error.message] };
      tell({ ...skippedAt(story, ""), outcome: { kind: "different", differences: [difference] } });
    } else if (!signal.aborted) throw error;
  } finally {
    await stage.close();
  }
  return { file, title, checks };
}

const skippedAt = ({ placeOf, title }: Scenario, because: string): Check => ({
  place: placeOf([]),
  title,
  atSeconds: undefined,
  outcome: { kind: "skipped", because },
  explain: undefined,
});

/** With the settings of the story, and the GeoIP database of the configuration where the story has none. */
async function snapshotAnew(story: Scenario, { configuration }: Snapshot): Promise<Snapshot> {
  const { geoipDatabase } = configuration.settings;
  if (story.geoip !== undefined || geoipDatabase.kind === "none") return snapshotOf(story, configuration);
  const { loadGeoip } = await import("../load-geoip.ts");
  const geoip = await loadGeoip(geoipDatabase, configuration.files);
  return snapshotOf(story, configuration, geoip.kind === "loaded" ? geoip.database : undefined);
}

/** Every error in what was given, as `check` tells those of a configuration. */
export function tellErrors(errors: readonly string[]): number {
  for (const error of errors) console.error(error);
  console.error(errors.length === 1 ? "1 error" : `${errors.length} errors`);
  return EXIT.misuse;
}
