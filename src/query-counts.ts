/**
 * Counts queries in arrays by small numbers, so that a query costs no text; labels are made when somebody reads them. Each
 * thread counts in shared memory of its own, and what is read are the sums.
 */

import type { Service } from "./cloud/service.ts";
import { formatRcode, formatType, RCODE, TYPE } from "./dns/iana.ts";
import { isTruncated } from "./dns/render.ts";
import type { Location } from "./geo/location-table.ts";
import { lastTailoring, type Source, type Tailoring, type Trace } from "./trace.ts";

/** A count with what it counts; of each kind there is a bounded number, whatever is asked. */
export interface LabelledCount {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

/** How long answers of one transport took. */
export interface Durations {
  readonly transport: string;
  /** so many took no longer than the bound of the same index in `durationBounds`, the last one without a bound */
  readonly cumulativeCounts: readonly number[];
  readonly sumSeconds: number;
}

/** In seconds. Most answers take tens of microseconds; what waits for a handler takes up to five seconds. */
export const durationBounds: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1,
  5,
];

const transports = ["udp", "tcp"] as const satisfies readonly Source["transport"][];
const vias = ["client-subnet", "vantage", "source"] as const;
const locationKinds = [
  "network",
  "geoip",
  "default",
  "unlocated",
] as const satisfies readonly Location["kind"][];

/** Types that are counted by themselves; others together, since a sender has 65,536 to choose from. */
const countedTypes: readonly number[] = [
  TYPE.A,
  TYPE.AAAA,
  TYPE.CNAME,
  TYPE.NS,
  TYPE.SOA,
  TYPE.MX,
  TYPE.TXT,
  TYPE.PTR,
  TYPE.SRV,
  TYPE.CAA,
  TYPE.HTTPS,
  TYPE.SVCB,
  TYPE.NAPTR,
  TYPE.DS,
  TYPE.DNSKEY,
  TYPE.TLSA,
  TYPE.AXFR,
  TYPE.IXFR,
  TYPE.ANY,
];
const typeLabels: readonly string[] = ["none", "other", ...countedTypes.map(formatType)];
const NO_TYPE = 0;
const typeIndexes = new Uint8Array(0x10000).fill(typeLabels.indexOf("other"));
for (const type of countedTypes) typeIndexes[type] = typeLabels.indexOf(formatType(type));

/** Handlers may answer with any RCODE. */
const countedRcodes: readonly number[] = Object.values(RCODE);
const rcodeLabels: readonly string[] = ["other", ...countedRcodes.map(formatRcode)];
const rcodeIndexes = new Uint8Array(0x1000);
for (const rcode of countedRcodes) rcodeIndexes[rcode] = rcodeLabels.indexOf(formatRcode(rcode));

/** There are two or three; a bound all the same. */
const MAX_SILENCES = 20;

const NO_DATACENTER = "none";

/** Choices that are counted by themselves, those of earlier configurations too; what comes later is counted together. */
const MAX_CHOICES = 16_384;
const OTHER_CHOICE = 0;
/** What nothing was chosen for. */
export const NO_CHOICE = -1;

/** Where each kind of count begins in the memory of a thread. */
const ROWS = typeLabels.length * rcodeLabels.length;
const LOCATED = transports.length * ROWS;
/** for each transport a count a bound and one more */
const DURATION_BUCKETS = durationBounds.length + 1;
const DURATIONS = LOCATED + vias.length * locationKinds.length;
const DURATION_SUMS = DURATIONS + transports.length * DURATION_BUCKETS;
const CHOICES = DURATION_SUMS + transports.length;
const COUNTS = CHOICES + MAX_CHOICES;

/** Stands for a type and an RCODE. */
export const rowOf = (qtype: number | undefined, rcode: number): number =>
  (qtype === undefined ? NO_TYPE : (typeIndexes[qtype] ?? NO_TYPE)) * rcodeLabels.length +
  (rcodeIndexes[rcode] ?? 0);

/** Stands for a kind of location. */
export const locationKindNumber = (kind: Location["kind"]): number => locationKinds.indexOf(kind);

