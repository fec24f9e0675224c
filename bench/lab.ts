/** The question that is measured, the lab's networks, and what a right answer is. */

import { decode, encode, type Packet } from "dns-packet";
import { exchange } from "../src/transport/client.ts";
import type { Server } from "./servers/server.ts";

export const QNAME = "outlook.office365.com";
/** The second name of the chain, where geodns365 chooses. */
export const TAILORED_NAME = "outlook.ms-acdc.office.com";

/** With a client subnet, from each network in turn; or without EDNS, from loopback. */
export const questionKinds = ["ecs", "plain"] as const;
export type QuestionKind = (typeof questionKinds)[number];

/** A network of the default lab and the datacenter that is nearest to it. */
export interface Network {
  readonly prefix: string;
  /** the /24 of it that is sent as client subnet */
  readonly subnet: string;
  readonly datacenter: string;
}

/** What config/networks.yaml and config/clouds/worldwide.yaml come to, written by hand so that geodns365 is checked too. */
export const networks: readonly Network[] = [
  { prefix: "10.1.0.0/16", subnet: "10.1.0.0", datacenter: "lhr" },
  { prefix: "10.2.0.0/16", subnet: "10.2.0.0", datacenter: "mnz" },
  { prefix: "10.3.0.0/16", subnet: "10.3.0.0", datacenter: "sin" },
  { prefix: "10.4.0.0/16", subnet: "10.4.0.0", datacenter: "syd" },
  { prefix: "10.5.0.0/16", subnet: "10.5.0.0", datacenter: "icn" },
  { prefix: "10.6.0.0/16", subnet: "10.6.0.0", datacenter: "gru" },
  { prefix: "10.7.0.0/16", subnet: "10.7.0.0", datacenter: "jnb" },
  { prefix: "10.8.0.0/16", subnet: "10.8.0.0", datacenter: "fra" },
  { prefix: "10.9.0.0/16", subnet: "10.9.0.0", datacenter: "eat" },
  { prefix: "127.0.0.0/8", subnet: "127.0.0.0", datacenter: "lhr" },
];

/** Where who asks from loopback, without a client subnet, is sent. */
export const LOOPBACK_DATACENTER = "lhr";

/** The third octet of each datacenter's pool, 198.18.N.0/24. */
const pools: ReadonlyMap<string, number> = new Map([
  ["lhr", 1],
  ["fra", 4],
  ["mnz", 7],
  ["eat", 9],
  ["sin", 13],
  ["syd", 14],
  ["gru", 17],
  ["jnb", 18],
  ["icn", 20],
]);

export const datacenters: readonly string[] = [...pools.keys()];

/** The name a datacenter has in the chain. */
export const frontEndName = (datacenter: string): string =>
  `${datacenter.toUpperCase()}-efz.ms-acdc.office.com`;

/** The four addresses of a datacenter's front end. */
export const addressesOf = (datacenter: string): readonly string[] =>
  [1, 2, 3, 4].map((host) => `198.18.${pools.get(datacenter)}.${host}`);

/** The messages of a kind of question: one from each network, or the one without a client subnet. */
export function queriesOf(kind: QuestionKind): readonly Buffer[] {
  return kind === "plain" ? [query(QNAME)] : networks.map(({ subnet }) => query(QNAME, subnet));
}

/** A query for addresses, with a /24 as client subnet or without EDNS. */
export function query(qname: string, subnet?: string): Buffer {
  const questions = [{ type: "A", name: qname }] as const;
  if (subnet === undefined) return encode({ type: "query", id: 1, questions: [...questions] });
  const option = {
    ...({ code: 8, type: "CLIENT_SUBNET" } as const),
    ...{ ip: subnet, sourcePrefixLength: 24, scopePrefixLength: 0 },
  };
  const opt = {
    ...({ type: "OPT", name: ".", udpPayloadSize: 1232 } as const),
    ...{ extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [option] },
  };
  return encode({ type: "query", id: 1, questions: [...questions], additionals: [opt] });
}

