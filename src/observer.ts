/** Sees every query once it is answered, counts it and enters it in the journal. */

import type { AnswerLabels } from "./answer-cache.ts";
import { locateAddress } from "./geo/location-table.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { QueryCounts } from "./query-counts.ts";
import type { Observation, Trace } from "./trace.ts";

export class Observer {
  readonly journal: Journal;
  readonly counts = new QueryCounts();

  /** What answers that worker threads give are counted and entered by. */
  get labels(): AnswerLabels {
    const { counts, journal } = this;
    return {
      choiceOf: (tailoring) => counts.choiceOf(tailoring),
      nameId: (text) => journal.ring?.nameId(text) ?? 0,
      reasonId: (text) => journal.ring?.reasonId(text) ?? 0,
    };
  }

  /** With what the journal needs. */
  constructor(options: JournalOptions) {
    this.journal = new Journal(options);
  }

  observe(trace: Trace, { octets, microseconds, nowMilliseconds, snapshot }: Observation): void {
    if (trace.kind === "silence") {
      this.counts.countSilence(trace.reason);
      return;
    }
    // Of what was not looked up no address counted, so the source stands for it.
    const address = trace.kind === "answer" ? trace.asker.address : trace.source.address;
    const { location } = locateAddress(snapshot.locations, address);
    this.counts.count(trace, location, octets, microseconds);
    this.journal.add(trace, location, nowMilliseconds, snapshot.version);
  }
}
