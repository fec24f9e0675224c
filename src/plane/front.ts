/** What a worker thread does with a message: answers it from shared memory and notes that, or hands it over. */

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { timeBy } from "../clock.ts";
import { collectYoung } from "../garbage.ts";
import { AddressLookup } from "../geo/family-tables.ts";
import { ThreadCounts } from "../query-counts.ts";
import { FIELD, FLAG, NO_FAMILY, QueryRecords } from "../query-records.ts";
import {
  FastPath as Fast,
  type FastPath,
  type FastSource,
  NO_SUBNET,
  type Output,
  UNKNOWN,
} from "./fast-path.ts";
import type { Published } from "./published.ts";
import { CONTROL, type ThreadData } from "./thread-data.ts";

/** An answer that was given, until it is counted and entered in the journal with those that came together with it. */
interface Given {
  body: number;
  qtype: number;
  nameStart: number;
  nameEnd: number;
  via: number;
  addressFamily: number;
  readonly address: Uint8Array;
  sourceFamily: number;
  readonly source: Uint8Array;
  subnetFamily: number;
  subnetLength: number;
  subnetAt: number;
  scope: number;
  isTcp: boolean;
}

/** Of one thread. `capacity` is how many answers it may give before `note` is called. */
export class Front {
  readonly #thread: number;
  readonly #publications: MessagePort;
  readonly #control: Int32Array;
  readonly #counts: ThreadCounts;
  readonly #records: QueryRecords | undefined;
  #lookup = new AddressLookup();
  readonly #given: readonly Given[];
  #givenCount = 0;
  /** of the server's clock, when the messages at hand came */
  #nowMilliseconds = 0;
  #nowSeconds = 0;
  #fast: FastPath;

