/** Records that several threads write at once: whoever reads sees each whole or not at all. */

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { formatTypeOfClass } from "../src/dns/iana.ts";
import { QueryRing } from "../src/query-ring.ts";

/** What `plane/write-records.ts` makes of a number. */
const recordOf = (number: number): object => ({
  number,
  at: new Date(number).toISOString(),
  snapshot: number,
  qname: `${String.fromCharCode(0x61 + (number % 26)).repeat(1 + (number % 60))}.`,
  qtype: formatTypeOfClass(number & 0x7fff, 1),
  source: [0, 8, 16, 24].map((shift) => (number >> shift) & 0xff).join("."),
});

test.each([
  { writers: 2, batch: 1, capacity: 7 },
  { writers: 3, batch: 64, capacity: 100 },
  { writers: 3, batch: 16, capacity: 5000 },
])("of $writers writers, $batch at a time, over $capacity slots", { timeout: 60_000 }, async (options) => {
  const { writers, batch, capacity } = options;
  const count = 64_000;
  const ring = new QueryRing(capacity);
  const { memory } = ring.records;
  let running = writers;
  const threads = Array.from({ length: writers }, () => {
    const workerData = { records: { capacity, memory }, count, batch };
    const worker = new Worker(new URL("plane/write-records.ts", import.meta.url), { workerData });
    return once(worker, "message").then(() => {
      running--;
    });
  });
  let whole = 0;
  const torn: object[] = [];
  while (running > 0) {
    // The newest are the ones that are being written, the oldest those that are being overwritten.
    const { first, last } = ring;
    for (let number = first; number <= last; number++) {
      const record = ring.read(number);
      if (record === undefined) continue;
      whole++;
      if (torn.length < 3 && !isLike(record, recordOf(number))) torn.push(record);
    }
    await setImmediate();
  }
  await Promise.all(threads);
  expect(torn).toEqual([]);
  expect(whole).toBeGreaterThan(0);
  // Each number was given once, and what is left is the end of them all.
  expect(ring.last).toBe(writers * count);
  for (let number = ring.first; number <= ring.last; number++) {
    const record = ring.read(number);
    // Of two writers that have the same slot at the same time, the second one leaves it.
    if (record !== undefined) expect(record).toMatchObject(recordOf(number));
  }
});

const isLike = (record: object, expected: object): boolean =>
  Object.entries(expected).every(([key, value]) =>
    Object.entries(record).some(([k, v]) => k === key && v === value),
  );
