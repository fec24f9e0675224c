/** A worker thread that looks names up again and again, and tells of bodies that are not whole. */

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import {
  AnswerTable,
  type AnswerTableMemory,
  foldedOctets,
  hashOctet,
  NONE,
} from "../../src/plane/answer-table.ts";

const memory: AnswerTableMemory = workerData;
const table = new AnswerTable(memory);
const names = Array.from({ length: 5000 }, (_, i) => nameOctets(nameOf(`n${i}.wild.lab.example.`)));
const torn: number[] = [];
let found = 0;
parentPort?.postMessage("ready");
const isOver = (): boolean => parentPort !== null && receiveMessageOnPort(parentPort) !== undefined;
// Once more behind the end, when all of them are there.
for (let isLast = false; ; ) {
  for (const [i, name] of names.entries()) {
    let hash = table.seed;
    for (const octet of name) hash = hashOctet(hash, foldedOctets[octet] ?? 0);
    const entry = table.findName(name, 0, name.length, 1, hash);
    const body = entry === NONE ? NONE : table.bodyOf(entry, 0);
    if (body === NONE) {
      if (isLast) torn.push(i);
      continue;
    }
    found++;
    const from = table.octetsAt(body) * 4;
    const octets = table.octets.subarray(from, from + table.lengthOf(body));
    const isWhole = octets.length === 40 && octets.every((octet) => octet === (i & 0xff));
    if (!isWhole || table.numberOf(body) % 5000 !== i) torn.push(i);
  }
  if (isLast) break;
  isLast = isOver();
}
parentPort?.postMessage({ torn: torn.slice(0, 3), found });
