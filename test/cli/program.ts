/** Runs the real program: as a child process, or its main function in this one, which is much faster. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { vi } from "vitest";
import { main } from "../../src/cli/main.ts";

const program = resolve(import.meta.dirname, "../../src/cli/geodns365.js");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the main function in this process, one call at a time. */
export async function call(args: readonly string[]): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  const spies = [
    vi.spyOn(console, "log").mockImplementation((text) => {
      texts.stdout += `${text}\n`;
    }),
    vi.spyOn(console, "error").mockImplementation((text) => {
      texts.stderr += `${text}\n`;
    }),
    ...(["stdout", "stderr"] as const).map((name) =>
      vi.spyOn(process[name], "write").mockImplementation((text) => {
        texts[name] += String(text);
        return true;
      }),
    ),
  ];
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await main(["node", "geodns365", ...args]);
    return { code: Number(process.exitCode), ...texts };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs it to its end. */
export async function run(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Outcome> {
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  }
  await once(child, "close");
  return { code: child.exitCode, ...texts };
}

/** A command that goes on until a signal. */
export interface Going {
  /** Waits until the standard output or error holds a text. */
  printed(text: string): Promise<void>;
  /** Waits for the end that it comes to by itself. */
  ended(): Promise<Outcome>;
  /** Sends a signal, if it still runs, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
}

export function startCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}): Going {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const texts = { stdout: "", stderr: "" };
  const news = new EventTarget();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
      news.dispatchEvent(new Event("text"));
    });
  }
  const closed = once(child, "close");
  return {
    printed: async (text) => {
      while (!`${texts.stdout}${texts.stderr}`.includes(text)) {
        await Promise.race([once(news, "text"), closed]);
        if (child.exitCode !== null && !`${texts.stdout}${texts.stderr}`.includes(text)) {
          throw new Error(`it ended with code ${child.exitCode} without "${text}": ${texts.stderr}`);
        }
      }
    },
    ended: async () => {
      await closed;
      return { code: child.exitCode, ...texts };
    },
    stop: async (signal = "SIGINT") => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await closed;
      return { code: child.exitCode, ...texts };
    },
  };
}

/** A server that has said where it listens. */
export interface Running {
  readonly readyLine: string;
  readonly pid: number;
  /** `127.0.0.1:PORT`, with the port it was given */
  readonly address: string;
  /** what it has logged so far */
  readonly log: () => string;
  /** Waits until the log holds a text. */
  logged(text: string): Promise<void>;
  /** Waits for the end that it comes to by a signal of others. */
  ended(): Promise<Outcome>;
  /** Sends a signal and waits for the exit code alone, whatever is left unread. */
  exit(signal: NodeJS.Signals): Promise<number | null>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
}

const onFreePort = ["--listen", "127.0.0.1:0"];

/**
 * Starts `serve` and waits for its line; rejects with its errors where it ends instead. The log can be left unread at first.
 * Without a word on it there is no admin API, whose default port several servers would want.
 */
export async function startServe(
  args: readonly string[] = onFreePort,
  { readLog = true } = {},
): Promise<Running> {
  const admin = args.includes("--admin") ? [] : ["--admin", "off"];
  const child = spawn(process.execPath, [program, "serve", ...admin, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  child.stderr.setEncoding("utf8");
  const startReading = (): void => {
    if (child.stderr.listenerCount("data") > 0) return;
    child.stderr.on("data", (text: string) => {
      texts.stderr += text;
    });
  };
  if (readLog) startReading();
  const readyLine = await Promise.race([
    once(createInterface(child.stdout), "line").then(([line]) => String(line)),
    once(child, "close").then(() => {
      throw new Error(`serve ended with code ${child.exitCode}: ${texts.stderr}`);
    }),
  ]);
  const address = /127\.0\.0\.1:\d+/.exec(readyLine)?.[0];
  if (address === undefined) throw new Error(`"${readyLine}" names no address`);
  const { pid } = child;
  if (pid === undefined) throw new Error("it has no process");
  return {
    readyLine,
    pid,
    address,
    log: () => texts.stderr,
    logged: async (text) => {
      startReading();
      while (!texts.stderr.includes(text)) await once(child.stderr, "data");
    },
    ended: async () => {
      startReading();
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
      return { code: child.exitCode, ...texts };
    },
    exit: async (signal) => {
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
      child.stderr.destroy();
      return child.exitCode;
    },
    stop: async (signal = "SIGTERM") => {
      startReading();
      await end(child, signal);
      return { code: child.exitCode, ...texts };
    },
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill(signal);
  await closed;
}