/** What one thread has counted. */
export class ThreadCounts {
  /** may be handed to another thread */
  readonly memory: SharedArrayBuffer;
  readonly counts: Float64Array;

  constructor(memory = new SharedArrayBuffer(COUNTS * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.counts = new Float64Array(memory);
  }

  countRow(isTcp: boolean, row: number): void {
    increment(this.counts, (isTcp ? ROWS : 0) + row);
  }

  /** `via` is an index of client subnet, vantage, source. */
  countLocated(via: number, locationKind: number): void {
    increment(this.counts, LOCATED + via * locationKinds.length + locationKind);
  }

  countChoice(choice: number): void {
    if (choice !== NO_CHOICE) increment(this.counts, CHOICES + choice);
  }

  /** Counts answers that took the same time. */
  countDurations(isTcp: boolean, answers: number, seconds: number): void {
    const transport = isTcp ? 1 : 0;
    let bucket = 0;
    // The search is short: most answers fall into the first buckets.
    while (bucket < durationBounds.length && seconds > (durationBounds[bucket] ?? 0)) bucket++;
    const at = DURATIONS + transport * DURATION_BUCKETS + bucket;
    this.counts[at] = (this.counts[at] ?? 0) + answers;
    const sum = DURATION_SUMS + transport;
    this.counts[sum] = (this.counts[sum] ?? 0) + answers * seconds;
  }
}

/** The choices made for one service: by datacenter and reason. */
interface ServiceChoices {
  readonly labels: { readonly service: string; readonly policy: string };
  readonly cloud: string;
  /** their numbers, which count up from 1 */
  readonly byDatacenter: Map<string, Map<string, number>>;
}

export class QueryCounts {
  readonly #own = new ThreadCounts();
  readonly #threads: ThreadCounts[] = [this.#own];
  #choiceCount = OTHER_CHOICE;
  readonly #silences = new Map<string, number>();
  /** names with rules; their clouds are those of the datacenters */
  readonly #rules: ServiceChoices = {
    labels: { service: "none", policy: "rules" },
    cloud: "none",
    byDatacenter: new Map(),
  };
  /** Services of earlier configurations keep their counts: a counter never goes down. */
  readonly #services = new Map<string, ServiceChoices>();
  readonly #byService = new WeakMap<Service, ServiceChoices>();
  #truncated = 0;
  #handlerFailures = 0;
  #faults = 0;

  /** Counts a query that was answered with these octets; `location` is that of the address that counted. */
  count(
    trace: Exclude<Trace, { readonly kind: "silence" }>,
    location: Location,
    octets: Uint8Array | undefined,
    microseconds: number,
  ): void {
    const isTcp = trace.source.transport === "tcp";
    const isAnswer = trace.kind === "answer";
    const question = isAnswer ? trace.query.question : trace.asked.question;
    const rcode = isAnswer ? trace.resolution.rcode : trace.rcode;
    this.#own.countRow(isTcp, rowOf(question?.qtype, rcode));
    this.#own.countDurations(isTcp, 1, microseconds / 1e6);
    if (octets !== undefined && isTruncated(octets)) this.#truncated++;
    if (!isAnswer) return;
    this.#own.countLocated(vias.indexOf(trace.asker.via), locationKindNumber(location.kind));
    const tailoring = lastTailoring(trace.resolution);
    this.#own.countChoice(this.choiceOf(tailoring));
    if (
      tailoring === undefined &&
      rcode === RCODE.SERVFAIL &&
      trace.resolution.hops.at(-1)?.found === "script"
    )
      this.#handlerFailures++;
  }

  /** What another thread is to count in. */
  addThread(): SharedArrayBuffer {
    const thread = new ThreadCounts();
    this.#threads.push(thread);
    return thread.memory;
  }

