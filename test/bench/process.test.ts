// Programs and ports.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort, printedBy } from "../../bench/process.ts";

test("a free port can be listened on over UDP and TCP, and is none that the system gives away", async () => {
  const port = await freePort();
  const tcp = createServer().listen(port, "127.0.0.1");
  const udp = createSocket("udp4");
  udp.bind(port, "127.0.0.1");
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
  tcp.close();
  udp.close();
  expect(port).toBeLessThan(32_768);
});

test("a program that is not installed prints nothing", async () => {
  expect(await printedBy("no-such-program-here", "--version")).toBeUndefined();
});

test("what a program prints", async () => {
  expect(await printedBy(process.execPath, "--version")).toBe(`${process.version}\n`);
});
