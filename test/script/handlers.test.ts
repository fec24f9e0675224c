/** Handlers in their threads: what they may be, how they fail, and that each query has an outcome whatever they do. */

import { afterEach, describe, expect, it } from "vitest";
import { decodeQuery } from "../../src/dns/decode.ts";
import { EXTENDED_ERROR } from "../../src/dns/iana.ts";
import { formatRRset } from "../../src/dns/message.ts";
import { nameOf } from "../../src/dns/name.ts";
import { renderHandlerQuery } from "../../src/script/handler-query.ts";
import { type Handlers, noHandlers } from "../../src/script/handlers.ts";
import type { HandlerOptions, HandlerOutcome } from "../../src/script/script-thread.ts";
import { type Lab, makeLab, query } from "./lab.ts";

const apex = nameOf("api.example.");
const source = { address: "192.0.2.53", port: 5353, family: "IPv4", size: 40, transport: "udp" } as const;

let labs: Lab[] = [];
afterEach(async () => {
  for (const lab of labs) await lab.close();
  labs = [];
});

interface Started {
  readonly lab: Lab;
  readonly handlers: Handlers;
  ask(name: string): Promise<HandlerOutcome>;
}

interface StartOptions extends Partial<HandlerOptions> {
  readonly file?: string;
  readonly deadline?: number;
  readonly concurrency?: number;
}

/** A handler by the text of its module; the deadline is long, so that no busy machine meets it. */
async function start(
  text: string,
  { file = "api.js", deadline = 5000, concurrency = 64, ...options }: StartOptions = {},
): Promise<Started> {
  const lab = makeLab({
    "lab.yaml": `geoip: { database: none }\nzones: [{ zone: api.example, handler: ${file}, deadlineMilliseconds: ${deadline}, concurrency: ${concurrency} }]\n`,
    [file]: text,
  });
  labs.push(lab);
  const handlers = await lab.handlers(await lab.load(), options);
  return {
    lab,
    handlers,
    ask: (name) => {
      const asked = decodeQuery(query(name));
      if (asked.kind !== "query") throw new Error(name);
      const octets = renderHandlerQuery(asked.query, undefined);
      return handlers.ask(apex, { query: asked.query, octets, source });
    },
  };
}

/** A module that answers every query with the text of an expression in a TXT record. */
const txt = (expression: string, before = ""): string => `import { Packet } from "dns2";
${before}
export default (request, send, source) => {
  const [question] = request.questions;
  const response = Packet.createResponseFromRequest(request);
  const record = { name: question.name, type: Packet.TYPE.TXT, class: 1, ttl: 5, data: String(${expression}) };
  response.answers.push(record);
  send(response);
};
`;

const said = (outcome: HandlerOutcome): readonly string[] =>
  outcome.kind === "answer" ? outcome.answer.sections.answer.flatMap(formatRRset) : [outcome.error.text];

const plain = txt('"good"');
const good = ['www.api.example. 5 TXT "good"'];

describe("a handler may be", () => {
  const createResponse = `const response = Packet.createResponseFromRequest(request);
    response.answers.push({ name: request.questions[0].name, type: 16, class: 1, ttl: 5, data: "good" });`;
  it.each([
    ["a default export", "api.js", plain],
    ["an .mjs module", "api.mjs", plain],
    ["the export handler", "api.js", plain.replace("export default", "export const handler =")],
    ["the export handle", "api.js", plain.replace("export default", "export const handle =")],
    [
      "a default-exported object with handle, called as its method",
      "api.js",
      `import { Packet } from "dns2";
export default { word: "good", handle(request, send) {
  const response = Packet.createResponseFromRequest(request);
  response.answers.push({ name: request.questions[0].name, type: 16, class: 1, ttl: 5, data: this.word });
  send(response);
} };`,
    ],
    [
      "CommonJS",
      "api.js",
      `const { Packet } = require("dns2");
module.exports = (request, send) => { ${createResponse} send(response); };`,
    ],
    [
      "TypeScript",
      "api.ts",
      `import { Packet, type DnsHandler } from "dns2";
const handle: DnsHandler = (request: Packet, send) => { ${createResponse} void send(response); };
export default handle;`,
    ],
    [
      "asynchronous, and send octets",
      "api.mts",
      `import { Packet } from "dns2";
export default async (request: Packet, send: (octets: Uint8Array) => Promise<unknown>): Promise<void> => {
  await undefined;
  ${createResponse}
  await send(Uint8Array.from(response.toBuffer()));
};`,
    ],
  ])("%s", async (_name, file, text) => {
    const { ask, lab } = await start(text, { file });
    expect(said(await ask("www.api.example."))).toEqual(good);
    expect(lab.events.messages).toEqual([]);
  });

  it("told the source as dgram tells it", async () => {
    const { ask } = await start(txt("JSON.stringify(source)"));
    expect(said(await ask("www.api.example."))).toEqual([
      `www.api.example. 5 TXT ${JSON.stringify(JSON.stringify(source))}`,
    ]);
  });

  it("printing, which goes to the log", async () => {
    const { ask, lab } = await start(txt('"good"', 'console.log("one\\ntwo"); console.error("three");'));
    expect(said(await ask("www.api.example."))).toEqual(good);
    await lab.events.holds("prints", 3);
    expect(lab.events.messages.toSorted()).toEqual([
      "the handler of api.example. prints: one",
      "the handler of api.example. prints: three",
      "the handler of api.example. prints: two",
    ]);
  });
});

