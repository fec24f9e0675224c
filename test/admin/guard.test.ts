// Who may ask the admin API at all, how much, and how often.

import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Admin, startAdmin } from "../../src/admin/admin.ts";
import { AdminListenError } from "../../src/admin/listen-error.ts";
import { RequestRate } from "../../src/admin/rate.ts";
import { hashToken, isToken, newToken } from "../../src/admin/token.ts";
import { ask, open, portOf, readAll, send, sendRaw, startTestAdmin } from "./client.ts";
import { FakeControl } from "./fake-control.ts";

let control: FakeControl;
const opened: Admin[] = [];
beforeEach(() => {
  control = new FakeControl();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((admin) => admin.close()));
});

const start: typeof startTestAdmin = async (of, options) => {
  const admin = await startTestAdmin(of, options);
  opened.push(admin);
  return admin;
};

/** An error as the last line of what came over a socket. */
const errorIn = (response: string): { readonly code: string; readonly message: string } =>
  JSON.parse(response.trimEnd().split("\r\n").at(-1) ?? "").error;

describe("the token", () => {
  const token = newToken();
  const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });

  test("is long, another one each time, and known by its hash", () => {
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(newToken()).not.toBe(token);
    expect(hashToken("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(isToken(token, hashToken(token))).toBe(true);
    expect(isToken(token, hashToken(token).toUpperCase())).toBe(true);
    expect(isToken(`${token}x`, hashToken(token))).toBe(false);
  });

  test.each<readonly [what: string, headers: Readonly<Record<string, string>>, message: string]>([
    [
      "no token",
      {},
      "a token is needed: send Authorization: Bearer TOKEN, or set GEODNS365_TOKEN for the commands",
    ],
    [
      "another scheme",
      { authorization: `Basic ${token}` },
      "a token is needed: send Authorization: Bearer TOKEN, or set GEODNS365_TOKEN for the commands",
    ],
    [
      "another token",
      { authorization: `Bearer ${newToken()}` },
      "this is not the token whose hash is admin.tokenHash; geodns365 token makes a new pair",
    ],
    [
      "the hash itself",
      { authorization: `Bearer ${hashToken(token)}` },
      "this is not the token whose hash is admin.tokenHash; geodns365 token makes a new pair",
    ],
  ])("%s is not let in, not even on loopback", async (_, headers, message) => {
    const admin = await start(control, { tokenHash: hashToken(token) });
    for (const line of [
      "GET /v1/snapshot",
      "GET /metrics",
      "GET /openapi.json",
      "GET /nothing",
      "POST /v1/reload",
    ]) {
      const answer = await ask(admin, line, { headers });
      expect(answer).toMatchObject({ status: 401, code: "unauthorized", message });
      expect(answer.headers["www-authenticate"]).toBe('Bearer realm="geodns365"');
    }
  });

  test("lets in", async () => {
    const admin = await start(control, { tokenHash: hashToken(token) });
    expect((await ask(admin, "GET /v1/snapshot", bearer(token))).status).toBe(200);
    expect(
      (await ask(admin, "GET /v1/snapshot", { headers: { authorization: `bearer ${token}` } })).status,
    ).toBe(200);
  });

  test("is not asked of who only looks whether it lives", async () => {
    const admin = await start(control, { tokenHash: hashToken(token) });
    expect((await ask(admin, "GET /healthz")).status).toBe(200);
    expect((await ask(admin, "GET /readyz")).status).toBe(200);
  });

  test("is needed to listen where others can reach it", async () => {
    for (const address of ["0.0.0.0", "::", "192.0.2.1"]) {
      const listen = [
        { address: "127.0.0.1", family: 4, port: 0 },
        { address, family: address === "::" ? 6 : 4, port: 0 },
      ] as const;
      await expect(startTestAdmin(control, { listen })).rejects.toThrow(
        /is not loopback, so the admin API needs a token there: run "geodns365 token" and set admin.tokenHash/,
      );
    }
  });

  test("opens the wildcard, and any address of the machine is a good host then", async () => {
    const listen = [{ address: "0.0.0.0", family: 4, port: 0 }] as const;
    const admin = await start(control, { listen, tokenHash: hashToken(token) });
    expect((await ask(admin, "GET /v1/snapshot", bearer(token))).status).toBe(200);
  });
});