  /** The number of a choice, which stays the same for as long as the program runs. */
  choiceOf(tailoring: Tailoring | undefined): number {
    if (tailoring === undefined) return NO_CHOICE;
    const { tailored, choice } = tailoring;
    const { byDatacenter } = tailored.kind === "service" ? this.#choicesOf(tailored.service) : this.#rules;
    const datacenter = choice.kind === "datacenter" ? choice.datacenter.id : NO_DATACENTER;
    let byReason = byDatacenter.get(datacenter);
    if (byReason === undefined) {
      byReason = new Map();
      byDatacenter.set(datacenter, byReason);
    }
    let number = byReason.get(choice.reason);
    if (number === undefined) {
      if (this.#choiceCount + 1 >= MAX_CHOICES) return OTHER_CHOICE;
      number = ++this.#choiceCount;
      byReason.set(choice.reason, number);
    }
    return number;
  }

  countSilence(reason: string): void {
    const label = this.#silences.has(reason) || this.#silences.size < MAX_SILENCES ? reason : "other";
    this.#silences.set(label, (this.#silences.get(label) ?? 0) + 1);
  }

  /** Counts something that went wrong inside. */
  countFault(): void {
    this.#faults++;
  }

  get truncated(): number {
    return this.#truncated;
  }

  get handlerFailures(): number {
    return this.#handlerFailures;
  }

  get faults(): number {
    return this.#faults;
  }

  queries(): readonly LabelledCount[] {
    return transports.flatMap((transport, i) =>
      typeLabels.flatMap((type, j) =>
        rcodeLabels.flatMap((rcode, k) => {
          const count = this.#sum((i * typeLabels.length + j) * rcodeLabels.length + k);
          return count === 0 ? [] : [{ labels: { transport, type, rcode }, count }];
        }),
      ),
    );
  }

  located(): readonly LabelledCount[] {
    return vias.flatMap((via, i) =>
      locationKinds.flatMap((location, j) => {
        const count = this.#sum(LOCATED + i * locationKinds.length + j);
        return count === 0 ? [] : [{ labels: { via, location }, count }];
      }),
    );
  }

  choices(): readonly LabelledCount[] {
    const counted = [...this.#services.values(), this.#rules].flatMap(({ labels, cloud, byDatacenter }) =>
      [...byDatacenter].flatMap(([datacenter, byReason]) =>
        [...byReason].map(([reason, number]) => ({
          labels: { cloud: cloudOf(datacenter) ?? cloud, ...labels, datacenter, reason },
          count: this.#sum(CHOICES + number),
        })),
      ),
    );
    const other = this.#sum(CHOICES + OTHER_CHOICE);
    const labels = {
      cloud: "other",
      service: "other",
      policy: "other",
      datacenter: "other",
      reason: "other",
    };
    const all = other === 0 ? counted : [...counted, { labels, count: other }];
    // A number may be given for an answer that was never sent.
    return all.filter(({ count }) => count > 0);
  }

  silences(): readonly LabelledCount[] {
    return [...this.#silences].map(([reason, count]) => ({ labels: { reason }, count }));
  }

  durations(): readonly Durations[] {
    return transports.map((transport, i) => {
      let sum = 0;
      const cumulativeCounts = Array.from({ length: DURATION_BUCKETS }, (_, bucket) => {
        sum += this.#sum(DURATIONS + i * DURATION_BUCKETS + bucket);
        return sum;
      });
      return { transport, cumulativeCounts, sumSeconds: this.#sum(DURATION_SUMS + i) };
    });
  }

  #sum(index: number): number {
    return this.#threads.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0);
  }

  #choicesOf(service: Service): ServiceChoices {
    const known = this.#byService.get(service);
    if (known !== undefined) return known;
    const { cloud, name, policy } = service;
    const key = JSON.stringify([cloud, name, policy]);
    const counts = this.#services.get(key) ?? {
      labels: { service: name, policy },
      cloud,
      byDatacenter: new Map(),
    };
    this.#services.set(key, counts);
    this.#byService.set(service, counts);
    return counts;
  }
}

/** The cloud of `Worldwide/lhr`. */
const cloudOf = (datacenter: string): string | undefined =>
  datacenter.includes("/") ? datacenter.split("/", 1)[0] : undefined;

function increment(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}