describe("what cannot be used is told at the start", () => {
  it.each([
    ["another export", "export default 3;", "exports no handler"],
    ["a syntax error", "export default ((", "cannot be loaded: SyntaxError: "],
    ["what it throws", 'throw new Error("no luck");', "cannot be loaded: Error: no luck, in line 1"],
    ["a module that is not there", 'import "./nix.js";', "cannot be loaded: Error [ERR_MODULE_NOT_FOUND]"],
    ["the end of its thread", "process.exit(1);", "cannot be loaded: its thread ended"],
  ])("%s", async (_name, text, message) => {
    await expect(start(text)).rejects.toThrow(`the handler ${message}`);
  });

  it("a module that is never loaded", async () => {
    const attempt = start("for (;;);", { loadMilliseconds: 50 });
    await expect(attempt).rejects.toThrow("the handler cannot be loaded in 50 ms");
  });
});

describe("a handler that", () => {
  const failures = `import { Packet } from "dns2";
export default async (request, send) => {
  const [{ name }] = request.questions;
  const response = Packet.createResponseFromRequest(request);
  response.answers.push({ name, type: 16, class: 1, ttl: 5, data: "good" });
  switch (name.split(".")[0]) {
    case "throws": throw new Error("a secret");
    case "rejects": await undefined; throw "no error at all";
    case "later": setTimeout(() => { throw new Error("a secret"); }); return;
    case "garbage": send(Buffer.from("this is no message at all")); return;
    case "echo": send(request); return;
    case "number": send(7); return;
    case "bad": response.answers[0].type = 1; response.answers[0].address = "no address"; send(response); return;
    case "other": response.questions = [{ name: "elsewhere.example", type: 16, class: 1 }]; send(response); return;
    case "exit": process.exit(0);
    case "heap": for (const all = []; ; ) all.push(new Array(1e5).fill(name));
    case "twice": send(response); send(response); return;
    case "sends-and-throws": send(response); throw new Error("afterwards");
    default: send(response);
  }
};
`;

  it.each([
    ["throws", "threw an error", "threw an error: Error: a secret"],
    ["rejects", "threw an error", "threw an error: 'no error at all'"],
    ["later", "threw an error", "threw an error: Error: a secret"],
    ["number", "threw an error", "threw an error: TypeError: send takes a dns2 Packet or a Buffer"],
    ["bad", "threw an error", "threw an error: Error: "],
    ["garbage", "answered wrongly: ", "answered wrongly: "],
    ["echo", "answered wrongly: it is a query", "answered wrongly: it is a query"],
    ["other", "answered wrongly: its question is not", "answered wrongly: its question is not"],
    ["exit", "ended", "ended"],
  ])("%s: the query fails with a line in the log, the next one is answered", async (name, text, logged) => {
    const { ask, lab } = await start(failures, { firstPauseMilliseconds: 1 });
    const outcome = await ask(`${name}.api.example.`);
    expect(outcome.kind).toBe("failure");
    expect(said(outcome)[0]).toContain(`the handler of api.example. ${text}`);
    expect(said(outcome)[0]).not.toContain("secret");
    expect(lab.events.messages[0]).toContain(`the handler of api.example. ${logged}`);
    if (name !== "exit") expect(lab.events.messages).toHaveLength(1);
    if (name === "exit") await lab.events.holds("of api.example. is started anew");
    expect(said(await ask("www.api.example."))).toEqual(good);
  });

  it("throws has its stack in the log", async () => {
    const { ask, lab } = await start(failures);
    await ask("throws.api.example.");
    expect(lab.events.all[0]).toMatchObject({ level: "warn", stack: expect.stringContaining("api.js:") });
  });

  it("answers twice is taken by its first answer", async () => {
    const { ask, lab } = await start(failures);
    expect(said(await ask("twice.api.example."))).toEqual(['twice.api.example. 5 TXT "good"']);
    await lab.events.holds("answered a query twice; the first answer counts");
  });

  it("throws behind its answer is taken by the answer", async () => {
    const { ask, lab } = await start(failures);
    expect(said(await ask("sends-and-throws.api.example."))).toEqual([
      'sends-and-throws.api.example. 5 TXT "good"',
    ]);
    await lab.events.holds("threw an error: Error: afterwards");
  });

  it.each([
    ["answers again and again", "send(response)", "answered a query twice"],
    [
      "throws again and again",
      'setImmediate(() => { throw new Error("again"); })',
      "threw an error: Error: again",
    ],
    ["warns again and again", 'process.emitWarning("again")', "has a warning: Warning: again"],
    ["prints again and again", 'console.log("again")', "prints: again"],
  ])("%s does not fill the log", async (_name, statement, logged) => {
    const { ask, lab } = await start(`import { Packet } from "dns2";
export default (request, send) => {
  const response = Packet.createResponseFromRequest(request);
  response.answers.push({ name: request.questions[0].name, type: 16, class: 1, ttl: 5, data: "good" });
  send(response);
  for (let i = 0; i < 2000; i++) ${statement};
};
`);
    expect(said(await ask("www.api.example."))).toEqual(good);
    await lab.events.holds(logged);
    expect(said(await ask("www.api.example."))).toEqual(good);
    await lab.close();
    labs = [];
    expect(lab.events.messages.length).toBeLessThan(1000);
  });

  // The flood would fill the memory of the server faster than it is read.
  it.each([
    ["floods", 'for (;;) parentPort.postMessage({ kind: "sent-again" });'],
    ["closes", "parentPort.close(); for (;;);"],
    ["lies on", 'parentPort.postMessage({ kind: "warned", text: { toString: 1, valueOf: 1 } }); for (;;);'],
  ])("%s the port of its thread reaches nobody, and is ended", async (_name, statement) => {
    const { ask, lab } = await start(
      `import { parentPort } from "node:worker_threads";
import { Packet } from "dns2";
export default (request, send) => {
  const [{ name }] = request.questions;
  if (name.startsWith("tampers.")) { ${statement} }
  const response = Packet.createResponseFromRequest(request);
  response.answers.push({ name, type: 16, class: 1, ttl: 5, data: "good" });
  send(response);
};
`,
      { deadline: 50, pongMilliseconds: 50, firstPauseMilliseconds: 1 },
    );
    expect(said(await ask("tampers.api.example."))[0]).toContain("did not answer in 50 ms");
    await lab.events.holds("of api.example. is started anew");
    expect(lab.events.messages.slice(0, -1)).toEqual([
      "the handler of api.example. did not answer in 50 ms",
      "the handler of api.example. blocks its thread, which is ended",
      "the handler of api.example. ended; it is started anew in 1 ms",
    ]);
  });

  it("takes too much memory is ended and started anew", async () => {
    const { ask, lab } = await start(failures, { firstPauseMilliseconds: 1, pongMilliseconds: 60_000 });
    expect((await ask("heap.api.example.")).kind).toBe("failure");
    await lab.events.holds("of api.example. is started anew");
    expect(said(await ask("www.api.example."))).toEqual(good);
  });
});

