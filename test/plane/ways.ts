/** The ways in which a server answers: in the thread of the caller, or in worker threads of either kind. */

import type { PlaneTransport } from "../../src/plane/plane.ts";
import { ThreadCounts } from "../../src/query-counts.ts";
import type { ServerOptions } from "../../src/server.ts";
import { loadSyscalls } from "../../src/transport/syscalls.ts";

export type PlaneSettings = NonNullable<ServerOptions["plane"]>;

const syscalls = await loadSyscalls();

/** What batches datagrams; undefined on machines where they cannot be. */
export const batched: PlaneTransport | undefined =
  typeof syscalls === "string" ? undefined : { kind: "batched", syscalls };

/** Threads whose counts nobody reads, and that keep no journal. */
export const planeOf = (transport: PlaneTransport, workers: number): PlaneSettings => ({
  transport,
  workers,
  addCounts: () => new ThreadCounts().memory,
  records: undefined,
});

export interface ServerWay {
  readonly way: string;
  readonly plane: PlaneSettings | undefined;
}

/** Those of worker threads that this machine has. */
export const threadWays: readonly ServerWay[] = [
  ...(batched === undefined
    ? []
    : [
        { way: "batched in 1 worker", plane: planeOf(batched, 1) },
        { way: "batched in 3 workers", plane: planeOf(batched, 3) },
      ]),
  { way: "dgram in 2 workers", plane: planeOf({ kind: "dgram" }, 2) },
];

export const serverWays: readonly ServerWay[] = [
  { way: "in the caller's thread", plane: undefined },
  ...threadWays,
];

/** As an option of a server. */
export const withPlane = ({ plane }: ServerWay): Pick<ServerOptions, "plane"> => (plane ? { plane } : {});
