/** Answers that need no handler, without sockets. */

import { type Answered, answer } from "../src/answer.ts";

export function answerAtOnce(...args: Parameters<typeof answer>): Answered {
  const made = answer(...args);
  if (made.kind === "deferred") throw new Error(`the query waits for the handler of ${made.zone.apex}`);
  return made;
}
