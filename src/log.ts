/** The log: pino, readable on a terminal and JSON otherwise, on standard error. The only importer of `pino`. */

import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { ClientSubnet } from "./dns/client-subnet.ts";
import { formatClass, formatRcode, formatType } from "./dns/iana.ts";
import type { Question } from "./dns/message.ts";
import { formatName } from "./dns/name.ts";
import { formatAddress, formatPrefix } from "./ip.ts";
import type { Trace } from "./trace.ts";

export type { Logger };

export function createLogger(): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  const singleLine = {
    destination: 2,
    sync: true,
    ignore: "query",
    translateTime: "SYS:HH:MM:ss.l",
  } as const;
  return pino(options, pretty(singleLine));
}

/** One line a query: the whole decision in fields, and the same in words for a person. */
export interface QueryLine {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | undefined>>;
}

/** The line of a query; undefined for silence, which is no answer to log. */
export function queryLine(trace: Trace): QueryLine {
  const { source } = trace;
  const from = { source: formatAddress(source.address.octets), transport: source.transport };
  if (trace.kind === "silence") {
    return {
      message: `silence to ${from.source}: ${trace.reason}`,
      fields: { ...from, reason: trace.reason },
    };
  }
  const asked = trace.kind === "answer" ? trace.query : trace.asked;
  const ecs = formatSubnet(asked.clientSubnet);
  const question = asked.question === undefined ? undefined : questionFields(asked.question);
  const who = `${from.source}${ecs === undefined ? "" : ` for ${ecs}`}`;
  const what = question === undefined ? "no question" : `${question.qname} ${question.qtype}`;
  if (trace.kind === "error") {
    const rcode = formatRcode(trace.rcode);
    return {
      message: `${what} from ${who}: ${rcode}, ${trace.reason}`,
      fields: { ...question, ...from, ecs, rcode, reason: trace.reason },
    };
  }
  const { resolution } = trace;
  const rcode = formatRcode(resolution.rcode);
  const tailoring = resolution.hops.findLast((hop) => hop.tailoring !== undefined)?.tailoring;
  const datacenter = tailoring?.choice.kind === "datacenter" ? tailoring.choice.datacenter.id : undefined;
  const reason = tailoring?.choice.reason;
  const decision =
    datacenter === undefined ? "" : ` ${datacenter} (${reason}, scope ${resolution.scopePrefixLength})`;
  return {
    message: `${what} from ${who}: ${rcode}${decision}`,
    fields: {
      ...question,
      ...from,
      ecs,
      zone: resolution.hops[0]?.zone,
      class: tailoring?.locationClass?.number,
      datacenter,
      reason,
      scope: resolution.scopePrefixLength,
      rcode,
    },
  };
}

function questionFields({ qname, qtype, qclass }: Question): {
  readonly qname: string;
  readonly qtype: string;
} {
  const type = formatType(qtype);
  return { qname: formatName(qname), qtype: qclass === 1 ? type : `${formatClass(qclass)} ${type}` };
}

function formatSubnet(subnet: ClientSubnet | undefined): string | undefined {
  if (subnet === undefined) return undefined;
  return subnet.prefix === undefined ? `family ${subnet.family} /0` : formatPrefix(subnet.prefix);
}
