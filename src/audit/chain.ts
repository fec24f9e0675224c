/** The tailored names that a question leads through: who has which list by the answers, and who should have. */

import type { TailoredName } from "../cloud/tailored-name.ts";
import type { Question } from "../dns/message.ts";
import type { DomainName } from "../dns/name.ts";
import { locateAddress, locationName } from "../geo/location-table.ts";
import { type AddressFamily, commonPrefixLength, type IpAddress, ipv4Blocks } from "../ip.ts";
import { resolve } from "../resolve.ts";
import { locationClass, ruleClass, type Snapshot } from "../snapshot.ts";
import type { Hop, Resolution, Tailoring } from "../trace.ts";
import type { Lists } from "./lists.ts";
import { type GivenPart, NaiveLists } from "./naive-lists.ts";
import { type Cell, firstAddress, type Partition, type PlacedCell } from "./partition.ts";

/** One tailored name on the way, and what follows upon each list it can give. */
interface Step {
  readonly name: DomainName;
  readonly tailored: TailoredName;
  /** by the number of the part that the name gives */
  readonly branches: Map<number, Branch>;
}

interface Branch {
  /** the number of the list up to here */
  readonly list: number;
  readonly next: Step | undefined;
}

/** A name whose answers are spread: inside each cell, over so many of the nearest that are up. */
export interface SpreadName {
  readonly name: DomainName;
  readonly over: number;
}

export interface ChainOptions {
  /** goes no further than the first name that is tailored by place */
  readonly firstStepOnly?: boolean;
}

/**
 * A question as the partitions of the address space behind it. Which names it leads through is learnt from whole
 * answers, one for each list; from then on the tables of those names are asked alone, which is quick enough for all
 * addresses. Along a chain the longest scope counts (RFC 7871 §7.2.1), and so it is here.
 */
export class Chain {
  readonly #snapshot: Snapshot;
  readonly #question: Question;
  readonly #lists: Lists;
  readonly #options: ChainOptions;
  readonly #root: Step | undefined;
  readonly #naive: NaiveLists;

  constructor(snapshot: Snapshot, question: Question, lists: Lists, options: ChainOptions = {}) {
    this.#snapshot = snapshot;
    this.#question = question;
    this.#lists = lists;
    this.#options = options;
    this.#naive = new NaiveLists(snapshot, lists);
    const [first] = this.#hopsAt(firstAddress(4));
    this.#root = first && newStep(first);
  }

  /** The first name that is tailored by place; undefined where none is, and so everyone has the same answer. */
  get firstName(): DomainName | undefined {
    return this.#root?.name;
  }

