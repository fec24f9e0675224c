/**
 * Domain names in their two forms. Octets are the uncompressed wire format with the spelling kept; `DomainName` is
 * what names are compared and looked up by: presentation format, fully qualified, ASCII letters in lower case
 * (RFC 4343), with one spelling for each name.
 */

declare const brand: unique symbol;
export type DomainName = string & { readonly [brand]: "DomainName" };

/** RFC 1035 §2.3.4 */
export const MAX_NAME_OCTETS = 255;
export const MAX_LABEL_OCTETS = 63;

export const ROOT_OCTETS: Uint8Array = Uint8Array.of(0);

/** A name as it is parsed; nothing that uses it waits, so one is enough. */
const scratch = new Uint8Array(MAX_NAME_OCTETS + 1);

/**
 * Parses presentation format (RFC 1035 §5.1: `\.` and `\032` escapes). A name without a final dot is relative to
 * `origin`, or to the root where none is given. Returns a sentence saying what is wrong where it is no name.
 */
export function parseName(text: string, origin: Uint8Array = ROOT_OCTETS): Uint8Array | string {
  if (text === ".") return ROOT_OCTETS;
  if (text === "@") return origin;
  if (text === "") return "an empty text is no name";
  let lengthAt = 0;
  let at = 1;
  for (let i = 0; i < text.length; ) {
    let code = text.charCodeAt(i++);
    if (code === 0x2e) {
      const length = at - lengthAt - 1;
      if (length === 0) return `"${text}" has an empty label`;
      if (length > MAX_LABEL_OCTETS) return `"${text}" has a label over 63 octets`;
      scratch[lengthAt] = length;
      lengthAt = at++;
      continue;
    }
    if (code === 0x5c) {
      const escaped = readEscape(text, i - 1);
      if (escaped === undefined) return `"${text}" has an escape that is not \\X or \\DDD below 256`;
      code = escaped.octet;
      i = escaped.end;
    } else if (code > 0x7e || code < 0x21) {
      return `"${text}" has a character that a name must write as \\DDD`;
    }
    // What falls off the end belongs to a name that is refused below.
    if (at <= MAX_NAME_OCTETS) scratch[at] = code;
    at++;
  }
  const length = at - lengthAt - 1;
  if (length > MAX_LABEL_OCTETS) return `"${text}" has a label over 63 octets`;
  scratch[lengthAt] = length;
  // An empty last label is the root's: the name is fully qualified.
  const tooLong = at + (length === 0 ? 0 : origin.length) > MAX_NAME_OCTETS;
  if (tooLong) return `"${text}" is a name over 255 octets`;
  if (length === 0) return scratch.slice(0, at);
  const name = new Uint8Array(at + origin.length);
  name.set(scratch.subarray(0, at));
  name.set(origin, at);
  return name;
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
  return printName(octets, plainOctets);
}

/** The name that octets in any spelling stand for. */
export function domainName(octets: Uint8Array): DomainName {
  return asDomainName(printName(octets, foldedOctets));
}

/** A name as it is printed, each octet taking four characters at the most. */
const text = Buffer.alloc(4 * MAX_NAME_OCTETS);

/** `spelling` gives the octet to print for each one of a label, 0 where it is printed as an escape. */
function printName(octets: Uint8Array, spelling: Uint8Array): string {
  let end = 0;
  for (let at = 0; at < octets.length; ) {
    const length = octets[at++] ?? 0;
    if (length === 0) break;
    for (const labelEnd = Math.min(at + length, octets.length); at < labelEnd; at++) {
      const octet = octets[at] ?? 0;
      const plain = spelling[octet] ?? 0;
      if (plain !== 0) text[end++] = plain;
      else end += text.write(labelEscapes[octet] ?? "", end, "latin1");
    }
    text[end++] = 0x2e;
  }
  return end === 0 ? "." : text.toString("latin1", 0, end);
}

const isPlain = (octet: number): boolean =>
  octet >= 0x21 && octet <= 0x7e && !'."();@$\\'.includes(String.fromCharCode(octet));

/** What each octet of a label prints as if it is no plain character. */
const labelEscapes: readonly string[] = Array.from({ length: 256 }, (_, octet) =>
  octet < 0x21 || octet > 0x7e ? `\\${String(octet).padStart(3, "0")}` : `\\${String.fromCharCode(octet)}`,
);

const plainOctets = Uint8Array.from({ length: 256 }, (_, octet) => (isPlain(octet) ? octet : 0));
const foldedOctets = plainOctets.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet));

/** The name that the output of `formatName` stands for. */
export const foldName = (formatted: string): DomainName => asDomainName(formatted.toLowerCase());

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

/** Sorts as names do in canonical order: label by label from the last, without case (RFC 4034 §6.1). */
export function canonicalKey(octets: Uint8Array): string {
  const folded = Buffer.from(foldCase(octets));
  const labels: string[] = [];
  for (let at = 0; (folded[at] ?? 0) > 0; at += 1 + (folded[at] ?? 0)) {
    labels.push(folded.toString("latin1", at + 1, at + 1 + (folded[at] ?? 0)));
  }
  return labels.reverse().join("\0");
}

/** A copy with the ASCII letters A to Z in lower case. Length octets are below 64 and so stay as they are. */
export function foldCase(octets: Uint8Array): Uint8Array {
  const folded = new Uint8Array(octets);
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
