/** The table of answers: what is put in is found again, until there is no room, whatever the names hash to. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import {
  AnswerTable,
  type Deciders,
  foldedOctets,
  hashOctet,
  type NewBody,
  NONE,
  noDeciders,
} from "../../src/plane/answer-table.ts";

const bodyOf = (number: number, octets = 40): NewBody => ({
  octets: new Uint8Array(octets).fill(number & 0xff),
  extendedErrors: Uint8Array.of(number & 0xff, 2, 3),
  number,
  rcode: number % 5,
  datacenterId: number + 1,
  reasonId: number + 2,
  choice: number % 7,
  row: number % 11,
});

function find(table: AnswerTable, name: Uint8Array, qtype: number): number {
  const message = Buffer.concat([Buffer.from("before"), name, Buffer.from("behind")]);
  let hash = table.seed;
  for (const octet of name) hash = hashOctet(hash, foldedOctets[octet] ?? 0);
  return table.findName(message, 6, 6 + name.length, qtype, hash);
}

/** What stands in a body, as it was given. */
const readBody = (table: AnswerTable, body: number): NewBody => ({
  octets: Uint8Array.from(
    table.octets.subarray(table.octetsAt(body) * 4, table.octetsAt(body) * 4 + table.lengthOf(body)),
  ),
  extendedErrors: Uint8Array.from(
    table.octets.subarray(
      table.extendedAt(body) * 4,
      table.extendedAt(body) * 4 + table.extendedLengthOf(body),
    ),
  ),
  number: table.numberOf(body),
  rcode: table.rcodeOf(body),
  datacenterId: table.datacenterOf(body),
  reasonId: table.reasonOf(body),
  choice: table.choiceOf(body),
  row: table.rowOf(body),
});

const nameFor = (i: number): Uint8Array => nameOctets(nameOf(`n${i}.wild.lab.example.`));

test("holds names until it is full, says so, and still finds each of them", () => {
  const table = AnswerTable.create();
  let count = 0;
  while (table.addName(nameFor(count), TYPE.A, noDeciders, 0, bodyOf(count))) count++;
  expect(count).toBe(32_768);
  expect(table.addName(nameFor(count), TYPE.A, noDeciders, 0, bodyOf(count))).toBe(false);
  // A further class or another body of what it has finds room all the same.
  expect(table.addName(nameFor(7), TYPE.A, noDeciders, 0, bodyOf(70_000))).toBe(true);
  const wrong: number[] = [];
  for (let i = 0; i < count; i++) {
    const entry = find(table, nameFor(i), TYPE.A);
    const number = table.numberOf(table.bodyOf(entry, 0));
    if (entry === NONE || number !== (i === 7 ? 70_000 : i)) wrong.push(i);
  }
  expect(wrong).toEqual([]);
  expect(find(table, nameFor(count), TYPE.A)).toBe(NONE);
  expect(find(table, nameFor(3), TYPE.AAAA)).toBe(NONE);
});

test("is full by octets before it is by names where answers are long, and nothing of what is there is harmed", () => {
  const table = AnswerTable.create();
  let count = 0;
  while (table.addName(nameFor(count), TYPE.A, noDeciders, 0, bodyOf(count, 65_000))) count++;
  expect(count).toBeGreaterThan(400);
  expect(count).toBeLessThan(520);
  // What is shorter may find room where the last one did not.
  expect(table.usedOctets).toBeLessThanOrEqual(32 << 20);
  for (const i of [0, 1, count - 1]) {
    const body = table.bodyOf(find(table, nameFor(i), TYPE.A), 0);
    expect(readBody(table, body)).toEqual(bodyOf(i, 65_000));
  }
  // The one there was no room for has a name at the most, and no body.
  expect(table.bodyOf(find(table, nameFor(count), TYPE.A), 0)).toBe(NONE);
});

