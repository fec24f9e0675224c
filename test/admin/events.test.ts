// Events of the server over HTTP, one client at a time: what comes, who stops reading, who leaves.

import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Admin, AdminOptions } from "../../src/admin/admin.ts";
import { ask, open, send, startTestAdmin } from "./client.ts";
import { FakeControl } from "./fake-control.ts";

let control: FakeControl;
let admin: Admin;
const warnings: string[] = [];
beforeEach(async () => {
  control = new FakeControl();
  await restart({});
});
afterEach(() => admin.close());

async function restart(options: Partial<AdminOptions>): Promise<void> {
  await admin?.close();
  warnings.length = 0;
  admin = await startTestAdmin(control, { onWarning: (message) => warnings.push(message), ...options });
}

/** Events and comments one after the other, as texts. */
async function* piecesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of response.setEncoding("utf8")) {
    const pieces = (rest + chunk).split("\n\n");
    rest = pieces.pop() ?? "";
    yield* pieces;
  }
}

interface Following {
  readonly response: IncomingMessage;
  next(): Promise<string | undefined>;
}

/** A client that is sure to be told of what happens from now on. */
async function follow(line = "GET /v1/events"): Promise<Following> {
  const response = await send(admin, line, {});
  const pieces = piecesOf(response);
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await pieces.next();
    return done ? undefined : value;
  };
  expect(await next()).toBe(": the events of geodns365");
  return { response, next };
}

const parse = (piece: string | undefined): { readonly event: string; readonly data: unknown } => {
  const [, event = "", data = ""] = /^event: (\S+)\ndata: (.*)$/.exec(piece ?? "") ?? [];
  return { event, data: JSON.parse(data) };
};

describe("a client", () => {
  test("is told of each event, in order", async () => {
    const { response, next } = await follow();
    expect(response.headers["content-type"]).toBe("text/event-stream");
    const entry = control.ask();
    await ask(admin, "PUT /v1/datacenters/lhr", { body: { state: "down" } });
    control.emit({ kind: "reload", outcome: "errors", lines: ["a.yaml:1:1: two\nlines"] });
    expect(parse(await next())).toEqual({
      event: "query",
      data: { kind: "query", entry: JSON.parse(JSON.stringify(entry)) },
    });
    expect(parse(await next())).toMatchObject({
      event: "datacenter",
      data: { before: "up", datacenter: { id: "Worldwide/lhr", state: "down", override: { number: 1 } } },
    });
    expect(parse(await next())).toEqual({
      event: "reload",
      data: { kind: "reload", outcome: "errors", lines: ["a.yaml:1:1: two\nlines"] },
    });
    response.destroy();
  });

  test("is told of the kinds it asks for alone", async () => {
    const { response, next } = await follow("GET /v1/events?kinds=tenant,reload");
    control.ask();
    await ask(admin, "POST /v1/tenants/contoso/failover");
    expect(parse(await next())).toMatchObject({ event: "tenant", data: { tenant: { serving: "standby" } } });
    response.destroy();
  });

  test("gets comments while nothing happens", async () => {
    await restart({ limits: { heartbeatMilliseconds: 5 } });
    const { response, next } = await follow();
    expect([await next(), await next()]).toEqual([": still here", ": still here"]);
    response.destroy();
  });

  test("that leaves is forgotten", async () => {
    const { response } = await follow();
    expect(control.listeners.size).toBe(1);
    response.destroy();
    await expect.poll(() => control.listeners.size).toBe(0);
    expect(warnings).toEqual([]);
  });

  test("that leaves before it reads is forgotten too", async () => {
    const socket = await open(admin);
    socket.write("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await expect.poll(() => control.listeners.size).toBe(1);
    socket.destroy();
    await expect.poll(() => control.listeners.size).toBe(0);
  });

  test("that does not read is dropped, others are not, and it reads why once it does", async () => {
    await restart({ limits: { eventQueueLength: 20 } });
    const slow = await follow();
    const other = await follow("GET /v1/events?kinds=tenant");
    slow.response.pause();
    const line = "x".repeat(256 * 1024);
    while (warnings.length === 0) {
      control.emit({ kind: "reload", outcome: "done", lines: [line] });
      await new Promise(setImmediate);
    }
    expect(control.listeners.size).toBe(1);
    expect(warnings).toEqual(["a client of /v1/events did not read in time and was dropped"]);
    let last: string | undefined;
    for (let piece = await slow.next(); piece !== undefined; piece = await slow.next()) last = piece;
    expect(parse(last)).toEqual({
      event: "dropped",
      data: { message: "more than 20 events waited to be read; read faster, or ask for fewer kinds" },
    });
    await ask(admin, "POST /v1/tenants/contoso/failover");
    expect(parse(await other.next()).event).toBe("tenant");
    other.response.destroy();
  });

  test("too many are refused until one leaves, those who wait for a query among them", async () => {
    await restart({ limits: { waiting: 1 } });
    const first = await follow();
    for (const line of ["GET /v1/events", "GET /v1/journal/wait"]) {
      expect(await ask(admin, line)).toMatchObject({
        status: 503,
        code: "too-many-waiting",
        message: "1 clients wait or follow events already; end one of them",
      });
    }
    first.response.destroy();
    await expect.poll(() => control.listeners.size).toBe(0);
    control.isTimeOver = true;
    expect((await ask(admin, "GET /v1/journal/wait")).code).toBe("no-entry");
    expect((await ask(admin, "GET /v1/journal/wait")).code).toBe("no-entry");
  });
});
