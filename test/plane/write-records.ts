/** A worker thread that writes records in which every part says which record it is. */

import { parentPort, workerData } from "node:worker_threads";
import { FIELD, FLAG, NO_FAMILY, QueryRecords, type RecordsMemory } from "../../src/query-records.ts";

const {
  records: memory,
  count,
  batch,
}: { records: RecordsMemory; count: number; batch: number } = workerData;
const records = new QueryRecords(memory);
const { octets, uint16s, uint32s, float64s } = records;
for (let written = 0; written < count; written += batch) {
  const first = records.reserve(batch);
  for (let number = first; number < first + batch; number++) {
    const at = records.startOf(number);
    if (!records.open(at, number)) continue;
    float64s[(at + FIELD.time) >> 3] = number;
    uint32s[(at + FIELD.snapshot) >> 2] = number;
    uint16s[(at + FIELD.qtype) >> 1] = number & 0x7fff;
    uint16s[(at + FIELD.qclass) >> 1] = 1;
    octets[at + FIELD.flags] = FLAG.hasQuestion;
    octets[at + FIELD.subnetFamily] = NO_FAMILY;
    octets[at + FIELD.sourceFamily] = 4;
    for (let i = 0; i < 4; i++) octets[at + FIELD.source + i] = number >> (8 * i);
    // One label that is longer or shorter from one record to the next.
    const length = 1 + (number % 60);
    octets[at + FIELD.qnameLength] = length + 2;
    octets[at + FIELD.qname] = length;
    octets.fill(0x61 + (number % 26), at + FIELD.qname + 1, at + FIELD.qname + 1 + length);
    octets[at + FIELD.qname + 1 + length] = 0;
    records.close(at, number);
  }
}
parentPort?.postMessage("done");
