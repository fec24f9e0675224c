// The prober tells right answers from wrong ones.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { type Probe, probe } from "../../bench/prober.ts";

/** A server that sends back what it gets; the signal ends after so many messages. */
async function echoing(messages: number): Promise<{ readonly port: number; readonly end: AbortSignal }> {
  const socket = createSocket("udp4");
  const end = new AbortController();
  let count = 0;
  socket.on("message", (message, { port, address }) => {
    if (++count === messages) end.abort();
    socket.send(message, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return { port: socket.address().port, end: end.signal };
}

const probeOf = (text: string, expected: string): Probe => ({
  message: Buffer.from(`..${text}`),
  faultIn: (response) => (response.subarray(2).equals(Buffer.from(expected)) ? undefined : `found ${text}`),
});

test("asks in turn, and keeps what is wrong", async () => {
  const { port, end } = await echoing(6);
  const probed = await probe(port, [probeOf("a", "a"), probeOf("b", "a"), probeOf("c", "c")], 1, end);
  expect(probed).toMatchObject({ lost: 0 });
  expect(probed.sent).toBeGreaterThanOrEqual(6);
  expect(new Set(probed.wrong)).toEqual(new Set(["found b"]));
  expect(probed.wrong.length).toBe(Math.floor((probed.sent + 1) / 3));
});
