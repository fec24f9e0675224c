/** The substitution expression of NAPTR (RFC 3402 §3.2): a delimiter, a POSIX extended regular expression, a replacement and flags. */

/**
 * Whether octets are a substitution expression. The regular expression is only checked for its form: brackets that close,
 * and something in front of each `*`, `+`, `?` and `{`.
 */
export function isSubstitution(octets: Uint8Array): boolean {
  const text = Buffer.from(octets).toString("latin1");
  const delimiter = text[0] ?? "";
  // RFC 3402 §3.2: no digit and no flag; a backslash escapes the delimiter.
  if (delimiter === "" || delimiter === "\0" || /[0-9i\\]/.test(delimiter)) return false;
  const parts = splitAt(text.slice(1), delimiter);
  const [expression = "", replacement = "", flags = ""] = parts;
  if (parts.length !== 3 || !/^i*$/.test(flags)) return false;
  const groups = countGroups(expression);
  if (groups === undefined) return false;
  return [...replacement.matchAll(/\\(.)/gs)].every(
    ([, escaped = ""]) => !/[0-9]/.test(escaped) || (escaped !== "0" && Number(escaped) <= groups),
  );
}

/** Cuts at delimiters that have no backslash in front. */
function splitAt(text: string, delimiter: string): readonly string[] {
  const parts: string[] = [""];
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? "";
    if (character === delimiter) {
      parts.push("");
      continue;
    }
    const escaped = character === "\\" ? (text[++i] ?? "") : "";
    parts[parts.length - 1] += escaped === delimiter ? delimiter : character + escaped;
  }
  return parts;
}

/** The number of groups in an extended regular expression (IEEE 1003.1 §9.4); undefined where it is none. */
function countGroups(expression: string): number | undefined {
  let groups = 0;
  let open = 0;
  /** whether something stands here that `*` may follow */
  let hasAtom = false;
  let branchIsEmpty = true;
  for (let i = 0; i < expression.length; i++) {
    const rest = expression.slice(i);
    const bracket = /^\[\^?\]?(?:\[[.:=][^\]]*[.:=]\]|[^\]])*\]/.exec(rest)?.[0];
    const bound = /^\{(\d+|(?=,\d))(?:,(\d*))?\}/.exec(rest);
    switch (expression[i]) {
      case "(":
        groups++;
        open++;
        hasAtom = false;
        branchIsEmpty = expression[i + 1] !== ")";
        continue;
      case "|":
        if (branchIsEmpty) return undefined;
        hasAtom = false;
        branchIsEmpty = true;
        continue;
      case ")":
        if (open > 0 && branchIsEmpty) return undefined;
        if (open > 0) open--;
        hasAtom = true;
        break;
      case "*":
      case "+":
      case "?":
        if (!hasAtom) return undefined;
        hasAtom = false;
        break;
      case "{": {
        const [whole = "", least = "", most = ""] = bound ?? [];
        if (!hasAtom || bound === null || Number(least) > 255 || Number(most) > 255) return undefined;
        if (most !== "" && Number(most) < Number(least)) return undefined;
        hasAtom = false;
        i += whole.length - 1;
        break;
      }
      case "[":
        if (bracket === undefined || !isBracketExpression(bracket)) return undefined;
        hasAtom = true;
        i += bracket.length - 1;
        break;
      case "\\":
        if (i + 1 >= expression.length) return undefined;
        hasAtom = true;
        i++;
        break;
      case "^":
      case "$":
        hasAtom = false;
        break;
      default:
        hasAtom = true;
    }
    branchIsEmpty = false;
  }
  return open > 0 || branchIsEmpty ? undefined : groups;
}

const CLASSES = /^\[:(?:alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit):\]$/;

/** Whether the ranges between brackets go upwards and share no end, and the classes are known. */
function isBracketExpression(bracket: string): boolean {
  const inner = bracket.slice(1, -1).replace(/^\^/, "");
  const classes = inner.match(/\[:.*?:\]/g) ?? [];
  if (!classes.every((text) => CLASSES.test(text))) return false;
  const ranges = inner.replaceAll(/\[[:.=].*?[:.=]\]/g, "");
  if (/.-.-./s.test(ranges)) return false;
  return [...ranges.matchAll(/(.)-(.)/gs)].every(([, from = "", to = ""]) => from <= to);
}
