/** JSON that knows where each of its values stands, so that what is wrong with one can be shown. */

/** A value with its offset in the text, and its members by key or index. */
export interface JsonNode {
  readonly value: unknown;
  readonly offset: number;
  readonly members: ReadonlyMap<string | number, JsonNode>;
}

export interface JsonFault {
  readonly kind: "fault";
  readonly offset: number;
  readonly message: string;
}

/** Reads a JSON text (RFC 8259), or finds its first fault. */
export function readJson(text: string): { readonly kind: "json"; readonly root: JsonNode } | JsonFault {
  try {
    return { kind: "json", root: new JsonReader(text).readAll() };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "fault", offset: error.offset, message: error.message };
    throw error;
  }
}

/** The value at a path, or the nearest that exists above it. */
export function nodeAt(root: JsonNode, path: readonly (string | number)[]): JsonNode {
  let node = root;
  for (const step of path) {
    const member = node.members.get(step);
    if (member === undefined) break;
    node = member;
  }
  return node;
}

/** Lists and maps in each other; what the web service gives has three. */
const MAX_DEPTH = 64;

const scalar =
  /"(?:[^"\\\n]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

class Unreadable extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    // RFC 8259 §8.1: a byte order mark may be ignored; tools on Windows write one.
    if (text.startsWith("\ufeff")) this.#at = 1;
  }

  readAll(): JsonNode {
    this.#skipBlanks();
    const root = this.#readValue(0);
    if (this.#at < this.#text.length) throw this.#expected("the end of the file");
    return root;
  }

  /** With the blanks behind it. */
  #readValue(depth: number): JsonNode {
    const offset = this.#at;
    if (depth > MAX_DEPTH) throw new Unreadable(offset, "lists or maps stand in each other too deep");
    if (this.#take("[")) return { ...this.#readList(depth + 1), offset };
    if (this.#take("{")) return { ...this.#readMap(depth + 1), offset };
    return { value: this.#readScalar("a value"), offset, members: new Map() };
  }

  #readList(depth: number): Pick<JsonNode, "value" | "members"> {
    const members = new Map<number, JsonNode>();
    if (!this.#take("]")) {
      do members.set(members.size, this.#readValue(depth));
      while (this.#take(","));
      if (!this.#take("]")) throw this.#expected(", or ]");
    }
    return { value: Array.from(members.values(), ({ value }) => value), members };
  }

  #readMap(depth: number): Pick<JsonNode, "value" | "members"> {
    const members = new Map<string, JsonNode>();
    if (!this.#take("}")) {
      do {
        const offset = this.#at;
        if (this.#text[offset] !== '"') throw this.#expected("a key in double quotes");
        const key = String(this.#readScalar("a key"));
        if (members.has(key)) throw new Unreadable(offset, `"${key}" is here twice`);
        if (!this.#take(":")) throw this.#expected(":");
        members.set(key, this.#readValue(depth));
      } while (this.#take(","));
      if (!this.#take("}")) throw this.#expected(", or }");
    }
    const value = Object.fromEntries(Array.from(members, ([key, member]) => [key, member.value]));
    return { value, members };
  }

  #readScalar(what: string): unknown {
    scalar.lastIndex = this.#at;
    const [token] = scalar.exec(this.#text) ?? [];
    if (token === undefined) throw this.#expected(what);
    // The only other thing that a text may not hold (RFC 8259 §7).
    if (/\p{Cc}/u.test(token) && isFaulty(token)) {
      throw new Unreadable(this.#at, "this text holds a control character, which JSON writes as \\uXXXX");
    }
    this.#at += token.length;
    this.#skipBlanks();
    return JSON.parse(token);
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    this.#skipBlanks();
    return true;
  }

  #skipBlanks(): void {
    while (this.#at < this.#text.length && " \t\r\n".includes(this.#text.charAt(this.#at))) this.#at++;
  }

  #expected(what: string): Unreadable {
    const found = /^(?:"[^"\n]{0,20}"?|[\w.+-]{1,20}|.)/su.exec(
      this.#text.slice(this.#at, this.#at + 24),
    )?.[0];
    return new Unreadable(
      this.#at,
      `this is not JSON: expected ${what}, found ${found === undefined ? "the end of the file" : found}`,
    );
  }
}

function isFaulty(token: string): boolean {
  try {
    JSON.parse(token);
    return false;
  } catch {
    return true;
  }
}
