/** The numbers of $GENERATE and how they are written into names and RDATA. */

export interface NumberRange {
  readonly start: number;
  /** itself in the range where the steps meet it */
  readonly stop: number;
  readonly step: number;
}

const MAX_NUMBER = 0x7fffffff;

/** Parses `1-254` or `0-100/4`; a sentence where it is neither. */
export function parseRange(text: string): NumberRange | string {
  const [, start, stop, step = "1"] = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text) ?? [];
  const range = { start: Number(start), stop: Number(stop), step: Number(step) };
  const isRange =
    range.start <= range.stop && range.stop <= MAX_NUMBER && range.step > 0 && range.step <= MAX_NUMBER;
  return isRange ? range : `"${text}" is not a range like 1-254 or 0-100/4`;
}

/**
 * Writes a number for each `$` and `${offset[,width[,base]]}`; `$$` and `\$` stand for a dollar sign. Undefined where a
 * brace holds something else.
 */
export function fillTemplate(template: string, number: number): string | undefined {
  let text = "";
  for (let at = 0; at < template.length; ) {
    const [part = ""] = /^(?:\\.?|\$\$|\$\{[^}]*\}?|.)/su.exec(template.slice(at)) ?? [];
    at += part.length;
    if (part === "$$") text += "\\$";
    else if (!part.startsWith("$")) text += part;
    else {
      const written = part === "$" ? String(number) : writeNumber(part, number);
      if (written === undefined) return undefined;
      text += written;
    }
  }
  return text;
}

function writeNumber(braced: string, number: number): string | undefined {
  const [, offset, width = "0", base = "d"] =
    /^\$\{([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?\}$/.exec(braced) ?? [];
  if (offset === undefined) return undefined;
  return inBase(number + Number(offset), Number(width), base);
}

function inBase(value: number, width: number, base: string): string {
  switch (base) {
    case "d":
      return value < 0 ? `-${String(-value).padStart(width - 1, "0")}` : String(value).padStart(width, "0");
    case "o":
      return (value >>> 0).toString(8).padStart(width, "0");
    case "x":
    case "n":
      return base === "x" ? hex(value).padStart(width, "0") : nibbles(hex(value), width);
    default:
      return inBase(value, width, base.toLowerCase()).toUpperCase();
  }
}

const hex = (value: number): string => (value >>> 0).toString(16);

/** Hex digits as labels from the last to the first, as under ip6.arpa (RFC 3596 §2.5); the width counts dots too. */
function nibbles(digits: string, width: number): string {
  const count = Math.max(digits.length, Math.ceil(width / 2));
  const labels = [...digits.padStart(count, "0")].reverse().join(".");
  return labels.length < width ? `${labels}.` : labels;
}
