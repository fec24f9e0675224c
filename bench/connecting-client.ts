/**
 * One query a TCP connection, some at a time; prints what came of it like an Outcome. Arguments: port, file of messages,
 * queries, connections at a time. (dnsperf can be told to reconnect, but then makes some ten connections a second each.)
 */

import { readFileSync } from "node:fs";
import { ask, rcodeOf } from "./lab.ts";
import { unframed } from "./load.ts";

const TIMEOUT_MILLISECONDS = 2000;

const [port = 0, queries = 0, connections = 0] = [process.argv[2], process.argv[4], process.argv[5]].map(
  Number,
);
const messages = unframed(readFileSync(process.argv[3] ?? ""));
let sent = 0;
let completed = 0;
let noError = 0;
let lost = 0;

async function connectOverAndOver(): Promise<void> {
  while (sent < queries) {
    const message = messages[sent++ % messages.length] ?? Buffer.alloc(0);
    const octets = await ask(port, message, TIMEOUT_MILLISECONDS, "tcp").catch(() => undefined);
    if (octets === undefined) lost++;
    else {
      completed++;
      if (rcodeOf(octets) === 0) noError++;
    }
  }
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: connections }, connectOverAndOver));
const answersPerSecond = (completed * 1000) / (performance.now() - startedAt);
console.log(JSON.stringify({ completed, noError, lost, answersPerSecond }));
