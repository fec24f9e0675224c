/**
 * Domain names in their two forms. Octets are the uncompressed wire format with the spelling kept; `DomainName` is
 * what names are compared and looked up by: presentation format, fully qualified, ASCII letters in lower case
 * (RFC 4343), with one spelling for each name.
 */

declare const brand: unique symbol;
export type DomainName = string & { readonly [brand]: "DomainName" };

/** RFC 1035 §2.3.4 */
export const MAX_NAME_OCTETS = 255;
const MAX_LABEL_OCTETS = 63;

export const ROOT_OCTETS: Uint8Array = Uint8Array.of(0);

/**
 * Parses presentation format (RFC 1035 §5.1: `\.` and `\032` escapes). A name without a final dot is relative to
 * `origin`, or to the root where none is given. Returns a sentence saying what is wrong where it is no name.
 */
export function parseName(text: string, origin: Uint8Array = ROOT_OCTETS): Uint8Array | string {
  if (text === ".") return ROOT_OCTETS;
  if (text === "@") return origin;
  const octets: number[] = [];
  let label: number[] = [];
  let absolute = false;
  for (let i = 0; i < text.length; ) {
    const escaped = text[i] === "\\" ? readEscape(text, i) : undefined;
    if (text[i] === "\\" && escaped === undefined)
      return `"${text}" has an escape that is not \\X or \\DDD below 256`;
    if (escaped !== undefined) {
      label.push(escaped.octet);
      i = escaped.end;
      continue;
    }
    const code = text.charCodeAt(i);
    if (code > 0x7e || code < 0x21) return `"${text}" has a character that a name must write as \\DDD`;
    i++;
    if (code !== 0x2e) {
      label.push(code);
      continue;
    }
    if (label.length === 0) return `"${text}" has an empty label`;
    if (label.length > MAX_LABEL_OCTETS) return `"${text}" has a label over 63 octets`;
    octets.push(label.length, ...label);
    label = [];
    absolute = i === text.length;
  }
  if (text === "") return "an empty text is no name";
  if (label.length > MAX_LABEL_OCTETS) return `"${text}" has a label over 63 octets`;
  if (label.length > 0) octets.push(label.length, ...label);
  const name = Uint8Array.from(absolute ? [...octets, 0] : [...octets, ...origin]);
  return name.length > MAX_NAME_OCTETS ? `"${text}" is a name over 255 octets` : name;
}

/** Reads the escape at `text[at]`, a backslash (RFC 1035 §5.1); undefined where it is none. */
export function readEscape(
  text: string,
  at: number,
): { readonly octet: number; readonly end: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (digits !== undefined) return Number(digits) < 256 ? { octet: Number(digits), end: at + 4 } : undefined;
  const code = text.charCodeAt(at + 1);
  return code >= 0x20 && code <= 0x7e && !/\d/.test(text[at + 1] ?? "")
    ? { octet: code, end: at + 2 }
    : undefined;
}

/** Prints octets in presentation format, fully qualified, the spelling kept. */
export function formatName(octets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < octets.length; ) {
    const length = octets[at++] ?? 0;
    if (length === 0) break;
    for (const octet of octets.subarray(at, at + length)) text += labelCharacters[octet];
    text += ".";
    at += length;
  }
  return text === "" ? "." : text;
}

/** Each octet of a label in presentation format. */
const labelCharacters: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet < 0x21 || octet > 0x7e) return `\\${String(octet).padStart(3, "0")}`;
  const character = String.fromCharCode(octet);
  return '."();@$\\'.includes(character) ? `\\${character}` : character;
});

/** The name that octets in any spelling stand for. */
export function domainName(octets: Uint8Array): DomainName {
  return asDomainName(formatName(foldCase(octets)));
}

/** Parses presentation format straight to a `DomainName`; throws where it is no name (for names known to be good). */
export function nameOf(text: string): DomainName {
  const octets = parseName(text);
  if (typeof octets === "string") throw new Error(octets);
  return domainName(octets);
}

/** The octets of a name, in lower case. */
export function nameOctets(name: DomainName): Uint8Array {
  const octets = parseName(name);
  if (typeof octets === "string") throw new Error(octets);
  return octets;
}

/** A copy with the ASCII letters A to Z in lower case. Length octets are below 64 and so stay as they are. */
export function foldCase(octets: Uint8Array): Uint8Array {
  const folded = Uint8Array.from(octets);
  // A plain loop: this runs several times a query.
  for (let i = 0; i < folded.length; i++) {
    const octet = folded[i] ?? 0;
    if (octet >= 0x41 && octet <= 0x5a) folded[i] = octet + 0x20;
  }
  return folded;
}

/** The name without its first label; the root's parent is undefined. */
export function parentOf(name: DomainName): DomainName | undefined {
  if (name === ".") return undefined;
  const end = firstLabelEnd(name);
  return end === name.length - 1 ? asDomainName(".") : asDomainName(name.slice(end + 1));
}

/** The name itself and every name above it, the root last. */
export function* selfAndAncestors(name: DomainName): Generator<DomainName> {
  for (let at: DomainName | undefined = name; at !== undefined; at = parentOf(at)) yield at;
}

export function isAtOrBelow(name: DomainName, ancestor: DomainName): boolean {
  if (ancestor === "." || name === ancestor) return true;
  if (!name.endsWith(`.${ancestor}`)) return false;
  // The dot before the ancestor parts labels only if it is not itself escaped.
  let backslashes = 0;
  for (let i = name.length - ancestor.length - 2; name[i] === "\\"; i--) backslashes++;
  return backslashes % 2 === 0;
}

/**
 * The name with the `ancestor` at its end put in place by `target` (RFC 6672 §2.2), the labels in front kept as spelled;
 * undefined where that would pass 255 octets.
 */
export function replaceSuffix(
  name: Uint8Array,
  ancestor: Uint8Array,
  target: Uint8Array,
): Uint8Array | undefined {
  const front = name.subarray(0, name.length - ancestor.length);
  const length = front.length + target.length;
  return length > MAX_NAME_OCTETS ? undefined : Uint8Array.from([...front, ...target]);
}

/** The wildcard name right below a name (RFC 4592 §2.1.1). */
export function wildcardBelow(name: DomainName): DomainName {
  return asDomainName(name === "." ? "*." : `*.${name}`);
}

function firstLabelEnd(name: string): number {
  for (let i = 0; i < name.length; i++) {
    if (name[i] === "\\") i++;
    else if (name[i] === ".") return i;
  }
  return name.length;
}

function asDomainName(canonical: string): DomainName {
  return canonical as DomainName;
}