describe("the deadline", () => {
  const slow = (body: string): string => `import { Packet } from "dns2";
const kept = [];
export default (request, send) => {
  const [{ name }] = request.questions;
  const response = Packet.createResponseFromRequest(request);
  ${body}
};
`;
  const withDeadline = (text: string, options: StartOptions = {}): Promise<Started> =>
    start(text, { deadline: 20, ...options });

  it("ends the wait for a handler that never answers, and leaves its thread alone", async () => {
    const { ask, lab } = await withDeadline(slow('if (name.startsWith("never")) return;\n  send(response);'));
    const text = "the handler of api.example. did not answer in 20 ms";
    expect(said(await ask("never.api.example."))).toEqual([text]);
    expect(lab.events.messages).toEqual([text]);
  });

  it("frees the places of queries that are never answered", async () => {
    const { ask } = await withDeadline(slow("kept.push(send);"), { concurrency: 2 });
    for (let i = 0; i < 3; i++) {
      const both = await Promise.all([ask("a.api.example."), ask("b.api.example.")]);
      expect(both.flatMap(said)).toEqual(
        new Array(2).fill("the handler of api.example. did not answer in 20 ms"),
      );
    }
  });

  it("comes for every query of a handler that loops for ever, whose thread is then ended and started anew", async () => {
    const { ask, lab } = await withDeadline(
      slow('if (name.startsWith("loop")) for (;;);\n  send(response);'),
      {
        pongMilliseconds: 50,
        firstPauseMilliseconds: 1,
      },
    );
    const outcomes = await Promise.all([ask("loop.api.example."), ask("www.api.example.")]);
    expect(outcomes.flatMap(said)).toEqual(
      new Array(2).fill("the handler of api.example. did not answer in 20 ms"),
    );
    await lab.events.holds("the handler of api.example. blocks its thread, which is ended");
    await lab.events.holds("of api.example. is started anew");
    // A thread just started may take longer for its first answer than this deadline.
    let next = await ask("www.api.example.");
    while (next.kind !== "answer") next = await ask("www.api.example.");
  });
});

