/** What a response has otherwise than it was to have. */

import type { Datacenter } from "../cloud/topology.ts";
import type { Expected } from "../config/rehearsal-schema.ts";
import { decodeMessage } from "../dns/decode.ts";
import { readExtendedError } from "../dns/edns.ts";
import { formatRcode, OPTION, parseRcode, RCODE, TYPE } from "../dns/iana.ts";
import { formatRecord, type Message, type ResourceRecord } from "../dns/message.ts";
import { formatName, nameOf } from "../dns/name.ts";
import { listOf } from "./read.ts";
import type { Asker, Reply } from "./stage.ts";
import type { Whose } from "./whose.ts";

/** One thing, as it was expected and as it came; each is a line, or one for each record. */
export interface Difference {
  readonly what: string;
  readonly expected: readonly string[];
  readonly got: readonly string[];
}

export interface CompareOptions {
  readonly whose: Whose;
  /** who was asked */
  readonly kind: Asker["kind"];
}

/** Nothing where the reply is as expected; what is not spoken of is not looked at. */
export function compare(
  expected: Expected | "silence",
  reply: Exclude<Reply, { readonly kind: "skipped" }>,
  options: CompareOptions,
): readonly Difference[] {
  if (reply.kind === "silence") {
    if (expected === "silence") return [];
    const why = reply.because === undefined ? "silence" : `no response: ${reply.because}`;
    return [{ what: "response", expected: ["a response"], got: [why] }];
  }
  if (expected === "silence")
    return [{ what: "response", expected: ["silence"], got: [`${reply.octets.length} octets`] }];
  const response = decodeMessage(reply.octets);
  if (typeof response === "string")
    return [{ what: "response", expected: ["a sound message"], got: [`a malformed one: ${response}`] }];
  return [...differences(expected, response, reply.transport, options)];
}

function* differences(
  expected: Expected,
  response: Message,
  transport: "udp" | "tcp",
  { whose, kind }: CompareOptions,
): Generator<Difference> {
  const tell = (what: string, wanted: readonly string[], got: readonly string[]): readonly Difference[] =>
    sameLines(wanted, got) ? [] : [{ what, expected: wanted, got }];
  const { datacenter, chain, rcode, scope, ttlAtMost, never } = expected;
  if (rcode !== undefined)
    yield* tell("rcode", [formatRcode(parseRcode(rcode) ?? 0)], [formatRcode(response.rcode)]);
  if (datacenter !== undefined) {
    const found = whose.datacentersOf(response);
    const got = found.length === 0 ? ["none"] : found.map(({ id }) => id);
    const isIt = found.length === 1 && found.every((each) => isCalled(each, datacenter));
    if (!(isIt || (found.length === 0 && datacenter === "none")))
      yield { what: "datacenter", expected: [datacenter], got };
  }
  if (chain !== undefined) yield* tellNames("chain", chain, targetsOf(response));
  if (ttlAtMost !== undefined) {
    const over = response.answer.filter(({ ttlSeconds }) => ttlSeconds > ttlAtMost);
    if (over.length > 0)
      yield { what: "ttlAtMost", expected: [String(ttlAtMost)], got: over.map(formatRecord) };
  }
  if (never !== undefined) yield* tellNever(listOf(never), response, whose);
  if (kind === "resolver") {
    // It rotates records, counts their TTLs down, and speaks of its own cache in all else.
    if (expected.answer !== undefined)
      yield* tell("answer", withoutTtls(expected.answer), withoutTtls(response.answer.map(formatRecord)));
    return;
  }
  if (kind === "server" && expected.flags === undefined && isAnswer(response) && !response.authoritative)
    yield { what: "flags", expected: ["aa, as servers of a zone set it"], got: ["no aa; is it a resolver?"] };
  if (scope !== undefined)
    yield* tell("scope", [String(scope)], [String(response.clientSubnet?.scopePrefixLength ?? "none")]);
  const { flags, answer, authority, additional, opt, questions, options, extendedErrors, dnssecOk } =
    expected;
  if (flags !== undefined) yield* tell("flags", [inOrder(flags).join(" ")], [flagsOf(response).join(" ")]);
  for (const [what, section] of Object.entries({ answer, authority, additional })) {
    if (section !== undefined) yield* tell(what, section, sectionOf(response, what).map(formatRecord));
  }
  if (opt !== undefined) yield* tell("opt", [String(opt)], [String(response.edns !== undefined)]);
  if (questions !== undefined)
    yield* tell("questions", [String(questions)], [String(response.questions.length)]);
  if (options !== undefined) yield* tell("options", options, optionsOf(response));
  if (extendedErrors !== undefined) yield* tell("extendedErrors", extendedErrors, extendedErrorsOf(response));
  if (dnssecOk !== undefined)
    yield* tell("dnssecOk", [String(dnssecOk)], [String(response.edns?.dnssecOk ?? false)]);
  if (expected.truncated !== undefined && transport === "udp")
    yield* tell("truncated", [String(expected.truncated)], [String(response.truncated)]);
}

