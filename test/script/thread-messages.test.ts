/** What a thread may say: all else is no message, whatever a handler has put in its place. */

import { expect, it } from "vitest";
import { readFromThread } from "../../src/script/thread-messages.ts";

it.each([
  { kind: "loaded" },
  { kind: "pong" },
  { kind: "sent-again" },
  { kind: "unusable", reason: "why" },
  { kind: "warned", text: "of what" },
  { kind: "threw", number: 7, stack: "Error" },
  { kind: "threw", number: undefined, stack: "Error" },
  { kind: "sent", number: 7, octets: Uint8Array.of(1, 2, 3) },
])("takes %o", (message) => {
  expect(readFromThread({ ...message, more: 1 })).toEqual(message);
});

// No object with these turns into a string.
const stubborn = { toString: 1, valueOf: 1 };

it.each([
  undefined,
  null,
  "loaded",
  [],
  { kind: "nothing" },
  { kind: stubborn },
  { kind: "unusable", reason: stubborn },
  { kind: "warned", text: stubborn },
  { kind: "threw", number: 7, stack: stubborn },
  { kind: "sent", number: 7, octets: [1, 2, 3] },
  { kind: "sent", octets: Uint8Array.of(1) },
])("takes no %o", (value) => {
  expect(readFromThread(value)).toBeUndefined();
});

it("takes octets as they are now, and no more than tell that they are too many", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  const message = readFromThread({ kind: "sent", number: 7, octets: shared });
  shared.fill(255);
  expect(message?.kind === "sent" && message.octets).toEqual(new Uint8Array(65_536));
});
