/** The partition of the address space behind a name: who gets which datacenters, and the proof that its scopes are exact. */

import type { TailoredName } from "../cloud/tailored-name.ts";
import { CLASS, formatType, RCODE, TYPE } from "../dns/iana.ts";
import type { Question } from "../dns/message.ts";
import { type DomainName, domainName, formatName, nameOctets } from "../dns/name.ts";
import type { AddressFamily, IpPrefix } from "../ip.ts";
import { resolve } from "../resolve.ts";
import type { Snapshot } from "../snapshot.ts";
import { zonesOfRecords } from "../zone/zone.ts";
import { Chain, type SpreadName } from "./chain.ts";
import { type AnswerList, Lists } from "./lists.ts";
import { sizeOf } from "./partition.ts";
import { type Proof, type ProofListener, prove } from "./prove.ts";

export interface AuditOptions {
  readonly families: readonly AddressFamily[];
  /** how much of a family is done, from 0 to 1 */
  readonly onProgress?: (family: AddressFamily, done: number) => void;
  /** is shown each prefix with its list */
  readonly onCell?: (prefix: IpPrefix, list: AnswerList) => void;
}

/** What one name gives to whom. */
export interface Audit {
  readonly name: string;
  readonly type: string;
  /** the names on the way whose answers depend on the place of the asker; none: everyone has one answer, of scope 0 */
  readonly tailoredAt: readonly DomainName[];
  /** those of them whose clients are spread inside the cells */
  readonly spreads: readonly SpreadName[];
  readonly families: readonly FamilyAudit[];
}

export interface FamilyAudit {
  readonly family: AddressFamily;
  /** the largest first */
  readonly lists: readonly ListAudit[];
  readonly proof: Proof;
  /** by the numbers in the proof's counterexamples */
  readonly listOf: (number: number) => AnswerList;
}

/** Who has one list. */
export interface ListAudit {
  readonly list: AnswerList;
  readonly prefixes: number;
  /** addresses of IPv4, or networks of 48 bits of IPv6 */
  readonly size: number;
  /** the widest prefix, and of those the first */
  readonly example: IpPrefix;
  /** networks and countries in it with the size of each, the largest first */
  readonly where: readonly { readonly name: string; readonly size: number }[];
}

/** Audits the answers to one question, or of the first name on its way that is tailored by place. */
export function auditQuestion(
  snapshot: Snapshot,
  question: Question,
  options: AuditOptions & { readonly firstStepOnly?: boolean },
): Audit {
  const { families, firstStepOnly = false } = options;
  const lists = new Lists();
  const chain = new Chain(snapshot, question, lists, { firstStepOnly });
  // Where no place decides there is one answer, of scope 0.
  const byPlace = chain.firstName === undefined ? [] : families;
  const audited = byPlace.map((family) => auditFamily(chain, family, lists, options));
  return {
    name: formatName(question.qname),
    type: formatType(question.qtype),
    tailoredAt: chain.names,
    spreads: chain.spreads,
    families: audited,
  };
}

function auditFamily(
  chain: Chain,
  family: AddressFamily,
  lists: Lists,
  { onProgress, onCell }: AuditOptions,
): FamilyAudit {
  const tallies = new Map<number, Tally>();
  const listener: ProofListener = {
    onProgress: (done) => onProgress?.(family, done),
    onCell: (prefix, list) => {
      const tally = tallies.get(list);
      if (tally === undefined) throw new Error("a cell has no part");
      tally.addCell(prefix);
      onCell?.(prefix, lists.at(list));
    },
    onPart: ({ length }, list, where) => {
      const tally = tallies.get(list) ?? new Tally();
      tallies.set(list, tally);
      tally.addPart(where, sizeOf(family, length));
    },
  };
  const proof = prove(
    {
      answers: chain.answers(family),
      expected: chain.expected(family),
      askInFull: (octets) => chain.askInFull(octets),
    },
    listener,
  );
  const audits = [...tallies].map(([list, tally]) => tally.total(lists.at(list)));
  return {
    family,
    lists: audits.toSorted((a, b) => b.size - a.size || b.prefixes - a.prefixes),
    proof,
    listOf: (number) => lists.at(number),
  };
}

/** Counts what belongs to one list. */
class Tally {
  #prefixes = 0;
  #widest: IpPrefix | undefined;
  readonly #where = new Map<string, number>();