  constructor(data: ThreadData, capacity: number) {
    this.#thread = data.thread;
    this.#publications = data.publications;
    this.#control = new Int32Array(data.control);
    this.#counts = new ThreadCounts(data.counts);
    this.#records = data.records === undefined ? undefined : new QueryRecords(data.records);
    this.#fast = new Fast(data.published);
    this.#given = Array.from({ length: capacity }, () => ({
      body: 0,
      qtype: 0,
      nameStart: 0,
      nameEnd: 0,
      via: 0,
      addressFamily: 4,
      address: new Uint8Array(16),
      sourceFamily: 4,
      source: new Uint8Array(16),
      subnetFamily: NO_SUBNET,
      subnetLength: 0,
      subnetAt: 0,
      scope: 0,
      isTcp: false,
    }));
    this.#acknowledge(data.published);
  }

  /**
   * Takes the newest publication, if there is a newer one, and the time. To be called when messages have come and before they
   * are answered: the main thread posts it, then moves the word, then tells whoever made the change.
   */
  refresh(): void {
    if (Atomics.load(this.#control, CONTROL.sequence) !== this.#fast.published.sequence) this.#take();
    this.#nowMilliseconds = timeBy(this.#fast.published.time, Date.now());
    this.#nowSeconds = Math.floor(this.#nowMilliseconds / 1000);
  }

  /** Whether each message is to be handed over. */
  get isWatched(): boolean {
    // Not an atomic load, which V8 makes a call of: the next batch will see it, whatever this one does.
    return this.#control[CONTROL.isWatched] !== 0;
  }

  get published(): Published {
    return this.#fast.published;
  }

  /** Answers a message as `FastPath.answer` does. */
  answer(
    message: Uint8Array,
    start: number,
    end: number,
    source: FastSource,
    output: Output,
    outAt: number,
  ): number {
    const fast = this.#fast;
    const length = fast.answer(message, start, end, source, this.#nowSeconds, output, outAt);
    if (length === UNKNOWN) return UNKNOWN;
    const given = this.#given[this.#givenCount];
    if (given === undefined) throw new Error("more answers are given than can be noted");
    this.#givenCount++;
    given.body = fast.body;
    given.qtype = fast.qtype;
    given.nameStart = start + 12;
    given.nameEnd = fast.nameEnd;
    given.via = fast.via;
    given.addressFamily = fast.addressFamily;
    copy(fast.address, 0, given.address, 0, fast.addressFamily === 4 ? 4 : 16);
    given.sourceFamily = source.family;
    copy(source.octets, source.at, given.source, 0, source.family === 4 ? 4 : 16);
    given.subnetFamily = fast.subnetFamily;
    given.subnetLength = fast.subnetLength;
    given.subnetAt = fast.subnetAt;
    given.scope = fast.scope;
    given.isTcp = source.isTcp;
    return length;
  }

  /**
   * Counts the answers given since the last call, each of which took so many seconds, and enters them in the journal; the
   * messages must still be there.
   */
  note(message: Uint8Array, seconds: number): void {
    const count = this.#givenCount;
    if (count === 0) return;
    this.#givenCount = 0;
    const { locations, snapshot } = this.#fast.published;
    const { answers } = this.#fast;
    const counts = this.#counts;
    const lookup = this.#lookup;
    const records = this.#records;
    const first = records?.reserve(count) ?? 0;
    for (let i = 0; i < count; i++) {
      const given = this.#given[i];
      if (given === undefined) return;
      const { body } = given;
      lookup.find(locations, given.addressFamily === 4 ? 4 : 6, given.address, 0);
      counts.countRow(given.isTcp, answers.rowOf(body));
      counts.countLocated(given.via, locations.kinds[lookup.value] ?? 0);
      counts.countChoice(answers.choiceOf(body));
      if (records === undefined) continue;
      const number = first + i;
      const at = records.startOf(number);
      const { octets, uint16s, uint32s } = records;
      if (!records.open(at, number)) continue;
      records.float64s[(at + FIELD.time) >> 3] = this.#nowMilliseconds;
      uint32s[(at + FIELD.snapshot) >> 2] = snapshot;
      uint32s[(at + FIELD.location) >> 2] = locations.ids[lookup.value] ?? 0;
      uint32s[(at + FIELD.datacenter) >> 2] = answers.datacenterOf(body);
      uint32s[(at + FIELD.reason) >> 2] = answers.reasonOf(body);
      uint16s[(at + FIELD.qtype) >> 1] = given.qtype;
      uint16s[(at + FIELD.qclass) >> 1] = 1;
      uint16s[(at + FIELD.rcode) >> 1] = answers.rcodeOf(body);
      octets[at + FIELD.flags] = FLAG.hasQuestion | (given.isTcp ? FLAG.tcp : 0);
      octets[at + FIELD.sourceFamily] = given.sourceFamily;
      copy(given.source, 0, octets, at + FIELD.source, given.sourceFamily === 4 ? 4 : 16);
      this.#noteCounted(octets, at, given);
      octets[at + FIELD.scope] = given.scope;
      const hasSubnet = given.subnetFamily !== NO_SUBNET;
      octets[at + FIELD.subnetFamily] = hasSubnet ? given.subnetFamily : NO_FAMILY;
      if (hasSubnet) {
        octets[at + FIELD.subnetLength] = given.subnetLength;
        const present = (given.subnetLength + 7) >> 3;
        copy(message, given.subnetAt, octets, at + FIELD.subnet, present);
        for (let j = present; j < 16; j++) octets[at + FIELD.subnet + j] = 0;
      }
      const nameLength = given.nameEnd - given.nameStart;
      octets[at + FIELD.qnameLength] = nameLength;
      copy(message, given.nameStart, octets, at + FIELD.qname, nameLength);
      records.close(at, number);
    }
    counts.countDurations(this.#given[0]?.isTcp ?? false, count, seconds);
  }

  /** The address that counted; of one mapped into IPv6 (RFC 4291 §2.5.5.2) the IPv4 address. */
  #noteCounted(octets: Uint8Array, at: number, { address, addressFamily }: Given): void {
    let isMapped = addressFamily !== 4 && address[10] === 0xff && address[11] === 0xff;
    for (let i = 0; isMapped && i < 10; i++) isMapped = address[i] === 0;
    octets[at + FIELD.countedFamily] = isMapped ? 4 : addressFamily;
    if (isMapped) copy(address, 12, octets, at + FIELD.counted, 4);
    else copy(address, 0, octets, at + FIELD.counted, addressFamily === 4 ? 4 : 16);
  }

  #take(): void {
    for (;;) {
      const received: { message: Published } | undefined = receiveMessageOnPort(this.#publications);
      if (received === undefined) break;
      this.#fast = new Fast(received.message);
      this.#acknowledge(received.message);
    }
    // The tables of the publication before are let go of; without this they would pile up.
    this.#lookup = new AddressLookup();
    collectYoung();
  }

  #acknowledge({ sequence }: Published): void {
    Atomics.store(this.#control, CONTROL.inForce + this.#thread, sequence);
  }
}

/** Of so few octets TypedArray.set takes longer. */
function copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i] ?? 0;
}
