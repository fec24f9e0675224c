/** `geodns365 journal`: the last queries and how they were answered; with --follow those to come, too. */

import type { JournalEntry, JournalFilter } from "../admin/control.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { type AdminAccess, type AdminClient, connectAdmin, reportFaults } from "./admin-client.ts";
import { EXIT } from "./exit.ts";
import { untilSignal } from "./signals.ts";

export interface JournalOptions extends AdminAccess, JournalFilter {
  readonly limit: number;
  readonly follow: boolean;
}

/** Oldest first, as logs are read; JSON is an entry a line. */
export const journalCommand = (options: JournalOptions): Promise<number> =>
  reportFaults(async () => {
    const { name, subnet, datacenter, transport, rcode, limit, json } = options;
    const client = connectAdmin(options);
    const filter = { name, subnet, datacenter, transport, rcode };
    let last = 0;
    const printNew = async (most: number): Promise<void> => {
      const { entries } = await client.ask("journal", { query: { ...filter, limit: most } });
      for (const entry of entries.filter(({ number }) => number > last).toReversed()) {
        last = entry.number;
        console.log(json ? JSON.stringify(entry) : formatEntry(entry));
      }
    };
    if (options.follow) await follow(client, () => printNew(last === 0 ? limit : MOST_ENTRIES));
    else await printNew(limit);
    return EXIT.good;
  });

/** As many as the API gives at once. */
const MOST_ENTRIES = 10_000;

/** The server knows what the filter takes, so each query has it asked for what is new. */
async function follow(client: AdminClient, print: () => Promise<void>): Promise<void> {
  await untilSignal(async (signal) => {
    let printing = Promise.resolve();
    let isWaiting = false;
    const printSoon = (): void => {
      if (isWaiting) return;
      isWaiting = true;
      printing = printing.then(() => {
        isWaiting = false;
        return print();
      });
      // Whoever awaits it below is told.
      printing.catch(() => {});
    };
    for await (const _ of client.events(["query"], printSoon, signal)) {
      // Rejects if printing has failed by now, and waits for nothing.
      await Promise.race([printing, undefined]);
      printSoon();
    }
    await printing;
  });
}

export function formatEntry(
  entry: {
    readonly [K in keyof JournalEntry]?: JournalEntry[K];
  },
): string {
  const { at, qname, qtype, source, transport, clientSubnet, location, datacenter, reason, rcode } = entry;
  const from = clientSubnet === undefined ? source : `${clientSubnet} by ${source}`;
  const where = location === undefined ? "" : ` in ${location}`;
  const how = [datacenter, reason].filter((word) => word !== undefined).join(", ");
  return escapeUnprintable(
    `${at} ${qname} ${qtype} from ${from}${where} over ${transport}: ${rcode}${how === "" ? "" : ` ${how}`}`,
  );
}
