/** The master files that `zones` names, read into their zones; what is wrong in them is told as in YAML. */

import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { TYPE } from "../dns/iana.ts";
import type { DomainName } from "../dns/name.ts";
import { checkHosts } from "../zone/integrity.ts";
import { type MasterFile, type MasterPlace, readMasterFile } from "../zone/master-file.ts";
import { type RecordNumber, uint32s, withRoom } from "../zone/node-table.ts";
import type { ZoneBuilder, ZoneRecord } from "../zone/zone.ts";
import type { Faults } from "./build-topology.ts";
import { reasonOf } from "./documents.ts";
import { isBelow } from "./folder.ts";
import { cutFound, cutPieces, escapeUnprintable } from "./printable.ts";
import type { ConfigError, FilePlace, ValuePath, YamlDocument } from "./yaml-document.ts";

/** Faults of one kind that are told of one zone; what is wrong in every line need not be read in every line. */
const MAX_TOLD = 200;

/** Where `zones` names a master file. */
export interface MasterFileEntry<T> {
  readonly builder: ZoneBuilder<T>;
  /** as written */
  readonly path: string;
  readonly source: YamlDocument;
  readonly valuePath: ValuePath;
}

/** A zone that was read from a master file. */
export interface MasterZone<T> {
  readonly builder: ZoneBuilder<T>;
  /** whether nothing was left out */
  readonly isWhole: boolean;
  /** Where the first record of a name stands; undefined where it stands in no master file. */
  placeOf(name: DomainName): FilePlace | undefined;
  /** Tells of a zone that cannot work: it is asked once the zone has all that it gets from elsewhere too. */
  checkIntegrity(): void;
}

/** Reads a master file into its zone. An $INCLUDE must stay in `folder`, that of the configuration. */
export function readZoneFile<T>(entry: MasterFileEntry<T>, folder: string, faults: Faults): MasterZone<T> {
  const { builder, source, valuePath } = entry;
  const files = new Map<string, MasterFile>();
  const lines = new RecordPlaces();
  const teller = new Teller(files, faults);
  const open = (path: string, within?: string): MasterFile | string => {
    try {
      if (within !== undefined && !isBelow(realpathSync(path), within))
        return `lies outside the folder of the configuration, ${within}`;
      // A pipe or a device may have no end.
      if (!statSync(path).isFile()) return "is no file";
      const file = { file: path, text: readFileSync(path, "latin1") };
      files.set(path, file);
      return file;
    } catch (error) {
      return `cannot be read: ${reasonOf(error)}`;
    }
  };
  const path = resolve(dirname(source.file), entry.path);
  const opened = open(path);
  if (typeof opened === "string") {
    faults.at(source, [...valuePath, "file"], `"${cutFound(entry.path)}" ${opened}`);
    return { builder, isWhole: false, placeOf: () => undefined, checkIntegrity: () => {} };
  }
  readMasterFile(opened, builder.apex, {
    include: (name, from) => {
      const included = resolve(dirname(from), name);
      const file = open(included, folder);
      return typeof file === "string" ? `"${cutFound(name)}" ${file}` : file;
    },
    onRecord: (record, place) => {
      const before = builder.table.recordCount;
      addRecord(builder, record, place, teller);
      if (builder.table.recordCount > before) lines.add(before, place);
    },
    onError: (place, message) => teller.error(place, message),
    onWarning: (place, message) => teller.warning(place, message),
  });
  return {
    builder,
    isWhole: teller.errorCount === 0,
    placeOf: (name) => {
      const record = builder.table.firstRecordOf(name);
      return record === undefined ? undefined : lines.placeOf(record);
    },
    checkIntegrity: () => {
      if (teller.errorCount === 0) checkIntegrity(builder, path, lines, teller);
      teller.finish();
    },
  };
}

