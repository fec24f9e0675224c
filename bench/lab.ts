/** The question that is measured, the lab's networks, and what a right answer is. */

import { decode, encode, type Packet } from "dns-packet";
import { exchange } from "../src/transport/client.ts";

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

const LOOPBACK_DATACENTER = "lhr";

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
  return kind === "plain" ? [query(undefined)] : networks.map(({ subnet }) => query(subnet));
}

function query(subnet: string | undefined): Buffer {
  const questions = [{ type: "A", name: QNAME }] as const;
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

/** Asks once over UDP; rejects where nothing comes back. */
export function ask(port: number, message: Uint8Array, timeoutMilliseconds = 1000): Promise<Uint8Array> {
  return exchange({ address: "127.0.0.1", family: 4, port }, message, {
    transport: "udp",
    timeoutMilliseconds,
  });
}

/**
 * Asks every question of a kind once and returns the form of the answers, like `2 CNAME, 4 A, 184 octets, scope 16`. Throws
 * where one is not NOERROR or not that of the right datacenter.
 */
export async function checkAnswers(port: number, kind: QuestionKind): Promise<string> {
  const forms = new Set<string>();
  const scopes = new Set<string>();
  for (const [index, message] of queriesOf(kind).entries()) {
    const subnet = kind === "plain" ? undefined : networks[index]?.subnet;
    const expected = kind === "plain" ? LOOPBACK_DATACENTER : networks[index]?.datacenter;
    const octets = await ask(port, message);
    const response = decode(Buffer.from(octets));
    const rcode = (octets[3] ?? 0) & 0x0f;
    const found = datacentersIn(response).join(" and ") || "no datacenter";
    if (rcode !== 0 || found !== expected) {
      const asked = subnet === undefined ? "without a client subnet" : `for ${subnet}/24`;
      throw new Error(`${QNAME} A ${asked}: RCODE ${rcode} with ${found}, expected ${expected}`);
    }
    forms.add(`${formatRecordCounts(response)}, ${octets.length} octets`);
    if (subnet !== undefined) scopes.add(scopeOf(response, subnet));
  }
  return [[...forms].join(" or "), [...scopes].join(" or ")].filter((text) => text !== "").join(", ");
}

/** Throws where a query does not come back as it was, but for QR. */
export async function checkEcho(port: number, kind: QuestionKind): Promise<string> {
  for (const message of queriesOf(kind)) {
    const expected = Buffer.from(message);
    expected[2] = (expected[2] ?? 0) | 0x80;
    if (!expected.equals(await ask(port, message))) throw new Error("what came back is not the query");
  }
  return `the query, ${queriesOf(kind)[0]?.length} octets`;
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

function formatRecordCounts({ answers = [] }: Packet): string {
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
