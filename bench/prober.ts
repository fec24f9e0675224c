/** A steady trickle of queries from a socket of its own, each answer compared octet for octet. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

/** A query, and whether what comes back is right. */
export interface Probe {
  /** the ID is replaced */
  readonly message: Buffer;
  /** undefined: it is; else what is wrong, in words */
  faultIn(response: Buffer): string | undefined;
}

export interface Probed {
  readonly sent: number;
  readonly lost: number;
  readonly wrong: readonly string[];
}

/** Queries not answered within it are lost. */
const TIMEOUT_MILLISECONDS = 2000;

/** Below it there are as many IDs as are under way at a time, and more. */
const IDS = 0x10000;

/** Sends the probes in turn, one each so many milliseconds, until told to end. */
export async function probe(
  port: number,
  probes: readonly Probe[],
  everyMilliseconds: number,
  end: AbortSignal,
): Promise<Probed> {
  const socket = createSocket("udp4");
  const open = new Map<number, Probe>();
  const wrong: string[] = [];
  let sent = 0;
  let lost = 0;
  socket.on("message", (response) => {
    const id = response.readUInt16BE(0);
    const asked = open.get(id);
    if (asked === undefined) return; // It came too late, and is counted.
    open.delete(id);
    const fault = asked.faultIn(response);
    if (fault !== undefined) wrong.push(fault);
  });
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const timers = new Set<NodeJS.Timeout>();
  while (!end.aborted) {
    const next = probes[sent % probes.length];
    if (next === undefined) break;
    const id = sent++ % IDS;
    const message = Buffer.from(next.message);
    message.writeUInt16BE(id, 0);
    open.set(id, next);
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (open.delete(id)) lost++;
    }, TIMEOUT_MILLISECONDS);
    timers.add(timer);
    socket.send(message);
    await delay(everyMilliseconds);
  }
  while (open.size > 0 && timers.size > 0) await delay(everyMilliseconds);
  for (const timer of timers) clearTimeout(timer);
  socket.close();
  return { sent, lost, wrong };
}
