/**
 * The thread of one handler: loads its module and calls it for each query. Runs in a worker, and is the only importer of
 * `dns2`. A handler is a function `(request, send, source)`, as dns2's createServer takes it: the default export, the
 * export `handle` or `handler`, or the method `handle` of a default-exported object.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createRequire, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { MessagePort, parentPort, workerData } from "node:worker_threads";
import { Packet } from "dns2";
import type { FromThread, HandlerSource, ToThread } from "./thread-messages.ts";

type Send = (response: unknown) => Promise<Buffer>;
type Handle = (request: Packet, send: Send, source: HandlerSource) => unknown;

/** What is said in a second beside answers. */
const MAX_ASIDES = 20;
let asides = { second: 0, count: 0 };

const port = await receivePort();
const post = port.postMessage.bind(port);
const tell = (message: FromThread): void => post(message);

/** A query that the handler was given. */
interface Asked {
  readonly number: number;
  /** it has an answer, or an error for one */
  isSettled: boolean;
}

/** The query that the running code belongs to. */
const current = new AsyncLocalStorage<Asked>();

// `dns2` in a module is the one of this program, wherever the module lies and whatever is installed there.
const dns2 = {
  import: import.meta.resolve("dns2"),
  require: pathToFileURL(createRequire(import.meta.url).resolve("dns2")).href,
};
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier !== "dns2") return next(specifier, context);
    const url = context.conditions.includes("require") ? dns2.require : dns2.import;
    return { url, shortCircuit: true };
  },
});

// In place of Node's own listener, which prints. A module beside no package.json is no news to who wrote it.
process.removeAllListeners("warning");
process.on("warning", (warning) => {
  const code = "code" in warning ? warning.code : undefined;
  if (code !== "MODULE_TYPELESS_PACKAGE_JSON")
    tellAside({ kind: "warned", text: `${warning.name}: ${warning.message}` });
});
// What is thrown behind the handler's back, by a timer or an event, must not end what else it has in hand.
process.on("uncaughtException", (error) => {
  const asked = current.getStore();
  if (asked === undefined || asked.isSettled)
    tellAside({ kind: "threw", number: undefined, stack: stackOf(error) });
  else settle(asked, { kind: "threw", number: asked.number, stack: stackOf(error) });
});

const loaded = await load(String(workerData));
if (typeof loaded === "string") {
  tell({ kind: "unusable", reason: loaded });
} else {
  port.on("message", (message: ToThread) => {
    if (message.kind === "ping") {
      tell({ kind: "pong" });
      return;
    }
    const asked = { number: message.number, isSettled: false };
    void current.run(asked, () => answer(loaded, message, asked));
  });
  tell({ kind: "loaded" });
}

/** The way to the server, which comes first; the port that any module has at hand then leads nowhere. */
async function receivePort(): Promise<MessagePort> {
  if (parentPort === null) throw new Error("this is no thread");
  const [event]: unknown[] = await once(parentPort, "message");
  parentPort.close();
  const received = event instanceof MessageEvent ? event.data : event;
  if (received instanceof MessagePort) return received;
  throw new Error("the server gives no port");
}

function settle(asked: Asked, message: FromThread): void {
  asked.isSettled = true;
  tell(message);
}

/** Says what is no answer: so often a second and no more, since the server has to listen to all of it. */
function tellAside(message: FromThread): void {
  const second = Math.floor(performance.now() / 1000);
  asides = second === asides.second ? { second, count: asides.count + 1 } : { second, count: 1 };
  if (asides.count <= MAX_ASIDES) tell(message);
}

/** The function of a module; a sentence where there is none. */
async function load(path: string): Promise<Handle | string> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    return `cannot be loaded: ${describe(error, path)}`;
  }
  const { default: given, handle: named, handler } = module;
  const method: unknown =
    typeof given === "object" && given !== null ? Reflect.get(given, "handle") : undefined;
  if (typeof method === "function") return (...args) => Reflect.apply(method, given, args);
  const handle = [given, named, handler].find((each) => typeof each === "function");
  if (typeof handle !== "function")
    return "exports no handler; export a function (request, send, source) as default";
  return (...args) => Reflect.apply(handle, undefined, args);
}

/** Calls the handler; what counts is the first that it sends or throws. */
async function answer(
  handle: Handle,
  { octets, source }: ToThread & { readonly kind: "query" },
  asked: Asked,
): Promise<void> {
  const { number } = asked;
  const threw = (error: unknown): void => {
    const stack = stackOf(error);
    if (asked.isSettled) tellAside({ kind: "threw", number: undefined, stack });
    else settle(asked, { kind: "threw", number, stack });
  };
  const send: Send = (response) => {
    if (asked.isSettled) {
      tellAside({ kind: "sent-again" });
      return Promise.resolve(Buffer.alloc(0));
    }
    try {
      const sent = octetsOf(response);
      settle(asked, { kind: "sent", number, octets: Uint8Array.from(sent) });
      return Promise.resolve(sent);
    } catch (error) {
      threw(error);
      const rejection = Promise.reject(error);
      rejection.catch(() => {}); // told already, whether or not the handler looks at it
      return rejection;
    }
  };
  try {
    await handle(Packet.parse(Buffer.from(octets)), send, source);
  } catch (error) {
    threw(error);
  }
}

/** A message as octets: a dns2 packet, or octets already. */
function octetsOf(response: unknown): Buffer {
  if (response instanceof Uint8Array) return Buffer.from(response);
  if (response instanceof Packet) return response.toBuffer();
  throw new TypeError(
    `send takes a dns2 Packet or a Buffer, and was given ${inspect(response, { depth: 0 })}`,
  );
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : inspect(error, { depth: 1 });
}

/** What kept a module from being loaded, on one line, with the line of its file or how to find it. */
function describe(error: unknown, path: string): string {
  const [first = ""] = String(error).split("\n");
  const behind = error instanceof Error ? error.stack?.split(`${path}:`)[1] : undefined;
  const line = /^\d+/.exec(behind ?? "")?.[0];
  if (line !== undefined) return `${first}, in line ${line}`;
  return error instanceof SyntaxError ? `${first}; "node --check" shows where` : first;
}
