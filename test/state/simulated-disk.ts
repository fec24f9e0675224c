/** A disk in memory that loses, at any step, what a kill or a power failure would lose. */

import type { Disk, NewFile } from "../../src/state/disk.ts";

interface Inode {
  content: string;
  /** what a power failure leaves for certain */
  synced: string | undefined;
}

type Entries = Map<string, Inode>;

/** What befalls the disk at the step of that number, and from then on where it is `forever`. */
export interface Fault {
  readonly step: number;
  /** `crash`: nothing after it happens; else the code of an error */
  readonly kind: "crash" | "ENOSPC" | "EIO" | "EROFS";
  readonly forever?: boolean;
}

export class SimulatedDisk implements Disk {
  readonly entries: Entries;
  fault: Fault | undefined;
  steps = 0;
  #isDead = false;
  /** as after a power failure */
  #durable: Entries;
  /** changes of the folder that are not synced yet, in order */
  readonly #pending: ((entries: Entries) => void)[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.entries = new Map(
      Object.entries(files).map(([path, content]) => [path, { content, synced: content }]),
    );
    this.#durable = new Map(this.entries);
  }

  get pending(): number {
    return this.#pending.length;
  }

  /** What is there after a kill: the operating system lives on. */
  afterKill(): SimulatedDisk {
    return new SimulatedDisk(
      Object.fromEntries([...this.entries].map(([path, { content }]) => [path, content])),
    );
  }

  /** What is there after a power failure that the first `happened` unsynced changes outlived, and a part of unsynced files. */
  afterPowerFailure(happened: number, partOfUnsynced: number): SimulatedDisk {
    const entries = new Map(this.#durable);
    for (const change of this.#pending.slice(0, happened)) change(entries);
    const rest = ({ content, synced }: Inode): string =>
      synced ?? content.slice(0, Math.floor(content.length * partOfUnsynced));
    return new SimulatedDisk(Object.fromEntries([...entries].map(([path, inode]) => [path, rest(inode)])));
  }

  async read(path: string): Promise<string> {
    this.#assertAlive();
    const inode = this.entries.get(path);
    if (inode === undefined) throw errorOf("ENOENT");
    return inode.content;
  }

  async create(path: string): Promise<NewFile> {
    this.#step();
    if (this.entries.has(path)) throw errorOf("EEXIST");
    const inode: Inode = { content: "", synced: undefined };
    this.#change((entries) => entries.set(path, inode));
    return {
      write: async (text) => {
        // A write that fails may have written some of it.
        this.#step(() => {
          inode.content = text.slice(0, text.length / 2);
        });
        inode.content = text;
      },
      sync: async () => {
        this.#step();
        inode.synced = inode.content;
      },
      close: async () => this.#step(),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    if (!this.entries.has(from)) throw errorOf("ENOENT");
    this.#change((entries) => {
      const inode = entries.get(from);
      if (inode === undefined) return;
      entries.delete(from);
      entries.set(to, inode);
    });
    for (const watcher of this.#watchers) watcher();
  }

  async syncFolder(): Promise<void> {
    this.#step();
    this.#durable = new Map(this.entries);
    this.#pending.length = 0;
  }

  async makeFolder(): Promise<void> {
    this.#step();
  }

  async copy(from: string, to: string): Promise<void> {
    this.#step();
    if (this.entries.has(to)) throw errorOf("EEXIST");
    const content = await this.read(from);
    this.#change((entries) => entries.set(to, { content, synced: undefined }));
  }

  async remove(path: string): Promise<void> {
    this.#step();
    this.#change((entries) => entries.delete(path));
  }

  async list(): Promise<readonly string[]> {
    this.#assertAlive();
    return [...this.entries.keys()].map((path) => path.slice(path.lastIndexOf("/") + 1));
  }

  async followLink(): Promise<undefined> {}

  watch(_path: string, onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  #change(change: (entries: Entries) => void): void {
    change(this.entries);
    this.#pending.push(change);
  }

  #step(half: () => void = () => {}): void {
    this.#assertAlive();
    this.steps++;
    const { fault } = this;
    if (fault === undefined || this.steps < fault.step) return;
    if (this.steps > fault.step && fault.forever !== true) return;
    half();
    this.#isDead = fault.kind === "crash";
    throw errorOf(fault.kind);
  }

  #assertAlive(): void {
    if (this.#isDead) throw errorOf("crash");
  }
}

const errorOf = (code: string): Error =>
  Object.assign(new Error(`${code}: as the test has it, step`), { code });