test("tells names apart whose hashes are the same, and finds them in any case", () => {
  // The seed is the table's own, so names are tried until slots are shared; with so many names most are.
  const table = AnswerTable.create();
  const bySlot = new Map<number, Uint8Array[]>();
  for (let i = 0; i < 60_000; i++) {
    const name = nameFor(i);
    let hash = table.seed;
    for (const octet of name) hash = hashOctet(hash, foldedOctets[octet] ?? 0);
    const mixed = Math.imul(hash ^ TYPE.A, 0x85ebca6b);
    const slot = (mixed ^ (mixed >>> 15)) & 0xffff;
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), name]);
  }
  const crowded = [...bySlot.values()].filter((names) => names.length >= 4).flat();
  expect(crowded.length).toBeGreaterThan(100);
  for (const [i, name] of crowded.entries()) {
    expect(find(table, name, TYPE.A)).toBe(NONE);
    table.addName(name, TYPE.A, noDeciders, 0, bodyOf(i));
  }
  for (const [i, name] of crowded.entries()) {
    const upper = name.map((octet) => (octet >= 0x61 && octet <= 0x7a ? octet - 0x20 : octet));
    for (const spelled of [name, upper]) {
      expect(table.numberOf(table.bodyOf(find(table, spelled, TYPE.A), 0))).toBe(i);
    }
  }
});

test("has a body for each class of two sets of candidates", () => {
  const table = AnswerTable.create();
  const deciders: Deciders = { first: 3, second: 5, secondClasses: 7, classes: 4 * 7 };
  const name = nameFor(1);
  for (let number = 0; number < deciders.classes; number += 2) {
    expect(table.addName(name, TYPE.A, deciders, number, bodyOf(number))).toBe(true);
  }
  const entry = find(table, name, TYPE.A);
  expect([table.firstDecider(entry), table.secondDecider(entry), table.secondClasses(entry)]).toEqual([
    3, 5, 7,
  ]);
  for (let number = 0; number < deciders.classes; number++) {
    const body = table.bodyOf(entry, number);
    if (number % 2 === 0) expect(readBody(table, body)).toEqual(bodyOf(number));
    else expect(body).toBe(NONE);
  }
  // What it was not made for.
  expect(table.bodyOf(entry, deciders.classes)).toBe(NONE);
  expect(table.bodyOf(entry, 4096)).toBe(NONE);
});

test("keeps to the sets of candidates that a name came with first", () => {
  const table = AnswerTable.create();
  const one: Deciders = { first: 3, second: -1, secondClasses: 1, classes: 4 };
  const two: Deciders = { first: 3, second: 5, secondClasses: 7, classes: 28 };
  expect(table.addName(nameFor(1), TYPE.A, one, 3, bodyOf(3))).toBe(true);
  for (let number = 0; number < two.classes; number++)
    table.addName(nameFor(1), TYPE.A, two, number, bodyOf(99));
  const entry = find(table, nameFor(1), TYPE.A);
  expect([0, 1, 2, 3].map((number) => table.numberOf(table.bodyOf(entry, number)))).toEqual([
    ...[0, 1, 2].map(() => table.numberOf(NONE)),
    3,
  ]);
  expect(table.hasName(nameFor(1), TYPE.A, 3)).toBe(true);
  expect(table.hasName(nameFor(1), TYPE.A, 2)).toBe(false);
  expect(table.hasName(nameFor(1), TYPE.AAAA, 3)).toBe(false);
});

test("in the memory of another knows nothing of what was there", () => {
  const before = AnswerTable.create();
  for (let i = 0; i < 1000; i++) before.addName(nameFor(i), TYPE.A, noDeciders, 0, bodyOf(i));
  const table = AnswerTable.create(before.memory);
  expect(table.memory).toBe(before.memory);
  for (let i = 0; i < 1000; i++) expect(find(table, nameFor(i), TYPE.A)).toBe(NONE);
  expect(table.addName(nameFor(5), TYPE.A, noDeciders, 0, bodyOf(77))).toBe(true);
  expect(readBody(table, table.bodyOf(find(table, nameFor(5), TYPE.A), 0))).toEqual(bodyOf(77));
});

test("is read whole by a thread while it is written", { timeout: 30_000 }, async () => {
  const table = AnswerTable.create();
  const worker = new Worker(new URL("read-answers.ts", import.meta.url), { workerData: table.memory });
  await once(worker, "message");
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 5000; i++) {
      table.addName(nameFor(i), TYPE.A, noDeciders, 0, { ...bodyOf(i), number: i + round * 5000 });
    }
  }
  worker.postMessage("end");
  const [seen]: unknown[] = await once(worker, "message");
  expect(seen).toMatchObject({ torn: [] });
});
