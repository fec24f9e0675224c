/** Networks that are there for nothing: prefixes that no address has, and places that change no answer. */

import { Lists } from "../audit/lists.ts";
import { NaiveLists } from "../audit/naive-lists.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import type { Network } from "../config/configuration.ts";
import { type Location, locateAddress } from "../geo/location-table.ts";
import { addressBehind } from "../geo/prefix-table.ts";
import { comparePrefixes, formatPrefix, type IpPrefix, prefixContains } from "../ip.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Finding, fewOf, type Subject } from "./finding.ts";

/** A prefix of a network among all others. */
interface Laid {
  readonly network: Network;
  /** among the prefixes of its network */
  readonly index: number;
  readonly prefix: IpPrefix;
  /** the longest one that holds it */
  readonly outer: Laid | undefined;
  /** the longest ones in it */
  readonly inner: Laid[];
}

export function* findIdleNetworks(subject: Subject): Generator<Finding> {
  const { snapshot, origins } = subject;
  const { networks, settings } = snapshot.configuration;
  // Where networks locate nobody they are names for rules and vantage points.
  if (!settings.location.byNetworks) return;
  const laid = layOut(networks);
  const shadowed = new Set(laid.filter(isCovered));
  for (const { network, index, prefix, inner } of shadowed) {
    const by = [...new Set(inner.map((each) => each.network.name))];
    yield {
      rule: "network-shadowed",
      spot: origins.ofPrefix(network.name, index),
      message: `no address has ${formatPrefix(prefix)} of ${network.name}: longer prefixes of ${fewOf(by)} hold all of it`,
    };
  }
  const named = namesInUse(snapshot);
  const compare = answersCompared(snapshot);
  if (compare === undefined) return;
  for (const network of networks) {
    const own = laid.filter((each) => each.network === network && !shadowed.has(each));
    // A VPN or an ExpressRoute is told of where answers are explained.
    if (own.length === 0 || named.has(network.name) || network.kind !== "office") continue;
    if (own.some((each) => changesAnswers(each, subject, compare))) continue;
    yield {
      rule: "network-useless",
      spot: origins.ofNetwork(network.name),
      message: `without network ${network.name} every address would have the same answers`,
    };
  }
}

/** All prefixes with those around and in them. */
function layOut(networks: readonly Network[]): readonly Laid[] {
  const all = networks.flatMap((network) =>
    network.prefixes.map((prefix, index) => ({ network, index, prefix })),
  );
  const around: Laid[] = [];
  const laid = all
    .toSorted((a, b) => comparePrefixes(a.prefix, b.prefix))
    .map((each) => {
      for (let last = around.at(-1); last && !holds(last.prefix, each.prefix); last = around.at(-1))
        around.pop();
      const outer = around.at(-1);
      const found: Laid = { ...each, outer, inner: [] };
      outer?.inner.push(found);
      around.push(found);
      return found;
    });
  const order = new Map(networks.map((network, i) => [network, i]));
  return laid.toSorted(
    (a, b) => (order.get(a.network) ?? 0) - (order.get(b.network) ?? 0) || a.index - b.index,
  );
}

const holds = (outer: IpPrefix, inner: IpPrefix): boolean =>
  outer.family === inner.family && outer.length < inner.length && prefixContains(outer, inner);

const isCovered = ({ prefix, inner }: Laid): boolean =>
  inner.reduce((sum, each) => sum + 2 ** (prefix.length - each.prefix.length), 0) === 1;

/** Networks that something names: a rule, a list, a latency, or a listener. */
function namesInUse({ configuration, ruleTables }: Snapshot): ReadonlySet<string> {
  const { clouds, settings } = configuration;
  const nearness = clouds.flatMap(({ services }) => services.map((service) => service.nearness));
  const names = [
    ...[...ruleTables.keys()].flatMap(({ rules }) => rules.networks.map(({ network }) => network)),
    ...nearness.flatMap(({ networks }) => networks.map(({ network }) => network)),
    ...nearness.flatMap(({ latency }) =>
      latency.flatMap(({ from }) => (from.kind === "network" ? from.network : [])),
    ),
    ...settings.listen.map(({ vantage }) => (vantage?.kind === "network" ? vantage.network : undefined)),
  ];
  return new Set(names.flatMap((name) => name ?? []));
}

/**
 * Whether two locations of an address give it other answers at some name, and the length of the prefix around the address
 * for which that holds.
 */
type Compare = (
  address: Pick<IpPrefix, "family" | "octets">,
  one: Location,
  other: Location,
) => { readonly isOther: boolean; readonly prefixLength: number };

/** Undefined where no answer goes by place. */
function answersCompared(snapshot: Snapshot): Compare | undefined {
  // One name for each set of tables: all others of it would say the same.
  const byTables = new Map<object, TailoredName>();
  for (const [service, tables] of snapshot.candidates) {
    byTables.set(tables, { kind: "service", service, linkIndex: 0, owner: new Uint8Array(), bindings: {} });
  }
  for (const [name, tables] of snapshot.ruleTables) byTables.set(tables, name);
  if (byTables.size === 0) return undefined;
  const lists = new NaiveLists(snapshot, new Lists());
  return (address, one, other) => {
    let prefixLength = 0;
    for (const tailored of byTables.values()) {
      const [a, b] = [one, other].map((location) => lists.partAt(tailored, address, location));
      if (a?.part !== b?.part) return { isOther: true, prefixLength };
      prefixLength = Math.max(prefixLength, a?.prefixLength ?? 0);
    }
    return { isOther: false, prefixLength };
  };
}

/** Whether some address of a prefix has other answers than it would have without the network. */
function changesAnswers(
  { network, prefix, outer: holder }: Laid,
  { snapshot, withoutNetworks }: Subject,
  compare: Compare,
): boolean {
  let outer = holder;
  while (outer?.network === network) outer = outer.outer;
  const { family } = prefix;
  let octets: Uint8Array | undefined = prefix.octets;
  while (octets !== undefined && prefixContains(prefix, { family, octets })) {
    const address = { family, octets };
    const here = locateAddress(snapshot.locations, address);
    let length = Math.max(prefix.length, here.prefixLength);
    if (here.location.kind === "network" && here.location.network === network.name) {
      const beneath = locateAddress(withoutNetworks, address);
      const { isOther, prefixLength } = compare(
        address,
        here.location,
        outer === undefined
          ? beneath.location
          : { kind: "network", network: outer.network.name, place: outer.network.place },
      );
      if (isOther) return true;
      length = Math.max(length, prefixLength, outer === undefined ? beneath.prefixLength : 0);
    }
    octets = addressBehind(octets, length);
  }
  return false;
}
