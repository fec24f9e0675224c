/**
 * Collections at moments that are known to be right: V8 looks at its heap when something is allocated, and neither an idle
 * thread nor one that answers in place allocates anything. What is large and shared is held until then.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Only a context made under this flag has the function; Node has no other way to ask for a collection. The flag is that of the
 * whole process, so another thread that does the same may have put it back in between.
 */
function findCollector(): NodeJS.GCFunction {
  for (;;) {
    setFlagsFromString("--expose-gc");
    const found: NodeJS.GCFunction | undefined = runInNewContext("globalThis.gc");
    setFlagsFromString("--no-expose-gc");
    if (found !== undefined) return found;
  }
}

let collector: NodeJS.GCFunction | undefined;

/** Lets go of what was there for a short time; well below a millisecond in a thread that holds little. */
export function collectYoung(): void {
  collector ??= findCollector();
  collector({ type: "minor" });
}

/** Gives room back that an ordinary collection keeps, as V8 does when memory is short; some 50 ms where much is held. */
export function giveBackRoom(): void {
  collector ??= findCollector();
  collector({ type: "major", execution: "sync", flavor: "last-resort" });
}
