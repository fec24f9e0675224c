/** Events of the server for one client, as server-sent events: a bounded queue, and an end for who does not read. */

import type { Control, ControlEvent } from "./control.ts";

export interface EventStreamOptions {
  /** undefined: all */
  readonly kinds: ReadonlySet<ControlEvent["kind"]> | undefined;
  readonly heartbeatMilliseconds: number;
  /** events that may wait for a client to read */
  readonly queueLength: number;
  /** called once, when nothing will come any more; with `dropped` where the client did not read */
  readonly onEnd: (why: "closed" | "dropped") => void;
}

export interface EventStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Ends it from this side. */
  close(): void;
}

/**
 * Nothing is subscribed to before somebody reads. What waits when the client reads goes out in one piece; who lets more wait
 * than the queue holds gets a `dropped` event in place of it, and no more.
 */
export function eventStream(control: Pick<Control, "subscribe">, options: EventStreamOptions): EventStream {
  const { kinds, heartbeatMilliseconds, queueLength, onEnd } = options;
  let waiting: string[] = [": the events of geodns365\n\n"];
  let ended = false;
  let unsubscribe: (() => void) | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let wake = (): void => {};

  const push = (text: string): void => {
    waiting.push(text);
    wake();
  };
  const end = (why: "closed" | "dropped", lastWords: string | undefined): void => {
    if (ended) return;
    ended = true;
    clearInterval(heartbeat);
    unsubscribe?.();
    if (lastWords !== undefined) waiting.push(lastWords);
    wake();
    onEnd(why);
  };
  const onEvent = (event: ControlEvent): void => {
    if (ended || (kinds !== undefined && !kinds.has(event.kind))) return;
    if (waiting.length < queueLength) {
      push(formatEvent(event.kind, event));
      return;
    }
    waiting = [];
    const message = `more than ${queueLength} events waited to be read; read faster, or ask for fewer kinds`;
    end("dropped", formatEvent("dropped", { message }));
  };
  const start = (): void => {
    unsubscribe = control.subscribe(onEvent);
    // A comment keeps proxies from closing a silent connection, and shows a client that is gone.
    heartbeat = setInterval(() => {
      if (waiting.length === 0) push(": still here\n\n");
    }, heartbeatMilliseconds);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (unsubscribe === undefined && !ended) start();
        if (waiting.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const text = waiting.join("");
        waiting = [];
        if (text !== "") controller.enqueue(new TextEncoder().encode(text));
        if (ended) controller.close();
      },
      cancel: () => end("closed", undefined),
    },
    { highWaterMark: 0 },
  );
  return { body, close: () => end("closed", ": the server ends\n\n") };
}

/** JSON has no line breaks of its own, so one data line does. */
const formatEvent = (kind: string, value: unknown): string =>
  `event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`;
