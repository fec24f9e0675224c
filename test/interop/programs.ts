/** Real programs as peers. A missing one is a failure, never a skip. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

export const root = join(import.meta.dirname, "../..");

/** Runs a program and returns what it prints; rejects where it is missing or fails. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { cwd: root }).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new Error(`${program} is not installed; see .ci/run for the packages this needs`);
    }
    throw error;
  });
  return stdout;
}

export interface Started {
  readonly port: number;
  stop(): Promise<void>;
}

export interface StartedGeodns365 extends Started {
  /** the port that a listener on another address was given */
  portOf(address: string): number;
}

/** Starts geodns365 as a user would, on a free port of loopback, and waits for the line that says so. */
export async function startGeodns365(args: readonly string[] = []): Promise<StartedGeodns365> {
  const program = join(root, "src/cli/geodns365.js");
  const child = spawn(
    process.execPath,
    [program, "serve", "--admin", "off", "--listen", "127.0.0.1:0", ...args],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  const line = await firstLine(child);
  const portOf = (address: string): number => {
    const word = line.split(/[ ,]+/).find((each) => each.startsWith(`${address}:`));
    if (word === undefined) throw new Error(`"${line}" does not name ${address}`);
    return Number(word.slice(address.length + 1));
  };
  return { port: portOf("127.0.0.1"), portOf, stop: () => stop(child) };
}

/** The first line that a program prints on standard output. */
async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("standard output is not piped");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the program ended before it printed a line");
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

/** A port of 127.0.0.1 that is free for UDP and TCP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const socket = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
}
