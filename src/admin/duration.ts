/** Durations as operators write them: `90`, `90s`, `10m`, `2h`, `1d`. */

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** The longest that makes sense to write: ten years. */
export const MAX_DURATION_SECONDS = 3650 * SECONDS.d;

/** Seconds; a sentence where the text is no duration. */
export function parseDuration(text: string): number | string {
  const [, digits = "", unit = "s"] = /^(\d{1,10})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(digits) * SECONDS[unit as keyof typeof SECONDS];
  if (digits === "") return `"${text}" is not a duration like 90, 90s, 10m, 2h or 1d`;
  if (seconds === 0) return `"${text}" is no time at all; give one second or more`;
  if (seconds > MAX_DURATION_SECONDS) return `"${text}" is longer than ten years; leave it out for no end`;
  return seconds;
}
