/**
 * What an authoritative server must do, a row a rule: sent over the wire to geodns365 and, with the same zones, to other
 * servers. How a row is judged is in `expect.ts`.
 */

import { ednsChecks } from "./edns-checks.ts";
import { exchange, exchangeTcp } from "./exchange.ts";
import { type Check, judge, type Way } from "./expect.ts";
import { lookupChecks } from "./lookup-checks.ts";
import { messageChecks } from "./message-checks.ts";
import { readResponse, type Seen } from "./response.ts";
import { judgeReplies, type TcpCheck } from "./tcp-checks.ts";
import { tsigChecks } from "./tsig-checks.ts";

/** The rows that every server is held to. */
export const checks: readonly Check[] = [...lookupChecks, ...messageChecks, ...ednsChecks, ...tsigChecks];

/** What a row is called. */
export const nameOf = ({ rule, what }: { readonly rule: string; readonly what: string }): string =>
  `${rule}: ${what}`;

export const waysOf = ({ over }: Check): readonly Way[] => (over === undefined ? ["udp", "tcp"] : [over]);

/** Tries a row on the server at a port of 127.0.0.1; the faults it finds, each with the way it was found on. */
export async function runCheck(check: Check, port: number): Promise<readonly string[]> {
  const faults = await Promise.all(
    waysOf(check).map(async (way) => (await runOver(check, port, way)).map((words) => `${way}: ${words}`)),
  );
  return faults.flat();
}

async function runOver({ query, expect, next }: Check, port: number, way: Way): Promise<readonly string[]> {
  const first = await responseTo(port, way, query.octets);
  const faults = judge(query, expect, first, way);
  if (next === undefined || faults.length > 0 || first === undefined || typeof first === "string")
    return faults;
  const second = next(first);
  const response = await responseTo(port, way, second.query.octets);
  return judge(second.query, second.expect, response, way).map((words) => `the second query: ${words}`);
}

async function responseTo(port: number, way: Way, message: Uint8Array): Promise<Seen | string | undefined> {
  const { replies } = await exchange(port, way, message);
  const [reply, ...more] = replies;
  if (more.length > 0) return `there are ${replies.length} responses`;
  return reply && readResponse(reply);
}

export async function runTcpCheck(check: TcpCheck, port: number): Promise<readonly string[]> {
  const { replies } = await exchangeTcp(port, check.chunks, { halfClose: check.halfClose ?? false });
  return judgeReplies(check, replies);
}
