/** Counts queries in arrays by small numbers, so that a query costs no text; labels are made when somebody reads them. */

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

/** The choices made for one service: by datacenter and reason. */
interface ServiceCounts {
  readonly labels: { readonly service: string; readonly policy: string };
  readonly cloud: string;
  readonly byDatacenter: Map<string, Map<string, number>>;
}

export class QueryCounts {
  readonly #queries = new Float64Array(transports.length * typeLabels.length * rcodeLabels.length);
  readonly #located = new Float64Array(vias.length * locationKinds.length);
  /** for each transport a count a bound and one more */
  readonly #durations = new Float64Array(transports.length * (durationBounds.length + 1));
  readonly #durationSums = new Float64Array(transports.length);
  readonly #silences = new Map<string, number>();
  /** names with rules; their clouds are those of the datacenters */
  readonly #rules: ServiceCounts = {
    labels: { service: "none", policy: "rules" },
    cloud: "none",
    byDatacenter: new Map(),
  };
  /** Services of earlier configurations keep their counts: a counter never goes down. */
  readonly #services = new Map<string, ServiceCounts>();
  readonly #byService = new WeakMap<Service, ServiceCounts>();
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
    const transport = trace.source.transport === "udp" ? 0 : 1;
    const isAnswer = trace.kind === "answer";
    const question = isAnswer ? trace.query.question : trace.asked.question;
    const rcode = isAnswer ? trace.resolution.rcode : trace.rcode;
    const type = question === undefined ? NO_TYPE : (typeIndexes[question.qtype] ?? NO_TYPE);
    const row = transport * typeLabels.length + type;
    increment(this.#queries, row * rcodeLabels.length + (rcodeIndexes[rcode] ?? 0));
    this.#countDuration(transport, microseconds / 1e6);
    if (octets !== undefined && isTruncated(octets)) this.#truncated++;
    if (!isAnswer) return;
    increment(
      this.#located,
      vias.indexOf(trace.asker.via) * locationKinds.length + locationKinds.indexOf(location.kind),
    );
    const tailoring = lastTailoring(trace.resolution);
    if (tailoring !== undefined) this.#countChoice(tailoring);
    else if (rcode === RCODE.SERVFAIL && trace.resolution.hops.at(-1)?.found === "script")
      this.#handlerFailures++;
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
          const count = this.#queries[(i * typeLabels.length + j) * rcodeLabels.length + k] ?? 0;
          return count === 0 ? [] : [{ labels: { transport, type, rcode }, count }];
        }),
      ),
    );
  }

  located(): readonly LabelledCount[] {
    return vias.flatMap((via, i) =>
      locationKinds.flatMap((location, j) => {
        const count = this.#located[i * locationKinds.length + j] ?? 0;
        return count === 0 ? [] : [{ labels: { via, location }, count }];
      }),
    );
  }

  choices(): readonly LabelledCount[] {
    return [...this.#services.values(), this.#rules].flatMap(({ labels, cloud, byDatacenter }) =>
      [...byDatacenter].flatMap(([datacenter, byReason]) =>
        [...byReason].map(([reason, count]) => ({
          labels: { cloud: cloudOf(datacenter) ?? cloud, ...labels, datacenter, reason },
          count,
        })),
      ),
    );
  }

  silences(): readonly LabelledCount[] {
    return [...this.#silences].map(([reason, count]) => ({ labels: { reason }, count }));
  }

  durations(): readonly Durations[] {
    const width = durationBounds.length + 1;
    return transports.map((transport, i) => {
      let sum = 0;
      const counts = this.#durations.subarray(i * width, (i + 1) * width);
      const cumulativeCounts = [...counts].map((count) => {
        sum += count;
        return sum;
      });
      return { transport, cumulativeCounts, sumSeconds: this.#durationSums[i] ?? 0 };
    });
  }

  #countDuration(transport: number, seconds: number): void {
    let bucket = 0;
    // The search is short: most answers fall into the first buckets.
    while (bucket < durationBounds.length && seconds > (durationBounds[bucket] ?? 0)) bucket++;
    increment(this.#durations, transport * (durationBounds.length + 1) + bucket);
    this.#durationSums[transport] = (this.#durationSums[transport] ?? 0) + seconds;
  }

  #countChoice({ tailored, choice }: Tailoring): void {
    const { byDatacenter } = tailored.kind === "service" ? this.#countsOf(tailored.service) : this.#rules;
    const datacenter = choice.kind === "datacenter" ? choice.datacenter.id : NO_DATACENTER;
    let byReason = byDatacenter.get(datacenter);
    if (byReason === undefined) {
      byReason = new Map();
      byDatacenter.set(datacenter, byReason);
    }
    byReason.set(choice.reason, (byReason.get(choice.reason) ?? 0) + 1);
  }

  #countsOf(service: Service): ServiceCounts {
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
