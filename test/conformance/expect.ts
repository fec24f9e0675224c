/** What a check expects, and what a response has that it should not. */

import type { BuiltQuery } from "./query.ts";
import { canonicalLine, optionOf, type Seen, type SeenRecord } from "./response.ts";
import { type Feature, SOA } from "./zone.ts";

export type Way = "udp" | "tcp";

/** One rule, a query that tries it, and the response that keeps it. */
export interface Check {
  /** RFC and section */
  readonly rule: string;
  readonly what: string;
  /** both where absent */
  readonly over?: Way;
  readonly needs?: Feature;
  readonly query: BuiltQuery;
  readonly expect: Expected | "silence";
  /** a second query made from the first response */
  readonly next?: (first: Seen) => { readonly query: BuiltQuery; readonly expect: Expected };
}

export interface Expected {
  /** NOERROR where absent; one of several that are allowed */
  readonly rcode?: string | readonly string[];
  readonly aa?: boolean;
  readonly rd?: boolean;
  /** over UDP; over TCP nothing is truncated */
  readonly tc?: boolean;
  /** records in presentation format, in any order, the whole section; what is absent is not looked at */
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  /** records that the additional section must hold */
  readonly additional?: readonly string[];
  /** false: the response need not repeat the question */
  readonly question?: false;
  /** whether there is an OPT; as in the query where absent */
  readonly hasEdns?: boolean | "either";
  /** options of the OPT by code: octets in hex, or undefined for one that must not be there */
  readonly options?: Readonly<Record<number, string | undefined>>;
  readonly also?: (seen: Seen, way: Way) => readonly string[];
}

export const positive = (...answer: readonly string[]): Expected => ({ aa: true, answer });

/** The name exists and the type does not (RFC 2308 §2.2); `answer` holds the aliases on the way. */
export const nodata = (answer: readonly string[] = [], soa = SOA): Expected => ({
  aa: true,
  answer,
  authority: [soa],
});

export const nxdomain = (answer: readonly string[] = [], soa = SOA): Expected => ({
  ...nodata(answer, soa),
  rcode: "NXDOMAIN",
});

export const referral = (nameservers: readonly string[], glue: readonly string[] = []): Expected => ({
  aa: false,
  tc: false,
  answer: [],
  authority: nameservers,
  additional: glue,
});

export const refusal = (...rcode: readonly string[]): Expected => ({ rcode, answer: [], authority: [] });

/** The faults of a response in words; none where it is as expected. */
export function judge(
  query: BuiltQuery,
  expected: Expected | "silence",
  response: Seen | string | undefined,
  way: Way,
): readonly string[] {
  if (expected === "silence") return response === undefined ? [] : ["it is answered"];
  if (response === undefined) return ["it is not answered"];
  if (typeof response === "string") return [response];
  return [...headerFaults(query, expected, response, way), ...bodyFaults(query, expected, response, way)];
}

function headerFaults(query: BuiltQuery, expected: Expected, seen: Seen, way: Way): readonly string[] {
  const view = new DataView(query.octets.buffer, query.octets.byteOffset);
  const flags = view.getUint16(2);
  const has = (bit: string): boolean => seen.bits.includes(bit);
  const rcodes = [expected.rcode ?? "NOERROR"].flat();
  const tc = way === "tcp" ? false : expected.tc;
  return [
    ...fault(seen.id !== view.getUint16(0), "the ID is another"),
    ...fault(seen.opcode !== ((flags >> 11) & 0xf), `the opcode is ${seen.opcode}`),
    ...fault(!has("qr"), "QR is not set"),
    ...fault(has("ra"), "RA is set"),
    ...fault(has("z"), "Z is set"),
    ...fault(!rcodes.includes(seen.rcode), `the RCODE is ${seen.rcode}, not ${rcodes.join(" or ")}`),
    ...bitFault("AA", has("aa"), expected.aa),
    ...bitFault("TC", has("tc"), tc),
    ...bitFault("RD", has("rd"), expected.rd),
  ];
}

function bodyFaults(query: BuiltQuery, expected: Expected, seen: Seen, way: Way): readonly string[] {
  const { question } = query;
  const asked = expected.question === false ? undefined : question;
  const [repeated, ...more] = seen.questions;
  const isRepeated =
    asked === undefined ||
    (repeated !== undefined && more.length === 0 && Buffer.compare(repeated, asked) === 0);
  const hasEdns = expected.hasEdns ?? query.hasEdns;
  const options = Object.entries(expected.options ?? {}).flatMap(([code, hex]) => {
    const octets = optionOf(seen, Number(code));
    const found = octets && Buffer.from(octets).toString("hex");
    return fault(found !== hex, `option ${code} is ${found ?? "absent"}, not ${hex ?? "absent"}`);
  });
  return [
    ...fault(!isRepeated, "the question is not repeated as asked"),
    ...sectionFaults("answer", seen.answer, expected.answer),
    ...sectionFaults("authority", seen.authority, expected.authority),
    ...(expected.additional ?? [])
      .map(canonicalLine)
      .filter((line) => !seen.additional.some((record) => record.line === line))
      .map((line) => `the additional section lacks ${line}`),
    ...fault(seen.opts.length > 1, "there are two OPTs"),
    ...fault(hasEdns === true && seen.opts.length === 0, "there is no OPT"),
    ...fault(hasEdns === false && seen.opts.length > 0, "there is an OPT"),
    ...fault(
      seen.opts.some(({ version }) => version !== 0),
      "the version of EDNS is not 0",
    ),
    ...options,
    ...(expected.also?.(seen, way) ?? []),
  ];
}

function sectionFaults(
  section: string,
  records: readonly SeenRecord[],
  expected: readonly string[] | undefined,
): readonly string[] {
  if (expected === undefined) return [];
  const found = records.map(({ line }) => line).toSorted();
  const wanted = expected.map(canonicalLine).toSorted();
  const isSame = found.length === wanted.length && found.every((line, i) => line === wanted[i]);
  const shown = (lines: readonly string[]): string =>
    lines.length === 0 ? "nothing" : lines.join(" | ").slice(0, 400);
  return fault(!isSame, `the ${section} section holds ${shown(found)}, not ${shown(wanted)}`);
}

const bitFault = (name: string, isSet: boolean, wanted: boolean | undefined): readonly string[] =>
  fault(wanted !== undefined && isSet !== wanted, `${name} is ${isSet ? "" : "not "}set`);

export const fault = (isFault: boolean, words: string): readonly string[] => (isFault ? [words] : []);
