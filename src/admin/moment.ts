/** Times to come, as operators write them: `2026-11-25T09:00:00Z`, or how long until then, as `10m`. */

import { parseDuration } from "./duration.ts";

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970; a sentence where the text is neither, or a time before `now`. */
export function parseMoment(text: string, now: number): number | string {
  const seconds = parseDuration(text);
  if (typeof seconds === "number") return now + seconds * 1000;
  const time = isoTime.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    return `"${text}" is neither a time like 2026-11-25T09:00:00Z nor a duration like 10m`;
  if (time >= now) return time;
  return `"${text}" is before ${new Date(now).toISOString()}; only what is to come can be told`;
}