describe("the Host header", () => {
  const port = 5380;
  test.each([
    [200, "localhost"],
    [200, `localhost:${port}`],
    [200, "LOCALHOST."],
    [200, "127.0.0.1"],
    [200, "[::1]:5380"],
    [200, "lab.example"],
    [200, "LAB.example:8080"],
    [403, "evil.example"],
    [403, "127.0.0.1.evil.example"],
    [403, "localhost.evil.example"],
    [403, "192.0.2.1"],
    [400, "evil.example/127.0.0.1"],
    [400, "user@localhost"],
  ])("%i for %j", async (status, host) => {
    const admin = await start(control, { hosts: ["lab.example"] });
    const answer = await ask(admin, "GET /v1/snapshot", { headers: { host } });
    expect(answer.status).toBe(status);
    expect(answer.code).toBe({ 200: undefined, 403: "foreign-host", 400: "malformed-request" }[status]);
  });

  test.each(["", "Host:\r\n"])("must be there and say something, not %j", async (line) => {
    const admin = await start(control);
    const response = await sendRaw(admin, `GET /v1/snapshot HTTP/1.1\r\n${line}Connection: close\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect(errorIn(response).code).toBe("malformed-request");
  });

  test("says what to do about it", async () => {
    const { message } = await ask(await start(control), "GET /healthz", {
      headers: { host: "lab.example:80" },
    });
    expect(message).toBe(
      'this server does not go by the host "lab.example"; ask it by its address, or list the name in admin.hosts',
    );
  });
});

describe("pages of other sites", () => {
  test.each<readonly [status: number, headers: Readonly<Record<string, string>>]>([
    [200, { host: "localhost:5380", origin: "http://localhost:5380" }],
    [403, { host: "localhost:5380", origin: "http://localhost:8080" }],
    [200, { host: "localhost:5380", origin: "https://localhost:5380" }],
    [403, { host: "localhost:5380", origin: "ftp://localhost:5380" }],
    [403, { host: "localhost:5380", origin: "https://evil.example" }],
    [403, { host: "localhost:5380", origin: "null" }],
    [403, { host: "localhost:5380", "sec-fetch-site": "cross-site" }],
    [200, { host: "localhost:5380", "sec-fetch-site": "same-origin" }],
  ])("%i for %j", async (status, headers) => {
    const admin = await start(control);
    for (const line of ["GET /v1/snapshot", "POST /v1/reload"]) {
      const answer = await ask(admin, line, { headers });
      expect([answer.status, answer.code]).toEqual([status, status === 403 ? "foreign-origin" : undefined]);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  test("get nothing by a preflight", async () => {
    const headers = { origin: "https://evil.example", "access-control-request-method": "PUT" };
    expect(await ask(await start(control), "OPTIONS /v1/clock", { headers })).toMatchObject({
      status: 403,
      code: "foreign-origin",
    });
  });
});

describe("bodies", () => {
  const change = JSON.stringify({ state: "down" });
  test.each([
    [200, "application/json"],
    [200, "application/json; charset=utf-8"],
    [200, 'APPLICATION/JSON; charset="UTF-8"'],
    [415, "application/json; charset=utf-16"],
    [415, "application/x-www-form-urlencoded"],
    [415, "text/plain"],
    [415, "multipart/form-data; boundary=x"],
    [415, "application/jsonx"],
  ])("%i for %j", async (status, type) => {
    const admin = await start(control);
    const answer = await ask(admin, "PUT /v1/datacenters/lhr", {
      body: change,
      headers: { "content-type": type },
    });
    expect([answer.status, answer.code]).toEqual([
      status,
      status === 415 ? "unsupported-media-type" : undefined,
    ]);
  });

  test("need a type, and a type alone is looked at too", async () => {
    const admin = await start(control);
    const typeless = await sendRaw(
      admin,
      `PUT /v1/datacenters/lhr HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${change.length}\r\n\r\n${change}`,
    );
    expect(errorIn(typeless)).toEqual({
      code: "unsupported-media-type",
      message: "the body has no content type; send content-type: application/json",
    });
    const form = { "content-type": "application/x-www-form-urlencoded", "content-length": "0" };
    expect((await ask(admin, "POST /v1/reload", { headers: form })).code).toBe("unsupported-media-type");
  });

  const withReason = (octets: number): string => {
    const empty = JSON.stringify({ state: "down", x: "" });
    return JSON.stringify({ state: "down", x: "x".repeat(octets - empty.length) });
  };
  test("of 64 KiB are read, and not an octet more, with their length said or not", async () => {
    const admin = await start(control);
    const chunked = { "transfer-encoding": "chunked", "content-type": "application/json" };
    const most = 64 * 1024;
    // What is read is refused for its key.
    for (const [octets, code] of [
      [most, "invalid-request"],
      [most + 1, "too-large"],
      [50 * most, "too-large"],
    ] as const) {
      const body = withReason(octets);
      expect((await ask(admin, "PUT /v1/datacenters/lhr", { body })).code).toBe(code);
      const chunks = `${octets.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      const headers = Object.entries(chunked).map(([name, text]) => `${name}: ${text}\r\n`);
      const head = `PUT /v1/datacenters/lhr HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers.join("")}\r\n`;
      expect(errorIn(await sendRaw(admin, head + chunks)).code).toBe(code);
    }
  });

  test("that announce too much are refused before they come", async () => {
    const admin = await start(control);
    const head =
      "PUT /v1/datacenters/lhr HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n";
    expect(errorIn(await sendRaw(admin, head)).code).toBe("too-large");
  });
});

describe("rates", () => {
  test("a burst is taken, then so many a second, and Retry-After says when to come back", async () => {
    let now = 1000;
    const admin = await start(control, {
      now: () => now,
      limits: { rate: { perSecond: 0.5, burst: 2 } },
    });
    const codes = async (count: number): Promise<readonly (string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      for (let i = 0; i < count; i++) found.push((await ask(admin, "GET /v1/clock")).code);
      return found;
    };
    expect(await codes(3)).toEqual([undefined, undefined, "too-many-requests"]);
    const answer = await ask(admin, "GET /v1/clock");
    expect([answer.status, answer.headers["retry-after"], answer.message]).toEqual([
      429,
      "2",
      "too many requests from this address; try again in 2 s",
    ]);
    expect((await ask(admin, "GET /healthz")).status).toBe(200);
    now += 2000;
    expect(await codes(2)).toEqual([undefined, "too-many-requests"]);
  });

  test("wrong tokens are counted too", async () => {
    const options = { tokenHash: hashToken("x"), now: () => 0, limits: { rate: { perSecond: 1, burst: 1 } } };
    const admin = await start(control, options);
    expect((await ask(admin, "GET /v1/clock")).code).toBe("unauthorized");
    expect((await ask(admin, "GET /v1/clock")).code).toBe("too-many-requests");
  });

  test("each address has its own, and not more are remembered than there is room for", () => {
    const rate = new RequestRate({ perSecond: 1, burst: 1 });
    expect(rate.take("192.0.2.1", 0)).toBe(0);
    expect(rate.take("192.0.2.1", 0)).toBe(1);
    expect(rate.take("192.0.2.2", 0)).toBe(0);
    for (let i = 0; i < 1024; i++) rate.take(`2001:db8::${i.toString(16)}`, 0);
    expect(rate.take("192.0.2.1", 0)).toBe(0);
  });
});

describe("connections", () => {
  test("are bounded", async () => {
    const admin = await start(control, { limits: { connections: 1 } });
    const first = await open(admin);
    const second = await open(admin);
    expect(await readAll(second)).toBe("");
    first.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expect(await readAll(first)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("that do not send all of a request in time are told so and closed", async () => {
    const limits = { headersMilliseconds: 50, requestMilliseconds: 50 };
    const admin = await start(control, { limits });
    const response = await sendRaw(admin, "GET /healthz HTTP/1.1\r\nHost: localh");
    expect(response).toMatch(/^HTTP\/1\.1 408 /);
    expect(errorIn(response).code).toBe("request-timeout");
  });

  test.each([
    ["malformed-request", 400, "hello\r\n\r\n"],
    ["malformed-request", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost\r\n\r\n"],
    ["malformed-request", 400, "GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
    ["headers-too-large", 431, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
  ])("with what the parser gives up on get %s", async (code, status, octets) => {
    const response = await sendRaw(await start(control), octets);
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(errorIn(response).code).toBe(code);
  });

  test("asking to go on before the body get an answer", async () => {
    const head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    expect(await sendRaw(await start(control), `${head}Expect: something\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200 OK/,
    );
  });
});

describe("listening", () => {
  test("on a port that is taken is an error that says what to do, and leaves nothing open", async () => {
    const taken = await start(control);
    const listen = [
      { address: "127.0.0.1", family: 4, port: 0 },
      { address: "127.0.0.1", family: 4, port: portOf(taken) },
    ] as const;
    const failed = startTestAdmin(control, { listen });
    await expect(failed).rejects.toThrow(AdminListenError);
    await expect(failed).rejects.toThrow(
      `cannot serve the admin API on 127.0.0.1:${portOf(taken)}: another program uses the port; stop it, or choose another with --admin`,
    );
  });

  test("on an address that the machine has not is one too", async () => {
    const listen = [{ address: "192.0.2.1", family: 4, port: 0 }] as const;
    const options = { listen, tokenHash: hashToken("x"), hosts: [], onFault: () => {} };
    await expect(startAdmin(control, options)).rejects.toThrow(/this machine has no such address/);
  });

  test("on several addresses", async () => {
    const at = { address: "127.0.0.1", family: 4, port: 0 } as const;
    const admin = await start(control, { listen: [at, { ...at, address: "127.0.0.2" }] });
    expect(admin.listening.map(({ address }) => address)).toEqual(["127.0.0.1", "127.0.0.2"]);
    expect(new Set(admin.listening.map(({ port }) => port)).has(0)).toBe(false);
  });
});

describe("closing", () => {
  test("ends streams, tells who waits, and is done once", async () => {
    const admin = await start(control);
    const waiting = ask(admin, "GET /v1/journal/wait?timeout=5m");
    const events = await send(admin, "GET /v1/events", {});
    await expect.poll(() => control.listeners.size).toBe(2);
    const ended = once(events.resume(), "end");
    await Promise.all([admin.close(), admin.close()]);
    await ended;
    expect(await waiting).toMatchObject({ status: 503, code: "stopping" });
  });
});
