/** Tells when files have changed and are still again, however they are written: in place, by a rename, or behind a link. */

import { type BigIntStats, type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { dirname } from "node:path";

export interface WatchedFile {
  readonly path: string;
  /** the version that is known already */
  readonly version: FileVersion;
}

/** The state of a file in words that differ after every change; also of one that is not there. */
export type FileVersion = string;

export interface WatchOptions {
  /** A change is told when there was no other for so long, so that nobody reads what is half written. */
  readonly settleMilliseconds?: number;
  /** How often all is looked at, whatever the system tells: it tells nothing of network file systems and some others. */
  readonly pollMilliseconds?: number;
}

export interface Watch {
  /** Nothing is told from then on. */
  close(): void;
}

/** Calls `onChange` after changes of any of the files, once for all that come together. Keeps no process alive. */
export function watchFiles(
  files: readonly WatchedFile[],
  onChange: () => void,
  options: WatchOptions = {},
): Watch {
  return new FileWatch(files, onChange, options);
}

/** The version of a file that is open. The time of change of its inode tells of new rights and renames too. */
export const versionOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): FileVersion =>
  `${ino} ${size} ${mtimeNs} ${ctimeNs}`;

function versionAt(path: string): FileVersion {
  try {
    return versionOf(statSync(path, { bigint: true }));
  } catch (error) {
    return `none: ${error instanceof Error && "code" in error ? error.code : error}`;
  }
}

/** Events come in bursts, and of all the files in a folder. */
const EVENT_MILLISECONDS = 50;

class FileWatch implements Watch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #settleMilliseconds: number;
  readonly #poll: NodeJS.Timeout | undefined;
  readonly #folders = new Map<string, { readonly inode: string; readonly watcher: FSWatcher }>();
  #event: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  #told: string;
  #seen: string;
  #isClosed = false;

  constructor(
    files: readonly WatchedFile[],
    onChange: () => void,
    { settleMilliseconds = 1000, pollMilliseconds = 5000 }: WatchOptions,
  ) {
    this.#paths = files.map(({ path }) => path);
    this.#onChange = onChange;
    this.#settleMilliseconds = settleMilliseconds;
    this.#told = joined(files.map(({ version }) => version));
    this.#seen = this.#told;
    if (files.length === 0) return;
    this.#poll = setInterval(() => this.#look(), pollMilliseconds).unref();
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#event);
    clearTimeout(this.#settle);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #look(): void {
    this.#watchFolders();
    const now = joined(this.#paths.map(versionAt));
    if (now === this.#seen) return;
    this.#seen = now;
    clearTimeout(this.#settle);
    // A change that was taken back before it was told is none.
    if (now !== this.#told)
      this.#settle = setTimeout(() => this.#settled(), this.#settleMilliseconds).unref();
  }

  #settled(): void {
    const before = this.#seen;
    this.#look();
    if (this.#seen !== before) return;
    this.#told = before;
    this.#onChange();
  }

  /**
   * Folders are watched and not files, since a rename puts another file in the place of the one that was watched. A
   * link's target may lie in another folder. One that is gone, or another of the same name, is seen at the next look.
   */
  #watchFolders(): void {
    const wanted = new Set(this.#paths.flatMap((path) => [dirname(path), dirname(targetOf(path))]));
    for (const folder of this.#folders.keys()) if (!wanted.has(folder)) this.#leave(folder);
    for (const folder of wanted) {
      const inode = inodeAt(folder);
      if (this.#folders.get(folder)?.inode === inode) continue;
      this.#leave(folder);
      if (inode !== undefined) this.#enter(folder, inode);
    }
  }

  #enter(folder: string, inode: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#onEvent());
      watcher.on("error", () => this.#leave(folder));
      this.#folders.set(folder, { inode, watcher });
    } catch {
      // No right to it, or no watches left: looking now and then has to do, and tries this again.
    }
  }

  #leave(folder: string): void {
    this.#folders.get(folder)?.watcher.close();
    this.#folders.delete(folder);
  }

  #onEvent(): void {
    if (this.#isClosed || this.#event !== undefined) return;
    this.#event = setTimeout(
      () => {
        this.#event = undefined;
        this.#look();
      },
      Math.min(EVENT_MILLISECONDS, this.#settleMilliseconds),
    ).unref();
  }
}

const joined = (versions: readonly FileVersion[]): string => versions.join("\n");

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function inodeAt(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
