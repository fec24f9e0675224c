/** What the bench knows of a server. */

import type { Command } from "../process.ts";

export interface Server {
  readonly name: string;
  /** in words; undefined where it is not installed */
  version(): Promise<string | undefined>;
  /** Writes its configuration for the port into an empty folder, and says what to start. */
  configure(folder: string, port: number): Command;
  /** true: what it prints is thrown away, as a log would be to /dev/null */
  readonly printsToNull?: boolean;
}
