/** What is kept takes its room once, however often it is asked for and in whatever form. */

import { expect, test } from "vitest";
import { answer } from "../../src/answer.ts";
import { AnswerCache } from "../../src/answer-cache.ts";
import { AnswerTable } from "../../src/plane/answer-table.ts";
import type { Source } from "../../src/trace.ts";
import { eachOf, labs, namesOf, snapshotOf } from "./queries.ts";

const source: Source = {
  address: { family: 4, octets: Uint8Array.of(127, 0, 0, 1) },
  port: 5353,
  transport: "udp",
};

test.each(labs)("of %s", (_, path) => {
  const snapshot = snapshotOf(path);
  const names = namesOf(snapshot).slice(0, 100);
  const messages = eachOf(snapshot, names, 8);
  const cache = new AnswerCache(snapshot);
  const askAll = (): number => {
    for (const message of messages) {
      const made = answer(snapshot, message, source, 0);
      if (cache.find(message, source, 0) === undefined && made.kind === "answered") cache.keep(message, made);
    }
    return new AnswerTable(cache.publish(1).answers).usedOctets;
  };
  const used = askAll();
  expect([askAll(), askAll()]).toEqual([used, used]);
});
