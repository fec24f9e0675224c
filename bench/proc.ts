/** What /proc says of a server: its processes and threads, the time they took and the memory they hold (proc(5)). */

import { readdirSync, readFileSync } from "node:fs";

/** Ticks a second in /proc/PID/stat; 100 on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** User and system time so far, of all threads of a process and of all that it started. */
export function cpuSecondsOf(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + Math.max(exactSeconds(each), tickSeconds(each)), 0);
}

/**
 * Memory that is resident. Of one process it is all that it has mapped, shared libraries too; several (NSD) share most of
 * it after a fork, so for them it is the sum of their proportional shares.
 */
export function residentBytesOf(pid: number): number {
  const pids = processTree(pid);
  const kilobytes =
    pids.length === 1
      ? kilobytesIn(read(`/proc/${pid}/status`), "VmRSS")
      : pids.reduce((sum, each) => sum + kilobytesIn(read(`/proc/${each}/smaps_rollup`), "Pss"), 0);
  return kilobytes * 1024;
}

export function kilobytesIn(text: string, field: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${field}:`));
  return Number(/(\d+) kB/.exec(line ?? "")?.[1] ?? 0);
}

/** utime and stime, in ticks: behind the name in brackets, which may hold anything, come the state and then 10 fields. */
export function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** The first field is the time on a CPU in nanoseconds. */
export function secondsIn(schedstat: string): number {
  return Number(schedstat.split(" ", 1)[0]) / 1e9;
}

/** To the nanosecond, of the threads that still run; 0 where the kernel keeps no such accounts. */
const exactSeconds = (pid: number): number =>
  threadsOf(pid).reduce((sum, thread) => sum + secondsIn(read(`/proc/${pid}/task/${thread}/schedstat`)), 0);

/** To 10 ms, rounded down, with the threads that have ended (PowerDNS starts one for each TCP connection). */
const tickSeconds = (pid: number): number => ticksIn(read(`/proc/${pid}/stat`)) / TICKS_PER_SECOND;

function processTree(pid: number): readonly number[] {
  const children = threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(" ").map(Number).filter(Boolean),
  );
  return [pid, ...children.flatMap(processTree)];
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // It has ended meanwhile.
  }
}

/** Empty where the process or thread has ended, or the kernel has no such file. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
