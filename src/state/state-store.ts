/** Where state is kept: one small interface, so that a file, memory or the store of a whole fleet can stand behind it. */

import { emptyState, type StoredState } from "./stored-state.ts";

export interface StateStore {
  /** What counts now, and what was found on the way to it; nothing is changed. */
  read(): Promise<ReadOutcome>;
  /**
   * Resolves once the change outlives a crash, with what an operator should know besides. Rejects with a StateNotWritten
   * where it does not, and then it does not count: whoever asked for it must be told, and must not go by it.
   */
  write(change: StateChange): Promise<readonly string[]>;
  /**
   * The change counts from now on, kept or not: what cannot be written goes with the next write that succeeds. For what the
   * server found by itself, and cannot refuse. Resolves with what an operator should know, why it is not kept among it.
   */
  remember(change: StateChange): Promise<Remembered>;
  /** Tells when another than this store has written, so that it is to be read anew; returns what ends it. */
  watch(onChange: () => void): () => void;
  /** Settles when writes begun are done and nothing is watched any more. */
  close(): Promise<void>;
  /** In words for the operator: what keeps the state. */
  describe(): string;
}

/** The parts given take the place of those kept; the others stay, whoever wrote them. */
export type StateChange = Partial<StoredState>;

export interface ReadOutcome {
  readonly state: StoredState;
  /** `lost`: something was kept, and cannot be known any more, all of it or for now */
  readonly origin: "kept" | "new" | "lost";
  /** a sentence each */
  readonly found: readonly string[];
  /** whether writing is needed even where nothing changes, to mend what was found */
  readonly isToBeWritten: boolean;
}

export interface Remembered {
  readonly isWritten: boolean;
  readonly said: readonly string[];
}

/** A change that would not outlive a crash; the message says why, in the words of the operating system, and what to do. */
export class StateNotWritten extends Error {}

/** Keeps state until the server stops, as `server.stateFile: none` asks for. */
export class MemoryStateStore implements StateStore {
  #state: StoredState | undefined;

  async read(): Promise<ReadOutcome> {
    const origin = this.#state === undefined ? "new" : "kept";
    return { state: this.#state ?? emptyState, origin, found: [], isToBeWritten: false };
  }

  /** Says with the first change, which each start makes, that nothing outlives the server. */
  async write(change: StateChange): Promise<readonly string[]> {
    const isFirst = this.#state === undefined;
    this.#state = { ...emptyState, ...this.#state, ...change };
    return isFirst
      ? [
          "server.stateFile is none, so serials, the cookie secret and all changes last until the server stops",
        ]
      : [];
  }

  async remember(change: StateChange): Promise<Remembered> {
    return { isWritten: true, said: await this.write(change) };
  }

  watch(): () => void {
    return () => {};
  }

  async close(): Promise<void> {}

  describe(): string {
    return "memory alone, until the server stops";
  }
}