  addCell(prefix: IpPrefix): void {
    this.#prefixes++;
    if (this.#widest === undefined || prefix.length < this.#widest.length) this.#widest = prefix;
  }

  addPart(where: string, size: number): void {
    this.#where.set(where, (this.#where.get(where) ?? 0) + size);
  }

  total(list: AnswerList): ListAudit {
    if (this.#widest === undefined) throw new Error("a list has no prefix");
    const where = largestFirst(this.#where);
    const size = where.reduce((sum, each) => sum + each.size, 0);
    return { list, prefixes: this.#prefixes, size, example: this.#widest, where };
  }
}

export const largestFirst = (
  sizes: ReadonlyMap<string, number>,
): readonly { readonly name: string; readonly size: number }[] =>
  [...sizes]
    .map(([name, size]) => ({ name, size }))
    .sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));

/** The question to audit a name by, or why there is none. */
export type Auditable =
  | { readonly kind: "question"; readonly question: Question }
  | { readonly kind: "scripted" | "not-served" | "nxdomain" };

/**
 * Any type that leads to a tailored name will do, since who gets what does not depend on it: addresses, or what else
 * the lists of such a name hold.
 */
export function findQuestion(snapshot: Snapshot, qname: Uint8Array): Auditable {
  const asker = { address: { family: 4, octets: new Uint8Array(4) }, via: "client-subnet" } as const;
  const ofLists = [...tailoredNames(snapshot)].flatMap(({ tailored }) =>
    tailored.kind === "records" ? [...tailored.types] : [],
  );
  for (const qtype of new Set([TYPE.A, TYPE.AAAA, ...ofLists])) {
    const question = { qname, qtype, qclass: CLASS.IN };
    const resolution = resolve(snapshot, question, asker);
    if (resolution.kind === "scripted") return { kind: "scripted" };
    if (resolution.stop === "not-served") return { kind: "not-served" };
    if (resolution.rcode === RCODE.NXDOMAIN && resolution.hops.length === 1) return { kind: "nxdomain" };
    if (resolution.hops.some(({ tailoring }) => tailoring?.locationClass !== undefined)) {
      return { kind: "question", question };
    }
  }
  return { kind: "question", question: { qname, qtype: TYPE.A, qclass: CLASS.IN } };
}

/** Names that are tailored by the same tables, so that one audit is that of all. */
export interface TailoredGroup {
  /** a service, or undefined for names with rules */
  readonly service: string | undefined;
  /** each with the question to audit it by */
  readonly names: readonly { readonly name: DomainName; readonly question: Question }[];
}

/** All names tailored by place, with those together that have the same tables. */
export function groupTailored(snapshot: Snapshot): readonly TailoredGroup[] {
  const groups = Map.groupBy(tailoredNames(snapshot), ({ tables }) => tables);
  return [...groups.values()].map((members) => {
    const services = members.flatMap(({ tailored }) => (tailored.kind === "service" ? tailored.service : []));
    const [cloud] = services.map((service) => service.cloud);
    const of = [...new Set(services.map(({ name }) => name))].join(", ");
    return {
      service: cloud === undefined ? undefined : `${cloud} ${of}`,
      names: members.map((member) => ({ name: member.name, question: questionOf(member) })),
    };
  });
}

const questionOf = ({ name, tailored }: FoundName): Question => ({
  qname: nameOctets(name),
  qtype: tailored.kind === "service" ? TYPE.A : typeOf(tailored.types),
  qclass: CLASS.IN,
});

/** A type that some list of a name with rules holds. */
const typeOf = (types: ReadonlySet<number>): number =>
  types.has(TYPE.A) ? TYPE.A : (types.values().next().value ?? TYPE.A);

interface FoundName {
  readonly name: DomainName;
  readonly tailored: TailoredName;
  /** what tells who gets what */
  readonly tables: object;
}

/** The names whose answers go by place; those that follow a tenant do not. */
function* tailoredNames({ configuration, candidates, ruleTables }: Snapshot): Generator<FoundName> {
  for (const zone of zonesOfRecords(configuration.zones)) {
    const { virtual } = zone.nodes;
    yield* foundAmong(zone.nodes.tailored());
    // Where none goes by place, as is usual, a million tenants need not be seen.
    if (virtual !== undefined && !foundAmong(virtual.tailoredKinds()).next().done) {
      yield* foundAmong(virtual.tailored());
    }
  }

  function* foundAmong(names: Iterable<TailoredName>): Generator<FoundName> {
    for (const tailored of names) {
      const tables =
        tailored.kind === "service" ? candidates.get(tailored.service) : ruleTables.get(tailored);
      if (tables === undefined) continue;
      const name = tailored.kind === "records" ? tailored.name : domainName(tailored.owner);
      yield { name, tailored, tables };
    }
  }
}
