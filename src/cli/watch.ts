/** `geodns365 watch`: datacenters, overrides and the last queries, as they change. */

import type { ControlEvent, JournalEntry } from "../admin/control.ts";
import { escapeUnprintable } from "../config/printable.ts";
import { type AdminAccess, type AdminClient, connectAdmin, reportFaults } from "./admin-client.ts";
import { formatDatacenters, formatOverride } from "./datacenter.ts";
import { EXIT } from "./exit.ts";
import { formatEntry } from "./journal.ts";
import { untilSignal } from "./signals.ts";

/** A table that is drawn anew on a terminal; elsewhere, and as JSON, a line an event. */
export const watchCommand = (access: AdminAccess): Promise<number> =>
  reportFaults(async () => {
    const client = connectAdmin(access);
    await untilSignal((signal) =>
      process.stdout.isTTY && !access.json
        ? watchTable(client, signal)
        : watchLines(client, signal, access.json ? JSON.stringify : formatEvent),
    );
    return EXIT.good;
  });

async function watchLines(
  client: AdminClient,
  signal: AbortSignal,
  format: (event: ControlEvent) => string,
): Promise<void> {
  const onOpen = (): void => console.error("watching; Ctrl-C ends it");
  for await (const event of client.events(undefined, onOpen, signal)) console.log(format(event));
}

export function formatEvent(event: ControlEvent): string {
  switch (event.kind) {
    case "datacenter": {
      const { id, state, override, health } = event.datacenter;
      const reason = override?.reason ?? health?.reason;
      const why = reason === undefined ? "" : ` (${reason})`;
      return escapeUnprintable(`datacenter ${id} was ${event.before} and is ${state}${why}`);
    }
    case "tenant": {
      const { label, servedBy, by, reason } = event.tenant;
      const why = reason === undefined ? "" : `, ${reason}`;
      return escapeUnprintable(`tenant ${label} is served by ${servedBy} (${by ?? "as configured"}${why})`);
    }
    case "override-ended":
      return `ended: ${formatOverride(event.override)}`;
    case "reload":
      return escapeUnprintable([`reload ${event.outcome}`, ...event.lines].join("; "));
    case "query":
      return formatEntry(event.entry);
    default:
      return event satisfies never;
  }
}

/** What a terminal is told: a screen of its own, without a cursor, and back. */
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const CLEAR = "\x1b[H\x1b[2J";

/** Queries come faster than anybody can read, so the table is drawn this often at most. */
const DRAW_MILLISECONDS = 100;

async function watchTable(client: AdminClient, signal: AbortSignal): Promise<void> {
  const { stdout } = process;
  const entries: JournalEntry[] = [];
  const notes: string[] = [];
  let lines: readonly string[] = ["..."];
  let isStale = true;
  let timer: NodeJS.Timeout | undefined;
  const failed = Promise.withResolvers<never>();

  const draw = async (): Promise<void> => {
    if (isStale) {
      isStale = false;
      lines = await describeServer(client);
    }
    const { columns = 80, rows = 24 } = stdout;
    const shown = composeScreen(lines, notes, entries.map(formatEntry), { columns, rows });
    if (!signal.aborted) stdout.write(`${CLEAR}${shown.join("\n")}`);
  };
  const drawSoon = (): void => {
    timer ??= setTimeout(() => {
      draw()
        .catch(failed.reject)
        .finally(() => {
          timer = undefined;
          if (isStale) drawSoon();
        });
    }, DRAW_MILLISECONDS);
  };
  const follow = async (): Promise<void> => {
    for await (const event of client.events(undefined, drawSoon, signal)) {
      if (event.kind === "query") {
        entries.unshift(event.entry);
        entries.length = Math.min(entries.length, 200);
      } else {
        notes.unshift(formatEvent(event));
        notes.length = Math.min(notes.length, 3);
        isStale = true;
      }
      drawSoon();
    }
  };
  stdout.write(ENTER);
  stdout.on("resize", drawSoon);
  try {
    await Promise.race([follow(), failed.promise]);
  } finally {
    clearTimeout(timer);
    stdout.off("resize", drawSoon);
    stdout.write(LEAVE);
  }
}

async function describeServer(client: AdminClient): Promise<readonly string[]> {
  const [{ snapshot, version, listening }, { datacenters }, { overrides }] = await Promise.all([
    client.ask("snapshot"),
    client.ask("listDatacenters"),
    client.ask("listOverrides"),
  ]);
  // What is not up is what one looks for.
  const sorted = datacenters.toSorted((a, b) => Number(a.state === "up") - Number(b.state === "up"));
  return [
    `geodns365 ${version} on ${listening.join(", ")}; snapshot ${snapshot}; Ctrl-C ends this`,
    "",
    ...overrides.map(formatOverride),
    ...(overrides.length === 0 ? [] : [""]),
    ...formatDatacenters(sorted),
  ];
}

/** As many lines as there is room for: a third of it at least for the queries, the newest first. */
export function composeScreen(
  server: readonly string[],
  notes: readonly string[],
  queries: readonly string[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): readonly string[] {
  const forQueries = Math.max(Math.floor(rows / 3), rows - server.length - notes.length - 2);
  const top = [...server, ...(notes.length === 0 ? [] : ["", ...notes])];
  const room = rows - forQueries;
  const cut = top.length > room ? [...top.slice(0, room - 1), `... ${top.length - room + 1} more`] : top;
  return [...cut, "", ...queries].slice(0, rows).map((line) => line.slice(0, columns));
}
