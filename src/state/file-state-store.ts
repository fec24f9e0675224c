/**
 * Keeps state in a file and a copy beside it, each replaced whole and numbered, so that whichever one is damaged or lost
 * the other has all that was acknowledged, and of two sound ones the newer one counts.
 */

import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { codeOf, type Disk, operatingSystem, reasonOf } from "./disk.ts";
import {
  type ReadOutcome,
  type Remembered,
  type StateChange,
  StateNotWritten,
  type StateStore,
} from "./state-store.ts";
import { emptyState, formatState, parseState, type StoredState, type Written } from "./stored-state.ts";

export class FileStateStore implements StateStore {
  readonly #path: string;
  readonly #disk: Disk;
  /** what counts, kept or not */
  #state: StoredState = emptyState;
  /** what counts, and is in no file yet */
  #unwritten: StateChange = {};
  /** the newest state that was read or written here; undefined before the first look */
  #known: Stamp | undefined;
  /** A write that failed late may be in the files; it is not another server's. */
  #attempted: Stamp | undefined;
  #isSwept = false;
  /** One after the other, so that a change is made upon the one before. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #watches = new Set<() => void>();

  constructor(path: string, disk: Disk = operatingSystem()) {
    this.#path = path;
    this.#disk = disk;
  }

  read(): Promise<ReadOutcome> {
    return this.#inTurn(() => this.#read());
  }

  write(change: StateChange): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      if (this.#known === undefined) await this.#read();
      const next = { ...this.#state, ...change };
      const said = await this.#replace(next);
      this.#state = next;
      this.#unwritten = {};
      return said;
    });
  }

  remember(change: StateChange): Promise<Remembered> {
    return this.#inTurn(async () => {
      if (this.#known === undefined) await this.#read();
      this.#state = { ...this.#state, ...change };
      this.#unwritten = { ...this.#unwritten, ...change };
      try {
        const said = await this.#replace(this.#state);
        this.#unwritten = {};
        return { isWritten: true, said };
      } catch (error) {
        if (!(error instanceof StateNotWritten)) throw error;
        return { isWritten: false, said: [error.message] };
      }
    });
  }

  watch(onChange: () => void): () => void {
    let told = "";
    const look = (): Promise<void> =>
      this.#inTurn(async () => {
        const newest = newestOf(await this.#look());
        if (newest === undefined || !this.#isForeign(newest) || newest.checksum === told) return;
        told = newest.checksum;
        onChange();
      });
    const { file, copy } = pathsOf(this.#path);
    const ends = [file, copy].map((path) => this.#disk.watch(path, look));
    const end = (): void => {
      for (const one of ends) one();
      this.#watches.delete(end);
    };
    this.#watches.add(end);
    return end;
  }

  async close(): Promise<void> {
    for (const end of [...this.#watches]) end();
    await this.#last;
  }

  describe(): string {
    return `the state file ${this.#path} and its copy`;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // whoever asked for it is told
    return done;
  }

  async #read(): Promise<ReadOutcome> {
    const seen = await this.#look();
    const newest = newestOf(seen);
    const wasOpen = this.#known !== undefined;
    const isNews = newest !== undefined && (!wasOpen || this.#isForeign(newest));
    const found = describe(seen);
    if (isNews) {
      if (wasOpen)
        found.push(`${nameOf(seen, "file")} was written by another server, whose state counts now`);
      this.#state = { ...newest.state, ...this.#unwritten };
    }
    this.#known = isNews || !wasOpen ? stampOf(newest) : this.#known;
    const isLost = newest === undefined && !isAbsent(seen);
    const hasUnwritten = Object.keys(this.#unwritten).length > 0;
    return {
      state: this.#state,
      origin: newest !== undefined || wasOpen ? "kept" : isLost ? "lost" : "new",
      found,
      isToBeWritten: hasUnwritten || !isInOrder(seen) || !isSame(stampOf(newest), this.#known ?? noStamp),
    };
  }

  /** Whether another has written: what is there is as new as what is known here or newer, and not that. */
  #isForeign({ sequence, checksum }: Stamp): boolean {
    if (checksum !== "" && checksum === this.#attempted?.checksum) return false;
    const known = this.#known ?? noStamp;
    return sequence > known.sequence || (sequence === known.sequence && checksum !== known.checksum);
  }

