/** Starting, measuring and ending programs. Whatever this process started ends with it, and nothing else does. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** What to start, and how. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

// Where servers are, and ordinary users do not look.
process.env.PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** Core of the servers, core of the load. */
export const CORE = { server: 0, load: 1 } as const;

export const pinned = (core: number, { program, args }: Command): Command => ({
  program: "taskset",
  args: ["--cpu-list", String(core), program, ...args],
});

/** Runs a program to its end and returns what it printed, standard error included; rejects where it is missing or fails. */
export function run({ program, args }: Command, timeoutMilliseconds = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: timeoutMilliseconds }, (error, stdout, stderr) => {
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
  /** user and system time of all its threads so far */
  cpuSeconds(): number;
  residentBytes(): number;
  /** undefined while it runs, else how it ended */
  ended(): string | undefined;
  stop(): Promise<void>;
}

/** Starts a server on its core; what it prints goes to a file. */
export function start(command: Command, outputPath: string): Running {
  const { program, args } = pinned(CORE.server, command);
  const output = openSync(outputPath, "w");
  const child = spawn(program, args, { stdio: ["ignore", output, output] });
  closeSync(output);
  children.add(child);
  const exited = once(child, "exit").finally(() => children.delete(child));
  return {
    cpuSeconds: () => cpuSecondsOf(child),
    residentBytes: () => residentBytesOf(child),
    ended: () => (child.exitCode ?? child.signalCode)?.toString(),
    stop: async () => {
      child.kill("SIGTERM");
      const patience = new AbortController();
      const inTime = await Promise.race([
        exited.then(() => true),
        delay(3000, false, { signal: patience.signal }).catch(() => false),
      ]);
      patience.abort();
      if (!inTime) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Ticks a second in /proc; 100 on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

function cpuSecondsOf({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Behind the name in brackets, which may hold anything: state, then 10 fields, utime, stime (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentBytesOf({ pid }: ChildProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kilobytes) * 1024;
}

/** A port of loopback that is free over UDP and TCP. */
export async function freePort(): Promise<number> {
  const tcp = createServer().listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const bound = tcp.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const udp = createSocket("udp4");
  const isFree = await new Promise<boolean>((resolve) => {
    udp.once("error", () => resolve(false));
    udp.bind(port, "127.0.0.1", () => resolve(true));
  });
  udp.close();
  tcp.close();
  return isFree ? port : freePort();
}
