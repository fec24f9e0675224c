/** `geodns365 check`: every error of a configuration, or what it holds; with --strict also what is no error and not meant. */

import type { LintRule } from "../config/lint-rules.ts";
import { formatConfigError } from "../config/load.ts";
import { escapeUnprintable } from "../config/printable.ts";
import type { LintReport } from "../lint/lint.ts";
import { type LoadedHandlers, loadHandlers } from "../load-handlers.ts";
import { type Background, type LoadedSnapshot, loadSnapshot } from "../load-snapshot.ts";
import type { HandlerEvent } from "../script/script-thread.ts";
import type { Snapshot } from "../snapshot.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatGeoip } from "./geoip.ts";

export interface CheckOptions {
  readonly config: string;
  /** whether to warn of what is no error */
  readonly strict: boolean;
  readonly format?: "text" | "json";
  /** rules not to warn by, beside those of the configuration */
  readonly silence?: readonly LintRule[];
}

export async function check(options: CheckOptions): Promise<number> {
  const { config, strict, format, silence } = options;
  if (!strict && (format !== undefined || silence !== undefined)) {
    return misuse("--format and --silence are of warnings, which --strict asks for");
  }
  const loaded = await loadAll(config, strict);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    const { length } = loaded.errors;
    console.error(length === 1 ? "1 error" : `${length} errors`);
    return EXIT.foundWrong;
  }
  for (const warning of loaded.warnings) console.error(`warning: ${warning}`);
  const report = loaded.background && (await lintAll(loaded.snapshot, loaded.background, silence ?? []));
  if (report !== undefined && format === "json") {
    console.log(JSON.stringify(jsonOf(report), null, 2));
    return report.warnings.length > 0 ? EXIT.foundWrong : EXIT.good;
  }
  if (report !== undefined && report.warnings.length > 0) {
    for (const { rule, ...warning } of report.warnings) {
      console.error(formatConfigError({ ...warning, message: `${warning.message} [${rule}]` }));
    }
    console.error(summaryOf(report));
    return EXIT.foundWrong;
  }
  const { clouds, zones, networks, files } = loaded.snapshot.configuration;
  const tenants = clouds.reduce((sum, cloud) => sum + cloud.tenants.homeCount, 0);
  const cloudNames = clouds.map(({ name }) => name).join(", ");
  console.log(
    `good: ${files.length} files, ${clouds.length} clouds (${cloudNames}), ${zones.size} zones, ${networks.length} networks, ${tenants} tenants`,
  );
  console.log(formatGeoip(loaded.snapshot));
  if (report !== undefined) console.log(summaryOf(report));
  return EXIT.good;
}

/** What looks for warnings is loaded where they are wanted. */
async function lintAll(
  snapshot: Snapshot,
  background: Background,
  silence: readonly LintRule[],
): Promise<LintReport> {
  const { lint } = await import("../lint/lint.ts");
  const { silencedRules } = snapshot.configuration.settings;
  return lint(snapshot, background, new Set([...silencedRules, ...silence]));
}

function summaryOf({ warnings: { length }, silencedCount }: LintReport): string {
  const count = length === 0 ? "no warnings" : length === 1 ? "1 warning" : `${length} warnings`;
  return silencedCount === 0 ? count : `${count}, ${silencedCount} silenced`;
}

const jsonOf = ({ warnings, silencedCount }: LintReport) => ({
  warnings: warnings.map(({ rule, place, message }) => ({ rule, ...place, message })),
  silenced: silencedCount,
});

/** Modules of handlers are loaded too, for what is wrong with them shows in no other way. */
async function loadAll(
  config: string,
  keepBackground: boolean,
): Promise<LoadedSnapshot | Extract<LoadedHandlers, { readonly kind: "errors" }>> {
  const loaded = await loadSnapshot(config, { keepBackground });
  if (loaded.kind === "errors") return loaded;
  const onEvent = ({ message }: HandlerEvent): void => console.error(escapeUnprintable(message));
  const started = await loadHandlers(loaded.snapshot, { onEvent });
  if (started.kind === "errors") return started;
  await started.handlers.close();
  return loaded;
}