  async #look(): Promise<Seen> {
    const link = await this.#disk.followLink(this.#path);
    const { file, copy } = pathsOf(link ?? this.#path);
    return {
      path: this.#path,
      link,
      file: { path: file, ...(await this.#lookAt(file)) },
      copy: { path: copy, ...(await this.#lookAt(copy)) },
    };
  }

  async #lookAt(path: string): Promise<Found> {
    try {
      const parsed = parseState(await this.#disk.read(path));
      return typeof parsed === "string" ? { kind: "damaged", found: parsed } : { kind: "sound", ...parsed };
    } catch (error) {
      if (codeOf(error) === "ENOENT") return { kind: "absent" };
      return { kind: "unreadable", reason: reasonOf(error) };
    }
  }

  /**
   * Both are written and synced before either is renamed, so that a full disk leaves all as it was. In between it is seen
   * whether another server has written. Without a lock (one that a kill leaves behind would keep the server from its
   * state) two that write in the same instant can still pass each other, so what is there afterwards is looked at too.
   */
  async #replace(state: StoredState): Promise<readonly string[]> {
    const known = this.#known ?? noStamp;
    const sequence = Math.max(known.sequence, this.#attempted?.sequence ?? 0) + 1;
    const { text, checksum } = formatState(sequence, state);
    const parsed = parseState(text);
    if (typeof parsed === "string") throw new Error(`this state could not be read again: ${parsed}`);
    const temporary: string[] = [];
    try {
      const { file, copy } = pathsOf((await this.#disk.followLink(this.#path)) ?? this.#path);
      const folder = dirname(file);
      await this.#disk.makeFolder(folder);
      await this.#sweep(file);
      for (const path of [file, copy]) {
        const beside = temporaryOf(path);
        temporary.push(beside);
        await this.#writeSynced(beside, text);
      }
      const said = await this.#prepare(await this.#look());
      this.#attempted = { sequence, checksum };
      for (const [i, path] of [file, copy].entries()) await this.#disk.rename(temporary[i] ?? "", path);
      await this.#disk.syncFolder(folder);
      const after = await this.#look();
      for (const found of [after.file, after.copy]) {
        if (found.kind === "unreadable") throw this.#notWritten(found.reason);
        if (found.kind !== "sound" || found.checksum !== checksum) {
          throw this.#notWritten("another server writes it at the same time");
        }
      }
      this.#known = { sequence, checksum };
      this.#attempted = undefined;
      return said;
    } catch (error) {
      for (const path of temporary) await this.#disk.remove(path).catch(() => {}); // the next start sweeps
      throw error instanceof StateNotWritten ? error : this.#notWritten(reasonOf(error));
    }
  }

  /** Refuses where what is there must not be replaced, and sets aside what is damaged. */
  async #prepare(seen: Seen): Promise<string[]> {
    for (const { kind, path } of [seen.file, seen.copy]) {
      if (kind !== "unreadable") continue;
      // It may be sound and newer, so it is not replaced.
      throw new StateNotWritten(describe(seen).find((sentence) => sentence.includes(path)));
    }
    const newest = newestOf(seen);
    if (newest !== undefined && this.#isForeign(newest)) {
      const numbers = `it has sequence ${newest.sequence}, and ${(this.#known ?? noStamp).sequence} was known`;
      throw this.#notWritten(`another server has written it: ${numbers}`);
    }
    const said: string[] = [];
    for (const { kind, path } of [seen.file, seen.copy]) {
      if (kind === "damaged") said.push(`the damaged ${path} is kept as ${await this.#setAside(path)}`);
    }
    return said;
  }

  /** Copies to `<path>.damaged-<n>`, the first that is free, and returns that path. */
  async #setAside(path: string): Promise<string> {
    for (let n = 1; ; n++) {
      const aside = `${path}.damaged-${n}`;
      try {
        await this.#disk.copy(path, aside);
        return aside;
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
      }
    }
  }

  async #writeSynced(path: string, text: string): Promise<void> {
    const file = await this.#disk.create(path);
    try {
      await file.write(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Removes what writers that were killed have left; one that still runs keeps its own. */
  async #sweep(file: string): Promise<void> {
    if (this.#isSwept) return;
    // They only take room: a folder that cannot be listed may still be written.
    for (const name of await this.#disk.list(dirname(file)).catch(() => [])) {
      if (!name.startsWith(`${basename(file)}.`) || !name.endsWith(".tmp")) continue;
      const pid = Number(/\.(\d+)-[0-9a-f]+\.tmp$/.exec(name)?.[1] ?? 0);
      if (pid === process.pid || !isRunning(pid)) await this.#disk.remove(join(dirname(file), name));
    }
    this.#isSwept = true;
  }

  #notWritten(reason: string): StateNotWritten {
    return new StateNotWritten(
      `cannot write the state file ${this.#path} (${reason}); make it writable or set server.stateFile`,
    );
  }
}

/** Tells states apart. */
type Stamp = Pick<Written, "sequence" | "checksum">;

const noStamp: Stamp = { sequence: 0, checksum: "" };

const isSame = (a: Stamp, b: Stamp): boolean => a.sequence === b.sequence && a.checksum === b.checksum;

const stampOf = (written: Written | undefined): Stamp =>
  written === undefined ? noStamp : { sequence: written.sequence, checksum: written.checksum };

type Found =
  | ({ readonly kind: "sound" } & Written)
  | { readonly kind: "absent" }
  /** it was read, and is no state */
  | { readonly kind: "damaged"; readonly found: string }
  /** it is there, and may be sound */
  | { readonly kind: "unreadable"; readonly reason: string };

type FoundAt = Found & { readonly path: string };

/** What is there now. */
interface Seen {
  /** as configured */
  readonly path: string;
  /** where it leads, if it is a symbolic link */
  readonly link: string | undefined;
  readonly file: FoundAt;
  readonly copy: FoundAt;
}

const pathsOf = (file: string): { readonly file: string; readonly copy: string } => ({
  file,
  copy: `${file}.copy`,
});

/** A name of its own, so that two servers on one file do not write into each other. */
const temporaryOf = (path: string): string => `${path}.${process.pid}-${randomBytes(6).toString("hex")}.tmp`;

function isRunning(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

function newestOf({ file, copy }: Seen): Written | undefined {
  if (copy.kind !== "sound") return file.kind === "sound" ? file : undefined;
  return file.kind === "sound" && file.sequence >= copy.sequence ? file : copy;
}

const isAbsent = ({ file, copy }: Seen): boolean => file.kind === "absent" && copy.kind === "absent";

/** Two that are alike, or none. */
function isInOrder(seen: Seen): boolean {
  const { file, copy } = seen;
  if (file.kind === "sound" && copy.kind === "sound") {
    return file.sequence > 0 && file.checksum === copy.checksum;
  }
  return isAbsent(seen);
}

const nameOf = ({ path, copy }: Seen, which: "file" | "copy"): string =>
  which === "file" ? `the state file ${path}` : `the copy ${copy.path} of the state file`;

/** What is found and what is used, a sentence each; none where all is as it was left. */
function describe(seen: Seen): string[] {
  const { path, link, file, copy } = seen;
  const said =
    link === undefined
      ? []
      : [`the state file ${path} is a link to ${link}, which is used, its copy beside it`];
  const fault = describeFault(seen);
  // A folder that lets nobody in says the same of both.
  const isOneReason = file.kind === "unreadable" && copy.kind === "unreadable" && file.reason === copy.reason;
  if (copy.kind === "unreadable" && !isOneReason) {
    said.push(
      `cannot read ${nameOf(seen, "copy")} (${copy.reason}); make it readable or set server.stateFile`,
    );
  }
  return fault === undefined ? said : [...said, fault];
}

function describeFault(seen: Seen): string | undefined {
  const { file, copy } = seen;
  const fileName = nameOf(seen, "file");
  const copyName = nameOf(seen, "copy");
  const used = copy.kind === "sound" ? `; its copy ${copy.path} is used` : "";
  switch (file.kind) {
    case "unreadable":
      return `cannot read ${fileName} (${file.reason})${used}; make it readable or set server.stateFile`;
    case "damaged": {
      const otherwise =
        copy.kind === "damaged"
          ? `, and so is its copy ${copy.path}: ${copy.found}`
          : copy.kind === "absent"
            ? ", and there is no copy"
            : used;
      return `${fileName} is damaged: ${file.found}${otherwise}`;
    }
    case "absent":
      if (copy.kind === "damaged")
        return `${fileName} is missing, and its copy ${copy.path} is damaged: ${copy.found}`;
      return copy.kind === "sound" ? `${fileName} is missing${used}` : undefined;
    case "sound":
      if (copy.kind === "damaged") return `${copyName} is damaged: ${copy.found}; the state file is used`;
      // Version 1 had no copy.
      if (copy.kind === "absent" && file.sequence > 0)
        return `${copyName} is missing; the state file is used`;
      return copy.kind === "sound" ? describeOrder(seen, file, copy) : undefined;
    default:
      return file satisfies never;
  }
}

function describeOrder(seen: Seen, file: Written, copy: Written): string | undefined {
  const numbers = `(${file.sequence} and ${copy.sequence})`;
  if (file.sequence < copy.sequence)
    return `${nameOf(seen, "file")} is older than its copy ${numbers}; the copy is used`;
  if (file.sequence > copy.sequence)
    return `${nameOf(seen, "copy")} is older ${numbers}; the state file is used`;
  if (file.checksum === copy.checksum) return undefined;
  return `${nameOf(seen, "file")} and its copy differ at ${file.sequence}; the state file is used`;
}
