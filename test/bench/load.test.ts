// Files of messages, as dnsperf reads them.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { unframed, writeMessages } from "../../bench/load.ts";

test.each([
  ["none", []],
  ["a few, an empty one too", ["one", "", "three"]],
  ["more than are written at once", Array.from({ length: 20_001 }, (_, i) => `message ${i}`)],
])("messages come back as they were: %s", (_name, texts) => {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-load-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = writeMessages(
    join(folder, "messages"),
    texts.map((text) => Buffer.from(text)),
  );
  expect(file.count).toBe(texts.length);
  expect(unframed(readFileSync(file.path)).map(String)).toEqual(texts);
});