  /** The names among those met so far whose clients are spread over some of the nearest by a hash of their /24 or /56. */
  get spreads(): readonly SpreadName[] {
    const spreads = this.#steps().flatMap(({ name, tailored }) =>
      tailored.kind === "service" && tailored.service.spread !== undefined
        ? { name, over: tailored.service.spread.over }
        : [],
    );
    return [...new Map(spreads.map((spread) => [spread.name, spread])).values()];
  }

  /** All names tailored by place that were met so far. */
  get names(): readonly DomainName[] {
    return [...new Set(this.#steps().map(({ name }) => name))];
  }

  /** Who has which list, with the scope that the answer advertises. */
  answers(family: AddressFamily): Partition {
    return { family, cellAt: (octets) => this.#cellAt({ family, octets }) };
  }

  /** The cell of an address by a whole answer. */
  askInFull(octets: Uint8Array): Cell {
    const { resolution, hops } = this.#resolveAt(octets);
    const list = this.#lists.numberOf(hops.map(({ tailoring }) => this.#partOf(tailoring)));
    const classes = hops.flatMap(({ tailoring }) => tailoring.locationClass ?? []);
    // Where clients are spread, scopes are as long as their groups at least; the cells of lists are what is audited.
    const prefixLength = Math.max(0, ...classes.map(({ listPrefixLength }) => listPrefixLength));
    const groupLength = Math.max(0, ...classes.map(({ spreadPrefixLength = 0 }) => spreadPrefixLength));
    const scopePrefixLength = Math.max(prefixLength, groupLength);
    // Of a chain that is not followed to its end here, the scope is that of the steps that are.
    const isAdvertised =
      this.#options.firstStepOnly === true || resolution.scopePrefixLength === scopePrefixLength;
    return { list, prefixLength: isAdvertised ? prefixLength : resolution.scopePrefixLength };
  }

  /** Who should have which list, by the plainest reading of places and rules. */
  expected(family: AddressFamily): Partition<PlacedCell> {
    return { family, cellAt: (octets) => this.#expectedAt({ family, octets }) };
  }

  #steps(): readonly Step[] {
    const below = (step: Step | undefined): readonly Step[] =>
      step === undefined ? [] : [step, ...[...step.branches.values()].flatMap(({ next }) => below(next))];
    return below(this.#root);
  }

  #cellAt(address: IpAddress): Cell {
    let step = this.#root;
    let list = this.#root === undefined ? this.#lists.numberOf([]) : 0;
    let prefixLength = 0;
    for (let depth = 0; step !== undefined; depth++) {
      const given = partAt(this.#snapshot, step.tailored, address, this.#lists);
      prefixLength = Math.max(prefixLength, given.prefixLength);
      const branch = step.branches.get(given.part) ?? this.#learn(step, depth, given.part, address);
      ({ list, next: step } = branch);
    }
    return { list, prefixLength };
  }

  #expectedAt(address: IpAddress): PlacedCell {
    const { location, prefixLength: placeLength } = locateAddress(this.#snapshot.locations, address);
    let prefixLength = Math.max(placeLength, lengthBesideBlocks(address));
    let step = this.#root;
    let list = this.#root === undefined ? this.#lists.numberOf([]) : 0;
    const parts: number[] = [];
    while (step !== undefined) {
      const given = this.#naive.partAt(step.tailored, address, location);
      prefixLength = Math.max(prefixLength, given.prefixLength);
      parts.push(given.part);
      const branch = step.branches.get(given.part);
      list = branch?.list ?? this.#lists.numberOf(parts);
      step = branch?.next;
    }
    return { list, prefixLength, where: locationName(location) };
  }

  /** What follows upon a part that was not given before: a whole answer tells. */
  #learn(step: Step, depth: number, part: number, { octets }: IpAddress): Branch {
    const { hops } = this.#resolveAt(octets);
    const parts = hops.slice(0, depth + 1).map(({ tailoring }) => this.#partOf(tailoring));
    const following = hops[depth + 1];
    const branch = {
      list: this.#lists.numberOf([...parts.slice(0, depth), part]),
      next: following && newStep(following),
    };
    step.branches.set(part, branch);
    return branch;
  }

  #partOf({ choice, locationClass: found }: Tailoring): number {
    return choice.kind === "rule"
      ? this.#lists.partOfRecords(choice.rule.list)
      : this.#lists.partOfDatacenters(found?.datacenters ?? []);
  }

  #hopsAt(octets: Uint8Array): readonly PlacedHop[] {
    return this.#resolveAt(octets).hops;
  }

  #resolveAt(octets: Uint8Array): {
    readonly resolution: Resolution;
    readonly hops: readonly PlacedHop[];
  } {
    const family = octets.length === 4 ? 4 : 6;
    const asker = { address: { family, octets }, via: "client-subnet" } as const;
    const resolution = resolve(this.#snapshot, this.#question, asker);
    if (resolution.kind === "scripted") throw new Error("a handler's answers cannot be audited");
    const hops = resolution.hops.flatMap(({ name, tailoring }) =>
      tailoring?.locationClass === undefined ? [] : { name, tailoring },
    );
    return { resolution, hops: this.#options.firstStepOnly === true ? hops.slice(0, 1) : hops };
  }
}

/** A hop that the place of the asker decides. */
interface PlacedHop extends Pick<Hop, "name"> {
  readonly tailoring: Tailoring;
}

const newStep = ({ name, tailoring: { tailored } }: PlacedHop): Step => ({
  name,
  tailored,
  branches: new Map(),
});

/** What a tailored name gives an address, by the tables that answers are made from. */
function partAt(snapshot: Snapshot, tailored: TailoredName, address: IpAddress, lists: Lists): GivenPart {
  if (tailored.kind === "records") {
    const { locationClass: found, rule } = ruleClass(snapshot, tailored, address);
    const part =
      rule === undefined ? lists.partOfDatacenters(found.datacenters) : lists.partOfRecords(rule.list);
    return { part, prefixLength: found.prefixLength };
  }
  const candidates = snapshot.candidates.get(tailored.service);
  if (candidates === undefined) throw new Error(`${tailored.service.name} does not go by place`);
  const { datacenters, prefixLength } = locationClass(candidates, address);
  return { part: lists.partOfDatacenters(datacenters), prefixLength };
}

/**
 * The length of the widest prefix around an address that is not about two of these: a block of IPv6 addresses that hold
 * an IPv4 one, another such block, and the rest. What should be in a block is looked up there, and not taken to be as it
 * is beside.
 */
function lengthBesideBlocks({ family, octets }: IpAddress): number {
  let length = 0;
  if (family === 4) return length;
  for (const { prefix } of ipv4Blocks) {
    const common = commonPrefixLength(octets, prefix.octets);
    length = Math.max(length, Math.min(common + 1, prefix.length));
  }
  return length;
}
