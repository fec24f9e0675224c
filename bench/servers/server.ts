/** What the bench knows of a server. */

import { type Command, printedBy } from "../process.ts";

export interface Server {
  readonly name: string;
  /** by-place: of the datacenter near to who asks; alike: the same for everybody; echo: the query */
  readonly answers: "by-place" | "alike" | "echo";
  find(): Promise<Found>;
  /** Writes its configuration for the port into an empty folder, and says what to start. */
  configure(folder: string, port: number): Command;
  /** true: what it prints is thrown away, as a log would be to /dev/null */
  readonly printsToNull?: boolean;
}

export type Found =
  | { readonly kind: "found"; readonly version: string }
  | { readonly kind: "missing"; readonly why: string };

/** Finds a program by what it prints about its version; the pattern's first group is the version. */
export async function findProgram(program: string, versionFlag: string, pattern: RegExp): Promise<Found> {
  const printed = await printedBy(program, versionFlag);
  if (printed === undefined) return { kind: "missing", why: "not installed" };
  return { kind: "found", version: pattern.exec(printed)?.[1] ?? "unknown version" };
}
