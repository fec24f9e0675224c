/** The log: pino, readable on a terminal and JSON otherwise, on standard error. The only importer of `pino`. */

import { type Logger, pino } from "pino";
import { formatRule } from "./cloud/record-rules.ts";
import { formatClientSubnet } from "./dns/client-subnet.ts";
import { formatRcode, formatTypeOfClass } from "./dns/iana.ts";
import type { Question } from "./dns/message.ts";
import { formatName } from "./dns/name.ts";
import { type LocationTable, locateAddress, locationName } from "./geo/location-table.ts";
import { formatAddress } from "./ip.ts";
import { lastTailoring, type Resolution, scopeTold, stopsInWords, type Trace } from "./trace.ts";

export type { Logger };

/** A logger, and the way to get its last lines out. */
export interface Log {
  readonly logger: Logger;
  /** Waits until all is written, for a second at the most; tells whether it is. */
  flush(): Promise<boolean>;
}

export async function createLog(stderr: NodeJS.WriteStream = process.stderr): Promise<Log> {
  if (stderr.isTTY) setNonBlocking(stderr);
  const format = stderr.isTTY
    ? (await import("pino-pretty")).prettyFactory({ ignore: "query", translateTime: "SYS:HH:MM:ss.l" })
    : undefined;
  const writer = new LineWriter(stderr, (dropped) =>
    logger.warn({ dropped }, `${dropped} lines of the log were dropped: nobody read them in time`),
  );
  const write = (line: string): void => writer.write(format === undefined ? line : format(line));
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write });
  return { logger, flush: () => writer.flush() };
}

/** Node makes writes to a terminal wait, and a stopped terminal (Ctrl-S) would stop the server. It has no other way to say so. */
function setNonBlocking(terminal: NodeJS.WriteStream): void {
  const handle: unknown = Reflect.get(terminal, "_handle");
  if (typeof handle !== "object" || handle === null) return;
  const setBlocking: unknown = Reflect.get(handle, "setBlocking");
  if (typeof setBlocking === "function") Reflect.apply(setBlocking, handle, [false]);
}

/** What a LineWriter needs of a stream. */
export interface LineStream {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Lines that may wait for a reader, in octets. */
const MAX_WAITING_OCTETS = 1 << 20;

/** How long the end of the program waits for who reads the log. */
const FLUSH_MILLISECONDS = 1000;

/** Writes lines without ever waiting: beyond a bound they are dropped and counted. */
export class LineWriter {
  readonly #stream: LineStream;
  readonly #onDropped: (count: number) => void;
  #waitingOctets = 0;
  #dropped = 0;
  #flushed: (() => void) | undefined;

  /** `onDropped` is told how many lines were dropped once there is room again. */
  constructor(stream: LineStream, onDropped: (count: number) => void) {
    this.#stream = stream;
    this.#onDropped = onDropped;
    // A reader that went away (EPIPE) is no reason to stop answering; each write is told of it as well.
    stream.on("error", () => {});
  }

  write(line: string): void {
    const octets = Buffer.byteLength(line);
    if (this.#waitingOctets + octets > MAX_WAITING_OCTETS) {
      this.#dropped++;
      return;
    }
    this.#waitingOctets += octets;
    this.#stream.write(line, () => this.#written(octets));
  }

  /** Settles when all is written or the time is over; tells which. */
  async flush(milliseconds = FLUSH_MILLISECONDS): Promise<boolean> {
    if (this.#waitingOctets === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.#flushed = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #written(octets: number): void {
    this.#waitingOctets -= octets;
    if (this.#dropped > 0 && this.#waitingOctets <= MAX_WAITING_OCTETS / 2) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#onDropped(dropped);
    }
    if (this.#waitingOctets === 0) this.#flushed?.();
  }
}

/** One line a query: the whole decision in fields, and the same in words for a person. */
export interface QueryLine {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | undefined>>;
}

/** The line of a query: what was asked, whose place counted, what was decided. */
export function queryLine(trace: Trace, locations: LocationTable): QueryLine {
  const { source } = trace;
  const from = { source: formatAddress(source.address.octets), transport: source.transport };
  if (trace.kind === "silence") {
    return {
      message: `silence to ${from.source}: ${trace.reason}`,
      fields: { ...from, reason: trace.reason },
    };
  }
  const asked = trace.kind === "answer" ? trace.query : trace.asked;
  const ecs = asked.clientSubnet && formatClientSubnet(asked.clientSubnet);
  const question = asked.question === undefined ? undefined : questionFields(asked.question);
  const what = question === undefined ? "no question" : `${question.qname} ${question.qtype}`;
  if (trace.kind === "error") {
    const rcode = formatRcode(trace.rcode);
    const who = `${from.source}${ecs === undefined ? "" : ` for ${ecs}`}`;
    return {
      message: `${what} from ${who}: ${rcode}, ${trace.reason}`,
      fields: { ...question, ...from, ecs, rcode, reason: trace.reason },
    };
  }
  const { asker, resolution } = trace;
  const location = locationName(locateAddress(locations, asker.address).location);
  const rcode = formatRcode(resolution.rcode);
  const tailoring = lastTailoring(resolution);
  const choice = tailoring?.choice;
  const datacenter = choice?.kind === "datacenter" ? choice.datacenter.id : undefined;
  const rule = choice?.kind === "rule" ? formatRule(choice.rule) : undefined;
  const reason = tailoring?.choice.reason ?? resolutionReason(resolution);
  const used = asker.via === "client-subnet";
  const scope = scopeTold(trace);
  const unused = ecs === undefined ? "" : `; client subnet ${ecs} does not count`;
  const vantage = asker.via === "vantage" ? source.listener?.vantage?.name : undefined;
  const stands = vantage === undefined ? "" : ` as ${vantage}`;
  const who = used
    ? `${from.source} for ${ecs} (${location})`
    : `${from.source}${stands} (${location}${unused})`;
  const why = tailoring?.order === undefined ? reason : `${reason} by ${tailoring.order}`;
  const how = used ? `${why}, scope ${scope}` : why;
  const decision =
    datacenter !== undefined
      ? ` ${datacenter} (${how})`
      : rule !== undefined
        ? ` ${rule}${used ? ` (scope ${scope})` : ""}` // a rule is its own reason
        : reason === undefined
          ? ""
          : `, ${reason}`;
  return {
    message: `${what} from ${who}: ${rcode}${decision}`,
    fields: {
      ...question,
      ...from,
      ecs,
      via: asker.via,
      vantage,
      location,
      zone: resolution.hops[0]?.zone,
      class: tailoring?.locationClass?.number,
      datacenter,
      rule,
      reason,
      order: tailoring?.order,
      scope,
      rcode,
    },
  };
}

/** Why there are no records, or not the whole chain. */
const resolutionReason = ({ extendedErrors, stop, hops }: Resolution): string | undefined =>
  extendedErrors[0]?.text ??
  (stop && stopsInWords[stop]) ??
  (hops.at(-1)?.found === "script" ? "script" : undefined);

function questionFields({ qname, qtype, qclass }: Question): {
  readonly qname: string;
  readonly qtype: string;
} {
  return { qname: formatName(qname), qtype: formatTypeOfClass(qtype, qclass) };
}
