/** Datacenters that nobody gets, and tenants that nobody would serve. */

import type { Datacenter } from "../cloud/topology.ts";
import type { FamilyTables } from "../geo/family-tables.ts";
import { prefixesOf } from "../geo/prefix-table.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Finding, fewOf, MAX_TOLD, type Subject } from "./finding.ts";

export function* findIdleDatacenters({ snapshot, origins }: Subject): Generator<Finding> {
  const { clouds } = snapshot.configuration;
  const reached = reachedFrontEnds(snapshot);
  const candidates = new Set([...snapshot.candidates.keys()].flatMap((service) => service.candidates));
  const homes = new Set(
    clouds.flatMap(({ tenants: { table } }) =>
      table.shapes.flatMap(({ active, standby }, shape) =>
        table.rowsOfShape(shape) > 0 ? [active, standby ?? active] : [],
      ),
    ),
  );
  for (const datacenter of clouds.flatMap((cloud) => cloud.datacenters)) {
    const { id, roles } = datacenter;
    if (roles.has("front-end") && !reached.has(datacenter)) {
      const because = candidates.has(datacenter)
        ? "to each address another front end is nearer"
        : "it is a candidate of no service";
      yield {
        rule: "front-end-unreachable",
        spot: origins.ofDatacenter(datacenter),
        message: `no address gets the front end ${id} while all are up: ${because}`,
      };
    }
    if (roles.has("tenants") && !homes.has(datacenter)) {
      yield {
        rule: "datacenter-without-tenants",
        spot: origins.ofDatacenter(datacenter),
        message: `${id} is neither active nor standby for a tenant`,
      };
    }
  }
}

/** Those that some address gets first, or is spread to. */
function reachedFrontEnds({ candidates, ruleTables }: Snapshot): ReadonlySet<Datacenter> {
  const reached = new Set<Datacenter>();
  const numbers = new Map<FamilyTables, ReadonlySet<number>>();
  const numbersIn = (tables: FamilyTables): ReadonlySet<number> => {
    const known = numbers.get(tables) ?? valuesIn(tables);
    numbers.set(tables, known);
    return known;
  };
  for (const [{ spread }, { table, lists }] of candidates) {
    for (const number of numbersIn(table)) {
      for (const datacenter of lists[number]?.slice(0, spread?.over ?? 1) ?? []) reached.add(datacenter);
    }
  }
  for (const { classes, orders } of ruleTables.values()) {
    for (const number of numbersIn(classes)) {
      const [first] = orders[number] ?? [];
      if (first !== undefined) reached.add(first);
    }
  }
  return reached;
}

function valuesIn({ family4, family6 }: FamilyTables): ReadonlySet<number> {
  const values = new Set<number>();
  for (const table of [family4, family6]) for (const { value } of prefixesOf(table)) values.add(value);
  return values;
}

/** Tenants with nowhere to fail over to: each by itself where it is written by hand; those of a file that may have a million in one. */
export function* findLonelyTenants({ snapshot, origins }: Subject): Generator<Finding> {
  const table = snapshot.configuration.clouds[0]?.tenants.table;
  if (table === undefined) return;
  const isLonely = Uint8Array.from(table.shapes, ({ standby }) => (standby === undefined ? 1 : 0));
  const bulk = new Map<string, { readonly first: number; readonly labels: string[]; count: number }>();
  for (let row = 0; row < table.rowCount; row++) {
    if (isLonely[table.shapeOf(row)] !== 1) continue;
    const file = origins.bulkFileOf(row);
    if (file === undefined) {
      const { active } = table.shapeAt(row);
      const message = `${table.labelAt(row)} has no standby to fail over to when ${active.id} is down`;
      yield { rule: "tenant-without-standby", spot: origins.ofTenant(row), message };
      continue;
    }
    const found = bulk.get(file) ?? { first: row, labels: [], count: 0 };
    bulk.set(file, found);
    found.count++;
    if (found.labels.length < MAX_TOLD) found.labels.push(table.labelAt(row));
  }
  for (const { first, labels, count } of bulk.values()) {
    const words = count === 1 ? "1 tenant of this file has" : `${count} tenants of this file have`;
    const message = `${words} no standby: ${fewOf(labels, count)}`;
    yield { rule: "tenant-without-standby", spot: origins.ofTenant(first), message };
  }
}

/** Tailored answers that outlive the time in which probes find that a datacenter is down. */
export function* findLongTtls({ snapshot, origins }: Subject): Generator<Finding> {
  const { clouds } = snapshot.configuration;
  for (const cloud of clouds) {
    // TTLs that follow the probes are never too long.
    if (cloud.healthTtl !== undefined) continue;
    for (const service of cloud.services) {
      const concerned =
        service.policy === "nearest-datacenter"
          ? service.candidates
          : cloud.datacenters.filter(({ roles }) => roles.has("tenants"));
      const limit = quickestProbe(concerned);
      if (limit === undefined) continue;
      for (const [i, { owners, ttlSeconds }] of service.links.entries()) {
        const next =
          service.links[i + 1]?.owners[0] ?? (service.end.kind === "alias" ? service.end.target : undefined);
        const waits =
          next === undefined
            ? service.end.kind === "addresses"
            : next.needs.has("datacenter") || (next.needs.has("region") && !owners[0]?.needs.has("region"));
        if (!waits || owners[0]?.needs.has("datacenter") || ttlSeconds <= limit.seconds) continue;
        yield {
          rule: "ttl-beyond-probes",
          spot: origins.ofService(service, i === 0 ? ["ttl"] : ["chain", i - 1, "ttl"]),
          message: ttlWords(owners[0]?.text ?? service.name, ttlSeconds, limit),
        };
      }
    }
  }
  for (const { name, rules, types } of snapshot.ruleTables.keys()) {
    if (rules.otherwise.kind !== "nearest") continue;
    const { datacenters } = rules.otherwise;
    const limit = quickestProbe([...datacenters.keys()]);
    const [type = 0] = types;
    const ttlSeconds = Math.max(0, ...[...datacenters.values()].flat().map((rrset) => rrset.ttlSeconds));
    const spot = origins.ofRecord(name, type);
    if (limit === undefined || spot === undefined || ttlSeconds <= limit.seconds) continue;
    yield { rule: "ttl-beyond-probes", spot, message: ttlWords(name, ttlSeconds, limit) };
  }
}

interface ProbeLimit {
  readonly id: string;
  readonly seconds: number;
}

/** The datacenter whose probes find an outage first, and in how many seconds. */
function quickestProbe(datacenters: readonly Datacenter[]): ProbeLimit | undefined {
  const limits = datacenters.flatMap(({ id, healthCheck }) =>
    healthCheck === undefined
      ? []
      : { id, seconds: (healthCheck.everyMilliseconds * healthCheck.down) / 1000 },
  );
  return limits.toSorted((a, b) => a.seconds - b.seconds)[0];
}

const ttlWords = (name: string, ttlSeconds: number, { id, seconds }: ProbeLimit): string =>
  `caches keep the answer at ${name} for ${ttlSeconds} s, while probes find ${id} down in ${seconds} s; lower the TTL, or set health.ttl of the cloud`;