/** Whether a datacenter is meant by `lhr` or `Worldwide/lhr`. */
export const isCalled = ({ id, shortId }: Datacenter, text: string): boolean =>
  [id, shortId].some((each) => each.toLowerCase() === text.toLowerCase());

/** The targets of the CNAMEs of an answer, in order. */
export const targetsOf = ({ answer }: Message): readonly string[] =>
  answer.filter(({ type }) => type === TYPE.CNAME).map(({ rdata }) => formatName(rdata));

const isAnswer = ({ answer, rcode }: Message): boolean => answer.length > 0 || rcode === RCODE.NXDOMAIN;

/** Names are the same in any case (RFC 4343), with or without the last dot. */
function* tellNames(what: string, wanted: readonly string[], got: readonly string[]): Generator<Difference> {
  const canonical = (names: readonly string[]): readonly string[] => names.map((each) => nameOf(each));
  if (sameLines(canonical(wanted), canonical(got))) return;
  const dotted = wanted.map((each) => (each.endsWith(".") ? each : `${each}.`));
  yield { what, expected: dotted, got };
}

function* tellNever(
  never: readonly string[],
  { answer, authority, additional }: Message,
  whose: Whose,
): Generator<Difference> {
  for (const unwanted of never) {
    const found = [...answer, ...authority, ...additional].filter((record) =>
      whose
        .ownersOf(record)
        .some(
          ({ cloud, datacenter }) =>
            cloud.toLowerCase() === unwanted.toLowerCase() ||
            (datacenter !== undefined && isCalled(datacenter, unwanted)),
        ),
    );
    if (found.length > 0)
      yield { what: "never", expected: [`nothing of ${unwanted}`], got: found.map(formatRecord) };
  }
}

const sameLines = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, i) => line === b[i]);

const flagNames = ["qr", "aa", "tc", "rd", "ra"] as const;

const inOrder = (flags: readonly string[]): readonly string[] =>
  flagNames.filter((flag) => flags.includes(flag));

function flagsOf(response: Message): readonly string[] {
  const set = {
    qr: response.isResponse,
    aa: response.authoritative,
    tc: response.truncated,
    rd: response.recursionDesired,
    ra: response.recursionAvailable,
  };
  return flagNames.filter((flag) => set[flag]);
}

function sectionOf(response: Message, what: string): readonly ResourceRecord[] {
  if (what === "answer") return response.answer;
  return what === "authority" ? response.authority : response.additional;
}

const toldApart: readonly number[] = [OPTION.CLIENT_SUBNET, OPTION.EXTENDED_ERROR];

const optionsOf = ({ edns }: Message): readonly string[] =>
  (edns?.options ?? [])
    .filter(({ code }) => !toldApart.includes(code))
    .map(({ code, octets }) => `${code} ${Buffer.from(octets).toString("hex")}`);

const extendedErrorsOf = ({ edns }: Message): readonly string[] =>
  (edns?.options ?? [])
    .filter(({ code }) => code === OPTION.EXTENDED_ERROR)
    .map(({ octets }) => readExtendedError(octets))
    .map((error) => `${error?.code} ${error?.text}`);

/** As sets: owner and type are told, and a resolver may spell names in any case. */
const withoutTtls = (records: readonly string[]): readonly string[] =>
  records.map((record) => record.replace(/^(\S+) \d+ /, "$1 ").toLowerCase()).toSorted();