/** Asks once; rejects where nothing comes back. */
export function ask(
  port: number,
  message: Uint8Array,
  timeoutMilliseconds = 1000,
  transport: "udp" | "tcp" = "udp",
): Promise<Uint8Array> {
  return exchange({ address: "127.0.0.1", family: 4, port }, message, { transport, timeoutMilliseconds });
}

/**
 * Asks every question of a kind once and returns the form of the answers, like `2 CNAME, 4 A, 184 octets, scope 16`. Throws
 * where one is not what a server that answers so must say: NOERROR, of the right datacenter, and all its addresses or none.
 */
export async function checkAnswers(
  answers: Server["answers"],
  port: number,
  kind: QuestionKind,
  transport: "udp" | "tcp" = "udp",
): Promise<string> {
  const forms = new Set<string>();
  const scopes = new Set<string>();
  for (const [index, message] of queriesOf(kind).entries()) {
    const octets = await ask(port, message, 1000, transport);
    if (answers === "echo") {
      requireEcho(message, octets);
      forms.add(`the query, ${octets.length} octets`);
      continue;
    }
    const network = kind === "plain" ? undefined : networks[index];
    const expected = answers === "alike" ? undefined : network?.datacenter;
    const response = decode(Buffer.from(octets));
    const fault = faultIn(response, rcodeOf(octets), expected ?? LOOPBACK_DATACENTER);
    if (fault !== undefined) {
      const asked = network === undefined ? "without a client subnet" : `for ${network.subnet}/24`;
      throw new Error(`${QNAME} A ${asked}: ${fault}`);
    }
    forms.add(`${formatRecordCounts(response)}, ${octets.length} octets`);
    if (network !== undefined) scopes.add(scopeOf(response, network.subnet));
  }
  return [[...forms].join(" or "), [...scopes].join(" or ")].filter((text) => text !== "").join(", ");
}

/** Whether QR is set. */
export const isResponse = (octets: Uint8Array): boolean => ((octets[2] ?? 0) & 0x80) !== 0;

/** Of a message; 0 is NOERROR. */
export const rcodeOf = (octets: Uint8Array): number => (octets[3] ?? 0) & 0x0f;

/** What is not as it must be, in words. */
function faultIn(response: Packet, rcode: number, expected: string): string | undefined {
  const found = datacentersIn(response).join(" and ") || "no datacenter";
  if (rcode !== 0 || found !== expected) return `RCODE ${rcode} with ${found}, expected ${expected}`;
  const addresses = (response.answers ?? []).flatMap((record) => (record.type === "A" ? [record.data] : []));
  const all = addressesOf(expected);
  return addresses.length === 0 || addresses.toSorted().join() === all.toSorted().join()
    ? undefined
    : `addresses ${addresses.join(", ")}, expected ${all.join(", ")}`;
}

function requireEcho(message: Buffer, octets: Uint8Array): void {
  const expected = Buffer.from(message);
  expected[2] = (expected[2] ?? 0) | 0x80;
  if (!expected.equals(octets)) throw new Error("what came back is not the query");
}

/** The datacenters that CNAMEs and addresses of an answer name. */
function datacentersIn({ answers = [] }: Packet): readonly string[] {
  return datacenters.filter((datacenter) => {
    const name = frontEndName(datacenter).toLowerCase();
    const addresses = addressesOf(datacenter);
    return answers.some(
      (record) =>
        (record.type === "CNAME" && record.data.toLowerCase() === name) ||
        (record.type === "A" && addresses.includes(record.data)),
    );
  });
}

export function formatRecordCounts({ answers = [] }: Packet): string {
  const types = [...new Set(answers.map(({ type }) => type))];
  return types.map((type) => `${answers.filter((record) => record.type === type).length} ${type}`).join(", ");
}

/** What became of the client subnet. */
function scopeOf({ additionals = [] }: Packet, subnet: string): string {
  const opt = additionals.find((record) => record.type === "OPT");
  const option = opt?.options.find(({ type }) => type === "CLIENT_SUBNET");
  if (option === undefined || !("ip" in option)) return "no client subnet";
  return option.ip === subnet
    ? `scope ${option.scopePrefixLength}`
    : `the client subnet ${option.ip} for ${subnet}`;
}
