/** Modules of handlers in a folder of their own, and a server that asks them. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatConfigError } from "../../src/config/load.ts";
import { decodeMessage } from "../../src/dns/decode.ts";
import { readExtendedError } from "../../src/dns/edns.ts";
import { CLASS, OPTION, parseType } from "../../src/dns/iana.ts";
import type { Message } from "../../src/dns/message.ts";
import { parseName } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { parsePrefix } from "../../src/ip.ts";
import { loadHandlers } from "../../src/load-handlers.ts";
import { loadSnapshot } from "../../src/load-snapshot.ts";
import type { Handlers } from "../../src/script/handlers.ts";
import type { HandlerEvent, HandlerOptions } from "../../src/script/script-thread.ts";
import { type Server, type ServerOptions, startServer } from "../../src/server.ts";
import type { Snapshot } from "../../src/snapshot.ts";
import type { Trace } from "../../src/trace.ts";

/** What handlers have said to the log so far. */
export class Events {
  readonly all: HandlerEvent[] = [];
  readonly #waiting = new Set<() => void>();

  readonly add = (event: HandlerEvent): void => {
    this.all.push(event);
    for (const look of [...this.#waiting]) look();
  };

  get messages(): readonly string[] {
    return this.all.map(({ message }) => message);
  }

  /** Settles when a message with this text is there, `times` times. */
  holds(text: string, times = 1): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.messages.filter((message) => message.includes(text)).length < times) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

export interface Lab {
  readonly folder: string;
  readonly events: Events;
  readonly traces: Trace[];
  write(file: string, text: string): void;
  load(): Promise<Snapshot>;
  /** starts handlers, which `close` ends */
  handlers(snapshot: Snapshot, options?: Partial<HandlerOptions>): Promise<Handlers>;
  serve(options?: Partial<HandlerOptions & Pick<ServerOptions, "listen" | "plane">>): Promise<Server>;
  close(): Promise<void>;
}

const anyPort = [{ address: "127.0.0.1", family: 4, port: 0 }] as const;

/** A lab of files; `lab.yaml` is the configuration. */
export function makeLab(files: Readonly<Record<string, string>>): Lab {
  const folder = mkdtempSync(join(tmpdir(), "geodns365-script-"));
  const events = new Events();
  const traces: Trace[] = [];
  const cleanUp: (() => Promise<void>)[] = [];
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  for (const [file, text] of Object.entries(files)) write(file, text);
  const load = async (): Promise<Snapshot> => {
    const loaded = await loadSnapshot(join(folder, "lab.yaml"));
    if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
    return loaded.snapshot;
  };
  const handlers = async (snapshot: Snapshot, options: Partial<HandlerOptions> = {}): Promise<Handlers> => {
    const loaded = await loadHandlers(snapshot, { onEvent: events.add, ...options });
    if (loaded.kind === "errors") throw new Error(loaded.errors.map(({ message }) => message).join("\n"));
    cleanUp.push(() => loaded.handlers.close());
    return loaded.handlers;
  };
  return {
    folder,
    events,
    traces,
    write,
    load,
    handlers,
    serve: async ({ listen = anyPort, plane, ...options } = {}) => {
      const snapshot = await load();
      const server = await startServer(snapshot, {
        listen,
        ...(plane && { plane }),
        handlers: await handlers(snapshot, options),
        onTrace: (trace) => traces.push(trace),
        onFault: (error) => {
          throw error;
        },
      });
      cleanUp.push(() => server.close());
      return server;
    },
    close: async () => {
      for (const step of cleanUp.toReversed()) await step();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A query in wire format; without `id` it is 1. */
export function query(
  name: string,
  type = "TXT",
  { id = 1, subnet, edns = true }: { id?: number; subnet?: string; edns?: boolean } = {},
): Uint8Array {
  const qname = parseName(name);
  const qtype = parseType(type);
  const prefix = subnet === undefined ? undefined : parsePrefix(subnet);
  if (typeof qname === "string" || qtype === undefined || typeof prefix === "string") throw new Error(name);
  const opt = { udpPayloadSize: 1232, dnssecOk: false, subnet: prefix };
  return renderQuery(
    { qname, qtype, qclass: CLASS.IN },
    { id, recursionDesired: false, edns: edns ? opt : undefined },
  );
}

export function decoded(octets: Uint8Array | undefined): Message {
  const message = octets === undefined ? "silence" : decodeMessage(octets);
  if (typeof message === "string") throw new Error(message);
  return message;
}

/** The text of the extended error in a response. */
export function extendedErrorOf({ edns }: Message): string | undefined {
  const option = edns?.options.find(({ code }) => code === OPTION.EXTENDED_ERROR);
  return option && readExtendedError(option.octets)?.text;
}
