/** TCP by RFC 7766: how messages may come in a stream. */

import { framed } from "../../src/transport/framing.ts";
import { fault } from "./expect.ts";
import { ask, type BuiltQuery } from "./query.ts";
import { readResponse } from "./response.ts";

export interface TcpCheck {
  readonly rule: string;
  readonly what: string;
  /** what is written in one go, each when the one before has left */
  readonly chunks: readonly Uint8Array[];
  /** the client closes its side behind the last chunk */
  readonly halfClose?: boolean;
  /** of the queries that must be answered, in any order */
  readonly ids: readonly number[];
  /** the rule leaves it open, or it depends on how the chunks arrive; not for peers */
  readonly oursAlone?: true;
}

const query = (id: number): BuiltQuery =>
  ask(id % 2 === 0 ? "www" : "big", id % 2 === 0 ? "A" : "TXT", { id });
const frame = (id: number): Uint8Array => Buffer.concat([framed(query(id).octets)]);
const ids = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i + 1);
const octetByOctet = (octets: Uint8Array): readonly Uint8Array[] =>
  [...octets].map((octet) => Uint8Array.of(octet));

export const tcpChecks: readonly TcpCheck[] = [
  {
    rule: "RFC 7766 §6.2.1",
    what: "several queries, one behind the other",
    chunks: ids(5).map(frame),
    ids: ids(5),
  },
  {
    rule: "RFC 7766 §6.2.1.1",
    what: "20 queries in one segment",
    chunks: [Buffer.concat(ids(20).map(frame))],
    ids: ids(20),
  },
  {
    rule: "RFC 7766 §6.2.1.1",
    what: "300 queries at once, more than one turn of the server",
    chunks: [Buffer.concat(ids(300).map(frame))],
    ids: ids(300),
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §8",
    what: "the length and the message in segments of their own",
    chunks: [frame(1).subarray(0, 2), frame(1).subarray(2)],
    ids: [1],
  },
  {
    rule: "RFC 7766 §8",
    what: "the length in two segments",
    chunks: [frame(1).subarray(0, 1), frame(1).subarray(1)],
    ids: [1],
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §8",
    what: "a query octet by octet",
    chunks: octetByOctet(frame(2)),
    ids: [2],
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §8",
    what: "two queries split where none of them ends",
    chunks: [
      Buffer.concat([frame(1), frame(2)]).subarray(0, 50),
      Buffer.concat([frame(1), frame(2)]).subarray(50),
    ],
    ids: [1, 2],
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §6.2.4",
    what: "a client that closes its side behind its queries has them answered",
    chunks: [Buffer.concat(ids(20).map(frame))],
    halfClose: true,
    ids: ids(20),
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §6.2.4",
    what: "a client that closes its side amid a query has those before it answered",
    chunks: [frame(1), frame(2).subarray(0, 9)],
    halfClose: true,
    ids: [1],
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §6.2.1",
    what: "a response and a message shorter than a header between two queries are passed over",
    chunks: [
      frame(1),
      Buffer.concat([framed(ask("www", "A", { bits: ["qr"] }).octets)]),
      Buffer.concat([framed(Uint8Array.of(1, 2, 3))]),
      frame(2),
    ],
    ids: [1, 2],
    oursAlone: true,
  },
  {
    rule: "RFC 7766 §8",
    what: "a length of 0 between two queries",
    chunks: [frame(1), Uint8Array.of(0, 0), frame(2)],
    ids: [1, 2],
    oursAlone: true,
  },
];

/** What is wrong with the replies: each query has exactly one, and it is whole. */
export function judgeReplies({ ids: wanted }: TcpCheck, replies: readonly Uint8Array[]): readonly string[] {
  const responses = replies.map(readResponse);
  const malformed = responses.filter((response) => typeof response === "string");
  const found = responses.flatMap((response) => (typeof response === "string" ? [] : response));
  const foundIds = found.map(({ id }) => id).toSorted((a, b) => a - b);
  const empty = found.filter(({ answer, bits }) => answer.length === 0 || bits.includes("tc"));
  return [
    ...malformed,
    ...fault(
      foundIds.join() !== wanted.join(),
      `queries ${foundIds.join(" ") || "none"} are answered, not ${wanted.join(" ")}`,
    ),
    ...fault(empty.length > 0, `${empty.length} responses are empty or truncated`),
  ];
}
