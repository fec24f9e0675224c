/** Times on a timeline: `0s`, `30`, `1m30s`, `2h`. */

export const MAX_SECONDS = 365 * 86_400;

const timeline = /^(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s?)?$/;

/** Seconds on a timeline, from `0` on: `30`, `30s`, `1m30s`, `2h`; a sentence for anything else. */
export function parseTimeline(text: string): number | string {
  const parts = text === "" ? null : timeline.exec(text);
  if (parts === null) return `"${text}" is no time like 30, 30s, 1m30s or 2h`;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  const all = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return all <= MAX_SECONDS ? all : `"${text}" is longer than a year`;
}

/** The seconds of a time that the schema has taken. */
export function secondsOf(time: number | string): number {
  const seconds = typeof time === "number" ? time : parseTimeline(time);
  if (typeof seconds === "string") throw new Error(seconds);
  return seconds;
}

/** `1m30s` */
export function formatSeconds(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const text = parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count}${unit}`])).join("");
  return text === "" ? "0s" : text;
}
