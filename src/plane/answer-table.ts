/**
 * Rendered answers in shared memory: the main thread adds to them, worker threads find them. What stands there is never
 * changed, so a reader needs no lock: it sees an answer whole or not at all. Places are written last, by atomic stores, and
 * what is read at a place is read by way of it, so that no processor reads it before; so readers do without the atomic loads,
 * which V8 makes calls of.
 */

import { randomInt } from "node:crypto";
import type { Edit } from "./stencil.ts";

/** All of a table; may be handed to another thread. */
export type AnswerTableMemory = SharedArrayBuffer;

/** The place of an entry or of a body: an index of 32-bit words. */
export type WordIndex = number;
export const NONE: WordIndex = 0;

/** Names that are made up, as below a wildcard, must not fill the memory. Pages are taken only as they are written. */
const MEMORY_OCTETS = 32 << 20;
/** A power of two; half of them at the most are used, so that a search is short. */
const SLOTS = 1 << 16;
const MAX_ENTRIES = SLOTS / 2;

/** Words at the start: how far the memory is used, how many entries there are, and what hashes begin with. */
const USED = 0;
const ENTRIES = 1;
const SEED = 2;
const INDEX = 16;
const HEAP = INDEX + SLOTS;

/** Of an entry, whose words are followed by the places of its bodies, one a class, and by the octets of its name. */
const ENTRY = { hash: 0, key: 1, deciders: 2, classes: 4, bodies: 5, words: 6 } as const;

/** Of a body, whose words are followed by its octets, those of its extended errors, and its edits, two words each. */
const BODY = {
  octets: 0,
  extended: 1,
  number: 2,
  rcode: 3,
  datacenter: 4,
  reason: 5,
  choice: 6,
  row: 7,
  edits: 8,
  sample: 9,
  textOctets: 10,
  recordsAt: 11,
  words: 12,
} as const;

/** No location decides. */
export const NO_DECIDER = -1;
/** A body for one tenant alone names it; this one is for all of a key. */
export const FOR_ALL = -1;

/** The second word of an edit: what is done in the low 8 bits, and how many times in the others. */
export const EDIT = { text: 0, octet: 1, uint16: 2 } as const;

/** Entries of tenants' names have no name but a template and a shape; the type of a name never has this bit. */
const TENANT_KEY = 1 << 31;

/** A rendered answer, and what is counted and noted of whoever gets it. */
export interface NewBody {
  /** the whole response but for the OPT */
  readonly octets: Uint8Array;
  /** the extended errors that go into an OPT, as options */
  readonly extendedErrors: Uint8Array;
  /** whatever the main thread wants to know it by */
  readonly number: number;
  readonly rcode: number;
  /** ids in the tables of the journal; 0 is none */
  readonly datacenterId: number;
  readonly reasonId: number;
  /** what `QueryCounts` knows the choice by; -1 where nothing was chosen */
  readonly choice: number;
  /** which count of types and RCODEs it adds to, whatever the transport */
  readonly row: number;
  /** where the answer to a tenant names it */
  readonly stencil?: NewStencil;
}

export interface NewStencil {
  /** the number of the text that alone gets it as it is; FOR_ALL where others get it by edits */
  readonly sample: number;
  readonly edits: readonly Edit[];
  /** octets of the text that it was rendered for */
  readonly textOctets: number;
  /** where its records begin */
  readonly recordsAt: number;
}

/** Which answers depend on what: two sets of candidates at the most, by their numbers. */
export interface Deciders {
  readonly first: number;
  readonly second: number;
  /** how many classes the second one has; 1 where there is none */
  readonly secondClasses: number;
  /** those of both, multiplied */
  readonly classes: number;
}

export const noDeciders: Deciders = { first: NO_DECIDER, second: NO_DECIDER, secondClasses: 1, classes: 1 };

/** What tenants have in common whose answers are alike: the template of their name, where they are served, and their slot. */
export interface TenantKey {
  readonly template: number;
  readonly qtype: number;
  readonly place: number;
  readonly slot: number;
}

export class AnswerTable {
  readonly memory: AnswerTableMemory;
  /** 32-bit words; where bodies are read from */
  readonly words: Int32Array;
  readonly octets: Uint8Array;
  readonly #seed: number;

