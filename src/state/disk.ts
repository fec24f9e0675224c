/** What the state file asks of the operating system, in steps so small that a crash can fall between any two. */

import { unwatchFile, watchFile } from "node:fs";
import {
  constants,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Each throws the error of the operating system, its `code` with it. */
export interface Disk {
  read(path: string): Promise<string>;
  /** Makes a file that is not there, for its owner alone. */
  create(path: string): Promise<NewFile>;
  rename(from: string, to: string): Promise<void>;
  /** Makes what was renamed in a folder outlive a power failure. */
  syncFolder(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Copies to a file that is not there. */
  copy(from: string, to: string): Promise<void>;
  /** Nothing where it is gone already. */
  remove(path: string): Promise<void>;
  list(folder: string): Promise<readonly string[]>;
  /** Where a symbolic link leads in the end, be it there or not; undefined for what is none. */
  followLink(path: string): Promise<string | undefined>;
  /** Tells when a file is another one; returns what ends it. */
  watch(path: string, onChange: () => void): () => void;
}

export interface NewFile {
  write(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** How often a file is looked at for another writer. Asking for its time works on every file system; events do not. */
const WATCH_MILLISECONDS = 2000;

export const operatingSystem = (watchMilliseconds = WATCH_MILLISECONDS): Disk => ({
  read: (path) => readFile(path, "utf8"),
  create: async (path) => {
    // It holds a secret: nobody else reads it, not even while it is written.
    const file = await open(path, "wx", 0o600);
    return {
      write: (text) => file.writeFile(text),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename,
  syncFolder,
  makeFolder,
  copy: (from, to) => copyFile(from, to, constants.COPYFILE_EXCL),
  remove: (path) => rm(path, { force: true }),
  list: readdir,
  followLink,
  watch: (path, onChange) => {
    const listener = (): void => onChange();
    watchFile(path, { persistent: false, interval: watchMilliseconds }, listener);
    return () => unwatchFile(path, listener);
  },
});

/** The words of an error of the operating system without its call: `EROFS: read-only file system`. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split(",", 1)[0] ?? "";

export const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** Windows opens no folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Not by `recursive`, with which Node 24 never returns from a file system that makes no folders, as /proc. */
async function makeFolder(path: string): Promise<void> {
  if (await exists(path)) return;
  const parent = dirname(path);
  await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  await syncFolder(parent);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function followLink(path: string): Promise<string | undefined> {
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return undefined;
  try {
    return await realpath(path);
  } catch (error) {
    // A loop has no end; reading it says so.
    if (codeOf(error) !== "ENOENT") return undefined;
  }
  const next = resolve(dirname(path), await readlink(path));
  return (await followLink(next)) ?? next;
}
