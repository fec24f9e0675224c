/** `geodns365 import endpoints`: the published endpoints beside what the configuration serves. */

import { readFileSync } from "node:fs";
import { reasonOf, suggest } from "../config/documents.ts";
import { formatConfigError, loadConfig } from "../config/load.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { compareEndpoints, differs, type EndpointsReport } from "../endpoints/compare.ts";
import { readEndpoints } from "../endpoints/file.ts";
import { EXIT, misuse } from "./exit.ts";
import { formatTable } from "./table.ts";

export interface ImportEndpointsOptions {
  readonly file: string;
  readonly config: string;
  readonly cloud: string;
  readonly json: boolean;
  readonly strict: boolean;
}

export async function importEndpoints(options: ImportEndpointsOptions): Promise<number> {
  const { file, config, json, strict } = options;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    // What may follow is a hint for those who write an include.
    const [reason] = reasonOf(error).split(";", 1);
    return misuse(`${escapeUnprintable(file)} cannot be read: ${reason}`);
  }
  const read = readEndpoints(file, text);
  if (read.kind === "errors") {
    for (const error of read.errors) console.error(formatConfigError(error));
    return EXIT.misuse;
  }
  const loaded = loadConfig(config);
  if (loaded.kind === "errors") {
    for (const error of loaded.errors) console.error(formatConfigError(error));
    return EXIT.foundWrong;
  }
  const { clouds } = loaded.configuration;
  const cloud = clouds.find(({ name }) => name === options.cloud);
  if (cloud === undefined) {
    const known = clouds.map(({ name }) => name);
    return misuse(
      `--cloud "${options.cloud}" is no cloud of the configuration${suggest(options.cloud, known)}`,
    );
  }
  const report = compareEndpoints(read.sets, loaded.configuration, cloud);
  if (json) console.log(JSON.stringify(report, null, 2));
  else for (const line of formatEndpoints(file, report)) console.log(line);
  return strict && differs(report) ? EXIT.foundWrong : EXIT.good;
}

export function* formatEndpoints(file: string, report: EndpointsReport): Generator<string> {
  const { cloud, records, names, patterns, servedNames, addresses, prefixes } = report;
  yield `${escapeUnprintable(file)} beside ${cloud}: ${count(records, "record")}, ${count(names.total, "name")}, ${count(patterns.total, "pattern")}, ${count(prefixes, "prefix", "prefixes")}`;
  yield `${ofAll(names, "name")} and ${ofAll(patterns, "pattern")} of the file not served`;
  yield `${ofAll(servedNames, "name")} served outside every pattern of the file`;
  yield formatAddresses(report);
  if (report.notServed.length > 0) {
    yield "";
    yield "Not served:";
    const rows = report.notServed.flatMap((set) =>
      [...set.names, ...set.patterns].map((name, i) =>
        i > 0
          ? ["", "", "", "", name]
          : [set.serviceArea, set.id, set.category, set.required ? "yes" : "no", name],
      ),
    );
    yield* formatTable(["area", "id", "category", "required", "name or pattern"], rows);
  }
  if (report.namesOutside.length > 0) {
    yield "";
    yield "Names outside:";
    const rows = report.namesOutside.flatMap(({ service, names: outside }) =>
      outside.map((name, i) => [i > 0 ? "" : service, name]),
    );
    yield* formatTable(["service", "name"], rows);
  }
  if (addresses.missing > 0 && addresses.missing < addresses.total) {
    yield "";
    yield "Addresses outside:";
    const rows = report.addressesOutside.map((group) => [
      group.service,
      group.datacenter ?? "anycast",
      group.count,
      group.ranges.join(" "),
    ]);
    yield* formatTable(["service", "datacenter", "addresses", "ranges"], rows);
  }
}

/** All of them need no list. */
function formatAddresses({ addresses, prefixes }: EndpointsReport): string {
  const { total, missing, areLabAddresses } = addresses;
  const outside = `${ofAll(addresses, "address", "addresses")} outside the file's ${count(prefixes, "prefix", "prefixes")}`;
  if (total === 0 || missing < total) return outside;
  return areLabAddresses
    ? `${outside}: all are lab addresses (198.18.0.0/15, 2001:db8::/32)`
    : `${outside}: of no service or datacenter is any inside`;
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

const ofAll = (
  { total, missing }: { readonly total: number; readonly missing: number },
  one: string,
  many?: string,
): string => `${missing} of ${count(total, one, many)}`;
