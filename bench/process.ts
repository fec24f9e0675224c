/** Starting and ending programs, each on its core. Whatever this process started ends with it, and nothing else does. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { cpuSecondsOf, residentBytesOf } from "./proc.ts";

/** What to start, and how. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

// Where servers are, and ordinary users do not look.
process.env.PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) endGroup(child, "SIGKILL");
});

/** Core of the servers, core of the load. */
export const CORE = { server: 0, load: 1 } as const;

export const pinned = (core: number, { program, args }: Command): Command => ({
  program: "taskset",
  args: ["--cpu-list", String(core), program, ...args],
});

/** Has this process, with all its threads, leave the core of the servers alone. */
export async function pinThisProcess(): Promise<void> {
  const args = ["--all-tasks", "--cpu-list", "--pid", String(CORE.load), String(process.pid)];
  await run({ program: "taskset", args });
}

/** Runs a program to its end and returns what it printed, standard error included; rejects where it is missing or fails. */
export function run({ program, args }: Command, timeoutMilliseconds = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMilliseconds, maxBuffer: 1 << 30 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      children.delete(child);
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`${[program, ...args].join(" ")}: ${stderr || error.message}`, { cause: error }));
    });
    children.add(child);
  });
}

/** What a program prints to the question for its version; undefined where it is not installed. */
export async function printedBy(program: string, ...args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 10_000 }, (error, stdout, stderr) => {
      const missing = error !== null && "code" in error && error.code === "ENOENT";
      resolve(missing ? undefined : stdout + stderr);
    });
  });
}

/** A server that runs. */
export interface Running {
  /** user and system time of all its threads and processes so far */
  cpuSeconds(): number;
  residentBytes(): number;
  /** undefined while it runs, else how it ended */
  ended(): string | undefined;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Starts a server on its core; what it prints goes to a file. */
export function start(command: Command, outputPath: string): Running {
  const { program, args } = pinned(CORE.server, command);
  const output = openSync(outputPath, "w");
  // A process group of its own, so that what it forks can be ended with it.
  const child = spawn(program, args, { stdio: ["ignore", output, output], detached: true });
  closeSync(output);
  children.add(child);
  const exited = once(child, "exit").finally(() => children.delete(child));
  const pid = child.pid ?? 0;
  return {
    cpuSeconds: () => cpuSecondsOf(pid),
    residentBytes: () => residentBytesOf(pid),
    ended: () => (child.exitCode ?? child.signalCode)?.toString(),
    signal: (name) => {
      child.kill(name);
    },
    stop: async () => {
      child.kill("SIGTERM");
      const patience = new AbortController();
      const inTime = await Promise.race([
        exited.then(() => true),
        delay(10_000, false, { signal: patience.signal }).catch(() => false),
      ]);
      patience.abort();
      if (!inTime) endGroup(child, "SIGKILL");
      await exited;
    },
  };
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    child.kill(signal); // It is in the group of this process.
  }
}

/**
 * Below those that Linux gives to sockets that ask for none: of ten thousand sockets that ask a server whether it is there
 * yet, one would be given the server's own port, hear itself, and stand in its way.
 */
const PORTS = { first: 20_000, count: 12_000 };

/** A port of loopback that is free over UDP and TCP. */
export async function freePort(): Promise<number> {
  const port = PORTS.first + randomInt(PORTS.count);
  const tcp = createServer().listen(port, "127.0.0.1");
  const udp = createSocket("udp4");
  udp.bind(port, "127.0.0.1");
  const bound = await Promise.allSettled([once(tcp, "listening"), once(udp, "listening")]);
  tcp.close();
  udp.close();
  return bound.every(({ status }) => status === "fulfilled") ? port : freePort();
}