/** RFC 2181 §5.2 asks for one TTL in an RRset; as in BIND the first one counts. What is not in the zone is left out. */
function addRecord<T>(builder: ZoneBuilder<T>, record: ZoneRecord, place: MasterPlace, teller: Teller): void {
  const clash = builder.addRecord(record);
  switch (clash?.kind) {
    case undefined:
      return;
    case "outside":
      teller.warning(place, `${clash.words}, so it is left out`);
      return;
    case "ttl": {
      const { ttlSeconds, words } = clash;
      teller.warning(place, `${words}; this record gets the first one, ${ttlSeconds}`);
      builder.addRecord({ ...record, ttlSeconds });
      return;
    }
    case "other":
      teller.error(place, clash.words);
      return;
    default:
      clash satisfies never;
  }
}

/** What a zone of its own must have: nothing is made up for it, unlike for a zone of records in YAML. */
function checkIntegrity<T>(builder: ZoneBuilder<T>, file: string, lines: RecordPlaces, teller: Teller): void {
  const { apex, table } = builder;
  const start = { file, line: 1, column: 1 };
  const lacks = [TYPE.SOA, TYPE.NS].filter((type) => !builder.has(apex, type));
  if (lacks.includes(TYPE.SOA)) teller.error(start, `zone ${apex} has no SOA`);
  if (lacks.includes(TYPE.NS)) teller.error(start, `zone ${apex} has no NS at its apex`);
  if (lacks.length > 0) return;
  for (const { severity, record, message } of checkHosts(builder.build(), table)) {
    const place = lines.placeOf(record);
    // Records of YAML beside the file may lead anywhere, as in other zones.
    if (place !== undefined) teller[severity](place, message);
  }
}

/** Where records stand, by number; a million places as objects would take as much room as the zone. */
class RecordPlaces {
  readonly #files: string[] = [];
  /** of each record the number of its file, its line and its column */
  #places = new Uint32Array(3 * 64);

  add(record: RecordNumber, { file, line, column }: MasterPlace): void {
    if (this.#files.at(-1) !== file) this.#files.push(file);
    this.#places = withRoom(this.#places, 3 * (record + 1), uint32s);
    this.#places.set([this.#files.length, line, column], 3 * record);
  }

  placeOf(record: RecordNumber): FilePlace | undefined {
    const [fileNumber = 0, line = 1, column = 1] = this.#places.subarray(3 * record, 3 * record + 3);
    const file = this.#files[fileNumber - 1];
    return file === undefined ? undefined : { file, line, column };
  }
}

/** Turns what is wrong into errors and warnings with their lines. */
class Teller {
  readonly #files: ReadonlyMap<string, MasterFile>;
  readonly #faults: Faults;
  readonly #linesOf = new Map<string, readonly string[]>();
  readonly #counts = { error: 0, warning: 0 };

  constructor(files: ReadonlyMap<string, MasterFile>, faults: Faults) {
    this.#files = files;
    this.#faults = faults;
  }

  get errorCount(): number {
    return this.#counts.error;
  }

  error(place: MasterPlace, message: string): void {
    if (this.#counts.error++ < MAX_TOLD) this.#faults.errors.push(this.#tell(place, message));
  }

  warning(place: MasterPlace, message: string): void {
    if (this.#counts.warning++ < MAX_TOLD) this.#faults.warnings.push(this.#tell(place, message));
  }

  /** Says how much was not told. */
  finish(): void {
    const [first] = this.#files.keys();
    if (first === undefined) return;
    for (const [kind, told] of [
      ["error", this.#faults.errors],
      ["warning", this.#faults.warnings],
    ] as const) {
      const more = this.#counts[kind] - MAX_TOLD;
      const message = `${more} more ${kind}s of this zone are not shown`;
      if (more > 0)
        told.push({
          place: { file: first, line: Number.MAX_SAFE_INTEGER, column: 1 },
          sourceLine: "",
          message,
        });
    }
  }

  #tell(place: MasterPlace, message: string): ConfigError {
    const sourceLine = this.#lines(place.file)[place.line - 1]?.replace(/\r$/, "") ?? "";
    return { place, sourceLine, message: escapeUnprintable(cutPieces(message, sourceLine)) };
  }

  #lines(file: string): readonly string[] {
    const lines = this.#linesOf.get(file) ?? this.#files.get(file)?.text.split("\n") ?? [];
    this.#linesOf.set(file, lines);
    return lines;
  }
}
