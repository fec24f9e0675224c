/** Scripted zones: the module that answers for each, checked to be a file of the configuration's own folder. */

import { realpathSync, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import type { DomainName } from "../dns/name.ts";
import type { ScriptedZone } from "../zone/scripted-zone.ts";
import { isBelow } from "./folder.ts";
import { cutFound } from "./printable.ts";
import type { ValuePath, YamlDocument } from "./yaml-document.ts";

/** As long as a client of a lab can well wait: resolvers ask again after some 400 milliseconds and more. */
const DEFAULT_DEADLINE_MILLISECONDS = 100;
const DEFAULT_CONCURRENCY = 64;

const extensions = [".js", ".mjs", ".ts", ".mts"];

/** An item of `zones` that names a handler. */
export interface ScriptedZoneItem {
  readonly zone: string;
  readonly handler: string;
  readonly deadlineMilliseconds?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** Makes the zone of an item of `zones`; its module must lie in `folder`, that of the configuration. */
export function buildScriptedZone(
  apex: DomainName,
  item: ScriptedZoneItem,
  { source, valuePath }: { readonly source: YamlDocument; readonly valuePath: ValuePath },
  folder: string,
): { readonly zone: ScriptedZone; readonly fault: string | undefined } {
  const path = resolve(dirname(source.file), item.handler);
  const found = findModule(path, folder);
  const place = source.placeOf([...valuePath, "handler"]);
  return {
    zone: {
      kind: "scripted",
      apex,
      handler: found.path ?? path,
      deadlineMilliseconds: item.deadlineMilliseconds ?? DEFAULT_DEADLINE_MILLISECONDS,
      concurrency: item.concurrency ?? DEFAULT_CONCURRENCY,
      place,
      sourceLine: source.errorAt(place, "").sourceLine,
    },
    fault: found.fault && `"${cutFound(item.handler)}" ${found.fault}`,
  };
}

/** The path without symbolic links, so that a link does not lead out of the folder. */
function findModule(
  path: string,
  folder: string,
): { readonly path?: string | undefined; readonly fault?: string | undefined } {
  let real: string;
  let isFile: boolean;
  try {
    real = realpathSync(path);
    isFile = statSync(real).isFile();
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { fault: isMissing ? "is no file" : "cannot be read" };
  }
  if (!isBelow(real, folder)) {
    return { fault: "lies outside the folder of the configuration, where handlers must be" };
  }
  if (!isFile) return { fault: "is no file" };
  if (!extensions.includes(extname(real))) {
    return { fault: "is no module by its name; a handler ends in .js, .mjs, .ts or .mts" };
  }
  return { path: real };
}
