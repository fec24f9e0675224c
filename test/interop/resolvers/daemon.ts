/** Servers of others as child processes on loopback: a folder for their files, a free port, and a wait until they answer. */

import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TYPE } from "../../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../../src/dns/name.ts";
import { renderQuery } from "../../../src/dns/render.ts";
import { exchange } from "../../../src/transport/client.ts";
import { freePort, type Started, stop } from "../programs.ts";

export interface Daemon {
  readonly program: string;
  /** the Debian package it comes with */
  readonly package: string;
  readonly args: (at: At) => readonly string[];
  /** files by their names in the folder */
  readonly files: (at: At) => Readonly<Record<string, string>>;
  /** what it answers when it is ready; only that it answers at all is looked at */
  readonly firstQuestion: string;
}

export interface At {
  readonly folder: string;
  readonly port: number;
}

const PATIENCE_MILLISECONDS = 20_000;
const ATTEMPT_MILLISECONDS = 250;

/** Starts it in the foreground and waits until it answers over UDP. */
export async function startDaemon(daemon: Daemon): Promise<Started> {
  const { program } = daemon;
  if (!existsSync(program)) {
    throw new Error(`${program} is not installed; it comes with the Debian package ${daemon.package}`);
  }
  const folder = mkdtempSync(join(tmpdir(), `geodns365-${daemon.package}-`));
  chmodSync(folder, 0o777); // for those that give up the rights of root
  const at: At = { folder, port: await freePort() };
  for (const [name, text] of Object.entries(daemon.files(at))) writeFileSync(join(folder, name), text);
  const child = spawn(program, daemon.args(at), { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said.push(String(chunk));
      if (said.length > 200) said.shift();
    });
  }
  const end = async (): Promise<void> => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while (!(await answers(at.port, daemon.firstQuestion))) {
    if (child.exitCode === null && Date.now() < deadline) continue;
    const how = child.exitCode === null ? "does not answer" : `ended with ${child.exitCode}`;
    await end();
    throw new Error(`${program} ${how}:\n${said.join("").slice(-4000)}`);
  }
  return { port: at.port, stop: end };
}

async function answers(port: number, name: string): Promise<boolean> {
  const question = { qname: nameOctets(nameOf(name)), qtype: TYPE.SOA, qclass: 1 };
  const query = renderQuery(question, { id: 1, recursionDesired: true, edns: undefined });
  const server = { address: "127.0.0.1", family: 4, port } as const;
  try {
    await exchange(server, query, { transport: "udp", timeoutMilliseconds: ATTEMPT_MILLISECONDS });
    return true;
  } catch {
    // A refused datagram comes back at once: the rest of the attempt is waited out here.
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_MILLISECONDS / 5));
    return false;
  }
}
