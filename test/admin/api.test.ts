// Every route of the admin API over a socket, and what each refuses.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Admin } from "../../src/admin/admin.ts";
import { adminErrorCodes } from "../../src/admin/errors.ts";
import { routes, schemasAgree } from "../../src/admin/routes.ts";
import { ask, startTestAdmin } from "./client.ts";
import { FakeControl, startedAt } from "./fake-control.ts";

let control: FakeControl;
let admin: Admin;
beforeEach(async () => {
  control = new FakeControl();
  admin = await startTestAdmin(control);
});
afterEach(() => admin.close());

/** As JSON has it: without what is undefined. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("what is asked", () => {
  test.each<readonly [line: string, value: (control: FakeControl) => unknown]>([
    ["GET /v1/datacenters", (it) => ({ datacenters: it.datacenters() })],
    ["GET /v1/clouds", (it) => ({ clouds: it.clouds() })],
    ["GET /v1/tenants", (it) => ({ tenants: it.tenants(), total: 2 })],
    ["GET /v1/tenants?limit=1&offset=1", (it) => ({ tenants: it.tenants().slice(1), total: 2 })],
    ["GET /v1/tenants?cloud=China", () => ({ tenants: [], total: 0 })],
    ["GET /v1/tenants/CONTOSO", (it) => it.tenants()[0]],
    ["GET /v1/overrides", (it) => ({ overrides: it.overrides() })],
    [
      "GET /v1/locate?address=192.0.2.1",
      () => ({
        located: [{ prefix: "192.0.2.1", isAlike: true, parts: [], moreParts: false, sets: [] }],
      }),
    ],
    ["GET /v1/snapshot", (it) => it.status()],
    ["GET /v1/clock", (it) => it.clock()],
    ["GET /healthz", () => ({ status: "alive" })],
    ["GET /readyz", () => ({ status: "ready" })],
    [
      "GET /v1/explain?name=outlook.office365.com&from=london-office&tenant=contoso&with=lhr=down,contoso-%3Eams&at=10m",
      (it) => {
        const request = {
          name: "outlook.office365.com",
          type: "A",
          from: "london-office",
          tenant: "contoso",
          whatIf: { with: ["lhr=down", "contoso->ams"], at: "10m" },
        };
        const outcome = it.explain(request);
        return outcome.kind === "done" ? outcome.value : undefined;
      },
    ],
  ])("%s", async (line, value) => {
    await control.setDatacenter({ target: "lhr", state: "down", reason: "a drill", forSeconds: 60 });
    const { status, headers, json } = await ask(admin, line);
    expect([status, headers["content-type"], headers["cache-control"]]).toEqual([
      200,
      "application/json",
      "no-store",
    ]);
    expect(json).toEqual(asJson(value(control)));
  });

  test("HEAD is answered as GET without its body", async () => {
    expect(await ask(admin, "HEAD /v1/datacenters")).toMatchObject({ status: 200, text: "" });
    expect(await ask(admin, "HEAD /v1/events")).toMatchObject({ status: 200, text: "" });
    expect(control.listeners.size).toBe(0);
  });

  test("metrics come in the type that they have", async () => {
    const { headers, text } = await ask(admin, "GET /metrics");
    expect([headers["content-type"], text]).toEqual(["text/plain; version=0.0.4", "geodns365_up 1\n"]);
  });

  test("it is not ready while nothing is served, and lives all the same", async () => {
    control.listening = [];
    expect(await ask(admin, "GET /readyz")).toMatchObject({ status: 503, code: "not-ready" });
    expect(await ask(admin, "GET /healthz")).toMatchObject({ status: 200 });
  });
});

describe("datacenters", () => {
  test.each(["PUT", "POST"])("%s sets an override, and its target may be a pattern", async (method) => {
    const { status, json } = await ask(admin, `${method} /v1/datacenters/Worldwide%2Fl*`, {
      body: { state: "down", reason: "flood", for: "10m" },
    });
    expect(status).toBe(200);
    expect(json).toEqual({
      number: 1,
      target: "Worldwide/l*",
      state: "down",
      reason: "flood",
      since: startedAt,
      until: "2026-11-25T12:10:00.000Z",
      datacenters: ["Worldwide/lhr"],
    });
  });

  test.each([
    [90, 90],
    ["90", 90],
    ["2h", 7200],
    [undefined, undefined],
  ])("for %j is %j seconds", async (given, forSeconds) => {
    await ask(admin, "PUT /v1/datacenters/lhr", { body: { state: "draining", for: given } });
    expect(control.calls).toEqual([{ target: "lhr", state: "draining", reason: undefined, forSeconds }]);
  });

  test("an override is removed by its number", async () => {
    await ask(admin, "PUT /v1/datacenters/lhr", { body: { state: "down" } });
    expect(await ask(admin, "DELETE /v1/overrides/1")).toMatchObject({ status: 200, json: { number: 1 } });
    expect(await ask(admin, "DELETE /v1/overrides/1")).toMatchObject({
      status: 404,
      code: "not-found",
      message: "there is no override 1",
    });
  });
});

describe("tenants", () => {
  test("are moved, failed over and failed back", async () => {
    const move = { body: { to: "Worldwide/lhr", reason: "a merger" } };
    expect((await ask(admin, "POST /v1/tenants/contoso/move", move)).json).toMatchObject({
      active: "Worldwide/lhr",
      reason: "a merger",
      by: "operator",
    });
    const drill = { body: { reason: "a drill" } };
    // The slash of a workload's label is no part of the path.
    expect((await ask(admin, "POST /v1/tenants/contoso%2Fexchange/move", move)).json).toMatchObject({
      error: { code: "not-found", message: expect.stringContaining("contoso/exchange") },
    });
    expect((await ask(admin, "POST /v1/tenants/contoso/failover", drill)).json).toMatchObject({
      serving: "standby",
      servedBy: "Worldwide/ams",
    });
    expect((await ask(admin, "POST /v1/tenants/contoso/failback")).json).toMatchObject({ serving: "active" });
  });
});

describe("the journal", () => {
  beforeEach(() => {
    control.ask();
    control.ask({ qname: "contoso.sharepoint.com.", transport: "tcp", clientSubnet: undefined });
  });

  test("is filtered and cut by the server", async () => {
    const line = "GET /v1/journal?name=outlook.*&subnet=10.1.0.0/16&transport=udp&rcode=NOERROR&limit=5";
    expect((await ask(admin, line)).json).toMatchObject({ entries: [{ number: 1 }] });
    expect(control.calls).toEqual([
      { filter: { name: "outlook.*", subnet: "10.1.0.0/16", transport: "udp", rcode: "NOERROR" }, limit: 5 },
    ]);
  });

  test.each([
    ["by format", "GET /v1/journal?format=jsonl", undefined],
    ["by Accept", "GET /v1/journal", "application/x-ndjson"],
  ])("comes as an entry a line, %s", async (_, line, accept) => {
    const { headers, text } = await ask(admin, line, { headers: accept === undefined ? {} : { accept } });
    expect(headers["content-type"]).toBe("application/x-ndjson");
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((entry) => JSON.parse(entry).number),
    ).toEqual([2, 1]);
  });

  test("format counts before Accept", async () => {
    const headers = { accept: "application/x-ndjson" };
    const { json } = await ask(admin, "GET /v1/journal?format=json", { headers });
    expect(json).toMatchObject({ entries: [{ number: 2 }, { number: 1 }] });
  });

  test("can be waited for", async () => {
    const found = ask(admin, "GET /v1/journal/wait?transport=tcp&timeout=1m");
    await expect.poll(() => control.listeners.size).toBe(1);
    control.ask();
    control.ask({ transport: "tcp" });
    expect(await found).toMatchObject({ status: 200, json: { number: 4, transport: "tcp" } });
  });

  test("ends a wait when its time is over, and says what did not come", async () => {
    control.isTimeOver = true;
    expect(await ask(admin, "GET /v1/journal/wait?datacenter=Worldwide/ams&timeout=1s")).toMatchObject({
      status: 404,
      code: "no-entry",
      message:
        "no query with datacenter=Worldwide/ams came within 1 s; wait longer with timeout, or ask less narrowly",
    });
    expect(control.calls).toEqual([{ filter: { datacenter: "Worldwide/ams" }, timeoutMilliseconds: 1000 }]);
  });
});

describe("the clock", () => {
  test("is frozen, stepped and set", async () => {
    const body = { speed: 0, stepSeconds: 30, setTo: "2027-01-01T00:00:00Z" };
    expect((await ask(admin, "PUT /v1/clock", { body })).json).toEqual({
      now: "2027-01-01T00:00:00Z",
      speed: 0,
    });
    expect(control.calls).toEqual([body]);
  });
});

describe("reload", () => {
  test("tells what is other than before", async () => {
    expect((await ask(admin, "POST /v1/reload")).json).toMatchObject({
      changes: ["network oslo-office is new"],
    });
  });

  test("with errors in the configuration gives them all", async () => {
    control.reloadErrors = ['a.yaml:1:1: "x" is no key here', "a.yaml:2:1: ..."];
    const { status, json } = await ask(admin, "POST /v1/reload");
    const message = "the configuration has 1 error; the one before stays";
    expect([status, json]).toEqual([
      422,
      { error: { code: "configuration-errors", message, errors: control.reloadErrors } },
    ]);
  });
});

describe("what is refused", () => {
  const lhr = "PUT /v1/datacenters/lhr";
  test.each<readonly [line: string, body: unknown, status: number, code: string, message: string]>([
    [
      "GET /v1/nothing",
      undefined,
      404,
      "no-such-path",
      "there is nothing at /v1/nothing; GET /openapi.json lists what there is",
    ],
    ["GET /", undefined, 404, "no-such-path", "there is nothing at /; GET /openapi.json lists what there is"],
    [
      "GET /v1/journal?limit=0",
      undefined,
      400,
      "invalid-request",
      '"limit": expected a whole number from 1 to 10000, found 0',
    ],
    [
      "GET /v1/journal?limit=ten",
      undefined,
      400,
      "invalid-request",
      '"limit": expected a whole number from 1 to 10000',
    ],
    [
      "GET /v1/journal?transport=quic&nme=x",
      undefined,
      400,
      "invalid-request",
      '"transport": expected udp or tcp, found "quic"; "nme" is not known here; see /openapi.json',
    ],
    [
      "GET /v1/journal?name=a&name=b",
      undefined,
      400,
      "invalid-request",
      '"name": expected a name, found ["a","b"]',
    ],
    [
      "GET /v1/journal?subnet=10.1.2.3/16",
      undefined,
      400,
      "invalid-request",
      '"subnet": "10.1.2.3/16" has bits set behind its prefix length; did you mean 10.1.0.0/16?',
    ],
    [
      "GET /v1/journal/wait?timeout=soon",
      undefined,
      400,
      "invalid-request",
      '"timeout": "soon" is not a duration like 90, 90s, 10m, 2h or 1d',
    ],
    [
      "GET /v1/events?kinds=query,weather",
      undefined,
      400,
      "invalid-request",
      '"kinds": "weather" is no kind of event; there are datacenter, tenant, override-ended, reload, query',
    ],
    [
      "GET /v1/explain?name=a.example",
      undefined,
      400,
      "invalid-request",
      '"from" is missing: expected a prefix or a network',
    ],
    [
      "DELETE /v1/overrides/first",
      undefined,
      400,
      "invalid-request",
      '"number": expected a whole number from 1 to 9007199254740991',
    ],
    [lhr, undefined, 400, "invalid-request", '"state" is missing: expected up, draining or down'],
    [
      lhr,
      { state: "sleeping" },
      400,
      "invalid-request",
      '"state": expected up, draining or down, found "sleeping"',
    ],
    [
      lhr,
      { state: "down", for: "0s" },
      400,
      "invalid-request",
      '"for": expected seconds, or a duration like 90s, 10m, 2h or 1d, found "0s"',
    ],
    [
      lhr,
      { state: "down", until: 1 },
      400,
      "invalid-request",
      '"until" is not known here; see /openapi.json',
    ],
    [lhr, [1], 400, "invalid-request", "expected a JSON object"],
    ["PUT /v1/clock", {}, 400, "invalid-request", "nothing to set: give speed, stepSeconds or setTo"],
    ["PUT /v1/datacenters/nowhere", { state: "down" }, 404, "not-found", '"nowhere" means no datacenter'],
    [
      "GET /v1/tenants/contso",
      undefined,
      404,
      "not-found",
      '"contso" is no tenant; GET /v1/tenants lists them',
    ],
    ["GET /v1/locate?address=nowhere", undefined, 404, "not-found", '"nowhere" is no address'],
    [
      "GET /v1/explain?name=a&from=nowhere",
      undefined,
      404,
      "not-found",
      '"nowhere" is neither a prefix nor a network',
    ],
    ["POST /v1/tenants/contosoNAM/failover", undefined, 409, "not-possible", "contosoNAM has no standby"],
  ])("%s %j: %i %s", async (line, body, status, code, message) => {
    const answer = await ask(admin, line, { body });
    expect(answer).toMatchObject({ status, code, message });
    expect(answer.text.endsWith("}\n")).toBe(true);
  });

  test.each([
    ["no JSON at all", "{state", /^the body is no JSON: /],
    ["no UTF-8", "\ud800", /^the body is no JSON: /],
  ])("a body that is %s", async (_, body, message) => {
    const answer = await ask(admin, lhr, { body });
    expect(answer).toMatchObject({ status: 400, code: "invalid-request" });
    expect(answer.message).toMatch(message);
  });

  test("a change that could not be kept", async () => {
    control.nextFault = { code: "state-not-written", message: "the disk is full; make room and try again" };
    expect(await ask(admin, lhr, { body: { state: "down" } })).toMatchObject({
      status: 503,
      code: "state-not-written",
      message: "the disk is full; make room and try again",
    });
  });

  test.each([
    ["POST /v1/datacenters", "GET, HEAD"],
    ["DELETE /v1/datacenters/lhr", "PUT, POST"],
    ["OPTIONS /v1/reload", "POST"],
    ["GET /v1/reload", "POST"],
    ["PATCH /v1/clock", "GET, HEAD, PUT"],
    ["TRACE /openapi.json", "GET, HEAD"],
  ])("%s, where there is %s", async (line, allow) => {
    const answer = await ask(admin, line);
    expect([answer.status, answer.code, answer.headers.allow]).toEqual([405, "method-not-allowed", allow]);
  });
});

test("a fault inside is told to the operator, and to the client only that there was one", async () => {
  await admin.close();
  const faults: unknown[] = [];
  admin = await startTestAdmin(control, { onFault: (error) => faults.push(error) });
  control.nextError = new Error("a secret of the inside");
  const answer = await ask(admin, "GET /v1/clouds");
  expect([answer.status, answer.code]).toEqual([500, "internal-error"]);
  expect(answer.text).not.toContain("secret");
  expect(faults).toEqual([control.nextError]);
});

test("the schemas of responses and the contract agree", () => {
  expect(Object.values(schemasAgree).every((agrees) => agrees)).toBe(true);
});

describe("openapi.json", () => {
  interface Operation {
    readonly summary: string;
    readonly operationId: string;
    readonly tags: readonly string[];
    readonly parameters?: readonly { readonly name: string; readonly in: string }[];
    readonly requestBody?: unknown;
    readonly responses: Readonly<
      Record<string, { readonly description: string; readonly content: Readonly<Record<string, object>> }>
    >;
  }
  interface Document {
    readonly openapi: string;
    readonly info: { readonly title: string; readonly version: string };
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, object>> };
  }
  let text = "";
  let document: Document;
  let local: Admin;
  beforeAll(async () => {
    local = await startTestAdmin(new FakeControl());
    ({ text } = await ask(local, "GET /openapi.json"));
    document = JSON.parse(text);
  });
  afterAll(() => local.close());
  const operations = (): readonly Operation[] =>
    Object.values(document.paths).flatMap((path) => Object.values(path));

  test("is one of version 3.1 with the version of the server", () => {
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toMatchObject({ title: "geodns365 admin API", version: "0.1.0" });
  });

  test("has every route with a summary, and no others", () => {
    const listed = Object.entries(document.paths).flatMap(([path, of]) =>
      Object.keys(of).map((m) => `${m} ${path}`),
    );
    const known = Object.values(routes).map(({ method, path }) => `${method} ${path}`);
    expect(listed.toSorted()).toEqual(known.toSorted());
    for (const { summary, tags } of operations()) {
      expect(summary).not.toBe("");
      expect(tags).toHaveLength(1);
    }
    expect(new Set(operations().map(({ operationId }) => operationId)).size).toBe(known.length);
  });

  test("names every parameter of a path", () => {
    for (const [path, of] of Object.entries(document.paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(of)) {
        expect(parameters.flatMap((parameter) => (parameter.in === "path" ? parameter.name : []))).toEqual(
          named,
        );
      }
    }
  });

  test("has a schema for each response, and each reference leads to one", () => {
    for (const { responses } of operations()) {
      expect(Object.keys(responses)).toEqual(
        expect.arrayContaining(["200", "400", "401", "403", "429", "500"]),
      );
      for (const { content } of Object.values(responses)) {
        for (const form of Object.values(content)) expect(form).toHaveProperty("schema");
      }
    }
    const references = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = ""]) => name);
    expect(new Set(references)).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  test("describes every code that a route can come back with", () => {
    const described = operations().flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ description }) =>
        [...description.matchAll(/`([a-z-]+)`: /g)].map(([, code]) => code),
      ),
    );
    // A path that is not there and a method that it has not are of no route.
    const ofNoRoute = ["no-such-path", "method-not-allowed"];
    expect([...new Set(described), ...ofNoRoute].toSorted()).toEqual(adminErrorCodes.toSorted());
  });
});