describe("concurrency", () => {
  it("is bounded: one query more fails at once, and none of the others", async () => {
    const keeping = `import { Packet } from "dns2";
const kept = [];
export default (request, send) => {
  kept.push(() => send(Packet.createResponseFromRequest(request)));
  if (kept.length === 3) for (const answer of kept) answer();
};
`;
    const { ask } = await start(keeping, { concurrency: 3 });
    const [first, second] = [ask("a.api.example."), ask("b.api.example.")];
    const third = ask("c.api.example.");
    expect(said(await ask("d.api.example."))).toEqual([
      "the handler of api.example. has 3 queries in hand already",
    ]);
    const outcomes = await Promise.all([first, second, third]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["answer", "answer", "answer"]);
  });
});

describe("a thread that has ended", () => {
  it("is started anew after pauses that grow, and until then queries fail at once", async () => {
    const { ask, lab } = await start("export default () => process.exit(0);", { firstPauseMilliseconds: 1 });
    for (let i = 1; i <= 3; i++) {
      await ask("www.api.example.");
      expect(await ask("www.api.example.")).toMatchObject({
        kind: "failure",
        error: { code: EXTENDED_ERROR.NOT_READY, text: "the handler of api.example. is not running" },
      });
      await lab.events.holds("of api.example. is started anew", i);
    }
    const pauses = lab.events.messages.flatMap((message) => /anew in (\d+) ms/.exec(message)?.[1] ?? []);
    expect(pauses).toEqual(["1", "2", "4"]);
  });

  it("is tried again where its module cannot be loaded any more", async () => {
    const { ask, lab } = await start("export default () => process.exit(0);", { firstPauseMilliseconds: 1 });
    lab.write("api.js", "export default ((");
    await ask("www.api.example.");
    await lab.events.holds("cannot be loaded: SyntaxError", 2);
    lab.write("api.js", plain);
    await lab.events.holds("of api.example. is started anew");
    expect(said(await ask("www.api.example."))).toEqual(good);
  });
});

describe("the end", () => {
  it("waits for what is in hand", async () => {
    const { ask, handlers } = await start(
      `import { Packet } from "dns2";
export default (request, send) => void setTimeout(() => send(Packet.createResponseFromRequest(request)), 1);`,
    );
    const asked = ask("www.api.example.");
    await handlers.close();
    expect((await asked).kind).toBe("answer");
    expect((await ask("www.api.example.")).kind).toBe("failure");
  });

  it("is that of a server without handlers from the start", async () => {
    const asked = decodeQuery(query("www.api.example."));
    if (asked.kind !== "query") throw new Error("no query");
    const outcome = await noHandlers.ask(apex, { query: asked.query, octets: new Uint8Array(), source });
    expect(said(outcome)).toEqual(["the handler of api.example. is not running"]);
  });
});