  constructor(memory: AnswerTableMemory) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    this.octets = new Uint8Array(memory);
    this.#seed = this.words[SEED] ?? 0;
  }

  /** An empty table; in the memory of an old one that nobody reads any more, if there is one. */
  static create(memory: AnswerTableMemory = new SharedArrayBuffer(MEMORY_OCTETS)): AnswerTable {
    const words = new Int32Array(memory);
    words.fill(0, INDEX, HEAP);
    words[USED] = HEAP;
    words[ENTRIES] = 0;
    // Names below a wildcard are the askers' choice, and must not be chosen to have one hash.
    words[SEED] = randomInt(2 ** 32) | 0;
    return new AnswerTable(memory);
  }

  /** How full it is, in octets. */
  get usedOctets(): number {
    return (this.words[USED] ?? 0) * 4;
  }

  /** What the hash of a name begins with; each octet, in lower case, is then put to it by `hashOctet`. */
  get seed(): number {
    return this.#seed;
  }

  /** The entry of a name and type; the name stands in a message, in any case. */
  findName(
    message: Uint8Array,
    nameStart: number,
    nameEnd: number,
    qtype: number,
    nameHash: number,
  ): WordIndex {
    const { words } = this;
    const hash = finishHash(nameHash, qtype);
    const key = qtype | ((nameEnd - nameStart) << 16);
    for (let slot = hash & (SLOTS - 1); ; slot = (slot + 1) & (SLOTS - 1)) {
      const entry = words[INDEX + slot] ?? NONE;
      if (entry === NONE) return NONE;
      if (words[entry] !== hash || words[entry + ENTRY.key] !== key) continue;
      if (this.#isNamed(entry, message, nameStart, nameEnd)) return entry;
    }
  }

  /** The body of an entry for a class; NONE where it is not known. */
  bodyOf(entry: WordIndex, classNumber: number): WordIndex {
    const { words } = this;
    // A class that the entry was not made for can only come of another snapshot.
    if (classNumber >= (words[entry + ENTRY.bodies] ?? 0)) return NONE;
    return words[entry + ENTRY.words + classNumber] ?? NONE;
  }

  firstDecider(entry: WordIndex): number {
    return this.words[entry + ENTRY.deciders] ?? NO_DECIDER;
  }

  secondDecider(entry: WordIndex): number {
    return this.words[entry + ENTRY.deciders + 1] ?? NO_DECIDER;
  }

  /** By which the class of the first decider is multiplied. */
  secondClasses(entry: WordIndex): number {
    return this.words[entry + ENTRY.classes] ?? 1;
  }

  /** The body for tenants of a key; NONE where it is not known. */
  findTenant(template: number, qtype: number, place: number, slot: number): WordIndex {
    const entry = this.#findTenantEntry(template | TENANT_KEY, qtype, place | (slot << 16));
    return entry === NONE ? NONE : (this.words[entry + ENTRY.words] ?? NONE);
  }

  #findTenantEntry(a: number, b: number, c: number): WordIndex {
    const { words } = this;
    const hash = tenantHash(this.#seed, a, b, c);
    for (let at = hash & (SLOTS - 1); ; at = (at + 1) & (SLOTS - 1)) {
      const entry = words[INDEX + at] ?? NONE;
      if (entry === NONE) return NONE;
      const isFound =
        words[entry] === hash &&
        words[entry + ENTRY.key] === a &&
        words[entry + ENTRY.deciders] === b &&
        words[entry + ENTRY.deciders + 1] === c;
      if (isFound) return entry;
    }
  }

  /** Adds the body of a name, type and class; false where there is no room. The name is in wire format. */
  addName(name: Uint8Array, qtype: number, deciders: Deciders, classNumber: number, body: NewBody): boolean {
    const nameHash = this.#hashOf(name);
    let entry = this.findName(name, 0, name.length, qtype, nameHash);
    if (entry === NONE) {
      const { classes } = deciders;
      entry = this.#addEntry(finishHash(nameHash, qtype), classes + wordsFor(name.length), (at) => {
        this.words[at + ENTRY.key] = qtype | (name.length << 16);
        this.words[at + ENTRY.deciders] = deciders.first;
        this.words[at + ENTRY.deciders + 1] = deciders.second;
        this.words[at + ENTRY.classes] = deciders.secondClasses;
        this.words[at + ENTRY.bodies] = classes;
        const nameAt = (at + ENTRY.words + classes) * 4;
        for (const [i, octet] of name.entries()) this.octets[nameAt + i] = foldedOctets[octet] ?? 0;
      });
      if (entry === NONE) return false;
    }
    // An answer that goes by other sets of candidates than the first one did is left to the main thread.
    if (!this.#isDecidedBy(entry, deciders)) return true;
    return this.#setBody(entry, classNumber, body);
  }

  /** Whether there is a body of a name, type and class. The name is in wire format. */
  hasName(name: Uint8Array, qtype: number, classNumber: number): boolean {
    const entry = this.findName(name, 0, name.length, qtype, this.#hashOf(name));
    return entry !== NONE && this.bodyOf(entry, classNumber) !== NONE;
  }

  /** Adds the body for tenants of a key, or puts it in the place of the one for a single tenant; false where there is no room. */
  addTenant({ template, qtype, place, slot }: TenantKey, body: NewBody): boolean {
    const [a, b, c] = [template | TENANT_KEY, qtype, place | (slot << 16)];
    let entry = this.#findTenantEntry(a, b, c);
    if (entry === NONE) {
      entry = this.#addEntry(tenantHash(this.#seed, a, b, c), 1, (at) => {
        this.words[at + ENTRY.key] = a;
        this.words[at + ENTRY.deciders] = b;
        this.words[at + ENTRY.deciders + 1] = c;
        this.words[at + ENTRY.classes] = 1;
        this.words[at + ENTRY.bodies] = 1;
      });
      if (entry === NONE) return false;
    }
    return this.#setBody(entry, 0, body);
  }

  /** Octets of a body. */
  lengthOf(body: WordIndex): number {
    return this.words[body + BODY.octets] ?? 0;
  }

  /** The word at which its octets begin. */
  octetsAt(body: WordIndex): WordIndex {
    return body + BODY.words;
  }

  /** Octets of its extended errors. */
  extendedLengthOf(body: WordIndex): number {
    return this.words[body + BODY.extended] ?? 0;
  }

  /** The word at which its extended errors begin. */
  extendedAt(body: WordIndex): WordIndex {
    return body + BODY.words + wordsFor(this.words[body + BODY.octets] ?? 0);
  }

  editCount(body: WordIndex): number {
    return this.words[body + BODY.edits] ?? 0;
  }

  /** The word at which its edits begin: for each the place, and behind it what is done there. */
  editsAt(body: WordIndex): WordIndex {
    return this.extendedAt(body) + wordsFor(this.words[body + BODY.extended] ?? 0);
  }

  sampleOf(body: WordIndex): number {
    return this.words[body + BODY.sample] ?? FOR_ALL;
  }

  textOctetsOf(body: WordIndex): number {
    return this.words[body + BODY.textOctets] ?? 0;
  }

  recordsAt(body: WordIndex): number {
    return this.words[body + BODY.recordsAt] ?? 0;
  }

  numberOf(body: WordIndex): number {
    return this.words[body + BODY.number] ?? 0;
  }

  rcodeOf(body: WordIndex): number {
    return this.words[body + BODY.rcode] ?? 0;
  }

  datacenterOf(body: WordIndex): number {
    return this.words[body + BODY.datacenter] ?? 0;
  }

  reasonOf(body: WordIndex): number {
    return this.words[body + BODY.reason] ?? 0;
  }

  choiceOf(body: WordIndex): number {
    return this.words[body + BODY.choice] ?? -1;
  }

  rowOf(body: WordIndex): number {
    return this.words[body + BODY.row] ?? 0;
  }

  #hashOf(name: Uint8Array): number {
    let hash = this.#seed;
    for (const octet of name) hash = hashOctet(hash, foldedOctets[octet] ?? 0);
    return hash;
  }

  #isDecidedBy(entry: WordIndex, { first, second, secondClasses, classes }: Deciders): boolean {
    return (
      this.firstDecider(entry) === first &&
      this.secondDecider(entry) === second &&
      this.secondClasses(entry) === secondClasses &&
      this.words[entry + ENTRY.bodies] === classes
    );
  }

  #isNamed(entry: WordIndex, message: Uint8Array, nameStart: number, nameEnd: number): boolean {
    const { octets, words } = this;
    const at = (entry + ENTRY.words + (words[entry + ENTRY.bodies] ?? 0)) * 4 - nameStart;
    for (let i = nameStart; i < nameEnd; i++) {
      if (octets[at + i] !== foldedOctets[message[i] ?? 0]) return false;
    }
    return true;
  }

  #addEntry(hash: number, extraWords: number, write: (entry: WordIndex) => void): WordIndex {
    const { words } = this;
    if ((words[ENTRIES] ?? 0) >= MAX_ENTRIES) return NONE;
    const entry = this.#take(ENTRY.words + extraWords);
    if (entry === NONE) return NONE;
    words.fill(0, entry, entry + ENTRY.words + extraWords);
    words[entry] = hash;
    write(entry);
    words[ENTRIES] = (words[ENTRIES] ?? 0) + 1;
    let slot = hash & (SLOTS - 1);
    while (words[INDEX + slot] !== NONE) slot = (slot + 1) & (SLOTS - 1);
    // Only now does a reader see it.
    Atomics.store(words, INDEX + slot, entry);
    return entry;
  }

  #setBody(entry: WordIndex, classNumber: number, made: NewBody): boolean {
    const { words, octets } = this;
    const { sample, edits, textOctets, recordsAt } = made.stencil ?? noStencil;
    const octetWords = wordsFor(made.octets.length);
    const extendedWords = wordsFor(made.extendedErrors.length);
    const body = this.#take(BODY.words + octetWords + extendedWords + 2 * edits.length);
    if (body === NONE) return false;
    words[body + BODY.octets] = made.octets.length;
    words[body + BODY.extended] = made.extendedErrors.length;
    words[body + BODY.number] = made.number;
    words[body + BODY.rcode] = made.rcode;
    words[body + BODY.datacenter] = made.datacenterId;
    words[body + BODY.reason] = made.reasonId;
    words[body + BODY.choice] = made.choice;
    words[body + BODY.row] = made.row;
    words[body + BODY.edits] = edits.length;
    words[body + BODY.sample] = sample;
    words[body + BODY.textOctets] = textOctets;
    words[body + BODY.recordsAt] = recordsAt;
    octets.set(made.octets, (body + BODY.words) * 4);
    octets.set(made.extendedErrors, (body + BODY.words + octetWords) * 4);
    const editsAt = body + BODY.words + octetWords + extendedWords;
    for (const [i, { at, kind, times }] of edits.entries()) {
      words[editsAt + 2 * i] = at;
      words[editsAt + 2 * i + 1] = EDIT[kind] | (times << 8);
    }
    Atomics.store(words, entry + ENTRY.words + classNumber, body);
    return true;
  }

  #take(count: number): WordIndex {
    const at = this.words[USED] ?? HEAP;
    if (at + count > this.words.length) return NONE;
    this.words[USED] = at + count;
    return at;
  }
}

const noStencil: NewStencil = { sample: FOR_ALL, edits: [], textOctets: 0, recordsAt: 0 };

/** Octets in lower case, as names are compared (RFC 4343 §3). Lengths of labels are below 64 and stay as they are. */
export const foldedOctets: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);

/** One step of FNV-1a. */
export const hashOctet = (hash: number, folded: number): number => Math.imul(hash ^ folded, 0x01000193);

const wordsFor = (octets: number): number => (octets + 3) >> 2;

/** The low bits of FNV-1a depend on few octets, so the high ones are mixed in. */
function finishHash(nameHash: number, qtype: number): number {
  const hash = Math.imul(nameHash ^ qtype, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

function tenantHash(seed: number, a: number, b: number, c: number): number {
  const first = Math.imul(seed ^ a, 0x85ebca6b);
  const second = Math.imul((first ^ (first >>> 15)) + b, 0xc2b2ae35);
  const third = Math.imul((second ^ (second >>> 13)) + c, 0x85ebca6b);
  return third ^ (third >>> 16);
}
